//! Files that mean harm or are merely broken: each ends in a typed error, and nothing else comes to harm.

mod files;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rand::Rng;
use tandem_tests::cli::{self, Output};
use tandem_tests::client::{Kind, text};
use tandem_tests::oracle::expect_each_row_once;
use tandem_tests::process::Watch;
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{paths, sample, seed};

use files::{Hostile, hostile_files};

/// The most resident memory of a node and its children, whatever they are given, in bytes.
const MEMORY: u64 = 1 << 30;
/// Beginnings of good files that are tried.
const TRUNCATIONS: usize = 200;
/// What may be said of a broken file. A defect of ours, a timeout or a part that went away are not among them.
const TYPED: [&str; 7] = [
    "EMPTY_DOCUMENT",
    "CORRUPT_DOCUMENT",
    "ENCRYPTED_DOCUMENT",
    "NO_TEXT",
    "UNSUPPORTED_TYPE",
    "LIMIT_EXCEEDED",
    "PAYLOAD_TOO_LARGE",
];
const GOOD: [&str; 3] = ["fergus-mackellar.pdf", "jerome-villanueva.docx", "kayleigh-sturrock.md"];

/// Copies the good files into a folder.
fn put_good(folder: &Path) {
    for name in GOOD {
        fs::copy(paths::sample_resumes().join(name), folder.join(name)).unwrap();
    }
}

/// Name and code of every file that the command line could not use.
fn broken(output: &Output) -> Vec<(String, String)> {
    let lines = output.stderr.lines().filter_map(|line| line.strip_prefix("cannot use resume "));
    lines
        .map(|line| {
            let (name, rest) = line.split_once(": ").unwrap();
            let (reason, code) = rest.rsplit_once(" [").unwrap();
            assert!(!reason.is_empty(), "no reason: {line}");
            (name.to_owned(), code.trim_end_matches(']').to_owned())
        })
        .collect()
}

fn ranked_files(ndjson: &str) -> BTreeSet<String> {
    let lines = ndjson.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.map(|line| text(&line["resume"], "file")).collect()
}

#[test]
fn the_command_line_names_each_broken_file_and_matches_the_others() {
    if !paths::has_model("the_command_line_names_each_broken_file_and_matches_the_others") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let resumes = folder.path().join("resumes");
    fs::create_dir(&resumes).unwrap();
    put_good(&resumes);
    let hostile = hostile_files(&mut seed::rng("the_command_line_names_each_broken_file"));
    for Hostile { name, bytes, .. } in &hostile {
        fs::write(resumes.join(name), bytes).unwrap();
    }
    let job = paths::sample_jobs().join("sous-chef.md");
    let output = cli::run_match(&job, &resumes, &folder.path().join("data"), &["--format", "ndjson"]);
    assert!(output.peak_memory < MEMORY, "{} MiB", output.peak_memory >> 20);
    let output = output.expect_success();
    let broken = broken(&output);
    for Hostile { name, codes, .. } in &hostile {
        let code = broken.iter().find(|(broken, _)| broken == name).map(|(_, code)| code.as_str());
        assert!(code.is_some_and(|code| codes.contains(&code)), "{name}: {code:?}, not one of {codes:?}");
    }
    assert_eq!(broken.len(), hostile.len(), "{}", output.stderr);
    assert_eq!(ranked_files(&output.stdout), GOOD.map(str::to_owned).into());
}

#[test]
fn the_table_lists_broken_files_too() {
    if !paths::has_model("the_table_lists_broken_files_too") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    put_good(folder.path());
    fs::write(folder.path().join("nothing.pdf"), b"").unwrap();
    let data = tempfile::tempdir().unwrap();
    let job = paths::sample_jobs().join("sous-chef.md");
    let output = cli::run_match(&job, folder.path(), data.path(), &[]).expect_success();
    assert!(output.stdout.contains("nothing.pdf"), "{}", output.stdout);
    assert!(output.stderr.contains("5 files: 4 read, 0 unchanged, 1 broken"), "{}", output.stderr);
}

#[test]
fn when_every_file_fails_the_exit_code_says_so() {
    if !paths::has_model("when_every_file_fails_the_exit_code_says_so") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (jobs, resumes) = (folder.path().join("jobs"), folder.path().join("resumes"));
    for place in [&jobs, &resumes] {
        fs::create_dir(place).unwrap();
        fs::write(place.join("nothing.pdf"), b"").unwrap();
        fs::write(place.join("noise.docx"), [7; 999]).unwrap();
    }
    let output = cli::run_match(&jobs, &resumes, &folder.path().join("data"), &["--format", "json"]);
    assert_eq!(output.code, 2, "{}", output.stderr);
    assert_eq!(output.stdout.trim(), "[]");
    assert!(output.stderr.contains("4 files: 0 read, 0 unchanged, 4 broken"), "{}", output.stderr);
}

