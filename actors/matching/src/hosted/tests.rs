use tandem_domain::chunk::ModelIdentity;
use tandem_ports::index::{IndexChange, LexicalQuery};
use tandem_ports::testsuite::MemoryStore;
use tandem_ports::testsuite::index::MemoryIndex;
use tandem_ports::testsuite::samples::{Seeded, document_id, indexed, model, owner};

use super::*;
use crate::testing;

const AT: LogPosition = LogPosition(5);
const SOON: Duration = Duration::from_secs(3);

fn index(documents: u64) -> MemoryIndex {
    let (index, mut random) = (MemoryIndex::new(&model()), Seeded::new(3));
    let change = |number| {
        let document = indexed(&owner("local"), number, DocumentKind::Resume, "nurse", random.vector());
        IndexChange::Upsert(Box::new(document))
    };
    let changes: Vec<IndexChange> = (0..documents).map(change).collect();
    index.apply(&changes, AT).unwrap();
    index
}

fn shards(documents: u64) -> HostedShards {
    let runs = Arc::new(OpenRuns::new(Arc::new(MemoryStore::default())));
    testing::hosted(vec![index(documents)], runs)
}

fn request(shard: u16, at: LogPosition) -> ShardRequest {
    let words = LexicalQuery { terms: vec![("nurse".to_owned(), 1)] };
    let question = Question::Statistics(Arc::new(words));
    ShardRequest { model: model().key(), shards: vec![shard], at, question }
}

#[tokio::test(start_paused = true)]
async fn a_shard_answers_once_it_has_seen_enough() {
    let shards = shards(3);
    let Answer::Statistics(found) = shards.answer(request(0, AT), SOON).await.unwrap() else {
        panic!("another answer")
    };
    assert_eq!((found.documents, found.frequencies["nurse"]), (3, 3));
    let later = LogPosition(AT.0 + 1);
    // Its sender is gone: it will never see more, which is known at once.
    let failure = shards.answer(request(0, later), SOON).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::NotReady);
    assert!(shards.reports()[0].caught_up);
    let (raise, seen) = watch::channel(AT);
    shards.insert((model().key(), 0), Hosted { index: Arc::new(index(4)), seen, target: later });
    assert!(!shards.reports()[0].caught_up);
    let late = shards.answer(request(0, later), SOON).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::NotReady);
    let (answer, ()) = tokio::join!(shards.answer(request(0, later), SOON), async {
        tokio::task::yield_now().await;
        raise.send_replace(later);
    });
    assert!(matches!(answer, Ok(Answer::Statistics(found)) if found.documents == 4));
    assert!(shards.reports()[0].caught_up);
}

#[tokio::test]
async fn a_shard_that_is_elsewhere_is_a_failure_that_may_pass() {
    let failure = shards(1).answer(request(9, AT), SOON).await.unwrap_err();
    assert_eq!((failure.code, failure.code.retryable()), (ErrorCode::NotReady, true));
}

#[tokio::test]
async fn shards_of_two_models_are_asked_apart() {
    let (shards, other) = (shards(3), ModelIdentity { id: "other".to_owned(), ..model() });
    let of_other = ShardRequest { model: other.key(), ..request(0, AT) };
    let failure = shards.answer(of_other.clone(), SOON).await.unwrap_err();
    assert_eq!((failure.code, failure.code.retryable()), (ErrorCode::NotReady, true));
    let hosted = Hosted { index: Arc::new(index(5)), seen: watch::channel(AT).1, target: AT };
    shards.insert((other.key(), 0), hosted);
    for (request, expected) in [(request(0, AT), 3), (of_other, 5)] {
        let answer = shards.answer(request, SOON).await;
        assert!(matches!(answer, Ok(Answer::Statistics(found)) if found.documents == expected));
    }
    assert_eq!(shards.reports().len(), 2);
}

#[tokio::test]
async fn a_peer_gets_an_answer_whatever_it_says() {
    let shards = shards(2);
    let answer = shards.answer_peer(&encode(request(0, AT)).unwrap(), SOON).await;
    let answer: Result<Answer, Failure> = decode(&answer).unwrap();
    assert!(matches!(answer, Ok(Answer::Statistics(_))));
    let refused: Result<Answer, Failure> = decode(&shards.answer_peer(b"nonsense", SOON).await).unwrap();
    assert_eq!(refused.unwrap_err().code, ErrorCode::Internal);
}

#[tokio::test]
async fn features_come_in_answers_that_fit_a_message() {
    let documents = 2_000;
    let shards = shards(documents);
    let ids: Vec<_> = (0..documents).map(document_id).collect();
    let mut known = HashSet::new();
    let mut answers = 0;
    loop {
        let documents = ids.iter().copied().filter(|id| !known.contains(id)).collect();
        let question = Question::Features { owner: owner("local"), documents };
        let request = ShardRequest { question, ..request(0, AT) };
        let answer = shards.answer(request, SOON).await.unwrap();
        let bytes = encode(Ok::<_, Failure>(answer.clone())).unwrap();
        assert!(bytes.len() <= FEATURES_BYTES + 4_096, "{} bytes", bytes.len());
        let Answer::Features { found, more } = answer else { panic!("another answer") };
        assert!(!found.is_empty());
        known.extend(found.into_iter().map(|(id, _)| id));
        answers += 1;
        if !more {
            break;
        }
    }
    assert_eq!(known.len(), ids.len());
    assert!(answers > 1, "the test asks for more than one message holds");
}
