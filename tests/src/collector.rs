//! A collector of spans of a test's own: it takes what nodes export, as OpenTelemetry's would.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1;
use prost::Message;

use crate::poll;

/// How long spans may be on their way: a node sends them every second.
const ARRIVE_WITHIN: Duration = Duration::from_secs(120);
/// The largest request that is taken, in bytes.
const MAX_BODY: usize = 16 << 20;

/// A span as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// 32 hexadecimal digits.
    pub trace: String,
    /// 16 hexadecimal digits.
    pub id: String,
    /// What it is a part of; empty = nothing.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// The node that told it.
    pub node: String,
    /// What else is told of it.
    pub attributes: BTreeMap<String, String>,
    /// Whether it failed.
    pub failed: bool,
}

/// Takes spans from the moment it is made until its process ends.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    /// A collector on a port of its own.
    ///
    /// # Panics
    /// When there is no port for it.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
        let address = listener.local_addr().expect("it has an address");
        let spans = Arc::new(Mutex::default());
        let taken = Arc::clone(&spans);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let taken = Arc::clone(&taken);
                // A node that is killed in the middle of a request is none of the collector's business.
                thread::spawn(move || serve(&stream, &taken).ok());
            }
        });
        Self { address, spans }
    }

    /// What a node that exports to it is configured with.
    #[must_use]
    pub fn endpoint(&self) -> (&'static str, String) {
        ("TANDEM_TELEMETRY__OTLP__ENDPOINT", format!("http://{}/v1/traces", self.address))
    }

    /// Everything that was told so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        locked(&self.spans).clone()
    }

    /// The spans of a trace, once they are all that `complete` waits for.
    ///
    /// # Panics
    /// When they do not come to be.
    #[must_use]
    pub fn expect(&self, trace: &str, complete: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        poll::until_ok("the spans of a trace are there", ARRIVE_WITHIN, || {
            let mut spans = self.spans();
            spans.retain(|span| span.trace == trace);
            if complete(&spans) { Ok(spans) } else { Err(format!("{spans:#?}")) }
        })
    }
}

fn locked(spans: &Mutex<Vec<Span>>) -> MutexGuard<'_, Vec<Span>> {
    spans.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers the requests of a connection until it ends.
fn serve(stream: &TcpStream, taken: &Mutex<Vec<Span>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line)? > 2 {
            let head = line.to_ascii_lowercase();
            if let Some(value) = head.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            line.clear();
        }
        if line.is_empty() || length > MAX_BODY {
            return Ok(());
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let told = ExportTraceServiceRequest::decode(body.as_slice());
        let status = if told.is_ok() { "200 OK" } else { "400 Bad Request" };
        locked(taken).extend(told.iter().flat_map(spans_of));
        let mut stream = stream;
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")?;
    }
}

fn spans_of(request: &ExportTraceServiceRequest) -> Vec<Span> {
    let mut found = Vec::new();
    for told in &request.resource_spans {
        let resource = told.resource.as_ref().map(|resource| attributes(&resource.attributes));
        let node = resource.and_then(|mut resource| resource.remove("service.instance.id"));
        let node = node.unwrap_or_default();
        let spans = told.scope_spans.iter().flat_map(|scope| &scope.spans);
        found.extend(spans.map(|span| span_of(span, &node)));
    }
    found
}

fn span_of(span: &v1::Span, node: &str) -> Span {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Span {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name.clone(),
        node: node.to_owned(),
        attributes: attributes(&span.attributes),
        failed: span
            .status
            .as_ref()
            .is_some_and(|status| status.code == v1::status::StatusCode::Error as i32),
    }
}

fn attributes(told: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    told.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}
