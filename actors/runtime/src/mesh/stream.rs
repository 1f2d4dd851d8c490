//! A connection after its handshake, as ractor gets it: counted, and closed as a whole.

use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use prometheus::IntCounter;
use ractor_cluster::{BoxRead, BoxWrite, ClusterBidiStream};
use socket2::Socket;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};
use tokio::sync::OwnedSemaphorePermit;

use crate::metrics;

/// What the labels of own connections begin with; ractor's own listener gives addresses.
const LABEL: &str = "mesh/";

/// Whether ractor got this connection from us.
pub(super) fn is_own(label: &str) -> bool {
    label.starts_with(LABEL)
}

/// A connection with its place among the most that there may be.
pub(super) struct MeshStream<S> {
    io: S,
    label: String,
    line: Line,
}

/// What both halves hold.
struct Line {
    socket: Socket,
    _place: OwnedSemaphorePermit,
}

impl Line {
    /// ractor may drop one half and wait with the other for a peer that does not read: then both must end.
    fn close(&self) {
        if self.socket.shutdown(Shutdown::Both).is_err() {
            tracing::trace!("a connection was closed already");
        }
    }
}

impl<S> MeshStream<S> {
    /// `socket` is the one below `io`.
    pub(super) fn new(io: S, peer: &str, socket: Socket, place: OwnedSemaphorePermit) -> Self {
        Self { io, label: format!("{LABEL}{peer}"), line: Line { socket, _place: place } }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + 'static> ClusterBidiStream for MeshStream<S> {
    fn split(self: Box<Self>) -> (BoxRead, BoxWrite) {
        let (read, write) = tokio::io::split(self.io);
        let line = Arc::new(self.line);
        let reading = Reading { io: read, bytes: metrics::mesh_bytes("in"), line: Arc::clone(&line) };
        let writing = Writing { io: write, bytes: metrics::mesh_bytes("out"), line };
        (Box::new(reading), Box::new(writing))
    }

    fn peer_label(&self) -> Option<String> {
        Some(self.label.clone())
    }
}

struct Reading<S> {
    io: ReadHalf<S>,
    bytes: IntCounter,
    line: Arc<Line>,
}

impl<S: AsyncRead> AsyncRead for Reading<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        self.bytes.inc_by((buf.filled().len() - before) as u64);
        polled
    }
}

impl<S> Drop for Reading<S> {
    fn drop(&mut self) {
        self.line.close();
    }
}

struct Writing<S> {
    io: WriteHalf<S>,
    bytes: IntCounter,
    line: Arc<Line>,
}

impl<S: AsyncWrite> AsyncWrite for Writing<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            self.bytes.inc_by(written as u64);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<S> Drop for Writing<S> {
    fn drop(&mut self) {
        self.line.close();
    }
}
