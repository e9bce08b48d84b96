//! A text typed into a query box: the same list as its filter, wherever a list is asked for.

use axum::{body::Body, http::Request};
use chrono::{TimeDelta, Utc};
use ledgerline::{clock::Clock, event::Timestamp};
use serde_json::{Value, json};

use crate::{
    harness::{Caller, TestApp, as_of_a_cluster, event, on_both_databases},
    process::ledgerline,
};

const LIST: &str =
    "query($query: String, $zone: String, $filter: AuditEventFilter, $search: String, $first: Int, $after: String) {
    auditEvents(query: $query, queryTimeZone: $zone, filter: $filter, search: $search, first: $first, after: $after) {
        totalCount nodes { sourceEventId } pageInfo { hasNextPage endCursor } } }";

on_both_databases! {
    a_query_finds_what_its_fields_mean,
    a_query_is_the_same_by_rest_export_and_command,
    faults_point_into_the_text,
    a_field_is_asked_for_in_one_place,
    days_are_those_of_the_zone,
    whoever_pages_through_a_time_that_moves_sees_the_list_that_they_began,
    what_is_kept_does_not_move,
    completions_come_from_the_catalog_and_the_log,
    completions_tell_nothing_of_others,
}

as_of_a_cluster! {
    completions_come_from_the_catalog_and_the_log,
}

/// Records six events, whose names stand in `sourceEventId`.
async fn recorded(app: &TestApp) {
    let ada = json!({ "kind": "USER", "id": "u_1", "name": "Ada Lovelace", "email": "ada@example.com" });
    let bob = json!({ "kind": "USER", "id": "ada", "name": "Bob, the builder" });
    let robot = json!({ "kind": "API_KEY", "id": "k_1", "name": "Robot" });
    let of = |name: &str, action: &str, actor: &Value, more: Value| {
        let mut event = event(action);
        event["sourceEventId"] = json!(name);
        event["actor"] = actor.clone();
        for (key, value) in more.as_object().expect("an object") {
            event[key] = value.clone();
        }
        event
    };
    let role = json!([{ "type": "role", "id": "r_1", "name": "Editor" }]);
    let key = json!([{ "type": "key", "id": "role", "name": "Deploy key" }]);
    let events = vec![
        of("login", "user.login", &ada, json!({ "outcome": "SUCCESS", "ipAddress": "10.0.0.1" })),
        of("failed", "user.login", &bob, json!({ "outcome": "FAILURE", "ipAddress": "10.0.0.2", "source": "web" })),
        of("granted", "role.granted", &ada, json!({ "resources": role, "correlationId": "c 1" })),
        of("starred", "role.*", &bob, json!({ "resources": key, "outcome": "ACCEPTED" })),
        of("robot", "key.used", &robot, json!({ "metadata": { "note": "two words here" }, "source": "cli" })),
        of("quiet", "key.used", &json!({ "kind": "SYSTEM" }), json!({ "metadata": { "note": "words two" } })),
    ];
    let done = app.admin("workspace", "acme").record_all(events).await;
    assert!(done["results"].as_array().expect("results").iter().all(|one| one["status"] == "RECORDED"), "{done:#}");
}

async fn names(app: &TestApp, variables: Value) -> Vec<String> {
    let list = app.admin("workspace", "acme").data(LIST, variables).await["auditEvents"].clone();
    let nodes = list["nodes"].as_array().expect("nodes");
    let mut names: Vec<_> =
        nodes.iter().map(|node| node["sourceEventId"].as_str().expect("a name").to_owned()).collect();
    assert_eq!(list["totalCount"], names.len());
    names.sort_unstable();
    names
}

