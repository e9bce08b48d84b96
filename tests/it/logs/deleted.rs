//! What becomes of events whose log is deleted.

use ledgerline::catalog::Products;
use serde_json::{Value, json};

use super::{DELETE, delete, names, within};
use crate::harness::{Caller, TestApp, catalogs, event, on_both_databases};

on_both_databases! {
    a_cleared_projects_events_stay_in_the_organizations_list,
    a_removed_troops_events_are_read_nowhere_and_the_deletion_is_in_the_accounts_log,
    a_kept_log_is_shown_as_before_and_says_when_it_was_deleted,
    an_id_used_again_is_a_new_log,
    deleting_takes_the_right_and_a_log_that_is_there,
}

async fn a_cleared_projects_events_stay_in_the_organizations_list(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    for action in ["project.import_started", "project.credentials_rotated"] {
        admin.record(within(action, &[("project", "p1")])).await;
    }
    admin.record(within("project.import_started", &[("project", "p2")])).await;
    let gone = delete(
        &admin,
        "project",
        "p1",
        Some(json!({ "action": "project.deleted", "actor": { "kind": "USER", "id": "u9" }, "correlationId": "job_1" })),
    )
    .await;
    assert_eq!((&gone["log"]["externalId"], &gone["log"]["name"]), (&json!("p1"), &json!("project p1")));
    assert!(gone["log"]["deletedAt"].is_string());
    assert_eq!(
        (&gone["event"]["action"], &gone["event"]["log"]),
        (&json!("project.deleted"), &json!({ "level": "organization", "externalId": "acme" }))
    );
    let ask = "query($log: AuditLogInput, $filter: AuditEventFilter, $search: String) { auditEvents(log: $log, \
               filter: $filter, search: $search) { totalCount nodes { action log { externalId } } \
               facets { actions { buckets { value count } } } } }";
    let page = admin.data(ask, json!({})).await["auditEvents"].clone();
    assert_eq!(
        page["nodes"],
        json!([
            { "action": "project.deleted", "log": { "externalId": "acme" } },
            { "action": "project.import_started", "log": { "externalId": "p2" } },
            { "action": "project.credentials_rotated", "log": null },
            { "action": "project.import_started", "log": null },
        ])
    );
    assert_eq!(page["totalCount"], 4);
    // Who deleted it can be answered, and the old project is found by its id.
    let who = admin
        .data(
            "{ auditEvents(filter: { actions: [\"project.deleted\"] }) { nodes { actor { externalId } \
             correlationId } } }",
            json!({}),
        )
        .await;
    assert_eq!(who["auditEvents"]["nodes"], json!([{ "actor": { "externalId": "u9" }, "correlationId": "job_1" }]));
    let old = json!({ "log": { "level": "project", "id": "p1" } });
    let found = admin.data(ask, old.clone()).await["auditEvents"].clone();
    assert_eq!(
        found["nodes"],
        json!([
            { "action": "project.credentials_rotated", "log": null },
            { "action": "project.import_started", "log": null }
        ])
    );
    assert_eq!(found["totalCount"], 2);
    assert_eq!(admin.data(ask, json!({ "search": "import" })).await["auditEvents"]["totalCount"], 2);
    // It is no longer among the logs that can be chosen, and a token for it alone sees nothing of it.
    assert_eq!(names(&admin).await, ["organization:acme", "project:p2"]);
    let narrowed = app.admin("capydb", "acme").logs(&["project:p1"]);
    let refused = narrowed.ask(ask, json!({})).await;
    assert_eq!(refused.code(), "FORBIDDEN");
    assert!(
        refused.errors()[0]["message"]
            .as_str()
            .expect("text")
            .contains("project:p1, which this token is for, was deleted")
    );
    // Nothing was edited: the sequence has every number, and each event is found by its id.
    let all = admin
        .data("{ auditEvents(orderBy: { field: SEQUENCE, direction: ASC }) { nodes { id sequence } } }", json!({}))
        .await;
    for (i, node) in all["auditEvents"]["nodes"].as_array().expect("nodes").iter().enumerate() {
        assert_eq!(node["sequence"], i.to_string());
        let again =
            admin.data("query($id: ID!) { auditEvent(id: $id) { sequence } }", json!({ "id": node["id"] })).await;
        assert_eq!(again["auditEvent"]["sequence"], i.to_string());
    }
}

