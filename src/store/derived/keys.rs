//! What idempotency keys have recorded.

use sea_orm::Value;

use super::{Brought, Derived};
use crate::{
    error::Result,
    store::{Store, connection::transaction::Transaction, tables::IDEMPOTENCY},
};

impl Store {
    pub(super) async fn add_keys(&self, tx: &Transaction, events: &[Derived<'_>]) -> Result<()> {
        let keyed: Vec<_> = events.iter().filter_map(|each| Some((each.event, each.key?))).collect();
        for chunk in self.dialect.insertions(&keyed, |(event, _)| event.organization_no) {
            let rows = chunk.iter().map(|(event, (key, content))| {
                [
                    Value::from(event.organization_no),
                    key.to_vec().into(),
                    content.to_vec().into(),
                    event.sequence.into(),
                ]
            });
            self.execute(tx, IDEMPOTENCY.insert().added(self.dialect, rows, None)).await?;
        }
        Ok(())
    }

    /// Keys are found by the sequence: whoever removes an event does not know with which key it came.
    pub(super) async fn take_back_keys(&self, tx: &Transaction, brought: &Brought<'_>) -> Result<()> {
        for chunk in brought.places.chunks(self.dialect.named_at_once()) {
            let (no, sequences) = (brought.organization_no, chunk.iter().map(|(sequence, _)| *sequence));
            self.execute_by_values(tx, self.dialect.delete_numbered(IDEMPOTENCY.name, no, "sequence", sequences))
                .await?;
        }
        Ok(())
    }
}
