//! The contract of REST as a file: `docs/openapi.json` is what the code says, and says what everything is.

use std::path::Path;

use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use serde_json::{Value, json};

use crate::{
    harness::{TestApp, event, on_both_databases},
    rest::get,
};

/// The committed document.
pub fn document() -> Value {
    serde_json::from_str(&ledgerline::http::rest::openapi()).expect("JSON")
}

#[test]
fn openapi_json_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let text = ledgerline::http::rest::openapi();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &text).expect("docs/openapi.json is written");
    }
    let committed = std::fs::read_to_string(&path).expect("docs/openapi.json is there");
    let drift = committed.lines().zip(text.lines()).position(|(committed, now)| committed != now);
    assert!(
        committed == text,
        "docs/openapi.json has drifted, first at line {:?}: review the change and run the test with UPDATE_SCHEMA=1",
        drift.map(|line| line + 1)
    );
}

#[test]
fn everything_in_the_document_has_a_description() {
    everything_is_described(&document());
}

fn everything_is_described(document: &Value) {
    assert_eq!(document["openapi"], "3.1.0");
    let (mut bare, mut seen) = (Vec::new(), 0);
    let mut check = |name: String, of: &Value| {
        seen += 1;
        let said = of["description"].as_str().unwrap_or_default();
        if !said.starts_with(|c: char| c.is_uppercase() || c == '`') || !said.ends_with(['.', ')']) {
            bare.push(format!("{name}: {said:?}"));
        }
    };
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            check(format!("{method} {path}"), operation);
            for parameter in operation["parameters"].as_array().expect("parameters") {
                check(format!("{method} {path}?{}", parameter["name"]), parameter);
            }
            for (status, response) in operation["responses"].as_object().expect("responses") {
                check(format!("{method} {path} {status}"), response);
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        check(name.clone(), schema);
        for (member, of) in schema["properties"].as_object().into_iter().flatten() {
            // A reference has a description of its own, beside the null that may be in its place.
            check(format!("{name}.{member}"), of["oneOf"].get(0).unwrap_or(of));
        }
    }
    // Nothing is referred to that is not there.
    let text = document.to_string();
    for name in text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap_or_default()) {
        assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
    }
    assert!(seen > 100, "{seen}");
    assert!(bare.is_empty(), "{bare:#?}");
}

/// `onBehalfOf` as `on_behalf_of`.
fn snake(name: &str) -> String {
    name.chars().fold(String::new(), |mut snake, letter| {
        if letter.is_uppercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
        snake
    })
}

#[test]
fn what_is_read_and_written_has_the_members_of_graphql() {
    let schema = async_graphql::parser::parse_schema(ledgerline::cli::schema_text()).expect("the schema parses");
    let fields = |wanted: &str| -> Vec<String> {
        let found = schema.definitions.iter().find_map(|definition| match definition {
            TypeSystemDefinition::Type(found) if found.node.name.node == wanted => Some(&found.node.kind),
            _ => None,
        });
        let mut names: Vec<String> = match found.unwrap_or_else(|| panic!("{wanted}")) {
            TypeKind::InputObject(input) => input.fields.iter().map(|field| snake(&field.node.name.node)).collect(),
            TypeKind::Object(object) => object.fields.iter().map(|field| snake(&field.node.name.node)).collect(),
            _ => panic!("{wanted} has no fields"),
        };
        names.sort();
        names
    };
    let document = document();
    for (rest, graphql) in [
        ("EventToRecord", "RecordAuditEventInput"),
        ("EventsToRecord", "RecordAuditEventsInput"),
        ("ActorToRecord", "ActorInput"),
        ("ResourceToRecord", "ResourceInput"),
        ("LogToRecord", "LogRefInput"),
        ("AuditEvent", "AuditEvent"),
        ("AuditEventMatch", "AuditEventMatch"),
        ("Actor", "Actor"),
        ("Resource", "Resource"),
        ("AuditLog", "AuditLog"),
        ("Category", "Category"),
    ] {
        let properties = document["components"]["schemas"][rest]["properties"].as_object();
        let mut names: Vec<_> = properties.unwrap_or_else(|| panic!("{rest}")).keys().cloned().collect();
        if rest == "AuditEvent" {
            // The main one is the first of them.
            names.push("resource".to_owned());
            // That is not the event's own, and not for everybody.
            names.push("held".to_owned());
        }
        if rest == "Category" {
            // The catalog lists them.
            names.push("actions".to_owned());
        }
        names.sort();
        assert_eq!(names, fields(graphql), "{rest}");
    }
}

