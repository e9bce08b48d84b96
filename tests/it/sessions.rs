//! What is asked of PostgreSQL when a connection is opened: a database that would not keep what it acknowledges, or not
//! store every text, is refused with the reason; settings hold whatever stands in between.

use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::{
    crash::Place,
    harness::{Database, TestApp, event, eventually},
    process::{Service, ledgerline},
    server::{Server, beside, execute, refused},
    wire::{Proxy, transaction_pooler},
};

fn name_of(url: &str) -> &str {
    &url[url.rfind('/').expect("a database") + 1..]
}

/// Keeps what the sessions that record are set to.
const WATCH: &str = "CREATE TABLE seen (setting text, value text);
    CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO seen SELECT name, current_setting(name) FROM unnest(ARRAY['synchronous_commit',
            'transaction_isolation', 'plan_cache_mode', 'enable_sort', 'jit', 'statement_timeout']) AS name;
        RETURN NULL; END $$;
    CREATE TRIGGER see AFTER INSERT ON event_order FOR EACH STATEMENT EXECUTE FUNCTION see()";

async fn seen(url: &str) -> Vec<(String, String)> {
    let mut db = PgConnection::connect(url).await.expect("PostgreSQL answers");
    let sql = "SELECT DISTINCT setting, value FROM seen ORDER BY 1, 2";
    sqlx::query_as(sql).fetch_all(&mut db).await.expect("rows")
}

