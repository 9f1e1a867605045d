//! One act of every kind, with every optional field both present and absent somewhere.

use sync_model::credential::CertificateStatus;
use sync_model::hash::Hash;
use sync_model::id::{
    AssignmentId, CaseId, DocumentId, EvidenceId, InspectionId, LeaseId, OfficerId, ShiftId,
    TranscriptId,
};
use sync_model::money::Fen;
use sync_model::record::case::{CaseFiled, DecisionIssued, DefenseHeard, PriorNoticeGiven};
use sync_model::record::credential::{CredentialDisplayed, DisplayedCredential, PartyReaction};
use sync_model::record::document::{DeliveryWay, DocumentDelivered, NumberReserved, NumberVoided};
use sync_model::record::evidence::{
    EvidenceCaptured, EvidenceExcluded, EvidenceKind, EvidenceOrigin, EvidencePhase, LeadRecorded,
    Position,
};
use sync_model::record::inspection::{
    AssignmentAccepted, ChecklistAnswered, EntryAnswer, EntryResult, InspectionBegun,
    InspectionConcluded, MatterResult, NoticeGiven, Override, ToldText,
};
use sync_model::record::shift::{
    ClockStated, DayClosed, Presence, PresenceProof, ShiftBegun, ShiftEnded,
};
use sync_model::record::signature::{
    Ink, OfficerSignature, PageSigned, Point, SignatureRefused, SignerRole, Witness,
};
use sync_model::record::transcript::{
    PageReading, ReadBackWay, Strength, TranscriptKind, TranscriptLocked, TranscriptPrepared,
    TranscriptReadBack,
};
use sync_model::record::{Act, BlobRef, BlobRole};
use sync_model::rule::Finding;
use sync_model::rule::credential::{CertificateFacts, OfficerFacts, ProofOfPresence};
use sync_model::rule::discretion::TierChoice;
use sync_model::rule::on_spot::{
    CollectionFacts, CollectionGround, DefenseReply, EarlierFine, ExemptionReview, FactEvidence,
    OnSpotFacts, PartyFacts, PartyKind,
};
use sync_model::rulebook::discretion::PenaltyKind;
use sync_model::time::Timestamp;
use sync_model::wire::assignment::{Participation, Party, Premises};
use uuid::Uuid;

pub(crate) const NINE: Timestamp = Timestamp(1_795_482_000_000);

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn inspection() -> InspectionId {
    InspectionId(id(0x2001))
}

pub(crate) fn case() -> CaseId {
    CaseId(id(0xca5e))
}

pub(crate) fn officers() -> Vec<OfficerId> {
    vec![OfficerId(id(0x4001)), OfficerId(id(0x4002))]
}

fn blob(text: &str, role: BlobRole) -> BlobRef {
    let media = if role == BlobRole::Original { "image/jpeg" } else { "text/plain" };
    let bytes = u64::try_from(text.len()).unwrap();
    BlobRef { sha256: Hash::of(text.as_bytes()), bytes, media: media.into(), role }
}

fn party() -> Party {
    Party {
        kind: PartyKind::SoleProprietor,
        name: "演练小吃店".into(),
        credit_code: Some("92330106MA2XXXXX0X".into()),
        identity_number: None,
        person_in_charge: Some("演练当事人".into()),
        phone: None,
        address: "西湖区演练路1号".into(),
    }
}

fn overrides() -> Vec<Override> {
    let finding = Finding::warn("R-70", "《浙江省综合行政执法条例》第十三条", "本月已检查过一次");
    vec![Override { finding, reason: "投诉举报".into() }]
}

fn ink() -> Ink {
    Ink {
        page: Hash::of("第一页".as_bytes()),
        nonce: [4; 16],
        pad_width: 6000,
        pad_height: 3000,
        tool: "finger".into(),
        strokes: vec![
            (0..6).map(|n| Point(n * 100, 50 - n, 16 * n.unsigned_abs(), -1)).collect(),
            vec![Point(9, 9, 400, 255)],
        ],
    }
}

fn witness() -> Witness {
    Witness { name: "演练见证人".into(), identity: "演练社区".into(), ink: Some(ink()) }
}

fn signatures() -> Vec<OfficerSignature> {
    let sign = |officer| OfficerSignature { officer, statement: vec![0xd2, 0x84] };
    officers().into_iter().map(sign).collect()
}

