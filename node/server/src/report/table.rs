//! For a terminal: a table per job, in plain text without colors.

use comfy_table::{CellAlignment, ContentArrangement, ContentLineStyle, LineStyle, Table, TableStyle};
use tandem_domain::score::{BASIS, Category, CategoryState};
use unicode_width::UnicodeWidthChar;

use super::{BrokenFile, JobReport, MatchReport, PersonReport};

/// The width when nobody names one, in columns: what a pipe or a file gets.
const DEFAULT_WIDTH: u16 = 120;
/// The narrowest table that still says something.
const MIN_WIDTH: u16 = 64;
/// From this width on the categories have names instead of abbreviations and names have more room.
const WIDE: usize = 100;
/// A column of its own for each category.
const SHORT: [&str; Category::ALL.len()] = ["Skl", "Ttl", "Sim", "Exp", "Edu", "Lng"];
const LONG: [&str; Category::ALL.len()] = ["Skills", "Title", "Simil", "Exper", "Educ", "Lang"];
/// The most columns for a name, narrow and wide.
const NAME_COLUMNS: [usize; 2] = [18, 28];
/// Between two columns, narrow and wide.
const GAPS: [usize; 2] = [1, 2];

const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─'))
    .content_lines(ContentLineStyle::none());

/// Keeps right-to-left text from reordering the columns around it in terminals that know the bidi algorithm (UAX #9).
const LEFT_TO_RIGHT_MARK: char = '\u{200E}';

/// A table per job, at most `width` columns wide (120 when `None`, at least 64), then the files that could not be
/// read and a legend. Widths are counted in terminal cells.
#[must_use]
pub(crate) fn table(report: &MatchReport, width: Option<u16>) -> String {
    let width = usize::from(width.unwrap_or(DEFAULT_WIDTH).max(MIN_WIDTH));
    let mut blocks: Vec<String> = report.jobs.iter().map(|job| block(job, width)).collect();
    if report.jobs.is_empty() {
        blocks.push(format!("{}\n", report.nothing_matched()));
    }
    if !report.broken.is_empty() {
        blocks.push(broken(&report.broken));
    }
    blocks.extend(legend(report));
    blocks.join("\n")
}

fn block(job: &JobReport, width: usize) -> String {
    let organization = job.organization.iter().map(|name| format!(" · {}", isolated(&plain(name))));
    let heading = format!(
        "{}{} ({})",
        isolated(&plain(&job.title)),
        organization.collect::<String>(),
        isolated(&plain(&job.file))
    );
    if job.people.is_empty() {
        return format!("{heading}\n  No résumé to compare with.\n");
    }
    format!("{heading}\n{}", Layout::of(job, width).render(job))
}

/// What the columns of a job's table are and how wide.
struct Layout {
    /// Each shown category with its heading.
    categories: Vec<(Category, &'static str)>,
    /// Columns for names.
    name: usize,
    /// Columns for missing skills.
    missing: usize,
    /// Columns between two columns.
    gap: usize,
}

/// Cells of the columns whose width never changes.
const RANK: usize = 4;
const SCORE: usize = 7;
const FOUND: usize = 5;

impl Layout {
    fn of(job: &JobReport, width: usize) -> Self {
        let wide = width >= WIDE;
        let [most, gap] = [NAME_COLUMNS, GAPS].map(|by| by[usize::from(wide)]);
        let asked = |category| job.people.iter().any(|p| p.state(category) != CategoryState::NotAsked);
        let heads = Category::ALL.into_iter().zip(if wide { LONG } else { SHORT });
        let categories: Vec<(Category, &str)> = heads.filter(|&(category, _)| asked(category)).collect();
        let longest = job.people.iter().map(|person| cells(&plain(&person.name))).max();
        let name = longest.unwrap_or_default().clamp(cells("Name"), most);
        let shown: usize = categories.iter().map(|(_, head)| cells(head).max(3) + gap).sum();
        let taken = RANK + SCORE + name + FOUND + 4 * gap + shown;
        Self { categories, name, missing: width.saturating_sub(taken), gap }
    }

