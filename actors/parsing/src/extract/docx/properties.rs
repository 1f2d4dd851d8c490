//! Run and paragraph properties (ECMA-376 part 1, 17.3): what changes how text is seen.

use super::xml::Tag;

/// Properties of a run; `None` inherits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RunProps {
    pub bold: Option<bool>,
    pub vanish: Option<bool>,
    /// Half points.
    pub half_points: Option<u16>,
    /// Six hex digits, upper case; `auto` is an empty string.
    pub color: Option<String>,
    /// Fill behind the text, in the same form.
    pub fill: Option<String>,
    /// The font is one of symbols.
    pub symbol_font: bool,
}

impl RunProps {
    /// Reads one child of `w:rPr`.
    pub(super) fn read(&mut self, tag: &Tag<'_>) {
        match tag.name.as_str() {
            "b" | "bCs" => self.bold = Some(tag.on() || self.bold == Some(true) && tag.name == "bCs"),
            "vanish" | "webHidden" => self.vanish = Some(tag.on()),
            "sz" => self.half_points = tag.val().and_then(|val| val.parse().ok()),
            "color" => self.color = color(tag, "themeColor", "val"),
            "shd" => self.fill = color(tag, "themeFill", "fill").filter(|fill| !fill.is_empty()),
            "highlight" => {
                self.fill = tag.val().filter(|val| val != "none").map(|name| highlight(&name).to_owned())
            }
            "rFonts" => {
                self.symbol_font = tag.attr("ascii").is_some_and(|font| {
                    let font = font.to_ascii_lowercase();
                    font.contains("wingdings") || font.contains("symbol") || font.contains("webdings")
                });
            }
            _ => {}
        }
    }

    /// These properties where set, `base` elsewhere.
    pub(super) fn over(&self, base: &Self) -> Self {
        Self {
            bold: self.bold.or(base.bold),
            vanish: self.vanish.or(base.vanish),
            half_points: self.half_points.or(base.half_points),
            color: self.color.clone().or_else(|| base.color.clone()),
            fill: self.fill.clone().or_else(|| base.fill.clone()),
            symbol_font: self.symbol_font || base.symbol_font,
        }
    }
}

/// Properties of a paragraph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ParaProps {
    pub style: Option<String>,
    /// Outline level from 0; 9 is body text.
    pub outline: Option<u8>,
    /// A list item; `Some(false)` takes the style's numbering away.
    pub numbered: Option<bool>,
    pub rtl: Option<bool>,
    /// Space before in twentieths of a point.
    pub before: Option<u16>,
    pub fill: Option<String>,
}

impl ParaProps {
    /// Reads one child of `w:pPr` (or of `w:numPr` within it).
    pub(super) fn read(&mut self, tag: &Tag<'_>) {
        match tag.name.as_str() {
            "pStyle" => self.style = tag.val(),
            "outlineLvl" => self.outline = tag.val().and_then(|val| val.parse().ok()),
            "numId" => self.numbered = tag.val().map(|val| val != "0"),
            "bidi" => self.rtl = Some(tag.on()),
            "spacing" => self.before = tag.attr("before").and_then(|val| val.parse().ok()),
            "shd" => self.fill = color(tag, "themeFill", "fill").filter(|fill| !fill.is_empty()),
            _ => {}
        }
    }

    /// These properties where set, `base` elsewhere.
    pub(super) fn over(&self, base: &Self) -> Self {
        Self {
            style: self.style.clone().or_else(|| base.style.clone()),
            outline: self.outline.or(base.outline),
            numbered: self.numbered.or(base.numbered),
            rtl: self.rtl.or(base.rtl),
            before: self.before.or(base.before),
            fill: self.fill.clone().or_else(|| base.fill.clone()),
        }
    }
}

/// The fill of a `w:shd` outside of run and paragraph, such as a table cell's.
pub(super) fn cell_fill(tag: &Tag<'_>) -> Option<String> {
    color(tag, "themeFill", "fill").filter(|fill| !fill.is_empty())
}

/// Whether text of this color on this ground cannot be seen.
pub(super) fn same_color(text: &str, ground: &str) -> bool {
    const NEAR: i32 = 12;
    match (rgb(text), rgb(ground)) {
        (Some(a), Some(b)) => a.iter().zip(b).all(|(a, b)| (a - b).abs() < NEAR),
        _ => false,
    }
}

fn rgb(hex: &str) -> Option<[i32; 3]> {
    let value = i32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6)?;
    Some([value >> 16 & 255, value >> 8 & 255, value & 255])
}

fn color(tag: &Tag<'_>, theme: &str, plain: &str) -> Option<String> {
    // A tinted theme color is somewhere between: only the bare background colors are surely white.
    let tinted =
        ["themeShade", "themeTint", "themeFillShade", "themeFillTint"].iter().any(|a| tag.attr(a).is_some());
    match tag.attr(theme).as_deref() {
        Some("background1" | "light1") if !tinted => return Some("FFFFFF".to_owned()),
        Some("text1" | "dark1") if !tinted => return Some("000000".to_owned()),
        _ => {}
    }
    let value = tag.attr(plain)?.to_ascii_uppercase();
    Some(if value == "AUTO" { String::new() } else { value })
}

fn highlight(name: &str) -> &'static str {
    match name {
        "white" => "FFFFFF",
        "black" => "000000",
        "yellow" => "FFFF00",
        // Any other highlight is colored: neither white nor black text vanishes on it.
        _ => "808080",
    }
}
