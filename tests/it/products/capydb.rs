//! capydb: a closed catalog without reads, jobs as correlations, kinds of actor, projects.

use serde_json::json;

use super::{by_beginning, catalog, column, counts};
use crate::harness::{event, on_both_databases};

on_both_databases! {
    async fn the_catalog_of_capydb_is_closed_with_26_actions(app: &TestApp) {
        let catalog = catalog(app, "capydb").await;
        let names = column(&catalog["actions"], "name");
        assert_eq!(by_beginning(&names, '.'), counts([("project", 9), ("preview", 1), ("restore_point", 2), ("cutover", 4), ("production_overwrite_restore", 1), ("api_key", 2), ("webhook_endpoint", 4), ("studio", 3)]));
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

    async fn capydb_records_at_acceptance_with_the_job_as_correlation(app: &TestApp) {
        let admin = app.admin("capydb", "acme");
        admin.record(json!({ "action": "project.import_started", "actor": { "kind": "API_KEY", "id": "k" }, "correlationId": "job_7", "metadata": { "job_id": "job_7" } })).await;
        admin.record(json!({ "action": "production_overwrite_restore", "actor": { "kind": "STAFF", "id": "op-1", "name": "Operator" }, "metadata": { "pre_cutover_backup_id": "bk_9" } })).await;
        let page = admin.data("{ auditEvents(filter: { correlationIds: [\"job_7\"] }) { nodes { outcome actor { kind } metadata recordedAt } } }", json!({})).await;
        assert_eq!((&page["auditEvents"]["nodes"][0]["outcome"], &page["auditEvents"]["nodes"][0]["metadata"]), (&json!("ACCEPTED"), &json!({ "job_id": "job_7" })));
        assert_eq!(admin.actions("search: \"bk_9\"").await, ["production_overwrite_restore"]);
    }

    async fn capydb_names_its_kinds_of_actor(app: &TestApp) {
        let admin = app.admin("capydb", "acme");
        for kind in ["USER", "API_KEY", "STAFF", "SYSTEM"] {
            admin.record(json!({ "action": "api_key.created", "actor": { "kind": kind } })).await;
        }
        let page = admin.data("{ auditEvents { nodes { actor { kind label } actionLabel } } }", json!({})).await;
        let labels: Vec<_> = page["auditEvents"]["nodes"].as_array().expect("nodes").iter().map(|node| node["actor"]["label"].as_str().expect("a label")).collect();
        assert_eq!(labels, ["System", "Platform operator", "API key", "Dashboard user"]);
        assert_eq!(page["auditEvents"]["nodes"][0]["actionLabel"], "Created an API key");
    }

    async fn capydb_key_events_stand_in_the_organization_or_in_a_project(app: &TestApp) {
        let admin = app.admin("capydb", "acme");
        admin.record(event("api_key.created")).await;
        let mut nested = event("api_key.revoked");
        nested["log"] = json!({ "level": "project", "id": "p1" });
        admin.record(nested).await;
        let page = admin.data("{ auditEvents { nodes { action log { level externalId } } } }", json!({})).await;
        assert_eq!(page["auditEvents"]["nodes"], json!([{ "action": "api_key.revoked", "log": { "level": "project", "externalId": "p1" } }, { "action": "api_key.created", "log": { "level": "organization", "externalId": "acme" } }]));
    }
}
