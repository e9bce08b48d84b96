//! Labels of other languages: what is asked for by `Accept-Language` is shown, and what is asked, found and recorded is the same.

use axum::http::{Method, Request, StatusCode, header};
use ledgerline::catalog::Products;
use serde_json::{Value, json};

use crate::{
    harness::{Answer, TestApp, on_both_databases},
    rest::{EVENTS, send},
};

on_both_databases! {
    labels_are_shown_in_the_language_that_is_asked_for,
    words_of_every_language_find_the_same_whoever_asks,
    what_is_recorded_is_the_same_in_every_language,
}

const ASK: &str = "{ viewer { roleLabel product { language label title columns { kind label } levels { label }
    actorKinds { kind label } } }
    catalog { categories { code label shortLabel } actions { name label description } }
    auditEvents { nodes { action actionLabel category { label shortLabel } actor { label kindLabel } }
        facets { actions { buckets { value label } } } } }";

async fn asked(app: &TestApp, token: &str, language: Option<&str>, query: &str) -> Value {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri("/graphql")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(language) = language {
        request = request.header(header::ACCEPT_LANGUAGE, language);
    }
    let body = json!({ "query": query }).to_string();
    app.send(request.body(body.into()).expect("a request")).await.data()
}

fn rotated() -> Value {
    json!({ "action": "project.credentials_rotated", "actor": { "kind": "STAFF", "id": "s1" } })
}

