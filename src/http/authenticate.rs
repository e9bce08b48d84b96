//! From the request's headers to a principal.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};

use super::{Edge, language};
use crate::{
    auth::Principal,
    error::{Error, Result},
    keys::Keys,
};

/// Whoever the request's token speaks for, with the product in the language that is asked for; `None` without a token.
///
/// # Errors
/// `UNAUTHENTICATED` for a token that cannot be trusted, `UNAVAILABLE` where its issuer does not answer.
pub async fn principal(edge: &Edge, headers: &HeaderMap) -> Result<Option<Arc<Principal>>> {
    let Some(token) = token(headers, &edge.keys)? else { return Ok(None) };
    let mut principal = edge.keys.verify(token, edge.services.clock.now()).await?;
    let wanted = language::wanted(headers);
    principal.product = principal.product.spoken(wanted.iter().map(String::as_str));
    Ok(Some(Arc::new(principal)))
}

/// What an Authorization header carries.
enum Authorization<'a> {
    Bearer(&'a str),
    /// Another scheme, such as a proxy's Basic: it is not meant for us.
    Other,
    Unreadable,
}

impl<'a> Authorization<'a> {
    fn read(value: &'a HeaderValue) -> Self {
        let Ok(text) = value.to_str() else { return Self::Unreadable };
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let is_scheme = |name: &str| scheme.eq_ignore_ascii_case(name);
        match rest.trim() {
            token if is_scheme("bearer") => Self::Bearer(token),
            // Negotiate alone is how that scheme begins.
            "" if !is_scheme("negotiate") => Self::Unreadable,
            _ => Self::Other,
        }
    }
}

/// The token of `Authorization: Bearer` (RFC 6750) or of `X-API-Key`. A client may send the one while a proxy sends the
/// other for itself: where both are there, the bearer token counts if it is of one of our issuers, else the key.
fn token<'a>(headers: &'a HeaderMap, keys: &Keys) -> Result<Option<&'a str>> {
    const UNREADABLE: Error = Error::Unauthenticated("the Authorization header must be: Bearer, a blank, and a token");
    let key = match headers.get("x-api-key").filter(|value| !value.as_bytes().trim_ascii().is_empty()) {
        Some(value) => {
            let unreadable = |_| Error::Unauthenticated("the X-API-Key header must be a token");
            Some(value.to_str().map_err(unreadable)?.trim())
        }
        None => None,
    };
    if headers.get_all(header::AUTHORIZATION).iter().nth(1).is_some() {
        return Err(Error::Unauthenticated("there must be one Authorization header"));
    }
    let mut bearer = None;
    let mut unreadable = false;
    for value in headers.get_all(header::AUTHORIZATION) {
        match Authorization::read(value) {
            Authorization::Bearer(token) => bearer = bearer.or(Some(token)),
            Authorization::Other => {}
            Authorization::Unreadable => unreadable = true,
        }
    }
    match (bearer, key) {
        (Some(bearer), Some(key)) => Ok(Some(if keys.claims_our_issuer(bearer) { bearer } else { key })),
        (None, None) if unreadable => Err(UNREADABLE),
        (bearer, key) => Ok(bearer.or(key)),
    }
}
