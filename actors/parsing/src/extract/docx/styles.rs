//! Named styles (ECMA-376 part 1, 17.7), with what they inherit.

use std::collections::HashMap;

use super::super::{ExtractError, Limits};
use super::properties::{ParaProps, RunProps};
use super::xml::{Piece, walk};

/// Styles read of one document.
const MAX_STYLES: usize = 5_000;
/// Length of a chain of `basedOn`; also what ends a circle.
const MAX_BASES: usize = 16;
/// Word's size when nothing says otherwise (17.3.2.38), in half points.
const DEFAULT_HALF_POINTS: u16 = 20;

#[derive(Debug, Default)]
pub(super) struct Styles {
    by_id: HashMap<String, Style>,
    default_run: RunProps,
    default_style: Option<String>,
}

#[derive(Debug, Clone, Default)]
struct Style {
    name: String,
    base: Option<String>,
    run: RunProps,
    para: ParaProps,
}

/// A style with everything it inherits.
#[derive(Debug, Clone, Default)]
pub(super) struct Resolved {
    pub run: RunProps,
    pub para: ParaProps,
    /// 1..=6 for headings, else 0.
    pub heading: u8,
}

impl Styles {
    pub(super) fn read(xml: &str, limits: &Limits) -> Result<Self, ExtractError> {
        let mut out = Self::default();
        let mut current: Option<(String, Style)> = None;
        let (mut run, mut para, mut defaults) = (0_u32, 0_u32, false);
        walk(xml, limits.nesting, |piece| {
            match piece {
                Piece::Open(tag) => match tag.name.as_str() {
                    "docDefaults" => defaults = true,
                    "style" => {
                        let id = tag.attr("styleId").unwrap_or_default();
                        if tag.attr("default").is_some_and(|v| v == "1")
                            && tag.attr("type").is_some_and(|t| t == "paragraph")
                        {
                            out.default_style = Some(id.clone());
                        }
                        current = Some((id, Style::default()));
                    }
                    "rPr" => run += 1,
                    "pPr" => para += 1,
                    _ => match &mut current {
                        Some((_, style)) if run > 0 => style.run.read(&tag),
                        Some((_, style)) if para > 0 => style.para.read(&tag),
                        Some((_, style)) if tag.name == "name" => style.name = tag.val().unwrap_or_default(),
                        Some((_, style)) if tag.name == "basedOn" => style.base = tag.val(),
                        None if defaults && run > 0 => out.default_run.read(&tag),
                        _ => {}
                    },
                },
                Piece::Close(name) => match name.as_str() {
                    "docDefaults" => defaults = false,
                    "rPr" => run = run.saturating_sub(1),
                    "pPr" => para = para.saturating_sub(1),
                    "style" => {
                        if let Some((id, style)) = current.take().filter(|_| out.by_id.len() < MAX_STYLES) {
                            out.by_id.insert(id, style);
                        }
                    }
                    _ => {}
                },
                Piece::Text(_) => {}
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// The style of a paragraph, or the document's default.
    pub(super) fn paragraph(&self, id: Option<&str>) -> Resolved {
        let mut out = self.chain(id.or(self.default_style.as_deref()));
        out.run = out.run.over(&self.default_run);
        out.run.half_points = out.run.half_points.or(Some(DEFAULT_HALF_POINTS));
        out
    }

    /// What a character style sets.
    pub(super) fn character(&self, id: &str) -> RunProps {
        self.chain(Some(id)).run
    }

    fn chain(&self, id: Option<&str>) -> Resolved {
        let mut out = Resolved::default();
        let mut id = id;
        for _ in 0..MAX_BASES {
            let Some(style) = id.and_then(|id| self.by_id.get(id)) else { break };
            out.run = out.run.over(&style.run);
            out.para = out.para.over(&style.para);
            if out.heading == 0 {
                out.heading = heading_by_name(&style.name);
            }
            id = style.base.as_deref();
        }
        out.heading = match out.para.outline {
            Some(level @ 0..=5) => level + 1,
            Some(6..=8) => 6,
            Some(_) => 0,
            None => out.heading,
        };
        out
    }
}

fn heading_by_name(name: &str) -> u8 {
    let name = name.to_lowercase();
    if name == "title" {
        return 1;
    }
    let level = name.strip_prefix("heading ").and_then(|level| level.trim().parse().ok());
    level.filter(|level| (1..=9).contains(level)).map_or(0, |level: u8| level.min(6))
}
