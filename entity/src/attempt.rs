//! The last tries of an endpoint.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempt")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub endpoint_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub at_ns: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub no: i64,
    pub purpose: i16,
    pub first: i64,
    pub last: i64,
    pub status: Option<i64>,
    pub took_ms: i64,
    pub trouble: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
