//! Answers and requests that get lost between the store and a real server, and answers in other shapes.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use scylla_proxy::{
    Condition, Node, Proxy, Reaction, RequestOpcode, RequestReaction, RequestRule, ResponseFrame,
    ResponseOpcode, ResponseReaction, ResponseRule, RunningProxy, ShardAwareness,
};
use tandem_domain::document::Version;
use tandem_domain::ids::OwnerId;
use tandem_ports::documents::{Bucket, BucketRange, Change, ChangeAction, LogPosition};
use tandem_ports::testsuite::samples;
use tandem_ports::{DocumentStore, Write};

use crate::cells::{At, Cell, Next, Written};
use crate::store::{Conditional, ScyllaStore};
use crate::testing::Place;
use crate::{metrics, migrate};

const EVERYTHING: BucketRange = BucketRange { from: 0, to: Bucket::COUNT };
/// The limit of a conditional write here: how long a lost answer is waited for.
const PATIENCE: Duration = Duration::from_millis(1_000);

/// A store that reaches the server through a proxy.
struct Faulty {
    place: Place,
    proxy: RunningProxy,
    store: ScyllaStore,
    owner: OwnerId,
}

impl Faulty {
    async fn new(keyspace: &str) -> Option<Self> {
        let place = Place::new(keyspace).await?;
        migrate(&place.options).await.unwrap();
        let real: SocketAddr = place.options.nodes[0].parse().unwrap();
        // A port that was free a moment ago. The address stays the server's own: the driver goes by what the server says.
        let free = TcpListener::bind((real.ip(), 0)).unwrap().local_addr().unwrap();
        let node = Node::builder()
            .real_address(real)
            .proxy_address(free)
            .shard_awareness(ShardAwareness::Unaware)
            .build();
        let proxy = Proxy::new([node]).run().await.unwrap();
        let mut options = place.options.clone();
        options.nodes = vec![free.to_string()];
        options.conditional_timeout = PATIENCE;
        let store = ScyllaStore::connect(options).await.unwrap();
        Some(Self { place, proxy, store, owner: OwnerId::try_from("alice".to_owned()).unwrap() })
    }

    fn at<'a>(&'a self, key: &'a [u8]) -> At<'a> {
        At { table: &self.store.statements().documents, owner: &self.owner, key }
    }

    /// What becomes of the next answers to conditional writes.
    fn answers(&mut self, count: usize, reaction: ResponseReaction) {
        let conditional = Condition::ResponseOpcode(ResponseOpcode::Result)
            .and(Condition::BodyContainsCaseSensitive(Box::from(&b"[applied]"[..])))
            .and(Condition::TrueForLimitedTimes(count));
        let rules = vec![ResponseRule(conditional, reaction)];
        self.proxy.running_nodes[0].change_response_rules(Some(rules));
    }

    /// What becomes of the next request that carries these bytes.
    fn request(&mut self, bytes: &[u8], reaction: RequestReaction) {
        let carries = Condition::BodyContainsCaseSensitive(Box::from(bytes));
        let rules = vec![RequestRule(carries.and(Condition::TrueForLimitedTimes(1)), reaction)];
        self.proxy.running_nodes[0].change_request_rules(Some(rules));
    }

    async fn end(self) {
        drop(self.store);
        self.place.drop_keyspace().await;
        // Connections that were dropped on purpose end as errors.
        drop(self.proxy.finish().await);
    }
}

