//! Inputs of reading, and what they are in the words of the core, where they are checked.

use async_graphql::{Enum, InputObject};

use super::{
    enums::{ActorKind, Outcome, all},
    scalars::DateTime,
};
use crate::{
    auth::LogName,
    question::{
        cursor::{Order, OrderField},
        input::{self, FilterInput, RangeInput},
        period::Preset,
    },
};

/// A log by level and id.
#[derive(InputObject, Clone)]
pub struct AuditLogInput {
    /// Name of the level, as in `Product.levels`.
    pub level: String,
    /// The product's own id of the thing that has the log.
    pub id: String,
}

impl From<AuditLogInput> for LogName {
    fn from(log: AuditLogInput) -> Self {
        Self { level: log.level, id: log.id }
    }
}

/// What a list is ordered by.
#[derive(InputObject, Clone, Copy)]
pub struct AuditEventOrder {
    /// Time of the events, or their sequence.
    pub field: AuditEventOrderField,
    /// Which end comes first.
    pub direction: OrderDirection,
}

impl Default for AuditEventOrder {
    fn default() -> Self {
        Self { field: AuditEventOrderField::OccurredAt, direction: OrderDirection::Desc }
    }
}

impl AuditEventOrder {
    /// The order for the store.
    pub fn order(self) -> Order {
        Order {
            field: match self.field {
                AuditEventOrderField::OccurredAt => OrderField::OccurredAt,
                AuditEventOrderField::Sequence => OrderField::Sequence,
            },
            descending: self.direction == OrderDirection::Desc,
        }
    }
}

/// The key of an order.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum AuditEventOrderField {
    /// When things happened: the order for people. A late event appears in its own place.
    OccurredAt,
    /// When they were recorded: the order for programs. Past pages never change.
    Sequence,
}

/// Which end of an order comes first.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum OrderDirection {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

/// Which events to keep. Values of one list are alternatives, fields must all hold, an empty list keeps nothing.
/// Texts compare exactly, case included. At most 100 values a list.
#[derive(InputObject, Clone, Default)]
pub struct AuditEventFilter {
    /// Category codes.
    pub categories: Option<Vec<String>>,
    /// Action names. A trailing `*` makes one a prefix, as in `admin.*`; `\*` is a star.
    pub actions: Option<Vec<String>>,
    /// Outcomes.
    pub outcomes: Option<Vec<Outcome>>,
    /// Who acted.
    pub actor: Option<ActorFilter>,
    /// What was acted on.
    pub resource: Option<ResourceFilter>,
    /// Addresses, as they were sent.
    pub ip_addresses: Option<Vec<String>>,
    /// Correlation ids.
    pub correlation_ids: Option<Vec<String>>,
    /// Systems that events come from.
    pub sources: Option<Vec<String>>,
    /// Those systems' own ids.
    pub source_event_ids: Option<Vec<String>>,
    /// Whether something of the event was cut or replaced, as `AuditEvent.truncated` tells.
    pub truncated: Option<bool>,
    /// Whether something of the event was masked, as `AuditEvent.masked` tells.
    pub masked: Option<bool>,
    /// When it happened. Not together with `period`.
    pub occurred_at: Option<DateTimeRange>,
    /// When it happened, as days of the viewer. Not together with `occurredAt`.
    pub period: Option<PeriodInput>,
    /// Which of the rest to leave out.
    pub not: Option<AuditEventExclusion>,
}

/// Who acted; all given fields must hold.
#[derive(InputObject, Clone, Default)]
pub struct ActorFilter {
    /// Kinds of actor.
    pub kinds: Option<Vec<ActorKind>>,
    /// The product's own ids.
    pub ids: Option<Vec<String>>,
    /// Names, exactly as recorded.
    pub names: Option<Vec<String>>,
    /// A part of the name; case is ignored, every character is a plain one.
    pub name_contains: Option<String>,
    /// E-mail addresses, exactly as recorded.
    pub emails: Option<Vec<String>>,
    /// A part of the e-mail address; case is ignored, every character is a plain one.
    pub email_contains: Option<String>,
    /// Texts of which one is the id, or a part of the name or e-mail address; case is ignored there, every character is a
    /// plain one.
    pub any_contains: Option<Vec<String>>,
    /// Whether an id, a name or an e-mail address is known.
    pub present: Option<bool>,
}

