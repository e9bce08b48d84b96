//! Issuers that are down, come back and change their keys. A token that cannot be checked is not called bad.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use ledgerline::catalog::Products;
use serde_json::json;

use crate::harness::{
    Answer, Database, TestApp,
    issuer::{Answer as Told, Issuer, SigningKey, jwks},
};

const VIEWER: &str = "{ viewer { subject } }";

/// Products whose keys come from these addresses, several of one product under one name.
fn products(addresses: &[(&str, &str)]) -> (Products, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let names: std::collections::BTreeSet<_> = addresses.iter().map(|(name, _)| *name).collect();
    for name in names {
        let own = addresses.iter().filter(|(each, _)| *each == name);
        let keys: String = own.map(|(_, url)| format!("[[issuers.keys]]\njwks_url = \"{url}\"\n")).collect();
        let text = format!(
            "name = \"{name}\"\nlabel = \"One\"\nretention = \"forever\"\n\
             [[issuers]]\nissuer = \"https://{name}.example\"\naudience = \"ledgerline\"\n{keys}[access]\nroles = [\"admin\"]\n\
             [[levels]]\nname = \"organization\"\nlabel = \"Organization\"\n[catalog]\nopen = true\n\
             [viewer]\npaging = \"MORE\"\ndate_filter = \"NONE\"\naction_display = \"NAME\"\n\
             [[viewer.columns]]\nkind = \"TIME\"\nlabel = \"Time\"\n"
        );
        std::fs::write(folder.path().join(format!("{name}.toml")), text).expect("written");
    }
    let products = Products::load(folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
    (products, folder)
}

async fn service(addresses: &[(&str, &str)]) -> (TestApp, tempfile::TempDir) {
    let (products, folder) = products(addresses);
    (TestApp::with(Database::Sqlite, products, |_| {}).await, folder)
}

async fn ask(app: &TestApp, token: &str) -> Answer {
    app.graphql(Some(token), VIEWER, json!({})).await
}

async fn is_accepted(app: &TestApp, token: &str) {
    assert_eq!(ask(app, token).await.data()["viewer"]["subject"], "ada");
}

async fn is_refused(app: &TestApp, token: &str) {
    let answer = ask(app, token).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "UNAUTHENTICATED"));
    assert!(!answer.headers.contains_key("retry-after"));
}

/// 503, to be tried again, and no word that the token is bad; gives the seconds to wait.
fn is_put_off(answer: &Answer, what: &str) -> u64 {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "UNAVAILABLE"), "{what}");
    let wait: u64 = answer.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=30).contains(&wait), "{what}: {wait}");
    assert!(!answer.headers.contains_key("www-authenticate"), "{what}: that asks for another token");
    let error = answer.errors()[0].clone();
    assert!(error["extensions"]["retryAfterMs"].as_u64().is_some_and(|ms| ms.div_ceil(1_000) == wait), "{error}");
    assert!(error["extensions"]["issuer"].as_str().is_some_and(|issuer| issuer.starts_with("https://")), "{error}");
    assert!(error["message"].as_str().is_some_and(|text| !text.contains("not accepted")), "{error}");
    wait
}

/// The end of a pause between two fetches, where none before was in vain.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
}

#[tokio::test]
async fn an_issuer_that_is_down_in_any_way_is_503() {
    let key = SigningKey::new("one");
    let whole = |status, body: &str| Told::Whole(status, body.to_owned());
    let told = [
        ("error", whole(500, "")),
        ("unavailable", whole(503, "try later")),
        ("limited", whole(429, "")),
        ("missing", whole(404, "")),
        ("forbidden", whole(403, "")),
        ("page", whole(200, "<html>sign in</html>")),
        ("empty", whole(200, "")),
        ("keyless", whole(200, "{\"keys\": []}")),
        ("other", whole(200, "{}")),
        ("redirect", Told::Redirect),
        ("endless", Told::Endless),
        ("silent", Told::Silence),
        ("half", Told::Half),
        ("refused", whole(200, "")),
        ("tls", jwks(&[&key])),
    ];
    let mut issuers = Vec::new();
    let mut addresses = vec![("unnamed", "https://issuer.invalid/jwks".to_owned())];
    for (name, answer) in told {
        let issuer = Issuer::start(answer).await;
        let scheme = if name == "tls" { "https" } else { "http" };
        addresses.push((name, format!("{scheme}://127.0.0.1:{}/jwks", issuer.port)));
        issuers.push((name, issuer));
    }
    issuers.iter().find(|(name, _)| *name == "refused").expect("there").1.stop().await;
    let addresses: Vec<_> = addresses.iter().map(|(name, url)| (*name, url.as_str())).collect();
    let (app, _folder) = service(&addresses).await;
    let told = join_all(addresses.iter().map(async |(name, _)| {
        let token = key.token(&app.products, name);
        assert_eq!(is_put_off(&ask(&app, &token).await, name), 1, "{name}: the time from the end of the fetch");
        // The second failure in a row is no other than the first.
        pause().await;
        is_put_off(&ask(&app, &token).await, name);
        // What needs no key of the issuer is answered as ever.
        assert_eq!(app.admin(name, "acme").data(VIEWER, json!({})).await["viewer"]["subject"], "admin", "{name}");
        let expired = ask(&app, "not.a.token").await;
        assert_eq!(expired.status, 401);
    }));
    told.await;
    for (name, issuer) in &issuers {
        assert!(issuer.asked() <= 2, "{name} was asked {} times", issuer.asked());
    }
    app.finish().await;
}

