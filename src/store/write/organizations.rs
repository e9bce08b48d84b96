//! The organizations of a group of requests: found or created, and their heads locked.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use entity::organization_head as head;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::task::Task;
use crate::{
    error::Result,
    event::{Timestamp, id::SALT_BITS, terms::ORGANIZATION_MAX},
    store::{
        Dictionary, LogNode, Store,
        connection::transaction::Transaction,
        dialect::{CHUNK, Dialect, sql::Sql},
        error,
        head::Head,
        postgres::locks::Lock,
        tables::ORGANIZATION,
    },
};

/// Product and external id.
pub(in crate::store) type Name = (String, String);

/// An organization while a group is decided.
pub(in crate::store) struct Organization {
    pub product: String,
    pub external_id: String,
    pub no: i64,
    /// Whether the database has no number left for it: it can record nothing.
    pub is_unnumbered: bool,
    /// Whether this transaction created it.
    pub is_new: bool,
    pub head: head::Model,
    pub dictionary: Arc<Dictionary>,
    /// Logs and kinds that are stored already.
    pub stored: (usize, usize),
    /// Logs whose row changed: number, name, deletion.
    pub changed: Vec<i64>,
}

/// How a group knows the number of an organization.
#[derive(Clone, Copy)]
enum Number {
    /// From an earlier transaction.
    Remembered(i64),
    /// From the database, in this transaction.
    Read(i64),
    /// There is none left.
    Exhausted,
}

#[derive(FromQueryResult)]
struct Numbered {
    no: i64,
    product: String,
    external_id: String,
}

impl Store {
    /// The organizations of a group, and the place of each by name. New ones are created, and all heads are locked in the
    /// order of numbers. `None` where a remembered number is not the organization's any more. Everything remembered is
    /// dropped then, and the transaction has to begin anew, since it may have locked heads out of order.
    pub(in crate::store) async fn organizations(
        &self,
        tx: &Transaction,
        group: &[Task],
        now: Timestamp,
    ) -> Result<Option<(Vec<Organization>, HashMap<Name, usize>)>> {
        let numbers = self.numbers(tx, group, now).await?;
        let Some((heads, mark)) = self.heads_of(tx, &numbers).await? else { return Ok(None) };
        let mark = match mark {
            Some(mark) => mark,
            None => self.history_mark(tx).await?,
        };
        self.must_be_open(mark)?;
        let (mut organizations, mut index) = (Vec::new(), HashMap::new());
        for ((name, number), head) in numbers.into_iter().zip(heads) {
            let (no, is_unnumbered) = match number {
                Number::Remembered(no) | Number::Read(no) => (no, false),
                Number::Exhausted => (i64::MAX, true),
            };
            let (head, dictionary) = match head {
                Some(head) => {
                    // Under its lock, the head is the newest there is.
                    if self.dictionaries.is_ahead_of(&head) {
                        self.forget("a remembered dictionary is of a later version than there is");
                    }
                    let dictionary = self.dictionary(tx, &head).await?;
                    (head, dictionary)
                }
                None => {
                    let head = head::Model {
                        organization_no: no,
                        size: 0,
                        spill: 0,
                        recorded_ns: i64::MIN,
                        dictionary: 0,
                        last_salt: 0,
                        removed: 0,
                        ended: 0,
                        erased: 0,
                    };
                    (head, Arc::new(Dictionary::of(no)))
                }
            };
            let stored = (dictionary.logs.len(), dictionary.kinds.len());
            let is_new = head.dictionary == 0;
            index.insert(name.clone(), organizations.len());
            let (product, external_id) = name;
            organizations.push(Organization {
                product,
                external_id,
                no,
                is_unnumbered,
                is_new,
                head,
                dictionary,
                stored,
                changed: Vec::new(),
            });
        }
        for scope in group.iter().flat_map(Task::scopes) {
            let at = index[&(scope.product().name.clone(), scope.organization().to_owned())];
            let org = &mut organizations[at];
            if org.dictionary.logs.is_empty() {
                let own = LogNode {
                    level: scope.product().top_level().name.clone(),
                    id: org.external_id.clone(),
                    name: None,
                    parent: None,
                    deleted_at: None,
                    salt: self.chance.bits(SALT_BITS),
                };
                Arc::make_mut(&mut org.dictionary).add_log(own);
            }
        }
        Ok(Some((organizations, index)))
    }

