//! `kill -9` under load, of the service and of its server, again and again: what was acknowledged is there, once, in
//! sequence. `LEDGERLINE_TORTURE_KILLS` says how many kills of each kind there are.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    sync::{
        Arc, Mutex,
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

use crate::{
    harness::{Database, TestApp, catalogs, row, within},
    process::{Client, Service},
    server::Server,
};

const CLIENTS: usize = 16;

/// Somewhere to run the program: its database and the folder of its keys.
pub struct Place {
    url: String,
    folder: PathBuf,
    token: String,
}

impl Place {
    fn new(url: String, folder: PathBuf) -> Self {
        Self::of("acme", url, folder)
    }

    /// The same with a token for an organization of one's own.
    pub fn of(organization: &str, url: String, folder: PathBuf) -> Self {
        let products = catalogs::products();
        let product = products.get("workspace").expect("a product");
        let keys = DevelopmentKeys::open_or_create(&folder.join("keys"), &products).expect("keys");
        let mut claims = Claims::new(product, "admin", Timestamp(Clock::system().now().0 + 3_600_000_000_000));
        claims.org = Some(organization.to_owned());
        claims.scope = Some("audit:read audit:record".to_owned());
        claims.role = Some(OneOrMany::One("admin".to_owned()));
        let token = keys.sign("workspace", &claims).expect("a token");
        Self { url, folder, token }
    }

    pub async fn service(&self) -> Service {
        Service::start(&self.url, &self.folder).await
    }

    pub fn client(&self) -> Client {
        Client::new(self.token.clone())
    }
}

/// What the clients know, kept outside of the process that dies.
#[derive(Default)]
pub struct Books {
    /// Id and sequence by idempotency key.
    pub acknowledged: Mutex<HashMap<String, (String, i64)>>,
    /// Keys that were sent and got no answer.
    pub unanswered: Mutex<HashSet<String>>,
    next: AtomicUsize,
}

pub fn event(key: &str) -> Value {
    let number: usize = key[1..].parse().expect("a number");
    json!({ "action": format!("load.{}", number % 3), "actor": { "kind": "USER", "id": format!("u{}", number % 11) },
        "idempotencyKey": key, "correlationId": key, "metadata": { "n": number, "word": "load" } })
}

impl Books {
    pub async fn send(&self, client: &Client, base: &str, keys: Vec<String>) -> bool {
        let events: Vec<_> = keys.iter().map(|key| event(key)).collect();
        match client.record(base, &events).await {
            Some(Ok(results)) => {
                let mut acknowledged = self.acknowledged.lock().expect("no panic");
                for (key, result) in keys.iter().zip(results) {
                    assert!(result["error"].is_null(), "{key}: {result}");
                    let place = (
                        result["eventId"].as_str().expect("an id").to_owned(),
                        result["sequence"].as_str().expect("a sequence").parse().expect("a number"),
                    );
                    let before = acknowledged.insert(key.clone(), place.clone());
                    assert!(before.is_none_or(|before| before == place), "{key} was acknowledged at two places");
                    self.unanswered.lock().expect("no panic").remove(key);
                }
                true
            }
            Some(Err(_)) | None => {
                self.unanswered.lock().expect("no panic").extend(keys);
                false
            }
        }
    }

    /// Sixteen clients that record until told to stop or until the service is gone.
    pub async fn load(
        self: &Arc<Self>,
        place: &Place,
        base: &str,
        stop: &Arc<AtomicBool>,
    ) -> Vec<tokio::task::JoinHandle<()>> {
        (0..CLIENTS)
            .map(|n| {
                let (books, client, base, stop) = (self.clone(), place.client(), base.to_owned(), stop.clone());
                tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        let size = if n == 0 { 20 } else { 1 };
                        let first = books.next.fetch_add(size, Ordering::Relaxed);
                        let keys = (first..first + size).map(|number| format!("k{number}")).collect();
                        if !books.send(&client, &base, keys).await {
                            break;
                        }
                    }
                })
            })
            .collect()
    }
}

