//! A job's head: title, organization, place, remote, employment type.

use tandem_domain::profile::{Remote, SectionKind, Sourced, Span};

use super::pieces::{self, Piece};
use super::sections::Part;
use super::titles;
use super::view::{View, word_count};
use crate::extract::JobPostingLd;

/// Lines of a posting that may hold its head.
const HEAD_ROWS: usize = 12;

/// What the head says.
#[derive(Debug, Default)]
pub(crate) struct JobHead {
    pub(crate) title: Option<Sourced<String>>,
    pub(crate) organization: Option<Sourced<String>>,
    pub(crate) location: Option<Sourced<String>>,
    pub(crate) remote: Option<Remote>,
    pub(crate) employment_type: Option<Sourced<String>>,
}

/// Reads the head: first what the page itself declares, then labels, then looks.
pub(crate) fn read(
    view: &View<'_>,
    parts: &[Part],
    posting: Option<&JobPostingLd>,
    hint: Option<&str>,
) -> JobHead {
    let mut head = JobHead::default();
    if let Some(posting) = posting {
        declared(view, posting, &mut head);
    }
    for row in 0..view.rows.len().min(60) {
        labels(view, row, &mut head);
    }
    let rows: Vec<usize> = head_rows(view, parts);
    if head.title.is_none() {
        head.title = title(view, &rows);
    }
    if head.title.is_none() {
        let hint = hint.map(str::trim).filter(|hint| !hint.is_empty());
        head.title =
            hint.map(|hint| Sourced { value: hint.to_owned(), confidence: 60, span: Span::default() });
    }
    if head.title.is_none() {
        head.title =
            rows.first().and_then(|row| view.rows.get(*row)).and_then(|row| view.sourced(row.span, 30));
    }
    around(view, &rows, &mut head);
    if head.remote.is_none() {
        head.remote = rows.iter().find_map(|row| remote(view.fold_of(*row)));
    }
    if head.remote.is_none() {
        head.remote = (0..view.rows.len()).find_map(|row| remote_sentence(view.fold_of(row)));
    }
    if head.employment_type.is_none() {
        head.employment_type = rows.iter().find_map(|row| employment_type(view, *row));
    }
    head
}

fn declared(view: &View<'_>, posting: &JobPostingLd, head: &mut JobHead) {
    let placed = |value: &Option<String>| {
        let value = value.as_deref().map(str::trim).filter(|value| !value.is_empty())?;
        let start = view.text.find(value);
        let span =
            start.map_or(Span::default(), |start| Span::new(start as u32, (start + value.len()) as u32));
        Some(Sourced { value: value.to_owned(), confidence: 98, span })
    };
    head.title = placed(&posting.title);
    head.organization = placed(&posting.organization);
    head.location = placed(&posting.location);
    head.employment_type = placed(&posting.employment_type);
    if posting.location_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("TELECOMMUTE")) {
        head.remote = Some(Remote::Remote);
    }
}

/// `Location: Berlin`, `Company: Acme`, `الموقع: الرياض`.
fn labels(view: &View<'_>, row: usize, head: &mut JobHead) {
    let folded = view.fold_of(row);
    let mut start = 0;
    for piece in folded.split(['|', '•']) {
        let at = start;
        start += piece.len()
            + folded
                .get(start + piece.len()..)
                .and_then(|rest| rest.chars().next())
                .map_or(0, char::len_utf8);
        let Some((label, value)) = piece.split_once([':', '\t']) else { continue };
        if value.trim().is_empty() || label.len() > 40 {
            continue;
        }
        let from = at + label.len() + 1;
        let sourced = || view.sourced(view.span_in(row, from, from + value.len()), 92);
        match Label::of(label.trim()) {
            Some(Label::Title) => head.title = head.title.take().or_else(sourced),
            Some(Label::Organization) => head.organization = head.organization.take().or_else(sourced),
            Some(Label::Location) => {
                head.location = head.location.take().or_else(sourced);
                head.remote = head.remote.or_else(|| remote(value));
            }
            Some(Label::Employment) => head.employment_type = head.employment_type.take().or_else(sourced),
            Some(Label::Mode) => head.remote = head.remote.or_else(|| remote(value)),
            None => {}
        }
    }
}

/// What a label in a posting's head announces.
#[derive(Debug, Clone, Copy)]
enum Label {
    Title,
    Organization,
    Location,
    Employment,
    Mode,
}

