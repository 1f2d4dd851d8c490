//! Serving over TCP: how many connections there are, and how long each may be silent.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tandem_config::Edge;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::rates::Peer;
use crate::router::{EdgeState, door_until};
use crate::stall::Stalling;
use crate::unread;

/// What is kept of a connection's bytes before they are understood, in bytes: a head is no larger.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Requests at a time on one connection of HTTP/2.
const MAX_H2_STREAMS: u32 = 64;
/// How often a silent client of HTTP/2 is asked whether it is still there, and how long it may take to say so.
const H2_PING_EVERY: Duration = Duration::from_secs(30);
const H2_PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may leave an answer unread.
const MAX_STALL: Duration = Duration::from_secs(30);
/// The part of all connections that is told to close when there is no room for another.
const EVICTED_PART: usize = 8;
/// How long is waited for that before more are told, and after a failed accept.
const EVICT_AGAIN: Duration = Duration::from_millis(250);

/// The connections that may be told to close, the oldest first.
type Open = Arc<Mutex<BTreeMap<u64, CancellationToken>>>;

/// Serves the edge on `listener` until `stop` is over; then takes no further connections, ends the streams of events,
/// finishes the requests in hand and returns.
///
/// There are at most `edge.max_connections`. For another one the oldest are closed as soon as nothing is being answered
/// on them, so that idle connections keep nobody out.
///
/// # Errors
/// None today; accepting goes on after a failure, such as too many open files.
pub async fn serve(
    listener: TcpListener,
    state: EdgeState,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let config = state.config.clone();
    let stopping = CancellationToken::new();
    let door = door_until(state, stopping.clone());
    serve_with(listener, &config, stopping, stop, move |request| door.clone().answer(request)).await
}

/// Serves whatever answers requests, in the same way and within the same limits of `config`: `stopping` is told when
/// `stop` is over.
///
/// # Errors
/// As [`serve`].
pub async fn serve_with<F, A>(
    listener: TcpListener,
    config: &Edge,
    stopping: CancellationToken,
    stop: impl Future<Output = ()> + Send + 'static,
    app: F,
) -> io::Result<()>
where
    F: Fn(Request<Body>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response> + Send + 'static,
{
    let (most, header_timeout) = (config.max_connections, config.header_timeout());
    let (open, mut connections) = (Open::default(), JoinSet::new());
    tokio::pin!(stop);
    for number in 0.. {
        let accepted = loop {
            let room = connections.len() < most;
            if !room {
                evict(&open, most / EVICTED_PART + 1);
            }
            tokio::select! {
                () = &mut stop => break None,
                Some(ended) = connections.join_next() => look_at(&ended),
                () = tokio::time::sleep(EVICT_AGAIN), if !room => {}
                accepted = listener.accept(), if room => match accepted {
                    Ok((stream, address)) => break Some((stream, Peer(address.ip()))),
                    Err(error) if is_of_the_client(&error) => {}
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken");
                        evict(&open, most / EVICTED_PART + 1);
                        tokio::time::sleep(EVICT_AGAIN).await;
                    }
                },
            }
        };
        let Some((stream, peer)) = accepted else { break };
        let closing = stopping.child_token();
        open.lock().unwrap_or_else(PoisonError::into_inner).insert(number, closing.clone());
        let entry = Entry { number, open: Arc::clone(&open) };
        let app = app.clone();
        connections.spawn(async move {
            let _entry = entry;
            answer(stream, peer, app, header_timeout, closing).await;
        });
    }
    drop(listener);
    stopping.cancel();
    while let Some(ended) = connections.join_next().await {
        look_at(&ended);
    }
    Ok(())
}

/// A handler's panic is answered; one here is a defect of the edge itself, and ends no more than its connection.
fn look_at(ended: &Result<(), JoinError>) {
    if ended.is_err() {
        tracing::error!("a connection panicked");
    }
}

/// A connection's place among those that may be told to close.
struct Entry {
    number: u64,
    open: Open,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

/// Tells the oldest connections to close when nothing is being answered on them.
fn evict(open: &Open, count: usize) {
    let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..count {
        if let Some((_, closing)) = open.pop_first() {
            closing.cancel();
        }
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::ConnectionRefused | K::ConnectionAborted | K::ConnectionReset)
}

/// Answers the requests of one connection until it ends or is told to close.
async fn answer<F, A>(
    stream: TcpStream,
    peer: Peer,
    app: F,
    header_timeout: Duration,
    closing: CancellationToken,
) where
    F: Fn(Request<Body>) -> A,
    A: Future<Output = Response> + Send + 'static,
{
    let asked = AtomicBool::new(false);
    let lingers = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request: Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        let (mut request, loan) = unread::lend(request);
        request.extensions_mut().insert(peer);
        let (answered, loan) = (app(request), loan.map(|loan| (loan, Arc::clone(&lingers))));
        async move {
            let response = answered.await;
            Ok::<_, Infallible>(match loan {
                None => response,
                Some((loan, lingers)) => Box::pin(loan.settle(response, &lingers)).await,
            })
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(header_timeout).max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_H2_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .keep_alive_interval(H2_PING_EVERY)
        .keep_alive_timeout(H2_PING_TIMEOUT);
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection is already gone");
    }
    let stream = Stalling::new(stream, MAX_STALL, Arc::clone(&lingers));
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // Until the version of HTTP is known, no other time-out holds.
    let first_request = tokio::time::sleep(header_timeout);
    tokio::pin!(first_request);
    let (mut waits, mut told) = (true, false);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "a connection broke");
                }
                return;
            }
            () = &mut first_request, if waits => {
                if !asked.load(Ordering::Relaxed) {
                    return;
                }
                waits = false;
            }
            () = closing.cancelled(), if !told => {
                // Who dribbles the head of a first request has none in hand.
                if !asked.load(Ordering::Relaxed) {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                told = true;
            }
        }
    }
}
