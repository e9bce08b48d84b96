//! Changes of rules, made by the writer.

use entity::{alert_message as message, alert_rule as row, alert_watch as watch};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use super::{Firing, Rule, RuleChange, RuleStatus, Told, json, of};
use crate::{
    error::{Error, Result},
    store::{
        Store,
        connection::transaction::Transaction,
        control::{Place, endpoints::Endpoint},
        error,
    },
};

impl Store {
    pub(in crate::store::control) async fn rule_may_be_changed(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &RuleChange,
    ) -> Result<Result<()>> {
        let gone = || Ok(Err(Error::not_found("rule")));
        if let RuleChange::Create(rule) = change {
            if !rule.rights.is_within(place.dictionary, place.allowed) {
                return Ok(Err(Error::other_logs()));
            }
            return self.may_be_told(tx, place, rule, None).await;
        }
        let found = row::Entity::find_by_id(of(place.organization_no, change.id())).one(tx).await;
        let Some(known) = found.map_err(error::from)?.map(Rule::of).transpose()? else { return gone() };
        match change {
            RuleChange::Fire(firing) => {
                let Firing { owner, changes, next, .. } = &**firing;
                let watch = watch::Entity::find_by_id(of(place.organization_no, &known.id)).one(tx).await;
                let as_counted =
                    |watch: watch::Model| (watch.owner, watch.changes, watch.next) == (*owner, *changes, *next);
                let is_so = watch.map_err(error::from)?.is_some_and(as_counted) && known.status == RuleStatus::Active;
                if is_so { Ok(Ok(())) } else { gone() }
            }
            _ if !known.rights.is_within(place.dictionary, place.allowed) => gone(),
            RuleChange::Replace { rule, .. } => self.may_be_told(tx, place, rule, Some(&known)).await,
            RuleChange::Create(_) | RuleChange::Delete { .. } => Ok(Ok(())),
        }
    }

    /// An endpoint is told of nothing that it may not be sent: it has rights of its own. A rule whose endpoint was deleted
    /// can still be changed.
    async fn may_be_told(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        rule: &Rule,
        before: Option<&Rule>,
    ) -> Result<Result<()>> {
        let Told::Endpoint(id) = &rule.told else { return Ok(Ok(())) };
        let found = entity::endpoint::Entity::find_by_id(of(place.organization_no, id)).one(tx).await;
        let endpoint = found.map_err(error::from)?.map(Endpoint::of).transpose()?;
        if endpoint.is_none() && before.is_some_and(|before| before.told == rule.told) {
            return Ok(Ok(()));
        }
        let is_known = |endpoint: &Endpoint| endpoint.rights.is_within(place.dictionary, place.allowed);
        Ok(match endpoint.filter(is_known) {
            None => Err(Error::bad_input("target.endpoint", "must be the id of an endpoint of the same organization")),
            Some(endpoint) if rule.rights.is_within(place.dictionary, &endpoint.rights.logs) => Ok(()),
            Some(_) => {
                let rule = "must be an endpoint that may be sent events of all logs that the rule counts";
                Err(Error::bad_input("target.endpoint", rule))
            }
        })
    }

    pub(in crate::store::control) async fn change_rule(
        &self,
        tx: &Transaction,
        place: &Place<'_>,
        change: &RuleChange,
    ) -> Result<()> {
        use watch::Column;
        let (no, id) = of(place.organization_no, change.id());
        let of_rule = || Column::OrganizationNo.eq(no).and(Column::RuleId.eq(&id));
        match change {
            RuleChange::Create(rule) => {
                row::Entity::insert(rule.row(no, place.now)?).exec_without_returning(tx).await.map_err(error::from)?;
                let begins = watch::ActiveModel {
                    organization_no: Set(no),
                    rule_id: Set(id.clone()),
                    next: Set(place.size + 1),
                    counted_from: Set(place.size + 1),
                    fired_at: Set("[]".to_owned()),
                    changes: Set(0),
                    firings: Set(0),
                    fired_ns: Set(None),
                    fired_sequence: Set(None),
                    trouble: Set(None),
                    sent_ns: Set(None),
                    unsent: Set(None),
                    owner: Set(0),
                    lease_ns: Set(i64::MIN),
                };
                watch::Entity::insert(begins).exec_without_returning(tx).await.map_err(error::from)?;
            }
            RuleChange::Replace { rule, anew } => {
                Box::pin(row::Entity::update(rule.row(no, place.now)?).exec(tx)).await.map_err(error::from)?;
                // Whatever stood in the way may be mended.
                let mut update = watch::Entity::update_many()
                    .col_expr(Column::Changes, Expr::col(Column::Changes).add(1))
                    .col_expr(Column::Trouble, None::<String>.into())
                    .filter(of_rule());
                if *anew {
                    update = update
                        .col_expr(Column::Next, (place.size + 1).into())
                        .col_expr(Column::CountedFrom, (place.size + 1).into())
                        .col_expr(Column::FiredAt, "[]".into());
                }
                update.exec(tx).await.map_err(error::from)?;
            }
            RuleChange::Delete { .. } => {
                row::Entity::delete_by_id((no, id.clone())).exec(tx).await.map_err(error::from)?;
                watch::Entity::delete_by_id((no, id.clone())).exec(tx).await.map_err(error::from)?;
                let messages = message::Entity::delete_many()
                    .filter(message::Column::OrganizationNo.eq(no))
                    .filter(message::Column::RuleId.eq(&id));
                messages.exec(tx).await.map_err(error::from)?;
            }
            RuleChange::Fire(firing) => {
                let Firing { spot, receivers, .. } = &**firing;
                // The event that tells of it is the next one of the organization.
                let sequence = place.size;
                let update = watch::Entity::update_many()
                    .col_expr(Column::Next, spot.next.into())
                    .col_expr(Column::CountedFrom, spot.counted_from.into())
                    .col_expr(Column::FiredAt, json(&spot.fired)?.into())
                    .col_expr(Column::Firings, Expr::col(Column::Firings).add(1))
                    .col_expr(Column::FiredNs, place.now.0.into())
                    .col_expr(Column::FiredSequence, sequence.into())
                    .col_expr(Column::Trouble, None::<String>.into())
                    .filter(of_rule());
                update.exec(tx).await.map_err(error::from)?;
                let rows = receivers.iter().map(|receiver| message::ActiveModel {
                    organization_no: Set(no),
                    rule_id: Set(id.clone()),
                    sequence: Set(sequence),
                    receiver: Set(receiver.clone()),
                    made_ns: Set(place.now.0),
                    due_ns: Set(place.now.0),
                    failures: Set(0),
                    refusals: Set(0),
                    trouble: Set(None),
                });
                message::Entity::insert_many(rows).exec_without_returning(tx).await.map_err(error::from)?;
            }
        }
        Ok(())
    }
}
