//! A real handheld joined to the real HQ without a network: what simulators build on.

use std::sync::Mutex;

use hq::InProcess;
use sync_core::SyncError;
use sync_core::sync::{self, Exchange, HqClient, Reply, Transport};

use crate::support::people::lead;
use crate::support::world::{World, ok};

struct NoNetwork(Mutex<InProcess>);

impl Transport for NoNetwork {
    fn call(&self, exchange: Exchange) -> Result<Reply, SyncError> {
        let Exchange { method, path, headers, body, .. } = exchange;
        let hq = self.0.lock().unwrap();
        let answered = hq
            .call(method.name(), &path, &headers, body)
            .map_err(|error| SyncError::Unreachable(error.to_string()))?;
        Ok(Reply { status: answered.status, headers: answered.headers, body: answered.body })
    }
}

#[test]
fn a_round_without_a_network_is_the_same_round() {
    let world = World::new(1);
    let device = &world.devices[0];
    lead(device, "占道经营");
    let hq = world.hq(|hq| InProcess::new(hq).unwrap());
    let client = HqClient::over("http://in-process", Box::new(NoNetwork(Mutex::new(hq))));
    let progress = ok(sync::round(&device.services().store, &client, &mut |_| {})
        .map_err(xunzheng::error::AppError::from));
    assert!(progress.records > 0);
    assert!(device.is_empty());
    world.check();
}
