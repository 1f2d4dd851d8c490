//! For programs: one JSON array, or one line of JSON per result. The order of the keys never changes.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use tandem_domain::score::{Category, CategoryState};

use super::{JobReport, MatchReport, PersonReport, SkillReport};

/// Everything as one pretty-printed array with an entry per job, `{"job", "results"}`, and a line break at the end.
/// Scores are integers in 0..=10_000. In `categories` a number is known, `null` is what the résumé is silent about,
/// and what the job does not ask for is left out.
#[must_use]
pub(crate) fn json(report: &MatchReport) -> String {
    let jobs: Vec<JobEntry<'_>> = report.jobs.iter().map(JobEntry::of).collect();
    let mut text = serde_json::to_string_pretty(&jobs).expect(ALWAYS_JSON);
    text.push('\n');
    text
}

/// One line per result: the fields of [`json`]'s results behind their `job`, best first within each job.
#[must_use]
pub(crate) fn ndjson(report: &MatchReport) -> String {
    let mut lines = String::new();
    for job in &report.jobs {
        for person in &job.people {
            let line = Line { job: JobName::of(job), result: PersonEntry::of(person) };
            lines.push_str(&serde_json::to_string(&line).expect(ALWAYS_JSON));
            lines.push('\n');
        }
    }
    lines
}

/// Why writing cannot fail: neither a key that is no string nor a failing writer is in play.
const ALWAYS_JSON: &str = "strings, integers and string keys always become JSON";

#[derive(Serialize)]
struct JobEntry<'a> {
    job: JobName<'a>,
    results: Vec<PersonEntry<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    job: JobName<'a>,
    #[serde(flatten)]
    result: PersonEntry<'a>,
}

#[derive(Serialize)]
struct JobName<'a> {
    file: &'a str,
    title: &'a str,
}

#[derive(Serialize)]
struct PersonEntry<'a> {
    rank: u32,
    score: i32,
    resume: ResumeName<'a>,
    categories: Categories<'a>,
    found: Vec<&'a str>,
    missing: Vec<&'a str>,
}

#[derive(Serialize)]
struct ResumeName<'a> {
    file: &'a str,
    name: &'a str,
}

struct Categories<'a>(&'a PersonReport);

impl Serialize for Categories<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for category in Category::ALL {
            match self.0.state(category) {
                CategoryState::Known(score) => map.serialize_entry(category.name(), &score.points())?,
                CategoryState::Unknown => map.serialize_entry(category.name(), &None::<i32>)?,
                CategoryState::NotAsked => {}
            }
        }
        map.end()
    }
}

impl<'a> JobEntry<'a> {
    fn of(job: &'a JobReport) -> Self {
        Self { job: JobName::of(job), results: job.people.iter().map(PersonEntry::of).collect() }
    }
}

impl<'a> JobName<'a> {
    fn of(job: &'a JobReport) -> Self {
        Self { file: &job.file, title: &job.title }
    }
}

impl<'a> PersonEntry<'a> {
    fn of(person: &'a PersonReport) -> Self {
        Self {
            rank: person.rank,
            score: person.score.points(),
            resume: ResumeName { file: &person.file, name: &person.name },
            categories: Categories(person),
            found: names(&person.found),
            missing: names(&person.missing),
        }
    }
}

fn names(skills: &[SkillReport]) -> Vec<&str> {
    skills.iter().map(|skill| skill.name.as_str()).collect()
}
