//! The schema: which migrations a database has, which it lacks, and which this version does not know.

use std::collections::HashMap;

use entity::schema_history;
use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, FromQueryResult,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use super::{
    Store,
    dialect::{Dialect, URL, sql::Sql},
    error,
    postgres::{
        locks::Lock,
        session::{self, Durability, Purpose},
    },
    sqlite::connect,
};
use crate::{
    chance::Chance,
    error::{Error, Result},
};

/// The version of this program.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// What a database's schema is at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// Names of the migrations that it lacks, in the order that they would be applied.
    pub pending: Vec<String>,
    /// How many migrations it has had; none if there is no database yet.
    pub applied: usize,
    /// Migrations that this version does not know, each with the version that brought it, if it is known.
    newer: Vec<(String, Option<String>)>,
}

impl Schema {
    async fn of(db: &impl ConnectionTrait, dialect: Dialect) -> Result<Self, DbErr> {
        #[derive(FromQueryResult)]
        struct Found {
            found: i64,
        }
        #[derive(FromQueryResult)]
        struct Applied {
            version: String,
        }
        let has = async |table: &str| -> Result<bool, DbErr> {
            let statement = dialect.has_table(table).on(dialect.backend());
            Ok(Found::find_by_statement(statement).one(db).await?.is_some_and(|row| row.found > 0))
        };
        let mut applied = Vec::new();
        if has("seaql_migrations").await? {
            let all = Sql::new("SELECT version FROM seaql_migrations ORDER BY version").on(dialect.backend());
            applied.extend(Applied::find_by_statement(all).all(db).await?.into_iter().map(|row| row.version));
        }
        let known = known();
        let mut schema = Self { applied: applied.len(), ..Self::default() };
        schema.pending = known.iter().filter(|name| !applied.contains(name)).cloned().collect();
        applied.retain(|name| !known.contains(name));
        if !applied.is_empty() {
            let mut programs = HashMap::new();
            if has("schema_history").await? {
                let all = schema_history::Entity::find().all(db).await?;
                programs.extend(all.into_iter().map(|row| (row.migration, row.program)));
            }
            schema.newer = applied.into_iter().map(|name| (name.clone(), programs.remove(&name))).collect();
        }
        Ok(schema)
    }

    /// Refuses a schema that a later version of the program has made.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the migrations and the version.
    pub fn refuse_newer(&self) -> Result<()> {
        let Some((_, program)) = self.newer.last() else { return Ok(()) };
        let names: Vec<&str> = self.newer.iter().map(|(name, _)| name.as_str()).collect();
        let (by, which) = match program {
            Some(program) => (format!("ledgerline {program}"), "that version or a later one"),
            None => ("a later version".to_owned(), "the version that was used last"),
        };
        let rule = format!(
            "must not have a newer schema than this version, {PROGRAM}, knows: {by} brought {}. Use {which}",
            names.join(", ")
        );
        Err(Error::bad_input(URL, rule))
    }
}

/// The names of this version's migrations, in their order.
fn known() -> Vec<String> {
    Migrator::get_migration_files().iter().map(|file| file.name().to_owned()).collect()
}

