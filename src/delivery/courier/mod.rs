//! The courier: gives each endpoint the events of its organization, in their order, each at least once.
//!
//! One task a process. It has the endpoints that are lent to it, and runs for those that lie behind their organization's
//! size and are due: a run reads the next events as whoever made the endpoint may read them, sends them, and reports how
//! far it got. Reports of many runs are written in one transaction. What is in the way of one endpoint waits for that one
//! alone: a receiver that does not answer has one place among many, and its organization has few.

mod run;
mod timetable;
mod tried;

use std::{sync::Arc, time::Duration};

use futures_util::{
    StreamExt,
    future::{BoxFuture, FutureExt},
    stream::FuturesUnordered,
};
use tokio::{sync::Notify, time::Instant};

pub use self::tried::test;
pub(super) use self::{
    run::{REFUSALS, pause},
    tried::LONGEST,
};
use self::{
    run::{Ran, Runner, warn},
    timetable::Timetable,
};
use super::sinks::Ways;
use crate::{
    catalog::Products,
    chance::Chance,
    clock::Clock,
    error::Result,
    event::Timestamp,
    keys::Plans,
    reading::Reader,
    store::{Store, control::endpoints::Held},
};

/// How long an endpoint is lent to a process that says nothing more, in nanoseconds.
const LEASE: i64 = 30_000_000_000;
/// How often a process looks at which endpoints there are.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it looks for endpoints that have become due.
const TICK: Duration = Duration::from_millis(500);
/// How long reports are gathered.
const GATHER: Duration = Duration::from_millis(100);

/// Sends events to endpoints.
pub struct Courier {
    runner: Runner,
    /// Something about an endpoint has changed here.
    changed: Arc<Notify>,
}

impl Courier {
    /// A courier for the endpoints of a database.
    #[must_use]
    pub fn new(
        store: Store,
        reader: Reader,
        products: Products,
        plans: Plans,
        clock: Clock,
        chance: Chance,
        ways: Ways,
    ) -> Self {
        let owner = chance.bits(62) | 1;
        let runner = Runner { store, reader, products, plans, clock, chance, ways, owner };
        Self { runner, changed: Arc::default() }
    }

    /// What is told when an endpoint has changed in this process.
    #[must_use]
    pub fn changed(&self) -> Arc<Notify> {
        self.changed.clone()
    }

    /// Sends, for ever.
    pub async fn run(&self) -> ! {
        let growth = self.runner.store.growth();
        let mut timetable = Timetable::default();
        let mut runs: FuturesUnordered<BoxFuture<'_, Ran>> = FuturesUnordered::new();
        let (mut waiting, mut writing) = (Vec::<Ran>::new(), None::<BoxFuture<'_, Vec<Ran>>>);
        let (mut look, mut looked) = (Instant::now(), Instant::now());
        let mut looking = None::<BoxFuture<'_, Result<Vec<Held>>>>;
        let mut gather = None::<Instant>;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                grown = growth.next() => timetable.grow(&grown),
                () = self.changed.notified() => look = Instant::now(),
                _ = tick.tick() => {}
                Some(ran) = runs.next(), if !runs.is_empty() => match ran.report {
                    Some(_) => {
                        gather.get_or_insert_with(|| Instant::now() + GATHER);
                        waiting.push(ran);
                    }
                    None => timetable.settle(ran),
                },
                () = tokio::time::sleep_until(gather.unwrap_or_else(Instant::now)), if gather.is_some() && writing.is_none() && looking.is_none() => {
                    gather = None;
                    writing = Some(self.write_down(std::mem::take(&mut waiting)).boxed());
                }
                // Nothing is waited for elsewhere: a run that waits for its turn here may have a connection.
                held = async { looking.as_mut().expect("it is checked").await }, if looking.is_some() => {
                    looking = None;
                    match held {
                        Ok(held) => timetable.learn(held, looked),
                        Err(error) => warn("which endpoints there are cannot be read, it is tried again", &error),
                    }
                }
                written = async { writing.as_mut().expect("it is checked").await }, if writing.is_some() => {
                    writing = None;
                    written.into_iter().for_each(|ran| timetable.settle(ran));
                }
            }
            // Both write many rows of one table, each in an order of its own: at the same time, they would lock each other out.
            if look <= Instant::now() && looking.is_none() && writing.is_none() {
                looked = Instant::now();
                look = looked + LOOK_EVERY;
                looking = Some(self.look().boxed());
            }
            for (key, next) in timetable.begin(self.runner.clock.now(), runs.len()) {
                runs.push(self.runner.run_for(key, next).boxed());
            }
        }
    }

    /// Lets other processes have its endpoints.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn let_go(&self) -> Result<()> {
        self.runner.store.let_go_of_endpoints(self.runner.owner).await
    }

    /// Takes what no living process has, and says which endpoints this one has.
    async fn look(&self) -> Result<Vec<Held>> {
        let Runner { store, clock, ways, owner, .. } = &self.runner;
        ways.lines.sweep();
        let now = clock.now();
        store.hold_endpoints(*owner, now, Timestamp(now.0.saturating_add(LEASE))).await?;
        store.held_endpoints(*owner).await
    }

    async fn write_down(&self, mut ran: Vec<Ran>) -> Vec<Ran> {
        let reports: Vec<_> = ran.iter_mut().filter_map(|one| one.report.take()).collect();
        if let Err(error) = self.runner.store.report(self.runner.owner, &reports).await {
            warn("how far endpoints have got is not written down, so they are sent some events again", &error);
            // From what is stored: it is read anew.
            for one in &mut ran {
                one.next = None;
            }
        }
        ran
    }
}
