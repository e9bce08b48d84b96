//! What a request can cost: every root field of the schema with the arguments that cost most of those that are allowed,
//! alone and as often as one request may have it. Written into docs/limits.md.

mod asked;
mod schema;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use asked::{Case, LARGE, Made, WIDEST, Who, cases, id_in};
use futures_util::StreamExt;
use schema::Schema;
use serde_json::{Value, json};

use crate::{
    bench::{Bench, Database},
    load,
    service::{Client, Service, memory_of},
};

/// Events that are followed from their beginning.
const FOLLOWED: usize = 1_000;

/// Measures all of them in a database of a size.
pub async fn run(bench: &Bench, database: Database, size: u64) -> Result<()> {
    let url = load::to_record_into(bench, database, size).await?;
    let on = Bench::on(database, size, false);
    let schema = Schema::read()?;
    let service = Service::start(bench, &url).await?;
    let made = Made::prepare(bench, &service).await?;
    drop(service);
    let cases = cases(&schema, &made);
    for root in ["Query", "Mutation"] {
        for field in schema.fields(root) {
            let name = field.name.node.as_str();
            ensure!(cases.iter().any(|case| case.field == name), "{root}.{name} is not among what is measured");
        }
    }
    for case in &cases {
        let is_mutation = schema.fields("Mutation").any(|field| field.name.node == case.field);
        // Anew for each: memory that an earlier one has left behind would be used again.
        let service = Service::start(bench, &url).await?;
        let add = |what: &str, value: f64, unit: &str| {
            bench.figures.add(&on, &format!("{what}: {}, {}", case.field, case.with), value, unit)
        };
        let one = measured(bench, &service, case, is_mutation, 1).await.with_context(|| case.field.to_owned())?;
        add("limits, CPU", one.cpu, "ms")?;
        add("limits, memory", one.memory, "MB")?;
        if !is_mutation {
            let most = as_often_as_allowed(bench, &service, case).await?;
            drop(service);
            let service = Service::start(bench, &url).await?;
            let all = measured(bench, &service, case, false, most).await?;
            add("limits, of one request", most as f64, "times")?;
            add("limits, CPU of all of it", all.cpu, "ms")?;
            add("limits, memory of all of it", all.memory, "MB")?;
        }
    }
    followed(bench, &url, &on).await
}

/// What a request costs the service.
struct Cost {
    /// Milliseconds of CPU.
    cpu: f64,
    /// By how many MB its memory grew while it was answered.
    memory: f64,
}

/// Asks for a while.
async fn measured(bench: &Bench, service: &Service, case: &Case, is_mutation: bool, times: usize) -> Result<Cost> {
    // What any first request brings with it.
    Client::new(service, bench.manager(LARGE)?).ask("{ auditEvents(first: 1) { totalCount nodes { id } } }").await?;
    let before = service.memory()?;
    let most = Most::watch(service.pid());
    let (started, mut requests, mut cpu) = (Instant::now(), 0, 0.0);
    while requests < 3 || started.elapsed().as_secs_f64() < bench.seconds {
        let number = next_number();
        let mut made = String::new();
        if let Some(prepared) = &case.prepared {
            let first = if case.who == Who::Second { Who::Ending } else { case.who };
            let maker = Case { who: first, text: prepared.clone(), prepared: None, ..*case };
            let document = maker.document(true, 1, number, "");
            let answer = maker.client(bench, service, number)?.ask(&document).await;
            if answer.is_err() && requests > 0 {
                break;
            }
            made = id_in(&answer?).unwrap_or_default().to_owned();
        }
        let client = case.client(bench, service, number)?;
        let document = case.document(is_mutation, times, number, &made);
        let used = service.cpu_exactly()?;
        let answer = client.answer(json!({ "query": document }).to_string()).await?;
        let errors = answer.get("errors").map(Value::to_string);
        // Some may be asked for a few times a minute alone, and of some an organization has only so many.
        let is_last = |errors: &String| errors.contains("RATE_LIMITED") || errors.contains(" has at most ");
        if requests > 0 && errors.as_ref().is_some_and(is_last) {
            break;
        }
        ensure!(errors.as_deref().is_none_or(is_busy), "{}", errors.unwrap_or_default());
        cpu += service.cpu_exactly()? - used;
        requests += 1;
    }
    Ok(Cost { cpu: cpu / f64::from(requests) * 1e3, memory: (most.end()? - before).max(0.0) })
}

