//! Tokens that the service itself makes, for partners and for pages that show a log.
//!
//! What such a token may do stands in its row, whichever form it has: a JWT is proved by its signature, an opaque key by
//! its hash, and both then lead to the row. So a token does what was granted and no more, whatever it says, and one that
//! is not listed does nothing. A row is remembered for 30 s: that is how long a revocation takes in every process at most.
//! Where it cannot be read anew it still counts for a minute in all; then the token is put off, as that of an issuer that
//! does not answer.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use moka::sync::Cache;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, watch};

use super::{
    own::{OwnKey, jwk},
    read::Read,
};
use crate::{
    auth::{
        Claims, KeyRing, OneOrMany, Principal, VerifyingKey,
        token::{self, LEEWAY, NOT_ACCEPTED, Refusal},
    },
    catalog::{Feature, Product, Products, management::OWN_ISSUER},
    chance::Chance,
    clock::Clock,
    error::{Error, Result},
    event::{OrganizationId, Timestamp},
    store::{
        Store,
        control::tokens::{IssuerKey, NewToken, Owned, Shown, TokenKind},
    },
};

/// How long what was read of a token counts without another look.
const FRESH: Duration = Duration::from_secs(30);
/// How long it counts where the database does not answer.
const LONGEST: Duration = Duration::from_secs(60);
/// Between two times that last uses are written down.
const WRITE_USES: Duration = Duration::from_secs(30);
/// How often a token is looked at whose holder stays connected. With what is remembered, less than a minute.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// When somebody whose token cannot be checked is told to try again.
const RETRY_AFTER_MS: u64 = 1_000;
/// Tokens that are remembered.
const REMEMBERED: u64 = 20_000;
/// Characters of the secret part of an opaque key: 256 bits in base64url.
const SECRET_CHARS: usize = 43;
/// Beginning of the ids of tokens.
const ID_PREFIX: &str = "tok_";
/// Digits of a time in milliseconds, and of 64 random bits, in base 36.
const ID_DIGITS: (usize, usize) = (9, 13);

/// How a token is remembered; of a key, its hash alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Known {
    Id(String),
    Hash([u8; 32]),
}

struct PublicKeys {
    keys: Vec<IssuerKey>,
    ring: KeyRing,
}

/// What a JWT of the service says that is not asked of its row.
#[derive(serde::Deserialize)]
struct Own {
    jti: Option<String>,
    aud: OneOrMany,
}

/// Who checks, makes and forgets the service's own tokens.
pub struct Partners {
    store: Store,
    products: Products,
    chance: Chance,
    folder: PathBuf,
    own: OnceCell<OwnKey>,
    public: ArcSwapOption<Read<PublicKeys>>,
    known: Cache<Known, Arc<Read<Owned>>>,
    /// Says that what was remembered of tokens was dropped.
    forgotten: watch::Sender<()>,
    /// When tokens were used, since that was last written down: by organization and id.
    used: Mutex<HashMap<(i64, String), Timestamp>>,
}

impl Partners {
    /// Tokens of these products, in a database; the pair of keys is in a folder.
    #[must_use]
    pub fn new(store: Store, products: Products, folder: PathBuf, chance: Chance) -> Self {
        Self {
            store,
            products,
            chance,
            folder,
            own: OnceCell::new(),
            public: ArcSwapOption::empty(),
            known: Cache::new(REMEMBERED),
            forgotten: watch::channel(()).0,
            used: Mutex::default(),
        }
    }

    /// Whether a token is one of the service's own, by its form. Nothing of it is proved.
    #[must_use]
    pub fn recognises(&self, token: &str) -> bool {
        self.is_key(token) || token::claims_issuer(token, OWN_ISSUER)
    }

