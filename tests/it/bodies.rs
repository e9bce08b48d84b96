//! Bodies are bounded before they are trusted: in bytes, in values, in what they take together, and in events.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{Request, StatusCode, header},
};
use futures_util::{StreamExt, stream};
use ledgerline::graphql::execute::{Executor, Parameters};
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, TestApp, event, eventually, on_both_databases};

on_both_databases! {
    a_large_body_is_read_of_whoever_may_record_alone,
    a_body_of_very_many_values_is_refused_before_they_are_made,
    bodies_in_flight_have_a_budget_for_each_organization,
    a_thousand_events_a_request_are_a_thousand_over_all_fields,
    an_organization_records_no_more_than_its_rate_and_costs_its_neighbours_nothing,
    a_mutation_begins_no_field_after_its_time_and_keeps_what_it_did,
}

const MANY: &str = "mutation($a: RecordAuditEventsInput!, $b: RecordAuditEventsInput!) {
    a: recordAuditEvents(input: $a) { recorded refused } b: recordAuditEvents(input: $b) { recorded refused } }";

async fn total(caller: &Caller<'_>) -> Value {
    caller.data("{ auditEvents { totalCount } }", json!({})).await["auditEvents"]["totalCount"].clone()
}

fn padded(query: &str, bytes: usize) -> String {
    json!({ "query": query, "extensions": { "pad": "x".repeat(bytes) } }).to_string()
}

/// Sends a body to an address with a token.
async fn send(app: &TestApp, path: &str, token: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    app.send(request.body(body.into()).unwrap()).await
}

async fn a_large_body_is_read_of_whoever_may_record_alone(app: &TestApp) {
    let record = "mutation { recordAuditEvent(input: { action: \"a.b\", actor: { kind: USER } }) { status } }";
    let admin = || app.admin("workspace", "acme");
    let recorder = admin().scopes("audit:record").token();
    let reader = admin().scopes("audit:read audit:manage").token();
    for (token, bytes, status) in [
        (Some(&recorder), 200_000, 200),
        (Some(&recorder), 10_000_000, 200),
        (Some(&recorder), 10_500_000, 413),
        (Some(&reader), 200_000, 403),
        (Some(&reader), 300_000, 413),
        (Some(&reader), 10_000_000, 413),
        (None, 300_000, 413),
    ] {
        let answer = app.graphql_text(token.map(String::as_str), padded(record, bytes)).await;
        // A refused field is an answer of status 200.
        let code = if status == 403 { 200 } else { status };
        assert_eq!(answer.status.as_u16(), code, "{bytes} bytes");
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN", status == 403);
    }
    // A large question is no recording, whoever asks it.
    let both = admin().token();
    assert_eq!(app.graphql_text(Some(&both), padded("{ viewer { subject } }", 300_000)).await.status, 413);
    // By REST the same, and a length that is told is refused before anything is read.
    let spaces = |bytes: usize| vec![b' '; bytes];
    assert_eq!(send(app, "/v1/audit-events", &reader, spaces(300_000)).await.status, 413);
    assert_eq!(send(app, "/v1/audit-events", &recorder, spaces(300_000)).await.status, 400);
    let unread = Body::from_stream(stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
        panic!("it was read")
    }));
    let told = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {reader}"))
        .header(header::CONTENT_LENGTH, "300000");
    assert_eq!(app.send(told.body(unread).unwrap()).await.status, 413);
}