/// What the service says it has: correlation id and event id by sequence, read on from where the last walk ended.
#[derive(Default)]
pub struct Walk {
    pub rows: BTreeMap<i64, (String, String)>,
    cursor: Value,
}

impl Walk {
    pub async fn on(&mut self, client: &Client, base: &str) {
        let query = "query($after: String) { auditEvents(first: 100, after: $after,
            orderBy: { field: SEQUENCE, direction: ASC }) {
            nodes { id sequence correlationId } pageInfo { hasNextPage endCursor } } }";
        loop {
            let answer = client.ask(base, query, json!({ "after": self.cursor })).await.expect("an answer");
            assert!(answer.get("errors").is_none(), "{answer}");
            let page = &answer["data"]["auditEvents"];
            for node in page["nodes"].as_array().expect("nodes") {
                let sequence: i64 = node["sequence"].as_str().unwrap().parse().unwrap();
                assert_eq!(sequence, self.rows.len() as i64, "dense from 0");
                let text = |field: &str| node[field].as_str().expect("a text").to_owned();
                self.rows.insert(sequence, (text("correlationId"), text("id")));
            }
            self.cursor = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                return;
            }
        }
    }

    /// Everything acknowledged is there, exactly once, where it was said to be.
    pub fn check(&self, books: &Books) {
        let keys: HashSet<_> = self.rows.values().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), self.rows.len(), "no event twice");
        for (key, (id, sequence)) in books.acknowledged.lock().expect("no panic").iter() {
            assert_eq!(self.rows.get(sequence), Some(&(key.clone(), id.clone())), "acknowledged at {sequence}");
        }
    }
}

/// Reads until many answers in a row have no errors: each connection that died with its server costs somebody one that says to
/// try again.
async fn reads_again(client: &Client, base: &str) {
    let mut in_a_row = 0;
    within(Duration::from_secs(30), async || {
        let answer = client.ask(base, "{ auditEvents(first: 1) { totalCount } }", json!({})).await.expect("an answer");
        in_a_row = if answer.get("errors").is_none() { in_a_row + 1 } else { 0 };
        in_a_row == 40
    })
    .await;
}

/// Counts, index and search agree with the rows.
pub async fn check_counts(client: &Client, base: &str, rows: usize) {
    let query = "{ all: auditEvents(first: 0) { totalCount facets { actions { buckets { count } }
        actors { buckets { count } } days { count } } }
        found: auditEvents(first: 0, search: \"load\") { totalCount }
        actor: auditEvents(first: 0, filter: { actor: { kinds: [USER] } }) { totalCount } }";
    let answer = client.ask(base, query, json!({})).await.expect("an answer");
    let data = &answer["data"];
    for list in ["all", "found", "actor"] {
        assert_eq!(data[list]["totalCount"], rows, "{list}: {answer}");
    }
    let facets = &data["all"]["facets"];
    for counts in [&facets["actions"]["buckets"], &facets["actors"]["buckets"], &facets["days"]] {
        let sum: i64 = counts.as_array().expect("counts").iter().map(|each| each["count"].as_i64().unwrap()).sum();
        assert_eq!(sum, rows as i64, "{answer}");
    }
}

/// How many kills there are where nobody asks for more.
fn kills(usual: usize) -> usize {
    let asked = std::env::var("LEDGERLINE_TORTURE_KILLS").ok();
    asked.map_or(usual, |asked| asked.parse().expect("LEDGERLINE_TORTURE_KILLS is a number"))
}

