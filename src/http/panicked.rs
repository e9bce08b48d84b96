//! A request that panicked is told to the log, counted, and answered in the words of what it came by, as any other fault
//! of ours is.

use std::any::Any;

use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{graphql, rest};
use crate::{error::Error, tasks};

/// What stands in a response for the answer that was not made.
#[derive(Clone)]
struct Panicked(Error);

/// Catches panics; [`tell`] has to lie around it.
pub fn catch() -> CatchPanicLayer<fn(Box<dyn Any + Send>) -> Response> {
    CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Panicked(tasks::request_panicked(&*panic)));
        response
    })
}

/// Answers a request that panicked.
pub async fn tell(request: Request, next: Next) -> Response {
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    let mut response = next.run(request).await;
    let Some(Panicked(error)) = response.extensions_mut().remove() else { return response };
    let request_id = super::request_id(&headers);
    if rest::is_below(&path) {
        return rest::problem::Refusal::from(error).into_response(request_id);
    }
    let cause = error.cause_text();
    tracing::error!(request_id, code = error.code().as_str(), cause, "a request could not be answered: {error}");
    if path == "/graphql" {
        return graphql::broken(&headers, &error, request_id);
    }
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{error} (request {request_id})")).into_response()
}
