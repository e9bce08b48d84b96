//! Events of the Open Cybersecurity Schema Framework, one a line. The product file says which class and activity an action
//! is; one of which it says nothing is API Activity. What the schema has no place for stands in `unmapped`, so nothing of
//! an event is left out.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::json_line;
use crate::{
    catalog::ocsf::{Ocsf, VERSION},
    event::{self, ActorKind, Outcome, Resource, Timestamp},
    reading::shown::{Actor, Shown, json::AuditEvent},
};

/// Writes an event.
pub fn line(organization: &str, shown: &Shown, out: &mut Vec<u8>) {
    json_line(&Value::Object(event_of(organization, shown)), out);
}

fn event_of(organization: &str, shown: &Shown) -> Map<String, Value> {
    let (event, product) = (shown.event(), shown.product());
    let Ocsf { class, activity, caption } =
        product.catalog.rules(&event.action).and_then(|rules| rules.ocsf).unwrap_or(Ocsf::UNKNOWN);
    let (severity_id, severity) = match event.outcome {
        Some(Outcome::Failure) => (2, "Low"),
        _ => (1, "Informational"),
    };
    let (status_id, status) = match event.outcome {
        Some(Outcome::Success) => (1, "Success"),
        Some(Outcome::Failure) => (2, "Failure"),
        Some(Outcome::Accepted) => (99, "Accepted"),
        None => (0, "Unknown"),
    };
    let type_uid = class.uid * 100 + activity;
    let address = event.ip_address.as_deref().filter(|address| address.parse::<IpAddr>().is_ok());
    let mut written = object(json!({
        "activity_id": activity,
        "activity_name": caption,
        "category_uid": class.category_uid,
        "category_name": class.category,
        "class_uid": class.uid,
        "class_name": class.caption,
        "type_uid": type_uid,
        "type_name": format!("{}: {caption}", class.caption),
        "time": millis(event.occurred_at),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": shown.action_label(),
        "metadata": metadata(organization, shown),
        "actor": actor(shown.actor()),
        "unmapped": unmapped(shown, address.is_some()),
    }));
    let mut put = |name: &str, value: Value| written.insert(name.to_owned(), value);
    if let Some(address) = address {
        put("src_endpoint", json!({ "ip": address }));
    }
    let resources = &event.resources;
    match class.name {
        "authentication" => {
            put("user", user(shown.actor()));
            put("service", json!({ "name": product.label, "uid": product.name }));
        }
        "account_change" => {
            put("user", resources.first().map_or_else(|| user(shown.actor()), user_of));
        }
        "user_access" => {
            put("user", resources.first().map_or_else(|| user(shown.actor()), user_of));
            let named = resources.iter().skip(1).filter_map(|it| it.name.as_ref().or(it.id.as_ref()));
            let mut privileges: Vec<String> = named.cloned().collect();
            if privileges.is_empty() {
                privileges.push(shown.action_label());
            }
            put("privileges", json!(privileges));
        }
        "group_management" => {
            put("group", resources.first().map_or_else(|| json!({ "uid": organization }), thing));
            if let Some(member) = resources.get(1) {
                put("user", user_of(member));
            }
        }
        "entity_management" => {
            put("entity", resources.first().map_or_else(|| json!({ "uid": organization }), thing));
        }
        _ => {
            put("api", json!({ "operation": event.action.as_str(), "service": { "name": product.label } }));
            if address.is_none() {
                let source = event.source.as_deref().filter(|source| !source.is_empty());
                put("src_endpoint", json!({ "svc_name": source.unwrap_or(&product.label) }));
            }
            if !resources.is_empty() {
                put("resources", resources.iter().map(thing).collect());
            }
        }
    }
    written
}

fn metadata(organization: &str, shown: &Shown) -> Value {
    let (event, product) = (shown.event(), shown.product());
    let mut written = object(json!({
        "version": VERSION,
        "product": { "name": product.label, "uid": product.name, "vendor_name": "Ledgerline" },
        "uid": event.id().to_string(),
        "event_code": event.action.as_str(),
        "sequence": event.sequence,
        "tenant_uid": organization,
        "original_time": event.occurred_at.to_string(),
        "logged_time": millis(event.recorded_at),
        "is_truncated": !event.truncated.is_empty(),
    }));
    if let Some(id) = &event.correlation_id {
        written.insert("correlation_uid".to_owned(), json!(id));
    }
    if let Some(log) = shown.log() {
        written.insert("log_name".to_owned(), json!(format!("{}:{}", log.level(), log.external_id())));
    }
    written.into()
}

/// Everything that the schema has no place for, by the names of the JSON form.
fn unmapped(shown: &Shown, has_address: bool) -> Value {
    let whole = serde_json::to_value(AuditEvent::of(shown)).unwrap_or_default();
    let Value::Object(mut whole) = whole else { return Value::Null };
    for mapped in ["id", "sequence", "action", "action_label", "occurred_at", "recorded_at", "actor", "correlation_id"]
    {
        whole.shift_remove(mapped);
    }
    if has_address {
        whole.shift_remove("ip_address");
    }
    whole.retain(|_, value| !value.is_null());
    whole.into()
}

/// Whoever acted, as the actor of the schema.
fn actor(actor: Actor<'_>) -> Value {
    json!({ "user": user(actor), "app_name": actor.kind_label() })
}

/// Whoever acted, as a user of the schema, which has a name or an id.
fn user(actor: Actor<'_>) -> Value {
    let event::Actor { kind, id, name, email } = actor.actor;
    let (type_id, label) = match kind {
        ActorKind::User => (1, "User"),
        ActorKind::Staff => (2, "Admin"),
        ActorKind::System => (3, "System"),
        ActorKind::Service | ActorKind::ApiKey => (4, "Service"),
        ActorKind::Anonymous => (0, "Unknown"),
    };
    let mut written =
        object(json!({ "type_id": type_id, "type": label, "name": name.clone().unwrap_or_else(|| actor.label()) }));
    if let Some(id) = id {
        written.insert("uid".to_owned(), json!(id));
    }
    if let Some(email) = email.as_deref().filter(|email| is_address(email)) {
        written.insert("email_addr".to_owned(), json!(email));
    }
    written.into()
}

/// A thing that was acted on, as a user of the schema.
fn user_of(resource: &Resource) -> Value {
    let mut written = object(thing(resource));
    if let Some(kind) = written.remove("type") {
        written.insert("type_id".to_owned(), json!(99));
        written.insert("type".to_owned(), kind);
    }
    written.into()
}

/// A thing that was acted on: it has a name or an id.
fn thing(resource: &Resource) -> Value {
    let Resource { kind, id, name } = resource;
    let mut written = Map::new();
    for (key, value) in [("type", kind), ("uid", id), ("name", name)] {
        if let Some(value) = value {
            written.insert(key.to_owned(), json!(value));
        }
    }
    if id.is_none() && name.is_none() {
        written.insert("name".to_owned(), json!(kind.as_deref().unwrap_or("unknown")));
    }
    written.into()
}

/// Whether the schema would take a text as an e-mail address.
fn is_address(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && local.chars().all(plain) && domain.contains('.') && domain.chars().all(plain)
    })
}

fn millis(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000_000)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
