//! A partition of events is written anew beside its use, so that no file has anything of rows that are gone.
//!
//! VACUUM (FULL) does so, too, and keeps everybody from the partition for as long as it copies rows and builds indexes. Here
//! the rows that are there are copied into another table, while a trigger notes the keys of those that come, change or go
//! meanwhile. Once that table is brought up to date but for a few rows, it takes the partition's place: everybody waits for
//! that moment alone. Where it is not to be had, as beside a backup that reads for hours, it is left.
//!
//! Rows that were copied look new to whoever has a snapshot of before: such a transaction must not come upon them. Those of
//! the service take their snapshot with the lock of `event` in hand, or do not read it. Whoever else has a snapshot, as
//! `pg_dump` before it locks its tables, is waited for. And all rows are committed before that is asked, so whoever begins
//! later sees them.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::store::range::Partition;

/// How long anything is waited for that others have to wait behind.
pub(super) const LOCK_WAIT: &str = "SET lock_timeout = '200ms'";
/// How long a vacuum is waited for: nobody waits behind.
const VACUUM_WAIT: &str = "SET lock_timeout = '1min'";
/// How often something is tried that others keep from happening, and how long it rests meanwhile.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(500);
/// Rows that may be brought up to date while others wait, and how often fewer are aimed at.
const FEW: i64 = 500;
const ROUNDS: u32 = 10;
/// Sessions of others that have a snapshot, which may be of before.
const READ_BY_OTHERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND backend_type = 'client backend' AND application_name <> 'ledgerline' AND backend_xmin IS NOT NULL \
    AND pid <> pg_backend_pid()";

/// Makes of a partition a table that has its rows and nothing else. One of the connections holds locks while the other one
/// works; both MUST be closed afterwards. False where it is in use all the time: it is as it was then.
///
/// # Errors
/// Those of the database. What is left of the work is taken away by [`tidy`].
pub(super) async fn write_anew(
    [holding, working]: [&mut PgConnection; 2],
    partition: &Partition,
) -> Result<bool, sqlx::Error> {
    let columns = "SELECT quote_ident(current_schema()), string_agg(quote_ident(attname), ', ' ORDER BY attnum) \
                   FROM pg_attribute WHERE attrelid = 'event'::regclass AND attnum > 0 AND NOT attisdropped";
    let (schema, columns) = sqlx::query_as(columns).fetch_one(&mut *holding).await?;
    let Partition { name, .. } = partition;
    let anew = Anew { partition, schema, columns, new: format!("{name}_anew"), changes: format!("{name}_changes") };
    let done = anew.write([&mut *holding, &mut *working]).await;
    if !matches!(done, Ok(true)) {
        holding.execute("ROLLBACK").await?;
        give_up(holding, name).await?;
    }
    match done {
        Err(error) if is_in_use(&error) => Ok(false),
        done => done,
    }
}

/// Takes away what a process that was killed left of such work.
///
/// # Errors
/// Those of the database.
pub(super) async fn tidy(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let left = "SELECT left(relname, -length('_changes')) FROM pg_class WHERE relnamespace = current_schema()::regnamespace \
                AND relkind = 'r' AND relname ~ '^event_[0-9a-z_]+_changes$'";
    for name in sqlx::query_scalar::<_, String>(left).fetch_all(&mut *connection).await? {
        give_up(connection, &name).await?;
    }
    Ok(())
}

struct Anew<'a> {
    partition: &'a Partition,
    schema: String,
    columns: String,
    /// The table that is to take its place.
    new: String,
    /// The table of keys of rows that are to be brought up to date.
    changes: String,
}

