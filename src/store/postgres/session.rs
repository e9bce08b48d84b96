//! What a session of PostgreSQL has to be. It is set and asked when a connection is opened, not believed: options of the
//! start-up are dropped by poolers without a word, and a server may be told to forget what it has acknowledged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::{DatabaseConnection, SqlxPostgresConnector};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection, PgConnection, Postgres, Row,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    raw_sql,
};

use super::{
    address::Address,
    nodes::{self, Nodes},
    unreachable,
};
use crate::{
    chance::Chance,
    error::{Error, Result},
    store::{ACQUIRE, error},
};

/// Whether a database may be used that does not keep what it acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Never: it is refused.
    Required,
    /// The operator has said that it may: what is acknowledged can be lost when the server crashes.
    Waived,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Purpose {
    Writing,
    Reading,
}

/// Settings of every session of ours, as PostgreSQL shows them.
const COMMON: [(&str, &str); 7] = [
    ("client_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    // A connection rests until it is used.
    ("idle_session_timeout", "0"),
    // A statement sees what was committed before it, not before its transaction: heads are locked, then read.
    ("default_transaction_isolation", "read committed"),
    ("jit", "off"),
    // Planning for every partition anew takes longer than most statements do. What a plan for unknown values gets wrong
    // is the size of a range: it would rather sort a few rows than read them in the order of an index, and the few are
    // all events of an organization. Where there is no index in the order of the list, it sorts all the same.
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_sort", "off"),
];
/// Settings of the sessions that write.
const WRITING: [(&str, &str); 4] = [
    // An acknowledged event survives a crash; group commit pays for it.
    ("synchronous_commit", "on"),
    // Building an index may take hours.
    ("statement_timeout", "0"),
    // A recording waits for the head that another one holds. Whoever cannot get a lock at all gives up in the end.
    ("lock_timeout", "0"),
    // The server hears nothing from a process that is out of reach. After this time its locks on heads are free again.
    ("idle_in_transaction_session_timeout", "20s"),
];
/// Lets a transaction be idle that holds a lock while others work.
pub(in crate::store) const MAY_BE_IDLE: &str = "SET LOCAL idle_in_transaction_session_timeout = 0";
/// Settings of the sessions that read.
const READING: [(&str, &str); 3] = [
    // Longest that one reading statement may take.
    ("statement_timeout", "10s"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "20s"),
];
/// A time limit that PostgreSQL has since version 17.
const SINCE_17: &str =
    "SELECT set_config('transaction_timeout', '0', false) FROM pg_settings WHERE name = 'transaction_timeout'";
/// What else is asked of a server.
const ASKED: [&str; 2] = ["server_encoding", "transaction_read_only"];
/// Settings that only the operator of the server can make. Without them, a crash loses or damages acknowledged events.
const OF_THE_SERVER: [&str; 2] = ["fsync", "full_page_writes"];

/// Settings where the extension Citus is, in the place of those of the same name.
const CITUS: [(&str, &str); 4] = [
    // A plan without values cannot be sent to the one node that has the organization: it is refused.
    ("plan_cache_mode", "auto"),
    // The triggers that refuse changes read and write no table, so each node may run them by itself.
    ("citus.enable_unsafe_triggers", "on"),
    // What a transaction sets for itself holds on the nodes that take part in it.
    ("citus.propagate_set_commands", "local"),
    // A node that is gone is told from one that is slow before a caller gives up.
    ("citus.node_connection_timeout", nodes::CONNECT),
];

impl Purpose {
    fn settings(self, sessions: Sessions) -> Vec<(&'static str, &'static str)> {
        let own: &[_] = match self {
            Self::Writing => &WRITING,
            Self::Reading => &READING,
        };
        let citus: &[_] = if sessions == Sessions::OfACluster { &CITUS } else { &[] };
        let replaced = |(name, _): &(&str, &str)| citus.iter().any(|(citus, _)| citus == name);
        COMMON.iter().chain(own).filter(|setting| !replaced(setting)).chain(citus).copied().collect()
    }

    /// The settings for one transaction.
    fn of_a_transaction(self) -> String {
        self.settings(Sessions::Shared).iter().map(|(name, value)| format!("SET LOCAL {name} = '{value}'; ")).collect()
    }
}

/// Whether a connection has a session of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Sessions {
    /// What is set, stays.
    Own,
    /// A pooler in transaction mode hands sessions to whoever begins a transaction next: nothing is set but for the one
    /// that is open, nothing is listened to, and every statement that needs settings has a transaction.
    Shared,
    /// A session of its own at a node of a Citus cluster. It hands a request on to other nodes whole, so a request is one
    /// command.
    OfACluster,
}

