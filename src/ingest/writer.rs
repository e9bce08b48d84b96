//! Group commit: one task takes what is waiting, commits it in one transaction, and answers every caller.

use std::{sync::Arc, time::Instant};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    clock::Clock,
    error::{Error, Result},
    store::{Appended, Store, Task},
};

/// Requests that may wait.
const QUEUE: usize = 4_096;
/// Kibibytes of events that may wait.
const QUEUE_KIB: usize = 128 * 1024;
/// Events of one transaction, unless one request alone has more.
const GROUP_EVENTS: usize = 2_000;
/// When a caller is told to try again.
const RETRY_AFTER_MS: u64 = 250;

/// What a caller gets after the commit.
pub type Receipt = Result<Appended>;

struct Waiting {
    task: Task,
    answer: oneshot::Sender<Receipt>,
    _room: OwnedSemaphorePermit,
}

/// The way to the writer task. Dropping the last one lets it finish what is queued and stop.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
}

impl Writer {
    /// Starts the writer task of a database.
    #[must_use]
    pub fn start(store: Store, clock: Clock) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        // On a thread of its own: on the runtime's workers it would wait behind hundreds of requests after every
        // statement, inside the transaction.
        let runtime = tokio::runtime::Handle::current();
        let task = tokio::task::spawn_blocking(move || runtime.block_on(run(store, clock, waiting)));
        (Self { queue, room: Arc::new(Semaphore::new(QUEUE_KIB)) }, task)
    }

    /// Queues a task and waits for its commit.
    ///
    /// # Errors
    /// `OVERLOADED` when the queue is full, and those of the database.
    pub async fn submit(&self, task: Task) -> Receipt {
        let overloaded = || {
            metrics::counter!("ledgerline_recording_overloaded_total").increment(1);
            Error::Overloaded { retry_after_ms: RETRY_AFTER_MS }
        };
        let kib = u32::try_from(size(&task) / 1024 + 1).unwrap_or(u32::MAX);
        let room = self.room.clone().try_acquire_many_owned(kib).map_err(|_| overloaded())?;
        let (answer, receipt) = oneshot::channel();
        self.queue.try_send(Waiting { task, answer, _room: room }).map_err(|_| overloaded())?;
        receipt.await.map_err(|_| Error::Overloaded { retry_after_ms: RETRY_AFTER_MS })?
    }
}

async fn run(store: Store, clock: Clock, mut waiting: mpsc::Receiver<Waiting>) {
    while let Some(first) = waiting.recv().await {
        let mut events = count(&first.task);
        let mut group = vec![first];
        while events < GROUP_EVENTS {
            let Ok(next) = waiting.try_recv() else { break };
            events += count(&next.task);
            group.push(next);
        }
        commit(&store, &clock, group).await;
    }
}

async fn commit(store: &Store, clock: &Clock, group: Vec<Waiting>) {
    let started = Instant::now();
    let (tasks, callers): (Vec<_>, Vec<_>) = group.into_iter().map(|w| (w.task, (w.answer, w._room))).unzip();
    let now = clock.now();
    let result = store.append(&tasks, now).await;
    metrics::histogram!("ledgerline_commit_seconds").record(started.elapsed().as_secs_f64());
    match result {
        Ok(appended) => {
            let events: usize = appended.iter().map(recorded).sum();
            metrics::counter!("ledgerline_events_recorded_total").increment(events as u64);
            tracing::debug!(
                requests = tasks.len(),
                events,
                duration_ms = started.elapsed().as_millis() as u64,
                "committed {events} events"
            );
            for (appended, (answer, _)) in appended.into_iter().zip(callers) {
                let _ = answer.send(Ok(appended));
            }
        }
        // One bad request must not fail its neighbours; a database that cannot be used fails all of them alike.
        Err(Error::Internal(_)) if tasks.len() > 1 => {
            for (task, (answer, _)) in tasks.into_iter().zip(callers) {
                let alone = store.append(std::slice::from_ref(&task), now).await.map(|mut one| one.remove(0));
                if let Err(error) = &alone {
                    missed(error, 1);
                }
                let _ = answer.send(alone);
            }
        }
        Err(error) => {
            missed(&error, tasks.len());
            for (answer, _) in callers {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}

/// A write that did not happen is loud.
fn missed(error: &Error, requests: usize) {
    metrics::counter!("ledgerline_recording_failed_total").increment(requests as u64);
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    tracing::error!(requests, code = error.code().as_str(), cause, "{requests} requests were NOT recorded: {error}");
}

fn recorded(appended: &Appended) -> usize {
    match appended {
        Appended::Recorded(items) => items.iter().filter(|item| item.as_ref().is_ok_and(|r| !r.already)).count(),
        Appended::Deleted(Ok((_, _, Some(_)))) => 1,
        Appended::Deleted(_) => 0,
    }
}

fn count(task: &Task) -> usize {
    match task {
        Task::Record { items, .. } => items.len(),
        Task::DeleteLog { .. } => 1,
    }
}

fn size(task: &Task) -> usize {
    task.items().map(|item| item.event.metadata.len() + 512).sum()
}
