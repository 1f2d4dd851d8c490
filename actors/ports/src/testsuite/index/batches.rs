//! Batches: what they make searchable, forget, and leave behind.

use std::sync::atomic::{AtomicBool, Ordering};

use tandem_domain::document::{DocumentKind, Version};
use tandem_domain::embedding::Embedding;

use super::{Shards, alice, all_of, bob, corpus, only, remove, upserts};
use crate::documents::LogPosition;
use crate::index::{IndexChange, IndexError, IndexedDocument, MatchIndex};
use crate::testsuite::samples::{self, Seeded};

pub(super) fn run(shards: &Shards<'_>) {
    a_new_shard_is_empty(shards);
    the_checkpoint_and_the_documents_survive_reopening(shards);
    the_same_batch_twice_changes_nothing(shards);
    an_upsert_takes_the_place_of_any_other_version(shards);
    changes_of_one_batch_happen_in_their_order(shards);
    a_removed_document_is_forgotten(shards);
    owners_do_not_share_documents(shards);
    vectors_of_another_model_are_refused_whole(shards);
    features_come_back_as_asked(shards);
    readers_see_whole_batches(shards);
}

fn finds(shard: &dyn MatchIndex, word: &str) -> usize {
    let query = shard.lexical_query(word, 16);
    let statistics = shard.statistics(&query).unwrap();
    let filter = all_of(alice(), DocumentKind::Resume);
    shard.lexical(&query, &statistics, &filter, 100).unwrap().len()
}

/// All that the suite can see of a shard.
fn view(shard: &dyn MatchIndex) -> String {
    let query = shard.lexical_query("kubo zirn welk hupo", 16);
    let statistics = shard.statistics(&query).unwrap();
    let mut seen = format!("{} {statistics:?}", shard.documents());
    for owner in [alice(), bob()] {
        for kind in [DocumentKind::Resume, DocumentKind::Job] {
            let filter = all_of(owner.clone(), kind);
            let dense = shard.dense(&Seeded::new(5).vector(), &filter, 1_000).unwrap();
            let ids: Vec<_> = dense.iter().map(|hit| hit.document).collect();
            let lexical = shard.lexical(&query, &statistics, &filter, 1_000).unwrap();
            seen += &format!("{dense:?}{lexical:?}{:?}", shard.features(&owner, &ids).unwrap());
        }
    }
    seen
}

fn a_new_shard_is_empty(shards: &Shards<'_>) {
    let shard = shards.open("empty");
    assert_eq!(shard.checkpoint(), LogPosition::START);
    assert_eq!(shard.documents(), 0);
    let filter = all_of(alice(), DocumentKind::Resume);
    assert_eq!(shard.dense(&Seeded::new(1).vector(), &filter, 10).unwrap(), []);
    assert_eq!(finds(&*shard, "kubo"), 0);
    assert!(shard.features(&alice(), &[samples::document_id(1)]).unwrap().is_empty());
    let statistics = shard.statistics(&shard.lexical_query("kubo", 4)).unwrap();
    assert_eq!((statistics.documents, statistics.words), (0, 0));
}

fn the_checkpoint_and_the_documents_survive_reopening(shards: &Shards<'_>) {
    let documents = corpus(40);
    let shard = shards.open("reopen");
    shard.apply(&upserts(&documents[..30]), LogPosition(30)).unwrap();
    shard.apply(&[remove(&documents[3])], LogPosition(31)).unwrap();
    assert_eq!(shard.checkpoint(), LogPosition(31));
    let before = view(&*shard);
    drop(shard);

    let shard = shards.open("reopen");
    assert_eq!(shard.checkpoint(), LogPosition(31), "the checkpoint is durable");
    assert_eq!(view(&*shard), before, "everything applied is durable");
    shard.apply(&[], LogPosition(50)).unwrap();
    assert_eq!(shard.checkpoint(), LogPosition(50), "an empty batch moves the checkpoint too");
    shard.apply(&upserts(&documents[30..]), LogPosition(60)).unwrap();
    let grown = view(&*shard);
    drop(shard);

    let shard = shards.open("reopen");
    assert_eq!((shard.checkpoint(), shard.documents()), (LogPosition(60), 39));
    assert_eq!(view(&*shard), grown, "a reopened shard goes on");
}

