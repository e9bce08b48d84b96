//! The database that is copied: finds what the target lacks, in the order of organizations and sequences.

use std::collections::HashMap;

use entity::organization_head as head;
use sea_orm::{FromQueryResult, QueryResult, Value};
use tokio::sync::mpsc;

use super::{Batch, CHUNK, Known, TOGETHER, rows::Cells};
use crate::{
    error::{Error, Result},
    event::terms,
    store::{
        Dictionary, Store,
        connection::transaction::Transaction,
        dialect::{Dialect, copying::Part, sql::Sql},
        error, rows,
        tables::{EVENT, HEAD, ORGANIZATION, Table},
    },
};

/// The database that is copied, at one state.
pub struct Source<'a> {
    pub store: &'a Store,
    pub rows: Transaction,
}

impl Source<'_> {
    pub async fn page(
        &self,
        table: &Table,
        part: Option<Part>,
        after: Option<&Cells>,
        limit: usize,
    ) -> Result<Vec<QueryResult>> {
        let after = after.map(|cells| table.key_of(cells));
        table.page(&self.rows, self.store.dialect, part, after, limit).await
    }

    /// The number of events.
    pub async fn size(&self) -> Result<u64> {
        let number = async |sql: &str| self.store.number_on(&self.rows, Sql::new(sql)).await;
        let organizations = number("SELECT count(*) AS n FROM organization").await?;
        if number("SELECT count(*) AS n FROM organization_head").await? < organizations {
            return Err(Error::bad_input("--from", "must be whole: it is a copy that has not come to its end"));
        }
        let events = "SELECT CAST(coalesce(sum(size - removed), 0) AS BIGINT) AS n FROM organization_head";
        Ok(number(events).await?.cast_unsigned())
    }

    /// The organizations of the target, each an earlier part of the same organization here.
    pub async fn known(&self, target: &Store) -> Result<HashMap<i64, Known>> {
        let here = async |table: &Table, part| table.first(&self.rows, self.store.dialect, part).await;
        let there = async |table: &Table, part| table.first(&target.write, target.dialect, part).await;
        let (mut known, mut after) = (HashMap::new(), None::<Cells>);
        loop {
            let key = after.as_ref().map(|cells| ORGANIZATION.key_of(cells));
            let page = ORGANIZATION.page(&target.write, target.dialect, None, key, CHUNK).await?;
            let Some(last) = page.last() else { return Ok(known) };
            after = Some(ORGANIZATION.cells(last)?);
            for row in &page {
                let organization = ORGANIZATION.cells(row)?;
                let Value::BigInt(Some(no)) = organization[0] else { continue };
                let part = Part { organization_no: no, since: 0 };
                let size = target.events_there(no).await?;
                let is_named = here(&ORGANIZATION, part).await?.as_ref() == Some(&organization);
                let (head, now) = (there(&HEAD, part).await?, here(&HEAD, part).await?);
                let left = head.as_ref().zip(now.as_ref()).is_some_and(|(then, now)| {
                    ["removed", "erased"].iter().any(|name| counted(then, name) != counted(now, name))
                });
                if is_named && left {
                    let rule = "must be empty: events have left the source, or were erased there, since it was copied";
                    return Err(Error::bad_input("--to", rule));
                }
                let same = is_named
                    && (size == 0 || {
                        // Where the last event is the same, its salt too, nobody else has written to the trail.
                        let last = Part { since: size - 1, ..part };
                        here(&EVENT, last).await? == there(&EVENT, last).await?
                    });
                if !same {
                    let names: Vec<_> = organization.iter().filter_map(text).collect();
                    let rule = format!(
                        "must be empty or hold a part of this copy: its organization {} holds something else; nothing was changed",
                        names.join("/")
                    );
                    return Err(Error::bad_input("--to", rule));
                }
                known.insert(no, Known { size, head });
            }
        }
    }

    /// Reads what the target does not have, organization by organization.
    pub async fn read(
        &self,
        target: Dialect,
        mut known: HashMap<i64, Known>,
        batches: mpsc::Sender<Batch>,
    ) -> Result<()> {
        let send = async |batch| batches.send(batch).await.map_err(Error::internal);
        let mut batch = Batch::default();
        let mut after: Option<Cells> = None;
        loop {
            let page = self.page(&HEAD, None, after.as_ref(), CHUNK).await?;
            let Some(last) = page.last() else { break };
            after = Some(HEAD.cells(last)?);
            for row in &page {
                let cells = HEAD.cells(row)?;
                let head = head::Model::from_query_result(row, "").map_err(error::from)?;
                let known = known.remove(&head.organization_no);
                let mut next = known.as_ref().map_or(0, |known| known.size);
                batch.before += next.cast_unsigned();
                if known.as_ref().is_some_and(|known| known.head.as_ref() == Some(&cells)) {
                    continue;
                }
                let dictionary = self.store.dictionary(&self.rows, &head).await?;
                while next < head.size {
                    let part = Part { organization_no: head.organization_no, since: next };
                    let events = self.page(&EVENT, Some(part), None, CHUNK - batch.events.len()).await?;
                    let Some(last) = events.last() else {
                        // The newest ones may have left.
                        if head.removed > 0 {
                            break;
                        }
                        return Err(Error::internal(Missing { organization_no: part.organization_no, sequence: next }));
                    };
                    next = rows::event_of(last)?.sequence + 1;
                    for row in &events {
                        batch.add_event(target, &dictionary, row)?;
                    }
                    if batch.events.len() >= CHUNK {
                        send(std::mem::take(&mut batch)).await?;
                    }
                }
                batch.completed.push((cells, known));
                if batch.completed.len() >= TOGETHER {
                    send(std::mem::take(&mut batch)).await?;
                }
            }
        }
        send(batch).await
    }
}

impl Batch {
    /// Adds an event with its terms.
    fn add_event(&mut self, target: Dialect, dictionary: &Dictionary, row: &QueryResult) -> Result<()> {
        let mut cells = EVENT.cells(row)?;
        let event = rows::event_of(row)?;
        let (organization_no, sequence, position) = (event.organization_no, event.sequence, event.position.0);
        self.order.push(vec![organization_no.into(), sequence.into(), position.into()]);
        let logs = terms::of_logs(event.log_no, dictionary.within(event.log_no));
        let mut text = String::new();
        target.write_terms(&mut text, organization_no, terms::of_stored(&event).into_iter().chain(logs));
        cells.splice(..2, target.key_values(organization_no, sequence));
        match target {
            Dialect::Postgres | Dialect::Citus => cells.push(text.into()),
            Dialect::Sqlite => self.documents.entry(position).or_default().push_str(&text),
        }
        self.events.push(cells);
        Ok(())
    }
}

/// How many events have left, or were erased, as a head's row says.
fn counted<'a>(head: &'a Cells, column: &str) -> Option<&'a Value> {
    HEAD.names().iter().position(|name| *name == column).and_then(|at| head.get(at))
}

fn text(value: &Value) -> Option<&str> {
    if let Value::String(Some(text)) = value { Some(text) } else { None }
}

#[derive(Debug, thiserror::Error)]
#[error("the source has no event {sequence} of the organization with the number {organization_no}")]
struct Missing {
    organization_no: i64,
    sequence: i64,
}