fn cell(op: &[u8], rev: i64, body: &[u8]) -> Cell {
    Cell { born: op.to_vec(), op: op.to_vec(), rev, body: body.to_vec() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_resolved_by_reading_back() {
    let Some(mut faulty) = Faulty::new("lost_answers").await else { return };
    let before = metrics::found("done");
    let (op, other) = (faulty.store.operation(), faulty.store.operation());
    faulty.answers(1, ResponseReaction::drop_frame());
    let next = Next { op: &op, rev: 1, body: b"one" };
    assert_eq!(faulty.store.insert_cell(faulty.at(b"k"), next).await.unwrap(), Written::Done);
    assert_eq!(faulty.store.cell(faulty.at(b"k")).await.unwrap(), Some(cell(&op, 1, b"one")));

    faulty.answers(1, ResponseReaction::drop_frame());
    let refused = Next { op: &other, rev: 1, body: b"two" };
    let end = faulty.store.insert_cell(faulty.at(b"k"), refused).await.unwrap();
    assert_eq!(end, Written::Other(Some(cell(&op, 1, b"one"))), "a refusal whose answer was lost");

    faulty.answers(1, ResponseReaction::drop_frame());
    let next = Next { op: &other, rev: 2, body: b"two" };
    assert_eq!(faulty.store.replace_cell(faulty.at(b"k"), 1, next).await.unwrap(), Written::Done);
    let replaced = Cell { born: op, ..cell(&other, 2, b"two") };
    assert_eq!(faulty.store.cell(faulty.at(b"k")).await.unwrap(), Some(replaced), "applied once");
    assert!(metrics::found("done") >= before + 2);
    faulty.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_request_is_sent_again_under_the_same_operation() {
    let Some(mut faulty) = Faulty::new("lost_requests").await else { return };
    let op = faulty.store.operation();
    faulty.request(&op, RequestReaction::drop_frame());
    let next = Next { op: &op, rev: 1, body: b"one" };
    assert_eq!(faulty.store.insert_cell(faulty.at(b"k"), next).await.unwrap(), Written::Done);
    assert_eq!(faulty.store.cell(faulty.at(b"k")).await.unwrap(), Some(cell(&op, 1, b"one")));
    faulty.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_leaves_one_effect() {
    let Some(mut faulty) = Faulty::new("broken").await else { return };
    let op = faulty.store.operation();
    faulty.answers(1, ResponseReaction::drop_connection());
    let next = Next { op: &op, rev: 1, body: b"one" };
    let end = faulty.store.insert_cell(faulty.at(b"k"), next).await.unwrap();
    assert!(matches!(end, Written::Done | Written::Unknown), "{end:?}");
    let read_back = async {
        loop {
            match faulty.store.cell_serial(faulty.at(b"k")).await {
                Ok(found) => break found,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(30), read_back).await.expect("it connects again");
    assert_eq!(found, Some(cell(&op, 1, b"one")), "the server had applied it");
    faulty.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_answers_are_lost_is_logged_once() {
    let Some(mut faulty) = Faulty::new("lost_log").await else { return };
    // The answers to making the cell, appending, and noting the place.
    faulty.answers(3, ResponseReaction::drop_frame());
    let change = Change {
        owner: faulty.owner.clone(),
        document: samples::document_id(1),
        version: Version::FIRST,
        action: ChangeAction::Upsert,
    };
    assert_eq!(faulty.store.log_change(&change).await.unwrap(), Write::Applied);
    assert_eq!(faulty.store.log_change(&change).await.unwrap(), Write::Conflict(()));
    let page = faulty.store.changes(EVERYTHING, LogPosition::START, 10).await.unwrap();
    assert_eq!(page.changes, [(LogPosition(1), change)]);
    faulty.end().await;
}

/// A RESULT of one row: `[applied]`, then columns of a cell.
fn result(applied: bool, row: &[(&str, u16, Option<&[u8]>)]) -> Vec<u8> {
    let verdict = [u8::from(applied)];
    let mut columns = vec![("[applied]", 4, Some(&verdict[..]))];
    columns.extend_from_slice(row);
    let mut body = Vec::new();
    let string = |body: &mut Vec<u8>, text: &str| {
        body.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        body.extend(text.as_bytes());
    };
    // Rows; one table for all columns.
    for number in [2, 1, i32::try_from(columns.len()).unwrap()] {
        body.extend(number.to_be_bytes());
    }
    string(&mut body, "keyspace");
    string(&mut body, "documents");
    for (name, kind, _) in &columns {
        string(&mut body, name);
        body.extend(kind.to_be_bytes());
    }
    body.extend(1i32.to_be_bytes());
    for (_, _, value) in columns {
        body.extend(value.map_or(-1, |value| i32::try_from(value.len()).unwrap()).to_be_bytes());
        body.extend(value.unwrap_or_default());
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn conditional_answers_are_read_in_both_shapes() {
    const TEXT: u16 = 13;
    const BLOB: u16 = 3;
    const BIGINT: u16 = 2;
    let Some(mut faulty) = Faulty::new("shapes").await else { return };
    let revision = 7i64.to_be_bytes();
    let nothing = [("owner", TEXT, None), ("key", BLOB, None), ("rev", BIGINT, None)];
    let row = [
        ("owner", TEXT, Some(&b"alice"[..])),
        ("key", BLOB, Some(&b"k"[..])),
        ("rev", BIGINT, Some(&revision[..])),
    ];
    let shapes = HashMap::from([
        ("Cassandra, applied", (result(true, &[]), Conditional::Applied)),
        ("Cassandra, refused", (result(false, &row), Conditional::Refused)),
        ("ScyllaDB, applied where nothing was", (result(true, &nothing), Conditional::Applied)),
        ("ScyllaDB, applied to a row", (result(true, &row), Conditional::Applied)),
        ("ScyllaDB, refused", (result(false, &row), Conditional::Refused)),
        ("ScyllaDB, refused where nothing was", (result(false, &nothing), Conditional::Refused)),
    ]);
    for (shape, (body, expected)) in shapes {
        let forge =
            move |frame: ResponseFrame| ResponseFrame::new(frame.params, frame.opcode, body.clone().into());
        faulty.answers(1, ResponseReaction::transform_frame(Arc::new(forge)));
        let op = faulty.store.operation();
        let insert = &faulty.store.statements().documents.insert;
        let values = (faulty.owner.as_str(), &op[..], &op[..], &op[..], 1i64, &b"one"[..]);
        assert_eq!(faulty.store.conditional(insert, values).await.unwrap(), expected, "{shape}");
    }
    faulty.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_of_one_node_read_the_log_once() {
    const SHARDS: u16 = 16;
    let Some(mut faulty) = Faulty::new("shards").await else { return };
    let changes: Vec<Change> = (0..200)
        .map(|number| Change {
            owner: faulty.owner.clone(),
            document: samples::document_id(number),
            version: Version::FIRST,
            action: ChangeAction::Upsert,
        })
        .collect();
    let logged = join_all(changes.iter().map(|change| faulty.store.log_change(change))).await;
    assert!(logged.iter().all(|end| *end == Ok(Write::Applied)));
    #[expect(clippy::disallowed_methods, reason = "the proxy takes no other channel")]
    let (feedback, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let count = RequestReaction::noop().with_feedback_when_performed(feedback);
    // Reads of cells carry an owner, those of the log none.
    let log = Condition::RequestOpcode(RequestOpcode::Execute)
        .and(Condition::not(Condition::BodyContainsCaseSensitive(Box::from(&b"alice"[..]))));
    faulty.proxy.running_nodes[0].change_request_rules(Some(vec![RequestRule(log, count)]));
    let mut counts = Vec::new();
    for forgetful in [true, false] {
        faulty.store.recent_log().clear();
        let mut found = 0;
        for shard in 0..SHARDS {
            if forgetful {
                faulty.store.recent_log().clear();
            }
            let buckets = BucketRange::of_shard(shard, SHARDS);
            found += faulty.store.changes(buckets, LogPosition::START, 1_000).await.unwrap().changes.len();
        }
        assert_eq!(found, 200);
        counts.push(std::iter::from_fn(|| requests.try_recv().ok()).count());
    }
    eprintln!("reads of the log by {SHARDS} shards: {} alone, {} together", counts[0], counts[1]);
    assert!(counts[1] < counts[0], "{counts:?}");
    let head = faulty.store.log_head().await.unwrap();
    let reads = std::iter::from_fn(|| requests.try_recv().ok()).count();
    assert!((1..=2).contains(&reads), "the head took {reads} reads");
    for shard in 0..SHARDS {
        let page = faulty.store.changes(BucketRange::of_shard(shard, SHARDS), head, 1_000).await.unwrap();
        assert_eq!((page.changes, page.seen), (Vec::new(), head));
    }
    let idle = std::iter::from_fn(|| requests.try_recv().ok()).count();
    assert_eq!(idle, usize::from(SHARDS), "a look that finds nothing is one read");
    faulty.end().await;
}
