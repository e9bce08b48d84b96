//! What leaves the service: events a second by each kind of endpoint, how late they are, what many endpoints cost in
//! memory and in recording, and rows of an export.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, Database, connect, number},
    figures::quantile,
    receiver::{Receiver, mark},
    recording::input,
    service::{Client, Service},
};

/// Events that an endpoint is sent at once.
const SENT: u64 = 10_000;
/// Endpoints whose memory is measured, and in how many organizations they lie.
const MANY: usize = 10_000;
const OWNERS: usize = 500;
/// Endpoints beside recording.
const BESIDE: usize = 100;

pub async fn run(bench: &Bench, database: Database, size: u64) -> Result<()> {
    let receiver = Receiver::start().await?;
    Box::pin(sinks(bench, database, &receiver)).await?;
    beside_recording(bench, database, &receiver).await?;
    memory(bench, database, &receiver).await?;
    export(bench, database, size).await
}

/// The kinds of endpoints, and how many events one takes at once.
fn targets(receiver: &Receiver) -> [(&'static str, usize, Value); 4] {
    let http = &receiver.http;
    [
        ("webhook", 1, json!({ "webhook": { "url": format!("{http}/hook") } })),
        ("Splunk", 100, json!({ "splunkHec": { "url": http, "token": "bench-token" } })),
        ("OTLP", 100, json!({ "otlp": { "url": http } })),
        ("syslog", 100, json!({ "syslog": { "url": receiver.syslog } })),
    ]
}

async fn endpoint(client: &Client, target: &Value) -> Result<String> {
    let query = "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { endpoint { id } } }";
    let asked = json!({ "query": query, "variables": { "input": { "label": "bench", "target": target } } });
    let made = client.send(asked.to_string()).await?;
    made["createEndpoint"]["endpoint"]["id"].as_str().map(str::to_owned).context("an id")
}

async fn paused(client: &Client, id: &str, paused: bool) -> Result<()> {
    let query = "mutation($input: UpdateEndpointInput!) { updateEndpoint(input: $input) { endpoint { id } } }";
    let asked = json!({ "query": query, "variables": { "input": { "id": id, "paused": paused } } });
    client.send(asked.to_string()).await.map(drop)
}

/// Records marked events of an organization.
async fn record(bench: &Bench, client: &Client, numbers: std::ops::Range<u64>) -> Result<()> {
    let set = bench.events(1_000_000, false);
    let event = |n| {
        let mut event = input(&set.event(n));
        event["organization"] = Value::Null;
        event["log"] = Value::Null;
        event["occurredAt"] = Value::Null;
        event["idempotencyKey"] = Value::Null;
        event["metadataText"] = json!({ "mark": mark(n), "text": event["metadataText"] }).to_string().into();
        event
    };
    let events: Vec<_> = numbers.map(event).collect();
    let query = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { refused } }";
    let asked = json!({ "query": query, "variables": { "input": { "events": events } } });
    let answer = client.send(asked.to_string()).await?;
    ensure!(answer["recordAuditEvents"]["refused"] == 0, "{answer}");
    Ok(())
}

async fn sinks(bench: &Bench, database: Database, receiver: &Receiver) -> Result<()> {
    let on = database.name();
    for (at, (kind, batch, target)) in targets(receiver).into_iter().enumerate() {
        let add = |name: &str, value: f64, unit: &str| {
            bench.figures.add(on, &format!("leaving: {kind}, {name}"), value, unit)
        };
        let url = bench.fresh_url(database, "leaving").await?;
        let service = Service::start(bench, &url).await?;
        let client = Client::new(&service, bench.manager(at)?);
        let id = endpoint(&client, &target).await?;
        paused(&client, &id, true).await?;
        for from in (0..SENT).step_by(500) {
            record(bench, &client, from..from + 500).await?;
        }
        receiver.clear();
        let started = Instant::now();
        paused(&client, &id, false).await?;
        receiver.has(SENT as usize).await?;
        let out = SENT as f64 / started.elapsed().as_secs_f64();
        add("events out", out, "events/s")?;
        // The same requests, about as large, without the service: one after the other over one connection.
        if kind != "syslog" {
            let limit = plain(receiver, batch).await?;
            add("events out / requests alone", out / limit, "x")?;
        }
        receiver.clear();
        let started = Instant::now();
        let seconds = (bench.seconds * 2.0).max(2.0);
        let mut sent = 0;
        while started.elapsed().as_secs_f64() < seconds {
            record(bench, &client, SENT + sent..SENT + sent + 10).await?;
            sent += 10;
            // A thousand a second, or as many as can be recorded.
            tokio::time::sleep_until((started + Duration::from_millis(sent)).into()).await;
        }
        add("recorded meanwhile", sent as f64 / started.elapsed().as_secs_f64(), "events/s")?;
        receiver.has(sent as usize).await?;
        let mut lags = receiver.lags();
        add("lag p50", quantile(&mut lags, 0.5), "ms")?;
        add("lag p99", quantile(&mut lags, 0.99), "ms")?;
        drop(service);
    }
    Ok(())
}

/// Events a second of requests with bodies of so many events.
async fn plain(receiver: &Receiver, batch: usize) -> Result<f64> {
    let http = reqwest::Client::new();
    let body = "x".repeat(1_200 * batch);
    let (started, mut sent) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_secs(2) {
        http.post(&receiver.http).body(body.clone()).send().await?.bytes().await?;
        sent += batch;
    }
    Ok(sent as f64 / started.elapsed().as_secs_f64())
}

