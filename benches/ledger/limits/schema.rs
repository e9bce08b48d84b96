//! The fields that there are to ask, by the schema.

use std::collections::HashMap;

use anyhow::Result;
use async_graphql::parser::{
    parse_schema,
    types::{BaseType, FieldDefinition, ServiceDocument, Type, TypeKind, TypeSystemDefinition},
};

/// The objects of the schema, by name, with their fields.
pub(super) struct Schema(HashMap<String, Vec<FieldDefinition>>);

impl Schema {
    pub(super) fn read() -> Result<Self> {
        let ServiceDocument { definitions } = parse_schema(std::fs::read_to_string("schema.graphql")?)?;
        let types = definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(found) => match found.node.kind {
                TypeKind::Object(object) => {
                    let fields = object.fields.into_iter().map(|field| field.node).collect();
                    Some((found.node.name.node.to_string(), fields))
                }
                _ => None,
            },
            _ => None,
        });
        Ok(Self(types.collect()))
    }

    pub(super) fn fields(&self, type_name: &str) -> impl Iterator<Item = &FieldDefinition> {
        self.0.get(type_name).into_iter().flatten()
    }

    /// Every field of a type and of the types in it, but of none that is around it.
    pub(super) fn selection(&self, type_name: &str) -> String {
        self.selection_within(type_name, &mut Vec::new())
    }

    fn selection_within<'a>(&'a self, type_name: &'a str, around: &mut Vec<&'a str>) -> String {
        around.push(type_name);
        let mut fields = Vec::new();
        for field in self.fields(type_name) {
            let of = innermost(&field.ty.node);
            match self.0.contains_key(of) {
                false => fields.push(field.name.node.to_string()),
                true if around.contains(&of) || is_elsewhere(type_name, &field.name.node) => {}
                true => fields.push(format!("{} {}", field.name.node, self.selection_within(of, around))),
            }
        }
        around.pop();
        format!("{{ {} }}", fields.join(" "))
    }
}

/// What has a line of its own: with it, a list would be too much at once. The actions of a category are in the catalog.
fn is_elsewhere(type_name: &str, field: &str) -> bool {
    matches!((type_name, field), ("Category", "actions") | ("AuditAlertRule", "lastFiring"))
}

fn innermost(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => innermost(inner),
    }
}