/// Whether a part of a request was given up because of its other parts: what it has cost is a cost all the same.
fn is_busy(errors: &str) -> bool {
    errors.contains("OVERLOADED")
}

/// How often one request may have it.
async fn as_often_as_allowed(bench: &Bench, service: &Service, case: &Case) -> Result<usize> {
    let (mut allowed, mut refused) = (1, WIDEST + 1);
    while refused - allowed > 1 {
        let times = usize::midpoint(allowed, refused);
        let client = case.client(bench, service, 0)?;
        let document = case.document(false, times, next_number(), "");
        let answer = client.answer(json!({ "query": document }).to_string()).await?;
        match answer.get("errors").map(Value::to_string) {
            Some(errors) if !is_busy(&errors) => refused = times,
            _ => allowed = times,
        }
    }
    Ok(allowed)
}

/// Events from the beginning of the log, by server-sent events.
async fn followed(bench: &Bench, url: &str, on: &str) -> Result<()> {
    let service = Service::start(bench, url).await?;
    let client = Client::new(&service, bench.manager(LARGE)?);
    let asked = "{ auditEvents(first: 1, orderBy: { field: SEQUENCE, direction: ASC }, includeNested: true)
        { pageInfo { endCursor } } }";
    let answer = client.ask(asked).await?;
    let cursor = answer["auditEvents"]["pageInfo"]["endCursor"].as_str().context("a cursor")?.to_owned();
    let event = Schema::read()?.selection("AuditEvent");
    let query = format!(
        "subscription {{ auditEventRecorded(includeNested: true, after: \"{cursor}\") {{ cursor node {event} }} }}"
    );
    let before = service.memory()?;
    let most = Most::watch(service.pid());
    let used = service.cpu_exactly()?;
    let answer = reqwest::Client::new()
        .post(format!("{}/graphql", service.base))
        .bearer_auth(bench.manager(LARGE)?)
        .header("accept", "text/event-stream")
        .header("content-type", "application/json")
        .body(json!({ "query": query }).to_string())
        .send()
        .await?
        .error_for_status()?;
    let (mut events, mut body) = (0, answer.bytes_stream());
    while events < FOLLOWED {
        let piece = body.next().await.context("more events")??;
        events += piece.windows(12).filter(|window| window == b"event: next\n").count();
    }
    let cpu = (service.cpu_exactly()? - used) * 1e3;
    let name = "auditEventRecorded, 1,000 events of every field";
    bench.figures.add(on, &format!("limits, CPU: {name}"), cpu * 1_000.0 / events as f64, "ms")?;
    bench.figures.add(on, &format!("limits, memory: {name}"), (most.end()? - before).max(0.0), "MB")
}

/// A number that no request before had.
fn next_number() -> usize {
    use std::sync::atomic::AtomicUsize;
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The most memory that a process has while it is watched.
struct Most {
    ended: Arc<AtomicBool>,
    watch: std::thread::JoinHandle<Result<f64>>,
}

impl Most {
    fn watch(pid: u32) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let until = ended.clone();
        let watch = std::thread::spawn(move || {
            let mut most = 0.0_f64;
            while !until.load(Ordering::Relaxed) {
                most = most.max(memory_of(pid)?);
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(most)
        });
        Self { ended, watch }
    }

    /// MB.
    fn end(self) -> Result<f64> {
        self.ended.store(true, Ordering::Relaxed);
        self.watch.join().map_err(|_| anyhow::anyhow!("the watch panicked"))?
    }
}
