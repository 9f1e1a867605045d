//! Custody is not acceptance: everything is taken, and what HQ finds comes back in the feed.

use ciborium::Value;
use sync_model::canonical;
use sync_model::cose::{self, Context, SoftwareKey};
use sync_model::credential::CertificateStatus;
use sync_model::hash::Hash;
use sync_model::id::{CaseId, DocumentId, InspectionId, LeaseId, OfficerId, ShiftId};
use sync_model::money::Fen;
use sync_model::record::case::DecisionIssued;
use sync_model::record::credential::{
    CredentialDisplayed, DisplayMoment, DisplayedCredential, PartyReaction,
};
use sync_model::record::document::NumberReserved;
use sync_model::record::inspection::NoticeGiven;
use sync_model::record::shift::{
    Presence, PresenceProof, PresenceStatement, ShiftBegun, ShiftEnded,
};
use sync_model::record::signature::{OfficerSignature, OfficerStatement};
use sync_model::record::{Act, BlobRef, BlobRole, RawAct, Record};
use sync_model::rule::Finding;
use sync_model::rule::credential::{CertificateFacts, OfficerFacts, ProofOfPresence};
use sync_model::rule::discretion::TierChoice;
use sync_model::rule::on_spot::{
    DefenseReply, EarlierFine, ExemptionReview, FactEvidence, OnSpotFacts, PartyFacts, PartyKind,
};
use sync_model::rulebook::discretion::PenaltyKind;
use sync_model::time::Timestamp;
use sync_model::wire::feed::FeedBody;
use sync_model::wire::push::Receipt;
use uuid::Uuid;

use crate::support::World;
use crate::support::device::{Device, next};

const SAMPLE: &str = include_str!("../../../assets/rulebook/sample.json");

/// One device with two activated officers at one visit.
pub(crate) struct Scene {
    pub(crate) device: Device,
    pub(crate) officers: Vec<(OfficerId, SoftwareKey, Vec<u8>)>,
}

fn id() -> Uuid {
    Uuid::from_u128(u128::from(next()))
}

pub(crate) fn world() -> (World, Hash) {
    let world = World::start();
    let rulebook = hq::practice::read_rulebook("sample", SAMPLE).unwrap();
    let hash = world.hq().import_rulebook(&rulebook).unwrap();
    (world, hash)
}

impl Scene {
    pub(crate) fn new(world: &World, rulebook: Hash) -> Self {
        let officers = [world.officer("甲", "A1"), world.officer("乙", "A2")];
        let codes = world.hq().issue_enrollment("xh-zhzf", "终端", &officers).unwrap();
        let mut device = Device::enroll_with(world, &codes.enrollment);
        device.rulebook = Some(rulebook);
        device.inspection = Some(InspectionId(id()));
        let officers = codes
            .activations
            .iter()
            .map(|activation| {
                let (key, credential) = device.activated(activation.officer, &activation.code);
                (activation.officer, key, credential)
            })
            .collect();
        Self { device, officers }
    }

    fn push(&self, record: &Record) -> Hash {
        self.device.push(std::slice::from_ref(record)).ok::<Receipt>();
        record.hash
    }

    pub(crate) fn act(&mut self, act: impl Into<Act>) -> Hash {
        let record = self.device.act(act, vec![]);
        self.push(&record)
    }

    fn display(&mut self) -> Hash {
        let inspection = self.device.inspection.unwrap();
        let credentials = self
            .officers
            .iter()
            .map(|(officer, key, credential)| {
                let moment = DisplayMoment {
                    inspection,
                    at: self.device.wall_at,
                    credential: Hash::of(credential),
                    nonce: [1; 8],
                    challenge: String::new(),
                };
                let payload = canonical::to_bytes(&moment).unwrap();
                DisplayedCredential {
                    officer: *officer,
                    certificate_number: "A".into(),
                    credential: Hash::of(credential),
                    moment: cose::sign(Context::Moment, &payload, key).unwrap(),
                }
            })
            .collect();
        self.act(CredentialDisplayed {
            inspection,
            credentials,
            shown_ms: 3000,
            physical_card_shown: true,
            reaction: PartyReaction::Seen,
        })
    }

