//! Job titles: which occupation they name, how high they stand, how much a text looks like one.

use tandem_domain::profile::{Seniority, Span};
use tandem_domain::taxonomy::{OccupationId, Taxonomy};

use super::fold::plain_str;
use super::lexicon::Meaning;
use super::view::{View, word_count};

/// The occupation that a title names: the longest known title in it, the later one where two are equally long; else the
/// occupation whose words it shares with the same head noun.
pub(crate) fn occupation(view: &View<'_>, span: Span) -> Option<OccupationId> {
    let mut best: Option<(u32, OccupationId)> = None;
    for hit in view.hits_in(span).iter().filter(|hit| hit.span.end <= span.end) {
        if let Meaning::Occupation(id) = hit.meaning() {
            let length = hit.span.end - hit.span.start;
            if best.is_none_or(|(known, _)| length >= known) {
                best = Some((length, id));
            }
        }
    }
    best.map(|(_, id)| id).or_else(|| by_words(&plain_str(view.slice(span))))
}

/// The occupation with the head noun of `plain` that shares the most words with it, at least two in all.
fn by_words(plain: &str) -> Option<OccupationId> {
    let words: Vec<&str> =
        plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.len() < 2 || words.len() > 10 {
        return None;
    }
    let mut best: Option<(usize, OccupationId)> = None;
    for occupation in Taxonomy::builtin().occupations() {
        if !occupation.heads.iter().any(|head| words.contains(head)) {
            continue;
        }
        let shared = occupation
            .surfaces()
            .map(|surface| {
                let surface = plain_str(surface);
                surface.split(' ').filter(|word| word.len() > 2 && words.contains(word)).count()
            })
            .max()
            .unwrap_or(0);
        if shared >= 2 && best.is_none_or(|(known, _)| shared > known) {
            best = Some((shared, occupation.id));
        }
    }
    best.map(|(_, id)| id)
}

/// The rung a title names; no word of rank is [`Seniority::Regular`].
pub(crate) fn seniority(view: &View<'_>, span: Span) -> Seniority {
    let rungs: Vec<Seniority> = view
        .hits_in(span)
        .iter()
        .filter_map(|hit| match hit.meaning() {
            Meaning::Rung(rung) => Some(rung),
            _ => None,
        })
        .collect();
    let has = |rung| rungs.contains(&rung);
    // "Assistant manager" leads less than "manager"; "senior manager" more than "senior".
    if has(Seniority::Intern) {
        Seniority::Intern
    } else if has(Seniority::Executive) {
        Seniority::Executive
    } else if has(Seniority::Junior) && !has(Seniority::Lead) && !has(Seniority::Senior) {
        Seniority::Junior
    } else if has(Seniority::Lead) {
        Seniority::Lead
    } else if has(Seniority::Senior) {
        Seniority::Senior
    } else {
        Seniority::Regular
    }
}

/// How much a piece of text looks like a title, 0 = not at all.
pub(crate) fn title_score(view: &View<'_>, span: Span) -> i32 {
    let text = view.slice(span);
    let words = word_count(text);
    if words == 0 || words > 10 {
        return 0;
    }
    let mut score = 0;
    for hit in view.hits_in(span) {
        let whole = hit.span.end >= span.end;
        score += match hit.meaning() {
            Meaning::Occupation(_) => 8,
            // A title ends in its head ("Office Manager") or starts with it ("مهندس برمجيات", "Head of Sales").
            Meaning::Head if whole || hit.span.start == span.start => 6,
            Meaning::Head => 4,
            Meaning::Rung(_) => 3,
            _ => 0,
        };
    }
    score.min(20)
}

/// How much a piece of text looks like an employer, 0 = not at all.
pub(crate) fn employer_score(view: &View<'_>, span: Span) -> i32 {
    let text = view.slice(span);
    let words = word_count(text);
    if words == 0 || words > 10 {
        return 0;
    }
    let mut score = i32::from(text.chars().next().is_some_and(char::is_uppercase));
    for hit in view.hits_in(span) {
        let place = hit.span.end >= span.end || hit.span.start == span.start;
        score += match hit.meaning() {
            Meaning::Employer if place => 6,
            Meaning::Employer | Meaning::School => 4,
            _ => 0,
        };
    }
    score.min(12)
}

/// Whether a piece of text is a place and nothing else: `Cairo, Egypt`, `London (UK)`, `Remote`.
pub(crate) fn is_place(view: &View<'_>, span: Span) -> bool {
    const REMOTE: [&str; 9] = [
        "remote",
        "hybrid",
        "on site",
        "onsite",
        "عن بعد",
        "home office",
        "fully remote",
        "worldwide",
        "office",
    ];
    let mut rest = plain_str(view.slice(span));
    let places: Vec<Span> = view
        .hits_in(span)
        .iter()
        .filter(|hit| matches!(hit.meaning(), Meaning::Place { .. }))
        .map(|hit| hit.span)
        .collect();
    let covered: u32 = places.iter().map(|place| place.end.min(span.end) - place.start.min(span.end)).sum();
    for word in REMOTE {
        rest = rest.replace(word, "");
    }
    let remote = !rest.chars().any(char::is_alphanumeric);
    let letters =
        view.slice(span).chars().filter(|c| c.is_alphanumeric()).map(char::len_utf8).sum::<usize>() as u32;
    remote && letters > 0 || !places.is_empty() && covered * 10 >= letters * 7
}
