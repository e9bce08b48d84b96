//! In which order callers are refused, and what one tenant learns of another (nothing).

use serde_json::{Value, json};

use crate::harness::{Caller, TestApp, event, on_both_databases};

on_both_databases! {
    refusals_come_in_one_order,
    what_a_refused_field_would_say_the_viewer_says_before,
    an_id_of_somebody_else_is_as_one_that_never_was,
    a_cursor_of_somebody_else_is_as_one_that_never_was,
    counts_facets_actors_and_search_never_meet_another_tenant,
    a_narrowed_token_counts_and_finds_in_its_logs_alone,
    the_token_may_come_as_an_api_key,
    an_organization_without_events_is_an_empty_list_to_its_own_reader,
}

async fn refusals_come_in_one_order(app: &TestApp) {
    // Each caller is refused for several reasons at once; the first of the order is the answer.
    let nobodys = "query { auditEvents(organization: \"globex\") { nodes { id } } }";
    assert_eq!(app.graphql(None, nobodys, json!({})).await.code(), "UNAUTHENTICATED");
    let worst = app.admin("cloud-sessions", "acme").scopes("audit:record").role("member").plan("free");
    assert_eq!(worst.ask(nobodys, json!({})).await.code(), "NOT_FOUND");
    let own = "{ auditEvents { nodes { id } } }";
    let scope = worst.ask(own, json!({})).await.errors();
    assert_eq!(scope[0]["extensions"]["code"], "FORBIDDEN");
    assert!(scope[0]["message"].as_str().expect("a text").contains("scope"), "{scope:?}");
    let role = worst.scopes("audit:read");
    let refused = role.ask(own, json!({})).await.errors();
    assert_eq!(refused[0]["extensions"]["code"], "FORBIDDEN");
    assert!(refused[0]["message"].as_str().expect("a text").contains("role"), "{refused:?}");
    let plan = role.role("admin").ask(own, json!({})).await.errors();
    assert_eq!(plan[0]["extensions"]["code"], "PLAN_REQUIRED");
    assert_eq!(plan[0]["extensions"]["requiredPlans"], json!(["paid"]));
    // A log that is not the token's comes before the plan.
    let narrowed = app.admin("caputchin", "acme").plan("basic").logs(&["troop:t1"]);
    let other =
        narrowed.ask("{ auditEvents(log: {level: \"account\", id: \"acme\"}) { nodes { id } } }", json!({})).await;
    assert_eq!(other.code(), "FORBIDDEN");
    assert_eq!(
        narrowed.ask("{ auditEvents(log: {level: \"troop\", id: \"t1\"}) { nodes { id } } }", json!({})).await.code(),
        "PLAN_REQUIRED"
    );
}

async fn what_a_refused_field_would_say_the_viewer_says_before(app: &TestApp) {
    let ask = "{ viewer { canReadAuditLog { allowed reason requiredPlans hidden message } \
               canRecord { allowed reason } } auditEvents { nodes { id } } }";
    for (caller, reason, hidden) in [
        (app.admin("caputchin", "acme").plan("basic"), "PLAN_REQUIRED", true),
        (app.admin("cloud-sessions", "acme").plan("free"), "PLAN_REQUIRED", false),
        (app.admin("cloud-sessions", "acme").role("member"), "FORBIDDEN", false),
        (app.admin("workspace", "acme").role("member"), "FORBIDDEN", false),
        (app.admin("capydb", "acme").scopes("audit:record"), "FORBIDDEN", false),
    ] {
        let answer = caller.ask(ask, json!({})).await;
        let json = answer.json();
        let access = &json["data"]["viewer"]["canReadAuditLog"];
        assert_eq!(
            (&access["allowed"], &access["reason"], &access["hidden"]),
            (&json!(false), &json!(reason), &json!(hidden)),
            "{json:#}"
        );
        assert!(access["message"].is_string());
        assert_eq!(answer.code(), reason);
        assert_eq!(json["data"]["auditEvents"], Value::Null);
        assert_eq!(json["data"]["viewer"]["canRecord"]["allowed"], true);
    }
    let fine = app.admin("capydb", "acme").data(ask, json!({})).await;
    assert_eq!(
        fine["viewer"]["canReadAuditLog"],
        json!({ "allowed": true, "reason": null, "requiredPlans": [], "hidden": false, "message": null })
    );
}