fn facts() -> OnSpotFacts {
    let officer = |number: u128, certificate| OfficerFacts {
        officer_id: OfficerId(id(0x4000 + number)),
        name: format!("演练{number}"),
        is_auxiliary: false,
        certificate,
        presence: ProofOfPresence::OwnUnlock,
    };
    let certificate = CertificateFacts {
        number: "3301001".into(),
        valid_from: NINE.plus_ms(-1),
        valid_to: NINE.plus_ms(1),
        status: CertificateStatus::Active,
        status_as_of: NINE,
    };
    OnSpotFacts {
        authority_id: "xh-zhzf".into(),
        matter_code: "330217A01".into(),
        region_code: "330106002".into(),
        act_ended_at: Some(NINE),
        party: PartyFacts {
            kind: PartyKind::Citizen,
            identified: true,
            born_on: chrono::NaiveDate::from_ymd_opt(1980, 2, 29),
            capacity_doubt: false,
            present: true,
        },
        suspected_crime: false,
        officers: vec![officer(1, Some(certificate)), officer(2, None)],
        fact_evidence: vec![FactEvidence { fact: "占道经营".into(), evidence: 2 }],
        kinds: vec![PenaltyKind::Warning, PenaltyKind::Fine],
        fine: Fen(5_000),
        other_fines_this_visit: Fen(0),
        tier: Some(TierChoice {
            benchmark_id: "cl-street".into(),
            version: 2,
            tier_order: 1,
            circumstances: vec!["初次".into()],
        }),
        exemption: ExemptionReview::MayNot { reason_to_penalize: "拒不改正".into() },
        earlier_fine: EarlierFine::Found { document_number: "1号".into() },
        open_case: false,
        recusal_pending: false,
        arrived_at: Some(NINE),
        departed_at: None,
        displayed_at: Some(NINE),
        notice_at: Some(NINE),
        defense: Some((
            NINE,
            DefenseReply::Stated { content: "不知道".into(), review: "不采纳".into() },
        )),
        correction_order: "立即改正".into(),
        collection: Some(CollectionFacts {
            ground: CollectionGround::RemoteOnRequest { request_on_record: true },
            receipt_number: "NO.1".into(),
        }),
    }
}

/// The same facts with everything absent that may be.
fn bare_facts() -> OnSpotFacts {
    let mut facts = facts();
    facts.act_ended_at = None;
    facts.party.born_on = None;
    facts.tier = None;
    facts.exemption = ExemptionReview::FirstViolationUnknown;
    facts.earlier_fine = EarlierFine::NoneOnDevice;
    (facts.arrived_at, facts.departed_at, facts.displayed_at) = (None, Some(NINE), None);
    (facts.notice_at, facts.defense) = (None, Some((NINE, DefenseReply::Waived)));
    facts.collection = Some(CollectionFacts {
        ground: CollectionGround::SmallAmount,
        receipt_number: String::new(),
    });
    facts
}

fn decision(number: u64, facts: OnSpotFacts) -> DecisionIssued {
    DecisionIssued {
        case: case(),
        document: DocumentId(id(0x7000 + u128::from(number))),
        document_number: format!("西综执当罚字〔2026〕第{number:05}号"),
        warning: true,
        fine_fen: 5_000,
        content: blob("content", BlobRole::Content),
        text: blob("text", BlobRole::Text),
        pages: vec![Hash::of("第一页".as_bytes())],
        evidence_manifest: vec![Hash::of(b"original")],
        facts: Box::new(facts),
        overrides: overrides(),
        officer_signatures: signatures(),
    }
}

fn captured(number: u128, whole: bool) -> EvidenceCaptured {
    EvidenceCaptured {
        evidence: EvidenceId(id(0x5000 + number)),
        inspection: whole.then(inspection),
        ordinal: 1,
        kind: EvidenceKind::ElectronicData,
        origin: EvidenceOrigin::Captured,
        phase: if whole { EvidencePhase::Visit } else { EvidencePhase::PreVisit },
        description: "门前占道".into(),
        source: "camera".into(),
        original: blob("original", BlobRole::Original),
        thumbnail: whole.then(|| blob("thumbnail", BlobRole::Thumbnail)),
        watermarked: whole.then(|| blob("watermarked", BlobRole::Watermarked)),
        width: 4000,
        height: 3000,
        exif_taken: whole.then(|| "2026:11:24 09:05:00".into()),
        exif_camera: whole.then(|| "演练 X1".into()),
        position: whole.then(|| Position {
            latitude_e7: 302_741_000,
            longitude_e7: -1_201_551_000,
            accuracy_mm: Some(5_000),
            datum: "EPSG:4490".into(),
            source: "exif".into(),
        }),
        problems: vec!["truncated".into()],
    }
}

