//! Pages of events, written as JSON in one go.
//!
//! async-graphql makes a boxed future, a context and an entry of a map for every field of every event: for a page of 50
//! events that costs several times what it costs to find and to read them. Here the selection of a page is flattened
//! once, every event is written by it as text, and [`to_json`](super::response::to_json) puts that text into the answer as it is.
//!
//! It ends at the items of `edges` and `nodes`. Types, arguments, validation and cost stay with async-graphql, whose
//! schema is made by the `Object` macros alone; so does every list with a field that is not written here (such as
//! `category { actions }`), and everything outside of lists. A test holds both ways to the same answer.

use std::{borrow::Cow, collections::HashMap};

use async_graphql::{
    Context, ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value,
    indexmap::IndexMap,
    parser::types::{Field as Asked, FragmentDefinition, Selection, SelectionSet},
    registry::{MetaTypeName, Registry},
};
use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeMap},
};
use serde_json::value::RawValue;

use super::{connection::AuditEventEdge, event::AuditEvent};
use crate::{
    catalog::{LogDeletion, Product},
    event::{self, json},
    store::{Dictionary, LogNode},
};

/// Bytes of a usual event.
const EVENT_BYTES: usize = 1024;

/// Says, as data of a request, that its answer is made by [`to_json`](super::response::to_json), and that no list of it is asked for twice under
/// one key: written lists cannot be merged.
pub struct Written;

/// The items of a list: values, or all of them as text already.
pub enum Items<T> {
    /// To be resolved by async-graphql.
    Values(Vec<T>),
    /// JSON inside of [`Value::Binary`], which nothing else in this schema is.
    Text(Value),
}

impl<T: Fields> Items<T> {
    /// The items of the list that is being resolved, as text where that can be.
    pub fn of(ctx: &Context<'_>, items: impl ExactSizeIterator<Item = T> + Clone) -> Self {
        let text = ctx.data_opt::<Written>().and_then(|Written| {
            let document = Document { registry: &ctx.schema_env.registry, fragments: &ctx.query_env.fragments };
            let mut set = Set::default();
            set.add(T::TYPE, &ctx.item.node.selection_set.node, document);
            let mut text = Vec::with_capacity(items.len() * EVENT_BYTES);
            let mut serializer = serde_json::Serializer::new(&mut text);
            serializer.collect_seq(items.clone().map(|of| Shown { set: &set, of })).ok()?;
            Some(Self::Text(Value::Binary(text.into())))
        });
        text.unwrap_or_else(|| Self::Values(items.collect()))
    }
}

/// The same type as a list of the items.
impl<T: OutputType> OutputType for Items<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Asked>) -> ServerResult<Value> {
        match self {
            Self::Values(items) => items.resolve(ctx, field).await,
            Self::Text(text) => Ok(text.clone()),
        }
    }
}

/// What a selection is read with.
#[derive(Clone, Copy)]
struct Document<'q> {
    registry: &'q Registry,
    fragments: &'q HashMap<Name, Positioned<FragmentDefinition>>,
}

impl Document<'_> {
    /// Whether an object type is a fragment's, or has its interface.
    fn fits(self, of: &str, condition: &str) -> bool {
        of == condition || self.registry.implements.get(of).is_some_and(|interfaces| interfaces.contains(condition))
    }

    /// The type that a field of a type leads to.
    fn below(&self, of: &str, field: &str) -> &str {
        let found = self.registry.types.get(of).and_then(|of| of.field_by_name(field));
        found.map_or("", |field| MetaTypeName::concrete_typename(&field.ty))
    }
}

/// A selection of one object type, with its fragments expanded and its keys merged. A fragment on an interface may hold
/// others for each of its types: those that are not the object's are left out.
#[derive(Default)]
pub struct Set<'q>(IndexMap<&'q str, Field<'q>>);

/// A field of a selection.
pub struct Field<'q> {
    name: &'q str,
    below: Set<'q>,
}

impl<'q> Set<'q> {
    fn add(&mut self, of: &str, selected: &'q SelectionSet, document: Document<'q>) {
        for selection in &selected.items {
            let (condition, selected) = match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let known = self.0.entry(field.node.response_key().node.as_str());
                    let known = known.or_insert_with(|| Field { name, below: Self::default() });
                    known.below.add(document.below(of, name), &field.node.selection_set.node, document);
                    continue;
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) else { continue };
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set.node)
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set.node)
                }
            };
            if condition.is_none_or(|condition| document.fits(of, condition.node.on.node.as_str())) {
                self.add(of, selected, document);
            }
        }
    }
}

/// An object and what is asked of it.
struct Shown<'a, T> {
    set: &'a Set<'a>,
    of: T,
}

impl<T: Fields> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // async-graphql, too, has null for an object of which every field was skipped.
        if self.set.0.is_empty() {
            return serializer.serialize_none();
        }
        let mut map = serializer.serialize_map(Some(self.set.0.len()))?;
        for (key, field) in &self.set.0 {
            match field.name {
                "__typename" => map.serialize_entry(key, T::TYPE)?,
                _ => self.of.write(&mut map, key, field)?,
            }
        }
        map.end()
    }
}

/// What can be written. Every field MUST say what the `Object` macro's resolver of it says.
pub trait Fields {
    /// Name of the type.
    const TYPE: &'static str;

    /// Writes a field under a key.
    ///
    /// # Errors
    /// Those of the serializer, and one for a field that is left to async-graphql.
    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error>;
}

fn left<E: Error>(field: &Field<'_>) -> E {
    E::custom(format_args!("{} is left to async-graphql", field.name))
}

fn shown<'a, T>(field: &'a Field<'_>, of: T) -> Shown<'a, T> {
    Shown { set: &field.below, of }
}

