//! What keeps events in the log, and what lets them go: holds, and the organization's own wishes. Each change is told by an
//! event; so is what sweeps have removed.

use serde_json::json;

use super::{
    Told, Writer, change,
    manage::{change_as, the_service},
};
use crate::{
    auth::{LogName, Principal, policy},
    catalog::{
        Feature, Keep, Product,
        management::{EVENTS_REMOVED, HOLD_LIFTED, HOLD_PLACED, RETENTION_CHANGED},
    },
    chance::Chance,
    error::{Error, Result},
    event::{
        Resource, Timestamp,
        names::{check_id, check_label},
    },
    question::{asked::Asked, input::FilterInput},
    store::{
        Change,
        control::{
            holds::{Hold, HoldChange},
            retention::RetentionChange,
        },
    },
};

/// A hold that is wanted.
#[derive(Clone, Debug, Default)]
pub struct WantedHold {
    /// What people call it.
    pub label: String,
    /// The log that it is about; the organization's own, with all nested ones, where absent.
    pub log: Option<LogName>,
    /// Whether logs nested in it are meant too; they are where absent.
    pub include_nested: Option<bool>,
    /// Which events it keeps; all of them where nothing is asked.
    pub filter: FilterInput,
}

/// Places a hold, and records the event that tells of it. Nothing that it keeps leaves from the answer on.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not; `BAD_USER_INPUT` naming field and rule;
/// `OVERLOADED` and `UNAVAILABLE` where nothing was done.
pub async fn place_hold(
    writer: &Writer,
    chance: &Chance,
    principal: &Principal,
    organization: Option<&str>,
    wanted: WantedHold,
    now: Timestamp,
) -> Result<Hold> {
    let scope = policy::may_administer(principal, organization, Feature::Holds)?;
    scope.must_be_for_all_logs()?;
    let WantedHold { label, log, include_nested, filter } = wanted;
    check_label(&label)?;
    if let Some(log) = &log {
        scope.product().check_level("log.level", &log.level)?;
        check_id(&"log.id", &log.id)?;
    }
    filter.must_not_move("days that end today are others tomorrow")?;
    // What is stored can be read whenever something is to leave.
    filter.clone().check(|_, _| (Vec::new(), Vec::new()), now)?;
    let is_whole = log.as_ref().is_none_or(|log| log.level == scope.product().top_level().name);
    if let Some(log) = log.as_ref().filter(|log| is_whole && log.id != scope.organization()) {
        return Err(Error::not_found(&log.level));
    }
    let log = log.filter(|_| !is_whole || include_nested == Some(false)).map(|log| log.to_string());
    let asked = Asked { v: 1, log, include_nested, filter };
    let id = chance.id("hold_");
    let question = asked.text()?;
    let created_by = principal.subject.clone();
    let hold = Hold { id, label, question, created_at: now, created_by };
    let told = told_of(HOLD_PLACED, &hold)?;
    let placed = Change::Hold(HoldChange::Place(Box::new(hold.clone())));
    change(writer, principal, scope, placed, told, now).await?;
    Ok(hold)
}

/// Lifts a hold, and records the event that tells of it.
///
/// # Errors
/// As [`place_hold`], and `NOT_FOUND` where there is no such hold.
pub async fn lift_hold(
    writer: &Writer,
    principal: &Principal,
    organization: Option<&str>,
    hold: &Hold,
    now: Timestamp,
) -> Result<()> {
    let scope = policy::may_administer(principal, organization, Feature::Holds)?;
    scope.must_be_for_all_logs()?;
    let told = told_of(HOLD_LIFTED, hold)?;
    let lifted = Change::Hold(HoldChange::Lift { id: hold.id.clone() });
    change(writer, principal, scope, lifted, told, now).await.map(drop)
}

/// Sets for how long events of a level (without one: of all) are kept, or lets the product's rule count again (`None`), and
/// records the event that tells of it.
///
/// # Errors
/// As [`place_hold`]; `BAD_USER_INPUT` for a time that is shorter than the product's floor.
pub async fn set_retention(
    writer: &Writer,
    principal: &Principal,
    organization: Option<&str>,
    level: Option<&str>,
    keep: Option<Keep>,
    now: Timestamp,
) -> Result<()> {
    let scope = policy::may_administer(principal, organization, Feature::Retention)?;
    scope.must_be_for_all_logs()?;
    let product = scope.product();
    if let Some(level) = level {
        product.check_level("level", level)?;
    }
    let least = product.retention_floor.max(1);
    if let Some(Keep::Days(days)) = keep
        && !(least..=Keep::LONGEST).contains(&days)
    {
        let rule = format!("must be {least} to {}, got {days}", Keep::LONGEST);
        return Err(Error::bad_input("days", rule));
    }
    let resource = Resource {
        kind: Some("audit_log_retention".to_owned()),
        id: level.map(str::to_owned),
        name: Some(keep.map_or_else(|| "as the product says".to_owned(), |keep| keep.to_string())),
    };
    let days = keep.map(|keep| json!(keep.days()));
    let metadata = json!({ "level": level, "keep": keep.map(|keep| keep.to_string()), "days": days });
    let told = Told { action: RETENTION_CHANGED, resource, metadata };
    let level = level.unwrap_or_default().to_owned();
    let wished = match keep {
        Some(keep) => RetentionChange::Set { level, days: keep.days(), by: principal.subject.clone() },
        None => RetentionChange::Clear { level },
    };
    change(writer, principal, scope, Change::Retention(wished), told, now).await.map(drop)
}

/// Records how many events a sweep has removed that were kept for so many days, once each.
///
/// # Errors
/// `OVERLOADED` and `UNAVAILABLE` where it is to be told later.
pub async fn tell_removal(
    writer: &Writer,
    product: &std::sync::Arc<Product>,
    organization: &str,
    (days, events): (i64, i64),
    now: Timestamp,
) -> Result<()> {
    let scope = policy::of_the_service(product, organization, Feature::Retention)?;
    let resource =
        Resource { kind: Some("audit_log_retention".to_owned()), id: None, name: Some(Keep::Days(days).to_string()) };
    let told = Told { action: EVENTS_REMOVED, resource, metadata: json!({ "events": events, "keptDays": days }) };
    let change = Change::Retention(RetentionChange::Told { days, events });
    match change_as(writer, the_service(), scope, change, told, now).await {
        // Another process has told it.
        Err(Error::NotFound(_)) => Ok(()),
        told => told.map(drop),
    }
}

fn told_of(action: &'static str, hold: &Hold) -> Result<Told> {
    let resource =
        Resource { kind: Some("audit_log_hold".to_owned()), id: Some(hold.id.clone()), name: Some(hold.label.clone()) };
    let question: serde_json::Value = serde_json::from_str(&hold.question).map_err(Error::internal)?;
    Ok(Told { action, resource, metadata: json!({ "question": question }) })
}
