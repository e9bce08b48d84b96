//! Recording over HTTP, against the driver's own inserts and a transaction for each event.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use ledgerline::event::input::RecordInput;
use serde_json::{Value, json};

use crate::{
    bench::{Bench, Database},
    driver,
    figures::quantile,
    service::{Client, Service},
};

/// Events that clients have at hand.
const PREPARED: u64 = 120_000;

pub async fn run(bench: &Bench, database: Database) -> Result<()> {
    let on = database.name();
    let add = |name: &str, value: f64, unit: &str| bench.figures.add(on, &format!("recording: {name}"), value, unit);
    let limit = driver::limit(bench, database, 40_000, 1_000).await?;
    add("limit: the driver's own insert of the same rows, 1,000 a transaction", limit, "events/s")?;
    let naive = driver::naive(bench, database, bench.seconds * 2.0).await?;
    add("naive: a transaction for each event", naive, "events/s")?;

    let service = Service::start(bench, &bench.fresh_url(database, "record_batches").await?).await?;
    let batches = clients(bench, &service, 8, 100).await?;
    drop(service);
    add("batches of 100, 8 connections", batches.rate, "events/s")?;
    add("batches of 100 / limit", batches.rate / limit, "x")?;

    let service = Service::start(bench, &bench.fresh_url(database, "record_singles").await?).await?;
    let cpu = service.cpu()?;
    let singles = clients(bench, &service, 64, 1).await?;
    let cpu = (service.cpu()? - cpu) / singles.events * 1e6;
    drop(service);
    add("single events, 64 connections", singles.rate, "events/s")?;
    add("single events / naive", singles.rate / naive, "x")?;
    add("single events / limit", singles.rate / limit, "x")?;
    add("single events, p50", singles.p50, "ms")?;
    add("single events, p99", singles.p99, "ms")?;
    add("single events, p99 / p50", singles.p99 / singles.p50, "x")?;
    add("single events, CPU of the service", cpu, "us")
}

struct Load {
    rate: f64,
    events: f64,
    p50: f64,
    p99: f64,
}

/// Records events from many connections for a while.
async fn clients(bench: &Bench, service: &Service, connections: u64, batch: u64) -> Result<Load> {
    let set = bench.events(1_000_000, false);
    let bodies: Vec<String> = (0..PREPARED / batch)
        .map(|at| {
            let events: Vec<Value> = (at * batch..(at + 1) * batch).map(|n| input(&set.event(n))).collect();
            if batch == 1 {
                let query = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status sequence } }";
                json!({ "query": query, "variables": { "input": events[0] } }).to_string()
            } else {
                let query = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded refused } }";
                json!({ "query": query, "variables": { "input": { "events": events } } }).to_string()
            }
        })
        .collect();
    let (bodies, next) = (Arc::new(bodies), Arc::new(AtomicU64::new(0)));
    let started = Instant::now();
    let until = started + Duration::from_secs_f64(bench.seconds * 2.0);
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let client = Client::new(service, bench.token(None)?);
            let (bodies, next) = (bodies.clone(), next.clone());
            Ok(tokio::spawn(async move {
                let mut times = Vec::new();
                while Instant::now() < until {
                    let at = next.fetch_add(1, Ordering::Relaxed) as usize;
                    let Some(body) = bodies.get(at) else { break };
                    let sent = Instant::now();
                    client.send(body.clone()).await?;
                    times.push(sent.elapsed().as_secs_f64() * 1e3);
                }
                anyhow::Ok(times)
            }))
        })
        .collect::<Result<_>>()?;
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let events = (times.len() as u64 * batch) as f64;
    let rate = events / started.elapsed().as_secs_f64();
    Ok(Load { rate, events, p50: quantile(&mut times, 0.5), p99: quantile(&mut times, 0.99) })
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
        "outcome": event.outcome.map(|outcome| outcome.as_str()),
        "occurredAt": event.occurred_at.map(|at| at.to_string()),
        "ipAddress": event.ip_address,
        "userAgent": event.user_agent,
        "idempotencyKey": event.idempotency_key,
        "metadataText": event.metadata,
    })
}
