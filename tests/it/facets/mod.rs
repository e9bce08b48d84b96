//! What a list and a picker say of whom and what there is: facets and actors.

mod actors;

use serde_json::{Value, json};

use crate::{
    harness::{Caller, TestApp, as_of_a_cluster, event, on_both_databases},
    reading::rich,
};

/// A facet of a list: its buckets as `[value, label, count]`, those by actor with who it is.
async fn facet(reader: &Caller<'_>, name: &str, variables: Value) -> Value {
    let query = format!(
        "query($filter: AuditEventFilter, $search: String, $log: AuditLogInput, $nested: Boolean) {{
        auditEvents(filter: $filter, search: $search, log: $log, includeNested: $nested, first: 0) {{
            facets {{ {name} {{ exact buckets {{ value label count actor {{ kind externalId name email }}
            log {{ level externalId }} }} }} }} }} }}"
    );
    let facet = reader.data(&query, variables).await["auditEvents"]["facets"][name].clone();
    assert_eq!(facet["exact"], true);
    let row = |bucket: &Value| match &bucket["actor"] {
        Value::Null => json!([bucket["value"], bucket["label"], bucket["count"]]),
        actor => json!([actor["kind"], actor["externalId"], actor["name"], actor["email"], bucket["count"]]),
    };
    facet["buckets"].as_array().expect("buckets").iter().map(row).collect()
}

fn by(kind: &str, id: Option<&str>, name: Option<&str>, email: Option<&str>) -> Value {
    json!({ "kind": kind, "id": id, "name": name, "email": email })
}

/// Who a picker gives, as `name or e-mail or id or kind`.
async fn picked(reader: &Caller<'_>, arguments: &str) -> Vec<String> {
    let data = reader.data(&format!("{{ actors{arguments} {{ kind externalId name email }} }}"), json!({})).await;
    let shown = |actor: &Value| {
        let parts = ["kind", "externalId", "name", "email"].map(|part| actor[part].as_str().unwrap_or("-").to_owned());
        parts.join(" ")
    };
    data["actors"].as_array().expect("actors").iter().map(shown).collect()
}

/// Records an event of each actor at each minute, in this order.
async fn acts(admin: &Caller<'_>, acts: &[(u32, Value)]) {
    let event = |(minute, actor): &(u32, Value)| json!({ "action": "a.b", "actor": actor, "occurredAt": format!("2026-03-01T12:{minute:02}:00Z") });
    assert_eq!(admin.record_all(acts.iter().map(event).collect()).await["recorded"], acts.len());
}

on_both_databases! {
    facets_count_each_without_its_own_filter,
    addresses_sources_and_types_are_counted_without_their_own_filter,
    logs_are_counted_as_they_are_listed,
    names_of_actors_and_resources_are_filtered_by,
    organizations_are_counted_for_staff_and_nobody_else_learns_of_another,
}

as_of_a_cluster! {
    addresses_sources_and_types_are_counted_without_their_own_filter,
    organizations_are_counted_for_staff_and_nobody_else_learns_of_another,
}

