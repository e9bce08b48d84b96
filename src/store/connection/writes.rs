//! The connections that write: one on SQLite, a few on PostgreSQL.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use sqlx::{Connection, SqliteConnection};
use tokio::sync::Mutex;

use super::{
    lent::{Held, Lent},
    transaction::{DURABLE, SNAPSHOT, Transaction},
};
use crate::{
    error::Result,
    store::{
        ACQUIRE, error,
        postgres::{
            nodes::Nodes,
            session::{Beginning, Pool},
        },
        sqlite::{connect, files::Files},
    },
};

/// The connections that write: one on SQLite, a few on PostgreSQL.
#[derive(Clone)]
pub(in crate::store) enum Writes {
    Sqlite(Arc<Single>),
    Postgres(Pool),
}

/// SQLite's writing connection, opened anew when the one before was thrown away.
pub(in crate::store) struct Single {
    url: String,
    files: Files,
    connection: Arc<Mutex<Option<SqliteConnection>>>,
    closed: AtomicBool,
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

    async fn begin_with(&self, on_postgres: Beginning) -> Result<Transaction, DbErr> {
        let mut lent = self.lend().await?;
        let begin = match self {
            Self::Sqlite(_) => "BEGIN IMMEDIATE".to_owned(),
            Self::Postgres(pool) => pool.beginning(on_postgres),
        };
        let begun = lent.held()?.execute_text(&begin).await;
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
            Self::Postgres(pool) => drop(pool.connections().close_by_ref().await),
        }
    }

    /// How many connections to a server were opened.
    pub fn opened(&self) -> u64 {
        match self {
            // SQLite's file is asked for before each use.
            Self::Sqlite(_) => 0,
            Self::Postgres(pool) => pool.opened(),
        }
    }

    /// The files of a SQLite database.
    pub fn files(&self) -> Option<&Files> {
        match self {
            Self::Sqlite(single) => Some(&single.files),
            Self::Postgres(_) => None,
        }
    }

    /// What is known of the nodes of a cluster.
    pub fn nodes(&self) -> Option<&Arc<Nodes>> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(pool) => pool.nodes(),
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
                let mut guard = waiting.await.map_err(|_| error::of_sqlx(sqlx::Error::PoolTimedOut))?;
                if single.closed.load(Ordering::Acquire) {
                    return Err(error::of_sqlx(sqlx::Error::PoolClosed));
                }
                if guard.is_none() {
                    // A file that is gone is not made anew, and a file that took its place is not written to.
                    single.files.check()?;
                    *guard = Some(Box::pin(connect::reopen_writer(&single.url)).await?);
                    single.files.check().inspect_err(|_| drop(guard.take()))?;
                }
                Ok(Lent::of(Held::Writer(guard)))
            }
            Self::Postgres(pool) => {
                let pooled = pool.acquire().await.map_err(error::of_sqlx)?;
                Ok(Lent::of(Held::Postgres(pooled, pool.nodes().cloned().map(|nodes| (nodes, None)))))
            }
        }
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
