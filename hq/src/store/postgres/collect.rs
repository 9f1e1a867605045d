//! Questions that are noted first and then asked all at once: one round trip instead of many.

use std::cell::RefCell;

use super::super::StoreError;
use super::super::tx::Connection;
use super::super::value::{Params, Row, Value};
use super::value::Owned;

/// A question with its named values.
pub(super) type Question = (&'static str, Vec<(&'static str, Owned)>);

/// Stands in for the connection while questions are noted: no question has an answer, and nothing
/// is written.
#[derive(Default)]
pub(super) struct Collector(RefCell<Vec<Question>>);

impl Collector {
    /// Returns what was noted, each question once.
    pub(super) fn take(&self) -> Vec<Question> {
        self.0.take()
    }
}

/// Whoever writes while only reading is allowed made a mistake; nothing comes of it.
fn refused<T>() -> Result<T, StoreError> {
    Err(StoreError::Commit("questions that go together do not write".into()))
}

impl Connection for Collector {
    fn begin_write(&self) -> Result<(), StoreError> {
        refused()
    }

    fn begin_read(&self) -> Result<(), StoreError> {
        refused()
    }

    fn commit(&self) -> Result<(), StoreError> {
        refused()
    }

    fn rollback(&self) -> Result<(), StoreError> {
        refused()
    }

    fn mark(&self) -> Result<(), StoreError> {
        refused()
    }

    fn keep(&self) -> Result<(), StoreError> {
        refused()
    }

    fn undo(&self) -> Result<(), StoreError> {
        refused()
    }

    fn settle(&self) -> Result<(), StoreError> {
        refused()
    }

    fn is_sound(&self) -> bool {
        false
    }

    fn room_for_bodies(&self, _end: u64) -> Result<bool, StoreError> {
        refused()
    }

    fn execute(&self, _sql: &'static str, _params: &Params<'_>) -> Result<u64, StoreError> {
        refused()
    }

    fn run(&self, _sql: &'static str, _params: &Params<'_>) -> Result<(), StoreError> {
        refused()
    }

    fn run_many(&self, _sql: &'static str, _rows: &[Vec<Value<'_>>]) -> Result<(), StoreError> {
        refused()
    }

    fn query(
        &self,
        sql: &'static str,
        params: &Params<'_>,
        _each: &mut dyn FnMut(&Row<'_>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let values = params.iter().map(|(name, value)| (*name, Owned::from(*value))).collect();
        let question = (sql, values);
        let mut noted = self.0.borrow_mut();
        if !noted.contains(&question) {
            noted.push(question);
        }
        Ok(())
    }
}
