//! Networks and servers that fail: the device waits, keeps everything (I-7), and goes on
//! when it can.

use std::net::TcpListener;

use sync_model::wire::FEED_BYTES_MAX;
use sync_model::wire::problem::{Problem, ProblemCode};

use super::hq::{Reply, Request, ScriptedHq, State, refuse};
use super::{HqClient, round, sync};
use crate::error::{Outcome, SyncError};
use crate::store::Level;
use crate::store::tests::world::{World, lead};

/// Does a round into `fault`, checks that nothing counts as received, heals HQ and checks that the
/// next round brings everything.
fn survives(
    fault: impl FnMut(&Request, &mut State) -> Option<Reply> + Send + 'static,
) -> SyncError {
    let world = World::enrolled();
    world.act(lead("1"));
    world.act(lead("2"));
    let hq = ScriptedHq::of(&world);
    hq.fault(fault);
    let error = sync(&world, &hq).unwrap_err();
    let counts = world.store().read(|r| r.outbox_counts()).unwrap();
    assert_eq!((counts.pending, counts.received, counts.parked), (2, 0, 0));
    assert_eq!(world.store().read(|r| r.level(1)).unwrap(), Level::Local);
    assert!(world.store().read(|r| r.last_round_at()).unwrap().is_none());
    hq.heal();
    assert_eq!(sync(&world, &hq).unwrap().records, 2);
    let counts = world.store().read(|r| r.outbox_counts()).unwrap();
    assert_eq!((counts.pending, counts.received, counts.parked), (0, 2, 0));
    assert_eq!(world.store().read(|r| r.level(2)).unwrap(), Level::Complete);
    assert_eq!(hq.state().held.len(), 2);
    error
}

fn raw(text: &str) -> Option<Reply> {
    Some(Reply::Raw(text.as_bytes().to_vec()))
}

fn is_unreachable(error: &SyncError) -> bool {
    matches!(error, SyncError::Unreachable(_)) && error.outcome() == Outcome::Waiting
}

fn is_garbage(error: &SyncError) -> bool {
    matches!(error, SyncError::Garbage(_)) && error.outcome() == Outcome::Waiting
}

#[test]
fn nobody_listening_means_waiting() {
    let world = World::enrolled();
    world.act(lead("1"));
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let client = HqClient::new(&format!("http://{port}")).unwrap();
    let error = round(world.store(), &client, &mut |_| {}).unwrap_err();
    assert!(is_unreachable(&error), "{error}");
    assert_eq!(world.store().read(|r| r.first_pending()).unwrap(), Some(1));
}

#[test]
fn an_error_page_of_a_broken_server_means_waiting() {
    let error = survives(|_, _| Some(Reply::Status(500, b"<html>oops</html>".to_vec())));
    assert!(is_unreachable(&error), "{error}");
    let error = survives(|_, _| Some(Reply::Status(404, b"<html>who?</html>".to_vec())));
    assert!(is_garbage(&error), "{error}");
}

#[test]
fn a_portal_in_between_is_no_answer() {
    let error = survives(|_, _| Some(Reply::Body(b"<html>please log in</html>".to_vec())));
    assert!(is_garbage(&error), "{error}");
    let error = survives(|_, _| raw("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n"));
    assert!(is_garbage(&error), "{error}");
    assert!(is_unreachable(&survives(|_, _| raw("SSH-2.0-OpenSSH_9.9\r\n"))));
}

