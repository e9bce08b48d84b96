//! Several organizations by one call: one fact that stands in the logs of two, all or none of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use crate::{
    harness::{Caller, Database, TestApp, as_of_a_cluster, event, eventually, on_both_databases, sql::change},
    process::{Client, Service},
};

on_both_databases! {
    one_call_records_in_two_organizations_under_one_correlation_id,
    what_is_refused_in_one_organization_keeps_the_other_as_it_was,
    a_token_for_one_organization_records_in_no_other,
    a_call_that_is_repeated_is_answered_as_the_first_one,
    another_products_organization_of_the_same_name_is_another_one,
    calls_that_cross_end_all_and_each_as_a_whole,
    a_failure_in_the_middle_leaves_nothing_anywhere,
    a_kill_leaves_both_or_none,
}

as_of_a_cluster! {
    one_call_records_in_two_organizations_under_one_correlation_id,
    a_call_that_is_repeated_is_answered_as_the_first_one,
}

const RECORD: &str = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) {
    recorded alreadyRecorded refused
    results { index organization status eventId sequence error { code message field existing } } } }";

/// A backend of the product: its token names no organization.
fn backend<'a>(app: &'a TestApp, product: &str) -> Caller<'a> {
    app.caller(product).subject("backend").scopes("audit:record")
}

fn of(organization: &str, action: &str) -> Value {
    let mut input = event(action);
    input["organization"] = organization.into();
    input
}

async fn call(caller: &Caller<'_>, correlation: Option<&str>, atomic: bool, events: Vec<Value>) -> Value {
    let input = json!({ "events": events, "atomic": atomic, "correlationId": correlation });
    caller.data(RECORD, json!({ "input": input })).await["recordAuditEvents"].clone()
}

