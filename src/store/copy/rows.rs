//! How a copy reads the rows of a table, in the order of their keys.

use sea_orm::{ConnectionTrait, QueryResult, Value};

use crate::{
    error::Result,
    event::words::NORMALISER_VERSION,
    store::{
        dialect::{Dialect, SEQUENCE_BITS, sql::Sql},
        error,
        tables::{
            COUNT, DEAD_LETTER, DELIVERY, DIRECTORY, ENDPOINT, EVENT, HEAD,
            Holds::{Bytes, Integer, Small, Text},
            IDEMPOTENCY, ISSUER_KEY, KIND, LOG, ORGANIZATION, PARTNER_TOKEN, TERMS_VERSION, Table,
        },
    },
};

/// The values of a row in the order of [`Table::columns`].
pub type Cells = Vec<Value>;

/// What follows from an organization's events, or belongs to them; its rows change as events are recorded, and with them
/// alone: whoever changes one that no event counts records an event that tells of it.
pub const CHANGING: [&Table; 6] = [&LOG, &KIND, &COUNT, &DIRECTORY, &PARTNER_TOKEN, &ENDPOINT];

/// What changes beside recording, and is small: each run of a copy writes all of it anew.
pub const WHOLE: [&Table; 3] = [&ISSUER_KEY, &DELIVERY, &DEAD_LETTER];

/// Every table whose rows are read from one database and written to the other.
pub fn copied() -> impl Iterator<Item = &'static Table> {
    [&ORGANIZATION, &EVENT, &IDEMPOTENCY].into_iter().chain(WHOLE).chain(CHANGING).chain([&HEAD])
}

/// One organization's rows, of `event` and `idempotency` those from a sequence on.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub organization_no: i64,
    pub since: i64,
}

impl Table {
    /// The key of a row: where the next page begins.
    pub(in crate::store) fn key_of<'a>(&self, cells: &'a Cells) -> &'a [Value] {
        &cells[..self.key.len()]
    }

    /// The next rows in the order of the key: all organizations', or a part.
    pub(in crate::store) async fn page(
        &self,
        db: &impl ConnectionTrait,
        dialect: Dialect,
        part: Option<Part>,
        after: Option<&[Value]>,
        limit: usize,
    ) -> Result<Vec<QueryResult>> {
        let sql = match (self.name, dialect) {
            ("event", Dialect::Sqlite) => self.events_of_sqlite(part, after),
            _ => self.rows_after(dialect, part, after),
        };
        let sql = sql.text(&format!(" LIMIT {limit}")).on(dialect.backend());
        db.query_all_raw(sql).await.map_err(error::from)
    }

    /// The first row of a part.
    pub(in crate::store) async fn first(
        &self,
        db: &impl ConnectionTrait,
        dialect: Dialect,
        part: Part,
    ) -> Result<Option<Cells>> {
        self.page(db, dialect, Some(part), None, 1).await?.first().map(|row| self.cells(row)).transpose()
    }

    fn rows_after(&self, dialect: Dialect, part: Option<Part>, after: Option<&[Value]>) -> Sql {
        let (from, columns, key) = match self.name {
            "event" => (format!("event_order o{}", dialect.join_event("o")), "e", "o"),
            name => (format!("{name} t"), "t", "t"),
        };
        let keys: Vec<String> = self.key.iter().map(|(name, _)| format!("{key}.{name}")).collect();
        let mut sql = self.select(columns).text(" FROM ").text(&from).text(" WHERE TRUE");
        let mut compared = 0;
        if let Some(part) = part {
            sql = sql.with(&format!(" AND {} = ", keys[0]), part.organization_no);
            // A row comparison that began with the organization would not be a range of the index.
            compared = 1.min(keys.len() - 1);
            if self.columns().any(|(name, _)| name == "sequence") {
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

    /// SQLite keeps events under one number. An event that is not in the order of time is left out here, so that the
    /// comparison finds it missing.
    fn events_of_sqlite(&self, part: Option<Part>, after: Option<&[Value]>) -> Sql {
        let key = |organization_no: i64, sequence: i64| (organization_no << SEQUENCE_BITS) | sequence;
        let (mut low, high) = part.map_or((0, i64::MAX), |part| {
            (key(part.organization_no, part.since), key(part.organization_no + 1, 0) - 1)
        });
        if let Some([Value::BigInt(Some(organization_no)), Value::BigInt(Some(sequence))]) = after {
            low = key(*organization_no, *sequence) + 1;
        }
        self.select("e")
            .text(" FROM event e CROSS JOIN event_order o ON o.organization_no = e.organization_no")
            .text(" AND o.position = e.position AND o.sequence = e.sequence")
            .with(" WHERE e.key >= ", low)
            .with(" AND e.key <= ", high)
            .text(" ORDER BY e.key")
    }

    fn select(&self, alias: &str) -> Sql {
        let columns: Vec<String> = self.names().iter().map(|name| format!("{alias}.{name}")).collect();
        Sql::new("SELECT ").text(&columns.join(", "))
    }

    /// The values of a row.
    pub(in crate::store) fn cells(&self, row: &QueryResult) -> Result<Cells> {
        let cell = |(at, (name, kind))| {
            Ok(match kind {
                // Terms are built anew by this version.
                Small if name == TERMS_VERSION => i64::from(NORMALISER_VERSION).into(),
                Integer => row.try_get_by_index::<Option<i64>>(at)?.into(),
                Small => row.try_get_by_index::<Option<i16>>(at)?.map(i64::from).into(),
                Text => row.try_get_by_index::<Option<String>>(at)?.into(),
                Bytes => row.try_get_by_index::<Option<Vec<u8>>>(at)?.into(),
            })
        };
        self.columns().enumerate().map(cell).collect::<Result<Cells, sea_orm::DbErr>>().map_err(error::from)
    }
}
