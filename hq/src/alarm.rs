//! What somebody has to look into: a device that was copied or restored, an HQ that went back.
//!
//! An alarm never stops custody: both versions are kept. It is raised once for each place, counted,
//! shown beside the device, and told to the device, which knows whether it is the original.

use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::time::Timestamp;
use sync_model::wire::audit::Order;
use sync_model::wire::feed::{CommandMessage, FeedBody};

use crate::error::HqError;
use crate::hq::{Hq, Inner};
use crate::store::Tx;

/// An alarm as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The device.
    pub device: DeviceId,
    /// `fork`: two records at one place, the device was copied or restored; `rollback`: the device
    /// saw a longer log than HQ has; `healed`: HQ had lost a record and got it again.
    pub kind: String,
    /// First place in the chain, or the size of the log that the device saw.
    pub seq: u64,
    /// When first.
    pub raised_at: Timestamp,
}

impl Inner {
    /// Notes that two records stand at one place of a device's chain and tells the device.
    pub(crate) fn alarm_fork(
        &self,
        tx: &Tx<'_>,
        device: DeviceId,
        seq: u64,
        (held, other): (Hash, Hash),
        now: Timestamp,
    ) -> Result<(), HqError> {
        if !tx.raise_alarm(device, "fork", seq, now)? {
            return Ok(());
        }
        tracing::error!(%device, seq, "fork: the device was copied or restored");
        let order = Order::ForkSeen { seq, held, other };
        self.issue(tx, Some(device), FeedBody::Order(order), now)?;
        let message = CommandMessage {
            title: "发现两台终端使用同一密钥".to_owned(),
            text: format!(
                "总部在第{seq}条记录处收到内容不同的两条记录，双方记录均已保存。\
                 本终端可能被复制或由备份恢复，请立即联系总部核查。"
            ),
        };
        self.issue(tx, Some(device), FeedBody::Command(message), now)?;
        Ok(())
    }

    /// Notes if a device saw a longer log than this HQ has: HQ was restored from a backup.
    pub(crate) fn watch_growth(
        &self,
        tx: &Tx<'_>,
        device: DeviceId,
        seen_size: u64,
        now: Timestamp,
    ) -> Result<(), HqError> {
        if seen_size > tx.log_size()? && tx.raise_alarm(device, "rollback", seen_size, now)? {
            tracing::error!(%device, seen_size, "this log is older than what a device saw");
        }
        Ok(())
    }
}

impl Hq {
    /// Returns the first alarm of each kind and device.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn alarms(&self) -> Result<Vec<Alarm>, HqError> {
        let rows = self.0.store.read::<_, HqError>(|tx| Ok(tx.alarms()?))?;
        Ok(rows
            .into_iter()
            .map(|row| Alarm {
                device: row.device,
                kind: row.kind,
                seq: row.seq,
                raised_at: row.raised_at,
            })
            .collect())
    }
}
