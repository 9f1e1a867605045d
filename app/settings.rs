//! Where data lies and what the command line asked for; parsed once.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a command was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// `rehearse`, `sync`, …; empty: open the window.
    pub command: String,
    /// Words without `--`, after the command.
    pub words: Vec<String>,
    options: BTreeMap<String, String>,
}

/// Options that stand alone.
const FLAGS: &[&str] = &["json", "acks", "practice", "nightly"];

impl Arguments {
    /// Returns the parsed words after the program's name.
    ///
    /// # Errors
    /// The option that lacks its value.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if let Some(option) = word.strip_prefix("--") {
                let (name, value) = match option.split_once('=') {
                    Some((name, value)) => (name.to_owned(), value.to_owned()),
                    None if FLAGS.contains(&option) => (option.to_owned(), String::new()),
                    None => {
                        let value = words.next().ok_or_else(|| option.to_owned())?;
                        (option.to_owned(), value)
                    }
                };
                parsed.options.insert(name, value);
            } else if parsed.command.is_empty() {
                parsed.command = word;
            } else {
                parsed.words.push(word);
            }
        }
        Ok(parsed)
    }

    /// Returns an option's value.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// Says whether a flag was given.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    /// Returns the first option that is none of `known`.
    #[must_use]
    pub fn unknown_option(&self, known: &[&str]) -> Option<&str> {
        self.options.keys().map(String::as_str).find(|name| !known.contains(name))
    }

    /// Returns the data folder: `--data`, else `XUNZHENG_DATA`, else the user's data folder.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        if let Some(folder) = self.option("data") {
            return PathBuf::from(folder);
        }
        let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(folder) = from("XUNZHENG_DATA") {
            return PathBuf::from(folder);
        }
        let share = from("XDG_DATA_HOME")
            .map(PathBuf::from)
            .or_else(|| from("HOME").map(|home| PathBuf::from(home).join(".local").join("share")));
        share.unwrap_or_else(|| PathBuf::from(".")).join("xunzheng")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_words_and_flags_are_told_apart() {
        let parsed = parse("verify --data=/d DIR --json --size 1x2").unwrap();
        assert_eq!(parsed.command, "verify");
        assert_eq!(parsed.words, ["DIR"]);
        assert_eq!(parsed.option("size"), Some("1x2"));
        assert_eq!(parsed.data_folder(), PathBuf::from("/d"));
        assert!(parsed.flag("json") && !parsed.flag("acks"));
        assert_eq!(parsed.unknown_option(&["data", "json"]), Some("size"));
        assert_eq!(parse("sync --data"), Err("data".to_owned()));
    }
}
