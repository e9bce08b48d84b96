//! Reads from a replica: as fresh as what was acknowledged, whatever the replica's delay.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::Request};
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{
    Database, TestApp, event, eventually,
    postgres::{Impatient, replica_of},
    sql::column,
};

async fn on_the_replica(url: &str, sql: &'static str) {
    let mut connection = PgConnection::connect(&replica_of(url).await).await.expect("the replica answers");
    connection.execute(sql).await.expect("it runs");
    connection.close().await.expect("it closes");
}

/// How often this database's events were read on a server.
async fn reads(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.expect("it answers");
    let sql = "SELECT coalesce(sum(idx_scan), 0)::bigint FROM pg_stat_user_tables WHERE relname LIKE 'event\\_2%'";
    let reads = sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("it runs");
    connection.close().await.expect("it closes");
    reads
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_never_sees_less_than_what_was_acknowledged() {
    let app = TestApp::start(Database::Postgres).await;
    let reading = app.beside_with_replica().await;
    // One process records, another one reads from the replica.
    let (admin, reader) = (app.admin("workspace", "acme"), reading.admin("workspace", "acme"));
    let first = admin.record(event("a.0")).await;
    assert_eq!(reader.actions("").await, ["a.0"]);

    // The replica stands still: what is recorded now is not there.
    on_the_replica(&app.url, "SELECT pg_wal_replay_pause()").await;
    let mut expected = vec!["a.0".to_owned()];
    for n in 1..=5 {
        let recorded = admin.record(event(&format!("a.{n}"))).await;
        expected.insert(0, format!("a.{n}"));
        assert_eq!(reader.actions("").await, expected, "right after its acknowledgement");
        assert_eq!(reader.actions("search: \"u1\"").await, expected);
        let query = "query($id: ID!) { auditEvent(id: $id) { action } auditEvents { totalCount \
                     facets { actions { buckets { value count } } } } }";
        let data = reader.data(query, json!({ "id": recorded["event"]["id"] })).await;
        assert_eq!(data["auditEvent"]["action"], format!("a.{n}"));
        assert_eq!(data["auditEvents"]["totalCount"], n + 1);
        assert_eq!(data["auditEvents"]["facets"]["actions"]["buckets"].as_array().map(Vec::len), Some(n + 1));
    }
    // An organization that the replica has never heard of.
    let new = reading.admin("workspace", "new");
    assert_eq!(new.actions("").await, Vec::<String>::new());
    app.admin("workspace", "new").record(event("first")).await;
    assert_eq!(new.actions("").await, ["first"]);
    on_the_replica(&app.url, "SELECT pg_wal_replay_resume()").await;

    // And it does read there, once it has caught up.
    let replica = replica_of(&app.url).await;
    eventually(async || {
        let before = reads(&replica).await;
        assert_eq!(reader.actions("").await, expected);
        let query = "query($id: ID!) { auditEvent(id: $id) { action } }";
        assert_eq!(reader.data(query, json!({ "id": first["event"]["id"] })).await["auditEvent"]["action"], "a.0");
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        reads(&replica).await > before
    })
    .await;
    // Another tenant's question is not answered there either.
    assert_eq!(reading.admin("workspace", "other").actions("").await, Vec::<String>::new());
    reading.finish().await;
    app.finish().await;
}

/// Days of a zone are counted in one transaction, which a replica ends as a whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_that_a_replica_gives_up_counting_are_counted_by_the_primary() {
    let app = TestApp::start(Database::Postgres).await;
    let reading = app.beside_with_replica().await;
    let admin = app.admin("workspace", "acme");
    admin.record_all((0..3).map(|n| event(&format!("a.{n}"))).collect()).await;
    let url = replica_of(&app.url).await;
    let impatient = Impatient::from(&url).await;
    eventually(async || column::<i64>(&url, "SELECT size FROM organization_head").await == [3]).await;
    // The reader has seen the head, and waits for the counts.
    let [mut counts, mut head] = [connected(&app.url).await, connected(&app.url).await];
    counts.execute("BEGIN; LOCK TABLE event_count IN ACCESS EXCLUSIVE MODE").await.expect("locked");
    impatient.heard_of_lock(&app.url, "event_count").await;
    let reader = reading.admin("workspace", "acme");
    let days = "{ auditEvents(first: 0) { facets(timeZone: \"Asia/Kolkata\") { days { count } } } }";
    let gives_up = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'event_count'::regclass AND NOT granted";
        eventually(async || column::<i64>(&url, waiting).await == [1]).await;
        head.execute("BEGIN; LOCK TABLE organization_head IN ACCESS EXCLUSIVE MODE").await.expect("locked");
        impatient.heard_of_lock(&app.url, "organization_head").await;
        for holder in [&mut head, &mut counts] {
            holder.execute("COMMIT").await.expect("committed");
        }
    };
    let (answer, ()) = tokio::join!(reader.data(days, json!({})), gives_up);
    assert_eq!(answer["auditEvents"]["facets"]["days"][0]["count"], 3, "{answer}");
    impatient.end().await;
    reading.finish().await;
    app.finish().await;
}

