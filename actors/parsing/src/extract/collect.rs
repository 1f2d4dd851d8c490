//! Where every reader puts its lines: cleans them, bounds them and counts what was hidden.

use std::collections::BTreeMap;

use tandem_domain::finding::{Finding, FindingKind};

use super::clean::{clean, is_rtl, is_rule};
use super::{ExtractError, Extracted, JobPostingLd, Limits, Line, Link, MediaKind};

/// More link targets than this are dropped: a page of a thousand links is a directory.
const MAX_LINKS: usize = 1_000;
/// A document with less visible text than this on each page is reported as low on text.
const LOW_TEXT_CHARS_PER_PAGE: u64 = 80;

/// Collects lines, links and findings within [`Limits`].
pub(super) struct Collector {
    lines: Vec<Line>,
    links: Vec<Link>,
    hidden: BTreeMap<(FindingKind, u32), u64>,
    /// Pages that are pictures, and parts that could not be read.
    notes: Vec<(FindingKind, u32, &'static str)>,
    chars: u64,
    max_chars: u64,
    max_lines: usize,
    /// A line that was nothing but a bullet or an icon gives it to the next line of its block.
    carried: Carried,
}

#[derive(Default, Clone, Copy)]
struct Carried {
    bullet: bool,
    icon: bool,
    block: u32,
}

impl Collector {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            lines: Vec::new(),
            links: Vec::new(),
            hidden: BTreeMap::new(),
            notes: Vec::new(),
            chars: 0,
            max_chars: limits.text_chars,
            max_lines: limits.lines as usize,
            carried: Carried::default(),
        }
    }

    /// Adds one line; `raw.text` may hold anything. Gives the line's index, `None` when nothing
    /// visible is left of it.
    pub(super) fn push(&mut self, raw: Line) -> Result<Option<u32>, ExtractError> {
        self.chars += raw.text.len() as u64;
        if self.chars > self.max_chars.saturating_mul(4) {
            return Err(ExtractError::limit("characters"));
        }
        let cleaned = clean(&raw.text);
        self.hide(FindingKind::ZeroWidthCharacters, raw.page, u64::from(cleaned.zero_width));
        self.hide(FindingKind::BidiControls, raw.page, u64::from(cleaned.bidi));
        self.hide(FindingKind::TagCharacters, raw.page, u64::from(cleaned.tags));
        let carried = std::mem::take(&mut self.carried);
        let carried = if carried.block == raw.block { carried } else { Carried::default() };
        let bullet = raw.bullet || cleaned.bullet || carried.bullet;
        let icon_before = raw.icon_before || cleaned.icon || carried.icon;
        if cleaned.text.is_empty() {
            self.carried = Carried { bullet, icon: icon_before, block: raw.block };
            return Ok(None);
        }
        if is_rule(&cleaned.text) {
            return Ok(None);
        }
        if self.lines.len() >= self.max_lines {
            return Err(ExtractError::limit("lines"));
        }
        let rtl = raw.rtl || is_rtl(&cleaned.text);
        self.lines.push(Line { text: cleaned.text, bullet, icon_before, rtl, ..raw });
        Ok(u32::try_from(self.lines.len() - 1).ok())
    }

    /// Adds a link target; empty, over-long, fragment-only, script and data addresses are dropped.
    pub(super) fn link(&mut self, uri: &str, line: Option<u32>) {
        let uri = uri.trim();
        let scheme = uri.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).unwrap_or_default();
        let dropped = uri.is_empty()
            || uri.starts_with('#')
            || uri.len() > Link::MAX_BYTES
            || matches!(scheme.as_str(), "javascript" | "data" | "file" | "about" | "blob")
            || uri.chars().any(char::is_control);
        if dropped || self.links.len() >= MAX_LINKS {
            return;
        }
        let link = Link { uri: uri.to_owned(), line };
        if !self.links.contains(&link) {
            self.links.push(link);
        }
    }

    /// Counts characters that the file holds and no reader sees.
    pub(super) fn hide(&mut self, kind: FindingKind, page: u32, characters: u64) {
        if characters > 0 {
            *self.hidden.entry((kind, page)).or_default() += characters;
        }
    }

    /// Notes that a part of the file could not be read; the rest was.
    pub(super) fn damage(&mut self, page: u32, note: &'static str) {
        self.note(FindingKind::Damaged, page, note);
    }

    /// Notes a page that is a picture.
    pub(super) fn scanned(&mut self, page: u32) {
        self.note(FindingKind::Scanned, page, "the page is a picture without text");
    }

    fn note(&mut self, kind: FindingKind, page: u32, note: &'static str) {
        if !self.notes.contains(&(kind, page, note)) {
            self.notes.push((kind, page, note));
        }
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Puts a line before all others.
    pub(super) fn push_first(&mut self, raw: Line) -> Result<(), ExtractError> {
        let before = self.lines.len();
        if self.push(raw)?.is_some() {
            self.lines.rotate_right(1);
            for link in &mut self.links {
                link.line = link.line.map(|line| if line as usize == before { 0 } else { line + 1 });
            }
        }
        Ok(())
    }

    /// Ends the document.
    pub(super) fn finish(
        self,
        media: MediaKind,
        pages: u32,
        job_posting: Option<JobPostingLd>,
    ) -> Result<Extracted, ExtractError> {
        let visible: u64 = self.lines.iter().map(|line| line.text.chars().count() as u64).sum();
        if visible > self.max_chars {
            return Err(ExtractError::limit("characters"));
        }
        let pages = pages.max(1);
        let mut findings: Vec<Finding> = Vec::new();
        for ((kind, page), count) in self.hidden {
            findings.push(finding(kind, Some(page), format!("{count} characters")));
        }
        for (kind, page, note) in self.notes {
            findings.push(finding(kind, Some(page), note.to_owned()));
        }
        if media == MediaKind::Pdf && visible < LOW_TEXT_CHARS_PER_PAGE * u64::from(pages) {
            let note = format!("{visible} visible characters on {pages} page(s)");
            findings.push(finding(FindingKind::LowText, None, note));
        }
        Ok(Extracted { media, pages, lines: self.lines, links: self.links, findings, job_posting })
    }
}

fn finding(kind: FindingKind, page: Option<u32>, note: String) -> Finding {
    Finding { kind, page, span: None, note }
}
