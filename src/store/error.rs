//! From what a database says to what a caller can do about it.

use std::{borrow::Cow, sync::Arc};

use sea_orm::{DbErr, RuntimeErr};

use crate::error::Error;

/// The service's error for a database error.
pub fn from(error: DbErr) -> Error {
    if is_timeout(&error) {
        return Error::TimedOut;
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

/// PostgreSQL cancelled the statement at its time limit.
fn is_timeout(error: &DbErr) -> bool {
    database_code(error).is_some_and(|code| code == "57014")
}

fn is_unavailable(error: &DbErr) -> bool {
    if let Some(code) = database_code(error) {
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
