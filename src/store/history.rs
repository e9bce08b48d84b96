//! The history that the database is in, and whether it records.
//!
//! A backup is an earlier state. Where a database was restored from one, or put back under a running service, events that
//! were acknowledged are gone, and the next ones would get their numbers. So somebody has to decide that it goes on from
//! there: until then nothing is recorded, and nothing is sent. A backup says of itself that it is not open. Whatever way
//! it comes to be a database, that stays, also across restarts. Where a backup was made by other means, a running process
//! notices: it remembers how far the organizations were that it has recorded for, and closes the history when one of them
//! is behind.
//!
//! On PostgreSQL, a connection that is opened anew may lead to another server: the standby that took the place of the
//! primary. Where it was not a synchronous one, it lacks the newest events. So before anything is recorded over a new
//! connection, every organization is compared that this process has recorded for.
//!
//! The newest row of the table counts. Opening adds a row with a new number, by which every process knows that what it
//! remembers was of another history.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use entity::{history as row, organization_head as head};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, FromQueryResult, QueryOrder, QuerySelect};

use super::{
    Store,
    dialect::{CHUNK, Dialect, sql::Sql},
    error,
    head::{Standing, grew},
};
use crate::{
    error::{Error, Result},
    event::Timestamp,
};

/// Bits of a history's number.
const BITS: u32 = 62;

/// How far organizations are known to be.
#[derive(Default)]
pub(super) struct Acknowledged {
    known: Mutex<Known>,
    /// How many connections had been opened when everything was compared.
    compared: AtomicU64,
    missing: Mutex<Option<Missing>>,
}

/// What was acknowledged by this process, and is not there any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// How many events, at least.
    pub events: i64,
    /// Of how many organizations.
    pub organizations: usize,
}

#[derive(Default)]
struct Known {
    /// The history that it was in.
    mark: Option<i64>,
    /// By product and external id: a number may be another organization's by then.
    heads: HashMap<String, HashMap<String, head::Model>>,
    /// The one that recorded last.
    newest: Option<(String, String)>,
}

impl Acknowledged {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a history is another one than that of what is remembered. If so, that is dropped.
    fn is_another(&self, mark: i64) -> bool {
        let mut known = self.known();
        if known.mark == Some(mark) {
            return false;
        }
        let had = known.mark.is_some();
        *known = Known { mark: Some(mark), ..Known::default() };
        had
    }

    /// The head that was acknowledged of an organization, where the one that is there cannot have grown out of it.
    fn lost(&self, product: &str, external_id: &str, now: Option<&head::Model>) -> Option<head::Model> {
        let known = self.known();
        let then = known.heads.get(product)?.get(external_id)?;
        now.is_none_or(|now| !grew(then, now)).then(|| then.clone())
    }

    /// Remembers what was committed.
    pub fn remember<'a>(&self, heads: impl Iterator<Item = (&'a str, &'a str, &'a head::Model)>) {
        let mut known = self.known();
        for (product, external_id, head) in heads {
            known.newest = Some((product.to_owned(), external_id.to_owned()));
            let of_product = known.heads.entry(product.to_owned()).or_default();
            of_product.insert(external_id.to_owned(), head.clone());
        }
    }

    /// Everything that is remembered, and the history that it was in.
    fn all(&self) -> (Option<i64>, Vec<(String, String, head::Model)>) {
        let known = self.known();
        let heads = known.heads.iter().flat_map(|(product, heads)| {
            heads.iter().map(|(external_id, head)| (product.clone(), external_id.clone(), head.clone()))
        });
        (known.mark, heads.collect())
    }

    fn set_missing(&self, missing: Option<Missing>) {
        let events = missing.map_or(0, |missing| missing.events);
        #[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
        metrics::gauge!("ledgerline_acknowledged_events_missing").set(events as f64);
        *self.missing.lock().unwrap_or_else(PoisonError::into_inner) = missing;
    }

    fn newest(&self) -> Option<(String, String)> {
        self.known().newest.clone()
    }
}

