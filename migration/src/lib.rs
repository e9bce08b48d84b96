//! The schema's history, for both databases.

pub use sea_orm_migration::prelude::*;

mod m20261121_120000_init;

/// Brings a database to the schema of this version.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m20261121_120000_init::Migration)]
    }
}
