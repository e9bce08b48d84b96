//! What a query box asks for besides: actors and resources by whatever names them, and more that is left out.

use ledgerline::{
    event::Outcome,
    question::{filter::Filter, search::Search},
};
use proptest::{collection::vec, option::weighted, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{
    Kept, Token,
    reference::finds,
    vocabulary::{TEXTS, WORDS, show},
};

/// Parts of names and e-mail addresses, and ids.
const PARTS: [&str; 9] = ["USER", "o_e", "Ins", "é", "%", "jo_e%@example.com", "create", "user.login", "*"];

#[derive(Clone, Debug, Default)]
pub struct Also {
    actors: Option<Vec<&'static str>>,
    resources: Option<Vec<usize>>,
    not_actors: Vec<&'static str>,
    not_resources: Vec<usize>,
    not_outcomes: Vec<Outcome>,
    not_ips: Vec<usize>,
    not_sources: Vec<usize>,
    not_words: Vec<Token>,
}

/// Most of them ask for nothing.
pub(super) fn also() -> impl Strategy<Value = Also> {
    let texts = || weighted(0.025, vec(0..TEXTS.len(), 0..4));
    let parts = || weighted(0.025, vec(select(PARTS.to_vec()), 0..3));
    let word = prop_oneof![
        2 => (0..WORDS.len()).prop_map(Token::Word),
        1 => (0..2_usize).prop_map(Token::Phrase),
    ];
    let not = (texts(), weighted(0.025, vec(select(Outcome::ALL.to_vec()), 1..3)), texts(), texts());
    (parts(), texts(), parts(), not, weighted(0.025, vec(word, 1..3))).prop_map(
        |(actors, resources, not_actors, (not_resources, not_outcomes, not_ips, not_sources), not_words)| Also {
            actors,
            resources,
            not_actors: not_actors.unwrap_or_default(),
            not_resources: not_resources.unwrap_or_default(),
            not_outcomes: not_outcomes.unwrap_or_default(),
            not_ips: not_ips.unwrap_or_default(),
            not_sources: not_sources.unwrap_or_default(),
            not_words: not_words.unwrap_or_default(),
        },
    )
}

fn is_actor(event: &Kept, part: &str) -> bool {
    let [id, name, email] = event.told.actor.map(show);
    let has = |value: Option<&str>| value.is_some_and(|value| value.to_lowercase().contains(&part.to_lowercase()));
    id == Some(part) || has(name) || has(email)
}

fn has_resource(event: &Kept, value: usize) -> bool {
    event.told.resources.iter().flatten().any(|text| show(*text) == Some(TEXTS[value].0))
}

impl Also {
    pub(super) fn keeps_actor(&self, event: &Kept) -> bool {
        self.actors.as_ref().is_none_or(|parts| parts.iter().any(|part| is_actor(event, part)))
    }

    /// Whether one resource, of these three texts, is asked for.
    pub(super) fn keeps_resource(&self, texts: [Option<usize>; 3]) -> bool {
        let is = |value: &usize| texts.iter().any(|text| show(*text) == Some(TEXTS[*value].0));
        self.resources.as_ref().is_none_or(|values| values.iter().any(is))
    }

    pub(super) const fn asks_for_resources(&self) -> bool {
        self.resources.is_some()
    }

    pub(super) fn leaves_out(&self, event: &Kept) -> bool {
        let [ip, _, _, source, _] = event.told.texts.map(show);
        self.not_actors.iter().any(|part| is_actor(event, part))
            || self.not_resources.iter().any(|value| has_resource(event, *value))
            || event.outcome.is_some_and(|outcome| self.not_outcomes.contains(&outcome))
            || self.not_ips.iter().any(|i| Some(TEXTS[*i].0) == ip)
            || self.not_sources.iter().any(|i| Some(TEXTS[*i].0) == source)
            || self.not_words.iter().any(|token| finds(&[*token], event))
    }

    /// Adds it to the service's own filter.
    pub(super) fn add_to(&self, filter: Filter, search: impl Fn(&str) -> Search) -> Filter {
        let texts = |list: &[usize]| list.iter().map(|i| TEXTS[*i].0.to_owned()).collect::<Vec<_>>();
        let parts = |list: &[&str]| list.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        Filter {
            actors: self.actors.as_deref().map(parts),
            resources: self.resources.as_deref().map(texts),
            not_actors: parts(&self.not_actors),
            not_resources: texts(&self.not_resources),
            not_outcomes: self.not_outcomes.clone(),
            not_ip_addresses: texts(&self.not_ips),
            not_sources: texts(&self.not_sources),
            not_words: self.not_words.iter().map(|token| search(&token.asked())).collect(),
            ..filter
        }
    }

    /// Adds it to the filter that a client sends.
    pub(super) fn send(&self, filter: &mut Value) {
        let texts = |list: &[usize]| list.iter().map(|i| TEXTS[*i].0).collect::<Vec<_>>();
        filter["actor"]["anyContains"] = json!(self.actors);
        filter["resource"]["anyIs"] = json!(self.resources.as_deref().map(texts));
        let not = &mut filter["not"];
        not["actors"] = json!(self.not_actors);
        not["resources"] = json!(texts(&self.not_resources));
        not["outcomes"] = json!(self.not_outcomes.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>());
        not["ipAddresses"] = json!(texts(&self.not_ips));
        not["sources"] = json!(texts(&self.not_sources));
        not["words"] = json!(self.not_words.iter().map(|token| token.asked()).collect::<Vec<_>>());
    }
}
