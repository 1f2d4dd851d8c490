//! Segments to regions in reading order: columns are found by their gutters, from the whole page inwards.

use std::collections::HashSet;

use super::rows::{Segment, median};

/// Rows that a column needs on each side of its gutter.
const MIN_ROWS: usize = 3;
/// Width of a gutter in ems.
const MIN_GUTTER_EM: f32 = 0.7;
/// Share of the region's text that a column needs, in percent.
const MIN_TEXT_PERCENT: usize = 3;
/// Regions inside regions.
const MAX_DEPTH: usize = 8;
/// Edges tried as gutters of one region.
const MAX_CANDIDATES: usize = 400;
/// Baselines closer than this many ems coincide.
const SAME_BASELINE_EM: f32 = 0.15;
/// Lines further apart than this many ems do not touch.
const CLEAR_EM: f32 = 0.9;
/// Share of a side's rows on the other's baselines or clear of its lines, from which the two belong together.
const COINCIDE_PERCENT: usize = 85;
/// Share of rows that must lie on a baseline of the other side at least, in percent.
const MIN_ON_PERCENT: usize = 40;
/// Share of rows on each other's baselines that makes a table, in percent.
const TABLE_PERCENT: usize = 95;
/// A side with at most this share of the other's rows is sparse, in percent.
const SPARSE_PERCENT: usize = 60;
/// Labels are at most this long on average, in characters.
const LABEL_CHARS: usize = 22;

/// A column or a full-width band.
#[derive(Debug, Default)]
pub(super) struct Region {
    /// Top row first, from left to right.
    pub segments: Vec<Segment>,
    /// The middle of the gutter behind a column of headings, which stand beside their text.
    pub headings_until: Option<f32>,
}

/// Cuts a page into regions in reading order; the right column comes first when `rtl`.
pub(super) fn regions(segments: Vec<Segment>, rtl: bool) -> Vec<Region> {
    let mut out = Vec::new();
    cut(segments, rtl, 0, &mut out);
    out
}

fn cut(segments: Vec<Segment>, rtl: bool, depth: usize, out: &mut Vec<Region>) {
    if segments.is_empty() {
        return;
    }
    let gutters = if depth < MAX_DEPTH { gutters(&segments) } else { Vec::new() };
    let mut sizes: Vec<f32> = segments.iter().map(|segment| segment.size).collect();
    let em = median(&mut sizes);
    let Some(band) = gutters.iter().find(|band| !belongs_together(&segments, band, em)) else {
        let headings_until =
            gutters.iter().find(|band| has_heading_column(&segments, band, rtl)).map(|band| band.x);
        out.push(Region { segments, headings_until });
        return;
    };
    let (mut above, mut left, mut right, mut below) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for segment in segments {
        if segment.row < band.first_row {
            above.push(segment);
        } else if segment.row > band.last_row {
            below.push(segment);
        } else if segment.x0 < band.x {
            left.push(segment);
        } else {
            right.push(segment);
        }
    }
    let (first, second) = if rtl { (right, left) } else { (left, right) };
    for part in [above, first, second, below] {
        cut(part, rtl, depth + 1, out);
    }
}

/// A gutter and the rows it runs along.
#[derive(Debug, Clone, Copy)]
struct Band {
    x: f32,
    first_row: usize,
    last_row: usize,
    score: usize,
}

/// All gutters of a region, the one beside most text first.
fn gutters(segments: &[Segment]) -> Vec<Band> {
    let mut sizes: Vec<f32> = segments.iter().map(|segment| segment.size).collect();
    let em = median(&mut sizes);
    let total: usize = segments.iter().map(Segment::chars).sum();
    let mut bands: Vec<Band> = Vec::new();
    for x in candidates(segments) {
        for band in bands_at(segments, x, em, total) {
            bands.push(band);
        }
    }
    bands.sort_by(|a, b| b.score.cmp(&a.score).then(a.x.total_cmp(&b.x)));
    bands
}

/// Just left of where segments begin, and just right of where they end.
fn candidates(segments: &[Segment]) -> Vec<f32> {
    let mut seen = HashSet::new();
    let edges = segments.iter().flat_map(|segment| [segment.x0 - 0.5, segment.x1 + 0.5]);
    edges.filter(|x| seen.insert(x.round() as i32)).take(MAX_CANDIDATES).collect()
}

#[derive(Default)]
struct Side {
    rows: usize,
    chars: usize,
    last_row: Option<usize>,
    edge: Option<f32>,
}

impl Side {
    fn add(&mut self, segment: &Segment, edge: f32) {
        self.rows += usize::from(self.last_row != Some(segment.row));
        self.last_row = Some(segment.row);
        self.chars += segment.chars();
        self.edge = Some(edge);
    }
}

