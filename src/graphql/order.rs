//! The order of an answer's fields. async-graphql 7 writes fields as they get ready; the specification wants them as
//! the document asks for them.

use async_graphql::{
    Name, Value,
    indexmap::IndexMap,
    parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};

/// Levels below the root whose fields may get ready out of order: those that ask the database.
const LEVELS: u32 = 3;

/// The response keys of a selection, in order, each with those below it.
#[derive(Default)]
pub struct Order {
    keys: IndexMap<Name, Order>,
    /// Whether something with fields of its own is asked for twice under one key.
    merged: bool,
}

impl Order {
    /// The order that an operation asks for. The document MUST have passed [`check_document`](super::limits::check_document):
    /// fragments that form a cycle would not end.
    #[must_use]
    pub fn of(document: &ExecutableDocument, operation: &OperationDefinition) -> Self {
        let mut order = Self::default();
        order.add(document, &operation.selection_set.node, LEVELS);
        order
    }

    /// Whether a list of the upper levels may have to be merged from what was asked for twice under one key.
    #[must_use]
    pub fn merges_lists(&self) -> bool {
        self.merged || self.keys.values().any(Self::merges_lists)
    }

    fn add(&mut self, document: &ExecutableDocument, set: &SelectionSet, levels: u32) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let (key, inner) = (&field.node.response_key().node, &field.node.selection_set.node);
                    let known = self.keys.contains_key(key);
                    let below = self.keys.entry(key.clone()).or_default();
                    if levels > 1 {
                        self.merged |= known && !inner.items.is_empty();
                        below.add(document, inner, levels - 1);
                    }
                }
                Selection::InlineFragment(fragment) => self.add(document, &fragment.node.selection_set.node, levels),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                        self.add(document, &fragment.node.selection_set.node, levels);
                    }
                }
            }
        }
    }

    /// Puts the fields of an answer in order. Lists are left alone: their items ask for nothing.
    pub fn apply(&self, data: &mut Value) {
        let Value::Object(fields) = data else { return };
        let mut ordered = IndexMap::with_capacity(fields.len());
        for (key, below) in &self.keys {
            if let Some(mut value) = fields.swap_remove(key) {
                below.apply(&mut value);
                ordered.insert(key.clone(), value);
            }
        }
        ordered.append(fields);
        *fields = ordered;
    }
}
