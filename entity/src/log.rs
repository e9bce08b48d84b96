//! A node of a tenant's tree of logs.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub no: i64,
    pub level: String,
    pub id: String,
    pub name: Option<String>,
    pub parent_no: Option<i64>,
    pub deleted_ns: Option<i64>,
    pub salt: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
