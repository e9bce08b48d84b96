//! What reading is compared to: the same statement through the driver alone, and what one would write at first.

use std::time::Instant;

use anyhow::{Context, Result};
use ledgerline::event::terms;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::{
    bench::{Bench, Database, connect, number},
    events::COMMON,
    figures::quantile,
};

/// What a page selects from the table of events.
pub const COLUMNS: &str = "e.organization_no, e.sequence, e.position, e.salt, e.log_no, e.occurred_ns, e.recorded_ns, e.action, \
    e.category, e.outcome, e.actor_kind, e.actor_id, e.actor_name, e.actor_email, e.on_behalf_of, e.resources, \
    e.ip_address, e.user_agent, e.correlation_id, e.source, e.source_event_id, e.recorded_by, e.metadata";
/// Runs of a naive statement, which may take a minute.
const RUNS: usize = 1;

/// The organization number of the largest.
pub async fn largest(db: &DatabaseConnection) -> Result<i64> {
    Ok(number(db, "SELECT no FROM organization WHERE external_id = 'org_0'").await? as i64)
}

/// The statement of the newest page.
pub fn newest(database: Database, no: i64) -> String {
    match database {
        Database::Sqlite => format!(
            "SELECT {COLUMNS} FROM event_order o CROSS JOIN event e WHERE o.organization_no = {no} \
             AND o.position >= {} AND o.position <= {} AND e.key = ({no} << 36) | o.sequence ORDER BY o.position DESC LIMIT 51",
            i64::MIN + 1,
            i64::MAX
        ),
        Database::Postgres => {
            format!("SELECT {COLUMNS} FROM event e WHERE organization_no = {no} ORDER BY position DESC LIMIT 51")
        }
    }
}

/// Measures the statements without the service: the newest page, and naive ones for a search and a deep page.
pub async fn run(bench: &Bench, database: Database, size: u64) -> Result<()> {
    let on = &Bench::on(database, size, false);
    let db = connect(&bench.url(database, &Bench::name(size, false)).await?).await?;
    let no = largest(&db).await?;
    if database == Database::Postgres {
        for setting in ["plan_cache_mode = force_generic_plan", "enable_sort = off", "jit = off"] {
            db.execute_unprepared(&format!("SET {setting}")).await?;
        }
    }
    let limit = times(&db, &newest(database, no), 200).await?;
    bench.figures.add(on, "baselines, p50: limit, the statement of the first page through the driver", limit, "ms")?;
    if database == Database::Postgres {
        db.execute_unprepared("RESET ALL").await?;
    }
    let size = number(&db, &format!("SELECT size FROM organization_head WHERE organization_no = {no}")).await?;
    let term = format!("{}{COMMON}", terms::organization_prefix(no));
    let search = match database {
        Database::Sqlite => {
            format!(
                "SELECT {COLUMNS} FROM event_search s \
                 CROSS JOIN event_order o ON o.position = ~s.rowid AND o.organization_no = {no} \
                 CROSS JOIN event e ON e.key = ({no} << 36) | o.sequence WHERE event_search MATCH '\"{term}\"' \
                 ORDER BY e.occurred_ns DESC LIMIT 50"
            )
        }
        Database::Postgres => {
            format!(
                "SELECT {COLUMNS} FROM event e WHERE organization_no = {no} AND terms @@ '''{term}'''::tsquery \
                 ORDER BY occurred_ns DESC LIMIT 50"
            )
        }
    };
    let sorted = times(&db, &search, RUNS).await?;
    bench.figures.add(on, "baselines, p50: naive, common word, sorted by time after the match", sorted, "ms")?;
    let offset = (size - 10_050.0).max(0.0);
    let deep = times(&db, &format!("{} OFFSET {offset}", newest(database, no)), RUNS).await?;
    bench.figures.add(on, "baselines, p50: naive, deep page by OFFSET", deep, "ms")
}

/// The middle of the times of a statement, in milliseconds.
async fn times(db: &DatabaseConnection, sql: &str, runs: usize) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let started = Instant::now();
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
        rows.first().context("a row")?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(quantile(&mut times, 0.5))
}
