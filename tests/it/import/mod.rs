//! `ledgerline import`: files whole, repeated, broken, interrupted, and beside a running service.

mod faults;
mod forms;
mod names;
mod sequences;

use std::{fs, io::Write, path::PathBuf, process::Stdio};

use serde_json::{Value, json};

use crate::{
    harness::{TestApp, on_both_databases},
    odd::ODD_LINES,
    process::{self, Imported},
};

fn file(app: &TestApp, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = app.folder().join("events.ndjson");
    fs::write(&path, bytes).unwrap();
    path
}

async fn import(app: &TestApp, bytes: impl AsRef<[u8]>, arguments: &[&str]) -> Imported {
    process::import(&app.url, &app.folder(), &file(app, bytes), arguments).await
}

/// The same from standard input, which is a pipe.
async fn import_piped(app: &TestApp, bytes: impl AsRef<[u8]>, arguments: &[&str]) -> Imported {
    let mut command = process::ledgerline(&app.url, &app.folder());
    command.args(["import", "-", "--product", "workspace"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let bytes = bytes.as_ref().to_vec();
    let running = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let writing = std::thread::spawn(move || input.write_all(&bytes));
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap().unwrap();
        output.into()
    });
    running.await.unwrap()
}

async fn total(app: &TestApp, organization: &str) -> Value {
    let admin = app.admin("workspace", organization);
    admin.data("{ auditEvents(includeNested: true) { totalCount } }", json!({})).await["auditEvents"]["totalCount"]
        .clone()
}

/// Everything that was sent of the first hundred events of an organization, as the API prints it, under the names of
/// inputs.
async fn events(app: &TestApp, organization: &str) -> Vec<Value> {
    let query = "query { auditEvents(first: 100, includeNested: true, orderBy: { field: SEQUENCE, direction: ASC }) {
        nodes {
        action occurredAt category { code } outcome ipAddress userAgent correlationId source sourceEventId metadataText
        actor { kind externalId name email } onBehalfOf { kind externalId name email }
        resources { type externalId name }
        log { level externalId name parent { level externalId name } } } } }";
    let list = app.admin("workspace", organization).data(query, json!({})).await;
    list["auditEvents"]["nodes"].as_array().unwrap().clone()
}

/// A good line, told apart by its action.
fn line(action: &str) -> String {
    json!({ "org": "acme", "action": action, "occurredAt": "2026-01-01T00:00:00Z" }).to_string()
}

on_both_databases! {
    odd_events_are_all_taken_once_and_kept_as_sent,
    lines_without_a_time_need_a_flag,
    a_repeated_import_dated_now_adds_nothing,
    what_an_outsider_sent_is_recorded_and_marked,
    bad_lines_are_named_and_the_others_recorded,
}

async fn odd_events_are_all_taken_once_and_kept_as_sent(app: &TestApp) {
    let number = ODD_LINES.lines().count();
    let first = import(app, ODD_LINES, &["--organization", "odd"]).await;
    assert_eq!(first.summary, format!("{number} recorded, 0 recorded before, 0 refused"), "{first:#?}");
    assert!(first.status.success());
    let again = import(app, ODD_LINES, &["--organization", "odd"]).await;
    assert_eq!(again.summary, format!("0 recorded, {number} recorded before, 0 refused"), "{again:#?}");
    assert!(again.status.success());
    assert_eq!(total(app, "odd").await, number);
    let query = "{ auditEvents(first: 100, orderBy: { field: SEQUENCE, direction: ASC }) { nodes {
        action actor { kind externalId name email } resources { type externalId name } ipAddress userAgent source
        sourceEventId metadataText } } }";
    let list = app.admin("workspace", "odd").data(query, json!({})).await;
    let nodes = list["auditEvents"]["nodes"].as_array().unwrap().clone();
    // A text that shows nothing says nothing.
    let kept = |sent: &Value| {
        if sent.as_str().is_some_and(|text| text.trim().is_empty()) { Value::Null } else { sent.clone() }
    };
    for (line, node) in ODD_LINES.lines().zip(&nodes) {
        let sent: Value = serde_json::from_str(line).unwrap();
        for field in ["action", "userAgent", "source", "sourceEventId"] {
            assert_eq!(node[field], kept(&sent[field]), "{field} of {line}");
        }
        assert_eq!(node["ipAddress"], kept(&sent["ip"]), "{line}");
        for (shown, field) in [("kind", "kind"), ("externalId", "id"), ("name", "name"), ("email", "email")] {
            assert_eq!(node["actor"][shown], kept(&sent["actor"][field]), "{field} of {line}");
        }
        assert!(line.contains(node["metadataText"].as_str().unwrap()), "byte for byte: {line}");
    }
}

async fn lines_without_a_time_need_a_flag(app: &TestApp) {
    let text = "{\"org\":\"acme\",\"action\":\"one\",\"occurredAt\":null,\"actor\":{\"kind\":\"USER\"}}\n\
        {\"org\":\"acme\",\"action\":\"two\",\"occurredAt\":\"2026-01-01T00:00:00Z\"}\n\n\
        {\"org\":\"acme\",\"action\":\"three\"}\n";
    let refused = import(app, text, &[]).await;
    assert_eq!(refused.summary, "1 recorded, 0 recorded before, 2 refused", "{refused:#?}");
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        refused.refused[0].starts_with("line 1: occurredAt") && refused.refused[1].starts_with("line 4: occurredAt")
    );
    let dated = import(app, text, &["--undated", "2026-02-03T04:05:06.789Z"]).await;
    assert_eq!(dated.summary, "2 recorded, 1 recorded before, 0 refused", "{dated:#?}");
    assert!(dated.status.success());
    // What a line without a time was dated is no part of what it says: repeated, it is the same line.
    let now = import(app, text, &["--undated", "2026-02-03T04:05:06.789Z"]).await;
    assert_eq!(now.summary, "0 recorded, 3 recorded before, 0 refused", "{now:#?}");
    let wrong = import(app, text, &["--undated", "yesterday"]).await;
    assert_eq!(wrong.status.code(), Some(1), "{wrong:#?}");
}

