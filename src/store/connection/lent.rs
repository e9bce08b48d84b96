//! A connection that one caller has for the time being, and that is closed if anything failed on it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::TryStreamExt;
use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgPool, Postgres, Sqlite, SqliteConnection, pool::PoolConnection, query::Query,
};
use tokio::{sync::OwnedMutexGuard, time::timeout};

use super::turns::Turn;
use crate::store::{ACQUIRE, postgres::nodes::Nodes};

/// A connection that one caller has for the time being.
pub(super) enum Held {
    Writer(OwnedMutexGuard<Option<SqliteConnection>>),
    Reader(PoolConnection<Sqlite>),
    /// Where it is a cluster's, with what is known of the nodes, and whose it is if one organization's.
    Postgres(PoolConnection<Postgres>, Option<(Arc<Nodes>, Option<i64>)>),
}

/// How a statement is ended whose caller has gone.
pub(super) enum Interrupt {
    /// SQLite looks at it every few steps.
    Sqlite(Arc<AtomicBool>),
    /// PostgreSQL is told on another connection.
    Postgres {
        /// Where one is taken from.
        pool: PgPool,
        /// The server's process of the session.
        process: i32,
    },
}

/// A connection in use. If it is dropped without [`Lent::back`], it is thrown away.
pub(super) struct Lent {
    held: Option<Held>,
    interrupt: Option<Interrupt>,
    /// Ends when the connection is free again, or closed.
    turn: Option<Turn>,
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
            Held::Postgres(pooled, _) => {
                let $connection = &mut **pooled;
                $run
            }
        }
    };
}

impl Held {
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        let nodes = self.nodes();
        let done = async {
            on!(self, connection => Ok(connection.execute(prepared(statement)).await.map_err(of_exec)?.into()))
        };
        watched(nodes, done).await
    }

    pub(super) async fn execute_text(&mut self, text: &str) -> Result<ExecResult, DbErr> {
        let (nodes, text) = (self.nodes(), AssertSqlSafe(text.to_owned()));
        let done = async { on!(self, connection => Ok(connection.execute(text).await.map_err(of_exec)?.into())) };
        watched(nodes, done).await
    }

    pub(super) async fn rows(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let nodes = self.nodes();
        let done = async {
            on!(self, connection => {
                let rows = connection.fetch_all(prepared(statement)).await.map_err(of_query)?;
                Ok(rows.into_iter().map(QueryResult::from).collect())
            })
        };
        watched(nodes, done).await
    }

    /// The process of PostgreSQL that works for the session.
    pub(super) async fn process(&mut self) -> Result<i32, DbErr> {
        let Self::Postgres(pooled, _) = self else { return Err(failed_before()) };
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut **pooled).await.map_err(of_query)
    }

    pub(super) async fn each(
        &mut self,
        statement: Statement,
        row: &mut (dyn FnMut(QueryResult) + Send),
    ) -> Result<(), DbErr> {
        let nodes = self.nodes();
        let done = async {
            on!(self, connection => {
                let mut rows = connection.fetch(prepared(statement));
                while let Some(next) = rows.try_next().await.map_err(of_query)? {
                    row(next.into());
                }
                Ok(())
            })
        };
        watched(nodes, done).await
    }

    /// Sends lines of text to a `COPY … FROM STDIN` of PostgreSQL.
    pub(super) async fn copy_in(
        &mut self,
        statement: &str,
        pieces: impl Iterator<Item = String> + Send,
    ) -> Result<(), DbErr> {
        let nodes = self.nodes();
        let Self::Postgres(connection, _) = self else { return Err(failed_before()) };
        let done = async {
            let mut copy = connection.copy_in_raw(statement).await.map_err(of_exec)?;
            for piece in pieces {
                copy.send(piece.as_bytes()).await.map_err(of_exec)?;
            }
            copy.finish().await.map(drop).map_err(of_exec)
        };
        watched(nodes, done).await
    }

    fn nodes(&self) -> Option<(Arc<Nodes>, Option<i64>)> {
        match self {
            Self::Postgres(_, nodes) => nodes.clone(),
            Self::Writer(_) | Self::Reader(_) => None,
        }
    }
}

