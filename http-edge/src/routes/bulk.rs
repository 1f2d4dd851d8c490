//! Many documents in one request: a line of JSON for each, and a line in answer to each, in order.
//!
//! A line is read when there is room for it: whoever does not read the answers is not read from either.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use serde::Serialize;
use tandem_domain::document::DocumentKind;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{OperationId, derived};
use tandem_domain::task::Urgency;
use tandem_messages::documents::SubmitDocument;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::caller::{Call, Operation};
use crate::dto::bulk::{BulkDocument, BulkResult, Kept};
use crate::json::{self, media_type};
use crate::limits::{self, ENVELOPE_BYTES, Place};
use crate::lines::{Line, Lines, LinesError};
use crate::openapi::Creates;
use crate::problem::Problem;
use crate::query::Params;
use crate::routes::runs::ndjson::MEDIA_TYPE;
use crate::{decode, upload};

/// Documents of one request that are taken in at the same time. As many lines are in memory, and one more.
const AT_ONCE: usize = 8;
/// Requests of this kind that are answered at the same time.
pub(crate) const MAX_UPLOADS: usize = 4;
/// How long a request may go on. Each line has the deadline of a request besides, to arrive and to be taken in.
const MAX_DURATION: Duration = Duration::from_secs(30 * 60);

/// Submit many résumés
///
/// A line of JSON for each document, `{"text": …}` or `{"content": "<base64>", "filename": …}`, plain or compressed with
/// gzip or zstd. Each line is answered by a line, in order and while others are still being sent: read the answer while
/// you write. A line that cannot be taken is answered with its problem, and the rest goes on; so with one
/// `Idempotency-Key` the same lines can be sent again.
#[utoipa::path(
    post, path = "/api/v1/resumes/bulk", tag = "resumes",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the intent; with its number, that of each line")),
    request_body(content = BulkDocument, content_type = "application/x-ndjson"),
    responses(
        (status = 200, body = BulkResult, content_type = "application/x-ndjson", description = "A line for each line"),
        Creates,
    ),
)]
pub(crate) async fn submit_resumes(
    call: Call,
    operation: Operation,
    place: Extension<Place>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    submit(DocumentKind::Resume, call, operation, place, params, request)
}

/// Submit many jobs
///
/// A line of JSON for each document, `{"text": …}` or `{"content": "<base64>", "filename": …}`, plain or compressed with
/// gzip or zstd. Each line is answered by a line, in order and while others are still being sent: read the answer while
/// you write. A line that cannot be taken is answered with its problem, and the rest goes on; so with one
/// `Idempotency-Key` the same lines can be sent again.
#[utoipa::path(
    post, path = "/api/v1/jobs/bulk", tag = "jobs",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the intent; with its number, that of each line")),
    request_body(content = BulkDocument, content_type = "application/x-ndjson"),
    responses(
        (status = 200, body = BulkResult, content_type = "application/x-ndjson", description = "A line for each line"),
        Creates,
    ),
)]
pub(crate) async fn submit_jobs(
    call: Call,
    operation: Operation,
    place: Extension<Place>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    submit(DocumentKind::Job, call, operation, place, params, request)
}

/// A request of many lines.
struct Upload {
    call: Call,
    lines: Lines,
    number: u64,
    end: Instant,
    over: bool,
    _places: (Place, OwnedSemaphorePermit),
}

