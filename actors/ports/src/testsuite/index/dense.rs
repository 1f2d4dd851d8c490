//! The dense arm: exact, in the one order.

use tandem_domain::document::DocumentKind;
use tandem_domain::embedding::Embedding;

use super::{Shards, alice, all_of, bob, brute_force, corpus, only};
use crate::index::Hit;
use crate::testsuite::samples::{self, DIMENSIONS, Seeded};

pub(super) fn run(shards: &Shards<'_>) {
    the_order_is_that_of_brute_force(shards);
    ties_break_by_digest_then_id(shards);
    a_zero_vector_is_similar_to_nothing(shards);
    shards_give_together_what_one_gives(shards);
}

fn the_order_is_that_of_brute_force(shards: &Shards<'_>) {
    let documents = corpus(300);
    let shard = shards.filled("dense", &documents);
    let mut seeded = Seeded::new(11);
    for round in 0..20 {
        let vector = seeded.vector();
        let some = (0..40).map(|_| samples::document_id(seeded.below(320)));
        let filters = [
            all_of(alice(), DocumentKind::Resume),
            all_of(alice(), DocumentKind::Job),
            all_of(bob(), DocumentKind::Resume),
            all_of(samples::owner("eve"), DocumentKind::Resume),
            only(alice(), DocumentKind::Resume, some),
            only(alice(), DocumentKind::Resume, []),
        ];
        for filter in &filters {
            for limit in [0, 1, 7, 1_000] {
                let found = shard.dense(&vector, filter, limit).unwrap();
                let expected = brute_force(&documents, &vector, filter, limit);
                assert_eq!(found, expected, "round {round}, limit {limit}, filter {filter:?}");
            }
        }
    }
}

fn ties_break_by_digest_then_id(shards: &Shards<'_>) {
    let vector = Seeded::new(2).vector();
    let documents: Vec<_> = (0..30u64)
        .map(|number| {
            let mut document =
                samples::indexed(&alice(), number, DocumentKind::Resume, "kubo", vector.clone());
            document.features.digest = samples::digest(number / 3);
            document
        })
        .collect();
    let shard = shards.filled("ties", &documents);
    let filter = all_of(alice(), DocumentKind::Resume);
    for limit in [5, 30] {
        let found = shard.dense(&vector, &filter, limit).unwrap();
        assert_eq!(found, brute_force(&documents, &vector, &filter, limit));
        assert!(found.is_sorted_by_key(|hit| (hit.digest, hit.document)), "equal scores: digest, then id");
    }
}

fn a_zero_vector_is_similar_to_nothing(shards: &Shards<'_>) {
    let zero = Embedding::from_coordinates(vec![0; DIMENSIONS as usize]);
    let mut documents = corpus(5);
    let mut empty = samples::indexed(&alice(), 50, DocumentKind::Resume, "", zero.clone());
    empty.features.chunks.clear();
    documents.push(empty.clone());
    let shard = shards.filled("zero", &documents);
    let filter = all_of(alice(), DocumentKind::Resume);
    for vector in [zero, Seeded::new(4).vector()] {
        let found = shard.dense(&vector, &filter, 100).unwrap();
        assert_eq!(found, brute_force(&documents, &vector, &filter, 100));
    }
    assert_eq!(*shard.features(&alice(), &[empty.id]).unwrap()[0].1, empty.features);
}

fn shards_give_together_what_one_gives(shards: &Shards<'_>) {
    let documents = corpus(120);
    let whole = shards.filled("dense-whole", &documents);
    let (left, right) = documents.split_at(47);
    let parts = [shards.filled("dense-left", left), shards.filled("dense-right", right)];
    let mut seeded = Seeded::new(21);
    for _ in 0..10 {
        let vector = seeded.vector();
        let filter = all_of(alice(), DocumentKind::Resume);
        let found = parts.iter().flat_map(|p| p.dense(&vector, &filter, 9).unwrap());
        let mut merged: Vec<Hit> = found.collect();
        merged.sort_by(Hit::order);
        merged.truncate(9);
        assert_eq!(merged, whole.dense(&vector, &filter, 9).unwrap());
    }
}