async fn a_removed_troops_events_are_read_nowhere_and_the_deletion_is_in_the_accounts_log(app: &TestApp) {
    let admin = app.admin("caputchin", "acme");
    admin.record(event("session.sign-out")).await;
    let id = admin.record(within("troop.troopword", &[("troop", "t1")])).await["event"]["id"].clone();
    admin.record(within("widget.widgetword", &[("widget", "w1"), ("troop", "t1")])).await;
    admin.record(within("troop.stays", &[("troop", "t2")])).await;
    let gone = delete(
        &admin,
        "troop",
        "t1",
        Some(json!({
            "action": "troop.delete", "actor": { "kind": "USER", "id": "u" },
            "resources": [{ "type": "troop", "id": "t1", "name": "The A Troop" }]
        })),
    )
    .await;
    assert_eq!(gone["event"]["log"], json!({ "level": "account", "externalId": "acme" }));
    assert_eq!(gone["event"]["sequence"], "4");
    assert_eq!(admin.actions("").await, ["troop.delete", "session.sign-out"]);
    assert_eq!(admin.actions("includeNested: true").await, ["troop.delete", "troop.stays", "session.sign-out"]);
    for arguments in [
        "log: {level: \"troop\", id: \"t1\"}",
        "log: {level: \"troop\", id: \"t1\"}, includeNested: true",
        "log: {level: \"widget\", id: \"w1\"}",
        "includeNested: true, search: \"troopword\"",
        "includeNested: true, search: \"widgetw*\"",
        "includeNested: true, filter: { actions: [\"widget.w*\"] }",
    ] {
        assert_eq!(admin.actions(arguments).await, Vec::<String>::new(), "{arguments}");
    }
    let counted = admin
        .data(
            "{ auditEvents(includeNested: true) { totalCount facets { actions { buckets { value } } \
             days { count } } } }",
            json!({}),
        )
        .await["auditEvents"]
        .clone();
    assert_eq!((&counted["totalCount"], &counted["facets"]["days"]), (&json!(3), &json!([{ "count": 3 }])));
    assert!(!counted["facets"].to_string().contains("troopword"));
    let staff = app.caller("caputchin").scopes("audit:read audit:staff");
    for caller in [&admin, &staff] {
        assert_eq!(
            caller.ask("query($id: ID!) { auditEvent(id: $id) { id } }", json!({ "id": id })).await.code(),
            "NOT_FOUND"
        );
    }
    // Their places in the sequence remain: the next event goes on counting.
    assert_eq!(admin.record(event("session.sign-out")).await["sequence"], "5");
    assert_eq!(names(&admin).await, ["account:acme", "troop:t2"]);
    // The name of what was deleted is kept in the entry.
    let entry = admin
        .data(
            "{ auditEvents(filter: { resource: { types: [\"troop\"], ids: [\"t1\"] } }) { \
             nodes { resource { name } } } }",
            json!({}),
        )
        .await;
    assert_eq!(entry["auditEvents"]["nodes"], json!([{ "resource": { "name": "The A Troop" } }]));
}

async fn a_kept_log_is_shown_as_before_and_says_when_it_was_deleted(app: &TestApp) {
    // A product with the other policies side by side.
    let folder = tempfile::tempdir().expect("a folder");
    let text = catalogs::workspace().replace(
        "[[levels]]\nname = \"project\"",
        "[[levels]]\nname = \"space\"\nlabel = \"Space\"\nparent = \"organisation\"\non_delete = \
         \"CLEAR\"\n\n[[levels]]\nname = \"project\"",
    );
    std::fs::write(folder.path().join("workspace.toml"), text).expect("written");
    let products = Products::load(folder.path()).unwrap_or_else(|faults| panic!("{faults}"));
    let own = TestApp::with(app.database, products, |_| {}).await;
    let admin = own.admin("workspace", "acme");
    admin.record(within("kept", &[("project", "p1")])).await;
    admin.record(within("cleared", &[("space", "p1")])).await;
    let gone = delete(&admin, "project", "p1", None).await;
    assert_eq!(gone["event"], Value::Null);
    delete(&admin, "space", "p1", None).await;
    let page = admin
        .data(
            "{ auditEvents(includeNested: true) { totalCount nodes { action log { level externalId deletedAt } } } }",
            json!({}),
        )
        .await["auditEvents"]
        .clone();
    assert_eq!(page["totalCount"], 2);
    assert_eq!(page["nodes"][0], json!({ "action": "cleared", "log": null }));
    assert_eq!(
        page["nodes"][1]["log"],
        json!({ "level": "project", "externalId": "p1", "deletedAt": gone["log"]["deletedAt"] })
    );
    assert_eq!(admin.actions("log: {level: \"project\", id: \"p1\"}").await, ["kept"]);
    assert_eq!(admin.actions("log: {level: \"space\", id: \"p1\"}").await, ["cleared"]);
    own.finish().await;
}

