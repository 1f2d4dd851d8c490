//! What the ports and the messages promise by their form, read from their source.

use std::fs;

use tandem_tests::paths;

/// Ports whose rows belong to users.
const STORES: [&str; 4] = ["accounts", "documents", "runs", "tasks"];
/// Types that carry the owner of what they hold.
const CARRY_AN_OWNER: [&str; 6] = ["OwnerId", "&Account", "&Document", "&Change", "&MatchRun", "&PairMatch"];
/// Methods that read the system's own rows, with the reason why nobody owns them.
const OWNERLESS: [(&str, &str); 3] = [
    ("owner_of_key", "the owner is its answer: who holds a key has proved to be the owner"),
    ("changes", "the log that shards follow: every change names its owner and is applied under it"),
    ("log_head", "a number: how far that log has come"),
];
/// Beginnings of the names of methods that change something.
const WRITES: [&str; 7] = ["create", "put_", "advance", "log_change", "finish", "file", "replace"];
/// Beginnings of the names of messages that change something.
const CHANGES: [&str; 9] =
    ["Create", "Submit", "Delete", "Update", "Put", "Cancel", "Reset", "Generate", "Refine"];

/// How a message names its operation: by itself, or in the message that it wraps.
const NAMES_AN_OPERATION: [&str; 2] = ["operation: OperationId", "submission: SubmitDocument"];

/// Messages whose subject is the operation: asking again changes nothing.
const OWN_OPERATION: [&str; 1] = ["CancelRun"];

/// A method of a trait: its name and its whole signature.
struct Method {
    name: String,
    signature: String,
}

fn methods(port: &str) -> Vec<Method> {
    let path = paths::repository().join(format!("actors/ports/src/{port}.rs"));
    let text = fs::read_to_string(path).unwrap();
    let methods: Vec<Method> = text
        .split("async fn ")
        .skip(1)
        .map(|rest| {
            let signature = rest.split_once(';').map_or(rest, |(signature, _)| signature);
            let name = signature.split_once('(').unwrap().0.to_owned();
            Method { name, signature: signature.split_whitespace().collect::<Vec<_>>().join(" ") }
        })
        .collect();
    assert!(methods.len() >= 4, "the traits of {port} are not where they were");
    methods
}

#[test]
fn invariant_10_no_row_is_reached_without_its_owner() {
    for port in ["accounts", "documents", "runs"] {
        for Method { name, signature } in methods(port) {
            if OWNERLESS.iter().any(|(known, _)| *known == name) {
                continue;
            }
            let owned = CARRY_AN_OWNER.iter().any(|carrier| signature.contains(carrier));
            assert!(owned, "{port}::{name} knows no owner: {signature}");
        }
    }
}

#[test]
fn invariant_10_a_question_to_the_index_names_an_owner() {
    let text = fs::read_to_string(paths::repository().join("actors/ports/src/index.rs")).unwrap();
    let filter = text.split_once("pub struct Filter").unwrap().1.split_once("\n}").unwrap().0;
    assert!(filter.contains("owner: OwnerId"), "{filter}");
    let index = text.split_once("pub trait MatchIndex").unwrap().1;
    for search in ["fn lexical(", "fn dense(", "fn features("] {
        let signature = index.split_once(search).unwrap().1.split_once(';').unwrap().0;
        assert!(signature.contains("&Filter") || signature.contains("&OwnerId"), "{search}{signature}");
    }
}

#[test]
fn invariant_6_a_store_write_has_three_ends() {
    let mut writes = 0;
    for port in STORES {
        for Method { name, signature } in methods(port) {
            if WRITES.iter().any(|write| name.starts_with(write)) {
                assert!(signature.contains("Result<Write<"), "{port}::{name}: {signature}");
                writes += 1;
            }
        }
    }
    assert!(writes >= 9, "the traits name their writes otherwise now");
}

#[test]
fn invariant_4_a_message_that_changes_something_carries_an_operation() {
    let mut changes = 0;
    for module in ["documents", "matches", "runs"] {
        let path = paths::repository().join(format!("actors/messages/src/{module}.rs"));
        let text = fs::read_to_string(path).unwrap();
        for rest in text.split("pub struct ").skip(1) {
            let Some((name, fields)) = rest.split_once(" {") else { continue };
            let fields = fields.split_once("\n}").unwrap().0;
            // `SubmitDocument` is one, `SubmittedDocument` is its answer.
            let verb = |verb: &&str| {
                name.strip_prefix(*verb).is_some_and(|rest| rest.starts_with(char::is_uppercase))
            };
            if CHANGES.iter().any(verb) && !OWN_OPERATION.contains(&name) {
                let named = NAMES_AN_OPERATION.iter().any(|field| fields.contains(field));
                assert!(named, "{name} names no operation");
                changes += 1;
            }
        }
    }
    assert!(changes >= 3, "the messages are not where they were");
}

#[test]
fn invariant_4_every_question_has_a_deadline() {
    let text = fs::read_to_string(paths::repository().join("actors/messages/src/gateway.rs")).unwrap();
    let context = text.split_once("pub struct Context").unwrap().1.split_once("\n}").unwrap().0;
    assert!(context.contains("deadline: Duration"), "{context}");
    let ask = text.split_once("fn ask<").unwrap().1.split_once('{').unwrap().0;
    assert!(ask.contains("&Context"), "{ask}");
}
