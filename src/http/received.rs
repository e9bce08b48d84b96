//! A request's body, whole: of the media type that is read, unpacked, in time, and no larger than it may be.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, StatusCode, header},
};
use futures_util::StreamExt;

use super::{
    bodies::{self, Room, VALUE, VALUES},
    coding::{self, Coding, Fault},
    media,
};
use crate::{
    auth::{self, Principal},
    error::Error,
};

/// Largest body of a request that does not record, in bytes.
pub const BODY: usize = 256 * 1024;
/// Largest body of a request that records, in bytes.
const RECORDING_BODY: usize = 10 * 1024 * 1024;
/// Bytes of a body up to which it is read where it arrives; a larger one takes long, and other requests are there.
pub const LARGE: usize = 64 * 1024;
/// Longest time that a request's body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why a body was not read.
pub enum Unread {
    /// By a rule of HTTP.
    Refused {
        /// The status (RFC 9110).
        status: StatusCode,
        /// What would have been read, in words.
        message: String,
        /// A header that says what would have been taken.
        hint: Option<(HeaderName, &'static str)>,
    },
    /// There is no room for it at the moment.
    Full(Error),
}

impl Unread {
    /// A body over a limit of bytes.
    pub fn too_large(limit: usize) -> Self {
        Self::plain(StatusCode::PAYLOAD_TOO_LARGE, format!("the body must be at most {limit} bytes"))
    }

    fn plain(status: StatusCode, message: impl Into<String>) -> Self {
        Self::Refused { status, message: message.into(), hint: None }
    }

    /// 415 (RFC 9110, 15.5.16).
    fn media(message: &str, header: HeaderName, taken: &'static str) -> Self {
        let (status, message) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, message.to_owned());
        Self::Refused { status, message, hint: Some((header, taken)) }
    }
}

/// Largest body that is read of somebody: a large one only of whoever has proved that they may record.
pub fn limit(principal: Option<&Principal>) -> usize {
    if principal.is_some_and(|principal| principal.has_scope(auth::RECORD)) { RECORDING_BODY } else { BODY }
}

/// The bytes of a JSON body of at most `limit` bytes, packed and unpacked; what they and their values take is taken of
/// `room`.
pub async fn json(headers: &HeaderMap, body: Body, limit: usize, room: &mut Room) -> Result<Bytes, Unread> {
    if !media::is_json(headers) {
        let message = "the body must be application/json in UTF-8";
        return Err(Unread::media(message, header::ACCEPT, "application/json"));
    }
    let Some(coding) = Coding::of(headers) else {
        let message = "the body's Content-Encoding must be gzip alone, or none";
        return Err(Unread::media(message, header::ACCEPT_ENCODING, coding::ACCEPTED));
    };
    // What comes in chunks may be coded besides, and HTTP/1.1 takes the chunks apart, but not that.
    let transferred = headers.get_all(header::TRANSFER_ENCODING).iter();
    if transferred.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).any(|name| {
        let name = name.trim_ascii();
        !name.is_empty() && !name.eq_ignore_ascii_case(b"chunked")
    }) {
        let message = "the body's Transfer-Encoding must be chunked alone, or none: Content-Encoding may be gzip";
        return Err(Unread::media(message, header::ACCEPT_ENCODING, coding::ACCEPTED));
    }
    let late = |_| Unread::plain(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time");
    let body = tokio::time::timeout(TIMEOUT, whole(headers, body, limit, room)).await.map_err(late)??;
    if coding == Coding::Gzip {
        room.take(coding.unpacked(&body, limit)).map_err(Unread::Full)?;
    }
    let body = coding.unpack(body, limit).map_err(|fault| match fault {
        Fault::Broken => Unread::plain(StatusCode::BAD_REQUEST, "the body must be gzip, as its Content-Encoding says"),
        Fault::TooLarge => Unread::too_large(limit),
    })?;
    fits(&body, room)?;
    Ok(body)
}

/// Takes the room of a JSON text's values, before any is made of it.
pub fn fits(text: &[u8], room: &mut Room) -> Result<(), Unread> {
    let values = bodies::values(text);
    if values > VALUES {
        let message = format!("the body must have at most {VALUES} values in all, got {values}");
        return Err(Unread::plain(StatusCode::BAD_REQUEST, message));
    }
    room.take(values * VALUE).map_err(Unread::Full)
}

async fn whole(headers: &HeaderMap, body: Body, limit: usize, room: &mut Room) -> Result<Bytes, Unread> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if told.is_some_and(|told: usize| told > limit) {
        return Err(Unread::too_large(limit));
    }
    let mut whole = Vec::new();
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let broken =
            |_| Unread::plain(StatusCode::BAD_REQUEST, "the body broke off, or is not coded as its headers say");
        let piece = piece.map_err(broken)?;
        if whole.len() + piece.len() > limit {
            return Err(Unread::too_large(limit));
        }
        room.take(piece.len()).map_err(Unread::Full)?;
        whole.extend_from_slice(&piece);
    }
    Ok(whole.into())
}
