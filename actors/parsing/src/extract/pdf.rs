//! PDF: spans from a library behind [`source::Source`]; lines, columns and writing direction are our own.

mod bidi;
mod boss;
mod columns;
mod fallback;
mod hidden;
mod line;
mod paint;
mod rows;
mod source;
mod unit;

use tandem_domain::finding::FindingKind;

use super::clean::is_rtl_letter;
use super::collect::Collector;
use super::{ExtractError, Extracted, Limits, MediaKind};
use boss::Boss;
use columns::Region;
use line::Composed;
use source::{Area, Page, Source, Span};

const FORMAT: &str = "PDF";
/// Pieces of text on one page; a dense page of newsprint has some 20,000 glyphs.
const MAX_SPANS_PER_PAGE: usize = 200_000;
/// Share of Arabic and Hebrew among the letters that makes a page right to left, in percent.
const RTL_PERCENT: usize = 30;
/// A region continues one of the page before when it covers this share of the same width.
const SAME_COLUMN: f32 = 0.7;
/// How far a link without text may be from the line it belongs to, in points.
const LINK_REACH: f32 = 30.0;
/// Fewer visible letters than this on a page with a picture is a scan.
const SCAN_LETTERS: usize = 20;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Extracted, ExtractError> {
    let mut reader =
        Reader { out: Collector::new(limits), next_block: 0, columns: Vec::new(), letters: 0, spans: 0 };
    let opened = Boss::open(bytes);
    let pages = match &opened {
        Ok(source) => reader.document(source, limits)?,
        Err(ExtractError::Encrypted) => return Err(ExtractError::Encrypted),
        Err(_) => 0,
    };
    // Hidden text was text too: only a file in which nothing was found gets the second reader.
    if reader.spans > 0 || pages > 0 && reader.letters > 0 {
        return reader.out.finish(MediaKind::Pdf, pages, None);
    }
    let mut second = Collector::new(limits);
    match (fallback::read(bytes, limits, &mut second), opened) {
        (Ok(pages), _) if !second.lines().is_empty() => second.finish(MediaKind::Pdf, pages, None),
        (Err(error @ ExtractError::Encrypted), _) => Err(error),
        (_, Ok(_)) => reader.out.finish(MediaKind::Pdf, pages, None),
        (_, Err(error)) => Err(error),
    }
}

struct Reader {
    out: Collector,
    next_block: u32,
    /// Left and right edge and number of the columns of the page before.
    columns: Vec<(f32, f32, u32)>,
    letters: usize,
    spans: usize,
}

impl Reader {
    fn document(&mut self, source: &impl Source, limits: &Limits) -> Result<u32, ExtractError> {
        let pages = u32::try_from(source.pages()).unwrap_or(u32::MAX);
        if pages > limits.pages {
            return Err(ExtractError::limit("pages"));
        }
        for index in 0..source.pages() {
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            match source.page(index) {
                Ok(page) => self.page(&page, number)?,
                Err(error @ ExtractError::LimitExceeded { .. }) => return Err(error),
                Err(_) => self.out.damage(number, "the page cannot be read"),
            }
        }
        Ok(pages)
    }

    fn page(&mut self, page: &Page, number: u32) -> Result<(), ExtractError> {
        if page.damaged {
            self.out.damage(number, "a part of the page cannot be read");
        }
        let mut visible: Vec<&Span> = Vec::new();
        for span in &page.spans {
            let letters = span.text.chars().filter(|c| !c.is_whitespace()).count();
            self.spans += letters;
            match hidden::reason(span, page).filter(|_| letters > 0) {
                Some(kind) => self.out.hide(kind, number, letters as u64),
                None => visible.push(span),
            }
        }
        self.out.hide(FindingKind::HiddenText, number, page.hidden_layers);
        let letters: usize = visible.iter().map(|span| span.text.trim().chars().count()).sum();
        self.letters += letters;
        if letters < SCAN_LETTERS && page.images.iter().any(|image| image.size() * 3.0 > page.visible.size())
        {
            self.out.scanned(number);
        }
        let rtl = is_rtl_page(&visible);
        let mut columns = Vec::new();
        let mut linked = vec![false; page.links.len()];
        let mut shown: Vec<(Area, u32)> = Vec::new();
        for turn in turns(&visible) {
            let spans: Vec<&Span> = visible.iter().filter(|span| span.turn == turn).copied().collect();
            for region in columns::regions(rows::segments(unit::units(&spans, &page.links)), rtl) {
                let block = self.block(&region, &mut columns);
                for mut composed in line::lines(region, number, block, rtl) {
                    let area = composed.area;
                    // Page space and the turned space of the layout are the same only for upright text.
                    let size = f32::from(composed.line.size) / 10.0;
                    composed.line.bullet = turn == 0 && page.ground.dotted(&area, size, rtl);
                    if let Some(at) = self.push(composed, page, &mut linked)? {
                        shown.push((area, at));
                    }
                }
            }
        }
        self.columns = columns;
        self.loose_links(page, &linked, &shown);
        Ok(())
    }

