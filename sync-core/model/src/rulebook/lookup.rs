//! Lookups in the rulebook: the only way rules and screens read it.
//!
//! Every lookup that depends on time takes the legal date; nothing here falls back to a neighbor.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::Rulebook;
use super::authority::Authority;
use super::checklist::{Checklist, MergedChecklist, MergedEntry, MergedGroup};
use super::discretion::{DiscretionBenchmark, Exemption};
use super::matter::Matter;

/// Keys of the text blocks that every rulebook must hold.
pub mod text {
    /// 告知的权利和义务.
    pub const RIGHTS_AND_DUTIES: &str = "rights_and_duties";
    /// 询问是否申请回避.
    pub const RECUSAL_QUESTION: &str = "recusal_question";
    /// 五个严禁、八个不得.
    pub const DISCIPLINE: &str = "discipline";
    /// 笔录结尾语; one variant a line.
    pub const CLOSING_WORDS: &str = "closing_words";
    /// 当场处罚的救济途径, with the reconsideration first.
    pub const ON_SPOT_REMEDIES: &str = "on_spot_remedies";
    /// 普通程序决定的救济途径.
    pub const ORDINARY_REMEDIES: &str = "ordinary_remedies";
    /// 录音录像提示.
    pub const RECORDING_NOTICE: &str = "recording_notice";
    /// 缴款方式、期限和加处罚款.
    pub const PAYMENT_NOTICE: &str = "payment_notice";
    /// 拒签说明.
    pub const REFUSAL_NOTE: &str = "refusal_note";
    /// 先行登记保存告知.
    pub const PRESERVATION_NOTICE: &str = "preservation_notice";
    /// 责令改正.
    pub const CORRECTION_ORDER: &str = "correction_order";
    /// 处罚前告知.
    pub const PRIOR_NOTICE: &str = "prior_notice";
    /// 开场白: who we are and what for.
    pub const OPENING: &str = "opening";

    /// All of them.
    pub const REQUIRED: [&str; 13] = [
        RIGHTS_AND_DUTIES,
        RECUSAL_QUESTION,
        DISCIPLINE,
        CLOSING_WORDS,
        ON_SPOT_REMEDIES,
        ORDINARY_REMEDIES,
        RECORDING_NOTICE,
        PAYMENT_NOTICE,
        REFUSAL_NOTE,
        PRESERVATION_NOTICE,
        CORRECTION_ORDER,
        PRIOR_NOTICE,
        OPENING,
    ];
}

impl Rulebook {
    /// Returns the matter with this code, whatever its dates.
    #[must_use]
    pub fn matter(&self, code: &str) -> Option<&Matter> {
        self.matters.iter().find(|matter| matter.code == code)
    }

    /// Returns the matter with this code if it is in force on `on`.
    ///
    /// A list may hold several versions of one code; the one in force wins.
    #[must_use]
    pub fn matter_in_force(&self, code: &str, on: NaiveDate) -> Option<&Matter> {
        self.matters.iter().find(|matter| matter.code == code && matter.in_force(on))
    }

    /// Returns the authority with this id.
    #[must_use]
    pub fn authority(&self, id: &str) -> Option<&Authority> {
        self.authorities.iter().find(|authority| authority.id == id)
    }

    /// Returns the checklist of a matter.
    #[must_use]
    pub fn checklist_for(&self, matter_code: &str) -> Option<&Checklist> {
        self.checklists.iter().find(|checklist| checklist.matter_code == matter_code)
    }

    /// Returns whether the authority may act on the matter in the region on that day.
    #[must_use]
    pub fn delegated(
        &self,
        authority_id: &str,
        matter_code: &str,
        region_code: &str,
        on: NaiveDate,
    ) -> bool {
        self.delegations.iter().any(|delegation| {
            delegation.authority_id == authority_id
                && delegation.matter_code == matter_code
                && region_code.starts_with(&delegation.region_code)
                && delegation.from <= on
                && delegation.to.is_none_or(|to| on <= to)
        })
    }

    /// Returns the authorities that may act on the matter in the region on that day.
    #[must_use]
    pub fn authorities_for(
        &self,
        matter_code: &str,
        region_code: &str,
        on: NaiveDate,
    ) -> Vec<&Authority> {
        let may = |a: &&Authority| self.delegated(&a.id, matter_code, region_code, on);
        self.authorities.iter().filter(may).collect()
    }

