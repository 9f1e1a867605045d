//! What an error of PostgreSQL means for the caller.

use tokio_postgres::error::SqlState;

use super::super::StoreError;

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let passes = match error.code() {
            Some(code) if *code == SqlState::DISK_FULL => return Self::Full,
            Some(code) => passes(code),
            // No answer of the server at all: the connection broke or could not be made.
            None => error.is_closed() || is_io(&error),
        };
        if passes {
            tracing::warn!(%error, detail = ?error.code(), "PostgreSQL is away for a moment");
            return Self::Busy;
        }
        Self::Database(Box::new(error))
    }
}

/// Says whether the same may succeed a moment later.
fn passes(code: &SqlState) -> bool {
    // Class 08 is the connection, 40 a rollback by the server, 53 its resources, 57 its operator.
    ["08", "40", "53", "57"].iter().any(|class| code.code().starts_with(class))
        || *code == SqlState::LOCK_NOT_AVAILABLE
        || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        // A stand-by that does not write yet.
        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if inner.is::<std::io::Error>() || inner.is::<tokio::time::error::Elapsed>() {
            return true;
        }
        source = inner.source();
    }
    false
}
