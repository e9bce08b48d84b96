//! Group commit: one task takes what is waiting, commits it in one transaction, and answers every caller.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    queue::{Group, Load, Queue},
    rate::RecordRate,
};
use crate::{
    auth::{LogName, WriteScope},
    clock::Clock,
    error::{Error, Result},
    event::masking::MaskingKey,
    store::{Appended, Concerns, Deleted, Item, ItemResult, Permitted, Recorded, Store, Task},
    tasks,
};

/// What a piece of a request comes to, whose events stand each for themselves: each is committed by itself, so that the
/// request of a neighbour comes between them.
const PIECE: u64 = 256 << 10;
/// Kibibytes of events that may wait or be committed.
const QUEUE_KIB: usize = 128 * 1024;
/// When a caller is told to try again.
const RETRY_AFTER_MS: u64 = 250;
/// Questions whether the writer is ready that may wait; they are answered together.
const PROBES: usize = 64;
/// Nodes of a cluster that are committed to at once: one less than there are connections that write, since one of these
/// commits may have to make a partition meanwhile.
const NODES_AT_ONCE: usize = 3;
/// How long the writer may take to say that it is ready: longer than a full group takes on a slow disk.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

struct Waiting {
    task: Task,
    caller: Caller,
}

/// Who waits for a task: what it is answered is as what it asks for.
struct Caller {
    answer: Answer,
    _room: OwnedSemaphorePermit,
}

enum Answer {
    Recorded(oneshot::Sender<Result<Vec<ItemResult>>>),
    Deleted(oneshot::Sender<Result<Deleted>>),
    Changed(oneshot::Sender<Result<Box<Recorded>>>),
}

impl Caller {
    fn refuse(self, error: Error) {
        match self.answer {
            Answer::Recorded(caller) => drop(caller.send(Err(error))),
            Answer::Deleted(caller) => drop(caller.send(Err(error))),
            Answer::Changed(caller) => drop(caller.send(Err(error))),
        }
    }
}

/// Somebody who asks whether the writer is ready.
type Probe = oneshot::Sender<Result<Concerns>>;

/// The way to the writer task. Dropping the last one lets it finish what is queued and stop.
#[derive(Clone)]
pub struct Writer {
    queue: Arc<Mutex<Queue<Waiting>>>,
    /// A word for each request that was put there.
    put: mpsc::UnboundedSender<()>,
    probes: mpsc::Sender<Probe>,
    room: Arc<Semaphore>,
    masking: Arc<MaskingKey>,
    rate: Arc<RecordRate>,
}

/// What the writer task takes from; a task that starts again goes on with what waits here.
struct Inbox {
    queue: Arc<Mutex<Queue<Waiting>>>,
    put: mpsc::UnboundedReceiver<()>,
    probes: mpsc::Receiver<Probe>,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the writer task ended before it answered: whether the events were recorded is not known")]
    NoAnswer,
    #[error("the writer task is gone")]
    Gone,
    #[error("the writer task did not answer within {} s", PROBE_TIMEOUT.as_secs())]
    Silent,
}

impl Fault {
    fn error(self) -> Error {
        Error::Unavailable(Arc::new(self))
    }
}

