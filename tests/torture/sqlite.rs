//! SQLite on a disk that fails: each write, synchronization, truncation and opening in turn, twice in a row.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{body::Body, http::Request};
use ledgerline::{
    catalog::Products,
    chance::Chance,
    clock::Clock,
    store::{Durability, Store},
};
use libsqlite3_sys::{SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE, SQLITE_NOMEM};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    disk::{self, Disk, Faults},
    harness::{Database, TestApp, event, row},
    seeds,
};

/// Rounds between two restarts.
const RESTART_EVERY: usize = 40;

/// A service on a disk that fails, and what its callers know.
struct Torture {
    app: TestApp,
    disk: Arc<Disk>,
    durable: TempDir,
    /// Id and key by sequence, of everything acknowledged.
    acknowledged: BTreeMap<i64, (String, String)>,
    /// Keys of what was refused: it may be there or not, and is sent again.
    refused: Vec<String>,
    next: usize,
}

async fn start() -> (TestApp, Arc<Disk>, TempDir) {
    let durable = tempfile::tempdir().expect("a folder");
    let mut disk = None;
    let app = TestApp::with(Database::Sqlite, Products::built_in(), |settings| {
        let folder = settings.keys.as_ref().and_then(|keys| keys.parent()).expect("a folder").to_owned();
        disk = Some(Disk::of(&folder, durable.path()));
        settings.database_url.push_str(&format!("?vfs={}", disk::NAME));
    });
    let app = app.await;
    (app, disk.expect("the service has settings"), durable)
}

impl Torture {
    async fn start() -> Self {
        let (app, disk, durable) = start().await;
        Self { app, disk, durable, acknowledged: BTreeMap::new(), refused: Vec::new(), next: 0 }
    }

    /// Records some events in one request and gives how many were acknowledged. Each is read back at once.
    async fn record(&mut self, keys: Vec<String>) -> usize {
        let admin = self.app.admin("workspace", "acme");
        let events = keys.iter().map(|key| {
            let mut input = event("user.login");
            input["idempotencyKey"] = json!(key);
            input["metadata"] = json!({ "text": format!("word{key} ").repeat(40) });
            input
        });
        let query = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) {
            results { status eventId sequence error { code message } } } }";
        let answer = admin.ask(query, json!({ "input": { "events": events.collect::<Vec<_>>() } })).await.json();
        let Some(results) = answer["data"]["recordAuditEvents"]["results"].as_array() else {
            assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}");
            self.refused.extend(keys);
            return 0;
        };
        for (key, result) in keys.into_iter().zip(results) {
            assert!(result["error"].is_null(), "{key}: {result}");
            let id = result["eventId"].as_str().expect("an id").to_owned();
            let sequence = number(&result["sequence"]);
            let before = self.acknowledged.insert(sequence, (id.clone(), key.clone()));
            assert!(before.is_none_or(|(_, other)| other == key), "{sequence} was given twice");
        }
        results.len()
    }

    fn keys(&mut self, number: usize) -> Vec<String> {
        self.next += number;
        (self.next - number..self.next).map(|number| format!("k{number}")).collect()
    }

    /// Asks for the newest acknowledged events by their ids.
    async fn read_back(&self, number: usize) {
        let admin = self.app.admin("workspace", "acme");
        for (sequence, (id, _)) in self.acknowledged.iter().rev().take(number) {
            let data = admin.data("query($id: ID!) { auditEvent(id: $id) { sequence } }", json!({ "id": id })).await;
            assert_eq!(data["auditEvent"]["sequence"], sequence.to_string(), "acknowledged as {id}");
        }
    }

    async fn ready(&self) -> u16 {
        self.app.send(Request::get("/readyz").body(Body::empty()).expect("a request")).await.status.as_u16()
    }

    /// Requests as they come, with a checkpoint among them.
    async fn use_it(&mut self) {
        for number in [1, 3, 1] {
            let keys = self.keys(number);
            self.record(keys).await;
        }
        // Upkeep does this when the log is large.
        let _ = self.app.app.store.empty_log(0).await;
        self.ready().await;
        for number in [2, 1] {
            let keys = self.keys(number);
            self.record(keys).await;
        }
    }

    /// Uses the service while calls fail, then on a healthy disk.
    async fn round(&mut self, faults: Faults) {
        let (sent, context) = (self.next, format!("{faults:?}"));
        self.disk.set(faults);
        self.use_it().await;
        let left = self.disk.faults().times;
        self.disk.set(Faults::default());
        // What was acknowledged while the disk failed is there, and a healthy disk records at once.
        self.read_back(self.next - sent).await;
        let keys = self.keys(2);
        assert_eq!(self.record(keys).await, 2, "recovered from {context}, {left} left");
        assert_eq!(self.ready().await, 200, "{context}");
        let again = std::mem::take(&mut self.refused);
        if !again.is_empty() {
            let number = again.len();
            assert_eq!(self.record(again).await, number, "{context}");
        }
        self.read_back(4).await;
        let size = self.acknowledged.len();
        assert_eq!(self.acknowledged.keys().next_back(), Some(&(size as i64 - 1)), "no gap after {context}");
    }

    /// Everything acknowledged is there after a restart, after `kill -9` and after a power cut.
    async fn restart(self) -> Self {
        let Self { app, disk, durable, acknowledged, refused, next } = self;
        let killed = tempfile::tempdir().expect("a folder");
        for name in ["ledgerline.db", "ledgerline.db-wal"] {
            copy(&app.folder().join(name), killed.path());
        }
        for folder in [killed.path(), durable.path()] {
            let copied = tempfile::tempdir().expect("a folder");
            for name in ["ledgerline.db", "ledgerline.db-wal"] {
                copy(&folder.join(name), copied.path());
            }
            let path = copied.path().join("ledgerline.db").display().to_string();
            let other = TestApp::with(Database::Sqlite, Products::built_in(), |settings| {
                settings.database_url = format!("sqlite://{path}");
            });
            let other = other.await;
            let rows = walk(&other).await;
            assert_eq!(rows, acknowledged, "in {}", folder.display());
            other.finish().await;
        }
        let app = app.again(|settings| settings.database_url.push_str(&format!("?vfs={}", disk::NAME))).await;
        let rows = walk(&app).await;
        assert_eq!(rows, acknowledged);
        Self { app, disk, durable, acknowledged, refused, next }
    }
}

