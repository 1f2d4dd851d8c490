//! Submitted documents: a file in a form, or a text in JSON.

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use tandem_domain::document::DocumentKind;
use tandem_domain::error::ErrorCode;

use crate::dto::document::TextDocument;
use crate::json::{self, is_json, is_plain, media_type};
use crate::limits::{self, ENVELOPE_BYTES};
use crate::problem::Problem;
use crate::router::Shared;

/// The longest title, in characters.
pub(crate) const MAX_TITLE: usize = 300;

/// A document as it was handed in.
pub(crate) struct Upload {
    pub(crate) file_name: String,
    pub(crate) title: Option<String>,
    pub(crate) content: Bytes,
}

/// Reads either form.
pub(crate) async fn read(shared: &Shared, kind: DocumentKind, request: Request) -> Result<Upload, Problem> {
    let upload = if is_json(request.headers()) {
        from_json(shared, kind, request).await?
    } else if media_type(request.headers()) == "multipart/form-data" {
        from_form(shared, kind, request).await?
    } else {
        let detail = "send a file as multipart/form-data or a text as application/json";
        return Err(Problem::new(ErrorCode::UnsupportedType, detail));
    };
    bounded(&upload, shared.edge.max_document_bytes)?;
    Ok(upload)
}

/// Refuses a document of more than `limit` bytes.
pub(crate) fn bounded(upload: &Upload, limit: u64) -> Result<(), Problem> {
    if upload.content.len() as u64 > limit { Err(Problem::too_large(limit)) } else { Ok(()) }
}

/// A document that came as text.
pub(crate) fn of_text(kind: DocumentKind, title: Option<String>, text: String) -> Result<Upload, Problem> {
    let extension = if is_markdown(&text) { "md" } else { "txt" };
    let file_name = format!("{}.{extension}", kind.name());
    Ok(Upload { file_name, title: checked_title(title)?, content: text.into() })
}

/// A document that came as a file without a name.
pub(crate) fn of_file(kind: DocumentKind, title: Option<String>, content: Bytes) -> Result<Upload, Problem> {
    Ok(Upload { file_name: kind.name().to_owned(), title: checked_title(title)?, content })
}

async fn from_json(shared: &Shared, kind: DocumentKind, request: Request) -> Result<Upload, Problem> {
    let body = limits::read_body(request, shared.edge.config.max_json_bytes as u64).await?;
    let TextDocument { title, text } = json::parse(&body)?;
    of_text(kind, title, text)
}

/// A text with ATX headings is Markdown (CommonMark 0.31, section 4.2).
fn is_markdown(text: &str) -> bool {
    text.lines().any(|line| {
        let rest = line.trim_start_matches('#');
        (1..=6).contains(&(line.len() - rest.len())) && rest.starts_with(' ')
    })
}

async fn from_form(shared: &Shared, kind: DocumentKind, mut request: Request) -> Result<Upload, Problem> {
    let limit = shared.edge.max_document_bytes.saturating_add(ENVELOPE_BYTES);
    limits::bound_body(&mut request, limit)?;
    let broken = |error: MultipartError| {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::too_large(shared.edge.max_document_bytes)
        } else {
            Problem::validation("the form is not well-formed or ended early")
        }
    };
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| Problem::validation("the form's `Content-Type` has no boundary"))?;
    let (mut file, mut title) = (None, None);
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("file") if file.is_none() => {
                let name = field.file_name().unwrap_or(kind.name()).to_owned();
                file = Some((name, field.bytes().await.map_err(broken)?));
            }
            Some("title") if title.is_none() => title = Some(field.text().await.map_err(broken)?),
            _ => return Err(unexpected(&field)),
        }
    }
    let Some((file_name, content)) = file else {
        return Err(Problem::validation("the form has no field `file`"));
    };
    Ok(Upload { file_name, title: checked_title(title)?, content })
}

fn unexpected(field: &Field<'_>) -> Problem {
    match field.name() {
        Some(name @ ("file" | "title")) => Problem::validation(format!("field `{name}` is given twice")),
        Some(name) if is_plain(name) => {
            Problem::validation(format!("unknown field `{name}`: expected `file` or `title`"))
        }
        _ => Problem::validation("unknown field: expected `file` or `title`"),
    }
}

/// A title without the space around it; a blank one is none.
fn checked_title(title: Option<String>) -> Result<Option<String>, Problem> {
    let Some(title) = title.map(|title| title.trim().to_owned()).filter(|title| !title.is_empty()) else {
        return Ok(None);
    };
    if title.chars().count() > MAX_TITLE || title.chars().any(char::is_control) {
        let rule = format!("at most {MAX_TITLE} characters on one line");
        return Err(Problem::validation(format!("field `title`: expected {rule}")));
    }
    Ok(Some(title))
}
