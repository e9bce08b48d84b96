//! Opens a database: checks what its connections keep, and brings it to the newest schema.

use std::path::Path;

use sea_orm::{DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait};

use super::writes::Writes;

use crate::{
    chance::Chance,
    error::{Error, Result},
    store::{
        dialect::{Dialect, URL},
        error,
        postgres::{
            locks::Lock,
            session::{self, Durability, Purpose},
        },
        sqlite::{connect, files::Files},
    },
};

const POSTGRES_WRITERS: u32 = 4;

/// The connections that write and read, at the newest schema, and how the database is spoken to.
pub(in crate::store) async fn open(
    url: &str,
    durability: Durability,
    chance: &Chance,
) -> Result<(Writes, DatabaseConnection, Dialect)> {
    let dialect = Dialect::of(url)?;
    if dialect == Dialect::Postgres {
        session::check(url, Purpose::Writing, durability, chance, "LEDGERLINE_DATABASE_URL").await?;
        let write = session::pool(url, POSTGRES_WRITERS, Purpose::Writing, durability).await?;
        migrate(&write, dialect).await.map_err(error::from)?;
        return Ok((Writes::Postgres(write), session::reader(url).await?, dialect));
    }
    let path = connect::path(url);
    if path.is_empty() || path == ":memory:" {
        return Err(Error::bad_input(URL, "must name a file, as in sqlite://data/ledgerline.db"));
    }
    if Path::new(path).is_dir() {
        return Err(Error::bad_input(URL, "must name a file, and not a folder"));
    }
    let (write, read) = open_sqlite(url).await.map_err(error::from)?;
    Ok((write, read, dialect))
}

/// Opens a SQLite file, made if it is not there, and brings it to the newest schema.
async fn open_sqlite(url: &str) -> Result<(Writes, DatabaseConnection), DbErr> {
    let (path, mut first, making) = connect::make(url).await?;
    // A connection of its own, closed after its one transaction; the first one keeps the file open meanwhile.
    let migrating = connect::pool_of_one(&making).await?;
    let migrated = migrate(&migrating, Dialect::Sqlite).await;
    let _ = migrating.close().await;
    migrated?;
    connect::wait_no_longer(&mut first).await?;
    let files = Files::of(&path)?;
    let read = connect::readers(url, &files).await?;
    Ok((Writes::sqlite(url, files, first), read))
}

/// Brings the schema up to date, in one transaction. Processes that start together do it one after the other.
async fn migrate(database: &DatabaseConnection, dialect: Dialect) -> Result<(), DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: (dialect == Dialect::Sqlite).then_some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = database.begin_with_options(options).await?;
    if dialect == Dialect::Postgres {
        sea_orm::ConnectionTrait::execute_unprepared(&tx, &Lock::Migrating.wait()).await?;
    }
    <migration::Migrator as migration::MigratorTrait>::up(&tx, None).await?;
    tx.commit().await
}
