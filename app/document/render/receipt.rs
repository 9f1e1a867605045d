//! 送达回证: that a document reached its recipient, or why its receipt was refused.

use super::page::Frame;
use super::sheet::Sheet;
use super::transcript::officer;
use crate::document::content::DeliveryReceipt;

/// Lays out a delivery receipt.
// 《民事诉讼法》第八十七条、第八十九条: 送达必须有送达回证; 拒绝接收的, 记明拒收事由和日期.
pub(super) fn delivery(sheet: &mut Sheet, body: &DeliveryReceipt) -> Frame {
    sheet.centered(&body.authority);
    sheet.centered("送达回证");
    sheet.gap();
    sheet.field("送达文书名称及文号", &body.document);
    sheet.field("受送达人", &body.recipient);
    sheet.field("送达方式", &body.way);
    sheet.field("送达时间", &body.delivered_at.chinese());
    sheet.field("送达地点", &body.place);
    sheet.optional("拒收理由", body.refusal.as_deref());
    sheet.optional("见证人", body.witness.as_deref());
    let officers: Vec<String> = body.officers.iter().map(officer).collect();
    sheet.field("送达人", &officers.join("、"));
    sheet.gap();
    sheet.block(&[
        "受送达人（代收人及与受送达人关系）签名：".to_owned(),
        "                              年    月    日    时    分".to_owned(),
        String::new(),
        "送达人签名：                    、".to_owned(),
        "见证人签名：".to_owned(),
    ]);
    Frame { number: None, footer: Vec::new() }
}
