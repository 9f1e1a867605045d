//! HQ that is away, broken or talks nonsense, wrong codes, and assignments that cannot be carried out.

use sync_core::Outcome;
use xunzheng::error::AppError;
use xunzheng::inspection::begin;
use xunzheng::{assignment, session, sync_status, text};

use super::finish;
use crate::support::people::{begin_input, lead};
use crate::support::proxy::Fault;
use crate::support::world::{World, ok, refused};

#[test]
fn hq_unreachable_failing_or_talking_nonsense_keeps_everything_and_says_which() {
    let world = World::new(1);
    let device = &world.devices[0];
    lead(device, "联网失败前的线索");
    let length = device.length();
    let table = [
        (Fault::Refused, "连不上总部"),
        (Fault::Answer500, "连不上总部"),
        (Fault::ReplyTorn, "连不上总部"),
        (Fault::HeaderTorn, "连不上总部"),
        (Fault::AnswerGarbage, "无法识别"),
        (Fault::AnswerForeign, "无法识别"),
    ];
    for (fault, words) in table {
        device.proxy.fail_all(fault);
        let (error, sentence) = refused(device.sync());
        assert_eq!(error.outcome(), Outcome::Waiting, "{fault:?}: {error:?}");
        assert!(sentence.contains(words) && sentence.contains("都在本机"), "{fault:?} {sentence}");
        let status = ok(sync_status::status(device.services()));
        assert_eq!(status.online_text, "离线", "{fault:?}");
        assert_eq!(device.length(), length);
        world.check();
    }
    device.proxy.pass();
    // A port where nobody listens, as after HQ moved.
    device.services().store.set_hq("http://127.0.0.1:9").unwrap();
    let (_, sentence) = refused(device.sync());
    assert!(sentence.contains("连不上总部"), "{sentence}");
    device.services().store.set_hq(&device.proxy.url()).unwrap();
    ok(device.sync());
    assert_eq!(ok(sync_status::status(device.services())).online_text, "在线");
    finish(&world);
}

#[test]
fn a_wrong_one_time_code_enrolls_nothing_and_a_used_one_no_second_device() {
    let mut world = World::of_one_pair(1);
    let used = world.devices[0].codes.clone();
    let fresh = World::fresh();
    let device = &fresh.devices[0];
    let wrong = session::enroll(device.services(), &device.proxy.url(), "0000-0000-0000");
    let (_, sentence) = refused(wrong);
    assert!(sentence.contains("开通码"), "{sentence}");
    assert!(device.id().is_none());
    // Another device with a code that is used already.
    let stranger = World::fresh();
    let url = world.devices[0].proxy.url();
    let (_, sentence) =
        refused(session::enroll(stranger.devices[0].services(), &url, &used.device));
    assert!(sentence.contains("已用过"), "{sentence}");
    ok(device.enroll());
    world.devices[0].restart();
    world.check();
}

#[test]
fn an_assignment_that_cites_an_unknown_matter_is_said_so_and_the_others_work() {
    let world = World::new(1);
    let device = &world.devices[0];
    let services = device.services();
    let length = device.length();
    let unknown = device.find("事项编码待核");
    let (error, sentence) = refused(begin(services, unknown, &begin_input()));
    assert!(matches!(error, AppError::Blocked(_)), "{error:?}");
    let code =
        device.assignments().iter().find(|one| one.assignment == unknown).unwrap().participations
            [0]
        .matters[0]
            .clone();
    assert!(sentence.contains(&code), "does not name {code}: {sentence}");
    assert_eq!(device.length(), length, "half a visit began");
    // One unknown matter among known ones is left out by name; the visit takes place.
    let mut mixed = device.assignments().remove(0);
    mixed.assignment = sync_model::id::AssignmentId(uuid::Uuid::from_u128(77));
    mixed.title = "混合任务".to_owned();
    mixed.participations[0].matters.push(code.clone());
    let id = device.id().unwrap();
    world.hq(|hq| hq.assign(id, mixed).unwrap());
    ok(device.sync());
    let view = ok(assignment::list(services));
    let view = view.iter().find(|one| one.assignment.title == "混合任务").unwrap();
    assert_eq!(view.unknown_matters, std::slice::from_ref(&code));
    let (inspection, left_out) = ok(begin(services, device.find("混合任务"), &begin_input()));
    assert!(text::findings_text(&left_out).contains(&code), "{left_out:?}");
    let visit = services.store.read(|r| r.inspection(inspection)).unwrap().unwrap().begun;
    assert!(!visit.participations.is_empty());
    assert!(visit.participations.iter().all(|part| !part.matters.contains(&code)));
    finish(&world);
}
