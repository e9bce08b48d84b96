//! When events of an organization raise an alert.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alert_rule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub label: String,
    pub question: String,
    pub threshold: i64,
    pub window_s: i64,
    pub per: i16,
    pub endpoint_id: Option<String>,
    pub emails: String,
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
