//! How far a rule has counted, and which process counts for it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alert_watch")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub rule_id: String,
    pub next: i64,
    pub counted_from: i64,
    pub fired_at: String,
    pub changes: i64,
    pub firings: i64,
    pub fired_ns: Option<i64>,
    pub fired_sequence: Option<i64>,
    pub trouble: Option<String>,
    pub sent_ns: Option<i64>,
    pub unsent: Option<String>,
    pub owner: i64,
    pub lease_ns: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
