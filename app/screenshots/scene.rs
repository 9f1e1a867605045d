//! The scenes of a day, each a name and what it sets on a fresh window.
//!
//! Pages show the sample values of their adapters; a scene changes only what makes its state.

use super::picture;
use crate::glyph::shown;
use crate::ui::{
    App, AssignmentAdapter, AssignmentRow, ChecklistAdapter, ConcludeAdapter, CopyAdapter,
    CredentialAdapter, DecisionAdapter, DocumentAdapter, EnrollAdapter, EvidenceAdapter,
    FindingRow, MainWindow, Page, SessionAdapter, SignAdapter, StatusAdapter, SyncAdapter, Tone,
    TranscriptAdapter,
};
use slint::{ComponentHandle, Model, ModelRc, VecModel};

pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) set: fn(&MainWindow),
}

const fn scene(name: &'static str, set: fn(&MainWindow)) -> Scene {
    Scene { name, set }
}

/// In the order an officer meets them.
pub(super) const SCENES: &[Scene] = &[
    scene("enroll", |w| show(w, Page::Enroll)),
    scene("enroll-officers", |w| {
        show(w, Page::Enroll);
        w.global::<EnrollAdapter>().set_device_enrolled(true);
        w.global::<EnrollAdapter>().set_pin_error("两次输入的口令不一致".into());
    }),
    scene("unlock", |w| show(w, Page::Unlock)),
    scene("unlock-wrong-pin", wrong_pin),
    scene("home", |w| show(w, Page::Home)),
    scene("home-empty", |w| {
        show(w, Page::Home);
        w.global::<AssignmentAdapter>().set_rows(ModelRc::default());
    }),
    scene("home-long-names", long_names),
    scene("home-lead", |w| {
        show(w, Page::Home);
        w.global::<AssignmentAdapter>().set_lead_open(true);
    }),
    scene("assignment", |w| show(w, Page::Assignment)),
    scene("credential", credential),
    scene("credential-large", |w| {
        credential(w);
        w.global::<CredentialAdapter>().set_large(true);
    }),
    scene("notice", |w| show(w, Page::Notice)),
    scene("checklist", |w| show(w, Page::Checklist)),
    scene("checklist-empty", |w| {
        show(w, Page::Checklist);
        w.global::<ChecklistAdapter>().set_groups(ModelRc::default());
    }),
    scene("evidence", evidence),
    scene("evidence-empty", |w| {
        show(w, Page::Evidence);
        w.global::<EvidenceAdapter>().set_tiles(ModelRc::default());
        w.global::<EvidenceAdapter>().set_processing_text("".into());
    }),
    scene("evidence-detail", evidence_detail),
    scene("evidence-exclude", |w| {
        evidence_detail(w);
        w.global::<EvidenceAdapter>().set_exclude_open(true);
    }),
    scene("transcript", |w| show(w, Page::Transcript)),
    scene("transcript-phrases", |w| {
        show(w, Page::Transcript);
        w.global::<TranscriptAdapter>().set_phrase_open(true);
    }),
    scene("sign", |w| show(w, Page::Sign)),
    scene("sign-pad", sign_pad),
    scene("sign-correction", |w| {
        show(w, Page::Sign);
        w.global::<SignAdapter>().set_correction_open(true);
    }),
    scene("sign-refusal", |w| {
        show(w, Page::Sign);
        let sign = w.global::<SignAdapter>();
        sign.set_refuse_open(true);
        sign.set_refusal_error("见证人姓名和录音录像至少要有一项".into());
    }),
    scene("decision-facts", |w| decision(w, 0)),
    scene("decision-discretion", |w| decision(w, 1)),
    scene("decision-inform", |w| decision(w, 2)),
    scene("decision-defense", |w| decision(w, 3)),
    scene("decision-issue", |w| decision(w, 4)),
    scene("decision-blocked", blocked),
    scene("documents", |w| {
        show(w, Page::Documents);
        let slip = "https://zf.example.gov.cn/c/slip#".to_owned() + &"0123456789".repeat(100);
        w.global::<DocumentAdapter>().set_slip(picture::code(&slip));
    }),
    scene("documents-delivery", |w| {
        show(w, Page::Documents);
        let documents = w.global::<DocumentAdapter>();
        documents.set_deliver_open(true);
        documents.set_way(2);
        documents.set_asks_witness(true);
    }),
    scene("documents-empty", |w| {
        show(w, Page::Documents);
        w.global::<DocumentAdapter>().set_rows(ModelRc::default());
    }),
    scene("sync", |w| show(w, Page::Sync)),
    scene("sync-running", |w| {
        show(w, Page::Sync);
        w.global::<SyncAdapter>().set_running(true);
        w.global::<SyncAdapter>().set_error("".into());
        w.global::<SyncAdapter>().set_parked(ModelRc::default());
        w.global::<StatusAdapter>().set_online(true);
        w.global::<StatusAdapter>().set_online_text("在线".into());
        w.global::<StatusAdapter>().set_has_parked(false);
        w.global::<StatusAdapter>().set_parked_text("退回 0".into());
    }),
    scene("copy", |w| show(w, Page::Copy)),
    scene("copy-waiting", |w| {
        show(w, Page::Copy);
        w.global::<CopyAdapter>().set_waiting(true);
    }),
    scene("conclude", |w| show(w, Page::Conclude)),
    scene("conclude-clear", |w| {
        show(w, Page::Conclude);
        w.global::<ConcludeAdapter>().set_findings(ModelRc::default());
        w.global::<ConcludeAdapter>().set_can_conclude(true);
    }),
    scene("settings", |w| show(w, Page::Settings)),
    scene("damaged", |w| show(w, Page::Damaged)),
    scene("toast-clock-warning", toast),
    scene("busy", |w| {
        show(w, Page::Evidence);
        w.global::<App>().set_busy_text("正在处理照片".into());
        w.global::<App>().set_busy_count("2/5".into());
    }),
];

