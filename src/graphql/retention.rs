//! For how long events are kept, and what keeps some of them longer.

use async_graphql::{Context, ID, InputObject, SimpleObject};

use super::{
    Services,
    filter::{AuditEventFilter, AuditLogInput},
    principal,
    scalars::{DateTime, Json},
    services,
};
use crate::{
    catalog::Keep,
    error::{Error, Result},
    ingest::retention::{self, WantedHold},
    reading::{Kept, LevelKept},
    store::control::holds::Hold,
};

/// For how long events of an organization are kept, counted from their recording. What was kept for long enough leaves the
/// log within some hours; the log tells how many events left (`audit_log.events_removed`).
#[derive(SimpleObject)]
pub struct AuditRetention {
    /// By level, the organization's own first.
    levels: Vec<AuditLevelRetention>,
    /// Days that the organization wishes for all levels: see `isWished`.
    wished_days: Option<i32>,
    /// Whether the organization wishes something for all levels. Without `wishedDays`, that is for ever.
    is_wished: bool,
    /// Days that nobody can go below; null where the product names none.
    floor_days: Option<i32>,
}

/// For how long events of a level are kept.
#[derive(SimpleObject)]
pub struct AuditLevelRetention {
    /// Name of the level, as in `Product.levels`.
    level: String,
    /// Days that its events are kept; null is for ever.
    days: Option<i32>,
    /// Whether the organization wishes it so for this level.
    is_wished: bool,
}

/// What must not leave the log: no retention and no erasure takes it away while the hold is there.
#[derive(SimpleObject)]
pub struct AuditHold {
    /// Its id.
    id: ID,
    /// What people call it.
    label: String,
    /// Which events it keeps: `log` as `level:id` (the whole organization where absent), `includeNested`, and `filter`, as
    /// it was placed.
    question: Json,
    /// When it was placed.
    created_at: DateTime,
    /// Subject of whoever placed it.
    created_by: String,
}

/// For how long events are to be kept.
#[derive(InputObject)]
pub struct SetAuditRetentionInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The level; all levels where absent.
    level: Option<String>,
    /// Days to keep events, at least the product's floor. Not together with `forever` or `asProduct`.
    days: Option<i32>,
    /// Whether they are kept for ever.
    forever: Option<bool>,
    /// Whether the product's rule counts again.
    as_product: Option<bool>,
}

/// What counts now.
#[derive(SimpleObject)]
pub struct SetAuditRetentionPayload {
    /// For how long events are kept.
    retention: AuditRetention,
}

/// A hold to place.
#[derive(InputObject)]
pub struct PlaceAuditHoldInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// What people call it, such as the name of the case: at most 256 bytes.
    label: String,
    /// The log that it is about; the whole organization where absent.
    log: Option<AuditLogInput>,
    /// Whether logs nested in it are meant too; they are where this is absent.
    include_nested: Option<bool>,
    /// Which events it keeps; all where absent. A `period` is not taken: days that end today are others tomorrow.
    filter: Option<AuditEventFilter>,
}

/// The hold that was placed.
#[derive(SimpleObject)]
pub struct PlaceAuditHoldPayload {
    /// The hold.
    hold: AuditHold,
}

/// A hold to lift.
#[derive(InputObject)]
pub struct LiftAuditHoldInput {
    /// The organization; needed where the token names none.
    organization: Option<ID>,
    /// The hold's id.
    id: ID,
}

/// The hold that was lifted.
#[derive(SimpleObject)]
pub struct LiftAuditHoldPayload {
    /// The hold as it was.
    hold: AuditHold,
}

pub(super) async fn find(ctx: &Context<'_>, organization: Option<ID>) -> Result<AuditRetention> {
    let kept = services(ctx).reader.retention(principal(ctx)?, organization.as_deref().map(String::as_str)).await?;
    Ok(kept.into())
}

pub(super) async fn holds(ctx: &Context<'_>, organization: Option<ID>) -> Result<Vec<AuditHold>> {
    let holds = services(ctx).reader.holds(principal(ctx)?, organization.as_deref().map(String::as_str)).await?;
    holds.into_iter().map(AuditHold::of).collect()
}

pub(super) async fn set(ctx: &Context<'_>, input: SetAuditRetentionInput) -> Result<SetAuditRetentionPayload> {
    let (Services { writer, reader, clock, .. }, principal) = (services(ctx), principal(ctx)?);
    let SetAuditRetentionInput { organization, level, days, forever, as_product } = input;
    let keep = match (days, forever.unwrap_or_default(), as_product.unwrap_or_default()) {
        (Some(days), false, false) => Some(Keep::Days(days.into())),
        (None, true, false) => Some(Keep::Forever),
        (None, false, true) => None,
        _ => {
            let rule = "must be there, or forever or asProduct be true: one of the three";
            return Err(Error::bad_input("input.days", rule));
        }
    };
    let organization = organization.as_deref().map(String::as_str);
    let set = async {
        retention::set_retention(writer, principal, organization, level.as_deref(), keep, clock.now()).await?;
        reader.retention(principal, organization).await
    };
    let kept = set.await.map_err(|error| error.under("input"))?;
    Ok(SetAuditRetentionPayload { retention: kept.into() })
}

pub(super) async fn place(ctx: &Context<'_>, input: PlaceAuditHoldInput) -> Result<PlaceAuditHoldPayload> {
    let (Services { writer, chance, clock, .. }, principal) = (services(ctx), principal(ctx)?);
    let PlaceAuditHoldInput { organization, label, log, include_nested, filter } = input;
    let filter = super::filter::filter(filter, super::filter::Typed::default());
    let wanted = WantedHold { label, log: log.map(Into::into), include_nested, filter };
    let organization = organization.as_deref().map(String::as_str);
    let placed = retention::place_hold(writer, chance, principal, organization, wanted, clock.now()).await;
    Ok(PlaceAuditHoldPayload { hold: AuditHold::of(placed.map_err(|error| error.under("input"))?)? })
}

pub(super) async fn lift(ctx: &Context<'_>, input: LiftAuditHoldInput) -> Result<LiftAuditHoldPayload> {
    let (Services { writer, reader, clock, .. }, principal) = (services(ctx), principal(ctx)?);
    let organization = input.organization.as_deref().map(String::as_str);
    let lifted = async {
        let hold = reader.hold(principal, organization, &input.id).await?;
        retention::lift_hold(writer, principal, organization, &hold, clock.now()).await?;
        Ok::<_, Error>(hold)
    };
    Ok(LiftAuditHoldPayload { hold: AuditHold::of(lifted.await.map_err(|error| error.under("input"))?)? })
}

impl AuditHold {
    fn of(hold: Hold) -> Result<Self> {
        let Hold { id, label, question, created_at, created_by } = hold;
        let question = Json(serde_json::from_str(&question).map_err(Error::internal)?);
        Ok(Self { id: ID(id), label, question, created_at: created_at.into(), created_by })
    }
}

impl From<Kept> for AuditRetention {
    fn from(kept: Kept) -> Self {
        let Kept { levels, wished, floor } = kept;
        let level = |LevelKept { level, keep, wished }: LevelKept| AuditLevelRetention {
            level,
            days: days(keep),
            is_wished: wished.is_some(),
        };
        Self {
            levels: levels.into_iter().map(level).collect(),
            wished_days: wished.and_then(days),
            is_wished: wished.is_some(),
            floor_days: i32::try_from(floor).ok().filter(|floor| *floor > 0),
        }
    }
}

fn days(keep: Keep) -> Option<i32> {
    keep.days().and_then(|days| i32::try_from(days).ok())
}
