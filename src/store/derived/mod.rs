//! Rows that follow from events: search terms, the other order, idempotency keys, counts and the directory of actors.
//!
//! Each has one owner here, which *adds* what an event brings and *takes back* what it brought: whoever records and
//! whoever removes go through the same file, so that neither can forget one. Takes the lock of the organization's head
//! for granted.

pub(in crate::store) mod counts;
pub(in crate::store) mod directory;
mod keys;
mod order;
mod search;

use sea_orm::Value;

use super::{Store, connection::transaction::Transaction, tables::Table};
use crate::{
    error::{Error, Result},
    event::{Event, hash::Hash},
};

/// An event with what its derived rows are made of.
#[derive(Clone, Copy)]
pub(in crate::store) struct Derived<'a> {
    /// The event.
    pub event: &'a Event,
    /// Number of its kind.
    pub kind_no: i64,
    /// Its terms, as the search index takes them.
    pub document: &'a str,
    /// The hashes of its idempotency key and of what was sent with it.
    pub key: Option<(Hash, Hash)>,
}

/// What some events of one organization have brought: all that their derived rows have to give back. It is put together
/// from events, or asked of the database in one go.
pub(in crate::store) struct Brought<'a> {
    /// Whose.
    pub organization_no: i64,
    /// Sequence and position of each event.
    pub places: Vec<(i64, i64)>,
    /// How many of them are counted where, in the order of keys.
    pub counts: Vec<(counts::Key, i64)>,
    /// What they say of actors, in the order of keys.
    pub actors: Vec<directory::Entry<'a>>,
    /// Position and terms of each, where terms lie in a table of their own.
    pub documents: Vec<(i64, &'a str)>,
}

impl<'a> Brought<'a> {
    /// What events of one organization have brought.
    pub fn by(organization_no: i64, events: &[Derived<'a>]) -> Self {
        Self {
            organization_no,
            places: events.iter().map(|each| (each.event.sequence, each.event.position.0)).collect(),
            counts: counts::counted(events),
            actors: directory::entries(events),
            documents: events.iter().map(|each| (each.event.position.0, each.document)).collect(),
        }
    }
}

impl Store {
    /// Adds what events bring, but for their terms on PostgreSQL, which stand in the event's own row.
    pub(in crate::store) async fn add_derived(&self, tx: &Transaction, events: &[Derived<'_>]) -> Result<()> {
        self.add_order(tx, events).await?;
        self.add_terms(tx, events).await?;
        self.add_keys(tx, events).await?;
        self.add_counts(tx, events).await?;
        self.add_actors(tx, events).await
    }

    /// Takes back what events of one organization brought. Their own rows are gone by then.
    pub(in crate::store) async fn take_back_derived(&self, tx: &Transaction, brought: &Brought<'_>) -> Result<()> {
        self.take_back_order(tx, brought).await?;
        self.take_back_terms(tx, brought).await?;
        self.take_back_keys(tx, brought).await?;
        self.take_back_counts(tx, brought).await?;
        self.take_back_actors(tx, brought).await
    }

    /// Takes back what events of one organization brought that tells of a person, and adds what is left of it: `before` and
    /// `after` are the same events. Their counts and their places stay as they are.
    pub(in crate::store) async fn change_derived(
        &self,
        tx: &Transaction,
        before: &[Derived<'_>],
        after: &[Derived<'_>],
    ) -> Result<()> {
        let Some(first) = before.first() else { return Ok(()) };
        let brought = Brought::by(first.event.organization_no, before);
        self.change_terms(tx, before, after).await?;
        self.take_back_keys(tx, &brought).await?;
        self.take_back_actors(tx, &brought).await?;
        self.add_actors(tx, after).await
    }

    /// Deletes rows, given by their keys in one organization, whose number has come down to nothing.
    ///
    /// # Errors
    /// `INTERNAL` where one has come down to less.
    async fn delete_empty<const N: usize>(
        &self,
        tx: &Transaction,
        table: &Table,
        no: i64,
        keys: &[[Value; N]],
    ) -> Result<()> {
        if self.number_on(tx, self.dialect.count_keyed(table, no, keys.iter().cloned(), "n < 0")).await? > 0 {
            return Err(Error::internal(TakenTwice { table: table.name }));
        }
        self.execute(tx, self.dialect.delete_keyed(table, no, keys.iter().cloned(), "n = 0")).await
    }
}

/// Something was taken back that was not there: the derived rows do not follow from the events any more.
#[derive(Debug, thiserror::Error)]
#[error("more was taken back from {table} than events had brought")]
struct TakenTwice {
    table: &'static str,
}
