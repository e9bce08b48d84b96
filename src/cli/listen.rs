//! Where the service listens: an address, an address with TLS, or a Unix socket.

use std::{
    fs, io,
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use axum::serve::Listener;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tls_listener::TlsListener;
use tokio::{
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{app::App, config::Settings, tasks};

/// How long a client may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often the files of the certificate are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Somebody may connect here.
pub enum Door {
    /// An address.
    Tcp(TcpListener),
    /// An address with TLS.
    Tls(Tls),
    /// A file, which is removed in the end.
    Unix(UnixListener, PathBuf),
}

impl Door {
    /// Listens as the settings say.
    pub async fn open(settings: &Settings) -> Result<Self> {
        let failed = || format!("LEDGERLINE_LISTEN: cannot listen on {}", settings.listen);
        let files = settings.tls_certificate.as_deref().zip(settings.tls_key.as_deref());
        if let Some(path) = settings.listen.strip_prefix("unix:") {
            if files.is_some() {
                bail!("LEDGERLINE_TLS_CERTIFICATE is for an address, and LEDGERLINE_LISTEN names a Unix socket");
            }
            let path = PathBuf::from(path);
            let listener = unix(&path).await.with_context(failed)?;
            return Ok(Self::Unix(listener, path));
        }
        let certificate = files.map(|(certificate, key)| Certificate::open(certificate, key)).transpose()?;
        let listener = TcpListener::bind(&settings.listen).await.with_context(failed)?;
        Ok(match certificate {
            Some(certificate) => Self::Tls(Tls::new(listener, certificate)?),
            None => Self::Tcp(listener),
        })
    }

    /// Its address, as clients name it.
    pub fn address(&self) -> Result<String> {
        Ok(match self {
            Self::Tcp(listener) => format!("http://{}", listener.local_addr()?),
            Self::Tls(listener) => format!("https://{}", listener.local_addr()?),
            Self::Unix(_, path) => format!("unix:{}", path.display()),
        })
    }

    /// Serves until `stop`.
    pub async fn serve(self, app: App, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        match self {
            Self::Tcp(listener) => app.serve(listener, stop).await,
            Self::Tls(listener) => app.serve(listener, stop).await,
            Self::Unix(listener, path) => {
                let served = app.serve(listener, stop).await;
                let _ = fs::remove_file(path);
                served
            }
        }
    }
}

/// Listens on a file. One that a process left behind which was killed is in nobody's use, and is replaced.
async fn unix(path: &Path) -> io::Result<UnixListener> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket && UnixStream::connect(path).await.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    {
        fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}

/// An address with TLS.
pub struct Tls {
    inner: TlsListener<TcpListener, TlsAcceptor>,
    renewing: JoinHandle<()>,
}

impl Tls {
    fn new(listener: TcpListener, certificate: Certificate) -> Result<Self> {
        let certificate = Arc::new(certificate);
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificate.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let inner = tls_listener::builder(acceptor).handshake_timeout(HANDSHAKE).listen(listener);
        let renew = move || {
            let certificate = certificate.clone();
            async move {
                certificate.renew().await;
            }
        };
        #[expect(clippy::disallowed_methods, reason = "it is kept, and ended with the listener")]
        let renewing = tokio::spawn(tasks::keep("certificate", renew));
        Ok(Self { inner, renewing })
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.inner.accept().await {
                Ok(connected) => return connected,
                Err(tls_listener::Error::ListenerError(error)) => {
                    // Such as too many open files: at once, the next would fail in the same way.
                    tracing::error!("no connection can be accepted: {error}");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                // Anybody can connect and speak no TLS.
                Err(error) => {
                    let peer = error.peer_addr().map(|peer| peer.ip().to_canonical());
                    tracing::debug!(
                        client = peer.map(tracing::field::display),
                        "a client did not agree on TLS: {error}"
                    );
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

/// The certificate that is shown, and the files that it comes from.
#[derive(Debug)]
struct Certificate {
    files: [PathBuf; 2],
    shown: RwLock<(Read, Arc<CertifiedKey>)>,
}

impl Certificate {
    fn open(certificate: &Path, key: &Path) -> Result<Self> {
        let files = [certificate.to_owned(), key.to_owned()];
        let read = read(&files)?;
        let certified = certified(&files, &read)?;
        Ok(Self { files, shown: RwLock::new((read, certified)) })
    }

    /// Takes what the files have from now on. Files that cannot be used change nothing.
    async fn renew(&self) -> ! {
        let mut told = String::new();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.look() {
                Ok(is_new) => {
                    if is_new {
                        tracing::info!("the certificate was renewed");
                    }
                    told.clear();
                }
                Err(error) => {
                    let fault = format!("{error:#}");
                    if told != fault {
                        tracing::error!("the certificate is not renewed, the one before is shown: {fault}");
                        told = fault;
                    }
                }
            }
        }
    }

    /// Takes what the files have, if that is new.
    fn look(&self) -> Result<bool> {
        let read = read(&self.files)?;
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = shown.0 != read;
        if is_new {
            let certified = certified(&self.files, &read)?;
            *shown = (read, certified);
        }
        Ok(is_new)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown.read().unwrap_or_else(PoisonError::into_inner).1.clone())
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// What the files of a certificate and of its key hold.
type Read = [Vec<u8>; 2];

fn named(what: &str, path: &Path) -> String {
    format!("LEDGERLINE_TLS_{what}: {}", path.display())
}

fn read([certificate, key]: &[PathBuf; 2]) -> Result<Read> {
    let chain = fs::read(certificate).with_context(|| named("CERTIFICATE", certificate))?;
    Ok([chain, fs::read(key).with_context(|| named("KEY", key))?])
}

/// What files come to: a chain in PEM, the service's own first, and its private key.
fn certified([certificate, key]: &[PathBuf; 2], [chain, private]: &Read) -> Result<Arc<CertifiedKey>> {
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
    let chain = chain.with_context(|| named("CERTIFICATE", certificate))?;
    if chain.is_empty() {
        bail!("{} holds no certificate in PEM", named("CERTIFICATE", certificate));
    }
    let private = PrivateKeyDer::from_pem_slice(private).with_context(|| named("KEY", key))?;
    let certified = CertifiedKey::from_der(chain, private, &provider());
    certified.map(Arc::new).context("LEDGERLINE_TLS_KEY is not the key of LEDGERLINE_TLS_CERTIFICATE")
}
