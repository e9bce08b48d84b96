//! Erasure of a person: what it would do, asked for, followed, given up.

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};

use super::{
    Services,
    enums::ActorKind,
    principal,
    scalars::{BigInt, DateTime},
    services,
};
use crate::{
    error::Result,
    event::erased::{NamedActor, NamedResource, Whom},
    reading::ErasurePreview,
    store::control::erasures::{Erasure, ErasureStatus},
};

/// A person as somebody who acts.
#[derive(InputObject)]
pub struct ErasedActorInput {
    /// Only actors of this kind; all kinds where absent.
    kind: Option<ActorKind>,
    /// The product's own id of the actor.
    id: Option<String>,
    /// Their e-mail address; upper case is lower case. With an `id`, events that have either are theirs.
    email: Option<String>,
}

/// A person as something that is acted on.
#[derive(InputObject)]
pub struct ErasedResourceInput {
    /// The type, in the product's words.
    #[graphql(name = "type")]
    kind: String,
    /// The product's own id of it.
    id: String,
}

/// Who is to be erased. A person is often both an actor and a resource: name both.
#[derive(InputObject)]
pub struct EraseFromAuditLogInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The person as an actor: events in which they acted, or somebody acted for them.
    actor: Option<ErasedActorInput>,
    /// The person as a resource: events in which they were acted on.
    resource: Option<ErasedResourceInput>,
}

/// An erasure to give up.
#[derive(InputObject)]
pub struct CancelAuditErasureInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The erasure's id.
    id: ID,
}

/// What has become of an erasure.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum AuditErasureStatus {
    /// It waits for its turn.
    Queued,
    /// It goes through the events.
    Running,
    /// A hold keeps the next event. It goes on by itself once the hold is lifted.
    Held,
    /// All events are done, and who it was is forgotten; what the database and files of exports have left of it is wiped.
    Cleaning,
    /// Nothing is left in the database; it is to be written into the erasure list that is kept outside of it. Where that
    /// cannot be written, it is tried again until it can.
    Listing,
    /// Nothing is left.
    Done,
    /// It was given up: what it had erased stays erased.
    Cancelled,
}

