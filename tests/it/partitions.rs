//! PostgreSQL keeps events in partitions by time: made as needed, seen by every process, sealed when that time is over.

use ledgerline::{clock::Clock, event::Timestamp};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::harness::{Caller, Database, TestApp, event, eventually};

async fn strings(url: &str, sql: &str) -> Vec<String> {
    let mut connection = PgConnection::connect(url).await.expect("PostgreSQL answers");
    let found = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.expect("it runs");
    connection.close().await.expect("it closes");
    found
}

fn at(action: &str, time: &str) -> Value {
    let mut event = event(action);
    event["occurredAt"] = json!(time);
    event["metadata"] = json!({ "note": "needle" });
    event
}

async fn recorded(admin: &Caller<'_>, events: Vec<Value>) {
    let wanted = events.len();
    assert_eq!(admin.record_all(events).await["recorded"], wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_any_time_get_a_partition_and_are_listed_in_the_order_of_time() {
    let app = TestApp::start(Database::Postgres).await;
    let admin = app.admin("workspace", "acme");
    let times = [
        ("a.1900", "1900-01-01T00:00:00Z"),
        ("a.1989", "1989-12-31T23:59:59.999999999Z"),
        ("a.1990", "1990-01-01T00:00:00Z"),
        ("a.2001-01", "2001-01-31T23:59:59.999999Z"),
        ("a.2001-02", "2001-02-01T00:00:00Z"),
        ("a.2019", "2019-06-01T00:00:00Z"),
    ];
    // The middle first: the gaps on both sides are filled later.
    for (action, time) in [times[3], times[0], times[5], times[2], times[4], times[1]] {
        recorded(&admin, vec![at(action, time)]).await;
    }
    recorded(&admin, vec![event("a.now")]).await;
    let mut newest_first: Vec<&str> = times.iter().map(|(action, _)| *action).collect();
    newest_first.push("a.now");
    newest_first.reverse();
    assert_eq!(admin.actions("").await, newest_first);
    assert_eq!(admin.actions("search: \"needle\"").await, newest_first[1..]);
    assert_eq!(admin.actions("search: \"needle\", first: 2").await, newest_first[1..3]);
    assert_eq!(admin.actions("search: \"needle\", last: 2").await, newest_first[5..]);
    let dates = "filter: { occurredAt: { from: \"1990-01-01T00:00:00Z\", to: \"2001-02-01T00:00:00Z\" } }";
    assert_eq!(admin.actions(dates).await, ["a.2001-01", "a.1990"]);
    assert_eq!(admin.actions(&format!("search: \"needle\", {dates}")).await, ["a.2001-01", "a.1990"]);
    let names = strings(&app.url, "SELECT DISTINCT tableoid::regclass::text FROM event ORDER BY 1").await;
    assert_eq!(names[..4], ["event_198912", "event_199001_199012", "event_200101_200112", "event_201901_201912"]);
    assert_eq!(names.len(), 5, "{names:?}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_another_process_made_is_read_at_once() {
    let app = TestApp::start(Database::Postgres).await;
    let other = app.beside().await;
    let (admin, neighbour) = (app.admin("workspace", "acme"), other.admin("workspace", "acme"));
    recorded(&admin, vec![event("a.now")]).await;
    assert_eq!(neighbour.actions("").await, ["a.now"]);
    recorded(&admin, vec![at("a.old", "2003-03-03T00:00:00Z")]).await;
    for arguments in ["filter: { occurredAt: { to: \"2010-01-01T00:00:00Z\" } }", "search: \"needle\""] {
        assert_eq!(neighbour.actions(arguments).await, ["a.old"], "{arguments}");
    }
    // Both make the same one at the same time.
    let both = tokio::join!(
        recorded(&admin, vec![at("a.one", "2005-01-01T00:00:00Z")]),
        recorded(&neighbour, vec![at("a.two", "2005-01-02T00:00:00Z")])
    );
    assert_eq!(both, ((), ()));
    assert_eq!(neighbour.actions("search: \"needle\"").await, ["a.two", "a.one", "a.old"]);
    other.finish().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_wait_in_a_search_index_are_merged_beside_recording() {
    let app = TestApp::start(Database::Postgres).await;
    let admin = app.admin("workspace", "acme");
    let waiting = "SELECT gin_clean_pending_list(indexrelid)::text FROM pg_index JOIN pg_class i ON i.oid = indexrelid \
        WHERE indrelid = 'event_200101_200112'::regclass AND relname LIKE '%terms%'";
    // The index is new: whatever is in it came after this.
    recorded(&admin, vec![at("a.one", "2001-01-01T00:00:00Z")]).await;
    eventually(async || {
        strings(&app.url, "SELECT n_tup_ins::text FROM pg_stat_user_tables WHERE relname = 'event_200101_200112'").await
            == ["1"]
    })
    .await;
    eventually(async || app.app.store.merge_search_entries().await.expect("a merge").is_empty()).await;
    assert_eq!(strings(&app.url, waiting).await, ["0"], "nothing waits");
    assert_eq!(admin.actions("search: \"needle\"").await, ["a.one"]);
    // And there is something to merge without the merge: another connection writes around the service.
    let copy = "INSERT INTO event SELECT (e).* FROM (SELECT jsonb_populate_record(event, '{\"organization_no\": 7}') \
                e FROM event) f RETURNING 'done'";
    strings(&app.url, copy).await;
    assert_ne!(strings(&app.url, waiting).await, ["0"], "an entry waits");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_whose_time_is_over_is_sealed_and_still_takes_what_comes_late() {
    let app = TestApp::start(Database::Postgres).await;
    let admin = app.admin("workspace", "acme");
    let store = &app.app.store;
    let batch =
        |n: i64| (0..100).map(move |i| at(&format!("a.{i}"), &format!("2002-0{n}-01T00:00:00.{i:03}Z"))).collect();
    recorded(&admin, batch(1)).await;
    let sealed = || strings(&app.url, "SELECT name FROM event_partition WHERE sealed_ns IS NOT NULL ORDER BY 1");
    eventually(async || store.merge_search_entries().await.expect("a merge").is_empty()).await;
    let now = Clock::system().now();
    let skipped = [String::from("event_200201_200212")].into();
    assert_eq!(store.seal_partitions(now, &skipped).await.expect("it runs"), 0, "it is still written to");
    assert_eq!(store.seal_partitions(now, &Default::default()).await.expect("it is sealed"), 1);
    assert_eq!(sealed().await, ["event_200201_200212"], "and not those of this month and the next ones");
    assert_eq!(store.seal_partitions(now, &Default::default()).await.expect("nothing is left"), 0);
    recorded(&admin, batch(2)).await;
    assert_eq!(admin.actions("search: \"needle\", first: 3").await, ["a.99", "a.98", "a.97"]);
    let count = admin.data("{ auditEvents(search: \"needle\") { totalCount } }", json!({})).await;
    assert_eq!(count["auditEvents"]["totalCount"], 200);
    eventually(async || sealed().await.is_empty()).await;
    let a_year_on = Timestamp(now.0 + 366 * 86_400 * 1_000_000_000);
    assert!(store.seal_partitions(a_year_on, &Default::default()).await.expect("all are sealed") > 3);
    assert_eq!(admin.actions("search: \"needle\", first: 1").await, ["a.99"]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_partition_that_a_killed_process_wrote_to_is_sealed_again() {
    let app = TestApp::start(Database::Postgres).await;
    let admin = app.admin("workspace", "acme");
    recorded(&admin, vec![at("a.one", "2001-01-01T00:00:00Z"), at("a.two", "2002-01-01T00:00:00Z")]).await;
    let store = &app.app.store;
    eventually(async || store.merge_search_entries().await.expect("a merge").is_empty()).await;
    assert_eq!(store.seal_partitions(Clock::system().now(), &Default::default()).await.expect("they are sealed"), 2);
    let sealed =
        || strings(&app.url, "SELECT name || sealed_ns FROM event_partition WHERE sealed_ns IS NOT NULL ORDER BY 1");
    let before = sealed().await;
    // What such a process leaves: rows whose entries wait, and nobody who knows of them.
    let copy = "INSERT INTO event SELECT (e).* FROM (SELECT jsonb_populate_record(event, '{\"organization_no\": 7}') e \
        FROM event WHERE action = 'a.one') f RETURNING 'done'";
    strings(&app.url, copy).await;
    let next = app.beside().await;
    eventually(async || matches!(&sealed().await[..], [one, two] if *one != before[0] && *two == before[1])).await;
    next.finish().await;
    app.finish().await;
}