    fn notice(&mut self) -> Hash {
        let inspection = self.device.inspection.unwrap();
        let (told, reply) = (vec![], "不申请回避".into());
        self.act(NoticeGiven { inspection, told, recusal_requested: false, reply })
    }

    fn sign(&self, statement: &OfficerStatement) -> Vec<OfficerSignature> {
        let payload = canonical::to_bytes(statement).unwrap();
        self.officers
            .iter()
            .map(|(officer, key, _)| OfficerSignature {
                officer: *officer,
                statement: cose::sign(Context::OfficerAct, &payload, key).unwrap(),
            })
            .collect()
    }

    /// A passer-by dropped a cigarette end: 50 yuan.
    pub(crate) fn decision(&self, number: &str) -> DecisionIssued {
        let now = self.device.wall_at;
        let blob = |role| BlobRef {
            sha256: Hash::of(b"content"),
            bytes: 7,
            media: "application/cbor".into(),
            role,
        };
        let (document, pages) = (DocumentId(id()), vec![Hash::of(b"page")]);
        let statement = OfficerStatement {
            document,
            revision: 1,
            content: Hash::of(b"content"),
            pages: pages.clone(),
        };
        DecisionIssued {
            case: CaseId(id()),
            document,
            document_number: number.into(),
            warning: false,
            fine_fen: 5000,
            content: blob(BlobRole::Content),
            text: blob(BlobRole::Text),
            pages,
            evidence_manifest: vec![],
            facts: Box::new(self.facts(now)),
            overrides: vec![],
            officer_signatures: self.sign(&statement),
        }
    }

    fn facts(&self, now: Timestamp) -> OnSpotFacts {
        let ago = |minutes: i64| now.plus_ms(-minutes * 60_000);
        let officers = self.officers.iter().zip(["甲", "乙"]).map(|((officer, ..), name)| {
            let certificate = CertificateFacts {
                number: "A".into(),
                valid_from: ago(1000),
                valid_to: now.plus_ms(1_000_000),
                status: CertificateStatus::Active,
                status_as_of: ago(1),
            };
            OfficerFacts {
                officer_id: *officer,
                name: name.into(),
                is_auxiliary: false,
                certificate: Some(certificate),
                presence: ProofOfPresence::OwnUnlock,
            }
        });
        OnSpotFacts {
            authority_id: "xh-zhzf".into(),
            matter_code: "330217102000".into(),
            region_code: "330106002".into(),
            act_ended_at: Some(ago(30)),
            party: PartyFacts {
                kind: PartyKind::Citizen,
                identified: true,
                born_on: chrono::NaiveDate::from_ymd_opt(1990, 5, 1),
                capacity_doubt: false,
                present: true,
            },
            suspected_crime: false,
            officers: officers.collect(),
            fact_evidence: vec![FactEvidence { fact: "乱扔烟蒂".into(), evidence: 1 }],
            kinds: vec![PenaltyKind::Fine],
            fine: Fen(5000),
            other_fines_this_visit: Fen(0),
            tier: Some(TierChoice {
                benchmark_id: "cl-clean".into(),
                version: 1,
                tier_order: 1,
                circumstances: vec!["首次发现，当场改正".into()],
            }),
            exemption: ExemptionReview::NoGround,
            earlier_fine: EarlierFine::NoneAtHq,
            open_case: false,
            recusal_pending: false,
            arrived_at: Some(ago(40)),
            departed_at: None,
            displayed_at: Some(ago(25)),
            notice_at: Some(ago(20)),
            defense: Some((ago(15), DefenseReply::Waived)),
            correction_order: "责令立即改正".into(),
            collection: None,
        }
    }

