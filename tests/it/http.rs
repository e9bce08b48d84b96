//! GraphQL over HTTP as clients meet it: methods, media types, statuses, limits of bodies, CORS, health.

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::json;

use crate::harness::{Answer, Database, TestApp, catalogs, on_both_databases};

const VIEWER: &str = "{ viewer { subject } }";

fn request(method: Method, uri: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).expect("a request")
}

/// A POST to `/graphql` with a token, a content type and what the client accepts.
async fn post(app: &TestApp, content_type: Option<&str>, accept: Option<&str>, body: impl Into<Body>) -> Answer {
    let bearer = format!("Bearer {}", app.admin("workspace", "acme").token());
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(content_type.map(|value| ("content-type", value)));
    headers.extend(accept.map(|value| ("accept", value)));
    app.send(request(Method::POST, "/graphql", &headers, body)).await
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

async fn sqlite() -> TestApp {
    TestApp::start(Database::Sqlite).await
}

on_both_databases! {
    a_failed_root_field_is_null_beside_its_error,
    health_is_told_to_whoever_asks,
    a_page_of_100_with_every_field_passes_the_limits,
}

async fn a_failed_root_field_is_null_beside_its_error(app: &TestApp) {
    let reader = app.admin("workspace", "acme");
    let mut wrong = Vec::new();
    for (query, expected) in [
        ("{ auditEvent(id: \"x\") { id } }", json!({ "auditEvent": null })),
        ("{ a: auditEvent(id: \"x\") { id } b: node(id: \"y\") { id } }", json!({ "a": null, "b": null })),
        (
            "{ viewer { subject } auditEvent(id: \"x\") { id } }",
            json!({ "viewer": { "subject": "admin" }, "auditEvent": null }),
        ),
        (
            "{ ...F } fragment F on Query { a: auditEvent(id: \"x\") { id } viewer { subject } }",
            json!({ "a": null, "viewer": { "subject": "admin" } }),
        ),
        (
            "mutation { recordAuditEvent(input: { action: \"\", actor: { kind: USER } }) { status } }",
            json!({ "recordAuditEvent": null }),
        ),
    ] {
        let answer = reader.ask(query, json!({})).await;
        if answer.json()["data"] != expected {
            wrong.push(format!("{query}: {} and not {expected}", answer.json()["data"]));
        }
        assert!(
            answer.errors().iter().all(|error| error["path"].is_array() && error["extensions"]["code"].is_string())
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_query_may_come_by_get_and_a_mutation_may_not() {
    let app = sqlite().await;
    let bearer = format!("Bearer {}", app.admin("workspace", "acme").token());
    let get = async |query: String| {
        app.send(request(Method::GET, &format!("/graphql?{query}"), &[("authorization", &bearer)], Body::empty())).await
    };
    assert_eq!(get(format!("query={}", percent(VIEWER))).await.data()["viewer"]["subject"], "admin");
    let with = format!(
        "query={}&operationName=B&variables={}",
        percent("query A { viewer { name } } query B($x: Boolean!) { viewer { subject name @include(if: $x) } }"),
        percent("{\"x\": false}")
    );
    assert_eq!(get(with).await.data()["viewer"], json!({ "subject": "admin" }));
    let mutation = "mutation { recordAuditEvent(input: { action: \"a.b\", actor: { kind: USER } }) { status } }";
    let refused = get(format!("query={}", percent(mutation))).await;
    assert_eq!(refused.status, 405);
    assert_eq!(refused.headers["allow"], "POST");
    let hidden = get(format!(
        "query={}&operationName=M",
        percent(&format!("query Q {VIEWER} {}", mutation.replace("mutation", "mutation M")))
    ))
    .await;
    assert_eq!(hidden.status, 405);
    for bad in [
        "",
        "query=",
        "query=%7B",
        "variables=%7B%7D",
        "query=%7Bviewer%7Bsubject%7D%7D&variables=x",
        "query=%7Bviewer%7Bsubject%7D%7D&variables=%5B%5D",
        "query=%FF",
    ] {
        assert!(!get(bad.to_owned()).await.errors().is_empty(), "{bad}");
    }
    assert_eq!(app.admin("workspace", "acme").actions("").await, Vec::<String>::new());
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = app.send(request(method.clone(), "/graphql", &[("authorization", &bearer)], Body::empty())).await;
        assert_eq!(answer.status, 405, "{method}");
    }
    app.finish().await;
}

#[tokio::test]
async fn only_json_in_utf_8_is_taken() {
    let app = sqlite().await;
    let body = || json!({ "query": VIEWER }).to_string();
    for good in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON;charset=UTF-8"] {
        assert_eq!(post(&app, Some(good), None, body()).await.status, 200, "{good}");
    }
    for bad in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/graphql",
        "text/json",
        "",
    ] {
        let answer = post(&app, Some(bad), None, body()).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (415, "BAD_USER_INPUT"), "{bad}");
    }
    assert_eq!(post(&app, None, None, body()).await.status, 415);
    app.finish().await;
}

