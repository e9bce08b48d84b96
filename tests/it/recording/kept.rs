//! What of an event is kept, filled in and shown.

use serde_json::{Value, json};

use super::{FULL, merged, newest};
use crate::harness::{TestApp, event, on_both_databases};

on_both_databases! {
    everything_is_kept_as_it_was_sent,
    what_is_left_out_is_null_and_what_the_catalog_knows_is_filled_in,
    a_time_is_kept_to_the_nanosecond_and_sorts_by_it,
    the_callers_own_address_is_not_mixed_in,
}

async fn everything_is_kept_as_it_was_sent(app: &TestApp) {
    let recorder = app.admin("workspace", "acme").subject("backend-7");
    let text = "{ \"b\":1.50,\t\"a\" : \"\\u00e9 \\/ é\",\n \"a.b\":{}, \"n\":12345678901234567890123, \"e\":1E2 }";
    let input = json!({
        "action": "Ünïcode – Action / 7  with blanks", "category": "My Category",
        "actor": { "kind": "API_KEY", "id": " key 1 ", "name": "Key \"One\"", "email": "Not An Address" },
        "onBehalfOf": { "kind": "USER", "id": "u", "name": "U", "email": "U@Example.COM" },
        "resources": [{ "type": "T", "id": "id/with:odd chars", "name": "名" }, { "name": "only a name" }, {}],
        "outcome": "FAILURE", "occurredAt": "2021-08-19T12:16:32.123456789-04:00", "ipAddress": "no address at all",
        "userAgent": "curl/8 \u{1F680}", "correlationId": "c", "source": "s", "sourceEventId": "e",
        "metadataText": text, "idempotencyKey": "k"
    });
    recorder.record(input).await;
    let event = newest(&recorder).await;
    for (field, value) in [
        ("action", json!("Ünïcode – Action / 7  with blanks")),
        ("actionLabel", json!("Ünïcode – Action / 7  with blanks")),
        ("category", json!({ "code": "My Category", "label": "My Category", "shortLabel": "My Category" })),
        (
            "actor",
            json!({
                "kind": "API_KEY", "externalId": " key 1 ", "name": "Key \"One\"", "email": "Not An Address",
                "label": "Key \"One\""
            }),
        ),
        (
            "onBehalfOf",
            json!({ "kind": "USER", "externalId": "u", "name": "U", "email": "U@Example.COM", "label": "U" }),
        ),
        ("resource", json!({ "type": "T", "externalId": "id/with:odd chars", "name": "名" })),
        (
            "resources",
            json!([
                { "type": "T", "externalId": "id/with:odd chars", "name": "名" },
                { "type": null, "externalId": null, "name": "only a name" },
                { "type": null, "externalId": null, "name": null }
            ]),
        ),
        ("outcome", json!("FAILURE")),
        ("occurredAt", json!("2021-08-19T16:16:32.123456789Z")),
        ("ipAddress", json!("no address at all")),
        ("userAgent", json!("curl/8 \u{1F680}")),
        ("correlationId", json!("c")),
        ("source", json!("s")),
        ("sourceEventId", json!("e")),
        ("recordedBy", json!("backend-7")),
        ("metadataText", json!(text)),
        ("log", json!({ "level": "organisation", "externalId": "acme", "name": null, "parent": null })),
        ("sequence", json!("0")),
    ] {
        assert_eq!(event[field], value, "{field}");
    }
    assert_eq!(event["metadata"]["a"], "é / é");
    assert_eq!(event["metadata"]["b"], 1.5);
    assert_ne!(event["recordedAt"], event["occurredAt"]);
    // The same event by its id, and by both names of the question.
    let id = event["id"].clone();
    let found = recorder
        .data(
            &format!(
                "query($id: ID!) {{ auditEvent(id: $id) {{ {FULL} }} node(id: $id) {{ ... \
                 on AuditEvent {{ {FULL} }} }} }}"
            ),
            json!({ "id": id }),
        )
        .await;
    assert_eq!((&found["auditEvent"], &found["node"]), (&event, &event));
}

