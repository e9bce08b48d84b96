//! The filter: one validated value, read as index clauses by the store and as a predicate by whoever holds an event.

use std::collections::BTreeMap;

use chrono_tz::Tz;

pub use super::clause::{Clause, Term};
use super::{
    period::{self, Period},
    search::Search,
    sought::{Sought, Tested},
};
use crate::{
    error::{Error, Result},
    event::{
        ActorKind, Event, Outcome, Timestamp,
        terms::{self, TermKind, Text},
    },
};

/// What to keep. Lists are OR inside and AND between; an empty list keeps nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Category codes.
    pub categories: Option<Vec<String>>,
    /// Action names and prefixes.
    pub actions: Option<Vec<Pattern>>,
    /// Outcomes.
    pub outcomes: Option<Vec<Outcome>>,
    /// Actor kinds.
    pub actor_kinds: Option<Vec<ActorKind>>,
    /// Actor ids.
    pub actor_ids: Option<Vec<String>>,
    /// Actor names, exactly.
    pub actor_names: Option<Vec<String>>,
    /// A part of the actor's name, case ignored.
    pub actor_name_contains: Option<String>,
    /// Actor e-mails, exactly.
    pub actor_emails: Option<Vec<String>>,
    /// A part of the actor's e-mail, case ignored.
    pub actor_email_contains: Option<String>,
    /// Actors by their id, or a part of name or e-mail address, case ignored.
    pub actors: Option<Vec<String>>,
    /// Whether anything is known of the actor.
    pub actor_present: Option<bool>,
    /// Resource types.
    pub resource_types: Option<Vec<String>>,
    /// Resource ids.
    pub resource_ids: Option<Vec<String>>,
    /// Resource names.
    pub resource_names: Option<Vec<String>>,
    /// Resources by type, id or name.
    pub resources: Option<Vec<String>>,
    /// Addresses.
    pub ip_addresses: Option<Vec<String>>,
    /// Correlation ids.
    pub correlation_ids: Option<Vec<String>>,
    /// Sources.
    pub sources: Option<Vec<String>>,
    /// The sources' own event ids.
    pub source_event_ids: Option<Vec<String>>,
    /// Whether something of the event was cut or replaced.
    pub truncated: Option<bool>,
    /// Whether something of the event was masked.
    pub masked: Option<bool>,
    /// First instant.
    pub from: Option<Timestamp>,
    /// Instant after the last.
    pub to: Option<Timestamp>,
    /// The period that `from` was made from, as asked.
    pub period: Option<Period>,
    /// What `from` was made from, where it is another instant later.
    pub moving_from: Option<Moving>,
    /// What `to` was made from, where it is another instant later.
    pub moving_to: Option<Moving>,
    /// Category codes to leave out.
    pub not_categories: Vec<String>,
    /// Actions to leave out.
    pub not_actions: Vec<Pattern>,
    /// Actor kinds to leave out.
    pub not_actor_kinds: Vec<ActorKind>,
    /// Actor ids to leave out.
    pub not_actor_ids: Vec<String>,
    /// Outcomes to leave out; an event that has none is kept.
    pub not_outcomes: Vec<Outcome>,
    /// Actors to leave out, by their id, or a part of name or e-mail address, case ignored.
    pub not_actors: Vec<String>,
    /// Resources to leave out, by type, id or name.
    pub not_resources: Vec<String>,
    /// Addresses to leave out.
    pub not_ip_addresses: Vec<String>,
    /// Sources to leave out.
    pub not_sources: Vec<String>,
    /// What to search for.
    pub search: Search,
    /// Searches whose events are left out.
    pub not_words: Vec<Search>,
}

/// An end of a range as it was asked for, where its instant moves with the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moving {
    /// Its text in the query, such as `15m`.
    pub text: String,
    /// Whose days, where it is one.
    pub zone: Option<Tz>,
}

/// An action name or the beginning of some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// This name.
    Exact(String),
    /// Names that start so.
    Prefix(String),
}

impl Pattern {
    /// Reads a pattern: a trailing `*` is a prefix, `\*` a star.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(stem) if !stem.ends_with('\\') => Self::Prefix(stem.replace("\\*", "*")),
            _ => Self::Exact(text.replace("\\*", "*")),
        }
    }

    /// Whether a name fits.
    #[must_use]
    pub fn matches(&self, action: &str) -> bool {
        match self {
            Self::Exact(name) => action == name,
            Self::Prefix(stem) => action.starts_with(stem.as_str()),
        }
    }
}

