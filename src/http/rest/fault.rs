//! What is wrong, in the words of REST: of a request, or of one of its events. `error.rs` has the table.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    error::{Code, Error},
    reading::shown::json::snake,
};

/// A fault, with what a client needs in order to act on it.
#[derive(Clone, Serialize, ToSchema)]
pub struct Fault {
    /// What a client can do about it.
    #[schema(value_type = Code)]
    code: &'static str,
    /// What is wrong, in a sentence for people.
    detail: String,
    /// The parameter or member that breaks a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    field: Option<String>,
    /// The rule that it breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rule: Option<String>,
    /// The nearest names that would have been accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    suggestions: Vec<String>,
    /// Where the part of `q` begins that breaks the rule: characters before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    from: Option<usize>,
    /// Where that part ends: characters before its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    to: Option<usize>,
    /// Plans that include reading.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    required_plans: Vec<String>,
    /// Id of the event that the idempotency key was used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    existing: Option<String>,
    /// The issuer of the token, where it does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    issuer: Option<String>,
    /// When a new attempt makes sense, in milliseconds; `Retry-After` says the same in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after_ms: Option<u64>,
}

impl Fault {
    /// A fault that is told in a sentence alone.
    pub fn plain(code: Code, detail: String) -> Self {
        Self {
            code: code.as_str(),
            detail,
            field: None,
            rule: None,
            suggestions: Vec::new(),
            from: None,
            to: None,
            required_plans: Vec::new(),
            existing: None,
            issuer: None,
            retry_after_ms: None,
        }
    }

    /// When a new attempt makes sense, in milliseconds.
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.retry_after_ms
    }
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        let plain = Self::plain(error.code(), error.to_string());
        match error {
            Error::BadInput { field, rule, suggestions, .. } => Self {
                field: Some(field.clone()).filter(|field| !field.is_empty()),
                rule: Some(rule.clone()),
                suggestions: suggestions.clone(),
                detail: plain.detail.strip_prefix(": ").map_or_else(|| plain.detail.clone(), str::to_owned),
                ..plain
            },
            Error::BadQuery { at, rule, suggestions } => Self {
                field: Some("q".to_owned()),
                rule: Some(rule.clone()),
                suggestions: suggestions.clone(),
                from: Some(at.start),
                to: Some(at.end),
                detail: format!("q: at {}: {rule}", at.start + 1),
                ..plain
            },
            Error::PlanRequired { plans } => Self { required_plans: plans.clone(), ..plain },
            Error::Conflict { existing } => Self {
                field: Some("idempotency_key".to_owned()),
                existing: existing.clone(),
                detail: "idempotency_key: was used for another event".to_owned(),
                ..plain
            },
            Error::Overloaded { retry_after_ms } | Error::RateLimited { retry_after_ms } => {
                Self { retry_after_ms: Some(*retry_after_ms), ..plain }
            }
            Error::IssuerDown { issuer, retry_after_ms } => {
                Self { issuer: Some(issuer.clone()), retry_after_ms: Some(*retry_after_ms), ..plain }
            }
            _ => plain,
        }
    }
}

/// The header that names the key of one event.
pub const KEY_HEADER: &str = "Idempotency-Key";
/// How the rule begins that a member breaks which is none.
pub const NO_MEMBER: &str = "is no member of";

/// The error of an event, with the names that REST has for its fields.
pub fn of_event(error: Error) -> Error {
    let Error::BadInput { field, rule, given, suggestions } = error else { return error };
    // What was found here has the names that the client wrote.
    if rule.starts_with(NO_MEMBER) || field == KEY_HEADER {
        return Error::BadInput { field, rule, given, suggestions };
    }
    let of_type = rule.strip_prefix("is no field of ");
    let suggestions = match of_type {
        Some(_) => suggestions.iter().map(|name| snake(name)).collect(),
        None => suggestions,
    };
    let rule = match of_type {
        Some("ActorInput") => "is no member of an actor".to_owned(),
        Some("ResourceInput") => "is no member of a resource".to_owned(),
        Some("LogRefInput") => "is no member of a log".to_owned(),
        Some(_) => "is no member of an event".to_owned(),
        None => rule.replace("metadataText", "metadata_text"),
    };
    Error::BadInput { field: snake(&field), rule, given, suggestions }
}
