//! The sample assignments of a practice day.
//!
//! Two premises of a joint inspection (综合查一次), a random draw (双随机), a complaint, and one
//! whose matter no rulebook knows.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sync_model::id::{AssignmentId, OfficerId};
use sync_model::rule::on_spot::PartyKind;
use sync_model::rulebook::Rulebook;
use sync_model::rulebook::authority::{Authority, Level};
use sync_model::rulebook::matter::MatterKind;
use sync_model::time::Timestamp;
use sync_model::wire::assignment::{
    Approval, Assignment, AssignmentSource, Participation, Party, Premises, VisitCount,
};

use super::DAY_MS;
use crate::error::{AdminError, HqError};
use crate::keys::random;

/// Days for which the sample assignments can be carried out.
const DAYS: i64 = 7;

/// Everything that differs from one sample to the next.
struct Sample {
    title: &'static str,
    source: AssignmentSource,
    premises: &'static str,
    address: &'static str,
    kind: PartyKind,
    party: &'static str,
    credit_code: &'static str,
    visits: u32,
    participations: Vec<Participation>,
    note: &'static str,
}

struct Maker<'a> {
    rulebook: &'a Rulebook,
    home: &'a Authority,
    officers: &'a [OfficerId],
    region: String,
    now: Timestamp,
}

/// Returns the assignments, the first one first in the list.
pub(super) fn make(
    rulebook: &Rulebook,
    home: &Authority,
    officers: &[OfficerId],
    now: Timestamp,
) -> Result<Vec<Assignment>, HqError> {
    let town = rulebook.authorities.iter().find(|authority| authority.level == Level::Town);
    let region = town.map_or(&rulebook.region_code, |town| &town.region_code).clone();
    let maker = Maker { rulebook, home, officers, region, now };
    let joint = maker.inspections(now.legal_date());
    let own: Vec<Participation> =
        joint.iter().filter(|part| part.authority == home.id).cloned().collect();
    let drawn = joint.iter().find(|part| part.authority != home.id).or(joint.first());
    let (Some(drawn), false) = (drawn.cloned(), joint.is_empty()) else {
        return Err(AdminError::NoSuchAuthority("that may inspect".to_owned()).into());
    };
    let complaint = if own.is_empty() { vec![drawn.clone()] } else { own };
    let unknown = maker.unknown_matter();
    samples(joint, vec![drawn], complaint, unknown)
        .into_iter()
        .zip(1_u32..)
        .map(|(sample, number)| maker.assignment(sample, number))
        .collect()
}

fn samples(
    joint: Vec<Participation>,
    drawn: Vec<Participation>,
    complaint: Vec<Participation>,
    unknown: Vec<Participation>,
) -> Vec<Sample> {
    let part_of_joint = joint.iter().take(2).cloned().collect();
    vec![
        Sample {
            title: "综合查一次：演练小吃店",
            source: AssignmentSource::JointInspection,
            premises: "演练小吃店",
            address: "杭州市西湖区北山街道演练路1号",
            kind: PartyKind::SoleProprietor,
            party: "西湖区演练小吃店",
            credit_code: "92330106MA0000A00Q",
            visits: 0,
            participations: joint,
            note: "多部门事项一次查清；农贸市场内无信号。（演练）",
        },
        Sample {
            title: "综合查一次：演练便利店",
            source: AssignmentSource::JointInspection,
            premises: "演练便利店",
            address: "杭州市西湖区北山街道演练路3号",
            kind: PartyKind::LegalPerson,
            party: "杭州演练便利有限公司",
            credit_code: "91330106MA0000B077",
            visits: 1,
            participations: part_of_joint,
            note: "与上一户相邻，合并一次出行。（演练）",
        },
        Sample {
            title: "双随机抽查：演练水果店",
            source: AssignmentSource::RandomDraw,
            premises: "演练水果店",
            address: "杭州市西湖区北山街道演练路15号",
            kind: PartyKind::SoleProprietor,
            party: "西湖区演练水果店",
            credit_code: "92330106MA0000C03D",
            visits: 0,
            participations: drawn,
            note: "抽查批次：演练2026-11。（演练）",
        },
        Sample {
            title: "投诉交办：门前占道堆物",
            source: AssignmentSource::Complaint,
            premises: "演练五金店",
            address: "杭州市西湖区北山街道演练路28号",
            kind: PartyKind::LegalPerson,
            party: "杭州演练五金有限公司",
            credit_code: "91330106MA0000D0XN",
            visits: 1,
            participations: complaint,
            note: "村社转办，群众反映门前堆放杂物，请核实。（演练）",
        },
        Sample {
            title: "日常检查：事项编码待核",
            source: AssignmentSource::Routine,
            premises: "演练仓库",
            address: "杭州市西湖区北山街道演练路50号",
            kind: PartyKind::LegalPerson,
            party: "杭州演练仓储有限公司",
            credit_code: "91330106MA0000E065",
            visits: 0,
            participations: unknown,
            note: "本任务的事项编码不在当前规则库中，用于演练遇到未知事项时的处理。",
        },
    ]
}

