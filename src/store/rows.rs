//! From database rows to events.

use entity::event::Model;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult};

use super::{Store, error, sql::Sql};
use crate::{
    error::{Error, Result},
    event::{Actor, ActorKind, Event, Outcome, Position, Timestamp},
};

impl Store {
    /// Runs a statement that selects whole events.
    pub(super) async fn events_of(&self, sql: Sql) -> Result<Vec<Event>> {
        self.events_on(&self.read, sql).await
    }

    /// The same on a connection or in a transaction.
    pub(super) async fn events_on(&self, connection: &impl ConnectionTrait, sql: Sql) -> Result<Vec<Event>> {
        let rows = connection.query_all_raw(sql.on(self.dialect.backend())).await.map_err(error::from)?;
        rows.iter().map(|row| event(model(row).map_err(error::from)?)).collect()
    }

    /// Runs a statement that selects rows of another shape.
    pub(super) async fn rows_of<R: FromQueryResult>(&self, sql: Sql) -> Result<Vec<R>> {
        R::find_by_statement(sql.on(self.dialect.backend())).all(&self.read).await.map_err(error::from)
    }

    /// Runs a statement that selects one number as `n`.
    pub(super) async fn number_of(&self, sql: Sql) -> Result<i64> {
        Ok(self.rows_of::<Number>(sql).await?.first().map_or(0, |row| row.n))
    }
}

#[derive(FromQueryResult)]
struct Number {
    n: i64,
}

/// A row of the columns of `dialect::COLUMNS`, read in their order: by name, every column of every row is looked up.
fn model(row: &QueryResult) -> std::result::Result<Model, DbErr> {
    let mut column = 0..;
    let mut next = || column.next().unwrap_or_default();
    Ok(Model {
        organization_no: row.try_get_by(next())?,
        sequence: row.try_get_by(next())?,
        position: row.try_get_by(next())?,
        salt: row.try_get_by(next())?,
        log_no: row.try_get_by(next())?,
        occurred_ns: row.try_get_by(next())?,
        recorded_ns: row.try_get_by(next())?,
        action: row.try_get_by(next())?,
        category: row.try_get_by(next())?,
        outcome: row.try_get_by(next())?,
        actor_kind: row.try_get_by(next())?,
        actor_id: row.try_get_by(next())?,
        actor_name: row.try_get_by(next())?,
        actor_email: row.try_get_by(next())?,
        on_behalf_of: row.try_get_by(next())?,
        resources: row.try_get_by(next())?,
        ip_address: row.try_get_by(next())?,
        user_agent: row.try_get_by(next())?,
        correlation_id: row.try_get_by(next())?,
        source: row.try_get_by(next())?,
        source_event_id: row.try_get_by(next())?,
        recorded_by: row.try_get_by(next())?,
        metadata: row.try_get_by(next())?,
    })
}

/// The event of a row.
///
/// # Errors
/// `INTERNAL` when the row is not one that this service wrote.
fn event(row: Model) -> Result<Event> {
    let kind = ActorKind::from_number(row.actor_kind).ok_or_else(|| damaged("actor_kind"))?;
    let outcome = row.outcome.map(|n| Outcome::from_number(n).ok_or_else(|| damaged("outcome"))).transpose()?;
    let on_behalf_of = row.on_behalf_of.map(|text| serde_json::from_str(&text)).transpose().map_err(Error::internal)?;
    let resources = row.resources.map(|text| serde_json::from_str(&text)).transpose().map_err(Error::internal)?;
    Ok(Event {
        organization_no: row.organization_no,
        sequence: row.sequence,
        position: Position(row.position),
        salt: row.salt,
        log_no: row.log_no,
        action: row.action,
        category: row.category,
        outcome,
        actor: Actor { kind, id: row.actor_id, name: row.actor_name, email: row.actor_email },
        on_behalf_of,
        resources: resources.unwrap_or_default(),
        occurred_at: Timestamp(row.occurred_ns),
        recorded_at: Timestamp(row.recorded_ns),
        ip_address: row.ip_address,
        user_agent: row.user_agent,
        correlation_id: row.correlation_id,
        source: row.source,
        source_event_id: row.source_event_id,
        recorded_by: row.recorded_by,
        metadata: row.metadata,
    })
}

fn damaged(column: &'static str) -> Error {
    #[derive(Debug, thiserror::Error)]
    #[error("an event's {0} holds a number that no version has written")]
    struct Damaged(&'static str);
    Error::internal(Damaged(column))
}
