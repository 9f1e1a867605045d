//! What the documents say, as structured content; rendering turns it into pages.
//!
//! The canonical bytes of a content are what officers' keys sign and HQ re-reads; amounts are in
//! fen and times are instants here, digits and words only on the page.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sync_model::time::Timestamp;

/// An officer as printed: name and certificate number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedOfficer {
    /// Name.
    pub name: String,
    /// 执法证件号.
    pub certificate_number: String,
    /// Name of the authority.
    pub authority: String,
}

/// The party as printed; absent fields are struck, never left blank (`domain` D-07).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedParty {
    /// Name of the person or enterprise.
    pub name: String,
    /// 统一社会信用代码.
    pub credit_code: Option<String>,
    /// 身份证件号码.
    pub identity_number: Option<String>,
    /// 法定代表人 or 负责人.
    pub person_in_charge: Option<String>,
    /// Address.
    pub address: String,
    /// Phone.
    pub phone: Option<String>,
}

/// One line of findings in a scene transcript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedFinding {
    /// What was looked at.
    pub entry: String,
    /// 合格, 不合格, 未检查.
    pub result: String,
    /// Objective words.
    pub note: String,
    /// Evidence numbers.
    pub evidence: Vec<u32>,
}

/// 现场检查笔录 (`domain` §3.2 row 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SceneTranscript {
    /// The authorities that take part, lead first.
    pub authorities: Vec<String>,
    /// Start, to the minute.
    pub started_at: Timestamp,
    /// End, to the minute.
    pub ended_at: Timestamp,
    /// Where.
    pub place: String,
    /// Whom.
    pub party: PrintedParty,
    /// 在场人: name, identity, post, phone.
    pub person_present: PrintedPerson,
    /// First the one who inspects, then the one who records.
    pub officers: Vec<PrintedOfficer>,
    /// That credentials were shown and rights told, as told.
    pub told: String,
    /// Reply to that.
    pub told_reply: String,
    /// Reply to the recusal question.
    pub recusal_reply: String,
    /// Per entry.
    pub findings: Vec<PrintedFinding>,
    /// Photographs and samples: number and description.
    pub evidence: Vec<(u32, String)>,
    /// Statement of the party.
    pub statement: String,
}

/// A person as printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedPerson {
    /// Name.
    pub name: String,
    /// 性别.
    pub sex: Option<String>,
    /// 证件类型及号码.
    pub identity: Option<String>,
    /// 工作单位及职务.
    pub post: Option<String>,
    /// Address.
    pub address: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// 与本案关系.
    pub relation: Option<String>,
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionAnswer {
    /// 问.
    pub question: String,
    /// 答.
    pub answer: String,
}

/// 询问笔录 (`domain` §3.2 row 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterviewTranscript {
    /// In whose name.
    pub authority: String,
    /// 第几次询问.
    pub nth: u32,
    /// Start, to the minute.
    pub started_at: Timestamp,
    /// End, to the minute.
    pub ended_at: Timestamp,
    /// Where.
    pub place: String,
    /// 询问人.
    pub asker: PrintedOfficer,
    /// 记录人; never the same as the asker (`domain` D-02).
    pub recorder: PrintedOfficer,
    /// 被询问人.
    pub interviewee: PrintedPerson,
    /// Opening words with credentials, rights and duties.
    pub opening: String,
    /// Reply to the recusal question.
    pub recusal_reply: String,
    /// Questions and answers in order.
    pub dialog: Vec<QuestionAnswer>,
}

/// 行政检查通知书 (`domain` §3.2 row 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectionNotice {
    /// In whose name.
    pub authority: String,
    /// Whom.
    pub party: PrintedParty,
    /// Matters with their basis.
    pub matters: Vec<(String, String)>,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub officers: Vec<PrintedOfficer>,
    /// Rights, duties and discipline, as told.
    pub told: Vec<String>,
    /// 行政行为码.
    pub visit_code: Option<String>,
    /// 监督电话.
    pub supervision_phone: String,
}

/// 当场行政处罚决定书 (`domain` §3.2 row 9).
// 《行政处罚法》第五十二条第二款: 决定书应当载明的事项.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnSpotDecision {
    /// 文号.
    pub number: String,
    /// In whose name.
    pub authority: String,
    /// Whom.
    pub party: PrintedParty,
    /// 违法行为, objectively.
    pub violation: String,
    /// When it was done.
    pub acted_at: Timestamp,
    /// Where it was done.
    pub place: String,
    /// Evidence: number and description.
    pub evidence: Vec<(u32, String)>,
    /// 违反的规定, cited with article.
    pub violated_norm: String,
    /// 处罚依据, cited with article.
    pub penalty_norm: String,
    /// 裁量: benchmark, edition and tier in words.
    pub discretion: String,
    /// Whether a warning is given.
    pub warning: bool,
    /// Fine in fen; 0 for a warning alone.
    pub fine_fen: i64,
    /// 责令改正, as ordered.
    pub correction: String,
    /// What the party stated and what became of it, or the waiver.
    pub defense: String,
    /// Payment: way, institution, 15 days, surcharge.
    pub payment: String,
    /// Remedies: reconsideration first (`domain` R-26).
    pub remedies: String,
    /// When decided.
    pub decided_at: Timestamp,
    /// Where decided.
    pub decided_place: String,
    /// Two officers.
    pub officers: Vec<PrintedOfficer>,
}

/// 责令改正通知书 (`domain` §3.2 row 8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionOrder {
    /// In whose name.
    pub authority: String,
    /// Whom.
    pub party: PrintedParty,
    /// Facts.
    pub facts: String,
    /// Norm broken.
    pub violated_norm: String,
    /// What to correct.
    pub order: String,
    /// By when; `None` is at once.
    pub correct_by_on: Option<NaiveDate>,
    /// Remedies.
    pub remedies: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub officers: Vec<PrintedOfficer>,
}

/// 送达回证 (`domain` §3.2 row 17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryReceipt {
    /// In whose name.
    pub authority: String,
    /// Which document: title and number.
    pub document: String,
    /// To whom.
    pub recipient: String,
    /// 送达方式.
    pub way: String,
    /// Where.
    pub place: String,
    /// When, to the minute.
    pub delivered_at: Timestamp,
    /// Reason of refusal.
    pub refusal: Option<String>,
    /// Witness.
    pub witness: Option<String>,
    /// Who delivered.
    pub officers: Vec<PrintedOfficer>,
}

/// Any document's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// 现场检查笔录.
    Scene(SceneTranscript),
    /// 询问笔录.
    Interview(InterviewTranscript),
    /// 行政检查通知书.
    Notice(InspectionNotice),
    /// 当场行政处罚决定书.
    OnSpotDecision(OnSpotDecision),
    /// 责令改正通知书.
    CorrectionOrder(CorrectionOrder),
    /// 送达回证.
    DeliveryReceipt(DeliveryReceipt),
}

impl Content {
    /// Returns the title as printed.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::Scene(_) => "现场检查笔录",
            Self::Interview(_) => "询问笔录",
            Self::Notice(_) => "行政检查通知书",
            Self::OnSpotDecision(_) => "当场行政处罚决定书",
            Self::CorrectionOrder(_) => "责令改正通知书",
            Self::DeliveryReceipt(_) => "送达回证",
        }
    }
}
