//! Bad input, and what it gets: a code, the field, the rule, and never a database error.

mod questions;

use ledgerline::clock::Clock;
use serde_json::{Value, json};

use crate::{
    harness::{Answer, TestApp, event, on_both_databases},
    odd::odd_events,
};

const RECORD: &str =
    "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status event { id metadataText } } }";
const LIST: &str = "query($filter: AuditEventFilter, $search: String, $first: Int, $last: Int, $after: String,
    $before: String, $log: AuditLogInput) {
    auditEvents(filter: $filter, search: $search, first: $first, last: $last, after: $after, before: $before,
    log: $log) { totalCount nodes { action } } }";

fn with(field: &str, value: Value) -> Value {
    let mut input = event("a.b");
    input[field] = value;
    input
}

/// Code, field and rule of the first error.
fn refusal(answer: &Answer) -> (String, String, String) {
    let rule = answer.errors()[0]["extensions"]["rule"].as_str().unwrap_or_default().to_owned();
    (answer.code(), answer.field(), rule)
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({}), |inner, _| json!({ "a": inner }))
}

on_both_databases! {
    an_unknown_action_of_a_closed_catalog_gets_the_nearest_names,
    an_action_is_recorded_at_its_own_level_alone,
    every_field_that_breaks_a_rule_is_named_with_the_limit_and_the_value,
    an_event_of_the_future_is_taken_five_minutes_ahead,
    numbers_and_keys_that_json_would_change_are_refused_where_visible,
    a_number_beyond_every_double_is_kept_as_text,
    a_key_used_for_something_else_names_the_first_event,
    a_batch_over_1000_is_refused_whole,
}

async fn an_unknown_action_of_a_closed_catalog_gets_the_nearest_names(app: &TestApp) {
    let recorder = app.admin("capydb", "acme");
    let answer = recorder.ask(RECORD, json!({ "input": event("project.delete") })).await;
    let (code, field, rule) = refusal(&answer);
    assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "input.action"));
    assert!(rule.contains("closed"), "{rule}");
    let suggestions = answer.errors()[0]["extensions"]["suggestions"].clone();
    assert!(suggestions.as_array().expect("names").contains(&json!("project.deleted")), "{suggestions}");
    // Case counts.
    for (product, action, nearest) in [
        ("cloud-sessions", "user_login", "USER_LOGIN"),
        ("scim-platform", "auth.login", "auth.logged_in"),
        ("caputchin", "session.signout", "session.sign-out"),
    ] {
        let answer = app.admin(product, "acme").ask(RECORD, json!({ "input": event(action) })).await;
        let suggestions = answer.errors()[0]["extensions"]["suggestions"].clone();
        assert!(
            suggestions.as_array().is_some_and(|names| names.contains(&json!(nearest))),
            "{action}: {suggestions} {:#}",
            answer.json()
        );
    }
    let far = recorder.ask(RECORD, json!({ "input": event("☃") })).await;
    assert_eq!(far.field(), "input.action");
    let many = recorder.record_all(vec![event("project.deleted"), event("project.delete")]).await;
    assert_eq!(many["results"][1]["error"]["field"], "events[1].action");
    assert_eq!(many["results"][1]["error"]["suggestions"][0], "project.deleted");
    assert_eq!(recorder.actions("").await, ["project.deleted"]);
}

