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

/// Makes of `INSERT … VALUES ($1, $2) …` one statement for any number of rows, which takes the
/// values column by column as arrays of `types`; `None` if it is no such statement.
pub(super) fn for_many(one: &Numbered, types: &[&str]) -> Option<String> {
    let (before, after) = one.sql.split_once("VALUES (")?;
    let (tuple, after) = after.split_once(')')?;
    let in_order = (1..=types.len()).map(|place| format!("${place}"));
    // A value that stands in two columns, or in another order, would be another column here.
    if !tuple.split(',').map(str::trim).eq(in_order) {
        return None;
    }
    let column = |(place, ty): (usize, &&str)| format!("${}::{ty}[]", place.saturating_add(1));
    let columns: Vec<String> = types.iter().enumerate().map(column).collect();
    Some(format!("{before}SELECT * FROM UNNEST({}){after}", columns.join(", ")))
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
    fn an_insert_takes_columns_of_any_length() {
        let one = number("INSERT INTO t (a, b) VALUES (:a, :b) ON CONFLICT (a) DO NOTHING");
        assert_eq!(
            for_many(&one, &["bytea", "int8"]).unwrap(),
            "INSERT INTO t (a, b) SELECT * FROM UNNEST($1::bytea[], $2::int8[]) \
             ON CONFLICT (a) DO NOTHING"
        );
        let twice = number("INSERT INTO t (a, b) VALUES (:a, :a)");
        assert!(for_many(&twice, &["bytea"]).is_none());
        assert!(for_many(&number("DELETE FROM t"), &[]).is_none());
    }
}
