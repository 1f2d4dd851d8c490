//! Single matches and runs.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, ended, number, text};
use crate::poll;

/// How long a match or a run may take.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

/// One row of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The query's number, from 0.
    pub item: i64,
    /// The rank, from 1.
    pub rank: i64,
    /// The document that asked.
    pub query: String,
    /// The document that was ranked.
    pub candidate: String,
    /// The score in points.
    pub score: i64,
    /// The whole line.
    pub line: Value,
}

/// The rows of lines of JSON.
///
/// # Panics
/// When a line is not a row.
#[must_use]
pub fn rows_of(lines: &str) -> Vec<Row> {
    lines
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
            Row {
                item: number(&line, "item"),
                rank: number(&line, "rank"),
                query: text(&line, "query_id"),
                candidate: text(&line, "candidate_id"),
                score: number(&line, "score"),
                line,
            }
        })
        .collect()
}

impl Client {
    /// Scores a pair and gives the finished match.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn match_pair(&self, resume: &str, job: &str) -> Value {
        let body = json!({ "resumeId": resume, "jobId": job });
        let id = text(&self.post("/api/v1/matches", &body).data(), "id");
        let path = format!("/api/v1/matches/{id}");
        let found = self.wait(&path);
        assert_eq!(text(&found, "status"), "complete", "{found}");
        found
    }

    /// Ranks all candidates for each query (`job` or `resume` documents) and gives every row.
    ///
    /// # Panics
    /// When the run fails, or in part.
    #[must_use]
    pub fn run(&self, query: &str, queries: &[&String], top: usize) -> Vec<Row> {
        let body = json!({ "query": query, "queries": queries, "candidates": "all", "top": top });
        let id = text(&self.post("/api/v1/match-runs", &body).data(), "id");
        self.rows(&id)
    }

    /// Waits for a run and gives every row.
    ///
    /// # Panics
    /// When the run fails, or in part.
    #[must_use]
    pub fn rows(&self, run: &str) -> Vec<Row> {
        let path = format!("/api/v1/match-runs/{run}");
        let found = self.wait(&path);
        assert_eq!(text(&found, "status"), "complete", "{found}");
        assert_eq!(found.pointer("/progress/failed"), Some(&json!(0)), "{found}");
        let lines = self.get(&format!("{path}/results?format=ndjson"));
        assert_eq!(lines.status, 200, "{}", lines.text);
        rows_of(&lines.text)
    }

    /// Waits until the resource is complete, has failed or is canceled.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    pub fn wait(&self, path: &str) -> Value {
        poll::until_ok("it has ended", SETTLED_WITHIN, || ended(self.get(path).data()))
    }
}
