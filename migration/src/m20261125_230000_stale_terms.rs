use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

/// Organizations whose terms are being made anew, and the door for it.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = match manager.get_database_backend() {
            DatabaseBackend::Sqlite => include_str!("stale_terms/sqlite.sql"),
            DatabaseBackend::Postgres => include_str!("stale_terms/postgres.sql"),
            other => return Err(DbErr::Migration(format!("unsupported database {other:?}"))),
        };
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("a schema only goes forward".to_owned()))
    }
}
