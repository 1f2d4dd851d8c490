//! The trace of a request (W3C Trace Context): its sender's, or one that begins here.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tandem_domain::trace::{self, SPANS, SpanId, TraceContext, TraceId};
use tokio::time::Instant;

/// The header by which a request says to which trace it belongs.
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static(trace::TRACEPARENT);
/// The header by which an answer says to which trace it belongs (W3C Trace Context, level 2).
pub(crate) const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");
/// A server's part of a trace, as OTLP numbers them.
const SERVER: u64 = 2;

/// Where a request stands in its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestTrace {
    /// The request itself, which is what its work is a part of.
    pub(crate) own: TraceContext,
    /// What the request is a part of at its sender; `None` = the trace begins here.
    parent: Option<SpanId>,
}

impl RequestTrace {
    /// The sender's trace if there is one and senders are trusted, else a new one. It tells requests apart and nothing
    /// else: somebody may guess it, so the system is not asked for randomness.
    pub(crate) fn of(headers: &HeaderMap, trusted: bool) -> Self {
        let span = SpanId::new(fastrand::u64(..));
        match sent(headers).filter(|_| trusted) {
            Some(sender) => Self { own: sender.at(span), parent: Some(sender.span) },
            None => {
                let trace = TraceId::new(fastrand::u128(..));
                Self { own: TraceContext { trace, span, sampled: true }, parent: None }
            }
        }
    }

    /// The answering of the request, which began at this moment.
    pub(crate) const fn answering<'a>(
        self,
        method: &'a str,
        route: &'a str,
        begun: Instant,
    ) -> Answering<'a> {
        Answering { trace: self, method, route, begun, status: None }
    }

    /// Says to which trace the answer belongs, to a sender that is part of it.
    pub(crate) fn tell(&self, answer: &mut HeaderMap) {
        if self.parent.is_some()
            && let Ok(value) = HeaderValue::from_str(&self.own.to_string())
        {
            answer.insert(TRACERESPONSE, value);
        }
    }
}

/// A request that is being answered. Whoever exports spans is told when that is over, also when its sender goes away before;
/// where nobody exports any, that costs nothing.
pub(crate) struct Answering<'a> {
    trace: RequestTrace,
    method: &'a str,
    route: &'a str,
    begun: Instant,
    status: Option<StatusCode>,
}

impl Answering<'_> {
    /// The request is answered with this.
    pub(crate) fn ended(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        let Self { trace: RequestTrace { own, parent }, method, route, begun, status } = self;
        if !own.sampled {
            return;
        }
        tracing::info!(
            target: SPANS,
            trace = own.trace.get(),
            span = own.span.get(),
            parent = parent.map(SpanId::get),
            name = %format_args!("{method} {route}"),
            kind = SERVER,
            nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX),
            failed = status.is_none_or(|status| status.is_server_error()),
            http.request.method = *method,
            http.route = *route,
            http.response.status_code = status.map(|status| status.as_u16()),
        );
    }
}

/// The sender's trace. Several headers are as good as none (section 3.2.1 of the standard).
fn sent(headers: &HeaderMap) -> Option<TraceContext> {
    let mut sent = headers.get_all(TRACEPARENT).iter();
    let first = sent.next()?;
    if sent.next().is_some() {
        return None;
    }
    TraceContext::parse(first.as_bytes())
}

#[cfg(test)]
mod tests;
