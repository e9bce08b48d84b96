//! The store: the only place that speaks SQL. Reading takes a [`ReadScope`](crate::auth::ReadScope),
//! recording a [`WriteScope`](crate::auth::WriteScope); only the access policy makes them.

mod append;
mod calendar;
mod citus;
mod clock_check;
mod connect;
mod copy;
mod count;
mod days;
mod dialect;
mod dictionary;
pub(crate) mod error;
mod explain;
mod facets;
mod find;
mod insert;
mod page;
mod partitions;
mod replica;
mod rows;
mod selection;
mod sql;
mod stage;
mod task;
pub mod upkeep;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use arc_swap::ArcSwap;
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};

pub use copy::{Copied, Phase, copied_columns};
pub use dictionary::{Dictionary, LogNode};
pub use facets::{ActorValue, Bucket, FacetList};
pub use page::{Page, PageRequest, key};
pub use selection::{Question, Selection, check_log};
pub use task::{Appended, Item, ItemResult, Key, Recorded, Task};

use crate::{clock::Clock, error::Result};
use dialect::Dialect;
use partitions::Partitions;

/// Writes a row as it is: fails on a full disk or a read-only file, and changes nothing.
const WRITE_PROBE: &str = "UPDATE organization_head SET size = size \
    WHERE organization_no = (SELECT min(organization_no) FROM organization_head)";

/// The database, whichever it is.
#[derive(Clone)]
pub struct Store {
    write: DatabaseConnection,
    read: DatabaseConnection,
    replica: Option<DatabaseConnection>,
    dialect: Dialect,
    /// Whether a Citus cluster holds the organizations on several nodes.
    sharded: bool,
    dictionaries: Arc<dictionary::Cache>,
    calendars: Arc<calendar::Calendars>,
    clock_check: Arc<clock_check::ClockCheck>,
    partitions: Arc<ArcSwap<Partitions>>,
    /// Names of partitions that were written to since they were last looked after.
    touched: Arc<Mutex<BTreeSet<String>>>,
}

impl Store {
    /// Opens the database at `url` (`sqlite://PATH` or `postgres://…`) and brings its schema up to date.
    ///
    /// # Errors
    /// `UNAVAILABLE` when it cannot be reached or opened, `INTERNAL` when its schema cannot be made.
    pub async fn open(url: &str) -> Result<Self> {
        let (write, read, dialect) = connect::open(url).await?;
        migrate(&write, dialect).await.map_err(error::from)?;
        let store = Self {
            write,
            read,
            replica: None,
            dialect,
            sharded: false,
            dictionaries: Arc::default(),
            calendars: Arc::default(),
            clock_check: Arc::default(),
            partitions: Arc::default(),
            touched: Arc::default(),
        };
        let store = Self { sharded: store.is_sharded().await?, ..store };
        store.make_partitions_ahead(Clock::system().now()).await?;
        Ok(store)
    }

    /// Whether the database answers and takes writes.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub async fn ready(&self) -> Result<()> {
        self.read.execute_unprepared("SELECT 1").await.map_err(error::from)?;
        self.write.execute_unprepared(WRITE_PROBE).await.map_err(error::from)?;
        Ok(())
    }

    /// Closes all connections.
    pub async fn close(self) {
        let _ = self.read.close().await;
        if let Some(replica) = self.replica {
            let _ = replica.close().await;
        }
        let _ = self.write.close().await;
    }
}

/// Brings the schema up to date. Processes that start together on PostgreSQL do it one after the other.
async fn migrate(write: &DatabaseConnection, dialect: Dialect) -> Result<(), sea_orm::DbErr> {
    if dialect == Dialect::Postgres {
        let lock = write.begin().await?;
        lock.execute_unprepared("SELECT pg_advisory_xact_lock(5497853135693827)").await?;
        <migration::Migrator as migration::MigratorTrait>::up(write, None).await?;
        return lock.commit().await;
    }
    <migration::Migrator as migration::MigratorTrait>::up(write, None).await
}
