//! The end of an organization, and the certificate of it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organization_end")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    pub requested_ns: i64,
    pub requested_by: Option<String>,
    pub requested_as: String,
    pub confirmed_ns: Option<i64>,
    pub confirmed_by: Option<String>,
    pub confirmed_as: Option<String>,
    pub due_ns: Option<i64>,
    pub begun_ns: Option<i64>,
    pub ended_ns: Option<i64>,
    pub events: i64,
    pub first_sequence: Option<i64>,
    pub first_ns: Option<i64>,
    pub last_sequence: Option<i64>,
    pub last_ns: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
