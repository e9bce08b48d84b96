//! What an event is: pure types, validation, limits, id, place in time and search terms. No I/O.

pub mod canonical;
pub mod erased;
pub mod hash;
pub mod id;
pub mod input;
pub mod json;
pub mod limits;
pub mod masking;
pub mod names;
pub mod position;
pub mod stored;
pub mod terms;
pub mod text;
mod timestamp;
pub mod words;

use std::ops::Deref;

use serde::{Deserialize, Serialize};

pub use id::{EventId, LogId};
pub use input::Metadata;
pub use names::{ActionName, OrganizationId};
pub use position::Position;
pub use timestamp::Timestamp;

/// Who or what acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActorKind {
    /// A person with an account.
    User,
    /// A program that used an API key.
    ApiKey,
    /// A service account, an integration or an identity provider.
    Service,
    /// A person of the platform's own staff, under their own identity.
    Staff,
    /// The platform itself: a schedule, a billing rule, an expiry.
    System,
    /// Somebody not signed in, such as a failed login.
    Anonymous,
}

impl ActorKind {
    /// Every kind, in the order of its stored number.
    pub const ALL: [Self; 6] = [Self::User, Self::ApiKey, Self::Service, Self::Staff, Self::System, Self::Anonymous];

    /// The name as clients write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::ApiKey => "API_KEY",
            Self::Service => "SERVICE",
            Self::Staff => "STAFF",
            Self::System => "SYSTEM",
            Self::Anonymous => "ANONYMOUS",
        }
    }

    /// The number that the database stores.
    #[must_use]
    pub fn number(self) -> i16 {
        self as i16
    }

    /// The kind of a stored number.
    #[must_use]
    pub fn from_number(n: i16) -> Option<Self> {
        Self::ALL.get(usize::try_from(n).ok()?).copied()
    }
}

/// How the action ended, as far as it was known when it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was attempted and refused, or it failed.
    Failure,
    /// It was accepted; its result is kept elsewhere, under the correlation id.
    Accepted,
}

impl Outcome {
    /// Every outcome, in the order of its stored number.
    pub const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Accepted];

    /// The name as clients write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Accepted => "ACCEPTED",
        }
    }

    /// The number that the database stores.
    #[must_use]
    pub fn number(self) -> i16 {
        self as i16
    }

    /// The outcome of a stored number.
    #[must_use]
    pub fn from_number(n: i16) -> Option<Self> {
        Self::ALL.get(usize::try_from(n).ok()?).copied()
    }
}

/// Who acted, as they were then.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Actor {
    /// Person, key, service, staff, system or nobody known.
    pub kind: ActorKind,
    /// The product's own id of the actor.
    pub id: Option<String>,
    /// Name to show.
    pub name: Option<String>,
    /// E-mail address, kept as sent.
    pub email: Option<String>,
}

impl Actor {
    /// What tells one actor from another: the kind with the id; without an id with the e-mail address, without either
    /// with the name. What else was known of them may change from event to event.
    #[must_use]
    pub fn key(&self) -> Self {
        let email = self.email.clone().filter(|_| self.id.is_none());
        let name = self.name.clone().filter(|_| self.id.is_none() && self.email.is_none());
        Self { kind: self.kind, id: self.id.clone(), name, email }
    }

    /// Everything that a picker searches of the actor, in lower case, a line each.
    #[must_use]
    pub fn folded(&self) -> String {
        let parts = [&self.name, &self.email, &self.id];
        parts.into_iter().flatten().map(|part| part.to_lowercase()).collect::<Vec<_>>().join("\n")
    }

    /// Whether anything is known of the actor beyond the kind.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.id.is_some() || self.name.is_some() || self.email.is_some()
    }
}

/// Something that was acted on, as it was then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resource {
    /// Kind of thing, in the product's words.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The product's own id of the thing.
    pub id: Option<String>,
    /// Name to show.
    pub name: Option<String>,
}

/// What an event says, before it is recorded: everything but its place, its log and its times.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What was done, exactly as sent.
    pub action: ActionName,
    /// Category code.
    pub category: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Who acted.
    pub actor: Actor,
    /// For whom they acted.
    pub on_behalf_of: Option<Actor>,
    /// What was acted on; the first is the main one.
    pub resources: Vec<Resource>,
    /// Address as the product declared it; may be no address at all.
    pub ip_address: Option<String>,
    /// User agent as the product declared it.
    pub user_agent: Option<String>,
    /// What ties it to a job or to other events.
    pub correlation_id: Option<String>,
    /// The system that it comes from.
    pub source: Option<String>,
    /// That system's own id of it; not unique.
    pub source_event_id: Option<String>,
    /// Subject of the token that recorded it.
    pub recorded_by: String,
    /// Paths of what is not as it was sent: cut, or with U+FFFD where a character cannot be kept.
    pub truncated: Vec<String>,
    /// Paths of what is a digest in the place of what was sent, or was left out, because the product masks it.
    pub masked: Vec<String>,
    /// A JSON object, byte for byte as sent.
    pub metadata: String,
}

/// One immutable record: a draft in its place. What the draft says, the event says: its fields are read as the event's
/// own.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Number of the organization that owns it.
    pub organization_no: i64,
    /// Place in the order of recording: 0, 1, 2, … per organization.
    pub sequence: i64,
    /// Place in the order of time, unique per organization.
    pub position: Position,
    /// Random part of the public id.
    pub salt: i64,
    /// Number of the log it belongs to.
    pub log_no: i64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What it says.
    pub said: Draft,
    /// Paths of what it said and does not say any more: it was erased.
    pub erased: Vec<String>,
}

impl Deref for Event {
    type Target = Draft;

    fn deref(&self) -> &Draft {
        &self.said
    }
}

impl Event {
    /// The public id.
    #[must_use]
    pub fn id(&self) -> EventId {
        EventId { organization_no: self.organization_no, sequence: self.sequence, salt: self.salt }
    }
}
