//! What nodes do while all is well.

use std::time::Duration;

use crate::cluster::{Cluster, Node, PATIENCE, until, until_they_see};
use crate::node::MOST;
use crate::sockets::connections_to;

#[test]
fn three_nodes_find_each_other_from_one_seed_and_talk() {
    let cluster = Cluster::new(&["a", "b", "c"]);
    let nodes = cluster.three();
    for node in &nodes {
        for peer in ["a", "b", "c"].into_iter().filter(|peer| *peer != node.settings.name) {
            for size in [0, 1, 200 * 1024, MOST] {
                assert_eq!(node.echo(peer, size), format!("ok {size}"), "{} to {peer}", node.settings.name);
            }
            assert_eq!(node.tell(&format!("ask {peer} f 1 5000")), format!("from {}", node.settings.name));
        }
        assert_eq!(node.echo(&node.settings.name, 1), "NoSuchPeer");
        assert_eq!(node.echo("nobody", 1), "NoSuchPeer");
    }
    a_trace_goes_along(&nodes);
    too_large_is_refused_and_nothing_else_suffers(&nodes);
    the_service_may_die_or_take_too_long(&nodes);
    what_is_too_much_is_refused(&nodes);
    states_are_seen_at_once(&nodes);
    who_leaves_is_gone_at_once(&nodes);
}

fn a_trace_goes_along([a, ..]: &[Node; 3]) {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    assert_eq!(a.tell(&format!("trace b 00-{trace}-b7ad6b7169203331-01")), trace);
    assert_eq!(a.tell("trace b none"), "");
}

fn too_large_is_refused_and_nothing_else_suffers([a, b, _]: &[Node; 3]) {
    let before = (a.members(), b.members());
    assert_eq!(a.echo("b", MOST + 1), "TooLarge");
    assert_eq!(a.tell("ask b b 1 5000"), "TooLarge", "an answer has the same bound");
    assert_eq!(a.echo("b", 1), "ok 1");
    assert_eq!((a.members(), b.members()), before, "the session lives");
}

fn the_service_may_die_or_take_too_long([a, ..]: &[Node; 3]) {
    assert_eq!(a.tell("ask b p 1 5000"), "Gone", "a panic is answered before the deadline");
    assert_eq!(a.tell("ask b s 1 300"), "Timeout");
    assert_eq!(a.echo("b", 1), "ok 1");
}

/// The nodes of these tests serve eight requests at a time; the one that timed out just now may still be among them.
fn what_is_too_much_is_refused([a, ..]: &[Node; 3]) {
    let slow: Vec<String> = (0..12).map(|_| a.begin("ask b s 1 2000")).collect();
    assert_eq!(a.echo("c", 1), "ok 1", "another peer is not concerned");
    let ends: Vec<_> = slow.iter().map(|number| a.answer_to(number, PATIENCE).unwrap()).collect();
    let busy = ends.iter().filter(|end| *end == "Busy").count();
    assert!(ends.iter().all(|end| end == "Busy" || end == "Timeout") && (4..=5).contains(&busy), "{ends:?}");
    until("there is room again", PATIENCE, || a.echo("b", 1) == "ok 1");
    // 32 requests of 256 KiB with their heads are more than 8 MiB: not all can be on their way.
    let large: Vec<String> = (0..40).map(|_| a.begin(&format!("ask b e {MOST} 5000"))).collect();
    let ends: Vec<_> = large.iter().map(|number| a.answer_to(number, PATIENCE).unwrap()).collect();
    assert!(ends.iter().all(|end| end == "Busy" || *end == format!("ok {MOST}")), "{ends:?}");
}

fn states_are_seen_at_once([a, b, c]: &[Node; 3]) {
    assert_eq!(b.tell("announce hello"), "Ok(())");
    for node in [a, b, c] {
        until("the state is seen", PATIENCE, || node.member("b").unwrap().state == "hello");
    }
}

fn who_leaves_is_gone_at_once([a, b, c]: &[Node; 3]) {
    // The supervisor's watchdog is all that is left.
    assert_eq!(c.tell("leave"), "1");
    assert_eq!((a.sees(), b.sees()), (vec!["a".into(), "b".into()], vec!["a".into(), "b".into()]));
    let sessions = || [a, b, c].iter().map(|node| connections_to(node.settings.port)).sum::<usize>();
    until("its sessions are closed", PATIENCE, || sessions() == 1);
    assert_eq!(c.sees(), ["c"]);
    assert_eq!(a.echo("c", 1), "NoSuchPeer");
    assert_eq!(a.echo("b", 1), "ok 1");
}

#[test]
fn inv_2_every_actor_of_the_mesh_may_be_killed() {
    let cluster = Cluster::new(&["a", "b"]);
    let a = cluster.start("a", None);
    let b = cluster.start("b", Some(&a));
    until_they_see([&a, &b], &["a", "b"], PATIENCE);
    let gateway = format!("gw/a/{}", a.member("a").unwrap().boot);
    for actor in ["mesh/peers", "mesh/listener", "mesh/dialer", &gateway] {
        assert_eq!(a.tell(&format!("kill {actor}")), "true", "{actor}");
        let well = || b.echo("a", 1) == "ok 1" && a.echo("b", 1) == "ok 1";
        until(&format!("they talk again after {actor}"), Duration::from_secs(10), well);
    }
}
