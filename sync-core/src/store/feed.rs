//! Feed items from HQ: verified, stored as received, and put to use, with the cursor, in one
//! transaction.

use rusqlite::Connection;
use serde::Deserialize;
use serde::de::IgnoredAny;
use sync_model::canonical;
use sync_model::cose::{self, Context};
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::rulebook::Rulebook;
use sync_model::time::Timestamp;
use sync_model::wire::FEED_BYTES_MAX;
use sync_model::wire::feed::{
    Acceptance, CommandMessage, FeedBody, FeedItem, FeedPage, NumberLease, RulebookName,
};

use super::sql::{Reader, content, hash, set_meta, signed, to_content, unsigned};
use super::{Enrollment, Store, lock, officer};
use crate::error::StoreError;

/// What a page of the feed brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedBatch {
    /// Items put to use.
    pub items: u64,
    /// Assignments new or changed.
    pub assignments: u64,
    /// Rulebooks.
    pub rulebooks: u64,
    /// Records that HQ does not accept as they are.
    pub refusals: u64,
    /// Items of a later HQ that this program does not know; kept for a newer program.
    pub unknown: u64,
}

/// Kind under which an item of a later HQ is kept.
const UNKNOWN: &str = "unknown";
/// Rises whenever this program learns a new [`FeedBody`]: what was kept as unknown is looked at
/// again.
const VOCABULARY: &[u8] = &[3];

/// What every feed item says, whatever its body.
#[derive(Deserialize)]
struct Frame {
    index: u64,
    device: Option<DeviceId>,
    issued_at: Timestamp,
    #[serde(rename = "body")]
    _body: IgnoredAny,
}

impl Reader<'_> {
    /// Returns the index up to which the feed has been put to use.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn feed_cursor(&self) -> Result<u64, StoreError> {
        self.count("SELECT COALESCE(MAX(idx), 0) FROM feed", [])
    }

    /// Returns the newest rulebook.
    ///
    /// # Errors
    /// [`StoreError::BadStored`].
    pub fn rulebook(&self) -> Result<Option<Rulebook>, StoreError> {
        let sql = "SELECT content FROM rulebook ORDER BY version DESC LIMIT 1";
        self.first(sql, [], |row| content(row, "content"))
    }

    /// Returns the hash of the newest rulebook, which records pin.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn rulebook_hash(&self) -> Result<Option<Hash>, StoreError> {
        let sql = "SELECT hash FROM rulebook ORDER BY version DESC LIMIT 1";
        self.first(sql, [], |row| hash(row, "hash"))
    }

    /// Returns the canonical bytes of a rulebook as HQ issued it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn rulebook_bytes(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT content FROM rulebook WHERE hash = :hash";
        self.first(sql, [hash.0], |row| Ok(row.get("content")?))
    }

    /// Returns what HQ found about a record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn acceptance(&self, seq: u64) -> Result<Option<Acceptance>, StoreError> {
        let sql = "SELECT findings FROM acceptance WHERE seq = :seq";
        self.first(sql, [signed(seq)], |row| content(row, "findings"))
    }

    /// Returns what HQ did not accept as it is, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn refusals(&self) -> Result<Vec<Acceptance>, StoreError> {
        let sql = "SELECT findings FROM acceptance WHERE accepted = 0 ORDER BY seq DESC";
        self.rows(sql, [], |row| content(row, "findings"))
    }

    /// Returns the items of a later HQ that this program does not know: index and signed bytes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unknown_feed_items(&self) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.rows("SELECT idx, bytes FROM feed WHERE kind = :kind ORDER BY idx", [UNKNOWN], |row| {
            Ok((unsigned(row, "idx")?, row.get("bytes")?))
        })
    }

    /// Returns the messages from command, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn command_messages(&self) -> Result<Vec<CommandMessage>, StoreError> {
        self.rows("SELECT title, text FROM command_message ORDER BY idx DESC", [], |row| {
            Ok(CommandMessage { title: row.get("title")?, text: row.get("text")? })
        })
    }
}

impl Store {
    /// Puts a page of the feed to use that names no rulebook which is not here.
    ///
    /// # Errors
    /// As [`Store::take_feed_with`].
    pub fn take_feed(&self, page: &FeedPage) -> Result<FeedBatch, StoreError> {
        self.take_feed_with(page, &[])
    }

