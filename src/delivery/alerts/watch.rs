//! Counts what is recorded, and fires.

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
use tokio::time::Instant;

use super::{
    Alerts, LEASE,
    count::{Asked, Burst, Count},
    told, warn,
};
use crate::{
    auth::Principal,
    catalog::management::ALERT_FIRED,
    error::{Code, Error, Result},
    event::Timestamp,
    ingest,
    reading::follow::Followed,
    store::control::alerts::{Firing, HeldRule, LentRule, RuleStatus, Spot},
};

/// How often a process looks at which rules there are.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often it looks for rules that have become due.
const TICK: Duration = Duration::from_millis(250);
/// How long a rule rests after it was counted for: what is recorded meanwhile is read at once.
const REST: Duration = Duration::from_millis(500);
/// How long a rule rests that fires for each event, after it has fired: what comes meanwhile is told together.
const REST_AFTER_FIRING: Duration = Duration::from_secs(1);
/// Rules that are counted for at the same time.
const RUNS: usize = 16;
/// Of them, of one organization.
const RUNS_OF_ONE: usize = 4;
/// Events that are read at once.
const READ_AT_ONCE: usize = 500;
/// How long a run goes on while there is more.
const RUN: Duration = Duration::from_secs(1);
/// Events that were looked at before the place is written down, where nothing fires.
const SKIPPED: i64 = 10_000;
/// How long a rule waits whose maker may not read any more, or that cannot be used.
const BLOCKED: Duration = Duration::from_secs(3_600);
/// How long one waits that met a fault which passes.
const AGAIN: Duration = Duration::from_secs(1);

/// A rule, by the number of its organization and its id.
type Key = (i64, String);

/// What is known of a rule that this process has.
struct Known {
    /// Sequence of the next event that was not looked at for it.
    next: i64,
    size: i64,
    changes: i64,
    due: Instant,
    is_running: bool,
    /// What it has counted; none where that is read from the log first.
    counted: Option<Counted>,
}

/// What was counted for a rule.
struct Counted {
    /// How often the rule had been changed.
    changes: i64,
    /// The place that is stored.
    stored: i64,
    /// Sequence of the next event that is looked at.
    next: i64,
    count: Count,
}

/// Why a rule is not counted for now.
enum Stopped {
    /// It was changed, has fired, or is another process's by now: it is read anew.
    Overtaken,
    /// It cannot be.
    By(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::By(error)
    }
}

/// What a run came to.
struct Ran {
    key: Key,
    /// What was counted; `None` where that is read again, or the rule is not ours.
    counted: Option<Counted>,
    /// Whether the rule is not ours, or does not count.
    is_over: bool,
    rest: Duration,
}

