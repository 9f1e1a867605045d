//! One act commits as a whole or not at all; the journal and the receipts never change.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sync_model::id::DocumentId;
use sync_model::record::Act;
use sync_model::record::transcript::{TranscriptKind, TranscriptPrepared};
use sync_model::record::{BlobRef, BlobRole};
use uuid::Uuid;

use super::rebuild::projections;
use super::world::{World, answered, begun, count, inspection, lead, scope, shift, sql};
use crate::error::StoreError;
use crate::store::{Level, Scope};
use sync_model::hash::Hash;

#[test]
fn an_act_commits_record_chain_projection_outbox_and_citation_together() {
    let world = World::enrolled();
    let records = world.visit(1);
    let store = world.store();
    assert_eq!(store.check_chain().unwrap(), 6);
    assert_eq!((count(store, "journal"), count(store, "outbox"), count(store, "blob")), (6, 6, 1));
    let visit = store.read(|r| r.inspection(inspection(1))).unwrap().unwrap();
    assert!(visit.noticed_at.is_some() && visit.concluded_at.is_some());
    assert_eq!(store.read(|r| r.answers(inspection(1))).unwrap().len(), 1);
    assert_eq!(store.read(|r| r.evidence_of(inspection(1))).unwrap()[0].seq, 5);
    for pair in records.windows(2) {
        assert_eq!(pair[1].envelope.previous, pair[0].hash);
    }
    assert_eq!(records[1].envelope.visit_previous, None);
    assert_eq!(records[2].envelope.visit_previous, Some(records[1].hash));
}

#[test]
fn an_act_sees_what_stands_before_it_and_nothing_that_failed() {
    let world = World::enrolled();
    world.act(lead("first"));
    let before = projections(world.store());
    let head = world.store().read(|r| r.head()).unwrap();
    let refused: Result<_, StoreError> = world.store().act(&Scope::default(), |reader, _| {
        assert_eq!(reader.leads()?.len(), 1);
        Err(StoreError::BadStored("on purpose"))
    });
    assert!(matches!(refused, Err(StoreError::BadStored("on purpose"))));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let acted: Result<_, StoreError> =
            world.store().act(&Scope::default(), |_, _| panic!("on purpose"));
        acted
    }));
    assert!(panicked.is_err());
    assert_eq!(projections(world.store()), before);
    assert_eq!(world.store().read(|r| r.head()).unwrap(), head);
    assert_eq!(count(world.store(), "outbox"), 1);
    // The store works on after a panic.
    assert_eq!(world.act(lead("second")).envelope.seq, 2);
}

#[test]
fn an_act_whose_projection_fails_leaves_no_record() {
    let world = World::enrolled();
    let shift = world.act(shift(1));
    world.act_in(&scope(1), begun(1, shift.hash));
    let act: Act = begun(1, shift.hash).into();
    let twice = world.store().act(&scope(1), |_, _| Ok::<_, StoreError>(act));
    assert!(matches!(twice, Err(StoreError::Sqlite(_))));
    assert_eq!((count(world.store(), "journal"), count(world.store(), "outbox")), (2, 2));
    // An answer for a visit that never began breaks a foreign key.
    let act: Act = answered(9, "x").into();
    assert!(world.store().act(&scope(9), |_, _| Ok::<_, StoreError>(act)).is_err());
    assert_eq!(count(world.store(), "journal"), 2);
}

#[test]
fn a_record_never_cites_a_file_that_is_not_there() {
    let world = World::enrolled();
    let absent = |role| BlobRef {
        sha256: Hash::of(b"never stored"),
        bytes: 12,
        media: "text/plain".to_owned(),
        role,
    };
    let act: Act = TranscriptPrepared {
        transcript: sync_model::id::TranscriptId(Uuid::from_u128(1)),
        document: DocumentId(Uuid::from_u128(2)),
        inspection: inspection(1),
        kind: TranscriptKind::Scene,
        revision: 1,
        title: String::new(),
        content: absent(BlobRole::Content),
        text: absent(BlobRole::Text),
        pages: vec![],
    }
    .into();
    let refused = world.store().act(&scope(1), |_, _| Ok::<_, StoreError>(act));
    assert!(matches!(refused, Err(StoreError::MissingBlob(_))));
    assert_eq!(count(world.store(), "journal"), 0);
}

