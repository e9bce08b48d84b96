//! The statements of copying.

use sea_orm::Value;

use super::{Dialect, SEQUENCE_BITS, sql::Sql};
use crate::store::tables::{EVENT, Table};

/// One organization's rows, of `event` and `idempotency` those from a sequence on.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub organization_no: i64,
    pub since: i64,
}

impl Dialect {
    /// `SELECT` of a table's rows in the order of its key, after a key: all organizations', or a part.
    pub fn rows_after(self, table: &Table, part: Option<Part>, after: Option<&[Value]>) -> Sql {
        let (from, columns, key) = match (self, table.name == EVENT.name) {
            (Self::Sqlite, true) => return events_of_sqlite(part, after),
            (Self::Postgres | Self::Citus, true) => {
                let from = Sql::new("event_order o");
                (self.join_event(from, "o", part.map(|part| part.organization_no)), "e", "o")
            }
            (_, false) => (Sql::new(&format!("{} t", table.name)), "t", "t"),
        };
        let keys: Vec<String> = table.key.iter().map(|(name, _)| format!("{key}.{name}")).collect();
        let mut sql = select(table, columns).text(" FROM ").append(from).text(" WHERE TRUE");
        let mut compared = 0;
        if let Some(part) = part {
            sql = sql.with(&format!(" AND {} = ", keys[0]), part.organization_no);
            // A row comparison that began with the organization would not be a range of the index.
            compared = 1.min(keys.len() - 1);
            if table.columns().any(|(name, _)| name == "sequence") {
                sql = sql.with(&format!(" AND {key}.sequence >= "), part.since);
            }
        }
        if let Some(after) = after {
            sql = sql.text(&format!(" AND ({}) > (", keys[compared..].join(", ")));
            for (at, value) in after[compared..].iter().enumerate() {
                sql = sql.with(if at > 0 { ", " } else { "" }, value.clone());
            }
            sql = sql.text(")");
        }
        sql.text(&format!(" ORDER BY {}", keys.join(", ")))
    }

    /// The last sequence of an organization's events, as `n`.
    pub fn last_sequence(self, organization_no: i64) -> Sql {
        match self {
            Self::Sqlite => Sql::new(&format!("SELECT max(key) & ((1 << {SEQUENCE_BITS}) - 1) AS n FROM event"))
                .with(" WHERE key >= ", organization_no << SEQUENCE_BITS)
                .with(" AND key < ", (organization_no + 1) << SEQUENCE_BITS),
            Self::Postgres | Self::Citus => {
                Sql::new("SELECT max(sequence) AS n FROM event_order WHERE organization_no = ").bind(organization_no)
            }
        }
    }
}

/// SQLite keeps events under one number. An event that is not in the order of time is left out here, so that the
/// comparison finds it missing.
fn events_of_sqlite(part: Option<Part>, after: Option<&[Value]>) -> Sql {
    let key = |organization_no: i64, sequence: i64| (organization_no << SEQUENCE_BITS) | sequence;
    let (mut low, high) = part
        .map_or((0, i64::MAX), |part| (key(part.organization_no, part.since), key(part.organization_no + 1, 0) - 1));
    if let Some([Value::BigInt(Some(organization_no)), Value::BigInt(Some(sequence))]) = after {
        low = key(*organization_no, *sequence) + 1;
    }
    select(&EVENT, "e")
        .text(" FROM event e CROSS JOIN event_order o ON o.organization_no = e.organization_no")
        .text(" AND o.position = e.position AND o.sequence = e.sequence")
        .with(" WHERE e.key >= ", low)
        .with(" AND e.key <= ", high)
        .text(" ORDER BY e.key")
}

fn select(table: &Table, alias: &str) -> Sql {
    let columns: Vec<String> = table.names().iter().map(|name| format!("{alias}.{name}")).collect();
    Sql::new("SELECT ").text(&columns.join(", "))
}
