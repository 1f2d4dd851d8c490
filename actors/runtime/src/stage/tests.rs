use std::collections::HashMap;
use std::sync::Mutex;

use tandem_domain::error::ErrorCode;
use tandem_domain::ids::OperationId;
use tandem_domain::task::{TaskRef, TaskState};
use uuid::Uuid;

use super::*;
use crate::test_kit::{FakeQueue, FakeTasks, Faults, TestClock, node, task, until};

const SECOND: Duration = Duration::from_secs(1);

/// What the work does with a task, by the attempt's number.
#[derive(Debug, Clone, Copy)]
enum Script {
    Succeed(Duration),
    Fail(ErrorCode),
    FailTwice(ErrorCode),
    /// Fail this often, whatever the attempts count.
    FailFirst(usize, ErrorCode),
    Panic,
}

#[derive(Default)]
struct Scripted {
    /// How often a failure cannot be shown.
    unshowable: Mutex<u32>,
    scripts: Mutex<HashMap<TaskRef, Script>>,
    performed: Mutex<Vec<TaskRef>>,
    given_up: Mutex<Vec<(TaskRef, Failure)>>,
}

fn failure(code: ErrorCode) -> Failure {
    Failure { code, reason: format!("scripted {code}") }
}

#[async_trait]
impl StageWork for Scripted {
    fn kind(&self) -> TaskKind {
        TaskKind::Parse
    }

    async fn perform(&self, task: &Task) -> Result<(), Failure> {
        let times = {
            let mut performed = self.performed.lock().unwrap();
            performed.push(task.key());
            performed.iter().filter(|done| **done == task.key()).count()
        };
        let script = self.scripts.lock().unwrap().get(&task.key()).copied();
        match script.unwrap_or(Script::Succeed(Duration::ZERO)) {
            Script::Succeed(time) => tokio::time::sleep(time).await,
            Script::Fail(code) => return Err(failure(code)),
            Script::FailTwice(code) if task.attempt <= 2 => return Err(failure(code)),
            Script::FailFirst(most, code) if times <= most => return Err(failure(code)),
            Script::FailTwice(_) | Script::FailFirst(..) => {}
            Script::Panic => panic!("on purpose"),
        }
        Ok(())
    }

    async fn give_up(&self, task: &Task, failure: &Failure) -> Result<(), Failure> {
        assert!(!matches!(task.state, TaskState::Dead), "the failure is shown before the task is dead");
        let mut unshowable = self.unshowable.lock().unwrap();
        if *unshowable > 0 {
            *unshowable -= 1;
            return Err(self::failure(ErrorCode::Unavailable));
        }
        self.given_up.lock().unwrap().push((task.key(), failure.clone()));
        Ok(())
    }
}

struct Bench {
    node: SupervisorHandle,
    tasks: Arc<FakeTasks>,
    queue: Arc<FakeQueue>,
    clock: Arc<TestClock>,
    work: Arc<Scripted>,
}

impl Bench {
    async fn new() -> Self {
        Self {
            node: node().await,
            tasks: FakeTasks::new(Faults::none()),
            queue: FakeQueue::new(Faults::none()),
            clock: TestClock::new(),
            work: Arc::default(),
        }
    }

    fn add(&self, number: u128, script: Script) -> TaskRef {
        let task = task(number);
        self.tasks.put(&task);
        self.work.scripts.lock().unwrap().insert(task.key(), script);
        self.queue.put(&task.key());
        task.key()
    }

    async fn start(&self, capacity: u16) -> Stage {
        let ports =
            StagePorts { queue: self.queue.clone(), tasks: self.tasks.clone(), clock: self.clock.clone() };
        let options = StageOptions::new(NonZeroU16::new(capacity).unwrap());
        Stage::start(&self.node, options, ports, self.work.clone()).await.unwrap()
    }

    async fn until_settled(&self) {
        until("every task is settled", || self.tasks.all_settled() && self.queue.is_empty()).await;
    }

    fn performed(&self, key: &TaskRef) -> usize {
        self.work.performed.lock().unwrap().iter().filter(|done| *done == key).count()
    }
}

