//! Résumés and jobs: two names for one implementation.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use tandem_domain::document::DocumentKind;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, OperationId, OwnerId};
use tandem_domain::task::Urgency;
use tandem_messages::documents::{
    GetDocument, GetRedacted, ListDocuments, SubmitDocument, SubmittedDocument,
};
use tandem_messages::matches::ListMatches;

use crate::answer;
use crate::caller::{Call, IDEMPOTENCY_KEY, Operation};
use crate::dto::document::{
    Document, DocumentView, FileForm, JobPosting, JobView, RedactedResume, Submitted, TextDocument,
};
use crate::dto::envelope::{Envelope, Listing};
use crate::dto::matches::Match;
use crate::json::is_json;
use crate::openapi::{Creates, Lists, Reads};
use crate::problem::Problem;
use crate::query::{Cursor, Page, Params, PathId};
use crate::upload::{self, Upload};

/// Matches that are looked through for a job's latest result, newest first. Each may be a read of its own.
const LATEST: u32 = 50;

/// Submit a résumé
///
/// As a file or as text. Answered as soon as it is durable; parsing goes on behind the answer.
#[utoipa::path(
    post, path = "/api/v1/resumes", tag = "resumes",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once")),
    request_body(content((FileForm = "multipart/form-data"), (TextDocument = "application/json"))),
    responses(
        (status = 202, body = Envelope<Submitted>, description = "Accepted",
            headers(("Location" = String, description = "Where it can be seen"))),
        (status = 200, body = Envelope<Submitted>, description = "The same content was there already",
            headers(("Location" = String, description = "Where it can be seen"))),
        Creates,
    ),
)]
pub(crate) async fn submit_resume(
    call: Call,
    operation: Operation,
    request: Request,
) -> Result<Response, Problem> {
    submit(DocumentKind::Resume, call, operation, request).await
}

/// Submit a job
///
/// As a file, as text, or as a `JobPosting` of schema.org. Answered as soon as it is durable; parsing goes on behind the
/// answer. Where no title is given, the posting's is taken, or the first heading or line of the text.
#[utoipa::path(
    post, path = "/api/v1/jobs", tag = "jobs",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once")),
    request_body(content(
        (TextDocument = "application/json"), (JobPosting = "application/ld+json"), (FileForm = "multipart/form-data"),
    )),
    responses(
        (status = 202, body = Envelope<Submitted>, description = "Accepted",
            headers(("Location" = String, description = "Where it can be seen"))),
        (status = 200, body = Envelope<Submitted>, description = "The same content was there already",
            headers(("Location" = String, description = "Where it can be seen"))),
        Creates,
    ),
)]
pub(crate) async fn submit_job(
    call: Call,
    operation: Operation,
    request: Request,
) -> Result<Response, Problem> {
    submit(DocumentKind::Job, call, operation, request).await
}

/// Submit a résumé as text
///
/// The same as `POST /api/v1/resumes` with JSON.
#[utoipa::path(
    post, path = "/api/v1/resumes/from-text", tag = "resumes",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once")),
    request_body = TextDocument,
    responses(
        (status = 202, body = Envelope<Submitted>, description = "Accepted",
            headers(("Location" = String, description = "Where it can be seen"))),
        (status = 200, body = Envelope<Submitted>, description = "The same content was there already",
            headers(("Location" = String, description = "Where it can be seen"))),
        Creates,
    ),
)]
pub(crate) async fn resume_from_text(
    call: Call,
    operation: Operation,
    request: Request,
) -> Result<Response, Problem> {
    if !is_json(request.headers()) {
        return Err(Problem::new(ErrorCode::UnsupportedType, "send a text as application/json"));
    }
    submit(DocumentKind::Resume, call, operation, request).await
}

/// List résumés, newest first
#[utoipa::path(
    get, path = "/api/v1/resumes", tag = "resumes",
    params(
        ("limit" = Option<u32>, Query, description = "1..=1000, 50 where it is left out"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = Envelope<Listing<Document>>, description = "A page"), Lists),
)]
pub(crate) async fn list_resumes(call: Call, params: Params) -> Result<Response, Problem> {
    list(DocumentKind::Resume, call, params).await
}

/// List jobs, newest first
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs",
    params(
        ("limit" = Option<u32>, Query, description = "1..=1000, 50 where it is left out"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = Envelope<Listing<Document>>, description = "A page"), Lists),
)]
pub(crate) async fn list_jobs(call: Call, params: Params) -> Result<Response, Problem> {
    list(DocumentKind::Job, call, params).await
}

