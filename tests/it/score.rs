//! The score of a pair is one integer, whoever asks and however the index is cut.

use std::collections::BTreeMap;

use rand::seq::IndexedRandom;
use serde_json::Value;
use tandem_tests::client::{Client, Kind, list, number, text};
use tandem_tests::oracle::expect_each_row_once;
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{cli, paths, sample, seed};

/// Pairs that are also asked for one by one.
const PAIRS: usize = 24;

/// Scores by the file of the job and the file of the résumé.
type Scores = BTreeMap<(String, String), i64>;

/// The sample in a node.
struct Loaded {
    _sandbox: Sandbox,
    client: Client,
    jobs: Vec<(String, String)>,
    resumes: Vec<(String, String)>,
}

fn load(shards: &str) -> Loaded {
    let sandbox = Sandbox::start_with(&[("TANDEM_INDEX__SHARDS", shards)]);
    let client = sandbox.client();
    let jobs = client.submit_folder(Kind::Job, &paths::sample_jobs());
    let resumes = client.submit_folder(Kind::Resume, &paths::sample_resumes());
    client.expect_complete(Kind::Job, jobs.iter().map(|(_, id)| id));
    client.expect_complete(Kind::Resume, resumes.iter().map(|(_, id)| id));
    Loaded { _sandbox: sandbox, client, jobs, resumes }
}

impl Loaded {
    /// The scores of a run in one direction, of every pair.
    fn scores(&self, query: &str) -> Scores {
        let (asking, ranked) = match query {
            "job" => (&self.jobs, &self.resumes),
            _ => (&self.resumes, &self.jobs),
        };
        let queries: Vec<&String> = asking.iter().map(|(_, id)| id).collect();
        let rows = self.client.run(query, &queries, ranked.len());
        assert_eq!(rows.len(), asking.len() * ranked.len(), "a row for every pair");
        expect_each_row_once(&rows);
        let name = |id: &String| {
            let known = self.jobs.iter().chain(&self.resumes).find(|(_, known)| known == id);
            known.unwrap_or_else(|| panic!("nobody knows {id}")).0.clone()
        };
        let pairs = rows.iter().map(|row| {
            let (query_file, candidate) = (name(&row.query), name(&row.candidate));
            let pair = if query == "job" { (query_file, candidate) } else { (candidate, query_file) };
            (pair, row.score)
        });
        pairs.collect()
    }

    /// The score of one pair, asked for alone.
    fn pair(&self, job: &str, resume: &str) -> i64 {
        let id = |of: &[(String, String)], file: &str| {
            of.iter().find(|(name, _)| name == file).map(|(_, id)| id.clone()).unwrap()
        };
        let found = self.client.match_pair(&id(&self.resumes, resume), &id(&self.jobs, job));
        assert_eq!(found.pointer("/summary/score"), found.get("score"));
        number(&found, "score")
    }
}

fn scores_of_the_command_line() -> Scores {
    let data = tempfile::tempdir().unwrap();
    let (jobs, resumes) = (paths::sample_jobs(), paths::sample_resumes());
    let output = cli::run_match(&jobs, &resumes, data.path(), &["--format", "json", "--top", "60"]);
    let entries: Vec<Value> = serde_json::from_str(&output.expect_success().stdout).unwrap();
    let mut scores = Scores::new();
    for entry in &entries {
        for result in list(entry, "results") {
            let pair = (text(&entry["job"], "file"), text(&result["resume"], "file"));
            scores.insert(pair, number(result, "score"));
        }
    }
    scores
}

fn expect_same(expected: &Scores, found: &Scores, whose: &str) {
    let differing: Vec<String> = expected
        .iter()
        .filter(|(pair, score)| found.get(pair) != Some(score))
        .map(|(pair, score)| format!("{pair:?}: {score}, and {:?} {whose}", found.get(pair)))
        .collect();
    assert!(differing.is_empty(), "{} pairs differ:\n{}", differing.len(), differing.join("\n"));
    assert_eq!(expected.len(), found.len());
}

#[test]
fn invariant_7_a_pair_has_one_score() {
    if !paths::has_model("invariant_7_a_pair_has_one_score") {
        return;
    }
    let expected = scores_of_the_command_line();
    assert_eq!(expected.len(), 12 * 60);
    let different: std::collections::BTreeSet<i64> = expected.values().copied().collect();
    assert!(different.len() > 300, "scores that are all alike prove nothing");

    let four = load("4");
    expect_same(&expected, &four.scores("job"), "in a run over 4 shards");
    expect_same(&expected, &four.scores("resume"), "in a run that asks the other way round");
    let mut rng = seed::rng("invariant_7_a_pair_has_one_score");
    let pairs: Vec<(&(String, String), &i64)> = expected.iter().collect();
    for ((job, resume), score) in pairs.choose_multiple(&mut rng, PAIRS).copied() {
        assert_eq!(four.pair(job, resume), *score, "{job} and {resume}, asked for alone");
    }
}

#[test]
fn invariant_7_shards_do_not_change_a_score() {
    if !paths::has_model("invariant_7_shards_do_not_change_a_score") {
        return;
    }
    let one = load("1").scores("job");
    let sixteen = load("16").scores("job");
    expect_same(&one, &sixteen, "with 16 shards instead of 1");
    assert_eq!(sample::files(&paths::sample_jobs()).len() * 60, one.len());
    expect_same(&scores_of_the_command_line(), &one, "with 1 shard instead of 4");
}
