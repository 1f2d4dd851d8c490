//! What a refused request leaves unread of its body, and how its sender comes to read the answer all the same.
//!
//! A server that answers and closes while bytes still come in resets the connection, and the reset may overtake the answer.
//! So little is read to its end, and the connection goes on; of more, the sender is told that the connection closes, and
//! what still comes is thrown away for a while (the lingering close of RFC 9112, section 9.6).

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONNECTION, EXPECT};
use axum::http::{HeaderValue, Request, Version};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::timeout;

/// So much is read of a body that nobody wants, in bytes, and for so long.
const MAX_READ: u64 = 64 * 1024;
const MAX_WAIT: Duration = Duration::from_secs(1);
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// Where a body goes when it is dropped.
type Shelf = Arc<Mutex<Option<Incoming>>>;

/// A request's body in the hands of its handler.
struct Lent {
    body: Option<Incoming>,
    shelf: Shelf,
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.shelf.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Incoming::size_hint).unwrap_or_default()
    }
}

/// A body that was lent to a handler.
pub(crate) struct Loan {
    shelf: Shelf,
    /// The sender waits to be asked for the body; reading it would ask.
    waits: bool,
}

/// A request as its handler takes it, and its loan where there is a body that might be left unread. On a connection of
/// HTTP/2 each request has a stream of its own, which ends alone.
pub(crate) fn lend(request: Request<Incoming>) -> (Request<Body>, Option<Loan>) {
    if request.body().is_end_stream() || request.version() > Version::HTTP_11 {
        return (request.map(Body::new), None);
    }
    let loan = Loan { shelf: Shelf::default(), waits: request.headers().contains_key(EXPECT) };
    let shelf = Arc::clone(&loan.shelf);
    (request.map(|body| Body::new(Lent { body: Some(body), shelf })), Some(loan))
}

impl Loan {
    /// Looks what the handler left; `lingers` is set if the connection has to be closed with more to come. A body that an
    /// answer still reads from is not there yet, and is that answer's matter.
    pub(crate) async fn settle(self, mut response: Response, lingers: &AtomicBool) -> Response {
        let left = self.shelf.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(left) = left.filter(|left| !left.is_end_stream()) else { return response };
        let little = !self.waits && left.size_hint().lower() <= MAX_READ;
        if !(little && timeout(MAX_WAIT, is_read(left)).await.unwrap_or(false)) {
            response.headers_mut().insert(CONNECTION, CLOSE);
            lingers.store(true, Ordering::Relaxed);
        }
        response
    }
}

/// Reads a body; whether that was its end.
async fn is_read(mut body: Incoming) -> bool {
    let mut room = MAX_READ;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let length = frame.ok().and_then(|frame| frame.into_data().ok()).map_or(0, |data| data.len());
        match room.checked_sub(length as u64) {
            Some(rest) if length > 0 => room = rest,
            _ => return false,
        }
    }
    true
}