    fn begin(&mut self, shift: ShiftId) -> Hash {
        let proved_at = self.device.wall_at;
        let officers = self
            .officers
            .iter()
            .map(|(officer, key, _)| {
                let statement = PresenceStatement { shift, officer: *officer, proved_at };
                let payload = canonical::to_bytes(&statement).unwrap();
                Presence {
                    officer: *officer,
                    name: "甲".into(),
                    certificate_number: "A".into(),
                    proof: PresenceProof::OwnUnlock,
                    proved_at,
                    signature: cose::sign(Context::OfficerAct, &payload, key).unwrap(),
                }
            })
            .collect();
        self.act(ShiftBegun { shift, authority: "xh-zhzf".into(), officers })
    }
}

/// Returns what the device is told, and checks that HQ keeps the same.
fn told(world: &World, scene: &Scene, record: Hash) -> Option<(bool, Vec<Finding>)> {
    let (_, items) = scene.device.feed(0, 500);
    let told = items.into_iter().find_map(|item| match item.body {
        FeedBody::Acceptance(acceptance) if acceptance.record == record => {
            Some((acceptance.accepted, acceptance.findings))
        }
        _ => None,
    });
    assert_eq!(told, world.hq().acceptance(&record).unwrap());
    told
}

fn codes(world: &World, scene: &Scene, record: Hash) -> (bool, Vec<String>) {
    let (accepted, findings) = told(world, scene, record).expect("a result");
    (accepted, findings.into_iter().map(|finding| finding.code).collect())
}

#[test]
fn a_lawful_decision_is_accepted_by_the_rulebook_it_pinned() {
    let (world, rulebook) = world();
    let mut scene = Scene::new(&world, rulebook);
    let displayed = scene.display();
    assert_eq!(told(&world, &scene, displayed), Some((true, vec![])));
    let notice = scene.notice();
    assert_eq!(told(&world, &scene, notice), None);
    let decision = scene.act(scene.decision("杭西综执当罚字〔2026〕第0001号"));
    assert_eq!(told(&world, &scene, decision), Some((true, vec![])));
}

#[test]
fn an_unlawful_decision_is_kept_and_not_accepted() {
    let (world, rulebook) = world();
    let mut scene = Scene::new(&world, rulebook);
    scene.display();
    // 《行政处罚法》第五十一条: 对公民二百元以下.
    let mut high = scene.decision("一号");
    high.fine_fen = 20_001;
    high.facts.fine = Fen(20_001);
    let high = scene.act(high);
    let (accepted, found) = codes(&world, &scene, high);
    assert!(!accepted && found.contains(&"R-20".to_owned()), "{found:?}");
    let mut other_sum = scene.decision("二号");
    other_sum.fine_fen = 9999;
    let other_sum = scene.act(other_sum);
    assert_eq!(codes(&world, &scene, other_sum), (false, vec!["HQ-FACTS".into()]));
    scene.device.rulebook = Some(Hash::of(b"unknown"));
    let unknown = scene.act(scene.decision("三号"));
    assert_eq!(codes(&world, &scene, unknown), (false, vec!["HQ-RULEBOOK".into()]));
    assert_eq!(world.hq().counts().unwrap().records, 4);
}

#[test]
fn signatures_must_cover_the_pages_and_come_from_registered_keys() {
    let (world, rulebook) = world();
    let mut scene = Scene::new(&world, rulebook);
    scene.display();
    let mut other_pages = scene.decision("一号");
    other_pages.pages.push(Hash::of(b"slipped in"));
    let other_pages = scene.act(other_pages);
    let (accepted, found) = codes(&world, &scene, other_pages);
    assert!(!accepted);
    assert_eq!(found, ["HQ-SIGNATURE", "HQ-SIGNATURE", "R-30"]);
    let mut one_twice = scene.decision("二号");
    one_twice.officer_signatures[1] = one_twice.officer_signatures[0].clone();
    let one_twice = scene.act(one_twice);
    assert_eq!(codes(&world, &scene, one_twice), (false, vec!["R-30".into()]));
    let own = std::mem::replace(&mut scene.officers[1].1, crate::support::device::key());
    let forged = scene.decision("三号");
    scene.officers[1].1 = own;
    let forged = scene.act(forged);
    let found = codes(&world, &scene, forged);
    assert_eq!(found, (false, vec!["HQ-SIGNATURE".into(), "R-30".into()]));
}

