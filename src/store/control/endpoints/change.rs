//! Changes of endpoints, made by the writer.

use entity::{attempt, dead_letter, delivery, endpoint as row};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use super::{DEAD_LETTERS, Endpoint, EndpointChange, of};
use crate::{
    error::{Error, Result},
    store::{Store, connection::transaction::Transaction, control::Place, error},
};

impl Store {
    pub(in crate::store::control) async fn may_be_changed(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &EndpointChange,
    ) -> Result<Result<()>> {
        if let EndpointChange::Create(endpoint) = change {
            let within = endpoint.rights.is_within(place.dictionary, place.allowed);
            return Ok(if within { Ok(()) } else { Err(Error::other_logs()) });
        }
        let found = row::Entity::find_by_id(of(place.organization_no, change.id())).one(tx).await;
        let endpoint = found.map_err(error::from)?.map(Endpoint::of).transpose()?;
        let known = endpoint.is_some_and(|endpoint| endpoint.rights.is_within(place.dictionary, place.allowed));
        Ok(if known { Ok(()) } else { Err(Error::not_found("endpoint")) })
    }

    pub(in crate::store::control) async fn change_endpoint(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &EndpointChange,
    ) -> Result<()> {
        let (no, id) = of(place.organization_no, change.id());
        match change {
            EndpointChange::Create(endpoint) => {
                let row = endpoint.row(no, place.now)?;
                row::Entity::insert(row).exec_without_returning(tx).await.map_err(error::from)?;
                let begins = delivery::ActiveModel {
                    organization_no: Set(no),
                    endpoint_id: Set(id),
                    next: Set(place.size),
                    failures: Set(0),
                    failing_ns: Set(None),
                    due_ns: Set(i64::MIN),
                    succeeded_ns: Set(None),
                    trouble: Set(None),
                    replay_next: Set(None),
                    replay_end: Set(None),
                    replays: Set(0),
                    owner: Set(0),
                    lease_ns: Set(i64::MIN),
                    refusals: Set(0),
                    replay_refusals: Set(0),
                    replay_due_ns: Set(0),
                };
                delivery::Entity::insert(begins).exec_without_returning(tx).await.map_err(error::from)?;
            }
            EndpointChange::Replace(endpoint) => {
                let row = endpoint.row(no, place.now)?;
                Box::pin(row::Entity::update(row).exec(tx)).await.map_err(error::from)?;
                self.try_at_once(tx, no, &id).await?;
            }
            EndpointChange::Replay { range, .. } => self.replay(tx, no, &id, *range).await?,
            EndpointChange::ReplayDeadLetters { .. } => self.replay(tx, no, &id, (0, DEAD_LETTERS)).await?,
            EndpointChange::Delete { .. } => {
                row::Entity::delete_by_id((no, id.clone())).exec(tx).await.map_err(error::from)?;
                delivery::Entity::delete_by_id((no, id.clone())).exec(tx).await.map_err(error::from)?;
                let letters = dead_letter::Entity::delete_many()
                    .filter(dead_letter::Column::OrganizationNo.eq(no))
                    .filter(dead_letter::Column::EndpointId.eq(&id));
                letters.exec(tx).await.map_err(error::from)?;
                let tries = attempt::Entity::delete_many()
                    .filter(attempt::Column::OrganizationNo.eq(no))
                    .filter(attempt::Column::EndpointId.eq(&id));
                tries.exec(tx).await.map_err(error::from)?;
            }
        }
        Ok(())
    }

    /// Whatever stood in an endpoint's way may be mended.
    async fn try_at_once(&self, tx: &Transaction, no: i64, id: &str) -> Result<()> {
        use delivery::Column;
        let update = delivery::Entity::update_many()
            .col_expr(Column::DueNs, i64::MIN.into())
            .col_expr(Column::Failures, 0_i64.into())
            .col_expr(Column::Refusals, 0_i64.into())
            .col_expr(Column::ReplayDueNs, 0_i64.into())
            .col_expr(Column::ReplayRefusals, 0_i64.into())
            .filter(Column::OrganizationNo.eq(no))
            .filter(Column::EndpointId.eq(id));
        update.exec(tx).await.map_err(error::from)?;
        Ok(())
    }

    /// A replay begins, in the place of one that may be under way. It asks for no pause; new events keep theirs.
    async fn replay(&self, tx: &Transaction, no: i64, id: &str, (next, end): (i64, i64)) -> Result<()> {
        use delivery::Column;
        let update = delivery::Entity::update_many()
            .col_expr(Column::ReplayNext, next.into())
            .col_expr(Column::ReplayEnd, end.into())
            .col_expr(Column::ReplayDueNs, 0_i64.into())
            .col_expr(Column::ReplayRefusals, 0_i64.into())
            .col_expr(Column::Replays, Expr::col(Column::Replays).add(1))
            .filter(Column::OrganizationNo.eq(no))
            .filter(Column::EndpointId.eq(id));
        update.exec(tx).await.map_err(error::from)?;
        Ok(())
    }
}
