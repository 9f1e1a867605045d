//! What is typed for a transcript, kept as a draft field by field: people, questions, paragraphs.
//!
//! A visit keeps, per kind, which transcript is being written; a locked interview is followed by
//! the next one. Fields that were never typed show what the assignment says.

use sync_core::random;
use sync_core::store::{Reader, TranscriptState};
use sync_model::id::{InspectionId, OfficerId, TranscriptId};
use sync_model::identifier::citizen_id;
use sync_model::record::transcript::TranscriptKind;
use sync_model::rule::on_spot::PartyKind;
use sync_model::time::Timestamp;

use super::compose::{InterviewInput, SceneInput, compose_interview, compose_scene};
use super::draft::{Draft, load_draft};
use super::entries::{Entry, entries};
use crate::document::content::{Content, PrintedPerson, QuestionAnswer};
use crate::error::AppError;
use crate::services::Services;

/// A person's field: key, name on the page.
pub type PersonField = (&'static str, &'static str);

/// Asked for in both kinds.
const PERSON: [PersonField; 4] =
    [("name", "姓名"), ("identity", "证件号码"), ("post", "单位和职务"), ("phone", "联系电话")];

/// Asked for in an interview only.
const INTERVIEW: [PersonField; 4] =
    [("sex", "性别"), ("address", "住址"), ("relation", "与本案关系"), ("place", "询问地点")];

/// A transcript being written.
#[derive(Clone, Debug)]
pub struct Typed {
    /// Which one.
    pub transcript: TranscriptId,
    /// Scene or interview.
    pub kind: TranscriptKind,
    /// As saved.
    pub draft: Draft,
    /// Questions or paragraphs in order.
    pub entries: Vec<Entry>,
    /// It is locked: nothing can be typed any more.
    pub locked: bool,
    defaults: Vec<(&'static str, String)>,
    nth: u32,
}

fn visit_scope(inspection: InspectionId) -> String {
    format!("visit:{inspection}")
}

fn pointer(kind: TranscriptKind) -> &'static str {
    match kind {
        TranscriptKind::Scene => "transcript.scene",
        TranscriptKind::Interview => "transcript.interview",
    }
}

/// Chooses which kind is being written.
///
/// # Errors
/// [`AppError::Store`].
pub fn choose_kind(
    services: &Services,
    inspection: InspectionId,
    kind: TranscriptKind,
) -> Result<(), AppError> {
    services.store.save_draft(&visit_scope(inspection), "transcript.kind", pointer(kind))?;
    Ok(())
}

/// Returns the transcript being written in a visit, a fresh one if there is none.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Store`].
pub fn current(services: &Services, inspection: InspectionId) -> Result<Typed, AppError> {
    let rows = services.store.read(|r| r.draft(&visit_scope(inspection)))?;
    let field = |name: &str| rows.iter().find(|row| row.field == name).map(|row| &row.value);
    let kind = match field("transcript.kind") {
        Some(chosen) if chosen == pointer(TranscriptKind::Interview) => TranscriptKind::Interview,
        _ => TranscriptKind::Scene,
    };
    let made = services.store.read(|r| r.transcripts_of(inspection))?;
    let of_kind: Vec<_> = made.iter().filter(|row| row.prepared.kind == kind).collect();
    let open = of_kind.iter().find(|row| row.state != TranscriptState::Locked);
    let last = of_kind.last().map(|row| row.prepared.transcript);
    let pointed = field(pointer(kind))
        .and_then(|text| uuid::Uuid::parse_str(text).ok())
        .map(TranscriptId)
        .filter(|id| of_kind.iter().all(|row| row.prepared.transcript != *id));
    let transcript = match (open.map(|row| row.prepared.transcript), pointed, last, kind) {
        (Some(open), ..) => open,
        (None, Some(pointed), ..) => pointed,
        // A visit has one scene transcript; the next interview is a transcript of its own.
        (None, None, Some(locked), TranscriptKind::Scene) => locked,
        (None, None, ..) => fresh(services, inspection, kind)?,
    };
    let locked = of_kind
        .iter()
        .any(|row| row.prepared.transcript == transcript && row.state == TranscriptState::Locked);
    let draft = load_draft(services, transcript)?;
    let nth = of_kind.iter().filter(|row| row.state == TranscriptState::Locked).count();
    Ok(Typed {
        transcript,
        kind,
        entries: entries(&draft),
        draft,
        locked,
        defaults: services.store.read(|reader| defaults(reader, inspection))?,
        nth: u32::try_from(nth).unwrap_or(u32::MAX).saturating_add(1),
    })
}

fn fresh(
    services: &Services,
    inspection: InspectionId,
    kind: TranscriptKind,
) -> Result<TranscriptId, AppError> {
    let id = TranscriptId::new(services.clock.now().wall_at.0, &random::bytes());
    services.store.save_draft(&visit_scope(inspection), pointer(kind), &id.to_string())?;
    Ok(id)
}

