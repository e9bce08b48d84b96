//! The answers: what is kept of an event, and loops over all of them.

use std::collections::{BTreeMap, BTreeSet};

use ledgerline::event::{Outcome, Timestamp};

use super::{
    Asked, Dates, Kept, Leaf, Name, Token, Told, When, Without,
    vocabulary::{ACTION_LABELS, CATEGORY_LABELS, LOGS, PHRASES, RUNS, SECOND, TEXTS, WORDS, chains, show},
};

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

    pub(super) fn action(&self) -> &'static str {
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
        values.extend(told.actor.into_iter().chain([told.on_behalf_of]).flatten().map(words));
        values.extend(told.resources.iter().flatten().copied().flatten().map(words));
        values.extend(told.texts[..2].iter().copied().flatten().map(words));
        values.extend(told.metadata.iter().map(|leaf| match leaf {
            Leaf::Text(i) => words(*i),
            Leaf::Json(_, words) => words,
        }));
        // Keys of metadata, each by itself.
        let keys = [&["login0"][..], &["login1"], &["login2"], &["login3"]];
        values.extend(&keys[..told.metadata.len()]);
        values.extend((told.metadata.len() > 1).then_some(&["x"][..]));
        values
    }

    /// What hangs together in its texts.
    fn chains(&self) -> impl Iterator<Item = &'static [&'static str]> {
        let told = &self.told;
        let mut texts = vec![TEXTS[told.action].0];
        texts.extend(self.category);
        let actors = told.actor.iter().chain([&told.on_behalf_of]);
        let fields = actors.chain(told.resources.iter().flatten()).chain(&told.texts[..2]);
        texts.extend(fields.copied().flatten().map(|i| TEXTS[i].0));
        texts.extend(told.metadata.iter().map(|leaf| match leaf {
            Leaf::Text(i) => TEXTS[*i].0,
            Leaf::Json(text, _) => text,
        }));
        texts.into_iter().flat_map(chains).copied()
    }

    /// Place in the order of time: events of one microsecond stand in the order of recording.
    fn time(&self) -> (i64, i64) {
        (self.occurred_ns.div_euclid(1_000), self.sequence)
    }

    /// Who acted: what tells them from others, and all that the event says of them.
    fn actor(&self) -> [Who; 2] {
        let [id, name, email] = self.told.actor.map(show);
        let kind = self.told.kind.as_str();
        let key = match (id, email) {
            (Some(id), _) => (kind, Some(id), None, None),
            (None, Some(email)) => (kind, None, None, Some(email)),
            (None, None) => (kind, None, name, None),
        };
        [key, (kind, id, name, email)]
    }
}

/// Kind, id, name and e-mail address.
type Who = (&'static str, Option<&'static str>, Option<&'static str>, Option<&'static str>);

impl Name {
    fn fits(self, action: &str) -> bool {
        let (stem, beginning) = self.stem();
        if beginning { action.starts_with(&stem) } else { action == stem }
    }
}

/// Whether words stand side by side among others; the last may be the beginning of one.
pub(super) fn side_by_side(words: &[&str], prefix: bool, others: &[&str]) -> bool {
    let last = words.len() - 1;
    let fits = |place: usize, other: &str| match is_japanese(words[place]) {
        true if last == 0 => other.contains(words[place]),
        true if place == 0 => other.ends_with(words[place]),
        true if place == last => other.starts_with(words[place]),
        _ if prefix && place == last => other.starts_with(words[place]),
        _ => other == words[place],
    };
    others.windows(words.len()).any(|window| window.iter().enumerate().all(|(place, other)| fits(place, other)))
}

fn is_japanese(word: &str) -> bool {
    word.starts_with(['日', '本', '語', 'テ'])
}

impl Token {
    /// Its words, the last of which may be a beginning.
    fn words(self) -> (Vec<String>, bool) {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Word(i) => (owned(&[WORDS[i].1]), false),
            Self::Prefix(i, n) => (vec![WORDS[i].1.chars().take(n).collect()], true),
            Self::Phrase(i) => (owned(PHRASES[i].1), false),
            Self::Run(i) => (owned(RUNS[i].words), RUNS[i].prefix),
        }
    }

    /// Whether the texts of an event have it.
    fn is_in(self, event: &Kept) -> bool {
        let (words, prefix) = self.words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let hangs_together = |chain: &&[&str]| {
            let ends = RUNS.iter().any(|run| run.prefix && run.chains.contains(chain));
            event.chains().any(|each| side_by_side(chain, ends, each))
        };
        // In quotes, what has no blank is one thing as without them.
        let chains: &[&[&str]] = match self {
            Self::Run(i) => RUNS[i].chains,
            Self::Phrase(i) if PHRASES[i].0 == "User.Login" => &[&["user", "login"]],
            _ => &[],
        };
        event.values().iter().any(|value| side_by_side(&words, prefix, value)) && chains.iter().all(hangs_together)
    }

    fn is_quoted(self) -> bool {
        matches!(self, Self::Phrase(_))
    }
}

/// All that some tokens say, and whether the last word is a beginning.
fn all_words(tokens: &[Token]) -> (Vec<String>, bool) {
    let prefix = tokens.last().is_some_and(|token| token.words().1);
    (tokens.iter().flat_map(|token| token.words().0).collect(), prefix)
}

