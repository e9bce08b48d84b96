//! A request's body, whole: of the media type that is read, unpacked, in time, and no larger than it may be.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, HeaderName, StatusCode, header},
};

use super::{
    coding::{self, Coding, Fault},
    media,
};

/// Largest body of a request that records, in bytes.
pub const RECORDING_BODY: usize = 10 * 1024 * 1024;
/// Longest time that a request's body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why a body was not read.
pub struct Unread {
    /// The status (RFC 9110).
    pub status: StatusCode,
    /// What would have been read, in words.
    pub message: String,
    /// A header that says what would have been taken.
    pub hint: Option<(HeaderName, &'static str)>,
}

impl Unread {
    /// A body over a limit of bytes.
    pub fn too_large(limit: usize) -> Self {
        Self::plain(StatusCode::PAYLOAD_TOO_LARGE, format!("the body must be at most {limit} bytes"))
    }

    fn plain(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), hint: None }
    }

    /// 415 (RFC 9110, 15.5.16).
    fn media(message: &str, header: HeaderName, taken: &'static str) -> Self {
        Self { hint: Some((header, taken)), ..Self::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, message) }
    }
}

/// The bytes of a JSON body of at most `limit` bytes, packed and unpacked.
pub async fn json(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Unread> {
    if !media::is_json(headers) {
        let message = "the body must be application/json in UTF-8";
        return Err(Unread::media(message, header::ACCEPT, "application/json"));
    }
    let Some(coding) = Coding::of(headers) else {
        let message = "the body's Content-Encoding must be gzip alone, or none";
        return Err(Unread::media(message, header::ACCEPT_ENCODING, coding::ACCEPTED));
    };
    let whole = tokio::time::timeout(TIMEOUT, to_bytes(body, limit)).await;
    let late = |_| Unread::plain(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time");
    let body = whole.map_err(late)?.map_err(|_| Unread::too_large(limit))?;
    coding.unpack(body, limit).map_err(|fault| match fault {
        Fault::Broken => Unread::plain(StatusCode::BAD_REQUEST, "the body must be gzip, as its Content-Encoding says"),
        Fault::TooLarge => Unread::too_large(limit),
    })
}
