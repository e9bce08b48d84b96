//! The commands.

#![expect(clippy::disallowed_methods, reason = "the machine's clock and chance come in here")]

mod access;
mod backup;
mod check_token;
mod copy;
mod demo;
mod endpoints;
mod erase;
mod export;
mod holds;
pub(crate) mod import;
mod list;
mod listen;
mod manage;
mod organizations;
mod query;
mod reindex;
mod retention;
mod sweep;
mod token;

use std::{
    collections::BTreeSet,
    io::{IsTerminal, Write},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use async_graphql::SDLExportOptions;
use clap::{Parser, Subcommand};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::{
    app::{App, open_store, shown, with_cause},
    auth::Principal,
    catalog::{KeySource, Products},
    chance::Chance,
    clock::Clock,
    config::{LogFormat, Settings},
    graphql::schema_builder,
    keys::{DevelopmentKeys, Keys},
    store::Store,
};
use listen::Door;

/// An append-only audit log: record who did what, when, to which resource; page, filter and search it.
#[derive(Parser)]
#[command(name = "ledgerline", version)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the API, the viewer and the playground.
    Serve {
        /// Accepts tokens signed with the development keys. Never in production.
        #[arg(long)]
        dev: bool,
    },
    /// Serves everything with development keys and sample events for five products, and prints a link for each.
    Demo,
    /// Prints a token signed with the development key of a product.
    Token(token::TokenArgs),
    /// Explains claim by claim what a token would give, in which product, and why not. Never prints the token.
    CheckToken(check_token::CheckTokenArgs),
    /// Prints who may do what by the product files, or what a change of them changes of it. Asks no database.
    Access(access::AccessArgs),
    /// Records events from a file of JSON or CSV, or from standard input; safe to repeat.
    Import(import::ImportArgs),
    /// Writes the events of a log to a file: CSV, NDJSON, OCSF or CloudEvents.
    Export(export::ExportArgs),
    /// Prints the events that a query keeps, the newest first.
    Query(query::QueryArgs),
    /// Manages the endpoints of an organization: where its events are sent to.
    Endpoints(endpoints::EndpointsArgs),
    /// Manages the holds of an organization: what must not leave its log.
    Holds(holds::HoldsArgs),
    /// Shows and sets for how long events of an organization are kept.
    Retention(retention::RetentionArgs),
    /// Ends an organization, with somebody else's confirmation, and shows the certificate of one that has ended.
    Organizations(organizations::OrganizationsArgs),
    /// Copies everything to another database, SQLite or PostgreSQL; safe to repeat.
    Copy(copy::CopyArgs),
    /// Backs up the database and the keys to a folder, as of one moment; the service may be up.
    Backup(backup::BackupArgs),
    /// Makes a database of a backup, after all of it was checked. Nothing is recorded there before it is opened.
    Restore(backup::RestoreArgs),
    /// Opens a database for recording that was restored, or put back to an earlier state: what is there now counts.
    Open,
    /// Makes search terms anew that an older version has made; the service may be up, once no older version records any
    /// more. Safe to interrupt and repeat.
    Reindex(reindex::ReindexArgs),
    /// Removes what was kept for long enough, as the service does every hour; it may be up. Safe to interrupt and repeat.
    Sweep(sweep::SweepArgs),
    /// Erases a person from the log of an organization, as `eraseFromAuditLog` does; the service may be up. Safe to interrupt:
    /// a running service, or the next erasure, goes on.
    Erase(erase::EraseArgs),
    /// Prints the GraphQL schema.
    Schema,
    /// Brings the database's schema up to date.
    Migrate {
        /// Also distributes the tables over the nodes of a Citus cluster, by organization.
        #[arg(long)]
        citus: bool,
        /// Prints what would be done, and does nothing.
        #[arg(long, conflicts_with = "citus")]
        dry_run: bool,
    },
}

