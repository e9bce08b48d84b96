//! A statement as it is put together: text with `$n` places (both databases read them) and its values.

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
    pub fn push(&mut self, value: impl Into<Value>) {
        self.values.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
    }

    /// Adds text and then a place with its value.
    pub fn with(self, text: &str, value: impl Into<Value>) -> Self {
        self.text(text).bind(value)
    }

    /// Adds another statement, its places renumbered.
    pub fn append(mut self, other: Self) -> Self {
        let shift = self.values.len();
        let mut rest = other.text.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            self.text.push_str(before);
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let number: usize = after[..digits].parse().expect("a place has a number");
            self.text.push_str(&format!("${}", number + shift));
            rest = &after[digits..];
        }
        self.text.push_str(rest);
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
        Statement::from_sql_and_values(backend, self.text, self.values)
    }
}