async fn an_action_is_recorded_at_its_own_level_alone(app: &TestApp) {
    let recorder = app.admin("caputchin", "acme");
    let mut input = event("troop.delete");
    input["log"] = json!({ "level": "troop", "id": "t1" });
    let (code, field, rule) = refusal(&recorder.ask(RECORD, json!({ "input": input })).await);
    assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "input.log.level"));
    assert!(rule.contains("account") && rule.contains("troop"), "{rule}");
    input["log"] = json!({ "level": "planet", "id": "t1" });
    let (_, field, rule) = refusal(&recorder.ask(RECORD, json!({ "input": input })).await);
    assert_eq!(field, "input.log.level");
    assert!(rule.contains("account, troop, widget"), "{rule}");
    let mut deep = event("widget.note");
    deep["log"] = json!({ "level": "widget", "id": "w1" });
    assert_eq!(recorder.ask(RECORD, json!({ "input": deep })).await.field(), "input.log.parent");
    deep["log"] = json!({ "level": "widget", "id": "w1", "parent": { "level": "account", "id": "acme" } });
    assert_eq!(recorder.ask(RECORD, json!({ "input": deep })).await.field(), "input.log.parent.level");
    deep["action"] = json!("session.sign-out");
    deep["log"] = json!({ "level": "account", "id": "other" });
    assert_eq!(recorder.ask(RECORD, json!({ "input": deep })).await.field(), "input.log.id");
    assert_eq!(
        recorder.ask(RECORD, json!({ "input": with("category", json!("session")) })).await.field(),
        "input.action"
    );
    let mut wrong = event("troop.delete");
    wrong["category"] = json!("session");
    assert_eq!(recorder.ask(RECORD, json!({ "input": wrong })).await.field(), "input.category");
    // What was refused left no log behind.
    let viewer = recorder.data("{ viewer { logs { level externalId } } }", json!({})).await;
    assert!(
        viewer["viewer"]["logs"].as_array().expect("logs").iter().all(|log| log["level"] == "account"),
        "{viewer:#}"
    );
}

async fn every_field_that_breaks_a_rule_is_named_with_the_limit_and_the_value(app: &TestApp) {
    let recorder = app.admin("workspace", "acme");
    // What is not our own contract is cut and marked instead: see `outsiders`.
    let long = "x".repeat(2_049);
    for (input, field, limit, got) in [
        (with("action", json!("")), "action", "empty", ""),
        (with("action", json!("x".repeat(257))), "action", "256", "257"),
        (with("action", json!("é".repeat(257))), "action", "256", "257"),
        (with("action", json!("a\nb")), "action", "printable", "U+000A"),
        (with("action", json!("a\u{0}b")), "action", "printable", "U+0000"),
        (with("category", json!("")), "category", "empty", ""),
        (with("idempotencyKey", json!("")), "idempotencyKey", "empty", ""),
        (with("idempotencyKey", json!(long)), "idempotencyKey", "2048", "2049"),
        (with("idempotencyKey", json!("a\u{0}")), "idempotencyKey", "NUL", ""),
        (with("category", json!(long)), "category", "2048", "2049"),
        (with("log", json!({ "level": "project", "id": "" })), "log.id", "empty", ""),
        (with("log", json!({ "level": "project", "id": "a\u{0}" })), "log.id", "NUL", ""),
        (with("metadata", json!([1])), "metadata", "object", ""),
        (with("metadata", json!("x")), "metadata", "object", ""),
        (with("metadataText", json!("")), "metadata", "object", ""),
        (with("metadataText", json!("{")), "metadata", "object", ""),
        (with("metadataText", json!("{} {}")), "metadata", "object", ""),
        (with("metadataText", json!("null")), "metadata", "object", ""),
        (with("occurredAt", json!("yesterday")), "occurredAt", "RFC 3339", "yesterday"),
        (with("occurredAt", json!("2026-01-01")), "occurredAt", "RFC 3339", "2026-01-01"),
        (with("occurredAt", json!("2026-01-01T00:00:00")), "occurredAt", "offset", ""),
        (with("occurredAt", json!("2026-02-30T00:00:00Z")), "occurredAt", "RFC 3339", ""),
        (with("occurredAt", json!("2026-01-01T00:00:00.1234567890Z")), "occurredAt", "nine", ""),
        (with("occurredAt", json!("1899-12-31T23:59:59.999999999Z")), "occurredAt", "1900", "1899"),
        (with("occurredAt", json!("2262-12-31T00:00:00Z")), "occurredAt", "2261", ""),
    ] {
        let answer = recorder.ask(RECORD, json!({ "input": input })).await;
        let (code, named, rule) = refusal(&answer);
        assert_eq!(
            (code.as_str(), named.as_str()),
            ("BAD_USER_INPUT", format!("input.{field}").as_str()),
            "{:#}",
            answer.json()
        );
        assert!(rule.contains(limit) && rule.contains(got), "{field}: {rule:?} lacks {limit} or {got}");
    }
    let both = json!({ "action": "a.b", "actor": { "kind": "USER" }, "metadata": {}, "metadataText": "{}" });
    assert_eq!(recorder.ask(RECORD, json!({ "input": both })).await.field(), "input.metadataText");
    assert_eq!(recorder.actions("").await, Vec::<String>::new());
    // What is just within the limits is taken.
    let most = json!({
        "action": "é".repeat(256), "actor": { "kind": "USER", "id": "x".repeat(2_048) },
        "resources": vec![json!({ "id": "r" }); 50], "metadata": nested(16), "idempotencyKey": "k".repeat(2_048)
    });
    assert_eq!(recorder.record(most).await["status"], "RECORDED");
    assert_eq!(recorder.record(with("metadata", json!({ "a": "x".repeat(64_000) }))).await["status"], "RECORDED");
    assert_eq!(recorder.record(with("occurredAt", json!("1900-01-01T00:00:00Z"))).await["status"], "RECORDED");
}