fn the_same_batch_twice_changes_nothing(shards: &Shards<'_>) {
    let documents = corpus(30);
    let shard = shards.filled("twice", &documents);
    let mut batch = upserts(&documents[10..20]);
    batch.push(remove(&documents[0]));
    shard.apply(&batch, LogPosition(2)).unwrap();
    let once = view(&*shard);
    shard.apply(&batch, LogPosition(2)).unwrap();
    assert_eq!(view(&*shard), once);
    assert_eq!(shard.checkpoint(), LogPosition(2));
}

/// Version 2 of a document with other words and another vector.
fn second_version(document: &IndexedDocument, text: &str) -> IndexedDocument {
    let mut next = document.clone();
    next.version = Version(2);
    next.ranked_text = text.to_owned();
    next.features = samples::features(document.kind, 900, Seeded::new(900).vector());
    next
}

fn an_upsert_takes_the_place_of_any_other_version(shards: &Shards<'_>) {
    let vector = Seeded::new(1).vector();
    let first = samples::indexed(&alice(), 1, DocumentKind::Resume, "kubo zirn", vector);
    let second = second_version(&first, "falo quax");
    let shard = shards.filled("upsert", &[first]);
    assert_eq!((finds(&*shard, "kubo"), finds(&*shard, "falo")), (1, 0));

    shard.apply(&upserts(std::slice::from_ref(&second)), LogPosition(2)).unwrap();
    assert_eq!(shard.documents(), 1);
    assert_eq!((finds(&*shard, "kubo"), finds(&*shard, "falo")), (0, 1));
    let filter = all_of(alice(), DocumentKind::Resume);
    let hits = shard.dense(&second.features.document, &filter, 10).unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].digest, second.features.digest);
    assert_eq!(hits[0].score, i64::from(second.features.document.similarity(&second.features.document)));
    let kept = shard.features(&alice(), &[second.id]).unwrap();
    assert_eq!(*kept[0].1, second.features);
}

fn changes_of_one_batch_happen_in_their_order(shards: &Shards<'_>) {
    let documents = corpus(3);
    let shard = shards.open("order");
    let next = second_version(&documents[1], "hupo hupo");
    let mut batch = upserts(&documents);
    batch.push(remove(&documents[0]));
    batch.extend(upserts(std::slice::from_ref(&next)));
    batch.push(remove(&documents[2]));
    batch.extend(upserts(&documents[2..]));
    shard.apply(&batch, LogPosition(9)).unwrap();

    let fresh = shards.filled("order-fresh", &[next, documents[2].clone()]);
    assert_eq!(view(&*shard), view(&*fresh));
}

fn a_removed_document_is_forgotten(shards: &Shards<'_>) {
    let documents = corpus(20);
    let shard = shards.filled("remove", &documents);
    let batch: Vec<IndexChange> = documents[5..].iter().map(remove).collect();
    shard.apply(&batch, LogPosition(2)).unwrap();
    let fresh = shards.filled("remove-fresh", &documents[..5]);
    assert_eq!(view(&*shard), view(&*fresh), "statistics too know nothing of what was removed");
    assert!(shard.features(&documents[7].owner, &[documents[7].id]).unwrap().is_empty());

    let unknown = IndexChange::Remove { owner: alice(), id: samples::document_id(12_345) };
    shard.apply(&[unknown], LogPosition(3)).unwrap();
    assert_eq!(shard.documents(), 5, "removing what is not there changes nothing");
    assert_eq!(shard.checkpoint(), LogPosition(3));
}

