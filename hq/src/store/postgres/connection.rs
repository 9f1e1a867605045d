//! A connection to PostgreSQL: its own single-threaded runtime, statements prepared once, writes
//! sent together with the next question.
//!
//! A round trip costs more than most statements, so a write whose count nobody needs waits in a
//! queue. Everything queued goes out before the next question, in order and in one go; the first
//! error is the answer. After an error nothing is done until the transaction, or the part of it
//! since the mark, is rolled back.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;
use tokio::runtime::Runtime;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement};

use super::super::StoreError;
use super::super::tx;
use super::super::value::{Params, Row, Value, params};
use super::collect::Collector;
use super::statement;
use super::value::Owned;

/// How long an answer may take; longer than the server's own limits, so that those speak first.
const ANSWER_WAIT: Duration = Duration::from_secs(20);
/// Idle time after which a connection is asked whether it is still there.
const IDLE_TRUSTED: Duration = Duration::from_millis(500);
/// Turns that the socket gets before a connection is taken to be there.
const LOOKS: usize = 3;
/// Most rows that are inserted by one statement.
const ROWS_AT_ONCE: usize = 2_000;

/// A prepared statement with the names of its values.
struct Prepared {
    statement: Statement,
    names: Vec<String>,
}

enum Queued {
    Plain(&'static str),
    Bound(Statement, Vec<Owned>),
    /// Every column of many rows.
    Rows(Statement, Vec<Vec<Owned>>),
}

/// A question as it was asked: the statement and its values in order.
type Asked = (&'static str, Vec<Owned>);

/// An open connection.
pub(super) struct PostgresConnection {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    /// For one row, or for any number of rows.
    prepared: RefCell<HashMap<(&'static str, bool), Arc<Prepared>>>,
    collector: Collector,
    /// Answers that came before their question; true until something is written.
    foreseen: RefCell<HashMap<Asked, Vec<tokio_postgres::Row>>>,
    queue: RefCell<Vec<Queued>>,
    /// Where in the queue the mark is; `None` once it was sent.
    mark: Cell<Option<usize>>,
    in_transaction: Cell<bool>,
    /// It only reads: how it ends matters to nobody.
    reading: Cell<bool>,
    /// A statement failed and nothing was rolled back since.
    failed: Cell<bool>,
    /// An answer did not come in time; what is on the way is not known.
    lost: Cell<bool>,
    used_at: Cell<Instant>,
    /// Records in a partition.
    partition_records: u64,
    /// Up to where there are partitions, and up to where this transaction made some.
    partitions_end: Cell<u64>,
    partitions_made: Cell<u64>,
}

type Answer<'f> = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + 'f>>;

impl PostgresConnection {
    pub(super) fn new(runtime: Runtime, client: Client, partition_records: u64) -> Self {
        Self {
            runtime: Some(runtime),
            client,
            prepared: RefCell::default(),
            collector: Collector::default(),
            foreseen: RefCell::default(),
            queue: RefCell::default(),
            mark: Cell::new(None),
            in_transaction: Cell::new(false),
            reading: Cell::new(false),
            failed: Cell::new(false),
            lost: Cell::new(false),
            used_at: Cell::new(Instant::now()),
            partition_records,
            partitions_end: Cell::new(0),
            partitions_made: Cell::new(0),
        }
    }

    /// Waits for `work`, no longer than an answer may take.
    fn wait<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        if self.lost.get() {
            return Err(StoreError::Busy);
        }
        if self.failed.get() {
            return Err(StoreError::Commit("a statement of it failed".into()));
        }
        let runtime = self.runtime.as_ref().ok_or(StoreError::Dropped)?;
        let answer = runtime.block_on(async { tokio::time::timeout(ANSWER_WAIT, work).await });
        self.used_at.set(Instant::now());
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                self.failed.set(true);
                Err(error.into())
            }
            Err(_) => {
                tracing::warn!("PostgreSQL gave no answer in time");
                self.lost.set(true);
                Err(StoreError::Busy)
            }
        }
    }

    /// Returns the statement, prepared now if it is used for the first time.
    fn prepared(&self, sql: &'static str, many: bool) -> Result<Arc<Prepared>, StoreError> {
        if let Some(known) = self.prepared.borrow().get(&(sql, many)) {
            return Ok(Arc::clone(known));
        }
        let mut numbered = statement::number(sql);
        let mut statement = self.wait(self.client.prepare(&numbered.sql))?;
        if many {
            // The statement for one row says which types its columns have.
            let types: Vec<&str> = statement.params().iter().map(Type::name).collect();
            let sql = statement::for_many(&numbered, &types);
            numbered.sql = sql.ok_or(StoreError::Damaged("statement"))?;
            statement = self.wait(self.client.prepare(&numbered.sql))?;
        }
        let prepared = Arc::new(Prepared { statement, names: numbered.names });
        self.prepared.borrow_mut().insert((sql, many), Arc::clone(&prepared));
        Ok(prepared)
    }

