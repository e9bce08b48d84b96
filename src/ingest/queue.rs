//! What waits for the writer: a queue for each organization. Whoever has recorded the least of late comes next, and a group
//! takes no more than it can commit soon, so that one that records much waits for itself.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

/// Requests that may wait.
const REQUESTS: usize = 4_096;
/// Those of one organization.
const REQUESTS_OF_ONE: usize = 2_048;
/// Kibibytes of events that may wait of one organization; what all take is bounded by whoever fills the queue.
const ONE_KIB: usize = 64 * 1024;
/// Events and bytes of one group, unless one request alone has more.
const GROUP: Load = Load { events: 2_000, bytes: 16 << 20 };
/// How little a group may come to, however slow commits are: by then, most of the time goes into the commit itself.
const GROUP_LEAST: u64 = 256 << 10;
/// What the first groups come to, of whose speed nothing is known.
const GROUP_FIRST: u64 = 1 << 20;
/// How long a group may take to commit before the next ones are made smaller: four times as long as the smallest groups
/// of late, which is what their callers wait at worst for their neighbours, but not less than the first and not more than
/// the second of these.
const SLOW: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(150));
/// How long a request waits before its caller is told to try again: it was not recorded.
const LONGEST: Duration = Duration::from_secs(20);
/// What an event counts for beside its bytes: that of a small one.
const EVENT: u64 = 1_024;

/// How much a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Load {
    pub events: usize,
    pub bytes: usize,
}

impl Load {
    const NOTHING: Self = Self { events: 0, bytes: 0 };

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self { events: self.events + other.events, bytes: self.bytes + other.bytes }
    }

    /// What it counts for, in turns and in time.
    pub const fn cost(self) -> u64 {
        self.events as u64 * EVENT + self.bytes as u64
    }
}

struct Waiting<T> {
    arrived: u64,
    since: Instant,
    load: Load,
    request: T,
}

struct Caller<T> {
    taken: u64,
    bytes: usize,
    queue: VecDeque<Waiting<T>>,
}

/// The queues.
pub(super) struct Queue<T> {
    callers: HashMap<String, Caller<T>>,
    /// What whoever came last had recorded when its turn came. Nobody who comes anew has recorded less.
    floor: u64,
    arrived: u64,
    waiting: usize,
    /// What a group may cost, at the speed of the last ones.
    most: u64,
    /// How long the quickest of the last groups took.
    quickest: Duration,
}

/// What is committed next.
pub(super) struct Group<T> {
    /// The requests of a group; those of one organization in the order in which they came.
    pub requests: Vec<T>,
    /// How much they are.
    pub load: Load,
    /// Requests that waited for too long.
    pub late: Vec<T>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { callers: HashMap::new(), floor: 0, arrived: 0, waiting: 0, most: GROUP_FIRST, quickest: SLOW.0 }
    }
}

impl<T> Queue<T> {
    /// Puts the pieces of a request into its organization's queue, one behind the other; gives them back where there is no
    /// place for all.
    pub fn push(&mut self, whose: &str, pieces: Vec<(Load, T)>, now: Instant) -> Result<(), Vec<(Load, T)>> {
        let bytes: usize = pieces.iter().map(|(load, _)| load.bytes).sum();
        let (own, count) = (self.callers.get(whose), pieces.len());
        // What is more than may wait by itself is taken where nothing waits.
        let is_full = own
            .filter(|own| !own.queue.is_empty())
            .is_some_and(|own| own.queue.len() + count > REQUESTS_OF_ONE || own.bytes + bytes > ONE_KIB << 10);
        if is_full || self.waiting + count > REQUESTS {
            return Err(pieces);
        }
        let floor = self.floor;
        let new = || Caller { taken: floor, bytes: 0, queue: VecDeque::new() };
        let caller = self.callers.entry(whose.to_owned()).or_insert_with(new);
        if caller.queue.is_empty() {
            caller.taken = caller.taken.max(floor);
        }
        caller.bytes += bytes;
        for (load, request) in pieces {
            caller.queue.push_back(Waiting { arrived: self.arrived, since: now, load, request });
            self.arrived += 1;
        }
        self.waiting += count;
        Ok(())
    }