/// Returns what the assignment says of the person, shown until something else is typed.
fn defaults(
    reader: &Reader<'_>,
    inspection: InspectionId,
) -> Result<Vec<(&'static str, String)>, AppError> {
    let visit = reader.inspection(inspection)?.ok_or(AppError::NotFound("inspection"))?;
    let party = visit.begun.party;
    let text = |value: Option<String>| value.unwrap_or_default();
    let mut found = vec![("place", visit.begun.premises.address), ("phone", text(party.phone))];
    if party.kind == PartyKind::Citizen {
        found.push(("name", party.name));
        found.push(("identity", text(party.identity_number)));
        found.push(("address", party.address));
    } else {
        found.push(("name", text(party.person_in_charge)));
    }
    Ok(found)
}

impl Typed {
    /// Returns the fields about the person, in the order of the page.
    #[must_use]
    pub fn person_fields(&self) -> Vec<PersonField> {
        match self.kind {
            TranscriptKind::Scene => PERSON.to_vec(),
            TranscriptKind::Interview => [PERSON, INTERVIEW].concat(),
        }
    }

    /// Returns a field as typed, or what the assignment says if it never was.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        if let Some(typed) = self.draft.fields.get(name) {
            return typed;
        }
        let known = self.defaults.iter().find(|(key, _)| *key == name);
        known.map_or("", |(_, value)| value.as_str())
    }

    /// Returns what is wrong with a field; empty if nothing is.
    #[must_use]
    pub fn error_of(&self, name: &str, now: Timestamp) -> String {
        let value = self.field(name).trim();
        let looks_like_citizen_id =
            value.chars().count() == 18 && value.chars().take(17).all(|c| c.is_ascii_digit());
        match name {
            "identity" if looks_like_citizen_id => {
                let wrong = citizen_id::parse(value, now.legal_date()).is_err();
                if wrong { "公民身份号码校验不符，请核对证件" } else { "" }.to_owned()
            }
            _ => String::new(),
        }
    }

    /// Returns the place of asker and recorder among the unlocked officers.
    #[must_use]
    pub fn officer(&self, field: &str) -> usize {
        let default = usize::from(field == "recorder");
        self.draft.fields.get(field).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    /// Returns what still has to be typed before pages can be made.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if self.field("name").trim().is_empty() {
            missing.push("没有填写姓名".to_owned());
        }
        for (number, entry) in (1_usize..).zip(&self.entries) {
            let empty = |text: &str| text.trim().is_empty();
            if self.kind == TranscriptKind::Interview && empty(&entry.question) {
                missing.push(format!("第 {number} 问没有写"));
            } else if empty(&entry.answer) {
                let what = if self.kind == TranscriptKind::Interview {
                    "问没有回答"
                } else {
                    "段没有写"
                };
                missing.push(format!("第 {number} {what}"));
            }
        }
        if self.entries.is_empty() {
            missing.push(match self.kind {
                TranscriptKind::Interview => "还没有问答".to_owned(),
                TranscriptKind::Scene => "没有记录当事人的意见".to_owned(),
            });
        }
        missing
    }

    fn started_at(&self, now: Timestamp) -> Timestamp {
        self.draft.field("started_at").parse().map_or(now, Timestamp)
    }

    /// Returns the content for the pages.
    ///
    /// # Errors
    /// See [`compose_scene`] and [`compose_interview`].
    pub fn compose(
        &self,
        services: &Services,
        inspection: InspectionId,
    ) -> Result<Content, AppError> {
        let now = services.clock.now().wall_at;
        let started_at = self.started_at(now);
        match self.kind {
            TranscriptKind::Scene => {
                let paragraphs: Vec<&str> =
                    self.entries.iter().map(|entry| entry.answer.trim()).collect();
                let input = SceneInput {
                    started_at,
                    ended_at: now,
                    person_present: self.person(),
                    statement: paragraphs.join("\n"),
                };
                compose_scene(services, inspection, &input)
            }
            TranscriptKind::Interview => {
                let officers = services.session().officer_ids();
                let of = |field| -> Result<OfficerId, AppError> {
                    officers.get(self.officer(field)).copied().ok_or(AppError::NoShift)
                };
                let input = InterviewInput {
                    started_at,
                    ended_at: now,
                    nth: self.nth,
                    place: self.field("place").to_owned(),
                    asker: of("asker")?,
                    recorder: of("recorder")?,
                    interviewee: self.person(),
                    dialog: self.dialog(),
                };
                compose_interview(services, inspection, &input)
            }
        }
    }

    fn person(&self) -> PrintedPerson {
        let text = |name| Some(self.field(name).trim().to_owned()).filter(|text| !text.is_empty());
        PrintedPerson {
            name: self.field("name").trim().to_owned(),
            sex: text("sex"),
            identity: text("identity"),
            post: text("post"),
            address: text("address"),
            phone: text("phone"),
            relation: text("relation"),
        }
    }

    fn dialog(&self) -> Vec<QuestionAnswer> {
        self.entries
            .iter()
            .map(|entry| QuestionAnswer {
                question: entry.question.trim().to_owned(),
                answer: entry.answer.trim().to_owned(),
            })
            .collect()
    }
}
