//! For people: one page that stands by itself, on a screen, on a phone and on paper.
//!
//! Everything that comes from a file goes through [`Text`] or [`text`]; the page holds no script, asks nothing of the
//! network, and says so in its content security policy.

mod card;
mod scoring;

use std::fmt::{self, Write};

use tandem_domain::score::Category;

use super::{BrokenFile, JobReport, MatchReport};

const STYLE: &str = include_str!("html/style.css");

/// One self-contained HTML page: what was compared, each job with its people and the reasons for their scores, how a
/// score is made, and the files that could not be read. The same report always gives the same bytes.
#[must_use]
pub(crate) fn html(report: &MatchReport) -> String {
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Match report: {jobs}, {people}</title>
<style>
{STYLE}</style>
</head>
<body>
<header class="top">
<p class="brand">Tandem</p>
<h1>Match report</h1>
{summary}</header>
<main>
{nav}{sections}{scoring}{broken}</main>
<footer><p>A score says what to read first. It does not decide about anyone.</p></footer>
</body>
</html>
"#,
        jobs = count(report.jobs.len(), "job"),
        people = count(report.resumes, "résumé"),
        summary = summary(report),
        nav = nav(report),
        sections = sections(&report.jobs),
        scoring = scoring::section(report),
        broken = broken(&report.broken),
    )
}

fn summary(report: &MatchReport) -> String {
    let broken = match report.broken.len() {
        0 => "<p>Every file could be read.</p>".to_owned(),
        1 => "<p><a href=\"#unread\"><b>1</b> file could not be read</a></p>".to_owned(),
        files => format!("<p><a href=\"#unread\"><b>{files}</b> files could not be read</a></p>"),
    };
    format!(
        r#"<div class="summary"><p><b>{jobs}</b> {job}</p>
<p><b>{people}</b> {person} compared with each job</p>
{broken}</div>
"#,
        jobs = report.jobs.len(),
        job = noun(report.jobs.len(), "job"),
        people = report.resumes,
        person = noun(report.resumes, "résumé"),
    )
}

/// The jobs with the best person of each, as the way into the page.
fn nav(report: &MatchReport) -> String {
    let jobs = &report.jobs;
    if jobs.is_empty() {
        return format!("<p class=\"empty\">{}</p>\n", report.nothing_matched());
    }
    let items = each(jobs.iter().enumerate(), |(index, job)| {
        let best = job.people.first().map_or_else(
            || "nobody to compare with".to_owned(),
            |person| format!("{} <b>{}</b>", text(&person.name), person.score),
        );
        format!(
            r##"<li><a href="#job-{number}"><span class="title">{title}</span>{organization}
<span class="best">{best}</span></a></li>
"##,
            number = index + 1,
            title = text(&job.title),
            organization = job.organization.as_ref().map_or_else(String::new, |name| format!(
                "<span class=\"organization\">{}</span>",
                text(name)
            )),
        )
    });
    format!(
        r#"<nav id="jobs" aria-labelledby="jobs-title"><h2 id="jobs-title">Jobs and their best match</h2>
<ol>
{items}</ol></nav>
"#
    )
}

fn sections(jobs: &[JobReport]) -> String {
    each(jobs.iter().enumerate(), |(index, job)| section(index + 1, job))
}

fn section(number: usize, job: &JobReport) -> String {
    let people = if job.people.is_empty() {
        "<p class=\"empty\">There was no résumé to compare with.</p>\n".to_owned()
    } else {
        each(&job.people, |person| card::card(number, person))
    };
    let organization =
        job.organization.as_ref().map_or_else(String::new, |name| format!("<span>{}</span>", text(name)));
    format!(
        r##"<section class="job" id="job-{number}" aria-labelledby="job-{number}-title">
<header><h2 id="job-{number}-title">{title}</h2>
<p class="facts">{organization}<span class="file">{file}</span><a class="back" href="#jobs">All jobs</a></p></header>
{people}</section>
"##,
        title = text(&job.title),
        file = text(&job.file),
    )
}

fn broken(files: &[BrokenFile]) -> String {
    if files.is_empty() {
        return String::new();
    }
    let rows = each(files, |file| {
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{} <code>{}</code></td></tr>\n",
            text(&file.file),
            if file.kind == "job" { "Job" } else { "Résumé" },
            text(&file.reason),
            Text(file.code),
        )
    });
    format!(
        r#"<section class="unread" id="unread" aria-labelledby="unread-title">
<h2 id="unread-title">Files that could not be read</h2>
<table><thead><tr><th scope="col">File</th><th scope="col">Kind</th><th scope="col">Reason</th></tr></thead>
<tbody>
{rows}</tbody></table></section>
"#
    )
}

/// What a category is called on the page.
const fn label(category: Category) -> &'static str {
    match category {
        Category::Skills => "Skills",
        Category::Title => "Job title",
        Category::Semantic => "Similarity",
        Category::Experience => "Experience",
        Category::Education => "Education",
        Category::Languages => "Languages",
    }
}

/// `write` of every item, one after the other.
fn each<T>(items: impl IntoIterator<Item = T>, write: impl Fn(T) -> String) -> String {
    items.into_iter().map(write).collect()
}

fn count(number: usize, one: &str) -> String {
    format!("{number} {}", noun(number, one))
}

/// `one` in the singular or plural.
fn noun(number: usize, one: &str) -> String {
    if number == 1 { one.to_owned() } else { format!("{one}s") }
}

/// A text from a file as HTML that keeps its own direction.
fn text(text: &str) -> String {
    format!("<bdi dir=\"auto\">{}</bdi>", Text(text))
}

/// A text from a file, written such that it can be neither markup nor the end of an attribute.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            _ if char.is_control() => f.write_char(' '),
            _ => f.write_char(char),
        })
    }
}
