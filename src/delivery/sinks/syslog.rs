//! Syslog by RFC 5424, over TCP with counted octets (RFC 6587) or over TLS (RFC 5425).
//!
//! Neither acknowledges anything. What the kernel took is called taken; before each batch it is looked whether the
//! receiver has closed the connection, and what a batch could not be written of is sent again as a whole.

use std::{
    collections::HashMap,
    fmt::{self, Write},
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::FutureExt;
use reqwest::Url;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;
use url::Host;

use super::{Aimed, Failure, Sink, Ways};
use crate::{
    delivery::outbound::{Outbound, TIMEOUT},
    error::{Error, Result},
    event::{Outcome, Timestamp},
    reading::shown::{Shown, json::AuditEvent},
    store::control::endpoints::{Endpoint, EndpointKind},
};

const TLS: &str = "syslog+tls";
const TCP: &str = "syslog+tcp";
/// Port of syslog over TLS; over TCP there is none that all agree on.
const TLS_PORT: u16 = 6_514;
/// Bounds of the longest message. The default is what rsyslog takes unless it is told otherwise.
const LEAST: i64 = 2_048;
const MOST: i64 = 1_048_576;
/// Longest certificates.
const CA_BYTES: usize = 16_384;
/// How long a receiver may take to let itself be connected to.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a connection is kept that nothing is sent on. What stands between forgets quiet ones without a word, often
/// after some minutes, and what is written then goes nowhere.
const IDLE: Duration = Duration::from_secs(60);
/// Most connections that are kept.
const KEPT: usize = 1_000;
/// "Log audit", times eight.
const FACILITY: u8 = 13 * 8;
const INFORMATIONAL: u8 = 6;
const WARNING: u8 = 4;

/// Settings, as they are stored and shown.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    max_message_bytes: i64,
}

/// Checks the target.
pub fn aim(url: &str, ca: Option<String>, max_message_bytes: i64, ways: &Ways) -> Result<Aimed> {
    let parsed = ways.outbound.check_schemes("url", url, TLS, TCP)?;
    if !matches!(parsed.path(), "" | "/") || parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(Error::bad_input("url", "must end with the port"));
    }
    if parsed.port().unwrap_or_default() == 0 && (parsed.scheme() == TCP || parsed.port().is_some()) {
        return Err(Error::bad_input("url", "must name the port"));
    }
    if let Some(ca) = &ca {
        if parsed.scheme() == TCP {
            return Err(Error::bad_input("ca", format!("must be absent without {TLS}://")));
        }
        if ca.len() > CA_BYTES || own_roots(ca).is_none() {
            return Err(Error::bad_input("ca", format!("must be certificates in PEM, of at most {CA_BYTES} bytes")));
        }
    }
    if !(LEAST..=MOST).contains(&max_message_bytes) {
        let rule = format!("must be from {LEAST} to {MOST}, got {max_message_bytes}");
        return Err(Error::bad_input("maxMessageBytes", rule));
    }
    let settings = serde_json::to_string(&Settings { ca, max_message_bytes }).map_err(Error::internal)?;
    Ok(Aimed { kind: EndpointKind::Syslog, url: parsed.to_string(), settings, secret: None, is_drawn: false })
}

/// Certificates in PEM as those that others must descend from; `None` where they are none.
fn own_roots(pem: &str) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.ok()?).ok()?;
    }
    (!roots.is_empty()).then_some(roots)
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to a receiver.
struct Line {
    /// The endpoint's address and settings when it was opened.
    to: String,
    stream: Box<dyn Stream>,
    used: Instant,
}

impl Line {
    /// Whether it was used lately and the other end has not closed it. What that says is read over: nothing is to be said.
    fn lives(&mut self) -> bool {
        if self.used.elapsed() >= IDLE {
            return false;
        }
        let mut said = [0; 1_024];
        loop {
            match self.stream.read(&mut said).now_or_never() {
                None => return true,
                Some(Ok(0) | Err(_)) => return false,
                Some(Ok(_)) => {}
            }
        }
    }

    async fn write(&mut self, frames: &[u8]) -> io::Result<()> {
        let written = async {
            self.stream.write_all(frames).await?;
            self.stream.flush().await
        };
        timeout(TIMEOUT, written).await.map_err(|_| late())??;
        self.used = Instant::now();
        Ok(())
    }
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time")
}

/// Connections that are open between one batch and the next, by the id of the endpoint.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<HashMap<String, Line>>>);

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}

impl Lines {
    /// The connection of an endpoint, where it leads to where the endpoint is now and lives.
    fn take(&self, id: &str, to: &str) -> Option<Line> {
        let line = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        line.filter(|line| line.to == to).and_then(|mut line| line.lives().then_some(line))
    }

    fn keep(&self, id: &str, line: Line) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < KEPT {
            lines.insert(id.to_owned(), line);
        }
    }

    /// Closes what nothing was sent on for long, and what the other end has closed.
    pub fn sweep(&self) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|_, line| line.lives());
    }
}

/// The receiver of an endpoint.
pub struct Syslog {
    id: String,
    to: String,
    url: Url,
    settings: Settings,
    outbound: Outbound,
    lines: Lines,
    /// HOSTNAME of the header.
    host: String,
}

