//! Which endpoints this process has, and when it runs for which.

use std::collections::{BTreeMap, HashMap};

use tokio::time::Instant;

use super::run::{Gathers, Key, Ran};
use crate::{event::Timestamp, store::control::endpoints::Held};

/// Runs at the same time.
const RUNS: usize = 64;
/// Of them, for one organization.
const RUNS_OF_ONE: usize = 4;

/// What is known of the endpoints that this process has.
#[derive(Default)]
pub struct Timetable {
    known: HashMap<Key, Known>,
}

/// What is known of an endpoint that this process has.
struct Known {
    /// Sequence of the next event that was not looked at for it.
    next: i64,
    /// The same as it is stored.
    stored: i64,
    size: i64,
    /// When new events may be sent.
    due: i64,
    /// When a replay may go on, where there is one.
    replay_due: Option<i64>,
    /// What new events wait for, where they are gathered.
    gathers: Option<Gathers>,
    is_running: bool,
    /// When its last run ended: what was read before says nothing of it.
    settled: Option<Instant>,
}

impl Known {
    /// Since when a run for it is wanted; `None` where there is nothing to do, or one is under way.
    fn wanted_since(&self, now: i64) -> Option<i64> {
        let is_gathered = |gathers: Gathers| gathers.until.0 <= now || gathers.size <= self.size;
        let new = (self.next < self.size && self.gathers.is_none_or(is_gathered)).then_some(self.due);
        let since = new.into_iter().chain(self.replay_due).filter(|due| *due <= now).min();
        since.filter(|_| !self.is_running)
    }
}

impl Timetable {
    /// Runs to begin beside those under way: endpoints that lie behind and are due, with the next event of each, as far as
    /// there is room.
    pub fn begin(&mut self, now: Timestamp, under_way: usize) -> Vec<(Key, i64)> {
        let mut of_one: HashMap<i64, usize> = HashMap::new();
        for ((organization, _), _) in self.known.iter().filter(|(_, one)| one.is_running) {
            *of_one.entry(*organization).or_default() += 1;
        }
        let wanted = self.known.iter_mut().filter_map(|(key, one)| Some((one.wanted_since(now.0)?, key, one)));
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_unstable_by(|(due, key, _), (other, its, _)| (due, key).cmp(&(other, its)));
        let mut begun = Vec::new();
        for (_, key, one) in wanted {
            if under_way + begun.len() >= RUNS {
                break;
            }
            let running = of_one.entry(key.0).or_default();
            if *running < RUNS_OF_ONE {
                *running += 1;
                one.is_running = true;
                begun.push((key.clone(), one.next));
            }
        }
        begun
    }

    /// What is known after a look that began at an instant.
    pub fn learn(&mut self, held: Vec<Held>, began: Instant) {
        metrics::gauge!("ledgerline_endpoints").set(u32::try_from(held.len()).unwrap_or(u32::MAX));
        let mut before = std::mem::take(&mut self.known);
        for Held { organization_no, endpoint_id, next, due_ns, size, replay_due_ns } in held {
            let key = (organization_no, endpoint_id);
            let read = Known {
                next,
                stored: next,
                size,
                due: due_ns,
                replay_due: replay_due_ns,
                gathers: None,
                is_running: false,
                settled: None,
            };
            let one = match before.remove(&key) {
                // A run knows better.
                Some(one) if one.is_running || one.settled.is_some_and(|settled| settled > began) => {
                    Known { size: one.size.max(size), ..one }
                }
                // What its filter left out is not written down each time.
                Some(one) if one.stored == next => {
                    Known { next: one.next.max(next), size: one.size.max(size), gathers: one.gathers, ..read }
                }
                Some(one) => Known { size: one.size.max(size), ..read },
                None => read,
            };
            self.known.insert(key, one);
        }
        // A run for one that is gone still ends.
        self.known.extend(before.into_iter().filter(|(_, one)| one.is_running));
    }

    /// Organizations have grown.
    pub fn grow(&mut self, grown: &BTreeMap<i64, i64>) {
        for ((organization, _), one) in &mut self.known {
            if let Some(size) = grown.get(organization) {
                one.size = one.size.max(*size);
            }
        }
    }

    /// What is known after a run.
    pub fn settle(&mut self, ran: Ran) {
        let Some(next) = ran.next else {
            self.known.remove(&ran.key);
            return;
        };
        if let Some(one) = self.known.get_mut(&ran.key) {
            one.is_running = false;
            one.settled = Some(Instant::now());
            one.next = next;
            one.due = ran.due;
            one.replay_due = ran.replay_due;
            one.gathers = ran.gathers;
            one.size = one.size.max(next);
        }
    }
}
