//! REST for programs, over the two doors: `/v1/audit-events`, the routes that product files promise, and the OpenAPI
//! document of the former.
//!
//! A list is `{"data": […], "page": {…}}`: `data` is what Stripe, WorkOS and Svix call it, and an object, unlike GitHub's
//! bare array, has room for what is told of the list. Cursors stand in the body for programs that read it, and in `Link`
//! for those that follow links as GitHub's clients do.

pub mod problem;
pub mod product;

mod export;
mod fault;
mod feed;
mod find;
mod link;
mod list;
mod parameters;
mod promised;
mod record;
mod result;
mod tag;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use problem::Refusal;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Edge, authenticate, media};
use crate::{
    auth::Principal,
    catalog::Products,
    error::{Error, Result},
};

/// What the document says of the whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ledgerline",
        version = "1",
        description = "The audit log for programs: list, find and record events. The same events, permissions and limits \
                       as in the GraphQL API. Errors are problem details (RFC 9457) with a `code`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact()
    ),
    servers((url = "/", description = "This service")),
    tags(
        (name = "Audit events", description = "Who did what, when, to which resource."),
        (name = "Exports", description = "Events as files."),
        (name = "Routes of products", description = "Lists in the form that a product promises.")
    ),
    components(schemas(
        parameters::Include,
        parameters::OrderBy,
        parameters::Direction,
        parameters::PeriodPreset
    )),
    security(("bearer" = []), ("key" = [])),
    modifiers(&Schemes)
)]
struct Document;

/// How a request says who asks.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of the product's issuer."))
            .build();
        let key = ApiKeyValue::with_description("X-API-Key", "The same token, for clients that send keys.");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    }
}

/// The routes with their document.
fn documented() -> (Router<Arc<Edge>>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(list::list, record::record))
        .routes(routes!(feed::feed))
        .routes(routes!(export::export))
        .routes(routes!(find::find))
        .routes(routes!(export::fetch))
        .split_for_parts()
}

/// The OpenAPI document of what every service has.
#[must_use]
pub fn openapi() -> String {
    let document = documented().1.to_pretty_json().expect("an OpenAPI document is JSON");
    document + "\n"
}

/// The OpenAPI document as it is served: with the routes of these products, below a path.
fn served(products: &Products, base_path: &str) -> String {
    let mut document = serde_json::to_value(documented().1).expect("an OpenAPI document is JSON");
    if !base_path.is_empty() {
        document["servers"][0]["url"] = base_path.into();
    }
    promised::with_routes(document, products).to_string()
}

/// The routes of REST. Those of products are found by [`product::answer`].
pub fn router(products: &Products, base_path: &str) -> Router<Arc<Edge>> {
    let document: Arc<str> = served(products, base_path).into();
    let served = async move || {
        ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], document.to_string())
    };
    documented().0.route("/v1/openapi.json", get(served)).method_not_allowed_fallback(async |headers: HeaderMap| {
        // The router says in `Allow` what is taken.
        respond(&headers, async |_| Err(Refusal::method())).await
    })
}

/// Whether a path is answered here, be it with a problem.
#[must_use]
pub fn is_below(path: &str) -> bool {
    path == "/v1" || path.starts_with("/v1/")
}

/// Whoever asks: nobody is no answer here.
async fn principal(edge: &Edge, headers: &HeaderMap) -> Result<Arc<Principal>> {
    let principal = authenticate::principal(edge, headers).await?;
    principal.ok_or(Error::Unauthenticated("a bearer token is needed"))
}

/// The same, where a read is counted.
async fn reader(edge: &Edge, headers: &HeaderMap) -> Result<Arc<Principal>> {
    let principal = principal(edge, headers).await?;
    edge.read_rate.check(Some(&principal))?;
    Ok(principal)
}

/// An answer, or the problem that is in its place.
async fn respond(headers: &HeaderMap, answer: impl AsyncFnOnce(&str) -> Result<Response, Refusal>) -> Response {
    let request_id = super::request_id(headers);
    let answered = if media::takes_json(headers) {
        // In memory of its own: all that an answer needs, as a follower, would be part of the future of every request.
        Box::pin(answer(request_id)).await
    } else {
        Err(Refusal::other(StatusCode::NOT_ACCEPTABLE, "the answer is application/json, which Accept must allow"))
    };
    answered.unwrap_or_else(|refusal| refusal.into_response(request_id))
}

/// A JSON answer that no cache keeps.
fn json(status: StatusCode, body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}
