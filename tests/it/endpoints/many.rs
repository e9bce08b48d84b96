use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::{create, here};
use crate::harness::{
    Database, TestApp, event, on_both_databases,
    receiver::{Receiver, Reply},
};

on_both_databases! {
    one_hostile_receiver_keeps_none_of_two_thousand_endpoints_waiting,
}

const ORGANIZATIONS: usize = 40;
/// Of each, the most that one may have.
const ENDPOINTS: usize = 50;

async fn execute(app: &TestApp, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    match app.database {
        Database::Sqlite => {
            let mut connection = SqliteConnection::connect(&app.url).await.expect("a connection");
            sqlx::query(sql).execute(&mut connection).await.expect("it is done");
        }
        Database::Postgres => {
            let mut connection = PgConnection::connect(&app.url).await.expect("a connection");
            sqlx::query(sql).execute(&mut connection).await.expect("it is done");
        }
    }
}

async fn one_hostile_receiver_keeps_none_of_two_thousand_endpoints_waiting(app: &TestApp) {
    let app = TestApp::with(app.database, app.products.clone(), here).await;
    let hostile = Receiver::scripted(|_| Reply::Late(Duration::from_secs(300))).await;
    let others = Receiver::start().await;
    let name = |n: usize| format!("organization-{n}");
    for n in 0..ORGANIZATIONS {
        let url = if n == 0 { &hostile.url } else { &others.url };
        create(&app.admin("workspace", &name(n)), url, json!(null)).await;
    }
    // Each is there fifty times: made by the service, it would take longer than what is looked at here.
    let endpoint =
        "label, kind, url, settings, secrets, question, roles, plan, logs, status, created_ns, created_by, changed_ns";
    let delivery =
        "next, failures, failing_ns, due_ns, succeeded_ns, trouble, replay_next, replay_end, replays, owner, lease_ns";
    for (table, id, rest) in [("endpoint", "id", endpoint), ("delivery", "endpoint_id", delivery)] {
        let copies = format!(
            "WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < {}) \
             INSERT INTO {table} (organization_no, {id}, {rest}) \
             SELECT organization_no, {id} || '_' || CAST(n AS TEXT), {rest} FROM {table} CROSS JOIN copies",
            ENDPOINTS - 1
        );
        execute(&app, &copies).await;
    }
    hostile.has_within(4, Duration::from_secs(60)).await;
    let begun = Instant::now();
    for n in 0..ORGANIZATIONS {
        app.admin("workspace", &name(n)).record(event("thing.one")).await;
    }
    let all = (ORGANIZATIONS - 1) * ENDPOINTS;
    let arrived = || others.got().iter().filter(|sent| sent.json()["data"]["action"] == "thing.one").count();
    let until = begun + Duration::from_secs(90);
    while arrived() < all {
        assert!(Instant::now() < until, "{} of {all}", arrived());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for sent in others.got().iter().filter(|sent| sent.json()["data"]["action"] == "thing.one") {
        *times.entry(sent.header("webhook-id").to_owned()).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == ENDPOINTS), "each endpoint once: {times:?}");
    // One of them alone is not kept waiting at all.
    let begun = Instant::now();
    app.admin("workspace", &name(7)).record(event("thing.two")).await;
    let last = || others.got().iter().filter(|sent| sent.json()["data"]["action"] == "thing.two").count();
    while last() < ENDPOINTS {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", last());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(hostile.got().len() < 40, "it has few places: {}", hostile.got().len());
    app.finish().await;
}
