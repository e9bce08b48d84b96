//! Who may do what: the matrix of callers and questions, and what one tenant learns of another (nothing).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ledgerline::{
    auth::{Claims, OneOrMany},
    catalog::Products,
    clock::Clock,
};
use serde_json::{Value, json};

use crate::harness::{Caller, TestApp, event, on_both_databases};

/// A product with everything that gates: a role, a plan, and logs two levels deep.
const GATED: &str = r#"
name = "gated"
label = "Gated"
issuer = "https://auth.gated.example"
audience = "ledgerline"
retention = "forever"

[[keys]]
jwks_file = "issuer.json"

[access]
scopes = ["audit:read"]
roles = ["admin"]
plans = ["paid"]

[[levels]]
name = "organization"
label = "Organization"
include_nested = true

[[levels]]
name = "project"
label = "Project"
parent = "organization"
on_delete = "CLEAR"

[catalog]
open = true

[viewer]
paging = "MORE"
date_filter = "BOTH"
action_display = "NAME"

[[viewer.columns]]
kind = "TIME"
label = "Time"
"#;

/// An RSA public key, as an issuer publishes it.
const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

fn gated() -> (Products, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("gated.toml"), GATED).expect("written");
    let jwks =
        json!({ "keys": [{ "kty": "RSA", "kid": "rsa-1", "alg": "RS256", "use": "sig", "e": "AQAB", "n": MODULUS }] });
    std::fs::write(folder.path().join("issuer.json"), jwks.to_string()).expect("written");
    let products = Products::load(folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
    // Keys are read when the service starts, so the folder has to outlive this function.
    (products, folder)
}

fn forged(header: &Value, claims: &Claims, secret: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(&serde_json::to_value(claims).expect("claims")));
    let key = jsonwebtoken::EncodingKey::from_secret(secret);
    let signature =
        jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).expect("signed");
    format!("{message}.{signature}")
}

fn unsigned(claims: &Claims) -> String {
    let token = forged(&json!({ "alg": "none", "typ": "JWT" }), claims, &[7; 32]);
    format!("{}.", token.rsplit_once('.').expect("three parts").0)
}

/// Everybody who may come, from nobody to the platform's own staff.
fn callers(app: &TestApp) -> Vec<(&'static str, Option<String>)> {
    let admin = || app.admin("gated", "acme");
    let changed = |change: &dyn Fn(&mut Claims)| {
        let mut caller = admin();
        change(&mut caller.claims);
        Some(caller.token())
    };
    let now = Clock::system().now().0 / 1_000_000_000;
    let claims = admin().claims;
    vec![
        ("nobody: no token", None),
        ("broken: not a token", Some("not.a.token".to_owned())),
        ("broken: claims changed after signing", {
            let token = app.admin("gated", "globex").token();
            let (other, own) = (token.split('.').nth(1).expect("claims").to_owned(), admin().token());
            let parts: Vec<_> = own.split('.').collect();
            Some(format!("{}.{other}.{}", parts[0], parts[2]))
        }),
        ("expired", changed(&|claims| claims.exp = Some((now - 3600).into()))),
        ("without an end", changed(&|claims| claims.exp = None)),
        ("not valid yet", changed(&|claims| claims.nbf = Some((now + 3600).into()))),
        ("foreign issuer", changed(&|claims| claims.iss = "https://auth.elsewhere.example".to_owned())),
        ("another product's key", {
            let mut foreign = app.admin("gated", "acme");
            foreign.claims.iss = "https://auth.workspace.example".to_owned();
            Some(foreign.token())
        }),
        ("foreign key", Some(forged(&json!({ "alg": "HS256", "typ": "JWT" }), &claims, &[9; 64]))),
        ("alg none", Some(unsigned(&claims))),
        (
            "HS256 over the public RSA key",
            Some(forged(&json!({ "alg": "HS256", "kid": "rsa-1" }), &claims, MODULUS.as_bytes())),
        ),
        ("RS256 over a secret", Some(forged(&json!({ "alg": "RS256", "kid": "rsa-1" }), &claims, MODULUS.as_bytes()))),
        ("wrong audience", changed(&|claims| claims.aud = OneOrMany::One("somebody-else".to_owned()))),
        ("member", Some(admin().role("member").token())),
        ("without a role", changed(&|claims| claims.role = None)),
        ("admin on the paid plan", Some(admin().token())),
        ("admin on the free plan", Some(admin().plan("free").token())),
        ("admin without a plan", changed(&|claims| claims.plan = None)),
        ("member on the free plan", Some(admin().role("member").plan("free").token())),
        ("reader only", Some(admin().scopes("audit:read").token())),
        ("recorder only", Some(admin().scopes("audit:record").token())),
        ("manager only", Some(admin().scopes("audit:manage").token())),
        ("no scope", changed(&|claims| claims.scope = None)),
        ("staff", {
            let staff = app.caller("gated").subject("staff-1").scopes("audit:read audit:staff");
            Some(staff.token())
        }),
        ("staff that may not read", Some(app.caller("gated").subject("staff-1").scopes("audit:staff").token())),
        ("staff that records, in an organization", {
            let staff =
                app.caller("gated").subject("staff-1").scopes("audit:staff audit:read audit:record audit:manage");
            Some(staff.organization("globex").token())
        }),
        ("backend without an organization", { Some(app.caller("gated").scopes("audit:record audit:manage").token()) }),
        ("admin without an organization", Some(admin().without_organization().token())),
        ("narrowed to project p1", Some(admin().logs(&["project:p1"]).token())),
        ("narrowed to projects p1 and p2", Some(admin().logs(&["project:p1", "project:p2"]).token())),
        ("narrowed to the organization's own log", Some(admin().logs(&["organization:acme"]).token())),
        ("narrowed to another organization's log", Some(admin().logs(&["organization:globex"]).token())),
        ("admin of globex", Some(app.admin("gated", "globex").token())),
    ]
}

