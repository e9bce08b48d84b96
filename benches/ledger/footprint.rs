//! Memory under load, and of an import.

use std::{
    fs,
    io::{BufWriter, Write as _},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::{
    bench::{Bench, Database},
    events::{COMMON, ONE_PERCENT, RARE},
    load,
    reading::FIELDS,
    recording::input,
    service::{Client, Service, memory_of},
};

/// Mixed load for some minutes: four readers of every kind of list, two recorders of batches; the most memory seen.
pub async fn mixed(bench: &Bench, database: Database, size: u64, minutes: f64) -> Result<()> {
    let url = load::to_record_into(bench, database, size).await?;
    let on = Bench::on(database, size, false);
    let service = Service::start(bench, &url).await?;
    let until = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    let mut tasks = Vec::new();
    for reader in 0..4 {
        let client = Client::new(&service, bench.token(Some(reader * 3))?);
        tasks.push(tokio::spawn(async move {
            let words = ["", COMMON, ONE_PERCENT, RARE];
            let mut n = 0;
            while Instant::now() < until {
                n += 1;
                let what = if n % 3 == 0 {
                    "totalCount facets(timeZone: \"Europe/Berlin\") { days { count } categories { exact } }"
                } else {
                    "pageInfo { endCursor }"
                };
                let query = format!(
                    "{{ auditEvents(first: 100, search: \"{}\") {{ nodes {{ {FIELDS} }} {what} }} }}",
                    words[n % words.len()]
                );
                client.ask(&query).await?;
            }
            anyhow::Ok(())
        }));
    }
    for recorder in 0..2_u64 {
        let client = Client::new(&service, bench.token(None)?);
        let set = bench.events(1_000_000, false);
        tasks.push(tokio::spawn(async move {
            let mut from = recorder * 500_000;
            while Instant::now() < until {
                let event = |n| {
                    let mut event = input(&set.event(n));
                    event["idempotencyKey"] = serde_json::Value::Null;
                    event
                };
                let events: Vec<_> = (from..from + 100).map(event).collect();
                let query =
                    "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded } }";
                client
                    .send(json!({ "query": query, "variables": { "input": { "events": events } } }).to_string())
                    .await?;
                from += 100;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            anyhow::Ok(())
        }));
    }
    let mut most = 0.0_f64;
    while Instant::now() < until {
        most = most.max(service.memory()?);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for task in tasks {
        task.await??;
    }
    bench.figures.add(&on, "memory: mixed load, minutes", minutes, "")?;
    bench.figures.add(&on, "memory: mixed load, most RssAnon", most, "MB")
}

/// The most memory of `ledgerline import`.
pub async fn import(bench: &Bench, database: Database, events: u64) -> Result<()> {
    let file = bench.folder.join("import.ndjson");
    let set = bench.events(events, false);
    let mut out = BufWriter::new(fs::File::create(&file)?);
    for n in 0..events {
        let mut line = input(&set.event(n));
        for (from, to) in [("ipAddress", "ip"), ("organization", "org"), ("idempotencyKey", "importId")] {
            line[to] = line[from].take();
        }
        line["metadata"] = serde_json::from_str(line["metadataText"].as_str().context("metadata")?)?;
        let object = line.as_object_mut().context("an object")?;
        object.retain(|name, value| !value.is_null() && name != "metadataText" && name != "log");
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    let url = bench.fresh_url(database, "import").await?;
    let started = Instant::now();
    let mut child = bench.program(&url).arg("import").arg(&file).args(["--product", "bench"]).spawn()?;
    let mut most = 0.0_f64;
    let status = loop {
        most = most.max(memory_of(child.id()).unwrap_or_default());
        if let Some(status) = child.try_wait()? {
            break status;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    ensure!(status.success(), "the import failed");
    fs::remove_file(file)?;
    let on = database.name();
    bench.figures.add(on, "recording: import", events as f64 / started.elapsed().as_secs_f64(), "events/s")?;
    bench.figures.add(on, "memory: import, events", events as f64, "")?;
    bench.figures.add(on, "memory: import, most RssAnon", most, "MB")
}
