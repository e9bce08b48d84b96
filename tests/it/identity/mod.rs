//! Identity providers as they are: their tokens, their discovery, and what an issuer must not be able to do.

mod check_token;
mod https;
pub mod kept_plans;
mod provider;
mod signer;

use std::time::Duration;

use ledgerline::{catalog::Products, clock::Clock};
use provider::Provider;
use serde_json::{Value, json};
use signer::{Signer, jwks};

use crate::harness::{Answer, Database, TestApp, event};

const READ: &str = "{ viewer { subject organization role plan scopes } auditEvents { totalCount } }";

/// A product with these sections `[access]` and `[[issuers]]`.
pub fn product(name: &str, access: &str, issuers: &str) -> String {
    format!(
        "name = \"{name}\"\nlabel = \"{name}\"\nretention = \"forever\"\n{issuers}\n[access]\n{access}\n\
         [[levels]]\nname = \"organization\"\nlabel = \"Organization\"\n\
         [[levels]]\nname = \"project\"\nlabel = \"Project\"\nparent = \"organization\"\non_delete = \"KEEP\"\n\
         [catalog]\nopen = true\n[viewer]\npaging = \"MORE\"\ndate_filter = \"NONE\"\naction_display = \"NAME\"\n\
         [[viewer.columns]]\nkind = \"TIME\"\nlabel = \"Time\"\n"
    )
}

/// A folder with product files and other files.
pub fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

async fn service(database: Database, files: &[(&str, String)]) -> (TestApp, tempfile::TempDir) {
    let folder = folder(files);
    let products = Products::load(folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
    (TestApp::with(database, products, |_| {}).await, folder)
}

/// Claims with an end, an issuer and an audience, and others over them; null takes one away.
pub fn claims(iss: &str, aud: &str, more: &Value) -> Value {
    let now = Clock::system().now().0 / 1_000_000_000;
    let mut claims = json!({ "iss": iss, "aud": aud, "sub": "ada", "iat": now, "exp": now + 600, "org": "acme",
        "scope": "audit:read", "role": "admin" });
    for (name, value) in more.as_object().expect("claims") {
        claims[name] = value.clone();
    }
    claims
}

async fn read(app: &TestApp, token: &str) -> Answer {
    app.graphql(Some(token), READ, json!({})).await
}

#[track_caller]
fn is_read(answer: &Answer, what: &str) -> Value {
    assert_eq!(answer.status, 200, "{what}: {}", String::from_utf8_lossy(&answer.body));
    let json = answer.json();
    assert!(json.get("errors").is_none(), "{what}: {json:#}");
    json["data"]["viewer"].clone()
}

#[track_caller]
fn is_refused(answer: &Answer, what: &str) -> String {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "UNAUTHENTICATED"), "{what}");
    answer.errors()[0]["message"].as_str().expect("a message").to_owned()
}

/// The product whose file has a golden token's issuer: named like the preset, unless the token says otherwise.
fn product_of(token: &Value) -> &str {
    token["product"].as_str().or(token["preset"].as_str()).expect("text")
}

