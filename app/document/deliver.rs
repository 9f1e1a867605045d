//! 送达: handing a document over, or noting that its receipt was refused.

use sync_model::id::DocumentId;
use sync_model::record::Record;
use sync_model::record::document::{DeliveryWay, DocumentDelivered};
use sync_model::record::signature::Ink;

use super::store::load_pages;
use crate::error::{AppError, Input, Step};
use crate::services::Services;

/// How a document is handed over.
#[derive(Clone, Debug)]
pub struct DeliverInput {
    /// Who receives it.
    pub recipient: String,
    /// Signed or refused.
    pub way: DeliveryWay,
    /// Where.
    pub place: String,
}

/// Records that a document was handed over. Once; a second hand-over is refused.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Order`], [`AppError::Input`].
// 《行政处罚法》第五十二条: 当场交付当事人; 当事人拒绝签收的，应当在行政处罚决定书上注明.
pub fn deliver(
    services: &Services,
    document: DocumentId,
    input: &DeliverInput,
) -> Result<Record, AppError> {
    let recipient = input.recipient.trim().to_owned();
    if recipient.is_empty() {
        return Err(AppError::Input(Input::Empty("收件人")));
    }
    let row = services.store.read(|r| r.document(document))?;
    let row = row.ok_or(AppError::NotFound("document"))?;
    match &input.way {
        DeliveryWay::InPerson { ink } => check_receipt_ink(services, &row.text, ink)?,
        DeliveryWay::RefusedReceipt { reason, .. } if reason.trim().is_empty() => {
            return Err(AppError::Input(Input::Empty("拒收理由")));
        }
        DeliveryWay::RefusedReceipt { .. } => {}
    }
    let scope = services.scope_of_officers(row.inspection, row.case)?;
    services.store.act(&scope, |reader, _| {
        let now = reader.document(document)?.ok_or(AppError::NotFound("document"))?;
        if now.delivery.is_some() {
            return Err(AppError::Order(Step::Locked));
        }
        let body = DocumentDelivered {
            document,
            recipient: recipient.clone(),
            way: input.way.clone(),
            place: input.place.trim().to_owned(),
        };
        Ok(body.into())
    })
}

/// A receipt is signed on the document's last page.
fn check_receipt_ink(
    services: &Services,
    text: &sync_model::hash::Hash,
    ink: &Ink,
) -> Result<(), AppError> {
    let pages = load_pages(services.store.blobs(), text)?;
    let last = pages.last().ok_or(AppError::NotFound("document text"))?;
    if ink.page != sync_model::hash::Hash::of(last.as_bytes()) {
        return Err(AppError::Input(Input::SignatureElsewhere));
    }
    if ink.point_count() < Ink::POINTS_MIN {
        return Err(AppError::Input(Input::SignatureTooShort));
    }
    Ok(())
}

/// Returns the text to print: the pages as signed, with the short hash and what became of receipt.
///
/// # Errors
/// [`AppError::Store`] if the text is missing or changed.
// Both copies come from one hash (`domain` R-81), so the printed one can be held against the filed.
pub fn printable(services: &Services, document: DocumentId) -> Result<String, AppError> {
    let row = services.store.read(|r| r.document(document))?;
    let row = row.ok_or(AppError::NotFound("document"))?;
    let mut text = load_pages(services.store.blobs(), &row.text)?.join("\n\n");
    text.push_str(&format!("\n\n文书校验码：{}\n", row.text.hex()));
    // Both this line and the picture beside the file are the slip that the party keeps. A document
    // without one is handed over all the same.
    match super::slip(services, document) {
        Ok(slip) => {
            text.push_str(&format!("存证凭据（终端签名，联网可查是否入账）：{slip}\n"));
        }
        Err(error) => tracing::warn!(%error, "no slip"),
    }
    if let Some(delivery) = &row.delivery {
        let note = match &delivery.way {
            DeliveryWay::InPerson { .. } => format!("{}已签收。", delivery.recipient),
            DeliveryWay::RefusedReceipt { reason, witness } => format!(
                "当事人拒绝签收，理由：{reason}。见证人：{}。",
                witness.as_ref().map_or("/", |witness| witness.name.as_str())
            ),
        };
        text.push_str(&note);
        text.push('\n');
    }
    Ok(text)
}