async fn facets_count_each_without_its_own_filter(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin
        .record_all(vec![
            rich("a", "cat-a", "USER", "SUCCESS"),
            rich("a", "cat-a", "USER", "SUCCESS"),
            rich("bb", "cat-a", "API_KEY", "FAILURE"),
            rich("ccc", "cat-b", "SERVICE", "FAILURE"),
            json!({ "action": "user.login", "actor": { "kind": "ANONYMOUS" } }),
        ])
        .await;
    let ask = "query($filter: AuditEventFilter) { auditEvents(filter: $filter, \
               first: 0) { facets { categories { exact buckets { value label count } } \
               actions { buckets { value label count } } actors { exact buckets { value count } } \
               outcomes { buckets { value count } } days { count } } } }";
    let facets =
        async |filter: Value| admin.data(ask, json!({ "filter": filter })).await["auditEvents"]["facets"].clone();
    let all = facets(json!(null)).await;
    assert_eq!(
        all["categories"],
        json!({
            "exact": true,
            "buckets": [
                { "value": "cat-a", "label": "cat-a", "count": 3 },
                { "value": "authentication", "label": "Authentication", "count": 1 },
                { "value": "cat-b", "label": "cat-b", "count": 1 }
            ]
        })
    );
    assert_eq!(all["actions"]["buckets"][0]["count"], 2);
    assert!(
        all["actions"]["buckets"]
            .as_array()
            .expect("buckets")
            .contains(&json!({ "value": "user.login", "label": "User signed in", "count": 1 }))
    );
    assert_eq!(all["actors"]["buckets"][0], json!({ "value": "a-id", "count": 2 }));
    assert!(
        all["actors"]["buckets"].as_array().expect("buckets").contains(&json!({ "value": "ANONYMOUS", "count": 1 }))
    );
    assert_eq!(
        all["outcomes"]["buckets"]
            .as_array()
            .expect("buckets")
            .iter()
            .filter_map(|bucket| bucket["count"].as_i64())
            .sum::<i64>(),
        5
    );
    assert_eq!(all["days"], json!([{ "count": 5 }]));
    let narrowed = facets(json!({ "categories": ["cat-a"], "outcomes": ["FAILURE"] })).await;
    // By category: all failures. By outcome: all of cat-a. By anything else: both.
    assert_eq!(narrowed["categories"]["buckets"].as_array().expect("buckets").len(), 2);
    assert_eq!(
        narrowed["outcomes"]["buckets"],
        json!([{ "value": "SUCCESS", "count": 2 }, { "value": "FAILURE", "count": 1 }])
    );
    assert_eq!(narrowed["actors"]["buckets"], json!([{ "value": "bb-id", "count": 1 }]));
    assert_eq!(narrowed["days"], json!([{ "count": 1 }]));
}

async fn addresses_sources_and_types_are_counted_without_their_own_filter(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let with = |n: usize, more: Value| {
        let mut input = event(&format!("thing.{n}"));
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        input
    };
    admin
        .record_all(vec![
            with(
                1,
                json!({
                    "ipAddress": "10.0.0.1", "source": "idp",
                    "resources": [{ "type": "user", "id": "1" }, { "type": "user", "id": "2" }, { "type": "group" }]
                }),
            ),
            with(
                2,
                json!({
                    "ipAddress": "10.0.0.1", "source": "IDP",
                    "resources": [{ "type": "user" }, { "id": "no type" }, { "name": "type" }]
                }),
            ),
            with(3, json!({ "ipAddress": "10.0.0.2", "resources": [{ "id": "user" }] })),
            with(4, json!({ "source": "idp", "resources": [{ "type": "日本 \"語\" \\ \u{1}" }, { "type": "user" }] })),
        ])
        .await;
    let row = |value: &str, count: i64| json!([value, value, count]);
    for variables in [
        json!({}),
        json!({ "search": "thing" }),
        json!({ "search": "\"user one\"" }),
        json!({ "filter": { "occurredAt": { "from": "2020-01-01T00:00:00.000000001Z" } } }),
    ] {
        assert_eq!(
            facet(&admin, "ipAddresses", variables.clone()).await,
            json!([row("10.0.0.1", 2), row("10.0.0.2", 1)]),
            "{variables}"
        );
        assert_eq!(
            facet(&admin, "sources", variables.clone()).await,
            json!([row("idp", 2), row("IDP", 1)]),
            "{variables}"
        );
        assert_eq!(
            facet(&admin, "resourceTypes", variables.clone()).await,
            json!([row("user", 3), row("group", 1), row("日本 \"語\" \\ \u{1}", 1)]),
            "{variables}"
        );
    }
    // Each ignores its own filter alone.
    let narrowed = json!({ "filter": { "ipAddresses": ["10.0.0.2"], "sources": ["idp"] } });
    assert_eq!(facet(&admin, "ipAddresses", narrowed.clone()).await, json!([row("10.0.0.1", 1)]));
    assert_eq!(facet(&admin, "sources", narrowed.clone()).await, json!([]));
    assert_eq!(facet(&admin, "resourceTypes", narrowed).await, json!([]));
    let of_groups = json!({ "filter": { "resource": { "types": ["group"] } } });
    assert_eq!(facet(&admin, "resourceTypes", of_groups.clone()).await[0], row("user", 3));
    assert_eq!(facet(&admin, "ipAddresses", of_groups).await, json!([row("10.0.0.1", 1)]));
    assert_eq!(facet(&app.admin("workspace", "globex"), "resourceTypes", json!({})).await, json!([]));
}

