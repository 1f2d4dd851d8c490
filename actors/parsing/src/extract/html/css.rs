//! The few CSS declarations that decide whether text is seen. Source: CSS 2.2 and CSS Color 4, the common forms.

use std::collections::HashMap;

/// Rules kept of a page's own style sheets.
const MAX_RULES: usize = 5_000;
/// Declarations read of one rule.
const MAX_DECLARATIONS: usize = 64;
/// An element moved further than this many pixels to the left or up is off the page.
const OFF_PAGE_PX: f32 = -900.0;
const POINTS_PER_PX: f32 = 0.75;

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

/// What one block of declarations changes; `None` leaves the inherited value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Declared {
    pub display_none: Option<bool>,
    pub invisible: Option<bool>,
    pub off_page: bool,
    pub size: Option<Size>,
    pub bold: Option<bool>,
    pub color: Option<Paint>,
    pub background: Option<Paint>,
    /// Moved to the line's far end, beside what follows.
    pub float_end: bool,
    /// Children stand side by side.
    pub side_by_side: bool,
}

/// A color, or one that cannot be known (gradient, picture, variable).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Paint {
    Solid(Rgb),
    Transparent,
    Unknown,
}

/// A font size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Size {
    Points(f32),
    /// Times the parent's size.
    Relative(f32),
}

impl Declared {
    /// Reads `name: value; ...`.
    pub(super) fn read(block: &str) -> Self {
        let mut out = Self::default();
        let (mut absolute, mut clipped) = (false, false);
        for declaration in block.split(';').take(MAX_DECLARATIONS) {
            let Some((name, value)) = declaration.split_once(':') else { continue };
            let value = value.to_ascii_lowercase();
            let value = value.trim().trim_end_matches("!important").trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "display" => {
                    out.display_none = Some(value == "none");
                    out.side_by_side = matches!(value, "flex" | "inline-flex");
                }
                "flex-direction" if value.starts_with("column") => out.side_by_side = false,
                "float" => out.float_end = matches!(value, "right" | "inline-end"),
                "visibility" => out.invisible = Some(matches!(value, "hidden" | "collapse")),
                "opacity" if value.parse::<f32>().is_ok_and(|v| v < 0.02) => out.display_none = Some(true),
                "font-size" => out.size = size(value).or(out.size),
                "font-weight" => {
                    out.bold =
                        Some(value.starts_with("bold") || value.parse::<u32>().is_ok_and(|v| v >= 600));
                }
                "color" => out.color = Some(paint(value)),
                "background" | "background-color" => out.background = Some(paint(value)),
                "position" => absolute |= matches!(value, "absolute" | "fixed"),
                "left" | "top" | "text-indent" | "margin-left" => {
                    out.off_page |= pixels(value).is_some_and(|px| px < OFF_PAGE_PX);
                }
                "clip" | "clip-path" => clipped |= value.contains("rect(0") || value.contains("inset(50%"),
                _ => {}
            }
        }
        out.off_page |= absolute && clipped;
        out
    }

    /// Lays `later` over this.
    pub(super) fn merge(&mut self, later: &Self) {
        self.display_none = later.display_none.or(self.display_none);
        self.invisible = later.invisible.or(self.invisible);
        self.off_page |= later.off_page;
        self.size = later.size.or(self.size);
        self.bold = later.bold.or(self.bold);
        self.color = later.color.or(self.color);
        self.background = later.background.or(self.background);
        self.float_end |= later.float_end;
        self.side_by_side |= later.side_by_side;
    }
}

/// The rules of a page's own `<style>` elements whose selector is a single tag, class or id.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    rules: HashMap<String, Declared>,
}

impl Sheet {
    /// Adds the rules of one `<style>` element; at-rules are left out.
    pub(super) fn add(&mut self, css: &str) {
        let mut rest = css;
        while let Some((before, after)) = rest.split_once('{') {
            let selector = before.rsplit(['}', ';']).next().unwrap_or_default();
            let selector = selector.rsplit("*/").next().unwrap_or_default().trim();
            if selector.starts_with('@') {
                rest = skip_block(after);
                continue;
            }
            let (block, tail) = after.split_once('}').unwrap_or((after, ""));
            rest = tail;
            let declared = Declared::read(block);
            for one in selector.split(',').map(str::trim).filter(|one| is_simple(one)) {
                if self.rules.len() < MAX_RULES || self.rules.contains_key(one) {
                    self.rules.entry(one.to_owned()).or_default().merge(&declared);
                }
            }
        }
    }

