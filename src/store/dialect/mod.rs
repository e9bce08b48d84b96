//! The statements: how the two databases are spoken to. Where a statement, or a value in it, differs between them, it
//! stands here with the reason.
//!
//! What only one of them needs done lies in `postgres/` and `sqlite/`. Elsewhere the dialect is asked only where the two
//! do the same work in another way: how they are opened, locked and begin a transaction (`connection/`, `schema.rs`, the
//! store's own file), whether terms stand in an event's row or in an index of their own, how long a group may take, and
//! what keeps two processes from one number (`write/`), how rows of a copy are taken in (`copy/`), how a
//! backup is written (`backup.rs`), what is asked organization by organization or node by node of a cluster (`head.rs`,
//! `write/nodes.rs`, `copy/verify.rs`), and how a process learns what others have recorded (`news.rs`). `tests/it/architecture.rs` has the list of those files.

pub mod copying;
pub mod erasing;
mod reading;
mod recording;
mod removing;
pub mod sql;

use std::collections::BTreeMap;

use sea_orm::DbBackend;

use crate::error::{Error, Result};
use sql::Sql;

pub(in crate::store) use reading::without_partitions;

/// Bits of the sequence inside SQLite's clustered event key.
pub const SEQUENCE_BITS: u32 = 36;

/// Rows of one statement; keeps below the smaller of both databases' limits of places.
pub const CHUNK: usize = 500;

/// Rows of one organization from which on a cluster takes them faster as a stream than each as an expression to plan.
pub const MANY: usize = 32;

/// The rowid of a position in SQLite's search index. Time runs backwards there, because nearly every list asks for the
/// newest first, and FTS5 goes through its matches forwards at a fraction of the cost of backwards.
pub(super) fn search_rowid(position: i64) -> i64 {
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
    /// A server with the extension Citus, whose tables are distributed by organization. A statement reaches a table of
    /// organizations through one number that stands beside it: then one node answers it, as one server would.
    Citus,
}

/// Rows by the organization that they are of, in the order of numbers.
fn of_each_organization<T: Copy>(rows: &[T], organization_no: impl Fn(&T) -> i64) -> Vec<Vec<T>> {
    let mut each: BTreeMap<i64, Vec<T>> = BTreeMap::new();
    rows.iter().for_each(|row| each.entry(organization_no(row)).or_default().push(*row));
    each.into_values().collect()
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
            Self::Postgres | Self::Citus => DbBackend::Postgres,
        }
    }

    /// What asks for the plan of the statement that follows it, and the column that the plan stands in.
    #[cfg(feature = "explain")]
    pub(super) fn explaining(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => ("EXPLAIN QUERY PLAN ", "detail"),
            Self::Postgres | Self::Citus => ("EXPLAIN (COSTS OFF) ", "QUERY PLAN"),
        }
    }

    /// Counts tables of a name that statements find, as `found`.
    pub(super) fn has_table(self, name: &str) -> Sql {
        match self {
            Self::Sqlite => {
                Sql::new("SELECT count(*) AS found FROM sqlite_schema WHERE type = 'table' AND name = ").bind(name)
            }
            Self::Postgres | Self::Citus => Sql::new("SELECT count(to_regclass(").bind(name).text(")) AS found"),
        }
    }

    /// A statement that writes at least so many bytes. It fails on a full disk and on a read-only file. SQLite writes no
    /// page whose content stays the same, so the bytes are new each time.
    pub fn write_probe(self, bytes: usize) -> String {
        match self {
            Self::Sqlite => format!(
                "INSERT INTO write_probe (no, filler) VALUES (0, randomblob({})) \
                 ON CONFLICT (no) DO UPDATE SET filler = excluded.filler",
                bytes.max(16)
            ),
            Self::Postgres | Self::Citus => "UPDATE organization_head SET size = size \
                WHERE organization_no = (SELECT min(organization_no) FROM organization_head)"
                .to_owned(),
        }
    }

    /// Locks the heads `h`: on PostgreSQL several processes record; SQLite's BEGIN IMMEDIATE has locked all.
    pub fn for_update_of_head(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres | Self::Citus => " FOR UPDATE OF h",
        }
    }

    /// Cuts rows of organizations into those of one statement each. On a cluster a statement is of one organization.
    pub fn portions<T: Copy>(self, rows: &[T], organization_no: impl Fn(&T) -> i64) -> Vec<Vec<T>> {
        let groups = match self {
            Self::Sqlite | Self::Postgres => vec![rows.to_vec()],
            Self::Citus => of_each_organization(rows, organization_no),
        };
        groups.iter().flat_map(|group| group.chunks(CHUNK).map(<[T]>::to_vec)).collect()
    }

    /// Cuts rows that are inserted and meet no other into those of one statement each. On a cluster, an organization that
    /// has [many](MANY) has statements of its own, which go to its node in one go.
    pub fn insertions<T: Copy>(self, rows: &[T], organization_no: impl Fn(&T) -> i64) -> Vec<Vec<T>> {
        let groups = match self {
            Self::Sqlite | Self::Postgres => vec![rows.to_vec()],
            Self::Citus => {
                let each = of_each_organization(rows, organization_no);
                let (many, few): (Vec<_>, Vec<_>) = each.into_iter().partition(|rows| rows.len() >= MANY);
                many.into_iter().chain([few.concat()]).collect()
            }
        };
        groups.iter().flat_map(|group| group.chunks(CHUNK).map(<[T]>::to_vec)).collect()
    }

    /// A number that tells one list of partitions from another: a hash of their names. SQLite has no partitions.
    pub fn partitions_mark(self) -> &'static str {
        match self {
            Self::Sqlite => "0",
            Self::Postgres | Self::Citus => {
                "(SELECT coalesce(bit_xor(hashtextextended(name, 0)), 0) FROM event_partition)"
            }
        }
    }
}

