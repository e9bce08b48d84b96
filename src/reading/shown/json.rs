//! The JSON form of an event for programs: what REST answers, and what leaves the service in any other way. Its names are
//! those of the GraphQL schema in snake case. Members that say nothing are null and never left out, so that every event
//! has the same shape.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Metadata, Shown};
use crate::{
    event::{ActorKind, Outcome, Resource, Timestamp},
    question::matched,
};

/// One immutable record of who did what, when, to which resource.
#[derive(Serialize, ToSchema)]
pub struct AuditEvent<'a> {
    /// The event's id, unique in the whole service.
    id: String,
    /// Place in the organization's order of recording: 0, 1, 2, … without a gap.
    #[schema(minimum = 0)]
    sequence: i64,
    /// Name of the action, exactly as it was sent.
    #[schema(example = "api_key.created")]
    action: &'a str,
    /// Label of the action; the name itself where the catalog has none.
    action_label: String,
    /// What the action belongs to.
    #[schema(required = true)]
    category: Option<Category<'a>>,
    /// Who acted, as they were then.
    actor: Actor<'a>,
    /// For whom they acted, as in an impersonation.
    #[schema(required = true)]
    on_behalf_of: Option<Actor<'a>>,
    /// What was acted on, the main thing first.
    resources: Vec<Thing<'a>>,
    /// The log; null once it, or one above it, was deleted under the policy that clears it.
    #[schema(required = true)]
    log: Option<Log>,
    /// How the action ended, as far as it was known when it was recorded.
    #[schema(required = true)]
    outcome: Option<Outcome>,
    /// When it happened, to the nanosecond.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// When it was recorded here: never before an event that was recorded earlier, whatever the clocks do.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// Address that the product declared; kept as sent, so it may be no address at all.
    #[schema(required = true)]
    ip_address: Option<&'a str>,
    /// User agent that the product declared.
    #[schema(required = true)]
    user_agent: Option<&'a str>,
    /// What ties the event to a job or to other events.
    #[schema(required = true)]
    correlation_id: Option<&'a str>,
    /// The system that the event comes from.
    #[schema(required = true)]
    source: Option<&'a str>,
    /// That system's own id of the event; sources repeat them.
    #[schema(required = true)]
    source_event_id: Option<&'a str>,
    /// Subject of the token that recorded the event.
    recorded_by: &'a str,
    /// Paths of what is not as it was sent, such as `user_agent` or `metadata.headers.cookie`: texts that were cut at a
    /// limit, or have U+FFFD where a character cannot be kept. Empty for nearly all events.
    truncated: Vec<String>,
    /// Paths of what the product masks, such as `metadata.user.password` or `ip_address`: secrets in the metadata, in
    /// whose place a digest stands (`masked:v1:` and 32 hexadecimal digits, the same for the same secret of the same
    /// organization), and an address that was shortened or left out.
    masked: Vec<String>,
    /// Paths of what was erased, such as `actor`, `metadata` or `resources[1]`, because a person was to be forgotten. It is
    /// null or empty where it stood; of an actor the kind stays, of a resource its type. Empty for nearly all events.
    erased: Vec<String>,
    /// Where the event has what the list was searched for, at most 20 places; there where something was searched for. Nothing
    /// is told of what was masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    matches: Option<Vec<Match>>,
    /// Everything else that the product said. Numbers beyond 64-bit integers and doubles are exact in `metadata_text`
    /// only; a number beyond every double is a string here. NUL and half of a surrogate pair are U+FFFD here.
    #[schema(value_type = Object)]
    metadata: Metadata<'a>,
    /// The exact text of the metadata, byte for byte as it was recorded; there where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    metadata_text: Option<&'a str>,
}

impl<'a> AuditEvent<'a> {
    /// The form of an event.
    #[must_use]
    pub fn of(shown: &'a Shown) -> Self {
        let event = shown.event();
        Self {
            id: event.id().to_string(),
            sequence: event.sequence,
            action: &event.action,
            action_label: shown.action_label(),
            category: shown.category().map(Category::of),
            actor: Actor::of(shown.actor()),
            on_behalf_of: shown.on_behalf_of().map(Actor::of),
            resources: event.resources.iter().map(Thing::of).collect(),
            log: shown.log().map(|log| Log::of(&log)),
            outcome: event.outcome,
            occurred_at: event.occurred_at,
            recorded_at: event.recorded_at,
            ip_address: event.ip_address.as_deref(),
            user_agent: event.user_agent.as_deref(),
            correlation_id: event.correlation_id.as_deref(),
            source: event.source.as_deref(),
            source_event_id: event.source_event_id.as_deref(),
            recorded_by: &event.recorded_by,
            truncated: event.truncated.iter().map(|path| snake(path)).collect(),
            masked: event.masked.iter().map(|path| snake(path)).collect(),
            erased: event.erased.iter().map(|path| snake(path)).collect(),
            matches: None,
            metadata: shown.metadata(),
            metadata_text: None,
        }
    }

    /// The same with what its list was searched for.
    #[must_use]
    pub fn with_matches(self, shown: &Shown) -> Self {
        let matches: Vec<_> = shown.matches().into_iter().map(Match::of).collect();
        Self { matches: (!matches.is_empty()).then_some(matches), ..self }
    }

    /// The same with empty metadata, where the whole would be too large.
    #[must_use]
    pub fn without_metadata(shown: &'a Shown) -> Self {
        Self { metadata: Metadata::NONE, ..Self::of(shown) }
    }