    /// What applies to an element, in the order tag, class, id.
    pub(super) fn declared<'a>(
        &self,
        tag: &str,
        classes: impl Iterator<Item = &'a str>,
        id: &str,
    ) -> Declared {
        let mut out = Declared::default();
        if self.rules.is_empty() {
            return out;
        }
        let mut apply = |key: &str| {
            if let Some(rule) = self.rules.get(key) {
                out.merge(rule);
            }
        };
        apply(tag);
        for class in classes {
            apply(&format!(".{class}"));
            apply(&format!("{tag}.{class}"));
        }
        apply(&format!("#{id}"));
        out
    }
}

fn is_simple(selector: &str) -> bool {
    !selector.is_empty() && !selector.contains([' ', '>', '+', '~', ':', '[', '*'])
}

/// What follows the block that `inside` is in, with its nested blocks.
fn skip_block(inside: &str) -> &str {
    let mut depth = 1_u32;
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return inside.get(at + 1..).unwrap_or_default();
        }
    }
    ""
}

fn size(value: &str) -> Option<Size> {
    let keyword = match value {
        "xx-small" => 6.75,
        "x-small" => 7.5,
        "small" => 9.75,
        "medium" => 12.0,
        "large" => 13.5,
        "x-large" => 18.0,
        "xx-large" => 24.0,
        "smaller" => return Some(Size::Relative(0.83)),
        "larger" => return Some(Size::Relative(1.2)),
        _ => f32::NAN,
    };
    if !keyword.is_nan() {
        return Some(Size::Points(keyword));
    }
    let unit_at = value.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(value.len());
    let number: f32 = value.get(..unit_at)?.parse().ok()?;
    match value.get(unit_at..)?.trim() {
        "pt" => Some(Size::Points(number)),
        "px" => Some(Size::Points(number * POINTS_PER_PX)),
        "em" => Some(Size::Relative(number)),
        "rem" => Some(Size::Points(number * 12.0)),
        "%" => Some(Size::Relative(number / 100.0)),
        _ => None,
    }
    .or((number == 0.0).then_some(Size::Points(0.0)))
}

fn pixels(value: &str) -> Option<f32> {
    let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let factor = if value.ends_with("em") { 16.0 } else { 1.0 };
    number.parse::<f32>().ok().map(|number| number * factor)
}

fn paint(value: &str) -> Paint {
    match value {
        "transparent" | "none" => return Paint::Transparent,
        "white" => return Paint::Solid([255; 3]),
        "black" => return Paint::Solid([0; 3]),
        _ => {}
    }
    if let Some(hex) = value.strip_prefix('#') {
        return hex_color(hex).map_or(Paint::Unknown, Paint::Solid);
    }
    if let Some(inner) = value.strip_prefix("rgba(").or_else(|| value.strip_prefix("rgb(")) {
        return rgb_function(inner);
    }
    Paint::Unknown
}

fn hex_color(hex: &str) -> Option<Rgb> {
    let digits: Vec<u8> = hex.chars().map_while(|c| c.to_digit(16)).map(|d| d as u8).collect();
    match *digits.as_slice() {
        [r, g, b] | [r, g, b, _] => Some([r * 17, g * 17, b * 17]),
        [r1, r2, g1, g2, b1, b2] | [r1, r2, g1, g2, b1, b2, _, _] => {
            Some([r1 * 16 + r2, g1 * 16 + g2, b1 * 16 + b2])
        }
        _ => None,
    }
}

fn rgb_function(inner: &str) -> Paint {
    let inner = inner.split(')').next().unwrap_or_default();
    let parts: Vec<f32> = inner
        .split([',', ' ', '/'])
        .filter(|part| !part.is_empty())
        .filter_map(|part| part.trim_end_matches('%').parse().ok())
        .collect();
    match *parts.as_slice() {
        [_, _, _, alpha] if alpha < 0.02 => Paint::Transparent,
        [r, g, b] | [r, g, b, _] => Paint::Solid([r as u8, g as u8, b as u8]),
        _ => Paint::Unknown,
    }
}
