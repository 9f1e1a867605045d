//! Names as the law protects them: 1 to 60 characters of any plane, recorded and printed exactly.

use sync_model::record::Act;
use sync_model::record::signature::SignerRole;
use xunzheng::error::{AppError, Input};
use xunzheng::evidence::photo::PhotoProblem;
use xunzheng::transcript::{RefusalInput, refuse};

use super::{PERSON, finish, on_visit};
use crate::support::people::{
    arrive, decision, lock_it, officers_sign, pages, party_signs, photograph, prepare_interview,
    prepare_scene, read, refused_interview, sign_as, walk,
};
use crate::support::photos;
use crate::support::world::{World, ok, refused};

/// Characters beyond the Basic Multilingual Plane, from several extensions.
const RARE: &[char] = &['𠮷', '𪚥', '𫖯', '𬘭', '\u{2B740}', '\u{2CEB0}', '\u{30000}', '𠀀'];

fn rare_name(length: usize) -> String {
    (0..length).map(|index| RARE[(index * 7 + length) % RARE.len()]).collect()
}

#[test]
fn names_of_one_to_sixty_rare_characters_are_recorded_exactly() {
    let (world, inspection) = on_visit();
    let device = &world.devices[0];
    let transcript = prepare_interview(&world, device, inspection, PERSON);
    ok(read(&world, device, transcript));
    let mut signed = 0;
    for length in 1..=60 {
        let name = rare_name(length);
        ok(sign_as(device, transcript, 1, SignerRole::Party, &name));
        let rows = device.services().store.read(|r| r.records_of(inspection)).unwrap();
        let record = rows.last().unwrap().record().unwrap();
        let Act::PageSigned(body) = record.envelope.act() else { panic!() };
        assert_eq!(body.name, name);
        signed += 1;
    }
    let length = device.length();
    let unfit = [String::new(), "  ".to_owned(), rare_name(61), "王\n伟".to_owned()];
    for name in &unfit {
        let (error, sentence) = refused(sign_as(device, transcript, 1, SignerRole::Party, name));
        assert!(matches!(error, AppError::Input(Input::Name)), "{name:?} {error:?}");
        assert!(sentence.contains("1 至 60"), "{sentence}");
        let input = RefusalInput {
            role: SignerRole::Party,
            name: name.clone(),
            reason: "未说明理由".to_owned(),
            witness: None,
            recording: None,
        };
        let (error, _) = refused(refuse(device.services(), transcript, input));
        assert!(matches!(error, AppError::Input(Input::Name)), "{name:?} {error:?}");
    }
    assert_eq!(device.length(), length);
    println!("names: {signed} lengths recorded exactly, {} refused", unfit.len());
    finish(&world);
}

/// The longest names go through every paper of a visit: pages, refusal, decision, hand-over.
#[test]
fn long_rare_names_come_through_every_paper_whole() {
    let world = World::new(1);
    let device = &world.devices[0];
    let mut named = device.assignments().remove(0);
    named.assignment = sync_model::id::AssignmentId(uuid::Uuid::from_u128(88));
    named.title = "长名任务".to_owned();
    named.premises.name = rare_name(60);
    named.party.name = rare_name(60);
    named.party.person_in_charge = Some(rare_name(1));
    let id = device.id().unwrap();
    world.hq(|hq| hq.assign(id, named).unwrap());
    ok(device.sync());
    let inspection = arrive(&world, device, device.find("长名任务"));
    let captured = ok(photograph(device, inspection, &photos::jpeg(1)));
    let boxes = captured.problems.iter().any(|one| matches!(one, PhotoProblem::MissingGlyphs(_)));
    assert!(boxes, "the watermark hides that the font lacks characters: {captured:?}");
    walk(&world, device, inspection);
    for length in [1, 2, 17, 60] {
        let name = rare_name(length);
        let transcript = prepare_scene(&world, device, inspection, &name);
        let row = device.services().store.read(|r| r.transcript(transcript)).unwrap().unwrap();
        let blobs = device.services().store.blobs();
        let pages = ok(xunzheng::document::load_pages(blobs, &row.prepared.text.sha256));
        // Lines are broken to fit; no character is dropped or replaced.
        let text: String = pages.concat().chars().filter(|c| !c.is_whitespace()).collect();
        assert!(text.contains(&name), "{length}: not on the pages");
        ok(read(&world, device, transcript));
        ok(party_signs(device, transcript, &name));
        ok(officers_sign(device, transcript));
        ok(lock_it(device, transcript));
    }
    refused_interview(&world, device, inspection, &rare_name(60));
    decision(&world, device, inspection, &rare_name(60));
    finish(&world);
    let refusals = device.services().store.read(|r| r.refusals()).unwrap();
    assert!(refusals.is_empty(), "{refusals:?}");
    assert!(
        pages(
            device,
            device.services().store.read(|r| r.transcripts_of(inspection)).unwrap()[0]
                .prepared
                .transcript
        )
        .len()
            >= 2
    );
}
