//! Reads of the log, told of where the product asks for it: once an hour, without words, and by nobody to be switched off.

use std::{fs, time::Duration};

use axum::{body::Body, http::Request};
use ledgerline::{catalog::Products, clock::Clock, event::Timestamp};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::harness::{Caller, Database, TestApp, catalogs, event, on_both_databases, sql::change};

on_both_databases! {
    every_way_to_read_is_told_once_an_hour_without_words,
    another_process_a_restart_and_the_next_hour,
    whoever_reads_cannot_switch_it_off,
    what_was_not_read_is_not_told,
    reads_are_no_events_where_no_product_asks,
    what_cannot_be_told_is_not_shown,
}

/// The tests' own products, but `workspace` records reads.
pub fn products() -> Products {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(catalogs::folder()).expect("a folder") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, folder.path().join(path.file_name().expect("a name"))).expect("copied");
    }
    let level = "[[levels]]\nname = \"access\"\nlabel = \"Access to the log\"\nparent = \"organisation\"\n\
                 on_delete = \"REMOVE\"\n\n[masking]";
    let text = catalogs::workspace().replacen("[masking]", level, 1);
    let text = text.replacen("retention = ", "record_reads = \"access\"\nretention = ", 1);
    fs::write(folder.path().join("workspace.toml"), text).expect("written");
    Products::load(folder.path()).unwrap_or_else(|faults| panic!("{faults}"))
}

async fn reading(app: &TestApp) -> TestApp {
    app.beside_with_products(products()).await
}

