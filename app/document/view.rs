//! Documents as the page shows them: the list, the pages of one, and what its delivery needs.

use std::collections::BTreeMap;

use sync_core::store::{DocumentRow, DocumentState};
use sync_model::id::{DocumentId, InspectionId};
use sync_model::record::document::DeliveryWay;
use sync_model::record::signature::Witness;

use super::load_pages;
use crate::error::AppError;
use crate::services::Services;

/// Returns a visit's documents, newest first; every document of the device without a visit.
///
/// # Errors
/// [`AppError::Store`].
pub fn list(
    services: &Services,
    inspection: Option<InspectionId>,
) -> Result<Vec<DocumentRow>, AppError> {
    services.store.read(|reader| match inspection {
        Some(inspection) => {
            let mut rows = reader.documents_of(inspection)?;
            rows.reverse();
            Ok(rows)
        }
        None => Ok(reader.documents()?),
    })
}

/// Returns the pages of a document, checked against its hash.
///
/// # Errors
/// [`AppError::Store`].
pub fn pages(services: &Services, row: &DocumentRow) -> Result<Vec<String>, AppError> {
    load_pages(services.store.blobs(), &row.text)
}

/// Says whether the document has to reach the party and has not yet.
// 《行政处罚法》第五十二条: 决定书应当当场交付当事人. A transcript is signed, not delivered.
#[must_use]
pub fn needs_delivery(row: &DocumentRow) -> bool {
    row.case.is_some() && row.state == DocumentState::Issued
}

/// Returns where a document stands, in words.
#[must_use]
pub fn state_text(row: &DocumentRow) -> &'static str {
    match &row.delivery {
        Some(delivered) => match delivered.way {
            DeliveryWay::InPerson { .. } => "已签收",
            DeliveryWay::RefusedReceipt { .. } => "已注明拒收",
        },
        None if row.case.is_some() => "待送达",
        None => "已定稿",
    }
}

/// Returns the facts below a document's text.
#[must_use]
pub fn facts(row: &DocumentRow) -> Vec<(String, String)> {
    let mut lines = vec![
        ("制作时间".to_owned(), row.made_at.chinese()),
        ("文本哈希".to_owned(), format!("sha256 {}", row.text.hex())),
    ];
    if let Some(delivered) = &row.delivery {
        let how = match &delivered.way {
            DeliveryWay::InPerson { .. } => format!("{}当场签收", delivered.recipient),
            DeliveryWay::RefusedReceipt { reason, witness } => {
                let witness = witness.as_ref().map_or("无", |one| one.name.as_str());
                format!("{}拒收：{reason}；见证人：{witness}", delivered.recipient)
            }
        };
        lines.push(("送达".to_owned(), how));
    }
    lines
}

fn scope(document: DocumentId) -> String {
    format!("deliver:{document}")
}

/// Saves what was typed for a delivery.
///
/// # Errors
/// [`AppError::Store`].
pub fn save(
    services: &Services,
    document: DocumentId,
    field: &str,
    value: &str,
) -> Result<(), AppError> {
    services.store.save_draft(&scope(document), field, value)?;
    Ok(())
}

/// Forgets it, once it is on record.
///
/// # Errors
/// [`AppError::Store`].
pub fn forget(services: &Services, document: DocumentId) -> Result<(), AppError> {
    Ok(services.store.forget_draft(&scope(document))?)
}

/// Returns what was typed for a delivery; the receiver is the party until somebody else is typed.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Store`].
pub fn typed(services: &Services, row: &DocumentRow) -> Result<BTreeMap<String, String>, AppError> {
    let rows = services.store.read(|r| r.draft(&scope(row.document)))?;
    let mut typed: BTreeMap<String, String> =
        rows.into_iter().map(|row| (row.field, row.value)).collect();
    if let (false, Some(case)) = (typed.contains_key("receiver"), row.case) {
        let party = services.store.read(|r| r.case(case))?.map(|case| case.filed.party);
        let receiver = party.map(|party| party.person_in_charge.unwrap_or(party.name));
        typed.insert("receiver".to_owned(), receiver.unwrap_or_default());
    }
    Ok(typed)
}

/// Returns the recipient as it goes on record: `张建国（店长）`.
#[must_use]
pub fn recipient(typed: &BTreeMap<String, String>) -> String {
    let text = |field: &str| typed.get(field).map_or("", |value| value.trim());
    match (text("receiver"), text("receiver-role")) {
        (name, "") => name.to_owned(),
        (name, role) => format!("{name}（{role}）"),
    }
}

/// Returns the witness typed as name, space, unit; `None` if nothing was typed.
#[must_use]
pub fn witness(text: &str) -> Option<Witness> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let (name, identity) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    Some(Witness { name: name.to_owned(), identity: identity.trim().to_owned(), ink: None })
}

/// Returns where a document is handed over: at the place of its visit.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Store`].
pub fn place(services: &Services, document: DocumentId) -> Result<String, AppError> {
    services.store.read(|reader| {
        let row = reader.document(document)?.ok_or(AppError::NotFound("document"))?;
        let visit = match row.inspection {
            Some(inspection) => reader.inspection(inspection)?,
            None => None,
        };
        Ok(visit.map(|visit| visit.begun.premises.address).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_is_a_name_and_after_a_space_the_unit() {
        let seen = witness("李四　栖霞岭社区").unwrap();
        assert_eq!((seen.name.as_str(), seen.identity.as_str()), ("李四", "栖霞岭社区"));
        assert_eq!(witness(" "), None);
    }
}
