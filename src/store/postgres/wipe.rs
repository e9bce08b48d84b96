//! What PostgreSQL's files still have of rows that are gone. A vacuum makes their room free and leaves their bytes there;
//! words stay in the search index for ever. A table that is written anew has none of it. That takes the table for itself
//! meanwhile, so large ones are only vacuumed, and their search index is built anew beside its use.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::{
    error::Result,
    event::Timestamp,
    store::{
        Store,
        connection::writes::Writes,
        dialect::{CHUNK, Dialect, sql::Sql},
        error,
    },
};

/// Bytes of a table with its indexes up to which it is written anew: a second or two.
const SMALL: i64 = 128 << 20;
/// Tables that something may have been erased from, beside partitions of events.
const TOUCHED: [&str; 6] = ["actor_directory", "idempotency", "dead_letter", "export", "erasure", "organization_head"];
/// How often a table is asked for.
const TRIES: u32 = 5;

#[derive(FromQueryResult)]
struct Named {
    name: String,
    bytes: i64,
}

impl Store {
    /// The names of the partitions that something of an organization was erased from since an instant.
    async fn partitions_erased_at_once(&self, organization_no: i64, since: Timestamp) -> Result<Vec<String>> {
        #[derive(FromQueryResult)]
        struct Row {
            name: String,
        }
        let sql = Sql::new("SELECT p.name FROM event_partition p WHERE EXISTS (SELECT 1 FROM erased_event x ")
            .text("JOIN event_order o ON o.organization_no = x.organization_no AND o.sequence = x.sequence")
            .with(" WHERE o.position >= p.low AND o.position < p.high AND x.organization_no = ", organization_no)
            .with(" AND x.erased_ns >= ", since.0)
            .text(") ORDER BY p.low");
        Ok(self.rows_of::<Row>(sql).await?.into_iter().map(|row| row.name).collect())
    }

    /// The same, one table after the other: on a cluster they lie on different nodes.
    async fn partitions_erased_from(&self, organization_no: i64, since: Timestamp) -> Result<Vec<String>> {
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
            partitions.extend(found.map(|partition| (partition.low, partition.name.clone())));
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
        let names = partitions.iter().map(String::as_str).chain(TOUCHED).map(|name| format!("('{name}')"));
        let names = names.collect::<Vec<_>>().join(", ");
        let sizes = format!("SELECT p.name, {size}(p.name::regclass) AS bytes FROM (VALUES {names}) p (name)");
        let tables: Vec<Named> = self.rows_of(Sql::new(&sizes)).await?;
        if pool.is_shared() {
            // Waiting for a table has no limit there, and a limit would stay with whoever has the session next.
            for Named { name, .. } in tables {
                clean(&self.write, &name).await.map_err(error::from)?;
            }
            return Ok(());
        }
        // A connection of its own, which is closed at the end: what it is set to lasts no longer.
        let pooled = pool.acquire().await;
        let mut connection = pooled.map_err(|fault| error::from(error::of_sqlx(fault)))?.detach();
        let wiped = async {
            connection.execute("SET lock_timeout = '2s'").await?;
            for Named { name, bytes } in tables {
                wipe(&mut connection, &name, bytes).await?;
            }
            // What the planner remembers of tables is values of theirs. Only those who own the server may do the following.
            for statement in ["VACUUM (FULL) pg_catalog.pg_statistic", "CHECKPOINT"] {
                if let Err(error) = connection.execute(statement).await {
                    tracing::info!("{statement} is left to the server, which does it by itself: {error}");
                }
            }
            Ok(())
        };
        let wiped: Result<(), sqlx::Error> = wiped.await;
        let _ = connection.close().await;
        wiped.map_err(|fault| error::from(error::of_sqlx(fault)))
    }
}

async fn wipe(connection: &mut PgConnection, name: &str, bytes: i64) -> Result<(), sqlx::Error> {
    for _ in 0..if bytes <= SMALL { TRIES } else { 0 } {
        match connection.execute(AssertSqlSafe(format!("VACUUM (FULL, ANALYZE) {name}"))).await {
            Err(sqlx::Error::Database(fault)) if fault.code().as_deref() == Some("55P03") => {}
            done => return done.map(drop),
        }
    }
    tell(name);
    connection.execute(AssertSqlSafe(format!("VACUUM (ANALYZE) {name}"))).await?;
    connection.execute("SET lock_timeout = 0").await?;
    connection.execute(AssertSqlSafe(format!("REINDEX TABLE CONCURRENTLY {name}"))).await?;
    connection.execute("SET lock_timeout = '2s'").await.map(drop)
}

/// The same beside the table's use, in sessions that others share.
async fn clean(write: &Writes, name: &str) -> Result<(), DbErr> {
    tell(name);
    for statement in [format!("VACUUM (ANALYZE) {name}"), format!("REINDEX TABLE CONCURRENTLY {name}")] {
        write.execute_unprepared(&statement).await?;
    }
    Ok(())
}

fn tell(name: &str) {
    tracing::warn!(
        table = name,
        "the table {name} is large, in use or reached through a pooler that shares sessions: of what was erased, bytes that \
         no statement reads stay on its pages until they are used again, or until VACUUM (FULL) {name}"
    );
}
