#![expect(clippy::disallowed_methods, reason = "the task of a test lives as long as the test")]

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, header},
    routing::get,
};
use serde_json::Value;

use super::*;
use crate::auth::Claims;

const ISSUER: &str = include_str!("../auth/testdata/issuer.json");

const DOWN: &str =
    "who is asking cannot be checked at the moment, because the issuer of the token does not answer, try again";

fn start() -> Timestamp {
    Timestamp::parse("2026-11-20T15:04:05Z").unwrap()
}

fn after(seconds: i64) -> Timestamp {
    Timestamp(start().0 + seconds * 1_000_000_000)
}

/// capydb alone, with these keys in place of its own.
fn capydb(keys: &str) -> (tempfile::TempDir, Products) {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../../products/capydb.toml");
    let (head, rest) = text.split_once("[[issuers.keys]]").unwrap();
    let (_, rest) = rest.split_once("[access]").unwrap();
    fs::write(folder.path().join("capydb.toml"), format!("{head}{keys}\n[access]{rest}")).unwrap();
    let products = Products::load(folder.path()).unwrap();
    (folder, products)
}

/// An issuer's address that can be told what to answer, and counts.
struct Issuer {
    url: String,
    asked: Arc<AtomicUsize>,
    answer: Arc<Mutex<(StatusCode, String)>>,
}

impl Issuer {
    async fn start() -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let answer = Arc::new(Mutex::new((StatusCode::OK, Self::document("jwks"))));
        let (count, told) = (asked.clone(), answer.clone());
        let jwks = get(move || async move {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
            told.lock().unwrap().clone()
        });
        let elsewhere = get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/jwks")], "") });
        let app = Router::new().route("/jwks", jwks).route("/elsewhere", elsewhere);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, asked, answer }
    }

    fn document(name: &str) -> String {
        serde_json::from_str::<Value>(ISSUER).unwrap()[name].to_string()
    }

    fn answers(&self, status: StatusCode, text: impl Into<String>) {
        *self.answer.lock().unwrap() = (status, text.into());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn keys(&self, path: &str) -> Keys {
        let (_folder, products) = capydb(&format!("[[issuers.keys]]\njwks_url = \"{}{path}\"\n", self.url));
        Keys::new(&products, None).unwrap()
    }
}

fn token(place: &[&str]) -> String {
    let issuer: Value = serde_json::from_str(ISSUER).unwrap();
    place.iter().fold(&issuer, |value, name| &value[*name]).as_str().unwrap().to_owned()
}

async fn refused(keys: &Keys, token: &str, now: Timestamp) -> String {
    keys.verify(token, now).await.unwrap_err().to_string()
}

