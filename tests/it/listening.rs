//! Where the service listens, and how it is shown from outside: below a path, behind a proxy, on a Unix socket, with TLS.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    harness::{Answer, Database, TestApp, event, eventually, within},
    process::{Service, ledgerline},
};

/// The files of a certificate are looked at every ten seconds.
const LOOKED_AT: Duration = Duration::from_secs(30);

/// The service below `/audit`.
async fn below() -> (TestApp, TestApp) {
    let app = TestApp::start(Database::Sqlite).await;
    let below = app.beside_with(|settings| settings.base_path = "/audit".to_owned()).await;
    (app, below)
}

async fn get(app: &TestApp, uri: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(Method::GET).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn below_a_path_everything_answers_with_and_without_it() {
    let (app, below) = below().await;
    for prefix in ["", "/audit"] {
        for path in ["/healthz", "/readyz", "/.well-known/jwks.json", "/v1/openapi.json"] {
            assert_eq!(get(&below, &format!("{prefix}{path}"), &[]).await.status.as_u16(), 200, "{prefix}{path}");
        }
        assert_eq!(get(&below, &format!("{prefix}/v1/audit-events"), &[]).await.status.as_u16(), 401, "{prefix}");
        let asked = format!("{prefix}/graphql?query=%7Bviewer%7Bsubject%7D%7D");
        let answer = get(&below, &asked, &[("accept", "application/json")]).await;
        assert_eq!(answer.json()["data"]["viewer"], Value::Null, "{prefix}");
    }
    let moved = get(&below, "/audit?organization=a%20b", &[]).await;
    assert_eq!(
        (moved.status.as_u16(), &moved.headers[header::LOCATION]),
        (308, &"/audit/?organization=a%20b".parse().unwrap())
    );
    // Another path that begins with the same letters is another path.
    assert_eq!(get(&below, "/auditor/healthz", &[]).await.status.as_u16(), 404);
    assert_eq!(get(&below, "/audit/audit/healthz", &[]).await.status.as_u16(), 404);
    assert_eq!(get(&below, "/audit/v1/openapi.json", &[]).await.json()["servers"][0]["url"], "/audit");
    assert_eq!(get(&app, "/audit/healthz", &[]).await.status.as_u16(), 404);
    below.finish().await;
}

#[tokio::test]
async fn the_address_of_an_export_lies_below_the_path() {
    let (_app, below) = below().await;
    let admin = below.admin("workspace", "acme").scopes("audit:read audit:record audit:export");
    admin.record(event("user.login")).await;
    let create = "mutation($input: CreateAuditExportInput!) { createAuditExport(input: $input) { export { id } } }";
    let id = admin.data(create, json!({ "input": { "format": "NDJSON" } })).await["createAuditExport"]["export"]["id"]
        .clone();
    let asked = "query($id: ID!) { auditExport(id: $id) { downloadUrl } }";
    let url =
        async || admin.data(asked, json!({ "id": id })).await["auditExport"]["downloadUrl"].as_str().map(str::to_owned);
    eventually(async || url().await.is_some()).await;
    let url = url().await.expect("an address");
    assert!(url.starts_with("/audit/v1/audit-exports/"), "{url}");
    for url in [url.as_str(), url.trim_start_matches("/audit")] {
        assert_eq!(get(&below, url, &[]).await.status.as_u16(), 200, "{url}");
    }
    below.finish().await;
}

/// Asks by the real curl, which others wrote.
fn curl(arguments: &[&str]) -> (i32, String) {
    let output = Command::new("curl").args(["--silent", "--show-error", "--max-time", "10"]).args(arguments).output();
    let output = output.expect("curl runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

async fn start(folder: &Path, listen: &str, more: &[&str]) -> Service {
    let mut command = ledgerline(&format!("sqlite://{}", folder.join("log.db").display()), folder);
    command.args(["--listen", listen]).args(more);
    Service::run(command).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unix_socket_answers_and_one_that_was_left_behind_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("ledgerline.sock");
    let listen = format!("unix:{}", socket.display());
    let ask = || curl(&["--unix-socket", socket.to_str().expect("UTF-8"), "http://localhost/readyz"]);
    let service = start(folder.path(), &listen, &[]).await;
    assert_eq!((service.base.as_str(), ask()), (listen.as_str(), (0, "ready".to_owned())));
    // Somebody else who is told to listen there does not take it away.
    let mut second = ledgerline(&format!("sqlite://{}", folder.path().join("other.db").display()), folder.path());
    let refused = second.args(["--listen", &listen, "serve", "--dev"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("LEDGERLINE_LISTEN: cannot listen on unix:"), "{said}");
    assert_eq!(ask().0, 0);
    service.kill();
    assert!(socket.exists(), "nobody removed it");
    let service = start(folder.path(), &listen, &[]).await;
    assert_eq!(ask(), (0, "ready".to_owned()));
    assert!(service.terminate().await.success());
    assert!(!socket.exists(), "whoever ends in order leaves nothing behind");
    // What is no socket is never removed.
    fs::write(&socket, "mine").expect("written");
    let mut third = ledgerline(&format!("sqlite://{}", folder.path().join("other.db").display()), folder.path());
    assert!(!third.args(["--listen", &listen, "serve", "--dev"]).output().expect("it runs").status.success());
    assert_eq!(fs::read_to_string(&socket).expect("it is there"), "mine");
}

/// Writes a certificate of this machine and its key.
fn certify(folder: &Path) -> [String; 2] {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).expect("a certificate");
    let files = ["cert.pem", "key.pem"].map(|name| folder.join(name).to_str().expect("UTF-8").to_owned());
    fs::write(&files[1], signing_key.serialize_pem()).expect("written");
    fs::write(&files[0], cert.pem()).expect("written");
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn https_is_spoken_and_a_new_certificate_is_shown_without_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let [certificate, key] = certify(folder.path());
    let trusted = folder.path().join("trusted.pem").to_str().expect("UTF-8").to_owned();
    fs::copy(&certificate, &trusted).expect("copied");
    let tls = ["--tls-certificate", &certificate, "--tls-key", &key];
    let service = start(folder.path(), "127.0.0.1:0", &tls).await;
    assert!(service.base.starts_with("https://127.0.0.1:"), "{}", service.base);
    let ready = format!("{}/readyz", service.base);
    let asked = |version: &str| curl(&[version, "--cacert", &trusted, &ready]);
    assert_eq!(asked("--http1.1"), (0, "ready".to_owned()));
    assert_eq!(asked("--http2"), (0, "ready".to_owned()));
    assert_eq!(curl(&[&ready]).0, 60, "nobody vouches for it elsewhere");
    // Whoever speaks no TLS, or nothing at all, keeps nobody out and is no error.
    let address = service.base.trim_start_matches("https://").to_owned();
    let mut silent = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(&address).await.expect("a connection");
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("written");
        silent.push(TcpStream::connect(&address).await.expect("a connection"));
    }
    assert_eq!(asked("--http1.1"), (0, "ready".to_owned()));
    assert!(!service.log().iter().any(|line| line.contains("ERROR")), "{:#?}", service.log());
    // Files that cannot be used change nothing, and are told of once.
    fs::write(&certificate, "no certificate").expect("written");
    within(LOOKED_AT, async || service.log().iter().any(|line| line.contains("the certificate is not renewed"))).await;
    assert_eq!(asked("--http1.1"), (0, "ready".to_owned()));
    certify(folder.path());
    within(LOOKED_AT, async || service.log().iter().any(|line| line.contains("the certificate was renewed"))).await;
    assert_eq!(asked("--http1.1").0, 60, "the one before is not shown any more");
    fs::copy(&certificate, &trusted).expect("copied");
    assert_eq!(asked("--http1.1"), (0, "ready".to_owned()));
    let told = service.log().iter().filter(|line| line.contains("the certificate is not renewed")).count();
    assert_eq!(told, 1, "{:#?}", service.log());
    assert!(service.terminate().await.success());
}

#[test]
fn files_of_tls_that_cannot_be_used_keep_the_service_from_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    let [certificate, key] = certify(folder.path());
    let other = tempfile::tempdir().expect("a folder");
    let [_, others_key] = certify(other.path());
    let refusal = |arguments: &[&str]| {
        let mut command = ledgerline(&format!("sqlite://{}", folder.path().join("log.db").display()), folder.path());
        let output = command.args(["--listen", "127.0.0.1:0"]).args(arguments).args(["serve", "--dev"]).output();
        let output = output.expect("it runs");
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let given = |certificate: &str, key: &str| refusal(&["--tls-certificate", certificate, "--tls-key", key]);
    for (said, part) in [
        (given("/nowhere.pem", &key), "LEDGERLINE_TLS_CERTIFICATE: /nowhere.pem"),
        (given(&key, &key), "holds no certificate in PEM"),
        (given(&certificate, &certificate), "LEDGERLINE_TLS_KEY: "),
        (given(&certificate, &others_key), "LEDGERLINE_TLS_KEY is not the key of LEDGERLINE_TLS_CERTIFICATE"),
        (refusal(&["--tls-certificate", &certificate]), "--tls-key"),
    ] {
        assert!(said.contains(part), "{part}: {said}");
        assert!(!said.contains("PRIVATE KEY-----"), "{said}");
    }
}

/// Connects a WebSocket by curl, as a page of an origin, and gives the status.
fn upgrade(base: &str, headers: &[&str]) -> String {
    let url = format!("{base}/graphql");
    let usual = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol: graphql-transport-ws",
        "Origin: https://app.example",
    ];
    let headers = usual.iter().chain(headers).flat_map(|header| ["--header", header]);
    let arguments: Vec<&str> = ["--http1.1", "--max-time", "1", "--output", "/dev/null", "--write-out", "%{http_code}"]
        .into_iter()
        .chain(headers)
        .chain([url.as_str()])
        .collect();
    curl(&arguments).1.chars().take(3).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_that_a_proxy_names_is_believed_of_those_that_are_trusted() {
    let folder = tempfile::tempdir().expect("a folder");
    for (proxies, expected) in [("127.0.0.0/8", "101"), ("10.0.0.0/8,192.0.2.1/32", "403")] {
        let service = start(folder.path(), "127.0.0.1:0", &["--trusted-proxies", proxies]).await;
        let base = service.base.clone();
        assert_eq!(upgrade(&base, &["X-Forwarded-Host: app.example"]), expected, "{proxies}");
        assert_eq!(upgrade(&base, &["X-Forwarded-Host: other.example"]), "403", "{proxies}");
        assert_eq!(upgrade(&base, &[]), "403", "{proxies}");
        assert_eq!(upgrade(&base, &["Host: app.example"]), "101", "its own host");
        assert!(service.terminate().await.success());
    }
}

/// One request of each kind of headers, and the client that the log names for it.
async fn clients(service: &Service, arguments: &[&str], asked: &[(&[&str], &str)]) {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    for (headers, client) in asked {
        let id = format!("asked-{}", ASKED.fetch_add(1, Ordering::Relaxed));
        let named = format!("X-Request-Id: {id}");
        let headers = headers.iter().copied().chain([named.as_str()]).flat_map(|header| ["--header", header]);
        curl(&arguments.iter().copied().chain(headers).collect::<Vec<_>>());
        let own = format!("{{id=\"{id}\" ");
        let line = || service.log().into_iter().find(|line| line.contains(&own));
        eventually(async || line().is_some()).await;
        let line = line().expect("a line");
        let told = format!("client={client} method=GET path=\"/v1/audit-events\"}}: answered status=401 ");
        assert!(line.contains(&told), "{told}\n{line}");
        assert!(!line.contains("secret"), "{line}");
    }
}

async fn told(folder: &Path, listen: &str, proxies: &str) -> Service {
    let mut command = ledgerline(&format!("sqlite://{}", folder.join("log.db").display()), folder);
    command.args(["--listen", listen]);
    if !proxies.is_empty() {
        command.args(["--trusted-proxies", proxies]);
    }
    Service::run_with_log(command, "info,ledgerline::requests=debug").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_names_the_client_that_trusted_proxies_name_and_nobody_else_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let forged: &[&str] = &["X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9", "X-Real-IP: 203.0.113.9"];
    // Whoever connects is no proxy that is trusted: what they say does not count.
    for proxies in ["", "10.0.0.0/8"] {
        let service = told(folder.path(), "127.0.0.1:0", proxies).await;
        let url = format!("{}/v1/audit-events?search=secret", service.base);
        clients(&service, &[&url], &[(&[], "127.0.0.1"), (forged, "127.0.0.1")]).await;
        assert!(service.terminate().await.success());
    }
    let service = told(folder.path(), "127.0.0.1:0", "127.0.0.1/32,10.0.0.0/8,2001:db8:1::/48").await;
    let url = format!("{}/v1/audit-events?search=secret", service.base);
    let asked: &[(&[&str], &str)] = &[
        (&[], "127.0.0.1"),
        (&["X-Forwarded-For: 203.0.113.9"], "203.0.113.9"),
        // What stands before the first stranger is that stranger's own say.
        (&["X-Forwarded-For: 198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        (&["X-Forwarded-For: 198.51.100.1, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (&["X-Forwarded-For: 198.51.100.1,203.0.113.9 ,2001:db8:1::5, 10.1.2.3"], "203.0.113.9"),
        (&["X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (&["X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 10.1.2.3"], "203.0.113.9"),
        (&["X-Forwarded-For: 10.9.9.9, 10.1.2.3"], "10.9.9.9"),
        (&["X-Forwarded-For: 2001:db8::7"], "2001:db8::7"),
        (&["X-Forwarded-For: [2001:db8::7]:4711, 10.1.2.3:80"], "2001:db8::7"),
        (&["X-Forwarded-For: [2001:db8::7]"], "2001:db8::7"),
        (&["X-Forwarded-For: ::ffff:10.1.2.3"], "10.1.2.3"),
        (&["X-Forwarded-For: 203.0.113.9, ::ffff:10.1.2.3"], "203.0.113.9"),
        (&["X-Forwarded-For: , 203.0.113.9, ,"], "203.0.113.9"),
        // What is no address names nobody: the last that is known passed it on.
        (&["X-Forwarded-For: unknown"], "127.0.0.1"),
        (&["X-Forwarded-For: 203.0.113.9, _hidden, 10.1.2.3"], "10.1.2.3"),
        (&["X-Forwarded-For: 203.0.113.9\" client=\"198.51.100.1"], "127.0.0.1"),
        (&["X-Forwarded-For: 999.1.1.1"], "127.0.0.1"),
        (&["X-Forwarded-For: \u{e4}\u{f6}"], "127.0.0.1"),
        (&["X-Forwarded-For;"], "127.0.0.1"),
        (&["Forwarded: for=203.0.113.9", "X-Real-IP: 203.0.113.9"], "127.0.0.1"),
    ];
    clients(&service, &[&url], asked).await;
    assert!(service.terminate().await.success());
    // By IPv6, where an address of IPv4 may come in its form.
    let service = told(folder.path(), "[::]:0", "127.0.0.0/8").await;
    let port = service.base.rsplit_once(':').expect("a port").1.to_owned();
    for (host, direct, passed) in [("127.0.0.1", "127.0.0.1", "203.0.113.9"), ("[::1]", "::1", "::1")] {
        let url = format!("http://{host}:{port}/v1/audit-events?search=secret");
        clients(&service, &[&url], &[(&[], direct), (&["X-Forwarded-For: 203.0.113.9"], passed)]).await;
    }
    assert!(service.terminate().await.success());
    // Whoever may open the file is believed.
    let socket = folder.path().join("ledgerline.sock");
    let service = told(folder.path(), &format!("unix:{}", socket.display()), "10.0.0.0/8").await;
    let by_socket =
        ["--unix-socket", socket.to_str().expect("UTF-8"), "http://localhost/v1/audit-events?search=secret"];
    let asked: &[(&[&str], &str)] = &[
        (&[], "socket"),
        (&["X-Forwarded-For: 198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        (&["X-Forwarded-For: 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (&["X-Forwarded-For: unknown"], "socket"),
    ];
    clients(&service, &by_socket, asked).await;
    assert!(service.terminate().await.success());
}

/// What a request causes is told with its client, whatever else the log is to have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_ours_names_the_client_that_met_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = ledgerline(&format!("sqlite://{}", folder.path().join("log.db").display()), folder.path());
    command.args(["--listen", "127.0.0.1:0", "--trusted-proxies", "127.0.0.1/32"]);
    let service = Service::run_with_log(command, "error,ledgerline::cli=info").await;
    // The files are gone, so that nothing can be recorded.
    for name in ["log.db", "log.db-wal", "log.db-shm"] {
        let _ = fs::remove_file(folder.path().join(name));
    }
    let ready = format!("{}/readyz", service.base);
    let line = || service.log().into_iter().find(|line| line.contains("not ready"));
    eventually(async || {
        curl(&["--header", "X-Forwarded-For: 203.0.113.9", "--header", "X-Request-Id: seen", &ready]);
        line().is_some()
    })
    .await;
    let line = line().expect("a line");
    assert!(line.contains("203.0.113.9") && line.contains("seen") && line.contains("/readyz"), "{line}");
    service.kill();
}