/// A dimension of the filter that a facet leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// `categories`.
    Category,
    /// `actions`.
    Action,
    /// `actor`.
    Actor,
    /// `resource`.
    Resource,
    /// `ipAddresses`.
    IpAddress,
    /// `sources`.
    Source,
    /// `outcomes`.
    Outcome,
}

/// Names and e-mail addresses of actors.
type NamesAndEmails = (Vec<String>, Vec<String>);

/// What the organization's dictionaries say to a filter.
#[derive(Clone, Debug, Default)]
pub struct Expansion {
    /// Distinct actions of the organization that fit some prefix of the filter.
    pub actions: Vec<String>,
    /// Names that contain the asked part; `None`: too many, test the rows.
    pub names: Option<Vec<String>>,
    /// E-mails that contain the asked part; `None`: too many, test the rows.
    pub emails: Option<Vec<String>>,
    /// By a part that is asked of actors: names and e-mails that contain it; `None`: too many, test the rows.
    pub actors: BTreeMap<String, Option<NamesAndEmails>>,
    /// Whether the index may lack words, because they are being made anew: the rows are tested for all of them.
    pub lacks_words: bool,
}

/// Largest number of (type, id) pairs of one resource filter.
const RESOURCE_PAIRS: usize = 1_000;

impl Filter {
    /// Checks what only the whole filter can tell.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`.
    pub fn check(&self) -> Result<()> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(Error::bad_input(
                "filter.occurredAt",
                format!("from must not be after to, got {from} and {to}"),
            ));
        }
        if let (Some(types), Some(ids)) = (&self.resource_types, &self.resource_ids)
            && types.len() * ids.len() > RESOURCE_PAIRS
        {
            return Err(Error::bad_input(
                "filter.resource",
                format!("types times ids must be at most {RESOURCE_PAIRS}, got {}", types.len() * ids.len()),
            ));
        }
        Ok(())
    }

    /// Whether an end of its time is another instant later.
    #[must_use]
    pub fn moves(&self) -> bool {
        self.period.is_some() || self.moving_from.is_some() || self.moving_to.is_some()
    }

    /// A moment for which its ends are what they are `now`: the same all day, where it asks for days alone. `None` where they
    /// do not move.
    #[must_use]
    pub fn anchor(&self, now: Timestamp) -> Option<Timestamp> {
        let zones = [&self.moving_from, &self.moving_to].into_iter().flatten().map(|end| end.zone);
        let mut zones = zones.chain(self.period.map(|period| Some(period.zone))).peekable();
        zones.peek()?;
        let day = |zone: Option<Tz>| zone.map(|zone| period::day_start(period::day_of(now, zone), zone));
        zones.map(|zone| day(zone).unwrap_or(now)).max()
    }

    /// The same filter without one dimension.
    #[must_use]
    pub fn without(&self, dimension: Dimension) -> Self {
        let mut filter = self.clone();
        match dimension {
            Dimension::Category => filter.categories = None,
            Dimension::Action => filter.actions = None,
            Dimension::Outcome => filter.outcomes = None,
            Dimension::Actor => {
                filter.actor_kinds = None;
                filter.actor_ids = None;
                filter.actor_names = None;
                filter.actor_name_contains = None;
                filter.actor_emails = None;
                filter.actor_email_contains = None;
                filter.actors = None;
                filter.actor_present = None;
            }
            Dimension::Resource => {
                filter.resource_types = None;
                filter.resource_ids = None;
                filter.resource_names = None;
                filter.resources = None;
            }
            Dimension::IpAddress => filter.ip_addresses = None,
            Dimension::Source => filter.sources = None,
        }
        filter
    }

    /// Whether some part must be expanded through the organization's actions.
    #[must_use]
    pub fn has_action_prefix(&self) -> bool {
        self.actions.iter().flatten().chain(&self.not_actions).any(|p| matches!(p, Pattern::Prefix(_)))
    }

    /// The parts that are asked of actors, whatever it is that has them.
    pub fn actor_parts(&self) -> impl Iterator<Item = &String> {
        self.actors.iter().flatten().chain(&self.not_actors)
    }

    /// The filter as index clauses: all must hold. Dates, where words of a phrase stand, an unexpanded part of a name or
    /// e-mail address, and that a name is of the same resource as its type and id, are not in them.
    #[must_use]
    pub fn clauses(&self, expansion: &Expansion) -> Vec<Clause> {
        let mut clauses = Vec::new();
        let mut any = |any: Option<Vec<Term>>| clauses.extend(any.map(|any| Clause { any, none: false }));
        any(exact_terms(TermKind::Category, self.categories.as_deref()));
        any(self.actions.as_deref().map(|patterns| action_terms(patterns, expansion)));
        any(self.outcomes.as_ref().map(|list| list.iter().map(|o| numbered(TermKind::Outcome, o.number())).collect()));
        any(self
            .actor_kinds
            .as_ref()
            .map(|list| list.iter().map(|k| numbered(TermKind::ActorKind, k.number())).collect()));
        any(exact_terms(TermKind::ActorId, self.actor_ids.as_deref()));
        any(exact_terms(TermKind::ActorName, self.actor_names.as_deref()));
        if self.actor_name_contains.is_some() {
            any(exact_terms(TermKind::ActorName, expansion.names.as_deref()));
        }
        any(exact_terms(TermKind::ActorEmail, self.actor_emails.as_deref()));
        if self.actor_email_contains.is_some() {
            any(exact_terms(TermKind::ActorEmail, expansion.emails.as_deref()));
        }
        if let Some(actors) = &self.actors {
            any(actors
                .iter()
                .map(|part| actors_terms(part, expansion))
                .collect::<Option<Vec<_>>>()
                .map(|all| all.concat()));
        }
        any(self.actor_present.map(|present| vec![term(TermKind::ActorPresence, terms::presence(present))]));
        match (&self.resource_types, &self.resource_ids) {
            (Some(types), Some(ids)) => {
                let pairs = types.iter().flat_map(|t| ids.iter().map(move |id| Term::Exact(terms::resource(t, id))));
                any(Some(pairs.collect()));
            }
            (types, ids) => {
                any(exact_terms(TermKind::ResourceType, types.as_deref()));
                any(exact_terms(TermKind::ResourceId, ids.as_deref()));
            }
        }
        any(exact_terms(TermKind::ResourceName, self.resource_names.as_deref()));
        any(self.resources.as_deref().map(resources_terms));
        any(exact_terms(TermKind::IpAddress, self.ip_addresses.as_deref()));
        any(exact_terms(TermKind::CorrelationId, self.correlation_ids.as_deref()));
        any(exact_terms(TermKind::Source, self.sources.as_deref()));
        any(exact_terms(TermKind::SourceEventId, self.source_event_ids.as_deref()));
        if self.truncated == Some(true) {
            any(Some(vec![Term::Exact(terms::truncated())]));
        }
        if self.masked == Some(true) {
            any(Some(vec![Term::Exact(terms::masked())]));
        }
        for sought in self.search.all.iter().filter(|_| !expansion.lacks_words) {
            let labelled = label_terms(sought);
            for own in sought.terms() {
                any(Some(own.into_iter().chain(labelled.iter().cloned()).collect()));
            }
        }
        let mut none = |any: Vec<Term>| {
            if !any.is_empty() {
                clauses.push(Clause { any, none: true });
            }
        };
        none(exact_terms(TermKind::Category, Some(&self.not_categories)).unwrap_or_default());
        none(action_terms(&self.not_actions, expansion));
        none(self.not_actor_kinds.iter().map(|k| numbered(TermKind::ActorKind, k.number())).collect());
        none(exact_terms(TermKind::ActorId, Some(&self.not_actor_ids)).unwrap_or_default());
        none(self.not_outcomes.iter().map(|o| numbered(TermKind::Outcome, o.number())).collect());
        none(self.not_actors.iter().filter_map(|part| actors_terms(part, expansion)).flatten().collect());
        none(resources_terms(&self.not_resources));
        none(exact_terms(TermKind::IpAddress, Some(&self.not_ip_addresses)).unwrap_or_default());
        none(exact_terms(TermKind::Source, Some(&self.not_sources)).unwrap_or_default());
        for terms in self.not_words.iter().filter(|_| !expansion.lacks_words).filter_map(told_by_terms) {
            none(terms);
        }
        if self.truncated == Some(false) {
            none(vec![Term::Exact(terms::truncated())]);
        }
        if self.masked == Some(false) {
            none(vec![Term::Exact(terms::masked())]);
        }
        clauses
    }

    /// Whether the clauses alone do not decide: words that are being made anew, what the index does not tell of a search, a part of a name or
    /// e-mail address that too many have, or a resource's name together with its type or id.
    #[must_use]
    pub fn needs_rows(&self, expansion: &Expansion) -> bool {
        self.search.all.iter().any(Sought::needs_rows)
            || self.not_words.iter().any(|search| told_by_terms(search).is_none())
            || (expansion.lacks_words && !(self.search.is_empty() && self.not_words.is_empty()))
            || (self.actor_name_contains.is_some() && expansion.names.is_none())
            || (self.actor_email_contains.is_some() && expansion.emails.is_none())
            || self.actor_parts().any(|part| actors_terms(part, expansion).is_none())
            || (self.resource_names.is_some() && (self.resource_types.is_some() || self.resource_ids.is_some()))
            || (self.resources.is_some()
                && (self.resource_types.is_some() || self.resource_ids.is_some() || self.resource_names.is_some()))
    }

    /// Whether only time, category, action and outcome are asked: what exact counts are kept of.
    #[must_use]
    pub fn is_countable(&self) -> bool {
        *self
            == Self {
                from: self.from,
                to: self.to,
                period: self.period,
                moving_from: self.moving_from.clone(),
                moving_to: self.moving_to.clone(),
                categories: self.categories.clone(),
                actions: self.actions.clone(),
                outcomes: self.outcomes.clone(),
                not_categories: self.not_categories.clone(),
                not_actions: self.not_actions.clone(),
                not_outcomes: self.not_outcomes.clone(),
                ..Self::default()
            }
    }

    /// Whether a countable filter keeps events of this action, category and outcome.
    #[must_use]
    pub fn keeps_kind(&self, action: &str, category: Option<&str>, outcome: Option<Outcome>) -> bool {
        let has = |list: &[String]| category.is_some_and(|c| list.iter().any(|each| each == c));
        self.categories.as_ref().is_none_or(|list| has(list))
            && self.actions.as_ref().is_none_or(|list| list.iter().any(|p| p.matches(action)))
            && self.outcomes.as_ref().is_none_or(|list| outcome.is_some_and(|o| list.contains(&o)))
            && !has(&self.not_categories)
            && !self.not_actions.iter().any(|p| p.matches(action))
            && !outcome.is_some_and(|o| self.not_outcomes.contains(&o))
    }

    /// The pure predicate: whether an event is kept. Logs are the store's business.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        let actor = &event.actor;
        let one_of = |list: &Option<Vec<String>>, value: &Option<String>| {
            list.as_ref().is_none_or(|list| value.as_ref().is_some_and(|value| list.contains(value)))
        };
        let has_part = |part: &Option<String>, value: &Option<String>| {
            part.as_ref().is_none_or(|part| value.as_ref().is_some_and(|value| contains(value, part)))
        };
        let resource_fits = |resource: &crate::event::Resource| {
            one_of(&self.resource_types, &resource.kind)
                && one_of(&self.resource_ids, &resource.id)
                && one_of(&self.resource_names, &resource.name)
                && self.resources.as_ref().is_none_or(|list| list.iter().any(|value| resource_is(resource, value)))
        };
        let any_resource = self.resource_types.is_none()
            && self.resource_ids.is_none()
            && self.resource_names.is_none()
            && self.resources.is_none();
        let is_actor = |part: &String| {
            let has = |value: &Option<String>| value.as_ref().is_some_and(|value| contains(value, part));
            actor.id.as_ref() == Some(part) || has(&actor.name) || has(&actor.email)
        };
        let is_one_of =
            |list: &[String], value: &Option<String>| value.as_ref().is_some_and(|value| list.contains(value));
        self.from.is_none_or(|from| event.occurred_at >= from)
            && self.to.is_none_or(|to| event.occurred_at < to)
            && self.keeps_kind(&event.action, event.category.as_deref(), event.outcome)
            && self.actor_kinds.as_ref().is_none_or(|list| list.contains(&actor.kind))
            && one_of(&self.actor_ids, &actor.id)
            && one_of(&self.actor_names, &actor.name)
            && has_part(&self.actor_name_contains, &actor.name)
            && one_of(&self.actor_emails, &actor.email)
            && has_part(&self.actor_email_contains, &actor.email)
            && self.actors.as_ref().is_none_or(|list| list.iter().any(is_actor))
            && self.actor_present.is_none_or(|present| present == actor.is_present())
            && (any_resource || event.resources.iter().any(resource_fits))
            && one_of(&self.ip_addresses, &event.ip_address)
            && one_of(&self.correlation_ids, &event.correlation_id)
            && one_of(&self.sources, &event.source)
            && one_of(&self.source_event_ids, &event.source_event_id)
            && self.truncated.is_none_or(|truncated| truncated != event.truncated.is_empty())
            && self.masked.is_none_or(|masked| masked != event.masked.is_empty())
            && !self.not_actor_kinds.contains(&actor.kind)
            && !is_one_of(&self.not_actor_ids, &actor.id)
            && !self.not_actors.iter().any(is_actor)
            && !self.not_resources.iter().any(|value| event.resources.iter().any(|each| resource_is(each, value)))
            && !is_one_of(&self.not_ip_addresses, &event.ip_address)
            && !is_one_of(&self.not_sources, &event.source)
            && (self.search.is_empty() || search_matches(&self.search, event))
            && !self.not_words.iter().any(|search| search_matches(search, event))
    }
}

