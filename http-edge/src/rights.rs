//! The table of rights: which scope each route asks for. What a role has is in [`tandem_domain::account::Role::scopes`].

use axum::http::Method;
use tandem_domain::account::Scope;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Nothing, not even to say who it is.
    Open,
    /// This scope.
    Needs(Scope),
}

use Right::{Needs, Open};

#[cfg(test)]
mod tests;

/// Every route, in the order of its template. One that is missing here is answered to nobody.
const RIGHTS: [(&str, &str, Right); 54] = [
    ("GET", "/api/v1/account", Needs(Scope::Read)),
    ("GET", "/api/v1/audit", Needs(Scope::Tenant)),
    // The workflow shows its own token.
    ("POST", "/api/v1/callbacks/n8n/job", Open),
    ("POST", "/api/v1/callbacks/n8n/resume", Open),
    ("GET", "/api/v1/health/ping", Open),
    ("GET", "/api/v1/jobs", Needs(Scope::Read)),
    ("POST", "/api/v1/jobs", Needs(Scope::Write)),
    ("POST", "/api/v1/jobs/bulk", Needs(Scope::Bulk)),
    ("DELETE", "/api/v1/jobs/{id}", Needs(Scope::Write)),
    ("GET", "/api/v1/jobs/{id}", Needs(Scope::Read)),
    ("GET", "/api/v1/jobs/{id}/events", Needs(Scope::Read)),
    ("POST", "/api/v1/jobs/{id}/refine", Needs(Scope::Write)),
    ("GET", "/api/v1/jobs/{id}/versions", Needs(Scope::Read)),
    ("POST", "/api/v1/jobs/{id}/versions", Needs(Scope::Write)),
    ("GET", "/api/v1/jobs/{id}/versions/{version}", Needs(Scope::Read)),
    ("GET", "/api/v1/keys", Needs(Scope::Admin)),
    ("POST", "/api/v1/keys", Needs(Scope::Admin)),
    ("DELETE", "/api/v1/keys/{id}", Needs(Scope::Admin)),
    ("POST", "/api/v1/match-runs", Needs(Scope::Bulk)),
    ("GET", "/api/v1/match-runs/{id}", Needs(Scope::Read)),
    ("POST", "/api/v1/match-runs/{id}/cancel", Needs(Scope::Bulk)),
    ("GET", "/api/v1/match-runs/{id}/events", Needs(Scope::Read)),
    ("GET", "/api/v1/match-runs/{id}/results", Needs(Scope::Read)),
    ("GET", "/api/v1/matches", Needs(Scope::Read)),
    ("POST", "/api/v1/matches", Needs(Scope::Match)),
    ("GET", "/api/v1/matches/{id}", Needs(Scope::Read)),
    ("GET", "/api/v1/quota", Needs(Scope::Read)),
    ("GET", "/api/v1/resumes", Needs(Scope::Read)),
    ("POST", "/api/v1/resumes", Needs(Scope::Write)),
    ("POST", "/api/v1/resumes/bulk", Needs(Scope::Bulk)),
    ("POST", "/api/v1/resumes/from-text", Needs(Scope::Write)),
    ("POST", "/api/v1/resumes/upload", Needs(Scope::Write)),
    ("POST", "/api/v1/resumes/upload/{upload}/complete", Needs(Scope::Write)),
    ("DELETE", "/api/v1/resumes/{id}", Needs(Scope::Write)),
    ("GET", "/api/v1/resumes/{id}", Needs(Scope::Read)),
    ("GET", "/api/v1/resumes/{id}/events", Needs(Scope::Read)),
    ("GET", "/api/v1/resumes/{id}/redacted", Needs(Scope::Read)),
    ("GET", "/api/v1/resumes/{id}/versions", Needs(Scope::Read)),
    ("POST", "/api/v1/resumes/{id}/versions", Needs(Scope::Write)),
    ("GET", "/api/v1/resumes/{id}/versions/{version}", Needs(Scope::Read)),
    // The URL itself is the credential.
    ("PUT", "/api/v1/uploads/{upload}", Open),
    ("DELETE", "/api/v1/users/{owner}", Needs(Scope::Admin)),
    ("GET", "/api/v1/users/{owner}/export", Needs(Scope::Admin)),
    ("GET", "/docs", Open),
    ("GET", "/healthz", Open),
    ("GET", "/livez", Open),
    ("GET", "/metrics", Needs(Scope::Operate)),
    ("GET", "/models", Needs(Scope::Operate)),
    ("POST", "/models/end", Needs(Scope::Operate)),
    ("POST", "/models/move", Needs(Scope::Operate)),
    ("POST", "/models/rollback", Needs(Scope::Operate)),
    ("GET", "/openapi.json", Open),
    ("GET", "/readyz", Open),
    ("GET", "/status", Needs(Scope::Operate)),
];

/// What a route asks for; `None` = it is not in the table.
pub(crate) fn right_of(method: &Method, template: &str) -> Option<Right> {
    // Routes answer `HEAD` as they answer `GET`.
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    RIGHTS.iter().find(|(one, path, _)| *one == method && *path == template).map(|(_, _, right)| *right)
}

/// The methods of a route, as the header `Allow` has them.
pub(crate) fn methods_of(template: &str) -> String {
    let methods = RIGHTS.iter().filter(|(_, path, _)| *path == template);
    let methods: Vec<&str> =
        methods.map(|(method, ..)| if *method == "GET" { "GET,HEAD" } else { *method }).collect();
    methods.join(",")
}

/// The whole table.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str, Right)> {
    RIGHTS.into_iter()
}
