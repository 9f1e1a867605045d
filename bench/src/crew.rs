//! Two officers with their keys, and a day's acts as they would make them: realistic in kind, size
//! and signatures, made from numbers so that every run measures the same work.

use sync_model::canonical;
use sync_model::cose::{self, Context, CoseError, SoftwareKey};
use sync_model::hash::Hash;
use sync_model::id::{AssignmentId, InspectionId, OfficerId, ShiftId};
use sync_model::record::Act;
use sync_model::record::credential::{
    CredentialDisplayed, DisplayMoment, DisplayedCredential, PartyReaction,
};
use sync_model::record::evidence::LeadRecorded;
use sync_model::record::inspection::{
    AssignmentAccepted, ChecklistAnswered, EntryAnswer, EntryResult, InspectionBegun,
    InspectionConcluded, MatterResult, NoticeGiven, ToldText,
};
use sync_model::record::shift::{
    Presence, PresenceProof, PresenceStatement, ShiftBegun, ShiftEnded,
};
use sync_model::rule::on_spot::PartyKind;
use sync_model::time::Timestamp;
use sync_model::wire::assignment::{Participation, Party, Premises};
use uuid::Uuid;

/// One officer with his key open.
pub(crate) struct Member {
    pub(crate) officer: OfficerId,
    pub(crate) name: String,
    pub(crate) certificate_number: String,
    /// Hash of the signed credential.
    pub(crate) credential: Hash,
    pub(crate) key: SoftwareKey,
}

/// Who is on the device.
pub(crate) struct Crew {
    pub(crate) authority: String,
    pub(crate) members: Vec<Member>,
}

/// Returns an id made of a number: no two numbers give one, and no bits of it compress.
pub(crate) fn id(what: &str, number: u64) -> Uuid {
    let digest = Hash::of_parts(&[what.as_bytes(), &number.to_be_bytes()]);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(digest.0.split_at(16).0);
    Uuid::from_bytes(bytes)
}

const NOTES: [&str; 8] = [
    "后厨地面有积水，操作台清洁，已当场提醒",
    "消防通道堆放纸箱三件，责令当场清理完毕",
    "营业执照、食品经营许可证悬挂于收银台上方",
    "冷藏柜温度显示四摄氏度，温度记录填写至昨日",
    "灭火器压力正常，有效期至明年六月",
    "从业人员健康证明齐全，共六人",
    "垃圾分类容器加盖，标识清楚",
    "进货台账缺上周两天的记录，要求补齐",
];

impl Crew {
    pub(crate) fn ids(&self) -> Vec<OfficerId> {
        self.members.iter().map(|member| member.officer).collect()
    }

    /// Returns the begin of shift number `shift`, with each officer's signature of presence.
    pub(crate) fn begin_shift(&self, shift: u64, now: Timestamp) -> Result<Act, CoseError> {
        let shift = ShiftId(id("shift", shift));
        let officers = self
            .members
            .iter()
            .map(|one| {
                let statement = PresenceStatement { shift, officer: one.officer, proved_at: now };
                let payload = canonical::to_bytes(&statement)?;
                Ok(Presence {
                    officer: one.officer,
                    name: one.name.clone(),
                    certificate_number: one.certificate_number.clone(),
                    proof: PresenceProof::OwnUnlock,
                    proved_at: now,
                    signature: cose::sign(Context::OfficerAct, &payload, &one.key)?,
                })
            })
            .collect::<Result<_, CoseError>>()?;
        Ok(ShiftBegun { shift, authority: self.authority.clone(), officers }.into())
    }

    pub(crate) fn end_shift(shift: u64) -> Act {
        let shift = ShiftId(id("shift", shift));
        ShiftEnded { shift, unsent: 12, note: "无交接事项".to_owned() }.into()
    }

