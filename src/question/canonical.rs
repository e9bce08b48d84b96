//! The filter as it was asked for, in a written form: what a cursor is bound to.

use super::{
    filter::{Filter, Pattern},
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
            actor_present,
            resource_types,
            resource_ids,
            resource_names,
            ip_addresses,
            correlation_ids,
            sources,
            source_event_ids,
            truncated,
            masked,
            from,
            to,
            period,
            not_categories,
            not_actions,
            not_actor_kinds,
            not_actor_ids,
            search,
        } = self;
        let actor = Object::default()
            .text("emailContains", actor_email_contains.as_deref())
            .with("emails", texts(actor_emails))
            .with("ids", texts(actor_ids))
            .with("kinds", actor_kinds.as_ref().map(|kinds| set(kinds.iter().copied().map(kind))))
            .text("nameContains", actor_name_contains.as_deref())
            .with("names", texts(actor_names))
            .with("present", actor_present.as_ref().map(bool::to_string));
        let resource = Object::default()
            .with("ids", texts(resource_ids))
            .with("names", texts(resource_names))
            .with("types", texts(resource_types));
        let not = Object::default()
            .with("actions", unless_empty(not_actions).map(|actions| set(actions.iter().map(pattern))))
            .with("actorIds", unless_empty(not_actor_ids).map(|ids| set(ids.iter().map(|id| string(id)))))
            .with("actorKinds", unless_empty(not_actor_kinds).map(|kinds| set(kinds.iter().copied().map(kind))))
            .with("categories", unless_empty(not_categories).map(|codes| set(codes.iter().map(|code| string(code)))));
        let from = from.filter(|_| period.is_none());
        let occurred_at = Object::default().with("from", from.map(instant)).with("to", to.map(instant));
        let period = period.map(|Period { preset, zone }| {
            Object::default().text("preset", Some(preset.as_str())).text("timeZone", Some(zone.name())).finish()
        });
        let outcome = |outcome: &Outcome| string(outcome.as_str());
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
