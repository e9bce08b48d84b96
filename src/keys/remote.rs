//! The keys of one issuer's address (JWKS), or of the address that its OpenID configuration names: fetched one at a time, kept
//! while the issuer is down.

use std::{fmt, sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use reqwest::Url;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::{info, warn};

use super::caller::{Caller, TIMEOUT};
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

/// One address, and what it last said.
pub(super) struct Remote {
    product: String,
    /// The issuer whose keys these are.
    pub place: String,
    source: Source,
    allow_http: bool,
    caller: Caller,
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
    /// Why it cannot be asked: a file of the issuer cannot be read, or it is no address.
    pub fn new(product: &str, issuer: &Issuer, source: &KeySource) -> Result<Self, String> {
        let source = match source {
            KeySource::Discovery(name) => Source::Discovery(name.clone()),
            KeySource::JwksUrl(url) => Source::Jwks(parsed(url)?),
            _ => return Err("is no address".to_owned()),
        };
        let caller = Caller::new(issuer, &source.address()?)?;
        let (product, place) = (product.to_owned(), issuer.place.clone());
        let (known, asked) = (ArcSwap::default(), Arc::default());
        Ok(Self { product, place, source, allow_http: issuer.allow_http, caller, known, asked })
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
                keys_address(&self.caller.document(asked.clone()).await?, issuer, &asked, self.allow_http)?
            }
        };
        self.caller.document(url).await
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
