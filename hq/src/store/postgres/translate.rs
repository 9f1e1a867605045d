//! Puts a step of the schema into PostgreSQL's words.
//!
//! What it knows: `BLOB`, `INTEGER`, `AUTOINCREMENT`, `STRICT`, `WITHOUT ROWID`, and triggers that
//! refuse a change. Whatever else a step needs has a text of its own in `migrations/postgres`.

/// What a refusing trigger does in SQLite, up to its message.
const REFUSAL: &str = "BEGIN SELECT RAISE(ABORT, ";

/// Returns the step as PostgreSQL understands it.
pub(super) fn translate(step: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in step.lines() {
        let code = !line.trim_start().starts_with("--");
        if code && line.trim_start().starts_with(REFUSAL) {
            lines.push("FOR EACH ROW EXECUTE FUNCTION refuse_change();".to_owned());
        } else if code {
            lines.push(words(line));
        }
    }
    lines.join("\n")
}

fn words(line: &str) -> String {
    let line = line
        .replace(") STRICT, WITHOUT ROWID;", ");")
        .replace(") WITHOUT ROWID, STRICT;", ");")
        .replace(") WITHOUT ROWID;", ");")
        .replace(") STRICT;", ");")
        .replace(" AUTOINCREMENT", "");
    let mut translated = String::with_capacity(line.len());
    for word in line.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        let end = word.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let after = word.strip_prefix(end).unwrap_or_default();
        translated.push_str(match end {
            "BLOB" => "BYTEA",
            "INTEGER" => "BIGINT",
            other => other,
        });
        translated.push_str(after);
    }
    translated
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn tables_and_refusing_triggers_are_put_into_other_words() {
        let step = "-- A comment.\n\
            CREATE TABLE blob_x (\n    a INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,\n    b BLOB\n\
            ) STRICT, WITHOUT ROWID;\n\
            CREATE TRIGGER t BEFORE UPDATE ON blob_x\nBEGIN SELECT RAISE(ABORT, 'no'); END;";
        assert_eq!(
            translate(step),
            "CREATE TABLE blob_x (\n    a BIGINT NOT NULL PRIMARY KEY,\n    b BYTEA\n);\n\
             CREATE TRIGGER t BEFORE UPDATE ON blob_x\n\
             FOR EACH ROW EXECUTE FUNCTION refuse_change();"
        );
    }
}
