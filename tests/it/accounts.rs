//! Accounts against real nodes: who gets in, whose data they see, and when a key ends.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand::seq::IndexedRandom;
use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::client::{Client, Kind, list, text};
use tandem_tests::cluster::{ALL_ROLES, Cluster};
use tandem_tests::sandbox::Sandbox;
use tandem_tests::services::{self, Services};
use tandem_tests::{cli, paths, seed};

const ENABLED: (&str, &str) = ("TANDEM_AUTH__ENABLED", "true");
/// Strangers here ask faster than anybody may.
const UNLIMITED: [(&str, &str); 4] = [
    ("TANDEM_LIMITS__READ__PER_MINUTE", "0"),
    ("TANDEM_LIMITS__WRITE__PER_MINUTE", "0"),
    ("TANDEM_LIMITS__BULK__PER_MINUTE", "0"),
    ("TANDEM_LIMITS__STREAM__PER_MINUTE", "0"),
];
const ROLES: [&str; 5] = ["user", "employer", "reviewer", "admin", "operator"];
/// Requests of strangers.
const REQUESTS: usize = 10_000;
/// What stands in every document of the owner whom strangers ask for.
const MARK: &str = "Quillfeather";

/// What `tandem` prints as JSON, over the data of a node that does not run or of a cluster.
fn tandem(environment: &[(&str, &str)], arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    serde_json::from_str(&cli::run_with(environment, arguments).expect_success().stdout).unwrap()
}

/// Makes an account and a key for it; the key's text and its id.
fn account(environment: &[(&str, &str)], owner: &str, role: &str, more: &[&str]) -> (String, String) {
    let create = [&["account", "create", owner, "--tenant", "acme", "--role", role], more].concat();
    assert_eq!(tandem(environment, &create)["role"], role);
    let key = tandem(environment, &[&["key", "create", owner, "--label", "test"], more].concat());
    (text(&key, "key"), text(&key, "id"))
}

/// A node with accounts, an account of each role, and one more of an employer; its clients by owner,
/// and the key of the last.
fn node_with_accounts() -> (Sandbox, BTreeMap<String, Client>, String) {
    let mut sandbox = Sandbox::empty(&[&[ENABLED][..], &UNLIMITED].concat());
    let data = sandbox.data().to_string_lossy().into_owned();
    let owners = ROLES.into_iter().map(|role| (role.to_owned(), role));
    let owners = owners.chain([("owner".to_owned(), "employer")]);
    let keys: Vec<(String, String)> =
        owners.map(|(owner, role)| (account(&[], &owner, role, &["--data", &data]).0, owner)).collect();
    sandbox.spawn();
    let client = sandbox.expect_ready();
    let last = keys.last().unwrap().0.clone();
    (sandbox, keys.into_iter().map(|(key, owner)| (owner, client.with_key(&key))).collect(), last)
}

