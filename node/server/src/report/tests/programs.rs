use expect_test::expect;
use serde_json::Value;

use super::super::{csv, json, ndjson};
use super::{ARABIC, FORMULA, empty, sample};

/// The lines of pretty JSON up to the end of the first result.
const FIRST_RESULT: usize = 29;

#[test]
fn json_keeps_its_keys_and_their_order() {
    let text = json(&sample());
    assert!(text.ends_with("]\n"));
    let jobs: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(jobs.as_array().unwrap().len(), 2);
    assert_eq!(jobs[0]["results"][0]["resume"]["name"], ARABIC);
    let start: String = text.lines().take(FIRST_RESULT).map(|line| format!("{line}\n")).collect();
    expect![[r#"
        [
          {
            "job": {
              "file": "jobs/backend.pdf",
              "title": "Backend Engineer"
            },
            "results": [
              {
                "rank": 1,
                "score": 8725,
                "resume": {
                  "file": "people/alaa.docx",
                  "name": "علاء الأحمد"
                },
                "categories": {
                  "skills": 9100,
                  "title": 8000,
                  "semantic": 7050,
                  "experience": null,
                  "education": 10000
                },
                "found": [
                  "Rust",
                  "Docker"
                ],
                "missing": [
                  "GraphQL"
                ]
              },
    "#]]
    .assert_eq(&start);
}

#[test]
fn unknown_is_null_and_what_nobody_asked_is_absent() {
    let jobs: Value = serde_json::from_str(&json(&sample())).unwrap();
    let categories = jobs[0]["results"][1]["categories"].as_object().unwrap();
    assert_eq!(categories["title"], Value::Null);
    assert_eq!(categories["skills"], 999);
    assert!(!categories.contains_key("languages"));
}

#[test]
fn ndjson_has_one_line_per_result() {
    let text = ndjson(&sample());
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2]["job"]["title"], "Operator");
    expect![[r#"{"job":{"file":"jobs/backend.pdf","title":"Backend Engineer"},"rank":1,"score":8725,"resume":{"file":"people/alaa.docx","name":"علاء الأحمد"},"categories":{"skills":9100,"title":8000,"semantic":7050,"experience":null,"education":10000},"found":["Rust","Docker"],"missing":["GraphQL"]}"#]].assert_eq(text.lines().next().unwrap());
}

#[test]
fn csv_reads_back_and_runs_nothing() {
    let text = csv(&sample()).unwrap();
    expect![[r#"
        job_file,job_title,rank,score,percent,name,resume_file,skills,title,semantic,experience,education,languages,confidence,found,missing
        jobs/backend.pdf,Backend Engineer,1,8725,87.25,علاء الأحمد,people/alaa.docx,9100,8000,7050,unknown,10000,,10000,Rust; Docker,GraphQL
        jobs/backend.pdf,Backend Engineer,2,4110,41.10,"'=HYPERLINK(""x"")",'-people/formula.pdf,999,unknown,5000,unknown,unknown,,5500,,GraphQL; Docker; Rust
        jobs/ops.md,Operator,1,10000,100.00,<script>alert('x')</script>,"people/""script"".md",10000,10000,10000,10000,10000,,10000,Rust,
    "#]].assert_eq(&text);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let width = reader.headers().unwrap().len();
    let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.len() == width));
    assert_eq!(rows[1][5], format!("'{FORMULA}"));
    let runs = |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    assert!(!rows.iter().flatten().any(runs));
}

#[test]
fn nothing_gives_nothing() {
    assert_eq!(json(&empty()), "[]\n");
    assert_eq!(ndjson(&empty()), "");
    assert_eq!(csv(&empty()).unwrap().lines().count(), 1);
}
