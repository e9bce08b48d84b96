//! A request's body, read once: straight into the values that async-graphql works with.

use std::cell::Cell;

use async_graphql::{Name, Value, indexmap::IndexMap};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Reads a JSON text, and tells whether reading may have changed it: a number that is not a whole one below 2^63, or a
/// key that stands twice in its object. Most bodies have neither, and need no closer look.
///
/// # Errors
/// Those of the JSON parser.
pub fn read(text: &str) -> serde_json::Result<(Value, bool)> {
    let doubtful = Cell::new(false);
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Reader { doubtful: &doubtful }.deserialize(&mut json)?;
    json.end()?;
    Ok((value, doubtful.get()))
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
