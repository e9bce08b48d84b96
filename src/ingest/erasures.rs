//! Erasure of a person: asked for, given up, and told when it is done. No event says who it was.

use std::sync::Arc;

use serde_json::json;

use super::{
    Told, Writer, change,
    manage::{change_as, the_service},
};
use crate::{
    auth::{Principal, policy},
    catalog::{
        Feature, Product,
        management::{ERASURE_CANCELLED, ERASURE_REQUESTED, PERSON_ERASED},
    },
    error::{Error, Result},
    event::{Resource, Timestamp, erased::Whom, names::check_id},
    store::{
        Change,
        control::erasures::{ErasureChange, OwnedErasure},
    },
};

/// Type of the resource of an event that tells of an erasure.
const RESOURCE: &str = "audit_log_erasure";

/// Checks who is to be erased.
///
/// # Errors
/// `BAD_USER_INPUT` naming field and rule.
pub fn check_whom(whom: &Whom) -> Result<()> {
    if whom.actor.is_none() && whom.resource.is_none() {
        return Err(Error::bad_input("actor", "must be there, or resource be: somebody has to be named"));
    }
    if let Some(actor) = &whom.actor {
        if actor.id.is_none() && actor.email.is_none() {
            return Err(Error::bad_input("actor.id", "must be there, or actor.email be"));
        }
        for (field, text) in [("actor.id", &actor.id), ("actor.email", &actor.email)] {
            text.as_deref().map_or(Ok(()), |text| check_id(&field, text))?;
        }
    }
    if let Some(resource) = &whom.resource {
        check_id(&"resource.type", &resource.kind)?;
        check_id(&"resource.id", &resource.id)?;
    }
    Ok(())
}

/// Asks for an erasure, and records the event that tells of it: both or neither.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not; `BAD_USER_INPUT` naming field and rule;
/// `RATE_LIMITED` where too many are unfinished; `OVERLOADED` and `UNAVAILABLE` where nothing was done.
pub async fn ask(
    writer: &Writer,
    principal: &Principal,
    organization: Option<&str>,
    id: String,
    whom: Whom,
    now: Timestamp,
) -> Result<()> {
    let scope = policy::may_administer(principal, organization, Feature::Erasure)?;
    scope.must_be_for_all_logs()?;
    check_whom(&whom)?;
    let told = told_of(ERASURE_REQUESTED, &id, json!({}));
    let asked = ErasureChange::Ask { id, whom: Box::new(whom), by: principal.subject.clone() };
    change(writer, principal, scope, Change::Erasure(asked), told, now).await.map(drop)
}

/// Gives an unfinished erasure up, and records the event that tells of it. What it has erased stays erased.
///
/// # Errors
/// As [`ask`], and `NOT_FOUND` where there is no such erasure, or all its events are done.
pub async fn cancel(
    writer: &Writer,
    principal: &Principal,
    organization: Option<&str>,
    id: &str,
    now: Timestamp,
) -> Result<()> {
    let scope = policy::may_administer(principal, organization, Feature::Erasure)?;
    scope.must_be_for_all_logs()?;
    let told = told_of(ERASURE_CANCELLED, id, json!({}));
    let cancelled = Change::Erasure(ErasureChange::Cancel { id: id.to_owned() });
    change(writer, principal, scope, cancelled, told, now).await.map(drop)
}

/// Records that an erasure is at its end. False where that is told already, or another process has it.
///
/// # Errors
/// `OVERLOADED` and `UNAVAILABLE` where it is to be tried again.
pub async fn tell(
    writer: &Writer,
    product: &Arc<Product>,
    owned: &OwnedErasure,
    owner: i64,
    now: Timestamp,
) -> Result<bool> {
    let scope = policy::of_the_service(product, &owned.organization, Feature::Erasure)?;
    let id = owned.erasure.id.clone();
    let told = told_of(PERSON_ERASED, &id, json!({ "events": owned.erasure.events }));
    let tell = Change::Erasure(ErasureChange::Tell { id, owner });
    match change_as(writer, the_service(), scope, tell, told, now).await {
        Err(Error::NotFound(_)) => Ok(false),
        done => done.map(|_| true),
    }
}

/// Records that an organization of a restored database was erased by the list once more.
///
/// # Errors
/// `OVERLOADED` and `UNAVAILABLE`.
pub async fn tell_replay(
    writer: &Writer,
    product: &Arc<Product>,
    organization: &str,
    events: i64,
    now: Timestamp,
) -> Result<()> {
    let scope = policy::of_the_service(product, organization, Feature::Erasure)?;
    let resource = Resource { kind: Some(RESOURCE.to_owned()), id: None, name: Some("Erasure list".to_owned()) };
    let told = Told { action: PERSON_ERASED, resource, metadata: json!({ "events": events, "replayed": true }) };
    change_as(writer, the_service(), scope, Change::Erasure(ErasureChange::Replayed), told, now).await.map(drop)
}

fn told_of(action: &'static str, id: &str, metadata: serde_json::Value) -> Told {
    let resource = Resource { kind: Some(RESOURCE.to_owned()), id: Some(id.to_owned()), name: None };
    Told { action, resource, metadata }
}
