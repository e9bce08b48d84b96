//! Plans of organizations whose tokens carry none: the product's backend says what they are.

use serde_json::json;

use super::{Told, Writer, change};
use crate::{
    auth::{Principal, policy},
    catalog::management::PLAN_CHANGED,
    error::Result,
    event::{Resource, Timestamp, names::check_id, names::check_text},
    store::{Change, control::plans::PlanChange},
};

/// Longest name of a plan, in bytes.
const PLAN_BYTES: usize = 256;

/// Sets the plan of an organization, or takes it away (`None`), and records the event that tells of it.
///
/// # Errors
/// `NOT_FOUND` or `FORBIDDEN` where the principal may not; `BAD_USER_INPUT` naming field and rule; `OVERLOADED` and
/// `UNAVAILABLE` where nothing was done.
pub async fn set_plan(
    writer: &Writer,
    principal: &Principal,
    organization: Option<&str>,
    plan: Option<String>,
    now: Timestamp,
) -> Result<()> {
    let scope = policy::may_set_plan(principal, organization)?;
    scope.must_be_for_all_logs()?;
    if let Some(plan) = &plan {
        check_id(&"plan", plan)?;
        check_text(&"plan", plan, PLAN_BYTES)?;
    }
    let resource = Resource {
        kind: Some("audit_log_plan".to_owned()),
        id: plan.clone(),
        name: plan.as_deref().map(|plan| scope.product().as_written().plan_labels.of(plan).to_owned()),
    };
    let told = Told { action: PLAN_CHANGED, resource, metadata: json!({ "plan": plan }) };
    let set = Change::Plan(PlanChange { plan, by: principal.subject.clone() });
    change(writer, principal, scope, set, told, now).await.map(drop)
}
