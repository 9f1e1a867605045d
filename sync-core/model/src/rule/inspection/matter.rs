//! May this matter be inspected by this authority at this place: known, published, in force, given.
//!
//! Rule R-62 and, for joint inspections, R-67 and R-74.

use super::BeginFacts;
use crate::rule::Finding;
use crate::rulebook::Rulebook;
use crate::rulebook::matter::MatterKind;
use crate::time::Timestamp;

/// 未经公布的事项不得实施检查.
const BASIS_54: &str = "国办发〔2024〕54号";

pub(super) fn check(
    code: &str,
    facts: &BeginFacts,
    rulebook: &Rulebook,
    now: Timestamp,
) -> Vec<Finding> {
    let on = now.legal_date();
    let block = |message: String| vec![Finding::block("R-62", BASIS_54, message)];
    let Some(matter) = rulebook.matter_in_force(code, on).or_else(|| rulebook.matter(code)) else {
        let version = rulebook.version;
        return block(format!(
            "任务中的事项{code}不在本机规则库（第{version}版）中，不得检查该事项，请联网更新规则库；其他事项可以继续检查"
        ));
    };
    let name = &matter.name;
    if matter.kind != MatterKind::Inspection {
        return block(format!("“{name}”不是行政检查事项，不得据此检查，请选择检查事项"));
    }
    if !matter.published {
        return block(format!("“{name}”未列入已公布的检查事项清单，不得检查，请联网更新规则库"));
    }
    if !matter.in_force(on) {
        return block(format!("“{name}”今日不在有效期内，不得检查，请联网更新规则库"));
    }
    // 《浙江省综合行政执法条例》第九条: 目录清单向社会公布后组织实施.
    if rulebook.delegated(&facts.authority_id, code, &facts.region_code, on) {
        return Vec::new();
    }
    let others = rulebook.authorities_for(code, &facts.region_code, on);
    let joint = facts.cooperation.as_deref().is_some_and(|reference| !reference.trim().is_empty());
    match others.first() {
        // 《浙江省综合行政执法条例》第十三条、第二十九条: 联合执法, each authority owns its own result.
        Some(other) if joint => {
            let message = format!("“{name}”由{}参加联合检查并出具结果", other.name);
            vec![Finding::record("R-67", "《浙江省综合行政执法条例》第十三条", message)]
        }
        Some(other) => block(format!(
            "“{name}”不在本机关职权范围内，应当由{}实施，请移交线索或者发起联合检查",
            other.name
        )),
        None => block(format!(
            "“{name}”在该地点没有有权的执法主体，不得检查，请移交线索并联网更新规则库"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::begin_facts;
    use super::*;
    use crate::rule::{Weight, blocks};
    use crate::rulebook::sample::{FOOD_INSPECTION, at, day, rulebook};

    fn check_changed(change: fn(&mut Rulebook), facts: &BeginFacts) -> Vec<Finding> {
        let mut rulebook = rulebook();
        change(&mut rulebook);
        check(FOOD_INSPECTION, facts, &rulebook, at(9, 0))
    }

    /// 国办发〔2024〕54号.
    #[test]
    fn only_published_matters_in_force_are_inspected() {
        let facts = begin_facts();
        assert_eq!(check_changed(|_| {}, &facts), []);
        assert!(blocks(&check_changed(|r| r.matters[0].published = false, &facts)));
        let ended = check_changed(|r| r.matters[0].effective_to = Some(day(2026, 11, 23)), &facts);
        assert!(blocks(&ended));
        let last_day =
            check_changed(|r| r.matters[0].effective_to = Some(day(2026, 11, 24)), &facts);
        assert!(!blocks(&last_day));
        assert!(blocks(&check_changed(|r| r.delegations.clear(), &facts)));
    }

    /// 《浙江省综合行政执法条例》第十三条.
    #[test]
    fn another_authoritys_matter_needs_a_joint_inspection() {
        let mut facts = begin_facts();
        facts.authority_id = "xh-xfjy".into();
        let alone = check_changed(|_| {}, &facts);
        assert!(blocks(&alone));
        assert!(alone[0].message.contains("杭州市西湖区市场监督管理局"), "{}", alone[0].message);
        facts.cooperation = Some("联〔2026〕7号".into());
        let joint = check_changed(|_| {}, &facts);
        assert_eq!(joint.iter().map(|f| f.weight).collect::<Vec<_>>(), [Weight::Record]);
    }
}
