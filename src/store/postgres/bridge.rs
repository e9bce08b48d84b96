//! A way to servers whose certificate the driver cannot read, in the modes that verify none. The driver reads a certificate
//! even where it believes any, and its library reads none of version 1, which PostgreSQL's own manual makes. It leaves
//! nothing to set there, so the TLS is spoken here, and the driver is given a socket in a folder that only this user may
//! open.

use std::{fs, io, path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpStream, UnixListener, UnixStream},
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;

use crate::{private_files, tasks::keep};

/// What asks a server of PostgreSQL for TLS, and its yes.
const PLEASE: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const YES: u8 = b'S';

/// A folder with a socket that leads to one server. It ends with whoever has it.
pub(super) struct Bridge {
    folder: PathBuf,
    carrying: JoinHandle<()>,
}

impl Bridge {
    /// A way to the server of these options, which shows this certificate of its own if it is to.
    pub fn open(options: &PgConnectOptions, own: Option<&(String, String)>, mark: u64) -> io::Result<Self> {
        let (host, port) = (options.get_host().to_owned(), options.get_port());
        let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
        let tls = TlsConnector::from(Arc::new(believing(own)?));
        let folder = std::env::temp_dir().join(format!("ledgerline-{mark:016x}"));
        // It fails where somebody else has made it.
        private_files::folder().create(&folder)?;
        let listener = Arc::new(UnixListener::bind(folder.join(format!(".s.PGSQL.{port}")))?);
        #[expect(clippy::disallowed_methods, reason = "it is kept, and ends with the bridge")]
        let carrying = tokio::spawn(keep("bridge to PostgreSQL", move || {
            let (listener, tls, name, host) = (listener.clone(), tls.clone(), name.clone(), host.clone());
            async move {
                loop {
                    // The driver tells of a connection that ends.
                    if let Ok((client, _)) = listener.accept().await {
                        let (tls, name, host) = (tls.clone(), name.clone(), host.clone());
                        #[expect(clippy::disallowed_methods, reason = "a connection that ends is told by the driver")]
                        drop(tokio::spawn(async move { carry(client, &host, port, &tls, name).await }));
                    }
                }
            }
        }));
        Ok(Self { folder, carrying })
    }

    /// The options that lead the driver over it.
    pub fn over(&self, options: PgConnectOptions) -> PgConnectOptions {
        options.socket(&self.folder).ssl_mode(PgSslMode::Disable)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.carrying.abort();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

async fn carry(
    mut client: UnixStream,
    host: &str,
    port: u16,
    tls: &TlsConnector,
    name: ServerName<'static>,
) -> io::Result<()> {
    let mut server = TcpStream::connect((host, port)).await?;
    server.set_nodelay(true)?;
    server.write_all(&PLEASE).await?;
    if server.read_u8().await? != YES {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    let mut server = tls.connect(name, server).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// TLS that believes any certificate.
fn believing(own: Option<&(String, String)>) -> io::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let config = config.map_err(io::Error::other)?.dangerous();
    let config = config.with_custom_certificate_verifier(Arc::new(Anybody(provider)));
    let Some((certificate, key)) = own else { return Ok(config.with_no_client_auth()) };
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?;
    config.with_client_auth_cert(chain, key).map_err(io::Error::other)
}

/// Believes anybody. So whether the certificate's key has signed is not asked either: whoever stands in between signs with
/// a key of their own.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
