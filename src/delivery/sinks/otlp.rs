//! OpenTelemetry logs by OTLP over HTTP in JSON, <https://opentelemetry.io/docs/specs/otlp/#otlphttp>: an event is a log
//! record, with the names of OpenTelemetry's semantic conventions where there are any.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reqwest::{
    Client, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Aimed, Failure, FailureKind, Sink, Ways, below, body, check_base, judge, parts, retry_after, words};
use crate::{
    error::{Error, Result},
    event::{ActorKind, Outcome, Timestamp},
    reading::shown::{Shown, json::AuditEvent},
    store::control::endpoints::{Endpoint, EndpointKind},
};

const PATH: &str = "/v1/logs";
/// The most bytes of log records in a request, where there are many events.
const REQUEST_BYTES: usize = 900_000;
/// Most further headers, and the longest of their values in bytes.
const HEADERS: usize = 16;
const VALUE_BYTES: usize = 4_096;
/// Headers that are the protocol's own.
const OURS: [&str; 10] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Checks the target. The headers are its secret; their names are shown.
pub fn aim(url: &str, headers: Vec<(String, String)>, ways: &Ways) -> Result<Aimed> {
    let url = check_base(url, ways)?.to_string();
    if headers.len() > HEADERS {
        return Err(Error::bad_input("headers", format!("must be at most {HEADERS}, got {}", headers.len())));
    }
    let mut kept = BTreeMap::new();
    for (place, (name, value)) in headers.into_iter().enumerate() {
        let name = match HeaderName::try_from(&name) {
            Ok(name) if !OURS.contains(&name.as_str()) => name,
            Ok(_) => return Err(Error::bad_input(format!("headers[{place}].name"), "must be no header of HTTP's own")),
            Err(_) => return Err(Error::bad_input(format!("headers[{place}].name"), "must be the name of a header")),
        };
        if value.len() > VALUE_BYTES || HeaderValue::try_from(&value).is_err() {
            let rule = format!("must be the value of a header, of at most {VALUE_BYTES} bytes");
            return Err(Error::bad_input(format!("headers[{place}].value"), rule));
        }
        if kept.insert(name.as_str().to_owned(), value).is_some() {
            return Err(Error::bad_input(format!("headers[{place}].name"), "must be there once"));
        }
    }
    let settings = json!({ "headers": kept.keys().collect::<Vec<_>>() }).to_string();
    // Always there: what was brought for another address must not go to this one.
    let secret = Some(serde_json::to_string(&kept).map_err(Error::internal)?);
    Ok(Aimed { kind: EndpointKind::Otlp, url, settings, secret, is_drawn: false })
}

/// The receiver of an endpoint.
pub struct Otlp {
    url: Url,
    client: Client,
    headers: BTreeMap<String, String>,
    host: String,
}

/// What it answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    partial_success: Option<Partial>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Partial {
    /// A number of 64 bits, which JSON of Protocol Buffers writes as a text, and others as a number.
    rejected_log_records: Value,
    error_message: String,
}

impl Partial {
    fn rejected(&self) -> i64 {
        let number = &self.rejected_log_records;
        number.as_i64().or_else(|| number.as_str()?.parse().ok()).unwrap_or_default()
    }
}

impl Otlp {
    pub fn open(endpoint: &Endpoint, ways: &Ways) -> Result<Self> {
        let secret = endpoint.secrets.first().map_or("{}", |secret| secret.text.as_str());
        let headers = serde_json::from_str(secret).map_err(Error::internal)?;
        let (url, client) = (below(&endpoint.url, PATH)?, ways.outbound.client().clone());
        Ok(Self { url, client, headers, host: ways.host() })
    }

    async fn post(&self, records: &[String], product: Option<&str>) -> Result<Option<u16>, Failure> {
        let sent = self.client.post(self.url.clone()).headers(self.headers()).header(CONTENT_TYPE, "application/json");
        let sent = sent.body(self.request(records, product)).send().await;
        let mut answer = sent.map_err(|error| Failure::unavailable(words(&error)))?;
        let (status, retry_after) = (answer.status(), retry_after(&answer));
        let body = body(&mut answer, 16_384).await;
        let judged = if status.is_success() {
            taken(status.as_u16(), &body)
        } else {
            Err(judged(status.as_u16(), retry_after, &body))
        };
        judged.map_err(|failure| self.headers.values().fold(failure, |failure, value| failure.without(value)))
    }

