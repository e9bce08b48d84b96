//! Connections: accepted, bounded in number and in time, served, and let go without losing a request.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::IpAddr,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request},
    http::{HeaderValue, StatusCode, Version, header},
    response::{IntoResponse, Response},
    serve::Listener,
};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    task::JoinSet,
    time::Instant,
};
use tower::ServiceExt;

use super::{Peer, peer::Address};

/// Connections at once, and those from one address; whoever is trusted as a proxy brings those of many.
const MOST: (usize, usize) = (4_096, 1_024);
/// How long a client may take until its first request has come whole, but for its body.
const FIRST: Duration = Duration::from_secs(15);
/// How long a client may take for the headers of each further request, the pause before it included: longer than proxies
/// keep a connection that they use again.
const IDLE: Duration = Duration::from_secs(75);
/// How long a connection may take to say farewell.
const FAREWELL: Duration = Duration::from_secs(5);
/// How often a client of HTTP/2 is asked whether it is there, and how long it may take to say so.
const PING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));
/// Bytes of the headers of one request, whichever version it comes by: a token has up to 16 KiB.
const HEADERS: usize = 64 * 1024;
/// Requests that are open at once on one connection of HTTP/2.
const STREAMS: u32 = 100;
/// How long the service still takes requests after it was told to stop, so that whoever asks `/readyz` sends them elsewhere.
pub const LAME: Duration = Duration::from_secs(1);

/// Serves until the service has been told to stop and everybody is answered.
pub async fn serve<L>(mut listener: L, routes: Router, trusted: impl Fn(Peer) -> bool, stopping: watch::Receiver<bool>)
where
    L: Listener<Addr: Address>,
{
    let places = Arc::<Places>::default();
    let (closing, on_close) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut told = stopping.clone();
    let mut lame = pin!(async move {
        let _ = told.wait_for(|stopping| *stopping).await;
        tokio::time::sleep(LAME).await;
    });
    loop {
        tokio::select! {
            () = &mut lame => break,
            (io, address) = listener.accept() => {
                let peer = address.peer();
                let Some(place) = places.take(peer.0.filter(|_| !trusted(peer))) else {
                    metrics::counter!("ledgerline_connections_refused_total").increment(1);
                    continue;
                };
                let served = Served { peer, routes: routes.clone(), stopping: stopping.clone(), use_: Arc::default() };
                let on_close = on_close.clone();
                open.spawn(async move {
                    served.serve(io, on_close).await;
                    drop(place);
                });
            }
            Some(ended) = open.join_next(), if !open.is_empty() => told_of(ended),
        }
    }
    drop(listener);
    closing.send_replace(true);
    while let Some(ended) = open.join_next().await {
        told_of(ended);
    }
}

fn told_of(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!("a connection ended in a fault of ours: {error}");
    }
}

