//! The contract as a file: `schema.graphql` is what the code says, and says what everything is.

use std::path::Path;

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};

#[test]
fn schema_graphql_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let text = ledgerline::cli::schema_text();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &text).expect("schema.graphql is written");
    }
    let committed = std::fs::read_to_string(&path).expect("schema.graphql is there");
    let drift = committed.lines().zip(text.lines()).position(|(committed, now)| committed != now);
    assert!(
        committed == text,
        "schema.graphql has drifted, first at line {:?}: review the change and run the test with UPDATE_SCHEMA=1",
        drift.map(|line| line + 1)
    );
}

#[test]
fn everything_in_the_schema_has_a_description() {
    let schema = parse_schema(ledgerline::cli::schema_text()).expect("the schema parses");
    let mut bare: Vec<String> = Vec::new();
    let mut seen = 0;
    let mut check = |name: String, description: Option<&str>| {
        seen += 1;
        let said = description.map(str::trim).unwrap_or_default();
        if said.len() < 4 || !said.starts_with(|c: char| c.is_uppercase()) || !said.ends_with(['.', ')']) {
            bare.push(format!("{name}: {said:?}"));
        }
    };
    for definition in &schema.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node.to_string();
        check(name.clone(), definition.node.description.as_ref().map(|text| text.node.as_str()));
        let fields = match &definition.node.kind {
            TypeKind::Object(object) => &object.fields,
            TypeKind::Interface(interface) => &interface.fields,
            TypeKind::Enum(values) => {
                for value in &values.values {
                    check(
                        format!("{name}.{}", value.node.value.node),
                        value.node.description.as_ref().map(|text| text.node.as_str()),
                    );
                }
                continue;
            }
            TypeKind::InputObject(input) => {
                for field in &input.fields {
                    check(
                        format!("{name}.{}", field.node.name.node),
                        field.node.description.as_ref().map(|text| text.node.as_str()),
                    );
                }
                continue;
            }
            TypeKind::Scalar | TypeKind::Union(_) => continue,
        };
        for field in fields {
            let field_name = format!("{name}.{}", field.node.name.node);
            for argument in &field.node.arguments {
                check(
                    format!("{field_name}({}:)", argument.node.name.node),
                    argument.node.description.as_ref().map(|text| text.node.as_str()),
                );
            }
            check(field_name, field.node.description.as_ref().map(|text| text.node.as_str()));
        }
    }
    assert!(seen > 200, "{seen}");
    assert!(bare.is_empty(), "without a description that begins with a capital and ends with a full stop: {bare:#?}");
}

#[test]
fn every_root_field_that_can_fail_is_nullable() {
    // Otherwise one refused field would take its siblings' answers with it.
    let schema = parse_schema(ledgerline::cli::schema_text()).expect("the schema parses");
    for definition in &schema.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let TypeKind::Object(object) = &definition.node.kind else { continue };
        if ["Query", "Mutation"].contains(&definition.node.name.node.as_str()) {
            for field in &object.fields {
                assert!(field.node.ty.node.nullable, "{} is not nullable", field.node.name.node);
            }
        }
    }
}
