//! The keys of one issuer's address (JWKS), or of the address that its OpenID configuration names: fetched one at a time, kept
//! while the issuer is down.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use reqwest::{Certificate, Client, Response, Url, redirect::Policy};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::{info, warn};

use crate::{
    auth::VerifyingKey,
    catalog::{Issuer, KeySource, fault_of_address, is_loopback},
    event::Timestamp,
};

const SECOND: i64 = 1_000_000_000;

/// Shortest time between two fetches, in nanoseconds. It doubles with every fetch in a row that helped nobody, because
/// it failed or brought the keys that were there before: tokens with made-up key ids or signatures must not become requests
/// to the issuer, and an issuer that is down is not held down by us.
const SHORTEST_PAUSE: i64 = SECOND;
const LONGEST_PAUSE: i64 = 30 * SECOND;

/// Time without a fetch after which the pause is the shortest again, in nanoseconds.
const FORGOTTEN: i64 = 600 * SECOND;

/// Age at which keys are fetched anew, in nanoseconds: 10 minutes. Until then a key that its issuer has withdrawn
/// is still believed.
const FRESH: i64 = 600 * SECOND;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Largest document, in bytes.
const DOCUMENT_BYTES: usize = 64 * 1024;

/// One address, and what it last said.
pub(super) struct Remote {
    product: String,
    /// The issuer whose keys these are.
    pub place: String,
    source: Source,
    allow_http: bool,
    client: Client,
    known: ArcSwap<Known>,
    /// Held during a fetch.
    asked: Arc<Mutex<Asked>>,
}

/// The one right to ask, until it is dropped.
pub(super) type Turn = OwnedMutexGuard<Asked>;

/// When and how often it was asked.
#[derive(Default)]
pub(super) struct Asked {
    /// The end of the last fetch, with success or without.
    last: Option<Timestamp>,
    /// Fetches in a row that helped nobody.
    in_vain: u32,
}

impl Asked {
    fn pause(&self) -> i64 {
        // 2^5 seconds are over the longest pause.
        (SHORTEST_PAUSE << self.in_vain.saturating_sub(1).min(5)).min(LONGEST_PAUSE)
    }
}

#[derive(Clone, Default)]
struct Known {
    keys: Vec<VerifyingKey>,
    /// The document that they were read from.
    document: String,
    answered: Option<Timestamp>,
    /// While it does not answer: when it is asked again, and why.
    asked_again: Option<Timestamp>,
    fault: Option<String>,
}

