//! The keys of one issuer's address (JWKS): fetched one at a time, kept while the issuer is down.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use reqwest::{Client, Response, Url, redirect::Policy};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::{info, warn};

use crate::{auth::VerifyingKey, catalog::is_loopback, event::Timestamp};

/// Shortest time between two fetches, in nanoseconds: 30 seconds. Tokens with made-up key ids must not become
/// requests to the issuer.
const BETWEEN_FETCHES: i64 = 30 * 1_000_000_000;

/// Age at which keys are fetched anew, in nanoseconds: 10 minutes. Until then a key that its issuer has withdrawn
/// is still believed.
const FRESH: i64 = 600 * 1_000_000_000;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Largest document, in bytes.
const DOCUMENT_BYTES: usize = 64 * 1024;

/// One address, and what it last said.
pub(super) struct Remote {
    pub product: String,
    url: Url,
    client: Client,
    known: ArcSwap<Known>,
    /// When it was last asked, with success or without. Held during a fetch.
    asked: Arc<Mutex<Option<Timestamp>>>,
}

/// The one right to ask, until it is dropped.
pub(super) type Turn = OwnedMutexGuard<Option<Timestamp>>;

#[derive(Default)]
struct Known {
    keys: Vec<VerifyingKey>,
    answered: Option<Timestamp>,
}

impl Remote {
    pub fn new(product: &str, url: String) -> Result<Self, String> {
        let url = Url::parse(&url).map_err(|error| format!("{url}: {error}"))?;
        // A redirect could lead anywhere, to plain http too.
        let client = Client::builder().timeout(TIMEOUT).redirect(Policy::none()).user_agent("ledgerline");
        let client = if is_loopback(&url) { client.no_proxy() } else { client.https_only(true) };
        let client = client.build().map_err(|error| format!("{url}: {}", with_causes(&error)))?;
        Ok(Self { product: product.to_owned(), url, client, known: ArcSwap::default(), asked: Arc::default() })
    }

    /// The keys it last told.
    pub fn keys(&self) -> Vec<VerifyingKey> {
        self.known.load().keys.clone()
    }

    /// Whether it has ever told any.
    pub fn has_answered(&self) -> bool {
        self.known.load().answered.is_some()
    }

    /// Waits for a fetch that is under way; the turn to ask again, where the last time is long enough ago.
    pub async fn turn(&self, now: Timestamp) -> Option<Turn> {
        claim(self.asked.clone().lock_owned().await, now)
    }

    /// The turn to ask, where the keys are old, nobody is asking and the last time is long enough ago.
    pub fn turn_if_old(&self, now: Timestamp) -> Option<Turn> {
        if self.known.load().answered.is_some_and(|answered| !is_past(answered, FRESH, now)) {
            return None;
        }
        claim(self.asked.clone().try_lock_owned().ok()?, now)
    }

    /// Asks. What does not answer well leaves the keys at hand as they are.
    pub async fn fetch(&self, now: Timestamp) {
        match self.document().await.and_then(|text| VerifyingKey::jwks(&text)) {
            Ok(keys) => {
                info!(product = self.product, jwks.url = %self.url, keys.len = keys.len(), "fetched the issuer's keys");
                self.known.store(Arc::new(Known { keys, answered: Some(now) }));
            }
            Err(reason) => {
                let kept = self.known.load().keys.len();
                warn!(product = self.product, jwks.url = %self.url, reason, keys.len = kept, "could not fetch the issuer's keys, going on with those at hand");
            }
        }
    }

    async fn document(&self) -> Result<String, String> {
        let answer = self.client.get(self.url.clone()).header("accept", "application/json").send().await;
        let mut answer = answer.map_err(|error| with_causes(&error))?;
        if !answer.status().is_success() {
            return Err(format!("the address answered {}", answer.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = Response::chunk(&mut answer).await.map_err(|error| with_causes(&error))? {
            if bytes.len() + chunk.len() > DOCUMENT_BYTES {
                return Err(format!("the document is over {DOCUMENT_BYTES} bytes"));
            }
            bytes.extend_from_slice(&chunk);
        }
        String::from_utf8(bytes).map_err(|error| error.to_string())
    }
}

fn claim(mut turn: Turn, now: Timestamp) -> Option<Turn> {
    if turn.is_some_and(|asked| !is_past(asked, BETWEEN_FETCHES, now)) {
        return None;
    }
    *turn = Some(now);
    Some(turn)
}

/// Whether `span` has gone by since `then`. A clock that was set back must not keep us waiting for it.
fn is_past(then: Timestamp, span: i64, now: Timestamp) -> bool {
    now < then || now.0.saturating_sub(then.0) >= span
}

/// An error with its causes: reqwest's own text does not say why.
fn with_causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
