//! Writing many rows: `COPY` on PostgreSQL, inserts of many rows on SQLite.

use std::{fmt::Write, sync::Arc};

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, RuntimeErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait, Value,
};
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use super::table::Cells;
use crate::{
    error::Result,
    store::{Store, dialect::Dialect, error, sql::Sql},
};

/// Places of one statement of SQLite, below its limit.
const PLACES: usize = 16_000;
/// Bytes that are sent to PostgreSQL at once.
const PIECE: usize = 1 << 18;

/// A transaction that rows are written in.
pub enum Writing {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(DatabaseTransaction),
}

impl Writing {
    pub async fn begin(store: &Store) -> Result<Self> {
        Ok(match store.dialect {
            Dialect::Postgres => {
                Self::Postgres(store.write.get_postgres_connection_pool().begin().await.map_err(of_sqlx)?)
            }
            Dialect::Sqlite => {
                let options = TransactionOptions {
                    sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                    ..Default::default()
                };
                Self::Sqlite(store.write.begin_with_options(options).await.map_err(error::from)?)
            }
        })
    }

    pub async fn insert(&mut self, table: &str, columns: &[&str], rows: Vec<Cells>) -> Result<()> {
        let columns = columns.join(", ");
        match self {
            Self::Postgres(tx) => copy_in(tx, &format!("COPY {table} ({columns}) FROM STDIN"), &rows).await,
            Self::Sqlite(tx) => {
                let mut rows = rows.into_iter().peekable();
                while let Some(row) = rows.peek() {
                    let at_once = PLACES / row.len();
                    let places = format!("({}?)", "?, ".repeat(row.len() - 1));
                    let mut sql = Sql::new(&format!("INSERT INTO {table} ({columns}) VALUES "));
                    for (at, row) in rows.by_ref().take(at_once).enumerate() {
                        sql = sql.text(if at > 0 { ", " } else { "" }).places(&places, row);
                    }
                    tx.execute_raw(sql.on(Dialect::Sqlite.backend())).await.map_err(error::from)?;
                }
                Ok(())
            }
        }
    }

    /// Runs a statement without places.
    pub async fn execute(&mut self, sql: String) -> Result<()> {
        match self {
            Self::Postgres(tx) => {
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut **tx).await.map_err(of_sqlx)?;
            }
            Self::Sqlite(tx) => {
                tx.execute_unprepared(&sql).await.map_err(error::from)?;
            }
        }
        Ok(())
    }

    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Postgres(tx) => tx.commit().await.map_err(of_sqlx),
            Self::Sqlite(tx) => tx.commit().await.map_err(error::from),
        }
    }
}

async fn copy_in(tx: &mut Transaction<'static, Postgres>, statement: &str, rows: &[Cells]) -> Result<()> {
    let mut copy = tx.copy_in_raw(statement).await.map_err(of_sqlx)?;
    let mut text = String::with_capacity(PIECE * 2);
    for row in rows {
        write_line(&mut text, row);
        if text.len() >= PIECE {
            copy.send(text.as_bytes()).await.map_err(of_sqlx)?;
            text.clear();
        }
    }
    copy.send(text.as_bytes()).await.map_err(of_sqlx)?;
    copy.finish().await.map_err(of_sqlx)?;
    Ok(())
}

/// Adds a row in the text format of `COPY`.
fn write_line(out: &mut String, row: &Cells) {
    for (at, value) in row.iter().enumerate() {
        if at > 0 {
            out.push('\t');
        }
        // Writing to a string cannot fail.
        match value {
            Value::BigInt(Some(number)) => drop(write!(out, "{number}")),
            Value::String(Some(text)) => {
                for c in text.chars() {
                    match c {
                        '\\' => out.push_str("\\\\"),
                        '\n' => out.push_str("\\n"),
                        '\r' => out.push_str("\\r"),
                        '\t' => out.push_str("\\t"),
                        c => out.push(c),
                    }
                }
            }
            Value::Bytes(Some(bytes)) => {
                out.push_str("\\\\x");
                for byte in bytes.iter() {
                    let _ = write!(out, "{byte:02x}");
                }
            }
            _ => out.push_str("\\N"),
        }
    }
    out.push('\n');
}

fn of_sqlx(error: sqlx::Error) -> crate::error::Error {
    error::from(DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_what_would_end_it() {
        let mut line = String::new();
        let none: Option<String> = None;
        write_line(&mut line, &vec![Value::from(-7_i64), "a\tb\nc\\N\r".into(), vec![0_u8, 255].into(), none.into()]);
        assert_eq!(line, "-7\ta\\tb\\nc\\\\N\\r\t\\\\x00ff\t\\N\n");
    }
}
