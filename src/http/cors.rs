//! What pages of other origins may send, and see of the answer (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Request headers that pages may send: what the API reads, and what the tools of host pages add to every request.
const HEADERS: [&str; 29] = [
    "authorization",
    "content-type",
    "content-encoding",
    "accept-language",
    "x-api-key",
    "x-request-id",
    // REST.
    "idempotency-key",
    "if-none-match",
    // W3C Trace Context and Baggage (OpenTelemetry), Sentry.
    "traceparent",
    "tracestate",
    "baggage",
    "sentry-trace",
    // Apollo's clients.
    "apollographql-client-name",
    "apollographql-client-version",
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "x-apollo-operation-id",
    // Zipkin.
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    // Datadog, New Relic.
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-origin",
    "x-datadog-sampling-priority",
    "newrelic",
    // Many clients say so of every request that a script sends.
    "x-requested-with",
];

/// Response headers that pages may read besides those that every page may.
const EXPOSED: [HeaderName; 6] = [
    HeaderName::from_static("x-request-id"),
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    header::LINK,
    header::ETAG,
    header::LOCATION,
];

/// Answers preflights, and marks the answers that a page of an allowed origin may see.
pub fn layer(origins: &[HeaderValue], headers: &[HeaderName]) -> CorsLayer {
    let mut allowed: Vec<_> = HEADERS.iter().map(|name| HeaderName::from_static(name)).collect();
    for name in headers {
        if !allowed.contains(name) {
            allowed.push(name.clone());
        }
    }
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(allowed)
        .expose_headers(EXPOSED)
        .max_age(Duration::from_secs(3600))
}