async fn an_event_of_the_future_is_taken_five_minutes_ahead(app: &TestApp) {
    let recorder = app.admin("workspace", "acme");
    let ahead = |seconds: i64| {
        with(
            "occurredAt",
            json!(ledgerline::event::Timestamp(Clock::system().now().0 + seconds * 1_000_000_000).to_string()),
        )
    };
    let (code, field, rule) = refusal(&recorder.ask(RECORD, json!({ "input": ahead(330) })).await);
    assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "input.occurredAt"));
    assert!(rule.contains("5 minutes"), "{rule}");
    assert_eq!(recorder.record(ahead(270)).await["status"], "RECORDED");
}

async fn numbers_and_keys_that_json_would_change_are_refused_where_visible(app: &TestApp) {
    let recorder = app.admin("workspace", "acme");
    let token = recorder.token();
    let query = serde_json::to_string(RECORD).expect("text");
    for (metadata, field) in [
        ("{\"n\": 12345678901234567890123}", "input.metadata.n"),
        ("{\"n\": 0.1000000000000000055}", "input.metadata.n"),
        ("{\"n\": 1e999}", "input.metadata.n"),
        ("{\"deep\": [1, {\"n\": 9007199254740993.0}]}", "input.metadata.deep[1].n"),
        ("{\"n\": 18446744073709551616}", "input.metadata.n"),
        ("{\"a\": 1, \"a\": 2}", "input.metadata.a"),
        ("{\"x\": {\"a\": 1, \"\\u0061\": 1}}", "input.metadata.x.a"),
    ] {
        let body = format!(
            "{{\"query\": {query}, \"variables\": {{\"input\": {{\"action\": \"a.b\", \"actor\": {{\"kind\": \
             \"USER\"}}, \"metadata\": {metadata}}}}}}}"
        );
        let answer = app.graphql_text(Some(&token), body).await;
        assert_eq!(
            (answer.code().as_str(), answer.field().as_str()),
            ("BAD_USER_INPUT", field),
            "{metadata}: {:#}",
            answer.json()
        );
        assert_eq!(answer.status, 200, "the fault is the event's, not the request's");
    }
    for (literal, needle) in [
        ("{n: 12345678901234567890123}", "metadataText"),
        ("{n: 0.1000000000000000055}", "metadataText"),
        ("{n: 1e999}", "metadataText"),
        ("{x: [{n: 18446744073709551616}]}", "metadataText"),
        ("{a: 1, a: 2}", "once"),
        ("{x: {a: 1, b: 2, a: 1}}", "once"),
    ] {
        let query = format!(
            "mutation {{ recordAuditEvent(input: {{action: \"a.b\", actor: {{kind: USER}}, metadata: {literal}}}) {{ \
             status }} }}"
        );
        let answer = recorder.ask(&query, json!({})).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{literal}");
        assert!(
            answer.errors()[0]["message"].as_str().expect("a text").contains(needle),
            "{literal}: {:#}",
            answer.json()
        );
    }
    let twice = recorder.ask(RECORD, json!({ "input": with("metadataText", json!("{\"a\": 1, \"a\": 2}")) })).await;
    assert_eq!(twice.field(), "input.metadata.a");
    assert_eq!(recorder.actions("").await, Vec::<String>::new());
    // As text, every number is kept as it is spelled.
    let text = "{\"n\": 12345678901234567890123, \"m\": 1.50, \"e\": 1E100}";
    let kept = recorder.data(RECORD, json!({ "input": with("metadataText", json!(text)) })).await;
    assert_eq!(kept["recordAuditEvent"]["event"]["metadataText"], text);
    for kept in ["{\"n\": 18446744073709551615}", "{\"n\": -9223372036854775808, \"m\": 1.50, \"e\": 1e2}"] {
        let body = format!(
            "{{\"query\": {query}, \"variables\": {{\"input\": {{\"action\": \"a.b\", \"actor\": {{\"kind\": \
             \"USER\"}}, \"metadata\": {kept}}}}}}}"
        );
        app.graphql_text(Some(&token), body).await.data();
    }
}

