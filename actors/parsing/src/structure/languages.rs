//! Human languages and how well they are spoken.

use std::collections::BTreeMap;

use tandem_domain::profile::{LanguageCode, LanguageLevel, SectionKind, Span, SpokenLanguage};

use super::sections::Part;
use super::view::View;

/// At most so many languages and levels are read of one span.
const MAX_MENTIONS: usize = 100;
/// A level stands within so many bytes of its language.
const NEAR: u32 = 60;

/// A language where it is named.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mention {
    pub(crate) language: LanguageCode,
    pub(crate) level: Option<LanguageLevel>,
    pub(crate) span: Span,
}

/// The languages named between two places of a text, each with the level that stands nearest to it.
pub(crate) fn mentions(view: &View<'_>, within: Span) -> Vec<Mention> {
    let hits = view.hits_in(within);
    let languages: Vec<(LanguageCode, Span)> = hits
        .iter()
        .filter_map(|hit| hit.meaning().language().map(|code| (code, hit.span)))
        .take(MAX_MENTIONS)
        .collect();
    let levels: Vec<(LanguageLevel, Span)> = hits
        .iter()
        .filter_map(|hit| hit.meaning().level().map(|level| (level, hit.span)))
        .take(MAX_MENTIONS)
        .collect();
    let levels_behind = levels
        .first()
        .zip(languages.first())
        .is_none_or(|(level, language)| level.1.start > language.1.start);
    languages
        .iter()
        .enumerate()
        .map(|(index, (language, span))| {
            let next = languages.get(index + 1).map_or(within.end, |next| next.1.start);
            let previous = index
                .checked_sub(1)
                .and_then(|index| languages.get(index))
                .map_or(within.start, |known| known.1.end);
            let behind = levels
                .iter()
                .filter(|(_, at)| at.start >= span.end && at.end <= next && at.start - span.end <= NEAR);
            let before = levels.iter().filter(|(_, at)| {
                at.end <= span.start && at.start >= previous && span.start - at.end <= NEAR
            });
            let level = if levels_behind { best(behind) } else { best(before) };
            Mention { language: *language, level, span: *span }
        })
        .collect()
}

/// Of several words ("Professional working proficiency (B2)", "very good") the one that says most precisely: the last
/// in CEFR letters, else the first.
fn best<'a>(levels: impl Iterator<Item = &'a (LanguageLevel, Span)>) -> Option<LanguageLevel> {
    let levels: Vec<&(LanguageLevel, Span)> = levels.collect();
    levels
        .iter()
        .find(|(_, span)| span.end - span.start == 2)
        .or_else(|| levels.first())
        .map(|(level, _)| *level)
}

/// The languages of a résumé, sorted by code: from its language sections, and beside a level from others.
pub(crate) fn read(view: &View<'_>, parts: &[Part]) -> Vec<SpokenLanguage> {
    let mut found: BTreeMap<LanguageCode, SpokenLanguage> = BTreeMap::new();
    for part in parts {
        let own = part.kind == SectionKind::Languages;
        let other = matches!(
            part.kind,
            SectionKind::Skills
                | SectionKind::Personal
                | SectionKind::Other
                | SectionKind::Header
                | SectionKind::Summary
        );
        if !own && !other {
            continue;
        }
        let spans: Vec<Span> = if own {
            vec![part.span(view)]
        } else {
            part.body.clone().filter_map(|row| view.rows.get(row)).map(|row| row.span).collect()
        };
        for span in spans {
            let labeled = own || is_labeled(view, span);
            let mentions = mentions(view, span);
            for mention in mentions.iter().filter(|mention| labeled || mention.level.is_some()) {
                let entry = found.entry(mention.language).or_insert(SpokenLanguage {
                    language: mention.language,
                    level: mention.level,
                    span: mention.span,
                });
                entry.level = entry.level.max(mention.level);
            }
        }
    }
    found.into_values().collect()
}

/// `Languages: English, Arabic` inside another section.
fn is_labeled(view: &View<'_>, span: Span) -> bool {
    let row = view.fold_of(view.row_at(span.start));
    let label = row.split([':', '\t']).next().unwrap_or_default().trim();
    matches!(
        label,
        "languages" | "language" | "languages known" | "spoken languages" | "اللغات" | "لغات" | "اللغه"
    )
}
