use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

/// The first schema. Written as SQL, since what matters in it (triggers, FTS5, GIN) has no builder.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = match manager.get_database_backend() {
            DatabaseBackend::Sqlite => include_str!("init/sqlite.sql"),
            DatabaseBackend::Postgres => include_str!("init/postgres.sql"),
            other => return Err(DbErr::Migration(format!("unsupported database {other:?}"))),
        };
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    /// There is no way back: an append-only log is not dropped by a tool.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the first migration cannot be undone: it would delete the log".to_owned()))
    }
}