impl Alerts {
    /// Counts, for ever.
    pub(super) async fn watch(&self) -> ! {
        let growth = self.store.growth();
        let mut known: HashMap<Key, Known> = HashMap::new();
        let mut runs: FuturesUnordered<BoxFuture<'_, Ran>> = FuturesUnordered::new();
        let mut looking = None::<BoxFuture<'_, Result<Vec<HeldRule>>>>;
        let mut look = Instant::now();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                grown = growth.next() => grow(&mut known, &grown),
                () = self.changed.notified() => look = Instant::now(),
                _ = tick.tick() => {}
                Some(ran) = runs.next(), if !runs.is_empty() => settle(&mut known, ran),
                // Nothing is waited for elsewhere: a run that waits for its turn here may have a connection.
                held = async { looking.as_mut().expect("it is checked").await }, if looking.is_some() => {
                    looking = None;
                    match held {
                        Ok(held) => learn(&mut known, held),
                        Err(error) => warn("which rules there are cannot be read, it is tried again", &error),
                    }
                }
            }
            if look <= Instant::now() && looking.is_none() {
                look = Instant::now() + LOOK_EVERY;
                looking = Some(self.look().boxed());
            }
            self.begin(&mut known, &mut runs);
        }
    }

    /// Takes what no living process has, and says which rules this one has.
    async fn look(&self) -> Result<Vec<HeldRule>> {
        let now = self.clock.now();
        self.store.hold_rules(self.owner, now, Timestamp(now.0.saturating_add(LEASE))).await?;
        self.store.held_rules(self.owner).await
    }

    /// Begins runs for rules that lie behind and are due, as far as there is room.
    fn begin<'a>(&'a self, known: &mut HashMap<Key, Known>, runs: &mut FuturesUnordered<BoxFuture<'a, Ran>>) {
        let now = Instant::now();
        let mut of_one: HashMap<i64, usize> = HashMap::new();
        for ((organization, _), _) in known.iter().filter(|(_, one)| one.is_running) {
            *of_one.entry(*organization).or_default() += 1;
        }
        let is_wanted = |one: &Known| !one.is_running && one.due <= now && one.next < one.size;
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
                runs.push(self.run_for(key, one.counted.take()).boxed());
            }
        }
    }

    async fn run_for(&self, key: Key, counted: Option<Counted>) -> Ran {
        let lent = match self.store.lent_rule(key.0, &key.1, self.owner).await {
            Ok(lent) => lent.filter(|lent| lent.rule.status == RuleStatus::Active),
            Err(error) => {
                warn("a rule cannot be read, it is tried again", &error);
                return Ran { key, counted, is_over: false, rest: AGAIN };
            }
        };
        let Some(lent) = lent else { return Ran { key, counted: None, is_over: true, rest: REST } };
        let is_so = |counted: &Counted| (counted.changes, counted.stored) == (lent.watch.changes, lent.watch.spot.next);
        let counted = counted.filter(is_so).unwrap_or_else(|| Counted::of(&lent));
        match Box::pin(self.count(&lent, counted)).await {
            Ok((counted, rest)) => Ran { key, counted: Some(counted), is_over: false, rest },
            Err(Stopped::Overtaken) => Ran { key, counted: None, is_over: false, rest: REST },
            Err(Stopped::By(error)) => {
                Ran { key, counted: None, is_over: false, rest: self.blocked(&lent, &error).await }
            }
        }
    }

    /// What keeps a rule from being counted for, and how long it rests for that.
    async fn blocked(&self, lent: &LentRule, error: &Error) -> Duration {
        match error.code() {
            Code::Unavailable | Code::Internal | Code::Overloaded => {
                warn("what a rule counts cannot be read or recorded, it is tried again", error);
                AGAIN
            }
            _ => {
                let trouble = format!("{}: {error}", error.code().as_str());
                let spot = &lent.watch.spot;
                if lent.watch.trouble.as_ref() != Some(&trouble)
                    && let Err(error) = self.store.note_count(self.owner, lent, spot, Some(&trouble)).await
                {
                    warn("why a rule does not count is not written down", &error);
                }
                BLOCKED
            }
        }
    }

    /// Counts what there is from the place on, and fires, until all of it is counted or the time is over.
    async fn count(&self, lent: &LentRule, mut counted: Counted) -> Result<(Counted, Duration), Stopped> {
        let ends = Instant::now() + RUN;
        let maker = Arc::new(self.maker(lent).await?);
        let mut follower =
            self.reader.follow_from(&maker, Followed::stored(&lent.rule.question)?, counted.next).await?;
        let mut rest = REST;
        loop {
            let batch = Box::pin(follower.look(READ_AT_ONCE)).await?;
            for entry in &batch.entries {
                let event = entry.event.event();
                // Alerts raise no alerts: two rules could keep each other firing for ever.
                if *event.action == *ALERT_FIRED {
                    continue;
                }
                if let Some(burst) = counted.count.add(event) {
                    self.fire(lent, &maker, &mut counted, event.sequence + 1, &burst).await?;
                }
            }
            counted.next = follower.next();
            if !batch.more || Instant::now() >= ends {
                break;
            }
        }
        if let Some(burst) = counted.count.gathered() {
            let next = counted.next;
            self.fire(lent, &maker, &mut counted, next, &burst).await?;
            rest = REST_AFTER_FIRING;
        }
        // What is still read again says nothing of the place.
        let is_far = counted.next - counted.stored > SKIPPED;
        if counted.next >= counted.stored && (is_far || lent.watch.trouble.is_some()) {
            let spot = counted.count.spot(counted.next);
            let mut lent = lent.clone();
            lent.watch.spot.next = counted.stored;
            self.store.note_count(self.owner, &lent, &spot, None).await?;
            counted.stored = spot.next;
        }
        Ok((counted, rest))
    }

    /// Fires, and counts anew from `next` on.
    async fn fire(
        &self,
        lent: &LentRule,
        maker: &Principal,
        counted: &mut Counted,
        next: i64,
        burst: &Burst,
    ) -> Result<(), Stopped> {
        let spot: Spot = counted.count.spot(next);
        let firing = Firing {
            rule_id: lent.rule.id.clone(),
            owner: self.owner,
            changes: lent.watch.changes,
            next: counted.stored,
            spot,
            receivers: lent.rule.told.receivers(),
        };
        let fired = ingest::alerts::fire(&self.writer, maker, firing, told(&lent.rule, burst), self.clock.now()).await;
        fired.map_err(|error| if error.code() == Code::NotFound { Stopped::Overtaken } else { error.into() })?;
        counted.stored = next;
        metrics::counter!("ledgerline_alerts_fired_total").increment(1);
        self.posted.notify_one();
        Ok(())
    }
}

impl Counted {
    /// What is known of a rule whose events are read again.
    fn of(lent: &LentRule) -> Self {
        let asked = Asked { threshold: lent.rule.threshold, window: lent.rule.window, per: lent.rule.per };
        let spot = &lent.watch.spot;
        let count = Count::from(asked, spot);
        Self { changes: lent.watch.changes, stored: spot.next, next: spot.counted_from, count }
    }
}

/// What is known after a look.
fn learn(known: &mut HashMap<Key, Known>, held: Vec<HeldRule>) {
    metrics::gauge!("ledgerline_alert_rules").set(u32::try_from(held.len()).unwrap_or(u32::MAX));
    let mut before = std::mem::take(known);
    for HeldRule { organization_no, rule_id, next, changes, size } in held {
        let key = (organization_no, rule_id);
        let one = match before.remove(&key) {
            // What stood in its way may be mended where it was changed.
            Some(one) if one.is_running || one.changes == changes => Known { size: one.size.max(size), ..one },
            _ => Known { next, size, changes, due: Instant::now(), is_running: false, counted: None },
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
    let Ran { key, counted, is_over, rest } = ran;
    if is_over {
        known.remove(&key);
        return;
    }
    let Some(one) = known.get_mut(&key) else { return };
    one.is_running = false;
    one.due = Instant::now() + rest;
    if let Some(counted) = &counted {
        one.next = counted.next;
        one.changes = counted.changes;
        one.size = one.size.max(counted.next);
    }
    one.counted = counted;
}
