//! Stores on the real server that `CQL_NODES` names.

use std::sync::Arc;

use scylla::client::session::Session;
use tandem_domain::time::Timestamp;
use tandem_ports::Clock;
use tokio::sync::{OnceCell, OwnedMutexGuard};
use uuid::Uuid;

use crate::migrations::{query, rows};
use crate::session::{Profiles, connect};
use crate::{Replication, ScyllaOptions, ScyllaStore, migrate};

/// Real ids, so that operations of different stores never meet, and a time that stands still.
pub(crate) struct TestClock;

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_793_534_400_000)
    }

    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Options for a keyspace of this test process, or `None` where there is no server: said loudly, and a failure where
/// services are required.
pub(crate) fn options(keyspace: &str) -> Option<ScyllaOptions> {
    let nodes = std::env::var("CQL_NODES").unwrap_or_default();
    if nodes.is_empty() {
        let required = std::env::var("TANDEM_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "CQL_NODES is not set and TANDEM_REQUIRE_SERVICES=1: start deploy/local/cassandra.sh"
        );
        eprintln!("SKIPPED: CQL_NODES is not set; see deploy/local/cassandra.sh");
        return None;
    }
    let nodes: Vec<String> = nodes.split(',').map(str::to_owned).collect();
    let copies = if nodes.len() >= 3 { 3 } else { 1 };
    Some(ScyllaOptions {
        keyspace: format!("tandem_test_{}_{keyspace}", std::process::id()),
        replication: Replication::Factor(copies),
        // Emptying tables writes their memtables to disk first where a commit log guards them.
        durable_writes: false,
        ..ScyllaOptions::new(nodes, Arc::new(TestClock))
    })
}

/// A keyspace that is dropped when the test ends.
pub(crate) struct Place {
    pub(crate) options: ScyllaOptions,
    pub(crate) session: Session,
    profiles: Profiles,
}

impl Place {
    pub(crate) async fn new(keyspace: &str) -> Option<Self> {
        let options = options(keyspace)?;
        let profiles = Profiles::new(&options);
        let session = connect(&options).await.unwrap();
        Some(Self { options, session, profiles })
    }

    pub(crate) async fn ddl(&self, text: &str) {
        let text = text.replace('@', &self.options.keyspace);
        query(&self.session, &self.profiles.ddl, &text, ()).await.unwrap();
    }

    pub(crate) async fn rows<R>(&self, text: &str) -> Vec<R>
    where
        R: for<'a> scylla::deserialize::row::DeserializeRow<'a, 'a>,
    {
        let text = text.replace('@', &self.options.keyspace);
        rows(query(&self.session, &self.profiles.read, &text, ()).await.unwrap()).unwrap()
    }

    pub(crate) async fn drop_keyspace(&self) {
        self.ddl("DROP KEYSPACE IF EXISTS @").await;
    }

    /// Empties every table that holds data.
    async fn empty(&self) {
        let select = format!(
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = '{}'",
            self.options.keyspace
        );
        for (table,) in self.rows::<(String,)>(&select).await {
            if table.starts_with("schema_") {
                continue;
            }
            let counts: Vec<(i64,)> = self.rows(&format!("SELECT count(*) FROM @.{table}")).await;
            // Removals from this index have times of their own: they must not outlive what they removed.
            if counts != [(0,)] || table == "unsettled_tasks" {
                self.ddl(&format!("TRUNCATE @.{table}")).await;
            }
        }
    }
}

/// One migrated keyspace of this process, used by one suite at a time.
pub(crate) struct Shared {
    place: Place,
    pub(crate) store: ScyllaStore,
    _turn: OwnedMutexGuard<()>,
}

impl Shared {
    pub(crate) async fn new() -> Option<Self> {
        static TURN: OnceCell<Arc<tokio::sync::Mutex<()>>> = OnceCell::const_new();
        let turn = TURN.get_or_init(async || Arc::default()).await.clone();
        let turn = turn.lock_owned().await;
        let place = Place::new("shared").await?;
        migrate(&place.options).await.unwrap();
        let store = ScyllaStore::connect(place.options.clone()).await.unwrap();
        Some(Self { place, store, _turn: turn })
    }

    /// The store with nothing in it: for suites, which ask for an empty one without waiting.
    pub(crate) fn make(&self) -> Arc<ScyllaStore> {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(self.place.empty()));
        self.store.recent_log().clear();
        Arc::new(self.store.clone())
    }

    pub(crate) async fn ddl(&self, text: &str) {
        self.place.ddl(text).await;
    }

    pub(crate) async fn end(self) {
        self.place.drop_keyspace().await;
    }
}