    fn bound(
        &self,
        sql: &'static str,
        params: &Params<'_>,
    ) -> Result<(Statement, Vec<Owned>), StoreError> {
        let prepared = self.prepared(sql, false)?;
        let value = |name: &String| {
            let found = params.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| Owned::from(*value)).ok_or(StoreError::Damaged("statement"))
        };
        let values = prepared.names.iter().map(value).collect::<Result<_, _>>()?;
        Ok((prepared.statement.clone(), values))
    }

    /// Runs statements that are not a verb's, such as a step of the schema.
    pub(super) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.failed.set(false);
        self.wait(self.client.batch_execute(sql))
    }

    /// Returns the number or text that a question gives, or `None` without a row.
    pub(super) fn ask<T>(&self, sql: &str) -> Result<Option<T>, StoreError>
    where
        T: for<'r> tokio_postgres::types::FromSql<'r>,
    {
        self.failed.set(false);
        let row = self.wait(self.client.query_opt(sql, &[]))?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    fn push(&self, queued: Queued) {
        // What was true before it may not be true after it.
        self.foreseen.borrow_mut().clear();
        self.queue.borrow_mut().push(queued);
    }

    /// Sends what is queued and then `last`, all before waiting for the first answer.
    fn flush<T>(
        &self,
        last: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        let queue = self.queue.take();
        self.mark.set(None);
        self.wait(async {
            let mut answers: Vec<Answer<'_>> =
                queue.into_iter().map(|queued| self.answer(queued)).collect();
            let mut last = Box::pin(last);
            let (mut first, mut early) = (Vec::with_capacity(answers.len()), None);
            // The first poll sends.
            poll_fn(|context| {
                for answer in &mut answers {
                    first.push(answer.as_mut().poll(context));
                }
                early = Some(last.as_mut().poll(context));
                Poll::Ready(())
            })
            .await;
            let mut outcome = Ok(());
            for (answer, first) in answers.into_iter().zip(first) {
                let result = match first {
                    Poll::Ready(result) => result,
                    Poll::Pending => answer.await,
                };
                // What fails after the first error fails because of it.
                outcome = outcome.and(result);
            }
            let last = match early {
                Some(Poll::Ready(result)) => result,
                _ => last.await,
            };
            outcome.and(last)
        })
    }

    fn answer(&self, queued: Queued) -> Answer<'_> {
        match queued {
            Queued::Plain(sql) => Box::pin(self.client.batch_execute(sql)),
            Queued::Bound(statement, values) => {
                Box::pin(async move { self.client.execute_raw(&statement, values).await.map(drop) })
            }
            Queued::Rows(statement, columns) => {
                Box::pin(
                    async move { self.client.execute_raw(&statement, columns).await.map(drop) },
                )
            }
        }
    }

    fn plain(&self, sql: &'static str) -> Result<(), StoreError> {
        self.flush(self.client.batch_execute(sql))
    }

    /// Ends a transaction that wrote nothing, without waiting for the answer.
    fn end_reading(&self) {
        let begun = self.queue.take().is_empty();
        self.in_transaction.set(false);
        let Some(runtime) = self.runtime.as_ref().filter(|_| begun) else { return };
        runtime.block_on(async {
            let mut end = Box::pin(self.client.batch_execute("COMMIT"));
            // The first poll sends; what comes back is read before the next question's answer.
            poll_fn(|context| {
                drop(end.as_mut().poll(context));
                Poll::Ready(())
            })
            .await;
            for _ in 0..LOOKS {
                tokio::task::yield_now().await;
            }
        });
    }

    fn begin(&self, sql: &'static str, reading: bool) -> Result<(), StoreError> {
        self.queue.borrow_mut().clear();
        self.reading.set(reading);
        self.failed.set(false);
        self.in_transaction.set(true);
        self.push(Queued::Plain(sql));
        Ok(())
    }
}

impl tx::Connection for PostgresConnection {
    fn begin_write(&self) -> Result<(), StoreError> {
        // The lock comes before anything is read: with any number of processes, whoever holds it
        // sees every place in the log that was given away, and gives away the next one. It ends
        // with the transaction, also when the process dies.
        self.begin(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
             SELECT pg_advisory_xact_lock(hashtext('xunzheng-hq log'), hashtext(current_schema()))",
            false,
        )
    }

