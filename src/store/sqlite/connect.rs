//! Connections to a SQLite file.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    str::FromStr,
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use sea_orm::{DatabaseConnection, DbErr, RuntimeErr, SqlxSqliteConnector};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Executor, Row, SqliteConnection,
    pool::PoolOptions,
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::files::Files;
use crate::{
    error::{Error, Result},
    store::{ACQUIRE, dialect::URL, error},
};

/// Small statements that are read at once.
const SMALL: usize = 3;
/// Large statements that are read at once on a machine of many processors, and on one of few.
const LARGE: (usize, usize) = (4, 2);
/// How long a start waits for another one on the same file, or for a slow disk.
const OPENING: Duration = Duration::from_secs(120);

/// The file that a URL of SQLite names.
pub fn path(url: &str) -> &str {
    url.trim_start_matches("sqlite:").trim_start_matches("//").split('?').next().unwrap_or_default()
}

/// The file that a URL of SQLite names, which is to be one.
///
/// # Errors
/// `BAD_USER_INPUT`.
pub fn named_file(url: &str) -> Result<&Path> {
    let path = path(url);
    if path.is_empty() || path == ":memory:" {
        return Err(Error::bad_input(URL, "must name a file, as in sqlite://data/ledgerline.db"));
    }
    let path = Path::new(path);
    if path.is_dir() {
        return Err(Error::bad_input(URL, "must name a file, and not a folder"));
    }
    Ok(path)
}

/// A connection that only looks at a file, and leaves it and its folder as they are; `None` if there is none yet.
///
/// # Errors
/// `BAD_USER_INPUT` for a URL that names none, `UNAVAILABLE`.
pub(in crate::store) async fn look(url: &str) -> Result<Option<DatabaseConnection>> {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let path = named_file(url)?;
    if length(path) == 0 {
        return Ok(None);
    }
    // Where nobody has written since the last checkpoint, the file has everything. Read as any other, it would get a
    // write-ahead log beside it, which stays.
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let whole = length(Path::new(&log)) == 0;
    let options = sqlite(url).map_err(error::from)?.read_only(true).immutable(whole);
    pool_of_one(&options).await.map(Some).map_err(error::from)
}

/// Opens a file, made if it is not there: its path, a connection that writes, and how another one is made like it.
pub(in crate::store) async fn make(url: &str) -> Result<(PathBuf, SqliteConnection, SqliteConnectOptions), DbErr> {
    let options = sqlite(url)?;
    let path = options.get_filename().to_owned();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| error::of_sqlx(error.into()))?;
    }
    let making = writer(options).create_if_missing(true).busy_timeout(OPENING);
    let mut first = connect_patiently(&making).await?;
    durable(&mut first).await?;
    Ok((path, first, making))
}

/// A pool of one connection, for a transaction of SeaORM's own. As the pool that reads, it closes no connection for its age: in
/// sqlx 0.9 the task that looks for those may count connections that there are not, and never end
/// (<https://github.com/transact-rs/sqlx/issues/3645>).
pub(in crate::store) async fn pool_of_one(options: &SqliteConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let pool = PoolOptions::new().max_connections(1).acquire_timeout(OPENING).idle_timeout(None).max_lifetime(None);
    let pool = pool.connect_with(options.clone());
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.await.map_err(error::of_sqlx)?))
}

/// Once the database is open, the connection waits for others no longer than a caller does.
pub(in crate::store) async fn wait_no_longer(connection: &mut SqliteConnection) -> Result<(), DbErr> {
    let busy = format!("PRAGMA busy_timeout = {}", ACQUIRE.as_millis());
    connection.execute(AssertSqlSafe(busy)).await.map_err(error::of_sqlx)?;
    Ok(())
}

/// The small and the large statements that are read at once. Each has a thread and a page cache of its own, so large ones are no more than the
/// machine has processors.
pub(in crate::store) fn slots() -> (usize, usize) {
    let processors = std::thread::available_parallelism().map_or(LARGE.1, NonZeroUsize::get);
    (SMALL, processors.clamp(LARGE.1, LARGE.0))
}

