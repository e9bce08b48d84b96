//! From the service's error to a GraphQL error with `extensions`.

use async_graphql::{Context, ErrorExtensionValues, ErrorExtensions, Pos, ServerError, Value};

use super::request_id;
use crate::error::{Code, Error};

/// Makes the GraphQL error of a failed field, and logs a fault of ours once.
pub fn to_graphql(ctx: &Context<'_>, error: Error) -> async_graphql::Error {
    logged(&error, &request_id(ctx))
}

/// The same for one who has no context any more.
pub(super) fn logged(error: &Error, request_id: &str) -> async_graphql::Error {
    if matches!(error, Error::Internal(_) | Error::Unavailable(_)) {
        let cause = error.cause_text();
        tracing::error!(request_id, code = error.code().as_str(), cause, "a field could not be answered: {error}");
    }
    extended(error, request_id)
}

/// The error of a whole request, which was not executed.
#[must_use]
pub fn refusal(error: &Error, request_id: &str) -> Box<ServerError> {
    let mut error = extended(error, request_id).into_server_error(Pos::default());
    // What is wrong with the whole request has no place in its document.
    error.locations.clear();
    Box::new(error)
}

/// The error of a whole request that ended in a fault of ours, which is logged.
#[must_use]
pub(super) fn broken(error: &Error, request_id: &str) -> Box<ServerError> {
    let _ = logged(error, request_id);
    refusal(error, request_id)
}

/// The error of a whole request that is wrong as GraphQL, or as what it came over.
#[must_use]
pub fn coded(message: impl Into<String>, code: Code) -> Box<ServerError> {
    let mut error = ServerError::new(message, None);
    set_code(&mut error, code);
    Box::new(error)
}

/// Sets `extensions.code`.
pub(super) fn set_code(error: &mut ServerError, code: Code) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code.as_str());
}

/// The GraphQL error of an error, without logging.
fn extended(error: &Error, request_id: &str) -> async_graphql::Error {
    async_graphql::Error::new(error.to_string()).extend_with(|_, extensions| {
        extensions.set("code", error.code().as_str());
        match error {
            Error::BadInput { field, rule, suggestions, .. } => {
                extensions.set("field", field.as_str());
                extensions.set("rule", rule.as_str());
                if !suggestions.is_empty() {
                    extensions
                        .set("suggestions", Value::List(suggestions.iter().map(|s| Value::from(s.as_str())).collect()));
                }
            }
            Error::BadQuery { at, rule, suggestions } => {
                extensions.set("field", "query");
                extensions.set("rule", rule.as_str());
                extensions.set("from", at.start);
                extensions.set("to", at.end);
                if !suggestions.is_empty() {
                    let suggestions = suggestions.iter().map(|text| Value::from(text.as_str())).collect();
                    extensions.set("suggestions", Value::List(suggestions));
                }
            }
            Error::PlanRequired { plans } => {
                extensions
                    .set("requiredPlans", Value::List(plans.iter().map(|plan| Value::from(plan.as_str())).collect()));
            }
            Error::Conflict { existing: Some(existing) } => extensions.set("existing", existing.as_str()),
            Error::Held { hold, .. } => extensions.set("hold", hold.as_str()),
            Error::Overloaded { retry_after_ms } | Error::RateLimited { retry_after_ms } => {
                extensions.set("retryAfterMs", *retry_after_ms);
            }
            Error::IssuerDown { issuer, retry_after_ms } => {
                extensions.set("issuer", issuer.as_str());
                extensions.set("retryAfterMs", *retry_after_ms);
                extensions.set("requestId", request_id);
            }
            Error::Internal(_) | Error::Unavailable(_) => extensions.set("requestId", request_id),
            _ => {}
        }
    })
}
