//! A plain model of the log, written from the documents alone: a list of events in memory and loops over it.
//! Texts come from a small table whose words were split by hand.

use std::{collections::BTreeMap, fmt::Debug, future::Future};

use ledgerline::{
    clock::Clock,
    event::{
        Actor, ActorKind, Event, Outcome, Position, Resource, Timestamp,
        filter::{Filter, Pattern},
        search::Search,
    },
};
use proptest::{
    prelude::*,
    sample::{select, subsequence},
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use serde_json::{Value, json};

/// Runs a property. The cases are the same on every run, unless TEST_SEED says "random".
pub fn holds<S: Strategy>(cases: u32, strategy: S, property: impl AsyncFn(S::Value))
where
    S::Value: Debug,
{
    let config = Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let mut runner = if std::env::var("TEST_SEED").is_ok_and(|seed| seed == "random") {
        TestRunner::new(config)
    } else {
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    };
    let result = runner.run(&strategy, |case| {
        wait(property(case));
        Ok::<(), TestCaseError>(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Waits inside a test of the multi-threaded runtime.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

/// A text and its words.
pub type Text = (&'static str, &'static [&'static str]);

/// What real systems send, and what databases choke on.
pub const TEXTS: [Text; 30] = [
    ("create", &["create"]),
    ("CREATE", &["create"]),
    ("Create", &["create"]),
    ("create ", &["create"]),
    ("cre ate", &["cre", "ate"]),
    ("user.login", &["user", "login"]),
    ("user.login.failed", &["user", "login", "failed"]),
    (
        "Update application – Certificates and secrets management ",
        &["update", "application", "certificates", "and", "secrets", "management"],
    ),
    (
        "Update application - Certificates and secrets management",
        &["update", "application", "certificates", "and", "secrets", "management"],
    ),
    ("%", &[]),
    ("_", &[]),
    ("*", &[]),
    ("a*", &["a"]),
    ("a", &["a"]),
    ("a\\*b", &["a", "b"]),
    ("\"quoted\"", &["quoted"]),
    ("d'accord; -- ", &["d", "accord"]),
    ("é", &["é"]),
    ("É", &["é"]),
    ("İstanbul", &["i\u{307}stanbul"]),
    ("日本語 テスト", &["日本語", "テスト"]),
    ("②ｘ", &["2x"]),
    ("ΟΔΟΣ", &["οδος"]),
    ("Jo_e%@Example.com", &["jo", "e", "example", "com"]),
    ("jo_e%@example.com", &["jo", "e", "example", "com"]),
    ("joxe@example.com", &["joxe", "example", "com"]),
    ("13", &["13"]),
    ("member", &["member"]),
    ("member.invited", &["member", "invited"]),
    ("(NEAR/2 col:x) AND NOT \u{1f44d}", &["near", "2", "col", "x", "and", "not"]),
];

/// Words as people type them, and as they are meant.
const WORDS: [(&str, &str); 24] = [
    ("create", "create"),
    ("CREATE", "create"),
    ("cre", "cre"),
    ("LOGIN", "login"),
    ("user", "user"),
    ("certificates", "certificates"),
    ("a", "a"),
    ("b", "b"),
    ("2x", "2x"),
    ("②ｘ", "2x"),
    ("É", "é"),
    ("İstanbul", "i\u{307}stanbul"),
    ("istanbul", "istanbul"),
    ("日本語", "日本語"),
    ("ΟΔΟΣ", "οδος"),
    ("example", "example"),
    ("joxe", "joxe"),
    ("13", "13"),
    ("member", "member"),
    ("signed", "signed"),
    ("Authentication", "authentication"),
    ("near", "near"),
    ("true", "true"),
    ("7", "7"),
];

/// Phrases and their words.
const PHRASES: [(&str, &[&str]); 9] = [
    ("user login", &["user", "login"]),
    ("User.Login", &["user", "login"]),
    ("login user", &["login", "user"]),
    ("login failed", &["login", "failed"]),
    ("certificates AND secrets", &["certificates", "and", "secrets"]),
    ("日本語 テスト", &["日本語", "テスト"]),
    ("example com", &["example", "com"]),
    ("create", &["create"]),
    ("member", &["member"]),
];

/// Labels of the workspace's catalog, in words.
const ACTION_LABELS: [(&str, &[&str]); 3] = [
    ("user.login", &["user", "signed", "in"]),
    ("organisation.settings_updated", &["organisation", "settings", "saved"]),
    ("member.invited", &["member", "invited"]),
];
const CATEGORY_LABELS: [(&str, &[&str]); 3] =
    [("authentication", &["authentication"]), ("organisation", &["organisation"]), ("member", &["member"])];

/// 2024-03-01T00:00:00Z.
const BASE: i64 = 1_709_251_200_000_000_000;
const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Instants where something could go wrong: neighbours in nanoseconds, microseconds, quarter-hours and days.
const TIMES: [i64; 17] = [
    BASE,
    BASE + 1,
    BASE + 999,
    BASE + 1_000,
    BASE + 1_001,
    BASE + SECOND,
    BASE + 900 * SECOND - 1,
    BASE + 900 * SECOND,
    BASE + DAY - 1,
    BASE + DAY,
    BASE + 31 * DAY,
    BASE + 18 * 3_600 * SECOND + 900 * SECOND,
    BASE + 18 * 3_600 * SECOND + 900 * SECOND - 1,
    -1,
    0,
    -2_208_988_800_000_000_000,
    946_684_800_123_456_789,
];

/// When an event happened.
#[derive(Clone, Copy, Debug)]
enum When {
    At(usize),
    /// So many days ago; none of them near the edge of a period.
    DaysAgo(i64),
}

/// A leaf of metadata.
#[derive(Clone, Copy, Debug)]
enum Leaf {
    Text(usize),
    Json(&'static str, &'static [&'static str]),
}

/// An event to record.
#[derive(Clone, Debug)]
pub struct Told {
    action: usize,
    category: Option<usize>,
    kind: ActorKind,
    actor: [Option<usize>; 3],
    on_behalf_of: Option<usize>,
    resources: Vec<[Option<usize>; 3]>,
    outcome: Option<Outcome>,
    when: When,
    texts: [Option<usize>; 5],
    metadata: Vec<Leaf>,
    log: usize,
}

/// The logs: the organization's own, and two projects.
const LOGS: [&str; 3] = ["", "p1", "p2"];

/// Indexes of texts for one kind of field: few, so that questions meet events, and others for each field.
fn text(field: usize) -> impl Strategy<Value = usize> + Clone {
    (0..8_usize).prop_map(move |i| (field * 5 + i) % TEXTS.len())
}

fn maybe(field: usize) -> impl Strategy<Value = Option<usize>> + Clone {
    proptest::option::weighted(0.7, text(field))
}

const ACTION: usize = 0;
const CATEGORY: usize = 5;
const ACTOR_ID: usize = 2;
const ACTOR_NAME: usize = 3;
const EMAIL: usize = 4;
const RESOURCE_TYPE: usize = 1;
const RESOURCE_ID: usize = 2;
const IP: usize = 1;
const USER_AGENT: usize = 5;
const CORRELATION: usize = 3;
const SOURCE: usize = 0;
const SOURCE_ID: usize = 2;

fn kinds() -> impl Strategy<Value = ActorKind> + Clone {
    select(ActorKind::ALL.to_vec())
}

/// An event of the small vocabulary.
pub fn told() -> impl Strategy<Value = Told> {
    let leaf = prop_oneof![
        3 => (0..TEXTS.len()).prop_map(Leaf::Text),
        1 => select(vec![
            Leaf::Json("true", &["true"]), Leaf::Json("-7", &["7"]), Leaf::Json("3.50", &["3", "50"]),
            Leaf::Json("null", &[]), Leaf::Json("12345678901234567890123", &["12345678901234567890123"]),
        ]),
    ];
    let when = prop_oneof![
        4 => (0..TIMES.len()).prop_map(When::At),
        1 => select(vec![3_i64, 10, 50, 100]).prop_map(When::DaysAgo),
    ];
    let who = (kinds(), [maybe(ACTOR_ID), maybe(ACTOR_NAME), maybe(EMAIL)], proptest::option::weighted(0.2, text(0)));
    let resource = [maybe(RESOURCE_TYPE), maybe(RESOURCE_ID), maybe(ACTOR_NAME)];
    let texts = [maybe(IP), maybe(USER_AGENT), maybe(CORRELATION), maybe(SOURCE), maybe(SOURCE_ID)];
    let what = (text(ACTION), maybe(CATEGORY), proptest::option::of(select(Outcome::ALL.to_vec())));
    (
        what,
        who,
        proptest::collection::vec(resource, 0..3),
        when,
        texts,
        proptest::collection::vec(leaf, 0..4),
        prop_oneof![3 => Just(0_usize), 1 => 1..3_usize],
    )
        .prop_map(
            |((action, category, outcome), (kind, actor, on_behalf_of), resources, when, texts, metadata, log)| Told {
                action,
                category,
                kind,
                actor,
                on_behalf_of,
                resources,
                outcome,
                when,
                texts,
                metadata,
                log,
            },
        )
}

fn show(text: Option<usize>) -> Option<&'static str> {
    text.map(|i| TEXTS[i].0)
}

impl Told {
    fn occurred_ns(&self, now: i64) -> i64 {
        match self.when {
            When::At(i) => TIMES[i],
            When::DaysAgo(days) => now - days * DAY,
        }
    }

    fn metadata_text(&self) -> String {
        let leaf = |leaf: &Leaf| match leaf {
            Leaf::Text(i) => serde_json::to_string(TEXTS[*i].0).expect("JSON"),
            Leaf::Json(text, _) => (*text).to_owned(),
        };
        let mut parts: Vec<String> = Vec::new();
        for (i, each) in self.metadata.iter().enumerate() {
            // Keys are not searched; leaves at any depth are.
            parts.push(if i == 1 {
                format!("\"login{i}\" : {{ \"x\": [ {}, {{}} ] }}", leaf(each))
            } else {
                format!("\"login{i}\":{}", leaf(each))
            });
        }
        format!("{{{}}}", parts.join(", "))
    }

    /// The event as a client sends it.
    pub fn input(&self, now: i64) -> Value {
        let actor = |kind: ActorKind, [id, name, email]: [Option<usize>; 3]| json!({ "kind": kind.as_str(), "id": show(id), "name": show(name), "email": show(email) });
        let resources = self
            .resources
            .iter()
            .map(|&[kind, id, name]| json!({ "type": show(kind), "id": show(id), "name": show(name) }));
        let [ip, agent, correlation, source, source_id] = self.texts.map(show);
        let mut input = json!({
            "action": TEXTS[self.action].0, "category": show(self.category), "actor": actor(self.kind, self.actor),
            "resources": resources.collect::<Vec<_>>(), "outcome": self.outcome.map(Outcome::as_str),
            "occurredAt": Timestamp(self.occurred_ns(now)).to_string(), "ipAddress": ip, "userAgent": agent,
            "correlationId": correlation, "source": source, "sourceEventId": source_id,
            "metadataText": self.metadata_text(),
        });
        if self.on_behalf_of.is_some() {
            input["onBehalfOf"] = actor(ActorKind::User, [self.on_behalf_of; 3]);
        }
        if self.log > 0 {
            input["log"] = json!({ "level": "project", "id": LOGS[self.log] });
        }
        input
    }
}

/// An event as the model holds it.
#[derive(Clone, Debug)]
pub struct Kept {
    told: Told,
    pub sequence: i64,
    pub occurred_ns: i64,
    category: Option<&'static str>,
    outcome: Option<Outcome>,
}

impl Kept {
    pub fn of(told: &Told, sequence: i64, now: i64) -> Self {
        let action = TEXTS[told.action].0;
        // The catalog's own category and outcome stand in for those that are not sent.
        let own = match action {
            "user.login" => Some("authentication"),
            "member.invited" => Some("member"),
            _ => None,
        };
        let outcome = told.outcome.or((action == "user.login").then_some(Outcome::Success));
        let occurred_ns = told.occurred_ns(now);
        Self { told: told.clone(), sequence, occurred_ns, category: show(told.category).or(own), outcome }
    }

    fn action(&self) -> &'static str {
        TEXTS[self.told.action].0
    }

    /// Words, value by value.
    fn values(&self) -> Vec<&'static [&'static str]> {
        let told = &self.told;
        let words = |i: usize| TEXTS[i].1;
        let mut values = vec![words(told.action)];
        values.extend(self.category.map(|category| match category {
            "authentication" => &["authentication"][..],
            _ => TEXTS.iter().find(|(text, _)| *text == category).expect("of the table").1,
        }));
        values.extend(told.actor.into_iter().flatten().map(words));
        values.extend(told.resources.iter().flatten().copied().flatten().map(words));
        values.extend(told.texts[..2].iter().copied().flatten().map(words));
        values.extend(told.metadata.iter().map(|leaf| match leaf {
            Leaf::Text(i) => words(*i),
            Leaf::Json(_, words) => words,
        }));
        values
    }

    /// Place in the order of time: events of one microsecond stand in the order of recording.
    fn time(&self) -> (i64, i64) {
        (self.occurred_ns.div_euclid(1_000), self.sequence)
    }

    /// What the actors facet groups by.
    fn actor_value(&self) -> &'static str {
        let [id, name, email] = self.told.actor;
        show(id.or(email).or(name)).unwrap_or(self.told.kind.as_str())
    }

    /// The same event as the service's own type.
    fn event(&self) -> Event {
        let told = &self.told;
        let owned = |text: Option<usize>| show(text).map(str::to_owned);
        let actor = |kind, [id, name, email]: [Option<usize>; 3]| Actor {
            kind,
            id: owned(id),
            name: owned(name),
            email: owned(email),
        };
        let [ip_address, user_agent, correlation_id, source, source_event_id] = told.texts.map(owned);
        let resources = told.resources.iter();
        Event {
            organization_no: 1,
            sequence: self.sequence,
            position: Position(0),
            salt: 0,
            log_no: 0,
            action: self.action().to_owned(),
            category: self.category.map(str::to_owned),
            outcome: self.outcome,
            actor: actor(told.kind, told.actor),
            on_behalf_of: told.on_behalf_of.map(|i| actor(ActorKind::User, [Some(i); 3])),
            resources: resources.map(|&[k, i, n]| Resource { kind: owned(k), id: owned(i), name: owned(n) }).collect(),
            occurred_at: Timestamp(self.occurred_ns),
            recorded_at: Timestamp(0),
            ip_address,
            user_agent,
            correlation_id,
            source,
            source_event_id,
            recorded_by: "admin".to_owned(),
            metadata: told.metadata_text(),
        }
    }
}

/// A pattern of actions: the whole text, or its first characters.
#[derive(Clone, Copy, Debug)]
enum Name {
    Exactly(usize),
    Beginning(usize, usize),
}

impl Name {
    fn stem(self) -> (String, bool) {
        match self {
            Self::Exactly(i) => (TEXTS[i].0.to_owned(), false),
            Self::Beginning(i, n) => (TEXTS[i].0.chars().take(n).collect(), true),
        }
    }

    fn asked(self) -> String {
        let (stem, beginning) = self.stem();
        format!("{}{}", stem.replace('*', "\\*"), if beginning { "*" } else { "" })
    }

    fn fits(self, action: &str) -> bool {
        let (stem, beginning) = self.stem();
        if beginning { action.starts_with(&stem) } else { action == stem }
    }

    fn pattern(self) -> Pattern {
        let (stem, beginning) = self.stem();
        if beginning { Pattern::Prefix(stem) } else { Pattern::Exact(stem) }
    }
}

/// Something typed into the search field.
#[derive(Clone, Copy, Debug)]
enum Token {
    Word(usize),
    /// The first characters of a word.
    Prefix(usize, usize),
    Phrase(usize),
}

impl Token {
    fn asked(self) -> String {
        match self {
            Self::Word(i) => WORDS[i].0.to_owned(),
            Self::Prefix(i, n) => format!("{}*", WORDS[i].0.chars().take(n).collect::<String>()),
            Self::Phrase(i) => format!("\"{}\"", PHRASES[i].0),
        }
    }

    fn fits(self, event: &Kept) -> bool {
        let labels = || {
            let of = |table: &[(&'static str, &'static [&'static str])], name: Option<&str>| {
                table.iter().find(|(each, _)| Some(*each) == name).map_or(&[][..], |(_, words)| *words).to_vec()
            };
            let mut words = of(&ACTION_LABELS, Some(event.action()));
            words.extend(of(&CATEGORY_LABELS, event.category));
            words
        };
        let values = event.values();
        match self {
            Self::Word(i) => values.iter().copied().flatten().chain(&labels()).any(|word| *word == WORDS[i].1),
            Self::Prefix(i, n) => {
                let stem: String = WORDS[i].1.chars().take(n).collect();
                values.iter().copied().flatten().chain(&labels()).any(|word| word.starts_with(&stem))
            }
            Self::Phrase(i) => {
                let phrase = PHRASES[i].1;
                values.iter().any(|value| value.windows(phrase.len()).any(|window| window == phrase))
            }
        }
    }
}

/// When, as asked.
#[derive(Clone, Copy, Debug)]
enum Dates {
    Any,
    Between(Option<i64>, Option<i64>),
    /// The last so many days.
    Last(i64),
}

/// A question with one answer.
#[derive(Clone, Debug)]
pub struct Asked {
    lists: [Option<Vec<usize>>; 9],
    actions: Option<Vec<Name>>,
    outcomes: Option<Vec<Outcome>>,
    kinds: Option<Vec<ActorKind>>,
    email_contains: Option<&'static str>,
    present: Option<bool>,
    dates: Dates,
    not: (Vec<usize>, Vec<Name>, Vec<ActorKind>, Vec<usize>),
    search: Vec<Token>,
    log: Option<usize>,
    nested: Option<bool>,
    pub by_sequence: bool,
    pub ascending: bool,
}

const LISTS: [usize; 9] = [CATEGORY, ACTOR_ID, EMAIL, RESOURCE_TYPE, RESOURCE_ID, IP, CORRELATION, SOURCE, SOURCE_ID];

/// A question over the small vocabulary; most ask one to three things.
pub fn asked() -> impl Strategy<Value = Asked> {
    fn rarely<T: Debug + Clone>(what: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
        proptest::option::weighted(0.09, what)
    }
    fn list(field: usize) -> impl Strategy<Value = Option<Vec<usize>>> {
        rarely(subsequence((0..8).collect::<Vec<_>>(), 0..6))
            .prop_map(move |list| list.map(|list| list.into_iter().map(|i| (field * 5 + i) % TEXTS.len()).collect()))
    }
    let name = || {
        let beginning = (text(ACTION), 0..5_usize)
            .prop_filter("a backslash before the star makes it a plain one", |(i, n)| {
                TEXTS[*i].0.chars().take(*n).last() != Some('\\')
            })
            .prop_map(|(i, n)| Name::Beginning(i, n));
        prop_oneof![text(ACTION).prop_map(Name::Exactly), beginning]
    };
    let token = prop_oneof![
        3 => (0..WORDS.len()).prop_map(Token::Word),
        2 => (0..WORDS.len(), 1..9_usize).prop_map(|(i, n)| {
            let (sent, meant) = (WORDS[i].0.chars().count(), WORDS[i].1.chars().count());
            if sent == meant { Token::Prefix(i, n.min(sent)) } else { Token::Word(i) }
        }),
        1 => (0..PHRASES.len()).prop_map(Token::Phrase),
    ];
    let instant = || (0..TIMES.len(), -1..2_i64).prop_map(|(i, off)| TIMES[i] + off);
    let dates = prop_oneof![
        6 => Just(Dates::Any),
        1 => (proptest::option::of(instant()), proptest::option::of(instant())).prop_map(|(from, to)| match (from, to) {
            (Some(a), Some(b)) => Dates::Between(Some(a.min(b)), Some(a.max(b))),
            (from, to) => Dates::Between(from, to),
        }),
        1 => select(vec![7_i64, 30, 90]).prop_map(Dates::Last),
    ];
    let email = select(vec!["@", "@EXAMPLE", "o_e", "e%@", "example.com", "É", "%", "_", "*", "x@y", "stan"]);
    let lists = LISTS.map(list);
    let not = (
        rarely(proptest::collection::vec(text(CATEGORY), 1..4)),
        rarely(proptest::collection::vec(name(), 1..3)),
        rarely(proptest::collection::vec(kinds(), 1..3)),
        rarely(proptest::collection::vec(text(ACTOR_ID), 1..4)),
    )
        .prop_map(|(a, b, c, d)| {
            (a.unwrap_or_default(), b.unwrap_or_default(), c.unwrap_or_default(), d.unwrap_or_default())
        });
    let who = (rarely(proptest::collection::vec(kinds(), 0..4)), rarely(email), rarely(any::<bool>()));
    let search = prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(token, 1..4)];
    (
        lists,
        rarely(proptest::collection::vec(name(), 0..4)),
        rarely(subsequence(Outcome::ALL.to_vec(), 0..3)),
        who,
        dates,
        not,
        search,
        (rarely(0..4_usize), rarely(any::<bool>())),
        any::<(bool, bool)>(),
    )
        .prop_map(
            |(lists, actions, outcomes, (kinds, email, present), dates, not, search, (log, nested), order)| Asked {
                lists,
                actions,
                outcomes,
                kinds,
                email_contains: email,
                present,
                dates,
                not,
                search,
                log,
                nested,
                by_sequence: order.0,
                ascending: order.1,
            },
        )
}

/// What a facet may leave out of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    Nothing,
    Categories,
    Actions,
    Actors,
    Outcomes,
}

impl Asked {
    /// Variables of the question.
    pub fn variables(&self, organization: &str) -> Value {
        let texts =
            |list: &Option<Vec<usize>>| list.as_ref().map(|l| l.iter().map(|&i| TEXTS[i].0).collect::<Vec<_>>());
        let [categories, ids, emails, types, resource_ids, ips, correlations, sources, source_ids] =
            self.lists.each_ref().map(texts);
        let names = |names: &[Name]| names.iter().map(|name| name.asked()).collect::<Vec<_>>();
        let kinds = |kinds: &[ActorKind]| kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>();
        let mut filter = json!({
            "categories": categories, "actions": self.actions.as_deref().map(names),
            "outcomes": self.outcomes.as_ref().map(|list| list.iter().map(|o| o.as_str()).collect::<Vec<_>>()),
            "actor": { "kinds": self.kinds.as_deref().map(kinds), "ids": ids, "emails": emails,
                "emailContains": self.email_contains, "present": self.present },
            "resource": { "types": types, "ids": resource_ids },
            "ipAddresses": ips, "correlationIds": correlations, "sources": sources, "sourceEventIds": source_ids,
            "not": { "categories": self.not.0.iter().map(|&i| TEXTS[i].0).collect::<Vec<_>>(), "actions": names(&self.not.1),
                "actorKinds": kinds(&self.not.2), "actorIds": self.not.3.iter().map(|&i| TEXTS[i].0).collect::<Vec<_>>() },
        });
        match self.dates {
            Dates::Any => {}
            Dates::Between(from, to) => {
                let shown = |at: Option<i64>| at.map(|at| Timestamp(at).to_string());
                filter["occurredAt"] = json!({ "from": shown(from), "to": shown(to) });
            }
            Dates::Last(days) => {
                filter["period"] = json!({ "preset": format!("LAST_{days}_DAYS"), "timeZone": "Asia/Kathmandu" });
            }
        }
        let log = self.log.map(|log| match log {
            0 => json!({ "level": "organisation", "id": organization }),
            3 => json!({ "level": "project", "id": "no such" }),
            n => json!({ "level": "project", "id": LOGS[n] }),
        });
        let search: Vec<_> = self.search.iter().map(|token| token.asked()).collect();
        json!({
            "filter": filter, "search": if search.is_empty() { Value::Null } else { json!(search.join(" ")) },
            "log": log, "includeNested": self.nested,
            "order": { "field": if self.by_sequence { "SEQUENCE" } else { "OCCURRED_AT" },
                "direction": if self.ascending { "ASC" } else { "DESC" } },
        })
    }

    /// Whether an event is kept, log and search included.
    pub fn keeps(&self, event: &Kept, without: Without) -> bool {
        let in_log = match (self.log, self.nested.unwrap_or(false)) {
            (None | Some(0), true) => true,
            (None | Some(0), false) => event.told.log == 0,
            (Some(log), _) => event.told.log == log,
        };
        in_log && self.filter_keeps(event, without)
    }

    fn filter_keeps(&self, event: &Kept, without: Without) -> bool {
        let told = &event.told;
        let one_of = |list: &Option<Vec<usize>>, value: Option<&str>| {
            list.as_ref().is_none_or(|list| value.is_some_and(|value| list.iter().any(|&i| TEXTS[i].0 == value)))
        };
        let [id, name, email] = told.actor.map(show);
        let [ip, _, correlation, source, source_id] = told.texts.map(show);
        let [categories, ids, emails, types, resource_ids, ips, correlations, sources, source_ids] = &self.lists;
        let actor = without == Without::Actors
            || self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&told.kind))
                && one_of(ids, id)
                && one_of(emails, email)
                && self
                    .email_contains
                    .is_none_or(|part| email.is_some_and(|email| email.to_lowercase().contains(&part.to_lowercase())))
                && self.present.is_none_or(|present| present == (id.is_some() || name.is_some() || email.is_some()));
        let resource = types.is_none() && resource_ids.is_none()
            || told.resources.iter().any(|&[kind, id, _]| one_of(types, show(kind)) && one_of(resource_ids, show(id)));
        let dates = match self.dates {
            Dates::Any => true,
            Dates::Between(from, to) => {
                from.is_none_or(|from| event.occurred_ns >= from) && to.is_none_or(|to| event.occurred_ns < to)
            }
            Dates::Last(n) => matches!(told.when, When::DaysAgo(days) if days < n),
        };
        (without == Without::Categories || one_of(categories, event.category))
            && (without == Without::Actions
                || self.actions.as_ref().is_none_or(|list| list.iter().any(|name| name.fits(event.action()))))
            && (without == Without::Outcomes
                || self.outcomes.as_ref().is_none_or(|list| event.outcome.is_some_and(|o| list.contains(&o))))
            && actor
            && resource
            && one_of(ips, ip)
            && one_of(correlations, correlation)
            && one_of(sources, source)
            && one_of(source_ids, source_id)
            && dates
            && !self.not.0.iter().any(|&i| Some(TEXTS[i].0) == event.category)
            && !self.not.1.iter().any(|name| name.fits(event.action()))
            && !self.not.2.contains(&told.kind)
            && !self.not.3.iter().any(|&i| Some(TEXTS[i].0) == id)
            && self.search.iter().all(|token| token.fits(event))
    }

    /// The answer, in order.
    pub fn answer<'a>(&self, events: &'a [Kept]) -> Vec<&'a Kept> {
        let mut kept: Vec<_> = events.iter().filter(|event| self.keeps(event, Without::Nothing)).collect();
        kept.sort_by_key(|event| if self.by_sequence { (event.sequence, 0) } else { event.time() });
        if !self.ascending {
            kept.reverse();
        }
        kept
    }

    /// The facets: values and counts, and days of a zone so many seconds east.
    pub fn facets(&self, events: &[Kept], east: i64) -> BTreeMap<&'static str, BTreeMap<String, i64>> {
        let mut facets: BTreeMap<_, BTreeMap<String, i64>> = BTreeMap::new();
        let mut count = |facet: &'static str, without: Without, value: &dyn Fn(&Kept) -> Option<String>| {
            let counts = facets.entry(facet).or_default();
            for event in events.iter().filter(|event| self.keeps(event, without)) {
                if let Some(value) = value(event) {
                    *counts.entry(value).or_default() += 1;
                }
            }
        };
        count("categories", Without::Categories, &|event| event.category.map(str::to_owned));
        count("actions", Without::Actions, &|event| Some(event.action().to_owned()));
        count("actors", Without::Actors, &|event| Some(event.actor_value().to_owned()));
        count("outcomes", Without::Outcomes, &|event| event.outcome.map(|o| o.as_str().to_owned()));
        count("days", Without::Nothing, &|event| {
            Some(Timestamp(event.occurred_ns + east * SECOND).to_string()[..10].to_owned())
        });
        facets
    }

    /// The same filter as the service's own type.
    fn filter(&self, now: i64) -> Filter {
        let texts = |list: &Option<Vec<usize>>| {
            list.as_ref().map(|list| list.iter().map(|&i| TEXTS[i].0.to_owned()).collect::<Vec<_>>())
        };
        let [
            categories,
            actor_ids,
            actor_emails,
            resource_types,
            resource_ids,
            ip_addresses,
            correlation_ids,
            sources,
            source_event_ids,
        ] = self.lists.each_ref().map(texts);
        let patterns = |names: &[Name]| names.iter().map(|name| name.pattern()).collect::<Vec<_>>();
        let (from, to) = match self.dates {
            Dates::Any => (None, None),
            Dates::Between(from, to) => (from.map(Timestamp), to.map(Timestamp)),
            Dates::Last(n) => (Some(Timestamp(now - n * DAY)), None),
        };
        let search: Vec<_> = self.search.iter().map(|token| token.asked()).collect();
        let fits = |label: &[&str], word: &str, prefix: bool| {
            label.iter().any(|each| if prefix { each.starts_with(word) } else { *each == word })
        };
        let search = Search::parse(&search.join(" "), |word, prefix| {
            let of = |table: &[(&str, &[&str])]| {
                table
                    .iter()
                    .filter(|(_, label)| fits(label, word, prefix))
                    .map(|(name, _)| (*name).to_owned())
                    .collect()
            };
            (of(&ACTION_LABELS), of(&CATEGORY_LABELS))
        });
        Filter {
            categories,
            actions: self.actions.as_deref().map(patterns),
            outcomes: self.outcomes.clone(),
            actor_kinds: self.kinds.clone(),
            actor_ids,
            actor_emails,
            actor_email_contains: self.email_contains.map(str::to_owned),
            actor_present: self.present,
            resource_types,
            resource_ids,
            ip_addresses,
            correlation_ids,
            sources,
            source_event_ids,
            from,
            to,
            not_categories: self.not.0.iter().map(|&i| TEXTS[i].0.to_owned()).collect(),
            not_actions: patterns(&self.not.1),
            not_actor_kinds: self.not.2.clone(),
            not_actor_ids: self.not.3.iter().map(|&i| TEXTS[i].0.to_owned()).collect(),
            search: search.expect("a search within the limits"),
            ..Filter::default()
        }
    }

    /// Checks that the service's pure predicate says the same of every event; logs are not its business.
    pub fn check_predicate(&self, events: &[Kept], now: i64) {
        let filter = self.filter(now);
        for event in events {
            let model = self.filter_keeps(event, Without::Nothing);
            assert_eq!(filter.matches(&event.event()), model, "Filter::matches of {event:?} under {self:?}");
        }
    }
}

/// The clock of one case.
pub fn now() -> i64 {
    Clock::system().now().0
}
