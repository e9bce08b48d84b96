//! The connections that read. A statement waits for its organization's turn, and one whose caller goes away is
//! interrupted.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    lent::{Held, Interrupt, Lent},
    turns::{Turns, Work},
};
use crate::store::{dialect::without_partitions, error, postgres::session::Pool};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};

/// Steps of SQLite's machine between two looks at whether the statement is still wanted: some ten microseconds.
const STEPS: i32 = 2_000;

/// Where connections that read are taken from.
#[derive(Clone)]
pub(in crate::store) enum Source {
    Sqlite(DatabaseConnection),
    Postgres(Pool),
}

impl Source {
    fn connections(&self) -> &DatabaseConnection {
        match self {
            Self::Sqlite(connections) => connections,
            Self::Postgres(pool) => pool.connections(),
        }
    }

    /// What begins the transaction of a single statement, where its session is not its own.
    fn around(&self) -> Option<String> {
        match self {
            Self::Postgres(pool) if pool.is_shared() => Some(format!("BEGIN READ ONLY; {}", pool.of_a_transaction())),
            _ => None,
        }
    }
}

/// The connections that read, for one caller and one class of statements.
#[derive(Clone)]
pub(in crate::store) struct Reads {
    source: Source,
    turns: Arc<Turns>,
    /// Product and organization that is read for; empty: the service itself.
    whose: Arc<str>,
    /// Its number, where it is known.
    organization_no: Option<i64>,
    work: Work,
    /// Those of the primary, where these are of a replica.
    primary: Option<Arc<Reads>>,
}

impl Reads {
    /// The connections of a pool that has room for so many small and large statements at once.
    pub fn of(source: Source, (small, large): (usize, usize)) -> Self {
        Self {
            source,
            turns: Arc::new(Turns::new(small, large)),
            whose: "".into(),
            organization_no: None,
            work: Work::Small,
            primary: None,
        }
    }

    /// Those of another server that is read from in the same way.
    pub fn elsewhere(&self, pool: Pool) -> Self {
        Self { source: Source::Postgres(pool), turns: Arc::new(self.turns.like()), ..self.clone() }
    }

    /// The same for what is read of an organization, with its number where it is known.
    pub fn of_organization(&self, product: &str, organization: &str, organization_no: Option<i64>) -> Self {
        Self { whose: format!("{product}\u{0}{organization}").into(), organization_no, ..self.clone() }
    }

    /// The same for statements of a class.
    pub fn paced(&self, work: Work) -> Self {
        Self { work, ..self.clone() }
    }

    /// Those of a replica for whoever the primary's are for, which answer what the replica gives up.
    pub fn instead_of(&self, primary: &Self) -> Self {
        Self {
            whose: primary.whose.clone(),
            organization_no: primary.organization_no,
            work: primary.work,
            primary: Some(Arc::new(primary.clone())),
            ..self.clone()
        }
    }

    /// Those of the primary, where these are of a replica that has given up what was asked: it is gone, or it has to write
    /// what nobody may read meanwhile, as where a partition goes.
    pub fn primary(&self) -> Option<Self> {
        let primary = self.primary.as_ref()?;
        metrics::counter!("ledgerline_replica_passed_over_total", "reason" => "unavailable").increment(1);
        Some(primary.paced(self.work))
    }

    /// The pool itself, for what waits for nobody's turn.
    pub fn pool(&self) -> &DatabaseConnection {
        self.source.connections()
    }

    /// PostgreSQL's pool.
    pub fn postgres(&self) -> Option<&Pool> {
        match &self.source {
            Source::Sqlite(_) => None,
            Source::Postgres(pool) => Some(pool),
        }
    }

    /// Closes the connections.
    pub async fn close(&self) {
        let _ = self.pool().close_by_ref().await;
    }