#[tokio::test]
async fn keys_of_an_address_are_fetched_once_for_all_who_need_them() {
    let issuer = Issuer::start().await;
    let keys = issuer.keys("/jwks");
    let all = (0..20).map(|n| {
        let (keys, token) = (keys.clone(), token(&["accepted", ["RS256", "ES256", "EdDSA"][n % 3]]));
        tokio::spawn(async move { keys.verify(&token, start()).await.map(|p| p.subject) })
    });
    for answer in futures_util::future::join_all(all).await {
        assert_eq!(answer.unwrap().unwrap(), "usr_1");
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_key_that_is_not_there_is_asked_for_ever_more_seldom() {
    let issuer = Issuer::start().await;
    let keys = issuer.keys("/jwks");
    let (old, new) = (token(&["accepted", "RS256"]), token(&["by_the_rotated_key"]));
    keys.verify(&old, after(0)).await.unwrap();
    let mut asked = Vec::new();
    for second in 1..150 {
        let before = issuer.asked();
        assert_eq!(refused(&keys, &new, after(second)).await, "the token is not accepted");
        if issuer.asked() > before {
            asked.push(second);
        }
    }
    // Pauses of 1, 1, 2, 4, 8, 16 and 30 seconds, each from the end of the fetch, which takes some time.
    assert_eq!(asked, [2, 4, 7, 12, 21, 38, 69, 100, 131]);
    issuer.answers(StatusCode::OK, Issuer::document("rotated"));
    assert_eq!(refused(&keys, &new, after(150)).await, "the token is not accepted");
    keys.verify(&new, after(162)).await.unwrap();
    assert_eq!(refused(&keys, &old, after(162)).await, "the token is not accepted", "the old key is withdrawn");
    // What was not in vain makes it willing again.
    let before = issuer.asked();
    issuer.answers(StatusCode::OK, Issuer::document("jwks"));
    keys.verify(&old, after(164)).await.unwrap();
    assert_eq!(issuer.asked(), before + 1);
}

#[tokio::test]
async fn keys_stay_while_the_issuer_is_down() {
    let issuer = Issuer::start().await;
    let keys = issuer.keys("/jwks");
    let good = token(&["accepted", "ES256"]);
    keys.verify(&good, after(0)).await.unwrap();
    let bad = [
        (StatusCode::SERVICE_UNAVAILABLE, String::new()),
        (StatusCode::OK, "<html>".to_owned()),
        (StatusCode::OK, format!("{}{}", Issuer::document("rotated"), " ".repeat(64 * 1024))),
    ];
    for (n, (status, text)) in (1..).zip(bad) {
        issuer.answers(status, text);
        assert_eq!(refused(&keys, &token(&["by_the_rotated_key"]), after(n * 36_000)).await, DOWN);
        keys.verify(&good, after(n * 36_000)).await.unwrap();
    }
    assert_eq!(issuer.asked(), 4);
}

#[tokio::test]
async fn old_keys_are_fetched_anew_while_they_still_serve() {
    let issuer = Issuer::start().await;
    let keys = issuer.keys("/jwks");
    let old = token(&["accepted", "RS256"]);
    keys.verify(&old, after(0)).await.unwrap();
    issuer.answers(StatusCode::OK, Issuer::document("rotated"));
    keys.verify(&old, after(599)).await.unwrap();
    assert_eq!(issuer.asked(), 1);
    for _ in 0..5 {
        keys.verify(&old, after(600)).await.unwrap();
    }
    while keys.verify(&old, after(601)).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn an_issuer_that_never_answered_is_no_reason_to_doubt_the_token() {
    let issuer = Issuer::start().await;
    issuer.answers(StatusCode::BAD_GATEWAY, "");
    let good = token(&["accepted", "EdDSA"]);
    let keys = issuer.keys("/jwks");
    assert_eq!(refused(&keys, &good, after(0)).await, DOWN);
    issuer.answers(StatusCode::OK, Issuer::document("jwks"));
    assert_eq!(refused(&keys, &good, after(1)).await, DOWN, "the fetch ended later than it began");
    keys.verify(&good, after(2)).await.unwrap();
    let redirected = issuer.keys("/elsewhere");
    assert_eq!(refused(&redirected, &good, after(0)).await, DOWN, "no redirect is followed");
    // A token that no published key could fit is refused at once, issuer or no issuer.
    let by_secret = token::sign(&[7; 32], Some("rsa-1"), &Claims::default()).unwrap();
    assert_eq!(refused(&redirected, &by_secret, after(0)).await, "the token is not accepted");
}

#[test]
fn all_faults_of_keys_are_told_at_once_and_no_secret_with_them() {
    let (folder, products) = capydb(
        "[[issuers.keys]]\nsecret_env = \"SHORT\"\n[[issuers.keys]]\nsecret_env = \"UNSET\"\n[[issuers.keys]]\nsecret_env = \"ODD\"\n\
         [[issuers.keys]]\nsecret_file = \"none.key\"\n[[issuers.keys]]\njwks_file = \"odd.json\"\n",
    );
    fs::write(folder.path().join("odd.json"), "{}").unwrap();
    let environment = |variable: &str| match variable {
        "SHORT" => Ok(Some("hunter2".to_owned())),
        "ODD" => Err("is not Unicode".to_owned()),
        _ => Ok(None),
    };
    let faults = Keys::with_environment(&products, None, &environment).err().unwrap().join("\n");
    insta::assert_snapshot!(faults.replace(&folder.path().display().to_string(), "FOLDER"), @r#"
    capydb: SHORT: a secret must have at least 32 bytes, this one has 7
    capydb: ODD: is not Unicode
    capydb: FOLDER/none.key cannot be read: No such file or directory (os error 2)
    capydb: FOLDER/odd.json is no JWKS: missing field `keys` at line 1 column 2
    "#);
}

#[test]
fn certificates_that_cannot_be_read_are_a_fault_of_the_start() {
    for (text, fault) in [
        (None, "none.pem cannot be read: No such file"),
        (Some("not a certificate"), "none.pem cannot be read: it has no certificate in PEM"),
        (Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "capydb: "),
    ] {
        let (folder, products) = capydb("discovery = true\nca_file = \"none.pem\"\n");
        if let Some(text) = text {
            fs::write(folder.path().join("none.pem"), text).unwrap();
        }
        let faults = Keys::with_environment(&products, None, &|_| Ok(None)).err().unwrap().join("\n");
        assert!(faults.contains(fault), "{faults}");
    }
}

#[test]
fn a_token_for_an_issuer_that_cannot_be_read_is_a_fault_of_the_start() {
    for (text, fault) in [
        (None, "none.token cannot be read: No such file"),
        (Some(" \n"), "none.token cannot be read: it must have a token and nothing else"),
        (Some("secret words"), "none.token cannot be read: it must have a token and nothing else"),
    ] {
        let (folder, products) = capydb("discovery = true\ntoken_file = \"none.token\"\n");
        if let Some(text) = text {
            fs::write(folder.path().join("none.token"), text).unwrap();
        }
        let faults = Keys::with_environment(&products, None, &|_| Ok(None)).err().unwrap().join("\n");
        assert!(faults.contains(fault) && !faults.contains("secret"), "{faults}");
    }
}

#[tokio::test]
async fn secrets_come_from_the_environment_and_from_files() {
    let (folder, products) =
        capydb("[[issuers.keys]]\nsecret_env = \"ONE\"\n[[issuers.keys]]\nsecret_file = \"two.key\"\nkid = \"two\"\n");
    let (one, two) = ("1".repeat(32), "2".repeat(40));
    fs::write(folder.path().join("two.key"), format!("{two}\n")).unwrap();
    let environment = |variable: &str| Ok((variable == "ONE").then(|| one.clone()));
    let keys = Keys::with_environment(&products, None, &environment).unwrap_or_else(|faults| panic!("{faults:?}"));
    let claims = Claims {
        iss: "https://auth.capydb.example".to_owned(),
        aud: crate::auth::OneOrMany::One("ledgerline".to_owned()),
        ..Claims::new(products.get("capydb").unwrap(), "backend", after(60))
    };
    for (secret, kid) in [(&one, None), (&two, Some("two"))] {
        let token = token::sign(secret.as_bytes(), kid, &claims).unwrap();
        assert_eq!(keys.verify(&token, start()).await.unwrap().subject, "backend");
    }
    assert!(keys.products_without_keys().is_empty());
}

#[tokio::test]
async fn development_keys_are_made_once_and_believed_only_when_given() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("data/keys");
    let products = Products::built_in();
    let empty = |_: &str| Ok(None);
    assert!(DevelopmentKeys::open(&dir, &products).unwrap().key("capydb").is_none());
    let together: Vec<_> = std::thread::scope(|threads| {
        let all: Vec<_> =
            (0..8).map(|_| threads.spawn(|| DevelopmentKeys::open_or_create(&dir, &products).unwrap())).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let claims = Claims::new(products.get("capydb").unwrap(), "usr_1", after(60));
    let with = Keys::with_environment(&products, DevelopmentKeys::open(&dir, &products).ok(), &empty)
        .unwrap_or_else(|_| panic!());
    let without = Keys::with_environment(&products, None, &empty).unwrap_or_else(|_| panic!());
    for made in together {
        let token = made.sign("capydb", &claims).unwrap();
        assert_eq!(with.verify(&token, start()).await.unwrap().subject, "usr_1");
        assert_eq!(refused(&without, &token, start()).await, "the token is not accepted");
    }
    assert!(with.products_without_keys().is_empty());
    assert_eq!(without.products_without_keys().len(), 5);
    let files: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(files.len(), 5, "no draft is left");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(files.iter().all(|file| file.metadata().unwrap().permissions().mode() & 0o777 == 0o600));
    }
    let secrets: std::collections::BTreeSet<_> =
        files.iter().map(|file| fs::read_to_string(file.path()).unwrap()).collect();
    assert!(secrets.len() == 5 && secrets.iter().all(|secret| secret.trim_end().len() == 43));
    fs::write(dir.join("capydb.key"), "short").unwrap();
    let told = DevelopmentKeys::open(&dir, &products).err().unwrap().to_string();
    assert!(told.ends_with("capydb.key: a secret must have at least 32 bytes, this one has 5"), "{told}");
}
