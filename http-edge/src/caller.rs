//! Who asks, with which intent, and the way to ask the gateway in their name.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{OperationId, OwnerId, derived};
use tandem_messages::{Ask, Context};
use tokio::time::Instant;
use uuid::Uuid;

use crate::limits::Deadline;
use crate::problem::Problem;
use crate::request_id::RequestId;
use crate::router::Shared;

/// The header that names an intent.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header by which a client claims to be a Pro member.
const PRO_MEMBER: &str = "x-pro-member";
/// The longest idempotency key, in characters.
pub(crate) const MAX_KEY_LEN: usize = 255;

/// Whoever a request comes from. Without accounts everybody is the node's one owner.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) owner: OwnerId,
}

impl Caller {
    /// The one place that decides whose data a request reads and writes.
    fn of(_parts: &Parts) -> Self {
        Self { owner: OwnerId::local() }
    }
}

/// One request's right to ask: its caller, its name and its deadline.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    caller: Caller,
    request_id: RequestId,
    deadline: Instant,
    pro_member: bool,
}

impl FromRequestParts<Arc<Shared>> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let extensions = &parts.extensions;
        let (Some(request_id), Some(Deadline(deadline))) = (extensions.get(), extensions.get()) else {
            tracing::error!("a route stands outside of the layers");
            return Err(Problem::plain(ErrorCode::Internal));
        };
        let (request_id, deadline) = (RequestId::clone(request_id), *deadline);
        let pro_member = parts.headers.get(PRO_MEMBER).is_some_and(|value| value == "1");
        Ok(Self { shared: Arc::clone(shared), caller: Caller::of(parts), request_id, deadline, pro_member })
    }
}

impl Call {
    /// Whose data is asked for.
    pub(crate) fn owner(&self) -> OwnerId {
        self.caller.owner.clone()
    }

    pub(crate) fn request_id(&self) -> &str {
        self.request_id.as_str()
    }

    /// Asks the gateway and waits until the request's deadline, also for a gateway that forgets to answer.
    pub(crate) async fn ask<Q: Ask>(&self, question: Q) -> Result<Q::Reply, Problem> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left == Duration::ZERO {
            return Err(Problem::plain(ErrorCode::Timeout));
        }
        let context = Context {
            request_id: self.request_id.as_str().to_owned(),
            deadline: left,
            pro_member: self.pro_member,
        };
        let answer = self.shared.edge.gateway.ask(question, &context);
        match tokio::time::timeout_at(self.deadline, answer).await {
            Ok(answer) => answer.map_err(Problem::from),
            Err(_) => Err(Problem::plain(ErrorCode::Timeout)),
        }
    }

    /// The same call with a whole new deadline: for each page of an answer that is streamed.
    pub(crate) fn renew(&mut self) {
        self.deadline = Instant::now() + self.shared.edge.config.request_timeout();
    }
}

/// The id of the change a request intends. The same `Idempotency-Key` of one caller on one route is the same intent;
/// without the header each request is an intent of its own.
pub(crate) struct Operation(pub(crate) OperationId);

impl FromRequestParts<Arc<Shared>> for Operation {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _shared: &Arc<Shared>) -> Result<Self, Problem> {
        let uuid = match idempotency_key(&parts.headers)? {
            None => Uuid::now_v7(),
            Some(key) => {
                let template = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
                let route = format!("{} {template}", parts.method);
                let owner = Caller::of(parts).owner;
                derived("operation", &[owner.as_str().as_bytes(), route.as_bytes(), key.as_bytes()])
            }
        };
        Ok(Self(OperationId::from_uuid(uuid)))
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    value
        .to_str()
        .ok()
        .filter(|key| (1..=MAX_KEY_LEN).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()))
        .map(Some)
        .ok_or_else(|| {
            let rule = "1 to 255 printable ASCII characters without spaces";
            Problem::validation(format!("header `Idempotency-Key`: expected {rule}"))
        })
}