#[test]
fn a_connection_that_closes_early_means_waiting() {
    assert!(is_unreachable(&survives(|_, _| raw(""))));
    assert!(is_unreachable(&survives(|_, _| raw("HTTP/1.1 200 OK\r\n"))));
    let error = survives(|_, _| raw("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nabc"));
    assert!(is_unreachable(&error), "{error}");
    let error =
        survives(|_, _| raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nab"));
    assert!(is_unreachable(&error), "{error}");
}

#[test]
fn a_reply_cut_after_hq_saved_is_asked_for_again_without_doubling() {
    let error = survives(|request, state| {
        let Reply::Body(bytes) = state.answer(request) else { panic!("HQ refused") };
        let length = bytes.len();
        let mut cut = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes();
        cut.extend_from_slice(&bytes[..length / 2]);
        Some(Reply::Raw(cut))
    });
    assert!(is_unreachable(&error), "{error}");
    // Nothing at all came back.
    let error = survives(|request, state| {
        state.answer(request);
        raw("")
    });
    assert!(is_unreachable(&error), "{error}");
}

#[test]
fn a_content_length_too_short_is_garbage() {
    let error = survives(|request, state| {
        let Reply::Body(bytes) = state.answer(request) else { panic!("HQ refused") };
        let mut short = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n".to_vec();
        short.extend_from_slice(&bytes);
        Some(Reply::Raw(short))
    });
    assert!(is_garbage(&error), "{error}");
}

#[test]
fn an_endless_reply_is_cut_at_its_limit() {
    let error = survives(|_, _| Some(Reply::Body(vec![0; FEED_BYTES_MAX + 2])));
    assert!(is_garbage(&error), "{error}");
    let error = survives(|_, _| Some(Reply::Status(422, vec![0; 65 * 1024])));
    assert!(is_garbage(&error), "{error}");
}

#[test]
fn a_problem_that_passes_means_waiting_and_one_that_stays_means_refused() {
    for code in [ProblemCode::Busy, ProblemCode::Full, ProblemCode::Internal] {
        let error = survives(move |_, _| Some(refuse(&Problem::new(code, "later"))));
        assert_eq!(error.outcome(), Outcome::Waiting, "{error}");
    }
    for code in [ProblemCode::Revoked, ProblemCode::NotAuthentic, ProblemCode::Malformed] {
        let error = survives(move |_, _| Some(refuse(&Problem::new(code, "no"))));
        assert!(matches!(&error, SyncError::Problem(problem) if problem.code == code));
        assert_eq!(error.outcome(), Outcome::Refused);
    }
}

#[test]
fn an_hq_of_every_age_takes_the_records() {
    use sync_model::wire::pack::MEDIA_PACKED;
    // What an HQ says that does not know the form: an old one has no word for it and no header, a
    // later one may know another dictionary, a gateway may have its own opinion.
    let refusals = [(422, false, 1), (400, false, 1), (415, false, 1), (415, true, 2)];
    for (status, knows_forms, refused) in refusals {
        let world = World::enrolled();
        world.act(lead("1"));
        let hq = ScriptedHq::of(&world);
        hq.fault(move |request, state| {
            let packed = request.headers["content-type"] == MEDIA_PACKED;
            let tries = state.asked.iter().filter(|asked| asked.contains("/push")).count();
            if !packed || (knows_forms && tries > refused) {
                return None;
            }
            let problem = refuse(&Problem::new(ProblemCode::Malformed, "what is this?"));
            let Reply::Status(_, body) = problem else { panic!("a problem") };
            if knows_forms {
                return Some(Reply::Status(status, body));
            }
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n");
            Some(Reply::Raw([head.into_bytes(), body].concat()))
        });
        let client = HqClient::new(&hq.base()).unwrap();
        assert_eq!(round(world.store(), &client, &mut |_| {}).unwrap().records, 1);
        let pushes = |hq: &ScriptedHq| {
            hq.state().asked.iter().filter(|asked| asked.contains("/push")).count()
        };
        assert_eq!(pushes(&hq), refused + 1, "{status}");
        // It is remembered: the next record goes at once.
        world.act(lead("2"));
        assert_eq!(round(world.store(), &client, &mut |_| {}).unwrap().records, 1);
        assert_eq!(pushes(&hq), refused + 2, "{status}");
    }
}

#[test]
fn a_reply_that_opens_into_more_than_allowed_is_garbage() {
    let bomb = sync_model::wire::encoding::compress(&vec![0; FEED_BYTES_MAX + 1], 0, false);
    let bomb = bomb.unwrap();
    let error = survives(move |_, _| {
        let length = bomb.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\ncontent-length: {length}\r\n\r\n"
        );
        Some(Reply::Raw([head.into_bytes(), bomb.clone()].concat()))
    });
    assert!(is_garbage(&error), "{error}");
}