/// Whether an event has all that a search asks for.
fn search_matches(search: &Search, event: &Event) -> bool {
    let mut missing: Vec<_> = search.all.iter().collect();
    missing.retain(|sought| {
        !sought.actions.iter().any(|action| event.action == **action)
            && !event.category.as_ref().is_some_and(|c| sought.categories.contains(c))
    });
    terms::searched_texts(event, |kind, text| {
        if missing.is_empty() {
            return;
        }
        let text = match kind {
            Text::Key => Tested::key(text),
            Text::Value => Tested::value(text),
        };
        missing.retain(|sought| !sought.is_in(&text));
    });
    missing.is_empty()
}

/// The terms of which an event has one exactly if a search finds it; `None` where its terms alone do not tell.
fn told_by_terms(search: &Search) -> Option<Vec<Term>> {
    let [sought] = search.all.as_slice() else { return None };
    let [own] = <[_; 1]>::try_from(sought.terms()).ok().filter(|_| !sought.needs_rows())?;
    Some(own.into_iter().chain(label_terms(sought)).collect())
}

/// The terms of actions and categories that count because of their label.
fn label_terms(sought: &Sought) -> Vec<Term> {
    let actions = sought.actions.iter().map(|a| term(TermKind::Action, a));
    actions.chain(sought.categories.iter().map(|c| term(TermKind::Category, c))).collect()
}

