//! P4, P8, P9, P11, R-07: the act is proven, not too old, not fined, no crime, no case.

use chrono::Months;

use super::{EarlierFine, OnSpotFacts};
use crate::rule::Finding;
use crate::time::Timestamp;

/// Months of the ordinary limitation.
const LIMITATION_MONTHS: u32 = 24;
/// Months of the limitation where life, health or financial safety was harmed.
const LIMITATION_HARM_MONTHS: u32 = 60;

pub(super) fn check(facts: &OnSpotFacts, now: Timestamp) -> Vec<Finding> {
    let mut findings = evidence(facts);
    findings.extend(limitation(facts, now));
    // 《行政处罚法》第二十七条: 违法行为涉嫌犯罪的, 应当及时移送司法机关.
    if facts.suspected_crime {
        let message = "违法行为涉嫌犯罪，不得当场处罚，请保全证据并报告本机关主要负责人移送";
        findings.push(Finding::block("R-07", "《行政处罚法》第二十七条", message));
    }
    // 《行政处罚法》第二十九条: 对当事人的同一个违法行为, 不得给予两次以上罚款的行政处罚.
    match &facts.earlier_fine {
        EarlierFine::NoneAtHq => {}
        EarlierFine::NoneOnDevice => {
            let message = "离线时只查询了本机记录，未发现同一违法行为已被罚款，同步后由平台复核";
            findings.push(Finding::record("R-09", "《行政处罚法》第二十九条", message));
        }
        EarlierFine::Found { document_number } => {
            let message = format!(
                "同一违法行为已经罚款（{document_number}），不得再次罚款，请核对是否为新的违法行为"
            );
            findings.push(Finding::block("R-09", "《行政处罚法》第二十九条", message));
        }
    }
    if facts.open_case {
        let message = "同一违法行为已经立案，不得再当场处罚，请在原案件中处理";
        findings.push(Finding::block("P11", "《行政处罚法》第五十四条", message));
    }
    findings
}

/// P4: 违法事实确凿.
fn evidence(facts: &OnSpotFacts) -> Vec<Finding> {
    // 《行政处罚法》第四十条、第五十一条: 违法事实不清、证据不足的, 不得给予行政处罚.
    const BASIS: &str = "《行政处罚法》第四十条、第五十一条";
    if facts.fact_evidence.is_empty() {
        let message = "没有违法事实和对应证据，不得处罚，请至少关联一张照片或者一份笔录";
        return vec![Finding::block("P4", BASIS, message)];
    }
    let unproven = facts.fact_evidence.iter().filter(|fact| fact.evidence == 0);
    unproven
        .map(|fact| {
            let message = format!("违法事实“{}”没有关联证据，请关联照片或者笔录", fact.fact);
            Finding::block("P4", BASIS, message)
        })
        .collect()
}

/// P8: two years, five where life, health or financial safety was harmed; never late on the spot.
fn limitation(facts: &OnSpotFacts, now: Timestamp) -> Option<Finding> {
    // 《行政处罚法》第三十六条: 二年内未被发现的, 不再给予行政处罚; 有危害后果的延长至五年.
    const BASIS: &str = "《行政处罚法》第三十六条";
    let block = |message: &str| Some(Finding::block("R-16", BASIS, message));
    let Some(ended_at) = facts.act_ended_at else {
        return block("没有填写违法行为发生（终了）的时间，请填写");
    };
    if ended_at > now {
        return block("违法行为发生（终了）的时间晚于当前时间，请核对");
    }
    let expired = |months: u32| {
        let last = ended_at.legal_date().checked_add_months(Months::new(months));
        last.is_none_or(|last| now.legal_date() > last)
    };
    if expired(LIMITATION_HARM_MONTHS) {
        return block("违法行为终了已超过五年，不再给予行政处罚");
    }
    if expired(LIMITATION_MONTHS) {
        return block(
            "违法行为终了已超过二年，不得当场处罚；涉及生命健康安全、金融安全且有危害后果的请转普通程序",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tests::citizen;
    use super::super::{EarlierFine, FactEvidence};
    use super::*;
    use crate::rule::{Weight, blocks};
    use crate::rulebook::sample::{at, day};

    /// 《行政处罚法》第三十六条: the anniversary itself is still within the period.
    #[test]
    fn limitation_of_two_and_five_years() {
        let table = [
            (day(2024, 11, 24), None),
            (day(2024, 11, 23), Some("二年")),
            (day(2021, 11, 24), Some("二年")),
            (day(2021, 11, 23), Some("五年")),
            (day(2026, 11, 25), Some("晚于当前时间")),
        ];
        for (ended_on, expected) in table {
            let mut facts = citizen();
            facts.act_ended_at = Some(Timestamp::start_of(ended_on));
            let finding = limitation(&facts, at(10, 0));
            match expected {
                None => assert_eq!(finding, None, "{ended_on}"),
                Some(word) => assert!(finding.unwrap().message.contains(word), "{ended_on}"),
            }
        }
        let mut facts = citizen();
        facts.act_ended_at = None;
        assert!(limitation(&facts, at(10, 0)).is_some());
    }

    /// 《行政处罚法》第二十七条、第二十九条、第四十条; field case 29.
    #[test]
    fn crime_double_fine_open_case_and_missing_proof_block() {
        type Change = fn(&mut OnSpotFacts);
        let table: [(&str, Change); 5] = [
            ("R-07", |f| f.suspected_crime = true),
            ("R-09", |f| f.earlier_fine = EarlierFine::Found { document_number: "第1号".into() }),
            ("P11", |f| f.open_case = true),
            ("P4", |f| f.fact_evidence.clear()),
            ("P4", |f| {
                f.fact_evidence.push(FactEvidence { fact: "拒不改正".into(), evidence: 0 })
            }),
        ];
        for (code, change) in table {
            let mut facts = citizen();
            change(&mut facts);
            let findings = check(&facts, at(10, 0));
            assert!(blocks(&findings) && findings[0].code == code, "{code}: {findings:?}");
        }
        let mut offline = citizen();
        offline.earlier_fine = EarlierFine::NoneOnDevice;
        assert_eq!(check(&offline, at(10, 0))[0].weight, Weight::Record);
    }
}