#[tokio::test]
async fn the_answer_comes_in_the_media_type_that_was_asked_for() {
    let app = sqlite().await;
    let good = || json!({ "query": VIEWER }).to_string();
    let bad = || json!({ "query": "{ nothing }" }).to_string();
    for (accept, content_type, refused) in [
        (None, "application/json; charset=utf-8", 200),
        (Some("*/*"), "application/json; charset=utf-8", 200),
        (Some("application/json"), "application/json; charset=utf-8", 200),
        (Some("application/graphql-response+json"), "application/graphql-response+json; charset=utf-8", 400),
        (
            Some("application/graphql-response+json, application/json;q=0.9"),
            "application/graphql-response+json; charset=utf-8",
            400,
        ),
    ] {
        let answer = post(&app, Some("application/json"), accept, good()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.headers["content-type"].to_str().expect("text")),
            (200, content_type),
            "{accept:?}"
        );
        let answer = post(&app, Some("application/json"), accept, bad()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (refused, "GRAPHQL_VALIDATION_FAILED"),
            "{accept:?}"
        );
        assert!(answer.json().get("data").is_none());
    }
    for accept in ["text/html", "application/xml", "application/json;q=0"] {
        assert_eq!(post(&app, Some("application/json"), Some(accept), good()).await.status, 406, "{accept}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_request_that_is_none_is_told_so() {
    let app = sqlite().await;
    let accept = Some("application/graphql-response+json");
    for body in [
        "",
        "{",
        "null",
        "1",
        "\"{viewer{subject}}\"",
        "[]",
        "{}",
        "{\"query\": 1}",
        "{\"query\": null}",
        "{\"query\": \"{viewer{subject}}\", \"variables\": 1}",
        "{\"query\": \"{viewer{subject}}\", \"variables\": [1]}",
        "{\"query\": \"{viewer{subject}}\", \"operationName\": 1}",
        "{\"query\": \"{viewer{subject}}\", \"extensions\": 1}",
        "[{\"query\": \"{viewer{subject}}\"}]",
        "[{\"query\": \"{viewer{subject}}\"}, {\"query\": \"{viewer{subject}}\"}]",
        "{\"query\": \"{viewer{subject}}\", \"query\": \"{viewer{name}}\"}",
    ] {
        let answer = post(&app, Some("application/json"), accept, body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "BAD_USER_INPUT"), "{body}");
    }
    let broken = post(&app, Some("application/json"), accept, vec![b'{', b'"', 0xff, b'"', b'}']).await;
    assert_eq!(broken.status, 400);
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ viewer { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($x: Int!) { auditEvents(first: $x) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { viewer { subject } } query B { viewer { subject } }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        let answer = post(&app, Some("application/json"), accept, json!({ "query": query }).to_string()).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, code), "{query}");
    }
    // What has many answers needs another way.
    let follow = json!({ "query": "subscription { auditEventRecorded { cursor } }" }).to_string();
    assert_eq!(post(&app, Some("application/json"), accept, follow).await.status, 406);
    let unknown = json!({ "query": "query A { viewer { subject } }", "operationName": "B" }).to_string();
    assert_eq!(post(&app, Some("application/json"), accept, unknown).await.status, 400);
    let explicit = json!({ "query": VIEWER, "operationName": null, "variables": null, "extensions": null }).to_string();
    assert_eq!(post(&app, Some("application/json"), accept, explicit).await.data()["viewer"]["subject"], "admin");
    app.finish().await;
}

#[tokio::test]
async fn a_body_may_be_large_only_to_record() {
    let app = sqlite().await;
    let padded =
        |query: &str, bytes: usize| json!({ "query": query, "extensions": { "pad": "x".repeat(bytes) } }).to_string();
    let record = "mutation { recordAuditEvent(input: { action: \"a.b\", actor: { kind: USER } }) { status } }";
    let json_type = Some("application/json");
    assert_eq!(post(&app, json_type, None, padded(VIEWER, 200_000)).await.status, 200);
    assert_eq!(post(&app, json_type, None, padded(VIEWER, 300_000)).await.status, 413);
    assert_eq!(post(&app, json_type, None, padded(record, 10_000_000)).await.status, 200);
    let huge = post(&app, json_type, None, padded(record, 11_000_000)).await;
    assert_eq!((huge.status.as_u16(), huge.code().as_str()), (413, "BAD_USER_INPUT"));
    // Nobody known sends no more than a question.
    let nobody = request(Method::POST, "/graphql", &[("content-type", "application/json")], padded(record, 300_000));
    assert_eq!(app.send(nobody).await.status, 413);
    app.finish().await;
}

