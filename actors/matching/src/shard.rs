//! One actor per index shard: it follows the change log and is the only one that writes the shard.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{StreamExt, TryStreamExt, iter};
use tandem_domain::chunk::ModelIdentity;
use tandem_domain::document::{Document, DocumentState, Failure, Version};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_domain::ranked::Features;
use tandem_ports::documents::{BucketRange, Change, ChangeAction, LogPage, LogPosition};
use tandem_ports::index::{IndexChange, IndexedDocument};
use tandem_ports::{DocumentStore, MatchIndex, StoreError};
use tandem_runtime::{
    Actor, ActorKind, ActorProcessingErr, ActorRef, Progress, StartError, SupervisorHandle,
};
use tokio::sync::watch;

use crate::metrics;

#[cfg(test)]
mod tests;

/// How long the actor rests when the log has nothing new and nobody wakes it.
const REST: Duration = Duration::from_millis(500);
/// The longest wait after a failure that may pass.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Documents marked as searchable at the same time, so that they share a commit.
const MARKING: usize = 32;
/// The longest time one batch may take.
const BATCH_LIMIT: Duration = Duration::from_secs(120);

/// What one shard follows and writes.
#[derive(Clone)]
pub(crate) struct ShardOptions {
    /// Its number, from 0.
    pub(crate) number: u16,
    /// Its part of the key space.
    pub(crate) buckets: BucketRange,
    /// Changes applied in one batch, at most.
    pub(crate) batch: u32,
    /// The model of the index: vectors of another one are never put into it.
    pub(crate) model: ModelIdentity,
}

/// The writer of one shard.
pub(crate) struct ShardWriter;

impl ShardWriter {
    /// The actor's name.
    pub(crate) fn name(shard: u16) -> String {
        format!("shard/{shard}")
    }

    /// Starts the actor under `supervisor`, as `shard/<number>`. `changed` wakes it before its rest is over; `seen` is
    /// told how far the shard has come.
    ///
    /// # Errors
    /// See [`StartError`].
    pub(crate) async fn start(
        supervisor: &SupervisorHandle,
        options: ShardOptions,
        index: Arc<dyn MatchIndex>,
        documents: Arc<dyn DocumentStore>,
        changed: watch::Receiver<u64>,
        seen: Arc<watch::Sender<LogPosition>>,
    ) -> Result<(), StartError> {
        let name = Self::name(options.number);
        let make = move |progress: &Progress| {
            let tail = Tail {
                options: options.clone(),
                index: Arc::clone(&index),
                documents: Arc::clone(&documents),
                changed: changed.clone(),
                seen: Arc::clone(&seen),
                progress: progress.clone(),
                position: index.checkpoint(),
                unwritten: index.checkpoint(),
                setbacks: 0,
            };
            (ShardActor, tail)
        };
        supervisor.supervise(ActorKind::Shard, &name, make).await.map(|_| ())
    }
}

struct ShardActor;

/// The one thing that the actor says to itself.
#[derive(Debug)]
struct Follow;

impl tandem_runtime::Message for Follow {}

struct Tail {
    options: ShardOptions,
    index: Arc<dyn MatchIndex>,
    documents: Arc<dyn DocumentStore>,
    changed: watch::Receiver<u64>,
    seen: Arc<watch::Sender<LogPosition>>,
    progress: Progress,
    /// Everything up to here is applied and every document in it is marked searchable. The shard's own checkpoint
    /// lags one batch behind while there is work: what a crash leaves applied but unmarked is applied and marked again.
    position: LogPosition,
    /// Where the last batch ended: at rest the checkpoint is moved there.
    unwritten: LogPosition,
    /// Batches that failed in a row for a reason that may pass.
    setbacks: u32,
}

impl Actor for ShardActor {
    type Msg = Follow;
    type State = Tail;
    type Arguments = Tail;

    async fn pre_start(&self, myself: ActorRef<Follow>, tail: Tail) -> Result<Tail, ActorProcessingErr> {
        myself.send_message(Follow)?;
        Ok(tail)
    }

