//! What a job asks for: skills with their levels and years, experience, degree, languages, certificates.
//!
//! A line is cut into clauses. A clause's own words ("must", "a plus", «يفضل») decide its level before the heading it
//! stands under does.

use std::collections::BTreeSet;
use std::ops::Range;

use tandem_domain::profile::{
    EducationLevel, LanguageRequirement, RequirementLevel, Requirements, SectionKind, SkillRequirement,
    Sourced, Span,
};
use tandem_domain::taxonomy::{SkillKind, Taxonomy};

use super::job::{self, JobHead};
use super::lexicon::Meaning;
use super::sections::Part;
use super::skills::Mention;
use super::view::{View, goes_on};
use super::{certificates, education, languages, salary, titles};
use crate::extract::JobPostingLd;
use clause::Clause;

mod clause;
mod level;
mod years;

/// At most so many skill requirements are kept.
const MAX_SKILLS: usize = 200;
/// ... of at most so many that are found.
const MAX_FOUND: usize = 2_000;

/// Reads everything a posting asks for.
pub(crate) fn read(
    view: &View<'_>,
    parts: &[Part],
    head: JobHead,
    mentions: &[Mention],
    posting: Option<&JobPostingLd>,
) -> Requirements {
    let title_span = head.title.as_ref().map_or(Span::default(), |title| title.span);
    let mut asked = Requirements {
        occupation: head.title.as_ref().and_then(|_| titles::occupation(view, title_span)),
        seniority: head.title.as_ref().map(|_| titles::seniority(view, title_span)),
        title: head.title,
        organization: head.organization,
        location: head.location,
        remote: head.remote,
        employment_type: head.employment_type,
        salary: salary::read(view),
        ..Requirements::default()
    };
    if let Some(salary) = posting.and_then(salary::from_ld) {
        asked.salary = Some(Sourced { value: salary, confidence: 98, span: Span::default() });
    }
    let mut degree: Option<(RequirementLevel, Sourced<EducationLevel>)> = None;
    for part in parts.iter().filter(|part| !job::is_boilerplate(part.kind)) {
        let stated = part.heading.and_then(|row| level::of_words(view.fold_of(row)));
        for clause in clauses(view, part) {
            let (level, own) = clause.level(view, part.kind, stated);
            skills(view, &clause, level, own, part.kind, mentions, &mut asked);
            experience(view, &clause, part.kind, &mut asked);
            if asks(part.kind, own) {
                languages_of(view, &clause, level, part.kind, &mut asked);
                degree_of(view, &clause, level, &mut degree, &mut asked);
                certificates_of(view, &clause, &mut asked);
            }
        }
    }
    if let Some((level, sourced)) = degree {
        asked.education = Some(sourced);
        asked.education_level = level;
    }
    if asked.skills.is_empty() {
        from_tasks(view, parts, mentions, &mut asked);
    }
    tidy(&mut asked);
    asked
}

/// A posting that demands no skill anywhere asks through its tasks, for what one learns as a tool or craft: not for
/// "communication" or "sales".
fn from_tasks(view: &View<'_>, parts: &[Part], mentions: &[Mention], asked: &mut Requirements) {
    let craft = |mention: &&Mention| {
        let kind = Taxonomy::builtin().skill(mention.id).kind;
        !matches!(kind, SkillKind::Soft | SkillKind::Domain) && mention.confidence >= 75
    };
    let crafts: Vec<Mention> = mentions.iter().filter(craft).copied().collect();
    for part in parts.iter().filter(|part| !job::is_boilerplate(part.kind)) {
        for clause in clauses(view, part) {
            skills(view, &clause, RequirementLevel::Preferred, true, SectionKind::Other, &crafts, asked);
        }
    }
}

/// Whether a part states demands, by itself or by the clause's own words.
fn asks(kind: SectionKind, own: bool) -> bool {
    own || matches!(
        kind,
        SectionKind::Requirements
            | SectionKind::Preferred
            | SectionKind::Skills
            | SectionKind::Education
            | SectionKind::Languages
            | SectionKind::Certificates
            | SectionKind::Other
    )
}

/// The clauses of a part; wrapped lines are joined before they are cut.
fn clauses(view: &View<'_>, part: &Part) -> Vec<Clause> {
    let mut clauses = Vec::new();
    let mut row = part.body.start;
    while row < part.body.end {
        let mut end = row + 1;
        while end < part.body.end
            && view
                .rows
                .get(end - 1)
                .zip(view.rows.get(end))
                .is_some_and(|(line, next)| goes_on(line.line, next.line))
        {
            end += 1;
        }
        let span = view.span_of_rows(row..end);
        let span = Span::new(span.start.max(part.start), span.end);
        clause::cut(view, span, &mut clauses);
        row = end;
    }
    clauses
}

