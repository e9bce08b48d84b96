//! The service under test: the real program, as a process of its own, and clients that speak to it.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::bench::Bench;

/// A running service. Ended when dropped.
pub struct Service {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    /// Seconds from its start until it was ready.
    pub ready_after: f64,
}

impl Service {
    /// Starts it on a database.
    pub async fn start(bench: &Bench, url: &str) -> Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let base = format!("http://127.0.0.1:{port}");
        let started = Instant::now();
        let child = bench
            .program(url)
            .args(["serve", "--dev"])
            .env("LEDGERLINE_LISTEN", format!("127.0.0.1:{port}"))
            .env("LEDGERLINE_READ_RATE", "0")
            // Receivers of the bench lie here.
            .env("LEDGERLINE_ENDPOINT_NETWORKS", "127.0.0.0/8")
            .env("LEDGERLINE_LOG", "warn")
            .spawn()
            .context("target/release/ledgerline does not start: build it first")?;
        let mut service = Self { child, base, ready_after: 0.0 };
        let ready = format!("{}/readyz", service.base);
        for _ in 0..12_000 {
            if reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
                service.ready_after = started.elapsed().as_secs_f64();
                return Ok(service);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("the service is not ready after a minute")
    }

    /// Its number among the processes.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU seconds that its threads have used, to the nanosecond; without those of threads that have ended.
    pub fn cpu_exactly(&self) -> Result<f64> {
        let mut nanoseconds = 0.0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.pid())).context("Linux's /proc is needed")? {
            let used = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
            nanoseconds += used.split(' ').next().and_then(|first| first.parse::<f64>().ok()).unwrap_or_default();
        }
        Ok(nanoseconds / 1e9)
    }

    /// CPU seconds that it has used.
    pub fn cpu(&self) -> Result<f64> {
        cpu_of(self.child.id())
    }

    /// Its memory that is no file, in MB.
    pub fn memory(&self) -> Result<f64> {
        memory_of(self.child.id())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU seconds of a process: fields 14 and 15 of /proc/PID/stat, in ticks of 1/100 s.
pub fn cpu_of(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("Linux's /proc is needed")?;
    let after = stat.rsplit_once(')').context("a stat line")?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or_default();
    Ok((ticks(11) + ticks(12)) / 100.0)
}

/// `RssAnon` of a process in MB.
pub fn memory_of(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).context("RssAnon")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? / 1024.0)
}

/// Somebody who asks over one connection.
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    pub fn new(service: &Service, token: String) -> Self {
        Self { http: reqwest::Client::new(), url: format!("{}/graphql", service.base), token }
    }

    /// Sends a body and gives the whole answer.
    pub async fn answer(&self, body: String) -> Result<Value> {
        let request = self
            .http
            .post(&self.url)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(body);
        Ok(serde_json::from_slice(&request.send().await?.bytes().await?)?)
    }

    /// Sends a body and gives the data of the answer; errors in it fail.
    pub async fn send(&self, body: String) -> Result<Value> {
        let answer = self.answer(body).await?;
        ensure!(answer.get("errors").is_none(), "the service answered {}", answer["errors"]);
        Ok(answer["data"].clone())
    }

    /// Asks a query.
    pub async fn ask(&self, query: &str) -> Result<Value> {
        self.send(json!({ "query": query }).to_string()).await
    }

    /// Milliseconds of a query, one after the other for so long.
    pub async fn times(&self, query: &str, seconds: f64) -> Result<Vec<f64>> {
        let body = json!({ "query": query }).to_string();
        let (until, mut times) = (Instant::now() + Duration::from_secs_f64(seconds), Vec::new());
        for _ in 0..2 {
            self.send(body.clone()).await?;
        }
        while Instant::now() < until || times.len() < 5 {
            let started = Instant::now();
            self.send(body.clone()).await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        Ok(times)
    }
}

/// What wrk said.
pub struct Load {
    pub per_second: f64,
    pub requests: f64,
    pub p50: f64,
    pub p99: f64,
}

/// POSTs bodies, one after the other and then from the first again, over connections for some seconds.
pub fn wrk(
    url: &str,
    token: Option<&str>,
    bodies: &[String],
    connections: u32,
    seconds: u32,
    folder: &std::path::Path,
) -> Result<Load> {
    let (script, lines): (PathBuf, PathBuf) = (folder.join("request.lua"), folder.join("bodies.jsonl"));
    fs::write(&lines, bodies.join("\n"))?;
    let header = token.map_or(String::new(), |token| format!("wrk.headers['authorization'] = 'Bearer {token}'\n"));
    let text = format!(
        "wrk.method = 'POST'\nwrk.headers['content-type'] = 'application/json'\n{header}\
        local bodies, at = {{}}, 0\nfor line in io.lines([==[{}]==]) do bodies[#bodies + 1] = line end\n\
        request = function() at = at % #bodies + 1 return wrk.format(nil, nil, nil, bodies[at]) end\n\
        done = function(s, l) io.write(string.format('RESULT %f %f %f %f\\n', s.requests / s.duration * 1e6, s.requests, l:percentile(50) / 1e3, l:percentile(99) / 1e3)) end\n",
        lines.display()
    );
    fs::write(&script, text)?;
    let output = Command::new("wrk")
        .args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "-s"])
        .arg(&script)
        .arg(url)
        .stderr(Stdio::inherit())
        .output()
        .context("wrk is missing: install it (Debian: apt-get install wrk)")?;
    let out = String::from_utf8_lossy(&output.stdout);
    ensure!(!out.contains("Non-2xx"), "not every answer was a success: {out}");
    let line = out.lines().find_map(|line| line.strip_prefix("RESULT ")).with_context(|| format!("wrk said {out}"))?;
    let numbers: Vec<f64> = line.split(' ').filter_map(|number| number.parse().ok()).collect();
    let [per_second, requests, p50, p99] = numbers[..] else { bail!("wrk said {line}") };
    Ok(Load { per_second, requests, p50, p99 })
}
