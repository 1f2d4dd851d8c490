use tandem_domain::ids::OperationId;
use tandem_domain::run::Progress;
use tandem_domain::score::{Score, Weights};
use tandem_domain::task::TaskRef;
use tandem_messages::matches::CreateMatch;
use tandem_messages::runs::{CreateRun, GetFailedItems, GetRows, GetRun};
use tandem_ports::documents::LogPosition;
use tandem_ports::index::IndexChange;
use tandem_ports::testsuite::index::MemoryIndex;
use tandem_ports::testsuite::samples;
use tandem_ports::testsuite::{ManualClock, MemoryQueue, MemoryStore};
use tandem_ports::{Clock, MatchIndex, TaskStore};

use super::*;
use crate::corpus::Corpus;
use crate::searcher::SearchOptions;
use crate::{Matching, testing};
use tandem_domain::run::RunSpec;

mod cancel;
mod spent;

/// Document 1 is a job; 2 to 9 are résumés, of which 9 was never read.
struct House {
    store: Arc<MemoryStore>,
    matching: Matching,
    items: RunWork,
    interactive: InteractiveWork,
}

const JOB: u64 = 1;
const UNREAD: u64 = 9;

async fn house() -> House {
    let owner = OwnerId::local();
    let store = Arc::new(MemoryStore::default());
    let mut changes = Vec::new();
    for number in JOB..=UNREAD {
        let kind = if number == JOB { DocumentKind::Job } else { DocumentKind::Resume };
        let document = samples::document(&owner, kind, number);
        store.create(&document).await.unwrap().certain().unwrap();
        if number == UNREAD {
            continue;
        }
        let at = (&owner, document.id, document.version);
        store.advance(at.0, at.1, at.2, &DocumentState::Indexed).await.unwrap().certain().unwrap();
        let (parsed, embedded) = (samples::parsed(number, 400), samples::embedded(number, 2));
        let version = document.version;
        store.put_parsed(&owner, document.id, version, &parsed).await.unwrap().certain().unwrap();
        store.put_embedded(&owner, document.id, version, &embedded).await.unwrap().certain().unwrap();
        let mut indexed =
            samples::indexed(&owner, number, kind, &parsed.ranked_text, embedded.document.clone());
        indexed.features = Features::of(document.version, document.digest, &parsed, &embedded);
        changes.push(IndexChange::Upsert(Box::new(indexed)));
    }
    let index = MemoryIndex::new(&samples::model());
    index.apply(&changes, LogPosition(1)).unwrap();
    let open = Arc::new(OpenRuns::new(store.clone()));
    let hosted = testing::hosted(vec![index], open.clone());
    let options = SearchOptions { pool: 300, terms: 64 };
    let searcher = Searcher::new(Corpus::new(1, hosted, None), testing::cut, options);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(1));
    let queue = Arc::new(MemoryQueue::new(clock.clone(), std::time::Duration::from_secs(60)));
    House {
        items: RunWork::new(
            store.clone(),
            store.clone(),
            testing::models(),
            Filing { tasks: store.clone(), queue: queue.clone(), clock: clock.clone() },
            searcher,
            open,
        ),
        matching: Matching::new(store.clone(), store.clone(), store.clone(), queue, clock),
        interactive: InteractiveWork::new(store.clone(), store.clone(), testing::models()),
        store,
    }
}

fn operation(number: u64) -> OperationId {
    samples::operation("test", number)
}

fn spec(query_kind: DocumentKind, queries: Vec<u64>) -> RunSpec {
    RunSpec {
        query_kind,
        queries: queries.into_iter().map(samples::document_id).collect(),
        candidates: Selection::All,
        top: 5,
        min_score: Score::ZERO,
        weights: Weights::default(),
    }
}

impl House {
    /// The filed task of an item, as a worker would get it once the run's own task is done.
    async fn item_task(&self, run: &MatchRun, item: u32) -> Task {
        self.items.perform(&self.task(run, TaskSubject::Run { run: run.id }).await).await.unwrap();
        self.task(run, TaskSubject::RunItem { run: run.id, item }).await
    }

    async fn task(&self, run: &MatchRun, subject: TaskSubject) -> Task {
        self.find(run, TaskKind::MatchBulk, subject).await.expect("the task was filed")
    }

    async fn find(&self, run: &MatchRun, kind: TaskKind, subject: TaskSubject) -> Option<Task> {
        let id = Task::id_of(&run.owner, kind, &subject);
        self.store.task(&TaskRef { owner: run.owner.clone(), id }).await.unwrap()
    }
}