    /// Takes the next group. An organization whose next request does not fit any more waits for the group after it, where
    /// it comes first.
    pub fn take(&mut self, now: Instant) -> Group<T> {
        let mut group = Group { requests: Vec::new(), load: Load::NOTHING, late: Vec::new() };
        let mut full = HashSet::new();
        loop {
            let waits =
                |(whose, caller): &(&String, &mut Caller<T>)| !caller.queue.is_empty() && !full.contains(*whose);
            let first = |caller: &Caller<T>| (caller.taken, caller.queue.front().map(|next| next.arrived));
            let next = self.callers.iter_mut().filter(waits).min_by_key(|(_, caller)| first(caller));
            let Some((whose, caller)) = next else { break };
            let Some(waiting) = caller.queue.pop_front() else { break };
            let (with, bytes) = (group.load.and(waiting.load), waiting.load.bytes);
            if now.saturating_duration_since(waiting.since) > LONGEST {
                (caller.bytes, self.waiting) = (caller.bytes - bytes, self.waiting - 1);
                group.late.push(waiting.request);
                continue;
            }
            let fits = with.events <= GROUP.events && with.bytes <= GROUP.bytes && with.cost() <= self.most;
            if !fits && !group.requests.is_empty() {
                caller.queue.push_front(waiting);
                full.insert(whose.clone());
                continue;
            }
            group.load = with;
            self.floor = self.floor.max(caller.taken);
            caller.taken = caller.taken.saturating_add(waiting.load.cost());
            (caller.bytes, self.waiting) = (caller.bytes - bytes, self.waiting - 1);
            group.requests.push(waiting.request);
        }
        let floor = self.floor;
        self.callers.retain(|_, caller| !caller.queue.is_empty() || caller.taken > floor);
        group
    }

