//! GraphQL over HTTP, <https://graphql.github.io/graphql-over-http/draft/>: JSON bodies by POST, queries by GET, and either as a stream
//! of events.

use std::sync::Arc;

use async_graphql::{Response as Answer, ServerError, Value, Variables, parser::types::OperationType};
use async_graphql_axum::GraphQLResponse;
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Edge,
    admission::{Refusal, admit, parameters, status_of},
    authenticate,
    bodies::Room,
    body,
    live::{socket, sse},
    media::Media,
    received::{self, LARGE},
};
use crate::{
    auth::Principal,
    error::Error,
    graphql::{
        execute::{Asked, Parameters},
        refusal,
        response::to_json,
    },
    tasks,
};

/// `GET /graphql`: queries, subscriptions as a stream of events, and the handshake of a WebSocket.
pub async fn get(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    if socket::is_asked(request.headers()) {
        return socket::open(edge, request).await;
    }
    let (headers, query) = (request.headers(), request.uri().query().unwrap_or_default());
    respond(&edge, headers, async |request_id| {
        let principal = authenticated(&edge, headers, request_id).await?;
        let asked = admit(&edge, from_url(query)?, principal.as_deref(), request_id, true, 0)?;
        let room = edge.bodies.room(principal.as_deref());
        Ok((asked, principal, room))
    })
    .await
}

/// `POST /graphql`.
pub async fn post(State(edge): State<Arc<Edge>>, headers: HeaderMap, body: Body) -> Response {
    respond(&edge, &headers, async |request_id| {
        // Who is asking comes first: nobody's body is read for a token that is not accepted.
        let principal = authenticated(&edge, &headers, request_id).await?;
        let mut room = edge.bodies.room(principal.as_deref());
        let limit = received::limit(principal.as_deref());
        let body = received::json(&headers, body, limit, &mut room).await?;
        let asked = {
            let (edge, principal, id, length) = (edge.clone(), principal.clone(), request_id.to_owned(), body.len());
            let read = move || admit(&edge, from_body(&body)?, principal.as_deref(), &id, false, length);
            // A large body takes long to read, and everybody's requests are on this thread.
            if length > LARGE { tasks::aside(read).await } else { read() }
        }?;
        Ok((asked, principal, room))
    })
    .await
}

async fn authenticated(edge: &Edge, headers: &HeaderMap, request_id: &str) -> Result<Option<Arc<Principal>>, Refusal> {
    let refuse = |error: Error| Refusal::of(&error, Some(status_of(error.code())), request_id);
    authenticate::principal(edge, headers).await.map_err(refuse)
}

fn from_body(body: &Bytes) -> Result<Parameters, Refusal> {
    let text = &body::text(body);
    if text.trim_start().starts_with('[') {
        return Err(Refusal::malformed(
            "the body must be one request: batches of requests are not supported, use aliases",
        ));
    }
    let malformed = |error| Refusal::malformed(&format!("the body must be a GraphQL request in JSON: {error}"));
    parameters(body::read(text).map_err(malformed)?)
        .map_err(|fault| Refusal::malformed(&format!("the body must be a GraphQL request in JSON: {fault}")))
}

fn from_url(query: &str) -> Result<Parameters, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct InUrl {
        query: Option<String>,
        operation_name: Option<String>,
        variables: Option<String>,
        extensions: Option<String>,
    }
    let url = format!("/?{query}").parse().map_err(|_| Refusal::malformed("the query string cannot be read"))?;
    let axum::extract::Query(found) = axum::extract::Query::<InUrl>::try_from_uri(&url)
        .map_err(|error| Refusal::malformed(&format!("the query string must have a GraphQL request: {error}")))?;
    let map = |name: &str, text: Option<String>| {
        let text = text.filter(|text| !text.is_empty());
        let parse = |text: String| -> Result<Option<serde_json::Map<_, _>>, _> {
            serde_json::from_str(&text)
                .map_err(|error| Refusal::malformed(&format!("{name} must be a JSON object: {error}")))
        };
        text.map(parse).transpose().map(Option::flatten)
    };
    map("extensions", found.extensions)?;
    let variables = map("variables", found.variables)?;
    Ok(Parameters {
        query: found.query.ok_or_else(|| Refusal::malformed("the parameter query is missing"))?,
        operation_name: found.operation_name.filter(|name| !name.is_empty()),
        variables: variables.map(|variables| Variables::from_json(serde_json::Value::Object(variables))),
    })
}

