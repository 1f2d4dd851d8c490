//! Removing résumés and jobs: two names for one implementation.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tandem_domain::document::DocumentKind;
use tandem_domain::ids::DocumentId;
use tandem_messages::documents::RemoveDocument;

use crate::answer;
use crate::caller::Call;
use crate::dto::envelope::Envelope;
use crate::dto::removal::Removed;
use crate::openapi::Reads;
use crate::problem::Problem;
use crate::query::{Params, PathId};

/// Remove a résumé
///
/// With its original, its text, its vectors and its place in the index, on every node. Scores that were computed of it
/// stay with their matches and runs: they hold ids and numbers, and no text.
#[utoipa::path(
    delete, path = "/api/v1/resumes/{id}", tag = "resumes",
    params(("id" = String, Path, format = "uuid", description = "The résumé")),
    responses(
        (status = 200, body = Envelope<Removed>, description = "It is gone"),
        (status = 202, body = Envelope<Removed>, description = "It can be found no more; the rest follows"),
        Reads,
    ),
)]
pub(crate) async fn remove_resume(
    call: Call,
    id: PathId<DocumentId>,
    params: Params,
) -> Result<Response, Problem> {
    remove(DocumentKind::Resume, call, id, params).await
}

/// Remove a job
///
/// With its original, its text, its vectors and its place in the index, on every node. Scores that were computed of it
/// stay with their matches and runs: they hold ids and numbers, and no text.
#[utoipa::path(
    delete, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, format = "uuid", description = "The job")),
    responses(
        (status = 200, body = Envelope<Removed>, description = "It is gone"),
        (status = 202, body = Envelope<Removed>, description = "It can be found no more; the rest follows"),
        Reads,
    ),
)]
pub(crate) async fn remove_job(
    call: Call,
    id: PathId<DocumentId>,
    params: Params,
) -> Result<Response, Problem> {
    remove(DocumentKind::Job, call, id, params).await
}

async fn remove(
    kind: DocumentKind,
    call: Call,
    PathId(id): PathId<DocumentId>,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    let removed = Removed::from(call.ask(RemoveDocument { owner: call.owner(), kind, id }).await?);
    let status = if removed.complete { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, answer::ok(removed)).into_response())
}
