//! GraphQL over WebSocket: the subprotocol `graphql-transport-ws`,
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.
//!
//! The protocol is spoken here and not by async-graphql, whose version closes with other codes than the protocol names
//! (1011 for 4401, 1002 for 4400 and 4403), takes an id twice, and knows no refusal of a single operation. Clients decide
//! by the code whether they connect again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_graphql::{Response as Answer, ServerError, Value};
use axum::{
    extract::{
        FromRequestParts, Request,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{
    StreamExt,
    stream::{self, AbortHandle, BoxStream, SelectAll, abortable},
};
use serde::Serialize;
use serde_json::json;
use tokio::time::{Instant, timeout};
use tracing::{Instrument, Span};

use super::{no_longer_good, text};
use crate::{
    auth::Principal,
    error::{Code, Error},
    http::{
        Edge,
        admission::{admit, parameters},
        authenticate, body, peer,
        received::{self, BODY, Unread},
    },
};

/// The name of the protocol.
const PROTOCOL: &str = "graphql-transport-ws";
/// How long a client may take to say who it is.
const INIT: Duration = Duration::from_secs(10);
/// How often a client is asked whether it is there.
const PING: Duration = Duration::from_secs(25);
/// How long a client may be silent, or take to read one message.
const SILENCE: Duration = Duration::from_secs(60);
/// The gauge of open operations.
const OPEN: &str = "ledgerline_live_operations";
/// What a connection reads and writes at once, in bytes: most have nothing to say, and there may be thousands.
const BUFFER: usize = 4 * 1024;
/// Operations that may be open at once on one connection.
const OPERATIONS: usize = 100;

/// How a connection ends: a code that clients act upon, and a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Close(u16, String);

impl Close {
    fn new(code: u16, reason: &str) -> Self {
        Self(code, reason.to_owned())
    }

    fn malformed(reason: &str) -> Self {
        Self::new(4400, reason)
    }

    /// Why whoever brings this token is not let in. Clients come again with another token after 4403.
    fn refused(error: &Error) -> Self {
        match error.code() {
            Code::Unauthenticated => Self::new(4403, &format!("Forbidden: {error}")),
            // 1013: try again later.
            _ => Self::new(1013, &error.to_string()),
        }
    }

    fn no_longer_good(why: &str) -> Self {
        Self::new(4403, &format!("Forbidden: {why}"))
    }
}

/// Whether a request is the handshake of a WebSocket.
pub fn is_asked(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Opens a connection.
pub async fn open(edge: Arc<Edge>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if !is_allowed_origin(&edge, &parts.headers) {
        return (StatusCode::FORBIDDEN, "pages of this origin may not connect: LEDGERLINE_ALLOWED_ORIGINS")
            .into_response();
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade
            .protocols([PROTOCOL])
            .max_message_size(BODY)
            .max_frame_size(BODY)
            .read_buffer_size(BUFFER)
            .write_buffer_size(BUFFER),
        Err(refusal) => return refusal.into_response(),
    };
    let spoken = upgrade.selected_protocol().is_some();
    let headers = parts.headers;
    // What the connection causes is told as of this request, though that is answered by then.
    let span = Span::current();
    upgrade.on_upgrade(move |socket| {
        let serving = async move {
            let request_id = crate::http::request_id(&headers).to_owned();
            let mut connection = Connection { edge, socket, request_id, heard: Instant::now() };
            let end = if spoken {
                connection.run(&headers).await
            } else {
                End::Closing(Close(4406, format!("Subprotocol not acceptable: it is {PROTOCOL}")))
            };
            connection.end(end).await;
        };
        serving.instrument(span)
    })
}

/// Whether the page that connects is of an origin that may call. Browsers send its origin, and CORS does not reach
/// WebSockets; a proxy may add a token that the page never sees.
fn is_allowed_origin(edge: &Edge, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let own = || {
        let origin = origin.to_str().ok()?.split_once("://")?.1;
        Some(origin.eq_ignore_ascii_case(peer::host(headers)?))
    };
    edge.origins.contains(origin) || own().unwrap_or(false)
}

/// Why a connection ended.
enum End {
    /// The client went.
    Gone,
    /// We close it.
    Closing(Close),
    /// The client does not read what it is sent.
    Slow,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Closing(close)
    }
}

/// What a client says.
enum Said {
    Init(Option<Value>),
    Ping(Option<Value>),
    Pong,
    Subscribe { id: String, payload: Value, length: usize },
    Complete(String),
}

/// What an operation gives.
enum Given {
    Answer(Box<Answer>),
    Done,
}

struct Connection {
    edge: Arc<Edge>,
    socket: WebSocket,
    request_id: String,
    /// When the client was heard of last.
    heard: Instant,
}

/// Operations that are open, by the ids that the client gave them.
#[derive(Default)]
struct Operations {
    running: SelectAll<BoxStream<'static, (String, u64, Given)>>,
    open: HashMap<String, (u64, AbortHandle)>,
    /// Tells an operation from an earlier one of the same id.
    begun: u64,
}

impl Operations {
    fn is_open(&self, id: &str, begun: u64) -> bool {
        self.open.get(id).is_some_and(|(known, _)| *known == begun)
    }

    /// Begins an operation under an id that is free.
    fn begin(&mut self, id: String, answers: BoxStream<'static, Answer>) {
        let (answers, handle) = abortable(answers);
        self.begun += 1;
        let begun = self.begun;
        self.open.insert(id.clone(), (begun, handle));
        metrics::gauge!(OPEN).increment(1);
        let given = answers.map(Box::new).map(Given::Answer).chain(stream::once(async { Given::Done }));
        self.running.push(given.map(move |given| (id.clone(), begun, given)).boxed());
    }

    fn close(&mut self, id: &str) {
        if let Some((_, handle)) = self.open.remove(id) {
            handle.abort();
            metrics::gauge!(OPEN).decrement(1);
        }
    }
}

impl Drop for Operations {
    fn drop(&mut self) {
        let open: Vec<_> = self.open.keys().cloned().collect();
        open.iter().for_each(|id| self.close(id));
    }
}

impl Connection {
    async fn run(&mut self, headers: &HeaderMap) -> End {
        let principal = match timeout(INIT, self.initialised(headers)).await {
            Ok(Ok(principal)) => principal,
            Ok(Err(end)) => return end,
            Err(_) => return Close::new(4408, "Connection initialisation timeout").into(),
        };
        if let Err(end) = self.say(json!({ "type": "connection_ack" })).await {
            return end;
        }
        let mut no_longer_good = Box::pin(no_longer_good(self.edge.clone(), principal.clone()));
        let mut stopping = self.edge.stopping.clone();
        let mut operations = Operations::default();
        let mut ping = tokio::time::interval(PING);
        loop {
            let step = tokio::select! {
                said = self.hear(principal.as_deref()) => match said {
                    Ok(said) => self.act(said, principal.as_ref(), &mut operations).await,
                    Err(end) => return end,
                },
                Some((id, begun, given)) = operations.running.next(), if !operations.running.is_empty() => {
                    if operations.is_open(&id, begun) { self.give(&id, given, &mut operations).await } else { Ok(()) }
                }
                why = &mut no_longer_good => return Close::no_longer_good(why).into(),
                _ = ping.tick() => self.ping().await,
                () = async { drop(stopping.wait_for(|stopping| *stopping).await) } => {
                    // 1012: the service starts again, or another process goes on.
                    return Close::new(1012, "the service stops").into();
                }
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Waits for `connection_init`, and says who is asking: by its payload, else by the headers of the handshake.
    async fn initialised(&mut self, headers: &HeaderMap) -> Result<Option<Arc<Principal>>, End> {
        loop {
            match self.hear(None).await? {
                Said::Init(payload) => {
                    let mut headers = headers.clone();
                    take_credentials(payload.as_ref(), &mut headers)?;
                    let principal = authenticate::principal(&self.edge, &headers).await;
                    return principal.map_err(|error| Close::refused(&error).into());
                }
                Said::Ping(payload) => self.say(pong(payload.as_ref())).await?,
                Said::Pong | Said::Complete(_) => {}
                Said::Subscribe { .. } => return Err(Close::new(4401, "Unauthorized").into()),
            }
        }
    }

    async fn act(
        &mut self,
        said: Said,
        principal: Option<&Arc<Principal>>,
        operations: &mut Operations,
    ) -> Result<(), End> {
        match said {
            Said::Init(_) => Err(Close::new(4429, "Too many initialisation requests").into()),
            Said::Ping(payload) => self.say(pong(payload.as_ref())).await,
            Said::Pong => Ok(()),
            Said::Complete(id) => {
                operations.close(&id);
                Ok(())
            }
            Said::Subscribe { id, .. } if operations.open.contains_key(&id) => {
                Err(Close(4409, format!("Subscriber for {} already exists", shortened(&id))).into())
            }
            Said::Subscribe { id, payload, length } => {
                if operations.open.len() >= OPERATIONS {
                    let rule = format!("a connection has at most {OPERATIONS} operations open at once");
                    let error = crate::graphql::coded(rule, Code::Overloaded);
                    return self.say(refused(&id, &[*error])).await;
                }
                let asked =
                    parameters(payload).map_err(|fault| Close::malformed(&format!("Invalid message: {fault}")))?;
                let asked = admit(&self.edge, asked, principal.map(AsRef::as_ref), &self.request_id, false, length);
                let asked = match asked {
                    Ok(asked) => asked,
                    Err(refusal) => return self.say(refused(&id, &[*refusal.error])).await,
                };
                let answers = self.edge.executor.stream(asked, principal.cloned(), self.request_id.clone(), None);
                operations.begin(id, answers);
                Ok(())
            }
        }
    }

    async fn give(&mut self, id: &str, given: Given, operations: &mut Operations) -> Result<(), End> {
        let text = match given {
            // What ended an operation, and what kept it from beginning, is its error.
            Given::Answer(answer) if !answer.errors.is_empty() && is_nothing(&answer.data) => {
                operations.close(id);
                refused(id, &answer.errors).to_string()
            }
            Given::Answer(answer) => {
                format!("{{\"id\":{},\"type\":\"next\",\"payload\":{}}}", json!(id), text(&answer))
            }
            Given::Done => {
                operations.close(id);
                json!({ "id": id, "type": "complete" }).to_string()
            }
        };
        self.send(Message::text(text)).await
    }

    /// The next thing that the client says.
    async fn hear(&mut self, principal: Option<&Principal>) -> Result<Said, End> {
        loop {
            let Some(Ok(message)) = self.socket.recv().await else { return Err(End::Gone) };
            self.heard = Instant::now();
            match message {
                Message::Text(text) => {
                    let mut room = self.edge.bodies.room(principal);
                    return match received::fits(text.as_bytes(), &mut room) {
                        Ok(()) => said(&text).map_err(End::from),
                        Err(Unread::Refused { message, .. }) => Err(Close::malformed(&message).into()),
                        Err(Unread::Full(error)) => Err(Close::refused(&error).into()),
                    };
                }
                Message::Binary(_) => return Err(Close::malformed("Invalid message: it must be text").into()),
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(_) => return Err(End::Gone),
            }
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard.elapsed() > SILENCE {
            return Err(End::Gone);
        }
        self.send(Message::Ping(Default::default())).await
    }

    async fn say(&mut self, message: serde_json::Value) -> Result<(), End> {
        self.send(Message::text(message.to_string())).await
    }

    /// Sends a message. Nothing is gathered for a client that does not read: it is waited for, and then left.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(SILENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Slow),
        }
    }

    async fn end(mut self, end: End) {
        let Close(code, reason) = match end {
            End::Gone => return,
            End::Closing(close) => close,
            End::Slow => {
                metrics::counter!("ledgerline_live_slow_total").increment(1);
                Close::new(1013, "messages were not read in time")
            }
        };
        let frame = CloseFrame { code, reason: shortened(&reason).into() };
        // A client that does not read it is not waited for.
        let _ = timeout(Duration::from_secs(5), self.socket.send(Message::Close(Some(frame)))).await;
        let _ = timeout(Duration::from_secs(5), async { while let Some(Ok(_)) = self.socket.recv().await {} }).await;
    }
}

/// A reason as a close frame takes it: at most 123 bytes.
fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(123)]
}

/// Reads a message.
fn said(text: &str) -> Result<Said, Close> {
    let invalid = |fault: &str| Close::malformed(&format!("Invalid message: {fault}"));
    let message = body::read(text).map_err(|_| invalid("it must be JSON"))?;
    let Value::Object(mut fields) = message else { return Err(invalid("it must be an object")) };
    let payload = match fields.swap_remove("payload") {
        None | Some(Value::Null) => None,
        Some(payload @ Value::Object(_)) => Some(payload),
        Some(_) => return Err(invalid("payload must be an object")),
    };
    let id = match fields.swap_remove("id") {
        Some(Value::String(id)) if !id.is_empty() => Some(id),
        _ => None,
    };
    let id = || id.ok_or_else(|| invalid("id must be a text"));
    let kind = match fields.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        _ => return Err(invalid("type must be a text")),
    };
    match kind.as_str() {
        "connection_init" => Ok(Said::Init(payload)),
        "ping" => Ok(Said::Ping(payload)),
        "pong" => Ok(Said::Pong),
        "complete" => id().map(Said::Complete),
        "subscribe" => {
            let payload = payload.ok_or_else(|| invalid("payload must be an object"))?;
            Ok(Said::Subscribe { id: id()?, payload, length: text.len() })
        }
        other => Err(invalid(&format!("type {} is not known", shortened(other)))),
    }
}

/// Puts what `connection_init` says of who is asking into headers: `Authorization` as a request has it, or `X-API-Key`,
/// with any case. What it says counts before what the handshake said.
fn take_credentials(payload: Option<&Value>, headers: &mut HeaderMap) -> Result<(), Close> {
    let Some(Value::Object(payload)) = payload else { return Ok(()) };
    for name in [header::AUTHORIZATION, axum::http::HeaderName::from_static("x-api-key")] {
        let given = payload.iter().find(|(key, _)| key.eq_ignore_ascii_case(name.as_str()));
        let text = match given {
            None | Some((_, Value::Null)) => continue,
            Some((_, Value::String(text))) => text.parse().ok(),
            Some(_) => None,
        };
        let value = text
            .ok_or_else(|| Close::malformed(&format!("Invalid message: {name} must be a text as a header has it")))?;
        headers.remove(header::AUTHORIZATION);
        headers.remove("x-api-key");
        headers.insert(name, value);
        return Ok(());
    }
    Ok(())
}

fn pong(payload: Option<&Value>) -> serde_json::Value {
    match payload {
        Some(payload) => json!({ "type": "pong", "payload": payload }),
        None => json!({ "type": "pong" }),
    }
}

fn refused(id: &str, errors: &[ServerError]) -> serde_json::Value {
    #[derive(Serialize)]
    struct Refused<'a> {
        id: &'a str,
        r#type: &'static str,
        payload: &'a [ServerError],
    }
    serde_json::to_value(Refused { id, r#type: "error", payload: errors }).expect("errors become JSON")
}

/// Whether there is no data: null, or null in every field.
fn is_nothing(data: &Value) -> bool {
    match data {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(|value| *value == Value::Null),
        _ => false,
    }
}
