//! Projections are derivable: journal and feed alone make the same tables again.

use rusqlite::Connection;
use rusqlite::types::Value;
use sync_model::canonical;
use sync_model::cose::Unverified;
use sync_model::hash::Hash;
use sync_model::id::{CaseId, DocumentId, LeaseId, TranscriptId};
use sync_model::record::case::{CaseFiled, DefenseHeard, PriorNoticeGiven};
use sync_model::record::document::{DeliveryWay, DocumentDelivered, NumberReserved, NumberVoided};
use sync_model::record::evidence::EvidenceExcluded;
use sync_model::record::inspection::AssignmentAccepted;
use sync_model::record::shift::ShiftEnded;
use sync_model::record::signature::{Ink, PageSigned, SignatureRefused, SignerRole};
use sync_model::record::transcript::{
    ReadBackWay, Strength, TranscriptKind, TranscriptLocked, TranscriptPrepared, TranscriptReadBack,
};
use sync_model::record::{BlobRole, Record};
use sync_model::wire::FEED_BYTES_MAX;
use sync_model::wire::feed::{CommandMessage, FeedBody, FeedItem, NumberLease};
use uuid::Uuid;

use super::world::{
    TEN, World, assignment, assignment_id, device_id, evidence, inspection, lead, page, party,
    scope, sql,
};
use crate::store::feed::{FeedBatch, use_item};
use crate::store::migrate::migrate;
use crate::store::project::project;
use crate::store::{Enrollment, Store};

/// Tables that journal and feed determine.
const PROJECTIONS: &[&str] = &[
    "acceptance",
    "answer",
    "assignment",
    "case_file",
    "command_message",
    "document",
    "document_number",
    "evidence",
    "inspection",
    "lead_note",
    "number_lease",
    "rulebook",
    "shift",
    "signature",
    "transcript",
];
/// Tables that are sources themselves, or only of this device.
const OTHERS: &[&str] = &[
    "blob",
    "checkpoint",
    "day_report",
    "draft",
    "feed",
    "journal",
    "meta",
    "officer",
    "outbox",
    "partner_device",
    "partner_file",
    "partner_record",
    "receipt",
    "urgent",
];

