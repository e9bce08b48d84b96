//! A person is erased from every event of an organization, and nobody else is; holds keep them; who asks has to be allowed.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::{body::Body, http::Request};
use ledgerline::store::{ErasureStep, LookedAhead};
use serde_json::{Value, json};

use super::{LIFT, PLACE};
use crate::{
    harness::{Caller, Database, TestApp, as_of_a_cluster, event, eventually, on_both_databases, sql::column},
    process::ledgerline,
};

on_both_databases! {
    a_person_is_erased_and_nobody_else_is,
    an_erased_event_is_read_by_every_way,
    a_hold_refuses_and_stops_an_erasure,
    an_erasure_is_given_up,
    who_is_named_wrongly_erases_nobody,
    no_other_tenant_and_no_lesser_token_erases,
    what_is_recorded_while_it_runs_is_erased_too,
    an_interrupted_erasure_goes_on_in_another_process_once,
    the_list_erases_a_restored_database_once_more,
    the_command_previews_erases_and_lists,
    an_erased_log_is_copied_as_it_is_and_an_older_copy_is_refused,
    a_new_index_brings_nobody_back,
    a_key_of_an_earlier_version_is_still_known,
    the_erasing_door_lets_nothing_else_through,
}

as_of_a_cluster! {
    a_person_is_erased_and_nobody_else_is,
    the_list_erases_a_restored_database_once_more,
    the_command_previews_erases_and_lists,
}

pub const ERASE: &str =
    "mutation($input: EraseFromAuditLogInput!) { eraseFromAuditLog(input: $input) { erasure { id status
    requestedBy finishedAt done total events hold } } }";
const PREVIEW: &str = "query($input: EraseFromAuditLogInput!) { previewAuditErasure(input: $input) { events acted
    represented actedOn holds { hold label events } logs { level externalId events } done total } }";
const CANCEL: &str =
    "mutation($input: CancelAuditErasureInput!) { cancelAuditErasure(input: $input) { erasure { status } } }";
const FIND: &str = "query($id: ID!) { auditErasure(id: $id) { id status finishedAt done total events hold } }";

/// Somebody called Zephyrine, in every place where an event can name her.
pub fn theirs(n: usize) -> Value {
    json!({
        "action": "doc.read",
        "actor": { "kind": "USER", "id": "usr_zq7x", "name": "Zephyrine Quibblesworth", "email": "Zephyrine@person.example" },
        "resources": [
            { "type": "doc", "id": format!("d{}", n % 3), "name": "Plan" },
            { "type": "note", "id": "n1", "name": "Notes of zephyrine quibblesworth" },
        ],
        "ipAddress": "198.51.100.77",
        "userAgent": "ZephyrBrowser/9.1",
        "sourceEventId": format!("usr_zq7x-{n}"),
        "metadata": { "note": format!("zephyrword{n}") },
        "idempotencyKey": format!("zephyrkey-{n}"),
    })
}

pub fn whom() -> Value {
    json!({ "actor": { "id": "usr_zq7x" }, "resource": { "type": "user", "id": "usr_zq7x" } })
}

pub async fn found(caller: &Caller<'_>, id: &str) -> Value {
    caller.data(FIND, json!({ "id": id })).await["auditErasure"].clone()
}

