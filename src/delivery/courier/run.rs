//! A run for one endpoint: it reads the next events as whoever made the endpoint may read them, sends them, and reports
//! how far it got.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::tried::tried;
use crate::{
    auth::Principal,
    catalog::{Feature, Products},
    chance::Chance,
    clock::Clock,
    delivery::{
        maker,
        sinks::{self, Failure, FailureKind, Portion, Sink, Ways},
    },
    error::{Code, Error, Result},
    event::Timestamp,
    keys::Plans,
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

/// An endpoint, by the number of its organization and its id.
pub type Key = (i64, String);

/// What runs are made with.
pub struct Runner {
    pub store: Store,
    pub reader: Reader,
    pub products: Products,
    pub plans: Plans,
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
    /// When new events may be sent.
    pub due: i64,
    /// When a replay may go on, where there is one.
    pub replay_due: Option<i64>,
    /// What new events wait for, where they are gathered.
    pub gathers: Option<Gathers>,
}

/// New events are gathered before they are sent.
#[derive(Clone, Copy)]
pub struct Gathers {
    /// Until then,
    pub until: Timestamp,
    /// or until there are so many events in the organization: no sooner can there be enough of them.
    pub size: i64,
}

impl Runner {
    /// A run for an endpoint, whose next event is the given one.
    pub async fn run_for(&self, key: Key, next: i64) -> Ran {
        let lent = match self.store.lent_endpoint(key.0, &key.1, self.owner).await {
            Ok(lent) => lent.filter(|lent| lent.endpoint.status == EndpointStatus::Active),
            Err(error) => {
                warn("an endpoint cannot be read, it is tried again", &error);
                let due = self.clock.now().0.saturating_add(5 * SECOND);
                return Ran { key, report: None, next: Some(next), due, replay_due: Some(due), gathers: None };
            }
        };
        let Some(lent) = lent else {
            return Ran { key, report: None, next: None, due: i64::MAX, replay_due: None, gathers: None };
        };
        Box::pin(Run::new(self, lent, next).go(key)).await
    }
}

/// A run for one endpoint.
struct Run<'a> {
    runner: &'a Runner,
    lent: Lent,
    progress: Progress,
    attempts: Vec<Attempt>,
    dead: Vec<DeadLetter>,
    revived: Vec<(i64, i64)>,
    gone: bool,
    /// Until when nothing is tried in this process, since it cannot read.
    rests: i64,
    gathers: Option<Gathers>,
    ends: Instant,
}

/// What a run sends. Each has a place, and refusals of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// What was recorded.
    New,
    /// A part of the history once more.
    History,
    /// What the receiver would not take, once more.
    DeadLetters,
}

impl<'a> Run<'a> {
    fn new(runner: &'a Runner, lent: Lent, next: i64) -> Self {
        let mut progress = lent.progress.clone();
        progress.next = progress.next.max(next);
        let ends = Instant::now() + RUN;
        let (attempts, dead, revived) = (Vec::new(), Vec::new(), Vec::new());
        Self { runner, lent, progress, attempts, dead, revived, gone: false, rests: i64::MIN, gathers: None, ends }
    }

    async fn go(mut self, key: Key) -> Ran {
        if let Err(error) = Box::pin(self.deliver()).await {
            self.blocked(&error);
        }
        let Self { runner: _, lent, progress, attempts, dead, revived, gone, rests, gathers, ends: _ } = self;
        let changed = !attempts.is_empty()
            || !dead.is_empty()
            || !revived.is_empty()
            || progress.trouble != lent.progress.trouble
            || progress.replay != lent.progress.replay
            || progress.next - lent.progress.next > SKIPPED;
        let (next, due) = (progress.next, progress.due.0.max(rests));
        let replay_due = progress.replay.as_ref().map(|replay| replay.due.0.max(rests));
        let report = changed.then(|| Report {
            organization_no: key.0,
            endpoint_id: key.1.clone(),
            changed_at: lent.endpoint.changed_at,
            progress,
            replays: lent.replays,
            attempts,
            dead,
            revived,
            gone,
        });
        Ran { key, report, next: (!gone).then_some(next), due, replay_due, gathers }
    }

    /// What keeps the run from reading is no fault of the receiver.
    fn blocked(&mut self, error: &Error) {
        let now = self.runner.clock.now();
        match error.code() {
            Code::Unavailable | Code::Internal | Code::Overloaded => {
                warn("events for an endpoint cannot be read, it is tried again", error);
                self.rests = now.0.saturating_add(5 * SECOND);
            }
            _ => {
                self.progress.trouble = Some(format!("{}: {error}", error.code().as_str()));
                self.wait_until(now.0.saturating_add(BLOCKED));
            }
        }
    }

    /// Nothing is sent before then.
    fn wait_until(&mut self, due: i64) {
        self.progress.due = Timestamp(due);
        if let Some(replay) = &mut self.progress.replay {
            replay.due = Timestamp(due);
        }
    }

