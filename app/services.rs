//! What every feature is given: store, session, clock, font. Wired by hand in one place.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ab_glyph::FontRef;
use sync_core::StoreError;
use sync_core::clock::Clock;
use sync_core::disk::Disk;
use sync_core::key::Hardness;
use sync_core::store::{Reader, Scope, Store};
use sync_core::sync::{Network, SystemNetwork};
use sync_model::id::{CaseId, InspectionId};
use sync_model::rulebook::Rulebook;

use crate::error::AppError;
use crate::session::Session;
use crate::sync_status::nightly;

/// The font of pages, documents and watermarks: one file, embedded once.
pub static FONT: &[u8] = include_bytes!("../assets/fonts/NotoSansSC-Regular.ttf");

/// How often a folder in use is tried again, and how many times: a request takes 30 s at most.
const ASK_EVERY: Duration = Duration::from_millis(200);
const ASK_TRIES: u32 = 160;

/// What every feature is given.
pub struct Services {
    /// The device's memory.
    pub store: Store,
    /// The device's clocks.
    pub clock: Arc<dyn Clock>,
    /// How hard new PINs are made to try.
    pub hardness: Hardness,
    session: Mutex<Session>,
    online: AtomicBool,
    network: Box<dyn Network>,
    font: Option<FontRef<'static>>,
}

impl Services {
    /// Opens the store in `folder` and wires the rest.
    ///
    /// # Errors
    /// See [`Store::open`].
    pub fn open(
        folder: &Path,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
        hardness: Hardness,
    ) -> Result<Self, AppError> {
        let store = Store::open(folder, Arc::clone(&clock), disk)?;
        Ok(Self {
            store,
            clock,
            hardness,
            session: Mutex::new(Session::default()),
            online: AtomicBool::new(false),
            network: Box::new(SystemNetwork::new(folder)),
            font: FontRef::try_from_slice(FONT).ok(),
        })
    }

    /// Opens the store like [`Services::open`]; a nightly sync that has the folder is asked for it and
    /// gives it up after the request under way.
    ///
    /// # Errors
    /// See [`Store::open`].
    pub fn open_asking(
        folder: &Path,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
        hardness: Hardness,
    ) -> Result<Self, AppError> {
        let open = || Self::open(folder, Arc::clone(&clock), Arc::clone(&disk), hardness);
        let mut opened = open();
        let in_use = |opened: &Result<Self, AppError>| {
            matches!(opened, Err(AppError::Store(StoreError::InUse(_))))
        };
        if !in_use(&opened) || !nightly::is_under_way(folder) {
            return opened;
        }
        let wanted = nightly::wanted_path(folder);
        std::fs::File::create(&wanted).map_err(StoreError::io("ask for the data folder"))?;
        for _ in 0..ASK_TRIES {
            std::thread::sleep(ASK_EVERY);
            opened = open();
            if !in_use(&opened) {
                break;
            }
        }
        std::fs::remove_file(&wanted).map_err(StoreError::io("ask for the data folder"))?;
        opened
    }

    /// Returns who is unlocked.
    pub fn session(&self) -> MutexGuard<'_, Session> {
        // The session holds plain values; a panic elsewhere cannot leave it half-changed.
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether the last round reached HQ.
    #[must_use]
    pub fn online(&self) -> bool {
        self.online.load(Ordering::Relaxed)
    }

    /// Returns the network this device is on.
    #[must_use]
    pub fn network(&self) -> &dyn Network {
        self.network.as_ref()
    }

    pub(crate) fn set_online(&self, online: bool) {
        self.online.store(online, Ordering::Relaxed);
    }

    /// Returns the embedded font.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if the embedded bytes are no font.
    pub fn font(&self) -> Result<&FontRef<'static>, AppError> {
        self.font.as_ref().ok_or(AppError::NotFound("font"))
    }

    /// Returns the newest rulebook.
    ///
    /// # Errors
    /// [`AppError::NoRulebook`] before the first sync.
    pub fn rulebook(&self) -> Result<Rulebook, AppError> {
        self.store.read(rulebook)
    }

    /// Returns the scope of an act that somebody has to answer for.
    ///
    /// # Errors
    /// [`AppError::NoShift`] while nobody is unlocked, as after a restart.
    // 《行政处罚法》第四十二条: an act that nobody did is no act of two officers.
    pub fn scope_of_officers(
        &self,
        inspection: Option<InspectionId>,
        case: Option<CaseId>,
    ) -> Result<Scope, AppError> {
        let scope = self.scope(inspection, case);
        if scope.officers.is_empty() { Err(AppError::NoShift) } else { Ok(scope) }
    }

    /// Returns the scope of an act: the unlocked officers, and what it belongs to.
    #[must_use]
    pub fn scope(&self, inspection: Option<InspectionId>, case: Option<CaseId>) -> Scope {
        Scope { officers: self.session().officer_ids(), inspection, case }
    }
}

/// Returns the newest rulebook as seen by `reader`.
///
/// # Errors
/// [`AppError::NoRulebook`] before the first sync.
pub fn rulebook(reader: &Reader<'_>) -> Result<Rulebook, AppError> {
    reader.rulebook()?.ok_or(AppError::NoRulebook)
}
