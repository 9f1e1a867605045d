//! Who may act: at least two officers, each with a certificate in force, each proven present.
//!
//! Rules. Evaluated at every legally relevant act, with that act's time.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Finding;
use crate::credential::CertificateStatus;
use crate::id::OfficerId;
use crate::rulebook::policy::Policies;
use crate::time::Timestamp;

/// 执法人员不得少于两人.
const ARTICLE_42: &str = "《行政处罚法》第四十二条";
/// No policy may go below the law.
const OFFICERS_MIN: usize = 2;

/// One certificate (执法证件) as the device knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Opaque number.
    pub number: String,
    /// First instant of validity.
    pub valid_from: Timestamp,
    /// Last instant of validity, inclusive.
    pub valid_to: Timestamp,
    /// What HQ last said of it.
    pub status: CertificateStatus,
    /// When HQ said so.
    pub status_as_of: Timestamp,
}

/// How an officer's presence was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofOfPresence {
    /// Unlocked his own key on this device.
    OwnUnlock,
    /// Co-signed on his own device.
    OwnDevice,
    /// A name typed by somebody else: proves nothing.
    None,
}

/// One person who is said to act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerFacts {
    /// Who.
    pub officer_id: OfficerId,
    /// Name, for the message.
    pub name: String,
    /// 执法辅助人员: never counts.
    pub is_auxiliary: bool,
    /// His certificate, if any is known.
    pub certificate: Option<CertificateFacts>,
    /// How he was proven present.
    pub presence: ProofOfPresence,
}

/// Checks that enough qualified officers act at `now`.
#[must_use]
pub fn check_officers(
    officers: &[OfficerFacts],
    policies: &Policies,
    now: Timestamp,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut counted = BTreeSet::new();
    for officer in officers {
        match disqualification(officer, policies, now) {
            Some(finding) => findings.push(finding),
            // The same person twice is one person.
            None => drop(counted.insert(officer.officer_id)),
        }
        findings.extend(freshness_warning(officer, policies, now));
    }
    let needed = usize::try_from(policies.officers_min).unwrap_or(usize::MAX).max(OFFICERS_MIN);
    if counted.len() < needed {
        let message = format!(
            "持有效执法证件并到场认证的执法人员只有{}人，不得少于{needed}人；请另一名执法人员本人解锁或者用自己的终端会签，只能开展宣传、劝阻和线索记录",
            counted.len()
        );
        findings.push(Finding::block("R-30", ARTICLE_42, message));
    }
    findings
}

/// Returns why this person does not count, if he does not; a warning, since others may suffice.
fn disqualification(
    officer: &OfficerFacts,
    policies: &Policies,
    now: Timestamp,
) -> Option<Finding> {
    let name = &officer.name;
    let warn = |code: &str, basis: &str, message: String| Some(Finding::warn(code, basis, message));
    if officer.is_auxiliary {
        // 《浙江省综合行政执法条例》第三十条: auxiliaries only assist.
        let message = format!(
            "{name}是执法辅助人员，不计入执法人员人数，只能从事宣传、巡查、劝阻、送达等辅助工作"
        );
        return Some(Finding::record("R-63", "《浙江省综合行政执法条例》第三十条", message));
    }
    let Some(certificate) = &officer.certificate else {
        return warn(
            "R-90",
            ARTICLE_42,
            format!("{name}没有执法证件信息，不计入执法人员人数，请联网更新或者更换人员"),
        );
    };
    let status = match certificate.status {
        CertificateStatus::Active => None,
        CertificateStatus::Suspended => Some("已暂扣"),
        CertificateStatus::Cancelled => Some("已注销"),
        CertificateStatus::Lost => Some("已挂失"),
    };
    if let Some(status) = status {
        return warn(
            "R-90",
            ARTICLE_42,
            format!("{name}的执法证件{status}，自此不计入执法人员人数，请更换人员"),
        );
    }
    if now < certificate.valid_from || now > certificate.valid_to {
        return warn(
            "R-90",
            ARTICLE_42,
            format!("{name}的执法证件不在有效期内，自此不计入执法人员人数，请更换人员"),
        );
    }
    let age_ms = now.since_ms(certificate.status_as_of);
    if age_ms > hours_ms(policies.credential_freshness_block_h) {
        let hours = policies.credential_freshness_block_h;
        return warn(
            "R-90",
            ARTICLE_42,
            format!("{name}的执法证件状态超过{hours}小时未更新，不计入执法人员人数，请联网更新"),
        );
    }
    if officer.presence == ProofOfPresence::None {
        return warn(
            "R-91",
            ARTICLE_42,
            format!("{name}没有本人解锁或者会签，不能证明在场，请本人在终端上解锁"),
        );
    }
    None
}

