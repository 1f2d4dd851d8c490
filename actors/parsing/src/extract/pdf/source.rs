//! What a PDF library must give: pages of positioned spans. The rest of this module is our own.

use super::super::ExtractError;
use super::paint::Ground;

/// An axis-aligned box in page space, y upwards, in points.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Area {
    pub x0: f32,
    pub y0: f32,
    pub x1: f32,
    pub y1: f32,
}

impl Area {
    pub(super) fn contains(&self, x: f32, y: f32) -> bool {
        x >= self.x0 && x <= self.x1 && y >= self.y0 && y <= self.y1
    }

    pub(super) fn size(&self) -> f32 {
        (self.x1 - self.x0).max(0.0) * (self.y1 - self.y0).max(0.0)
    }
}

/// A run of text as the file shows it.
#[derive(Debug, Clone, Default)]
pub(super) struct Span {
    pub text: String,
    /// Start of each character, one per character of `text`; empty when unknown.
    pub starts: Vec<f32>,
    pub x0: f32,
    pub x1: f32,
    /// The baseline.
    pub y: f32,
    /// Font size in points as it appears.
    pub size: f32,
    /// Quarter turns of the baseline in degrees clockwise: 0, 90, 180, 270.
    pub turn: i32,
    pub area: Area,
    pub bold: bool,
    /// Wingdings and its like.
    pub symbols: bool,
    /// Painted with a render mode that leaves no mark.
    pub invisible: bool,
    /// `None` for patterns.
    pub color: Option<[f32; 3]>,
}

/// One page.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub visible: Area,
    pub spans: Vec<Span>,
    pub images: Vec<Area>,
    pub links: Vec<(Area, String)>,
    pub ground: Ground,
    /// A part of the page could not be read.
    pub damaged: bool,
    /// Text in layers that are switched off.
    pub hidden_layers: u64,
}

/// A PDF that was opened.
pub(super) trait Source {
    /// Pages that the page tree really holds.
    fn pages(&self) -> usize;

    /// One page, from 0.
    ///
    /// # Errors
    /// When nothing of the page can be read.
    fn page(&self, index: usize) -> Result<Page, ExtractError>;
}
