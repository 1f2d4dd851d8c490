//! The lexical arm: words, statistics, and scores that do not depend on the shard.

use std::sync::Arc;

use tandem_domain::document::DocumentKind;

use super::{Shards, alice, all_of, bob, corpus, only, passes, upserts};
use crate::documents::LogPosition;
use crate::index::{CorpusStatistics, Filter, Hit, LexicalQuery, MatchIndex};
use crate::testsuite::samples::{self, Seeded};

pub(super) fn run(shards: &Shards<'_>) {
    queries_are_cut_by_one_rule(shards);
    statistics_count_documents_and_words(shards);
    scores_follow_bm25(shards);
    filters_hold(shards);
    a_score_does_not_depend_on_the_shard(shards);
    a_large_text_is_searchable(shards);
}

fn search(shard: &dyn MatchIndex, text: &str, filter: &Filter, limit: usize) -> Vec<Hit> {
    let query = shard.lexical_query(text, 64);
    let statistics = shard.statistics(&query).unwrap();
    shard.lexical(&query, &statistics, filter, limit).unwrap()
}

fn queries_are_cut_by_one_rule(shards: &Shards<'_>) {
    let shard = shards.open("query");
    let query = shard.lexical_query("Welk, zirn; KUBO kubo\nwelk (kubo)", 64);
    assert_eq!(query.terms.len(), 3, "each term once: {query:?}");
    assert!(query.terms.is_sorted(), "sorted: {query:?}");
    let counts: Vec<u32> = query.terms.iter().map(|(_, count)| *count).collect();
    assert_eq!(counts, [3, 2, 1], "counted, whatever the case: {query:?}");
    assert_eq!(query, shard.lexical_query("kubo kubo kubo welk welk zirn", 64));

    let short = shard.lexical_query("Welk, zirn; KUBO kubo\nwelk (kubo)", 2);
    assert_eq!(short.terms, query.terms[..2], "the most frequent of the text are kept");
    let even = shard.lexical_query("falo dopu mirv", 2);
    let all = shard.lexical_query("falo dopu mirv", 3);
    assert_eq!(even.terms, all.terms[..2], "equally frequent: by their spelling");
    for (text, most) in [("", 64), (" \n,;-- ", 64), ("kubo", 0)] {
        assert_eq!(shard.lexical_query(text, most), LexicalQuery::default());
    }
}

fn statistics_count_documents_and_words(shards: &Shards<'_>) {
    let make = |number, text| {
        samples::indexed(&alice(), number, DocumentKind::Resume, text, Seeded::new(number).vector())
    };
    let documents = [make(0, "kubo kubo zirn"), make(1, "zirn falo"), make(2, ""), make(3, "quax")];
    let shard = shards.filled("statistics", &documents);
    let query = shard.lexical_query("kubo zirn tazz", 64);
    let statistics = shard.statistics(&query).unwrap();
    assert_eq!((statistics.documents, statistics.words), (4, 6));
    let frequencies: Vec<u64> = query.terms.iter().map(|(term, _)| of(&statistics, term)).collect();
    let expected: Vec<u64> = ["kubo", "tazz", "zirn"]
        .iter()
        .map(|word| documents.iter().filter(|d| d.ranked_text.contains(word)).count() as u64)
        .collect();
    assert_eq!(frequencies, expected);
}

fn of(statistics: &CorpusStatistics, term: &str) -> u64 {
    statistics.frequencies.get(term).copied().unwrap_or(0)
}

/// What any BM25 with k1 = 1.2 and b = .75 must show, whatever its variant of the inverse document frequency.
fn scores_follow_bm25(shards: &Shards<'_>) {
    let texts = [
        "kubo falo falo falo",
        "kubo kubo falo falo",
        "kubo",
        "zirn falo falo falo",
        "kubo mirv falo falo",
        "falo falo falo falo",
    ];
    let documents: Vec<_> = (0u64..)
        .zip(texts)
        .map(|(n, text)| samples::indexed(&alice(), n, DocumentKind::Resume, text, Seeded::new(n).vector()))
        .collect();
    let shard = shards.filled("bm25", &documents);
    let filter = all_of(alice(), DocumentKind::Resume);
    let score = |text: &str, number: u64| {
        let hits = search(&*shard, text, &filter, 100);
        hits.iter().find(|hit| hit.document == samples::document_id(number)).map(|hit| hit.score)
    };
    assert_eq!(score("kubo", 3), None, "without any of the words there is no hit");
    assert!(score("kubo", 0) > Some(0));
    assert!(score("kubo", 1) > score("kubo", 0), "more often counts more");
    assert!(score("kubo", 2) > score("kubo", 0), "the shorter text counts more");
    assert!(score("zirn", 3) > score("kubo", 0), "the rarer word counts more");
    assert!(score("kubo mirv", 4) > score("kubo", 4), "words add up");
    assert!(score("kubo kubo", 0) >= score("kubo", 0), "a word asked twice counts no less");
    assert_eq!(score("kubo", 0), score("kubo", 4), "what was not asked does not count");
    let (once, twice) = (score("kubo", 0).unwrap_or(0), score("kubo", 1).unwrap_or(0));
    // tf / (tf + k1 · (1 - b + b · 4 / average)), average = 21 / 6: 1 / 2.3286 and 2 / 3.3286.
    let ratio = 1000 * twice / once;
    assert!((1390..=1410).contains(&ratio), "saturation by k1 and b: {ratio} thousandths instead of 1399");
}

