//! What PostgreSQL's files still have of rows that are gone. A vacuum makes their room free and leaves their bytes there;
//! words stay in the search index for ever. A table that is written anew has none of it. Partitions of events are written
//! anew beside their use (`anew.rs`). What is small is written anew by VACUUM (FULL), which takes it for itself meanwhile. What
//! is large is only vacuumed, and its indexes are built anew beside its use.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, FromQueryResult};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{
    anew::{self, LOCK_WAIT},
    locks::Lock,
    session::Pool,
};
use crate::{
    error::Result,
    event::Timestamp,
    store::{
        Store,
        connection::writes::Writes,
        dialect::{CHUNK, Dialect, sql::Sql},
        error,
        range::Partition,
    },
};

/// Bytes of a partition with its indexes up to which it is written anew: as much room is needed once more meanwhile.
const LARGE: i64 = 1 << 30;
/// The same of another table, which nobody can use meanwhile: a second or two.
const SMALL: i64 = 128 << 20;
/// Tables that something may have been erased from, beside partitions of events.
const TOUCHED: [&str; 7] =
    ["actor_directory", "idempotency", "dead_letter", "export", "erasure", "saved_view", "organization_head"];

#[derive(FromQueryResult)]
struct Named {
    name: String,
    bytes: i64,
}

impl Store {
    /// The partitions that something of an organization was erased from since an instant.
    async fn partitions_erased_at_once(&self, organization_no: i64, since: Timestamp) -> Result<Vec<Partition>> {
        let sql =
            Sql::new("SELECT p.low, p.high, p.name FROM event_partition p WHERE EXISTS (SELECT 1 FROM erased_event x ")
                .text("JOIN event_order o ON o.organization_no = x.organization_no AND o.sequence = x.sequence")
                .with(" WHERE o.position >= p.low AND o.position < p.high AND x.organization_no = ", organization_no)
                .with(" AND x.erased_ns >= ", since.0)
                .text(") ORDER BY p.low");
        self.rows_of(sql).await
    }

    /// The same, one table after the other: on a cluster they lie on different nodes.
    async fn partitions_erased_from(&self, organization_no: i64, since: Timestamp) -> Result<Vec<Partition>> {
        #[derive(FromQueryResult)]
        struct Row {
            n: i64,
        }
        let sql = Sql::new("SELECT sequence AS n FROM erased_event WHERE organization_no = ").bind(organization_no);
        let sequences: Vec<Row> = self.rows_of(sql.with(" AND erased_ns >= ", since.0)).await?;
        let mut partitions = BTreeMap::new();
        let known = self.all_partitions(&self.read).await?;
        for chunk in sequences.chunks(CHUNK) {
            let sql = Sql::new("SELECT position AS n FROM event_order WHERE organization_no = ").bind(organization_no);
            let sql = self.dialect.one_of(sql.text(" AND "), "sequence", chunk.iter().map(|row| row.n));
            let places: Vec<Row> = self.rows_of(sql).await?;
            let found = places.iter().filter_map(|row| known.of(row.n));
            partitions.extend(found.map(|partition| (partition.low, partition.clone())));
        }
        Ok(partitions.into_values().collect())
    }

    /// Takes the bytes of what was erased of an organization since an instant out of the files.
    ///
    /// # Errors
    /// Those of the database.
    pub(in crate::store) async fn wipe_dead_rows(&self, organization_no: i64, since: Timestamp) -> Result<()> {
        let Writes::Postgres(pool) = &self.write else { return Ok(()) };
        if !self.owns_tables {
            tracing::warn!(
                "of what was erased, bytes that no statement reads stay in the database's files until they are used again: \
                 the role of this service owns no tables. Their owner takes them out with VACUUM (FULL)"
            );
            return Ok(());
        }
        let size = if self.dialect == Dialect::Citus { "citus_total_relation_size" } else { "pg_total_relation_size" };
        let partitions = match self.dialect {
            Dialect::Citus => self.partitions_erased_from(organization_no, since).await?,
            Dialect::Sqlite | Dialect::Postgres => self.partitions_erased_at_once(organization_no, since).await?,
        };
        let names = partitions.iter().map(|partition| &*partition.name).chain(TOUCHED);
        let names = names.map(|name| format!("('{name}')")).collect::<Vec<_>>().join(", ");
        let sizes = format!("SELECT p.name, {size}(p.name::regclass) AS bytes FROM (VALUES {names}) p (name)");
        let tables: Vec<Named> = self.rows_of(Sql::new(&sizes)).await?;
        if pool.is_shared() {
            // Waiting for a table has no limit there, and a limit would stay with whoever has the session next.
            for Named { name, .. } in tables {
                tell(&name);
                for statement in beside_its_use(&name) {
                    self.write.execute_unprepared(&statement).await.map_err(error::from)?;
                }
            }
            return Ok(());
        }
        let partitions = if self.dialect == Dialect::Postgres { partitions } else { Vec::new() };
        let (mut holding, mut working) = (own(pool).await?, own(pool).await?);
        let wiped = wipe_all([&mut holding, &mut working], tables, &partitions).await;
        let _ = tokio::join!(holding.close(), working.close());
        wiped.map_err(|fault| error::from(error::of_sqlx(fault)))
    }
}

/// A connection of its own, which is closed at the end: what it is set to and has locked lasts no longer.
async fn own(pool: &Pool) -> Result<PgConnection> {
    let pooled = pool.acquire().await;
    Ok(pooled.map_err(|fault| error::from(error::of_sqlx(fault)))?.detach())
}

async fn wipe_all(
    [holding, working]: [&mut PgConnection; 2],
    tables: Vec<Named>,
    partitions: &[Partition],
) -> Result<(), sqlx::Error> {
    // One process at a time; nobody else waits for this lock.
    holding.execute(AssertSqlSafe(Lock::Wiping.keep())).await?;
    anew::tidy(holding).await?;
    for Named { name, bytes } in tables {
        holding.execute(LOCK_WAIT).await?;
        let is_gone = match partitions.iter().find(|partition| partition.name == name) {
            Some(partition) => bytes <= LARGE && anew::write_anew([&mut *holding, &mut *working], partition).await?,
            None => {
                let full = format!("VACUUM (FULL, ANALYZE) {name}");
                bytes <= SMALL && anew::tried(holding, &full).await?
            }
        };
        if !is_gone {
            tell(&name);
            holding.execute("SET lock_timeout = 0").await?;
            for statement in beside_its_use(&name) {
                holding.execute(AssertSqlSafe(statement)).await?;
            }
        }
    }
    holding.execute(LOCK_WAIT).await?;
    // What the planner remembers of tables is values of theirs. Only those who own the server may do the following.
    for statement in ["VACUUM (FULL) pg_catalog.pg_statistic", "CHECKPOINT"] {
        if let Err(error) = holding.execute(statement).await {
            tracing::info!("{statement} is left to the server, which does it by itself: {error}");
        }
    }
    Ok(())
}

fn beside_its_use(name: &str) -> [String; 2] {
    [format!("VACUUM (ANALYZE) {name}"), format!("REINDEX TABLE CONCURRENTLY {name}")]
}

fn tell(name: &str) {
    tracing::warn!(
        table = name,
        "the table {name} is large, in use or reached through a pooler that shares sessions: of what was erased, bytes that \
         no statement reads stay on its pages until they are used again, or until VACUUM (FULL) {name}"
    );
}
