use serde_json::{Value, json};

use super::{create, only, sending, update};
use crate::harness::{
    TestApp, event, on_both_databases,
    receiver::{Receiver, Reply},
};

on_both_databases! {
    a_test_says_what_came_of_it,
    an_address_inside_is_refused,
    what_breaks_a_rule_is_named,
    every_change_is_told_in_the_log_without_a_secret,
    whoever_may_not_manage_is_told_why,
}

const CREATE: &str = "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { secret } }";

async fn a_test_says_what_came_of_it(app: &TestApp) {
    let app = sending(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let (id, secret) = create(&admin, &receiver.url, json!({ "filter": { "actions": [] } })).await;
    let test = "mutation($input: EndpointInput!) { testEndpoint(input: $input) {
        attempt { purpose succeeded status trouble firstSequence } } }";
    let tested = async || admin.data(test, json!({ "input": { "id": id } })).await["testEndpoint"]["attempt"].clone();
    assert_eq!(
        tested().await,
        json!({ "purpose": "TEST", "succeeded": true, "status": 204, "trouble": null, "firstSequence": null })
    );
    let got = receiver.has(1).await;
    standardwebhooks::Webhook::new(&secret).expect("a secret").verify(&got[0].body, &got[0].headers).expect("signed");
    assert_eq!(got[0].json()["type"], "audit_endpoint.test");
    assert_eq!(got[0].json()["data"], json!({ "organization": "acme" }));
    receiver.answers(|_| Reply::Status(500));
    assert_eq!(
        tested().await,
        json!({ "purpose": "TEST", "succeeded": false, "status": 500, "trouble": "HTTP 500", "firstSequence": null })
    );
    drop(receiver);
    let gone = tested().await;
    assert!(gone["trouble"].as_str().is_some_and(|why| why.starts_with("it cannot be reached")), "{gone:#}");
    assert_eq!(only(&admin).await["attempts"].as_array().map(Vec::len), Some(3));
    app.finish().await;
}

async fn an_address_inside_is_refused(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://10.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://0x7f000001/",
        "https://[64:ff9b::7f00:1]/",
        "file:///etc/passwd",
        "https://user:pw@example.com/",
    ] {
        let input = json!({ "label": "x", "target": { "webhook": { "url": url } } });
        let refused = admin.ask(CREATE, json!({ "input": input })).await;
        assert_eq!((refused.code().as_str(), refused.field().as_str()), ("BAD_USER_INPUT", "input.url"), "{url}");
    }
    // A name is judged when it is connected to.
    let (id, _) = create(&admin, "https://localhost/hook", json!(null)).await;
    let test = "mutation($input: EndpointInput!) { testEndpoint(input: $input) { attempt { trouble } } }";
    let tested = admin.data(test, json!({ "input": { "id": id } })).await["testEndpoint"]["attempt"]["trouble"].clone();
    assert!(tested.as_str().is_some_and(|why| why.contains("localhost has no public address")), "{tested}");
}

async fn what_breaks_a_rule_is_named(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let url = "https://hooks.example.com/";
    for (input, field) in [
        (json!({ "label": " ", "target": { "webhook": { "url": url } } }), "input.label"),
        (json!({ "label": "x".repeat(257), "target": { "webhook": { "url": url } } }), "input.label"),
        (json!({ "label": "x", "target": { "webhook": { "url": "nonsense" } } }), "input.url"),
        (
            json!({ "label": "x", "target": { "webhook": { "url": url } }, "question": { "filter": { "period": { "preset": "TODAY", "timeZone": "UTC" } } } }),
            "input.filter.period",
        ),
        (
            json!({ "label": "x", "target": { "webhook": { "url": url } }, "question": { "filter": { "actions": ["\u{0}"] } } }),
            "input.filter.actions",
        ),
    ] {
        let refused = admin.ask(CREATE, json!({ "input": input })).await;
        assert_eq!((refused.code().as_str(), refused.field().as_str()), ("BAD_USER_INPUT", field), "{input}");
    }
    assert!(super::list(&admin).await.is_empty());
    for n in 0..50 {
        create(&admin, &format!("https://hooks.example.com/{n}"), json!(null)).await;
    }
    let input = json!({ "label": "x", "target": { "webhook": { "url": url } } });
    assert_eq!(admin.ask(CREATE, json!({ "input": input })).await.code(), "BAD_USER_INPUT");
}

async fn every_change_is_told_in_the_log_without_a_secret(app: &TestApp) {
    let app = sending(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let (id, secret) = create(&admin, &format!("{}?key=hush", receiver.url), json!(null)).await;
    update(&admin, &id, json!({ "label": "Renamed", "question": { "search": "needle" } })).await;
    let rotate = "mutation($input: RotateEndpointSecretInput!) { rotateEndpointSecret(input: $input) { secret } }";
    let new = admin.data(rotate, json!({ "input": { "id": id } })).await["rotateEndpointSecret"]["secret"].clone();
    let delete = "mutation($input: EndpointInput!) { deleteEndpoint(input: $input) { endpoint { id } } }";
    admin.data(delete, json!({ "input": { "id": id } })).await;
    let query = "{ auditEvents { nodes { action actionLabel actor { externalId } resource { type externalId name } metadata } } }";
    let told = admin.data(query, json!({})).await["auditEvents"]["nodes"].clone();
    let actions: Vec<_> =
        told.as_array().expect("events").iter().map(|event| event["action"].as_str().unwrap_or_default()).collect();
    assert_eq!(
        actions,
        [
            "audit_log.endpoint_deleted",
            "audit_log.endpoint_secret_rotated",
            "audit_log.endpoint_updated",
            "audit_log.endpoint_created"
        ]
    );
    for event in told.as_array().expect("events") {
        assert_eq!((&event["actor"]["externalId"], &event["resource"]["externalId"]), (&json!("admin"), &json!(id)));
        assert_eq!(event["resource"]["type"], "audit_log_endpoint");
    }
    let updated = &told[2]["metadata"];
    assert_eq!((&updated["before"]["label"], &updated["after"]["label"]), (&json!("Their system"), &json!("Renamed")));
    let all = told.to_string();
    for hidden in [secret.as_str(), new.as_str().expect("a secret"), "hush"] {
        assert!(!all.contains(hidden), "{hidden}");
    }
    app.finish().await;
}

async fn whoever_may_not_manage_is_told_why(app: &TestApp) {
    let input = json!({ "input": { "label": "x", "target": { "webhook": { "url": "https://hooks.example.com/" } } } });
    app.admin("workspace", "acme").record(event("one.two")).await;
    let reader = app.admin("workspace", "acme").scopes("audit:read audit:record");
    let member = app.admin("workspace", "acme").role("member");
    let free = app.admin("cloud-sessions", "acme").plan("free");
    for (caller, code) in [(reader, "FORBIDDEN"), (member, "FORBIDDEN"), (free, "PLAN_REQUIRED")] {
        assert_eq!(caller.ask(CREATE, input.clone()).await.code(), code);
        assert_eq!(caller.ask("{ auditEndpoints { id } }", json!({})).await.code(), code);
    }
    let nobody = app.graphql(None, CREATE, input).await;
    assert_eq!(nobody.json()["data"], json!({ "createEndpoint": Value::Null }));
    assert_eq!(nobody.code(), "UNAUTHENTICATED");
}
