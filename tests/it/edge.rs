//! What proxies, browsers, tools and SDKs put around a request: credentials of others, compressed bodies, headers of
//! other origins, questions about the schema.

use std::io::Write;

use axum::{
    body::Body,
    http::{Method, Request},
};
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use serde_json::json;

use crate::harness::{Answer, Database, TestApp, catalogs, event};

const VIEWER: &str = "{ viewer { subject } }";
const RECORD: &str = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";

async fn sqlite() -> TestApp {
    TestApp::start(Database::Sqlite).await
}

async fn send(app: &TestApp, method: Method, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut request = Request::builder().method(method).uri("/graphql");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(body.into()).expect("a request")).await
}

async fn post(app: &TestApp, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let headers = [&[("content-type", "application/json")], headers].concat();
    send(app, Method::POST, &headers, body).await
}

fn viewer() -> String {
    json!({ "query": VIEWER }).to_string()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("written");
    encoder.finish().expect("finished")
}

#[tokio::test]
async fn an_api_key_counts_beside_an_authorization_that_is_not_for_us() {
    let app = sqlite().await;
    let key = app.admin("workspace", "acme").subject("by key").token();
    let bearer = app.admin("workspace", "acme").subject("by bearer").token();
    let expired = {
        let mut caller = app.admin("workspace", "acme");
        caller.claims.exp = Some(1.into());
        caller.token()
    };
    let mut elsewhere = app.admin("workspace", "acme");
    elsewhere.claims.iss = "https://gateway.example".to_owned();
    let (elsewhere, ours) = (format!("Bearer {}", elsewhere.token()), format!("Bearer {bearer}"));
    let expired = format!("Bearer {expired}");
    let unrelated = [
        "Basic YWRhOnNlY3JldA==",
        "basic YWRhOnNlY3JldA==",
        "Negotiate",
        "Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa8=",
        "NTLM TlRMTVNTUAAB",
        "Digest username=\"ada\", realm=\"proxy\", nonce=\"x\", uri=\"/\", response=\"y\"",
        "AWS4-HMAC-SHA256 Credential=x/20261125/eu/s3/aws4_request, SignedHeaders=host, Signature=y",
        "",
        "Basic",
        "garbage",
        "Bearer",
        "Bearer not.a.token",
        "Bearer opaque-token-of-the-gateway",
        elsewhere.as_str(),
    ];
    for authorization in unrelated {
        let headers = [("authorization", authorization), ("x-api-key", key.as_str())];
        assert_eq!(post(&app, &headers, viewer()).await.data()["viewer"]["subject"], "by key", "{authorization:?}");
        // Alone it is nobody's token.
        let alone = post(&app, &headers[..1], viewer()).await;
        assert_eq!((alone.status.as_u16(), alone.code().as_str()), (401, "UNAUTHENTICATED"), "{authorization:?}");
        assert_eq!(alone.headers["www-authenticate"], "Bearer");
    }
    let asked = async |headers: &[(&str, &str)]| {
        let answer = post(&app, headers, viewer()).await.json();
        let error = &answer["errors"][0]["extensions"]["code"];
        answer["data"]["viewer"]["subject"].as_str().or(error.as_str()).expect("either").to_owned()
    };
    // A bearer token of one of our issuers is who is asking, whatever else is sent, and however it turns out.
    assert_eq!(asked(&[("authorization", &ours), ("x-api-key", &key)]).await, "by bearer");
    assert_eq!(asked(&[("authorization", &expired), ("x-api-key", &key)]).await, "UNAUTHENTICATED");
    assert_eq!(asked(&[("authorization", &ours), ("x-api-key", "")]).await, "by bearer");
    assert_eq!(asked(&[("authorization", &ours), ("x-api-key", "junk")]).await, "by bearer");
    // Two of them are nobody: which one counts is for no proxy to guess.
    for two in [["Basic x", &ours], [&ours, &ours]] {
        let answer = asked(&[("authorization", two[0]), ("authorization", two[1]), ("x-api-key", &key)]).await;
        assert_eq!(answer, "UNAUTHENTICATED");
    }
    assert_eq!(asked(&[("authorization", "Basic x"), ("x-api-key", "junk")]).await, "UNAUTHENTICATED");
    // A proxy's own sign-in does not hide the schema from the playground.
    let schema = json!({ "query": "{ __schema { queryType { name } } }" }).to_string();
    let shown = post(&app, &[("authorization", "Basic YWRhOnNlY3JldA==")], schema).await;
    assert_eq!(shown.data()["__schema"]["queryType"]["name"], "Query");
    app.finish().await;
}

