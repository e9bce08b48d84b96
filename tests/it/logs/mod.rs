//! Logs in logs: reading with and without what is nested, and what becomes of events whose log is deleted.

mod deleted;

use serde_json::{Value, json};

use crate::harness::{Caller, TestApp, as_of_a_cluster, event, on_both_databases};

/// An event in a log of an organization; `path` goes from the log up to below the organization.
fn within(action: &str, path: &[(&str, &str)]) -> Value {
    let mut input = event(action);
    let log = path.iter().rev().fold(Value::Null, |above, (level, id)| {
        let mut log = json!({ "level": level, "id": id, "name": format!("{level} {id}") });
        if !above.is_null() {
            log["parent"] = above;
        }
        log
    });
    if !log.is_null() {
        input["log"] = log;
    }
    input
}

const DELETE: &str = "mutation($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) { log { level externalId \
                      name deletedAt } event { id action sequence log { level externalId } } } }";

async fn delete(caller: &Caller<'_>, level: &str, id: &str, event: Option<Value>) -> Value {
    let mut input = json!({ "log": { "level": level, "id": id } });
    if let Some(event) = event {
        input["event"] = event;
    }
    caller.data(DELETE, json!({ "input": input })).await["deleteAuditLog"].clone()
}

async fn names(reader: &Caller<'_>) -> Vec<String> {
    let data = reader.data("{ viewer { logs { level externalId } } }", json!({})).await;
    data["viewer"]["logs"]
        .as_array()
        .expect("logs")
        .iter()
        .map(|log| format!("{}:{}", log["level"].as_str().expect("text"), log["externalId"].as_str().expect("text")))
        .collect()
}

on_both_databases! {
    a_list_shows_nested_logs_as_it_is_asked_to_or_as_its_level_says,
    a_log_is_one_object_with_an_id_and_the_name_of_its_first_use,
    a_logs_id_is_good_for_those_who_may_read_it,
    a_token_of_one_log_reads_it_and_what_is_below,
}

as_of_a_cluster! {
    a_log_is_one_object_with_an_id_and_the_name_of_its_first_use,
}

async fn a_list_shows_nested_logs_as_it_is_asked_to_or_as_its_level_says(app: &TestApp) {
    let caputchin = app.admin("caputchin", "acme");
    caputchin.record(event("session.sign-out")).await;
    caputchin.record(within("troop.touched", &[("troop", "t1")])).await;
    caputchin.record(within("widget.touched", &[("widget", "w1"), ("troop", "t1")])).await;
    caputchin.record(within("troop.other", &[("troop", "t2")])).await;
    // Three levels, each with its own log; the account's own list is its own.
    assert_eq!(caputchin.actions("").await, ["session.sign-out"]);
    assert_eq!(
        caputchin.actions("includeNested: true").await,
        ["troop.other", "widget.touched", "troop.touched", "session.sign-out"]
    );
    assert_eq!(caputchin.actions("log: {level: \"troop\", id: \"t1\"}").await, ["troop.touched"]);
    assert_eq!(
        caputchin.actions("log: {level: \"troop\", id: \"t1\"}, includeNested: true").await,
        ["widget.touched", "troop.touched"]
    );
    assert_eq!(caputchin.actions("log: {level: \"widget\", id: \"w1\"}").await, ["widget.touched"]);
    assert_eq!(
        caputchin.actions("log: {level: \"account\", id: \"acme\"}, includeNested: false").await,
        ["session.sign-out"]
    );
    assert_eq!(caputchin.actions("log: {level: \"troop\", id: \"w1\"}").await, Vec::<String>::new());
    let deep = caputchin
        .data(
            "{ auditEvents(log: {level: \"widget\", id: \"w1\"}) { totalCount \
             nodes { log { level externalId name deletedAt parent { level externalId \
             parent { level externalId parent { externalId } } } } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        deep["auditEvents"]["nodes"][0]["log"],
        json!({
            "level": "widget", "externalId": "w1", "name": "widget w1", "deletedAt": null,
            "parent": {
                "level": "troop", "externalId": "t1",
                "parent": { "level": "account", "externalId": "acme", "parent": null }
            }
        })
    );
    assert_eq!(names(&caputchin).await, ["account:acme", "troop:t1", "widget:w1", "troop:t2"]);
    // capydb's organization shows its projects' events.
    let capydb = app.admin("capydb", "acme");
    capydb.record(event("api_key.created")).await;
    capydb.record(within("project.import_started", &[("project", "p1")])).await;
    assert_eq!(capydb.actions("").await, ["project.import_started", "api_key.created"]);
    assert_eq!(capydb.actions("includeNested: false").await, ["api_key.created"]);
    assert_eq!(capydb.actions("log: {level: \"project\", id: \"p1\"}").await, ["project.import_started"]);
    // A log lies in one log for ever.
    let moved = capydb
        .ask(
            "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }",
            json!({ "input": within("project.import_started", &[("project", "p1"), ("organization", "other")]) }),
        )
        .await;
    assert_eq!((moved.code().as_str(), moved.field().starts_with("input.log")), ("BAD_USER_INPUT", true));
}

