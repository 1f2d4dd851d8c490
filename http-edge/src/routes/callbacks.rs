//! What an outside workflow reports: the text of a résumé or a job that it has read or fetched.

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use ring::hmac;
use tandem_domain::document::DocumentKind;
use tandem_domain::error::ErrorCode;

use super::documents::submission;
use super::versions;
use crate::caller::{Call, IDEMPOTENCY_KEY, Operation};
use crate::dto::callback::{JobCallback, Reported, ResumeCallback};
use crate::dto::document::Submitted;
use crate::dto::envelope::Envelope;
use crate::json::{self, is_json};
use crate::limits;
use crate::openapi::Reports;
use crate::problem::Problem;
use crate::upload;

/// The header with the secret of the workflow.
const WORKFLOW_TOKEN: &str = "x-workflow-token";

/// Report a résumé's text
///
/// The text becomes the next version of the résumé and is read, embedded and indexed as any other; the same text again
/// changes nothing. What the workflow has read out of it is taken and not kept: Tandem reads by its own rules. A node
/// without a workflow token has no such route.
#[utoipa::path(
    post, path = "/api/v1/callbacks/n8n/resume", tag = "callbacks",
    params(
        ("X-Workflow-Token" = String, Header, description = "The secret `edge.workflow_token`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once"),
    ),
    request_body = ResumeCallback,
    responses(
        (status = 202, body = Envelope<Submitted>, description = "Accepted",
            headers(("Location" = String, description = "Where the version can be seen"))),
        (status = 200, body = Envelope<Submitted>, description = "The same text was there already",
            headers(("Location" = String, description = "Where it can be seen"))),
        Reports,
    ),
)]
pub(crate) async fn resume_callback(
    call: Call,
    operation: Operation,
    request: Request,
) -> Result<Response, Problem> {
    let named = admitted(&call, request.headers())?;
    let callback: ResumeCallback = body(&call, request).await?;
    report(DocumentKind::Resume, call, operation, named, callback.into_reported(DocumentKind::Resume)?).await
}

/// Report a job's text
///
/// As for a résumé: the description that the workflow has fetched becomes the job's next version. A node without a
/// workflow token has no such route.
#[utoipa::path(
    post, path = "/api/v1/callbacks/n8n/job", tag = "callbacks",
    params(
        ("X-Workflow-Token" = String, Header, description = "The secret `edge.workflow_token`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once"),
    ),
    request_body = JobCallback,
    responses(
        (status = 202, body = Envelope<Submitted>, description = "Accepted",
            headers(("Location" = String, description = "Where the version can be seen"))),
        (status = 200, body = Envelope<Submitted>, description = "The same text was there already",
            headers(("Location" = String, description = "Where it can be seen"))),
        Reports,
    ),
)]
pub(crate) async fn job_callback(
    call: Call,
    operation: Operation,
    request: Request,
) -> Result<Response, Problem> {
    let named = admitted(&call, request.headers())?;
    let callback: JobCallback = body(&call, request).await?;
    report(DocumentKind::Job, call, operation, named, callback.into_reported(DocumentKind::Job)?).await
}

/// Lets the workflow in, before anything else of its request is read; whether it names its intent.
fn admitted(call: &Call, headers: &HeaderMap) -> Result<bool, Problem> {
    let secret = call.shared.edge.config.workflow_token.reveal().as_bytes();
    if secret.is_empty() {
        return Err(Problem::no_route());
    }
    let given = headers.get(WORKFLOW_TOKEN).map_or(&[][..], |token| token.as_bytes());
    // Codes of both are compared, which takes the same time wherever they differ, and whatever their lengths are.
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let code = hmac::sign(&key, given);
    hmac::verify(&key, secret, code.as_ref())
        .map_err(|_| Problem::unauthorized("the header `X-Workflow-Token` does not hold the token"))?;
    Ok(headers.contains_key(IDEMPOTENCY_KEY))
}

async fn body<T: serde::de::DeserializeOwned>(call: &Call, request: Request) -> Result<T, Problem> {
    if !is_json(request.headers()) {
        let detail = "send the body with `Content-Type: application/json`";
        return Err(Problem::new(ErrorCode::UnsupportedType, detail));
    }
    let limit = call.shared.edge.config.max_json_bytes as u64;
    json::parse(&limits::read_body(request, limit).await?)
}

async fn report(
    kind: DocumentKind,
    call: Call,
    Operation(operation): Operation,
    named: bool,
    reported: Reported,
) -> Result<Response, Problem> {
    let Reported { owner, id, upload } = reported;
    upload::bounded(&upload, call.shared.edge.max_document_bytes)?;
    versions::keep(&call, id, submission(kind, owner, operation, named, upload)).await
}