type Dump = Vec<(&'static str, Vec<Vec<Value>>)>;

/// Returns every row of every projection, in the order pages list them.
pub(super) fn projections(store: &Store) -> Dump {
    sql(store, dump)
}

fn dump(connection: &Connection) -> Dump {
    let rows = |table: &str| {
        let mut statement =
            connection.prepare(&format!("SELECT * FROM {table} ORDER BY rowid")).unwrap();
        let columns = statement.column_count();
        let rows = statement
            .query_map([], |row| (0..columns).map(|index| row.get(index)).collect())
            .unwrap();
        rows.map(Result::unwrap).collect()
    };
    PROJECTIONS.iter().map(|table| (*table, rows(table))).collect()
}

/// Makes the projections of `store` anew from its feed and its journal.
pub(super) fn rebuilt(store: &Store, enrollment: &Enrollment) -> Dump {
    let mut fresh = Connection::open_in_memory().unwrap();
    migrate(&mut fresh).unwrap();
    let items: Vec<Vec<u8>> = sql(store, |c| {
        let mut statement = c.prepare("SELECT bytes FROM feed ORDER BY idx").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    });
    for bytes in items {
        let payload = Unverified::parse(&bytes).unwrap();
        let item: FeedItem = canonical::from_bytes(payload.payload(), FEED_BYTES_MAX).unwrap();
        use_item(&fresh, &item, enrollment, &mut FeedBatch::default()).unwrap();
    }
    for row in store.read(|r| r.records_from(1, 1_000_000)).unwrap() {
        let record = Record::open(&row.bytes, &enrollment.certificate.key).unwrap();
        project(&fresh, &record, &record.envelope.act()).unwrap();
    }
    dump(&fresh)
}

#[test]
fn every_table_is_a_projection_or_known_not_to_be() {
    let world = World::enrolled();
    let mut tables: Vec<String> = sql(world.store(), |c| {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'";
        let mut statement = c.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    });
    tables.sort();
    let mut known: Vec<&str> = PROJECTIONS.iter().chain(OTHERS).copied().collect();
    known.sort_unstable();
    assert_eq!(tables, known);
}

#[test]
fn journal_and_feed_alone_make_every_projection_again() {
    let world = World::enrolled();
    let lease = LeaseId(Uuid::from_u128(0x7000));
    let items = vec![
        world.hq.item(1, None, FeedBody::Assignment(Box::new(assignment(1, 1, "a")))),
        world.hq.item(2, None, FeedBody::Assignment(Box::new(assignment(1, 2, "b")))),
        world.hq.item(
            3,
            None,
            FeedBody::Command(CommandMessage { title: "t".into(), text: "x".into() }),
        ),
        world.hq.item(
            4,
            Some(device_id()),
            FeedBody::NumberLease(NumberLease {
                lease,
                device: device_id(),
                authority: "town".to_owned(),
                word: "北综执当罚".to_owned(),
                year: 2026,
                first: 1,
                last: 20,
            }),
        ),
    ];
    world.store().take_feed(&page(items)).unwrap();
    world.act(AssignmentAccepted { assignment: assignment_id(1), revision: 2 });
    world.visit(1);
    world.act_in(&scope(1), EvidenceExcluded { evidence: evidence(1), reason: "重拍".to_owned() });
    world.act(lead("消防通道"));
    transcript(&world);
    case(&world, lease);
    let ended = ShiftEnded { shift: super::world::shift(1).shift, unsent: 3, note: String::new() };
    world.act(ended);
    let enrollment = world.store().read(|r| r.enrollment()).unwrap().unwrap();
    let found = projections(world.store());
    // A table that stayed empty would prove nothing.
    for (table, rows) in &found {
        let fed_by_others = ["acceptance", "rulebook"].contains(table);
        assert!(fed_by_others || !rows.is_empty(), "{table} is empty");
    }
    assert_eq!(rebuilt(world.store(), &enrollment), found);
}

fn transcript(world: &World) {
    let (transcript, document) =
        (TranscriptId(Uuid::from_u128(0x8000)), DocumentId(Uuid::from_u128(0x9000)));
    let blobs = world.store().blobs();
    let text = Hash::of(b"page");
    for revision in 1..=2 {
        let content = format!("content {revision}");
        world.act_in(
            &scope(1),
            TranscriptPrepared {
                transcript,
                document,
                inspection: inspection(1),
                kind: TranscriptKind::Scene,
                revision,
                title: "现场检查笔录".to_owned(),
                content: blobs
                    .put(content.as_bytes(), "application/cbor", BlobRole::Content)
                    .unwrap(),
                text: blobs.put(b"text", "text/plain", BlobRole::Text).unwrap(),
                pages: vec![text],
            },
        );
    }
    world.act_in(
        &scope(1),
        TranscriptReadBack {
            transcript,
            revision: 2,
            way: ReadBackWay::ReadAloud,
            readings: vec![],
            closing_words: "以上属实".to_owned(),
        },
    );
    sign(world, document, text);
    world.act_in(
        &scope(1),
        TranscriptLocked {
            transcript,
            revision: 2,
            content: Hash::of(b"content 2"),
            pages: vec![text],
            strength: Strength::Weak,
            officer_signatures: vec![],
        },
    );
    let delivered = DocumentDelivered {
        document,
        recipient: "赵".to_owned(),
        way: DeliveryWay::InPerson { ink: ink(text) },
        place: "店内".to_owned(),
    };
    world.act_in(&scope(1), delivered);
}

/// One officer signs, the party refuses.
fn sign(world: &World, document: DocumentId, text: Hash) {
    world.act_in(
        &scope(1),
        PageSigned {
            document,
            revision: 2,
            page: 1,
            page_hash: text,
            role: SignerRole::FirstOfficer,
            name: "王建国".to_owned(),
            ink: ink(text),
        },
    );
    world.act_in(
        &scope(1),
        SignatureRefused {
            document,
            revision: 2,
            role: SignerRole::Party,
            name: "赵".to_owned(),
            reason: "未说明理由".to_owned(),
            witness: None,
            recording: None,
        },
    );
}

fn case(world: &World, lease: LeaseId) {
    let case = CaseId(Uuid::from_u128(0xa000));
    world.act_in(
        &scope(1),
        CaseFiled {
            case,
            inspection: inspection(1),
            matter: "330231801000".to_owned(),
            authority: "town".to_owned(),
            party: party(),
            violation: "未亮照".to_owned(),
            acted_at: TEN,
            place: "店内".to_owned(),
            evidence: vec![],
        },
    );
    world.act_in(
        &scope(1),
        PriorNoticeGiven {
            case,
            benchmark: None,
            tier: None,
            warning: true,
            fine_fen: 0,
            told: Hash::ZERO,
        },
    );
    let heard = DefenseHeard {
        case,
        content: String::new(),
        waived: true,
        adopted: false,
        reply: String::new(),
    };
    world.act_in(&scope(1), heard);
    for number in 1..=2 {
        let document_number = format!("北综执当罚字〔2026〕{number}号");
        let document = DocumentId(Uuid::from_u128(0xb000 + u128::from(number)));
        let reserved = NumberReserved {
            lease,
            number,
            document_number: document_number.clone(),
            document,
            case,
        };
        world.act_in(&scope(1), reserved);
        if number == 1 {
            let reason = "打印损坏".to_owned();
            world.act_in(&scope(1), NumberVoided { lease, number, document_number, reason });
        }
    }
}

fn ink(page: Hash) -> Ink {
    Ink {
        page,
        nonce: [1; 16],
        pad_width: 1,
        pad_height: 1,
        tool: "pen".to_owned(),
        strokes: vec![],
    }
}
