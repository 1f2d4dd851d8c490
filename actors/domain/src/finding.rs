//! What is odd about a document, told to its reader instead of hidden in a log.

use serde::{Deserialize, Serialize};

use crate::profile::Span;

/// The kinds of oddity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Text in the color of its background or marked hidden.
    HiddenText,
    /// Text under 2 points.
    TinyText,
    /// Text outside the page.
    OffPageText,
    /// Text drawn invisibly, without a scan behind it.
    InvisibleRenderMode,
    /// Zero-width characters inside words.
    ZeroWidthCharacters,
    /// Bidirectional control characters.
    BidiControls,
    /// Unicode tag characters.
    TagCharacters,
    /// Very little text for the number of pages.
    LowText,
    /// Pages that are pictures.
    Scanned,
    /// More than the limit: the rest was not read.
    Truncated,
    /// No section heading was recognized.
    NoHeadings,
    /// Several languages share the document.
    MixedLanguage,
    /// The same keywords again and again.
    KeywordStuffing,
    /// It does not look like a résumé.
    NotAResume,
    /// It does not look like a job posting.
    NotAJob,
    /// A date in a calendar that is not converted.
    UnconvertedCalendar,
    /// Something in the file was damaged; what could be read was read.
    Damaged,
}

/// One oddity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The page, from 1, where there are pages.
    pub page: Option<u32>,
    /// Where in the visible text, if it is there at all.
    pub span: Option<Span>,
    /// For people: counts and measures, never the text itself.
    pub note: String,
}
