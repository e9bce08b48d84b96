//! Whoever follows a log by the plan that is kept for its organization is let go when that changes, in whichever process.

use std::time::{Duration, Instant};

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{
    FOLLOW,
    client::{Socket, listen},
    streams::{Stream, request},
};
use crate::{
    harness::{Answer, TestApp, event, on_both_databases},
    identity::kept_plans::{PRODUCT, admin, backend, set},
};

on_both_databases! {
    whoever_follows_is_let_go_when_the_plan_ends_in_whichever_process,
    whoever_was_refused_for_a_missing_plan_is_told_to_come_again,
}

/// Within so long, docs/live.md says: what is known of a plan counts for 5 seconds, and is looked at every second.
const BOUND: Duration = Duration::from_secs(6);
/// What a machine that is busy may take beside it.
const BUSY: Duration = Duration::from_secs(5);

/// How a connection ends; what it hears before is no matter.
async fn gone(socket: &mut Socket) -> (u16, String) {
    loop {
        match socket.message().await {
            Message::Close(Some(frame)) => return (frame.code.into(), frame.reason.to_string()),
            Message::Text(_) => {}
            other => panic!("a close was expected: {other:?}"),
        }
    }
}

/// How a stream ends: without an event that says that it is complete.
async fn cut(stream: &mut Stream) {
    while let Some(event) = stream.next().await {
        assert_eq!(event.name, "next", "{event:?}");
    }
}

/// Waits in the feed for what does not come.
async fn wait(app: &TestApp, token: &str) -> Answer {
    let uri = "/v1/audit-events/feed?wait=20s&actions=SESSION_EXTENDED";
    let request = Request::builder().method(Method::GET).uri(uri).header("authorization", format!("Bearer {token}"));
    app.send(request.body(Body::empty()).expect("a request")).await
}

async fn whoever_follows_is_let_go_when_the_plan_ends_in_whichever_process(app: &TestApp) {
    let other = app.beside().await;
    let (here, there) = (listen(app).await, listen(&other).await);
    let changed = (4403, "Forbidden: the organization's plan has changed".to_owned());
    set(&backend(app), "globex", Some("paid")).await.data();
    let mut globex = Socket::with_token(&there, &admin(&other, "globex").token()).await;
    globex.follow("g", json!({})).await;
    let own_plan = app.admin(PRODUCT, "acme").plan("paid").token();
    let mut own = Socket::with_token(&there, &own_plan).await;
    own.follow("o", json!({})).await;
    for (round, plan) in [(1, None), (2, Some("free"))] {
        set(&backend(app), "acme", Some("paid")).await.data();
        assert_eq!(own.event("o").await["node"]["action"], "audit_log.plan_changed");
        let token = admin(app, "acme").token();
        // The other process may have asked for the plan a moment ago.
        tokio::time::sleep(BOUND).await;
        let mut sockets = [Socket::with_token(&here, &token).await, Socket::with_token(&there, &token).await];
        for socket in &mut sockets {
            socket.follow("a", json!({})).await;
        }
        let followed = || request(Some(&token), FOLLOW, &json!({}), None);
        let mut streams = [Stream::open(app, followed()).await, Stream::open(&other, followed()).await];
        let began = Instant::now();
        let waiting = async { tokio::join!(wait(app, &token), wait(&other, &token)) };
        let changing = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            set(&backend(app), "acme", plan).await.data();
            for socket in &mut sockets {
                assert_eq!(gone(socket).await, changed, "round {round}");
            }
            for stream in &mut streams {
                cut(stream).await;
            }
        };
        let (feeds, ()) = tokio::join!(waiting, changing);
        assert!(began.elapsed() < BOUND + BUSY, "round {round}: {:?}", began.elapsed());
        for feed in [feeds.0, feeds.1] {
            assert_eq!((feed.status.as_u16(), &feed.json()["data"]), (200, &json!([])), "round {round}");
        }
        for process in [app, &other] {
            assert_eq!(wait(process, &token).await.json()["code"], "PLAN_REQUIRED", "round {round}");
        }
        assert_eq!(own.event("o").await["node"]["action"], "audit_log.plan_changed", "the token's own plan counts");
    }
    // Nobody of another organization was disturbed.
    admin(app, "globex").record(event("SESSION_STARTED")).await;
    assert_eq!(globex.event("g").await["node"]["action"], "SESSION_STARTED");
    drop((here, there));
    other.finish().await;
}

async fn whoever_was_refused_for_a_missing_plan_is_told_to_come_again(app: &TestApp) {
    let other = app.beside().await;
    let there = listen(&other).await;
    let token = admin(app, "acme").token();
    let mut socket = Socket::with_token(&there, &token).await;
    socket.follow("a", json!({})).await;
    assert_eq!(socket.error("a").await, "PLAN_REQUIRED");
    let began = Instant::now();
    set(&backend(app), "acme", Some("paid")).await.data();
    assert_eq!(gone(&mut socket).await.0, 4403);
    assert!(began.elapsed() < BOUND + BUSY, "{:?}", began.elapsed());
    let mut socket = Socket::with_token(&there, &token).await;
    socket.follow("a", json!({})).await;
    // A plan that is set anew and is the same changes nothing.
    set(&backend(app), "acme", Some("paid")).await.data();
    admin(app, "acme").record(event("SESSION_STARTED")).await;
    while socket.event("a").await["node"]["action"] != "SESSION_STARTED" {}
    drop(there);
    other.finish().await;
}
