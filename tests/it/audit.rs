//! The audit log of a real node: what stands in it, and that it holds when the node is killed.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::client::{Client, Kind, list, number, text};
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{cli, paths};

const ENABLED: (&str, &str) = ("TANDEM_AUTH__ENABLED", "true");
/// Callers that make and revoke keys at once, and keys that each of them makes at most: 100 is the most of an account.
const CALLERS: usize = 8;
const KEYS: usize = 40;
/// Answers after which the node is killed.
const ENOUGH: usize = 24;

/// What `tandem` prints as JSON over the data of a node that does not run.
fn tandem(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let data = sandbox.data().to_string_lossy().into_owned();
    let arguments = [arguments, &["--json", "--data", &data]].concat();
    serde_json::from_str(&cli::run(arguments).expect_success().stdout).unwrap()
}

/// A key of a new account.
fn account(sandbox: &Sandbox, owner: &str, role: &str) -> String {
    drop(tandem(sandbox, &["account", "create", owner, "--tenant", "acme", "--role", role]));
    text(&tandem(sandbox, &["key", "create", owner, "--label", "test"]), "key")
}

fn delete(client: &Client, path: &str) -> u16 {
    client.send(client.request(Method::DELETE, path)).unwrap().status
}

/// Action, outcome and owner of each entry, oldest first.
fn told(entries: &[Value]) -> Vec<(String, String, String)> {
    let of = |entry: &Value| (text(entry, "action"), text(entry, "outcome"), text(entry, "owner"));
    entries.iter().rev().map(of).collect()
}

#[test]
fn what_is_done_with_accounts_and_data_is_written_down() {
    if !paths::has_model("what_is_done_with_accounts_and_data_is_written_down") {
        return;
    }
    let mut sandbox = Sandbox::empty(&[ENABLED]);
    let (admin, user) = (account(&sandbox, "admin", "admin"), account(&sandbox, "ada", "employer"));
    sandbox.spawn();
    let anybody = sandbox.expect_ready();
    let (admin, user) = (anybody.with_key(&admin), anybody.with_key(&user));

    let made = user.post("/api/v1/keys", &json!({ "label": "Robin's laptop" })).data();
    let key = text(&made, "id");
    assert_eq!(delete(&user, &format!("/api/v1/keys/{key}")), 200);
    let document = user.accepted(Kind::Resume, "robin.md", b"# Robin\n\nCook at Inn, 2019 - 2024.\n");
    user.expect_complete(Kind::Resume, [&document]);
    assert_eq!(delete(&user, &format!("/api/v1/resumes/{document}")), 200);
    // What is not there says nothing.
    assert_eq!(delete(&user, &format!("/api/v1/resumes/{document}")), 404);
    assert_eq!(delete(&user, &format!("/api/v1/keys/{document}")), 404);

    assert_eq!(user.get("/api/v1/audit").error_code(), "FORBIDDEN");
    let page = admin.get("/api/v1/audit?limit=6").data();
    let entries = list(&page, "items");
    let expected = ["key_created", "key_revoked", "document_erased"];
    let expected: Vec<_> = expected
        .iter()
        .flat_map(|action| {
            ["begun", "done"].map(|outcome| ((*action).to_owned(), outcome.to_owned(), "ada".to_owned()))
        })
        .collect();
    assert_eq!(told(entries), expected);
    let resources: Vec<&Value> = entries.iter().rev().map(|entry| &entry["resource_id"]).collect();
    assert_eq!(resources, [&key, &key, &key, &key, &document, &document]);
    assert!(entries.iter().all(|entry| entry["actor"]["kind"] == "key" && entry["actor"]["owner"] == "ada"));
    assert!(!page.to_string().contains("Robin"), "{page}");
    let before = admin.get(&format!("/api/v1/audit?cursor={}", text(&page, "next_cursor"))).data();
    let before = told(list(&before, "items"));
    assert_eq!(before.len(), 8, "two accounts and their keys, by the command line: {before:?}");
    sandbox.stop();

    let verdict = tandem(&sandbox, &["audit", "verify", "--tenant", "acme"]);
    assert_eq!((&verdict["whole"], number(&verdict["head"], "sequence")), (&json!(true), 14));
    let known = format!("14:{}", text(&verdict["head"], "hash"));
    assert_eq!(tandem(&sandbox, &["audit", "verify", "--tenant", "acme", "--known", &known])["whole"], true);
    let data = sandbox.data().to_string_lossy().into_owned();
    let other = format!("13:{}", text(&verdict["head"], "hash"));
    let refused = cli::run(["audit", "verify", "--tenant", "acme", "--known", &other, "--data", &data]);
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    assert!(refused.stdout.contains("entry 13"), "{}", refused.stdout);
    let listed = tandem(&sandbox, &["audit", "list", "--tenant", "acme", "--limit", "3"]);
    assert_eq!(list(&listed, "entries").len(), 3);
}