    /// Returns the newest published benchmark of the matter in force on `on`.
    #[must_use]
    pub fn benchmark_at(&self, matter_code: &str, on: NaiveDate) -> Option<&DiscretionBenchmark> {
        // 《行政处罚法》第三十四条: 裁量基准应当向社会公布, so an unpublished one is no benchmark.
        self.benchmarks
            .iter()
            .filter(|benchmark| benchmark.matter_code == matter_code && benchmark.in_force(on))
            .max_by_key(|benchmark| (benchmark.effective_from, benchmark.version))
    }

    /// Returns one edition of one benchmark.
    #[must_use]
    pub fn benchmark(&self, id: &str, version: u32) -> Option<&DiscretionBenchmark> {
        self.benchmarks.iter().find(|benchmark| benchmark.id == id && benchmark.version == version)
    }

    /// Returns the exemption lines of a matter.
    #[must_use]
    pub fn exemptions_for(&self, matter_code: &str) -> Vec<&Exemption> {
        self.exemptions.iter().filter(|exemption| exemption.matter_code == matter_code).collect()
    }

    /// Returns a standing text with its placeholders `{name}` filled.
    ///
    /// A placeholder without a value stays visible, so that nobody prints a blank unnoticed.
    #[must_use]
    pub fn text(&self, key: &str, values: &[(&str, &str)]) -> Option<String> {
        let template = self.text_blocks.get(key)?;
        let fill = |text: String, (name, value): &(&str, &str)| {
            text.replace(&format!("{{{name}}}"), value)
        };
        Some(values.iter().fold(template.clone(), fill))
    }

    /// Returns the remedies an on-the-spot decision of this authority prints.
    #[must_use]
    pub fn on_spot_remedies(&self, authority_id: &str) -> Option<String> {
        let authority = self.authority(authority_id)?;
        let values = [
            ("authority", authority.name.as_str()),
            ("reconsideration_body", authority.reconsideration_body.as_str()),
            ("court", authority.court.as_str()),
            ("online_remedy", authority.online_remedy.as_str()),
        ];
        self.text(text::ON_SPOT_REMEDIES, &values)
    }

    /// Returns one checklist for one walk through the premises (一表通查, R-67).
    ///
    /// Entries stand under their headings; the same text under the same heading stands once.
    #[must_use]
    pub fn merged_checklist(&self, matter_codes: &[&str]) -> MergedChecklist {
        let mut merged = MergedChecklist::default();
        let mut seen = BTreeSet::new();
        for code in matter_codes.iter().filter(|code| seen.insert(**code)) {
            match self.checklist_for(code) {
                Some(checklist) => merge(&mut merged, checklist),
                None => merged.matters_without_checklist.push((*code).to_owned()),
            }
        }
        merged
    }
}

impl DiscretionBenchmark {
    /// Returns whether the benchmark is published and in force on `on`.
    #[must_use]
    pub fn in_force(&self, on: NaiveDate) -> bool {
        self.published_on.is_some_and(|published_on| published_on <= on)
            && self.effective_from <= on
            && self.effective_to.is_none_or(|to| on <= to)
    }
}

fn merge(merged: &mut MergedChecklist, checklist: &Checklist) {
    for entry in &checklist.entries {
        let same = merged
            .groups
            .iter_mut()
            .flat_map(|group| &mut group.entries)
            .find(|other| fold(&other.entry.text) == fold(&entry.text));
        if let Some(other) = same {
            other.entry.photo_required |= entry.photo_required;
            other.entry_ids.push(entry.id.clone());
            if !other.matter_codes.contains(&checklist.matter_code) {
                other.matter_codes.push(checklist.matter_code.clone());
            }
            if !other.entry.basis.contains(&entry.basis) {
                other.entry.basis = format!("{}；{}", other.entry.basis, entry.basis);
            }
            continue;
        }
        let new = MergedEntry {
            entry: entry.clone(),
            entry_ids: vec![entry.id.clone()],
            matter_codes: vec![checklist.matter_code.clone()],
        };
        match merged.groups.iter_mut().find(|group| group.name == entry.group) {
            Some(group) => group.entries.push(new),
            None => {
                let name = entry.group.clone();
                merged.groups.push(MergedGroup { name, entries: vec![new] });
            }
        }
    }
}