#[test]
fn s10_a_key_opens_what_is_its_owners_until_it_is_revoked() {
    if !paths::has_model("s10_a_key_opens_what_is_its_owners_until_it_is_revoked") {
        return;
    }
    let (mut sandbox, clients, key) = node_with_accounts();
    let (owner, anybody) = (&clients["owner"], sandbox.client());
    let refused = anybody.get("/api/v1/resumes");
    assert_eq!((refused.status, refused.error_code()), (401, "AUTH_REQUIRED".to_owned()));
    assert_eq!(anybody.get("/metrics").status, 401);
    assert_eq!(owner.get("/status").error_code(), "FORBIDDEN");
    assert_eq!(clients["operator"].get("/status").status, 200);
    assert!(clients["operator"].get("/metrics").text.contains("tandem_"));

    let me = owner.get("/api/v1/account").data();
    assert_eq!(
        (text(&me, "owner"), text(&me, "tenant"), text(&me, "role")),
        ("owner".into(), "acme".into(), "employer".into())
    );
    let made = owner.post("/api/v1/keys", &json!({ "label": "narrow", "scopes": ["read"] }));
    assert_eq!(made.status, 201, "{}", made.text);
    let narrow = sandbox.client().with_key(&text(&made.data(), "key"));
    assert_eq!(narrow.get("/api/v1/jobs").status, 200);
    assert_eq!(narrow.post("/api/v1/jobs", &json!({ "title": "Cook", "text": "A cook." })).status, 403);
    let listed = owner.get("/api/v1/keys");
    assert!(!listed.text.contains("tdm_"), "{}", listed.text);
    assert_eq!(list(&listed.data(), "items").len(), 2);

    let path = format!("/api/v1/keys/{}", text(&made.data(), "id"));
    let stranger = clients["admin"].send(clients["admin"].request(Method::DELETE, &path)).unwrap();
    assert_eq!(stranger.status, 404, "{}", stranger.text);
    assert_eq!(owner.send(owner.request(Method::DELETE, &path)).unwrap().status, 200);
    assert_eq!(narrow.get("/api/v1/jobs").error_code(), "AUTH_REQUIRED");
    sandbox.stop();

    let data = sandbox.data().to_string_lossy().into_owned();
    let set = tandem(&[], &["account", "set", "owner", "--disabled", "true", "--data", &data]);
    assert_eq!(set["disabled"], true);
    assert_eq!(list(&tandem(&[], &["account", "show", "owner", "--data", &data]), "keys").len(), 2);
    sandbox.spawn();
    let again = sandbox.expect_ready();
    assert_eq!(again.with_key(&key).get("/api/v1/jobs").error_code(), "AUTH_REQUIRED");
    sandbox.stop();
}

/// What the owner has: an id of each kind, by the first name of its path.
fn belongings(owner: &Client) -> BTreeMap<&'static str, String> {
    let resume = owner.accepted(
        Kind::Resume,
        "a.md",
        format!("# Ada {MARK}\n\nCook at Inn, 2019 - 2024.\n").as_bytes(),
    );
    let job =
        owner.accepted(Kind::Job, "j.md", format!("# Cook at {MARK}\n\nWe look for a cook.\n").as_bytes());
    owner.expect_complete(Kind::Resume, [&resume]);
    owner.expect_complete(Kind::Job, [&job]);
    let pair = json!({ "resumeId": resume, "jobId": job });
    let of_pair = text(&owner.post("/api/v1/matches", &pair).data(), "id");
    let run = json!({ "query": "job", "queries": [job], "candidates": [resume], "top": 1 });
    let run = text(&owner.post("/api/v1/match-runs", &run).data(), "id");
    let key = text(&owner.post("/api/v1/keys", &json!({ "label": "one" })).data(), "id");
    BTreeMap::from([
        ("resumes", resume),
        ("jobs", job),
        ("matches", of_pair),
        ("match-runs", run),
        ("keys", key),
    ])
}

/// A body for a route that names what is the owner's wherever it can.
fn body_of(path: &str, theirs: &BTreeMap<&str, String>) -> Value {
    let (resume, job) = (&theirs["resumes"], &theirs["jobs"]);
    match path {
        "/api/v1/matches" => json!({ "resumeId": resume, "jobId": job }),
        "/api/v1/match-runs" => json!({ "query": "job", "queries": [job], "candidates": [resume], "top": 1 }),
        "/api/v1/keys" => json!({ "label": "mine" }),
        _ => json!({ "title": "Cook", "text": "A cook is wanted." }),
    }
}