fn filters_hold(shards: &Shards<'_>) {
    let documents = corpus(90);
    let shard = shards.filled("lexical-filter", &documents);
    let some: Vec<_> = documents.iter().step_by(4).map(|d| d.id).collect();
    for filter in [
        all_of(alice(), DocumentKind::Resume),
        all_of(alice(), DocumentKind::Job),
        all_of(bob(), DocumentKind::Job),
        all_of(samples::owner("eve"), DocumentKind::Job),
        only(alice(), DocumentKind::Job, some),
        only(alice(), DocumentKind::Job, []),
    ] {
        let found = search(&*shard, "kubo mirv", &filter, 1_000);
        assert!(found.is_sorted_by(|a, b| a.order(b).is_lt()), "best first, ties by digest, then id");
        let mut ids: Vec<_> = found.iter().map(|hit| hit.document).collect();
        let mut expected: Vec<_> = documents
            .iter()
            .filter(|d| passes(&filter, d))
            .filter(|d| d.ranked_text.contains("kubo") || d.ranked_text.contains("mirv"))
            .map(|d| d.id)
            .collect();
        ids.sort();
        expected.sort();
        assert_eq!(ids, expected, "exactly what holds a word and passes {filter:?}");
        for limit in [0, 1, 3] {
            let best = search(&*shard, "kubo mirv", &filter, limit);
            assert_eq!(best, found[..limit.min(found.len())], "a limit cuts the end off");
        }
    }
}

fn a_score_does_not_depend_on_the_shard(shards: &Shards<'_>) {
    let documents = corpus(150);
    let whole = shards.filled("lexical-whole", &documents);
    let (left, right) = documents.split_at(40);
    let parts: Vec<Arc<dyn MatchIndex>> =
        vec![shards.filled("lexical-left", left), shards.open("lexical-right")];
    // The right shard comes by its documents in several batches and has replaced each of them once.
    for (number, documents) in (1u64..).zip(right.chunks(11)) {
        let mut old = documents.to_vec();
        old.iter_mut().for_each(|document| document.ranked_text = "kubo hupo hupo".to_owned());
        parts[1].apply(&upserts(&old), LogPosition(2 * number)).unwrap();
        parts[1].apply(&upserts(documents), LogPosition(2 * number + 1)).unwrap();
    }
    for text in ["kubo", "hupo tazz", "kubo zirn zirn falo quax", "mirv welk jorb jorb jorb", "absent"] {
        let query = whole.lexical_query(text, 64);
        assert_eq!(query, parts[0].lexical_query(text, 64));
        let alone = whole.statistics(&query).unwrap();
        let mut summed = CorpusStatistics::default();
        parts.iter().for_each(|part| summed.add(&part.statistics(&query).unwrap()));
        assert_eq!((summed.documents, summed.words), (alone.documents, alone.words));
        for (term, _) in &query.terms {
            assert_eq!(of(&summed, term), of(&alone, term), "documents with {term}");
        }
        for filter in [all_of(alice(), DocumentKind::Resume), all_of(bob(), DocumentKind::Job)] {
            for limit in [5, 1_000] {
                let found = parts.iter().map(|p| p.lexical(&query, &summed, &filter, limit).unwrap());
                let mut merged: Vec<Hit> = found.flatten().collect();
                merged.sort_by(Hit::order);
                merged.truncate(limit);
                assert_eq!(merged, whole.lexical(&query, &alone, &filter, limit).unwrap(), "{text}");
            }
        }
    }
}

fn a_large_text_is_searchable(shards: &Shards<'_>) {
    let mut text = "falo zirn ".repeat(110_000);
    text.push_str("jorb");
    let large = samples::indexed(&alice(), 1, DocumentKind::Resume, &text, Seeded::new(1).vector());
    let shard = shards.filled("large", &[large]);
    let filter = all_of(alice(), DocumentKind::Resume);
    assert_eq!(search(&*shard, "jorb", &filter, 10).len(), 1, "its last word is found");
    assert_eq!(shard.statistics(&shard.lexical_query("jorb", 4)).unwrap().words, 220_001);
}
