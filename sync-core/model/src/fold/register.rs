//! A text that more than one officer may write: every version is kept, the last by order is shown.

use serde::{Deserialize, Serialize};

use super::Source;

/// One version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version<T> {
    /// Where it comes from.
    pub source: Source,
    /// What was written.
    pub value: T,
}

/// All versions, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Register<T>(Vec<Version<T>>);

impl<T> Default for Register<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Register<T> {
    pub(super) fn write(&mut self, source: Source, value: T) {
        self.0.push(Version { source, value });
    }

    /// Returns the version that is shown.
    #[must_use]
    pub fn shown(&self) -> Option<&Version<T>> {
        self.0.last()
    }

    /// Returns every version, oldest first.
    #[must_use]
    pub fn versions(&self) -> &[Version<T>] {
        &self.0
    }

    /// Returns the versions that say something else than the one that is shown, newest first.
    pub fn differing(&self) -> impl Iterator<Item = &Version<T>>
    where
        T: PartialEq,
    {
        let shown = self.shown().map(|version| &version.value);
        self.0.iter().rev().filter(move |version| Some(&version.value) != shown)
    }
}