/// How a transaction begins: what begins it, and a setting that is made in it last.
pub(in crate::store) type Beginning = (&'static str, (&'static str, &'static str));

/// Why a database is refused: a sentence after its name.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Broken(#[from] sqlx::Error),
    #[error(
        "must be a database in UTF8 and is one in {0}: make it anew with createdb --template=template0 --encoding=UTF8"
    )]
    Encoding(String),
    #[error(
        "must be a PostgreSQL that keeps what it acknowledges, and {0} is off: a crash of its machine would lose or damage \
         events that callers were told are recorded. Set it on, or allow this with LEDGERLINE_ALLOW_UNSAFE_DURABILITY=true"
    )]
    Unsafe(String),
    #[error(
        "must let this service set what its sessions are like, and {setting} was set to {wanted} but is {found}: a pooler \
         between this service and PostgreSQL changes or drops settings. Use its session mode, or PostgreSQL's own address"
    )]
    NotSet { setting: &'static str, wanted: &'static str, found: String },
    #[error(
        "must give each connection a session of its own, or keep prepared statements apart: a pooler in transaction mode (or \
         in statement mode) is between this service and PostgreSQL, and mixes them. Use its session mode, a PgBouncer of \
         version 1.21 or newer with max_prepared_statements set, or PostgreSQL's own address"
    )]
    Mixed,
    #[error(
        "must be a cluster's coordinator without a pooler in transaction mode before it: what a transaction is set to would \
         reach the other nodes in a form that they refuse. Use the pooler's session mode, or the coordinator's own address"
    )]
    SharedCluster,
    #[error(
        "must be a server that takes writes, and this one only reads: it is a replica, or default_transaction_read_only is \
         on. Name the primary, or several hosts with target_session_attrs=read-write"
    )]
    ReadOnly,
}

/// How long a connection is unused before it is asked whether it is still there.
const IDLE: Duration = Duration::from_secs(10);

/// A database that was found to be one that the service can work with.
pub(in crate::store) struct Checked {
    address: Arc<Address>,
    sessions: Sessions,
    /// What is known of its nodes, where it is one of a Citus cluster.
    nodes: Option<Arc<Nodes>>,
}

impl Checked {
    /// Whether it is a node of a Citus cluster.
    pub fn is_of_a_cluster(&self) -> bool {
        self.nodes.is_some()
    }
}

/// A pool of connections, each of which is made ready before its first use.
#[derive(Clone)]
pub(in crate::store) struct Pool {
    connections: DatabaseConnection,
    address: Arc<Address>,
    /// How many connections were opened.
    opened: Arc<AtomicU64>,
    sessions: Sessions,
    /// Settings that every transaction begins with; none where sessions keep them.
    of_a_transaction: Arc<str>,
    nodes: Option<Arc<Nodes>>,
}

