//! Runs HQ behind HTTP on its own threads, so that tests, the practice profile and the binary all
//! use the same server.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::background::Background;
use crate::clock::{HqClock, SystemClock};
use crate::durable;
use crate::error::HqError;
use crate::hq::{Database, Hq};
use crate::routes;

/// Threads that serve connections; the work itself runs on blocking threads.
const SERVING_THREADS: usize = 2;
/// Most requests worked on at once; more wait in line.
const WORKING_THREADS_MAX: usize = 64;
/// How long a shutdown waits for requests under way.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(10);

/// What to serve, and where.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of keys, store and files; made if it holds no HQ yet.
    pub data: PathBuf,
    /// Address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the store is.
    pub database: Database,
}

impl Config {
    /// Serves the folder `data` with its embedded store.
    #[must_use]
    pub fn new(data: PathBuf, listen: SocketAddr) -> Self {
        Self { data, listen, database: Database::Embedded }
    }
}

/// A running HQ. Dropping it stops it without grace, like a pulled plug: whatever was answered is
/// on the disk.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// The handle of the served folder.
    pub hq: Hq,
    stop: Option<oneshot::Sender<Stop>>,
    thread: Option<JoinHandle<()>>,
    background: Option<Background>,
}

enum Stop {
    Gracefully,
    AtOnce,
}

/// Serves the folder by the machine's clock.
///
/// # Errors
/// [`HqError::Locked`] if another HQ runs on the folder; why folder or address cannot be used.
pub fn serve(config: &Config) -> Result<Running, HqError> {
    serve_with_clock(config, Arc::new(SystemClock))
}

/// Serves the folder by the given clock.
///
/// # Errors
/// As [`serve`].
pub fn serve_with_clock(config: &Config, clock: Arc<dyn HqClock>) -> Result<Running, HqError> {
    durable::create_folder(&config.data).map_err(HqError::io("create data folder"))?;
    let lock = match config.database {
        Database::Embedded => durable::lock_folder(&config.data),
        Database::Postgres { .. } => durable::share_folder(&config.data),
    };
    let lock = lock.map_err(HqError::io("lock data folder"))?;
    let lock = lock.ok_or_else(|| HqError::Locked(config.data.clone()))?;
    let hq = Hq::open_or_init_on(&config.data, &config.database, clock)?;
    let listener = TcpListener::bind(config.listen).map_err(HqError::io("listen"))?;
    listener.set_nonblocking(true).map_err(HqError::io("listen"))?;
    let address = listener.local_addr().map_err(HqError::io("listen"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(SERVING_THREADS)
        .max_blocking_threads(WORKING_THREADS_MAX)
        .thread_name("hq")
        .enable_all()
        .build()
        .map_err(HqError::io("start runtime"))?;
    let (stop, stopped) = oneshot::channel();
    let served = hq.clone();
    let thread = std::thread::Builder::new()
        .name("hq-serve".into())
        .spawn(move || run(runtime, listener, served, stopped, lock))
        .map_err(HqError::io("start thread"))?;
    tracing::info!(%address, "HQ listens");
    let background = Some(Background::start(&hq)?);
    Ok(Running { address, hq, stop: Some(stop), thread: Some(thread), background })
}

fn run(
    runtime: Runtime,
    listener: TcpListener,
    hq: Hq,
    stopped: oneshot::Receiver<Stop>,
    lock: File,
) {
    runtime.block_on(async move {
        let listener = match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!(%error, "listener cannot be used"),
        };
        let (grace, graceful) = oneshot::channel::<()>();
        let server = axum::serve(listener, routes::router(hq)).with_graceful_shutdown(async {
            // A dropped sender stops it as well.
            graceful.await.ok();
        });
        let mut server = tokio::spawn(server.into_future());
        tokio::select! {
            // The server ends by itself only if it is told to.
            _ = &mut server => {}
            stop = stopped => {
                if matches!(stop, Ok(Stop::Gracefully)) {
                    grace.send(()).ok();
                    if tokio::time::timeout(SHUTDOWN_WAIT, &mut server).await.is_err() {
                        tracing::warn!("connections were cut at shutdown");
                    }
                }
                server.abort();
            }
        }
    });
    // Work under way is finished, so that nothing writes after the lock is gone.
    runtime.shutdown_timeout(SHUTDOWN_WAIT);
    drop(lock);
}

impl Running {
    /// Answers what is under way, then stops.
    pub fn shutdown(mut self) {
        self.stop_with(Stop::Gracefully);
    }

    fn stop_with(&mut self, how: Stop) {
        // Before the folder's lock is given back.
        drop(self.background.take());
        if let Some(stop) = self.stop.take() {
            // A server that ended by itself does not listen to this any more.
            stop.send(how).ok();
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("serving thread panicked");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop_with(Stop::AtOnce);
    }
}
