//! Rows: an event's columns as they are written and read, in one order, and rows of other shapes.

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult, Value};
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::{Store, dialect::sql::Sql, error, tables::EVENT};
use crate::{
    error::{Error, Result},
    event::{
        ActionName, Actor, ActorKind, Draft, Event, Outcome, Position, Timestamp, stored, words::NORMALISER_VERSION,
    },
};

impl Store {
    /// Runs a statement that selects whole events.
    pub(super) async fn events_of(&self, sql: Sql) -> Result<Vec<Event>> {
        self.events_on(&self.read, sql).await
    }

    /// The same on a connection of the caller's.
    pub(super) async fn events_on(&self, connection: &impl ConnectionTrait, sql: Sql) -> Result<Vec<Event>> {
        let rows = connection.query_all_raw(sql.on(self.dialect.backend())).await.map_err(error::from)?;
        rows.iter().map(event_of).collect()
    }

    /// Runs a statement that selects rows of another shape.
    pub(super) async fn rows_of<R: FromQueryResult>(&self, sql: Sql) -> Result<Vec<R>> {
        R::find_by_statement(sql.on(self.dialect.backend())).all(&self.read).await.map_err(error::from)
    }

    /// Runs a statement that selects one number as `n`.
    pub(super) async fn number_of(&self, sql: Sql) -> Result<i64> {
        self.number_on(&self.read, sql).await
    }

    /// The same on a connection of the caller's.
    pub(super) async fn number_on(&self, connection: &impl ConnectionTrait, sql: Sql) -> Result<i64> {
        let row = Number::find_by_statement(sql.on(self.dialect.backend())).one(connection).await;
        Ok(row.map_err(error::from)?.map_or(0, |row| row.n))
    }
}

#[derive(FromQueryResult)]
struct Number {
    n: i64,
}

/// The event of a row whose columns begin with those of [`COLUMNS`](super::tables::COLUMNS).
pub(super) fn event_of(row: &QueryResult) -> Result<Event> {
    match (row.try_as_sqlite_row(), row.try_as_pg_row()) {
        (Some(row), _) => read(row),
        (_, Some(row)) => read(row),
        _ => unreachable!("a row of one of the two databases"),
    }
}

/// The values of an event in the order of [`EVENT`]'s columns after the key: the twin of what [`event_of`] reads.
pub(super) fn values_of(event: &Event) -> [Value; EVENT.rest.len()] {
    [
        event.position.0.into(),
        event.salt.into(),
        event.log_no.into(),
        event.occurred_at.0.into(),
        event.recorded_at.0.into(),
        event.action.to_string().into(),
        event.category.clone().into(),
        event.outcome.map(Outcome::number).into(),
        event.actor.kind.number().into(),
        event.actor.id.clone().into(),
        event.actor.name.clone().into(),
        event.actor.email.clone().into(),
        event.on_behalf_of.as_ref().map(stored::actor).into(),
        stored::resources(&event.resources).into(),
        event.ip_address.clone().into(),
        event.user_agent.clone().into(),
        event.correlation_id.clone().into(),
        event.source.clone().into(),
        event.source_event_id.clone().into(),
        event.recorded_by.clone().into(),
        stored::paths(&event.truncated).into(),
        stored::paths(&event.masked).into(),
        event.metadata.clone().into(),
        stored::paths(&event.erased).into(),
        NORMALISER_VERSION.into(),
    ]
}

/// Reads an event's columns by their places in [`COLUMNS`](super::tables::COLUMNS). By name, as SeaORM's models do, it
/// takes twice as long: a page of 50 events looks up 1,150 names, and every null becomes an error and back.
///
/// # Errors
/// `INTERNAL` when the row is not one that this service wrote.
fn read<'r, R: Row>(row: &'r R) -> Result<Event>
where
    usize: ColumnIndex<R>,
    i16: Type<R::Database> + Decode<'r, R::Database>,
    i64: Type<R::Database> + Decode<'r, R::Database>,
    String: Type<R::Database> + Decode<'r, R::Database>,
    &'r str: Type<R::Database> + Decode<'r, R::Database>,
{
    let mut columns = Columns { row, next: 0 };
    // A literal's fields are read in the order that they stand here, which MUST be that of COLUMNS.
    let event = Event {
        organization_no: columns.next()?,
        sequence: columns.next()?,
        position: Position(columns.next()?),
        salt: columns.next()?,
        log_no: columns.next()?,
        occurred_at: Timestamp(columns.next()?),
        recorded_at: Timestamp(columns.next()?),
        said: Draft {
            action: ActionName::stored(columns.next()?),
            category: columns.next()?,
            outcome: outcome(columns.next()?).map_err(error::from)?,
            actor: Actor {
                kind: actor_kind(columns.next()?).map_err(error::from)?,
                id: columns.next()?,
                name: columns.next()?,
                email: columns.next()?,
            },
            on_behalf_of: columns.stored("on_behalf_of", stored::read_actor)?,
            resources: columns.stored("resources", stored::read_resources)?.unwrap_or_default(),
            ip_address: columns.next()?,
            user_agent: columns.next()?,
            correlation_id: columns.next()?,
            source: columns.next()?,
            source_event_id: columns.next()?,
            recorded_by: columns.next()?,
            truncated: columns.stored("truncated", stored::read_paths)?.unwrap_or_default(),
            masked: columns.stored("masked", stored::read_paths)?.unwrap_or_default(),
            metadata: columns.next()?,
        },
        erased: columns.stored("erased", stored::read_paths)?.unwrap_or_default(),
    };
    Ok(event)
}

/// The columns of a row, one after the other.
struct Columns<'r, R> {
    row: &'r R,
    next: usize,
}

impl<'r, R: Row> Columns<'r, R>
where
    usize: ColumnIndex<R>,
{
    fn next<T: Type<R::Database> + Decode<'r, R::Database>>(&mut self) -> Result<T> {
        let column = self.next;
        self.next += 1;
        self.row.try_get(column).map_err(Error::internal)
    }

    /// The next column, read from its stored text; absent where there is none.
    fn stored<T>(&mut self, name: &'static str, read: fn(&str) -> serde_json::Result<T>) -> Result<Option<T>>
    where
        &'r str: Type<R::Database> + Decode<'r, R::Database>,
    {
        #[derive(Debug, thiserror::Error)]
        #[error("an event's {column} holds a text that no version has written")]
        struct Unread {
            column: &'static str,
            source: serde_json::Error,
        }
        let text: Option<&str> = self.next()?;
        text.map(read).transpose().map_err(|source| Error::internal(Unread { column: name, source }))
    }
}

/// An outcome by its stored number.
///
/// # Errors
/// A number that no version up to this one has written: it is not taken for none.
pub(super) fn outcome(number: Option<i16>) -> Result<Option<Outcome>, DbErr> {
    number.map(|number| Outcome::from_number(number).ok_or_else(|| unknown("outcome", number))).transpose()
}

/// A kind of actor by its stored number.
///
/// # Errors
/// A number that no version up to this one has written.
pub(super) fn actor_kind(number: i16) -> Result<ActorKind, DbErr> {
    ActorKind::from_number(number).ok_or_else(|| unknown("kind of actor", number))
}

fn unknown(what: &str, number: i16) -> DbErr {
    DbErr::Type(format!("{number} is no {what} that this version knows"))
}
