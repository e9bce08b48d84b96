//! How much others notice of one organization that asks for as much as it may, and of one that records in bulk: figures,
//! alone and beside it, in one table. What is asserted is that everybody is answered; how fast is for people to read.
//!
//! `make test` runs it with few events and for a moment. `LEDGERLINE_TORTURE_SECONDS` says for how long each line is
//! measured, `LEDGERLINE_TORTURE_EVENTS` how many events the large organization has, and
//! `LEDGERLINE_TORTURE_BASELINE` names another build of the program to measure beside this one.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::Bytes;
use ledgerline::{
    auth::{Claims, OneOrMany},
    clock::Clock,
    event::Timestamp,
    keys::DevelopmentKeys,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    harness::{Database, catalogs, postgres, row},
    process::{Client, Service, ledgerline},
};

/// What the event of a number says.
type Said<'a> = &'a dyn Fn(u64) -> String;

/// Connections of whoever records in bulk.
const BULK: usize = 32;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Runs beside what is measured, until it is told to stop.
struct Beside {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
    /// Requests that were answered with data, and those that were told to try again or ask for less.
    answered: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
}

impl Beside {
    fn nobody() -> Self {
        Self { stop: Arc::default(), tasks: JoinSet::new(), answered: Arc::default(), refused: Arc::default() }
    }

    /// So many clients, each of which sends the same again and again.
    fn of(
        count: usize,
        client: impl Fn(usize) -> Client,
        base: &str,
        ask: impl Fn(usize, u64) -> Bytes + Clone + Send + Sync + 'static,
    ) -> Self {
        let mut beside = Self::nobody();
        for who in 0..count {
            let (client, base, ask) = (client(who), base.to_owned(), ask.clone());
            let (stop, answered, refused) = (beside.stop.clone(), beside.answered.clone(), beside.refused.clone());
            beside.tasks.spawn(async move {
                let mut round = 0;
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.post(&base, ask(who, round)).await;
                    let is_answered = answer.is_some_and(|answer| answer.get("errors").is_none());
                    if is_answered { &answered } else { &refused }.fetch_add(1, Ordering::Relaxed);
                    if !is_answered {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    round += 1;
                }
            });
        }
        beside
    }

    async fn end(mut self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        (self.answered.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }
}

/// Times of one kind of request.
struct Times(Vec<Duration>);

impl Times {
    fn at(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank"
        )]
        let place = ((self.0.len() as f64 * share) as usize).min(self.0.len() - 1);
        self.0[place].as_secs_f64() * 1_000.0
    }
}

/// One build of the program on one database.
struct Place {
    database: Database,
    is_baseline: bool,
    service: Service,
    keys: DevelopmentKeys,
    seconds: Duration,
    _folder: tempfile::TempDir,
}

impl Place {
    async fn start(database: Database, build: Option<&Path>, events: u64, seconds: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match database {
            Database::Sqlite => format!("sqlite://{}", folder.path().join("ledgerline.db").display()),
            Database::Postgres => postgres::fresh_database().await,
        };
        let products = catalogs::products();
        let keys = DevelopmentKeys::open_or_create(&folder.path().join("keys"), &products).expect("keys");
        let mut command = ledgerline(&url, folder.path());
        if let Some(build) = build {
            let mut other = Command::new(build);
            for (name, value) in command.get_envs() {
                match value {
                    Some(value) => other.env(name, value),
                    None => other.env_remove(name),
                };
            }
            command = other;
        }
        let service = Service::run_with_log(command, "off,ledgerline=info").await;
        let place = Self { database, is_baseline: build.is_some(), service, keys, seconds, _folder: folder };
        let (loud, quiet) = (place.client("loud", "loader"), place.client("quiet", "loader"));
        for first in (0..events).step_by(1_000) {
            let count = 1_000.min(events - first);
            let batch: Vec<_> = (first..first + count).map(event).collect();
            loud.record(&place.service.base, &batch).await.expect("an answer").expect("they are recorded");
        }
        let few: Vec<_> = (0..200).map(event).collect();
        quiet.record(&place.service.base, &few).await.expect("an answer").expect("they are recorded");
        place
    }