/// The terms of actors who have a part; `None` where they are too many for the index.
fn actors_terms(part: &String, expansion: &Expansion) -> Option<Vec<Term>> {
    let (names, emails) = expansion.actors.get(part)?.as_ref()?;
    let named = names.iter().map(|name| term(TermKind::ActorName, name));
    let mailed = emails.iter().map(|email| term(TermKind::ActorEmail, email));
    Some(std::iter::once(term(TermKind::ActorId, part)).chain(named).chain(mailed).collect())
}

/// The terms of resources of which a value is type, id or name.
fn resources_terms(values: &[String]) -> Vec<Term> {
    let kinds = [TermKind::ResourceType, TermKind::ResourceId, TermKind::ResourceName];
    values.iter().flat_map(|value| kinds.map(|kind| term(kind, value))).collect()
}

fn resource_is(resource: &crate::event::Resource, value: &String) -> bool {
    [&resource.kind, &resource.id, &resource.name].into_iter().flatten().any(|one| one == value)
}

/// Whether a text contains a part, case ignored. Every character is a plain one.
fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

fn term(kind: TermKind, value: &str) -> Term {
    Term::Exact(terms::exact(kind, value))
}

fn numbered(kind: TermKind, number: i16) -> Term {
    Term::Exact(terms::numbered(kind, number.into()))
}

