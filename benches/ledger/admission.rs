//! What admission costs before the writer is asked: checks, the hash of the content, marks and search terms, on the
//! caller's task. What metadata takes of it is held against reading the same text once with a library.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use ledgerline::{
    auth::WriteScope,
    clock::Clock,
    event::{Timestamp, input::RecordInput, masking::MaskingKey},
    ingest,
};
use serde_json::{Value, json, value::RawValue};

use crate::{bench::Bench, figures::quantile};

/// Events of one sample.
const EVENTS: u64 = 500;
/// Where the figures stand in the report: no database is asked.
const ON: &str = "no database";

/// Measures the events of the bench, and the same with metadata as wide and deep as a diff of settings.
pub fn run(bench: &Bench) -> Result<()> {
    let set = bench.events(1_000_000, false);
    let flat: Vec<_> = (0..EVENTS).map(|n| set.event(n)).collect();
    let mut nested = flat.clone();
    for (n, event) in nested.iter_mut().enumerate() {
        event.metadata = Some(diff(n).to_string());
    }
    figures(bench, "400 bytes of metadata", &flat)?;
    figures(bench, "6 kB of metadata", &nested)
}

/// Some 6 kB in 240 values, a few of them with escapes.
fn diff(n: usize) -> Value {
    let value = |i: usize, side: &str| {
        json!({ "enabled": i.is_multiple_of(2), "limit": 100 * i + n, "ratio": 0.25, "owner": format!("person {i} {side}"),
            "note": format!("changed by \"somebody\" in line {i}\nand said so"), "tags": ["alpha", "beta", side] })
    };
    let changes =
        (0..15).map(|i| json!({ "path": format!("/settings/{i}"), "old": value(i, "old"), "new": value(i, "new") }));
    json!({ "request": format!("req_{n}"), "changes": changes.collect::<Vec<_>>() })
}

/// Admission with and without metadata, and the reading alone, by turns.
fn figures(bench: &Bench, what: &str, events: &[RecordInput]) -> Result<()> {
    let scopes = bench.scopes()?;
    let scope = |event: &RecordInput| scopes[event.organization.as_deref().unwrap_or_default()].clone();
    let with: Vec<_> = events.iter().map(|event| (scope(event), event.clone())).collect();
    let without: Vec<_> =
        events.iter().map(|event| (scope(event), RecordInput { metadata: None, ..event.clone() })).collect();
    let texts: Vec<_> = events.iter().filter_map(|event| event.metadata.as_deref()).collect();
    let now = Clock::system().now();
    let (mut admitted, mut bare, mut syntax, mut read) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let until = Instant::now() + Duration::from_secs_f64(bench.seconds);
    while Instant::now() < until {
        admitted.push(admit(&with, now)?);
        bare.push(admit(&without, now)?);
        let started = Instant::now();
        let checked =
            texts.iter().map(|text| serde_json::from_str::<&RawValue>(text)).collect::<Result<Vec<_>, _>>()?;
        syntax.push(each(started));
        ensure!(checked.len() == events.len(), "every event has metadata");
        let started = Instant::now();
        let values = texts.iter().map(|text| serde_json::from_str::<Value>(text)).collect::<Result<Vec<_>, _>>()?;
        read.push(each(started));
        ensure!(values.len() == events.len(), "every event has metadata");
    }
    let [admitted, bare, syntax, read] = [admitted, bare, syntax, read].map(|mut samples| quantile(&mut samples, 0.5));
    let add = |name: &str, value, unit| bench.figures.add(ON, &format!("admission: {what}: {name}"), value, unit);
    add("an event", admitted, "us")?;
    add("the same event without metadata", bare, "us")?;
    add("a library checks the syntax of the metadata", syntax, "us")?;
    add("limit: a library reads the metadata once", read, "us")?;
    add("metadata / limit", (admitted - bare) / read, "x")
}

/// Microseconds that the admission of an event takes.
fn admit(events: &[(WriteScope, RecordInput)], now: Timestamp) -> Result<f64> {
    let events = events.to_vec();
    let masking = MaskingKey::new(&[1; MaskingKey::BYTES]);
    let started = Instant::now();
    let admitted: Vec<_> =
        events.into_iter().map(|(scope, event)| ingest::admit(&masking, scope, event, now)).collect();
    let time = each(started);
    ensure!(admitted.iter().all(Result::is_ok), "every event is admitted");
    Ok(time)
}

/// Microseconds an event.
fn each(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e6 / EVENTS as f64
}
