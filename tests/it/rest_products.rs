//! The routes that product files promise: capydb's, cloud-sessions', and those of a sixth and a seventh product.

use std::fs;

use axum::{
    body::Body,
    http::{Method, header},
};
use ledgerline::catalog::{Products, routes::FIELDS};
use serde_json::{Value, json};

use crate::{
    harness::{TestApp, event, on_both_databases},
    rest::{get, link, problem, send, told_of},
};

on_both_databases! {
    capydb_answers_its_route_as_its_document_shows,
    capydbs_whole_trail_is_behind_the_links,
    cloud_sessions_lists_audit_logs_by_pages_with_its_filters,
    a_page_by_its_number_is_that_part_of_the_list,
    a_sixth_products_route_takes_a_file_and_no_code,
    whose_route_an_address_is_the_token_says,
    a_products_route_shows_nobody_elses_events,
    a_member_may_be_whatever_there_is_of_an_event,
    a_number_beyond_every_page_is_an_empty_page,
}

fn into(log: &str, action: &str, actor: Value) -> Value {
    json!({ "action": action, "actor": actor, "log": { "level": "project", "id": log } })
}

async fn capydb_answers_its_route_as_its_document_shows(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let key = admin.token();
    for (n, actor) in [
        json!({ "kind": "USER", "name": "Ada", "email": "ada@example.com" }),
        json!({ "kind": "API_KEY", "id": "ck_1" }),
        json!({ "kind": "STAFF", "email": "ops@capydb.example" }),
        json!({ "kind": "SYSTEM" }),
    ]
    .into_iter()
    .enumerate()
    {
        let mut input = into("p1", "project.import_started", actor);
        input["occurredAt"] = json!(format!("2026-01-02T03:04:0{n}Z"));
        input["metadata"] = json!({ "job_id": format!("job_{n}") });
        admin.record(input).await;
    }
    admin.record(into("p2", "studio.row_updated", json!({ "kind": "USER" }))).await;
    admin.record(event("api_key.created")).await;
    let uri = "/v1/projects/p1/audit-events?limit=3";
    let answer = send(app, Method::GET, None, uri, &[("X-API-Key", &key)], Body::empty()).await;
    let row = |n: u8, actor: &str, kind: &str| {
        json!({ "action": "project.import_started", "actor": actor, "actor_kind": kind,
            "metadata": { "job_id": format!("job_{n}") }, "created_at": format!("2026-01-02T03:04:0{n}Z") })
    };
    let expected = json!({ "audit_events": [
        row(3, "System", "system"), row(2, "ops@capydb.example", "platform_operator"), row(1, "API key ck_1", "api_key")
    ] });
    assert_eq!(answer.json(), expected);
    // Members stand as the file has them, which is how the document shows them.
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert!(text.starts_with(r#"{"audit_events":[{"action":"#), "{text}");
    let places =
        ["action", "actor", "actor_kind", "metadata", "created_at"].map(|name| text.find(&format!("\"{name}\"")));
    assert!(places.is_sorted(), "{text}");
    // A token may come as everywhere, and a tag holds as everywhere.
    let tag = answer.headers[header::ETAG].to_str().unwrap().to_owned();
    assert_eq!(send(app, Method::GET, Some(&key), uri, &[("if-none-match", &tag)], Body::empty()).await.status, 304);
    let nobody = send(app, Method::GET, None, uri, &[], Body::empty()).await;
    assert_eq!(told_of(&nobody), (401, "UNAUTHENTICATED".to_owned(), String::new()));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("action=x", "action"),
        ("page=1", "page"),
    ] {
        let answer = get(app, &key, &format!("/v1/projects/p1/audit-events?{query}")).await;
        assert_eq!(told_of(&answer), (400, "BAD_USER_INPUT".to_owned(), field.to_owned()));
    }
    // A project's deletion leaves its events with the organization, and its own list as it was.
    let delete = "mutation($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) { log { level } } }";
    admin.data(delete, json!({ "input": { "log": { "level": "project", "id": "p1" } } })).await;
    assert_eq!(get(app, &key, uri).await.json(), expected);
}

async fn capydbs_whole_trail_is_behind_the_links(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let actor = json!({ "kind": "USER" });
    let events: Vec<_> = (0..57)
        .map(|n| {
            let mut input = into("a project/ä", "studio.row_updated", actor.clone());
            input["metadata"] = json!({ "n": n });
            input
        })
        .collect();
    admin.record_all(events).await;
    let mut uri = "/v1/projects/a%20project%2F%C3%A4/audit-events?limit=10".to_owned();
    let mut seen = Vec::new();
    loop {
        let answer = get(app, &admin.token(), &uri).await;
        let rows = answer.json()["audit_events"].as_array().expect("events").clone();
        seen.extend(rows.iter().map(|row| row["metadata"]["n"].as_i64().unwrap()));
        let Some(next) = link(&answer, "next", &uri) else { break };
        uri = next;
    }
    assert_eq!(seen, (0..57).rev().collect::<Vec<_>>());
    let back = get(app, &admin.token(), &uri).await;
    let prev = link(&back, "prev", &uri).unwrap();
    assert_eq!(get(app, &admin.token(), &prev).await.json()["audit_events"].as_array().unwrap().len(), 10);
}

async fn cloud_sessions_lists_audit_logs_by_pages_with_its_filters(app: &TestApp) {
    let admin = app.admin("cloud-sessions", "acme");
    let token = admin.token();
    for n in 0..25 {
        let action = if n % 2 == 0 { "USER_LOGIN" } else { "SESSION_STARTED" };
        admin
            .record(json!({
                "action": action, "actor": { "kind": "USER", "email": format!("user{}@example.com", n % 3), "name": "U" },
                "ipAddress": "10.0.0.1", "occurredAt": format!("2026-01-{:02}T00:00:00Z", n + 1), "metadata": { "n": n }
            }))
            .await;
    }
    let list = async |query: &str| get(app, &token, &format!("/v1/audit-logs{query}")).await;
    let shown = |json: &Value| -> Vec<i64> {
        json["auditLogs"].as_array().expect("rows").iter().map(|row| row["details"]["n"].as_i64().unwrap()).collect()
    };
    let first = list("?pageSize=10").await;
    let json = first.json();
    assert_eq!(shown(&json), (15..25).rev().collect::<Vec<_>>());
    assert_eq!(
        (&json["page"], &json["pageSize"], &json["total"], &json["totalPages"]),
        (&json!(1), &json!(10), &json!(25), &json!(3))
    );
    let row = &json["auditLogs"][0];
    assert_eq!(
        (&row["eventType"], &row["userEmail"], &row["ipAddress"]),
        (&json!("USER_LOGIN"), &json!("user0@example.com"), &json!("10.0.0.1"))
    );
    assert_eq!(row["createdAt"], "2026-01-25T00:00:00Z");
    let (mut uri, mut seen) = ("/v1/audit-logs?pageSize=10".to_owned(), Vec::new());
    loop {
        let answer = get(app, &token, &uri).await;
        seen.extend(shown(&answer.json()));
        let Some(next) = link(&answer, "next", &uri) else { break };
        uri = next;
    }
    assert_eq!((seen, link(&get(app, &token, &uri).await, "next", &uri)), ((0..25).rev().collect(), None));
    let filtered =
        list("?eventType=USER_LOGIN&userEmail=USER1&from=2026-01-03T00:00:00Z&to=2026-01-20T00:00:00Z").await.json();
    assert_eq!((shown(&filtered), &filtered["total"]), (vec![16, 10, 4], &json!(3)));
    assert_eq!(shown(&list("?eventType=USER_LOGIN&eventType=SESSION_STARTED&pageSize=1000").await.json()).len(), 25);
    let beyond = list("?page=9").await.json();
    assert_eq!((shown(&beyond).len(), &beyond["total"], &beyond["page"]), (0, &json!(25), &json!(9)));
    for (query, field) in [
        ("?page=0", "page"),
        ("?pageSize=0", "pageSize"),
        ("?limit=1", "limit"),
        ("?from=x", "from"),
        ("?actions=x", "actions"),
    ] {
        assert_eq!(told_of(&list(query).await), (400, "BAD_USER_INPUT".to_owned(), field.to_owned()), "{query}");
    }
    // The two conditions have their two answers here, too.
    for (token, code) in [
        (app.admin("cloud-sessions", "acme").role("member").token(), "FORBIDDEN"),
        (app.admin("cloud-sessions", "acme").plan("free").token(), "PLAN_REQUIRED"),
    ] {
        assert_eq!(told_of(&get(app, &token, "/v1/audit-logs").await), (403, code.to_owned(), String::new()));
    }
}

async fn a_page_by_its_number_is_that_part_of_the_list(app: &TestApp) {
    let admin = app.admin("cloud-sessions", "acme");
    let token = admin.token();
    for round in 0..3 {
        let events = (0..900).map(
            |n| json!({ "action": "USER_LOGIN", "actor": { "kind": "SYSTEM" }, "metadata": { "n": round * 900 + n } }),
        );
        admin.record_all(events.collect()).await;
    }
    // From either end: the first, the last, both sides of the middle, and one that is not full.
    for (size, pages) in
        [(7_i64, [1_i64, 2, 193, 194, 385, 386]), (1_000, [1, 2, 3, 4, 5, 99]), (450, [1, 3, 4, 5, 6, 7])]
    {
        for page in pages {
            let json = get(app, &token, &format!("/v1/audit-logs?page={page}&pageSize={size}")).await.json();
            let rows = json["auditLogs"].as_array().expect("rows").iter();
            let got: Vec<i64> = rows.map(|row| row["details"]["n"].as_i64().unwrap()).collect();
            let expected: Vec<i64> = (0..2_700).rev().skip(((page - 1) * size) as usize).take(size as usize).collect();
            assert_eq!(got, expected, "page {page} of {size}");
            assert_eq!((&json["total"], &json["totalPages"]), (&json!(2_700), &json!((2_700 + size - 1) / size)));
        }
    }
}

/// A product with a route.
fn product(name: &str, route: &str) -> String {
    format!(
        r#"name = "{name}"
label = "{name}"
retention = "forever"
[[issuers]]
issuer = "https://auth.{name}.example"
audience = "ledgerline"
[[issuers.keys]]
secret_env = "LEDGERLINE_KEY_OF_A_TEST"
[access]
[[levels]]
name = "tenant"
label = "Tenant"
include_nested = true
[[levels]]
name = "space"
label = "Space"
parent = "tenant"
on_delete = "KEEP"
[catalog]
open = true
[viewer]
paging = "MORE"
date_filter = "NONE"
action_display = "NAME"
[[viewer.columns]]
kind = "TIME"
label = "Time"
{route}"#
    )
}

const SIXTH: &str = r#"
[[routes]]
path = "/v1/orgs/{organization}/spaces/{space}/activity"
key_header = "X-Sixth-Key"
paging = "CURSOR"
[routes.parameters]
limit = "count"
after = "cursor"
search = "q"
actor_kinds = "who"
[routes.envelope]
items = "activity"
next = "next_cursor"
previous = "previous_cursor"
has_next = "more"
limit = "count"
[routes.fields]
when = "recorded_at"
what = "action"
who = "actor.kind"
first = "resources.0.external_id"
where = "log.external_id"
ticket = "metadata.ticket.id"
dotted = "metadata.a.b"
nothing = "metadata.none"
[routes.actor_kinds]
USER = "human"
[[routes]]
path = "/v1/activity"
paging = "PAGES"
[routes.envelope]
items = "rows"
[routes.fields]
id = "id"
"#;

fn with(files: &[(&str, String)]) -> (Products, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(format!("{name}.toml")), text).expect("written");
    }
    (Products::load(folder.path()).unwrap_or_else(|faults| panic!("{faults}")), folder)
}

