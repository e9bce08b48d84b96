//! Which process has a rule, and how far that has counted.

use entity::{alert_rule as row, alert_watch as watch};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{HeldRule, LentRule, Rule, RuleStatus, Spot, Watch, json, of};
use crate::{
    error::Result,
    event::Timestamp,
    store::{Store, control::leases::Lending, dialect::sql::Sql, error},
};

/// How rules are lent to processes.
const LENDING: Lending<watch::Column> = Lending {
    key: [watch::Column::OrganizationNo, watch::Column::RuleId],
    owner: watch::Column::Owner,
    lease: watch::Column::LeaseNs,
};

impl Store {
    /// Takes the rules that no living process has, and keeps those of `owner`, until `lease`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn hold_rules(&self, owner: i64, now: Timestamp, lease: Timestamp) -> Result<()> {
        self.hold::<watch::Entity>(LENDING, owner, now, lease).await
    }

    /// Lets go of the rules of a process, so that another one may have them at once.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn let_go_of_rules(&self, owner: i64) -> Result<()> {
        self.let_go::<watch::Entity>(LENDING, owner).await
    }

    /// The active rules that a process has.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn held_rules(&self, owner: i64) -> Result<Vec<HeldRule>> {
        // By hand: a join by half a key, and only some columns.
        let sql = Sql::new(
            "SELECT w.organization_no, w.rule_id, w.next, w.changes, CAST(0 AS BIGINT) AS size FROM alert_watch w \
             JOIN alert_rule r ON r.organization_no = w.organization_no AND r.id = w.rule_id WHERE w.owner = ",
        );
        let sql = sql.bind(owner).with(" AND r.status = ", RuleStatus::Active.number());
        let held = self.rows_of::<HeldRule>(sql).await?;
        let sizes = self.sizes_of(held.iter().map(|held| held.organization_no)).await?;
        let sized = |held: HeldRule| Some(HeldRule { size: *sizes.get(&held.organization_no)?, ..held });
        Ok(held.into_iter().filter_map(sized).collect())
    }

    /// A rule that a process has, as it is now; `None` where it was deleted, or is another process's.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn lent_rule(&self, organization_no: i64, id: &str, owner: i64) -> Result<Option<LentRule>> {
        let watch = watch::Entity::find_by_id(of(organization_no, id)).one(&self.read).await.map_err(error::from)?;
        let Some(watch) = watch.filter(|watch| watch.owner == owner) else { return Ok(None) };
        let found = row::Entity::find_by_id(of(organization_no, id)).one(&self.read).await.map_err(error::from)?;
        let named = entity::organization::Entity::find_by_id(organization_no).one(&self.read).await;
        let (Some(found), Some(named)) = (found, named.map_err(error::from)?) else { return Ok(None) };
        let (rule, watch) = (Rule::of(found)?, Watch::of(&watch)?);
        let entity::organization::Model { product, external_id: organization, .. } = named;
        Ok(Some(LentRule { organization_no, product, organization, rule, watch }))
    }

    /// Writes down how far a rule has counted without firing, and what keeps it from counting, if nothing of it has
    /// changed meanwhile.
    ///
    /// # Errors
    /// Those of the database; nothing is written then.
    pub async fn note_count(&self, owner: i64, lent: &LentRule, spot: &Spot, trouble: Option<&str>) -> Result<()> {
        use watch::Column;
        let tx = self.write.begin().await?;
        let update = watch::Entity::update_many()
            .col_expr(Column::Next, spot.next.into())
            .col_expr(Column::CountedFrom, spot.counted_from.into())
            .col_expr(Column::FiredAt, json(&spot.fired)?.into())
            .col_expr(Column::Trouble, trouble.map(str::to_owned).into())
            .filter(Column::OrganizationNo.eq(lent.organization_no))
            .filter(Column::RuleId.eq(&lent.rule.id))
            .filter(Column::Owner.eq(owner))
            .filter(Column::Changes.eq(lent.watch.changes))
            .filter(Column::Next.eq(lent.watch.spot.next));
        update.exec(&tx).await.map_err(error::from)?;
        tx.commit().await
    }
}
