//! One actor per index shard: it follows the change log and is the only one that writes the shard.

use std::sync::Arc;
use std::time::Duration;

use tandem_domain::document::{Document, DocumentState, Failure};
use tandem_domain::error::ErrorCode;
use tandem_domain::ranked::Features;
use tandem_ports::documents::{BucketRange, Change, ChangeAction, LogPosition};
use tandem_ports::index::{IndexChange, IndexedDocument};
use tandem_ports::{DocumentStore, MatchIndex};
use tandem_runtime::{
    Actor, ActorKind, ActorProcessingErr, ActorRef, Progress, StartError, SupervisorHandle,
};
use tokio::sync::watch;

use crate::metrics;

/// How long the actor rests when the log has nothing new and nobody wakes it.
const REST: Duration = Duration::from_millis(500);
/// The longest time one batch may take.
const BATCH_LIMIT: Duration = Duration::from_secs(120);

/// What one shard follows and writes.
#[derive(Clone)]
pub struct ShardOptions {
    /// Its number, from 0.
    pub number: u16,
    /// Its part of the key space.
    pub buckets: BucketRange,
    /// Changes applied in one batch, at most.
    pub batch: u32,
}

/// The writer of one shard.
pub struct ShardWriter;

impl ShardWriter {
    /// Starts the actor under `supervisor`, as `shard/<number>`. `changed` wakes it before its rest is over.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(
        supervisor: &SupervisorHandle,
        options: ShardOptions,
        index: Arc<dyn MatchIndex>,
        documents: Arc<dyn DocumentStore>,
        changed: watch::Receiver<u64>,
    ) -> Result<(), StartError> {
        let name = format!("shard/{}", options.number);
        let make = move |progress: &Progress| {
            let tail = Tail {
                options: options.clone(),
                index: Arc::clone(&index),
                documents: Arc::clone(&documents),
                changed: changed.clone(),
                progress: progress.clone(),
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

struct Tail {
    options: ShardOptions,
    index: Arc<dyn MatchIndex>,
    documents: Arc<dyn DocumentStore>,
    changed: watch::Receiver<u64>,
    progress: Progress,
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
        if tail.follow().await? == 0 {
            // Woken, rested or nobody left to wake it: all lead to another look.
            let _woken = tokio::time::timeout(REST, tail.changed.changed()).await;
        }
        myself.send_message(Follow)?;
        Ok(())
    }
}

impl Tail {
    /// Applies the next batch of changes; how many there were. An error is a failure of the actor: it begins again from
    /// the shard's checkpoint.
    async fn follow(&self) -> Result<usize, Failure> {
        let after = self.index.checkpoint();
        let changes = self.documents.changes(self.options.buckets, after, self.options.batch).await?;
        let Some(&(up_to, _)) = changes.last() else { return Ok(0) };
        let in_hand = self.progress.begin_within(BATCH_LIMIT);
        let mut prepared = Vec::with_capacity(changes.len());
        let mut indexed = Vec::with_capacity(changes.len());
        for (_, change) in &changes {
            let Some((apply, document)) = self.prepare(change).await? else { continue };
            prepared.push(apply);
            indexed.extend(document);
            in_hand.touch();
        }
        self.apply(prepared, up_to).await?;
        for document in &indexed {
            let Document { owner, id, version, .. } = document;
            self.documents.advance(owner, *id, *version, &DocumentState::Indexed).await?.certain()?;
        }
        metrics::indexed(changes.len());
        Ok(changes.len())
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

    /// What a change means for the shard, and the document that becomes searchable by it. `None` = nothing: the
    /// document is gone or has a newer version, whose own change is further on in the log.
    async fn prepare(&self, change: &Change) -> Result<Option<(IndexChange, Option<Document>)>, Failure> {
        let (owner, id, version) = (&change.owner, change.document, change.version);
        if change.action == ChangeAction::Remove {
            return Ok(Some((IndexChange::Remove { owner: owner.clone(), id }, None)));
        }
        let document = self.documents.document(owner, id).await?.filter(|d| d.version == version);
        let parsed = self.documents.parsed(owner, id, version).await?;
        let embedded = self.documents.embedded(owner, id, version).await?;
        let (Some(document), Some(parsed), Some(embedded)) = (document, parsed, embedded) else {
            return Ok(None);
        };
        let indexed = IndexedDocument {
            owner: owner.clone(),
            id,
            version,
            kind: document.kind,
            features: Features::of(document.digest, &parsed, &embedded),
            ranked_text: parsed.ranked_text,
        };
        Ok(Some((IndexChange::Upsert(Box::new(indexed)), Some(document))))
    }
}
