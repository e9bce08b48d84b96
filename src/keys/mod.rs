//! Keys: from the environment, from files, and from the addresses of issuers, which may change them any time; and the
//! service's own issuer.
//! What is done with them is decided by [`auth::token`](crate::auth::token).

mod caller;
mod development;
mod file;
mod own;
pub mod partner;
mod plans;
mod read;
mod remote;

use std::{
    collections::HashSet,
    fs,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use arc_swap::ArcSwap;
use futures_util::stream::{FuturesUnordered, StreamExt};

pub use development::{DevelopmentKeyError, DevelopmentKeys};
pub use partner::Partners;
pub use plans::Plans;
use remote::{Remote, Turn};

use serde_json::Value;
use tracing::warn;

use crate::{
    auth::{
        KeyRing, Principal, VerifyingKey,
        reading::Odd,
        token::{self, Accepted, Refusal},
    },
    catalog::{Door, Issuer, KeySource, Product, Products},
    error::{Error, Result},
    event::Timestamp,
};

/// Claims that are warned of: names are the issuers', and so are few.
const ODD_CLAIMS: usize = 1_000;

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
    /// Claims that were warned of, each with the place of its issuer.
    odd: Mutex<HashSet<(String, Odd)>>,
    /// Who checks the service's own tokens, once it has a database.
    partners: OnceLock<Arc<Partners>>,
    /// Who knows the plans of organizations, once there is a database.
    plans: OnceLock<Plans>,
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
            for issuer in &product.issuers {
                for source in &issuer.keys {
                    match read(source, environment) {
                        Ok(Some(keys)) => fixed.add(&issuer.place, keys),
                        Ok(None) => match Remote::new(&product.name, issuer, source) {
                            Ok(remote) => remotes.push(Arc::new(remote)),
                            Err(fault) => faults.push(format!("{}: {fault}", product.name)),
                        },
                        Err(fault) => faults.push(format!("{}: {fault}", product.name)),
                    }
                }
            }
            if let Some(key) = dev.as_ref().and_then(|dev| dev.key(&product.name)) {
                fixed.add(&Issuer::development(&product.name).place, [key]);
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let ring = ArcSwap::from_pointee(fixed.clone());
        let (products, odd) = (products.clone(), Mutex::default());
        Ok(Self(Arc::new(Inner {
            products,
            fixed,
            remotes,
            ring,
            odd,
            partners: OnceLock::new(),
            plans: OnceLock::new(),
        })))
    }

    /// The products for which no key is configured: none of their tokens can be accepted.
    #[must_use]
    pub fn products_without_keys(&self) -> Vec<String> {
        let inner = &self.0;
        let has_key =
            |place: &str| !inner.fixed.of(place).is_empty() || inner.remotes.iter().any(|remote| remote.place == place);
        let without = |product: &&Arc<Product>| {
            let own = product.issuers.iter().any(|issuer| has_key(&issuer.place));
            !own && !has_key(&Issuer::development(&product.name).place)
        };
        inner.products.iter().filter(without).map(|product| product.name.clone()).collect()
    }

    /// The products whose tokens these are.
    #[must_use]
    pub fn products(&self) -> &Products {
        &self.0.products
    }

    /// Accepts the service's own tokens from here on, too, and takes plans that tokens do not name from where they are kept.
    pub fn accept(&self, partners: Arc<Partners>, plans: Plans) {
        let _ = self.0.partners.set(partners);
        let _ = self.0.plans.set(plans);
    }

    /// Checks a token and says who is asking. A token that no key at hand fits makes us ask its issuer for newer ones,
    /// as often as `remote.rs` lets us; keys that have grown old are fetched anew while the old ones serve.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, with a reason in words, or `UNAVAILABLE` where an issuer that does not answer may have keys
    /// that fit.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Principal> {
        let mut principal = self.checked(token, now).await?;
        if let Some(plans) = self.0.plans.get() {
            plans.complete(&mut principal, now).await?;
        }
        Ok(principal)
    }

    async fn checked(&self, token: &str, now: Timestamp) -> Result<Principal> {
        let inner = &self.0;
        if let Some(partners) = inner.partners.get().filter(|partners| partners.recognises(token)) {
            return partners.verify(token, now).await;
        }
        let door = token::door_of(token, &inner.products)?;
        let claims = self.prove(token, &door, now).await?;
        inner.told(token::admit(&claims, &door, now), &door)
    }

    /// What a token says, once a key of an issuer has proved it; whether that lets it in is another question.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub async fn prove(&self, token: &str, door: &Door, now: Timestamp) -> Result<Value> {
        let inner = &self.0;
        let check = || token::signed_claims(token, &inner.ring.load(), &door.issuer.place);
        let answer = check();
        if !matches!(answer, Err(Refusal::UnknownKey)) {
            for remote in inner.remotes_of(door) {
                inner.fetch_if_old(remote, now);
            }
            return answer.map_err(Error::from);
        }
        let began = Instant::now();
        // All at once, and no further than to the first that helps: one that is down keeps nobody waiting.
        let mut fetches: FuturesUnordered<_> = inner.remotes_of(door).map(|remote| inner.fetch(remote, now)).collect();
        while fetches.next().await.is_some() {
            let answer = check();
            if !matches!(answer, Err(Refusal::UnknownKey)) {
                return answer.map_err(Error::from);
            }
        }
        let waited = i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let now = Timestamp(now.0.saturating_add(waited));
        match inner.remotes_of(door).filter_map(|remote| remote.is_down_for(now)).min() {
            Some(nanos) => Err(Error::IssuerDown {
                issuer: door.issuer.name.to_string(),
                retry_after_ms: u64::try_from(nanos / 1_000_000).unwrap_or_default().max(1_000),
            }),
            None => Err(Refusal::UnknownKey.into()),
        }
    }

    /// Why the keys of an issuer could not be fetched, where that failed the last time.
    #[must_use]
    pub fn faults_of(&self, door: &Door) -> Vec<String> {
        self.0.remotes_of(door).filter_map(|remote| remote.fault()).collect()
    }

    /// Whether there is a key at hand that an issuer's tokens could be checked with.
    #[must_use]
    pub fn has_key_of(&self, door: &Door) -> bool {
        !self.0.ring.load().of(&door.issuer.place).is_empty()
    }

    /// Whether a token says that it is of an issuer that we know, the service's own among them. Nothing of it is proved.
    #[must_use]
    pub fn claims_our_issuer(&self, token: &str) -> bool {
        if self.0.partners.get().is_some_and(|partners| partners.recognises(token)) {
            return true;
        }
        token::door_of(token, &self.0.products).is_ok()
    }
}