    fn client(&self, organization: &str, subject: &str) -> Client {
        Client::new(self.token(organization, subject))
    }

    fn token(&self, organization: &str, subject: &str) -> String {
        let products = catalogs::products();
        let product = products.get("workspace").expect("a product");
        let mut claims = Claims::new(product, subject, Timestamp(Clock::system().now().0 + 36_000_000_000_000));
        claims.org = Some(organization.to_owned());
        claims.scope = Some("audit:read audit:record".to_owned());
        claims.role = Some(OneOrMany::One("admin".to_owned()));
        self.keys.sign("workspace", &claims).expect("a token")
    }

    /// Asks the same again and again, and prints what came of it, next to the 99th percentile alone.
    async fn measure(
        &self,
        (what, beside): (&str, &str),
        alone: Option<f64>,
        running: Beside,
        query: &str,
        variables: &Value,
    ) -> f64 {
        let asked = Instant::now();
        let (answers, mut times) = self.victim(body(query, variables)).await;
        let (answered, refused) = running.end().await;
        for answer in answers {
            let errors = answer.as_ref().and_then(|answer| answer.get("errors"));
            assert!(self.is_baseline || (answer.is_some() && errors.is_none()), "{what} beside {beside}: {answer:?}");
        }
        times.sort_unstable();
        let times = Times(times);
        let (p50, p99, max) = (times.at(0.5), times.at(0.99), times.at(1.0));
        let times_alone = alone.map(|alone| format!(" ({:.1} x alone)", p99 / alone)).unwrap_or_default();
        row(
            &format!("{what}, {beside}{}", self.build()),
            self.database,
            &format!(
                "p50 {p50:.1} ms, p99 {p99:.1} ms{times_alone}, longest {max:.1} ms; beside it {answered} answered, {refused} refused"
            ),
            asked.elapsed(),
        );
        p99
    }

    /// Which build it is, where there are two.
    fn build(&self) -> &'static str {
        if self.is_baseline { ", the build to compare with" } else { "" }
    }

    /// Asks for as long as is measured, and at least three times, on a thread of its own: what the others take of this
    /// process must not count as time that the service takes.
    async fn victim(&self, body: Bytes) -> (Vec<Option<Value>>, Vec<Duration>) {
        let (token, base, seconds) = (self.token("quiet", "victim"), self.service.base.clone(), self.seconds);
        let ask = move || async move {
            let client = Client::new(token);
            tokio::time::sleep(seconds / 4).await;
            let (started, mut times, mut answers) = (Instant::now(), Vec::new(), Vec::new());
            while started.elapsed() < seconds || times.len() < 3 {
                let asked = Instant::now();
                answers.push(client.post(&base, body.clone()).await);
                times.push(asked.elapsed());
            }
            (answers, times)
        };
        let own = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(ask())
        };
        tokio::task::spawn_blocking(own).await.expect("the victim ends")
    }

    async fn run(&self) {
        let started = Instant::now();
        let base = self.service.base.clone();
        let page =
            "{ auditEvents(first: 50) { nodes { id action occurredAt actor { label } } pageInfo { endCursor } } }";
        let nothing = json!({});
        let alone = self.measure(("first page", "alone"), None, Beside::nobody(), page, &nothing).await;
        for tokens in [1, 10] {
            // As much as is taken: thirty fields with everything counted, or else one.
            let fields = self.most().await;
            let hostile = Beside::of(
                tokens,
                |who| self.client("loud", &format!("hostile {who}")),
                &base,
                move |who, round| body(&costly(fields, who as u64 * 1_000 + round), &json!({})),
            );
            let name = format!("beside {tokens} hostile, {fields} fields each");
            self.measure(("first page", &name), Some(alone), hostile, page, &nothing).await;
        }
        let record = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { sequence } }";
        let one = json!({ "input": event(1) });
        let alone = self.measure(("recording one", "alone"), None, Beside::nobody(), record, &one).await;
        let many = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded } }";
        let pad = |bytes: usize| move |_: u64| "x".repeat(bytes);
        let words = |n: u64| (0..1_100).map(|word| format!("w{:05} ", (n * 31 + word) % 50_000)).collect::<String>();
        let bulks: [(&str, bool, Said<'_>); 4] = [
            ("batches of 1,000 events", false, &pad(20)),
            ("batches of 9 MB", false, &pad(9_000)),
            ("batches of 9 MB of words", false, &words),
            ("batches of 9 MB, atomic", true, &pad(9_000)),
        ];
        for (name, atomic, said) in bulks {
            let padded = |n| {
                let mut one = event(n);
                one["metadata"]["pad"] = said(n).into();
                one
            };
            let batch: Vec<_> = (0..1_000).map(padded).collect();
            let batch = body(many, &json!({ "input": { "events": batch, "atomic": atomic } }));
            let client = |who| self.client("loud", &format!("bulk {who}"));
            let bulk = Beside::of(BULK, client, &base, move |_, _| batch.clone());
            let name = format!("beside {BULK} connections with {name}");
            self.measure(("recording one", &name), Some(alone), bulk, record, &one).await;
        }
        let lines = self.service.log();
        let errors = lines.iter().filter(|line| line.contains("ERROR")).count();
        row(
            &format!("all of fairness{}", self.build()),
            self.database,
            &format!("{errors} lines of ERROR, {} MiB resident at most", resident(self.service.id()) >> 10),
            started.elapsed(),
        );
    }

    /// How many costly fields one request may have.
    async fn most(&self) -> usize {
        let client = self.client("loud", "asker");
        for fields in [30, 10, 4, 2] {
            let answer = client.ask(&self.service.base, &costly(fields, 0), json!({})).await.unwrap_or_default();
            if !answer.to_string().contains("QUERY_TOO_COMPLEX") {
                return fields;
            }
        }
        1
    }
}

