//! Records one event: the Rust example of docs/recording.md.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it is a reader's program, not the service")]

use serde_json::{Value, json};

const MUTATION: &str = "mutation ($input: RecordAuditEventInput!) {
  recordAuditEvent(input: $input) { status sequence event { id } }
}";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("URL")?;
    let token = std::env::var("TOKEN")?;
    let input = json!({
        "action": "secret.updated",
        "actor": { "kind": "SERVICE", "id": "svc_deploy", "name": "Deploy bot" },
        "resources": [{ "type": "secret", "id": "sec_4", "name": "DATABASE_URL" }],
        "correlationId": "deploy-5130",
        "idempotencyKey": "deploy-5130-sec_4",
    });
    let answer = reqwest::Client::new()
        .post(format!("{url}/graphql"))
        .bearer_auth(token)
        .header("content-type", "application/json")
        .body(json!({ "query": MUTATION, "variables": { "input": input } }).to_string())
        .send()
        .await?
        .text()
        .await?;
    let answer: Value = serde_json::from_str(&answer)?;
    if let Some(error) = answer["errors"].get(0) {
        // What must not get lost is sent again with the same idempotencyKey.
        return Err(format!("{}: {}", error["extensions"]["code"], error["message"]).into());
    }
    println!("{}", answer["data"]["recordAuditEvent"]);
    Ok(())
}
