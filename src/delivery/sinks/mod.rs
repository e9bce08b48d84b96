//! What events are sent to: a kind of endpoint is a file.

mod otlp;
mod s3;
mod splunk;
mod syslog;
mod webhook;

use std::fmt;

use async_trait::async_trait;

use reqwest::{Response, Url};

pub use self::{
    s3::{Bucket, Lock, LockMode},
    syslog::Lines,
};
use super::outbound::Outbound;
use crate::{
    chance::Chance,
    error::{Error, Result},
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
    /// Connections to receivers of syslog.
    pub lines: Lines,
}

impl Ways {
    /// The name of this machine to receivers that ask for one: the host that the service is reached at.
    fn host(&self) -> String {
        let host = Url::parse(&self.public_url).ok().and_then(|url| url.host_str().map(str::to_owned));
        host.unwrap_or_else(|| "ledgerline".to_owned())
    }
}

/// Where an endpoint is to be, as a caller asks for it.
#[derive(Clone)]
pub enum Target {
    /// HTTPS by Standard Webhooks.
    Webhook {
        /// The address.
        url: String,
    },
    /// The HTTP event collector of Splunk.
    SplunkHec {
        /// The address of the collector, without its path.
        url: String,
        /// Its token.
        token: String,
        /// The index; the token's own where absent.
        index: Option<String>,
        /// Whether bodies are compressed.
        gzip: bool,
    },
    /// Syslog by RFC 5424.
    Syslog {
        /// `syslog+tls://host:port` or `syslog+tcp://host:port`.
        url: String,
        /// Certificates in PEM that the receiver's must descend from; those that browsers trust where absent.
        ca: Option<String>,
        /// The longest message, in bytes.
        max_message_bytes: i64,
    },
    /// OpenTelemetry logs by OTLP over HTTP.
    Otlp {
        /// The address of the collector, without its path.
        url: String,
        /// Names and values of further headers.
        headers: Vec<(String, String)>,
    },
    /// An archive in a bucket of S3.
    S3(Bucket),
}

impl fmt::Debug for Target {
    /// Its kind: the rest may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webhook { .. } => "Webhook",
            Self::SplunkHec { .. } => "SplunkHec",
            Self::Syslog { .. } => "Syslog",
            Self::Otlp { .. } => "Otlp",
            Self::S3(_) => "S3",
        })
    }
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
            Self::SplunkHec { url, token, index, gzip } => splunk::aim(&url, token, index, gzip, ways),
            Self::Syslog { url, ca, max_message_bytes } => syslog::aim(&url, ca, max_message_bytes, ways),
            Self::Otlp { url, headers } => otlp::aim(&url, headers, ways),
            Self::S3(bucket) => s3::aim(bucket, ways),
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

impl Failure {
    /// The receiver cannot be reached, or cannot work now.
    fn unavailable(reason: String) -> Self {
        Self { kind: FailureKind::Unavailable, status: None, reason, retry_after: None }
    }

    /// The same without a secret that the receiver has repeated: administrators read the reason.
    fn without(mut self, secret: &str) -> Self {
        // What is shorter is no secret, and would tear words.
        if secret.len() >= 4 {
            self.reason = self.reason.replace(secret, "…");
        }
        self
    }
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

/// Events that go together.
#[derive(Clone, Copy, Debug)]
pub struct Portion {
    /// How many, at least one.
    pub count: usize,
    /// Until when it is worth waiting for more of them; `None` where no more can come.
    pub until: Option<Timestamp>,
}

/// Takes events for a receiver.
#[async_trait]
pub trait Sink: Send + Sync {
    /// The most events that it takes at once.
    fn most(&self) -> usize;

    /// How many of the events that are there go together, which are some. After a refusal they go one by one, since
    /// what was refused together may be taken so; this says whether.
    fn portion(&self, events: &[Shown], one_by_one: bool) -> Portion {
        Portion { count: if one_by_one { 1 } else { self.most().min(events.len()) }, until: None }
    }

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
/// `INTERNAL` where what is stored of it cannot be read; `BAD_USER_INPUT` where its address may not be reached any more.
pub fn open(endpoint: &Endpoint, ways: &Ways) -> Result<Box<dyn Sink>> {
    ways.outbound.check_literal("url", &endpoint.url)?;
    match endpoint.kind {
        EndpointKind::Webhook => Ok(Box::new(webhook::Webhook::open(endpoint, ways)?)),
        EndpointKind::SplunkHec => Ok(Box::new(splunk::Splunk::open(endpoint, ways)?)),
        EndpointKind::Syslog => Ok(Box::new(syslog::Syslog::open(endpoint, ways)?)),
        EndpointKind::Otlp => Ok(Box::new(otlp::Otlp::open(endpoint, ways)?)),
        EndpointKind::S3 => Ok(Box::new(s3::S3::open(endpoint, ways)?)),
    }
}

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
    let mut answer = request.send().await.map_err(|error| Failure::unavailable(words(&error)))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(Some(status.as_u16()));
    }
    let (retry_after, body) = (retry_after(&answer), body(&mut answer, 1_024).await);
    Err(judge(status.as_u16(), retry_after, &body))
}

/// How many seconds an answer wants the receiver to be left alone.
fn retry_after(answer: &Response) -> Option<u64> {
    answer.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok())
}

/// The begin of a body: no more than `most` bytes and what came with them.
async fn body(answer: &mut Response, most: usize) -> String {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > most {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// The address that a receiver of a kind has below the one that a caller names. Whoever names the whole one means it.
fn below(url: &str, path: &str) -> Result<Url> {
    let mut url = Url::parse(url).map_err(Error::internal)?;
    let given = url.path().trim_end_matches('/').to_owned();
    if !given.ends_with(path) {
        url.set_path(&format!("{given}{path}"));
    }
    Ok(url)
}

/// Checks an address that a path is set below.
fn check_base(url: &str, ways: &Ways) -> Result<Url> {
    let url = ways.outbound.check("url", url)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Error::bad_input("url", "must have no query and no fragment"));
    }
    Ok(url)
}

/// Parts of texts, in their order, each of at most so many bytes; a longer text is a part of its own.
fn parts(texts: Vec<String>, most: usize) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = Vec::new();
    let mut bytes = 0;
    for text in texts {
        bytes += text.len();
        match parts.last_mut().filter(|_| bytes <= most) {
            Some(part) => part.push(text),
            None => {
                bytes = text.len();
                parts.push(vec![text]);
            }
        }
    }
    parts
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_every_text_in_order() {
        let texts = ["aa", "bb", "cccccc", "d", "e", "f", "ggg"].map(str::to_owned).to_vec();
        assert_eq!(parts(texts, 4), [vec!["aa", "bb"], vec!["cccccc"], vec!["d", "e", "f"], vec!["ggg"]]);
        assert!(parts(Vec::new(), 4).is_empty());
    }

    #[test]
    fn a_path_is_set_below_an_address_once() {
        for (given, expected) in [
            ("https://a.example", "https://a.example/v1/logs"),
            ("https://a.example/", "https://a.example/v1/logs"),
            ("https://a.example/otlp/", "https://a.example/otlp/v1/logs"),
            ("https://a.example/otlp/v1/logs", "https://a.example/otlp/v1/logs"),
        ] {
            assert_eq!(below(given, "/v1/logs").unwrap().as_str(), expected);
        }
    }
}
