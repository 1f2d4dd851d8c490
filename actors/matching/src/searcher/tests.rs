use std::collections::HashSet;

use tandem_domain::ids::RunId;
use tandem_domain::run::{MatchRun, RunSpec, Selection};
use tandem_domain::time::Timestamp;
use tandem_ports::documents::{Bucket, BucketRange};
use tandem_ports::index::IndexChange;
use tandem_ports::testsuite::MemoryStore;
use tandem_ports::testsuite::index::MemoryIndex;
use tandem_ports::testsuite::samples::{Seeded, document_id, features, indexed, model, operation, owner};
use tandem_ports::{MatchIndex, RunStore};

use super::*;
use crate::OpenRuns;
use crate::testing::{cut, hosted};

const AT: LogPosition = LogPosition(1);
const RESUMES: u64 = 700;

/// Seven hundred résumés of one owner and one of another, spread over so many shards.
fn searcher(shards: u16) -> Searcher {
    searcher_with(shards, Arc::new(MemoryStore::default()))
}

fn searcher_with(shards: u16, runs: Arc<MemoryStore>) -> Searcher {
    let mut random = Seeded::new(7);
    let mut changes: Vec<Vec<IndexChange>> = (0..shards).map(|_| Vec::new()).collect();
    for number in 0..RESUMES {
        let whose = if number == 13 { owner("other") } else { owner("local") };
        let text = format!("ward nurse shift{} clinic{}", number % 7, number % 31);
        let document = indexed(&whose, number, DocumentKind::Resume, &text, random.vector());
        let bucket = Bucket::of(document.id);
        let at = (0..shards).find(|n| BucketRange::of_shard(*n, shards).contains(bucket)).unwrap();
        changes[usize::from(at)].push(IndexChange::Upsert(Box::new(document)));
    }
    let open = |changes: &Vec<IndexChange>| {
        let index = MemoryIndex::new(&model());
        index.apply(changes, AT).unwrap();
        index
    };
    let hosted = hosted(changes.iter().map(open).collect(), Arc::new(OpenRuns::new(runs)));
    Searcher::new(Corpus::new(shards, hosted, None), cut, SearchOptions { pool: 300, terms: 32 })
}

fn query() -> Query {
    let mut random = Seeded::new(99);
    Query {
        owner: owner("local"),
        kind: DocumentKind::Job,
        ranked_text: "clinic3 nurse shift2".to_owned(),
        features: Arc::new(features(DocumentKind::Job, 5_000, random.vector())),
        among: Among::All,
        at: AT,
        weights: Weights::default(),
        top: 25,
        min_score: Score::ZERO,
    }
}

fn run_among(candidates: Vec<DocumentId>) -> MatchRun {
    let spec = RunSpec {
        query_kind: DocumentKind::Job,
        queries: vec![document_id(5_000)],
        candidates: Selection::Ids(candidates),
        top: 10,
        min_score: Score::ZERO,
        weights: Weights::default(),
    };
    let operation = operation("searcher", 1);
    let id = RunId::from_uuid(operation.as_uuid());
    MatchRun { id, owner: owner("local"), spec, operation, created_at: Timestamp::from_millis(1) }
}

async fn ranking(searcher: &Searcher, query: Query) -> Vec<(DocumentId, i32)> {
    let ranked = searcher.rank(query).await.unwrap();
    ranked.iter().map(|r| (r.document, r.score.total.points())).collect()
}

#[tokio::test]
async fn invariant_7_the_ranking_does_not_depend_on_the_number_of_shards() {
    let one = ranking(&searcher(1), query()).await;
    assert_eq!(one.len(), 25);
    assert!(one.windows(2).all(|pair| pair[0].1 >= pair[1].1), "best first");
    for shards in [2, 4, 16] {
        assert_eq!(ranking(&searcher(shards), query()).await, one, "{shards} shards");
    }
}

#[tokio::test]
async fn only_the_owners_candidates_are_found_and_only_those_asked_for() {
    let store = Arc::new(MemoryStore::default());
    let searcher = searcher_with(4, Arc::clone(&store));
    let all = ranking(&searcher, Query { top: 1_000, ..query() }).await;
    assert!(all.iter().all(|(id, _)| *id != document_id(13)));
    let run = run_among(vec![document_id(3), document_id(13), document_id(600)]);
    store.create_run(&run).await.unwrap().certain().unwrap();
    let few = ranking(&searcher, Query { among: Among::Run(run.id), ..query() }).await;
    let found: HashSet<_> = few.iter().map(|(id, _)| *id).collect();
    assert_eq!(found, [document_id(3), document_id(600)].into());
}

#[tokio::test]
async fn a_minimum_score_cuts_the_tail() {
    let searcher = searcher(2);
    let all = ranking(&searcher, query()).await;
    let middle = all[10].1;
    let query = Query { min_score: Score::clamped(i64::from(middle)), ..query() };
    let cut = ranking(&searcher, query).await;
    assert_eq!(cut, all.into_iter().filter(|(_, points)| *points >= middle).collect::<Vec<_>>());
}