/// Runs the command that the process was started with.
///
/// # Errors
/// What keeps it from being done, in words.
pub async fn run() -> Result<ExitCode> {
    let Cli { settings, command } = Cli::parse();
    if let Command::Schema = command {
        say(schema_text().trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let products = load_products(&settings)?;
    let settings = settings.with_passwords();
    log_to_stderr(&settings)?;
    match command {
        Command::Schema => {}
        Command::Serve { dev } => serve(&settings, &products, dev).await?,
        Command::Demo => Box::pin(demo::run(&settings, &products)).await?,
        Command::Token(arguments) => say(token::make(&settings, &products, &arguments)?)?,
        Command::CheckToken(arguments) => return check_token::run(&settings, &products, &arguments).await,
        Command::Access(arguments) => return access::run(&products, &arguments),
        Command::Import(arguments) => return import::run(&settings, &products, &arguments).await,
        Command::Export(arguments) => Box::pin(export::run(&settings, &products, &arguments)).await?,
        Command::Query(arguments) => Box::pin(query::run(&settings, &products, &arguments)).await?,
        Command::Endpoints(arguments) => {
            return Box::pin(endpoints::run(&settings, &products, arguments)).await;
        }
        Command::Holds(arguments) => Box::pin(holds::run(&settings, &products, arguments)).await?,
        Command::Retention(arguments) => Box::pin(retention::run(&settings, &products, arguments)).await?,
        Command::Organizations(arguments) => Box::pin(organizations::run(&settings, &products, arguments)).await?,
        Command::Copy(arguments) => copy::run(&settings, &arguments).await?,
        Command::Backup(arguments) => backup::back_up(&settings, &arguments).await?,
        Command::Restore(arguments) => Box::pin(backup::restore(&settings, &products, &arguments)).await?,
        Command::Open => backup::open(&settings).await?,
        Command::Reindex(arguments) => reindex::run(&settings, &arguments).await?,
        Command::Sweep(arguments) => Box::pin(sweep::run(&settings, &products, &arguments)).await?,
        Command::Erase(arguments) => Box::pin(erase::run(&settings, &products, &arguments)).await?,
        Command::Migrate { dry_run: true, .. } => would_migrate(&settings).await?,
        Command::Migrate { citus, .. } => migrate(&settings, citus).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a line to standard output. It is no fault where nobody reads it any more.
fn say(line: impl std::fmt::Display) -> Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("standard output cannot be written")
        }
        _ => Ok(()),
    }
}

/// Prints a line to standard error. What nobody can read is no reason to stop.
fn mention(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

async fn migrate(settings: &Settings, citus: bool) -> Result<()> {
    let clock = Clock::system();
    let store = open_store(settings, &clock, Chance::system()).await?;
    say("the schema is up to date")?;
    // A service whose role owns nothing cannot.
    store.mend_indexes().await.map_err(with_cause).context("an index that is not valid cannot be mended")?;
    store
        .seal_partitions(clock.now(), &BTreeSet::new())
        .await
        .map_err(with_cause)
        .context("partitions cannot be sealed")?;
    if citus {
        let begins = |table: &str, rows: u64| mention(format_args!("distributing {table}: {rows} rows"));
        let done = store.distribute(begins).await.map_err(with_cause).context("the tables cannot be distributed")?;
        match done.as_slice() {
            [] => say("all tables are distributed already")?,
            tables => say(format_args!("distributed {}", tables.join(", ")))?,
        }
    }
    store.close().await;
    Ok(())
}

/// Prints what `migrate` would do.
async fn would_migrate(settings: &Settings) -> Result<()> {
    let url = &settings.database_url;
    let schema = Store::schema(url, &Chance::system()).await.and_then(|schema| schema.refuse_newer().map(|()| schema));
    let cannot = || format!("the database cannot be opened ({})", shown(url));
    let schema = schema.map_err(with_cause).with_context(cannot)?;
    if schema.applied == 0 {
        say("would make a new database")?;
    }
    for name in &schema.pending {
        say(format_args!("would apply {name}"))?;
    }
    match schema.pending.len() {
        0 => say("the schema is up to date: nothing would be done"),
        1 => say("one migration is pending; nothing was done"),
        n => say(format_args!("{n} migrations are pending; nothing was done")),
    }
}

/// The schema as `schema.graphql` has it, without the directives that the specification itself defines.
#[must_use]
pub fn schema_text() -> String {
    let options = SDLExportOptions::new().use_space_ident().indent_width(2).include_specified_by();
    let sdl = schema_builder().finish().sdl_with_options(options);
    let is_built_in = |line: &str| {
        ["directive @include", "directive @skip", "directive @specifiedBy"].iter().any(|start| line.starts_with(start))
    };
    let mut kept: Vec<&str> = Vec::new();
    for line in sdl.lines() {
        if is_built_in(line) {
            // Its description: the three lines before it.
            kept.truncate(kept.len().saturating_sub(3));
        } else {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}

/// The products, and everything that is wrong with them or the settings at once.
fn load_products(settings: &Settings) -> Result<Products> {
    let products = match &settings.products {
        Some(folder) => {
            Products::load(folder).map_err(|errors| anyhow::anyhow!("the product files have faults:\n{errors}"))?
        }
        None => Products::built_in(),
    };
    let issuers = products.iter().flat_map(|product| &product.issuers);
    let named: Vec<String> = issuers.flat_map(|issuer| &issuer.keys).filter_map(KeySource::variable).collect();
    let faults = settings.faults(&named);
    if !faults.is_empty() {
        bail!("the settings have faults:\n{}", faults.join("\n"));
    }
    Ok(products)
}

fn log_to_stderr(settings: &Settings) -> Result<()> {
    // Migrations tell their every step; what matters of them is an error.
    // A line of a file of passwords that cannot be read is told of with all that stands in it.
    let quiet = format!("sea_orm_migration=warn,sqlx=warn,sqlx_postgres::options::pgpass=off,{}", settings.log);
    let filter = EnvFilter::try_new(quiet).context("LEDGERLINE_LOG cannot be read")?;
    // Nobody who reads the log is no reason to panic, which is what it would be.
    let lines = fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    // Colours are for eyes: in a file they would part what is searched for.
    let lines = if std::io::stderr().is_terminal() { lines } else { lines.with_ansi(false) };
    let registry = tracing_subscriber::registry().with(filter);
    match settings.log_format {
        LogFormat::Text => registry.with(lines.with_target(false)).init(),
        LogFormat::Json => registry.with(lines.json()).init(),
    }
    Ok(())
}

async fn serve(settings: &Settings, products: &Products, dev: bool) -> Result<()> {
    let development = if dev {
        tracing::warn!("development keys are accepted: anyone who can read their folder can sign tokens");
        Some(development_keys(settings, products)?)
    } else {
        None
    };
    let keys = Keys::new(products, development)
        .map_err(|faults| anyhow::anyhow!("the keys have faults:\n{}", faults.join("\n")))?;
    let keyless = keys.products_without_keys();
    // Of the products built in, one uses what one needs; one's own folder has no product that nobody can use.
    if keyless.len() == products.iter().count() || (settings.products.is_some() && !keyless.is_empty()) {
        bail!("no token could be accepted for {}: give their keys, or use --dev to try things out", keyless.join(", "));
    }
    let door = Door::open(settings).await?;
    let app = App::start(settings, keys, Clock::system(), Chance::system()).await?;
    tracing::info!("listening on {}", door.address()?);
    door.serve(app, stop_signal()).await
}

/// Completes when the process is told to stop.
async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

fn development_keys(settings: &Settings, products: &Products) -> Result<DevelopmentKeys> {
    DevelopmentKeys::open_or_create(&settings.keys_folder(), products)
        .context("the development keys cannot be made, or read, in the folder that LEDGERLINE_KEYS names")
}

/// The principal of a command that records for a product: made by the same verification as any other.
async fn recorder(
    keys: &Keys,
    development: &DevelopmentKeys,
    products: &Products,
    product: &str,
    subject: &str,
) -> Result<Arc<Principal>> {
    principal(keys, development, products, product, subject, "audit:record audit:manage").await
}

/// The principal of a command, with the scopes that it needs.
async fn principal(
    keys: &Keys,
    development: &DevelopmentKeys,
    products: &Products,
    product: &str,
    subject: &str,
    scopes: &str,
) -> Result<Arc<Principal>> {
    let product = products.get(product).with_context(|| unknown_product(products, product))?;
    let claims = token::claims(product, subject, scopes, std::time::Duration::from_secs(24 * 3600));
    let token = development.sign(&product.name, &claims).map_err(|error| anyhow::anyhow!("{error}"))?;
    let principal = keys.verify(&token, Clock::system().now()).await.map_err(with_cause)?;
    Ok(Arc::new(principal))
}

fn unknown_product(products: &Products, asked: &str) -> String {
    let names: Vec<_> = products.iter().map(|product| product.name.as_str()).collect();
    format!("there is no product {asked:?}; there are {}", names.join(", "))
}
