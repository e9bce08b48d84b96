//! What a session of PostgreSQL has to be. It is set and asked when a connection is opened, not believed: options of the
//! start-up are dropped by poolers without a word, and a server may be told to forget what it has acknowledged.

use std::{sync::Arc, time::Duration};

use sea_orm::{ConnectOptions, DatabaseConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection, PgConnection, Row, postgres::PgConnectOptions, raw_sql};

use crate::{
    chance::Chance,
    error::{Error, Result},
    store::{ACQUIRE, dialect::URL, error},
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
const COMMON: [(&str, &str); 5] = [
    ("client_encoding", "UTF8"),
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
const WRITING: [(&str, &str); 3] = [
    // An acknowledged event survives a crash; group commit pays for it.
    ("synchronous_commit", "on"),
    // Building an index may take hours.
    ("statement_timeout", "0"),
    // The server hears nothing from a process that is out of reach. After this time its locks on heads are free again.
    ("idle_in_transaction_session_timeout", "20s"),
];
/// Lets a transaction be idle that holds a lock while others work.
pub(in crate::store) const MAY_BE_IDLE: &str = "SET LOCAL idle_in_transaction_session_timeout = 0";
/// Settings of the sessions that read.
const READING: [(&str, &str); 1] = [
    // Longest that one reading statement may take.
    ("statement_timeout", "10s"),
];
/// Settings that only the operator of the server can make. Without them, a crash loses or damages acknowledged events.
const OF_THE_SERVER: [&str; 2] = ["fsync", "full_page_writes"];

impl Purpose {
    fn settings(self) -> Vec<(&'static str, &'static str)> {
        let own: &[_] = match self {
            Self::Writing => &WRITING,
            Self::Reading => &READING,
        };
        COMMON.iter().chain(own).copied().collect()
    }
}

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
        "must give each connection a session of its own, and {setting} was set to {wanted} but is {found}: a pooler between \
         this service and PostgreSQL changes or drops settings. Use its session mode, or PostgreSQL's own address"
    )]
    NotSet { setting: &'static str, wanted: &'static str, found: String },
    #[error(
        "must give each connection a session of its own, and two connections share one: a pooler in transaction mode (or in \
         statement mode) is between this service and PostgreSQL. Use its session mode, or PostgreSQL's own address"
    )]
    Shared,
}

/// A pool of connections, each of which is made ready before its first use.
pub(in crate::store) async fn pool(
    url: &str,
    connections: u32,
    purpose: Purpose,
    durability: Durability,
) -> Result<DatabaseConnection> {
    // Where SeaORM cannot read a URL, its error has the whole of it in it, password and all.
    parsed(url)?;
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .sqlx_logging(false)
        .acquire_timeout(ACQUIRE)
        .set_application_name("ledgerline")
        .test_before_acquire_if_idle_for(Duration::from_secs(10))
        .map_sqlx_postgres_opts(plain)
        .map_sqlx_postgres_pool_opts(move |pool| {
            pool.after_connect(move |connection, _| {
                Box::pin(async move {
                    // A pooler may be silent, so the caller waits only as long as for any connection.
                    let ready = tokio::time::timeout(ACQUIRE, make_ready(connection, purpose, durability));
                    match ready.await {
                        Ok(Ok(())) => Ok(()),
                        Ok(Err(Refused::Broken(error))) => Err(error),
                        Ok(Err(refused)) => Err(sqlx::Error::Configuration(refused.into())),
                        Err(_) => Err(sqlx::Error::PoolTimedOut),
                    }
                })
            })
        });
    sea_orm::Database::connect(options).await.map_err(error::from)
}

fn parsed(url: &str) -> Result<PgConnectOptions> {
    let rule = |fault| format!("must be as postgres://USER@HOST:PORT/NAME ({fault})");
    url.parse().map_err(|fault: sqlx::Error| Error::bad_input(URL, rule(fault)))
}

/// Options without anything that a pooler does not know: what is ours is set afterwards.
fn plain(options: PgConnectOptions) -> PgConnectOptions {
    options.extra_float_digits(None)
}

