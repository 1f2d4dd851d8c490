//! A small client of the HTTP API.

mod documents;
mod runs;

use std::sync::LazyLock;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::runtime::Runtime;

pub use documents::Kind;
pub use runs::{Row, rows_of};

/// How long one request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// Requests of all tests run here; tests themselves are plain threads.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("client")
        .enable_all()
        .build()
        .expect("threads can be started")
});

/// A client of one node.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
    credentials: Option<(&'static str, String)>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as text.
    pub text: String,
    headers: HeaderMap,
}

impl Answer {
    /// A header; empty when there is none.
    ///
    /// # Panics
    /// When it is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are text"))
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in an answer {}: {}", self.status, self.text))
    }

    /// What the envelope of a success holds.
    ///
    /// # Panics
    /// When this is not a success in an envelope.
    #[must_use]
    pub fn data(&self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.text);
        let mut body = self.json();
        assert_eq!(body.get("error"), Some(&Value::Null), "no envelope: {}", self.text);
        body.get_mut("data").map(Value::take).unwrap_or_else(|| panic!("no data: {}", self.text))
    }

    /// The `errorCode` of a failure.
    ///
    /// # Panics
    /// When this is not a problem with all the members that the API promises.
    #[must_use]
    pub fn error_code(&self) -> String {
        let body = self.json();
        for member in
            ["type", "title", "status", "detail", "instance", "error", "message", "requestId", "retryable"]
        {
            assert!(body.get(member).is_some(), "a problem without `{member}`: {}", self.text);
        }
        assert_eq!(body.get("status"), Some(&Value::from(self.status)), "{}", self.text);
        assert_eq!(body.get("data"), Some(&Value::Null), "{}", self.text);
        assert_eq!(body.get("ok"), Some(&Value::Bool(false)), "{}", self.text);
        text(&body, "errorCode")
    }
}

/// A member of an object that is a text.
///
/// # Panics
/// When it is missing or something else.
#[must_use]
pub fn text(object: &Value, member: &str) -> String {
    let value = object.get(member).and_then(Value::as_str);
    value.unwrap_or_else(|| panic!("no text `{member}` in {object}")).to_owned()
}

/// A member of an object that is a whole number.
///
/// # Panics
/// When it is missing or something else.
#[must_use]
pub fn number(object: &Value, member: &str) -> i64 {
    let value = object.get(member).and_then(Value::as_i64);
    value.unwrap_or_else(|| panic!("no whole number `{member}` in {object}"))
}

/// A member of an object that is a list.
///
/// # Panics
/// When it is missing or something else.
#[must_use]
pub fn list<'a>(object: &'a Value, member: &str) -> &'a [Value] {
    let value = object.get(member).and_then(Value::as_array);
    value.unwrap_or_else(|| panic!("no list `{member}` in {object}"))
}

/// The resource if its status is an end; if not, itself again.
fn ended(resource: Value) -> Result<Value, Value> {
    let ended = matches!(text(&resource, "status").as_str(), "complete" | "failed" | "cancelled");
    if ended { Ok(resource) } else { Err(resource) }
}

impl Client {
    /// A client of the node at `base`, such as `http://127.0.0.1:8080`.
    ///
    /// # Panics
    /// When no client can be made.
    #[must_use]
    pub fn new(base: &str) -> Self {
        // reqwest wants a provider of TLS even where it speaks plain HTTP. An error says that there is one.
        rustls::crypto::ring::default_provider().install_default().ok();
        let http = reqwest::Client::builder().timeout(REQUEST_LIMIT).no_proxy().build();
        Self { base: base.to_owned(), http: http.expect("a client can be made"), credentials: None }
    }

    /// The same client with an API key on every request.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { credentials: Some(("x-api-key", key.to_owned())), ..self.clone() }
    }

    /// The same client with a bearer token on every request.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { credentials: Some(("authorization", format!("Bearer {token}"))), ..self.clone() }
    }

    /// A request to be filled and handed to [`Client::send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.credentials {
            Some((name, value)) => request.header(*name, value),
            None => request,
        }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When no whole answer came: whether the request was done is unknown.
    pub fn send(&self, request: RequestBuilder) -> Result<Answer, reqwest::Error> {
        RUNTIME.block_on(async {
            let answer = request.send().await?;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            Ok(Answer { status, text: answer.text().await?, headers })
        })
    }

    /// GET.
    ///
    /// # Errors
    /// When no answer came.
    pub fn try_get(&self, path: &str) -> Result<Answer, reqwest::Error> {
        self.send(self.request(Method::GET, path))
    }

    /// GET.
    ///
    /// # Panics
    /// When no answer came.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|error| panic!("GET {path}: {error:?}"))
    }

    /// POST of JSON.
    ///
    /// # Errors
    /// When no answer came.
    pub fn try_post(&self, path: &str, body: &Value) -> Result<Answer, reqwest::Error> {
        self.send(self.request(Method::POST, path).json(body))
    }

    /// POST of JSON.
    ///
    /// # Panics
    /// When no answer came.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).unwrap_or_else(|error| panic!("POST {path}: {error:?}"))
    }
}
