//! Recording over HTTP, against the driver's own inserts and a transaction for each event.

use anyhow::{Result, ensure};
use ledgerline::event::{Outcome, input::RecordInput};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, Database, connect, number},
    driver,
    service::{Load, Service, wrk},
};

/// Events that clients have at hand.
const PREPARED: u64 = 120_000;

pub async fn run(bench: &Bench, database: Database) -> Result<()> {
    let on = database.name();
    let add = |name: &str, value: f64, unit: &str| bench.figures.add(on, &format!("recording: {name}"), value, unit);
    let limit = Box::pin(driver::limit(bench, database, 40_000, 1_000)).await?;
    add("limit: the driver's own insert of the same rows, 1,000 a transaction", limit, "events/s")?;
    let naive = driver::naive(bench, database, bench.seconds * 2.0).await?;
    add("naive: a transaction for each event", naive, "events/s")?;

    let url = bench.fresh_url(database, "record_batches").await?;
    let service = Service::start(bench, &url).await?;
    let batches = clients(bench, &service, &url, 8, 100).await?.per_second * 100.0;
    drop(service);
    add("batches of 100, 8 connections", batches, "events/s")?;
    add("batches of 100 / limit", batches / limit, "x")?;

    let url = bench.fresh_url(database, "record_singles").await?;
    let service = Service::start(bench, &url).await?;
    let cpu = service.cpu()?;
    let singles = clients(bench, &service, &url, 64, 1).await?;
    let cpu = (service.cpu()? - cpu) / singles.requests * 1e6;
    drop(service);
    add("single events, 64 connections", singles.per_second, "events/s")?;
    add("single events / naive", singles.per_second / naive, "x")?;
    add("single events / limit", singles.per_second / limit, "x")?;
    add("single events, p50", singles.p50, "ms")?;
    add("single events, p99", singles.p99, "ms")?;
    add("single events, p99 / p50", singles.p99 / singles.p50, "x")?;
    add("single events, CPU of the service", cpu, "us")
}

/// Records events from many connections for a while; checks that what was answered is there.
async fn clients(bench: &Bench, service: &Service, url: &str, connections: u32, batch: u64) -> Result<Load> {
    let set = bench.events(1_000_000, false);
    let body = |at: u64| {
        let events: Vec<Value> = (at * batch..(at + 1) * batch).map(|n| input(&set.event(n))).collect();
        let (query, input) = if batch == 1 {
            let query =
                "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status sequence } }";
            (query, events[0].clone())
        } else {
            let query =
                "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded refused } }";
            (query, json!({ "events": events }))
        };
        json!({ "query": query, "variables": { "input": input } }).to_string()
    };
    let bodies: Vec<String> = (0..PREPARED / batch).map(body).collect();
    let seconds = (bench.seconds * 2.0).ceil() as u32;
    let endpoint = format!("{}/graphql", service.base);
    let load = wrk(&endpoint, Some(&bench.token(None)?), &bodies, connections, seconds, &bench.folder)?;
    let sum = "SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM organization_head";
    let recorded = number(&connect(url).await?, sum).await?;
    ensure!(recorded >= load.requests * batch as f64, "{recorded} events after {} requests", load.requests);
    Ok(load)
}

/// An event as the API takes it.
pub fn input(event: &RecordInput) -> Value {
    json!({
        "action": event.action,
        "category": event.category,
        "actor": { "kind": "USER", "id": event.actor.id, "name": event.actor.name, "email": event.actor.email },
        "organization": event.organization,
        "resources": event.resources.iter().map(|r| json!({ "type": r.kind, "id": r.id, "name": r.name })).collect::<Vec<_>>(),
        "log": event.log.as_ref().map(|log| json!({ "level": log.level, "id": log.id })),
        "outcome": event.outcome.map(Outcome::as_str),
        "occurredAt": event.occurred_at.map(|at| at.to_string()),
        "ipAddress": event.ip_address,
        "userAgent": event.user_agent,
        "idempotencyKey": event.idempotency_key,
        "metadataText": event.metadata,
    })
}
