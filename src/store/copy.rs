//! Copying everything to another database: the same organizations, sequences, ids, positions and counts.
//!
//! The source may be in use: what is copied is its state at the start. An organization's head is written in the
//! transaction that completes it, so that one without a head is known to be unfinished; events go before it in order,
//! so that the last one says where to go on. The index of terms is built anew.

mod table;
mod verify;
mod writing;

use std::collections::{BTreeMap, HashMap};

use entity::{event, organization_head as head};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, FromQueryResult, IsolationLevel, QueryResult, TransactionOptions,
    TransactionTrait, Value,
};

use super::{
    Dictionary, Store, connect,
    dialect::{Dialect, SEQUENCE_BITS},
    error, rows,
    sql::Sql,
};
use crate::{
    error::{Error, Result},
    event::{Timestamp, terms},
};
use table::{CHANGING, Cells, EVENT, HEAD, IDEMPOTENCY, ORDER, ORDER_COLUMNS, ORGANIZATION, Part, Table};
use writing::Writing;

/// Rows that are read at once, and events of one transaction.
const CHUNK: usize = 5_000;
/// Organizations that are completed by one transaction.
const TOGETHER: usize = 500;
/// The lock of the one process that copies into a PostgreSQL database.
const COPYING: i64 = 5_497_853_135_693_830;

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
    table::all().map(|table| (table.name, table.names())).chain([(ORDER, ORDER_COLUMNS.to_vec())])
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
    events: Vec<Cells>,
    order: Vec<Cells>,
    /// SQLite's search index wants its rowids ascending, each once; two organizations may share one.
    documents: BTreeMap<i64, String>,
    /// Heads of organizations whose last events these are, and what the target knew of them.
    completed: Vec<(Cells, Option<Known>)>,
}

impl Store {
    /// Opens a database to copy from: one that is there.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` where a SQLite file is missing, and those of [`Store::open`].
    pub async fn open_source(url: &str) -> Result<Self> {
        if connect::dialect_of(url)? == Dialect::Sqlite && !std::path::Path::new(connect::sqlite_path(url)).exists() {
            return Err(Error::bad_input("--from", "must name a database: there is no such file"));
        }
        Self::open(url).await
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
        let mut known = source.known(target).await?;
        let organizations = source.copy_organizations(target, &known).await?;
        let mut copied = Copied { events: total, organizations, ..Copied::default() };
        let mut done = 0;
        let mut batch = Batch::default();
        let mut after: Option<Cells> = None;
        loop {
            let page = source.page(&HEAD, None, after.as_ref(), CHUNK).await?;
            for row in &page {
                let head = HEAD.cells(row)?;
                let model = head::Model::from_query_result(row, "").map_err(error::from)?;
                let known = known.remove(&model.organization_no);
                let before = known.as_ref().map_or(0, |known| known.size);
                copied.before += before as u64;
                done += before as u64;
                progress(Phase::Copying, done, total);
                if known.as_ref().is_some_and(|known| known.head.as_ref() == Some(&head)) {
                    continue;
                }
                let dictionary = self.dictionary(&source.rows, &model).await?;
                let mut next = before;
                while next < model.size {
                    let part = Part { organization_no: model.organization_no, since: next };
                    let events = source.page(&EVENT, Some(part), None, CHUNK - batch.events.len()).await?;
                    if events.is_empty() {
                        return Err(Error::internal(Missing { organization_no: part.organization_no, sequence: next }));
                    }
                    for row in &events {
                        batch.add_event(target.dialect, &dictionary, row)?;
                    }
                    next += events.len() as i64;
                    if batch.events.len() >= CHUNK {
                        done += source.write(target, &mut batch, now).await?;
                        progress(Phase::Copying, done, total);
                    }
                }
                batch.completed.push((head, known));
                if batch.completed.len() >= TOGETHER {
                    done += source.write(target, &mut batch, now).await?;
                }
            }
            let Some(last) = page.last() else { break };
            after = Some(HEAD.cells(last)?);
        }
        done += source.write(target, &mut batch, now).await?;
        progress(Phase::Copying, done, total);
        target.settle().await?;
        copied.compared = source.verify(target, total, &mut progress).await?;
        if let Some(lock) = lock {
            lock.rollback().await.map_err(error::from)?;
        }
        Ok(copied)
    }

    /// Refuses a database that a copy has not been brought to its end in: heads come in the order of numbers, so the
    /// last organization's is missing then.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`, and those of the database.
    pub async fn refuse_unfinished_copy(&self) -> Result<()> {
        let sql = Sql::new(
            "SELECT count(*) AS n FROM organization o WHERE o.no = (SELECT max(no) FROM organization) \
            AND NOT EXISTS (SELECT 1 FROM organization_head h WHERE h.organization_no = o.no)",
        );
        if self.number_of(sql).await? == 0 {
            return Ok(());
        }
        Err(Error::bad_input(
            "LEDGERLINE_DATABASE_URL",
            "must be whole: run the interrupted `ledgerline copy` again first",
        ))
    }

