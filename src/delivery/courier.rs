//! The courier: gives each endpoint the events of its organization, in their order, each at least once.
//!
//! One task a process. It has the endpoints that are lent to it, and runs for those that lie behind their organization's
//! size and are due: a run reads the next events as whoever made the endpoint may read them, sends them, and reports how
//! far it got. Reports of many runs are written in one transaction. What is in the way of one endpoint waits for that one
//! alone: a receiver that does not answer has one place among many, and its organization has few.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::{BoxFuture, FutureExt},
    stream::FuturesUnordered,
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::{
    maker,
    sinks::{self, Failure, FailureKind, Sink, Ways},
};
use crate::{
    auth::{LogName, Principal},
    catalog::{Feature, Product, Products},
    chance::Chance,
    clock::Clock,
    error::{Code, Error, Result},
    event::Timestamp,
    question::input::FilterInput,
    reading::{
        Reader,
        follow::{Followed, Follower},
        shown::Shown,
    },
    store::{
        Store,
        control::endpoints::{Attempt, DeadLetter, Endpoint, EndpointStatus, Held, Lent, Progress, Purpose, Report},
    },
};

const SECOND: i64 = 1_000_000_000;
/// How long an endpoint is lent to a process that says nothing more.
const LEASE: i64 = 30 * SECOND;
/// How often a process looks at which endpoints there are.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it looks for endpoints that have become due.
const TICK: Duration = Duration::from_millis(500);
/// How long reports are gathered.
const GATHER: Duration = Duration::from_millis(100);
/// Runs at the same time.
const RUNS: usize = 64;
/// Of them, for one organization.
const RUNS_OF_ONE: usize = 4;
/// Events that are read at once.
const READ_AT_ONCE: usize = 100;
/// How long a run goes on while there is more.
const RUN: Duration = Duration::from_secs(1);
/// How long a receiver may take for what it is sent at once.
pub(super) const LONGEST: Duration = Duration::from_secs(60);
/// Events that an endpoint's filter has left out before its place is written down.
const SKIPPED: i64 = 10_000;
/// Tries of an event that a receiver refuses, before it is put aside.
pub(super) const REFUSALS: i64 = 4;
/// How long an endpoint waits that may not be read for any more, or whose settings cannot be used.
const BLOCKED: i64 = 3_600 * SECOND;
/// Pauses after so many failures, in seconds: those of Standard Webhooks. The last one is repeated until the receiver is
/// back.
const PAUSES: [i64; 9] = [5, 5 * 60, 30 * 60, 2 * 3_600, 5 * 3_600, 10 * 3_600, 14 * 3_600, 20 * 3_600, 24 * 3_600];
/// Longest time that a receiver can ask to be left alone, in seconds.
const LONGEST_PAUSE: u64 = 24 * 3_600;
/// The sequence of a try that is of no event.
const NO_EVENT: i64 = -1;
/// A replay of what an endpoint would not take.
const DEAD_LETTERS: (i64, i64) = (-1, -1);

/// Which events an endpoint gets, as it is stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    /// Version of this form.
    pub v: u8,
    /// The log as `level:id`; the organization's own where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Whether events of logs nested in it are sent too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_nested: Option<bool>,
    /// The filter.
    pub filter: FilterInput,
}

/// Sends events to endpoints.
pub struct Courier {
    store: Store,
    reader: Reader,
    products: Products,
    clock: Clock,
    chance: Chance,
    ways: Ways,
    /// Something about an endpoint has changed here.
    changed: Arc<Notify>,
    /// What endpoints are lent to.
    owner: i64,
}

/// An endpoint, by the number of its organization and its id.
type Key = (i64, String);

/// What is known of an endpoint that this process has.
struct Known {
    /// Sequence of the next event that was not looked at for it.
    next: i64,
    /// The same as it is stored.
    stored: i64,
    size: i64,
    due: i64,
    replays: bool,
    is_running: bool,
    /// When its last run ended: what was read before says nothing of it.
    settled: Option<Instant>,
}