fn exact_terms(kind: TermKind, values: Option<&[String]>) -> Option<Vec<Term>> {
    values.map(|values| values.iter().map(|value| term(kind, value)).collect())
}

fn action_terms(patterns: &[Pattern], expansion: &Expansion) -> Vec<Term> {
    let mut any = Vec::new();
    for pattern in patterns {
        match pattern {
            Pattern::Exact(name) => any.push(term(TermKind::Action, name)),
            Pattern::Prefix(_) => {
                any.extend(expansion.actions.iter().filter(|a| pattern.matches(a)).map(|a| term(TermKind::Action, a)));
            }
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_trailing_star_is_a_prefix_and_an_escaped_one_a_star() {
        assert_eq!(Pattern::parse("admin.*"), Pattern::Prefix("admin.".to_owned()));
        assert_eq!(Pattern::parse("a\\*"), Pattern::Exact("a*".to_owned()));
        assert_eq!(Pattern::parse("a*b"), Pattern::Exact("a*b".to_owned()));
        assert_eq!(Pattern::parse("a\\*b*"), Pattern::Prefix("a*b".to_owned()));
        assert_eq!(Pattern::parse("*"), Pattern::Prefix(String::new()));
        assert_eq!(Pattern::parse("%_"), Pattern::Exact("%_".to_owned()));
    }
}
