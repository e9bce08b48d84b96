//! The end of an organization: asked for, confirmed by somebody else, cancelled. Each is told by an event, as long as there is
//! a log to tell it in.

use serde_json::json;

use super::{Told, Writer, change};
use crate::{
    auth::{ManageScope, Principal, policy},
    catalog::{
        Feature,
        management::{ORGANIZATION_END_CANCELLED, ORGANIZATION_END_CONFIRMED, ORGANIZATION_END_REQUESTED},
    },
    error::Result,
    event::{Resource, Timestamp},
    store::{Change, control::ends::EndChange},
};

/// Nanoseconds of a day.
const DAY: i64 = 24 * 3_600 * 1_000_000_000;
/// Characters of the roles that stay in a certificate.
const OFFICE_CHARS: usize = 128;

/// Asks for the end of an organization. Nothing ends before somebody else has confirmed it.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not, or a hold is there; `BAD_USER_INPUT` where it was
/// asked for already; `OVERLOADED` and `UNAVAILABLE` where nothing was done.
pub async fn request_end(
    writer: &Writer,
    principal: &Principal,
    organization: Option<&str>,
    now: Timestamp,
) -> Result<ManageScope> {
    let asked = EndChange::Request { by: principal.subject.clone(), office: office(principal) };
    tell(writer, principal, organization, asked, ORGANIZATION_END_REQUESTED, json!({}), now).await
}

/// Confirms the end that somebody else has asked for: it begins after the product's delay, counted from now.
///
/// # Errors
/// As [`request_end`]; `FORBIDDEN` for whoever asked for it; `NOT_FOUND` where nobody has.
pub async fn confirm_end(
    writer: &Writer,
    principal: &Principal,
    organization: Option<&str>,
    now: Timestamp,
) -> Result<ManageScope> {
    let due = Timestamp(now.0.saturating_add(principal.product.end_delay.saturating_mul(DAY)));
    let confirmed = EndChange::Confirm { by: principal.subject.clone(), office: office(principal), due };
    let told = json!({ "dueAt": due.to_string() });
    tell(writer, principal, organization, confirmed, ORGANIZATION_END_CONFIRMED, told, now).await
}

/// Cancels the end, until it begins.
///
/// # Errors
/// As [`request_end`], and `NOT_FOUND` where nobody has asked for it, or it has begun.
pub async fn cancel_end(
    writer: &Writer,
    principal: &Principal,
    organization: Option<&str>,
    now: Timestamp,
) -> Result<ManageScope> {
    tell(writer, principal, organization, EndChange::Cancel, ORGANIZATION_END_CANCELLED, json!({}), now).await
}

async fn tell(
    writer: &Writer,
    principal: &Principal,
    organization: Option<&str>,
    wanted: EndChange,
    action: &'static str,
    metadata: serde_json::Value,
    now: Timestamp,
) -> Result<ManageScope> {
    let scope = policy::may_administer(principal, organization, Feature::OrganizationEnd)?;
    scope.must_be_for_all_logs()?;
    let resource = Resource {
        kind: Some("audit_log_organization".to_owned()),
        id: Some(scope.organization().to_owned()),
        name: None,
    };
    let told = Told { action, resource, metadata };
    change(writer, principal, scope.clone(), Change::End(wanted), told, now).await?;
    Ok(scope)
}

/// As what somebody did something: a certificate tells that, and not who it was.
fn office(principal: &Principal) -> String {
    if principal.is_staff() {
        return "staff".to_owned();
    }
    let roles = if principal.roles.is_empty() { "no role".to_owned() } else { principal.roles.join(", ") };
    roles.chars().take(OFFICE_CHARS).collect()
}
