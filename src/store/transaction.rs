//! The one way to write: the connections that write, and every transaction of the service.
//!
//! SQLite takes a transaction back by itself when a write fails (FULL, IOERR, NOMEM, CORRUPT, INTERRUPT), and PostgreSQL
//! answers the COMMIT of a failed transaction with success. A driver that counts its BEGINs notices neither: its next
//! BEGIN is a savepoint, and its next commits release savepoints inside a transaction that never ends. So nothing is
//! counted here. BEGIN and COMMIT are plain statements: SQLite refuses the one inside a transaction and the other
//! outside of one. After a statement that failed, a transaction takes no other one and cannot be committed. And a
//! connection on which anything failed, or whose caller went away midway, is closed before the next one is used.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::TryStreamExt;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, FromQueryResult, QueryResult, RuntimeErr,
    Statement,
};
use sea_query_sqlx::SqlxValues;
use sqlx::{
    AssertSqlSafe, Connection, Executor, Postgres, Sqlite, SqliteConnection, pool::PoolConnection, query::Query,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{
    connect::{self, ACQUIRE},
    dialect::Dialect,
    error,
    files::Files,
};
use crate::error::Result;

/// The connections that write: one on SQLite, a few on PostgreSQL.
#[derive(Clone)]
pub(super) enum Writes {
    Sqlite(Arc<Single>),
    Postgres(DatabaseConnection),
}

/// SQLite's writing connection, opened anew when the one before was thrown away.
pub(super) struct Single {
    url: String,
    files: Files,
    connection: Arc<Mutex<Option<SqliteConnection>>>,
    closed: AtomicBool,
}

/// A connection that one caller has for the time being.
enum Held {
    Writer(OwnedMutexGuard<Option<SqliteConnection>>),
    Reader(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// A connection in use. If it is dropped without [`Lent::back`], it is thrown away.
struct Lent(Option<Held>);

/// A transaction: of several writes, or of reads that see one state. Dropped without a commit, nothing of it remains.
pub(super) struct Transaction {
    /// `None` once a statement has failed.
    held: Mutex<Option<Lent>>,
    backend: DbBackend,
    files: Option<Files>,
}

impl Single {
    /// Where the file is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it was opened as.
    pub fn files(&self) -> &Files {
        &self.files
    }
}

/// Runs the same on either driver's connection.
macro_rules! on {
    ($held:expr, $connection:ident => $run:expr) => {
        match $held {
            Held::Writer(guard) => {
                let $connection = guard.as_mut().ok_or_else(failed_before)?;
                $run
            }
            Held::Reader(pooled) => {
                let $connection = &mut **pooled;
                $run
            }
            Held::Postgres(pooled) => {
                let $connection = &mut **pooled;
                $run
            }
        }
    };
}

impl Held {
    async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        on!(self, connection => Ok(connection.execute(prepared(statement)).await.map_err(of_exec)?.into()))
    }

    async fn execute_text(&mut self, text: &str) -> Result<ExecResult, DbErr> {
        let text = AssertSqlSafe(text.to_owned());
        on!(self, connection => Ok(connection.execute(text).await.map_err(of_exec)?.into()))
    }

    async fn rows(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        on!(self, connection => {
            let rows = connection.fetch_all(prepared(statement)).await.map_err(of_query)?;
            Ok(rows.into_iter().map(QueryResult::from).collect())
        })
    }

    async fn each(&mut self, statement: Statement, row: &mut (dyn FnMut(QueryResult) + Send)) -> Result<(), DbErr> {
        on!(self, connection => {
            let mut rows = connection.fetch(prepared(statement));
            while let Some(next) = rows.try_next().await.map_err(of_query)? {
                row(next.into());
            }
            Ok(())
        })
    }
}

impl Lent {
    /// The connection; there is one until it is given back.
    fn held(&mut self) -> Result<&mut Held, DbErr> {
        self.0.as_mut().ok_or_else(failed_before)
    }

    /// Keeps the connection if all went well with it, else closes it.
    async fn kept<T>(mut self, done: Result<T, DbErr>) -> Result<(Self, T), DbErr> {
        match done {
            Ok(value) => Ok((self, value)),
            Err(error) => {
                if let Some(held) = self.0.take() {
                    discard(held).await;
                }
                Err(error)
            }
        }
    }

    /// Gives the connection back if all went well with it, else closes it.
    async fn back<T>(self, done: Result<T, DbErr>) -> Result<T, DbErr> {
        let (mut lent, value) = self.kept(done).await?;
        drop(lent.0.take());
        Ok(value)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(held) = self.0.take() else { return };
        match tokio::runtime::Handle::try_current() {
            // Who comes next waits for the end of it: two connections are never at one transaction's place.
            Ok(runtime) => drop(runtime.spawn(discard(held))),
            Err(_) => {
                if let Held::Writer(mut guard) = held {
                    guard.take();
                }
            }
        }
    }
}

/// Closes a connection that may be anywhere inside a transaction.
async fn discard(held: Held) {
    metrics::counter!("ledgerline_connections_discarded_total").increment(1);
    // That closing fails, too, changes nothing: the connection is gone.
    match held {
        Held::Writer(mut guard) => {
            if let Some(connection) = guard.take() {
                let _ = connection.close().await;
            }
        }
        Held::Reader(pooled) => drop(pooled.close().await),
        // A server that is out of reach does not say farewell.
        Held::Postgres(pooled) => drop(tokio::time::timeout(ACQUIRE, pooled.close()).await),
    }
}

impl Writes {
    /// The writing connection of a SQLite database that was opened with all checks.
    pub fn sqlite(url: &str, files: Files, connection: SqliteConnection) -> Self {
        let connection = Arc::new(Mutex::new(Some(connection)));
        Self::Sqlite(Arc::new(Single { url: url.to_owned(), files, connection, closed: AtomicBool::new(false) }))
    }

    /// Begins a transaction. On SQLite it holds the one lock of writers from here on.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub async fn begin(&self) -> Result<Transaction> {
        self.begin_with(DURABLE).await.map_err(error::from)
    }

    /// Begins a transaction that sees one state of the database, on the connections that write: no time limit ends it.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub async fn begin_snapshot(&self) -> Result<Transaction> {
        self.begin_with(SNAPSHOT).await.map_err(error::from)
    }

    async fn begin_with(&self, on_postgres: &str) -> Result<Transaction, DbErr> {
        let mut lent = self.lend().await?;
        let begin = if self.is_sqlite() { "BEGIN IMMEDIATE" } else { on_postgres };
        let begun = lent.held()?.execute_text(begin).await;
        let (lent, _) = lent.kept(begun).await?;
        let transaction = Transaction::of(lent, self.backend(), self.files().cloned());
        if let Err(gone) = transaction.check_files() {
            transaction.end("ROLLBACK").await?;
            return Err(gone);
        }
        Ok(transaction)
    }

    /// Closes the connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(single) => {
                single.closed.store(true, Ordering::Release);
                if let Some(connection) = single.connection.lock().await.take() {
                    let _ = connection.close().await;
                }
            }
            Self::Postgres(pool) => drop(pool.clone().close().await),
        }
    }

    /// The files of a SQLite database.
    pub fn files(&self) -> Option<&Files> {
        match self {
            Self::Sqlite(single) => Some(&single.files),
            Self::Postgres(_) => None,
        }
    }

    fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    fn backend(&self) -> DbBackend {
        if self.is_sqlite() { DbBackend::Sqlite } else { DbBackend::Postgres }
    }

    async fn lend(&self) -> Result<Lent, DbErr> {
        match self {
            Self::Sqlite(single) => {
                let waiting = tokio::time::timeout(ACQUIRE, single.connection.clone().lock_owned());
                let mut guard = waiting.await.map_err(|_| of_conn(sqlx::Error::PoolTimedOut))?;
                if single.closed.load(Ordering::Acquire) {
                    return Err(of_conn(sqlx::Error::PoolClosed));
                }
                if guard.is_none() {
                    // A file that is not there any more is not made anew, and one that took its place is not written to.
                    single.files.check()?;
                    *guard = Some(connect::reopen_writer(&single.url).await?);
                    single.files.check().inspect_err(|_| drop(guard.take()))?;
                }
                Ok(Lent(Some(Held::Writer(guard))))
            }
            Self::Postgres(pool) => {
                let pooled = pool.get_postgres_connection_pool().acquire().await.map_err(of_conn)?;
                Ok(Lent(Some(Held::Postgres(pooled))))
            }
        }
    }
}

