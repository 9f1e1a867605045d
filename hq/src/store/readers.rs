//! A bounded number of connections that read, kept open between uses.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::tx::{Connection, Tx};
use super::{Connect, StoreError};

/// Connections that read at once; more readers wait in line.
const READERS_MAX: usize = 8;
/// How long a reader waits for a connection.
const WAIT: Duration = Duration::from_secs(10);

/// The connections.
pub(super) struct Readers {
    database: Arc<dyn Connect>,
    state: Mutex<State>,
    returned: Condvar,
}

struct State {
    idle: Vec<Box<dyn Connection>>,
    /// Connections in use or idle.
    open: usize,
}

/// A connection in use; it goes back, or its place does, whatever happens.
struct Lent<'r> {
    readers: &'r Readers,
    connection: Option<Box<dyn Connection>>,
}

impl Readers {
    pub(super) fn new(database: Arc<dyn Connect>) -> Self {
        let state = Mutex::new(State { idle: Vec::new(), open: 0 });
        Self { database, state, returned: Condvar::new() }
    }

    /// Runs `work` on one snapshot of what is committed.
    pub(super) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut lent = self.lend()?;
        // One that was ended while it was idle is replaced.
        let connection = match lent.connection.take().filter(|idle| idle.is_sound()) {
            Some(connection) => connection,
            None => self.database.reader()?,
        };
        let connection = &**lent.connection.insert(connection);
        connection.begin_read()?;
        let result = work(&Tx::new(connection))?;
        connection.commit()?;
        Ok(result)
    }

    /// Returns an idle connection, or the right to open one.
    fn lend(&self) -> Result<Lent<'_>, StoreError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let none_free = |state: &mut State| state.idle.is_empty() && state.open >= READERS_MAX;
        let waited = self.returned.wait_timeout_while(state, WAIT, none_free);
        let (mut state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(StoreError::Busy);
        }
        let connection = state.idle.pop();
        if connection.is_none() {
            state.open = state.open.saturating_add(1);
        }
        Ok(Lent { readers: self, connection })
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        // Work that failed or panicked left its transaction open.
        let sound = self.connection.take().filter(|connection| {
            connection.is_sound() || (connection.rollback().is_ok() && connection.is_sound())
        });
        let mut state = self.readers.state.lock().unwrap_or_else(PoisonError::into_inner);
        match sound {
            Some(connection) => state.idle.push(connection),
            None => state.open = state.open.saturating_sub(1),
        }
        drop(state);
        self.readers.returned.notify_one();
    }
}
