//! Secrets are masked before anything is stored: marked, comparable within an organization, and found nowhere.

use std::{collections::BTreeSet, fs, path::Path};

use axum::{body::Body, http::Request};
use ledgerline::{
    catalog::Products,
    event::{hash, masking},
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::{
    harness::{Caller, Database, TestApp, as_of_a_cluster, catalogs, event, on_both_databases, sql::change},
    process::{self, ledgerline},
};

on_both_databases! {
    a_secret_is_masked_marked_and_the_same_secret_is_the_same_digest,
    what_is_masked_can_be_filtered_by_and_is_shown_in_every_form,
    the_same_event_sent_again_is_the_same_content,
    what_was_recorded_before_a_product_masked_it_is_known_when_it_comes_again,
    two_organizations_cannot_compare_their_secrets,
    a_product_shortens_or_leaves_out_addresses,
    what_is_imported_is_masked_too,
    no_secret_is_found_in_any_column,
}

as_of_a_cluster! {
    what_is_imported_is_masked_too,
}

const RECORD: &str = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) {
    status sequence truncated masked event { id metadata metadataText truncated masked ipAddress } } }";

async fn record(caller: &Caller<'_>, input: Value) -> Value {
    let recorded = caller.data(RECORD, json!({ "input": input })).await["recordAuditEvent"].clone();
    assert_eq!(recorded["masked"], recorded["event"]["masked"]);
    recorded
}

fn with(metadata: Value) -> Value {
    let mut input = event("user.login");
    input["metadata"] = metadata;
    input
}

async fn sequences(caller: &Caller<'_>, filter: Value, search: &str) -> Vec<String> {
    let query = "query($filter: AuditEventFilter, $search: String) { auditEvents(filter: $filter, search: $search,
        includeNested: true, orderBy: { field: SEQUENCE, direction: ASC }) { totalCount nodes { sequence } } }";
    let list = caller.data(query, json!({ "filter": filter, "search": search })).await["auditEvents"].clone();
    let nodes = list["nodes"].as_array().expect("nodes");
    assert_eq!(list["totalCount"], nodes.len());
    nodes.iter().map(|node| node["sequence"].as_str().expect("a number").to_owned()).collect()
}

async fn get(app: &TestApp, caller: &Caller<'_>, path: &str) -> String {
    let request = Request::get(path).header("authorization", format!("Bearer {}", caller.token()));
    let answer = app.send(request.body(Body::empty()).expect("a request")).await;
    assert!(answer.status.is_success(), "{path}: {}", String::from_utf8_lossy(&answer.body));
    String::from_utf8(answer.body).expect("text")
}

fn is_digest(value: &Value) -> bool {
    let digits = value.as_str().and_then(|text| text.strip_prefix(masking::PREFIX)).unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
}

/// The tests' own products, but `workspace` masks as its file has it, with a section of the test's own.
fn masking_products(section: &str) -> (tempfile::TempDir, Products) {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(catalogs::folder()).expect("a folder") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, folder.path().join(path.file_name().expect("a name"))).expect("copied");
    }
    let text = catalogs::workspace().replace("[masking]\nkeys = []\n", section);
    fs::write(folder.path().join("workspace.toml"), text).expect("written");
    let products = Products::load(folder.path()).unwrap_or_else(|faults| panic!("{faults}"));
    (folder, products)
}

