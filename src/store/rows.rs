//! From database rows to events.

use entity::event::Model;
use sea_orm::{DatabaseConnection, FromQueryResult};

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

    async fn events_on(&self, connection: &DatabaseConnection, sql: Sql) -> Result<Vec<Event>> {
        let statement = sql.on(self.dialect.backend());
        let rows = Model::find_by_statement(statement).all(connection).await.map_err(error::from)?;
        rows.into_iter().map(event).collect()
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

/// The event of a row.
///
/// # Errors
/// `INTERNAL` when the row is not one that this service wrote.
pub(super) fn event(row: Model) -> Result<Event> {
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
