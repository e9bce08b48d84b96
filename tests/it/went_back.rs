//! A database that went back in time under a running service, as after a restore in place: the numbers of lost
//! organizations belong to others by then, and no token of a lost one reads or writes there.

use ledgerline::clock::Clock;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::{
    crash::Place,
    harness::{Caller, Database, TestApp, event, eventually, on_both_databases},
};

/// Everything that a backup holds.
const TABLES: [&str; 9] = [
    "organization",
    "organization_head",
    "log",
    "kind",
    "event",
    "event_order",
    "idempotency",
    "event_count",
    "actor_directory",
];
const LOST: usize = 40;

/// Copies the state of now into tables beside the service's.
pub async fn back_up(app: &TestApp) {
    match app.database {
        Database::Postgres => {
            let mut db = PgConnection::connect(&app.url).await.expect("PostgreSQL answers");
            run(&mut db, "CREATE SCHEMA backup".to_owned()).await;
            for table in TABLES.into_iter().chain(["event_partition"]) {
                run(&mut db, format!("CREATE TABLE backup.{table} AS SELECT * FROM public.{table}")).await;
            }
        }
        Database::Sqlite => {
            let mut db = SqliteConnection::connect(&app.url).await.expect("it opens");
            for table in TABLES.into_iter().chain(["event_search_data", "event_search_idx"]) {
                let columns = columns(&mut db, table).await;
                let sql = format!("CREATE TABLE backup_{table} AS SELECT {columns} FROM {table}");
                db.execute(AssertSqlSafe(sql)).await.expect("it is copied");
            }
        }
    }
}

/// Puts the tables back while the service runs, and opens a new history, as whoever runs the service has to.
async fn restore(app: &TestApp) {
    put_back(app).await;
    app.app.store.open_history(Clock::system().now()).await.expect("it is opened");
}

/// Puts the tables back while the service runs, as one who may switch triggers off.
pub async fn put_back(app: &TestApp) {
    match app.database {
        Database::Postgres => {
            let mut db = PgConnection::connect(&app.url).await.expect("PostgreSQL answers");
            run(&mut db, "SET session_replication_role = replica".to_owned()).await;
            run(&mut db, "BEGIN".to_owned()).await;
            let later = "SELECT name FROM event_partition WHERE name NOT IN (SELECT name FROM backup.event_partition)";
            for partition in sqlx::query_scalar::<_, String>(later).fetch_all(&mut db).await.expect("names") {
                run(&mut db, format!("DROP TABLE {partition}")).await;
            }
            for table in TABLES.into_iter().chain(["event_partition"]) {
                run(&mut db, format!("DELETE FROM public.{table}")).await;
                run(&mut db, format!("INSERT INTO public.{table} SELECT * FROM backup.{table}")).await;
            }
            run(&mut db, "COMMIT".to_owned()).await;
        }
        Database::Sqlite => {
            let mut db = SqliteConnection::connect(&app.url).await.expect("it opens");
            db.execute("PRAGMA foreign_keys = off").await.expect("it is set");
            db.execute("BEGIN IMMEDIATE").await.expect("it begins");
            let triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'";
            let triggers: Vec<(String, String)> = sqlx::query_as(triggers).fetch_all(&mut db).await.expect("triggers");
            for (name, _) in &triggers {
                db.execute(AssertSqlSafe(format!("DROP TRIGGER {name}"))).await.expect("it is dropped");
            }
            for table in TABLES.into_iter().chain(["event_search_data", "event_search_idx"]) {
                let columns = columns(&mut db, table).await;
                db.execute(AssertSqlSafe(format!("DELETE FROM {table}"))).await.expect("it is emptied");
                let fill = format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM backup_{table}");
                db.execute(AssertSqlSafe(fill)).await.expect("it is filled");
            }
            for (_, trigger) in triggers {
                db.execute(AssertSqlSafe(trigger)).await.expect("it is made");
            }
            db.execute("COMMIT").await.expect("it is committed");
        }
    }
}

async fn run(db: &mut PgConnection, sql: String) {
    db.execute(AssertSqlSafe(sql)).await.expect("it runs");
}

/// The columns of a table of SQLite that are stored.
async fn columns(db: &mut SqliteConnection, table: &str) -> String {
    let sql = format!("SELECT group_concat(name, ', ') FROM pragma_table_info('{table}')");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(db).await.expect("columns")
}

async fn count(app: &TestApp, sql: &'static str) -> i64 {
    match app.database {
        Database::Postgres => {
            let mut db = PgConnection::connect(&app.url).await.expect("PostgreSQL answers");
            sqlx::query_scalar(sql).fetch_one(&mut db).await.expect("a number")
        }
        Database::Sqlite => {
            let mut db = SqliteConnection::connect(&app.url).await.expect("it opens");
            sqlx::query_scalar(sql).fetch_one(&mut db).await.expect("a number")
        }
    }
}

