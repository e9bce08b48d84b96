//! The statements: how the two databases are spoken to, and each difference between them with its reason. What only one
//! of them needs done lies in `postgres/` and `sqlite/`.

mod reading;
mod recording;
pub mod sql;

use sea_orm::DbBackend;

use crate::error::{Error, Result};
use sql::Sql;

/// Bits of the sequence inside SQLite's clustered event key.
pub const SEQUENCE_BITS: u32 = 36;

/// The document of SQLite's search index at a position. Time runs backwards there: FTS5 goes through a list of matches
/// forwards at a fraction of what backwards costs it, and nearly every list asks for the newest first.
pub(in crate::store) fn search_rowid(position: i64) -> i64 {
    !position
}

/// The field that a URL that is none is named by: it may come from a setting or from an option.
pub const URL: &str = "database URL";

/// How a database is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// One file, one process.
    Sqlite,
    /// A server.
    Postgres,
}

impl Dialect {
    /// Which database a URL is of.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for another one.
    pub fn of(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            Ok(Self::Sqlite)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres)
        } else {
            Err(Error::bad_input(URL, "must begin with sqlite:, postgres:// or postgresql://"))
        }
    }

    /// The same for SeaORM.
    pub fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
        }
    }

    /// Writes something of at least so many bytes: fails on a full disk and on a read-only file. SQLite writes no page
    /// whose content stays the same, so what is written there is new each time.
    pub fn write_probe(self, bytes: usize) -> String {
        match self {
            Self::Sqlite => format!(
                "INSERT INTO write_probe (no, filler) VALUES (0, randomblob({})) \
                 ON CONFLICT (no) DO UPDATE SET filler = excluded.filler",
                bytes.max(16)
            ),
            Self::Postgres => "UPDATE organization_head SET size = size \
                WHERE organization_no = (SELECT min(organization_no) FROM organization_head)"
                .to_owned(),
        }
    }

    /// Locks the heads `h`: on PostgreSQL several processes record; SQLite's BEGIN IMMEDIATE has locked all.
    pub fn for_update_of_head(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE OF h",
        }
    }

    /// A number that tells one list of partitions from another, whose names say what they hold; SQLite has none.
    pub fn partitions_mark(self) -> &'static str {
        match self {
            Self::Sqlite => "0",
            Self::Postgres => "(SELECT coalesce(bit_xor(hashtextextended(name, 0)), 0) FROM event_partition)",
        }
    }
}

/// Parts of statements.
impl Dialect {
    /// Joins the event, as `e`, that another table's organization and sequence point to.
    pub fn join_event(self, other: &str) -> String {
        match self {
            Self::Sqlite => {
                format!(
                    " CROSS JOIN event e ON e.key = ({other}.organization_no << {SEQUENCE_BITS}) | {other}.sequence"
                )
            }
            // The partition is known by the position alone.
            Self::Postgres if other == "o" => self.join_one("event", "e", &["organization_no", "position"], "o"),
            Self::Postgres => {
                let order = self.join_one("event_order", "o", &["organization_no", "sequence"], other);
                order + &self.join_event("o")
            }
        }
    }

    /// Joins the one row of a table whose key columns another's are: row by row, through the key's index. PostgreSQL,
    /// which plans once for any number of rows, would rather read the whole table.
    pub fn join_one(self, table: &str, alias: &str, key: &[&str], other: &str) -> String {
        let equal = |from: &str| {
            key.iter().map(|column| format!("{from}.{column} = {other}.{column}")).collect::<Vec<_>>().join(" AND ")
        };
        match self {
            Self::Sqlite => format!(" CROSS JOIN {table} {alias} ON {}", equal(alias)),
            Self::Postgres => {
                format!(" CROSS JOIN LATERAL (SELECT * FROM {table} WHERE {} OFFSET 0) {alias}", equal(table))
            }
        }
    }

    /// Adds a test whether a column contains a text; every character of it is a plain one.
    pub fn contains(self, column: &str, sql: Sql, part: &str) -> Sql {
        match self {
            Self::Sqlite => sql.text(&format!("instr({column}, ")).bind(part).text(") > 0"),
            Self::Postgres => sql.text("position(").bind(part).text(&format!(" IN {column}) > 0")),
        }
    }
}
