//! For how long an organization wants its events kept, and how far sweeps have got.

use entity::{organization_plan, retention as row, sweep};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use super::Place;
use crate::{
    auth::ManageScope,
    catalog::{Keep, Wishes},
    error::{Error, Result},
    store::{Store, connection::transaction::Transaction, error},
};

/// A change of what an organization wants.
#[derive(Clone, Debug)]
pub enum RetentionChange {
    /// Events of a level (empty: of all) are kept for so many days, or for ever.
    Set {
        /// The level.
        level: String,
        /// The days.
        days: Option<i64>,
        /// Subject of whoever wants it.
        by: String,
    },
    /// The product's rule counts again.
    Clear {
        /// The level; empty for what was said of all.
        level: String,
    },
    /// A sweep tells how many events of those that are kept for so many days it has removed.
    Told {
        /// The days.
        days: i64,
        /// The events.
        events: i64,
    },
}

impl Store {
    /// What an organization wants.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn retention_wishes(&self, scope: &ManageScope) -> Result<Wishes> {
        let own = self.turn_of(&scope.product().name, scope.organization());
        match self.head_of(&scope.product().name, scope.organization()).await? {
            Some(head) => self.wishes_on(&own.read, head.row.organization_no).await,
            None => Ok(Wishes::default()),
        }
    }

    pub(in crate::store) async fn wishes_on(
        &self,
        db: &impl sea_orm::ConnectionTrait,
        organization_no: i64,
    ) -> Result<Wishes> {
        let asked = row::Entity::find().filter(row::Column::OrganizationNo.eq(organization_no));
        let rows = asked.all(db).await.map_err(error::from)?;
        let levels = rows.into_iter().map(|row| (row.level, Keep::of(row.days))).collect();
        let plan = organization_plan::Entity::find_by_id(organization_no).one(db).await.map_err(error::from)?;
        Ok(Wishes { plan: plan.map(|row| row.plan), levels })
    }

    /// What a sweep has removed is told once, whoever comes first.
    pub(super) async fn may_be_retained(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &RetentionChange,
    ) -> Result<Result<()>> {
        let RetentionChange::Told { days, events } = change else { return Ok(Ok(())) };
        let found = sweep::Entity::find_by_id((place.organization_no, *days)).one(tx).await.map_err(error::from)?;
        let is_untold = found.is_some_and(|sweep| sweep.untold >= *events);
        Ok(if is_untold { Ok(()) } else { Err(Error::not_found("removal")) })
    }

    pub(super) async fn change_retention(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &RetentionChange,
    ) -> Result<()> {
        let organization_no = place.organization_no;
        match change {
            RetentionChange::Set { level, days, by } => {
                let row = row::ActiveModel {
                    organization_no: Set(organization_no),
                    level: Set(level.clone()),
                    days: Set(*days),
                    changed_ns: Set(place.now.0),
                    changed_by: Set(by.clone()),
                };
                let again = OnConflict::columns([row::Column::OrganizationNo, row::Column::Level])
                    .update_columns([row::Column::Days, row::Column::ChangedNs, row::Column::ChangedBy])
                    .to_owned();
                let written = row::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await;
                written.map_err(error::from)?;
            }
            RetentionChange::Clear { level } => {
                let gone = row::Entity::delete_by_id((organization_no, level.clone()));
                gone.exec(tx).await.map_err(error::from)?;
            }
            RetentionChange::Told { days, events } => {
                let told = sweep::Entity::update_many()
                    .col_expr(sweep::Column::Untold, Expr::col(sweep::Column::Untold).sub(*events))
                    .filter(sweep::Column::OrganizationNo.eq(organization_no))
                    .filter(sweep::Column::Days.eq(*days));
                told.exec(tx).await.map_err(error::from)?;
            }
        }
        Ok(())
    }

    /// Every sweep of an organization looks at all events once more.
    pub(in crate::store) async fn begin_sweeps_anew(&self, tx: &Transaction, organization_no: i64) -> Result<()> {
        let anew = sweep::Entity::update_many()
            .col_expr(sweep::Column::Next, 0.into())
            .filter(sweep::Column::OrganizationNo.eq(organization_no));
        anew.exec(tx).await.map_err(error::from)?;
        Ok(())
    }
}
