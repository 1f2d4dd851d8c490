//! One thread per model.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tandem_embedding::{Compute, EmbeddingError};

use crate::RustBertError;
use crate::bert::Bert;

type Vectors = Result<Vec<Vec<f32>>, EmbeddingError>;

/// Texts, and where their vectors go.
struct Job {
    texts: Vec<Vec<u32>>,
    answer: SyncSender<Vectors>,
}

/// What has texts computed by threads that live as long as it does.
pub(crate) fn start(berts: Vec<Bert>) -> Result<Box<Compute>, RustBertError> {
    let (jobs, line) = sync_channel::<Job>(berts.len());
    let line = Arc::new(Mutex::new(line));
    for (number, bert) in berts.into_iter().enumerate() {
        let line = Arc::clone(&line);
        let thread = thread::Builder::new().name(format!("rust-bert-{number}"));
        thread.spawn(move || work(&bert, &line)).map_err(RustBertError::Thread)?;
    }
    let ended = || EmbeddingError::Engine { reason: "its threads have ended".to_owned() };
    Ok(Box::new(move |texts, _| {
        let (answer, answered) = sync_channel(1);
        jobs.send(Job { texts: texts.to_vec(), answer }).map_err(|_| ended())?;
        answered.recv().map_err(|_| ended())?
    }))
}

fn work(bert: &Bert, line: &Mutex<Receiver<Job>>) {
    tch::set_num_threads(1);
    let _no_gradients = tch::no_grad_guard();
    loop {
        let job = line.lock().unwrap_or_else(PoisonError::into_inner).recv();
        // Whoever had texts computed is gone.
        let Ok(Job { texts, answer }) = job else { return };
        let vectors = catch_unwind(AssertUnwindSafe(|| bert.run(&texts)));
        // Whoever asked may have gone meanwhile.
        drop(answer.send(vectors.unwrap_or(Err(EmbeddingError::Panicked))));
    }
}
