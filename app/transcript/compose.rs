//! Composing content from what is on record: officers from the session, findings from the
//! checklist, evidence by number. Only the person's own words are typed.

use sync_core::store::Reader;
use sync_model::id::{InspectionId, OfficerId};
use sync_model::record::Act;
use sync_model::record::inspection::EntryResult;
use sync_model::rulebook::Rulebook;
use sync_model::rulebook::lookup::text;
use sync_model::time::Timestamp;
use sync_model::wire::assignment::Party;

use crate::document::content::{
    Content, InterviewTranscript, PrintedFinding, PrintedOfficer, PrintedParty, PrintedPerson,
    QuestionAnswer, SceneTranscript,
};
use crate::error::{AppError, Input, Step};
use crate::inspection::{merged, require_open};
use crate::services::{Services, rulebook};

/// What is typed for a scene transcript.
#[derive(Clone, Debug)]
pub struct SceneInput {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// 在场人.
    pub person_present: PrintedPerson,
    /// Statement of the party.
    pub statement: String,
}

/// What is typed for an interview.
#[derive(Clone, Debug)]
pub struct InterviewInput {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// 第几次.
    pub nth: u32,
    /// Where.
    pub place: String,
    /// 询问人.
    pub asker: OfficerId,
    /// 记录人.
    pub recorder: OfficerId,
    /// 被询问人.
    pub interviewee: PrintedPerson,
    /// Questions and answers.
    pub dialog: Vec<QuestionAnswer>,
}

/// Returns the content of a scene transcript.
///
/// # Errors
/// [`AppError::Order`] before rights were told, [`AppError::Input`] for a bad name.
pub fn compose_scene(
    services: &Services,
    inspection: InspectionId,
    input: &SceneInput,
) -> Result<Content, AppError> {
    check_name(&input.person_present.name)?;
    let officers = services.session().officer_ids();
    services.store.read(|reader| {
        let row = require_open(reader, inspection)?;
        let rulebook = rulebook(reader)?;
        let notice = notice_of(reader, inspection)?;
        let authorities: Vec<String> = row
            .begun
            .participations
            .iter()
            .map(|part| {
                let known = rulebook.authority(&part.authority);
                known.map_or_else(|| part.authority.clone(), |found| found.name.clone())
            })
            .collect();
        let printed = printed_officers(services, &officers)?;
        let lead = authorities.first().map_or("", String::as_str);
        let told = told_text(&rulebook, lead, &printed);
        Ok(Content::Scene(SceneTranscript {
            authorities,
            started_at: input.started_at,
            ended_at: input.ended_at,
            place: row.begun.premises.address.clone(),
            party: printed_party(&row.begun.party),
            person_present: input.person_present.clone(),
            officers: printed,
            told,
            told_reply: notice.1,
            recusal_reply: recusal_text(notice.0),
            findings: printed_findings(reader, inspection)?,
            evidence: printed_evidence(reader, inspection)?,
            statement: input.statement.trim().to_owned(),
        }))
    })
}

/// Returns the content of an interview.
///
/// # Errors
/// [`AppError::Input`] if asker and recorder are one (`domain` D-02) or a name is bad.
pub fn compose_interview(
    services: &Services,
    inspection: InspectionId,
    input: &InterviewInput,
) -> Result<Content, AppError> {
    check_name(&input.interviewee.name)?;
    if input.asker == input.recorder {
        return Err(AppError::Input(Input::SameOfficer));
    }
    services.store.read(|reader| {
        let row = require_open(reader, inspection)?;
        let rulebook = rulebook(reader)?;
        let notice = notice_of(reader, inspection)?;
        let lead = row.begun.participations.first().map(|part| part.authority.as_str());
        let authority = lead
            .and_then(|id| rulebook.authority(id))
            .map_or_else(String::new, |found| found.name.clone());
        let mut printed = printed_officers(services, &[input.asker, input.recorder])?.into_iter();
        let (Some(asker), Some(recorder)) = (printed.next(), printed.next()) else {
            return Err(AppError::NotFound("officer"));
        };
        let opening = told_text(&rulebook, &authority, &[asker.clone(), recorder.clone()]);
        Ok(Content::Interview(InterviewTranscript {
            authority,
            nth: input.nth,
            started_at: input.started_at,
            ended_at: input.ended_at,
            place: input.place.trim().to_owned(),
            asker,
            recorder,
            interviewee: input.interviewee.clone(),
            opening,
            recusal_reply: recusal_text(notice.0),
            dialog: input.dialog.clone(),
        }))
    })
}