/// Batches of 100 from 4 connections for a while: events a second.
async fn recorded(bench: &Bench, service: &Service, owners: usize) -> Result<f64> {
    let until = Instant::now() + Duration::from_secs_f64(bench.seconds * 2.0);
    let started = Instant::now();
    let client = |at: usize| async move {
        let mut events = 0_u64;
        let mut round = at;
        while Instant::now() < until {
            let client = Client::new(service, bench.manager(round % owners)?);
            for _ in 0..10 {
                record(bench, &client, events..events + 100).await?;
                events += 100;
            }
            round += 4;
        }
        anyhow::Ok(events)
    };
    let counts: Vec<u64> = stream::iter(0..4).map(client).buffer_unordered(4).try_collect().await?;
    Ok(counts.iter().sum::<u64>() as f64 / started.elapsed().as_secs_f64())
}

/// What a hundred endpoints cost those who record: with all of them paused and active, by turns.
async fn beside_recording(bench: &Bench, database: Database, receiver: &Receiver) -> Result<()> {
    let on = database.name();
    let url = bench.fresh_url(database, "leaving").await?;
    let service = Service::start(bench, &url).await?;
    let target = json!({ "splunkHec": { "url": receiver.http, "token": "bench-token" } });
    let mut made = Vec::new();
    for owner in 0..BESIDE {
        let client = Client::new(&service, bench.manager(owner)?);
        let id = endpoint(&client, &target).await?;
        made.push((client, id));
    }
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        for (is_paused, rates) in [(true, &mut without), (false, &mut with)] {
            for (client, id) in &made {
                paused(client, id, is_paused).await?;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            rates.push(recorded(bench, &service, BESIDE).await?);
        }
    }
    let (without, with) = (quantile(&mut without, 0.5), quantile(&mut with, 0.5));
    bench.figures.add(on, "leaving: recording, batches of 100, endpoints paused", without, "events/s")?;
    bench.figures.add(on, "leaving: recording beside 100 endpoints that get all of it", with, "events/s")?;
    bench.figures.add(on, "leaving: recording beside 100 endpoints / paused", with / without, "x")
}

/// Memory that many endpoints take.
async fn memory(bench: &Bench, database: Database, receiver: &Receiver) -> Result<()> {
    let url = bench.fresh_url(database, "leaving").await?;
    let service = Service::start(bench, &url).await?;
    let target = json!({ "webhook": { "url": format!("{}/hook", receiver.http) } });
    let first = Client::new(&service, bench.manager(0)?);
    record(bench, &first, 0..100).await?;
    let before = service.memory()?;
    let of_one = |owner: usize| {
        let (service, target) = (&service, &target);
        async move {
            let client = Client::new(service, bench.manager(owner)?);
            for _ in 0..MANY / OWNERS {
                endpoint(&client, target).await?;
            }
            anyhow::Ok(())
        }
    };
    stream::iter(0..OWNERS).map(of_one).buffer_unordered(16).try_collect::<Vec<_>>().await?;
    // Each was told of itself, so each has something to send.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let after = service.memory()?;
    let on = database.name();
    bench.figures.add(on, "leaving: RssAnon before endpoints", before, "MB")?;
    bench.figures.add(on, "leaving: RssAnon with 10,000 endpoints", after, "MB")
}

/// Rows of an export that is streamed, against the driver's own reading of the same rows.
async fn export(bench: &Bench, database: Database, size: u64) -> Result<()> {
    let on = Bench::on(database, size, false);
    let url = bench.url(database, &Bench::name(size, false)).await?;
    let db = connect(&url).await?;
    let no = number(&db, "SELECT no FROM organization WHERE external_id = 'org_0'").await? as i64;
    let rows = number(&db, &format!("SELECT size FROM organization_head WHERE organization_no = {no}")).await?;
    let all = match database {
        Database::Sqlite => format!("SELECT * FROM event WHERE key >= {} AND key < {}", no << 36, (no + 1) << 36),
        Database::Postgres => format!("SELECT * FROM event WHERE organization_no = {no}"),
    };
    let started = Instant::now();
    let statement = sea_orm::Statement::from_string(sea_orm::ConnectionTrait::get_database_backend(&db), all);
    let found = sea_orm::ConnectionTrait::query_all_raw(&db, statement).await?;
    ensure!(found.len() as f64 >= rows, "{} rows of {rows}", found.len());
    let limit = rows / started.elapsed().as_secs_f64();
    drop(found);
    let service = Service::start(bench, &url).await?;
    for format in ["NDJSON", "CSV"] {
        let asked = format!("{}/v1/audit-events/export?format={format}&include_nested=true", service.base);
        let http = reqwest::Client::new();
        let started = Instant::now();
        let answer = http.get(asked).bearer_auth(bench.manager(0)?).send().await?.error_for_status()?;
        let (mut lines, mut body, mut most) = (0, answer.bytes_stream(), 0.0_f64);
        while let Some(piece) = body.next().await {
            lines += piece?.iter().filter(|byte| **byte == b'\n').count();
            most = most.max(service.memory()?);
        }
        let rate = rows / started.elapsed().as_secs_f64();
        ensure!(lines as f64 >= rows, "{lines} lines of {rows} rows");
        let add = |name: &str, value: f64, unit: &str| {
            bench.figures.add(&on, &format!("leaving: export, {format}, {name}"), value, unit)
        };
        add("rows", rows, "")?;
        add("rows a second", rate, "rows/s")?;
        add("rows / the driver's own", rate / limit, "x")?;
        add("most RssAnon", most, "MB")?;
    }
    Ok(())
}
