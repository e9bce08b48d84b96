//! The history that the database is in, and whether it records.
//!
//! A backup is an earlier state. Where a database was restored from one, or put back under a running service, events that
//! were acknowledged are gone, and the next ones would get their numbers. So somebody has to decide that it goes on from
//! there: until then nothing is recorded, and nothing is sent. A backup says of itself that it is not open. Whatever way
//! it comes to be a database, that stays, also across restarts. Where a backup was made by other means, a running process
//! notices: it remembers how far the organizations were that it has recorded for, and closes the history when one of them
//! is behind.
//!
//! The newest row of the table counts. Opening adds a row with a new number, by which every process knows that what it
//! remembers was of another history.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use entity::{history as row, organization_head as head};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryOrder, QuerySelect};

use super::{Store, error, head::grew};
use crate::{
    error::{Error, Result},
    event::Timestamp,
};

/// Bits of a history's number.
const BITS: u32 = 62;

/// How far organizations are known to be.
#[derive(Default)]
pub(super) struct Acknowledged(Mutex<Known>);

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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        if mark < 0 { Err(Error::Closed) } else { Ok(()) }
    }

    /// Whether an organization is where it was when this process last recorded for it, or further.
    pub(super) fn is_all_there(&self, product: &str, external_id: &str, there: Option<&head::Model>) -> bool {
        let Some(then) = self.acknowledged.lost(product, external_id, there) else { return true };
        tracing::error!(
            product,
            organization = external_id,
            acknowledged = then.size,
            there = there.map_or(0, |head| head.size),
            "events that were acknowledged are not in the database any more: it was put back to an earlier state. Nothing is \
             recorded until whoever runs the service has seen to it and runs `ledgerline open`"
        );
        false
    }

    /// The same of the organization that this process recorded for last, for whoever asks whether the service is ready.
    ///
    /// # Errors
    /// [`Error::Closed`], and those of the database.
    pub(super) async fn must_be_ready(&self) -> Result<()> {
        self.must_be_open(self.history_mark(&self.read).await?)?;
        let Some((product, external_id)) = self.acknowledged.newest() else { return Ok(()) };
        let found = self.any_head_of(&product, &external_id).await?;
        let there = found.as_ref().map(|head| &head.row);
        if self.is_all_there(&product, &external_id, there) { Ok(()) } else { Err(Error::Closed) }
    }
}
