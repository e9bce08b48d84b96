//! The schema's history, for both databases.
//!
//! A migration is never edited once it is here: databases in the field have gone through it. `tests/schemas` keeps a
//! checksum of each one's SQL, and of each release a database that every later version upgrades.

#![expect(elided_lifetimes_in_paths, reason = "the trait of migrations is written without them and must be matched")]

pub use sea_orm_migration::prelude::*;

mod m20261121_120000_init;
mod m20261125_220000_schema_history;
mod m20261125_230000_stale_terms;

/// Brings a database to the schema of this version.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_120000_init::Migration),
            Box::new(m20261125_220000_schema_history::Migration),
            Box::new(m20261125_230000_stale_terms::Migration),
        ]
    }
}
