//! What every stage needs: databases, keys, the product of the bench and where figures go.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use ledgerline::{
    auth::{Claims, Principal, WriteScope, policy},
    catalog::{Product, Products},
    chance::Chance,
    clock::Clock,
    event::{Timestamp, masking::MaskingKey},
    ingest,
    keys::{DevelopmentKeys, Keys},
    store::{Durability, Item, Store, Task},
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database as Db, DatabaseConnection};

use crate::{
    events::{Events, ORGANIZATIONS, short},
    figures::Figures,
};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// A stage's surroundings.
pub struct Bench {
    pub folder: PathBuf,
    pub products: Products,
    pub figures: Figures,
    /// How long one measurement samples.
    pub seconds: f64,
    principal: Arc<Principal>,
    keys: DevelopmentKeys,
    postgres: Option<String>,
    own_server: bool,
}

impl Bench {
    pub async fn open(folder: &Path, seconds: f64, needs_postgres: bool) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let products = Products::load(Path::new("benches/products")).map_err(|faults| anyhow::anyhow!("{faults}"))?;
        let keys = || DevelopmentKeys::open_or_create(&folder.join("keys"), &products);
        let verifier =
            Keys::new(&products, Some(keys()?)).map_err(|faults| anyhow::anyhow!("{}", faults.join(", ")))?;
        let keys = keys()?;
        let product = products.get("bench").context("the product of the bench")?;
        let mut claims = Claims::new(product, "bench", later());
        claims.scope = Some("audit:record".to_owned());
        let token = keys.sign("bench", &claims).map_err(|error| anyhow::anyhow!("{error}"))?;
        let principal = verifier.verify(&token, Clock::system().now()).await.map_err(|e| anyhow::anyhow!("{e}"))?;
        let (mut postgres, mut own_server) = (std::env::var("LEDGERLINE_BENCH_POSTGRES_URL").ok(), false);
        if needs_postgres && postgres.is_none() {
            let server = |command| Command::new("scripts/postgres").arg(command).arg(folder.join("postgres")).output();
            // Left by a run that was interrupted.
            server("stop")?;
            let output = server("start")?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            postgres = Some(String::from_utf8_lossy(&output.stdout).trim().to_owned());
            own_server = true;
        }
        let figures = Figures::at(folder);
        let principal = Arc::new(principal);
        Ok(Self { folder: folder.to_owned(), products, figures, seconds, principal, keys, postgres, own_server })
    }

    pub fn product(&self) -> &Arc<Product> {
        self.products.get("bench").expect("checked at the start")
    }

    pub fn events(&self, size: u64, backfill: bool) -> Events {
        Events::new(size, backfill, self.product())
    }

    /// URL of a database of a name, made if it is not there.
    pub async fn url(&self, database: Database, name: &str) -> Result<String> {
        match database {
            Database::Sqlite => {
                Ok(format!("sqlite://{}", fs::canonicalize(&self.folder)?.join(format!("{name}.db")).display()))
            }
            Database::Postgres => {
                let server = self.postgres.as_deref().context("a PostgreSQL")?;
                let url = format!("{}/bench_{name}", &server[..server.rfind('/').context("a database in the URL")?]);
                if connect(&url).await.is_err() {
                    connect(server).await?.execute_unprepared(&format!("CREATE DATABASE bench_{name}")).await?;
                }
                Ok(url)
            }
        }
    }

    /// The same, empty.
    pub async fn fresh_url(&self, database: Database, name: &str) -> Result<String> {
        match (database, &self.postgres) {
            (Database::Postgres, Some(server)) => {
                let drop = format!("DROP DATABASE IF EXISTS bench_{name} WITH (FORCE)");
                connect(server).await?.execute_unprepared(&drop).await?;
            }
            _ => {
                for suffix in ["db", "db-wal", "db-shm"] {
                    let _ = fs::remove_file(self.folder.join(format!("{name}.{suffix}")));
                }
            }
        }
        self.url(database, name).await
    }

    /// The database of a size, by name: `100k`, `1m_backfill`.
    pub fn name(size: u64, backfill: bool) -> String {
        format!("{}{}", short(size), if backfill { "_backfill" } else { "" })
    }

    /// The column of a database and a size in the report.
    pub fn on(database: Database, size: u64, backfill: bool) -> String {
        format!("{} {}{}", database.name(), short(size), if backfill { " backfill" } else { "" })
    }

    /// The program with a database and the bench's product and keys.
    pub fn program(&self, url: &str) -> Command {
        let mut command = Command::new("target/release/ledgerline");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LEDGERLINE_")) {
            command.env_remove(name);
        }
        command
            .env("LEDGERLINE_DATABASE_URL", url)
            .env("LEDGERLINE_PRODUCTS", "benches/products")
            .env("LEDGERLINE_KEYS", self.folder.join("keys"));
        command
    }

    /// A token to read and record, for an organization or any.
    pub fn token(&self, organization: Option<usize>) -> Result<String> {
        let mut claims = Claims::new(self.product(), "bench", later());
        claims.scope = Some(if organization.is_some() { "audit:read audit:record" } else { "audit:record" }.to_owned());
        claims.org = organization.map(|no| format!("org_{no}"));
        self.keys.sign("bench", &claims).map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// A token to do everything in an organization.
    pub fn manager(&self, organization: usize) -> Result<String> {
        self.manager_as("bench", organization)
    }

    /// The same of somebody.
    pub fn manager_as(&self, subject: &str, organization: usize) -> Result<String> {
        let mut claims = Claims::new(self.product(), subject, later());
        claims.scope = Some("audit:read audit:record audit:manage audit:export".to_owned());
        claims.org = Some(format!("org_{organization}"));
        self.keys.sign("bench", &claims).map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// A token that says which plans organizations have.
    pub fn backend(&self) -> Result<String> {
        let mut claims = Claims::new(self.product(), "bench", later());
        claims.scope = Some("audit:manage".to_owned());
        self.keys.sign("bench", &claims).map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// Permissions to record, by organization.
    pub fn scopes(&self) -> Result<HashMap<String, WriteScope>> {
        let names = (0..ORGANIZATIONS).map(|no| format!("org_{no}"));
        let scope = |name: String| {
            let scope = policy::may_record(&self.principal, Some(&name)).map_err(|e| anyhow::anyhow!("{e}"))?;
            Ok((name, scope))
        };
        names.map(scope).collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if self.own_server {
            let _ = Command::new("scripts/postgres").arg("stop").arg(self.folder.join("postgres")).status();
        }
    }
}

fn later() -> Timestamp {
    Timestamp(Clock::system().now().0 + 12 * 3_600 * 1_000_000_000)
}

/// Events of some numbers, admitted.
pub fn items(
    events: &Events,
    scopes: &HashMap<String, WriteScope>,
    numbers: std::ops::Range<u64>,
) -> Result<Vec<Item>> {
    let now = Clock::system().now();
    let masking = MaskingKey::new(&[1; MaskingKey::BYTES]);
    let item = |n| {
        let input = events.event(n);
        let scope = scopes[input.organization.as_deref().unwrap_or_default()].clone();
        ingest::admit(&masking, scope, input, now).map_err(|error| anyhow::anyhow!("{error}"))
    };
    numbers.map(item).collect()
}

/// Opens the store of a database.
pub async fn store(url: &str) -> Result<Store> {
    Store::open(url, Durability::Required, &Clock::system(), Chance::system())
        .await
        .map_err(ledgerline::app::with_cause)
}

/// A connection around the service.
pub async fn connect(url: &str) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false).connect_timeout(Duration::from_secs(5));
    Ok(Db::connect(options).await?)
}

/// One number of a query.
pub async fn number(db: &DatabaseConnection, sql: &str) -> Result<f64> {
    let statement = sea_orm::Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await?.context("a row")?;
    Ok(row.try_get_by::<i64, usize>(0)? as f64)
}

/// A task that records.
pub fn record(items: Vec<Item>) -> Task {
    Task::Record { items, atomic: false }
}