/// Returns the acts in order of the chain, each with a name for its file.
#[expect(clippy::too_many_lines, reason = "a list of samples")]
pub(crate) fn all() -> Vec<(&'static str, Act)> {
    let transcript = TranscriptId(id(0x6001));
    let document = DocumentId(id(0x7000));
    vec![
        (
            "shift_begun",
            ShiftBegun {
                shift: ShiftId(id(0x3001)),
                authority: "xh-zhzf".into(),
                officers: vec![Presence {
                    officer: officers()[0],
                    name: "演练甲".into(),
                    certificate_number: "3301001".into(),
                    proof: PresenceProof::OwnUnlock,
                    proved_at: NINE,
                    signature: vec![0xd2],
                }],
            }
            .into(),
        ),
        (
            "assignment_accepted",
            AssignmentAccepted { assignment: AssignmentId(id(0x1001)), revision: 3 }.into(),
        ),
        (
            "inspection_begun",
            InspectionBegun {
                inspection: inspection(),
                assignment: AssignmentId(id(0x1001)),
                shift: Hash::of(b"shift"),
                premises: Premises {
                    name: "演练小吃店".into(),
                    address: "西湖区演练路1号".into(),
                    region_code: "330106002".into(),
                },
                party: party(),
                participations: vec![Participation {
                    authority: "xh-zhzf".into(),
                    matters: vec!["330217A01".into()],
                }],
                on_site_reason: "需要现场查看".into(),
                overrides: overrides(),
            }
            .into(),
        ),
        (
            "credential_displayed",
            CredentialDisplayed {
                inspection: inspection(),
                credentials: vec![DisplayedCredential {
                    officer: officers()[0],
                    certificate_number: "3301001".into(),
                    credential: Hash::of(b"credential"),
                    moment: vec![0xd2],
                }],
                shown_ms: 4_200,
                physical_card_shown: true,
                reaction: PartyReaction::Scanned,
            }
            .into(),
        ),
        (
            "notice_given",
            NoticeGiven {
                inspection: inspection(),
                told: vec![ToldText { key: "rights".into(), text: Hash::of(b"rights") }],
                recusal_requested: false,
                reply: "不申请回避".into(),
            }
            .into(),
        ),
        (
            "checklist_answered",
            ChecklistAnswered {
                inspection: inspection(),
                answers: vec![EntryAnswer {
                    entry: "E01".into(),
                    matters: vec!["330217A01".into()],
                    result: EntryResult::Fail,
                    note: "门前摆摊".into(),
                    evidence: vec![EvidenceId(id(0x5001))],
                }],
            }
            .into(),
        ),
        ("evidence_captured", captured(1, true).into()),
        ("evidence_captured_bare", captured(2, false).into()),
        (
            "evidence_excluded",
            EvidenceExcluded { evidence: EvidenceId(id(0x5002)), reason: "误拍".into() }.into(),
        ),
        (
            "lead_recorded",
            LeadRecorded {
                place: "演练路".into(),
                description: "消防通道堵塞".into(),
                hand_to: "消防".into(),
                evidence: vec![EvidenceId(id(0x5001))],
            }
            .into(),
        ),
        (
            "transcript_prepared",
            TranscriptPrepared {
                transcript,
                document,
                inspection: inspection(),
                kind: TranscriptKind::Scene,
                revision: 1,
                title: "现场检查笔录".into(),
                content: blob("content", BlobRole::Content),
                text: blob("text", BlobRole::Text),
                pages: vec![Hash::of("第一页".as_bytes())],
            }
            .into(),
        ),
        (
            "transcript_read_back",
            TranscriptReadBack {
                transcript,
                revision: 1,
                way: ReadBackWay::ReadAloud,
                readings: vec![PageReading { page: 1, dwell_ms: 9_000 }],
                closing_words: "以上属实".into(),
            }
            .into(),
        ),
        (
            "page_signed",
            PageSigned {
                document,
                revision: 1,
                page: 1,
                page_hash: Hash::of("第一页".as_bytes()),
                role: SignerRole::Party,
                name: "演练当事人".into(),
                ink: ink(),
            }
            .into(),
        ),
        (
            "signature_refused",
            SignatureRefused {
                document,
                revision: 1,
                role: SignerRole::Party,
                name: "演练当事人".into(),
                reason: "未说明理由".into(),
                witness: Some(witness()),
                recording: Some(EvidenceId(id(0x5003))),
            }
            .into(),
        ),
        (
            "signature_refused_bare",
            SignatureRefused {
                document,
                revision: 1,
                role: SignerRole::PersonPresent,
                name: "演练在场人".into(),
                reason: "离开".into(),
                witness: None,
                recording: None,
            }
            .into(),
        ),
        (
            "transcript_locked",
            TranscriptLocked {
                transcript,
                revision: 1,
                content: Hash::of(b"content"),
                pages: vec![Hash::of("第一页".as_bytes())],
                strength: Strength::RefusedAttested,
                officer_signatures: signatures(),
            }
            .into(),
        ),
        (
            "case_filed",
            CaseFiled {
                case: case(),
                inspection: inspection(),
                matter: "330217A01".into(),
                authority: "xh-zhzf".into(),
                party: party(),
                violation: "占道经营".into(),
                acted_at: NINE,
                place: "西湖区演练路1号".into(),
                evidence: vec![EvidenceId(id(0x5001))],
            }
            .into(),
        ),
        (
            "prior_notice_given",
            PriorNoticeGiven {
                case: case(),
                benchmark: Some("cl-street".into()),
                tier: Some(1),
                warning: true,
                fine_fen: 5_000,
                told: Hash::of(b"told"),
            }
            .into(),
        ),
        (
            "prior_notice_given_bare",
            PriorNoticeGiven {
                case: case(),
                benchmark: None,
                tier: None,
                warning: true,
                fine_fen: 0,
                told: Hash::of(b"told"),
            }
            .into(),
        ),
        (
            "defense_heard",
            DefenseHeard {
                case: case(),
                content: "不知道不允许".into(),
                waived: false,
                adopted: false,
                reply: "已复核，不采纳".into(),
            }
            .into(),
        ),
        (
            "number_reserved",
            NumberReserved {
                lease: LeaseId(id(0x8001)),
                number: 1,
                document_number: "西综执当罚字〔2026〕第00001号".into(),
                document: DocumentId(id(0x7001)),
                case: case(),
            }
            .into(),
        ),
        (
            "number_voided",
            NumberVoided {
                lease: LeaseId(id(0x8001)),
                number: 2,
                document_number: "西综执当罚字〔2026〕第00002号".into(),
                reason: "打印机卡纸".into(),
            }
            .into(),
        ),
        ("decision_issued", decision(1, facts()).into()),
        ("decision_issued_bare", decision(3, bare_facts()).into()),
        (
            "document_delivered",
            DocumentDelivered {
                document: DocumentId(id(0x7001)),
                recipient: "演练当事人".into(),
                way: DeliveryWay::InPerson { ink: ink() },
                place: "店内".into(),
            }
            .into(),
        ),
        (
            "document_delivered_refused",
            DocumentDelivered {
                document: DocumentId(id(0x7003)),
                recipient: "演练当事人".into(),
                way: DeliveryWay::RefusedReceipt {
                    reason: "拒绝".into(),
                    witness: Some(Witness { ink: None, ..witness() }),
                },
                place: "店内".into(),
            }
            .into(),
        ),
        (
            "inspection_concluded",
            InspectionConcluded {
                inspection: inspection(),
                results: vec![MatterResult {
                    matter: "330217A01".into(),
                    result_class: "violation".into(),
                    note: "已当场处罚".into(),
                }],
                departed_at: NINE,
                overrides: vec![],
            }
            .into(),
        ),
        (
            "clock_stated",
            ClockStated {
                before_at: NINE,
                after_at: NINE.plus_ms(-60_000),
                statement: "终端时钟回拨".into(),
            }
            .into(),
        ),
        (
            "shift_ended",
            ShiftEnded { shift: ShiftId(id(0x3001)), unsent: 30, note: "无".into() }.into(),
        ),
        (
            "day_closed",
            DayClosed { last_seq: 29, head: Hash::of(b"head"), blobs: 5, blob_bytes: 45 }.into(),
        ),
    ]
}