async fn a_number_beyond_every_double_is_kept_as_text(app: &TestApp) {
    // The refusal of such a number in `metadata` points to `metadataText`, so it has to be taken there.
    let recorder = app.admin("workspace", "acme");
    let text = "{\"huge\": 1E400, \"word\": \"findable\"}";
    let kept = recorder.data(RECORD, json!({ "input": with("metadataText", json!(text)) })).await;
    assert_eq!(kept["recordAuditEvent"]["event"]["metadataText"], text);
    let read =
        recorder.data("{ auditEvents(search: \"findable\") { nodes { metadata metadataText } } }", json!({})).await;
    assert_eq!(read["auditEvents"]["nodes"][0]["metadataText"], text);
    assert_eq!(read["auditEvents"]["nodes"][0]["metadata"]["word"], "findable");
}

async fn a_key_used_for_something_else_names_the_first_event(app: &TestApp) {
    let recorder = app.admin("workspace", "acme");
    let first = recorder.record(with("idempotencyKey", json!("k"))).await;
    let mut other = with("idempotencyKey", json!("k"));
    other["action"] = json!("c.d");
    let answer = recorder.ask(RECORD, json!({ "input": other })).await;
    assert_eq!(answer.code(), "CONFLICT");
    assert_eq!(answer.errors()[0]["extensions"]["existing"], first["event"]["id"]);
    let many = recorder.record_all(vec![other]).await;
    assert_eq!(many["results"][0]["error"]["code"], "CONFLICT");
    assert_eq!(
        (&many["results"][0]["error"]["existing"], &many["results"][0]["error"]["field"]),
        (&first["event"]["id"], &json!("idempotencyKey"))
    );
}

async fn a_batch_over_1000_is_refused_whole(app: &TestApp) {
    let recorder = app.admin("workspace", "acme");
    let ask = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded } }";
    let answer = recorder.ask(ask, json!({ "input": { "events": vec![event("a.b"); 1_001] } })).await;
    let (code, field, rule) = refusal(&answer);
    assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "input.events"));
    assert!(rule.contains("1000") && rule.contains("1001"), "{rule}");
    let largest = json!({ "input": { "events": vec![event("a.b"); 1_000] } });
    assert_eq!(recorder.data(ask, largest).await["recordAuditEvents"]["recorded"], 1_000);
    assert_eq!(recorder.data(ask, json!({ "input": { "events": [] } })).await["recordAuditEvents"]["recorded"], 0);
}

#[test]
fn odd_events_and_those_that_fill_a_limit_are_within_it() {
    for event in odd_events() {
        event.check(Clock::system().now()).unwrap_or_else(|error| panic!("{error} in {:?}", event.idempotency_key));
    }
}
