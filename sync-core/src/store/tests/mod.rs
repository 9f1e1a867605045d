//! Tests of the store. They reach past its door with raw SQL only to do damage and to compare.

mod acts;
mod chain;
mod clock;
mod crash;
mod drafts;
mod feed;
mod full_disk;
mod migration;
mod opening;
mod pin;
mod plain;
mod queries;
mod rebuild;
mod slots;
pub(crate) mod world;
