//! `kill -9` while rules fire, again and again: each has fired for the same events as if nothing had happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use ledgerline::{
    auth::{Claims, OneOrMany},
    clock::Clock,
    event::Timestamp,
    keys::DevelopmentKeys,
};
use serde_json::{Value, json};

use crate::{
    harness::{catalogs, eventually, postgres, receiver::Receiver},
    process::{Client, Service, ledgerline as program},
};

/// Window of the rule that counts by actor, in seconds.
const WINDOW: i64 = 5;
const THRESHOLD: usize = 4;

struct Place {
    url: String,
    folder: PathBuf,
    client: Client,
}

impl Place {
    fn new(url: String, folder: PathBuf) -> Self {
        let products = catalogs::products();
        let keys = DevelopmentKeys::open_or_create(&folder.join("keys"), &products).expect("keys");
        let until = Timestamp(Clock::system().now().0 + 3_600_000_000_000);
        let mut claims = Claims::new(products.get("workspace").expect("a product"), "admin", until);
        claims.org = Some("acme".to_owned());
        claims.scope = Some("audit:read audit:record audit:manage".to_owned());
        claims.role = Some(OneOrMany::One("admin".to_owned()));
        let client = Client::new(keys.sign("workspace", &claims).expect("a token"));
        Self { url, folder, client }
    }

    async fn service(&self) -> Service {
        let mut command = program(&self.url, &self.folder);
        command.env("LEDGERLINE_ENDPOINT_NETWORKS", "127.0.0.0/8");
        Service::run(command).await
    }

    async fn data(&self, base: &str, query: &str, variables: Value) -> Value {
        let answer = self.client.ask(base, query, variables).await.expect("an answer");
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].clone()
    }

    /// All events of an action, in the order of recording.
    async fn events(&self, base: &str, action: &str) -> Vec<Value> {
        let query = "query($after: String, $action: String!) { auditEvents(first: 100, after: $after,
            filter: { actions: [$action] }, orderBy: { field: SEQUENCE, direction: ASC }) {
            nodes { id recordedAt metadata actor { externalId } resource { externalId } }
            pageInfo { hasNextPage endCursor } } }";
        let (mut all, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = self.data(base, query, json!({ "after": after, "action": action })).await["auditEvents"].clone();
            all.extend(page["nodes"].as_array().expect("nodes").clone());
            if page["pageInfo"]["hasNextPage"] == false {
                return all;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }

    async fn rule(&self, base: &str, endpoint: &Value, more: Value) -> Value {
        let mut input = json!({ "label": "Load", "target": { "endpoint": endpoint },
            "question": { "filter": { "actions": ["load.event"] } } });
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        self.data(base, super::CREATE, json!({ "input": input })).await["createAlertRule"]["rule"]["id"].clone()
    }
}

/// Clients that record until the service is gone.
fn load(
    place: &Place,
    base: &str,
    next: &Arc<AtomicUsize>,
    stop: &Arc<AtomicBool>,
) -> Vec<tokio::task::JoinHandle<()>> {
    (0..3)
        .map(|_| {
            let (client, base, next, stop) = (place.client.clone(), base.to_owned(), next.clone(), stop.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let actor = json!({ "kind": "USER", "id": format!("u{}", number * 7 % 5) });
                    let event = json!({ "action": "load.event", "actor": actor });
                    if client.record(&base, &[event]).await.is_none() {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(30)).await;
                }
            })
        })
        .collect()
}