impl Pool {
    /// Connections that are opened when they are needed; the first one is, at once.
    async fn open(checked: &Checked, most: u32, purpose: Purpose, durability: Durability) -> Result<Self> {
        let (address, sessions) = (checked.address.clone(), checked.sessions);
        let options = address.options().await.map_err(|error| error::from(error::of_sqlx(error)))?;
        let pool = PgPoolOptions::new().max_connections(most).acquire_timeout(ACQUIRE).test_before_acquire(false);
        // None is closed for its age: in sqlx 0.9 the task that looks for those may count connections that there are not, and
        // never end (<https://github.com/transact-rs/sqlx/issues/3645>).
        let pool = pool.idle_timeout(None).max_lifetime(None);
        let pool = pool.before_acquire(|connection, used| {
            Box::pin(async move {
                if used.idle_for >= IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        });
        let opened = Arc::new(AtomicU64::new(0));
        let counted = opened.clone();
        let pool = pool.after_connect(move |connection, _| {
            counted.fetch_add(1, Ordering::AcqRel);
            Box::pin(async move {
                // A pooler may be silent, so the caller waits only as long as for any connection.
                let ready = tokio::time::timeout(ACQUIRE, make_ready(connection, purpose, durability, sessions));
                match ready.await {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(Refused::Broken(error))) => Err(error),
                    Ok(Err(refused)) => Err(sqlx::Error::Configuration(refused.into())),
                    Err(_) => Err(sqlx::Error::PoolTimedOut),
                }
            })
        });
        let pool = pool.connect_lazy_with(plain(options));
        let pool = Self {
            connections: SqlxPostgresConnector::from_sqlx_postgres_pool(pool),
            address,
            opened,
            sessions,
            nodes: checked.nodes.clone(),
            of_a_transaction: match sessions {
                Sessions::Own | Sessions::OfACluster => "".into(),
                Sessions::Shared => purpose.of_a_transaction().into(),
            },
        };
        drop(pool.acquire().await.map_err(|error| error::from(error::of_sqlx(error)))?);
        Ok(pool)
    }

    /// How many connections were opened: another one may lead to another server, or to one that was put back.
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::Acquire)
    }

    /// Whether its sessions are shared with others.
    pub fn is_shared(&self) -> bool {
        self.sessions == Sessions::Shared
    }

    /// What is known of the nodes of a cluster.
    pub fn nodes(&self) -> Option<&Arc<Nodes>> {
        self.nodes.as_ref()
    }

    /// The settings that a transaction sets for itself; none where the session has them.
    pub fn of_a_transaction(&self) -> &str {
        &self.of_a_transaction
    }

    /// The statements that begin a transaction.
    pub fn beginning(&self, (begin, (name, value)): Beginning) -> String {
        match self.sessions {
            Sessions::Own | Sessions::Shared => {
                format!("{begin}; {}SET LOCAL {name} = {value}", self.of_a_transaction)
            }
            // `SET LOCAL` is handed on to the nodes with the whole request, `BEGIN` and all.
            Sessions::OfACluster => format!("{begin}; SELECT set_config('{name}', '{value}', true)"),
        }
    }

    /// The connections themselves, for what waits for nobody's turn.
    pub fn connections(&self) -> &DatabaseConnection {
        &self.connections
    }

    /// A connection. One that is opened for it is opened where the address says now, with the password of now.
    pub async fn acquire(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let pool = self.connections.get_postgres_connection_pool();
        if !self.address.changes() {
            return Box::pin(pool.acquire()).await;
        }
        if pool.num_idle() == 0 && pool.size() < pool.options().get_max_connections() {
            Box::pin(self.look_again()).await?;
        }
        match Box::pin(pool.acquire()).await {
            // One that had been idle is gone, and another could not be opened as it had been.
            Err(error) if !matches!(error, sqlx::Error::PoolClosed) => {
                Box::pin(self.look_again()).await?;
                Box::pin(pool.acquire()).await
            }
            acquired => acquired,
        }
    }

    /// Has the next connection opened where the address says now, with the password of now.
    pub async fn look_again(&self) -> Result<(), sqlx::Error> {
        if self.address.changes() {
            let options = plain(self.address.options().await?);
            self.connections.get_postgres_connection_pool().set_connect_options(options);
        }
        Ok(())
    }
}

/// Options without anything that a pooler does not know: what is ours is set afterwards.
fn plain(options: PgConnectOptions) -> PgConnectOptions {
    options.extra_float_digits(None).application_name("ledgerline").disable_statement_logging()
}