/// Show a résumé with what was read in it
#[utoipa::path(
    get, path = "/api/v1/resumes/{id}", tag = "resumes",
    params(
        ("id" = String, Path, format = "uuid", description = "The résumé"),
        ("include" = Option<String>, Query, description = "`text` adds the visible text"),
    ),
    responses((status = 200, body = Envelope<DocumentView>, description = "The résumé"), Reads),
)]
pub(crate) async fn get_resume(
    call: Call,
    PathId(id): PathId<DocumentId>,
    params: Params,
) -> Result<Response, Problem> {
    Ok(answer::ok(view(DocumentKind::Resume, &call, id, params).await?))
}

/// Show a job with what was read in it
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(
        ("id" = String, Path, format = "uuid", description = "The job"),
        ("include" = Option<String>, Query, description = "`text` adds the visible text"),
    ),
    responses((status = 200, body = Envelope<JobView>, description = "The job"), Reads),
)]
pub(crate) async fn get_job(call: Call, id: PathId<DocumentId>, params: Params) -> Result<Response, Problem> {
    let PathId(job) = id;
    let view = view(DocumentKind::Job, &call, job, params).await?;
    let newest = call.ask(ListMatches { owner: call.owner(), after: None, limit: LATEST }).await?;
    let latest = newest.matches.into_iter().find(|pair| pair.job == job && pair.outcome.is_some());
    Ok(answer::ok(JobView { view, result: latest.map(Match::from) }))
}

/// Show a résumé without whose it is
///
/// Name, e-mail and web addresses, telephone numbers, address, protected facts and dates of study are left out, and cut
/// out of the texts. It is what a reviewer sees who is to judge the work alone.
#[utoipa::path(
    get, path = "/api/v1/resumes/{id}/redacted", tag = "resumes",
    params(
        ("id" = String, Path, format = "uuid", description = "The résumé"),
        ("include" = Option<String>, Query, description = "`text` adds the text that is ranked"),
    ),
    responses((status = 200, body = Envelope<RedactedResume>, description = "The résumé, redacted"), Reads),
)]
pub(crate) async fn get_redacted_resume(
    call: Call,
    PathId(id): PathId<DocumentId>,
    params: Params,
) -> Result<Response, Problem> {
    let with_text = wants_text(params)?;
    let redacted = call.ask(GetRedacted { owner: call.owner(), id }).await?;
    Ok(answer::ok(RedactedResume::new(redacted, with_text)))
}

pub(super) async fn submit(
    kind: DocumentKind,
    call: Call,
    Operation(operation): Operation,
    request: Request,
) -> Result<Response, Problem> {
    let submission = read(kind, &call, operation, request).await?;
    Ok(accepted(kind, call.ask(submission).await?))
}

/// The answer to whoever has handed a document in.
pub(super) fn accepted(kind: DocumentKind, submitted: SubmittedDocument) -> Response {
    let submitted = Submitted::from(submitted);
    let status = if submitted.duplicate { StatusCode::OK } else { StatusCode::ACCEPTED };
    let location = format!("/api/v1/{}/{}", kind.folder(), submitted.document.id);
    answer::at(status, &location, submitted)
}

/// Reads a document that is handed in.
pub(super) async fn read(
    kind: DocumentKind,
    call: &Call,
    operation: OperationId,
    request: Request,
) -> Result<SubmitDocument, Problem> {
    let named = request.headers().contains_key(IDEMPOTENCY_KEY);
    let upload = upload::read(&call.shared, kind, request).await?;
    Ok(submission(kind, call.owner(), operation, named, upload))
}

/// What is handed in, as the actors take it.
pub(super) fn submission(
    kind: DocumentKind,
    owner: OwnerId,
    operation: OperationId,
    named: bool,
    upload: Upload,
) -> SubmitDocument {
    let Upload { file_name, title, content, notes } = upload;
    SubmitDocument {
        owner,
        operation,
        named,
        kind,
        file_name,
        title,
        content,
        notes,
        urgency: Urgency::Interactive,
    }
}

async fn list(kind: DocumentKind, call: Call, params: Params) -> Result<Response, Problem> {
    let Page { limit, after } = params.only_page()?;
    let page = call.ask(ListDocuments { owner: call.owner(), kind, after, limit }).await?;
    let items = page.documents.into_iter().map(Document::from).collect();
    Ok(answer::ok(Listing { items, next_cursor: page.next.map(|id| id.encode()) }))
}

async fn view(
    kind: DocumentKind,
    call: &Call,
    id: DocumentId,
    params: Params,
) -> Result<DocumentView, Problem> {
    let with_text = wants_text(params)?;
    let detail = call.ask(GetDocument { owner: call.owner(), kind, id, version: None }).await?;
    Ok(DocumentView::new(detail, with_text))
}

/// Whether the text is asked for.
pub(super) fn wants_text(mut params: Params) -> Result<bool, Problem> {
    let with_text = match params.take("include").as_deref() {
        None => false,
        Some("text") => true,
        Some(_) => return Err(Problem::validation("`include`: expected `text`")),
    };
    params.finish()?;
    Ok(with_text)
}
