//! Who asks, with which intent, and the way to ask the gateway in their name.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use tandem_domain::account::{Role, Scope, Scopes};
use tandem_domain::audit::Actor;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{KeyId, OperationId, OwnerId, TenantId, derived};
use tandem_domain::trace::TraceContext;
use tandem_messages::gateway::Asker;
use tandem_messages::{Ask, Context, GatewayHandle};
use tokio::time::Instant;
use uuid::Uuid;

use crate::door::Passage;
use crate::problem::Problem;
use crate::request_id::RequestId;
use crate::router::Shared;

/// The header that names an intent.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header by which a client claims to be a Pro member.
const PRO_MEMBER: &str = "x-pro-member";
/// The longest idempotency key, in characters.
pub(crate) const MAX_KEY_LEN: usize = 255;

/// Whoever a request comes from.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) owner: OwnerId,
    pub(crate) tenant: TenantId,
    pub(crate) role: Role,
    /// The name of the plan of the caller's account; `None` = the default one.
    pub(crate) plan: Option<String>,
    /// What the caller may do with these credentials.
    pub(crate) scopes: Scopes,
    /// The key, where there was one.
    pub(crate) key: Option<KeyId>,
}

impl Caller {
    /// Everybody, on a node without accounts.
    fn local() -> Self {
        let scopes = Scope::ALL.iter().copied().collect();
        let (owner, tenant) = (OwnerId::local(), TenantId::local());
        Self { owner, tenant, role: Role::Admin, plan: None, scopes, key: None }
    }

    /// The caller as the audit log knows it.
    fn asker(&self) -> Asker {
        let owner = self.owner.clone();
        let actor = match self.key {
            Some(key) => Actor::Key { owner, key },
            None if owner == OwnerId::local() || owner == OwnerId::nobody() => Actor::Anybody,
            None => Actor::User(owner),
        };
        Asker { tenant: self.tenant.clone(), actor }
    }

    /// Whoever asks what nobody needs to be known for; nothing is theirs.
    fn nobody() -> Self {
        Self { owner: OwnerId::nobody(), scopes: Scopes::default(), role: Role::Reviewer, ..Self::local() }
    }

    /// The one place that decides whose data a request reads and writes.
    fn of(extensions: &Extensions, shared: &Shared) -> Self {
        let known = extensions.get::<Self>().cloned();
        known.unwrap_or_else(|| if shared.edge.accounts { Self::nobody() } else { Self::local() })
    }
}

/// One request's right to ask: its caller, its name and its deadline.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    caller: Caller,
    asking: Asking,
    pro_member: bool,
}

impl FromRequestParts<Arc<Shared>> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let asking = Asking::of(&parts.extensions)?;
        let pro_member = parts.headers.get(PRO_MEMBER).is_some_and(|value| value == "1");
        let caller = Caller::of(&parts.extensions, shared);
        Ok(Self { shared: Arc::clone(shared), caller, asking, pro_member })
    }
}

/// The name and the deadline of a request.
#[derive(Clone)]
struct Asking {
    request_id: RequestId,
    deadline: Instant,
    trace: TraceContext,
}

impl Asking {
    fn of(extensions: &Extensions) -> Result<Self, Problem> {
        let Some(Passage { id, deadline, trace }) = extensions.get() else {
            tracing::error!("a route stands outside of the door");
            return Err(Problem::plain(ErrorCode::Internal));
        };
        Ok(Self { request_id: id.clone(), deadline: *deadline, trace: *trace })
    }

    /// Asks and waits until the deadline, also for a gateway that forgets to answer.
    async fn ask<Q: Ask>(
        &self,
        gateway: &GatewayHandle,
        question: Q,
        caller: &Caller,
        pro_member: bool,
    ) -> Result<Q::Reply, Problem> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left == Duration::ZERO {
            return Err(Problem::plain(ErrorCode::Timeout));
        }
        let request_id = self.request_id.as_str().to_owned();
        let (plan, asker, trace) = (caller.plan.clone(), caller.asker(), Some(self.trace));
        let context = Context { request_id, deadline: left, pro_member, plan, asker, trace };
        match tokio::time::timeout_at(self.deadline, gateway.ask(question, &context)).await {
            Ok(answer) => answer.map_err(Problem::from),
            Err(_) => Err(Problem::plain(ErrorCode::Timeout)),
        }
    }
}

/// Asks in the name of a request whose caller is not known yet.
pub(crate) async fn ask<Q: Ask>(
    shared: &Shared,
    extensions: &Extensions,
    question: Q,
) -> Result<Q::Reply, Problem> {
    Asking::of(extensions)?.ask(&shared.edge.gateway, question, &Caller::nobody(), false).await
}

impl Call {
    /// Whose data is asked for.
    pub(crate) fn owner(&self) -> OwnerId {
        self.caller.owner.clone()
    }

    /// Who asks.
    pub(crate) const fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(crate) fn request_id(&self) -> &str {
        self.asking.request_id.as_str()
    }

    /// Asks the gateway and waits until the request's deadline.
    pub(crate) async fn ask<Q: Ask>(&self, question: Q) -> Result<Q::Reply, Problem> {
        self.asking.ask(&self.shared.edge.gateway, question, &self.caller, self.pro_member).await
    }

    /// The same call with a whole new deadline: for each page of an answer that is streamed.
    pub(crate) fn renew(&mut self) {
        self.asking.deadline = Instant::now() + self.shared.edge.config.request_timeout();
    }
}

/// The id of the change a request intends. The same `Idempotency-Key` of one caller on one route is the same intent;
/// without the header each request is an intent of its own.
pub(crate) struct Operation(pub(crate) OperationId);

impl FromRequestParts<Arc<Shared>> for Operation {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let uuid = match idempotency_key(&parts.headers)? {
            None => Uuid::now_v7(),
            Some(key) => {
                let template = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
                let route = format!("{} {template}", parts.method);
                let owner = Caller::of(&parts.extensions, shared).owner;
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
