//! Copying everything to another database: the same organizations, sequences, ids, positions and counts.
//!
//! The source may be in use: its state at the start is copied. Events are written in order, so that the last one says
//! where an interrupted copy goes on. The transaction that completes an organization writes its head, so that an
//! organization without a head is known to be unfinished. The index of terms is built anew.

mod rows;
mod source;
mod verify;
mod writing;

use std::collections::{BTreeMap, HashMap};

use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use tokio::sync::mpsc;

use super::{
    Durability, Store,
    connection::transaction::{self, Transaction},
    dialect::{Dialect, copying::Part, search_rowid, sql::Sql},
    error,
    postgres::session::MAY_BE_IDLE,
    tables::{EVENT, HEAD, IDEMPOTENCY, ORDER, ORGANIZATION, Table},
};
use crate::{
    chance::Chance,
    clock::Clock,
    error::{Error, Result},
    event::Timestamp,
    store::{postgres::locks::Lock, sqlite::connect},
};
use rows::{CHANGING, Cells};
use source::Source;
use writing::Writing;

/// Rows that are read at once, and events of one transaction.
const CHUNK: usize = 5_000;
/// Organizations that are completed by one transaction.
const TOGETHER: usize = 500;

/// What a copy is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reads events from the source and writes them.
    Copying,
    /// Reads every row back from both databases.
    Verifying,
}

/// What a copy came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Events of the source.
    pub events: u64,
    /// Those of them that an earlier copy had brought.
    pub before: u64,
    /// Organizations of the source.
    pub organizations: u64,
    /// Rows of all tables that were read back from both databases and found the same.
    pub compared: u64,
}

/// The tables that a copy carries, with their columns; terms are not carried but built.
pub fn copied_columns() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    rows::copied().chain([&ORDER]).map(|table| (table.name, table.names()))
}

/// An organization of the target, from a copy that was interrupted or that the source has outgrown.
struct Known {
    /// Its events: they are 0 up to here.
    size: i64,
    head: Option<Cells>,
}

/// What the next transaction writes.
#[derive(Default)]
struct Batch {
    /// Events that the target has, of the organizations up to here.
    before: u64,
    events: Vec<Cells>,
    order: Vec<Cells>,
    /// SQLite's search index wants its rowids ascending, each once; two organizations may share one.
    documents: BTreeMap<i64, String>,
    /// Heads of organizations whose last events these are, and what the target knew of them.
    completed: Vec<(Cells, Option<Known>)>,
}

impl Store {
    /// Opens a database to copy from, which `option` names: one that is there.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` where a SQLite file is missing or the schema is not that of this version, and those of [`Store::open`].
    pub async fn open_source(url: &str, option: &str, clock: &Clock, chance: Chance) -> Result<Self> {
        if Dialect::of(url)? == Dialect::Sqlite {
            let fault = match std::fs::metadata(connect::path(url)) {
                Err(fault) => Some(format!("must name a database: {fault}")),
                Ok(file) if file.is_file() && file.len() == 0 => {
                    Some("must name a database: the file is empty".to_owned())
                }
                Ok(_) => None,
            };
            if let Some(rule) = fault {
                return Err(Error::bad_input(option, rule));
            }
        }
        // It is only read: a service of an older version may be using it.
        let schema = Self::schema(url, &chance).await?;
        schema.refuse_newer()?;
        if !schema.pending.is_empty() {
            let rule = format!(
                "must have the schema of this version, and lacks {}: run `ledgerline migrate` on it first, or copy it with \
                 the version that made it",
                schema.pending.join(", ")
            );
            return Err(Error::bad_input(option, rule));
        }
        Self::open(url, Durability::Waived, clock, chance).await
    }