/// What a run came to.
struct Ran {
    key: Key,
    /// What is to be written down; nothing where no event was for it.
    report: Option<Report>,
    /// Sequence of the next event; `None` where the endpoint is not ours, or not active.
    next: Option<i64>,
    due: i64,
    replays: bool,
}

impl Courier {
    /// A courier for the endpoints of a database.
    #[must_use]
    pub fn new(store: Store, reader: Reader, products: Products, clock: Clock, chance: Chance, ways: Ways) -> Self {
        let owner = chance.bits(62) | 1;
        Self { store, reader, products, clock, chance, ways, changed: Arc::default(), owner }
    }

    /// What is told when an endpoint has changed in this process.
    #[must_use]
    pub fn changed(&self) -> Arc<Notify> {
        self.changed.clone()
    }

    /// Sends, for ever.
    pub async fn run(&self) -> ! {
        let growth = self.store.growth();
        let mut known: HashMap<Key, Known> = HashMap::new();
        let mut runs: FuturesUnordered<BoxFuture<'_, Ran>> = FuturesUnordered::new();
        let (mut waiting, mut writing) = (Vec::<Ran>::new(), None::<BoxFuture<'_, Vec<Ran>>>);
        let (mut look, mut looked) = (Instant::now(), Instant::now());
        let mut looking = None::<BoxFuture<'_, Result<Vec<Held>>>>;
        let mut gather = None::<Instant>;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                grown = growth.next() => grow(&mut known, &grown),
                () = self.changed.notified() => look = Instant::now(),
                _ = tick.tick() => {}
                Some(ran) = runs.next(), if !runs.is_empty() => match ran.report {
                    Some(_) => {
                        gather.get_or_insert_with(|| Instant::now() + GATHER);
                        waiting.push(ran);
                    }
                    None => settle(&mut known, ran),
                },
                () = tokio::time::sleep_until(gather.unwrap_or_else(Instant::now)), if gather.is_some() && writing.is_none() => {
                    gather = None;
                    writing = Some(self.write_down(std::mem::take(&mut waiting)).boxed());
                }
                // Nothing is waited for elsewhere: a run that waits for its turn here may have a connection.
                held = async { looking.as_mut().expect("it is checked").await }, if looking.is_some() => {
                    looking = None;
                    match held {
                        Ok(held) => learn(&mut known, held, looked),
                        Err(error) => warn("which endpoints there are cannot be read, it is tried again", &error),
                    }
                }
                written = async { writing.as_mut().expect("it is checked").await }, if writing.is_some() => {
                    writing = None;
                    written.into_iter().for_each(|ran| settle(&mut known, ran));
                }
            }
            if look <= Instant::now() && looking.is_none() {
                looked = Instant::now();
                look = looked + LOOK_EVERY;
                looking = Some(self.look().boxed());
            }
            self.begin(&mut known, &mut runs);
        }
    }

    /// Lets other processes have its endpoints.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn let_go(&self) -> Result<()> {
        self.store.let_go_of_endpoints(self.owner).await
    }

    /// Takes what no living process has, and says which endpoints this one has.
    async fn look(&self) -> Result<Vec<Held>> {
        self.ways.lines.sweep();
        let now = self.clock.now();
        self.store.hold_endpoints(self.owner, now, Timestamp(now.0.saturating_add(LEASE))).await?;
        self.store.held_endpoints(self.owner).await
    }

    /// Begins runs for endpoints that lie behind and are due, as far as there is room.
    fn begin<'a>(&'a self, known: &mut HashMap<Key, Known>, runs: &mut FuturesUnordered<BoxFuture<'a, Ran>>) {
        let now = self.clock.now().0;
        let is_wanted = |one: &Known| !one.is_running && one.due <= now && (one.next < one.size || one.replays);
        let mut of_one: HashMap<i64, usize> = HashMap::new();
        for ((organization, _), _) in known.iter().filter(|(_, one)| one.is_running) {
            *of_one.entry(*organization).or_default() += 1;
        }
        let mut wanted: Vec<_> =
            known.iter().filter(|(_, one)| is_wanted(one)).map(|(key, one)| (one.due, key.clone())).collect();
        wanted.sort_unstable();
        for (_, key) in wanted {
            if runs.len() >= RUNS {
                break;
            }
            let running = of_one.entry(key.0).or_default();
            if *running >= RUNS_OF_ONE {
                continue;
            }
            *running += 1;
            if let Some(one) = known.get_mut(&key) {
                one.is_running = true;
                runs.push(self.run_for(key, one.next).boxed());
            }
        }
    }

    async fn write_down(&self, mut ran: Vec<Ran>) -> Vec<Ran> {
        let reports: Vec<_> = ran.iter_mut().filter_map(|one| one.report.take()).collect();
        if let Err(error) = self.store.report(self.owner, &reports).await {
            warn("how far endpoints have got is not written down, so they are sent some events again", &error);
            // From what is stored: it is read anew.
            for one in &mut ran {
                one.next = None;
            }
        }
        ran
    }

    async fn run_for(&self, key: Key, next: i64) -> Ran {
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
    courier: &'a Courier,
    lent: Lent,
    progress: Progress,
    attempts: Vec<Attempt>,
    dead: Vec<DeadLetter>,
    revived: Vec<i64>,
    gone: bool,
    ends: Instant,
}

