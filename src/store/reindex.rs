//! Making search terms anew while the service is in use.
//!
//! `stale_terms` lists the organizations whose terms an older version of the normaliser may have made, and how far each
//! one has got: so an interrupted run goes on where it was. As long as an organization is listed, its index may lack
//! words. Then what is searched for is tested on the rows, as phrases are: right from the first moment on, and slower
//! until the organization's last event is done.

use std::{collections::HashSet, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use entity::{organization_head as head, stale_terms};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Store, connection::transaction::Transaction, dialect::sql::Sql, error};
use crate::{
    error::{Error, Result},
    event::{Event, terms, words::NORMALISER_VERSION},
};

/// Events of one transaction.
pub(super) const BATCH: i64 = 500;
/// What other writers have between two transactions.
const PAUSE: Duration = Duration::from_millis(5);

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reindexed {
    /// Events whose terms were made.
    pub events: u64,
    /// Organizations that were brought to the end.
    pub organizations: u64,
}

/// What a process knows of the list. Only a migration and [`Store::reindex_everything`] add to it: so an organization
/// that is not known to be listed is not, and of one that is, the database is asked.
#[derive(Default)]
pub(super) struct Stale(ArcSwapOption<HashSet<i64>>);

impl Stale {
    /// The list is read anew when it is next needed.
    pub fn forget(&self) {
        self.0.store(None);
    }
}

impl Store {
    /// Whether the index may lack words of an organization's events.
    pub(super) async fn lacks_words(&self, organization_no: i64) -> Result<bool> {
        let known = match self.stale.0.load_full() {
            Some(known) => known,
            None => {
                let all = stale_terms::Entity::find().all(&self.read).await.map_err(error::from)?;
                let known: Arc<HashSet<i64>> = Arc::new(all.iter().map(|row| row.organization_no).collect());
                self.stale.0.store(Some(known.clone()));
                known
            }
        };
        if !known.contains(&organization_no) {
            return Ok(false);
        }
        let listed = stale_terms::Entity::find_by_id(organization_no).one(&self.read).await.map_err(error::from)?;
        if listed.is_none() {
            self.stale.forget();
        }
        Ok(listed.is_some())
    }