#[tokio::test]
async fn a_body_may_be_gzip() {
    let app = sqlite().await;
    let bearer = format!("Bearer {}", app.admin("workspace", "acme").token());
    let send = async |coding: &str, body: Vec<u8>| {
        post(&app, &[("authorization", &bearer), ("content-encoding", coding)], body).await
    };
    for coding in ["gzip", "GZIP", "x-gzip", "identity, gzip"] {
        assert_eq!(send(coding, gzip(&viewer())).await.data()["viewer"]["subject"], "admin", "{coding}");
    }
    assert_eq!(send("identity", viewer().into()).await.data()["viewer"]["subject"], "admin");
    let record = json!({ "query": RECORD, "variables": { "input": event("user.login") } }).to_string();
    assert_eq!(send("gzip", gzip(&record)).await.data()["recordAuditEvent"]["status"], "RECORDED");
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(viewer().as_bytes()).expect("written");
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
    raw.write_all(viewer().as_bytes()).expect("written");
    for (coding, body) in [
        ("deflate", zlib.finish().expect("finished")),
        ("deflate", raw.finish().expect("finished")),
        ("br", viewer().into()),
        ("zstd", viewer().into()),
        ("compress", viewer().into()),
        ("gzip, gzip", gzip(&viewer())),
        ("gzip, br", gzip(&viewer())),
        ("made-up", viewer().into()),
    ] {
        let answer = send(coding, body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (415, "BAD_USER_INPUT"), "{coding}");
        assert_eq!(answer.headers["accept-encoding"], "gzip", "{coding}");
    }
    let whole = gzip(&viewer());
    for broken in [Vec::new(), viewer().into(), whole[..whole.len() - 3].to_vec(), [&whole[..], b"x"].concat()] {
        let answer = send("gzip", broken).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "BAD_USER_INPUT"));
        assert!(answer.errors()[0]["message"].as_str().expect("text").contains("gzip"));
    }
    // What is in it is read as ever.
    assert_eq!(send("gzip", gzip("{")).await.code(), "BAD_USER_INPUT");
    let other = [("authorization", bearer.as_str()), ("content-encoding", "br"), ("content-type", "text/plain")];
    let media = self::send(&app, Method::POST, &other, viewer()).await;
    assert_eq!((media.status.as_u16(), &media.headers["accept"]), (415, &"application/json".parse().expect("a value")));
    assert!(!media.headers.contains_key("accept-encoding"), "the media type comes first");
    app.finish().await;
}

#[tokio::test]
async fn the_limit_of_a_body_is_that_of_what_it_unpacks_to() {
    let app = sqlite().await;
    let bearer = format!("Bearer {}", app.admin("workspace", "acme").token());
    let padded =
        |query: &str, bytes: usize| json!({ "query": query, "extensions": { "pad": "x".repeat(bytes) } }).to_string();
    let record = "mutation { recordAuditEvent(input: { action: \"a.b\", actor: { kind: USER } }) { status } }";
    let send = async |body: Vec<u8>| {
        post(&app, &[("authorization", &bearer), ("content-encoding", "gzip")], body).await.status.as_u16()
    };
    assert_eq!(send(gzip(&padded(VIEWER, 200_000))).await, 200);
    assert_eq!(send(gzip(&padded(VIEWER, 300_000))).await, 413);
    assert_eq!(send(gzip(&padded(record, 10_000_000))).await, 200);
    let bomb = gzip(&padded(record, 100_000_000));
    assert!(bomb.len() < 200_000);
    assert_eq!(send(bomb.clone()).await, 413);
    // Nobody known sends no more than a question, and whoever is not accepted sends nothing at all.
    assert_eq!(post(&app, &[("content-encoding", "gzip")], gzip(&padded(record, 300_000))).await.status, 413);
    let stranger = [("authorization", "Bearer x"), ("content-encoding", "br")];
    let unread = Body::from_stream(futures_util::stream::poll_fn(
        |_| -> std::task::Poll<Option<Result<Vec<u8>, std::io::Error>>> { panic!("the body of nobody known was read") },
    ));
    assert_eq!(post(&app, &stranger, unread).await.status, 401);
    app.finish().await;
}

