//! The service below a path: `https://example.com/audit/`. Some proxies take the path off before they pass a request on,
//! and some leave it there, so both are answered.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, Uri, header, uri::PathAndQuery},
    response::{IntoResponse, Response},
};
use tower::ServiceExt;

/// The routes, with and without the path before them.
pub fn router(base_path: Arc<str>, routes: Router) -> Router {
    Router::new().fallback(move |request| answer(base_path, routes, request))
}

async fn answer(base_path: Arc<str>, routes: Router, mut request: Request) -> Response {
    let uri = request.uri();
    match uri.path().strip_prefix(&*base_path) {
        // The page finds its parts beside its own address, so it has to end in a slash.
        Some("") => {
            let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            return (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, format!("{base_path}/{query}"))])
                .into_response();
        }
        Some(rest) if rest.starts_with('/') => {
            if let Some(uri) = without(uri, &base_path) {
                *request.uri_mut() = uri;
            }
        }
        _ => {}
    }
    let answered: Result<Response, Infallible> = routes.oneshot(request).await;
    answered.unwrap_or_else(|never| match never {})
}

/// The address without the path before it.
fn without(uri: &Uri, base_path: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    let rest = parts.path_and_query.as_ref()?.as_str().strip_prefix(base_path)?;
    parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
    Uri::from_parts(parts).ok()
}
