//! From what a database says to what a caller can do about it.

use std::{borrow::Cow, sync::Arc};

use sea_orm::{DbErr, RuntimeErr};

use crate::error::Error;

/// When a caller is told to try again whose statement found no place to wait.
const RETRY_AFTER_MS: u64 = 500;

/// The service's error for a database error.
pub fn from(error: DbErr) -> Error {
    if is_timeout(&error) {
        return Error::TimedOut;
    }
    if is_full(&error) {
        return Error::Overloaded { retry_after_ms: RETRY_AFTER_MS };
    }
    if is_unavailable(&error) { Error::Unavailable(Arc::new(error)) } else { Error::Internal(Arc::new(error)) }
}

/// SeaORM's error for one of the driver's.
pub fn of_sqlx(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

fn database_code(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(inner))
    | DbErr::Query(RuntimeErr::SqlxError(inner))
    | DbErr::Conn(RuntimeErr::SqlxError(inner))) = error
    else {
        return None;
    };
    inner.as_database_error().and_then(sqlx::error::DatabaseError::code).map(Cow::into_owned)
}

/// A statement that found no place to wait, or waited for too long.
pub fn full(full: Full) -> DbErr {
    of_sqlx(sqlx::Error::Configuration(Box::new(full)))
}

fn is_full(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(inner)) = error else { return false };
    matches!(inner.as_ref(), sqlx::Error::Configuration(cause) if cause.is::<Full>())
}

/// There is no place to wait for a connection that reads, or the wait was too long.
#[derive(Debug, thiserror::Error)]
#[error("more statements of this organization wait to be read than fit")]
pub struct Full;

/// Whether PostgreSQL has no partition for a row that was to be inserted.
pub fn lacks_partition(error: &Error) -> bool {
    let Error::Internal(cause) = error else { return false };
    let code = cause.downcast_ref::<DbErr>().and_then(database_code);
    code.is_some_and(|code| code == "23514")
}

/// Whether another server may answer what this one did not.
pub fn is_given_up(error: &DbErr) -> bool {
    !is_timeout(error) && !is_full(error) && is_unavailable(error)
}

/// Whether PostgreSQL has no table of a name that a statement has.
pub fn lacks_table(error: &DbErr) -> bool {
    database_code(error).is_some_and(|code| code == "42P01")
}

/// PostgreSQL cancelled the statement at its time limit.
pub fn is_timeout(error: &DbErr) -> bool {
    database_code(error).is_some_and(|code| code == "57014")
}

/// What a cluster says where a node went away while it committed. Whether it did is not known, so nobody may try it again
/// for the caller; its code is that of a fault of the server.
const COMMIT_LOST: &str = "could not commit transaction for shard";

fn is_unavailable(error: &DbErr) -> bool {
    if let Some(code) = database_code(error) {
        if code == "XX000" && error.to_string().contains(COMMIT_LOST) {
            return true;
        }
        if code.len() == 5 {
            // SQLSTATE: connection exception, a role or database that is not there (any more), insufficient resources (disk
            // full), operator intervention, system error, read-only transaction, a transaction that was idle or open too
            // long, lock not available, cannot connect now, a database that takes no connections.
            return ["08", "28", "3D", "53", "57", "58"].iter().any(|class| code.starts_with(class))
                || ["25006", "25P03", "25P04", "55000", "55P03", "40001", "40P01"].contains(&code.as_str());
        }
        // SQLite's primary codes: busy, locked, no memory, read-only, interrupted, I/O, corrupt, full, cannot open, locking
        // protocol, no database.
        return code
            .parse::<u32>()
            .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 7 | 8 | 9 | 10 | 11 | 13 | 14 | 15 | 26));
    }
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner)) => matches!(
            inner.as_ref(),
            sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::Tls(_)
        ),
        _ => false,
    }
}
