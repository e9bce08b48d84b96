//! capydb: a closed catalog without reads, jobs as correlations, kinds of actor, projects.

use serde_json::json;

use super::{by_beginning, catalog, column, columns, counts, refusal, view};
use crate::harness::{TestApp, event, on_both_databases};

on_both_databases! {
    the_catalog_of_capydb_is_closed_with_26_actions,
    capydb_accepts_what_is_asynchronous_and_nothing_else,
    an_asynchronous_action_is_tied_to_its_job,
    capydb_names_its_kinds_of_actor,
    capydb_takes_its_four_kinds_of_actor_and_no_other,
    nobody_but_administrators_reads_capydb_until_its_file_says_otherwise,
    capydb_says_which_project_in_a_column_of_its_list,
    capydb_key_events_stand_in_the_organization_or_in_a_project,
}

async fn the_catalog_of_capydb_is_closed_with_26_actions(app: &TestApp) {
    let catalog = catalog(app, "capydb").await;
    let names = column(&catalog["actions"], "name");
    assert_eq!(
        by_beginning(&names, '.'),
        counts([
            ("project", 9),
            ("preview", 1),
            ("restore_point", 2),
            ("cutover", 4),
            ("production_overwrite_restore", 1),
            ("api_key", 2),
            ("webhook_endpoint", 4),
            ("studio", 3)
        ])
    );
    assert_eq!((names.len(), &catalog["open"]), (26, &json!(false)));
    // Reads are no events: there is no name for one.
    for read in ["project.read", "project.viewed", "studio.row_selected", "audit_log.read"] {
        let answer = app.admin("capydb", "acme").record_all(vec![event(read)]).await;
        assert_eq!(answer["results"][0]["error"]["field"], "events[0].action", "{read}");
    }
    // And reading records none.
    let admin = app.admin("capydb", "acme");
    admin.data("{ auditEvents { totalCount } actors { externalId } viewer { logs { externalId } } }", json!({})).await;
    assert_eq!(admin.actions("").await, Vec::<String>::new());
}

async fn capydb_accepts_what_is_asynchronous_and_nothing_else(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let catalog = catalog(app, "capydb").await;
    let accepted = [
        "project.deleted",
        "project.credentials_rotated",
        "project.restore_overwrite_started",
        "project.import_started",
        "cutover.requested",
        "cutover.promote_started",
    ];
    for name in column(&catalog["actions"], "name") {
        let asynchronous = accepted.contains(&name.as_str());
        admin.record(event(&name)).await;
        let page = admin.data("{ auditEvents(first: 1) { nodes { action outcome } } }", json!({})).await;
        let outcome = if asynchronous { json!("ACCEPTED") } else { json!(null) };
        assert_eq!(page["auditEvents"]["nodes"][0], json!({ "action": name, "outcome": outcome }));
        // Neither does a caller's word make a thing asynchronous, nor an accepted one done.
        let mut other = event(&name);
        other["outcome"] = json!(if asynchronous { "SUCCESS" } else { "ACCEPTED" });
        let (field, message) = refusal(&admin, other).await;
        assert_eq!(field, "events[0].outcome", "{name}");
        assert!(message.contains(&name), "{message}");
    }
    assert_eq!(admin.actions("first: 100, filter: { outcomes: [ACCEPTED] }").await.len(), accepted.len());
}

async fn an_asynchronous_action_is_tied_to_its_job(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    admin
        .record(json!({
            "action": "project.import_started", "actor": { "kind": "API_KEY", "id": "k" }, "correlationId": "job_7",
            "metadata": { "job_id": "job_7" }
        }))
        .await;
    admin
        .record(json!({
            "action": "production_overwrite_restore", "actor": { "kind": "STAFF", "id": "op-1", "name": "Operator" },
            "metadata": { "pre_cutover_backup_id": "bk_9" }
        }))
        .await;
    let page = admin
        .data(
            "{ auditEvents(filter: { correlationIds: [\"job_7\"] }) { nodes { outcome actor { kind } metadata \
             recordedAt } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        (&page["auditEvents"]["nodes"][0]["outcome"], &page["auditEvents"]["nodes"][0]["metadata"]),
        (&json!("ACCEPTED"), &json!({ "job_id": "job_7" }))
    );
    assert_eq!(admin.actions("search: \"bk_9\"").await, ["production_overwrite_restore"]);
}

