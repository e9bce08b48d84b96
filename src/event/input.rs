//! What a caller asks to record, and the checks that need nothing but the input itself.

mod kept;
mod marks;
mod masked;
mod metadata;

pub use masked::Masked;
pub use metadata::Metadata;
use serde::Serialize;

use super::{
    ActionName, Actor, ActorKind, Outcome, Resource, Timestamp, limits,
    names::{BLANK, UNSTORABLE, check_id, over},
};
use crate::error::{Error, Result};

/// An event as a caller sends it. Limits measure it as JSON; what must last is written by [`canonical`](super::canonical).
#[derive(Clone, Debug, Serialize)]
pub struct RecordInput {
    /// Action name.
    pub action: String,
    /// Category code; the catalog's own where it has one.
    pub category: Option<String>,
    /// Who acted.
    pub actor: Actor,
    /// For whom they acted.
    pub on_behalf_of: Option<Actor>,
    /// What was acted on, the main thing first.
    pub resources: Vec<Resource>,
    /// The organization, where the token names none.
    #[serde(skip)]
    pub organization: Option<String>,
    /// The log, where it is not the organization's own.
    pub log: Option<LogRef>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// When it happened; the time of recording where absent.
    pub occurred_at: Option<Timestamp>,
    /// Address.
    pub ip_address: Option<String>,
    /// User agent.
    pub user_agent: Option<String>,
    /// What ties it to a job or to other events.
    pub correlation_id: Option<String>,
    /// The system that it comes from.
    pub source: Option<String>,
    /// That system's own id.
    pub source_event_id: Option<String>,
    /// Makes a repeated request record one event.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
    /// A JSON object as text; `{}` where absent. It is read, and measured, as [`Metadata`].
    #[serde(serialize_with = "left_out")]
    pub metadata: Option<String>,
    /// Whether what would be cut, replaced or taken for absent refuses the event.
    #[serde(skip)]
    pub strict: bool,
}

fn left_out<S: serde::Serializer>(_: &Option<String>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_none()
}

impl RecordInput {
    /// An input with nothing but an action and an actor.
    #[must_use]
    pub fn new(action: impl Into<String>, actor: Actor) -> Self {
        Self {
            action: action.into(),
            category: None,
            actor,
            on_behalf_of: None,
            resources: Vec::new(),
            organization: None,
            log: None,
            outcome: None,
            occurred_at: None,
            ip_address: None,
            user_agent: None,
            correlation_id: None,
            source: None,
            source_event_id: None,
            idempotency_key: None,
            metadata: None,
            strict: false,
        }
    }
}

/// A log by level and id, with what is needed to create it at first use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct LogRef {
    /// Level name, as the product file has it.
    pub level: String,
    /// The product's own id of the thing that has the log.
    pub id: String,
    /// Name to show.
    pub name: Option<String>,
    /// The log above, where it is not the organization's own.
    pub parent: Option<Box<LogRef>>,
}

impl RecordInput {
    /// Checks what the caller alone decides: action, time, and the ids of our contract. What outsiders fill is the
    /// business of [`RecordInput::keep`].
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming field, rule and value.
    pub fn check(&self, now: Timestamp) -> Result<()> {
        ActionName::check(&self.action)?;
        for (field, id) in [
            ("category", &self.category),
            ("organization", &self.organization),
            ("idempotencyKey", &self.idempotency_key),
        ] {
            id.as_ref().map_or(Ok(()), |id| check_id(&field, id))?;
        }
        if let Some(log) = &self.log {
            check_log(log, "log", 1)?;
        }
        self.occurred_at.map_or(Ok(()), |at| check_time(at, now))
    }

    /// Everything but metadata, as limits measure it.
    fn all_but_metadata(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts, numbers and lists of them are JSON")
    }
}

fn check_time(at: Timestamp, now: Timestamp) -> Result<()> {
    if at < Timestamp::EARLIEST {
        return Err(Error::bad_input("occurredAt", format!("must not be before {}, got {at}", Timestamp::EARLIEST)));
    }
    if at.0 > now.0.saturating_add(limits::AHEAD_NANOS) {
        return Err(Error::bad_input("occurredAt", format!("must be at most 5 minutes ahead of {now}, got {at}")));
    }
    Ok(())
}

fn check_log(log: &LogRef, field: &str, depth: usize) -> Result<()> {
    if depth > limits::LOG_DEPTH {
        return Err(over(&field, limits::LOG_DEPTH, "levels", depth));
    }
    check_id(&format_args!("{field}.level"), &log.level)?;
    check_id(&format_args!("{field}.id"), &log.id)?;
    log.parent.as_ref().map_or(Ok(()), |parent| check_log(parent, &format!("{field}.parent"), depth + 1))
}

/// Reads an actor kind as clients write it.
///
/// # Errors
/// `BAD_USER_INPUT` on `field`, with the kinds there are.
pub fn actor_kind(field: &str, text: &str) -> Result<ActorKind> {
    ActorKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
        Error::bad_input(field, format!("must be one of {}", ActorKind::ALL.map(ActorKind::as_str).join(", ")))
    })
}