/// The runs of rows that nothing crosses at `x` and that have a column on both sides.
fn bands_at(segments: &[Segment], x: f32, em: f32, total: usize) -> Vec<Band> {
    let crosses = |segment: &Segment| segment.x0 < x && segment.x1 > x;
    let crossed: HashSet<usize> = segments.iter().filter(|s| crosses(s)).map(|s| s.row).collect();
    let mut out = Vec::new();
    let (mut left, mut right) = (Side::default(), Side::default());
    let mut rows: Option<(usize, usize)> = None;
    let mut end = |left: &mut Side, right: &mut Side, rows: &mut Option<(usize, usize)>| {
        let (l, r) = (std::mem::take(left), std::mem::take(right));
        let Some((first_row, last_row)) = rows.take() else { return };
        let gutter = r.edge.zip(l.edge).map_or(0.0, |(right, left)| right - left);
        let enough = l.rows.min(r.rows) >= MIN_ROWS && l.chars.min(r.chars) * 100 >= total * MIN_TEXT_PERCENT;
        if enough && gutter >= MIN_GUTTER_EM * em {
            // More text beside the gutter counts first, then more rows along it.
            out.push(Band {
                x,
                first_row,
                last_row,
                score: l.chars.min(r.chars) * (last_row - first_row + 1),
            });
        }
    };
    for segment in segments {
        if crossed.contains(&segment.row) {
            end(&mut left, &mut right, &mut rows);
            continue;
        }
        rows = Some(rows.map_or((segment.row, segment.row), |(first, _)| (first, segment.row)));
        if segment.x1 <= x {
            let edge = left.edge.map_or(segment.x1, |edge| edge.max(segment.x1));
            left.add(segment, edge);
        } else {
            let edge = right.edge.map_or(segment.x0, |edge| edge.min(segment.x0));
            right.add(segment, edge);
        }
    }
    end(&mut left, &mut right, &mut rows);
    out
}

fn sides<'s>(segments: &'s [Segment], band: &Band) -> (Vec<&'s Segment>, Vec<&'s Segment>) {
    let inside = |segment: &&Segment| (band.first_row..=band.last_row).contains(&segment.row);
    segments.iter().filter(inside).partition(|segment| segment.x0 < band.x)
}

/// Whether the two sides are one text: dates at the right margin, labels and values, a table of data.
fn belongs_together(segments: &[Segment], band: &Band, em: f32) -> bool {
    let (left, right) = sides(segments, band);
    let (in_left, in_right) = (on_baselines(&left, &right, em), on_baselines(&right, &left, em));
    attached(&left, &right, in_left)
        || attached(&right, &left, in_right)
        || is_table(&left, &right, in_left, in_right)
}

/// How a side's rows lie towards the other side, in percent of them.
#[derive(Debug, Clone, Copy)]
struct Fit {
    /// On a baseline of the other side.
    on: usize,
    /// Neither on a baseline nor clear of the other side's lines.
    between: usize,
}

fn baselines(segments: &[&Segment]) -> Vec<f32> {
    let mut rows: Vec<(usize, f32)> = segments.iter().map(|s| (s.row, s.y)).collect();
    rows.dedup_by_key(|(row, _)| *row);
    rows.into_iter().map(|(_, y)| y).collect()
}

fn on_baselines(side: &[&Segment], other: &[&Segment], em: f32) -> Fit {
    let (rows, others) = (baselines(side), baselines(other));
    let distance = |y: &f32| others.iter().map(|other| (other - y).abs()).fold(f32::INFINITY, f32::min);
    let on = rows.iter().filter(|y| distance(y) <= SAME_BASELINE_EM * em).count();
    let clear = rows.iter().filter(|y| distance(y) >= CLEAR_EM * em).count();
    let all = rows.len().max(1);
    Fit { on: on * 100 / all, between: (rows.len() - on - clear) * 100 / all }
}

/// Whether `side` only makes sense beside `other`.
fn attached(side: &[&Segment], other: &[&Segment], fit: Fit) -> bool {
    if fit.between > 100 - COINCIDE_PERCENT || fit.on < MIN_ON_PERCENT {
        return false;
    }
    let sparse = baselines(side).len() * 100 <= baselines(other).len() * SPARSE_PERCENT;
    let chars: usize = side.iter().map(|segment| segment.chars()).sum();
    let short = chars <= LABEL_CHARS * side.len();
    let most = |test: fn(&Segment) -> bool| side.iter().filter(|s| test(s)).count() * 10 >= side.len() * 6;
    sparse && chars <= 2 * LABEL_CHARS * side.len() || short && (most(looks_dated) || most(is_label))
}

/// Cells side by side: every row on both sides, and no headings over two columns.
fn is_table(left: &[&Segment], right: &[&Segment], in_left: Fit, in_right: Fit) -> bool {
    let headed = |side: &[&Segment]| {
        let mut sizes: Vec<f32> = side.iter().map(|segment| segment.size).collect();
        let usual = median(&mut sizes);
        side.first().is_some_and(|first| first.size > 1.08 * usual)
    };
    in_left.on.min(in_right.on) >= TABLE_PERCENT && !(headed(left) && headed(right))
}

/// Whether the side where reading starts holds nothing but section headings beside their text.
fn has_heading_column(segments: &[Segment], band: &Band, rtl: bool) -> bool {
    let (left, right) = sides(segments, band);
    let (headings, text) = if rtl { (right, left) } else { (left, right) };
    let digits = headings.iter().filter(|segment| looks_dated(segment)).count();
    let labels = headings.iter().filter(|segment| is_label(segment)).count();
    let chars: usize = headings.iter().map(|segment| segment.chars()).sum();
    let short = chars <= LABEL_CHARS * headings.len();
    short
        && digits * 10 <= headings.len()
        && labels * 10 <= headings.len()
        && headings.len() * 2 <= baselines(&text).len()
}

fn looks_dated(segment: &Segment) -> bool {
    let digits = |unit: &str| unit.chars().filter(|c| c.is_numeric()).count();
    segment.units.iter().map(|unit| digits(&unit.text)).sum::<usize>() >= 2
}

fn is_label(segment: &Segment) -> bool {
    let colon = |unit: &super::unit::Unit| unit.text.ends_with([':', '：']) || unit.text.starts_with(':');
    segment.units.last().is_some_and(colon) || segment.units.first().is_some_and(colon)
}
