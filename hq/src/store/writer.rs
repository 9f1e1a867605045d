//! The writer thread: waiting writes become one transaction and one fsync (group commit).
//!
//! Each write has its own savepoint: one that fails or panics is rolled back alone and the others
//! of its group stand. Nobody is answered before the commit of the group is on the disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use prometheus_client::metrics::histogram::Histogram;

use super::tx::Connection;
use super::{Connect, StoreError, Tx};

/// Most writes that share one transaction; bounds how long the first of them waits.
const GROUP_MAX: usize = 64;
/// Shortest and longest time between two tries to remake a lost connection.
const REMAKE_WAIT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

struct Job {
    /// Does the work; says whether it is to be kept.
    work: Work,
    done: Sender<Result<(), StoreError>>,
}

/// The thread that owns the connection that writes.
pub(super) struct Writer {
    jobs: Mutex<Option<Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread; it ends when the writer is dropped.
    pub(super) fn start(
        database: Arc<dyn Connect>,
        connection: Box<dyn Connection>,
        group_size: Histogram,
    ) -> Self {
        let (jobs, queue) = channel();
        let thread = std::thread::Builder::new()
            .name("hq-writer".into())
            .spawn(move || run(&mut Link::new(database, connection), &queue, &group_size))
            .ok();
        Self { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(thread) }
    }

    /// Queues `work` and waits until its group is committed.
    pub(super) fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (output, result) = channel();
        let (done, committed) = channel();
        let work = Box::new(move |tx: &Tx<'_>| {
            // A statement that fails only when it is sent must fail this work and no other.
            let outcome = work(tx).and_then(|value| tx.settle().map(|()| value).map_err(E::from));
            let kept = outcome.is_ok();
            output.send(outcome).is_ok() && kept
        });
        let sender = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sender = sender.ok_or(StoreError::Dropped)?;
        sender.send(Job { work, done }).map_err(|_| StoreError::Dropped)?;
        committed.recv().map_err(|_| StoreError::Dropped)??;
        // The work ran before the commit, or it panicked and left nothing here.
        result.try_recv().map_err(|_| StoreError::Dropped)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Waits until the connection is closed, so that the folder can be opened again at once.
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("writer thread panicked");
        }
    }
}

/// The connection that writes, remade when it was lost.
struct Link {
    database: Arc<dyn Connect>,
    connection: Option<Box<dyn Connection>>,
    wait: Duration,
    not_before: Option<Instant>,
}

impl Link {
    fn new(database: Arc<dyn Connect>, connection: Box<dyn Connection>) -> Self {
        Self { database, connection: Some(connection), wait: REMAKE_WAIT.0, not_before: None }
    }

    /// Returns a sound connection, or `Busy` while the database is away.
    fn connection(&mut self) -> Result<&dyn Connection, StoreError> {
        let connection = match self.connection.take().filter(|connection| connection.is_sound()) {
            Some(connection) => connection,
            None => self.remake()?,
        };
        Ok(&**self.connection.insert(connection))
    }

    fn remake(&mut self) -> Result<Box<dyn Connection>, StoreError> {
        if self.not_before.is_some_and(|at| Instant::now() < at) {
            return Err(StoreError::Busy);
        }
        match self.database.writer() {
            Ok(connection) => {
                tracing::info!("connection that writes was remade");
                (self.wait, self.not_before) = (REMAKE_WAIT.0, None);
                Ok(connection)
            }
            Err(error) => {
                tracing::warn!(%error, "database cannot be reached");
                self.not_before = Some(Instant::now() + self.wait);
                self.wait = self.wait.saturating_mul(2).min(REMAKE_WAIT.1);
                Err(StoreError::Busy)
            }
        }
    }
}

