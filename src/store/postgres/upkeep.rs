//! What PostgreSQL needs beside recording. Partitions are made ahead of their time, entries that wait in the search
//! indexes are merged, and the indexes of past partitions are built tight.

use std::{collections::BTreeSet, time::Duration};

use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{locks::Lock, session::MAY_BE_IDLE};
use crate::{
    clock::Clock,
    error::Result,
    event::{Position, Timestamp},
    store::{
        Store,
        dialect::{Dialect, sql::Sql},
        error,
    },
};

/// How often waiting entries are merged. A search reads all that wait.
const MERGE_EVERY: Duration = Duration::from_secs(1);
/// How many merges lie between two rounds of the other work.
const MERGES_A_ROUND: u32 = 3_600;
/// How long after its end a partition is sealed at the earliest, in nanoseconds: late events are over by then.
const SEAL_AFTER: i64 = 24 * 3_600 * 1_000_000_000;

/// Indexes of our tables, and of the values that lie outside of them, that are not valid and that nobody builds at the moment.
/// That of a partitioned table is valid when those of its partitions are.
const INVALID: &str = "SELECT CAST(i.indexrelid::regclass AS TEXT) AS name FROM pg_index i \
    JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' \
    JOIN pg_class t ON t.oid = i.indrelid OR t.reltoastrelid = i.indrelid \
    WHERE NOT i.indisvalid AND t.relnamespace = current_schema()::regnamespace \
    AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index p WHERE p.relid IN (t.oid, i.indrelid)) ORDER BY 1";

#[derive(FromQueryResult)]
struct Named {
    name: String,
}

impl Store {
    /// Does what is needed, for ever. Faults are logged and tried again.
    pub(in crate::store) async fn upkeep(&self, clock: &Clock) {
        let mut written = BTreeSet::new();
        for round in 0_u32.. {
            let done = async {
                written.extend(self.merge_search_entries().await?);
                if round.is_multiple_of(MERGES_A_ROUND) {
                    // A process that was killed left entries.
                    self.merge_all_search_entries().await?;
                    self.make_partitions_ahead(clock.now()).await?;
                    self.mend_indexes().await?;
                    self.seal_partitions(clock.now(), &std::mem::take(&mut written)).await?;
                }
                Ok::<_, crate::error::Error>(())
            };
            if let Err(error) = done.await {
                let cause = error.cause_text();
                tracing::warn!(cause, "upkeep of the database failed, it is tried again: {error}");
            }
            tokio::time::sleep(MERGE_EVERY).await;
        }
    }

    /// Merges the entries that wait in the search indexes of the partitions that this process wrote to. Otherwise each
    /// search would read them, and some recording would have to merge them. Returns those partitions.
    pub async fn merge_search_entries(&self) -> Result<BTreeSet<String>> {
        let touched = std::mem::take(&mut *self.touched());
        if touched.is_empty() || self.dialect == Dialect::Sqlite {
            return Ok(touched);
        }
        let merged = self.merge(&touched).await;
        if !matches!(merged, Ok(true)) {
            // Another process merges them, or it failed: these partitions are tried again.
            self.touched().extend(touched.iter().cloned());
        }
        merged.map(|_| touched)
    }

    /// The same for all partitions, for the entries of processes that were killed.
    async fn merge_all_search_entries(&self) -> Result<()> {
        if self.dialect == Dialect::Citus {
            return self.merge_on_nodes("event_.*").await;
        }
        let sql =
            if self.owns_tables { merge_statement("") } else { "SELECT * FROM merge_event_search(NULL)".to_owned() };
        let merged = Merged::find_by_statement(Sql::new(&sql).on(self.dialect.backend()));
        let merged = merged.all(&self.write).await.map_err(error::from)?;
        let left = merged.into_iter().filter(|partition| partition.pages > 0).map(|partition| partition.name);
        unseal(&self.write, &left.collect()).await
    }

