//! Units to rows, rows to segments: runs of text without a wide gap.

use super::super::clean::is_rtl_letter;
use super::unit::Unit;

/// Baselines closer than this many ems of the smaller text are one row.
const SAME_ROW_EM: f32 = 0.35;
/// A gap wider than this many ems ends a segment.
const SEGMENT_GAP_EM: f32 = 1.15;
/// ... and wider than this many usual gaps of the row, which justified text stretches.
const SEGMENT_GAP_MEDIANS: f32 = 2.2;
/// A gap wider than this is a space.
const LATIN_SPACE_EM: f32 = 0.12;
const ARABIC_SPACE_EM: f32 = 0.28;
/// Lines of single characters further apart than this are letter-spaced ...
const SPACED_LETTERS_EM: f32 = 0.09;
/// ... and then a space is that many usual gaps.
const SPACED_LETTERS_MEDIANS: f32 = 2.5;
/// A row smaller than this part of its neighbor is a superscript or subscript.
const SCRIPT_SIZE: f32 = 0.8;

/// A run of text on one baseline; units from left to right, none blank.
#[derive(Debug, Clone, Default)]
pub(super) struct Segment {
    pub units: Vec<Unit>,
    pub x0: f32,
    pub x1: f32,
    pub y: f32,
    pub size: f32,
    /// Rows count from the top of the page.
    pub row: usize,
}

impl Segment {
    pub(super) fn chars(&self) -> usize {
        self.units.iter().map(|unit| unit.text.chars().count()).sum()
    }
}

/// All segments of a page, top row first, from left to right.
pub(super) fn segments(units: Vec<Unit>) -> Vec<Segment> {
    let mut out = Vec::new();
    for (row, units) in attach_scripts(rows(units)).into_iter().enumerate() {
        out.extend(split(units, row));
    }
    out
}

fn rows(mut units: Vec<Unit>) -> Vec<Vec<Unit>> {
    units.sort_by(|a, b| b.y.total_cmp(&a.y));
    let mut rows: Vec<Vec<Unit>> = Vec::new();
    for unit in units {
        // Compared with the row's first unit, so that rows do not drift down a slope.
        let first = rows.last().and_then(|row| row.first());
        let same = first.is_some_and(|first| first.y - unit.y <= SAME_ROW_EM * first.size.min(unit.size));
        match rows.last_mut().filter(|_| same) {
            Some(row) => row.push(unit),
            None => rows.push(vec![unit]),
        }
    }
    rows
}

/// Moves a row of small text (superscripts, degree signs) into the row whose text it touches.
fn attach_scripts(rows: Vec<Vec<Unit>>) -> Vec<Vec<Unit>> {
    let mut out: Vec<Vec<Unit>> = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(above) = out.last_mut() else {
            out.push(row);
            continue;
        };
        if is_script_of(above, &row) || is_script_of(&row, above) {
            let small_above = size(above) < size(&row);
            let (mut base, scripts) =
                if small_above { (row, std::mem::take(above)) } else { (std::mem::take(above), row) };
            let y = base.first().map_or(0.0, |unit| unit.y);
            base.extend(scripts.into_iter().map(|unit| Unit { y, ..unit }));
            *above = base;
        } else {
            out.push(row);
        }
    }
    out
}

fn is_script_of(small: &[Unit], base: &[Unit]) -> bool {
    let (small_size, base_size) = (size(small), size(base));
    if small_size >= SCRIPT_SIZE * base_size || small.len() > 40 {
        return false;
    }
    let near = |a: &Unit, b: &Unit| {
        (a.y - b.y).abs() <= 0.5 * base_size
            && a.x0 - b.x1 <= 0.3 * base_size
            && b.x0 - a.x1 <= 0.3 * base_size
    };
    small.iter().all(|unit| base.iter().any(|other| near(unit, other) && !other.text.trim().is_empty()))
}