/// Waits until an erasure has a status.
pub async fn until(caller: &Caller<'_>, id: &str, status: &str) -> Value {
    for _ in 0..12_000 {
        let erasure = found(caller, id).await;
        if erasure["status"] == status {
            return erasure;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it is {} and not {status}", found(caller, id).await);
}

pub async fn erase(caller: &Caller<'_>, whom: Value) -> Value {
    let asked = caller.data(ERASE, json!({ "input": whom })).await["eraseFromAuditLog"]["erasure"].clone();
    assert!(asked["finishedAt"].is_null() && asked["requestedBy"] == "admin", "{asked}");
    until(caller, asked["id"].as_str().expect("an id"), "DONE").await
}

async fn nodes(caller: &Caller<'_>, arguments: &str) -> Vec<Value> {
    let query = format!(
        "{{ auditEvents(first: 100, includeNested: true, orderBy: {{ field: SEQUENCE, direction: ASC }}{arguments}) {{ \
         totalCount nodes {{ id sequence action erased truncated actor {{ kind externalId name email label }} onBehalfOf {{ \
         externalId }} resources {{ type externalId name }} ipAddress userAgent sourceEventId recordedBy metadata }} }} }}"
    );
    let list = caller.data(&query, json!({})).await["auditEvents"].clone();
    let nodes = list["nodes"].as_array().expect("nodes").clone();
    assert_eq!(list["totalCount"], nodes.len());
    nodes
}

/// The six events of which four are about the person, in two organizations.
async fn story(app: &TestApp) {
    for organization in ["acme", "globex"] {
        let admin = app.admin("workspace", organization);
        let mut in_project = theirs(1);
        in_project["log"] = json!({ "level": "project", "id": "p1" });
        let mut on_behalf = event("support.looked");
        on_behalf["onBehalfOf"] = json!({ "kind": "USER", "id": "usr_zq7x", "name": "Zephyrine Quibblesworth" });
        let mut acted_on = event("user.invited");
        acted_on["resources"] = json!([{ "type": "user", "id": "usr_zq7x", "name": "Zephyrine Quibblesworth" }]);
        acted_on["metadata"] = json!({ "to": "zephyrine@person.example" });
        let mut like = event("doc.read");
        like["actor"]["id"] = json!("usr_zq7x2");
        for input in [theirs(0), event("user.login"), in_project, on_behalf, acted_on, like] {
            assert_eq!(admin.record(input).await["status"], "RECORDED");
        }
    }
}

async fn a_person_is_erased_and_nobody_else_is(app: &TestApp) {
    story(app).await;
    let admin = app.admin("workspace", "acme");
    let before = nodes(&admin, "").await;
    // It looks through the log: a request has room for one.
    let twice = PREVIEW.replacen(
        "{ previewAuditErasure",
        "{ first: previewAuditErasure(input: $input) { events } previewAuditErasure",
        1,
    );
    assert_eq!(admin.ask(&twice, json!({ "input": whom() })).await.code(), "QUERY_TOO_COMPLEX");
    let preview = admin.data(PREVIEW, json!({ "input": whom() })).await["previewAuditErasure"].clone();
    let logs = json!([{ "level": "organisation", "externalId": "acme", "events": "3" },
        { "level": "project", "externalId": "p1", "events": "1" }]);
    let expected = json!({ "events": "4", "acted": "2", "represented": "1", "actedOn": "1", "holds": [], "logs": logs,
        "done": "6", "total": "6" });
    assert_eq!(preview, expected);
    let done = erase(&admin, whom()).await;
    assert_eq!((&done["events"], &done["hold"]), (&json!("4"), &Value::Null));
    assert_eq!(done["done"], done["total"]);
    let after = nodes(&admin, "").await;
    assert_eq!(after.len(), before.len() + 2, "what tells of it came");
    for at in [1, 5] {
        assert_eq!(after[at], before[at], "not about the person");
    }
    for at in [0, 2, 3, 4] {
        for kept in ["id", "sequence", "action"] {
            assert_eq!(after[at][kept], before[at][kept]);
        }
        let text = after[at].to_string().to_lowercase();
        for gone in ["zephyr", "usr_zq7x", "198.51.100.77", "quibbles"] {
            assert!(!text.contains(gone), "{gone} is in {text}");
        }
    }
    let whole = ["actor", "ipAddress", "metadata", "resources[1]", "sourceEventId", "userAgent"];
    assert_eq!(after[0]["erased"], json!(whole));
    assert_eq!(
        after[0]["actor"],
        json!({ "kind": "USER", "externalId": null, "name": null, "email": null, "label": after[0]["actor"]["label"] })
    );
    assert_eq!(
        after[0]["resources"],
        json!([{ "type": "doc", "externalId": "d0", "name": "Plan" },
        { "type": "note", "externalId": null, "name": null }])
    );
    assert_eq!(after[3]["erased"], json!(["actor", "onBehalfOf"]));
    assert_eq!(after[4]["erased"], json!(["metadata", "resources[0]"]));
    assert_eq!(after[4]["actor"]["externalId"], "u1", "who did it stays");
    // It is told, and nobody is named.
    let told: Vec<_> = after[6..].iter().map(|node| node["action"].as_str().expect("an action")).collect();
    assert_eq!(told, ["audit_log.erasure_requested", "audit_log.person_erased"]);
    assert_eq!(after[7]["metadata"], json!({ "events": 4 }));
    assert_eq!((&after[7]["actor"]["kind"], &after[6]["actor"]["externalId"]), (&json!("SYSTEM"), &json!("admin")));
    // Nothing finds them any more: not by filter, word, facet or picker.
    for arguments in [
        ", filter: { actor: { ids: [\"usr_zq7x\"] } }",
        ", filter: { resource: { ids: [\"usr_zq7x\"] } }",
        ", filter: { ipAddresses: [\"198.51.100.77\"] }",
        ", search: \"zephyrine\"",
        ", search: \"zephyrword1\"",
        ", search: \"zephyrbrowser\"",
    ] {
        assert_eq!(nodes(&admin, arguments).await, Vec::<Value>::new(), "{arguments}");
    }
    assert_eq!(nodes(&admin, ", search: \"plan\"").await.len(), 2, "what is left is found");
    let asked = "{ actors(first: 50) { externalId name } auditEvents(includeNested: true) { facets { actors { buckets {
        value count } } outcomes { buckets { value count } } } } }";
    let text = admin.data(asked, json!({})).await.to_string();
    assert!(!text.to_lowercase().contains("zephyr") && text.contains("usr_zq7x2"), "{text}");
    // The row says nobody's name; and the other organization has all.
    let rows = column::<String>(&app.url, "SELECT coalesce(whom, '-') FROM erasure").await;
    assert_eq!(rows, ["-"]);
    let other = app.admin("workspace", "globex");
    assert_eq!(nodes(&other, ", filter: { actor: { ids: [\"usr_zq7x\"] } }").await.len(), 2);
    // Once more there is nobody to erase.
    assert_eq!(erase(&admin, whom()).await["events"], "0");
}

