//! `POST /v1/audit-events`: one event or many, with the meaning of the two mutations.

use std::sync::Arc;

use async_graphql::{Name, Value};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Edge,
    fault::{KEY_HEADER, NO_MEMBER, of_event},
    json, principal,
    problem::{Problem, Refusal},
    respond,
    result::{RecordResult, RecordStatus},
};
use crate::{
    auth::Principal,
    catalog::nearest,
    error::{Error, Result},
    event::{ActorKind, Outcome},
    graphql::event_of,
    http::{
        body,
        received::{self, LARGE},
    },
    ingest::{self, Answered, Batch, Sent},
    reading::shown::{
        Shown,
        json::{AuditEvent, snake},
    },
    tasks,
};

/// An event to record. A blank text is taken for absent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read as GraphQL reads it, so that both mean the same")]
pub struct EventToRecord {
    /// Name of the action, kept exactly as sent: at most 256 printable characters. A closed catalog takes its own only.
    #[schema(min_length = 1, max_length = 256, example = "api_key.created")]
    action: String,
    /// Category code. Free in an open catalog; in a closed one the catalog's own, which is also the default.
    category: Option<String>,
    /// Who acted.
    actor: ActorToRecord,
    /// For whom they acted, as in an impersonation.
    on_behalf_of: Option<ActorToRecord>,
    /// What was acted on, the main thing first; the first 50 are kept.
    resources: Option<Vec<ResourceToRecord>>,
    /// The organization; needed where the token names none. Only a token that names none, or one of staff, may name
    /// several in one request.
    organization: Option<String>,
    /// The log, created at first use; the organization's own where absent.
    log: Option<LogToRecord>,
    /// How it ended; the catalog's default where absent.
    outcome: Option<Outcome>,
    /// When it happened: from 1900 to five minutes ahead, kept to the nanosecond. Now, where absent.
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
    /// Address of whoever acted, as the product knows it; any text, kept up to 8,192 bytes.
    ip_address: Option<String>,
    /// User agent of whoever acted, kept up to 8,192 bytes. Other texts are kept up to 2,048.
    user_agent: Option<String>,
    /// What ties the event to a job or to other events.
    correlation_id: Option<String>,
    /// The system that the event comes from.
    source: Option<String>,
    /// That system's own id of the event; may repeat.
    source_event_id: Option<String>,
    /// Makes a repeated request record one event: the same key with the same content answers ALREADY_RECORDED, with other
    /// content CONFLICT. Unique per organization, for ever. The header `Idempotency-Key` says the same of one event.
    idempotency_key: Option<String>,
    /// Everything else; what lies deeper than 16 levels is kept as a text. A number that JSON would change is refused:
    /// send `metadata_text`.
    #[schema(value_type = Option<Object>)]
    metadata: Option<String>,
    /// Everything else, as the text of a JSON object that is kept byte for byte. Not together with `metadata`.
    metadata_text: Option<String>,
    /// Whether the event is refused where something of it would not be recorded as it was sent.
    #[schema(default = false)]
    strict: Option<bool>,
}

/// Who acted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "as above")]
pub struct ActorToRecord {
    /// Person, key, service, staff, system or nobody known.
    kind: ActorKind,
    /// The product's own id.
    id: Option<String>,
    /// Name to show.
    name: Option<String>,
    /// E-mail address; kept as sent.
    email: Option<String>,
}

/// Something that was acted on.
#[derive(ToSchema)]
#[expect(dead_code, reason = "as above")]
pub struct ResourceToRecord {
    /// Kind of thing, in the product's words.
    r#type: Option<String>,
    /// The product's own id.
    id: Option<String>,
    /// Name to show.
    name: Option<String>,
}

/// A log by level and id, with what is needed to create it at first use.
#[derive(ToSchema)]
#[expect(dead_code, reason = "as above")]
pub struct LogToRecord {
    /// Name of the level, as in the product's file.
    level: String,
    /// The product's own id of the thing that has the log.
    id: String,
    /// Name to show, kept from the first use.
    name: Option<String>,
    /// The log above; needed at first use of a log two or more levels down.
    #[schema(no_recursion)]
    parent: Option<Box<LogToRecord>>,
}

/// Many events to record.
#[derive(ToSchema)]
#[expect(dead_code, reason = "as above")]
pub struct EventsToRecord {
    /// The events, each with a result of its own.
    #[schema(max_items = 1000)]
    events: Vec<EventToRecord>,
    /// What ties the events together: the `correlation_id` of those that name none, in all their organizations.
    correlation_id: Option<String>,
    /// Whether one refused event refuses all, in all their organizations.
    #[schema(default = false)]
    atomic: Option<bool>,
    /// Whether every event is `strict`.
    #[schema(default = false)]
    strict: Option<bool>,
}

