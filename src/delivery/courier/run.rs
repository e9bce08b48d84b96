//! A run for one endpoint: it reads the next events as whoever made the endpoint may read them, sends them, and reports
//! how far it got.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    asked::{followed, principal},
    tried::tried,
};
use crate::{
    auth::Principal,
    catalog::Products,
    chance::Chance,
    clock::Clock,
    delivery::sinks::{self, Failure, FailureKind, Sink, Ways},
    error::{Code, Error, Result},
    event::Timestamp,
    reading::{
        Reader,
        follow::{Followed, Follower},
        shown::Shown,
    },
    store::{
        Store,
        control::endpoints::{Attempt, DeadLetter, EndpointStatus, Lent, Progress, Purpose, Report},
    },
};

const SECOND: i64 = 1_000_000_000;
/// Events that are read at once.
const READ_AT_ONCE: usize = 100;
/// How long a run goes on while there is more.
const RUN: Duration = Duration::from_secs(1);
/// Events that an endpoint's filter has left out before its place is written down.
const SKIPPED: i64 = 10_000;
/// Tries of an event that a receiver refuses, before it is put aside.
pub const REFUSALS: i64 = 4;
/// How long an endpoint waits that may not be read for any more, or whose settings cannot be used.
const BLOCKED: i64 = 3_600 * SECOND;
/// Pauses after so many failures, in seconds: those of Standard Webhooks. The last one is repeated until the receiver is
/// back.
const PAUSES: [i64; 9] = [5, 5 * 60, 30 * 60, 2 * 3_600, 5 * 3_600, 10 * 3_600, 14 * 3_600, 20 * 3_600, 24 * 3_600];
/// Longest time that a receiver can ask to be left alone, in seconds.
const LONGEST_PAUSE: u64 = 24 * 3_600;
/// A replay of what an endpoint would not take.
const DEAD_LETTERS: (i64, i64) = (-1, -1);

/// An endpoint, by the number of its organization and its id.
pub type Key = (i64, String);

/// What runs are made with.
pub struct Runner {
    pub store: Store,
    pub reader: Reader,
    pub products: Products,
    pub clock: Clock,
    pub chance: Chance,
    pub ways: Ways,
    /// What endpoints are lent to.
    pub owner: i64,
}

/// What a run came to.
pub struct Ran {
    pub key: Key,
    /// What is to be written down; nothing where no event was for it.
    pub report: Option<Report>,
    /// Sequence of the next event; `None` where the endpoint is not ours, or not active.
    pub next: Option<i64>,
    pub due: i64,
    pub replays: bool,
}

impl Runner {
    /// A run for an endpoint, whose next event is the given one.
    pub async fn run_for(&self, key: Key, next: i64) -> Ran {
        let lent = match self.store.lent_endpoint(key.0, &key.1, self.owner).await {
            Ok(lent) => lent.filter(|lent| lent.endpoint.status == EndpointStatus::Active),
            Err(error) => {
                warn("an endpoint cannot be read, it is tried again", &error);
                let due = self.clock.now().0.saturating_add(5 * SECOND);
                return Ran { key, report: None, next: Some(next), due, replays: true };
            }
        };
        let Some(lent) = lent else { return Ran { key, report: None, next: None, due: i64::MAX, replays: false } };
        Run::new(self, lent, next).go(key).await
    }
}

/// A run for one endpoint.
struct Run<'a> {
    runner: &'a Runner,
    lent: Lent,
    progress: Progress,
    attempts: Vec<Attempt>,
    dead: Vec<DeadLetter>,
    revived: Vec<i64>,
    gone: bool,
    ends: Instant,
}

impl<'a> Run<'a> {
    fn new(runner: &'a Runner, lent: Lent, next: i64) -> Self {
        let mut progress = lent.progress.clone();
        progress.next = progress.next.max(next);
        let ends = Instant::now() + RUN;
        Self { runner, lent, progress, attempts: Vec::new(), dead: Vec::new(), revived: Vec::new(), gone: false, ends }
    }