    /// One batch or one rest per message, so that a stop is never far.
    async fn handle(
        &self,
        myself: ActorRef<Follow>,
        _: Follow,
        tail: &mut Tail,
    ) -> Result<(), ActorProcessingErr> {
        tail.changed.mark_unchanged();
        match tail.follow().await {
            Ok(0) => {
                tail.setbacks = 0;
                // Woken, rested or nobody left to wake it: all lead to another look.
                let _woken = tokio::time::timeout(REST, tail.changed.changed()).await;
            }
            Ok(_) => tail.setbacks = 0,
            Err(failure) if failure.code.retryable() => {
                let wait = REST.saturating_mul(1 << tail.setbacks.min(6)).min(LONGEST_WAIT);
                tail.setbacks += 1;
                tracing::warn!(shard = tail.options.number, error = %failure, ?wait, "the shard falls behind");
                myself.send_after(wait, || Follow);
                return Ok(());
            }
            Err(failure) => return Err(failure.into()),
        }
        myself.send_message(Follow)?;
        Ok(())
    }
}

impl Tail {
    /// Applies the next batch of changes and marks its documents; how many changes there were.
    ///
    /// A failure whose code is retryable may pass; any other is the shard's own, and the actor ends with it.
    async fn follow(&mut self) -> Result<usize, Failure> {
        let LogPage { changes, seen } =
            self.documents.changes(self.options.buckets, self.position, self.options.batch).await?;
        if changes.is_empty() {
            // The changes of other shards alone are not worth a write.
            if self.index.checkpoint() < self.unwritten {
                self.apply(Vec::new(), self.position).await?;
            }
            self.see(seen);
            return Ok(0);
        }
        let in_hand = self.progress.begin_within(BATCH_LIMIT);
        let mut prepared = Vec::with_capacity(changes.len());
        let mut indexed = Vec::with_capacity(changes.len());
        let mut newest: HashMap<(&OwnerId, DocumentId), Version> = HashMap::new();
        for (_, change) in &changes {
            match self.prepare(change).await? {
                Prepared::Nothing => {}
                Prepared::Remove(remove) => prepared.push(remove),
                Prepared::Upsert(upsert, document) => {
                    // The vectors of an older version may have been ready later.
                    let newest = newest.entry((&change.owner, change.document)).or_insert(change.version);
                    if change.version >= *newest {
                        *newest = change.version;
                        prepared.push(upsert);
                    }
                    indexed.extend(document.map(|document| (document, DocumentState::Indexed)));
                }
                Prepared::Replaced(document) => indexed.push((document, DocumentState::Indexed)),
                Prepared::Unusable(document, failure) => {
                    indexed.push((document, DocumentState::Failed(failure)));
                }
            }
            in_hand.touch();
        }
        self.apply(prepared, self.position).await?;
        iter(indexed)
            .map(|(at, state)| self.mark(at, state))
            .buffer_unordered(MARKING)
            .try_collect::<()>()
            .await?;
        self.see(seen);
        self.unwritten = seen;
        metrics::indexed(changes.len());
        Ok(changes.len())
    }

    /// Everything up to here is searchable.
    fn see(&mut self, seen: LogPosition) {
        self.position = seen;
        metrics::seen(self.options.number, seen);
        self.seen.send_if_modified(|known| {
            let further = *known < seen;
            *known = seen.max(*known);
            further
        });
    }

    async fn mark(&self, at: Located, state: DocumentState) -> Result<(), Failure> {
        self.documents.advance(&at.owner, at.id, at.version, &state).await?.certain()
    }

    async fn apply(&self, changes: Vec<IndexChange>, up_to: LogPosition) -> Result<(), Failure> {
        let index = Arc::clone(&self.index);
        let applied = tokio::task::spawn_blocking(move || index.apply(&changes, up_to)).await;
        let applied = applied.map_err(|_| Failure {
            code: ErrorCode::Internal,
            reason: "writing the index shard panicked".to_owned(),
        })?;
        Ok(applied?)
    }

