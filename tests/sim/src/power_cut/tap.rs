//! Watches over folders: writes down what happens below them, and makes chosen calls fail.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// One change that a power cut can take back, or a sync that keeps changes from being taken back.
///
/// Names are relative to the watched folder.
#[derive(Clone, Debug)]
pub enum Event {
    /// A file got its name.
    Create { name: PathBuf, inode: u64 },
    /// A folder got its name.
    Folder { name: PathBuf },
    /// Bytes were handed to the system.
    Write { inode: u64, offset: u64, bytes: Vec<u8> },
    /// A file was cut or lengthened.
    Resize { inode: u64, length: u64 },
    /// The system says that the content of a file is on the disk.
    Sync { inode: u64 },
    /// The system says that the names in a folder are on the disk.
    SyncFolder { name: PathBuf },
    /// A name was removed.
    Remove { name: PathBuf },
    /// A file got another name.
    Rename { from: PathBuf, to: PathBuf },
    /// A file got one name more.
    Link { name: PathBuf, inode: u64 },
}

/// What is about to be done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call<'a> {
    Open(&'a Path),
    Create(&'a Path),
    Read(&'a Path),
    Write(&'a Path, usize),
    Resize(&'a Path),
    Sync(&'a Path),
    Rename(&'a Path),
    Remove(&'a Path),
}

impl<'a> Call<'a> {
    fn kind(&self) -> Kind {
        match self {
            Self::Open(_) => Kind::Open,
            Self::Create(_) => Kind::Create,
            Self::Read(_) => Kind::Read,
            Self::Write(..) => Kind::Write,
            Self::Resize(_) => Kind::Resize,
            Self::Sync(_) => Kind::Sync,
            Self::Rename(_) => Kind::Rename,
            Self::Remove(_) => Kind::Remove,
        }
    }

    fn path(&self) -> &'a Path {
        match self {
            Self::Open(path)
            | Self::Create(path)
            | Self::Read(path)
            | Self::Write(path, _)
            | Self::Resize(path)
            | Self::Sync(path)
            | Self::Rename(path)
            | Self::Remove(path) => path,
        }
    }
}

/// Kinds of calls, for choosing which fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Opening what is there.
    Open,
    /// Making a file or folder.
    Create,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Cutting or lengthening.
    Resize,
    /// Syncing a file or folder.
    Sync,
    /// Giving another name.
    Rename,
    /// Removing.
    Remove,
}

impl Kind {
    /// Says whether a full disk can refuse such a call.
    #[must_use]
    pub fn needs_room(self) -> bool {
        matches!(self, Self::Create | Self::Write | Self::Resize)
    }
}

/// Whether and how a call goes on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verdict {
    Pass,
    /// Only so many bytes are written, as when a disk fills up in the middle.
    Short(usize),
    Fail(i32),
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The device answers no: `EIO`.
    Broken,
    /// No room: `ENOSPC`.
    Full,
    /// Half of the bytes are written, and no error is told.
    Short,
}

/// Which calls go wrong.
#[derive(Clone, Debug, Default)]
pub enum Plan {
    /// None.
    #[default]
    Nothing,
    /// The call with this number, counted from zero over all calls, once.
    Once(usize, Fault),
    /// Every call that needs room from this one on, counted over those calls alone.
    FullFrom(usize),
    /// As `FullFrom`, but of the first of them half is still written: a quota was lowered.
    QuotaFrom(usize),
}

/// A call that was seen, for telling what failed.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its kind.
    pub kind: Kind,
    /// The file, relative to the watched folder.
    pub name: PathBuf,
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    recording: bool,
    plan: Plan,
    seen: Vec<Seen>,
    listing: bool,
    calls: usize,
    roomy_calls: usize,
    hit: Option<Seen>,
}

/// A watch over one folder.
pub(super) struct Shared {
    root: PathBuf,
    state: Mutex<State>,
}

static WATCHES: RwLock<Vec<Arc<Shared>>> = RwLock::new(Vec::new());
static ACTIVE: AtomicBool = AtomicBool::new(false);
static COUNTING: AtomicUsize = AtomicUsize::new(0);

/// Says whether anything is watched.
pub(super) fn active() -> bool {
    ACTIVE.load(Ordering::Relaxed)
}

/// Says whether reads matter to any watch.
pub(super) fn counts_reads() -> bool {
    COUNTING.load(Ordering::Relaxed) > 0
}

/// Returns the watch that `path` lies under.
pub(super) fn find(path: &Path) -> Option<Arc<Shared>> {
    let watches = WATCHES.read().unwrap_or_else(PoisonError::into_inner);
    watches.iter().find(|watch| path.starts_with(&watch.root)).map(Arc::clone)
}

impl Shared {
    /// Makes every other call below the folder wait, so that events stand in their true order.
    pub(super) fn lock(&self) -> Watched<'_> {
        Watched {
            root: &self.root,
            state: self.state.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

/// A watch in use by one call.
pub(super) struct Watched<'a> {
    root: &'a Path,
    state: MutexGuard<'a, State>,
}

/// SQLite's index of a WAL is made anew after a power cut, whatever was left of it.
fn is_volatile(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"-shm")
}

impl Watched<'_> {
    fn name(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.root).unwrap_or(path).to_owned()
    }

    /// Counts the call and says how it goes on.
    pub(super) fn admit(&mut self, call: &Call<'_>) -> Verdict {
        let kind = call.kind();
        let state = &mut *self.state;
        let (number, roomy) = (state.calls, state.roomy_calls);
        if state.listing {
            state.calls += 1;
            state.roomy_calls += usize::from(kind.needs_room());
        }
        let fault = match state.plan {
            Plan::Once(wanted, fault) if wanted == number && state.hit.is_none() => Some(fault),
            Plan::QuotaFrom(wanted) if kind.needs_room() && roomy == wanted => Some(Fault::Short),
            Plan::FullFrom(wanted) | Plan::QuotaFrom(wanted)
                if kind.needs_room() && roomy >= wanted =>
            {
                Some(Fault::Full)
            }
            _ => None,
        };
        let fault = fault.filter(|_| state.listing);
        if state.listing && (fault.is_some() || matches!(state.plan, Plan::Nothing)) {
            let seen = Seen { kind, name: self.name(call.path()) };
            if fault.is_some() {
                self.state.hit = Some(seen);
            } else {
                self.state.seen.push(seen);
            }
        }
        match (fault, call) {
            (None, _) => Verdict::Pass,
            (Some(Fault::Full), _) => Verdict::Fail(libc::ENOSPC),
            (Some(Fault::Short), Call::Write(_, count)) if *count > 1 => Verdict::Short(count / 2),
            (Some(Fault::Short), _) => Verdict::Fail(libc::ENOSPC),
            (Some(Fault::Broken), _) => Verdict::Fail(libc::EIO),
        }
    }

    fn note(&mut self, path: &Path, event: Event) {
        if self.state.recording && !is_volatile(path) {
            self.state.events.push(event);
        }
    }

    pub(super) fn created(&mut self, path: &Path, inode: u64) {
        let name = self.name(path);
        self.note(path, Event::Create { name, inode });
    }

    pub(super) fn made_folder(&mut self, path: &Path) {
        let name = self.name(path);
        self.note(path, Event::Folder { name });
    }

    pub(super) fn wrote(&mut self, path: &Path, inode: u64, offset: u64, bytes: &[u8]) {
        if self.state.recording {
            self.note(path, Event::Write { inode, offset, bytes: bytes.to_vec() });
        }
    }

    pub(super) fn resized(&mut self, path: &Path, inode: u64, length: u64) {
        self.note(path, Event::Resize { inode, length });
    }

    pub(super) fn synced(&mut self, inode: u64) {
        self.note(Path::new(""), Event::Sync { inode });
    }

    pub(super) fn synced_folder(&mut self, path: &Path) {
        let name = self.name(path);
        self.note(path, Event::SyncFolder { name });
    }

    pub(super) fn removed(&mut self, path: &Path) {
        let name = self.name(path);
        self.note(path, Event::Remove { name });
    }

    pub(super) fn linked(&mut self, path: &Path, inode: u64) {
        let name = self.name(path);
        self.note(path, Event::Link { name, inode });
    }

    pub(super) fn renamed(&mut self, from: &Path, to: &Path) {
        let (from_name, to_name) = (self.name(from), self.name(to));
        self.note(from, Event::Rename { from: from_name, to: to_name });
    }
}

/// A watch; it ends when dropped.
pub struct Watch(Arc<Shared>);

impl Watch {
    /// Watches `root` and everything below it.
    ///
    /// # Panics
    /// If the folder is not there, or if calls do not come by here: then nothing that this crate
    /// says about power cuts would mean anything.
    #[must_use]
    pub fn over(root: &Path) -> Self {
        let root = root.canonicalize().unwrap();
        let shared = Arc::new(Shared { root: root.clone(), state: Mutex::default() });
        WATCHES.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&shared));
        ACTIVE.store(true, Ordering::SeqCst);
        let watch = Self(shared);
        watch.record();
        let probe = root.join("probe");
        std::fs::File::create(&probe).unwrap().sync_all().unwrap();
        std::fs::remove_file(&probe).unwrap();
        assert_eq!(watch.take().len(), 3, "file accesses do not come by the watch");
        watch
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what happens from now on.
    pub fn record(&self) {
        self.state().recording = true;
    }

    /// Returns how many events there are so far.
    #[must_use]
    pub fn length(&self) -> usize {
        self.state().events.len()
    }

    /// Stops writing down and returns what was.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        let mut state = self.state();
        state.recording = false;
        std::mem::take(&mut state.events)
    }

    /// Counts calls from here on and lets those of the plan fail.
    pub fn plan(&self, plan: Plan) {
        let mut state = self.state();
        if !state.listing {
            COUNTING.fetch_add(1, Ordering::SeqCst);
        }
        let recording = state.recording;
        *state = State { recording, plan, listing: true, ..State::default() };
    }

    /// Lets every call through again; returns the calls that were seen without a fault, and the
    /// last one that failed.
    pub fn pass(&self) -> (Vec<Seen>, Option<Seen>) {
        let mut state = self.state();
        if state.listing {
            COUNTING.fetch_sub(1, Ordering::SeqCst);
        }
        state.listing = false;
        state.plan = Plan::Nothing;
        (std::mem::take(&mut state.seen), state.hit.take())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.pass();
        let mut watches = WATCHES.write().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|other| !Arc::ptr_eq(other, &self.0));
        ACTIVE.store(!watches.is_empty(), Ordering::SeqCst);
    }
}
