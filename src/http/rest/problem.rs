//! Errors as problem details (RFC 9457). Their type is `about:blank`, so the title is the status's own phrase; what tells
//! one problem from another is `code`, as in GraphQL. `error.rs` has the table.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{fault::Fault, result::RecordResult};
use crate::{
    error::{Code, Error},
    http::received::Unread,
};

/// What went wrong (RFC 9457). Members that say nothing are left out.
#[derive(Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the `code` tells problems apart.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status's own phrase.
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    #[serde(flatten)]
    fault: Fault,
    /// Names the request in the service's log.
    request_id: String,
    /// Where all of several events were refused: a result per event, in the order of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    results: Vec<RecordResult>,
}

/// Why a request is not answered with what it asked for.
pub struct Refusal {
    status: StatusCode,
    fault: Fault,
    /// What the service's log is told.
    cause: Option<Error>,
    headers: Vec<(HeaderName, HeaderValue)>,
    results: Vec<RecordResult>,
}

impl Refusal {
    /// A refusal that HTTP has a status of its own for.
    pub fn other(status: StatusCode, message: impl Into<String>) -> Self {
        let code = if status == StatusCode::NOT_FOUND { Code::NotFound } else { Code::BadUserInput };
        Self {
            status,
            fault: Fault::plain(code, message.into()),
            cause: None,
            headers: Vec::new(),
            results: Vec::new(),
        }
    }

    /// 405; what is allowed is said by whoever knows.
    pub fn method() -> Self {
        Self::other(StatusCode::METHOD_NOT_ALLOWED, "this method is not for this address: see Allow")
    }

    /// 404 for an address that there is not.
    pub fn no_route() -> Self {
        Self::other(StatusCode::NOT_FOUND, "there is no such address")
    }

    /// The same with a header.
    pub fn with(mut self, header: HeaderName, value: &'static str) -> Self {
        self.headers.push((header, HeaderValue::from_static(value)));
        self
    }

    /// The same with what became of every event.
    pub fn with_results(self, results: Vec<RecordResult>) -> Self {
        Self { results, ..self }
    }

    /// The problem as an answer; a fault of ours is logged.
    pub fn into_response(self, request_id: &str) -> Response {
        let Self { status, fault, cause, headers, results } = self;
        if let Some(error @ (Error::Internal(_) | Error::Unavailable(_))) = &cause {
            let cause = error.cause_text();
            tracing::error!(
                request_id,
                code = error.code().as_str(),
                cause,
                "a request could not be answered: {error}"
            );
        }
        let retry = fault.retry_after_ms();
        let problem = Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            fault,
            request_id: request_id.to_owned(),
            results,
        };
        let body = serde_json::to_string(&problem).expect("texts and numbers are JSON");
        let mut response = (status, body).into_response();
        let out = response.headers_mut();
        out.extend(headers);
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(ms) = retry {
            out.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000)));
        }
        if status == StatusCode::UNAUTHORIZED {
            out.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.code().status()).expect("the table of codes has statuses");
        Self { status, fault: Fault::from(&error), cause: Some(error), headers: Vec::new(), results: Vec::new() }
    }
}

impl From<Unread> for Refusal {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Refused { status, message, hint: Some((header, taken)) } => {
                Self::other(status, message).with(header, taken)
            }
            Unread::Refused { status, message, hint: None } => Self::other(status, message),
            Unread::Full(error) => Self::from(error),
        }
    }
}