async fn a_secret_is_masked_marked_and_the_same_secret_is_the_same_digest(app: &TestApp) {
    let app = &app.built_in().await;
    let caller = app.admin("workspace", "acme");
    let text = r#"{ "user":"ann", "newPassword" : "hunter2-Ü", "n":1.50, "headers":{"X-Api-Key":"k\u00e91","Host":"h"},
        "changes":[{"access_token":["t-1", "t-2", 7]}], "token_id":"tok_1", "tokens":1200, "passwordChanged":true,
        "secret":{"a":{"b":"deep"}, "c":null}, "pass\u0077ord":"hunter2-\u00dc", "token":"", "client_secret":"[redacted]" }"#;
    let mut input = event("user.login");
    input["metadataText"] = text.into();
    // Strict or not: it is the product that masks.
    input["strict"] = true.into();
    let recorded = record(&caller, input).await;
    let paths = [
        "metadata.newPassword",
        "metadata.headers.X-Api-Key",
        "metadata.changes[0].access_token[0]",
        "metadata.changes[0].access_token[1]",
        "metadata.secret.a.b",
        "metadata.password",
    ];
    assert_eq!((&recorded["masked"], &recorded["truncated"]), (&json!(paths), &json!([])));
    let kept = &recorded["event"]["metadata"];
    for masked in [
        &kept["newPassword"],
        &kept["headers"]["X-Api-Key"],
        &kept["changes"][0]["access_token"][1],
        &kept["secret"]["a"]["b"],
    ] {
        assert!(is_digest(masked), "{masked}");
    }
    assert_eq!(kept["newPassword"], kept["password"], "the same secret, however it is spelled");
    assert_ne!(kept["newPassword"], kept["headers"]["X-Api-Key"]);
    assert_eq!(
        (&kept["token_id"], &kept["tokens"], &kept["passwordChanged"], &kept["token"], &kept["client_secret"]),
        (&json!("tok_1"), &json!(1200), &json!(true), &json!(""), &json!("[redacted]"))
    );
    assert_eq!((&kept["changes"][0]["access_token"][2], &kept["secret"]["c"]), (&json!(7), &Value::Null));
    // All else stands byte for byte as it was sent.
    let mut expected = text.to_owned();
    for (sent, masked) in [
        (r#""hunter2-Ü""#, &kept["newPassword"]),
        (r#""hunter2-\u00dc""#, &kept["password"]),
        (r#""k\u00e91""#, &kept["headers"]["X-Api-Key"]),
        (r#""t-1""#, &kept["changes"][0]["access_token"][0]),
        (r#""t-2""#, &kept["changes"][0]["access_token"][1]),
        (r#""deep""#, &kept["secret"]["a"]["b"]),
    ] {
        expected = expected.replace(sent, &masked.to_string());
    }
    assert_eq!(recorded["event"]["metadataText"], expected);
    // Another event with the same secret, by another process and after a start anew.
    let beside = app.beside().await;
    let again = record(&beside.admin("workspace", "acme"), with(json!({ "api_secret": "hunter2-Ü" }))).await;
    assert_eq!(again["event"]["metadata"]["api_secret"], kept["newPassword"]);
    // Whoever has the digest of one finds all, and nobody finds them by the secret.
    let digest = kept["newPassword"].as_str().expect("a digest").trim_start_matches(masking::PREFIX);
    assert_eq!(sequences(&caller, json!({}), digest).await, ["0", "1"]);
    for secret in ["hunter2", "Ü", "deep"] {
        assert_eq!(sequences(&caller, json!({}), secret).await, [""; 0], "{secret}");
    }
    beside.finish().await;
}

async fn what_is_masked_can_be_filtered_by_and_is_shown_in_every_form(app: &TestApp) {
    let admin = app.admin("capydb", "org_1");
    let send = |metadata: Value| {
        let mut input = event("api_key.created");
        input["metadata"] = metadata;
        input
    };
    admin.record_all(vec![send(json!({ "label": "ci", "token": "tk-1" })), send(json!({ "label": "cd" }))]).await;
    let mut cut = send(json!({ "label": "both", "secret": "s-1" }));
    cut["userAgent"] = "x".repeat(9_000).into();
    admin.record(cut).await;
    for (filter, kept) in [
        (json!({ "masked": true }), vec!["0", "2"]),
        (json!({ "masked": false }), vec!["1"]),
        (json!({ "masked": true, "truncated": true }), vec!["2"]),
        (json!({ "masked": true, "truncated": false }), vec!["0"]),
    ] {
        assert_eq!(sequences(&admin, filter.clone(), "").await, kept, "{filter}");
    }
    let list: Value = serde_json::from_str(&get(app, &admin, "/v1/audit-events?masked=true").await).expect("JSON");
    let events = list["data"].as_array().expect("events");
    assert_eq!(events.len(), 2, "{list:#}");
    for event in events {
        let (path, value) = match &event["metadata"]["token"] {
            Value::Null => ("metadata.secret", &event["metadata"]["secret"]),
            token => ("metadata.token", token),
        };
        assert_eq!(event["masked"], json!([path]));
        assert!(is_digest(value), "{value}");
    }
    let lines = get(app, &admin, "/v1/audit-events/export?format=NDJSON").await;
    assert_eq!(lines.matches("\"masked\":[\"metadata.").count(), 2, "{lines}");
    let csv = get(app, &admin, "/v1/audit-events/export?format=CSV").await;
    assert!(csv.lines().next().is_some_and(|header| header.ends_with(",metadata,masked,erased")), "{csv}");
    assert_eq!(csv.matches("[\"\"metadata.").count(), 2, "{csv}");
    let feed = get(app, &admin, "/v1/audit-events/feed").await;
    for text in [lines, csv, feed] {
        assert!(text.contains(masking::PREFIX) && !text.contains("tk-1") && !text.contains("s-1"), "{text}");
    }
    // Another organization has none of it.
    assert_eq!(sequences(&app.admin("capydb", "org_2"), json!({ "masked": true }), "").await, [""; 0]);
}

async fn the_same_event_sent_again_is_the_same_content(app: &TestApp) {
    let (_folder, products) = masking_products("");
    let one = app.beside_with_products(products.clone()).await;
    let send = |password: &str| {
        let mut input = with(json!({ "user": "ann", "password": password }));
        input["idempotencyKey"] = "k-1".into();
        input
    };
    let first = record(&one.admin("workspace", "acme"), send("hunter2")).await;
    assert_eq!(first["status"], "RECORDED");
    let other = one.beside().await;
    for app in [&one, &other] {
        let again = record(&app.admin("workspace", "acme"), send("hunter2")).await;
        assert_eq!((&again["status"], &again["event"]), (&json!("ALREADY_RECORDED"), &first["event"]));
        let conflict = app.admin("workspace", "acme").ask(RECORD, json!({ "input": send("hunter3") })).await;
        assert_eq!(conflict.code(), "CONFLICT");
        // What is shown of it may be sent again, too; under another key, a digest is masked like any other text.
        let digest = first["event"]["metadata"]["password"].as_str().expect("a digest");
        assert_eq!(record(&app.admin("workspace", "acme"), send(digest)).await["status"], "ALREADY_RECORDED");
        let posing = record(&app.admin("workspace", "acme"), with(json!({ "password": digest }))).await;
        assert_ne!(posing["event"]["metadata"]["password"], digest);
    }
    other.finish().await;
    let one = one.again(|_| {}).await;
    let caller = one.admin("workspace", "acme");
    assert_eq!(record(&caller, send("hunter2")).await["status"], "ALREADY_RECORDED");
    // By REST, and twice in one request.
    let request = Request::post("/v1/audit-events").header("authorization", format!("Bearer {}", caller.token()));
    let event = json!({
        "action": "user.login", "actor": { "kind": "USER", "id": "u_1" }, "idempotency_key": "k-2",
        "metadata": { "token": "t" }
    });
    let body = json!({ "events": [event, event] }).to_string();
    let request = request.header("content-type", "application/json").body(Body::from(body)).expect("a request");
    let answer = one.send(request).await.json();
    assert_eq!((&answer["recorded"], &answer["already_recorded"]), (&json!(1), &json!(1)), "{answer:#}");
    assert_eq!(answer["results"][1]["masked"], json!(["metadata.token"]));
    one.finish().await;
}

async fn what_was_recorded_before_a_product_masked_it_is_known_when_it_comes_again(app: &TestApp) {
    let mut input = with(json!({ "password": "hunter2" }));
    input["idempotencyKey"] = "k-1".into();
    let plain = app.admin("workspace", "acme").record(input.clone()).await;
    let (_folder, products) = masking_products("");
    let masking = app.beside_with_products(products).await;
    let again = record(&masking.admin("workspace", "acme"), input.clone()).await;
    assert_eq!((&again["status"], &again["sequence"]), (&json!("ALREADY_RECORDED"), &plain["sequence"]));
    input["metadata"]["password"] = "hunter3".into();
    let conflict = masking.admin("workspace", "acme").ask(RECORD, json!({ "input": input })).await;
    assert_eq!(conflict.code(), "CONFLICT");
    masking.finish().await;
}

async fn two_organizations_cannot_compare_their_secrets(app: &TestApp) {
    let secret = || {
        let mut input = event("webhook_endpoint.created");
        input["metadata"] = json!({ "secret": "whsec_same" });
        input
    };
    let digest = async |organization: &str| {
        record(&app.admin("capydb", organization), secret()).await["event"]["metadata"]["secret"].clone()
    };
    let (acme, globex) = (digest("acme").await, digest("globex").await);
    assert!(is_digest(&acme) && is_digest(&globex));
    assert_ne!(acme, globex);
    assert_eq!(digest("acme").await, acme);
    let hex = acme.as_str().expect("a digest").trim_start_matches(masking::PREFIX);
    assert_eq!(sequences(&app.admin("capydb", "globex"), json!({}), hex).await, [""; 0]);
    assert_eq!(sequences(&app.admin("capydb", "acme"), json!({}), hex).await, ["0", "1"]);
}

async fn a_product_shortens_or_leaves_out_addresses(app: &TestApp) {
    let send = |address: &str| {
        let mut input = event("user.login");
        input["ipAddress"] = address.into();
        input
    };
    let (_folder, products) = masking_products("[masking]\nip_address = \"shorten\"\n");
    let shortening = app.beside_with_products(products).await;
    let caller = shortening.admin("workspace", "acme");
    for (sent, kept, masked) in [
        ("203.0.113.77", json!("203.0.113.0"), json!(["ipAddress"])),
        ("2001:db8:1:2::77", json!("2001:db8:1::"), json!(["ipAddress"])),
        ("203.0.113.0", json!("203.0.113.0"), json!([])),
        ("host-77.example", Value::Null, json!(["ipAddress"])),
    ] {
        let recorded = record(&caller, send(sent)).await;
        assert_eq!((&recorded["event"]["ipAddress"], &recorded["masked"]), (&kept, &masked), "{sent}");
    }
    assert_eq!(sequences(&caller, json!({ "ipAddresses": ["203.0.113.0"] }), "").await, ["0", "2"]);
    assert_eq!(sequences(&caller, json!({ "ipAddresses": ["203.0.113.77"] }), "").await, [""; 0]);
    assert_eq!(sequences(&caller, json!({}), "77").await, [""; 0]);
    shortening.finish().await;
    let (_folder, products) = masking_products("[masking]\nkeys = []\nip_address = \"omit\"\n");
    let omitting = app.beside_with_products(products).await;
    let caller = omitting.admin("workspace", "acme");
    let recorded = record(&caller, send("203.0.113.77")).await;
    assert_eq!((&recorded["event"]["ipAddress"], &recorded["masked"]), (&Value::Null, &json!(["ipAddress"])));
    let without = record(&caller, event("user.login")).await;
    assert_eq!(without["masked"], json!([]));
    omitting.finish().await;
}

async fn what_is_imported_is_masked_too(app: &TestApp) {
    let (folder, products) = masking_products("");
    let masking = app.beside_with_products(products).await;
    let file = app.folder().join("events.ndjson");
    let line = |user: &str, metadata: Value| {
        json!({ "org": "acme", "action": "user.login", "occurredAt": "2026-01-01T00:00:00Z", "actor": { "kind": "USER", "id": user }, "metadata": metadata })
            .to_string()
    };
    let lines = [line("ann", json!({ "password": "hunter2" })), line("bob", json!({ "n": 1 }))];
    fs::write(&file, lines.join("\n")).expect("written");
    let import = async || {
        let mut command = ledgerline(&app.url, &app.folder());
        command
            .env("LEDGERLINE_PRODUCTS", folder.path())
            .args(["import", "--product", "workspace", "--strict"])
            .arg(&file);
        let output = tokio::task::spawn_blocking(move || command.output().expect("the program runs")).await;
        process::Imported::from(output.expect("the program ends"))
    };
    let imported = import().await;
    assert_eq!(imported.summary, "2 recorded, 0 recorded before, 0 refused", "{imported:#?}");
    assert!(imported.said.contains("of 1 of them secrets or addresses are masked"), "{imported:#?}");
    assert_eq!(import().await.summary, "0 recorded, 2 recorded before, 0 refused");
    // The digest is that of the running service.
    let caller = masking.admin("workspace", "acme");
    let recorded = record(&caller, with(json!({ "password": "hunter2" }))).await;
    let digest = recorded["event"]["metadata"]["password"].as_str().expect("a digest").to_owned();
    assert_eq!(sequences(&caller, json!({}), digest.trim_start_matches(masking::PREFIX)).await.len(), 2);
    masking.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_has_the_key_and_so_the_digests() {
    let (_folder, products) = masking_products("");
    let source = TestApp::with(Database::Sqlite, products.clone(), |_| {}).await;
    let target = TestApp::with(Database::Postgres, products, |_| {}).await;
    let mut input = with(json!({ "password": "hunter2" }));
    input["idempotencyKey"] = "k-1".into();
    let first = record(&source.admin("workspace", "acme"), input.clone()).await;
    let mut command = ledgerline("sqlite://not-used.db", &source.folder());
    command.args(["copy", "--from", &source.url, "--to", &target.url]);
    let output =
        tokio::task::spawn_blocking(move || command.output().expect("the program runs")).await.expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The target had made a key of its own before; the source's counts.
    let copied = target.again(|_| {}).await;
    let caller = copied.admin("workspace", "acme");
    let again = record(&caller, input).await;
    assert_eq!((&again["status"], &again["event"]), (&json!("ALREADY_RECORDED"), &first["event"]));
    let other = record(&caller, with(json!({ "token": "hunter2" }))).await;
    assert_eq!(other["event"]["metadata"]["token"], first["event"]["metadata"]["password"]);
    copied.finish().await;
    source.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_at_once_have_one_key() {
    for database in [Database::Sqlite, Database::Postgres] {
        let (_folder, products) = masking_products("");
        // A database that has no key yet, as before the upgrade.
        let first = TestApp::with(database, products, |_| {}).await;
        change(&first.url, "DELETE FROM masking_key").await;
        let (one, other) = tokio::join!(first.beside(), first.beside());
        let digest = async |app: &TestApp| {
            record(&app.admin("workspace", "acme"), with(json!({ "password": "x1" }))).await["event"]["metadata"]
                .clone()
        };
        assert_eq!(digest(&one).await, digest(&other).await);
        one.finish().await;
        other.finish().await;
        first.finish().await;
    }
}

/// Metadata of any shape with secrets in it, each a text that nothing else has in it.
fn metadata() -> impl Strategy<Value = Value> {
    let names = [
        "password",
        "access_token",
        "clientSecret",
        "X-Api-Key",
        "Authorization",
        "cookies",
        "a\\b.token",
        "日本_secret",
    ];
    let plain = ["user", "note", "token_id", "list", "ключ"];
    let leaf = || {
        prop_oneof![
            3 => "[A-Za-z0-9 é\"\\\\/ß]{0,12}zq[A-Za-z0-9]{16}[ \u{1F511}\u{0}é]{0,3}".prop_map(Value::from),
            1 => any::<i32>().prop_map(Value::from),
            1 => Just(Value::Null)
        ]
    };
    let below = leaf().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,5}", inner, 1..4).prop_map(|map| json!(map)),
        ]
    });
    let secret = (proptest::sample::select(names.to_vec()), below).prop_map(|(key, value)| json!({ key: value }));
    let words = "[a-z]{1,6}".prop_map(Value::from);
    prop_oneof![secret, words].prop_recursive(20, 30, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Value::from),
            proptest::collection::btree_map(proptest::sample::select(plain.to_vec()), inner, 1..4)
                .prop_map(|map| json!(map)),
        ]
    })
}

