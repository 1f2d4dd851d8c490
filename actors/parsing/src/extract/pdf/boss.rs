//! [`Source`] on pdfboss.

use pdfboss_core::{ActionKind, Document, Error, Rect};
use pdfboss_text::{
    FontCache, ReadingOrder, TextSpan, extract_spans_reporting_cached, placed_images_reporting_cached,
};

use super::super::ExtractError;
use super::paint::Ground;
use super::source::{Area, Page, Source, Span};
use super::{FORMAT, MAX_SPANS_PER_PAGE};

/// Link annotations read of one page.
const MAX_LINKS_PER_PAGE: usize = 500;

pub(super) struct Boss {
    document: Document,
    fonts: FontCache,
    pages: usize,
}

impl Boss {
    pub(super) fn open(bytes: &[u8]) -> Result<Self, ExtractError> {
        let document = Document::load(bytes.to_vec()).map_err(|error| open_error(&error))?;
        if document.is_locked() {
            return Err(ExtractError::Encrypted);
        }
        let pages = document.flattened_page_count();
        Ok(Self { document, fonts: FontCache::default(), pages })
    }
}

impl Source for Boss {
    fn pages(&self) -> usize {
        self.pages
    }

    fn page(&self, index: usize) -> Result<Page, ExtractError> {
        let unreadable = |_| ExtractError::corrupt(FORMAT, "a page cannot be read");
        let page = self.document.page(index).map_err(unreadable)?;
        let (spans, report) =
            extract_spans_reporting_cached(&self.document, &page, &self.fonts, ReadingOrder::Content)
                .map_err(unreadable)?;
        if spans.len() > MAX_SPANS_PER_PAGE {
            return Err(ExtractError::limit("pieces of text on a page"));
        }
        let images = placed_images_reporting_cached(&self.document, &page, &self.fonts)
            .map(|(images, _)| {
                images.iter().filter(|image| !image.stencil).map(|image| area(image.bbox)).collect()
            })
            .unwrap_or_default();
        let annotations = self.document.annotations(&page).into_iter().take(MAX_LINKS_PER_PAGE);
        let links = annotations.filter_map(|annotation| {
            let ActionKind::Uri { uri, .. } = annotation.action?.kind else { return None };
            Some((area(annotation.rect?), uri))
        });
        Ok(Page {
            visible: area(page.crop_box),
            links: links.collect(),
            images,
            ground: Ground::read(&self.document, &page),
            damaged: !report.is_complete(),
            hidden_layers: report.hidden,
            spans: spans.into_iter().map(span).collect(),
        })
    }
}

fn open_error(error: &Error) -> ExtractError {
    if matches!(error, Error::Encrypted) {
        return ExtractError::Encrypted;
    }
    ExtractError::corrupt(FORMAT, "its structure cannot be read")
}

fn area(rect: Rect) -> Area {
    let rect = rect.normalize();
    Area { x0: rect.x0, y0: rect.y0, x1: rect.x1, y1: rect.y1 }
}

fn span(span: TextSpan) -> Span {
    let font = span.font_name.to_ascii_lowercase();
    let bold = span.bold || ["semibold", "demi", "black", "heavy"].iter().any(|weight| font.contains(weight));
    Span {
        starts: span.glyph_x.into_vec(),
        x0: span.x.min(span.end_x),
        x1: span.x.max(span.end_x),
        y: span.y,
        size: span.size,
        turn: span.rotate.rem_euclid(360),
        area: area(span.bbox),
        bold,
        symbols: font.contains("wingdings") || font.contains("symbol") || font.contains("webdings"),
        invisible: span.invisible,
        color: span.color.map(|(r, g, b)| [r, g, b]),
        text: span.text,
    }
}
