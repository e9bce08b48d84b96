//! What events are sent to: a kind of endpoint is a file.

mod webhook;

use async_trait::async_trait;

use super::outbound::Outbound;
use crate::{
    chance::Chance,
    error::Result,
    event::Timestamp,
    reading::shown::Shown,
    store::control::endpoints::{Endpoint, EndpointKind},
};

/// What a sink is opened with.
#[derive(Clone, Debug)]
pub struct Ways {
    /// How addresses are reached.
    pub outbound: Outbound,
    /// Where the service is reached from outside; empty where that was not said.
    pub public_url: String,
}

/// Where an endpoint is to be, as a caller asks for it.
#[derive(Clone, Debug)]
pub enum Target {
    /// HTTPS by Standard Webhooks.
    Webhook {
        /// The address.
        url: String,
    },
}

/// What is stored of a target.
pub struct Aimed {
    /// Its kind.
    pub kind: EndpointKind,
    /// Where it is.
    pub url: String,
    /// Settings of its kind, as JSON.
    pub settings: String,
    /// The secret that the caller brought, or that was drawn.
    pub secret: Option<String>,
    /// Whether the secret was drawn: it is shown once.
    pub is_drawn: bool,
}

impl Target {
    /// Checks a target, and draws the secret of a kind that has one.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field.
    pub fn aim(self, ways: &Ways, chance: &Chance) -> Result<Aimed> {
        match self {
            Self::Webhook { url } => webhook::aim(&url, ways, chance),
        }
    }
}

/// A new secret for an endpoint of a kind that draws them; `None` for one whose secrets others make.
#[must_use]
pub fn draw_secret(kind: EndpointKind, chance: &Chance) -> Option<String> {
    match kind {
        EndpointKind::Webhook => Some(webhook::draw_secret(chance)),
        _ => None,
    }
}

/// Why a receiver has not taken what it was sent.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What it means.
    pub kind: FailureKind,
    /// Status that it answered with, where it speaks HTTP.
    pub status: Option<u16>,
    /// Why, in words.
    pub reason: String,
    /// How many seconds the receiver wants to be left alone.
    pub retry_after: Option<u64>,
}

/// What a failure means for what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The receiver cannot be reached, or cannot work now: everything waits for it.
    Unavailable,
    /// It answers, and would not take this.
    Rejected,
    /// It is gone for good.
    Gone,
}

/// Takes events for a receiver.
#[async_trait]
pub trait Sink: Send + Sync {
    /// The most events that it takes at once.
    fn most(&self) -> usize;

    /// Sends events, in their order, at an instant. What it has answered for is with the receiver.
    ///
    /// # Errors
    /// Why the receiver has not taken them: none of them is said to have arrived.
    async fn send(&self, events: &[Shown], at: Timestamp) -> Result<Option<u16>, Failure>;

    /// Sends something that says that it is a test.
    ///
    /// # Errors
    /// As [`Self::send`].
    async fn test(&self, organization: &str, at: Timestamp) -> Result<Option<u16>, Failure>;
}

/// Opens the sink of an endpoint.
///
/// # Errors
/// `INTERNAL` where what is stored of it cannot be read.
pub fn open(endpoint: &Endpoint, ways: &Ways) -> Result<Box<dyn Sink>> {
    match endpoint.kind {
        EndpointKind::Webhook => Ok(Box::new(webhook::Webhook::open(endpoint, ways)?)),
        kind => Err(crate::error::Error::internal(NotSent(kind))),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("this version sends nothing to endpoints of the kind {0:?}")]
struct NotSent(EndpointKind);

/// What an answer of HTTP means.
fn judge(status: u16, retry_after: Option<u64>, body: &str) -> Failure {
    let kind = match status {
        410 => FailureKind::Gone,
        // A time-out, a lock, "too early" and "too many" say nothing of what was sent.
        408 | 421 | 423 | 425 | 429 => FailureKind::Unavailable,
        400..=499 => FailureKind::Rejected,
        _ => FailureKind::Unavailable,
    };
    let shown: String = body.chars().filter(|letter| !letter.is_control()).take(200).collect();
    let reason = if shown.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {shown}") };
    Failure { kind, status: Some(status), reason, retry_after }
}

/// Sends a request of HTTP, and judges the answer. Of a refusal, some of the body is read.
async fn exchange(request: reqwest::RequestBuilder) -> Result<Option<u16>, Failure> {
    let unavailable =
        |reason: String| Failure { kind: FailureKind::Unavailable, status: None, reason, retry_after: None };
    let mut answer = request.send().await.map_err(|error| unavailable(words(&error)))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(Some(status.as_u16()));
    }
    let retry_after =
        answer.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > 1_024 {
            break;
        }
    }
    Err(judge(status.as_u16(), retry_after, &String::from_utf8_lossy(&body)))
}

/// An error of a request with its causes, without the URL: it may hold a secret.
fn words(error: &reqwest::Error) -> String {
    let mut told =
        if error.is_timeout() { "it did not answer in time".to_owned() } else { "it cannot be reached".to_owned() };
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        next = cause.source();
    }
    told.truncate(told.floor_char_boundary(500));
    told
}
