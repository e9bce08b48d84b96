//! A service that listens, and somebody connected to it.

use std::{ops::Deref, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use super::FOLLOW;
use crate::harness::TestApp;

/// A service that listens at `127.0.0.1:PORT`, until this is dropped.
pub struct Listening {
    address: String,
    serving: AbortHandle,
}

impl Deref for Listening {
    type Target = str;

    fn deref(&self) -> &str {
        &self.address
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Lets a service listen.
pub async fn listen(app: &TestApp) -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let router = app.app.router.clone();
    let serving = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
    Listening { address, serving }
}

/// A connection that speaks `graphql-transport-ws`.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects, with headers of the test's own; an empty one takes the protocol away.
    pub async fn open(address: &str, headers: &[(&'static str, &str)]) -> Self {
        Self::try_open(address, headers).await.expect("a connection")
    }

    /// The same where it may be refused; the status then.
    pub async fn try_open(address: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/graphql").into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        if headers.iter().any(|(_, value)| value.is_empty()) {
            request.headers_mut().remove("sec-websocket-protocol");
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Connects as whoever a token speaks for, and is acknowledged.
    pub async fn with_token(address: &str, token: &str) -> Self {
        let mut socket = Self::open(address, &[]).await;
        socket.init(token).await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }

    pub async fn init(&mut self, token: &str) {
        let payload = json!({ "authorization": format!("Bearer {token}") });
        self.say(json!({ "type": "connection_init", "payload": payload })).await;
    }

    pub async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("sent");
    }

    pub async fn say_text(&mut self, message: &str) {
        self.0.send(Message::text(message)).await.expect("sent");
    }

    /// Follows with variables of [`FOLLOW`].
    pub async fn follow(&mut self, id: &str, variables: Value) {
        let payload = json!({ "query": FOLLOW, "variables": variables });
        self.say(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
    }

    /// The next message; pings are answered on the way.
    pub async fn hear(&mut self) -> Value {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("a text was expected: {other:?}"),
        }
    }

    /// The code and the reason that the connection is closed with.
    pub async fn closed(&mut self) -> (u16, String) {
        match self.message().await {
            Message::Close(Some(frame)) => (frame.code.into(), frame.reason.to_string()),
            other => panic!("a close was expected: {other:?}"),
        }
    }

    /// The next message of any kind; pings are answered on the way.
    pub async fn message(&mut self) -> Message {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.expect("in time");
            match message.expect("a message").expect("a whole one") {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    /// The next event of an operation.
    pub async fn event(&mut self, id: &str) -> Value {
        let message = self.hear().await;
        assert_eq!(message["id"], id, "{message:#}");
        assert_eq!(message["type"], "next", "{message:#}");
        assert!(message["payload"].get("errors").is_none(), "{message:#}");
        message["payload"]["data"]["auditEventRecorded"].clone()
    }

    /// Codes of the errors that an operation is refused or ended with.
    pub async fn error(&mut self, id: &str) -> String {
        let message = self.hear().await;
        assert_eq!((&message["id"], &message["type"]), (&json!(id), &json!("error")), "{message:#}");
        message["payload"][0]["extensions"]["code"].as_str().expect("a code").to_owned()
    }

    /// The sequences of so many next events.
    pub async fn sequences(&mut self, id: &str, count: usize) -> Vec<i64> {
        let mut sequences = Vec::with_capacity(count);
        for _ in 0..count {
            sequences.push(sequence(&self.event(id).await));
        }
        sequences
    }

    /// Nothing comes for a moment.
    pub async fn is_silent(&mut self) {
        let quiet = tokio::time::timeout(Duration::from_millis(1_500), self.message()).await;
        assert!(quiet.is_err(), "nothing was expected: {quiet:?}");
    }
}

/// The sequence of an edge's event.
pub fn sequence(edge: &Value) -> i64 {
    edge["node"]["sequence"].as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{edge:#}"))
}