/// The skills of a clause, grouped by "or".
fn skills(
    view: &View<'_>,
    clause: &Clause,
    level: RequirementLevel,
    own: bool,
    kind: SectionKind,
    mentions: &[Mention],
    asked: &mut Requirements,
) {
    let within: Vec<Mention> = mentions_in(mentions, clause.span)
        .iter()
        .filter(|_| counts(kind) || own && kind != SectionKind::Responsibilities)
        .filter(|mention| !is_about_the_degree(view, mention))
        .filter(|mention| !is_sold(view, clause.span, mention.span))
        .copied()
        .collect();
    for group in clause::groups(view, clause, &within) {
        let members = within.get(group.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (members.first(), members.last()) else { continue };
        let mut any_of: Vec<_> = members.iter().map(|mention| mention.id).collect();
        any_of.sort_unstable();
        any_of.dedup();
        if asked.skills.len() >= MAX_FOUND {
            return;
        }
        let months = years::of_skill(view, clause.span, first.span);
        asked.skills.push(SkillRequirement {
            any_of,
            level,
            months,
            span: Span::new(first.span.start, last.span.end),
        });
    }
}

/// The mentions inside a span. Binary search: mentions are ordered.
fn mentions_in(mentions: &[Mention], span: Span) -> &[Mention] {
    let start = mentions.partition_point(|mention| mention.span.start < span.start);
    let end = mentions.partition_point(|mention| mention.span.start < span.end);
    mentions.get(start..end).unwrap_or_default()
}

/// What the text tells of the company and the work is no demand: only parts that state demands name some. Of tasks not
/// even a "must" counts: "the checkout must be fast" says nothing of who builds it.
const fn counts(kind: SectionKind) -> bool {
    !matches!(
        kind,
        SectionKind::Responsibilities
            | SectionKind::Summary
            | SectionKind::Header
            | SectionKind::Projects
            | SectionKind::Education
    )
}

/// "Selling HR or hospitality software" asks for selling, not for what is sold.
fn is_sold(view: &View<'_>, clause: Span, span: Span) -> bool {
    const SELLING: [&str; 4] = ["selling ", "sold ", "sell ", "sales of "];
    const GOODS: [&str; 6] = ["software", "solution", "product", "system", "platform", "equipment"];
    const WINDOW: u32 = 80;
    let from = clause.start.max(span.start.saturating_sub(WINDOW));
    let until = clause.end.min(span.end.saturating_add(WINDOW)).max(span.end);
    let before = view.folded.of(Span::new(from, span.start));
    let behind = view.folded.of(Span::new(span.end, until));
    SELLING.iter().any(|word| before.contains(word)) && GOODS.iter().any(|word| behind.contains(word))
}

/// "A degree in Computer Science or Statistics" asks for a field, not for a skill.
fn is_about_the_degree(view: &View<'_>, mention: &Mention) -> bool {
    let span = mention.span;
    let domain = Taxonomy::builtin().skill(mention.id).kind == SkillKind::Domain;
    let row = view.row_at(span.start);
    let Some(line) = view.rows.get(row).map(|row| row.span) else { return false };
    const WINDOW: u32 = 200;
    let from = line.start.max(span.start.saturating_sub(WINDOW));
    let hits = view.hits_in(Span::new(from, line.end.min(span.end.saturating_add(WINDOW))));
    let field = hits.iter().any(|hit| {
        matches!(hit.meaning(), Meaning::Field) && hit.span.start <= span.start && span.end <= hit.span.end
    });
    let Some((_, degree)) = education::degree(view, hits).filter(|(_, degree)| degree.start < span.start)
    else {
        return false;
    };
    // "Diploma in Hotel Management or Hospitality": names of no table are fields too where nothing else begins.
    let between = view.folded.of(Span::new(degree.end.min(span.start), span.start));
    let named = between.contains(" in ")
        && !between.contains(['.', ';', ':', ','])
        && ![" experience", " knowledge", " with ", " year"].iter().any(|word| between.contains(word));
    field || domain && named
}

fn experience(view: &View<'_>, clause: &Clause, kind: SectionKind, asked: &mut Requirements) {
    let Some(found) = years::overall(view, clause.span, kind) else { return };
    let weaker = asked.min_months.as_ref().is_some_and(|known| known.confidence >= found.0.confidence);
    if !weaker {
        asked.max_months = found.1;
        asked.min_months = Some(found.0);
    }
}

fn languages_of(
    view: &View<'_>,
    clause: &Clause,
    level: RequirementLevel,
    kind: SectionKind,
    asked: &mut Requirements,
) {
    let folded = view.folded.of(clause.span);
    const CUES: [&str; 22] = [
        "fluent",
        "speak",
        "spoken",
        "written",
        "language",
        "proficien",
        "native",
        "command of",
        "verbal",
        "bilingual",
        "communicat",
        "knowledge of",
        "level",
        "a plus",
        "اللغه",
        "لغه",
        "اجاده",
        "تحدث",
        "كتابه",
        "طلاقه",
        "is required",
        "plus",
    ];
    let mentions = languages::mentions(view, clause.span);
    for mention in mentions {
        // "English teacher" and "German market" name no demand.
        if kind != SectionKind::Languages
            && mention.level.is_none()
            && !CUES.iter().any(|cue| folded.contains(cue))
            && folded.len() > 40
        {
            continue;
        }
        match asked.languages.iter_mut().find(|known| known.language == mention.language) {
            Some(known) => {
                known.level = known.level.max(level);
                known.at_least = known.at_least.max(mention.level);
            }
            None => asked.languages.push(LanguageRequirement {
                language: mention.language,
                at_least: mention.level,
                level,
                span: mention.span,
            }),
        }
    }
}

fn degree_of(
    view: &View<'_>,
    clause: &Clause,
    level: RequirementLevel,
    degree: &mut Option<(RequirementLevel, Sourced<EducationLevel>)>,
    asked: &mut Requirements,
) {
    let hits = view.hits_in(clause.span);
    let named = || {
        hits.iter()
            .filter(|hit| !is_bare_school(view, clause.span, hit.phrase.surface))
            .filter_map(|hit| education::degree(view, std::slice::from_ref(hit)))
    };
    // "A bachelor's degree in secondary education": beside a degree the school is a field.
    let higher = named().any(|(degree, _)| degree > EducationLevel::Secondary);
    let lowest = named()
        .filter(|(degree, _)| !higher || *degree > EducationLevel::Secondary)
        .min_by_key(|(degree, _)| *degree);
    let bare = bare_degree(view, clause.span);
    let Some((value, span)) = lowest.or(bare) else { return };
    let fields =
        hits.iter().filter(|hit| matches!(hit.meaning(), Meaning::Field) && hit.span.start >= span.start);
    for field in fields {
        let field = view.slice(field.span).to_lowercase();
        if !asked.fields.contains(&field) {
            asked.fields.push(field);
        }
    }
    // The degree that is asked for most strongly; of equals the lowest.
    let better = degree
        .as_ref()
        .is_none_or(|(known, sourced)| level > *known || level == *known && value < sourced.value);
    if better {
        *degree = Some((level, Sourced { value, confidence: 85, span }));
    }
}

/// "Two years in a high school" asks for no diploma.
fn is_bare_school(view: &View<'_>, clause: Span, surface: &str) -> bool {
    const PAPERS: [&str; 6] = ["diploma", "certificate", "education", "graduat", "leaving", "complet"];
    let folded = view.folded.of(clause);
    matches!(surface, "high school" | "secondary school") && !PAPERS.iter().any(|word| folded.contains(word))
}

/// "Degree in …" without saying which: a bachelor's.
fn bare_degree(view: &View<'_>, span: Span) -> Option<(EducationLevel, Span)> {
    let range = view.folded.range(span);
    let folded = view.folded.text.get(range.clone())?;
    let at = ["degree", "موهل جامعي", "درجه جامعيه"]
        .iter()
        .find_map(|word| folded.find(word).map(|at| (at, word.len())))?;
    Some((EducationLevel::Bachelor, view.folded.source(range.start + at.0, range.start + at.0 + at.1)))
}

fn certificates_of(view: &View<'_>, clause: &Clause, asked: &mut Requirements) {
    if certificates::names_certificate(view, clause.span)
        && let Some(certificate) = view.sourced(clause.span, 80)
        && certificate.value.split_whitespace().count() <= 25
        && !asked.certificates.iter().any(|known| known.value == certificate.value)
    {
        asked.certificates.push(certificate);
    }
}

/// One requirement per skill and group: the strongest level, the most months; a group is met where a member is asked
/// for by itself.
fn tidy(asked: &mut Requirements) {
    let mut kept: Vec<SkillRequirement> = Vec::new();
    for found in std::mem::take(&mut asked.skills) {
        match kept.iter_mut().find(|known| known.any_of == found.any_of) {
            Some(known) => {
                if found.level > known.level {
                    known.level = found.level;
                    known.span = found.span;
                }
                known.months = known.months.or(found.months);
            }
            None => kept.push(found),
        }
    }
    let singles: BTreeSet<_> = kept
        .iter()
        .filter(|known| known.any_of.len() == 1)
        .flat_map(|known| known.any_of.iter().map(|id| (*id, known.level)))
        .collect();
    kept.retain(|known| {
        known.any_of.len() == 1
            || !known
                .any_of
                .iter()
                .any(|id| singles.iter().any(|(single, level)| single == id && *level >= known.level))
    });
    kept.truncate(MAX_SKILLS);
    asked.skills = kept;
    asked.languages.sort_by_key(|language| language.language);
    if asked.min_months.is_none() {
        let longest = asked
            .skills
            .iter()
            .filter(|skill| skill.level >= RequirementLevel::Required)
            .filter_map(|skill| skill.months.map(|months| (months, skill.span)))
            .max();
        asked.min_months = longest.map(|(value, span)| Sourced { value, confidence: 50, span });
    }
}

/// Ranges of indices, for groups of mentions.
pub(crate) type Group = Range<usize>;