/// What is asked, by root field.
struct Question {
    field: &'static str,
    shown: &'static str,
    query: &'static str,
    variables: Value,
}

fn questions(ids: &[String; 3], round: usize) -> Vec<Question> {
    let question = |field, shown, query, variables| Question { field, shown, query, variables };
    let list = "query($organization: ID, $log: AuditLogInput) { it: auditEvents(organization: $organization, log: $log) { totalCount nodes { id } facets { actions { buckets { count } } } } }";
    let one = "query($id: ID!) { it: auditEvent(id: $id) { id } }";
    let node = "query($id: ID!) { it: node(id: $id) { id } }";
    let actors = "query($organization: ID) { it: actors(organization: $organization) { label } }";
    let record = "mutation($input: RecordAuditEventInput!) { it: recordAuditEvent(input: $input) { status } }";
    let many = "mutation($input: RecordAuditEventsInput!) { it: recordAuditEvents(input: $input) { results { status error { code } } } }";
    let delete = "mutation($input: DeleteAuditLogInput!) { it: deleteAuditLog(input: $input) { log { id } } }";
    let log = |id: &str| json!({ "level": "project", "id": id });
    let (mut there, mut elsewhere) = (event("a.b"), event("a.b"));
    there["log"] = log("p1");
    elsewhere["organization"] = json!("globex");
    let own = format!("own-{round}");
    vec![
        question(
            "viewer",
            "viewer",
            "{ it: viewer { subject organization canReadAuditLog { allowed reason requiredPlans } canRecord { allowed reason } logs { id } } }",
            json!({}),
        ),
        question("catalog", "catalog", "{ it: catalog { open } }", json!({})),
        question("auditEvents", "auditEvents", list, json!({})),
        question("auditEvents", "auditEvents(organization: acme)", list, json!({ "organization": "acme" })),
        question("auditEvents", "auditEvents(organization: globex)", list, json!({ "organization": "globex" })),
        question("auditEvents", "auditEvents(log: p1)", list, json!({ "log": log("p1") })),
        question("auditEvents", "auditEvents(log: p3)", list, json!({ "log": log("p3") })),
        question(
            "auditEvents",
            "auditEvents(log: acme's own)",
            list,
            json!({ "log": { "level": "organization", "id": "acme" } }),
        ),
        question("auditEvent", "auditEvent(in acme's own log)", one, json!({ "id": ids[0] })),
        question("auditEvent", "auditEvent(in p1)", one, json!({ "id": ids[1] })),
        question("auditEvent", "auditEvent(in globex)", one, json!({ "id": ids[2] })),
        question("node", "node(in acme's own log)", node, json!({ "id": ids[0] })),
        question("node", "node(in p1)", node, json!({ "id": ids[1] })),
        question("node", "node(in globex)", node, json!({ "id": ids[2] })),
        question("actors", "actors", actors, json!({})),
        question("actors", "actors(organization: globex)", actors, json!({ "organization": "globex" })),
        question("recordAuditEvent", "recordAuditEvent", record, json!({ "input": event("a.b") })),
        question("recordAuditEvent", "recordAuditEvent(log: p1)", record, json!({ "input": there })),
        question("recordAuditEvent", "recordAuditEvent(organization: globex)", record, json!({ "input": elsewhere })),
        question("recordAuditEvents", "recordAuditEvents", many, json!({ "input": { "events": [event("a.b")] } })),
        question(
            "recordAuditEvents",
            "recordAuditEvents(organization: globex)",
            many,
            json!({ "input": { "events": [elsewhere] } }),
        ),
        question(
            "deleteAuditLog",
            "deleteAuditLog",
            delete,
            json!({ "input": { "organization": "acme", "log": log(&own) } }),
        ),
        question(
            "deleteAuditLog",
            "deleteAuditLog(organization: globex)",
            delete,
            json!({ "input": { "organization": "globex", "log": log(&own) } }),
        ),
    ]
}