async fn connected(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("it answers")
}

#[tokio::test]
async fn a_replica_is_for_postgresql_alone() {
    let app = TestApp::start(Database::Sqlite).await;
    let store = app.app.store.clone();
    let refused = store.with_replica("postgres://127.0.0.1:1/none").await.err().expect("SQLite has no replica");
    assert!(refused.to_string().contains("LEDGERLINE_READ_DATABASE_URL"), "{refused}");
    app.finish().await;
}

/// A way to the replica that can be closed, or go silent in the middle of a connection.
struct Gate {
    address: String,
    state: Arc<AtomicU8>,
    doors: Vec<tokio::task::JoinHandle<()>>,
}

const OPEN: u8 = 0;
const SILENT: u8 = 1;
const SHUT: u8 = 2;

impl Gate {
    async fn before(url: &str) -> Self {
        let at = url.find("@127.0.0.1:").expect("this machine") + 1;
        let to = url[at..url.rfind('/').expect("a database")].to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let address = format!("{}127.0.0.1:{port}{}", &url[..at], &url[url.rfind('/').expect("a database")..]);
        let state = Arc::new(AtomicU8::new(OPEN));
        let of_all = state.clone();
        let door = tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                let (to, state) = (to.clone(), of_all.clone());
                tokio::spawn(async move {
                    if state.load(Ordering::SeqCst) == SHUT {
                        return;
                    }
                    let server = TcpStream::connect(to).await.expect("the replica");
                    pass(client, server, &state).await;
                });
            }
        });
        Self { address, state, doors: vec![door] }
    }

    fn turns(&self, state: u8) {
        self.state.store(state, Ordering::SeqCst);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.doors.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// Passes bytes both ways; nothing while the gate is silent, and hangs up where it is shut.
async fn pass(client: TcpStream, server: TcpStream, state: &AtomicU8) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let (mut asked, mut told) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        match state.load(Ordering::SeqCst) {
            SHUT => return,
            SILENT => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
            _ => {}
        }
        let tick = tokio::time::sleep(Duration::from_millis(20));
        let done = tokio::select! {
            read = from_client.read(&mut asked) => match read {
                Ok(n) if n > 0 => to_server.write_all(&asked[..n]).await.is_ok(),
                _ => false,
            },
            read = from_server.read(&mut told) => match read {
                Ok(n) if n > 0 => to_client.write_all(&told[..n]).await.is_ok(),
                _ => false,
            },
            () = tick => true,
        };
        if !done {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_silent_or_gone_costs_speed_alone() {
    let app = TestApp::start(Database::Postgres).await;
    app.admin("workspace", "acme").record(event("a.0")).await;
    let replica = replica_of(&app.url).await;
    let gate = Gate::before(&replica).await;
    // It is not there when the service starts.
    gate.turns(SHUT);
    let address = gate.address.clone();
    let reading = app.beside_with(|settings| settings.read_database_url = Some(address)).await;
    let reader = reading.admin("workspace", "acme");
    let passed_over = async || {
        let answer = reading.send(Request::get("/metrics").body(Body::empty()).expect("a request")).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let line = text.lines().find(|line| line.contains("replica_passed_over_total{reason=\"down\"}"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap_or_default()
    };
    assert_eq!(reader.actions("").await, ["a.0"], "the primary answers");
    for round in 0..2 {
        // It comes, and is asked: nothing is passed over any more.
        gate.turns(OPEN);
        eventually(async || {
            let before = passed_over().await;
            assert_eq!(reader.actions("").await, ["a.0"]);
            passed_over().await == before
        })
        .await;
        // It goes silent, or hangs up. One reader waits for a moment, all that follow wait for nothing.
        gate.turns(if round == 0 { SILENT } else { SHUT });
        assert_eq!(reader.actions("").await, ["a.0"]);
        let before = passed_over().await;
        for _ in 0..20 {
            assert_eq!(reader.actions("").await, ["a.0"]);
        }
        assert_eq!(passed_over().await, before + 20, "none of them asked it");
    }
    reading.finish().await;
    app.finish().await;
}
