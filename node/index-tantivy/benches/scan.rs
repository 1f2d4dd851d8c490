//! Searching one shard of 100,000 documents with vectors of 384 coordinates.
//!
//! `cargo bench -p tandem-index-tantivy --bench scan` prints a line per figure and writes target/bench/scan.json.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench measures time, reports to a person and may stop at any failure"
)]

use std::fs;
use std::path::Path;
use std::time::Instant;

use tandem_domain::chunk::ModelIdentity;
use tandem_domain::document::DocumentKind;
use tandem_domain::embedding::Embedding;
use tandem_index_tantivy::{Options, TantivyIndex};
use tandem_ports::documents::LogPosition;
use tandem_ports::index::{Filter, IndexChange, IndexedDocument, MatchIndex};
use tandem_ports::testsuite::samples::{self, Seeded};

const DOCUMENTS: u64 = 100_000;
const COORDINATES: u32 = 384;
const WORDS: u64 = 150;
const VOCABULARY: u64 = 20_000;
const BATCH: u64 = 1_000;
const TOP: usize = 300;
const ROUNDS: u64 = 50;

fn model() -> ModelIdentity {
    ModelIdentity { dimensions: COORDINATES, ..samples::model() }
}

fn vector(seeded: &mut Seeded) -> Embedding {
    let coordinate = |s: &mut Seeded| (s.below(255) as i16 - 127) as i8;
    Embedding::from_coordinates((0..COORDINATES).map(|_| coordinate(seeded)).collect())
}

/// Words of falling frequency: the product of two draws makes low numbers common.
fn text(seeded: &mut Seeded, words: u64) -> String {
    let word = |s: &mut Seeded| format!("w{}", s.below(VOCABULARY) * s.below(VOCABULARY) / VOCABULARY);
    (0..words).map(|_| word(seeded)).collect::<Vec<_>>().join(" ")
}

fn document(number: u64) -> IndexedDocument {
    let mut seeded = Seeded::new(number);
    let (owner, text) = (samples::owner("bench"), text(&mut seeded, WORDS));
    let mut document = samples::indexed(&owner, number, DocumentKind::Resume, &text, vector(&mut seeded));
    document.features.model = model();
    document.features.chunks = (0..2).map(|_| vector(&mut seeded)).collect();
    document
}

fn resident_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default();
    line.split_whitespace().find_map(|word| word.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Milliseconds of `work`, the median of the rounds.
fn median(mut work: impl FnMut(u64)) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|round| {
            let start = Instant::now();
            work(round);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let home = tempfile::tempdir().unwrap();
    let open = || TantivyIndex::open(home.path(), Options { model: model() }).unwrap();
    let shard = open();
    let start = Instant::now();
    let mut building = 0.0;
    for first in (0..DOCUMENTS).step_by(BATCH as usize) {
        let batch: Vec<_> =
            (first..first + BATCH).map(|n| IndexChange::Upsert(Box::new(document(n)))).collect();
        let begun = start.elapsed().as_secs_f64();
        shard.apply(&batch, LogPosition(first + BATCH)).unwrap();
        building += start.elapsed().as_secs_f64() - begun;
    }
    drop(shard);

    let start = Instant::now();
    let shard = open();
    let opening_ms = start.elapsed().as_secs_f64() * 1e3;
    let filter = Filter { owner: samples::owner("bench"), kind: DocumentKind::Resume, among: None };
    let dense_ms = median(|round| {
        let hits = shard.dense(&vector(&mut Seeded::new(round + 1_000_000)), &filter, TOP).unwrap();
        assert_eq!(hits.len(), TOP);
    });
    let queries: Vec<_> = (0..ROUNDS)
        .map(|round| shard.lexical_query(&text(&mut Seeded::new(round + 2_000_000), 64), 64))
        .collect();
    let lexical_ms = median(|round| {
        let query = &queries[round as usize];
        let statistics = shard.statistics(query).unwrap();
        shard.lexical(query, &statistics, &filter, TOP).unwrap();
    });
    let ids: Vec<_> = (0..TOP as u64).map(|n| samples::document_id(n * 301)).collect();
    let features_ms = median(|_| assert_eq!(shard.features(&filter.owner, &ids).unwrap().len(), TOP));
    let idle_mib = resident_mib();
    let one_ms = median(|round| {
        let one = [IndexChange::Upsert(Box::new(document(DOCUMENTS + round)))];
        shard.apply(&one, LogPosition(DOCUMENTS + round + 1)).unwrap();
    });

    let pairs = DOCUMENTS as f64 / dense_ms * 1e3;
    let report = serde_json::json!({
        "documents": DOCUMENTS, "coordinates": COORDINATES, "top": TOP,
        "dense_ms": dense_ms, "dense_pairs_per_second": pairs,
        "dense_gigabytes_per_second": pairs * f64::from(COORDINATES) / 1e9,
        "lexical_64_terms_ms": lexical_ms, "features_300_ms": features_ms,
        "apply_one_ms": one_ms, "build_documents_per_second": DOCUMENTS as f64 / building,
        "open_ms": opening_ms, "anonymous_memory_mib": idle_mib,
    });
    for (name, value) in report.as_object().unwrap() {
        println!("{name:>28} {value:.3}");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("scan.json"), serde_json::to_vec_pretty(&report).unwrap()).unwrap();
}
