//! A transaction as the verbs see it, and what a database must do for it.
//!
//! Verbs keep their SQL once, in words that every database here understands: values are named
//! (`:device`), counts and times are integers, a sum is cast (`CAST(SUM(x) AS BIGINT)`), `MAX` has
//! one argument, a subquery in `FROM` has a name, and no row has a number of its own.

use std::cell::{Cell, RefCell};

use super::log::Edge;
use super::value::{Params, Row};
use super::{StoreError, Value};

/// One connection with at most one transaction on it.
pub(super) trait Connection: Send {
    /// Begins a transaction that alone may write: what it reads stays so until it ends.
    fn begin_write(&self) -> Result<(), StoreError>;
    /// Begins reading one snapshot of what is committed.
    fn begin_read(&self) -> Result<(), StoreError>;
    /// Ends the transaction; everything is durable when this returns.
    fn commit(&self) -> Result<(), StoreError>;
    /// Ends the transaction and keeps nothing of it.
    fn rollback(&self) -> Result<(), StoreError>;
    /// Marks a place to which [`Connection::undo`] returns.
    fn mark(&self) -> Result<(), StoreError>;
    /// Drops the mark and keeps what came after it.
    fn keep(&self) -> Result<(), StoreError>;
    /// Drops the mark and what came after it.
    fn undo(&self) -> Result<(), StoreError>;
    /// Sends what [`Connection::run`] still holds back and waits until it is done.
    fn settle(&self) -> Result<(), StoreError>;
    /// Says whether the connection is there and free for the next transaction.
    fn is_sound(&self) -> bool;

    /// Makes room for the bodies of records below `end`, where they lie apart from what is looked
    /// up; says whether they do.
    fn room_for_bodies(&self, end: u64) -> Result<bool, StoreError>;

    /// Runs a statement and returns the number of changed rows.
    fn execute(&self, sql: &'static str, params: &Params<'_>) -> Result<u64, StoreError>;
    /// Runs a statement; it may be sent with the next question, which then fails in its stead.
    fn run(&self, sql: &'static str, params: &Params<'_>) -> Result<(), StoreError>;
    /// Runs one `INSERT … VALUES (…)` for every row, in order; may be sent later, as by `run`.
    fn run_many(&self, sql: &'static str, rows: &[Vec<Value<'_>>]) -> Result<(), StoreError>;
    /// Calls `each` with every row until it says stop.
    fn query(
        &self,
        sql: &'static str,
        params: &Params<'_>,
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError>;

    /// Returns what notes questions instead of asking them, where asking many at once pays.
    fn collector(&self) -> Option<&dyn Connection> {
        None
    }
    /// Asks everything that was noted, at once, and keeps the answers for whoever asks the same
    /// before something is written.
    fn ask_collected(&self) -> Result<(), StoreError> {
        Ok(())
    }
    /// Drops what was noted and every answer that nobody asked for.
    fn drop_collected(&self) {}
}

/// A transaction: the verbs are in the files of this folder, one file per noun.
///
/// The works of one group share it, and with it what only its writers change: the edge of the log
/// and the next index of the feed.
pub(crate) struct Tx<'c> {
    connection: &'c dyn Connection,
    pub(super) edge: RefCell<Option<Edge>>,
    pub(super) next_feed_index: Cell<Option<u64>>,
}

impl<'c> Tx<'c> {
    pub(super) fn new(connection: &'c dyn Connection) -> Self {
        Self { connection, edge: RefCell::new(None), next_feed_index: Cell::new(None) }
    }

    /// Forgets what it knows of the database, after something was undone.
    pub(super) fn forget(&self) {
        self.edge.take();
        self.next_feed_index.set(None);
    }

    /// Waits until every statement so far is done: after this, none of them can fail.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        self.connection.settle()
    }

    /// Makes room for the bodies of records below `end`; says whether they lie in a table of their
    /// own.
    pub(super) fn room_for_bodies(&self, end: u64) -> Result<bool, StoreError> {
        self.connection.room_for_bodies(end)
    }

    /// Returns what `read` returns, which only reads; where every question costs a round trip, the
    /// questions go out together. For that `read` runs once for nothing, with no row anywhere: what
    /// it asks only because of an earlier answer costs a round trip of its own, and so does all after an
    /// error, as [`Tx::one`] gives without a row.
    pub(crate) fn together<T, E: From<StoreError>>(
        &self,
        read: impl Fn(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let Some(collector) = self.connection.collector() else { return read(self) };
        // Without rows it may well fail; what it had asked until then is noted.
        drop(read(&Tx::new(collector)));
        self.connection.ask_collected()?;
        let outcome = read(self);
        self.connection.drop_collected();
        outcome
    }

    /// Runs a statement and returns the number of changed rows.
    pub(crate) fn execute(
        &self,
        sql: &'static str,
        params: &Params<'_>,
    ) -> Result<u64, StoreError> {
        self.connection.execute(sql, params)
    }

    /// Runs a statement whose count nobody needs; cheaper than [`Tx::execute`] over a network.
    pub(crate) fn run(&self, sql: &'static str, params: &Params<'_>) -> Result<(), StoreError> {
        self.connection.run(sql, params)
    }

    /// Runs an `INSERT … VALUES (:a, :b) …` once for every row; a row holds the values in the order
    /// in which the statement names them.
    pub(crate) fn run_many(
        &self,
        sql: &'static str,
        rows: &[Vec<Value<'_>>],
    ) -> Result<(), StoreError> {
        if rows.is_empty() { Ok(()) } else { self.connection.run_many(sql, rows) }
    }

    /// Returns the first row, or `None` if there is none.
    pub(crate) fn first<T>(
        &self,
        sql: &'static str,
        params: &Params<'_>,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let (mut read, mut found) = (Some(read), None);
        self.connection.query(sql, params, &mut |row| {
            found = read.take().map(|read| read(row)).transpose()?;
            Ok(false)
        })?;
        Ok(found)
    }

    /// Returns the only row of a statement that always has one, such as a count.
    pub(crate) fn one<T>(
        &self,
        sql: &'static str,
        params: &Params<'_>,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.first(sql, params, read)?.ok_or(StoreError::Damaged("row"))
    }

    /// Returns every row. The statement must bound how many there can be.
    pub(crate) fn rows<T>(
        &self,
        sql: &'static str,
        params: &Params<'_>,
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        self.connection.query(sql, params, &mut |row| {
            rows.push(read(row)?);
            Ok(true)
        })?;
        Ok(rows)
    }

    /// Says whether there is a row.
    pub(crate) fn exists(
        &self,
        sql: &'static str,
        params: &Params<'_>,
    ) -> Result<bool, StoreError> {
        Ok(self.first(sql, params, |_| Ok(()))?.is_some())
    }
}
