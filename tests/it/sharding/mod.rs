//! What sharding by organization rests on: every key and reference carries the organization's number, and so does every
//! statement.

mod rule;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use axum::{body::Body, http::Request};
use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    harness::{
        Database, TestApp, catalogs, event, eventually, postgres,
        sql::{change, column},
    },
    process::ledgerline,
    wire::Proxy,
};

/// A service that takes its database for a cluster, and what stands between them and hears every statement. There is no
/// cluster: what is tried is which statements it would be asked.
pub async fn pretended() -> (TestApp, Proxy) {
    let url = postgres::fresh_database().await;
    let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL answers");
    connection.execute(sqlx::raw_sql(include_str!("pretended.sql"))).await.expect("it pretends");
    connection.close().await.expect("it closes");
    let proxy = Proxy::before(&url).await;
    let folder = tempfile::tempdir().expect("a folder");
    (TestApp::on(Database::Postgres, proxy.url.clone(), catalogs::products(), folder).await, proxy)
}

/// Every statement that was sent keeps to one node.
pub fn keeps_to_one_node(proxy: &Proxy) {
    let requests: BTreeSet<(bool, String)> = proxy.requests().into_iter().collect();
    let of_events = requests.iter().filter(|(_, text)| text.contains("event_order")).count();
    assert!(of_events > 0, "of {} statements none is about events", requests.len());
    let faults: Vec<String> = requests
        .iter()
        .filter_map(|(is_plain, text)| Some(format!("{}:\n  {text}", rule::fault(*is_plain, text)?)))
        .collect();
    assert!(faults.is_empty(), "{} of {} statements:\n{}", faults.len(), requests.len(), faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_unique_key_and_reference_between_events_carries_the_organization() {
    let app = TestApp::start(Database::Postgres).await;
    let mut connection = PgConnection::connect(&app.url).await.expect("PostgreSQL answers");
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace AND nspname = 'public' \
         WHERE relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1",
    )
    .fetch_all(&mut connection)
    .await
    .expect("tables");
    // Kept whole on every node: tenants' names, the partitions, keys, the clock of sweeps, and the histories of the
    // database and of its schema.
    let whole = [
        "event_partition",
        "organization",
        "schema_history",
        "seaql_migrations",
        "stale_terms",
        "issuer_key",
        "masking_key",
        "plain_hashes",
        "sweep_clock",
        "history",
    ];
    let cut: Vec<_> = tables.iter().filter(|table| !whole.contains(&table.as_str())).collect();
    assert_eq!(cut.len() + whole.len(), tables.len(), "{tables:?}");
    for table in cut {
        let without: Vec<String> = sqlx::query_scalar(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = $1::regclass AND indisunique \
             AND NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = indrelid AND attname = 'organization_no' \
             AND attnum = ANY (indkey[0:indnkeyatts - 1]))",
        )
        .bind(table)
        .fetch_all(&mut connection)
        .await
        .expect("indexes");
        assert_eq!(without, Vec::<String>::new(), "unique keys of {table}");
        let elsewhere: Vec<String> = sqlx::query_scalar(
            "SELECT confrelid::regclass::text FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'f' \
             AND confrelid <> 'organization'::regclass",
        )
        .bind(table)
        .fetch_all(&mut connection)
        .await
        .expect("references");
        assert_eq!(elsewhere, Vec::<String>::new(), "references of {table}");
    }
    connection.close().await.expect("it closes");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_citus_is_not_distributed_and_says_why() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = TestApp::start(database).await;
        let mut command = ledgerline(&app.url, &app.folder());
        let output = tokio::task::spawn_blocking(move || command.args(["migrate", "--citus"]).output());
        let output = output.await.expect("it ends").expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{said}");
        assert!(said.contains("CREATE EXTENSION citus"), "{said}");
        app.finish().await;
    }
}

/// Twelve organizations that have recorded an event each, by name.
async fn twelve(app: &TestApp) -> Vec<String> {
    let names: Vec<String> = (0..12).map(|n| format!("org_{n}")).collect();
    for name in &names {
        assert_eq!(recorded(app, name).await, "OK");
    }
    names
}