impl Fields for &AuditEventEdge {
    const TYPE: &'static str = "AuditEventEdge";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error> {
        match field.name {
            "cursor" => map.serialize_entry(key, &self.cursor()),
            "node" => map.serialize_entry(key, &shown(field, &self.node)),
            _ => Err(left(field)),
        }
    }
}

impl Fields for &AuditEvent {
    const TYPE: &'static str = "AuditEvent";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error> {
        let AuditEvent { event, product, dictionary } = self;
        let actor = |actor| shown(field, ActorOf { actor, product });
        match field.name {
            "id" => map.serialize_entry(key, &format_args!("{}", event.id())),
            "sequence" => map.serialize_entry(key, &format_args!("{}", event.sequence)),
            "action" => map.serialize_entry(key, &event.action),
            "actionLabel" => map.serialize_entry(key, &product.catalog.label_of(&event.action)),
            "category" => {
                let category = event.category.as_deref().map(|code| shown(field, CategoryOf { code, product }));
                map.serialize_entry(key, &category)
            }
            "actor" => map.serialize_entry(key, &actor(&event.actor)),
            "onBehalfOf" => map.serialize_entry(key, &event.on_behalf_of.as_ref().map(actor)),
            "resource" => map.serialize_entry(key, &event.resources.first().map(|resource| shown(field, resource))),
            "resources" => {
                let resources: Vec<_> = event.resources.iter().map(|resource| shown(field, resource)).collect();
                map.serialize_entry(key, &resources)
            }
            "log" => {
                let cleared = dictionary.is_gone(product, event.log_no, LogDeletion::Clear);
                let log = LogOf::numbered(dictionary, event.log_no).filter(|_| !cleared);
                map.serialize_entry(key, &log.map(|log| shown(field, log)))
            }
            "outcome" => map.serialize_entry(key, &event.outcome),
            "occurredAt" => map.serialize_entry(key, &event.occurred_at),
            "recordedAt" => map.serialize_entry(key, &event.recorded_at),
            "ipAddress" => map.serialize_entry(key, &event.ip_address),
            "userAgent" => map.serialize_entry(key, &event.user_agent),
            "correlationId" => map.serialize_entry(key, &event.correlation_id),
            "source" => map.serialize_entry(key, &event.source),
            "sourceEventId" => map.serialize_entry(key, &event.source_event_id),
            "recordedBy" => map.serialize_entry(key, &event.recorded_by),
            "truncated" => map.serialize_entry(key, &event.truncated),
            "metadata" => match json::compact(&event.metadata).map(RawValue::from_string) {
                Some(Ok(text)) => map.serialize_entry(key, &text),
                _ => map.serialize_entry(key, &self.metadata_value()),
            },
            "metadataText" => map.serialize_entry(key, &event.metadata),
            _ => Err(left(field)),
        }
    }
}

struct ActorOf<'a> {
    actor: &'a event::Actor,
    product: &'a Product,
}

impl Fields for ActorOf<'_> {
    const TYPE: &'static str = "Actor";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error> {
        match field.name {
            "kind" => map.serialize_entry(key, &self.actor.kind),
            "externalId" => map.serialize_entry(key, &self.actor.id),
            "name" => map.serialize_entry(key, &self.actor.name),
            "email" => map.serialize_entry(key, &self.actor.email),
            "label" => map.serialize_entry(key, &self.product.actor_label(self.actor)),
            "kindLabel" => map.serialize_entry(key, self.product.kind_label(self.actor.kind)),
            _ => Err(left(field)),
        }
    }
}

impl Fields for &event::Resource {
    const TYPE: &'static str = "Resource";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error> {
        match field.name {
            "type" => map.serialize_entry(key, &self.kind),
            "externalId" => map.serialize_entry(key, &self.id),
            "name" => map.serialize_entry(key, &self.name),
            _ => Err(left(field)),
        }
    }
}

struct LogOf<'a> {
    no: i64,
    log: &'a LogNode,
    dictionary: &'a Dictionary,
}

impl<'a> LogOf<'a> {
    fn numbered(dictionary: &'a Dictionary, no: i64) -> Option<Self> {
        dictionary.log(no).map(|log| Self { no, log, dictionary })
    }
}

impl Fields for LogOf<'_> {
    const TYPE: &'static str = "AuditLog";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error> {
        let Self { no, log, dictionary } = self;
        match field.name {
            "id" => map.serialize_entry(key, &dictionary.log_id(*no).map(|id| id.to_string())),
            "level" => map.serialize_entry(key, &log.level),
            "externalId" => map.serialize_entry(key, &log.id),
            "name" => map.serialize_entry(key, &log.name),
            "parent" => {
                let parent = log.parent.and_then(|no| LogOf::numbered(dictionary, no));
                map.serialize_entry(key, &parent.map(|log| shown(field, log)))
            }
            "deletedAt" => map.serialize_entry(key, &log.deleted_at),
            _ => Err(left(field)),
        }
    }
}

struct CategoryOf<'a> {
    code: &'a str,
    product: &'a Product,
}

impl Fields for CategoryOf<'_> {
    const TYPE: &'static str = "Category";

    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error> {
        let known = self.product.catalog.category(self.code);
        match field.name {
            "code" => map.serialize_entry(key, self.code),
            "label" => map.serialize_entry(key, known.map_or(self.code, |known| &known.label)),
            "shortLabel" => map.serialize_entry(key, known.map_or(self.code, |known| &known.short_label)),
            "description" => map.serialize_entry(key, &known.and_then(|known| known.description.as_deref())),
            _ => Err(left(field)),
        }
    }
}