async fn logs_are_counted_as_they_are_listed(app: &TestApp) {
    let (capydb, caputchin) = (app.admin("capydb", "acme"), app.admin("caputchin", "acme"));
    let within = |action: &str, level: &str, id: &str, name: Option<&str>| {
        let mut input = event(action);
        input["log"] = json!({ "level": level, "id": id, "name": name });
        input
    };
    let fill = async || {
        for (id, name, n) in [("p1", Some("One"), 3), ("p2", None, 2)] {
            capydb.record_all(vec![within("project.import_started", "project", id, name); n]).await;
        }
        capydb.record(event("api_key.created")).await;
    };
    fill().await;
    let questions = [
        json!({}),
        json!({ "search": "import" }),
        json!({ "search": "\"import started\"" }),
        json!({ "filter": { "actor": { "ids": ["u1"] } } }),
        json!({ "filter": { "categories": ["project"] } }),
        json!({ "filter": { "occurredAt": { "from": "2020-01-01T00:07:00Z" } } }),
    ];
    for variables in &questions {
        let all = facet(&capydb, "logs", variables.clone()).await;
        assert_eq!((&all[0], &all[1]), (&json!(["p1", "One", 3]), &json!(["p2", "p2", 2])), "{variables}");
        let own = all.as_array().expect("rows").len() == 3;
        let only_projects = variables["search"].is_string() || variables["filter"]["categories"].is_array();
        assert_ne!(own, only_projects, "{variables}");
    }
    assert_eq!(facet(&capydb, "logs", json!({ "nested": false })).await, json!([["acme", "acme", 1]]));
    assert_eq!(
        facet(&capydb, "logs", json!({ "log": { "level": "project", "id": "p1" } })).await,
        json!([["p1", "One", 3]])
    );
    assert_eq!(
        facet(&app.admin("capydb", "acme").logs(&["project:p2"]), "logs", json!({})).await,
        json!([["p2", "p2", 2]])
    );
    // A log that was cleared is none of those that are shown; one that takes its name is another.
    let delete = "mutation($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) { log { id } } }";
    capydb.data(delete, json!({ "input": { "log": { "level": "project", "id": "p1" } } })).await;
    for variables in &questions {
        assert_eq!(facet(&capydb, "logs", variables.clone()).await[0], json!(["p2", "p2", 2]), "{variables}");
    }
    capydb.record(within("project.import_started", "project", "p1", Some("Another"))).await;
    assert_eq!(
        facet(&capydb, "logs", json!({})).await,
        json!([["p2", "p2", 2], ["acme", "acme", 1], ["p1", "Another", 1]])
    );
    // One that was removed is read nowhere.
    for (id, n) in [("t1", 2), ("t2", 1)] {
        caputchin.record_all(vec![within("troop.thing", "troop", id, None); n]).await;
    }
    let nested = json!({ "nested": true });
    assert_eq!(facet(&caputchin, "logs", nested.clone()).await, json!([["t1", "t1", 2], ["t2", "t2", 1]]));
    caputchin.data(delete, json!({ "input": { "log": { "level": "troop", "id": "t1" } } })).await;
    assert_eq!(facet(&caputchin, "logs", nested).await, json!([["t2", "t2", 1]]));
}

