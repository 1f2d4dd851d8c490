use std::collections::HashMap;

use super::options::is_address;
use super::shared::Refusal;
use super::*;
use crate::certs;
use crate::test_kit::node;

struct Echo;

#[async_trait]
impl PeerService for Echo {
    async fn answer(&self, _from: NodeName, request: Bytes, _deadline: Duration) -> Bytes {
        request
    }
}

fn options(folder: &std::path::Path) -> MeshOptions {
    certs::make_ca(folder).unwrap();
    let name = NodeName::new("a").unwrap();
    MeshOptions {
        tls: certs::make_node_cert(folder, &name, &["127.0.0.1".to_owned()]).unwrap(),
        node: name,
        boot: Uuid::now_v7(),
        listen: ([127, 0, 0, 1], 0).into(),
        advertise: "127.0.0.1:1".to_owned(),
        seeds: vec!["127.0.0.1:1".to_owned()],
        cookie: Cookie::read(&certs::make_cookie(folder).unwrap()).unwrap(),
        limits: MeshLimits::default(),
    }
}

#[test]
fn addresses_have_a_host_and_a_port() {
    for good in ["a:1", "a.example:65535", "127.0.0.1:7", "[::1]:7"] {
        assert!(is_address(good), "{good}");
    }
    for bad in [
        "",
        "a",
        "a:",
        ":1",
        "a:0",
        "a:65536",
        "a b:1",
        "a/b:1",
        "http://a:1",
        &format!("{}:1", "x".repeat(300)),
    ] {
        assert!(!is_address(bad), "{bad}");
    }
}

#[test]
fn a_cookie_is_long_and_not_shown() {
    assert_eq!(Cookie::new("x".repeat(MIN_COOKIE - 1)), Err(MeshError::BadCookie));
    let cookie = Cookie::new("secret".repeat(8)).unwrap();
    assert!(!format!("{cookie:?}").contains("secret"));
    assert!(matches!(Cookie::read("/nowhere".as_ref()), Err(MeshError::File { .. })));
}

#[test]
fn gateways_have_names_that_say_whose_they_are() {
    let own = Identity { node: NodeName::new("n-1").unwrap(), boot: Uuid::from_u128(5) };
    let name = gateway::name(&own);
    assert_eq!(name, "gw/n-1/00000000-0000-0000-0000-000000000005");
    assert_eq!(gateway::whose(&format!("supervisor/{name}")), Some(own));
    for other in ["", "gw", "gw/n-1", "gw/n-1/5", "ab/n-1/00000000-0000-0000-0000-000000000005"] {
        assert_eq!(gateway::whose(other), None, "{other}");
    }
}

#[tokio::test]
async fn a_node_alone_sees_itself_and_bad_options_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = options(folder.path());
    let supervisor = node().await;
    let start = async |options| Mesh::start(&supervisor, options, Arc::new(Echo)).await.map(|_| ());

    let bad = MeshOptions { advertise: "nowhere".to_owned(), ..good.clone() };
    assert_eq!(start(bad).await, Err(MeshError::BadAddress("nowhere".to_owned())));
    let bad = MeshOptions { seeds: vec!["a:1".to_owned(); MAX_SEEDS + 1], ..good.clone() };
    assert_eq!(start(bad).await, Err(MeshError::TooManySeeds));
    for change in [
        (|limits| limits.heartbeat = Duration::ZERO) as fn(&mut MeshLimits),
        |limits| limits.misses = 0,
        |limits| limits.serving = 0,
        |limits| limits.bytes = limits.body,
        |limits| limits.connections = usize::MAX,
    ] {
        let mut bad = good.clone();
        change(&mut bad.limits);
        assert_eq!(start(bad).await, Err(MeshError::BadLimits));
    }
    let mut bad = good.clone();
    bad.tls.key = folder.path().join("nothing");
    assert!(matches!(start(bad).await, Err(MeshError::File { .. })));
    let mut bad = good.clone();
    bad.tls.key = folder.path().join(certs::CA_KEY);
    assert!(matches!(start(bad).await, Err(MeshError::Tls(_))), "the key of another certificate");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bad = MeshOptions { listen: taken.local_addr().unwrap(), ..good.clone() };
    assert!(matches!(start(bad).await, Err(MeshError::Listen { .. })));

    let mesh = Mesh::start(&supervisor, good.clone(), Arc::new(Echo)).await.unwrap();
    assert_eq!(mesh.announce(vec![0; good.limits.state + 1].into()), Err(MeshError::TooLarge));
    mesh.announce(Bytes::from_static(b"up")).unwrap();
    let mut members = mesh.members();
    let seen = members.wait_for(|members| members[0].state == b"up"[..]);
    let seen = tokio::time::timeout(Duration::from_secs(5), seen).await.unwrap().unwrap().clone();
    assert_eq!((seen.len(), &seen[0].node, seen[0].boot), (1, &good.node, good.boot));
    assert!(matches!(start(good).await, Err(MeshError::Start(_))), "one mesh per process");
    mesh.leave().await;
    assert_eq!(supervisor.actors().len(), 1, "only the watchdog is left");
}

#[tokio::test]
async fn who_may_join() {
    let own = Identity { node: NodeName::new("own").unwrap(), boot: Uuid::from_u128(5) };
    let spawner = crate::Spawner::default();
    let shared = Shared::new(own.clone(), "own:1".to_owned(), MeshLimits::default(), spawner);
    let peer = |boot| Identity { node: NodeName::new("peer").unwrap(), boot: Uuid::from_u128(boot) };
    let member = Member {
        node: peer(5).node,
        boot: peer(5).boot,
        advertise: "peer:1".to_owned(),
        state: Bytes::new(),
        since: Instant::now(),
    };
    assert_eq!(shared.admit(&peer(5)), Ok(()));
    shared.publish(vec![member], HashMap::new());
    assert_eq!(shared.admit(&peer(5)), Err(Refusal::Member));
    assert_eq!(shared.admit(&peer(4)), Err(Refusal::Older));
    assert_eq!(shared.admit(&peer(6)), Ok(()), "it was restarted");
    assert_eq!(shared.admit(&own), Err(Refusal::Myself));
    assert_eq!(shared.admit(&Identity { boot: Uuid::from_u128(9), ..own }), Err(Refusal::Older));
    shared.leave();
    assert_eq!(shared.admit(&peer(6)), Err(Refusal::Leaving));
}

#[tokio::test(start_paused = true)]
async fn addresses_are_remembered_for_a_while() {
    let own = Identity { node: NodeName::new("own").unwrap(), boot: Uuid::from_u128(5) };
    let shared =
        Shared::new(own.clone(), "own:1".to_owned(), MeshLimits::default(), crate::Spawner::default());
    let (a, b) = (NodeName::new("a").unwrap(), NodeName::new("b").unwrap());
    let now = Instant::now();
    shared.learn(&own.node, "other:1", now);
    shared.learn(&a, "own:1", now);
    shared.learn(&a, "a:1", now);
    shared.learn(&b, "b:1", now);
    shared.unlearn(&b);
    assert_eq!(shared.learned(), [("a:1".to_owned(), a.clone())]);
    for number in 0..1_000 {
        shared.learn(&b, &format!("b{number}:1"), now);
    }
    assert_eq!(shared.learned().len(), 256);
    shared.learn(&a, "late:1", now + Duration::from_secs(3_600));
    assert_eq!(shared.learned(), [("late:1".to_owned(), a)]);
}
