//! The steps of the schema, in order, for every database. The version is the position in the list.

/// One step.
pub(super) struct Step {
    /// For SQLite.
    pub(super) sqlite: &'static str,
    /// For PostgreSQL, where the other text cannot be put into its words.
    pub(super) postgres: Option<&'static str>,
}

macro_rules! step {
    ($name:literal) => {
        Step { sqlite: include_str!(concat!("../../migrations/", $name)), postgres: None }
    };
    ($name:literal, own) => {
        Step {
            sqlite: include_str!(concat!("../../migrations/", $name)),
            postgres: Some(include_str!(concat!("../../migrations/postgres/", $name))),
        }
    };
}

/// Every step. New ones are added at the end; `own` says that `migrations/postgres` holds a text
/// for PostgreSQL. Without it the SQLite text is translated (`postgres/translate.rs` says what
/// that can do).
pub(super) const STEPS: &[Step] = &[
    step!("0001_init.sql"),
    step!("0002_add_one_time_codes.sql"),
    step!("0003_add_records_and_log.sql", own),
    step!("0004_add_blobs.sql", own),
    step!("0005_add_feed.sql"),
    step!("0006_add_acceptance.sql", own),
    step!("0007_order_activations.sql", own),
    step!("0008_add_identity.sql", own),
    step!("0009_add_objects.sql"),
    step!("0010_add_revocation_size.sql"),
    step!("0011_add_partners.sql"),
    step!("0012_add_status_list.sql"),
    step!("0013_add_certification.sql"),
    step!("0014_add_accounts.sql"),
];
