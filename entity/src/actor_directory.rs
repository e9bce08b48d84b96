//! A distinct actor of a tenant.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "actor_directory")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    pub kind: i16,
    pub id: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    /// Everything of it in lower case, for the picker.
    pub folded: String,
    /// The name in lower case, for `nameContains`.
    pub name_folded: Option<String>,
    /// The e-mail in lower case, for `emailContains`.
    pub email_folded: Option<String>,
    /// Number of its events.
    pub n: i64,
    /// Position of its newest event.
    pub last_position: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
