//! Numbers of organizations: each is given once and none is lost; when all are given, those who have one go on.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::harness::{Database, TestApp, event, on_both_databases};

/// The last number: terms hold five digits in base 36.
const LAST: i64 = 60_466_175;

async fn numbers(app: &TestApp) -> Vec<i64> {
    let sql = "SELECT no FROM organization ORDER BY no";
    match app.database {
        Database::Sqlite => {
            let mut db = SqliteConnection::connect(&app.url).await.expect("it opens");
            sqlx::query_scalar(sql).fetch_all(&mut db).await.expect("numbers")
        }
        Database::Postgres => {
            let mut db = PgConnection::connect(&app.url).await.expect("it answers");
            sqlx::query_scalar(sql).fetch_all(&mut db).await.expect("numbers")
        }
    }
}

/// Somebody else's organization.
async fn take(app: &TestApp, no: i64) {
    let sql =
        format!("INSERT INTO organization (no, product, external_id, created_ns) VALUES ({no}, 'other', '{no}', 0)");
    match app.database {
        Database::Sqlite => {
            let mut db = SqliteConnection::connect(&app.url).await.expect("it opens");
            db.execute(AssertSqlSafe(sql)).await.expect("it runs");
        }
        Database::Postgres => {
            let mut db = PgConnection::connect(&app.url).await.expect("it answers");
            db.execute(AssertSqlSafe(sql)).await.expect("it runs");
        }
    }
}

fn of(organization: &str) -> Value {
    let mut input = event("a");
    input["organization"] = json!(organization);
    input
}

on_both_databases! {
    no_number_is_lost_by_restarts_conflicts_and_refusals,
    at_the_last_number_those_who_have_one_go_on_and_a_new_one_is_refused_with_the_reason,
}

async fn no_number_is_lost_by_restarts_conflicts_and_refusals(app: &TestApp) {
    let names = ["one", "two", "three", "four"];
    for name in names {
        app.admin("workspace", name).record(event("a")).await;
    }
    // Restarted processes know none of them.
    for _ in 0..3 {
        let again = app.beside().await;
        for name in names {
            again.admin("workspace", name).record(event("a")).await;
        }
        again.finish().await;
    }
    assert_eq!(numbers(app).await, [1, 2, 3, 4]);
    // New ones whose only event is refused.
    for n in 0..5 {
        let mut bad = event("a");
        bad["log"] = json!({ "level": "nowhere", "id": "x" });
        let answer = app.admin("workspace", &format!("bad-{n}")).record_all(vec![bad]).await;
        assert_eq!(answer["refused"], 1);
    }
    // The same new ones, to two processes at once.
    let beside = app.beside().await;
    let backend = |app: &TestApp| app.caller("workspace").without_organization().scopes("audit:record").token();
    let query = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded } }";
    let forth: Vec<_> = (0..20).map(|n| of(&format!("new-{n}"))).collect();
    let back: Vec<_> = forth.iter().rev().cloned().collect();
    let (here, there) = (backend(app), backend(&beside));
    let (here, there) = tokio::join!(
        app.graphql(Some(&here), query, json!({ "input": { "events": forth } })),
        beside.graphql(Some(&there), query, json!({ "input": { "events": back } })),
    );
    assert_eq!(here.data()["recordAuditEvents"]["recorded"], 20);
    assert_eq!(there.data()["recordAuditEvents"]["recorded"], 20);
    assert_eq!(numbers(app).await, (1..=24).collect::<Vec<_>>());
    beside.finish().await;
}

async fn at_the_last_number_those_who_have_one_go_on_and_a_new_one_is_refused_with_the_reason(app: &TestApp) {
    let old = app.admin("workspace", "old");
    old.record(event("a")).await;
    take(app, LAST - 1).await;
    let backend = app.caller("workspace").without_organization().scopes("audit:record audit:manage");
    // One number is left, and three are new: the first of them has it.
    let answer = backend.record_all(vec![of("new-1"), of("old"), of("new-2"), of("new-3"), of("new-1")]).await;
    assert_eq!((&answer["recorded"], &answer["refused"]), (&json!(3), &json!(2)), "{answer:#}");
    for at in [2, 3] {
        let error = &answer["results"][at]["error"];
        assert_eq!(error["code"], "LIMIT_REACHED", "{answer:#}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains("organization")), "{error}");
    }
    assert_eq!(numbers(app).await, [1, LAST - 1, LAST]);
    let record = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";
    for name in ["new-2", "new-4"] {
        let admin = app.admin("workspace", name);
        assert_eq!(admin.ask(record, json!({ "input": event("a") })).await.code(), "LIMIT_REACHED");
        // It is an organization without events, not one that cannot be asked for.
        assert_eq!(admin.actions("").await, Vec::<String>::new());
    }
    let atomic = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded refused } }";
    let input = json!({ "input": { "events": [of("old"), of("new-2")], "atomic": true } });
    assert_eq!(backend.data(atomic, input).await["recordAuditEvents"], json!({ "recorded": 0, "refused": 2 }));
    // Another process, which has to look everybody up.
    let beside = app.beside().await;
    for _ in 0..3 {
        for name in ["old", "new-1"] {
            assert_eq!(beside.admin("workspace", name).record(event("a")).await["status"], "RECORDED");
        }
        let admin = beside.admin("workspace", "new-2");
        assert_eq!(admin.ask(record, json!({ "input": event("a") })).await.code(), "LIMIT_REACHED");
    }
    assert_eq!(app.admin("workspace", "new-1").actions("").await.len(), 5);
    assert_eq!(old.actions("").await.len(), 5);
    assert_eq!(numbers(app).await, [1, LAST - 1, LAST]);
    beside.finish().await;
}
