//! The events of the bench: number `n` is the same on every machine and in every run.

use ledgerline::event::{
    Actor, ActorKind, Outcome, Resource, Timestamp,
    input::{LogRef, RecordInput},
};

/// The organizations, by how busy they are: the first one has about a fifth of all events.
pub const ORGANIZATIONS: usize = 1_000;
/// The year of the events ends here: 2026-11-21T00:00:00Z.
const END: i64 = 1_795_219_200_000_000_000;
const YEAR: i64 = 365 * 86_400 * 1_000_000_000;

/// Words that a known part of the events have in their metadata.
pub const COMMON: &str = "thirtypercent";
pub const ONE_PERCENT: &str = "onepercent";
pub const RARE: &str = "permille";
pub const TEN_PPM: &str = "tenppm";
pub const ABSENT: &str = "absentword";
pub const OLDEST: &str = "oldesttenth";
/// Two that no event has both of.
pub const NEVER_MET: &str = "evenside oddside";

/// How a size is written in names: 100000 is 100k.
pub fn short(n: u64) -> String {
    match n {
        n if n >= 1_000_000 && n % 1_000_000 == 0 => format!("{}m", n / 1_000_000),
        n if n >= 1_000 && n % 1_000 == 0 => format!("{}k", n / 1_000),
        n => n.to_string(),
    }
}

/// A set of events.
#[derive(Clone)]
pub struct Events {
    size: u64,
    backfill: bool,
    actions: Vec<(String, String)>,
    organizations: Zipf,
    kinds: Zipf,
    actors: Zipf,
}

impl Events {
    /// So many events; with `backfill`, a fifth of them lie anywhere in the year.
    pub fn new(size: u64, backfill: bool, product: &ledgerline::catalog::Product) -> Self {
        let actions = product.catalog.actions.iter();
        let actions: Vec<_> =
            actions.map(|action| (action.name.clone(), action.rules.category.clone().unwrap_or_default())).collect();
        Self {
            size,
            backfill,
            organizations: Zipf::new(ORGANIZATIONS, 1.17),
            kinds: Zipf::new(actions.len(), 1.0),
            actors: Zipf::new(5_000, 1.0),
            actions,
        }
    }

    /// The event of a number.
    pub fn event(&self, n: u64) -> RecordInput {
        let mut random = Random(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66);
        let organization = self.organizations.draw(&mut random);
        let (action, category) = &self.actions[self.kinds.draw(&mut random)];
        let actor = self.actors.draw(&mut random);
        let mut at = END - YEAR + (YEAR as i128 * i128::from(n) / i128::from(self.size)) as i64;
        if random.one_in(33) {
            at -= (random.below(600) * 1_000_000_000) as i64;
        }
        if self.backfill && random.one_in(5) {
            at = END - YEAR + (random.below(YEAR as u64)) as i64;
        }
        let mut input = RecordInput::new(
            action.clone(),
            Actor {
                kind: ActorKind::User,
                id: Some(format!("usr_{actor}")),
                name: Some(format!("Person {actor}")),
                email: Some(format!("person{actor}@org{organization}.example")),
            },
        );
        input.category = Some(category.clone());
        input.organization = Some(format!("org_{organization}"));
        let thing = random.below(100_000);
        input.resources = vec![Resource {
            kind: Some("document".to_owned()),
            id: Some(format!("doc_{thing}")),
            name: Some(format!("Document {thing}")),
        }];
        // A third of the organizations have projects.
        if organization.is_multiple_of(3) && random.one_in(2) {
            let id = format!("prj_{}", random.below(5));
            input.log = Some(LogRef { level: "project".to_owned(), id, name: None, parent: None });
        }
        input.outcome = Some(if random.one_in(20) { Outcome::Failure } else { Outcome::Success });
        input.occurred_at = Some(Timestamp(at));
        input.ip_address = Some(format!("10.{}.{}.{}", random.below(4), random.below(256), random.below(256)));
        input.user_agent = Some("Mozilla/5.0 (X11; Linux x86_64) Bench/1.0".to_owned());
        input.idempotency_key = Some(format!("bench-{n}"));
        input.metadata = Some(self.metadata(n, &mut random));
        input
    }

    /// 250 to 400 bytes of JSON.
    fn metadata(&self, n: u64, random: &mut Random) -> String {
        let mut words = String::new();
        for _ in 0..20 + random.below(9) {
            words.push_str(&format!("word{:04} ", random.below(8_000)));
        }
        for (one_in, word) in [(100, ONE_PERCENT), (1_000, RARE), (100_000, TEN_PPM)] {
            if random.one_in(one_in) {
                words.push_str(word);
                words.push(' ');
            }
        }
        if random.below(10) < 3 {
            words.push_str(COMMON);
            words.push(' ');
        }
        if n < self.size / 10 {
            words.push_str(OLDEST);
            words.push(' ');
        }
        words.push_str(if n.is_multiple_of(2) { "evenside" } else { "oddside" });
        format!(r#"{{"note":"{words}","attempt":{},"request":"req_{n}"}}"#, random.below(9))
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Zipf's law over some ranks.
#[derive(Clone)]
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(ranks: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let sums: Vec<f64> = (1..=ranks)
            .map(|rank| {
                sum += (rank as f64).powf(-exponent);
                sum
            })
            .collect();
        Self(sums.into_iter().map(|each| each / sum).collect())
    }

    fn draw(&self, random: &mut Random) -> usize {
        let at = random.next() as f64 / u64::MAX as f64;
        self.0.partition_point(|sum| *sum < at).min(self.0.len() - 1)
    }
}
