//! scim-platform: labels in categories, a search that reaches them, actors that are no people.

use std::collections::BTreeSet;

use serde_json::json;

use super::{catalog, column, columns, view};
use crate::harness::{TestApp, event, on_both_databases};

on_both_databases! {
    the_catalog_of_scim_platform_has_47_labels_in_eight_categories,
    every_category_of_scim_platform_has_a_description,
    actions_of_scim_platform_are_narrowed_by_category,
    search_of_scim_platform_reaches_its_six_places_and_labels,
    scim_platform_has_five_columns_and_presets,
    a_failed_login_of_nobody_known_belongs_to_its_organization,
    provisioning_by_scim_has_actors_that_are_no_people,
    one_fact_of_two_organizations_is_two_events_of_one_correlation,
}

async fn the_catalog_of_scim_platform_has_47_labels_in_eight_categories(app: &TestApp) {
    let catalog = catalog(app, "scim-platform").await;
    let sizes: Vec<_> = catalog["categories"]
        .as_array()
        .expect("categories")
        .iter()
        .map(|category| {
            (category["label"].as_str().expect("a label"), category["actions"].as_array().expect("actions").len())
        })
        .collect();
    assert_eq!(
        sizes,
        [
            ("Authentication", 9),
            ("Member Management", 3),
            ("Roles & Permissions", 12),
            ("Connectors", 3),
            ("Organization Settings", 4),
            ("API Access Keys", 3),
            ("Secrets", 3),
            ("SCIM Provisioning", 10)
        ]
    );
    let short = column(&catalog["categories"], "shortLabel");
    assert_eq!((short[0].as_str(), short[2].as_str(), short[7].as_str()), ("Auth", "RBAC", "SCIM"));
    let labels: BTreeSet<_> = column(&catalog["actions"], "label").into_iter().collect();
    assert_eq!(labels.len(), 47);
    for twin in [
        "Created API key",
        "Created API access key",
        "Updated user",
        "Login failed",
        "Switched organization",
        "Created sibling organization",
    ] {
        assert!(labels.contains(twin), "{twin}");
    }
    let updated = catalog["actions"]
        .as_array()
        .expect("actions")
        .iter()
        .find(|action| action["label"] == "Updated user")
        .expect("the action")
        .clone();
    assert_eq!(updated["category"]["code"], "scim");
}

async fn every_category_of_scim_platform_has_a_description(app: &TestApp) {
    let catalog = catalog(app, "scim-platform").await;
    let descriptions: BTreeSet<_> = column(&catalog["categories"], "description").into_iter().collect();
    assert!(descriptions.len() == 8 && descriptions.iter().all(|text| text.len() > 20), "{descriptions:#?}");
    // An event tells it too, in a list and alone; a category that is not described has none.
    let admin = app.admin("scim-platform", "acme");
    let id = admin.record(event("secret.created")).await["event"]["id"].clone();
    let ask = "query($id: ID!) { auditEvents { nodes { category { description } } } \
               auditEvent(id: $id) { category { description } } }";
    let found = admin.data(ask, json!({ "id": id })).await;
    assert_eq!(found["auditEvents"]["nodes"][0], found["auditEvent"]);
    assert!(descriptions.contains(found["auditEvent"]["category"]["description"].as_str().expect("a text")));
    assert_eq!(super::catalog(app, "capydb").await["categories"][0]["description"], json!(null));
}

async fn actions_of_scim_platform_are_narrowed_by_category(app: &TestApp) {
    let admin = app.admin("scim-platform", "acme");
    let some = admin
        .data(
            "{ catalog { actions(category: \"secrets\") { name } none: actions(category: \"nothing\") { name } } }",
            json!({}),
        )
        .await;
    assert_eq!(column(&some["catalog"]["actions"], "name"), ["secret.created", "secret.updated", "secret.deleted"]);
    assert_eq!(some["catalog"]["none"], json!([]));
    admin.record_all(vec![event("secret.created"), event("auth.logged_in")]).await;
    assert_eq!(
        admin.actions("filter: { categories: [\"secrets\"], actions: [\"secret.created\"] }").await,
        ["secret.created"]
    );
    assert_eq!(
        admin.actions("filter: { categories: [\"secrets\"], actions: [\"auth.logged_in\"] }").await,
        Vec::<String>::new()
    );
}

