//! Alerts: a rule that fires is told by an event of the service, recorded with the rule's new place and its messages.

use super::{
    Told, Writer,
    manage::{change_as, the_service},
};
use crate::{
    auth::{MANAGE, Principal, policy},
    catalog::Feature,
    error::Result,
    event::Timestamp,
    store::{
        Change, Recorded,
        control::alerts::{Firing, RuleChange},
    },
};

/// Fires a rule as whoever made it, who must still be one that may have rules: all of it or nothing.
///
/// # Errors
/// `NOT_FOUND` where the rule was changed, has fired or belongs to another process by now; `FORBIDDEN` or `PLAN_REQUIRED`
/// where its maker may have no rules any more; `OVERLOADED` and `UNAVAILABLE`, where it may have fired or not.
pub async fn fire(
    writer: &Writer,
    maker: &Principal,
    firing: Firing,
    told: Told,
    now: Timestamp,
) -> Result<Box<Recorded>> {
    let mut maker = maker.clone();
    maker.scopes.push(MANAGE.to_owned());
    let scope = policy::may_administer(&maker, None, Feature::Rules)?;
    let change = Change::Rule(RuleChange::Fire(Box::new(firing)));
    change_as(writer, the_service(), scope, change, told, now).await
}
