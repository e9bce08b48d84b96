//! From the request's headers to a principal.

use std::sync::Arc;

use axum::http::{HeaderMap, header};

use super::Edge;
use crate::{
    auth::Principal,
    error::{Error, Result},
};

/// Whoever the request's token speaks for; `None` without a token.
///
/// # Errors
/// `UNAUTHENTICATED` for a token that cannot be trusted.
pub async fn principal(edge: &Edge, headers: &HeaderMap) -> Result<Option<Arc<Principal>>> {
    let Some(token) = token(headers)? else { return Ok(None) };
    let principal = edge.keys.verify(token, edge.services.clock.now()).await?;
    Ok(Some(Arc::new(principal)))
}

/// The token of `Authorization: Bearer` (RFC 6750) or of `X-API-Key`.
fn token(headers: &HeaderMap) -> Result<Option<&str>> {
    const UNREADABLE: Error = Error::Unauthenticated("the Authorization header must be: Bearer, a blank, and a token");
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(UNREADABLE)?;
        return if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(token.trim())) } else { Err(UNREADABLE) };
    }
    match headers.get("x-api-key") {
        Some(value) => value.to_str().map(|text| Some(text.trim())).map_err(|_| UNREADABLE),
        None => Ok(None),
    }
}
