//! HQ, the central platform (总部平台): takes records into custody, answers with receipts, judges
//! what it took, and feeds devices with rulebook, assignments and document numbers.
//!
//! Reading order: the handle → who asks → enrollment → custody → admission → files → feed → log →
//! administration → HTTP. Custody is not acceptance: everything attributable is taken and proven,
//! and what HQ thinks of it comes back in the feed.
#![forbid(unsafe_code)]

mod account;
mod activate;
mod admin;
mod admit;
mod alarm;
mod archive;
mod audit;
mod auth;
mod background;
mod backup;
mod blob;
mod certify;
mod clock;
mod code;
mod day;
mod desk;
mod durable;
mod enroll;
mod error;
mod feed;
mod heal;
mod holdings;
mod hq;
mod in_process;
mod keys;
mod log;
mod metrics;
mod objects;
mod partner;
mod policy;
pub mod practice;
mod provision;
mod push;
mod reads;
mod routes;
mod server;
mod slip;
mod status;
mod store;
mod tls;
mod verify;
mod witness;

pub use account::{AccountLine, NewAccount, Role};
pub use admin::{ActivationCode, EnrollmentCodes, NewOfficer};
pub use alarm::Alarm;
pub use archive::{Archived, Replayed};
pub use audit::answer_audit;
pub use backup::Backup;
pub use blob::{PART_DAYS, Swept};
pub use clock::{HqClock, SystemClock};
pub use enroll::{Lease, Prepared};
pub use error::{AdminError, HqError, StoreError};
pub use feed::{PackedRulebook, Rulebooks};
pub use holdings::Counts;
pub use hq::{Database, Hq, InitOptions};
pub use in_process::{Answered, InProcess};
pub use objects::{Bucket, Place, PlaceError};
pub use provision::{NewDevice, PROVISIONED_MAX, ProvisionedDevice};
pub use reads::Read;
pub use server::{Config, Limits, Running, serve, serve_with_clock};
pub use slip::{Lookup, Place as LogPlace, SlipReport, Standing};
pub use status::OfficerLine;
pub use tls::Tls;
pub use verify::{VerifyError, VerifyReport};
pub use witness::{Collected, Followed, MonitorError, Witnessed, follow};
