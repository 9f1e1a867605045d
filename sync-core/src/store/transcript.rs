//! Transcripts and the signatures on their pages.

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use sync_model::id::{DocumentId, InspectionId, TranscriptId};
use sync_model::record::signature::{PageSigned, SignatureRefused, SignerRole};
use sync_model::record::transcript::{Strength, TranscriptPrepared};
use sync_model::time::Timestamp;

use super::sql::{Reader, content, named};
use crate::error::StoreError;

/// Where a transcript is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TranscriptState {
    /// Pages made, not read yet.
    Prepared,
    /// Read by or to the person.
    ReadBack,
    /// Finished; never changes again.
    Locked,
}

/// One transcript.
#[derive(Clone, Debug)]
pub struct TranscriptRow {
    /// Its newest revision.
    pub prepared: TranscriptPrepared,
    /// When that was made.
    pub prepared_at: Timestamp,
    /// Where it is.
    pub state: TranscriptState,
    /// Once locked.
    pub strength: Option<Strength>,
}

/// A signature or refusal on a revision of a document.
#[derive(Clone, Debug)]
pub enum SignatureRow {
    /// A page was signed.
    Signed(PageSigned),
    /// Somebody refused.
    Refused(SignatureRefused),
}

impl SignatureRow {
    /// Returns in which role.
    #[must_use]
    pub fn role(&self) -> SignerRole {
        match self {
            Self::Signed(signed) => signed.role,
            Self::Refused(refused) => refused.role,
        }
    }
}

impl TranscriptRow {
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        let strength: Option<String> = row.get("strength")?;
        Ok(Self {
            prepared: content(row, "content")?,
            prepared_at: Timestamp(row.get("prepared_at")?),
            state: named(row, "state")?,
            strength: strength.map(|_| named(row, "strength")).transpose()?,
        })
    }
}

impl Reader<'_> {
    /// Returns one transcript.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn transcript(&self, id: TranscriptId) -> Result<Option<TranscriptRow>, StoreError> {
        self.first(
            "SELECT content, prepared_at, state, strength FROM transcript
             WHERE transcript = :transcript",
            [id.as_bytes()],
            TranscriptRow::from_row,
        )
    }

    /// Returns a visit's transcripts in the order first made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn transcripts_of(
        &self,
        inspection: InspectionId,
    ) -> Result<Vec<TranscriptRow>, StoreError> {
        self.rows(
            "SELECT content, prepared_at, state, strength FROM transcript
             WHERE inspection = :inspection ORDER BY rowid",
            [inspection.as_bytes()],
            TranscriptRow::from_row,
        )
    }

    /// Returns the signatures and refusals on a revision of a document, page by page.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn signatures(
        &self,
        document: DocumentId,
        revision: u32,
    ) -> Result<Vec<SignatureRow>, StoreError> {
        self.rows(
            "SELECT refused, content FROM signature
             WHERE document = :document AND revision = :revision ORDER BY signed_at, page",
            (document.as_bytes(), revision),
            |row| {
                let refused: bool = row.get("refused")?;
                if refused {
                    content(row, "content").map(SignatureRow::Refused)
                } else {
                    content(row, "content").map(SignatureRow::Signed)
                }
            },
        )
    }
}
