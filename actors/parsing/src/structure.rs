//! From visible lines to a Profile, by rules: deterministic, total, in time linear in the text.
//!
//! Read in this order: `fold` (texts made comparable), `lexicon` and `scan` (known phrases), `view` (a document as the
//! rules see it), `headings` and `sections`, then one module for each thing that is read.

use tandem_domain::document::{DocumentKind, ParsedVersion};
use tandem_domain::finding::{Finding, FindingKind};
use tandem_domain::profile::{Basics, Profile, SectionKind, Sourced, Span};
use tandem_domain::time::Month;

use crate::extract::{Extracted, JobPostingLd, Line};
use crate::redact;
use sections::Part;
use view::View;

pub(crate) mod fold;
pub(crate) mod lexicon;
pub(crate) mod scan;
pub(crate) mod view;

pub(crate) mod headings;
pub(crate) mod sections;

mod casing;
pub(crate) mod contact;
pub(crate) mod dates;
pub(crate) mod name;
pub(crate) mod personal;
pub(crate) mod titles;
pub(crate) mod words;

mod certificates;
mod education;
mod experience;
mod languages;
mod pieces;
pub(crate) mod skills;
mod work;

mod job;
mod requirements;
mod salary;

mod notices;

#[cfg(test)]
pub(crate) mod tests;

/// The version of these rules. Results of different parsers are not the same fact.
pub const PARSER: &str = "rules-1";
/// Lines beyond this are not read; the finding `Truncated` says so.
pub const MAX_LINES: usize = 20_000;
/// Longer lines (bytes) are not read past this point.
pub const MAX_LINE_BYTES: usize = 20_000;
/// Of a summary at most so many bytes are kept in the Profile.
const MAX_SUMMARY_BYTES: usize = 4_000;

/// Reads the lines of a document into its structured form and makes the text that may be ranked.
///
/// `title_hint` is the submitter's title, used for a job whose text shows none; `as_of` is the month that "present"
/// means. The same lines, hint and month always give the same result. Never fails: what is odd about a document is told
/// in `findings`, behind those of the extraction.
#[must_use]
pub fn structure(
    extracted: &Extracted,
    kind: DocumentKind,
    title_hint: Option<&str>,
    as_of: Month,
) -> ParsedVersion {
    let (lines, cut) = lines(extracted, kind);
    let view = View::new(&lines);
    let parts = sections::split(&view, kind);
    let read = Read { view: &view, parts: &parts, extracted, as_of };
    let (profile, redaction) = match kind {
        DocumentKind::Resume => read.resume(),
        DocumentKind::Job => read.job(title_hint),
    };
    let ranked_text = redact::ranked_text(&view, &parts, &profile, &redaction);
    let mut findings = extracted.findings.clone();
    if cut {
        findings.push(Finding {
            kind: FindingKind::Truncated,
            page: None,
            span: None,
            note: format!("only the first {MAX_LINES} lines of {MAX_LINE_BYTES} bytes were structured"),
        });
    }
    for finding in notices::find(&view, &parts, &profile) {
        if !findings.iter().any(|known| known.kind == finding.kind) {
            findings.push(finding);
        }
    }
    ParsedVersion { text: view.text, ranked_text, profile, findings, parser: PARSER.to_owned() }
}

/// The lines to read, within the bounds, and whether anything was cut. A posting whose page shows next to nothing is
/// read from what it declares.
fn lines(extracted: &Extracted, kind: DocumentKind) -> (Vec<Line>, bool) {
    let mut lines = match (&extracted.job_posting, kind) {
        (Some(posting), DocumentKind::Job) if shows_less(&extracted.lines, posting) => {
            declared_lines(posting)
        }
        _ => extracted.lines.clone(),
    };
    let mut cut = lines.len() > MAX_LINES;
    lines.truncate(MAX_LINES);
    for line in &mut lines {
        if line.text.len() > MAX_LINE_BYTES {
            let end = (0..=MAX_LINE_BYTES).rev().find(|at| line.text.is_char_boundary(*at)).unwrap_or(0);
            line.text.truncate(end);
            cut = true;
        }
        // One line is one line: a break inside would shift every span behind it.
        if line.text.contains('\n') {
            line.text = line.text.replace('\n', " ");
        }
    }
    (lines, cut)
}