impl Writer {
    /// Starts the writer task of a database.
    ///
    /// # Errors
    /// Those of the database, whose key for masking is read first.
    pub async fn start(store: Store, clock: Clock) -> Result<(Self, JoinHandle<()>)> {
        let masking = Arc::new(store.masking_key(clock.now()).await?);
        let queue = Arc::<Mutex<Queue<Waiting>>>::default();
        #[expect(
            clippy::disallowed_methods,
            reason = "one unit for each task that has its place in `room`, which bounds them"
        )]
        let (put, waiting) = mpsc::unbounded_channel();
        let (probes, asked) = mpsc::channel(PROBES);
        let inbox = Inbox { queue: queue.clone(), put: waiting, probes: asked };
        let inbox = Arc::new(tokio::sync::Mutex::new(inbox));
        // On a thread of its own: on the runtime's workers it would wait behind hundreds of requests after every
        // statement, inside the transaction.
        let runtime = tokio::runtime::Handle::current();
        let run = move || run(store.clone(), clock.clone(), inbox.clone());
        let task = tokio::task::spawn_blocking(move || runtime.block_on(tasks::keep("writer", run)));
        let (room, rate) = (Arc::new(Semaphore::new(QUEUE_KIB)), Arc::new(RecordRate::per_second(0)));
        Ok((Self { queue, put, probes, room, masking, rate }, task))
    }

    /// The same for callers outside, for each of whose organizations so many events a second may be recorded; 0 is no
    /// limit. What the service itself records is not limited.
    #[must_use]
    pub fn limited(self, events_per_second: u32) -> Self {
        Self { rate: Arc::new(RecordRate::per_second(events_per_second)), ..self }
    }

    /// How many events callers may record.
    #[must_use]
    pub(super) fn rate(&self) -> &RecordRate {
        &self.rate
    }

    /// The key that secrets are masked with, for whoever admits events.
    #[must_use]
    pub fn masking(&self) -> &MaskingKey {
        &self.masking
    }

    /// Records events in one transaction, each for itself or all or none, and waits for the commit; a result per item, in
    /// their order.
    ///
    /// # Errors
    /// `OVERLOADED` when the queue is full, `UNAVAILABLE` when the database cannot be used or the writer ended meanwhile,
    /// `INTERNAL` when the database refuses what it should take. Nothing is recorded then, as far as is known.
    pub async fn record(&self, items: Vec<Item>, atomic: bool) -> Result<Vec<ItemResult>> {
        self.submit(Task::Record { items, atomic }, Answer::Recorded).await
    }

    /// Records events, each for itself and in their order, and waits until all are committed; many large ones take several
    /// transactions, so that others need not wait for all of them. Where one of these fails, its events are answered with
    /// its error.
    ///
    /// # Errors
    /// As [`Self::record`] where nothing is recorded.
    pub async fn record_each(&self, items: Vec<Item>) -> Result<Vec<ItemResult>> {
        let mut waiting = Vec::new();
        let mut pieces = Vec::new();
        for piece in pieces_of(items) {
            let (sender, receipt) = oneshot::channel();
            waiting.push((piece.len(), receipt));
            pieces.push((Task::Record { items: piece, atomic: false }, Answer::Recorded(sender)));
        }
        self.put(pieces)?;
        let mut committed = Vec::with_capacity(waiting.len());
        for (count, receipt) in waiting {
            committed.push((count, receipt.await.unwrap_or_else(|_| Err(lost(Fault::NoAnswer)))));
        }
        gathered(committed)
    }

    /// Deletes a log, with an event for the log above that tells of it, and waits for the commit.
    ///
    /// # Errors
    /// As [`Self::record`], and `NOT_FOUND`, `FORBIDDEN` or `BAD_USER_INPUT` where this log or its event is refused.
    pub async fn delete_log(&self, scope: WriteScope, log: LogName, event: Option<Item>) -> Result<Deleted> {
        self.submit(Task::DeleteLog { scope, log, event: event.map(Box::new) }, Answer::Deleted).await
    }

    /// Changes a control table and records the event that tells of it, both or neither, and waits for the commit.
    ///
    /// # Errors
    /// As [`Self::record`], and `NOT_FOUND`, `FORBIDDEN` or `BAD_USER_INPUT` where the change is not possible.
    pub async fn change(&self, permitted: Permitted, event: Item) -> Result<Box<Recorded>> {
        self.submit(Task::Change { permitted: Box::new(permitted), event: Box::new(event) }, Answer::Changed).await
    }

    async fn submit<T>(&self, task: Task, answer: impl FnOnce(oneshot::Sender<Result<T>>) -> Answer) -> Result<T> {
        let (sender, receipt) = oneshot::channel();
        self.put(vec![(task, answer(sender))])?;
        receipt.await.map_err(|_| lost(Fault::NoAnswer))?
    }

    /// Puts what belongs together into the queue of the first one's organization: all of it, or none.
    fn put(&self, tasks: Vec<(Task, Answer)>) -> Result<()> {
        let overloaded = || {
            metrics::counter!("ledgerline_recording_overloaded_total").increment(1);
            Error::Overloaded { retry_after_ms: RETRY_AFTER_MS }
        };
        let Some(whose) = tasks.first().map(|(task, _)| task.whose()) else { return Ok(()) };
        let mut pieces = Vec::with_capacity(tasks.len());
        for (task, answer) in tasks {
            let load = Load { events: count(&task), bytes: task.held_bytes() };
            let kib = u32::try_from(load.bytes / 1024 + 1).unwrap_or(u32::MAX);
            let room = self.room.clone().try_acquire_many_owned(kib).map_err(|_| overloaded())?;
            pieces.push((load, Waiting { task, caller: Caller { answer, _room: room } }));
        }
        let words = pieces.len();
        let put = queues(&self.queue).push(&whose, pieces, Instant::now());
        put.map_err(|_| overloaded())?;
        for _ in 0..words {
            self.put.send(()).map_err(|_| lost(Fault::Gone))?;
        }
        Ok(())
    }

    /// Whether the writer task itself answers, and its database takes writes: what [`Store::ready`] says.
    ///
    /// # Errors
    /// `UNAVAILABLE`, with the reason as its cause.
    pub async fn ready(&self) -> Result<Concerns> {
        let (probe, answer) = oneshot::channel();
        let asked = async {
            self.probes.send(probe).await.map_err(|_| Fault::Gone)?;
            answer.await.map_err(|_| Fault::NoAnswer)
        };
        let answered = tokio::time::timeout(PROBE_TIMEOUT, asked).await;
        answered.map_err(|_| Fault::Silent.error())?.map_err(Fault::error)?
    }
}

