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

use ledgerline::{
    auth::{Claims, OneOrMany},
    clock::Clock,
    event::Timestamp,
    keys::DevelopmentKeys,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    harness::{Database, catalogs, postgres},
    process::{Client, Service, ledgerline},
};

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
        ask: impl Fn(usize, u64) -> (String, Value) + Clone + Send + Sync + 'static,
    ) -> Self {
        let mut beside = Self::nobody();
        for who in 0..count {
            let (client, base, ask) = (client(who), base.to_owned(), ask.clone());
            let (stop, answered, refused) = (beside.stop.clone(), beside.answered.clone(), beside.refused.clone());
            beside.tasks.spawn(async move {
                let mut round = 0;
                while !stop.load(Ordering::Relaxed) {
                    let (query, variables) = ask(who, round);
                    let answer = client.ask(&base, &query, variables).await;
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
    name: String,
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
        let name = format!("{database:?}, {}", if build.is_some() { "baseline" } else { "this build" });
        let service = Service::run_with_log(command, "off,ledgerline=info").await;
        let place = Self { name, service, keys, seconds, _folder: folder };
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
        let products = catalogs::products();
        let product = products.get("workspace").expect("a product");
        let mut claims = Claims::new(product, subject, Timestamp(Clock::system().now().0 + 36_000_000_000_000));
        claims.org = Some(organization.to_owned());
        claims.scope = Some("audit:read audit:record".to_owned());
        claims.role = Some(OneOrMany::One("admin".to_owned()));
        Client::new(self.keys.sign("workspace", &claims).expect("a token"))
    }

    /// Asks the same again and again, and prints what came of it.
    async fn measure(&self, what: &str, beside: &str, running: Beside, query: &str, variables: &Value) -> f64 {
        let client = self.client("quiet", "victim");
        tokio::time::sleep(self.seconds / 4).await;
        let (started, mut times) = (Instant::now(), Vec::new());
        while started.elapsed() < self.seconds || times.is_empty() {
            let asked = Instant::now();
            let answer = client.ask(&self.service.base, query, variables.clone()).await;
            times.push(asked.elapsed());
            let is_baseline = self.name.contains("baseline");
            let errors = answer.as_ref().and_then(|answer| answer.get("errors"));
            assert!(is_baseline || (answer.is_some() && errors.is_none()), "{what} beside {beside}: {answer:?}");
        }
        let (answered, refused) = running.end().await;
        times.sort_unstable();
        let times = Times(times);
        let (p50, p99, max) = (times.at(0.5), times.at(0.99), times.at(1.0));
        println!(
            "{:<22} {what:<13} {beside:<28} {:>6} {p50:>9.1} {p99:>9.1} {max:>9.1} {answered:>9} {refused:>8}",
            self.name,
            times.0.len()
        );
        p99
    }

    async fn run(&self) {
        let base = self.service.base.clone();
        let page =
            "{ auditEvents(first: 50) { nodes { id action occurredAt actor { label } } pageInfo { endCursor } } }";
        let nothing = json!({});
        let alone = self.measure("first page", "alone", Beside::nobody(), page, &nothing).await;
        for tokens in [1, 10] {
            // As much as is taken: thirty fields with everything counted, or else one.
            let fields = self.most().await;
            let hostile = Beside::of(
                tokens,
                |who| self.client("loud", &format!("hostile {who}")),
                &base,
                move |who, round| (costly(fields, who as u64 * 1_000 + round), json!({})),
            );
            let name = format!("{tokens} hostile, {fields} fields each");
            let p99 = self.measure("first page", &name, hostile, page, &nothing).await;
            println!("{:>58} p99 is {:.1} times that alone", "", p99 / alone);
        }
        let record = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { sequence } }";
        let one = json!({ "input": event(1) });
        let alone = self.measure("record one", "alone", Beside::nobody(), record, &one).await;
        let many = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded } }";
        for (name, metadata) in [("batches of 1,000 events", 20), ("batches of 9 MB", 9_000)] {
            let batch: Vec<_> = (0..1_000)
                .map(|n| {
                    let mut one = event(n);
                    one["metadata"]["pad"] = "x".repeat(metadata).into();
                    one
                })
                .collect();
            let input = json!({ "input": { "events": batch } });
            let bulk = Beside::of(
                BULK,
                |who| self.client("loud", &format!("bulk {who}")),
                &base,
                move |_, _| (many.to_owned(), input.clone()),
            );
            let p99 = self.measure("record one", name, bulk, record, &one).await;
            println!("{:>58} p99 is {:.1} times that alone", "", p99 / alone);
        }
        let lines = self.service.log();
        let errors = lines.iter().filter(|line| line.contains("ERROR")).count();
        println!("{}: {errors} ERROR lines, {} MiB resident", self.name, resident(self.service.id()) >> 10);
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
    println!(
        "{:<22} {:<13} {:<28} {:>6} {:>9} {:>9} {:>9} {:>9} {:>8}",
        "", "what", "beside", "asked", "p50 ms", "p99 ms", "max ms", "answered", "refused"
    );
    for database in [Database::Sqlite, Database::Postgres] {
        for build in baseline.as_deref().map(Some).into_iter().chain([None]) {
            Place::start(database, build, events, seconds).await.run().await;
        }
    }
}
