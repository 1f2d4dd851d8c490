//! The last unit of a quota, which many want at once over two nodes.

use std::thread;
use std::time::Duration;

use serde_json::json;
use tandem_tests::client::{Answer, Client, list};
use tandem_tests::cluster::{ALL_ROLES, Cluster};
use tandem_tests::sandbox::Sandbox;
use tandem_tests::services::{self, Services};
use tandem_tests::{paths, poll, tokens};

use super::{ENABLED, resume};

/// Races unless `TANDEM_TEST_RACES` says otherwise, clients in each, and how many owners are raced for at a time.
const RACES: usize = 1_000;
const RACERS: usize = 64;
const AT_A_TIME: usize = 4;
/// Rounds besides in which a node is killed.
const KILLS: usize = 6;

/// How long a node may be too busy to answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(120);

/// How one owner's race ended.
struct End {
    /// The status that each racer was answered with, where it was.
    answers: Vec<Option<u16>>,
    /// What the owner has.
    there: usize,
    /// What one more asks for and gets.
    again: u16,
}

impl End {
    fn of(&self, status: u16) -> usize {
        self.answers.iter().filter(|answer| **answer == Some(status)).count()
    }

    /// What must hold however many answers were lost.
    fn expect_at_most_one(&self, race: usize) {
        let Self { answers, there, again } = self;
        let won = self.of(202);
        assert!(won <= 1 && *there <= 1, "race {race}: {won} won, {there} are there: {answers:?}");
        let is_over = *again == 402 || (won + there == 0 && *again == 202);
        assert!(is_over, "race {race}: {again} after {answers:?}");
    }
}

/// All racers want the owner's one upload, half of them at each door.
fn race(doors: &[Client; 2], owner: &str) -> Vec<Option<u16>> {
    thread::scope(|scope| {
        let racers: Vec<_> = (0..RACERS)
            .map(|number| {
                let text = json!({ "text": resume(&format!("{owner} {number}")) });
                let ask = move || doors[number % 2].try_post("/api/v1/resumes", &text).ok();
                scope.spawn(move || ask().map(|answer| answer.status))
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    })
}

/// What a node answers once its servers are not too busy for it.
fn answer(ask: impl Fn() -> Result<Answer, reqwest::Error>) -> Answer {
    poll::until_ok("a node answers", ANSWERED_WITHIN, || match ask() {
        Ok(answer) if answer.status < 500 => Ok(answer),
        Ok(answer) => Err(answer.text),
        Err(error) => Err(error.to_string()),
    })
}

/// Races for these owners at the same time, while `meanwhile` happens. What came of it is asked at door `open`.
fn round(
    doors: &[Client; 2],
    owners: impl Iterator<Item = String>,
    open: usize,
    meanwhile: impl FnOnce(),
) -> Vec<End> {
    thread::scope(|scope| {
        let races: Vec<_> = owners
            .map(|owner| {
                let token = tokens::token(&owner, "user");
                let doors = doors.each_ref().map(|door| door.with_token(&token));
                scope.spawn(move || {
                    let answers = race(&doors, &owner);
                    let there = answer(|| doors[open].try_get("/api/v1/resumes"));
                    let there = list(&there.data(), "items").len();
                    let more = json!({ "text": resume("again") });
                    let again = answer(|| doors[open].try_post("/api/v1/resumes", &more)).status;
                    End { answers, there, again }
                })
            })
            .collect();
        meanwhile();
        races.into_iter().map(|race| race.join().unwrap()).collect()
    })
}

#[test]
fn l8_of_64_clients_on_two_nodes_one_gets_the_last_unit() {
    let test = "l8_of_64_clients_on_two_nodes_one_gets_the_last_unit";
    if !services::are_there(test) || !paths::has_model(test) {
        return;
    }
    let services = Services::shared("quota");
    let mut cluster = Cluster::start_with(&services, &[], &[ALL_ROLES]);
    // What is taken in is never read: it would only cost the racers their time.
    cluster.node(0).stop();
    let limited = [
        ("TANDEM_NODE__ROLES", "edge,ingest"),
        ("TANDEM_EDGE__MAX_IN_FLIGHT", "256"),
        ("TANDEM_PLANS__FREE__RESUME_UPLOADS", "1"),
        ENABLED,
    ];
    let environment = [&cluster.environment()[..], &limited, &tokens::TRUSTED].concat();
    let mut nodes = ["left", "right"]
        .map(|name| Sandbox::start_with(&[&environment[..], &[("TANDEM_NODE__NAME", name)]].concat()));
    let races = std::env::var("TANDEM_TEST_RACES").ok().and_then(|races| races.parse().ok());
    let owners: Vec<usize> = (0..races.unwrap_or(RACES)).collect();
    let doors = nodes.each_ref().map(Sandbox::client);
    let mut all_unsure = 0;
    for some in owners.chunks(AT_A_TIME) {
        let names = some.iter().map(|owner| format!("owner-{owner}"));
        for (end, owner) in round(&doors, names, some[0] / AT_A_TIME % 2, || {}).iter().zip(some) {
            // A machine that is too slow for all of them says so to some, maybe to the one that won.
            let unsure = end.of(503) + end.of(504);
            all_unsure += unsure;
            if unsure == 0 {
                let counted = (end.of(202), end.of(402), end.there, end.again);
                assert_eq!(counted, (1, RACERS - 1, 1, 402), "race {owner}: {:?}", end.answers);
            } else {
                assert_eq!(end.of(202) + end.of(402) + unsure, RACERS, "race {owner}: {:?}", end.answers);
                end.expect_at_most_one(*owner);
            }
        }
    }
    assert!(all_unsure * 100 <= owners.len() * RACERS, "{all_unsure} racers do not know how it ended");
    // The answers of a node that is killed are lost, and what it took stays taken.
    for kill in 0..KILLS {
        let doors = nodes.each_ref().map(Sandbox::client);
        let [left, right] = &mut nodes;
        let victim = if kill % 2 == 0 { left } else { right };
        let names = (0..AT_A_TIME).map(|owner| format!("killed-{kill}-{owner}"));
        let ends = round(&doors, names, 1 - kill % 2, || victim.kill());
        ends.iter().for_each(|end| end.expect_at_most_one(kill));
        victim.revive();
    }
    for node in &mut nodes {
        node.stop();
    }
}
