use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber};

use super::*;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

fn headers(sent: &[&'static str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in sent {
        headers.append(TRACEPARENT, HeaderValue::from_static(value));
    }
    headers
}

#[test]
fn a_request_is_a_part_of_its_senders_trace() {
    let found = RequestTrace::of(&headers(&[PARENT]), true);
    let sender = TraceContext::parse(PARENT.as_bytes()).unwrap();
    assert_eq!((found.own.trace, found.parent), (sender.trace, Some(sender.span)));
    assert_ne!(found.own.span, sender.span);
    assert!(!found.own.sampled, "as its sender wants");
    let mut answer = HeaderMap::new();
    found.tell(&mut answer);
    assert_eq!(answer[TRACERESPONSE].to_str().unwrap(), found.own.to_string());
}

#[test]
fn a_trace_begins_here_where_there_is_none_to_trust() {
    let begun = [
        (headers(&[]), true),
        (headers(&["00-0-0-01"]), true),
        (headers(&[PARENT, PARENT]), true),
        (headers(&[PARENT]), false),
    ]
    .map(|(headers, trusted)| RequestTrace::of(&headers, trusted));
    let sent = TraceContext::parse(PARENT.as_bytes()).unwrap();
    for (number, one) in begun.iter().enumerate() {
        assert_eq!((one.parent, one.own.sampled), (None, true));
        assert_ne!(one.own.trace, sent.trace);
        assert!(begun.iter().skip(number + 1).all(|other| other.own.trace != one.own.trace));
        let mut answer = HeaderMap::new();
        one.tell(&mut answer);
        assert!(answer.is_empty(), "who sends no trace is told none");
    }
}

/// Notes what spans are told with.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.lock().unwrap().push(format!("{field}={value:?}"));
    }
}

impl Subscriber for Told {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == SPANS
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_request_is_told_of_whether_it_is_answered_or_given_up() {
    let told = |trace: RequestTrace, status: Option<StatusCode>| {
        let told = Told::default();
        with_default(told.clone(), || {
            let answering = trace.answering("GET", "/api/v1/jobs", Instant::now());
            match status {
                Some(status) => answering.ended(status),
                None => drop(answering),
            }
        });
        let fields = std::mem::take(&mut *told.0.lock().unwrap());
        fields.join(" ")
    };
    let own = RequestTrace::of(&headers(&[]), true);
    let answered = told(own, Some(StatusCode::NOT_FOUND));
    for part in ["name=GET /api/v1/jobs", "kind=2", "failed=false", "http.response.status_code=404"] {
        assert!(answered.contains(part), "{answered}");
    }
    assert!(answered.contains(&format!("span={}", own.own.span.get())) && !answered.contains("parent="));
    assert!(told(own, Some(StatusCode::BAD_GATEWAY)).contains("failed=true"));
    let given_up = told(own, None);
    assert!(given_up.contains("failed=true") && !given_up.contains("status_code"), "{given_up}");
    assert_eq!(told(RequestTrace::of(&headers(&[PARENT]), true), None), "", "its sender wants no record");
}