    /// The locked heads of organizations in the same order, and the history that they are in; `None` where the head of a remembered number is not there, or
    /// is another organization's.
    async fn heads_of(
        &self,
        tx: &Transaction,
        numbers: &BTreeMap<Name, Number>,
    ) -> Result<Option<(Vec<Option<head::Model>>, Option<i64>)>> {
        let number = |number: &Number| match number {
            Number::Remembered(no) | Number::Read(no) => Some(*no),
            Number::Exhausted => None,
        };
        let mut sorted: Vec<i64> = numbers.values().filter_map(number).collect();
        sorted.sort_unstable();
        let mut locked: HashMap<i64, Head> = HashMap::new();
        // A row lock reaches one node of a cluster at a time.
        let at_once = if self.dialect == Dialect::Citus { 1 } else { CHUNK };
        for chunk in sorted.chunks(at_once) {
            for head in self.locked_heads(tx, chunk).await? {
                locked.insert(head.row.organization_no, head);
            }
        }
        if let Some(head) = locked.values().next() {
            self.know_partitions(tx, head.partitions).await?;
        }
        let mut heads = Vec::with_capacity(numbers.len());
        for ((product, external_id), number) in numbers {
            let head = match number {
                Number::Remembered(no) | Number::Read(no) => locked.get(no),
                Number::Exhausted => None,
            };
            let head = head.filter(|head| head.is_of(product, external_id));
            if matches!(number, Number::Remembered(_)) && head.is_none() {
                self.forget("a remembered organization that records is not the one that has its number");
                return Ok(None);
            }
            heads.push(head.map(|head| head.row.clone()));
        }
        Ok(Some((heads, locked.values().next().map(|head| head.history))))
    }

    /// The numbers of a group's organizations: remembered ones, those that are there, and new ones.
    async fn numbers(&self, tx: &Transaction, group: &[Task], now: Timestamp) -> Result<BTreeMap<Name, Number>> {
        let (mut numbers, mut missing) = (BTreeMap::new(), Vec::new());
        for scope in group.iter().flat_map(Task::scopes) {
            let name = (scope.product().name.clone(), scope.organization().to_owned());
            if let std::collections::btree_map::Entry::Vacant(entry) = numbers.entry(name) {
                let (product, external_id) = entry.key();
                match self.dictionaries.number(product, external_id) {
                    Some(no) => drop(entry.insert(Number::Remembered(no))),
                    None => {
                        missing.push(entry.key().clone());
                        entry.insert(Number::Exhausted);
                    }
                }
            }
        }
        if missing.is_empty() {
            return Ok(numbers);
        }
        self.find_numbers(tx, &mut missing, &mut numbers).await?;
        if missing.is_empty() {
            return Ok(numbers);
        }
        if self.dialect != Dialect::Sqlite {
            tx.execute_unprepared(&Lock::Numbering.wait()).await.map_err(error::from)?;
            // Another process may have created them while this one waited.
            self.find_numbers(tx, &mut missing, &mut numbers).await?;
        }
        #[derive(FromQueryResult)]
        struct Row {
            last: i64,
            partitions: i64,
        }
        let last = Sql::new("SELECT coalesce(max(no), 0) AS last, ").text(self.dialect.partitions_mark());
        let last = last.text(" AS partitions FROM organization").on(self.dialect.backend());
        let row = Row::find_by_statement(last).one(tx).await.map_err(error::from)?;
        let (last, partitions) = row.map_or((0, 0), |row| (row.last, row.partitions));
        self.know_partitions(tx, partitions).await?;
        let created: Vec<_> = (last + 1..=ORGANIZATION_MAX).zip(missing).collect();
        for chunk in created.chunks(CHUNK) {
            let rows = chunk.iter().map(|(no, (product, external_id))| {
                [Value::from(*no), product.as_str().into(), external_id.as_str().into(), now.0.into()]
            });
            let sql = ORGANIZATION.insert();
            self.execute(tx, sql.inserted(self.dialect, rows, None)).await?;
        }
        numbers.extend(created.into_iter().map(|(no, name)| (name, Number::Read(no))));
        Ok(numbers)
    }

    /// Finds organizations by name; what is found is not missing any more.
    async fn find_numbers(
        &self,
        tx: &Transaction,
        missing: &mut Vec<Name>,
        numbers: &mut BTreeMap<Name, Number>,
    ) -> Result<()> {
        for chunk in missing.chunks(CHUNK) {
            let rows = chunk.iter().map(|(product, id)| [Value::from(product.as_str()), id.as_str().into()]);
            let sql = self.dialect.organizations_named(rows).on(self.dialect.backend());
            for Numbered { no, product, external_id } in
                Numbered::find_by_statement(sql).all(tx).await.map_err(error::from)?
            {
                numbers.insert((product, external_id), Number::Read(no));
            }
        }
        missing.retain(|name| matches!(numbers.get(name), Some(Number::Exhausted)));
        Ok(())
    }
}