    /// Puts a page of the feed to use, with the rulebooks that its items name, as fetched.
    ///
    /// # Errors
    /// [`StoreError::Cose`] if an item is not signed by the trusted feed key;
    /// [`StoreError::BadStored`] if a named rulebook is missing or cannot be read. Nothing of the
    /// page is used then.
    pub fn take_feed_with(
        &self,
        page: &FeedPage,
        rulebooks: &[Vec<u8>],
    ) -> Result<FeedBatch, StoreError> {
        let mut connection = lock(&self.writer);
        let tx = connection.transaction()?;
        let enrollment = Reader::new(&tx).enrollment()?.ok_or(StoreError::NotEnrolled)?;
        let mut cursor = Reader::new(&tx).feed_cursor()?;
        let mut batch = FeedBatch::default();
        use_what_was_unknown(&tx, &enrollment, &mut batch)?;
        for bytes in &page.items {
            let payload = cose::verify(Context::Feed, bytes, &enrollment.trust.feed_key)?;
            let frame: Frame = canonical::from_bytes(&payload, FEED_BYTES_MAX)
                .map_err(|_| StoreError::BadStored("feed item"))?;
            let foreign =
                frame.device.is_some_and(|device| device != enrollment.certificate.device);
            if frame.index <= cursor || foreign {
                continue;
            }
            cursor = frame.index;
            // What a later HQ says and this program does not know is kept, and holds nothing up.
            let item: Option<FeedItem> = canonical::from_bytes(&payload, FEED_BYTES_MAX).ok();
            tx.prepare_cached(
                "INSERT INTO feed (idx, kind, issued_at, bytes)
                 VALUES (:idx, :kind, :issued_at, :bytes)",
            )?
            .execute((
                signed(frame.index),
                item.as_ref().map_or(UNKNOWN, |item| kind(&item.body)),
                frame.issued_at.0,
                bytes.as_slice(),
            ))?;
            if let Some(FeedBody::RulebookNamed(name)) = item.as_ref().map(|item| &item.body) {
                put_rulebook(&tx, name, rulebooks)?;
            }
            match &item {
                Some(item) => use_item(&tx, item, &enrollment, &mut batch)?,
                None => batch.unknown += 1,
            }
            batch.items += 1;
        }
        tx.commit()?;
        Ok(batch)
    }
}

/// Stores a fetched rulebook under the hash that HQ signed, byte for byte as HQ issued it.
fn put_rulebook(
    tx: &Connection,
    name: &RulebookName,
    rulebooks: &[Vec<u8>],
) -> Result<(), StoreError> {
    if Reader::new(tx).rulebook_bytes(&name.hash)?.is_some() {
        return Ok(());
    }
    let bytes = rulebooks.iter().find(|bytes| Hash::of(bytes) == name.hash);
    let bytes = bytes.ok_or(StoreError::BadStored("rulebook"))?;
    canonical::from_bytes::<Rulebook>(bytes, FEED_BYTES_MAX)
        .map_err(|_| StoreError::BadStored("rulebook"))?;
    tx.execute(
        "INSERT INTO rulebook (hash, version, content) VALUES (:hash, :version, :content)
         ON CONFLICT (hash) DO NOTHING",
        (name.hash.0, name.version, bytes),
    )?;
    Ok(())
}

/// Puts to use what an older program kept as unknown and this one knows; once per vocabulary.
fn use_what_was_unknown(
    tx: &Connection,
    enrollment: &Enrollment,
    batch: &mut FeedBatch,
) -> Result<(), StoreError> {
    let reader = Reader::new(tx);
    if reader.meta("feed_vocabulary")?.as_deref() == Some(VOCABULARY) {
        return Ok(());
    }
    for (index, bytes) in reader.unknown_feed_items()? {
        let payload = cose::verify(Context::Feed, &bytes, &enrollment.trust.feed_key)?;
        let item = canonical::from_bytes::<FeedItem>(&payload, FEED_BYTES_MAX).ok();
        if let Some(item) = item {
            tx.execute(
                "UPDATE feed SET kind = :kind WHERE idx = :idx",
                (kind(&item.body), signed(index)),
            )?;
            use_item(tx, &item, enrollment, batch)?;
        }
    }
    set_meta(tx, "feed_vocabulary", VOCABULARY)
}