async fn an_erased_event_is_read_by_every_way(app: &TestApp) {
    let admin = app.admin("workspace", "acme").scopes("audit:read audit:record audit:manage audit:export");
    let id = admin.record(theirs(0)).await["event"]["id"].as_str().expect("an id").to_owned();
    // A file that has her, and one that was asked for because of her.
    let export = async |format: &str, filter: Value| {
        let create = "mutation($input: CreateAuditExportInput!) { createAuditExport(input: $input) { export { id } } }";
        let input = json!({ "format": format, "filter": filter });
        let made = admin.data(create, json!({ "input": input })).await;
        let id = made["createAuditExport"]["export"]["id"].as_str().expect("an id").to_owned();
        let find = "query($id: ID!) { auditExport(id: $id) { status downloadUrl count } }";
        let mut found = Value::Null;
        eventually(async || {
            found = admin.data(find, json!({ "id": id })).await["auditExport"].clone();
            found["status"] == "DONE"
        })
        .await;
        let address = found["downloadUrl"].as_str().expect("an address").to_owned();
        let body = app.send(Request::get(address).body(Body::empty()).expect("a request")).await.body;
        (id, String::from_utf8(body).expect("UTF-8"))
    };
    let (before, text) = export("NDJSON", json!({})).await;
    assert!(text.contains("Zephyrine"));
    let (asked_for, _) = export("CSV", json!({ "actor": { "ids": ["usr_zq7x"] } })).await;
    erase(&admin, whom()).await;
    for id in [&before, &asked_for] {
        let found =
            admin.data("query($id: ID!) { auditExport(id: $id) { status downloadUrl } }", json!({ "id": id })).await;
        assert_eq!(found["auditExport"], json!({ "status": "EXPIRED", "downloadUrl": null }));
        assert!(!app.folder().join("exports").join(id).join("manifest.json").exists());
    }
    let told = nodes(&admin, ", filter: { actions: [\"audit_log.export_created\"] }").await;
    let erased: Vec<_> = told.iter().map(|node| node["erased"].clone()).collect();
    assert_eq!(erased, [json!([]), json!(["metadata"])], "what was asked for named her");
    let kept = column::<String>(&app.url, "SELECT asked FROM export").await;
    assert!(!kept.join("").contains("usr_zq7x"), "{kept:?}");
    for format in ["NDJSON", "CSV", "OCSF", "CLOUDEVENTS"] {
        let (_, text) = export(format, json!({ "actions": ["doc.read"] })).await;
        assert!(text.contains("doc.read") && text.contains("resources[1]"), "{format}: {text}");
        assert!(!text.to_lowercase().contains("zephyr") && !text.contains("usr_zq7x"), "{format}: {text}");
    }
    let get = async |path: String| {
        let request = Request::get(path).header("authorization", format!("Bearer {}", admin.token()));
        app.send(request.body(Body::empty()).expect("a request")).await
    };
    let one = get(format!("/v1/audit-events/{id}")).await.json();
    assert_eq!((&one["actor"]["external_id"], &one["ip_address"]), (&Value::Null, &Value::Null));
    let paths = json!(["actor", "ip_address", "metadata", "resources[1]", "source_event_id", "user_agent"]);
    assert_eq!(one["erased"], paths);
    let feed = get("/v1/audit-events/feed".to_owned()).await;
    let text = String::from_utf8(feed.body).expect("UTF-8");
    assert!(text.contains(&id) && !text.to_lowercase().contains("zephyr"), "{text}");
    let node = "query($id: ID!) { node(id: $id) { ... on AuditEvent { erased action } } }";
    assert_eq!(admin.data(node, json!({ "id": id })).await["node"]["action"], "doc.read");
}