    /// Learns from a group that took so long: a slow disk commits smaller groups.
    pub fn committed(&mut self, load: Load, took: Duration) {
        self.quickest = took.min(self.quickest + self.quickest / 16);
        let slow = (self.quickest * 4).clamp(SLOW.0, SLOW.1);
        if took > slow {
            self.most = (load.cost().min(self.most) / 2).max(GROUP_LEAST);
        } else if took < slow / 3 && load.cost() > self.most / 2 {
            // Of a group that was far from full, nothing is learned of one that is.
            self.most = (self.most * 2).min(GROUP.cost());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Load = Load { events: 1, bytes: 500 };
    const BATCH: Load = Load { events: 1_000, bytes: 4 << 20 };

    fn filled(waiting: &[(&'static str, Load)]) -> (Queue<(&'static str, usize)>, Instant) {
        let (mut queue, now) = (Queue { most: GROUP.cost(), ..Queue::default() }, Instant::now());
        for (at, (whose, load)) in waiting.iter().enumerate() {
            queue.push(whose, vec![(*load, (*whose, at))], now).expect("there is room");
        }
        (queue, now)
    }

    fn taken(queue: &mut Queue<(&'static str, usize)>, now: Instant) -> Vec<(&'static str, usize)> {
        queue.take(now).requests
    }

    #[test]
    fn whoever_records_much_waits_for_itself() {
        let loud = [("loud", BATCH); 16];
        let (mut queue, now) = filled(&loud);
        assert_eq!(taken(&mut queue, now), [("loud", 0), ("loud", 1)], "two batches are a group");
        queue.push("quiet", vec![(ONE, ("quiet", 90))], now).unwrap();
        queue.push("other", vec![(ONE, ("other", 91))], now).unwrap();
        let next = taken(&mut queue, now);
        // The small ones are of the next group, and come first in it.
        assert_eq!(next[..2], [("quiet", 90), ("other", 91)]);
        assert_eq!(next[2..], [("loud", 2)], "a second batch is one event too many");
    }

    #[test]
    fn groups_are_bounded_by_bytes_and_by_time() {
        let large = Load { events: 10, bytes: 12 << 20 };
        let (mut queue, now) = filled(&[("a", large), ("b", large), ("c", ONE), ("a", ONE)]);
        // What fits beside the first goes on; of an organization nothing overtakes what it sent before.
        assert_eq!(taken(&mut queue, now), [("a", 0), ("c", 2), ("a", 3)]);
        assert_eq!(taken(&mut queue, now), [("b", 1)]);
    }

    #[test]
    fn a_slow_disk_commits_smaller_groups_and_a_quick_one_larger_ones() {
        let one = usize::try_from(ONE.cost()).unwrap();
        let least = usize::try_from(GROUP_LEAST).unwrap() / one;
        let (mut queue, now) = filled(&[("a", ONE); 1_500]);
        let load = |events: usize| Load { events, bytes: events * ONE.bytes };
        queue.committed(load(2_000), Duration::from_secs(1));
        assert_eq!(taken(&mut queue, now).len(), 1_000);
        (0..9).for_each(|_| queue.committed(load(400), Duration::from_secs(1)));
        assert_eq!(taken(&mut queue, now).len(), least);
        // Small groups that are quick say nothing of large ones; full ones do.
        (0..9).for_each(|_| queue.committed(load(1), Duration::from_millis(5)));
        let mut queue = Queue { most: queue.most, quickest: queue.quickest, ..filled(&[("a", ONE); 1_500]).0 };
        assert_eq!(taken(&mut queue, now).len(), least);
        queue.committed(load(least), Duration::from_millis(5));
        assert_eq!(taken(&mut queue, now).len(), 2 * least);
        // Where the smallest groups take long, larger ones may take longer.
        let mut slow = Queue::<()> { most: GROUP.cost(), ..Queue::default() };
        let most = slow.most;
        (0..40).for_each(|_| slow.committed(load(1), Duration::from_millis(30)));
        slow.committed(load(2_000), Duration::from_millis(110));
        assert_eq!(slow.most, most);
        slow.committed(load(2_000), Duration::from_millis(160));
        assert_eq!(slow.most, load(2_000).cost() / 2);
    }

    #[test]
    fn a_piece_is_never_split_and_pieces_stand_in_their_order() {
        let (mut queue, now) = filled(&[]);
        // Whatever the bounds are.
        queue.push("a", vec![(Load { events: 1_000, bytes: 90 << 20 }, ("a", 7))], now).unwrap();
        queue.committed(Load { events: 100, bytes: 1 << 20 }, Duration::from_secs(1));
        assert_eq!(taken(&mut queue, now), [("a", 7)]);
        let pieces: Vec<_> = (0..50).map(|at| (Load { events: 25, bytes: 200 << 10 }, ("a", at))).collect();
        queue.push("a", pieces.clone(), now).unwrap();
        queue.push("b", vec![(ONE, ("b", 99))], now).unwrap();
        let first = taken(&mut queue, now);
        assert_eq!((first[0], first[1]), (("b", 99), ("a", 0)));
        let mut rest = first[1..].to_vec();
        while rest.len() < 50 {
            let next = taken(&mut queue, now);
            assert!(!next.is_empty() && next.len() < 10, "{}", next.len());
            rest.extend(next);
        }
        assert_eq!(rest, (0..50).map(|at| ("a", at)).collect::<Vec<_>>());
        // All of them wait, or none.
        queue.push("a", vec![(Load { events: 1, bytes: 50 << 20 }, ("a", 0))], now).unwrap();
        let (few, many) = (pieces.clone(), [pieces.clone(), pieces].concat());
        assert_eq!(queue.push("a", many, now).unwrap_err().len(), 100);
        queue.push("a", few, now).unwrap();
    }

    #[test]
    fn the_queue_of_each_has_an_end_and_so_has_the_wait() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let one = || vec![(ONE, ())];
        (0..REQUESTS_OF_ONE).for_each(|_| queue.push("loud", one(), now).expect("there is room"));
        queue.push("loud", one(), now).unwrap_err();
        queue.push("quiet", one(), now + LONGEST).unwrap();
        let group = queue.take(now + LONGEST + Duration::from_millis(1));
        assert_eq!((group.requests.len(), group.late.len()), (1, REQUESTS_OF_ONE));
        assert!(queue.waiting == 0 && queue.take(now).requests.is_empty());
        queue.push("loud", one(), now).unwrap();
    }
}
