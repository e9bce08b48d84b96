//! Counting: which events lie in the window of a rule, and when there are enough. No I/O.
//!
//! Time is the events' own time of recording, so what comes out does not depend on when it is counted: a process that
//! reads the same events again from [`Count::spot`] on counts the same.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::{
    event::{Event, EventId, Timestamp, hash},
    store::control::alerts::{Per, Spot},
};

const SECOND: i64 = 1_000_000_000;
/// Actors or addresses that a rule counts apart; of more, those that were quiet for longest are forgotten.
const GROUPS: usize = 10_000;

/// What a rule asks of a count.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// How many events fire.
    pub threshold: i64,
    /// Within how many seconds.
    pub window: i64,
    /// What is counted together.
    pub per: Per,
}

/// Events that make a rule fire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burst {
    /// The first one.
    pub first: EventId,
    /// The last one.
    pub last: EventId,
    /// How many they are.
    pub count: i64,
}

/// What a rule has counted.
#[derive(Debug)]
pub struct Count {
    asked: Asked,
    groups: HashMap<hash::Hash, Group>,
    /// Sequences of events by which the rule has fired, as far as they are read again.
    fired: BTreeSet<i64>,
    /// Events before it are read again: the rule has fired for them or not, and does not do so now.
    counted_until: i64,
    /// Of a rule that fires for each event: those that it has not fired for.
    gathered: Option<Burst>,
    /// When the last event of all was recorded.
    latest: Timestamp,
}

/// Events that are counted together.
#[derive(Debug, Default)]
struct Group {
    /// Time and id of each, the oldest first.
    events: VecDeque<(Timestamp, EventId)>,
    /// Time and sequence of the event by which it has fired last. Until the window has passed since then, nothing is
    /// counted; it is known for two windows, since only then nothing that was not counted can be read again.
    fired: Option<(Timestamp, i64)>,
}

impl Count {
    /// A count that begins at a stored place: events are given to it from `counted_from` on.
    pub fn from(asked: Asked, spot: &Spot) -> Self {
        let fired = spot.fired.iter().copied().collect();
        Self {
            asked,
            groups: HashMap::new(),
            fired,
            counted_until: spot.next,
            gathered: None,
            latest: Timestamp(i64::MIN),
        }
    }

    /// Counts an event, in the order of recording. Gives what the rule fires for, if it does.
    pub fn add(&mut self, event: &Event) -> Option<Burst> {
        let (at, sequence) = (event.recorded_at, event.sequence);
        let is_counted = sequence < self.counted_until;
        self.latest = self.latest.max(at);
        if self.asked.threshold <= 1 {
            if !is_counted {
                let id = event.id();
                let gathered = self.gathered.get_or_insert(Burst { first: id, last: id, count: 0 });
                gathered.last = id;
                gathered.count += 1;
            }
            return None;
        }
        let key = group_of(self.asked.per, event)?;
        if self.groups.len() >= GROUPS && !self.groups.contains_key(&key) {
            self.forget(at);
        }
        let window = self.asked.window.saturating_mul(SECOND);
        let is_within = |earlier: Timestamp| at.0.saturating_sub(earlier.0) <= window;
        let group = self.groups.entry(key).or_default();
        if is_counted && self.fired.contains(&sequence) {
            group.events.clear();
            group.fired = Some((at, sequence));
            return None;
        }
        if group.fired.is_some_and(|(fired, _)| is_within(fired)) {
            return None;
        }
        while group.events.front().is_some_and(|(earlier, _)| !is_within(*earlier)) {
            group.events.pop_front();
        }
        group.events.push_back((at, event.id()));
        let count = i64::try_from(group.events.len()).unwrap_or(i64::MAX);
        if is_counted || count < self.asked.threshold {
            return None;
        }
        let first = group.events.front().map_or(event.id(), |(_, first)| *first);
        group.events.clear();
        group.fired = Some((at, sequence));
        Some(Burst { first, last: event.id(), count })
    }

    /// What a rule that fires for each event has not fired for yet.
    pub fn gathered(&mut self) -> Option<Burst> {
        self.gathered.take()
    }

    /// From where on it is to be counted by whoever knows nothing else, when `next` comes next.
    pub fn spot(&self, next: i64) -> Spot {
        let window = self.asked.window.saturating_mul(SECOND);
        let age = |at: &Timestamp| self.latest.0.saturating_sub(at.0);
        let fired = self.groups.values().filter_map(|group| group.fired);
        let fired: BTreeSet<i64> =
            fired.filter(|(at, _)| age(at) <= window.saturating_mul(2)).map(|(_, sequence)| sequence).collect();
        let events = self
            .groups
            .values()
            .filter_map(|group| group.events.iter().find(|(at, _)| age(at) <= window).map(|(_, id)| id.sequence));
        let counted_from = events.chain(fired.first().copied()).min().unwrap_or(next).min(next);
        Spot { next, counted_from, fired: fired.into_iter().collect() }
    }

    /// Makes room: for what has left the window, else for what was quiet for longest.
    fn forget(&mut self, now: Timestamp) {
        let window = self.asked.window.saturating_mul(SECOND);
        let latest = |group: &Group| {
            let events = group.events.back().map(|(at, _)| *at);
            events.max(group.fired.map(|(at, _)| at)).unwrap_or(Timestamp(i64::MIN))
        };
        self.groups.retain(|_, group| now.0.saturating_sub(latest(group).0) <= window.saturating_mul(2));
        if self.groups.len() >= GROUPS {
            let mut times: Vec<_> = self.groups.values().map(latest).collect();
            let (_, middle, _) = times.select_nth_unstable(GROUPS / 4);
            let oldest = *middle;
            self.groups.retain(|_, group| latest(group) > oldest);
        }
    }
}

