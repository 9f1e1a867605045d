//! What only PostgreSQL can do: several processes on one log, servers that go away, roles.

mod away;
mod processes;
mod roles;

use std::process::Command;

use crate::support::postgres::{STORE, Schema, is_chosen, server};

/// Makes a schema for a test that needs PostgreSQL whatever this run's store is. The run over both
/// stores comes here twice and works once.
fn schema() -> Option<Schema> {
    if is_chosen() { None } else { Schema::make() }
}

#[test]
fn every_test_of_this_program_passes_on_postgresql_too() {
    if is_chosen() || server().is_none() {
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .env(STORE, "postgres")
        .args(["--test-threads", "4"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.lines().find(|line| line.starts_with("test result"));
    println!("on PostgreSQL: {}", summary.unwrap_or("no result"));
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
}
