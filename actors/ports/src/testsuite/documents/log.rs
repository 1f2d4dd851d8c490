//! The change log: each change once, in an order that a reader can follow.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::join_all;
use tandem_domain::document::Version;

use super::{RACERS, alice, bob};
use crate::documents::{Bucket, BucketRange, Change, ChangeAction, DocumentStore, LogPage, LogPosition};
use crate::error::Write;
use crate::testsuite::samples;

const EVERYTHING: BucketRange = BucketRange { from: 0, to: Bucket::COUNT };

pub(super) async fn run(make: &dyn Fn() -> Arc<dyn DocumentStore>) {
    each_change_is_logged_once(&*make()).await;
    every_field_makes_another_change(&*make()).await;
    of_many_that_log_one_change_one_wins(&*make()).await;
    shards_read_their_own_buckets_in_order(&*make()).await;
    a_reader_that_follows_misses_nothing(&*make()).await;
}

fn upsert(number: u64) -> Change {
    Change {
        owner: alice(),
        document: samples::document_id(number),
        version: Version::FIRST,
        action: ChangeAction::Upsert,
    }
}

async fn each_change_is_logged_once(store: &dyn DocumentStore) {
    assert_eq!(store.changes(EVERYTHING, LogPosition::START, 10).await.unwrap(), LogPage::default());
    assert_eq!(store.log_head().await.unwrap(), LogPosition::START);
    assert_eq!(store.log_change(&upsert(1)).await.unwrap(), Write::Applied);
    assert_eq!(store.log_change(&upsert(1)).await.unwrap(), Write::Conflict(()));
    let LogPage { changes: read, seen } = store.changes(EVERYTHING, LogPosition::START, 10).await.unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].1, upsert(1));
    assert!(read[0].0 > LogPosition::START, "the first change lies above the start");
    assert!(seen >= read[0].0 && store.log_head().await.unwrap() >= read[0].0);
    let behind = store.changes(EVERYTHING, seen, 10).await.unwrap();
    assert_eq!((behind.changes, behind.seen >= seen), (Vec::new(), true));
}

async fn every_field_makes_another_change(store: &dyn DocumentStore) {
    let changes = [
        upsert(1),
        Change { owner: bob(), ..upsert(1) },
        Change { version: Version(2), ..upsert(1) },
        Change { action: ChangeAction::Remove, ..upsert(1) },
        upsert(2),
    ];
    for change in &changes {
        assert_eq!(store.log_change(change).await.unwrap(), Write::Applied);
    }
    for change in &changes {
        assert_eq!(store.log_change(change).await.unwrap(), Write::Conflict(()));
    }
    let read = store.changes(EVERYTHING, LogPosition::START, 10).await.unwrap().changes;
    let logged: Vec<_> = read.into_iter().map(|(_, change)| change).collect();
    assert_eq!(logged, changes, "in the order in which they were logged");
}

async fn of_many_that_log_one_change_one_wins(store: &dyn DocumentStore) {
    let change = upsert(1);
    let ends = join_all((0..RACERS).map(|_| store.log_change(&change))).await;
    assert_eq!(ends.iter().filter(|end| **end == Ok(Write::Applied)).count(), 1);
    assert!(ends.iter().all(|end| end.as_ref().is_ok_and(Write::is_there)));
    assert_eq!(store.changes(EVERYTHING, LogPosition::START, 10).await.unwrap().changes.len(), 1);
}

async fn shards_read_their_own_buckets_in_order(store: &dyn DocumentStore) {
    for number in 0..200 {
        assert_eq!(store.log_change(&upsert(number)).await.unwrap(), Write::Applied);
    }
    let all = store.changes(EVERYTHING, LogPosition::START, 1_000).await.unwrap().changes;
    let head = store.log_head().await.unwrap();
    assert_eq!(all.len(), 200);
    assert!(all.is_sorted_by(|a, b| a.0 < b.0), "positions grow");
    for shards in [1, 3, 16] {
        let mut seen = 0;
        for shard in 0..shards {
            let buckets = BucketRange::of_shard(shard, shards);
            let expected: Vec<_> = all
                .iter()
                .filter(|(_, change)| buckets.contains(Bucket::of(change.document)))
                .cloned()
                .collect();
            seen += expected.len();
            let (mut read, mut after) = (Vec::new(), LogPosition::START);
            loop {
                let page = store.changes(buckets, after, 7).await.unwrap();
                let last = page.changes.last().map_or(after, |last| last.0);
                assert!(page.changes.len() <= 7 && page.seen >= last);
                after = page.seen;
                if page.changes.is_empty() {
                    break;
                }
                read.extend(page.changes);
            }
            assert!(after >= head, "a reader comes to the head past the changes of others");
            assert_eq!(read, expected, "shard {shard} of {shards}");
        }
        assert_eq!(seen, all.len(), "every change belongs to one shard");
    }
    let none = BucketRange { from: 5, to: 5 };
    assert_eq!(store.changes(none, LogPosition::START, 10).await.unwrap().changes, []);
}

async fn a_reader_that_follows_misses_nothing(store: &dyn DocumentStore) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 40;
    let finished = AtomicU64::new(0);
    let writers = join_all((0..WRITERS).map(|writer| {
        let finished = &finished;
        async move {
            for number in 0..EACH {
                let change = upsert(writer * EACH + number);
                assert_eq!(store.log_change(&change).await.unwrap(), Write::Applied);
                tokio::task::yield_now().await;
            }
            finished.fetch_add(1, Ordering::AcqRel);
        }
    }));
    let reader = async {
        let (mut seen, mut after) = (Vec::new(), LogPosition::START);
        loop {
            let over = finished.load(Ordering::Acquire) == WRITERS;
            let page = store.changes(EVERYTHING, after, 11).await.unwrap();
            assert!(page.seen >= after, "it never goes back");
            after = page.seen;
            if page.changes.is_empty() && over {
                break (seen, after);
            }
            seen.extend(page.changes);
            tokio::task::yield_now().await;
        }
    };
    let ((), (seen, after)) = futures::join!(async { drop(writers.await) }, reader);
    assert!(after >= store.log_head().await.unwrap());
    assert_eq!(seen.len() as u64, WRITERS * EACH, "nothing missed, nothing twice");
    let documents: BTreeSet<_> = seen.iter().map(|(_, change)| change.document).collect();
    assert_eq!(documents.len(), seen.len());
    assert_eq!(seen, store.changes(EVERYTHING, LogPosition::START, 1_000).await.unwrap().changes);
}
