//! Opening the database.

use std::{
    path::Path,
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{
    DatabaseConnection, DbErr, RuntimeErr, SqliteTransactionMode, SqlxSqliteConnector, TransactionOptions,
    TransactionTrait,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Executor, Row, SqliteConnection,
    pool::PoolOptions,
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    dialect::Dialect,
    error,
    files::Files,
    session::{self, Durability, Purpose},
    transaction::Writes,
};
use crate::error::{Error, Result};

/// Readers of one SQLite file; each has a thread and a page cache of its own.
const SQLITE_READERS: u32 = 4;
const POSTGRES_READERS: u32 = 16;
const POSTGRES_WRITERS: u32 = 4;
/// How long a caller waits for a connection before the database counts as gone.
pub(super) const ACQUIRE: Duration = Duration::from_secs(5);
/// How long a start waits for another one on the same file, or for a slow disk.
const OPENING: Duration = Duration::from_secs(120);

/// The field that a URL that is none is named by: it may come from a setting or from an option.
pub(super) const URL: &str = "database URL";

/// Which database a URL is of.
pub fn dialect_of(url: &str) -> Result<Dialect> {
    if url.starts_with("sqlite:") {
        Ok(Dialect::Sqlite)
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok(Dialect::Postgres)
    } else {
        Err(Error::bad_input(URL, "must begin with sqlite:, postgres:// or postgresql://"))
    }
}

/// The connections that write and read, at the newest schema, and how the database is spoken to.
pub(super) async fn open(url: &str, durability: Durability) -> Result<(Writes, DatabaseConnection, Dialect)> {
    let dialect = dialect_of(url)?;
    if dialect == Dialect::Postgres {
        session::check(url, Purpose::Writing, durability, "LEDGERLINE_DATABASE_URL").await?;
        let write = session::pool(url, POSTGRES_WRITERS, Purpose::Writing, durability).await?;
        migrate(&write, dialect).await.map_err(error::from)?;
        return Ok((Writes::Postgres(write), open_reader(url).await?, dialect));
    }
    let path = sqlite_path(url);
    if path.is_empty() || path == ":memory:" {
        return Err(Error::bad_input(URL, "must name a file, as in sqlite://data/ledgerline.db"));
    }
    if Path::new(path).is_dir() {
        return Err(Error::bad_input(URL, "must name a file, and not a folder"));
    }
    let (write, read) = open_sqlite(url).await.map_err(error::from)?;
    Ok((write, read, dialect))
}

/// Opens a SQLite file, made if it is not there, and brings it to the newest schema.
async fn open_sqlite(url: &str) -> Result<(Writes, DatabaseConnection), DbErr> {
    let options = sqlite(url)?;
    let path = options.get_filename().to_owned();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| of_sqlx(error.into()))?;
    }
    let making = writer(options).create_if_missing(true).busy_timeout(OPENING);
    let mut first = connect_patiently(&making).await?;
    durable(&mut first).await?;
    // A connection of its own, closed after its one transaction; the first one keeps the file open meanwhile.
    let pool = PoolOptions::new().max_connections(1).acquire_timeout(OPENING).connect_with(making.clone());
    let migrating = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.await.map_err(of_sqlx)?);
    let migrated = migrate(&migrating, Dialect::Sqlite).await;
    let _ = migrating.close().await;
    migrated?;
    let busy = format!("PRAGMA busy_timeout = {}", ACQUIRE.as_millis());
    first.execute(AssertSqlSafe(busy)).await.map_err(of_sqlx)?;
    let files = Files::of(&path)?;
    // All readers from the start, and for good: one that opens later could open another file.
    let unchanged = files.clone();
    let reading = PoolOptions::new()
        .min_connections(SQLITE_READERS)
        .max_connections(SQLITE_READERS)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |_, _| {
            let unchanged = unchanged.check().map_err(|error| sqlx::Error::Configuration(error.into()));
            Box::pin(async { unchanged })
        })
        .connect_with(reader(sqlite(url)?));
    let read = SqlxSqliteConnector::from_sqlx_sqlite_pool(reading.await.map_err(of_sqlx)?);
    Ok((Writes::sqlite(url, files, first), read))
}

/// The writing connection of a SQLite file that is there.
///
/// # Errors
/// Those of SQLite, and a connection that would not keep what is acknowledged.
pub(super) async fn reopen_writer(url: &str) -> Result<SqliteConnection, DbErr> {
    let mut connection = writer(sqlite(url)?).connect().await.map_err(of_sqlx)?;
    durable(&mut connection).await?;
    Ok(connection)
}

