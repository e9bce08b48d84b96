//! Several processes on one PostgreSQL database, recording into the same organizations.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::{
    crash::{Books, Place, Walk, check_counts, event},
    harness::{Database, TestApp},
    process::{Client, Service},
};

const ORGANIZATIONS: [&str; 3] = ["acme", "beta", "gamma"];

async fn deadlocks(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.expect("PostgreSQL answers");
    let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let found = sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a number");
    connection.close().await.expect("it closes");
    found
}

fn assert_no_errors(service: &Service) {
    let errors: Vec<_> = service.log().into_iter().filter(|line| line.contains("ERROR")).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_and_a_kill_lose_repeat_and_reorder_nothing() {
    let app = TestApp::start(Database::Postgres).await;
    let organizations: Vec<(Place, Arc<Books>)> = ORGANIZATIONS
        .iter()
        .map(|organization| (Place::of(organization, app.url.clone(), app.folder()), Arc::default()))
        .collect();
    let start = async || organizations[0].0.service().await;
    let (staying, mut dying) = (start().await, start().await);
    let mut walks: Vec<Walk> = ORGANIZATIONS.iter().map(|_| Walk::default()).collect();
    for round in 0..3 {
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = Vec::new();
        for (place, books) in &organizations {
            for service in [&staying, &dying] {
                clients.extend(books.load(place, &service.base, &stop).await);
            }
        }
        tokio::time::sleep(Duration::from_millis(400 + round * 170)).await;
        dying.kill();
        // The other one goes on meanwhile.
        tokio::time::sleep(Duration::from_millis(400)).await;
        dying = start().await;
        for (place, books) in &organizations {
            clients.extend(books.load(place, &dying.base, &stop).await);
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.expect("a client ends");
        }
        for ((place, books), walk) in organizations.iter().zip(&mut walks) {
            let client = place.client();
            // What got no answer from the one that died is sent to the other one.
            let again: Vec<String> = books.unanswered.lock().expect("no panic").iter().cloned().collect();
            for keys in again.chunks(50) {
                assert!(books.send(&client, &staying.base, keys.to_vec()).await, "the other process records");
            }
            walk.on(&client, &dying.base).await;
            walk.check(books);
            check_counts(&client, &staying.base, walk.rows.len()).await;
        }
    }
    for ((place, books), walk) in organizations.iter().zip(&walks) {
        let acknowledged = books.acknowledged.lock().expect("no panic").clone();
        assert_eq!(acknowledged.len(), walk.rows.len(), "nothing is there that was not acknowledged");
        assert!(acknowledged.len() > 300, "there was load: {}", acknowledged.len());
        // A repetition is known to both, whoever recorded it.
        let keys: Vec<String> = acknowledged.keys().take(100).cloned().collect();
        let events: Vec<_> = keys.iter().map(|key| event(key)).collect();
        for service in [&staying, &dying] {
            let results = place.client().record(&service.base, &events).await.expect("an answer").expect("results");
            for (key, result) in keys.iter().zip(&results) {
                let (id, sequence) = &acknowledged[key];
                assert_eq!(result["status"], "ALREADY_RECORDED", "{key}");
                assert_eq!(
                    (&result["eventId"], &result["sequence"]),
                    (&json!(id), &json!(sequence.to_string())),
                    "{key}"
                );
            }
        }
    }
    assert_eq!(deadlocks(&app.url).await, 0);
    for service in [staying, dying] {
        assert_no_errors(&service);
        assert!(service.terminate().await.success());
    }
    app.finish().await;
}

/// New organizations, logs and actions, named to both processes at once in opposite orders, with the same keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_meet_the_same_new_names_agree_on_them() {
    let app = TestApp::start(Database::Postgres).await;
    let place = Place::of("unused", app.url.clone(), app.folder());
    let (one, other) = (place.service().await, place.service().await);
    let token = app.caller("workspace").without_organization().scopes("audit:record").subject("backend").token();
    for round in 0..8 {
        let events: Vec<_> = (0..30)
            .map(|n| {
                json!({ "organization": format!("org-{round}-{}", n % 10), "action": format!("did.{round}.{}", n % 7),
                    "log": { "level": "project", "id": format!("p{round}-{}", n % 5) },
                    "actor": { "kind": "USER", "id": format!("u{n}") }, "idempotencyKey": format!("{round}-{n}") })
            })
            .collect();
        let (forth, back): (Vec<_>, Vec<_>) = (events.clone(), events.into_iter().rev().collect());
        let send = async |base: &str, events: &[serde_json::Value]| {
            let client = Client::new(token.clone());
            client.record(base, events).await.expect("an answer").expect("results")
        };
        let (here, there) = tokio::join!(send(&one.base, &forth), send(&other.base, &back));
        for (here, there) in here.iter().zip(there.iter().rev()) {
            assert_eq!((&here["eventId"], &here["sequence"]), (&there["eventId"], &there["sequence"]));
            let mut statuses = [here["status"].as_str(), there["status"].as_str()];
            statuses.sort_unstable();
            assert_eq!(statuses, [Some("ALREADY_RECORDED"), Some("RECORDED")], "{here} {there}");
        }
    }
    for round in 0..8 {
        for n in 0..10 {
            let admin = app.admin("workspace", &format!("org-{round}-{n}"));
            let query = "{ auditEvents(first: 10, includeNested: true, orderBy: { field: SEQUENCE, \
                         direction: ASC }) { totalCount nodes { sequence } } viewer { logs { externalId } } }";
            let data = admin.data(query, json!({})).await;
            let sequences: Vec<_> = data["auditEvents"]["nodes"]
                .as_array()
                .expect("nodes")
                .iter()
                .map(|node| node["sequence"].clone())
                .collect();
            assert_eq!(sequences, ["0", "1", "2"]);
            assert_eq!(data["auditEvents"]["totalCount"], 3);
            assert_eq!(data["viewer"]["logs"].as_array().map(Vec::len), Some(2), "its own and one project: {data}");
        }
    }
    assert_eq!(deadlocks(&app.url).await, 0);
    for service in [one, other] {
        assert_no_errors(&service);
        assert!(service.terminate().await.success());
    }
    app.finish().await;
}
