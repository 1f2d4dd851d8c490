//! One open paragraph: its runs become one line, or several where it breaks.

use tandem_domain::finding::FindingKind;

use super::super::Line;
use super::Row;
use super::properties::{ParaProps, RunProps, same_color};
use super::styles::{Resolved, Styles};

/// Text under 2 points (4 half points) is not read by people.
const TINY_HALF_POINTS: u16 = 4;
/// The line height of a font in hundredths of its size, as Word's single spacing.
const LINE_HEIGHT_PERCENT: u32 = 120;

#[derive(Debug, Default)]
pub(super) struct Paragraph {
    pub props: ParaProps,
    pub run: RunProps,
    pub run_style: Option<String>,
    /// Open `w:pPr`, `w:rPr` and `w:r` elements of this paragraph.
    pub in_props: u32,
    pub in_run_props: u32,
    pub in_run: u32,
    /// Lines of text boxes anchored here; they follow the paragraph.
    pub boxes: Vec<Row>,
    /// Letters that nobody sees, by reason.
    pub hidden: Vec<(FindingKind, u64)>,
    segments: Vec<Segment>,
    style: Option<Resolved>,
}

#[derive(Debug, Default)]
struct Segment {
    text: String,
    letters: usize,
    /// Letters and bold letters since the last tab.
    cell: (usize, usize),
    /// A cell before that was mostly bold.
    bold: bool,
    sizes: Vec<(u16, usize)>,
    links: Vec<String>,
    page: u32,
}

impl Segment {
    fn end_cell(&mut self) {
        let (letters, bold) = std::mem::take(&mut self.cell);
        self.bold |= bold * 2 > letters;
    }
}

/// What text lies on.
pub(super) enum Ground {
    /// Six hex digits.
    Color(String),
    /// A picture, a shape or a table style: nothing can be said.
    Unknown,
}

impl Paragraph {
    /// Takes in the text of a run.
    pub(super) fn text(&mut self, text: &str, styles: &Styles, ground: Ground, page: u32) {
        let style = self.style.get_or_insert_with(|| styles.paragraph(self.props.style.as_deref()));
        let base = match &self.run_style {
            Some(id) => styles.character(id).over(&style.run),
            None => style.run.clone(),
        };
        let run = self.run.over(&base);
        let letters = text.chars().filter(|c| !c.is_whitespace()).count();
        let ground = match run.fill.as_ref().or(self.props.fill.as_ref()).or(style.para.fill.as_ref()) {
            Some(fill) => Ground::Color(fill.clone()),
            None => ground,
        };
        if let Some(kind) = hidden_kind(&run, &ground).filter(|_| letters > 0) {
            self.hidden.push((kind, letters as u64));
            return;
        }
        let segment = self.segment(page);
        if run.symbol_font {
            segment.text.extend(text.chars().map(private_use));
        } else {
            segment.text.push_str(text);
        }
        segment.letters += letters;
        segment.cell.0 += letters;
        segment.cell.1 += if run.bold == Some(true) { letters } else { 0 };
        let size = run.half_points.unwrap_or_default().saturating_mul(5);
        match segment.sizes.iter_mut().find(|(known, _)| *known == size) {
            Some((_, count)) => *count += letters,
            None => segment.sizes.push((size, letters)),
        }
    }

    /// A tab or a symbol of a run: no letters, no style.
    pub(super) fn mark(&mut self, c: char, page: u32) {
        let segment = self.segment(page);
        segment.text.push(c);
        if c == '\t' {
            segment.end_cell();
        }
    }

    pub(super) fn link(&mut self, uri: String, page: u32) {
        self.segment(page).links.push(uri);
    }

    /// Ends the line within the paragraph.
    pub(super) fn break_line(&mut self, page: u32) {
        self.segments.push(Segment { page, ..Segment::default() });
    }

    fn segment(&mut self, page: u32) -> &mut Segment {
        if self.segments.is_empty() {
            self.segments.push(Segment { page, ..Segment::default() });
        }
        let last = self.segments.len() - 1;
        &mut self.segments[last]
    }

    /// The paragraph's lines. `gap` is the space above in tenths of a line, from empty paragraphs.
    pub(super) fn rows(&mut self, styles: &Styles, block: u32, gap: u16) -> Vec<Row> {
        let style = self.style.take().unwrap_or_else(|| styles.paragraph(self.props.style.as_deref()));
        let props = self.props.over(&style.para);
        let heading = match self.props.outline {
            Some(level @ 0..=5) => level + 1,
            Some(_) => 0,
            None => style.heading,
        };
        let mut rows = Vec::new();
        for mut segment in std::mem::take(&mut self.segments) {
            segment.end_cell();
            if segment.letters == 0 && segment.links.is_empty() && segment.text.trim().is_empty() {
                continue;
            }
            let size = segment.sizes.iter().max_by_key(|(_, count)| *count).map_or(0, |(size, _)| *size);
            let first = rows.is_empty();
            let line = Line {
                text: segment.text,
                page: segment.page,
                block,
                size,
                bold: segment.bold,
                bullet: first && heading == 0 && props.numbered == Some(true),
                heading,
                space_above: if first { gap.saturating_add(space_tenths(props.before, size)) } else { 0 },
                icon_before: false,
                rtl: props.rtl == Some(true),
            };
            rows.push(Row { line, links: segment.links });
        }
        rows
    }
}

fn space_tenths(before: Option<u16>, size: u16) -> u16 {
    let (Some(twentieths), true) = (before, size > 0) else { return 0 };
    // Twentieths of a point over tenths of a point times the line height, in tenths.
    let tenths = u32::from(twentieths) * 500 / (u32::from(size) * LINE_HEIGHT_PERCENT / 10 * 10).max(1);
    u16::try_from(tenths).unwrap_or(u16::MAX)
}

fn hidden_kind(run: &RunProps, ground: &Ground) -> Option<FindingKind> {
    if run.vanish == Some(true) {
        return Some(FindingKind::HiddenText);
    }
    if run.half_points.is_some_and(|size| size < TINY_HALF_POINTS) {
        return Some(FindingKind::TinyText);
    }
    match (&run.color, ground) {
        (Some(color), Ground::Color(ground)) if same_color(color, ground) => Some(FindingKind::HiddenText),
        _ => None,
    }
}

/// Symbol fonts show a picture for each letter; Word itself writes them at F000 and up.
fn private_use(c: char) -> char {
    match c {
        '!'..='ÿ' => char::from_u32(0xF000 + u32::from(c)).unwrap_or(c),
        _ => c,
    }
}
