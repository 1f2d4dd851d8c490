//! What is sent to a collector: the messages of OTLP, filled.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

/// The name of the service that nodes are.
const SERVICE: &str = "tandem";
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn attribute(key: impl Into<String>, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// The node of this name, which tells of its spans.
pub(super) fn node(name: &str) -> Resource {
    let text = |key, value: &str| attribute(key, Value::StringValue(value.to_owned()));
    let attributes = vec![
        text("service.name", SERVICE),
        text("service.version", VERSION),
        text("service.instance.id", name),
    ];
    Resource { attributes, ..Resource::default() }
}

/// A request to the collector (`application/x-protobuf`).
pub(super) fn encode(resource: &Resource, spans: Vec<Span>) -> Vec<u8> {
    let (name, version) = (SERVICE.to_owned(), VERSION.to_owned());
    let scope = Some(InstrumentationScope { name, version, ..InstrumentationScope::default() });
    let scope_spans = vec![ScopeSpans { scope, spans, ..ScopeSpans::default() }];
    let resource = Some(resource.clone());
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}