/// Waits for a statement, of a cluster for no longer than [`Nodes::watch`] does.
async fn watched<T>(
    nodes: Option<(Arc<Nodes>, Option<i64>)>,
    done: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    let Some((nodes, organization_no)) = nodes else { return done.await };
    let gone = |gone| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(sqlx::Error::Configuration(Box::new(gone)))));
    // Boxed: elsewhere than on a cluster, whoever waits would have its five kilobytes too, and move them.
    Box::pin(nodes.watch(organization_no, done)).await.map_err(gone)?
}

impl Lent {
    pub(super) fn of(held: Held) -> Self {
        Self { held: Some(held), interrupt: None, turn: None }
    }

    /// A connection that its caller has for a turn.
    pub(super) fn in_turn(held: Held, interrupt: Option<Interrupt>, turn: Turn) -> Self {
        Self { held: Some(held), interrupt, turn: Some(turn) }
    }

    /// Has the statement ended in this way if its caller goes away.
    pub(super) fn interrupt_by(&mut self, interrupt: Interrupt) {
        self.interrupt = Some(interrupt);
    }

    /// Whether it leads to a cluster.
    pub(super) fn is_of_a_cluster(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.nodes().is_some())
    }

    /// The connection; there is one until it is given back.
    pub(super) fn held(&mut self) -> Result<&mut Held, DbErr> {
        self.held.as_mut().ok_or_else(failed_before)
    }

    /// Keeps the connection if all went well with it, else closes it.
    pub(super) async fn kept<T>(mut self, done: Result<T, DbErr>) -> Result<(Self, T), DbErr> {
        match done {
            Ok(value) => Ok((self, value)),
            Err(error) => {
                if let Some(held) = self.held.take() {
                    discard(held).await;
                }
                Err(error)
            }
        }
    }

    /// Gives the connection back if all went well with it, else closes it.
    pub(super) async fn back<T>(self, done: Result<T, DbErr>) -> Result<T, DbErr> {
        let (mut lent, value) = self.kept(done).await?;
        drop(lent.held.take());
        Ok(value)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        let (interrupt, turn) = (self.interrupt.take(), self.turn.take());
        match tokio::runtime::Handle::try_current() {
            // The next caller waits until this one is closed, so that there are never two writing connections, and nobody's
            // turn comes while a statement still runs that nobody wants.
            Ok(runtime) => drop(runtime.spawn(async move {
                if let Some(interrupt) = interrupt {
                    interrupt.carry_out().await;
                }
                discard(held).await;
                drop(turn);
            })),
            Err(_) => {
                if let Held::Writer(mut guard) = held {
                    guard.take();
                }
            }
        }
    }
}

impl Interrupt {
    async fn carry_out(self) {
        metrics::counter!("ledgerline_reads_interrupted_total").increment(1);
        match self {
            Self::Sqlite(given_up) => given_up.store(true, Ordering::Relaxed),
            Self::Postgres { pool, process } => {
                let told = sqlx::query("SELECT pg_cancel_backend($1)").bind(process).execute(&pool);
                // A server that is out of reach ends the statement at its time limit.
                drop(timeout(ACQUIRE, told).await);
            }
        }
    }
}

/// Closes a connection that may be anywhere inside a transaction.
pub(super) async fn discard(held: Held) {
    metrics::counter!("ledgerline_connections_discarded_total").increment(1);
    // Where closing fails too, the connection is gone all the same.
    match held {
        Held::Writer(mut guard) => {
            if let Some(connection) = guard.take() {
                let _ = connection.close().await;
            }
        }
        Held::Reader(pooled) => drop(pooled.close().await),
        // A server that is out of reach does not answer the farewell.
        Held::Postgres(pooled, _) => drop(timeout(ACQUIRE, pooled.close()).await),
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

pub(super) fn failed_before() -> DbErr {
    DbErr::Conn(RuntimeErr::Internal("an earlier statement of the transaction failed".to_owned()))
}

fn of_exec(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

fn of_query(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}
