//! A transaction: plain BEGIN and COMMIT on a connection of its own.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, FromQueryResult, QueryResult, Statement};
use tokio::sync::Mutex;

use super::{
    lent::{Lent, failed_before},
    reads::Reads,
};
use crate::{
    error::Result,
    store::{dialect::Dialect, error, postgres::session::Beginning, sqlite::files::Files},
};

/// How a transaction begins on PostgreSQL: what begins it, and what is set in it last. Durability is set again although
/// the session has it, so that a pooler that mixes sessions unnoticed weakens no transaction.
pub(super) const DURABLE: Beginning = ("BEGIN ISOLATION LEVEL READ COMMITTED", ("synchronous_commit", "on"));
pub(super) const SNAPSHOT: Beginning =
    ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ("idle_in_transaction_session_timeout", "0"));

/// A transaction: of several writes, or of reads that see one state. Dropped without a commit, nothing of it remains.
pub(in crate::store) struct Transaction {
    /// `None` once a statement has failed.
    held: Mutex<Option<Lent>>,
    backend: DbBackend,
    files: Option<Files>,
}

/// Begins a transaction on a connection that reads; it sees one state of the database.
///
/// # Errors
/// `UNAVAILABLE`.
pub(in crate::store) async fn snapshot(read: &Reads, dialect: Dialect) -> Result<Transaction> {
    let begun = async {
        let begin = match read.postgres() {
            None => "BEGIN".to_owned(),
            Some(pool) => pool.beginning(SNAPSHOT),
        };
        let lent = read.lend(Some(&begin)).await?;
        Ok(Transaction::of(lent, dialect.backend(), None))
    };
    begun.await.map_err(error::from)
}

impl Transaction {
    pub(super) fn of(lent: Lent, backend: DbBackend, files: Option<Files>) -> Self {
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
    pub async fn copy_in(&self, statement: &str, pieces: impl Iterator<Item = String> + Send) -> Result<(), DbErr> {
        let (mut place, mut lent) = self.lend().await?;
        let done = lent.held()?.copy_in(statement, pieces).await;
        let (lent, _) = lent.kept(done).await?;
        *place = Some(lent);
        Ok(())
    }

    pub(super) async fn end(&self, statement: &str) -> Result<(), DbErr> {
        let (_place, mut lent) = self.lend().await?;
        let done = lent.held()?.execute_text(statement).await;
        lent.back(done).await.map(drop)
    }

    pub(super) fn check_files(&self) -> Result<(), DbErr> {
        self.files.as_ref().map_or(Ok(()), Files::check)
    }

    /// Takes the connection for one statement. A caller who goes away midway leaves none behind.
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
