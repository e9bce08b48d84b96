//! The shortest way through everything.

use serde_json::json;

use crate::harness::{event, on_both_databases};

on_both_databases! {
    async fn what_is_recorded_is_read_newest_first(app: &TestApp) {
        let admin = app.admin("workspace", "acme");
        for action in ["user.login", "member.invited", "anything.else"] {
            let recorded = admin.record(event(action)).await;
            assert_eq!(recorded["status"], "RECORDED");
        }
        assert_eq!(admin.actions("").await, ["anything.else", "member.invited", "user.login"]);
        let data = admin.data("{ auditEvents(first: 2, search: \"inv*\") { totalCount pageNumber pageCount nodes { action category { code label }
            actor { label } metadata metadataText log { level id } } pageInfo { hasNextPage } facets { categories { buckets { value count } } days { day count } } } }", json!({})).await;
        assert_eq!(data["auditEvents"]["totalCount"], 1, "{data:#}");
        assert_eq!(data["auditEvents"]["nodes"][0]["action"], "member.invited");
    }
}