/// A request whose fate the writer task took with it is as loud as one that was not recorded.
fn lost(fault: Fault) -> Error {
    let error = fault.error();
    missed(&error, 1);
    error
}

async fn run(store: Store, clock: Clock, inbox: Arc<tokio::sync::Mutex<Inbox>>) {
    let mut inbox = inbox.lock().await;
    let Inbox { queue, put, probes } = &mut *inbox;
    loop {
        tokio::select! {
            Some(first) = probes.recv() => answer_probes(&store, first, probes).await,
            next = put.recv() => match next {
                Some(()) => commit_next(&store, &clock, queue, put).await,
                None => return,
            },
        }
    }
}

/// Answers everybody who asks at the moment with one look at the database.
async fn answer_probes(store: &Store, first: Probe, probes: &mut mpsc::Receiver<Probe>) {
    let mut asking = vec![first];
    while let Ok(next) = probes.try_recv() {
        asking.push(next);
    }
    let ready = store.ready().await;
    for probe in asking {
        let _ = probe.send(ready.clone());
    }
}

fn queues(queue: &Mutex<Queue<Waiting>>) -> MutexGuard<'_, Queue<Waiting>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Commits the next group, and tells those who waited for too long that nothing was recorded.
async fn commit_next(
    store: &Store,
    clock: &Clock,
    queue: &Mutex<Queue<Waiting>>,
    put: &mut mpsc::UnboundedReceiver<()>,
) {
    let Group { requests, load, late } = queues(queue).take(Instant::now());
    // The words for the others of the group. One that comes late finds nothing waiting, which does no harm.
    for _ in 1..requests.len() + late.len() {
        if put.try_recv().is_err() {
            break;
        }
    }
    for waiting in late {
        metrics::counter!("ledgerline_recording_overloaded_total").increment(1);
        waiting.caller.refuse(Error::Overloaded { retry_after_ms: RETRY_AFTER_MS });
    }
    if requests.is_empty() {
        return;
    }
    let started = Instant::now();
    commit(store, clock, requests).await;
    queues(queue).committed(load, started.elapsed());
}

/// Commits a group. In a cluster, each node's requests are committed by themselves, so that one that is gone takes no
/// other's along.
async fn commit(store: &Store, clock: &Clock, group: Vec<Waiting>) {
    let (tasks, callers): (Vec<_>, Vec<_>) = group.into_iter().map(|waiting| (waiting.task, waiting.caller)).unzip();
    let nodes = match store.nodes_of_tasks(&tasks).await {
        Ok(nodes) => nodes,
        Err(error) => {
            missed(&error, tasks.len());
            return callers.into_iter().for_each(|caller| caller.refuse(error.clone()));
        }
    };
    let mut portions: BTreeMap<Vec<i32>, (Vec<Task>, Vec<Caller>)> = BTreeMap::new();
    for ((task, caller), nodes) in tasks.into_iter().zip(callers).zip(nodes) {
        let portion = portions.entry(nodes).or_default();
        portion.0.push(task);
        portion.1.push(caller);
    }
    let portions = stream::iter(portions);
    let commit = |(nodes, (tasks, callers)): (Vec<i32>, _)| async move {
        commit_portion(store, clock, &nodes, tasks, callers).await;
    };
    portions.for_each_concurrent(NODES_AT_ONCE, commit).await;
}

async fn commit_portion(store: &Store, clock: &Clock, nodes: &[i32], tasks: Vec<Task>, callers: Vec<Caller>) {
    match append(store, clock, nodes, &tasks).await {
        Ok(appended) => answer(callers, appended),
        // One bad request must not fail its neighbours; a database that cannot be used fails all of them alike.
        Err(Error::Internal(_)) if tasks.len() > 1 => {
            for (task, caller) in tasks.into_iter().zip(callers) {
                match append(store, clock, nodes, std::slice::from_ref(&task)).await {
                    Ok(appended) => answer(vec![caller], appended),
                    Err(error) => {
                        missed(&error, 1);
                        caller.refuse(error);
                    }
                }
            }
        }
        Err(error) => {
            missed(&error, tasks.len());
            callers.into_iter().for_each(|caller| caller.refuse(error.clone()));
        }
    }
}

