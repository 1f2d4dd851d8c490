//! The node as an operator meets it: how it starts, what it says when it cannot, what it answers to probes.

use std::fs;
use std::time::Duration;

use tandem_tests::client::{list, text};
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{cli, paths, process};

/// The most resident memory of a node without work, in bytes.
const IDLE_MEMORY: u64 = 250 << 20;
/// EX_USAGE of sysexits.h.
const BAD_CONFIGURATION: i32 = 64;

#[test]
fn an_idle_node_is_small() {
    if !paths::has_model("an_idle_node_is_small") {
        return;
    }
    let sandbox = Sandbox::start();
    let memory: u64 = process::group(sandbox.pid()).iter().map(|process| process::memory(process.pid)).sum();
    assert!(memory > 10 << 20, "a node with its model is not as small as {memory} bytes");
    assert!(memory < IDLE_MEMORY, "an idle node has {} MiB", memory >> 20);
}

#[test]
fn a_node_answers_probes_and_stops_when_asked() {
    if !paths::has_model("a_node_answers_probes_and_stops_when_asked") {
        return;
    }
    let mut sandbox = Sandbox::start();
    let client = sandbox.client();
    assert_eq!(text(&client.get("/healthz").json(), "status"), "ok");
    let ready = client.get("/readyz").data();
    assert_eq!(text(&ready, "status"), "ready");
    assert!(list(&ready, "checks").iter().all(|check| check["ok"] == true), "{ready}");
    assert_eq!(text(&client.get("/livez").data(), "status"), "live");
    assert_eq!(text(&client.get("/api/v1/health/ping").json(), "message"), "pong");
    let metrics = client.get("/metrics").text;
    assert!(metrics.contains("# TYPE tandem_http_requests_total counter"), "{metrics}");
    assert!(client.get("/openapi.json").json()["paths"]["/api/v1/match-runs"].is_object());

    let lost = client.get("/api/v1/resumes/0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b10");
    assert_eq!((lost.status, lost.error_code().as_str()), (404, "NOT_FOUND"));
    let nowhere = client.get("/api/v1/nowhere");
    assert_eq!((nowhere.status, nowhere.error_code().as_str()), (404, "NOT_FOUND"));
    sandbox.stop();
}

#[test]
fn an_unknown_variable_ends_the_start_with_the_nearest_key() {
    let output = cli::run_with(&[("TANDEM_EDGE__LISTN", "127.0.0.1:0")], ["serve"]);
    assert_eq!(output.code, BAD_CONFIGURATION, "{}", output.stderr);
    assert!(output.stderr.contains("TANDEM_EDGE__LISTN"), "{}", output.stderr);
    assert!(output.stderr.contains("did you mean `edge.listen`"), "{}", output.stderr);
}

#[test]
fn a_file_with_an_unknown_key_ends_the_start_with_the_nearest_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tandem.toml");
    fs::write(&file, "[matching]\npoool = 300\n").unwrap();
    let file = file.to_string_lossy().into_owned();
    let jobs = paths::sample_jobs().to_string_lossy().into_owned();
    for command in [vec!["serve"], vec!["migrate"], vec!["match", "--jobs", &jobs, "--resumes", &jobs]] {
        let mut arguments = vec!["--config", &file];
        arguments.extend(command);
        let output = cli::run(arguments);
        assert_eq!(output.code, BAD_CONFIGURATION, "{}", output.stderr);
        assert!(output.stderr.contains("did you mean `matching.pool`"), "{}", output.stderr);
    }
}

