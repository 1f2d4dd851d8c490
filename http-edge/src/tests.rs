//! The whole edge in front of a gateway that answers as each test wants.

mod accounts;
mod browsers;
mod bulk;
mod contract;
mod documents;
mod etags;
mod events;
mod failures;
mod heads;
mod matches;
mod openapi;
mod operation;
mod quota;
mod rates;
mod removal;
mod runs;
mod samples;
mod serve;
mod submitted;
mod traces;
mod uploads;
mod versions;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request as HttpRequest, StatusCode, header};
use serde_json::{Value, json};
use tandem_config::{Edge, NodeConfig};
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::score::Weights;
use tandem_messages::{Context, Gateway, GatewayHandle, Reply, Request};
use tower::ServiceExt;

use crate::{EdgeState, app};

const MAX_DOCUMENT_BYTES: u64 = 8 * 1024;
const MAX_JSON_BYTES: usize = 4 * 1024;
const MAX_BULK_BYTES: u64 = 1024 * 1024;

/// What a test lets its gateway do with a request.
#[allow(clippy::large_enum_variant, reason = "made once per request and moved")]
enum Act {
    Reply(Reply),
    Fail(ErrorCode, &'static str),
    Never,
    Panic,
}

type Script = dyn Fn(&Request) -> Act + Send + Sync;

/// A gateway that does as it is told and remembers what it was asked.
struct Fake {
    script: Box<Script>,
    asked: Mutex<Vec<(Request, Context)>>,
}

#[async_trait]
impl Gateway for Fake {
    async fn answer(&self, request: Request, context: Context) -> Result<Reply, Failure> {
        let act = (self.script)(&request);
        self.asked.lock().unwrap().push((request, context));
        match act {
            Act::Reply(reply) => Ok(reply),
            Act::Fail(code, reason) => Err(Failure { code, reason: reason.to_owned() }),
            Act::Never => std::future::pending().await,
            Act::Panic => panic!("as the test wants"),
        }
    }
}

/// The edge under test and the gateway behind it.
struct Site {
    app: Router,
    fake: Arc<Fake>,
}

impl Site {
    fn new(script: impl Fn(&Request) -> Act + Send + Sync + 'static) -> Self {
        Self::with_places(8, script)
    }

    fn with_places(max_in_flight: usize, script: impl Fn(&Request) -> Act + Send + Sync + 'static) -> Self {
        let fake = Arc::new(Fake { script: Box::new(script), asked: Mutex::default() });
        Self { app: app(state(max_in_flight, fake.clone())), fake }
    }

    /// A site whose callers must say who they are.
    fn with_accounts(script: impl Fn(&Request) -> Act + Send + Sync + 'static) -> Self {
        let fake = Arc::new(Fake { script: Box::new(script), asked: Mutex::default() });
        let mut state = state(8, fake.clone());
        state.accounts = true;
        state.limits.login_failure.per_minute = 0;
        Self { app: app(state), fake }
    }

    /// A site whose gateway is never reached.
    fn silent() -> Self {
        Self::new(|_| Act::Panic)
    }

    async fn send(&self, request: HttpRequest<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer { status: parts.status, headers: parts.headers, body: body.to_vec() };
        answer.check();
        answer
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(HttpRequest::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(post_json(path, body.to_string())).await
    }

    fn asked(&self) -> Vec<Request> {
        self.fake.asked.lock().unwrap().iter().map(|(request, _)| request.clone()).collect()
    }

    fn contexts(&self) -> Vec<Context> {
        self.fake.asked.lock().unwrap().iter().map(|(_, context)| context.clone()).collect()
    }
}

fn state(max_in_flight: usize, gateway: Arc<Fake>) -> EdgeState {
    EdgeState {
        gateway: GatewayHandle::new(gateway),
        config: Edge {
            listen: "127.0.0.1:0".parse().unwrap(),
            request_timeout_s: 30,
            max_json_bytes: MAX_JSON_BYTES,
            max_in_flight,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            trust_traceparent: true,
            header_timeout_s: 10,
            max_connections: 64,
            max_streams: 2,
            max_bulk_bytes: MAX_BULK_BYTES,
            public_url: String::new(),
            workflow_token: Default::default(),
        },
        limits: NodeConfig::resolve(None, std::iter::empty(), &[]).unwrap().limits,
        max_document_bytes: MAX_DOCUMENT_BYTES,
        weights: Weights::new([5000, 1000, 1000, 1000, 1000, 1000]).unwrap(),
        metrics: Arc::new(|| prometheus::TextEncoder::new().encode_to_string(&prometheus::gather()).unwrap()),
        version: "1.2.3",
        accounts: false,
        tokens: None,
        api: true,
    }
}

fn post_json(path: &str, body: impl Into<Body>) -> HttpRequest<Body> {
    HttpRequest::post(path).header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()
}

/// A form of named parts, each with an optional file name.
fn form(path: &str, parts: &[(&str, Option<&str>, &[u8])]) -> HttpRequest<Body> {
    let mut body = Vec::new();
    for (name, file_name, content) in parts {
        let file = file_name.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        let head = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    HttpRequest::post(path)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .body(body.into())
        .unwrap()
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn data(&self) -> Value {
        self.json()["data"].clone()
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// What holds for every answer, whatever was asked.
    fn check(&self) {
        let request_id = self.header("x-request-id");
        assert!((1..=128).contains(&request_id.len()), "{:?}", self.headers);
        if [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&self.status) {
            assert!(self.body.is_empty());
            return;
        }
        match self.header(header::CONTENT_TYPE) {
            "application/json" if self.status.is_success() => {
                let body = self.json();
                let is_description = body.get("openapi").is_some();
                assert!(is_description || body.get("data").is_some_and(|data| !data.is_null()), "{body}");
                assert!(is_description || body.get("error") == Some(&Value::Null), "{body}");
            }
            "application/problem+json" => self.check_problem(request_id),
            "application/x-ndjson"
            | "text/event-stream"
            | "text/html; charset=utf-8"
            | "text/plain; version=0.0.4; charset=utf-8" => {
                assert!(self.status.is_success());
            }
            other => panic!("{} with {other:?}: {}", self.status, self.text()),
        }
    }

    fn check_problem(&self, request_id: &str) {
        let body = self.json();
        let text = |key: &str| body[key].as_str().unwrap_or_else(|| panic!("no {key} in {body}")).to_owned();
        assert!(self.status.is_client_error() || self.status.is_server_error());
        assert_eq!(body["status"], json!(self.status.as_u16()));
        assert_eq!(body["ok"], json!(false));
        assert_eq!(body.get("data"), Some(&Value::Null));
        assert_eq!(text("requestId"), request_id);
        assert_eq!(text("error"), text("errorCode").to_ascii_lowercase());
        assert_eq!(text("type"), format!("urn:tandem:problem:{}", text("error")));
        assert!(body["retryable"].is_boolean());
        assert!(text("instance").starts_with('/'));
        for key in ["title", "detail", "message"] {
            assert!(!text(key).is_empty(), "{key} is empty in {body}");
        }
    }

    /// Checks that this is a failure of this kind and gives its detail.
    fn problem(&self, status: u16, code: &str) -> String {
        assert_eq!(
            (self.status.as_u16(), self.json()["errorCode"].as_str()),
            (status, Some(code)),
            "{}",
            self.text()
        );
        self.json()["detail"].as_str().unwrap().to_owned()
    }
}