async fn place(admin: &Caller<'_>, filter: Value) -> String {
    let placed = admin.data(PLACE, json!({ "input": { "label": "case 7", "filter": filter } })).await;
    placed["placeAuditHold"]["hold"]["id"].as_str().expect("an id").to_owned()
}

async fn a_hold_refuses_and_stops_an_erasure(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    story(app).await;
    let hold = place(&admin, json!({ "actions": ["user.invited"] })).await;
    let preview = admin.data(PREVIEW, json!({ "input": whom() })).await["previewAuditErasure"].clone();
    assert_eq!(preview["holds"], json!([{ "hold": hold, "label": "case 7", "events": "1" }]));
    let refused = admin.ask(ERASE, json!({ "input": whom() })).await;
    assert_eq!(refused.code(), "HELD");
    let error = refused.errors()[0].clone();
    assert_eq!(error["extensions"]["hold"], json!(hold));
    assert!(error["message"].as_str().expect("a message").contains("case 7"), "{error}");
    assert_eq!(nodes(&admin, ", search: \"zephyrine\"").await.len(), 4, "nothing was done");
    assert_eq!(column::<String>(&app.url, "SELECT id FROM erasure").await, Vec::<String>::new());
    // As of an organization that is held, others can be erased from another one.
    let other = app.admin("workspace", "globex");
    erase(&other, whom()).await;
    // One that is placed once the erasure was asked for stops it: the erasure is put where the hold is the first to come.
    admin.data(LIFT, json!({ "input": { "id": hold } })).await;
    let (organization, id) =
        (column::<i64>(&app.url, "SELECT no FROM organization WHERE external_id = 'acme'").await[0], "era_late");
    let late = place(&admin, json!({ "actions": ["user.invited"] })).await;
    let whom = json!({ "actor": { "kind": null, "id": "usr_zq7x", "email": null },
        "resource": { "type": "user", "id": "usr_zq7x" } });
    let insert = format!(
        "INSERT INTO erasure (organization_no, id, status, whom, created_ns, created_by, total, next, events, owner, lease_ns) \
         VALUES ({organization}, '{id}', 0, '{whom}', 1, 'admin', 6, 0, 0, 0, 0)"
    );
    crate::harness::sql::change(&app.url, &insert).await;
    let held = until(&admin, id, "HELD").await;
    assert_eq!((&held["hold"], &held["finishedAt"]), (&json!(late), &Value::Null));
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    assert_eq!(found(&admin, id).await["status"], "HELD", "and it is asked again and again");
    assert_eq!(nodes(&admin, ", filter: { actions: [\"user.invited\"] }").await[0]["erased"], json!([]));
    admin.data(LIFT, json!({ "input": { "id": late } })).await;
    let done = until(&admin, id, "DONE").await;
    assert_eq!((&done["hold"], &done["events"]), (&Value::Null, &json!("4")));
    assert_eq!(nodes(&admin, ", search: \"zephyrine\"").await, Vec::<Value>::new());
}

async fn an_erasure_is_given_up(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    story(app).await;
    let organization = column::<i64>(&app.url, "SELECT no FROM organization WHERE external_id = 'acme'").await[0];
    // Somebody who is not there any more has it for a while.
    let lease = ledgerline::clock::Clock::system().now().0 + 60_000_000_000;
    let whom = json!({ "actor": { "kind": null, "id": "usr_zq7x", "email": null }, "resource": null });
    let insert = format!(
        "INSERT INTO erasure (organization_no, id, status, whom, created_ns, created_by, total, next, events, owner, lease_ns) \
         VALUES ({organization}, 'era_1', 1, '{whom}', 1, 'admin', 6, 0, 0, 77, {lease})"
    );
    crate::harness::sql::change(&app.url, &insert).await;
    let other = app.admin("workspace", "globex");
    assert_eq!(other.ask(CANCEL, json!({ "input": { "id": "era_1" } })).await.code(), "NOT_FOUND");
    let cancelled = admin.data(CANCEL, json!({ "input": { "id": "era_1" } })).await;
    assert_eq!(cancelled["cancelAuditErasure"]["erasure"]["status"], "CANCELLED");
    assert_eq!(column::<String>(&app.url, "SELECT coalesce(whom, '-') FROM erasure").await, ["-"]);
    assert_eq!(admin.ask(CANCEL, json!({ "input": { "id": "era_1" } })).await.code(), "NOT_FOUND");
    assert_eq!(nodes(&admin, ", search: \"zephyrine\"").await.len(), 4);
    assert_eq!(admin.actions("filter: { actions: [\"audit_log.erasure_*\"] }").await, ["audit_log.erasure_cancelled"]);
}