#[test]
fn a_value_that_does_not_fit_is_refused_with_its_key() {
    let strange = [
        ("TANDEM_INDEX__SHARDS", "0", "index.shards"),
        ("TANDEM_EDGE__LISTEN", "0.0.0.0:8080", "edge.listen"),
        ("TANDEM_MATCHING__WEIGHTS__SKILLS", "9000", "matching.weights"),
        ("TANDEM_SHUTDOWN__DRAIN_S", "soon", "shutdown.drain_s"),
    ];
    for (name, value, key) in strange {
        let output = cli::run_with(&[(name, value)], ["serve"]);
        assert_eq!(output.code, BAD_CONFIGURATION, "{name}={value}: {}", output.stderr);
        assert!(output.stderr.contains(key), "{name}={value}: {}", output.stderr);
    }
}

#[test]
fn without_a_model_it_says_how_to_bring_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").to_string_lossy().into_owned();
    let model = folder.path().join("no-model").to_string_lossy().into_owned();
    let (jobs, resumes) = (paths::sample_jobs(), paths::sample_resumes());
    let (jobs, resumes) = (jobs.to_string_lossy(), resumes.to_string_lossy());
    let serve = ["serve", "--data", &data, "--listen", "127.0.0.1:0"];
    let matching = ["match", "--data", &data, "--jobs", &jobs, "--resumes", &resumes];
    for command in [&serve[..], &matching[..]] {
        let output = cli::run_with(&[("TANDEM_EMBEDDING__MODEL_DIR", &model)], command.iter().copied());
        assert!(output.code > 0, "{} ended with {}", command[0], output.code);
        assert!(output.stderr.contains("deploy/model.sh"), "{}", output.stderr);
        assert!(output.stderr.contains(&model), "{}", output.stderr);
    }
}

#[test]
fn a_data_folder_belongs_to_one_process() {
    if !paths::has_model("a_data_folder_belongs_to_one_process") {
        return;
    }
    let sandbox = Sandbox::start();
    let data = sandbox.data().to_string_lossy().into_owned();
    let second = cli::run(["serve", "--data", &data, "--listen", "127.0.0.1:0"]);
    assert!(second.code > 0, "two nodes on one folder");
    assert!(second.stderr.contains("in use by another Tandem process"), "{}", second.stderr);
    let third = cli::run_match(&paths::sample_jobs(), &paths::sample_resumes(), sandbox.data(), &[]);
    assert!(third.code > 0 && third.stderr.contains("in use by another Tandem process"), "{}", third.stderr);
    assert_eq!(sandbox.client().get("/healthz").status, 200, "the first node is as well as before");
}

#[test]
fn an_address_that_is_taken_is_named() {
    if !paths::has_model("an_address_that_is_taken_is_named") {
        return;
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_string_lossy().into_owned();
    let output = cli::run(["serve", "--data", &data, "--listen", &address]);
    assert!(output.code > 0);
    assert!(output.stderr.contains(&address), "{}", output.stderr);
}

#[test]
fn l12_r1_one_command_makes_the_schema_of_the_embedded_store() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let migrate = || cli::run(["migrate".as_ref(), "--data".as_ref(), data.as_os_str()]).expect_success();
    assert!(migrate().stdout.contains("schema 0 -> "));
    assert!(migrate().stdout.contains("nothing to do"));
    assert!(data.join("tandem.db").is_file(), "without configuration it is a file");
}

#[test]
fn r3_a_schema_that_differs_ends_with_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_string_lossy().into_owned();
    drop(cli::run(["migrate", "--data", &data]).expect_success());
    let drift = || cli::run(["drift", "--data", &data]);
    assert_eq!(drift().code, 0);
    let file = folder.path().join("tandem.db");
    let mut bytes = fs::read(&file).unwrap();
    let (made, other) = (b"    delivered  INTEGER NOT NULL", b"    deliveries INTEGER NOT NULL");
    let places =
        (0..bytes.len() - made.len()).filter(|at| bytes[*at..].starts_with(made)).collect::<Vec<_>>();
    assert!(!places.is_empty(), "the schema stands in the file as it was written");
    places.into_iter().for_each(|at| bytes[at..at + other.len()].copy_from_slice(other));
    fs::write(&file, bytes).unwrap();
    let differs = drift();
    assert_eq!(differs.code, 1, "{}", differs.stderr);
    assert_eq!(differs.stdout, "table queue is not as the migrations make it\n", "{}", differs.stderr);
}

