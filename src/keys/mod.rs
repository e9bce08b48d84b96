//! Keys: from the environment, from files, and from the addresses of issuers, which may change them any time; and the
//! service's own issuer.
//! What is done with them is decided by [`auth::token`](crate::auth::token).

mod development;
mod file;
mod own;
pub mod partner;
mod remote;

use std::{
    fs,
    sync::{Arc, OnceLock},
    time::Instant,
};

use arc_swap::ArcSwap;
use futures_util::stream::{FuturesUnordered, StreamExt};

pub use development::{DevelopmentKeyError, DevelopmentKeys};
pub use partner::Partners;
use remote::{Remote, Turn};

use crate::{
    auth::{
        KeyRing, Principal, VerifyingKey,
        token::{self, Refusal},
    },
    catalog::{KeySource, Products},
    error::{Error, Result},
    event::Timestamp,
};

/// The keys of all products, kept up to date. Cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    products: Products,
    /// Keys that do not change while the process runs.
    fixed: KeyRing,
    remotes: Vec<Arc<Remote>>,
    /// The fixed keys and the last known ones of every remote.
    ring: ArcSwap<KeyRing>,
    /// Who checks the service's own tokens, once it has a database.
    partners: OnceLock<Arc<Partners>>,
}

impl Keys {
    /// Reads the keys that every product names, and adds the development keys if there are any. Addresses are not
    /// asked yet: the service starts though an issuer is down.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, in words without a secret.
    pub fn new(products: &Products, dev: Option<DevelopmentKeys>) -> Result<Self, Vec<String>> {
        #[expect(clippy::disallowed_methods, reason = "product files name the variables that hold their secrets")]
        Self::with_environment(products, dev, &|variable| match std::env::var(variable) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(error) => Err(error.to_string()),
        })
    }

    fn with_environment(
        products: &Products,
        dev: Option<DevelopmentKeys>,
        environment: &dyn Fn(&str) -> Result<Option<String>, String>,
    ) -> Result<Self, Vec<String>> {
        let mut fixed = KeyRing::new();
        let mut remotes = Vec::new();
        let mut faults = Vec::new();
        for product in products.iter() {
            for source in &product.keys {
                match read(source, environment) {
                    Ok(Source::Keys(keys)) => fixed.add(&product.name, keys),
                    Ok(Source::Address(url)) => match Remote::new(&product.name, url) {
                        Ok(remote) => remotes.push(Arc::new(remote)),
                        Err(fault) => faults.push(format!("{}: {fault}", product.name)),
                    },
                    Err(fault) => faults.push(format!("{}: {fault}", product.name)),
                }
            }
            if let Some(dev) = &dev {
                fixed.add(&product.name, dev.key(&product.name));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let ring = ArcSwap::from_pointee(fixed.clone());
        Ok(Self(Arc::new(Inner { products: products.clone(), fixed, remotes, ring, partners: OnceLock::new() })))
    }

    /// The products for which no key is configured: none of their tokens can be accepted.
    #[must_use]
    pub fn products_without_keys(&self) -> Vec<String> {
        let inner = &self.0;
        let without = |name: &&String| {
            inner.fixed.of(name).is_empty() && !inner.remotes.iter().any(|remote| remote.product == **name)
        };
        inner.products.iter().map(|product| &product.name).filter(without).cloned().collect()
    }

    /// The products whose tokens these are.
    #[must_use]
    pub fn products(&self) -> &Products {
        &self.0.products
    }

    /// Accepts the service's own tokens from here on, too.
    pub fn accept(&self, partners: Arc<Partners>) {
        let _ = self.0.partners.set(partners);
    }

    /// Checks a token and says who is asking. A token that no key at hand fits makes us ask its issuer for newer ones,
    /// as often as `remote.rs` lets us; keys that have grown old are fetched anew while the old ones serve.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, with a reason in words, or `UNAVAILABLE` where an issuer that does not answer may have keys
    /// that fit.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Principal> {
        let inner = &self.0;
        if let Some(partners) = inner.partners.get().filter(|partners| partners.recognises(token)) {
            return partners.verify(token, now).await;
        }
        let product = token::product_of(token, &inner.products)?;
        let check = || token::check(token, &product, &inner.ring.load(), now);
        let answer = check();
        if !matches!(answer, Err(Refusal::UnknownKey)) {
            for remote in inner.remotes_of(&product.name) {
                inner.fetch_if_old(remote, now);
            }
            return answer.map_err(Error::from);
        }
        let began = Instant::now();
        // All at once, and no further than to the first that helps: one that is down keeps nobody waiting.
        let mut fetches: FuturesUnordered<_> =
            inner.remotes_of(&product.name).map(|remote| inner.fetch(remote, now)).collect();
        while fetches.next().await.is_some() {
            let answer = check();
            if !matches!(answer, Err(Refusal::UnknownKey)) {
                return answer.map_err(Error::from);
            }
        }
        let waited = i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let now = Timestamp(now.0.saturating_add(waited));
        match inner.remotes_of(&product.name).filter_map(|remote| remote.is_down_for(now)).min() {
            Some(nanos) => Err(Error::IssuerDown {
                issuer: product.issuer.clone(),
                retry_after_ms: u64::try_from(nanos / 1_000_000).unwrap_or_default().max(1_000),
            }),
            None => Err(Refusal::UnknownKey.into()),
        }
    }

    /// Whether a token says that it is of an issuer that we know, the service's own among them. Nothing of it is proved.
    #[must_use]
    pub fn claims_our_issuer(&self, token: &str) -> bool {
        if self.0.partners.get().is_some_and(|partners| partners.recognises(token)) {
            return true;
        }
        token::product_of(token, &self.0.products).is_ok()
    }
}

