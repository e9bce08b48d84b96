//! What a record may be written with: names, values and times.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::harness::Database;

/// A service on SQLite: how a record is read is the same for every database.
async fn app() -> TestApp {
    TestApp::start(Database::Sqlite).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_names_are_refused_with_the_nearest_at_every_depth() {
    let app = app().await;
    let line = json!({
        "importId": "k1", "occurredAt": "2026-01-01T00:00:00Z", "action": "a.b",
        "actor": { "kind": "USER", "id": "u", "emailAddress": "ana@example.com" }, "ipAddress": "203.0.113.9",
        "organization": "o2", "log": { "level": "project", "id": "p1", "parent": { "nmae": "x" } },
        "metadataText": "{\"a\":1}", "targets": [{ "type": "doc", "id": "d" }],
        "resources": [{ "type": "doc", "id": "d" }, { "Type": "doc" }], "user_agent": "curl", "actorName": "Ana",
        "timestamp": 1, "entirelyElse": 1,
    });
    let refused = import(&app, line.to_string(), &["--organization", "o1"]).await;
    assert_eq!(refused.summary, "0 recorded, 0 recorded before, 1 refused", "{refused:#?}");
    assert_eq!(refused.status.code(), Some(1));
    let told = &refused.refused[0];
    for (name, meant) in [
        ("actor.emailAddress", "email"),
        ("targets", "resources"),
        ("user_agent", "userAgent"),
        ("resources[1].Type", "type"),
        ("log.parent.nmae", "name"),
        ("actorName", "actor.name"),
        ("timestamp", "occurredAt"),
    ] {
        assert!(told.contains(&format!("{name}: is no field of ")), "{name}: {told}");
        let of = told.split(&format!("{name}: ")).nth(1).unwrap();
        let of = of.split("; ").next().unwrap();
        assert!(of.ends_with(&format!(": {meant} may be meant")), "{name}: {of}");
    }
    assert!(told.contains("entirelyElse: is no field of an event: there are action, category"), "{told}");
    for known in ["ipAddress:", "organization:", "metadataText:", "occurredAt:"] {
        assert!(!told.contains(known), "{known} {told}");
    }
    // Nothing stands in the way of the corrected line: it was not recorded without its fields.
    let mut right = line;
    for wrong in ["targets", "user_agent", "actorName", "timestamp", "entirelyElse", "log"] {
        right.as_object_mut().unwrap().remove(wrong);
    }
    right["actor"] = json!({ "kind": "USER", "id": "u", "email": "ana@example.com" });
    right["resources"] = json!([{ "type": "doc", "id": "d" }]);
    let recorded = import(&app, right.to_string(), &["--organization", "o1"]).await;
    assert_eq!(recorded.summary, "1 recorded, 0 recorded before, 0 refused", "{recorded:#?}");
    let event = &events(&app, "o1").await[0];
    assert_eq!(event["actor"]["email"], "ana@example.com");
    assert_eq!(event["ipAddress"], "203.0.113.9");
    assert_eq!(event["metadataText"], r#"{"a":1}"#);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_names_of_a_field_say_the_same() {
    let app = app().await;
    let short = r#"{"importId":"short","org":"acme","occurredAt":"2026-01-01T00:00:00Z","action":"a","category":"c","actor":{"kind":"API_KEY","id":"7"},"onBehalfOf":{"kind":"USER","name":"Ada"},"resource":{"type":"doc","id":"12"},"outcome":"FAILURE","ip":"192.0.2.1","log":{"level":"project","id":"w","name":"W"},"sourceEventId":"19","metadata":{ "n": 1.50 }}"#;
    let own = r#"{"idempotencyKey":"own","organization":"acme","occurredAt":"2026-01-01T00:00:00Z","action":"a","category":{"code":"c"},"actor":{"kind":"apiKey","externalId":7,"name":null},"onBehalfOf":{"kind":"User","name":"Ada"},"resources":[{"type":"doc","externalId":12}],"outcome":"failure","ipAddress":"192.0.2.1","log":{"level":"project","externalId":"w","name":"W"},"sourceEventId":19,"metadataText":"{ \"n\": 1.50 }"}"#;
    let again = r#"{"repeatOf":"own","org":"acme","occurredAt":"2026-01-01T00:00:00Z","action":"a","category":"c","actor":{"kind":"api-key","id":7},"onBehalfOf":{"kind":"user","name":"Ada"},"resources":{"type":"doc","id":12},"outcome":"Failure","ip":"192.0.2.1","log":{"level":"project","id":"w"},"sourceEventId":"19","metadata":{ "n": 1.50 },"__typename":"AuditEvent"}"#;
    let imported = import(&app, format!("{short}\n{own}\n"), &[]).await;
    assert_eq!(imported.summary, "2 recorded, 0 recorded before, 0 refused", "{imported:#?}");
    let events = events(&app, "acme").await;
    assert_eq!(events[0], events[1]);
    assert_eq!(events[0]["metadataText"], r#"{ "n": 1.50 }"#);
    assert_eq!((&events[0]["outcome"], &events[0]["actor"]["kind"]), (&json!("FAILURE"), &json!("API_KEY")));
    let repeated = import(&app, again.replace(r#""id":"w""#, r#""id":"w","name":"W""#), &[]).await;
    assert_eq!(repeated.summary, "0 recorded, 1 recorded before, 0 refused", "{repeated:#?}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_are_not_understood_are_refused_and_named() {
    let app = app().await;
    let cases = [
        (r#""ip":"a","ipAddress":"b""#, "ipAddress: is another name of ip"),
        (r#""org":"a","organization":"acme""#, "organization: is another name of org"),
        (r#""importId":"a","idempotencyKey":"a""#, "idempotencyKey: is another name of importId"),
        (r#""metadata":{},"metadataText":"{}""#, "metadataText: is another name of metadata"),
        (r#""actor":{"kind":"USER","id":"a","externalId":"a"}"#, "actor.externalId: is another name of id"),
        (r#""source":"a","source":"b""#, "source: must be named once"),
        (r#""strict":1"#, "strict: must be true or false"),
        (
            r#""strict":true,"userAgent":"\ud83d""#,
            "userAgent: must not contain NUL (U+0000) or half of a surrogate pair",
        ),
        (r#""actor":{"kind":"PERSON"}"#, "actor.kind: must be one of USER, API_KEY,"),
        (r#""actor":{"id":"u"}"#, "actor.kind: must be one of USER, API_KEY,"),
        (r#""actor":"ada""#, "actor: must be an object: kind, id, name, email"),
        (r#""resources":["doc"]"#, "resources[0]: must be an object: type, id, name"),
        (r#""outcome":"done""#, "outcome: must be one of SUCCESS, FAILURE, ACCEPTED"),
        (r#""userAgent":true"#, "userAgent: must be a text or a number"),
        (r#""source":["a"]"#, "source: must be a text or a number"),
        (r#""log":{"level":"project"}"#, "log.id: is missing"),
        (r#""log":{"id":"w"}"#, "log.level: is missing"),
        (r#""metadata":[1]"#, "metadata: must be a JSON object"),
        (r#""metadataText":"{""#, "metadata: must be a JSON object"),
        (r#""id":"evt_1""#, "id: is shown of an event and cannot be imported (--ignore id leaves it out)"),
        (r#""actor":{"kind":"USER","label":"x"}"#, "actor.label: is shown of an actor and cannot be imported"),
    ];
    let mut text = String::new();
    for (fields, _) in cases {
        text.push_str(&format!(r#"{{"action":"a","occurredAt":"2026-01-01T00:00:00Z",{fields}}}"#));
        text.push('\n');
    }
    let refused = import(&app, text, &["--organization", "acme"]).await;
    assert_eq!(refused.summary, format!("0 recorded, 0 recorded before, {} refused", cases.len()), "{refused:#?}");
    for (number, ((_, expected), told)) in cases.iter().zip(&refused.refused).enumerate() {
        assert!(told.starts_with(&format!("line {}: {expected}", number + 1)), "{told} is not {expected}");
    }
    // A null says nothing, so a second name of it does not either.
    let nulls = r#"{"action":"a","occurredAt":"2026-01-01T00:00:00Z","ip":null,"ipAddress":"b","actor":null,"resource":null,"metadata":null}"#;
    assert_eq!(
        import(&app, nulls, &["--organization", "acme"]).await.summary,
        "1 recorded, 0 recorded before, 0 refused"
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nests_without_end_is_refused_in_bounded_time() {
    let app = app().await;
    let deep = 40_000;
    let log = format!("{}{}", r#"{"level":"w","id":"1","parent":"#.repeat(deep), "null") + &"}".repeat(deep);
    let text = format!(
        "{}\n{}\n",
        line("good"),
        line("bad").replace(r#""org""#, &format!(r#""log":{},"org""#, &log[..1_000_000.min(log.len())]))
    );
    let lists = format!(
        "{}\n",
        line("bad")
            .replace(r#""org""#, &format!(r#""resources":{}{},"org""#, "[".repeat(400_000), "]".repeat(400_000)))
    );
    let refused = import(&app, text + &lists, &[]).await;
    assert_eq!(refused.summary, "1 recorded, 0 recorded before, 2 refused", "{refused:#?}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_are_understood_as_other_systems_write_them() {
    let app = app().await;
    let times = [
        (json!("2026-01-02T03:04:05.123456789+05:30"), "2026-01-01T21:34:05.123456789Z"),
        (json!("2026-01-02 03:04:05Z"), "2026-01-02T03:04:05Z"),
        (json!("2026-01-02 03:04:05.5+00"), "2026-01-02T03:04:05.5Z"),
        (json!(1767323045), "2026-01-02T03:04:05Z"),
        (json!("1767323045"), "2026-01-02T03:04:05Z"),
        (json!(1767323045.25), "2026-01-02T03:04:05.25Z"),
        (json!(1767323045123_u64), "2026-01-02T03:04:05.123Z"),
        (json!("1767323045123456"), "2026-01-02T03:04:05.123456Z"),
        (json!(1767323045123456789_u64), "2026-01-02T03:04:05.123456789Z"),
        (json!(-1), "1969-12-31T23:59:59Z"),
    ];
    let record = |at: &Value| format!("{}\n", json!({ "org": "acme", "action": "a", "occurredAt": at }));
    let text: String = times.iter().map(|(at, _)| record(at)).collect();
    let imported = import(&app, text, &[]).await;
    assert!(imported.status.success(), "{imported:#?}");
    let read: Vec<Value> = events(&app, "acme").await.iter().map(|event| event["occurredAt"].clone()).collect();
    assert_eq!(read, times.map(|(_, at)| json!(at)));
    // A time without an offset is nobody's, until somebody says whose.
    let bare = record(&json!("2026-01-02 03:04:05"));
    let refused = import(&app, &bare, &[]).await;
    assert!(refused.refused[0].contains("occurredAt: must have an offset"), "{refused:#?}");
    assert!(import(&app, &bare, &["--offset", "-02:00"]).await.status.success());
    assert_eq!(events(&app, "acme").await[10]["occurredAt"], "2026-01-02T05:04:05Z");
    for bad in [json!("20260102"), json!(true), json!({}), json!("12:00"), json!(1e30), json!("")] {
        let refused = import(&app, record(&bad), &["--offset", "Z"]).await;
        assert!(refused.refused[0].starts_with("line 1: occurredAt: must be "), "{bad}: {refused:#?}");
    }
    let wrong = import(&app, &bare, &["--offset", "CET"]).await;
    assert!(wrong.summary.contains("--offset must be an offset from UTC"), "{wrong:#?}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_outsiders_wrote_is_kept_as_recording_keeps_it() {
    let app = app().await;
    let half = r#"{"org":"acme","action":"login","occurredAt":1,"actor":{"kind":"USER","name":"half \ud83d"},"metadata":{"a":"\ud83d"}}"#;
    let nul = r#"{"org":"acme","action":"login","occurredAt":1,"userAgent":"nul \u0000","metadata":{"a\ud83d":1,"a\ud83e":2}}"#;
    let long = line("long").replace(r#""org""#, &format!(r#""userAgent":"{}","org""#, "U".repeat(100_000)));
    let text = [half, nul, &long, &line("whole")].join("\n");
    let strict = import(&app, &text, &["--strict"]).await;
    assert_eq!(strict.summary, "1 recorded, 0 recorded before, 3 refused", "{strict:#?}");
    let imported = import(&app, &text, &[]).await;
    assert_eq!(imported.summary, "3 recorded, 1 recorded before, 0 refused", "{imported:#?}");
    assert!(imported.said.starts_with("3 of them are not as they were sent"), "{imported:#?}");
    let again = import(&app, &text, &[]).await;
    assert_eq!((again.summary.as_str(), again.said.as_str()), ("0 recorded, 4 recorded before, 0 refused", ""));
    let query = "{ auditEvents(first: 9, orderBy: { field: SEQUENCE, direction: ASC }) { nodes {
        truncated actor { name } userAgent metadata metadataText } } }";
    let list = app.admin("workspace", "acme").data(query, json!({})).await["auditEvents"]["nodes"].clone();
    assert_eq!(list[1]["actor"]["name"], "half \u{fffd}");
    assert_eq!(list[1]["metadataText"], r#"{"a":"\ud83d"}"#, "byte for byte");
    assert_eq!(list[1]["metadata"]["a"], "\u{fffd}");
    assert_eq!(list[1]["truncated"], json!(["actor.name", "metadata.a"]));
    assert_eq!(list[2]["userAgent"], "nul \u{fffd}");
    assert_eq!(list[3]["truncated"], json!(["userAgent"]));
    app.finish().await;
}

/// Imports into another database.
async fn import_there(url: &str, folder: &Path, text: &str, arguments: &[&str]) -> Imported {
    let path = folder.join("again.ndjson");
    fs::write(&path, text).unwrap();
    process::import(url, folder, &path, arguments).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_api_prints_can_be_imported_again() {
    let (app, other) = (app().await, app().await);
    let events_sent = vec![
        json!({ "action": "first", "actor": { "kind": "USER", "id": "u1", "name": "Ada", "email": "ada@example.com" },
            "category": "docs", "resources": [{ "type": "doc", "id": "d", "name": "D" }, { "id": null }, { "id": "e" }],
            "ipAddress": "192.0.2.1", "userAgent": "curl", "correlationId": "c", "source": "s", "sourceEventId": "1",
            "metadataText": "{ \"price\": 0.1000000000000000055 }" }),
        json!({ "action": "second", "actor": { "kind": "STAFF" }, "onBehalfOf": { "kind": "USER", "id": "u1" },
            "outcome": "ACCEPTED", "log": { "level": "project", "id": "w1", "name": "One" } }),
    ];
    app.caller("workspace").organization("acme").scopes("audit:record").record_all(events_sent).await;
    let printed = events(&app, "acme").await;
    assert_eq!(printed.len(), 2);
    let text: String = printed.iter().map(|event| format!("{event}\n")).collect();
    let arguments = ["--organization", "acme"];
    let imported = import_there(&other.url, &other.folder(), &text, &arguments).await;
    assert_eq!(imported.summary, "2 recorded, 0 recorded before, 0 refused", "{imported:#?}");
    assert_eq!(events(&other, "acme").await, printed);
    // What is the service's own is not taken for what happened, unless it is said to be left out.
    let with_own =
        text.replace(r#"{"action""#, r#"{"id":"evt_1","sequence":"0","recordedAt":"2026-01-01T00:00:00Z","action""#);
    let refused = import_there(&other.url, &other.folder(), &with_own, &arguments).await;
    assert_eq!(refused.summary, "0 recorded, 0 recorded before, 2 refused", "{refused:#?}");
    assert!(refused.refused[0].contains("recordedAt: is shown of an event"), "{refused:#?}");
    let ignoring = ["--organization", "acme", "--ignore", "id,sequence", "--ignore", "recordedAt,resources.name"];
    let left_out = import_there(&other.url, &other.folder(), &with_own, &ignoring).await;
    assert_eq!(left_out.summary, "2 recorded, 0 recorded before, 0 refused", "{left_out:#?}");
    assert_eq!(events(&other, "acme").await[2]["resources"][0]["name"], Value::Null);
    app.finish().await;
    other.finish().await;
}