impl From<ErasureStatus> for AuditErasureStatus {
    fn from(status: ErasureStatus) -> Self {
        match status {
            ErasureStatus::Queued => Self::Queued,
            ErasureStatus::Running => Self::Running,
            ErasureStatus::Held => Self::Held,
            ErasureStatus::Ended | ErasureStatus::Cleaning => Self::Cleaning,
            ErasureStatus::Listing => Self::Listing,
            ErasureStatus::Done => Self::Done,
            ErasureStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// The erasure of a person. It does not say who it is.
#[derive(SimpleObject)]
pub struct AuditErasure {
    /// Its id.
    id: ID,
    /// What has become of it.
    status: AuditErasureStatus,
    /// When it was asked for.
    requested_at: DateTime,
    /// Subject of the token that asked for it.
    requested_by: String,
    /// When it was done, or given up.
    finished_at: Option<DateTime>,
    /// How many events of the organization have been looked at.
    done: BigInt,
    /// How many there are to look at: those that are recorded while it runs, too.
    total: BigInt,
    /// Events of which something was erased, so far.
    events: BigInt,
    /// Id of the hold that keeps it from going on.
    hold: Option<ID>,
}

/// What an erasure would do now.
#[derive(SimpleObject)]
pub struct AuditErasurePreview {
    /// Events of which something would be erased.
    events: BigInt,
    /// Those in which the person acted.
    acted: BigInt,
    /// Those in which somebody acted for them.
    represented: BigInt,
    /// Those in which they were acted on.
    acted_on: BigInt,
    /// Holds that keep some of the events: while one is there, the person cannot be erased.
    holds: Vec<AuditErasureHold>,
    /// The events by log.
    logs: Vec<AuditErasureLog>,
    /// How many events were looked at: in a large organization not all in the time of one request.
    done: BigInt,
    /// How many there are.
    total: BigInt,
}

/// A hold that keeps events from being erased.
#[derive(SimpleObject)]
pub struct AuditErasureHold {
    /// Id of the hold.
    hold: ID,
    /// What people call it.
    label: String,
    /// How many of the events it keeps.
    events: BigInt,
}

/// Events of a log that would be erased.
#[derive(SimpleObject)]
pub struct AuditErasureLog {
    /// Name of the log's level.
    level: String,
    /// The product's own id of what has the log.
    external_id: String,
    /// Name to show.
    name: Option<String>,
    /// How many of the events lie in it.
    events: BigInt,
}

/// The erasure that was asked for.
#[derive(SimpleObject)]
pub struct EraseFromAuditLogPayload {
    /// The erasure.
    erasure: AuditErasure,
}

/// The erasure that was given up.
#[derive(SimpleObject)]
pub struct CancelAuditErasurePayload {
    /// The erasure.
    erasure: AuditErasure,
}

pub(super) async fn preview(ctx: &Context<'_>, input: EraseFromAuditLogInput) -> Result<AuditErasurePreview> {
    let (Services { eraser, .. }, principal) = (services(ctx), principal(ctx)?);
    let (organization, whom) = asked(input);
    let preview = eraser.preview(principal, organization.as_deref().map(String::as_str), &whom).await;
    Ok(preview.map_err(|error| error.under("input"))?.into())
}

pub(super) async fn erase(ctx: &Context<'_>, input: EraseFromAuditLogInput) -> Result<EraseFromAuditLogPayload> {
    let (Services { eraser, .. }, principal) = (services(ctx), principal(ctx)?);
    let (organization, whom) = asked(input);
    let erasure = eraser.ask(principal, organization.as_deref().map(String::as_str), whom).await;
    Ok(EraseFromAuditLogPayload { erasure: erasure.map_err(|error| error.under("input"))?.into() })
}

pub(super) async fn cancel(ctx: &Context<'_>, input: CancelAuditErasureInput) -> Result<CancelAuditErasurePayload> {
    let (Services { eraser, .. }, principal) = (services(ctx), principal(ctx)?);
    let organization = input.organization.as_deref().map(String::as_str);
    let erasure = eraser.cancel(principal, organization, &input.id).await;
    Ok(CancelAuditErasurePayload { erasure: erasure.map_err(|error| error.under("input"))?.into() })
}

pub(super) async fn find(ctx: &Context<'_>, organization: Option<ID>, id: &str) -> Result<AuditErasure> {
    let organization = organization.as_deref().map(String::as_str);
    Ok(services(ctx).reader.erasure(principal(ctx)?, organization, id).await?.into())
}

pub(super) async fn list(ctx: &Context<'_>, organization: Option<ID>, first: i64) -> Result<Vec<AuditErasure>> {
    let organization = organization.as_deref().map(String::as_str);
    let found = services(ctx).reader.erasures(principal(ctx)?, organization, first).await?;
    Ok(found.into_iter().map(AuditErasure::from).collect())
}

fn asked(input: EraseFromAuditLogInput) -> (Option<ID>, Whom) {
    let EraseFromAuditLogInput { organization, actor, resource } = input;
    let actor = actor.map(|ErasedActorInput { kind, id, email }| NamedActor { kind: kind.map(Into::into), id, email });
    let resource = resource.map(|ErasedResourceInput { kind, id }| NamedResource { kind, id });
    (organization, Whom { actor, resource })
}

impl From<Erasure> for AuditErasure {
    fn from(erasure: Erasure) -> Self {
        let Erasure { id, status, created_at, created_by, finished_at, total, next, events, hold, .. } = erasure;
        Self {
            id: ID(id),
            status: status.into(),
            requested_at: created_at.into(),
            requested_by: created_by,
            finished_at: finished_at.map(Into::into),
            done: BigInt(next.min(total)),
            total: BigInt(total),
            events: BigInt(events),
            hold: hold.map(ID),
        }
    }
}

impl From<ErasurePreview> for AuditErasurePreview {
    fn from(preview: ErasurePreview) -> Self {
        let ErasurePreview { events, acted, represented, acted_on, held, logs, looked_at, total } = preview;
        let hold = |(hold, events): (crate::store::control::holds::Hold, i64)| AuditErasureHold {
            hold: ID(hold.id),
            label: hold.label,
            events: BigInt(events),
        };
        let log = |(log, name, events): (crate::auth::LogName, Option<String>, i64)| AuditErasureLog {
            level: log.level,
            external_id: log.id,
            name,
            events: BigInt(events),
        };
        Self {
            events: BigInt(events),
            acted: BigInt(acted),
            represented: BigInt(represented),
            acted_on: BigInt(acted_on),
            holds: held.into_iter().map(hold).collect(),
            logs: logs.into_iter().map(log).collect(),
            done: BigInt(looked_at.min(total)),
            total: BigInt(total),
        }
    }
}
