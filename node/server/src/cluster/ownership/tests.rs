use tandem_ports::testsuite::samples;

use super::*;
use crate::cluster::{NodeState, ShardState};

const SHARDS: u16 = 16;
const HOLD_DOWN: Duration = Duration::from_secs(10);

fn name(text: &str) -> NodeName {
    text.parse().unwrap()
}

/// A node that serves these shards.
fn node(text: &str, serves: &[u16]) -> Neighbor {
    let shard = |shard: &u16| ShardState {
        model: samples::model().key(),
        shard: *shard,
        seen: 1,
        caught_up: true,
        documents: 1,
    };
    let state = NodeState {
        version: "1".to_owned(),
        edge: String::new(),
        roles: Vec::new(),
        holds_shards: true,
        draining: false,
        shard_count: SHARDS,
        corpus: None,
        shards: serves.iter().map(shard).collect(),
    };
    Neighbor { name: name(text), state }
}

fn of(me: &str) -> Ownership {
    Ownership::new(name(me), SHARDS, HOLD_DOWN)
}

fn wanted(me: &str, nodes: &[Neighbor]) -> BTreeSet<u16> {
    of(me).wanted(Instant::now(), samples::model().key(), nodes, &BTreeSet::new())
}

#[tokio::test]
async fn each_shard_has_two_owners_and_one_node_alone_has_all() {
    let alone = [node("a", &[])];
    assert_eq!(wanted("a", &alone).len(), usize::from(SHARDS));
    let nodes = [node("a", &[]), node("b", &[]), node("c", &[]), node("d", &[])];
    let mut owners = BTreeMap::new();
    for me in ["a", "b", "c", "d"] {
        for shard in wanted(me, &nodes) {
            *owners.entry(shard).or_insert(0) += 1;
        }
    }
    assert_eq!(owners.into_values().collect::<Vec<_>>(), vec![OWNERS; usize::from(SHARDS)]);
}

#[tokio::test(start_paused = true)]
async fn the_shards_of_a_node_that_is_gone_wait_for_it_for_a_while() {
    let all = [node("a", &[]), node("b", &[]), node("c", &[])];
    let (mut ownership, held) = (of("a"), BTreeSet::new());
    let before = ownership.wanted(Instant::now(), samples::model().key(), &all, &held);
    let left = [node("a", &[]), node("b", &[])];
    tokio::time::advance(HOLD_DOWN).await;
    assert_eq!(
        ownership.wanted(Instant::now(), samples::model().key(), &left, &held),
        before,
        "it may come back"
    );
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(
        ownership.wanted(Instant::now(), samples::model().key(), &left, &held).len(),
        usize::from(SHARDS)
    );
    let back = ownership.wanted(Instant::now(), samples::model().key(), &all, &held);
    assert_eq!(back, before, "and gets its own again");
}

#[tokio::test]
async fn a_shard_is_kept_until_its_new_owners_answer_for_it() {
    let (empty, mut ownership) = ([node("a", &[]), node("b", &[]), node("c", &[])], of("a"));
    let held: BTreeSet<u16> = (0..SHARDS).collect();
    assert_eq!(
        ownership.wanted(Instant::now(), samples::model().key(), &empty, &held),
        held,
        "nobody else has built anything"
    );
    let every: Vec<u16> = held.iter().copied().collect();
    let built = [node("a", &every), node("b", &every), node("c", &every)];
    let kept = ownership.wanted(Instant::now(), samples::model().key(), &built, &held);
    assert_eq!(kept, wanted("a", &built));
    assert!(kept.len() < usize::from(SHARDS));
}

#[tokio::test]
async fn a_node_that_leaves_owns_nothing_and_keeps_what_others_have_not_built() {
    let mut leaving = node("a", &[]);
    leaving.state.draining = true;
    let others = [leaving.clone(), node("b", &[]), node("c", &[])];
    let held: BTreeSet<u16> = (0..SHARDS).collect();
    assert_eq!(of("a").wanted(Instant::now(), samples::model().key(), &others, &held), held);
    let every: Vec<u16> = held.iter().copied().collect();
    let built = [leaving, node("b", &every), node("c", &every)];
    assert_eq!(of("a").wanted(Instant::now(), samples::model().key(), &built, &held), BTreeSet::new());
}

#[tokio::test]
async fn the_last_node_that_leaves_keeps_what_it_holds() {
    let mut leaving = node("a", &[]);
    leaving.state.draining = true;
    let held: BTreeSet<u16> = (0..SHARDS).collect();
    assert_eq!(of("a").wanted(Instant::now(), samples::model().key(), &[leaving], &held), held);
}

#[test]
fn a_nodes_state_survives_its_way_and_foreign_bytes_are_passed_over() {
    let state = node("a", &[1, 2]).state;
    assert_eq!(NodeState::decode(&state.encode()), Some(state));
    assert_eq!(NodeState::decode(b""), None);
    assert_eq!(NodeState::decode(b"\x07nonsense"), None);
}
