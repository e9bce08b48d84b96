//! Real processes that are killed, and news that get lost: everything arrives, in order, with the ids that it had.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ledgerline::{
    auth::{Claims, OneOrMany},
    clock::Clock,
    event::Timestamp,
    keys::DevelopmentKeys,
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{create, sending};
use crate::{
    harness::{
        Database, TestApp, catalogs, event, postgres,
        receiver::{Receiver, Reply},
    },
    process::{Client, Service, ledgerline},
};

const EVENTS: i64 = 200;

/// An administrator of an organization, by a token of the keys in a folder.
fn admin(folder: &Path) -> Client {
    let products = catalogs::products();
    let product = products.get("workspace").expect("a product");
    let keys = DevelopmentKeys::open_or_create(&folder.join("keys"), &products).expect("keys");
    let mut claims = Claims::new(product, "admin", Timestamp(Clock::system().now().0 + 3_600_000_000_000));
    claims.org = Some("acme".to_owned());
    claims.scope = Some("audit:read audit:record audit:manage".to_owned());
    claims.role = Some(OneOrMany::One("admin".to_owned()));
    Client::new(keys.sign("workspace", &claims).expect("a token"))
}

async fn service(url: &str, folder: &Path) -> Service {
    let mut command = ledgerline(url, folder);
    command.env("LEDGERLINE_ENDPOINT_NETWORKS", "127.0.0.0/8");
    Service::run(command).await
}

async fn ask(client: &Client, base: &str, query: &str, input: Value) -> Value {
    let answer = client.ask(base, query, json!({ "input": input })).await.expect("an answer");
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"].clone()
}

async fn record(client: &Client, base: &str, count: i64) {
    let events: Vec<_> = (0..count).map(|n| event(&format!("thing.{n}"))).collect();
    let results = client.record(base, &events).await.expect("an answer").expect("results");
    assert_eq!(i64::try_from(results.len()), Ok(count));
}

/// Sequences in the order in which each came first.
fn first_arrivals(receiver: &Receiver) -> Vec<i64> {
    let mut seen = BTreeSet::new();
    receiver.sequences().into_iter().filter(|sequence| seen.insert(*sequence)).collect()
}

/// Ids by sequence: a repetition has the id that it had.
fn ids(receiver: &Receiver, known: &mut BTreeMap<i64, String>) {
    for sent in receiver.got() {
        let id = sent.header("webhook-id").to_owned();
        assert_eq!(sent.json()["data"]["id"], id);
        let before = known.insert(sent.sequence(), id.clone());
        assert!(before.is_none_or(|before| before == id), "{} has two ids", sent.sequence());
    }
}