async fn a_query_finds_what_its_fields_mean(app: &TestApp) {
    recorded(app).await;
    let all = ["failed", "granted", "login", "quiet", "robot", "starred"];
    let without = |names: &[&str]| all.into_iter().filter(|name| !names.contains(name)).collect::<Vec<_>>();
    for (query, expected) in [
        ("", all.to_vec()),
        ("   ", all.to_vec()),
        ("actor:ADA", vec!["granted", "login"]),
        ("actor:ada", vec!["failed", "granted", "login", "starred"]),
        ("actor:u_1", vec!["granted", "login"]),
        ("actor:@example.com", vec!["granted", "login"]),
        ("actor:\"Bob, the\"", vec!["failed", "starred"]),
        ("actor:lovelace,robot", vec!["granted", "login", "robot"]),
        ("actor:lovelace actor:robot", vec!["granted", "login", "robot"]),
        ("-actor:ada", vec!["quiet", "robot"]),
        ("-actor:lovelace -actor:robot", vec!["failed", "quiet", "starred"]),
        ("kind:user -actor:ada", vec![]),
        ("kind:api_key,System", vec!["quiet", "robot"]),
        ("-kind:user", vec!["quiet", "robot"]),
        ("action:role.*", vec!["granted", "starred"]),
        ("action:\"role.*\"", vec!["starred"]),
        ("-action:role.*", without(&["granted", "starred"])),
        ("ACTION:user.login outcome:failure", vec!["failed"]),
        ("-outcome:success", without(&["login"])),
        ("-outcome:success,accepted", without(&["login", "starred"])),
        ("resource:role", vec!["granted", "starred"]),
        ("resource:Editor", vec!["granted"]),
        ("resource:editor", vec![]),
        ("-resource:role", without(&["granted", "starred"])),
        ("ip:10.0.0.1", vec!["login"]),
        ("-ip:10.0.0.1,10.0.0.2", without(&["failed", "login"])),
        ("source:web,cli", vec!["failed", "robot"]),
        ("-source:web", without(&["failed"])),
        ("correlation:\"c 1\"", vec!["granted"]),
        ("has:actor", without(&["quiet"])),
        ("-has:actor", vec!["quiet"]),
        ("has:masked", vec![]),
        ("-has:truncated", all.to_vec()),
        ("words", vec!["quiet", "robot"]),
        ("\"two words\"", vec!["robot"]),
        ("words -\"two words\"", vec!["quiet"]),
        ("-words", without(&["quiet", "robot"])),
        ("-word*", without(&["quiet", "robot"])),
        ("kind:user -lovelace", vec!["failed", "starred"]),
        ("after:1h", all.to_vec()),
        ("before:1h", vec![]),
        ("after:2026-01-01 before:2200-01-01", all.to_vec()),
        ("after:0001-01-01 before:9999-12-31", all.to_vec()),
        ("before:1999-01-01T12:30", vec![]),
    ] {
        assert_eq!(names(app, json!({ "query": query })).await, expected, "{query}");
    }
    // What a query leaves open, filter and search beside it may ask.
    let beside = json!({ "query": "kind:user", "filter": { "outcomes": ["FAILURE"] }, "search": "bob" });
    assert_eq!(names(app, beside).await, ["failed"]);
    let open = json!({ "query": "\"two words", "search": "\"words here" });
    assert_eq!(names(app, open).await, ["robot"], "a quote that is never closed ends with its text");
    assert!(names(app, json!({ "query": "actor:lovelace words" })).await.is_empty());
    let foreign = app.admin("workspace", "globex").data(LIST, json!({ "query": "actor:ada" })).await;
    assert_eq!(foreign["auditEvents"]["totalCount"], 0);
}

async fn a_query_is_the_same_by_rest_export_and_command(app: &TestApp) {
    recorded(app).await;
    let token = format!("Bearer {}", app.admin("workspace", "acme").token());
    let ask = async |path: &str| {
        let request = Request::get(path).header("authorization", &token).body(Body::empty()).expect("a request");
        app.send(request).await
    };
    let answer = ask("/v1/audit-events?q=-outcome:success+actor:ada&include=total").await.json();
    assert_eq!(answer["page"]["total"], 3, "{answer:#}");
    let wrong = ask("/v1/audit-events?q=ada+outcome:good").await;
    assert_eq!(wrong.status, 400);
    let wrong = wrong.json();
    assert_eq!((&wrong["field"], &wrong["from"], &wrong["to"]), (&json!("q"), &json!(12), &json!(16)), "{wrong:#}");
    assert_eq!(wrong["suggestions"], json!(["success", "failure", "accepted"]));
    let wrong = ask("/v1/audit-events?q=on:today&q_time_zone=Mars/Olympus").await.json();
    assert_eq!(wrong["field"], "q_time_zone", "{wrong:#}");
    let file = ask("/v1/audit-events/export?format=NDJSON&q=-outcome:success+actor:ada").await;
    assert_eq!(String::from_utf8_lossy(&file.body).lines().count(), 3);
    let run = async |arguments: &[&str]| {
        let mut command = ledgerline(&app.url, &app.folder());
        command.args(["query", "--product", "workspace", "--organization", "acme"]).args(arguments);
        tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends")
    };
    let done = run(&["--format", "ndjson", "--", "-outcome:success", "actor:ada"]).await;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && said.contains("3 of 3 events"), "{said}");
    let lines = String::from_utf8_lossy(&done.stdout).into_owned();
    let first: Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["source_event_id"], "starred");
    let done = run(&["--first", "1", "kind:user"]).await;
    let line = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(line.contains("Bob, the builder  role.*  ACCEPTED  key Deploy key  evt_"), "{line}");
    let done = run(&["words outcome:good"]).await;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success(), "{said}");
    assert!(said.contains("words outcome:good\n              ^^^^\nmust be one of success, failure"), "{said}");
}

