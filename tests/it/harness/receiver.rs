//! Somebody who is sent events, and does with them what a test says.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::{net::TcpListener, task::AbortHandle};

/// What was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Sent {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The sequence of the event; -1 of a test.
    pub fn sequence(&self) -> i64 {
        self.json()["data"]["sequence"].as_i64().unwrap_or(-1)
    }
}

/// What it answers.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// A status and a header.
    With(u16, &'static str, String),
    /// A status and a body.
    Json(u16, Value),
    /// The same of a body that is a text.
    Text(u16, String),
    /// Nothing for so long.
    Late(Duration),
}

type Script = Box<dyn FnMut(&Sent) -> Reply + Send>;

struct Inner {
    script: Mutex<Script>,
    got: Mutex<Vec<Sent>>,
}

/// A receiver. Gone when dropped.
pub struct Receiver {
    inner: Arc<Inner>,
    pub url: String,
    serving: AbortHandle,
}

impl Receiver {
    /// One that takes everything.
    pub async fn start() -> Self {
        Self::scripted(|_| Reply::Status(204)).await
    }

    /// One that answers as it is told.
    pub async fn scripted(script: impl FnMut(&Sent) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let inner = Arc::new(Inner { script: Mutex::new(Box::new(script)), got: Mutex::default() });
        let router = Router::new().fallback(take).with_state(inner.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Self { inner, url, serving }
    }

    /// From now on it answers so.
    pub fn answers(&self, script: impl FnMut(&Sent) -> Reply + Send + 'static) {
        *self.inner.script.lock().expect("unpoisoned") = Box::new(script);
    }

    /// Everything that it was sent.
    pub fn got(&self) -> Vec<Sent> {
        self.inner.got.lock().expect("unpoisoned").clone()
    }

    pub fn forget(&self) {
        self.inner.got.lock().expect("unpoisoned").clear();
    }

    /// Sequences of the events that it was sent.
    pub fn sequences(&self) -> Vec<i64> {
        self.got().iter().map(Sent::sequence).collect()
    }

    /// Waits until it was sent so much.
    pub async fn has(&self, count: usize) -> Vec<Sent> {
        self.has_within(count, Duration::from_secs(20)).await
    }

    pub async fn has_within(&self, count: usize, time: Duration) -> Vec<Sent> {
        let until = tokio::time::Instant::now() + time;
        loop {
            let got = self.got();
            if got.len() >= count {
                return got;
            }
            assert!(tokio::time::Instant::now() < until, "{} of {count}: {:?}", got.len(), self.sequences());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(inner): State<Arc<Inner>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let sent = Sent { path: uri.path().to_owned(), headers, body };
    let reply = (inner.script.lock().expect("unpoisoned"))(&sent);
    inner.got.lock().expect("unpoisoned").push(sent);
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Reply::With(status, name, value) => {
            (StatusCode::from_u16(status).expect("a status"), [(name, value)]).into_response()
        }
        Reply::Json(status, body) => {
            (StatusCode::from_u16(status).expect("a status"), axum::Json(body)).into_response()
        }
        Reply::Text(status, body) => (StatusCode::from_u16(status).expect("a status"), body).into_response(),
        Reply::Late(time) => {
            tokio::time::sleep(time).await;
            StatusCode::NO_CONTENT.into_response()
        }
    }
}
