//! What the log says of requests: each line that one causes names whom it came from, and each request has a line of its own
//! where the log is to have them.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use ipnet::IpNet;
use tower_http::{
    classify::{ServerErrorsAsFailures, SharedClassifier},
    trace::{MakeSpan, OnResponse, TraceLayer},
};
use tracing::Span;

use super::{peer, request_id};

/// Bytes of a path that are told: an address may have 64 KiB.
const PATH: usize = 200;

/// Puts each request inside a span.
pub fn told(
    proxies: Arc<[IpNet]>,
) -> TraceLayer<
    SharedClassifier<ServerErrorsAsFailures>,
    impl MakeSpan<Body> + Clone,
    (),
    impl OnResponse<Body> + Clone,
    (),
    (),
    (),
> {
    TraceLayer::new_for_http()
        .make_span_with(move |request: &Request| span(request, &proxies))
        .on_request(())
        .on_response(|response: &Response, took: Duration, _: &Span| {
            // One line a request is more than most logs should hold.
            tracing::debug!(target: "ledgerline::requests", status = response.status().as_u16(), ?took, "answered");
        })
        .on_body_chunk(())
        .on_eos(())
        .on_failure(())
}

/// Of the address the path alone is told: its query has what was searched for, and signatures.
fn span(request: &Request, proxies: &[IpNet]) -> Span {
    let client = peer::of(request).map(|peer| peer.client(request.headers(), proxies));
    let path = request.uri().path();
    // At the level of errors, so that they have it too where nothing else is to be told.
    tracing::error_span!(
        "request",
        id = request_id(request.headers()),
        client = client.map(tracing::field::display),
        method = %request.method(),
        path = &path[..path.floor_char_boundary(PATH)],
    )
}