#[tokio::test]
async fn a_run_is_ranked_once_however_often_its_items_are_delivered() {
    let house = house().await;
    let request = CreateRun {
        owner: OwnerId::local(),
        operation: operation(1),
        spec: spec(DocumentKind::Job, vec![JOB]),
    };
    let run = house.matching.create_run(request.clone()).await.unwrap().run;
    assert_eq!(house.matching.create_run(request).await.unwrap().run.id, run.id, "the same intent");
    let task = house.item_task(&run, 0).await;
    house.items.perform(&task).await.unwrap();
    house.items.perform(&task).await.unwrap();
    house.items.give_up(&task, &samples::failure("late")).await.unwrap();
    let view = house.matching.get_run(GetRun { owner: OwnerId::local(), id: run.id }).await.unwrap();
    assert_eq!(view.progress, Progress { items: 1, done: 1, failed: 0, canceled: 0 });
    let rows = GetRows { owner: OwnerId::local(), id: run.id, after: None, limit: 100 };
    let rows = house.matching.rows(rows).await.unwrap().rows;
    assert_eq!(rows.iter().map(|(key, _)| key.rank).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert!(rows.iter().all(|(_, row)| row.candidate != samples::document_id(UNREAD)));
}

#[tokio::test]
async fn invariant_7_a_pair_has_the_same_score_in_both_directions_and_alone() {
    let house = house().await;
    let owner = OwnerId::local();
    let create = |number, spec| CreateRun { owner: owner.clone(), operation: operation(number), spec };
    let down = house.matching.create_run(create(1, spec(DocumentKind::Job, vec![JOB]))).await.unwrap().run;
    house.items.perform(&house.item_task(&down, 0).await).await.unwrap();
    let rows = GetRows { owner: owner.clone(), id: down.id, after: None, limit: 100 };
    let rows = house.matching.rows(rows).await.unwrap().rows;
    for (number, (_, row)) in (10..).zip(&rows) {
        let up = RunSpec { queries: vec![row.candidate], ..spec(DocumentKind::Resume, vec![]) };
        let up = house.matching.create_run(create(number, up)).await.unwrap().run;
        house.items.perform(&house.item_task(&up, 0).await).await.unwrap();
        let reverse = GetRows { owner: owner.clone(), id: up.id, after: None, limit: 100 };
        let reverse = house.matching.rows(reverse).await.unwrap().rows;
        assert_eq!(reverse[0].1.scored, row.scored);

        let ask = CreateMatch {
            owner: owner.clone(),
            operation: operation(number + 100),
            resume: row.candidate,
            job: samples::document_id(JOB),
            weights: Weights::default(),
        };
        let pair = house.matching.create_match(ask).await.unwrap().pair;
        let task = Task::new(
            owner.clone(),
            TaskKind::MatchInteractive,
            TaskSubject::Match { id: pair.id },
            samples::CREATED,
        );
        house.interactive.perform(&task).await.unwrap();
        let ended = house.store.pair_match(&owner, pair.id).await.unwrap().unwrap().outcome;
        assert_eq!(ended, Some(PairOutcome::Scored(Box::new(row.scored.clone()))));
    }
    assert_eq!(rows.len(), 5);
}

#[tokio::test]
async fn a_run_waits_for_what_is_still_being_read() {
    let house = house().await;
    let owner = OwnerId::local();
    let spec = spec(DocumentKind::Resume, vec![UNREAD]);
    let create = CreateRun { owner: owner.clone(), operation: operation(1), spec };
    let run = house.matching.create_run(create).await.unwrap().run;
    let task = house.task(&run, TaskSubject::Run { run: run.id }).await;
    let failure = house.items.perform(&task).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::NotReady);
    let subject = TaskSubject::RunItem { run: run.id, item: 0 };
    let key = TaskRef { owner: owner.clone(), id: Task::id_of(&owner, TaskKind::MatchBulk, &subject) };
    assert_eq!(house.store.task(&key).await.unwrap(), None, "no item is filed too early");
    house.items.give_up(&task, &failure).await.unwrap();
    let failed = GetFailedItems { owner, id: run.id, limit: 10 };
    assert_eq!(house.matching.failed_items(failed).await.unwrap().items, [(0, failure)]);
}

#[tokio::test]
async fn what_is_not_the_owners_is_not_found_and_another_intent_is_refused() {
    let house = house().await;
    let create = |owner: &str, kind, number| CreateRun {
        owner: samples::owner(owner),
        operation: operation(7),
        spec: spec(kind, vec![number]),
    };
    let wrong_kind = house.matching.create_run(create("local", DocumentKind::Job, 2)).await.unwrap_err();
    assert_eq!(wrong_kind.code, ErrorCode::NotFound);
    let foreign = house.matching.create_run(create("other", DocumentKind::Job, JOB)).await.unwrap_err();
    assert_eq!(foreign.code, ErrorCode::NotFound);
    house.matching.create_run(create("local", DocumentKind::Job, JOB)).await.unwrap();
    let other = house.matching.create_run(create("local", DocumentKind::Resume, 3)).await.unwrap_err();
    assert_eq!(other.code, ErrorCode::KeyReused);
}