/// The first and the last event of each firing that the log of events calls for.
fn called_for(events: &[Value]) -> Vec<(Value, Value)> {
    let (mut fired, window) = (Vec::new(), WINDOW * 1_000_000_000);
    // Time and id of what is counted of an actor, and when it has fired last.
    type Group = (Vec<(i64, Value)>, Option<i64>);
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for event in events {
        let at: chrono::DateTime<chrono::Utc> =
            event["recordedAt"].as_str().expect("a time").parse().expect("RFC 3339");
        let at = at.timestamp_nanos_opt().expect("this century");
        let (counted, quiet) = groups.entry(event["actor"]["externalId"].to_string()).or_default();
        if quiet.is_some_and(|since| at - since <= window) {
            continue;
        }
        counted.retain(|(earlier, _)| at - earlier <= window);
        counted.push((at, event["id"].clone()));
        if counted.len() == THRESHOLD {
            fired.push((counted[0].1.clone(), event["id"].clone()));
            counted.clear();
            *quiet = Some(at);
        }
    }
    fired
}

async fn fire_as_if_nothing_had_happened(place: &Place, kills: usize) {
    let receiver = Receiver::start().await;
    let next = Arc::new(AtomicUsize::new(0));
    let (mut service, mut rules) = (place.service().await, None);
    for round in 0..=kills {
        let base = service.base.clone();
        if rules.is_none() {
            let query = "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { endpoint { id } } }";
            let input = json!({ "label": "x", "target": { "webhook": { "url": receiver.url } },
                "question": { "filter": { "actions": ["nothing.at_all"] } } });
            let made = place.data(&base, query, json!({ "input": input })).await;
            let endpoint = &made["createEndpoint"]["endpoint"]["id"];
            let each = place.rule(&base, endpoint, json!({})).await;
            let per = json!({ "threshold": THRESHOLD, "windowSeconds": WINDOW, "per": "ACTOR" });
            rules = Some((each, place.rule(&base, endpoint, per).await));
        }
        let stop = Arc::new(AtomicBool::new(false));
        let clients = load(place, &base, &next, &stop);
        // A process that was killed has its rules for ten seconds more.
        let before = receiver.got().len();
        receiver.has_within(before + 3, Duration::from_secs(40)).await;
        tokio::time::sleep(Duration::from_millis(37 * (round as u64 + 1))).await;
        if round < kills {
            service.kill();
            service = place.service().await;
        } else {
            stop.store(true, Ordering::Relaxed);
        }
        for client in clients {
            client.await.expect("a client ends");
        }
    }
    let (base, (each, per)) = (service.base.clone(), rules.expect("rules"));
    let of = |fired: &[Value], rule: &Value| -> Vec<Value> {
        fired.iter().filter(|one| one["resource"]["externalId"] == *rule).cloned().collect()
    };
    let events = place.events(&base, "load.event").await;
    let count = |fired: Vec<Value>| fired.iter().map(|one| one["metadata"]["count"].as_u64().unwrap()).sum::<u64>();
    let expected = called_for(&events);
    eventually(async || {
        let fired = place.events(&base, "audit_log.alert_fired").await;
        count(of(&fired, &each)) >= events.len() as u64 && of(&fired, &per).len() >= expected.len()
    })
    .await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let fired = place.events(&base, "audit_log.alert_fired").await;
    assert_eq!(count(of(&fired, &each)), events.len() as u64, "each event is in one alert");
    let told: Vec<_> = of(&fired, &per)
        .iter()
        .map(|one| (one["metadata"]["firstEvent"].clone(), one["metadata"]["lastEvent"].clone()))
        .collect();
    assert_eq!(told, expected);
    assert!(expected.len() > kills, "{} firings", expected.len());
    // Each is told at least once, and nothing else.
    let ids: BTreeSet<String> = fired.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    let got = || receiver.got().iter().map(|sent| sent.header("webhook-id").to_owned()).collect::<BTreeSet<_>>();
    eventually(async || got() == ids).await;
    assert!(service.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_kills_on_sqlite_fire_nothing_twice_and_leave_nothing_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("ledgerline.db").display());
    fire_as_if_nothing_had_happened(&Place::new(url, folder.path().to_owned()), 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_kills_on_postgres_fire_nothing_twice_and_leave_nothing_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = postgres::fresh_database().await;
    fire_as_if_nothing_had_happened(&Place::new(url, folder.path().to_owned()), 2).await;
}
