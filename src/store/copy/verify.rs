//! Reading everything back: every row of every table, from both databases side by side.

use super::{
    CHUNK, EVENT, Phase, Source,
    rows::{self, Cells},
};
use crate::{
    error::{Error, Result},
    store::{Store, tables::Table},
};

impl Source<'_> {
    /// Compares every row with the target's. Returns how many were compared.
    ///
    /// # Errors
    /// `INTERNAL` with the first row that differs.
    pub(super) async fn verify(
        &self,
        target: &Store,
        events: u64,
        progress: &mut impl FnMut(Phase, u64, u64),
    ) -> Result<u64> {
        let mut compared = 0;
        for table in rows::copied() {
            let (mut rows, mut after) = (0, None::<Cells>);
            loop {
                let key = after.as_ref().map(|cells| table.key_of(cells));
                let (here, there) = tokio::try_join!(
                    table.page(&self.rows, self.store.dialect, None, key, CHUNK),
                    table.page(&target.write, target.dialect, None, key, CHUNK)
                )?;
                for at in 0..here.len().max(there.len()) {
                    let here = here.get(at).map(|row| table.cells(row)).transpose()?;
                    let there = there.get(at).map(|row| table.cells(row)).transpose()?;
                    if here != there {
                        return Err(Error::internal(Different::new(table, here.or(there))));
                    }
                    after = here;
                }
                rows += here.len() as u64;
                if table.name == EVENT.name {
                    progress(Phase::Verifying, rows, events);
                }
                if here.len() < CHUNK {
                    break;
                }
            }
            if table.name == EVENT.name && rows != events {
                return Err(Error::internal(Uneven { rows, events }));
            }
            compared += rows;
        }
        Ok(compared)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the copy differs from its source in the row {key} of {table}")]
struct Different {
    table: &'static str,
    key: String,
}

impl Different {
    fn new(table: &Table, cells: Option<Cells>) -> Self {
        let key =
            cells.map(|cells| table.key_of(&cells).iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        Self { table: table.name, key: key.unwrap_or_default() }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("there are {rows} events, but the heads count {events}")]
struct Uneven {
    rows: u64,
    events: u64,
}