    async fn merge(&self, partitions: &BTreeSet<String>) -> Result<bool> {
        let tx = self.write.begin().await?;
        if !locked(&tx).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        unseal(&tx, partitions).await?;
        if self.dialect == Dialect::Citus {
            self.merge_on_nodes(&partitions.iter().map(String::as_str).collect::<Vec<_>>().join("|")).await?;
        } else {
            let names = quoted(partitions);
            let sql = if self.owns_tables {
                merge_statement(&format!(" WHERE p.name IN ({names})"))
            } else {
                format!("SELECT * FROM merge_event_search(ARRAY[{names}])")
            };
            tx.execute_unprepared(&sql).await.map_err(error::from)?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Drops what an interrupted build left of an index, and builds an index anew that is not valid: until then each
    /// recording writes it and no question reads it. Readers and writers go on meanwhile. Returns how many were mended.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn mend_indexes(&self) -> Result<usize> {
        if self.dialect != Dialect::Postgres || !self.owns_tables {
            return Ok(0);
        }
        let tx = self.write.begin().await?;
        tx.execute_unprepared(MAY_BE_IDLE).await.map_err(error::from)?;
        if !locked(&tx).await? {
            tx.rollback().await?;
            return Ok(0);
        }
        let found = Named::find_by_statement(Sql::new(INVALID).on(self.dialect.backend())).all(&tx).await;
        let mut mended = 0;
        for Named { name } in found.map_err(error::from)? {
            // What PostgreSQL calls an index that is to take the place of another, or that another has taken the place of.
            let is_left_over = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '"').ends_with("_ccnew")
                || name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '"').ends_with("_ccold");
            let how = if is_left_over { "DROP INDEX CONCURRENTLY IF EXISTS" } else { "REINDEX INDEX CONCURRENTLY" };
            self.write.execute_unprepared(&format!("{how} {name}")).await.map_err(error::from)?;
            tracing::warn!(index = name, "the index {name} was not valid, as after an interrupted build: {how}");
            mended += 1;
        }
        tx.commit().await?;
        Ok(mended)
    }

    /// Merges the waiting entries of partitions where their rows are: each node those of its shards, which are called as
    /// the partition and a number. Where a node is gone, all are left to merge by themselves, since it would be waited for.
    async fn merge_on_nodes(&self, partitions: &str) -> Result<()> {
        if self.all_must_answer().is_err() {
            return Ok(());
        }
        let on_node = format!(
            "SELECT sum(gin_clean_pending_list(i.indexrelid)) FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid \
             JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam AND a.amname = 'gin' \
             WHERE t.relkind = 'r' AND t.relname ~ '^({partitions})_[0-9]+$'"
        );
        let sql = Sql::new("SELECT count(*) AS n FROM run_command_on_workers(").bind(on_node).text(") WHERE success");
        self.number_on(&self.write, sql).await.map(drop)
    }

    /// Seals partitions: builds their indexes tight. It takes those whose time has been over for a day and that nobody
    /// writes to any more. Readers and writers go on meanwhile. Returns how many were sealed.
    pub async fn seal_partitions(&self, now: Timestamp, written: &BTreeSet<String>) -> Result<usize> {
        if self.dialect == Dialect::Sqlite || !self.owns_tables {
            return Ok(0);
        }
        // This transaction holds the lock while another connection builds: a concurrent build runs outside of transactions.
        let tx = self.write.begin().await?;
        tx.execute_unprepared(MAY_BE_IDLE).await.map_err(error::from)?;
        if !locked(&tx).await? {
            tx.rollback().await?;
            return Ok(0);
        }
        let past = Position::block_of(Timestamp(now.0 - SEAL_AFTER)).0;
        let sql = Sql::new("SELECT name FROM event_partition WHERE sealed_ns IS NULL AND high <= ").bind(past);
        let found = Named::find_by_statement(sql.text(" ORDER BY low").on(self.dialect.backend())).all(&tx).await;
        let mut sealed = 0;
        for Named { name } in found.map_err(error::from)?.into_iter().filter(|row| !written.contains(&row.name)) {
            for statement in [
                format!("REINDEX TABLE CONCURRENTLY {name}"),
                format!("VACUUM (FREEZE, ANALYZE) {name}"),
                format!("UPDATE event_partition SET sealed_ns = {} WHERE name = '{name}'", now.0),
            ] {
                self.write.execute_unprepared(&statement).await.map_err(error::from)?;
            }
            tracing::info!(partition = name, "sealed the partition {name}");
            sealed += 1;
        }
        tx.commit().await?;
        Ok(sealed)
    }
}

/// A partition and how many pages of waiting entries were merged into its search index.
#[derive(FromQueryResult)]
struct Merged {
    name: String,
    pages: i64,
}

/// Merges the waiting entries of partitions `p`.
fn merge_statement(partitions: &str) -> String {
    format!(
        "SELECT p.name, CAST(sum(gin_clean_pending_list(i.indexrelid)) AS BIGINT) AS pages FROM event_partition p \
         JOIN pg_index i ON i.indrelid = p.name::regclass JOIN pg_class c ON c.oid = i.indexrelid \
         JOIN pg_am a ON a.oid = c.relam AND a.amname = 'gin'{partitions} GROUP BY p.name"
    )
}

/// Notes that partitions were written to after all, and are not tight any more.
async fn unseal(db: &impl ConnectionTrait, partitions: &BTreeSet<String>) -> Result<()> {
    if partitions.is_empty() {
        return Ok(());
    }
    let sealed = format!("FROM event_partition WHERE name IN ({}) AND sealed_ns IS NOT NULL", quoted(partitions));
    // Nearly always none is. A cluster commits a change of this table on every node, even of no row, in two phases.
    let found = Named::find_by_statement(Sql::new("SELECT name ").text(&sealed).on(Dialect::Postgres.backend()));
    let found: BTreeSet<_> = found.all(db).await.map_err(error::from)?.into_iter().map(|row| row.name).collect();
    if !found.is_empty() {
        let sql = format!("UPDATE event_partition SET sealed_ns = NULL WHERE name IN ({})", quoted(&found));
        db.execute_unprepared(&sql).await.map_err(error::from)?;
    }
    Ok(())
}

/// Names of our own making as a list in SQL.
fn quoted(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

/// Whether this process is the one, until the transaction ends.
async fn locked(tx: &impl ConnectionTrait) -> Result<bool> {
    #[derive(FromQueryResult)]
    struct Row {
        locked: bool,
    }
    let sql = Sql::new(&Lock::Upkeep.attempt());
    let row = Row::find_by_statement(sql.on(Dialect::Postgres.backend())).one(tx).await.map_err(error::from)?;
    Ok(row.is_some_and(|row| row.locked))
}
