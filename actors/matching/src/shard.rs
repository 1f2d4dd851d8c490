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
use tandem_domain::task::{Task, TaskKind, TaskRef, TaskState, TaskSubject};
use tandem_ports::documents::{BucketRange, Change, ChangeAction, LogPage, LogPosition};
use tandem_ports::index::{IndexChange, IndexedDocument};
use tandem_ports::{MatchIndex, StoreError};
use tandem_runtime::{
    Actor, ActorKind, ActorProcessingErr, ActorRef, Progress, StartError, SupervisorHandle,
};
use tokio::sync::watch;

use crate::hosted::Held;
use crate::metrics;
use crate::shard_host::ShardPorts;

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

impl ShardOptions {
    fn held(&self) -> Held {
        (self.model.key(), self.number)
    }
}

/// The writer of one shard.
pub(crate) struct ShardWriter;

impl ShardWriter {
    /// The actor's name.
    pub(crate) fn name((model, shard): Held) -> String {
        format!("shard/{shard}/{model}")
    }

    /// Starts the actor under `supervisor`, as `shard/<number>/<model>`; `seen` is told how far the shard has come.
    ///
    /// # Errors
    /// See [`StartError`].
    pub(crate) async fn start(
        supervisor: &SupervisorHandle,
        options: ShardOptions,
        index: Arc<dyn MatchIndex>,
        ports: ShardPorts,
        seen: Arc<watch::Sender<LogPosition>>,
    ) -> Result<(), StartError> {
        let name = Self::name(options.held());
        let make = move |progress: &Progress| {
            let tail = Tail {
                options: options.clone(),
                index: Arc::clone(&index),
                ports: ports.clone(),
                seen: Arc::clone(&seen),
                progress: progress.clone(),
                position: index.checkpoint(),
                unwritten: index.checkpoint(),
                awaited: None,
                filed: LogPosition::START,
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
    ports: ShardPorts,
    seen: Arc<watch::Sender<LogPosition>>,
    progress: Progress,
    /// Everything up to here is applied and every document in it is marked searchable. The shard's own checkpoint
    /// lags one batch behind while there is work: what a crash leaves applied but unmarked is applied and marked again.
    position: LogPosition,
    /// Where the last batch ended: at rest the checkpoint is moved there.
    unwritten: LogPosition,
    /// The version behind the position that has no vectors by this model yet: nothing goes on before it has.
    awaited: Option<Located>,
    /// The vectors that versions up to here lack have been asked for.
    filed: LogPosition,
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
        tail.ports.changed.mark_unchanged();
        match tail.follow().await {
            Ok(0) => {
                tail.setbacks = 0;
                // Woken, rested or nobody left to wake it: all lead to another look.
                let _woken = tokio::time::timeout(REST, tail.ports.changed.changed()).await;
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
    /// Applies the next batch of changes and marks its documents; how many changes there were. It goes no further than
    /// the first version that has no vectors by this model, and asks for those of the whole batch.
    ///
    /// A failure whose code is retryable may pass; any other is the shard's own, and the actor ends with it.
    async fn follow(&mut self) -> Result<usize, Failure> {
        if let Some(awaited) = &self.awaited
            && self.lack(awaited).await?
        {
            return Ok(0);
        }
        self.awaited = None;
        let LogPage { changes, mut seen } =
            self.ports.documents.changes(self.options.buckets, self.position, self.options.batch).await?;
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
        let mut applied = 0;
        for (at, change) in &changes {
            match self.prepare(change).await? {
                Prepared::Nothing => {}
                Prepared::Lacking(version) => {
                    self.ask_for_vectors(&changes[applied..]).await?;
                    self.awaited = Some(version);
                    seen = applied.checked_sub(1).map_or(self.position, |last| changes[last].0);
                    break;
                }
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
            self.filed = self.filed.max(*at);
            applied += 1;
            in_hand.touch();
        }
        if applied == 0 {
            return Ok(0);
        }
        self.apply(prepared, self.position).await?;
        iter(indexed)
            .map(|(at, state)| self.mark(at, state))
            .buffer_unordered(MARKING)
            .try_collect::<()>()
            .await?;
        self.see(seen);
        self.unwritten = seen;
        metrics::indexed(applied);
        Ok(applied)
    }

    /// Files the embedding of those of `changes` that have no vectors by this model, unless it has been filed before.
    async fn ask_for_vectors(&mut self, changes: &[(LogPosition, Change)]) -> Result<(), Failure> {
        let epoch = self.ports.models.borrow().epoch;
        let is_new =
            |at: LogPosition, change: &Change| at > self.filed && change.action == ChangeAction::Upsert;
        let new: Vec<Located> = changes
            .iter()
            .filter(|(at, change)| is_new(*at, change))
            .map(|(_, change)| Located::of(change))
            .collect();
        iter(new)
            .map(|at| self.ask_for_those_of(at, epoch))
            .buffer_unordered(MARKING)
            .try_collect::<()>()
            .await?;
        self.filed = changes.last().map_or(self.filed, |(at, _)| self.filed.max(*at));
        Ok(())
    }

    async fn ask_for_those_of(&self, at: Located, epoch: u64) -> Result<(), Failure> {
        if !self.lack(&at).await? {
            return Ok(());
        }
        self.ports.filing.file(&at.owner, TaskKind::EmbedBulk, self.vectors_of(&at, epoch)).await
    }

    fn vectors_of(&self, at: &Located, epoch: u64) -> TaskSubject {
        let (document, version, model) = (at.id, at.version, self.options.model.key());
        TaskSubject::Vectors { document, version, model, epoch }
    }

    /// Whether a version is waited for: it is there, its vectors by this model are not, and the work that makes them has
    /// not ended.
    async fn lack(&self, at: &Located) -> Result<bool, Failure> {
        match self.load(at).await? {
            Loaded::Lacking(_) => Ok(self.given_up(at).await?.is_none()),
            Loaded::Nothing | Loaded::Replaced | Loaded::Version(..) => Ok(false),
        }
    }

    /// Why vectors that were asked for will not come.
    async fn given_up(&self, at: &Located) -> Result<Option<Failure>, Failure> {
        let epoch = self.ports.models.borrow().epoch;
        let id = Task::id_of(&at.owner, TaskKind::EmbedBulk, &self.vectors_of(at, epoch));
        let task = self.ports.filing.tasks.task(&TaskRef { owner: at.owner.clone(), id }).await?;
        let Some(Task { state: TaskState::Done | TaskState::Dead, last_error, .. }) = task else {
            return Ok(None);
        };
        // They may have been kept since they were looked for.
        let documents = &self.ports.documents;
        if documents.embedded(&at.owner, at.id, at.version, &self.options.model).await?.is_some() {
            return Ok(None);
        }
        Ok(Some(last_error.unwrap_or_else(|| Failure {
            code: ErrorCode::Internal,
            reason: "its vectors were made and are gone".to_owned(),
        })))
    }

    /// Everything up to here is searchable.
    fn see(&mut self, seen: LogPosition) {
        self.position = seen;
        let serves = self.ports.models.borrow().serving.identity == self.options.model;
        metrics::seen(self.options.number, serves, seen);
        self.seen.send_if_modified(|known| {
            let further = *known < seen;
            *known = seen.max(*known);
            further
        });
    }

    async fn mark(&self, at: Located, state: DocumentState) -> Result<(), Failure> {
        self.ports.documents.advance(&at.owner, at.id, at.version, &state).await?.certain()
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

    /// What a change means for the shard. A damaged row, or a version that cannot be embedded, is the document's failure
    /// and not the shard's: the log goes on behind it. A row that a newer program wrote is waited for, since another node
    /// can read it.
    async fn prepare(&self, change: &Change) -> Result<Prepared, Failure> {
        let (owner, id) = (&change.owner, change.document);
        if change.action == ChangeAction::Remove {
            return Ok(Prepared::Remove(IndexChange::Remove { owner: owner.clone(), id }));
        }
        let at = Located::of(change);
        match self.load(&at).await {
            Ok(Loaded::Lacking(state)) => match self.given_up(&at).await? {
                None => Ok(Prepared::Lacking(at)),
                Some(failure) => {
                    let model = self.options.model.id.as_str();
                    tracing::error!(document_id = %id, model, error = %failure, "a document cannot be indexed");
                    // Where another model made it searchable it stays so.
                    Ok(if state.is_settled() { Prepared::Nothing } else { Prepared::Unusable(at, failure) })
                }
            },
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
        let documents = &self.ports.documents;
        let found = documents.document(&at.owner, at.id).await?;
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
        let Some(embedded) = documents.embedded(&owner, id, version, &self.options.model).await? else {
            let failed = matches!(state, DocumentState::Failed(_));
            return Ok(if failed { Loaded::Nothing } else { Loaded::Lacking(state) });
        };
        let Some(parsed) = documents.parsed(&owner, id, version).await? else { return Ok(Loaded::Nothing) };
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
    /// A version without vectors by this model, and how far it has come.
    Lacking(DocumentState),
    /// A version that may be searched, and how far it has come.
    Version(Box<IndexedDocument>, DocumentState),
}

/// What a change means for the shard.
enum Prepared {
    /// Nothing any more.
    Nothing,
    /// Its vectors by this model are to be made first.
    Lacking(Located),
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

impl Located {
    fn of(change: &Change) -> Self {
        Self { owner: change.owner.clone(), id: change.document, version: change.version }
    }
}
