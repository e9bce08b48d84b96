//! The connections that read. A statement waits for its organization's turn, and one whose caller goes away is
//! interrupted.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sqlx::{Postgres, pool::PoolConnection};

use super::{
    lent::{Held, Interrupt, Lent},
    turns::{Turns, Work},
};
use crate::store::error;

/// Steps of SQLite's machine between two looks at whether the statement is still wanted: some ten microseconds.
const STEPS: i32 = 2_000;

/// The connections that read, for one caller and one class of statements.
#[derive(Clone)]
pub(in crate::store) struct Reads {
    pool: DatabaseConnection,
    turns: Arc<Turns>,
    /// Product and organization that is read for; empty: the service itself.
    whose: Arc<str>,
    work: Work,
}

impl Reads {
    /// The connections of a pool that has room for so many small and large statements at once.
    pub fn of(pool: DatabaseConnection, (small, large): (usize, usize)) -> Self {
        Self { pool, turns: Arc::new(Turns::new(small, large)), whose: "".into(), work: Work::Small }
    }

    /// Those of another server that is read from in the same way.
    pub fn elsewhere(&self, pool: DatabaseConnection) -> Self {
        Self { pool, turns: Arc::new(self.turns.like()), whose: "".into(), work: Work::Small }
    }

    /// The same for what is read of an organization.
    pub fn of_organization(&self, product: &str, organization: &str) -> Self {
        Self { whose: format!("{product}\u{0}{organization}").into(), ..self.clone() }
    }

    /// The same for statements of a class.
    pub fn paced(&self, work: Work) -> Self {
        Self { work, ..self.clone() }
    }

    /// The same for whoever another database's are for.
    pub fn for_whom(&self, other: &Self) -> Self {
        Self { whose: other.whose.clone(), work: other.work, ..self.clone() }
    }

    /// The pool itself, for what waits for nobody's turn.
    pub fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// Closes the connections.
    pub async fn close(self) {
        let _ = self.pool.close().await;
    }

    /// A connection, when it is its caller's turn.
    pub(super) async fn lend(&self) -> Result<Lent, DbErr> {
        let turn = self.turns.take(&self.whose, self.work).await.map_err(|full| {
            metrics::counter!("ledgerline_reading_overloaded_total").increment(1);
            error::full(full)
        })?;
        let (held, interrupt) = match self.pool.get_database_backend() {
            DbBackend::Sqlite => {
                let mut pooled = self.pool.get_sqlite_connection_pool().acquire().await.map_err(error::of_sqlx)?;
                let interrupt = match self.work {
                    Work::Small => None,
                    Work::Large => {
                        let given_up = Arc::new(AtomicBool::new(false));
                        let look = given_up.clone();
                        let mut handle = pooled.lock_handle().await.map_err(error::of_sqlx)?;
                        handle.set_progress_handler(STEPS, move || !look.load(Ordering::Relaxed));
                        Some(Interrupt::Sqlite(given_up))
                    }
                };
                (Held::Reader(pooled), interrupt)
            }
            _ => {
                let pool = self.pool.get_postgres_connection_pool();
                let mut pooled = pool.acquire().await.map_err(error::of_sqlx)?;
                let interrupt = match self.work {
                    Work::Small => None,
                    Work::Large => {
                        let process = process_of(&mut pooled).await.map_err(error::of_sqlx)?;
                        Some(Interrupt::Postgres { pool: pool.clone(), process })
                    }
                };
                (Held::Postgres(pooled), interrupt)
            }
        };
        Ok(Lent::in_turn(held, interrupt, turn))
    }
}

/// The server's process of a session.
async fn process_of(session: &mut PoolConnection<Postgres>) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut **session).await
}

/// Gives a connection back after a statement of its own. What the database itself refuses leaves the session as it was;
/// any other failure may have left it anywhere.
async fn back<T>(lent: Lent, done: Result<T, DbErr>) -> Result<T, DbErr> {
    let is_refused = |error: &DbErr| match error {
        DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner)) => {
            matches!(inner.as_ref(), sqlx::Error::Database(_))
        }
        _ => false,
    };
    match done {
        Err(error) if is_refused(&error) => {
            lent.back(Ok(())).await?;
            Err(error)
        }
        done => lent.back(done).await,
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reads {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut lent = self.lend().await?;
        let done = lent.held()?.execute(statement).await;
        back(lent, done).await
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        let mut lent = self.lend().await?;
        let done = lent.held()?.execute_text(text).await;
        back(lent, done).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut lent = self.lend().await?;
        let done = lent.held()?.rows(statement).await;
        back(lent, done).await
    }
}