async fn names_of_actors_and_resources_are_filtered_by(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let act = |n: usize, name: Value, resources: Value| {
        json!({
            "action": format!("e{n}"), "actor": { "kind": "USER", "name": name, "email": "Ada Lovelace" },
            "resources": resources
        })
    };
    admin
        .record_all(vec![
            act(
                0,
                json!("Ada Lovelace"),
                json!([
                    { "type": "project", "id": "p1", "name": "Alpha" },
                    { "type": "user", "id": "u1", "name": "Beta" }
                ]),
            ),
            act(1, json!("ada lovelace"), json!([{ "type": "project", "id": "p2", "name": "Beta" }])),
            act(2, json!("Adam %_* Élan"), json!([{ "name": "alpha" }, { "name": "Ada Lovelace" }])),
            act(3, Value::Null, json!([])),
        ])
        .await;
    for (filter, expected) in [
        (json!({ "actor": { "names": ["Ada Lovelace"] } }), vec!["e0"]),
        (json!({ "actor": { "names": ["Ada Lovelace", "ada lovelace", "nobody"] } }), vec!["e1", "e0"]),
        (json!({ "actor": { "names": ["Ada"] } }), vec![]),
        (json!({ "actor": { "names": [] } }), vec![]),
        (json!({ "actor": { "nameContains": "ADA" } }), vec!["e2", "e1", "e0"]),
        (json!({ "actor": { "nameContains": "éLA" } }), vec!["e2"]),
        (json!({ "actor": { "nameContains": "%_*" } }), vec!["e2"]),
        (json!({ "actor": { "nameContains": "_" } }), vec!["e2"]),
        (json!({ "actor": { "nameContains": "" } }), vec!["e3", "e2", "e1", "e0"]),
        (json!({ "actor": { "nameContains": "lovelace", "names": ["ada lovelace"] } }), vec!["e1"]),
        (json!({ "resource": { "names": ["Alpha"] } }), vec!["e0"]),
        (json!({ "resource": { "names": ["Alpha", "Beta"] } }), vec!["e1", "e0"]),
        (json!({ "resource": { "names": ["Ada Lovelace"] } }), vec!["e2"]),
        // One resource has it all: the first event has a project and a Beta, and no project Beta.
        (json!({ "resource": { "names": ["Beta"], "types": ["project"] } }), vec!["e1"]),
        (json!({ "resource": { "names": ["Beta"], "ids": ["u1", "p2"] } }), vec!["e1", "e0"]),
        (json!({ "resource": { "names": ["Beta"], "ids": ["p1"] } }), vec![]),
        (json!({ "resource": { "names": ["Beta"], "types": ["user"], "ids": ["u1"] } }), vec!["e0"]),
    ] {
        let ask = "query($filter: AuditEventFilter) { auditEvents(filter: $filter) { totalCount nodes { action } \
                   facets { actions { buckets { count } } } } }";
        let list = admin.data(ask, json!({ "filter": filter })).await["auditEvents"].clone();
        let found: Vec<_> = list["nodes"]
            .as_array()
            .expect("nodes")
            .iter()
            .map(|node| node["action"].as_str().expect("text"))
            .collect();
        assert_eq!(found, expected, "{filter}");
        assert_eq!(
            (&list["totalCount"], list["facets"]["actions"]["buckets"].as_array().map(Vec::len)),
            (&json!(expected.len()), Some(expected.len())),
            "{filter}"
        );
    }
}

async fn organizations_are_counted_for_staff_and_nobody_else_learns_of_another(app: &TestApp) {
    let staff = app.caller("workspace").without_organization().scopes("audit:read audit:staff");
    for (organization, logins, others) in [("acme", 1, 3), ("globex", 2, 0), ("initech", 0, 1)] {
        let admin = app.admin("workspace", organization);
        admin.record_all(vec![event("user.login"); logins]).await;
        admin.record_all(vec![event("role.created"); others]).await;
    }
    // An organization of another product may have the same name.
    app.admin("cloud-sessions", "acme").record(event("USER_LOGIN")).await;
    let asked = async |caller: &Caller<'_>, arguments: &str| {
        let query = format!(
            "{{ auditEvents({arguments} first: 0) {{ facets {{ organizations {{ exact \
             buckets {{ value count }} }} }} }} }}"
        );
        let facet = caller.data(&query, json!({})).await["auditEvents"]["facets"]["organizations"].clone();
        assert_eq!(facet["exact"], true);
        let rows = facet["buckets"].as_array().expect("buckets").iter();
        rows.map(|row| (row["value"].as_str().unwrap().to_owned(), row["count"].as_i64().unwrap())).collect::<Vec<_>>()
    };
    let named = |rows: &[(&str, i64)]| rows.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<Vec<_>>();
    let all = r#"organization: "globex""#;
    assert_eq!(asked(&staff, all).await, named(&[("acme", 4), ("globex", 2), ("initech", 1)]));
    let logins = r#"organization: "globex", filter: { actions: ["user.login"] }"#;
    assert_eq!(asked(&staff, logins).await, named(&[("globex", 2), ("acme", 1)]));
    let words = r#"organization: "acme", search: "role""#;
    assert_eq!(asked(&staff, words).await, named(&[("acme", 3), ("initech", 1)]));
    // Administrators see their own, also where staff's token is for one log of one organization.
    assert_eq!(asked(&app.admin("workspace", "globex"), "").await, named(&[("globex", 2)]));
    assert_eq!(asked(&app.admin("workspace", "globex"), r#"filter: { actions: ["x.y"] }"#).await, named(&[]));
    let narrowed =
        app.caller("workspace").without_organization().scopes("audit:read audit:staff").logs(&["organisation:globex"]);
    assert_eq!(asked(&narrowed, all).await, named(&[("globex", 2)]));
}
