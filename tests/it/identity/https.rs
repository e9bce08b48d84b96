//! Issuers over real TLS: an authority of their own by `ca_file`, and what providers' own documents look like, at the names
//! that they are at.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use ledgerline::catalog::Products;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::{
    claims, folder, is_read, product, read,
    signer::{Signer, jwks},
};
use crate::{
    harness::{Answer, Database, TestApp, event, within},
    process::ledgerline,
};

/// Who issues certificates. All have the same name, as those of a cluster's authority that was made anew do.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a pair")).expect("an authority"))
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// What a server shows for these names.
    fn certify(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> TlsAcceptor {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        change(&mut params);
        let key = KeyPair::generate().expect("a pair");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key");
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("versions")
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key)
                .expect("a certificate and its key");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// What is at an address.
#[derive(Clone)]
struct Document {
    text: String,
    /// The only type that it is given as, where that is not any.
    of_type: Option<&'static str>,
    /// The token without which it is refused.
    token: Option<&'static str>,
}

impl Document {
    fn of(text: &Value) -> Self {
        Self { text: text.to_string(), of_type: None, token: None }
    }

    fn answer(&self, head: &str) -> String {
        let header = |name: &str| {
            head.lines().find_map(|line| line.to_ascii_lowercase().starts_with(name).then(|| &line[name.len()..]))
        };
        let is_named =
            self.of_type.is_none_or(|of_type| header("accept: ").is_some_and(|types| types.contains(of_type)));
        let is_known = self.token.is_none_or(|token| header("authorization: bearer ") == Some(token));
        match (is_known, is_named) {
            (false, _) => told("403 Forbidden", ""),
            (true, false) => told("406 Not Acceptable", ""),
            (true, true) => told("200 OK", &self.text),
        }
    }
}

fn told(status: &str, text: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}", text.len())
}

struct Shown {
    tls: TlsAcceptor,
    /// By host, port and path.
    documents: HashMap<String, Document>,
    /// Whom somebody wanted to reach.
    asked: Vec<String>,
}

/// A server of this machine: whoever connects speaks TLS, to it or, as through a proxy, to a host of the wide world that it
/// stands for.
struct World {
    port: u16,
    shown: Arc<Mutex<Shown>>,
    serving: JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl World {
    async fn start(tls: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shown = Arc::new(Mutex::new(Shown { tls, documents: HashMap::new(), asked: Vec::new() }));
        let serving = tokio::spawn({
            let shown = shown.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, shown.clone()));
                }
            }
        });
        Self { port, shown, serving }
    }

    fn has(&self, address: &str, document: Document) {
        self.shown.lock().expect("no panic").documents.insert(address.to_owned(), document);
    }

    fn shows(&self, tls: TlsAcceptor) {
        self.shown.lock().expect("no panic").tls = tls;
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shown.lock().expect("no panic").asked)
    }

    /// Its own address, as one of an issuer, whose documents it then has.
    fn issuer(&self, host: &str, keys: &Value) -> String {
        let own = format!("{host}:{}/realm", self.port);
        let issuer = format!("https://{own}");
        let configuration = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
        self.has(&format!("{own}/.well-known/openid-configuration"), Document::of(&configuration));
        self.has(&format!("{own}/keys"), Document::of(keys));
        issuer
    }
}

/// The head of a request.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

async fn serve(mut stream: TcpStream, shown: Arc<Mutex<Shown>>) -> Option<()> {
    let mut first = [0; 1];
    stream.peek(&mut first).await.ok()?;
    let mut host = None;
    // A hello of TLS begins with 22, and what a proxy is asked with its method.
    if first != [22] {
        let asked = head(&mut stream).await?;
        host = Some(asked.strip_prefix("CONNECT ")?.split(' ').next()?.trim_end_matches(":443").to_owned());
        stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.ok()?;
    }
    let tls = shown.lock().expect("no panic").tls.clone();
    let mut stream = tls.accept(stream).await.ok()?;
    let head = head(&mut stream).await?;
    let path = head.strip_prefix("GET ")?.split(' ').next()?;
    let own = head.lines().find_map(|line| line.strip_prefix("host: "))?;
    let address = format!("{}{path}", host.as_deref().unwrap_or(own));
    let answer = {
        let mut shown = shown.lock().expect("no panic");
        shown.asked.push(address.clone());
        shown.documents.get(&address).map_or_else(|| told("404 Not Found", ""), |document| document.answer(&head))
    };
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

/// What `check-token` says of a token, in a world of its own where there is one.
async fn check(folder: &Path, token: &str, world: Option<&World>) -> (Option<i32>, String) {
    let files = folder.join("files");
    fs::create_dir_all(&files).expect("a folder");
    let mut command = ledgerline("sqlite://unused.db", &files);
    command.env("LEDGERLINE_PRODUCTS", folder).env("LEDGERLINE_LOG", "off").args(["check-token", token]);
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_ascii_lowercase());
    }
    if let Some(world) = world {
        command.env("HTTPS_PROXY", format!("http://127.0.0.1:{}", world.port));
    }
    command.stdin(Stdio::null());
    let output =
        tokio::task::spawn_blocking(move || command.output().expect("the program runs")).await.expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// A product whose issuer is at an address, and has more lines.