    fn push(
        &mut self,
        composed: Composed,
        page: &Page,
        linked: &mut [bool],
    ) -> Result<Option<u32>, ExtractError> {
        if is_page_number(&composed.line.text) {
            return Ok(None);
        }
        let at = self.out.push(composed.line)?;
        for link in composed.links {
            if let (Some((_, uri)), Some(linked)) = (page.links.get(link), linked.get_mut(link)) {
                self.out.link(uri, at);
                *linked = true;
            }
        }
        Ok(at)
    }

    /// Links over pictures belong to the line they stand beside.
    fn loose_links(&mut self, page: &Page, linked: &[bool], shown: &[(Area, u32)]) {
        for ((area, uri), _) in page.links.iter().zip(linked).filter(|(_, linked)| !**linked) {
            let middle = (area.y0 + area.y1) / 2.0;
            let distance = |line: &Area| (line.x0 - area.x1).max(area.x0 - line.x1).max(0.0);
            let beside = shown.iter().filter(|(line, _)| middle >= line.y0 && middle <= line.y1);
            let nearest = beside.min_by(|(a, _), (b, _)| distance(a).total_cmp(&distance(b)));
            let line = nearest.filter(|(line, _)| distance(line) <= LINK_REACH).map(|(_, at)| *at);
            self.out.link(uri, line);
        }
    }

    /// The number of a region: that of the column it continues, else a new one.
    fn block(&mut self, region: &Region, columns: &mut Vec<(f32, f32, u32)>) -> u32 {
        let x0 = region.segments.iter().map(|segment| segment.x0).fold(f32::INFINITY, f32::min);
        let x1 = region.segments.iter().map(|segment| segment.x1).fold(f32::NEG_INFINITY, f32::max);
        let same = |(a, b, _): &&(f32, f32, u32)| {
            let shared = x1.min(*b) - x0.max(*a);
            shared >= SAME_COLUMN * (x1.max(*b) - x0.min(*a))
        };
        let taken = |block: u32| columns.iter().any(|(_, _, known)| *known == block);
        let known = self.columns.iter().find(same).map(|(_, _, block)| *block).filter(|block| !taken(*block));
        let block = known.unwrap_or(self.next_block);
        if known.is_none() {
            self.next_block += 1;
        }
        columns.push((x0, x1, block));
        block
    }
}

/// The directions of the baselines of a page, the most used first.
fn turns(spans: &[&Span]) -> Vec<i32> {
    let mut counts: Vec<(i32, usize)> = Vec::new();
    for span in spans {
        let count = span.text.chars().count();
        match counts.iter_mut().find(|(turn, _)| *turn == span.turn) {
            Some((_, known)) => *known += count,
            None => counts.push((span.turn, count)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.into_iter().map(|(turn, _)| turn).collect()
}

fn is_rtl_page(spans: &[&Span]) -> bool {
    let letters = || spans.iter().flat_map(|span| span.text.chars()).filter(|c| c.is_alphabetic());
    letters().filter(|c| is_rtl_letter(*c)).count() * 100 > letters().count() * RTL_PERCENT
}

/// "3", "3 / 5", "Page 3 of 5": part of the paper, not of the text.
fn is_page_number(text: &str) -> bool {
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || matches!(c, '/' | '|' | '-' | '–'))
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect();
    let number = |word: &String| word.len() <= 3 && word.chars().all(char::is_numeric);
    match words.as_slice() {
        [page, rest @ ..] if page == "page" || page == "صفحة" => {
            !rest.is_empty() && rest.len() <= 3 && rest.iter().all(|w| number(w) || w == "of" || w == "من")
        }
        _ => false,
    }
}
