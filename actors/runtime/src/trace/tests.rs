use std::collections::BTreeSet;
use std::num::{NonZeroU16, NonZeroUsize};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::task::{Task, TaskKind};
use tandem_ports::trace::{current, within};

use super::*;
use crate::kind::ActorKind;
use crate::pool::{Pool, PoolOptions};
use crate::stage::{Stage, StageOptions, StagePorts, StageWork};
use crate::test_kit::{FakeQueue, FakeTasks, Faults, TestClock, node, task, until};

const CALLER: TraceContext = TraceContext { trace: TraceId::new(7), span: SpanId::new(9), sampled: true };

#[tokio::test]
async fn work_is_a_part_of_its_span() {
    let none = Span::begin("extract", SpanKind::Client);
    assert_eq!((none.trace(), none.run(async { current() }).await), (None, None));
    let outer = Span::below(Some(CALLER), "parse", SpanKind::Consumer);
    let inner = outer.run(async { Span::begin("extract", SpanKind::Client).trace() }).await.unwrap();
    let outer = outer.trace().unwrap();
    assert_eq!((outer.trace, inner.trace), (CALLER.trace, CALLER.trace));
    assert!(outer.span != CALLER.span && inner.span != outer.span);
}

#[tokio::test]
async fn a_job_is_a_part_of_what_its_caller_does() {
    let (node, options) = (node().await, PoolOptions { workers: NonZeroUsize::MIN, queue: 1 });
    let handler = Arc::new(|()| async { current() }.boxed());
    let pool = Pool::start(&node, ActorKind::Pool, "pool", options, handler).await.unwrap();
    let deadline = Duration::from_secs(60);
    let seen = within(Some(CALLER), pool.run((), deadline)).await.unwrap().unwrap();
    assert_eq!(seen.trace, CALLER.trace);
    assert_ne!(seen.span, CALLER.span, "waiting and working are a span of their own");
    assert_eq!(pool.run((), deadline).await, Ok(None), "nothing stays behind at the worker");
}

/// Notes what it is a part of, and fails at first.
#[derive(Default)]
struct Noting(Mutex<Vec<Option<TraceContext>>>);

#[async_trait]
impl StageWork for Noting {
    fn kind(&self) -> TaskKind {
        TaskKind::Parse
    }

    async fn perform(&self, task: &Task) -> Result<(), Failure> {
        self.0.lock().unwrap().push(current());
        let code = ErrorCode::Timeout;
        if task.attempt > 1 { Ok(()) } else { Err(Failure { code, reason: "once".to_owned() }) }
    }

    async fn give_up(&self, _: &Task, _: &Failure) -> Result<(), Failure> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_at_a_task_is_a_span_of_the_trace_in_which_it_was_filed() {
    let (node, work) = (node().await, Arc::new(Noting::default()));
    let (tasks, queue) = (FakeTasks::new(Faults::none()), FakeQueue::new(Faults::none()));
    let (filed, lost) = (task(1), task(2));
    for task in [&filed, &lost] {
        tasks.put(task);
    }
    within(Some(CALLER), async { queue.put(&filed.key()) }).await;
    let ports = StagePorts { queue: queue.clone(), tasks: tasks.clone(), clock: TestClock::new() };
    Stage::start(&node, StageOptions::new(NonZeroU16::MIN), ports, work.clone()).await.unwrap();
    until("the task is done", || queue.is_empty()).await;
    // As the relay publishes what a crash left without a message.
    queue.put(&lost.key());
    until("the other one is done", || tasks.all_settled() && queue.is_empty()).await;
    let seen: Vec<TraceContext> = work.0.lock().unwrap().iter().map(|seen| seen.unwrap()).collect();
    let lost = TraceId::of(lost.id.as_uuid());
    let traces: Vec<TraceId> = seen.iter().map(|seen| seen.trace).collect();
    assert_eq!(traces, [CALLER.trace, CALLER.trace, lost, lost]);
    let spans: BTreeSet<SpanId> = seen.iter().map(|seen| seen.span).collect();
    assert_eq!(spans.len(), 4, "each attempt is one of its own");
}
