//! From credentials to a caller, and whether the caller may use the route.

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tandem_domain::account::KeyText;
use tandem_domain::error::ErrorCode;
use tandem_messages::accounts::{IdentifyKey, IdentifyUser};

use crate::auth::token::Claims;
use crate::caller::{Caller, ask};
use crate::door::Route;
use crate::problem::Problem;
use crate::rights::{Right, methods_of};
use crate::router::Shared;

/// The header with an API key.
pub(crate) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// What stands before a token, or an API key, in the header `Authorization`.
const BEARER: &str = "bearer ";

/// What a request shows of its caller.
enum Credentials<'a> {
    Key(&'a str),
    Token(&'a str),
}

/// Finds out who asks and whether they may use the route at all. Whose data they see is decided by the ports, by owner.
/// Who was found out is in the extensions from here on.
///
/// # Errors
/// The refusal as it is answered.
pub(crate) async fn authenticate(
    shared: &Shared,
    route: &Route,
    request: &mut Request,
) -> Result<(), Response> {
    if !shared.edge.accounts {
        return Ok(());
    }
    let scope = match route.right(request.method()) {
        Some(Right::Open) => return Ok(()),
        Some(Right::Needs(scope)) => scope,
        // Not left to the router: a route that somebody forgot in the table would be open to everybody.
        None => return Err(not_in_the_table(route.template())),
    };
    let (headers, extensions) = (request.headers(), request.extensions());
    // Boxed, as what it holds would otherwise be part of every request, also of those that need nobody to be known.
    let caller = Box::pin(identify(shared, headers, extensions)).await.map_err(Problem::into_response)?;
    if !caller.scopes.has(scope) {
        let detail = format!("this needs the scope {scope}, which these credentials do not have");
        return Err(Problem::new(ErrorCode::Forbidden, detail).into_response());
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

/// The answer of the router to a method that a route does not have.
fn not_in_the_table(template: &str) -> Response {
    let mut response = Problem::method_not_allowed().into_response();
    if let Ok(allow) = HeaderValue::from_str(&methods_of(template)) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

async fn identify(shared: &Shared, headers: &HeaderMap, extensions: &Extensions) -> Result<Caller, Problem> {
    match credentials(headers)? {
        Credentials::Key(text) => {
            let text: KeyText =
                text.parse().map_err(|_| Problem::unauthorized("this is no API key: is it complete?"))?;
            let access = ask(shared, extensions, IdentifyKey { digest: text.digest() }).await?;
            let user = access.user;
            let (owner, tenant, role, plan) = (user.owner, user.tenant, user.role, user.plan);
            Ok(Caller { owner, tenant, role, plan, scopes: access.scopes, key: Some(access.key) })
        }
        Credentials::Token(text) => {
            let Some(tokens) = &shared.edge.tokens else {
                return Err(Problem::unauthorized("this node takes API keys only"));
            };
            let Claims { owner, tenant, role } = tokens.verify(text).await.map_err(|refusal| {
                tracing::debug!(%refusal, "a token was refused");
                Problem::unauthorized(refusal.to_string())
            })?;
            let known = ask(shared, extensions, IdentifyUser { owner: owner.clone() }).await?;
            let plan = known.user.and_then(|user| user.plan);
            Ok(Caller { owner, tenant, role, plan, scopes: role.scopes(), key: None })
        }
    }
}

/// The one key or token of a request. A request with two of them does not say who asks.
fn credentials(headers: &HeaderMap) -> Result<Credentials<'_>, Problem> {
    let keys = headers.get_all(X_API_KEY).iter();
    let tokens = headers.get_all(header::AUTHORIZATION).iter();
    let mut all = keys.map(|value| (true, value)).chain(tokens.map(|value| (false, value)));
    let Some((is_key, value)) = all.next() else {
        return Err(Problem::unauthorized(
            "say who asks: with `Authorization: Bearer` and a token, or `X-Api-Key` and a key",
        ));
    };
    if all.next().is_some() {
        return Err(Problem::unauthorized("send one key or one token, not several"));
    }
    let text = value.to_str().map_err(|_| Problem::unauthorized("credentials are printable ASCII"))?.trim();
    if is_key {
        return Ok(Credentials::Key(text));
    }
    let (scheme, rest) = text.split_at_checked(BEARER.len()).unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case(BEARER) {
        return Err(Problem::unauthorized("the header `Authorization` begins with `Bearer`"));
    }
    let rest = rest.trim();
    Ok(if rest.starts_with(KeyText::PREFIX) { Credentials::Key(rest) } else { Credentials::Token(rest) })
}
