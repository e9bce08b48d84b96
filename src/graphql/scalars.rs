//! Scalars of the schema.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

use crate::event::Timestamp;

/// An instant as RFC 3339, such as `2026-11-21T09:30:00.123456789Z`. Answers are in UTC with as many fraction
/// digits as needed, at most nine; inputs may carry any offset.
// The text and not the instant: a bad date is refused later, for its own event and field.
#[derive(Clone, Debug)]
pub struct DateTime(pub String);

impl From<Timestamp> for DateTime {
    fn from(at: Timestamp) -> Self {
        Self(at.to_string())
    }
}

/// An instant as RFC 3339, such as `2026-11-21T09:30:00.123456789Z`. Answers are in UTC with as many fraction
/// digits as needed, at most nine; inputs may carry any offset.
#[Scalar(name = "DateTime", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A 64-bit integer.
#[derive(Clone, Copy, Debug)]
pub struct BigInt(pub i64);

/// A 64-bit integer. Answers have it as a string, because GraphQL's Int has 32 bits and JavaScript's numbers 53; a string
/// or a number is taken.
#[Scalar(name = "BigInt")]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        let number = match &value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_i64(),
            _ => None,
        };
        number.map(Self).ok_or_else(|| InputValueError::custom("must be a 64-bit integer, as a string or a number"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Any JSON value.
#[derive(Clone, Debug)]
pub struct Json(pub Value);

/// Any JSON value.
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

/// A count for GraphQL's 32-bit Int.
pub fn int(n: i64) -> i32 {
    i32::try_from(n).unwrap_or(if n < 0 { 0 } else { i32::MAX })
}
