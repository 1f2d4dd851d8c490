//! For spreadsheets: one row per result.

use std::borrow::Cow;

use tandem_domain::score::{Category, CategoryState};

use super::{JobReport, MatchReport, PersonReport, SkillReport};

/// One row per result under a row of names: `job_file, job_title, rank, score, percent, name, resume_file`, a column
/// per category, `confidence, found, missing`. Scores are integers in 0..=10_000, `percent` is the score with two
/// decimals. A category is empty where the job does not ask for it and `unknown` where the résumé is silent. Skills
/// are joined by `; `, in the job's order. UTF-8 without a byte order mark.
///
/// A text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, "CSV Injection").
///
/// # Errors
/// None is known for writing into memory; the writer's are handed on.
pub(crate) fn csv(report: &MatchReport) -> anyhow::Result<String> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(header())?;
    for job in &report.jobs {
        for person in &job.people {
            writer.write_record(record(job, person).iter().map(AsRef::as_ref))?;
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn header() -> Vec<&'static str> {
    let mut header = vec!["job_file", "job_title", "rank", "score", "percent", "name", "resume_file"];
    header.extend(Category::ALL.map(Category::name));
    header.extend(["confidence", "found", "missing"]);
    header
}

fn record<'a>(job: &'a JobReport, person: &'a PersonReport) -> Vec<Cow<'a, str>> {
    let mut record = vec![
        inert(&job.file),
        inert(&job.title),
        person.rank.to_string().into(),
        person.score.points().to_string().into(),
        person.score.to_string().into(),
        inert(&person.name),
        inert(&person.file),
    ];
    record.extend(Category::ALL.map(|category| match person.state(category) {
        CategoryState::Known(score) => score.points().to_string().into(),
        CategoryState::Unknown => Cow::Borrowed("unknown"),
        CategoryState::NotAsked => Cow::Borrowed(""),
    }));
    record.push(person.confidence.points().to_string().into());
    record.push(joined(&person.found));
    record.push(joined(&person.missing));
    record
}

fn joined(skills: &[SkillReport]) -> Cow<'static, str> {
    let names: Vec<&str> = skills.iter().map(|skill| skill.name.as_str()).collect();
    inert(&names.join("; ")).into_owned().into()
}

/// `text` such that no spreadsheet takes it for a formula.
fn inert(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text.into() }
}
