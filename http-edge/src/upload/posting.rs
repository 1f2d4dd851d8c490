//! A `JobPosting` of schema.org, as JSON-LD.
//!
//! It is kept as the smallest page that carries it: so it is read by the same rules, and in the same sandbox, as the
//! postings in pages of the web.

use serde_json::{Map, Value};
use tandem_domain::document::{DocumentKind, Notes};

use super::said::MAX_COMPANY;
use super::{MAX_TITLE, Said, Upload, clean, of_file};
use crate::json;
use crate::problem::Problem;

/// The job that a posting describes.
pub(super) fn upload(body: &[u8]) -> Result<Upload, Problem> {
    let root: Map<String, Value> = json::parse(body)?;
    let root = Value::Object(root);
    let graph = root.get("@graph").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let posting = std::iter::once(&root)
        .chain(graph)
        .find(|value| is_posting(value))
        .ok_or_else(|| Problem::validation("the body: expected an object whose `@type` is `JobPosting`"))?;
    let title = posting.get("title").and_then(Value::as_str);
    let company = posting.get("hiringOrganization");
    let company = company.and_then(|company| company.get("name").unwrap_or(company).as_str());
    let cut = |text: Option<&str>, most| text.map(|text| clean(text, most)).filter(|text| !text.is_empty());
    // In JSON this sign stands inside of strings alone, and there it would end the script.
    let json = root.to_string().replace('<', "\\u003c");
    let page = format!("<!doctype html><script type=\"application/ld+json\">{json}</script>");
    let notes = Notes { company: cut(company, MAX_COMPANY), ..Notes::default() };
    let upload =
        of_file(DocumentKind::Job, Some("job.html".to_owned()), Said::default(), page.into_bytes().into())?;
    Ok(Upload { title: cut(title, MAX_TITLE), notes, ..upload })
}

fn is_posting(value: &Value) -> bool {
    let named =
        |kind: &Value| kind.as_str().is_some_and(|name| name.rsplit(['/', ':']).next() == Some("JobPosting"));
    match value.get("@type") {
        Some(Value::Array(kinds)) => kinds.iter().any(named),
        Some(kind) => named(kind),
        None => false,
    }
}