    /// New events, then what is to be sent again: each when it is due, so that an event that is refused in the one holds up
    /// nothing of the other.
    async fn deliver(&mut self) -> Result<()> {
        let (runner, now) = (self.runner, self.runner.clock.now());
        let Lent { endpoint, organization, product, .. } = &self.lent;
        let product = maker::product(&runner.products, product, Feature::Endpoints)?;
        let maker = maker::principal(product, organization, &endpoint.id, &endpoint.rights, &runner.plans, now);
        let principal = Arc::new(maker.await?);
        let followed = Followed::stored(&endpoint.question)?;
        let sink = sinks::open(&self.lent.endpoint, &runner.ways)?;
        if self.progress.due <= now {
            let mut follower = runner.reader.follow_from(&principal, followed.clone(), self.progress.next).await?;
            Box::pin(self.give(&mut follower, &*sink, None)).await?;
        }
        let Some(replay) = self.progress.replay.clone() else { return Ok(()) };
        if replay.due > now || self.gone || !self.has_time() {
            return Ok(());
        }
        let Some(end) = replay.end else {
            return Box::pin(self.revive(replay.next, &principal, &followed, &*sink)).await;
        };
        // What lies behind the end, as after the database was put back, is nothing to send again.
        if replay.next >= runner.store.size_of(&self.lent.product, &self.lent.organization).await? {
            self.progress.replay = None;
            return Ok(());
        }
        let mut follower = runner.reader.follow_from(&principal, followed, replay.next.max(0)).await?;
        Box::pin(self.give(&mut follower, &*sink, Some(end))).await
    }

    fn has_time(&self) -> bool {
        Instant::now() < self.ends
    }

    /// Gives the receiver what there is, new events or a part of the history, until all of it is given, one fails, or the
    /// time is over. What it takes together may be read in several goes: so the time does not end before anything is sent.
    async fn give(&mut self, follower: &mut Follower, sink: &dyn Sink, end: Option<i64>) -> Result<()> {
        let stream = if end.is_some() { Stream::History } else { Stream::New };
        let mut waiting: Vec<Shown> = Vec::new();
        loop {
            // What is recorded after the look may be of a time that is over only since then.
            let looked = self.runner.clock.now();
            let batch = Box::pin(follower.look(READ_AT_ONCE)).await?;
            // What was recorded after a change of the endpoint is sent by what it is since then.
            if !self.runner.store.is_unchanged(&self.lent).await? {
                return Ok(());
            }
            let is_last = end.is_some_and(|end| follower.next() >= end) || !batch.more;
            let events = batch.entries.into_iter().map(|entry| entry.event);
            waiting.extend(events.filter(|shown| end.is_none_or(|end| shown.event().sequence < end)));
            let mut left = waiting.as_slice();
            while let Some(first) = left.first() {
                self.got_to(first.event().sequence, stream);
                let Portion { count, until } = sink.portion(left, self.is_careful(stream));
                match until {
                    Some(_) if !is_last => break,
                    Some(until) if stream == Stream::New && until > looked => {
                        let missing = i64::try_from(sink.most().saturating_sub(left.len())).unwrap_or(i64::MAX);
                        self.gathers = Some(Gathers { until, size: follower.next().saturating_add(missing) });
                        return Ok(());
                    }
                    _ => {}
                }
                if !self.has_time() && !self.attempts.is_empty() {
                    return Ok(());
                }
                let (sent, rest) = left.split_at(count.clamp(1, left.len()));
                if !self.send(sink, sent, stream).await {
                    return Ok(());
                }
                left = rest;
            }
            let sent = waiting.len() - left.len();
            waiting.drain(..sent);
            if waiting.is_empty() {
                self.got_to(follower.next(), stream);
            }
            if end.is_some() && is_last {
                self.progress.replay = None;
            }
            if is_last || (waiting.is_empty() && !self.has_time()) {
                return Ok(());
            }
        }
    }

    /// What was refused together may be taken one by one.
    fn is_careful(&self, stream: Stream) -> bool {
        let refusals = |progress: &Progress| progress.replay.as_ref().map_or(0, |replay| replay.refusals);
        let fails = |progress: &Progress| progress.failures > 0 || (stream != Stream::New && refusals(progress) > 0);
        fails(&self.progress) || fails(&self.lent.progress)
    }

    /// Notes the next event.
    fn got_to(&mut self, next: i64, stream: Stream) {
        match (stream, &mut self.progress.replay) {
            (Stream::New, _) => self.progress.next = next,
            (_, Some(replay)) => replay.next = next,
            (_, None) => {}
        }
    }