async fn has_all(receiver: &Receiver, sequences: impl Iterator<Item = i64> + Clone) {
    let until = Instant::now() + Duration::from_secs(90);
    loop {
        let got: BTreeSet<_> = receiver.sequences().into_iter().collect();
        let missing: Vec<_> = sequences.clone().filter(|sequence| !got.contains(sequence)).collect();
        if missing.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "{} are missing: {:?}", missing.len(), missing.first());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn survives(url: &str, folder: &Path) {
    let receiver = Receiver::scripted(|_| Reply::Late(Duration::from_millis(15))).await;
    let (client, mut known) = (admin(folder), BTreeMap::new());
    let running = service(url, folder).await;
    let query = "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { endpoint { id } } }";
    let input = json!({ "label": "Theirs", "target": { "webhook": { "url": receiver.url } } });
    let id = ask(&client, &running.base, query, input).await["createEndpoint"]["endpoint"]["id"].clone();
    record(&client, &running.base, EVENTS).await;
    receiver.has(30).await;
    running.kill();
    let before = receiver.got().len();
    assert!(before < 150, "it was killed in the middle: {before}");
    // Another process has the endpoint when its lease is over.
    let running = service(url, folder).await;
    has_all(&receiver, 0..=EVENTS).await;
    assert_eq!(first_arrivals(&receiver), (0..=EVENTS).collect::<Vec<_>>());
    ids(&receiver, &mut known);

    // The same in the middle of a replay, while new events come.
    tokio::time::sleep(Duration::from_secs(1)).await;
    receiver.forget();
    let query = "mutation($input: ReplayEndpointInput!) { replayEndpoint(input: $input) { endpoint { id } } }";
    let end = EVENTS + 1;
    let input = json!({ "id": id, "fromSequence": "0", "toSequence": end.to_string() });
    ask(&client, &running.base, query, input).await;
    receiver.has(30).await;
    record(&client, &running.base, 5).await;
    running.kill();
    assert!(receiver.got().len() < 150, "it was killed in the middle");
    let running = service(url, folder).await;
    record(&client, &running.base, 5).await;
    // All of the history again, and the new ones with the one that tells of the replay.
    has_all(&receiver, 0..end + 11).await;
    let (old, new): (Vec<_>, Vec<_>) = first_arrivals(&receiver).into_iter().partition(|sequence| *sequence < end);
    assert_eq!(old, (0..end).collect::<Vec<_>>());
    assert_eq!(new, (end..end + 11).collect::<Vec<_>>());
    ids(&receiver, &mut known);
    // And then it is over.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let sent = receiver.got().len();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(receiver.got().len(), sent);
    assert!(running.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_everything_arrives_in_order_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("ledgerline.db").display());
    survives(&url, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_everything_arrives_in_order_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    survives(&postgres::fresh_database().await, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_that_are_lost_cost_seconds_and_no_event() {
    let app = TestApp::start(Database::Postgres).await;
    let (holds, records) = (sending(&app).await, sending(&app).await);
    let receiver = Receiver::start().await;
    create(&holds.admin("workspace", "acme"), &receiver.url, json!(null)).await;
    receiver.has(1).await;
    // Whoever listens is torn off again and again.
    let (stop, torn) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut connection = PgConnection::connect(&app.url).await.expect("a connection");
    let tearing = tokio::spawn({
        let (stop, torn) = (stop.clone(), torn.clone());
        async move {
            while !stop.load(Ordering::Relaxed) {
                let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = current_database() AND query ILIKE 'LISTEN%' AND pid <> pg_backend_pid()";
                let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a number");
                torn.fetch_add(usize::try_from(count).expect("few"), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    let admin = records.admin("workspace", "acme");
    let mut longest = Duration::ZERO;
    for n in 0..5 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let begun = Instant::now();
        admin.record(event(&format!("thing.{n}"))).await;
        receiver.has(n + 2).await;
        longest = longest.max(begun.elapsed());
    }
    stop.store(true, Ordering::Relaxed);
    tearing.await.expect("it ends");
    assert!(torn.load(Ordering::Relaxed) > 3, "{torn:?}");
    assert!(longest < Duration::from_secs(9), "the list of endpoints is read every five seconds: {longest:?}");
    assert_eq!(receiver.sequences(), (0..6).collect::<Vec<_>>());
    for service in [holds, records, app] {
        service.finish().await;
    }
}

/// Whoever takes what is free waits for no row that somebody else writes: two that wait for each other's would both fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_is_being_written_keeps_no_other_from_being_taken() {
    let folder = tempfile::tempdir().unwrap();
    let url = postgres::fresh_database().await;
    let client = admin(folder.path());
    let running = service(&url, folder.path()).await;
    let (written, other) = (Receiver::start().await, Receiver::start().await);
    let query = "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { endpoint { id } } }";
    let make = async |receiver: &Receiver| {
        let input = json!({ "label": "Theirs", "target": { "webhook": { "url": receiver.url } } });
        ask(&client, &running.base, query, input).await["createEndpoint"]["endpoint"]["id"].clone()
    };
    let id = make(&written).await;
    make(&other).await;
    has_all(&written, 0..2).await;
    has_all(&other, 1..2).await;
    assert!(running.terminate().await.success());
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let mut tx = connection.begin().await.expect("begun");
    sqlx::query("SELECT 1 FROM delivery WHERE endpoint_id = $1 FOR UPDATE")
        .bind(id.as_str().expect("an id"))
        .execute(&mut *tx)
        .await
        .expect("locked");
    let running = service(&url, folder.path()).await;
    record(&client, &running.base, 5).await;
    has_all(&other, 1..7).await;
    assert_eq!(written.sequences(), [0, 1], "its row is still written");
    tx.commit().await.expect("committed");
    has_all(&written, 0..7).await;
    assert!(running.terminate().await.success());
}
