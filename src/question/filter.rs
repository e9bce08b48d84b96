//! The filter: one validated value, read as index clauses by the store and as a predicate by whoever holds an event.

use chrono_tz::Tz;

pub use super::clause::{Clause, Term};
use super::{
    period::{self, Period},
    search::Search,
    sought::Tested,
};
use crate::{
    error::{Error, Result},
    event::{
        ActorKind, Event, Outcome, Timestamp,
        terms::{self, Text},
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

fn resource_is(resource: &crate::event::Resource, value: &String) -> bool {
    [&resource.kind, &resource.id, &resource.name].into_iter().flatten().any(|one| one == value)
}

/// Whether a text contains a part, case ignored. Every character is a plain one.
fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
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