#[tokio::test]
async fn pages_of_other_origins_call_only_where_they_are_allowed_to() {
    let app = TestApp::with(Database::Sqlite, catalogs::products(), |settings| {
        settings.allowed_origins = vec!["https://app.example.com".to_owned()];
    })
    .await;
    let preflight = async |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        app.send(request(Method::OPTIONS, "/graphql", &headers, Body::empty())).await
    };
    let allowed = preflight("https://app.example.com").await;
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://app.example.com");
    let headers = allowed.headers["access-control-allow-headers"].to_str().expect("text").to_lowercase();
    for header in ["authorization", "content-type", "x-api-key"] {
        assert!(headers.contains(header), "{headers}");
    }
    assert!(!allowed.headers.contains_key("access-control-allow-credentials"));
    for origin in ["https://evil.example.com", "https://app.example.com.evil.example", "http://app.example.com", "null"]
    {
        assert!(!preflight(origin).await.headers.contains_key("access-control-allow-origin"), "{origin}");
    }
    app.finish().await;
    let closed = sqlite().await;
    let headers = [("origin", "https://app.example.com"), ("content-type", "application/json")];
    let answer = closed.send(request(Method::POST, "/graphql", &headers, json!({ "query": VIEWER }).to_string())).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    closed.finish().await;
}

async fn health_is_told_to_whoever_asks(app: &TestApp) {
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(app.send(request(Method::GET, path, &[], Body::empty())).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let app = sqlite().await;
    let own = [("x-request-id", "my-request-7"), ("content-type", "application/json")];
    let answer = app.send(request(Method::POST, "/graphql", &own, json!({ "query": VIEWER }).to_string())).await;
    assert_eq!(answer.headers["x-request-id"], "my-request-7");
    let first = app.send(request(Method::GET, "/healthz", &[], Body::empty())).await.headers["x-request-id"].clone();
    let second = app.send(request(Method::GET, "/healthz", &[], Body::empty())).await.headers["x-request-id"].clone();
    assert_ne!(first, second);
    let answer = post(&app, Some("application/json"), None, json!({ "query": VIEWER }).to_string()).await;
    assert_eq!(
        (&answer.headers["cache-control"], &answer.headers["x-content-type-options"]),
        (&"no-store".parse().expect("a value"), &"nosniff".parse().expect("a value"))
    );
    app.finish().await;
}

#[tokio::test]
async fn the_schema_is_shown_to_whoever_asks() {
    let app = sqlite().await;
    let shown = app.admin("workspace", "acme").data(INTROSPECTION, json!({})).await;
    let types = shown["__schema"]["types"].as_array().expect("types").len();
    assert!(types > 50, "{types}");
    // The schema is no secret: tools ask for it before anybody has signed in.
    assert!(app.graphql(None, INTROSPECTION, json!({})).await.data()["__schema"]["queryType"]["name"] == "Query");
    app.finish().await;
}

async fn a_page_of_100_with_every_field_passes_the_limits(app: &TestApp) {
    let admin = app.admin("caputchin", "acme");
    let full = |i: usize| {
        json!({
            "action": "widget.changed", "actor": { "kind": "STAFF", "id": "s", "name": "S", "email": "s@example.com" },
            "onBehalfOf": { "kind": "USER", "id": "u", "name": "U", "email": "u@example.com" },
            "resources": [{ "type": "t", "id": "i", "name": "n" }],
            "log": { "level": "widget", "id": "w", "parent": { "level": "troop", "id": "t" } },
            "ipAddress": "192.0.2.1", "userAgent": "a", "correlationId": "c", "source": "s", "sourceEventId": "e",
            "metadata": { "i": i }
        })
    };
    for _ in 0..2 {
        admin.record_all((0..60).map(full).collect()).await;
    }
    let page = admin.data(EVERYTHING, json!({})).await["auditEvents"].clone();
    assert_eq!(page["edges"].as_array().expect("edges").len(), 100);
    assert_eq!(page["totalCount"], 120);
    assert_eq!(page["nodes"][99]["log"]["parent"]["parent"]["level"], "account");
}

/// Every field that an event and its list have.
const EVERYTHING: &str =
    "query { auditEvents(first: 100, includeNested: true, log: { level: \"account\", id: \"acme\" }) {
    totalCount pageNumber pageCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { ...E } } nodes { ...E }
    facets(timeZone: \"Europe/Berlin\") { categories { exact buckets { value label count } }
    actions { exact buckets { value label count } }
        actors { exact buckets { value label count } } outcomes { exact buckets { value label count } }
        days { day count } } } }
    fragment E on AuditEvent { id sequence action actionLabel category { code label shortLabel description }
    actor { ...A } onBehalfOf { ...A }
        resource { type externalId name } resources { type externalId name } log { id level externalId name deletedAt
        parent { id level externalId name deletedAt parent { id level externalId } } } outcome occurredAt recordedAt
        ipAddress userAgent correlationId source sourceEventId recordedBy metadata metadataText truncated }
    fragment A on Actor { kind externalId name email label kindLabel }";

/// What `getIntrospectionQuery` of graphql@16 asks with everything on.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { description queryType { name }
    mutationType { name } subscriptionType { name }
    types { ...FullType } directives { name description isRepeatable locations
    args(includeDeprecated: true) { ...InputValue } } } }
    fragment FullType on __Type { kind name description specifiedByURL isOneOf
        fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue }
        type { ...TypeRef } isDeprecated deprecationReason }
        inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
        possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated
    deprecationReason }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";
