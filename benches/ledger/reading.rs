//! Reading over HTTP: pages, searches, totals and facets, one request after the other over one connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result};
use ledgerline::clock::Clock;

use crate::{
    bench::{Bench, Database, items, record, store},
    events::{ABSENT, COMMON, NEVER_MET, OLDEST, ONE_PERCENT, RARE, TEN_PPM},
    figures::quantile,
    load,
    service::{Client, Service},
};

/// Fifteen fields.
pub const FIELDS: &str = "id sequence action actionLabel category { code } actor { externalId label email } resource { type externalId name } outcome occurredAt ipAddress metadataText";

/// An organization in the middle of the field and one at its end.
const LARGE: usize = 0;
const SMALL: usize = 300;

fn page(arguments: &str) -> String {
    format!(
        "{{ auditEvents(first: 50, includeNested: true{arguments}) {{ edges {{ cursor node {{ {FIELDS} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    )
}

fn search(words: &str) -> String {
    page(&format!(", search: \"{words}\""))
}

fn filter(fields: &str) -> String {
    page(&format!(", filter: {{ {fields} }}"))
}

const OLD: &str = "occurredAt: { from: \"2025-12-10T10:07:00Z\", to: \"2025-12-20T09:00:00Z\" }";
const NEW: &str = "occurredAt: { from: \"2026-11-10T10:07:00Z\", to: \"2026-11-19T09:00:00Z\" }";

/// Lists whose cost does grow with the log, within a bound: much is looked at for little.
const TRAPS: &[&str] = &["search: two that never meet", "search: in the oldest tenth alone", "search: prefix"];

/// Lists that are not compared between sizes: windows of time are held to the first page, and the smallest size has no
/// full page of one document's events, of 0.1 % or of 10 ppm.
const NOT_COMPARED: &[&str] = &["dates", "by resource id", "0.1 %", "10 ppm"];

/// The lists, by name.
fn lists() -> Vec<(&'static str, String)> {
    vec![
        ("first page", page("")),
        ("own log alone", page("").replace("includeNested: true", "includeNested: false")),
        ("by category", filter("categories: [\"auth\"]")),
        ("by a rare action", filter("actions: [\"support.ticket_closed\"]")),
        ("by actor id", filter("actor: { ids: [\"usr_0\"] }")),
        ("by actor e-mail", filter("actor: { emails: [\"person3@org0.example\"] }")),
        ("by resource id", filter("resource: { ids: [\"doc_77\"] }")),
        ("by outcome", filter("outcomes: [FAILURE]")),
        ("category and actor", filter("categories: [\"auth\"], actor: { ids: [\"usr_2\"] }")),
        ("search: common word (30 %)", search(COMMON)),
        ("search: 1 %", search(ONE_PERCENT)),
        ("search: 0.1 %", search(RARE)),
        ("search: 10 ppm", search(TEN_PPM)),
        ("search: absent", search(ABSENT)),
        ("search: in the oldest tenth alone", search(OLDEST)),
        ("search: two that never meet", search(NEVER_MET)),
        ("search: prefix", search("word770*")),
        ("old dates", filter(OLD)),
        ("new dates", filter(NEW)),
        ("old dates, category", filter(&format!("{OLD}, categories: [\"auth\"]"))),
        ("new dates, category", filter(&format!("{NEW}, categories: [\"auth\"]"))),
        ("old dates, 1 %", page(&format!(", search: \"{ONE_PERCENT}\", filter: {{ {OLD} }}"))),
        ("new dates, 1 %", page(&format!(", search: \"{ONE_PERCENT}\", filter: {{ {NEW} }}"))),
        (
            "old dates, category, common",
            page(&format!(", search: \"{COMMON}\", filter: {{ {OLD}, categories: [\"auth\"] }}")),
        ),
    ]
}

pub async fn run(bench: &Bench, database: Database, size: u64, backfill: bool) -> Result<()> {
    let url = bench.url(database, &Bench::name(size, backfill)).await?;
    let on = Bench::on(database, size, backfill);
    let service = Service::start(bench, &url).await?;
    bench.figures.add(&on, "start: to ready", service.ready_after * 1e3, "ms")?;
    bench.figures.add(&on, "memory: idle, RssAnon", service.memory()?, "MB")?;
    let large = Client::new(&service, bench.token(Some(LARGE))?);
    let small = Client::new(&service, bench.token(Some(SMALL))?);
    let mut first = f64::NAN;
    for (name, query) in lists() {
        let mut times = large.times(&query, bench.seconds).await?;
        let p50 = quantile(&mut times, 0.5);
        if name == "first page" {
            first = p50;
            bench.figures.add(&on, "lists, p50: first page, p99", quantile(&mut times, 0.99), "ms")?;
        }
        if TRAPS.contains(&name) {
            bench.figures.add(&on, &format!("traps, p50: {name}"), p50, "ms")?;
            continue;
        }
        bench.figures.add(&on, &format!("lists, p50: {name}"), p50, "ms")?;
        bench.figures.add(&on, &format!("lists / first page: {name}"), p50 / first, "x")?;
    }
    // Five hundred pages before the end of the list, and back from there.
    let deep = deep_page(&large).await?;
    let newest = page("");
    for (name, client, query) in [("deep page", &large, &deep), ("first page of a small organization", &small, &newest)]
    {
        let [p50, first] = by_turns(bench, [(client, query), (&large, &newest)]).await?;
        bench.figures.add(&on, &format!("lists, p50: {name}"), p50, "ms")?;
        bench.figures.add(&on, &format!("lists / first page: {name}"), p50 / first, "x")?;
    }
    totals(bench, &on, &large).await
}

/// Two lists asked by turns, their p50: a tenth more or less is less than what a busy machine changes in a second.
async fn by_turns(bench: &Bench, lists: [(&Client, &str); 2]) -> Result<[f64; 2]> {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..10 {
        for ((client, query), times) in lists.iter().zip(&mut times) {
            times.extend(client.times(query, bench.seconds / 10.0).await?);
        }
    }
    Ok(times.map(|mut times| quantile(&mut times, 0.5)))
}

/// Each list in the smallest and in the largest database, by turns.
pub async fn across_sizes(bench: &Bench, database: Database, smallest: u64, largest: u64) -> Result<()> {
    let start = async |size| Service::start(bench, &bench.url(database, &Bench::name(size, false)).await?).await;
    let services = [start(smallest).await?, start(largest).await?];
    let token = bench.token(Some(LARGE))?;
    let [small, large] = [0, 1].map(|at: usize| Client::new(&services[at], token.clone()));
    let compared = lists()
        .into_iter()
        .filter(|(name, _)| !TRAPS.contains(name) && !NOT_COMPARED.iter().any(|part| name.contains(part)));
    let mut asked: Vec<_> = compared.map(|(name, query)| (name, query.clone(), query)).collect();
    asked.push(("deep page", deep_page(&small).await?, deep_page(&large).await?));
    for (name, in_small, in_large) in asked {
        let [small, large] = by_turns(bench, [(&small, &in_small), (&large, &in_large)]).await?;
        let on = Bench::on(database, largest, false);
        bench.figures.add(&on, &format!("lists, largest size / smallest: {name}"), large / small, "x")?;
    }
    Ok(())
}

/// The query of a page some way from the far end of the list.
async fn deep_page(client: &Client) -> Result<String> {
    let mut arguments = "last: 100".to_owned();
    for _ in 0..100 {
        let query = format!("{{ auditEvents({arguments}, includeNested: true) {{ pageInfo {{ startCursor }} }} }}");
        let answer = client.ask(&query).await?;
        let cursor = answer["auditEvents"]["pageInfo"]["startCursor"].as_str().context("a cursor")?.to_owned();
        arguments = format!("last: 100, before: \"{cursor}\"");
    }
    let before = arguments.split_once("before: ").map_or("", |(_, cursor)| cursor);
    Ok(page(&format!(", after: {before}")))
}

async fn totals(bench: &Bench, on: &str, client: &Client) -> Result<()> {
    let filters = [
        ("no filter", String::new()),
        ("category", ", filter: { categories: [\"auth\"] }".to_owned()),
        ("action", ", filter: { actions: [\"auth.login\"] }".to_owned()),
        ("log", ", log: { level: \"project\", id: \"prj_1\" }".to_owned()),
        // Of the zone that is asked for, daylight saving time included.
        (
            "whole days",
            ", filter: { occurredAt: { from: \"2026-02-01T00:00:00FROM\", to: \"2026-08-01T00:00:00TO\" } }".to_owned(),
        ),
    ];
    let of = |zone: &str| format!("facets(timeZone: \"{zone}\") {{ days {{ day count }} }}");
    let asked = [
        ("totalCount", "totalCount".to_owned()),
        ("facet of categories", "facets { categories { buckets { value count } } }".to_owned()),
        ("facet of actions", "facets { actions { buckets { value count } } }".to_owned()),
        ("facet of outcomes", "facets { outcomes { buckets { value count } } }".to_owned()),
        ("days in UTC", of("UTC")),
        ("days in Europe/Berlin", of("Europe/Berlin")),
        ("days in America/New_York", of("America/New_York")),
        ("days in Asia/Kolkata", of("Asia/Kolkata")),
        ("days in Asia/Tokyo", of("Asia/Tokyo")),
    ];
    for (asked, fields) in &asked {
        for (name, arguments) in &filters {
            let nested = if arguments.contains("log:") { "" } else { ", includeNested: true" };
            let (from, to) = match asked.split_once('/').map(|(_, city)| city) {
                Some("Berlin") => ("+01:00", "+02:00"),
                Some("New_York") => ("-05:00", "-04:00"),
                Some("Kolkata") => ("+05:30", "+05:30"),
                Some("Tokyo") => ("+09:00", "+09:00"),
                _ => ("Z", "Z"),
            };
            let arguments = arguments.replace("FROM", from).replace("TO", to);
            let query = format!("{{ auditEvents(first: 0{nested}{arguments}) {{ {fields} }} }}");
            if asked.starts_with("days") && *name == "no filter" {
                let started = Instant::now();
                client.ask(&query).await?;
                let name = format!("totals, first time: {asked}");
                bench.figures.add(on, &name, started.elapsed().as_secs_f64() * 1e3, "ms")?;
            }
            let p50 = quantile(&mut client.times(&query, bench.seconds / 4.0).await?, 0.5);
            bench.figures.add(on, &format!("totals, p50: {asked}, {name}"), p50, "ms")?;
        }
    }
    for (name, arguments) in [
        ("actor", ", filter: { actor: { ids: [\"usr_0\"] } }".to_owned()),
        ("resource type", ", filter: { resource: { types: [\"document\"] } }".to_owned()),
        ("common word", format!(", search: \"{COMMON}\"")),
        ("1 %", format!(", search: \"{ONE_PERCENT}\"")),
        ("a pasted address", ", search: \"10.1.20.30\"".to_owned()),
        ("a pasted e-mail", ", search: \"person3@org0.example\"".to_owned()),
        ("a pasted id", ", search: \"doc_77\"".to_owned()),
    ] {
        let query = format!("{{ auditEvents(first: 0, includeNested: true{arguments}) {{ totalCount }} }}");
        let matches = client.ask(&query).await?["auditEvents"]["totalCount"].as_f64().context("a number")?;
        let p50 = quantile(&mut client.times(&query, bench.seconds / 2.0).await?, 0.5);
        bench.figures.add(on, &format!("totals from the index: {name}, matches"), matches, "")?;
        bench.figures.add(
            on,
            &format!("totals from the index: {name}, a match"),
            p50 * 1e6 / matches.max(1.0),
            "ns",
        )?;
    }
    Ok(())
}

/// The same page idle, while a writer of another process records without a pause, and while as many cores as that
/// writer and its database use are merely busy: what is lost to them alone.
pub async fn under_writes(bench: &Bench, database: Database, size: u64) -> Result<()> {
    let url = load::to_record_into(bench, database, size).await?;
    let on = Bench::on(database, size, false);
    let service = Service::start(bench, &url).await?;
    let client = Client::new(&service, bench.token(Some(LARGE))?);
    let mut idle = client.times(&page(""), bench.seconds * 2.0).await?;

    let over = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let over = over.clone();
            std::thread::spawn(move || while !over.load(Ordering::Relaxed) {})
        })
        .collect();
    let mut beside_busy = client.times(&page(""), bench.seconds * 4.0).await?;
    over.store(true, Ordering::Relaxed);
    busy.into_iter().for_each(|thread| thread.join().expect("nothing in it panics"));

    let (set, scopes, store) = (bench.events(1_000_000, false), bench.scopes()?, store(&url).await?);
    let over = Arc::new(AtomicBool::new(false));
    let stopped = over.clone();
    // Made beforehand, so that nothing but recording takes time from the readers; without keys, so that they can be
    // recorded again.
    let mut batches = (0..100).map(|at| items(&set, &scopes, at * 200..(at + 1) * 200)).collect::<Result<Vec<_>>>()?;
    batches.iter_mut().flatten().for_each(|item| item.key = None);
    let tasks: Vec<_> = batches.into_iter().map(record).collect();
    // On threads of its own: the client's must be free to take its answers.
    let writing = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
            let mut recorded = 0;
            for task in tasks.iter().cycle() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let now = Clock::system().now();
                store.append(&[], std::slice::from_ref(task), now).await.map_err(ledgerline::app::with_cause)?;
                recorded += 200;
            }
            store.close().await;
            anyhow::Ok(recorded)
        })
    });
    let started = Instant::now();
    let mut while_recording = client.times(&page(""), bench.seconds * 4.0).await?;
    over.store(true, Ordering::Relaxed);
    let recorded = writing.join().expect("nothing in it panics")?;
    let recorded = f64::from(recorded) / started.elapsed().as_secs_f64();
    let add = |name: &str, value: f64, unit: &str| {
        bench.figures.add(&on, &format!("reads under writes: {name}"), value, unit)
    };
    let idle_p99 = quantile(&mut idle, 0.99);
    for (name, times) in
        [("idle", &mut idle), ("beside two busy threads", &mut beside_busy), ("while recording", &mut while_recording)]
    {
        add(&format!("p50 {name}"), quantile(times, 0.5), "ms")?;
        let p99 = quantile(times, 0.99);
        add(&format!("p99 {name}"), p99, "ms")?;
        if name != "idle" {
            add(&format!("p99 {name} / idle"), p99 / idle_p99, "x")?;
        }
    }
    add("recorded meanwhile", recorded, "events/s")
}