fn show(window: &MainWindow, page: Page) {
    window.global::<App>().set_page(page);
}

fn wrong_pin(window: &MainWindow) {
    show(window, Page::Unlock);
    let session = window.global::<SessionAdapter>();
    session.set_message("口令不对，已连续输错 5 次".into());
    session.set_message_detail("请 28 秒后再试；连续 10 次后须由总部解锁。".into());
    session.set_pin_length(0);
    session.set_can_enter(false);
}

fn long_names(window: &MainWindow) {
    show(window, Page::Home);
    let assignments = window.global::<AssignmentAdapter>();
    let name = shown(
        "杭州西湖龘㙍堃喆餐饮管理服务有限责任公司古荡街道文三路莫干山路口益乐新村农贸市场北侧临街第一百二十八号𠮷祥分店经营部",
    );
    let rows: Vec<AssignmentRow> = assignments
        .get_rows()
        .iter()
        .map(|row| AssignmentRow {
            premises: name.as_str().into(),
            address: format!("{name}　{}", row.address).into(),
            departments: "市场监管、消防救援、综合行政执法、卫生健康、生态环境、农业农村".into(),
            ..row
        })
        .collect();
    assignments.set_rows(ModelRc::new(VecModel::from(rows)));
    window
        .global::<StatusAdapter>()
        .set_officers_text(shown("阿卜杜热合曼·麦麦提图尔荪、欧阳𠮷龘").into());
}

fn credential(window: &MainWindow) {
    show(window, Page::Credential);
    let token = "https://zf.example.gov.cn/v#1.".to_owned() + &"9f3c0d528be1a4f7".repeat(14);
    window.global::<CredentialAdapter>().set_qr(picture::code(&token));
}

fn evidence(window: &MainWindow) {
    show(window, Page::Evidence);
    let evidence = window.global::<EvidenceAdapter>();
    let tiles = evidence.get_tiles();
    let drawn: Vec<_> = (1_u8..)
        .zip(tiles.iter())
        .map(|(seed, mut tile)| {
            tile.thumbnail = picture::photograph(seed);
            tile
        })
        .collect();
    evidence.set_tiles(ModelRc::new(VecModel::from(drawn)));
}

fn evidence_detail(window: &MainWindow) {
    show(window, Page::EvidenceDetail);
    window.global::<EvidenceAdapter>().set_picture(picture::photograph(1));
}

fn sign_pad(window: &MainWindow) {
    show(window, Page::Sign);
    let sign = window.global::<SignAdapter>();
    sign.set_pad_open(true);
    sign.set_can_accept(true);
    sign.set_stroke_text("7 笔".into());
    sign.set_done_path(
        "M 180 150 Q 250 140 300 130 M 240 90 Q 250 220 210 310 Q 190 360 160 340 \
         M 330 120 Q 300 220 260 290 M 320 190 Q 360 250 400 300 \
         M 520 110 Q 600 100 680 95 M 590 50 Q 600 190 580 330"
            .into(),
    );
    sign.set_live_path("M 500 220 Q 600 210 720 200 Q 760 220 700 310".into());
}

fn decision(window: &MainWindow, step: i32) {
    show(window, Page::Decision);
    let decision = window.global::<DecisionAdapter>();
    decision.set_step(step);
    decision.set_defense(1);
    decision.set_asks_amount(step == 1);
}

fn blocked(window: &MainWindow) {
    decision(window, 1);
    let decision = window.global::<DecisionAdapter>();
    decision.set_can_next(false);
    decision.set_next_hint("有 1 项不符合当场处罚条件".into());
    decision.set_amount("5000".into());
    decision.set_amount_error("超过 3,000 元".into());
    decision.set_findings(ModelRc::from([FindingRow {
        key: "cap".into(),
        tone: Tone::Bad,
        level: "不能当场处罚".into(),
        text: "罚款 5,000 元，超过对法人当场处罚的 3,000 元".into(),
        article: "《行政处罚法》第五十一条".into(),
        advice: "转普通程序立案；已收集的证据和笔录随案移交。".into(),
        ..FindingRow::default()
    }]));
}

fn toast(window: &MainWindow) {
    show(window, Page::Checklist);
    let app = window.global::<App>();
    app.set_toast_text("照片没有保存：存储空间不足".into());
    app.set_toast_detail("剩余 12 MB。请先同步，或在设置里导出案卷后清理已回执的原件。".into());
    app.set_toast_tone(Tone::Bad);
    let status = window.global::<StatusAdapter>();
    status.set_clock_warning("终端时钟比总部慢 3 分 12 秒，记录会注明".into());
    status.set_practice_text("演练".into());
}
