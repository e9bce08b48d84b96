//! What the next event of a tenant needs to know.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organization_head")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    /// Number of its events: the next sequence.
    pub size: i64,
    /// Most microseconds that an event was moved on because its own was full.
    pub spill: i64,
    /// When the newest of them was recorded, nanoseconds since 1970; no later one is recorded before it.
    pub recorded_ns: i64,
    /// Version of its logs and actions.
    pub dictionary: i64,
    /// Salt of its newest event: with the size, what tells one history from another.
    pub last_salt: i64,
    /// How many of its events have left the log. It only grows, so what is remembered of a head with another number may
    /// count events that are gone.
    pub removed: i64,
    /// 1 where the organization has ended: nothing is recorded for it any more.
    pub ended: i16,
    /// How often something of its events was erased. It only grows, as `removed` does.
    pub erased: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
