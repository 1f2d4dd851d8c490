//! Text that a PDF holds and no reader sees.

use tandem_domain::finding::FindingKind;

use super::paint::Under;
use super::source::{Area, Page, Span};

/// Smaller than this many points is not read by people.
const TINY_POINTS: f32 = 2.0;
/// Colors closer than this in every channel (0..=1) are the same to the eye.
const SAME_COLOR: f32 = 0.05;
/// A picture that covers this share of the page is a scan.
const SCAN_SHARE: f32 = 0.5;

/// Why a span cannot be seen; `None` when it can.
pub(super) fn reason(span: &Span, page: &Page) -> Option<FindingKind> {
    let Area { x0, y0, x1, y1 } = span.area;
    let (x, y) = ((x0 + x1) / 2.0, (y0 + y1) / 2.0);
    if span.invisible {
        // Text recognition puts its text invisibly over the scan: then the scan shows it.
        return (!scanned(page, x, y)).then_some(FindingKind::InvisibleRenderMode);
    }
    if span.size < TINY_POINTS {
        return Some(FindingKind::TinyText);
    }
    if !page.visible.contains(x, y) {
        return Some(FindingKind::OffPageText);
    }
    // The middle of the letters, not of the box: descenders of the last line reach below its ground.
    let (cx, cy) = if span.turn % 180 == 0 { (x, span.y + span.size * 0.3) } else { (x, y) };
    match (span.color, page.ground.under(cx, cy)) {
        (Some(color), Under::Color(ground)) if same(color, ground) => Some(FindingKind::HiddenText),
        _ => None,
    }
}

fn scanned(page: &Page, x: f32, y: f32) -> bool {
    let whole = page.visible.size().max(1.0);
    page.images.iter().any(|image| image.contains(x, y) && image.size() >= SCAN_SHARE * whole)
}

fn same(a: [f32; 3], b: [f32; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < SAME_COLOR)
}