/// What was acted on. With several fields, one resource must have them all.
#[derive(InputObject, Clone, Default)]
pub struct ResourceFilter {
    /// Types of the things.
    pub types: Option<Vec<String>>,
    /// The product's own ids.
    pub ids: Option<Vec<String>>,
    /// Names, exactly as recorded. Together with types or ids, totals and facets are counted up to 10,000 events that
    /// have all of them.
    pub names: Option<Vec<String>>,
    /// Texts of which one is the type, the id or the name, exactly as recorded.
    pub any_is: Option<Vec<String>>,
}

/// What to leave out: an event is dropped when any of these fits it.
#[derive(InputObject, Clone, Default)]
pub struct AuditEventExclusion {
    /// Category codes.
    pub categories: Option<Vec<String>>,
    /// Action names and prefixes, as in `AuditEventFilter.actions`.
    pub actions: Option<Vec<String>>,
    /// Kinds of actor.
    pub actor_kinds: Option<Vec<ActorKind>>,
    /// The product's own ids of actors.
    pub actor_ids: Option<Vec<String>>,
    /// Actors as in `ActorFilter.anyContains`.
    pub actors: Option<Vec<String>>,
    /// Outcomes. An event that has none is kept.
    pub outcomes: Option<Vec<Outcome>>,
    /// Resources as in `ResourceFilter.anyIs`.
    pub resources: Option<Vec<String>>,
    /// Addresses, as they were sent.
    pub ip_addresses: Option<Vec<String>>,
    /// Systems that events come from.
    pub sources: Option<Vec<String>>,
    /// Texts as in `search`: what one of them finds is left out. Totals and facets of a list that leaves out phrases, or
    /// several words together, are counted up to 10,000 events.
    pub words: Option<Vec<String>>,
}

/// A range of time.
#[derive(InputObject, Clone, Default)]
pub struct DateTimeRange {
    /// The first instant: an event at exactly this time is kept.
    pub from: Option<DateTime>,
    /// The instant after the last: an event at exactly this time is not kept.
    pub to: Option<DateTime>,
}

/// Days that end today, in a time zone.
#[derive(InputObject, Clone)]
pub struct PeriodInput {
    /// How many days, today among them.
    pub preset: PeriodPreset,
    /// IANA name of the viewer's time zone, such as `Europe/Berlin`.
    pub time_zone: String,
}

/// Days that end today.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Preset")]
pub enum PeriodPreset {
    /// From local midnight.
    Today,
    /// From local midnight six days ago.
    #[graphql(name = "LAST_7_DAYS")]
    Last7Days,
    /// From local midnight 29 days ago.
    #[graphql(name = "LAST_30_DAYS")]
    Last30Days,
    /// From local midnight 89 days ago.
    #[graphql(name = "LAST_90_DAYS")]
    Last90Days,
}

/// What is typed beside a filter: what is searched for, and a query with the zone of its days.
#[derive(Default)]
pub struct Typed {
    /// A search.
    pub search: Option<String>,
    /// A query.
    pub query: Option<String>,
    /// IANA name of a zone.
    pub query_time_zone: Option<String>,
}