/// The strings below keys of secrets: what must be nowhere.
fn secrets(value: &Value, is_below: bool, found: &mut Vec<String>) {
    let masking = masking::Masking::default();
    match value {
        Value::String(text) if is_below => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| secrets(item, is_below, found)),
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| secrets(value, is_below || masking.is_secret(key), found));
        }
        _ => {}
    }
}

/// Records events of every shape, some of which are too large or too deep, and gives the core of each secret.
async fn record_secrets(app: &TestApp) -> Vec<(String, String)> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let caller = app.admin("workspace", "acme");
    let mut found = Vec::new();
    for round in 0..12 {
        let events = (0..25).map(|n| {
            let mut value = json!({ "m": metadata().new_tree(&mut runner).expect("a value").current() });
            if n % 5 == 0 {
                // Deeper than metadata is kept, and than it is looked into.
                let depth = if n % 10 == 0 { 40 } else { 200 };
                value = (0..depth).fold(value, |inner, _| json!([inner]));
                value = json!({ "deep": value });
            }
            if n == 7 {
                value["fill"] = "x".repeat(70_000).into();
                value["token"] = format!("zq{:016}{}", round, "y".repeat(66_000)).into();
            }
            let mut all = Vec::new();
            secrets(&value, false, &mut all);
            found.extend(all);
            let mut input = event("user.login");
            input["metadataText"] = value.to_string().into();
            input["idempotencyKey"] = format!("{round}-{n}").into();
            input
        });
        let events: Vec<_> = events.collect();
        let payload = caller.record_all(events).await;
        assert_eq!(payload["refused"], 0, "{payload:#}");
    }
    assert!(found.len() > 200, "{}", found.len());
    let core = |secret: &String| {
        let at = secret.find("zq")?;
        Some((secret[at..].chars().take(18).collect(), secret.clone()))
    };
    found.iter().filter_map(core).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_found_in_any_byte_of_the_database() {
    let app = TestApp::with(Database::Sqlite, masking_products("").1, |_| {}).await;
    let found = record_secrets(&app).await;
    let folder = app.folder();
    // While it runs, its log of writes included, and when that was emptied by a stop.
    is_nowhere(&folder, &found);
    let app = app.again(|_| {}).await;
    is_nowhere(&folder, &found);
    app.finish().await;
}

