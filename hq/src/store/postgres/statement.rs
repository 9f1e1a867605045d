//! Puts the verbs' statements into PostgreSQL's words: named values become numbered ones.

/// A statement with `$1`, `$2` … and the names that stand for them, in order.
pub(super) struct Numbered {
    pub(super) sql: String,
    pub(super) names: Vec<String>,
}

/// Replaces every `:name`, the same name by the same number. Text in quotes and casts (`::`) stay.
pub(super) fn number(sql: &str) -> Numbered {
    let mut numbered = Numbered { sql: String::with_capacity(sql.len()), names: Vec::new() };
    let mut quoted = false;
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        quoted ^= c == '\'';
        if c == ':' && rest.next_if_eq(&':').is_some() {
            numbered.sql.push_str("::");
            continue;
        }
        let begins_name = |c: &char| c.is_ascii_lowercase();
        if c == ':' && !quoted && rest.peek().is_some_and(begins_name) {
            let mut name = String::from(c);
            while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                name.push(c);
            }
            let known = numbered.names.iter().position(|known| *known == name);
            let position = known.unwrap_or_else(|| {
                numbered.names.push(name);
                numbered.names.len().saturating_sub(1)
            });
            numbered.sql.push_str(&format!("${}", position.saturating_add(1)));
            continue;
        }
        numbered.sql.push(c);
    }
    numbered
}

/// Returns `INSERT … VALUES (:a, :b) …` for `rows` rows at once, or `None` if it is no such
/// statement. The values follow one another row by row.
pub(super) fn repeat(sql: &str, rows: usize) -> Option<String> {
    let (before, after) = sql.split_once("VALUES (")?;
    let (tuple, after) = after.split_once(')')?;
    let width = tuple.split(',').count();
    let mut repeated = format!("{before}VALUES ");
    for row in 0..rows {
        repeated.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=width {
            let comma = if column == 1 { "" } else { ", " };
            let place = row.saturating_mul(width).saturating_add(column);
            repeated.push_str(&format!("{comma}${place}"));
        }
        repeated.push(')');
    }
    repeated.push_str(after);
    Some(repeated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_is_one_number_and_quotes_and_casts_stay() {
        let one = number("SELECT ':a' FROM t WHERE a = :a AND b = :b_2 OR :a = c::text");
        assert_eq!(one.sql, "SELECT ':a' FROM t WHERE a = $1 AND b = $2 OR $1 = c::text");
        assert_eq!(one.names, [":a", ":b_2"]);
    }

    #[test]
    fn an_insert_is_repeated_row_by_row() {
        let sql = "INSERT INTO t (a, b) VALUES (:a, :b) ON CONFLICT (a) DO NOTHING";
        assert_eq!(
            repeat(sql, 2).unwrap(),
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT (a) DO NOTHING"
        );
        assert!(repeat("DELETE FROM t", 2).is_none());
    }
}
