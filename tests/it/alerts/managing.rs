use serde_json::{Value, json};

use super::{CREATE, alone, endpoint, list, rule, update};
use crate::harness::{TestApp, on_both_databases, receiver::Receiver};

on_both_databases! {
    every_change_is_told_in_the_log,
    what_breaks_a_rule_is_named,
    whoever_may_not_manage_is_told_why,
    an_organization_has_so_many_rules,
}

async fn every_change_is_told_in_the_log(app: &TestApp) {
    let app = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    let id = rule(&admin, &endpoint, "a.b", json!({ "threshold": 5, "per": "ACTOR", "windowSeconds": 300 })).await;
    let made = list(&admin).await.remove(0);
    assert_eq!(
        made,
        json!({ "id": id, "label": "Failed sign-ins", "question": { "v": 1, "filter": { "actions": ["a.b"] } },
            "threshold": 5, "windowSeconds": 300, "per": "ACTOR", "endpointId": endpoint, "emails": [],
            "status": "ACTIVE", "trouble": null, "firings": "0", "lastFiredAt": null, "lastFiring": null,
            "waitingMessages": 0, "lastSentAt": null, "sendTrouble": null, "createdBy": "admin" })
    );
    update(&admin, &id, json!({ "label": "Other", "threshold": 6, "paused": true })).await;
    let delete = "mutation($input: AlertRuleInput!) { deleteAlertRule(input: $input) { rule { id label } } }";
    let deleted = admin.data(delete, json!({ "input": { "id": id } })).await;
    assert_eq!(deleted["deleteAlertRule"]["rule"], json!({ "id": id, "label": "Other" }));
    let query = "{ auditEvents(first: 3, orderBy: { field: SEQUENCE, direction: ASC }, filter: { resource: { types: [\"audit_log_rule\"] } }) {
        nodes { action actor { externalId } resource { type externalId name } metadata } } }";
    let told = admin.data(query, json!({})).await["auditEvents"]["nodes"].clone();
    let said = |label: &str, threshold: i64, status: &str| {
        json!({ "label": label, "question": { "v": 1, "filter": { "actions": ["a.b"] } }, "threshold": threshold,
            "windowSeconds": 300, "per": "ACTOR", "target": { "endpoint": endpoint }, "status": status })
    };
    let resource = |label: &str| json!({ "type": "audit_log_rule", "externalId": id, "name": label });
    let (before, after) = (said("Failed sign-ins", 5, "ACTIVE"), said("Other", 6, "PAUSED"));
    assert_eq!(
        told,
        json!([
            { "action": "audit_log.rule_created", "actor": { "externalId": "admin" }, "resource": resource("Failed sign-ins"),
                "metadata": before },
            { "action": "audit_log.rule_updated", "actor": { "externalId": "admin" }, "resource": resource("Other"),
                "metadata": { "before": before, "after": after } },
            { "action": "audit_log.rule_deleted", "actor": { "externalId": "admin" }, "resource": resource("Other"),
                "metadata": after },
        ])
    );
    app.finish().await;
}

async fn what_breaks_a_rule_is_named(app: &TestApp) {
    let app = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    let many: Vec<_> = (0..11).map(|n| format!("a{n}@example.com")).collect();
    for (change, field) in [
        (json!({ "label": " " }), "input.label"),
        (json!({ "label": "x".repeat(257) }), "input.label"),
        (json!({ "threshold": 0 }), "input.threshold"),
        (json!({ "threshold": 1_001 }), "input.threshold"),
        (json!({ "windowSeconds": 0 }), "input.windowSeconds"),
        (json!({ "windowSeconds": 86_401 }), "input.windowSeconds"),
        (json!({ "per": "ACTOR" }), "input.per"),
        (json!({ "target": { "endpoint": "ep_unknown" } }), "input.target.endpoint"),
        (json!({ "target": { "emails": [] } }), "input.target.emails"),
        (json!({ "target": { "emails": many } }), "input.target.emails"),
        (json!({ "target": { "emails": ["a@example.com", "no address"] } }), "input.target.emails[1]"),
        (json!({ "target": { "emails": ["a@example.com\r\nBcc: b@example.com"] } }), "input.target.emails[0]"),
        (json!({ "target": { "emails": ["a@example.com", "a@example.com"] } }), "input.target.emails[1]"),
        // The service has no server for mail.
        (json!({ "target": { "emails": ["a@example.com"] } }), "input.target.emails"),
        (
            json!({ "question": { "filter": { "period": { "preset": "TODAY", "timeZone": "UTC" } } } }),
            "input.question.filter.period",
        ),
        (json!({ "question": { "filter": { "ipAddresses": ["\u{0}"] } } }), "input.question.filter.ipAddresses"),
    ] {
        let mut input = json!({ "label": "x", "target": { "endpoint": endpoint } });
        for (name, value) in change.as_object().expect("an object") {
            input[name] = value.clone();
        }
        let refused = admin.ask(CREATE, json!({ "input": input })).await;
        assert_eq!((refused.code().as_str(), refused.field().as_str()), ("BAD_USER_INPUT", field), "{change}");
    }
    assert!(list(&admin).await.is_empty());
    let told = admin.actions("first: 5, filter: { actions: [\"audit_log.rule_*\"] }").await;
    assert!(told.is_empty(), "{told:?}");

    // A change is refused as a new rule is, and then nothing of it has changed.
    let id = rule(&admin, &endpoint, "a.b", json!({})).await;
    let query = "mutation($input: UpdateAlertRuleInput!) { updateAlertRule(input: $input) { rule { id } } }";
    let refused = admin.ask(query, json!({ "input": { "id": id, "label": "y", "threshold": 0 } })).await;
    assert_eq!(refused.field(), "input.threshold");
    assert_eq!(list(&admin).await[0]["label"], "Failed sign-ins");
    app.finish().await;
}

async fn whoever_may_not_manage_is_told_why(app: &TestApp) {
    let app = alone(app).await;
    let query = "{ auditAlertRules { id } }";
    let admin = app.admin("cloud-sessions", "acme");
    assert_eq!(admin.ask(query, json!({})).await.data(), json!({ "auditAlertRules": [] }));
    let code = async |caller: crate::harness::Caller<'_>| caller.ask(query, json!({})).await.code();
    assert_eq!(code(app.admin("cloud-sessions", "acme").scopes("audit:read audit:record")).await, "FORBIDDEN");
    assert_eq!(code(app.admin("cloud-sessions", "acme").role("member")).await, "FORBIDDEN");
    assert_eq!(code(app.admin("cloud-sessions", "acme").plan("free")).await, "PLAN_REQUIRED");
    // The file of this product offers nothing to manage.
    assert_eq!(code(app.admin("caputchin", "acme")).await, "FORBIDDEN");
    assert_eq!(app.graphql(None, query, Value::Null).await.code(), "UNAUTHENTICATED");
    app.finish().await;
}

async fn an_organization_has_so_many_rules(app: &TestApp) {
    let app = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    for _ in 0..50 {
        rule(&admin, &endpoint, "a.b", json!({})).await;
    }
    let input = json!({ "label": "x", "target": { "endpoint": endpoint } });
    let refused = admin.ask(CREATE, json!({ "input": input })).await;
    assert_eq!((refused.code().as_str(), refused.field().as_str()), ("BAD_USER_INPUT", "input.rules"));
    app.finish().await;
}