/// What an event is counted with. An actor is told apart as in the list of actors: by kind and id, else e-mail address, else
/// name. An event that does not say it is counted with none.
fn group_of(per: Per, event: &Event) -> Option<hash::Hash> {
    match per {
        Per::Rule => Some([0; 16]),
        Per::Actor => {
            let actor = &event.said.actor;
            let (letter, text) = [("i", &actor.id), ("e", &actor.email), ("n", &actor.name)]
                .into_iter()
                .find_map(|(letter, text)| text.as_deref().map(|text| (letter, text)))?;
            Some(hash::of([actor.kind.as_str(), letter, text]))
        }
        Per::IpAddress => event.said.ip_address.as_deref().map(|address| hash::of([address])),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::{ActionName, Actor, ActorKind, Draft, Position};

    fn event(sequence: i64, second: i64, actor: &str) -> Event {
        let said = Draft {
            action: ActionName::new("a.b".to_owned()).expect("it fits"),
            category: None,
            outcome: None,
            actor: Actor { kind: ActorKind::User, id: Some(actor.to_owned()), name: None, email: None },
            on_behalf_of: None,
            resources: Vec::new(),
            ip_address: None,
            user_agent: None,
            correlation_id: None,
            source: None,
            source_event_id: None,
            recorded_by: String::new(),
            truncated: Vec::new(),
            masked: Vec::new(),
            metadata: "{}".to_owned(),
        };
        let at = Timestamp(second * SECOND);
        let (position, occurred_at) = (Position(0), at);
        Event {
            organization_no: 1,
            sequence,
            position,
            salt: 0,
            log_no: 0,
            occurred_at,
            recorded_at: at,
            said,
            erased: Vec::new(),
        }
    }

    fn fires(asked: Asked, seconds: &[i64]) -> Vec<(i64, i64)> {
        let mut count = Count::from(asked, &Spot::default());
        let events = seconds.iter().zip(0..).map(|(second, sequence)| event(sequence, *second, "u"));
        events.filter_map(|event| count.add(&event)).map(|burst| (burst.first.sequence, burst.last.sequence)).collect()
    }

    #[test]
    fn a_window_has_edges_and_a_burst_fires_once() {
        let asked = Asked { threshold: 3, window: 60, per: Per::Rule };
        assert_eq!(fires(asked, &[0, 30, 60]), [(0, 2)]);
        assert_eq!(fires(asked, &[0, 30, 61]), []);
        assert_eq!(fires(asked, &[0, 30, 61, 90]), [(1, 3)]);
        assert_eq!(fires(asked, &[0, 1, 2, 3, 4, 5, 6, 62]), [(0, 2)], "quiet for as long as the window");
        assert_eq!(fires(asked, &[0, 1, 2, 50, 55, 63, 64]), [(0, 2)], "what came while it was quiet does not count");
        assert_eq!(fires(asked, &[0, 1, 2, 50, 55, 63, 64, 65]), [(0, 2), (5, 7)]);
    }

    #[test]
    fn actors_are_counted_apart_and_many_take_no_more_room() {
        let mut count = Count::from(Asked { threshold: 2, window: 60, per: Per::Actor }, &Spot::default());
        assert_eq!(count.add(&event(0, 0, "a")), None);
        assert_eq!(count.add(&event(1, 0, "b")), None);
        let burst = count.add(&event(2, 1, "a")).expect("two of a");
        assert_eq!((burst.first.sequence, burst.last.sequence, burst.count), (0, 2, 2));
        for sequence in 3..30_000 {
            assert_eq!(count.add(&event(sequence, sequence / 1_000, &format!("u{sequence}"))), None);
        }
        assert!(count.groups.len() <= GROUPS, "{}", count.groups.len());
    }

    proptest! {
        /// Whoever begins at the place that was stored at any moment fires for the same events from there on.
        #[test]
        fn a_count_that_begins_at_a_place_goes_on_as_the_one_before(
            steps in proptest::collection::vec((0_i64..20, 0_usize..3), 1..120),
            threshold in 2_i64..5,
            window in 1_i64..40,
            per in prop_oneof![Just(Per::Rule), Just(Per::Actor)],
            cut in 0_usize..120,
        ) {
            let asked = Asked { threshold, window, per };
            let mut second = 0;
            let events: Vec<_> = steps.iter().zip(0..).map(|((wait, actor), sequence)| {
                second += wait;
                event(sequence, second, ["a", "b", "c"][*actor])
            }).collect();
            let cut = cut.min(events.len());
            let mut whole = Count::from(asked, &Spot::default());
            for event in &events[..cut] {
                whole.add(event);
            }
            let spot = whole.spot(i64::try_from(cut).expect("it fits"));
            let mut again = Count::from(asked, &spot);
            let begin = usize::try_from(spot.counted_from).expect("it fits");
            for event in &events[begin..cut] {
                prop_assert_eq!(again.add(event), None);
            }
            for event in &events[cut..] {
                prop_assert_eq!(again.add(event), whole.add(event));
            }
        }
    }
}