    fn headers(&self) -> HeaderMap {
        let header = |(name, value): (&String, &String)| {
            let mut value = HeaderValue::try_from(value).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::try_from(name).ok()?, value))
        };
        self.headers.iter().filter_map(header).collect()
    }

    /// A request with log records that are JSON already.
    fn request(&self, records: &[String], product: Option<&str>) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let mut attributes =
            vec![text("service.name", "ledgerline"), text("service.version", version), text("host.name", &self.host)];
        attributes.extend(product.map(|product| text("ledgerline.product", product)));
        let resource = json!({ "attributes": attributes });
        let scope = json!({ "name": "ledgerline", "version": version });
        let records = records.join(",");
        format!(
            r#"{{"resourceLogs":[{{"resource":{resource},"scopeLogs":[{{"scope":{scope},"logRecords":[{records}]}}]}}]}}"#
        )
    }
}

#[async_trait]
impl Sink for Otlp {
    fn most(&self) -> usize {
        100
    }

    async fn send(&self, events: &[Shown], _: Timestamp) -> Result<Option<u16>, Failure> {
        let product = events.first().map(|shown| shown.product().name.as_str());
        let mut last = None;
        for part in parts(events.iter().map(record).collect(), REQUEST_BYTES) {
            last = self.post(&part, product).await?;
        }
        Ok(last)
    }

    async fn test(&self, organization: &str, at: Timestamp) -> Result<Option<u16>, Failure> {
        let record = json!({
            "timeUnixNano": at.0.to_string(),
            "observedTimeUnixNano": at.0.to_string(),
            "severityNumber": 9,
            "severityText": "INFO",
            "eventName": "audit_endpoint.test",
            "body": { "stringValue": format!("A test of an endpoint of {organization}") },
        });
        self.post(&[record.to_string()], None).await
    }
}

/// The log record of an event. Its body is the JSON form; attributes say what is filtered by.
fn record(shown: &Shown) -> String {
    let event = shown.event();
    let (number, severity) = match event.outcome {
        Some(Outcome::Failure) => (13, "WARN"),
        Some(Outcome::Success | Outcome::Accepted) | None => (9, "INFO"),
    };
    let mut attributes = vec![
        text("event.name", &event.action),
        text("log.record.uid", &event.id().to_string()),
        json!({ "key": "ledgerline.sequence", "value": { "intValue": event.sequence.to_string() } }),
    ];
    let actor = shown.actor();
    attributes.push(text("ledgerline.actor.kind", actor.kind().as_str()));
    let is_person = matches!(actor.kind(), ActorKind::User | ActorKind::Staff);
    let log = shown.log().map(|log| format!("{}:{}", log.level(), log.external_id()));
    let resource = shown.resource();
    for (key, value) in [
        (if is_person { "user.id" } else { "ledgerline.actor.id" }, actor.actor.id.as_deref()),
        (if is_person { "user.full_name" } else { "ledgerline.actor.name" }, actor.actor.name.as_deref()),
        ("user.email", actor.actor.email.as_deref()),
        ("client.address", event.ip_address.as_deref()),
        ("user_agent.original", event.user_agent.as_deref()),
        ("ledgerline.outcome", event.outcome.map(Outcome::as_str)),
        ("ledgerline.category", event.category.as_deref()),
        ("ledgerline.log", log.as_deref()),
        ("ledgerline.resource.type", resource.and_then(|resource| resource.kind.as_deref())),
        ("ledgerline.resource.id", resource.and_then(|resource| resource.id.as_deref())),
        ("ledgerline.correlation_id", event.correlation_id.as_deref()),
    ] {
        attributes.extend(value.map(|value| text(key, value)));
    }
    let body = serde_json::to_string(&AuditEvent::of(shown)).expect("an event becomes JSON");
    let record = json!({
        // No instant before 1970 can be said.
        "timeUnixNano": event.occurred_at.0.max(0).to_string(),
        "observedTimeUnixNano": event.recorded_at.0.to_string(),
        "severityNumber": number,
        "severityText": severity,
        "eventName": event.action,
        "body": { "stringValue": body },
        "attributes": attributes,
    });
    record.to_string()
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// What a success means: it may be one of a part.
fn taken(status: u16, body: &str) -> Result<Option<u16>, Failure> {
    let partial = serde_json::from_str::<Answer>(body).ok().and_then(|answer| answer.partial_success);
    let Some(partial) = partial.filter(|partial| partial.rejected() > 0) else { return Ok(Some(status)) };
    let said: String = partial.error_message.chars().filter(|letter| !letter.is_control()).take(200).collect();
    let reason = format!("it rejected {} log records: {said}", partial.rejected());
    Err(Failure { kind: FailureKind::Rejected, status: Some(status), reason, retry_after: None })
}

/// What a refusal means. A key or an address that is not right is no event's fault: everything waits.
fn judged(status: u16, retry_after: Option<u64>, body: &str) -> Failure {
    let mut failure = judge(status, retry_after, body);
    if matches!(status, 401 | 403 | 404 | 405) {
        failure.kind = FailureKind::Unavailable;
    }
    failure
}
