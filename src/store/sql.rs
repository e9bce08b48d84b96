//! A statement as it is put together: text with `?` for each place, and the values in the same order.
//! PostgreSQL is given `$1`, `$2`, …; SQLite keeps `?`, since it looks named places up one by one: thousands of
//! them in an insert of many rows would cost the square of their number.

use sea_orm::{DbBackend, Statement, Value};

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

    /// Adds `(…), (…)`, a tuple of places a row.
    pub fn rows<const N: usize>(self, rows: impl IntoIterator<Item = [Value; N]>) -> Self {
        self.tuples(rows, None)
    }

    /// The same with the last place of every row cast to a type that has no Rust value.
    pub fn rows_cast_last<const N: usize>(self, rows: impl IntoIterator<Item = [Value; N]>, last: &str) -> Self {
        self.tuples(rows, Some(last))
    }

    fn tuples<const N: usize>(mut self, rows: impl IntoIterator<Item = [Value; N]>, cast_last: Option<&str>) -> Self {
        let mut first = true;
        for row in rows {
            self.text.push_str(if first { "(" } else { ", (" });
            first = false;
            for (i, value) in row.into_iter().enumerate() {
                if i > 0 {
                    self.text.push_str(", ");
                }
                self.push(value);
            }
            if let Some(kind) = cast_last {
                self.text.push_str("::text::");
                self.text.push_str(kind);
            }
            self.text.push(')');
        }
        self
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