async fn labels_are_shown_in_the_language_that_is_asked_for(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    admin.record(rotated()).await;
    admin.record(json!({ "action": "cutover.acked", "actor": { "kind": "SYSTEM" } })).await;
    let token = admin.token();
    let german = asked(app, &token, Some("de-CH, en;q=0.5"), ASK).await;
    let product = &german["viewer"]["product"];
    assert_eq!((&product["language"], &product["title"]), (&json!("de"), &json!("Audit-Log")));
    assert_eq!(product["label"], "CapyDB", "what has no words of its own is called as in the file");
    assert_eq!(product["columns"][0], json!({ "kind": "TIME", "label": "Zeit" }));
    assert_eq!(product["levels"], json!([{ "label": "Organisation" }, { "label": "Projekt" }]));
    assert_eq!(german["viewer"]["roleLabel"], "Administration");
    let nodes = &german["auditEvents"]["nodes"];
    assert_eq!(
        nodes[1],
        json!({
            "action": "project.credentials_rotated", "actionLabel": "Zugangsdaten erneuert",
            "category": { "label": "Projekte", "shortLabel": "Projekt" },
            "actor": { "label": "Betrieb der Plattform s1", "kindLabel": "Betrieb der Plattform" }
        })
    );
    assert_eq!(nodes[0]["actor"]["kindLabel"], "System", "as in the file");
    let buckets = german["auditEvents"]["facets"]["actions"]["buckets"].as_array().unwrap();
    assert!(buckets.contains(&json!({ "value": "cutover.acked", "label": "Umschaltung bestätigt" })), "{buckets:?}");
    let of = |answer: &Value, name: &str| {
        let actions = answer["catalog"]["actions"].as_array().unwrap();
        actions.iter().find(|action| action["name"] == name).cloned().unwrap()
    };
    assert_eq!(of(&german, "api_key.created")["label"], "API-Schlüssel angelegt");
    assert_eq!(of(&german, "api_key.created")["description"], "Jemand hat einen Schlüssel für Programme angelegt.");
    let code = |code: &str| {
        german["catalog"]["categories"].as_array().unwrap().iter().find(|one| one["code"] == code).cloned()
    };
    assert_eq!(code("restore_point").unwrap()["shortLabel"], "Wiederherstellungspunkte", "no English badge beside it");
    assert_eq!(code("studio").unwrap()["label"], "Studio");

    let arabic = asked(app, &token, Some("ar-EG-u-nu-latn"), ASK).await;
    assert_eq!(arabic["viewer"]["product"]["language"], "ar");
    assert_eq!(arabic["auditEvents"]["nodes"][1]["actionLabel"], "جُدّدت بيانات الدخول");
    assert_eq!(
        arabic["auditEvents"]["nodes"][0]["actionLabel"], "Acknowledged a cutover",
        "what Arabic has no words for"
    );

    // The file's own language is one like others: who prefers it gets it, whatever they speak besides.
    for own in
        [None, Some("en-GB, de;q=0.9"), Some("*, de;q=0.5"), Some("fi, ja"), Some("de;q=0"), Some("d/e"), Some("")]
    {
        let answer = asked(app, &token, own, ASK).await;
        assert_eq!(answer["viewer"]["product"]["language"], "en", "{own:?}");
        assert_eq!(answer["auditEvents"]["nodes"][1]["actionLabel"], "Rotated credentials", "{own:?}");
    }

    // REST, whose caches are told.
    let list =
        async |headers: &[(&str, &str)]| -> Answer { send(app, Method::GET, Some(&token), EVENTS, headers, "").await };
    let (english, german) = (list(&[]).await, list(&[("accept-language", "de")]).await);
    assert_eq!(english.json()["data"][1]["action_label"], "Rotated credentials");
    let shown = &german.json()["data"][1];
    assert_eq!(
        (&shown["action_label"], &shown["category"]["label"], &shown["actor"]["kind_label"]),
        (&json!("Zugangsdaten erneuert"), &json!("Projekte"), &json!("Betrieb der Plattform"))
    );
    let vary: Vec<_> = german.headers.get_all(header::VARY).iter().map(|value| value.to_str().unwrap()).collect();
    assert!(vary.join(", ").contains("accept-language"), "{vary:?}");
    let tag = |answer: &Answer| answer.headers[header::ETAG].to_str().unwrap().to_owned();
    assert_ne!(tag(&english), tag(&german));
    let again = list(&[("accept-language", "de"), ("if-none-match", &tag(&german))]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let other = list(&[("if-none-match", &tag(&german))]).await;
    assert_eq!(other.json()["data"][1]["action_label"], "Rotated credentials");
}

async fn words_of_every_language_find_the_same_whoever_asks(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    for action in ["project.credentials_rotated", "api_key.created", "cutover.acked"] {
        admin.record(json!({ "action": action, "actor": { "kind": "SYSTEM" } })).await;
    }
    let token = admin.token();
    let found = async |language: Option<&str>, words: &str| {
        let words = json!(words);
        let query =
            format!("{{ auditEvents(search: {words}) {{ totalCount nodes {{ action matches {{ field text }} }} }} }}");
        asked(app, &token, language, &query).await["auditEvents"].clone()
    };
    for words in ["rotated credentials", "Zugangsdaten erneuert", "Zugangsdaten", "جُدّدت بيانات"] {
        for language in [None, Some("de"), Some("ar"), Some("ja")] {
            let list = found(language, words).await;
            assert_eq!(list["totalCount"], 1, "{words} {language:?}");
            assert_eq!(list["nodes"][0]["action"], "project.credentials_rotated", "{words} {language:?}");
        }
    }
    let matched = found(Some("de"), "rotated credentials").await["nodes"][0]["matches"][0].clone();
    assert_eq!(matched, json!({ "field": "actionLabel", "text": "Zugangsdaten erneuert" }), "as it is shown");
    assert_eq!(found(Some("de"), "Wiederherstellungspunkte").await["totalCount"], 0);

    // A cursor goes on in another language: a list is no other by what it is called.
    admin.record(json!({ "action": "api_key.created", "actor": { "kind": "SYSTEM" } })).await;
    let page = async |language: &str, after: &str| {
        let query = format!(
            "{{ auditEvents(first: 1, search: \"angelegt\"{after}) {{ nodes {{ sequence }} pageInfo {{ endCursor hasNextPage }} }} }}"
        );
        asked(app, &token, Some(language), &query).await["auditEvents"].clone()
    };
    let first = page("de", "").await;
    let cursor = first["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned();
    let second = page("ar", &format!(", after: {cursor:?}")).await;
    assert_ne!(first["nodes"][0], second["nodes"][0]);
    let more = |page: &Value| page["pageInfo"]["hasNextPage"].clone();
    assert_eq!((more(&first), more(&second)), (json!(true), json!(false)));
}

async fn what_is_recorded_is_the_same_in_every_language(app: &TestApp) {
    let folder = tempfile::tempdir().expect("a folder");
    let text = include_str!("../../products/capydb.toml")
        .replacen("retention = \"forever\"", "retention = \"forever\"\nrecord_reads = \"access\"", 1)
        .replacen(
            "# What is asynchronous",
            "[[levels]]\nname = \"access\"\nlabel = \"Access\"\nparent = \"organization\"\non_delete = \"KEEP\"\n\n# What is asynchronous",
            1,
        )
        .replacen("include_nested = true", "include_nested = false", 1)
        .replacen("[languages.de.levels]\n", "[languages.de.levels]\naccess = \"Zugriffe\"\n", 1);
    std::fs::write(folder.path().join("capydb.toml"), text).expect("written");
    let products = Products::load(folder.path()).unwrap_or_else(|faults| panic!("{faults}"));
    let own = TestApp::with(app.database, products, |_| {}).await;
    let admin = own.admin("capydb", "acme");
    admin.record(rotated()).await;
    let german = asked(
        &own,
        &admin.token(),
        Some("de"),
        "{ viewer { product { levels { label } } } auditEvents { totalCount } }",
    )
    .await;
    assert_eq!(german["viewer"]["product"]["levels"][2]["label"], "Zugriffe");
    let told = "{ auditEvents(log: { level: \"access\", id: \"reads\" }, last: 1) { nodes { action log { name } } } }";
    let told = asked(&own, &admin.token(), None, told).await;
    assert_eq!(
        told["auditEvents"]["nodes"][0],
        json!({ "action": "audit_log.read", "log": { "name": "Access" } }),
        "who reads first gives the log no name of another language"
    );

    // The same event under the same key is the same, whatever language its sender speaks.
    let admin = app.admin("capydb", "acme");
    let mut input = rotated();
    input["idempotency_key"] = json!("k1");
    let body = json!({ "events": [input] }).to_string();
    let mut statuses = Vec::new();
    for language in ["en", "de", "ar"] {
        let headers = [("content-type", "application/json"), ("accept-language", language)];
        let answer = send(app, Method::POST, Some(&admin.token()), EVENTS, &headers, body.clone()).await;
        statuses.push(answer.json()["results"][0]["status"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(statuses, ["RECORDED", "ALREADY_RECORDED", "ALREADY_RECORDED"]);
}
