//! schema.org `JobPosting` from JSON-LD (<https://schema.org/JobPosting>).

use serde_json::Value;

use super::super::{JobPostingLd, Limits};
use super::fragment_lines;

/// Blocks of JSON-LD looked at on one page.
const MAX_BLOCKS: usize = 32;
/// Values visited while looking for the posting.
const MAX_VISITED: usize = 10_000;
/// Characters kept of a short field.
const MAX_FIELD_CHARS: usize = 500;

/// The first posting of a page. Blocks that are no JSON are passed over.
pub(super) fn find(blocks: &[String], limits: &Limits) -> Option<JobPostingLd> {
    blocks.iter().take(MAX_BLOCKS).find_map(|block| {
        // serde_json bounds the depth at 128 by itself.
        let root: Value = serde_json::from_str(block.trim().trim_end_matches(';')).ok()?;
        posting(&root).map(|value| read(value, limits))
    })
}

fn posting(root: &Value) -> Option<&Value> {
    let mut queue = vec![root];
    let mut visited = 0;
    while let Some(value) = queue.pop() {
        visited += 1;
        if visited > MAX_VISITED {
            return None;
        }
        if is_posting(value) {
            return Some(value);
        }
        match value {
            Value::Array(items) => queue.extend(items.iter().rev()),
            Value::Object(fields) => queue.extend(fields.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    None
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

fn read(job: &Value, limits: &Limits) -> JobPostingLd {
    let salary = job.get("baseSalary").unwrap_or(&Value::Null);
    let range = salary.get("value").unwrap_or(&Value::Null);
    let lines = |key: &str| {
        text(job.get(key), "\n").map(|t| fragment_lines(&unescaped(&t), limits)).unwrap_or_default()
    };
    JobPostingLd {
        title: field(job.get("title")),
        organization: field(job.get("hiringOrganization")),
        location: location(job),
        location_type: field(job.get("jobLocationType")),
        employment_type: field(job.get("employmentType")),
        date_posted: field(job.get("datePosted")),
        valid_through: field(job.get("validThrough")),
        industry: field(job.get("industry")),
        salary_currency: field(salary.get("currency")).or_else(|| field(job.get("salaryCurrency"))),
        salary_min: field(range.get("minValue")).or_else(|| field(salary.get("minValue"))),
        salary_max: field(range.get("maxValue")).or_else(|| field(salary.get("maxValue"))),
        salary_value: field(range.get("value")).or_else(|| scalar(range)).or_else(|| scalar(salary)),
        salary_unit: field(range.get("unitText")).or_else(|| field(salary.get("unitText"))),
        skills: field(job.get("skills")),
        experience: experience(job.get("experienceRequirements")),
        education: field(job.get("educationRequirements")),
        qualification_lines: lines("qualifications"),
        responsibility_lines: lines("responsibilities"),
        description_lines: lines("description"),
    }
}

/// A short plain value: mark-up and entities read, white space collapsed, bounded.
fn field(value: Option<&Value>) -> Option<String> {
    let raw = text(value, ", ")?;
    let plain = if raw.contains(['<', '&']) {
        fragment_lines(&unescaped(&raw), &Limits::default()).join(" ")
    } else {
        raw.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let plain: String = plain.chars().take(MAX_FIELD_CHARS).collect();
    (!plain.is_empty()).then_some(plain)
}

/// Strings and numbers as they are, lists joined, objects by the name schema.org gives them.
fn text(value: Option<&Value>, separator: &str) -> Option<String> {
    let value = value?;
    let Value::Array(items) = value else { return named(value) };
    let parts: Vec<String> = items.iter().filter_map(named).collect();
    (!parts.is_empty()).then(|| parts.join(separator))
}

fn named(value: &Value) -> Option<String> {
    let Value::Object(fields) = value else { return scalar(value) };
    ["name", "credentialCategory", "value", "description"].iter().find_map(|key| scalar(fields.get(*key)?))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn location(job: &Value) -> Option<String> {
    let value = job.get("jobLocation")?;
    let places = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let parts: Vec<String> = places.iter().filter_map(place).collect();
    (!parts.is_empty()).then(|| parts.join("; ").chars().take(MAX_FIELD_CHARS).collect())
}

fn place(place: &Value) -> Option<String> {
    let address = place.get("address").unwrap_or(place);
    let parts: Vec<String> = ["addressLocality", "addressRegion", "addressCountry"]
        .iter()
        .filter_map(|key| field(address.get(*key)))
        .collect();
    if parts.is_empty() {
        field(Some(address)).or_else(|| field(place.get("name")))
    } else {
        Some(parts.join(", "))
    }
}

fn experience(value: Option<&Value>) -> Option<String> {
    let months = value.and_then(|value| field(value.get("monthsOfExperience")));
    months.map(|months| format!("{months} months")).or_else(|| field(value))
}

/// Many sites escape the mark-up of the description once more.
fn unescaped(html: &str) -> String {
    if html.contains('<') {
        return html.to_owned();
    }
    if !html.contains("&lt;") {
        return html.replace('\n', "<br>");
    }
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
