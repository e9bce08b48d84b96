//! The statements of recording.

use sea_orm::Value;

use super::{Dialect, SEQUENCE_BITS, search_rowid, sql::hex};
use crate::{
    event::{Position, hash::Hash, terms},
    store::{
        dialect::sql::Sql,
        tables::{COLUMNS, EVENT},
    },
};

impl Dialect {
    /// `INSERT INTO event (…) `, without rows.
    pub fn insert_events(self) -> Sql {
        let rest = EVENT.rest.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        match self {
            Self::Sqlite => Sql::new(&format!("INSERT INTO event (key, {rest}) ")),
            Self::Postgres | Self::Citus => {
                Sql::new(&format!("INSERT INTO event (organization_no, sequence, {rest}, terms) "))
            }
        }
    }

    /// The values of an event's key columns.
    pub fn key_values(self, organization_no: i64, sequence: i64) -> Vec<Value> {
        match self {
            Self::Sqlite => vec![((organization_no << SEQUENCE_BITS) | sequence).into()],
            Self::Postgres | Self::Citus => vec![organization_no.into(), sequence.into()],
        }
    }

    /// Organizations by product and external id: `no`, `product`, `external_id`.
    pub fn organizations_named(self, names: impl IntoIterator<Item = [Value; 2]>) -> Sql {
        Sql::new("WITH asked (product, external_id) AS (")
            .table(self, names)
            .text(") SELECT o.no, o.product, o.external_id FROM asked a")
            .text(&self.join_one("organization", "o", &["product", "external_id"], "a"))
    }

    /// What was recorded under idempotency keys, given by organization and hash: `organization_no`, `key_hash`,
    /// `content_hash`, `sequence`, `salt`. On a cluster, the keys MUST be of one organization.
    pub fn events_of_keys(self, keys: &[(i64, &Hash)]) -> Sql {
        let columns = "SELECT i.organization_no, i.key_hash, i.content_hash, i.sequence, e.salt, e.log_no FROM ";
        let rows = keys.iter().map(|(no, hash)| [Value::from(*no), hash.to_vec().into()]);
        match (self, keys) {
            (Self::Citus, &[(no, _), ..]) => {
                let hashes = keys.iter().map(|(_, hash)| format!("\"\\\\x{}\"", hex(&hash[..])));
                let hashes = format!("{{{}}}", hashes.collect::<Vec<_>>().join(","));
                let sql = Sql::new(columns).text("(SELECT * FROM idempotency");
                let sql = sql.with(" WHERE organization_no = ", no).with(" AND key_hash = ANY (CAST(", hashes);
                self.join_event(sql.text(" AS bytea[]))) i"), "i", Some(no))
            }
            _ => {
                let sql = Sql::new("WITH asked (organization_no, key_hash) AS (").table(self, rows).text(") ");
                let sql = sql.text(columns).text("asked a");
                let sql = sql.text(&self.join_one("idempotency", "i", &["organization_no", "key_hash"], "a"));
                self.join_event(sql, "i", None)
            }
        }
    }

    /// The last position that is taken of blocks, given by organization and first position: `organization_no`, `block`,
    /// `last`. On a cluster, the blocks MUST be of one organization.
    pub fn last_places(self, blocks: &[(i64, i64)]) -> Sql {
        let rows = blocks.iter().map(|(no, block)| [Value::from(*no), (*block).into()]);
        let table = match (self, blocks) {
            (Self::Citus, &[(no, _), ..]) => {
                return Sql::new("SELECT a.organization_no, a.block, p.last FROM (")
                    .table(self, rows)
                    .text(") a (organization_no, block) CROSS JOIN LATERAL (SELECT max(position) AS last FROM event")
                    .with(" WHERE organization_no = ", no)
                    .text(&format!(
                        " AND position >= a.block AND position < a.block + {} OFFSET 0) p",
                        Position::BLOCK
                    ));
            }
            (Self::Sqlite, _) => "event_order",
            (Self::Postgres | Self::Citus, _) => "event",
        };
        Sql::new("WITH asked (organization_no, block) AS (").table(self, rows).text(&format!(
            ") SELECT a.organization_no, a.block, (SELECT max(o.position) FROM {table} o \
             WHERE o.organization_no = a.organization_no AND o.position >= a.block AND o.position < a.block + {}) AS last \
             FROM asked a",
            Position::BLOCK
        ))
    }

    /// The last position of an organization from a position on, as `n`, which is null where there is none.
    pub fn last_position_from(self, organization_no: i64, position: i64) -> Sql {
        Sql::new("SELECT max(position) AS n FROM event WHERE organization_no = ")
            .bind(organization_no)
            .with(" AND position >= ", position)
    }

