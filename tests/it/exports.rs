//! Exports: complete, in order, each event once, as of the moment that they were asked for; and nobody else's.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use ledgerline::{catalog::Products, clock::Clock, event::Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use crate::harness::{Caller, TestApp, as_of_a_cluster, event, on_both_databases};

on_both_databases! {
    an_export_is_the_list_event_by_event,
    an_export_is_as_of_the_moment_it_was_asked_for,
    an_export_of_nothing_is_a_file_without_events,
    filters_and_logs_narrow_an_export,
    asking_for_an_export_is_an_event,
    somebody_elses_export_and_address_are_not_found,
    an_address_ends_and_cannot_be_altered,
    exporting_asks_for_scope_role_plan_and_feature,
    a_plan_that_is_lost_ends_an_export,
    a_deleted_log_ends_an_export_and_its_addresses,
    another_process_goes_on_where_one_was_stopped,
    two_processes_make_one_file,
    a_file_is_gone_after_a_day,
    what_a_spreadsheet_would_run_is_defused,
    a_file_is_streamed_and_packed_as_asked,
    a_stream_that_cannot_be_read_to_its_end_is_cut,
}

as_of_a_cluster! {
    an_export_is_the_list_event_by_event,
}

const CREATE: &str = "mutation($input: CreateAuditExportInput!) { createAuditExport(input: $input) { export { id status \
                      total downloadUrl } } }";
const FIND: &str = "query($id: ID!) { auditExport(id: $id) { id status format done total count firstSequence \
                    lastSequence size sha256 downloadUrl manifestUrl createdBy expiresAt finishedAt error { code message } } }";

async fn create(caller: &Caller<'_>, input: Value) -> String {
    let created = caller.data(CREATE, json!({ "input": input })).await;
    created["createAuditExport"]["export"]["id"].as_str().expect("an id").to_owned()
}