/// Kills the server where one is given, else the service.
async fn survives(place: &Place, kills: usize, server: Option<&Server>) {
    let started = Instant::now();
    let books = Arc::new(Books::default());
    let mut walk = Walk::default();
    let client = place.client();
    let mut service = place.service().await;
    let mut sent_again = 0;
    for round in 0..kills {
        let stop = Arc::new(AtomicBool::new(false));
        let clients = books.load(place, &service.base, &stop).await;
        // Kills come at another moment of the load each time, the first ones right after the start.
        tokio::time::sleep(Duration::from_millis(20 + (round as u64 * 37) % 300)).await;
        let survivor = if let Some(server) = server {
            server.kill();
            Some(service)
        } else {
            service.kill();
            None
        };
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.expect("a client ends");
        }
        if let Some(server) = server {
            server.start_again().await;
        }
        service = match survivor {
            Some(service) => service,
            None => place.service().await,
        };
        // What got no answer is sent again, and is there once, whatever became of the first time.
        let again: Vec<String> = books.unanswered.lock().expect("no panic").iter().cloned().collect();
        sent_again += again.len();
        for keys in again.chunks(50) {
            let send = async || books.send(&client, &service.base, keys.to_vec()).await;
            match server {
                Some(_) => within(Duration::from_secs(30), send).await,
                None => assert!(send().await, "the restarted service records"),
            }
        }
        if server.is_some() {
            reads_again(&client, &service.base).await;
        }
        walk.on(&client, &service.base).await;
        walk.check(&books);
        check_counts(&client, &service.base, walk.rows.len()).await;
    }
    let acknowledged = books.acknowledged.lock().expect("no panic").len();
    assert_eq!(acknowledged, walk.rows.len(), "after the retries nothing is there that was not acknowledged");
    assert!(acknowledged > kills * CLIENTS, "there was load: {acknowledged}");
    assert!(service.terminate().await.success());
    let killed = if server.is_some() { "PostgreSQL" } else { "the service" };
    let on = if place.url.starts_with("sqlite") { Database::Sqlite } else { Database::Postgres };
    row(
        &format!("{kills} kills of {killed}, {CLIENTS} clients recording"),
        on,
        &format!("{acknowledged} events acknowledged and there once; {sent_again} had no answer and were sent again"),
        started.elapsed(),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_of_the_service_on_sqlite_lose_and_repeat_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("ledgerline.db").display());
    let place = Place::new(url.clone(), folder.path().to_owned());
    survives(&place, kills(20), None).await;
    use sqlx::{Connection, SqliteConnection};
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let check: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(check, "ok");
    let rows: (i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM event_order), (SELECT count(*) FROM idempotency),
            (SELECT sum(n) FROM event_count WHERE grain = 2)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(rows, (rows.0, rows.0, rows.0, rows.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_of_the_service_on_postgres_lose_and_repeat_nothing() {
    let app = TestApp::start(Database::Postgres).await;
    survives(&Place::new(app.url.clone(), app.folder()), kills(5), None).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_of_postgres_lose_and_repeat_nothing() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(server.url.clone(), folder.path().to_owned());
    survives(&place, kills(3), Some(&server)).await;
}

/// Told to stop under load, the service answers everyone whom it heard, and ends well.
async fn drains(place: &Place) {
    let books = Arc::new(Books::default());
    let service = place.service().await;
    let stop = Arc::new(AtomicBool::new(false));
    let clients = books.load(place, &service.base, &stop).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let status = service.terminate().await;
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("a client ends");
    }
    assert_eq!(status.code(), Some(0));
    let service = place.service().await;
    let mut walk = Walk::default();
    walk.on(&place.client(), &service.base).await;
    walk.check(&books);
    let acknowledged = books.acknowledged.lock().expect("no panic").len();
    assert_eq!(walk.rows.len(), acknowledged, "nothing was recorded without an answer");
    assert!(acknowledged > CLIENTS);
    assert!(service.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_it_answers_everyone_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("ledgerline.db").display());
    drains(&Place::new(url, folder.path().to_owned())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_it_answers_everyone_on_postgres() {
    let app = TestApp::start(Database::Postgres).await;
    drains(&Place::new(app.url.clone(), app.folder())).await;
    app.finish().await;
}
