//! Server-sent events as GraphQL clients read them: the distinct connections mode of
//! <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>, a request a stream.
//!
//! An event of `auditEventRecorded` whose `cursor` is selected carries it as its id. A browser's `EventSource` then goes
//! on after it by itself when it connects again (`Last-Event-ID`).

use std::{convert::Infallible, sync::Arc, time::Duration};

use async_graphql::{Response as Answer, Value};
use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{
    FutureExt, StreamExt,
    stream::{self},
};

use super::{no_longer_good, text};
use crate::{auth::Principal, graphql::execute::Asked, http::Edge};

/// How often a stream says that it is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// Answers a request as a stream. It ends without `complete` where the token no longer counts or the service stops, so that clients
/// connect again.
pub fn stream(
    edge: &Arc<Edge>,
    asked: Asked,
    principal: Option<Arc<Principal>>,
    request_id: &str,
    headers: &HeaderMap,
) -> Response {
    let resume = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    let no_longer_good = no_longer_good(edge.clone(), principal.clone());
    let answers = edge.executor.stream(asked, principal, request_id.to_owned(), resume.map(str::to_owned));
    let events = answers.map(|answer| {
        let event = Event::default().event("next").data(text(&answer));
        match cursor(&answer) {
            Some(cursor) => event.id(cursor),
            None => event,
        }
    });
    let complete = stream::once(async { Event::default().event("complete").data("") });
    let mut stopping = edge.stopping.clone();
    let end = async move {
        tokio::select! {
            _ = no_longer_good => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    };
    let events = events.chain(complete).take_until(end.boxed()).map(Ok::<_, Infallible>);
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers would keep events back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// The cursor of an answer's one field, where it has one.
fn cursor(answer: &Answer) -> Option<&str> {
    let Value::Object(fields) = &answer.data else { return None };
    match fields.values().next()? {
        Value::Object(edge) => match edge.get("cursor")? {
            Value::String(cursor) => Some(cursor),
            _ => None,
        },
        _ => None,
    }
}
