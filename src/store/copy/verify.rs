//! Reading everything back: every row of every table, from both databases side by side.

use super::{
    CHUNK, EVENT, Phase, Source, integer,
    rows::{self, Cells},
};
use crate::{
    error::{Error, Result},
    store::{
        Store,
        dialect::{Dialect, copying::Part},
        tables::{Lies, ORGANIZATION, Table},
    },
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
            let (mut rows, is_event) = (0, table.name == EVENT.name);
            for part in &self.parts(table, target).await? {
                self.verify_part(table, *part, target, |read| {
                    rows += read;
                    if is_event {
                        progress(Phase::Verifying, rows, events);
                    }
                })
                .await?;
            }
            if table.name == EVENT.name && rows != events {
                return Err(Error::internal(Uneven { rows, events }));
            }
            compared += rows;
        }
        Ok(compared)
    }

    /// What is read at a time: the whole table, or, of one that a cluster has cut, each organization's rows.
    async fn parts(&self, table: &Table, target: &Store) -> Result<Vec<Option<Part>>> {
        let is_cut = [self.store.dialect, target.dialect].contains(&Dialect::Citus);
        if !is_cut || table.lies() != Lies::ByOrganization {
            return Ok(vec![None]);
        }
        let (mut parts, mut after) = (Vec::new(), None::<Cells>);
        loop {
            let page = self.page(&ORGANIZATION, None, after.as_ref(), CHUNK).await?;
            let Some(last) = page.last() else { return Ok(parts) };
            after = Some(ORGANIZATION.cells(last)?);
            for row in &page {
                if let Some(organization_no) = integer(&ORGANIZATION.cells(row)?[0]) {
                    parts.push(Some(Part { organization_no, since: 0 }));
                }
            }
        }
    }

    async fn verify_part(
        &self,
        table: &Table,
        part: Option<Part>,
        target: &Store,
        mut read: impl FnMut(u64),
    ) -> Result<()> {
        let mut after = None::<Cells>;
        loop {
            let key = after.as_ref().map(|cells| table.key_of(cells));
            let (here, there) = tokio::try_join!(
                table.page(&self.rows, self.store.dialect, part, key, CHUNK),
                table.page(&target.write, target.dialect, part, key, CHUNK)
            )?;
            for at in 0..here.len().max(there.len()) {
                let here = here.get(at).map(|row| table.cells(row)).transpose()?;
                let there = there.get(at).map(|row| table.cells(row)).transpose()?;
                if here != there {
                    return Err(Error::internal(Different::new(table, here.or(there))));
                }
                after = here;
            }
            read(here.len() as u64);
            if here.len() < CHUNK {
                return Ok(());
            }
        }
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