    /// One state of the whole database, whatever is recorded meanwhile.
    async fn snapshot(&self) -> Result<DatabaseTransaction> {
        let (pool, options) = match self.dialect {
            Dialect::Sqlite => (&self.read, TransactionOptions::default()),
            Dialect::Postgres => {
                let options = TransactionOptions {
                    isolation_level: Some(IsolationLevel::RepeatableRead),
                    access_mode: Some(AccessMode::ReadOnly),
                    ..TransactionOptions::default()
                };
                // Not the readers' connections: their statements have a time limit.
                (&self.write, options)
            }
        };
        pool.begin_with_options(options).await.map_err(error::from)
    }

    /// Keeps a second copy from writing to the same PostgreSQL database, until the transaction ends. On SQLite the
    /// second one's first row is refused.
    async fn lock_for_copy(&self) -> Result<Option<DatabaseTransaction>> {
        #[derive(FromQueryResult)]
        struct Row {
            locked: bool,
        }
        if self.dialect == Dialect::Sqlite {
            return Ok(None);
        }
        let tx = self.write.begin().await.map_err(error::from)?;
        let sql = Sql::new("SELECT pg_try_advisory_xact_lock(").bind(COPYING).text(") AS locked");
        let row = Row::find_by_statement(sql.on(self.dialect.backend())).one(&tx).await.map_err(error::from)?;
        if row.is_some_and(|row| row.locked) {
            return Ok(Some(tx));
        }
        Err(Error::bad_input("--to", "must not be written to by another copy at the same time"))
    }

    /// What PostgreSQL needs after so much was written at once.
    async fn settle(&self) -> Result<()> {
        if self.dialect == Dialect::Postgres {
            self.merge_search_entries().await?;
            self.write.execute_unprepared("ANALYZE").await.map_err(error::from)?;
        }
        Ok(())
    }

    /// How many events of an organization are there, counted from 0 without a gap.
    async fn events_there(&self, organization_no: i64) -> Result<i64> {
        #[derive(FromQueryResult)]
        struct Row {
            n: Option<i64>,
        }
        let sql = match self.dialect {
            Dialect::Sqlite => Sql::new(&format!("SELECT max(key) & ((1 << {SEQUENCE_BITS}) - 1) AS n FROM event"))
                .with(" WHERE key >= ", organization_no << SEQUENCE_BITS)
                .with(" AND key < ", (organization_no + 1) << SEQUENCE_BITS),
            Dialect::Postgres => {
                Sql::new("SELECT max(sequence) AS n FROM event_order WHERE organization_no = ").bind(organization_no)
            }
        };
        let row = Row::find_by_statement(sql.on(self.dialect.backend())).one(&self.write).await.map_err(error::from)?;
        Ok(row.and_then(|row| row.n).map_or(0, |last| last + 1))
    }
}

/// The database that is copied, at one state.
struct Source<'a> {
    store: &'a Store,
    rows: DatabaseTransaction,
}