/// Sequence, action and correlation id of an organization's events, in the order of recording.
async fn trail(app: &TestApp, product: &str, organization: &str) -> Vec<(String, String, Value)> {
    let query = "query($after: String) { auditEvents(first: 100, after: $after, includeNested: true,
        orderBy: { field: SEQUENCE, direction: ASC }) {
        totalCount nodes { sequence action correlationId } pageInfo { hasNextPage endCursor } } }";
    let admin = app.admin(product, organization);
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = admin.data(query, json!({ "after": after })).await["auditEvents"].clone();
        let text = |node: &Value, field: &str| node[field].as_str().expect("a text").to_owned();
        let nodes = page["nodes"].as_array().expect("nodes").iter();
        all.extend(nodes.map(|node| (text(node, "sequence"), text(node, "action"), node["correlationId"].clone())));
        if page["pageInfo"]["hasNextPage"] == false {
            assert_eq!(page["totalCount"], all.len());
            assert!(all.iter().enumerate().all(|(n, (sequence, ..))| *sequence == n.to_string()), "dense from 0");
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

async fn actions(app: &TestApp, product: &str, organization: &str) -> Vec<String> {
    trail(app, product, organization).await.into_iter().map(|(_, action, _)| action).collect()
}

async fn one_call_records_in_two_organizations_under_one_correlation_id(app: &TestApp) {
    let mut own = of("to", "organization.settings_updated");
    own["correlationId"] = "its-own".into();
    let events = vec![of("from", "organization.switched"), of("to", "organization.switched"), own];
    let answer = call(&backend(app, "scim-platform"), Some("switch-1"), true, events).await;
    assert_eq!(answer["recorded"], 3, "{answer:#}");
    let results = answer["results"].as_array().expect("results");
    let told: Vec<_> =
        results.iter().map(|result| (result["organization"].clone(), result["sequence"].clone())).collect();
    assert_eq!(told, [(json!("from"), json!("0")), (json!("to"), json!("0")), (json!("to"), json!("1"))]);
    let switched = |sequence: &str| (sequence.to_owned(), "organization.switched".to_owned(), json!("switch-1"));
    assert_eq!(trail(app, "scim-platform", "from").await, [switched("0")]);
    let settings = ("1".to_owned(), "organization.settings_updated".to_owned(), json!("its-own"));
    assert_eq!(trail(app, "scim-platform", "to").await, [switched("0"), settings]);
    // The same by REST.
    let rest = |organization: &str| json!({ "action": "organization.sibling_created", "actor": { "kind": "USER", "id": "u1" }, "organization": organization });
    let body = json!({ "events": [rest("from"), rest("sibling")], "correlation_id": "sibling-1", "atomic": true });
    let token = backend(app, "scim-platform").token();
    let post = async |body: Value| {
        let request = Request::post("/v1/audit-events").header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", "application/json").body(Body::from(body.to_string()));
        let answer = app.send(request.expect("a request")).await;
        (answer.status.as_u16(), answer.json())
    };
    let (status, answer) = post(body).await;
    assert_eq!((status, &answer["recorded"]), (201, &json!(2)), "{answer:#}");
    assert_eq!(answer["results"][1]["organization"], "sibling");
    assert_eq!(trail(app, "scim-platform", "sibling").await[0].2, "sibling-1");
    let (status, answer) = post(json!({ "events": [rest("from")], "correlation_id": 7 })).await;
    assert_eq!((status, &answer["field"]), (400, &json!("correlation_id")), "{answer:#}");
}

async fn what_is_refused_in_one_organization_keeps_the_other_as_it_was(app: &TestApp) {
    let backend = backend(app, "scim-platform");
    let mut keyed = of("there", "role.created");
    keyed["idempotencyKey"] = "k".into();
    call(&backend, None, false, vec![keyed.clone()]).await;
    let mut other = keyed.clone();
    other["action"] = "role.deleted".into();
    let mut typeless = of("new", "role.created");
    typeless["occurredAt"] = 7.into();
    let mut nowhere = event("role.created");
    nowhere["organization"] = Value::Null;
    for (bad, code, field, organization) in [
        (of("new", "no.such_action"), "BAD_USER_INPUT", json!("input.events[1].action"), json!("new")),
        (other, "CONFLICT", json!("idempotencyKey"), json!("there")),
        (typeless, "BAD_USER_INPUT", json!("input.events[1].occurredAt"), json!("new")),
        (
            of(&"x".repeat(3_000), "role.created"),
            "BAD_USER_INPUT",
            json!("input.events[1].organization"),
            json!("x".repeat(3_000)),
        ),
        (nowhere, "BAD_USER_INPUT", json!("input.events[1].organization"), Value::Null),
    ] {
        let events = vec![of("first", "role.created"), bad, of("third", "role.created")];
        let answer = call(&backend, Some("c"), true, events.clone()).await;
        assert_eq!((&answer["recorded"], &answer["refused"]), (&json!(0), &json!(3)), "{answer:#}");
        let results = &answer["results"];
        assert_eq!(
            (&results[1]["error"]["code"], &results[1]["organization"]),
            (&json!(code), &organization),
            "{answer:#}"
        );
        let named = results[1]["error"]["field"].as_str().expect("a field");
        assert!(field.as_str().is_some_and(|field| field.ends_with(named)), "{named} of {field}");
        for (at, organization) in [(0, "first"), (2, "third")] {
            assert_eq!(results[at]["organization"], organization);
            assert!(
                results[at]["error"]["field"].as_str().is_some_and(|field| field.ends_with("atomic")),
                "{answer:#}"
            );
            assert_eq!(actions(app, "scim-platform", organization).await, [""; 0]);
        }
    }
    assert_eq!(actions(app, "scim-platform", "there").await, ["role.created"]);
    assert_eq!(actions(app, "scim-platform", "new").await, [""; 0]);
    // Nothing of them is left in the database: no organization has a number.
    let mut numbers = vec![of("first", "role.created"), of("new", "no.such_action"), of("third", "role.created")];
    let each = call(&backend, Some("c"), false, numbers.clone()).await;
    assert_eq!((&each["recorded"], &each["refused"]), (&json!(2), &json!(1)));
    for organization in ["first", "third"] {
        assert_eq!(trail(app, "scim-platform", organization).await.len(), 1);
    }
    numbers.remove(1);
    assert_eq!(call(&backend, Some("c"), true, numbers).await["recorded"], 2);
}

async fn a_token_for_one_organization_records_in_no_other(app: &TestApp) {
    let both = || vec![of("acme", "user.login"), of("globex", "user.login")];
    let admin = app.admin("workspace", "acme");
    let answer = call(&admin, Some("c"), true, both()).await;
    assert_eq!((&answer["recorded"], &answer["refused"]), (&json!(0), &json!(2)), "{answer:#}");
    let refused = &answer["results"][1];
    assert_eq!((&refused["error"]["code"], &refused["organization"]), (&json!("NOT_FOUND"), &json!("globex")));
    assert_eq!(actions(app, "workspace", "acme").await, [""; 0]);
    let answer = call(&admin, Some("c"), false, both()).await;
    assert_eq!((&answer["recorded"], &answer["results"][1]["error"]["code"]), (&json!(1), &json!("NOT_FOUND")));
    assert_eq!(answer["results"][0]["organization"], "acme");
    assert_eq!(actions(app, "workspace", "globex").await, [""; 0]);
    // An event that names none is the token's.
    let own = call(&admin, None, true, vec![event("user.login")]).await;
    assert_eq!(own["results"][0]["organization"], "acme");
    // A token that is narrowed to the logs of two organizations may record in these.
    let narrowed = backend(app, "workspace").logs(&["organisation:acme", "organisation:globex"]);
    assert_eq!(call(&narrowed, Some("d"), true, both()).await["recorded"], 2);
    let mut three = both();
    three.push(of("third", "user.login"));
    let answer = call(&narrowed, Some("d"), true, three).await;
    assert_eq!(
        (&answer["recorded"], &answer["results"][2]["error"]["code"]),
        (&json!(0), &json!("FORBIDDEN")),
        "{answer:#}"
    );
    assert_eq!(answer["results"][2]["organization"], "third");
    // Staff may in every organization of their product, whatever their own is; without the scope nobody may in any.
    let staff = app.caller("workspace").organization("house").scopes("audit:record audit:staff");
    assert_eq!(call(&staff, Some("e"), true, both()).await["recorded"], 2);
    let reader = app.caller("workspace").scopes("audit:read");
    let input = json!({ "input": { "events": both(), "atomic": true } });
    assert_eq!(reader.ask(RECORD, input).await.code(), "FORBIDDEN");
    assert_eq!(actions(app, "workspace", "globex").await.len(), 2);
}

async fn a_call_that_is_repeated_is_answered_as_the_first_one(app: &TestApp) {
    let backend = backend(app, "workspace");
    let keyed = |organization: &str| {
        let mut input = of(organization, "user.login");
        input["idempotencyKey"] = "switch-1".into();
        input
    };
    let both = || vec![keyed("from"), keyed("to")];
    // One of them came alone before, as from an older version of the backend.
    let mut alone = keyed("to");
    alone["correlationId"] = "switch-1".into();
    call(&backend, None, false, vec![alone]).await;
    let first = call(&backend, Some("switch-1"), true, both()).await;
    assert_eq!((&first["recorded"], &first["alreadyRecorded"]), (&json!(1), &json!(1)), "{first:#}");
    let again = call(&backend, Some("switch-1"), true, both()).await;
    assert_eq!((&again["recorded"], &again["alreadyRecorded"]), (&json!(0), &json!(2)));
    for at in [0, 1] {
        assert_eq!(again["results"][at]["eventId"], first["results"][at]["eventId"]);
    }
    // Under another correlation id it is another content, in every organization.
    let other = call(&backend, Some("switch-2"), true, both()).await;
    assert_eq!(
        (&other["refused"], &other["results"][0]["error"]["code"]),
        (&json!(2), &json!("CONFLICT")),
        "{other:#}"
    );
    assert_eq!((trail(app, "workspace", "from").await.len(), trail(app, "workspace", "to").await.len()), (1, 1));
}

async fn another_products_organization_of_the_same_name_is_another_one(app: &TestApp) {
    call(&backend(app, "scim-platform"), None, false, vec![of("shared", "role.created")]).await;
    let events = vec![of("shared", "user.login"), of("other", "user.login")];
    assert_eq!(call(&backend(app, "workspace"), Some("c"), true, events).await["recorded"], 2);
    assert_eq!(actions(app, "scim-platform", "shared").await, ["role.created"]);
    assert_eq!(actions(app, "workspace", "shared").await, ["user.login"]);
    assert_eq!(actions(app, "scim-platform", "other").await, [""; 0]);
}

/// Both or none of every correlation id, and at least those that were acknowledged.
async fn whole(app: &TestApp, organizations: &[&str], acknowledged: &BTreeSet<String>) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for organization in organizations {
        for (_, _, correlation) in trail(app, "workspace", organization).await {
            *times.entry(correlation.as_str().expect("an id").to_owned()).or_default() += 1;
        }
    }
    for (correlation, times) in &times {
        assert_eq!(*times, 2, "{correlation}");
    }
    assert!(acknowledged.iter().all(|each| times.contains_key(each)), "what was acknowledged is there");
}

