//! Résumés as files: in a form, or sent by a signed URL and then completed.

use axum::extract::{Path, Request};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use tandem_domain::document::DocumentKind;
use tandem_domain::error::ErrorCode;
use tandem_messages::uploads::{AdmitUpload, CompleteUpload, SendUpload, SignedUpload};

use super::documents::{accepted, submit};
use crate::answer;
use crate::caller::{Call, IDEMPOTENCY_KEY, Operation};
use crate::dto::document::{FileForm, Submitted};
use crate::dto::envelope::Envelope;
use crate::dto::uploads::{OpenedUpload, SentUpload, UploadRequest, UploadWords};
use crate::json::{self, is_json, media_type};
use crate::limits;
use crate::openapi::{Creates, Sends, Starts};
use crate::problem::Problem;
use crate::query::Params;

/// Submit a résumé as a file, or ask where it can be sent
///
/// With a form this is the same as `POST /api/v1/resumes`. With JSON nothing is submitted yet: the answer says where the
/// file can be sent by PUT, for some minutes and without any other credential, which may be a bucket, so that it passes
/// no node. What was sent is taken in by `POST /api/v1/resumes/upload/{upload}/complete`.
#[utoipa::path(
    post, path = "/api/v1/resumes/upload", tag = "resumes",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once")),
    request_body(content((FileForm = "multipart/form-data"), (UploadRequest = "application/json"))),
    responses(
        (status = 202, body = Envelope<Submitted>, description = "Accepted",
            headers(("Location" = String, description = "Where it can be seen"))),
        (status = 200, body = Envelope<Submitted>, description = "The same content was there already",
            headers(("Location" = String, description = "Where it can be seen"))),
        (status = 201, body = Envelope<OpenedUpload>, description = "Where the file can be sent"),
        Creates,
    ),
)]
pub(crate) async fn upload_resume(
    call: Call,
    operation: Operation,
    request: Request,
) -> Result<Response, Problem> {
    if is_json(request.headers()) {
        return open(call, operation, request).await;
    }
    if media_type(request.headers()) != "multipart/form-data" {
        let detail = "send a file as multipart/form-data, or ask as application/json where it can be sent";
        return Err(Problem::new(ErrorCode::UnsupportedType, detail));
    }
    submit(DocumentKind::Resume, call, operation, request).await
}

async fn open(call: Call, Operation(operation): Operation, request: Request) -> Result<Response, Problem> {
    let named = request.headers().contains_key(IDEMPOTENCY_KEY);
    let base = base(&call.shared.edge.config.public_url, &request);
    let limit = call.shared.edge.config.max_json_bytes as u64;
    let asked: UploadRequest = json::parse(&limits::read_body(request, limit).await?)?;
    let opened = call.ask(asked.asked(call.owner(), operation, named)?).await?;
    let mut response = answer::ok(OpenedUpload::new(opened, &base));
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// Where this node is reached: as configured, or as this request has reached it. Nothing where it does not say; what is
/// made of it is then a path alone.
fn base(public_url: &str, request: &Request) -> String {
    if !public_url.is_empty() {
        return public_url.trim_end_matches('/').to_owned();
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(Authority::as_str).or(host);
    let is_plain = |host: &&str| !host.contains('@') && host.parse::<Authority>().is_ok();
    host.filter(is_plain).map(|host| format!("http://{host}")).unwrap_or_default()
}

/// Send a file to a signed URL
///
/// The URL is one that `POST /api/v1/resumes/upload` has answered with; it is the only credential, takes one file of the
/// size that was announced, and expires. Nothing of a refused file is kept.
#[utoipa::path(
    put, path = "/api/v1/uploads/{upload}", tag = "resumes",
    params(
        ("upload" = String, Path, description = "The upload's id"),
        ("expires" = i64, Query, description = "When the URL expires, in seconds since the epoch"),
        ("signature" = String, Query, description = "What makes it good"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Envelope<SentUpload>, description = "It waits to be completed"), Sends),
)]
pub(crate) async fn send_upload(
    call: Call,
    Path(id): Path<String>,
    mut params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let until_s = params.take("expires").and_then(|text| text.parse().ok());
    let (Some(until_s), Some(signature)) = (until_s, params.take("signature")) else {
        return Err(Problem::new(ErrorCode::Forbidden, "this URL is not signed"));
    };
    params.finish()?;
    let upload = SignedUpload { id, until_s, signature };
    // Before a byte of it is read.
    let size = call.ask(AdmitUpload { upload: upload.clone() }).await?.size;
    let content = limits::read_body(request, size).await?;
    Ok(answer::ok(SentUpload::from(call.ask(SendUpload { upload, content }).await?)))
}

/// Complete an upload
///
/// Takes in the file that was sent, as `POST /api/v1/resumes` does. Asked again before the upload expires, it answers
/// alike.
#[utoipa::path(
    post, path = "/api/v1/resumes/upload/{upload}/complete", tag = "resumes",
    params(
        ("upload" = String, Path, description = "The upload's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the intent: the same key is done once"),
    ),
    request_body = Option<UploadWords>,
    responses(
        (status = 202, body = Envelope<Submitted>, description = "Accepted",
            headers(("Location" = String, description = "Where it can be seen"))),
        (status = 200, body = Envelope<Submitted>, description = "The same content was there already",
            headers(("Location" = String, description = "Where it can be seen"))),
        Starts,
    ),
)]
pub(crate) async fn complete_upload(
    call: Call,
    Path(id): Path<String>,
    Operation(operation): Operation,
    request: Request,
) -> Result<Response, Problem> {
    let operation = request.headers().contains_key(IDEMPOTENCY_KEY).then_some(operation);
    let (title, notes) = words(&call, request).await?.checked()?;
    let submitted = call.ask(CompleteUpload { owner: call.owner(), operation, id, title, notes }).await?;
    Ok(accepted(DocumentKind::Resume, submitted))
}

/// What is said beside the file; nothing, where there is no body.
async fn words(call: &Call, request: Request) -> Result<UploadWords, Problem> {
    let is_json = is_json(request.headers());
    let is_typed = has_type(request.headers());
    let limit = call.shared.edge.config.max_json_bytes as u64;
    let body = limits::read_body(request, limit).await?;
    if body.is_empty() && (is_json || !is_typed) {
        return Ok(UploadWords::default());
    }
    if !is_json {
        let detail = "send the body with `Content-Type: application/json`";
        return Err(Problem::new(ErrorCode::UnsupportedType, detail));
    }
    json::parse(&body)
}

fn has_type(headers: &HeaderMap) -> bool {
    headers.contains_key(header::CONTENT_TYPE)
}