fn owners_do_not_share_documents(shards: &Shards<'_>) {
    let vector = Seeded::new(1).vector();
    let hers = samples::indexed(&alice(), 1, DocumentKind::Resume, "kubo", vector.clone());
    let his = samples::indexed(&bob(), 1, DocumentKind::Resume, "zirn", vector);
    let shard = shards.filled("owners", &[hers.clone(), his.clone()]);
    assert_eq!(shard.documents(), 2, "the same id under two owners is two documents");
    assert_eq!((finds(&*shard, "kubo"), finds(&*shard, "zirn")), (1, 0));
    assert!(shard.features(&samples::owner("eve"), &[hers.id]).unwrap().is_empty());
    shard.apply(&[remove(&his)], LogPosition(2)).unwrap();
    assert_eq!(finds(&*shard, "kubo"), 1, "one owner's removal leaves the other's document");
    assert!(shard.features(&bob(), &[his.id]).unwrap().is_empty());
}

fn vectors_of_another_model_are_refused_whole(shards: &Shards<'_>) {
    let documents = corpus(4);
    let shard = shards.filled("model", &documents[..2]);
    let before = view(&*shard);

    let mut short = documents[2].clone();
    short.features.document = Embedding::from_coordinates(vec![1, 2, 3]);
    let mut foreign = documents[2].clone();
    foreign.features.model.weights_digest = "22".repeat(32);
    for bad in [short, foreign] {
        let batch = upserts(&[documents[3].clone(), bad]);
        assert_eq!(shard.apply(&batch, LogPosition(7)), Err(IndexError::Model));
        assert_eq!(view(&*shard), before, "a refused batch leaves the shard as it was");
        assert_eq!(shard.checkpoint(), LogPosition(1));
    }
    let filter = all_of(alice(), DocumentKind::Resume);
    let query = Embedding::from_coordinates(vec![1, 2, 3]);
    assert_eq!(shard.dense(&query, &filter, 3), Err(IndexError::Model));
}

fn features_come_back_as_asked(shards: &Shards<'_>) {
    let documents = corpus(30);
    let shard = shards.filled("features", &documents);
    let hers: Vec<&IndexedDocument> = documents.iter().filter(|d| d.owner == alice()).rev().collect();
    let mut asked: Vec<_> = hers.iter().map(|d| d.id).collect();
    asked.insert(2, samples::document_id(999));
    asked.insert(4, documents.iter().find(|d| d.owner == bob()).unwrap().id);

    let found = shard.features(&alice(), &asked).unwrap();
    let ids: Vec<_> = found.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, hers.iter().map(|d| d.id).collect::<Vec<_>>(), "in the order asked for, hers alone");
    for ((_, features), document) in found.iter().zip(&hers) {
        assert_eq!(**features, document.features);
    }
}

/// Batches of two: nobody may ever see an odd number.
fn readers_see_whole_batches(shards: &Shards<'_>) {
    let shard = shards.open("readers");
    let ended = AtomicBool::new(false);
    let mut seeded = Seeded::new(3);
    let vectors: Vec<_> = (0..20).map(|_| seeded.vector()).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut last = 0;
            while !ended.load(Ordering::Acquire) {
                let filter = all_of(alice(), DocumentKind::Job);
                let seen = shard.dense(&vectors[0], &filter, 1_000).unwrap().len();
                assert!(seen % 2 == 0 && seen >= last, "{seen} after {last}: a part of a batch was seen");
                last = seen;
            }
        });
        for (number, vector) in (0..20u64).zip(&vectors) {
            let make = |n| samples::indexed(&alice(), n, DocumentKind::Job, "kubo", vector.clone());
            let pair = upserts(&[make(2 * number), make(2 * number + 1)]);
            shard.apply(&pair, LogPosition(number + 1)).unwrap();
            let filter = only(alice(), DocumentKind::Job, [samples::document_id(2 * number)]);
            let seen = shard.dense(vector, &filter, 10).unwrap().len();
            assert_eq!(seen, 1, "searchable when apply returns");
        }
        ended.store(true, Ordering::Release);
    });
    assert_eq!(shard.documents(), 40);
}