/// An export that has ended.
async fn ended(caller: &Caller<'_>, id: &str) -> Value {
    for _ in 0..600 {
        let found = caller.data(FIND, json!({ "id": id })).await["auditExport"].clone();
        if !["QUEUED", "RUNNING"].contains(&found["status"].as_str().expect("a status")) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{id} does not end");
}

/// The code and field of an answer that is an error.
async fn refused(caller: &Caller<'_>, query: &str, variables: Value) -> Value {
    let answer = caller.ask(query, variables).await;
    json!({ "code": answer.code(), "field": answer.field() })
}

async fn get(app: &TestApp, path: &str, headers: &[(header::HeaderName, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let response =
        app.app.router.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes().to_vec();
    (parts.status, parts.headers, body)
}

async fn file(app: &TestApp, export: &Value) -> Vec<u8> {
    assert_eq!(export["status"], "DONE", "{export}");
    let (status, headers, bytes) = get(app, export["downloadUrl"].as_str().expect("an address"), &[]).await;
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&bytes));
    assert_eq!(headers[header::CONTENT_LENGTH], bytes.len().to_string());
    assert_eq!(export["size"], bytes.len().to_string());
    assert_eq!(export["sha256"], hex(&bytes));
    bytes
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Ids of a list in the order of recording, as GraphQL pages it.
async fn listed(caller: &Caller<'_>) -> Vec<String> {
    let query = "query($after: String) { auditEvents(orderBy: {field: SEQUENCE, direction: ASC}, first: 100, after: $after) \
                 { nodes { id } pageInfo { hasNextPage endCursor } } }";
    let (mut ids, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = caller.data(query, json!({ "after": after })).await["auditEvents"].clone();
        ids.extend(
            page["nodes"].as_array().expect("nodes").iter().map(|node| node["id"].as_str().expect("an id").to_owned()),
        );
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            return ids;
        }
    }
}

async fn record(caller: &Caller<'_>, count: usize, change: impl Fn(usize, &mut Value)) {
    let events: Vec<Value> = (0..count)
        .map(|n| {
            let mut event = event("user.login");
            event["metadata"] = json!({ "n": n });
            change(n, &mut event);
            event
        })
        .collect();
    for some in events.chunks(200) {
        let recorded = caller.record_all(some.to_vec()).await;
        assert_eq!(recorded["refused"], 0, "{recorded}");
    }
}

fn ids(lines: &[Value]) -> Vec<String> {
    lines.iter().map(|line| line["id"].as_str().expect("an id").to_owned()).collect()
}

async fn an_export_is_the_list_event_by_event(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record(&admin, 530, |n, event| event["actor"]["name"] = json!(format!("Ädä {n} 🐙\u{202e}\"\n"))).await;
    let all = listed(&admin).await;
    for format in ["NDJSON", "CSV", "OCSF", "CLOUDEVENTS"] {
        let id = create(&admin, json!({ "format": format, "timeZone": "Europe/Berlin" })).await;
        let export = ended(&admin, &id).await;
        let bytes = file(app, &export).await;
        // Each export is told by an event, which is part of the next.
        let count: usize = export["total"].as_str().expect("a number").parse().expect("a number");
        let expected = listed(&admin).await[..count].to_vec();
        let found = match format {
            "NDJSON" => ids(&lines(&bytes)),
            "CLOUDEVENTS" => {
                lines(&bytes).iter().map(|line| line["data"]["id"].as_str().expect("an id").to_owned()).collect()
            }
            "OCSF" => {
                lines(&bytes).iter().map(|line| line["metadata"]["uid"].as_str().expect("an id").to_owned()).collect()
            }
            _ => {
                assert!(bytes.ends_with(b"\r\n"));
                let rows = csv::Reader::from_reader(&bytes[..]).into_records().map(|row| row.expect("a row"));
                rows.map(|row| row[0].to_owned()).collect::<Vec<_>>()
            }
        };
        assert_eq!(found, expected, "{format}");
        assert!(found.starts_with(&all));
        let (status, _, manifest) = get(app, export["manifestUrl"].as_str().expect("an address"), &[]).await;
        assert_eq!(status, StatusCode::OK);
        let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
        assert_eq!(manifest["sha256"], hex(&bytes));
        assert_eq!(manifest["bytes"], bytes.len());
        assert_eq!(manifest["count"], count);
        assert_eq!(manifest["first_sequence"], 0);
        assert_eq!(manifest["last_sequence"], count - 1);
        assert_eq!(manifest["time_zone"], "Europe/Berlin");
        assert_eq!(manifest["format"], format);
    }
}

async fn an_export_is_as_of_the_moment_it_was_asked_for(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record(&admin, 300, |_, _| {}).await;
    let id = create(&admin, json!({ "format": "NDJSON" })).await;
    record(&admin, 300, |_, _| {}).await;
    let export = ended(&admin, &id).await;
    assert_eq!((&export["count"], &export["done"], &export["total"]), (&json!("300"), &json!("300"), &json!("300")));
    assert_eq!(ids(&lines(&file(app, &export).await)), listed(&admin).await[..300]);
}

async fn an_export_of_nothing_is_a_file_without_events(app: &TestApp) {
    let admin = app.admin("workspace", "nobody-yet");
    for (format, expected) in [("NDJSON", 0), ("CSV", 1)] {
        // The first one is told by an event of its own; days before it have none.
        let filter = json!({ "occurredAt": { "to": "2001-01-01T00:00:00Z" } });
        let id = create(&admin, json!({ "format": format, "filter": filter })).await;
        let export = ended(&admin, &id).await;
        let bytes = file(app, &export).await;
        assert_eq!(std::str::from_utf8(&bytes).expect("UTF-8").lines().count(), expected, "{format}");
        assert_eq!(export["count"], "0");
        assert_eq!(export["firstSequence"], Value::Null);
    }
}

async fn filters_and_logs_narrow_an_export(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    record(&admin, 40, |n, event| {
        event["action"] = json!(if n % 2 == 0 { "api_key.created" } else { "api_key.revoked" });
        if n % 4 < 2 {
            event["log"] = json!({ "level": "project", "id": "p_1" });
        }
    })
    .await;
    let input = json!({ "format": "NDJSON", "log": { "level": "project", "id": "p_1" },
                        "filter": { "actions": ["api_key.revoked"] } });
    let export = ended(&admin, &create(&admin, input).await).await;
    let found = lines(&file(app, &export).await);
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|line| line["action"] == "api_key.revoked" && line["log"]["external_id"] == "p_1"));
    let (_, _, manifest) = get(app, export["manifestUrl"].as_str().expect("an address"), &[]).await;
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(manifest["filter"], json!({ "actions": ["api_key.revoked"] }));
    assert_eq!(manifest["log"], "project:p_1");
    // Days are those of the moment that it was asked for.
    let days = json!({ "period": { "preset": "TODAY", "timeZone": "Asia/Kathmandu" } });
    let export = ended(&admin, &create(&admin, json!({ "format": "NDJSON", "filter": days })).await).await;
    assert!(export["count"].as_str().expect("a number").parse::<u64>().expect("a number") > 0);
    for (input, field) in [
        (json!({ "format": "CSV", "timeZone": "Mars/Olympus" }), "input.timeZone"),
        (json!({ "format": "CSV", "search": "a".repeat(300) }), "input.search"),
        (json!({ "format": "CSV", "search": "!!!" }), "input.search"),
        (json!({ "format": "CSV", "log": { "level": "nowhere", "id": "x" } }), "input.log.level"),
    ] {
        let refused = refused(&admin, CREATE, json!({ "input": input })).await;
        assert_eq!((refused["code"].as_str(), refused["field"].as_str()), (Some("BAD_USER_INPUT"), Some(field)));
    }
}

