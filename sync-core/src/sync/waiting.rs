//! What may go over the present network, and what waits for another one and why.

use serde::Serialize;
use sync_model::time::Timestamp;
use sync_model::wire::policy::{Allowance, NetworkKind};

use crate::error::StoreError;
use crate::store::Reader;

/// What the present network may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Which planes.
    pub allowance: Allowance,
    /// Bytes of files left for today; `None` where they are not counted.
    pub budget_bytes: Option<u64>,
}

impl Allowed {
    /// Returns what HQ's rules let a network of this kind carry at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn on(
        reader: &Reader<'_>,
        network: NetworkKind,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let policy = reader.policy()?;
        let costs = matches!(network, NetworkKind::Metered | NetworkKind::Roaming);
        let left = || {
            let spent = reader.metered_bytes_on(now)?;
            Ok::<_, StoreError>(policy.metered_bytes_per_day.saturating_sub(spent))
        };
        let budget_bytes = if costs { Some(left()?) } else { None };
        Ok(Self { allowance: policy.allowance(network), budget_bytes })
    }
}

/// Why files wait although HQ can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The network costs by the byte.
    Metered,
    /// The bytes for today are spent.
    DaySpent,
}

/// Files that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Files that may go now.
    pub files: u64,
    /// Their bytes not at HQ.
    pub bytes: u64,
    /// Files that wait for another network or another day.
    pub held_files: u64,
    /// Their bytes not at HQ.
    pub held_bytes: u64,
    /// Of the files held, the originals and large copies.
    pub held_originals: u64,
    /// Why the first of them is held.
    pub why: Option<Held>,
}

/// Returns what waits, and what of it is held by HQ's rules.
///
/// # Errors
/// [`StoreError`].
pub fn waiting(reader: &Reader<'_>, allowed: &Allowed) -> Result<Waiting, StoreError> {
    let counts = reader.blob_counts()?;
    let spent = allowed.budget_bytes == Some(0);
    let mut found =
        Waiting { files: counts.urgent, bytes: counts.urgent_bytes, ..Waiting::default() };
    let groups = [
        (Allowance::Previews, counts.previews, counts.preview_bytes),
        (Allowance::All, counts.originals, counts.original_bytes),
    ];
    for (needs, files, bytes) in groups {
        let carried = allowed.allowance >= needs;
        if carried && !spent {
            found.files = found.files.saturating_add(files);
            found.bytes = found.bytes.saturating_add(bytes);
        } else if files > 0 {
            found.held_files = found.held_files.saturating_add(files);
            found.held_bytes = found.held_bytes.saturating_add(bytes);
            if needs == Allowance::All {
                found.held_originals = files;
            }
            found.why.get_or_insert(if carried { Held::DaySpent } else { Held::Metered });
        }
    }
    Ok(found)
}