impl Label {
    const WORDS: [(Self, &'static [&'static str]); 5] = [
        (
            Self::Title,
            &[
                "job title",
                "title",
                "position",
                "role",
                "vacancy",
                "المسمي الوظيفي",
                "الوظيفه",
                "مسمي الوظيفه",
                "المنصب",
            ],
        ),
        (
            Self::Organization,
            &[
                "company",
                "employer",
                "organization",
                "organisation",
                "client",
                "الشركه",
                "جهه العمل",
                "الموسسه",
                "اسم الشركه",
            ],
        ),
        (
            Self::Location,
            &[
                "location",
                "job location",
                "place of work",
                "city",
                "based in",
                "workplace",
                "الموقع",
                "مكان العمل",
                "المدينه",
                "موقع العمل",
                "المكان",
            ],
        ),
        (
            Self::Employment,
            &[
                "employment type",
                "job type",
                "type",
                "contract",
                "contract type",
                "employment",
                "hours",
                "نوع الدوام",
                "الدوام",
                "نوع الوظيفه",
                "نوع العقد",
                "نوع العمل",
            ],
        ),
        (Self::Mode, &["work mode", "workplace type", "work model", "remote", "نظام العمل"]),
    ];

    /// The label that a folded text is.
    fn of(folded: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, words)| words.contains(&folded)).map(|(label, _)| *label)
    }
}

/// The lines of the head: the part before the first heading, else the first lines.
fn head_rows(view: &View<'_>, parts: &[Part]) -> Vec<usize> {
    let header: Vec<usize> = parts
        .iter()
        .take_while(|part| part.heading.is_none())
        .flat_map(|part| part.body.clone())
        .take(HEAD_ROWS)
        .collect();
    if header.is_empty() { (0..view.rows.len().min(4)).collect() } else { header }
}

/// The line or piece of the head that looks most like a title.
fn title(view: &View<'_>, rows: &[usize]) -> Option<Sourced<String>> {
    let mut best: Option<(i32, Span)> = None;
    for (distance, row) in rows.iter().enumerate() {
        let Some(line) = view.rows.get(*row) else { continue };
        if word_count(line.text()) > 14 || line.text().trim_end().ends_with('.') {
            continue;
        }
        let large = i32::from(line.line.heading == 1) * 8
            + i32::from(view.body_size > 0 && line.line.size > view.body_size + view.body_size / 4) * 6
            + i32::from(line.line.bold) * 2;
        // A line with a title and nothing else is the title as a whole: "Frontend Engineer (React / TypeScript)".
        let whole = whole_title(view, *row);
        for span in whole.into_iter().chain(pieces::cut(view, *row, &[]).into_iter().map(|piece| piece.span))
        {
            let score = titles::title_score(view, span);
            let total = score * 2 + large - distance as i32 * 2 - titles::employer_score(view, span) / 2;
            if score > 0 && best.is_none_or(|(known, _)| total > known) {
                best = Some((total, span));
            }
        }
    }
    let (score, span) = best?;
    let span = rows.first().and_then(|row| with_rest(view, *row, span)).unwrap_or(span);
    view.sourced(span, (50 + score.clamp(0, 45)) as u8)
}

/// The whole first line, where what stands beside the title there is no employer and no place: "Registered Nurse –
/// Intensive Care Unit".
fn with_rest(view: &View<'_>, row: usize, title: Span) -> Option<Span> {
    let line = view.rows.get(row)?;
    let inside = line.span.start <= title.start && title.end <= line.span.end;
    let plain = !line.text().contains(['|', '•', '·', '\t', ':']) && word_count(line.text()) <= 10;
    let rest = pieces::cut(view, row, &[]);
    let others = rest.iter().filter(|piece| piece.span.end <= title.start || piece.span.start >= title.end);
    let bare = others.clone().count() > 0
        && others.clone().all(|piece| {
            !piece.behind_at
                && !titles::is_place(view, piece.span)
                && titles::employer_score(view, piece.span) < 4
        });
    (inside && plain && bare).then_some(line.span)
}

fn whole_title(view: &View<'_>, row: usize) -> Option<Span> {
    let line = view.rows.get(row)?;
    let text = line.text();
    let plain =
        !text.contains(['|', '•', '·', '\t', ':']) && !text.contains(" - ") && !text.contains(['–', '—']);
    (plain && !text.contains(" at ") && word_count(text) <= 9).then_some(line.span)
}