    async fn go(mut self, key: Key) -> Ran {
        if let Err(error) = self.deliver().await {
            self.blocked(&error);
        }
        let Self { runner: _, lent, progress, attempts, dead, revived, gone, ends: _ } = self;
        let changed = !attempts.is_empty()
            || !dead.is_empty()
            || !revived.is_empty()
            || progress.trouble != lent.progress.trouble
            || progress.replay != lent.progress.replay
            || progress.next - lent.progress.next > SKIPPED;
        let (next, due, replays) = (progress.next, progress.due.0, progress.replay.is_some());
        let report = changed.then(|| Report {
            organization_no: key.0,
            endpoint_id: key.1.clone(),
            progress,
            replays: lent.replays,
            attempts,
            dead,
            revived,
            gone,
        });
        Ran { key, report, next: (!gone).then_some(next), due, replays }
    }

    /// What keeps the run from reading is no fault of the receiver.
    fn blocked(&mut self, error: &Error) {
        let now = self.runner.clock.now();
        let pause = match error.code() {
            Code::Unavailable | Code::Internal | Code::Overloaded => {
                warn("events for an endpoint cannot be read, it is tried again", error);
                5 * SECOND
            }
            _ => {
                self.progress.trouble = Some(format!("{}: {error}", error.code().as_str()));
                BLOCKED
            }
        };
        self.progress.due = Timestamp(now.0.saturating_add(pause));
    }

    async fn deliver(&mut self) -> Result<()> {
        let runner = self.runner;
        let product = runner.products.get(&self.lent.product).cloned();
        let principal = Arc::new(principal(product, &self.lent)?);
        let followed = followed(&self.lent)?;
        let sink = sinks::open(&self.lent.endpoint, &runner.ways)?;
        let mut follower = runner.reader.follow_from(&principal, followed.clone(), self.progress.next).await?;
        if !self.give(&mut follower, &*sink, None).await? || !self.has_time() {
            return Ok(());
        }
        match self.progress.replay {
            None => Ok(()),
            Some(DEAD_LETTERS) => self.revive(&principal, &followed, &*sink).await,
            Some((next, end)) => {
                let mut follower = runner.reader.follow_from(&principal, followed, next.max(0)).await?;
                self.give(&mut follower, &*sink, Some(end)).await?;
                Ok(())
            }
        }
    }

    fn has_time(&self) -> bool {
        Instant::now() < self.ends
    }

    /// Gives the receiver what there is, new events or a part of the history, until all of it is given or the time is
    /// over. Says whether nothing failed.
    async fn give(&mut self, follower: &mut Follower, sink: &dyn Sink, end: Option<i64>) -> Result<bool> {
        let purpose = if end.is_some() { Purpose::Replay } else { Purpose::Delivery };
        loop {
            let batch = follower.look(READ_AT_ONCE).await?;
            let mut events: Vec<Shown> = batch.entries.into_iter().map(|entry| entry.event).collect();
            let is_last = end.is_some_and(|end| follower.next() >= end) || !batch.more;
            if let Some(end) = end {
                events.retain(|shown| shown.event().sequence < end);
            }
            let mut left = events.as_slice();
            while let Some(first) = left.first() {
                self.got_to(first.event().sequence, end);
                if !self.has_time() {
                    return Ok(true);
                }
                // What was refused together may be taken one by one.
                let is_careful = self.progress.failures > 0 || self.lent.progress.failures > 0;
                let most = if is_careful { 1 } else { sink.most() };
                let (sent, rest) = left.split_at(most.min(left.len()));
                if !self.send(sink, sent, purpose).await {
                    return Ok(false);
                }
                left = rest;
            }
            self.got_to(follower.next(), end);
            if end.is_some() && is_last {
                self.progress.replay = None;
            }
            if is_last || !self.has_time() {
                return Ok(true);
            }
        }
    }