/// Refuses a database that the service cannot work with, in words; pools say only that they got no connection. Returns
/// what connections are opened by.
///
/// # Errors
/// `BAD_USER_INPUT` with the reason, `UNAVAILABLE` where it cannot be reached.
pub(in crate::store) async fn check(
    url: &str,
    purpose: Purpose,
    durability: Durability,
    chance: &Chance,
    field: &str,
) -> Result<Checked> {
    let address = Arc::new(Address::read(url)?);
    let opened = async {
        let options = plain(address.options().await?);
        Ok::<_, sqlx::Error>((options.connect().await?, options.connect().await?))
    };
    let checked = async {
        let (mut first, mut second) = match opened.await {
            Err(error) if unreachable::is_of_certificate(&error) => {
                address.build_bridges(chance)?;
                let options = plain(address.options().await?);
                (options.connect().await?, options.connect().await?)
            }
            opened => opened?,
        };
        let sessions = sessions_of(&mut first, &mut second, chance).await?;
        make_ready(&mut first, purpose, durability, sessions).await?;
        // Whether the server hears the farewell does not matter.
        let _ = tokio::join!(first.close(), second.close());
        Ok(sessions)
    };
    match tokio::time::timeout(2 * ACQUIRE + address.patience(), Box::pin(checked)).await {
        Ok(Ok(sessions)) => {
            let nodes = (sessions == Sessions::OfACluster).then(|| Nodes::of_cluster(address.clone()));
            Ok(Checked { address, sessions, nodes })
        }
        Ok(Err(Refused::Broken(error))) => Err(unreachable::told(error, field, &address)),
        Ok(Err(refused)) => Err(Error::bad_input(field, refused.to_string())),
        Err(_) => Err(error::from(error::of_sqlx(sqlx::Error::PoolTimedOut))),
    }
}

/// Small and large statements that are read at once: the server works for other processes, too.
pub(in crate::store) const SLOTS: (usize, usize) = (11, 4);
/// Connections of a pool that reads: one more.
const READERS: u32 = 16;

/// Connections of a pool that writes.
const WRITERS: u32 = 4;

/// Connections that write.
pub(in crate::store) async fn writer(checked: &Checked, durability: Durability) -> Result<Pool> {
    Pool::open(checked, WRITERS, Purpose::Writing, durability).await
}

/// Connections that read, a replica's too.
pub(in crate::store) async fn reader(checked: &Checked) -> Result<Pool> {
    Pool::open(checked, READERS, Purpose::Reading, Durability::Waived).await
}

/// The settings of the server under which acknowledged events can be lost; for the log and `/readyz`.
pub(in crate::store) async fn unsafe_settings(read: &DatabaseConnection) -> Result<Vec<&'static str>> {
    let asked = shown(&OF_THE_SERVER);
    let row = raw_sql(AssertSqlSafe(asked)).fetch_one(read.get_postgres_connection_pool()).await;
    let row = row.map_err(|error| error::from(error::of_sqlx(error)))?;
    let is_off = |place: &usize| row.try_get::<String, _>(*place).is_ok_and(|value| value != "on");
    Ok((0..OF_THE_SERVER.len()).filter(is_off).map(|place| OF_THE_SERVER[place]).collect())
}

/// The error of a server whose settings became unsafe while it was in use.
pub(in crate::store) fn became_unsafe(settings: &[&str]) -> Error {
    Error::Unavailable(Arc::new(Refused::Unsafe(settings.join(" and "))))
}