impl Syslog {
    pub fn open(endpoint: &Endpoint, ways: &Ways) -> Result<Self> {
        let Endpoint { id, url, settings, .. } = endpoint;
        Ok(Self {
            id: id.clone(),
            to: format!("{url} {settings}"),
            url: Url::parse(url).map_err(Error::internal)?,
            settings: serde_json::from_str(settings).map_err(Error::internal)?,
            outbound: ways.outbound.clone(),
            lines: ways.lines.clone(),
            host: ways.host(),
        })
    }

    async fn write(&self, frames: &str) -> Result<Option<u16>, Failure> {
        if let Some(mut line) = self.lines.take(&self.id, &self.to)
            && line.write(frames.as_bytes()).await.is_ok()
        {
            self.lines.keep(&self.id, line);
            return Ok(None);
        }
        let written = async {
            let mut line = Line { to: self.to.clone(), stream: self.connect().await?, used: Instant::now() };
            line.write(frames.as_bytes()).await?;
            Ok::<_, io::Error>(line)
        };
        let line = written.await.map_err(|error| Failure::unavailable(format!("it cannot be reached: {error}")))?;
        self.lines.keep(&self.id, line);
        Ok(None)
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let host = match self.url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(io::Error::other("it has no host")),
        };
        let is_plain = self.url.scheme() != TLS;
        let found = self.outbound.resolve(&host, self.url.port().unwrap_or(TLS_PORT)).await?;
        let mut trouble = io::Error::other(format!("{host} is in none of the operator's own networks"));
        for address in found {
            if is_plain && !self.outbound.is_in_own_network(address.ip()) {
                continue;
            }
            let connected = timeout(CONNECT, TcpStream::connect(address)).await.unwrap_or_else(|_| Err(late()));
            match connected {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return if is_plain { Ok(Box::new(stream)) } else { self.encrypt(host, stream).await };
                }
                Err(error) => trouble = error,
            }
        }
        Err(trouble)
    }

    async fn encrypt(&self, host: String, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
        let roots = match &self.settings.ca {
            Some(ca) => own_roots(ca).ok_or_else(|| io::Error::other("its certificates cannot be read"))?,
            None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
        };
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        Ok(Box::new(timeout(CONNECT, connecting).await.map_err(|_| late())??))
    }

    /// A message in its frame.
    fn frame(&self, at: Timestamp, severity: u8, kind: &str, data: &str, text: &str) -> String {
        // Six digits of fraction are the most that the RFC has room for.
        let (priority, time) = (FACILITY + severity, at.to_utc().format("%Y-%m-%dT%H:%M:%S%.6fZ"));
        let message = format!("<{priority}>1 {time} {} ledgerline - {kind} {data} {text}", self.host);
        format!("{} {message}", message.len())
    }

    fn event(&self, shown: &Shown) -> String {
        let event = shown.event();
        let severity = match event.outcome {
            Some(Outcome::Failure) => WARNING,
            Some(Outcome::Success | Outcome::Accepted) | None => INFORMATIONAL,
        };
        let framed = |json: AuditEvent<'_>, truncated: bool| {
            let id = event.id().to_string();
            let sequence = event.sequence.to_string();
            let mut named = vec![("id", id.as_str()), ("sequence", &sequence), ("action", &event.action)];
            named.push(("product", &shown.product().name));
            named.extend(event.outcome.map(|outcome| ("outcome", outcome.as_str())));
            named.extend(truncated.then_some(("truncated", "true")));
            let text = serde_json::to_string(&json).expect("an event becomes JSON");
            self.frame(event.occurred_at, severity, "audit_event", &data(&named), &text)
        };
        let whole = framed(AuditEvent::of(shown), false);
        if i64::try_from(whole.len()).is_ok_and(|bytes| bytes <= self.settings.max_message_bytes) {
            return whole;
        }
        framed(AuditEvent::without_metadata(shown), true)
    }
}

#[async_trait]
impl Sink for Syslog {
    fn most(&self) -> usize {
        100
    }

    async fn send(&self, events: &[Shown], _: Timestamp) -> Result<Option<u16>, Failure> {
        let frames: String = events.iter().map(|shown| self.event(shown)).collect();
        self.write(&frames).await
    }

    async fn test(&self, organization: &str, at: Timestamp) -> Result<Option<u16>, Failure> {
        let text = json!({ "type": "audit_endpoint.test", "organization": organization }).to_string();
        self.write(&self.frame(at, INFORMATIONAL, "audit_test", &data(&[("test", "true")]), &text)).await
    }
}

/// Structured data. The number is the one that is kept for examples: a project has none of its own.
fn data(named: &[(&str, &str)]) -> String {
    let mut data = "[audit@32473".to_owned();
    for (name, value) in named {
        let _ = write!(data, " {name}=\"");
        for letter in value.chars() {
            match letter {
                '"' | '\\' | ']' => data.extend(['\\', letter]),
                // A receiver may end its line there; the JSON has the exact text.
                letter if letter.is_control() => data.push('\u{fffd}'),
                letter => data.push(letter),
            }
        }
        data.push('"');
    }
    data.push(']');
    data
}

#[cfg(test)]
mod tests {
    use super::data;

    #[test]
    fn structured_data_is_escaped() {
        assert_eq!(data(&[]), "[audit@32473]");
        assert_eq!(
            data(&[("id", "event_1"), ("action", "a\"b\\c]d\ne")]),
            "[audit@32473 id=\"event_1\" action=\"a\\\"b\\\\c\\]d\u{fffd}e\"]"
        );
    }
}
