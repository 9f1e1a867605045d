//! What can be said of a push without the store: which elements are records of its device.

use std::num::NonZero;

use serde_bytes::ByteBuf;
use sync_model::record::Record;
use sync_model::wire::push::PushRequest;

use crate::admit::Beforehand;
use crate::store::Device;

/// Records from which on a push is worked on by several threads.
const SHARED_FROM: usize = 64;
/// Most threads for one push.
const THREADS_MAX: usize = 4;

/// A push after everything that needs no store.
pub(crate) struct Batch {
    /// Who made the records.
    pub(crate) device: Device,
    /// The records, up to the first element that is none.
    pub(crate) records: Vec<Record>,
    /// The first element that is not a record of this device, with the reason.
    pub(crate) unattributable: Option<(Vec<u8>, String)>,
    /// What is known of them before they are judged.
    pub(crate) beforehand: Beforehand,
}

/// Opens every record up to the first that is not one of this device.
pub(crate) fn open(device: Device, request: PushRequest) -> Batch {
    let opened = open_all(&device, &request.records);
    let mut batch = Batch {
        device,
        records: Vec::new(),
        unattributable: None,
        beforehand: Beforehand::default(),
    };
    for (opened, bytes) in opened.into_iter().zip(request.records) {
        match opened {
            Ok(record) => batch.records.push(record),
            Err(reason) => {
                batch.unattributable = Some((bytes.into_vec(), reason));
                break;
            }
        }
    }
    batch
}

/// Checks every record by itself.
fn open_all(device: &Device, records: &[ByteBuf]) -> Vec<Result<Record, String>> {
    // Made ready once: every record of the push is by this key.
    let key = match device.key.verifier() {
        Ok(key) => key,
        Err(error) => return vec![Err(error.to_string())],
    };
    let open = |bytes: &ByteBuf| match Record::open_with(bytes, &key) {
        Ok(record) if record.envelope.device == device.device => Ok(record),
        Ok(_) => Err("record names another device".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    on_all_cores(records, open)
}

/// Does `work` for every item, in order; many items are shared among the processors.
pub(crate) fn on_all_cores<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> R + Copy + Send,
) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    if items.len() < SHARED_FROM || threads == 1 {
        return items.iter().map(work).collect();
    }
    let share = items.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let shares: Vec<_> = items
            .chunks(share)
            .map(|share| (share, scope.spawn(move || share.iter().map(work).collect::<Vec<_>>())))
            .collect();
        // What panics the decoder panics again here, and ends this request alone.
        shares
            .into_iter()
            .flat_map(|(share, thread)| {
                thread.join().unwrap_or_else(|_| share.iter().map(work).collect())
            })
            .collect()
    })
}