/// Texts are the same if only spaces and closing punctuation differ.
fn fold(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '。' | '；' | '？' | '?')).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{
        CLEAN, FOOD_INSPECTION, PRICE, REGISTRATION_INSPECTION, STALL, TOWN, day, rulebook,
    };
    use super::text;

    /// 《浙江省综合行政执法条例》第十三条: 对同一对象的多项检查一次完成.
    #[test]
    fn entries_shared_by_two_matters_stand_once_and_serve_both() {
        let rulebook = rulebook();
        let single: usize = [FOOD_INSPECTION, REGISTRATION_INSPECTION]
            .iter()
            .filter_map(|code| rulebook.checklist_for(code))
            .map(|checklist| checklist.entries.len())
            .sum();
        let merged = rulebook.merged_checklist(&[
            FOOD_INSPECTION,
            REGISTRATION_INSPECTION,
            FOOD_INSPECTION,
            "330206999999",
        ]);
        let entries: Vec<_> = merged.groups.iter().flat_map(|group| &group.entries).collect();
        assert!(entries.len() < single);
        let shared = entries.iter().find(|entry| entry.matter_codes.len() == 2).unwrap();
        assert_eq!(shared.matter_codes, [FOOD_INSPECTION, REGISTRATION_INSPECTION]);
        assert_eq!(shared.entry_ids.len(), 2);
        assert_eq!(merged.matters_without_checklist, ["330206999999"]);
        assert!(merged.groups.iter().all(|group| !group.entries.is_empty()));
        let ids: usize = entries.iter().map(|entry| entry.entry_ids.len()).sum();
        assert_eq!(ids, single, "no entry may get lost in the merge");
    }

    /// Field case 12: 《浙江省综合行政执法条例》第九条, the town's list was cut.
    #[test]
    fn a_delegation_ends_on_its_last_day_and_covers_the_towns_below() {
        let rulebook = rulebook();
        assert!(rulebook.delegated("bs-town", STALL, TOWN, day(2026, 10, 31)));
        assert!(!rulebook.delegated("bs-town", STALL, TOWN, day(2026, 11, 1)));
        assert!(!rulebook.delegated("bs-town", STALL, "330106003", day(2026, 10, 31)));
        assert!(rulebook.delegated("xh-zhzf", STALL, TOWN, day(2026, 11, 24)));
        assert!(!rulebook.delegated("xh-zhzf", STALL, "330105004", day(2026, 11, 24)));
        let able = rulebook.authorities_for(CLEAN, TOWN, day(2026, 11, 24));
        let ids: Vec<&str> = able.iter().map(|authority| authority.id.as_str()).collect();
        assert_eq!(ids, ["xh-zhzf", "bs-town"]);
    }

    /// 《行政处罚法》第三十四条: only a published benchmark counts, and the one of that day.
    #[test]
    fn the_benchmark_in_force_on_the_day_is_found() {
        let mut rulebook = rulebook();
        let newest = rulebook.benchmark_at(PRICE, day(2026, 11, 24)).unwrap().version;
        let older = rulebook.benchmark_at(PRICE, day(2025, 6, 1)).unwrap().version;
        assert!(older < newest);
        assert!(rulebook.benchmark_at(PRICE, day(2000, 1, 1)).is_none());
        for benchmark in &mut rulebook.benchmarks {
            benchmark.published_on = Some(day(2026, 11, 25));
        }
        assert!(rulebook.benchmark_at(PRICE, day(2026, 11, 24)).is_none(), "published tomorrow");
        assert!(rulebook.benchmark_at(PRICE, day(2026, 11, 25)).is_some());
        for benchmark in &mut rulebook.benchmarks {
            benchmark.published_on = None;
        }
        assert!(rulebook.benchmark_at(PRICE, day(2026, 11, 24)).is_none());
    }

    /// 《行政复议法》第二十三条: 当场处罚先复议.
    #[test]
    fn remedies_name_the_authoritys_own_reconsideration_body() {
        let rulebook = rulebook();
        let text = rulebook.on_spot_remedies("xh-zhzf").unwrap();
        assert!(text.contains("先向杭州市西湖区人民政府申请行政复议"), "{text}");
        assert!(text.contains("向杭州市西湖区人民法院提起行政诉讼"), "{text}");
        assert!(!text.contains('{'), "{text}");
        assert_eq!(rulebook.on_spot_remedies("nobody"), None);
        assert_eq!(rulebook.text("no_such_block", &[]), None);
        assert!(text::REQUIRED.iter().all(|key| rulebook.text_blocks.contains_key(*key)));
    }
}