fn as_wanted() -> Vec<(String, String)> {
    let wanted = [
        ("enable_sort", "off"),
        ("jit", "off"),
        ("plan_cache_mode", "force_generic_plan"),
        ("statement_timeout", "0"),
        ("synchronous_commit", "on"),
        ("transaction_isolation", "read committed"),
    ];
    wanted.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_hold_though_the_database_has_others_and_a_pooler_knows_none() {
    let app = TestApp::start(Database::Postgres).await;
    execute(&app.url, WATCH.to_owned()).await;
    let name = name_of(&app.url);
    for (setting, value) in [
        ("synchronous_commit", "off"),
        ("default_transaction_isolation", "serializable"),
        ("statement_timeout", "5000"),
        ("enable_sort", "on"),
    ] {
        execute(&app.url, format!("ALTER DATABASE {name} SET {setting} = '{value}'")).await;
    }
    // A pooler in session mode that refuses every parameter of the start-up that it does not know.
    let pooler = Proxy::strict(&app.url).await;
    let service = app.beside_with(|settings| settings.database_url.clone_from(&pooler.url)).await;
    let admin = service.admin("workspace", "acme");
    assert_eq!(admin.record(event("a")).await["status"], "RECORDED");
    assert_eq!(admin.actions("").await, ["a"]);
    assert_eq!(seen(&app.url).await, as_wanted());
    service.finish().await;
    // Options of the URL are the operator's; a pooler that refuses them is named.
    let url = format!("{}?options=-c%20work_mem%3D8MB", pooler.url);
    let told = refused(&url, &app.folder(), &["serve", "--dev"]).await;
    assert!(told.contains("LEDGERLINE_DATABASE_URL") && told.contains("pooler") && told.contains("options"), "{told}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_mixes_sessions_or_drops_settings_is_refused_by_name() {
    let app = TestApp::start(Database::Postgres).await;
    // One that does not keep prepared statements apart.
    let shared = transaction_pooler(&app.url).await;
    for arguments in [&["serve", "--dev"][..], &["migrate"], &["migrate", "--dry-run"]] {
        let told = refused(&shared, &app.folder(), arguments).await;
        assert!(told.contains("pooler in transaction mode") && told.contains("max_prepared_statements"), "{told}");
        assert!(!told.contains("try again"), "{told}");
    }
    let dropping = Proxy::replacing(&app.url, "SET synchronous_commit = 'on'", "SET synchronous_commit = 'off'").await;
    let told = refused(&dropping.url, &app.folder(), &["serve", "--dev"]).await;
    assert!(told.contains("synchronous_commit") && told.contains("pooler"), "{told}");
    // One that does so for the sessions that read: their time limit is lost.
    let dropping = Proxy::replacing(&app.url, "SET statement_timeout = '10s'", "SELECT 1").await;
    let mut command = ledgerline(&app.url, &app.folder());
    command.env("LEDGERLINE_READ_DATABASE_URL", &dropping.url).env("LEDGERLINE_LISTEN", "127.0.0.1:0");
    command.args(["serve", "--dev"]);
    let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("LEDGERLINE_READ_DATABASE_URL") && told.contains("statement_timeout"), "{told}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_in_utf8_is_refused_with_the_reason() {
    let app = TestApp::start(Database::Postgres).await;
    for encoding in ["LATIN1", "SQL_ASCII", "EUC_JP"] {
        let name = format!("{}_{}", name_of(&app.url), encoding.to_lowercase());
        let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'");
        execute(&app.url, create).await;
        let url = beside(&app.url, &name);
        for arguments in [&["serve", "--dev"][..], &["migrate"]] {
            let told = refused(&url, &app.folder(), arguments).await;
            assert!(
                told.contains("LEDGERLINE_DATABASE_URL") && told.contains("UTF8") && told.contains(encoding),
                "{told}"
            );
        }
        let mut db = PgConnection::connect(&url).await.expect("PostgreSQL answers");
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
        let tables: i64 = sqlx::query_scalar(tables).fetch_one(&mut db).await.expect("a number");
        assert_eq!(tables, 0, "nothing was made in it");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forgets_what_it_acknowledged_is_refused_unless_the_operator_says_so() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::of("acme", server.url.clone(), folder.path().to_owned());
    let client = place.client();
    let running = place.service().await;
    let ready = async |service: &Service| {
        let answer = reqwest::get(format!("{}/readyz", service.base)).await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    };
    assert_eq!(ready(&running).await, (200, "ready".to_owned()));
    for setting in ["full_page_writes", "fsync"] {
        server.set(setting, "off").await;
        // A service that is running notices.
        assert_eq!(ready(&running).await.0, 503, "{setting}");
        // The log comes by a pipe: an ERROR line names the setting.
        eventually(async || running.log().iter().any(|line| line.contains("ERROR") && line.contains(setting))).await;
        let told = refused(&server.url, folder.path(), &["serve", "--dev"]).await;
        for part in ["LEDGERLINE_DATABASE_URL", setting, "LEDGERLINE_ALLOW_UNSAFE_DURABILITY"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        // Both ways to say so.
        let mut by_variable = ledgerline(&server.url, folder.path());
        by_variable.env("LEDGERLINE_ALLOW_UNSAFE_DURABILITY", "true");
        let mut by_flag = ledgerline(&server.url, folder.path());
        by_flag.arg("--allow-unsafe-durability");
        for command in [by_variable, by_flag] {
            let allowed = Service::run(command).await;
            let (status, text) = ready(&allowed).await;
            assert!(status == 200 && text.contains(setting), "{status} {text}");
            assert!(text.contains("LEDGERLINE_ALLOW_UNSAFE_DURABILITY"), "{text}");
            let named =
                |line: &String| line.contains("WARN") && line.contains(setting) && line.contains("ALLOW_UNSAFE");
            eventually(async || allowed.log().iter().any(named)).await;
            let results = client.record(&allowed.base, &[event("a")]).await.expect("an answer").expect("results");
            assert_eq!(results[0]["status"], "RECORDED");
            assert!(allowed.terminate().await.success());
        }
        server.set(setting, "on").await;
        assert_eq!(ready(&running).await, (200, "ready".to_owned()));
    }
    let results = client.record(&running.base, &[event("b")]).await.expect("an answer").expect("results");
    assert_eq!(results[0]["sequence"], json!("4"));
    assert!(running.terminate().await.success());
}
