//! One transaction for a group of requests: lock heads, look up keys, decide in memory, insert, commit.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::atomic::Ordering,
    time::Duration,
};

use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{
    organizations::{Name, Organization},
    stage::{Decided, Known, Stage},
    task::{Appended, Deleted, Item, ItemResult, Recorded, Task},
};
use crate::{
    auth::WriteScope,
    error::{Error, Result},
    event::{Event, Position, Timestamp, hash::Hash},
    store::{
        Permitted, Store,
        connection::transaction::Transaction,
        control::Place,
        dialect::{CHUNK, Dialect, sql::Sql},
        error,
        news::Grown,
    },
};

/// The longest that a group may take on PostgreSQL. A disk may be slow, and a lost connection says nothing. The server
/// takes such a transaction back earlier: see [`session`](crate::store::postgres::session).
const LONGEST: Duration = Duration::from_secs(30);

enum Decision {
    Record(Vec<Decided>),
    Delete(usize, Result<(i64, Option<Decided>)>),
    Change(Decided),
}

impl Store {
    /// Records a group in one transaction. What it returns is durable. `nodes` are those of a cluster that it needs.
    ///
    /// # Errors
    /// Those of the database; nothing of the group is recorded then.
    pub async fn append(&self, nodes: &[i32], group: &[Task], now: Timestamp) -> Result<Vec<Appended>> {
        if let Some(known) = self.cluster() {
            known.must_answer(nodes)?;
        }
        let appended = match self.dialect {
            Dialect::Sqlite => Box::pin(self.append_in_one(group, now)).await,
            // A connection that says nothing is closed, so that nobody waits for ever. Whether it committed is not known.
            Dialect::Postgres | Dialect::Citus => {
                let appending = Box::pin(self.append_among_partitions(group, now));
                match tokio::time::timeout(LONGEST, appending).await {
                    Ok(appended) => appended,
                    Err(late) => Err(Error::Unavailable(std::sync::Arc::new(late))),
                }
            }
        };
        match &appended {
            Ok(_) => self.refused.store(false, Ordering::Release),
            Err(Error::Unavailable(_)) => {
                if let Some(nodes) = self.cluster() {
                    // The next group knows more.
                    nodes.look().await;
                }
                self.refused.store(true, Ordering::Release);
            }
            Err(_) => {}
        }
        appended
    }

    /// Records a group once more where a sweep took an empty partition away between the look at what partitions there are
    /// and the insert: for its events, the partition is made again.
    async fn append_among_partitions(&self, group: &[Task], now: Timestamp) -> Result<Vec<Appended>> {
        match self.append_in_one(group, now).await {
            Err(error) if error::lacks_partition(&error) => {
                self.forget_partitions();
                self.append_in_one(group, now).await
            }
            appended => appended,
        }
    }

    async fn append_in_one(&self, group: &[Task], now: Timestamp) -> Result<Vec<Appended>> {
        self.clock_check.within_reach(now)?;
        // A second round comes only after the database was put back. By then, what was remembered is dropped.
        let (tx, (organizations, index)) = loop {
            let tx = self.write.begin().await?;
            if self.must_compare() {
                tx.rollback().await?;
                if self.is_missing_any().await? {
                    self.close_history(now, "behind what was acknowledged").await?;
                    return Err(Error::Closed);
                }
                continue;
            }
            match self.organizations(&tx, group, now).await? {
                Some(found) => break (tx, found),
                None => tx.rollback().await?,
            }
        };
        let is_there =
            |org: &Organization| self.is_all_there(&org.product, &org.external_id, (!org.is_new).then_some(&org.head));
        if !organizations.iter().all(is_there) {
            tx.rollback().await?;
            self.close_history(now, "behind what was acknowledged").await?;
            return Err(Error::Closed);
        }
        self.clock_check.not_set_back(now, organizations.iter().map(|org| &org.head));
        let keys = self.known_keys(&tx, group, &organizations, &index).await?;
        let known: Vec<_> = organizations.iter().map(|org| self.dictionaries.top(&org.head)).collect();
        let mut stage = Stage::new(now, &self.chance, organizations, keys);
        let mut decisions = Vec::with_capacity(group.len());
        for task in group {
            decisions.push(self.decide(&tx, &mut stage, task, &index).await?);
        }
        let tops = self.place(&tx, &mut stage, &known).await?;
        self.ensure_partitions(stage.events.iter().map(|staged| staged.event.position.0), now).await?;
        self.insert(&tx, &mut stage).await?;
        let earlier = self.earlier(&tx, &stage, &decisions).await?;
        tx.commit().await?;
        let is_there = |org: &&Organization| (!org.is_new || org.head.size > 0) && org.head.ended == 0;
        for org in stage.organizations.iter().filter(is_there) {
            self.dictionaries.remember(&org.product, &org.external_id, org.no);
            self.dictionaries.remember_dictionary(org.no, org.dictionary.clone());
        }
        for (at, top) in tops {
            self.dictionaries.remember_top(&stage.organizations[at].head, top);
        }
        let recorded = stage.organizations.iter().filter(|org| org.head.size > 0 && !org.is_unnumbered);
        self.acknowledged.remember(recorded.map(|org| (&*org.product, &*org.external_id, &org.head)));
        let grown = stage.events.iter().map(|staged| staged.organization).collect::<BTreeSet<_>>();
        let grown = grown.into_iter().map(|at| &stage.organizations[at]).map(|org| Grown {
            product: &org.product,
            organization: &org.external_id,
            no: org.no,
            size: org.head.size,
        });
        self.tell_of_growth(&grown.collect::<Vec<_>>());
        Ok(answers(&stage, decisions, &earlier))
    }

