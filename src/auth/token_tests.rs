use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{token::Refusal, *};
use crate::{catalog::Products, error::Error};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const OTHER: &[u8] = b"fedcba9876543210fedcba9876543210";

fn now() -> Timestamp {
    Timestamp::parse("2026-11-20T15:04:05Z").unwrap()
}

fn seconds(offset: i64) -> i64 {
    now().0 / 1_000_000_000 + offset
}

/// Claims that are accepted, with changes; null takes a claim away.
fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": "https://auth.capydb.example", "aud": "ledgerline", "exp": seconds(600), "sub": "usr_1", "org": "org_1",
        "scope": "audit:read audit:record", "role": "admin",
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn token_of(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let key = jsonwebtoken::EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn hs256(changes: &Value) -> String {
    token_of(&json!({"alg": "HS256", "typ": "JWT"}), &claims(changes), SECRET)
}

fn ring_of(keys: impl IntoIterator<Item = VerifyingKey>) -> KeyRing {
    let keys: Vec<_> = keys.into_iter().collect();
    let mut ring = KeyRing::new();
    for place in ["capydb: issuers[0]", "capydb: development"] {
        ring.add(place, keys.clone());
    }
    ring
}

fn secret(kid: Option<&str>, secret: &[u8]) -> VerifyingKey {
    VerifyingKey::secret(kid.map(str::to_owned), secret).unwrap()
}

fn verify(token: &str) -> Result<Principal, String> {
    verify_with(token, &ring_of([secret(None, SECRET)]))
}

fn verify_with(token: &str, ring: &KeyRing) -> Result<Principal, String> {
    token::verify(token, &Products::built_in(), ring, now()).map_err(|error| {
        assert!(matches!(error, Error::Unauthenticated(_)), "{error:?}");
        error.to_string()
    })
}

fn issuer() -> Value {
    serde_json::from_str(include_str!("testdata/issuer.json")).unwrap()
}

fn refusal(token: &str, ring: &KeyRing) -> Refusal {
    let door = token::door_of(token, &Products::built_in()).unwrap();
    token::check(token, &door, ring, now()).err().unwrap()
}

#[test]
fn a_good_token_says_who_is_asking() {
    let changes = json!({"roles": ["owner", "billing"], "plan": "apex", "name": "Ada", "email": "ada@x.example",
        "logs": ["project:p:1", "project:p_2", "project:p_2"], "aud": ["other", "ledgerline"]});
    let p = verify(&hs256(&changes)).unwrap();
    assert_eq!(
        (p.product.name.as_str(), p.organization.as_deref(), p.subject.as_str()),
        ("capydb", Some("org_1"), "usr_1")
    );
    assert_eq!(
        (p.scopes, p.roles),
        (vec!["audit:read".into(), "audit:record".into()], vec!["admin".into(), "owner".into(), "billing".into()])
    );
    assert_eq!(
        (p.plan.as_deref(), p.name.as_deref(), p.email.as_deref()),
        (Some("apex"), Some("Ada"), Some("ada@x.example"))
    );
    assert_eq!(p.logs, [LogName::new("project", "p:1"), LogName::new("project", "p_2")]);
    assert_eq!(p.expires_at.0, seconds(600) * 1_000_000_000);
}

#[test]
fn what_is_refused_is_refused_in_words_that_tell_nothing() {
    const SAME: &str = "the token is not accepted";
    let hs = json!({"alg": "HS256"});
    let good = hs256(&json!({}));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let unsigned = |alg: &str| {
        let token = token_of(&json!({"alg": alg}), &claims(&json!({})), SECRET);
        [format!("{}.", token.rsplit_once('.').unwrap().0), token]
    };
    let mut refused: Vec<(String, &str)> = vec![
        (String::new(), SAME),
        ("not a token".into(), SAME),
        ("a.b.c".into(), SAME),
        (format!("{good}.more"), SAME),
        (format!("{message}.{}", signature.chars().rev().collect::<String>()), SAME),
        (message.to_owned(), SAME),
        (token_of(&hs, &claims(&json!({})), OTHER), SAME),
        (hs256(&json!({"iss": "https://elsewhere.example"})), SAME),
        (hs256(&json!({"iss": "https://auth.workspace.example"})), SAME),
        (hs256(&json!({"iss": null})), SAME),
        (token_of(&json!({"alg": "HS256", "crit": ["exp"]}), &claims(&json!({})), SECRET), SAME),
        (token_of(&json!({"alg": "HS384"}), &claims(&json!({})), SECRET), SAME),
        (token_of(&json!({"typ": "JWT"}), &claims(&json!({})), SECRET), SAME),
        (hs256(&json!({"exp": seconds(-60)})), "the token has expired"),
        (hs256(&json!({"exp": -1})), "the token has expired"),
        (hs256(&json!({"exp": null})), "the token has no end (exp)"),
        (hs256(&json!({"exp": "tomorrow"})), "the token's end (exp) or begin (nbf) is no number"),
        (hs256(&json!({"nbf": seconds(61)})), "the token is not valid yet"),
        (hs256(&json!({"aud": "another"})), "the token is meant for another service"),
        (hs256(&json!({"aud": []})), "the token is meant for another service"),
        (hs256(&json!({"aud": null})), "the token is meant for another service"),
        (hs256(&json!({"sub": null})), "the token has no subject"),
        (hs256(&json!({"org": {"id": "org_1"}})), "the token's organization is no text"),
        (hs256(&json!({"org": ["org_1", "org_2"]})), "the token's organization is no text"),
        (hs256(&json!({"org": true})), "the token's organization is no text"),
        (hs256(&json!({"logs": {"project": "p_1"}})), "the token's list of logs cannot be read"),
        (hs256(&json!({"logs": ["project:p_1", {}]})), "the token's list of logs cannot be read"),
        (hs256(&json!({"sub": ""})), "the token's subject or organization is empty, too long or has NUL in it"),
        (hs256(&json!({"org": ""})), "the token's subject or organization is empty, too long or has NUL in it"),
        (
            hs256(&json!({"sub": " \u{200b}"})),
            "the token's subject or organization is empty, too long or has NUL in it",
        ),
        (hs256(&json!({"plan": "a\0b"})), "a claim of the token is too long or has NUL in it"),
        (hs256(&json!({"logs": []})), "the token's list of logs is empty"),
        (
            hs256(&json!({"logs": ["p_1"]})),
            "the token's list of logs has an entry that is not level:id of a known level",
        ),
        (
            hs256(&json!({"logs": ["project:p_1", "moon:m_1"]})),
            "the token's list of logs has an entry that is not level:id of a known level",
        ),
        (hs256(&json!({"name": "x".repeat(16 * 1024)})), "the token is too long"),
    ];
    refused.extend(["none", "None", "nOnE"].into_iter().flat_map(unsigned).map(|token| (token, SAME)));
    for (token, reason) in refused {
        assert_eq!(verify(&token).map(|_| ()), Err(reason.to_owned()), "{token}");
    }
}

#[test]
fn clocks_may_differ_by_a_minute() {
    for changes in [
        json!({"exp": seconds(-59)}),
        json!({"nbf": seconds(60)}),
        json!({"exp": f64::from(u32::try_from(seconds(0)).unwrap()) + 0.5}),
        json!({"exp": 1e300}),
    ] {
        verify(&hs256(&changes)).unwrap_or_else(|error| panic!("{changes}: {error}"));
    }
}

#[test]
fn null_is_a_claim_that_is_not_there() {
    let mut null = claims(&json!({}));
    for name in ["org", "plan", "role", "logs", "nbf"] {
        null[name] = Value::Null;
    }
    let p = verify(&token_of(&json!({"alg": "HS256"}), &null, SECRET)).unwrap();
    assert!(p.organization.is_none() && p.plan.is_none() && p.roles.is_empty() && p.logs.is_empty());
}

#[test]
fn two_keys_at_once_let_an_issuer_rotate_without_a_pause() {
    let both = ring_of([secret(None, OTHER), secret(None, SECRET)]);
    let kid = |kid: &str, key: &[u8]| token_of(&json!({"alg": "HS256", "kid": kid}), &claims(&json!({})), key);
    for key in [SECRET, OTHER] {
        assert!(verify_with(&token_of(&json!({"alg": "HS256"}), &claims(&json!({})), key), &both).is_ok());
        assert!(verify_with(&kid("whatever the issuer calls it", key), &both).is_ok());
    }
    let named = ring_of([secret(Some("old"), OTHER), secret(Some("new"), SECRET)]);
    assert!(verify_with(&kid("new", SECRET), &named).is_ok());
    assert!(verify_with(&hs256(&json!({})), &named).is_ok(), "without an id all are tried");
    for unknown in ["old", "newer"] {
        assert!(matches!(refusal(&kid(unknown, SECRET), &named), Refusal::Final(_)), "no issuer publishes a secret");
    }
    assert!(verify_with(&kid("old", OTHER), &ring_of([secret(Some("new"), SECRET)])).is_err(), "the old key is gone");
}

#[test]
fn a_secret_is_as_long_as_its_hash() {
    assert_eq!(
        VerifyingKey::secret(None, &SECRET[1..]).unwrap_err(),
        "a secret must have at least 32 bytes, this one has 31"
    );
    let shown = format!("{:?}", secret(Some("one"), SECRET));
    assert!(!shown.contains("0123"), "{shown}");
}

#[test]
fn public_keys_are_taken_from_a_jwks_and_others_left_aside() {
    let issuer = issuer();
    let keys = VerifyingKey::jwks(&issuer["jwks"].to_string()).unwrap();
    let kinds: Vec<_> =
        keys.iter().map(|key| format!("{} {:?}", key.kid.as_deref().unwrap_or("-"), key.algorithm)).collect();
    assert_eq!(kinds, ["rsa-1 RS256", "ec-1 ES256", "ed-1 EdDSA", "other-algorithm RS512", "p-384 ES384"]);
    let ring = ring_of(keys);
    for (name, token) in issuer["accepted"].as_object().unwrap() {
        assert_eq!(verify_with(token.as_str().unwrap(), &ring).map(|p| p.subject), Ok("usr_1".to_owned()), "{name}");
    }
    for (name, token) in issuer["refused"].as_object().unwrap() {
        assert_eq!(
            verify_with(token.as_str().unwrap(), &ring).map(|p| p.subject),
            Err("the token is not accepted".to_owned()),
            "{name}"
        );
    }
    let rotated = issuer["by_the_rotated_key"].as_str().unwrap();
    assert!(matches!(refusal(rotated, &ring), Refusal::UnknownKey));
    let same_id = issuer["refused"]["another key under this id"].as_str().unwrap();
    assert!(matches!(refusal(same_id, &ring), Refusal::UnknownKey), "the key may be another by now");
    assert!(verify_with(rotated, &ring_of(VerifyingKey::jwks(&issuer["rotated"].to_string()).unwrap())).is_ok());
    for (text, reason) in [
        ("[]", "is no JWKS"),
        ("{\"keys\": []}", "has no key for RSA"),
        ("{\"keys\": [{\"kty\": \"oct\", \"k\": \"AAAA\"}]}", "has no key for RSA"),
        ("<html>", "is no JWKS"),
    ] {
        let told = VerifyingKey::jwks(text).unwrap_err();
        assert!(told.starts_with(reason), "{text}: {told}");
    }
    let many = json!({"keys": vec![issuer["rotated"]["keys"][0].clone(); 33]});
    assert_eq!(VerifyingKey::jwks(&many.to_string()).unwrap_err(), "has 33 keys, at most 32 are taken");
}

#[test]
fn a_public_key_is_no_secret() {
    // The old trick: HS256 over the public key, which everybody has.
    let issuer = issuer();
    let ring = ring_of(VerifyingKey::jwks(&issuer["jwks"].to_string()).unwrap());
    let modulus = issuer["jwks"]["keys"][0]["n"].as_str().unwrap();
    let raw = URL_SAFE_NO_PAD.decode(modulus).unwrap();
    for public in [issuer["rsa_public_pem"].as_str().unwrap().as_bytes(), modulus.as_bytes(), &raw] {
        for kid in [json!("rsa-1"), Value::Null] {
            let header = if kid.is_null() { json!({"alg": "HS256"}) } else { json!({"alg": "HS256", "kid": kid}) };
            let token = token_of(&header, &claims(&json!({})), public);
            assert!(verify_with(&token, &ring).is_err());
        }
    }
    // The other way round: a token by RS256 where a secret is expected.
    let rs256 = issuer["accepted"]["no key id"].as_str().unwrap();
    assert!(verify(rs256).is_err());
}

#[test]
fn a_development_token_carries_what_it_was_given() {
    let products = Products::built_in();
    let product = products.get("capydb").unwrap();
    let claims = Claims {
        org: Some("org_1".into()),
        scope: Some("audit:read".into()),
        logs: Some(vec!["project:p_1".into()]),
        ..Claims::new(product, "usr_1", Timestamp(now().0 + 3_600_000_000_000))
    };
    let token = token::sign(SECRET, Some("development"), &claims).unwrap();
    let p = verify_with(&token, &ring_of([secret(Some("development"), SECRET)])).unwrap();
    assert_eq!((p.organization.as_deref(), p.logs), (Some("org_1"), vec![LogName::new("project", "p_1")]));
}

#[test]
fn what_people_call_themselves_is_no_reason_to_refuse_their_token() {
    let named = |changes| verify(&hs256(&changes)).map(|principal| (principal.name, principal.email)).unwrap();
    assert_eq!(named(json!({"name": "a\0b", "email": " \n"})), (Some("a\u{fffd}b".to_owned()), None));
    assert_eq!(named(json!({"name": "é".repeat(2_000)})).0.map(|name| name.len()), Some(2_048));
    // Cut in the middle of an emoji, as no library here would write it.
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = claims(&json!({"name": "HALF"})).to_string().replace("HALF", "Ann \\ud83d");
    let message = format!("{}.{}", part(r#"{"alg":"HS256"}"#), part(&claims));
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
    assert_eq!(verify(&format!("{message}.{signature}")).unwrap().name.as_deref(), Some("Ann \u{fffd}"));
}