    /// Notes the next event: of all, or of the part of the history up to `end`.
    fn got_to(&mut self, next: i64, end: Option<i64>) {
        match end {
            None => self.progress.next = next,
            Some(end) => self.progress.replay = Some((next, end)),
        }
    }

    /// Gives the receiver once more what it would not take.
    async fn revive(&mut self, principal: &Arc<Principal>, followed: &Followed, sink: &dyn Sink) -> Result<()> {
        let (no, id) = (self.lent.organization_no, self.lent.endpoint.id.clone());
        let letters = self.runner.store.dead_sequences(no, &id, 100).await?;
        let all = letters.len() < 100;
        for sequence in letters {
            let mut follower = self.runner.reader.follow_from(principal, followed.clone(), sequence).await?;
            let batch = follower.look(1).await?;
            let events: Vec<Shown> = batch.entries.into_iter().map(|entry| entry.event).collect();
            // One that it may not see any more is no letter for it.
            let is_there = events.first().is_some_and(|shown| shown.event().sequence == sequence);
            if is_there && !self.send(sink, &events, Purpose::Replay).await {
                // It stays where it is; what comes after it is tried when it is asked for again.
                self.progress.replay = None;
                return Ok(());
            }
            self.revived.push(sequence);
            if !self.has_time() {
                return Ok(());
            }
        }
        if all {
            self.progress.replay = None;
        }
        Ok(())
    }

    /// Sends events, and notes what became of that. Says whether the next ones may follow.
    async fn send(&mut self, sink: &dyn Sink, events: &[Shown], purpose: Purpose) -> bool {
        let at = self.runner.clock.now();
        let sequence = |shown: Option<&Shown>| shown.map_or(-1, |shown| shown.event().sequence);
        let range = (sequence(events.first()), sequence(events.last()));
        let (sent, attempt) = tried(sink.send(events, at), at, purpose, range).await;
        self.attempts.push(attempt);
        let result = if sent.is_ok() { "taken" } else { "failed" };
        metrics::counter!("ledgerline_deliveries_total", "result" => result).increment(1);
        match sent {
            Ok(()) => {
                self.progress.failures = 0;
                self.progress.failing_since = None;
                self.progress.trouble = None;
                self.progress.succeeded_at = Some(at);
                true
            }
            Err(failure) => self.failed(&failure, range, purpose, at),
        }
    }

    fn failed(&mut self, failure: &Failure, events: (i64, i64), purpose: Purpose, at: Timestamp) -> bool {
        let progress = &mut self.progress;
        progress.failures += 1;
        progress.failing_since = progress.failing_since.or(Some(at));
        progress.trouble = Some(failure.reason.clone());
        if failure.kind == FailureKind::Gone {
            self.gone = true;
            return false;
        }
        let is_refused = failure.kind == FailureKind::Rejected && events.0 == events.1;
        if is_refused && purpose == Purpose::Delivery && progress.failures >= REFUSALS {
            // Everybody else's events must not wait for one that nobody takes.
            self.dead.push(DeadLetter { sequence: events.0, at, reason: failure.reason.clone() });
            progress.failures = 0;
            progress.failing_since = None;
            return true;
        }
        let pause = pause(progress.failures, failure.retry_after, &self.runner.chance);
        progress.due = Timestamp(at.0.saturating_add(pause));
        false
    }
}

/// How long is waited after so many failures, in nanoseconds; up to a tenth more, so that not all come at once.
pub fn pause(failures: i64, retry_after: Option<u64>, chance: &Chance) -> i64 {
    let place = usize::try_from(failures.max(1) - 1).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    let seconds = PAUSES[place];
    let asked = i64::try_from(retry_after.unwrap_or_default().min(LONGEST_PAUSE)).unwrap_or_default();
    let spread = seconds * SECOND / 10 / 1_024 * chance.bits(10);
    seconds.max(asked).saturating_mul(SECOND).saturating_add(spread)
}

/// A fault of ours, or of the database.
pub fn warn(what: &str, error: &Error) {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    tracing::warn!(cause, "{what}: {error}");
}
