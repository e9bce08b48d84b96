//! A plain model of the log, written from the documents alone: a list of events in memory and loops over it.

mod also;
mod generate;
mod predicate;
mod reference;
mod sent;
mod vocabulary;

use std::{fmt::Debug, future::Future};

use ledgerline::{
    clock::Clock,
    event::{ActorKind, Outcome},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};

use also::Also;
pub use generate::{asked, told};

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

/// An event as the model holds it.
#[derive(Clone, Debug)]
pub struct Kept {
    told: Told,
    pub sequence: i64,
    pub occurred_ns: i64,
    category: Option<&'static str>,
    outcome: Option<Outcome>,
}

/// A pattern of actions: the whole text, or its first characters.
#[derive(Clone, Copy, Debug)]
enum Name {
    Exactly(usize),
    Beginning(usize, usize),
}

/// Something typed into the search field.
#[derive(Clone, Copy, Debug)]
enum Token {
    Word(usize),
    /// The first characters of a word.
    Prefix(usize, usize),
    Phrase(usize),
    /// Something without blanks that has several words.
    Run(usize),
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
    lists: [Option<Vec<usize>>; 11],
    actions: Option<Vec<Name>>,
    outcomes: Option<Vec<Outcome>>,
    kinds: Option<Vec<ActorKind>>,
    name_contains: Option<&'static str>,
    email_contains: Option<&'static str>,
    present: Option<bool>,
    truncated: Option<bool>,
    dates: Dates,
    not: (Vec<usize>, Vec<Name>, Vec<ActorKind>, Vec<usize>),
    search: Vec<Token>,
    log: Option<usize>,
    nested: Option<bool>,
    pub by_sequence: bool,
    pub ascending: bool,
    also: Also,
}

/// What a facet may leave out of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    Nothing,
    Categories,
    Actions,
    Actors,
    Outcomes,
    IpAddresses,
    Sources,
    Resources,
}

/// The clock of one case.
pub fn now() -> i64 {
    Clock::system().now().0
}
