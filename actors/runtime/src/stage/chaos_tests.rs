//! Whatever is killed and whatever the ports do, no task is lost: each ends done, or dead with its failure shown.

use std::collections::BTreeMap;
use std::sync::Mutex;

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tandem_domain::error::ErrorCode;
use tandem_domain::task::{TaskRef, TaskState};

use super::*;
use crate::relay::{Relay, RelayOptions};
use crate::test_kit::{FakeQueue, FakeTasks, Faults, TestClock, node, task};

const TASKS: u128 = 200;
const CAPACITY: u16 = 4;
/// Kills closer than this would be more than the table allows, and end the node by design.
const LEAST_GAP_MS: u64 = 6_100;

struct Chaotic {
    random: Mutex<StdRng>,
    effects: Mutex<BTreeMap<TaskRef, u32>>,
    shown: Mutex<BTreeMap<TaskRef, Failure>>,
}

#[async_trait]
impl StageWork for Chaotic {
    fn kind(&self) -> TaskKind {
        TaskKind::Parse
    }

    async fn perform(&self, task: &Task) -> Result<(), Failure> {
        let (time, luck) = {
            let mut random = self.random.lock().unwrap();
            (random.random_range(100..4_000), random.random_range(0..100))
        };
        tokio::time::sleep(Duration::from_millis(time)).await;
        match luck {
            0..5 => return Err(Failure { code: ErrorCode::Unavailable, reason: "bad luck".to_owned() }),
            5..8 => return Err(Failure { code: ErrorCode::NoText, reason: "broken".to_owned() }),
            8..10 => panic!("on purpose"),
            _ => {}
        }
        *self.effects.lock().unwrap().entry(task.key()).or_default() += 1;
        tokio::time::sleep(Duration::from_millis(time / 4)).await;
        Ok(())
    }

    async fn give_up(&self, task: &Task, failure: &Failure) -> Result<(), Failure> {
        if self.random.lock().unwrap().random_range(0..100) < 20 {
            return Err(Failure { code: ErrorCode::Timeout, reason: "not now".to_owned() });
        }
        self.shown.lock().unwrap().insert(task.key(), failure.clone());
        Ok(())
    }
}

struct World {
    tasks: Arc<FakeTasks>,
    queue: Arc<FakeQueue>,
    clock: Arc<TestClock>,
    work: Arc<Chaotic>,
}

impl World {
    fn new(seed: u64) -> Self {
        let random = Mutex::new(StdRng::seed_from_u64(seed ^ 2));
        let world = Self {
            tasks: FakeTasks::new(Faults::new(4, 30, seed)),
            queue: FakeQueue::new(Faults::new(4, 30, seed ^ 1)),
            clock: TestClock::new(),
            work: Arc::new(Chaotic { random, effects: Mutex::default(), shown: Mutex::default() }),
        };
        // Rows only: the relay has to publish them.
        (0..TASKS).for_each(|number| world.tasks.put(&task(number)));
        world
    }

    async fn start_node(&self) -> SupervisorHandle {
        let node = node().await;
        let (tasks, queue, clock) = (self.tasks.clone(), self.queue.clone(), self.clock.clone());
        let ports = StagePorts { queue: queue.clone(), tasks: tasks.clone(), clock: clock.clone() };
        let options = StageOptions::new(NonZeroU16::new(CAPACITY).unwrap());
        Stage::start(&node, options, ports, self.work.clone()).await.unwrap();
        Relay::start(&node, RelayOptions::default(), tasks, queue, clock).await.unwrap();
        node
    }

    fn is_settled(&self) -> bool {
        self.tasks.all_settled() && self.queue.is_empty()
    }
}

/// Kills actors until all tasks are settled; now and then the whole node, which another one follows. Returns how
/// many kills it took.
async fn run(seed: u64, world: &World) -> usize {
    let mut random = StdRng::seed_from_u64(seed ^ 3);
    let mut node = world.start_node().await;
    let mut kills = 0;
    while !world.is_settled() {
        let gap = LEAST_GAP_MS + random.random_range(0..4_000);
        tokio::time::sleep(Duration::from_millis(gap)).await;
        kills += 1;
        assert!(kills < 500, "not settled after {kills} kills");
        match random.random_range(0..10) {
            0..=2 => drop(node.kill("parse/pool")),
            3..=5 => drop(node.kill("parse/consumer")),
            6 => drop(node.kill("relay")),
            7 => world.queue.break_subscriptions(),
            8 => {
                node.crash().await;
                node = world.start_node().await;
            }
            _ => {
                node.shutdown(Duration::from_secs(2)).await;
                node = world.start_node().await;
            }
        }
    }
    node.shutdown(Duration::from_secs(1)).await;
    kills
}

fn check(world: &World) {
    let (rows, queue, work) = (world.tasks.rows(), &world.queue, &world.work);
    assert_eq!(rows.len() as u128, TASKS);
    let (effects, shown) = (work.effects.lock().unwrap(), work.shown.lock().unwrap());
    for row in &rows {
        let key = row.key();
        match &row.state {
            TaskState::Done => assert!(effects.contains_key(&key), "done without its effect"),
            TaskState::Dead => {
                let reason = row.last_error.as_ref().unwrap();
                assert!(shown.contains_key(&key), "dead without a visible failure: {reason:?}");
            }
            TaskState::Queued | TaskState::Leased(_) => panic!("lost: {row:?}"),
        }
    }
    for (key, _) in queue.dead() {
        let row = rows.iter().find(|row| row.key() == key).unwrap();
        assert_eq!(row.state, TaskState::Dead, "put aside but not dead");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn inv_2_no_kill_loses_a_task(seed in any::<u64>()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let (world, kills) = runtime.block_on(async {
            let world = World::new(seed);
            let kills = run(seed, &world).await;
            (world, kills)
        });
        check(&world);
        let done = world.tasks.rows().iter().filter(|row| row.state == TaskState::Done).count();
        prop_assert!(kills >= 10, "only {} kills", kills);
        prop_assert!(done as u128 > TASKS * 8 / 10, "only {} done", done);
    }
}
