//! Versions of résumés and jobs: two names for one implementation.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tandem_domain::document::{DocumentKind, Version};
use tandem_domain::ids::DocumentId;
use tandem_messages::documents::{GetDocument, RefineJob, SubmitDocument, SubmitVersion};

use super::documents::{read, wants_text};
use crate::answer;
use crate::caller::{Call, IDEMPOTENCY_KEY, Operation};
use crate::dto::document::{FileForm, Submitted, TextDocument};
use crate::dto::envelope::{Envelope, Listing};
use crate::dto::version::{DocumentVersion, Refinement, VersionView};
use crate::json::JsonBody;
use crate::openapi::{Reads, Starts};
use crate::problem::Problem;
use crate::query::{Params, PathId};
use crate::router::Shared;

/// The `{id}` and the `{version}` of a path.
pub(crate) struct PathVersion(DocumentId, Version);

impl FromRequestParts<Arc<Shared>> for PathVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let Path((id, version)) = Path::<(String, String)>::from_request_parts(parts, shared)
            .await
            .map_err(|_| Problem::validation("the path is not well-formed"))?;
        let id = id.parse().map_err(|error| Problem::validation(format!("`id`: {error}")))?;
        let number = version.parse().ok().filter(|number| *number > 0);
        let number = number.ok_or_else(|| Problem::validation("`version`: expected a number from 1"))?;
        Ok(Self(id, Version(number)))
    }
}

/// Submit a new version of a résumé
///
/// As a file or as text, as `POST /api/v1/resumes` takes them. The version before is what is searched and matched until
/// this one can be; then this one takes its place. Content that is there already makes no version.
#[utoipa::path(
    post, path = "/api/v1/resumes/{id}/versions", tag = "resumes",
    params(
        ("id" = String, Path, format = "uuid", description = "The résumé"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once"),
    ),
    request_body(content((FileForm = "multipart/form-data"), (TextDocument = "application/json"))),
    responses(
        (status = 202, body = Envelope<Submitted>, description = "Accepted",
            headers(("Location" = String, description = "Where the version can be seen"))),
        (status = 200, body = Envelope<Submitted>, description = "The same content was there already",
            headers(("Location" = String, description = "Where it can be seen"))),
        Starts,
    ),
)]
pub(crate) async fn submit_resume_version(
    call: Call,
    id: PathId<DocumentId>,
    operation: Operation,
    request: Request,
) -> Result<Response, Problem> {
    submit(DocumentKind::Resume, call, id, operation, request).await
}

/// Submit a new version of a job
///
/// As `POST /api/v1/jobs` takes them. The version before is what is searched and matched until this one can be; then this
/// one takes its place. Content that is there already makes no version.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/versions", tag = "jobs",
    params(
        ("id" = String, Path, format = "uuid", description = "The job"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once"),
    ),
    request_body(content((TextDocument = "application/json"), (FileForm = "multipart/form-data"))),
    responses(
        (status = 202, body = Envelope<Submitted>, description = "Accepted",
            headers(("Location" = String, description = "Where the version can be seen"))),
        (status = 200, body = Envelope<Submitted>, description = "The same content was there already",
            headers(("Location" = String, description = "Where it can be seen"))),
        Starts,
    ),
)]
pub(crate) async fn submit_job_version(
    call: Call,
    id: PathId<DocumentId>,
    operation: Operation,
    request: Request,
) -> Result<Response, Problem> {
    submit(DocumentKind::Job, call, id, operation, request).await
}

/// List the versions of a résumé, newest first
#[utoipa::path(
    get, path = "/api/v1/resumes/{id}/versions", tag = "resumes",
    params(("id" = String, Path, format = "uuid", description = "The résumé")),
    responses((status = 200, body = Envelope<Listing<DocumentVersion>>, description = "All of them"), Reads),
)]
pub(crate) async fn list_resume_versions(
    call: Call,
    id: PathId<DocumentId>,
    params: Params,
) -> Result<Response, Problem> {
    list(DocumentKind::Resume, call, id, params).await
}

/// List the versions of a job, newest first
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/versions", tag = "jobs",
    params(("id" = String, Path, format = "uuid", description = "The job")),
    responses((status = 200, body = Envelope<Listing<DocumentVersion>>, description = "All of them"), Reads),
)]
pub(crate) async fn list_job_versions(
    call: Call,
    id: PathId<DocumentId>,
    params: Params,
) -> Result<Response, Problem> {
    list(DocumentKind::Job, call, id, params).await
}