/// Once more what the session was set to: a pooler that mixes sessions unnoticed takes nothing from what is recorded.
const DURABLE: &str = "BEGIN; SET LOCAL synchronous_commit = on";
const SNAPSHOT: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0";

/// Begins a transaction on a connection that reads; it sees one state of the database.
///
/// # Errors
/// `UNAVAILABLE`.
pub(super) async fn snapshot(read: &DatabaseConnection, dialect: Dialect) -> Result<Transaction> {
    let begun = async {
        let (held, begin) = match dialect {
            Dialect::Sqlite => {
                let pooled = read.get_sqlite_connection_pool().acquire().await.map_err(of_conn)?;
                (Held::Reader(pooled), "BEGIN")
            }
            Dialect::Postgres => {
                let pooled = read.get_postgres_connection_pool().acquire().await.map_err(of_conn)?;
                (Held::Postgres(pooled), SNAPSHOT)
            }
        };
        let mut lent = Lent(Some(held));
        let begun = lent.held()?.execute_text(begin).await;
        let (lent, _) = lent.kept(begun).await?;
        Ok(Transaction::of(lent, dialect.backend(), None))
    };
    begun.await.map_err(error::from)
}

impl Transaction {
    fn of(lent: Lent, backend: DbBackend, files: Option<Files>) -> Self {
        Self { held: Mutex::new(Some(lent)), backend, files }
    }