fn freshness_warning(
    officer: &OfficerFacts,
    policies: &Policies,
    now: Timestamp,
) -> Option<Finding> {
    let certificate = officer.certificate.as_ref().filter(|_| !officer.is_auxiliary)?;
    let age_ms = now.since_ms(certificate.status_as_of);
    let stale = age_ms > hours_ms(policies.credential_freshness_warn_h)
        && age_ms <= hours_ms(policies.credential_freshness_block_h);
    stale.then(|| {
        let message = format!(
            "{}的执法证件状态截至{}，请尽快联网更新",
            officer.name,
            certificate.status_as_of.chinese()
        );
        Finding::record("R-90", ARTICLE_42, message)
    })
}

fn hours_ms(hours: u32) -> i64 {
    i64::from(hours).saturating_mul(3_600_000)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::rule::{blocks, warns};
    use crate::rulebook::sample::{at, day};

    /// Two officers in order, as every other rule's tests need them.
    pub(crate) fn pair() -> Vec<OfficerFacts> {
        vec![officer(1, "陈建国"), officer(2, "林小燕")]
    }

    pub(crate) fn officer(number: u8, name: &str) -> OfficerFacts {
        OfficerFacts {
            officer_id: OfficerId::new(i64::from(number), &[number; 10]),
            name: name.to_owned(),
            is_auxiliary: false,
            certificate: Some(CertificateFacts {
                number: format!("3301060{number}"),
                valid_from: Timestamp::start_of(day(2024, 1, 1)),
                valid_to: Timestamp::start_of(day(2029, 1, 1)).plus_ms(-1),
                status: CertificateStatus::Active,
                status_as_of: at(7, 0),
            }),
            presence: ProofOfPresence::OwnUnlock,
        }
    }

    fn check(officers: &[OfficerFacts], now: Timestamp) -> Vec<Finding> {
        check_officers(officers, &Policies::default(), now)
    }

    /// 《行政处罚法》第四十二条.
    #[test]
    fn two_qualified_officers_pass_and_one_does_not() {
        assert_eq!(check(&pair(), at(9, 0)), []);
        assert!(blocks(&check(&[officer(1, "陈建国")], at(9, 0))));
        assert!(blocks(&check(&[], at(9, 0))));
        let twice = [officer(1, "陈建国"), officer(1, "陈建国")];
        assert!(blocks(&check(&twice, at(9, 0))), "the same officer twice is one officer");
        let looser = Policies { officers_min: 0, ..Policies::default() };
        assert!(blocks(&check_officers(&[officer(1, "陈建国")], &looser, at(9, 0))));
    }

    /// 《行政处罚法》第四十二条; field case 5: the certificate ends at midnight during the shift.
    #[test]
    fn a_certificate_that_ends_at_midnight_counts_until_then() {
        let midnight = Timestamp::start_of(day(2026, 11, 25));
        let mut officers = pair();
        officers[1].certificate.as_mut().unwrap().valid_to = midnight.plus_ms(-1);
        assert!(!blocks(&check(&officers, midnight.plus_ms(-1))));
        assert!(blocks(&check(&officers, midnight)));
        officers.push(officer(3, "周明"));
        let findings = check(&officers, midnight);
        assert!(!blocks(&findings) && warns(&findings), "a third officer keeps the visit going");
    }

    /// 《浙江省综合行政执法条例》第三十条; field case 6.
    #[test]
    fn an_auxiliary_never_counts() {
        let mut officers = pair();
        officers[1].is_auxiliary = true;
        let findings = check(&officers, at(9, 0));
        assert!(blocks(&findings));
        assert!(findings.iter().any(|finding| finding.code == "R-63"));
    }

    /// 《行政处罚法》第四十二条; field case 7: a typed name proves nothing.
    #[test]
    fn an_officer_without_his_own_unlock_does_not_count() {
        let mut officers = pair();
        officers[1].presence = ProofOfPresence::None;
        let findings = check(&officers, at(9, 0));
        assert!(blocks(&findings));
        assert!(findings.iter().any(|finding| finding.code == "R-91"));
        officers[1].presence = ProofOfPresence::OwnDevice;
        assert!(!blocks(&check(&officers, at(9, 0))));
    }

    /// status older than 24 hours is told, older than 72 does not count.
    #[test]
    fn a_stale_status_is_told_and_then_blocks() {
        let officers = pair();
        let as_of = at(7, 0);
        for (hours, told, blocked) in
            [(24, false, false), (25, true, false), (72, true, false), (73, true, true)]
        {
            let findings = check(&officers, as_of.plus_ms(hours * 3_600_000));
            assert_eq!(!findings.is_empty(), told, "{hours}");
            assert_eq!(blocks(&findings), blocked, "{hours}");
        }
    }

    #[test]
    fn suspended_cancelled_lost_and_missing_certificates_do_not_count() {
        for status in
            [CertificateStatus::Suspended, CertificateStatus::Cancelled, CertificateStatus::Lost]
        {
            let mut officers = pair();
            officers[0].certificate.as_mut().unwrap().status = status;
            assert!(blocks(&check(&officers, at(9, 0))), "{status:?}");
        }
        let mut officers = pair();
        officers[0].certificate = None;
        assert!(blocks(&check(&officers, at(9, 0))));
    }
}
