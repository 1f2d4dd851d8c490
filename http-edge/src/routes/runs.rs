//! Match runs: many queries against many candidates.

use axum::Extension;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use tandem_domain::ids::RunId;
use tandem_messages::runs::{CancelRun, CreateRun as Create, GetFailedItems, GetRows, GetRun, RunView};

use crate::answer;
use crate::caller::{Call, Operation};
use crate::dto::envelope::Envelope;
use crate::dto::runs::{CreateRun, Results, Row, Run, status};
use crate::json::JsonBody;
use crate::limits::Place;
use crate::openapi::{Reads, Starts};
use crate::problem::Problem;
use crate::query::{Cursor, Page, Params, PathId};

pub(crate) mod ndjson;

/// The most failed items that are shown with a run.
const FAILED_ITEMS: u32 = 100;

/// Rank candidates for many queries
///
/// Answered as soon as the run is durable; ask for it until its status is `complete`, `failed` or `cancelled`. Where the
/// caller's plan has not enough pairs for all queries, the first ones are ranked and the others fail with the code
/// `UPGRADE_REQUIRED`; a plan that has none left is a 402 at once. A row in the results is a pair.
#[utoipa::path(
    post, path = "/api/v1/match-runs", tag = "match-runs",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once")),
    request_body = CreateRun,
    responses(
        (status = 202, body = Envelope<Run>, description = "Accepted",
            headers(("Location" = String, description = "Where it can be seen"))),
        Starts,
    ),
)]
pub(crate) async fn create_match_run(
    call: Call,
    Operation(operation): Operation,
    JsonBody(asked): JsonBody<CreateRun>,
) -> Result<Response, Problem> {
    let spec = asked.checked(call.shared.edge.weights)?;
    let view = call.ask(Create { owner: call.owner(), operation, spec }).await?;
    let location = format!("/api/v1/match-runs/{}", view.run.id);
    Ok(answer::at(StatusCode::ACCEPTED, &location, Run::new(view, Vec::new())))
}

/// Show a run and how far it has come
#[utoipa::path(
    get, path = "/api/v1/match-runs/{id}", tag = "match-runs",
    params(("id" = String, Path, format = "uuid", description = "The run")),
    responses((status = 200, body = Envelope<Run>, description = "The run"), Reads),
)]
pub(crate) async fn get_match_run(
    call: Call,
    PathId(id): PathId<RunId>,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    let view = call.ask(GetRun { owner: call.owner(), id }).await?;
    Ok(answer::ok(with_failures(&call, view).await?))
}

/// Cancel a run
///
/// Answered with the run as it stands as soon as the cancellation is durable; its items that have not ended are called
/// off soon after, and then its status is `cancelled`. Rows that are there stay. A run that has ended stays as it is, and
/// asking again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/match-runs/{id}/cancel", tag = "match-runs",
    params(("id" = String, Path, format = "uuid", description = "The run")),
    responses(
        (status = 202, body = Envelope<Run>, description = "Accepted",
            headers(("Location" = String, description = "Where it can be seen"))),
        Reads,
    ),
)]
pub(crate) async fn cancel_match_run(
    call: Call,
    PathId(id): PathId<RunId>,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    let view = call.ask(CancelRun { owner: call.owner(), id }).await?;
    let location = format!("/api/v1/match-runs/{id}");
    Ok(answer::at(StatusCode::ACCEPTED, &location, with_failures(&call, view).await?))
}

/// A run with its failed items.
pub(crate) async fn with_failures(call: &Call, view: RunView) -> Result<Run, Problem> {
    let (id, limit) = (view.run.id, FAILED_ITEMS);
    let failed = match view.progress.failed {
        0 => Vec::new(),
        _ => call.ask(GetFailedItems { owner: call.owner(), id, limit }).await?.items,
    };
    Ok(Run::new(view, failed))
}

/// Read the rows of a run
///
/// A page of JSON, or, with `Accept: application/x-ndjson` or `format=ndjson`, all the rows there are now, one line
/// each. A stream that cannot go on ends with a line `{"error": …}` that holds the problem, and is cut off.
#[utoipa::path(
    get, path = "/api/v1/match-runs/{id}/results", tag = "match-runs",
    params(
        ("id" = String, Path, format = "uuid", description = "The run"),
        ("limit" = Option<u32>, Query, description = "1..=1000, 50 where it is left out; pages only"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before"),
        ("format" = Option<String>, Query, description = "`json` or `ndjson`; goes over `Accept`"),
    ),
    responses(
        (status = 200, description = "Rows in order of item and rank",
            content((Envelope<Results> = "application/json"), (Row = "application/x-ndjson"))),
        Reads,
    ),
)]
pub(crate) async fn get_match_run_results(
    call: Call,
    PathId(id): PathId<RunId>,
    Extension(place): Extension<Place>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, Problem> {
    let lines = match params.take("format").as_deref() {
        None => accepts_lines(&headers),
        Some("ndjson") => true,
        Some("json") => false,
        Some(_) => return Err(Problem::validation("`format`: expected `json` or `ndjson`")),
    };
    let Page { limit, after } = params.only_page()?;
    let view = call.ask(GetRun { owner: call.owner(), id }).await?;
    if lines {
        return Ok(ndjson::stream(call, place, view.run, after));
    }
    let page = call.ask(GetRows { owner: call.owner(), id, after, limit }).await?;
    let items = page.rows.into_iter().map(|row| Row::new(&view.run, row)).collect();
    let next_cursor = page.next.map(|key| key.encode());
    Ok(answer::ok(Results { status: status(&view.progress), items, next_cursor }))
}

/// Whether the `Accept` header names the media type of lines.
fn accepts_lines(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = values.flat_map(|value| value.split(',')).filter_map(|range| range.split(';').next());
    types.any(|media| media.trim().eq_ignore_ascii_case(ndjson::MEDIA_TYPE))
}