async fn faults_point_into_the_text(app: &TestApp) {
    let long = "x".repeat(1_001);
    for (query, from, to, rule) in [
        ("ada outcome:good", 12, 16, "must be one of success, failure, accepted, got \"good\""),
        ("été kind:robot", 9, 14, "must be one of user"),
        ("actor:", 0, 6, "needs a value right after the colon"),
        ("ada actor: bob", 4, 10, "needs a value right after the colon"),
        ("ip:10.0.0.*", 3, 11, "must be a whole address"),
        ("after:yesteryear", 6, 16, "must be a day"),
        ("after:today after:yesterday", 12, 27, "must stand once"),
        ("after:today,yesterday", 0, 21, "must stand once"),
        ("-after:today", 0, 12, "cannot be left out"),
        ("on:15m", 0, 6, "on: must be a day"),
        ("on:today after:7d", 0, 8, "must not stand together"),
        ("after:2026-02-01 before:2026-01-01", 17, 34, "must not be earlier"),
        ("after:2026-02-30", 6, 16, "must be a day"),
        ("has:wings", 4, 9, "must be one of actor, masked, truncated"),
        ("has:actor -has:actor", 15, 20, "is asked for and left out"),
        ("ada OR bob", 4, 6, "OR is no operator"),
        (&long, 1_000, 1_001, "must be at most 1000 characters"),
    ] {
        let answer = app.admin("workspace", "acme").ask(LIST, json!({ "query": query })).await;
        assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", "query"), "{query}");
        let told = &answer.errors()[0]["extensions"];
        assert_eq!((&told["from"], &told["to"]), (&json!(from), &json!(to)), "{query}: {told}");
        assert!(told["rule"].as_str().expect("a rule").contains(rule), "{query}: {told}");
    }
    for query in ["\"OR\"", "-OR", "https://example.com:443/x?y=(z)", "\"", "-", "--x", "or", "on-call:x"] {
        let answer = app.admin("workspace", "acme").ask(LIST, json!({ "query": format!("{query} x") })).await;
        assert!(answer.json().get("errors").is_none(), "{query}: {}", answer.json());
    }
}

async fn a_field_is_asked_for_in_one_place(app: &TestApp) {
    recorded(app).await;
    for (query, filter) in [
        ("action:user.login", json!({ "actions": ["role.*"] })),
        ("-action:user.login", json!({ "not": { "actions": ["role.*"] } })),
        ("actor:ada", json!({ "actor": { "anyContains": ["bob"] } })),
        ("outcome:success", json!({ "outcomes": ["FAILURE"] })),
        ("resource:x", json!({ "resource": { "anyIs": ["y"] } })),
        ("-word", json!({ "not": { "words": ["other"] } })),
        ("on:today", json!({ "occurredAt": { "from": "2026-01-01T00:00:00Z" } })),
        ("after:1h", json!({ "period": { "preset": "TODAY", "timeZone": "UTC" } })),
    ] {
        let answer = app.admin("workspace", "acme").ask(LIST, json!({ "query": query, "filter": filter })).await;
        assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", "query"), "{query}");
    }
    // Fields that are not the same have to hold together.
    let both =
        json!({ "query": "actor:ada", "filter": { "actor": { "ids": ["ada"] }, "resource": { "types": ["key"] } } });
    assert_eq!(names(app, both).await, ["starred"]);
    let both = json!({ "query": "resource:r_1", "filter": { "resource": { "names": ["Editor"], "types": ["role"] } } });
    assert_eq!(names(app, both).await, ["granted"]);
}

