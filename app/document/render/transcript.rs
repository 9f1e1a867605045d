//! 现场检查笔录 and 询问笔录: read back, corrected, and signed on every page.

use super::page::Frame;
use super::sheet::{Sheet, struck};
use crate::document::content::{
    InterviewTranscript, PrintedFinding, PrintedOfficer, PrintedParty, PrintedPerson,
    SceneTranscript,
};

/// Lays out a scene transcript.
// 《关于行政诉讼证据若干问题的规定》第十五条: 现场笔录应当载明时间、地点和事件等内容, 由执法人员和当事人签名.
pub(super) fn scene(sheet: &mut Sheet, body: &SceneTranscript) -> Frame {
    sheet.centered("现场检查笔录");
    sheet.gap();
    let (from, to) = (body.started_at.chinese(), body.ended_at.chinese());
    sheet.field("检查时间", &format!("{from} 至 {to}"));
    sheet.field("检查地点", &body.place);
    sheet.field("检查机关", &body.authorities.join("、"));
    party(sheet, "被检查人", &body.party);
    person(sheet, "在场人", &body.person_present);
    let mut officers = body.officers.iter();
    sheet.optional("检查人", officers.next().map(officer).as_deref());
    sheet.optional("记录人", officers.next().map(officer).as_deref());
    let others: Vec<String> = officers.map(officer).collect();
    if !others.is_empty() {
        sheet.field("其他执法人员", &others.join("、"));
    }
    sheet.gap();
    sheet.heading("告知事项：");
    sheet.paragraph(&body.told);
    sheet.hanging("在场人答：", &body.told_reply);
    sheet.hanging("是否申请回避：", &body.recusal_reply);
    sheet.gap();
    sheet.heading("现场检查情况：");
    if body.findings.is_empty() {
        sheet.paragraph("");
    }
    for (number, found) in (1..).zip(&body.findings) {
        sheet.hanging(&format!("{number}. "), &finding(found));
    }
    sheet.gap();
    evidence(sheet, &body.evidence);
    sheet.heading("当事人（在场人）陈述：");
    sheet.paragraph(&body.statement);
    sheet.gap();
    closing(sheet, "在场人");
    Frame {
        number: None,
        footer: vec![
            "当事人（在场人）签名：                    年    月    日    时    分".to_owned(),
            "检查人签名：                      记录人签名：".to_owned(),
            "见证人签名：".to_owned(),
        ],
    }
}

/// Lays out an interview transcript; one person each.
// 《行政处罚法》第五十五条第二款: 当事人或者有关人员应当如实回答询问; 询问应当制作笔录.
pub(super) fn interview(sheet: &mut Sheet, body: &InterviewTranscript) -> Frame {
    sheet.centered("询问笔录");
    sheet.centered(&format!("（第 {} 次询问）", body.nth));
    sheet.gap();
    sheet.field("询问机关", &body.authority);
    let (from, to) = (body.started_at.chinese(), body.ended_at.chinese());
    sheet.field("询问时间", &format!("{from} 至 {to}"));
    sheet.field("询问地点", &body.place);
    sheet.field("询问人", &officer(&body.asker));
    sheet.field("记录人", &officer(&body.recorder));
    person(sheet, "被询问人", &body.interviewee);
    sheet.gap();
    sheet.heading("告知事项：");
    sheet.paragraph(&body.opening);
    sheet.hanging("是否申请回避：", &body.recusal_reply);
    sheet.gap();
    for turn in &body.dialog {
        sheet.hanging("问：", &turn.question);
        sheet.hanging("答：", &turn.answer);
    }
    sheet.gap();
    closing(sheet, "被询问人");
    Frame {
        number: None,
        footer: vec![
            "被询问人签名（捺印）：                    年    月    日    时    分".to_owned(),
            "询问人签名：                      记录人签名：".to_owned(),
        ],
    }
}

/// The words that the person, not the officer, writes (`domain` D-05).
fn closing(sheet: &mut Sheet, who: &str) {
    sheet.block(&[
        format!("以上笔录交{who}核对（无阅读能力的，已向其宣读）。由{who}书写核对意见并签名："),
        "（书写“以上笔录我已看过（已向我宣读），与我说的一致”或更正意见）".to_owned(),
        String::new(),
        String::new(),
    ]);
}

fn finding(found: &PrintedFinding) -> String {
    let mut text = format!("{}：{}。", struck(&found.entry), struck(&found.result));
    let note = found.note.trim();
    if !note.is_empty() {
        text.push_str(note);
    }
    if !found.evidence.is_empty() {
        let numbers: Vec<String> = found.evidence.iter().map(u32::to_string).collect();
        text.push_str(&format!("（见证据{}）", numbers.join("、")));
    }
    text
}

/// Writes the list of evidence, struck when there is none.
pub(super) fn evidence(sheet: &mut Sheet, list: &[(u32, String)]) {
    sheet.heading("证据：");
    if list.is_empty() {
        sheet.paragraph("");
    }
    for (number, description) in list {
        sheet.hanging(&format!("证据{number}："), description);
    }
    sheet.gap();
}

/// Returns an officer with the certificate that was shown.
// 《行政处罚法》第五十五条第一款: 应当主动向当事人或者有关人员出示执法证件.
pub(super) fn officer(one: &PrintedOfficer) -> String {
    format!(
        "{}（{}，执法证号{}）",
        one.name,
        struck(&one.authority),
        struck(&one.certificate_number)
    )
}

/// Writes who the party is; every field is there, filled in or struck.
pub(super) fn party(sheet: &mut Sheet, label: &str, one: &PrintedParty) {
    sheet.field(label, &one.name);
    sheet.optional("统一社会信用代码", one.credit_code.as_deref());
    sheet.pair(
        ("法定代表人（负责人）", one.person_in_charge.as_deref()),
        ("联系电话", one.phone.as_deref()),
    );
    sheet.optional("身份证件号码", one.identity_number.as_deref());
    sheet.field("地址", &one.address);
}

fn person(sheet: &mut Sheet, label: &str, one: &PrintedPerson) {
    sheet.pair((label, Some(one.name.as_str())), ("性别", one.sex.as_deref()));
    sheet.optional("证件类型及号码", one.identity.as_deref());
    sheet.pair(("工作单位及职务", one.post.as_deref()), ("电话", one.phone.as_deref()));
    sheet.optional("住址", one.address.as_deref());
    sheet.optional("与本案关系", one.relation.as_deref());
}
