//! Tokens that are narrowed to some logs: what `viewer` says of them is what the list does.

use serde_json::{Value, json};

use crate::harness::{Caller, TestApp, event, on_both_databases};

const LIST: &str = "query($organization: ID, $log: AuditLogInput) {
    auditEvents(organization: $organization, log: $log) { totalCount } actors(organization: $organization) { label } }";

async fn record(app: &TestApp, organization: &str, log: Option<&str>) {
    let mut input = event("project.import_started");
    if let Some(id) = log {
        input["log"] = json!({ "level": "project", "id": id, "name": format!("Project {id}") });
    } else {
        input = event("api_key.created");
    }
    app.admin("capydb", organization).record(input).await;
}

async fn delete(app: &TestApp, id: &str) {
    let delete = "mutation($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) { log { level } } }";
    app.admin("capydb", "acme").data(delete, json!({ "input": { "log": { "level": "project", "id": id } } })).await;
}

/// What the viewer says: whether the log can be read and if not why, and the logs of which one has to be named.
async fn said(caller: &Caller<'_>, organization: Option<&str>) -> (Value, Vec<String>) {
    let ask = "query($organization: ID) { viewer { logChoices(organization: $organization) { level externalId name }
        canReadAuditLog(organization: $organization) { allowed reason message } } }";
    let viewer = caller.data(ask, json!({ "organization": organization })).await["viewer"].clone();
    let choices = viewer["logChoices"].as_array().expect("choices").iter();
    let name = |choice: &Value| choice["externalId"].as_str().expect("an id").to_owned();
    (viewer["canReadAuditLog"].clone(), choices.map(name).collect())
}

/// That the list does as the viewer says; gives how it went.
async fn agreed(caller: &Caller<'_>, organization: Option<&str>) -> String {
    let (access, choices) = said(caller, organization).await;
    let logs: Vec<Value> = match choices.as_slice() {
        [] => vec![Value::Null],
        choices => choices.iter().map(|id| json!({ "level": "project", "id": id })).collect(),
    };
    if access["allowed"] == false {
        // Of several, one has to be named even where all of them are gone.
        let several = caller.claims.logs.as_ref().filter(|logs| logs.len() > 1).and_then(|logs| logs.last());
        let log = several.map(|log| json!({ "level": "project", "id": log.trim_start_matches("project:") }));
        let refused = caller.ask(LIST, json!({ "organization": organization, "log": log })).await.errors();
        for error in refused {
            assert_eq!((&error["extensions"]["code"], &error["message"]), (&access["reason"], &access["message"]));
        }
        return access["reason"].as_str().expect("a reason").to_owned();
    }
    let mut counts = Vec::new();
    for log in logs {
        let answer = caller.data(LIST, json!({ "organization": organization, "log": log })).await;
        counts.push(answer["auditEvents"]["totalCount"].to_string());
    }
    if !choices.is_empty() {
        let unnamed = caller.ask(LIST, json!({ "organization": organization })).await;
        assert_eq!((unnamed.code().as_str(), unnamed.field().as_str()), ("BAD_USER_INPUT", "log"));
    }
    format!("{} {}", choices.join("+"), counts.join("+")).trim().to_owned()
}

on_both_databases! {
    the_viewer_and_the_list_agree_on_a_narrowed_token,
    staff_are_told_of_the_organization_that_they_ask_for,
    a_key_of_another_log_tells_nothing_of_its_event,
    a_deletion_of_another_log_is_not_told_again,
}

/// An event for a project's log, under a key.
fn keyed(log: Option<&str>, key: &str) -> Value {
    let mut input = event(if log.is_some() { "project.import_started" } else { "api_key.created" });
    if let Some(id) = log {
        input["log"] = json!({ "level": "project", "id": id });
    }
    input["idempotencyKey"] = json!(key);
    input
}