async fn what_is_left_out_is_null_and_what_the_catalog_knows_is_filled_in(app: &TestApp) {
    let bare = |action: &str, kind: &str| json!({ "action": action, "actor": { "kind": kind } });
    let workspace = app.admin("workspace", "acme");
    workspace.record(bare("anything", "SYSTEM")).await;
    let event = newest(&workspace).await;
    for field in [
        "category",
        "onBehalfOf",
        "resource",
        "outcome",
        "ipAddress",
        "userAgent",
        "correlationId",
        "source",
        "sourceEventId",
    ] {
        assert_eq!(event[field], Value::Null, "{field}");
    }
    assert_eq!(
        (&event["resources"], &event["metadata"], &event["metadataText"]),
        (&json!([]), &json!({}), &json!("{}"))
    );
    assert_eq!(event["occurredAt"], event["recordedAt"]);
    assert!(event["actor"]["label"].as_str().is_some_and(|label| !label.is_empty()));
    workspace.record(bare("user.login", "USER")).await;
    let login = newest(&workspace).await;
    assert_eq!(
        (&login["outcome"], &login["category"]["code"], &login["actionLabel"]),
        (&json!("SUCCESS"), &json!("authentication"), &json!("User signed in"))
    );
    let capydb = app.admin("capydb", "acme");
    capydb.record(bare("project.import_started", "STAFF")).await;
    let import = newest(&capydb).await;
    assert_eq!((&import["outcome"], &import["category"]["code"]), (&json!("ACCEPTED"), &json!("project")));
    capydb
        .record(merged(bare("project.import_started", "STAFF"), json!({ "outcome": "FAILURE", "category": "project" })))
        .await;
    assert_eq!(newest(&capydb).await["outcome"], "FAILURE");
}

async fn a_time_is_kept_to_the_nanosecond_and_sorts_by_it(app: &TestApp) {
    let recorder = app.admin("workspace", "acme");
    let times = [
        "2026-01-01T00:00:00.000000002Z",
        "2026-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999999Z",
        "1900-01-01T00:00:00Z",
        "2026-01-01T00:00:00.000001Z",
    ];
    for at in times {
        recorder.record(merged(event("a.b"), json!({ "occurredAt": at }))).await;
    }
    let list = recorder
        .data("{ auditEvents(orderBy: { field: SEQUENCE, direction: ASC }) { nodes { occurredAt } } }", json!({}))
        .await;
    let kept: Vec<_> = list["auditEvents"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| node["occurredAt"].as_str().expect("text").to_owned())
        .collect();
    assert_eq!(kept, times);
    let bounded = recorder
        .data(
            "query($f: AuditEventFilter) { auditEvents(filter: $f) { totalCount } }",
            json!({
                "f": { "occurredAt": { "from": "2026-01-01T00:00:00.000000001Z", "to": "2026-01-01T00:00:00.000001Z" } }
            }),
        )
        .await;
    assert_eq!(bounded["auditEvents"]["totalCount"], 1);
}

async fn the_callers_own_address_is_not_mixed_in(app: &TestApp) {
    use axum::{body::Body, http::Request};
    let recorder = app.admin("workspace", "acme");
    let body =
        json!({ "query": "mutation { recordAuditEvent(input: { action: \"a\", actor: { kind: USER } }) { status } }" })
            .to_string();
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("user-agent", "the backend's")
        .header("x-forwarded-for", "203.0.113.9")
        .header("authorization", format!("Bearer {}", recorder.token()));
    app.send(request.body(Body::from(body)).expect("a request")).await.data();
    let event = newest(&recorder).await;
    assert_eq!((&event["ipAddress"], &event["userAgent"]), (&Value::Null, &Value::Null));
}
