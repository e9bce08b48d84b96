//! The HTTP event collector of Splunk,
//! <https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector>: many events a request, one
//! JSON object after the other.

use std::io::Write;

use async_trait::async_trait;
use flate2::{Compression, write::GzEncoder};
use reqwest::{
    Client, Url,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue},
};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use super::{Aimed, Failure, FailureKind, Sink, Ways, below, body, check_base, judge, parts, retry_after, words};
use crate::{
    error::{Error, Result},
    event::Timestamp,
    reading::shown::{Shown, json::AuditEvent},
    store::control::endpoints::{Endpoint, EndpointKind},
};

const PATH: &str = "/services/collector/event";
/// What the events are to Splunk, for field extractions and searches.
const SOURCE_TYPE: &str = "ledgerline:audit";
/// The most bytes of a request, where there are many events: Splunk Cloud takes no more than a megabyte.
const REQUEST_BYTES: usize = 900_000;
/// Longest token.
const TOKEN_BYTES: usize = 256;

/// Settings, as they are stored and shown.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<String>,
    gzip: bool,
}

/// Checks the target.
pub fn aim(url: &str, token: String, index: Option<String>, gzip: bool, ways: &Ways) -> Result<Aimed> {
    let url = check_base(url, ways)?.to_string();
    if token.len() > TOKEN_BYTES || token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let rule = format!("must be 1 to {TOKEN_BYTES} printable ASCII characters without a space");
        return Err(Error::bad_input("token", rule));
    }
    let is_name = |index: &String| {
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        (1..=80).contains(&index.len()) && index.bytes().all(letters)
    };
    if index.as_ref().is_some_and(|index| !is_name(index)) {
        let rule = "must be 1 to 80 of lower-case letters, digits, `_` and `-`, as Splunk names an index";
        return Err(Error::bad_input("index", rule));
    }
    let settings = serde_json::to_string(&Settings { index, gzip }).map_err(Error::internal)?;
    Ok(Aimed { kind: EndpointKind::SplunkHec, url, settings, secret: Some(token), is_drawn: false })
}

/// The receiver of an endpoint.
pub struct Splunk {
    url: Url,
    client: Client,
    token: String,
    settings: Settings,
    host: String,
}

/// An event, as the collector takes it.
#[derive(Serialize)]
struct Message<'a, T: Serialize> {
    time: Box<RawValue>,
    host: &'a str,
    source: &'a str,
    sourcetype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'a str>,
    event: T,
}

/// What it answers.
#[derive(Deserialize)]
struct Answer {
    code: i64,
}

impl Splunk {
    pub fn open(endpoint: &Endpoint, ways: &Ways) -> Result<Self> {
        let settings = serde_json::from_str(&endpoint.settings).map_err(Error::internal)?;
        let token = endpoint.secrets.first().map(|secret| secret.text.clone()).unwrap_or_default();
        let (url, client) = (below(&endpoint.url, PATH)?, ways.outbound.client().clone());
        Ok(Self { url, client, token, settings, host: ways.host() })
    }

    fn message(&self, at: Timestamp, product: Option<&str>, event: impl Serialize) -> String {
        let source = product.map_or_else(|| "ledgerline".to_owned(), |product| format!("ledgerline:{product}"));
        let message = Message {
            time: RawValue::from_string(seconds(at)).expect("seconds are a number"),
            host: &self.host,
            source: &source,
            sourcetype: SOURCE_TYPE,
            index: self.settings.index.as_deref(),
            event,
        };
        serde_json::to_string(&message).expect("an event becomes JSON")
    }