fn is_nowhere(folder: &Path, secrets: &[(String, String)]) {
    let cores: BTreeSet<Vec<u8>> = secrets.iter().map(|(core, _)| core.to_ascii_lowercase().into_bytes()).collect();
    let hashes: BTreeSet<[u8; 16]> = secrets.iter().map(|(_, secret)| hash::of([secret])).collect();
    let mut digests = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if !path.is_file() {
            continue;
        }
        let bytes = fs::read(&path).expect("a file");
        for at in 0..bytes.len() {
            let rest = &bytes[at..];
            digests += usize::from(rest.starts_with(masking::PREFIX.as_bytes()));
            if rest[0].eq_ignore_ascii_case(&b'z') {
                let core = rest[..rest.len().min(18)].to_ascii_lowercase();
                assert!(!cores.contains(&core), "{} has {}", path.display(), String::from_utf8_lossy(&core));
            }
            // An unsalted hash of a secret could be guessed.
            let is_hash = rest.first_chunk::<16>().is_some_and(|chunk| hashes.contains(chunk));
            assert!(!is_hash, "{} has the hash of a secret", path.display());
        }
    }
    assert!(digests > 200, "what is kept is there: {digests}");
}

async fn no_secret_is_found_in_any_column(app: &TestApp) {
    let (_folder, products) = masking_products("");
    let masking = app.beside_with_products(products).await;
    let found = record_secrets(&masking).await;
    let database = sea_orm::Database::connect(&app.url).await.expect("a connection");
    let backend = database.get_database_backend();
    let columns = match app.database {
        Database::Sqlite => "metadata || coalesce(masked, '') || coalesce(truncated, '')",
        Database::Postgres => "to_jsonb(event)::text",
    };
    let sql = format!("SELECT lower({columns}) FROM event");
    let rows = database.query_all_raw(Statement::from_string(backend, sql)).await.expect("rows");
    let rows: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect();
    assert!(rows.len() == 300 && rows.iter().any(|row| row.contains(masking::PREFIX)));
    let all = rows.join("\n");
    for (core, secret) in &found {
        assert!(!all.contains(&core.to_lowercase()), "{secret}");
    }
    database.close().await.expect("it closes");
    masking.finish().await;
}