    /// The same with the exact text of the metadata.
    #[must_use]
    pub fn with_metadata_text(shown: &'a Shown) -> Self {
        Self { metadata_text: Some(&shown.event().metadata), ..Self::of(shown) }
    }
}

/// A text of an event that has something of what was searched for.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEventMatch)]
pub struct Match {
    /// Path of the field, as `truncated` has them: such as `actor.name`, `resources[0].id` or `metadata.plan.from`;
    /// `action_label` or `category.label` where a label has it.
    field: String,
    /// Its text, as it is stored; of one over 300 characters, a part that has it. Of metadata, it may be the key that the path
    /// ends with.
    text: String,
}

impl Match {
    fn of(found: matched::Match) -> Self {
        Self { field: snake(&found.field), text: found.text }
    }
}

/// What an action belongs to, by the product's catalog.
#[derive(Serialize, ToSchema)]
pub struct Category<'a> {
    /// The code, as filters take it.
    code: &'a str,
    /// Name to show in a filter.
    label: &'a str,
    /// Name to show where there is little room.
    short_label: &'a str,
    /// What belongs to it, in a sentence.
    #[schema(required = true)]
    description: Option<&'a str>,
}

impl<'a> Category<'a> {
    fn of(category: super::Category<'a>) -> Self {
        Self {
            code: category.code,
            label: category.label(),
            short_label: category.short_label(),
            description: category.description(),
        }
    }
}

/// Who acted, as they were then.
#[derive(Serialize, ToSchema)]
pub struct Actor<'a> {
    /// Person, key, service, staff, system or nobody known.
    kind: ActorKind,
    /// The product's own id of the actor.
    #[schema(required = true)]
    external_id: Option<&'a str>,
    /// Name to show.
    #[schema(required = true)]
    name: Option<&'a str>,
    /// E-mail address, kept as sent.
    #[schema(required = true)]
    email: Option<&'a str>,
    /// What to show where there is room for one text: never empty.
    label: String,
    /// What the product calls such an actor, such as `API key`.
    kind_label: &'a str,
}

impl<'a> Actor<'a> {
    fn of(actor: super::Actor<'a>) -> Self {
        Self {
            kind: actor.kind(),
            external_id: actor.actor.id.as_deref(),
            name: actor.actor.name.as_deref(),
            email: actor.actor.email.as_deref(),
            label: actor.label(),
            kind_label: actor.kind_label(),
        }
    }
}

/// Something that was acted on, as it was then.
#[derive(Serialize, ToSchema)]
#[schema(as = Resource)]
pub struct Thing<'a> {
    /// Kind of thing, in the product's words.
    #[serde(rename = "type")]
    #[schema(required = true)]
    kind: Option<&'a str>,
    /// The product's own id of the thing.
    #[schema(required = true)]
    external_id: Option<&'a str>,
    /// Name to show.
    #[schema(required = true)]
    name: Option<&'a str>,
}

impl<'a> Thing<'a> {
    fn of(resource: &'a Resource) -> Self {
        let Resource { kind, id, name } = resource;
        Self { kind: kind.as_deref(), external_id: id.as_deref(), name: name.as_deref() }
    }
}

/// A log: the organization's own, or one nested in it, such as a project's.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditLog)]
pub struct Log {
    /// The log's id, unique in the whole service: a log that takes the name of a deleted one has another.
    id: String,
    /// Name of its level, as in the product's file.
    level: String,
    /// The product's own id of the thing that has the log.
    external_id: String,
    /// Name to show, kept from the first use.
    #[schema(required = true)]
    name: Option<String>,
    /// The log that it is nested in.
    #[schema(required = true, no_recursion)]
    parent: Option<Box<Log>>,
    /// When it was deleted, if it was.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Timestamp>,
}

impl Log {
    fn of(log: &super::Log) -> Self {
        Self {
            id: log.id().to_string(),
            level: log.level().to_owned(),
            external_id: log.external_id().to_owned(),
            name: log.name().map(str::to_owned),
            parent: log.parent().map(|parent| Box::new(Self::of(&parent))),
            deleted_at: log.deleted_at(),
        }
    }
}

/// The path of a field in snake case, as `onBehalfOf.name` is `on_behalf_of.name`. Below `metadata` the names are the
/// caller's own.
#[must_use]
pub fn snake(path: &str) -> String {
    let (ours, theirs) = match path.find("metadata.") {
        Some(at) if at == 0 || path[..at].ends_with('.') => path.split_at(at),
        _ => (path, ""),
    };
    let mut snake = String::with_capacity(path.len() + 4);
    for letter in ours.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake + theirs
}

#[cfg(test)]
mod tests {
    use super::snake;

    #[test]
    fn paths_are_in_snake_case_down_to_the_metadata() {
        for (path, expected) in [
            ("", ""),
            ("userAgent", "user_agent"),
            ("onBehalfOf.name", "on_behalf_of.name"),
            ("events[3].resources[0].id", "events[3].resources[0].id"),
            ("events[3].idempotencyKey", "events[3].idempotency_key"),
            ("metadata", "metadata"),
            ("metadataText", "metadata_text"),
            ("metadata.userAgent.metadata.X", "metadata.userAgent.metadata.X"),
            ("events[0].metadata.userAgent", "events[0].metadata.userAgent"),
        ] {
            assert_eq!(snake(path), expected);
        }
    }
}
