//! A request's body, read once: straight into the values that async-graphql works with.

use std::{borrow::Cow, cell::Cell, collections::HashSet};

use async_graphql::{Name, Value, indexmap::IndexMap};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::{
    event::json::{self, Names, Tree, decode},
    graphql::flaw::Flaw,
};

/// Deepest nesting that is read; what lies deeper is a flaw.
const DEPTH: usize = 100;

/// The bytes of a JSON text as UTF-8. What is none becomes an escaped NUL: inside of a string, where a client put bytes
/// that somebody sent, it is replaced like any other; elsewhere it is no JSON.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push_str("\\u0000");
        }
    }
    Cow::Owned(text)
}

/// Reads a JSON text. What reading would change, or cannot read, stands in the value as a [`Flaw`]: in which event it
/// lies, if in any, only the document tells.
///
/// # Errors
/// Where the text is no JSON, in the parser's words.
pub fn read(text: &str) -> serde_json::Result<Value> {
    // Most bodies are as simple as they look: whole numbers, keys that stand once, nothing deep.
    if json::depth(text) <= DEPTH {
        let doubtful = Cell::new(false);
        let mut json = serde_json::Deserializer::from_str(text);
        let read = Reader { doubtful: &doubtful }.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
        if let (Ok(value), false) = (read, doubtful.get()) {
            return Ok(value);
        }
    }
    // The syntax first, and without a stack.
    serde_json::from_str::<&serde_json::value::RawValue>(text)?;
    Ok(value_of(&Tree::read(text, DEPTH)))
}

fn value_of(tree: &Tree<'_>) -> Value {
    match tree {
        Tree::Object(members) => {
            let mut object: IndexMap<Name, Value> = IndexMap::with_capacity(members.len());
            let (mut spelled, mut names) = (HashSet::new(), Names::default());
            for (key, value) in members {
                let key = decode(key);
                let name = key.with_nul();
                if spelled.insert(key.identity()) {
                    // Keys that differ in what cannot be read are two.
                    let name = names.free(name, |name| object.contains_key(name));
                    object.insert(Name::new(name), value_of(value));
                } else {
                    object.insert(Name::new(name), Flaw::Twice.value());
                }
            }
            Value::Object(object)
        }
        Tree::List(items) => Value::List(items.iter().map(value_of).collect()),
        Tree::String(token) => {
            let read = decode(token);
            if read.has_half() {
                Flaw::Half(token.clone().into_owned()).value()
            } else {
                Value::String(read.with_nul())
            }
        }
        Tree::Plain(text) if tree.is_changed_number() => Flaw::Number((*text).to_owned()).value(),
        Tree::Plain(text) => serde_json::from_str(text).unwrap_or_default(),
        Tree::Deep(text) => Flaw::Deep((*text).to_owned()).value(),
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    doubtful: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.doubtful.set(true);
        Ok(Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = IndexMap::new();
        while let Some(name) = fields.next_key::<Name>()? {
            if object.insert(name, fields.next_value_seed(self)?).is_some() {
                self.doubtful.set(true);
            }
        }
        Ok(Value::Object(object))
    }
}
