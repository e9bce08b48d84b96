//! Somebody who listens for syslog over TCP or TLS, and reads frames by their counted octets.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

/// The authority of the receiver's certificate.
pub const CA: &str = include_str!("../endpoints/tls/ca.pem");
const CERTIFICATE: &str = include_str!("../endpoints/tls/receiver.pem");
const KEY: &str = include_str!("../endpoints/tls/receiver.key");

/// A message, taken apart as RFC 5424 says.
#[derive(Clone, Debug)]
pub struct Message {
    pub whole: String,
    pub priority: u8,
    pub time: String,
    pub host: String,
    pub app: String,
    pub kind: String,
    /// Structured data with its brackets.
    pub data: String,
    pub json: Value,
}

impl Message {
    fn parse(whole: String) -> Self {
        let (priority, rest) = whole.strip_prefix('<').and_then(|rest| rest.split_once(">1 ")).expect("a priority");
        let mut rest = rest;
        let mut word = || {
            let (word, after) = rest.split_once(' ').expect("a word");
            rest = after;
            word.to_owned()
        };
        let (time, host, app, process, kind) = (word(), word(), word(), word(), word());
        assert_eq!(process, "-");
        let mut before = ' ';
        let is_end = |letter: char| {
            let is_end = letter == ']' && before != '\\';
            before = letter;
            is_end
        };
        let end = rest.find(is_end).expect("an end of the structured data");
        let (data, json) = rest.split_at(end + 1);
        let (priority, data) = (priority.parse().expect("a number"), data.to_owned());
        let json = serde_json::from_str(json.strip_prefix(' ').expect("a space")).expect("JSON");
        Self { priority, time, host, app, kind, data, json, whole }
    }

    pub fn sequence(&self) -> i64 {
        self.json["sequence"].as_i64().unwrap_or(-1)
    }
}

#[derive(Default)]
struct Inner {
    got: Mutex<Vec<Message>>,
    connections: AtomicUsize,
}

/// A receiver. When dropped it is gone, with its connections.
pub struct SyslogReceiver {
    inner: Arc<Inner>,
    pub port: u16,
    serving: AbortHandle,
}

impl SyslogReceiver {
    /// One that takes TCP at any port.
    pub async fn tcp() -> Self {
        Self::start(0, false).await
    }

    /// One that takes TLS at any port.
    pub async fn tls() -> Self {
        Self::start(0, true).await
    }

    /// One at a port that another one has left.
    pub async fn start(port: u16, encrypted: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let inner = Arc::new(Inner::default());
        let acceptor = encrypted.then(acceptor);
        let kept = inner.clone();
        let serving = tokio::spawn(async move {
            // Connections end with the one who listens.
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                inner.connections.fetch_add(1, Ordering::SeqCst);
                connections.spawn(serve(stream, acceptor.clone(), inner.clone()));
            }
        });
        Self { inner: kept, port, serving: serving.abort_handle() }
    }

    pub fn got(&self) -> Vec<Message> {
        self.inner.got.lock().expect("unpoisoned").clone()
    }

    pub fn sequences(&self) -> Vec<i64> {
        self.got().iter().map(Message::sequence).collect()
    }

    /// How often it was connected to.
    pub fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }

    /// Waits until it has so many messages.
    pub async fn has(&self, count: usize) -> Vec<Message> {
        for _ in 0..1_000 {
            if self.inner.got.lock().expect("unpoisoned").len() >= count {
                return self.got();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{count} were expected: {:?}", self.sequences());
    }
}

impl Drop for SyslogReceiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn acceptor() -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(CERTIFICATE.as_bytes()).collect::<Result<_, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a pair");
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(stream: TcpStream, acceptor: Option<TlsAcceptor>, inner: Arc<Inner>) {
    match acceptor {
        None => read(stream, &inner).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                read(stream, &inner).await;
            }
        }
    }
}

async fn read(stream: impl AsyncRead + Unpin, inner: &Inner) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut count = Vec::new();
        if !matches!(stream.read_until(b' ', &mut count).await, Ok(1..)) {
            return;
        }
        let count = String::from_utf8(count).expect("digits").trim_end().parse().expect("a count");
        let mut frame = vec![0; count];
        if stream.read_exact(&mut frame).await.is_err() {
            return;
        }
        let message = Message::parse(String::from_utf8(frame).expect("UTF-8"));
        inner.got.lock().expect("unpoisoned").push(message);
    }
}
