//! Reads from a replica: as fresh as what was acknowledged, whatever the replica's delay.

use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use crate::harness::{Database, TestApp, event, eventually, postgres::replica_of};

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
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        reads(&replica).await > before
    })
    .await;
    // Another tenant's question is not answered there either.
    assert_eq!(reading.admin("workspace", "other").actions("").await, Vec::<String>::new());
    reading.finish().await;
    app.finish().await;
}

#[tokio::test]
async fn a_replica_is_for_postgresql_alone() {
    let app = TestApp::start(Database::Sqlite).await;
    let store = app.app.store.clone();
    let refused = store.with_replica("postgres://127.0.0.1:1/none").await.err().expect("SQLite has no replica");
    assert!(refused.to_string().contains("LEDGERLINE_READ_DATABASE_URL"), "{refused}");
    app.finish().await;
}
