//! A region's rows to lines.

use super::super::Line;
use super::super::clean::{is_rtl, is_rtl_letter};
use super::bidi::{Piece, reading_order};
use super::columns::Region;
use super::rows::{Segment, median};
use super::source::Area;

/// The usual distance of baselines in ems; what is more is space.
const LEADING_EM: f32 = 1.25;
/// Rows that a region needs before its own distance of baselines is believed.
const MIN_LEADING_ROWS: usize = 4;
/// Lines of one broken heading are not further apart than this many ems.
const HEADING_LEADING_EM: f32 = 1.5;

/// A line and the page's links that it carries.
pub(super) struct Composed {
    pub line: Line,
    pub links: Vec<usize>,
    /// Where it stands.
    pub area: Area,
}

/// The lines of one region, top to bottom. `page` counts from 1; `rtl` is the page's base direction.
pub(super) fn lines(region: Region, page: u32, block: u32, rtl: bool) -> Vec<Composed> {
    let mut out: Vec<Composed> = Vec::new();
    let mut above: Option<f32> = None;
    let rows = rows(region, rtl);
    let leading = leading(&rows);
    for row in rows {
        let y = row.first().map_or(0.0, |segment| segment.y);
        let size = row.iter().map(|segment| segment.size).fold(0.0, f32::max);
        let mut composed = compose(&row, rtl);
        composed.line.page = page;
        composed.line.block = block;
        composed.line.space_above = above.map_or(0, |above| space(above - y, size, leading));
        above = Some(y);
        out.push(composed);
    }
    out
}

/// Segments by row. Headings that stand in a column beside their text come as rows of their own before it.
fn rows(region: Region, rtl: bool) -> Vec<Vec<Segment>> {
    let is_heading = |segment: &Segment| match region.headings_until {
        Some(x) if rtl => segment.x0 >= x,
        Some(x) => segment.x1 <= x,
        None => false,
    };
    let (headings, text): (Vec<Segment>, Vec<Segment>) =
        region.segments.iter().cloned().partition(is_heading);
    let mut rows: Vec<Vec<Segment>> = merge(headings, rtl).into_iter().map(|heading| vec![heading]).collect();
    let own = rows.len();
    for segment in text {
        let last = rows.len();
        match rows
            .last_mut()
            .filter(|row| last > own && row.first().is_some_and(|first| first.row == segment.row))
        {
            Some(row) => row.push(segment),
            None => rows.push(vec![segment]),
        }
    }
    // Stable: a heading stays before the text of its row.
    rows.sort_by_key(|row| row.first().map_or(0, |segment| segment.row));
    rows
}

/// A heading that its narrow column broke into lines becomes one again.
fn merge(headings: Vec<Segment>, rtl: bool) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    for heading in headings {
        let broken = |last: &&mut Segment| last.y - heading.y <= HEADING_LEADING_EM * heading.size && !rtl;
        match out.last_mut().filter(broken) {
            Some(last) => {
                last.y = heading.y;
                let mut units = heading.units;
                if let Some(first) = units.first_mut() {
                    first.space_before = true;
                }
                last.units.append(&mut units);
            }
            None => out.push(heading),
        }
    }
    out
}

/// The usual distance of baselines of these rows, in ems.
fn leading(rows: &[Vec<Segment>]) -> f32 {
    let firsts = || rows.iter().filter_map(|row| row.first());
    let pairs = firsts().zip(firsts().skip(1));
    let mut ratios: Vec<f32> =
        pairs.map(|(a, b)| (a.y - b.y) / b.size.max(1.0)).filter(|r| *r > 0.5).collect();
    if ratios.len() < MIN_LEADING_ROWS {
        return LEADING_EM;
    }
    median(&mut ratios).clamp(LEADING_EM * 0.8, LEADING_EM * 1.6)
}

fn compose(row: &[Segment], page_rtl: bool) -> Composed {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut links: Vec<usize> = Vec::new();
    let mut bold = false;
    let mut sizes: Vec<(u16, usize)> = Vec::new();
    for (at, segment) in row.iter().enumerate() {
        let (mut cell, mut heavy) = (0, 0);
        for (index, unit) in segment.units.iter().enumerate() {
            let gap = match index {
                0 => (at > 0).then_some('\t'),
                _ => unit.space_before.then_some(' '),
            };
            pieces.push(Piece { text: unit.text.clone(), gap });
            let count = unit.text.chars().count();
            cell += count;
            heavy += if unit.bold { count } else { 0 };
            let size = (unit.size * 10.0).round().clamp(0.0, f32::from(u16::MAX)) as u16;
            match sizes.iter_mut().find(|(known, _)| known.abs_diff(size) <= 1) {
                Some((_, weight)) => *weight += count,
                None => sizes.push((size, count)),
            }
            links.extend(unit.links.iter().filter(|link| !links.contains(link)).copied().collect::<Vec<_>>());
        }
        bold |= heavy * 2 > cell;
    }
    let visual: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
    let rtl = is_rtl(&visual) || page_rtl && (visual.chars().any(is_rtl_letter) || !has_latin(&visual));
    // In a right-to-left page a line without Arabic still runs from the right: a value left of its label.
    let text = reading_order(&pieces, rtl || page_rtl);
    let size = sizes.into_iter().max_by_key(|(_, weight)| *weight).map_or(0, |(size, _)| size);
    let line = Line { text, size, bold, rtl, ..Line::default() };
    Composed { line, links, area: area(row) }
}

fn area(row: &[Segment]) -> Area {
    let low = |of: fn(&Segment) -> f32| row.iter().map(of).fold(f32::INFINITY, f32::min);
    let high = |of: fn(&Segment) -> f32| row.iter().map(of).fold(f32::NEG_INFINITY, f32::max);
    Area {
        x0: low(|s| s.x0),
        x1: high(|s| s.x1),
        y0: low(|s| s.y - 0.4 * s.size),
        y1: high(|s| s.y + s.size),
    }
}

fn has_latin(text: &str) -> bool {
    text.chars().any(|c| c.is_alphabetic() && !is_rtl_letter(c))
}

fn space(distance: f32, size: f32, leading: f32) -> u16 {
    let usual = leading * size.max(1.0);
    ((distance / usual - 1.0) * 10.0).clamp(0.0, 500.0) as u16
}
