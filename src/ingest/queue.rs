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
/// Fewest events of a group, however slow commits are.
const GROUP_LEAST: usize = 100;
/// How long a group may take to commit before the next ones are made smaller.
const SLOW: Duration = Duration::from_millis(150);
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
    /// Events of a group, at the speed of the last ones.
    most: usize,
}

/// What is committed next.
pub(super) struct Group<T> {
    /// The requests of a group; those of one organization in the order in which they came.
    pub requests: Vec<T>,
    /// Requests that waited for too long.
    pub late: Vec<T>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { callers: HashMap::new(), floor: 0, arrived: 0, waiting: 0, most: GROUP.events }
    }
}

impl<T> Queue<T> {
    /// Puts a request into its organization's queue; gives it back where there is no place.
    pub fn push(&mut self, whose: &str, load: Load, now: Instant, request: T) -> Result<(), T> {
        let own = self.callers.get(whose);
        let is_full =
            own.is_some_and(|own| own.queue.len() >= REQUESTS_OF_ONE || own.bytes + load.bytes > ONE_KIB << 10);
        if is_full || self.waiting >= REQUESTS {
            return Err(request);
        }
        let floor = self.floor;
        let new = || Caller { taken: floor, bytes: 0, queue: VecDeque::new() };
        let caller = self.callers.entry(whose.to_owned()).or_insert_with(new);
        if caller.queue.is_empty() {
            caller.taken = caller.taken.max(floor);
        }
        caller.bytes += load.bytes;
        caller.queue.push_back(Waiting { arrived: self.arrived, since: now, load, request });
        self.arrived += 1;
        self.waiting += 1;
        Ok(())
    }

    /// Takes the next group. An organization whose next request does not fit any more waits for the group after it, where
    /// it comes first.
    pub fn take(&mut self, now: Instant) -> Group<T> {
        let mut group = Group { requests: Vec::new(), late: Vec::new() };
        let (mut all, mut full) = (Load { events: 0, bytes: 0 }, HashSet::new());
        loop {
            let waits =
                |(whose, caller): &(&String, &mut Caller<T>)| !caller.queue.is_empty() && !full.contains(*whose);
            let first = |caller: &Caller<T>| (caller.taken, caller.queue.front().map(|next| next.arrived));
            let next = self.callers.iter_mut().filter(waits).min_by_key(|(_, caller)| first(caller));
            let Some((whose, caller)) = next else { break };
            let Some(waiting) = caller.queue.pop_front() else { break };
            let Load { events, bytes } = waiting.load;
            if now.saturating_duration_since(waiting.since) > LONGEST {
                (caller.bytes, self.waiting) = (caller.bytes - bytes, self.waiting - 1);
                group.late.push(waiting.request);
                continue;
            }
            let fits = all.events + events <= self.most && all.bytes + bytes <= GROUP.bytes;
            if !fits && !group.requests.is_empty() {
                caller.queue.push_front(waiting);
                full.insert(whose.clone());
                continue;
            }
            all = Load { events: all.events + events, bytes: all.bytes + bytes };
            self.floor = self.floor.max(caller.taken);
            caller.taken = caller.taken.saturating_add(events as u64 * EVENT + bytes as u64);
            (caller.bytes, self.waiting) = (caller.bytes - bytes, self.waiting - 1);
            group.requests.push(waiting.request);
        }
        let floor = self.floor;
        self.callers.retain(|_, caller| !caller.queue.is_empty() || caller.taken > floor);
        group
    }

    /// Learns from a group of so many events that took so long: a slow disk commits smaller groups.
    pub fn committed(&mut self, events: usize, took: Duration) {
        if took > SLOW {
            self.most = (events.min(self.most) / 2).max(GROUP_LEAST);
        } else if took < SLOW / 3 {
            self.most = (self.most * 2).min(GROUP.events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Load = Load { events: 1, bytes: 500 };
    const BATCH: Load = Load { events: 1_000, bytes: 4 << 20 };

    fn filled(waiting: &[(&'static str, Load)]) -> (Queue<(&'static str, usize)>, Instant) {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for (at, (whose, load)) in waiting.iter().enumerate() {
            queue.push(whose, *load, now, (*whose, at)).expect("there is room");
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
        queue.push("quiet", ONE, now, ("quiet", 90)).unwrap();
        queue.push("other", ONE, now, ("other", 91)).unwrap();
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
        let small = [("a", ONE); 1_500];
        let (mut queue, now) = filled(&small);
        queue.committed(2_000, Duration::from_secs(1));
        assert_eq!(taken(&mut queue, now).len(), 1_000);
        (0..9).for_each(|_| queue.committed(400, Duration::from_secs(1)));
        assert_eq!(taken(&mut queue, now).len(), GROUP_LEAST);
        (0..9).for_each(|_| queue.committed(100, Duration::from_millis(5)));
        assert_eq!(taken(&mut queue, now).len(), 400);
        // One request is never split, whatever the bounds are.
        queue.push("a", Load { events: 1_000, bytes: 90 << 20 }, now, ("a", 7)).unwrap_err();
        queue.push("a", Load { events: 1_000, bytes: 60 << 20 }, now, ("a", 7)).unwrap();
        queue.committed(100, Duration::from_secs(1));
        assert_eq!(taken(&mut queue, now), [("a", 7)]);
    }

    #[test]
    fn the_queue_of_each_has_an_end_and_so_has_the_wait() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        (0..REQUESTS_OF_ONE).for_each(|_| queue.push("loud", ONE, now, ()).expect("there is room"));
        queue.push("loud", ONE, now, ()).unwrap_err();
        queue.push("quiet", ONE, now + LONGEST, ()).unwrap();
        let group = queue.take(now + LONGEST + Duration::from_millis(1));
        assert_eq!((group.requests.len(), group.late.len()), (1, REQUESTS_OF_ONE));
        assert!(queue.waiting == 0 && queue.take(now).requests.is_empty());
        queue.push("loud", ONE, now, ()).unwrap();
    }
}
