//! Faults of a request's variables that lie inside one event. They must not cost the other events of the request, but
//! variables are validated as a whole, before any resolver: so a faulty event is replaced by one that says what its
//! fault is, and the resolver refuses that one alone.

use std::sync::LazyLock;

use async_graphql::{
    InputType, Name, Value, Variables,
    indexmap::IndexMap,
    parser::types::OperationDefinition,
    registry::{MetaType, MetaTypeName, Registry},
};

use super::{
    flaw::Flaw,
    record::input::{DeleteAuditLogInput, RecordAuditEventInput, RecordAuditEventsInput},
};
use crate::{catalog::nearest, error::Result, event::json};

/// Types of the inputs that have events in them, as in the schema.
static TYPES: LazyLock<Registry> = LazyLock::new(|| {
    let mut types = Registry::default();
    RecordAuditEventsInput::create_type_info(&mut types);
    DeleteAuditLogInput::create_type_info(&mut types);
    types
});

/// Puts every fault of an event into its place, and refuses what lies outside of events.
///
/// # Errors
/// `BAD_USER_INPUT` naming the variable and the place in it.
pub fn settle(operation: &OperationDefinition, variables: &mut Variables) -> Result<()> {
    for (name, value) in variables.iter_mut() {
        let declared = operation.variable_definitions.iter().find(|each| each.node.name.node == *name);
        match declared {
            Some(declared) => place(&declared.node.var_type.node.to_string(), value, name)?,
            None => outside(value, name)?,
        }
    }
    Ok(())
}

/// Puts the fault of one event that stands alone into its place, as for one of a variable.
///
/// # Errors
/// None: a fault of an event stays in it.
pub fn settle_event(event: &mut Value) -> Result<()> {
    place(&RecordAuditEventInput::qualified_type_name(), event, "")
}

/// Puts the faults of events below a value of a type into their places.
fn place(of: &str, value: &mut Value, path: &str) -> Result<()> {
    match (MetaTypeName::create(of), value) {
        (MetaTypeName::NonNull(of), value) => place(of, value, path),
        (MetaTypeName::List(of), Value::List(items)) => items.iter_mut().enumerate().try_for_each(|(i, item)| {
            if *item == Value::Null && of == RecordAuditEventInput::qualified_type_name() {
                *item = refused(&fault("", "must not be null"), None);
            }
            place(of, item, &format!("{path}[{i}]"))
        }),
        (_, Value::Null) => Ok(()),
        // The list itself is twice in its object, or a number: no event.
        (MetaTypeName::List(_), value @ Value::Binary(_)) => outside(value, path),
        (MetaTypeName::List(of), value) => place(of, value, path),
        // The resolver looks for flaws in there.
        (MetaTypeName::Named("JSON"), _) => Ok(()),
        (MetaTypeName::Named(of), value) if of == RecordAuditEventInput::type_name() => {
            if let Err(fault) = check(of, value, &mut String::new()) {
                *value = refused(&fault, organization_of(value));
            }
            Ok(())
        }
        (MetaTypeName::Named(of), Value::Object(fields)) => {
            let Some(MetaType::InputObject { input_fields, .. }) = TYPES.types.get(of) else {
                return fields.iter_mut().try_for_each(|(name, value)| outside(value, &format!("{path}.{name}")));
            };
            fields.iter_mut().try_for_each(|(name, value)| {
                let path = format!("{path}.{name}");
                match input_fields.get(name.as_str()) {
                    Some(field) => place(&field.ty, value, &path),
                    None => outside(value, &path),
                }
            })
        }
        (MetaTypeName::Named(_), value) => outside(value, path),
    }
}

/// Refuses what lies outside of events, but for half of a surrogate pair: in its place is NUL, which every field of an
/// event and every filter has its own answer to.
fn outside(value: &mut Value, path: &str) -> Result<()> {
    match value {
        Value::Binary(_) => match Flaw::of(value) {
            Some(Flaw::Half(token)) => {
                *value = with_nul(&token);
                Ok(())
            }
            Some(flaw) => Err(flaw.refusal(path)),
            None => Ok(()),
        },
        Value::List(items) => {
            items.iter_mut().enumerate().try_for_each(|(i, item)| outside(item, &format!("{path}[{i}]")))
        }
        Value::Object(fields) => {
            fields.iter_mut().try_for_each(|(name, value)| outside(value, &format!("{path}.{name}")))
        }
        _ => Ok(()),
    }
}