    /// Gives the receiver once more what it would not take: each event once. One that is refused again stays.
    async fn revive(
        &mut self,
        from: i64,
        principal: &Arc<Principal>,
        followed: &Followed,
        sink: &dyn Sink,
    ) -> Result<()> {
        let (no, id) = (self.lent.organization_no, self.lent.endpoint.id.clone());
        let letters = self.runner.store.dead_sequences(no, &id, from, 100).await?;
        let all = letters.len() < 100;
        for sequence in letters {
            self.got_to(sequence, Stream::DeadLetters);
            if !self.has_time() {
                return Ok(());
            }
            let mut follower = self.runner.reader.follow_from(principal, followed.clone(), sequence).await?;
            let batch = Box::pin(follower.look(1)).await?;
            if !self.runner.store.is_unchanged(&self.lent).await? {
                return Ok(());
            }
            let events: Vec<Shown> = batch.entries.into_iter().map(|entry| entry.event).collect();
            // One that it may not see any more is no letter for it.
            let is_there = events.first().is_some_and(|shown| shown.event().sequence == sequence);
            if !is_there {
                self.revived.push((sequence, sequence));
            } else if !self.send(sink, &events, Stream::DeadLetters).await {
                return Ok(());
            }
            self.got_to(sequence + 1, Stream::DeadLetters);
        }
        if all {
            self.progress.replay = None;
        }
        Ok(())
    }

    /// Sends events, and notes what became of that. Says whether the next ones may follow.
    async fn send(&mut self, sink: &dyn Sink, events: &[Shown], stream: Stream) -> bool {
        let at = self.runner.clock.now();
        let sequence = |shown: Option<&Shown>| shown.map_or(-1, |shown| shown.event().sequence);
        let range = (sequence(events.first()), sequence(events.last()));
        let purpose = if stream == Stream::New { Purpose::Delivery } else { Purpose::Replay };
        let (sent, attempt) = tried(sink.send(events, at), at, purpose, range).await;
        self.attempts.push(attempt);
        let result = if sent.is_ok() { "taken" } else { "failed" };
        metrics::counter!("ledgerline_deliveries_total", "result" => result).increment(1);
        match sent {
            Ok(()) => {
                self.taken(range, stream, at);
                true
            }
            Err(failure) => match failure.kind {
                FailureKind::Rejected => self.refused(&failure, range, stream, at),
                FailureKind::Unavailable | FailureKind::Gone => {
                    self.unavailable(&failure, at);
                    false
                }
            },
        }
    }

    fn taken(&mut self, (first, last): (i64, i64), stream: Stream, at: Timestamp) {
        let progress = &mut self.progress;
        progress.succeeded_at = Some(at);
        if stream != Stream::New {
            self.dead.retain(|letter| !(first..=last).contains(&letter.sequence));
            self.revived.push((first, last));
            if let Some(replay) = &mut progress.replay {
                replay.refusals = 0;
            }
            if progress.refusals > 0 {
                // New events wait because one is refused, which this says nothing of.
                return;
            }
            progress.due = progress.due.min(at);
        }
        (progress.failures, progress.refusals) = (0, 0);
        (progress.failing_since, progress.trouble) = (None, None);
    }

    /// Nobody is there, whatever was sent: everything waits, and the next try finds out for all.
    fn unavailable(&mut self, failure: &Failure, at: Timestamp) {
        self.gone = failure.kind == FailureKind::Gone;
        self.fails(failure, at);
        let tries = self.progress.failures - self.progress.refusals;
        self.wait_until(at.0.saturating_add(pause(tries, failure.retry_after, &self.runner.chance)));
    }

    /// Everybody else's events must not wait for one that nobody takes: it is put aside in the end. Until then, those behind
    /// it in the same stream wait, and no others.
    fn refused(&mut self, failure: &Failure, (first, last): (i64, i64), stream: Stream, at: Timestamp) -> bool {
        if stream == Stream::New {
            self.fails(failure, at);
        }
        let progress = &mut self.progress;
        let (refusals, due) = match (stream, &mut progress.replay) {
            (Stream::New, _) => (&mut progress.refusals, &mut progress.due),
            (_, Some(replay)) => (&mut replay.refusals, &mut replay.due),
            (_, None) => return false,
        };
        *refusals += 1;
        let is_last_try = stream == Stream::DeadLetters || *refusals >= REFUSALS;
        if first != last || !is_last_try {
            let pause = pause(*refusals, failure.retry_after, &self.runner.chance);
            *due = Timestamp(at.0.saturating_add(pause));
            return false;
        }
        *refusals = 0;
        if stream == Stream::New {
            progress.failures = 0;
            (progress.failing_since, progress.trouble) = (None, None);
        }
        self.dead.push(DeadLetter { sequence: first, at, reason: failure.reason.clone() });
        true
    }

    fn fails(&mut self, failure: &Failure, at: Timestamp) {
        let progress = &mut self.progress;
        progress.failures += 1;
        progress.failing_since = progress.failing_since.or(Some(at));
        progress.trouble = Some(failure.reason.clone());
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
    let cause = error.cause_text();
    tracing::warn!(cause, "{what}: {error}");
}
