//! What a receipt says beside its proofs counts with HQ's signature and not without: whoever ends TLS
//! on the way can change and leave out what he likes.

use sync_model::canonical;
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::wire::PUSH_BYTES_MAX;
use sync_model::wire::audit::ChainHead;
use sync_model::wire::policy::Policy;
use sync_model::wire::push::Receipt;
use sync_model::wire::word::ReceiptWord;

use super::hq::{Reply, ScriptedHq, State, body};
use super::sync;
use crate::error::SyncError;
use crate::store::tests::world::{World, device_id, lead};

const LIBERAL: Policy = Policy { revision: 9, retain_days: 0, ..Policy::DEFAULT };

/// Lets `bend` change each receipt; it is told the hash of the request.
fn bent(hq: &ScriptedHq, bend: impl Fn(&mut Receipt, &State, Hash) + Send + 'static) {
    hq.fault(move |request, state| {
        request.path.ends_with("/push").then(|| {
            let asked = state.check_request(request);
            let Reply::Body(bytes) = state.push(&request.body, asked) else { panic!("refused") };
            let mut receipt: Receipt = canonical::from_bytes(&bytes, PUSH_BYTES_MAX).unwrap();
            receipt.archived_seq = 1;
            receipt.policy = Some(LIBERAL);
            receipt.chain_head = Some(ChainHead { seq: 99, hash: Hash::of(b"nothing") });
            bend(&mut receipt, state, asked);
            body(&receipt)
        })
    });
}

/// Says that nothing of what [`bent`] puts into receipts was believed.
fn believed_nothing(world: &World) {
    let store = world.store();
    assert_eq!(store.read(|r| r.policy()).unwrap(), Policy::DEFAULT);
    assert_eq!(store.read(|r| r.archived_seq()).unwrap(), 0);
    assert!(store.read(|r| r.chain_stop()).unwrap().is_none());
}

#[test]
fn nothing_is_done_on_an_unsigned_word() {
    let world = World::enrolled();
    world.act(lead("1"));
    let hq = ScriptedHq::of(&world);
    bent(&hq, |receipt, _, _| receipt.word = None);
    // The records are proven all the same.
    assert_eq!(sync(&world, &hq).unwrap().records, 1);
    believed_nothing(&world);
    // What stands beside a good word is not believed either, but the word.
    bent(&hq, |_, _, _| {});
    sync(&world, &hq).unwrap();
    believed_nothing(&world);
    // The same, said by HQ.
    bent(&hq, |receipt, state, asked| {
        receipt.chain_head = None;
        let word = ReceiptWord::sign(receipt, device_id(), asked, &state.keys.log);
        receipt.word = Some(word.unwrap().into());
    });
    sync(&world, &hq).unwrap();
    assert_eq!(world.store().read(|r| r.policy()).unwrap(), LIBERAL);
    assert_eq!(world.store().read(|r| r.archived_seq()).unwrap(), 1);
}

#[test]
fn a_borrowed_word_ends_the_round() {
    let world = World::enrolled();
    world.act(lead("1"));
    let hq = ScriptedHq::of(&world);
    for bend in 0..4 {
        bent(&hq, move |receipt, state, asked| {
            let (log, feed) = (&state.keys.log, &state.keys.feed);
            let other = DeviceId::new(1, &[7; 10]);
            let mut word = match bend {
                0 => ReceiptWord::sign(receipt, other, asked, log),
                1 => ReceiptWord::sign(receipt, device_id(), Hash::of(b"before"), log),
                _ => ReceiptWord::sign(receipt, device_id(), asked, feed),
            }
            .unwrap();
            if bend == 3 {
                word = b"no word".to_vec();
            }
            receipt.word = Some(word.into());
        });
        let error = sync(&world, &hq).unwrap_err();
        assert!(matches!(error, SyncError::BadProof(why) if why.contains("word")), "{error}");
        believed_nothing(&world);
    }
    hq.heal();
    assert_eq!(sync(&world, &hq).unwrap().records, 1);
}