async fn who_is_named_wrongly_erases_nobody(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    story(app).await;
    for (input, field) in [
        (json!({}), "input.actor"),
        (json!({ "actor": {} }), "input.actor.id"),
        (json!({ "actor": { "kind": "USER" } }), "input.actor.id"),
        (json!({ "actor": { "id": "" } }), "input.actor.id"),
        (json!({ "actor": { "email": "x".repeat(3_000) } }), "input.actor.email"),
        (json!({ "resource": { "type": "", "id": "1" } }), "input.resource.type"),
        (json!({ "resource": { "type": "user", "id": "a\u{0}b" } }), "input.resource.id"),
    ] {
        for question in [ERASE, PREVIEW] {
            let answer = admin.ask(question, json!({ "input": input })).await;
            assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", field), "{input}");
        }
    }
    let other_kind = json!({ "actor": { "kind": "API_KEY", "id": "usr_zq7x" } });
    assert_eq!(erase(&admin, other_kind).await["events"], "0");
    assert_eq!(nodes(&admin, ", search: \"zephyrine\"").await.len(), 4);
    // The address is hers in any case; without the id, her other events stay.
    let by_email = json!({ "actor": { "email": "ZEPHYRINE@person.EXAMPLE" } });
    assert_eq!(erase(&admin, by_email).await["events"], "2");
    assert_eq!(
        nodes(&admin, ", search: \"zephyrine\"").await.len(),
        2,
        "the invitation, and what was done on her behalf"
    );
}

async fn no_other_tenant_and_no_lesser_token_erases(app: &TestApp) {
    story(app).await;
    let admin = app.admin("workspace", "acme");
    let input = json!({ "input": whom() });
    let id = erase(&app.admin("workspace", "globex"), whom()).await["id"].clone();
    assert_eq!(admin.ask(FIND, json!({ "id": id })).await.code(), "NOT_FOUND");
    assert_eq!(admin.data("{ auditErasures { id } }", json!({})).await["auditErasures"], json!([]));
    let mut foreign = whom();
    foreign["organization"] = json!("globex");
    for question in [ERASE, PREVIEW] {
        assert_eq!(admin.ask(question, json!({ "input": foreign })).await.code(), "NOT_FOUND");
        let narrowed = app.admin("workspace", "acme").logs(&["project:p1"]);
        assert_eq!(narrowed.ask(question, input.clone()).await.code(), "FORBIDDEN");
        let reader = app.admin("workspace", "acme").scopes("audit:read audit:record");
        assert_eq!(reader.ask(question, input.clone()).await.code(), "FORBIDDEN");
        let member = app.admin("workspace", "acme").role("member");
        assert_eq!(member.ask(question, input.clone()).await.code(), "FORBIDDEN");
    }
    assert_eq!(nodes(&admin, ", search: \"zephyrine\"").await.len(), 4);
}

async fn what_is_recorded_while_it_runs_is_erased_too(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let many = |from: usize| (from..from + 100).map(theirs).collect::<Vec<_>>();
    for from in (0..1_000).step_by(100) {
        assert_eq!(admin.record_all(many(from)).await["recorded"], 100);
    }
    let over = AtomicBool::new(false);
    let recording = async |client: usize| {
        let mut times = Vec::new();
        for n in 0.. {
            if over.load(Ordering::SeqCst) {
                break;
            }
            let began = std::time::Instant::now();
            let mut theirs = theirs(1_000_000 * (client + 1) + n);
            theirs["metadata"]["late"] = json!("latecomer");
            assert_eq!(admin.record(theirs).await["status"], "RECORDED");
            times.push(began.elapsed());
        }
        times
    };
    // Clients end their recording, and only then can an erasure promise that nothing is left.
    let asked = admin.data(ERASE, json!({ "input": whom() })).await["eraseFromAuditLog"]["erasure"]["id"].clone();
    let id = asked.as_str().expect("an id");
    let erasing = async {
        let done = until(&admin, id, "DONE").await;
        over.store(true, Ordering::SeqCst);
        done
    };
    let (done, times) = tokio::join!(erasing, futures_util::future::join_all((0..16).map(recording)));
    let mut times: Vec<_> = times.into_iter().flatten().collect();
    times.sort();
    let longest = times.last().copied().unwrap_or_default();
    assert!(times.len() > 16 && longest < std::time::Duration::from_secs(20), "recording goes on: {longest:?}");
    let events: usize = done["events"].as_str().expect("a number").parse().expect("a number");
    assert!(events > 1_000, "those that came meanwhile are among them: {events}");
    // What was acknowledged before the erasure was over is erased: all that is left came in its last moment or later.
    let told = nodes(&admin, ", filter: { actions: [\"audit_log.person_erased\"] }").await;
    let end: i64 = told[0]["sequence"].as_str().expect("a number").parse().expect("a number");
    let left = "SELECT sequence FROM event WHERE actor_id = 'usr_zq7x' ORDER BY 1";
    let first = column::<i64>(&app.url, left).await.first().copied().unwrap_or(i64::MAX);
    assert!(first + 2_000 > end, "{first} is older than a group before {end}");
    let id = erase(&admin, whom()).await["id"].clone();
    assert!(id.is_string());
    assert_eq!(column::<i64>(&app.url, left).await, Vec::<i64>::new());
    let numbers = column::<i64>(&app.url, "SELECT size - (SELECT count(*) FROM event) FROM organization_head").await;
    assert_eq!(numbers, [0], "the sequence is dense");
}