async fn an_id_of_somebody_else_is_as_one_that_never_was(app: &TestApp) {
    let id = |recorded: Value| recorded["event"]["id"].as_str().expect("an id").to_owned();
    let own = id(app.admin("workspace", "acme").record(event("a.b")).await);
    let globex = id(app.admin("workspace", "globex").record(event("a.b")).await);
    let product = id(app.admin("capydb", "acme").record(event("project.import_started")).await);
    let (start, end) = own.split_at(own.len() - 2);
    let mangled = format!("{start}{}", if end == "00" { "11" } else { "00" });
    let reader = app.admin("workspace", "acme");
    let mut texts = Vec::new();
    for wrong in [globex.as_str(), &product, &mangled, "evt_0", "x", "", "\u{0}", "evt_zzzzzzzzzzzzzzzzzzzzzzzzzz"] {
        for query in ["query($id: ID!) { auditEvent(id: $id) { id } }", "query($id: ID!) { node(id: $id) { id } }"] {
            let answer = reader.ask(query, json!({ "id": wrong })).await;
            assert_eq!(answer.code(), "NOT_FOUND", "{wrong:?}");
            assert!(
                answer.json()["data"]
                    .as_object()
                    .unwrap_or_else(|| panic!("{wrong:?}: {:#}", answer.json()))
                    .values()
                    .all(Value::is_null)
            );
            let mut error = answer.errors()[0].clone();
            error["path"] = Value::Null;
            error["locations"] = Value::Null;
            texts.push(error.to_string());
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:#?}");
    assert_eq!(
        reader.data("query($id: ID!) { node(id: $id) { __typename id } }", json!({ "id": own })).await["node"]["id"],
        own
    );
}

async fn a_cursor_of_somebody_else_is_as_one_that_never_was(app: &TestApp) {
    let ask = "query($after: String, $before: String) { auditEvents(after: $after, before: $before) { \
               pageInfo { endCursor } } }";
    for (product, organization, action) in
        [("workspace", "acme", "a.b"), ("workspace", "globex", "a.b"), ("capydb", "acme", "project.import_started")]
    {
        app.admin(product, organization).record(event(action)).await;
    }
    let cursor = async |caller: Caller<'_>| {
        caller.data(ask, json!({})).await["auditEvents"]["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned()
    };
    let own = cursor(app.admin("workspace", "acme")).await;
    let foreign = [
        cursor(app.admin("workspace", "globex")).await,
        cursor(app.admin("capydb", "acme")).await,
        own[1..].to_owned(),
        "%".to_owned(),
        String::new(),
    ];
    let reader = app.admin("workspace", "acme");
    let mut texts = Vec::new();
    for wrong in &foreign {
        for field in ["after", "before"] {
            let mut variables = json!({});
            variables[field] = json!(wrong);
            let answer = reader.ask(ask, variables).await;
            assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", field));
            texts.push(answer.errors()[0]["extensions"]["rule"].to_string());
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    reader.data(ask, json!({ "after": own })).await;
}

async fn counts_facets_actors_and_search_never_meet_another_tenant(app: &TestApp) {
    for (product, organization, times) in
        [("workspace", "acme", 2), ("workspace", "globex", 3), ("scim-platform", "acme", 4)]
    {
        for i in 0..times {
            let mut input = event(if product == "workspace" { "user.login" } else { "auth.logged_in" });
            input["actor"] = json!({
                "kind": "USER", "id": format!("{organization}-{product}"),
                "email": format!("only-{organization}-{product}@example.com"), "name": "Same Name"
            });
            input["idempotencyKey"] = json!(format!("k{i}"));
            input["correlationId"] = json!("job-1");
            input["metadata"] = json!({ "secretword": format!("hidden{organization}"), "shared": "sharedword" });
            app.admin(product, organization).record(input).await;
        }
    }
    let ask = "query($search: String, $filter: AuditEventFilter) { auditEvents(search: $search, filter: $filter) {
        totalCount pageCount nodes { actor { externalId } } facets {
        categories { buckets { count } } actions { buckets { count } } actors { buckets { value count } }
        outcomes { buckets { count } } days { count } } } }";
    let reader = app.admin("workspace", "acme");
    for (search, filter) in [
        (Value::Null, Value::Null),
        (json!("sharedword"), Value::Null),
        (json!("same name"), Value::Null),
        (json!("s*"), Value::Null),
        (json!("\"Same Name\""), Value::Null),
        (Value::Null, json!({ "correlationIds": ["job-1"] })),
        (Value::Null, json!({ "actor": { "emailContains": "@example" } })),
        (Value::Null, json!({ "not": { "actorIds": ["globex-workspace"] } })),
    ] {
        let page = reader.data(ask, json!({ "search": search, "filter": filter })).await["auditEvents"].clone();
        assert_eq!(page["totalCount"], 2, "{search} {filter}");
        assert!(
            page["nodes"].as_array().expect("nodes").iter().all(|node| node["actor"]["externalId"] == "acme-workspace")
        );
        let facets = page["facets"].clone();
        assert_eq!(
            facets["actors"]["buckets"],
            json!([{ "value": "acme-workspace", "count": 2 }]),
            "{search} {filter}"
        );
        for facet in ["categories", "actions", "actors"] {
            let sum: i64 = facets[facet]["buckets"]
                .as_array()
                .expect("buckets")
                .iter()
                .filter_map(|bucket| bucket["count"].as_i64())
                .sum();
            assert_eq!(sum, 2, "{facet} under {search} {filter}");
        }
        assert_eq!(facets["days"], json!([{ "count": 2 }]));
    }
    for (search, filter) in [
        (json!("hiddenglobex"), Value::Null),
        (json!("hiddeng*"), Value::Null),
        (Value::Null, json!({ "actor": { "ids": ["globex-workspace"] } })),
        (Value::Null, json!({ "actor": { "emailContains": "only-globex" } })),
    ] {
        let page = reader.data(ask, json!({ "search": search, "filter": filter })).await["auditEvents"].clone();
        assert_eq!((&page["totalCount"], &page["nodes"]), (&json!(0), &json!([])));
    }
    for matching in [Value::Null, json!("only"), json!("same"), json!("globex"), json!("scim")] {
        let found =
            reader.data("query($m: String) { actors(matching: $m) { externalId } }", json!({ "m": matching })).await;
        let expected = if ["globex", "scim"].iter().any(|other| matching == *other) {
            json!([])
        } else {
            json!([{ "externalId": "acme-workspace" }])
        };
        assert_eq!(found["actors"], expected, "{matching}");
    }
}

async fn a_narrowed_token_counts_and_finds_in_its_logs_alone(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    for (log, times) in [(None, 1), (Some("p1"), 2), (Some("p2"), 3), (Some("p3"), 4)] {
        for _ in 0..times {
            let mut input = event("api_key.created");
            let name = log.unwrap_or("own");
            input["actor"] = json!({ "kind": "USER", "id": format!("user-of-{name}") });
            input["metadata"] = json!({ "word": format!("word{name}"), "all": "everywhere" });
            if let Some(log) = log {
                input["log"] = json!({ "level": "project", "id": log });
            }
            admin.record(input).await;
        }
    }
    let one = app.admin("capydb", "acme").logs(&["project:p1"]);
    let ask = "query($search: String, $log: AuditLogInput) { auditEvents(search: $search, log: $log) { totalCount \
               facets { actors { buckets { value count } } days { count } } } actors { externalId } }";
    let page = one.data(ask, json!({ "search": "everywhere" })).await;
    assert_eq!(page["auditEvents"]["totalCount"], 2);
    assert_eq!(page["auditEvents"]["facets"]["actors"]["buckets"], json!([{ "value": "user-of-p1", "count": 2 }]));
    assert_eq!(page["auditEvents"]["facets"]["days"], json!([{ "count": 2 }]));
    assert_eq!(page["actors"], json!([{ "externalId": "user-of-p1" }]));
    assert_eq!(one.data(ask, json!({ "search": "wordp2" })).await["auditEvents"]["totalCount"], 0);
    let p2 = json!({ "log": { "level": "project", "id": "p2" } });
    assert_eq!(one.ask(ask, p2.clone()).await.code(), "FORBIDDEN");
    let several = app.admin("capydb", "acme").logs(&["project:p1", "project:p2"]);
    let unnamed = several.ask("{ auditEvents { totalCount } }", json!({})).await;
    assert_eq!((unnamed.code().as_str(), unnamed.field().as_str()), ("BAD_USER_INPUT", "log"));
    assert_eq!(several.data(ask, p2).await["auditEvents"]["totalCount"], 3);
    assert_eq!(several.ask(ask, json!({ "log": { "level": "project", "id": "p3" } })).await.code(), "FORBIDDEN");
    let viewer = several.data("{ viewer { logs { level externalId } } actors { externalId } }", json!({})).await;
    assert_eq!(
        viewer["viewer"]["logs"],
        json!([{ "level": "project", "externalId": "p1" }, { "level": "project", "externalId": "p2" }])
    );
    let actors: Vec<_> =
        viewer["actors"].as_array().expect("actors").iter().filter_map(|actor| actor["externalId"].as_str()).collect();
    assert_eq!((actors.len(), actors.contains(&"user-of-p1"), actors.contains(&"user-of-p2")), (2, true, true));
}

async fn the_token_may_come_as_an_api_key(app: &TestApp) {
    use axum::{body::Body, http::Request};
    let token = app.admin("workspace", "acme").token();
    let request = |header: &str, value: String| {
        let body = json!({ "query": "{ viewer { subject } }" }).to_string();
        Request::post("/graphql")
            .header("content-type", "application/json")
            .header(header, value)
            .body(Body::from(body))
            .expect("a request")
    };
    assert_eq!(app.send(request("x-api-key", token.clone())).await.data()["viewer"]["subject"], "admin");
    assert_eq!(
        app.send(request("authorization", format!("bearer {token}"))).await.data()["viewer"]["subject"],
        "admin"
    );
    for (header, value) in [
        ("authorization", token.clone()),
        ("authorization", format!("Basic {token}")),
        ("authorization", "Bearer ".to_owned()),
        ("x-api-key", "x".to_owned()),
    ] {
        let answer = app.send(request(header, value)).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "UNAUTHENTICATED"));
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
}

async fn an_organization_without_events_is_an_empty_list_to_its_own_reader(app: &TestApp) {
    let reader = app.admin("capydb", "newborn");
    let page = reader
        .data(
            "{ auditEvents { totalCount pageNumber pageCount nodes { id } edges { cursor } \
             pageInfo { hasNextPage hasPreviousPage startCursor endCursor } \
             facets { actions { buckets { value } exact } days { day } } } actors { externalId } \
             viewer { logs { externalId } } }",
            json!({}),
        )
        .await;
    assert_eq!(page["auditEvents"]["totalCount"], 0);
    assert_eq!((&page["auditEvents"]["pageNumber"], &page["auditEvents"]["pageCount"]), (&json!(1), &json!(1)));
    assert_eq!(page["auditEvents"]["facets"], json!({ "actions": { "buckets": [], "exact": true }, "days": [] }));
    assert_eq!(page["actors"], json!([]));
    reader.record(event("api_key.created")).await;
    let none = reader
        .data("{ auditEvents(log: {level: \"project\", id: \"unheard-of\"}) { totalCount nodes { id } } }", json!({}))
        .await;
    assert_eq!(none["auditEvents"], json!({ "totalCount": 0, "nodes": [] }));
}
