//! workspace: an open catalog, members that may not read, actors that lack a name or an address.

use serde_json::json;

use super::{catalog, column, columns, refusal, view};
use crate::harness::{TestApp, event, on_both_databases};

on_both_databases! {
    the_catalog_of_workspace_is_open_with_three_documented_actions,
    names_of_workspace_have_the_form_resource_action,
    workspace_has_one_log,
    the_page_of_workspace_knows_where_members_go,
    a_member_of_workspace_is_told_apart_before_any_data,
    workspace_lists_newest_first_with_actors_that_lack_a_name_or_an_address,
}

async fn the_catalog_of_workspace_is_open_with_three_documented_actions(app: &TestApp) {
    let own = app.built_in().await;
    let app = &own;
    let catalog = catalog(app, "workspace").await;
    assert_eq!(catalog["open"], true);
    let pairs: Vec<_> = catalog["actions"]
        .as_array()
        .expect("actions")
        .iter()
        .map(|action| (action["name"].as_str().expect("a name"), action["category"]["code"].as_str().expect("a code")))
        .collect();
    // The category is data: user.login is no member of a category "user".
    assert_eq!(
        pairs,
        [
            ("user.login", "authentication"),
            ("organisation.settings_updated", "organisation"),
            ("member.invited", "member")
        ]
    );
    assert_eq!(column(&catalog["categories"], "label"), ["Authentication", "Organisation", "Member"]);
    let admin = app.admin("workspace", "acme");
    admin.record(event("billing.card_changed")).await;
    let shown = admin.data("{ auditEvents { nodes { action actionLabel category { code } } } }", json!({})).await;
    assert_eq!(
        shown["auditEvents"]["nodes"][0],
        json!({ "action": "billing.card_changed", "actionLabel": "billing.card_changed", "category": null })
    );
    assert_eq!(admin.actions("filter: { actions: [\"billing.*\"] }").await, ["billing.card_changed"]);
    own.finish().await;
}

async fn names_of_workspace_have_the_form_resource_action(app: &TestApp) {
    let own = app.built_in().await;
    let app = &own;
    assert_eq!(catalog(app, "workspace").await["actionForm"], "resource.action");
    let admin = app.admin("workspace", "acme");
    for name in ["user.login", "folder.created", "billing.invoice.sent", "Größe.geändert"] {
        admin.record(event(name)).await;
    }
    for name in ["login", "User logged in", "user.", ".login", "a..b", "user/login", "user.log in"] {
        let (field, message) = refusal(&admin, event(name)).await;
        assert_eq!(field, "events[0].action", "{name}");
        assert!(message.contains("resource.action") && message.contains("member.invited"), "{message}");
    }
    // An event beside a refused one is recorded.
    let both = admin.record_all(vec![event("login"), event("user.logout")]).await;
    assert_eq!((&both["recorded"], &both["refused"]), (&json!(1), &json!(1)));
    own.finish().await;
}

async fn workspace_has_one_log(app: &TestApp) {
    let own = app.built_in().await;
    let app = &own;
    assert_eq!(column(&view(app, "workspace").await["levels"], "name"), ["organisation"]);
    let mut input = event("document.shared");
    input["log"] = json!({ "level": "project", "id": "p" });
    assert_eq!(refusal(&app.admin("workspace", "acme"), input).await.0, "events[0].log.level");
    own.finish().await;
}

async fn the_page_of_workspace_knows_where_members_go(app: &TestApp) {
    let own = app.built_in().await;
    let app = &own;
    let ask = "{ viewer { roleLabel product { title redirectHref } canReadAuditLog { reason requiredRoles \
               requiredRoleLabels } } }";
    let member = app.admin("workspace", "acme").role("member").data(ask, json!({})).await;
    assert_eq!(
        member["viewer"],
        json!({
            "roleLabel": "ORG Member", "product": { "title": "Audit Log", "redirectHref": "/" },
            "canReadAuditLog": {
                "reason": "FORBIDDEN", "requiredRoles": ["admin"], "requiredRoleLabels": ["ORG Admin"]
            }
        })
    );
    // Whoever lacks the scope is forbidden for another reason, and an admin is not.
    for caller in [app.admin("workspace", "acme").role("member").scopes("audit:record"), app.admin("workspace", "acme")]
    {
        assert_eq!(caller.data(ask, json!({})).await["viewer"]["canReadAuditLog"]["requiredRoles"], json!([]));
    }
    own.finish().await;
}

async fn a_member_of_workspace_is_told_apart_before_any_data(app: &TestApp) {
    let own = app.built_in().await;
    let app = &own;
    app.admin("workspace", "acme").record(event("user.login")).await;
    let member = app.admin("workspace", "acme").role("member");
    let answer = member
        .ask(
            "{ viewer { role canReadAuditLog { allowed reason hidden } logs { externalId } } \
             auditEvents { nodes { id } } }",
            json!({}),
        )
        .await;
    assert_eq!(answer.code(), "FORBIDDEN");
    assert_eq!(
        answer.json()["data"],
        json!({
            "viewer": {
                "role": "member", "canReadAuditLog": { "allowed": false, "reason": "FORBIDDEN", "hidden": false },
                "logs": []
            },
            "auditEvents": null
        })
    );
    own.finish().await;
}

async fn workspace_lists_newest_first_with_actors_that_lack_a_name_or_an_address(app: &TestApp) {
    let own = app.built_in().await;
    let app = &own;
    let product = view(app, "workspace").await;
    assert_eq!(
        columns(&product).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>(),
        ["ACTION", "ACTOR", "TIME", "DETAILS"]
    );
    assert_eq!(product["levels"][0]["name"], "organisation");
    let admin = app.admin("workspace", "acme");
    for actor in [
        json!({ "kind": "USER", "name": "Only Name" }),
        json!({ "kind": "USER", "email": "only@example.com" }),
        json!({ "kind": "SYSTEM" }),
    ] {
        admin.record(json!({ "action": "user.login", "actor": actor })).await;
    }
    let page = admin
        .data(
            "{ auditEvents { nodes { actor { kind label } } } system: auditEvents(filter: { \
             actor: { kinds: [SYSTEM] } }) { totalCount } one: auditEvents(filter: { \
             actor: { emailContains: \"only@\" }, actions: [\"user.login\"] }) { totalCount } }",
            json!({}),
        )
        .await;
    let labels: Vec<_> = page["auditEvents"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| node["actor"]["label"].as_str().expect("a label"))
        .collect();
    assert_eq!(labels[1..], ["only@example.com", "Only Name"]);
    assert!(!labels[0].is_empty());
    assert_eq!((&page["system"]["totalCount"], &page["one"]["totalCount"]), (&json!(1), &json!(1)));
    own.finish().await;
}