/// Makes and revokes keys until the node is gone; what was answered goes into `done`.
fn make_keys(client: &Client, done: &Mutex<BTreeSet<(String, String)>>) {
    for _ in 0..KEYS {
        let Ok(made) = client.try_post("/api/v1/keys", &json!({ "label": "one" })) else { return };
        if made.status != 201 {
            continue;
        }
        let id = text(&made.data(), "id");
        done.lock().unwrap().insert(("key_created".to_owned(), id.clone()));
        let revoke = client.request(Method::DELETE, &format!("/api/v1/keys/{id}"));
        let Ok(revoked) = client.send(revoke) else { return };
        if revoked.status == 200 {
            done.lock().unwrap().insert(("key_revoked".to_owned(), id));
        }
    }
}

#[test]
fn a_log_is_whole_after_its_node_was_killed_while_many_wrote() {
    if !paths::has_model("a_log_is_whole_after_its_node_was_killed_while_many_wrote") {
        return;
    }
    let unlimited = [ENABLED, ("TANDEM_LIMITS__WRITE__PER_MINUTE", "0")];
    let mut sandbox = Sandbox::empty(&unlimited);
    let keys: Vec<String> =
        (0..CALLERS).map(|caller| account(&sandbox, &format!("caller-{caller}"), "user")).collect();
    sandbox.spawn();
    let anybody = sandbox.expect_ready();
    let done = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for key in &keys {
            let (client, done) = (anybody.with_key(key), &done);
            scope.spawn(move || make_keys(&client, done));
        }
        tandem_tests::poll::until("keys are made", std::time::Duration::from_secs(60), || {
            (done.lock().unwrap().len() >= ENOUGH).then_some(())
        });
        sandbox.kill();
    });
    let done = done.into_inner().unwrap();

    let verdict = tandem(&sandbox, &["audit", "verify", "--tenant", "acme"]);
    assert_eq!(verdict["whole"], true, "{verdict}");
    let listed = tandem(&sandbox, &["audit", "list", "--tenant", "acme", "--limit", "1000"]);
    let entries = list(&listed, "entries");
    let with = |outcome: &str| -> BTreeSet<(String, String)> {
        let of = entries.iter().filter(|entry| text(entry, "outcome") == outcome);
        of.filter_map(|entry| Some((text(entry, "action"), entry["resource_id"].as_str()?.to_owned())))
            .collect()
    };
    assert!(done.is_subset(&with("done")), "what was answered is written down as done");
    // What was done without an answer was begun at least.
    let begun = with("begun");
    for caller in 0..CALLERS {
        let account = tandem(&sandbox, &["account", "show", &format!("caller-{caller}")]);
        for key in list(&account, "keys") {
            let id = text(key, "id");
            assert!(begun.contains(&("key_created".to_owned(), id.clone())), "{id} was made in silence");
            if !key["revoked_at"].is_null() {
                assert!(
                    begun.contains(&("key_revoked".to_owned(), id.clone())),
                    "{id} was revoked in silence"
                );
            }
        }
    }
}
