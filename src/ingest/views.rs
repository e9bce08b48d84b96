//! Views that people save. Each change is told by an event, which says of a private one nothing but that it is there: nobody
//! else is to know what its owner looks for.

use serde_json::{Value, json};

use super::{Told, Writer, change};
use crate::{
    auth::{Principal, policy},
    catalog::management::{VIEW_CREATED, VIEW_DELETED, VIEW_UPDATED},
    chance::Chance,
    error::Result,
    event::{Resource, Timestamp, names::check_name},
    question::view,
    store::{
        Change,
        control::views::{View, ViewChange, ViewUpdate},
    },
};

/// Longest name of a view, in characters.
pub const LABEL_CHARS: usize = 100;

/// A view that is wanted.
#[derive(Clone, Debug)]
pub struct WantedView {
    /// What people call it.
    pub label: String,
    /// What it asks for, as the query of an address of the viewer.
    pub query: String,
    /// Whether all readers of the organization's log see it.
    pub shared: bool,
}

/// Saves a view, and records the event that tells of it.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may have no views, or none that are shared;
/// `BAD_USER_INPUT` naming field and rule; `OVERLOADED` and `UNAVAILABLE` where nothing was done.
pub async fn create_view(
    writer: &Writer,
    chance: &Chance,
    principal: &Principal,
    organization: Option<&str>,
    wanted: WantedView,
    now: Timestamp,
) -> Result<View> {
    let (scope, _) = policy::may_save_views(principal, organization)?;
    let WantedView { label, query, shared } = wanted;
    if shared {
        policy::may_share_views(principal, organization)?;
    }
    check(Some(&label), Some(&query))?;
    let (id, owner) = (chance.id("view_"), scope.subject().to_owned());
    let view = View { id, label, query, owner, shared, created_at: now, changed_at: now };
    let told = Told { action: VIEW_CREATED, resource: resource(&view, &view), metadata: told_of(&view) };
    let created = Change::View(ViewChange::Create(Box::new(view.clone())));
    change(writer, principal, scope, created, told, now).await?;
    Ok(view)
}

/// Changes a view, and records the event that tells of it.
///
/// # Errors
/// As [`create_view`], and `NOT_FOUND` where the principal sees no such view.
pub async fn update_view(
    writer: &Writer,
    principal: &Principal,
    organization: Option<&str>,
    before: &View,
    update: ViewUpdate,
    now: Timestamp,
) -> Result<View> {
    let (scope, by) = policy::may_save_views(principal, organization)?;
    // The store says the same; the policy says which role or plan would do.
    if update.shared.unwrap_or(before.shared) {
        policy::may_share_views(principal, organization)?;
    }
    check(update.label.as_deref(), update.query.as_deref())?;
    let ViewUpdate { label, query, shared } = update.clone();
    let after = View {
        label: label.unwrap_or_else(|| before.label.clone()),
        query: query.unwrap_or_else(|| before.query.clone()),
        shared: shared.unwrap_or(before.shared),
        changed_at: now,
        ..before.clone()
    };
    let (old, new) = (told_of(before), told_of(&after));
    let metadata = if old == new { new } else { json!({ "before": old, "after": new }) };
    let told = Told { action: VIEW_UPDATED, resource: resource(before, &after), metadata };
    let changed = Change::View(ViewChange::Update { id: before.id.clone(), update, by });
    change(writer, principal, scope, changed, told, now).await?;
    Ok(after)
}

/// Deletes a view, and records the event that tells of it.
///
/// # Errors
/// As [`update_view`].
pub async fn delete_view(
    writer: &Writer,
    principal: &Principal,
    organization: Option<&str>,
    view: &View,
    now: Timestamp,
) -> Result<()> {
    let (scope, by) = policy::may_save_views(principal, organization)?;
    let told = Told { action: VIEW_DELETED, resource: resource(view, view), metadata: told_of(view) };
    let deleted = Change::View(ViewChange::Delete { id: view.id.clone(), by });
    change(writer, principal, scope, deleted, told, now).await.map(drop)
}

fn check(label: Option<&str>, query: Option<&str>) -> Result<()> {
    if let Some(label) = label {
        check_name(&"label", label, LABEL_CHARS)?;
    }
    query.map_or(Ok(()), view::check)
}

/// The view, by its name where it was shared or is.
fn resource(before: &View, after: &View) -> Resource {
    let shared = [after, before].into_iter().find(|view| view.shared);
    let name = shared.map(|view| view.label.clone());
    Resource { kind: Some("audit_log_view".to_owned()), id: Some(after.id.clone()), name }
}

fn told_of(view: &View) -> Value {
    let View { label, query, shared, .. } = view;
    if *shared { json!({ "shared": true, "label": label, "query": query }) } else { json!({ "shared": false }) }
}