#[tokio::test]
async fn pages_of_other_origins_may_send_what_their_tools_add_and_read_when_to_come_again() {
    let app = TestApp::with(Database::Sqlite, catalogs::products(), |settings| {
        settings.allowed_origins =
            ["HTTPS://App.Example.com:443/", " http://Bücher.example ", ""].map(str::to_owned).into();
        settings.allowed_headers = vec!["X-Tenant-Trace".to_owned(), " traceparent".to_owned(), String::new()];
        settings.read_rate = 1;
    })
    .await;
    let preflight = async |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type,sentry-trace,baggage"),
        ];
        send(&app, Method::OPTIONS, &headers, Body::empty()).await
    };
    for origin in ["https://app.example.com", "http://xn--bcher-kva.example"] {
        let answer = preflight(origin).await;
        assert_eq!(answer.headers["access-control-allow-origin"], *origin);
        let allowed = answer.headers["access-control-allow-headers"].to_str().expect("text").to_owned();
        let allowed: Vec<_> = allowed.split(',').map(str::trim).collect();
        for header in [
            "authorization",
            "content-type",
            "content-encoding",
            "x-api-key",
            "x-request-id",
            "traceparent",
            "tracestate",
            "baggage",
            "sentry-trace",
            "apollographql-client-name",
            "apollographql-client-version",
            "apollo-require-preflight",
            "x-apollo-operation-name",
            "x-apollo-operation-id",
            "x-tenant-trace",
        ] {
            assert_eq!(allowed.iter().filter(|each| **each == header).count(), 1, "{header}: {allowed:?}");
        }
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
    for origin in ["https://app.example.com:443", "http://app.example.com", "https://evil.example", "null", ""] {
        assert!(!preflight(origin).await.headers.contains_key("access-control-allow-origin"), "{origin}");
    }
    let bearer = format!("Bearer {}", app.admin("workspace", "acme").token());
    let ask = async || post(&app, &[("origin", "https://app.example.com"), ("authorization", &bearer)], viewer()).await;
    let mut answer = ask().await;
    while answer.status != 429 {
        answer = ask().await;
    }
    assert!(answer.headers.contains_key("retry-after") && answer.headers.contains_key("x-request-id"));
    assert_eq!(answer.headers["access-control-allow-origin"], "https://app.example.com");
    let exposed = answer.headers["access-control-expose-headers"].to_str().expect("text").to_lowercase();
    for header in ["x-request-id", "retry-after", "www-authenticate"] {
        assert!(exposed.split(',').any(|each| each.trim() == header), "{header}: {exposed}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_schema_that_is_switched_off_is_not_told_piece_by_piece_either() {
    let closed = TestApp::with(Database::Sqlite, catalogs::products(), |settings| settings.introspection = false).await;
    let reader = closed.admin("workspace", "acme");
    for query in [
        "{ __schema { queryType { name } } }",
        "{ __type(name: \"Query\") { name } }",
        "{ viewer { subject } other: __schema { types { name } } }",
        "{ ...F } fragment F on Query { __schema { types { name } } }",
        "{ ... on Query { ... { __type(name: \"Viewer\") { fields { name } } } } }",
        "mutation { __schema { queryType { name } } }",
    ] {
        for caller in [Some(reader.token()), None] {
            let answer = closed.graphql(caller.as_deref(), query, json!({})).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "GRAPHQL_VALIDATION_FAILED"), "{query}");
            assert!(answer.json().get("data").is_none(), "{query}: {:#}", answer.json());
            let told = answer.errors()[0]["message"].as_str().expect("text").to_owned();
            assert!(told.contains("introspection") && (told.contains("__schema") || told.contains("__type")), "{told}");
        }
    }
    let data = reader.data("{ __typename viewer { __typename subject } }", json!({})).await;
    assert_eq!(data, json!({ "__typename": "Query", "viewer": { "__typename": "Viewer", "subject": "admin" } }));
    // A name that is nearly right, of every kind that has names, and the right one that must not be told.
    let slips = [
        ("{ viewr { subject } }", "viewer"),
        ("{ viewer { subjct } }", "subject"),
        ("{ auditEvents(frst: 1) { totalCount } }", "first"),
        ("{ auditEvents(filter: { outcome: [SUCCESS] }) { totalCount } }", "outcomes"),
        ("{ auditEvents(filter: { outcomes: [SUCCES] }) { totalCount } }", "SUCCESS"),
        ("{ auditEvents(orderBy: { field: SEQUENC }) { totalCount } }", "SEQUENCE"),
        ("query($f: AuditEventFilte) { auditEvents(filter: $f) { totalCount } }", "AuditEventFilter"),
        ("{ node(id: \"x\") { ... on AuditEven { id } } }", "AuditEvent"),
        ("{ viewer { subject @skp(if: true) } }", "skip"),
        ("mutation { recordAuditEvnt { status } }", "recordAuditEvent"),
        (
            "mutation { recordAuditEvent(input: { action: \"a.b\", actor: { kind: USER }, metdata: {} }) { status } }",
            "metadata",
        ),
    ];
    let open = sqlite().await;
    for (query, name) in slips {
        for app in [&closed, &open] {
            let answer = app.graphql(Some(&reader_of(app)), query, json!({})).await;
            assert!(answer.status == 400 || answer.json()["errors"].is_array(), "{query}");
            if std::ptr::eq(app, &closed) {
                let told = answer.json().to_string();
                let words = told.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                assert!(!told.contains("Did you mean"), "{query}: {told}");
                assert!(
                    words.into_iter().all(|word| word != name) || query.contains(&format!("\"{name}")),
                    "{query}: {told}"
                );
            }
        }
    }
    let told = open.graphql(Some(&reader_of(&open)), "{ viewr { subject } }", json!({})).await.json().to_string();
    assert!(
        told.contains("Did you mean") && told.contains("viewer"),
        "with introspection on, slips are helped: {told}"
    );
    open.finish().await;
    closed.finish().await;
}

fn reader_of(app: &TestApp) -> String {
    app.admin("workspace", "acme").token()
}

#[tokio::test]
async fn asking_for_the_schema_counts_against_the_rate() {
    let limited = TestApp::with(Database::Sqlite, catalogs::products(), |settings| settings.read_rate = 1).await;
    let schema = "{ __schema { queryType { name } } }";
    for (who, other) in [(Some(reader_of(&limited)), VIEWER), (None, schema)] {
        let mut answered = 0;
        let refused = loop {
            let answer = limited.graphql(who.as_deref(), schema, json!({})).await;
            if answer.status != 200 {
                break answer;
            }
            answered += 1;
        };
        assert!((100..=102).contains(&answered), "a burst, and not one more: {answered}");
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (429, "RATE_LIMITED"));
        assert!(refused.headers.contains_key("retry-after"));
        assert_eq!(limited.graphql(who.as_deref(), other, json!({})).await.status, 429, "it is one limit");
    }
    // Whoever only has no token is told that, not to come again.
    assert_eq!(limited.graphql(None, VIEWER, json!({})).await.status, 401);
    limited.finish().await;
}
