use std::sync::Mutex;

use tandem_domain::document::DocumentKind;
use tandem_ports::MatchIndex;
use tandem_ports::index::{IndexChange, LexicalQuery};
use tandem_ports::testsuite::MemoryStore;
use tandem_ports::testsuite::index::MemoryIndex;
use tandem_ports::testsuite::samples::{Seeded, indexed, model, owner};
use tokio::sync::watch;

use super::*;
use crate::OpenRuns;
use crate::hosted::Hosted;

const AT: LogPosition = LogPosition(1);

/// A shard with as many documents as its number and one more.
fn hosted(shards: &[u16]) -> HostedShards {
    let hosted = HostedShards::new(Arc::new(OpenRuns::new(Arc::new(MemoryStore::default()))));
    for shard in shards {
        let (index, mut random) = (MemoryIndex::new(&model()), Seeded::new(1));
        let changes: Vec<IndexChange> = (0..=u64::from(*shard))
            .map(|n| {
                let number = u64::from(*shard) * 100 + n;
                let document =
                    indexed(&owner("local"), number, DocumentKind::Resume, "nurse", random.vector());
                IndexChange::Upsert(Box::new(document))
            })
            .collect();
        index.apply(&changes, AT).unwrap();
        let at = (model().key(), *shard);
        hosted.insert(at, Hosted { index: Arc::new(index), seen: watch::channel(AT).1, target: AT });
    }
    hosted
}

/// Nodes with their shards; those named in `down` do not answer, and those in `late` still say that they serve a shard.
struct Others {
    nodes: Vec<(&'static str, HostedShards)>,
    down: Vec<&'static str>,
    late: Vec<(&'static str, u16)>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl ShardPeers for Others {
    fn serving(&self, model: ModelKey, shard: u16) -> Vec<String> {
        let says = |name: &'static str, hosted: &HostedShards| {
            hosted.holds((model, shard)) || self.late.contains(&(name, shard))
        };
        let serving = self.nodes.iter().filter(|(name, hosted)| says(name, hosted));
        serving.map(|(name, _)| (*name).to_owned()).collect()
    }

    async fn ask(&self, node: &str, request: Bytes, limit: Duration) -> Result<Bytes, Failure> {
        self.asked.lock().unwrap().push(node.to_owned());
        if self.down.contains(&node) {
            return Err(Failure { code: ErrorCode::Unavailable, reason: "down".to_owned() });
        }
        let (_, hosted) = self.nodes.iter().find(|(name, _)| *name == node).unwrap();
        Ok(hosted.answer_peer(&request, limit).await)
    }
}

fn corpus(
    here: &[u16],
    others: Vec<(&'static str, &[u16])>,
    down: Vec<&'static str>,
) -> (Corpus, Arc<Others>) {
    corpus_with(here, others, down, Vec::new())
}

fn corpus_with(
    here: &[u16],
    others: Vec<(&'static str, &[u16])>,
    down: Vec<&'static str>,
    late: Vec<(&'static str, u16)>,
) -> (Corpus, Arc<Others>) {
    let nodes = others.into_iter().map(|(name, shards)| (name, hosted(shards))).collect();
    let others = Arc::new(Others { nodes, down, late, asked: Mutex::default() });
    (Corpus::new(4, hosted(here), Some(others.clone())), others)
}

async fn documents(corpus: &Corpus) -> Result<u64, Failure> {
    let words = LexicalQuery { terms: vec![("nurse".to_owned(), 1)] };
    let answers = corpus.ask(model().key(), AT, &Question::Statistics(Arc::new(words))).await?;
    let documents = |answer: &Answer| match answer {
        Answer::Statistics(part) => part.documents,
        Answer::Candidates { .. } | Answer::Totals(_) | Answer::Features { .. } => panic!("another answer"),
    };
    Ok(answers.iter().map(documents).sum())
}

/// Documents of four whole shards.
const ALL: u64 = 1 + 2 + 3 + 4;

#[tokio::test]
async fn every_shard_is_asked_once_wherever_it_is() {
    let (corpus, others) = corpus(&[0, 1], vec![("b", &[1, 2, 3]), ("c", &[2, 3, 0])], vec![]);
    assert_eq!(documents(&corpus).await.unwrap(), ALL);
    assert_eq!(*others.asked.lock().unwrap(), ["b"], "what is here is not asked elsewhere");
}

#[tokio::test]
async fn a_shard_whose_owner_is_down_is_asked_at_its_other_owner() {
    let (corpus, others) = corpus(&[0, 1], vec![("b", &[1, 2, 3]), ("c", &[2, 3, 0])], vec!["b"]);
    assert_eq!(documents(&corpus).await.unwrap(), ALL);
    assert_eq!(*others.asked.lock().unwrap(), ["b", "c"]);
}

#[tokio::test]
async fn one_shard_that_has_moved_away_does_not_keep_a_node_from_answering_for_the_others() {
    let nodes: Vec<(&str, &[u16])> = vec![("b", &[1, 2]), ("c", &[3])];
    let (corpus, others) = corpus_with(&[0], nodes, vec![], vec![("b", 3)]);
    assert_eq!(documents(&corpus).await.unwrap(), ALL);
    assert_eq!(
        *others.asked.lock().unwrap(),
        ["b", "b", "b", "b", "c"],
        "all three, each alone, and the one elsewhere"
    );
}

#[tokio::test]
async fn a_shard_without_a_living_owner_is_a_failure_that_may_pass_and_never_a_smaller_answer() {
    let (down, _) = corpus(&[0, 1, 2], vec![("b", &[3])], vec!["b"]);
    assert_eq!(documents(&down).await.unwrap_err().code, ErrorCode::Unavailable);
    let (nobody, _) = corpus(&[0, 1, 2], vec![], vec![]);
    let failure = documents(&nobody).await.unwrap_err();
    assert_eq!((failure.code, failure.code.retryable()), (ErrorCode::NotReady, true));
}
