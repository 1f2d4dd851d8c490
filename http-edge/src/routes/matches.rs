//! Single matches: one résumé, one job.

use axum::http::StatusCode;
use axum::response::Response;
use tandem_domain::ids::{DocumentId, MatchId};
use tandem_messages::matches::{CreateMatch as Create, GetMatch, ListMatches};

use crate::answer;
use crate::caller::{Call, Operation};
use crate::dto::envelope::{Envelope, Listing};
use crate::dto::matches::{AcceptedMatch, CreateMatch, Match, MatchEntry};
use crate::dto::score::Weights;
use crate::json::JsonBody;
use crate::openapi::{Lists, Reads, Starts};
use crate::problem::Problem;
use crate::query::{Cursor, Page, Params, PathId};

/// Score a résumé with a job
///
/// Answered as soon as the request is durable; ask for the match until its status is `complete` or `failed`.
#[utoipa::path(
    post, path = "/api/v1/matches", tag = "matches",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once")),
    request_body = CreateMatch,
    responses(
        (status = 202, body = Envelope<AcceptedMatch>, description = "Accepted",
            headers(("Location" = String, description = "Where it can be seen"))),
        Starts,
    ),
)]
pub(crate) async fn create_match(
    call: Call,
    Operation(operation): Operation,
    JsonBody(asked): JsonBody<CreateMatch>,
) -> Result<Response, Problem> {
    let question = Create {
        owner: call.owner(),
        operation,
        resume: DocumentId::from_uuid(asked.resume_id.0),
        job: DocumentId::from_uuid(asked.job_id.0),
        weights: asked.weights.map_or(Ok(call.shared.edge.weights), Weights::checked)?,
    };
    let accepted = AcceptedMatch::from(&call.ask(question).await?.pair);
    let location = format!("/api/v1/matches/{}", accepted.id);
    Ok(answer::at(StatusCode::ACCEPTED, &location, accepted))
}

/// List matches, newest first
#[utoipa::path(
    get, path = "/api/v1/matches", tag = "matches",
    params(
        ("limit" = Option<u32>, Query, description = "1..=1000, 50 where it is left out"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = Envelope<Listing<MatchEntry>>, description = "A page"), Lists),
)]
pub(crate) async fn list_matches(call: Call, params: Params) -> Result<Response, Problem> {
    let Page { limit, after } = params.only_page()?;
    let page = call.ask(ListMatches { owner: call.owner(), after, limit }).await?;
    let items = page.matches.iter().map(MatchEntry::from).collect();
    Ok(answer::ok(Listing { items, next_cursor: page.next.map(|id| id.encode()) }))
}

/// Show a match with its reasons
#[utoipa::path(
    get, path = "/api/v1/matches/{id}", tag = "matches",
    params(("id" = String, Path, format = "uuid", description = "The match")),
    responses((status = 200, body = Envelope<Match>, description = "The match"), Reads),
)]
pub(crate) async fn get_match(
    call: Call,
    PathId(id): PathId<MatchId>,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    let view = call.ask(GetMatch { owner: call.owner(), id }).await?;
    Ok(answer::ok(Match::from(view.pair)))
}