async fn a_key_of_another_log_tells_nothing_of_its_event(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let narrowed = || app.admin("capydb", "acme").logs(&["project:p1"]);
    let ids: Vec<Value> =
        admin.record_all(vec![keyed(Some("p2"), "k2"), keyed(None, "k0"), keyed(Some("p1"), "k1")]).await["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["eventId"].clone())
            .collect();
    let one = |result: &Value| (result["status"].clone(), result["error"]["code"].clone(), result["eventId"].clone());
    let none = Value::Null;
    // The very event, for a log that the token is not for: it is refused as any event for that log is.
    for (again, fresh) in [(keyed(Some("p2"), "k2"), keyed(Some("p2"), "new")), (keyed(None, "k0"), keyed(None, "new"))]
    {
        let told = narrowed().record_all(vec![again, fresh]).await;
        assert_eq!(told["results"][0]["error"], told["results"][1]["error"]);
        assert_eq!(one(&told["results"][0]), (none.clone(), json!("FORBIDDEN"), none.clone()));
    }
    // The key with an event for its own log, and for a log that there is not yet: which event has it is not said.
    for key in ["k2", "k0"] {
        for log in ["p1", "p3"] {
            let told = narrowed().record_all(vec![keyed(Some(log), key)]).await;
            let wanted = if log == "p1" { "CONFLICT" } else { "FORBIDDEN" };
            assert_eq!(one(&told["results"][0]), (none.clone(), json!(wanted), none.clone()), "{log} {key}");
            let text = told.to_string();
            assert!(!ids.iter().any(|id| text.contains(id.as_str().unwrap())), "{text}");
        }
        let record = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { sequence } }";
        let answer = narrowed().ask(record, json!({ "input": keyed(Some("p1"), key) })).await;
        assert_eq!(answer.errors()[0]["extensions"], json!({ "code": "CONFLICT" }));
    }
    // In its own log a key says what it said before: the same event, and which one stands for it.
    let told = narrowed().record_all(vec![keyed(Some("p1"), "k1")]).await;
    assert_eq!(one(&told["results"][0]), (json!("ALREADY_RECORDED"), none.clone(), ids[2].clone()));
    let mut other = keyed(Some("p1"), "k1");
    other["source"] = json!("elsewhere");
    let told = narrowed().record_all(vec![other]).await;
    assert_eq!(told["results"][0]["error"]["existing"], ids[2]);
    admin.record(keyed(Some("p2"), "k9")).await;
    // Whoever reads all logs is told.
    assert_eq!(admin.record_all(vec![keyed(Some("p1"), "k2")]).await["results"][0]["error"]["existing"], ids[0]);
    // What was refused left nothing behind: no log, and no number of the sequence.
    let logs = admin.data("{ viewer { logs { externalId } } }", json!({})).await;
    assert!(!logs.to_string().contains("p3"), "{logs}");
    let last = admin.record(keyed(Some("p1"), "last")).await;
    assert_eq!(last["sequence"], "4");
    // Its own log was deleted: the token is for the log that now has the name.
    delete(app, "p1").await;
    let told = narrowed().record_all(vec![keyed(Some("p1"), "k1")]).await;
    assert_eq!(one(&told["results"][0]), (none.clone(), json!("CONFLICT"), none));
    assert_eq!(admin.record_all(vec![keyed(Some("p1"), "k1")]).await["results"][0]["eventId"], ids[2]);
}

async fn a_deletion_of_another_log_is_not_told_again(app: &TestApp) {
    let delete =
        "mutation($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) { log { externalId } event { id } } }";
    record(app, "acme", Some("p2")).await;
    let input = json!({ "input": {
        "log": { "level": "project", "id": "p2" },
        "event": { "action": "project.deleted", "actor": { "kind": "USER" }, "idempotencyKey": "gone" },
    } });
    let admin = app.admin("capydb", "acme");
    let first = admin.data(delete, input.clone()).await;
    assert_eq!(admin.data(delete, input.clone()).await, first);
    for logs in [&["project:p1"][..], &["project:p2"]] {
        let told = app.admin("capydb", "acme").logs(logs).ask(delete, input.clone()).await;
        assert!(["NOT_FOUND", "FORBIDDEN"].contains(&told.code().as_str()), "{told:?}");
        assert!(!String::from_utf8_lossy(&told.body).contains("evt_"), "{told:?}");
    }
}