impl Store {
    /// The names of the migrations that this database has had, in their order.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn migrations(&self) -> Result<Vec<String>> {
        #[derive(FromQueryResult)]
        struct Applied {
            version: String,
        }
        let all = self.rows_of::<Applied>(Sql::new("SELECT version FROM seaql_migrations ORDER BY version")).await?;
        Ok(all.into_iter().map(|row| row.version).collect())
    }

    /// Whether the role may do with the tables what their owner may.
    pub(super) async fn owns_tables(&self) -> Result<bool> {
        #[derive(FromQueryResult)]
        struct Row {
            owns: bool,
        }
        if self.dialect == Dialect::Sqlite {
            return Ok(true);
        }
        let asked = "SELECT pg_has_role(relowner, 'USAGE') AS owns FROM pg_class WHERE oid = 'event'::regclass";
        Ok(self.rows_of::<Row>(Sql::new(asked)).await?.first().is_some_and(|row| row.owns))
    }

    /// What the schema of a database is at. Nothing is changed, and no file is made.
    ///
    /// # Errors
    /// `UNAVAILABLE` when it cannot be reached or read, `BAD_USER_INPUT` for a URL that is none.
    pub async fn schema(url: &str, chance: &Chance) -> Result<Schema> {
        let dialect = Dialect::of(url)?;
        let database = match dialect {
            Dialect::Postgres | Dialect::Citus => {
                let checked = session::check(url, Purpose::Reading, Durability::Waived, chance, URL).await?;
                session::reader(&checked).await?.connections().clone()
            }
            Dialect::Sqlite => match connect::look(url).await? {
                Some(database) => database,
                None => return Ok(Schema { pending: known(), ..Schema::default() }),
            },
        };
        let schema = Schema::of(&database, dialect).await.map_err(error::from);
        let _ = database.close().await;
        schema
    }
}

/// Refuses a role that cannot bring the schema up to date.
async fn refuse_others(database: &DatabaseConnection, found: &Schema) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Row {
        owner: String,
        may: bool,
    }
    let asked = if found.applied > 0 {
        "SELECT CAST(relowner::regrole AS TEXT) AS owner, pg_has_role(relowner, 'USAGE') AS may FROM pg_class \
         WHERE oid = 'seaql_migrations'::regclass"
    } else {
        "SELECT CAST(nspowner::regrole AS TEXT) AS owner, has_schema_privilege(oid, 'CREATE') AS may FROM pg_namespace \
         WHERE oid = current_schema()::regnamespace"
    };
    let row = Row::find_by_statement(Sql::new(asked).on(Dialect::Postgres.backend())).one(database).await;
    match row.map_err(error::from)? {
        Some(Row { owner, may: false }) => {
            let rule = format!(
                "must have the schema of this version, {PROGRAM}, and lacks {}: this role may only serve. Run `ledgerline \
                 migrate` as {owner}",
                found.pending.join(", ")
            );
            Err(Error::bad_input(URL, rule))
        }
        Some(_) => Ok(()),
        None => {
            Err(Error::bad_input(URL, "must have a schema that tables are made in: the role's search_path has none"))
        }
    }
}

/// Brings the schema up to date, in one transaction that begins with `settings`. Processes that start together do it one after the other.
///
/// # Errors
/// `BAD_USER_INPUT` for a schema that a later version has made, before anything is changed; and those of the database.
pub(super) async fn migrate(database: &DatabaseConnection, settings: &str) -> Result<()> {
    let dialect = match database.get_database_backend() {
        DbBackend::Postgres => Dialect::Postgres,
        _ => Dialect::Sqlite,
    };
    let options = TransactionOptions {
        sqlite_transaction_mode: (dialect == Dialect::Sqlite).then_some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    // Most starts find nothing to do, and a role that only serves may do nothing here.
    let found = Schema::of(database, dialect).await.map_err(error::from)?;
    found.refuse_newer()?;
    if found.pending.is_empty() {
        return Ok(());
    }
    if dialect == Dialect::Postgres {
        refuse_others(database, &found).await?;
    }
    let tx = database.begin_with_options(options).await.map_err(error::from)?;
    if dialect == Dialect::Postgres {
        tx.execute_unprepared(&format!("{settings}{}", Lock::Migrating.wait())).await.map_err(error::from)?;
    }
    let schema = Schema::of(&tx, dialect).await.map_err(error::from)?;
    schema.refuse_newer()?;
    let brought = async {
        Migrator::up(&tx, None).await?;
        let brought = schema
            .pending
            .iter()
            .map(|name| schema_history::ActiveModel { migration: Set(name.clone()), program: Set(PROGRAM.to_owned()) });
        // Of no rows, SeaORM would insert one of default values.
        if !schema.pending.is_empty() {
            schema_history::Entity::insert_many(brought).exec_without_returning(&tx).await?;
        }
        tx.commit().await
    };
    brought.await.map_err(error::from)
}
