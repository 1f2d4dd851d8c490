//! A unit of work and its life: who holds it, how often it was tried, what went wrong. Pure: stores and stages carry
//! these decisions out, they do not make them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::chunk::ModelKey;
use crate::document::{Failure, Version};
use crate::error::ErrorCode;
use crate::ids::{DocumentId, MatchId, OperationId, OwnerId, RunId, TaskId, TenantId, derived};
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// How soon work is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Somebody waits for it: before everything that can wait.
    Interactive,
    /// It can wait, but not for ever.
    Bulk,
}

impl Urgency {
    /// What is most urgent comes first.
    pub const ALL: [Self; 2] = [Self::Interactive, Self::Bulk];
}

/// The kinds of work; each has a queue and a pool of its own. What somebody waits for never stands behind bulk work,
/// because it is of another kind. Rows hold the order of the kinds: a new one comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Read and structure a document version that somebody waits for.
    Parse,
    /// Make the vectors of one.
    Embed,
    /// Score one pair that somebody waits for, or cancel a run.
    MatchInteractive,
    /// File the items of a run, or rank the candidates of one.
    MatchBulk,
    /// Remove a document with everything that was made of it.
    Erase,
    /// Read and structure a document version of many.
    ParseBulk,
    /// Make the vectors of one, or those by a second model.
    EmbedBulk,
}

impl TaskKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Parse,
        Self::ParseBulk,
        Self::Embed,
        Self::EmbedBulk,
        Self::MatchInteractive,
        Self::MatchBulk,
        Self::Erase,
    ];

    /// Reading what is wanted so soon.
    #[must_use]
    pub const fn parse(urgency: Urgency) -> Self {
        match urgency {
            Urgency::Interactive => Self::Parse,
            Urgency::Bulk => Self::ParseBulk,
        }
    }

    /// Embedding what is wanted so soon.
    #[must_use]
    pub const fn embed(urgency: Urgency) -> Self {
        match urgency {
            Urgency::Interactive => Self::Embed,
            Urgency::Bulk => Self::EmbedBulk,
        }
    }

    /// `parse`, `parse.bulk`, `embed`, `embed.bulk`, `match.interactive`, `match.bulk` or `erase`: for queues and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Embed => "embed",
            Self::MatchInteractive => "match.interactive",
            Self::MatchBulk => "match.bulk",
            Self::Erase => "erase",
            Self::ParseBulk => "parse.bulk",
            Self::EmbedBulk => "embed.bulk",
        }
    }
}

/// What the work is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskSubject {
    /// A version of a document.
    Version {
        /// The document.
        document: DocumentId,
        /// The version.
        version: Version,
    },
    /// A requested pair.
    Match {
        /// The match.
        id: MatchId,
    },
    /// A run as a whole: its items are to be filed.
    Run {
        /// The run.
        run: RunId,
    },
    /// An item of a run.
    RunItem {
        /// The run.
        run: RunId,
        /// The item's number, from 0.
        item: u32,
    },
    /// A run that is to be canceled: its items that have not ended are to be ended.
    RunCancel {
        /// The run.
        run: RunId,
    },
    /// A document that is to be removed. It names all that must be found again when the document's row is gone.
    Erasure {
        /// The document.
        document: DocumentId,
        /// Its version.
        version: Version,
        /// Where its original lies.
        object_key: String,
    },
    /// A person who is to be erased with everything of theirs.
    Person {
        /// The erasure: a later one is another task.
        operation: OperationId,
        /// The organization of the account that says so from then on.
        tenant: TenantId,
    },
    /// The vectors of a version by a model that it has none of yet, because the corpus is moved to that model or was
    /// moved from it.
    Vectors {
        /// The document.
        document: DocumentId,
        /// The version.
        version: Version,
        /// The model.
        model: ModelKey,
        /// The move for which they are made: [`crate::models::Models::epoch`].
        epoch: u64,
    },
}

/// How a task is named in a message: its key and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskRef {
    /// Whose.
    pub owner: OwnerId,
    /// Which.
    pub id: TaskId,
}

/// Who works on a task, and until when nobody else may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Made anew for each lease: only its holder can finish the task.
    pub operation: OperationId,
    /// When it ends by itself.
    pub until: Timestamp,
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Waiting for a worker.
    Queued,
    /// In a worker's hands.
    Leased(Lease),
    /// Its effect is durable.
    Done,
    /// Given up: tried too often, or hopeless.
    Dead,
}

