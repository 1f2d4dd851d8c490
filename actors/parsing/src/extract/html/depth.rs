//! A bound on nesting before the tree is built: tree building is quadratic in the depth of open elements.

use super::super::ExtractError;

/// Unclosed elements tolerated for each allowed level: real pages forget many end tags.
const SLACK: u32 = 8;

/// Elements that never stay open or that the next of their kind closes.
const SELF_CLOSING: &[&str] = &[
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option",
    "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr",
];

/// Counts open elements roughly; errs on the side of reading.
pub(super) fn check(html: &str, nesting: u32) -> Result<(), ExtractError> {
    let mut open = 0_u32;
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        let closing = after.starts_with('/');
        let name: String = after
            .trim_start_matches('/')
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric())
            .take(16)
            .collect::<String>()
            .to_ascii_lowercase();
        if name.is_empty() || SELF_CLOSING.contains(&name.as_str()) {
            continue;
        }
        open = if closing { open.saturating_sub(1) } else { open + 1 };
        if open > nesting.saturating_mul(SLACK) {
            return Err(ExtractError::limit("nested elements"));
        }
        if matches!(name.as_str(), "script" | "style") && !closing {
            // Mark-up inside a script is text.
            let end = if name == "script" { "</script" } else { "</style" };
            rest = find_ignoring_case(rest, end).unwrap_or_default();
        }
    }
    Ok(())
}

fn find_ignoring_case<'a>(text: &'a str, end: &str) -> Option<&'a str> {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        rest = rest.get(at..)?;
        if rest.get(..end.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(end)) {
            return Some(rest);
        }
        rest = rest.get(2..)?;
    }
    None
}
