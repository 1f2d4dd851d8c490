//! The shards that this node holds, and what they answer.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use tandem_domain::chunk::ModelKey;
use tandem_domain::document::{DocumentKind, Failure};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::DocumentId;
use tandem_domain::ranked::Features;
use tandem_ports::MatchIndex;
use tandem_ports::documents::LogPosition;
use tandem_ports::index::{CorpusStatistics, Filter, IndexError};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::fusion::merge;
use crate::open_runs::OpenRuns;
use crate::question::{
    Among, Answer, CandidateQuestion, FEATURES_BYTES, Question, ShardRequest, Total, TotalsQuestion, decode,
    encode, size,
};
use crate::scorer::score;

#[cfg(test)]
mod tests;

/// One shard as readers see it.
#[derive(Clone)]
pub(crate) struct Hosted {
    pub(crate) index: Arc<dyn MatchIndex>,
    /// Everything that the change log has up to here is searchable.
    pub(crate) seen: watch::Receiver<LogPosition>,
    /// How far the log went when this node opened the shard: before it has come there, it would miss documents.
    pub(crate) target: LogPosition,
}

impl Hosted {
    fn caught_up(&self) -> bool {
        *self.seen.borrow() >= self.target
    }
}

/// How a shard stands, for people and for other nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardReport {
    /// The model of its vectors.
    pub model: ModelKey,
    /// Its number.
    pub shard: u16,
    /// Everything that the change log has up to here is searchable.
    pub seen: LogPosition,
    /// Whether that is at least as far as the log went when this node opened the shard.
    pub caught_up: bool,
    /// Documents in it.
    pub documents: u64,
}

/// Which shard: the model of its vectors, and its number.
pub(crate) type Held = (ModelKey, u16);

/// The shards that this node holds. Cheap to clone.
#[derive(Clone)]
pub struct HostedShards {
    shards: Arc<RwLock<BTreeMap<Held, Hosted>>>,
    runs: Arc<OpenRuns>,
}

impl HostedShards {
    /// None yet. The lists of candidates come from `runs`.
    #[must_use]
    pub fn new(runs: Arc<OpenRuns>) -> Self {
        Self { shards: Arc::default(), runs }
    }

    /// Answers another node: whatever comes in, an answer goes out.
    pub async fn answer_peer(&self, request: &[u8], limit: Duration) -> Bytes {
        let answer = match decode::<ShardRequest>(request) {
            Ok(request) => self.answer(request, limit).await,
            Err(failure) => Err(failure),
        };
        let written = encode(answer).or_else(|failure| encode(Err::<Answer, _>(failure)));
        // A failure is a code and a text: it can always be written. An empty answer is a failure to its reader.
        written.unwrap_or_default()
    }

    /// Every shard that is held, in order.
    #[must_use]
    pub fn reports(&self) -> Vec<ShardReport> {
        let report = |(&(model, shard), hosted): (&Held, &Hosted)| ShardReport {
            model,
            shard,
            seen: *hosted.seen.borrow(),
            caught_up: hosted.caught_up(),
            documents: hosted.index.documents(),
        };
        self.read().iter().map(report).collect()
    }

    /// Whether a shard is held and has seen the change log up to `at`.
    pub(crate) fn has_seen(&self, held: Held, at: LogPosition) -> bool {
        self.read().get(&held).is_some_and(|hosted| *hosted.seen.borrow() >= at)
    }

    pub(crate) fn holds(&self, held: Held) -> bool {
        self.read().contains_key(&held)
    }

    pub(crate) fn held(&self) -> BTreeSet<Held> {
        self.read().keys().copied().collect()
    }

    pub(crate) fn insert(&self, held: Held, hosted: Hosted) {
        self.shards.write().unwrap_or_else(PoisonError::into_inner).insert(held, hosted);
    }