    /// A connection, when it is its caller's turn, on which a transaction has begun if there is a statement for that.
    pub(super) async fn lend(&self, begin: Option<&str>) -> Result<Lent, DbErr> {
        let turn = self.turns.take(&self.whose, self.work).await.map_err(|full| {
            metrics::counter!("ledgerline_reading_overloaded_total").increment(1);
            error::full(full)
        })?;
        let (held, interrupt) = match &self.source {
            Source::Sqlite(pool) => {
                let acquired = Box::pin(pool.get_sqlite_connection_pool().acquire()).await;
                let mut pooled = acquired.map_err(error::of_sqlx)?;
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
            Source::Postgres(pool) => {
                let pooled = pool.acquire().await.map_err(error::of_sqlx)?;
                let nodes = pool.nodes().cloned().map(|nodes| (nodes, self.organization_no));
                (Held::Postgres(pooled, nodes), None)
            }
        };
        let mut lent = Lent::in_turn(held, interrupt, turn);
        if let Some(begin) = begin {
            let begun = lent.held()?.execute_text(begin).await;
            (lent, _) = lent.kept(begun).await?;
        }
        if let (Source::Postgres(pool), Work::Large) = (&self.source, self.work) {
            // The session that the statement is going to have: where sessions are shared, the transaction's.
            let asked = lent.held()?.process().await;
            let process;
            (lent, process) = lent.kept(asked).await?;
            lent.interrupt_by(Interrupt::Postgres {
                pool: pool.connections().get_postgres_connection_pool().clone(),
                process,
            });
        }
        Ok(lent)
    }

    async fn rows(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let around = self.source.around();
        let mut lent = self.lend(around.as_deref()).await?;
        let done = lent.held()?.rows(statement).await;
        back(lent, done, around.is_some()).await
    }

    /// A statement without the partitions that a sweep has taken away since it was put together.
    async fn without_gone(&self, statement: Statement) -> Result<Statement, DbErr> {
        let asked = Statement::from_string(DbBackend::Postgres, "SELECT name FROM event_partition");
        let there = self.rows(asked).await?.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
        Ok(Statement { sql: without_partitions(&statement.sql, &there), ..statement })
    }
}

/// Gives a connection back after a statement of its own. What the database itself refuses leaves the session as it was;
/// any other failure may have left it anywhere. On a cluster a time limit is such a failure: the session tells a node to stop,
/// and takes the next statement when that node has heard it.
async fn back<T>(mut lent: Lent, done: Result<T, DbErr>, has_begun: bool) -> Result<T, DbErr> {
    let is_refused = |error: &DbErr| match error {
        DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner)) => {
            matches!(inner.as_ref(), sqlx::Error::Database(_))
        }
        _ => false,
    };
    match done {
        Err(error) if !is_refused(&error) || lent.is_of_a_cluster() && error::is_timeout(&error) => {
            lent.back(Err(error)).await
        }
        done => {
            let ended = if has_begun { lent.held()?.execute_text("COMMIT").await.map(drop) } else { Ok(()) };
            lent.back(ended).await?;
            done
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reads {
    fn get_database_backend(&self) -> DbBackend {
        self.pool().get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let around = self.source.around();
        let mut lent = self.lend(around.as_deref()).await?;
        let done = lent.held()?.execute(statement).await;
        back(lent, done, around.is_some()).await
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        let around = self.source.around();
        let mut lent = self.lend(around.as_deref()).await?;
        let done = lent.held()?.execute_text(text).await;
        back(lent, done, around.is_some()).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        if matches!(self.source, Source::Sqlite(_)) {
            return self.rows(statement).await;
        }
        let done = match self.rows(statement.clone()).await {
            Err(error) if error::lacks_table(&error) => match self.without_gone(statement.clone()).await {
                Ok(statement) => self.rows(statement).await,
                Err(error) => Err(error),
            },
            done => done,
        };
        match done {
            Err(error) if error::is_given_up(&error) => match self.primary() {
                Some(primary) => {
                    tracing::info!("the replica has given a statement up, the primary answers: {error}");
                    primary.query_all_raw(statement).await
                }
                None => Err(error),
            },
            done => done,
        }
    }
}