fn check_name(name: &str) -> Result<(), AppError> {
    sync_model::identifier::person_name::check(name)
        .map(|_| ())
        .map_err(|_| AppError::Input(Input::Name))
}

/// Returns whether recusal was asked for, and the party's reply.
fn notice_of(reader: &Reader<'_>, inspection: InspectionId) -> Result<(bool, String), AppError> {
    let rows = reader.records_of_kind(inspection, "notice_given")?;
    let row = rows.last().ok_or(AppError::Order(Step::Notice))?;
    match row.record()?.envelope.act() {
        Act::NoticeGiven(body) => Ok((body.recusal_requested, body.reply)),
        _ => Err(AppError::Order(Step::Notice)),
    }
}

/// Returns the opening and the rights as told: who the officers are, and what for.
fn told_text(rulebook: &Rulebook, authority: &str, officers: &[PrintedOfficer]) -> String {
    let join = |part: fn(&PrintedOfficer) -> &str| {
        officers.iter().map(part).collect::<Vec<_>>().join("、")
    };
    let names = join(|one| one.name.as_str());
    let numbers = join(|one| one.certificate_number.as_str());
    let values = [
        ("authority", authority),
        ("officers", names.as_str()),
        ("certificate_numbers", numbers.as_str()),
        ("subject", "有关情况"),
        ("act", "现场检查、询问"),
    ];
    [text::OPENING, text::RIGHTS_AND_DUTIES]
        .iter()
        .filter_map(|key| rulebook.text(key, &values))
        .collect::<Vec<_>>()
        .join("\n")
}

fn recusal_text(requested: bool) -> String {
    if requested { "申请回避" } else { "不申请回避" }.to_owned()
}

/// Returns officers as printed, in the given order.
pub(crate) fn printed_officers(
    services: &Services,
    officers: &[OfficerId],
) -> Result<Vec<PrintedOfficer>, AppError> {
    let session = services.session();
    officers
        .iter()
        .map(|officer| {
            let one = session.find(*officer).ok_or(AppError::NotFound("officer"))?;
            Ok(PrintedOfficer {
                name: one.credential.name.clone(),
                certificate_number: one.credential.certificate_number.clone(),
                authority: one.credential.authority_name.clone(),
            })
        })
        .collect()
}

/// Returns the party as printed.
pub(crate) fn printed_party(party: &Party) -> PrintedParty {
    PrintedParty {
        name: party.name.clone(),
        credit_code: party.credit_code.clone(),
        identity_number: party.identity_number.clone(),
        person_in_charge: party.person_in_charge.clone(),
        address: party.address.clone(),
        phone: party.phone.clone(),
    }
}

fn printed_findings(
    reader: &Reader<'_>,
    inspection: InspectionId,
) -> Result<Vec<PrintedFinding>, AppError> {
    let list = merged(reader, inspection)?;
    let answers = reader.answers(inspection)?;
    let evidence = reader.evidence_of(inspection)?;
    let ordinal = |id| {
        evidence.iter().find(|row| row.captured.evidence == id).map(|row| row.captured.ordinal)
    };
    let entries = list.groups.iter().flat_map(|group| &group.entries);
    Ok(entries
        .filter_map(|one| {
            let answer = answers.iter().find(|answer| answer.entry == one.entry.id)?;
            let result = match answer.result {
                EntryResult::Pass => "合格",
                EntryResult::Fail => "不合格",
                EntryResult::NotChecked => "未检查",
            };
            Some(PrintedFinding {
                entry: one.entry.text.clone(),
                result: result.to_owned(),
                note: answer.note.clone(),
                evidence: answer.evidence.iter().filter_map(|id| ordinal(*id)).collect(),
            })
        })
        .collect())
}

/// Returns the evidence that may be cited: number and description.
pub(crate) fn printed_evidence(
    reader: &Reader<'_>,
    inspection: InspectionId,
) -> Result<Vec<(u32, String)>, AppError> {
    use sync_model::record::evidence::EvidencePhase;
    let rows = reader.evidence_of(inspection)?;
    Ok(rows
        .into_iter()
        .filter(|row| row.excluded.is_empty() && row.captured.phase == EvidencePhase::Visit)
        .map(|row| (row.captured.ordinal, row.captured.description))
        .collect())
}
