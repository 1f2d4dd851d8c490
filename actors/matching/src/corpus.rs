//! All shards of the index, wherever they are.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::join_all;
use tandem_domain::chunk::ModelKey;
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_ports::documents::LogPosition;

use crate::hosted::{Held, HostedShards};
use crate::metrics;
use crate::question::{Answer, Question, ShardRequest, decode, encode};

#[cfg(test)]
mod tests;

/// How long shards of this node may take: catching up with the log included.
const HERE_LIMIT: Duration = Duration::from_secs(20);
/// How long another node may take before the next owner is asked.
const THERE_LIMIT: Duration = Duration::from_secs(4);

/// The other nodes that hold shards.
#[async_trait]
pub trait ShardPeers: Send + Sync + 'static {
    /// The names of the nodes that serve a shard of a model, in the order in which they should be asked; never this one.
    fn serving(&self, model: ModelKey, shard: u16) -> Vec<String>;

    /// Asks a node's [`HostedShards::answer_peer`].
    ///
    /// # Errors
    /// When no answer came within `limit`.
    async fn ask(&self, node: &str, request: Bytes, limit: Duration) -> Result<Bytes, Failure>;
}

/// All shards of the index. Cheap to clone.
#[derive(Clone)]
pub struct Corpus {
    shards: u16,
    here: HostedShards,
    elsewhere: Option<Arc<dyn ShardPeers>>,
}

/// Where a shard is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Place {
    Here,
    There(String),
}

impl Corpus {
    /// The shards `0..shards`: those of this node, and those of its peers if it has any.
    #[must_use]
    pub fn new(shards: u16, here: HostedShards, elsewhere: Option<Arc<dyn ShardPeers>>) -> Self {
        Self { shards, here, elsewhere }
    }

    /// Asks every shard of a model once and gives an answer for each group of shards that was asked together. A shard whose owner
    /// fails is asked at its next owner. Where one shard of a group is not ready, the place is asked for each alone.
    ///
    /// # Errors
    /// The last failure of a shard of which no owner answered.
    pub(crate) async fn ask(
        &self,
        model: ModelKey,
        at: LogPosition,
        question: &Question,
    ) -> Result<Vec<Answer>, Failure> {
        let mut waiting: Vec<u16> = (0..self.shards).collect();
        let mut failed: HashSet<(u16, Place)> = HashSet::new();
        let mut one_by_one: HashSet<Place> = HashSet::new();
        let mut answers = Vec::new();
        let mut last = no_owner();
        // Each round answers a shard, crosses out one of its places or cuts a group up, so the rounds end.
        while !waiting.is_empty() {
            let mut groups: BTreeMap<(Place, Option<u16>), Vec<u16>> = BTreeMap::new();
            for shard in waiting.drain(..) {
                let place = self
                    .places((model, shard), at)
                    .into_iter()
                    .find(|p| !failed.contains(&(shard, p.clone())));
                let place = place.ok_or_else(|| last.clone())?;
                let alone = one_by_one.contains(&place).then_some(shard);
                groups.entry((place, alone)).or_default().push(shard);
            }
            let asked = groups.into_iter().map(|((place, _), shards)| async move {
                let request = ShardRequest { model, shards: shards.clone(), at, question: question.clone() };
                (self.ask_at(&place, request).await, place, shards)
            });
            for (answer, place, shards) in join_all(asked).await {
                match answer {
                    Ok(answer) => answers.push(answer),
                    Err(failure) => {
                        tracing::debug!(?place, ?shards, error = %failure, "shards did not answer");
                        if failure.code == ErrorCode::NotReady && shards.len() > 1 {
                            one_by_one.insert(place);
                        } else {
                            failed.extend(shards.iter().map(|shard| (*shard, place.clone())));
                        }
                        last = failure;
                        waiting.extend(shards);
                    }
                }
            }
        }
        Ok(answers)
    }

    async fn ask_at(&self, place: &Place, request: ShardRequest) -> Result<Answer, Failure> {
        let (Place::There(node), Some(peers)) = (place, &self.elsewhere) else {
            return self.here.answer(request, HERE_LIMIT).await;
        };
        let bytes = encode(request)?;
        let answer = peers.ask(node, bytes, THERE_LIMIT).await;
        metrics::asked_peer(answer.is_ok());
        decode::<Result<Answer, Failure>>(&answer?)?
    }

    /// Where a shard can be asked: here if it is up to date, then at its other owners, then here when it has caught up.
    fn places(&self, held: Held, at: LogPosition) -> Vec<Place> {
        let mut places = Vec::new();
        if self.here.has_seen(held, at) {
            places.push(Place::Here);
        }
        if let Some(peers) = &self.elsewhere {
            places.extend(peers.serving(held.0, held.1).into_iter().map(Place::There));
        }
        if places.first() != Some(&Place::Here) && self.here.holds(held) {
            places.push(Place::Here);
        }
        places
    }
}

fn no_owner() -> Failure {
    let reason = "no node of the cluster serves a part of the index now".to_owned();
    Failure { code: ErrorCode::NotReady, reason }
}