    fn render(&self, job: &JobReport) -> String {
        let mut table = Table::new();
        table.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
        let mut header = vec!["Rank", "Score ", "Name"];
        header.extend(self.categories.iter().map(|(_, head)| *head));
        header.extend(["Found", "Missing"]);
        let last = header.len() - 1;
        table.set_header(header);
        for person in &job.people {
            table.add_row(self.row(person));
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            let gap = if index == last { 0 } else { self.gap };
            column.set_padding((0, gap as u16));
            if index != 2 && index != last {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let head = table.lines().take(2).map(|line| line.trim_end().to_owned());
        let rows =
            table.lines().skip(2).zip(&job.people).map(|(line, person)| self.named(line.trim_end(), person));
        head.chain(rows).map(|line| line + "\n").collect()
    }

    fn row(&self, person: &PersonReport) -> Vec<String> {
        let mut row = vec![
            person.rank.to_string(),
            format!("{}{}", person.score, if person.insufficient_data { '*' } else { ' ' }),
            String::from(STAND_IN).repeat(cells(&self.name_of(person))),
        ];
        row.extend(self.categories.iter().map(|&(category, _)| match person.state(category) {
            CategoryState::Known(score) => (score.points() * 100 / BASIS).to_string(),
            CategoryState::Unknown => "?".to_owned(),
            CategoryState::NotAsked => "-".to_owned(),
        }));
        let asked = person.found.len() + person.missing.len();
        row.push(format!("{}/{asked}", person.found.len()));
        let missing: Vec<String> = person.missing_by_weight().iter().map(|s| plain(&s.name)).collect();
        row.push(fit_list(&missing, self.missing));
        row
    }

    fn name_of(&self, person: &PersonReport) -> String {
        fit(&plain(&person.name), self.name)
    }

    /// `line` with the person's name where its stand-ins are.
    fn named(&self, line: &str, person: &PersonReport) -> String {
        match line.split_once(STAND_IN) {
            Some((before, rest)) => {
                let after = rest.trim_start_matches(STAND_IN);
                format!("{before}{}{after}", isolated(&self.name_of(person)))
            }
            None => line.to_owned(),
        }
    }
}

/// Stands for one cell of a name while the table is laid out. The layout counts Arabic lam-alef as one cell, as a
/// typesetter would; a terminal gives each letter its own, so it is told the number of cells instead of the name.
const STAND_IN: char = '\u{E000}';

fn broken(files: &[BrokenFile]) -> String {
    let mut text = "Could not be read\n".to_owned();
    for file in files {
        let (name, reason) = (isolated(&plain(&file.file)), plain(&file.reason));
        text.push_str(&format!("  {name} ({}, {})\n    {reason}\n", file.kind, file.code));
    }
    text
}

/// What the signs in the tables mean, where there are any.
fn legend(report: &MatchReport) -> Option<String> {
    let people = || report.jobs.iter().flat_map(|job| &job.people);
    let any = |state| people().any(|person| Category::ALL.iter().any(|c| person.state(*c) == state));
    let mut signs = Vec::new();
    if people().next().is_some() {
        signs.push("Score and categories in percent");
    }
    if any(CategoryState::Unknown) {
        signs.push("? the résumé does not say");
    }
    if people().any(|person| person.insufficient_data) {
        signs.push("* too little is known for the score to mean much");
    }
    (!signs.is_empty()).then(|| format!("{}\n", signs.join("\n")))
}

/// As many of `items` as fit into `room` cells, then how many more there are.
fn fit_list(items: &[String], room: usize) -> String {
    let mut shown = String::new();
    for (index, item) in items.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let rest = items.len() - index - 1;
        let more = if rest == 0 { String::new() } else { format!(" +{rest}") };
        if cells(&shown) + cells(separator) + cells(item) + cells(&more) > room {
            return match index {
                0 => format!("{}{more}", isolated(&fit(item, room.saturating_sub(cells(&more))))),
                _ => format!("{shown} +{}", rest + 1),
            };
        }
        shown.push_str(separator);
        shown.push_str(&isolated(item));
    }
    shown
}

/// `text` cut to `room` cells.
fn fit(text: &str, room: usize) -> String {
    if cells(text) <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(1);
    let kept = text.chars().take_while(|char| {
        let next = left.checked_sub(char.width().unwrap_or(0));
        left = next.unwrap_or(0);
        next.is_some()
    });
    let mut cut: String = kept.collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// How many cells of a terminal `text` fills: each character by itself, as terminals count.
fn cells(text: &str) -> usize {
    text.chars().map(|char| char.width().unwrap_or(0)).sum()
}

/// `text` without what could steer a terminal (control characters, bidi overrides), in one line.
fn plain(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | STAND_IN)
    };
    let spaced: String = text.chars().map(|c| if steers(c) { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` between marks where it holds letters that run from right to left.
fn isolated(text: &str) -> String {
    let runs_left =
        |c: char| matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}');
    if text.contains(runs_left) {
        format!("{LEFT_TO_RIGHT_MARK}{text}{LEFT_TO_RIGHT_MARK}")
    } else {
        text.to_owned()
    }
}