#[tokio::test]
async fn keys_outlive_the_issuer_and_new_ones_come_with_it() {
    let (old, new) = (SigningKey::new("old"), SigningKey::new("new"));
    let issuer = Issuer::start(jwks(&[&old])).await;
    let (app, _folder) = service(&[("tickets", &issuer.url())]).await;
    let (by_old, by_new) = (old.token(&app.products, "tickets"), new.token(&app.products, "tickets"));
    is_accepted(&app, &by_old).await;
    pause().await;
    is_refused(&app, &by_new).await;
    for round in 0..2 {
        issuer.stop().await;
        for failure in 0..2 {
            pause().await;
            is_accepted(&app, &by_old).await;
            is_put_off(&ask(&app, &by_new).await, &format!("round {round}, failure {failure}"));
        }
        issuer.listen_again().await;
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        is_accepted(&app, &by_old).await;
        is_refused(&app, &by_new).await;
    }
    issuer.answers(jwks(&[&new]));
    pause().await;
    is_accepted(&app, &by_new).await;
    is_refused(&app, &by_old).await;
    app.finish().await;
}

#[tokio::test]
async fn new_material_under_the_same_key_id_is_fetched() {
    let (before, after) = (SigningKey::new("only"), SigningKey::new("only"));
    let issuer = Issuer::start(jwks(&[&before])).await;
    let (app, _folder) = service(&[("tickets", &issuer.url())]).await;
    let (by_before, by_after) = (before.token(&app.products, "tickets"), after.token(&app.products, "tickets"));
    is_accepted(&app, &by_before).await;
    issuer.answers(jwks(&[&after]));
    pause().await;
    is_accepted(&app, &by_before).await;
    is_accepted(&app, &by_after).await;
    is_refused(&app, &by_before).await;
    assert_eq!(issuer.asked(), 2);
    // The same while it is down: whether the key is another by now cannot be told.
    issuer.answers(Told::Whole(503, String::new()));
    pause().await;
    is_put_off(&ask(&app, &by_before).await, "perhaps changed back");
    is_accepted(&app, &by_after).await;
    issuer.answers(jwks(&[&before]));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    is_accepted(&app, &by_before).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_tokens_do_not_become_requests_to_the_issuer() {
    let (own, foreign) = (SigningKey::new("own"), SigningKey::new("foreign"));
    let impostor = SigningKey::new("own");
    let issuer = Issuer::start(jwks(&[&own])).await;
    let (app, _folder) = service(&[("tickets", &issuer.url())]).await;
    let tokens = [&foreign, &impostor].map(|key| key.token(&app.products, "tickets"));
    let good = own.token(&app.products, "tickets");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        join_all((0..40).map(|n| is_refused(&app, &tokens[n % 2]))).await;
        is_accepted(&app, &good).await;
    }
    // At the start, and after pauses of one second, two and four.
    assert!((2..=4).contains(&issuer.asked()), "{}", issuer.asked());
    app.finish().await;
}

#[tokio::test]
async fn a_start_beside_its_issuer_costs_seconds_not_tokens() {
    let key = SigningKey::new("one");
    let issuer = Issuer::start(jwks(&[&key])).await;
    let (app, _folder) = service(&[("tickets", &issuer.url())]).await;
    let token = key.token(&app.products, "tickets");
    is_accepted(&app, &token).await;
    issuer.stop().await;
    is_accepted(&app, &token).await;
    let restarted = app.beside().await;
    let wait = is_put_off(&ask(&restarted, &token).await, "after a restart");
    is_put_off(&ask(&restarted, &token).await, "at once again");
    issuer.listen_again().await;
    tokio::time::sleep(Duration::from_secs(wait)).await;
    is_accepted(&restarted, &token).await;
    is_accepted(&app, &token).await;
    restarted.finish().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_is_down_slows_no_other() {
    let (own, second) = (SigningKey::new("own"), SigningKey::new("second"));
    let (up, silent) = (Issuer::start(jwks(&[&own])).await, Issuer::start(Told::Silence).await);
    let addresses = [("tickets", up.url()), ("orders", silent.url()), ("both", silent.url()), ("both", up.url())];
    let addresses: Vec<_> = addresses.iter().map(|(name, url)| (*name, url.as_str())).collect();
    let (app, _folder) = service(&addresses).await;
    let waiting = second.token(&app.products, "orders");
    let put_off = async { is_put_off(&ask(&app, &waiting).await, "the one that is down") };
    let untouched = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let began = Instant::now();
        for product in ["tickets", "both", "tickets", "both"] {
            is_accepted(&app, &own.token(&app.products, product)).await;
        }
        began.elapsed()
    };
    let (_, took) = tokio::join!(put_off, untouched);
    assert!(took < Duration::from_secs(3), "{took:?}");
    is_refused(&app, &second.token(&app.products, "tickets")).await;
    // A key that the one address lacks may be at the other, which is down.
    is_put_off(&ask(&app, &second.token(&app.products, "both")).await, "one of two addresses");
    app.finish().await;
}
