//! After an erasure PostgreSQL's partitions are written anew beside their use: what comes meanwhile is there, and nobody sees
//! less than there is.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use super::erasure::{ERASE, erase, theirs, until, whom};
use crate::harness::{
    Database, TestApp, event, eventually,
    sql::{change, column},
};

/// What a partition is but for its rows: the definitions of its indexes, constraints and triggers, its settings, and what
/// others than its owner may do with it.
async fn made_of(app: &TestApp, partition: &str) -> Vec<String> {
    let sql = format!(
        "SELECT replace(made, '{partition}', 'event_X') FROM (\
         SELECT concat(pg_get_indexdef(indexrelid), indisvalid) AS made FROM pg_index WHERE indrelid = '{partition}'::regclass \
         UNION ALL SELECT concat(i.inhparent::regclass, ' has ', x.indexrelid::regclass) FROM pg_index x \
             JOIN pg_inherits i ON i.inhrelid = x.indexrelid WHERE x.indrelid = '{partition}'::regclass \
         UNION ALL SELECT concat(conname, pg_get_constraintdef(oid)) FROM pg_constraint \
             WHERE conrelid = '{partition}'::regclass AND contype <> 'n' \
         UNION ALL SELECT concat(tgname, tgenabled, tgfoid::regproc) FROM pg_trigger WHERE tgrelid = '{partition}'::regclass \
         UNION ALL SELECT coalesce(array_to_string(reloptions, ','), 'as they come') FROM pg_class \
             WHERE oid = '{partition}'::regclass \
         UNION ALL SELECT concat(a.grantee, ' may ', a.privilege_type) FROM pg_class c, aclexplode(c.relacl) a \
             WHERE c.oid = '{partition}'::regclass AND a.grantee <> c.relowner) made ORDER BY 1"
    );
    column(&app.url, &sql).await
}

/// The partition with all events, and the number of its table.
async fn partition(app: &TestApp) -> (String, i64) {
    let names = column::<String>(&app.url, "SELECT DISTINCT tableoid::regclass::text FROM event").await;
    let [name] = &names[..] else { panic!("all events are of one month: {names:?}") };
    let no = column::<i64>(&app.url, &format!("SELECT '{name}'::regclass::oid::bigint")).await[0];
    (name.clone(), no)
}

