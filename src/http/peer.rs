//! Who is connected, and whether they are believed to pass on what others asked for.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State, connect_info::Connected},
    http::{HeaderMap, HeaderName, header},
    middleware::Next,
    response::Response,
    serve::IncomingStream,
};
use ipnet::IpNet;
use tokio::net::{TcpListener, UnixListener};

/// The address that somebody connects from; none for a Unix socket, which only those can use who may open its file.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub Option<IpAddr>);

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(Some(stream.remote_addr().ip()))
    }
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(_: IncomingStream<'_, UnixListener>) -> Self {
        Self(None)
    }
}

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Lets through what a proxy says, if it is one that is trusted; from all others nothing is known.
pub async fn believe(State(proxies): State<Arc<[IpNet]>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| *peer);
    let is_trusted = match peer {
        Some(Peer(Some(address))) => proxies.iter().any(|network| network.contains(&address.to_canonical())),
        Some(Peer(None)) => true,
        None => false,
    };
    if !is_trusted {
        request.headers_mut().remove(FORWARDED_HOST);
    }
    next.run(request).await
}

/// The host that the client asked for, behind whichever proxies.
pub fn host(headers: &HeaderMap) -> Option<&str> {
    let forwarded = headers.get(FORWARDED_HOST).and_then(|host| host.to_str().ok());
    let forwarded = forwarded.and_then(|hosts| hosts.split(',').next()).map(str::trim).filter(|host| !host.is_empty());
    forwarded.or_else(|| headers.get(header::HOST)?.to_str().ok())
}