async fn asking_for_an_export_is_an_event(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let id = create(&admin, json!({ "format": "CSV", "search": "login" })).await;
    let query =
        "{ auditEvents(first: 1) { nodes { action actor { externalId } resource { type externalId } metadata } } }";
    let event = admin.data(query, json!({})).await["auditEvents"]["nodes"][0].clone();
    assert_eq!(event["action"], "audit_log.export_created");
    assert_eq!(event["resource"], json!({ "type": "audit_log_export", "externalId": id }));
    assert_eq!(event["metadata"]["asked"]["filter"], json!({ "search": "login" }));
    let listed = admin.data("{ auditExports { id createdBy } }", json!({})).await;
    assert_eq!(listed["auditExports"], json!([{ "id": id, "createdBy": "admin" }]));
}

async fn somebody_elses_export_and_address_are_not_found(app: &TestApp) {
    let (admin, other) = (app.admin("workspace", "acme"), app.admin("workspace", "globex"));
    record(&admin, 3, |_, _| {}).await;
    record(&other, 3, |_, _| {}).await;
    let (own, foreign) =
        (create(&admin, json!({ "format": "NDJSON" })).await, create(&other, json!({ "format": "NDJSON" })).await);
    let (own, foreign) = (ended(&admin, &own).await, ended(&other, &foreign).await);
    for variables in [json!({ "id": foreign["id"] }), json!({ "id": "exp_0" }), json!({ "id": "" })] {
        assert_eq!(refused(&admin, FIND, variables).await["code"], "NOT_FOUND");
    }
    let of_another = "query($o: ID) { auditExports(organization: $o) { id } }";
    assert_eq!(refused(&admin, of_another, json!({ "o": "globex" })).await["code"], "NOT_FOUND");
    let create_there = json!({ "input": { "format": "CSV", "organization": "globex" } });
    assert_eq!(refused(&admin, CREATE, create_there).await["code"], "NOT_FOUND");
    // The signature of one's own address opens no other file.
    let own_url = own["downloadUrl"].as_str().expect("an address");
    let swapped = own_url.replace(own["id"].as_str().expect("an id"), foreign["id"].as_str().expect("an id"));
    assert_ne!(swapped, own_url);
    assert_eq!(get(app, &swapped, &[]).await.0, StatusCode::NOT_FOUND);
    let found = lines(&file(app, &own).await);
    assert!(found.iter().all(|line| line["log"]["external_id"] == "acme"), "{found:?}");
    assert_eq!(get(app, own_url, &[]).await.0, StatusCode::OK);
}

