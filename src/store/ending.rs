//! An organization ends, in steps, so that others record between them: each is a transaction under the lock of its head.
//!
//! The first step marks the head, from when on nothing is recorded, and ends what acts for the organization: tokens,
//! endpoints, rules, exports. The next ones take its events out by the door. The last one empties every table of it but
//! three: the organization's own row and its head, so that neither its number nor a sequence is given again, and the
//! certificate. How far it has got stands in the rows themselves: a step that was interrupted is done again.

use entity::{export, organization_end as row, sweep};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};

use super::{
    Store,
    connection::transaction::Transaction,
    control::exports::ExportStatus,
    dialect::sql::Sql,
    error,
    head::Head,
    removal::Swept,
    tables::{ALL, EVENT, HEAD, ORDER, ORGANIZATION_END},
};
use crate::{
    error::Result,
    event::{Event, Timestamp},
};

/// Events that leave in one transaction.
const STEP: i64 = 200;
/// The days of the row of `sweep` that says how far the end has got: no sweep is of so few.
const PLACE: i64 = -1;
/// A part that no file has: the export is looked at once more by whoever removes files.
const TO_BE_EMPTIED: &str = "[\"ended\"]";

/// What a step of an end came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was cancelled, is not due, or has ended.
    Nothing,
    /// A hold keeps it.
    Held,
    /// So many events left; there is more to do.
    Went(i64),
    /// Files of exports are still to be removed, by whoever runs the service.
    Files,
    /// Nothing is left but the certificate.
    Ended,
}

