//! Command-line arguments: `command --name value … positional …`, nothing cleverer.

use std::collections::VecDeque;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail};

/// Arguments that have not been asked for yet.
pub(crate) struct Args {
    options: Vec<(String, String)>,
    positionals: VecDeque<String>,
}

impl Args {
    /// Reads `--name value`, `--name=value` and positionals.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut args = Self { options: Vec::new(), positionals: VecDeque::new() };
        while let Some(argument) = arguments.next() {
            let Some(name) = argument.strip_prefix("--") else {
                args.positionals.push_back(argument);
                continue;
            };
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => {
                    let value = arguments.next();
                    let value = value.ok_or_else(|| anyhow!("--{name} needs a value"))?;
                    (name.to_owned(), value)
                }
            };
            args.options.push((name, value));
        }
        Ok(args)
    }

    /// Takes an option that must be given once.
    pub(crate) fn required(&mut self, name: &str) -> Result<String> {
        self.optional(name)?.ok_or_else(|| anyhow!("--{name} is missing"))
    }

    /// Takes an option that may be given once.
    pub(crate) fn optional(&mut self, name: &str) -> Result<Option<String>> {
        let mut values = self.all(name);
        if values.len() > 1 {
            bail!("--{name} is given more than once");
        }
        Ok(values.pop())
    }

    /// Takes an option as a value of its type.
    pub(crate) fn parsed<T>(&mut self, name: &str) -> Result<T>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        let text = self.required(name)?;
        text.parse().with_context(|| format!("--{name} {text}"))
    }

    /// Takes an option that may be given many times.
    pub(crate) fn all(&mut self, name: &str) -> Vec<String> {
        let (taken, rest) =
            std::mem::take(&mut self.options).into_iter().partition(|(given, _)| given == name);
        self.options = rest;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// Takes the next positional.
    pub(crate) fn positional(&mut self, what: &str) -> Result<String> {
        self.positionals.pop_front().ok_or_else(|| anyhow!("{what} is missing"))
    }

    /// Complains about whatever nobody asked for.
    pub(crate) fn finish(&self) -> Result<()> {
        if let Some((name, _)) = self.options.first() {
            bail!("--{name} is not an option here");
        }
        if let Some(positional) = self.positionals.front() {
            bail!("{positional:?} is not expected here");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Result<Args> {
        Args::parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_stand_in_any_order_and_nothing_is_ignored() {
        let mut given = args("--officer A:1 FILE --data=d --officer B:2").unwrap();
        assert_eq!(given.required("data").unwrap(), "d");
        assert_eq!(given.all("officer"), ["A:1", "B:2"]);
        assert_eq!(given.positional("file").unwrap(), "FILE");
        given.finish().unwrap();
        assert!(args("--data").is_err());
        assert!(args("--data a --data b").unwrap().optional("data").is_err());
        assert!(args("--unknown a").unwrap().finish().is_err());
        assert!(args("left").unwrap().finish().is_err());
    }
}
