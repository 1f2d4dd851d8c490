//! `tandem match` over the sample: who comes out on top, and in which forms.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::OnceLock;

use serde_json::Value;
use tandem_tests::cli::{self, Output};
use tandem_tests::client::{list, number, text};
use tandem_tests::{paths, sample};
use tempfile::TempDir;

/// Jobs whose best three must all be among the first [`WITHIN`].
const GOOD_JOBS: usize = 11;
const WITHIN: usize = 5;

/// One data folder on which the sample was matched in every form.
struct Runs {
    json: Output,
    ndjson: Output,
    csv: Output,
    html: Output,
    table: Output,
    _data: TempDir,
}

fn matched(data: &TempDir, format: &str) -> Output {
    let (jobs, resumes) = (paths::sample_jobs(), paths::sample_resumes());
    cli::run_match(&jobs, &resumes, data.path(), &["--format", format]).expect_success()
}

/// The sample is matched once, for all tests here.
fn runs(test: &str) -> Option<&'static Runs> {
    static RUNS: OnceLock<Runs> = OnceLock::new();
    if !paths::has_model(test) {
        return None;
    }
    Some(RUNS.get_or_init(|| {
        let data = tempfile::tempdir().unwrap();
        let json = matched(&data, "json");
        let [ndjson, csv, html, table] = ["ndjson", "csv", "html", "table"].map(|form| matched(&data, form));
        Runs { json, ndjson, csv, html, table, _data: data }
    }))
}

fn entries(output: &Output) -> Vec<Value> {
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn the_people_a_sane_reader_would_choose_come_first() {
    let Some(runs) = runs("the_people_a_sane_reader_would_choose_come_first") else { return };
    let ranked: BTreeMap<String, Vec<String>> = entries(&runs.json)
        .iter()
        .map(|entry| {
            let people = list(entry, "results").iter().map(|result| text(&result["resume"], "file"));
            (text(&entry["job"], "file"), people.collect())
        })
        .collect();
    let qrels = sample::qrels();
    assert_eq!(qrels.len(), 12);
    let mut good = 0;
    let mut misses = String::new();
    for (job, judged) in &qrels {
        let people = &ranked[job];
        let intended = judged.iter().filter(|(_, relevance)| *relevance > 0);
        let places: Vec<(String, Option<usize>)> = intended
            .map(|(file, _)| (file.clone(), people.iter().position(|p| p == file).map(|place| place + 1)))
            .collect();
        assert_eq!(places.len(), 3, "{job} has three intended people");
        if places.iter().all(|(_, place)| place.is_some_and(|place| place <= WITHIN)) {
            good += 1;
            continue;
        }
        for (file, place) in places {
            let place = place.map_or("not among the first ten".to_owned(), |place| format!("place {place}"));
            misses.push_str(&format!("  {job:45} {file:30} {place}\n"));
        }
    }
    assert!(
        good >= GOOD_JOBS,
        "only {good} of 12 jobs have their best three among the first {WITHIN}\n{misses}"
    );
}

/// The mean average precision of a ranking of all people, by the people that qrels calls relevant.
fn mean_average_precision(ranked: &[Value]) -> f64 {
    let qrels = sample::qrels();
    let precisions = ranked.iter().map(|entry| {
        let relevant: Vec<&String> = qrels[&text(&entry["job"], "file")]
            .iter()
            .filter(|(_, grade)| *grade > 0)
            .map(|(file, _)| file)
            .collect();
        let (mut found, mut sum) = (0.0, 0.0);
        for (place, result) in (1..).zip(list(entry, "results")) {
            if relevant.contains(&&text(&result["resume"], "file")) {
                found += 1.0;
                sum += found / f64::from(place);
            }
        }
        sum / relevant.len() as f64
    });
    precisions.sum::<f64>() / ranked.len() as f64
}

#[test]
fn fewer_bits_rank_as_well() {
    if !paths::has_model("fewer_bits_rank_as_well") {
        return;
    }
    let (jobs, resumes) = (paths::sample_jobs(), paths::sample_resumes());
    let [int8, bf16, f32] = ["int8", "bf16", "f32"].map(|precision| {
        let data = tempfile::tempdir().unwrap();
        let mut arguments: Vec<OsString> = vec!["match".into(), "--jobs".into(), jobs.clone().into()];
        arguments.extend(["--resumes".into(), resumes.clone().into(), "--data".into(), data.path().into()]);
        arguments.extend(["--as-of", cli::AS_OF, "--top", "60", "--format", "json"].map(OsString::from));
        let output = cli::run_with(&[("TANDEM_EMBEDDING__PRECISION", precision)], arguments).expect_success();
        mean_average_precision(&entries(&output))
    });
    assert!(f32 > 0.8, "the ranking itself is no good: {f32:.4}");
    assert!((int8 - f32).abs() <= 0.005, "int8 {int8:.4}, f32 {f32:.4}");
    assert!((bf16 - f32).abs() <= 0.005, "bf16 {bf16:.4}, f32 {f32:.4}");
}

#[test]
fn json_has_an_entry_per_job_with_ranked_results() {
    let Some(runs) = runs("json_has_an_entry_per_job_with_ranked_results") else { return };
    let entries = entries(&runs.json);
    let files: Vec<String> = entries.iter().map(|entry| text(&entry["job"], "file")).collect();
    let expected: Vec<String> =
        sample::files(&paths::sample_jobs()).iter().map(|path| sample::name(path)).collect();
    assert_eq!(files, expected, "one entry per job, in order of their files");
    for entry in &entries {
        assert!(!text(&entry["job"], "title").is_empty());
        let results = list(entry, "results");
        assert_eq!(results.len(), 10, "--top is 10 where nothing else is asked for");
        let mut before = 10_000;
        for (place, result) in (1..).zip(results) {
            assert_eq!(number(result, "rank"), place);
            let score = number(result, "score");
            assert!((0..=before).contains(&score), "{score} behind {before}");
            before = score;
            assert!(!text(&result["resume"], "name").is_empty());
            assert!(paths::sample_resumes().join(text(&result["resume"], "file")).is_file());
            let categories = result["categories"].as_object().unwrap();
            assert!(categories.contains_key("semantic"), "{result}");
            for (name, value) in categories {
                let known = ["skills", "title", "semantic", "experience", "education", "languages"];
                assert!(known.contains(&name.as_str()), "{name}");
                assert!(
                    value.is_null() || (0..=10_000).contains(&value.as_i64().unwrap()),
                    "{name}: {value}"
                );
            }
            assert!(list(result, "found").iter().chain(list(result, "missing")).all(Value::is_string));
        }
    }
}

#[test]
fn ndjson_is_the_same_with_one_result_per_line() {
    let Some(runs) = runs("ndjson_is_the_same_with_one_result_per_line") else { return };
    let mut expected = Vec::new();
    for entry in entries(&runs.json) {
        for result in list(&entry, "results") {
            let mut line = result.clone();
            line["job"] = entry["job"].clone();
            expected.push(line);
        }
    }
    assert!(runs.ndjson.stdout.ends_with('\n'));
    let lines: Vec<Value> =
        runs.ndjson.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, expected);
}