    async fn decide<'a>(
        &self,
        tx: &Transaction,
        stage: &mut Stage<'a>,
        task: &'a Task,
        index: &HashMap<Name, usize>,
    ) -> Result<Decision> {
        let at = |scope: &WriteScope| index[&(scope.product().name.clone(), scope.organization().to_owned())];
        Ok(match task {
            Task::Record { items, atomic } => {
                let items: Vec<_> = items.iter().map(|item| (at(&item.scope), item)).collect();
                Decision::Record(stage.record(&items, *atomic))
            }
            Task::DeleteLog { scope, log, event } => {
                let organization = at(scope);
                let done = stage.delete_log(organization, scope.product(), log, scope.allowed_logs(), event.as_deref());
                Decision::Delete(organization, done)
            }
            Task::Change { permitted, event } => {
                // Boxed: it is large, and a group that only records would be as large.
                Decision::Change(Box::pin(self.decide_change(tx, stage, at(&event.scope), permitted, event)).await?)
            }
        })
    }

    /// Changes a control table where that is possible, and stages the event that tells of it. The next task of the group
    /// finds it changed.
    async fn decide_change<'a>(
        &self,
        tx: &Transaction,
        stage: &mut Stage<'a>,
        at: usize,
        permitted: &Permitted,
        event: &'a Item,
    ) -> Result<Decided> {
        let Permitted { scope, change } = permitted;
        let (organization_no, now) = (stage.organizations[at].no, stage.now);
        let dictionary = stage.organizations[at].dictionary.clone();
        let size = stage.organizations[at].head.size;
        let place = Place { organization_no, size, dictionary: &dictionary, allowed: scope.allowed_logs(), now };
        if let Err(refusal) = self.possible(tx, &place, change).await? {
            return Ok(Decided::Refused(refusal));
        }
        let decided = stage.tell(at, event);
        if matches!(decided, Decided::New(_)) {
            self.change(tx, &place, change).await?;
        }
        Ok(decided)
    }

    async fn known_keys(
        &self,
        tx: &Transaction,
        group: &[Task],
        organizations: &[Organization],
        index: &HashMap<Name, usize>,
    ) -> Result<HashMap<(usize, Hash), Known>> {
        #[derive(FromQueryResult)]
        struct Row {
            organization_no: i64,
            key_hash: Vec<u8>,
            content_hash: Vec<u8>,
            sequence: i64,
            salt: i64,
            log_no: i64,
        }
        let mut asked: Vec<(usize, Hash)> = Vec::new();
        for item in group.iter().flat_map(Task::items) {
            let at = index[&(item.scope.product().name.clone(), item.scope.organization().to_owned())];
            if let Some(key) = item.key
                && !organizations[at].is_new
            {
                asked.push((at, key.hash));
                asked.extend(self.has_plain_hashes.then_some((at, key.plain)));
            }
        }
        let numbers: HashMap<i64, usize> = organizations.iter().enumerate().map(|(at, org)| (org.no, at)).collect();
        let mut known = HashMap::new();
        let asked: Vec<_> = asked.iter().map(|(at, hash)| (organizations[*at].no, hash)).collect();
        for portion in self.dialect.portions(&asked, |(no, _)| *no) {
            let sql = self.dialect.events_of_keys(&portion);
            for row in Row::find_by_statement(sql.on(self.dialect.backend())).all(tx).await.map_err(error::from)? {
                // A key that is passed over would record its event a second time.
                let hash = |bytes: Vec<u8>| bytes.try_into().map_err(|_| Error::internal(NoHash));
                let (key, content) = (hash(row.key_hash)?, hash(row.content_hash)?);
                known.insert(
                    (numbers[&row.organization_no], key),
                    Known::Stored { sequence: row.sequence, salt: row.salt, log_no: row.log_no, content },
                );
            }
        }
        Ok(known)
    }

    /// Gives every staged event the next free place of its microsecond, or of the next one that has room. Returns
    /// positions that no event of their organizations is behind then, where they are known.
    async fn place(
        &self,
        tx: &Transaction,
        stage: &mut Stage<'_>,
        known: &[Option<i64>],
    ) -> Result<HashMap<usize, i64>> {
        #[derive(FromQueryResult)]
        struct Row {
            organization_no: i64,
            block: i64,
            last: Option<i64>,
        }
        let mut tops = self.tops(tx, stage, known).await?;
        let mut free: HashMap<(i64, i64), i64> = HashMap::new();
        let mut waiting: Vec<usize> = (0..stage.events.len()).collect();
        let mut first_of: Vec<i64> = stage.events.iter().map(|staged| staged.event.position.0).collect();
        let new: Vec<bool> = stage.organizations.iter().map(|org| org.is_new).collect();
        let before = tops.clone();
        while !waiting.is_empty() {
            let mut unknown = BTreeSet::new();
            waiting.retain(|&at| {
                let staged = &mut stage.events[at];
                let no = staged.event.organization_no;
                loop {
                    let block = first_of[at];
                    let next = match free.get_mut(&(no, block)) {
                        Some(next) => next,
                        None if new[staged.organization]
                            || before.get(&staged.organization).is_some_and(|top| *top < block) =>
                        {
                            free.entry((no, block)).or_insert(block)
                        }
                        None => {
                            unknown.insert((no, block));
                            return true;
                        }
                    };
                    if *next <= Position(block).block_end().0 {
                        staged.event.position = Position(*next);
                        *next += 1;
                        let moved = (block - Position::block_of(staged.event.occurred_at).0) / Position::BLOCK;
                        let head = &mut stage.organizations[staged.organization].head;
                        head.spill = head.spill.max(moved);
                        return false;
                    }
                    first_of[at] = block + Position::BLOCK;
                }
            });
            let unknown: Vec<_> = unknown.into_iter().collect();
            for portion in self.dialect.portions(&unknown, |(no, _)| *no) {
                let sql = self.dialect.last_places(&portion);
                for row in Row::find_by_statement(sql.on(self.dialect.backend())).all(tx).await.map_err(error::from)? {
                    free.insert((row.organization_no, row.block), row.last.map_or(row.block, |last| last + 1));
                }
            }
        }
        for staged in &stage.events {
            if let Some(top) = tops.get_mut(&staged.organization) {
                *top = staged.event.position.0.max(*top);
            }
        }
        Ok(tops)
    }

    /// Positions that no event of their organizations is behind. On a cluster, what is taken is asked for organization by
    /// organization, and whoever records what happens now need not ask. Elsewhere one statement asks for all. `known` are
    /// those of all organizations before this group, where they are remembered.
    async fn tops(&self, tx: &Transaction, stage: &Stage<'_>, known: &[Option<i64>]) -> Result<HashMap<usize, i64>> {
        #[derive(FromQueryResult)]
        struct Row {
            n: Option<i64>,
        }
        let mut tops = HashMap::new();
        if self.dialect != Dialect::Citus {
            return Ok(tops);
        }
        let mut first: BTreeMap<usize, i64> = BTreeMap::new();
        for staged in &stage.events {
            let block = staged.event.position.0;
            first.entry(staged.organization).and_modify(|first| *first = block.min(*first)).or_insert(block);
        }
        for (at, first) in first {
            let org = &stage.organizations[at];
            let top = match known[at] {
                _ if org.is_new => first - 1,
                Some(top) => top,
                None => {
                    let sql = self.dialect.last_position_from(org.no, first).on(self.dialect.backend());
                    let row = Row::find_by_statement(sql).one(tx).await.map_err(error::from)?;
                    row.and_then(|row| row.n).unwrap_or(first - 1)
                }
            };
            tops.insert(at, top);
        }
        Ok(tops)
    }

    /// Whole events that earlier transactions recorded under keys of this group.
    async fn earlier(
        &self,
        tx: &Transaction,
        stage: &Stage<'_>,
        decisions: &[Decision],
    ) -> Result<HashMap<(usize, i64), Event>> {
        let mut found = HashMap::new();
        let mut wanted: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
        for decided in decisions.iter().flat_map(Decision::decided) {
            if let Decided::Earlier { organization, sequence } = decided {
                wanted.entry(*organization).or_default().push(*sequence);
            }
        }
        for (organization, sequences) in wanted {
            for chunk in sequences.chunks(CHUNK) {
                let sql = self.dialect.events_of_sequences(stage.organizations[organization].no, chunk);
                for event in self.events_on(tx, sql).await? {
                    found.insert((organization, event.sequence), event);
                }
            }
        }
        Ok(found)
    }

    pub(in crate::store) async fn execute(&self, tx: &Transaction, sql: Sql) -> Result<()> {
        tx.execute_raw(sql.on(self.dialect.backend())).await.map_err(error::from)?;
        Ok(())
    }

    /// Runs a statement whose plan depends on its values, and says how many rows it changed. On PostgreSQL it has them in
    /// its text and is never prepared: each connection would keep it, and it is another one each time.
    pub(in crate::store) async fn execute_by_values(&self, tx: &Transaction, sql: Sql) -> Result<i64> {
        let statement = sql.on(self.dialect.backend());
        let done = match self.dialect {
            Dialect::Postgres => tx.execute_unprepared(&statement.sql).await,
            Dialect::Sqlite | Dialect::Citus => tx.execute_raw(statement).await,
        };
        Ok(done.map_err(error::from)?.rows_affected().cast_signed())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("an idempotency key is stored with a hash that no version has written")]