/// The connections that read, one more than statements are read at once. All are opened now; one that was closed is opened
/// anew when it is needed, if the file is still the same.
pub(in crate::store) async fn readers(
    url: &str,
    files: &Files,
    (small, large): (usize, usize),
) -> Result<DatabaseConnection, DbErr> {
    let count = u32::try_from(small + large + 1).unwrap_or(u32::MAX);
    let unchanged = files.clone();
    // Without a least number that the pool keeps by itself: it would go on trying for five minutes to open a connection that
    // is refused because the file was replaced, and a service that stops waits for that.
    let reading = PoolOptions::new()
        .max_connections(count)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |_, _| {
            let unchanged = unchanged.check().map_err(|error| sqlx::Error::Configuration(error.into()));
            Box::pin(async { unchanged })
        })
        .connect_with(reader(sqlite(url)?));
    let reading = reading.await.map_err(error::of_sqlx)?;
    try_join_all((0..count).map(|_| reading.acquire())).await.map_err(error::of_sqlx)?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(reading))
}

/// The writing connection of a SQLite file that is there.
///
/// # Errors
/// Those of SQLite, and a connection that would not keep what is acknowledged.
pub(in crate::store) async fn reopen_writer(url: &str) -> Result<SqliteConnection, DbErr> {
    let mut connection = writer(sqlite(url)?).connect().await.map_err(error::of_sqlx)?;
    durable(&mut connection).await?;
    Ok(connection)
}

/// Refuses a connection whose commits would not survive a power cut.
async fn durable(connection: &mut SqliteConnection) -> Result<(), DbErr> {
    // Before the first read, the pragma tells what was wished for. The read opens the write-ahead log.
    connection.execute("SELECT count(*) FROM sqlite_schema").await.map_err(error::of_sqlx)?;
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
    let row = connection.fetch_one(AssertSqlSafe(format!("PRAGMA {name}"))).await.map_err(error::of_sqlx)?;
    let word = row.try_get::<String, _>(0);
    word.or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string())).map_err(error::of_sqlx)
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
            done => return done.map_err(error::of_sqlx),
        }
    }
}

/// SQLite's codes for a file that another connection has to itself: busy, locked, and a race for the log's locks.
fn is_busy(error: &dyn sqlx::error::DatabaseError) -> bool {
    error.code().and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xff, 5 | 6 | 15))
}

/// What all connections to a SQLite file have in common. None makes a file unless told so.
fn sqlite(url: &str) -> Result<SqliteConnectOptions, DbErr> {
    let options = SqliteConnectOptions::from_str(url).map_err(error::of_sqlx)?;
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
        // What goes is overwritten on the pages that are written anyhow: an old copy of a row is in no page then. Pages
        // that become free as a whole are overwritten by an erasure.
        .pragma("secure_delete", "fast")
        .pragma("wal_autocheckpoint", "10000")
        // A statement in the cache keeps its values, and an insert of hundreds of rows rarely comes twice.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn where_the_file_was_replaced_what_reads_it_is_closed_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledgerline.db");
        let url = format!("sqlite://{}", file.display());
        let (path, writer, _) = make(&url).await.unwrap();
        let readers = readers(&url, &Files::of(&path).unwrap(), (2, 2)).await.unwrap();
        let pool = readers.get_sqlite_connection_pool().clone();
        assert_eq!(pool.size(), 5, "all are open from the start");

        std::fs::rename(&file, folder.path().join("moved.db")).unwrap();
        std::fs::write(&file, "").unwrap();
        // Two are lost one after the other, and somebody who needs one more is refused.
        let mut held = Vec::new();
        for _ in 0..5 {
            held.push(pool.acquire().await.unwrap());
        }
        for lost in held.drain(..2) {
            lost.close().await.unwrap();
        }
        assert!(pool.acquire().await.is_err(), "another file is not read");
        drop(held);
        tokio::time::timeout(ACQUIRE * 2, pool.close()).await.expect("it does not wait for what is refused");
        drop(writer);
    }
}
