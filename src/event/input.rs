//! What a caller asks to record, and the checks that need nothing but the input itself.

use serde::Serialize;

use super::{
    Actor, ActorKind, Outcome, Resource, Timestamp,
    hash::{self, Hash},
    json, limits,
};
use crate::error::{Error, Result};

/// An event as a caller sends it.
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
    /// A JSON object as text; `{}` where absent.
    // What it says counts, not how it is written: see `RecordInput::content_hash`.
    #[serde(serialize_with = "left_out")]
    pub metadata: Option<String>,
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
    /// Checks sizes, characters and metadata.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming field, rule and value.
    pub fn check(&self, now: Timestamp) -> Result<()> {
        if self.action.is_empty() {
            return Err(Error::bad_input("action", "must not be empty"));
        }
        let chars = self.action.chars().count();
        if chars > limits::ACTION_CHARS {
            return Err(over("action", limits::ACTION_CHARS, "characters", chars));
        }
        if let Some(c) = self.action.chars().find(|c| c.is_control()) {
            return Err(Error::bad_input("action", format!("must be printable text, found U+{:04X}", c as u32)));
        }
        self.check_texts()?;
        if self.resources.len() > limits::RESOURCES {
            return Err(over("resources", limits::RESOURCES, "items", self.resources.len()));
        }
        if let Some(at) = self.occurred_at {
            if at < Timestamp::EARLIEST {
                return Err(Error::bad_input(
                    "occurredAt",
                    format!("must not be before {}, got {at}", Timestamp::EARLIEST),
                ));
            }
            if at.0 > now.0.saturating_add(limits::AHEAD_NANOS) {
                return Err(Error::bad_input(
                    "occurredAt",
                    format!("must be at most 5 minutes ahead of {now}, got {at}"),
                ));
            }
        }
        let metadata = self.metadata.as_deref().unwrap_or("{}");
        check_metadata(metadata)?;
        let bytes = self.all_but_metadata().len() + metadata.len();
        if bytes > limits::EVENT_BYTES {
            return Err(over("event", limits::EVENT_BYTES, "bytes of JSON", bytes));
        }
        Ok(())
    }

    /// The hash of a checked input's content as received. Metadata that says the same in another order of keys is the
    /// same content.
    #[must_use]
    pub fn content_hash(&self) -> Hash {
        let metadata = normal_form(self.metadata.as_deref().unwrap_or("{}"));
        hash::of([self.all_but_metadata().as_slice(), &[0], metadata.as_bytes()])
    }

    fn all_but_metadata(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts, numbers and lists of them are JSON")
    }

    fn check_texts(&self) -> Result<()> {
        for (name, text) in [
            ("category", &self.category),
            ("organization", &self.organization),
            ("ipAddress", &self.ip_address),
            ("userAgent", &self.user_agent),
            ("correlationId", &self.correlation_id),
            ("source", &self.source),
            ("sourceEventId", &self.source_event_id),
            ("idempotencyKey", &self.idempotency_key),
        ] {
            check_text(|| name.to_owned(), text.as_deref())?;
        }
        for (name, actor) in [("actor", Some(&self.actor)), ("onBehalfOf", self.on_behalf_of.as_ref())] {
            let Some(actor) = actor else { continue };
            for (part, text) in [("id", &actor.id), ("name", &actor.name), ("email", &actor.email)] {
                check_text(|| format!("{name}.{part}"), text.as_deref())?;
            }
        }
        for (i, resource) in self.resources.iter().enumerate() {
            for (part, text) in [("type", &resource.kind), ("id", &resource.id), ("name", &resource.name)] {
                check_text(|| format!("resources[{i}].{part}"), text.as_deref())?;
            }
        }
        if let Some(log) = &self.log {
            check_log(log, "log", 1)?;
        }
        for (field, text) in [
            ("organization", &self.organization),
            ("idempotencyKey", &self.idempotency_key),
            ("category", &self.category),
        ] {
            if text.as_deref() == Some("") {
                return Err(Error::bad_input(field, "must not be empty"));
            }
        }
        Ok(())
    }
}

fn check_log(log: &LogRef, field: &str, depth: usize) -> Result<()> {
    if depth > limits::LOG_DEPTH {
        return Err(over(field, limits::LOG_DEPTH, "levels", depth));
    }
    check_text(|| format!("{field}.level"), Some(&log.level))?;
    check_text(|| format!("{field}.id"), Some(&log.id))?;
    check_text(|| format!("{field}.name"), log.name.as_deref())?;
    if log.id.is_empty() {
        return Err(Error::bad_input(format!("{field}.id"), "must not be empty"));
    }
    log.parent.as_ref().map_or(Ok(()), |parent| check_log(parent, &format!("{field}.parent"), depth + 1))
}

fn check_text(field: impl Fn() -> String, text: Option<&str>) -> Result<()> {
    let Some(text) = text else { return Ok(()) };
    if text.len() > limits::TEXT_BYTES {
        return Err(over(&field(), limits::TEXT_BYTES, "bytes", text.len()));
    }
    if text.contains('\0') {
        return Err(no_nul(&field()));
    }
    Ok(())
}

/// Checks that a text is one JSON object that can be kept as sent and shown as JSON.
///
/// # Errors
/// `BAD_USER_INPUT` on `metadata`.
fn check_metadata(text: &str) -> Result<()> {
    if text.len() > limits::EVENT_BYTES {
        return Err(over("metadata", limits::EVENT_BYTES, "bytes", text.len()));
    }
    let depth = json::depth(text);
    if depth > limits::METADATA_DEPTH {
        return Err(over("metadata", limits::METADATA_DEPTH, "levels deep", depth));
    }
    // The syntax alone: a number beyond every double is text that we can keep.
    let syntax = serde_json::from_str::<&serde_json::value::RawValue>(text);
    match syntax {
        Ok(raw) if raw.get().starts_with('{') => {}
        Ok(_) => return Err(Error::bad_input("metadata", "must be a JSON object")),
        Err(error) => return Err(Error::bad_input("metadata", format!("must be a JSON object ({error})"))),
    }
    let mut fault = None;
    json::walk(text, &mut |found| {
        if fault.is_some() {
            return;
        }
        fault = match found {
            json::Found::DuplicateKey(path) => {
                Some(Error::bad_input(format!("metadata.{path}"), "must name a key once per object"))
            }
            json::Found::Leaf(path, json::Leaf::String(text)) if text.contains('\0') => {
                Some(no_nul(&format!("metadata.{path}")))
            }
            json::Found::Key(path, key) if key.contains('\0') => Some(no_nul(&format!("metadata.{path}"))),
            _ => None,
        };
    });
    fault.map_or(Ok(()), Err)
}

/// A JSON text in one form for all that say the same: keys sorted, no blanks, and the numbers that JSON would change
/// as they are spelled.
fn normal_form(text: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<serde_json::Value>(text) else { return text.to_owned() };
    let mut exact = Vec::new();
    json::walk(text, &mut |found| {
        if let json::Found::Leaf(path, json::Leaf::Number(number)) = found
            && !json::number_survives(number)
        {
            exact.push(format!("{path}={number}"));
        }
    });
    value.sort_all_objects();
    exact.sort_unstable();
    format!("{value}{}", exact.join(" "))
}

fn over(field: &str, limit: usize, unit: &str, got: usize) -> Error {
    Error::bad_input(field, format!("must be at most {limit} {unit}, got {got}"))
}

fn no_nul(field: &str) -> Error {
    Error::bad_input(field.replace('\0', "\\u0000"), "must not contain NUL (U+0000)")
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
