//! Events and questions of the small vocabulary, as proptest makes them.

use std::fmt::Debug;

use ledgerline::event::{ActorKind, Outcome};
use proptest::{
    prelude::*,
    sample::{select, subsequence},
};

use super::{
    Asked, Dates, Leaf, Name, Token, Told, When,
    also::also,
    vocabulary::{
        ACTION, ACTOR_ID, ACTOR_NAME, CATEGORY, CORRELATION, EMAIL, IP, PHRASES, RESOURCE_ID, RESOURCE_NAME,
        RESOURCE_TYPE, RUNS, SOURCE, SOURCE_ID, TEXTS, TIMES, USER_AGENT, WORDS,
    },
};

/// Indexes of texts for one kind of field: few, so that questions meet events, and others for each field.
fn text(field: usize) -> impl Strategy<Value = usize> + Clone {
    (0..8_usize).prop_map(move |i| (field * 5 + i) % TEXTS.len())
}

fn maybe(field: usize) -> impl Strategy<Value = Option<usize>> + Clone {
    proptest::option::weighted(0.7, text(field))
}

fn kinds() -> impl Strategy<Value = ActorKind> + Clone {
    select(ActorKind::ALL.to_vec())
}

/// An event of the small vocabulary.
pub fn told() -> impl Strategy<Value = Told> {
    let leaf = prop_oneof![
        3 => (0..TEXTS.len()).prop_map(Leaf::Text),
        1 => select(vec![
            Leaf::Json("true", &["true"]), Leaf::Json("-7", &["7"]), Leaf::Json("3.50", &["3", "50"]),
            Leaf::Json("null", &[]), Leaf::Json(r#""cut \ud83d""#, &["cut"]), Leaf::Json(r#""a\u0000b""#, &["a", "b"]),
            Leaf::Json("12345678901234567890123", &["12345678901234567890123"]),
        ]),
    ];
    let when = prop_oneof![
        4 => (0..TIMES.len()).prop_map(When::At),
        1 => select(vec![3_i64, 10, 50, 100]).prop_map(When::DaysAgo),
    ];
    let who = (kinds(), [maybe(ACTOR_ID), maybe(ACTOR_NAME), maybe(EMAIL)], proptest::option::weighted(0.2, text(0)));
    let resource = [maybe(RESOURCE_TYPE), maybe(RESOURCE_ID), maybe(RESOURCE_NAME)];
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

const LISTS: [usize; 11] = [
    CATEGORY,
    ACTOR_ID,
    ACTOR_NAME,
    EMAIL,
    RESOURCE_TYPE,
    RESOURCE_ID,
    RESOURCE_NAME,
    IP,
    CORRELATION,
    SOURCE,
    SOURCE_ID,
];

/// A question over the small vocabulary; most ask one to three things.
pub fn asked() -> impl Strategy<Value = Asked> {
    fn rarely<T: Debug + Clone>(what: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
        proptest::option::weighted(0.075, what)
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
        2 => (0..RUNS.len()).prop_map(Token::Run),
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
    let name_part = select(vec!["USER", "o", "Ins", "é", "%", "_", "*", " ", "\"", "stan"]);
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
    let who =
        (rarely(proptest::collection::vec(kinds(), 0..4)), (rarely(name_part), rarely(email)), rarely(any::<bool>()));
    let search = prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(token, 1..4)];
    (
        lists,
        rarely(proptest::collection::vec(name(), 0..4)),
        rarely(subsequence(Outcome::ALL.to_vec(), 0..3)),
        who,
        dates,
        not,
        search,
        (rarely(0..4_usize), rarely(any::<bool>()), rarely(any::<bool>())),
        (any::<(bool, bool)>(), also()),
    )
        .prop_map(
            |(
                lists,
                actions,
                outcomes,
                (kinds, (name, email), present),
                dates,
                not,
                search,
                (log, nested, truncated),
                (order, also),
            )| Asked {
                lists,
                actions,
                outcomes,
                kinds,
                name_contains: name,
                email_contains: email,
                present,
                truncated,
                dates,
                not,
                search,
                log,
                nested,
                by_sequence: order.0,
                ascending: order.1,
                also,
            },
        )
}