/// What was told of an organization's reads, oldest first: kind, log, filters and subject. Asked past the door, so that it
/// is no read itself.
async fn told(app: &TestApp, organization: &str) -> Vec<String> {
    let database = sea_orm::Database::connect(&app.url).await.expect("a connection");
    let sql = format!(
        "SELECT e.metadata, e.recorded_by FROM event e JOIN organization o ON o.no = e.organization_no WHERE \
         o.product = 'workspace' AND o.external_id = '{organization}' AND e.action = 'audit_log.read' ORDER BY e.sequence"
    );
    let statement = sea_orm::Statement::from_string(database.get_database_backend(), sql);
    let rows = database.query_all_raw(statement).await.expect("rows");
    database.close().await.expect("it closes");
    let row = |row: &sea_orm::QueryResult| {
        let metadata: String = row.try_get_by_index(0).expect("a text");
        let by: String = row.try_get_by_index(1).expect("a text");
        let read: Value = serde_json::from_str(&metadata).expect("JSON");
        let filters: Vec<_> = read["filters"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        let log = read["log"].as_str().unwrap_or("-");
        format!("{by} {} {log} {}", read["kind"].as_str().expect("a kind"), filters.join("+"))
    };
    rows.iter().map(row).collect()
}

async fn get(app: &TestApp, caller: &Caller<'_>, path: &str) -> u16 {
    let request = Request::get(path).header("authorization", format!("Bearer {}", caller.token()));
    app.send(request.body(Body::empty()).expect("a request")).await.status.as_u16()
}

async fn list(caller: &Caller<'_>, arguments: &str) -> Value {
    let query = format!("{{ auditEvents(first: 50{arguments}) {{ totalCount nodes {{ id action }} }} }}");
    caller.data(&query, json!({})).await["auditEvents"].clone()
}

async fn every_way_to_read_is_told_once_an_hour_without_words(app: &TestApp) {
    let app = &reading(app).await;
    let admin = app.admin("workspace", "acme").scopes("audit:read audit:record audit:manage audit:export");
    let id = admin.record(event("user.login")).await["event"]["id"].as_str().expect("an id").to_owned();
    for arguments in [
        "",
        "",
        ", filter: { actions: [\"user.login\"] }, search: \"sesame\"",
        ", filter: { actions: [\"user.*\"] }, search: \"other words\"",
        ", log: { level: \"organisation\", id: \"acme\" }",
    ] {
        list(&admin, arguments).await;
    }
    for path in [
        "/v1/audit-events",
        "/v1/audit-events?actions=user.login&search=sesame",
        "/v1/audit-events/feed?search=sesame",
        "/v1/audit-events/feed?search=sesame",
        "/v1/audit-events/export?format=CSV",
    ] {
        assert_eq!(get(app, &admin, path).await, 200, "{path}");
    }
    for _ in 0..2 {
        assert_eq!(get(app, &admin, &format!("/v1/audit-events/{id}")).await, 200);
        let query = "query($id: ID!) { auditEvent(id: $id) { id } node(id: $id) { id } actors(first: 5, matching: \"user one\") { name } }";
        admin.data(query, json!({ "id": id })).await;
    }
    let expected = [
        "admin LIST - ",
        "admin LIST - actions+search",
        "admin FOLLOW - search",
        "admin EXPORT - ",
        "admin EVENT - ",
        "admin ACTORS - ",
    ];
    let mut found = told(app, "acme").await;
    found.sort_unstable();
    let mut wanted = expected.map(str::to_owned);
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    // Another person's reads are their own.
    list(&app.admin("workspace", "acme").subject("second"), "").await;
    assert_eq!(told(app, "acme").await.len(), 7);
    // They stand in a log of their own, which says who; that log is read like any other.
    let reads = "log: { level: \"access\", id: \"reads\" }";
    let query = format!(
        "{{ auditEvents(first: 50, {reads}) {{ totalCount nodes {{ action actionLabel actor {{ kind externalId }} metadataText log {{ level externalId }} }} }} }}"
    );
    let page = admin.data(&query, json!({})).await["auditEvents"].clone();
    assert_eq!(page["totalCount"], 7, "{page:#}");
    let first = &page["nodes"][0];
    assert_eq!((&first["action"], &first["actionLabel"]), (&json!("audit_log.read"), &json!("Audit log read")));
    assert_eq!(first["log"], json!({ "level": "access", "externalId": "reads" }));
    assert_eq!(first["actor"], json!({ "kind": "USER", "externalId": "second" }));
    assert!(!page.to_string().contains("sesame") && !page.to_string().contains("user one"), "{page:#}");
    assert_eq!(told(app, "acme").await.last().map(String::as_str), Some("admin LIST access:reads "));
    // The product's own list has none of them.
    assert_eq!(list(&admin, "").await["totalCount"], 1);
}

async fn another_process_a_restart_and_the_next_hour(app: &TestApp) {
    let one = reading(app).await;
    one.admin("workspace", "acme").record(event("user.login")).await;
    list(&one.admin("workspace", "acme"), "").await;
    let other = one.beside().await;
    list(&other.admin("workspace", "acme"), "").await;
    other.finish().await;
    let one = one.again(|_| {}).await;
    list(&one.admin("workspace", "acme"), "").await;
    let seen = told(&one, "acme").await.len();
    // The hour may have ended meanwhile.
    assert!((1..=2).contains(&seen), "{seen}");
    let later = Timestamp(Clock::system().now().0 + 3_600 * 1_000_000_000);
    let later = one.beside_with_clock(Clock::new(move || later)).await;
    // Many at once are one.
    let caller = later.admin("workspace", "acme");
    tokio::join!(list(&caller, ""), list(&caller, ""), list(&caller, ""));
    assert_eq!(told(&one, "acme").await.len(), seen + 1);
    later.finish().await;
    one.finish().await;
}

async fn whoever_reads_cannot_switch_it_off(app: &TestApp) {
    let app = &reading(app).await;
    let admin = app.admin("workspace", "acme");
    admin.record(event("user.login")).await;
    list(&admin, "").await;
    let record = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";
    let mut forged = event("user.login");
    forged["log"] = json!({ "level": "access", "id": "reads" });
    let answer = admin.ask(record, json!({ "input": forged })).await;
    assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", "input.log.level"));
    let answer = admin.ask(record, json!({ "input": event("audit_log.read") })).await;
    assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", "input.action"));
    let delete = "mutation { deleteAuditLog(input: { log: { level: \"access\", id: \"reads\" } }) { log { id } } }";
    let answer = admin.ask(delete, json!({})).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT", "{:#}", answer.json());
    assert_eq!(told(app, "acme").await, ["admin LIST - "]);
    // Staff are told of, too, in the log of whom they read.
    let staff = app.caller("workspace").subject("sam").scopes("audit:read audit:staff");
    list(&staff, ", organization: \"acme\"").await;
    // So is a reader whose token is for a project alone.
    let mut inside = event("user.login");
    inside["log"] = json!({ "level": "project", "id": "p1" });
    admin.record(inside).await;
    let narrowed = app.admin("workspace", "acme").subject("narrow").logs(&["project:p1"]);
    assert_eq!(list(&narrowed, "").await["totalCount"], 1);
    assert_eq!(told(app, "acme").await, ["admin LIST - ", "sam LIST - ", "narrow LIST project:p1 "]);
    let other = ", log: { level: \"access\", id: \"reads\" }";
    let query = format!("{{ auditEvents(first: 1{other}) {{ totalCount }} }}");
    assert_eq!(narrowed.ask(&query, json!({})).await.code(), "FORBIDDEN");
}

async fn what_was_not_read_is_not_told(app: &TestApp) {
    let app = &reading(app).await;
    let admin = app.admin("workspace", "acme");
    let id = admin.record(event("user.login")).await["event"]["id"].clone();
    // Another tenant, somebody without the role, and questions that are refused.
    let query = "query($id: ID!) { auditEvent(id: $id) { id } }";
    assert_eq!(app.admin("workspace", "globex").ask(query, json!({ "id": id })).await.code(), "NOT_FOUND");
    let member = app.caller("workspace").organization("acme").scopes("audit:read").role("member");
    assert_eq!(member.ask("{ auditEvents(first: 1) { totalCount } }", json!({})).await.code(), "FORBIDDEN");
    assert_eq!(
        admin.ask("{ auditEvents(first: 1, after: \"x\") { totalCount } }", json!({})).await.code(),
        "BAD_USER_INPUT"
    );
    // Nobody is made an organization by being looked for.
    let staff = app.caller("workspace").subject("sam").scopes("audit:read audit:staff");
    assert_eq!(list(&staff, ", organization: \"nobody\"").await["totalCount"], 0);
    assert_eq!(list(&app.admin("workspace", "globex"), "").await["totalCount"], 0);
    for organization in ["acme", "globex", "nobody"] {
        assert_eq!(told(app, organization).await, [""; 0], "{organization}");
    }
    // What a page asks before it shows anything is no read.
    admin.data("{ viewer { canReadAuditLog { allowed } logs { id } } catalog { actions { name } } }", json!({})).await;
    assert_eq!(told(app, "acme").await, [""; 0]);
}

async fn reads_are_no_events_where_no_product_asks(app: &TestApp) {
    for product in app.products.iter() {
        assert!(product.record_reads.is_none(), "{}", product.name);
    }
    let app = &reading(app).await;
    let admin = app.admin("capydb", "org_1").scopes("audit:read audit:record audit:export audit:manage");
    let id = admin.record(event("project.deleted")).await["event"]["id"].as_str().expect("an id").to_owned();
    for path in ["", "/feed", "/export?format=NDJSON", &format!("/{id}")] {
        assert_eq!(get(app, &admin, &format!("/v1/audit-events{path}")).await, 200, "{path}");
    }
    assert_eq!(get(app, &admin, "/v1/projects/p1/audit-events").await, 200);
    let all = list(&admin, ", includeNested: true").await;
    assert_eq!((&all["totalCount"], &all["nodes"][0]["action"]), (&json!(1), &json!("project.deleted")));
}

async fn what_cannot_be_told_is_not_shown(app: &TestApp) {
    let app = &reading(app).await;
    let admin = app.admin("workspace", "acme");
    admin.record(event("user.login")).await;
    list(&admin, "").await;
    let (on, off) = match app.database {
        Database::Sqlite => (
            "CREATE TRIGGER broken BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'broken'); END",
            "DROP TRIGGER broken",
        ),
        Database::Postgres => (
            "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$; \
             CREATE TRIGGER broken BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION broken()",
            "DROP TRIGGER broken ON event; DROP FUNCTION broken()",
        ),
    };
    change(&app.url, on).await;
    // What was told this hour goes on; a read of another shape is refused, twice in a row.
    list(&admin, "").await;
    let query = "{ auditEvents(first: 1, search: \"x\") { totalCount } }";
    for _ in 0..2 {
        let code = admin.ask(query, json!({})).await.code();
        assert!(["INTERNAL", "UNAVAILABLE"].contains(&code.as_str()), "{code}");
    }
    change(&app.url, off).await;
    tokio::time::timeout(Duration::from_secs(10), admin.data(query, json!({}))).await.expect("it answers");
    assert_eq!(told(app, "acme").await, ["admin LIST - ", "admin LIST - search"]);
}
