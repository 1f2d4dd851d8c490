//! HTML: what a browser would show, walked block by block without recursion.

mod css;
mod depth;
mod job_posting;
mod walk;

use scraper::Html;

use super::collect::Collector;
use super::plain::decode;
use super::{ExtractError, Extracted, Limits, Line, MediaKind};
use walk::Walk;

/// How far into a page a charset declaration is looked for (HTML, "prescan a byte stream": 1,024 bytes).
const CHARSET_WINDOW: usize = 1_024;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Extracted, ExtractError> {
    let text = declared(bytes).unwrap_or_else(|| decode(bytes).into_owned());
    let (mut out, head) = visible(&text, limits)?;
    let has_title_line = out.lines().iter().any(|line| line.heading == 1);
    if let Some(title) = head.title.filter(|_| !has_title_line) {
        let shown = out.lines().iter().take(5).any(|line| line.text == title);
        if !shown {
            out.push_first(Line { text: title, page: 1, heading: 1, ..Line::default() })?;
        }
    }
    let job_posting = job_posting::find(&head.json_ld, limits);
    out.finish(MediaKind::Html, 1, job_posting)
}

/// The visible lines of a fragment of HTML, such as the description in a JSON-LD job posting.
fn fragment_lines(html: &str, limits: &Limits) -> Vec<String> {
    visible(html, limits)
        .map(|(out, _)| out.lines().iter().map(|line| line.text.clone()).collect())
        .unwrap_or_default()
}

/// What the head of a page says.
#[derive(Default)]
struct Head {
    title: Option<String>,
    json_ld: Vec<String>,
}

fn visible(html: &str, limits: &Limits) -> Result<(Collector, Head), ExtractError> {
    depth::check(html, limits.nesting)?;
    let page = Html::parse_document(html);
    let mut walk = Walk::new(limits);
    for edge in page.tree.root().traverse() {
        walk.step(edge)?;
    }
    walk.finish()
}

/// Pages in a legacy encoding that say so; without a declaration the bytes decide.
fn declared(bytes: &[u8]) -> Option<String> {
    if std::str::from_utf8(bytes).is_ok() {
        return None;
    }
    let head = bytes.get(..CHARSET_WINDOW).unwrap_or(bytes).to_ascii_lowercase();
    let head = String::from_utf8_lossy(&head);
    let (_, value) = head.split_once("charset=")?;
    let label = value.trim_start_matches(['"', '\'']).split(['"', '\'', '>', ';', ' ', '/']).next()?;
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes())?;
    // A declaration inside the bytes cannot itself be UTF-16.
    let usable = encoding.is_ascii_compatible() && encoding != encoding_rs::UTF_8;
    usable.then(|| encoding.decode(bytes).0.into_owned())
}
