//! Endpoints: what is recorded arrives, in order, at least once and at nobody else's, whatever receivers and processes do.

mod deliveries;
mod failures;
mod managing;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use ledgerline::{clock::Clock, config::Settings, event::Timestamp};
use serde_json::{Value, json};

use crate::harness::{Caller, TestApp};

const ENDPOINT: &str = "id label kind url question status trouble failures nextAttemptAt succeededAt nextSequence createdBy
    attempts { purpose firstSequence lastSequence succeeded status trouble } deadLetters { totalCount nodes { sequence reason } }";

/// Lets endpoints lie on this machine.
fn here(settings: &mut Settings) {
    settings.endpoint_networks = vec!["127.0.0.0/8".to_owned()];
}

/// Makes a webhook endpoint, and gives its id and its secret.
async fn create(admin: &Caller<'_>, url: &str, question: Value) -> (String, String) {
    let query = "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { secret endpoint { id } } }";
    let input = json!({ "label": "Their system", "target": { "webhook": { "url": url } }, "question": question });
    let made = admin.data(query, json!({ "input": input })).await["createEndpoint"].clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&made["endpoint"]["id"]), text(&made["secret"]))
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

/// Another service on the database of `app`, which may send to this machine.
async fn sending(app: &TestApp) -> TestApp {
    app.beside_with(here).await
}