fn kind(body: &FeedBody) -> &'static str {
    match body {
        FeedBody::Rulebook(_) => "rulebook",
        FeedBody::Assignment(_) => "assignment",
        FeedBody::NumberLease(_) => "number_lease",
        FeedBody::Credential(_) => "credential",
        FeedBody::Acceptance(_) => "acceptance",
        FeedBody::Command(_) => "command",
        FeedBody::RulebookNamed(_) => "rulebook_named",
        FeedBody::Partner(_) => "partner",
        FeedBody::Day(_) => "day",
        FeedBody::Order(_) => "order",
        FeedBody::Status(_) => "status",
    }
}

pub(super) fn use_item(
    tx: &Connection,
    item: &FeedItem,
    enrollment: &Enrollment,
    batch: &mut FeedBatch,
) -> Result<(), StoreError> {
    match &item.body {
        FeedBody::Rulebook(rulebook) => {
            batch.rulebooks += 1;
            let bytes = to_content(rulebook)?;
            tx.execute(
                "INSERT INTO rulebook (hash, version, content) VALUES (:hash, :version, :content)
                 ON CONFLICT (hash) DO NOTHING",
                (Hash::of(&bytes).0, rulebook.version, bytes),
            )?;
        }
        // Its bytes were put here with the item.
        FeedBody::RulebookNamed(_) => batch.rulebooks += 1,
        FeedBody::Assignment(assignment) => {
            batch.assignments += 1;
            tx.execute(
                "INSERT INTO assignment (assignment, revision, due_at, content)
                 VALUES (:assignment, :revision, :due_at, :content)
                 ON CONFLICT (assignment) DO UPDATE SET revision = excluded.revision,
                   due_at = excluded.due_at, content = excluded.content
                 WHERE excluded.revision > assignment.revision",
                (
                    assignment.assignment.as_bytes(),
                    assignment.revision,
                    assignment.due.0,
                    to_content(assignment)?,
                ),
            )?;
        }
        FeedBody::NumberLease(lease) => put_lease(tx, lease, enrollment)?,
        FeedBody::Credential(bytes) => {
            officer::put_credential(tx, bytes, &enrollment.trust.issuer_key)?;
        }
        FeedBody::Acceptance(acceptance) => {
            batch.refusals += u64::from(!acceptance.accepted);
            tx.execute(
                "INSERT INTO acceptance (seq, accepted, findings)
                 VALUES (:seq, :accepted, :findings)
                 ON CONFLICT (seq) DO UPDATE SET accepted = excluded.accepted,
                   findings = excluded.findings",
                (signed(acceptance.seq), acceptance.accepted, to_content(acceptance)?),
            )?;
        }
        FeedBody::Command(message) => {
            tx.execute(
                "INSERT INTO command_message (idx, title, text) VALUES (:idx, :title, :text)",
                (signed(item.index), &message.title, &message.text),
            )?;
        }
        FeedBody::Partner(told) => super::partner::put_told(tx, enrollment, told)?,
        FeedBody::Day(report) => {
            tx.execute(
                "INSERT INTO day_report (stated_on, content) VALUES (:on, :content)
                 ON CONFLICT (stated_on) DO UPDATE SET content = excluded.content",
                (report.on.to_string(), to_content(report)?),
            )?;
        }
        FeedBody::Order(order) => super::chain::obey(tx, order)?,
        FeedBody::Status(bytes) => super::status::put_list(tx, bytes, enrollment)?,
    }
    Ok(())
}

fn put_lease(
    tx: &Connection,
    lease: &NumberLease,
    enrollment: &Enrollment,
) -> Result<(), StoreError> {
    // Two devices that count from one block would print one number twice.
    if lease.device != enrollment.certificate.device {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO number_lease (lease, authority, word, year, first, last, next)
         VALUES (:lease, :authority, :word, :year, :first, :last, :first)
         ON CONFLICT (lease) DO NOTHING",
        (
            lease.lease.as_bytes(),
            &lease.authority,
            &lease.word,
            lease.year,
            signed(lease.first),
            signed(lease.last),
        ),
    )?;
    Ok(())
}