/// Organization and place from the pieces around the title.
fn around(view: &View<'_>, rows: &[usize], head: &mut JobHead) {
    let title = head.title.as_ref().map_or(Span::default(), |title| title.span);
    let mut rest: Vec<Piece> = Vec::new();
    for row in rows {
        let Some(line) = view.rows.get(*row) else { continue };
        if word_count(line.text()) > 16 || line.text().contains(':') || line.text().trim_end().ends_with('.')
        {
            continue;
        }
        let pieces = pieces::cut(view, *row, &[]);
        rest.extend(
            pieces.into_iter().filter(|piece| piece.span.end <= title.start || piece.span.start >= title.end),
        );
    }
    for piece in rest {
        let mut parts = comma_split(view, piece.span);
        if head.location.is_none()
            && let Some(first) = parts.iter().position(|part| has_place(view, *part))
            && let (Some(from), Some(to)) = (parts.get(first), parts.last())
        {
            let span = Span::new(from.start, to.end);
            let text = view.slice(span);
            let cut = text.find('(').filter(|at| *at > 0).unwrap_or(text.len());
            head.location = view.sourced(Span::new(span.start, span.start + cut as u32), 80);
            parts.truncate(first);
        }
        if head.organization.is_none()
            && let (Some(from), Some(to)) = (parts.first(), parts.last())
        {
            let span = Span::new(from.start, to.end);
            let folded = view.folded.of(span).to_owned();
            let other = employment_word(&folded).is_some()
                || remote(&folded).is_some()
                || folded.chars().any(|c| c.is_ascii_digit()) && titles::employer_score(view, span) < 4;
            if !other
                && !titles::is_place(view, span)
                && view.slice(span).chars().next().is_some_and(|c| !c.is_lowercase())
            {
                head.organization =
                    view.sourced(span, if titles::employer_score(view, span) > 3 { 85 } else { 60 });
            }
        }
    }
}

fn has_place(view: &View<'_>, span: Span) -> bool {
    let outside = view.slice(span).find('(').map_or(span.end, |at| span.start + at as u32);
    titles::is_place(view, Span::new(span.start, outside.max(span.start)))
}

fn comma_split(view: &View<'_>, span: Span) -> Vec<Span> {
    let text = view.slice(span);
    let mut start = 0;
    let mut depth = 0_i32;
    let mut parts = Vec::new();
    for (at, c) in text.char_indices().chain(std::iter::once((text.len(), ','))) {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if at == text.len() || matches!(c, ',' | '،') && depth <= 0 {
            let part = view.trim(Span::new(span.start + start as u32, span.start + at as u32));
            if part.start < part.end {
                parts.push(part);
            }
            start = at + c.len_utf8();
        }
    }
    parts
}

/// Where the work is done, as a line of the head says it.
fn remote(folded: &str) -> Option<Remote> {
    const HYBRID: [&str; 5] =
        ["hybrid", "days a week in the office", "days in the office", "هجين", "partly remote"];
    const ON_SITE: [&str; 8] =
        ["on-site", "onsite", "on site", "in-office", "in office", "no remote", "not remote", "حضوري"];
    const REMOTE: [&str; 6] =
        ["remote", "work from home", "home office", "عن بعد", "from anywhere", "telecommute"];
    let says = |words: &[&str]| words.iter().any(|word| folded.contains(word));
    if says(&HYBRID) {
        Some(Remote::Hybrid)
    } else if says(&ON_SITE) {
        Some(Remote::OnSite)
    } else if says(&REMOTE) {
        Some(Remote::Remote)
    } else {
        None
    }
}

/// The same inside a sentence, where the word alone ("remote control") proves nothing.
fn remote_sentence(folded: &str) -> Option<Remote> {
    const CUES: [&str; 14] = [
        "remote work",
        "work remotely",
        "fully remote",
        "remote position",
        "remote role",
        "remote-first",
        "hybrid work",
        "hybrid model",
        "hybrid:",
        "hybrid (",
        "days a week in the office",
        "days per week in the office",
        "on-site",
        "العمل عن بعد",
    ];
    CUES.iter().any(|cue| folded.contains(cue)).then(|| remote(folded)).flatten()
}

const EMPLOYMENT: [&str; 20] = [
    "full-time",
    "full time",
    "part-time",
    "part time",
    "permanent",
    "temporary",
    "contract",
    "freelance",
    "internship",
    "fixed-term",
    "fixed term",
    "casual",
    "apprenticeship",
    "seasonal",
    "دوام كامل",
    "دوام جزيي",
    "عقد",
    "موقت",
    "تدريب",
    "دائم",
];

fn employment_word(folded: &str) -> Option<(usize, usize)> {
    EMPLOYMENT.iter().filter_map(|word| folded.find(word).map(|at| (at, at + word.len()))).min()
}

fn employment_type(view: &View<'_>, row: usize) -> Option<Sourced<String>> {
    let folded = view.fold_of(row);
    if word_count(folded) > 20 {
        return None;
    }
    let (start, end) = employment_word(folded)?;
    view.sourced(view.span_in(row, start, end), 85)
}

/// Whether a part of a posting tells of the employer or of what is offered, not of the work.
pub(crate) const fn is_boilerplate(kind: SectionKind) -> bool {
    matches!(kind, SectionKind::Benefits | SectionKind::About)
}