/// Answers the callers of tasks that were committed: those who record, delete and change, each in their order.
fn answer(callers: Vec<Caller>, appended: Vec<Appended>) {
    let (mut recorded, mut deleted, mut changed) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
    for one in appended {
        match one {
            Appended::Recorded(results) => recorded.push_back(results),
            Appended::Deleted(done) => deleted.push_back(done),
            Appended::Changed(done) => changed.push_back(done),
        }
    }
    for caller in callers {
        // Who does not wait any more is not told.
        match caller.answer {
            Answer::Recorded(caller) => drop(recorded.pop_front().map(|results| caller.send(Ok(results)))),
            Answer::Deleted(caller) => drop(deleted.pop_front().map(|done| caller.send(done))),
            Answer::Changed(caller) => drop(changed.pop_front().map(|done| caller.send(done))),
        }
    }
}

/// Commits some requests in one transaction, and counts what was recorded.
async fn append(store: &Store, clock: &Clock, nodes: &[i32], tasks: &[Task]) -> Result<Vec<Appended>> {
    let started = Instant::now();
    let result = Box::pin(store.append(nodes, tasks, clock.now())).await;
    let took = started.elapsed();
    metrics::histogram!("ledgerline_commit_seconds").record(took.as_secs_f64());
    let appended = result?;
    let events: usize = appended.iter().map(recorded).sum();
    metrics::counter!("ledgerline_events_recorded_total").increment(events as u64);
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(requests = tasks.len(), events, duration_ms, "committed {events} events");
    Ok(appended)
}

/// A write that did not happen is loud.
fn missed(error: &Error, requests: usize) {
    metrics::counter!("ledgerline_recording_failed_total").increment(requests as u64);
    let cause = error.cause_text();
    tracing::error!(requests, code = error.code().as_str(), cause, "{requests} requests were NOT recorded: {error}");
}

fn recorded(appended: &Appended) -> usize {
    match appended {
        Appended::Recorded(items) => items.iter().filter(|item| item.as_ref().is_ok_and(|r| !r.already)).count(),
        Appended::Deleted(Ok(Deleted { event: Some(event), .. })) => usize::from(!event.already),
        Appended::Deleted(_) => 0,
        Appended::Changed(event) => usize::from(event.as_ref().is_ok_and(|event| !event.already)),
    }
}

/// The results of pieces, each with the number of its items: those of a piece that failed have its error.
///
/// # Errors
/// That of a piece, where all have failed.
fn gathered(pieces: Vec<(usize, Result<Vec<ItemResult>>)>) -> Result<Vec<ItemResult>> {
    let is_any_committed = pieces.iter().any(|(_, piece)| piece.is_ok());
    let mut results = Vec::new();
    for (count, piece) in pieces {
        match piece {
            Ok(mut items) => results.append(&mut items),
            Err(error) if !is_any_committed => return Err(error),
            Err(error) => results.extend(std::iter::repeat_n(error, count).map(Err)),
        }
    }
    Ok(results)
}

/// Items in their order, as few pieces as are not too large; one that is larger by itself is a piece.
fn pieces_of(items: Vec<Item>) -> Vec<Vec<Item>> {
    let (mut pieces, mut piece, mut cost) = (Vec::new(), Vec::new(), 0);
    for item in items {
        let own = Load { events: 1, bytes: item.held_bytes() }.cost();
        if cost + own > PIECE && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            cost = 0;
        }
        cost += own;
        piece.push(item);
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

fn count(task: &Task) -> usize {
    match task {
        Task::Record { items, .. } => items.len(),
        Task::DeleteLog { .. } | Task::Change { .. } => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_that_failed_fails_its_own_events_and_no_request_of_which_something_is_recorded() {
        let refused = || Err(Error::left_out());
        let full = || Error::Overloaded { retry_after_ms: 1 };
        let told = |pieces| {
            gathered(pieces)
                .map(|results| results.into_iter().map(|one| one.err().map(|e| e.code())).collect::<Vec<_>>())
        };
        let (own, other) = (Some(Error::left_out().code()), Some(full().code()));
        let pieces = vec![(2, Ok(vec![refused(), refused()])), (3, Err(full())), (1, Ok(vec![refused()]))];
        assert_eq!(told(pieces).unwrap(), [own, own, other, other, other, own]);
        assert_eq!(told(vec![(2, Err(full())), (1, Err(full()))]).unwrap_err().code(), full().code());
        assert!(told(vec![]).unwrap().is_empty());
    }
}
