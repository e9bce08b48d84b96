//! Alerts: a rule fires once for a burst, for its own organization's events alone, and whoever is to be told is told,
//! whatever receivers and processes do.

mod counting;
mod kills;
mod managing;
mod restarts;
mod telling;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use ledgerline::{clock::Clock, config::Settings, event::Timestamp};
use serde_json::{Value, json};

use crate::harness::{Caller, TestApp, catalogs, event, eventually, receiver::Receiver};

const RULE: &str = "id label question threshold windowSeconds per endpointId emails status trouble firings lastFiredAt
    lastFiring { id action metadata resources { type externalId name } log { level externalId } } waitingMessages lastSentAt sendTrouble createdBy";

/// Lets endpoints lie on this machine.
fn here(settings: &mut Settings) {
    settings.endpoint_networks = vec!["127.0.0.0/8".to_owned()];
}

/// A service on a database of its own: nobody else counts there.
async fn alone(app: &TestApp) -> TestApp {
    TestApp::with(app.database, catalogs::products(), here).await
}

/// A clock that a test moves.
#[derive(Clone)]
struct Moved(Arc<AtomicI64>);

impl Moved {
    fn clock(&self) -> Clock {
        let ahead = self.0.clone();
        Clock::new(move || Timestamp(Clock::system().now().0 + ahead.load(Ordering::SeqCst)))
    }

    fn by_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000_000, Ordering::SeqCst);
    }
}

/// The same with a clock that the test moves.
async fn alone_and_moved(app: &TestApp) -> (TestApp, Moved) {
    let moved = Moved(Arc::default());
    (TestApp::with_clock(app.database, catalogs::products(), moved.clock(), here).await, moved)
}

/// Makes an endpoint that no event goes to but those of alerts, and gives its id.
async fn endpoint(admin: &Caller<'_>, receiver: &Receiver) -> String {
    let query = "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { endpoint { id } } }";
    let input = json!({ "label": "Their system", "target": { "webhook": { "url": receiver.url } },
        "question": { "filter": { "actions": ["nothing.at_all"] } } });
    let made = admin.data(query, json!({ "input": input })).await;
    made["createEndpoint"]["endpoint"]["id"].as_str().expect("an id").to_owned()
}

const CREATE: &str = "mutation($input: CreateAlertRuleInput!) { createAlertRule(input: $input) { rule { id } } }";

/// Makes a rule for events of an action that tells an endpoint, with other settings as given, and gives its id.
async fn rule(admin: &Caller<'_>, endpoint: &str, action: &str, more: Value) -> String {
    let mut input = json!({ "label": "Failed sign-ins", "target": { "endpoint": endpoint },
        "question": { "filter": { "actions": [action] } } });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    let made = admin.data(CREATE, json!({ "input": input })).await;
    made["createAlertRule"]["rule"]["id"].as_str().expect("an id").to_owned()
}

/// The rules of the caller's organization.
async fn list(admin: &Caller<'_>) -> Vec<Value> {
    let data = admin.data(&format!("{{ auditAlertRules {{ {RULE} }} }}"), json!({})).await;
    data["auditAlertRules"].as_array().expect("a list").clone()
}

/// A rule by its id.
async fn known(admin: &Caller<'_>, id: &str) -> Value {
    let all = list(admin).await;
    all.iter().find(|rule| rule["id"] == *id).unwrap_or_else(|| panic!("{all:#?}")).clone()
}

/// Changes a rule.
async fn update(admin: &Caller<'_>, id: &str, mut changes: Value) -> Value {
    changes["id"] = json!(id);
    let query =
        format!("mutation($input: UpdateAlertRuleInput!) {{ updateAlertRule(input: $input) {{ rule {{ {RULE} }} }} }}");
    admin.data(&query, json!({ "input": changes })).await["updateAlertRule"]["rule"].clone()
}

/// Events that tell of firings, the oldest first.
async fn firings(admin: &Caller<'_>) -> Vec<Value> {
    let query = "{ auditEvents(first: 100, filter: { actions: [\"audit_log.alert_fired\"] }, orderBy: { field: SEQUENCE, direction: ASC }) {
        nodes { id sequence action metadata actor { kind name } outcome resources { type externalId name } log { level externalId } } } }";
    admin.data(query, json!({})).await["auditEvents"]["nodes"].as_array().expect("nodes").clone()
}

/// Waits until so many firings are told, and sees that no more come.
async fn has_fired(admin: &Caller<'_>, count: usize) -> Vec<Value> {
    eventually(async || firings(admin).await.len() >= count).await;
    let fired = firings(admin).await;
    assert_eq!(fired.len(), count, "{fired:#?}");
    fired
}

/// Waits for as long as a rule would take to fire, and sees that it did not.
async fn fires_no_more_than(admin: &Caller<'_>, count: usize) {
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    assert_eq!(firings(admin).await.len(), count);
}

/// Records events of an action, one after the other.
async fn record(admin: &Caller<'_>, action: &str, count: usize) {
    for _ in 0..count {
        admin.record(event(action)).await;
    }
}

/// The same by an actor.
fn by(action: &str, actor: &str) -> Value {
    json!({ "action": action, "actor": { "kind": "USER", "id": actor }, "ipAddress": format!("203.0.113.{}", actor.len()) })
}