/// Makes our settings, and asks whether they hold and whether the operator's are safe.
async fn make_ready(
    connection: &mut PgConnection,
    purpose: Purpose,
    durability: Durability,
    sessions: Sessions,
) -> Result<(), Refused> {
    let settings = purpose.settings(sessions);
    // Plain text: what a session is set to comes before what is prepared in it. In a session that others use next, nothing
    // stays of it.
    let set = match sessions {
        Sessions::Own | Sessions::OfACluster => {
            let all: String = settings.iter().map(|(name, value)| format!("SET {name} = '{value}';")).collect();
            all + SINCE_17
        }
        Sessions::Shared => format!("BEGIN ISOLATION LEVEL READ COMMITTED; {}", purpose.of_a_transaction()),
    };
    raw_sql(AssertSqlSafe(set)).execute(&mut *connection).await?;
    let names: Vec<_> = settings.iter().map(|(name, _)| *name).chain(ASKED).chain(OF_THE_SERVER).collect();
    let row = raw_sql(AssertSqlSafe(shown(&names))).fetch_one(&mut *connection).await?;
    let found = (0..names.len()).map(|place| row.try_get::<String, _>(place)).collect::<Result<Vec<_>, _>>()?;
    if sessions == Sessions::Shared {
        raw_sql("ROLLBACK").execute(&mut *connection).await?;
    }
    for ((setting, wanted), found) in settings.iter().zip(&found) {
        if wanted != found {
            return Err(Refused::NotSet { setting, wanted, found: found.clone() });
        }
    }
    let [encoding, read_only, of_the_server @ ..] = &found[settings.len()..] else { return Ok(()) };
    if encoding != "UTF8" {
        return Err(Refused::Encoding(encoding.clone()));
    }
    if purpose == Purpose::Writing && read_only == "on" {
        return Err(Refused::ReadOnly);
    }
    let off: Vec<_> = OF_THE_SERVER.into_iter().zip(of_the_server).filter(|(_, found)| *found != "on").collect();
    if purpose == Purpose::Writing && durability == Durability::Required && !off.is_empty() {
        let names: Vec<_> = off.into_iter().map(|(name, _)| name).collect();
        return Err(Refused::Unsafe(names.join(" and ")));
    }
    Ok(())
}

/// `SELECT` of settings, one row.
fn shown(names: &[&str]) -> String {
    let columns: Vec<_> = names.iter().map(|name| format!("current_setting('{name}')")).collect();
    format!("SELECT {}", columns.join(", "))
}

/// What two connections' sessions are: whether they share them, and whether they lead to a cluster. A pooler in transaction mode hands a session to whoever begins a
/// transaction next. So the second connection sees what the first one has set, or the first one does not find its own
/// setting again.
async fn sessions_of(
    first: &mut PgConnection,
    second: &mut PgConnection,
    chance: &Chance,
) -> Result<Sessions, Refused> {
    let mark = format!("{:016x}", chance.draw());
    let seen = "SELECT coalesce(current_setting('ledgerline.session', true), ''), \
        to_regclass('pg_dist_partition') IS NOT NULL";
    raw_sql(AssertSqlSafe(format!("SET ledgerline.session = '{mark}'"))).execute(&mut *first).await?;
    // A pooler in statement mode refuses transactions altogether.
    raw_sql("BEGIN").execute(&mut *second).await.map_err(mixed)?;
    let row = raw_sql(seen).fetch_one(&mut *second).await?;
    let (by_second, is_cluster): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
    let is_shared = by_second == mark || {
        let by_first: String = raw_sql(seen).fetch_one(&mut *first).await?.try_get(0)?;
        by_first != mark
    };
    raw_sql("ROLLBACK").execute(&mut *second).await?;
    if !is_shared {
        return Ok(if is_cluster { Sessions::OfACluster } else { Sessions::Own });
    }
    if is_cluster {
        return Err(Refused::SharedCluster);
    }
    // Both call their first statement by the same name.
    for _ in 0..2 {
        let (one, two) = (sqlx::query_scalar::<_, i32>("SELECT 1"), sqlx::query_scalar::<_, i32>("SELECT 2"));
        let found =
            (one.fetch_one(&mut *first).await.map_err(mixed)?, two.fetch_one(&mut *second).await.map_err(mixed)?);
        if found != (1, 2) {
            return Err(Refused::Mixed);
        }
    }
    Ok(Sessions::Shared)
}

/// What a pooler says of what it does not carry.
fn mixed(error: sqlx::Error) -> Refused {
    match error {
        sqlx::Error::Database(_) => Refused::Mixed,
        lost => Refused::Broken(lost),
    }
}
