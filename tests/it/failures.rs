//! A database that cannot be used: a typed error, a loud log, not ready, nothing acknowledged that is not there,
//! and recovery without a restart.

use std::{os::unix::process::CommandExt, time::Duration};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::{
    harness::{Answer, Caller, Database, TestApp, event, eventually},
    process::{self, Client, Service},
};

const RECORD: &str = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status sequence } }";

fn keyed(key: &str) -> Value {
    let mut input = event("user.login");
    input["idempotencyKey"] = json!(key);
    input
}

async fn try_record(admin: &Caller<'_>, key: &str) -> Answer {
    admin.ask(RECORD, json!({ "input": keyed(key) })).await
}

fn is_unavailable(answer: &Answer) {
    assert_eq!(answer.code(), "UNAVAILABLE", "{:#}", answer.json());
    let json = answer.json();
    assert!(json["data"].is_null() || json["data"]["recordAuditEvent"].is_null(), "{json:#}");
}

async fn ready(app: &TestApp) -> u16 {
    use axum::{body::Body, http::Request};
    app.send(Request::get("/readyz").body(Body::empty()).unwrap()).await.status.as_u16()
}

/// Every key was recorded once, in this order.
async fn trail(admin: &Caller<'_>) -> usize {
    let list = admin.data("{ auditEvents(first: 100) { totalCount nodes { sequence } } }", json!({})).await;
    let list = &list["auditEvents"];
    let number = list["nodes"].as_array().unwrap().len();
    assert_eq!(list["totalCount"], number);
    assert!(number == 0 || list["nodes"][0]["sequence"] == json!((number - 1).to_string()));
    number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_locked_for_longer_than_we_wait() {
    let app = TestApp::start(Database::Sqlite).await;
    let admin = app.admin("workspace", "acme");
    assert!(try_record(&admin, "a").await.json()["errors"].is_null());
    let mut other = SqliteConnection::connect(&app.url).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let (first, second, not_ready) = tokio::join!(try_record(&admin, "b"), try_record(&admin, "c"), ready(&app));
    is_unavailable(&first);
    is_unavailable(&second);
    assert_eq!(not_ready, 503);
    // Reading goes on.
    assert_eq!(trail(&admin).await, 1);
    other.execute("ROLLBACK").await.unwrap();
    eventually(async || ready(&app).await == 200).await;
    for (key, expected) in [("a", "ALREADY_RECORDED"), ("b", "RECORDED"), ("c", "RECORDED")] {
        assert_eq!(try_record(&admin, key).await.data()["recordAuditEvent"]["status"], expected, "{key}");
    }
    assert_eq!(trail(&admin).await, 3);
    app.finish().await;
}

/// Sizes of files of the process may be limited from outside: the disk is full.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_on_a_full_disk() {
    let app = TestApp::start(Database::Sqlite).await;
    let token = app.admin("workspace", "acme").token();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("keys")).unwrap();
    for file in std::fs::read_dir(app.folder().join("keys")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join("keys").join(file.file_name())).unwrap();
    }
    let url = format!("sqlite://{}", folder.path().join("ledgerline.db").display());
    let plain = process::ledgerline(&url, folder.path());
    // `ulimit -f` counts blocks of 512 or 1,024 bytes; the signal of it is ignored, so that writes fail.
    let mut command = std::process::Command::new("sh");
    command.arg("-c").arg("trap '' XFSZ; ulimit -S -f 1500; exec \"$0\" \"$@\"").arg(plain.get_program());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.arg0("sh");
    let service = Service::run(command).await;
    let client = Client::new(token);
    let (mut acknowledged, mut refused) = (0, None);
    let large = |key: String| {
        let mut input = keyed(&key);
        input["metadata"] = json!({ "text": format!("word{key} ").repeat(1_000) });
        json!({ "input": input })
    };
    for i in 0..400 {
        let answer = client.ask(&service.base, RECORD, large(format!("k{i}"))).await.expect("an answer");
        if answer["data"]["recordAuditEvent"]["status"] == "RECORDED" {
            assert!(refused.is_none());
            acknowledged += 1;
        } else {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("the disk is full at some time");
    // A second one in a row, and not ready meanwhile: as much as an event holds does not fit.
    let second = client.ask(&service.base, RECORD, large("second".to_owned())).await.expect("an answer");
    assert_eq!(second["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{second}");
    assert_eq!(client.status(format!("{}/readyz", service.base)).await, 503);
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{refused}");
    assert!(acknowledged > 0);
    // Everything acknowledged can be read, and the failure is in the log.
    let query = "{ auditEvents(first: 0) { totalCount } }";
    let list = client.ask(&service.base, query, json!({})).await.expect("an answer");
    assert_eq!(list["data"]["auditEvents"]["totalCount"], acknowledged, "{list}");
    let is_told = || service.log().iter().any(|line| line.contains("ERROR") && line.contains("NOT recorded"));
    eventually(async || is_told()).await;
    // Room again: recording goes on without a restart.
    let pid = service.id().to_string();
    let more = std::process::Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
    if more.is_ok_and(|status| status.success()) {
        for later in 0..20 {
            let answer = client.ask(&service.base, RECORD, json!({ "input": keyed(&format!("later{later}")) })).await;
            let recorded = &answer.expect("an answer")["data"]["recordAuditEvent"];
            assert_eq!(recorded["status"], "RECORDED", "{recorded}");
            assert_eq!(recorded["sequence"], acknowledged.to_string());
            acknowledged += 1;
            let list = client.ask(&service.base, query, json!({})).await.expect("an answer");
            assert_eq!(list["data"]["auditEvents"]["totalCount"], acknowledged, "{list}");
        }
        assert_eq!(client.status(format!("{}/readyz", service.base)).await, 200);
    }
    service.kill();
    let service = Service::start(&url, folder.path()).await;
    let list = client.ask(&service.base, query, json!({})).await.expect("an answer");
    assert!(list["data"]["auditEvents"]["totalCount"].as_i64().unwrap() >= acknowledged, "{list}");
    service.kill();
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_with_a_statement_that_fails_records_nothing_of_it() {
    let app = TestApp::start(Database::Sqlite).await;
    let admin = app.admin("workspace", "acme");
    assert!(try_record(&admin, "a").await.json()["errors"].is_null());
    // The statement after the events' own: everything before it is taken back.
    let mut other = SqliteConnection::connect(&app.url).await.unwrap();
    other.execute("ALTER TABLE event_count RENAME TO event_count_gone").await.unwrap();
    let answer = try_record(&admin, "b").await;
    assert!(!answer.errors().is_empty());
    assert_eq!(trail_of(&app).await, 1, "nothing of it is there");
    other.execute("ALTER TABLE event_count_gone RENAME TO event_count").await.unwrap();
    eventually(async || try_record(&admin, "b").await.json()["errors"].is_null()).await;
    assert_eq!(trail(&admin).await, 2);
    app.finish().await;
}

/// A file that may not be written: the process says so and does not start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_in_a_file_that_is_read_only() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let app = TestApp::start(Database::Sqlite).await;
    let admin = app.admin("workspace", "acme");
    assert!(try_record(&admin, "a").await.json()["errors"].is_null());
    let folder = app.folder();
    let copy = tempfile::tempdir().unwrap();
    let file = copy.path().join("ledgerline.db");
    let mut other = SqliteConnection::connect(&app.url).await.unwrap();
    other.execute(AssertSqlSafe(format!("VACUUM INTO '{}'", file.display()))).await.unwrap();
    let url = format!("sqlite://{}", file.display());
    let mut command = process::ledgerline(&url, &folder);
    command.args(["import", "/dev/null", "--product", "workspace"]).env("LEDGERLINE_KEYS", copy.path().join("keys"));
    // Root may write any file: then the process is somebody else.
    let root = fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    if root {
        command.uid(65_534).gid(65_534);
        let program = copy.path().join("ledgerline");
        // By another process: what this one has open for writing, a child that a test beside starts has open for a
        // moment, too, and a program that is open for writing does not run.
        let copied = std::process::Command::new("cp").arg(command.get_program()).arg(&program).status();
        assert!(copied.is_ok_and(|status| status.success()), "the program is copied");
        let mut own = std::process::Command::new(&program);
        own.args(command.get_args()).uid(65_534).gid(65_534);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => own.env(name, value),
                None => own.env_remove(name),
            };
        }
        command = own;
    }
    let keys = copy.path().join("keys");
    fs::create_dir(&keys).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let output = command.output().expect("the program runs");
    fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it started: {said}");
    assert!(said.contains("the database cannot be opened"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    app.finish().await;
}

/// Rows of the log, past the service.
async fn trail_of(app: &TestApp) -> i64 {
    let mut other = SqliteConnection::connect(&app.url).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(&mut other).await.unwrap()
}

/// The name of the app's database, and a connection to another one.
async fn beside(app: &TestApp) -> (String, PgConnection) {
    let (server, name) = app.url.rsplit_once('/').expect("a database URL");
    let name = name.split('?').next().unwrap().to_owned();
    (name, PgConnection::connect(&format!("{server}/postgres")).await.expect("PostgreSQL answers"))
}

async fn run(connection: &mut PgConnection, sql: String) {
    connection.execute(AssertSqlSafe(sql)).await.expect("it runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_gone_and_back() {
    let app = TestApp::start(Database::Postgres).await;
    let admin = app.admin("workspace", "acme");
    assert!(try_record(&admin, "a").await.json()["errors"].is_null());
    let (name, mut other) = beside(&app).await;
    let hang_up = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    run(&mut other, format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    run(&mut other, hang_up).await;
    let (record, read) = tokio::join!(try_record(&admin, "b"), admin.ask("{ auditEvents { totalCount } }", json!({})));
    is_unavailable(&record);
    is_unavailable(&read);
    assert_eq!(ready(&app).await, 503);
    run(&mut other, format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
    eventually(async || ready(&app).await == 200).await;
    for (key, expected) in [("a", "ALREADY_RECORDED"), ("b", "RECORDED")] {
        assert_eq!(try_record(&admin, key).await.data()["recordAuditEvent"]["status"], expected, "{key}");
    }
    assert_eq!(trail(&admin).await, 2);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_hangs_up_under_load() {
    let app = TestApp::start(Database::Postgres).await;
    let (name, mut other) = beside(&app).await;
    let hang_up = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    let clients = async {
        let one = async |client: usize| {
            let admin = app.admin("workspace", "acme");
            let (mut recorded, mut refused) = (0, 0);
            for i in 0..40 {
                let key = format!("{client}-{i}");
                // What was refused is sent again until it is there.
                loop {
                    let answer = try_record(&admin, &key).await.json();
                    let Some(error) = answer["errors"].get(0) else { break };
                    let code = error["extensions"]["code"].as_str().unwrap_or_default();
                    assert_eq!(code, "UNAVAILABLE", "{answer:#}");
                    refused += 1;
                    assert!(refused < 2_000);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                recorded += 1;
            }
            (recorded, refused)
        };
        tokio::join!(one(0), one(1), one(2), one(3))
    };
    let breaks = async {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(40)).await;
            run(&mut other, hang_up.clone()).await;
        }
    };
    let (results, ()) = tokio::join!(clients, breaks);
    let recorded = results.0.0 + results.1.0 + results.2.0 + results.3.0;
    assert_eq!(recorded, 160);
    eventually(async || ready(&app).await == 200).await;
    let list = app
        .admin("workspace", "acme")
        .data("{ auditEvents(first: 1) { totalCount nodes { sequence } } }", json!({}))
        .await;
    assert_eq!(list["auditEvents"]["totalCount"], 160);
    assert_eq!(list["auditEvents"]["nodes"][0]["sequence"], "159");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_that_takes_no_writes() {
    let app = TestApp::start(Database::Postgres).await;
    let admin = app.admin("workspace", "acme");
    assert!(try_record(&admin, "a").await.json()["errors"].is_null());
    let (name, mut other) = beside(&app).await;
    let hang_up = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    run(&mut other, format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    run(&mut other, hang_up.clone()).await;
    // A connection that was hung up is noticed at its next use.
    eventually(async || ready(&app).await == 503).await;
    is_unavailable(&try_record(&admin, "b").await);
    let reads =
        async || admin.ask("{ auditEvents { totalCount nodes { id } } }", json!({})).await.json()["errors"].is_null();
    eventually(reads).await;
    assert_eq!(trail(&admin).await, 1);
    run(&mut other, format!("ALTER DATABASE {name} SET default_transaction_read_only = off")).await;
    run(&mut other, hang_up).await;
    eventually(async || ready(&app).await == 200).await;
    eventually(async || try_record(&admin, "b").await.json()["errors"].is_null()).await;
    eventually(reads).await;
    assert_eq!(trail(&admin).await, 2);
    app.finish().await;
}

/// A search that the database gives up says why, and which word to make longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_past_its_time_limit_names_the_prefix() {
    let app = TestApp::start(Database::Postgres).await;
    let admin = app.admin("workspace", "acme");
    assert!(try_record(&admin, "a").await.json()["errors"].is_null());
    let mut other = PgConnection::connect(&app.url).await.unwrap();
    other.execute("BEGIN").await.unwrap();
    other.execute("LOCK TABLE event IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let ask = async |search: &str| {
        let query = "query($search: String) { auditEvents(search: $search) { nodes { id } } }";
        let answer = admin.ask(query, json!({ "search": search })).await;
        assert_eq!(answer.code(), "QUERY_TOO_COMPLEX", "{:#}", answer.json());
        answer.json()["errors"][0]["message"].to_string()
    };
    let (prefix, word) = tokio::join!(ask("login us*"), ask("login"));
    assert!(prefix.contains("us*") && prefix.contains("write more of the word"), "{prefix}");
    assert!(word.contains("narrow it by dates") && !word.contains('*'), "{word}");
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(trail(&admin).await, 1);
    app.finish().await;
}