async fn a_sixth_products_route_takes_a_file_and_no_code(app: &TestApp) {
    let (products, _folder) = with(&[("sixth", product("sixth", SIXTH))]);
    let service = TestApp::with(app.database, products, |_| {}).await;
    let admin = service.admin("sixth", "acme");
    let log = json!({ "level": "space", "id": "s1" });
    for n in 0..5 {
        admin
            .record(json!({
                "action": format!("a.{n}"), "actor": { "kind": if n == 0 { "SYSTEM" } else { "USER" } }, "log": log,
                "resources": [{ "id": format!("r{n}") }], "metadata": { "ticket": { "id": n }, "a.b": true }
            }))
            .await;
    }
    admin.record(event("elsewhere")).await;
    let uri = "/v1/orgs/acme/spaces/s1/activity?count=2";
    let token = admin.token();
    let answer = send(&service, Method::GET, None, uri, &[("x-sixth-key", &token)], Body::empty()).await;
    let json = answer.json();
    let rows = json["activity"].as_array().expect("rows");
    assert_eq!(
        (rows.len(), &json["more"], &json["count"], &json["previous_cursor"]),
        (2, &json!(true), &json!(2), &json!(null))
    );
    let mut row = rows[0].clone();
    row["when"] = json!(null);
    assert_eq!(
        row,
        json!({ "when": null, "what": "a.4", "who": "human", "first": "r4", "where": "s1", "ticket": 4, "dotted": true, "nothing": null })
    );
    let next = json["next_cursor"].as_str().unwrap();
    assert_eq!(link(&answer, "next", uri).unwrap(), format!("{uri}&cursor={next}"));
    let second = get(&service, &token, &format!("{uri}&cursor={next}")).await.json();
    assert_eq!((&second["activity"][0]["what"], second["previous_cursor"].is_string()), (&json!("a.2"), true));
    let people = get(&service, &token, "/v1/orgs/acme/spaces/s1/activity?who=human&q=a").await.json();
    assert_eq!((people["activity"].as_array().unwrap().len(), &people["next_cursor"]), (4, &json!(null)));
    let wrong = get(&service, &token, "/v1/orgs/acme/spaces/s1/activity?who=robot").await;
    assert_eq!(told_of(&wrong).2, "who");
    assert_eq!(told_of(&get(&service, &token, &format!("{uri}&cursor=x")).await).2, "cursor");
    assert_eq!(get(&service, &token, "/v1/activity").await.json()["rows"].as_array().unwrap().len(), 6);
    // Other paths of that form are nothing.
    for path in ["/v1/orgs/acme/spaces/s1", "/v1/orgs/acme/spaces//activity", "/v1/orgs/acme/space/s1/activity"] {
        assert_eq!(told_of(&get(&service, &token, path).await), (404, "NOT_FOUND".to_owned(), String::new()), "{path}");
    }
    service.finish().await;
}

