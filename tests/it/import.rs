//! `ledgerline import`: files of JSON lines, whole, repeated, broken, interrupted, and beside a running service.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    harness::{TestApp, on_both_databases},
    process::{self, Client, Imported, Service},
};

fn file(app: &TestApp, text: &str) -> PathBuf {
    let path = app.folder().join("events.ndjson");
    fs::write(&path, text).unwrap();
    path
}

async fn import(app: &TestApp, text: &str, arguments: &[&str]) -> Imported {
    process::import(&app.url, &app.folder(), &file(app, text), arguments).await
}

async fn total(app: &TestApp, organization: &str) -> Value {
    let admin = app.admin("workspace", organization);
    admin.data("{ auditEvents(includeNested: true) { totalCount } }", json!({})).await["auditEvents"]["totalCount"]
        .clone()
}

/// The project's own odd events, as `demo::odd_events` tells them.
const ODD_LINES: &str = include_str!("../../src/demo/stories/odd.ndjson");

/// Simple lines, numbered.
fn lines(range: std::ops::Range<usize>) -> String {
    range
        .map(|i| {
            let line = json!({ "importId": format!("line-{i}"), "org": "acme", "action": format!("did.{}", i % 10),
                "occurredAt": format!("2026-01-01T00:00:{:02}.{i:09}Z", i % 60), "actor": { "kind": "USER", "id": format!("u{}", i % 7) } });
            format!("{line}\n")
        })
        .collect()
}

on_both_databases! {
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
            action actor { kind externalId name email } resources { type externalId name } ipAddress userAgent source sourceEventId metadataText } } }";
        let list = app.admin("workspace", "odd").data(query, json!({})).await;
        let nodes = list["auditEvents"]["nodes"].as_array().unwrap().clone();
        for (line, node) in ODD_LINES.lines().zip(&nodes) {
            let sent: Value = serde_json::from_str(line).unwrap();
            for field in ["action", "userAgent", "source", "sourceEventId"] {
                assert_eq!(node[field], sent[field], "{field} of {line}");
            }
            assert_eq!(node["ipAddress"], sent["ip"], "{line}");
            for field in ["kind", "id", "name", "email"] {
                assert_eq!(node["actor"][field], sent["actor"][field], "{field} of {line}");
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
        assert!(refused.refused[0].starts_with("line 1: occurredAt") && refused.refused[1].starts_with("line 4: occurredAt"));
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
            r#"{"org":"acme","action":"x","occurredAt":"2026-01-01T00:00:00Z","metadata":{"a":"\u0000"}}"#,
        ];
        let mut text = String::new();
        for line in bad {
            text.push_str(&format!("{line}\r\n{good}\n"));
        }
        let imported = import(app, &text, &[]).await;
        // The good lines are one line many times, and so one event.
        assert_eq!(imported.summary, format!("1 recorded, {} recorded before, {} refused", bad.len() - 1, bad.len()), "{imported:#?}");
        assert_eq!(imported.status.code(), Some(1));
        let mut numbers: Vec<usize> = imported.refused.iter().map(|line| line[5..line.find(':').unwrap()].parse().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..bad.len()).map(|i| 2 * i + 1).collect::<Vec<_>>(), "{imported:#?}");
        let none = process::import(&app.url, &app.folder(), &app.folder().join("no such file"), &[]).await;
        assert_eq!(none.status.code(), Some(1));
        let mut command = process::ledgerline(&app.url, &app.folder());
        let unknown = command.arg("import").arg(app.folder().join("events.ndjson")).args(["--product", "nothing"]).output().unwrap();
        assert_eq!(unknown.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no product \"nothing\""));
    }

    async fn a_killed_import_goes_on_where_it_was(app: &TestApp) {
        let number = 6_000;
        let path = file(app, &lines(0..number));
        let mut command = process::ledgerline(&app.url, &app.folder());
        let mut child = command.arg("import").arg(&path).args(["--product", "workspace"]).stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null()).spawn().unwrap();
        crate::harness::eventually(async || total(app, "acme").await.as_i64().unwrap() > 0).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let before = total(app, "acme").await.as_u64().unwrap() as usize;
        // It commits in batches; how far it came is chance.
        assert!(before > 0 && before.is_multiple_of(500), "{before}");
        let rest = process::import(&app.url, &app.folder(), &path, &[]).await;
        assert_eq!(rest.summary, format!("{} recorded, {before} recorded before, 0 refused", number - before), "{rest:#?}");
        assert_eq!(total(app, "acme").await, number);
    }

    async fn an_import_and_sixteen_clients_record_side_by_side(app: &TestApp) {
        let path = file(app, &lines(0..3_000));
        let service = Service::start(&app.url, &app.folder()).await;
        let token = app.caller("workspace").organization("acme").scopes("audit:record").subject("client").token();
        let (folder, url, base) = (app.folder(), app.url.clone(), service.base.clone());
        let importing = tokio::spawn(async move { process::import(&url, &folder, &path, &[]).await });
        let clients: Vec<_> = (0..16).map(|client| {
            let (http, base) = (Client::new(token.clone()), base.clone());
            tokio::spawn(async move {
                for i in 0..25 {
                    let event = json!({ "action": "live", "actor": { "kind": "USER", "id": format!("c{client}") }, "idempotencyKey": format!("{client}-{i}") });
                    let results = http.record(&base, &[event]).await.expect("an answer");
                    let results = results.unwrap_or_else(|answer| panic!("{answer}"));
                    assert_eq!(results[0]["status"], "RECORDED", "{results:?}");
                }
            })
        }).collect();
        for client in clients {
            client.await.unwrap();
        }
        let imported = importing.await.unwrap();
        assert_eq!(imported.summary, "3000 recorded, 0 recorded before, 0 refused", "{imported:#?}");
        assert_eq!(total(app, "acme").await, 3_400);
        assert!(service.terminate().await.success());
    }
}