    /// Adds an event's terms to a text as its index takes them: a document of FTS5, or the text of a tsvector.
    pub fn write_terms(
        self,
        text: &mut String,
        organization_no: i64,
        terms: impl IntoIterator<Item = impl AsRef<str>>,
    ) {
        let prefix = terms::organization_prefix(organization_no);
        let (open, close) = if self != Self::Sqlite { ("'", "' ") } else { ("", " ") };
        for term in terms {
            text.extend([open, &prefix, term.as_ref(), close]);
        }
    }

    /// What a transaction has to say before it [replaces terms](Self::replace_terms): PostgreSQL's triggers let it then.
    pub fn before_replacing_terms(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres | Self::Citus => Some("SET LOCAL ledgerline.reindex = 'on'"),
        }
    }

    /// Gives events of an organization, by position, new terms. In SQLite's index, which has no rows to change, they
    /// count beside those that are there.
    pub fn replace_terms(self, organization_no: i64, version: i16, rows: Vec<(i64, String)>) -> Sql {
        match self {
            Self::Sqlite => {
                let rows = rows.into_iter().map(|(position, terms)| [search_rowid(position).into(), terms.into()]);
                Sql::new("INSERT INTO event_search (rowid, terms) ").table(self, rows)
            }
            Self::Postgres | Self::Citus => {
                let positions: Vec<i64> = rows.iter().map(|(position, _)| *position).collect();
                let rows = rows.into_iter().map(|(position, terms)| [position.into(), terms.into()]);
                let sql = Sql::new("UPDATE event e SET terms = n.c1, terms_version = ").bind(version).text(" FROM (");
                let sql = sql.table_of(self, rows, Some("tsvector")).text(") n WHERE e.position = n.c0");
                // By the key, however the planner would join: it may take the whole organization to be a few rows.
                self.one_of(
                    sql.with(" AND e.organization_no = ", organization_no).text(" AND "),
                    "e.position",
                    positions.into_iter(),
                )
            }
        }
    }

    /// The larger of two columns: SQLite's `max` of two is PostgreSQL's `greatest`.
    pub fn greatest(self, a: &str, b: &str) -> String {
        match self {
            Self::Sqlite => format!("max({a}, {b})"),
            Self::Postgres | Self::Citus => format!("greatest({a}, {b})"),
        }
    }

    /// `SELECT` of whole events by their sequences.
    pub fn events_of_sequences(self, organization_no: i64, sequences: &[i64]) -> Sql {
        let start = Sql::new("SELECT ").text(&COLUMNS);
        match self {
            Self::Sqlite => {
                let keys = sequences.iter().map(|sequence| (organization_no << SEQUENCE_BITS) | sequence);
                self.one_of(start.text(" FROM event e WHERE "), "e.key", keys)
            }
            Self::Postgres | Self::Citus => {
                let sql = self.join_event(start.text(" FROM event_order o"), "o", Some(organization_no));
                let sql = sql.with(" WHERE o.organization_no = ", organization_no).text(" AND ");
                self.one_of(sql, "o.sequence", sequences.iter().copied())
            }
        }
    }

    /// Adds a test whether a head is one of some organizations'. A cluster finds their nodes by numbers in the text alone.
    pub fn one_of_heads(self, sql: Sql, numbers: impl Iterator<Item = i64>) -> Sql {
        match self {
            Self::Sqlite | Self::Postgres => self.one_of(sql, "organization_no", numbers),
            Self::Citus => {
                let numbers: Vec<_> = numbers.map(|no| no.to_string()).collect();
                sql.text(&format!("organization_no IN ({})", numbers.join(", ")))
            }
        }
    }

    /// Adds a test whether a column holds one of some numbers; on PostgreSQL the same text for any number of them.
    pub fn one_of(self, sql: Sql, column: &str, numbers: impl Iterator<Item = i64>) -> Sql {
        match self {
            Self::Sqlite => {
                let place = |sql: Sql, (at, n)| sql.with(if at > 0 { ", " } else { " IN (" }, n);
                numbers.enumerate().fold(sql.text(column), place).text(")")
            }
            Self::Postgres | Self::Citus => {
                let numbers: Vec<_> = numbers.map(|n| n.to_string()).collect();
                sql.with(&format!("{column} = ANY (CAST("), format!("{{{}}}", numbers.join(","))).text(" AS bigint[]))")
            }
        }
    }
}