    /// Copies everything to `target`, which is empty or holds an earlier part of the same, and reads it back.
    /// `progress` is told the phase, what is done and what there is to do.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` where the target holds anything else, before anything is written to it; `INTERNAL` where a row
    /// reads back otherwise than it was; and those of both databases.
    pub async fn copy_to(
        &self,
        target: &Self,
        now: Timestamp,
        mut progress: impl FnMut(Phase, u64, u64),
    ) -> Result<Copied> {
        let lock = target.lock_for_copy().await?;
        let source = Source { store: self, rows: self.snapshot().await? };
        let total = source.size().await?;
        let known = source.known(target).await?;
        let organizations = source.copy_organizations(target, &known).await?;
        // The next batch is read while the last one is written.
        let (sender, mut batches) = mpsc::channel::<Batch>(1);
        let writing = async {
            let (mut before, mut done) = (0, 0);
            while let Some(batch) = batches.recv().await {
                before += batch.before;
                done += batch.before + batch.events.len() as u64;
                source.write(target, batch, now).await?;
                progress(Phase::Copying, done, total);
            }
            Ok(before)
        };
        let ((), before) = tokio::try_join!(source.read(target.dialect, known, sender), writing)?;
        target.merge_search_entries().await?;
        let compared = source.verify(target, total, &mut progress).await?;
        if let Some(lock) = lock {
            lock.rollback().await?;
        }
        Ok(Copied { events: total, before, organizations, compared })
    }

    /// Refuses a database with an unfinished copy in it. Heads come in the order of numbers, so the last organization's is
    /// missing there.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`, and those of the database.
    pub async fn refuse_unfinished_copy(&self) -> Result<()> {
        // One after the other: a cluster relates no table that every node has to one that is cut.
        let last = self.number_of(Sql::new("SELECT coalesce(max(no), -1) AS n FROM organization")).await?;
        if last < 0 || self.head(&self.read, last).await?.is_some() {
            return Ok(());
        }
        Err(Error::bad_input(
            "LEDGERLINE_DATABASE_URL",
            "must be whole: run the interrupted `ledgerline copy` again first",
        ))
    }

    /// One state of the whole database, whatever is recorded meanwhile.
    async fn snapshot(&self) -> Result<Transaction> {
        match self.dialect {
            Dialect::Sqlite => transaction::snapshot(&self.read, self.dialect).await,
            // The connections that write have no time limit for statements.
            Dialect::Citus => self.write.begin_snapshot().await,
            Dialect::Postgres => {
                let tx = self.write.begin_snapshot().await?;
                // Before the snapshot is taken: no partition goes whose events it has.
                tx.execute_unprepared("LOCK TABLE event IN ACCESS SHARE MODE").await.map_err(error::from)?;
                Ok(tx)
            }
        }
    }

    /// Keeps a second copy from writing to the same PostgreSQL database, until the transaction ends. On SQLite the
    /// second one's first row is refused.
    async fn lock_for_copy(&self) -> Result<Option<Transaction>> {
        #[derive(FromQueryResult)]
        struct Row {
            locked: bool,
        }
        if self.dialect == Dialect::Sqlite {
            return Ok(None);
        }
        let tx = self.write.begin().await?;
        tx.execute_unprepared(MAY_BE_IDLE).await.map_err(error::from)?;
        let sql = Sql::new(&Lock::Copying.attempt());
        let row = Row::find_by_statement(sql.on(self.dialect.backend())).one(&tx).await.map_err(error::from)?;
        if row.is_some_and(|row| row.locked) {
            return Ok(Some(tx));
        }
        Err(Error::bad_input("--to", "must not be written to by another copy at the same time"))
    }

    /// How many events of an organization are there, counted from 0 without a gap.
    async fn events_there(&self, organization_no: i64) -> Result<i64> {
        #[derive(FromQueryResult)]
        struct Row {
            n: Option<i64>,
        }
        let sql = self.dialect.last_sequence(organization_no);
        let row = Row::find_by_statement(sql.on(self.dialect.backend())).one(&self.write).await.map_err(error::from)?;
        Ok(row.and_then(|row| row.n).map_or(0, |last| last + 1))
    }
}

