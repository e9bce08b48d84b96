use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use http_body_util::BodyExt;
use ledgerline::{clock::Clock, event::Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::FOLLOW;
use crate::harness::{TestApp, event, on_both_databases};

on_both_databases! {
    a_stream_replays_goes_live_and_is_resumed_by_the_id_of_its_last_event,
    a_question_is_one_event_and_the_end,
    a_stream_that_may_not_begin_is_refused_in_json,
    a_stream_ends_without_complete_when_its_token_expires,
    a_subscription_needs_a_stream,
}

/// The body of an answer, read event by event.
pub struct Stream {
    body: Body,
    text: String,
}

/// An event of a stream.
#[derive(Debug, Default, PartialEq)]
pub struct Event {
    pub name: String,
    id: Option<String>,
    data: String,
}

impl Stream {
    pub async fn open(app: &TestApp, request: Request<Body>) -> Self {
        let response = app.app.router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event; none at the end.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let mut read = Event::default();
                for line in event.lines() {
                    match line.split_once(':').map(|(name, value)| (name, value.trim_start())) {
                        Some(("event", value)) => value.clone_into(&mut read.name),
                        Some(("id", value)) => read.id = Some(value.to_owned()),
                        Some(("data", value)) => read.data.push_str(value),
                        _ => {}
                    }
                }
                self.text = rest.to_owned();
                if !read.name.is_empty() {
                    return Some(read);
                }
                continue;
            }
            let frame = tokio::time::timeout(Duration::from_secs(20), self.body.frame()).await.expect("in time")?;
            let data = frame.expect("a frame").into_data().expect("data");
            self.text.push_str(std::str::from_utf8(&data).expect("UTF-8"));
        }
    }

    async fn action(&mut self) -> (String, String) {
        let edge = self.edge().await;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        (text(&edge["node"]["action"]), text(&edge["cursor"]))
    }

    /// The edge that is sent next, under its cursor as its id.
    pub async fn edge(&mut self) -> Value {
        let event = self.next().await.expect("an event");
        assert_eq!(event.name, "next");
        let data: Value = serde_json::from_str(&event.data).expect("JSON");
        let edge = &data["data"]["auditEventRecorded"];
        assert_eq!(event.id.as_deref(), edge["cursor"].as_str(), "{data:#}");
        edge.clone()
    }
}

pub fn request(token: Option<&str>, query: &str, variables: &Value, resume: Option<&str>) -> Request<Body> {
    let mut request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "text/event-stream");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(id) = resume {
        request = request.header("last-event-id", id);
    }
    request.body(Body::from(json!({ "query": query, "variables": variables }).to_string())).expect("a request")
}

async fn a_stream_replays_goes_live_and_is_resumed_by_the_id_of_its_last_event(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record_all((0..3).map(|n| event(&format!("missed.{n}"))).collect()).await;
    let query = "{ auditEvents(first: 1, orderBy: { field: SEQUENCE, direction: ASC }) { pageInfo { endCursor } } }";
    let seen = admin.data(query, json!({})).await["auditEvents"]["pageInfo"]["endCursor"].clone();
    let token = admin.token();
    let mut stream = Stream::open(app, request(Some(&token), FOLLOW, &json!({ "after": seen }), None)).await;
    assert_eq!(stream.action().await.0, "missed.1");
    let (action, last) = stream.action().await;
    assert_eq!(action, "missed.2");
    admin.record(event("live.0")).await;
    assert_eq!(stream.action().await.0, "live.0");
    drop(stream);

    admin.record(event("live.1")).await;
    // As a browser's EventSource connects again: by GET, with the same address.
    let url = format!(
        "/graphql?{}",
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("query", FOLLOW)
            .append_pair("variables", &json!({ "after": seen }).to_string())
            .finish()
    );
    let again = Request::get(url)
        .header(header::ACCEPT, "text/event-stream")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header("last-event-id", last);
    let mut again = Stream::open(app, again.body(Body::empty()).expect("a request")).await;
    assert_eq!(again.action().await.0, "live.0");
    assert_eq!(again.action().await.0, "live.1");
    app.admin("workspace", "other").record(event("other")).await;
    admin.record(event("live.2")).await;
    assert_eq!(again.action().await.0, "live.2");
}

async fn a_question_is_one_event_and_the_end(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record(event("one")).await;
    let query = "{ auditEvents { nodes { action } } }";
    let mut stream = Stream::open(app, request(Some(&admin.token()), query, &json!({}), None)).await;
    let event = stream.next().await.expect("an answer");
    assert_eq!((event.name.as_str(), event.id), ("next", None));
    let answer: Value = serde_json::from_str(&event.data).expect("JSON");
    assert_eq!(answer, json!({ "data": { "auditEvents": { "nodes": [{ "action": "one" }] } } }));
    assert_eq!(stream.next().await.map(|event| event.name), Some("complete".to_owned()));
    assert_eq!(stream.next().await, None);
}

async fn a_stream_that_may_not_begin_is_refused_in_json(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let refused = app.send(request(Some("no.such.token"), FOLLOW, &json!({}), None)).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED".to_owned()));
    let refused = app.send(request(Some(&admin.token()), "subscription {", &json!({}), None)).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, "GRAPHQL_PARSE_FAILED".to_owned()));
    // What the operation itself is refused for is told in the stream, as its protocol has it.
    let foreign = "subscription { auditEventRecorded(organization: \"other\") { cursor } }";
    let mut stream = Stream::open(app, request(Some(&admin.token()), foreign, &json!({}), None)).await;
    let answer: Value = serde_json::from_str(&stream.next().await.expect("an answer").data).expect("JSON");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND");
    assert_eq!(stream.next().await.map(|event| event.name), Some("complete".to_owned()));
}

async fn a_stream_ends_without_complete_when_its_token_expires(app: &TestApp) {
    let mut admin = app.admin("workspace", "acme");
    let soon = Timestamp(Clock::system().now().0 + 6_000_000_000);
    admin.claims.exp = Some((soon.0 / 1_000_000_000).into());
    let mut stream = Stream::open(app, request(Some(&admin.token()), FOLLOW, &json!({}), None)).await;
    let recording = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        admin.record(event("one")).await
    };
    let ((action, _), _) = tokio::join!(stream.action(), recording);
    assert_eq!(action, "one");
    assert_eq!(stream.next().await, None);
}

async fn a_subscription_needs_a_stream(app: &TestApp) {
    let answer = app.admin("workspace", "acme").ask(FOLLOW, json!({})).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::NOT_ACCEPTABLE, "BAD_USER_INPUT".to_owned()));
}