/// An event of some owner in one of its projects, on one of ten days.
fn of(owner: &str, n: usize) -> Value {
    let mut input = event(&format!("{owner}.did"));
    input["log"] = json!({ "level": "project", "id": format!("{owner}-project") });
    input["occurredAt"] = json!(format!("2026-0{}-1{}T12:00:00Z", n % 3 + 1, n % 10));
    input["metadata"] = json!({ "owner": owner });
    input["idempotencyKey"] = json!(format!("{owner}-{n}"));
    input
}

/// Everything that a token can be shown of its organization's log, as text.
async fn everything(caller: &Caller<'_>) -> String {
    let query = "{
        auditEvents(first: 100, includeNested: true) { totalCount nodes { id action metadataText }
            facets(timeZone: \"Asia/Kathmandu\") { actions { buckets { value } } actors { buckets { value } }
            days { day count } } }
        year: auditEvents(first: 5, filter: { occurredAt: { from: \"2026-01-01T00:00:00Z\",
        to: \"2027-01-01T00:00:00Z\" } }) {
            totalCount facets { days { day count } } }
        found: auditEvents(first: 5, search: \"did\") { totalCount }
        named: auditEvents(first: 5, filter: { actor: { emailContains: \"u1\" } }) { totalCount }
        actors { name }
        viewer { logs { externalId } } }";
    caller.data(query, json!({})).await.to_string()
}

async fn total(caller: &Caller<'_>) -> Value {
    caller.data("{ auditEvents { totalCount } }", json!({})).await["auditEvents"]["totalCount"].clone()
}

async fn forgotten(app: &TestApp) -> f64 {
    let request = axum::http::Request::get("/metrics").body(axum::body::Body::empty()).expect("a request");
    let metrics = String::from_utf8(app.send(request).await.body).expect("text");
    let line = metrics.lines().find_map(|line| line.strip_prefix("ledgerline_database_went_back_total "));
    line.map_or(0.0, |number| number.trim().parse().expect("a number"))
}

on_both_databases! {
    no_token_of_a_lost_organization_reads_or_writes_the_one_that_has_its_number,
    another_history_of_the_same_size_is_read_as_it_is,
    times_that_had_a_place_before_get_one_again,
    a_process_whose_database_went_back_says_so,
}

async fn no_token_of_a_lost_organization_reads_or_writes_the_one_that_has_its_number(app: &TestApp) {
    let beside = app.beside().await;
    let services = [app, &beside];
    let lost = |n: usize| format!("lost-{n}");
    let new = |n: usize| format!("new-{n}");
    let kept = app.admin("workspace", "kept");
    kept.record(of("kept", 0)).await;
    back_up(app).await;

    let mut ids = Vec::new();
    for n in 0..LOST {
        let admin = app.admin("workspace", &lost(n));
        for k in 0..3 {
            ids.push(admin.record(of(&lost(n), k)).await["event"]["id"].clone());
        }
        // Both processes remember all there is to remember.
        for service in services {
            assert!(everything(&service.admin("workspace", &lost(n))).await.contains(&lost(n)));
        }
    }
    let highest = count(app, "SELECT max(no) FROM organization").await;
    restore(app).await;
    let before = forgotten(app).await;
    // Others get the numbers; which process gives them makes no difference.
    for n in 0..LOST {
        for k in 0..3 {
            services[n % 2].admin("workspace", &new(n)).record(of(&new(n), k)).await;
        }
    }
    assert_eq!(
        count(app, "SELECT max(no) FROM organization").await,
        highest,
        "the new ones have the numbers of the lost"
    );
    let mut shown = Vec::new();
    for n in 0..LOST {
        for service in services {
            let reader = service.admin("workspace", &lost(n));
            let all = everything(&reader).await;
            assert!(!all.contains("new-") && !all.contains("lost-"), "{all}");
            assert_eq!(total(&reader).await, 0);
            let query = "query($id: ID!) { auditEvent(id: $id) { id } }";
            assert!(reader.ask(query, json!({ "id": ids[n * 3] })).await.json()["data"]["auditEvent"].is_null());
        }
        let owner = services[n % 2].admin("workspace", &new(n));
        let list = owner.data("{ auditEvents(first: 1, includeNested: true) { nodes { id } } }", json!({})).await;
        let id = list["auditEvents"]["nodes"][0]["id"].clone();
        let query = "query($id: ID!) { auditEvent(id: $id) { id } }";
        for service in services {
            let reader = service.admin("workspace", &lost(n));
            assert!(reader.ask(query, json!({ "id": id })).await.json()["data"]["auditEvent"].is_null());
            // And the owner of the number is not shown what has the id of a lost event.
            let owner = service.admin("workspace", &new(n));
            assert!(owner.ask(query, json!({ "id": ids[n * 3] })).await.json()["data"]["auditEvent"].is_null());
        }
        shown.push(everything(&owner).await);
    }
    // They record again, each for itself, and one group of all of them.
    for n in 0..LOST {
        let admin = services[n % 2].admin("workspace", &lost(n));
        assert_eq!(admin.record(of(&lost(n), 7)).await["sequence"], "0", "the first one again");
    }
    let backend = app.caller("workspace").without_organization().scopes("audit:record");
    let events = (0..LOST).map(|n| {
        let mut input = of(&lost(n), 8);
        input["organization"] = json!(lost(n));
        input
    });
    assert_eq!(backend.record_all(events.collect()).await["recorded"], LOST);
    for (n, shown) in shown.iter().enumerate() {
        for service in services {
            assert_eq!(everything(&service.admin("workspace", &new(n))).await, *shown, "nothing of it has changed");
            let all = everything(&service.admin("workspace", &lost(n))).await;
            assert!(all.contains(&format!("{}.did", lost(n))) && !all.contains("new-"), "{all}");
        }
    }
    assert!(everything(&kept).await.contains("kept.did"));
    assert!(forgotten(app).await > before, "it was loud");
    beside.finish().await;
}

/// The same organization, at the same size, with the same number of logs, actions and changes to them.
async fn another_history_of_the_same_size_is_read_as_it_is(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record(of("first", 0)).await;
    back_up(app).await;
    for k in 0..3 {
        admin.record(of(&format!("before-{k}"), k)).await;
    }
    assert!(everything(&admin).await.contains("before-2"));
    restore(app).await;
    // Another process records: this one is told nothing.
    let beside = app.beside().await;
    let there = beside.admin("workspace", "acme");
    for k in 0..3 {
        there.record(of(&format!("after-{k}"), k + 4)).await;
    }
    let all = everything(&admin).await;
    assert_eq!(all, everything(&there).await);
    assert!(all.contains("after-2") && !all.contains("before"), "{all}");
    // One that grows from there, and one that grows past what was counted.
    admin.record(of("after-3", 3)).await;
    assert_eq!(everything(&admin).await, everything(&there).await);
    restore(app).await;
    assert_eq!(everything(&admin).await, everything(&there).await);
    for k in 0..6 {
        there.record(of(&format!("last-{k}"), k + 2)).await;
    }
    let all = everything(&admin).await;
    assert_eq!(all, everything(&there).await);
    assert!(all.contains("last-5") && !all.contains("after"), "{all}");
    assert_eq!(admin.record(of("last-5", 7)).await["event"]["id"], there.record(of("last-5", 7)).await["event"]["id"]);
    beside.finish().await;
}

/// A month that events were recorded in, and that the restored database has no place for.
async fn times_that_had_a_place_before_get_one_again(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record(of("first", 0)).await;
    back_up(app).await;
    let at = |time: &str, owner: &str| {
        let mut input = of(owner, 0);
        input["occurredAt"] = json!(time);
        input
    };
    admin.record(at("2019-03-01T00:00:00Z", "old")).await;
    assert!(everything(&admin).await.contains("old.did"));
    restore(app).await;
    // As many partitions as before, and another one among them.
    let beside = app.beside().await;
    beside.admin("workspace", "acme").record(at("2018-03-01T00:00:00Z", "older")).await;
    let search =
        "{ auditEvents(includeNested: true, search: \"did\", filter: { occurredAt: { from: \"2017-01-01T00:00:00Z\",
        to: \"2020-01-01T00:00:00Z\" } }) { totalCount nodes { action } } }";
    let found = admin.data(search, json!({})).await;
    assert_eq!(found["auditEvents"]["nodes"], json!([{ "action": "older.did" }]));
    assert_eq!(admin.record(at("2019-03-01T00:00:00Z", "again")).await["status"], "RECORDED");
    assert_eq!(app.admin("workspace", "new").record(at("2019-04-01T00:00:00Z", "again")).await["status"], "RECORDED");
    restore(app).await;
    assert_eq!(app.admin("workspace", "newer").record(at("2019-04-01T00:00:00Z", "again")).await["status"], "RECORDED");
    beside.finish().await;
}

async fn a_process_whose_database_went_back_says_so(app: &TestApp) {
    let place = Place::of("lost", app.url.clone(), app.folder());
    app.admin("workspace", "kept").record(of("kept", 0)).await;
    back_up(app).await;
    let service = place.service().await;
    let client = place.client();
    let recorded = client.record(&service.base, &[of("lost", 0)]).await.expect("an answer").expect("results");
    assert_eq!(recorded[0]["status"], "RECORDED");
    restore(app).await;
    app.admin("workspace", "new").record(of("new", 0)).await;
    let query = "{ auditEvents(includeNested: true) { totalCount } }";
    let answer = client.ask(&service.base, query, json!({})).await.expect("an answer");
    assert_eq!(answer["data"]["auditEvents"]["totalCount"], 0, "{answer}");
    let loud = || {
        let log = service.log();
        log.iter().filter(|line| line.contains("ERROR") && line.contains("at an earlier state")).count()
    };
    eventually(async || loud() > 0).await;
    assert_eq!(loud(), 1, "{:#?}", service.log());
    let metrics = reqwest::get(format!("{}/metrics", service.base)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("ledgerline_database_went_back_total 1"), "{metrics}");
    assert!(service.terminate().await.success());
}