impl<'a> Run<'a> {
    fn new(courier: &'a Courier, lent: Lent, next: i64) -> Self {
        let mut progress = lent.progress.clone();
        progress.next = progress.next.max(next);
        let ends = Instant::now() + RUN;
        Self { courier, lent, progress, attempts: Vec::new(), dead: Vec::new(), revived: Vec::new(), gone: false, ends }
    }

    async fn go(mut self, key: Key) -> Ran {
        if let Err(error) = self.deliver().await {
            self.blocked(&error);
        }
        let Self { courier: _, lent, progress, attempts, dead, revived, gone, ends: _ } = self;
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
        let now = self.courier.clock.now();
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
        let courier = self.courier;
        let product = courier.products.get(&self.lent.product).cloned();
        let principal = Arc::new(principal(product, &self.lent)?);
        let followed = followed(&self.lent)?;
        let sink = sinks::open(&self.lent.endpoint, &courier.ways)?;
        let mut follower = courier.reader.follow_from(&principal, followed.clone(), self.progress.next).await?;
        if !self.give(&mut follower, &*sink, None).await? || !self.has_time() {
            return Ok(());
        }
        match self.progress.replay {
            None => Ok(()),
            Some(DEAD_LETTERS) => self.revive(&principal, &followed, &*sink).await,
            Some((next, end)) => {
                let mut follower = courier.reader.follow_from(&principal, followed, next.max(0)).await?;
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
        let letters = self.courier.store.dead_sequences(no, &id, 100).await?;
        let all = letters.len() < 100;
        for sequence in letters {
            let mut follower = self.courier.reader.follow_from(principal, followed.clone(), sequence).await?;
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
        let at = self.courier.clock.now();
        let sequence = |shown: Option<&Shown>| shown.map_or(NO_EVENT, |shown| shown.event().sequence);
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
        let pause = pause(progress.failures, failure.retry_after, &self.courier.chance);
        progress.due = Timestamp(at.0.saturating_add(pause));
        false
    }
}

/// How long is waited after so many failures, in nanoseconds; up to a tenth more, so that not all come at once.
pub(super) fn pause(failures: i64, retry_after: Option<u64>, chance: &Chance) -> i64 {
    let place = usize::try_from(failures.max(1) - 1).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    let seconds = PAUSES[place];
    let asked = i64::try_from(retry_after.unwrap_or_default().min(LONGEST_PAUSE)).unwrap_or_default();
    let spread = seconds * SECOND / 10 / 1_024 * chance.bits(10);
    seconds.max(asked).saturating_mul(SECOND).saturating_add(spread)
}

/// Whoever made the endpoint, as far as it may read.
fn principal(product: Option<Arc<Product>>, lent: &Lent) -> Result<Principal> {
    let Some(product) = product.filter(|product| product.offers(Feature::Endpoints).is_some()) else {
        return Err(Error::Forbidden(format!("the product {} offers no endpoints", lent.product)));
    };
    maker::principal(product, &lent.organization, &lent.endpoint.id, &lent.endpoint.rights)
}

/// What the endpoint is to get.
fn followed(lent: &Lent) -> Result<Followed> {
    let Asked { v: _, log, include_nested, filter } =
        serde_json::from_str(&lent.endpoint.question).map_err(Error::internal)?;
    Ok(Followed { organization: None, log: log.as_deref().and_then(LogName::parse), include_nested, filter })
}

/// Sends a test, and notes it.
///
/// # Errors
/// `INTERNAL` where the endpoint cannot be opened.
pub async fn test(endpoint: &Endpoint, organization: &str, ways: &Ways, at: Timestamp) -> Result<Attempt> {
    let sink = sinks::open(endpoint, ways)?;
    Ok(tried(sink.test(organization, at), at, Purpose::Test, (NO_EVENT, NO_EVENT)).await.1)
}

/// Waits for a receiver, as long as one may take: whether it has what it was sent, and the try as it is written down.
async fn tried(
    sending: impl Future<Output = Result<Option<u16>, Failure>>,
    at: Timestamp,
    purpose: Purpose,
    events: (i64, i64),
) -> (Result<(), Failure>, Attempt) {
    let late = |_| Failure {
        kind: FailureKind::Unavailable,
        status: None,
        reason: "it did not answer in time".to_owned(),
        retry_after: None,
    };
    let began = Instant::now();
    let sent = timeout(LONGEST, sending).await.map_err(late).flatten();
    let took_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
    let (status, trouble) = match &sent {
        Ok(status) => (*status, None),
        Err(failure) => (failure.status, Some(failure.reason.clone())),
    };
    (sent.map(drop), Attempt { at, purpose, events, status, took_ms, trouble })
}

/// What is known after a look that began at an instant.
fn learn(known: &mut HashMap<Key, Known>, held: Vec<Held>, began: Instant) {
    metrics::gauge!("ledgerline_endpoints").set(u32::try_from(held.len()).unwrap_or(u32::MAX));
    let mut before = std::mem::take(known);
    for Held { organization_no, endpoint_id, next, due_ns, size, replays } in held {
        let key = (organization_no, endpoint_id);
        let read = Known { next, stored: next, size, due: due_ns, replays, is_running: false, settled: None };
        let one = match before.remove(&key) {
            // A run knows better.
            Some(one) if one.is_running || one.settled.is_some_and(|settled| settled > began) => {
                Known { size: one.size.max(size), ..one }
            }
            // What its filter left out is not written down each time.
            Some(one) if one.stored == next => Known { next: one.next.max(next), size: one.size.max(size), ..read },
            Some(one) => Known { size: one.size.max(size), ..read },
            None => read,
        };
        known.insert(key, one);
    }
    // A run for one that is gone still ends.
    known.extend(before.into_iter().filter(|(_, one)| one.is_running));
}

fn grow(known: &mut HashMap<Key, Known>, grown: &BTreeMap<i64, i64>) {
    for ((organization, _), one) in known.iter_mut() {
        if let Some(size) = grown.get(organization) {
            one.size = one.size.max(*size);
        }
    }
}

/// What is known after a run.
fn settle(known: &mut HashMap<Key, Known>, ran: Ran) {
    let Some(next) = ran.next else {
        known.remove(&ran.key);
        return;
    };
    if let Some(one) = known.get_mut(&ran.key) {
        one.is_running = false;
        one.settled = Some(Instant::now());
        one.next = next;
        one.due = ran.due;
        one.replays = ran.replays;
        one.size = one.size.max(next);
    }
}

fn warn(what: &str, error: &Error) {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    tracing::warn!(cause, "{what}: {error}");
}
