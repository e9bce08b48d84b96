//! Exports: asked for by whoever may export, and told by an event.

use serde_json::json;

use super::{Told, Writer, change};
use crate::{
    auth::{Principal, policy},
    catalog::management::EXPORT_CREATED,
    error::Result,
    event::{Resource, Timestamp},
    store::{Change, control::exports::NewExport},
};

/// Type of the resource of an event that tells of an export.
const RESOURCE: &str = "audit_log_export";

/// Stores an export that is asked for, and records the event that tells of it, with what was asked for: both or neither.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not; `RATE_LIMITED` where too many are unfinished;
/// `OVERLOADED` and `UNAVAILABLE` where nothing was done.
pub async fn create_export(
    writer: &Writer,
    principal: &Principal,
    organization: Option<&str>,
    export: NewExport,
    asked: serde_json::Value,
    now: Timestamp,
) -> Result<()> {
    let scope = policy::may_export(principal, organization)?;
    let told = Told {
        action: EXPORT_CREATED,
        resource: Resource { kind: Some(RESOURCE.to_owned()), id: Some(export.id.clone()), name: None },
        metadata: json!({ "format": export.format, "asked": asked }),
    };
    change(writer, principal, scope, Change::CreateExport(Box::new(export)), told, now).await.map(drop)
}
