//! Markdown: the subset that résumés and job descriptions use (CommonMark headings, lists, emphasis, links, tables).

mod inline;

use tandem_domain::finding::FindingKind;

use super::collect::Collector;
use super::plain::decode;
use super::{ExtractError, Extracted, Limits, Line, MediaKind};
use inline::Inline;

const BLANK_LINE: u16 = 10;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Extracted, ExtractError> {
    let text = decode(bytes);
    let mut reader = Reader { out: Collector::new(limits), space_above: 0, mode: Mode::Text };
    let rows: Vec<&str> = text.split('\n').collect();
    for (index, row) in rows.iter().enumerate() {
        reader.row(index, row, rows.get(index + 1).copied().unwrap_or_default())?;
    }
    reader.out.finish(MediaKind::Markdown, 1, None)
}

struct Reader {
    out: Collector,
    space_above: u16,
    mode: Mode,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Text,
    /// Between `---` lines at the top: keys and values, no headings.
    FrontMatter,
    Fence,
    Comment,
}

impl Reader {
    fn row(&mut self, index: usize, row: &str, next: &str) -> Result<(), ExtractError> {
        let trimmed = row.trim();
        let ends = match self.mode {
            Mode::Comment => {
                self.comment(trimmed);
                return Ok(());
            }
            Mode::Fence => is_fence(trimmed),
            Mode::FrontMatter => is_front_matter_end(trimmed),
            Mode::Text => false,
        };
        if ends {
            self.mode = Mode::Text;
            return Ok(());
        }
        if self.mode != Mode::Text {
            return self.emit(trimmed, Line::default());
        }
        if index == 0 && trimmed == "---" {
            self.mode = Mode::FrontMatter;
        } else if is_fence(trimmed) {
            self.mode = Mode::Fence;
        } else if trimmed.starts_with("<!--") && !trimmed.contains("-->") {
            self.mode = Mode::Comment;
            self.comment(trimmed);
        } else if trimmed.is_empty() {
            self.space_above = self.space_above.saturating_add(BLANK_LINE);
        } else if !is_underline(trimmed) && !is_table_rule(trimmed) {
            return self.block(row, next.trim());
        }
        Ok(())
    }

    fn comment(&mut self, row: &str) {
        let hidden =
            row.split("-->").next().unwrap_or_default().chars().filter(|c| c.is_alphanumeric()).count();
        self.out.hide(FindingKind::HiddenText, 1, hidden as u64);
        if row.contains("-->") {
            self.mode = Mode::Text;
        }
    }

    fn block(&mut self, row: &str, next: &str) -> Result<(), ExtractError> {
        let mut body = row.trim();
        while let Some(quoted) = body.strip_prefix('>') {
            body = quoted.trim_start();
        }
        if let Some(reference) = reference_target(body) {
            self.out.link(reference, None);
            return Ok(());
        }
        if let Some((level, text)) = heading(body) {
            return self.emit(text, Line { heading: level, ..Line::default() });
        }
        if let Some(item) = list_item(body) {
            let item =
                ["[ ] ", "[x] ", "[X] "].iter().find_map(|task| item.strip_prefix(task)).unwrap_or(item);
            return self.emit(item, Line { bullet: true, ..Line::default() });
        }
        if let Some(cells) = body.strip_prefix('|') {
            let cells: Vec<&str> = cells.trim_end_matches('|').split('|').map(str::trim).collect();
            return self.emit(&cells.join("\t"), Line::default());
        }
        let level = setext_level(next);
        self.emit(body, Line { heading: level, ..Line::default() })
    }

    fn emit(&mut self, text: &str, shape: Line) -> Result<(), ExtractError> {
        let inline = if self.mode == Mode::Text { Inline::read(text) } else { Inline::verbatim(text) };
        self.out.hide(FindingKind::HiddenText, 1, inline.hidden);
        let space_above = std::mem::take(&mut self.space_above);
        // `<br>` is the one way to break a line inside a cell or a paragraph.
        let mut first = None;
        for (index, part) in inline.text.split('\n').enumerate() {
            let space_above = if index == 0 { space_above } else { 0 };
            let bullet = shape.bullet && index == 0;
            let line = Line {
                text: part.to_owned(),
                page: 1,
                bold: inline.bold,
                space_above,
                bullet,
                ..shape.clone()
            };
            let at = self.out.push(line)?;
            first = first.or(at);
        }
        for uri in &inline.links {
            self.out.link(uri, first);
        }
        Ok(())
    }
}

fn is_fence(row: &str) -> bool {
    row.starts_with("```") || row.starts_with("~~~")
}

fn is_front_matter_end(row: &str) -> bool {
    row == "---" || row == "..."
}

/// A thematic break or the underline of a heading.
fn is_underline(row: &str) -> bool {
    let marks: String = row.chars().filter(|c| !c.is_whitespace()).collect();
    let first = marks.chars().next().unwrap_or(' ');
    matches!(first, '-' | '=' | '*' | '_')
        && marks.chars().all(|c| c == first)
        && (marks.len() >= 3 || first == '=')
}

fn is_table_rule(row: &str) -> bool {
    row.contains('-') && row.contains('|') && row.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t'))
}

fn setext_level(next: &str) -> u8 {
    let all = |mark: char| next.len() >= 2 && next.chars().all(|c| c == mark);
    if all('=') {
        1
    } else if all('-') {
        2
    } else {
        0
    }
}

fn heading(row: &str) -> Option<(u8, &str)> {
    let text = row.trim_start_matches('#');
    let level = row.len() - text.len();
    let valid = (1..=6).contains(&level) && text.starts_with([' ', '\t']);
    valid.then(|| (level as u8, text.trim().trim_end_matches('#').trim_end()))
}

fn list_item(row: &str) -> Option<&str> {
    if let Some(item) = ["- ", "* ", "+ ", "-\t", "*\t", "+\t"].iter().find_map(|mark| row.strip_prefix(mark))
    {
        return Some(item.trim_start());
    }
    let number = row.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = row.len() - number.len();
    if !(1..=3).contains(&digits) {
        return None;
    }
    number.strip_prefix(". ").or_else(|| number.strip_prefix(") ")).map(str::trim_start)
}

/// `[label]: address` defines a link and shows nothing.
fn reference_target(row: &str) -> Option<&str> {
    let (_, target) = row.strip_prefix('[')?.split_once("]: ")?;
    target.split_whitespace().next()
}
