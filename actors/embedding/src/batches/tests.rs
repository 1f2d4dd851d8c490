#![expect(clippy::disallowed_methods, reason = "those who ask at the same time are what is tested")]

use std::sync::Mutex as StdMutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::*;

const ONE: NonZeroUsize = NonZeroUsize::MIN;

/// The vector of a text in these tests: its tokens, as they are.
fn same(texts: &[Vec<u32>]) -> Vec<Vec<f32>> {
    texts.iter().map(|tokens| tokens.iter().map(|&token| token as f32).collect()).collect()
}

/// An engine that says what it has begun and goes on when it is told to.
struct Stepped {
    batches: Batches,
    begun: Receiver<Vec<Vec<u32>>>,
    go_on: SyncSender<()>,
}

fn stepped() -> Stepped {
    let ((begin, begun), (go_on, told)) = (sync_channel(64), sync_channel(64));
    let told = StdMutex::new(told);
    let compute = move |texts: &[Vec<u32>], _: &mut Scratch| {
        begin.send(texts.to_vec()).unwrap();
        told.lock().unwrap().recv().unwrap();
        Ok(same(texts))
    };
    Stepped { batches: Batches::new(Box::new(compute), ONE), begun, go_on }
}

/// Waits until so many texts are in line.
async fn in_line(batches: &Batches, count: usize) {
    while batches.0.state().lines.len() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_urgent_overtakes_what_waits() {
    let Stepped { batches, begun, go_on } = stepped();
    let ask = |text: u32, urgency| {
        let batches = batches.clone();
        tokio::spawn(async move { batches.vectors(vec![vec![text; 200]; 2], urgency).await.unwrap() })
    };
    let first = ask(1, Urgency::Bulk);
    assert_eq!(begun.recv().unwrap(), [vec![1; 200]]);
    let second = ask(2, Urgency::Bulk);
    in_line(&batches, 3).await;
    let third = ask(3, Urgency::Interactive);
    in_line(&batches, 5).await;
    go_on.send(()).unwrap();
    let mut order = Vec::new();
    while order.len() < 5 {
        order.extend(begun.recv().unwrap().iter().map(|text| text[0]));
        go_on.send(()).unwrap();
    }
    assert_eq!(order, [3, 3, 1, 2, 2]);
    for (text, asked) in [(1, first), (2, second), (3, third)] {
        assert_eq!(asked.await.unwrap(), vec![vec![text as f32; 200]; 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_several_documents_share_a_batch_and_keep_their_order() {
    let Stepped { batches, begun, go_on } = stepped();
    let ask = |texts: Vec<Vec<u32>>| {
        let batches = batches.clone();
        tokio::spawn(async move { batches.vectors(texts, Urgency::Interactive).await.unwrap() })
    };
    let first = ask(vec![vec![9]]);
    assert_eq!(begun.recv().unwrap(), [[9]]);
    let documents = [vec![vec![1; 5], vec![2; 3]], vec![vec![3; 4], vec![4; 1]]];
    let mut asked = Vec::new();
    for (number, document) in (1..).zip(&documents) {
        asked.push(ask(document.clone()));
        in_line(&batches, 2 * number).await;
    }
    go_on.send(()).unwrap();
    assert_eq!(begun.recv().unwrap(), [vec![4; 1], vec![2; 3], vec![3; 4], vec![1; 5]], "the shortest first");
    go_on.send(()).unwrap();
    assert_eq!(first.await.unwrap(), same(&[vec![9]]));
    for (document, asked) in documents.iter().zip(asked) {
        assert_eq!(asked.await.unwrap(), same(document));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_threads_work_than_there_may() {
    let working = Arc::new(StdMutex::new((0, 0)));
    let seen = Arc::clone(&working);
    let compute = move |texts: &[Vec<u32>], _: &mut Scratch| {
        {
            let mut working = seen.lock().unwrap();
            working.0 += 1;
            working.1 = working.0.max(working.1);
        }
        std::thread::yield_now();
        let vectors = same(texts);
        seen.lock().unwrap().0 -= 1;
        Ok(vectors)
    };
    let batches = Batches::new(Box::new(compute), NonZeroUsize::new(3).unwrap());
    let texts = |document: u32| (0..40).map(|n| vec![document, n]).collect::<Vec<_>>();
    let asked = (0..20).map(|document| batches.vectors(texts(document), Urgency::Bulk));
    let all = try_join_all(asked).await.unwrap();
    for (document, vectors) in (0..).zip(all) {
        assert_eq!(vectors, same(&texts(document)));
    }
    let (now, most) = *working.lock().unwrap();
    assert!(now == 0 && (1..=3).contains(&most), "{now} {most}");
    assert_eq!(batches.vectors(Vec::new(), Urgency::Bulk).await.unwrap(), same(&[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_fails_takes_no_other_with_it() {
    let compute = |texts: &[Vec<u32>], _: &mut Scratch| match texts[0][0] {
        1 => Err(EmbeddingError::UnknownPiece { id: 1, vocabulary: 1 }),
        2 => panic!("as the test wants it"),
        _ => Ok(same(texts)),
    };
    let batches = Batches::new(Box::new(compute), ONE);
    for token in [1, 2] {
        let failed = batches.vectors(vec![vec![token]], Urgency::Interactive).await.unwrap_err();
        assert!(matches!(failed, EmbedderError::Failed(_)), "{failed:?}");
        assert_eq!(batches.vectors(vec![vec![3]], Urgency::Interactive).await.unwrap(), [[3.0]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_any_more_is_not_computed() {
    let Stepped { batches, begun, go_on } = stepped();
    let ask = |text: u32| {
        let batches = batches.clone();
        tokio::spawn(async move { batches.vectors(vec![vec![text]], Urgency::Interactive).await.unwrap() })
    };
    let first = ask(1);
    assert_eq!(begun.recv().unwrap(), [[1]]);
    let gone = ask(2);
    in_line(&batches, 1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let last = ask(3);
    in_line(&batches, 2).await;
    go_on.send(()).unwrap();
    assert_eq!(begun.recv().unwrap(), [[3]]);
    go_on.send(()).unwrap();
    assert_eq!((first.await.unwrap(), last.await.unwrap()), (same(&[vec![1]]), same(&[vec![3]])));
}
