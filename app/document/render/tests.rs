//! Golden pages of every document, and what must hold of any page whatever was typed.

use std::io::Write;
use std::path::PathBuf;

use chrono::NaiveDate;
use sync_model::time::Timestamp;

use super::width::columns_of;
use super::*;
use crate::document::content::{
    CorrectionOrder, DeliveryReceipt, InspectionNotice, InterviewTranscript, OnSpotDecision,
    PrintedFinding, PrintedOfficer, PrintedParty, PrintedPerson, QuestionAnswer, SceneTranscript,
};

/// 2026-03-02 14:05 in Asia/Shanghai.
const AT: Timestamp = Timestamp(1_772_431_500_000);

fn officers() -> Vec<PrintedOfficer> {
    [("王秀英", "浙A0100123"), ("李建国", "浙A0100124")]
        .map(|(name, number)| PrintedOfficer {
            name: name.to_owned(),
            certificate_number: number.to_owned(),
            authority: "杭州市滨江区综合行政执法局".to_owned(),
        })
        .to_vec()
}

fn party() -> PrintedParty {
    PrintedParty {
        name: "杭州市滨江区老街坊餐饮店".to_owned(),
        credit_code: Some("92330108MA2AXXXX4N".to_owned()),
        identity_number: None,
        person_in_charge: Some("陈䶮".to_owned()),
        address: "杭州市滨江区长河街道江南大道100号1幢102室".to_owned(),
        phone: Some("13800000000".to_owned()),
    }
}

fn person() -> PrintedPerson {
    PrintedPerson {
        name: "陈䶮".to_owned(),
        sex: Some("女".to_owned()),
        identity: Some("居民身份证 330108199001010000".to_owned()),
        post: Some("老街坊餐饮店店长".to_owned()),
        address: None,
        phone: Some("13800000000".to_owned()),
        relation: Some("被检查单位负责人".to_owned()),
    }
}

fn told() -> String {
    "我们是杭州市滨江区综合行政执法局执法人员王秀英、李建国，执法证号浙A0100123、浙A0100124，现依法进行检查，请予配合。\n\
     你（单位）有权拒绝与检查无关的要求，有权申请执法人员回避，有权进行陈述和申辩；应当如实回答询问并协助检查。"
        .to_owned()
}

fn scene(findings: usize) -> Content {
    let finding = |number: usize| PrintedFinding {
        entry: ["食品经营许可证公示", "从业人员健康证明", "后厨地面清洁"][number % 3].to_owned(),
        result: ["不合格", "合格", "未检查"][number % 3].to_owned(),
        note: ["许可证原件放在收银台抽屉内，店堂未见公示。", "", ""][number % 3].to_owned(),
        evidence: if number.is_multiple_of(3) { vec![1, 2] } else { vec![] },
    };
    Content::Scene(SceneTranscript {
        authorities: vec![
            "杭州市滨江区综合行政执法局".to_owned(),
            "杭州市滨江区市场监督管理局".to_owned(),
        ],
        started_at: AT,
        ended_at: AT.plus_ms(35 * 60_000),
        place: party().address,
        party: party(),
        person_present: person(),
        officers: officers(),
        told: told(),
        told_reply: "听清楚了。".to_owned(),
        recusal_reply: "不申请回避".to_owned(),
        findings: (0..findings).map(finding).collect(),
        evidence: vec![
            (1, "收银台抽屉内许可证照片".to_owned()),
            (2, "店堂墙面照片（未见公示）".to_owned()),
        ],
        statement: "许可证昨天擦墙时取下，忘记挂回，马上改正。".to_owned(),
    })
}

fn interview(turns: usize) -> Content {
    let mut officers = officers().into_iter();
    let turn = QuestionAnswer {
        question: "食品经营许可证为什么没有公示？".to_owned(),
        answer:
            "昨天（3月1日）打扫卫生时取下来的，放在收银台抽屉里，忘记挂回去了。\n以前一直挂着。"
                .to_owned(),
    };
    Content::Interview(InterviewTranscript {
        authority: "杭州市滨江区综合行政执法局".to_owned(),
        nth: 1,
        started_at: AT,
        ended_at: AT.plus_ms(20 * 60_000),
        place: "杭州市滨江区老街坊餐饮店店堂".to_owned(),
        asker: officers.next().unwrap(),
        recorder: officers.next().unwrap(),
        interviewee: person(),
        opening: told(),
        recusal_reply: "不申请回避".to_owned(),
        dialog: vec![turn; turns],
    })
}