#[tokio::test(start_paused = true)]
async fn work_is_done_in_parallel_up_to_the_capacity() {
    let bench = Bench::new().await;
    for number in 0..20 {
        bench.add(number, Script::Succeed(SECOND));
    }
    let since = tokio::time::Instant::now();
    let stage = bench.start(5).await;
    tokio::time::sleep(SECOND / 2).await;
    assert_eq!(stage.gauges(), PoolGauges { busy: 5, queued: 0 });
    bench.until_settled().await;
    assert!(since.elapsed() >= SECOND * 4 && since.elapsed() < SECOND * 5, "{:?}", since.elapsed());
    assert!(bench.tasks.rows().iter().all(|row| row.state == TaskState::Done && row.attempt == 1));
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_may_pass_is_tried_again_later() {
    let bench = Bench::new().await;
    let key = bench.add(1, Script::FailTwice(ErrorCode::Timeout));
    bench.start(2).await;
    bench.until_settled().await;
    let row = bench.tasks.row(&key);
    assert_eq!((row.state, row.attempt, bench.performed(&key)), (TaskState::Done, 3, 3));
    assert!(bench.queue.dead().is_empty() && bench.work.given_up.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn inv_3_attempts_that_ran_out_are_dead_with_a_reason() {
    let bench = Bench::new().await;
    let key = bench.add(1, Script::Fail(ErrorCode::Timeout));
    bench.start(2).await;
    bench.until_settled().await;
    let row = bench.tasks.row(&key);
    assert_eq!((row.state, row.attempt), (TaskState::Dead, Task::MAX_ATTEMPTS));
    assert_eq!(row.last_error, Some(failure(ErrorCode::Timeout)));
    assert_eq!(bench.queue.dead(), [(key.clone(), failure(ErrorCode::Timeout).reason)]);
    assert_eq!(*bench.work.given_up.lock().unwrap(), [(key, failure(ErrorCode::Timeout))]);
}

#[tokio::test(start_paused = true)]
async fn inv_2_an_outage_costs_no_attempt() {
    for code in [ErrorCode::Unavailable, ErrorCode::Overloaded, ErrorCode::NotReady] {
        let bench = Bench::new().await;
        let times = Task::MAX_ATTEMPTS as usize + 1;
        let key = bench.add(1, Script::FailFirst(times, code));
        bench.start(2).await;
        bench.until_settled().await;
        let row = bench.tasks.row(&key);
        assert_eq!((row.state, row.attempt), (TaskState::Done, 1));
        assert_eq!(bench.performed(&key), times + 1);
        assert!(bench.queue.dead().is_empty() && bench.work.given_up.lock().unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_without_end_is_given_up_after_a_day() {
    let bench = Bench::new().await;
    let key = bench.add(1, Script::Fail(ErrorCode::Unavailable));
    bench.start(2).await;
    tokio::time::sleep(Task::MAX_AGE - SECOND * 3_600).await;
    assert_eq!(bench.tasks.row(&key).state, TaskState::Queued);
    tokio::time::sleep(SECOND * 3_600).await;
    bench.until_settled().await;
    assert_eq!(bench.tasks.row(&key).state, TaskState::Dead);
    assert_eq!(*bench.work.given_up.lock().unwrap(), [(key, failure(ErrorCode::Unavailable))]);
}

#[tokio::test(start_paused = true)]
async fn inv_3_a_failure_is_shown_as_it_was_however_long_that_takes() {
    for code in [ErrorCode::NoText, ErrorCode::Timeout] {
        let bench = Bench::new().await;
        // More rounds of three tries than there are attempts.
        *bench.work.unshowable.lock().unwrap() = 3 * (Task::MAX_ATTEMPTS + 1);
        let key = bench.add(1, Script::Fail(code));
        bench.start(2).await;
        bench.until_settled().await;
        let row = bench.tasks.row(&key);
        assert_eq!((row.state, row.last_error), (TaskState::Dead, Some(failure(code))));
        assert_eq!(*bench.work.given_up.lock().unwrap(), [(key, failure(code))]);
    }
}

/// The store goes away in the middle of each attempt, so that not even its end can be written.
#[tokio::test(start_paused = true)]
async fn inv_2_no_store_that_comes_and_goes_makes_a_task_poison() {
    let bench = Bench::new().await;
    let key = bench.add(1, Script::Succeed(SECOND * 10));
    bench.start(1).await;
    for outage in 0..=Task::MAX_LEASES {
        until("the work goes on", || matches!(bench.tasks.row(&key).state, TaskState::Leased(_))).await;
        tokio::time::sleep(SECOND).await;
        bench.tasks.be_away(true);
        // Shorter than the lease and longer.
        tokio::time::sleep(if outage % 2 == 0 { SECOND * 60 } else { StageOptions::LEASE * 2 }).await;
        let since = bench.performed(&key);
        bench.tasks.be_away(false);
        until("it is done again", || bench.performed(&key) > since).await;
        assert_eq!(bench.tasks.row(&key).attempt, 1);
    }
    bench.until_settled().await;
    let row = bench.tasks.row(&key);
    assert_eq!((row.state, row.attempt), (TaskState::Done, 1));
    assert!(bench.work.given_up.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_broken_document_is_an_answer() {
    let bench = Bench::new().await;
    let key = bench.add(1, Script::Fail(ErrorCode::NoText));
    bench.start(2).await;
    bench.until_settled().await;
    let row = bench.tasks.row(&key);
    assert_eq!((row.state, row.attempt), (TaskState::Dead, 1));
    assert!(bench.queue.dead().is_empty(), "nobody has to look at it");
    assert_eq!(*bench.work.given_up.lock().unwrap(), [(key, failure(ErrorCode::NoText))]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_defect_and_does_not_stop_the_others() {
    let bench = Bench::new().await;
    let broken = bench.add(1, Script::Panic);
    let sound = bench.add(2, Script::Succeed(SECOND));
    bench.start(1).await;
    bench.until_settled().await;
    let row = bench.tasks.row(&broken);
    assert_eq!(row.state, TaskState::Dead);
    assert_eq!(row.last_error.unwrap().code, ErrorCode::Internal);
    assert_eq!(bench.tasks.row(&sound).state, TaskState::Done);
    assert_eq!(bench.work.given_up.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn work_past_its_deadline_is_a_failure_that_may_pass() {
    let bench = Bench::new().await;
    let key = bench.add(1, Script::Succeed(StageOptions::DEADLINE * 2));
    bench.start(1).await;
    bench.until_settled().await;
    let row = bench.tasks.row(&key);
    assert_eq!((row.state, row.attempt), (TaskState::Dead, Task::MAX_ATTEMPTS));
    assert_eq!(row.last_error.unwrap().code, ErrorCode::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_while_the_work_goes_on() {
    let bench = Bench::new().await;
    let long = StageOptions::LEASE * 2;
    let key = bench.add(1, Script::Succeed(long));
    bench.start(2).await;
    // The queue delivers it again meanwhile, and each time the lease is alive.
    assert!(FakeQueue::VISIBILITY < StageOptions::LEASE);
    for _ in 0..10 {
        tokio::time::sleep(long / 12).await;
        let TaskState::Leased(lease) = bench.tasks.row(&key).state else { panic!("not leased") };
        assert!(lease.until > bench.clock.now());
    }
    bench.until_settled().await;
    assert_eq!((bench.tasks.row(&key).state, bench.performed(&key)), (TaskState::Done, 1));
}

#[tokio::test(start_paused = true)]
async fn echoes_and_strays_leave_the_queue() {
    let bench = Bench::new().await;
    let done = task(1).done();
    bench.tasks.put(&done);
    bench.queue.put(&done.key());
    let stray = task(2).key();
    bench.queue.put(&stray);
    let misplaced = Task::new(done.owner.clone(), TaskKind::Embed, done.subject.clone(), done.created_at);
    bench.tasks.put(&misplaced);
    bench.queue.put(&misplaced.key());
    bench.start(2).await;
    until("the queue is empty", || bench.queue.is_empty()).await;
    let mut dead: Vec<_> = bench.queue.dead().into_iter().map(|(key, _)| key).collect();
    dead.sort();
    let mut strays = vec![stray, misplaced.key()];
    strays.sort();
    assert_eq!(dead, strays);
    assert!(bench.work.performed.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_workers_died_is_given_up() {
    let bench = Bench::new().await;
    let mut row = task(1);
    for number in 1..=Task::MAX_LEASES {
        let operation = OperationId::from_uuid(Uuid::from_u128(1_000 + u128::from(number)));
        let later = bench.clock.now().plus(SECOND * number);
        row = row.leased(operation, later, Duration::ZERO).unwrap();
    }
    bench.tasks.put(&row);
    bench.queue.put(&row.key());
    tokio::time::sleep(SECOND * 10).await;
    bench.start(1).await;
    bench.until_settled().await;
    assert_eq!(bench.tasks.row(&row.key()).state, TaskState::Dead);
    assert_eq!(bench.queue.dead().len(), 1);
    assert_eq!(bench.work.given_up.lock().unwrap().len(), 1);
    assert_eq!(bench.performed(&row.key()), 0);
}

#[tokio::test(start_paused = true)]
async fn inv_2_work_whose_pool_was_killed_goes_on_before_its_lease_ends() {
    let bench = Bench::new().await;
    let key = bench.add(1, Script::Succeed(SECOND * 10));
    let since = tokio::time::Instant::now();
    bench.start(1).await;
    tokio::time::sleep(SECOND * 5).await;
    assert!(bench.node.kill("parse/pool"));
    bench.until_settled().await;
    assert!(since.elapsed() < SECOND * 20, "{:?}", since.elapsed());
    let row = bench.tasks.row(&key);
    assert_eq!((row.state, row.attempt, bench.performed(&key)), (TaskState::Done, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn inv_2_work_goes_on_while_its_consumer_is_killed() {
    let bench = Bench::new().await;
    let key = bench.add(1, Script::Succeed(SECOND * 10));
    let stage = bench.start(1).await;
    for _ in 0..3 {
        tokio::time::sleep(SECOND * 2).await;
        assert!(bench.node.kill("parse/consumer"));
        assert_eq!(stage.gauges().busy, 1);
    }
    bench.until_settled().await;
    let row = bench.tasks.row(&key);
    assert_eq!((row.state, row.attempt, bench.performed(&key)), (TaskState::Done, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_drain_finishes_what_it_can_and_gives_back_the_rest() {
    let bench = Bench::new().await;
    let short = bench.add(1, Script::Succeed(SECOND * 5));
    let long = bench.add(2, Script::Succeed(SECOND * 200));
    bench.start(2).await;
    tokio::time::sleep(SECOND).await;
    let waiting = bench.add(3, Script::Succeed(SECOND));
    let report = bench.node.shutdown(Drain::LIMIT).await;
    assert_eq!((report.finished, report.given_back, report.abandoned), (1, 1, 0));
    assert!(report.killed.is_empty(), "{:?}", report.killed);
    assert_eq!(bench.tasks.row(&short).state, TaskState::Done);
    let given_back = bench.tasks.row(&long);
    assert_eq!((given_back.state, given_back.attempt), (TaskState::Queued, 0));
    assert_eq!(bench.tasks.row(&waiting), task(3), "nothing new is taken");
    assert_eq!(bench.queue.waiting(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_nothing() {
    let bench = Bench::new().await;
    bench.start(2).await;
    tokio::time::sleep(SECOND).await;
    let since = tokio::time::Instant::now();
    bench.node.shutdown(Drain::LIMIT).await;
    assert!(since.elapsed() < SECOND, "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_comes_back_is_subscribed_again() {
    let bench = Bench::new().await;
    bench.start(2).await;
    for number in 0..10 {
        bench.add(number, Script::Succeed(SECOND));
        bench.queue.break_subscriptions();
        tokio::time::sleep(SECOND).await;
    }
    bench.until_settled().await;
    assert!(bench.tasks.rows().iter().all(|row| row.state == TaskState::Done));
    let consumer = bench.node.actors().into_iter().find(|actor| actor.name == "parse/consumer").unwrap();
    assert_eq!(consumer.restarts, 0, "the queue's trouble is not the actor's death");
}