async fn days_are_those_of_the_zone(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    // The day on which clocks go forward in Berlin, at two o'clock.
    for at in [
        "2026-03-28T22:59:59Z",
        "2026-03-28T23:00:00Z",
        "2026-03-29T01:15:00Z",
        "2026-03-29T21:59:59Z",
        "2026-03-29T22:00:00Z",
    ] {
        let mut event = event("user.login");
        event["sourceEventId"] = json!(at);
        event["occurredAt"] = json!(at);
        admin.record(event).await;
    }
    let berlin = |query: &str| json!({ "query": query, "zone": "Europe/Berlin" });
    let day = ["2026-03-28T23:00:00Z", "2026-03-29T01:15:00Z", "2026-03-29T21:59:59Z"];
    assert_eq!(names(app, berlin("on:2026-03-29")).await, day);
    assert_eq!(names(app, berlin("after:2026-03-29 before:2026-03-30")).await, day);
    assert_eq!(names(app, berlin("after:2026-03-29T03:15 before:2026-03-29T03:16")).await, day[1..2]);
    assert_eq!(names(app, berlin("after:2026-03-29T02:15 before:2026-03-29T03:16")).await, day[1..2], "never was");
    assert_eq!(names(app, berlin("after:\"2026-03-29 03:15\" before:2026-03-29T03:15:01+02:00")).await, day[1..2]);
    let utc = ["2026-03-29T01:15:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"];
    assert_eq!(names(app, json!({ "query": "on:2026-03-29" })).await, utc);
    let answer = admin.ask(LIST, json!({ "query": "on:2026-03-29", "zone": "Mars/Olympus" })).await;
    assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", "queryTimeZone"));
}

async fn whoever_pages_through_a_time_that_moves_sees_the_list_that_they_began(app: &TestApp) {
    let now = Utc::now();
    let at = |before: TimeDelta| Timestamp::from_utc(now - before).expect("an instant").to_string();
    let app = TestApp::start(app.database).await;
    let admin = app.admin("workspace", "acme");
    for minutes in [1, 5, 9, 14] {
        let mut event = event("user.login");
        event["occurredAt"] = json!(at(TimeDelta::minutes(minutes)));
        event["sourceEventId"] = json!(minutes.to_string());
        admin.record(event).await;
    }
    let later = now + TimeDelta::minutes(8);
    let later = app.beside_with_clock(Clock::fixed(Timestamp::from_utc(later).expect("an instant"))).await;
    let mut variables = json!({ "query": "after:15m", "first": 1 });
    let mut seen = Vec::new();
    // The first page now, all others eight minutes later.
    let mut asked = &app;
    loop {
        let list = asked.admin("workspace", "acme").data(LIST, variables.clone()).await["auditEvents"].clone();
        assert_eq!(list["totalCount"], 4, "{list:#}");
        seen.extend(list["nodes"].as_array().expect("nodes").iter().map(|node| node["sourceEventId"].clone()));
        if list["pageInfo"]["hasNextPage"] == false {
            break;
        }
        variables["after"] = list["pageInfo"]["endCursor"].clone();
        asked = &later;
    }
    assert_eq!(seen, ["1", "5", "9", "14"]);
    // Who begins later begins another list.
    let moved = later.admin("workspace", "acme").data(LIST, json!({ "query": "after:15m" })).await;
    assert_eq!(moved["auditEvents"]["totalCount"], 2);
    later.finish().await;
    app.finish().await;
}