fn decision() -> Content {
    Content::OnSpotDecision(OnSpotDecision {
        number: "杭滨综执当罚字〔2026〕第1024号".to_owned(),
        authority: "杭州市滨江区综合行政执法局".to_owned(),
        party: party(),
        violation: "2026年3月2日14时05分，执法人员检查发现，当事人未在经营场所醒目位置公示食品经营许可证。".to_owned(),
        acted_at: AT,
        place: party().address,
        evidence: vec![(1, "现场照片".to_owned())],
        violated_norm: "《食品经营许可和备案管理办法》第二十六条第二款".to_owned(),
        penalty_norm: "《食品经营许可和备案管理办法》第五十五条第二款".to_owned(),
        discretion: "初次违法，情节轻微，按裁量基准（2025版）第一档".to_owned(),
        warning: true,
        fine_fen: 20_000,
        correction: "立即公示食品经营许可证".to_owned(),
        defense: "当事人表示没有异议，不作陈述申辩。".to_owned(),
        payment: "自收到本决定书之日起十五日内，到中国工商银行滨江支行或者通过电子支付系统缴纳；逾期不缴纳的，每日按罚款数额的百分之三加处罚款。".to_owned(),
        remedies: "如不服本决定，应当自收到本决定书之日起六十日内先向杭州市滨江区人民政府申请行政复议；对行政复议决定仍不服的，可以自收到复议决定书之日起十五日内向杭州市滨江区人民法院提起行政诉讼。".to_owned(),
        decided_at: AT.plus_ms(40 * 60_000),
        decided_place: "杭州市滨江区老街坊餐饮店".to_owned(),
        officers: officers(),
    })
}

fn others() -> [Content; 3] {
    [
        Content::Notice(InspectionNotice {
            authority: "杭州市滨江区综合行政执法局".to_owned(),
            party: party(),
            matters: vec![(
                "食品经营许可情况检查".to_owned(),
                "《中华人民共和国食品安全法》第一百一十条".to_owned(),
            )],
            at: AT,
            officers: officers(),
            told: vec![told(), "严禁借检查之名谋取私利。".to_owned()],
            visit_code: None,
            supervision_phone: "0571-12345".to_owned(),
        }),
        Content::CorrectionOrder(CorrectionOrder {
            authority: "杭州市滨江区综合行政执法局".to_owned(),
            party: party(),
            facts: "未在经营场所醒目位置公示食品经营许可证。".to_owned(),
            violated_norm: "《食品经营许可和备案管理办法》第二十六条第二款".to_owned(),
            order: "在店堂醒目位置公示食品经营许可证，并保持公示。".to_owned(),
            correct_by_on: NaiveDate::from_ymd_opt(2026, 3, 9),
            remedies: "可以自收到本通知书之日起六十日内申请行政复议，或者六个月内提起行政诉讼。"
                .to_owned(),
            at: AT,
            officers: officers(),
        }),
        Content::DeliveryReceipt(DeliveryReceipt {
            authority: "杭州市滨江区综合行政执法局".to_owned(),
            document: "当场行政处罚决定书 杭滨综执当罚字〔2026〕第1024号".to_owned(),
            recipient: party().name,
            way: "直接送达".to_owned(),
            place: party().address,
            delivered_at: AT.plus_ms(45 * 60_000),
            refusal: None,
            witness: None,
            officers: officers(),
        }),
    ]
}

fn assert_pages_hold(document: &Document) {
    assert!(!document.pages.is_empty());
    for page in &document.pages {
        assert!(page.lines.len() <= LINES, "{} lines", page.lines.len());
        for line in &page.lines {
            assert!(columns_of(line) <= COLUMNS, "{} columns: {line}", columns_of(line));
            assert!(!line.chars().any(char::is_control));
        }
    }
}

fn assert_golden(name: &str, content: &Content) {
    let document = render(content);
    assert_pages_hold(&document);
    let found = document.page_texts().join("\n〔分页〕\n") + "\n";
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/documents");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::File::create(&path).unwrap().write_all(found.as_bytes()).unwrap();
    }
    let expected = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE_GOLDEN=1 writes it", path.display()));
    assert_eq!(found, expected, "{name} changed; UPDATE_GOLDEN=1 accepts it");
}