/// Nothing of the work is left, and every event that was recorded is found by both orders.
async fn is_whole(app: &TestApp, before: &[String]) {
    let left = "SELECT count(*) FROM (SELECT relname FROM pg_class WHERE relname ~ '^event_.*_(anew|changes)' UNION ALL \
                SELECT proname FROM pg_proc WHERE proname ~ '^event_.*_changed' UNION ALL \
                SELECT tgname FROM pg_trigger WHERE tgname = 'event_changed') l";
    assert_eq!(column::<i64>(&app.url, left).await, [0]);
    let (name, _) = partition(app).await;
    assert_eq!(made_of(app, &name).await, before);
    let missing = "SELECT size - (SELECT count(*) FROM event_order o JOIN event e USING (organization_no, sequence, position)) \
                   FROM organization_head";
    assert_eq!(column::<i64>(&app.url, missing).await, [0]);
    let mut connection = PgConnection::connect(&app.url).await.expect("PostgreSQL answers");
    for statement in ["UPDATE event SET action = 'other'", "DELETE FROM event"] {
        let refused = connection.execute(statement).await.expect_err("refused").to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    let truncate = sqlx::AssertSqlSafe(format!("TRUNCATE {name}"));
    let refused = connection.execute(truncate).await.expect_err("refused").to_string();
    assert!(refused.contains("append-only"), "{refused}");
    connection.close().await.expect("closed");
}

async fn started(app: &TestApp) -> (Vec<String>, i64) {
    let admin = app.admin("workspace", "acme");
    for _ in 0..3 {
        admin.record_all((0..100).map(|_| event("doc.read")).collect()).await;
        admin
            .record_all(
                (0..20)
                    .map(theirs)
                    .map(|mut input| {
                        input.as_object_mut().expect("an object").remove("idempotencyKey");
                        input
                    })
                    .collect(),
            )
            .await;
    }
    let (name, no) = partition(app).await;
    (made_of(app, &name).await, no)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_while_a_month_is_written_anew_is_there() {
    let app = TestApp::start(Database::Postgres).await;
    let (before, no) = started(&app).await;
    let admin = app.admin("workspace", "acme");
    let is_over = AtomicBool::new(false);
    let recording = join_all((0..8).map(|_| async {
        let mut recorded = 0;
        while !is_over.load(Ordering::SeqCst) {
            assert_eq!(admin.record(event("was.busy")).await["status"], "RECORDED");
            recorded += 1;
        }
        recorded
    }));
    let erasing = async {
        let done = erase(&admin, whom()).await;
        is_over.store(true, Ordering::SeqCst);
        done
    };
    let (done, recorded) = tokio::join!(erasing, recording);
    assert_eq!(done["events"], "60");
    assert_ne!(partition(&app).await.1, no, "another table has its place");
    let found = admin.data("{ auditEvents(filter: { actions: [\"was.busy\"] }) { totalCount } }", json!({})).await;
    assert_eq!(found["auditEvents"]["totalCount"], recorded.iter().sum::<i32>());
    is_whole(&app, &before).await;
    app.finish().await;
}

/// As `pg_dump` does between its first look and its locks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_an_older_snapshot_sees_all_of_it() {
    let app = TestApp::start(Database::Postgres).await;
    // As for a role that serves and owns nothing.
    let rights = "GRANT SELECT, INSERT, UPDATE, DELETE ON";
    change(&app.url, &format!("{rights} ALL TABLES IN SCHEMA public TO PUBLIC")).await;
    change(&app.url, &format!("ALTER DEFAULT PRIVILEGES IN SCHEMA public {rights} TABLES TO PUBLIC")).await;
    let (before, no) = started(&app).await;
    assert!(before.iter().any(|made| made.contains("may INSERT")), "{before:?}");
    let mut dump = PgConnection::connect(&app.url).await.expect("PostgreSQL answers");
    dump.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM log").await.expect("a snapshot");
    let admin = app.admin("workspace", "acme");
    let asked = admin.data(ERASE, json!({ "input": whom() })).await["eraseFromAuditLog"]["erasure"].clone();
    let id = asked["id"].as_str().expect("an id");
    until(&admin, id, "CLEANING").await;
    // The rows are copied, and wait for their place.
    let copied = "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname ~ '_anew$'";
    eventually(async || column::<i64>(&app.url, copied).await == [2]).await;
    // Nothing keeps their rows as they are yet.
    let of_others = "SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a WHERE c.relname ~ '_(anew|changes)$' \
                     AND a.grantee <> c.relowner";
    assert_eq!(column::<i64>(&app.url, of_others).await, [0]);
    assert_eq!(admin.record(event("goes.on")).await["status"], "RECORDED");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(partition(&app).await.1, no, "it is waited for");
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(&mut dump).await.expect("a number");
    assert_eq!(seen, 360, "what was there when it began");
    dump.close().await.expect("closed");
    until(&admin, id, "DONE").await;
    assert_ne!(partition(&app).await.1, no);
    is_whole(&app, &before).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_kill_left_is_taken_away() {
    let app = TestApp::start(Database::Postgres).await;
    let (before, _) = started(&app).await;
    let (name, _) = partition(&app).await;
    for statement in [
        "CREATE TABLE {name}_changes (organization_no BIGINT NOT NULL, position BIGINT NOT NULL)",
        "CREATE FUNCTION {name}_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO {name}_changes VALUES \
         (NEW.organization_no, NEW.position); RETURN NULL; END $$",
        "CREATE TRIGGER event_changed AFTER INSERT OR UPDATE OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION \
         {name}_changed()",
        "CREATE TABLE {name}_anew (LIKE event INCLUDING ALL)",
        "ALTER TABLE {name} SET (autovacuum_enabled = off)",
        // Of a month that is gone.
        "CREATE TABLE event_190001_changes (organization_no BIGINT NOT NULL, position BIGINT NOT NULL)",
        "CREATE TABLE event_190001_anew (LIKE event INCLUDING ALL)",
    ] {
        change(&app.url, &statement.replace("{name}", &name)).await;
    }
    let admin = app.admin("workspace", "acme");
    assert_eq!(admin.record(event("goes.on")).await["status"], "RECORDED");
    assert_eq!(erase(&admin, whom()).await["events"], "60");
    is_whole(&app, &before).await;
    app.finish().await;
}