async fn what_is_kept_does_not_move(app: &TestApp) {
    recorded(app).await;
    let admin = app.admin("workspace", "acme").scopes("audit:read audit:manage audit:export");
    let endpoint = "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { endpoint { id } } }";
    let of = |query: &str| {
        json!({ "input": { "label": "SIEM", "question": { "query": query },
        "target": { "webhook": { "url": "https://hooks.example.com/x" } } } })
    };
    let answer = admin.ask(endpoint, of("actor:ada after:7d")).await;
    assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", "query"), "{:?}", answer.errors());
    assert_eq!(answer.errors()[0]["extensions"]["from"], 10);
    let wrong = admin.ask(endpoint, of("outcome:good")).await;
    assert_eq!((wrong.code().as_str(), wrong.field().as_str()), ("BAD_USER_INPUT", "query"), "{:?}", wrong.errors());
    let made = admin.ask(endpoint, of("actor:ada after:2026-01-01 -\"two words\"")).await;
    assert!(made.json().get("errors").is_none(), "{}", made.json());
}

const COMPLETIONS: &str =
    "query($text: String!, $at: Int) { queryCompletions(text: $text, at: $at) { text label from to } }";

async fn completions(app: &TestApp, text: &str, at: Option<i64>) -> Vec<(String, i64, i64)> {
    let found = app.admin("workspace", "acme").data(COMPLETIONS, json!({ "text": text, "at": at })).await;
    let found = found["queryCompletions"].as_array().expect("a list");
    let of = |one: &Value| {
        let number = |name: &str| one[name].as_i64().expect("a number");
        (one["text"].as_str().expect("a text").to_owned(), number("from"), number("to"))
    };
    found.iter().map(of).collect()
}

async fn completions_come_from_the_catalog_and_the_log(app: &TestApp) {
    recorded(app).await;
    let texts = async |text: &str| completions(app, text, None).await.into_iter().map(|one| one.0).collect::<Vec<_>>();
    assert_eq!(texts("outcome:").await, ["success", "failure", "accepted"]);
    assert_eq!(texts("-outcome:fa").await, ["failure"]);
    assert_eq!(texts("out").await, ["outcome:"]);
    assert!(texts("").await.starts_with(&["actor:".to_owned(), "action:".to_owned()]));
    assert_eq!(texts("actor:love").await, ["ada@example.com"]);
    assert_eq!(texts("actor:\"bob, t").await, ["ada"], "what tells them apart best");
    assert!(texts("action:signed").await.contains(&"user.login".to_owned()), "by its label");
    assert!(texts("signed").await.contains(&"action:user.login".to_owned()), "without the field too");
    assert_eq!(texts("action:key.").await, ["key.used"], "what was recorded, in no catalog");
    assert_eq!(texts("action:role.").await, ["\"role.*\"", "role.granted"]);
    assert_eq!(texts("\"actor:").await, Vec::<String>::new(), "in quotes, it is text");
    assert_eq!(texts("after:tod").await, ["today"]);
    // In the middle of a text, what is typed is replaced, and nothing else.
    assert_eq!(completions(app, "ada outcome:suc,fail x", Some(15)).await, [("success".to_owned(), 12, 15)]);
    assert_eq!(completions(app, "ada outcome:suc,fail x", Some(18)).await, [("failure".to_owned(), 16, 20)]);
    for (text, at, field) in [("x", 2, "at"), ("x", -1, "at"), (&*"x".repeat(1_001), 0, "text")] {
        let answer = app.admin("workspace", "acme").ask(COMPLETIONS, json!({ "text": text, "at": at })).await;
        assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", field));
    }
}

async fn completions_tell_nothing_of_others(app: &TestApp) {
    recorded(app).await;
    let ask = async |caller: Caller<'_>, text: &str| {
        let found = caller.data(COMPLETIONS, json!({ "text": text })).await;
        found["queryCompletions"].as_array().expect("a list").len()
    };
    let globex = || app.admin("workspace", "globex");
    assert_eq!((ask(globex(), "actor:a").await, ask(globex(), "action:key.").await), (0, 0));
    // A token that is narrowed to a project learns neither actors nor actions of the rest.
    let mut opened = event("project.opened");
    opened["log"] = json!({ "level": "project", "id": "p" });
    app.admin("workspace", "acme").record(opened).await;
    let narrowed = || app.admin("workspace", "acme").logs(&["project:p"]);
    assert_eq!((ask(narrowed(), "actor:lovelace").await, ask(narrowed(), "action:key.").await), (0, 0));
    let member = app.admin("workspace", "acme").role("member").ask(COMPLETIONS, json!({ "text": "actor:" })).await;
    assert_eq!(member.code(), "FORBIDDEN");
}