impl Source<'_> {
    async fn page(
        &self,
        table: &Table,
        part: Option<Part>,
        after: Option<&Cells>,
        limit: usize,
    ) -> Result<Vec<QueryResult>> {
        let after = after.map(|cells| table.key(cells));
        table.page(&self.rows, self.store.dialect, part, after, limit).await
    }

    /// The number of events.
    async fn size(&self) -> Result<u64> {
        #[derive(FromQueryResult)]
        struct Row {
            n: i64,
            unfinished: i64,
        }
        let sql = Sql::new(
            "SELECT CAST(coalesce((SELECT sum(size) FROM organization_head), 0) AS BIGINT) AS n, (SELECT count(*) FROM organization o \
            WHERE NOT EXISTS (SELECT 1 FROM organization_head h WHERE h.organization_no = o.no)) AS unfinished",
        );
        let sql = sql.on(self.store.dialect.backend());
        let row = Row::find_by_statement(sql).one(&self.rows).await.map_err(error::from)?;
        match row {
            Some(Row { unfinished: 1.., .. }) => {
                Err(Error::bad_input("--from", "must be whole: it is a copy that has not come to its end"))
            }
            row => Ok(row.map_or(0, |row| row.n as u64)),
        }
    }

    /// The organizations of the target, each an earlier part of the same organization here.
    async fn known(&self, target: &Store) -> Result<HashMap<i64, Known>> {
        let (mut known, mut after) = (HashMap::new(), None::<Cells>);
        loop {
            let key = after.as_ref().map(|cells| ORGANIZATION.key(cells));
            let page = ORGANIZATION.page(&target.write, target.dialect, None, key, CHUNK).await?;
            let Some(last) = page.last() else { return Ok(known) };
            after = Some(ORGANIZATION.cells(last)?);
            for row in &page {
                let organization = ORGANIZATION.cells(row)?;
                let Value::BigInt(Some(no)) = organization[0] else { continue };
                let part = Part { organization_no: no, since: 0 };
                let size = target.events_there(no).await?;
                let same = self.only(&ORGANIZATION, part).await?.is_some_and(|here| here == organization)
                    && (size == 0 || {
                        // A trail that ends in the same event, salt included, was not written to by anyone else.
                        let last = Part { since: size - 1, ..part };
                        let there = first(target, &EVENT, last).await?;
                        self.only(&EVENT, last).await? == there
                    });
                if !same {
                    let names: Vec<_> = organization.iter().filter_map(text).collect();
                    let rule = format!(
                        "must be empty or hold a part of this copy: its organization {} holds something else; nothing was changed",
                        names.join("/")
                    );
                    return Err(Error::bad_input("--to", rule));
                }
                known.insert(no, Known { size, head: first(target, &HEAD, part).await? });
            }
        }
    }

    /// The first row of a part.
    async fn only(&self, table: &Table, part: Part) -> Result<Option<Cells>> {
        self.page(table, Some(part), None, 1).await?.first().map(|row| table.cells(row)).transpose()
    }

    /// All organizations first: no number of theirs can be given to another one then. Returns how many there are.
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
        if target.dialect == Dialect::Postgres && number > 0 {
            let next = "SELECT setval(pg_get_serial_sequence('organization', 'no'), max(no)) FROM organization";
            writing.execute(next.to_owned()).await?;
        }
        writing.commit().await?;
        Ok(number)
    }

    /// Writes a batch in one transaction and empties it. Returns how many events it held.
    async fn write(&self, target: &Store, batch: &mut Batch, now: Timestamp) -> Result<u64> {
        let Batch { events, order, documents, completed } = std::mem::take(batch);
        let number = events.len() as u64;
        target.ensure_partitions(order.iter().filter_map(|row| integer(&row[2])), now).await?;
        let mut writing = Writing::begin(target).await?;
        match target.dialect {
            Dialect::Postgres => {
                let columns: Vec<_> = EVENT.names().into_iter().chain(["terms"]).collect();
                writing.insert(EVENT.name, &columns, events).await?;
            }
            Dialect::Sqlite => {
                let columns: Vec<_> = std::iter::once("key").chain(EVENT.names().into_iter().skip(2)).collect();
                writing.insert(EVENT.name, &columns, events).await?;
                let documents = documents.into_iter().map(|(position, terms)| vec![position.into(), terms.into()]);
                writing.insert("event_search", &["rowid", "terms"], documents.collect()).await?;
            }
        }
        writing.insert(ORDER, &ORDER_COLUMNS, order).await?;
        self.complete(&mut writing, &completed).await?;
        writing.commit().await?;
        Ok(number)
    }

    /// Everything of organizations but their events; their heads last.
    async fn complete(&self, writing: &mut Writing, completed: &[(Cells, Option<Known>)]) -> Result<()> {
        let outgrown = completed.iter().filter(|(_, known)| known.as_ref().is_some_and(|known| known.head.is_some()));
        let outgrown: Vec<_> = outgrown.filter_map(|(head, _)| integer(&head[0])).map(|no| no.to_string()).collect();
        if !outgrown.is_empty() {
            for table in CHANGING.iter().chain([&HEAD]) {
                let numbers = outgrown.join(", ");
                writing.execute(format!("DELETE FROM {} WHERE organization_no IN ({numbers})", table.name)).await?;
            }
        }
        for table in CHANGING.iter().chain([&IDEMPOTENCY]) {
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

impl Batch {
    /// Adds an event with its terms.
    fn add_event(&mut self, target: Dialect, dictionary: &Dictionary, row: &QueryResult) -> Result<()> {
        let mut cells = EVENT.cells(row)?;
        let event = rows::event(event::Model::from_query_result(row, "").map_err(error::from)?)?;
        let (organization_no, sequence, position) = (event.organization_no, event.sequence, event.position.0);
        self.order.push(vec![organization_no.into(), sequence.into(), position.into()]);
        let prefix = terms::organization_prefix(organization_no);
        let within: Vec<i64> = dictionary.within(event.log_no).collect();
        let (open, close) = if target == Dialect::Postgres { ("'", "' ") } else { ("", " ") };
        let mut text = String::new();
        for term in terms::of_event(&event, &within) {
            for part in [open, &prefix, &term, close] {
                text.push_str(part);
            }
        }
        match target {
            Dialect::Postgres => cells.push(text.into()),
            Dialect::Sqlite => {
                cells.splice(..2, [((organization_no << SEQUENCE_BITS) | sequence).into()]);
                self.documents.entry(position).or_default().push_str(&text);
            }
        }
        self.events.push(cells);
        Ok(())
    }
}

/// The first row of a part of the target.
async fn first(target: &Store, table: &Table, part: Part) -> Result<Option<Cells>> {
    let page = table.page(&target.write, target.dialect, Some(part), None, 1).await?;
    page.first().map(|row| table.cells(row)).transpose()
}

fn integer(value: &Value) -> Option<i64> {
    if let Value::BigInt(number) = value { *number } else { None }
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
