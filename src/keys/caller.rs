//! How the addresses of an issuer are asked: whose certificates are trusted, and as whom. Both files are read again while the
//! service runs, since clusters change them; and a refusal says what would mend it.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use reqwest::{Certificate, Client, Response, StatusCode, Url, redirect::Policy};
use rustls::CertificateError;
use tracing::warn;

use crate::catalog::{Issuer, is_loopback};

/// How long an address may take to answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// Largest document, in bytes.
const DOCUMENT_BYTES: usize = 64 * 1024;

/// What is taken. Kubernetes gives its keys to nobody who does not name their own type.
const ACCEPTED: &str = "application/json, application/jwk-set+json";

/// Who asks an issuer.
pub(super) struct Caller {
    ca_file: Option<PathBuf>,
    token_file: Option<PathBuf>,
    is_local: bool,
    allow_http: bool,
    trusting: ArcSwap<Trusting>,
}

/// A client, and the text of `ca_file` that it trusts.
struct Trusting {
    pem: Option<Vec<u8>>,
    client: Client,
}

impl Caller {
    /// Whoever asks an issuer at an address, and where that leads.
    ///
    /// # Errors
    /// Which file cannot be used, and why.
    pub fn new(issuer: &Issuer, address: &Url) -> Result<Self, String> {
        let (is_local, allow_http) = (is_loopback(address), issuer.allow_http);
        let pem = issuer.ca_file.as_deref().map(|file| std::fs::read(file).map_err(|error| unusable(file, &error)));
        if let Some(file) = &issuer.token_file {
            token(file, std::fs::read_to_string(file))?;
        }
        let pem = pem.transpose()?;
        let client = client(issuer.ca_file.as_deref().zip(pem.as_deref()), is_local, allow_http)?;
        Ok(Self {
            ca_file: issuer.ca_file.clone(),
            token_file: issuer.token_file.clone(),
            is_local,
            allow_http,
            trusting: ArcSwap::from_pointee(Trusting { pem, client }),
        })
    }

    /// A document at an address.
    ///
    /// # Errors
    /// Why it is not there, in words that say what would mend it.
    pub async fn document(&self, url: Url) -> Result<String, String> {
        let mut request = self.client().await.get(url.clone()).header("accept", ACCEPTED);
        if let Some(file) = &self.token_file {
            request = request.bearer_auth(token(file, tokio::fs::read_to_string(file).await)?);
        }
        let mut answer = request.send().await.map_err(|error| self.unreached(&error, &url))?;
        match (answer.status(), &self.token_file) {
            (status, _) if status.is_success() => {}
            (status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), None) => {
                return Err(format!(
                    "{url} answered {status}: where it asks for a token, name a file with one in token_file"
                ));
            }
            (status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), Some(file)) => {
                return Err(format!("{url} answered {status}, though it was sent the token in {}", file.display()));
            }
            (status, _) => return Err(format!("{url} answered {status}")),
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = Response::chunk(&mut answer).await.map_err(|error| with_causes(&error))? {
            if bytes.len() + chunk.len() > DOCUMENT_BYTES {
                return Err(format!("the document at {url} is over {DOCUMENT_BYTES} bytes"));
            }
            bytes.extend_from_slice(&chunk);
        }
        String::from_utf8(bytes).map_err(|error| error.to_string())
    }

    /// A client that trusts what the file has now. Where that cannot be used, what it had before goes on counting.
    async fn client(&self) -> Client {
        let trusting = self.trusting.load_full();
        let Some(file) = &self.ca_file else { return trusting.client.clone() };
        let read = tokio::fs::read(file).await.map_err(|error| unusable(file, &error));
        if read.as_ref().ok() == trusting.pem.as_ref() {
            return trusting.client.clone();
        }
        let renewed = read.and_then(|pem| {
            let client = client(Some((file, &pem)), self.is_local, self.allow_http)?;
            Ok(Trusting { pem: Some(pem), client })
        });
        match renewed {
            Ok(renewed) => {
                tracing::info!("{} has changed, and is trusted as it is now", file.display());
                let client = renewed.client.clone();
                self.trusting.store(Arc::new(renewed));
                client
            }
            Err(fault) => {
                warn!("{fault}; what it had before is trusted");
                trusting.client.clone()
            }
        }
    }

    /// Why nobody was reached.
    fn unreached(&self, error: &reqwest::Error, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default();
        match (refusal(error), &self.ca_file) {
            // A signature is bad where an authority of the same name has another key.
            (Some(CertificateError::UnknownIssuer | CertificateError::BadSignature), Some(file)) => format!(
                "nothing in {} vouches for the certificate of {host}: ca_file must have the certificate of the authority that \
                 issued it",
                file.display()
            ),
            (Some(CertificateError::UnknownIssuer | CertificateError::BadSignature), None) => format!(
                "no authority that is known here vouches for the certificate of {host}: where the issuer has one of its own, \
                 name the certificate of that authority in ca_file"
            ),
            (Some(CertificateError::NotValidForNameContext { presented, .. }), _) => format!(
                "the certificate of {host} is for other names, {}: the address must have one of them",
                if presented.is_empty() { "none at all".to_owned() } else { presented.join(", ") }
            ),
            (Some(CertificateError::NotValidForName), _) => format!("the certificate of {host} is for other names"),
            (Some(CertificateError::Expired | CertificateError::ExpiredContext { .. }), _) => {
                format!("the certificate of {host} has expired, by the clock of this machine")
            }
            (Some(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }), _) => {
                format!("the certificate of {host} is not valid yet, by the clock of this machine")
            }
            _ => with_causes(error),
        }
    }
}

fn client(trusted: Option<(&Path, &[u8])>, is_local: bool, allow_http: bool) -> Result<Client, String> {
    // A redirect could lead anywhere, to plain http too.
    let mut client = Client::builder().timeout(TIMEOUT).redirect(Policy::none()).user_agent("ledgerline");
    if let Some((file, pem)) = trusted {
        let certificates = Certificate::from_pem_bundle(pem).map_err(|error| unusable(file, &error))?;
        if certificates.is_empty() {
            return Err(unusable(file, &"it has no certificate in PEM"));
        }
        client = client.tls_certs_only(certificates);
    }
    if is_local {
        client = client.no_proxy();
    } else if !allow_http {
        client = client.https_only(true);
    }
    client.build().map_err(|error| with_causes(&error))
}

/// What a file has to be sent as a token.
fn token(file: &Path, read: io::Result<String>) -> Result<String, String> {
    let text = read.map_err(|error| unusable(file, &error))?;
    let token = text.trim();
    let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_token { Ok(token.to_owned()) } else { Err(unusable(file, &"it must have a token and nothing else")) }
}

fn unusable(file: &Path, why: &dyn std::fmt::Display) -> String {
    format!("{} cannot be read: {why}", file.display())
}

/// Why a certificate was refused, if that is what an error comes from. An `io::Error` hides what it was made of from whoever
/// asks for its source.
fn refusal(error: &reqwest::Error) -> Option<&CertificateError> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
            return Some(why);
        }
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = match inside {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    None
}

/// An error with its causes: reqwest's own text does not say why.
fn with_causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
