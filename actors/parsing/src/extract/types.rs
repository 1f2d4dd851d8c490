//! What extraction gives: plain data that crosses a pipe.

use serde::{Deserialize, Serialize};
pub use tandem_domain::document::MediaKind;
use tandem_domain::finding::Finding;

/// What a document shows a reader: its lines in reading order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extracted {
    /// The format the bytes turned out to be.
    pub media: MediaKind,
    /// Pages, at least 1; formats without pages have one.
    pub pages: u32,
    /// Visible lines in reading order; none is empty.
    pub lines: Vec<Line>,
    /// Link targets in document order, also those that no visible text shows.
    pub links: Vec<Link>,
    /// What was odd: hidden text, control characters, low text.
    pub findings: Vec<Finding>,
    /// A schema.org `JobPosting` found as JSON-LD (HTML only).
    pub job_posting: Option<JobPostingLd>,
}

impl Extracted {
    /// The lines joined by `\n`. Source spans of a Profile are byte ranges into this text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.lines.iter().map(|line| line.text.len() + 1).sum());
        for (index, line) in self.lines.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            text.push_str(&line.text);
        }
        text
    }
}

/// One visible line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Line {
    /// The text without a line break; table cells, and a label and its value, are joined by `\t`.
    pub text: String,
    /// The page, from 1.
    pub page: u32,
    /// Column or region in reading order; a sidebar and the main column differ.
    pub block: u32,
    /// Font size in tenths of a point; 0 is unknown.
    pub size: u16,
    /// Most of the line, or of one of its cells, is bold: titles stand beside plain dates.
    pub bold: bool,
    /// The line began with a bullet glyph or is a list item; the glyph is not in `text`.
    pub bullet: bool,
    /// 1..=6 when the format itself says heading, else 0.
    pub heading: u8,
    /// Free space above, in tenths of this line's height; 0 is unknown or none.
    pub space_above: u16,
    /// An icon (a private-use glyph) stood before the text.
    pub icon_before: bool,
    /// The line reads from right to left.
    pub rtl: bool,
}

/// A link target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The address as written in the file, trimmed, at most [`Link::MAX_BYTES`].
    pub uri: String,
    /// Index into `lines` of the text that carries the link.
    pub line: Option<u32>,
}

impl Link {
    /// Longer addresses are dropped: they are tracking or data URIs.
    pub const MAX_BYTES: usize = 2_048;
}

/// A schema.org `JobPosting`, each value as the page wrote it (plain text, entities decoded).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JobPostingLd {
    /// `title`.
    pub title: Option<String>,
    /// `hiringOrganization.name`.
    pub organization: Option<String>,
    /// `jobLocation` as "locality, region, country"; several are joined by "; ".
    pub location: Option<String>,
    /// `jobLocationType` (`TELECOMMUTE` means remote).
    pub location_type: Option<String>,
    /// `employmentType`; several are joined by ", ".
    pub employment_type: Option<String>,
    /// `datePosted`.
    pub date_posted: Option<String>,
    /// `validThrough`.
    pub valid_through: Option<String>,
    /// `industry`.
    pub industry: Option<String>,
    /// `baseSalary.currency` or `salaryCurrency`.
    pub salary_currency: Option<String>,
    /// `baseSalary.value.minValue`.
    pub salary_min: Option<String>,
    /// `baseSalary.value.maxValue`.
    pub salary_max: Option<String>,
    /// `baseSalary.value.value`, or `baseSalary` when it is a bare value.
    pub salary_value: Option<String>,
    /// `baseSalary.value.unitText`: HOUR, DAY, WEEK, MONTH or YEAR.
    pub salary_unit: Option<String>,
    /// `skills`; several are joined by ", ".
    pub skills: Option<String>,
    /// `experienceRequirements`, as text or as months.
    pub experience: Option<String>,
    /// `educationRequirements`.
    pub education: Option<String>,
    /// `qualifications`, line by line.
    pub qualification_lines: Vec<String>,
    /// `responsibilities`, line by line.
    pub responsibility_lines: Vec<String>,
    /// `description` with its mark-up read, line by line.
    pub description_lines: Vec<String>,
}

/// The bounds of one extraction. Over a bound is an error, never silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Pages.
    pub pages: u32,
    /// Bytes of one decompressed part of a container.
    pub part_bytes: u64,
    /// Depth of nested elements.
    pub nesting: u32,
    /// Characters of visible text.
    pub text_chars: u64,
    /// Visible lines.
    pub lines: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 10 << 20,
            pages: 60,
            part_bytes: 64 << 20,
            nesting: 128,
            text_chars: 2_000_000,
            lines: 50_000,
        }
    }
}