/// Refuses a database that the service cannot work with, in words; pools say only that they got no connection.
///
/// # Errors
/// `BAD_USER_INPUT` with the reason, `UNAVAILABLE` where it cannot be reached.
pub(in crate::store) async fn check(
    url: &str,
    purpose: Purpose,
    durability: Durability,
    chance: &Chance,
    field: &str,
) -> Result<()> {
    let options = plain(parsed(url)?).disable_statement_logging();
    let checked = async {
        let mut first = options.connect().await?;
        make_ready(&mut first, purpose, durability).await?;
        let mut second = options.connect().await?;
        refuse_shared(&mut first, &mut second, chance).await?;
        // Whether the server hears the farewell does not matter.
        let _ = tokio::join!(first.close(), second.close());
        Ok(())
    };
    match tokio::time::timeout(2 * ACQUIRE, checked).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Refused::Broken(error))) => Err(unreachable_database(error, field)),
        Ok(Err(refused)) => Err(Error::bad_input(field, refused.to_string())),
        Err(_) => Err(error::from(error::of_sqlx(sqlx::Error::PoolTimedOut))),
    }
}

/// Small and large statements that are read at once: the server works for other processes, too.
pub(in crate::store) const SLOTS: (usize, usize) = (11, 4);
/// Connections of a pool that reads: one more.
const READERS: u32 = 16;

/// Connections that read, a replica's too.
pub(in crate::store) async fn reader(url: &str) -> Result<DatabaseConnection> {
    pool(url, READERS, Purpose::Reading, Durability::Waived).await
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

fn unreachable_database(error: sqlx::Error, field: &str) -> Error {
    let text = error.to_string();
    if text.contains("startup parameter") {
        let rule = format!(
            "must be reached without start-up parameters that a pooler refuses ({text}): take them out of the URL, or tell \
             PgBouncer to ignore_startup_parameters"
        );
        return Error::bad_input(field, rule);
    }
    error::from(error::of_sqlx(error))
}

/// Makes our settings, and asks whether they hold and whether the operator's are safe.
async fn make_ready(connection: &mut PgConnection, purpose: Purpose, durability: Durability) -> Result<(), Refused> {
    let settings = purpose.settings();
    // Plain text: a pooler that gives each statement another session fails here with a sentence, not later at names of
    // prepared statements.
    let set: String = settings.iter().map(|(name, value)| format!("SET {name} = '{value}';")).collect();
    raw_sql(AssertSqlSafe(set)).execute(&mut *connection).await?;
    let names: Vec<_> =
        settings.iter().map(|(name, _)| *name).chain(["server_encoding"]).chain(OF_THE_SERVER).collect();
    let row = raw_sql(AssertSqlSafe(shown(&names))).fetch_one(&mut *connection).await?;
    let found = (0..names.len()).map(|place| row.try_get::<String, _>(place)).collect::<Result<Vec<_>, _>>()?;
    for ((setting, wanted), found) in settings.iter().zip(&found) {
        if wanted != found {
            return Err(Refused::NotSet { setting, wanted, found: found.clone() });
        }
    }
    let [encoding, of_the_server @ ..] = &found[settings.len()..] else { return Ok(()) };
    if encoding != "UTF8" {
        return Err(Refused::Encoding(encoding.clone()));
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

/// Refuses a pooler in transaction mode. It hands a session to whoever begins a transaction next. So the second connection
/// sees what the first one has set, or the first one does not find its own setting again.
async fn refuse_shared(first: &mut PgConnection, second: &mut PgConnection, chance: &Chance) -> Result<(), Refused> {
    let mark = format!("{:016x}", chance.draw());
    let seen = "SELECT coalesce(current_setting('ledgerline.session', true), '')";
    raw_sql(AssertSqlSafe(format!("SET ledgerline.session = '{mark}'"))).execute(&mut *first).await?;
    // A pooler in statement mode refuses transactions altogether.
    raw_sql("BEGIN").execute(&mut *second).await.map_err(|error| match error {
        sqlx::Error::Database(_) => Refused::Shared,
        lost => Refused::Broken(lost),
    })?;
    let by_second: String = raw_sql(seen).fetch_one(&mut *second).await?.try_get(0)?;
    if by_second == mark {
        return Err(Refused::Shared);
    }
    let by_first: String = raw_sql(seen).fetch_one(&mut *first).await?.try_get(0)?;
    raw_sql("ROLLBACK").execute(&mut *second).await?;
    if by_first == mark { Ok(()) } else { Err(Refused::Shared) }
}