impl Remote {
    /// The address that a source of an issuer names.
    ///
    /// # Errors
    /// Why it cannot be asked: its certificates cannot be read, or it is no address.
    pub fn new(product: &str, issuer: &Issuer, source: &KeySource) -> Result<Self, String> {
        let source = match source {
            KeySource::Discovery(name) => Source::Discovery(name.clone()),
            KeySource::JwksUrl(url) => Source::Jwks(parsed(url)?),
            _ => return Err("is no address".to_owned()),
        };
        // A redirect could lead anywhere, to plain http too.
        let mut client = Client::builder().timeout(TIMEOUT).redirect(Policy::none()).user_agent("ledgerline");
        let address = source.address()?;
        if let Some(file) = &issuer.ca_file {
            let cannot = |error: &dyn fmt::Display| format!("{} cannot be read: {error}", file.display());
            let pem = std::fs::read(file).map_err(|error| cannot(&error))?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| cannot(&error))?;
            if certificates.is_empty() {
                return Err(cannot(&"it has no certificate in PEM"));
            }
            client = client.tls_certs_only(certificates);
        }
        if is_loopback(&address) {
            client = client.no_proxy();
        } else if !issuer.allow_http {
            client = client.https_only(true);
        }
        let client = client.build().map_err(|error| format!("{address}: {}", with_causes(&error)))?;
        let (product, place) = (product.to_owned(), issuer.place.clone());
        let (known, asked) = (ArcSwap::default(), Arc::default());
        Ok(Self { product, place, source, allow_http: issuer.allow_http, client, known, asked })
    }

    /// The keys it last told.
    pub fn keys(&self) -> Vec<VerifyingKey> {
        self.known.load().keys.clone()
    }

    /// When it is asked again, in nanoseconds from `now`, if the last fetch failed: a token that none of the keys at
    /// hand fits may be good.
    pub fn is_down_for(&self, now: Timestamp) -> Option<i64> {
        self.known.load().asked_again.map(|then| then.0.saturating_sub(now.0).clamp(0, LONGEST_PAUSE))
    }

    /// Why the last fetch failed, if it did.
    pub fn fault(&self) -> Option<String> {
        self.known.load().fault.clone()
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
    pub async fn fetch(&self, turn: &mut Turn, now: Timestamp) {
        let started = Instant::now();
        let asked = tokio::time::timeout(TIMEOUT, self.jwks()).await;
        let asked = asked.unwrap_or_else(|_| Err(format!("no answer within {} seconds", TIMEOUT.as_secs())));
        let read = asked.and_then(|text| Ok((VerifyingKey::jwks(&text)?, text)));
        let took = i64::try_from(started.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let now = Timestamp(now.0.saturating_add(took));
        let known = self.known.load_full();
        if turn.last.is_some_and(|last| is_past(last, FORGOTTEN, now)) {
            turn.in_vain = 0;
        }
        turn.last = Some(now);
        turn.in_vain = match &read {
            Ok((_, document)) if *document != known.document || known.asked_again.is_some() => 0,
            _ => turn.in_vain.saturating_add(1),
        };
        let result = if read.is_ok() { "answered" } else { "failed" };
        metrics::counter!("ledgerline_issuer_fetches_total", "product" => self.product.clone(), "result" => result)
            .increment(1);
        self.known.store(Arc::new(match read {
            Ok((keys, document)) => {
                info!(product = self.product, from = %self.source, keys.len = keys.len(), "fetched the issuer's keys");
                Known { keys, document, answered: Some(now), asked_again: None, fault: None }
            }
            Err(reason) => {
                let kept = known.keys.len();
                warn!(product = self.product, from = %self.source, reason, keys.len = kept, "could not fetch the issuer's keys, going on with those at hand");
                let asked_again = Some(Timestamp(now.0.saturating_add(turn.pause())));
                Known { asked_again, fault: Some(reason), ..Known::clone(&known) }
            }
        }));
    }

    /// The keys' document.
    async fn jwks(&self) -> Result<String, String> {
        let url = match &self.source {
            Source::Jwks(url) => url.clone(),
            Source::Discovery(issuer) => {
                let asked = self.source.address()?;
                keys_address(&self.document(asked.clone()).await?, issuer, &asked, self.allow_http)?
            }
        };
        self.document(url).await
    }

    async fn document(&self, url: Url) -> Result<String, String> {
        let answer = self.client.get(url.clone()).header("accept", "application/json").send().await;
        let mut answer = answer.map_err(|error| with_causes(&error))?;
        if !answer.status().is_success() {
            return Err(format!("{url} answered {}", answer.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = Response::chunk(&mut answer).await.map_err(|error| with_causes(&error))? {
            if bytes.len() + chunk.len() > DOCUMENT_BYTES {
                return Err(format!("the document at {url} is over {DOCUMENT_BYTES} bytes"));
            }
            bytes.extend_from_slice(&chunk);
        }
        String::from_utf8(bytes).map_err(|error| error.to_string())
    }
}

/// What is asked.
enum Source {
    /// An address of keys.
    Jwks(Url),
    /// An issuer, whose configuration names the address of its keys (OpenID Connect Discovery 1.0).
    Discovery(String),
}

impl Source {
    /// What is asked first.
    fn address(&self) -> Result<Url, String> {
        match self {
            Self::Jwks(url) => Ok(url.clone()),
            Self::Discovery(issuer) => {
                parsed(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jwks(url) => write!(f, "{url}"),
            Self::Discovery(issuer) => f.write_str(issuer),
        }
    }
}

fn parsed(url: &str) -> Result<Url, String> {
    Url::parse(url).map_err(|error| format!("{url}: {error}"))
}

/// Where an issuer's configuration says that its keys are. It must be the configuration of that very issuer, and it may not
/// lead to where the product file would not let us ask: to plain HTTP, or from another machine to this one.
fn keys_address(document: &str, issuer: &str, asked: &Url, allow_http: bool) -> Result<Url, String> {
    #[derive(serde::Deserialize)]
    struct Configuration {
        issuer: String,
        jwks_uri: String,
    }
    let configuration: Configuration =
        serde_json::from_str(document).map_err(|error| format!("{asked} is no OpenID configuration: {error}"))?;
    if configuration.issuer != issuer {
        return Err(format!("{asked} is the configuration of another issuer, {:?}", configuration.issuer));
    }
    let uri = &configuration.jwks_uri;
    if let Some(fault) = fault_of_address(uri, allow_http) {
        return Err(format!("jwks_uri of {asked} {fault}"));
    }
    let url = parsed(uri)?;
    if is_loopback(&url) && !is_loopback(asked) {
        return Err(format!("jwks_uri of {asked} must not be on this machine, which the issuer is not: {url}"));
    }
    Ok(url)
}

fn claim(turn: Turn, now: Timestamp) -> Option<Turn> {
    let pause = turn.pause();
    turn.last.is_none_or(|last| is_past(last, pause, now)).then_some(turn)
}

/// Whether `span` has gone by since `then`. A clock that was set back must not keep us waiting for it.
fn is_past(then: Timestamp, span: i64, now: Timestamp) -> bool {
    let gone = now.0.saturating_sub(then.0);
    // A request that waited for the fetch came before its end.
    gone >= span || gone < -LONGEST_PAUSE
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