async fn an_address_ends_and_cannot_be_altered(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record(&admin, 3, |_, _| {}).await;
    let export = ended(&admin, &create(&admin, json!({ "format": "NDJSON" })).await).await;
    let url = export["downloadUrl"].as_str().expect("an address");
    let expires: i64 = url.split(['=', '&']).nth(1).expect("an end").parse().expect("a number");
    let id = export["id"].as_str().expect("an id");
    for altered in [
        url.replace(&expires.to_string(), &(expires + 1).to_string()),
        url.replace("/file?", "/manifest?"),
        url.replace("/file?", "/other?"),
        url.replace("signature=", "signature=00"),
        url[..url.len() - 2].to_owned(),
        format!("/v1/audit-exports/{id}/file"),
        format!("/v1/audit-exports/{id}/file?expires=x&signature=x"),
    ] {
        let (status, headers, body) = get(app, &altered, &[]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{altered}: {}", String::from_utf8_lossy(&body));
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    }
    let later = |seconds: i64| Clock::fixed(Timestamp((expires + seconds) * 1_000_000_000));
    let just_good = app.beside_with_clock(later(-1)).await;
    assert_eq!(get(&just_good, url, &[]).await.0, StatusCode::OK);
    just_good.finish().await;
    let over = app.beside_with_clock(later(0)).await;
    assert_eq!(get(&over, url, &[]).await.0, StatusCode::NOT_FOUND);
    over.finish().await;
}

async fn exporting_asks_for_scope_role_plan_and_feature(app: &TestApp) {
    let admin = || app.admin("capydb", "acme");
    record(&admin(), 3, |_, event| event["action"] = json!("api_key.created")).await;
    let input = json!({ "input": { "format": "CSV" } });
    let exporter = admin().scopes("audit:read audit:export");
    exporter.data(CREATE, input.clone()).await;
    let stream = |caller: Caller<'_>| {
        let token = format!("Bearer {}", caller.token());
        async move { get(app, "/v1/audit-events/export?format=CSV", &[(header::AUTHORIZATION, &token)]).await.0 }
    };
    assert_eq!(stream(admin().scopes("audit:read audit:export")).await, StatusCode::OK);
    for (who, caller, code) in [
        ("without the scope", admin().scopes("audit:read audit:record"), "FORBIDDEN"),
        ("who may not read", admin().scopes("audit:export"), "FORBIDDEN"),
        ("of another role", admin().scopes("audit:read audit:export").role("nobody"), "FORBIDDEN"),
        ("on another plan", admin().scopes("audit:read audit:export").plan("none"), "PLAN_REQUIRED"),
    ] {
        let may = app.products.get("capydb").expect("a product");
        if (who == "of another role" && may.access.roles.is_empty())
            || (who == "on another plan" && may.access.plans.is_empty())
        {
            continue;
        }
        assert_eq!(refused(&caller, CREATE, input.clone()).await["code"], code, "{who}");
        assert_eq!(stream(caller).await, StatusCode::FORBIDDEN, "{who}");
    }
    let (status, _, body) = get(app, "/v1/audit-events/export?format=CSV", &[]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{}", String::from_utf8_lossy(&body));
}

/// The products as they are built in, but for one that is changed.
fn changed(product: &str, change: impl Fn(String) -> String) -> Products {
    let folder = tempfile::tempdir().expect("a folder");
    for file in std::fs::read_dir("products").expect("products") {
        let file = file.expect("a file").path();
        let text = std::fs::read_to_string(&file).expect("text");
        let is_it = file.file_stem().is_some_and(|stem| stem == product);
        let changed = if is_it { change(text.clone()) } else { text.clone() };
        assert_eq!(changed != text, is_it, "{product}");
        std::fs::write(folder.path().join(file.file_name().expect("a name")), changed).expect("written");
    }
    Products::load(folder.path()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The products, of which one asks for a plan that nobody has.
fn with_another_plan(product: &str) -> Products {
    changed(product, |text| text.replacen("[access]\n", "[access]\nplans = [\"another\"]\n", 1))
}

/// A service whose Caputchin offers exports: there a deleted log can be read nowhere.
async fn with_removed_logs(app: &TestApp) -> TestApp {
    let products =
        changed("caputchin", |text| text.replacen("\n[role_labels]\n", "\n[management]\n\n[role_labels]\n", 1));
    TestApp::with(app.database, products, |_| {}).await
}

async fn a_plan_that_is_lost_ends_an_export(app: &TestApp) {
    let own = app.built_in().await;
    let admin = own.admin("scim-platform", "acme");
    record(&admin, 3, |_, event| event["action"] = json!("auth.logged_in")).await;
    let done = ended(&admin, &create(&admin, json!({ "format": "NDJSON" })).await).await;
    let strict = own.beside_with_products(with_another_plan("scim-platform")).await;
    let (status, _, body) = get(&strict, done["downloadUrl"].as_str().expect("an address"), &[]).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{}", String::from_utf8_lossy(&body));
    // Work that is under way ends, whichever process goes on with it.
    record_large_as(&admin, "auth.logged_in").await;
    let mut exports = Vec::new();
    for _ in 0..3 {
        exports.push(create(&admin, json!({ "format": "NDJSON" })).await);
    }
    own.finish().await;
    let admin = strict.admin("scim-platform", "acme").plan("another");
    let mut codes = Vec::new();
    for id in exports {
        let export = ended(&admin, &id).await;
        codes.push(export["error"]["code"].clone());
        assert_eq!(export["status"] == "FAILED", export["error"] != Value::Null, "{export}");
        assert_eq!(export["downloadUrl"] == Value::Null, export["status"] == "FAILED");
    }
    assert!(codes.contains(&json!("PLAN_REQUIRED")), "{codes:?}");
    strict.finish().await;
}

async fn a_deleted_log_ends_an_export_and_its_addresses(app: &TestApp) {
    let own = with_removed_logs(app).await;
    let admin = own.admin("caputchin", "acme");
    record(&admin, 3, |_, event| {
        event["action"] = json!("troop.renamed");
        event["log"] = json!({ "level": "troop", "id": "t_1" });
    })
    .await;
    let input = json!({ "format": "NDJSON", "log": { "level": "troop", "id": "t_1" } });
    let done = ended(&admin, &create(&admin, input).await).await;
    assert_eq!(lines(&file(&own, &done).await).len(), 3);
    let delete = "mutation { deleteAuditLog(input: { log: { level: \"troop\", id: \"t_1\" } }) { log { id } } }";
    admin.data(delete, json!({})).await;
    assert_eq!(get(&own, done["downloadUrl"].as_str().expect("an address"), &[]).await.0, StatusCode::NOT_FOUND);
    own.finish().await;
}

/// Events with so much metadata that a file has several parts.
async fn record_large(caller: &Caller<'_>) {
    record(caller, 600, |n, event| event["metadata"] = json!({ "n": n, "text": "x".repeat(40_000) })).await;
}

fn parts_of(app: &TestApp, id: &str) -> usize {
    let found = std::fs::read_dir(app.folder().join("exports").join(id));
    found.map_or(0, |found| {
        found.filter(|file| file.as_ref().is_ok_and(|file| file.file_name() != "manifest.json")).count()
    })
}

async fn another_process_goes_on_where_one_was_stopped(app: &TestApp) {
    let own = app.built_in().await;
    let admin = own.admin("scim-platform", "acme");
    record_large_as(&admin, "auth.logged_in").await;
    let mut exports = Vec::new();
    for _ in 0..3 {
        exports.push(create(&admin, json!({ "format": "NDJSON" })).await);
    }
    for _ in 0..2_000 {
        if parts_of(&own, &exports[0]) > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The worker ends in the middle of whatever it does; the next one has another name, and waits for the lease.
    let own = own.again(|_| {}).await;
    let admin = own.admin("scim-platform", "acme");
    let all = listed(&admin).await;
    for (n, id) in exports.iter().enumerate() {
        let export = ended(&admin, id).await;
        assert_eq!(export["count"], (600 + n).to_string());
        assert_eq!(ids(&lines(&file(&own, &export).await)), all[..600 + n]);
    }
    own.finish().await;
}

async fn record_large_as(caller: &Caller<'_>, action: &str) {
    record(caller, 600, |n, event| {
        event["action"] = json!(action);
        event["metadata"] = json!({ "n": n, "text": "x".repeat(40_000) });
    })
    .await;
}

async fn two_processes_make_one_file(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record_large(&admin).await;
    let beside = app.beside().await;
    let mut exports = Vec::new();
    for _ in 0..3 {
        exports.push(create(&admin, json!({ "format": "NDJSON" })).await);
    }
    let all = listed(&admin).await;
    for (n, id) in exports.iter().enumerate() {
        let export = ended(&admin, id).await;
        let found = lines(&file(&beside, &export).await);
        assert_eq!(ids(&found), all[..600 + n], "{id}");
        assert!(parts_of(app, id) >= 2, "a file of several parts");
    }
    beside.finish().await;
}

async fn a_file_is_gone_after_a_day(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record(&admin, 3, |_, _| {}).await;
    let id = create(&admin, json!({ "format": "NDJSON" })).await;
    let export = ended(&admin, &id).await;
    let expires = Timestamp::parse(export["expiresAt"].as_str().expect("an end")).expect("an instant");
    let later = app.beside_with_clock(Clock::fixed(Timestamp(expires.0 + 1_000_000_000))).await;
    for _ in 0..100 {
        if parts_of(app, &id) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(parts_of(app, &id), 0, "its files are removed");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let found = admin.data(FIND, json!({ "id": id })).await["auditExport"].clone();
    assert_eq!((&found["status"], &found["downloadUrl"]), (&json!("EXPIRED"), &Value::Null));
    later.finish().await;
}

async fn what_a_spreadsheet_would_run_is_defused(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let names = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "'quoted", "plain, \"quoted\"\r\nname", "名前"];
    for name in names {
        let mut event = event("user.login");
        event["actor"]["name"] = json!(name);
        event["occurredAt"] = json!("2026-03-29T01:30:00Z");
        admin.record(event).await;
    }
    let export = ended(&admin, &create(&admin, json!({ "format": "CSV", "timeZone": "Europe/Berlin" })).await).await;
    let bytes = file(app, &export).await;
    let mut rows = csv::Reader::from_reader(&bytes[..]);
    let at = |name: &str, rows: &mut csv::Reader<&[u8]>| {
        rows.headers().expect("a header").iter().position(|column| column == name).expect("a column")
    };
    let (name, local) = (at("actor_name", &mut rows), at("occurred_at_local", &mut rows));
    for (row, sent) in rows.records().zip(names) {
        let row = row.expect("a row");
        let cell = &row[name];
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t']), "{cell}");
        assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), sent);
        assert_eq!(&row[local], "2026-03-29T03:30:00+02:00", "an hour that the clocks skip");
    }
}

async fn a_file_is_streamed_and_packed_as_asked(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    record(&admin, 1_000, |_, _| {}).await;
    let token = format!("Bearer {}", admin.token());
    let path = "/v1/audit-events/export?format=NDJSON&actions=user.login";
    let fetch = |coding: &'static str| {
        let token = token.clone();
        async move { get(app, path, &[(header::AUTHORIZATION, &token), (header::ACCEPT_ENCODING, coding)]).await }
    };
    let (status, headers, plain) = fetch("identity").await;
    assert_eq!((status, headers.get(header::CONTENT_ENCODING)), (StatusCode::OK, None));
    assert_eq!(ids(&lines(&plain)), listed(&admin).await);
    for coding in ["gzip", "zstd"] {
        let (_, headers, packed) = fetch(coding).await;
        assert_eq!(headers[header::CONTENT_ENCODING], coding);
        assert!(packed.len() * 4 < plain.len());
        let mut unpacked = Vec::new();
        let read = match coding {
            "gzip" => std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&packed[..]), &mut unpacked),
            _ => {
                let mut zstd = ruzstd::decoding::StreamingDecoder::new(&packed[..]).expect("zstd");
                std::io::Read::read_to_end(&mut zstd, &mut unpacked)
            }
        };
        read.expect("unpacked");
        assert_eq!(unpacked, plain, "{coding}");
    }
    for query in [
        "",
        "?format=XML",
        "?format=CSV&limit=3",
        "?format=CSV&after=x",
        "?format=CSV&nonsense=1",
        "?format=CSV&time_zone=x",
    ] {
        let (status, headers, _) =
            get(app, &format!("/v1/audit-events/export{query}"), &[(header::AUTHORIZATION, &token)]).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    }
}

async fn a_stream_that_cannot_be_read_to_its_end_is_cut(app: &TestApp) {
    let own = with_removed_logs(app).await;
    let admin = own.admin("caputchin", "acme");
    record(&admin, 1_200, |_, event| {
        event["action"] = json!("troop.renamed");
        event["log"] = json!({ "level": "troop", "id": "t_1" });
    })
    .await;
    let path = "/v1/audit-events/export?format=NDJSON&log=troop:t_1";
    let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", admin.token()));
    let request = request.body(Body::empty()).expect("a request");
    let response = own.app.router.clone().oneshot(request).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    let first = body.frame().await.expect("a frame").expect("data");
    assert!(first.data_ref().is_some_and(|data| !data.is_empty()));
    let delete = "mutation { deleteAuditLog(input: { log: { level: \"troop\", id: \"t_1\" } }) { log { id } } }";
    admin.data(delete, json!({})).await;
    let mut frames = 0;
    let end = loop {
        match body.frame().await {
            Some(Ok(_)) => frames += 1,
            end => break end,
        }
        assert!(frames < 10);
    };
    assert!(end.is_some_and(|end| end.is_err()), "the body has no proper end");
    own.finish().await;
}