    async fn post(&self, events: String) -> Result<Option<u16>, Failure> {
        let mut authorization = HeaderValue::from_str(&format!("Splunk {}", self.token)).expect("it was checked");
        authorization.set_sensitive(true);
        let request = self.client.post(self.url.clone()).header(AUTHORIZATION, authorization);
        let request = request.header(CONTENT_TYPE, "application/json");
        let request = if self.settings.gzip {
            request.header(CONTENT_ENCODING, "gzip").body(gzip(events.as_bytes()))
        } else {
            request.body(events)
        };
        let mut answer = request.send().await.map_err(|error| Failure::unavailable(words(&error)))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(Some(status.as_u16()));
        }
        let (retry_after, body) = (retry_after(&answer), body(&mut answer, 1_024).await);
        Err(judged(status.as_u16(), retry_after, &body).without(&self.token))
    }
}

#[async_trait]
impl Sink for Splunk {
    fn most(&self) -> usize {
        100
    }

    async fn send(&self, events: &[Shown], _: Timestamp) -> Result<Option<u16>, Failure> {
        let written = events
            .iter()
            .map(|shown| self.message(shown.event().occurred_at, Some(&shown.product().name), AuditEvent::of(shown)));
        let mut last = None;
        for part in parts(written.collect(), REQUEST_BYTES) {
            last = self.post(part.concat()).await?;
        }
        Ok(last)
    }

    async fn test(&self, organization: &str, at: Timestamp) -> Result<Option<u16>, Failure> {
        let event = json!({ "type": "audit_endpoint.test", "organization": organization });
        self.post(self.message(at, None, event)).await
    }
}

/// What an answer means: the code in it tells more than the status.
fn judged(status: u16, retry_after: Option<u64>, body: &str) -> Failure {
    let mut failure = judge(status, retry_after, body);
    let code = serde_json::from_str(body).ok().map(|Answer { code }| code);
    failure.kind = match (status, code) {
        // No data, a format that it cannot read, no event, an empty one, or fields that it cannot index: of this event.
        (413, _) | (_, Some(5 | 6 | 12 | 13 | 15)) => FailureKind::Rejected,
        // A token, an index or a channel that it does not know, or too much to do: nothing of it is an event's fault.
        (_, Some(_)) | (401 | 403 | 404 | 405, None) => FailureKind::Unavailable,
        _ => failure.kind,
    };
    failure
}

/// Seconds since 1970 with nine digits of fraction: a double would lose half of them.
fn seconds(at: Timestamp) -> String {
    let (sign, nanos) = (if at.0 < 0 { "-" } else { "" }, at.0.unsigned_abs());
    format!("{sign}{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).and_then(|()| packed.finish()).expect("memory takes everything")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_seconds_with_all_of_its_fraction() {
        for (nanos, expected) in [
            (1_764_121_688_123_456_789, "1764121688.123456789"),
            (1_000_000_000, "1.000000000"),
            (-1_500_000_000, "-1.500000000"),
            (-1, "-0.000000001"),
        ] {
            assert_eq!(seconds(Timestamp(nanos)), expected);
            RawValue::from_string(expected.to_owned()).unwrap();
        }
    }

    #[test]
    fn only_what_is_wrong_with_an_event_puts_it_aside() {
        let kind = |status, body: &str| judged(status, None, body).kind;
        for (status, body) in [
            (503, r#"{"text":"Server is busy","code":9}"#),
            (403, r#"{"text":"Invalid token","code":4}"#),
            (403, r#"{"text":"Token disabled","code":1}"#),
            (401, r#"{"text":"Token is required","code":2}"#),
            (400, r#"{"text":"Incorrect index","code":7,"invalid-event-number":1}"#),
            (404, "not found"),
            (502, "bad gateway"),
            (429, ""),
        ] {
            assert_eq!(kind(status, body), FailureKind::Unavailable, "{status} {body}");
        }
        for (status, body) in [
            (400, r#"{"text":"Invalid data format","code":6,"invalid-event-number":0}"#),
            (400, r#"{"text":"Event field cannot be blank","code":13}"#),
            (413, r#"{"text":"Request entity too large","code":27}"#),
            (400, "bad request"),
        ] {
            assert_eq!(kind(status, body), FailureKind::Rejected, "{status} {body}");
        }
    }
}
