//! cloud-sessions: upper-case actions, numbered pages, a range of dates, a role and a plan.

use serde_json::{Value, json};

use super::{catalog, column, columns, seed, view};
use crate::harness::{Caller, TestApp, event, on_both_databases};

on_both_databases! {
    the_catalog_of_cloud_sessions_has_seventeen_upper_case_actions,
    cloud_sessions_has_five_columns_numbered_pages_and_a_range_of_dates,
    cloud_sessions_has_the_words_of_its_document,
    a_failed_sign_in_has_no_place_in_the_demo_of_a_product_without_an_action_for_it,
    cloud_sessions_asks_for_the_role_and_the_plan_each_with_its_own_answer,
    the_filters_of_cloud_sessions_hold_together,
    the_first_event_brings_the_organization_into_being,
    an_expired_session_has_nobody_and_a_deleted_user_is_still_found,
}

async fn the_catalog_of_cloud_sessions_has_seventeen_upper_case_actions(app: &TestApp) {
    let catalog = catalog(app, "cloud-sessions").await;
    let names = column(&catalog["actions"], "name");
    assert_eq!(
        names,
        [
            "USER_REGISTERED",
            "USER_LOGIN",
            "USER_CREATED",
            "USER_UPDATED",
            "USER_DELETED",
            "SESSION_STARTED",
            "SESSION_STOPPED",
            "SESSION_EXTENDED",
            "SESSION_EXPIRED",
            "RESOURCE_CREATED",
            "RESOURCE_UPDATED",
            "RESOURCE_DELETED",
            "CREDENTIAL_CREATED",
            "CREDENTIAL_DELETED",
            "ROLE_CREATED",
            "ROLE_UPDATED",
            "ROLE_DELETED"
        ]
    );
    assert_eq!(catalog["open"], false);
    assert_eq!(column(&catalog["categories"], "code"), ["user", "session", "resource", "credential", "role"]);
    assert_eq!(app.admin("cloud-sessions", "acme").record_all(vec![event("user_login")]).await["refused"], 1);
}

async fn cloud_sessions_has_five_columns_numbered_pages_and_a_range_of_dates(app: &TestApp) {
    let product = view(app, "cloud-sessions").await;
    let expected =
        [("ACTION", "Event"), ("ACTOR", "User"), ("IP_ADDRESS", "IP"), ("DETAILS", "Details"), ("TIME", "Time")];
    assert_eq!(columns(&product), expected.map(|(kind, label)| (kind.to_owned(), label.to_owned())));
    assert_eq!((&product["paging"], &product["dateFilter"]), (&json!("PAGES"), &json!("RANGE")));
}

async fn cloud_sessions_has_the_words_of_its_document(app: &TestApp) {
    let product = view(app, "cloud-sessions").await;
    assert_eq!((&product["title"], &product["planTitle"]), (&json!("Audit Logs"), &json!("Paid Plan Required")));
    assert_eq!(
        product["filters"],
        json!([
            { "kind": "ACTION", "label": "Event Type", "allLabel": "All events", "hint": null },
            { "kind": "EMAIL", "label": "User Email", "allLabel": null, "hint": "Search email..." },
        ])
    );
    assert!(product["upgradeHref"].as_str().is_some_and(|href| href.starts_with("https://")));
    let viewer = app
        .admin("cloud-sessions", "acme")
        .plan("free")
        .data(
            "{ viewer { planLabel roleLabel canReadAuditLog { requiredPlans requiredPlanLabels requiredRoles } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        viewer["viewer"],
        json!({
            "planLabel": "Free", "roleLabel": "Organization administrator",
            "canReadAuditLog": { "requiredPlans": ["paid"], "requiredPlanLabels": ["Paid"], "requiredRoles": [] }
        })
    );
}

async fn a_failed_sign_in_has_no_place_in_the_demo_of_a_product_without_an_action_for_it(app: &TestApp) {
    for (product, organization) in [("cloud-sessions", "org_2mX9"), ("caputchin", "acct_hoian")] {
        let admin = app.admin(product, organization);
        seed(&admin, product, organization).await;
        assert_eq!(
            admin.actions("includeNested: true, filter: { outcomes: [FAILURE] }").await,
            Vec::<String>::new(),
            "{product}"
        );
    }
}

async fn cloud_sessions_asks_for_the_role_and_the_plan_each_with_its_own_answer(app: &TestApp) {
    let ask = "{ auditEvents { totalCount } viewer { canReadAuditLog { reason requiredPlans hidden } } }";
    let code = async |caller: Caller<'_>| caller.ask(ask, json!({})).await.code();
    assert_eq!(code(app.admin("cloud-sessions", "acme").plan("free")).await, "PLAN_REQUIRED");
    assert_eq!(code(app.admin("cloud-sessions", "acme").role("user")).await, "FORBIDDEN");
    assert_eq!(code(app.admin("cloud-sessions", "acme").role("user").plan("free")).await, "FORBIDDEN");
    let banner = app.admin("cloud-sessions", "acme").plan("free").ask(ask, json!({})).await.json();
    assert_eq!(
        banner["data"]["viewer"]["canReadAuditLog"],
        json!({ "reason": "PLAN_REQUIRED", "requiredPlans": ["paid"], "hidden": false })
    );
    assert_eq!(app.admin("cloud-sessions", "acme").data(ask, json!({})).await["auditEvents"]["totalCount"], 0);
}

