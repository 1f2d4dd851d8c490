//! From a finished run to a report.

use std::collections::HashMap;

use tandem_domain::document::{Document, DocumentKind};
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_domain::profile::Profile;
use tandem_domain::run::{MatchRun, RowKey, RunRow};
use tandem_domain::score::SkillEvidence;
use tandem_domain::taxonomy::{SkillId, Taxonomy};
use tandem_messages::GatewayHandle;
use tandem_messages::documents::GetDocument;
use tandem_messages::runs::{GetFailedItems, GetRows};
use tandem_ports::documents::MAX_PAGE;

use super::context;
use super::submit::{Submitted, broken};
use crate::report::{JobReport, MatchReport, PersonReport, SkillReport};

/// Puts every job with its people into the report.
pub(crate) async fn fill(
    gateway: &GatewayHandle,
    run: &MatchRun,
    submitted: &Submitted,
    report: &mut MatchReport,
) -> anyhow::Result<()> {
    let mut people = People { gateway, owner: run.owner.clone(), known: HashMap::new() };
    let mut by_item: HashMap<u32, Vec<(RowKey, RunRow)>> = HashMap::new();
    let mut after = None;
    loop {
        let question = GetRows { owner: run.owner.clone(), id: run.id, after, limit: MAX_PAGE };
        let page = gateway.ask(question, &context()).await?;
        for (key, row) in page.rows {
            by_item.entry(key.item).or_default().push((key, row));
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let question = GetFailedItems { owner: run.owner.clone(), id: run.id, limit: MAX_PAGE };
    let failed: HashMap<u32, _> = gateway.ask(question, &context()).await?.items.into_iter().collect();
    for (item, job) in (0u32..).zip(&run.spec.queries) {
        let Some(file) = submitted.file_of(*job) else { continue };
        if let Some(failure) = failed.get(&item) {
            report.broken.push(broken(file, failure));
            continue;
        }
        let (document, profile) = people.load(DocumentKind::Job, *job).await?;
        let mut entry = JobReport {
            file: file.name.clone(),
            title: job_title(&document, &profile),
            organization: profile
                .requirements
                .as_ref()
                .and_then(|r| r.organization.as_ref())
                .map(|o| o.value.clone()),
            people: Vec::new(),
        };
        for (key, row) in by_item.remove(&item).unwrap_or_default() {
            let Some(file) = submitted.file_of(row.candidate) else { continue };
            let (document, profile) = people.load(DocumentKind::Resume, row.candidate).await?;
            entry.people.push(person(key.rank, &file.name, &document, &profile, row));
        }
        report.jobs.push(entry);
    }
    Ok(())
}

/// Documents with their Profiles, each asked for once.
struct People<'a> {
    gateway: &'a GatewayHandle,
    owner: OwnerId,
    known: HashMap<DocumentId, (Document, Profile)>,
}

impl People<'_> {
    async fn load(&mut self, kind: DocumentKind, id: DocumentId) -> anyhow::Result<(Document, Profile)> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let question = GetDocument { owner: self.owner.clone(), kind, id, version: None };
        let detail = self.gateway.ask(question, &context()).await?;
        let parsed = detail.parsed.ok_or_else(|| anyhow::anyhow!("a searchable document was never read"))?;
        let found = (detail.document, parsed.profile);
        self.known.insert(id, found.clone());
        Ok(found)
    }
}

fn job_title(document: &Document, profile: &Profile) -> String {
    let read = profile.requirements.as_ref().and_then(|r| r.title.as_ref()).map(|t| t.value.clone());
    read.or_else(|| document.title.clone()).unwrap_or_else(|| stem(&document.file_name))
}

fn person(rank: u32, file: &str, document: &Document, profile: &Profile, row: RunRow) -> PersonReport {
    let score = row.scored.score;
    let (found, missing): (Vec<_>, Vec<_>) = score.skills.iter().partition(|skill| skill.is_found());
    let basics = &profile.basics;
    let latest = profile.work.first().and_then(|w| w.title.as_ref());
    let months = match (profile.months_total, profile.claimed_months.as_ref()) {
        (0, claimed) => claimed.map(|c| c.value),
        (dated, _) => Some(dated),
    };
    PersonReport {
        rank,
        score: score.total,
        confidence: score.confidence,
        insufficient_data: score.insufficient_data,
        file: file.to_owned(),
        name: basics.name.as_ref().map_or_else(|| stem(&document.file_name), |n| n.value.clone()),
        headline: basics.label.as_ref().or(latest).map(|l| l.value.clone()),
        months,
        categories: score.categories.clone(),
        found: found.into_iter().map(skill).collect(),
        missing: missing.into_iter().map(skill).collect(),
    }
}

fn skill(evidence: &SkillEvidence) -> SkillReport {
    let name = |id: &SkillId| Taxonomy::builtin().skill(*id).name.to_owned();
    SkillReport {
        name: evidence.any_of.iter().map(name).collect::<Vec<_>>().join(" or "),
        level: evidence.level,
        by: evidence.by.as_ref().filter(|by| !evidence.any_of.contains(by)).map(name),
        credit: evidence.credit,
        total_if_met: evidence.total_if_met,
    }
}

fn stem(file_name: &str) -> String {
    std::path::Path::new(file_name).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
