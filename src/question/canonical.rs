//! The filter as it was asked for, in a written form: what a cursor is bound to.

use super::{
    filter::{Filter, Moving, Pattern},
    period::Period,
};
use crate::event::{
    ActorKind, Outcome, Timestamp,
    json::canonical::{Object, list, string},
};

impl Filter {
    /// The filter in the form of `tests/vectors/README.md`, with the names that clients write; `None` if it keeps
    /// everything. What is absent writes nothing, and a list is a set: neither its order nor a value that stands in it
    /// twice counts. Of a period, only the period counts; of a search, only its text.
    #[must_use]
    pub fn canonical(&self) -> Option<String> {
        // Every field by name, so that a new one cannot be forgotten here.
        let Self {
            categories,
            actions,
            outcomes,
            actor_kinds,
            actor_ids,
            actor_names,
            actor_name_contains,
            actor_emails,
            actor_email_contains,
            actors,
            actor_present,
            resource_types,
            resource_ids,
            resource_names,
            resources,
            ip_addresses,
            correlation_ids,
            sources,
            source_event_ids,
            truncated,
            masked,
            from,
            to,
            period,
            moving_from,
            moving_to,
            not_categories,
            not_actions,
            not_actor_kinds,
            not_actor_ids,
            not_outcomes,
            not_actors,
            not_resources,
            not_ip_addresses,
            not_sources,
            search,
            not_words,
        } = self;
        let actor = Object::default()
            .with("anyContains", texts(actors))
            .text("emailContains", actor_email_contains.as_deref())
            .with("emails", texts(actor_emails))
            .with("ids", texts(actor_ids))
            .with("kinds", actor_kinds.as_ref().map(|kinds| set(kinds.iter().copied().map(kind))))
            .text("nameContains", actor_name_contains.as_deref())
            .with("names", texts(actor_names))
            .with("present", actor_present.as_ref().map(bool::to_string));
        let resource = Object::default()
            .with("anyIs", texts(resources))
            .with("ids", texts(resource_ids))
            .with("names", texts(resource_names))
            .with("types", texts(resource_types));
        let outcome = |outcome: &Outcome| string(outcome.as_str());
        let not = Object::default()
            .with("actions", unless_empty(not_actions).map(|actions| set(actions.iter().map(pattern))))
            .with("actorIds", all(not_actor_ids))
            .with("actorKinds", unless_empty(not_actor_kinds).map(|kinds| set(kinds.iter().copied().map(kind))))
            .with("actors", all(not_actors))
            .with("categories", all(not_categories))
            .with("ipAddresses", all(not_ip_addresses))
            .with("outcomes", unless_empty(not_outcomes).map(|outcomes| set(outcomes.iter().map(outcome))))
            .with("resources", all(not_resources))
            .with("sources", all(not_sources))
            .with("words", unless_empty(not_words).map(|words| set(words.iter().map(|search| string(&search.text)))));
        let from = from.filter(|_| period.is_none()).map(instant);
        let occurred_at = Object::default()
            .with("from", moving_from.as_ref().map(moving).or(from))
            .with("to", moving_to.as_ref().map(moving).or(to.map(instant)));
        let period = period.map(|Period { preset, zone }| {
            Object::default().text("preset", Some(preset.as_str())).text("timeZone", Some(zone.name())).finish()
        });
        Object::default()
            .with("actions", actions.as_ref().map(|actions| set(actions.iter().map(pattern))))
            .with("actor", actor.finish_if_any())
            .with("categories", texts(categories))
            .with("correlationIds", texts(correlation_ids))
            .with("ipAddresses", texts(ip_addresses))
            .with("masked", masked.as_ref().map(bool::to_string))
            .with("not", not.finish_if_any())
            .with("occurredAt", occurred_at.finish_if_any())
            .with("outcomes", outcomes.as_ref().map(|outcomes| set(outcomes.iter().map(outcome))))
            .with("period", period)
            .with("resource", resource.finish_if_any())
            .text("search", Some(search.text.as_str()).filter(|text| !text.is_empty()))
            .with("sourceEventIds", texts(source_event_ids))
            .with("sources", texts(sources))
            .with("truncated", truncated.as_ref().map(bool::to_string))
            .finish_if_any()
    }
}

/// Values, each once, in the order of their bytes.
fn set(values: impl Iterator<Item = String>) -> String {
    list(values.collect::<std::collections::BTreeSet<_>>())
}

fn texts(values: &Option<Vec<String>>) -> Option<String> {
    values.as_ref().map(|values| set(values.iter().map(|value| string(value))))
}

fn all(values: &[String]) -> Option<String> {
    unless_empty(values).map(|values| set(values.iter().map(|value| string(value))))
}

/// An end that moves is written as it was asked for.
fn moving(end: &Moving) -> String {
    Object::default().text("asked", Some(&end.text)).text("timeZone", end.zone.map(chrono_tz::Tz::name)).finish()
}

fn unless_empty<T>(values: &[T]) -> Option<&[T]> {
    (!values.is_empty()).then_some(values)
}

/// A name is a string, the beginning of names an object.
fn pattern(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Exact(name) => string(name),
        Pattern::Prefix(stem) => Object::default().text("prefix", Some(stem)).finish(),
    }
}

fn kind(kind: ActorKind) -> String {
    string(kind.as_str())
}

fn instant(at: Timestamp) -> String {
    string(&at.to_string())
}
