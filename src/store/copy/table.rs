//! The tables as a copy knows them: their columns, and how their rows are read in the order of their keys.

use sea_orm::{ConnectionTrait, QueryResult, Value};

use crate::{
    error::Result,
    event::words::NORMALISER_VERSION,
    store::{
        dialect::{Dialect, SEQUENCE_BITS},
        error,
        sql::Sql,
    },
};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Integer,
    /// An integer that PostgreSQL keeps in two bytes.
    Small,
    Text,
    Bytes,
}
use Kind::{Bytes, Integer, Small, Text};

/// The values of a row in the order of [`Table::columns`].
pub type Cells = Vec<Value>;

/// A table that is copied.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// The primary key; the organization comes first.
    key: &'static [(&'static str, Kind)],
    rest: &'static [(&'static str, Kind)],
}

/// Tenants. Everything else refers to them.
pub const ORGANIZATION: Table = Table {
    name: "organization",
    key: &[("no", Integer)],
    rest: &[("product", Text), ("external_id", Text), ("created_ns", Integer)],
};

/// What says that an organization is there as a whole: written last.
pub const HEAD: Table = Table {
    name: "organization_head",
    key: &[("organization_no", Integer)],
    rest: &[
        ("size", Integer),
        ("spill", Integer),
        ("recorded_ns", Integer),
        ("dictionary", Integer),
        ("last_salt", Integer),
    ],
};

/// Events, in the order that `rows::event_of` reads. `event_order` and the search index are made from them.
pub const EVENT: Table = Table {
    name: "event",
    key: &[("organization_no", Integer), ("sequence", Integer)],
    rest: &[
        ("position", Integer),
        ("salt", Integer),
        ("log_no", Integer),
        ("occurred_ns", Integer),
        ("recorded_ns", Integer),
        ("action", Text),
        ("category", Text),
        ("outcome", Small),
        ("actor_kind", Small),
        ("actor_id", Text),
        ("actor_name", Text),
        ("actor_email", Text),
        ("on_behalf_of", Text),
        ("resources", Text),
        ("ip_address", Text),
        ("user_agent", Text),
        ("correlation_id", Text),
        ("source", Text),
        ("source_event_id", Text),
        ("recorded_by", Text),
        ("truncated", Text),
        ("metadata", Text),
        (TERMS_VERSION, Small),
    ],
};
const TERMS_VERSION: &str = "terms_version";

/// From the order of recording to the order of time.
pub const ORDER: &str = "event_order";
pub const ORDER_COLUMNS: [&str; 3] = ["organization_no", "sequence", "position"];

/// What idempotency keys have recorded: rows are added, and never changed.
pub const IDEMPOTENCY: Table = Table {
    name: "idempotency",
    key: &[("organization_no", Integer), ("key_hash", Bytes)],
    rest: &[("content_hash", Bytes), ("sequence", Integer)],
};

/// What follows from an organization's events, or belongs to them; its rows change as events are recorded.
pub const CHANGING: [Table; 4] = [
    Table {
        name: "log",
        key: &[("organization_no", Integer), ("no", Integer)],
        rest: &[
            ("level", Text),
            ("id", Text),
            ("name", Text),
            ("parent_no", Integer),
            ("deleted_ns", Integer),
            ("salt", Integer),
        ],
    },
    Table {
        name: "action",
        key: &[("organization_no", Integer), ("no", Integer)],
        rest: &[("name", Text), ("category", Text), ("outcome", Small)],
    },
    Table {
        name: "event_count",
        key: &[
            ("organization_no", Integer),
            ("grain", Small),
            ("bucket", Integer),
            ("log_no", Integer),
            ("action_no", Integer),
        ],
        rest: &[("n", Integer)],
    },
    Table {
        name: "actor_directory",
        key: &[("organization_no", Integer), ("hash", Bytes)],
        rest: &[
            ("kind", Small),
            ("id", Text),
            ("name", Text),
            ("email", Text),
            ("folded", Text),
            ("name_folded", Text),
            ("email_folded", Text),
            ("n", Integer),
            ("last_position", Integer),
        ],
    },
];

/// Every table whose rows are read from one database and written to the other.
pub fn all() -> impl Iterator<Item = &'static Table> {
    [&ORGANIZATION, &EVENT, &IDEMPOTENCY].into_iter().chain(&CHANGING).chain([&HEAD])
}

/// One organization's rows, of `event` and `idempotency` those from a sequence on.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub organization_no: i64,
    pub since: i64,
}

impl Table {
    /// Its columns: the key, and then the rest.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, Kind)> {
        self.key.iter().chain(self.rest).copied()
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.columns().map(|(name, _)| name).collect()
    }

    /// The key of a row: where the next page begins.
    pub fn key<'a>(&self, cells: &'a Cells) -> &'a [Value] {
        &cells[..self.key.len()]
    }

    /// The next rows in the order of the key: all organizations', or a part.
    pub async fn page(
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
    pub async fn first(&self, db: &impl ConnectionTrait, dialect: Dialect, part: Part) -> Result<Option<Cells>> {
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
            // A comparison that begins with the organization would not be a range of the index.
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

    /// SQLite's events lie under one number. An event that the order of time does not lead to is left out, so that it
    /// is found missing.
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
    pub fn cells(&self, row: &QueryResult) -> Result<Cells> {
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