impl TaskState {
    /// `queued`, `leased`, `done` or `dead`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Leased(_) => "leased",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

/// The row of a task: the truth about it, whatever the queue delivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Whose.
    pub owner: OwnerId,
    /// Which; follows from owner, kind and subject.
    pub id: TaskId,
    /// What sort of work.
    pub kind: TaskKind,
    /// About what.
    pub subject: TaskSubject,
    /// Where it stands.
    pub state: TaskState,
    /// How often it was leased; leases that ended through nobody's fault are taken off again.
    pub attempt: u32,
    /// Counts the writes of this row: a write names the revision it replaces.
    pub rev: u64,
    /// What went wrong the last time.
    pub last_error: Option<Failure>,
    /// When it was filed.
    pub created_at: Timestamp,
}

/// Why a task cannot be leased now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseRefusal {
    /// Done or dead: the delivery is an echo and can be acknowledged.
    Settled,
    /// Somebody holds it until then.
    Held(Timestamp),
}

/// What became of a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// Try again after this long.
    Retry(Duration),
    /// Never again.
    GiveUp,
}

impl Task {
    /// The most attempts at one task that fail.
    pub const MAX_ATTEMPTS: u32 = 5;

    /// The most leases of one task that end without a word. More than the attempts that fail, because such a lease says
    /// little about the work: its worker had other tasks in hand as well, and its node may have died of none of them.
    pub const MAX_LEASES: u32 = 10;

