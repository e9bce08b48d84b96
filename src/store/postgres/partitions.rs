//! PostgreSQL keeps events in partitions by time, made when the first event needs them; SQLite has none.

use std::{
    collections::BTreeSet,
    sync::{Arc, MutexGuard, PoisonError},
};

use chrono::Months;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::locks::Lock;
use crate::{
    error::{Error, Result},
    event::{Position, Timestamp},
    store::{
        Store,
        dialect::{Dialect, sql::Sql},
        error,
        range::{Partition, Partitions, day_of, start_of},
    },
};

/// Months that are made ahead of time.
const MONTHS_AHEAD: u32 = 2;
/// How long after its end an empty partition is taken away at the earliest, in nanoseconds: late events are over by then.
const OVER_FOR: i64 = 24 * 3_600 * 1_000_000_000;
/// How long a turn among those who work on partitions is waited for.
const TURN_WAIT: &str = "900ms";
/// How long the tables are waited for: whoever comes meanwhile waits behind.
const LOCK_WAIT: &str = "200ms";
/// How long it may take to see that a partition is empty. Late events of its time wait meanwhile. Where many rows have just
/// left it, it takes longer, until they were vacuumed.
const LOOK: &str = "1s";

impl Store {
    /// Reads which partitions there are, and makes those of this month and the next ones.
    pub async fn make_partitions_ahead(&self, now: Timestamp) -> Result<()> {
        if self.dialect == Dialect::Sqlite {
            return Ok(());
        }
        let today = day_of(Position::block_of(now).0);
        let ahead = (0..=MONTHS_AHEAD).map(|months| start_of(today.checked_add_months(Months::new(months))));
        self.make_partitions(ahead.collect(), now).await
    }