/// Whether an event has what is searched for: neighbouring tokens that stand side by side in a label count together.
pub(super) fn finds(mut tokens: &[Token], event: &Kept) -> bool {
    let is_in = |label: &[&str], tokens: &[Token]| {
        let (words, prefix) = all_words(tokens);
        side_by_side(&words.iter().map(String::as_str).collect::<Vec<_>>(), prefix, label)
    };
    let own_label = |tokens: &[Token]| {
        ACTION_LABELS.iter().any(|(name, label)| *name == event.action() && is_in(label, tokens))
            || CATEGORY_LABELS.iter().any(|(name, label)| Some(*name) == event.category && is_in(label, tokens))
    };
    let some_label =
        |tokens: &[Token]| ACTION_LABELS.iter().chain(&CATEGORY_LABELS).any(|(_, label)| is_in(label, tokens));
    while !tokens.is_empty() {
        let mut together = 1;
        while together < tokens.len()
            && !tokens[..=together].iter().any(|token| token.is_quoted())
            && !tokens[together - 1].words().1
            && some_label(&tokens[..=together])
        {
            together += 1;
        }
        let (unit, rest) = tokens.split_at(together);
        // A whole label is asked for alone.
        let (words, _) = all_words(unit);
        let is_whole = |(_, label): &(&str, &[&str])| together > 1 && words.len() == label.len() && is_in(label, unit);
        let whole = |table: &[(&str, &[&str])], name: Option<&str>| {
            table.iter().any(|each| is_whole(each) && name.is_none_or(|name| each.0 == name))
        };
        if whole(&ACTION_LABELS, None) || whole(&CATEGORY_LABELS, None) {
            if !whole(&ACTION_LABELS, Some(event.action()))
                && !event.category.is_some_and(|c| whole(&CATEGORY_LABELS, Some(c)))
            {
                return false;
            }
        } else if !own_label(unit) && !unit.iter().all(|token| token.is_in(event)) {
            return false;
        }
        tokens = rest;
    }
    true
}

impl Asked {
    /// Whether an event is kept, log and search included.
    pub fn keeps(&self, event: &Kept, without: Without) -> bool {
        let in_log = match (self.log, self.nested.unwrap_or(false)) {
            (None | Some(0), true) => true,
            (None | Some(0), false) => event.told.log == 0,
            (Some(log), _) => event.told.log == log,
        };
        in_log && self.filter_keeps(event, without)
    }

    pub(super) fn filter_keeps(&self, event: &Kept, without: Without) -> bool {
        let told = &event.told;
        let one_of = |list: &Option<Vec<usize>>, value: Option<&str>| {
            list.as_ref().is_none_or(|list| value.is_some_and(|value| list.iter().any(|&i| TEXTS[i].0 == value)))
        };
        let part_of = |part: Option<&str>, value: Option<&str>| {
            part.is_none_or(|part| value.is_some_and(|value| value.to_lowercase().contains(&part.to_lowercase())))
        };
        let [id, name, email] = told.actor.map(show);
        let [ip, _, correlation, source, source_id] = told.texts.map(show);
        let [
            categories,
            ids,
            names,
            emails,
            types,
            resource_ids,
            resource_names,
            ips,
            correlations,
            sources,
            source_ids,
        ] = &self.lists;
        let actor = without == Without::Actors
            || self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&told.kind))
                && one_of(ids, id)
                && one_of(names, name)
                && part_of(self.name_contains, name)
                && one_of(emails, email)
                && part_of(self.email_contains, email)
                && self.also.keeps_actor(event)
                && self.present.is_none_or(|present| present == (id.is_some() || name.is_some() || email.is_some()));
        let resource = without == Without::Resources
            || types.is_none() && resource_ids.is_none() && resource_names.is_none() && !self.also.asks_for_resources()
            || told.resources.iter().any(|&[kind, id, name]| {
                self.also.keeps_resource([kind, id, name])
                    && one_of(types, show(kind))
                    && one_of(resource_ids, show(id))
                    && one_of(resource_names, show(name))
            });
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
            && (without == Without::IpAddresses || one_of(ips, ip))
            && one_of(correlations, correlation)
            && (without == Without::Sources || one_of(sources, source))
            && one_of(source_ids, source_id)
            && self.truncated.is_none_or(|truncated| truncated != told.truncated().is_empty())
            && dates
            && !self.not.0.iter().any(|&i| Some(TEXTS[i].0) == event.category)
            && !self.not.1.iter().any(|name| name.fits(event.action()))
            && !self.not.2.contains(&told.kind)
            && !self.not.3.iter().any(|&i| Some(TEXTS[i].0) == id)
            && !self.also.leaves_out(event)
            && finds(&self.search, event)
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

    /// The facets: values (of actors, all that the newest event of theirs says) and counts, and days of a zone so many
    /// seconds east.
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
        let newest = |key: Who| {
            let of_them = events.iter().filter(|event| self.keeps(event, Without::Actors) && event.actor()[0] == key);
            of_them.max_by_key(|event| event.time()).expect("it has an event").actor()[1]
        };
        count("actors", Without::Actors, &|event| Some(format!("{:?}", newest(event.actor()[0]))));
        count("logs", Without::Nothing, &|event| Some(LOGS[event.told.log].to_owned()));
        count("ipAddresses", Without::IpAddresses, &|event| show(event.told.texts[0]).map(str::to_owned));
        count("sources", Without::Sources, &|event| show(event.told.texts[3]).map(str::to_owned));
        count("outcomes", Without::Outcomes, &|event| event.outcome.map(|o| o.as_str().to_owned()));
        let types = |event: &Kept| {
            event.told.resources.iter().filter_map(|resource| show(resource[0])).collect::<BTreeSet<_>>()
        };
        count("resourceTypes", Without::Resources, &|_| None);
        for of_all in events.iter().flat_map(types).collect::<BTreeSet<_>>() {
            count("resourceTypes", Without::Resources, &|event| types(event).take(of_all).map(str::to_owned));
        }
        count("days", Without::Nothing, &|event| {
            Some(Timestamp(event.occurred_ns + east * SECOND).to_string()[..10].to_owned())
        });
        facets
    }
}