    /// What a change means for the shard. A damaged row, or a new document with vectors of another model, is the
    /// document's failure and not the shard's: the log goes on behind it. A row that a newer program wrote is waited for,
    /// since another node can read it, and so is a shard whose whole store was made with another model.
    async fn prepare(&self, change: &Change) -> Result<Prepared, Failure> {
        let (owner, id, version) = (&change.owner, change.document, change.version);
        if change.action == ChangeAction::Remove {
            return Ok(Prepared::Remove(IndexChange::Remove { owner: owner.clone(), id }));
        }
        let at = Located { owner: owner.clone(), id, version };
        match self.load(&at).await {
            Ok(Loaded::Version(indexed, DocumentState::Indexed))
                if indexed.features.model != self.options.model =>
            {
                let reason = "the store's vectors were made by another model than this node's: set the embedding's \
                              configuration back, or use another data folder";
                Err(Failure { code: ErrorCode::NotReady, reason: reason.to_owned() })
            }
            Ok(Loaded::Version(indexed, _)) if indexed.features.model != self.options.model => {
                let reason = "its vectors were made by another model than the index's".to_owned();
                Ok(Prepared::Unusable(at, Failure { code: ErrorCode::Conflict, reason }))
            }
            Ok(Loaded::Version(indexed, state)) => {
                // Another owner of the shard may have been first.
                let unmarked = (state != DocumentState::Indexed).then_some(at);
                Ok(Prepared::Upsert(IndexChange::Upsert(indexed), unmarked))
            }
            Ok(Loaded::Replaced) => Ok(Prepared::Replaced(at)),
            Ok(Loaded::Nothing) => Ok(Prepared::Nothing),
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(document_id = %id, %error, "a document cannot be indexed");
                Ok(Prepared::Unusable(at, error.into()))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn load(&self, at: &Located) -> Result<Loaded, StoreError> {
        let found = self.documents.document(&at.owner, at.id).await?;
        let found = found.and_then(|document| Some((document.version, document.at(at.version)?)));
        let Some((searched, document)) = found else { return Ok(Loaded::Nothing) };
        let Document { owner, id, version, kind, digest, state, .. } = document;
        match version.cmp(&searched) {
            Ordering::Less if state.is_settled() => return Ok(Loaded::Nothing),
            Ordering::Less => return Ok(Loaded::Replaced),
            // It has failed, and the older one stays.
            Ordering::Greater if state.is_settled() => return Ok(Loaded::Nothing),
            Ordering::Greater | Ordering::Equal => {}
        }
        let parsed = self.documents.parsed(&owner, id, version).await?;
        let embedded = self.documents.embedded(&owner, id, version).await?;
        let (Some(parsed), Some(embedded)) = (parsed, embedded) else { return Ok(Loaded::Nothing) };
        let features = Features::of(version, digest, &parsed, &embedded);
        let ranked_text = parsed.ranked_text;
        let indexed = IndexedDocument { owner, id, version, kind, ranked_text, features };
        Ok(Loaded::Version(Box::new(indexed), state))
    }
}

/// What the store has of a version.
enum Loaded {
    /// It is gone, or need not be looked at again.
    Nothing,
    /// A newer version is searched.
    Replaced,
    /// A version that may be searched, and how far it has come.
    Version(Box<IndexedDocument>, DocumentState),
}

/// What a change means for the shard.
enum Prepared {
    /// Nothing any more.
    Nothing,
    /// Forget a document.
    Remove(IndexChange),
    /// Make a document searchable, and say so where that is not known yet.
    Upsert(IndexChange, Option<Located>),
    /// A newer version was searchable before this one.
    Replaced(Located),
    /// The document cannot be searchable.
    Unusable(Located, Failure),
}

/// Where a version's rows are.
struct Located {
    owner: OwnerId,
    id: DocumentId,
    version: Version,
}
