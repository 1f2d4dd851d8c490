//! Submitted documents: a file in a form, a text in JSON, or a posting in JSON-LD.

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use tandem_domain::document::{DocumentKind, Notes};
use tandem_domain::error::ErrorCode;

use crate::dto::document::TextDocument;
use crate::json::{self, is_json, is_plain, media_type};
use crate::limits::{self, ENVELOPE_BYTES};
use crate::problem::Problem;
use crate::router::Shared;

mod posting;
mod said;

pub(crate) use said::Said;

/// The longest title, in characters.
pub(crate) const MAX_TITLE: usize = 300;
/// The longest title that is taken out of a text, in characters.
const MAX_HEADLINE: usize = 80;
/// A posting of schema.org.
const JSON_LD: &str = "application/ld+json";

/// A document as it was handed in.
pub(crate) struct Upload {
    pub(crate) file_name: String,
    pub(crate) title: Option<String>,
    pub(crate) content: Bytes,
    pub(crate) notes: Notes,
}

/// Reads any of the forms.
pub(crate) async fn read(shared: &Shared, kind: DocumentKind, request: Request) -> Result<Upload, Problem> {
    let media = media_type(request.headers());
    let upload = if kind == DocumentKind::Job && media == JSON_LD {
        posting::upload(&limits::read_body(request, max_json(shared)).await?)?
    } else if is_json(request.headers()) {
        let body = limits::read_body(request, max_json(shared)).await?;
        json::parse::<TextDocument>(&body)?.into_upload(kind)?
    } else if media == "multipart/form-data" {
        from_form(shared, kind, request).await?
    } else {
        let detail = "send a file as multipart/form-data or a text as application/json";
        return Err(Problem::new(ErrorCode::UnsupportedType, detail));
    };
    bounded(&upload, shared.edge.max_document_bytes)?;
    Ok(upload)
}

fn max_json(shared: &Shared) -> u64 {
    shared.edge.config.max_json_bytes as u64
}

/// Refuses a document of more than `limit` bytes.
pub(crate) fn bounded(upload: &Upload, limit: u64) -> Result<(), Problem> {
    if upload.content.len() as u64 > limit { Err(Problem::too_large(limit)) } else { Ok(()) }
}

/// A document that came as text.
pub(crate) fn of_text(kind: DocumentKind, said: Said, text: String) -> Result<Upload, Problem> {
    let extension = if text.lines().any(|line| heading(line).is_some()) { "md" } else { "txt" };
    let file_name = format!("{}.{extension}", kind.name());
    let (title, mut notes) = said.checked(kind)?;
    if kind == DocumentKind::Job {
        notes.headline = headline(&text);
    }
    Ok(Upload { file_name, title, content: text.into(), notes })
}

/// A document that came as a file, perhaps without a name.
pub(crate) fn of_file(
    kind: DocumentKind,
    file_name: Option<String>,
    said: Said,
    content: Bytes,
) -> Result<Upload, Problem> {
    let (title, notes) = said.checked(kind)?;
    let file_name = file_name.unwrap_or_else(|| kind.name().to_owned());
    Ok(Upload { file_name, title, content, notes })
}

/// The text of an ATX heading (CommonMark 0.31, section 4.2). A text that has one is Markdown.
fn heading(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    let is_heading = (1..=6).contains(&(line.len() - rest.len())) && rest.starts_with(' ');
    is_heading.then(|| rest.trim())
}

/// What a text is called by: its first heading, or else its first line.
fn headline(text: &str) -> Option<String> {
    let first = |lines: &mut dyn Iterator<Item = &str>| {
        lines.map(|line| clean(line, MAX_HEADLINE)).find(|line| !line.is_empty())
    };
    first(&mut text.lines().filter_map(heading)).or_else(|| first(&mut text.lines()))
}

/// The beginning of a line, without control characters and the space around it.
fn clean(line: &str, most: usize) -> String {
    let visible: String = line.trim().chars().filter(|c| !c.is_control()).take(most).collect();
    visible.trim_end().to_owned()
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
    let (mut file, mut said) = (None, Said::default());
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            let file_name = field.file_name().map(str::to_owned);
            let content = field.bytes().await.map_err(broken)?;
            if file.replace((file_name, content)).is_some() {
                return Err(twice("file"));
            }
        } else if Said::knows(&name) {
            said.tell(&name, field.text().await.map_err(broken)?)?;
        } else {
            return Err(unexpected(&field));
        }
    }
    let Some((file_name, content)) = file else {
        return Err(Problem::validation("the form has no field `file`"));
    };
    of_file(kind, file_name, said, content)
}

fn twice(name: &str) -> Problem {
    Problem::validation(format!("field `{name}` is given twice"))
}

fn unexpected(field: &Field<'_>) -> Problem {
    match field.name() {
        Some(name) if is_plain(name) => {
            Problem::validation(format!("unknown field `{name}`: expected `file` or `title`"))
        }
        _ => Problem::validation("unknown field: expected `file` or `title`"),
    }
}