    /// Returns the acts of visit number `visit` in order; those but the first belong to the visit.
    pub(crate) fn visit(&self, visit: u64, now: Timestamp) -> Result<Vec<Act>, CoseError> {
        let inspection = InspectionId(id("inspection", visit));
        let assignment = AssignmentId(id("assignment", visit));
        let mut acts: Vec<Act> = vec![
            AssignmentAccepted { assignment, revision: 1 }.into(),
            self.arrive(visit, inspection, assignment).into(),
            self.display(inspection, visit, now)?.into(),
            NoticeGiven {
                inspection,
                told: ["rights", "recusal", "duties"]
                    .into_iter()
                    .map(|key| ToldText { key: key.to_owned(), text: Hash::of(key.as_bytes()) })
                    .collect(),
                recusal_requested: false,
                reply: "听清楚了，不申请回避，配合检查".to_owned(),
            }
            .into(),
        ];
        acts.extend((0..4).map(|step| answers(inspection, visit, step).into()));
        acts.push(lead(visit).into());
        acts.push(
            InspectionConcluded {
                inspection,
                results: vec![MatterResult {
                    matter: "330231001000".to_owned(),
                    result_class: "problem_corrected".to_owned(),
                    note: note(visit, 5),
                }],
                departed_at: now,
                overrides: vec![],
            }
            .into(),
        );
        Ok(acts)
    }

    fn arrive(
        &self,
        visit: u64,
        inspection: InspectionId,
        assignment: AssignmentId,
    ) -> InspectionBegun {
        let address = format!("杭州市西湖区北山街道演练路{}号", visit % 997 + 1);
        InspectionBegun {
            inspection,
            assignment,
            shift: Hash::of(&(visit / 20).to_be_bytes()),
            premises: Premises {
                name: format!("演练第{}小吃店", visit % 9973),
                address: address.clone(),
                region_code: "330106001".to_owned(),
            },
            party: Party {
                kind: PartyKind::LegalPerson,
                name: format!("杭州演练第{}餐饮有限公司", visit % 9973),
                credit_code: Some(format!("91330106MA{:08}", visit % 100_000_000)),
                identity_number: None,
                person_in_charge: Some("演练负责人".to_owned()),
                phone: None,
                address,
            },
            participations: vec![Participation {
                authority: self.authority.clone(),
                matters: vec!["330231001000".to_owned(), "330231002000".to_owned()],
            }],
            on_site_reason: "须现场查看后厨与消防通道".to_owned(),
            overrides: vec![],
        }
    }

    fn display(
        &self,
        inspection: InspectionId,
        visit: u64,
        now: Timestamp,
    ) -> Result<CredentialDisplayed, CoseError> {
        let mut nonce = [0; 8];
        nonce.copy_from_slice(id("nonce", visit).as_bytes().split_at(8).0);
        let credentials = self
            .members
            .iter()
            .map(|one| {
                let moment = DisplayMoment {
                    inspection,
                    at: now,
                    credential: one.credential,
                    nonce,
                    challenge: String::new(),
                };
                let payload = canonical::to_bytes(&moment)?;
                Ok(DisplayedCredential {
                    officer: one.officer,
                    certificate_number: one.certificate_number.clone(),
                    credential: one.credential,
                    moment: cose::sign(Context::Moment, &payload, &one.key)?,
                })
            })
            .collect::<Result<_, CoseError>>()?;
        Ok(CredentialDisplayed {
            inspection,
            credentials,
            shown_ms: 4000 + visit % 3000,
            physical_card_shown: true,
            reaction: PartyReaction::Scanned,
        })
    }
}

/// Returns a lead, which any officer may record at any time.
pub(crate) fn lead(number: u64) -> LeadRecorded {
    LeadRecorded {
        place: format!("北山街道演练路{}号", number % 997 + 1),
        description: format!("线索{number}：{}", note(number, 7)),
        hand_to: "西湖区综合行政执法局".to_owned(),
        evidence: vec![],
    }
}

fn answers(inspection: InspectionId, visit: u64, step: u64) -> ChecklistAnswered {
    let answers = (0..=step % 2)
        .map(|place| {
            let entry = step * 2 + place;
            EntryAnswer {
                entry: format!("catering-{entry:02}"),
                matters: vec!["330231001000".to_owned()],
                result: if (visit + entry).is_multiple_of(5) {
                    EntryResult::Fail
                } else {
                    EntryResult::Pass
                },
                note: note(visit, entry),
                evidence: vec![],
            }
        })
        .collect();
    ChecklistAnswered { inspection, answers }
}

fn note(visit: u64, place: u64) -> String {
    let count = u64::try_from(NOTES.len()).unwrap_or(1);
    let index = usize::try_from((visit * 3 + place) % count).unwrap_or(0);
    format!("{}（{}处）", NOTES.get(index).copied().unwrap_or_default(), visit % 7 + 1)
}
