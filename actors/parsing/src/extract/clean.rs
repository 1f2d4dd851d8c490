//! One line of raw text to what a reader sees of it: invisible characters out, ligatures resolved.

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A cleaned line and what was taken out of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cleaned {
    /// The visible text: trimmed, inner white space collapsed to one space or one tab.
    pub text: String,
    /// A bullet glyph stood first.
    pub bullet: bool,
    /// A private-use glyph stood before the first letter.
    pub icon: bool,
    /// Zero-width characters between two letters or digits.
    pub zero_width: u32,
    /// Embedding, override and isolate controls.
    pub bidi: u32,
    /// Tag characters that are no part of a flag.
    pub tags: u32,
}

/// Cleans one line. Pure; linear in the length.
pub(super) fn clean(raw: &str) -> Cleaned {
    let mut out = Cleaned::default();
    let mut text = String::with_capacity(raw.len());
    let mut gap: Option<char> = None;
    let mut pending_zero_width = 0;
    let mut in_flag = false;
    for c in raw.chars() {
        in_flag = c == BLACK_FLAG || in_flag && is_tag(c);
        // A glyph without a meaning in front of a text is how some writers draw their bullets.
        let c = if c == char::REPLACEMENT_CHARACTER && text.is_empty() { '•' } else { c };
        match classify(c) {
            Class::Space => gap = gap.or(Some(' ')),
            Class::Tab => gap = Some('\t'),
            Class::ZeroWidth => pending_zero_width += 1,
            Class::BidiControl => out.bidi += 1,
            Class::Tag => out.tags += u32::from(!in_flag),
            Class::Dropped => {}
            Class::Icon => {
                out.icon |= text.is_empty();
                gap = gap.or(Some(' '));
            }
            Class::SymbolBullet | Class::Visible | Class::Compatibility => {
                let c = if classify(c) == Class::SymbolBullet { '•' } else { c };
                if pending_zero_width > 0 {
                    let inside = gap.is_none() && c.is_alphanumeric() && ends_alphanumeric(&text);
                    out.zero_width += if inside { pending_zero_width } else { 0 };
                    pending_zero_width = 0;
                }
                if let Some(space) = gap.take().filter(|_| !text.is_empty()) {
                    text.push(space);
                }
                if classify(c) == Class::Compatibility {
                    text.extend(std::iter::once(c).nfkc());
                } else {
                    text.push(c);
                }
            }
        }
    }
    let body = strip_bullet(&text);
    out.bullet = body.is_some();
    let body = body.unwrap_or(&text);
    out.text = if is_nfc(body) { body.to_owned() } else { body.nfc().collect() };
    out
}

/// Whether a line is one that reads from right to left: over 30 % of its letters are Arabic or Hebrew.
pub(super) fn is_rtl(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let rtl = text.chars().filter(|c| is_rtl_letter(*c)).count();
    rtl > 0 && rtl * 10 > letters * 3
}

/// Letters of the right-to-left scripts.
pub(super) fn is_rtl_letter(c: char) -> bool {
    c.is_alphabetic()
        && matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}

/// Whether the line draws a rule: only dashes, underscores, equals signs or the like.
pub(super) fn is_rule(text: &str) -> bool {
    let mut count = 0;
    for c in text.chars() {
        match c {
            '-' | '_' | '=' | '*' | '~' | '#' | '.' | '─' | '━' | '═' | '—' | '–' | '|' | '+' => {
                count += 1
            }
            c if c.is_whitespace() => {}
            _ => return false,
        }
    }
    count >= 3
}

/// The text after a leading bullet glyph, `None` where there is none.
fn strip_bullet(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    let first = chars.next()?;
    let rest = chars.as_str();
    let spaced = rest.is_empty() || rest.starts_with([' ', '\t']);
    let body = rest.trim_start();
    let bullet = match first {
        '•' | '◦' | '▪' | '▫' | '■' | '□' | '●' | '○' | '‣' | '⁃' | '∙' | '➢' | '➤' | '►' | '▶' | '▸'
        | '▹' | '✓' | '✔' | '❖' | '◆' | '◇' | '❑' | '❏' | '✦' | '➔' | '→' | '⮚' | '⚫' | '⬤' | '¨' => {
            true
        }
        '·' | '-' | '*' | '§' | 'Ø' | '−' | '‐' => spaced,
        // A long dash may also begin the second line of a broken range of dates.
        '–' | '—' => spaced && body.split_whitespace().count() >= DASH_BULLET_WORDS && !has_year(body),
        // Word's second level is the letter o of Courier.
        'o' => rest.starts_with('\t') || spaced && body.starts_with(char::is_uppercase),
        _ => false,
    };
    bullet.then_some(body)
}

/// A long dash in front of fewer words is no bullet.
const DASH_BULLET_WORDS: usize = 3;

fn has_year(text: &str) -> bool {
    text.split(|c: char| !c.is_numeric()).any(|digits| digits.chars().count() == 4)
}

const BLACK_FLAG: char = '\u{1F3F4}';

#[derive(PartialEq, Eq, Clone, Copy)]
enum Class {
    Visible,
    /// Ligatures, presentation forms and styled letters, replaced by their NFKC form.
    Compatibility,
    Space,
    Tab,
    ZeroWidth,
    BidiControl,
    Tag,
    Icon,
    /// Bullets of Symbol and Wingdings, which documents carry in the private use area.
    SymbolBullet,
    Dropped,
}

fn classify(c: char) -> Class {
    match c {
        ' '..='~' => Class::from_ascii(c),
        '\t' => Class::Tab,
        '\u{0A}'..='\u{0D}' | '\u{85}' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' => Class::Space,
        '\u{2028}' | '\u{2029}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => Class::Space,
        '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{180E}' => Class::ZeroWidth,
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => Class::BidiControl,
        // Marks that Arabic word processors insert everywhere, soft hyphen, tatweel, variation selectors.
        '\u{200E}' | '\u{200F}' | '\u{61C}' | '\u{AD}' | '\u{640}' | '\u{FE00}'..='\u{FE0F}' => {
            Class::Dropped
        }
        '\u{E0100}'..='\u{E01EF}' | '\u{FFF9}'..='\u{FFFD}' | '\u{206A}'..='\u{206F}' => Class::Dropped,
        '\u{F0A7}' | '\u{F0B7}' | '\u{F0D8}' | '\u{F0FC}' | '\u{F076}' | '\u{F06E}' | '\u{F071}' => {
            Class::SymbolBullet
        }
        '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}' => Class::Icon,
        '\u{FB00}'..='\u{FB06}' | '\u{FB1D}'..='\u{FD3D}' | '\u{FD50}'..='\u{FDFC}' => Class::Compatibility,
        '\u{FE70}'..='\u{FEFC}' | '\u{1D400}'..='\u{1D7FF}' => Class::Compatibility,
        c if is_tag(c) => Class::Tag,
        c if c.is_control() => Class::Dropped,
        _ => Class::Visible,
    }
}

impl Class {
    fn from_ascii(c: char) -> Self {
        if c == ' ' { Class::Space } else { Class::Visible }
    }
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0000}'..='\u{E007F}')
}

fn ends_alphanumeric(text: &str) -> bool {
    text.chars().next_back().is_some_and(char::is_alphanumeric)
}
