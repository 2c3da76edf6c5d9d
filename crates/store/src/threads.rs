//! The threads that touch the database: one that writes, and a few that read.
//!
//! SQLite blocks, so it never runs on a runtime's thread. The writer takes what waits, runs each closure in a savepoint of
//! its own inside one transaction, commits once, and only then answers: an answer is a promise that survives a crash, and
//! one closure's error undoes nothing of another's. Queues have a bound; who comes to a full one waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;

/// What a write job leaves behind: to be told how the commit went.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// A write, to be run in a transaction, or to be told why there is none.
type WriteJob = Box<dyn FnOnce(Result<&mut Transaction<'_>, StoreError>) -> Answer + Send>;
type ReadJob = Box<dyn FnOnce(&Connection) + Send>;

/// How many jobs may wait in a queue.
const QUEUE: usize = 1024;

/// How many writes share a transaction at most, so that the first of them does not wait for ever.
const GROUP: usize = 256;

/// Hands closures to the thread that writes.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<WriteJob>);

impl Writer {
    pub(crate) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        spawn("store-writer", move || write_groups(connection, waiting))?;
        Ok(Self(jobs))
    }

    /// Runs `write` in a transaction and returns what it did once that is committed. Whoever stops waiting undoes nothing.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: WriteJob = Box::new(move |transaction| {
            let done = transaction.and_then(|transaction| in_savepoint(transaction, write));
            Box::new(move |committed| {
                // Nobody listens when the caller has left; the write stands all the same.
                let _ = answer.send(committed.and(done));
            })
        });
        self.0.send(job).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// Hands closures to the threads that read.
#[derive(Clone)]
pub(crate) struct Readers(mpsc::Sender<ReadJob>);

impl Readers {
    pub(crate) fn start(connections: Vec<Connection>) -> Result<Self, StoreError> {
        let (jobs, waiting) = mpsc::channel::<ReadJob>(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        for connection in connections {
            let waiting = Arc::clone(&waiting);
            spawn("store-reader", move || {
                while let Some(job) = next(&waiting) {
                    job(&connection);
                }
            })?;
        }
        Ok(Self(jobs))
    }

    /// Runs `read` on what is committed by now.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: ReadJob = Box::new(move |connection| {
            let _ = answer.send(read(connection));
        });
        self.0.send(job).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

fn write_groups(mut connection: Connection, mut waiting: mpsc::Receiver<WriteJob>) {
    while let Some(first) = waiting.blocking_recv() {
        write_group(&mut connection, first, &mut waiting);
    }
}

fn write_group(connection: &mut Connection, first: WriteJob, waiting: &mut mpsc::Receiver<WriteJob>) {
    let mut transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => return first(Err(error.into()))(Ok(())),
    };
    let mut answers = vec![first(Ok(&mut transaction))];
    // A full or failing disk makes SQLite roll the whole transaction back. What came after would commit by itself.
    while answers.len() < GROUP
        && !transaction.is_autocommit()
        && let Ok(job) = waiting.try_recv()
    {
        answers.push(job(Ok(&mut transaction)));
    }
    let committed = if transaction.is_autocommit() {
        Err(StoreError::unavailable(io::Error::other("the disk is full or fails: the write was rolled back")))
    } else {
        transaction.commit().map_err(StoreError::from)
    };
    for answer in answers {
        answer(committed.clone());
    }
}

fn in_savepoint<T>(
    transaction: &mut Transaction<'_>,
    write: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let savepoint = transaction.savepoint()?;
    let done = write(&savepoint)?;
    savepoint.commit()?;
    Ok(done)
}

/// The next job of a queue that several threads share.
fn next(waiting: &Mutex<mpsc::Receiver<ReadJob>>) -> Option<ReadJob> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv()
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(body);
    spawned.map(drop).map_err(StoreError::unavailable)
}

fn stopped() -> StoreError {
    StoreError::unavailable(io::Error::other("its thread has stopped"))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc as std_mpsc;

    use super::*;

    fn memory() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE numbers (number INTEGER PRIMARY KEY)").unwrap();
        connection
    }

    fn insert(number: i64) -> impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static {
        move |connection| Ok(connection.execute("INSERT INTO numbers VALUES (?1)", [number]).map(drop)?)
    }

    async fn count(writer: &Writer) -> i64 {
        let count = |connection: &Connection| {
            Ok(connection.query_row("SELECT count(*) FROM numbers", [], |r| r.get(0))?)
        };
        writer.run(count).await.unwrap()
    }

    /// Makes the writer wait, so that what is asked for meanwhile becomes one group.
    fn hold(writer: &Writer) -> (std_mpsc::SyncSender<()>, impl Future<Output = Result<(), StoreError>>) {
        let (release, held) = std_mpsc::sync_channel(1);
        let writer = writer.clone();
        let holding = async move { writer.run(move |_| held.recv().map_err(StoreError::unavailable)).await };
        (release, holding)
    }

    #[tokio::test]
    async fn a_failed_write_undoes_nothing_of_its_group() {
        let writer = Writer::start(memory()).unwrap();
        let (release, holding) = hold(&writer);
        let group = async {
            tokio::join!(writer.run(insert(1)), writer.run(insert(1)), writer.run(insert(2)), async {
                release.send(()).unwrap();
            })
        };
        let (held, (first, second, third, ())) = tokio::join!(holding, group);
        held.unwrap();
        first.unwrap();
        assert!(matches!(second, Err(StoreError::Conflict(_))));
        third.unwrap();
        assert_eq!(count(&writer).await, 2);
    }

    #[tokio::test]
    async fn when_the_whole_transaction_is_lost_nobody_is_told_that_they_succeeded() {
        let writer = Writer::start(memory()).unwrap();
        let (release, holding) = hold(&writer);
        // What SQLite does by itself when the disk is full.
        let lose = |connection: &Connection| Ok(connection.execute_batch("ROLLBACK")?);
        let group = async {
            tokio::join!(writer.run(insert(1)), writer.run(lose), writer.run(insert(2)), async {
                release.send(()).unwrap();
            })
        };
        let (held, (before, losing, after, ())) = tokio::join!(holding, group);
        assert!(held.is_err() && before.is_err() && losing.is_err());
        after.unwrap();
        assert_eq!(count(&writer).await, 1, "what came after is in a transaction of its own");
    }

    #[tokio::test]
    async fn a_write_stands_though_its_caller_has_left() {
        let writer = Writer::start(memory()).unwrap();
        let (release, holding) = hold(&writer);
        let left = async {
            let mut write = Box::pin(writer.run(insert(1)));
            assert!(is_pending(&mut write).await);
            drop(write);
            release.send(()).unwrap();
        };
        let (held, ()) = tokio::join!(holding, left);
        held.unwrap();
        assert_eq!(count(&writer).await, 1);
    }

    /// Polls once; true when it is not done.
    async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending())
        })
        .await
    }
}