async fn whose_route_an_address_is_the_token_says(app: &TestApp) {
    let route = |items: &str| {
        format!(
            "[[routes]]\npath = \"/v1/spaces/{{space}}/log\"\npaging = \"CURSOR\"\n[routes.envelope]\nitems = \"{items}\"\n[routes.fields]\nwhat = \"action\"\n"
        )
    };
    let files = [
        ("sixth", product("sixth", &route("sixth"))),
        ("seventh", product("seventh", &route("seventh"))),
        ("eighth", product("eighth", "")),
    ];
    let (products, _folder) = with(&files);
    let service = TestApp::with(app.database, products, |_| {}).await;
    for (name, action) in [("sixth", "six"), ("seventh", "seven")] {
        let mut input = event(action);
        input["log"] = json!({ "level": "space", "id": "s" });
        service.admin(name, "acme").record(input).await;
    }
    let ask = async |name: &str| get(&service, &service.admin(name, "acme").token(), "/v1/spaces/s/log").await;
    assert_eq!(ask("sixth").await.json(), json!({ "sixth": [{ "what": "six" }] }));
    assert_eq!(ask("seventh").await.json(), json!({ "seventh": [{ "what": "seven" }] }));
    // A product that has no such route has no such address.
    assert_eq!(told_of(&ask("eighth").await), (404, "NOT_FOUND".to_owned(), String::new()));
    service.finish().await;
}

