//! The real program, as a process of its own.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::harness::catalogs;

/// The program with a database, a folder of keys and the tests' products, and nothing else from the environment. It is the
/// one built with the tests, unless `LEDGERLINE_TEST_PROGRAM` names another, such as an optimized one.
pub fn ledgerline(url: &str, folder: &Path) -> Command {
    let program = std::env::var_os("LEDGERLINE_TEST_PROGRAM");
    let mut command = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_ledgerline").into()));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LEDGERLINE_") {
            command.env_remove(name);
        }
    }
    command.env("LEDGERLINE_DATABASE_URL", url).env("LEDGERLINE_KEYS", folder.join("keys"));
    command.env("LEDGERLINE_PRODUCTS", catalogs::folder());
    command
}

/// What `ledgerline import` said, and how it ended.
#[derive(Debug)]
pub struct Imported {
    pub summary: String,
    /// The refused lines, as `line N: why`.
    pub refused: Vec<String>,
    /// All that went to standard error.
    pub said: String,
    pub status: ExitStatus,
}

impl From<Output> for Imported {
    fn from(output: Output) -> Self {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let refused = err.lines().filter(|line| line.starts_with("line ")).map(str::to_owned).collect();
        let summary = out.lines().last().unwrap_or(&err).to_owned();
        Self { summary, refused, said: err.into_owned(), status: output.status }
    }
}

/// Imports a file into the product `workspace` and waits for the end.
pub async fn import(url: &str, folder: &Path, file: &Path, arguments: &[&str]) -> Imported {
    let mut command = ledgerline(url, folder);
    command.arg("import").arg(file).args(["--product", "workspace"]).args(arguments);
    tokio::task::spawn_blocking(move || command.output().expect("the program runs").into())
        .await
        .expect("the program ends")
}

/// A running service. Killed when dropped.
pub struct Service {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Service {
    /// Starts `serve --dev` and waits until it listens.
    pub async fn start(url: &str, folder: &Path) -> Self {
        Self::run(ledgerline(url, folder)).await
    }

    /// The same for a prepared command.
    pub async fn run(command: Command) -> Self {
        Self::run_with_log(command, "ledgerline=info,warn").await
    }

    /// The same with another filter of its log.
    pub async fn run_with_log(mut command: Command, filter: &str) -> Self {
        command.args(["serve", "--dev"]).env("LEDGERLINE_LISTEN", "127.0.0.1:0").env("LEDGERLINE_READ_RATE", "0");
        command.env("LEDGERLINE_LOG", filter);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        let stderr = child.stderr.take().expect("a pipe");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (said, listens) = mpsc::channel();
        std::thread::spawn({
            let log = log.clone();
            move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    if let Some((_, base)) = line.split_once("listening on ") {
                        let _ = said.send(base.trim().to_owned());
                    }
                    log.lock().expect("no panic").push(line);
                }
            }
        });
        let listens = tokio::task::spawn_blocking(move || listens.recv_timeout(Duration::from_secs(30)));
        let base = listens.await.expect("the wait ends");
        let base =
            base.unwrap_or_else(|_| panic!("the service listens, but it said {:#?}", log.lock().expect("no panic")));
        Self { child, base, log }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// SIGTERM, and how it ended.
    pub async fn terminate(mut self) -> ExitStatus {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(told.success());
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status;
            }
            assert!(started.elapsed() < Duration::from_secs(40), "it did not stop: {:#?}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its log lines so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("no panic").clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client of a service.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    token: String,
}

impl Client {
    pub fn new(token: String) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().expect("a client");
        Self { http, token }
    }

    /// Asks; `None` where no whole answer came.
    pub async fn ask(&self, base: &str, query: &str, variables: Value) -> Option<Value> {
        self.post(base, json!({ "query": query, "variables": variables }).to_string().into()).await
    }

    /// The same for a body that was made before.
    pub async fn post(&self, base: &str, body: Bytes) -> Option<Value> {
        let request = self.http.post(format!("{base}/graphql")).bearer_auth(&self.token);
        let request = request.header("content-type", "application/json").header("accept", "application/json");
        let answer = request.body(body).send().await.ok()?.text().await.ok()?;
        serde_json::from_str(&answer).ok()
    }

    /// Records events, each for itself; gives the results, or the whole answer where there are none.
    pub async fn record(&self, base: &str, events: &[Value]) -> Option<Result<Vec<Value>, Value>> {
        let query = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) {
            results { status eventId sequence error { code message } } } }";
        let answer = self.ask(base, query, json!({ "input": { "events": events } })).await?;
        Some(match answer["data"]["recordAuditEvents"]["results"].as_array() {
            Some(results) => Ok(results.clone()),
            None => Err(answer),
        })
    }

    /// Status of a plain GET, or 0.
    pub async fn status(&self, url: String) -> u16 {
        self.http.get(url).send().await.map_or(0, |answer| answer.status().as_u16())
    }
}