on_both_databases! {
    the_document_is_served_to_everybody,
    what_products_promise_is_in_the_served_document_as_it_is_answered,
}

async fn the_document_is_served_to_everybody(app: &TestApp) {
    let mut served = served(app).await;
    everything_is_described(&served);
    served["paths"].as_object_mut().expect("paths").retain(|path, _| !PROMISED.contains(&path.as_str()));
    assert_eq!(served, document(), "and what products promise");
}

/// The addresses that product files promise.
const PROMISED: [&str; 2] = ["/v1/projects/{project}/audit-events", "/v1/audit-logs"];

async fn served(app: &TestApp) -> Value {
    let request = axum::http::Request::get("/v1/openapi.json").body(axum::body::Body::empty()).expect("a request");
    let answer = app.send(request).await;
    assert_eq!((answer.status.as_u16(), answer.headers["content-type"].to_str().unwrap()), (200, "application/json"));
    answer.json()
}

async fn what_products_promise_is_in_the_served_document_as_it_is_answered(app: &TestApp) {
    let served = served(app).await;
    let asked =
        [("capydb", PROMISED[0], "/v1/projects/p1/audit-events"), ("cloud-sessions", PROMISED[1], "/v1/audit-logs")];
    for (product, path, uri) in asked {
        let admin = app.admin(product, "acme");
        let mut input = event(if product == "capydb" { "project.deleted" } else { "USER_LOGIN" });
        input["actor"] = json!({ "kind": "STAFF", "email": "ops@example.com" });
        if product == "capydb" {
            input["log"] = json!({ "level": "project", "id": "p1" });
        }
        admin.record(input).await;
        let operation = &served["paths"][path]["get"];
        let body = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let answer = get(app, &admin.token(), uri).await.json();
        assert_eq!(members(&answer), members(&body["properties"]), "{path}");
        let (list, _) = answer.as_object().unwrap().iter().find(|(_, value)| value.is_array()).expect("a list");
        let fields = &body["properties"][list]["items"]["properties"];
        assert_eq!(members(&answer[list][0]), members(fields), "{path}");
        for (name, value) in answer[list][0].as_object().unwrap() {
            if let Some(known) = fields[name]["enum"].as_array() {
                assert!(known.contains(value), "{name}: {value}");
            }
            let (is_nullable, of) = (fields[name]["oneOf"][1]["type"] == "null", &fields[name]["type"]);
            assert!(
                !value.is_null() || is_nullable || of.as_array().is_some_and(|of| of.contains(&json!("null"))),
                "{name}"
            );
        }
        // Each parameter that is named is taken, and no other is.
        for parameter in operation["parameters"].as_array().expect("parameters") {
            let name = parameter["name"].as_str().unwrap();
            if parameter["in"] == "query" {
                let told = get(app, &admin.token(), &format!("{uri}?{name}=%20")).await.json().to_string();
                assert!(!told.contains("is no parameter"), "{name}: {told}");
            }
        }
        let told = get(app, &admin.token(), &format!("{uri}?nobody=1")).await.json().to_string();
        assert!(told.contains("is no parameter"), "{told}");
    }
}

fn members(of: &Value) -> Vec<&String> {
    of.as_object().expect("an object").keys().collect()
}