impl Inner {
    fn remotes_of<'a>(&'a self, door: &'a Door) -> impl Iterator<Item = &'a Arc<Remote>> {
        self.remotes.iter().filter(move |remote| remote.place == door.issuer.place)
    }

    /// What a check comes to. A claim that cannot be read is warned of once, by its name alone.
    fn told(&self, answer: Result<Accepted, Refusal>, door: &Door) -> Result<Principal> {
        let Accepted { principal, odd } = answer.map_err(Error::from)?;
        for odd in odd {
            let mut told = self.odd.lock().unwrap_or_else(PoisonError::into_inner);
            let one = (door.issuer.place.clone(), odd);
            if told.len() < ODD_CLAIMS && !told.contains(&one) {
                let (issuer, Odd { at, is }) = (&door.issuer.place, &one.1);
                warn!(
                    issuer,
                    claim = at,
                    "tokens have {is} in the claim {at}, which cannot be read there and counts as absent"
                );
                told.insert(one);
            }
        }
        Ok(principal)
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
                ring.add(&remote.place, remote.keys());
            }
            ring
        });
    }
}

/// The keys of a source; `None` where they are at an address.
fn read(
    source: &KeySource,
    environment: &dyn Fn(&str) -> Result<Option<String>, String>,
) -> Result<Option<Vec<VerifyingKey>>, String> {
    let file = |path: &std::path::Path| {
        fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
    };
    match source {
        KeySource::SecretEnv { variable, kid } => {
            let secret = environment(variable).map_err(|error| format!("{variable}: {error}"))?;
            let key = secret.map(|secret| VerifyingKey::secret(kid.clone(), secret.as_bytes())).transpose();
            Ok(Some(key.map_err(|fault| format!("{variable}: {fault}"))?.into_iter().collect()))
        }
        KeySource::SecretFile { path, kid } => {
            let text = file(path)?;
            let secret = text.trim_end_matches(['\r', '\n']);
            let key = VerifyingKey::secret(kid.clone(), secret.as_bytes())
                .map_err(|fault| format!("{}: {fault}", path.display()))?;
            Ok(Some(vec![key]))
        }
        KeySource::JwksFile(path) => {
            let keys = VerifyingKey::jwks(&file(path)?).map_err(|fault| format!("{} {fault}", path.display()))?;
            Ok(Some(keys))
        }
        KeySource::JwksUrl(_) | KeySource::Discovery(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