/// The places for connections.
#[derive(Default)]
struct Places(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

/// A place, free again when it is dropped.
struct Place {
    places: Arc<Places>,
    address: Option<IpAddr>,
}

impl Places {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection, counted for an address where there is one that counts.
    fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Place> {
        let mut taken = self.taken();
        if taken.all >= MOST.0 {
            return None;
        }
        if let Some(address) = address {
            let own = taken.of.entry(address).or_default();
            if *own >= MOST.1 {
                return None;
            }
            *own += 1;
        }
        taken.all += 1;
        drop(taken);
        Some(Place { places: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        let Some(address) = self.address else { return };
        if let Some(own) = taken.of.get_mut(&address) {
            *own -= 1;
            if *own == 0 {
                taken.of.remove(&address);
            }
        }
    }
}

/// What a connection is used for.
struct Use {
    open: AtomicUsize,
    was_used: AtomicBool,
    since: Mutex<Instant>,
}

impl Default for Use {
    fn default() -> Self {
        Self { open: AtomicUsize::new(0), was_used: AtomicBool::new(false), since: Mutex::new(Instant::now()) }
    }
}

impl Use {
    /// When a connection without a request is closed; `None` while there is one.
    fn ends(&self) -> Option<Instant> {
        if self.open.load(Ordering::Acquire) > 0 {
            return None;
        }
        let pause = if self.was_used.load(Ordering::Relaxed) { IDLE } else { FIRST };
        Some(*self.since.lock().unwrap_or_else(PoisonError::into_inner) + pause)
    }
}

/// A request that is not answered to its last byte.
struct Open(Arc<Use>);

impl Open {
    fn of(use_: &Arc<Use>) -> Self {
        use_.open.fetch_add(1, Ordering::AcqRel);
        use_.was_used.store(true, Ordering::Relaxed);
        Self(use_.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        *self.0.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A body, and the request that it answers.
struct Answer {
    body: Body,
    _open: Open,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What one connection is served with.
struct Served {
    peer: Peer,
    routes: Router,
    stopping: watch::Receiver<bool>,
    use_: Arc<Use>,
}

impl Served {
    async fn serve(self, io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, mut closing: watch::Receiver<bool>) {
        let Self { peer, routes, stopping, use_ } = self;
        let used = use_.clone();
        let service = tower::service_fn(move |mut request: Request<Incoming>| {
            let (open, routes, stopping) = (Open::of(&use_), routes.clone(), stopping.clone());
            request.extensions_mut().insert(ConnectInfo(peer));
            async move {
                let is_http1 = request.version() < Version::HTTP_2;
                let mut response = if names_one_host(&request) {
                    let answered: Result<Response, Infallible> = routes.oneshot(request).await;
                    answered.unwrap_or_else(|never| match never {})
                } else {
                    (StatusCode::BAD_REQUEST, "the request must have one Host header").into_response()
                };
                // The client begins another connection, elsewhere, instead of sending into one that closes.
                if is_http1 && *stopping.borrow() {
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response.map(|body| Answer { body, _open: open }))
            }
        });
        let builder = builder();
        let mut connection =
            pin!(builder.serve_connection_with_upgrades(TokioIo::new(io), TowerToHyperService::new(service)));
        let mut ends_at = None;
        loop {
            let look = ends_at.or(used.ends()).unwrap_or_else(|| Instant::now() + FIRST);
            tokio::select! {
                // What a client does wrong on its connection is its own affair.
                _ = connection.as_mut() => return,
                () = async { drop(closing.wait_for(|closing| *closing).await) }, if ends_at.is_none() => {
                    connection.as_mut().graceful_shutdown();
                    // Whoever is being answered is waited for; how long, whoever runs the service says.
                    let _ = connection.as_mut().await;
                    return;
                }
                () = tokio::time::sleep_until(look) => {
                    if ends_at.is_some() {
                        return;
                    }
                    if used.ends().is_some_and(|ends| ends <= Instant::now()) {
                        connection.as_mut().graceful_shutdown();
                        ends_at = Some(Instant::now() + FAREWELL);
                    }
                }
            }
        }
    }
}

/// Whether a request of HTTP/1.1 has the one host that it must name (RFC 9112, 3.2).
fn names_one_host(request: &Request<Incoming>) -> bool {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    hosts == 1 || hosts == 0 && request.version() != Version::HTTP_11
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(HEADERS).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1);
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_for_each_address_and_in_all() {
        let places = Arc::<Places>::default();
        let address = |last: u8| Some(IpAddr::from([10, 0, 0, last]));
        let mut held: Vec<_> = (0..MOST.1).map(|_| places.take(address(1)).expect("a place")).collect();
        assert!(places.take(address(1)).is_none());
        held.push(places.take(address(2)).expect("another's"));
        held.extend((held.len()..MOST.0).map(|_| places.take(None).expect("a proxy's")));
        assert!(places.take(None).is_none() && places.take(address(3)).is_none());
        held.clear();
        assert!(places.taken().all == 0 && places.taken().of.is_empty());
    }
}