fn declared_size(posting: &JobPostingLd) -> usize {
    [&posting.description_lines, &posting.qualification_lines, &posting.responsibility_lines]
        .into_iter()
        .flatten()
        .map(String::len)
        .sum()
}

fn shows_less(lines: &[Line], posting: &JobPostingLd) -> bool {
    lines.iter().map(|line| line.text.len()).sum::<usize>() < declared_size(posting) / 2 || lines.is_empty()
}

fn declared_lines(posting: &JobPostingLd) -> Vec<Line> {
    let plain = |text: &String| Line { text: text.trim().to_owned(), page: 1, ..Line::default() };
    let heading = |text: &str| Line { text: text.to_owned(), page: 1, heading: 2, ..Line::default() };
    let mut lines: Vec<Line> = Vec::new();
    lines.extend(posting.title.iter().map(|title| Line { heading: 1, ..plain(title) }));
    lines.extend([&posting.organization, &posting.location].into_iter().flatten().map(plain));
    lines.extend(posting.description_lines.iter().map(plain));
    for (name, body) in
        [("Responsibilities", &posting.responsibility_lines), ("Requirements", &posting.qualification_lines)]
    {
        if !body.is_empty() {
            lines.push(heading(name));
            lines.extend(body.iter().map(|text| Line { bullet: true, ..plain(text) }));
        }
    }
    let single = [
        ("Skills", &posting.skills),
        ("Requirements", &posting.experience),
        ("Education", &posting.education),
    ];
    for (name, value) in single {
        if let Some(value) = value {
            lines.push(heading(name));
            lines.push(plain(value));
        }
    }
    lines.retain(|line| !line.text.is_empty());
    lines
}

/// What one reading works on.
struct Read<'a> {
    view: &'a View<'a>,
    parts: &'a [Part],
    extracted: &'a Extracted,
    as_of: Month,
}

