//! The contract of REST as a file: `docs/openapi.json` is what the code says, and says what everything is.

use std::path::Path;

use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use serde_json::Value;

use crate::harness::{TestApp, on_both_databases};

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
    let document = document();
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
}

async fn the_document_is_served_to_everybody(app: &TestApp) {
    let request = axum::http::Request::get("/v1/openapi.json").body(axum::body::Body::empty()).expect("a request");
    let answer = app.send(request).await;
    assert_eq!((answer.status.as_u16(), answer.headers["content-type"].to_str().unwrap()), (200, "application/json"));
    assert_eq!(answer.json(), document());
}