    /// An opaque key begins as one of the products' do, and goes on with the right number of characters.
    fn is_key(&self, token: &str) -> bool {
        let prefixes = self.products.iter().filter_map(|product| product.management.as_ref());
        let mut secrets = prefixes.filter_map(|management| token.strip_prefix(management.key_prefix.as_str()));
        secrets.any(|secret| {
            secret.len() == SECRET_CHARS && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
    }

    /// Checks a token of the service and says who is asking.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, with a reason in words, or `UNAVAILABLE` where the database has not answered for a minute.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Principal> {
        let (known, audience) = if self.is_key(token) {
            (Known::Hash(hash(token)), None)
        } else {
            let Own { jti, aud } = self.claims(token, now).await?;
            let id = jti.filter(|id| is_id(id)).ok_or(Error::Unauthenticated(NOT_ACCEPTED))?;
            (Known::Id(id), Some(aud))
        };
        let read = self.row(known, now).await?;
        if audience.is_some() && read.what.token.kind == TokenKind::Key {
            // A key is proved by itself alone.
            return Err(Error::Unauthenticated(NOT_ACCEPTED));
        }
        let principal = self.principal(&read.what, audience.as_ref(), now)?;
        let token = &read.what.token;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.insert((token.organization_no, token.id.clone()), now);
        Ok(principal)
    }

    /// The claims of a JWT whose signature is that of one of the service's keys.
    async fn claims(&self, token: &str, now: Timestamp) -> Result<Own> {
        let check = |keys: &Read<PublicKeys>| {
            let claims = token::signed_claims(token, &keys.what.ring, OWN_ISSUER)?;
            serde_json::from_value(claims).map_err(|_| Refusal::Final("the token's claims cannot be read"))
        };
        match check(&*self.public_keys(now).await?) {
            // Another process may have made a pair since.
            Err(Refusal::UnknownKey) => {
                check(&*self.read_public_keys(now).await.map_err(|error| put_off(&error))?).map_err(Error::from)
            }
            answer => answer.map_err(Error::from),
        }
    }

    async fn row(&self, known: Known, now: Timestamp) -> Result<Arc<Read<Owned>>> {
        let remembered = self.known.get(&known);
        if let Some(read) = remembered.as_ref().filter(|read| read.is_within(FRESH, now)) {
            return Ok(read.clone());
        }
        let shown = match &known {
            Known::Id(id) => Shown::Id(id),
            Known::Hash(hash) => Shown::Hash(*hash),
        };
        match self.store.shown_token(shown).await {
            Ok(Some(what)) => {
                let read = Arc::new(Read { what, at: now });
                self.known.insert(known, read.clone());
                Ok(read)
            }
            Ok(None) => {
                self.known.invalidate(&known);
                Err(Error::Unauthenticated(NOT_ACCEPTED))
            }
            // Whatever keeps the row from being read: nobody knows whether the token was revoked.
            Err(error) => remembered.filter(|read| read.is_within(LONGEST, now)).ok_or_else(|| put_off(&error)),
        }
    }

    fn principal(&self, owned: &Owned, audience: Option<&OneOrMany>, now: Timestamp) -> Result<Principal> {
        let Owned { token, product, organization } = owned;
        // A product that offers no tokens any more accepts none.
        let product = self
            .products
            .get(product)
            .filter(|product| product.offers(Feature::Tokens).is_some())
            .ok_or(Error::Unauthenticated(NOT_ACCEPTED))?;
        if token.revoked_at.is_some() {
            return Err(Error::Unauthenticated("the token was revoked"));
        }
        if now.0 >= token.expires_at.0.saturating_add(LEEWAY) {
            return Err(Error::Unauthenticated("the token has expired"));
        }
        if audience.is_some_and(|given| !given.iter().any(|each| each == product.audience())) {
            return Err(Error::Unauthenticated("the token is meant for another service"));
        }
        Ok(Principal {
            product: product.clone(),
            organization: Some(OrganizationId::new("organization", organization.as_str())?),
            subject: token.id.clone(),
            scopes: token.rights.scopes.clone(),
            roles: token.rights.roles.clone(),
            plan: token.rights.plan.clone(),
            email: None,
            name: Some(token.label.clone()),
            logs: token.rights.logs.clone(),
            expires_at: token.expires_at,
            is_partner: true,
            plan_is_kept: false,
        })
    }

    /// Drops what is remembered of tokens, here and in other processes: the next use of each asks the database. A process
    /// that does not hear of it finds it within half a minute.
    pub fn forget_everywhere(&self) {
        self.forget();
        self.store.tell_of_revocation();
    }

    fn forget(&self) {
        self.known.invalidate_all();
        self.forgotten.send_replace(());
    }

    /// Completes when a token of the service no longer counts, because it was revoked, has ended or cannot be checked: for
    /// whoever is connected for longer than a request.
    pub async fn ended(&self, principal: &Principal, clock: &Clock) {
        let mut forgotten = self.forgotten.subscribe();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                _ = forgotten.changed() => {}
            }
            let now = clock.now();
            let read = self.row(Known::Id(principal.subject.clone()), now).await;
            if read.and_then(|read| self.principal(&read.what, None, now)).is_err() {
                return;
            }
        }
    }

    /// A new id: its beginning is the time, so that ids sort as tokens are made.
    #[must_use]
    pub fn new_id(&self, now: Timestamp) -> String {
        let millis = u64::try_from(now.0.div_euclid(1_000_000)).unwrap_or_default();
        format!("{ID_PREFIX}{}{}", base36(millis, ID_DIGITS.0), base36(self.chance.draw(), ID_DIGITS.1))
    }

    /// A new opaque key of a product, and the hash that it is known by.
    #[must_use]
    pub fn new_key(&self, prefix: &str) -> (String, [u8; 32]) {
        let secret: Vec<u8> = (0..4).flat_map(|_| self.chance.draw().to_be_bytes()).collect();
        let key = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(secret));
        let hash = hash(&key);
        (key, hash)
    }

    /// The JWT of a token. It says what the row says, for those who check it elsewhere.
    ///
    /// # Errors
    /// `INTERNAL` where the pair of keys cannot be read or made; those of the database.
    pub async fn sign(
        &self,
        product: &Product,
        organization: &str,
        token: &NewToken,
        now: Timestamp,
    ) -> Result<String> {
        let own = self.own.get_or_try_init(async || OwnKey::open_or_create(&self.folder)).await?;
        // The database may be another one than that which the key was made known to.
        let is_known = self.public_keys(now).await?.what.keys.contains(&own.public);
        if !is_known {
            self.store.publish_issuer_key(&own.public, now).await?;
            self.read_public_keys(now).await?;
        }
        let rights = &token.rights;
        let list = |texts: &[String]| (!texts.is_empty()).then(|| texts.to_vec());
        let logs: Vec<String> = rights.logs.iter().map(ToString::to_string).collect();
        own.sign(&Claims {
            iss: OWN_ISSUER.to_owned(),
            aud: OneOrMany::One(product.audience().to_owned()),
            org: Some(organization.to_owned()),
            scope: Some(rights.scopes.join(" ")),
            plan: rights.plan.clone(),
            roles: list(&rights.roles).map(OneOrMany::Many),
            logs: list(&logs),
            jti: Some(token.id.clone()),
            ..Claims::new(product, token.id.as_str(), token.expires_at)
        })
    }

    /// The public keys of all processes, as a JWKS.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub async fn jwks(&self, now: Timestamp) -> Result<Value> {
        let keys = self.public_keys(now).await?;
        Ok(json!({ "keys": keys.what.keys.iter().map(jwk).collect::<Vec<_>>() }))
    }

    async fn public_keys(&self, now: Timestamp) -> Result<Arc<Read<PublicKeys>>> {
        let remembered = self.public.load_full();
        if let Some(read) = remembered.as_ref().filter(|read| read.is_within(FRESH, now)) {
            return Ok(read.clone());
        }
        match self.read_public_keys(now).await {
            Err(error) => remembered.filter(|read| read.is_within(LONGEST, now)).ok_or_else(|| put_off(&error)),
            read => read,
        }
    }

    async fn read_public_keys(&self, now: Timestamp) -> Result<Arc<Read<PublicKeys>>> {
        let keys = self.store.issuer_keys().await?;
        let mut ring = KeyRing::new();
        ring.add(OWN_ISSUER, keys.iter().map(|key| VerifyingKey::ed25519(key.kid.clone(), &key.public_key)));
        let read = Arc::new(Read { what: PublicKeys { keys, ring }, at: now });
        self.public.store(Some(read.clone()));
        Ok(read)
    }

    /// Writes last uses down every half minute and hears of revocations, for ever.
    pub async fn look_after(&self) -> ! {
        let mut write_uses = tokio::time::interval(WRITE_USES);
        write_uses.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = write_uses.tick() => self.write_uses().await,
                () = self.store.tokens_revoked() => self.forget(),
            }
        }
    }

    /// Writes down when tokens were last used. What cannot be written waits for the next time.
    pub async fn write_uses(&self) {
        let taken = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        let uses: Vec<_> = taken.into_iter().map(|((organization_no, id), at)| (organization_no, id, at)).collect();
        if let Err(error) = self.store.tokens_were_used(&uses).await {
            tracing::warn!("the last uses of {} tokens could not be written down: {error}", uses.len());
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            for (organization_no, id, at) in uses {
                used.entry((organization_no, id)).or_insert(at);
            }
        }
    }
}

/// The answer where a token can be neither accepted nor refused.
fn put_off(error: &Error) -> Error {
    let cause = error.cause_text();
    tracing::error!(cause, "a token of the service cannot be checked: {error}");
    Error::IssuerDown { issuer: OWN_ISSUER.to_owned(), retry_after_ms: RETRY_AFTER_MS }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// Whether a text has the form of a token's id.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let digits = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    text.strip_prefix(ID_PREFIX).is_some_and(|rest| rest.len() == ID_DIGITS.0 + ID_DIGITS.1 && digits(rest))
}

/// A number in so many digits of base 36; of a larger one, the last digits.
fn base36(mut number: u64, digits: usize) -> String {
    let mut text = vec![b'0'; digits];
    for digit in text.iter_mut().rev() {
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize];
        number /= 36;
    }
    text.into_iter().map(char::from).collect()
}
