//! Leases whose end could not be written, because the store was away. Their holder is done with them: once the store is
//! back nobody has to wait for them to run out, and they count as no attempt.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tandem_domain::ids::OperationId;
use tandem_domain::task::TaskRef;

/// More are forgotten, which costs each a wait and an attempt. While the store is away no lease begins, so there are
/// about as many as workers.
const MOST: usize = 10_000;

/// What this process holds in the store and not in its hands.
#[derive(Debug, Default)]
pub(super) struct Unwritten(Mutex<HashMap<TaskRef, OperationId>>);

impl Unwritten {
    /// The lease of `operation` is over, and the row does not say so.
    pub(super) fn put(&self, task: &TaskRef, operation: OperationId) {
        let mut leases = self.lock();
        if leases.len() < MOST {
            leases.insert(task.clone(), operation);
        }
    }

    /// The operation whose lease of this task is over, once.
    pub(super) fn take(&self, task: &TaskRef) -> Option<OperationId> {
        self.lock().remove(task)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TaskRef, OperationId>> {
        // The map is whole at every moment, also after a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