fn size(units: &[Unit]) -> f32 {
    units.iter().map(|unit| unit.size).fold(0.0, f32::max)
}

/// Cuts a row at its wide gaps. Blank units only leave a mark that a space was drawn.
fn split(mut units: Vec<Unit>, row: usize) -> Vec<Segment> {
    units.sort_by(|a, b| a.center().total_cmp(&b.center()));
    let mut visible: Vec<Unit> = Vec::with_capacity(units.len());
    let mut space = false;
    for mut unit in units {
        if unit.text.trim().is_empty() {
            space = true;
            continue;
        }
        let starts_blank = unit.text.starts_with(char::is_whitespace);
        let ends_blank = unit.text.ends_with(char::is_whitespace);
        unit.space_before = space || starts_blank;
        space = ends_blank;
        unit.text = unit.text.trim().to_owned();
        visible.push(unit);
    }
    mark_spaces(&mut visible);
    // A gutter between two words would make itself usual: only gaps that may be word spaces count.
    let is_word_gap =
        |gap: f32, unit: &Unit| unit.space_before && gap > 0.0 && gap <= SEGMENT_GAP_EM * unit.size;
    let mut word_gaps: Vec<f32> =
        gaps(&visible).filter(|(gap, unit)| is_word_gap(*gap, unit)).map(|(g, _)| g).collect();
    let usual = median(&mut word_gaps);
    let mut out: Vec<Segment> = Vec::new();
    for unit in visible {
        // Of two sizes the smaller one counts: a big name beside a column of small text.
        let before = out.last().and_then(|segment| segment.units.last()).map_or(unit.size, |last| last.size);
        let em = unit.size.min(before).max(1.0);
        let gap = out.last().map(|segment: &Segment| unit.x0 - segment.x1);
        let wide = |gap: f32| gap > SEGMENT_GAP_EM * em && gap > SEGMENT_GAP_MEDIANS * usual;
        match out.last_mut().filter(|_| !gap.is_none_or(wide)) {
            Some(segment) => {
                segment.x1 = segment.x1.max(unit.x1);
                segment.size = segment.size.max(unit.size);
                segment.units.push(unit);
            }
            None => out.push(Segment {
                x0: unit.x0,
                x1: unit.x1,
                y: unit.y,
                size: unit.size,
                row,
                units: vec![unit],
            }),
        }
    }
    out
}

/// Sets `space_before` where the distance says so.
fn mark_spaces(units: &mut [Unit]) {
    let single = units.iter().filter(|unit| unit.text.chars().count() == 1).count();
    let mut distances: Vec<f32> = gaps(units).map(|(gap, unit)| gap / unit.size.max(1.0)).collect();
    let usual = median(&mut distances);
    let spaced_out = units.len() >= 4 && single * 10 >= units.len() * 8 && usual > SPACED_LETTERS_EM;
    let mut previous: Option<(f32, bool)> = None;
    for unit in units {
        let arabic = unit.text.chars().any(is_rtl_letter);
        if let Some((end, was_arabic)) = previous {
            let threshold = if spaced_out {
                usual * SPACED_LETTERS_MEDIANS
            } else if arabic && was_arabic {
                ARABIC_SPACE_EM
            } else {
                LATIN_SPACE_EM
            };
            let gap = (unit.x0 - end) / unit.size.max(1.0);
            // Letter-spaced lines draw a blank behind every letter now and then.
            unit.space_before = gap > threshold || unit.space_before && !spaced_out;
        } else {
            unit.space_before = false;
        }
        previous = Some((previous.map_or(unit.x1, |(end, _)| end.max(unit.x1)), arabic));
    }
}

fn gaps(units: &[Unit]) -> impl Iterator<Item = (f32, &Unit)> {
    units.iter().zip(units.iter().skip(1)).map(|(a, b)| (b.x0 - a.x1, b))
}

/// The middle value; 0 for none.
pub(super) fn median(values: &mut [f32]) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
