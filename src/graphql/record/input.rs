//! What is sent to be recorded or deleted.

use async_graphql::{ID, InputObject};

use crate::{
    error::{Error, Result},
    event::{
        Actor, Resource, Timestamp,
        input::{LogRef, RecordInput},
    },
    graphql::{
        enums::{ActorKind, Outcome},
        filter::AuditLogInput,
        flaw,
        scalars::{DateTime, Json},
    },
    ingest::Sent,
};

/// An event to record. A blank text is taken for absent.
#[derive(InputObject)]
pub struct RecordAuditEventInput {
    /// Name of the action, kept exactly as sent: at most 256 printable characters. A closed catalog takes its own only.
    action: String,
    /// Category code. Free in an open catalog; in a closed one the catalog's own, which is also the default.
    category: Option<String>,
    /// Who acted.
    actor: ActorInput,
    /// For whom they acted, as in an impersonation.
    on_behalf_of: Option<ActorInput>,
    /// What was acted on, the main thing first; at most 50.
    resources: Option<Vec<ResourceInput>>,
    /// The organization; needed where the token names none. Only a token that names none, or one of staff, may name
    /// several in one request.
    organization: Option<ID>,
    /// The log, created at first use; the organization's own where absent.
    log: Option<LogRefInput>,
    /// How it ended; the catalog's default where absent.
    outcome: Option<Outcome>,
    /// When it happened: from 1900 to five minutes ahead, kept to the nanosecond. Now, where absent.
    occurred_at: Option<DateTime>,
    /// Address of whoever acted, as the product knows it; any text, kept up to 8,192 bytes.
    ip_address: Option<String>,
    /// User agent of whoever acted, kept up to 8,192 bytes. Other texts are kept up to 2,048.
    user_agent: Option<String>,
    /// What ties the event to a job or to other events.
    correlation_id: Option<String>,
    /// The system that the event comes from.
    source: Option<String>,
    /// That system's own id of the event; may repeat.
    source_event_id: Option<String>,
    /// Makes a repeated request record one event: the same key with the same content answers ALREADY_RECORDED,
    /// with other content CONFLICT. Unique per organization, for ever.
    idempotency_key: Option<String>,
    /// Everything else, as a JSON object; what lies deeper than 16 levels is kept as a text. A number that JSON would
    /// change is refused: send `metadataText`.
    metadata: Option<Json>,
    /// Everything else, as the text of a JSON object that is kept byte for byte. Not together with `metadata`.
    metadata_text: Option<String>,
    /// Whether the event is refused where something of it would not be recorded as it was sent: texts over a limit, NUL,
    /// half of a surrogate pair, metadata that is too deep or too large, blank texts. Otherwise it is recorded, and
    /// `truncated` tells what was cut or replaced.
    #[graphql(default_with = "Some(false)")]
    strict: Option<bool>,
}

/// Who acted.
#[derive(InputObject)]
pub struct ActorInput {
    /// Person, key, service, staff, system or nobody known.
    kind: ActorKind,
    /// The product's own id.
    id: Option<String>,
    /// Name to show.
    name: Option<String>,
    /// E-mail address; kept as sent.
    email: Option<String>,
}

/// Something that was acted on.
#[derive(InputObject)]
pub struct ResourceInput {
    /// Kind of thing, in the product's words.
    #[graphql(name = "type")]
    kind: Option<String>,
    /// The product's own id.
    id: Option<String>,
    /// Name to show.
    name: Option<String>,
}

/// A log by level and id, with what is needed to create it at first use.
#[derive(InputObject)]
pub struct LogRefInput {
    /// Name of the level, as in `Product.levels`.
    level: String,
    /// The product's own id of the thing that has the log.
    id: String,
    /// Name to show, kept from the first use.
    name: Option<String>,
    /// The log above; needed at first use of a log two or more levels down.
    parent: Option<Box<LogRefInput>>,
}

/// Many events to record.
#[derive(InputObject)]
pub struct RecordAuditEventsInput {
    /// The events, at most 1,000.
    pub events: Vec<RecordAuditEventInput>,
    /// What ties the events together: the `correlationId` of those that name none, in all their organizations.
    pub correlation_id: Option<String>,
    /// Whether one refused event refuses all, in all their organizations.
    #[graphql(default_with = "Some(false)")]
    pub atomic: Option<bool>,
    /// Whether every event is `strict`.
    #[graphql(default_with = "Some(false)")]
    pub strict: Option<bool>,
}

/// A log to delete.
#[derive(InputObject)]
pub struct DeleteAuditLogInput {
    /// The organization; needed where the token names none.
    pub organization: Option<ID>,
    /// The log to delete; those nested in it are deleted, too.
    pub log: AuditLogInput,
    /// An event that tells of it, recorded in the log above in the same transaction.
    pub event: Option<RecordAuditEventInput>,
}

/// An event in the words of the core, unchecked.
pub fn sent(input: RecordAuditEventInput) -> Sent {
    Sent { organization: input.organization.clone().map(|id| id.0), event: to_input(input) }
}

/// What an event says. It cannot be read where metadata is given in two ways at once, and where a time is none.
fn to_input(input: RecordAuditEventInput) -> Result<RecordInput> {
    let metadata = match (input.metadata, input.metadata_text) {
        (Some(_), Some(_)) => return Err(Error::bad_input("metadataText", "must not be given together with metadata")),
        (Some(json), None) => Some(flaw::json_text(&json.0, &mut "metadata".to_owned())?),
        (None, text) => text,
    };
    let resource = |resource: ResourceInput| Resource { kind: resource.kind, id: resource.id, name: resource.name };
    Ok(RecordInput {
        action: input.action,
        category: input.category,
        actor: actor(input.actor),
        on_behalf_of: input.on_behalf_of.map(actor),
        resources: input.resources.unwrap_or_default().into_iter().map(resource).collect(),
        organization: input.organization.map(|id| id.0),
        log: input.log.map(log_ref),
        outcome: input.outcome.map(Into::into),
        occurred_at: input.occurred_at.map(|at| Timestamp::read(&at.0, "occurredAt")).transpose()?,
        ip_address: input.ip_address,
        user_agent: input.user_agent,
        correlation_id: input.correlation_id,
        source: input.source,
        source_event_id: input.source_event_id,
        idempotency_key: input.idempotency_key,
        metadata,
        strict: input.strict.unwrap_or(false),
    })
}

fn actor(input: ActorInput) -> Actor {
    Actor { kind: input.kind.into(), id: input.id, name: input.name, email: input.email }
}

fn log_ref(input: LogRefInput) -> LogRef {
    LogRef {
        level: input.level,
        id: input.id,
        name: input.name,
        parent: input.parent.map(|parent| Box::new(log_ref(*parent))),
    }
}