async fn calls_that_cross_end_all_and_each_as_a_whole(app: &TestApp) {
    let other = app.beside().await;
    let send = async |app: &TestApp, name: &str, organizations: [&str; 2], round: usize| {
        let correlation = format!("{name}-{round}");
        let events = organizations.map(|organization| {
            let mut input = of(organization, "user.login");
            input["idempotencyKey"] = correlation.as_str().into();
            input
        });
        let answer = call(&backend(app, "workspace"), Some(&correlation), true, events.to_vec()).await;
        assert_eq!(answer["recorded"], 2, "{answer:#}");
        correlation
    };
    let mut acknowledged = BTreeSet::new();
    for round in 0..25 {
        // In the first round none of the organizations is there; later a new one comes with an old one.
        let fresh = format!("new-{}", round / 5);
        let all = tokio::time::timeout(Duration::from_secs(60), async {
            tokio::join!(
                send(app, "one", ["a", "b"], round),
                send(&other, "two", ["b", "a"], round),
                send(app, "three", [&fresh, "a"], round),
                send(&other, "four", ["b", &fresh], round),
            )
        });
        let (one, two, three, four) = all.await.expect("nobody waits for ever");
        acknowledged.extend([one, two, three, four]);
    }
    let names: Vec<String> = (0..5).map(|n| format!("new-{n}")).collect();
    let organizations: Vec<&str> = ["a", "b"].into_iter().chain(names.iter().map(String::as_str)).collect();
    whole(app, &organizations, &acknowledged).await;
    assert_eq!(acknowledged.len(), 100);
    other.finish().await;
}

