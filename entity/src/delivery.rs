//! How far an endpoint has got, and which process sends to it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub endpoint_id: String,
    pub next: i64,
    pub failures: i64,
    pub failing_ns: Option<i64>,
    pub due_ns: i64,
    pub succeeded_ns: Option<i64>,
    pub trouble: Option<String>,
    pub replay_next: Option<i64>,
    pub replay_end: Option<i64>,
    pub replays: i64,
    pub owner: i64,
    pub lease_ns: i64,
    pub refusals: i64,
    pub replay_refusals: i64,
    pub replay_due_ns: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
