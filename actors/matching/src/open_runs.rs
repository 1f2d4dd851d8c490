//! Runs as those who work on them see them. Runs never change, so they are read once.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, OwnerId, RunId};
use tandem_domain::run::{MatchRun, Selection};
use tandem_ports::documents::LogPosition;
use tandem_ports::{DocumentStore, RunStore};
use tokio::sync::OnceCell;

use crate::allowance::Bill;

/// Runs that are remembered: items of one run come one after another, and few runs go on at a time.
const REMEMBERED: usize = 8;

/// A run with its candidates as a set.
pub(crate) struct OpenRun {
    pub(crate) run: MatchRun,
    /// `None` = all.
    pub(crate) among: Option<Arc<HashSet<DocumentId>>>,
    pub(crate) bill: Bill,
    head: OnceCell<LogPosition>,
}

impl OpenRun {
    /// How far the change log went when the first item of this run was worked on here. Items are filed once every
    /// document that the run names has settled, so all of them lie before it.
    pub(crate) async fn head(&self, documents: &dyn DocumentStore) -> Result<LogPosition, Failure> {
        Ok(*self.head.get_or_try_init(|| documents.log_head()).await?)
    }
}

/// The runs that were worked on last.
pub struct OpenRuns {
    runs: Arc<dyn RunStore>,
    recent: Mutex<VecDeque<Arc<OpenRun>>>,
}

impl OpenRuns {
    /// Reads runs from this store.
    pub fn new(runs: Arc<dyn RunStore>) -> Self {
        Self { runs, recent: Mutex::default() }
    }

    /// The owner's run. Its row may be on its way, because its task is filed first.
    pub(crate) async fn open(&self, owner: &OwnerId, id: RunId) -> Result<Arc<OpenRun>, Failure> {
        if let Some(open) = self.recent(|recent| {
            recent.iter().find(|open| open.run.id == id && open.run.owner == *owner).cloned()
        }) {
            return Ok(open);
        }
        let run = self.runs.run(owner, id).await?.ok_or_else(|| Failure {
            code: ErrorCode::NotReady,
            reason: "the run is not there yet".to_owned(),
        })?;
        let among = match &run.spec.candidates {
            Selection::All => None,
            Selection::Ids(ids) => Some(Arc::new(ids.iter().copied().collect())),
        };
        let open = Arc::new(OpenRun { run, among, bill: Bill::default(), head: OnceCell::new() });
        self.recent(|recent| {
            recent.push_front(Arc::clone(&open));
            recent.truncate(REMEMBERED);
        });
        Ok(open)
    }

    fn recent<T>(&self, with: impl FnOnce(&mut VecDeque<Arc<OpenRun>>) -> T) -> T {
        with(&mut self.recent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
