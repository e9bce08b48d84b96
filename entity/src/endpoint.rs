//! Where events of an organization are sent to.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "endpoint")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub label: String,
    pub kind: i16,
    pub url: String,
    pub settings: String,
    pub secrets: String,
    pub question: String,
    pub roles: String,
    pub plan: Option<String>,
    pub logs: String,
    pub status: i16,
    pub created_ns: i64,
    pub created_by: String,
    pub changed_ns: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
