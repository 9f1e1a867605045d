//! When a transcript begins and ends, and that nobody is in two places at once.
//!
//! Rule D-03. Times count to the minute, as they are printed.

use super::{OtherTranscript, TranscriptFacts, TranscriptKind};
use crate::rule::Finding;
use crate::rulebook::policy::Policies;
use crate::time::Timestamp;

/// 笔录应当写明时间、地点和事件.
const BASIS: &str = "《最高人民法院关于行政诉讼证据若干问题的规定》第十五条";
/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;

pub(super) fn check(facts: &TranscriptFacts, policies: &Policies, now: Timestamp) -> Vec<Finding> {
    let (Some(started), Some(ended)) = (facts.started_at, facts.ended_at) else {
        let message = "没有填写开始和结束时间，请精确到分钟填写后再签名";
        return vec![Finding::block("D-03", BASIS, message)];
    };
    let (start_minute, end_minute) = (minute(started), minute(ended));
    if end_minute <= start_minute {
        let message = "结束时间不晚于开始时间，请核对笔录时间";
        return vec![Finding::block("D-03", BASIS, message)];
    }
    let mut findings = Vec::new();
    if end_minute > minute(now) {
        let message = "结束时间晚于当前时间，请核对笔录时间和本机时间";
        findings.push(Finding::block("D-03", BASIS, message));
    }
    let minimum = i64::from(match facts.kind {
        TranscriptKind::Interview => policies.interview_min_minutes,
        TranscriptKind::Scene => policies.scene_min_minutes,
    });
    if end_minute.saturating_sub(start_minute) < minimum {
        let message = format!("笔录时长不足{minimum}分钟，与内容不相称，请核对时间或者写明理由");
        findings.push(Finding::warn("D-03", BASIS, message));
    }
    let minutes = (start_minute, end_minute);
    findings.extend(facts.others.iter().filter_map(|other| overlap(facts, other, minutes)));
    findings
}

/// One person cannot be asked, nor one officer ask, in two places at once.
fn overlap(
    facts: &TranscriptFacts,
    other: &OtherTranscript,
    minutes: (i64, i64),
) -> Option<Finding> {
    let overlaps = minute(other.started_at) < minutes.1 && minutes.0 < minute(other.ended_at);
    // The scene record of a visit runs on while somebody is interviewed there.
    if !overlaps || (other.same_visit && other.kind != facts.kind) {
        return None;
    }
    let title = &other.title;
    if facts.officer_ids.iter().any(|id| other.officer_ids.contains(id)) {
        let message =
            format!("执法人员在同一时间参加了另一份笔录（{title}），请核对时间或者更换人员");
        return Some(Finding::block("D-03", BASIS, message));
    }
    if facts.interviewee.is_some() && facts.interviewee == other.interviewee {
        let message = format!("被询问人在同一时间接受了另一次询问（{title}），请核对时间");
        return Some(Finding::block("D-03", BASIS, message));
    }
    None
}

fn minute(at: Timestamp) -> i64 {
    at.0.div_euclid(MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Change, changed, facts};
    use super::*;
    use crate::rule::credential::tests::officer;
    use crate::rule::{Weight, blocks};
    use crate::rulebook::sample::at;

    /// 《最高人民法院关于行政诉讼证据若干问题的规定》第十五条.
    #[test]
    fn start_and_end_are_stated_in_order_and_plausible() {
        let table: [(Weight, Change); 6] = [
            (Weight::Block, |f| f.started_at = None),
            (Weight::Block, |f| f.ended_at = None),
            (Weight::Block, |f| f.ended_at = f.started_at),
            (Weight::Block, |f| f.ended_at = Some(at(9, 0).plus_ms(59_999))),
            (Weight::Block, |f| f.ended_at = Some(at(9, 22))),
            (Weight::Warn, |f| f.started_at = Some(at(9, 19))),
        ];
        for (index, (weight, change)) in table.into_iter().enumerate() {
            let findings = changed(change);
            let found = findings.iter().any(|f| f.code == "D-03" && f.weight == weight);
            assert!(found, "{index}: {findings:?}");
        }
    }

    fn other(from: (i64, i64), to: (i64, i64)) -> OtherTranscript {
        OtherTranscript {
            title: "第2次询问笔录".into(),
            started_at: at(from.0, from.1),
            ended_at: at(to.0, to.1),
            officer_ids: vec![officer(2, "林小燕").officer_id],
            interviewee: None,
            kind: TranscriptKind::Interview,
            same_visit: false,
        }
    }

    fn with(other: OtherTranscript) -> Vec<Finding> {
        let mut facts = facts();
        facts.others.push(other);
        check(&facts, &Policies::default(), at(9, 21))
    }

    /// Field case 7: the same officer in two visits with overlapping times.
    #[test]
    fn an_officer_is_not_in_two_transcripts_at_once() {
        assert!(blocks(&with(other((9, 10), (9, 30)))));
        assert!(blocks(&with(other((8, 0), (12, 0)))));
        assert!(!blocks(&with(other((9, 20), (9, 30)))), "one ends as the other begins");
        assert!(!blocks(&with(other((8, 30), (9, 0)))));
        let mut scene = other((9, 10), (9, 30));
        scene.same_visit = true;
        assert!(blocks(&with(scene.clone())), "two interviews of one visit");
        scene.kind = TranscriptKind::Scene;
        assert!(!blocks(&with(scene)), "the visit's own scene record");
    }

    #[test]
    fn one_person_is_not_interviewed_twice_at_once() {
        let mut same = other((9, 10), (9, 30));
        same.officer_ids = vec![officer(9, "别人").officer_id];
        assert!(!blocks(&with(same.clone())));
        same.interviewee = Some("330106".into());
        assert!(blocks(&with(same)));
    }
}
