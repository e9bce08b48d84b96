//! GraphQL over HTTP, <https://graphql.github.io/graphql-over-http/draft/>: JSON bodies by POST, queries by GET.

use std::{sync::Arc, time::Duration};

use async_graphql::{Response as Answer, ServerError, Value, Variables};
use async_graphql_axum::GraphQLResponse;
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Edge, authenticate, body,
    coding::{self, Coding, Fault},
    media,
    media::Media,
};
use crate::{
    auth::Principal,
    error::{Code, Error},
    graphql::{coded, execute::Parameters, refusal, response::to_json},
};

/// Largest body of a request that records, in bytes.
const RECORDING_BODY: usize = 10 * 1024 * 1024;
/// Largest other body, in bytes.
const BODY: usize = 1024 * 1024;
/// Longest time that a request's body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request refused before it was executed.
struct Refusal {
    error: Box<ServerError>,
    /// The status whatever the media type; `None`: 400, or 200 for `application/json`.
    status: Option<StatusCode>,
    /// A header that says what would have been taken.
    hint: Option<(HeaderName, &'static str)>,
}

impl Refusal {
    fn of(error: &Error, status: Option<StatusCode>, request_id: &str) -> Self {
        Self { error: refusal(error, request_id), status, hint: None }
    }

    fn malformed(message: &str) -> Self {
        Self::coded(message, StatusCode::BAD_REQUEST)
    }

    fn coded(message: &str, status: StatusCode) -> Self {
        Self { error: coded(message, Code::BadUserInput), status: Some(status), hint: None }
    }

    /// 415 (RFC 9110, 15.5.16).
    fn not_read(message: &str, header: HeaderName, taken: &'static str) -> Self {
        let refusal = Self::coded(message, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        Self { hint: Some((header, taken)), ..refusal }
    }
}

/// What GraphQL refuses, HTTP answers by the media type.
impl From<Box<ServerError>> for Refusal {
    fn from(error: Box<ServerError>) -> Self {
        Self { error, status: None, hint: None }
    }
}

/// `GET /graphql`: queries only.
pub async fn get(State(edge): State<Edge>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    respond(&headers, async |request_id| {
        let principal = authenticated(&edge, &headers, request_id).await?;
        let parameters = from_url(query.as_deref().unwrap_or_default())?;
        execute(&edge, parameters, principal, request_id, true, 0).await
    })
    .await
}

/// `POST /graphql`.
pub async fn post(State(edge): State<Edge>, headers: HeaderMap, body: Body) -> Response {
    respond(&headers, async |request_id| {
        // Who is asking comes first: nobody's body is read for a token that is not accepted.
        let principal = authenticated(&edge, &headers, request_id).await?;
        if !media::is_json(&headers) {
            let message = "the body must be application/json in UTF-8";
            return Err(Refusal::not_read(message, header::ACCEPT, "application/json"));
        }
        let Some(coding) = Coding::of(&headers) else {
            let message = "the body's Content-Encoding must be gzip alone, or none";
            return Err(Refusal::not_read(message, header::ACCEPT_ENCODING, coding::ACCEPTED));
        };
        let limit = if principal.is_some() { RECORDING_BODY } else { BODY };
        let whole = tokio::time::timeout(TIMEOUT, to_bytes(body, limit)).await;
        let body = whole.map_err(|_| too_slow())?.map_err(|_| too_large(limit))?;
        let body = coding.unpack(body, limit).map_err(|fault| match fault {
            Fault::Broken => Refusal::malformed("the body must be gzip, as its Content-Encoding says"),
            Fault::TooLarge => too_large(limit),
        })?;
        let parameters = from_body(&body)?;
        execute(&edge, parameters, principal, request_id, false, body.len()).await
    })
    .await
}

async fn authenticated(edge: &Edge, headers: &HeaderMap, request_id: &str) -> Result<Option<Arc<Principal>>, Refusal> {
    let refuse = |error: Error| Refusal::of(&error, Some(status_of(error.code())), request_id);
    authenticate::principal(edge, headers).await.map_err(refuse)
}

fn status_of(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).expect("the table of codes has statuses")
}

fn too_large(limit: usize) -> Refusal {
    Refusal::coded(&format!("the body must be at most {limit} bytes"), StatusCode::PAYLOAD_TOO_LARGE)
}

fn too_slow() -> Refusal {
    Refusal::coded("the body did not arrive in time", StatusCode::REQUEST_TIMEOUT)
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

fn parameters(body: Value) -> Result<Parameters, String> {
    let Value::Object(mut fields) = body else { return Err("it must be an object".to_owned()) };
    let mut text = |name: &str| match fields.swap_remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name} must be a string")),
    };
    let query = text("query")?.ok_or("query must be a string")?;
    let operation_name = text("operationName")?;
    let mut object = |name: &str| match fields.swap_remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(object @ Value::Object(_)) => Ok(Some(object)),
        Some(_) => Err(format!("{name} must be an object")),
    };
    let variables = object("variables")?.map(Variables::from_value);
    object("extensions")?;
    Ok(Parameters { query, operation_name, variables })
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

/// Has a request executed that may come this way: queries alone by GET, and only as often as the caller may read.
async fn execute(
    edge: &Edge,
    parameters: Parameters,
    principal: Option<Arc<Principal>>,
    request_id: &str,
    is_get: bool,
    body: usize,
) -> Result<Answer, Refusal> {
    let mut asked = edge.executor.read(parameters)?;
    if is_get && asked.mutates {
        return Err(Refusal::coded("only queries may be sent by GET", StatusCode::METHOD_NOT_ALLOWED));
    }
    if !asked.mutates && body > BODY {
        return Err(too_large(BODY));
    }
    let refuse = |status| move |error: Error| Refusal::of(&error, Some(status), request_id);
    // Whoever brings no token is told so at no cost, but for the schema, which everybody may ask for.
    if !asked.mutates && (principal.is_some() || asked.introspects) {
        edge.read_rate.check(principal.as_deref()).map_err(refuse(StatusCode::TOO_MANY_REQUESTS))?;
    }
    asked.settle().map_err(refuse(StatusCode::BAD_REQUEST))?;
    Ok(edge.executor.execute(asked, principal, request_id).await?)
}

/// Writes an answer as the client accepts it.
async fn respond(headers: &HeaderMap, answer: impl AsyncFnOnce(&str) -> Result<Answer, Refusal>) -> Response {
    let request_id = headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let Some(media) = Media::accepted(headers) else {
        return (StatusCode::NOT_ACCEPTABLE, "acceptable are application/graphql-response+json and application/json")
            .into_response();
    };
    let mut response = match answer(request_id).await {
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