    /// Makes sure that every position has a partition. Another connection makes a missing one, so that all processes see it
    /// at once, and it stays even if the caller's transaction is taken back.
    pub(in crate::store) async fn ensure_partitions(
        &self,
        positions: impl IntoIterator<Item = i64>,
        now: Timestamp,
    ) -> Result<()> {
        if self.dialect == Dialect::Sqlite {
            return Ok(());
        }
        let known = self.partitions.load();
        let mut missing = BTreeSet::new();
        {
            let mut touched = self.touched();
            for position in positions {
                match known.of(position) {
                    Some(partition) if touched.contains(&partition.name) => {}
                    Some(partition) => drop(touched.insert(partition.name.clone())),
                    None => drop(missing.insert(position)),
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        self.make_partitions(missing.clone(), now).await?;
        let known = self.partitions.load();
        self.touched()
            .extend(missing.into_iter().filter_map(|position| known.of(position)).map(|each| each.name.clone()));
        Ok(())
    }

    /// The partitions at the time when a head was read. A remembered list is read again where the database has another one,
    /// because another process made partitions or the database was put back: the old list would leave events out.
    pub(in crate::store) async fn know_partitions(
        &self,
        db: &impl ConnectionTrait,
        mark: i64,
    ) -> Result<Arc<Partitions>> {
        let known = self.partitions.load_full();
        if known.mark == mark || self.dialect == Dialect::Sqlite {
            return Ok(known);
        }
        let found = Arc::new(self.all_partitions(db).await?);
        self.partitions.store(found.clone());
        Ok(found)
    }

    /// Reads which partitions there are when a head is read next.
    pub(in crate::store) fn forget_partitions(&self) {
        self.partitions.store(Arc::default());
    }

    /// Takes away the partitions that no event is left in and whose time has been over for a day. Nobody waits for it: where
    /// the tables are in use for longer than a moment, or something else works on partitions, they stay until the next time.
    /// Returns their names.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn drop_empty_partitions(&self, now: Timestamp) -> Result<Vec<String>> {
        // On a cluster each node has its part of a partition, and others may be away.
        if self.dialect != Dialect::Postgres {
            return Ok(Vec::new());
        }
        let over = Position::block_of(Timestamp(now.0.saturating_sub(OVER_FOR))).0;
        let mut dropped = Vec::new();
        for Partition { name, .. } in self.all_partitions(&self.read).await?.list.into_iter().filter(|p| p.high <= over)
        {
            match self.drop_if_empty(&name).await {
                Ok(true) => {
                    tracing::info!(partition = name, "took the partition {name} away, which was empty");
                    dropped.push(name);
                }
                Ok(false) => {}
                // The next one would be waited for in vain, too, and others behind it.
                Err(Error::Unavailable(_)) => {
                    tracing::info!(partition = name, "the partition {name} is in use: it is looked at again later");
                    break;
                }
                Err(Error::TimedOut) => {
                    tracing::info!(
                        partition = name,
                        "much has just left the partition {name}: it is looked at again later"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        if !dropped.is_empty() {
            self.forget_partitions();
        }
        Ok(dropped)
    }

    async fn drop_if_empty(&self, name: &str) -> Result<bool> {
        #[derive(FromQueryResult)]
        struct Is {
            so: bool,
        }
        let tx = self.write.begin().await?;
        // Nothing is locked yet: whoever makes partitions or works on their indexes is waited for, within bounds.
        let first = [
            format!("SET LOCAL lock_timeout = '{TURN_WAIT}'; SET LOCAL statement_timeout = '{LOOK}'"),
            Lock::Upkeep.wait(),
            Lock::MakingPartitions.wait(),
            format!("SET LOCAL lock_timeout = '{LOCK_WAIT}'"),
        ];
        for statement in first {
            tx.execute_unprepared(&statement).await.map_err(error::from)?;
        }
        let sql = Sql::new("SELECT drop_empty_event_partition(").bind(name).text(") AS so");
        let is_gone = Is::find_by_statement(sql.on(self.dialect.backend())).one(&tx).await.map_err(error::from)?;
        let is_gone = is_gone.is_some_and(|row| row.so);
        tx.commit().await?;
        Ok(is_gone)
    }

    pub(super) async fn all_partitions(&self, db: &impl ConnectionTrait) -> Result<Partitions> {
        #[derive(FromQueryResult)]
        struct Row {
            #[sea_orm(nested)]
            partition: Partition,
            mark: i64,
        }
        let sql = Sql::new("SELECT low, high, name, ").text(self.dialect.partitions_mark());
        let sql = sql.text(" AS mark FROM event_partition ORDER BY low").on(self.dialect.backend());
        let rows = Row::find_by_statement(sql).all(db).await.map_err(error::from)?;
        let mark = rows.first().map_or(0, |row| row.mark);
        Ok(Partitions { list: rows.into_iter().map(|row| row.partition).collect(), mark })
    }

    /// Names of the partitions that this process has written to since they were last looked after.
    pub(super) fn touched(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn make_partitions(&self, positions: BTreeSet<i64>, now: Timestamp) -> Result<()> {
        let tx = self.write.begin().await?;
        tx.execute_unprepared(&Lock::MakingPartitions.wait()).await.map_err(error::from)?;
        let mut all = self.all_partitions(&tx).await?;
        let mut is_new = false;
        for partition in all.missing(positions, now) {
            let Partition { low, high, name } = &partition;
            let from = if *low == i64::MIN { "MINVALUE".to_owned() } else { low.to_string() };
            if !self.owns_tables {
                let made = format!("SELECT make_event_partition({low}, {high}, '{name}')");
                tx.execute_unprepared(&made).await.map_err(error::from)?;
                tracing::info!(partition = name, "had the partition {name} made");
                is_new = true;
                continue;
            }
            // A table is made first and attached then: `PARTITION OF` would lock all readers and writers out.
            let made = [
                format!("CREATE TABLE {name} (LIKE event INCLUDING ALL)"),
                format!(
                    "CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON {name} FOR EACH STATEMENT \
                     EXECUTE FUNCTION refuse_change()"
                ),
                format!("ALTER TABLE event ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({high})"),
                format!("INSERT INTO event_partition (low, high, name) VALUES ({low}, {high}, '{name}')"),
            ];
            // A cluster hands a request on to its nodes whole, so there each is by itself.
            let requests = if self.dialect == Dialect::Citus { made.to_vec() } else { vec![made.join("; ")] };
            for request in requests {
                tx.execute_unprepared(&request).await.map_err(error::from)?;
            }
            tracing::info!(partition = name, "made the partition {name}");
            is_new = true;
        }
        if is_new {
            all = self.all_partitions(&tx).await?;
        }
        tx.commit().await?;
        self.partitions.store(Arc::new(all));
        Ok(())
    }
}
