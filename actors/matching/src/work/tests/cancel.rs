//! Runs that are canceled, at every moment of their lives.

use tandem_domain::run::{RowKey, RunState};
use tandem_messages::runs::{CancelRun, RunView};

use super::*;

impl House {
    async fn run_of(&self, queries: Vec<u64>) -> MatchRun {
        let spec = spec(DocumentKind::Resume, queries);
        let request = CreateRun { owner: OwnerId::local(), operation: operation(1), spec };
        self.matching.create_run(request).await.unwrap().run
    }

    /// Asks for the cancellation, and says what the answer shows.
    async fn cancel(&self, run: &MatchRun) -> Progress {
        let request = CancelRun { owner: run.owner.clone(), id: run.id };
        let RunView { run: shown, progress } = self.matching.cancel_run(request).await.unwrap();
        assert_eq!(shown, *run);
        progress
    }

    async fn cancel_task(&self, run: &MatchRun) -> Option<Task> {
        self.find(run, TaskKind::MatchInteractive, TaskSubject::RunCancel { run: run.id }).await
    }

    async fn progress(&self, run: &MatchRun) -> Progress {
        self.store.progress(&run.owner, run.id).await.unwrap().unwrap()
    }

    async fn row_keys(&self, run: &MatchRun) -> Vec<RowKey> {
        let request = GetRows { owner: run.owner.clone(), id: run.id, after: None, limit: 100 };
        self.matching.rows(request).await.unwrap().rows.into_iter().map(|(key, _)| key).collect()
    }
}

#[tokio::test]
async fn a_cancel_before_the_items_are_filed_leaves_nothing_to_do() {
    let house = house().await;
    let run = house.run_of(vec![2, UNREAD]).await;
    let filing = house.task(&run, TaskSubject::Run { run: run.id }).await;
    let waits = house.items.perform(&filing).await.unwrap_err();
    assert_eq!(waits.code, ErrorCode::NotReady, "a document is still being read");

    assert_eq!(house.cancel(&run).await.state(), RunState::Queued);
    house.interactive.perform(&house.cancel_task(&run).await.unwrap()).await.unwrap();
    let canceled = Progress { items: 2, done: 0, failed: 0, canceled: 2 };
    assert_eq!(house.progress(&run).await, canceled);
    house.items.perform(&filing).await.unwrap();
    let item = TaskSubject::RunItem { run: run.id, item: 0 };
    assert_eq!(house.find(&run, TaskKind::MatchBulk, item).await, None, "no item is filed");
    house.items.give_up(&filing, &waits).await.unwrap();
    assert_eq!(house.progress(&run).await, canceled, "what is canceled does not fail");
}

#[tokio::test]
async fn a_cancel_in_the_middle_keeps_what_is_done() {
    let house = house().await;
    let run = house.run_of(vec![2, 3, 4]).await;
    let first = house.item_task(&run, 0).await;
    house.items.perform(&first).await.unwrap();
    let before = house.row_keys(&run).await;
    assert_eq!(before, [RowKey { item: 0, rank: 1 }]);

    assert_eq!(house.cancel(&run).await, Progress { items: 3, done: 1, failed: 0, canceled: 0 });
    let task = house.cancel_task(&run).await.unwrap();
    house.interactive.perform(&task).await.unwrap();
    let canceled = Progress { items: 3, done: 1, failed: 0, canceled: 2 };
    assert_eq!((house.progress(&run).await, canceled.state()), (canceled, RunState::Canceled));
    for item in 0..3 {
        let task = house.task(&run, TaskSubject::RunItem { run: run.id, item }).await;
        house.items.perform(&task).await.unwrap();
        house.items.give_up(&task, &samples::failure("late")).await.unwrap();
    }
    assert_eq!(house.progress(&run).await, canceled, "items that come later find themselves ended");
    assert_eq!(house.row_keys(&run).await, before);

    assert_eq!(house.cancel(&run).await, canceled, "asking again");
    assert_eq!(house.cancel_task(&run).await, Some(task.clone()));
    house.interactive.perform(&task).await.unwrap();
    assert_eq!(house.progress(&run).await, canceled, "a second delivery");
}

#[tokio::test]
async fn an_item_in_hand_finds_at_its_end_that_it_was_canceled() {
    let house = house().await;
    let run = house.run_of(vec![2]).await;
    let open = house.items.open.open(&run.owner, run.id).await.unwrap();
    let query = house.items.open_item(&open, 0).await.unwrap().unwrap();
    let rows = house.items.rank(&open, query).await.unwrap();
    house.cancel(&run).await;
    house.interactive.perform(&house.cancel_task(&run).await.unwrap()).await.unwrap();
    house.items.finish(&open, 0, &ItemOutcome::Ranked(rows)).await.unwrap();
    assert_eq!(house.progress(&run).await, Progress { items: 1, done: 0, failed: 0, canceled: 1 });
    assert_eq!(house.row_keys(&run).await, []);
}

#[tokio::test]
async fn a_cancel_that_died_half_way_goes_on() {
    let house = house().await;
    let run = house.run_of(vec![2, 3, 4]).await;
    house.cancel(&run).await;
    // What a worker leaves that dies after its second item.
    for item in 0..2 {
        let end = house.store.finish_item(&run.owner, run.id, item, &ItemOutcome::Canceled).await.unwrap();
        assert_eq!(end, tandem_ports::Write::Applied);
    }
    assert_eq!(house.progress(&run).await.state(), RunState::Running);
    assert_eq!(house.cancel(&run).await.canceled, 2, "asking again while it is carried out");
    let task = house.cancel_task(&run).await.unwrap();
    // Even one that is given up is carried out: nobody would learn that it was not.
    house.interactive.give_up(&task, &samples::failure("its workers died")).await.unwrap();
    assert_eq!(house.progress(&run).await, Progress { items: 3, done: 0, failed: 0, canceled: 3 });
    house.interactive.perform(&task).await.unwrap();
    assert_eq!(house.progress(&run).await.state(), RunState::Canceled);
}

#[tokio::test]
async fn a_settled_run_stays_as_it_is() {
    let house = house().await;
    let run = house.run_of(vec![2]).await;
    house.items.perform(&house.item_task(&run, 0).await).await.unwrap();
    let done = Progress { items: 1, done: 1, failed: 0, canceled: 0 };
    assert_eq!(house.cancel(&run).await, done);
    assert_eq!(house.cancel_task(&run).await, None, "nothing is to be done");
    assert_eq!((house.progress(&run).await, done.state()), (done, RunState::Complete));
}

#[tokio::test]
async fn the_run_of_another_owner_is_not_found() {
    let house = house().await;
    let run = house.run_of(vec![2]).await;
    let request = CancelRun { owner: samples::owner("other"), id: run.id };
    assert_eq!(house.matching.cancel_run(request).await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(house.cancel_task(&run).await, None);
    assert_eq!(house.progress(&run).await.state(), RunState::Queued);
}

#[tokio::test]
async fn each_stage_refuses_the_tasks_of_the_other() {
    let house = house().await;
    let run = house.run_of(vec![2]).await;
    let filing = house.task(&run, TaskSubject::Run { run: run.id }).await;
    house.cancel(&run).await;
    let cancel = house.cancel_task(&run).await.unwrap();
    assert_eq!(house.interactive.perform(&filing).await.unwrap_err().code, ErrorCode::Internal);
    assert_eq!(house.items.perform(&cancel).await.unwrap_err().code, ErrorCode::Internal);
}
