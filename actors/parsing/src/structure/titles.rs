//! Job titles: which occupation they name, how high they stand, how much a text looks like one.

use std::sync::LazyLock;

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
        if let Some(id) = hit.meaning().occupation() {
            let length = hit.span.end - hit.span.start;
            if best.is_none_or(|(known, _)| length >= known) {
                best = Some((length, id));
            }
        }
    }
    best.map(|(_, id)| id).or_else(|| by_words(&plain_str(view.slice(span))))
}

/// An occupation's head nouns and the words of each of its titles.
struct Vocabulary {
    id: OccupationId,
    heads: &'static [&'static str],
    titles: Vec<Vec<String>>,
}

static VOCABULARIES: LazyLock<Vec<Vocabulary>> = LazyLock::new(|| {
    let words =
        |surface| plain_str(surface).split(' ').filter(|word| word.len() > 2).map(str::to_owned).collect();
    Taxonomy::builtin()
        .occupations()
        .iter()
        .map(|occupation| Vocabulary {
            id: occupation.id,
            heads: &occupation.heads,
            titles: occupation.surfaces().map(words).collect(),
        })
        .collect()
});

/// The occupation with the head noun of `plain` that shares the most words with it, at least two in all.
fn by_words(plain: &str) -> Option<OccupationId> {
    let words: Vec<&str> =
        plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.len() < 2 || words.len() > 10 {
        return None;
    }
    let mut best: Option<(usize, OccupationId)> = None;
    for known in VOCABULARIES.iter().filter(|known| known.heads.iter().any(|head| words.contains(head))) {
        let shared = |title: &Vec<String>| title.iter().filter(|word| words.contains(&word.as_str())).count();
        let shared = known.titles.iter().map(shared).max().unwrap_or(0);
        if shared >= 2 && best.is_none_or(|(most, _)| shared > most) {
            best = Some((shared, known.id));
        }
    }
    best.map(|(_, id)| id)
}

/// The rung a title names; no word of rank is [`Seniority::Regular`].
pub(crate) fn seniority(view: &View<'_>, span: Span) -> Seniority {
    let rungs: Vec<Seniority> = view.hits_in(span).iter().filter_map(|hit| hit.meaning().rung()).collect();
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
        // "Surveyors" is a firm, "Surveyor" a person.
        if is_plural(view.slice(hit.span), hit.phrase.surface) {
            continue;
        }
        let meaning = hit.meaning();
        if meaning.occupation().is_some() {
            score += 8;
        } else if meaning == Meaning::Head {
            // A title ends in its head ("Office Manager") or starts with it ("مهندس برمجيات", "Head of Sales").
            score += if whole || hit.span.start == span.start { 6 } else { 4 };
        } else if meaning.rung().is_some() {
            score += 3;
        }
    }
    score.min(20)
}

/// Whether a phrase was found with a plural `s` that it does not have itself.
fn is_plural(text: &str, surface: &str) -> bool {
    text.ends_with('s') && !surface.ends_with('s')
}

/// How much a piece of text looks like an employer, 0 = not at all.
pub(crate) fn employer_score(view: &View<'_>, span: Span) -> i32 {
    let text = view.slice(span);
    let words = word_count(text);
    if words == 0 || words > 10 {
        return 0;
    }
    let hits = view.hits_in(span);
    let mut score = i32::from(text.chars().next().is_some_and(char::is_uppercase));
    // "Engineering Technician": what ends in a title's noun is a title.
    if hits.iter().any(|hit| {
        matches!(hit.meaning(), Meaning::Head | Meaning::Occupation(_))
            && hit.span.end >= span.end
            && !is_plural(view.slice(hit.span), hit.phrase.surface)
    }) {
        return score;
    }
    for hit in hits {
        let place = hit.span.end >= span.end || hit.span.start == span.start;
        let meaning = hit.meaning();
        if meaning == Meaning::Employer && place {
            score += 6;
        } else if matches!(meaning, Meaning::Employer | Meaning::School) {
            score += 4;
        }
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
    // "Fresno, CA": the letters of a state say a place only behind one.
    let span = match view.slice(span).rsplit_once([',', '،']) {
        Some((town, code))
            if code.trim().len() == 2 && code.trim().bytes().all(|byte| byte.is_ascii_uppercase()) =>
        {
            Span::new(span.start, span.start + town.len() as u32)
        }
        _ => span,
    };
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