async fn a_body_of_very_many_values_is_refused_before_they_are_made(app: &TestApp) {
    let token = app.admin("workspace", "acme").token();
    let ones = |count: usize| format!("[1{}]", ",1".repeat(count - 1));
    for body in [
        ones(4_900_000),
        format!("{{\"query\":\"{{__typename}}\",\"variables\":{{\"v\":{}}}}}", ones(600_000)),
        format!("{{\"events\":{}}}", "[{}".repeat(300_000)),
        "[".repeat(9_000_000),
        format!("{{{}\"z\":1}}", (0..510_000).map(|n| format!("\"{n}\":1,")).collect::<String>()),
    ] {
        for path in ["/graphql", "/v1/audit-events"] {
            let answer = send(app, path, &token, body.clone()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", &body[..40]);
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(said.contains("at most 500000 values") && said.contains("BAD_USER_INPUT"), "{said}");
        }
    }
    // Commas and brackets in texts are no values.
    let text = json!({ "query": "{ viewer { subject } }", "variables": { "v": ",[{".repeat(60_000) } }).to_string();
    assert_eq!(send(app, "/graphql", &token, text).await.data()["viewer"]["subject"], "admin");
}

/// A body of so many bytes that does not end before it is dropped, and says when all of them were read.
fn unfinished(bytes: usize, read: &Arc<std::sync::atomic::AtomicUsize>) -> Body {
    let read = read.clone();
    let pieces = stream::iter(std::iter::repeat_n(Bytes::from(vec![b' '; 1 << 20]), bytes >> 20)).map(move |piece| {
        read.fetch_add(piece.len(), std::sync::atomic::Ordering::SeqCst);
        Ok::<_, std::io::Error>(piece)
    });
    Body::from_stream(pieces.chain(stream::pending()))
}

async fn bodies_in_flight_have_a_budget_for_each_organization(app: &TestApp) {
    let recorder = |organization: &str| app.admin("workspace", organization).scopes("audit:record").token();
    let read = Arc::default();
    let router = app.app.router.clone();
    let mut held = tokio::task::JoinSet::new();
    // Sixteen bodies of 8 MiB are all that one organization may have in flight.
    for _ in 0..16 {
        let request = Request::post("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", recorder("acme")))
            .body(unfinished(8 << 20, &read))
            .unwrap();
        let router = router.clone();
        held.spawn(async move { drop(tower::ServiceExt::oneshot(router, request).await) });
    }
    eventually(async || read.load(std::sync::atomic::Ordering::SeqCst) == 128 << 20).await;
    let body = json!({ "query": "{ __typename }" }).to_string();
    for path in ["/graphql", "/v1/audit-events"] {
        let answer = send(app, path, &recorder("acme"), body.clone()).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert_eq!(answer.headers[header::RETRY_AFTER], "1");
        let told = answer.json();
        let (code, wait) = match told.get("errors") {
            Some(errors) => (&errors[0]["extensions"]["code"], &errors[0]["extensions"]["retryAfterMs"]),
            None => (&told["code"], &told["retry_after_ms"]),
        };
        assert_eq!((code, wait), (&json!("OVERLOADED"), &json!(250)));
    }
    // Another organization, and nobody known, have room.
    assert_eq!(send(app, "/graphql", &recorder("globex"), body.clone()).await.status, 200);
    assert_eq!(app.graphql_text(None, body.clone()).await.status, 200);
    // Whoever goes away leaves room behind.
    held.shutdown().await;
    assert_eq!(send(app, "/graphql", &recorder("acme"), body).await.status, 200);
}

async fn a_thousand_events_a_request_are_a_thousand_over_all_fields(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let input = |count: usize| json!({ "events": vec![event("user.login"); count] });
    let told = admin.ask(MANY, json!({ "a": input(600), "b": input(401) })).await.json();
    assert_eq!(told["data"], json!({ "a": { "recorded": 600, "refused": 0 }, "b": null }));
    let error = &told["errors"][0];
    assert_eq!((&error["path"], &error["extensions"]["field"]), (&json!(["b"]), &json!("input.events")));
    assert!(error["message"].as_str().unwrap().contains("1000 events"), "{error}");
    assert_eq!(total(&admin).await, 600);
    admin.data(MANY, json!({ "a": input(600), "b": input(400) })).await;
    assert_eq!(total(&admin).await, 1_600);
    // Single events count as the others do; each request begins anew.
    let single = "mutation($a: RecordAuditEventsInput!, $b: RecordAuditEventInput!) {
        a: recordAuditEvents(input: $a) { recorded } b: recordAuditEvent(input: $b) { sequence } }";
    let told = admin.ask(single, json!({ "a": input(1_000), "b": event("user.login") })).await.json();
    assert_eq!((&told["data"]["a"]["recorded"], &told["data"]["b"]), (&json!(1_000), &Value::Null));
    assert_eq!(total(&admin).await, 2_600);
}

