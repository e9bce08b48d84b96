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
    of_server(&admin_url(), database)
}

fn of_server(admin: &str, database: &str) -> String {
    let (base, query) = admin.split_once('?').map_or((admin, None), |(base, query)| (base, Some(query)));
    let host = base.rfind('/').map_or(base, |at| &base[..at]);
    query.map_or_else(|| format!("{host}/{database}"), |query| format!("{host}/{database}?{query}"))
}

async fn execute(sql: String) {
    execute_at(&admin_url(), sql).await;
}

async fn execute_at(url: &str, sql: String) {
    let mut admin = PgConnection::connect(url).await.expect("PostgreSQL answers");
    admin.execute(AssertSqlSafe(sql)).await.expect("the statement runs");
    admin.close().await.expect("the connection closes");
}

/// URLs of the nodes of the cluster that the tests were given, the coordinator's first; of a single server none.
async fn nodes() -> &'static [String] {
    static NODES: OnceCell<Vec<String>> = OnceCell::const_new();
    let found = NODES.get_or_init(|| async {
        let admin = admin_url();
        let mut connection = PgConnection::connect(&admin).await.expect("PostgreSQL answers");
        let is_citus: bool = sqlx::query_scalar("SELECT to_regclass('pg_dist_node') IS NOT NULL")
            .fetch_one(&mut connection)
            .await
            .expect("the server says what it has");
        if !is_citus {
            return Vec::new();
        }
        let hosts: Vec<String> =
            sqlx::query_scalar("SELECT nodename || ':' || nodeport FROM pg_dist_node ORDER BY groupid")
                .fetch_all(&mut connection)
                .await
                .expect("the cluster names its nodes");
        let own = admin.split_once("://").expect("a URL").1.split(['/', '?']).next().expect("a host");
        let own = own.rsplit('@').next().expect("a host").to_owned();
        hosts.iter().map(|host| admin.replacen(&own, host, 1)).collect()
    });
    found.await
}

/// Makes a database on every node, and makes the nodes one cluster.
async fn make_cluster(name: &str) {
    for node in nodes().await {
        execute_at(node, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        execute_at(node, format!("CREATE DATABASE {name}")).await;
        execute_at(&of_server(node, name), "CREATE EXTENSION citus".to_owned()).await;
    }
    // Enough for every node to have some, and few enough to be cloned for each test.
    execute(format!("ALTER DATABASE {name} SET citus.shard_count = 4")).await;
    for (at, node) in nodes().await.iter().enumerate() {
        let (host, port) = node.split('@').next_back().expect("a host").split_once(':').expect("a port");
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        let add = if at == 0 { "citus_set_coordinator_host" } else { "citus_add_node" };
        execute_at(&url_of(name), format!("SELECT {add}('{host}', {port})")).await;
    }
}

/// Clones a database of the cluster, on every node by itself: the catalogs say the same of the clones. Its nodes may look
/// after it meanwhile, and a template must be nobody's.
async fn clone_cluster(name: &str, template: &str) {
    for node in nodes().await {
        execute_at(
            node,
            format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{template}'"),
        )
        .await;
        execute_at(node, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    }
}

/// URL of a database of its own, at the newest schema and empty.
pub async fn fresh_database() -> String {
    let template = TEMPLATE
        .get_or_init(|| async {
            let name = format!("ledgerline_template_{}", std::process::id());
            let is_cluster = !nodes().await.is_empty();
            if is_cluster {
                make_cluster(&name).await;
            } else {
                execute(format!("DROP DATABASE IF EXISTS {name}")).await;
                execute(format!("CREATE DATABASE {name}")).await;
            }
            let store = Store::open(&url_of(&name), Durability::Required, &Clock::system(), Chance::system())
                .await
                .expect("the template is made");
            if is_cluster {
                store.distribute(|_, _| {}).await.expect("the template is distributed");
            }
            store.close().await;
            for node in nodes().await {
                execute_at(node, format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")).await;
            }
            name
        })
        .await;
    let name = format!("ledgerline_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    // Cloning needs the template without connections, and two clones at once collide.
    static CLONING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let cloning = CLONING.lock().await;
    if nodes().await.is_empty() {
        execute(format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    } else {
        clone_cluster(&name, template).await;
    }
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

/// The replica waits for no reader, until this has ended: what the primary does to a table cancels whoever has it.
pub struct Impatient {
    url: String,
    /// One at a time: it is a setting of the whole server.
    _alone: tokio::sync::MutexGuard<'static, ()>,
}

impl Impatient {
    pub async fn from(replica: &str) -> Self {
        static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let alone = ALONE.lock().await;
        let begun = Self { url: replica.to_owned(), _alone: alone };
        begun.set("ALTER SYSTEM SET max_standby_streaming_delay = 0").await;
        begun
    }

    async fn set(&self, statement: &'static str) {
        execute_at(&self.url, statement.to_owned()).await;
        execute_at(&self.url, "SELECT pg_reload_conf()".to_owned()).await;
    }

    /// Waits until it knows that the primary has locked a table.
    pub async fn heard_of_lock(&self, primary: &str, table: &str) {
        // It hears of the lock with the next commit.
        execute_at(primary, "SELECT pg_logical_emit_message(true, '', '')".to_owned()).await;
        let held = format!(
            "SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND mode = 'AccessExclusiveLock' AND granted"
        );
        super::eventually(async || super::sql::column::<i64>(&self.url, &held).await == [1]).await;
    }

    pub async fn end(self) {
        self.set("ALTER SYSTEM RESET max_standby_streaming_delay").await;
    }
}
