//! The one writer: a thread that takes all waiting writes into one transaction (group commit).

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use tandem_ports::StoreError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::error::{Fault, closed, store_error};
use crate::lock::FolderLock;

#[cfg(test)]
mod tests;

/// Writes that may wait. Who finds no place waits for one.
const WAITING: usize = 256;

/// Writes of one transaction.
const GROUP: usize = 256;

/// How long a write waits for its place; then it has certainly not happened.
const PLACE_DEADLINE: Duration = Duration::from_secs(10);

/// How long a write waits for its answer; then its outcome is unknown.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// How a write ended.
#[derive(Debug)]
pub(crate) enum End<T> {
    /// It is durable.
    Done(T),
    /// It has certainly not happened.
    Failed(StoreError),
    /// Nobody knows.
    Unknown,
}

/// How the transaction of a group ended.
enum Commit {
    Done,
    Failed(StoreError),
    Unknown,
}

/// One write, run inside a savepoint of its own.
trait Job: Send {
    /// Does the work; false = undo it.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Answers, after the commit.
    fn end(self: Box<Self>, commit: &Commit);
}

struct Typed<T, W, E> {
    work: Option<W>,
    made: Option<Result<T, StoreError>>,
    end: E,
}

impl<T, W, E> Job for Typed<T, W, E>
where
    T: Send,
    W: FnOnce(&Connection) -> Result<T, Fault> + Send,
    E: FnOnce(End<T>) + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        self.made = self.work.take().map(|work| work(connection).map_err(|fault| fault.0));
        matches!(self.made, Some(Ok(_)))
    }

    fn end(self: Box<Self>, commit: &Commit) {
        let end = match (self.made, commit) {
            (Some(Err(error)), _) => End::Failed(error),
            (_, Commit::Failed(error)) => End::Failed(error.clone()),
            (_, Commit::Unknown) => End::Unknown,
            (Some(Ok(made)), Commit::Done) => End::Done(made),
            (None, Commit::Done) => End::Failed(closed()),
        };
        (self.end)(end);
    }
}

/// The handle of the writer thread.
pub(crate) struct Writer {
    sender: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread. It owns the connection and the folder's lock and lets go of them last.
    pub(crate) fn start(connection: Connection, lock: FolderLock) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let run = move || {
            serve(&connection, receiver);
            if let Err((_, error)) = connection.close() {
                tracing::warn!(%error, "the database did not close cleanly");
            }
            drop(lock);
        };
        let thread = std::thread::Builder::new().name("tandem-store".to_owned()).spawn(run)?;
        Ok(Self { sender: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Does `work` in a transaction and waits until it is durable. Dropping the future does not undo the write.
    pub(crate) async fn write<T, W>(&self, work: W) -> End<T>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        self.write_then(work, |_| ()).await
    }

    /// The same; `then` sees the end of the write on the writer's thread, whether or not anybody waits for it.
    pub(crate) async fn write_then<T, W, E>(&self, work: W, then: E) -> End<T>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        E: FnOnce(&End<T>) + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let end = move |end: End<T>| {
            then(&end);
            // Nobody waits any more: the write stands, its answer does not matter.
            drop(reply.send(end));
        };
        let Some(sender) = self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone() else {
            return End::Failed(closed());
        };
        match timeout(PLACE_DEADLINE, sender.reserve_owned()).await {
            Ok(Ok(place)) => drop(place.send(Box::new(Typed { work: Some(work), made: None, end }))),
            Ok(Err(_)) => return End::Failed(closed()),
            Err(_) => return End::Failed(StoreError::Timeout),
        }
        match timeout(ANSWER_DEADLINE, answer).await {
            Ok(Ok(end)) => end,
            Ok(Err(_)) | Err(_) => End::Unknown,
        }
    }

    /// Refuses further writes and waits until all that were accepted are durable. Blocks.
    pub(crate) fn close(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of the store panicked");
        }
    }
}

/// Until every sender is gone.
fn serve(connection: &Connection, mut receiver: mpsc::Receiver<Box<dyn Job>>) {
    let mut group = Vec::with_capacity(GROUP);
    while let Some(first) = receiver.blocking_recv() {
        group.push(first);
        while group.len() < GROUP
            && let Ok(next) = receiver.try_recv()
        {
            group.push(next);
        }
        let commit = commit(connection, &mut group);
        if let Commit::Failed(error) = &commit {
            tracing::warn!(%error, writes = group.len(), "a group of writes was refused");
        }
        group.drain(..).for_each(|job| job.end(&commit));
    }
}

/// Runs a group in one transaction.
fn commit(connection: &Connection, group: &mut [Box<dyn Job>]) -> Commit {
    if let Err(error) = run(connection, group) {
        undo(connection);
        return Commit::Failed(error);
    }
    let Err(error) = execute(connection, "COMMIT") else { return Commit::Done };
    undo(connection);
    match error.sqlite_error_code() {
        // Known to be refused before the commit's record is written.
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Commit::Failed(store_error(&error))
        }
        Some(_) | None => {
            tracing::error!(%error, "a commit ended without an answer");
            Commit::Unknown
        }
    }
}

fn run(connection: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let step = |sql| execute(connection, sql).map_err(|error| store_error(&error));
    step("BEGIN IMMEDIATE")?;
    for job in group {
        step("SAVEPOINT job")?;
        let keep = job.run(connection);
        if connection.is_autocommit() {
            // SQLite has undone everything by itself, as it does when the disk is full.
            return Err(StoreError::Full("the transaction was undone".to_owned()));
        }
        if !keep {
            step("ROLLBACK TO job")?;
        }
        step("RELEASE job")?;
    }
    Ok(())
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

fn undo(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = execute(connection, "ROLLBACK")
    {
        tracing::error!(%error, "a transaction could not be undone");
    }
}