fn run(link: &mut Link, queue: &Receiver<Job>, group_size: &Histogram) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        while group.len() < GROUP_MAX
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        group_size.observe(f64::from(u32::try_from(group.len()).unwrap_or(u32::MAX)));
        let mut waiting = Vec::with_capacity(group.len());
        let mut works = Vec::with_capacity(group.len());
        for job in group {
            waiting.push(job.done);
            works.push(job.work);
        }
        let outcome = link.connection().and_then(|connection| commit(connection, works));
        for done in waiting {
            let answer = match &outcome {
                Ok(()) => Ok(()),
                Err(StoreError::Full) => Err(StoreError::Full),
                Err(StoreError::Busy) => Err(StoreError::Busy),
                Err(error) => Err(StoreError::Commit(error.to_string())),
            };
            // A caller that went away does not want the answer.
            done.send(answer).ok();
        }
    }
}

type Work = Box<dyn FnOnce(&Tx<'_>) -> bool + Send>;

fn commit(connection: &dyn Connection, works: Vec<Work>) -> Result<(), StoreError> {
    let committed = connection.begin_write().and_then(|()| {
        let kept = work_all(connection, works)?;
        // If the power fails here, nothing of the group is stored and nobody was answered.
        if kept { connection.commit() } else { connection.rollback() }
    });
    if committed.is_err()
        && let Err(error) = connection.rollback()
    {
        // The connection is not sound now and will be remade.
        tracing::debug!(%error, "rollback");
    }
    committed
}

/// Runs every work, each alone; says whether there is anything to commit.
fn work_all(connection: &dyn Connection, works: Vec<Work>) -> Result<bool, StoreError> {
    let single = works.len() == 1;
    let mut any = false;
    let tx = Tx::new(connection);
    for work in works {
        // A work that has the transaction for itself needs no mark to go back to.
        if !single {
            connection.mark()?;
        }
        let kept = catch_unwind(AssertUnwindSafe(|| work(&tx))).unwrap_or_else(|_| {
            tracing::error!("a write panicked and was rolled back");
            false
        });
        match (kept, single) {
            (true, false) => connection.keep()?,
            (false, false) => connection.undo()?,
            (_, true) => {}
        }
        if !kept {
            tx.forget();
        }
        any |= kept;
    }
    Ok(any)
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::super::postgres::scratch::Scratch;
    use super::*;
    use sync_model::hash::Hash;
    use sync_model::time::Timestamp;

    fn keep(tx: &Tx<'_>, byte: u8) -> Result<(), StoreError> {
        let hash = Hash::of(&[byte]);
        tx.insert_rulebook(&hash, u32::from(byte), &[byte], Timestamp(0))
    }

    fn each_write_stands_or_falls_alone(store: &Store) {
        std::thread::scope(|scope| {
            for byte in 0..40_u8 {
                scope.spawn(move || {
                    let kept = store.write(move |tx| {
                        keep(tx, byte)?;
                        match byte % 4 {
                            0 => Ok(byte),
                            1 => Err(StoreError::Damaged("test")),
                            // The database itself refuses the second one of its name.
                            2 => keep(tx, byte).map(|()| byte),
                            _ => panic!("a broken record"),
                        }
                    });
                    assert_eq!(kept.ok(), (byte % 4 == 0).then_some(byte));
                });
            }
        });
        for byte in 0..40_u8 {
            let hash = Hash::of(&[byte]);
            let kept = store.read(|tx| tx.rulebook(&hash)).unwrap();
            assert_eq!(kept.is_some(), byte % 4 == 0, "{byte}");
        }
    }

    #[test]
    fn a_write_that_fails_or_panics_takes_nothing_else_with_it() {
        let folder = tempfile::tempdir().unwrap();
        each_write_stands_or_falls_alone(&Store::open(folder.path()).unwrap());
    }

    #[test]
    fn on_postgresql_too_a_write_that_fails_or_panics_takes_nothing_else_with_it() {
        let Some(scratch) = Scratch::make("writer") else { return };
        each_write_stands_or_falls_alone(&scratch.store());
    }
}