async fn an_id_used_again_is_a_new_log(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    admin.record(within("project.import_started", &[("project", "p1")])).await;
    delete(&admin, "project", "p1", None).await;
    admin.record(within("project.credentials_rotated", &[("project", "p1")])).await;
    let list = admin.data("{ auditEvents { nodes { action log { externalId deletedAt } } } }", json!({})).await;
    assert_eq!(
        list["auditEvents"]["nodes"],
        json!([
            { "action": "project.credentials_rotated", "log": { "externalId": "p1", "deletedAt": null } },
            { "action": "project.import_started", "log": null }
        ])
    );
    // The new log is the one that its name finds, and a token for it sees nothing of the old one.
    assert_eq!(admin.actions("log: {level: \"project\", id: \"p1\"}").await, ["project.credentials_rotated"]);
    assert_eq!(app.admin("capydb", "acme").logs(&["project:p1"]).actions("").await, ["project.credentials_rotated"]);
    assert_eq!(names(&admin).await, ["organization:acme", "project:p1"]);
    // The same at a level whose logs go with the thing.
    let caputchin = app.admin("caputchin", "acme");
    caputchin.record(within("troop.old", &[("troop", "t1")])).await;
    delete(&caputchin, "troop", "t1", None).await;
    caputchin.record(within("troop.new", &[("troop", "t1")])).await;
    assert_eq!(caputchin.actions("log: {level: \"troop\", id: \"t1\"}").await, ["troop.new"]);
    assert_eq!(caputchin.actions("includeNested: true").await, ["troop.new"]);
}

async fn deleting_takes_the_right_and_a_log_that_is_there(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    admin.record(within("project.import_started", &[("project", "p1")])).await;
    let ask = async |caller: &Caller<'_>, input: Value| caller.ask(DELETE, json!({ "input": input })).await;
    let p1 = json!({ "log": { "level": "project", "id": "p1" } });
    assert_eq!(
        ask(&app.admin("capydb", "acme").scopes("audit:read audit:record"), p1.clone()).await.code(),
        "FORBIDDEN"
    );
    assert_eq!(ask(&app.admin("capydb", "acme").logs(&["project:p2"]), p1.clone()).await.code(), "FORBIDDEN");
    let mut elsewhere = p1.clone();
    elsewhere["organization"] = json!("globex");
    assert_eq!(ask(&admin, elsewhere).await.code(), "NOT_FOUND");
    assert_eq!(ask(&app.admin("capydb", "globex"), p1.clone()).await.code(), "NOT_FOUND");
    let unknown = ask(&admin, json!({ "log": { "level": "project", "id": "p9" } })).await;
    assert_eq!(unknown.code(), "NOT_FOUND");
    let own = ask(&admin, json!({ "log": { "level": "organization", "id": "acme" } })).await;
    assert_eq!((own.code().as_str(), own.field().ends_with("log.level")), ("BAD_USER_INPUT", true));
    let level = ask(&admin, json!({ "log": { "level": "planet", "id": "x" } })).await;
    assert_eq!((level.code().as_str(), level.field().ends_with("log.level")), ("BAD_USER_INPUT", true));
    // An event that cannot be recorded leaves the log as it is.
    let mut told = p1.clone();
    told["event"] = event("unheard.of");
    let refused = ask(&admin, told.clone()).await;
    assert_eq!((refused.code().as_str(), refused.field().as_str()), ("BAD_USER_INPUT", "input.event.action"));
    told["event"] = within("project.deleted", &[("project", "p1")]);
    assert_eq!(ask(&admin, told.clone()).await.field(), "input.event.log");
    assert_eq!(names(&admin).await, ["organization:acme", "project:p1"]);
    // A repeated deletion with its key is answered like the first; without, the log is not there.
    told["event"] = json!({ "action": "project.deleted", "actor": { "kind": "USER" }, "idempotencyKey": "del-1" });
    let first = ask(&admin, told.clone()).await.data();
    let again = ask(&admin, told).await.data();
    assert_eq!(first, again);
    let without = ask(&admin, p1).await.code();
    assert!(["NOT_FOUND", "CONFLICT"].contains(&without.as_str()), "{without}");
    assert_eq!(admin.actions("filter: { actions: [\"project.deleted\"] }").await.len(), 1);
}
