//! Pages of events, written as JSON in one go.
//!
//! async-graphql makes a boxed future, a context and an entry of a map for every field of every event: for a page of 50
//! events that costs several times what it costs to find and to read them. Here the selection of a page is flattened
//! once, every event is written by it as text, and [`to_json`](super::response::to_json) puts that text into the answer
//! as it is.
//!
//! It ends at the items of `edges` and `nodes`. Types, arguments, validation and cost stay with async-graphql, whose
//! schema is made by the `Object` macros alone; so does every list with a field that is not written here (such as
//! `category { actions }`), and everything outside of lists. A test holds both ways to the same answer.

mod event;

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

/// Bytes of a usual event.
const EVENT_BYTES: usize = 1024;

/// A mark in a request's data: lists of its answer may be written. It MUST NOT be there where a list is asked for twice
/// under one key, because written lists cannot be merged; nor where the answer is not made into text by
/// [`to_json`](super::response::to_json).
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

/// The schema and the document's fragments: what a selection is flattened by.
#[derive(Clone, Copy)]
struct Document<'q> {
    registry: &'q Registry,
    fragments: &'q HashMap<Name, Positioned<FragmentDefinition>>,
}

impl Document<'_> {
    /// Whether a fragment applies to an object type: its condition is the type itself or an interface of it.
    fn fits(self, of: &str, condition: &str) -> bool {
        of == condition || self.registry.implements.get(of).is_some_and(|interfaces| interfaces.contains(condition))
    }

    /// The type that a field of a type leads to.
    fn below(&self, of: &str, field: &str) -> &str {
        let found = self.registry.types.get(of).and_then(|of| of.field_by_name(field));
        found.map_or("", |field| MetaTypeName::concrete_typename(&field.ty))
    }
}

/// A selection of one object type, with its fragments expanded and its keys merged. Fragments for other types, which may
/// lie inside of a fragment on an interface, are left out.
#[derive(Default)]
pub struct Set<'q>(IndexMap<&'q str, Field<'q>>);

/// A field of a selection.
pub struct Field<'q> {
    name: &'q str,
    below: Set<'q>,
}

impl Field<'_> {
    /// Its name in the schema.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// An object that it leads to, to be written by what is selected below it.
    pub fn of<T>(&self, of: T) -> Shown<'_, T> {
        Shown { set: &self.below, of }
    }

    /// Leaves the list to async-graphql, because this field is not written here.
    pub fn left<E: Error>(&self) -> E {
        E::custom(format_args!("{} is left to async-graphql", self.name))
    }
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
pub struct Shown<'a, T> {
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
    /// Where the text cannot be written, and for a field that is left to async-graphql.
    fn write<M: SerializeMap>(&self, map: &mut M, key: &str, field: &Field<'_>) -> Result<(), M::Error>;
}