impl Source<'_> {
    /// Copies all organizations first, so that nobody else can get a number of theirs. Returns how many there are.
    async fn copy_organizations(&self, target: &Store, known: &HashMap<i64, Known>) -> Result<u64> {
        let (mut number, mut after) = (0, None::<Cells>);
        let mut writing = Writing::begin(target).await?;
        loop {
            let page = self.page(&ORGANIZATION, None, after.as_ref(), CHUNK).await?;
            number += page.len() as u64;
            let mut rows = page.iter().map(|row| ORGANIZATION.cells(row)).collect::<Result<Vec<_>>>()?;
            let Some(last) = rows.last() else { break };
            after = Some(last.clone());
            rows.retain(|row| !matches!(row[0], Value::BigInt(Some(no)) if known.contains_key(&no)));
            writing.insert(ORGANIZATION.name, &ORGANIZATION.names(), rows).await?;
        }
        for table in rows::WHOLE {
            self.copy_whole(&mut writing, table).await?;
        }
        writing.commit().await?;
        Ok(number)
    }

    /// Copies a whole table in the place of what an earlier copy has left of it.
    async fn copy_whole(&self, writing: &mut Writing, table: &Table) -> Result<()> {
        writing.execute(format!("DELETE FROM {}", table.name)).await?;
        let mut after = None::<Cells>;
        loop {
            let page = self.page(table, None, after.as_ref(), CHUNK).await?;
            let rows = page.iter().map(|row| table.cells(row)).collect::<Result<Vec<_>>>()?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.clone());
            writing.insert(table.name, &table.names(), rows).await?;
        }
    }

    /// Writes a batch in one transaction.
    async fn write(&self, target: &Store, batch: Batch, now: Timestamp) -> Result<()> {
        let Batch { before: _, events, order, documents, completed } = batch;
        target.ensure_partitions(order.iter().filter_map(|row| integer(&row[2])), now).await?;
        let mut writing = Writing::begin(target).await?;
        match target.dialect {
            Dialect::Postgres | Dialect::Citus => {
                let columns: Vec<_> = EVENT.names().into_iter().chain(["terms"]).collect();
                writing.insert(EVENT.name, &columns, events).await?;
            }
            Dialect::Sqlite => {
                let columns: Vec<_> = std::iter::once("key").chain(EVENT.names().into_iter().skip(2)).collect();
                writing.insert(EVENT.name, &columns, events).await?;
                let documents = documents.into_iter().rev();
                let documents = documents.map(|(position, terms)| vec![search_rowid(position).into(), terms.into()]);
                writing.insert("event_search", &["rowid", "terms"], documents.collect()).await?;
            }
        }
        writing.insert(ORDER.name, &ORDER.names(), order).await?;
        self.complete(&mut writing, &completed).await?;
        writing.commit().await
    }

    /// Copies what organizations have besides events, their heads last.
    async fn complete(&self, writing: &mut Writing, completed: &[(Cells, Option<Known>)]) -> Result<()> {
        let outgrown = completed.iter().filter(|(_, known)| known.as_ref().is_some_and(|known| known.head.is_some()));
        let outgrown: Vec<_> = outgrown.filter_map(|(head, _)| integer(&head[0])).map(|no| no.to_string()).collect();
        if !outgrown.is_empty() {
            for table in CHANGING.into_iter().chain([&HEAD]) {
                let numbers = outgrown.join(", ");
                writing.execute(format!("DELETE FROM {} WHERE organization_no IN ({numbers})", table.name)).await?;
            }
        }
        for table in CHANGING.into_iter().chain([&IDEMPOTENCY]) {
            let mut rows = Vec::new();
            for (head, known) in completed {
                let Some(organization_no) = integer(&head[0]) else { continue };
                // Keys come with the head: those of events before it are there.
                let since = known.as_ref().and_then(|known| integer(&known.head.as_ref()?[1])).unwrap_or(0);
                let part = Some(Part { organization_no, since });
                let mut after: Option<Cells> = None;
                loop {
                    let page = self.page(table, part, after.as_ref(), CHUNK).await?;
                    for row in &page {
                        rows.push(table.cells(row)?);
                    }
                    after = rows.last().cloned();
                    if rows.len() >= CHUNK {
                        writing.insert(table.name, &table.names(), std::mem::take(&mut rows)).await?;
                    }
                    if page.len() < CHUNK {
                        break;
                    }
                }
            }
            writing.insert(table.name, &table.names(), rows).await?;
        }
        let heads = completed.iter().map(|(head, _)| head.clone()).collect();
        writing.insert(HEAD.name, &HEAD.names(), heads).await
    }
}

fn integer(value: &Value) -> Option<i64> {
    if let Value::BigInt(number) = value { *number } else { None }
}
