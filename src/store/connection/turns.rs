//! Whose statement is read next. Statements that cost little have connections of their own, and never wait behind those
//! that cost much. In either class every organization has a queue, and whoever has taken the least of late comes next:
//! so one that asks for much waits for itself, and another hardly notices.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::{sync::oneshot, time::timeout};

use crate::store::{ACQUIRE, error::Full};

/// How much a statement may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Work {
    /// A page in the order of an index, a head, a look at a small table or at a small log.
    Small,
    /// What grows with the events that match: totals and facets of a search, rows that are tested one by one.
    Large,
}

/// Statements of one organization that may wait in one class.
const WAITING: usize = 128;
/// Statements that may wait in one class.
const WAITING_IN_ALL: usize = 4_096;
/// The least that a statement counts for, in nanoseconds: that of one which finds nothing.
const LEAST: u64 = 100_000;

/// The turns of a database's connections that read.
pub(in crate::store) struct Turns {
    small: Mutex<Lane>,
    large: Mutex<Lane>,
}

/// A class of statements.
struct Lane {
    /// Statements that run at once, and those of one organization.
    slots: usize,
    each: usize,
    running: usize,
    /// What whoever came last had taken when its turn came. Nobody who comes anew has taken less.
    floor: u64,
    callers: HashMap<Arc<str>, Caller>,
    arrived: u64,
}

#[derive(Default)]
struct Caller {
    running: usize,
    /// What it has taken, in nanoseconds of statements.
    taken: u64,
    queue: VecDeque<(u64, oneshot::Sender<()>)>,
}

impl Lane {
    fn new(slots: usize, each: usize) -> Self {
        Self { slots, each, running: 0, floor: 0, callers: HashMap::new(), arrived: 0 }
    }

    /// Puts somebody in the queue.
    fn queue(&mut self, whose: &Arc<str>) -> Result<oneshot::Receiver<()>, Full> {
        let is_full = |callers: &HashMap<Arc<str>, Caller>| {
            let own = callers.get(whose).map_or(0, |caller| caller.queue.len());
            // Nobody outside can make the service itself wait.
            let is_bounded = !whose.is_empty();
            is_bounded && (own >= WAITING || callers.values().map(|c| c.queue.len()).sum::<usize>() >= WAITING_IN_ALL)
        };
        if is_full(&self.callers) {
            self.forget_gone();
            if is_full(&self.callers) {
                return Err(Full);
            }
        }
        let (turn, wait) = oneshot::channel();
        let caller = self.callers.entry(whose.clone()).or_default();
        if caller.running == 0 && caller.queue.is_empty() {
            caller.taken = caller.taken.max(self.floor);
        }
        caller.queue.push_back((self.arrived, turn));
        self.arrived += 1;
        self.advance();
        Ok(wait)
    }

    /// Forgets those who no longer wait.
    fn forget_gone(&mut self) {
        for caller in self.callers.values_mut() {
            caller.queue.retain(|(_, turn)| !turn.is_closed());
        }
        self.forget_rested();
    }

    /// Forgets callers who have nothing here, and have taken no more than whoever comes anew.
    fn forget_rested(&mut self) {
        let floor = self.floor;
        self.callers.retain(|_, caller| caller.running > 0 || !caller.queue.is_empty() || caller.taken > floor);
    }

    /// Gives the free slots to those whose turn it is.
    fn advance(&mut self) {
        while self.running < self.slots {
            let waits = |caller: &&mut Caller| caller.running < self.each && !caller.queue.is_empty();
            let first = |caller: &Caller| (caller.taken, caller.queue.front().map(|(arrived, _)| *arrived));
            let Some(next) = self.callers.values_mut().filter(waits).min_by_key(|caller| first(caller)) else { return };
            let Some((_, turn)) = next.queue.pop_front() else { return };
            // Whoever does not wait any more has no turn.
            if turn.send(()).is_ok() {
                next.running += 1;
                self.floor = self.floor.max(next.taken);
                self.running += 1;
            }
        }
    }

    /// Ends a turn that took so many nanoseconds.
    fn end(&mut self, whose: &Arc<str>, took: u64) {
        self.running -= 1;
        if let Some(caller) = self.callers.get_mut(whose) {
            caller.running -= 1;
            caller.taken = caller.taken.saturating_add(took.max(LEAST));
        }
        self.advance();
        self.forget_rested();
    }
}

impl Turns {
    /// Turns for so many statements of each class at once. Of large ones an organization has half, so that there is always
    /// one that another's need not wait for.
    pub fn new(small: usize, large: usize) -> Self {
        let lane = |slots: usize, each: usize| Mutex::new(Lane::new(slots, each.max(1)));
        Self { small: lane(small, small - 1), large: lane(large, large / 2) }
    }

    /// As many turns as these are, none of them taken.
    pub fn like(&self) -> Self {
        Self::new(self.lane(Work::Small).slots, self.lane(Work::Large).slots)
    }

    fn lane(&self, work: Work) -> MutexGuard<'_, Lane> {
        let lane = match work {
            Work::Small => &self.small,
            Work::Large => &self.large,
        };
        lane.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn; it ends when it is dropped.
    ///
    /// # Errors
    /// [`Full`].
    pub async fn take(self: &Arc<Self>, whose: &Arc<str>, work: Work) -> Result<Turn, Full> {
        let wait = self.lane(work).queue(whose)?;
        let mut turn = Turn { turns: self.clone(), whose: whose.clone(), work, wait, since: None };
        match timeout(ACQUIRE, &mut turn.wait).await {
            Ok(Ok(())) => {
                turn.since = Some(Instant::now());
                Ok(turn)
            }
            _ => Err(Full),
        }
    }
}