async fn capydb_names_its_kinds_of_actor(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    for kind in ["USER", "API_KEY", "STAFF", "SYSTEM"] {
        admin.record(json!({ "action": "api_key.created", "actor": { "kind": kind } })).await;
    }
    let page = admin.data("{ auditEvents { nodes { actor { kind label kindLabel } actionLabel } } }", json!({})).await;
    let labels: Vec<_> = page["auditEvents"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| node["actor"]["label"].as_str().expect("a label"))
        .collect();
    assert_eq!(labels, ["System", "Platform operator", "API key", "Dashboard user"]);
    assert_eq!(page["auditEvents"]["nodes"][0]["actionLabel"], "Created an API key");
    // Somebody with a name is of a kind too: in a list, in one event, and among the actors.
    let id = admin.record(event("api_key.revoked")).await["event"]["id"].clone();
    let named = "query($id: ID!) { auditEvents(first: 1) { nodes { actor { label kindLabel } \
                 onBehalfOf { kindLabel } } } auditEvent(id: $id) { actor { kindLabel } } \
                 actors(matching: \"User One\") { label kindLabel } }";
    assert_eq!(
        admin.data(named, json!({ "id": id })).await,
        json!({
            "auditEvents": {
                "nodes": [{ "actor": { "label": "User One", "kindLabel": "Dashboard user" }, "onBehalfOf": null }]
            },
            "auditEvent": { "actor": { "kindLabel": "Dashboard user" } },
            "actors": [{ "label": "User One", "kindLabel": "Dashboard user" }]
        })
    );
}

async fn capydb_takes_its_four_kinds_of_actor_and_no_other(app: &TestApp) {
    assert_eq!(
        view(app, "capydb").await["actorKinds"],
        json!([
            { "kind": "USER", "label": "Dashboard user" },
            { "kind": "API_KEY", "label": "API key" },
            { "kind": "STAFF", "label": "Platform operator" },
            { "kind": "SYSTEM", "label": "System" }
        ])
    );
    let admin = app.admin("capydb", "acme");
    for kind in ["SERVICE", "ANONYMOUS"] {
        let (field, message) =
            refusal(&admin, json!({ "action": "api_key.created", "actor": { "kind": kind, "id": "x" } })).await;
        assert_eq!(field, "events[0].actor.kind");
        assert!(
            message.contains("CapyDB")
                && message.contains("USER or API_KEY or STAFF or SYSTEM")
                && message.contains(kind),
            "{message}"
        );
        let behind =
            json!({ "action": "api_key.created", "actor": { "kind": "STAFF" }, "onBehalfOf": { "kind": kind } });
        assert_eq!(refusal(&admin, behind).await.0, "events[0].onBehalfOf.kind");
    }
    assert_eq!(admin.actions("").await, Vec::<String>::new());
    // Other products take every kind.
    assert_eq!(view(app, "scim-platform").await["actorKinds"].as_array().expect("kinds").len(), 6);
}

async fn nobody_but_administrators_reads_capydb_until_its_file_says_otherwise(app: &TestApp) {
    let ask = "{ auditEvents { totalCount } }";
    assert_eq!(app.admin("capydb", "acme").role("member").ask(ask, json!({})).await.code(), "FORBIDDEN");
    assert_eq!(
        app.caller("capydb").organization("acme").scopes("audit:read").ask(ask, json!({})).await.code(),
        "FORBIDDEN"
    );
    for role in ["admin", "owner"] {
        app.admin("capydb", "acme").role(role).data(ask, json!({})).await;
    }
}

async fn capydb_says_which_project_in_a_column_of_its_list(app: &TestApp) {
    let product = view(app, "capydb").await;
    assert!(columns(&product).contains(&("LOG".to_owned(), "Project".to_owned())), "{product:#}");
    assert_eq!(
        (&product["levels"][0]["includeNested"], &product["levels"][1]["includeNested"]),
        (&json!(true), &json!(false))
    );
}

async fn capydb_key_events_stand_in_the_organization_or_in_a_project(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    admin.record(event("api_key.created")).await;
    let mut nested = event("api_key.revoked");
    nested["log"] = json!({ "level": "project", "id": "p1" });
    admin.record(nested).await;
    let page = admin.data("{ auditEvents { nodes { action log { level externalId } } } }", json!({})).await;
    assert_eq!(
        page["auditEvents"]["nodes"],
        json!([
            { "action": "api_key.revoked", "log": { "level": "project", "externalId": "p1" } },
            { "action": "api_key.created", "log": { "level": "organization", "externalId": "acme" } }
        ])
    );
}