impl Read<'_> {
    fn resume(&self) -> (Profile, redact::Redaction) {
        let (view, parts) = (self.view, self.parts);
        let contact = contact::read(view, &self.extracted.links);
        let name = name::find(view, parts, &contact.emails);
        let redaction = redact::Redaction::of(view, name.as_ref(), &contact);
        let label = label(view, parts, name.as_ref());
        let headline = label.as_ref().map_or(Span::default(), |label| label.span);
        let mut mentions = skills::mentions(view, parts, &redaction.person);
        // Of the contact block only the headline speaks of skills: streets and towns have names of all kinds.
        mentions.retain(|mention| {
            let inside = headline.start <= mention.span.start && mention.span.end <= headline.end;
            mention.section != SectionKind::Header || inside
        });
        let mut entries = work::read(view, parts, self.as_of);
        let education = education::read(view, parts, self.as_of);
        let employers = entries.iter().flat_map(|entry| [&entry.work.organization, &entry.work.location]);
        let schools = education.iter().map(|entry| &entry.institution);
        let names = employers.chain(schools).flatten().map(|name| name.span);
        skills::only_own(view, &mut mentions, names);
        skills::attach(&mut entries, &mentions);
        let mut profile = self.empty(DocumentKind::Resume);
        profile.skills = skills::collect(&mentions, &entries);
        profile.months_by_skill = profile
            .skills
            .iter()
            .filter(|skill| skill.months > 0)
            .map(|skill| (skill.id, skill.months))
            .collect();
        profile.months_total = experience::total(&entries);
        profile.claimed_months = experience::claimed(view, parts);
        profile.languages = languages::read(view, parts);
        profile.certificates = certificates::read(view, parts);
        profile.basics = Basics {
            label,
            location: contact::location(view, parts, &redaction.person),
            protected: personal::read(view, parts, &education),
            name: name.map(casing::name),
            emails: contact.emails,
            phones: contact.phones,
            urls: contact.urls,
        };
        profile.work = entries.into_iter().map(|entry| entry.work).collect();
        profile.education = education;
        (profile, redaction)
    }

    fn job(&self, hint: Option<&str>) -> (Profile, redact::Redaction) {
        let (view, parts) = (self.view, self.parts);
        let posting = self.extracted.job_posting.as_ref();
        let contact = contact::read(view, &[]);
        let redaction = redact::Redaction::of(view, None, &contact);
        let head = job::read(view, parts, posting, hint);
        let named = [&head.organization, &head.location].into_iter().flatten();
        let mut without: Vec<Span> = redaction.person.clone();
        without.extend(named.map(|name| name.span).filter(|span| span.start < span.end));
        without.sort_unstable_by_key(|span| (span.start, span.end));
        let mentions = skills::mentions(view, parts, &without);
        let mut asked = requirements::read(view, parts, head, &mentions, posting);
        asked.title = asked.title.map(casing::title);
        let mut profile = self.empty(DocumentKind::Job);
        let told: Vec<skills::Mention> =
            mentions.into_iter().filter(|mention| !job::is_boilerplate(mention.section)).collect();
        profile.skills = skills::collect(&told, &[]);
        profile.basics = Basics {
            label: asked.title.clone(),
            location: asked.location.clone(),
            emails: contact.emails,
            phones: contact.phones,
            urls: contact.urls,
            ..Basics::default()
        };
        profile.requirements = Some(asked);
        (profile, redaction)
    }

    fn empty(&self, kind: DocumentKind) -> Profile {
        Profile {
            kind,
            as_of: self.as_of,
            language: notices::language(&self.view.text),
            basics: Basics::default(),
            summary: summary(self.view, self.parts),
            sections: sections::shown(self.view, self.parts),
            work: Vec::new(),
            education: Vec::new(),
            skills: Vec::new(),
            languages: Vec::new(),
            certificates: Vec::new(),
            months_total: 0,
            months_by_skill: std::collections::BTreeMap::new(),
            claimed_months: None,
            requirements: None,
        }
    }
}

/// The first summary section's text.
fn summary(view: &View<'_>, parts: &[Part]) -> Option<Sourced<String>> {
    let part = parts.iter().find(|part| part.kind == SectionKind::Summary && !part.body.is_empty())?;
    let mut span = part.span(view);
    while view.slice(span).len() > MAX_SUMMARY_BYTES {
        let end = (0..=MAX_SUMMARY_BYTES as u32)
            .rev()
            .find(|length| view.text.is_char_boundary((span.start + length) as usize));
        span = Span::new(span.start, span.start + end.unwrap_or(0));
    }
    view.sourced(span, 80)
}

/// The headline: the line of the contact block that looks most like a title.
fn label(view: &View<'_>, parts: &[Part], name: Option<&Sourced<String>>) -> Option<Sourced<String>> {
    let taken = name.map_or(Span::default(), |name| name.span);
    let header =
        parts.iter().filter(|part| part.kind == SectionKind::Header).flat_map(|part| part.body.clone());
    let mut best: Option<(i32, Span)> = None;
    for row in header {
        let Some(line) = view.rows.get(row) else { continue };
        if contact::is_contact(view.fold_of(row)) && !line.text().contains(['|', '•', '·', '\t']) {
            continue;
        }
        let own_line = line.span.end <= taken.start || line.span.start >= taken.end;
        let whole = (own_line && view::word_count(line.text()) <= 8 && !line.text().contains('\t'))
            .then_some(line.span);
        let pieces = pieces::cut(view, row, &[]).into_iter().map(|piece| piece.span);
        for span in whole.into_iter().chain(pieces) {
            let outside = span.end <= taken.start || span.start >= taken.end;
            let score = titles::title_score(view, span);
            if outside && score >= 6 && best.is_none_or(|(known, _)| score > known) {
                best = Some((score, span));
            }
        }
    }
    view.sourced(best?.1, 80)
}