#[test]
fn documents_read_as_agreed() {
    assert_golden("scene_transcript", &scene(3));
    assert_golden("interview_transcript", &interview(8));
    assert_golden("on_spot_decision", &decision());
    let [notice, correction, receipt] = others();
    assert_golden("inspection_notice", &notice);
    assert_golden("correction_order", &correction);
    assert_golden("delivery_receipt", &receipt);
}

#[test]
fn every_page_of_a_transcript_has_its_number_and_its_place_to_sign() {
    for content in [scene(60), interview(40)] {
        let document = render(&content);
        assert_pages_hold(&document);
        let count = document.pages.len();
        assert!(count >= 4);
        for (index, page) in document.pages.iter().enumerate() {
            assert_eq!(page.lines.len(), LINES);
            assert!(page.lines[0].ends_with(&format!("第 {} 页 共 {count} 页", index + 1)));
            assert!(page.text().contains("签名"), "page {index}");
            assert_eq!(document.page_text(index), Some(page.text()));
        }
        let hashes: std::collections::BTreeSet<Hash> =
            document.pages.iter().map(Page::hash).collect();
        assert_eq!(hashes.len(), count, "no two pages are alike");
        assert_eq!(document.page_text(count), None);
    }
}

#[test]
fn every_answer_is_on_the_pages_in_full() {
    let Content::Interview(mut body) = interview(0) else { unreachable!() };
    let answer = "我店自2019年起经营，一直守法。".repeat(80);
    body.dialog =
        vec![QuestionAnswer { question: "请说明情况。".to_owned(), answer: answer.clone() }];
    let document = render(&Content::Interview(body));
    assert_pages_hold(&document);
    let squeeze = |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
    let bodies: String =
        document.pages.iter().map(|page| page.lines[2..LINES - 3].join("")).collect();
    assert!(squeeze(&bodies).contains(&squeeze(&answer)));
}

#[test]
fn long_and_rare_names_wrap_and_lose_nothing() {
    let name = "买买提·吐尔逊江𠀀𪚥䶮".repeat(6);
    assert!(name.chars().count() >= 60);
    let Content::OnSpotDecision(mut body) = decision() else { unreachable!() };
    body.party.name = name.clone();
    body.party.person_in_charge = Some(name.clone());
    body.authority = name.clone();
    body.officers[0].name = name.clone();
    let document = render(&Content::OnSpotDecision(body));
    assert_pages_hold(&document);
    let squeezed: String =
        document.page_texts().concat().chars().filter(|c| !c.is_whitespace()).collect();
    assert!(squeezed.matches(&name).count() >= 4);
}

#[test]
fn what_is_absent_is_struck() {
    let Content::Scene(mut body) = scene(0) else { unreachable!() };
    body.party = PrintedParty::default();
    body.person_present = PrintedPerson::default();
    body.evidence.clear();
    body.statement = "  ".to_owned();
    body.told_reply.clear();
    let text = render(&Content::Scene(body)).page_texts().concat();
    for field in
        ["被检查人：/", "统一社会信用代码：/", "身份证件号码：/", "在场人：/", "在场人答：/"]
    {
        assert!(text.contains(field), "{field} in\n{text}");
    }
    let strokes = text.lines().filter(|line| line.trim() == "/").count();
    assert_eq!(strokes, 3, "findings, evidence and statement in\n{text}");
}

#[test]
fn a_typed_page_break_or_hidden_mark_shows_as_a_box() {
    let Content::Scene(mut body) = scene(1) else { unreachable!() };
    body.person_present.sex = Some("女\n（自述）".to_owned());
    body.statement = "一\u{c}二\u{202e}三\r\n四".to_owned();
    let document = render(&Content::Scene(body));
    assert_pages_hold(&document);
    assert!(document.page_texts().concat().contains("一□二□三\n　　四"));
    assert!(document.page_texts().concat().contains("性别：女\n      （自述）"));
}

#[test]
fn a_decision_states_the_amount_twice_and_reconsideration_first() {
    let text = render(&decision()).page_texts().concat().replace(['\n', ' ', '　'], "");
    assert!(text.contains("1.警告"));
    assert!(text.contains("2.罚款人民币贰佰元整（¥200.00）"));
    // 《行政复议法》第二十三条第二款.
    assert!(text.contains("先向杭州市滨江区人民政府申请行政复议"));
    assert!(text.contains("杭滨综执当罚字〔2026〕第1024号"));
}