async fn a_products_route_shows_nobody_elses_events(app: &TestApp) {
    let (products, _folder) = with(&[("sixth", product("sixth", SIXTH))]);
    let service = TestApp::with(app.database, products, |_| {}).await;
    let mut input = event("a.b");
    input["log"] = json!({ "level": "space", "id": "s1" });
    service.admin("sixth", "acme").record(input).await;
    let uri = "/v1/orgs/acme/spaces/s1/activity";
    let globex = service.admin("sixth", "globex");
    assert_eq!(told_of(&get(&service, &globex.token(), uri).await).1, "NOT_FOUND");
    // A log that another organization has is one that this one has not.
    let there = get(&service, &globex.token(), "/v1/orgs/globex/spaces/s1/activity").await;
    let missing = get(&service, &globex.token(), "/v1/orgs/globex/spaces/none/activity").await;
    assert_eq!((there.status, there.json()), (missing.status, missing.json()));
    assert_eq!(there.json()["activity"], json!([]));
    let narrowed = service.admin("sixth", "acme").logs(&["space:s2"]).token();
    let refused = get(&service, &narrowed, uri).await;
    assert!(["FORBIDDEN", "NOT_FOUND"].contains(&told_of(&refused).1.as_str()), "{}", problem(&refused));
    let staff = service.caller("sixth").scopes("audit:read audit:staff").token();
    assert_eq!(get(&service, &staff, uri).await.json()["activity"].as_array().unwrap().len(), 1);
    let recorder = service.admin("sixth", "acme").scopes("audit:record").token();
    assert_eq!(told_of(&get(&service, &recorder, uri).await), (403, "FORBIDDEN".to_owned(), String::new()));
    service.finish().await;
}

