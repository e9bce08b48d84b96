//! The bytes of an event that must last: hashes of them are stored, and proofs will be. Version 1.
//!
//! An event is said in five [groups](Group) of fields, so that one can go without the others: each is a JSON value of
//! its own, in the form of [`json::canonical`](super::json::canonical). What is absent writes nothing, so a new optional
//! field changes no byte of an event that lacks it. A field is never renamed and never changes its group; another form
//! is another version beside this one. `tests/vectors/README.md` says the same for other languages, and
//! `tests/vectors/canonical.json` has examples.

use super::{
    Actor, Outcome, Resource, Timestamp,
    hash::{self, Hash},
    input::{LogRef, Metadata, RecordInput},
    json::canonical::{self, Object},
};

/// The version of the form.
pub const VERSION: u8 = 1;

/// What stands before the text in the hash of a content: no other hash of ours begins so.
const CONTENT: &str = "ledgerline event content v1\n";

/// Fields of an event that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// `actor` and `onBehalfOf`: who.
    Actors,
    /// `ipAddress` and `userAgent`: from where.
    Client,
    /// Everything that is in no other group: what, when, and where it belongs.
    Event,
    /// `metadata`.
    Metadata,
    /// `resources`.
    Resources,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 5] = [Self::Actors, Self::Client, Self::Event, Self::Metadata, Self::Resources];

    /// The name of its member.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Actors => "actors",
            Self::Client => "client",
            Self::Event => "event",
            Self::Metadata => "metadata",
            Self::Resources => "resources",
        }
    }
}

impl RecordInput {
    /// The first 128 bits of the SHA-256 of what was sent, before anything is cut: a repeated request is the same
    /// content, whatever the limits were when it came first, and two that differ beyond a limit are not. Metadata that
    /// says the same in another order of keys, with other blanks or escapes, is the same content. Which organization,
    /// under which key and how strictly is not content.
    ///
    /// Where there will be another version, a request is the same content if its hash in any version is the stored one:
    /// no two versions' texts begin alike.
    #[must_use]
    pub fn content_hash(&self, metadata: &Metadata) -> Hash {
        hash::of([CONTENT.as_bytes(), self.content(metadata).as_bytes()])
    }

    /// The groups of what was sent as one object, with the version as its member `v`.
    fn content(&self, metadata: &Metadata) -> String {
        let object = Object::default().with("v", Some(VERSION.to_string()));
        Group::ALL
            .into_iter()
            .fold(object, |object, group| object.with(group.name(), self.group(group, metadata)))
            .finish()
    }

    /// One group of what was sent; `None` if nothing of it was.
    #[must_use]
    pub fn group(&self, group: Group, metadata: &Metadata) -> Option<String> {
        match group {
            Group::Actors => Some(
                Object::default()
                    .with("actor", Some(actor(&self.actor)))
                    .with("onBehalfOf", self.on_behalf_of.as_ref().map(actor))
                    .finish(),
            ),
            Group::Client => Object::default()
                .text("ipAddress", self.ip_address.as_deref())
                .text("userAgent", self.user_agent.as_deref())
                .finish_if_any(),
            Group::Event => Some(
                Object::default()
                    .text("action", Some(&self.action))
                    .text("category", self.category.as_deref())
                    .text("correlationId", self.correlation_id.as_deref())
                    .with("log", self.log.as_ref().map(log))
                    .text("occurredAt", self.occurred_at.map(instant).as_deref())
                    .text("outcome", self.outcome.map(Outcome::as_str))
                    .text("source", self.source.as_deref())
                    .text("sourceEventId", self.source_event_id.as_deref())
                    .finish(),
            ),
            Group::Metadata => metadata.canonical(),
            Group::Resources => (!self.resources.is_empty()).then(|| resources(&self.resources)),
        }
    }
}

/// An actor: `email`, `id`, `kind` and `name`.
#[must_use]
pub fn actor(actor: &Actor) -> String {
    Object::default()
        .text("email", actor.email.as_deref())
        .text("id", actor.id.as_deref())
        .text("kind", Some(actor.kind.as_str()))
        .text("name", actor.name.as_deref())
        .finish()
}

/// Resources in their order, each with `id`, `name` and `type`.
#[must_use]
pub fn resources(resources: &[Resource]) -> String {
    canonical::list(resources.iter().map(|Resource { kind, id, name }| {
        Object::default().text("id", id.as_deref()).text("name", name.as_deref()).text("type", kind.as_deref()).finish()
    }))
}

fn log(LogRef { level, id, name, parent }: &LogRef) -> String {
    Object::default()
        .text("id", Some(id))
        .text("level", Some(level))
        .text("name", name.as_deref())
        .with("parent", parent.as_deref().map(log))
        .finish()
}

/// RFC 3339 in UTC with `Z`, with as many fraction digits as needed, at most nine.
fn instant(at: Timestamp) -> String {
    at.to_string()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        input: Value,
        bytes: String,
        hash: String,
    }

    /// An input of `tests/vectors/canonical.json`: the fields of `RecordAuditEventInput`.
    fn input(json: &Value) -> RecordInput {
        fn log(json: &Value) -> LogRef {
            let text = |name: &str| json[name].as_str().map(str::to_owned);
            LogRef {
                level: text("level").unwrap(),
                id: text("id").unwrap(),
                name: text("name"),
                parent: json.get("parent").map(|parent| Box::new(log(parent))),
            }
        }
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let actor = |json: &Value| serde_json::from_value::<Actor>(json.clone()).unwrap();
        let resources = json["resources"].as_array().into_iter().flatten();
        RecordInput {
            category: text("category"),
            on_behalf_of: json.get("onBehalfOf").map(actor),
            resources: resources.map(|one| serde_json::from_value(one.clone()).unwrap()).collect(),
            organization: text("organization"),
            log: json.get("log").map(log),
            outcome: text("outcome").map(|name| Outcome::ALL.into_iter().find(|one| one.as_str() == name).unwrap()),
            occurred_at: text("occurredAt").map(|at| Timestamp::parse(&at).unwrap()),
            ip_address: text("ipAddress"),
            user_agent: text("userAgent"),
            correlation_id: text("correlationId"),
            source: text("source"),
            source_event_id: text("sourceEventId"),
            idempotency_key: text("idempotencyKey"),
            metadata: text("metadataText"),
            strict: json["strict"].as_bool().unwrap_or_default(),
            ..RecordInput::new(text("action").unwrap(), actor(&json["actor"]))
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_bytes_of_a_content_are_those_of_the_vectors() {
        let file = include_str!("../../tests/vectors/canonical.json");
        let vectors: Vec<Vector> = serde_json::from_str(file).unwrap();
        assert!(vectors.len() > 10, "{}", vectors.len());
        for Vector { name, input: sent, bytes, hash } in vectors {
            let sent = input(&sent);
            let metadata = Metadata::read(sent.metadata.clone());
            let written = [CONTENT, &sent.content(&metadata)].concat();
            assert_eq!(hex(written.as_bytes()), bytes, "{name}: {written}");
            assert_eq!(hex(&sent.content_hash(&metadata)), hash, "{name}");
        }
    }
}
