//! Two qualified officers, each in one place at a time, who showed who they are.

use sync_model::credential::OfficerKind;
use sync_model::rule::Finding;

/// 《行政处罚法》第四十二条: 执法人员不得少于两人.
const OFFICERS_MIN: usize = 2;

/// Checks the different officers of an act; `None` is somebody whom HQ does not know.
// 《行政处罚法》第四十二条: 行政处罚应当由具有行政执法资格的执法人员实施, 执法人员不得少于两人.
pub(super) fn check_two(officers: &[Option<OfficerKind>]) -> Vec<Finding> {
    let basis = "《行政处罚法》第四十二条";
    let mut findings = Vec::new();
    if officers.iter().any(Option::is_none) {
        let message = "记录中有总部平台未登记的人员，请核对执法人员信息";
        findings.push(Finding::block("R-90", basis, message));
    }
    let qualified = officers.iter().filter(|kind| **kind == Some(OfficerKind::Officer)).count();
    if qualified < OFFICERS_MIN {
        let message = format!("该行为只有{qualified}名具有执法资格的人员参加，不得少于两人");
        findings.push(Finding::block("R-30", basis, message));
    }
    findings
}

/// Checks that an officer is not on another device at the same time.
pub(super) fn check_overlap(name: &str, others: u64) -> Option<Finding> {
    // 《行政处罚法》第四十二条: two officers are two persons, each of them there.
    (others > 0).then(|| {
        let message = format!("{name}同一时段在另外{others}台终端上值班，请核实谁在现场");
        Finding::block("R-91", "《行政处罚法》第四十二条", message)
    })
}

/// Returns the finding that credentials were not shown before the first act.
// 《行政处罚法》第五十五条: 执法人员在调查或者进行检查时, 应当主动向当事人或者有关人员出示执法证件.
pub(super) fn not_displayed() -> Finding {
    let message = "本次检查在亮证之前已开始执法行为，请说明情况";
    Finding::block("R-92", "《行政处罚法》第五十五条", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_model::rule::blocks;

    fn codes(officers: &[Option<OfficerKind>]) -> Vec<String> {
        let findings = check_two(officers);
        assert_eq!(blocks(&findings), !findings.is_empty());
        findings.into_iter().map(|finding| finding.code).collect()
    }

    /// 《行政处罚法》第四十二条.
    #[test]
    fn an_auxiliary_or_stranger_never_makes_the_second_officer() {
        let (officer, auxiliary) = (Some(OfficerKind::Officer), Some(OfficerKind::Auxiliary));
        assert!(codes(&[officer, officer]).is_empty());
        assert!(codes(&[officer, officer, auxiliary]).is_empty());
        assert_eq!(codes(&[officer, auxiliary]), ["R-30"]);
        assert_eq!(codes(&[officer, None]), ["R-90", "R-30"]);
        assert_eq!(codes(&[]), ["R-30"]);
    }
}