#[test]
fn csv_is_the_same_as_a_table_of_records() {
    let Some(runs) = runs("csv_is_the_same_as_a_table_of_records") else { return };
    let mut reader = csv::Reader::from_reader(runs.csv.stdout.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let columns = ["job_file", "rank", "score", "resume_file", "name"].map(column);
    let rows: Vec<[String; 5]> = reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            columns.map(|column| record[column].to_owned())
        })
        .collect();
    let mut expected = Vec::new();
    for entry in entries(&runs.json) {
        for result in list(&entry, "results") {
            let resume = &result["resume"];
            expected.push([
                text(&entry["job"], "file"),
                number(result, "rank").to_string(),
                number(result, "score").to_string(),
                text(resume, "file"),
                text(resume, "name"),
            ]);
        }
    }
    assert_eq!(rows, expected);
}

#[test]
fn html_is_one_page_that_needs_nothing_else() {
    let Some(runs) = runs("html_is_one_page_that_needs_nothing_else") else { return };
    let page = &runs.html.stdout;
    assert!(page.to_ascii_lowercase().starts_with("<!doctype html>"));
    for outside in ["<script", "<link", "<iframe", " src=\"http", "url(http", "@import", "javascript:"] {
        assert!(!page.contains(outside), "the page holds {outside}");
    }
    assert!(page.contains("default-src 'none'"), "the page allows itself more than it needs");
    for entry in entries(&runs.json) {
        let best = text(&list(&entry, "results")[0]["resume"], "name");
        assert!(page.contains(&best), "{best} is missing");
    }
}

#[test]
fn the_table_names_every_job_and_its_best_person() {
    let Some(runs) = runs("the_table_names_every_job_and_its_best_person") else { return };
    for entry in entries(&runs.json) {
        let best = text(&list(&entry, "results")[0]["resume"], "name");
        assert!(runs.table.stdout.contains(&best), "{best} is missing in\n{}", runs.table.stdout);
    }
}

#[test]
fn what_was_read_is_not_read_again() {
    let Some(runs) = runs("what_was_read_is_not_read_again") else { return };
    let says = |output: &Output, summary: &str| {
        assert!(output.stderr.contains(summary), "no `{summary}` in:\n{}", output.stderr);
    };
    says(&runs.json, "72 files: 72 read, 0 unchanged, 0 broken");
    for again in [&runs.ndjson, &runs.csv, &runs.html, &runs.table] {
        says(again, "72 files: 0 read, 72 unchanged, 0 broken");
    }
}

#[test]
fn another_machine_gives_the_same_bytes() {
    let Some(runs) = runs("another_machine_gives_the_same_bytes") else { return };
    let elsewhere = tempfile::tempdir().unwrap();
    let (jobs, resumes) = (elsewhere.path().join("postings"), elsewhere.path().join("people"));
    sample::copy_backwards(&paths::sample_jobs(), &jobs);
    sample::copy_backwards(&paths::sample_resumes(), &resumes);
    let again = cli::run_match(&jobs, &resumes, &elsewhere.path().join("data"), &["--format", "ndjson"]);
    let again = again.expect_success();
    assert!(again.stderr.contains("72 files: 72 read"), "{}", again.stderr);
    assert!(runs.ndjson.stdout == again.stdout, "{}", first_difference(&runs.ndjson.stdout, &again.stdout));
}

fn first_difference(a: &str, b: &str) -> String {
    let different = a.lines().zip(b.lines()).find(|(a, b)| a != b);
    different
        .map_or("one is longer than the other".to_owned(), |(a, b)| format!("first difference:\n{a}\n{b}"))
}
