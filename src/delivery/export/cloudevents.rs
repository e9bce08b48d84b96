//! CloudEvents 1.0 in structured JSON, one a line. Its type is the same for all events, so that a filter by type keeps
//! meaning the same when a product gets new actions; the action is the subject.

use serde::Serialize;
use url::form_urlencoded::byte_serialize;

use super::json_line;
use crate::{
    event::Timestamp,
    reading::shown::{Shown, json::AuditEvent},
};

/// The type of all events.
pub const TYPE: &str = "audit_event.recorded";

#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: &'static str,
    subject: &'a str,
    time: Timestamp,
    datacontenttype: &'static str,
    /// The extension `sequence`: as a text, it sorts as the number does.
    sequence: String,
    data: AuditEvent<'a>,
}

/// Writes an event.
pub fn line(organization: &str, shown: &Shown, out: &mut Vec<u8>) {
    let event = shown.event();
    let name = |text: &str| byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    let written = CloudEvent {
        specversion: "1.0",
        id: event.id().to_string(),
        source: format!("/products/{}/organizations/{}", name(&shown.product().name), name(organization)),
        kind: TYPE,
        subject: &event.action,
        time: event.occurred_at,
        datacontenttype: "application/json",
        sequence: format!("{:019}", event.sequence),
        data: AuditEvent::of(shown),
    };
    json_line(&written, out);
}
