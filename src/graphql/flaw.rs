//! A mark in the place of a value that a reader of JSON would change or cannot read. It stands in the variables as
//! [`Value::Binary`], which no JSON and no document can make, until it is known in which event it lies, if in any.

use async_graphql::Value;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What is wrong with a value of the variables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Flaw {
    /// A number that reading would change, as spelled.
    Number(String),
    /// A key that stood in its object before.
    Twice,
    /// A string token with half of a surrogate pair in it.
    Half(String),
    /// An object or array that nests too deep to be read, as spelled.
    Deep(String),
    /// A whole event.
    Event {
        /// The field that breaks a rule, below the event.
        field: String,
        /// The rule.
        rule: String,
        /// Names that would have been accepted.
        suggestions: Vec<String>,
    },
}

impl Flaw {
    /// The flaw as a value of variables.
    #[must_use]
    pub fn value(&self) -> Value {
        Value::Binary(serde_json::to_vec(self).expect("texts become JSON").into())
    }

    /// The flaw that a value of variables is.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        let Value::Binary(bytes) = value else { return None };
        serde_json::from_slice(bytes).ok()
    }

    /// Why a value is refused for it.
    pub fn refusal(&self, path: &str) -> Error {
        let path = &path.replace('\0', "\u{fffd}");
        match self {
            Self::Number(number) => lossy(path, number),
            Self::Twice => Error::bad_input(path, "must stand once in its object"),
            Self::Half(_) => Error::bad_input(path, "must not contain half of a surrogate pair"),
            Self::Deep(_) => Error::bad_input(path, "must not nest so deep"),
            Self::Event { field, rule, suggestions } => Error::BadInput {
                field: field.clone(),
                rule: rule.clone(),
                given: None,
                suggestions: suggestions.clone(),
            },
        }
    }
}

/// The refusal of a number that JSON would change.
pub fn lossy(field: &str, number: &str) -> Error {
    let shown: String = number.chars().take(40).collect();
    Error::bad_input(
        field,
        format!("the number {shown} would be changed by JSON; send metadata with such numbers as metadataText"),
    )
}

/// The JSON text of a value of variables or of a document: flaws that are text stand in it as they are spelled.
///
/// # Errors
/// `BAD_USER_INPUT` naming the place of a flaw that is none.
pub fn json_text(value: &Value, path: &mut String) -> Result<String> {
    let mut out = String::new();
    write(value, path, &mut out)?;
    Ok(out)
}

fn write(value: &Value, path: &mut String, out: &mut String) -> Result<()> {
    let outer = path.len();
    match value {
        Value::Object(fields) => {
            out.push('{');
            for (place, (name, value)) in fields.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                put(name.as_str(), out);
                out.push(':');
                path.extend([".", name]);
                write(value, path, out)?;
                path.truncate(outer);
            }
            out.push('}');
        }
        Value::List(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                path.push_str(&format!("[{place}]"));
                write(item, path, out)?;
                path.truncate(outer);
            }
            out.push(']');
        }
        Value::String(text) => put(text, out),
        Value::Enum(name) => put(name.as_str(), out),
        Value::Null => out.push_str("null"),
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::Binary(_) => match Flaw::of(value) {
            Some(Flaw::Half(text) | Flaw::Deep(text)) => out.push_str(&text),
            Some(flaw) => return Err(flaw.refusal(path)),
            None => out.push_str("null"),
        },
    }
    Ok(())
}

fn put(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a text becomes JSON"));
}
