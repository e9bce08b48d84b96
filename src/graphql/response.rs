//! What async-graphql leaves to do about an answer: fields in the order of the document (version 7 has them as they get
//! ready), null for a field that failed (it leaves the field out), a code for each of its own errors, and the answer as
//! text, with the lists in it that are written already.

use async_graphql::{
    Name, PathSegment, Pos, Response, ServerError, Value,
    indexmap::IndexMap,
    parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};
use serde::Serialize;

use super::error::set_code;
use crate::error::Code;

/// Makes an answer what the specification wants it to be.
pub(super) fn settle(answer: &mut Response, order: &FieldOrder, document: &ExecutableDocument) {
    null_failed_fields(answer);
    order.apply(&mut answer.data);
    code_errors(answer, document);
}

/// Levels below the root whose fields may get ready out of order: those that ask the database.
const LEVELS: u32 = 3;

/// The response keys of a selection, in order, each with those below it.
#[derive(Default)]
pub(super) struct FieldOrder {
    keys: IndexMap<Name, FieldOrder>,
    /// Whether something with fields of its own is asked for twice under one key.
    merged: bool,
}

impl FieldOrder {
    /// The order that an operation asks for. The document MUST have passed
    /// [`check_document`](super::limits::check_document): fragments that form a cycle would not end.
    #[must_use]
    pub(super) fn of(document: &ExecutableDocument, operation: &OperationDefinition) -> Self {
        let mut order = Self::default();
        order.add(document, &operation.selection_set.node, LEVELS);
        order
    }

    /// Whether a list of the upper levels may have to be merged from what was asked for twice under one key.
    #[must_use]
    pub(super) fn merges_lists(&self) -> bool {
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
    fn apply(&self, data: &mut Value) {
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

/// Puts the null of a failed field where the specification wants it.
fn null_failed_fields(response: &mut Response) {
    let Response { data, errors, .. } = response;
    // Every root field is nullable: an operation whose fields all failed has an object of nulls.
    if *data == Value::Null && errors.iter().any(|error| !error.path.is_empty()) {
        *data = Value::Object(IndexMap::new());
    }
    for error in errors.iter() {
        if let Some((PathSegment::Field(last), head)) = error.path.split_last()
            && let Some(Value::Object(object)) = at(data, head)
        {
            object.entry(Name::new(last)).or_insert(Value::Null);
        }
    }
}

fn at<'v>(value: &'v mut Value, path: &[PathSegment]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, segment| match (segment, value) {
        (PathSegment::Field(field), Value::Object(object)) => object.get_mut(field.as_str()),
        (PathSegment::Index(index), Value::List(list)) => list.get_mut(*index),
        _ => None,
    })
}

/// Gives a code to each error that has none: those of the library itself.
fn code_errors(answer: &mut Response, document: &ExecutableDocument) {
    for error in &mut answer.errors {
        let coded = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
        if coded {
            continue;
        }
        let too_complex = ["Query is too complex", "Query is nested too deep"];
        let code = if too_complex.iter().any(|text| error.message.starts_with(text)) {
            Code::QueryTooComplex
        } else if error.path.is_empty() {
            Code::GraphqlValidationFailed
        } else {
            name_argument(error, document);
            Code::BadUserInput
        };
        set_code(error, code);
    }
}

/// Says which argument has a value that its type does not take, and what it takes. The library knows the value's place.
fn name_argument(error: &mut ServerError, document: &ExecutableDocument) {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let mut sets = operations.chain(document.fragments.values().map(|fragment| &fragment.node.selection_set.node));
    let Some(argument) = error.locations.first().and_then(|at| sets.find_map(|set| argument_at(set, *at))) else {
        return;
    };
    let rule = error.message.split_once("\": ").map_or(error.message.as_str(), |(_, rule)| rule);
    let rule = rule.split(" (occurred while parsing").next().unwrap_or(rule).to_owned();
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("field", argument.as_str());
    extensions.set("rule", rule.as_str());
    error.message = format!("{argument}: {rule}");
}

/// The argument whose value stands at a place.
fn argument_at(set: &SelectionSet, place: Pos) -> Option<&Name> {
    set.items.iter().find_map(|item| match &item.node {
        Selection::Field(field) => {
            let argument = field.node.arguments.iter().find(|(_, value)| value.pos == place);
            argument.map(|(name, _)| &name.node).or_else(|| argument_at(&field.node.selection_set.node, place))
        }
        Selection::InlineFragment(fragment) => argument_at(&fragment.node.selection_set.node, place),
        Selection::FragmentSpread(_) => None,
    })
}

/// An answer with written lists as JSON, these in their places; `None` for an answer without.
///
/// # Panics
/// Never: what an answer is made of becomes JSON.
#[must_use]
pub fn to_json(answer: &Response) -> Option<Vec<u8>> {
    if !has_list(&answer.data) {
        return None;
    }
    let mut out = Vec::with_capacity(1024);
    out.extend(b"{\"data\":");
    write(&mut out, &answer.data);
    if !answer.errors.is_empty() {
        out.extend(b",\"errors\":");
        put(&mut out, &answer.errors);
    }
    out.push(b'}');
    Some(out)
}

fn has_list(value: &Value) -> bool {
    match value {
        Value::Binary(_) => true,
        Value::Object(fields) => fields.values().any(has_list),
        _ => false,
    }
}

fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Binary(text) => out.extend(text),
        Value::Object(fields) => {
            out.push(b'{');
            for (place, (key, value)) in fields.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                put(out, key);
                out.push(b':');
                write(out, value);
            }
            out.push(b'}');
        }
        // A written list stands in objects alone: no list has one in its items.
        _ => put(out, value),
    }
}

fn put(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(out, value).expect("names, texts and numbers become JSON");
}