async fn an_interrupted_erasure_goes_on_in_another_process_once(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for from in (0..700).step_by(100) {
        admin.record_all((from..from + 100).map(theirs).collect()).await;
    }
    let store = &app.app.store;
    let product = app.products.get("workspace").expect("a product");
    let organization = column::<i64>(&app.url, "SELECT organization_no FROM organization_head").await[0];
    let now = || ledgerline::clock::Clock::system().now();
    let lease = ledgerline::event::Timestamp(now().0 + 3_000_000_000);
    let whom = json!({ "actor": { "kind": null, "id": "usr_zq7x", "email": null }, "resource": null });
    let insert = format!(
        "INSERT INTO erasure (organization_no, id, status, whom, created_ns, created_by, total, next, events, owner, lease_ns) \
         VALUES ({organization}, 'era_1', 1, '{whom}', 1, 'admin', 700, 0, 0, 77, {})",
        lease.0
    );
    crate::harness::sql::change(&app.url, &insert).await;
    // A process does two steps and is gone.
    let mut erasure = store.erasure_by_no(organization, "era_1").await.expect("read").expect("there");
    for _ in 0..2 {
        store
            .erase_some(
                product,
                &erasure,
                77,
                ErasureStep {
                    from: erasure.next,
                    ahead: &mut LookedAhead::default(),
                    most: 200,
                    may_end: false,
                    lease,
                },
                now(),
            )
            .await
            .expect("a step");
        erasure = store.erasure_by_no(organization, "era_1").await.expect("read").expect("there");
    }
    assert_eq!((erasure.events, erasure.next), (400, 400));
    // A second and a third process wait for its lease to end, and do the rest once.
    let beside = app.beside().await;
    let done = until(&admin, "era_1", "DONE").await;
    assert_eq!(done["events"], "700");
    let late = store
        .erase_some(
            product,
            &erasure,
            77,
            ErasureStep { from: 400, ahead: &mut LookedAhead::default(), most: 200, may_end: false, lease },
            now(),
        )
        .await
        .expect("a step");
    assert_eq!(late, ledgerline::store::Erased::Lost, "who comes back has it no more");
    assert_eq!(admin.actions("filter: { actions: [\"audit_log.person_erased\"] }").await.len(), 1);
    assert_eq!(column::<i64>(&app.url, "SELECT erased FROM organization_head").await, [700]);
    assert_eq!(column::<i64>(&app.url, "SELECT count(*) FROM erased_event").await, [700]);
    beside.finish().await;
}

/// Runs the command: its code, and what it says.
async fn run(app: &TestApp, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = ledgerline(&app.url, &app.folder());
    command.arg("erase").args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (output.status.code(), said(&output.stdout), said(&output.stderr))
}

