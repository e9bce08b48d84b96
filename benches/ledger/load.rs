//! Filling databases: through the store, resumable, since event `n` is always the same.

use std::{collections::BTreeSet, fs, time::Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use ledgerline::clock::Clock;
use sea_orm::ConnectionTrait;

use crate::bench::{Bench, Database, connect, items, number, record, store};

/// Events of one transaction.
const BATCH: u64 = 5_000;

/// Bytes of an event's own values: its texts in UTF-8, and eight for each number.
const RAW: &str = "length(action) + length(coalesce(category, '')) + length(coalesce(actor_id, '')) \
    + length(coalesce(actor_name, '')) + length(coalesce(actor_email, '')) + length(coalesce(on_behalf_of, '')) \
    + length(coalesce(resources, '')) + length(coalesce(ip_address, '')) + length(coalesce(user_agent, '')) \
    + length(coalesce(correlation_id, '')) + length(coalesce(source, '')) + length(coalesce(source_event_id, '')) \
    + length(recorded_by) + length(metadata) + 9 * 8";

/// A database of a size that is recorded into and thrown away: the others stay what they are.
pub async fn to_record_into(bench: &Bench, database: Database, size: u64) -> Result<String> {
    let url = bench.fresh_url(database, "recorded_into").await?;
    fill(bench, &url, size, false, database.name()).await?;
    Ok(url)
}

/// Brings a database to its size, and measures its bytes.
pub async fn load(bench: &Bench, database: Database, size: u64, backfill: bool) -> Result<()> {
    let url = bench.url(database, &Bench::name(size, backfill)).await?;
    let on = Bench::on(database, size, backfill);
    if let Some(rate) = fill(bench, &url, size, backfill, &on).await? {
        bench.figures.add(&on, "recording: loaded by the store, batches of 5,000", rate, "events/s")?;
    }
    footprint(bench, database, size, &url, &on).await
}

/// Adds the events that are missing; the events a second, if there were any.
async fn fill(bench: &Bench, url: &str, size: u64, backfill: bool, on: &str) -> Result<Option<f64>> {
    let store = store(url).await?;
    let db = connect(url).await?;
    let mut rate = None;
    let found = number(&db, "SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM organization_head").await? as u64;
    let (events, scopes) = (bench.events(size, backfill), bench.scopes()?);
    if found < size {
        let style = ProgressStyle::with_template("{prefix:>14}  {bar:40} {human_pos}/{human_len} {per_sec} {eta}")?;
        let bar = ProgressBar::new(size).with_style(style).with_position(found).with_prefix(on.to_owned());
        let batch = |from: u64| {
            let (events, scopes) = (events.clone(), scopes.clone());
            tokio::task::spawn_blocking(move || items(&events, &scopes, from..(from + BATCH).min(size)))
        };
        let started = Instant::now();
        let mut next = batch(found);
        for from in (found..size).step_by(BATCH as usize) {
            let task = record(next.await??);
            next = batch(from + BATCH);
            store.append(&[], &[task], Clock::system().now()).await.map_err(ledgerline::app::with_cause)?;
            if (from / BATCH).is_multiple_of(4) {
                store.merge_search_entries().await.map_err(ledgerline::app::with_cause)?;
            }
            bar.inc(BATCH);
        }
        bar.finish_and_clear();
        rate = Some((size - found) as f64 / started.elapsed().as_secs_f64());
        store.merge_search_entries().await.map_err(ledgerline::app::with_cause)?;
        // What the service does every hour.
        store.seal_partitions(Clock::system().now(), &BTreeSet::new()).await.map_err(ledgerline::app::with_cause)?;
    }
    store.close().await;
    Ok(rate)
}

async fn footprint(bench: &Bench, database: Database, size: u64, url: &str, on: &str) -> Result<()> {
    let db = connect(url).await?;
    let bytes = match database {
        Database::Sqlite => {
            db.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
            fs::metadata(url.trim_start_matches("sqlite://"))?.len() as f64
        }
        Database::Postgres => {
            db.execute_unprepared("VACUUM ANALYZE").await?;
            number(&db, "SELECT pg_database_size(current_database())").await?
        }
    };
    let sample = match database {
        Database::Sqlite => "event LIMIT 20000",
        Database::Postgres => "event TABLESAMPLE SYSTEM (5)",
    };
    let raw =
        number(&db, &format!("SELECT CAST(avg(bytes) AS BIGINT) FROM (SELECT {RAW} AS bytes FROM {sample}) s")).await?;
    let each = bytes / size as f64;
    bench.figures.add(on, "footprint: an event's own values", raw, "B")?;
    bench.figures.add(on, "footprint: on disk per event", each, "B")?;
    bench.figures.add(on, "footprint: on disk / own values", each / raw, "x")?;
    Ok(())
}
