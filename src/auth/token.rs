//! From a token to a [`Principal`], or to a reason in words that do not help an attacker.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::Deserialize;

use super::{
    Claims, KeyRing, LogName, Principal,
    claims::{instant, shown},
};
use crate::{
    catalog::{Product, Products},
    error::{Error, Result},
    event::{OrganizationId, Timestamp, limits, names},
};

/// Longest token, in bytes.
pub const TOKEN_BYTES: usize = 16 * 1024;

/// How far clocks may differ, in nanoseconds: 60 seconds.
pub const LEEWAY: i64 = 60 * 1_000_000_000;

/// One text for everything that an attacker could learn from: issuer, key, algorithm and signature.
pub const NOT_ACCEPTED: &str = "the token is not accepted";

/// Why a token did not do.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// No key at hand fits it; newer keys of its issuer might, under a new id or the same.
    UnknownKey,
    /// It is refused for good.
    Final(&'static str),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownKey => Self::Unauthenticated(NOT_ACCEPTED),
            Refusal::Final(reason) => Self::Unauthenticated(reason),
        }
    }
}

/// Checks a token and says who is asking.
///
/// # Errors
/// `UNAUTHENTICATED`, with a reason in words.
pub fn verify(token: &str, products: &Products, keys: &KeyRing, now: Timestamp) -> Result<Principal> {
    let product = product_of(token, products)?;
    check(token, &product, keys, now).map_err(Error::from)
}

/// The product that a token says it is for. Nothing of it is proved yet.
///
/// # Errors
/// `UNAUTHENTICATED` where it is no token, or of an issuer that we do not know.
pub fn product_of(token: &str, products: &Products) -> Result<Arc<Product>> {
    if token.len() > TOKEN_BYTES {
        return Err(Error::Unauthenticated("the token is too long"));
    }
    products.by_issuer(&claimed_issuer(token)?).cloned().ok_or(Error::Unauthenticated(NOT_ACCEPTED))
}

fn claimed_issuer(token: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    let claimed = jsonwebtoken::dangerous::insecure_decode_claims::<Issuer>(token);
    claimed.map(|claimed| claimed.iss).map_err(|_| Error::Unauthenticated(NOT_ACCEPTED))
}

/// Checks a token that says it is for `product`.
///
/// # Errors
/// A [`Refusal`]: whether newer keys could help, or why not.
pub fn check(token: &str, product: &Arc<Product>, keys: &KeyRing, now: Timestamp) -> Result<Principal, Refusal> {
    if token.len() > TOKEN_BYTES {
        return Err(Refusal::Final("the token is too long"));
    }
    let claims = signed_claims(token, keys, &product.name)?;
    if claims.iss != product.issuer {
        return Err(Refusal::Final(NOT_ACCEPTED));
    }
    check_time(&claims, now)?;
    if !claims.aud.iter().any(|audience| audience == product.audience) {
        return Err(Refusal::Final("the token is meant for another service"));
    }
    principal(claims, product)
}

/// The claims, once a key that the ring has under this name has proved them. Nothing that they say is checked.
///
/// # Errors
/// A [`Refusal`], as [`check`].
pub fn signed_claims(token: &str, keys: &KeyRing, product: &str) -> Result<Claims, Refusal> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::Final(NOT_ACCEPTED))?;
    if header.crit.is_some() {
        // It asks for extensions, and there is none that we know (RFC 7515, 4.1.11).
        return Err(Refusal::Final(NOT_ACCEPTED));
    }
    for candidate in keys.candidates(product, header.kid.as_deref()) {
        let mut validation = Validation::new(candidate.algorithm);
        // Time, audience and issuer are checked by us: against the caller's clock, and required.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        match jsonwebtoken::decode::<Claims>(token, &candidate.key, &validation) {
            Ok(decoded) => return Ok(decoded.claims),
            // The signature was good, the claims are not what they should be.
            Err(error) if matches!(error.kind(), ErrorKind::Json(_)) => {
                return Err(Refusal::Final("the token's claims cannot be read"));
            }
            Err(_) => {}
        }
    }
    // Issuers publish keys of these kinds alone: a secret is never among those that could be fetched.
    let may_be_published = matches!(header.alg, Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA);
    Err(if may_be_published { Refusal::UnknownKey } else { Refusal::Final(NOT_ACCEPTED) })
}

fn check_time(claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
    let Some(exp) = &claims.exp else {
        return Err(Refusal::Final("the token has no end (exp)"));
    };
    if now.0 >= instant(exp).0.saturating_add(LEEWAY) {
        return Err(Refusal::Final("the token has expired"));
    }
    match &claims.nbf {
        Some(nbf) if now.0.saturating_add(LEEWAY) < instant(nbf).0 => Err(Refusal::Final("the token is not valid yet")),
        _ => Ok(()),
    }
}

fn principal(claims: Claims, product: &Arc<Product>) -> Result<Principal, Refusal> {
    const UNFIT: Refusal = Refusal::Final("the token's subject or organization is empty, too long or has NUL in it");
    names::check_id(&"sub", &claims.sub).map_err(|_| UNFIT)?;
    let organization = claims.org.clone().map(|id| OrganizationId::new("org", id)).transpose().map_err(|_| UNFIT)?;
    if claims.texts().any(|text| names::check_text(&"claim", text, limits::TEXT_BYTES).is_err()) {
        return Err(Refusal::Final("a claim of the token is too long or has NUL in it"));
    }
    let logs = claims.logs.as_deref().map(|logs| narrowed_to(logs, product)).transpose()?.unwrap_or_default();
    Ok(Principal {
        product: product.clone(),
        scopes: claims.scope.as_deref().unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect(),
        roles: claims.all_roles(),
        expires_at: claims.exp.as_ref().map_or(Timestamp(0), instant),
        organization,
        subject: claims.sub,
        plan: claims.plan,
        email: shown(claims.email),
        name: shown(claims.name),
        logs,
        is_partner: false,
    })
}

/// The logs that a token is narrowed to. A list that cannot be read as a whole refuses the token: to leave an entry
/// out, or to take an empty list for none, would widen what its issuer meant to narrow.
fn narrowed_to(logs: &[String], product: &Product) -> Result<Vec<LogName>, Refusal> {
    if logs.is_empty() {
        return Err(Refusal::Final("the token's list of logs is empty"));
    }
    let read = |text: &String| LogName::parse(text).filter(|log| product.level(&log.level).is_some());
    let mut names = Vec::with_capacity(logs.len());
    for name in logs.iter().map(read) {
        let name =
            name.ok_or(Refusal::Final("the token's list of logs has an entry that is not level:id of a known level"))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Whether a token says that it is of this issuer. Nothing of it is proved.
#[must_use]
pub fn claims_issuer(token: &str, issuer: &str) -> bool {
    token.len() <= TOKEN_BYTES && claimed_issuer(token).is_ok_and(|claimed| claimed == issuer)
}

/// Makes a token by HS256, as development keys do.
///
/// # Errors
/// `INTERNAL`, where the claims do not become JSON.
pub fn sign(secret: &[u8], kid: Option<&str>, claims: &Claims) -> Result<String> {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret)).map_err(Error::internal)
}
