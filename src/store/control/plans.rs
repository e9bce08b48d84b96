//! The plan of an organization whose tokens carry none.

use entity::organization_plan as row;
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use super::Place;
use crate::{
    error::Result,
    store::{Store, connection::transaction::Transaction, error},
};

/// A plan that an organization gets; `None` where it has none any more.
#[derive(Clone, Debug)]
pub struct PlanChange {
    /// The plan.
    pub plan: Option<String>,
    /// Subject of whoever says so.
    pub by: String,
}

impl Store {
    /// The plan that is kept for an organization, of the primary: a replica may not know of a change yet.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn organization_plan(&self, product: &str, organization: &str) -> Result<Option<String>> {
        let Some(head) = self.head_of(product, organization).await? else { return Ok(None) };
        let own = self.turn_of(product, organization);
        let found = row::Entity::find_by_id(head.row.organization_no).one(&own.read).await.map_err(error::from)?;
        Ok(found.map(|row| row.plan))
    }

    pub(super) async fn change_plan(&self, tx: &Transaction, place: &Place<'_>, change: &PlanChange) -> Result<()> {
        let organization_no = place.organization_no;
        let Some(plan) = &change.plan else {
            row::Entity::delete_by_id(organization_no).exec(tx).await.map_err(error::from)?;
            return Ok(());
        };
        let row = row::ActiveModel {
            organization_no: Set(organization_no),
            plan: Set(plan.clone()),
            changed_ns: Set(place.now.0),
            changed_by: Set(change.by.clone()),
        };
        let again = OnConflict::column(row::Column::OrganizationNo)
            .update_columns([row::Column::Plan, row::Column::ChangedNs, row::Column::ChangedBy])
            .to_owned();
        row::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await.map_err(error::from)?;
        Ok(())
    }
}