/// The right to run a statement.
pub(in crate::store) struct Turn {
    turns: Arc<Turns>,
    whose: Arc<str>,
    work: Work,
    wait: oneshot::Receiver<()>,
    since: Option<Instant>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Whoever goes away may have been given a turn at the same moment.
        self.wait.close();
        if self.since.is_none() && self.wait.try_recv().is_err() {
            return;
        }
        let took = self.since.map_or(0, |since| u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX));
        self.turns.lane(self.work).end(&self.whose, took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    struct Bench {
        lane: Lane,
        waiting: Vec<(Arc<str>, oneshot::Receiver<()>)>,
    }

    impl Bench {
        fn new(slots: usize, each: usize) -> Self {
            Self { lane: Lane::new(slots, each), waiting: Vec::new() }
        }

        fn ask(&mut self, whose: &str) {
            let whose: Arc<str> = whose.into();
            let wait = self.lane.queue(&whose).expect("there is room");
            self.waiting.push((whose, wait));
        }

        /// Those whose turn has come since, in the order in which they asked.
        fn running(&mut self) -> Vec<Arc<str>> {
            let (come, waiting) = self.waiting.drain(..).partition::<Vec<_>, _>(|(_, wait)| !wait.is_empty());
            self.waiting = waiting;
            come.into_iter().map(|(whose, _)| whose).collect()
        }

        fn end(&mut self, whose: &str, took: u64) {
            self.lane.end(&whose.into(), took);
        }
    }

    #[test]
    fn whoever_asks_for_much_waits_for_itself() {
        let mut bench = Bench::new(1, 1);
        (0..100).for_each(|_| bench.ask("loud"));
        assert_eq!(bench.running(), ["loud".into()]);
        bench.ask("quiet");
        // A hundred were there before, and one turn later it is the other's.
        bench.end("loud", 50 * MS);
        assert_eq!(bench.running(), ["quiet".into()]);
        // What costs little comes more often than what costs much.
        let mut turns = Vec::new();
        for _ in 0..60 {
            bench.ask("quiet");
            let last: Arc<str> = turns.last().cloned().unwrap_or_else(|| "quiet".into());
            bench.end(&last, if &*last == "loud" { 10 * MS } else { MS });
            turns.append(&mut bench.running());
        }
        let quiet = turns.iter().filter(|whose| &***whose == "quiet").count();
        assert!((45..60).contains(&quiet), "{quiet} of {}", turns.len());
    }

    #[test]
    fn organizations_take_turns() {
        let mut bench = Bench::new(1, 1);
        for whose in ["a", "a", "a", "b", "b", "c", "c", "c"] {
            bench.ask(whose);
        }
        let mut order = bench.running();
        for _ in 0..7 {
            let last = order.last().expect("somebody runs").clone();
            bench.end(&last, MS);
            order.append(&mut bench.running());
        }
        let order: Vec<&str> = order.iter().map(|whose| &**whose).collect();
        assert_eq!(order, ["a", "b", "c", "a", "b", "c", "a", "c"]);
    }

    #[test]
    fn a_slot_is_left_for_others_and_who_went_is_passed_over() {
        let mut bench = Bench::new(2, 1);
        (0..3).for_each(|_| bench.ask("loud"));
        assert_eq!(bench.running().len(), 1);
        bench.ask("gone");
        bench.ask("quiet");
        // It came at once: the second slot was free. Whoever is behind in line and gone has none.
        assert_eq!(bench.running(), ["gone".into()]);
        bench.ask("gone");
        bench.waiting.pop();
        bench.end("gone", MS);
        assert_eq!(bench.running(), ["quiet".into()]);
        bench.end("quiet", MS);
        bench.end("loud", MS);
        assert_eq!(bench.running(), ["loud".into()]);
        bench.end("loud", MS);
        let first = bench.running()[0].clone();
        bench.end(&first, MS);
        assert_eq!((bench.lane.running, bench.running().len()), (0, 0));
    }

    #[test]
    fn the_queue_of_each_has_an_end() {
        let mut bench = Bench::new(1, 1);
        (0..=WAITING).for_each(|_| bench.ask("loud"));
        assert!(bench.lane.queue(&"loud".into()).is_err());
        bench.ask("quiet");
        // The service itself is never kept out.
        (0..2 * WAITING).for_each(|_| bench.ask(""));
        // Those who went leave room.
        bench.waiting.clear();
        bench.ask("loud");
        assert!(bench.lane.callers.values().map(|caller| caller.queue.len()).sum::<usize>() < 2 * WAITING + 2);
    }

    #[tokio::test]
    async fn a_turn_that_is_given_up_is_the_next_ones() {
        let turns = Arc::new(Turns::new(2, 2));
        let (loud, quiet): (Arc<str>, Arc<str>) = ("loud".into(), "quiet".into());
        let first = turns.take(&loud, Work::Large).await.expect("a turn");
        let second = timeout(std::time::Duration::from_millis(20), turns.take(&loud, Work::Large)).await;
        assert!(second.is_err(), "one slot of two is left for others");
        let other = turns.take(&quiet, Work::Large).await.expect("a turn");
        // Neither class waits for the other.
        drop(turns.take(&loud, Work::Small).await.expect("a turn"));
        drop(first);
        drop(turns.take(&loud, Work::Large).await.expect("a turn"));
        drop(other);
        assert!(turns.lane(Work::Large).running == 0 && turns.lane(Work::Small).running == 0);
    }
}
