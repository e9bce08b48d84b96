//! The edge: routes, authentication, the GraphQL endpoint, health, metrics and the viewer's files.

pub(crate) mod admission;
mod assets;
mod authenticate;
mod below;
pub(crate) mod bodies;
pub(crate) mod body;
mod coding;
pub mod connections;
mod cors;
mod graphql;
mod jwks;
mod language;
mod live;
mod media;
mod panicked;
mod peer;
mod rate;
mod received;
mod requests;
pub mod rest;

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;
use tower::ServiceBuilder;
use tower_http::{
    compression::{
        CompressionLayer,
        predicate::{DefaultPredicate, Predicate, SizeAbove},
    },
    request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
};

use crate::{
    chance::Chance,
    error::Error,
    graphql::{Services, execute::Executor},
    keys::Keys,
    store::Concerns,
};
pub use bodies::Bodies;
pub use peer::{Address, Peer};
pub use rate::ReadRate;

/// What the routes work with. They share it: cloned for each request, its many reference counts cost more than a small answer.
pub struct Edge {
    /// What executes GraphQL.
    pub executor: Executor,
    /// Store, writer and clock.
    pub services: Services,
    /// Who may sign tokens.
    pub keys: Arc<Keys>,
    /// What bodies may take of the memory.
    pub bodies: Arc<Bodies>,
    /// How often one subject may read.
    pub read_rate: Arc<ReadRate>,
    /// What ids of requests are drawn from.
    pub chance: Chance,
    /// The metrics to show at `/metrics`.
    pub metrics: Option<PrometheusHandle>,
    /// Origins whose pages may call.
    pub origins: Arc<[HeaderValue]>,
    /// The path below which a proxy shows the service; empty where it shows it at the root.
    pub base_path: Arc<str>,
    /// Networks of proxies that are believed.
    pub proxies: Arc<[IpNet]>,
    /// A page that is shown first, in the place of the viewer, once there is one.
    pub first: Arc<OnceLock<String>>,
    /// Says when the service stops.
    pub stopping: watch::Receiver<bool>,
}

/// The header that names a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that a caller gives a request, in bytes.
const LONGEST_ID: usize = 128;
/// Largest answer that is sent uncompressed though the client takes gzip, in bytes.
const COMPRESS_ABOVE: u64 = 4_096;

/// Every route of the service. Pages of the allowed origins may call it, with the allowed headers besides the usual.
pub fn router(edge: Edge, allowed_headers: &[HeaderName]) -> Router {
    let request_id = REQUEST_ID;
    let base_path = edge.base_path.clone();
    let router = Router::new()
        .route("/graphql", get(graphql::get).post(graphql::post))
        .route("/.well-known/jwks.json", get(jwks::get))
        .merge(rest::router(edge.keys.products(), &edge.base_path))
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(elsewhere);
    // One stack, from outside to inside: each call of `Router::layer` would put every route into one more box, and a request
    // clones them all at every one of them.
    let layers = ServiceBuilder::new()
        .layer(middleware::map_request(bounded_id))
        .layer(SetRequestIdLayer::new(request_id.clone(), RandomId(edge.chance.clone())))
        .layer(PropagateRequestIdLayer::new(request_id))
        .layer(requests::told(edge.proxies.clone()))
        .layer(middleware::from_fn_with_state(edge.proxies.clone(), peer::believe))
        .layer(SetResponseHeaderLayer::if_not_present(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(cors::layer(&edge.origins, allowed_headers))
        .layer(middleware::from_fn(panicked::tell))
        .layer(panicked::catch())
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(SizeAbove::new(COMPRESS_ABOVE))))
        // The endpoint reads its body itself, with a limit that depends on what is asked.
        .layer(DefaultBodyLimit::disable());
    let router = router.layer(layers).with_state(Arc::new(edge));
    if base_path.is_empty() { router } else { below::router(base_path, router) }
}

/// Every path that no route is named for: the routes of products, and the viewer's files.
async fn elsewhere(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if rest::is_below(parts.uri.path()) {
        return rest::product::answer(&edge, &parts.method, &parts.uri, &parts.headers).await;
    }
    assets::serve(&edge, &parts.method, &parts.uri, &parts.headers)
}

/// Ready means that the writer task answers, and that the database answers and takes writes.
async fn readyz(State(edge): State<Arc<Edge>>) -> impl IntoResponse {
    // Whoever asks sends requests elsewhere from now on; those that come all the same are answered.
    if *edge.stopping.borrow() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the service stops".to_owned());
    }
    match edge.services.writer.ready().await {
        Ok(Concerns { unsafe_settings, gone_nodes }) => {
            let mut said = "ready".to_owned();
            if !unsafe_settings.is_empty() {
                let off = unsafe_settings.join(" and ");
                said += &format!(
                    ", but LEDGERLINE_ALLOW_UNSAFE_DURABILITY is set, and {off} is off: a crash may lose events"
                );
            }
            if !gone_nodes.is_empty() {
                // The rest is served: whoever sends requests elsewhere would take healthy organizations along.
                let gone = gone_nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                said += &format!(", but for the organizations of nodes that do not answer: {gone}");
            }
            if edge.services.eraser.is_list_behind() {
                // Whoever is erased is in backups, and nothing says so: recording goes on all the same.
                said += ", but the erasure list of LEDGERLINE_ERASURE_LIST cannot be written";
            }
            (StatusCode::OK, said)
        }
        Err(error) => {
            let cause = error.cause_text();
            tracing::error!(cause, "not ready: {error}");
            let why = match (&error, edge.services.reader.missing()) {
                (Error::Closed, Some(missing)) => format!(
                    "{error}: {} events of {} organizations that were acknowledged are not there",
                    missing.events, missing.organizations
                ),
                (Error::Closed, None) => error.to_string(),
                _ => "events cannot be recorded".to_owned(),
            };
            (StatusCode::SERVICE_UNAVAILABLE, why)
        }
    }
}

async fn metrics(State(edge): State<Arc<Edge>>) -> impl IntoResponse {
    let text = edge.metrics.as_ref().map(PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

/// The id of a request; every one that has come through the router has one.
fn request_id(headers: &HeaderMap) -> &str {
    headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default()
}

/// Takes away an id that a caller cannot have meant: log lines and answers repeat it.
async fn bounded_id(mut request: Request) -> Request {
    let is_name = |id: &HeaderValue| id.len() <= LONGEST_ID && id.as_bytes().iter().all(u8::is_ascii_graphic);
    let mut given = request.headers().get_all(REQUEST_ID).iter();
    let is_one = given.next().is_none_or(|id| !id.is_empty() && is_name(id)) && given.next().is_none();
    if !is_one {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

/// A fresh id for every request that brings none.
#[derive(Clone)]
struct RandomId(Chance);

impl MakeRequestId for RandomId {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let id = format!("{:016x}", self.0.draw());
        HeaderValue::from_str(&id).ok().map(RequestId::new)
    }
}
