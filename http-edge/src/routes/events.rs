//! How something comes along, as server-sent events (HTML, section 9.2).
//!
//! Each event is the resource as it stands then, and its id says how far that is: a reader that comes back with
//! `Last-Event-ID` is told nothing twice. What is settled has no further events.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt};
use serde::Serialize;
use tandem_domain::document::{DocumentKind, DocumentState};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, RunId};
use tandem_messages::documents::{GetDocument, GetDocumentStates};
use tandem_messages::runs::GetRun;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::caller::Call;
use crate::dto::document::Document;
use crate::dto::event::{EventKind, ResourceEvent};
use crate::openapi::Reads;
use crate::problem::Problem;
use crate::query::{Params, PathId};
use crate::routes::runs::with_failures;

/// The header by which a reader says what it was told last.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// A line without meaning is sent when there was none for this long.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long is waited between two looks: at first, and at most while nothing changes.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// How long a stream goes on. Readers then come back by themselves.
const MAX_DURATION: Duration = Duration::from_secs(15 * 60);

/// What is watched.
#[derive(Clone, Copy)]
enum Subject {
    Run(RunId),
    Document(DocumentKind, DocumentId),
}

/// What a look has shown.
struct Sight {
    id: String,
    settled: bool,
    event: Event,
}

/// A reader's stream.
struct Watch {
    call: Call,
    subject: Subject,
    end: Instant,
    wait: Duration,
    /// The id of the event that the reader was told last.
    told: String,
    /// The state that document was seen in last: as long as it stays, nothing else of it is read.
    state: Option<DocumentState>,
    next: Next,
    _permit: OwnedSemaphorePermit,
}

enum Next {
    Tell(Sight),
    Look,
    Nothing,
}

/// Follow a run
///
/// Server-sent events: `progress` while the run goes on, `settled` once it has ended; each holds the run as
/// `GET /api/v1/match-runs/{id}` does. 204 where the last event is known already.
#[utoipa::path(
    get, path = "/api/v1/match-runs/{id}/events", tag = "match-runs",
    params(
        ("id" = String, Path, format = "uuid", description = "The run"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the event that was seen last"),
    ),
    responses(
        (status = 200, body = ResourceEvent, content_type = "text/event-stream", description = "Its events",
            example = json!("event: progress\nid: 3.0.0\ndata: {\"id\": \"0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b10\"}\n\n")),
        (status = 204, description = "The last event was seen already"),
        Reads,
    ),
)]
pub(crate) async fn run_events(
    call: Call,
    PathId(id): PathId<RunId>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    watch(call, Subject::Run(id), &headers, params).await
}

/// Follow a résumé
///
/// Server-sent events: `progress` while it is worked on, `settled` once it is complete or has failed; each holds the
/// résumé as lists show it. 204 where the last event is known already.
#[utoipa::path(
    get, path = "/api/v1/resumes/{id}/events", tag = "resumes",
    params(
        ("id" = String, Path, format = "uuid", description = "The résumé"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the event that was seen last"),
    ),
    responses(
        (status = 200, body = ResourceEvent, content_type = "text/event-stream", description = "Its events",
            example = json!("event: settled\nid: 1.indexed\ndata: {\"id\": \"0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b10\"}\n\n")),
        (status = 204, description = "The last event was seen already"),
        Reads,
    ),
)]
pub(crate) async fn resume_events(
    call: Call,
    PathId(id): PathId<DocumentId>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    watch(call, Subject::Document(DocumentKind::Resume, id), &headers, params).await
}

/// Follow a job
///
/// Server-sent events: `progress` while it is worked on, `settled` once it is complete or has failed; each holds the job
/// as lists show it. 204 where the last event is known already.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/events", tag = "jobs",
    params(
        ("id" = String, Path, format = "uuid", description = "The job"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the event that was seen last"),
    ),
    responses(
        (status = 200, body = ResourceEvent, content_type = "text/event-stream", description = "Its events",
            example = json!("event: settled\nid: 1.indexed\ndata: {\"id\": \"0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b10\"}\n\n")),
        (status = 204, description = "The last event was seen already"),
        Reads,
    ),
)]
pub(crate) async fn job_events(
    call: Call,
    PathId(id): PathId<DocumentId>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    watch(call, Subject::Document(DocumentKind::Job, id), &headers, params).await
}

