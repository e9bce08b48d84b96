//! The keys that tokens are checked with.

use std::{collections::HashMap, fmt};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};

/// Shortest secret in bytes: as long as the hash of HS256 (RFC 7518, 3.2).
pub const SECRET_BYTES: usize = 32;

/// Most keys that one JWKS may bring; each may cost a signature check.
const JWKS_KEYS: usize = 32;

/// A key with the one algorithm that it is for. What a token says of its algorithm is never believed.
#[derive(Clone)]
pub struct VerifyingKey {
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl VerifyingKey {
    /// A secret for HS256.
    ///
    /// # Errors
    /// What is wrong with it, in words without the secret.
    pub fn secret(kid: Option<String>, secret: &[u8]) -> Result<Self, String> {
        if secret.len() < SECRET_BYTES {
            return Err(format!("a secret must have at least {SECRET_BYTES} bytes, this one has {}", secret.len()));
        }
        Ok(Self { kid, algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret) })
    }

    /// An Ed25519 public key for EdDSA, by its 32 bytes.
    #[must_use]
    pub fn ed25519(kid: String, public_key: &[u8]) -> Self {
        Self { kid: Some(kid), algorithm: Algorithm::EdDSA, key: DecodingKey::from_ed_der(public_key) }
    }

    /// The keys of a JWKS that can sign tokens by RSA (RS256 unless the key says more), ECDSA or EdDSA; other keys in it are left
    /// aside.
    ///
    /// # Errors
    /// Why there is not one.
    pub fn jwks(text: &str) -> Result<Vec<Self>, String> {
        #[derive(serde::Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        let set: Set = serde_json::from_str(text).map_err(|error| format!("is no JWKS: {error}"))?;
        if set.keys.len() > JWKS_KEYS {
            return Err(format!("has {} keys, at most {JWKS_KEYS} are taken", set.keys.len()));
        }
        // A key of a kind that we do not know must not cost us those that we do.
        let keys: Vec<Self> =
            set.keys.into_iter().filter_map(|key| Self::from_jwk(&serde_json::from_value(key).ok()?)).collect();
        if keys.is_empty() {
            return Err("has no key for RSA, ECDSA (P-256, P-384) or Ed25519 signatures".to_owned());
        }
        Ok(keys)
    }

    fn from_jwk(jwk: &Jwk) -> Option<Self> {
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => rsa_algorithm(jwk.common.key_algorithm)?,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => Algorithm::ES384,
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
            // A secret has no place in a document for everybody.
            _ => return None,
        };
        let common = &jwk.common;
        let for_this = common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm));
        let for_signatures = common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
        if !for_this || !for_signatures {
            return None;
        }
        Some(Self { kid: common.key_id.clone(), algorithm, key: DecodingKey::from_jwk(jwk).ok()? })
    }
}

/// The one algorithm of an RSA key: what its issuer says, or the usual one.
fn rsa_algorithm(named: Option<KeyAlgorithm>) -> Option<Algorithm> {
    match named {
        None | Some(KeyAlgorithm::RS256) => Some(Algorithm::RS256),
        Some(KeyAlgorithm::RS384) => Some(Algorithm::RS384),
        Some(KeyAlgorithm::RS512) => Some(Algorithm::RS512),
        Some(KeyAlgorithm::PS256) => Some(Algorithm::PS256),
        Some(KeyAlgorithm::PS384) => Some(Algorithm::PS384),
        Some(KeyAlgorithm::PS512) => Some(Algorithm::PS512),
        Some(_) => None,
    }
}

/// The keys of every issuer, by its place.
#[derive(Clone, Debug, Default)]
pub struct KeyRing(HashMap<String, Vec<VerifyingKey>>);

impl KeyRing {
    /// A ring without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds keys to those of an issuer.
    pub fn add(&mut self, place: &str, keys: impl IntoIterator<Item = VerifyingKey>) {
        self.0.entry(place.to_owned()).or_default().extend(keys);
    }

    /// The keys of an issuer.
    #[must_use]
    pub fn of(&self, place: &str) -> &[VerifyingKey] {
        self.0.get(place).map_or(&[], Vec::as_slice)
    }

    /// The keys of an issuer to try on a token. Where the token names a key id, those with that id or, if there are none,
    /// those without an id; where it names none, all.
    pub(super) fn candidates(&self, place: &str, kid: Option<&str>) -> Vec<&VerifyingKey> {
        let all = self.of(place);
        let Some(kid) = kid else { return all.iter().collect() };
        let named: Vec<_> = all.iter().filter(|key| key.kid.as_deref() == Some(kid)).collect();
        // A secret of the configuration need not have the name that its issuer gave it.
        if named.is_empty() { all.iter().filter(|key| key.kid.is_none()).collect() } else { named }
    }
}
