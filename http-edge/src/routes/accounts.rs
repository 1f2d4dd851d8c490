//! The caller's own account, and the keys with which programs ask in its name.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use tandem_domain::account::{KeyText, Scopes};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::KeyId;
use tandem_messages::accounts::{CreateKey, GetAccount, RevokeKey};

use crate::answer;
use crate::caller::{Call, Operation};
use crate::dto::account::{Account, Key, Keys, MadeKey, NewKey, Scope};
use crate::dto::all;
use crate::dto::envelope::Envelope;
use crate::json::JsonBody;
use crate::openapi::{Creates, Lists, Reads};
use crate::problem::Problem;
use crate::query::{Params, PathId};

/// The longest life of a key that has an end, in days.
const MAX_DAYS: u32 = 3650;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Show who asks
#[utoipa::path(
    get, path = "/api/v1/account", tag = "account",
    responses((status = 200, body = Envelope<Account>, description = "The caller and its rights"), Lists),
)]
pub(crate) async fn get_account(call: Call, params: Params) -> Result<Response, Problem> {
    params.finish()?;
    let caller = call.caller();
    Ok(answer::ok(Account {
        owner: caller.owner.to_string(),
        tenant: caller.tenant.to_string(),
        role: caller.role.into(),
        scopes: caller.scopes.iter().map(Scope::from).collect(),
    }))
}

/// List the caller's keys
#[utoipa::path(
    get, path = "/api/v1/keys", tag = "account",
    responses((status = 200, body = Envelope<Keys>, description = "Every key, without its text"), Lists),
)]
pub(crate) async fn list_keys(call: Call, params: Params) -> Result<Response, Problem> {
    params.finish()?;
    let account = call.ask(GetAccount { owner: call.owner() }).await?.account;
    let mut keys = account.map(|account| account.keys).unwrap_or_default();
    keys.reverse();
    Ok(answer::ok(Keys { items: all(keys) }))
}

/// Make a key
///
/// Its text is in the answer and nowhere else: the node keeps its SHA-256 alone. The same `Idempotency-Key` makes one
/// key; asked again, it answers 409, because the text cannot be shown again.
#[utoipa::path(
    post, path = "/api/v1/keys", tag = "account",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once")),
    request_body = NewKey,
    responses(
        (status = 201, body = Envelope<MadeKey>, description = "The key, shown once",
            headers(("Location" = String, description = "Where it can be revoked"))),
        Creates,
    ),
)]
pub(crate) async fn create_key(
    call: Call,
    Operation(operation): Operation,
    JsonBody(new): JsonBody<NewKey>,
) -> Result<Response, Problem> {
    let caller = call.caller();
    let scopes: Scopes = match new.scopes {
        Some(scopes) => scopes.into_iter().map(Into::into).collect(),
        None => caller.scopes.clone(),
    };
    if let Some(beyond) = scopes.iter().find(|scope| !caller.scopes.has(*scope)) {
        let detail = format!("field `scopes`: these credentials do not have `{beyond}` themselves");
        return Err(Problem::new(ErrorCode::Forbidden, detail));
    }
    if new.expires_in_days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
        return Err(Problem::validation(format!("field `expires_in_days`: expected 1 to {MAX_DAYS}")));
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| {
        tracing::error!(%error, "the machine gives no random numbers");
        Problem::plain(ErrorCode::Internal)
    })?;
    let text = KeyText::from_random(&random);
    let request = CreateKey {
        owner: caller.owner.clone(),
        tenant: caller.tenant.clone(),
        role: caller.role,
        id: KeyId::from_uuid(operation.as_uuid()),
        digest: text.digest(),
        label: new.label,
        scopes,
        lives: new.expires_in_days.map(|days| DAY * days),
    };
    let kept = Key::from(call.ask(request).await?.key);
    let location = format!("/api/v1/keys/{}", operation.as_uuid());
    Ok(answer::at(StatusCode::CREATED, &location, MadeKey { kept, key: text.as_str().to_owned() }))
}

/// Revoke a key
///
/// It is refused from now on, on every node. It stays in the list.
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}", tag = "account",
    params(("id" = String, Path, format = "uuid", description = "The key")),
    responses((status = 200, body = Envelope<Key>, description = "It opens nothing any more"), Reads),
)]
pub(crate) async fn revoke_key(
    call: Call,
    PathId(id): PathId<KeyId>,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    let key = call.ask(RevokeKey { owner: call.owner(), id }).await?.key;
    Ok(answer::ok(Key::from(key)).into_response())
}