/// Parts of statements.
impl Dialect {
    /// Adds the join of the event, as `e`, that another table's sequence points to: of an organization, or of the one that
    /// the other table's row is of.
    pub fn join_event(self, sql: Sql, other: &str, organization_no: Option<i64>) -> Sql {
        match self {
            Self::Sqlite => sql.text(&format!(
                " CROSS JOIN event e ON e.key = ({other}.organization_no << {SEQUENCE_BITS}) | {other}.sequence"
            )),
            Self::Postgres | Self::Citus => {
                // The partition is known by the position alone.
                let sql = match other {
                    "o" => sql,
                    _ => join_row(sql, "event_order", "o", "sequence", other, organization_no),
                };
                join_row(sql, "event", "e", "position", "o", organization_no)
            }
        }
    }

    /// Joins the one row of a table that has the other's values in its key columns: row by row, by the index of the key.
    /// PostgreSQL plans once for any number of rows, and would read the whole table otherwise.
    pub fn join_one(self, table: &str, alias: &str, key: &[&str], other: &str) -> String {
        let equal = |from: &str| {
            key.iter().map(|column| format!("{from}.{column} = {other}.{column}")).collect::<Vec<_>>().join(" AND ")
        };
        match self {
            Self::Sqlite => format!(" CROSS JOIN {table} {alias} ON {}", equal(alias)),
            Self::Postgres | Self::Citus => {
                format!(" CROSS JOIN LATERAL (SELECT * FROM {table} WHERE {} OFFSET 0) {alias}", equal(table))
            }
        }
    }

    /// Adds a test whether a column contains a text. No character of the text is a pattern.
    pub fn contains(self, column: &str, sql: Sql, part: &str) -> Sql {
        match self {
            Self::Sqlite => sql.text(&format!("instr({column}, ")).bind(part).text(") > 0"),
            Self::Postgres | Self::Citus => sql.text("position(").bind(part).text(&format!(" IN {column}) > 0")),
        }
    }
}

/// Joins the one row of a table of organizations that has the other's value in a column: row by row, by the index of the
/// key. A cluster sends a statement to one node only where the number itself stands beside each of its tables.
fn join_row(sql: Sql, table: &str, alias: &str, column: &str, other: &str, organization_no: Option<i64>) -> Sql {
    let sql = sql.text(&format!(" CROSS JOIN LATERAL (SELECT * FROM {table} WHERE {table}.organization_no = "));
    let sql = match organization_no {
        Some(no) => sql.bind(no),
        None => sql.text(&format!("{other}.organization_no")),
    };
    sql.text(&format!(" AND {table}.{column} = {other}.{column} OFFSET 0) {alias}"))
}
