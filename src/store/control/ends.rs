//! The end of an organization: asked for by one administrator, confirmed by another one, and due some time after that.

use entity::{hold, organization, organization_end as row};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::Place;
use crate::{
    auth::ManageScope,
    error::{Error, Result},
    event::Timestamp,
    store::{Store, connection::transaction::Transaction, error},
};

/// Somebody who asked for an end, or confirmed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// When.
    pub at: Timestamp,
    /// Their subject; nobody's any more once the organization has ended.
    pub subject: Option<String>,
    /// As what they did it: their roles.
    pub office: String,
}

/// The end of an organization, and what stays of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Name of the product.
    pub product: String,
    /// The product's own id of the organization.
    pub organization: String,
    /// Who asked for it.
    pub requested: By,
    /// Who confirmed it.
    pub confirmed: Option<By>,
    /// When it begins, once it is confirmed.
    pub due_at: Option<Timestamp>,
    /// When it began: from then on nothing is recorded, and nobody can cancel it.
    pub begun_at: Option<Timestamp>,
    /// When nothing was left.
    pub ended_at: Option<Timestamp>,
    /// Events that were there when it began.
    pub events: i64,
    /// Sequence and time of recording of the first of them.
    pub first: Option<(i64, Timestamp)>,
    /// The same of the last event that was ever recorded.
    pub last: Option<(i64, Timestamp)>,
}

/// A change of an end.
#[derive(Clone, Debug)]
pub enum EndChange {
    /// Somebody asks for it.
    Request {
        /// Subject of whoever does.
        by: String,
        /// As what.
        office: String,
    },
    /// Somebody else confirms it.
    Confirm {
        /// Subject of whoever does.
        by: String,
        /// As what.
        office: String,
        /// When it begins.
        due: Timestamp,
    },
    /// It is cancelled.
    Cancel,
}

impl Store {
    /// The end of an organization, also of one that has ended.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end_of(&self, scope: &ManageScope) -> Result<Option<End>> {
        let own = self.turn_of(&scope.product().name, scope.organization());
        let found = organization::Entity::find()
            .filter(organization::Column::Product.eq(scope.product().name.clone()))
            .filter(organization::Column::ExternalId.eq(scope.organization().to_owned()));
        let Some(found) = found.one(&own.read).await.map_err(error::from)? else { return Ok(None) };
        let end = row::Entity::find_by_id(found.no).one(&own.read).await.map_err(error::from)?;
        Ok(end.map(|end| End::of(end, found)))
    }

    pub(super) async fn may_end(&self, tx: &Transaction, place: &Place<'_>, change: &EndChange) -> Result<Result<()>> {
        let no = place.organization_no;
        let found = row::Entity::find_by_id(no).one(tx).await.map_err(error::from)?;
        let found = found.filter(|end| end.begun_ns.is_none());
        match (change, found) {
            (EndChange::Request { .. }, Some(_)) => {
                Ok(Err(Error::bad_input("organization", "must not be about to end already")))
            }
            (EndChange::Confirm { .. } | EndChange::Cancel, None) => {
                Ok(Err(Error::NotFound("nobody has asked for the end of this organization".to_owned())))
            }
            (EndChange::Cancel, Some(_)) => Ok(Ok(())),
            (EndChange::Confirm { .. }, Some(end)) if end.confirmed_ns.is_some() => {
                Ok(Err(Error::bad_input("organization", "must not be confirmed already")))
            }
            (EndChange::Confirm { by, .. }, Some(end)) if end.requested_by.as_deref() == Some(by) => {
                let why = "whoever asked for the end of an organization cannot confirm it: somebody else has to";
                Ok(Err(Error::Forbidden(why.to_owned())))
            }
            (EndChange::Confirm { .. } | EndChange::Request { .. }, _) => Ok(match self.oldest_hold(tx, no).await? {
                Some(hold) => Err(Error::Held { hold: hold.id, label: hold.label, events: None }),
                None => Ok(()),
            }),
        }
    }

    /// A hold that is there: whatever it keeps, the end would take it away.
    pub(in crate::store) async fn oldest_hold(
        &self,
        db: &impl ConnectionTrait,
        organization_no: i64,
    ) -> Result<Option<hold::Model>> {
        let holds = hold::Entity::find().filter(hold::Column::OrganizationNo.eq(organization_no));
        holds.order_by_asc(hold::Column::CreatedNs).order_by_asc(hold::Column::Id).one(db).await.map_err(error::from)
    }

    pub(super) async fn change_end(&self, tx: &Transaction, place: &Place<'_>, change: &EndChange) -> Result<()> {
        let no = place.organization_no;
        match change {
            EndChange::Request { by, office } => {
                let new = row::ActiveModel {
                    organization_no: Set(no),
                    requested_ns: Set(place.now.0),
                    requested_by: Set(Some(by.clone())),
                    requested_as: Set(office.clone()),
                    events: Set(0),
                    ..Default::default()
                };
                row::Entity::insert(new).exec_without_returning(tx).await.map_err(error::from)?;
            }
            EndChange::Confirm { by, office, due } => {
                let confirmed = row::ActiveModel {
                    organization_no: Set(no),
                    confirmed_ns: Set(Some(place.now.0)),
                    confirmed_by: Set(Some(by.clone())),
                    confirmed_as: Set(Some(office.clone())),
                    due_ns: Set(Some(due.0)),
                    ..Default::default()
                };
                row::Entity::update(confirmed).exec(tx).await.map_err(error::from)?;
            }
            EndChange::Cancel => {
                row::Entity::delete_by_id(no).exec(tx).await.map_err(error::from)?;
            }
        }
        Ok(())
    }
}

impl End {
    fn of(row: row::Model, named: organization::Model) -> Self {
        let at = |ns: Option<i64>| ns.map(Timestamp);
        let requested = By { at: Timestamp(row.requested_ns), subject: row.requested_by, office: row.requested_as };
        let confirmed = row.confirmed_ns.map(|ns| By {
            at: Timestamp(ns),
            subject: row.confirmed_by,
            office: row.confirmed_as.unwrap_or_default(),
        });
        Self {
            product: named.product,
            organization: named.external_id,
            requested,
            confirmed,
            due_at: at(row.due_ns),
            begun_at: at(row.begun_ns),
            ended_at: at(row.ended_ns),
            events: row.events,
            first: row.first_sequence.zip(at(row.first_ns)),
            last: row.last_sequence.zip(at(row.last_ns)),
        }
    }
}
