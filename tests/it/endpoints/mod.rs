//! Endpoints: what is recorded arrives, in order, at least once and at nobody else's, whatever receivers and processes do.

mod deliveries;
mod failures;
mod managing;
mod many;
mod otlp;
mod processes;
mod replays;
mod s3;
mod splunk;
mod syslog;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use ledgerline::{clock::Clock, config::Settings, event::Timestamp};
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, TestApp};

const ENDPOINT: &str = "id label kind url settings question status trouble failures nextAttemptAt succeededAt nextSequence createdBy
    replay { nextSequence toSequence refusals nextAttemptAt }
    attempts { purpose firstSequence lastSequence succeeded status trouble } deadLetters { totalCount nodes { sequence reason } }";

/// Lets endpoints lie on this machine.
fn here(settings: &mut Settings) {
    settings.endpoint_networks = vec!["127.0.0.0/8".to_owned()];
}

const CREATE: &str =
    "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { secret endpoint { id } } }";

/// Makes a webhook endpoint, and gives its id and its secret.
async fn create(admin: &Caller<'_>, url: &str, question: Value) -> (String, String) {
    let input = json!({ "label": "Their system", "target": { "webhook": { "url": url } }, "question": question });
    let made = admin.data(CREATE, json!({ "input": input })).await["createEndpoint"].clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&made["endpoint"]["id"]), text(&made["secret"]))
}

/// Makes an endpoint of any kind whose secret the service does not draw, and gives its id.
async fn create_at(admin: &Caller<'_>, target: Value) -> String {
    let input = json!({ "label": "Their system", "target": target });
    let made = admin.data(CREATE, json!({ "input": input })).await["createEndpoint"].clone();
    assert_eq!(made["secret"], Value::Null);
    made["endpoint"]["id"].as_str().expect("an id").to_owned()
}

/// Asks for targets that break a rule: each names its field, and nothing is made.
async fn are_refused(admin: &Caller<'_>, targets: Vec<(Value, &str)>) {
    for (target, field) in targets {
        let refused = admin.ask(CREATE, json!({ "input": { "label": "x", "target": target } })).await;
        assert_eq!((refused.code().as_str(), refused.field().as_str()), ("BAD_USER_INPUT", field), "{target}");
    }
    assert!(list(admin).await.is_empty());
}

/// Sends an endpoint a test, and gives what came of it.
async fn test(admin: &Caller<'_>, id: &str) -> Value {
    let query =
        "mutation($input: EndpointInput!) { testEndpoint(input: $input) { attempt { succeeded status trouble } } }";
    admin.data(query, json!({ "input": { "id": id } })).await["testEndpoint"]["attempt"].clone()
}

/// A secret is nowhere: not in what administrators see of an endpoint, and not in the log.
async fn is_told_nowhere(admin: &Caller<'_>, secret: &str) {
    let endpoints = Value::from(list(admin).await).to_string();
    let log =
        admin.data("{ auditEvents(filter: { actions: [\"audit_log.*\"] }) { nodes { action metadata } } }", json!({}));
    let log = log.await.to_string();
    assert!(log.contains("audit_log.endpoint_created"));
    for told in [endpoints, log] {
        assert!(!told.contains(secret), "{told}");
    }
}

/// Asks for events once more: `{ fromSequence, toSequence }`, or `{ deadLetters: true }`.
async fn replay(admin: &Caller<'_>, id: &str, mut again: Value) -> Answer {
    again["id"] = json!(id);
    let query = "mutation($input: ReplayEndpointInput!) { replayEndpoint(input: $input) { endpoint {
        replay { nextSequence toSequence refusals nextAttemptAt } } } }";
    admin.ask(query, json!({ "input": again })).await
}

/// The endpoints of the caller's organization.
async fn list(admin: &Caller<'_>) -> Vec<Value> {
    let data = admin.data(&format!("{{ auditEndpoints {{ {ENDPOINT} }} }}"), json!({})).await;
    data["auditEndpoints"].as_array().expect("a list").clone()
}

/// The one endpoint of the caller's organization.
async fn only(admin: &Caller<'_>) -> Value {
    let mut all = list(admin).await;
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// Changes an endpoint.
async fn update(admin: &Caller<'_>, id: &str, mut changes: Value) -> Value {
    changes["id"] = json!(id);
    let query = format!(
        "mutation($input: UpdateEndpointInput!) {{ updateEndpoint(input: $input) {{ endpoint {{ {ENDPOINT} }} }} }}"
    );
    admin.data(&query, json!({ "input": changes })).await["updateEndpoint"]["endpoint"].clone()
}

/// A clock that a test moves.
#[derive(Clone)]
struct Moved(Arc<AtomicI64>);

impl Moved {
    fn new() -> Self {
        Self(Arc::default())
    }

    fn clock(&self) -> Clock {
        let ahead = self.0.clone();
        Clock::new(move || Timestamp(Clock::system().now().0 + ahead.load(Ordering::SeqCst)))
    }

    fn by_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000_000, Ordering::SeqCst);
    }
}

/// The only service on a database of its own, whose clock the test moves, and which may send to this machine.
async fn alone(app: &TestApp) -> (TestApp, Moved) {
    let moved = Moved::new();
    let alone = TestApp::with(app.database, app.products.clone(), here).await;
    (alone.again_at(moved.clock(), here).await, moved)
}

/// Another service on the database of `app`, which may send to this machine.
async fn sending(app: &TestApp) -> TestApp {
    app.beside_with(here).await
}