async fn a_failure_in_the_middle_leaves_nothing_anywhere(app: &TestApp) {
    let backend = backend(app, "workspace");
    let both = |n: usize| {
        ["a", "b"].map(|organization| {
            let mut input = of(organization, "user.login");
            input["idempotencyKey"] = format!("k-{n}").into();
            input
        })
    };
    call(&backend, Some("c-0"), true, both(0).to_vec()).await;
    // The database takes no event of the second organization.
    let (on, off) = match app.database {
        Database::Sqlite => (
            "CREATE TRIGGER broken BEFORE INSERT ON event WHEN (NEW.key >> 36) = (SELECT no FROM organization WHERE \
             external_id = 'b') BEGIN SELECT RAISE(ABORT, 'broken'); END",
            "DROP TRIGGER broken",
        ),
        Database::Postgres => (
            "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.organization_no = (SELECT no \
             FROM organization WHERE external_id = 'b') THEN RAISE EXCEPTION 'broken'; END IF; RETURN NEW; END $$; \
             CREATE TRIGGER broken BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION broken()",
            "DROP TRIGGER broken ON event; DROP FUNCTION broken()",
        ),
    };
    change(&app.url, on).await;
    // Twice in a row, atomic or not: one request is one transaction.
    for atomic in [true, false] {
        let input = json!({ "input": { "events": both(1), "atomic": atomic, "correlationId": "c-1" } });
        let code = backend.ask(RECORD, input).await.code();
        assert!(["INTERNAL", "UNAVAILABLE"].contains(&code.as_str()), "{code}");
    }
    // Recording for the first one alone goes on.
    let alone = call(&backend, Some("c-2"), true, vec![of("a", "user.logout")]).await;
    assert_eq!(alone["recorded"], 1, "{alone:#}");
    assert_eq!(actions(app, "workspace", "a").await, ["user.login", "user.logout"]);
    assert_eq!(actions(app, "workspace", "b").await, ["user.login"]);
    change(&app.url, off).await;
    let answer = call(&backend, Some("c-1"), true, both(1).to_vec()).await;
    assert_eq!(answer["recorded"], 2, "{answer:#}");
    assert_eq!(trail(app, "workspace", "b").await.len(), 2);
}

async fn a_kill_leaves_both_or_none(app: &TestApp) {
    let token = backend(app, "workspace").token();
    let mut acknowledged = BTreeSet::new();
    for round in 0..4 {
        let service = Service::start(&app.url, &app.folder()).await;
        let answered = Arc::new(AtomicUsize::new(0));
        let load = (0..6).map(|client| {
            let (token, base, answered) = (token.clone(), service.base.clone(), answered.clone());
            async move {
                let http = Client::new(token);
                let mut known = Vec::new();
                for n in 0.. {
                    let correlation = format!("{round}-{client}-{n}");
                    let order = if client % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
                    let events = order.map(|organization| of(organization, "user.login"));
                    let input = json!({ "input": { "events": events, "atomic": true, "correlationId": correlation } });
                    let answer = http.ask(&base, RECORD, input).await;
                    if answer.is_none_or(|answer| answer["data"]["recordAuditEvents"]["recorded"] != 2) {
                        break;
                    }
                    known.push(correlation);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                known
            }
        });
        let tasks: Vec<_> = load.map(tokio::spawn).collect();
        eventually(async || answered.load(Ordering::Relaxed) > 5 * round).await;
        service.kill();
        for task in tasks {
            acknowledged.extend(task.await.expect("a client ends"));
        }
    }
    assert!(acknowledged.len() > 30, "{}", acknowledged.len());
    whole(app, &["a", "b"], &acknowledged).await;
    let events = vec![of("a", "user.login"), of("b", "user.login")];
    assert_eq!(call(&backend(app, "workspace"), Some("after"), true, events).await["recorded"], 2);
}
