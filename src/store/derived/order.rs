//! The other order: from time to recording on SQLite, from recording to time on PostgreSQL.

use sea_orm::Value;

use super::{Brought, Derived};
use crate::{
    error::Result,
    store::{Store, connection::transaction::Transaction, tables::ORDER},
};

impl Store {
    pub(super) async fn add_order(&self, tx: &Transaction, events: &[Derived<'_>]) -> Result<()> {
        for chunk in self.dialect.insertions(events, |each| each.event.organization_no) {
            let rows = chunk.iter().map(|Derived { event, .. }| {
                [Value::from(event.organization_no), event.sequence.into(), event.position.0.into()]
            });
            self.execute(tx, ORDER.insert().added(self.dialect, rows, None)).await?;
        }
        Ok(())
    }

    pub(super) async fn take_back_order(&self, tx: &Transaction, brought: &Brought<'_>) -> Result<()> {
        for chunk in brought.places.chunks(self.dialect.named_at_once()) {
            self.execute_by_values(tx, self.dialect.delete_order(brought.organization_no, chunk)).await?;
        }
        Ok(())
    }
}
