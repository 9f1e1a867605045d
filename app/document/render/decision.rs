//! Documents in an authority's name: 行政检查通知书, 当场行政处罚决定书, 责令改正通知书.

use sync_model::money::Fen;
use sync_model::time::Timestamp;

use super::page::Frame;
use super::sheet::Sheet;
use super::transcript::{evidence, officer, party};
use crate::document::content::{CorrectionOrder, InspectionNotice, OnSpotDecision, PrintedOfficer};

/// Lays out a notice of inspection.
pub(super) fn notice(sheet: &mut Sheet, body: &InspectionNotice) -> Frame {
    heads(sheet, &body.authority, "行政检查通知书", None);
    party(sheet, "被检查人", &body.party);
    sheet.gap();
    sheet.paragraph(&format!("本机关定于{}对你（单位）进行行政检查。", body.at.chinese()));
    sheet.heading("检查事项及依据：");
    if body.matters.is_empty() {
        sheet.paragraph("");
    }
    for (number, (matter, basis)) in (1..).zip(&body.matters) {
        sheet.hanging(&format!("{number}. "), &format!("{matter}。依据：{basis}"));
    }
    officers(sheet, "检查人员", &body.officers);
    sheet.gap();
    sheet.heading("告知事项：");
    if body.told.is_empty() {
        sheet.paragraph("");
    }
    for told in &body.told {
        sheet.paragraph(told);
    }
    sheet.optional("行政行为码", body.visit_code.as_deref());
    sheet.field("监督电话", &body.supervision_phone);
    issued(sheet, &body.authority, body.at);
    receipt(sheet, "被检查人签收");
    Frame { number: None, footer: Vec::new() }
}

/// Lays out an on-the-spot decision with everything the law asks it to state.
// 《行政处罚法》第五十二条第二款: 违法行为, 处罚的种类和依据, 罚款数额, 时间, 地点,
// 申请行政复议、提起行政诉讼的途径和期限以及行政机关名称, 并由执法人员签名或者盖章.
pub(super) fn on_spot(sheet: &mut Sheet, body: &OnSpotDecision) -> Frame {
    heads(sheet, &body.authority, "当场行政处罚决定书", Some(&body.number));
    party(sheet, "当事人", &body.party);
    sheet.gap();
    sheet.heading("违法行为：");
    sheet.field("行为时间", &body.acted_at.chinese());
    sheet.field("行为地点", &body.place);
    sheet.paragraph(&body.violation);
    evidence(sheet, &body.evidence);
    sheet.field("违反的规定", &body.violated_norm);
    sheet.field("处罚依据", &body.penalty_norm);
    sheet.field("裁量", &body.discretion);
    sheet.field("陈述和申辩", &body.defense);
    sheet.gap();
    sheet.heading("决定给予以下行政处罚：");
    for (number, penalty) in (1..).zip(penalties(body)) {
        sheet.hanging(&format!("{number}. "), &penalty);
    }
    sheet.field("责令改正", &body.correction);
    sheet.field("罚款缴纳", &body.payment);
    sheet.gap();
    sheet.heading("救济途径：");
    // 《行政复议法》第二十三条: 对当场作出的行政处罚决定不服的, 应当先申请行政复议, 并应当告知.
    sheet.paragraph(&body.remedies);
    sheet.gap();
    sheet.field("决定时间", &body.decided_at.chinese());
    sheet.field("决定地点", &body.decided_place);
    officers(sheet, "执法人员", &body.officers);
    sheet.block(&["执法人员签名：                    、".to_owned(), String::new()]);
    issued(sheet, &body.authority, body.decided_at);
    receipt(sheet, "当事人签收（拒绝签收的注明）");
    Frame { number: Some(body.number.clone()), footer: Vec::new() }
}

/// Lays out an order to correct.
// 《行政处罚法》第二十八条: 实施行政处罚时, 应当责令当事人改正或者限期改正违法行为.
pub(super) fn correction(sheet: &mut Sheet, body: &CorrectionOrder) -> Frame {
    heads(sheet, &body.authority, "责令改正通知书", None);
    party(sheet, "当事人", &body.party);
    sheet.gap();
    sheet.heading("事实：");
    sheet.paragraph(&body.facts);
    sheet.field("违反的规定", &body.violated_norm);
    sheet.heading("责令改正内容：");
    sheet.paragraph(&body.order);
    let by = match body.correct_by_on {
        Some(date) => format!("{}前（含当日）", date.format("%Y年%m月%d日")),
        None => "立即".to_owned(),
    };
    sheet.field("改正期限", &by);
    sheet.gap();
    sheet.heading("救济途径：");
    sheet.paragraph(&body.remedies);
    officers(sheet, "执法人员", &body.officers);
    issued(sheet, &body.authority, body.at);
    receipt(sheet, "当事人签收");
    Frame { number: None, footer: Vec::new() }
}

fn heads(sheet: &mut Sheet, authority: &str, title: &str, number: Option<&str>) {
    sheet.centered(authority);
    sheet.centered(title);
    if let Some(number) = number {
        sheet.right(number);
    }
    sheet.gap();
}

/// Returns the kinds of penalty, amounts in digits and capitals.
fn penalties(body: &OnSpotDecision) -> Vec<String> {
    let mut kinds = Vec::new();
    if body.warning {
        kinds.push("警告".to_owned());
    }
    if body.fine_fen != 0 {
        let fine = Fen(body.fine_fen);
        kinds.push(format!("罚款人民币{}（¥{fine}）", fine.capitals()));
    }
    if kinds.is_empty() {
        kinds.push(String::new());
    }
    kinds
}

fn officers(sheet: &mut Sheet, label: &str, list: &[PrintedOfficer]) {
    let written: Vec<String> = list.iter().map(officer).collect();
    sheet.field(label, &written.join("、"));
}

/// The authority with its stamp and the date.
fn issued(sheet: &mut Sheet, authority: &str, at: Timestamp) {
    sheet.gap();
    sheet.right(&format!("{authority}（印章）"));
    sheet.right(&at.chinese());
    sheet.gap();
}

/// Where the receiver signs, at the end.
fn receipt(sheet: &mut Sheet, label: &str) {
    sheet.block(&[
        format!("{label}："),
        "                              年    月    日    时    分".to_owned(),
    ]);
}
