//! Holds: what must not leave the log while they are there.

use entity::hold as row;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use super::Place;
use crate::{
    auth::{LogName, ManageScope},
    catalog::Product,
    error::{Error, Result},
    event::{Event, Timestamp},
    question::{asked::Asked, filter::Filter},
    store::{Dictionary, Store, connection::transaction::Transaction, error},
};

/// Holds that an organization has at most: each is asked about every event that would leave.
const HOLDS: u64 = 100;

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Public id.
    pub id: String,
    /// What people call it: the case that it is for.
    pub label: String,
    /// Which events it keeps, as JSON of [`Asked`].
    pub question: String,
    /// When it was placed.
    pub created_at: Timestamp,
    /// Subject of whoever placed it.
    pub created_by: String,
}

/// A change of holds.
#[derive(Clone, Debug)]
pub enum HoldChange {
    /// It is placed.
    Place(Box<Hold>),
    /// It is lifted.
    Lift {
        /// Its id.
        id: String,
    },
}

/// A hold, ready to be asked about events.
pub struct Holding {
    filter: Filter,
    /// Number of the log that it is about; `None` for the whole organization.
    log_no: Option<i64>,
    /// Whether logs below it are meant too.
    nested: bool,
}

impl Holding {
    /// Reads a hold as it is stored. What it means may only grow: where it cannot be read, nothing leaves.
    pub(in crate::store) fn of(
        hold: &Hold,
        product: &Product,
        dictionary: &Dictionary,
        now: Timestamp,
    ) -> Result<Self> {
        let Asked { v: _, log, include_nested, filter } =
            serde_json::from_str(&hold.question).map_err(Error::internal)?;
        let labelled = |word: &str, prefix| {
            let found = product.catalog.labelled(word, prefix);
            (found.actions, found.categories)
        };
        let filter = filter.check(labelled, now).map_err(Error::internal)?;
        let log_no = match log.as_deref().map(LogName::parse) {
            None => None,
            Some(name) => {
                let no = name.as_ref().and_then(|name| dictionary.named(name));
                Some(no.ok_or_else(|| Error::internal(Unread(hold.id.clone())))?)
            }
        };
        Ok(Self { filter, log_no, nested: include_nested.unwrap_or(true) })
    }

    /// Whether it keeps an event.
    #[must_use]
    pub fn keeps(&self, event: &Event, dictionary: &Dictionary) -> bool {
        let lies_there = match self.log_no {
            None => true,
            Some(no) if self.nested => dictionary.within(event.log_no).any(|within| within == no),
            Some(no) => event.log_no == no,
        };
        lies_there && self.filter.matches(event)
    }
}

impl Store {
    /// The holds of an organization, the oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn holds(&self, scope: &ManageScope) -> Result<Vec<Hold>> {
        let own = self.turn_of(&scope.product().name, scope.organization());
        match self.head_of(&scope.product().name, scope.organization()).await? {
            Some(head) => self.holds_on(&own.read, head.row.organization_no).await,
            None => Ok(Vec::new()),
        }
    }

    /// The same, ready to be asked about events; `None` where one of them cannot be read, so that everything is kept.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn holdings(
        &self,
        scope: &ManageScope,
        dictionary: &Dictionary,
        now: Timestamp,
    ) -> Result<Option<Vec<Holding>>> {
        let holds = self.holds(scope).await?;
        let holdings = holds.iter().map(|hold| Holding::of(hold, scope.product(), dictionary, now));
        Ok(holdings.collect::<Result<_>>().ok())
    }

    pub(in crate::store) async fn holds_on(
        &self,
        db: &impl sea_orm::ConnectionTrait,
        organization_no: i64,
    ) -> Result<Vec<Hold>> {
        let asked = row::Entity::find().filter(row::Column::OrganizationNo.eq(organization_no));
        let asked = asked.order_by_asc(row::Column::CreatedNs).order_by_asc(row::Column::Id);
        Ok(asked.all(db).await.map_err(error::from)?.into_iter().map(Hold::of).collect())
    }

    pub(super) async fn may_be_held(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &HoldChange,
    ) -> Result<Result<()>> {
        match change {
            HoldChange::Place(hold) => {
                let asked = row::Entity::find().filter(row::Column::OrganizationNo.eq(place.organization_no));
                if asked.count(tx).await.map_err(error::from)? >= HOLDS {
                    return Ok(Err(Error::bad_input("holds", format!("an organization has at most {HOLDS} holds"))));
                }
                let asked: Asked = serde_json::from_str(&hold.question).map_err(Error::internal)?;
                let name = asked.log.as_deref().and_then(LogName::parse);
                Ok(match name {
                    Some(name) if place.dictionary.named(&name).is_none() => Err(Error::not_found(&name.level)),
                    _ => Ok(()),
                })
            }
            HoldChange::Lift { id } => {
                let found = row::Entity::find_by_id((place.organization_no, id.clone())).one(tx).await;
                Ok(found.map_err(error::from)?.map(drop).ok_or_else(|| Error::not_found("hold")))
            }
        }
    }

    pub(super) async fn change_hold(&self, tx: &Transaction, place: &Place<'_>, change: &HoldChange) -> Result<()> {
        match change {
            HoldChange::Place(hold) => {
                let Hold { id, label, question, created_at, created_by } = hold.as_ref().clone();
                let row = row::ActiveModel {
                    organization_no: Set(place.organization_no),
                    id: Set(id),
                    label: Set(label),
                    question: Set(question),
                    created_ns: Set(created_at.0),
                    created_by: Set(created_by),
                };
                row::Entity::insert(row).exec_without_returning(tx).await.map_err(error::from)?;
            }
            HoldChange::Lift { id } => {
                let gone = row::Entity::delete_by_id((place.organization_no, id.clone()));
                gone.exec(tx).await.map_err(error::from)?;
                // What it kept was passed over: everything is looked at once more.
                self.begin_sweeps_anew(tx, place.organization_no).await?;
            }
        }
        Ok(())
    }
}

impl Hold {
    fn of(row: row::Model) -> Self {
        let row::Model { organization_no: _, id, label, question, created_ns, created_by } = row;
        Self { id, label, question, created_at: Timestamp(created_ns), created_by }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the hold {0} is of a log that is not there")]
struct Unread(String);
