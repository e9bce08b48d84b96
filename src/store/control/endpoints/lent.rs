//! Which process has an endpoint, and what became of its tries.

use entity::{attempt, dead_letter, delivery, endpoint as row};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};

use super::{Attempt, DEAD_LETTERS, DeadLetter, Endpoint, EndpointStatus, Held, Lent, Progress, Report, of};
use crate::{
    auth::ManageScope,
    error::Result,
    event::Timestamp,
    store::{Store, connection::transaction::Transaction, control::leases::Lending, dialect::sql::Sql, error},
};

/// Tries that are kept of each endpoint.
const ATTEMPTS: u64 = 100;

/// How endpoints are lent to processes.
const LENDING: Lending<delivery::Column> = Lending {
    key: [delivery::Column::OrganizationNo, delivery::Column::EndpointId],
    owner: delivery::Column::Owner,
    lease: delivery::Column::LeaseNs,
};

impl Store {
    /// Takes the endpoints that no living process has, and keeps those of `owner`, until `lease`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn hold_endpoints(&self, owner: i64, now: Timestamp, lease: Timestamp) -> Result<()> {
        self.hold::<delivery::Entity>(LENDING, owner, now, lease).await
    }

    /// The active endpoints that a process has.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn held_endpoints(&self, owner: i64) -> Result<Vec<Held>> {
        // By hand: a join by half a key, and only some columns.
        let sql = Sql::new(
            "SELECT d.organization_no, d.endpoint_id, d.next, d.due_ns, CAST(0 AS BIGINT) AS size, \
             CASE WHEN d.replay_next IS NOT NULL THEN d.replay_due_ns END AS replay_due_ns FROM delivery d \
             JOIN endpoint e ON e.organization_no = d.organization_no AND e.id = d.endpoint_id WHERE d.owner = ",
        );
        let sql = sql.bind(owner).with(" AND e.status = ", EndpointStatus::Active.number());
        let held = self.rows_of::<Held>(sql).await?;
        let sizes = self.sizes_of(held.iter().map(|held| held.organization_no)).await?;
        let sized = |held: Held| Some(Held { size: *sizes.get(&held.organization_no)?, ..held });
        Ok(held.into_iter().filter_map(sized).collect())
    }

    /// An endpoint that a process has, as it is now; `None` where it was deleted, or is another process's.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn lent_endpoint(&self, organization_no: i64, id: &str, owner: i64) -> Result<Option<Lent>> {
        let Some(place) =
            delivery::Entity::find_by_id(of(organization_no, id)).one(&self.read).await.map_err(error::from)?
        else {
            return Ok(None);
        };
        let found = row::Entity::find_by_id(of(organization_no, id)).one(&self.read).await.map_err(error::from)?;
        let (Some(found), true) = (found, place.owner == owner) else { return Ok(None) };
        let named = entity::organization::Entity::find_by_id(organization_no).one(&self.read).await;
        let Some(entity::organization::Model { product, external_id, .. }) = named.map_err(error::from)? else {
            return Ok(None);
        };
        let (endpoint, progress, replays) = (Endpoint::of(found)?, Progress::of(&place), place.replays);
        Ok(Some(Lent { organization_no, product, organization: external_id, endpoint, progress, replays }))
    }

    /// Whether an endpoint is there, and has not been changed since it was lent.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_unchanged(&self, lent: &Lent) -> Result<bool> {
        let Endpoint { id, changed_at, .. } = &lent.endpoint;
        let found = row::Entity::find_by_id(of(lent.organization_no, id))
            .filter(row::Column::ChangedNs.eq(changed_at.0))
            .count(&self.read);
        Ok(found.await.map_err(error::from)? > 0)
    }

    /// Sequences of events that an endpoint would not take, the oldest first, from one on.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn dead_sequences(&self, organization_no: i64, id: &str, from: i64, limit: u64) -> Result<Vec<i64>> {
        let asked = dead_letter::Entity::find()
            .filter(dead_letter::Column::OrganizationNo.eq(organization_no))
            .filter(dead_letter::Column::EndpointId.eq(id))
            .filter(dead_letter::Column::Sequence.gte(from))
            .order_by_asc(dead_letter::Column::Sequence)
            .limit(limit);
        let letters = asked.all(&self.read).await.map_err(error::from)?;
        Ok(letters.into_iter().map(|letter| letter.sequence).collect())
    }

    /// Lets go of the endpoints of a process, so that another one may have them at once.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn let_go_of_endpoints(&self, owner: i64) -> Result<()> {
        self.let_go::<delivery::Entity>(LENDING, owner).await
    }

    /// Writes down what became of runs, in one transaction. What belongs to an endpoint that another process has by now,
    /// or that was deleted, is left out.
    ///
    /// # Errors
    /// Those of the database; nothing is written then.
    pub async fn report(&self, owner: i64, reports: &[Report]) -> Result<()> {
        if reports.is_empty() {
            return Ok(());
        }
        let tx = self.write.begin().await?;
        for report in reports {
            self.report_one(&tx, owner, report).await?;
        }
        tx.commit().await
    }

    async fn report_one(&self, tx: &Transaction, owner: i64, report: &Report) -> Result<()> {
        use delivery::Column;
        let Report { organization_no, endpoint_id, changed_at, progress, replays, attempts, dead, revived, gone } =
            report;
        let (no, id) = of(*organization_no, endpoint_id);
        let found = row::Entity::find_by_id((no, id.clone())).one(tx).await.map_err(error::from)?;
        let is_changed = found.is_none_or(|found| found.changed_ns != changed_at.0);
        let mut update = delivery::Entity::update_many()
            .col_expr(Column::Next, progress.next.into())
            .col_expr(Column::SucceededNs, progress.succeeded_at.map(|at| at.0).into())
            .filter(Column::OrganizationNo.eq(no))
            .filter(Column::EndpointId.eq(&id))
            .filter(Column::Owner.eq(owner));
        if !is_changed {
            update = update
                .col_expr(Column::Failures, progress.failures.into())
                .col_expr(Column::Refusals, progress.refusals.into())
                .col_expr(Column::FailingNs, progress.failing_since.map(|at| at.0).into())
                .col_expr(Column::DueNs, progress.due.0.into())
                .col_expr(Column::Trouble, progress.trouble.clone().into());
        }
        // A replay that was asked for during the run begins anew.
        let rest = |at: Option<i64>, column: Column| {
            Expr::case(Expr::col(Column::Replays).eq(*replays), at).finally(Expr::col(column))
        };
        let replay = progress.replay.as_ref();
        let (next, end) = (replay.map(|replay| replay.next), replay.map(|replay| replay.end.unwrap_or(DEAD_LETTERS)));
        let replay = replay.filter(|_| !is_changed);
        let refusals = replay.map_or(0, |replay| replay.refusals);
        let due = replay.map_or(0, |replay| replay.due.0);
        update = update
            .col_expr(Column::ReplayNext, rest(next, Column::ReplayNext).into())
            .col_expr(Column::ReplayEnd, rest(end, Column::ReplayEnd).into())
            .col_expr(Column::ReplayRefusals, rest(Some(refusals), Column::ReplayRefusals).into())
            .col_expr(Column::ReplayDueNs, rest(Some(due), Column::ReplayDueNs).into());
        let updated = update.exec(tx).await.map_err(error::from)?;
        if updated.rows_affected == 0 {
            return Ok(());
        }
        if *gone && !is_changed {
            let status = row::Entity::update_many()
                .col_expr(row::Column::Status, EndpointStatus::Gone.number().into())
                .filter(row::Column::OrganizationNo.eq(no))
                .filter(row::Column::Id.eq(&id));
            status.exec(tx).await.map_err(error::from)?;
        }
        for (first, last) in revived {
            let letters = dead_letter::Entity::delete_many()
                .filter(dead_letter::Column::OrganizationNo.eq(no))
                .filter(dead_letter::Column::EndpointId.eq(&id))
                .filter(dead_letter::Column::Sequence.between(*first, *last));
            letters.exec(tx).await.map_err(error::from)?;
        }
        for DeadLetter { sequence, at, reason } in dead {
            dead_letter::Entity::delete_by_id((no, id.clone(), *sequence)).exec(tx).await.map_err(error::from)?;
            let letter = dead_letter::ActiveModel {
                organization_no: Set(no),
                endpoint_id: Set(id.clone()),
                sequence: Set(*sequence),
                at_ns: Set(at.0),
                reason: Set(reason.clone()),
            };
            dead_letter::Entity::insert(letter).exec_without_returning(tx).await.map_err(error::from)?;
        }
        self.insert_attempts(tx, no, &id, attempts).await
    }

    /// Writes down tries, and leaves the last hundred of them.
    async fn insert_attempts(&self, tx: &Transaction, no: i64, id: &str, attempts: &[Attempt]) -> Result<()> {
        use attempt::Column;
        let keep = usize::try_from(ATTEMPTS).unwrap_or(usize::MAX);
        let attempts = &attempts[attempts.len().saturating_sub(keep)..];
        if attempts.is_empty() {
            return Ok(());
        }
        let rows = attempts.iter().zip(0..).map(|(one, place)| attempt::ActiveModel {
            organization_no: Set(no),
            endpoint_id: Set(id.to_owned()),
            at_ns: Set(one.at.0),
            no: Set(self.chance.bits(32) << 10 | place),
            purpose: Set(one.purpose.number()),
            first: Set(one.events.0),
            last: Set(one.events.1),
            status: Set(one.status.map(i64::from)),
            took_ms: Set(one.took_ms),
            trouble: Set(one.trouble.clone()),
        });
        attempt::Entity::insert_many(rows).exec_without_returning(tx).await.map_err(error::from)?;
        let of_endpoint = |asked: sea_orm::Select<attempt::Entity>| {
            asked.filter(Column::OrganizationNo.eq(no)).filter(Column::EndpointId.eq(id))
        };
        let oldest = of_endpoint(attempt::Entity::find()).order_by_desc(Column::AtNs).offset(ATTEMPTS).limit(1);
        if let Some(oldest) = oldest.one(tx).await.map_err(error::from)? {
            let old = attempt::Entity::delete_many()
                .filter(Column::OrganizationNo.eq(no))
                .filter(Column::EndpointId.eq(id))
                .filter(Column::AtNs.lte(oldest.at_ns));
            old.exec(tx).await.map_err(error::from)?;
        }
        Ok(())
    }

    /// Writes down a try that was no run, such as a test.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn note_attempt(&self, scope: &ManageScope, id: &str, attempt: &Attempt) -> Result<()> {
        let Some(head) = self.head_of(&scope.product().name, scope.organization()).await? else { return Ok(()) };
        let tx = self.write.begin().await?;
        self.insert_attempts(&tx, head.row.organization_no, id, std::slice::from_ref(attempt)).await?;
        tx.commit().await
    }
}
