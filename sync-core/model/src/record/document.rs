//! Acts around documents (文书) and their numbers (文号).

use serde::{Deserialize, Serialize};

use crate::id::{CaseId, DocumentId, LeaseId};
use crate::record::signature::{Ink, Witness};

/// A number was taken from a lease before the document was made, so that a crash cannot use it
/// twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberReserved {
    /// The lease.
    pub lease: LeaseId,
    /// The number within its year.
    pub number: u64,
    /// As printed.
    pub document_number: String,
    /// The document it is for.
    pub document: DocumentId,
    /// The case.
    pub case: CaseId,
}

/// A taken number stays, with the reason why it is not used (`domain` R-25).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberVoided {
    /// The lease.
    pub lease: LeaseId,
    /// The number within its year.
    pub number: u64,
    /// As printed.
    pub document_number: String,
    /// Why.
    pub reason: String,
}

/// How a document reached its recipient (送达方式).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryWay {
    /// 直接送达, with the recipient's signature.
    InPerson {
        /// The recipient's signature.
        ink: Ink,
    },
    /// 拒绝签收, noted on the document.
    RefusedReceipt {
        /// The stated reason.
        reason: String,
        /// Who saw it.
        witness: Option<Witness>,
    },
}

/// A document was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentDelivered {
    /// The document.
    pub document: DocumentId,
    /// Who received it.
    pub recipient: String,
    /// How.
    pub way: DeliveryWay,
    /// Where.
    pub place: String,
}