    fn begin_read(&self) -> Result<(), StoreError> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", true)
    }

    fn commit(&self) -> Result<(), StoreError> {
        if self.failed.get() {
            return Err(StoreError::Commit("a statement of it failed".into()));
        }
        if self.reading.get() {
            self.end_reading();
            return Ok(());
        }
        self.plain("COMMIT")?;
        self.in_transaction.set(false);
        self.partitions_end.set(self.partitions_end.get().max(self.partitions_made.take()));
        Ok(())
    }

    fn rollback(&self) -> Result<(), StoreError> {
        if !self.in_transaction.get() {
            return Ok(());
        }
        self.queue.borrow_mut().clear();
        self.failed.set(false);
        self.partitions_made.set(0);
        self.plain("ROLLBACK")?;
        self.in_transaction.set(false);
        Ok(())
    }

    fn mark(&self) -> Result<(), StoreError> {
        let place = self.queue.borrow().len();
        self.push(Queued::Plain("SAVEPOINT one_write"));
        self.mark.set(Some(place));
        Ok(())
    }

    fn keep(&self) -> Result<(), StoreError> {
        self.push(Queued::Plain("RELEASE SAVEPOINT one_write"));
        Ok(())
    }

    fn undo(&self) -> Result<(), StoreError> {
        if let Some(place) = self.mark.take()
            && !self.failed.get()
        {
            // Nothing since the mark was sent.
            self.queue.borrow_mut().truncate(place);
            return Ok(());
        }
        self.queue.borrow_mut().clear();
        self.failed.set(false);
        self.partitions_made.set(0);
        self.plain("ROLLBACK TO SAVEPOINT one_write; RELEASE SAVEPOINT one_write")
    }

    fn settle(&self) -> Result<(), StoreError> {
        if self.failed.get() {
            return Err(StoreError::Commit("a statement of it failed".into()));
        }
        if self.queue.borrow().is_empty() {
            return Ok(());
        }
        self.flush(std::future::ready(Ok(())))
    }

    fn is_sound(&self) -> bool {
        if self.lost.get() || self.in_transaction.get() {
            return false;
        }
        // Nothing looks at the socket between two uses: what the server said meanwhile is read now.
        if let Some(runtime) = &self.runtime {
            runtime.block_on(async {
                for _ in 0..LOOKS {
                    tokio::task::yield_now().await;
                }
            });
        }
        if self.client.is_closed() {
            return false;
        }
        if self.used_at.get().elapsed() < IDLE_TRUSTED {
            return true;
        }
        self.failed.set(false);
        self.wait(self.client.check_connection()).is_ok()
    }

    fn room_for_bodies(&self, end: u64) -> Result<bool, StoreError> {
        if end > self.partitions_end.get().max(self.partitions_made.get()) {
            // One partition ahead, so that the next push finds it.
            let wanted = end.saturating_add(self.partition_records);
            self.query(
                "SELECT make_record_partitions(:wanted, :size) AS last",
                &params! { ":wanted": wanted, ":size": self.partition_records },
                &mut |row| {
                    // What is rolled back is made again.
                    self.partitions_made.set(row.get("last")?);
                    Ok(false)
                },
            )?;
        }
        Ok(true)
    }

    fn execute(&self, sql: &'static str, params: &Params<'_>) -> Result<u64, StoreError> {
        let (statement, values) = self.bound(sql, params)?;
        self.foreseen.borrow_mut().clear();
        self.flush(self.client.execute_raw(&statement, values))
    }

    fn run(&self, sql: &'static str, params: &Params<'_>) -> Result<(), StoreError> {
        let (statement, values) = self.bound(sql, params)?;
        self.push(Queued::Bound(statement, values));
        Ok(())
    }

    fn run_many(&self, sql: &'static str, rows: &[Vec<Value<'_>>]) -> Result<(), StoreError> {
        let prepared = self.prepared(sql, true)?;
        for rows in rows.chunks(ROWS_AT_ONCE) {
            let mut columns = vec![Vec::with_capacity(rows.len()); prepared.names.len()];
            for row in rows {
                for (column, value) in columns.iter_mut().zip(row) {
                    column.push(Owned::from(*value));
                }
            }
            self.push(Queued::Rows(prepared.statement.clone(), columns));
        }
        Ok(())
    }

    fn query(
        &self,
        sql: &'static str,
        params: &Params<'_>,
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let (statement, values) = self.bound(sql, params)?;
        let asked = (sql, values);
        let foreseen = self.foreseen.borrow_mut().remove(&asked);
        let rows: Vec<tokio_postgres::Row> = match foreseen {
            Some(rows) => rows,
            None => self.flush(async {
                self.client.query_raw(&statement, asked.1).await?.try_collect().await
            })?,
        };
        for row in &rows {
            if !each(&Row::new(row))? {
                break;
            }
        }
        Ok(())
    }

    fn collector(&self) -> Option<&dyn tx::Connection> {
        Some(&self.collector)
    }

    fn ask_collected(&self) -> Result<(), StoreError> {
        let mut asked: Vec<(Statement, Asked)> = Vec::new();
        for (sql, params) in self.collector.take() {
            let params: Vec<(&'static str, Value<'_>)> =
                params.iter().map(|(name, value)| (*name, Value::from(value))).collect();
            let (statement, values) = self.bound(sql, &params)?;
            asked.push((statement, (sql, values)));
        }
        let answers = asked.into_iter().map(|(statement, asked)| async move {
            let rows = self.client.query_raw(&statement, asked.1.clone()).await?;
            Ok((asked, rows.try_collect().await?))
        });
        // Polled in order, so that all are sent before the first answer is waited for.
        let answers: Vec<(Asked, Vec<tokio_postgres::Row>)> = self.flush(try_join_all(answers))?;
        self.foreseen.borrow_mut().extend(answers);
        Ok(())
    }

    fn drop_collected(&self) {
        self.collector.take();
        self.foreseen.borrow_mut().clear();
    }
}

impl Drop for PostgresConnection {
    fn drop(&mut self) {
        // The default would wait, which is forbidden where the last handle of an HQ is dropped by
        // a thread of its server. Closing the socket rolls back what is open.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