/// The organization that an event names, whatever else is wrong with it.
fn organization_of(event: &Value) -> Option<Value> {
    let Value::Object(fields) = event else { return None };
    fields.get("organization").filter(|named| matches!(named, Value::String(_))).cloned()
}

/// An event that stands for one with a fault.
fn refused(fault: &Flaw, organization: Option<Value>) -> Value {
    let object = |fields: Vec<(&str, Value)>| {
        Value::Object(fields.into_iter().map(|(name, value)| (Name::new(name), value)).collect::<IndexMap<_, _>>())
    };
    let mut fields = vec![
        ("action", Value::from("")),
        ("actor", object(vec![("kind", Value::from("SYSTEM"))])),
        ("metadata", fault.value()),
    ];
    fields.extend(organization.map(|organization| ("organization", organization)));
    object(fields)
}

fn fault(path: &str, rule: impl Into<String>) -> Flaw {
    Flaw::Event { field: path.to_owned(), rule: rule.into(), suggestions: Vec::new() }
}

/// Checks a value inside of an event against its type, as async-graphql would, and for flaws.
fn check(of: &str, value: &mut Value, path: &mut String) -> Result<(), Flaw> {
    if Flaw::of(value) == Some(Flaw::Twice) {
        return Err(fault(path, "must stand once in its object"));
    }
    match (MetaTypeName::create(of), value) {
        (MetaTypeName::NonNull(_), Value::Null) => Err(fault(path, "must not be null")),
        (MetaTypeName::NonNull(of), value) => check(of, value, path),
        (_, Value::Null) => Ok(()),
        (MetaTypeName::List(of), Value::List(items)) => {
            let outer = path.len();
            for (i, item) in items.iter_mut().enumerate() {
                path.push_str(&format!("[{i}]"));
                check(of, item, path)?;
                path.truncate(outer);
            }
            Ok(())
        }
        (MetaTypeName::List(of), value) => check(of, value, path),
        (MetaTypeName::Named(of), value) => check_named(of, value, path),
    }
}

fn check_named(of: &str, value: &mut Value, path: &mut String) -> Result<(), Flaw> {
    if let (true, Some(Flaw::Half(token))) = (of != "JSON", Flaw::of(value)) {
        *value = with_nul(&token);
    }
    match (TYPES.types.get(of), value) {
        (Some(MetaType::InputObject { input_fields, .. }), Value::Object(fields)) => {
            let outer = path.len();
            let below = |path: &mut String, name: &str| {
                if outer > 0 {
                    path.push('.');
                }
                path.push_str(name);
            };
            for (name, value) in fields.iter_mut() {
                below(path, name);
                let Some(field) = input_fields.get(name.as_str()) else {
                    let suggestions = nearest(name, input_fields.keys().map(|known| (known.as_str(), known.as_str())));
                    let rule = format!("is no field of {of}");
                    return Err(Flaw::Event { field: path.replace('\0', "\u{fffd}"), rule, suggestions });
                };
                check(&field.ty, value, path)?;
                path.truncate(outer);
            }
            let missing = input_fields.values().find(|field| {
                field.ty.ends_with('!') && field.default_value.is_none() && !fields.contains_key(field.name.as_str())
            });
            missing.map_or(Ok(()), |field| {
                below(path, &field.name);
                Err(fault(path, "must be given"))
            })
        }
        (Some(MetaType::InputObject { .. }), _) => Err(fault(path, "must be an object")),
        (Some(MetaType::Enum { enum_values, .. }), value) => {
            let known = match &*value {
                Value::String(name) => enum_values.contains_key(name),
                Value::Enum(name) => enum_values.contains_key(name.as_str()),
                _ => false,
            };
            let names = || enum_values.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            if known { Ok(()) } else { Err(fault(path, format!("must be one of {}", names()))) }
        }
        (_, value) => match (of, &*value) {
            ("String" | "DateTime" | "ID", Value::String(_)) | ("Boolean", Value::Boolean(_)) | ("JSON", _) => Ok(()),
            ("ID", Value::Number(number)) if number.is_i64() => Ok(()),
            ("Boolean", _) => Err(fault(path, "must be true or false")),
            _ => Err(fault(path, "must be a text")),
        },
    }
}

/// The text of a string token, NUL in the place of everything that no text can hold.
fn with_nul(token: &str) -> Value {
    Value::from(json::decode(token).with_nul())
}
