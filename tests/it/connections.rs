//! Connections as they are: silent, slow, many, odd, and when the service stops.

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{crash::Place, process::Service};

const VIEWER: &str = "{ viewer { subject } }";

fn place(folder: &Path) -> Place {
    let url = format!("sqlite://{}", folder.join("ledgerline.db").display());
    Place::of("acme", url, folder.to_owned())
}

async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.base.trim_start_matches("http://")).await.expect("a connection")
}

/// Sends bytes as they are, and gives what comes until the end, or until a pause.
async fn raw(service: &Service, bytes: &[u8]) -> String {
    let mut socket = connect(service).await;
    socket.write_all(bytes).await.expect("sent");
    heard(&mut socket).await
}

async fn heard(socket: &mut TcpStream) -> String {
    let (mut all, mut some) = (Vec::new(), [0; 4096]);
    while let Ok(Ok(read @ 1..)) = timeout(Duration::from_millis(1_500), socket.read(&mut some)).await {
        all.extend(&some[..read]);
        if all.ends_with(b"}") || all.ends_with(b"ok") || all.ends_with(b"header") {
            break;
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}\r\n{body}").into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_is_taken_to_the_letter() {
    let folder = tempfile::tempdir().unwrap();
    let service = place(folder.path()).service().await;
    let status = |answer: &str| answer.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = json!({ "query": "{ __typename }" }).to_string();
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("one host", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), "200"),
        ("no host", b"GET /healthz HTTP/1.1\r\n\r\n".to_vec(), "400"),
        ("two hosts", b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n".to_vec(), "400"),
        ("an old client", b"GET /healthz HTTP/1.0\r\n\r\n".to_vec(), "200"),
        ("a whole chunk", post("Transfer-Encoding: chunked\r\n", &chunked), "200"),
        ("a bad chunk", post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"), "400"),
        ("a coded transfer", post("Transfer-Encoding: gzip, chunked\r\n", &chunked), "415"),
        ("a coded body", post(&format!("Content-Encoding: br\r\nContent-Length: {}\r\n", body.len()), &body), "415"),
        ("its length is told", post("Content-Length: 300000\r\n", ""), "413"),
        (
            "two authorizations",
            post(&format!("Authorization: Bearer a\r\nAuthorization: Bearer b\r\nContent-Length: {}\r\n", body.len()), &body),
            "401",
        ),
        (
            "utf8",
            format!(
                "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json; charset=utf8\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
            "200",
        ),
    ];
    for (name, bytes, wanted) in cases {
        let answer = raw(&service, &bytes).await;
        assert_eq!(status(&answer), wanted, "{name}: {answer}");
    }
    // An id of the caller's own is told again where it is a name, and is another one where it is none.
    let id = async |id: &str| {
        let bytes = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: {id}\r\n\r\n");
        let answer = raw(&service, bytes.as_bytes()).await.to_lowercase();
        answer.split("x-request-id: ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or_default().to_owned()
    };
    assert_eq!(id("req-1/a").await, "req-1/a");
    for odd in ["x".repeat(129), "a b".to_owned(), "é".to_owned(), String::new(), "a\tb".to_owned()] {
        let told = id(&odd).await;
        assert!(told.len() == 16 && told.bytes().all(|byte| byte.is_ascii_hexdigit()), "{odd:?}: {told:?}");
    }
    // Headers have an end, and a token of 16 KiB is within it.
    let long = |bytes: usize| format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(bytes));
    assert_eq!(status(&raw(&service, long(16 << 10).as_bytes()).await), "200");
    assert_eq!(status(&raw(&service, long(390 << 10).as_bytes()).await), "431");
    service.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_viewers_files_are_known_again_whichever_way_they_were_packed() {
    let app = crate::harness::TestApp::start(crate::harness::Database::Sqlite).await;
    let get = async |headers: &[(&str, &str)]| {
        let mut request = axum::http::Request::get("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        app.send(request.body(axum::body::Body::empty()).unwrap()).await
    };
    let plain = get(&[]).await;
    let packed = get(&[("accept-encoding", "gzip")]).await;
    // A build without the viewer has no files.
    if let (Some(one), Some(other)) = (plain.headers.get("etag"), packed.headers.get("etag")) {
        assert_eq!((one, one.to_str().unwrap().starts_with("W/")), (other, true));
        for known in [one.to_str().unwrap(), "*", &format!("\"other\", {}", one.to_str().unwrap())] {
            assert_eq!(get(&[("if-none-match", known)]).await.status, 304, "{known}");
        }
        assert_eq!(get(&[("if-none-match", "\"other\"")]).await.status, 200);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_keep_nobody_out_and_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path());
    let service = place.service().await;
    let mut silent = Vec::new();
    for _ in 0..120 {
        silent.push(connect(&service).await);
    }
    // Some begin a request and never end it.
    for socket in silent.iter_mut().take(40) {
        socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-").await.unwrap();
    }
    let client = place.client();
    let answer = client.ask(&service.base, VIEWER, Value::Null).await.expect("an answer");
    assert_eq!(answer["data"]["viewer"]["subject"], "admin");
    // They are closed without an answer, while whoever uses a connection keeps it.
    let mut used = connect(&service).await;
    let mut closed = 0;
    for _ in 0..40 {
        used.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(heard(&mut used).await.ends_with("ok"));
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut left = Vec::new();
        for mut socket in silent {
            let mut byte = [0; 64];
            match timeout(Duration::from_millis(1), socket.read(&mut byte)).await {
                Err(_) => left.push(socket),
                Ok(_) => closed += 1,
            }
        }
        silent = left;
        if silent.is_empty() {
            break;
        }
    }
    assert_eq!(closed, 120);
    service.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_connected_when_the_service_stops_is_answered_and_sent_away() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path());
    let service = place.service().await;
    let mut kept = Vec::new();
    for _ in 0..64 {
        let mut socket = connect(&service).await;
        socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(heard(&mut socket).await.ends_with("ok"));
        kept.push(socket);
    }
    // One request that never ends holds nobody up for longer than is said.
    let mut unfinished = connect(&service).await;
    unfinished.write_all(&post("Content-Length: 1000\r\n", "{")).await.unwrap();
    let (id, base) = (service.id(), service.base.clone());
    assert!(Command::new("kill").args(["-TERM", &id.to_string()]).status().unwrap().success());
    tokio::time::sleep(Duration::from_millis(150)).await;
    // It is ready for nobody, and answers everybody, each for the last time.
    assert_eq!(place.client().status(format!("{base}/readyz")).await, 503);
    for socket in &mut kept {
        socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let answer = heard(socket).await;
        assert!(answer.ends_with("ok") && answer.to_lowercase().contains("connection: close"), "{answer}");
    }
    let started = std::time::Instant::now();
    let status = service.terminate().await;
    assert!(status.success());
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}