    /// Waiting times before the second, third, … attempt.
    pub const BACK_OFF: [Duration; Self::MAX_ATTEMPTS as usize - 1] =
        [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120)];

    /// How long a task waits for a part of the system that is away, counted from its filing: longer than any outage
    /// that somebody is mending.
    pub const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

    /// How long the failure of a task is tried to be shown, counted from its filing: as long again as its work.
    pub const SHOW_WITHIN: Duration = Duration::from_secs(2 * 24 * 60 * 60);

    /// The waits for a part of the system that is away, ascending. But for the first they are steps of the queue's ladder,
    /// which rounds a wait up to one of its own: three minutes would become ten.
    pub const OUTAGE_WAITS: [Duration; 5] = [
        Duration::from_secs(1),
        Duration::from_secs(5),
        Duration::from_secs(30),
        Duration::from_secs(120),
        Duration::from_secs(600),
    ];

    /// A task to be filed. Filing the same work twice makes the same id, so the second is recognized.
    #[must_use]
    pub fn new(owner: OwnerId, kind: TaskKind, subject: TaskSubject, now: Timestamp) -> Self {
        let id = Self::id_of(&owner, kind, &subject);
        Self {
            owner,
            id,
            kind,
            subject,
            state: TaskState::Queued,
            attempt: 0,
            rev: 1,
            last_error: None,
            created_at: now,
        }
    }

    /// The id that follows from the work.
    #[must_use]
    pub fn id_of(owner: &OwnerId, kind: TaskKind, subject: &TaskSubject) -> TaskId {
        let (tag, id, number) = match subject {
            TaskSubject::Version { document, version } => (b"v", document.as_uuid(), version.0),
            TaskSubject::Match { id } => (b"m", id.as_uuid(), 0),
            TaskSubject::Run { run } => (b"a", run.as_uuid(), 0),
            TaskSubject::RunItem { run, item } => (b"r", run.as_uuid(), *item),
            TaskSubject::RunCancel { run } => (b"c", run.as_uuid(), 0),
            TaskSubject::Erasure { document, version, .. } => (b"e", document.as_uuid(), version.0),
            TaskSubject::Person { operation, .. } => (b"p", operation.as_uuid(), 0),
            TaskSubject::Vectors { document, version, .. } => (b"w", document.as_uuid(), version.0),
        };
        let number = number.to_be_bytes();
        let mut parts =
            vec![owner.as_str().as_bytes(), kind.name().as_bytes(), tag, &id.as_bytes()[..], &number];
        let epoch_bytes;
        if let TaskSubject::Vectors { model, epoch, .. } = subject {
            epoch_bytes = epoch.to_be_bytes();
            parts.extend([&model.as_bytes()[..], &epoch_bytes]);
        }
        TaskId::from_uuid(derived("task", &parts))
    }

    /// The key of this task.
    #[must_use]
    pub fn key(&self) -> TaskRef {
        TaskRef { owner: self.owner.clone(), id: self.id }
    }

    /// This task in the hands of the worker that made `operation`.
    ///
    /// # Errors
    /// When it is settled or held by another.
    pub fn leased(
        &self,
        operation: OperationId,
        now: Timestamp,
        length: Duration,
    ) -> Result<Self, LeaseRefusal> {
        match &self.state {
            TaskState::Done | TaskState::Dead => Err(LeaseRefusal::Settled),
            TaskState::Leased(lease) if lease.until > now && lease.operation != operation => {
                Err(LeaseRefusal::Held(lease.until))
            }
            TaskState::Queued | TaskState::Leased(_) => {
                let lease = Lease { operation, until: now.plus(length) };
                Ok(self.next(TaskState::Leased(lease), self.attempt.saturating_add(1)))
            }
        }
    }

    /// This task with its lease prolonged; `None` when `operation` does not hold it (any more).
    #[must_use]
    pub fn renewed(&self, operation: OperationId, now: Timestamp, length: Duration) -> Option<Self> {
        match &self.state {
            TaskState::Leased(lease) if lease.operation == operation => {
                Some(self.next(TaskState::Leased(Lease { operation, until: now.plus(length) }), self.attempt))
            }
            TaskState::Leased(_) | TaskState::Queued | TaskState::Done | TaskState::Dead => None,
        }
    }

    /// This task done.
    #[must_use]
    pub fn done(&self) -> Self {
        Self { last_error: None, ..self.next(TaskState::Done, self.attempt) }
    }

    /// This task after a failed attempt, and what is to happen.
    ///
    /// Where a part of the system was away, busy or not ready, the work is not at fault: the attempt does not count, and
    /// the task is tried again until it is older than [`Task::MAX_AGE`]. Another retryable failure is tried again until
    /// [`Task::MAX_ATTEMPTS`]. Any other is final.
    #[must_use]
    pub fn failed(&self, failure: Failure, now: Timestamp) -> (Self, AfterFailure) {
        let (attempt, wait) = if is_outage(failure.code) {
            (self.attempt.saturating_sub(1), self.outage_wait(now, Self::MAX_AGE))
        } else if failure.code.retryable() && self.attempt < Self::MAX_ATTEMPTS {
            let step = (self.attempt.max(1) as usize - 1).min(Self::BACK_OFF.len() - 1);
            (self.attempt, Some(Self::BACK_OFF[step]))
        } else {
            (self.attempt, None)
        };
        match wait {
            Some(wait) => (self.ended(TaskState::Queued, attempt, failure), AfterFailure::Retry(wait)),
            None => (self.ended(TaskState::Dead, self.attempt, failure), AfterFailure::GiveUp),
        }
    }

    /// This task, hopeless because of `failure`, while that could not be shown to anybody: it waits, and its last attempt
    /// is made again, because nobody would learn of a task that died now. Older than [`Task::SHOW_WITHIN`], it dies.
    #[must_use]
    pub fn unshown(&self, failure: Failure, now: Timestamp) -> (Self, AfterFailure) {
        match self.outage_wait(now, Self::SHOW_WITHIN) {
            Some(wait) => {
                let attempt = self.attempt.saturating_sub(1);
                (self.ended(TaskState::Queued, attempt, failure), AfterFailure::Retry(wait))
            }
            None => (self.ended(TaskState::Dead, self.attempt, failure), AfterFailure::GiveUp),
        }
    }

    /// How long to wait for a part of the system that is away: at most a quarter of the task's age, so that the end of a
    /// short outage is noticed soon and a long one costs little. `None` = the task is older than `limit`.
    #[must_use]
    fn outage_wait(&self, now: Timestamp, limit: Duration) -> Option<Duration> {
        let age = now.millis().saturating_sub(self.created_at.millis());
        let age = Duration::from_millis(u64::try_from(age).unwrap_or(0));
        let [least, ..] = Self::OUTAGE_WAITS;
        (age <= limit).then(|| Self::OUTAGE_WAITS.into_iter().rfind(|wait| *wait <= age / 4).unwrap_or(least))
    }

    /// This task put back untouched, as when its worker is asked to stop: the attempt does not count.
    #[must_use]
    pub fn given_back(&self) -> Self {
        self.next(TaskState::Queued, self.attempt.saturating_sub(1))
    }

    /// This task after the process of its worker is certainly gone: free at once. The attempt counts, because the work
    /// may be what ended the process.
    #[must_use]
    pub fn abandoned(&self) -> Self {
        self.next(TaskState::Queued, self.attempt)
    }

    /// A lease that died with its worker counts as an attempt; after too many the work itself is suspected.
    #[must_use]
    pub fn is_poison(&self) -> bool {
        self.attempt >= Self::MAX_LEASES && !matches!(self.state, TaskState::Done | TaskState::Dead)
    }

    /// This task given up because its workers died of it.
    #[must_use]
    pub fn poisoned(&self) -> Self {
        let failure = Failure {
            code: ErrorCode::Internal,
            reason: format!("the work was begun {} times and never ended", self.attempt),
        };
        self.ended(TaskState::Dead, self.attempt, failure)
    }

    fn ended(&self, state: TaskState, attempt: u32, failure: Failure) -> Self {
        Self { last_error: Some(failure), ..self.next(state, attempt) }
    }

    fn next(&self, state: TaskState, attempt: u32) -> Self {
        Self { state, attempt, rev: self.rev + 1, ..self.clone() }
    }
}

/// Whether a failure says that a part of the system was missing, and nothing about the work.
const fn is_outage(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Unavailable | ErrorCode::Overloaded | ErrorCode::NotReady)
}
