//! Lists of events, resolved without a future for every field.
//!
//! async-graphql makes a future of each field of each element: fifty events of fifteen fields cost several times what
//! their SQL does. The fields of an event wait for nothing. So a list compiles its selection once (fragments opened,
//! repeated fields merged) and reads it off every event. `event.rs` describes these types in the schema and resolves
//! single events, and lists that ask for a field that is not known here; `tests/it/list.rs` holds both ways to the same
//! answers.

use async_graphql::{
    ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value,
    indexmap::IndexMap,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
    resolver_utils::{enum_value, resolve_list},
};

use super::{
    connection::AuditEventEdge,
    event::{AuditEvent, AuditLog},
};
use crate::{catalog::Product, event};

/// A type that lists resolve: its name, its interface if it has one, and its fields with the types of objects.
struct Type {
    name: &'static str,
    interface: Option<&'static str>,
    fields: &'static [(&'static str, Option<&'static Type>)],
}

static EDGE: Type =
    Type { name: "AuditEventEdge", interface: None, fields: &[("cursor", None), ("node", Some(&EVENT))] };
static EVENT: Type = Type {
    name: "AuditEvent",
    interface: Some("Node"),
    fields: &[
        ("id", None),
        ("sequence", None),
        ("action", None),
        ("actionLabel", None),
        ("category", Some(&CATEGORY)),
        ("actor", Some(&ACTOR)),
        ("onBehalfOf", Some(&ACTOR)),
        ("resource", Some(&RESOURCE)),
        ("resources", Some(&RESOURCE)),
        ("log", Some(&LOG)),
        ("outcome", None),
        ("occurredAt", None),
        ("recordedAt", None),
        ("ipAddress", None),
        ("userAgent", None),
        ("correlationId", None),
        ("source", None),
        ("sourceEventId", None),
        ("recordedBy", None),
        ("metadata", None),
        ("metadataText", None),
    ],
};
static CATEGORY: Type =
    Type { name: "Category", interface: None, fields: &[("code", None), ("label", None), ("shortLabel", None)] };
static ACTOR: Type = Type {
    name: "Actor",
    interface: None,
    fields: &[("kind", None), ("id", None), ("name", None), ("email", None), ("label", None)],
};
static RESOURCE: Type =
    Type { name: "Resource", interface: None, fields: &[("type", None), ("id", None), ("name", None)] };
static LOG: Type = Type {
    name: "AuditLog",
    interface: None,
    fields: &[("level", None), ("id", None), ("name", None), ("parent", Some(&LOG)), ("deletedAt", None)],
};

/// What is asked of an object: each key of the answer with its field, and what is asked of that in turn.
struct Plan<'a> {
    of: &'static Type,
    steps: Vec<(Name, &'a str, Option<Plan<'a>>)>,
}

/// Selected fields by the key of the answer, each with all that is selected below it.
type Selected<'a> = IndexMap<Name, (&'a str, Vec<&'a SelectionSet>)>;

impl<'a> Plan<'a> {
    /// The plan of an object of a type, from all selections that are made of it; `None` if they have a field that is
    /// not known here.
    fn of(ctx: &ContextSelectionSet<'a>, of: &'static Type, selections: &[&'a SelectionSet]) -> Option<Self> {
        let mut fields = Selected::new();
        for selection in selections {
            collect(ctx, of, selection, &mut fields);
        }
        let step = |(key, (name, below)): (Name, (&'a str, Vec<&'a SelectionSet>))| {
            if name == "__typename" {
                return Some((key, name, None));
            }
            let (_, inner) = of.fields.iter().find(|(field, _)| *field == name)?;
            let inner = match inner {
                Some(inner) => Some(Self::of(ctx, inner, &below)?),
                None => None,
            };
            Some((key, name, inner))
        };
        Some(Self { of, steps: fields.into_iter().map(step).collect::<Option<_>>()? })
    }

    /// An object with the fields that `scalar` reads, or `object` with the plan of what is asked of it.
    fn object(&self, scalar: impl Fn(&str) -> Value, object: impl Fn(&str, &Plan<'a>) -> Value) -> Value {
        let mut fields = IndexMap::with_capacity(self.steps.len());
        for (key, name, inner) in &self.steps {
            let value = match inner {
                Some(inner) => object(name, inner),
                None if *name == "__typename" => Value::from(self.of.name),
                None => scalar(name),
            };
            fields.insert(key.clone(), value);
        }
        Value::Object(fields)
    }

    /// An object without objects in it.
    fn flat(&self, scalar: impl Fn(&str) -> Value) -> Value {
        self.object(scalar, |name, _| unknown(name))
    }
}

fn collect<'a>(ctx: &ContextSelectionSet<'a>, of: &Type, selection: &'a SelectionSet, fields: &mut Selected<'a>) {
    let applies = |on: &Name| on == of.name || of.interface.is_some_and(|interface| on == interface);
    for item in &selection.items {
        match &item.node {
            Selection::Field(field) => {
                let key = field.node.response_key().node.clone();
                let (_, below) = fields.entry(key).or_insert_with(|| (field.node.name.node.as_str(), Vec::new()));
                below.push(&field.node.selection_set.node);
            }
            Selection::InlineFragment(fragment) => {
                if fragment.node.type_condition.as_ref().is_none_or(|on| applies(&on.node.on.node)) {
                    collect(ctx, of, &fragment.node.selection_set.node, fields);
                }
            }
            Selection::FragmentSpread(spread) => {
                // Validation has refused unknown fragments and those that spread themselves.
                if let Some(fragment) = ctx.query_env.fragments.get(&spread.node.fragment_name.node)
                    && applies(&fragment.node.type_condition.node.on.node)
                {
                    collect(ctx, of, &fragment.node.selection_set.node, fields);
                }
            }
        }
    }
}

/// `[AuditEventEdge!]!`
pub struct Edges<'e>(pub &'e [AuditEventEdge]);