#[test]
fn beginnings_of_good_files_are_read_or_refused() {
    if !paths::has_model("beginnings_of_good_files_are_read_or_refused") {
        return;
    }
    let mut rng = seed::rng("beginnings_of_good_files_are_read_or_refused");
    let folder = tempfile::tempdir().unwrap();
    let resumes = folder.path().join("resumes");
    fs::create_dir(&resumes).unwrap();
    put_good(&resumes);
    let originals = sample::files(&paths::sample_resumes());
    for number in 0..TRUNCATIONS {
        let path = &originals[rng.random_range(0..originals.len())];
        let bytes = fs::read(path).unwrap();
        let end = rng.random_range(0..bytes.len());
        fs::write(resumes.join(format!("{number:03}-{end}-{}", sample::name(path))), &bytes[..end]).unwrap();
    }
    let job = paths::sample_jobs().join("sous-chef.md");
    let more = ["--format", "ndjson", "--top", "1000"];
    let output = cli::run_match(&job, &resumes, &folder.path().join("data"), &more);
    assert!(output.peak_memory < MEMORY, "{} MiB", output.peak_memory >> 20);
    let output = output.expect_success();
    let broken = broken(&output);
    for (name, code) in &broken {
        assert!(TYPED.contains(&code.as_str()), "{name}: {code}");
    }
    let summary = output.stderr.lines().find(|line| line.contains(" files: ")).unwrap();
    let numbers: Vec<usize> = summary.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [files, read, unchanged, failed] = numbers[..] else { panic!("{summary}") };
    assert_eq!(files, TRUNCATIONS + GOOD.len() + 1, "{summary}");
    assert_eq!(files, read + unchanged + failed, "a file has no fate: {summary}");
    assert_eq!(failed, broken.len());
    assert!(read > TRUNCATIONS / 4, "most beginnings of texts can be read: {summary}");
    let ranked = ranked_files(&output.stdout);
    assert!(GOOD.iter().all(|good| ranked.contains(*good)), "a good file is not ranked");
}

#[test]
fn a_node_refuses_harm_and_goes_on() {
    if !paths::has_model("a_node_refuses_harm_and_goes_on") {
        return;
    }
    let mut sandbox = Sandbox::start();
    let client = sandbox.client();
    let watch = Watch::group(sandbox.pid());
    let good: Vec<String> = GOOD
        .iter()
        .map(|name| {
            let content = fs::read(paths::sample_resumes().join(name)).unwrap();
            client.accepted(Kind::Resume, name, &content)
        })
        .collect();
    for Hostile { name, bytes, codes } in hostile_files(&mut seed::rng("a_node_refuses_harm_and_goes_on")) {
        let answer = client.try_submit(Kind::Resume, name, &bytes, None);
        let code = match answer {
            Ok(answer) if (200..300).contains(&answer.status) => {
                let document = client.settled(Kind::Resume, &text(&answer.data(), "id"));
                assert_eq!(text(&document, "status"), "failed", "{name}: {document}");
                assert!(!text(&document["failure"], "reason").is_empty());
                text(&document["failure"], "code")
            }
            Ok(answer) => answer.error_code(),
            // A body that is far too large is refused before it is read, which may close the connection on a sender
            // who still sends (RFC 9110, section 15.5.14).
            Err(_) if codes.contains(&"PAYLOAD_TOO_LARGE") => "PAYLOAD_TOO_LARGE".to_owned(),
            Err(error) => panic!("{name}: {error:?}"),
        };
        assert!(codes.contains(&code.as_str()), "{name}: {code}, not one of {codes:?}");
        assert_eq!(client.get("/healthz").status, 200, "after {name}");
    }
    client.expect_complete(Kind::Resume, &good);
    let job = fs::read(paths::sample_jobs().join("sous-chef.md")).unwrap();
    let job = client.accepted(Kind::Job, "sous-chef.md", &job);
    client.expect_complete(Kind::Job, [&job]);
    let rows = client.run("job", &[&job], 100);
    expect_each_row_once(&rows);
    let ranked: BTreeSet<&String> = rows.iter().map(|row| &row.candidate).collect();
    assert_eq!(ranked, good.iter().collect());
    assert!(watch.peak_memory() < MEMORY, "{} MiB", watch.peak_memory() >> 20);
    sandbox.stop();
}
