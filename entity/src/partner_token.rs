//! Tokens that the service made, with what they may do.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "partner_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub label: String,
    pub kind: i16,
    pub scopes: String,
    pub roles: String,
    pub plan: Option<String>,
    pub logs: String,
    pub key_hash: Option<Vec<u8>>,
    pub created_ns: i64,
    pub created_by: String,
    pub expires_ns: i64,
    pub revoked_ns: Option<i64>,
    /// Written some seconds late, and not copied to another database.
    pub last_used_ns: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
