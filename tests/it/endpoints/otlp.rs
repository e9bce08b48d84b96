use serde_json::{Value, json};

use super::{Moved, are_refused, create_at, here, is_told_nowhere, only, sending, test, update};
use crate::harness::{
    TestApp, event, eventually, on_both_databases,
    receiver::{Receiver, Reply, Sent},
};

on_both_databases! {
    events_arrive_as_log_records,
    what_a_collector_rejects_of_a_batch_is_sent_one_by_one,
    headers_of_another_address_are_not_kept,
    what_breaks_a_rule_is_named,
}

const KEY: &str = "hush-hush-key";

fn target(url: &str) -> Value {
    json!({ "otlp": { "url": url, "headers": [{ "name": "X-Api-Key", "value": KEY }] } })
}

fn records(sent: &Sent) -> Vec<Value> {
    let body = sent.json();
    let records = body["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array();
    records.expect("log records").clone()
}

/// Values by key, as they are written.
fn attribute(record: &Value, key: &str) -> Value {
    let mut all = record["attributes"].as_array().into_iter().flatten();
    all.find(|one| one["key"] == key).map_or(Value::Null, |one| one["value"].clone())
}

fn sequences(receiver: &Receiver) -> Vec<i64> {
    let got = receiver.got();
    let sequence = |record: Value| attribute(&record, "ledgerline.sequence")["intValue"].as_str()?.parse().ok();
    got.iter().flat_map(records).filter_map(sequence).collect()
}

async fn events_arrive_as_log_records(app: &TestApp) {
    let app = sending(app).await;
    let receiver = Receiver::scripted(|_| Reply::Json(200, json!({ "partialSuccess": {} }))).await;
    let admin = app.admin("workspace", "acme");
    let id = create_at(&admin, target(&receiver.url)).await;
    let mut first = event("login.failed");
    first["occurredAt"] = json!("2025-05-27T16:46:46.485356507Z");
    first["outcome"] = json!("FAILURE");
    first["ipAddress"] = json!("192.0.2.7");
    admin.record_all([first].into_iter().chain((1..150).map(|n| event(&format!("thing.{n}")))).collect()).await;
    eventually(async || sequences(&receiver) == (0..151).collect::<Vec<_>>()).await;
    let sent = receiver.got();
    assert!(sent.len() < 15, "they come together: {}", sent.len());
    for sent in &sent {
        assert_eq!((sent.path.as_str(), sent.header("x-api-key")), ("/hook/v1/logs", KEY));
        assert_eq!(sent.header("content-type"), "application/json");
        let logs = &sent.json()["resourceLogs"][0];
        assert_eq!(attribute(&logs["resource"], "service.name"), json!({ "stringValue": "ledgerline" }));
        assert_eq!(attribute(&logs["resource"], "ledgerline.product"), json!({ "stringValue": "workspace" }));
        assert_eq!(logs["scopeLogs"][0]["scope"]["name"], "ledgerline");
    }
    let record = sent.iter().flat_map(records).find(|record| record["eventName"] == "login.failed").expect("it");
    assert_eq!(record["timeUnixNano"], "1748364406485356507");
    assert_eq!((&record["severityNumber"], &record["severityText"]), (&json!(13), &json!("WARN")));
    for (key, value) in [
        ("event.name", "login.failed"),
        ("user.id", "u1"),
        ("user.email", "u1@example.com"),
        ("client.address", "192.0.2.7"),
        ("ledgerline.outcome", "FAILURE"),
        ("ledgerline.log", "organisation:acme"),
    ] {
        assert_eq!(attribute(&record, key), json!({ "stringValue": value }), "{record:#}");
    }
    let body: Value = serde_json::from_str(record["body"]["stringValue"].as_str().expect("text")).expect("JSON");
    assert_eq!((&body["action"], &body["sequence"]), (&json!("login.failed"), &json!(1)));
    assert_eq!(attribute(&record, "log.record.uid")["stringValue"], body["id"]);
    assert_eq!(only(&admin).await["settings"], json!({ "headers": ["x-api-key"] }));
    assert_eq!(test(&admin, &id).await, json!({ "succeeded": true, "status": 200, "trouble": null }));
    assert_eq!(records(&receiver.got().pop().expect("a test"))[0]["eventName"], "audit_endpoint.test");
    app.admin("workspace", "globex").record(event("globex.touched")).await;
    admin.record(event("thing.last")).await;
    eventually(async || sequences(&receiver).contains(&151)).await;
    assert!(receiver.got().iter().all(|sent| !String::from_utf8_lossy(&sent.body).contains("globex")));
    is_told_nowhere(&admin, KEY).await;
    app.finish().await;
}

async fn what_a_collector_rejects_of_a_batch_is_sent_one_by_one(app: &TestApp) {
    let clock = Moved::new();
    let app = app.beside_with_clock_and(clock.clock(), here).await;
    let receiver = Receiver::scripted(|sent| match String::from_utf8_lossy(&sent.body).contains("poison") {
        // It repeats what it was given.
        true => Reply::Json(200, json!({ "partialSuccess": { "rejectedLogRecords": "1", "errorMessage": KEY } })),
        false => Reply::Json(200, json!({})),
    });
    let receiver = receiver.await;
    let admin = app.admin("workspace", "acme").lasting();
    create_at(&admin, target(&receiver.url)).await;
    receiver.has(1).await;
    let action = |n| if n == 3 { "poison.it".to_owned() } else { format!("thing.{n}") };
    admin.record_all((0..10).map(|n| event(&action(n))).collect()).await;
    eventually(async || only(&admin).await["failures"] == 1).await;
    assert_eq!(only(&admin).await["trouble"], "it rejected 1 log records: …");
    for _ in 0..100 {
        if only(&admin).await["nextSequence"] == "11" {
            break;
        }
        clock.by_seconds(1_000);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let endpoint = only(&admin).await;
    assert_eq!(endpoint["deadLetters"]["totalCount"], 1);
    assert_eq!(endpoint["deadLetters"]["nodes"][0]["sequence"], "4");
    is_told_nowhere(&admin, KEY).await;
    app.finish().await;
}

async fn headers_of_another_address_are_not_kept(app: &TestApp) {
    let app = sending(app).await;
    let (one, other) = (Receiver::start().await, Receiver::scripted(|_| Reply::Status(401)).await);
    let admin = app.admin("workspace", "acme");
    let id = create_at(&admin, target(&one.url)).await;
    one.has(1).await;
    update(&admin, &id, json!({ "target": { "otlp": { "url": other.url } } })).await;
    assert_eq!(other.has(1).await[0].header("x-api-key"), "");
    eventually(async || only(&admin).await["failures"] == 1).await;
    // A key that is missing is no event's fault.
    assert_eq!(only(&admin).await["deadLetters"]["totalCount"], 0);
    app.finish().await;
}

async fn what_breaks_a_rule_is_named(app: &TestApp) {
    let app = sending(app).await;
    let admin = app.admin("workspace", "acme");
    let url = "https://otel.example.com:4318";
    let header = |name: &str, value: &str| json!({ "name": name, "value": value });
    let of = |headers: Value| json!({ "otlp": { "url": url, "headers": headers } });
    let targets = vec![
        (json!({ "otlp": { "url": "http://otel.example.com.:99999" } }), "input.url"),
        (json!({ "otlp": { "url": "https://169.254.169.254/" } }), "input.url"),
        (json!({ "otlp": { "url": format!("{url}?key=x") } }), "input.url"),
        (of(json!([header("a", "b"), header("not a name", "b")])), "input.headers[1].name"),
        (of(json!([header("Content-Length", "5")])), "input.headers[0].name"),
        (of(json!([header("host", "elsewhere")])), "input.headers[0].name"),
        (of(json!([header("a", "b\r\nc: d")])), "input.headers[0].value"),
        (of(json!([header("a", &"x".repeat(4_097))])), "input.headers[0].value"),
        (of(json!([header("a", "b"), header("A", "c")])), "input.headers[1].name"),
        (of((0..17).map(|n| header(&format!("h{n}"), "v")).collect()), "input.headers"),
    ];
    are_refused(&admin, targets).await;
    app.finish().await;
}