async fn reads_a_log_of_every_provider(database: Database) {
    let tokens: Vec<Value> = serde_json::from_str(include_str!("tokens.json")).expect("tokens");
    let [rsa, ec] = ["RS256", "ES256"].map(|algorithm| Signer::new(algorithm, "one"));
    let mut files =
        vec![("rsa.json".to_owned(), jwks(&[&rsa]).to_string()), ("ec.json".to_owned(), jwks(&[&ec]).to_string())];
    for token in &tokens {
        let [preset, issuer, audience] = ["preset", "issuer", "audience"].map(|key| token[key].as_str().expect("text"));
        let name = product_of(token);
        let file = format!("{name}.toml");
        // Providers with two shapes of tokens have one section for both, but where a shape wants a line more.
        if files.iter().any(|(known, _)| *known == file) {
            continue;
        }
        // The test has no network: keys are in a file. Everything else is what `docs/access/` says.
        let keys = if token["alg"] == "ES256" { "ec.json" } else { "rsa.json" };
        let more = token["more"].as_str().unwrap_or_default();
        let issuers = format!(
            "[[issuers]]\npreset = \"{preset}\"\nissuer = \"{issuer}\"\naudience = \"{audience}\"\n\
             keys = [{{ jwks_file = \"{keys}\" }}]\n{more}\n"
        );
        let access = if token["role"].is_null() { "" } else { "roles = [\"admin\"]" };
        files.push((file, product(name, access, &issuers)));
    }
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    let (app, _folder) = service(database, &files).await;
    for token in &tokens {
        let what = product_of(token);
        let organization = token["organization"].as_str().expect("text");
        let backend = app.caller(what).scopes("audit:record").organization(organization);
        assert_eq!(backend.record(event("member.invited")).await["status"], "RECORDED");
        let iss = token["iss"].as_str().or(token["issuer"].as_str()).expect("text");
        let mut said = claims(iss, "", &json!({ "aud": null, "org": null, "scope": null, "role": null }));
        for (claim, value) in token["claims"].as_object().expect("claims") {
            said[claim] = value.clone();
        }
        let signer = if token["alg"] == "ES256" { &ec } else { &rsa };
        let signed = signer.sign(&said);
        let viewer = is_read(&read(&app, &signed).await, what);
        // That the log was read says that the role is there: the product asks for it where the provider has roles.
        assert_eq!(viewer["organization"], token["organization"], "{what}");
        assert!(!viewer["scopes"].as_array().expect("scopes").contains(&json!("audit:manage")), "{what}: {viewer}");
        let elsewhere = "{ auditEvents(organization: \"globex\") { totalCount } }";
        assert_eq!(app.graphql(Some(&signed), elsewhere, json!({})).await.code(), "NOT_FOUND", "{what}");
        // The same token of another application of the provider.
        for claim in ["aud", "azp", "client_id"] {
            if said.get(claim).is_some_and(|value| !value.is_null()) {
                said[claim] = json!("another");
            }
        }
        if what != "workos" {
            is_refused(&read(&app, &signer.sign(&said)).await, what);
        }
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_golden_token_of_each_preset_reads_a_log_with_three_lines_on_sqlite() {
    reads_a_log_of_every_provider(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_golden_token_of_each_preset_reads_a_log_with_three_lines_on_postgres() {
    reads_a_log_of_every_provider(Database::Postgres).await;
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// People by an identity provider, and a backend by a secret.
fn both(provider: &Provider) -> Vec<(&'static str, String)> {
    let issuers = format!(
        "[[issuers]]\nissuer = \"{}\"\naudience = \"audit\"\ndiscovery = true\nallowed_scopes = [\"audit:read\"]\n\
         [[issuers]]\nissuer = \"backend\"\naudience = \"audit\"\nkeys = [{{ secret_file = \"backend.key\" }}]\n",
        provider.issuer
    );
    vec![("tickets.toml", product("tickets", "roles = [\"admin\"]", &issuers)), ("backend.key", SECRET.to_owned())]
}

fn by_secret(claims: &Value) -> String {
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256), claims, &key).expect("a token")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_issuers_serve_one_product_and_an_outage_of_one_leaves_the_other() {
    let (old, new) = (Signer::new("PS256", "old"), Signer::new("ES384", "new"));
    let provider = Provider::start(jwks(&[&old])).await;
    provider.is_down(true);
    let (app, _folder) = service(Database::Sqlite, &both(&provider)).await;
    let said = claims(&provider.issuer, "audit", &json!({}));
    let backend = by_secret(&claims("backend", "audit", &json!({ "scope": "audit:record audit:manage audit:read" })));
    let answer = read(&app, &old.sign(&said)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "UNAVAILABLE"));
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(answer.errors()[0]["extensions"]["issuer"], provider.issuer.as_str());
    is_read(&read(&app, &backend).await, "the backend, while the provider is down");
    let asked = provider.asked();
    is_refused(
        &read(&app, &old.sign(&claims("https://elsewhere.example", "audit", &json!({})))).await,
        "unknown issuer",
    );
    is_refused(&read(&app, &by_secret(&claims("backend", "other", &json!({})))).await, "audience");
    assert_eq!(provider.asked(), asked, "an issuer that is unknown, and one with secrets, cost no network");
    provider.is_down(false);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let viewer = is_read(&read(&app, &old.sign(&said)).await, "the provider is up");
    assert_eq!(viewer["scopes"], json!(["audit:read"]));
    // Keys change while it serves.
    provider.has_keys(jwks(&[&new]));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    is_read(&read(&app, &new.sign(&said)).await, "the new key");
    is_refused(&read(&app, &old.sign(&said)).await, "the key that was withdrawn");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_leads_nowhere_but_where_the_file_would() {
    let key = Signer::new("RS256", "one");
    let inside = Provider::start(jwks(&[&key])).await;
    for (member, value) in [
        ("issuer", "https://elsewhere.example/realm"),
        ("jwks_uri", "http://169.254.169.254/latest/meta-data"),
        ("jwks_uri", "http://localhost.example/keys"),
        ("jwks_uri", "file:///etc/passwd"),
        ("jwks_uri", "https://user:secret@127.0.0.1/keys"),
        ("jwks_uri", "keys"),
    ] {
        let provider = Provider::start(jwks(&[&key])).await;
        provider.says(member, value);
        let (app, _folder) = service(Database::Sqlite, &both(&provider)).await;
        let answer = read(&app, &key.sign(&claims(&provider.issuer, "audit", &json!({})))).await;
        assert_eq!((answer.status.as_u16(), provider.asked()), (503, 1), "{member} = {value}");
        let said = answer.json().to_string();
        assert!(!said.contains(value) || member == "issuer", "{said}");
        app.finish().await;
    }
    assert_eq!(inside.asked(), 0);
}

/// A product whose issuers have their keys in files, and one section more.
async fn with_keys(keys: &Signer, access: &str, section: &str) -> (TestApp, tempfile::TempDir) {
    let issuers = format!(
        "[[issuers]]\nissuer = \"idp\"\naudience = \"audit\"\nkeys = [{{ jwks_file = \"k.json\" }}]\n{section}"
    );
    let files = [("tickets.toml", product("tickets", access, &issuers)), ("k.json", jwks(&[keys]).to_string())];
    service(Database::Sqlite, &files).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scopes_come_in_every_form_and_odd_claims_that_nobody_needs_refuse_nothing() {
    let key = Signer::new("EdDSA", "one");
    let section = "[issuers.claims]\nscopes = [\"scope\", \"scp\", \"permissions\", \"/flags/audit:read\"]\n\
                   roles = { at = [\"role\", \"roles\"], split = \"commas\", words = { \"Audit Admins\" = \"admin\" } }\n";
    let (app, _folder) = with_keys(&key, "roles = [\"admin\"]\nplans = [\"pro\"]", section).await;
    let asked = async |more: Value| read(&app, &key.sign(&claims("idp", "audit", &more))).await;
    let pro = json!({ "plan": "PRO" });
    let with = |more: Value| {
        let mut all = pro.clone();
        all.as_object_mut().expect("claims").extend(more.as_object().expect("claims").clone());
        all
    };
    for scopes in [
        json!({ "scope": ["audit:read"] }),
        json!({ "scope": "openid audit:read" }),
        json!({ "scope": null, "scp": "audit:read" }),
        json!({ "scope": null, "scp": ["audit:read"] }),
        json!({ "scope": "openid", "permissions": ["audit:read"] }),
        json!({ "scope": null, "permissions": { "audit:read": { "since": 5 } } }),
        json!({ "scope": null, "flags": { "audit:read": true } }),
    ] {
        is_read(&asked(with(scopes.clone())).await, &scopes.to_string());
    }
    assert_eq!(asked(with(json!({ "scope": null, "flags": { "audit:read": false } }))).await.code(), "FORBIDDEN");
    for roles in [
        json!({ "role": "editor, admin" }),
        json!({ "role": ["ADMIN"] }),
        json!({ "role": "audit admins" }),
        json!({ "role": null, "roles": { "admin": { "1": "x" } } }),
        json!({ "email": false, "name": { "first": "Ada" } }),
        json!({ "email": [1.5], "jti": {}, "nonce": [[[]]] }),
    ] {
        is_read(&asked(with(roles.clone())).await, &roles.to_string());
    }
    // What counts as absent gives nothing.
    for (odd, code) in [
        (json!({ "plan": { "id": "pro" } }), "PLAN_REQUIRED"),
        (json!({ "plan": ["pro", "free"] }), "PLAN_REQUIRED"),
        (json!({ "role": [["admin"]] }), "FORBIDDEN"),
    ] {
        let answer = asked(with(odd.clone())).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (200, code), "{odd}");
    }
    // What narrows is never taken for absent.
    for odd in [
        json!({ "org": { "id": "acme" } }),
        json!({ "org": ["acme", "globex"] }),
        json!({ "logs": {} }),
        json!({ "logs": 5 }),
    ] {
        is_refused(&asked(with(odd.clone())).await, &odd.to_string());
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_issuer_serves_many_products_told_apart_by_audience() {
    let key = Signer::new("RS256", "one");
    let issuers = |audience: &str| {
        format!(
            "[[issuers]]\nissuer = \"https://idp.example/\"\naudience = \"{audience}\"\nkeys = [{{ jwks_file = \"k.json\" }}]\n"
        )
    };
    let files = [
        ("a.toml", product("a", "", &issuers("audit-a"))),
        ("b.toml", product("b", "", &issuers("audit-b"))),
        ("k.json", jwks(&[&key]).to_string()),
    ];
    let (app, _folder) = service(Database::Sqlite, &files).await;
    let own = "{ viewer { product { name } } }";
    let asked = async |aud: Value| {
        let token = key.sign(&claims("https://idp.example/", "", &json!({ "aud": aud })));
        app.graphql(Some(&token), own, json!({})).await
    };
    for (aud, name) in [(json!("audit-a"), "a"), (json!(["x", "audit-b"]), "b")] {
        assert_eq!(asked(aud).await.data()["viewer"]["product"]["name"], name);
    }
    assert_eq!(is_refused(&asked(json!("audit-c")).await, "neither"), "the token is meant for another service");
    is_refused(&asked(json!(["audit-a", "audit-b"])).await, "both: nobody can tell for which");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_tenant_of_a_pattern_has_its_own_organization_and_no_other() {
    let (key, own) = (Signer::new("RS256", "one"), Signer::new("RS256", "one"));
    let issuers = "[[issuers]]\npreset = \"entra\"\nissuer = \"https://login.microsoftonline.com/{tid}/v2.0\"\naudience = \"app\"\n\
                   default_scopes = [\"audit:read\"]\nkeys = [{ jwks_file = \"k.json\" }]\n\
                   [[issuers]]\nissuer = \"https://login.microsoftonline.com/ours/v2.0\"\naudience = \"app\"\n\
                   keys = [{ jwks_file = \"own.json\" }]\nallowed_scopes = [\"audit:read\", \"audit:staff\"]\n";
    let files = [
        ("tickets.toml", product("tickets", "", issuers)),
        ("k.json", jwks(&[&key]).to_string()),
        ("own.json", jwks(&[&own]).to_string()),
    ];
    let (app, _folder) = service(Database::Sqlite, &files).await;
    let of =
        |tenant: &str, more: Value| claims(&format!("https://login.microsoftonline.com/{tenant}/v2.0"), "app", &more);
    for tenant in ["contoso", "fabrikam-1"] {
        let viewer = is_read(&read(&app, &key.sign(&of(tenant, json!({ "tid": tenant })))).await, tenant);
        assert_eq!((viewer["organization"].as_str(), viewer["scopes"].clone()), (Some(tenant), json!(["audit:read"])));
    }
    for (iss, tid) in [
        ("contoso", json!("fabrikam")),
        ("contoso", Value::Null),
        ("contoso", json!(["contoso"])),
        ("a/b", json!("a/b")),
        ("", json!("")),
    ] {
        is_refused(&read(&app, &key.sign(&of(iss, json!({ "tid": tid })))).await, iss);
    }
    // Our own tenant is named: the keys of the pattern, though of the same id, are not its.
    let staff = of("ours", json!({ "tid": "ours", "org": null, "scope": "audit:read audit:staff" }));
    is_refused(&read(&app, &key.sign(&staff)).await, "a key of the pattern");
    let elsewhere = "{ auditEvents(organization: \"contoso\") { totalCount } }";
    app.graphql(Some(&own.sign(&staff)), elsewhere, json!({})).await.data();
    let not_staff = of("contoso", json!({ "tid": "contoso", "scp": "audit:read audit:staff", "scope": "audit:staff" }));
    let other = "{ auditEvents(organization: \"fabrikam\") { totalCount } }";
    assert_eq!(app.graphql(Some(&key.sign(&not_staff)), other, json!({})).await.code(), "NOT_FOUND");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_gives_no_more_than_it_may_and_is_believed_by_its_own_keys_alone() {
    let (a, b) = (Signer::new("RS256", "a"), Signer::new("ES256", "b"));
    let section = |name: &str, more: &str| {
        format!(
            "[[issuers]]\nissuer = \"{name}\"\naudience = \"audit\"\nkeys = [{{ jwks_file = \"{name}.json\" }}]\n{more}\n"
        )
    };
    let bounded = "allowed_scopes = [\"audit:read\", \"audit:record\"]\nany_organization = false\n[issuers.required]\nemail_verified = \"true\"";
    let issuers = section("a", bounded) + &section("b", "");
    let files = [
        ("tickets.toml", product("tickets", "", &issuers)),
        ("other.toml", product("other", "", &section("a", "").replace("\"audit\"", "\"other\""))),
        ("a.json", jwks(&[&a]).to_string()),
        ("b.json", jwks(&[&b]).to_string()),
    ];
    let (app, _folder) = service(Database::Sqlite, &files).await;
    let all =
        json!({ "scope": "audit:read audit:record audit:manage audit:staff audit:export", "email_verified": true });
    let viewer = is_read(&read(&app, &a.sign(&claims("a", "audit", &all))).await, "within its bounds");
    assert_eq!(viewer["scopes"], json!(["audit:read", "audit:record"]));
    let log = json!({ "input": { "log": { "level": "project", "id": "p1" } } });
    let delete = "mutation($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) { log { id } } }";
    assert_eq!(app.graphql(Some(&a.sign(&claims("a", "audit", &all))), delete, log).await.code(), "FORBIDDEN");
    // Without an organization nothing is recorded in whichever the caller names.
    let mut nowhere = all.clone();
    nowhere["org"] = Value::Null;
    let record = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";
    let mut input = event("member.invited");
    input["organization"] = json!("globex");
    let token = a.sign(&claims("a", "audit", &nowhere));
    assert_eq!(app.graphql(Some(&token), record, json!({ "input": input })).await.code(), "FORBIDDEN");
    let good = claims("a", "audit", &all);
    for (what, token) in [
        ("the other issuer's key under its own id", b.sign(&good)),
        (
            "the other issuer's key under this one's id",
            b.sign_text(&json!({ "alg": "ES256", "kid": "a" }), &good.to_string()),
        ),
        ("its key under the other's id", a.sign(&claims("b", "audit", &json!({})))),
        (
            "its key under the id of the other's",
            a.sign_text(&json!({ "alg": "RS256", "kid": "b" }), &claims("b", "audit", &json!({})).to_string()),
        ),
        ("another algorithm", a.sign_text(&json!({ "alg": "PS256", "kid": "a" }), &good.to_string())),
        ("none", a.sign_text(&json!({ "alg": "none", "kid": "a" }), &good.to_string())),
        ("HS256 over the public key", {
            let key = jsonwebtoken::EncodingKey::from_secret(jwks(&[&a]).to_string().as_bytes());
            jsonwebtoken::encode(&jsonwebtoken::Header::default(), &good, &key).expect("a token")
        }),
        ("a required claim is another", a.sign(&claims("a", "audit", &json!({ "email_verified": false })))),
        ("a required claim is not there", a.sign(&claims("a", "audit", &json!({})))),
        ("the audience of another product under this issuer's bounds", a.sign(&claims("a", "nobody", &all))),
        (
            "claims twice",
            a.sign_text(
                &json!({ "alg": "RS256", "kid": "a" }),
                &good.to_string().replacen('{', "{\"org\":\"globex\",", 1),
            ),
        ),
        (
            "a claim twice inside",
            a.sign_text(
                &json!({ "alg": "RS256", "kid": "a" }),
                &good.to_string().replacen('{', "{\"x\":{\"y\":1,\"y\":2},", 1),
            ),
        ),
        (
            "deep claims",
            a.sign_text(
                &json!({ "alg": "RS256", "kid": "a" }),
                &good.to_string().replacen('{', &format!("{{\"x\":{}1{},", "[".repeat(5_000), "]".repeat(5_000)), 1),
            ),
        ),
        ("claims that are a list", a.sign_text(&json!({ "alg": "RS256", "kid": "a" }), "[]")),
        ("huge claims", a.sign(&claims("a", "audit", &json!({ "x": "y".repeat(20_000) })))),
    ] {
        is_refused(&read(&app, &token).await, what);
    }
    // Wide, and as deep as anybody needs.
    let mut wide = all;
    wide["groups"] = json!((0..400).map(|no| format!("group {no}")).collect::<Vec<_>>());
    wide["deep"] = serde_json::from_str(&format!("{}1{}", "[".repeat(30), "]".repeat(30))).expect("JSON");
    is_read(&read(&app, &a.sign(&claims("a", "audit", &wide))).await, "wide claims");
    app.finish().await;
}

#[test]
fn every_preset_has_a_page_whose_section_is_sound() {
    let tokens: Vec<Value> = serde_json::from_str(include_str!("tokens.json")).expect("tokens");
    let presets: std::collections::BTreeSet<_> =
        tokens.iter().map(|token| token["preset"].as_str().expect("text")).collect();
    assert_eq!(presets.len(), 13);
    let summary = include_str!("../../../docs/SUMMARY.md");
    for preset in presets {
        let path = format!("{}/docs/access/{preset}.md", env!("CARGO_MANIFEST_DIR"));
        let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let (_, rest) = page.split_once("```toml issuers").expect("a section");
        let (_, rest) = rest.split_once('\n').expect("lines");
        let (section, _) = rest.split_once("```").expect("an end");
        assert_eq!(section.trim().lines().count(), 4, "preset, issuer and audience: {section}");
        assert!(
            section.contains(&format!("preset = \"{preset}\"")) && summary.contains(&format!("(access/{preset}.md)"))
        );
        let folder = folder(&[("p.toml", product("p", "", section))]);
        Products::load(folder.path()).unwrap_or_else(|faults| panic!("{path}: {faults}"));
    }
}
