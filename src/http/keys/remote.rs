//! The keys of one issuer's address (JWKS): fetched one at a time, kept while the issuer is down.

use std::time::Duration;

use arc_swap::ArcSwap;
use reqwest::{Client, Response, Url, redirect::Policy};
use tokio::sync::Mutex;
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
    /// Held during a fetch: whoever else needs the keys waits for that one.
    fetching: Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    keys: Vec<VerifyingKey>,
    /// When it was last asked, with success or without.
    asked: Option<Timestamp>,
    /// When it last answered.
    answered: Option<Timestamp>,
}

impl Remote {
    pub fn new(product: &str, url: String) -> Result<Self, String> {
        let url = Url::parse(&url).map_err(|error| format!("{url}: {error}"))?;
        // A redirect could lead anywhere, to plain http too.
        let mut client = Client::builder().timeout(TIMEOUT).redirect(Policy::none()).user_agent("ledgerline");
        if is_loopback(&url) {
            client = client.no_proxy();
        } else {
            client = client.https_only(true);
        }
        let client = client.build().map_err(|error| format!("{url}: {error}"))?;
        Ok(Self { product: product.to_owned(), url, client, known: ArcSwap::default(), fetching: Mutex::default() })
    }

    /// The keys it last told.
    pub fn keys(&self) -> Vec<VerifyingKey> {
        self.known.load().keys.clone()
    }

    /// Whether it has ever told any.
    pub fn has_keys(&self) -> bool {
        self.known.load().answered.is_some()
    }

    /// Whether its keys are old enough to be fetched anew without a special reason.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.known.load().is_due(now)
    }

    /// Fetches keys that are due. Who finds a fetch under way goes on with the old keys, if there are some.
    pub async fn refresh_if_due(&self, now: Timestamp, changed: impl Fn()) -> bool {
        let guard = if self.has_keys() { self.fetching.try_lock().ok() } else { Some(self.fetching.lock().await) };
        if guard.is_some() && self.is_due(now) {
            self.fetch(now, changed).await;
        }
        self.has_keys()
    }

    /// Fetches because a token needs a key that is not there. Who waited for another's fetch looks at that one's.
    pub async fn refresh_for_unknown(&self, now: Timestamp, changed: impl Fn()) {
        let _guard = self.fetching.lock().await;
        if self.known.load().may_ask(now) {
            self.fetch(now, changed).await;
        }
    }

    async fn fetch(&self, now: Timestamp, changed: impl Fn()) {
        let mut known = Known::clone(&self.known.load());
        known.asked = Some(now);
        match self.document().await.and_then(|text| VerifyingKey::jwks(&text)) {
            Ok(keys) => {
                info!(product = self.product, jwks.url = %self.url, keys.len = keys.len(), "fetched the issuer's keys");
                known.keys = keys;
                known.answered = Some(now);
            }
            Err(reason) => {
                let kept = known.keys.len();
                warn!(product = self.product, jwks.url = %self.url, reason, keys.len = kept, "could not fetch the issuer's keys, going on with those at hand");
            }
        }
        self.known.store(known.into());
        changed();
    }

    async fn document(&self) -> Result<String, String> {
        let answer = self.client.get(self.url.clone()).header("accept", "application/json").send().await;
        let mut answer = answer.map_err(with_causes)?;
        if !answer.status().is_success() {
            return Err(format!("the address answered {}", answer.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = Response::chunk(&mut answer).await.map_err(with_causes)? {
            if bytes.len() + chunk.len() > DOCUMENT_BYTES {
                return Err(format!("the document is over {DOCUMENT_BYTES} bytes"));
            }
            bytes.extend_from_slice(&chunk);
        }
        String::from_utf8(bytes).map_err(|error| error.to_string())
    }
}

impl Known {
    fn may_ask(&self, now: Timestamp) -> bool {
        self.asked.is_none_or(|asked| is_past(asked, BETWEEN_FETCHES, now))
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.may_ask(now) && self.answered.is_none_or(|answered| is_past(answered, FRESH, now))
    }
}

/// Whether `span` has gone by since `then`. A clock that was set back must not keep us waiting for it.
fn is_past(then: Timestamp, span: i64, now: Timestamp) -> bool {
    now < then || now.0.saturating_sub(then.0) >= span
}

/// An error with its causes: reqwest's own text does not say why.
fn with_causes(error: reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
