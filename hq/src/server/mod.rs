//! Runs HQ behind HTTP on its own threads, so that tests, the practice profile and the binary all
//! use the same server.

mod connection;
mod connections;

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::background::Background;
use crate::clock::{HqClock, SystemClock};
use crate::durable;
use crate::error::HqError;
use crate::hq::{Database, Hq};
use crate::routes;
use crate::tls::{self, Served, Tls};

use connections::Connections;
pub use connections::Limits;

/// Threads that serve connections; the work itself runs on blocking threads.
const SERVING_THREADS: usize = 2;
/// Most requests worked on at once; more wait in line.
const WORKING_THREADS_MAX: usize = 64;
/// How long a shutdown waits for requests under way.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(10);
/// How long the server waits when the system has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What to serve, and where.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of keys, store and files; made if it holds no HQ yet.
    pub data: PathBuf,
    /// Address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the store is.
    pub database: Database,
    /// TLS.
    pub tls: Tls,
    /// Connections.
    pub limits: Limits,
    /// A second address, for `/metrics`, `/health` and `/ready` alone; plain HTTP.
    pub metrics_listen: Option<SocketAddr>,
}

impl Config {
    /// Returns the settings for plain HTTP at `listen`, the embedded store and the usual limits.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self {
            data: data.into(),
            listen,
            database: Database::Embedded,
            tls: Tls::None,
            limits: Limits::default(),
            metrics_listen: None,
        }
    }
}

/// A running HQ. Dropping it stops it without grace, like a pulled plug: whatever was answered is
/// on the disk.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it answers `/metrics`, if on an address of its own.
    pub metrics_address: Option<SocketAddr>,
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
    // The authority stands before HQ opens: it is among what enrolled devices are told to trust.
    let files = match &config.tls {
        Tls::Own(names) => tls::make_own(&config.data, names, clock.now())?,
        other => other.clone(),
    };
    let certificate = match &files {
        Tls::Files { certificate, key } => Some(Served::read(certificate, key)?),
        _ => None,
    };
    let acceptor = certificate.as_ref().map(Served::config).transpose()?;
    let acceptor = acceptor.map(|config| TlsAcceptor::from(Arc::new(config)));
    let hq = Hq::open_or_init_on(&config.data, &config.database, clock)?;
    let (listener, address) = bind(config.listen)?;
    let metrics = config.metrics_listen.map(bind).transpose()?;
    let metrics_address = metrics.as_ref().map(|(_, address)| *address);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(SERVING_THREADS)
        .max_blocking_threads(WORKING_THREADS_MAX)
        .thread_name("hq")
        .enable_all()
        .build()
        .map_err(HqError::io("start runtime"))?;
    let (stop, stopped) = oneshot::channel();
    let mut doors = vec![Door {
        listener,
        router: routes::router(hq.clone()),
        acceptor,
        connections: Connections::new(config.limits.clone()),
    }];
    doors.extend(metrics.map(|(listener, _)| Door {
        listener,
        router: routes::operator_router(hq.clone()),
        acceptor: None,
        connections: Connections::new(Limits::default()),
    }));
    let served = hq.clone();
    let thread = std::thread::Builder::new()
        .name("hq-serve".into())
        .spawn(move || run(runtime, doors, certificate, &served, stopped, lock))
        .map_err(HqError::io("start thread"))?;
    tracing::info!(%address, "HQ listens");
    let background = Some(Background::start(&hq)?);
    let (stop, thread) = (Some(stop), Some(thread));
    Ok(Running { address, metrics_address, hq, stop, thread, background })
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), HqError> {
    let listener = TcpListener::bind(address).map_err(HqError::io("listen"))?;
    listener.set_nonblocking(true).map_err(HqError::io("listen"))?;
    let address = listener.local_addr().map_err(HqError::io("listen"))?;
    Ok((listener, address))
}

/// One address and what is answered there.
struct Door {
    listener: TcpListener,
    router: Router,
    acceptor: Option<TlsAcceptor>,
    connections: Arc<Connections>,
}

fn run(
    runtime: Runtime,
    doors: Vec<Door>,
    certificate: Option<Arc<Served>>,
    hq: &Hq,
    stopped: oneshot::Receiver<Stop>,
    lock: File,
) {
    runtime.block_on(async {
        let graceful = Arc::new(GracefulShutdown::new());
        let mut open: Vec<_> = Vec::new();
        for door in doors {
            open.push(tokio::spawn(accept(door, hq.clone(), Arc::clone(&graceful))));
        }
        if let Some(served) = certificate {
            open.push(tokio::spawn(async move {
                loop {
                    tokio::time::sleep(tls::LOOK_AGAIN).await;
                    let served = Arc::clone(&served);
                    // Files are read beside the threads that serve.
                    tokio::task::spawn_blocking(move || served.look_again()).await.ok();
                }
            }));
        }
        // A dropped sender stops it as well.
        let stop = stopped.await;
        for task in &open {
            task.abort();
        }
        for task in open {
            // Aborted: the listener is closed now.
            task.await.ok();
        }
        if matches!(stop, Ok(Stop::Gracefully))
            && let Some(graceful) = Arc::into_inner(graceful)
            && tokio::time::timeout(SHUTDOWN_WAIT, graceful.shutdown()).await.is_err()
        {
            tracing::warn!("connections were cut at shutdown");
        }
    });
    // Work under way is finished, so that nothing writes after the lock is gone.
    runtime.shutdown_timeout(SHUTDOWN_WAIT);
    drop(lock);
}

/// Accepts connections until it is aborted.
async fn accept(door: Door, hq: Hq, graceful: Arc<GracefulShutdown>) {
    let listener = match tokio::net::TcpListener::from_std(door.listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "listener cannot be used"),
    };
    let builder = Arc::new(connection::protocols());
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // No more files, or the other end went away already.
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let metrics = &hq.0.metrics;
        metrics.accepted.inc();
        let Some((entry, made_room)) = door.connections.enter(peer.ip()) else {
            metrics.connections_cut.inc();
            continue;
        };
        if made_room {
            metrics.connections_cut.inc();
        }
        let open = metrics.connections.clone();
        open.inc();
        let served = connection::serve(
            stream,
            peer,
            entry,
            door.acceptor.clone(),
            Arc::clone(&builder),
            door.router.clone(),
            graceful.watcher(),
        );
        tokio::spawn(async move {
            served.await;
            open.dec();
        });
    }
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