fn submit(
    kind: DocumentKind,
    call: Call,
    Operation(operation): Operation,
    Extension(place): Extension<Place>,
    params: Params,
    mut request: Request,
) -> Result<Response, Problem> {
    params.finish()?;
    if media_type(request.headers()) != MEDIA_TYPE {
        let detail = "send lines of JSON with `Content-Type: application/x-ndjson`";
        return Err(Problem::new(ErrorCode::UnsupportedType, detail));
    }
    let shared = &call.shared;
    let permit = shared.uploads.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Problem::plain(ErrorCode::Overloaded))?;
    limits::refuse_declared(&request, shared.edge.config.max_bulk_bytes)?;
    decode::decode(&mut request)?;
    // A file in base64 takes four bytes for each three.
    let limit = shared.edge.max_document_bytes / 3 * 4 + ENVELOPE_BYTES;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let reader = decode::reader(request.into_body());
    let lines = Lines::new(reader, limit, shared.edge.config.max_bulk_bytes);
    let end = Instant::now() + MAX_DURATION;
    let asked = call.clone();
    let upload = Upload { call, lines, number: 0, end, over: false, _places: (place, permit) };
    let answers = stream::unfold(upload, async |mut upload| Some((upload.line().await?, upload)))
        .map(move |(number, line)| taken(asked.clone(), kind, operation, number, line))
        .buffered(AT_ONCE)
        .map(Ok::<_, Infallible>);
    let mut response = Response::new(Body::from_stream(answers));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    Ok(response)
}

impl Upload {
    /// The next line with its number, from 1; or why there is none, and then nothing more. Blank lines are passed over.
    async fn line(&mut self) -> Option<(u64, Result<Vec<u8>, Problem>)> {
        while !self.over {
            self.number += 1;
            let line = match self.read().await {
                Ok(Some(Line::Whole(line))) if line.trim_ascii().is_empty() => continue,
                Ok(Some(Line::Whole(line))) => Ok(line),
                Ok(Some(Line::TooLong)) => Err(Problem::too_large(self.call.shared.edge.max_document_bytes)),
                Ok(None) => return None,
                Err(problem) => {
                    self.over = true;
                    Err(problem)
                }
            };
            return Some((self.number, line));
        }
        None
    }

    async fn read(&mut self) -> Result<Option<Line>, Problem> {
        let shared = &self.call.shared;
        let limit = self.end.min(Instant::now() + shared.edge.config.request_timeout());
        tokio::select! {
            () = shared.stopping.cancelled() => Err(Problem::plain(ErrorCode::Unavailable)),
            read = tokio::time::timeout_at(limit, self.lines.next()) => match read {
                Ok(Ok(line)) => Ok(line),
                Ok(Err(error @ LinesError::Broken(_))) => Err(Problem::validation(error.to_string())),
                Ok(Err(LinesError::TooLarge)) => Err(Problem::too_large(shared.edge.config.max_bulk_bytes)),
                Err(_) => Err(Problem::plain(ErrorCode::Timeout)),
            },
        }
    }
}

/// Takes one document in, and says so in a line.
async fn taken(
    mut call: Call,
    kind: DocumentKind,
    operation: OperationId,
    number: u64,
    line: Result<Vec<u8>, Problem>,
) -> Bytes {
    call.renew();
    let kept = match line {
        Ok(line) => keep(&call, kind, operation, number, &line).await,
        Err(problem) => Err(problem),
    };
    let (data, error) = match kept {
        Ok(kept) => (Some(kept), None),
        Err(problem) => {
            let instance = format!("/api/v1/{}/bulk", kind.folder());
            (None, Some(problem.into_body(call.request_id(), &instance)))
        }
    };
    line_of(&BulkResult { line: number, data, error })
}

async fn keep(
    call: &Call,
    kind: DocumentKind,
    operation: OperationId,
    number: u64,
    line: &[u8],
) -> Result<Kept, Problem> {
    let document: BulkDocument = json::parse(line)?;
    let upload = document.into_upload(kind)?;
    upload::bounded(&upload, call.shared.edge.max_document_bytes)?;
    // The same line of the same request, sent again, is the same intent.
    let intent = derived("line", &[operation.as_uuid().as_bytes(), &number.to_be_bytes()]);
    let submission = SubmitDocument {
        owner: call.owner(),
        operation: OperationId::from_uuid(intent),
        // Lines may be put right and sent again: what was taken is recognized by its content.
        named: false,
        kind,
        file_name: upload.file_name,
        title: upload.title,
        content: upload.content,
        notes: upload.notes,
        urgency: Urgency::Bulk,
    };
    Ok(Kept::from(call.ask(submission).await?))
}

fn line_of(result: &impl Serialize) -> Bytes {
    let mut line = serde_json::to_vec(result).unwrap_or_default();
    line.push(b'\n');
    line.into()
}
