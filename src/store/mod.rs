//! The store: the only place that speaks SQL. Reading takes a [`ReadScope`](crate::auth::ReadScope),
//! recording a [`WriteScope`](crate::auth::WriteScope); only the access policy makes them.

mod backup;
mod connection;
pub mod control;
mod copy;
mod count;
mod derived;
mod dialect;
mod dictionary;
mod ending;
mod erasure;
pub(crate) mod error;
#[cfg(feature = "explain")]
mod explain;
mod grain;
mod head;
mod history;
mod news;
mod postgres;
mod range;
mod read;
mod reindex;
mod removal;
mod replay;
mod rows;
mod schema;
mod sqlite;
mod tables;
mod trouble;
mod write;

use std::{
    collections::BTreeSet,
    ops::Deref,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use sea_orm::ConnectionTrait;

pub use backup::State;
pub use control::{Change, Permitted};
pub use copy::{Copied, Phase, copied_columns};
pub use count::facets::{Bucket, FacetList, TextFacet};
pub use dictionary::{Dictionary, LogNode};
pub use ending::Ending;
pub use erasure::{Erased, Found, Looked, LookedAhead, Step as ErasureStep};
pub use history::Missing;
pub use news::{Following, Growth};
pub use postgres::session::Durability;
pub use read::{
    page::{Page, PageRequest, key},
    selection::{Question, Selection},
    view::check_log,
};
pub use reindex::Reindexed;
pub use removal::{Due, Step, Swept};
pub use replay::{ErasedEvent, Listed};
pub use schema::Schema;
pub use sqlite::wal::Log;
pub use write::task::{Appended, Deleted, Item, ItemResult, Key, Recorded, Task};

use crate::{chance::Chance, clock::Clock, error::Result, event::Timestamp};
use connection::{reads::Reads, turns::Work, writes::Writes};
use count::calendar::Calendars;
use dialect::Dialect;
use news::News;
use postgres::{replica::Replica, session};
use range::Partitions;
use reindex::Stale;
use write::clock_check::ClockCheck;

/// How long a caller waits for a connection before the database counts as gone.
const ACQUIRE: Duration = Duration::from_secs(5);
/// Bytes that must fit before a database that refused a recording counts as ready again. A full disk often has room for a
/// few.
const HEADROOM: usize = 1 << 20;

/// What the operator should know of a database that is ready all the same.
#[derive(Clone, Debug, Default)]
pub struct Concerns {
    /// [Settings](Store::unsafe_settings) that are not safe, which the operator has waived.
    pub unsafe_settings: Vec<&'static str>,
    /// Nodes of a cluster that do not answer: their organizations are neither read nor recorded for.
    pub gone_nodes: Vec<i32>,
}

/// The database, whichever it is.
#[derive(Clone)]
pub struct Store {
    read: Reads,
    /// What is the same for whoever reads. A store is made anew for every question, so it must be cheap to make.
    shared: Arc<Shared>,
}

/// What is the same for all stores of one database.
#[derive(Clone)]
pub struct Shared {
    write: Writes,
    replica: Option<Arc<Replica>>,
    durability: Durability,
    dialect: Dialect,
    /// What ids, and versions of dictionaries, are drawn from.
    chance: Chance,
    /// Whether some idempotency keys are stored as hashes without a secret: an earlier version recorded here.
    has_plain_hashes: bool,
    /// Whether PostgreSQL's role owns the tables, or may do what their owner may.
    owns_tables: bool,
    dictionaries: Arc<dictionary::Cache>,
    calendars: Arc<Calendars>,
    /// Organizations whose terms are being made anew, as far as this process knows.
    stale: Arc<Stale>,
    clock_check: Arc<ClockCheck>,
    news: Arc<News>,
    partitions: Arc<ArcSwap<Partitions>>,
    /// Names of partitions that were written to since they were last looked after.
    touched: Arc<Mutex<BTreeSet<String>>>,
    /// Whether the last recording was refused by the database.
    refused: Arc<AtomicBool>,
    /// How far this process knows organizations to be.
    acknowledged: Arc<history::Acknowledged>,
}

impl Deref for Store {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Store {
    /// Opens the database at `url` (`sqlite://PATH` or `postgres://…`) and brings its schema up to date.
    ///
    /// # Errors
    /// `UNAVAILABLE` when it cannot be reached or opened, `BAD_USER_INPUT` when it would not keep what it acknowledges,
    /// is not in UTF-8 or is reached through a pooler that mixes sessions, or where a later version has made its schema, `INTERNAL` when its
    /// schema cannot be made.
    pub async fn open(url: &str, durability: Durability, clock: &Clock, chance: Chance) -> Result<Self> {
        let (write, read, dialect) = Box::pin(connection::open::open(url, durability, &chance)).await?;
        let shared = Shared {
            write,
            replica: None,
            durability,
            dialect,
            chance,
            has_plain_hashes: false,
            owns_tables: true,
            dictionaries: Arc::default(),
            calendars: Arc::default(),
            stale: Arc::default(),
            clock_check: Arc::default(),
            news: Arc::default(),
            partitions: Arc::default(),
            touched: Arc::default(),
            refused: Arc::default(),
            acknowledged: Arc::default(),
        };
        let store = Self { read, shared: Arc::new(shared) };
        let has_plain_hashes = store.has_plain_hashes().await?;
        let owns_tables = store.owns_tables().await?;
        let dialect = if store.is_sharded().await? { Dialect::Citus } else { dialect };
        let store = store.with(|shared| {
            shared.dialect = dialect;
            shared.owns_tables = owns_tables;
            shared.has_plain_hashes = has_plain_hashes;
        });
        if dialect == Dialect::Citus {
            store.refuse_no_owner()?;
            if durability == Durability::Required {
                store.refuse_unsafe_nodes().await?;
            }
        }
        store.make_partitions_ahead(clock.now()).await?;
        Ok(store)
    }

    /// The same store, with something changed of what is shared: before it is given to anybody.
    fn with(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Arc::unwrap_or_clone(self.shared);
        change(&mut shared);
        Self { read: self.read, shared: Arc::new(shared) }
    }

    /// Takes the bytes of what was erased of an organization since an instant out of all files of the database.
    ///
    /// # Errors
    /// Those of the database; it is to be tried again then.
    pub async fn wipe_erased(&self, organization_no: i64, since: Timestamp) -> Result<()> {
        match self.dialect {
            Dialect::Sqlite => {
                self.merge_search_index().await?;
                self.wipe_free_pages().await
            }
            Dialect::Postgres | Dialect::Citus => self.wipe_dead_rows(organization_no, since).await,
        }
    }

    /// Settings of the server that make it lose what it acknowledges when it crashes. There are none unless the operator
    /// has waived durability: such a database is refused.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub async fn unsafe_settings(&self) -> Result<Vec<&'static str>> {
        match self.dialect {
            Dialect::Sqlite => Ok(Vec::new()),
            Dialect::Postgres => session::unsafe_settings(self.read.pool()).await,
            Dialect::Citus => {
                let mut off = session::unsafe_settings(self.read.pool()).await?;
                // A node that does not answer would keep the question waiting.
                if self.all_must_answer().is_ok() {
                    off.extend(self.unsafe_settings_of_nodes().await?);
                }
                off.sort_unstable();
                off.dedup();
                Ok(off)
            }
        }
    }

    /// Whether the database answers, keeps what it acknowledges and takes writes. After it refused a recording, a write of
    /// usual size must succeed first. Returns what the operator should know all the same.
    ///
    /// # Errors
    /// `UNAVAILABLE`, also where the database was restored and is not open.
    pub async fn ready(&self) -> Result<Concerns> {
        self.read.execute_unprepared("SELECT 1").await.map_err(error::from)?;
        let gone_nodes = self.gone_nodes().await?;
        let unsafe_settings = self.unsafe_settings().await?;
        if self.durability == Durability::Required && !unsafe_settings.is_empty() {
            return Err(session::became_unsafe(&unsafe_settings));
        }
        self.must_be_ready().await?;
        if self.dialect == Dialect::Citus {
            return Ok(Concerns { unsafe_settings, gone_nodes });
        }
        let bytes = if self.refused.load(Ordering::Acquire) { HEADROOM } else { 0 };
        let tx = self.write.begin().await?;
        tx.execute_unprepared(&self.dialect.write_probe(bytes)).await.map_err(error::from)?;
        tx.commit().await?;
        if bytes > 0 {
            self.refused.store(false, Ordering::Release);
        }
        Ok(Concerns { unsafe_settings, gone_nodes })
    }

    /// Does what the database needs done beside recording, for ever. Faults are told and tried again.
    pub async fn look_after(&self, clock: &Clock) {
        match self.dialect {
            Dialect::Sqlite => self.watch_files().await,
            Dialect::Postgres | Dialect::Citus => self.upkeep(clock).await,
        }
    }

    /// The same store whose statements are read in an organization's turn: what somebody asks for must not be asked in the
    /// service's own, which nothing bounds.
    fn turn_of(&self, product: &str, organization: &str) -> Self {
        let no = self.dictionaries.number(product, organization);
        Self { read: self.read.of_organization(product, organization, no), shared: self.shared.clone() }
    }

    /// The same store whose statements are read in the turn of their class.
    fn paced(&self, work: Work) -> Self {
        Self { read: self.read.paced(work), shared: self.shared.clone() }
    }

    /// Closes all connections.
    pub async fn close(self) {
        self.read.close().await;
        if let Some(replica) = &self.replica {
            replica.close().await;
        }
        self.write.close().await;
    }
}