impl Anew<'_> {
    async fn write(&self, [holding, working]: [&mut PgConnection; 2]) -> Result<bool, sqlx::Error> {
        let Self { partition: Partition { low, high, name }, schema, columns, new, changes } = self;
        working.execute(LOCK_WAIT).await?;
        // A vacuum that comes by itself would keep its locks for longer than is waited for.
        run(holding, format!("{VACUUM_WAIT}; ALTER TABLE {name} SET {NO_VACUUM}")).await?;
        holding.execute(LOCK_WAIT).await?;
        // One request is one transaction. Once the trigger is there, all who wrote without it are done.
        let begun = format!(
            "CREATE OR REPLACE FUNCTION {name}_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
             SET search_path = pg_catalog, pg_temp AS $$ BEGIN INSERT INTO {schema}.{changes} (organization_no, position) \
             VALUES (coalesce(NEW.organization_no, OLD.organization_no), coalesce(NEW.position, OLD.position)); \
             RETURN NULL; END $$; \
             REVOKE ALL ON FUNCTION {name}_changed() FROM PUBLIC; \
             CREATE OR REPLACE TRIGGER event_changed AFTER INSERT OR UPDATE OR DELETE ON {name} FOR EACH ROW \
             EXECUTE FUNCTION {name}_changed(); \
             CREATE TABLE {changes} (organization_no BIGINT NOT NULL, position BIGINT NOT NULL) WITH {NO_VACUUM}; {}",
            nobody_elses(changes)
        );
        if !tried(holding, &begun).await? {
            return Ok(false);
        }
        // What says that the bounds are kept spares a look at every row when it is attached.
        let from = if *low == i64::MIN { String::new() } else { format!("position >= {low} AND ") };
        let copied = format!(
            "CREATE TABLE {new} (LIKE event INCLUDING ALL EXCLUDING INDEXES, \
             CONSTRAINT bounds CHECK ({from}position < {high})) WITH {NO_VACUUM}; \
             CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON {new} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change(); {}; \
             INSERT INTO {new} ({columns}) SELECT {columns} FROM ONLY {name}",
            nobody_elses(new)
        );
        run(holding, copied).await?;
        run(holding, self.indexes()).await?;
        run(holding, format!("VACUUM (ANALYZE) {new}")).await?;
        for _ in 0..ROUNDS {
            if self.catch_up(working).await? <= FEW {
                break;
            }
        }
        for _ in 0..TRIES {
            // Asked before anybody has to wait: a backup is not over soon.
            if !read_by_others(holding).await? {
                match self.take_its_place([&mut *holding, &mut *working]).await {
                    Ok(true) => return Ok(true),
                    Ok(false) => {}
                    Err(error) if is_in_use(&error) => {}
                    Err(error) => return Err(error),
                }
                holding.execute("ROLLBACK").await?;
            }
            tokio::time::sleep(PAUSE).await;
            self.catch_up(working).await?;
        }
        Ok(false)
    }

    /// Builds the indexes of `event` on the new table, tight: what is attached to `event` has them already.
    fn indexes(&self) -> String {
        let new = &self.new;
        format!(
            "DO $$ DECLARE built RECORD; BEGIN \
             FOR built IN SELECT i.indexrelid AS no, c.oid AS key FROM pg_index i LEFT JOIN pg_constraint c \
                 ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u') WHERE i.indrelid = 'event'::regclass LOOP \
                 IF built.key IS NULL THEN \
                     EXECUTE regexp_replace(pg_get_indexdef(built.no), ' INDEX .*? USING ', ' INDEX ON {new} USING '); \
                 ELSE \
                     EXECUTE 'ALTER TABLE {new} ADD ' || pg_get_constraintdef(built.key); \
                 END IF; \
             END LOOP; END $$"
        )
    }

    /// Brings the rows up to date that were noted, and commits that. Returns how many there were, at least.
    async fn catch_up(&self, working: &mut PgConnection) -> Result<i64, sqlx::Error> {
        let Self { partition: Partition { name, .. }, columns, new, changes, .. } = self;
        let noted = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {changes}")));
        let noted = noted.fetch_one(&mut *working).await?;
        // Row by row, by the keys. Each statement sees what the one before it took note of, and perhaps more.
        let brought = format!(
            "DO $$ DECLARE organizations BIGINT[]; positions BIGINT[]; BEGIN \
             WITH gone AS (DELETE FROM {changes} RETURNING organization_no, position), \
                 each AS (SELECT DISTINCT organization_no, position FROM gone) \
             SELECT array_agg(organization_no), array_agg(position) INTO organizations, positions FROM each; \
             DELETE FROM {new} WHERE ctid = ANY (ARRAY (SELECT n.ctid FROM unnest(organizations, positions) c (no, place) \
                 CROSS JOIN LATERAL (SELECT ctid FROM {new} WHERE organization_no = c.no AND position = c.place OFFSET 0) n)); \
             INSERT INTO {new} ({columns}) SELECT {columns} FROM unnest(organizations, positions) c (no, place) \
                 CROSS JOIN LATERAL (SELECT * FROM ONLY {name} WHERE organization_no = c.no AND position = c.place OFFSET 0) e; \
             END $$"
        );
        run(working, brought).await?;
        Ok(noted)
    }

    /// Puts the new table in the place of the partition, under a lock of all events: a moment. False where it is not the
    /// time. The caller MUST roll back what is not done.
    async fn take_its_place(&self, [holding, working]: [&mut PgConnection; 2]) -> Result<bool, sqlx::Error> {
        let Self { partition: Partition { low, high, name }, new, changes, .. } = self;
        // Nobody writes from here on, and what was written is committed: the other connection sees all of it.
        holding.execute("BEGIN; LOCK TABLE ONLY event IN ACCESS EXCLUSIVE MODE").await?;
        self.catch_up(working).await?;
        run(holding, format!("LOCK TABLE ONLY {name} IN ACCESS EXCLUSIVE MODE")).await?;
        let left = sqlx::query_scalar(AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM {changes})")));
        if left.fetch_one(&mut *holding).await? || read_by_others(holding).await? {
            return Ok(false);
        }
        let from = if *low == i64::MIN { "MINVALUE".to_owned() } else { low.to_string() };
        let swapped = format!(
            "{}; DROP TABLE {name}, {changes}; DROP FUNCTION {name}_changed(); ALTER TABLE {new} RENAME TO {name}; \
             DO $$ DECLARE named TEXT; BEGIN \
             FOR named IN SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                 WHERE i.indrelid = '{name}'::regclass AND starts_with(c.relname, '{new}_') LOOP \
                 EXECUTE format('ALTER INDEX %I RENAME TO %I', named, '{name}' || substr(named, length('{new}') + 1)); \
             END LOOP; END $$; \
             ALTER TABLE event ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({high}); \
             ALTER TABLE {name} DROP CONSTRAINT bounds, RESET {VACUUM}; COMMIT",
            granted_alike(name, new)
        );
        run(holding, swapped).await?;
        Ok(true)
    }
}

