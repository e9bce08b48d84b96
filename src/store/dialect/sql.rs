//! A statement as it is put together: text with `?` for each place, and the values in the same order.
//! PostgreSQL is given `$1`, `$2`, …; SQLite keeps `?`, since it looks named places up one by one: thousands of
//! them in an insert of many rows would cost the square of their number.

use sea_orm::{DbBackend, Statement, Value};

use super::{Dialect, MANY};

/// SQL text and the values of its places.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// Starts a statement.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Adds text. MUST be ours, never a caller's.
    pub fn text(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Adds a place and its value.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.push(value);
        self
    }

    /// Adds a place and its value.
    fn push(&mut self, value: impl Into<Value>) {
        self.values.push(value.into());
        self.text.push('?');
    }

    /// Adds text and then a place with its value.
    pub fn with(self, text: &str, value: impl Into<Value>) -> Self {
        self.text(text).bind(value)
    }

    /// Adds text that has a place for each value.
    pub fn places(mut self, text: &str, values: Vec<Value>) -> Self {
        self.text.push_str(text);
        self.values.extend(values);
        self
    }

    /// Adds another statement.
    pub fn append(mut self, other: Self) -> Self {
        self.text.push_str(&other.text);
        self.values.extend(other.values);
        self
    }

    /// Adds a table of rows, for an `INSERT` or a `WITH`: `VALUES (…), (…)` on SQLite. On PostgreSQL one place holds all
    /// rows as JSON, so that a statement has the same text for any number of rows and is parsed and planned once.
    pub fn table<const N: usize>(self, dialect: Dialect, rows: impl IntoIterator<Item = [Value; N]>) -> Self {
        self.table_of(dialect, rows, None)
    }

    /// Adds rows to an `INSERT`: as [`Self::table`] does, and on a cluster `VALUES`. From JSON, each row of a statement with
    /// a conflict would go to a file on every node first.
    pub fn inserted<const N: usize>(
        self,
        dialect: Dialect,
        rows: impl IntoIterator<Item = [Value; N]>,
        last: Option<&'static str>,
    ) -> Self {
        match dialect {
            Dialect::Sqlite | Dialect::Postgres => self.table_of(dialect, rows, last),
            Dialect::Citus => self.tuples(rows, last),
        }
    }

    /// Adds rows to an `INSERT` that meets no other row. On a cluster, [many](MANY) of one organization are read from JSON, and
    /// its node has them by a `COPY`; each value of `VALUES` would be planned.
    pub fn added<const N: usize>(
        self,
        dialect: Dialect,
        rows: impl IntoIterator<Item = [Value; N]>,
        last: Option<&'static str>,
    ) -> Self {
        match dialect {
            Dialect::Sqlite | Dialect::Postgres => self.table_of(dialect, rows, last),
            Dialect::Citus => {
                let rows: Vec<_> = rows.into_iter().collect();
                let is_stream = rows.len() >= MANY && rows.iter().all(|row| row[0] == rows[0][0]);
                if is_stream { self.table_of(dialect, rows, last) } else { self.tuples(rows, last) }
            }
        }
    }

    /// [`Self::table`] with the last column of a type that has no Rust value.
    pub fn table_of<const N: usize>(
        self,
        dialect: Dialect,
        rows: impl IntoIterator<Item = [Value; N]>,
        last: Option<&'static str>,
    ) -> Self {
        match dialect {
            Dialect::Sqlite => self.tuples(rows, None),
            Dialect::Postgres | Dialect::Citus => self.records(rows, last),
        }
    }

    fn tuples<const N: usize>(mut self, rows: impl IntoIterator<Item = [Value; N]>, last: Option<&str>) -> Self {
        for (at, row) in rows.into_iter().enumerate() {
            self.text.push_str(if at == 0 { "VALUES (" } else { ", (" });
            for (i, value) in row.into_iter().enumerate() {
                if i > 0 {
                    self.text.push_str(", ");
                }
                self.push(value);
                if let Some(kind) = last.filter(|_| i == N - 1) {
                    self.text.push_str("::");
                    self.text.push_str(kind);
                }
            }
            self.text.push(')');
        }
        self
    }

    fn records<const N: usize>(self, rows: impl IntoIterator<Item = [Value; N]>, last: Option<&str>) -> Self {
        let (mut json, mut columns) = (String::from("["), String::new());
        for (at, row) in rows.into_iter().enumerate() {
            json.push_str(if at == 0 { "{" } else { ",{" });
            for (i, value) in row.iter().enumerate() {
                let (kind, text) = cell(value);
                let comma = if i > 0 { "," } else { "" };
                if at == 0 {
                    let kind = last.filter(|_| i == N - 1).unwrap_or(kind);
                    columns.push_str(&format!("{comma} c{i} {kind}"));
                }
                json.push_str(&format!("{comma}\"c{i}\":{text}"));
            }
            json.push('}');
        }
        json.push(']');
        self.with("SELECT * FROM json_to_recordset(CAST(", json).text(&format!(" AS json)) AS r ({columns})"))
    }

    /// The statement for a database.
    pub fn on(self, backend: DbBackend) -> Statement {
        let text = match backend {
            DbBackend::Postgres => numbered(&self.text),
            _ => self.text,
        };
        Statement::from_sql_and_values(backend, text, self.values)
    }
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// PostgreSQL's type of a value, and the value in JSON.
fn cell(value: &Value) -> (&'static str, String) {
    let or_null = |text: Option<String>| text.unwrap_or_else(|| "null".to_owned());
    match value {
        Value::BigInt(n) => ("bigint", or_null(n.map(|n| n.to_string()))),
        Value::SmallInt(n) => ("smallint", or_null(n.map(|n| n.to_string()))),
        Value::String(text) => {
            ("text", or_null(text.as_ref().map(|text| serde_json::Value::from(text.as_str()).to_string())))
        }
        Value::Bytes(bytes) => ("bytea", or_null(bytes.as_ref().map(|bytes| format!("\"\\\\x{}\"", hex(bytes))))),
        other => unreachable!("rows hold numbers, texts and bytes, not {other:?}"),
    }
}

/// A text with its places numbered from 1. Callers' text is never in it, so every `?` is a place.
fn numbered(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for (number, part) in text.split('?').enumerate() {
        if number > 0 {
            out.push('$');
            out.push_str(&number.to_string());
        }
        out.push_str(part);
    }
    out
}
