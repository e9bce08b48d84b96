//! `ETag` and `If-None-Match` (RFC 9110, 8.8.3 and 13.1.2).
//!
//! A tag is the hash of what is shown, made after permission and reading: so it is right whatever an answer depends on,
//! and says nothing to whoever may not read. It is weak, because cursors in the body move with every event of the
//! organization though the page stays what it is, and because compression changes the bytes.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

/// The body with a tag of what of it counts; 304 without a body, where the client has that already.
pub fn tagged(headers: &HeaderMap, counts: &[&str], body: impl FnOnce() -> String) -> Response {
    let mut hash = Sha256::new();
    for part in counts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let tag: String = hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let mut response = if is_known(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], body()).into_response()
    };
    let out = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&format!("W/\"{tag}\"")) {
        out.insert(header::ETAG, tag);
    }
    // Kept by its reader alone, and asked for anew every time.
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    out.append(header::VARY, HeaderValue::from_static("authorization, x-api-key, accept-language"));
    response
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    given.flat_map(|value| value.split(',')).any(|each| {
        let each = each.trim();
        each == "*" || each.strip_prefix("W/").unwrap_or(each).trim_matches('"') == tag
    })
}
