//! Plays a story: gives every row its time, its made-up values and its place in the order of recording.

use chrono::{Datelike, Duration, Timelike, Weekday};

use super::{
    DemoStep,
    script::{Episode, Log, Organization, Person, Row, When},
};
use crate::event::{
    Actor, Outcome, Resource, Timestamp,
    input::{LogRef, RecordInput},
};

const MINUTE: i64 = 60_000_000_000;
const DAY: i64 = 1_440 * MINUTE;

/// How likely something happens in each hour of a local day, in percent.
const RHYTHM: [u64; 24] = [3, 2, 1, 1, 1, 2, 6, 20, 55, 95, 100, 90, 55, 70, 95, 100, 90, 70, 40, 20, 12, 10, 8, 5];

/// How likely it is on a weekend, in percent of a working day.
const WEEKEND: u64 = 15;

/// The generator `SplitMix64`: the same numbers on every machine and with every version of every library.
struct Dice(u64);

impl Dice {
    fn seeded(words: &[&str], n: usize) -> Self {
        let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
        let hash =
            bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(hash.wrapping_add((n as u64).wrapping_mul(0xd6e8_feb8_6659_fd93)))
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let n = self.below(from.len() as u64);
        from.get(usize::try_from(n).ok()?).copied()
    }
}

/// Everything that happened in an organization up to `now`, in the order of recording.
pub(super) fn play(product: &str, organization: &Organization, now: Timestamp) -> Vec<DemoStep> {
    let mut played: Vec<(i64, DemoStep)> = Vec::new();
    for (n, episode) in organization.episodes.iter().enumerate() {
        let mut dice = Dice::seeded(&[product, organization.id], n);
        let times = if let When::Times { times, .. } = episode.when { times } else { 1 };
        for _ in 0..times {
            let start = start(episode, organization.offset, now, &mut dice);
            let mut scene = Scene::new(organization, episode, &mut dice);
            for row in &episode.rows {
                let at = scene.instant(start + row.after * MINUTE);
                let step = scene.step(product, row, at);
                played.push((at.0 + row.late * MINUTE, step));
            }
        }
    }
    played.sort_by_key(|(recorded, _)| *recorded);
    let numbered = played.into_iter().enumerate().map(|(n, (_, mut step))| {
        step.event_mut().idempotency_key = Some(format!("demo-{product}-{}-{n}", organization.id));
        step
    });
    numbered.collect()
}

/// The beginning of one turn of an episode, early enough for all of it to lie before `now`.
fn start(episode: &Episode, offset: i64, now: Timestamp, dice: &mut Dice) -> i64 {
    let local = |at: i64| Timestamp(at + offset * MINUTE).to_utc();
    let length = episode.rows.iter().map(|row| row.after + row.late).max().unwrap_or(0) + 2;
    match episode.when {
        When::MinutesAgo(minutes) => now.0 - minutes * MINUTE,
        When::Day { ago, working, minute } => {
            let mut left = ago;
            let mut midnight = now.0 - (now.0 + offset * MINUTE).rem_euclid(DAY);
            while left > 0 {
                midnight -= DAY;
                left -= i64::from(!working || !is_weekend(local(midnight).weekday()));
            }
            midnight + minute * MINUTE
        }
        When::Times { from_days, to_days, any_hour, .. } => {
            let latest = now.0 - (to_days * DAY).max(length * MINUTE);
            let earliest = now.0 - from_days * DAY + MINUTE;
            let span = u64::try_from(latest - earliest).unwrap_or(1);
            let mut at = earliest;
            for _ in 0..200 {
                at = earliest + i64::try_from(dice.below(span)).unwrap_or(0);
                let here = local(at);
                let hour = RHYTHM[here.hour() as usize];
                let chance = if is_weekend(here.weekday()) { hour * WEEKEND / 100 } else { hour };
                if any_hour || dice.below(100) < chance {
                    break;
                }
            }
            at
        }
    }
}

fn is_weekend(day: Weekday) -> bool {
    matches!(day, Weekday::Sat | Weekday::Sun)
}

/// One turn of an episode: who acts, from where, and the values made up so far.
struct Scene<'a> {
    organization: &'a Organization,
    me: Option<&'a Person>,
    /// One number for the whole scene: a person keeps one address and one device in it.
    place: u64,
    /// When the last row happened, in nanoseconds.
    last: i64,
    made_up: Vec<(&'a str, String)>,
    dice: &'a mut Dice,
}

impl<'a> Scene<'a> {
    fn new(organization: &'a Organization, episode: &Episode, dice: &'a mut Dice) -> Self {
        let me = dice.pick(&episode.by).and_then(|key| organization.person(key));
        let place = dice.roll();
        Self { organization, me, place, last: 0, made_up: Vec::new(), dice }
    }

    /// A moment in that minute, after the scene's last one.
    fn instant(&mut self, minute: i64) -> Timestamp {
        let at = if minute + MINUTE / 3 > self.last { minute + self.millis(20_000) } else { self.last };
        self.last = at.max(self.last + self.millis(900) + 100_000_000);
        Timestamp(self.last)
    }