/// What is asked to be kept, with what is typed beside it.
pub fn filter(filter: Option<AuditEventFilter>, typed: Typed) -> FilterInput {
    let filter = filter.unwrap_or_default();
    let actor = filter.actor.unwrap_or_default();
    let resource = filter.resource.unwrap_or_default();
    let not = filter.not.unwrap_or_default();
    let text = |at: DateTime| at.0;
    FilterInput {
        categories: filter.categories,
        actions: filter.actions,
        outcomes: filter.outcomes.map(all),
        actor_kinds: actor.kinds.map(all),
        actor_ids: actor.ids,
        actor_names: actor.names,
        actor_name_contains: actor.name_contains,
        actor_emails: actor.emails,
        actor_email_contains: actor.email_contains,
        actors: actor.any_contains,
        actor_present: actor.present,
        resource_types: resource.types,
        resource_ids: resource.ids,
        resource_names: resource.names,
        resources: resource.any_is,
        ip_addresses: filter.ip_addresses,
        correlation_ids: filter.correlation_ids,
        sources: filter.sources,
        source_event_ids: filter.source_event_ids,
        truncated: filter.truncated,
        masked: filter.masked,
        occurred_at: filter.occurred_at.map(|range| RangeInput { from: range.from.map(text), to: range.to.map(text) }),
        period: filter
            .period
            .map(|period| input::PeriodInput { preset: period.preset.into(), time_zone: period.time_zone }),
        not_categories: not.categories,
        not_actions: not.actions,
        not_actor_kinds: not.actor_kinds.map(all),
        not_actor_ids: not.actor_ids,
        not_outcomes: not.outcomes.map(all),
        not_actors: not.actors,
        not_resources: not.resources,
        not_ip_addresses: not.ip_addresses,
        not_sources: not.sources,
        not_words: not.words,
        search: typed.search,
        query: typed.query,
        query_time_zone: typed.query_time_zone,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{InputType, Value};
    use serde::Deserialize;

    use super::*;
    use crate::{
        catalog::Products,
        event::Timestamp,
        question::cursor::{Bound, Cursor},
    };

    /// An entry of `tests/vectors/cursors.json`.
    #[derive(Deserialize)]
    struct Vector {
        name: String,
        product: String,
        organization: Option<String>,
        arguments: serde_json::Map<String, serde_json::Value>,
        place: Place,
        cursor: String,
    }

    #[derive(Deserialize)]
    struct Place {
        key: String,
        pinned: String,
        rank: Option<String>,
        began: Option<String>,
    }

    /// The list and the place of an entry, by the way that a request takes.
    fn encoded(vector: &Vector) -> String {
        fn argument<T: InputType>(vector: &Vector, name: &str) -> Option<T> {
            let value = vector.arguments.get(name)?;
            let value = Value::from_json(value.clone()).expect("a value");
            Some(T::parse(Some(value)).unwrap_or_else(|_| panic!("{}: {name}", vector.name)))
        }
        let products = Products::built_in();
        let product = products.get(&vector.product).expect("a product");
        let now = Timestamp::parse("2026-03-29T12:00:00Z").expect("an instant");
        let labelled = |word: &str, prefix| {
            let labelled = product.catalog.labelled(word, prefix);
            (labelled.actions, labelled.categories)
        };
        let log: Option<AuditLogInput> = argument(vector, "log");
        let order: Option<AuditEventOrder> = argument(vector, "orderBy");
        let bound = Bound {
            product: &product.name,
            organization: vector.organization.as_deref(),
            log: log.as_ref().map(|log| (log.level.as_str(), log.id.as_str())),
            include_nested: argument(vector, "includeNested"),
            order: order.unwrap_or_default().order(),
            filter: &filter(
                argument(vector, "filter"),
                Typed {
                    search: argument(vector, "search"),
                    query: argument(vector, "query"),
                    query_time_zone: argument(vector, "queryTimeZone"),
                },
            )
            .check(labelled, now)
            .expect("a filter"),
        };
        let number = |text: &String| text.parse::<i64>().expect("a number");
        let Place { key, pinned, rank, began } = &vector.place;
        let began = began.as_ref().map(|began| Timestamp::parse(began).expect("an instant"));
        Cursor { key: number(key), pinned: number(pinned), rank: rank.as_ref().map(number), began }
            .encode(bound.fingerprint())
    }

    #[test]
    fn cursors_are_those_of_the_vectors() {
        let file = include_str!("../../tests/vectors/cursors.json");
        let vectors: Vec<Vector> = serde_json::from_str(file).expect("vectors");
        assert!(vectors.len() > 10, "{}", vectors.len());
        for vector in vectors {
            assert_eq!(encoded(&vector), vector.cursor, "{}", vector.name);
        }
    }
}
