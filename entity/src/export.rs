//! Exports, with how far each has got.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "export")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub format: String,
    pub asked: String,
    pub maker: String,
    pub logs: String,
    pub secret: Vec<u8>,
    pub created_ns: i64,
    pub created_by: String,
    pub pinned: i64,
    pub status: i16,
    pub next_sequence: i64,
    pub count: i64,
    pub first_sequence: Option<i64>,
    pub last_sequence: Option<i64>,
    pub bytes: i64,
    pub parts: String,
    pub sha256: Option<String>,
    pub fault_code: Option<String>,
    pub fault: Option<String>,
    pub finished_ns: Option<i64>,
    pub served_ns: i64,
    pub lease_holder: Option<String>,
    pub lease_until_ns: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