async fn the_filters_of_cloud_sessions_hold_together(app: &TestApp) {
    let admin = app.admin("cloud-sessions", "acme");
    let input = |action: &str, email: &str, at: &str| {
        json!({
            "action": action, "actor": { "kind": "USER", "email": email }, "occurredAt": at, "ipAddress": "192.0.2.4",
            "resources": [{ "type": "resource", "id": "r-1", "name": "staging" }]
        })
    };
    admin
        .record_all(vec![
            input("SESSION_STARTED", "Ann@corp.example", "2026-05-01T22:30:00Z"),
            input("CREDENTIAL_DELETED", "bob@corp.example", "2026-05-02T21:59:59Z"),
            input("RESOURCE_CREATED", "ann@corp.example", "2026-05-02T22:00:00Z"),
            input("SESSION_STOPPED", "zoe@else.example", "2026-05-02T10:00:00Z"),
        ])
        .await;
    // All events, or one type; a part of the e-mail in any case; dates with the whole last day, in Berlin.
    assert_eq!(admin.actions("filter: { actions: null }").await.len(), 4);
    assert_eq!(admin.actions("filter: { actions: [\"SESSION_STARTED\"] }").await, ["SESSION_STARTED"]);
    assert_eq!(
        admin.actions("filter: { actor: { emailContains: \"ANN@\" } }").await,
        ["RESOURCE_CREATED", "SESSION_STARTED"]
    );
    let second_of_may = "occurredAt: { from: \"2026-05-02T00:00:00+02:00\", to: \"2026-05-03T00:00:00+02:00\" }";
    assert_eq!(
        admin.actions(&format!("filter: {{ {second_of_may} }}")).await,
        ["CREDENTIAL_DELETED", "SESSION_STOPPED", "SESSION_STARTED"]
    );
    assert_eq!(
        admin.actions(&format!("filter: {{ {second_of_may}, actor: {{ emailContains: \"corp\" }} }}")).await,
        ["CREDENTIAL_DELETED", "SESSION_STARTED"]
    );
    assert_eq!(
        admin.actions("filter: { categories: [\"resource\", \"credential\"] }").await,
        ["RESOURCE_CREATED", "CREDENTIAL_DELETED"]
    );
    assert_eq!(
        admin.actions("filter: { actions: [\"RESOURCE_*\", \"CREDENTIAL_*\"] }").await,
        ["RESOURCE_CREATED", "CREDENTIAL_DELETED"]
    );
    // Who accessed what and when.
    let who = admin
        .data(
            "{ auditEvents(filter: { actions: [\"SESSION_STARTED\"] }) { nodes { actor { email } \
             resource { name externalId } occurredAt ipAddress } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        who["auditEvents"]["nodes"][0],
        json!({
            "actor": { "email": "Ann@corp.example" }, "resource": { "name": "staging", "externalId": "r-1" },
            "occurredAt": "2026-05-01T22:30:00Z", "ipAddress": "192.0.2.4"
        })
    );
}

async fn the_first_event_brings_the_organization_into_being(app: &TestApp) {
    let backend = app.caller("cloud-sessions").subject("signup").scopes("audit:record");
    let mut first = event("USER_REGISTERED");
    first["organization"] = json!("brand-new");
    assert_eq!(backend.record(first).await["sequence"], "0");
    assert_eq!(app.admin("cloud-sessions", "brand-new").actions("").await, ["USER_REGISTERED"]);
}

async fn an_expired_session_has_nobody_and_a_deleted_user_is_still_found(app: &TestApp) {
    let admin = app.admin("cloud-sessions", "acme");
    admin.record(json!({ "action": "SESSION_EXPIRED", "actor": { "kind": "SYSTEM" } })).await;
    let mut deleted = event("USER_DELETED");
    deleted["resources"] = json!([{ "type": "user", "id": "u-2", "name": "gone@corp.example" }]);
    admin
        .record(
            json!({ "action": "USER_LOGIN", "actor": { "kind": "USER", "id": "u-2", "email": "gone@corp.example" } }),
        )
        .await;
    admin.record(deleted).await;
    let expired = admin
        .data(
            "{ auditEvents(filter: { actions: [\"SESSION_EXPIRED\"] }) { \
             nodes { actor { kind externalId name email label } ipAddress userAgent resource { externalId } } } }",
            json!({}),
        )
        .await;
    let node = &expired["auditEvents"]["nodes"][0];
    assert_eq!(
        (&node["ipAddress"], &node["resource"], &node["actor"]["email"], &node["actor"]["kind"]),
        (&Value::Null, &Value::Null, &Value::Null, &json!("SYSTEM"))
    );
    assert!(node["actor"]["label"].as_str().is_some_and(|label| !label.is_empty()));
    assert_eq!(admin.actions("search: \"gone@corp.example\"").await, ["USER_DELETED", "USER_LOGIN"]);
    assert_eq!(admin.actions("filter: { actor: { emailContains: \"gone@\" } }").await, ["USER_LOGIN"]);
}
