//! Who is connected, and whether they are believed to pass on what others asked for.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, header},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;

/// The address that somebody connects from; none for a Unix socket, which only those can use who may open its file.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub Option<IpAddr>);

impl Peer {
    /// Whether it is a proxy that is trusted; whoever can open the socket's file is.
    #[must_use]
    pub fn is_trusted(self, proxies: &[IpNet]) -> bool {
        let Self(Some(address)) = self else { return true };
        proxies.iter().any(|network| network.contains(&address.to_canonical()))
    }
}

/// An address that a listener tells of.
pub trait Address {
    /// Whoever connects from it.
    fn peer(&self) -> Peer;
}

impl Address for SocketAddr {
    fn peer(&self) -> Peer {
        Peer(Some(self.ip()))
    }
}

impl Address for tokio::net::unix::SocketAddr {
    fn peer(&self) -> Peer {
        Peer(None)
    }
}

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Lets through what a proxy says, if it is one that is trusted; from all others nothing is known.
pub async fn believe(State(proxies): State<Arc<[IpNet]>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| *peer);
    if !peer.is_some_and(|peer| peer.is_trusted(&proxies)) {
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
