//! Queries stay fast after a year: none of them walks the whole journal, outbox or file list.

use super::world::{World, sql};

/// Every file of the store that holds SQL.
const SOURCES: &[(&str, &str)] = &[
    ("act.rs", include_str!("../act.rs")),
    ("assignment.rs", include_str!("../assignment.rs")),
    ("case.rs", include_str!("../case.rs")),
    ("device.rs", include_str!("../device.rs")),
    ("document.rs", include_str!("../document.rs")),
    ("draft.rs", include_str!("../draft.rs")),
    ("evidence.rs", include_str!("../evidence.rs")),
    ("feed.rs", include_str!("../feed.rs")),
    ("inspection.rs", include_str!("../inspection.rs")),
    ("journal.rs", include_str!("../journal.rs")),
    ("officer.rs", include_str!("../officer.rs")),
    ("outbox.rs", include_str!("../outbox.rs")),
    ("project.rs", include_str!("../project.rs")),
    ("retention.rs", include_str!("../retention.rs")),
    ("shift.rs", include_str!("../shift.rs")),
    ("sql.rs", include_str!("../sql.rs")),
    ("traffic.rs", include_str!("../traffic.rs")),
    ("transcript.rs", include_str!("../transcript.rs")),
];

/// Scans that are meant: counts that SQLite answers from an index, and one row from the end.
const MEANT: &[&str] = &[
    "SELECT COUNT(*) FROM receipt",
    "SELECT COUNT(*) FROM blob",
    "SELECT COALESCE(SUM(bytes), 0) FROM blob",
    "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1",
    "SELECT COUNT(*) FROM blob WHERE deleted_at IS NOT NULL",
    "SELECT COALESCE(SUM(bytes), 0) FROM blob WHERE deleted_at IS NOT NULL",
    // The newest few of the removed, from an index that holds nothing else.
    "SELECT sha256, bytes, seq, deleted_at FROM blob INDEXED BY blob_removed WHERE deleted_at IS NOT NULL ORDER BY seq DESC LIMIT :count",
    "UPDATE outbox SET status = 'pending', parked_reason = '' WHERE status = 'parked'",
    "UPDATE blob SET status = 'pending', parked_reason = '' WHERE status = 'parked'",
];

/// Returns the SQL literals in `source`, as they reach SQLite.
fn statements(source: &str) -> Vec<String> {
    let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE "];
    let mut found = Vec::new();
    for (index, piece) in source.split('"').enumerate() {
        // No literal of the store holds an escaped quote, so every second piece is a literal.
        let literal = piece.split_whitespace().collect::<Vec<_>>().join(" ");
        if index % 2 == 1 && verbs.iter().any(|verb| literal.starts_with(verb)) {
            found.extend(literal.split(';').map(|one| one.trim().to_owned()));
        }
    }
    found.retain(|statement| !statement.is_empty());
    found
}

#[test]
fn no_query_scans_journal_outbox_receipt_or_files() {
    let world = World::enrolled();
    world.visit(1);
    let mut seen = 0;
    for (file, source) in SOURCES {
        assert!(!source.contains("\\\""), "{file}: this test cannot read escaped quotes");
        for statement in statements(source) {
            seen += 1;
            let plan: Vec<String> = sql(world.store(), |c| {
                let mut explain = c.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
                let none = rusqlite::types::Null;
                let params = vec![none; explain.parameter_count()];
                let rows = explain
                    .query_map(rusqlite::params_from_iter(params), |row| row.get("detail"))
                    .unwrap();
                rows.map(Result::unwrap).collect()
            });
            let scans = plan.iter().any(|step| {
                ["journal", "outbox", "receipt", "blob"]
                    .iter()
                    .any(|table| step.split(" USING").next() == Some(&format!("SCAN {table}")))
            });
            assert!(
                !scans || MEANT.contains(&statement.as_str()),
                "{file}: {statement}\n{plan:#?}"
            );
        }
    }
    assert!(seen > 60, "only {seen} statements were found");
}