/// Show a version of a résumé with what was read in it
#[utoipa::path(
    get, path = "/api/v1/resumes/{id}/versions/{version}", tag = "resumes",
    params(
        ("id" = String, Path, format = "uuid", description = "The résumé"),
        ("version" = u32, Path, minimum = 1, description = "The version's number"),
        ("include" = Option<String>, Query, description = "`text` adds the visible text"),
    ),
    responses((status = 200, body = Envelope<VersionView>, description = "The version"), Reads),
)]
pub(crate) async fn get_resume_version(
    call: Call,
    at: PathVersion,
    params: Params,
) -> Result<Response, Problem> {
    get(DocumentKind::Resume, call, at, params).await
}

/// Show a version of a job with what was read in it
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/versions/{version}", tag = "jobs",
    params(
        ("id" = String, Path, format = "uuid", description = "The job"),
        ("version" = u32, Path, minimum = 1, description = "The version's number"),
        ("include" = Option<String>, Query, description = "`text` adds the visible text"),
    ),
    responses((status = 200, body = Envelope<VersionView>, description = "The version"), Reads),
)]
pub(crate) async fn get_job_version(
    call: Call,
    at: PathVersion,
    params: Params,
) -> Result<Response, Problem> {
    get(DocumentKind::Job, call, at, params).await
}

/// Read a job again with other words
///
/// New instructions and languages make a version of the same content, which is queued as a new job is. The job's latest
/// result stays until there is another one.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/refine", tag = "jobs",
    params(
        ("id" = String, Path, format = "uuid", description = "The job"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once"),
    ),
    request_body = Refinement,
    responses(
        (status = 202, body = Envelope<Submitted>, description = "Queued again",
            headers(("Location" = String, description = "Where the job can be seen"))),
        Starts,
    ),
)]
pub(crate) async fn refine_job(
    call: Call,
    PathId(id): PathId<DocumentId>,
    Operation(operation): Operation,
    headers: HeaderMap,
    JsonBody(refinement): JsonBody<Refinement>,
) -> Result<Response, Problem> {
    let (named, notes) = (headers.contains_key(IDEMPOTENCY_KEY), refinement.into_notes()?);
    let submitted = call.ask(RefineJob { owner: call.owner(), operation, named, id, notes }).await?;
    Ok(answer::at(StatusCode::ACCEPTED, &format!("/api/v1/jobs/{id}"), Submitted::from(submitted)))
}

async fn submit(
    kind: DocumentKind,
    call: Call,
    PathId(id): PathId<DocumentId>,
    Operation(operation): Operation,
    request: Request,
) -> Result<Response, Problem> {
    let submission = read(kind, &call, operation, request).await?;
    keep(&call, id, submission).await
}

/// Has a version kept, and says where it can be seen.
pub(super) async fn keep(
    call: &Call,
    id: DocumentId,
    submission: SubmitDocument,
) -> Result<Response, Problem> {
    let folder = submission.kind.folder();
    let submitted = Submitted::from(call.ask(SubmitVersion { id, submission }).await?);
    let status = if submitted.duplicate { StatusCode::OK } else { StatusCode::ACCEPTED };
    let (id, version) = (&submitted.document.id, submitted.submitted_version);
    let location = format!("/api/v1/{folder}/{id}/versions/{version}");
    Ok(answer::at(status, &location, submitted))
}

async fn list(
    kind: DocumentKind,
    call: Call,
    PathId(id): PathId<DocumentId>,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    let document = call.ask(GetDocument { owner: call.owner(), kind, id, version: None }).await?.document;
    let versions = document.versions().map(|version| DocumentVersion::new(version, document.version));
    let mut items: Vec<DocumentVersion> = versions.collect();
    items.reverse();
    Ok(answer::ok(Listing { items, next_cursor: None }))
}

async fn get(
    kind: DocumentKind,
    call: Call,
    PathVersion(id, version): PathVersion,
    params: Params,
) -> Result<Response, Problem> {
    let with_text = wants_text(params)?;
    let document = |version| GetDocument { owner: call.owner(), kind, id, version };
    let searched = call.ask(document(None)).await?.document.version;
    let detail = call.ask(document(Some(version))).await?;
    Ok(answer::ok(VersionView::new(detail, searched, with_text)))
}