impl Store {
    /// Whether nothing may be recorded and nothing sent before somebody opens a new history.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_closed(&self) -> Result<bool> {
        Ok(self.newest_history(&self.read).await?.is_some_and(|row| row.is_open == 0))
    }

    /// Opens a new history: what is there now is what counts, and recording goes on from it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open_history(&self, now: Timestamp) -> Result<()> {
        self.add_history(true, now, "opened").await
    }

    /// Closes the history: nothing is recorded and nothing sent until a new one is opened.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn close_history(&self, now: Timestamp, reason: &'static str) -> Result<()> {
        self.add_history(false, now, reason).await
    }

    async fn add_history(&self, is_open: bool, now: Timestamp, reason: &'static str) -> Result<()> {
        let tx = self.write.begin().await?;
        let last = self.newest_history(&tx).await?;
        if !is_open && last.as_ref().is_some_and(|last| last.is_open == 0) {
            return tx.rollback().await;
        }
        let new = row::ActiveModel {
            no: Set(last.map_or(0, |last| last.no) + 1),
            id: Set(self.chance.bits(BITS) | 1),
            is_open: Set(is_open.into()),
            at_ns: Set(now.0),
            reason: Set(reason.to_owned()),
        };
        row::Entity::insert(new).exec_without_returning(&tx).await.map_err(error::from)?;
        tx.commit().await
    }

    async fn newest_history(&self, db: &impl ConnectionTrait) -> Result<Option<row::Model>> {
        row::Entity::find().order_by_desc(row::Column::No).limit(1).one(db).await.map_err(error::from)
    }

    /// The mark of the history, where no head was read that tells it.
    pub(super) async fn history_mark(&self, db: &impl ConnectionTrait) -> Result<i64> {
        let row = self.newest_history(db).await?;
        Ok(row.map_or(0, |row| if row.is_open == 0 { -row.id } else { row.id }))
    }

    /// Refuses to record in a history that is not open. Where it is another one than this process knows, everything that
    /// is remembered of the database is dropped.
    pub(super) fn must_be_open(&self, mark: i64) -> Result<()> {
        if self.acknowledged.is_another(mark) {
            self.forget("another history of the database was opened");
        }
        if mark < 0 {
            return Err(Error::Closed);
        }
        if self.missing().is_some() {
            self.acknowledged.set_missing(None);
        }
        Ok(())
    }

    /// What this process has acknowledged and not found again, while nobody has decided that it goes on without.
    #[must_use]
    pub fn missing(&self) -> Option<Missing> {
        *self.acknowledged.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether everything has to be compared: a connection was opened since, or something was missing.
    pub(super) fn must_compare(&self) -> bool {
        self.missing().is_some() || self.write.opened() != self.acknowledged.compared.load(Ordering::Acquire)
    }

    /// Organizations that have grown on, in which another event has the number of the last one that was acknowledged: what
    /// was lost had been recorded by another process too, which did not know of it.
    async fn with_another_event(
        &self,
        known: &[(String, String, head::Model)],
        there: &HashMap<(String, String), Standing>,
    ) -> Result<HashSet<i64>> {
        #[derive(FromQueryResult)]
        struct Last {
            organization_no: i64,
            sequence: i64,
            salt: i64,
        }
        let grown = known.iter().filter(|(product, external_id, then)| {
            let found = there.get(&(product.clone(), external_id.clone()));
            then.size > 0 && found.is_some_and(|found| found.size > then.size)
        });
        let last: HashMap<i64, &head::Model> = grown.map(|(_, _, then)| (then.organization_no, then)).collect();
        // A cluster would ask every node for every organization.
        if last.is_empty() || self.dialect == Dialect::Citus {
            return Ok(HashSet::new());
        }
        let asked: Vec<_> =
            last.values().map(|then| format!("({}, {})", then.organization_no, then.size - 1)).collect();
        // By hand: a join with a list of values.
        let sql = Sql::new(&format!(
            "SELECT o.organization_no, o.sequence, e.salt FROM (VALUES {}) a (no, sequence) \
             JOIN event_order o ON o.organization_no = a.no AND o.sequence = a.sequence \
             JOIN event e ON e.organization_no = o.organization_no AND e.position = o.position",
            asked.join(", ")
        ));
        let found = Last::find_by_statement(sql.on(self.dialect.backend())).all(&self.write).await;
        let others = found.map_err(error::from)?.into_iter().filter(|row| {
            last.get(&row.organization_no)
                .is_some_and(|then| then.size - 1 == row.sequence && then.last_salt != row.salt)
        });
        Ok(others.map(|row| row.organization_no).collect())
    }

    /// Compares all that this process has acknowledged with what is there, where a connection was opened since that was done
    /// last, or where something was missing then. Says whether something is missing, and each organization is named; unless
    /// somebody has opened another history since, who has decided that it goes on without.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn is_missing_any(&self) -> Result<bool> {
        let opened = self.write.opened();
        let (mark, known) = self.acknowledged.all();
        let mut missing = Missing::default();
        for chunk in known.chunks(CHUNK) {
            let names = chunk.iter().map(|(product, id, _)| (product.as_str(), id.as_str()));
            let (found, unknown) = self.standings(&self.write, names).await?;
            let mut there: HashMap<_, _> =
                found.into_iter().map(|row| ((row.product.clone(), row.external_id.clone()), row)).collect();
            let others = self.with_another_event(chunk, &there).await?;
            // What a node has that is gone is compared when it is recorded for.
            for (product, external_id, then) in
                chunk.iter().filter(|(.., then)| !unknown.contains(&then.organization_no))
            {
                let found = there.remove(&(product.clone(), external_id.clone()));
                let found = found.map(|row| head::Model {
                    size: row.size,
                    last_salt: row.last_salt,
                    removed: row.removed,
                    ..then.clone()
                });
                let is_another = others.contains(&then.organization_no);
                if is_another || found.as_ref().is_none_or(|found| !grew(then, found)) {
                    missing.organizations += 1;
                    missing.events += tell(product, external_id, then, found.as_ref());
                }
            }
        }
        let is_decided = |now: i64| now >= 0 && mark != Some(now);
        let is_missing = missing.organizations > 0 && !is_decided(self.history_mark(&self.write).await?);
        self.acknowledged.set_missing(is_missing.then_some(missing));
        self.acknowledged.compared.store(opened, Ordering::Release);
        Ok(is_missing)
    }

    /// Whether an organization is where it was when this process last recorded for it, or further.
    pub(super) fn is_all_there(&self, product: &str, external_id: &str, there: Option<&head::Model>) -> bool {
        let Some(then) = self.acknowledged.lost(product, external_id, there) else { return true };
        tell(product, external_id, &then, there);
        false
    }

    /// The same of the organization that this process recorded for last, for whoever asks whether the service is ready.
    ///
    /// # Errors
    /// [`Error::Closed`], and those of the database.
    pub(super) async fn must_be_ready(&self) -> Result<()> {
        if self.must_compare() && self.is_missing_any().await? {
            return Err(Error::Closed);
        }
        self.must_be_open(self.history_mark(&self.read).await?)?;
        // On a cluster, that one's node may be gone while the others are not.
        if self.dialect == Dialect::Citus {
            return Ok(());
        }
        let Some((product, external_id)) = self.acknowledged.newest() else { return Ok(()) };
        let found = self.any_head_of(&product, &external_id).await?;
        let there = found.as_ref().map(|head| &head.row);
        if self.is_all_there(&product, &external_id, there) { Ok(()) } else { Err(Error::Closed) }
    }
}

/// Says that events of an organization are missing, and how many at least: where there are as many others in their place,
/// the last one is.
fn tell(product: &str, external_id: &str, then: &head::Model, there: Option<&head::Model>) -> i64 {
    let size = there.map_or(0, |head| head.size);
    let missing = (then.size - size).max(1);
    tracing::error!(
        product,
        organization = external_id,
        acknowledged = then.size,
        there = size,
        missing,
        "events that were acknowledged are not in the database any more: it was put back to an earlier state. Nothing is \
         recorded until whoever runs the service has seen to it and runs `ledgerline open`"
    );
    missing
}
