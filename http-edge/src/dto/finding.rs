//! Oddities of a document on the wire.

use serde::Serialize;
use tandem_domain::finding as domain;
use utoipa::ToSchema;

use super::common::Span;

super::mirror! {
    /// The kind of an oddity.
    domain::FindingKind {
        HiddenText, TinyText, OffPageText, InvisibleRenderMode, ZeroWidthCharacters, BidiControls, TagCharacters,
        LowText, Scanned, Truncated, NoHeadings, MixedLanguage, KeywordStuffing, NotAResume, NotAJob,
        UnconvertedCalendar, Damaged,
    }
}

/// Something odd about a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// What it is.
    pub(crate) kind: FindingKind,
    /// The page, from 1, where there are pages.
    pub(crate) page: Option<u32>,
    /// Where in the visible text.
    pub(crate) span: Option<Span>,
    /// For people.
    #[schema(examples("214 characters in the color of the page"))]
    pub(crate) note: String,
}

impl From<domain::Finding> for Finding {
    fn from(finding: domain::Finding) -> Self {
        Self {
            kind: finding.kind.into(),
            page: finding.page,
            span: finding.span.map(Span::from),
            note: finding.note,
        }
    }
}
