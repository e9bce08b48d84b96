//! From a token to a [`Principal`], or to a reason in words that do not help an attacker.

use jsonwebtoken::{Algorithm, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    Claims, KeyRing, LogName, Principal,
    claims::{instant, shown},
    reading::{self, Odd, Reading},
};
use crate::{
    catalog::{Door, IssuerName, Product, Products},
    error::{Error, Result},
    event::{OrganizationId, Timestamp, json, limits, names},
};

/// Longest token, in bytes.
pub const TOKEN_BYTES: usize = 16 * 1024;

/// How far clocks may differ, in nanoseconds: 60 seconds.
pub const LEEWAY: i64 = 60 * 1_000_000_000;

/// How deep the claims of a token may nest.
const LEVELS: usize = 32;

/// One text for everything that an attacker could learn from: issuer, key, algorithm and signature.
pub const NOT_ACCEPTED: &str = "the token is not accepted";

/// Why a token did not do.
#[derive(Clone, Copy, Debug)]
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

/// Who is asking, by a token that was checked.
pub struct Accepted {
    /// Who is asking.
    pub principal: Principal,
    /// Claims of a form that cannot be read; nothing depends on them.
    pub odd: Vec<Odd>,
}

/// Checks a token and says who is asking.
///
/// # Errors
/// `UNAUTHENTICATED`, with a reason in words.
pub fn verify(token: &str, products: &Products, keys: &KeyRing, now: Timestamp) -> Result<Principal> {
    let door = door_of(token, products)?;
    check(token, &door, keys, now).map(|accepted| accepted.principal).map_err(Error::from)
}

/// The door that a token says it is for: issuer and product. Nothing of it is proved yet. Where an issuer makes tokens of
/// several products, the audience tells them apart; a token for two of them is for neither.
///
/// # Errors
/// `UNAUTHENTICATED` where it is no token, or of an issuer that we do not know.
pub fn door_of(token: &str, products: &Products) -> Result<Door> {
    if token.len() > TOKEN_BYTES {
        return Err(Error::Unauthenticated("the token is too long"));
    }
    let iss = claimed_issuer(token)?;
    let mut doors = products.doors(&iss);
    let first = doors.next().ok_or(Error::Unauthenticated(NOT_ACCEPTED))?;
    let Some(second) = doors.next() else { return Ok(first.clone()) };
    let claims = claimed(token).ok_or(Error::Unauthenticated(NOT_ACCEPTED))?;
    let mut meant = [first, second].into_iter().chain(doors).filter(|door| reading::is_meant(&claims, door));
    // Whoever is meant by none is told so once the signature is checked.
    let Some(door) = meant.next() else { return Ok(first.clone()) };
    // An issuer that is named is meant before the pattern that it fits.
    let is_named = matches!(door.issuer.name, IssuerName::Exact(_));
    match meant.next() {
        Some(other) if !is_named || matches!(other.issuer.name, IssuerName::Exact(_)) => {
            Err(Error::Unauthenticated(NOT_ACCEPTED))
        }
        _ => Ok(door.clone()),
    }
}

fn claimed_issuer(token: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    let claimed = jsonwebtoken::dangerous::insecure_decode_claims::<Issuer>(token);
    claimed.map(|claimed| claimed.iss).map_err(|_| Error::Unauthenticated(NOT_ACCEPTED))
}

/// What a token says, proved by nothing.
#[must_use]
pub fn claimed(token: &str) -> Option<Value> {
    let raw = jsonwebtoken::dangerous::insecure_decode_claims::<Box<RawValue>>(token).ok()?;
    read_claims(raw.get())
}

/// An object that names each claim once and is not nested without end; `None` for anything else.
fn read_claims(text: &str) -> Option<Value> {
    if json::depth(text) > LEVELS || json::read(text, &mut |_| {}).duplicate.is_some() {
        return None;
    }
    // Halves of surrogate pairs in a name are no reason to refuse the token.
    let read = serde_json::from_str(text).unwrap_or_else(|_| json::shown(text));
    Some(read).filter(Value::is_object)
}

/// Checks a token that says it is for a door.
///
/// # Errors
/// A [`Refusal`]: whether newer keys could help, or why not.
pub fn check(token: &str, door: &Door, keys: &KeyRing, now: Timestamp) -> Result<Accepted, Refusal> {
    if token.len() > TOKEN_BYTES {
        return Err(Refusal::Final("the token is too long"));
    }
    let claims = signed_claims(token, keys, &door.issuer.place)?;
    admit(&claims, door, now)
}

/// Whether what a token says lets it in, once that is proved.
///
/// # Errors
/// A [`Refusal`] for good.
pub fn admit(claims: &Value, door: &Door, now: Timestamp) -> Result<Accepted, Refusal> {
    check_issuer(claims, door)?;
    check_time(claims, now)?;
    if !reading::is_for_audience(claims, door) {
        return Err(Refusal::Final("the token is meant for another service"));
    }
    if reading::missing(claims, door).is_some() {
        return Err(Refusal::Final("the token lacks a claim that the product file requires"));
    }
    let reading = reading::read(claims, door);
    let odd = reading.fields().into_iter().flat_map(|(_, field)| field.odd.iter().cloned()).collect();
    principal(reading, claims, door).map(|principal| Accepted { principal, odd })
}

