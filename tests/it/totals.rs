//! What is counted while the log grows, and what only the newest events are counted of.

use ledgerline::{
    auth::policy,
    clock::Clock,
    question::filter::Filter,
    store::{Question, Selection},
};
use serde_json::json;

use crate::harness::{TestApp, on_both_databases};

/// Everything of an organization, as it is now.
async fn everything(app: &TestApp, organization: &str) -> Selection {
    let admin = app.admin("workspace", organization);
    let principal = app.app.keys.verify(&admin.token(), Clock::system().now()).await.expect("a principal");
    let scope = policy::may_read(&principal, Some(organization), None, Some(true)).expect("permission");
    let question = Question { scope: &scope, filter: &Filter::default() };
    app.app.store.select(question).await.expect("it can be asked").expect("there are events")
}

on_both_databases! {
    a_total_stands_though_events_arrive_before_it_is_counted,
    the_picker_of_a_narrowed_token_knows_the_newest_of_very_many_events,
}

async fn a_total_stands_though_events_arrive_before_it_is_counted(app: &TestApp) {
    let store = &app.app.store;
    let known = json!({ "action": "known", "actor": { "kind": "SYSTEM" }, "occurredAt": "2026-03-01T12:00:00Z" });
    for (organization, field, value) in [
        ("action", "action", json!("unknown")),
        ("log", "log", json!({ "level": "project", "id": "new" })),
        ("month", "occurredAt", json!("2026-02-01T12:00:00Z")),
    ] {
        let admin = app.admin("workspace", organization);
        admin.record_all(vec![known.clone(); 3]).await;
        let selection = everything(app, organization).await;
        let mut new = known.clone();
        new[field] = value;
        admin.record_all(vec![new.clone(), new]).await;
        assert_eq!(store.count(&selection, selection.size()).await.expect("a total"), 3, "a new {field}");
        assert_eq!(store.count(&everything(app, organization).await, 5).await.expect("a total"), 5);
    }
}
async fn the_picker_of_a_narrowed_token_knows_the_newest_of_very_many_events(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let by = |id: &str, at: &str| {
        json!({
            "action": "a", "actor": { "kind": "USER", "id": id }, "occurredAt": at,
            "log": { "level": "project", "id": "p" }
        })
    };
    for _ in 0..21 {
        admin.record_all(vec![by("long-ago", "2026-01-01T00:00:00Z"); 1_000]).await;
    }
    admin.record_all(vec![by("lately", "2026-02-01T00:00:00Z"), by("before", "2025-12-01T00:00:00Z")]).await;
    let narrowed = app.admin("workspace", "acme").logs(&["project:p"]);
    let found = narrowed.data("{ actors { externalId } }", json!({})).await;
    assert_eq!(found["actors"], json!([{ "externalId": "long-ago" }, { "externalId": "lately" }]));
}