async fn a_member_may_be_whatever_there_is_of_an_event(app: &TestApp) {
    let members: String = FIELDS.iter().map(|path| format!("{:?} = {path:?}\n", path.replace('.', "_"))).collect();
    let route = format!(
        "[[routes]]\npath = \"/v1/all\"\npaging = \"CURSOR\"\n[routes.envelope]\nitems = \"all\"\n[routes.fields]\n{members}"
    );
    let (products, _folder) = with(&[("sixth", product("sixth", &route))]);
    let service = TestApp::with(app.database, products, |_| {}).await;
    let actor = json!({ "kind": "USER", "id": "u", "name": "U", "email": "u@example.com" });
    let admin = service.admin("sixth", "acme");
    admin
        .record(json!({
            "action": "a.b", "category": "c", "actor": actor, "onBehalfOf": actor, "outcome": "SUCCESS",
            "resources": [{ "type": "t", "id": "r", "name": "R" }], "log": { "level": "space", "id": "s", "name": "S" },
            "ipAddress": "::1", "userAgent": "curl", "correlationId": "c", "source": "s", "sourceEventId": "e",
            "metadata": { "a": 1 }
        }))
        .await;
    let all = get(&service, &admin.token(), "/v1/all").await.json()["all"][0].clone();
    let all = all.as_object().expect("an event");
    assert_eq!(all.len(), FIELDS.len());
    let nothing: Vec<_> = all.iter().filter(|(_, value)| value.is_null()).collect();
    assert!(nothing.is_empty(), "{nothing:?}");
    service.finish().await;
}

async fn a_number_beyond_every_page_is_an_empty_page(app: &TestApp) {
    let admin = app.admin("cloud-sessions", "acme");
    let token = admin.token();
    let nothing = get(app, &token, "/v1/audit-logs?page=3").await.json();
    assert_eq!((&nothing["page"], &nothing["total"], &nothing["totalPages"]), (&json!(3), &json!(0), &json!(1)));
    admin.record_all(vec![json!({ "action": "USER_LOGIN", "actor": { "kind": "SYSTEM" } }); 3]).await;
    for page in ["4", "1000000", "9223372036854775807"] {
        let answer = get(app, &token, &format!("/v1/audit-logs?page={page}&pageSize=1000")).await;
        assert_eq!((answer.status.as_u16(), answer.json()["auditLogs"].clone()), (200, json!([])), "{page}");
    }
    let answer = get(app, &token, "/v1/audit-logs?page=9223372036854775808").await;
    assert_eq!(told_of(&answer), (400, "BAD_USER_INPUT".to_owned(), "page".to_owned()));
}