    /// Some milliseconds, fewer than `below`, in nanoseconds.
    fn millis(&mut self, below: u64) -> i64 {
        i64::try_from(self.dice.below(below)).unwrap_or(0) * 1_000_000
    }

    fn step(&mut self, product: &str, row: &'a Row, at: Timestamp) -> DemoStep {
        let actor = row.by.map_or(self.me, |key| self.organization.person(key));
        let mut event = RecordInput::new(row.action, as_actor(actor));
        if let Some(person) = actor {
            event.ip_address = self.habit(&person.addresses);
            event.user_agent = self.habit(&person.agents);
        }
        if let Some(address) = row.address {
            event.ip_address = (address != "-").then(|| address.to_owned());
            event.user_agent = event.user_agent.filter(|_| address != "-");
        }
        event.category = row.category.map(str::to_owned);
        let absent = row.on_behalf_of.and_then(|key| self.organization.person(key));
        event.on_behalf_of = absent.map(|person| as_actor(Some(person)));
        event.outcome = row.outcome.and_then(|word| Outcome::ALL.into_iter().find(|o| o.as_str() == word));
        event.occurred_at = Some(at);
        event.source = Some(row.source.unwrap_or(product).to_owned());
        for [kind, id, name] in &row.resources {
            let [kind, id, name] = [kind, id, name].map(|part| part.map(|text| self.fill(text, at)));
            event.resources.push(Resource { kind, id, name });
        }
        event.correlation_id = row.correlation.map(|text| self.fill(text, at));
        event.metadata = row.metadata.map(|text| self.fill(text, at));
        event.log = row.log.and_then(|key| self.organization.log(key)).map(|log| self.log(log));
        match row.deletes.and_then(|key| self.organization.log(key)) {
            Some(log) => DemoStep::DeleteLog { log: self.log(log), event },
            None => DemoStep::Record(event),
        }
    }

    fn habit(&self, of: &[&str]) -> Option<String> {
        let n = self.place.checked_rem(of.len() as u64)?;
        of.get(usize::try_from(n).ok()?).map(|&text| text.to_owned())
    }

    fn log(&self, log: &Log) -> LogRef {
        let parent = log.parent.and_then(|key| self.organization.log(key));
        LogRef {
            level: log.level.to_owned(),
            id: log.id.to_owned(),
            name: Some(log.name.to_owned()),
            parent: parent.map(|parent| Box::new(self.log(parent))),
        }
    }

    /// Puts a value in the place of every `<…>`. What it does not know it leaves, and a test finds it.
    fn fill(&mut self, text: &'a str, at: Timestamp) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, (blank, after))) =
            rest.split_once('<').and_then(|(before, tail)| Some((before, tail.split_once('>')?)))
        {
            filled.push_str(before);
            filled.push_str(&self.value(blank, at).unwrap_or_else(|| format!("<{blank}>")));
            rest = after;
        }
        filled + rest
    }

    fn value(&mut self, blank: &'a str, at: Timestamp) -> Option<String> {
        let (name, made) = blank.split_once('=').map_or((blank, None), |(name, made)| (name, Some(made)));
        if let Some((_, value)) = self.made_up.iter().find(|(known, _)| *known == name) {
            return Some(value.clone());
        }
        let value = self.make(made.unwrap_or(blank), at)?;
        if made.is_some() {
            self.made_up.push((name, value.clone()));
        }
        Some(value)
    }

    fn make(&mut self, wanted: &str, at: Timestamp) -> Option<String> {
        if wanted.contains('|') {
            let choices: Vec<&str> = wanted.split('|').collect();
            let choice = self.dice.pick(&choices)?;
            return Some(self.of_person(choice).unwrap_or(choice).to_owned());
        }
        if let Some(days) = wanted.strip_prefix('+') {
            let day = at.to_utc() + Duration::days(days.parse().ok()?);
            return Some(day.format("%Y-%m-%d").to_string());
        }
        if let Some((from, to)) = wanted.split_once("..") {
            let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
            return Some((from + self.dice.below(to + 1 - from)).to_string());
        }
        if wanted.contains('.') {
            return self.of_person(wanted).map(str::to_owned);
        }
        let (digits, length) = wanted
            .strip_prefix('x')
            .map_or(("0123456789", wanted.strip_prefix('#')), |length| ("0123456789abcdef", Some(length)));
        let digits: Vec<char> = digits.chars().collect();
        (0..length?.parse::<usize>().ok()?).map(|_| self.dice.pick(&digits)).collect()
    }

    /// `linh.email`, or `me.name` of whoever acts.
    fn of_person(&self, wanted: &str) -> Option<&'static str> {
        let (key, field) = wanted.split_once('.')?;
        let person = if key == "me" { self.me } else { self.organization.person(key) }?;
        match field {
            "id" => person.id,
            "name" => person.name,
            "email" => person.email,
            _ => None,
        }
    }
}

fn as_actor(person: Option<&Person>) -> Actor {
    let text = |field: fn(&Person) -> Option<&'static str>| person.and_then(field).map(str::to_owned);
    Actor {
        kind: person.map_or(crate::event::ActorKind::System, |person| person.kind),
        id: text(|person| person.id),
        name: text(|person| person.name),
        email: text(|person| person.email),
    }
}