async fn a_log_is_one_object_with_an_id_and_the_name_of_its_first_use(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    for name in ["First", "Second"] {
        let mut input = within("project.import_started", &[("project", "p1")]);
        input["log"]["name"] = json!(name);
        admin.record(input).await;
    }
    admin.record(within("project.import_started", &[("project", "p2")])).await;
    admin.record(event("api_key.created")).await;
    let list = admin
        .data(
            "{ auditEvents { nodes { log { id externalId name parent { id } } } } viewer { logs { id externalId } } }",
            json!({}),
        )
        .await;
    let shown: Vec<_> =
        list["auditEvents"]["nodes"].as_array().expect("nodes").iter().map(|node| node["log"].clone()).collect();
    let [own, p2, again, p1] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!((p1, &p1["name"]), (again, &json!("First")));
    assert_eq!((&p1["parent"]["id"], &p2["parent"]["id"], &own["parent"]), (&own["id"], &own["id"], &Value::Null));
    let of = |log: &Value| json!({ "id": log["id"], "externalId": log["externalId"] });
    assert_eq!(list["viewer"]["logs"], json!([of(own), of(p1), of(p2)]));
    // An event, another process and a restarted one know it by the same id.
    let ask = "query($id: ID!) { node(id: $id) { __typename id ... on AuditLog { level externalId name deletedAt } } }";
    let expected = json!({
        "node": {
            "__typename": "AuditLog", "id": p1["id"], "level": "project", "externalId": "p1", "name": "First",
            "deletedAt": null
        }
    });
    for _ in 0..2 {
        let other = app.beside().await;
        assert_eq!(other.admin("capydb", "acme").data(ask, json!({ "id": p1["id"] })).await, expected);
        other.finish().await;
    }
    // Two logs of one name in two organizations, or after each other, are two objects.
    let globex = app.admin("capydb", "globex");
    globex.record(within("project.import_started", &[("project", "p1")])).await;
    let theirs = globex.data("{ auditEvents { nodes { log { id } } } }", json!({})).await["auditEvents"]["nodes"][0]
        ["log"]["id"]
        .clone();
    let gone = delete(&admin, "project", "p1", None).await;
    admin.record(within("project.import_started", &[("project", "p1")])).await;
    let new =
        admin.data("{ auditEvents { nodes { log { id name } } } }", json!({})).await["auditEvents"]["nodes"][0]["log"]
            .clone();
    assert_eq!(new["name"], "project p1");
    let ids: std::collections::BTreeSet<_> =
        [&p1["id"], &p2["id"], &own["id"], &theirs, &new["id"]].into_iter().map(Value::to_string).collect();
    assert_eq!(ids.len(), 5, "{ids:?}");
    // The level clears its deleted logs: the old one is still there, and says so.
    let old = admin.data(ask, json!({ "id": p1["id"] })).await["node"].clone();
    assert_eq!((&old["externalId"], &old["deletedAt"]), (&json!("p1"), &gone["log"]["deletedAt"]));
    assert_eq!(admin.data(ask, json!({ "id": new["id"] })).await["node"]["deletedAt"], Value::Null);
}

