//! HTTPS by Standard Webhooks, <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>:
//! one event a request, signed with every secret that is in use.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, Url, header::CONTENT_TYPE};
use serde::Serialize;
use serde_json::json;
use standardwebhooks::Webhook as Signer;

use super::{Aimed, Failure, Sink, Ways, exchange};
use crate::{
    chance::Chance,
    error::{Error, Result},
    event::Timestamp,
    reading::shown::{Shown, json::AuditEvent},
    store::control::endpoints::{Endpoint, EndpointKind, Secret},
};

/// Type of every message that brings an event.
const RECORDED: &str = "audit_event.recorded";
/// Type of a message that only tests.
const TEST: &str = "audit_endpoint.test";
/// Above so many bytes, an event goes without its metadata, as the specification advises.
const WHOLE_BYTES: usize = 20_000;
const NANOS: i64 = 1_000_000_000;

/// Checks the address, and draws the secret.
pub fn aim(url: &str, ways: &Ways, chance: &Chance) -> Result<Aimed> {
    let url = ways.outbound.check("url", url)?.to_string();
    let secret = Some(draw_secret(chance));
    Ok(Aimed { kind: EndpointKind::Webhook, url, settings: "{}".to_owned(), secret, is_drawn: true })
}

/// `whsec_` and 32 random bytes in base64.
pub fn draw_secret(chance: &Chance) -> String {
    let bytes: Vec<u8> = std::iter::repeat_with(|| chance.draw().to_be_bytes()).take(4).flatten().collect();
    format!("whsec_{}", STANDARD.encode(bytes))
}

/// The receiver of an endpoint.
pub struct Webhook {
    url: Url,
    client: Client,
    secrets: Vec<Secret>,
    public_url: String,
}

/// A message.
#[derive(Serialize)]
struct Message<'a, T: Serialize> {
    r#type: &'static str,
    /// When the event was recorded.
    timestamp: Timestamp,
    data: T,
    /// There, and true, where the event was too large and came without its metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
    /// Where the whole event is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

impl Webhook {
    pub fn open(endpoint: &Endpoint, ways: &Ways) -> Result<Self> {
        let url = Url::parse(&endpoint.url).map_err(Error::internal)?;
        let (client, secrets) = (ways.outbound.client().clone(), endpoint.secrets.clone());
        Ok(Self { url, client, secrets, public_url: ways.public_url.clone() })
    }

    async fn post(&self, id: &str, body: String, at: Timestamp) -> Result<Option<u16>, Failure> {
        let seconds = at.0.div_euclid(NANOS);
        let in_use = self.secrets.iter().filter(|secret| secret.until_ns.is_none_or(|until| at.0 < until));
        let signed = in_use.map(|secret| Signer::new(&secret.text)?.sign(id, seconds, body.as_bytes()));
        // Secrets are of our own making.
        let signatures: Vec<_> = signed.filter_map(Result::ok).collect();
        let request =
            self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").header("webhook-id", id);
        let request = request.header("webhook-timestamp", seconds).header("webhook-signature", signatures.join(" "));
        exchange(request.body(body)).await
    }
}

#[async_trait]
impl Sink for Webhook {
    fn most(&self) -> usize {
        1
    }

    async fn send(&self, events: &[Shown], at: Timestamp) -> Result<Option<u16>, Failure> {
        let mut last = None;
        for shown in events {
            let id = shown.event().id().to_string();
            last = self.post(&id, message(shown, &id, &self.public_url), at).await?;
        }
        Ok(last)
    }

    async fn test(&self, organization: &str, at: Timestamp) -> Result<Option<u16>, Failure> {
        let data = json!({ "organization": organization });
        let message = Message { r#type: TEST, timestamp: at, data, truncated: None, url: None };
        let body = serde_json::to_string(&message).expect("a test becomes JSON");
        self.post(&format!("test_{}", at.0), body, at).await
    }
}

/// The body of an event's message.
fn message(shown: &Shown, id: &str, public_url: &str) -> String {
    let timestamp = shown.event().recorded_at;
    let written = |data, truncated, url| {
        let message = Message { r#type: RECORDED, timestamp, data, truncated, url };
        serde_json::to_string(&message).expect("an event becomes JSON")
    };
    let whole = written(AuditEvent::of(shown), None, None);
    if whole.len() <= WHOLE_BYTES {
        return whole;
    }
    let url = format!("{public_url}/v1/audit-events/{id}");
    written(AuditEvent::without_metadata(shown), Some(true), Some(&url))
}
