//! An issuer of tokens with an address of its own, which can be told to fail in every way that one does.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ledgerline::{
    auth::{Claims, OneOrMany},
    catalog::Products,
    clock::Clock,
    event::Timestamp,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What is answered by whoever listens at the address.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A whole answer.
    Whole(u16, String),
    /// A redirect to itself.
    Redirect,
    /// Keys with no end.
    Endless,
    /// Nothing, while the connection stays open.
    Silence,
    /// Half an answer, and the end of the connection.
    Half,
}

/// A key pair of an issuer.
pub struct SigningKey {
    pub kid: String,
    pair: Ed25519KeyPair,
}

impl SigningKey {
    pub fn new(kid: &str) -> Self {
        Self { kid: kid.to_owned(), pair: Ed25519KeyPair::generate().expect("a key pair") }
    }

    /// A reader's token of a product.
    pub fn token(&self, products: &Products, product: &str) -> String {
        let until = Timestamp(Clock::system().now().0 + 3_600_000_000_000);
        let product = products.get(product).expect("a product");
        let claims = Claims {
            iss: product.issuers[0].name.to_string(),
            aud: OneOrMany::One(product.audience().to_owned()),
            org: Some("acme".to_owned()),
            scope: Some("audit:read".to_owned()),
            role: Some(OneOrMany::One("admin".to_owned())),
            ..Claims::new(product, "ada", until)
        };
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
        header.kid = Some(self.kid.clone());
        let der = self.pair.to_pkcs8v1().expect("a private key");
        let key = jsonwebtoken::EncodingKey::from_ed_der(der.as_ref());
        jsonwebtoken::encode(&header, &claims, &key).expect("a token")
    }

    fn public(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref());
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.kid, "x": x })
    }
}

/// The document of an issuer with these keys.
pub fn jwks(keys: &[&SigningKey]) -> Answer {
    let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
    Answer::Whole(200, json!({ "keys": keys }).to_string())
}

/// An address on this machine.
pub struct Issuer {
    pub port: u16,
    asked: Arc<AtomicUsize>,
    answer: Arc<Mutex<Answer>>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

impl Issuer {
    pub async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (asked, answer) = (Arc::default(), Arc::new(Mutex::new(answer)));
        let issuer = Self { port, asked, answer, listening: Mutex::default() };
        issuer.listen(listener);
        issuer
    }

    fn listen(&self, listener: TcpListener) {
        let (asked, answer, port) = (self.asked.clone(), self.answer.clone(), self.port);
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                asked.fetch_add(1, Ordering::SeqCst);
                let answer = answer.lock().expect("no panic").clone();
                tokio::spawn(respond(stream, answer, port));
            }
        });
        *self.listening.lock().expect("no panic") = Some(listening);
    }

    /// Nobody listens any more: connections are refused.
    pub async fn stop(&self) {
        let listening = self.listening.lock().expect("no panic").take().expect("it listens");
        listening.abort();
        let _ = listening.await;
    }

    /// Listens again, at the same address.
    pub async fn listen_again(&self) {
        self.listen(TcpListener::bind(("127.0.0.1", self.port)).await.expect("the same port"));
    }

    pub fn answers(&self, answer: Answer) {
        *self.answer.lock().expect("no panic") = answer;
    }

    /// How often somebody came.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/jwks", self.port)
    }
}

async fn respond(mut stream: TcpStream, answer: Answer, port: u16) {
    let mut request = [0; 4_096];
    if stream.read(&mut request).await.is_err() {
        return;
    }
    let head = |status: u16, more: &str| format!("HTTP/1.1 {status} Told\r\nconnection: close\r\n{more}\r\n");
    // Whoever asked may have gone.
    let _ = match answer {
        Answer::Whole(status, body) => {
            let length = format!("content-length: {}\r\n", body.len());
            stream.write_all((head(status, &length) + &body).as_bytes()).await
        }
        Answer::Redirect => {
            let location = format!("location: http://127.0.0.1:{port}/jwks\r\ncontent-length: 0\r\n");
            stream.write_all(head(302, &location).as_bytes()).await
        }
        Answer::Half => stream.write_all((head(200, "content-length: 1000\r\n") + "{\"keys\": [").as_bytes()).await,
        Answer::Silence => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(())
        }
        Answer::Endless => {
            let mut written = stream.write_all((head(200, "") + "{\"keys\": [").as_bytes()).await;
            while written.is_ok() {
                written = stream.write_all(&[b' '; 1_024]).await;
            }
            written
        }
    };
}