fn body(query: &str, variables: &Value) -> Bytes {
    json!({ "query": query, "variables": variables }).to_string().into()
}

/// Fields of one request with everything counted of a word that every event has.
fn costly(fields: usize, round: u64) -> String {
    let counts = "totalCount facets { categories { buckets { count } } actions { buckets { count } } actors { buckets { count } }
        outcomes { buckets { count } } ipAddresses { buckets { count } } sources { buckets { count } }
        resourceTypes { buckets { count } } days { count } }";
    let field = |n: usize| {
        let other = round * 100 + n as u64;
        format!(
            "a{n}: auditEvents(first: 1, search: \"common\", filter: {{ not: {{ actions: [\"x.y{other}\"] }} }}) {{ {counts} }} "
        )
    };
    format!("{{ {} }}", (0..fields).map(field).collect::<String>())
}

fn event(n: u64) -> Value {
    json!({ "action": format!("load.{}", n % 7), "actor": { "kind": "USER", "id": format!("u{}", n % 97) },
        "ipAddress": format!("10.0.{}.{}", n % 200, n % 50), "source": "load",
        "resources": [{ "type": "thing", "id": format!("t{}", n % 1_000) }],
        "metadata": { "n": n, "said": "common words of everyday" } })
}

/// Kibibytes of memory that a process has.
fn resident(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_answered_beside_one_that_asks_for_much() {
    let seconds = setting("LEDGERLINE_TORTURE_SECONDS");
    let events = setting("LEDGERLINE_TORTURE_EVENTS").unwrap_or(if seconds.is_some() { 300_000 } else { 2_000 });
    let seconds = seconds.map_or(Duration::from_millis(300), Duration::from_secs);
    let baseline = std::env::var_os("LEDGERLINE_TORTURE_BASELINE").map(PathBuf::from);
    for database in [Database::Sqlite, Database::Postgres] {
        for build in baseline.as_deref().map(Some).into_iter().chain([None]) {
            Place::start(database, build, events, seconds).await.run().await;
        }
    }
}
