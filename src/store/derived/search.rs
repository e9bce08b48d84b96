//! The search index: a table of its own on SQLite. PostgreSQL's terms stand in the event's row and go with it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

use super::{Brought, Derived};
use crate::{
    error::Result,
    store::{Store, connection::transaction::Transaction, dialect::CHUNK},
};

impl Store {
    pub(super) async fn add_terms(&self, tx: &Transaction, events: &[Derived<'_>]) -> Result<()> {
        if !self.dialect.has_search_table() {
            return Ok(());
        }
        // Two organizations may share a rowid of SQLite's search index; it wants them ascending, each once.
        let mut documents: BTreeMap<i64, Cow<'_, str>> = BTreeMap::new();
        for each in events {
            *documents.entry(each.event.position.0).or_default() += each.document;
        }
        // In the order of their rowids: FTS5 writes a piece of its index whenever they fall.
        let documents: Vec<_> = documents.into_iter().rev().collect();
        for chunk in documents.chunks(CHUNK) {
            self.execute(tx, self.dialect.insert_terms(chunk)).await?;
        }
        Ok(())
    }

    /// Takes those terms of events out of the index that they have no longer, and adds those that are new. PostgreSQL's are
    /// written with the event. SQLite's index writes down that they are gone, which `sqlite/wipe.rs` merges with what it had.
    pub(super) async fn change_terms(
        &self,
        tx: &Transaction,
        before: &[Derived<'_>],
        after: &[Derived<'_>],
    ) -> Result<()> {
        if !self.dialect.has_search_table() {
            return Ok(());
        }
        let without = |all: &str, others: &str| {
            let others: HashSet<_> = others.split(' ').collect();
            all.split(' ').filter(|term| !others.contains(term)).collect::<Vec<_>>().join(" ")
        };
        let each = before.iter().zip(after).map(|(before, after)| {
            let gone = without(before.document, after.document);
            (before.event.position.0, gone, without(after.document, before.document))
        });
        let mut documents: Vec<_> = each.collect();
        documents.sort_unstable_by_key(|(position, ..)| std::cmp::Reverse(*position));
        for chunk in documents.chunks(CHUNK) {
            for sql in self.dialect.change_terms(chunk) {
                self.execute(tx, sql).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn take_back_terms(&self, tx: &Transaction, brought: &Brought<'_>) -> Result<()> {
        if !self.dialect.has_search_table() {
            return Ok(());
        }
        let mut documents = brought.documents.clone();
        documents.sort_unstable_by_key(|(position, _)| std::cmp::Reverse(*position));
        for chunk in documents.chunks(CHUNK) {
            for sql in self.dialect.delete_terms(chunk) {
                self.execute(tx, sql).await?;
            }
        }
        Ok(())
    }
}