/// By another process: closing a file gives up the locks of the whole process on it.
fn copy(file: &Path, folder: &Path) {
    let copied = Command::new("cp").arg(file).arg(folder).status();
    assert!(copied.is_ok_and(|status| status.success()), "{} is copied", file.display());
}

fn number(value: &Value) -> i64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is a number"))
}

/// Id and key of every event by its sequence; the sequence has no gap, and no key is there twice.
async fn walk(app: &TestApp) -> BTreeMap<i64, (String, String)> {
    let admin = app.admin("workspace", "acme");
    let (mut rows, mut keys, mut cursor) = (BTreeMap::new(), HashSet::new(), Value::Null);
    loop {
        let query = "query($after: String) { auditEvents(first: 100, after: $after, orderBy: { field: SEQUENCE, direction: ASC }) {
            totalCount nodes { id sequence metadata } pageInfo { hasNextPage endCursor } } }";
        let data = admin.data(query, json!({ "after": cursor })).await;
        let page = &data["auditEvents"];
        for node in page["nodes"].as_array().expect("nodes") {
            let sequence = number(&node["sequence"]);
            assert_eq!(sequence, rows.len() as i64, "dense from 0");
            let text = node["metadata"]["text"].as_str().expect("a text");
            let key = text.split(' ').next().and_then(|word| word.strip_prefix("word")).expect("a key").to_owned();
            assert!(keys.insert(key.clone()), "{key} is there once");
            rows.insert(sequence, (node["id"].as_str().expect("an id").to_owned(), key));
        }
        cursor = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            assert_eq!(page["totalCount"], rows.len());
            return rows;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_of_the_disk_may_fail_and_what_was_acknowledged_is_there() {
    let started = Instant::now();
    let mut torture = Torture::start().await;
    // How many calls a healthy round makes.
    torture.use_it().await;
    torture.disk.set(Faults::default());
    torture.use_it().await;
    let calls = torture.disk.faults().calls;
    assert!(calls > 20, "{calls}");
    let mut rounds = 0;
    for seed in seeds() {
        let mut random = StdRng::seed_from_u64(seed);
        for (at, code) in [(0, SQLITE_FULL), (1, SQLITE_IOERR_WRITE)] {
            for after in 0..calls {
                // The first seed has two in a row everywhere; the others all kinds.
                let faults = if seed == 1 {
                    Faults { after, times: 2, code, torn: (after + at).is_multiple_of(3), ..Faults::default() }
                } else {
                    let codes = [code, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE, SQLITE_NOMEM];
                    Faults {
                        after: random.random_range(0..calls),
                        times: random.random_range(1..12),
                        between: if random.random() { 0 } else { random.random_range(0..calls / 2) },
                        code: codes[random.random_range(0..codes.len())],
                        torn: random.random(),
                        calls: 0,
                    }
                };
                torture.round(faults).await;
                rounds += 1;
                if rounds % RESTART_EVERY == 0 {
                    // A new one for what follows: a large database would only take its time.
                    torture = Box::pin(torture.restart()).await;
                    torture.use_it().await;
                    torture.app.finish().await;
                    torture = Torture::start().await;
                    torture.use_it().await;
                }
            }
        }
    }
    assert!(rounds > 80, "{rounds}");
    Box::pin(torture.restart()).await.app.finish().await;
    row(
        &format!("{rounds} rounds of faults at calls of the disk"),
        Database::Sqlite,
        "all that was acknowledged is there, after kills and power cuts too",
        started.elapsed(),
    );
}

/// A start makes the file, its log and the schema: each waits for the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_takes_three_seconds_to_synchronize_starts_and_records() {
    let durable = tempfile::tempdir().expect("a folder");
    let app = TestApp::with(Database::Sqlite, Products::built_in(), |settings| {
        let folder = settings.keys.as_ref().and_then(|keys| keys.parent()).expect("a folder").to_owned();
        Disk::with(&folder, durable.path(), Duration::from_secs(3), true);
        settings.database_url.push_str(&format!("?vfs={}", disk::NAME));
    });
    let app = app.await;
    let recorded = app.admin("workspace", "acme").record(event("user.login")).await;
    assert_eq!(recorded["status"], "RECORDED");
    app.finish().await;
}

/// Without shared memory there is no write-ahead log, and SQLite falls back to something else without a word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_not_what_it_was_asked_to_be_is_refused() {
    let (folder, durable) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    Disk::with(folder.path(), durable.path(), Duration::ZERO, false);
    let url = format!("sqlite://{}?vfs={}", folder.path().join("ledgerline.db").display(), disk::NAME);
    let refused = Store::open(&url, Durability::Required, &Clock::system(), Chance::system())
        .await
        .map(|_| ())
        .expect_err("it is refused");
    let cause = std::error::Error::source(&refused).map(ToString::to_string).unwrap_or_default();
    assert!(cause.contains("would not keep what is acknowledged") && cause.contains("journal_mode"), "{cause}");
}