async fn a_repeated_import_dated_now_adds_nothing(app: &TestApp) {
    let text = "{\"org\":\"acme\",\"action\":\"one\",\"actor\":{\"kind\":\"USER\"}}\n";
    assert_eq!(import(app, text, &["--undated", "now"]).await.summary, "1 recorded, 0 recorded before, 0 refused");
    let again = import(app, text, &["--undated", "now"]).await;
    assert_eq!(again.summary, "0 recorded, 1 recorded before, 0 refused", "{again:#?}");
}

async fn what_an_outsider_sent_is_recorded_and_marked(app: &TestApp) {
    let metadata = r#"{"note":"cut \ud83d","\ud83d":1,"nul":"\u0000"}"#;
    let line = format!(
        r#"{{"org":"acme","action":"x","occurredAt":"2026-01-01T00:00:00Z","actor":{{"kind":"USER","id":" ","name":"half \udc00"}},"userAgent":"{}","metadata":{metadata}}}"#,
        "u".repeat(9_000)
    );
    let imported = import(app, &line, &[]).await;
    assert_eq!(imported.summary, "1 recorded, 0 recorded before, 0 refused", "{imported:#?}");
    assert_eq!(import(app, &line, &[]).await.summary, "0 recorded, 1 recorded before, 0 refused");
    let query = "{ auditEvents(search: \"cut half\", filter: { truncated: true }) { nodes { actor { externalId name } \
                 userAgent metadata metadataText truncated } } }";
    let node = app.admin("workspace", "acme").data(query, json!({})).await["auditEvents"]["nodes"][0].clone();
    let r = '\u{fffd}';
    assert_eq!(
        node["truncated"],
        json!(["actor.name", "userAgent", "metadata.note", format!("metadata.{r}"), "metadata.nul"])
    );
    assert_eq!(
        (&node["metadataText"], &node["metadata"]),
        (&json!(metadata), &json!({ "note": format!("cut {r}"), format!("{r}"): 1, "nul": format!("{r}") }))
    );
    assert_eq!(
        (&node["actor"], node["userAgent"].as_str().map(str::len)),
        (&json!({ "externalId": null, "name": format!("half {r}") }), Some(8_192))
    );
}

async fn bad_lines_are_named_and_the_others_recorded(app: &TestApp) {
    let good = r#"{"org":"acme","action":"good","occurredAt":"2026-01-01T00:00:00Z"}"#;
    let bad = [
        "not JSON",
        "[]",
        r#"{"org":"acme","occurredAt":"2026-01-01T00:00:00Z"}"#,
        r#"{"org":"acme","action":"x","occurredAt":"2026-13-01T00:00:00Z"}"#,
        r#"{"org":"acme","action":"x","occurredAt":"2026-01-01"}"#,
        r#"{"org":"acme","action":"x","occurredAt":"1899-12-31T23:59:59Z"}"#,
        r#"{"org":"acme","action":"x","occurredAt":"2026-01-01T00:00:00Z","actor":{"kind":"PERSON"}}"#,
        r#"{"org":"acme","action":"x","occurredAt":"2026-01-01T00:00:00Z","metadata":{"a":1,"a":2}}"#,
        r#"{"org":"acme","action":"x","occurredAt":"2026-01-01T00:00:00Z","metadata":"text"}"#,
        r#"{"org":"acme","action":"","occurredAt":"2026-01-01T00:00:00Z"}"#,
        r#"{"action":"x","occurredAt":"2026-01-01T00:00:00Z"}"#,
        r#"{"org":"ac\u0000me","action":"x","occurredAt":"2026-01-01T00:00:00Z"}"#,
        r#"{"org":"acme","action":"x\ud83d","occurredAt":"2026-01-01T00:00:00Z"}"#,
    ];
    let mut text = String::new();
    for line in bad {
        text.push_str(&format!("{line}\r\n{good}\n"));
    }
    let imported = import(app, &text, &[]).await;
    assert_eq!(
        imported.summary,
        format!("{} recorded, 0 recorded before, {} refused", bad.len(), bad.len()),
        "{imported:#?}"
    );
    assert_eq!(imported.status.code(), Some(1));
    let mut numbers: Vec<usize> =
        imported.refused.iter().map(|line| line[5..line.find(':').unwrap()].parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..bad.len()).map(|i| 2 * i + 1).collect::<Vec<_>>(), "{imported:#?}");
    let none = process::import(&app.url, &app.folder(), &app.folder().join("no such file"), &[]).await;
    assert_eq!(none.status.code(), Some(1));
    let mut command = process::ledgerline(&app.url, &app.folder());
    let unknown =
        command.arg("import").arg(app.folder().join("events.ndjson")).args(["--product", "nothing"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no product \"nothing\""));
}
