//! Everything that is stored of a person: given out, and erased.

use std::io;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use tandem_domain::account::Scope;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::OwnerId;
use tandem_messages::users::{EraseUser, ExportPage, ExportPlace, ExportUser, Person};
use tokio::time::Instant;

use crate::answer;
use crate::caller::Call;
use crate::dto::envelope::Envelope;
use crate::dto::users::{Erased, ExportEnd, ExportLine};
use crate::limits::Place;
use crate::openapi::Reads;
use crate::problem::Problem;
use crate::query::{Params, PathId};
use crate::routes::runs::ndjson::{ErrorLine, MEDIA_TYPE, lines_of};

/// How long an export may go on. Each page has the deadline of a request besides.
const MAX_DURATION: Duration = Duration::from_secs(60 * 60);

/// Give out everything that is stored of a user
///
/// Of the caller, or, with the scope `tenant`, of a member of the caller's tenant. One line of JSON for each part:
/// account, documents with their Profiles and texts, matches, runs with their rows, what is used of the plan, and the
/// entries of the audit log about the user. The last line is of the kind `end`; an export that cannot go on ends with a
/// line `{"error": …}` that holds the problem, and is cut off.
#[utoipa::path(
    get, path = "/api/v1/users/{owner}/export", tag = "account",
    params(("owner" = String, Path, description = "The user, as `owner` of `GET /api/v1/account`")),
    responses(
        (status = 200, body = ExportLine, content_type = "application/x-ndjson", description = "One part in each line",
            example = json!({"kind": "end", "data": {"lines": 0}})),
        Reads,
    ),
)]
pub(crate) async fn export_user(
    call: Call,
    PathId(owner): PathId<OwnerId>,
    Extension(place): Extension<Place>,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    let person = person(&call, owner)?;
    // What is refused is refused before the answer begins.
    let first = call.ask(ExportUser { person: person.clone(), place: ExportPlace::Account }).await?;
    let end = Instant::now() + MAX_DURATION;
    let export = Export { call, person, end, lines: 0, next: Next::Have(first), _place: place };
    // Whoever compresses an answer asks again behind its end, which an unfolding does not bear.
    let mut response = Response::new(Body::from_stream(stream::unfold(export, step).fuse()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    Ok(response)
}

/// Erase a user
///
/// The caller, or, with the scope `tenant`, a member of the caller's tenant: account, keys, every document with its
/// original, text, vectors and place in the index, matches and runs, on every node. Every key and token of the user is
/// refused from then on. The user's id stays, so that it remains shut out, and in the audit log, which holds ids alone;
/// so does the count of what was used of the plan.
#[utoipa::path(
    delete, path = "/api/v1/users/{owner}", tag = "account",
    params(("owner" = String, Path, description = "The user, as `owner` of `GET /api/v1/account`")),
    responses(
        (status = 200, body = Envelope<Erased>, description = "Everything is gone"),
        (status = 202, body = Envelope<Erased>, description = "The user is shut out; the rest follows"),
        Reads,
    ),
)]
pub(crate) async fn erase_user(
    call: Call,
    PathId(owner): PathId<OwnerId>,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    let person = person(&call, owner)?;
    let erased = Erased::from(call.ask(EraseUser { person }).await?);
    let status = if erased.complete { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, answer::ok(erased)).into_response())
}

/// Whom the caller may mean. Whoever may not learn that somebody exists is told that nobody is there.
fn person(call: &Call, owner: OwnerId) -> Result<Person, Problem> {
    let caller = call.caller();
    let is_asker = owner == caller.owner;
    if !is_asker && !caller.scopes.has(Scope::Tenant) {
        return Err(Problem::new(ErrorCode::NotFound, "there is no such user"));
    }
    Ok(Person { owner, tenant: caller.tenant.clone(), is_asker })
}

struct Export {
    call: Call,
    person: Person,
    end: Instant,
    /// Lines that were written.
    lines: u64,
    next: Next,
    /// Held until the last line is sent or the reader goes away.
    _place: Place,
}

enum Next {
    Have(ExportPage),
    Page(ExportPlace),
    End,
    CutOff,
    Nothing,
}

async fn step(mut export: Export) -> Option<(io::Result<Bytes>, Export)> {
    let page = match std::mem::replace(&mut export.next, Next::Nothing) {
        Next::Have(page) => Ok(page),
        Next::Page(place) => export.page(place).await,
        Next::End => {
            let line = lines_of([ExportLine::End(ExportEnd { lines: export.lines })]);
            return Some((line.map_err(io::Error::other), export));
        }
        Next::CutOff => {
            return Some((Err(io::Error::other("the export could not be read to its end")), export));
        }
        Next::Nothing => return None,
    };
    let lines = match page {
        Ok(ExportPage { items, next }) => {
            export.next = next.map_or(Next::End, Next::Page);
            let lines: Vec<ExportLine> = items.into_iter().flat_map(ExportLine::of).collect();
            export.lines += lines.len() as u64;
            lines_of(lines)
        }
        Err(problem) => {
            export.next = Next::CutOff;
            let instance = format!("/api/v1/users/{}/export", export.person.owner);
            lines_of([ErrorLine { error: problem.into_body(export.call.request_id(), &instance) }])
        }
    };
    Some((lines.map_err(io::Error::other), export))
}

impl Export {
    async fn page(&mut self, place: ExportPlace) -> Result<ExportPage, Problem> {
        if Instant::now() >= self.end {
            return Err(Problem::plain(ErrorCode::Timeout));
        }
        self.call.renew();
        self.call.ask(ExportUser { person: self.person.clone(), place }).await
    }
}
