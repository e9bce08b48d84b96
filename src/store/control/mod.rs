//! Control tables: what an organization manages of its log, a file a feature. Rows are read and written through SeaORM's
//! entities.
//!
//! A change is made by the writer, in the transaction that records the event which tells of it: either both are committed
//! or neither is. The head of the organization is locked by then, so that changes of one organization come one after the
//! other in all processes, and what `Store::possible` has read still holds when `Store::change` writes. A change that
//! is not possible is refused for its caller alone, and records nothing.

pub mod alerts;
pub mod endpoints;
pub mod ends;
pub mod erasures;
pub mod exports;
pub mod holds;
mod leases;
pub mod masking;
pub mod plans;
pub mod retention;
pub mod tokens;
pub mod views;

use super::{Dictionary, Store, connection::transaction::Transaction};
use crate::{
    auth::{LogName, ManageScope},
    error::Result,
    event::Timestamp,
};

/// A change of a control table.
#[derive(Clone, Debug)]
pub enum Change {
    /// A token is made.
    CreateToken(Box<tokens::NewToken>),
    /// A token is revoked.
    RevokeToken {
        /// Its id.
        id: String,
    },
    /// An endpoint is made, changed, deleted, or sent history again.
    Endpoint(endpoints::EndpointChange),
    /// A rule is made, changed, deleted, or has fired.
    Rule(alerts::RuleChange),
    /// An export is asked for.
    CreateExport(Box<exports::NewExport>),
    /// A hold is placed or lifted.
    Hold(holds::HoldChange),
    /// What an organization wants of its retention changes, or a sweep tells what it did.
    Retention(retention::RetentionChange),
    /// The end of the organization is asked for, confirmed or cancelled.
    End(ends::EndChange),
    /// An erasure is asked for, given up, or at its end.
    Erasure(erasures::ErasureChange),
    /// An organization gets another plan.
    Plan(plans::PlanChange),
    /// A view is saved, changed or deleted.
    View(views::ViewChange),
}

/// A change with whoever may make it.
#[derive(Clone, Debug)]
pub struct Permitted {
    /// The permission.
    pub scope: ManageScope,
    /// The change.
    pub change: Change,
}

/// An organization, as a change finds it: under the lock of its head.
pub(in crate::store) struct Place<'a> {
    /// Its number.
    pub organization_no: i64,
    /// How many events it has, before the one that tells of the change.
    pub size: i64,
    /// Its logs.
    pub dictionary: &'a Dictionary,
    /// The logs that whoever makes the change is narrowed to.
    pub allowed: &'a [LogName],
    /// The time of the transaction.
    pub now: Timestamp,
}

impl Store {
    /// Whether a change can be made.
    ///
    /// # Errors
    /// Why not (`NOT_FOUND`, `FORBIDDEN` or `BAD_USER_INPUT`), as the inner result; those of the database.
    pub(in crate::store) async fn possible(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &Change,
    ) -> Result<Result<()>> {
        match change {
            Change::CreateToken(token) => Ok(tokens::may_be_made(place, token)),
            Change::RevokeToken { id } => self.may_be_revoked(tx, place, id).await,
            Change::Endpoint(change) => self.may_be_changed(tx, place, change).await,
            Change::Rule(change) => self.rule_may_be_changed(tx, place, change).await,
            Change::CreateExport(_) => self.may_be_exported(tx, place).await,
            Change::Hold(change) => self.may_be_held(tx, place, change).await,
            Change::Retention(change) => self.may_be_retained(tx, place, change).await,
            Change::End(change) => self.may_end(tx, place, change).await,
            Change::Erasure(change) => self.erasure_may_change(tx, place, change).await,
            Change::Plan(_) => Ok(Ok(())),
            Change::View(change) => self.view_may_change(tx, place, change).await,
        }
    }

    /// Makes a change that was found possible in the same transaction.
    ///
    /// # Errors
    /// Those of the database.
    pub(in crate::store) async fn change(&self, tx: &Transaction, place: &Place<'_>, change: &Change) -> Result<()> {
        match change {
            Change::CreateToken(token) => self.insert_token(tx, place, token).await,
            Change::RevokeToken { id } => self.mark_revoked(tx, place, id).await,
            Change::Endpoint(change) => Box::pin(self.change_endpoint(tx, place, change)).await,
            Change::Rule(change) => Box::pin(self.change_rule(tx, place, change)).await,
            Change::CreateExport(export) => self.insert_export(tx, place, export).await,
            Change::Hold(change) => self.change_hold(tx, place, change).await,
            Change::Retention(change) => self.change_retention(tx, place, change).await,
            Change::End(change) => Box::pin(self.change_end(tx, place, change)).await,
            Change::Erasure(change) => self.change_erasure(tx, place, change).await,
            Change::Plan(change) => self.change_plan(tx, place, change).await,
            Change::View(change) => self.change_view(tx, place, change).await,
        }
    }
}
