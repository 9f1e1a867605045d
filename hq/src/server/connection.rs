//! One connection: TLS if HQ has a certificate, then HTTP/2 or HTTP/1.1 with tight limits.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::connections::Entry;
use crate::routes::Peer;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a request's head may take.
const HEAD: Duration = Duration::from_secs(10);
/// Largest head, address included.
const HEAD_BYTES_MAX: usize = 32 * 1024;
const HEADERS_MAX: usize = 64;
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 32;
/// Streams that a client opened and took back before HQ saw them (CVE-2023-44487).
const RESETS_MAX: usize = 20;
/// A write of so many bytes is part of an answer; pings of HTTP/2 are smaller.
const ANSWER_BYTES: usize = 512;
/// A chunk of a file comes in in one round trip of a satellite link.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;

/// Returns the protocols with their limits.
pub(super) fn protocols() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_local_error_reset_streams(RESETS_MAX)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// Serves one connection until either end has enough of it.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    entry: Entry,
    tls: Option<TlsAcceptor>,
    builder: Arc<auto::Builder<TokioExecutor>>,
    router: Router,
    watcher: Watcher,
) {
    // Answers are small and awaited.
    stream.set_nodelay(true).ok();
    let entry = Arc::new(entry);
    match tls {
        None => speak(stream, peer, entry, &builder, router, watcher).await,
        Some(acceptor) => {
            let accepted = tokio::select! {
                accepted = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)) => accepted,
                () = entry.should_close() => return,
            };
            match accepted {
                Ok(Ok(stream)) => speak(stream, peer, entry, &builder, router, watcher).await,
                // Scanners and half-open connections: nothing of HQ's concern.
                Ok(Err(error)) => tracing::debug!(%error, "no TLS"),
                Err(_) => tracing::debug!("TLS handshake took too long"),
            }
        }
    }
}

async fn speak<S>(
    stream: S,
    peer: SocketAddr,
    entry: Arc<Entry>,
    builder: &auto::Builder<TokioExecutor>,
    router: Router,
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let requests = Arc::clone(&entry);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let under_way = requests.request();
        let router = router.clone();
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        async move {
            let response = router.oneshot(request).await;
            drop(under_way);
            response
        }
    });
    let io = TokioIo::new(Watched { stream, entry: Arc::clone(&entry) });
    let connection = watcher.watch(builder.serve_connection(io, service).into_owned());
    tokio::select! {
        ended = connection => {
            if let Err(error) = ended {
                tracing::debug!(%error, "connection ended");
            }
        }
        () = entry.should_close() => tracing::debug!("connection was quiet for too long"),
    }
}

/// A stream that notes when the other end takes bytes, so that a long answer is not mistaken for
/// silence. Bytes that arrive prove nothing: whoever sends a head letter by letter is cut.
struct Watched<S> {
    stream: S,
    entry: Arc<Entry>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if matches!(wrote, Poll::Ready(Ok(ANSWER_BYTES..))) {
            self.entry.wrote();
        }
        wrote
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        if matches!(wrote, Poll::Ready(Ok(ANSWER_BYTES..))) {
            self.entry.wrote();
        }
        wrote
    }
}