#[test]
fn inv_10_no_route_shows_a_stranger_anything_of_an_owners() {
    let test = "inv_10_no_route_shows_a_stranger_anything_of_an_owners";
    if !paths::has_model(test) {
        return;
    }
    let (mut sandbox, clients, _) = node_with_accounts();
    let owner = &clients["owner"];
    let theirs = belongings(owner);
    let api = sandbox.client().get("/openapi.json").json();
    let routes: Vec<(String, String)> = api["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))
        })
        .filter(|(method, path)| {
            // A stranger's own uploads and keys say nothing of the owner and would fill the store. What was done in the
            // tenant is what its admins see.
            path.starts_with("/api/")
                && path != "/api/v1/audit"
                && (method != "POST" || path.contains("match"))
        })
        .collect();
    let mut rng = seed::rng(test);
    let mut seen = BTreeSet::new();
    for _ in 0..REQUESTS {
        let (method, template) = routes.choose(&mut rng).unwrap();
        let role = ROLES.choose(&mut rng).unwrap();
        // Also ids of another kind: what a path takes is looked up by its owner, whatever it is.
        let id = theirs.values().nth(rng.random_range(0..theirs.len())).unwrap();
        let client = &clients[*role];
        let mut request = client.request(
            method.parse().unwrap(),
            &template.replace("{id}", id).replace("{owner}", id).replace("{version}", "1"),
        );
        if method == "POST" {
            request = request.json(&body_of(template, &theirs));
        }
        let answer = client.send(request).unwrap();
        let what = format!("{method} {template} as {role}: {} {}", answer.status, answer.text);
        assert!(!answer.text.contains(MARK), "{what}");
        let named = template.contains("{id}")
            || template.contains("{owner}")
            || (method == "POST" && !template.contains("/cancel"));
        if named {
            assert!([403, 404].contains(&answer.status), "{what}");
        } else {
            assert!([200, 403].contains(&answer.status), "{what}");
            assert!(theirs.values().all(|id| !answer.text.contains(id)), "{what}");
        }
        seen.insert((method.clone(), template.clone(), *role, answer.status));
    }
    assert!(seen.iter().any(|(_, template, _, status)| template.contains("{id}") && *status == 404));
    for (kind, id) in &theirs {
        if *kind != "keys" {
            let still = owner.get(&format!("/api/v1/{kind}/{id}"));
            assert_eq!(still.status, 200, "{kind}: {}", still.text);
        }
    }
    assert!(list(&owner.get("/api/v1/keys").data(), "items").iter().all(|key| key["revoked_at"].is_null()));
    sandbox.stop();
}

#[test]
fn a_key_that_one_node_revokes_opens_nothing_on_another() {
    let test = "a_key_that_one_node_revokes_opens_nothing_on_another";
    if !services::are_there(test) || !paths::has_model(test) {
        return;
    }
    let services = Services::shared("accounts");
    let cluster = Cluster::start_with(&services, &[], &[ALL_ROLES]);
    let environment = cluster.environment();
    let (key, id) = account(&environment, "owner", "employer", &[]);
    let of_node = |name: &'static str| {
        let own = [ENABLED, ("TANDEM_NODE__NAME", name)];
        Sandbox::start_with(&[&environment[..], &own].concat())
    };
    let (mut one, mut other) = (of_node("edge-1"), of_node("edge-2"));
    let clients = [one.client().with_key(&key), other.client().with_key(&key)];
    for client in &clients {
        assert_eq!(text(&client.get("/api/v1/account").data(), "owner"), "owner");
    }
    let made = clients[0].post("/api/v1/keys", &json!({ "label": "second" })).data();
    let second = other.client().with_key(&text(&made, "key"));
    assert_eq!(second.get("/api/v1/jobs").status, 200);
    assert_eq!(tandem(&environment, &["key", "list", "owner"]).as_array().unwrap().len(), 2);
    let revoke = clients[0].request(Method::DELETE, &format!("/api/v1/keys/{id}"));
    assert_eq!(clients[0].send(revoke).unwrap().status, 200);
    assert_eq!(clients[1].get("/api/v1/jobs").error_code(), "AUTH_REQUIRED");
    assert_eq!(clients[0].get("/api/v1/jobs").error_code(), "AUTH_REQUIRED");
    let end = tandem(&environment, &["key", "revoke", "owner", &text(&made, "id")]);
    assert!(end["revoked_at"].is_string(), "{end}");
    assert_eq!(second.get("/api/v1/jobs").error_code(), "AUTH_REQUIRED");
    one.stop();
    other.stop();
    cluster.stop();
}