    /// Commits. When it returns, the outermost transaction was committed, to the file that the path names.
    ///
    /// # Errors
    /// `UNAVAILABLE`; whether the transaction was committed is not known then.
    pub async fn commit(self) -> Result<()> {
        let committed = async {
            self.end("COMMIT").await?;
            self.check_files()
        };
        committed.await.map_err(error::from)
    }

    /// Takes everything back, and keeps the connection.
    ///
    /// # Errors
    /// `UNAVAILABLE`; nothing of the transaction remains then, either.
    pub async fn rollback(self) -> Result<()> {
        self.end("ROLLBACK").await.map_err(error::from)
    }

    /// Calls `row` with every row of a statement, one by one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn each<R: FromQueryResult>(
        &self,
        statement: Statement,
        mut row: impl FnMut(R) + Send,
    ) -> Result<(), DbErr> {
        let mut unread = None;
        let (mut place, mut lent) = self.lend().await?;
        let mut read = |found: QueryResult| match R::from_query_result(&found, "") {
            Ok(found) => row(found),
            Err(error) => unread = Some(error),
        };
        let done = lent.held()?.each(statement, &mut read).await;
        let (lent, ()) = lent.kept(done).await?;
        *place = Some(lent);
        unread.map_or(Ok(()), Err)
    }

    /// Sends lines of text to a `COPY … FROM STDIN` of PostgreSQL.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn copy_in(&self, statement: &str, pieces: impl Iterator<Item = String> + Send) -> Result<(), DbErr> {
        let (mut place, mut lent) = self.lend().await?;
        let done = async {
            let Held::Postgres(connection) = lent.held()? else { return Err(failed_before()) };
            let mut copy = connection.copy_in_raw(statement).await.map_err(of_exec)?;
            for piece in pieces {
                copy.send(piece.as_bytes()).await.map_err(of_exec)?;
            }
            copy.finish().await.map_err(of_exec)
        };
        let done = done.await;
        let (lent, _) = lent.kept(done).await?;
        *place = Some(lent);
        Ok(())
    }

    async fn end(&self, statement: &str) -> Result<(), DbErr> {
        let (_place, mut lent) = self.lend().await?;
        let done = lent.held()?.execute_text(statement).await;
        lent.back(done).await.map(drop)
    }

    fn check_files(&self) -> Result<(), DbErr> {
        self.files.as_ref().map_or(Ok(()), Files::check)
    }

    /// The connection for one statement. It is not there meanwhile: who goes away midway leaves none.
    async fn lend(&self) -> Result<(tokio::sync::MutexGuard<'_, Option<Lent>>, Lent), DbErr> {
        let mut place = self.held.lock().await;
        let lent = place.take().ok_or_else(failed_before)?;
        Ok((place, lent))
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let (mut place, mut lent) = self.lend().await?;
        let done = lent.held()?.execute(statement).await;
        let (lent, value) = lent.kept(done).await?;
        *place = Some(lent);
        Ok(value)
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        let (mut place, mut lent) = self.lend().await?;
        let done = lent.held()?.execute_text(text).await;
        let (lent, value) = lent.kept(done).await?;
        *place = Some(lent);
        Ok(value)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let (mut place, mut lent) = self.lend().await?;
        let done = lent.held()?.rows(statement).await;
        let (lent, value) = lent.kept(done).await?;
        *place = Some(lent);
        Ok(value)
    }
}

/// Single statements outside of a transaction, for what cannot be part of one, and for reading what was just written.
#[async_trait::async_trait]
impl ConnectionTrait for Writes {
    fn get_database_backend(&self) -> DbBackend {
        self.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut lent = self.lend().await?;
        let done = lent.held()?.execute(statement).await;
        lent.back(done).await
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        let mut lent = self.lend().await?;
        let done = lent.held()?.execute_text(text).await;
        lent.back(done).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut lent = self.lend().await?;
        let done = lent.held()?.rows(statement).await;
        lent.back(done).await
    }
}

fn prepared<DB>(statement: Statement) -> Query<'static, DB, SqlxValues>
where
    DB: sqlx::Database,
    SqlxValues: sqlx::IntoArguments<DB>,
{
    let values = statement.values.unwrap_or_else(|| sea_orm::Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(values))
}

fn failed_before() -> DbErr {
    DbErr::Conn(RuntimeErr::Internal("an earlier statement of the transaction failed".to_owned()))
}

fn of_exec(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

fn of_query(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn of_conn(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}
