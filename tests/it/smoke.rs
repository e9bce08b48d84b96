//! The shortest way through everything.

use serde_json::json;

use crate::harness::{TestApp, event, on_both_databases};

on_both_databases! {
    what_is_recorded_is_read_newest_first,
    fields_are_answered_in_the_order_that_they_were_asked_in,
}

async fn what_is_recorded_is_read_newest_first(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for action in ["user.login", "member.invited", "anything.else"] {
        let recorded = admin.record(event(action)).await;
        assert_eq!(recorded["status"], "RECORDED");
    }
    assert_eq!(admin.actions("").await, ["anything.else", "member.invited", "user.login"]);
    let data = admin
        .data(
            "{ auditEvents(first: 2, search: \"inv*\") { totalCount pageNumber pageCount
        nodes { action category { code label }
        actor { label } metadata metadataText log { level externalId } } pageInfo { hasNextPage }
        facets { categories { buckets { value count } } days { day count } } } }",
            json!({}),
        )
        .await;
    assert_eq!(data["auditEvents"]["totalCount"], 1, "{data:#}");
    assert_eq!(data["auditEvents"]["nodes"][0]["action"], "member.invited");
}

async fn fields_are_answered_in_the_order_that_they_were_asked_in(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record(event("user.login")).await;
    let query = r#"{"query":"{ a: auditEvents(first: 0) { totalCount } ...F c: viewer { subject } } fragment F on Query { b: auditEvents(first: 1) { facets { days { count } } nodes { action } } }"}"#;
    let answer = app.graphql_text(Some(&admin.token()), query.to_owned()).await;
    let text = String::from_utf8(answer.body).expect("UTF-8");
    assert_eq!(
        text,
        r#"{"data":{"a":{"totalCount":1},"b":{"facets":{"days":[{"count":1}]},"nodes":[{"action":"user.login"}]},"c":{"subject":"admin"}}}"#
    );
}
