use opentelemetry_proto::tonic::trace::v1::span::SpanKind as Kind;
use tandem_domain::ids::TaskId;
use tandem_domain::trace::{SpanId, TraceContext, TraceId};
use tandem_runtime::{Span as Work, SpanKind};
use tokio::sync::mpsc::channel;
use tracing::subscriber::with_default;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;
use uuid::Uuid;

use super::*;

const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_0005;

fn parent(sampled: bool) -> Option<TraceContext> {
    Some(TraceContext { trace: TraceId::new(TRACE), span: SpanId::new(9), sampled })
}

/// What is handed over of what `work` tells.
fn handed_over(room: usize, sample: u32, work: impl FnOnce()) -> Vec<Span> {
    let (sender, mut spans) = channel(room);
    with_default(registry().with(layer(sender, sample)), work);
    std::iter::from_fn(|| spans.try_recv().ok()).collect()
}

fn text<'a>(span: &'a Span, key: &str) -> &'a str {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key);
    match attribute.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{key} is {other:?}"),
    }
}

#[test]
fn a_span_that_ended_is_handed_over_whole() {
    let task = TaskId::from_uuid(Uuid::from_u128(77));
    let mut own = None;
    let spans = handed_over(4, Otlp::OF, || {
        let span = Work::below(parent(true), "parse", SpanKind::Consumer).of_task(task, 3).with_peer("b");
        own = span.trace();
        span.end("retried", true);
        tracing::info!("nothing of a log line");
    });
    let [span] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(span.trace_id, TRACE.to_be_bytes());
    assert_eq!(span.span_id, own.unwrap().span.get().to_be_bytes());
    assert_eq!(span.parent_span_id, 9_u64.to_be_bytes());
    assert_eq!((span.name.as_str(), span.kind), ("parse", Kind::Consumer as i32));
    assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
    assert!(span.end_time_unix_nano > 1_700_000_000_000_000_000);
    assert_eq!(span.status.as_ref().unwrap().code, StatusCode::Error as i32);
    assert_eq!(text(span, "tandem.task"), task.to_string());
    assert_eq!((text(span, "tandem.outcome"), text(span, "tandem.peer")), ("retried", "b"));
    let mut keys: Vec<&str> = span.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["tandem.attempt", "tandem.outcome", "tandem.peer", "tandem.task"]);
}

#[test]
fn what_was_given_up_is_told_and_what_is_not_sampled_is_not() {
    let spans = handed_over(4, Otlp::OF, || {
        drop(Work::below(parent(true), "extract", SpanKind::Client));
        Work::below(parent(false), "extract", SpanKind::Client).end("read", false);
        Work::below(None, "extract", SpanKind::Client).end("read", false);
        Work::first(TraceId::new(TRACE), "erase", SpanKind::Consumer).end("done", false);
    });
    let [dropped, first] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(text(dropped, "tandem.outcome"), "dropped");
    assert!(dropped.status.is_some() && first.status.is_none());
    assert!(first.parent_span_id.is_empty());
}

#[test]
fn a_sample_is_of_whole_traces() {
    let tell = || {
        for number in 0..u128::from(Otlp::OF) {
            let trace = TraceContext { trace: TraceId::new(number + 1), ..parent(true).unwrap() };
            Work::below(Some(trace), "embed", SpanKind::Consumer).end("done", false);
        }
    };
    assert_eq!(handed_over(20_000, 0, tell).len(), 0);
    assert_eq!(handed_over(20_000, 2_500, tell).len(), 2_500);
    assert_eq!(handed_over(20_000, Otlp::OF, tell).len(), 10_000);
}

#[test]
fn what_finds_no_room_is_counted() {
    let before = metrics::spans_of(metrics::FULL);
    let tell =
        || (0..5).for_each(|_| Work::below(parent(true), "embed", SpanKind::Consumer).end("done", false));
    assert_eq!(handed_over(2, Otlp::OF, tell).len(), 2);
    assert!(metrics::spans_of(metrics::FULL) >= before + 3);
}