/// `[AuditEvent!]!`
pub struct Nodes<'e>(pub &'e [AuditEventEdge]);

impl OutputType for Edges<'_> {
    fn type_name() -> std::borrow::Cow<'static, str> {
        Vec::<AuditEventEdge>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<AuditEventEdge>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<AuditEventEdge>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let Some(plan) = Plan::of(ctx, &EDGE, &[&ctx.item.node]) else {
            return resolve_list(ctx, field, self.0, Some(self.0.len())).await;
        };
        let edge =
            |edge: &AuditEventEdge| plan.object(|_| edge.cursor.as_str().into(), |_, below| event(&edge.node, below));
        Ok(Value::List(self.0.iter().map(edge).collect()))
    }
}

impl OutputType for Nodes<'_> {
    fn type_name() -> std::borrow::Cow<'static, str> {
        Vec::<AuditEvent>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<AuditEvent>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<AuditEvent>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let Some(plan) = Plan::of(ctx, &EVENT, &[&ctx.item.node]) else {
            return resolve_list(ctx, field, self.0.iter().map(|edge| &edge.node), Some(self.0.len())).await;
        };
        Ok(Value::List(self.0.iter().map(|edge| event(&edge.node, &plan)).collect()))
    }
}

fn event(node: &AuditEvent, plan: &Plan) -> Value {
    let AuditEvent { event, product, .. } = node;
    let scalar = |name: &str| match name {
        "id" => event.id().to_string().into(),
        "sequence" => event.sequence.to_string().into(),
        "action" => event.action.as_str().into(),
        "actionLabel" => product.catalog.label_of(&event.action).into(),
        "outcome" => maybe(event.outcome, enum_value),
        "occurredAt" => event.occurred_at.to_string().into(),
        "recordedAt" => event.recorded_at.to_string().into(),
        "ipAddress" => text(event.ip_address.as_deref()),
        "userAgent" => text(event.user_agent.as_deref()),
        "correlationId" => text(event.correlation_id.as_deref()),
        "source" => text(event.source.as_deref()),
        "sourceEventId" => text(event.source_event_id.as_deref()),
        "recordedBy" => event.recorded_by.as_str().into(),
        "metadata" => node.json().0,
        "metadataText" => event.metadata.as_str().into(),
        other => unknown(other),
    };
    plan.object(scalar, |name, below| match name {
        "category" => maybe(event.category.as_deref(), |code| category(product, code, below)),
        "actor" => actor(product, &event.actor, below),
        "onBehalfOf" => maybe(event.on_behalf_of.as_ref(), |of| actor(product, of, below)),
        "resource" => maybe(event.resources.first(), |first| resource(first, below)),
        "resources" => Value::List(event.resources.iter().map(|each| resource(each, below)).collect()),
        "log" => maybe(node.shown_log(), |of| log(&of, below)),
        other => unknown(other),
    })
}

fn category(product: &Product, code: &str, plan: &Plan) -> Value {
    let known = product.catalog.category(code);
    plan.flat(|name| match name {
        "code" => code.into(),
        "label" => known.map_or(code, |known| &known.label).into(),
        "shortLabel" => known.map_or(code, |known| &known.short_label).into(),
        other => unknown(other),
    })
}

fn actor(product: &Product, of: &event::Actor, plan: &Plan) -> Value {
    plan.flat(|name| match name {
        "kind" => enum_value(of.kind),
        "id" => text(of.id.as_deref()),
        "name" => text(of.name.as_deref()),
        "email" => text(of.email.as_deref()),
        "label" => product.actor_label(of).into(),
        other => unknown(other),
    })
}

fn resource(of: &event::Resource, plan: &Plan) -> Value {
    plan.flat(|name| match name {
        "type" => text(of.kind.as_deref()),
        "id" => text(of.id.as_deref()),
        "name" => text(of.name.as_deref()),
        other => unknown(other),
    })
}

fn log(of: &AuditLog, plan: &Plan) -> Value {
    let node = of.node();
    let scalar = |name: &str| match name {
        "level" => node.level.as_str().into(),
        "id" => node.id.as_str().into(),
        "name" => text(node.name.as_deref()),
        "deletedAt" => maybe(node.deleted_at, |at| at.to_string().into()),
        other => unknown(other),
    };
    plan.object(scalar, |_, below| maybe(of.above(), |above| log(&above, below)))
}

fn text(of: Option<&str>) -> Value {
    maybe(of, Value::from)
}

fn maybe<T>(of: Option<T>, value: impl FnOnce(T) -> Value) -> Value {
    of.map_or(Value::Null, value)
}

/// A plan has only the fields of its type.
fn unknown(name: &str) -> Value {
    unreachable!("the field {name} stands in a type of lists, and is not read")
}
