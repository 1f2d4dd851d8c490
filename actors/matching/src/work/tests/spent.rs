//! Runs that come to the end of their owner's plan.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::allowance::Coverage;

/// Answers in this order, and remembers which items were asked for.
#[derive(Default)]
struct Answers {
    answers: Mutex<VecDeque<Result<Coverage, Failure>>>,
    asked: Mutex<Vec<u32>>,
}

#[async_trait]
impl Allowance for Answers {
    async fn cover(&self, _: &MatchRun, item: u32) -> Result<Coverage, Failure> {
        self.asked.lock().unwrap().push(item);
        self.answers.lock().unwrap().pop_front().expect("no more is asked")
    }
}

fn spent() -> Failure {
    Failure { code: ErrorCode::UpgradeRequired, reason: "Your plan allows no more.".to_owned() }
}

/// A run of three items and what its owner's plan says to it.
async fn metered(
    answers: impl IntoIterator<Item = Result<Coverage, Failure>>,
) -> (House, MatchRun, Arc<Answers>) {
    let answers = Answers { answers: Mutex::new(answers.into_iter().collect()), ..Answers::default() };
    let (house, answers) = (house().await, Arc::new(answers));
    let items = house.items.metered(Some(answers.clone()));
    let house = House { items, ..house };
    let spec = spec(DocumentKind::Resume, vec![2, 3, 4]);
    let create = CreateRun { owner: OwnerId::local(), operation: operation(1), spec };
    let run = house.matching.create_run(create).await.unwrap().run;
    house.item_task(&run, 0).await;
    (house, run, answers)
}

async fn perform(house: &House, run: &MatchRun, item: u32) -> Result<(), Failure> {
    let task = house.task(run, TaskSubject::RunItem { run: run.id, item }).await;
    house.items.perform(&task).await
}

async fn progress(house: &House, run: &MatchRun) -> Progress {
    house.store.progress(&run.owner, run.id).await.unwrap().unwrap()
}

#[tokio::test]
async fn items_behind_the_end_of_the_plan_say_so_and_are_not_ranked() {
    let answers = [Ok(Coverage::Taken), Ok(Coverage::Spent(spent()))];
    let (house, run, answers) = metered(answers).await;
    for item in [0, 1, 2, 1, 0] {
        perform(&house, &run, item).await.unwrap();
    }
    assert_eq!(*answers.asked.lock().unwrap(), [0, 1], "the run stops at the first");
    assert_eq!(progress(&house, &run).await, Progress { items: 3, done: 1, failed: 2, canceled: 0 });
    let failed = GetFailedItems { owner: run.owner.clone(), id: run.id, limit: 10 };
    assert_eq!(house.matching.failed_items(failed).await.unwrap().items, [(1, spent()), (2, spent())]);
    assert_eq!(house.store.count_rows(&run.owner, run.id).await.unwrap(), 1);
}

#[tokio::test]
async fn an_item_that_was_paid_for_is_ranked_however_late_it_comes() {
    let answers = [Ok(Coverage::Spent(spent())), Ok(Coverage::Taken), Ok(Coverage::Taken)];
    let (house, run, answers) = metered(answers).await;
    for item in [2, 0, 1] {
        perform(&house, &run, item).await.unwrap();
    }
    assert_eq!(*answers.asked.lock().unwrap(), [2, 0, 1]);
    assert_eq!(progress(&house, &run).await, Progress { items: 3, done: 2, failed: 1, canceled: 0 });
}

#[tokio::test]
async fn what_costs_nothing_is_asked_for_once_and_no_answer_is_not_an_end() {
    let away = samples::failure("the quota is away");
    let (house, run, answers) = metered([Err(away.clone()), Ok(Coverage::Free)]).await;
    assert_eq!(perform(&house, &run, 0).await, Err(away));
    assert_eq!(progress(&house, &run).await.done, 0);
    for item in 0..3 {
        perform(&house, &run, item).await.unwrap();
    }
    assert_eq!(*answers.asked.lock().unwrap(), [0, 0]);
    assert_eq!(progress(&house, &run).await.done, 3);
}
