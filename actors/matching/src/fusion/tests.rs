//! The pool is the same whoever answers first.

use proptest::collection::hash_set;
use proptest::prelude::*;
use tandem_domain::ids::ContentDigest;

use super::*;

fn document(n: u32) -> DocumentId {
    DocumentId::from_uuid(tandem_domain::ids::derived("fusion-test", &[&n.to_be_bytes()]))
}

fn hit(n: u32, score: i64) -> Hit {
    Hit { score, digest: ContentDigest::of(&n.to_be_bytes()), document: document(n) }
}

/// Hits `numbers` with falling scores.
fn ranked(numbers: &[u32]) -> Vec<Hit> {
    numbers.iter().zip(0i64..).map(|(&n, place)| hit(n, 1_000 - place)).collect()
}

#[test]
fn what_both_arms_find_comes_first() {
    let fused = fuse(&ranked(&[1, 2, 3]), &ranked(&[4, 3, 5]), MIN_POOL);
    assert_eq!(fused[0], document(3));
    assert_eq!(fused.len(), 5);
    assert_eq!(fused[4], document(5), "the third of one arm alone is last");
}

#[test]
fn equal_worth_goes_by_digest() {
    let fused = fuse(&ranked(&[1, 2]), &ranked(&[2, 1]), MIN_POOL);
    let mut expected = [hit(1, 0), hit(2, 0)];
    expected.sort_unstable_by(Hit::order);
    assert_eq!(fused, expected.map(|h| h.document));
}

#[test]
fn the_pool_is_bounded_but_never_shallow() {
    let many = ranked(&(0..1_000).collect::<Vec<_>>());
    assert_eq!(fuse(&many, &[], 10).len(), MIN_POOL);
    assert_eq!(fuse(&many, &[], 400).len(), 400);
    assert!(fuse(&[], &[], 400).is_empty());
}

#[test]
fn a_document_that_two_owners_report_counts_once_at_its_better_place() {
    let merged = merge([vec![hit(1, 5), hit(2, 3)], vec![hit(1, 4), hit(3, 4)]], 10);
    assert_eq!(merged, [hit(1, 5), hit(3, 4), hit(2, 3)]);
    assert_eq!(merge([ranked(&[1, 2, 3])], 2).len(), 2);
}

proptest! {
    #[test]
    fn merging_shards_in_any_order_equals_one_shard(numbers in hash_set(0u32..500, 0..60), shards in 1usize..6) {
        let mut all: Vec<Hit> = numbers.iter().map(|&n| hit(n, i64::from(n % 7))).collect();
        let mut parts = vec![Vec::new(); shards];
        for (place, &one) in all.iter().enumerate() {
            parts[place % shards].push(one);
        }
        all.sort_unstable_by(Hit::order);
        all.truncate(20);
        prop_assert_eq!(&merge(parts.clone(), 20), &all);
        parts.reverse();
        prop_assert_eq!(&merge(parts, 20), &all);
    }
}
