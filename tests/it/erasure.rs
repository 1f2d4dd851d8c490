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
use tandem_tests::{paths, poll};

/// Words that stand in the removed documents and nowhere else.
const MARK: &str = "zyxomathic";
/// How long the rewriting of the index may take.
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(30);

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