impl Inner {
    fn remotes_of<'a>(&'a self, product: &'a str) -> impl Iterator<Item = &'a Arc<Remote>> {
        self.remotes.iter().filter(move |remote| remote.product == product)
    }

    /// Asks an issuer for its keys and waits for them, as does everybody else who needs them at this moment.
    async fn fetch(self: &Arc<Self>, remote: &Arc<Remote>, now: Timestamp) {
        if let Some(turn) = remote.turn(now).await {
            let _ = self.spawn(remote, turn, now).await;
        }
    }

    /// Asks an issuer whose keys have grown old, and lets nobody wait for it.
    fn fetch_if_old(self: &Arc<Self>, remote: &Arc<Remote>, now: Timestamp) {
        if let Some(turn) = remote.turn_if_old(now) {
            self.spawn(remote, turn, now);
        }
    }

    /// In a task of its own, which ends with the time-out of the request: a caller who hangs up must not end what
    /// others wait for.
    fn spawn(self: &Arc<Self>, remote: &Arc<Remote>, mut turn: Turn, now: Timestamp) -> tokio::task::JoinHandle<()> {
        let (inner, remote) = (self.clone(), remote.clone());
        #[expect(
            clippy::disallowed_methods,
            reason = "its work is bounded by time-outs; where it fails, the next caller starts it again"
        )]
        tokio::spawn(async move {
            remote.fetch(&mut turn, now).await;
            inner.rebuild();
            drop(turn);
        })
    }

    /// Puts the ring together anew from what every remote has last told.
    fn rebuild(&self) {
        self.ring.rcu(|_| {
            let mut ring = self.fixed.clone();
            for remote in &self.remotes {
                ring.add(&remote.product, remote.keys());
            }
            ring
        });
    }
}

enum Source {
    Keys(Vec<VerifyingKey>),
    Address(String),
}

fn read(source: &KeySource, environment: &dyn Fn(&str) -> Result<Option<String>, String>) -> Result<Source, String> {
    let file = |path: &std::path::Path| {
        fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
    };
    match source {
        KeySource::SecretEnv { variable, kid } => {
            match environment(variable).map_err(|error| format!("{variable}: {error}"))? {
                None => Ok(Source::Keys(Vec::new())),
                Some(secret) => {
                    let key = VerifyingKey::secret(kid.clone(), secret.as_bytes())
                        .map_err(|fault| format!("{variable}: {fault}"))?;
                    Ok(Source::Keys(vec![key]))
                }
            }
        }
        KeySource::SecretFile { path, kid } => {
            let text = file(path)?;
            let secret = text.trim_end_matches(['\r', '\n']);
            let key = VerifyingKey::secret(kid.clone(), secret.as_bytes())
                .map_err(|fault| format!("{}: {fault}", path.display()))?;
            Ok(Source::Keys(vec![key]))
        }
        KeySource::JwksFile(path) => {
            let keys = VerifyingKey::jwks(&file(path)?).map_err(|fault| format!("{} {fault}", path.display()))?;
            Ok(Source::Keys(keys))
        }
        KeySource::JwksUrl(url) => Ok(Source::Address(url.clone())),
    }
}

#[cfg(test)]
mod tests;
