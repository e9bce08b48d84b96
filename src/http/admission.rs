//! A GraphQL request as it comes in, whatever it comes over: its parts, and whether it may come this way.

use async_graphql::{ServerError, Value, Variables, parser::types::OperationType};
use axum::http::{HeaderName, StatusCode};

use super::{
    Edge,
    received::{BODY, Unread},
};
use crate::{
    auth::Principal,
    error::{Code, Error},
    graphql::{
        coded,
        execute::{Asked, Parameters},
        refusal,
    },
};

/// A request refused before it was executed.
pub struct Refusal {
    pub error: Box<ServerError>,
    /// The status whatever the media type; `None`: 400, or 200 for `application/json`.
    pub status: Option<StatusCode>,
    /// A header that says what would have been taken.
    pub hint: Option<(HeaderName, &'static str)>,
}

impl Refusal {
    pub fn of(error: &Error, status: Option<StatusCode>, request_id: &str) -> Self {
        Self { error: refusal(error, request_id), status, hint: None }
    }

    pub fn malformed(message: &str) -> Self {
        Self::coded(message, StatusCode::BAD_REQUEST)
    }

    pub fn coded(message: &str, status: StatusCode) -> Self {
        Self { error: coded(message, Code::BadUserInput), status: Some(status), hint: None }
    }
}

/// What GraphQL refuses, HTTP answers by the media type.
impl From<Box<ServerError>> for Refusal {
    fn from(error: Box<ServerError>) -> Self {
        Self { error, status: None, hint: None }
    }
}

impl From<Unread> for Refusal {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Refused { status, message, hint } => Self { hint, ..Self::coded(&message, status) },
            Unread::Full(error) => Self::of(&error, Some(status_of(error.code())), ""),
        }
    }
}

pub fn status_of(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).expect("the table of codes has statuses")
}

/// The parts of a request in JSON.
///
/// # Errors
/// What is wrong with them, in words.
pub fn parameters(body: Value) -> Result<Parameters, String> {
    let Value::Object(mut fields) = body else { return Err("it must be an object".to_owned()) };
    let mut text = |name: &str| match fields.swap_remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name} must be a string")),
    };
    let query = text("query")?.ok_or("query must be a string")?;
    let operation_name = text("operationName")?;
    let mut object = |name: &str| match fields.swap_remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(object @ Value::Object(_)) => Ok(Some(object)),
        Some(_) => Err(format!("{name} must be an object")),
    };
    let variables = object("variables")?.map(Variables::from_value);
    object("extensions")?;
    Ok(Parameters { query, operation_name, variables })
}

/// Reads a request that may come this way: no mutations by GET, and only as often as the caller may read. `body` is its
/// length.
pub fn admit(
    edge: &Edge,
    parameters: Parameters,
    principal: Option<&Principal>,
    request_id: &str,
    is_get: bool,
    body: usize,
) -> Result<Asked, Refusal> {
    let mut asked = edge.executor.read(parameters)?;
    let mutates = asked.kind == OperationType::Mutation;
    if is_get && mutates {
        return Err(Refusal::coded(
            "only queries and subscriptions may be sent by GET",
            StatusCode::METHOD_NOT_ALLOWED,
        ));
    }
    if !mutates && body > BODY {
        return Err(Unread::too_large(BODY).into());
    }
    let refuse = |status| move |error: Error| Refusal::of(&error, Some(status), request_id);
    // Whoever brings no token is told so at no cost, but for the schema, which everybody may ask for.
    if !mutates && (principal.is_some() || asked.introspects) {
        edge.read_rate.check(principal).map_err(refuse(StatusCode::TOO_MANY_REQUESTS))?;
    }
    asked.settle().map_err(refuse(StatusCode::BAD_REQUEST))?;
    Ok(asked)
}
