//! The public keys of the service's own issuer.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::Edge;

/// How long others may keep the document, in seconds. A new key is published before the first token of it is shown.
const CACHING: &str = "public, max-age=300";

/// Answers with a JWKS (RFC 7517), by which anybody can check the service's own tokens.
pub async fn get(State(edge): State<Arc<Edge>>) -> Response {
    match edge.services.partners.jwks(edge.services.clock.now()).await {
        Ok(keys) => {
            let headers = [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, CACHING)];
            (headers, Json(keys)).into_response()
        }
        Err(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], "the keys cannot be read\n").into_response()
        }
    }
}
