//! Résumés and jobs: two names for one implementation.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use tandem_domain::document::DocumentKind;
use tandem_domain::ids::DocumentId;
use tandem_messages::documents::{GetDocument, ListDocuments, SubmitDocument};

use crate::answer;
use crate::caller::{Call, Operation};
use crate::dto::document::{Document, DocumentView, FileForm, Submitted, TextDocument};
use crate::dto::envelope::{Envelope, Listing};
use crate::openapi::{Creates, Lists, Reads};
use crate::problem::Problem;
use crate::query::{Cursor, Page, Params, PathId};
use crate::upload;

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
/// As a file or as text. Answered as soon as it is durable; parsing goes on behind the answer.
#[utoipa::path(
    post, path = "/api/v1/jobs", tag = "jobs",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once")),
    request_body(content((TextDocument = "application/json"), (FileForm = "multipart/form-data"))),
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
    id: PathId<DocumentId>,
    params: Params,
) -> Result<Response, Problem> {
    get(DocumentKind::Resume, call, id, params).await
}

/// Show a job with what was read in it
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(
        ("id" = String, Path, format = "uuid", description = "The job"),
        ("include" = Option<String>, Query, description = "`text` adds the visible text"),
    ),
    responses((status = 200, body = Envelope<DocumentView>, description = "The job"), Reads),
)]
pub(crate) async fn get_job(call: Call, id: PathId<DocumentId>, params: Params) -> Result<Response, Problem> {
    get(DocumentKind::Job, call, id, params).await
}

async fn submit(
    kind: DocumentKind,
    call: Call,
    Operation(operation): Operation,
    request: Request,
) -> Result<Response, Problem> {
    let upload = upload::read(&call.shared, kind, request).await?;
    let submission = SubmitDocument {
        owner: call.owner(),
        operation,
        kind,
        file_name: upload.file_name,
        title: upload.title,
        content: upload.content,
    };
    let submitted = Submitted::from(call.ask(submission).await?);
    let status = if submitted.duplicate { StatusCode::OK } else { StatusCode::ACCEPTED };
    let location = format!("/api/v1/{}/{}", kind.folder(), submitted.document.id);
    Ok(answer::at(status, &location, submitted))
}

async fn list(kind: DocumentKind, call: Call, params: Params) -> Result<Response, Problem> {
    let Page { limit, after } = params.only_page()?;
    let page = call.ask(ListDocuments { owner: call.owner(), kind, after, limit }).await?;
    let items = page.documents.into_iter().map(Document::from).collect();
    Ok(answer::ok(Listing { items, next_cursor: page.next.map(|id| id.encode()) }))
}

async fn get(
    kind: DocumentKind,
    call: Call,
    PathId(id): PathId<DocumentId>,
    mut params: Params,
) -> Result<Response, Problem> {
    let with_text = match params.take("include").as_deref() {
        None => false,
        Some("text") => true,
        Some(_) => return Err(Problem::validation("`include`: expected `text`")),
    };
    params.finish()?;
    let detail = call.ask(GetDocument { owner: call.owner(), kind, id }).await?;
    Ok(answer::ok(DocumentView::new(detail, with_text)))
}
