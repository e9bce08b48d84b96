//! The other order: from time to recording on SQLite, from recording to time on PostgreSQL.

use sea_orm::Value;

use super::Derived;
use crate::{
    error::Result,
    store::{Store, connection::transaction::Transaction, dialect::CHUNK, tables::ORDER},
};

impl Store {
    pub(super) async fn add_order(&self, tx: &Transaction, events: &[Derived<'_>]) -> Result<()> {
        for chunk in events.chunks(CHUNK) {
            let rows = chunk.iter().map(|Derived { event, .. }| {
                [Value::from(event.organization_no), event.sequence.into(), event.position.0.into()]
            });
            self.execute(tx, ORDER.insert().inserted(self.dialect, rows, None)).await?;
        }
        Ok(())
    }

    pub(super) async fn take_back_order(&self, tx: &Transaction, events: &[Derived<'_>]) -> Result<()> {
        for chunk in events.chunks(CHUNK) {
            let organization_no = chunk[0].event.organization_no;
            let events: Vec<_> = chunk.iter().map(|each| (each.event.sequence, each.event.position.0)).collect();
            self.execute(tx, self.dialect.delete_order(organization_no, &events)).await?;
        }
        Ok(())
    }
}
