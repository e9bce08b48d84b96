//! What administrators do: a change of a control table, and the event of the service itself that tells of it.
//!
//! A feature's file asks the policy for its [`ManageScope`], checks what is asked, and hands the change over with what
//! there is to tell. Nothing secret is told: neither a key nor what could be turned into one.

use super::{Writer, admit::admit_own, rules::Filled};
use crate::{
    auth::{ManageScope, Principal},
    error::Result,
    event::{Actor, ActorKind, Outcome, Resource, Timestamp, input::RecordInput},
    store::{Change, Permitted, Recorded},
};

/// What an event of the service tells of a change.
pub struct Told {
    /// One of the service's own actions.
    pub action: &'static str,
    /// What was changed: its type, id and name.
    pub resource: Resource,
    /// What it was changed to, never a secret.
    pub metadata: serde_json::Value,
}

/// Makes a change, and records the event that tells of it in the same transaction.
///
/// The event stands in the organization's own log; where the principal is narrowed to logs, in the first of those that
/// was not deleted.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN` or `BAD_USER_INPUT` where the change is not possible: nothing is recorded then. `OVERLOADED`
/// and `UNAVAILABLE` where nothing was done.
pub async fn change(
    writer: &Writer,
    principal: &Principal,
    scope: ManageScope,
    change: Change,
    told: Told,
    now: Timestamp,
) -> Result<Box<Recorded>> {
    change_as(writer, actor(principal), scope, change, told, now).await
}

/// The same as an actor: the service itself does some things by the product's rules.
pub(super) async fn change_as(
    writer: &Writer,
    actor: Actor,
    scope: ManageScope,
    change: Change,
    told: Told,
    now: Timestamp,
) -> Result<Box<Recorded>> {
    let event = RecordInput {
        resources: vec![told.resource],
        metadata: Some(told.metadata.to_string()),
        ..RecordInput::new(told.action, actor)
    };
    let category = scope.product().own_category(&event.action);
    let filled = Filled { category, outcome: Some(Outcome::Success) };
    let item = admit_own(writer.masking(), scope.telling().clone(), event, filled, now)?;
    writer.change(Permitted { scope, change }, item).await
}

/// The service as an actor.
pub(super) fn the_service() -> Actor {
    Actor { kind: ActorKind::System, id: None, name: Some("Ledgerline".to_owned()), email: None }
}

/// The principal as an actor. A token does not say what its subject is: one that has a role, a name or an address is a
/// person.
pub(super) fn actor(principal: &Principal) -> Actor {
    let is_person = !principal.roles.is_empty() || principal.name.is_some() || principal.email.is_some();
    let kind = match () {
        () if principal.is_staff() => ActorKind::Staff,
        () if principal.is_partner => ActorKind::ApiKey,
        () if is_person => ActorKind::User,
        () => ActorKind::Service,
    };
    let Principal { subject, name, email, .. } = principal;
    Actor { kind, id: Some(subject.clone()), name: name.clone(), email: email.clone() }
}