#[test]
fn journal_and_receipt_refuse_update_and_delete() {
    let world = World::enrolled();
    world.act(lead("x"));
    sql(world.store(), |c| {
        c.execute("INSERT INTO checkpoint (id, size, root, note) VALUES (1, 1, x'00', 'n')", [])
            .unwrap();
        c.execute("INSERT INTO receipt VALUES (1, 0, 1, x'', 5)", []).unwrap();
        for statement in [
            "UPDATE journal SET kind = 'other'",
            "DELETE FROM journal",
            "UPDATE receipt SET received_at = 6",
            "DELETE FROM receipt",
        ] {
            let error = c.execute(statement, []).unwrap_err().to_string();
            assert!(error.contains("append-only"), "{statement}: {error}");
        }
    });
    assert_eq!(world.store().check_chain().unwrap(), 1);
}

#[test]
fn a_record_is_complete_only_when_hq_holds_every_file_it_cites() {
    let world = World::enrolled();
    let shift = world.act(shift(1));
    world.act_in(&scope(1), begun(1, shift.hash));
    let first = world.act_in(&scope(1), world.photo(1, b"same photo"));
    let mut again = world.photo(2, b"same photo");
    (again.inspection, again.ordinal) = (Some(inspection(1)), 2);
    let second = world.act_in(&scope(1), again);
    sql(world.store(), |c| {
        c.execute("INSERT INTO checkpoint (id, size, root, note) VALUES (1, 1, x'00', 'n')", [])
            .unwrap();
        for record in [&first, &second] {
            let seq = i64::try_from(record.envelope.seq).unwrap();
            c.execute("INSERT INTO receipt VALUES (?1, 0, 1, x'', 5)", [seq]).unwrap();
        }
    });
    let level = |seq| world.store().read(|r| r.level(seq)).unwrap();
    assert_eq!(level(1), Level::Local);
    assert_eq!(level(first.envelope.seq), Level::Held);
    // The file is listed under the first record only; the second is no more complete for that.
    assert_eq!(level(second.envelope.seq), Level::Held);
    world.store().note_blob(&Hash::of(b"same photo"), 10, true).unwrap();
    assert_eq!(level(first.envelope.seq), Level::Complete);
    assert_eq!(level(second.envelope.seq), Level::Complete);
}

#[test]
fn a_name_of_sixty_rare_characters_is_stored_and_read_whole() {
    let mut world = World::enrolled();
    // Beyond the basic plane, with a variation selector and a middle dot.
    let name: String = "𠮷𪚥𫠝䶮㛃·龘\u{e0100}".chars().cycle().take(60).collect();
    let shift = world.act(shift(1));
    let mut visit = begun(1, shift.hash);
    visit.party.name.clone_from(&name);
    world.act_in(&scope(1), visit);
    world.store().save_draft("party", "name", &name).unwrap();
    world.reopen();
    let row = world.store().read(|r| r.inspection(inspection(1))).unwrap().unwrap();
    assert_eq!(row.begun.party.name, name);
    assert_eq!(row.begun.party.name.chars().count(), 60);
    assert_eq!(world.store().read(|r| r.draft("party")).unwrap()[0].value, name);
    assert_eq!(world.store().check_chain().unwrap(), 2);
}

#[test]
fn one_read_sees_one_moment() {
    let world = World::enrolled();
    world.act(lead("before"));
    let seen = world.store().read(|reader| {
        assert_eq!(reader.leads()?.len(), 1);
        world.act(lead("meanwhile"));
        // A page made of several queries must not mix two states.
        assert_eq!(reader.head()?.unwrap().seq, 1);
        assert_eq!(reader.leads()?.len(), 1);
        Ok::<_, StoreError>(())
    });
    seen.unwrap();
    assert_eq!(world.store().read(|r| r.leads()).unwrap().len(), 2);
}
