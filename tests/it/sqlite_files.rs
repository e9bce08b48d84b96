//! Files of SQLite that go away, come back, are replaced or grow under the running service.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

use crate::{
    crash::Place,
    harness::{Caller, Database, TestApp, event, eventually},
    process::{Client, Service, ledgerline},
};

const TOTAL: &str = "{ auditEvents(first: 0) { totalCount } }";
const RECORD: &str = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status sequence } }";

/// A service of its own, with the path of its database.
struct Running {
    place: Place,
    folder: tempfile::TempDir,
    service: Service,
    client: Client,
}

impl Running {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("ledgerline.db").display());
        let place = Place::of("acme", url, folder.path().to_owned());
        let (service, client) = (place.service().await, place.client());
        Self { place, folder, service, client }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Records single events and gives how many were acknowledged; the others were told that the database is gone.
    async fn record(&self, number: usize) -> usize {
        let mut acknowledged = 0;
        for _ in 0..number {
            let input = json!({ "input": event("user.login") });
            let answer = self.client.ask(&self.service.base, RECORD, input).await.expect("an answer");
            if answer["data"]["recordAuditEvent"]["status"] == "RECORDED" {
                acknowledged += 1;
            } else {
                assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}");
            }
        }
        acknowledged
    }

    async fn total(&self) -> Value {
        let answer = self.client.ask(&self.service.base, TOTAL, json!({})).await.expect("an answer");
        answer["data"]["auditEvents"]["totalCount"].clone()
    }

    async fn ready(&self) -> u16 {
        self.client.status(format!("{}/readyz", self.service.base)).await
    }

    async fn says(&self, words: &str) {
        eventually(async || self.service.log().iter().any(|line| line.contains("ERROR") && line.contains(words))).await;
    }

    /// `kill -9`, and a start on what is there.
    async fn kill(self) -> Self {
        let Self { place, folder, service, client } = self;
        service.kill();
        let service = place.service().await;
        Self { place, folder, service, client }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_log_acknowledges_nothing_and_loses_nothing_that_was() {
    let running = Running::start().await;
    assert_eq!(running.record(50).await, 50);
    fs::remove_file(running.file("ledgerline.db-wal")).unwrap();
    assert_eq!(running.record(5).await, 0);
    assert_eq!(running.ready().await, 503);
    running.says("ledgerline.db-wal was deleted").await;
    running.says("everything that was acknowledged is in the database file").await;
    // What is there can still be read; and after a kill, too.
    assert_eq!(running.total().await, 50);
    let running = running.kill().await;
    assert_eq!(running.total().await, 50);
    assert_eq!((running.record(3).await, running.ready().await), (3, 200));
    assert_eq!(running.total().await, 53);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_moved_away_records_again_when_it_is_back() {
    let running = Running::start().await;
    let (file, elsewhere) = (running.file("ledgerline.db"), running.file("elsewhere.db"));
    assert_eq!(running.record(20).await, 20);
    for round in 0..2 {
        fs::rename(&file, &elsewhere).unwrap();
        assert_eq!(running.record(5).await, 0);
        assert_eq!(running.ready().await, 503);
        running.says("ledgerline.db was deleted or moved").await;
        assert_eq!(running.total().await, 20 + round * 4, "reading goes on");
        assert!(!file.exists(), "nobody makes a new file");
        fs::rename(&elsewhere, &file).unwrap();
        assert_eq!((running.ready().await, running.record(4).await), (200, 4));
    }
    let running = running.kill().await;
    assert_eq!(running.total().await, 28);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_database_acknowledges_nothing_more() {
    let running = Running::start().await;
    assert_eq!(running.record(10).await, 10);
    for name in ["ledgerline.db", "ledgerline.db-wal", "ledgerline.db-shm"] {
        fs::remove_file(running.file(name)).unwrap();
    }
    assert_eq!(running.record(10).await, 0);
    assert_eq!(running.ready().await, 503);
    running.says("nothing can be recorded").await;
    assert!(!running.file("ledgerline.db").exists(), "nobody makes a new file");
}

/// Actions of an organization, or the code of the answer.
async fn seen(caller: &Caller<'_>) -> Result<Vec<String>, String> {
    let answer = caller.ask("{ auditEvents(first: 100) { nodes { action } } }", json!({})).await;
    if answer.json().get("errors").is_some() {
        return Err(answer.code());
    }
    let nodes = answer.data()["auditEvents"]["nodes"].as_array().expect("nodes").clone();
    Ok(nodes.iter().map(|node| node["action"].as_str().expect("an action").to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_put_in_place_shows_and_writes_nothing_of_one_tenant_to_another() {
    // In the copy, the organizations have each other's numbers.
    let other = TestApp::start(Database::Sqlite).await;
    other.admin("workspace", "globex").record(event("globex.earlier")).await;
    other.admin("workspace", "acme").record(event("acme.earlier")).await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    let mut connection = SqliteConnection::connect(&other.url).await.unwrap();
    connection.execute(AssertSqlSafe(format!("VACUUM INTO '{}'", copy.display()))).await.unwrap();
    other.finish().await;

    let app = TestApp::start(Database::Sqlite).await;
    app.admin("workspace", "acme").record(event("acme.later")).await;
    app.admin("workspace", "globex").record(event("globex.later")).await;
    fs::copy(&copy, app.folder().join("copy.db")).unwrap();
    fs::rename(app.folder().join("copy.db"), app.folder().join("ledgerline.db")).unwrap();
    for name in ["acme", "globex"] {
        let admin = app.admin("workspace", name);
        let answer = admin.ask(RECORD, json!({ "input": event(&format!("{name}.lost")) })).await;
        assert_eq!(answer.code(), "UNAVAILABLE", "{:#}", answer.json());
        if let Ok(actions) = seen(&admin).await {
            assert!(actions.iter().all(|action| action.starts_with(name)), "{name} sees {actions:?}");
        }
    }
    // What the old file's log holds is not played into the new file.
    eventually(async || app.folder().join("ledgerline.db-wal.of-replaced").exists()).await;
    let app = app.again(|_| {}).await;
    for name in ["acme", "globex"] {
        let admin = app.admin("workspace", name);
        assert_eq!(seen(&admin).await, Ok(vec![format!("{name}.earlier")]));
        admin.record(event(&format!("{name}.now"))).await;
        assert_eq!(seen(&admin).await, Ok(vec![format!("{name}.now"), format!("{name}.earlier")]));
    }
    app.finish().await;
}

/// A file is written by one at a time; another start waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starts_beside_each_other_on_a_fresh_file_all_come_up() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("ledgerline.db").display());
    let starts = (0..6).map(|_| {
        let mut command = ledgerline(&url, folder.path());
        command.arg("migrate");
        tokio::task::spawn_blocking(move || command.output().expect("the program runs"))
    });
    for output in futures_util::future::join_all(starts).await {
        let output = output.expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What another demo has recorded already is left to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demos_beside_each_other_on_a_fresh_file_all_come_up() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("ledgerline.db").display());
    let mut demos: Vec<_> = (0..2)
        .map(|n| {
            let said = fs::File::create(folder.path().join(format!("said-{n}"))).unwrap();
            let mut command = ledgerline(&url, folder.path());
            command.args(["demo", "--listen", "127.0.0.1:0"]).stdout(said.try_clone().unwrap()).stderr(said);
            command.spawn().expect("it starts")
        })
        .collect();
    let said = |n: usize| fs::read_to_string(folder.path().join(format!("said-{n}"))).unwrap();
    let mut is_up = [false; 2];
    for _ in 0..1_200 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for (n, demo) in demos.iter_mut().enumerate() {
            assert!(demo.try_wait().unwrap().is_none(), "{}", said(n));
            is_up[n] = said(n).contains("ready. Stop with Ctrl-C.");
        }
        if is_up == [true; 2] {
            break;
        }
    }
    for demo in &mut demos {
        demo.kill().unwrap();
        demo.wait().unwrap();
    }
    assert_eq!(is_up, [true; 2], "{}\n{}", said(0), said(1));
}

/// Fills the log of a database by events of a megabyte in all.
async fn write_a_megabyte(app: &TestApp) {
    let mut input = event("user.login");
    input["metadata"] = json!({ "text": "word ".repeat(2_000) });
    app.admin("workspace", "acme").record_all(vec![input; 100]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_keeps_the_log_from_shrinking_is_told_of_and_it_shrinks_after() {
    use ledgerline::store::Log;
    let app = TestApp::start(Database::Sqlite).await;
    let store = &app.app.store;
    write_a_megabyte(&app).await;
    assert!(matches!(store.empty_log(0).await, Ok(Log::Emptied(bytes)) if bytes > 1_000_000));
    let mut reader = SqliteConnection::connect(&app.url).await.unwrap();
    reader.execute("BEGIN").await.unwrap();
    reader.execute("SELECT count(*) FROM event").await.unwrap();
    for _ in 0..3 {
        write_a_megabyte(&app).await;
    }
    let Ok(Log::Held(bytes)) = store.empty_log(0).await else { panic!("the reader holds it") };
    assert!(bytes > 3_000_000, "{bytes}");
    let metrics = async || {
        use axum::{body::Body, http::Request};
        let answer = app.send(Request::get("/metrics").body(Body::empty()).unwrap()).await;
        String::from_utf8(answer.body).unwrap()
    };
    assert!(metrics().await.contains("ledgerline_sqlite_wal_bytes"));
    assert_eq!(store.empty_log(100 << 20).await.ok(), Some(Log::Small(bytes)), "no more than is allowed");
    reader.execute("COMMIT").await.unwrap();
    eventually(async || matches!(store.empty_log(0).await, Ok(Log::Emptied(_)))).await;
    assert_eq!(length(&app.folder().join("ledgerline.db-wal")), 0);
    write_a_megabyte(&app).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    let list = app.admin("workspace", "acme").data(TOTAL, json!({})).await;
    assert_eq!(list["auditEvents"]["totalCount"], 500);
    app.finish().await;
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}
