//! What is odd about a document's content.

use std::collections::HashMap;

use tandem_domain::document::DocumentKind;
use tandem_domain::finding::{Finding, FindingKind};
use tandem_domain::profile::{LanguageCode, Profile, SectionKind};
use whichlang::{Lang, detect_language};

use super::dates;
use super::sections::Part;
use super::view::{View, script_counts, word_count};

/// A script with this share of the letters, in percent, makes a document mixed.
const MIXED_PERCENT: usize = 30;
/// One word may make up this share of a document's words, in percent.
const STUFFED_PERCENT: usize = 6;
/// ... and must be repeated so often.
const STUFFED_COUNT: usize = 25;
/// A row of the same three words this often is stuffing.
const REPEATED_RUN: usize = 8;
/// Bytes that language detection looks at.
const DETECT_BYTES: usize = 4_000;

/// The language that most of the text is in: Arabic by its script, the others by their letters.
pub(crate) fn language(text: &str) -> LanguageCode {
    let (arabic, latin) = script_counts(text);
    if arabic > latin {
        return LanguageCode::ARABIC;
    }
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= DETECT_BYTES).last().unwrap_or(0);
    let sample = text.get(..end).filter(|sample| !sample.is_empty()).unwrap_or(text);
    let code = match detect_language(sample) {
        // Names and lists of tools are taken for many languages: only a clear text is believed.
        Lang::Deu => "de",
        Lang::Fra => "fr",
        Lang::Spa => "es",
        Lang::Ita => "it",
        Lang::Nld => "nl",
        Lang::Por => "pt",
        Lang::Swe => "sv",
        Lang::Tur => "tr",
        Lang::Rus => "ru",
        Lang::Vie => "vi",
        Lang::Cmn => "zh",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Hin => "hi",
        Lang::Ara | Lang::Eng => "en",
    };
    LanguageCode::new(code).unwrap_or(LanguageCode::ENGLISH)
}

/// The findings that structure alone can see.
pub(crate) fn find(view: &View<'_>, parts: &[Part], profile: &Profile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |kind, note: String| findings.push(Finding { kind, page: None, span: None, note });
    let headed = parts.iter().filter(|part| part.heading.is_some()).count();
    let words = word_count(&view.text);
    if headed == 0 && words > 0 {
        add(FindingKind::NoHeadings, "no section heading was recognized".to_owned());
    }
    let (arabic, latin) = script_counts(&view.text);
    let share = (arabic.min(latin) * 100).checked_div(arabic + latin).unwrap_or(0);
    if share >= MIXED_PERCENT {
        add(FindingKind::MixedLanguage, format!("{share} % of the letters are in another script"));
    }
    if let Some(count) = stuffed(view, words) {
        add(FindingKind::KeywordStuffing, format!("the same words stand {count} times"));
    }
    if (0..view.rows.len()).any(|row| dates::find(view.fold_of(row)).iter().any(dates::DateMatch::has_hijri))
    {
        add(FindingKind::UnconvertedCalendar, "dates of the Hijri calendar are not counted".to_owned());
    }
    match profile.kind {
        DocumentKind::Resume if !is_resume(parts, profile) => {
            add(
                FindingKind::NotAResume,
                "neither positions nor education nor skills of a person were found".to_owned(),
            );
        }
        DocumentKind::Job if !is_job(parts, profile) => {
            add(FindingKind::NotAJob, "neither requirements nor tasks were found".to_owned());
        }
        DocumentKind::Resume | DocumentKind::Job => {}
    }
    findings
}

fn is_resume(parts: &[Part], profile: &Profile) -> bool {
    let sections = parts
        .iter()
        .filter(|part| {
            matches!(
                part.kind,
                SectionKind::Work | SectionKind::Education | SectionKind::Skills | SectionKind::Projects
            )
        })
        .count();
    let reach = !profile.basics.emails.is_empty() || !profile.basics.phones.is_empty();
    let signs = sections.min(2)
        + usize::from(!profile.work.is_empty())
        + usize::from(!profile.education.is_empty())
        + usize::from(profile.skills.len() >= 3)
        + usize::from(reach);
    signs >= 2
}

fn is_job(parts: &[Part], profile: &Profile) -> bool {
    let sections = parts.iter().any(|part| {
        matches!(
            part.kind,
            SectionKind::Requirements
                | SectionKind::Responsibilities
                | SectionKind::Preferred
                | SectionKind::Benefits
        )
    });
    let asked = profile.requirements.as_ref();
    sections || asked.is_some_and(|asked| asked.occupation.is_some() || asked.skills.len() >= 2)
}

/// How often the most repeated word or run of three words stands, where that is too often.
fn stuffed(view: &View<'_>, words: usize) -> Option<usize> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut runs: HashMap<(&str, &str, &str), usize> = HashMap::new();
    let mut last = ("", "");
    let tokens = view
        .folded
        .text
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '+' | '#')))
        .filter(|word| !word.is_empty());
    for word in tokens {
        if word.chars().count() > 3 {
            *counts.entry(word).or_default() += 1;
        }
        if !last.0.is_empty() && (last.0 != last.1 || last.1 != word || word.len() >= 2) {
            *runs.entry((last.0, last.1, word)).or_default() += 1;
        }
        last = (last.1, word);
    }
    let top = counts.values().copied().max().unwrap_or(0);
    let run = runs.values().copied().max().unwrap_or(0);
    if top >= STUFFED_COUNT && top * 100 >= words * STUFFED_PERCENT {
        Some(top)
    } else {
        (run >= REPEATED_RUN && run * 300 >= words * 8).then_some(run)
    }
}
