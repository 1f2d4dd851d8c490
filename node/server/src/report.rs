//! What `tandem match` found, as data, and the forms in which people and programs read it.

mod csv;
mod html;
mod json;
mod table;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use tandem_domain::document::DocumentKind;
use tandem_domain::profile::RequirementLevel;
use tandem_domain::score::{Category, CategoryScore, CategoryState, Points, Score};

pub(crate) use csv::csv;
pub(crate) use html::html;
pub(crate) use json::{json, ndjson};
pub(crate) use table::table;

/// Everything that one `tandem match` found. Jobs in order of their files, people best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MatchReport {
    /// One entry per job that could be read.
    pub jobs: Vec<JobReport>,
    /// Files that could not be used, in order of their names.
    pub broken: Vec<BrokenFile>,
    /// How many résumés were compared with each job.
    pub resumes: usize,
}

impl MatchReport {
    /// Why there is no entry for any job.
    fn nothing_matched(&self) -> &'static str {
        let a_job_is_broken = self.broken.iter().any(|file| file.kind == DocumentKind::Job.name());
        if self.resumes == 0 && !self.broken.is_empty() && !a_job_is_broken {
            "No résumé could be read, so nothing was matched."
        } else {
            "No job could be read, so nothing was matched."
        }
    }
}

/// A job and its best people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobReport {
    /// The file, relative to the folder that was given.
    pub file: String,
    /// The job's title.
    pub title: String,
    /// Who offers it, where that was read.
    pub organization: Option<String>,
    /// Best first.
    pub people: Vec<PersonReport>,
}

/// A person's place for a job, with the reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersonReport {
    /// From 1.
    pub rank: u32,
    /// The total.
    pub score: Score,
    /// How much of what the job asks about is known of this person.
    pub confidence: Score,
    /// True when too little is known for the total to mean much.
    pub insufficient_data: bool,
    /// The file, relative to the folder that was given.
    pub file: String,
    /// The person's name, or the file's stem where none was read.
    pub name: String,
    /// The headline or the latest title.
    pub headline: Option<String>,
    /// Months of work, where known.
    pub months: Option<u32>,
    /// One entry per category, in the order of `Category::ALL`.
    pub categories: Vec<CategoryScore>,
    /// Requirements that were found, in the job's order.
    pub found: Vec<SkillReport>,
    /// Requirements that were not, in the job's order.
    pub missing: Vec<SkillReport>,
}

impl PersonReport {
    /// What is known of one category.
    fn state(&self, category: Category) -> CategoryState {
        let entry = self.categories.iter().find(|entry| entry.category == category);
        entry.map_or(CategoryState::NotAsked, |entry| entry.state)
    }

    /// How many points the total would rise if `skill` were met in full.
    fn gain(&self, skill: &SkillReport) -> Points {
        (skill.total_if_met.points() - self.score.points()).max(0)
    }

    /// What is missing, most important first: by level, then by what it would add, then in the job's order.
    fn missing_by_weight(&self) -> Vec<&SkillReport> {
        let mut missing: Vec<&SkillReport> = self.missing.iter().collect();
        missing.sort_by_key(|skill| Reverse((skill.level, self.gain(skill))));
        missing
    }
}

/// One skill requirement and what was found of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SkillReport {
    /// The requirement's name; alternatives are joined by " or ".
    pub name: String,
    /// How strongly it is asked for.
    pub level: RequirementLevel,
    /// The skill that earned the credit, where it is another than the one asked for.
    pub by: Option<String>,
    /// The credit earned.
    pub credit: Score,
    /// The person's total if this were met in full.
    pub total_if_met: Score,
}

/// A file that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrokenFile {
    /// The file, relative to the folder that was given.
    pub file: String,
    /// `job` or `resume`.
    pub kind: &'static str,
    /// The code, such as `EMPTY_DOCUMENT`.
    pub code: &'static str,
    /// What a person can do about it.
    pub reason: String,
}