async fn an_organization_records_no_more_than_its_rate_and_costs_its_neighbours_nothing(app: &TestApp) {
    let limited = app.beside_with(|settings| settings.record_rate = 1).await;
    let (acme, globex) = (limited.admin("workspace", "acme"), limited.admin("workspace", "globex"));
    let events = |count: usize| vec![event("user.login"); count];
    // A burst is one full request.
    assert_eq!(acme.record_all(events(999)).await["recorded"], 999);
    let many = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded refused
        results { organization error { code } } } }";
    let refused = acme.ask(many, json!({ "input": { "events": events(10) } })).await;
    assert_eq!(refused.code(), "RATE_LIMITED");
    let wait = refused.errors()[0]["extensions"]["retryAfterMs"].as_u64().unwrap();
    assert!((1..=10_000).contains(&wait), "{wait}");
    // By REST, with a subject of its own, it is the same organization.
    let other = acme.claims.clone();
    let token = limited.admin("workspace", "acme").subject("another").token();
    let rest = send(&limited, "/v1/audit-events", &token, json!({ "events": events(10) }).to_string()).await;
    assert_eq!((rest.status.as_u16(), &rest.json()["code"]), (429, &json!("RATE_LIMITED")), "{other:?}");
    assert!(rest.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(globex.record_all(events(10)).await["recorded"], 10);
    // Of several organizations in one request, those that may go on do; all or none is none.
    let backend = limited.caller("workspace").scopes("audit:record");
    let of = |organization: &str| {
        let mut one = event("user.login");
        one["organization"] = json!(organization);
        one
    };
    let mixed = json!({ "events": [of("acme"), of("acme"), of("globex")] });
    let told = backend.data(many, json!({ "input": mixed })).await["recordAuditEvents"].clone();
    assert_eq!((&told["recorded"], &told["refused"]), (&json!(1), &json!(2)), "{told}");
    assert_eq!(told["results"][0], json!({ "organization": "acme", "error": { "code": "RATE_LIMITED" } }));
    let mut all = mixed;
    all["atomic"] = json!(true);
    assert_eq!(backend.ask(many, json!({ "input": all })).await.code(), "RATE_LIMITED");
    assert_eq!((total(&acme).await, total(&globex).await), (json!(999), json!(11)));
    limited.finish().await;
}

async fn a_mutation_begins_no_field_after_its_time_and_keeps_what_it_did(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let principal = Arc::new(
        app.app.keys.verify(&admin.token(), ledgerline::clock::Clock::system().now()).await.expect("an administrator"),
    );
    let ask = async |longest: Duration| {
        let executor = Executor::new(app.app.schema.clone(), true).within(longest);
        let one = "recordAuditEvent(input: { action: \"user.login\", actor: { kind: USER } }) { sequence }";
        let query = format!("mutation {{ {} }}", (0..50).map(|n| format!("a{n}: {one} ")).collect::<String>());
        let asked = executor.read(Parameters { query, operation_name: None, variables: None }).expect("a request");
        let answer = executor.execute(asked, Some(principal.clone()), "r-1").await.expect("an answer");
        serde_json::to_value(answer).unwrap()
    };
    let none = ask(Duration::ZERO).await;
    assert_eq!(none["errors"].as_array().unwrap().len(), 50);
    assert_eq!(none["errors"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX");
    assert_eq!(total(&admin).await, 0);
    // However far it came, what was answered is there, and what was refused is not.
    let mut recorded = 0;
    for longest in [1, 5, 20, 80].map(Duration::from_millis) {
        let told = ask(longest).await;
        let done = told["data"].as_object().unwrap().values().filter(|field| !field.is_null()).count();
        assert_eq!(done + told["errors"].as_array().map_or(0, Vec::len), 50);
        recorded += done;
        assert_eq!(total(&admin).await, recorded);
    }
    assert!(ask(Duration::from_secs(30)).await.get("errors").is_none_or(Value::is_null));
}