#[test]
fn l7_a_database_that_does_not_answer_is_named_with_what_to_check() {
    let test = "l7_a_database_that_does_not_answer_is_named_with_what_to_check";
    if !paths::has_model(test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_string_lossy().into_owned();
    let environment = [
        ("TANDEM_STORE__ENGINE", "scylla"),
        ("TANDEM_QUEUE__ENGINE", "rabbitmq"),
        ("TANDEM_OBJECTS__SHARED", "true"),
        ("TANDEM_STORE__SCYLLA__NODES", "127.0.0.1:1"),
        ("TANDEM_STORE__SCYLLA__ATTEMPTS", "2"),
        ("TANDEM_STORE__SCYLLA__BACK_OFF_MS", "10"),
        ("TANDEM_STORE__SCYLLA__CONNECT_TIMEOUT_S", "7"),
    ];
    let output = cli::run_with(&environment, ["serve", "--data", &data, "--listen", "127.0.0.1:0"]);
    assert!(output.code > 0);
    for said in ["127.0.0.1:1", "2 attempts of at most 7s", "attempt=1", "check that"] {
        assert!(output.stderr.contains(said), "no `{said}` in {}", output.stderr);
    }
}

#[test]
fn a_node_that_cannot_use_its_folder_says_so() {
    if !paths::has_model("a_node_that_cannot_use_its_folder_says_so") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    let data = file.to_string_lossy().into_owned();
    let output = cli::run(["serve", "--data", &data, "--listen", "127.0.0.1:0"]);
    assert!(output.code > 0);
    assert!(output.stderr.contains(&data), "{}", output.stderr);
}

#[test]
fn extract_shows_what_is_read() {
    let resume = paths::sample_resumes().join("lena-hartmann.pdf").to_string_lossy().into_owned();
    let shown = cli::run(["extract", &resume]).expect_success().stdout;
    assert!(shown.contains("Lena Hartmann"), "{shown}");
    let as_json = cli::run(["extract", &resume, "--json", "--as-of", cli::AS_OF]).expect_success().stdout;
    let parsed: serde_json::Value = serde_json::from_str(&as_json).unwrap();
    assert_eq!(parsed.pointer("/profile/basics/name/value").and_then(|v| v.as_str()), Some("Lena Hartmann"));
    let job = paths::sample_jobs().join("sous-chef.md").to_string_lossy().into_owned();
    let as_json = cli::run(["extract", &job, "--job", "--json"]).expect_success().stdout;
    let parsed: serde_json::Value = serde_json::from_str(&as_json).unwrap();
    let title = parsed.pointer("/profile/requirements/title/value").and_then(|v| v.as_str());
    assert_eq!(title, Some("Sous Chef"), "{parsed}");
}

#[test]
fn the_printed_configuration_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tandem.toml");
    fs::write(&file, cli::run(["config"]).expect_success().stdout).unwrap();
    let file = file.to_string_lossy().into_owned();
    let checked = cli::run(["--config", &file, "config", "--check"]).expect_success();
    assert!(checked.stdout.contains("valid"), "{}", checked.stdout);
}

#[test]
fn a_stop_during_the_start_is_a_stop() {
    if !paths::has_model("a_stop_during_the_start_is_a_stop") {
        return;
    }
    let mut sandbox = Sandbox::empty(&[]);
    sandbox.spawn();
    // The process exists and is somewhere on its way; either it stops in order, or the signal ends it.
    sandbox.ask_to_stop();
    let status = sandbox.ended_within(Duration::from_secs(30));
    assert!(status.code().is_none_or(|code| code == 0), "{status}\n{}", sandbox.last_words());
    sandbox.spawn();
    sandbox.expect_ready();
    sandbox.stop();
}