/// Executes what was asked, and writes the answer as the client accepts it.
async fn respond(
    edge: &Arc<Edge>,
    headers: &HeaderMap,
    asked: impl AsyncFnOnce(&str) -> Result<(Asked, Option<Arc<Principal>>, Room), Refusal>,
) -> Response {
    let request_id = super::request_id(headers);
    let Some(media) = Media::accepted(headers) else {
        let acceptable = "acceptable are application/graphql-response+json, application/json and text/event-stream";
        return (StatusCode::NOT_ACCEPTABLE, acceptable).into_response();
    };
    let answer = match asked(request_id).await {
        Ok((asked, principal, _)) if media == Media::EventStream => {
            return sse::stream(edge, asked, principal, request_id, headers);
        }
        Ok((asked, ..)) if asked.kind == OperationType::Subscription => {
            let message = "a subscription needs Accept: text/event-stream, or a WebSocket";
            Err(Refusal::coded(message, StatusCode::NOT_ACCEPTABLE))
        }
        Ok((asked, principal, room)) => {
            let answer = edge.executor.execute(asked, principal, request_id).await;
            // What was read of the body is gone with the request.
            drop(room);
            answer.map_err(Refusal::from)
        }
        Err(refusal) => Err(refusal),
    };
    // What is refused before it streams is refused as JSON, with a status that tells so.
    let (media, answer) = match (media, answer) {
        (Media::EventStream, Err(refusal)) => {
            (Media::Json, Err(Refusal { status: refusal.status.or(Some(StatusCode::BAD_REQUEST)), ..refusal }))
        }
        (media, answer) => (media, answer),
    };
    let mut response = match answer {
        Ok(answer) if is_request_error(&answer) => refused(media, &answer.errors, None),
        Ok(answer) => {
            let nobody = !answer.errors.is_empty()
                && is_all_null(&answer.data)
                && answer.errors.iter().all(|error| code_of(error) == Some("UNAUTHENTICATED"));
            let mut response = match to_json(&answer) {
                Some(json) => json.into_response(),
                None => GraphQLResponse::from(answer).into_response(),
            };
            if nobody {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
            }
            response
        }
        Err(refusal) => {
            let mut response = refused(media, &[*refusal.error], refusal.status);
            if let Some((header, taken)) = refusal.hint {
                response.headers_mut().insert(header, HeaderValue::from_static(taken));
            }
            response
        }
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media.name()));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// The answer of a request that ended in a fault of ours.
pub fn broken(headers: &HeaderMap, error: &Error, request_id: &str) -> Response {
    let media = Media::accepted(headers).filter(|media| *media != Media::EventStream).unwrap_or(Media::Json);
    let mut response = refused(media, &[*refusal(error, request_id)], Some(status_of(error.code())));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media.name()));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Errors without data: the request was never executed.
fn refused(media: Media, errors: &[ServerError], status: Option<StatusCode>) -> Response {
    let default = if media == Media::Json { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let body = serde_json::json!({ "errors": errors });
    let mut response = (status.unwrap_or(default), body.to_string()).into_response();
    let retry = errors.iter().find_map(|error| match error.extensions.as_ref()?.get("retryAfterMs")? {
        Value::Number(ms) => ms.as_u64(),
        _ => None,
    });
    if let Some(ms) = retry {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000)));
    }
    response
}

fn is_request_error(answer: &Answer) -> bool {
    !answer.errors.is_empty() && answer.data == Value::Null && answer.errors.iter().all(|error| error.path.is_empty())
}

fn is_all_null(data: &Value) -> bool {
    match data {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(|value| *value == Value::Null),
        _ => false,
    }
}

fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}
