//! The harness notices what it is there to notice.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tandem_tests::client::Row;
use tandem_tests::oracle::expect_each_row_once;
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{paths, poll, process};

fn row(rank: i64, candidate: &str, score: i64) -> Row {
    let (query, candidate) = ("job".to_owned(), candidate.to_owned());
    Row { item: 0, rank, query, candidate, score, line: Value::Null }
}

#[test]
fn a_node_that_ends_by_itself_fails_its_test() {
    if !paths::has_model("a_node_that_ends_by_itself_fails_its_test") {
        return;
    }
    let ended = std::panic::catch_unwind(|| {
        let mut sandbox = Sandbox::start();
        sandbox.ask_to_stop();
        poll::until("the node ends", Duration::from_secs(30), || sandbox.has_ended().then_some(()));
        drop(sandbox);
    });
    let panic = ended.expect_err("the test goes on");
    let words = panic.downcast_ref::<String>().expect("a panic has words");
    assert!(words.starts_with("the node ended by itself"), "{words}");
}

#[test]
fn rows_are_good_when_each_is_there_once() {
    expect_each_row_once(&[row(1, "a", 900), row(2, "b", 900), row(3, "c", 10)]);
}

#[test]
#[should_panic(expected = "names a candidate twice")]
fn a_candidate_that_is_there_twice_is_noticed() {
    expect_each_row_once(&[row(1, "a", 900), row(2, "a", 900)]);
}

#[test]
#[should_panic(expected = "the ranks of item 0")]
fn a_row_that_is_missing_is_noticed() {
    expect_each_row_once(&[row(1, "a", 900), row(3, "c", 10)]);
}

#[test]
#[should_panic(expected = "not in order of score")]
fn a_wrong_order_is_noticed() {
    expect_each_row_once(&[row(1, "a", 10), row(2, "c", 900)]);
}

#[test]
fn a_child_is_seen_until_it_ends() {
    let mut child = Command::new("sleep").arg("600").process_group(0).spawn().unwrap();
    let pid = child.id();
    assert_eq!(process::group(pid).iter().map(|process| process.pid).collect::<Vec<_>>(), [pid]);
    assert!(process::memory(pid) > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    process::expect_group_gone(pid);
    assert_eq!(process::of(pid), None);
}
