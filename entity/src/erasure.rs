//! Erasures that were asked for.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erasure")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub status: i16,
    pub whom: Option<String>,
    pub created_ns: i64,
    pub created_by: String,
    pub finished_ns: Option<i64>,
    pub total: i64,
    pub next: i64,
    pub events: i64,
    pub hold_id: Option<String>,
    pub owner: i64,
    pub lease_ns: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
