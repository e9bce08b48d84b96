//! One event. Immutable: the database refuses to change or delete it.

use sea_orm::entity::prelude::*;

/// A row of `event`. On SQLite organization and sequence are read off one clustered key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub position: i64,
    pub salt: i64,
    pub log_no: i64,
    pub occurred_ns: i64,
    pub recorded_ns: i64,
    pub action: String,
    pub category: Option<String>,
    pub outcome: Option<i16>,
    pub actor_kind: i16,
    pub actor_id: Option<String>,
    pub actor_name: Option<String>,
    pub actor_email: Option<String>,
    /// JSON of an actor.
    pub on_behalf_of: Option<String>,
    /// JSON array of resources; null where there are none.
    pub resources: Option<String>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub correlation_id: Option<String>,
    pub source: Option<String>,
    pub source_event_id: Option<String>,
    pub recorded_by: String,
    /// JSON array of the paths that were cut or replaced; null where there are none.
    pub truncated: Option<String>,
    pub metadata: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
