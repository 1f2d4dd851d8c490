use uuid::Uuid;

use super::*;

const TICK: Duration = Duration::from_millis(500);
const SILENCE: Duration = Duration::from_millis(1_500);

fn roster(peers: usize, now: Instant) -> Roster<&'static str> {
    let limits = RosterLimits { peers, tick: TICK, silence: SILENCE };
    Roster::new(NodeName::new("own").unwrap(), limits, now)
}

fn id(node: &str, boot: u128) -> Identity {
    Identity { node: NodeName::new(node).unwrap(), boot: Uuid::from_u128(boot) }
}

const fn link(session: u64) -> LinkId {
    LinkId { session, gateway: 1 }
}

fn card(state: &'static str) -> Card {
    Card { advertise: "host:1".to_owned(), state: Bytes::from_static(state.as_bytes()) }
}

fn shown(roster: &Roster<&'static str>) -> Vec<(String, u128, &'static str)> {
    let members = roster.members();
    members.map(|(member, link)| (member.node.to_string(), member.boot.as_u128(), *link)).collect()
}

#[test]
fn a_peer_is_a_member_from_its_first_heartbeat_until_its_last_link() {
    let now = Instant::now();
    let mut roster = roster(4, now);
    assert!(roster.heard(&id("a", 1), card(""), now).is_empty(), "nobody is heard without a link");
    assert!(roster.linked(&id("a", 1), link(1), "one", now));
    assert_eq!((shown(&roster), roster.links().count()), (vec![], 1), "it is told of this node already");
    assert!(roster.heard(&id("a", 1), card(""), now).is_empty());
    assert!(roster.linked(&id("a", 1), link(2), "two", now));
    assert_eq!(shown(&roster), [("a".to_owned(), 1, "two")], "the newer link is used");
    roster.unlinked(link(2));
    assert_eq!(shown(&roster), [("a".to_owned(), 1, "one")]);
    assert!(roster.has_session(1) && !roster.has_session(2));
    roster.unlinked(link(1));
    roster.unlinked(link(1));
    assert_eq!((shown(&roster), roster.links().count()), (vec![], 0));
}

#[test]
fn since_stays_and_the_state_changes() {
    let now = Instant::now();
    let mut roster = roster(4, now);
    roster.linked(&id("a", 1), link(1), "one", now);
    roster.heard(&id("a", 1), card("x"), now);
    roster.heard(&id("a", 1), card("y"), now + TICK);
    let (member, _) = roster.members().next().unwrap();
    assert_eq!((member.since, &member.state[..]), (now, &b"y"[..]));
}

#[test]
fn who_misses_three_heartbeats_is_cut() {
    let mut now = Instant::now();
    let mut roster = roster(4, now);
    for (number, name) in [(1, "loud"), (2, "silent")] {
        roster.linked(&id(name, 1), link(number), name, now);
        roster.heard(&id(name, 1), card(""), now);
    }
    roster.linked(&id("mute", 1), link(3), "mute", now);
    for _ in 0..3 {
        now += TICK;
        assert!(roster.tick(now).is_empty());
        roster.heard(&id("loud", 1), card(""), now);
    }
    now += TICK;
    let mut cut = roster.tick(now);
    cut.sort_unstable();
    assert_eq!(cut, ["mute", "silent"], "also who never said a word");
    assert_eq!(shown(&roster), [("loud".to_owned(), 1, "loud")]);
}

#[test]
fn what_a_sleeper_did_not_hear_does_not_count() {
    let now = Instant::now();
    let mut roster = roster(4, now);
    roster.linked(&id("a", 1), link(1), "a", now);
    roster.heard(&id("a", 1), card(""), now);
    let woken = now + Duration::from_secs(60);
    assert!(roster.tick(woken).is_empty(), "it was this node that stood still");
    assert!(roster.tick(woken + TICK).is_empty());
    assert!(roster.tick(woken + TICK * 2).is_empty());
    assert_eq!(roster.tick(woken + TICK * 3), ["a"], "but now it is the peer");
}

#[test]
fn of_two_processes_of_a_node_the_younger_stays() {
    let now = Instant::now();
    for order in [[1, 2], [2, 1]] {
        let mut roster = roster(4, now);
        let mut cut = Vec::new();
        for boot in order {
            let name = if boot == 1 { "old" } else { "young" };
            assert!(roster.linked(&id("a", boot), link(boot as u64), name, now));
            cut.extend(roster.heard(&id("a", boot), card(""), now));
        }
        assert_eq!((cut, shown(&roster)), (vec!["old"], vec![("a".to_owned(), 2, "young")]));
    }
}

#[test]
fn who_leaves_is_gone_and_stays_so() {
    let now = Instant::now();
    let mut roster = roster(4, now);
    roster.linked(&id("a", 1), link(1), "a", now);
    roster.heard(&id("a", 1), card(""), now);
    roster.left(&id("a", 1));
    assert!(roster.heard(&id("a", 1), card(""), now).is_empty(), "a late heartbeat means nothing");
    assert_eq!((shown(&roster), roster.links().count()), (vec![], 0));
    roster.left(&id("nobody", 1));
}

#[test]
fn there_is_a_bound_and_nobody_has_the_own_name() {
    let now = Instant::now();
    let mut roster = roster(1, now);
    assert!(!roster.linked(&id("own", 7), link(9), "own", now));
    assert!(roster.linked(&id("a", 1), link(1), "a", now));
    assert!(!roster.linked(&id("b", 1), link(2), "b", now));
    assert!(roster.linked(&id("a", 1), link(3), "a", now), "a second link is no second peer");
}