/// What each of them is answered while the second node is not there.
async fn without_second(url: &str, names: &[String]) -> Vec<&'static str> {
    let on_second: Vec<String> =
        column(url, "SELECT external_id FROM organization WHERE worker_hash(no) >= 0 AND external_id LIKE 'org%'")
            .await;
    assert!((1..names.len()).contains(&on_second.len()), "{on_second:?}");
    names.iter().map(|name| if on_second.contains(name) { "UNAVAILABLE" } else { "OK" }).collect()
}

/// Records an event of an organization: the code of the answer, or "OK".
async fn recorded(app: &TestApp, organization: &str) -> String {
    let query = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";
    answered(app, organization, query, json!({ "input": event("a.b") })).await
}

async fn answered(app: &TestApp, organization: &str, query: &str, variables: Value) -> String {
    let answer = app.admin("workspace", organization).ask(query, variables).await.json();
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("OK").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_gone_takes_no_other_along() {
    let (app, proxy) = pretended().await;
    let names = twelve(&app).await;
    let record = async |name: &String| recorded(&app, name).await;
    let url = proxy.behind.clone();
    let without_second = without_second(&url, &names).await;
    change(&url, "INSERT INTO gone_node VALUES (2)").await;
    for round in 0..4 {
        assert_eq!(join_all(names.iter().map(&record)).await, without_second, "round {round}");
    }
    let ready = async || {
        let answer = app.send(Request::get("/readyz").body(Body::empty()).expect("a request")).await;
        (answer.status.as_u16(), String::from_utf8_lossy(&answer.body).into_owned())
    };
    let (status, said) = ready().await;
    assert!(status == 200 && said.contains("nodes that do not answer: 2"), "{status} {said}");
    // Whoever knows nothing of any organization yet keeps them apart, too.
    let other = app.beside().await;
    assert_eq!(join_all(names.iter().map(|name| recorded(&other, name))).await, without_second);
    other.finish().await;
    change(&url, "INSERT INTO gone_node VALUES (1)").await;
    assert_eq!(ready().await.0, 503);
    change(&url, "DELETE FROM gone_node").await;
    // The service asks them again by itself.
    eventually(async || ready().await == (200, "ready".to_owned())).await;
    assert!(join_all(names.iter().map(&record)).await.iter().all(|code| code == "OK"));
    for (name, meanwhile) in names.iter().zip(without_second) {
        let all = app.admin("workspace", name).data("{ auditEvents { totalCount } }", json!({})).await;
        let recorded = if meanwhile == "OK" { 7 } else { 2 };
        assert_eq!(all["auditEvents"]["totalCount"], recorded, "{name}: what was refused is not there");
    }
    app.finish().await;
    keeps_to_one_node(&proxy);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_silent_keeps_nobody_waiting() {
    let (app, proxy) = pretended().await;
    let names = twelve(&app).await;
    let record = async |name: &String| recorded(&app, name).await;
    let read = async |name: &String| answered(&app, name, "{ auditEvents { totalCount } }", json!({})).await;
    let url = proxy.behind.clone();
    let expected = without_second(&url, &names).await;
    change(&url, "INSERT INTO gone_node VALUES (2, true)").await;
    let since = Instant::now();
    assert_eq!(join_all(names.iter().map(&record)).await, expected);
    assert!(since.elapsed() < Duration::from_secs(9), "{:?}", since.elapsed());
    // Now it is known: nobody waits for it, in recording or reading, and nothing new needs it.
    let since = Instant::now();
    assert_eq!(join_all(names.iter().map(&record)).await, expected);
    assert_eq!(join_all(names.iter().map(&read)).await, expected);
    assert_eq!(record(&"org_new".to_owned()).await, "UNAVAILABLE");
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    change(&url, "DELETE FROM gone_node").await;
    eventually(async || join_all(names.iter().map(&record)).await.iter().all(|code| code == "OK")).await;
    assert_eq!(record(&"org_new".to_owned()).await, "OK");
    app.finish().await;
    keeps_to_one_node(&proxy);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_of_a_cluster_is_refused() {
    let (app, proxy) = pretended().await;
    change(&proxy.behind, "UPDATE pg_dist_local_group SET groupid = 2").await;
    let mut command = ledgerline(&proxy.behind, &app.folder());
    let output = tokio::task::spawn_blocking(move || command.arg("migrate").output()).await.expect("it ends");
    let said = String::from_utf8_lossy(&output.expect("the program runs").stderr).into_owned();
    assert!(said.contains("must be the coordinator of the cluster"), "{said}");
    app.finish().await;
}
