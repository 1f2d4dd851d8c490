use expect_test::expect;

use super::*;

#[test]
fn a_person_sees_who_holds_what_and_what_waits() {
    let answer = serde_json::json!({
        "node": "a", "logHead": 12,
        "nodes": [
            {"name": "a", "version": "0.1.0", "edge": "127.0.0.1:8081", "roles": ["edge", "match"], "draining": false, "shards": 1},
            {"name": "b", "version": "0.1.0", "edge": "127.0.0.1:8082", "roles": ["index"], "draining": true, "shards": 1},
        ],
        "shards": [
            {"shard": 0, "owners": [
                {"node": "a", "caughtUp": true, "lag": 0, "documents": 7},
                {"node": "b", "caughtUp": false, "lag": 5, "documents": 2},
            ]},
            {"shard": 1, "owners": []},
        ],
        "queues": [{"kind": "parse", "waiting": 3, "inFlight": 1, "dead": 0}],
        "problems": [],
    });
    let shown = shown(&serde_json::from_value(answer).unwrap());
    expect![[r#"
        as a sees it; the change log is at 12
        ┌───────────────────────────────────────────────────────┐
        │ node   version   edge             shards   roles      │
        ╞═══════════════════════════════════════════════════════╡
        │ a      0.1.0     127.0.0.1:8081   1        edge match │
        │ b      0.1.0     127.0.0.1:8082   1        leaving    │
        └───────────────────────────────────────────────────────┘
        ┌─────────────────────────────────────────────┐
        │ shard   documents   owners (changes behind) │
        ╞═════════════════════════════════════════════╡
        │ 0       7           a, b (building, 5)      │
        │ 1       ?           NOBODY                  │
        └─────────────────────────────────────────────┘
        ┌─────────────────────────────────────────┐
        │ queue   waiting   in flight   put aside │
        ╞═════════════════════════════════════════╡
        │ parse   3         1           0         │
        └─────────────────────────────────────────┘
    "#]]
    .assert_eq(&shown);
}

#[test]
fn what_could_not_be_learned_is_said_before_all_else() {
    let answer = serde_json::json!({
        "node": "a", "logHead": null, "nodes": [], "shards": [], "queues": [],
        "problems": ["the store does not answer"],
    });
    let shown = shown(&serde_json::from_value(answer).unwrap());
    let begin = "as a sees it; the change log is at unknown\nATTENTION: the store does not answer\n";
    assert!(shown.starts_with(begin), "{shown}");
}
