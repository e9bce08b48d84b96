//! Opens a database: checks what its connections keep, and brings it to the newest schema.

use super::{
    reads::{Reads, Source},
    writes::Writes,
};
use crate::{
    chance::Chance,
    error::Result,
    store::{
        Store,
        dialect::Dialect,
        error,
        postgres::{
            citus::refuse_worker,
            session::{self, Durability, Purpose},
        },
        schema,
        sqlite::{connect, files::Files},
    },
};

/// The connections that write and read, at the newest schema, and how the database is spoken to.
pub(in crate::store) async fn open(
    url: &str,
    durability: Durability,
    chance: &Chance,
) -> Result<(Writes, Reads, Dialect)> {
    let dialect = Dialect::of(url)?;
    if dialect != Dialect::Sqlite {
        let checked = session::check(url, Purpose::Writing, durability, chance, "LEDGERLINE_DATABASE_URL").await?;
        let write = session::writer(&checked, durability).await?;
        if checked.is_of_a_cluster() {
            refuse_worker(write.connections()).await?;
        }
        schema::migrate(write.connections(), write.of_a_transaction()).await?;
        let read = Source::Postgres(session::reader(&checked).await?);
        return Ok((Writes::Postgres(write), Reads::of(read, session::SLOTS), dialect));
    }
    // Before the file is touched; what cannot be read is told by the opening that follows.
    connect::named_file(url)?;
    if let Ok(found) = Store::schema(url, chance).await {
        found.refuse_newer()?;
    }
    let (write, read) = open_sqlite(url).await?;
    Ok((write, read, dialect))
}

/// Opens a SQLite file, made if it is not there, and brings it to the newest schema.
async fn open_sqlite(url: &str) -> Result<(Writes, Reads)> {
    let (path, mut first, making) = connect::make(url).await.map_err(error::from)?;
    // A connection of its own, closed after its one transaction; the first one keeps the file open meanwhile.
    let migrating = connect::pool_of_one(&making).await.map_err(error::from)?;
    let migrated = schema::migrate(&migrating, "").await;
    let _ = migrating.close().await;
    migrated?;
    connect::wait_no_longer(&mut first).await.map_err(error::from)?;
    let files = Files::of(&path).map_err(error::from)?;
    let slots = connect::slots();
    let read = connect::readers(url, &files, slots).await.map_err(error::from)?;
    Ok((Writes::sqlite(url, files, first), Reads::of(Source::Sqlite(read), slots)))
}
