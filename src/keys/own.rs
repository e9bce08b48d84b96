//! The service's own issuer: one pair of Ed25519 keys an installation, in a file of the keys' folder. It is made when the
//! first token is signed; the public half goes to the database, where every process finds it. Another pair takes its place
//! where the file is moved away.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::file::{create, create_folder};
use crate::{
    auth::Claims,
    error::{Error, Result},
    store::control::tokens::IssuerKey,
};

/// File of the pair in the keys' folder.
const FILE: &str = "issuer.pem";
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// The pair cannot be read or made.
#[derive(Debug, thiserror::Error)]
#[error("the key of the service's own issuer, {}: {reason}", path.display())]
struct OwnKeyError {
    path: PathBuf,
    reason: String,
}

/// The pair.
pub struct OwnKey {
    /// The public half, under its id.
    pub public: IssuerKey,
    private: EncodingKey,
}

impl OwnKey {
    /// The pair of a folder; it is made where it is missing, the folder too.
    ///
    /// # Errors
    /// `INTERNAL`, where the file cannot be read or made, or holds something else. Nothing of what it holds is told.
    pub fn open_or_create(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let at = |reason: String| Error::internal(OwnKeyError { path: path.clone(), reason });
        let read = || match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        };
        let text = match read().map_err(|error| at(error.to_string()))? {
            Some(text) => Some(text),
            None => {
                let pem = new_pair().map_err(|reason| at(reason.to_owned()))?;
                create_folder(folder).and_then(|()| create(&path, &pem)).map_err(|error| at(error.to_string()))?;
                read().map_err(|error| at(error.to_string()))?
            }
        };
        let unreadable = || at("must be an Ed25519 private key, as PKCS #8 in PEM".to_owned());
        Self::of(text.as_deref().unwrap_or_default()).ok_or_else(unreadable)
    }

    fn of(pem: &str) -> Option<Self> {
        let (_, inner) = pem.split_once(BEGIN)?;
        let (inner, _) = inner.split_once(END)?;
        let inner: String = inner.split_ascii_whitespace().collect();
        let der = STANDARD.decode(inner).ok()?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).ok()?;
        let public_key = pair.public_key().as_ref().to_vec();
        let kid = thumbprint(&public_key);
        Some(Self { public: IssuerKey { kid, public_key }, private: EncodingKey::from_ed_der(&der) })
    }

    /// Signs claims.
    ///
    /// # Errors
    /// `INTERNAL`, where they do not become JSON.
    pub fn sign(&self, claims: &Claims) -> Result<String> {
        let header = Header { kid: Some(self.public.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &self.private).map_err(Error::internal)
    }
}

fn new_pair() -> Result<String, &'static str> {
    const FAILED: &str = "the operating system gave no key";
    let pair = Ed25519KeyPair::generate().map_err(|_| FAILED)?;
    let der = pair.to_pkcs8v1().map_err(|_| FAILED)?;
    Ok(format!("{BEGIN}\n{}\n{END}", STANDARD.encode(der.as_ref())))
}

/// A public key as a JWK (RFC 8037).
pub fn jwk(key: &IssuerKey) -> Value {
    let x = URL_SAFE_NO_PAD.encode(&key.public_key);
    json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.kid, "x": x })
}

/// The id of a key: its thumbprint (RFC 7638), so that two pairs never share one.
fn thumbprint(public_key: &[u8]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public_key);
    let members = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}");
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}