struct NoHash;

impl Decision {
    fn decided(&self) -> Vec<&Decided> {
        match self {
            Self::Record(decided) => decided.iter().collect(),
            Self::Delete(_, Ok((_, Some(decided)))) => vec![decided],
            Self::Delete(..) => Vec::new(),
            Self::Change(decided) => vec![decided],
        }
    }
}

fn answers(stage: &Stage<'_>, decisions: Vec<Decision>, earlier: &HashMap<(usize, i64), Event>) -> Vec<Appended> {
    let recorded = |decided: Decided| -> ItemResult {
        let (already, organization, event) = match decided {
            Decided::Refused(error) => return Err(error),
            Decided::New(at) => (false, stage.events[at].organization, stage.events[at].event.clone()),
            Decided::Repeat(at) => (true, stage.events[at].organization, stage.events[at].event.clone()),
            Decided::Earlier { organization, sequence } => {
                let event = earlier.get(&(organization, sequence)).cloned();
                (true, organization, event.ok_or_else(|| Error::NotFound("the first event cannot be read".to_owned()))?)
            }
        };
        Ok(Recorded { already, event, dictionary: stage.organizations[organization].dictionary.clone() })
    };
    let answer = |decision| match decision {
        Decision::Change(decided) => Appended::Changed(recorded(decided).map(Box::new)),
        Decision::Record(decided) => Appended::Recorded(decided.into_iter().map(recorded).collect()),
        Decision::Delete(organization, done) => Appended::Deleted(done.and_then(|(log_no, decided)| {
            let dictionary = stage.organizations[organization].dictionary.clone();
            Ok(Deleted { log_no, dictionary, event: decided.map(recorded).transpose()?.map(Box::new) })
        })),
    };
    decisions.into_iter().map(answer).collect()
}
