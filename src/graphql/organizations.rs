//! The end of an organization, and its certificate.

use async_graphql::{Context, ID, InputObject, SimpleObject};

use super::{
    Services, principal,
    scalars::{BigInt, DateTime},
    services,
};
use crate::{
    error::{Error, Result},
    event::Timestamp,
    ingest::ends,
    store::control::ends::{By, End},
};

/// The end of an organization that somebody has asked for.
#[derive(SimpleObject)]
pub struct OrganizationEnd {
    /// The organization's id.
    organization: ID,
    /// When it was asked for.
    requested_at: DateTime,
    /// Subject of whoever asked for it.
    requested_by: Option<String>,
    /// When somebody else confirmed it; null before.
    confirmed_at: Option<DateTime>,
    /// Subject of whoever confirmed it.
    confirmed_by: Option<String>,
    /// When it begins, unless it is cancelled or held until then; null before it is confirmed.
    due_at: Option<DateTime>,
    /// Whether it has begun: nothing is recorded any more, and nobody can cancel it.
    has_begun: bool,
}

/// What stays of an organization that has ended. It names no person.
#[derive(SimpleObject)]
pub struct OrganizationCertificate {
    /// The organization's id.
    organization: ID,
    /// Events that were there when the end began, all of which were removed.
    events: BigInt,
    /// Sequence of the first of them; null where there was none.
    first_sequence: Option<BigInt>,
    /// When that was recorded.
    first_recorded_at: Option<DateTime>,
    /// Sequence of the last event that was ever recorded.
    last_sequence: Option<BigInt>,
    /// When that was recorded.
    last_recorded_at: Option<DateTime>,
    /// When the end was asked for.
    requested_at: DateTime,
    /// Roles of whoever asked for it.
    requested_as: String,
    /// When it was confirmed.
    confirmed_at: DateTime,
    /// Roles of whoever confirmed it.
    confirmed_as: String,
    /// When it began.
    begun_at: DateTime,
    /// When nothing was left.
    ended_at: DateTime,
}

/// The organization that is to end.
#[derive(InputObject)]
pub struct OrganizationEndInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
}

/// What became of it.
#[derive(SimpleObject)]
pub struct OrganizationEndPayload {
    /// The end as it stands; null once it is cancelled.
    organization_end: Option<OrganizationEnd>,
}

pub(super) async fn find(ctx: &Context<'_>, organization: Option<ID>) -> Result<Option<OrganizationEnd>> {
    let end = found(ctx, organization.as_ref()).await?;
    Ok(end.filter(|end| end.ended_at.is_none()).map(OrganizationEnd::of))
}

pub(super) async fn certificate(
    ctx: &Context<'_>,
    organization: Option<ID>,
) -> Result<Option<OrganizationCertificate>> {
    Ok(found(ctx, organization.as_ref()).await?.and_then(OrganizationCertificate::of))
}

pub(super) async fn request(ctx: &Context<'_>, input: OrganizationEndInput) -> Result<OrganizationEndPayload> {
    let Services { writer, clock, .. } = services(ctx);
    let asked = ends::request_end(writer, principal(ctx)?, named(input.organization.as_ref()), clock.now()).await;
    shown(ctx, asked.map(drop), input.organization).await
}

pub(super) async fn confirm(ctx: &Context<'_>, input: OrganizationEndInput) -> Result<OrganizationEndPayload> {
    let Services { writer, clock, .. } = services(ctx);
    let confirmed = ends::confirm_end(writer, principal(ctx)?, named(input.organization.as_ref()), clock.now()).await;
    shown(ctx, confirmed.map(drop), input.organization).await
}

pub(super) async fn cancel(ctx: &Context<'_>, input: OrganizationEndInput) -> Result<OrganizationEndPayload> {
    let Services { writer, clock, .. } = services(ctx);
    let cancelled = ends::cancel_end(writer, principal(ctx)?, named(input.organization.as_ref()), clock.now()).await;
    shown(ctx, cancelled.map(drop), input.organization).await
}

async fn shown(ctx: &Context<'_>, done: Result<()>, organization: Option<ID>) -> Result<OrganizationEndPayload> {
    let done = async {
        done?;
        find(ctx, organization).await
    };
    Ok(OrganizationEndPayload { organization_end: done.await.map_err(|error: Error| error.under("input"))? })
}

async fn found(ctx: &Context<'_>, organization: Option<&ID>) -> Result<Option<End>> {
    services(ctx).reader.end(principal(ctx)?, named(organization)).await
}

fn named(organization: Option<&ID>) -> Option<&str> {
    organization.map(|id| id.as_str())
}

impl OrganizationEnd {
    fn of(end: End) -> Self {
        let (confirmed_at, confirmed_by) = match end.confirmed {
            Some(By { at, subject, office: _ }) => (Some(at.into()), subject),
            None => (None, None),
        };
        Self {
            organization: ID(end.organization),
            requested_at: end.requested.at.into(),
            requested_by: end.requested.subject,
            confirmed_at,
            confirmed_by,
            due_at: end.due_at.map(Into::into),
            has_begun: end.begun_at.is_some(),
        }
    }
}

impl OrganizationCertificate {
    /// `None` where it has not ended.
    fn of(end: End) -> Option<Self> {
        let confirmed = end.confirmed?;
        let sequence = |place: Option<(i64, Timestamp)>| place.map(|(sequence, _)| BigInt(sequence));
        let at = |place: Option<(i64, Timestamp)>| place.map(|(_, at)| at.into());
        Some(Self {
            organization: ID(end.organization),
            events: BigInt(end.events),
            first_sequence: sequence(end.first),
            first_recorded_at: at(end.first),
            last_sequence: sequence(end.last),
            last_recorded_at: at(end.last),
            requested_at: end.requested.at.into(),
            requested_as: end.requested.office,
            confirmed_at: confirmed.at.into(),
            confirmed_as: confirmed.office,
            begun_at: end.begun_at?.into(),
            ended_at: end.ended_at?.into(),
        })
    }
}
