//! One event never refuses its neighbours: whatever is wrong inside one event of a request is that event's result.

use serde_json::{Value, json};

use crate::harness::{Answer, Caller, TestApp, event, on_both_databases};

const MANY: &str = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) {
    recorded refused results { index status truncated error { code message field rule suggestions } } } }";

/// An event of a request, as text: no library would write some of them.
fn with(field: &str) -> String {
    format!(r#"{{"action": "a.b", "actor": {{"kind": "USER", "id": "u"}}, {field}}}"#)
}

async fn ask(app: &TestApp, caller: &Caller<'_>, query: &str, variables: &str) -> Answer {
    let query = serde_json::to_string(query).expect("text");
    app.graphql_text(Some(&caller.token()), format!("{{\"query\": {query}, \"variables\": {variables}}}")).await
}

/// Nine good events and a tenth.
fn ten(tenth: &str, more: &str) -> String {
    let mut events = vec![event("a.b").to_string(); 9];
    events.push(tenth.to_owned());
    format!("{{\"input\": {{\"events\": [{}]{more}}}}}", events.join(", "))
}

/// Faulty events, and the field and a part of the rule that each breaks.
fn faults() -> Vec<(String, &'static str, &'static str)> {
    vec![
        (with(r#""metadata": {"a": 1, "a": 2}"#), "metadata.a", "once"),
        (with(r#""metadata": {"x": [{"a": 1, "\u0061": 2}]}"#), "metadata.x[0].a", "once"),
        (with(r#""metadata": {"\ud83d": 1, "\uD83D": 2}"#), "metadata.\u{fffd}", "once"),
        (with(r#""metadata": {"wei": 123456789012345678901234}"#), "metadata.wei", "metadataText"),
        (with(r#""metadata": {"price": 0.12345678901234567890}"#), "metadata.price", "metadataText"),
        (with(r#""metadata": {"deep": [1, {"n": 1e400}]}"#), "metadata.deep[1].n", "metadataText"),
        (with(r#""metadata": 1e400"#), "metadata", "metadataText"),
        (with(r#""metadata": [1]"#), "metadata", "object"),
        (with(r#""metadataText": "{""#), "metadata", "object"),
        (with(r#""metadataText": {}"#), "metadataText", "text"),
        (with(r#""metadata": {}, "metadataText": "{}""#), "metadataText", "together"),
        (with(r#""userAgent": "one", "userAgent": "two""#), "userAgent", "once"),
        (with(r#""userAgent": 1e400"#), "userAgent", "text"),
        (with(r#""userAgent": 7"#), "userAgent", "text"),
        (with(r#""useragent": "x""#), "useragent", "no field"),
        (with(r#""x\ud83d": "x""#), "x\u{fffd}", "no field"),
        (with(r#""actor": {"kind": "USER"}"#), "actor", "once"),
        (with(r#""resources": [{"id": "r"}, {"id": 5}]"#), "resources[1].id", "text"),
        (with(r#""resources": [null]"#), "resources[0]", "null"),
        (with(r#""onBehalfOf": {"kind": "HUMAN"}"#), "onBehalfOf.kind", "USER, API_KEY"),
        (with(r#""onBehalfOf": {"id": "x"}"#), "onBehalfOf.kind", "given"),
        (with(r#""onBehalfOf": "ada""#), "onBehalfOf", "object"),
        (with(r#""outcome": "success""#), "outcome", "SUCCESS"),
        (with(r#""occurredAt": 1700000000"#), "occurredAt", "text"),
        (with(r#""occurredAt": "yesterday""#), "occurredAt", "RFC 3339"),
        (with(r#""occurredAt": "1899-01-01T00:00:00Z""#), "occurredAt", "1900"),
        (with(r#""log": {"level": "project"}"#), "log.id", "given"),
        (
            with(r#""log": {"level": "project", "id": "p", "parent": {"level": "organisation", "id": null}}"#),
            "log.parent.id",
            "null",
        ),
        (with(r#""idempotencyKey": "k\ud83d""#), "idempotencyKey", "surrogate"),
        (with(r#""strict": "yes""#), "strict", "true or false"),
        (r#"{"actor": {"kind": "USER"}}"#.to_owned(), "action", "given"),
        (r#"{"action": "a.b"}"#.to_owned(), "actor", "given"),
        (r#"{"action": null, "actor": {"kind": "USER"}}"#.to_owned(), "action", "null"),
        (r#"{"action": "a\ud83d", "actor": {"kind": "USER"}}"#.to_owned(), "action", "printable"),
        (r#"{"action": "a.b", "actor": null}"#.to_owned(), "actor", "null"),
        (r#"{"action": "a.b", "actor": [{"kind": "USER"}]}"#.to_owned(), "actor", "object"),
        ("null".to_owned(), "", "null"),
        ("\"a.b\"".to_owned(), "", "object"),
        ("[]".to_owned(), "", "object"),
        ("1e400".to_owned(), "", "object"),
    ]
}

on_both_databases! {
    every_fault_inside_one_event_is_its_own_result,
    a_half_emoji_or_a_deep_value_refuses_neither_the_event_nor_its_neighbours,
    variables_of_any_shape_carry_events,
    faults_outside_of_events_refuse_the_request,
}

async fn every_fault_inside_one_event_is_its_own_result(app: &TestApp) {
    let caller = app.admin("workspace", "acme");
    for (n, (tenth, field, rule)) in faults().into_iter().enumerate() {
        let answer = ask(app, &caller, MANY, &ten(&tenth, "")).await;
        assert_eq!(answer.status, 200, "{tenth}: {:#}", answer.json());
        let many = answer.data()["recordAuditEvents"].clone();
        assert_eq!((&many["recorded"], &many["refused"]), (&json!(9), &json!(1)), "{tenth}: {many:#}");
        let error = &many["results"][9]["error"];
        let named = if field.is_empty() { "events[9]".to_owned() } else { format!("events[9].{field}") };
        assert_eq!((&error["code"], &error["field"]), (&json!("BAD_USER_INPUT"), &json!(named)), "{tenth}: {many:#}");
        assert!(error["rule"].as_str().is_some_and(|text| text.contains(rule)), "{tenth}: {error}");
        assert!(error["message"].as_str().is_some_and(|text| text.starts_with(&named)), "{tenth}: {error}");
        // All or none: the faulty one is named.
        let many =
            ask(app, &caller, MANY, &ten(&tenth, r#", "atomic": true"#)).await.data()["recordAuditEvents"].clone();
        assert_eq!((&many["recorded"], &many["refused"]), (&json!(0), &json!(10)), "{tenth}: {many:#}");
        assert_eq!(
            (&many["results"][9]["error"]["field"], &many["results"][0]["error"]["field"]),
            (&json!(named), &json!("events[0].atomic"))
        );
        // The same event alone.
        let one = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";
        if tenth != "null" {
            let answer = ask(app, &caller, one, &format!("{{\"input\": {tenth}}}")).await;
            let named = if field.is_empty() { "input".to_owned() } else { format!("input.{field}") };
            assert_eq!((answer.code().as_str(), answer.field()), ("BAD_USER_INPUT", named), "{tenth}");
        }
        let total = caller.data("{ auditEvents(first: 0) { totalCount } }", json!({})).await;
        assert_eq!(total["auditEvents"]["totalCount"], (n + 1) * 9);
    }
    // A name that is nearly right.
    let many =
        ask(app, &caller, MANY, &ten(&with(r#""ipAdress": "::1""#), "")).await.data()["recordAuditEvents"].clone();
    assert_eq!(many["results"][9]["error"]["suggestions"][0], "ipAddress");
}

async fn a_half_emoji_or_a_deep_value_refuses_neither_the_event_nor_its_neighbours(app: &TestApp) {
    let caller = app.admin("workspace", "acme");
    let deep = format!(r#""metadata": {{"a": {}1{}}}"#, "[".repeat(3_000), "]".repeat(3_000));
    for (tenth, path) in [
        (with(r#""metadata": {"ua": "cut \ud83d"}"#), "metadata.ua".to_owned()),
        (with(r#""userAgent": "cut \ud83d""#), "userAgent".to_owned()),
        (with(&deep), format!("metadata.a{}", "[0]".repeat(15))),
    ] {
        let many = ask(app, &caller, MANY, &ten(&tenth, "")).await.data()["recordAuditEvents"].clone();
        assert_eq!((&many["recorded"], &many["results"][9]["truncated"]), (&json!(10), &json!([path])));
        let strict =
            ask(app, &caller, MANY, &ten(&tenth, r#", "strict": true"#)).await.data()["recordAuditEvents"].clone();
        assert_eq!((&strict["recorded"], &strict["refused"]), (&json!(9), &json!(1)));
    }
}

async fn variables_of_any_shape_carry_events(app: &TestApp) {
    let caller = app.admin("workspace", "acme");
    let (good, bad) = (event("a.b").to_string(), with(r#""metadata": {"n": 1e400}"#));
    let fields = "recorded refused results { error { field } }";
    for (query, variables) in [
        (
            format!(
                "mutation($e: [RecordAuditEventInput!]!) {{ recordAuditEvents(input: {{ \
                 events: $e }}) {{ {fields} }} }}"
            ),
            format!(r#"{{"e": [{good}, {bad}]}}"#),
        ),
        (
            format!(
                "mutation($a: RecordAuditEventInput!, $b: RecordAuditEventInput!) {{ \
                 recordAuditEvents(input: {{ events: [$a, $b] }}) {{ {fields} }} }}"
            ),
            format!(r#"{{"a": {good}, "b": {bad}}}"#),
        ),
        (
            format!(
                "mutation($b: RecordAuditEventInput!) {{ recordAuditEvents(input: {{ \
                 events: [{{ action: \"a.b\", actor: {{ kind: USER }} }}, $b] }}) {{ {fields} }} }}"
            ),
            format!(r#"{{"b": {bad}}}"#),
        ),
        (
            format!(
                "mutation($m: JSON) {{ recordAuditEvents(input: {{ events: [{{ action: \"a.b\", \
                 actor: {{ kind: USER }} }}, {{ action: \"a.b\", actor: {{ kind: USER }}, \
                 metadata: $m }}] }}) {{ {fields} }} }}"
            ),
            r#"{"m": {"n": 1e400}}"#.to_owned(),
        ),
    ] {
        let many = ask(app, &caller, &query, &variables).await.data()["recordAuditEvents"].clone();
        assert_eq!((&many["recorded"], &many["refused"]), (&json!(1), &json!(1)), "{query}");
        assert_eq!(many["results"][1]["error"]["field"], "events[1].metadata.n", "{query}");
    }
    // Two mutations of one document.
    let query = "mutation($a: RecordAuditEventInput!, $b: RecordAuditEventInput!) { \
                 a: recordAuditEvent(input: $a) { status } b: recordAuditEvent(input: $b) { status } }";
    let answer = ask(app, &caller, query, &format!(r#"{{"a": {bad}, "b": {good}}}"#)).await.json();
    assert_eq!(answer["data"], json!({ "a": null, "b": { "status": "RECORDED" } }));
    assert_eq!(answer["errors"][0]["extensions"]["field"], "input.metadata.n");
    // An event that tells of a deletion.
    caller.record(serde_json::from_str(&with(r#""log": {"level": "project", "id": "p"}"#)).expect("an event")).await;
    let query = "mutation($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) { log { externalId } } }";
    let answer = ask(
        app,
        &caller,
        query,
        &format!(r#"{{"input": {{"log": {{"level": "project", "id": "p"}}, "event": {bad}}}}}"#),
    )
    .await;
    assert_eq!(answer.field(), "input.event.metadata.n");
    assert_eq!(
        ask(
            app,
            &caller,
            query,
            &format!(r#"{{"input": {{"log": {{"level": "project", "id": "p"}}, "event": {good}}}}}"#)
        )
        .await
        .data()["deleteAuditLog"]["log"]["externalId"],
        "p"
    );
    // Whoever may not record learns nothing of the faults of his events.
    let nobody = app.admin("workspace", "acme").scopes("audit:read");
    let many = "mutation($e: [RecordAuditEventInput!]!) { recordAuditEvents(input: { events: $e }) { recorded } }";
    assert_eq!(ask(app, &nobody, many, &format!(r#"{{"e": [{bad}]}}"#)).await.code(), "FORBIDDEN");
}

async fn faults_outside_of_events_refuse_the_request(app: &TestApp) {
    let caller = app.admin("workspace", "acme");
    let good = event("a.b");
    for variables in [
        format!(r#"{{"input": {{"events": [{good}], "atomic": 1e400}}}}"#),
        format!(r#"{{"input": {{"events": [{good}], "events": [{good}]}}}}"#),
        format!(r#"{{"input": {{"events": [{good}], "other": 1}}}}"#),
        format!(r#"{{"input": {{"events": [{good}]}}, "other": 1e400}}"#),
        r#"{"input": {"events": null}}"#.to_owned(),
        r#"{"input": {}}"#.to_owned(),
        r#"{"input": null}"#.to_owned(),
        format!(r#"{{"input": {{"events": [{good}], "atomic": {}1{}}}}}"#, "[".repeat(300), "]".repeat(300)),
        "{".to_owned(),
    ] {
        let answer = ask(app, &caller, MANY, &variables).await;
        assert_eq!(answer.status, 400, "{variables}: {:#}", answer.json());
    }
    assert_eq!(caller.actions("").await, Vec::<String>::new());
}

/// Nothing that a request can carry is taken for the mark of a fault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_cannot_be_forged() {
    let app = TestApp::start(crate::harness::Database::Sqlite).await;
    let caller = app.admin("workspace", "acme");
    let forged = json!({ "Event": { "field": "x", "rule": "y", "suggestions": [] } });
    for metadata in [forged.clone(), json!({ "a": forged, "b": "Twice", "c": [84, 119] })] {
        let mut input = event("a.b");
        input["metadata"] = metadata.clone();
        let query =
            "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { event { metadata } } }";
        let kept: Value =
            caller.data(query, json!({ "input": input })).await["recordAuditEvent"]["event"]["metadata"].clone();
        assert_eq!(kept, metadata);
    }
    app.finish().await;
}