async fn a_logs_id_is_good_for_those_who_may_read_it(app: &TestApp) {
    let ask = "query($id: ID!) { node(id: $id) { id } }";
    let ids = async |reader: &Caller<'_>| {
        let data = reader.data("{ viewer { logs { id } } }", json!({})).await;
        data["viewer"]["logs"]
            .as_array()
            .expect("logs")
            .iter()
            .map(|log| log["id"].as_str().expect("text").to_owned())
            .collect::<Vec<_>>()
    };
    let admin = app.admin("caputchin", "acme");
    for path in [&[("widget", "w1"), ("troop", "t1")][..], &[("troop", "t2")]] {
        admin.record(within(&format!("{}.thing", path[0].0), path)).await;
    }
    app.admin("caputchin", "globex").record(within("troop.thing", &[("troop", "t1")])).await;
    let [account, t1, w1, t2] = &ids(&admin).await[..] else { panic!("four logs") };
    let staff = app.caller("caputchin").scopes("audit:read audit:staff");
    for id in [account, t1, w1, t2] {
        for reader in [&admin, &staff] {
            assert_eq!(reader.data(ask, json!({ "id": id })).await["node"]["id"], json!(id));
        }
    }
    let refused = async |reader: &Caller<'_>, id: &str| {
        let answer = reader.ask(ask, json!({ "id": id })).await;
        assert_eq!(answer.json()["data"], json!({ "node": null }), "{id}");
        let mut error = answer.errors()[0].clone();
        error["locations"].take();
        error.to_string()
    };
    // Whoever may not see it is answered as if it had never been: guesses of every part, other tenants, other logs.
    let troop = app.admin("caputchin", "acme").logs(&["troop:t1"]);
    assert_eq!(troop.data(ask, json!({ "id": w1 })).await["node"]["id"], json!(w1));
    let digit = |at: usize| format!("{}{}{}", &t1[..at], if &t1[at..=at] == "0" { "1" } else { "0" }, &t1[at + 1..]);
    let guesses = [digit(t1.len() - 1), digit(t1.len() - 8), digit(t1.len() - 9), digit(t1.len() - 17), digit(5)];
    let mut texts = Vec::new();
    for guess in &guesses {
        texts.push(refused(&admin, guess).await);
        texts.push(refused(&staff, guess).await);
    }
    for id in [account, t2] {
        texts.push(refused(&troop, id).await);
    }
    for (product, organization) in [("caputchin", "globex"), ("workspace", "acme"), ("caputchin", "unheard-of")] {
        texts.push(refused(&app.admin(product, organization), t1).await);
    }
    texts.push(refused(&app.caller("workspace").scopes("audit:read audit:staff"), t1).await);
    // The same once it is removed with what was below it, for those who could see it before.
    delete(&admin, "troop", "t1", None).await;
    for reader in [&admin, &staff, &troop] {
        for id in [t1, w1] {
            texts.push(refused(reader, id).await);
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:#?}");
    // An event's id is no log's, and the other way round.
    let event = admin.record(event("session.sign-out")).await["event"]["id"].as_str().expect("text").to_owned();
    refused(&admin, &event.replace("evt_", "log_")).await;
    refused(&admin, &account.replace("log_", "evt_")).await;
    let right = admin.ask("query($id: ID!) { auditEvent(id: $id) { id } }", json!({ "id": account })).await;
    assert_eq!(right.code(), "NOT_FOUND");
    assert_eq!(
        app.admin("caputchin", "acme").plan("none").ask(ask, json!({ "id": account })).await.code(),
        "PLAN_REQUIRED"
    );
    assert_eq!(
        app.admin("caputchin", "acme").scopes("audit:record").ask(ask, json!({ "id": account })).await.code(),
        "FORBIDDEN"
    );
}

async fn a_token_of_one_log_reads_it_and_what_is_below(app: &TestApp) {
    let admin = app.admin("caputchin", "acme");
    admin.record(event("session.sign-out")).await;
    for path in [
        &[("troop", "t1")][..],
        &[("widget", "w1"), ("troop", "t1")],
        &[("troop", "t2")],
        &[("widget", "w2"), ("troop", "t2")],
    ] {
        admin.record(within(&format!("{}.{}", path[0].0, path[0].1), path)).await;
    }
    let troop = app.admin("caputchin", "acme").logs(&["troop:t1"]);
    assert_eq!(troop.actions("").await, ["troop.t1"]);
    assert_eq!(troop.actions("includeNested: true").await, ["widget.w1", "troop.t1"]);
    assert_eq!(troop.actions("log: {level: \"widget\", id: \"w1\"}").await, ["widget.w1"]);
    assert_eq!(names(&troop).await, ["troop:t1", "widget:w1"]);
    for (level, id) in [("account", "acme"), ("troop", "t2"), ("widget", "w2")] {
        let answer = troop
            .ask(
                "query($log: AuditLogInput) { auditEvents(log: $log) { totalCount } }",
                json!({ "log": { "level": level, "id": id } }),
            )
            .await;
        assert_eq!(answer.code(), "FORBIDDEN", "{level} {id}");
    }
    // It records below its log too, also into one that is new, and nowhere else.
    let ask = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";
    let recorded = troop.ask(ask, json!({ "input": within("widget.w3", &[("widget", "w3"), ("troop", "t1")]) })).await;
    assert_eq!(recorded.data()["recordAuditEvent"]["status"], "RECORDED");
    for path in [&[][..], &[("troop", "t2")], &[("widget", "w9"), ("troop", "t2")], &[("troop", "t9")]] {
        let action = path.first().map_or("session.sign-out".to_owned(), |(level, _)| format!("{level}.x"));
        assert_eq!(troop.ask(ask, json!({ "input": within(&action, path) })).await.code(), "FORBIDDEN", "{path:?}");
    }
    assert_eq!(names(&admin).await, ["account:acme", "troop:t1", "widget:w1", "troop:t2", "widget:w2", "widget:w3"]);
    // A token of a deleted log has nothing left to read.
    delete(&admin, "troop", "t1", None).await;
    let after = troop.ask("{ auditEvents(includeNested: true) { totalCount } }", json!({})).await;
    assert!(after.json()["errors"].is_array() || after.data()["auditEvents"]["totalCount"] == 0, "{:#}", after.json());
}
