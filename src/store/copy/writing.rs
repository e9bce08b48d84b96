//! Writing many rows: `COPY` on PostgreSQL, inserts of many rows on SQLite.

use std::fmt::Write;

use sea_orm::{ConnectionTrait, Value};

use super::rows::Cells;
use crate::{
    error::Result,
    store::{
        Store,
        connection::transaction::Transaction,
        dialect::{Dialect, sql::Sql},
        error,
    },
};

/// Places of one statement of SQLite, below its limit.
const PLACES: usize = 16_000;
/// Bytes that are sent to PostgreSQL at once.
const PIECE: usize = 1 << 18;

/// A transaction that rows are written in.
pub struct Writing {
    tx: Transaction,
    dialect: Dialect,
}

impl Writing {
    pub async fn begin(store: &Store) -> Result<Self> {
        Ok(Self { tx: store.write.begin().await?, dialect: store.dialect })
    }

    pub async fn insert(&mut self, table: &str, columns: &[&str], rows: Vec<Cells>) -> Result<()> {
        let columns = columns.join(", ");
        if self.dialect != Dialect::Sqlite {
            let copy = format!("COPY {table} ({columns}) FROM STDIN");
            return self.tx.copy_in(&copy, pieces(&rows)).await.map_err(error::from);
        }
        let mut rows = rows.into_iter().peekable();
        while let Some(row) = rows.peek() {
            let at_once = PLACES / row.len();
            let places = format!("({}?)", "?, ".repeat(row.len() - 1));
            let mut sql = Sql::new(&format!("INSERT INTO {table} ({columns}) VALUES "));
            for (at, row) in rows.by_ref().take(at_once).enumerate() {
                sql = sql.text(if at > 0 { ", " } else { "" }).places(&places, row);
            }
            self.tx.execute_raw(sql.on(Dialect::Sqlite.backend())).await.map_err(error::from)?;
        }
        Ok(())
    }

    /// Runs a statement without places.
    pub async fn execute(&mut self, sql: String) -> Result<()> {
        self.tx.execute_unprepared(&sql).await.map_err(error::from)?;
        Ok(())
    }

    pub async fn commit(self) -> Result<()> {
        self.tx.commit().await
    }
}

/// Rows in the text format of `COPY`, as much as is sent at once.
fn pieces(rows: &[Cells]) -> impl Iterator<Item = String> {
    let mut rows = rows.iter();
    std::iter::from_fn(move || {
        let mut text = String::with_capacity(PIECE * 2);
        for row in rows.by_ref() {
            write_line(&mut text, row);
            if text.len() >= PIECE {
                break;
            }
        }
        (!text.is_empty()).then_some(text)
    })
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
                for byte in &**bytes {
                    let _ = write!(out, "{byte:02x}");
                }
            }
            _ => out.push_str("\\N"),
        }
    }
    out.push('\n');
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