async fn the_viewer_and_the_list_agree_on_a_narrowed_token(app: &TestApp) {
    let narrowed = |logs: &[&str]| app.admin("capydb", "acme").logs(logs);
    let (one, two) = (narrowed(&["project:p1"]), narrowed(&["project:p1", "project:p2"]));
    // Nothing is recorded yet: empty, and no reason to shut anybody out.
    assert_eq!(agreed(&one, None).await, "0");
    assert_eq!(agreed(&two, None).await, "p1+p2 0+0");
    record(app, "acme", None).await;
    record(app, "acme", Some("p1")).await;
    record(app, "globex", Some("p9")).await;
    assert_eq!(agreed(&one, None).await, "1");
    assert_eq!(agreed(&two, None).await, "p1+p2 1+0");
    let named = two.data("{ viewer { logChoices { externalId name } logs { level } } }", json!({})).await;
    assert_eq!(
        named["viewer"],
        json!({ "logs": [{ "level": "project" }],
        "logChoices": [{ "externalId": "p1", "name": "Project p1" }, { "externalId": "p2", "name": null }] })
    );
    // A log of another organization is one that has no events here.
    assert_eq!(agreed(&narrowed(&["project:p9"]), None).await, "0");
    assert_eq!(agreed(&narrowed(&["organization:globex"]), None).await, "FORBIDDEN");
    assert_eq!(agreed(&narrowed(&["organization:globex", "project:p1"]), None).await, "1");
    assert_eq!(agreed(&narrowed(&["organization:acme", "project:p1"]), None).await, "2");
    assert_eq!(agreed(&one, Some("globex")).await, "NOT_FOUND");
    delete(app, "p1").await;
    assert_eq!(agreed(&one, None).await, "FORBIDDEN");
    assert!(said(&one, None).await.0["message"].as_str().expect("text").contains("deleted"));
    assert_eq!(agreed(&two, None).await, "p2 0");
    record(app, "acme", Some("p2")).await;
    assert_eq!(agreed(&two, None).await, "p2 1");
    delete(app, "p2").await;
    assert_eq!(agreed(&two, None).await, "FORBIDDEN");
    // Its name is used again: that is another log, and it is the token's.
    record(app, "acme", Some("p1")).await;
    assert_eq!(agreed(&one, None).await, "1");
    assert_eq!(agreed(&two, None).await, "p1 1");
}

async fn staff_are_told_of_the_organization_that_they_ask_for(app: &TestApp) {
    record(app, "acme", Some("p1")).await;
    record(app, "globex", None).await;
    let staff = || app.caller("capydb").scopes("audit:read audit:staff");
    let any = staff();
    assert_eq!(said(&any, None).await.0["allowed"], true);
    for organization in ["acme", "globex", "unheard-of"] {
        assert!(["1", "0"].contains(&agreed(&any, Some(organization)).await.as_str()), "{organization}");
    }
    let ask = "query($organization: ID) { viewer { logs(organization: $organization) { level } } }";
    let logs = any.data(ask, json!({ "organization": "acme" })).await;
    assert_eq!(logs["viewer"]["logs"], json!([{ "level": "organization" }, { "level": "project" }]));
    assert_eq!(any.data(ask, json!({})).await["viewer"]["logs"], json!([]));
    let narrowed = staff().logs(&["organization:acme", "organization:globex"]);
    assert_eq!(agreed(&narrowed, Some("acme")).await, "1");
    assert_eq!(agreed(&narrowed, Some("initech")).await, "FORBIDDEN");
    delete(app, "p1").await;
    assert_eq!(agreed(&staff().logs(&["project:p1"]), Some("acme")).await, "FORBIDDEN");
}