async fn search_of_scim_platform_reaches_its_six_places_and_labels(app: &TestApp) {
    let admin = app.admin("scim-platform", "acme");
    admin
        .record_all(vec![
            json!({
                "action": "api_key.created", "actor": { "kind": "USER", "email": "findme@corp.example" },
                "resources": [{ "type": "keytype", "id": "key-4711", "name": "n" }],
                "metadata": { "a": { "b": ["detailword"] } }
            }),
            json!({ "action": "auth.logged_out", "actor": { "kind": "USER" } }),
        ])
        .await;
    for search in [
        "findme@corp.example",
        "api_key.created",
        "Created API key",
        "rbac",
        "Roles & Permissions",
        "keytype",
        "key-4711",
        "detailword",
        "detail*",
    ] {
        assert_eq!(admin.actions(&format!("search: \"{search}\"")).await, ["api_key.created"], "{search}");
    }
    assert_eq!(admin.actions("search: \"access key\"").await, Vec::<String>::new());
}

async fn scim_platform_has_five_columns_and_presets(app: &TestApp) {
    let product = view(app, "scim-platform").await;
    assert_eq!(
        columns(&product).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>(),
        ["TIME", "ACTOR", "ACTION", "CATEGORY", "RESOURCE"]
    );
    assert_eq!((&product["dateFilter"], &product["actionDisplay"]), (&json!("PRESETS"), &json!("LABEL")));
    assert_eq!(
        app.admin("scim-platform", "acme").role("member").ask("{ auditEvents { totalCount } }", json!({})).await.code(),
        "FORBIDDEN"
    );
}

async fn a_failed_login_of_nobody_known_belongs_to_its_organization(app: &TestApp) {
    let admin = app.admin("scim-platform", "acme");
    admin
        .record(json!({
            "action": "auth.login_failed", "actor": { "kind": "ANONYMOUS" }, "metadata": { "tried": "who@corp.example" }
        }))
        .await;
    let shown = admin
        .data(
            "{ auditEvents(search: \"who@corp.example\") { nodes { outcome actor { kind label } actionLabel } } }",
            json!({}),
        )
        .await;
    let node = &shown["auditEvents"]["nodes"][0];
    assert_eq!(
        (&node["outcome"], &node["actor"]["kind"], &node["actionLabel"]),
        (&json!("FAILURE"), &json!("ANONYMOUS"), &json!("Login failed"))
    );
}

async fn provisioning_by_scim_has_actors_that_are_no_people(app: &TestApp) {
    let admin = app.admin("scim-platform", "acme");
    admin
        .record_all(vec![
            json!({
                "action": "scim.token_created", "actor": { "kind": "USER", "id": "u1" },
                "resources": [{ "type": "scim_token", "id": "tok-1" }]
            }),
            json!({
                "action": "scim.user_provisioned", "actor": { "kind": "SERVICE", "id": "tok-1", "name": "Okta" },
                "metadata": { "reactivated": true }
            }),
            json!({
                "action": "service_account.created", "actor": { "kind": "USER", "id": "u1" },
                "resources": [{ "type": "service_account", "id": "sa-1" }]
            }),
            json!({ "action": "secret.created", "actor": { "kind": "SERVICE", "id": "sa-1" } }),
            json!({ "action": "secret.updated", "actor": { "kind": "API_KEY", "id": "key-1" } }),
        ])
        .await;
    assert_eq!(
        admin.actions("filter: { actor: { kinds: [SERVICE] } }").await,
        ["secret.created", "scim.user_provisioned"]
    );
    // As a target and later as an actor: one word finds both.
    assert_eq!(admin.actions("search: \"\\\"sa-1\\\"\"").await, ["secret.created", "service_account.created"]);
}

async fn one_fact_of_two_organizations_is_two_events_of_one_correlation(app: &TestApp) {
    let backend = app.caller("scim-platform").subject("backend").scopes("audit:record");
    let fact = |organization: &str| {
        json!({
            "action": "organization.switched", "actor": { "kind": "USER", "id": "u1" }, "organization": organization,
            "correlationId": "switch-1"
        })
    };
    let both = backend
        .data(
            "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded } }",
            json!({ "input": { "events": [fact("from"), fact("to")], "atomic": true } }),
        )
        .await;
    assert_eq!(both["recordAuditEvents"]["recorded"], 2);
    for organization in ["from", "to"] {
        assert_eq!(
            app.admin("scim-platform", organization).actions("filter: { correlationIds: [\"switch-1\"] }").await,
            ["organization.switched"]
        );
    }
    // What ended an organization stays readable to the platform's own people.
    app.admin("scim-platform", "from").record(event("organization.deleted")).await;
    let staff = app.caller("scim-platform").scopes("audit:read audit:staff");
    assert_eq!(staff.actions("organization: \"from\"").await, ["organization.deleted", "organization.switched"]);
}