/// The issuer is the door's, and where that is a pattern, its variable agrees with the claim.
fn check_issuer(claims: &Value, door: &Door) -> Result<(), Refusal> {
    let name = &door.issuer.name;
    let iss = claims.get("iss").and_then(Value::as_str).filter(|iss| name.is(iss));
    let iss = iss.ok_or(Refusal::Final(NOT_ACCEPTED))?;
    match name.variable_in(iss) {
        Some((variable, value)) if claims.get(variable).and_then(Value::as_str) != Some(value) => {
            Err(Refusal::Final("the token's issuer does not agree with the claim that its pattern names"))
        }
        _ => Ok(()),
    }
}

/// The claims, once a key that the ring has under this name has proved them. Nothing that they say is checked.
///
/// # Errors
/// A [`Refusal`], as [`check`].
pub fn signed_claims(token: &str, keys: &KeyRing, place: &str) -> Result<Value, Refusal> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::Final(NOT_ACCEPTED))?;
    if header.crit.is_some() {
        // It asks for extensions, and there is none that we know (RFC 7515, 4.1.11).
        return Err(Refusal::Final(NOT_ACCEPTED));
    }
    for candidate in keys.candidates(place, header.kid.as_deref()) {
        let mut validation = Validation::new(candidate.algorithm);
        // Time, audience and issuer are checked by us: against the caller's clock, and required.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        const UNREADABLE: Refusal = Refusal::Final("the token's claims cannot be read");
        match jsonwebtoken::decode::<Box<RawValue>>(token, &candidate.key, &validation) {
            Ok(decoded) => return read_claims(decoded.claims.get()).ok_or(UNREADABLE),
            // The signature was good, the claims are not what they should be.
            Err(error) if matches!(error.kind(), ErrorKind::Json(_)) => return Err(UNREADABLE),
            Err(_) => {}
        }
    }
    // A secret is never among the keys that could be fetched.
    let is_secret = matches!(header.alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    Err(if is_secret { Refusal::Final(NOT_ACCEPTED) } else { Refusal::UnknownKey })
}

/// A time that a token names, in seconds since 1970.
fn time(claims: &Value, name: &str) -> Result<Option<Timestamp>, Refusal> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(seconds)) => Ok(Some(instant(seconds))),
        Some(_) => Err(Refusal::Final("the token's end (exp) or begin (nbf) is no number")),
    }
}

fn check_time(claims: &Value, now: Timestamp) -> Result<(), Refusal> {
    let exp = time(claims, "exp")?.ok_or(Refusal::Final("the token has no end (exp)"))?;
    if now.0 >= exp.0.saturating_add(LEEWAY) {
        return Err(Refusal::Final("the token has expired"));
    }
    match time(claims, "nbf")? {
        Some(nbf) if now.0.saturating_add(LEEWAY) < nbf.0 => Err(Refusal::Final("the token is not valid yet")),
        _ => Ok(()),
    }
}

fn principal(reading: Reading, claims: &Value, door: &Door) -> Result<Principal, Refusal> {
    const UNFIT: Refusal = Refusal::Final("the token's subject or organization is empty, too long or has NUL in it");
    // To take what cannot be read for nothing would widen what its issuer meant to narrow.
    if reading.organization.values.is_empty() && !reading.organization.odd.is_empty() {
        return Err(Refusal::Final("the token's organization is no text"));
    }
    if !reading.logs.odd.is_empty() {
        return Err(Refusal::Final("the token's list of logs cannot be read"));
    }
    let subject = reading.subject.first().ok_or(Refusal::Final("the token has no subject"))?;
    names::check_id(&"sub", subject).map_err(|_| UNFIT)?;
    let own = reading.organization.first();
    let organization = own.map(|id| OrganizationId::new("org", id)).transpose().map_err(|_| UNFIT)?;
    let texts = [Some(subject), own, reading.plan.first()].into_iter().flatten();
    let mut texts = texts.chain(reading.logs.values.iter().map(String::as_str));
    if texts.clone().any(|text| names::check_text(&"claim", text, limits::TEXT_BYTES).is_err()) {
        return Err(Refusal::Final("a claim of the token is too long or has NUL in it"));
    }
    // Two ids that cannot be read would be one.
    if texts.any(|text| text.contains(char::REPLACEMENT_CHARACTER)) {
        return Err(Refusal::Final("a claim of the token has a character that cannot be read"));
    }
    let is_narrowed = !reading.logs.found.is_empty();
    let logs = if is_narrowed { narrowed_to(&reading.logs.values, &door.product)? } else { Vec::new() };
    Ok(Principal {
        product: door.product.clone(),
        expires_at: time(claims, "exp")?.unwrap_or(Timestamp(0)),
        organization,
        subject: subject.to_owned(),
        plan: reading.plan.first().map(str::to_owned),
        email: shown(reading.email.first()),
        name: shown(reading.name.first()),
        scopes: reading.scopes.values,
        roles: reading.roles.values,
        logs,
        is_partner: false,
        plan_is_kept: false,
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
