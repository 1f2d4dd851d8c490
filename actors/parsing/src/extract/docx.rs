//! DOCX (ECMA-376 WordprocessingML): paragraphs, tables, text boxes, headers and footers in reading order.

mod body;
mod package;
mod paragraph;
mod properties;
mod styles;
mod table;
mod xml;

use super::collect::Collector;
use super::{ExtractError, Extracted, Limits, Line, MediaKind};
use body::Body;
use package::Package;
use styles::Styles;

/// Headers and footers read at most.
const MAX_MARGINS: usize = 12;
const FORMAT: &str = "DOCX";

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Extracted, ExtractError> {
    let mut package = Package::open(bytes, limits)?;
    let main = package.main_part()?;
    let document =
        package.part(&main)?.ok_or_else(|| ExtractError::corrupt(FORMAT, "it has no text part"))?;
    let relations = package.relations(&main)?;
    let styles = match relations.of_kind("styles").next() {
        Some(part) => Styles::read(&package.part(part)?.unwrap_or_default(), limits)?,
        None => Styles::default(),
    };
    let mut out = Collector::new(limits);
    let mut next_block = 0;
    let headers: Vec<String> = relations.of_kind("header").take(MAX_MARGINS).map(str::to_owned).collect();
    let footers: Vec<String> = relations.of_kind("footer").take(MAX_MARGINS).map(str::to_owned).collect();
    margins(&mut package, &headers, &styles, limits, &mut out, &mut next_block)?;
    let body = Body::read(&document, &relations, &styles, limits, next_block)?;
    let pages = body.pages;
    next_block = body.next_block;
    body.emit(&mut out)?;
    margins(&mut package, &footers, &styles, limits, &mut out, &mut next_block)?;
    if pages > limits.pages {
        return Err(ExtractError::limit("pages"));
    }
    out.finish(MediaKind::Docx, pages, None)
}

/// Headers or footers, each distinct text once: first, odd and even pages often repeat one.
fn margins(
    package: &mut Package<'_>,
    parts: &[String],
    styles: &Styles,
    limits: &Limits,
    out: &mut Collector,
    next_block: &mut u32,
) -> Result<(), ExtractError> {
    let mut seen: Vec<Vec<String>> = Vec::new();
    for part in parts {
        let Some(xml) = package.part(part)? else { continue };
        let relations = package.relations(part)?;
        let margin = Body::read(&xml, &relations, styles, limits, *next_block)?;
        let texts: Vec<String> = margin.lines.iter().map(|line| line.line.text.trim().to_owned()).collect();
        if texts.iter().all(|text| is_page_number(text)) || seen.contains(&texts) {
            continue;
        }
        *next_block = margin.next_block;
        seen.push(texts);
        margin.emit(out)?;
    }
    Ok(())
}

fn is_page_number(text: &str) -> bool {
    text.chars().all(|c| c.is_numeric() || c.is_whitespace() || c.is_ascii_punctuation())
}

/// A line on its way to the collector, with the links it carries.
#[derive(Debug, Clone, Default)]
struct Row {
    line: Line,
    links: Vec<String>,
}