impl Maker<'_> {
    /// Returns every inspection matter in force under the authority that may act on it here.
    fn inspections(&self, on: NaiveDate) -> Vec<Participation> {
        let mut parts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let matters = self.rulebook.matters.iter();
        for matter in matters.filter(|m| m.kind == MatterKind::Inspection && m.in_force(on)) {
            let able = self.rulebook.authorities_for(&matter.code, &self.region, on);
            if let Some(authority) = able.first() {
                parts.entry(&authority.id).or_default().push(matter.code.clone());
            }
        }
        // The home authority leads the visit.
        let mut parts: Vec<Participation> = parts
            .into_iter()
            .map(|(authority, matters)| Participation { authority: authority.to_owned(), matters })
            .collect();
        parts.sort_by_key(|part| part.authority != self.home.id);
        parts
    }

    /// Returns a participation whose matter stands in no list.
    fn unknown_matter(&self) -> Vec<Participation> {
        let code = (0_u32..)
            .map(|number| format!("3306999{number:05}"))
            .find(|code| self.rulebook.matter(code).is_none());
        let matters = code.into_iter().collect();
        vec![Participation { authority: self.home.id.clone(), matters }]
    }

    fn assignment(&self, sample: Sample, number: u32) -> Result<Assignment, HqError> {
        let today = Timestamp::start_of(self.now.legal_date());
        Ok(Assignment {
            assignment: AssignmentId::new(self.now.0, &random()?),
            revision: 1,
            title: sample.title.to_owned(),
            source: sample.source,
            premises: Premises {
                name: sample.premises.to_owned(),
                address: sample.address.to_owned(),
                region_code: self.region.clone(),
            },
            party: Party {
                kind: sample.kind,
                name: sample.party.to_owned(),
                credit_code: Some(sample.credit_code.to_owned()),
                identity_number: None,
                person_in_charge: Some(format!("演练负责人{number}")),
                phone: None,
                address: sample.address.to_owned(),
            },
            participations: sample.participations,
            approval: Some(Approval {
                number: format!("演练检批〔{}〕{number}号", self.now.legal_date().format("%Y")),
                approver: "演练审批人".to_owned(),
                approved_at: self.now.plus_ms(-DAY_MS),
            }),
            visit_code: Some(format!(
                "YL{}{}{number:04}",
                self.region,
                self.now.legal_date().format("%Y%m%d")
            )),
            visits: Some(VisitCount { count: sample.visits, as_of: self.now }),
            officers: self.officers.to_vec(),
            not_before: today,
            due: today.plus_ms(DAYS.saturating_mul(DAY_MS)),
            note: sample.note.to_owned(),
        })
    }
}
