//! Rows that are lent to a process: a lease that ends by itself, so that another process goes on where one was killed.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, LockBehavior, LockType},
};

use crate::{
    error::Result,
    event::Timestamp,
    store::{Store, error},
};

/// The columns that a table lends its rows by.
#[derive(Clone, Copy)]
pub(super) struct Lending<C> {
    /// Its key.
    pub key: [C; 2],
    /// Which process has a row.
    pub owner: C,
    /// Until when, in nanoseconds since 1970.
    pub lease: C,
}

impl Store {
    /// Takes the rows that no living process has, and keeps those of `owner`, until `lease`.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn hold<E: EntityTrait>(
        &self,
        lending: Lending<E::Column>,
        owner: i64,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<()> {
        // Nothing is written where there is nothing to take, and nothing that has lost half of its time.
        let mine = lending.owner.eq(owner).and(lending.lease.lt(now.0 + (lease.0 - now.0) / 2));
        let free = Condition::any().add(mine).add(lending.lease.lt(now.0));
        let any = E::find().filter(free.clone()).limit(1).one(&self.read).await.map_err(error::from)?;
        // A restored database that nobody has opened sends nothing: the other one may be at it.
        if any.is_none() || self.is_closed().await? {
            return Ok(());
        }
        let tx = self.write.begin().await?;
        // What somebody else writes at the moment is left for the next time: two who wait for each other's rows would end
        // the writer's transaction.
        let keys = E::find()
            .select_only()
            .columns(lending.key)
            .filter(free)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .into_query();
        let update = E::update_many()
            .col_expr(lending.owner, owner.into())
            .col_expr(lending.lease, lease.0.into())
            .filter(Expr::tuple(lending.key.map(Expr::col)).in_subquery(keys));
        update.exec(&tx).await.map_err(error::from)?;
        tx.commit().await
    }

    /// Lets go of the rows of a process, so that another one may have them at once.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn let_go<E: EntityTrait>(&self, lending: Lending<E::Column>, owner: i64) -> Result<()> {
        let tx = self.write.begin().await?;
        let update = E::update_many().col_expr(lending.lease, i64::MIN.into()).filter(lending.owner.eq(owner));
        update.exec(&tx).await.map_err(error::from)?;
        tx.commit().await
    }
}