fn with_issuer(issuer: &str, more: &str) -> String {
    let issuers = format!("[[issuers]]\nissuer = \"{issuer}\"\naudience = \"audit\"\ndiscovery = true\n{more}");
    product("tickets", "roles = [\"admin\"]", &issuers)
}

fn is_put_off(answer: &Answer, what: &str) {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "UNAVAILABLE"), "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_with_an_authority_of_its_own_is_trusted_by_its_file_alone() {
    let (own, other, key) = (Authority::new(), Authority::new(), Signer::new("ES256", "one"));
    let world = World::start(own.certify(&["localhost", "127.0.0.1"], |_| {})).await;
    let issuer = world.issuer("localhost", &jwks(&[&key]));
    let token = key.sign(&claims(&issuer, "audit", &json!({})));
    let bundle = format!("{}{}", other.pem(), own.pem());
    for (ca, code, why) in [
        (Some(own.pem()), 0, "signature     good: ES256 by the key \"one\""),
        (Some(bundle), 0, "signature     good: ES256 by the key \"one\""),
        (
            Some(other.pem()),
            3,
            "ca.pem vouches for the certificate of localhost: ca_file must have the certificate of the authority that issued it",
        ),
        (
            None,
            3,
            "no authority that is known here vouches for the certificate of localhost: where the issuer has one of its own, name \
             the certificate of that authority in ca_file",
        ),
    ] {
        let more = if ca.is_some() { "ca_file = \"ca.pem\"\n" } else { "" };
        let folder = folder(&[("tickets.toml", with_issuer(&issuer, more)), ("ca.pem", ca.unwrap_or_default())]);
        let (ended, said) = check(folder.path(), &token, None).await;
        assert_eq!(ended, Some(code), "{said}");
        assert!(said.contains(why), "{why}\n{said}");
    }
    assert_eq!(world.asked().len(), 4, "two documents by two who trust it; nobody else got as far");
    let folder = folder(&[("tickets.toml", with_issuer(&issuer, "ca_file = \"ca.pem\"\n")), ("ca.pem", own.pem())]);
    for (tls, why) in [
        (
            own.certify(&["sso.acme.example"], |_| {}),
            "the certificate of localhost is for other names, DnsName(\"sso.acme.example\"): the address must have one of them",
        ),
        (
            own.certify(&["localhost"], |params| {
                (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
            }),
            "the certificate of localhost has expired, by the clock of this machine",
        ),
        (
            own.certify(&["localhost"], |params| {
                (params.not_before, params.not_after) = (date_time_ymd(2190, 1, 1), date_time_ymd(2191, 1, 1));
            }),
            "the certificate of localhost is not valid yet, by the clock of this machine",
        ),
    ] {
        world.shows(tls);
        let (ended, said) = check(folder.path(), &token, None).await;
        assert_eq!(ended, Some(3), "{said}");
        assert!(said.contains(why), "{why}\n{said}");
        assert!(said.contains("may read      yes"), "what it would give is told all the same:\n{said}");
    }
    assert_eq!(world.asked(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_certificates_that_changes_counts_without_a_restart() {
    let (old, new) = (Authority::new(), Authority::new());
    let keys = ["one", "two", "three"].map(|kid| Signer::new("ES256", kid));
    let world = World::start(new.certify(&["localhost"], |_| {})).await;
    let issuer = world.issuer("localhost", &jwks(&[&keys[0]]));
    let folder = folder(&[("tickets.toml", with_issuer(&issuer, "ca_file = \"ca.pem\"\n")), ("ca.pem", old.pem())]);
    let products = Products::load(folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
    let app = TestApp::with(Database::Sqlite, products, |_| {}).await;
    let asked = async |key: &Signer| read(&app, &key.sign(&claims(&issuer, "audit", &json!({})))).await;
    let comes = async |key: &Signer| within(Duration::from_secs(40), async || asked(key).await.status == 200).await;
    is_put_off(&asked(&keys[0]).await, "the file has another authority");
    is_put_off(&asked(&keys[0]).await, "and again");
    fs::write(folder.path().join("ca.pem"), new.pem()).expect("written");
    comes(&keys[0]).await;
    // A file that cannot be used, half written or gone, changes nothing: keys that are new are still fetched.
    for (text, key) in [(Some("-----BEGIN CERT"), &keys[1]), (None, &keys[2])] {
        match text {
            Some(text) => fs::write(folder.path().join("ca.pem"), text).expect("written"),
            None => fs::remove_file(folder.path().join("ca.pem")).expect("removed"),
        }
        world.issuer("localhost", &jwks(&[key]));
        comes(key).await;
    }
    // The authority is made anew once more, and the issuer shows what that gave it.
    world.shows(old.certify(&["localhost"], |_| {}));
    world.issuer("localhost", &jwks(&[&keys[0]]));
    assert_ne!(asked(&keys[0]).await.status, 200, "the file does not trust it yet");
    is_read(&asked(&keys[2]).await, "keys at hand go on");
    fs::write(folder.path().join("ca.pem"), old.pem()).expect("written");
    comes(&keys[0]).await;
    app.finish().await;
}

/// The golden token of a preset.
fn golden(preset: &str) -> Value {
    let tokens: Vec<Value> = serde_json::from_str(include_str!("tokens.json")).expect("tokens");
    tokens.into_iter().find(|token| token["preset"] == preset).expect("the preset's token")
}

/// What a provider's own addresses have, by what its documentation and its code say that they have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_of_a_preset_takes_the_documents_that_its_provider_has() {
    let (authority, key) = (Authority::new(), Signer::new("RS256", "one"));
    let names = [
        "accounts.google.com",
        "www.googleapis.com",
        "api.workos.com",
        "kubernetes.default.svc.cluster.local",
        "172.18.0.2",
    ];
    let world = World::start(authority.certify(&names, |_| {})).await;
    let keys = jwks(&[&key]);
    let google = json!({
        "issuer": "https://accounts.google.com", "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
        "token_endpoint": "https://oauth2.googleapis.com/token", "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"] });
    world.has("accounts.google.com/.well-known/openid-configuration", Document::of(&google));
    world.has("www.googleapis.com/oauth2/v3/certs", Document::of(&keys));
    // Neither subject types nor algorithms, which OpenID Connect Discovery asks for, and keys at another path.
    let workos = json!({
        "issuer": "https://api.workos.com/user_management/client_01HXYZ",
        "authorization_endpoint": "https://api.workos.com/user_management/authorize",
        "token_endpoint": "https://api.workos.com/user_management/authenticate", "response_types_supported": ["code"],
        "jwks_uri": "https://api.workos.com/sso/jwks/client_01HXYZ" });
    let of_workos = "api.workos.com/user_management/client_01HXYZ/.well-known/openid-configuration";
    world.has(of_workos, Document::of(&workos));
    world.has("api.workos.com/sso/jwks/client_01HXYZ", Document::of(&keys));
    // Whoever asks the API server brings a token, its keys are at its outer address, and are given as their own type alone.
    let kubernetes = json!({
        "issuer": "https://kubernetes.default.svc.cluster.local", "jwks_uri": "https://172.18.0.2:6443/openid/v1/jwks",
        "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"] });
    let for_accounts = |document: Document| Document { token: Some("of.the.pod"), ..document };
    let of_cluster = "kubernetes.default.svc.cluster.local/.well-known/openid-configuration";
    world.has(of_cluster, for_accounts(Document::of(&kubernetes)));
    let typed = Document { of_type: Some("application/jwk-set+json"), ..Document::of(&keys) };
    world.has("172.18.0.2:6443/openid/v1/jwks", for_accounts(typed));
    let signed = |token: &Value| {
        let mut said = claims(
            token["issuer"].as_str().expect("text"),
            "",
            &json!({ "aud": null, "org": null, "scope": null, "role": null }),
        );
        for (claim, value) in token["claims"].as_object().expect("claims") {
            said[claim] = value.clone();
        }
        key.sign(&said)
    };
    for (preset, more, discovered) in [
        ("google", "", ["accounts.google.com/.well-known/openid-configuration", "www.googleapis.com/oauth2/v3/certs"]),
        ("workos", "", [of_workos, "api.workos.com/sso/jwks/client_01HXYZ"]),
        ("kubernetes", "token_file = \"token\"\n", [of_cluster, "172.18.0.2:6443/openid/v1/jwks"]),
    ] {
        let token = golden(preset);
        let [issuer, audience] = ["issuer", "audience"].map(|key| token[key].as_str().expect("text"));
        let section = format!(
            "[[issuers]]\npreset = \"{preset}\"\nissuer = \"{issuer}\"\naudience = \"{audience}\"\nca_file = \"ca.pem\"\n{more}"
        );
        let files = folder(&[
            ("p.toml", product("p", "", &section)),
            ("ca.pem", authority.pem()),
            ("token", "of.the.pod\n".to_owned()),
        ]);
        let (ended, said) = check(files.path(), &signed(&token), Some(&world)).await;
        assert_eq!(ended, Some(0), "{preset}\n{said}");
        assert!(
            said.contains("good: RS256 by the key \"one\"") && said.contains("may read      yes"),
            "{preset}\n{said}"
        );
        assert_eq!(world.asked(), discovered, "{preset}");
        if preset != "kubernetes" {
            continue;
        }
        // Without the token, and with one that is not known, it says what is missing; and never what the file has.
        fs::write(files.path().join("token"), "another.secret").expect("written");
        let (ended, said) = check(files.path(), &signed(&token), Some(&world)).await;
        assert_eq!(ended, Some(3), "{said}");
        assert!(said.contains("answered 403 Forbidden, though it was sent the token in "), "{said}");
        assert!(!said.contains("another.secret"), "{said}");
        fs::write(files.path().join("token"), "two words").expect("written");
        let (ended, said) = check(files.path(), &signed(&token), Some(&world)).await;
        assert!(
            ended != Some(0) && said.contains("token cannot be read: it must have a token and nothing else"),
            "{said}"
        );
        fs::write(files.path().join("p.toml"), product("p", "", &section.replace(more, ""))).expect("written");
        let (ended, said) = check(files.path(), &signed(&token), Some(&world)).await;
        assert_eq!(ended, Some(3), "{said}");
        assert!(
            said.contains("answered 403 Forbidden: where it asks for a token, name a file with one in token_file"),
            "{said}"
        );
    }
    // An older environment of WorkOS, whose issuer has no configuration: its keys are named, as the page says.
    let mut token = golden("workos");
    token["issuer"] = "https://api.workos.com".into();
    let section = |keys: &str| {
        let text = format!(
            "[[issuers]]\npreset = \"workos\"\nissuer = \"https://api.workos.com\"\naudience = \"https://api.workos.com\"\nca_file = \"ca.pem\"\n{keys}"
        );
        product("p", "", &text)
    };
    let files = folder(&[("p.toml", section("")), ("ca.pem", authority.pem())]);
    let (ended, said) = check(files.path(), &signed(&token), Some(&world)).await;
    assert_eq!(ended, Some(3), "{said}");
    assert!(said.contains("https://api.workos.com/.well-known/openid-configuration answered 404 Not Found"), "{said}");
    let named = "keys = [{ jwks_url = \"https://api.workos.com/sso/jwks/client_01HXYZ\" }]\n";
    fs::write(files.path().join("p.toml"), section(named)).expect("written");
    assert_eq!(check(files.path(), &signed(&token), Some(&world)).await.0, Some(0));
}

/// A token of the service itself is never sent but over TLS, and a file that is not there keeps it from starting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_of_a_cluster_serves_while_its_token_changes() {
    let (authority, key, newer) = (Authority::new(), Signer::new("RS256", "one"), Signer::new("RS256", "two"));
    let world = World::start(authority.certify(&["localhost"], |_| {})).await;
    let issuer = world.issuer("localhost", &jwks(&[&key]));
    let configuration = format!("localhost:{}/realm/.well-known/openid-configuration", world.port);
    let told = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
    world.has(&configuration, Document { token: Some("first"), ..Document::of(&told) });
    let more = "ca_file = \"ca.pem\"\ntoken_file = \"token\"\n";
    let files = folder(&[
        ("tickets.toml", with_issuer(&issuer, more)),
        ("ca.pem", authority.pem()),
        ("token", "first".to_owned()),
    ]);
    let products = Products::load(files.path()).unwrap_or_else(|errors| panic!("{errors}"));
    let app = TestApp::with(Database::Sqlite, products, |_| {}).await;
    assert_eq!(
        app.caller("tickets").scopes("audit:record").organization("acme").record(event("a.b")).await["status"],
        "RECORDED"
    );
    let asked = async |key: &Signer| read(&app, &key.sign(&claims(&issuer, "audit", &json!({})))).await;
    is_read(&asked(&key).await, "with the first token");
    // The kubelet writes another token, and the first ends.
    fs::write(files.path().join("token"), "second").expect("written");
    world.has(&configuration, Document { token: Some("second"), ..Document::of(&told) });
    world.has(&format!("localhost:{}/realm/keys", world.port), Document::of(&jwks(&[&newer])));
    within(Duration::from_secs(20), async || asked(&newer).await.status == 200).await;
    app.finish().await;
}