    pub(crate) fn remove(&self, held: Held) {
        self.shards.write().unwrap_or_else(PoisonError::into_inner).remove(&held);
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<Held, Hosted>> {
        self.shards.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the named shards at the same time and brings their answers together.
    pub(crate) async fn answer(&self, request: ShardRequest, limit: Duration) -> Result<Answer, Failure> {
        let shards = self.at(request.model, &request.shards, request.at, limit).await?;
        match request.question {
            Question::Statistics(words) => {
                let parts = on_each(shards, move |shard| shard.statistics(&words)).await?;
                let mut corpus = CorpusStatistics::default();
                parts.iter().for_each(|part| corpus.add(part));
                Ok(Answer::Statistics(corpus))
            }
            Question::Candidates(question) => {
                let among = match question.among {
                    Among::All => None,
                    Among::Run(run) => self.runs.open(&question.owner, run).await?.among.clone(),
                };
                let limit = question.limit as usize;
                let arms = on_each(shards, move |shard| both_arms(shard, &question, among.clone())).await?;
                let (dense, lexical): (Vec<_>, Vec<_>) = arms.into_iter().unzip();
                Ok(Answer::Candidates { dense: merge(dense, limit), lexical: merge(lexical, limit) })
            }
            Question::Totals(question) => {
                let totals = on_each(shards, move |shard| totals(shard, &question)).await?;
                Ok(Answer::Totals(totals.into_iter().flatten().collect()))
            }
            Question::Features { owner, documents } => {
                let found = on_each(shards, move |shard| shard.features(&owner, &documents)).await?;
                Ok(fitting(found.into_iter().flatten()))
            }
        }
    }

    /// The named shards, once each has seen the change log up to `at`.
    async fn at(
        &self,
        model: ModelKey,
        numbers: &[u16],
        at: LogPosition,
        limit: Duration,
    ) -> Result<Vec<Arc<dyn MatchIndex>>, Failure> {
        let hosted: Vec<Hosted> = {
            let shards = self.read();
            let one = |&number: &u16| shards.get(&(model, number)).cloned().ok_or_else(|| not_here(number));
            numbers.iter().map(one).collect::<Result<_, _>>()?
        };
        let seen = try_join_all(hosted.into_iter().map(|mut hosted| async move {
            let seen = hosted.seen.wait_for(|seen| *seen >= at).await.is_ok();
            seen.then_some(hosted.index).ok_or_else(falls_behind)
        }));
        tokio::time::timeout(limit, seen).await.unwrap_or_else(|_| Err(falls_behind()))
    }
}

fn not_here(shard: u16) -> Failure {
    let reason = format!("this node does not hold shard {shard} of the model that is asked for");
    Failure { code: ErrorCode::NotReady, reason }
}

fn falls_behind() -> Failure {
    let reason = "a shard of the index has not caught up with the store yet".to_owned();
    Failure { code: ErrorCode::NotReady, reason }
}

/// Runs one piece of work per shard on blocking threads and waits for all.
async fn on_each<T, W>(shards: Vec<Arc<dyn MatchIndex>>, work: W) -> Result<Vec<T>, Failure>
where
    T: Send + 'static,
    W: Fn(&dyn MatchIndex) -> Result<T, IndexError> + Clone + Send + 'static,
{
    let jobs = shards.into_iter().map(|shard| {
        let work = work.clone();
        spawn_blocking(move || work(shard.as_ref()))
    });
    let answers = try_join_all(jobs).await.map_err(|_| Failure {
        code: ErrorCode::Internal,
        reason: "searching an index shard panicked".to_owned(),
    })?;
    answers.into_iter().map(|answer| answer.map_err(Failure::from)).collect()
}

type Arms = (Vec<tandem_ports::index::Hit>, Vec<tandem_ports::index::Hit>);

fn both_arms(
    shard: &dyn MatchIndex,
    question: &CandidateQuestion,
    among: Option<Arc<HashSet<DocumentId>>>,
) -> Result<Arms, IndexError> {
    let filter = Filter { owner: question.owner.clone(), kind: question.kind, among };
    let limit = question.limit as usize;
    let dense = shard.dense(&question.vector, &filter, limit)?;
    let lexical = shard.lexical(&question.words, &question.corpus, &filter, limit)?;
    Ok((dense, lexical))
}

/// Scores those of the pool that lie in this shard.
fn totals(shard: &dyn MatchIndex, question: &TotalsQuestion) -> Result<Vec<Total>, IndexError> {
    let members = shard.features(&question.owner, &question.pool)?;
    let total = |(document, features): (DocumentId, Arc<Features>)| {
        let scored = match question.kind {
            DocumentKind::Job => score(&question.features, &features, &question.weights),
            DocumentKind::Resume => score(&features, &question.features, &question.weights),
        };
        Total { score: scored.total, digest: features.digest, document }
    };
    Ok(members.into_iter().map(total).collect())
}

/// As many as fit into an answer, and at least one.
fn fitting(all: impl Iterator<Item = (DocumentId, Arc<Features>)>) -> Answer {
    let (mut found, mut bytes, mut more) = (Vec::new(), 0, false);
    for member in all {
        bytes += size(&member);
        if bytes > FEATURES_BYTES && !found.is_empty() {
            more = true;
            break;
        }
        found.push(member);
    }
    Answer::Features { found, more }
}
