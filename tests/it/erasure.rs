//! What an owner removes is gone: from answers at once, and from every file of every node soon after.

use std::fs;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tandem_tests::client::{Client, Kind, number, text};
use tandem_tests::cluster::Cluster;
use tandem_tests::sandbox::Sandbox;
use tandem_tests::services::{self, Services};
use tandem_tests::{cli, paths, poll};

/// Words that stand in the removed documents and nowhere else.
const MARK: &str = "zyxomathic";
/// How long the rewriting of the index may take.
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(90);

/// A résumé with the mark in its name, its address and its text.
fn marked(number: usize) -> String {
    format!(
        "# Robin {MARK}\n\nrobin@{MARK}.example.org\n\n## Experience\n\n**Rust Engineer** | 2019 - Present\n\n\
         - Keeps a {MARK} loom running, number {number}.\n\n## Skills\n\nRust, {MARK}, Kafka\n"
    )
}

/// The same without the mark, so that the index has something to keep.
fn plain(number: usize) -> String {
    marked(number).replace(MARK, "ordinary")
}

fn remove(client: &Client, kind: Kind, id: &str) -> serde_json::Value {
    let path = format!("{}/{id}", kind.path());
    let answer = client.send(client.request(Method::DELETE, &path)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.data()
}

/// Every file below a folder that holds the mark, in whatever case.
fn files_with_mark(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        // Files come and go while the node lives.
        let Ok(entry) = entry else { continue };
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with_mark(&path));
        } else if let Ok(bytes) = fs::read(&path)
            && bytes.to_ascii_lowercase().windows(MARK.len()).any(|window| window == MARK.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

fn expect_no_mark(folders: &[&Path], parts: &[&str]) {
    poll::until_ok("no file holds a word of what was removed", FORGOTTEN_WITHIN, || {
        let found: Vec<String> = folders
            .iter()
            .flat_map(|folder| parts.iter().map(move |part| folder.join(part)))
            .filter(|folder| folder.exists())
            .flat_map(|folder| files_with_mark(&folder))
            .collect();
        if found.is_empty() { Ok(()) } else { Err(format!("{found:?}")) }
    });
}

/// Submits marked and plain résumés; the ids of the marked ones.
fn submit(client: &Client) -> Vec<String> {
    let accepted = |name: &str, text: &str| client.accepted(Kind::Resume, name, text.as_bytes());
    let marked: Vec<String> = (0..3).map(|n| accepted(&format!("{MARK}-{n}.md"), &marked(n))).collect();
    let plain: Vec<String> = (0..9).map(|n| accepted(&format!("plain-{n}.md"), &plain(n))).collect();
    client.expect_complete(Kind::Resume, marked.iter().chain(&plain));
    marked
}

/// Removes them and looks that no answer knows them any more.
fn expect_removed(client: &Client, ids: &[String]) {
    let job = client.accepted_text(Kind::Job, "Rust Engineer\n\nRequirements\n- Rust\n- Kafka\n");
    client.expect_complete(Kind::Job, [&job]);
    assert_eq!(client.run("job", &[&job], 50).len(), 12);
    for id in ids {
        let receipt = remove(client, Kind::Resume, id);
        assert_eq!(text(&receipt, "id"), *id);
        assert_eq!(receipt["removed"], json!({"originals": 1, "versions": 1}));
        assert!(number(&receipt, "log_position") > 0, "{receipt}");
        let path = format!("/api/v1/resumes/{id}");
        assert_eq!(client.get(&path).status, 404);
        assert_eq!(client.send(client.request(Method::DELETE, &path)).unwrap().status, 404);
    }
    assert_eq!(client.all(Kind::Resume).len(), 9);
    let rows = client.run("job", &[&job], 50);
    assert_eq!(rows.len(), 9, "a run that begins afterwards ranks what is left");
    assert!(rows.iter().all(|row| !ids.contains(&row.candidate)));
    let body = json!({ "resumeId": ids[0], "jobId": job });
    let pair = client.post("/api/v1/matches", &body);
    assert_eq!(pair.status, 404, "{}", pair.text);
}

#[test]
fn what_is_removed_is_in_no_file_of_one_machine() {
    if !paths::has_model("what_is_removed_is_in_no_file_of_one_machine") {
        return;
    }
    let mut sandbox = Sandbox::start();
    let client = sandbox.client();
    let ids = submit(&client);
    assert!(!files_with_mark(sandbox.data()).is_empty(), "the search finds what is there");
    expect_removed(&client, &ids);
    expect_no_mark(&[sandbox.data()], &["index", "objects"]);
    // The database's log is folded into the database when the node stops.
    let data = sandbox.data().to_owned();
    sandbox.stop();
    expect_no_mark(&[&data], &["."]);
    sandbox.spawn();
    let client = sandbox.expect_ready();
    // The same file may come again: it is a new document.
    let again = client.accepted(Kind::Resume, "again.md", marked(0).as_bytes());
    assert!(!ids.contains(&again));
    client.expect_complete(Kind::Resume, [&again]);
    sandbox.stop();
}

#[test]
fn what_is_removed_is_in_no_index_of_three_nodes() {
    let test = "what_is_removed_is_in_no_index_of_three_nodes";
    if !services::are_there(test) || !paths::has_model(test) {
        return;
    }
    let services = Services::shared("erasure");
    let mut cluster = Cluster::start(&services, 3);
    let ids = submit(&cluster.client(0));
    expect_removed(&cluster.client(1), &ids);
    let folders: Vec<_> = (0..3).map(|node| cluster.node(node).data().to_owned()).collect();
    let folders: Vec<&Path> = folders.iter().map(|folder| folder.as_path()).collect();
    expect_no_mark(&folders, &["index"]);
    expect_no_mark(&[cluster.folder()], &["objects"]);
    cluster.stop();
}

/// What `tandem` prints as JSON over the data of a node that does not run.
fn tandem(sandbox: &Sandbox, arguments: &[&str]) -> serde_json::Value {
    let data = sandbox.data().to_string_lossy().into_owned();
    let arguments = [arguments, &["--json", "--data", &data]].concat();
    serde_json::from_str(&cli::run(arguments).expect_success().stdout).unwrap()
}

/// A key of a new account.
fn account(sandbox: &Sandbox, owner: &str, role: &str, label: &str) -> String {
    drop(tandem(sandbox, &["account", "create", owner, "--tenant", "acme", "--role", role]));
    text(&tandem(sandbox, &["key", "create", owner, "--label", label]), "key")
}

/// The kinds of an export's lines; each line is JSON, and the last one counts the others.
fn kinds(export: &str) -> Vec<String> {
    let lines: Vec<serde_json::Value> =
        export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (end, rest) = lines.split_last().unwrap();
    assert_eq!(end, &json!({"kind": "end", "data": {"lines": rest.len()}}));
    rest.iter().map(|line| text(line, "kind")).collect()
}

/// A match of the first résumé and a run over all of them.
fn use_them(client: &Client, ids: &[String]) {
    let job =
        client.accepted_text(Kind::Job, &format!("{MARK} Engineer\n\nRequirements\n- Rust\n- {MARK}\n"));
    client.expect_complete(Kind::Job, [&job]);
    drop(client.match_pair(&ids[0], &job));
    assert!(!client.run("job", &[&job], 50).is_empty());
}

/// The other person, over the data of a node that does not run.
fn erase_at_the_command_line(sandbox: &mut Sandbox) {
    let data = sandbox.data().to_owned();
    let file = data.join("eve.ndjson").to_string_lossy().into_owned();
    let folder = data.to_string_lossy().into_owned();
    drop(cli::run(["account", "export", "eve", "--out", &file, "--data", &folder]).expect_success());
    assert!(kinds(&fs::read_to_string(&file).unwrap()).contains(&"document".to_owned()));
    let receipt = tandem(sandbox, &["account", "erase", "eve", "--yes"]);
    assert_eq!(
        (&receipt["complete"], number(&receipt["removed"], "documents")),
        (&json!(true), 1),
        "{receipt}"
    );
    sandbox.spawn();
    let anybody = sandbox.expect_ready();
    assert_eq!(anybody.get("/api/v1/account").status, 401);
    sandbox.stop();
}

#[test]
fn nothing_is_left_of_a_person_who_is_erased() {
    if !paths::has_model("nothing_is_left_of_a_person_who_is_erased") {
        return;
    }
    let mut sandbox = Sandbox::empty(&[("TANDEM_AUTH__ENABLED", "true")]);
    let people = [("robin", "employer", MARK), ("eve", "employer", "one"), ("boss", "admin", "one")];
    let keys = people.map(|(owner, role, label)| account(&sandbox, owner, role, label));
    sandbox.spawn();
    let anybody = sandbox.expect_ready();
    let [robin, eve, boss] = keys.map(|key| anybody.with_key(&key));
    let ids = submit(&robin);
    use_them(&robin, &ids);
    let other = eve.accepted(Kind::Resume, "eve.md", plain(77).as_bytes());

    // What is given out is everything, to the person and to an admin of the tenant, and to nobody else.
    let path = "/api/v1/users/robin";
    let export = robin.get(&format!("{path}/export"));
    assert_eq!(export.status, 200, "{}", export.text);
    let found = kinds(&export.text);
    let count = |kind: &str| found.iter().filter(|found| *found == kind).count();
    assert_eq!(
        (count("account"), count("document"), count("match"), count("run")),
        (1, 13, 1, 1),
        "{found:?}"
    );
    assert!(count("row") > 0 && count("audit") > 0, "{found:?}");
    assert!(export.text.contains(&format!("Keeps a {MARK} loom running")), "with the text");
    assert!(!export.text.contains("tdm_"));
    assert_eq!(
        kinds(&boss.get(&format!("{path}/export")).text).len() - found.len(),
        2,
        "its own two entries"
    );
    for path in [format!("{path}/export"), "/api/v1/users/nobody/export".to_owned()] {
        assert_eq!(eve.get(&path).status, 404);
    }
    assert_eq!(boss.get("/api/v1/users/nobody/export").status, 404);
    assert_eq!(eve.send(eve.request(Method::DELETE, path)).unwrap().status, 404);

    // Some of it is still in the queue.
    for number in 20..28 {
        drop(robin.accepted(Kind::Resume, &format!("{MARK}-{number}.md"), marked(number).as_bytes()));
    }
    let erased = robin.send(robin.request(Method::DELETE, path)).unwrap();
    assert!([200, 202].contains(&erased.status), "{}", erased.text);
    assert_eq!(
        (text(&erased.data(), "owner"), number(&erased.data()["removed"], "keys")),
        ("robin".into(), 1)
    );
    assert_eq!(robin.get("/api/v1/account").status, 401);
    assert_eq!(
        boss.send(boss.request(Method::DELETE, path)).unwrap().status,
        200,
        "again, and nothing is left"
    );
    let left = kinds(&boss.get(&format!("{path}/export")).text);
    assert!(left.iter().all(|kind| kind == "account" || kind == "audit" || kind == "quota"), "{left:?}");
    assert!(eve.document(Kind::Resume, &other).is_object());
    expect_no_mark(&[sandbox.data()], &["index", "objects"]);
    let data = sandbox.data().to_owned();
    sandbox.stop();
    expect_no_mark(&[&data], &["."]);
    assert_eq!(tandem(&sandbox, &["audit", "verify", "--tenant", "acme"])["whole"], true);
    assert_eq!(tandem(&sandbox, &["account", "show", "robin"])["keys"], json!([]));

    erase_at_the_command_line(&mut sandbox);
}

#[test]
fn a_person_who_is_erased_is_in_no_index_of_three_nodes() {
    let test = "a_person_who_is_erased_is_in_no_index_of_three_nodes";
    if !services::are_there(test) || !paths::has_model(test) {
        return;
    }
    let services = Services::shared("person");
    let mut cluster = Cluster::start(&services, 3);
    let client = cluster.client(0);
    let ids = submit(&client);
    use_them(&client, &ids);
    let other = cluster.client(1);
    let erased = other.send(other.request(Method::DELETE, "/api/v1/users/local")).unwrap();
    assert!([200, 202].contains(&erased.status), "{}", erased.text);
    poll::until("nothing is left", FORGOTTEN_WITHIN, || {
        let left = kinds(&cluster.client(2).get("/api/v1/users/local/export").text);
        left.iter().all(|kind| kind == "account" || kind == "audit" || kind == "quota").then_some(())
    });
    let folders: Vec<_> = (0..3).map(|node| cluster.node(node).data().to_owned()).collect();
    let folders: Vec<&Path> = folders.iter().map(|folder| folder.as_path()).collect();
    expect_no_mark(&folders, &["index"]);
    expect_no_mark(&[cluster.folder()], &["objects"]);
    let verdict = cli::run_with(&cluster.environment(), ["audit", "verify"]);
    assert_eq!(verdict.code, 0, "{}", verdict.stdout);
    cluster.stop();
}
