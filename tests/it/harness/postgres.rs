//! Databases on the PostgreSQL that the test command started: one template, cloned for each test.

use std::sync::atomic::{AtomicU32, Ordering};

use ledgerline::{
    chance::Chance,
    clock::Clock,
    store::{Durability, Store},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

fn admin_url() -> String {
    std::env::var("LEDGERLINE_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!(
            "LEDGERLINE_TEST_POSTGRES_URL is not set: run the tests with `make test`, which starts a PostgreSQL for \
             them, or set it to the URL of a database whose user may create databases"
        )
    })
}

fn url_of(database: &str) -> String {
    let admin = admin_url();
    let (base, query) = admin.split_once('?').map_or((admin.as_str(), None), |(base, query)| (base, Some(query)));
    let host = base.rfind('/').map_or(base, |at| &base[..at]);
    query.map_or_else(|| format!("{host}/{database}"), |query| format!("{host}/{database}?{query}"))
}

async fn execute(sql: String) {
    let mut admin = PgConnection::connect(&admin_url()).await.expect("PostgreSQL answers");
    admin.execute(AssertSqlSafe(sql)).await.expect("the statement runs");
    admin.close().await.expect("the connection closes");
}

/// URL of a database of its own, at the newest schema and empty.
pub async fn fresh_database() -> String {
    let template = TEMPLATE
        .get_or_init(|| async {
            let name = format!("ledgerline_template_{}", std::process::id());
            execute(format!("DROP DATABASE IF EXISTS {name}")).await;
            execute(format!("CREATE DATABASE {name}")).await;
            let store = Store::open(&url_of(&name), Durability::Required, &Clock::system(), Chance::system())
                .await
                .expect("the template is made");
            store.close().await;
            name
        })
        .await;
    let name = format!("ledgerline_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    // Cloning needs the template without connections, and two clones at once collide.
    static CLONING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let cloning = CLONING.lock().await;
    execute(format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    drop(cloning);
    over_pooler(url_of(&name), &name)
}

/// The same database by way of a pooler, where the tests are run over one: `scripts/test-receivers pgbouncer`.
fn over_pooler(url: String, name: &str) -> String {
    std::env::var("LEDGERLINE_TEST_POOLER_URL").map_or(url, |pooler| format!("{pooler}/{name}"))
}

/// URL of a database of its own that has nothing in it.
pub async fn empty_database() -> String {
    let name = format!("ledgerline_empty_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    execute(format!("CREATE DATABASE {name}")).await;
    url_of(&name)
}

/// URL of the same database on the replica that the test command started, once it has arrived there.
pub async fn replica_of(url: &str) -> String {
    let replica = std::env::var("LEDGERLINE_TEST_REPLICA_URL").unwrap_or_else(|_| {
        panic!(
            "LEDGERLINE_TEST_REPLICA_URL is not set: run the tests with `make test`, which starts a streaming replica \
             for them, or set it to the URL of one of LEDGERLINE_TEST_POSTGRES_URL"
        )
    });
    let database = &url[url.rfind('/').expect("a database in the URL")..];
    let host = &replica[..replica.rfind('/').expect("a database in the URL")];
    let url = format!("{host}{database}");
    super::eventually(async || PgConnection::connect(&url).await.is_ok()).await;
    url
}
