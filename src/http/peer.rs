//! Who is connected, and whether they are believed to pass on what others asked for.
//!
//! Of `Forwarded` (RFC 7239) nothing is read: a proxy sends what it is told to, and the older headers are what they all know.

use std::{
    fmt,
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

    /// Who is behind it: the address that the nearest proxies name which is none of theirs. Each proxy appends whom it was asked
    /// by, so that what stands before the first stranger, read from the end, is that stranger's own say. What is no address tells
    /// nothing, and nothing before it counts either: whoever passed it on is the last that is known.
    #[must_use]
    pub fn client(self, headers: &HeaderMap, proxies: &[IpNet]) -> Self {
        let mut nearest = Self(self.0.map(|address| address.to_canonical()));
        let lines = headers.get_all(FORWARDED_FOR).iter().collect::<Vec<_>>();
        let hops = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for hop in hops.map(<[u8]>::trim_ascii).filter(|hop| !hop.is_empty()) {
            if !nearest.is_trusted(proxies) {
                break;
            }
            let Some(address) = address(hop) else { break };
            nearest = Self(Some(address));
        }
        nearest
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("socket"),
        }
    }
}

/// An address as proxies write it: with a port or without, one of IPv6 in brackets or without.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
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
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who a request came from directly.
pub fn of(request: &Request) -> Option<Peer> {
    request.extensions().get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| *peer)
}

/// Lets through what a proxy says, if it is one that is trusted; from all others nothing is known.
pub async fn believe(State(proxies): State<Arc<[IpNet]>>, mut request: Request, next: Next) -> Response {
    let peer = of(&request);
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