#[test]
fn acts_before_the_display_and_by_one_officer_are_named() {
    let (world, rulebook) = world();
    let mut scene = Scene::new(&world, rulebook);
    let first = scene.notice();
    assert_eq!(codes(&world, &scene, first), (false, vec!["R-92".into()]));
    let second = scene.notice();
    assert_eq!(told(&world, &scene, second), None, "said once for the visit");
    scene.display();
    scene.device.officers.pop();
    let alone = scene.notice();
    assert_eq!(codes(&world, &scene, alone), (false, vec!["R-30".into()]));
    scene.device.officers.push(OfficerId(id()));
    let stranger = scene.notice();
    assert_eq!(codes(&world, &scene, stranger), (false, vec!["R-90".into(), "R-30".into()]));
    // A code that another key made proves nothing.
    scene.officers[0].1 = crate::support::device::key();
    let forged = scene.display();
    assert_eq!(codes(&world, &scene, forged), (false, vec!["R-92".into()]));
}

#[test]
fn one_number_on_two_devices_is_found() {
    let (world, rulebook) = world();
    let (mut one, mut two) = (Scene::new(&world, rulebook), Scene::new(&world, rulebook));
    let wish = hq::Lease {
        authority: "xh-zhzf".into(),
        word: "杭西综执当罚".into(),
        year: 2026,
        count: 10,
    };
    let lease = world.hq().lease_numbers(one.device.id, &wish).unwrap();
    let reserve = |lease: LeaseId, number| NumberReserved {
        lease,
        number,
        document_number: format!("第{number}号"),
        document: DocumentId(id()),
        case: CaseId(id()),
    };
    let rightly = one.act(reserve(lease.lease, lease.first));
    assert_eq!(told(&world, &one, rightly), None);
    let beyond = one.act(reserve(lease.lease, lease.last + 1));
    assert_eq!(codes(&world, &one, beyond), (false, vec!["R-25".into()]));
    let foreign = two.act(reserve(lease.lease, lease.first));
    assert_eq!(codes(&world, &two, foreign), (false, vec!["R-25".into(), "R-25".into()]));
}

#[test]
fn an_officer_on_two_devices_at_once_is_found_also_when_it_arrives_late() {
    let (world, rulebook) = world();
    let (mut one, mut two) = (Scene::new(&world, rulebook), Scene::new(&world, rulebook));
    let (first, second) = (ShiftId(id()), ShiftId(id()));
    let begun = one.begin(first);
    assert_eq!(told(&world, &one, begun), Some((true, vec![])));
    one.device.wall_at = one.device.wall_at.plus_ms(60_000);
    // The second device's day lies within the first one's, and both arrive afterwards.
    two.device.wall_at = two.device.wall_at.plus_ms(10_000);
    let inside = two.begin(second);
    assert!(codes(&world, &two, inside).0, "the end of the first is not known yet");
    let ended = one.act(ShiftEnded { shift: first, unsent: 0, note: String::new() });
    assert_eq!(codes(&world, &one, ended), (false, vec!["R-91".into(), "R-91".into()]));
    two.device.wall_at = two.device.wall_at.plus_ms(60_000);
    let ended = two.act(ShiftEnded { shift: second, unsent: 0, note: String::new() });
    assert_eq!(codes(&world, &two, ended), (false, vec!["R-91".into(), "R-91".into()]));
    two.device.wall_at = two.device.wall_at.plus_ms(60_000);
    let later = two.begin(ShiftId(id()));
    assert_eq!(told(&world, &two, later), Some((true, vec![])));
}

#[test]
fn an_act_of_a_later_program_is_kept_and_accepted() {
    let (world, rulebook) = world();
    let mut scene = Scene::new(&world, rulebook);
    let body = Value::Map(vec![(Value::Text("height_mm".into()), Value::Integer(9.into()))]);
    let later = scene.act(Act::Unknown(RawAct { kind: "drone_flown".into(), body }));
    assert_eq!(codes(&world, &scene, later), (true, vec!["HQ-KIND".into()]));
}