/// What an answer comes to: OK, with what was permitted, or the code of the refusal.
fn outcome(question: &Question, json: &Value, status: u16) -> String {
    if let Some(errors) = json["errors"].as_array() {
        let error = &errors[0];
        let code = error["extensions"]["code"].as_str().unwrap_or("no code");
        let detail = match (&error["extensions"]["field"], &error["extensions"]["requiredPlans"]) {
            (Value::String(field), _) => format!(" {field}"),
            (_, Value::Array(plans)) => {
                format!(" {}", plans.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
            }
            _ => String::new(),
        };
        let status = if status == 200 { String::new() } else { format!(" (HTTP {status})") };
        return format!("{code}{detail}{status}");
    }
    let it = &json["data"]["it"];
    match question.field {
        "viewer" => format!(
            "OK read {} record {} logs {}",
            it["canReadAuditLog"]["reason"].as_str().unwrap_or("yes"),
            it["canRecord"]["reason"].as_str().unwrap_or("yes"),
            it["logs"].as_array().map_or(0, |logs| logs
                .iter()
                .filter(|log| !log["id"].as_str().is_some_and(|id| id.starts_with("own-")))
                .count()),
        ),
        "recordAuditEvents" => it["results"][0]["error"]["code"]
            .as_str()
            .map_or_else(|| "OK".to_owned(), |code| format!("OK, its event {code}")),
        _ => "OK".to_owned(),
    }
}

async fn fill(app: &TestApp) -> [String; 3] {
    let (acme, globex) = (app.admin("gated", "acme"), app.admin("gated", "globex"));
    let mut ids = Vec::new();
    for (caller, log) in [
        (&acme, None),
        (&acme, Some("p1")),
        (&globex, None),
        (&acme, Some("p2")),
        (&acme, Some("p3")),
        (&globex, Some("p1")),
    ] {
        let mut input = event("a.b");
        if let Some(log) = log {
            input["log"] = json!({ "level": "project", "id": log });
        }
        ids.push(caller.record(input).await["event"]["id"].as_str().expect("an id").to_owned());
    }
    [ids[0].clone(), ids[1].clone(), ids[2].clone()]
}

/// The reviewed text: a block per caller, a line per question.
fn reviewed(matrix: &str) {
    insta::assert_snapshot!("access_matrix", matrix);
}

fn root_fields() -> Vec<String> {
    use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
    let schema = async_graphql::parser::parse_schema(ledgerline::cli::schema_text()).expect("the schema parses");
    let mut fields = Vec::new();
    for definition in schema.definitions {
        if let TypeSystemDefinition::Type(definition) = definition
            && ["Query", "Mutation", "Subscription"].contains(&definition.node.name.node.as_str())
            && let TypeKind::Object(object) = definition.node.kind
        {
            fields.extend(object.fields.into_iter().map(|field| field.node.name.node.to_string()));
        }
    }
    fields
}

#[test]
fn every_root_field_has_a_row_in_the_matrix() {
    let asked: Vec<_> = questions(&Default::default(), 0).into_iter().map(|question| question.field).collect();
    let fields = root_fields();
    assert!(fields.len() >= 9, "{fields:?}");
    for field in &fields {
        assert!(asked.contains(&field.as_str()), "{field} has no row in the access matrix: add a question");
    }
    for field in asked {
        assert!(fields.iter().any(|each| each == field), "{field} is asked, but is no root field");
    }
}

on_both_databases! {
    async fn who_may_do_what_is_the_reviewed_matrix(app: &TestApp) {
        let (products, _folder) = gated();
        let gated = TestApp::with(app.database, products, |_| {}).await;
        let ids = fill(&gated).await;
        let mut text = String::new();
        for (round, (who, token)) in callers(&gated).into_iter().enumerate() {
            let mut rows = Vec::new();
            for organization in ["acme", "globex"] {
                let mut input = event("a.b");
                input["log"] = json!({ "level": "project", "id": format!("own-{round}") });
                gated.admin("gated", organization).record(input).await;
            }
            for question in questions(&ids, round) {
                let answer = gated.graphql(token.as_deref(), question.query, question.variables.clone()).await;
                let outcome = outcome(&question, &answer.json(), answer.status.as_u16());
                rows.push((question.shown, outcome));
            }
            text.push_str(&format!("{who}\n"));
            // Most who are refused are refused everywhere alike.
            if rows.iter().all(|(_, outcome)| *outcome == rows[0].1) {
                text.push_str(&format!("  all {} questions: {}\n", rows.len(), rows[0].1));
            } else {
                rows.iter().for_each(|(shown, outcome)| text.push_str(&format!("  {shown:40}{outcome}\n")));
            }
        }
        gated.finish().await;
        reviewed(&text);
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
        let other = narrowed.ask("{ auditEvents(log: {level: \"account\", id: \"acme\"}) { nodes { id } } }", json!({})).await;
        assert_eq!(other.code(), "FORBIDDEN");
        assert_eq!(narrowed.ask("{ auditEvents(log: {level: \"troop\", id: \"t1\"}) { nodes { id } } }", json!({})).await.code(), "PLAN_REQUIRED");
    }

    async fn what_a_refused_field_would_say_the_viewer_says_before(app: &TestApp) {
        let ask = "{ viewer { canReadAuditLog { allowed reason requiredPlans hidden message } canRecord { allowed reason } } auditEvents { nodes { id } } }";
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
            assert_eq!((&access["allowed"], &access["reason"], &access["hidden"]), (&json!(false), &json!(reason), &json!(hidden)), "{json:#}");
            assert!(access["message"].is_string());
            assert_eq!(answer.code(), reason);
            assert_eq!(json["data"]["auditEvents"], Value::Null);
            assert_eq!(json["data"]["viewer"]["canRecord"]["allowed"], true);
        }
        let fine = app.admin("capydb", "acme").data(ask, json!({})).await;
        assert_eq!(fine["viewer"]["canReadAuditLog"], json!({ "allowed": true, "reason": null, "requiredPlans": [], "hidden": false, "message": null }));
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
                assert!(answer.json()["data"].as_object().unwrap_or_else(|| panic!("{wrong:?}: {:#}", answer.json())).values().all(Value::is_null));
                let mut error = answer.errors()[0].clone();
                error["path"] = Value::Null;
                error["locations"] = Value::Null;
                texts.push(error.to_string());
            }
        }
        texts.dedup();
        assert_eq!(texts.len(), 1, "{texts:#?}");
        assert_eq!(reader.data("query($id: ID!) { node(id: $id) { __typename id } }", json!({ "id": own })).await["node"]["id"], own);
    }

    async fn a_cursor_of_somebody_else_is_as_one_that_never_was(app: &TestApp) {
        let ask = "query($after: String, $before: String) { auditEvents(after: $after, before: $before) { pageInfo { endCursor } } }";
        for (product, organization, action) in [("workspace", "acme", "a.b"), ("workspace", "globex", "a.b"), ("capydb", "acme", "project.import_started")] {
            app.admin(product, organization).record(event(action)).await;
        }
        let cursor = async |caller: Caller<'_>| caller.data(ask, json!({})).await["auditEvents"]["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned();
        let own = cursor(app.admin("workspace", "acme")).await;
        let foreign = [cursor(app.admin("workspace", "globex")).await, cursor(app.admin("capydb", "acme")).await, own[1..].to_owned(), "%".to_owned(), String::new()];
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
        for (product, organization, times) in [("workspace", "acme", 2), ("workspace", "globex", 3), ("scim-platform", "acme", 4)] {
            for i in 0..times {
                let mut input = event(if product == "workspace" { "user.login" } else { "auth.logged_in" });
                input["actor"] = json!({ "kind": "USER", "id": format!("{organization}-{product}"), "email": format!("only-{organization}-{product}@example.com"), "name": "Same Name" });
                input["idempotencyKey"] = json!(format!("k{i}"));
                input["correlationId"] = json!("job-1");
                input["metadata"] = json!({ "secretword": format!("hidden{organization}"), "shared": "sharedword" });
                app.admin(product, organization).record(input).await;
            }
        }
        let ask = "query($search: String, $filter: AuditEventFilter) { auditEvents(search: $search, filter: $filter) { totalCount pageCount nodes { actor { id } } facets {
            categories { buckets { count } } actions { buckets { count } } actors { buckets { value count } } outcomes { buckets { count } } days { count } } } }";
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
            assert!(page["nodes"].as_array().expect("nodes").iter().all(|node| node["actor"]["id"] == "acme-workspace"));
            let facets = page["facets"].clone();
            assert_eq!(facets["actors"]["buckets"], json!([{ "value": "acme-workspace", "count": 2 }]), "{search} {filter}");
            for facet in ["categories", "actions", "actors"] {
                let sum: i64 = facets[facet]["buckets"].as_array().expect("buckets").iter().filter_map(|bucket| bucket["count"].as_i64()).sum();
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
            let found = reader.data("query($m: String) { actors(matching: $m) { id } }", json!({ "m": matching })).await;
            let expected = if ["globex", "scim"].iter().any(|other| matching == *other) { json!([]) } else { json!([{ "id": "acme-workspace" }]) };
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
        let ask = "query($search: String, $log: AuditLogInput) { auditEvents(search: $search, log: $log) { totalCount facets { actors { buckets { value count } } days { count } } } actors { id } }";
        let page = one.data(ask, json!({ "search": "everywhere" })).await;
        assert_eq!(page["auditEvents"]["totalCount"], 2);
        assert_eq!(page["auditEvents"]["facets"]["actors"]["buckets"], json!([{ "value": "user-of-p1", "count": 2 }]));
        assert_eq!(page["auditEvents"]["facets"]["days"], json!([{ "count": 2 }]));
        assert_eq!(page["actors"], json!([{ "id": "user-of-p1" }]));
        assert_eq!(one.data(ask, json!({ "search": "wordp2" })).await["auditEvents"]["totalCount"], 0);
        let p2 = json!({ "log": { "level": "project", "id": "p2" } });
        assert_eq!(one.ask(ask, p2.clone()).await.code(), "FORBIDDEN");
        let several = app.admin("capydb", "acme").logs(&["project:p1", "project:p2"]);
        let unnamed = several.ask("{ auditEvents { totalCount } }", json!({})).await;
        assert_eq!((unnamed.code().as_str(), unnamed.field().as_str()), ("BAD_USER_INPUT", "log"));
        assert_eq!(several.data(ask, p2).await["auditEvents"]["totalCount"], 3);
        assert_eq!(several.ask(ask, json!({ "log": { "level": "project", "id": "p3" } })).await.code(), "FORBIDDEN");
        let viewer = several.data("{ viewer { logs { level id } } actors { id } }", json!({})).await;
        assert_eq!(viewer["viewer"]["logs"], json!([{ "level": "project", "id": "p1" }, { "level": "project", "id": "p2" }]));
        let actors: Vec<_> = viewer["actors"].as_array().expect("actors").iter().filter_map(|actor| actor["id"].as_str()).collect();
        assert_eq!((actors.len(), actors.contains(&"user-of-p1"), actors.contains(&"user-of-p2")), (2, true, true));
    }

    async fn the_token_may_come_as_an_api_key(app: &TestApp) {
        use axum::{body::Body, http::Request};
        let token = app.admin("workspace", "acme").token();
        let request = |header: &str, value: String| {
            let body = json!({ "query": "{ viewer { subject } }" }).to_string();
            Request::post("/graphql").header("content-type", "application/json").header(header, value).body(Body::from(body)).expect("a request")
        };
        assert_eq!(app.send(request("x-api-key", token.clone())).await.data()["viewer"]["subject"], "admin");
        assert_eq!(app.send(request("authorization", format!("bearer {token}"))).await.data()["viewer"]["subject"], "admin");
        for (header, value) in [("authorization", token.clone()), ("authorization", format!("Basic {token}")), ("authorization", "Bearer ".to_owned()), ("x-api-key", "x".to_owned())] {
            let answer = app.send(request(header, value)).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "UNAUTHENTICATED"));
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }

    async fn an_organization_without_events_is_an_empty_list_to_its_own_reader(app: &TestApp) {
        let reader = app.admin("capydb", "newborn");
        let page = reader.data("{ auditEvents { totalCount pageNumber pageCount nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } facets { actions { buckets { value } exact } days { day } } } actors { id } viewer { logs { id } } }", json!({})).await;
        assert_eq!(page["auditEvents"]["totalCount"], 0);
        assert_eq!((&page["auditEvents"]["pageNumber"], &page["auditEvents"]["pageCount"]), (&json!(1), &json!(1)));
        assert_eq!(page["auditEvents"]["facets"], json!({ "actions": { "buckets": [], "exact": true }, "days": [] }));
        assert_eq!(page["actors"], json!([]));
        reader.record(event("api_key.created")).await;
        let none = reader.data("{ auditEvents(log: {level: \"project\", id: \"unheard-of\"}) { totalCount nodes { id } } }", json!({})).await;
        assert_eq!(none["auditEvents"], json!({ "totalCount": 0, "nodes": [] }));
    }
}