impl Store {
    /// Organizations whose end is due and not done.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn ends_due(&self, now: Timestamp) -> Result<Vec<Swept>> {
        // By hand: a join of two tables of which only the names are wanted.
        let sql = Sql::new(
            "SELECT e.organization_no, o.product, o.external_id FROM organization_end e \
             JOIN organization o ON o.no = e.organization_no WHERE e.ended_ns IS NULL AND e.due_ns <= ",
        );
        self.rows_of(sql.bind(now.0).text(" ORDER BY e.organization_no")).await
    }

    /// Does one step of the end of an organization.
    ///
    /// # Errors
    /// Those of the database; nothing of the step is done then.
    pub async fn end_some(&self, organization_no: i64, now: Timestamp) -> Result<Ending> {
        let tx = self.write.begin().await?;
        let locked = self.locked_heads(&tx, &[organization_no]).await?;
        let end = row::Entity::find_by_id(organization_no).one(&tx).await.map_err(error::from)?;
        // Under the lock: it may have been cancelled since it was looked for.
        let end = end.filter(|end| end.ended_ns.is_none() && end.due_ns.is_some_and(|due| due <= now.0));
        let (Some(head), Some(end)) = (locked.into_iter().next(), end) else {
            tx.rollback().await?;
            return Ok(Ending::Nothing);
        };
        self.must_be_open(head.history)?;
        self.know_partitions(&tx, head.partitions).await?;
        let done = if end.begun_ns.is_none() {
            if self.oldest_hold(&tx, organization_no).await?.is_some() {
                tx.rollback().await?;
                return Ok(Ending::Held);
            }
            Box::pin(self.begin_end(&tx, &head, now)).await?;
            Ending::Went(0)
        } else {
            match self.take_some_out(&tx, &head).await? {
                0 if self.has_files(&tx, organization_no).await? => Ending::Files,
                0 => {
                    Box::pin(self.finish_end(&tx, organization_no, now)).await?;
                    Ending::Ended
                }
                events => Ending::Went(events),
            }
        };
        tx.commit().await?;
        if end.begun_ns.is_none() {
            self.tell_of_revocation();
        }
        Ok(done)
    }

    async fn begin_end(&self, tx: &Transaction, head: &Head, now: Timestamp) -> Result<()> {
        let no = head.row.organization_no;
        let first = self.events_of_end(tx, head, 0, 1).await?.into_iter().next();
        let begun = row::ActiveModel {
            organization_no: Set(no),
            begun_ns: Set(Some(now.0)),
            events: Set(head.row.size - head.row.removed),
            first_sequence: Set(first.as_ref().map(|event| event.sequence)),
            first_ns: Set(first.as_ref().map(|event| event.recorded_at.0)),
            last_sequence: Set((head.row.size > 0).then_some(head.row.size - 1)),
            last_ns: Set((head.row.size > 0).then_some(head.row.recorded_ns)),
            ..Default::default()
        };
        row::Entity::update(begun).exec(tx).await.map_err(error::from)?;
        self.execute(tx, HEAD.update("ended", 1_i16).with(" WHERE organization_no = ", no)).await?;
        let acting = ["alert_message", "alert_watch", "alert_rule", "attempt", "dead_letter", "delivery", "endpoint"];
        for table in acting.into_iter().chain(["partner_token", "retention", "sweep"]) {
            self.empty(tx, table, no).await?;
        }
        // Whoever removes files of exports finds these, and nobody fetches or goes on with one.
        let failed = export::Entity::update_many()
            .col_expr(export::Column::Status, ExportStatus::Failed.number().into())
            .col_expr(export::Column::FinishedNs, 0_i64.into())
            .col_expr(export::Column::Parts, TO_BE_EMPTIED.into())
            .col_expr(export::Column::LeaseHolder, Expr::value(None::<String>))
            .filter(export::Column::OrganizationNo.eq(no));
        failed.exec(tx).await.map_err(error::from)?;
        Ok(())
    }

    /// Takes the next events out; none are left where there were none.
    async fn take_some_out(&self, tx: &Transaction, head: &Head) -> Result<i64> {
        let no = head.row.organization_no;
        let place = sweep::Entity::find_by_id((no, PLACE)).one(tx).await.map_err(error::from)?;
        let from = place.as_ref().map_or(0, |place| place.next);
        let events = self.events_of_end(tx, head, from, STEP).await?;
        let Some(last) = events.last() else { return Ok(0) };
        let next = last.sequence + 1;
        let dictionary = self.dictionary(tx, &head.row).await?;
        self.take_out(tx, &head.row, &dictionary, &events).await?;
        let row = sweep::ActiveModel {
            organization_no: Set(no),
            days: Set(PLACE),
            next: Set(next),
            rules: Set(String::new()),
            untold: Set(0),
        };
        match place {
            Some(_) => drop(sweep::Entity::update(row).exec(tx).await.map_err(error::from)?),
            None => drop(sweep::Entity::insert(row).exec_without_returning(tx).await.map_err(error::from)?),
        }
        Ok(events.len() as i64)
    }

    async fn events_of_end(&self, tx: &Transaction, head: &Head, from: i64, limit: i64) -> Result<Vec<Event>> {
        let head = &head.row;
        let sql = self.dialect.events_by_sequence(head.organization_no, from, head.size - 1, false, limit);
        self.events_on(tx, sql).await
    }

    async fn has_files(&self, tx: &Transaction, no: i64) -> Result<bool> {
        let left =
            export::Entity::find().filter(export::Column::OrganizationNo.eq(no)).filter(export::Column::Parts.ne("[]"));
        Ok(left.count(tx).await.map_err(error::from)? > 0)
    }

    /// Empties every table of the organization but those that the certificate consists of. Its events, their order and
    /// their keys have left by the door; for rows that are there still, the triggers refuse this.
    async fn finish_end(&self, tx: &Transaction, no: i64, now: Timestamp) -> Result<()> {
        let stays = [HEAD.name, ORGANIZATION_END.name, EVENT.name, ORDER.name];
        for table in ALL.iter().rev().filter(|table| table.is_of_organizations() && !stays.contains(&table.name)) {
            self.empty(tx, table.name, no).await?;
        }
        self.empty(tx, "stale_terms", no).await?;
        let ended = row::ActiveModel {
            organization_no: Set(no),
            ended_ns: Set(Some(now.0)),
            requested_by: Set(None),
            confirmed_by: Set(None),
            ..Default::default()
        };
        row::Entity::update(ended).exec(tx).await.map_err(error::from)?;
        Ok(())
    }

    /// Deletes what a table has of an organization. By hand, because the table is one of a list.
    async fn empty(&self, tx: &Transaction, table: &str, no: i64) -> Result<()> {
        self.execute(tx, Sql::new(&format!("DELETE FROM {table} WHERE organization_no = ")).bind(no)).await
    }
}