/// Takes a new table from all but its owner, whatever is granted by default. What keeps the log stands at `event` and its
/// partitions, which the table is not yet: whoever serves could change its rows, or what is noted of them.
fn nobody_elses(table: &str) -> String {
    format!(
        "DO $$ DECLARE given RECORD; BEGIN \
         FOR given IN SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS whom \
             FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = '{table}'::regclass AND a.grantee <> c.relowner LOOP \
             EXECUTE format('REVOKE ALL ON {table} FROM %s', given.whom); \
         END LOOP; END $$"
    )
}

/// Grants of one table what is granted of another.
fn granted_alike(like: &str, table: &str) -> String {
    format!(
        "DO $$ DECLARE given RECORD; BEGIN \
         FOR given IN SELECT a.privilege_type AS what, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS more, \
             CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS whom \
             FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = '{like}'::regclass AND a.grantee <> c.relowner LOOP \
             EXECUTE format('GRANT %s ON {table} TO %s%s', given.what, given.whom, given.more); \
         END LOOP; END $$"
    )
}

const NO_VACUUM: &str = "(autovacuum_enabled = off, toast.autovacuum_enabled = off)";
const VACUUM: &str = "(autovacuum_enabled, toast.autovacuum_enabled)";

/// Leaves a partition as it was, if it is there. A trigger that is switched off waits for the next time: nobody has to wait
/// for that, as they would where it is dropped.
async fn give_up(connection: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    let given_up = format!(
        "DO $$ BEGIN \
         IF EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = to_regclass('{name}') AND tgname = 'event_changed') THEN \
             ALTER TABLE {name} DISABLE TRIGGER event_changed; \
         ELSE \
             DROP FUNCTION IF EXISTS {name}_changed(); \
         END IF; \
         DROP TABLE IF EXISTS {name}_changes, {name}_anew; \
         END $$; ALTER TABLE IF EXISTS {name} RESET {VACUUM}"
    );
    // It has to be done in the end: what is noted and never read would grow.
    connection.execute(LOCK_WAIT).await?;
    while !tried(connection, &given_up).await? {}
    Ok(())
}

async fn read_by_others(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    Ok(sqlx::query_scalar::<_, i64>(READ_BY_OTHERS).fetch_one(connection).await? > 0)
}

async fn run(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    connection.execute(AssertSqlSafe(sql)).await.map(drop)
}

/// Runs a request of one transaction, again and again where locks of others keep it from being done. False where they do
/// all the time.
///
/// # Errors
/// Those of the database.
pub(super) async fn tried(connection: &mut PgConnection, sql: &str) -> Result<bool, sqlx::Error> {
    for _ in 0..TRIES {
        match run(connection, sql.to_owned()).await {
            Ok(()) => return Ok(true),
            Err(error) if is_in_use(&error) => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Whether locks that others have kept something from being done.
fn is_in_use(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("55P03" | "40P01"))
}
