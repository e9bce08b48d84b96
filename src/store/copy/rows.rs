//! How a copy reads the rows of a table, in the order of their keys.

use sea_orm::{ConnectionTrait, QueryResult, Value};

use crate::{
    error::Result,
    event::words::NORMALISER_VERSION,
    store::{
        dialect::{Dialect, copying::Part},
        error,
        tables::{
            ALERT_MESSAGE, ALERT_RULE, ALERT_WATCH, COUNT, DEAD_LETTER, DELIVERY, DIRECTORY, ENDPOINT, ERASED_EVENT,
            ERASURE, EVENT, HEAD, HISTORY, HOLD,
            Holds::{Bytes, Integer, Small, Text},
            IDEMPOTENCY, ISSUER_KEY, KIND, LOG, MASKING_KEY, ORGANIZATION, ORGANIZATION_END, ORGANIZATION_PLAN,
            PARTNER_TOKEN, PLAIN_HASHES, RETENTION, SAVED_VIEW, TERMS_VERSION, Table,
        },
    },
};

/// The values of a row in the order of [`Table::columns`].
pub type Cells = Vec<Value>;

/// What follows from an organization's events, or belongs to them; its rows change as events are recorded, and with them
/// alone: whoever changes one that no event counts records an event that tells of it.
pub const CHANGING: [&Table; 11] = [
    &LOG,
    &KIND,
    &COUNT,
    &DIRECTORY,
    &PARTNER_TOKEN,
    &ENDPOINT,
    &ALERT_RULE,
    &HOLD,
    &RETENTION,
    &ORGANIZATION_PLAN,
    &SAVED_VIEW,
];

/// What changes beside recording, and is small: each run of a copy writes all of it anew.
pub const WHOLE: [&Table; 11] = [
    &HISTORY,
    &ISSUER_KEY,
    &MASKING_KEY,
    &PLAIN_HASHES,
    &DELIVERY,
    &DEAD_LETTER,
    &ALERT_WATCH,
    &ALERT_MESSAGE,
    &ERASURE,
    &ERASED_EVENT,
    &ORGANIZATION_END,
];

/// Every table whose rows are read from one database and written to the other.
pub fn copied() -> impl Iterator<Item = &'static Table> {
    [&ORGANIZATION, &EVENT, &IDEMPOTENCY].into_iter().chain(WHOLE).chain(CHANGING).chain([&HEAD])
}

impl Table {
    /// The key of a row: where the next page begins.
    pub(super) fn key_of<'a>(&self, cells: &'a Cells) -> &'a [Value] {
        &cells[..self.key.len()]
    }

    /// The next rows in the order of the key: all organizations', or a part.
    pub(super) async fn page(
        &self,
        db: &impl ConnectionTrait,
        dialect: Dialect,
        part: Option<Part>,
        after: Option<&[Value]>,
        limit: usize,
    ) -> Result<Vec<QueryResult>> {
        let sql = dialect.rows_after(self, part, after).text(&format!(" LIMIT {limit}"));
        db.query_all_raw(sql.on(dialect.backend())).await.map_err(error::from)
    }

    /// The first row of a part.
    pub(super) async fn first(&self, db: &impl ConnectionTrait, dialect: Dialect, part: Part) -> Result<Option<Cells>> {
        self.page(db, dialect, Some(part), None, 1).await?.first().map(|row| self.cells(row)).transpose()
    }

    /// The values of a row.
    pub(super) fn cells(&self, row: &QueryResult) -> Result<Cells> {
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
