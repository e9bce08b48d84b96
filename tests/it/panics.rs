//! Nothing that is sent makes the service panic; and where it does panic, whoever asked is told as of any other fault of
//! ours, and whoever comes next is served.

use std::{
    backtrace::Backtrace,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use futures_util::StreamExt;
use ledgerline::{
    clock::Clock,
    graphql::{
        execute::{Executor, Parameters},
        schema_builder,
    },
};
use serde_json::{Value, json};

use crate::harness::{Answer, TestApp, catalogs, on_both_databases};

on_both_databases! {
    a_variable_of_a_type_that_there_is_not_is_refused,
    a_panic_is_answered_in_the_words_of_what_it_came_by,
}

/// How often requests have panicked in this process.
async fn counted(app: &TestApp) -> u64 {
    let metrics = app.send(Request::get("/metrics").body(Body::empty()).unwrap()).await;
    let text = String::from_utf8(metrics.body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("ledgerline_request_panics_total "));
    line.map_or(0, |count| count.parse().unwrap())
}

async fn a_variable_of_a_type_that_there_is_not_is_refused(app: &TestApp) {
    let admin = app.admin("workspace", "acme").token();
    for token in [None, Some(admin.as_str())] {
        for document in [
            "query($v:[Nope]=[1]){__typename}",
            "query($v:[Nope!]!=[1]){__typename}",
            "query($v:[[[Nope]!]]=[[[1]]]){__typename}",
            "query($v:[Nope]=1){__typename}",
            "query($v:Nope=1){__typename}",
            "query($v:[Nope]){__typename}",
            "query($a:Int=1,$v:[Nope]=[{a:[1]}]){__typename}",
            "mutation($v:[Nope]=[1]){__typename}",
            "subscription($v:[Nope]=[1]){__typename}",
            "query A{__typename} query B($v:[Nope]=[1]){__typename}",
            "query($v:[int]=[1]){__typename}",
        ] {
            let body = json!({ "query": document, "operationName": document.contains("query A").then_some("A") });
            let answer = app.graphql_text(token, body.to_string()).await;
            assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{document}: {answer:?}");
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{document}");
        }
    }
    // By GET as by POST; and types that there are stay what they were.
    let get = Request::get("/graphql?query=query(%24v%3A%5BNope%5D%3D%5B1%5D)%7B__typename%7D");
    let get = get.header(header::ACCEPT, "application/graphql-response+json").body(Body::empty()).unwrap();
    assert_eq!(app.send(get).await.code(), "GRAPHQL_VALIDATION_FAILED");
    let known = "query($a: [ID!]! = [\"x\"], $b: [[Int]], $c: Boolean = true, $d: Float, $e: [String] = [null],
        $f: AuditEventFilter = {}) { viewer { subject } }";
    let said = app.graphql(Some(&admin), known, json!({})).await;
    // They are there, and not used, which is what is said of them.
    assert!(said.errors().iter().all(|error| !error["message"].as_str().unwrap().contains("Unknown type")));
}

/// A clock that panics where a request looks at it once it is told to; whoever else looks is shown the time.
fn panicking() -> (Clock, Arc<AtomicBool>) {
    let armed = Arc::new(AtomicBool::new(false));
    let clock = Clock::new({
        let armed = armed.clone();
        let system = Clock::system();
        move || {
            if armed.load(Ordering::SeqCst) && Backtrace::force_capture().to_string().contains("http/authenticate.rs") {
                armed.store(false, Ordering::SeqCst);
                panic!("this clock was told to panic");
            }
            system.now()
        }
    });
    (clock, armed)
}

/// That an answer is one of a fault of ours, and names the request.
fn is_internal(answer: &Answer, fault: &Value, id: &Value) {
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!((&fault["code"], id), (&json!("INTERNAL"), &json!("r-17")), "{answer:?}");
    assert_eq!(answer.headers["x-request-id"], "r-17");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert!(!String::from_utf8_lossy(&answer.body).contains("clock"), "{answer:?}");
}

async fn a_panic_is_answered_in_the_words_of_what_it_came_by(app: &TestApp) {
    let (clock, armed) = panicking();
    let broken = TestApp::with_clock(app.database, catalogs::products(), clock, |_| {}).await;
    let token = format!("Bearer {}", broken.admin("workspace", "acme").token());
    let asked = |method: &str, path: &str, accept: &str| {
        let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, &token);
        let request = request.header(header::CONTENT_TYPE, "application/json").header(header::ACCEPT, accept);
        let body =
            if method == "POST" { json!({ "query": "{ viewer { subject } }" }).to_string() } else { String::new() };
        request.header("x-request-id", "r-17").body(Body::from(body)).unwrap()
    };
    let before = counted(app).await;
    let mut panics = 0;
    for accept in ["application/graphql-response+json", "application/json", "text/event-stream"] {
        for (method, path) in [("POST", "/graphql"), ("GET", "/graphql?query=%7B__typename%7D")] {
            armed.store(true, Ordering::SeqCst);
            let answer = broken.send(asked(method, path, accept)).await;
            is_internal(&answer, &answer.errors()[0]["extensions"], &answer.errors()[0]["extensions"]["requestId"]);
            let media = answer.headers[header::CONTENT_TYPE].to_str().unwrap();
            assert!(media.starts_with(if accept.contains("graphql") { accept } else { "application/json" }), "{media}");
            panics += 1;
        }
    }
    for (method, path) in [("GET", "/v1/audit-events"), ("POST", "/v1/audit-events")] {
        armed.store(true, Ordering::SeqCst);
        let answer = broken.send(asked(method, path, "application/json")).await;
        is_internal(&answer, &answer.json(), &answer.json()["request_id"]);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
        panics += 1;
    }
    // Services of other tests of this process count in the same place.
    assert!(counted(app).await >= before + panics, "{before} and {panics}");
    // Nobody who comes next notices.
    assert_eq!(broken.send(asked("POST", "/graphql", "application/json")).await.data()["viewer"]["subject"], "admin");
    broken.finish().await;
}

#[tokio::test]
async fn a_stream_whose_answer_panics_ends_with_one_that_says_so() {
    // A schema without the services that its resolvers need.
    let executor = Executor::new(schema_builder().finish(), true);
    for query in ["{ auditEvents { totalCount } }", "subscription { auditEventRecorded { cursor } }"] {
        let parameters = Parameters { query: query.to_owned(), operation_name: None, variables: None };
        let asked = executor.read(parameters).expect("a request");
        let answers: Vec<_> = executor.stream(asked, None, "r-18".to_owned(), None).collect().await;
        let [answer] = answers.as_slice() else { panic!("{answers:?}") };
        let error = serde_json::to_value(&answer.errors[0]).unwrap();
        assert_eq!(error["extensions"], json!({ "code": "INTERNAL", "requestId": "r-18" }), "{query}");
    }
}