/// Refuses a connection whose commits would not survive a power cut.
async fn durable(connection: &mut SqliteConnection) -> Result<(), DbErr> {
    // What is asked before the first read is what was wished for; the read opens the write-ahead log.
    connection.execute("SELECT count(*) FROM sqlite_schema").await.map_err(of_sqlx)?;
    let journal = pragma(connection, "journal_mode").await?;
    let synchronous = pragma(connection, "synchronous").await?;
    // 2 is FULL, 3 is EXTRA.
    if journal == "wal" && ["2", "3"].contains(&synchronous.as_str()) {
        return Ok(());
    }
    Err(DbErr::Conn(RuntimeErr::Internal(format!(
        "the database would not keep what is acknowledged: journal_mode must be wal and is {journal}, synchronous must \
         be 2 (FULL) and is {synchronous}; its file system may lack shared memory"
    ))))
}

/// What a pragma says: a word or a number.
async fn pragma(connection: &mut SqliteConnection, name: &str) -> Result<String, DbErr> {
    let row = connection.fetch_one(AssertSqlSafe(format!("PRAGMA {name}"))).await.map_err(of_sqlx)?;
    let word = row.try_get::<String, _>(0);
    word.or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string())).map_err(of_sqlx)
}

/// Connects, and tries again while another process makes the same file.
async fn connect_patiently(options: &SqliteConnectOptions) -> Result<SqliteConnection, DbErr> {
    let started = Instant::now();
    loop {
        match options.connect().await {
            Err(sqlx::Error::Database(busy)) if is_busy(busy.as_ref()) && started.elapsed() < OPENING => {
                tracing::info!("another process has the database to itself, waiting for it: {busy}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            done => return done.map_err(of_sqlx),
        }
    }
}

/// SQLite's codes for a file that another connection has to itself: busy, locked, and a race for the log's locks.
fn is_busy(error: &dyn sqlx::error::DatabaseError) -> bool {
    error.code().and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xff, 5 | 6 | 15))
}

pub(super) fn of_sqlx(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

/// Brings the schema up to date, in one transaction. Processes that start together do it one after the other.
async fn migrate(database: &DatabaseConnection, dialect: Dialect) -> Result<(), DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: (dialect == Dialect::Sqlite).then_some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = database.begin_with_options(options).await?;
    if dialect == Dialect::Postgres {
        sea_orm::ConnectionTrait::execute_unprepared(&tx, "SELECT pg_advisory_xact_lock(5497853135693827)").await?;
    }
    <migration::Migrator as migration::MigratorTrait>::up(&tx, None).await?;
    tx.commit().await
}

/// The file that a URL of SQLite names.
pub fn sqlite_path(url: &str) -> &str {
    url.trim_start_matches("sqlite:").trim_start_matches("//").split('?').next().unwrap_or_default()
}

/// Connections that read from a PostgreSQL, a replica's too.
pub async fn open_reader(url: &str) -> Result<DatabaseConnection> {
    session::pool(url, POSTGRES_READERS, Purpose::Reading, Durability::Waived).await
}

/// What all connections to a SQLite file have in common. None makes a file unless told so.
fn sqlite(url: &str) -> Result<SqliteConnectOptions, DbErr> {
    let options = SqliteConnectOptions::from_str(url).map_err(of_sqlx)?;
    Ok(options
        .disable_statement_logging()
        .create_if_missing(false)
        .busy_timeout(ACQUIRE)
        .foreign_keys(true)
        .pragma("temp_store", "memory")
        // Of the usual 50 rows, a page of 50 fills all and reads one more: the thread of the connection would wait for
        // room, which is two switches of threads a page.
        .row_buffer_size(128))
}

fn writer(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged event survives a power cut; group commit pays for it.
        .synchronous(SqliteSynchronous::Full)
        .auto_vacuum(SqliteAutoVacuum::None)
        .page_size(8192)
        .pragma("wal_autocheckpoint", "10000")
        // A kept statement keeps its values, and one of hundreds of rows is rarely asked for twice.
        .statement_cache_capacity(24)
        .pragma("cache_size", "-32768")
}

fn reader(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .read_only(true)
        .statement_cache_capacity(128)
        .pragma("query_only", "1")
        .pragma("cache_size", "-16384")
        .pragma("mmap_size", "1073741824")
}