/// One event, or many.
#[derive(ToSchema)]
#[schema(as = ToRecord)]
#[serde(untagged)]
#[expect(dead_code, reason = "as above")]
pub enum ToRecord {
    /// One event.
    One(Box<EventToRecord>),
    /// Many events.
    Many(EventsToRecord),
}

/// The recorded event.
#[derive(Serialize, ToSchema)]
pub struct RecordedEvent<'a> {
    /// Whether it is new.
    status: RecordStatus,
    /// The event. It is durable.
    event: AuditEvent<'a>,
}

/// What became of many events.
#[derive(Serialize, ToSchema)]
pub struct RecordedEvents {
    /// A result per event, in the order of the request.
    results: Vec<RecordResult>,
    /// How many were recorded now.
    recorded: usize,
    /// How many were recorded before.
    already_recorded: usize,
    /// How many were refused.
    refused: usize,
}

/// One of the two answers.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the answer is written as one of the two")]
pub enum RecordedBody<'a> {
    /// To one event.
    One(Box<RecordedEvent<'a>>),
    /// To many events.
    Many(RecordedEvents),
}

/// Record events
///
/// The body is one event, or many in `events`: up to 1,000, each for itself or, if `atomic`, all or none. Needs the scope
/// `audit:record`; never depends on the plan. An answer means that what it says was recorded is durable. A member that is
/// none is a fault of its event, and no event costs another one its place.
#[utoipa::path(
    post,
    path = "/v1/audit-events",
    operation_id = "record_audit_events",
    tag = "Audit events",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The key of the one event that is sent, plain or in double quotes."),
    ),
    request_body(content = ToRecord, description = "One event, or many. May come with `Content-Encoding: gzip`; at most 10 MiB."),
    responses(
        (
            status = 201,
            description = "Everything that was sent is recorded, and at least one event of it is new.",
            body = RecordedBody<'_>,
            headers(("Location" = String, description = "Of one event: where it is found, relative to the address that was asked."))
        ),
        (status = 200, description = "Everything that was sent had been recorded before.", body = RecordedBody<'_>),
        (status = 207, description = "Some events are recorded and some are refused: see `results`.", body = RecordedEvents),
        (status = "4XX", description = "Nothing is recorded. Of several events, `results` tells why.", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Nothing is known to be recorded: send it again, with the same keys.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn record(State(edge): State<Arc<Edge>>, headers: HeaderMap, body: Body) -> Response {
    respond(&headers, async |_| {
        // Who is asking comes first: nobody's body is read.
        let principal = principal(&edge, &headers).await?;
        let mut room = edge.bodies.room(Some(&principal));
        let bytes = received::json(&headers, body, received::limit(Some(&principal)), &mut room).await?;
        let length = bytes.len();
        let read = move || body::read(&body::text(&bytes));
        let read = if length > LARGE { tasks::aside(read).await } else { read() };
        let malformed = |error| Refusal::other(StatusCode::BAD_REQUEST, format!("the body must be JSON: {error}"));
        let key = header_key(&headers)?;
        match read.map_err(malformed)? {
            Value::Object(members) if members.contains_key("events") => match key {
                Some(_) => Err(in_header("is for one event: name a key in each event").into()),
                None => many(&edge, &principal, Value::Object(members)).await,
            },
            event => one(&edge, &principal, sent(event, key)).await,
        }
    })
    .await
}

async fn one(edge: &Edge, principal: &Principal, sent: Sent) -> Result<Response, Refusal> {
    let recorded = ingest::record_one(&edge.services.writer, principal, sent, edge.services.clock.now()).await;
    let recorded = recorded.map_err(of_event)?;
    let (status, id) = (RecordStatus::of(&recorded), recorded.event.id());
    let shown = Shown::recorded(recorded, &principal.product);
    let body = RecordedEvent { status, event: AuditEvent::of(&shown) };
    let code = if status == RecordStatus::Recorded { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = json(code, serde_json::to_string(&body).expect("an event is JSON"));
    if let Ok(location) = HeaderValue::from_str(&format!("audit-events/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn many(edge: &Edge, principal: &Principal, body: Value) -> Result<Response, Refusal> {
    let batch = batch(body)?;
    let results = ingest::record_many(&edge.services.writer, principal, batch, edge.services.clock.now()).await;
    let mut cause = None;
    let mut shown = Vec::new();
    for (index, Answered { organization, result }) in results.map_err(of_event)?.into_iter().enumerate() {
        let result = result.map_err(of_event);
        if let Err(error) = &result
            && (cause.is_none() || cause.as_ref().is_some_and(is_left_out))
        {
            cause = Some(error.clone());
        }
        shown.push(RecordResult::of(index, organization, result));
    }
    let count = |wanted: Option<RecordStatus>| shown.iter().filter(|result| result.status() == wanted).count();
    let (recorded, refused) = (count(Some(RecordStatus::Recorded)), count(None));
    // A client that looks at nothing but the status must not take it for recorded.
    if let Some(cause) = cause.filter(|_| refused == shown.len()) {
        return Err(Refusal::from(cause).with_results(shown));
    }
    let status = match (recorded, refused) {
        (_, 1..) => StatusCode::MULTI_STATUS,
        (0, 0) => StatusCode::OK,
        _ => StatusCode::CREATED,
    };
    let already_recorded = count(Some(RecordStatus::AlreadyRecorded));
    let body = RecordedEvents { results: shown, recorded, already_recorded, refused };
    Ok(json(status, serde_json::to_string(&body).expect("texts and numbers are JSON")))
}

/// An event of an atomic request that is not at fault itself.
fn is_left_out(error: &Error) -> bool {
    matches!(error, Error::BadInput { field, .. } if field.ends_with("atomic"))
}

/// The events of a body with `events` in it.
fn batch(body: Value) -> Result<Batch> {
    let Value::Object(mut members) = body else { return Err(Error::bad_input("", "must be an object")) };
    let Some(Value::List(events)) = members.swap_remove("events") else {
        return Err(Error::bad_input("events", "must be a list of events"));
    };
    let mut flag = |name: &str| match members.swap_remove(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Boolean(flag)) => Ok(flag),
        Some(_) => Err(Error::bad_input(name, "must be true or false")),
    };
    let (atomic, strict) = (flag("atomic")?, flag("strict")?);
    let correlation_id = match members.swap_remove("correlation_id") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => return Err(Error::bad_input("correlation_id", "must be a text")),
    };
    if let Some(name) = members.keys().next() {
        let field = name.replace('\0', "\u{fffd}");
        let known = ["events", "correlation_id", "atomic", "strict"];
        let suggestions = nearest(name, known.iter().map(|known| (*known, *known)));
        return Err(Error::BadInput { field, rule: "is no member beside events".to_owned(), given: None, suggestions });
    }
    let events = events.into_iter().map(|event| sent(event, None)).collect();
    Ok(Batch { events, correlation_id, atomic, strict })
}

/// An event as GraphQL reads it: its members have the names of the schema in snake case.
fn sent(event: Value, key: Option<String>) -> Sent {
    let Value::Object(members) = event else { return event_of(event) };
    let refused = |error| Sent { organization: None, event: Err(error) };
    if let Some(name) = members.keys().find(|name| name.bytes().any(|byte| byte.is_ascii_uppercase())) {
        let field = name.replace('\0', "\u{fffd}");
        let (rule, suggestions) = (format!("{NO_MEMBER} an event"), vec![snake(name)]);
        return refused(Error::BadInput { field, rule, given: None, suggestions });
    }
    let mut renamed = members.into_iter().map(|(name, value)| (camel(&name), value)).collect::<Members>();
    if let Some(key) = key {
        let given = renamed.insert(Name::new("idempotencyKey"), Value::from(key.as_str()));
        if given.is_some_and(|given| given != Value::Null && given != Value::from(key.as_str())) {
            return refused(in_header("must be the event's idempotency_key, where both are given"));
        }
    }
    event_of(Value::Object(renamed))
}

type Members = async_graphql::indexmap::IndexMap<Name, Value>;

/// `on_behalf_of` as the schema has it, `onBehalfOf`; what is no such name is left, and is no member.
fn camel(name: &str) -> Name {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    Name::new(if snake(&camel) == name { &camel } else { name })
}

/// The key of the header (draft-ietf-httpapi-idempotency-key-header, where it is quoted; most clients send it plain).
fn header_key(headers: &HeaderMap) -> Result<Option<String>> {
    let mut values = headers.get_all(KEY_HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(in_header("must stand once"));
    }
    let text = value.to_str().map_err(|_| in_header("must be visible ASCII characters"))?.trim();
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let text = quoted.map_or_else(|| text.to_owned(), |text| text.replace("\\\"", "\"").replace("\\\\", "\\"));
    if text.is_empty() { Err(in_header("must not be empty")) } else { Ok(Some(text)) }
}

fn in_header(rule: &str) -> Error {
    Error::bad_input(KEY_HEADER, rule)
}
