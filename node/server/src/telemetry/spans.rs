//! Takes finished spans from the code that tells of them (`tandem_domain::trace::SPANS`) and hands them to the exporter.

use std::fmt;
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use tandem_config::Otlp;
use tandem_domain::trace::SPANS;
use tokio::sync::mpsc::Sender;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::metrics;
use super::otlp::attribute;
use crate::clock::SystemClock;

#[cfg(test)]
mod tests;

/// The flag of W3C Trace Context: only such traces are told of.
const SAMPLED: u32 = 1;
/// Before the names of what the code tells and no convention names.
const OURS: &str = "tandem.";

/// Hands spans over without ever waiting.
struct SpanLayer {
    spans: Sender<Span>,
    sample: u32,
}

/// A layer that hands the spans of `sample` in [`Otlp::OF`] traces to `spans`.
pub(super) fn layer<S>(spans: Sender<Span>, sample: u32) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    SpanLayer { spans, sample }.with_filter(Targets::new().with_target(SPANS, Level::INFO))
}

impl<S: Subscriber> Layer<S> for SpanLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut told = Told::default();
        event.record(&mut told);
        if !told.is_of_sample(self.sample) {
            return;
        }
        if self.spans.try_send(told.ended_at(SystemClock::since_epoch())).is_err() {
            metrics::spans(metrics::FULL, 1);
        }
    }
}

/// What is told of a span.
#[derive(Default)]
struct Told {
    trace: u128,
    span: u64,
    parent: Option<u64>,
    name: String,
    kind: u64,
    nanos: u64,
    failed: bool,
    attributes: Vec<KeyValue>,
}

impl Told {
    /// Every node decides the same for all spans of a trace.
    const fn is_of_sample(&self, sample: u32) -> bool {
        self.trace % (Otlp::OF as u128) < sample as u128
    }

    /// The span, that ended so long after the epoch.
    fn ended_at(self, end: Duration) -> Span {
        let end = u64::try_from(end.as_nanos()).unwrap_or(u64::MAX);
        Span {
            trace_id: self.trace.to_be_bytes().to_vec(),
            span_id: self.span.to_be_bytes().to_vec(),
            parent_span_id: self.parent.map(|parent| parent.to_be_bytes().to_vec()).unwrap_or_default(),
            name: self.name,
            kind: i32::try_from(self.kind).unwrap_or_default(),
            start_time_unix_nano: end.saturating_sub(self.nanos),
            end_time_unix_nano: end,
            attributes: self.attributes,
            status: self.failed.then(|| Status { code: StatusCode::Error.into(), ..Status::default() }),
            flags: SAMPLED,
            ..Span::default()
        }
    }

    fn add(&mut self, field: &Field, value: Value) {
        let name = field.name();
        let ours = if name.contains('.') { "" } else { OURS };
        self.attributes.push(attribute(format!("{ours}{name}"), value));
    }
}

impl Visit for Told {
    fn record_u128(&mut self, field: &Field, value: u128) {
        if field.name() == "trace" {
            self.trace = value;
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "span" => self.span = value,
            "parent" => self.parent = Some(value),
            "kind" => self.kind = value,
            "nanos" => self.nanos = value,
            _ => self.add(field, Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX))),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "failed" {
            self.failed = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            value.clone_into(&mut self.name);
        } else {
            self.add(field, Value::StringValue(value.to_owned()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