async fn the_list_erases_a_restored_database_once_more(app: &TestApp) {
    story(app).await;
    let admin = app.admin("workspace", "acme");
    // What a backup has: the database as it is now.
    let backup = TestApp::start(app.database).await;
    let ledgerline = async |arguments: &[&str], at: &TestApp| {
        let mut command = ledgerline(&at.url, &at.folder());
        command.args(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let copied = ledgerline(&["copy", "--from", &app.url, "--to", &backup.url], app).await;
    assert!(copied.0, "{}", copied.1);
    admin.record(theirs(9)).await;
    erase(&admin, whom()).await;
    let (code, list, errors) = run(app, &["--list"]).await;
    assert_eq!((code, list.lines().count()), (Some(0), 6), "{errors}");
    assert!(!list.to_lowercase().contains("zephyr") && !list.contains("usr_zq7x"), "{list}");
    let file = app.folder().join("erased.ndjson");
    std::fs::write(&file, &list).expect("written");
    let file = file.to_str().expect("a path");
    // The restored database has four of the five.
    let restored = backup.again(|_| {}).await;
    let there = restored.admin("workspace", "acme");
    assert_eq!(nodes(&there, ", search: \"zephyrine\"").await.len(), 4);
    let hold = place(&there, json!({ "actions": ["user.invited"] })).await;
    let (code, said, errors) = run(&restored, &["--replay", file]).await;
    assert_eq!((code, said.as_str()), (Some(1), "5 lines: 3 events were erased once more, 1 are held"), "{errors}");
    there.data(LIFT, json!({ "input": { "id": hold } })).await;
    let (code, said, errors) = run(&restored, &["--replay", file]).await;
    assert_eq!((code, said.as_str()), (Some(0), "5 lines: 1 events were erased once more, 0 are held"), "{errors}");
    let (code, said, _) = run(&restored, &["--replay", file]).await;
    assert_eq!((code, said.as_str()), (Some(0), "5 lines: 0 events were erased once more, 0 are held"));
    let erased = |nodes: Vec<Value>| nodes.iter().map(|node| node["erased"].clone()).take(6).collect::<Vec<_>>();
    assert_eq!(erased(nodes(&there, "").await), erased(nodes(&admin, "").await));
    assert_eq!(nodes(&there, ", search: \"zephyrine\"").await, Vec::<Value>::new());
    assert_eq!(there.actions("filter: { actions: [\"audit_log.person_erased\"] }").await.len(), 2);
    // A list of another database is refused, and nothing is done.
    let other = TestApp::start(app.database).await;
    story(&other).await;
    let (code, _, errors) = run(&other, &["--replay", file]).await;
    assert!(code == Some(1) && errors.contains("is of another database"), "{errors}");
    assert_eq!(nodes(&other.admin("workspace", "acme"), ", search: \"zephyrine\"").await.len(), 4);
    std::fs::write(app.folder().join("bad"), "{\"v\":1}\n").expect("written");
    let bad = app.folder().join("bad");
    let (code, _, errors) = run(&other, &["--replay", bad.to_str().expect("a path")]).await;
    assert!(code == Some(1) && errors.contains("line 1"), "{errors}");
    other.finish().await;
    restored.finish().await;
}

async fn the_command_previews_erases_and_lists(app: &TestApp) {
    story(app).await;
    let admin = app.admin("workspace", "acme");
    let named = [
        "--product",
        "workspace",
        "--organization",
        "acme",
        "--actor-id",
        "usr_zq7x",
        "--resource-type",
        "user",
        "--resource-id",
        "usr_zq7x",
    ];
    let with = |more: &[&'static str]| [&named[..], more].concat();
    let (code, said, errors) = run(app, &with(&["--preview"])).await;
    let expected = "4 events would be erased, of 6 looked at and 6 in all\n3 of them in organisation:acme\n1 of them in project:p1";
    assert_eq!((code, said.as_str()), (Some(0), expected), "{errors}");
    let hold = place(&admin, json!({ "actions": ["user.invited"] })).await;
    let (code, said, errors) = run(app, &named).await;
    assert!(code == Some(1) && said.is_empty() && errors.contains(&hold), "{errors}");
    admin.data(LIFT, json!({ "input": { "id": hold } })).await;
    let (code, said, errors) = run(app, &named).await;
    assert!(code == Some(0) && said.starts_with("4 events were erased (era_"), "{said} {errors}");
    assert_eq!(nodes(&admin, ", search: \"zephyrine\"").await, Vec::<Value>::new());
    assert_eq!(run(app, &["--list"]).await.1.lines().count(), 5);
    for wrong in [&["--product", "workspace"][..], &["--list", "--preview"], &with(&["--actor-kind", "ROBOT"])] {
        assert_ne!(run(app, wrong).await.0, Some(0), "{wrong:?}");
    }
}

async fn an_erased_log_is_copied_as_it_is_and_an_older_copy_is_refused(app: &TestApp) {
    story(app).await;
    let admin = app.admin("workspace", "acme");
    let other = match app.database {
        Database::Sqlite => Database::Postgres,
        Database::Postgres => Database::Sqlite,
    };
    let copy = async |target: &TestApp| {
        let mut command = ledgerline(&app.url, &app.folder());
        command.args(["copy", "--from", &app.url, "--to", &target.url]);
        let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let older = TestApp::start(other).await;
    assert!(copy(&older).await.0);
    erase(&admin, whom()).await;
    let (done, said) = copy(&older).await;
    assert!(!done && said.contains("were erased there"), "{said}");
    older.finish().await;
    let target = TestApp::start(other).await;
    let (done, said) = copy(&target).await;
    assert!(done, "{said}");
    let target = target.again(|_| {}).await;
    let there = target.admin("workspace", "acme");
    assert_eq!(nodes(&there, "").await, nodes(&admin, "").await);
    assert_eq!(there.ask(FIND, json!({ "id": "era_none" })).await.code(), "NOT_FOUND");
    target.finish().await;
}

async fn a_new_index_brings_nobody_back(app: &TestApp) {
    story(app).await;
    let admin = app.admin("workspace", "acme");
    erase(&admin, whom()).await;
    app.app.store.reindex_everything().await.expect("listed");
    app.app.store.reindex(|_, _| {}).await.expect("made anew");
    assert_eq!(nodes(&admin, ", search: \"zephyrine\"").await, Vec::<Value>::new());
    assert_eq!(nodes(&admin, ", search: \"plan\"").await.len(), 2);
}

async fn a_key_of_an_earlier_version_is_still_known(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let mut input = event("user.login");
    input["idempotencyKey"] = json!("old-key");
    admin.record(input.clone()).await;
    // Stored as an earlier version would have: without a secret.
    let plain = ledgerline::event::hash::of(["old-key"]);
    let stored = column::<Vec<u8>>(&app.url, "SELECT key_hash FROM idempotency").await;
    assert_ne!(stored, [plain.to_vec()], "with a secret it is another one");
    assert_eq!(column::<i64>(&app.url, "SELECT count(*) FROM plain_hashes").await, [0]);
    assert_eq!(admin.record(input.clone()).await["status"], "ALREADY_RECORDED");
    let hex: String = plain.iter().map(|byte| format!("{byte:02x}")).collect();
    let (bytes, door) = match app.database {
        Database::Sqlite => (format!("x'{hex}'"), "DROP TRIGGER idempotency_no_update"),
        Database::Postgres => (format!("'\\x{hex}'"), "DROP TRIGGER idempotency_append_only ON idempotency"),
    };
    crate::harness::sql::change(&app.url, door).await;
    crate::harness::sql::change(&app.url, &format!("UPDATE idempotency SET key_hash = {bytes}")).await;
    crate::harness::sql::change(&app.url, "INSERT INTO plain_hashes (no) VALUES (0)").await;
    let beside = app.beside().await;
    let again = beside.admin("workspace", "acme");
    assert_eq!(again.record(input).await["status"], "ALREADY_RECORDED");
    beside.finish().await;
}

async fn the_erasing_door_lets_nothing_else_through(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record(theirs(0)).await;
    let database = sea_orm::Database::connect(&app.url).await.expect("a connection");
    let organization = column::<i64>(&app.url, "SELECT organization_no FROM organization_head").await[0];
    let (open, close) = match app.database {
        Database::Sqlite => (
            format!("INSERT INTO removal_grant (organization_no, low, high, erases) VALUES ({organization}, 0, 0, 1)"),
            "DELETE FROM removal_grant",
        ),
        Database::Postgres => (format!("SET LOCAL ledgerline.erasure = '{organization}:0:0'"), "SELECT 1"),
    };
    // What a transaction sets reaches the nodes of a cluster only where this is set; elsewhere it is nothing.
    let reaching = "SET LOCAL citus.propagate_set_commands = 'local'";
    let emptied = "actor_id = NULL, erased = '[\"actor\"]'";
    for (statement, passes) in [
        (format!("UPDATE event SET {emptied}"), true),
        ("UPDATE event SET actor_id = NULL".to_owned(), false),
        (format!("UPDATE event SET {emptied}, actor_name = 'Somebody Else'"), false),
        (format!("UPDATE event SET {emptied}, action = 'other'"), false),
        (format!("UPDATE event SET {emptied}, recorded_ns = 7"), false),
        (format!("UPDATE event SET {emptied}, outcome = 1"), false),
        (format!("UPDATE event SET {emptied}, metadata = '{{\"a\":1}}'"), false),
        (format!("UPDATE event SET {emptied}, resources = resources || resources"), false),
        ("DELETE FROM event".to_owned(), false),
        ("DELETE FROM event_order".to_owned(), false),
        ("UPDATE event_order SET position = 7".to_owned(), false),
        ("UPDATE idempotency SET sequence = 7".to_owned(), false),
        ("DELETE FROM idempotency".to_owned(), true),
    ] {
        use sea_orm::{ConnectionTrait, TransactionTrait};
        let tx = database.begin().await.expect("begun");
        if app.database == Database::Postgres {
            tx.execute_unprepared(reaching).await.expect("set");
        }
        tx.execute_unprepared(&open).await.expect("the door");
        let done = tx.execute_unprepared(&statement).await;
        assert_eq!(done.is_ok(), passes, "{statement}: {done:?}");
        if passes {
            tx.execute_unprepared(close).await.expect("closed");
            let again = tx.execute_unprepared("UPDATE event SET action = 'other'").await;
            assert!(again.is_err(), "for nothing but that");
        }
        tx.rollback().await.expect("taken back");
    }
    database.close().await.expect("closed");
    assert_eq!(nodes(&admin, ", search: \"zephyrine\"").await.len(), 1);
}
