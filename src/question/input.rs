//! What a caller asks to keep, as it comes: the twin of [`event::input`](crate::event::input). Nothing of it is checked;
//! `check.rs` makes a filter of it.

use serde::{Deserialize, Serialize};

use super::period::Preset;
use crate::event::{ActorKind, Outcome};

/// A filter as a caller asks for it, and a search beside it; nothing of it is checked. The fields mean what those of
/// [`Filter`](super::filter::Filter) mean.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct FilterInput {
    /// Category codes.
    pub categories: Option<Vec<String>>,
    /// Action names, and prefixes that end with a star.
    pub actions: Option<Vec<String>>,
    /// Outcomes.
    pub outcomes: Option<Vec<Outcome>>,
    /// Actor kinds.
    pub actor_kinds: Option<Vec<ActorKind>>,
    /// Actor ids.
    pub actor_ids: Option<Vec<String>>,
    /// Actor names, exactly.
    pub actor_names: Option<Vec<String>>,
    /// A part of the actor's name.
    pub actor_name_contains: Option<String>,
    /// Actor e-mails, exactly.
    pub actor_emails: Option<Vec<String>>,
    /// A part of the actor's e-mail.
    pub actor_email_contains: Option<String>,
    /// Actors by their id, or a part of name or e-mail address.
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
    /// When it happened. Not together with `period`.
    pub occurred_at: Option<RangeInput>,
    /// When it happened, as days of the viewer.
    pub period: Option<PeriodInput>,
    /// Category codes to leave out.
    pub not_categories: Option<Vec<String>>,
    /// Actions to leave out.
    pub not_actions: Option<Vec<String>>,
    /// Actor kinds to leave out.
    pub not_actor_kinds: Option<Vec<ActorKind>>,
    /// Actor ids to leave out.
    pub not_actor_ids: Option<Vec<String>>,
    /// Outcomes to leave out.
    pub not_outcomes: Option<Vec<Outcome>>,
    /// Actors to leave out, by their id, or a part of name or e-mail address.
    pub not_actors: Option<Vec<String>>,
    /// Resources to leave out, by type, id or name.
    pub not_resources: Option<Vec<String>>,
    /// Addresses to leave out.
    pub not_ip_addresses: Option<Vec<String>>,
    /// Sources to leave out.
    pub not_sources: Option<Vec<String>>,
    /// Searches whose events are left out.
    pub not_words: Option<Vec<String>>,
    /// What was typed into the search field.
    pub search: Option<String>,
    /// What was typed into a query box: see [`Query`](super::query::Query).
    pub query: Option<String>,
    /// IANA name of the zone of the query's days and times; UTC where absent.
    pub query_time_zone: Option<String>,
}

/// A range of time, its ends in RFC 3339.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct RangeInput {
    /// First instant.
    pub from: Option<String>,
    /// The instant after the last.
    pub to: Option<String>,
}

/// Days that end today.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PeriodInput {
    /// Which days.
    pub preset: Preset,
    /// IANA name of the viewer's time zone.
    pub time_zone: String,
}
