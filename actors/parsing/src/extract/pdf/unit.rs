//! Spans to units: the smallest pieces that the layout moves, deduplicated, with marks on their letters.

use std::collections::HashMap;

use super::super::clean::is_rtl_letter;
use super::source::{Area, Span};

/// The same text closer than this many ems is drawn twice to look bold.
const FAKE_BOLD_EM: f32 = 0.22;
/// ... but two narrow letters may stand that close: not within this part of their width.
const FAKE_BOLD_WIDTH: f32 = 0.6;

/// Text that keeps its inner order: one glyph (which may be a ligature), or a run from left to right.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Unit {
    pub text: String,
    pub x0: f32,
    pub x1: f32,
    pub y: f32,
    pub size: f32,
    pub bold: bool,
    /// White space was drawn before it, on its left.
    pub space_before: bool,
    /// Indexes of the links of the page that cover it.
    pub links: Vec<usize>,
}

impl Unit {
    pub(super) fn center(&self) -> f32 {
        (self.x0 + self.x1) / 2.0
    }
}

/// The visible units of spans that read in one direction of the paper, in page space turned upright.
pub(super) fn units(spans: &[&Span], links: &[(Area, String)]) -> Vec<Unit> {
    let exploded = spans.iter().any(|span| span.text.chars().any(is_rtl_letter));
    let mut out: Vec<Unit> = Vec::new();
    for span in spans {
        let (x0, x1, y) = upright(span);
        let (cx, cy) = ((span.area.x0 + span.area.x1) / 2.0, (span.area.y0 + span.area.y1) / 2.0);
        let covering: Vec<usize> = links
            .iter()
            .enumerate()
            .filter(|(_, (area, _))| area.contains(cx, cy))
            .map(|(at, _)| at)
            .collect();
        let base = Unit { y, size: span.size, bold: span.bold, links: covering, ..Unit::default() };
        for (text, from, to) in pieces(span, x0, x1, exploded) {
            let text = if span.symbols { text.chars().map(symbol).collect() } else { text };
            out.push(Unit { text, x0: from, x1: to, ..base.clone() });
        }
    }
    join_marks(deduplicate(out))
}

/// Start, end and baseline of a span in a page turned so that the span reads upright.
fn upright(span: &Span) -> (f32, f32, f32) {
    let a = span.area;
    match span.turn {
        90 => (a.y0, a.y1, -span.x0),
        180 => (-a.x1, -a.x0, -span.y),
        270 => (-a.y1, -a.y0, span.x1),
        _ => (span.x0, span.x1, span.y),
    }
}

/// Cuts a span where its glyphs begin; evenly where the file does not say and the page is bidirectional.
fn pieces(span: &Span, x0: f32, x1: f32, exploded: bool) -> Vec<(String, f32, f32)> {
    let count = span.text.chars().count();
    let known = span.turn == 0 && span.starts.len() == count;
    if count <= 1 || !known && !exploded {
        return vec![(span.text.clone(), x0, x1)];
    }
    if !known {
        let step = (x1 - x0) / count as f32;
        let cut =
            |(at, c): (usize, char)| (c.to_string(), x0 + step * at as f32, x0 + step * (at + 1) as f32);
        return span.text.chars().enumerate().map(cut).collect();
    }
    // Characters with one start are one glyph, its text in reading order.
    let mut glyphs: Vec<(String, f32)> = Vec::new();
    for (c, &start) in span.text.chars().zip(&span.starts) {
        match glyphs.last_mut() {
            Some((text, known)) if (*known - start).abs() < 0.001 => text.push(c),
            _ => glyphs.push((c.to_string(), start)),
        }
    }
    let mut order: Vec<f32> = glyphs.iter().map(|(_, start)| *start).collect();
    order.sort_by(f32::total_cmp);
    let end = |start: f32| {
        let next = order.partition_point(|known| *known <= start + 0.001);
        order.get(next).copied().unwrap_or(x1.max(start))
    };
    glyphs.into_iter().map(|(text, start)| (ligature(text), start, end(start))).collect()
}

/// A lam-alef ligature comes as the paper shows it, alef on the left; it reads lam first.
fn ligature(text: String) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(alef @ ('ا' | 'أ' | 'إ' | 'آ')), Some('ل')) if chars.clone().all(is_combining) => {
            format!("ل{alef}{}", chars.as_str())
        }
        _ => text,
    }
}

/// Symbol fonts encode pictures at the codes of letters.
fn symbol(c: char) -> char {
    match c {
        '!'..='ÿ' => char::from_u32(0xF000 + u32::from(c)).unwrap_or(c),
        _ => c,
    }
}

/// Drops what is drawn twice, and remembers that it looks bold.
fn deduplicate(units: Vec<Unit>) -> Vec<Unit> {
    let mut seen: HashMap<(String, i32), Vec<usize>> = HashMap::new();
    let mut out: Vec<Unit> = Vec::with_capacity(units.len());
    for unit in units {
        if unit.text.trim().is_empty() {
            out.push(unit);
            continue;
        }
        let near = (FAKE_BOLD_EM * unit.size).min(FAKE_BOLD_WIDTH * (unit.x1 - unit.x0)).max(0.05);
        let row = (unit.y / 2.0).round() as i32;
        let twin = (row - 1..=row + 1).find_map(|row| {
            seen.get(&(unit.text.clone(), row))?.iter().rev().take(8).copied().find(|&at| {
                out.get(at).is_some_and(|known| {
                    (known.x0 - unit.x0).abs() < near && (known.y - unit.y).abs() < FAKE_BOLD_EM * unit.size
                })
            })
        });
        match twin.and_then(|at| out.get_mut(at)) {
            Some(known) => known.bold = true,
            None => {
                seen.entry((unit.text.clone(), row)).or_default().push(out.len());
                out.push(unit);
            }
        }
    }
    out
}

/// Puts combining marks behind the letter they stand over.
fn join_marks(units: Vec<Unit>) -> Vec<Unit> {
    let is_mark = |unit: &Unit| !unit.text.is_empty() && unit.text.chars().all(is_combining);
    if !units.iter().any(is_mark) {
        return units;
    }
    let (marks, mut letters): (Vec<Unit>, Vec<Unit>) = units.into_iter().partition(is_mark);
    letters.sort_by(|a, b| a.center().total_cmp(&b.center()));
    for mark in marks {
        let from = letters.partition_point(|unit| unit.center() < mark.center() - mark.size);
        let near =
            letters.iter_mut().skip(from).take_while(|unit| unit.center() <= mark.center() + mark.size);
        let base = near
            .filter(|unit| (unit.y - mark.y).abs() < mark.size && !unit.text.trim().is_empty())
            .min_by(|a, b| (a.center() - mark.center()).abs().total_cmp(&(b.center() - mark.center()).abs()));
        if let Some(base) = base {
            base.text.push_str(&mark.text);
        }
    }
    letters
}

fn is_combining(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}