async fn watch(
    call: Call,
    subject: Subject,
    headers: &HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    let permit = call.shared.streams.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Problem::plain(ErrorCode::Overloaded))?;
    let told = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let stopping = call.shared.stopping.clone();
    let (end, wait) = (Instant::now() + MAX_DURATION, FIRST_WAIT);
    let mut watch = Watch { call, subject, end, wait, told, state: None, next: Next::Look, _permit: permit };
    let sight = watch.look().await?;
    match sight {
        Some(Sight { ref id, settled: true, .. }) if *id == watch.told => {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        Some(sight) if sight.id != watch.told => watch.next = Next::Tell(sight),
        Some(_) | None => {}
    }
    let events = stream::unfold(watch, step).take_until(stopping.cancelled_owned());
    Ok(respond(events))
}

fn respond(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let heartbeat = KeepAlive::new().interval(HEARTBEAT);
    let mut response = Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(heartbeat).into_response();
    // A proxy that gathers what it passes on would hold events back.
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

async fn step(mut watch: Watch) -> Option<(Event, Watch)> {
    loop {
        match std::mem::replace(&mut watch.next, Next::Look) {
            Next::Nothing => return None,
            Next::Tell(sight) => {
                watch.wait = FIRST_WAIT;
                watch.told = sight.id;
                if sight.settled {
                    watch.next = Next::Nothing;
                }
                return Some((sight.event, watch));
            }
            Next::Look => {
                if Instant::now() + watch.wait >= watch.end {
                    return None;
                }
                tokio::time::sleep(watch.wait).await;
                watch.wait = (watch.wait * 3 / 2).min(LONGEST_WAIT);
                watch.call.renew();
                match watch.look().await {
                    Ok(Some(sight)) if sight.id != watch.told => watch.next = Next::Tell(sight),
                    Ok(_) => {}
                    // What passes by itself is asked for again; the reader sees a later event.
                    Err(problem) if problem.retryable() => {}
                    Err(_) => return None,
                }
            }
        }
    }
}

impl Watch {
    /// How the subject stands; `None` where that is certainly as it was before.
    async fn look(&mut self) -> Result<Option<Sight>, Problem> {
        match self.subject {
            Subject::Run(id) => {
                let view = self.call.ask(GetRun { owner: self.call.owner(), id }).await?;
                let progress = view.progress;
                let settled = progress.state().is_settled();
                let key = format!("{}.{}.{}", progress.done, progress.failed, progress.canceled);
                let run = with_failures(&self.call, view).await?;
                sight(key, settled, &run).map(Some)
            }
            Subject::Document(kind, id) => {
                if self.state.is_some() && self.state == self.state_of(id).await? {
                    return Ok(None);
                }
                let question = GetDocument { owner: self.call.owner(), kind, id, version: None };
                let document = self.call.ask(question).await?.document;
                let latest = document.latest();
                let state = document.at(latest).map_or_else(|| document.state.clone(), |latest| latest.state);
                let key = format!("{}.{}", latest.0, state.name());
                let settled = state.is_settled();
                self.state = Some(state);
                sight(key, settled, &Document::from(document)).map(Some)
            }
        }
    }

    async fn state_of(&self, id: DocumentId) -> Result<Option<DocumentState>, Problem> {
        let states = self.call.ask(GetDocumentStates { owner: self.call.owner(), ids: vec![id] }).await?;
        Ok(states.states.into_iter().next().map(|(_, state)| state))
    }
}

fn sight(id: String, settled: bool, resource: &impl Serialize) -> Result<Sight, Problem> {
    let kind = if settled { EventKind::Settled } else { EventKind::Progress };
    let event = Event::default().event(kind.name()).id(&id);
    let event = event.json_data(resource).map_err(|_| Problem::plain(ErrorCode::Internal))?;
    Ok(Sight { id, settled, event })
}