    /// Lists every organization: the terms of all events are to be made anew, as where an index was damaged.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn reindex_everything(&self) -> Result<()> {
        let tx = self.write.begin().await?;
        // By hand: SeaORM has no INSERT of a SELECT that meets rows which are there.
        let list = "INSERT INTO stale_terms (organization_no, done) SELECT no, 0 FROM organization WHERE true \
                    ON CONFLICT (organization_no) DO UPDATE SET done = 0";
        tx.execute_unprepared(list).await.map_err(error::from)?;
        tx.commit().await?;
        self.stale.forget();
        Ok(())
    }

    /// Makes the terms of listed organizations anew, in transactions of a few hundred events; others may record and read
    /// meanwhile. `progress` is told how many events are done, and how many there were at the start.
    ///
    /// # Errors
    /// Those of the database; what is done stays done.
    pub async fn reindex(&self, mut progress: impl FnMut(u64, u64)) -> Result<Reindexed> {
        let left = stale_terms::Entity::find().order_by_asc(stale_terms::Column::OrganizationNo);
        let left = left.all(&self.write).await.map_err(error::from)?;
        let sizes = self.sizes_of(left.iter().map(|row| row.organization_no)).await?;
        let events = |row: &stale_terms::Model| sizes.get(&row.organization_no).map_or(0, |size| size - row.done);
        let total = left.iter().map(|row| events(row).max(0).cast_unsigned()).sum();
        let mut reindexed = Reindexed::default();
        progress(0, total);
        for stale_terms::Model { organization_no, .. } in left {
            while let Some(events) = self.reindex_some(organization_no).await? {
                reindexed.events += events;
                progress(reindexed.events.min(total), total);
                tokio::time::sleep(PAUSE).await;
            }
            reindexed.organizations += 1;
        }
        self.stale.forget();
        Ok(reindexed)
    }

    /// The next events of an organization: how many they were; `None` once it is not listed any more.
    async fn reindex_some(&self, organization_no: i64) -> Result<Option<u64>> {
        let tx = self.write.begin().await?;
        // Another run waits here, and finds what this one has done.
        let place = stale_terms::Entity::find_by_id(organization_no).lock_exclusive().one(&tx).await;
        let Some(stale_terms::Model { done, .. }) = place.map_err(error::from)? else {
            tx.rollback().await?;
            return Ok(None);
        };
        let head = self.head(&tx, organization_no).await?.ok_or_else(|| Error::internal(Headless(organization_no)))?;
        let mut next = (done + BATCH).min(head.row.size);
        self.make_terms(&tx, &head.row, done, next).await?;
        if next == head.row.size {
            // From here on nobody records there until this is committed: what came meanwhile is the last.
            let locked = self.locked_heads(&tx, &[organization_no]).await?;
            let head = locked.first().ok_or_else(|| Error::internal(Headless(organization_no)))?;
            if head.row.size - next <= BATCH {
                self.make_terms(&tx, &head.row, next, head.row.size).await?;
                next = head.row.size;
                stale_terms::Entity::delete_by_id(organization_no).exec(&tx).await.map_err(error::from)?;
                // A replica is asked only once its head is this one: it has the terms then.
                let grown = Sql::new("UPDATE organization_head SET dictionary = dictionary + ");
                let grown = grown.bind(self.dictionary_step());
                self.execute(&tx, grown.with(" WHERE organization_no = ", organization_no)).await?;
                tx.commit().await?;
                return Ok(Some((next - done).cast_unsigned()));
            }
        }
        let gone_on =
            stale_terms::Entity::update_many().filter(stale_terms::Column::OrganizationNo.eq(organization_no));
        gone_on.col_expr(stale_terms::Column::Done, next.into()).exec(&tx).await.map_err(error::from)?;
        tx.commit().await?;
        Ok(Some((next - done).cast_unsigned()))
    }

    /// Makes the terms of some events, by sequence: `from` included, `to` not.
    async fn make_terms(&self, tx: &Transaction, head: &head::Model, from: i64, to: i64) -> Result<()> {
        if from >= to {
            return Ok(());
        }
        let organization_no = head.organization_no;
        let dictionary = self.dictionary(tx, head).await?;
        let events = self.dialect.events_by_sequence(organization_no, from, to - 1, false, to - from);
        let events = self.events_on(tx, events).await?;
        // How many have left is known of the whole organization alone.
        let missing = to - from - events.len() as i64;
        if !(0..=head.removed).contains(&missing) {
            return Err(Error::internal(Missing { organization_no, from, to }));
        }
        let document = |event: &Event| {
            let logs = terms::of_logs(event.log_no, dictionary.within(event.log_no));
            let mut text = String::new();
            self.dialect.write_terms(&mut text, organization_no, terms::of_stored(event).into_iter().chain(logs));
            text
        };
        let mut rows: Vec<(i64, String)> = events.iter().map(|event| (event.position.0, document(event))).collect();
        // Falling, as when they are recorded.
        rows.sort_unstable_by_key(|(position, _)| std::cmp::Reverse(*position));
        if let Some(settings) = self.dialect.before_replacing_terms() {
            tx.execute_unprepared(settings).await.map_err(error::from)?;
        }
        if self.dialect.has_search_table() {
            self.take_back_version_1(tx, organization_no, &events).await?;
        }
        self.execute(tx, self.dialect.replace_terms(organization_no, NORMALISER_VERSION, rows)).await
    }
}

impl Store {
    /// Takes the words of version 1 out of an index that has no rows to change. It loses a word only to who can say it, and
    /// minds none that it never had.
    async fn take_back_version_1(&self, tx: &Transaction, organization_no: i64, events: &[Event]) -> Result<()> {
        let document = |event: &Event| {
            let mut text = String::new();
            self.dialect.write_terms(&mut text, organization_no, terms::words_of_version_1(event));
            text
        };
        let documents: Vec<_> = events.iter().map(|event| (event.position.0, document(event))).collect();
        let mut gone: Vec<_> = documents.iter().map(|(position, text)| (*position, text.as_str())).collect();
        gone.sort_unstable_by_key(|(position, _)| std::cmp::Reverse(*position));
        for sql in self.dialect.delete_terms(&gone) {
            self.execute(tx, sql).await?;
        }
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the organization with the number {0} has no head")]
struct Headless(i64);

#[derive(Debug, thiserror::Error)]
#[error("of the organization with the number {organization_no}, events from {from} up to {to} are missing")]
struct Missing {
    organization_no: i64,
    from: i64,
    to: i64,
}
