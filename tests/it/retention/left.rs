//! After an erasure nothing of the person is found in any file of the database, nor in those of exports; and others record and
//! read all the while, as they do while a sweep goes on.
//!
//! `make torture` asks for 100,000 events by `LEDGERLINE_TEST_ERASED`, and prints how long others waited, beside how long they
//! wait when nothing else is done.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;

use ledgerline::event::{
    hash,
    terms::{TermKind, exact, resource},
};
use serde_json::json;

use super::{
    Moved,
    erasure::{erase, theirs, whom},
};
use crate::harness::{
    Caller, Database, TestApp, event, on_both_databases, row,
    sql::{change, column},
};

on_both_databases! {
    no_byte_of_theirs_is_left_in_any_file,
    others_go_on_while_everything_old_leaves,
}

/// Clients that record while something goes on; one more reads the first page.
const CLIENTS: usize = 16;

/// How long others waited, the shortest first.
struct Waited {
    recording: Vec<Duration>,
    reading: Vec<Duration>,
}

impl Waited {
    /// While something goes on, everybody is answered.
    async fn beside<T>(caller: &Caller<'_>, work: impl Future<Output = T>) -> (T, Self) {
        let is_over = AtomicBool::new(false);
        let record = async || assert_eq!(caller.record(event("was.busy")).await["status"], "RECORDED");
        let read = async || assert!(!caller.actions("first: 50, includeNested: true").await.is_empty());
        let working = async {
            let done = work.await;
            is_over.store(true, Ordering::SeqCst);
            done
        };
        let recording = join_all((0..CLIENTS).map(|_| timed(&is_over, record)));
        let (done, recording, mut reading) = tokio::join!(working, recording, timed(&is_over, read));
        let mut recording = recording.concat();
        recording.sort_unstable();
        reading.sort_unstable();
        (done, Self { recording, reading })
    }

    /// What nothing else goes on beside.
    async fn idle(caller: &Caller<'_>) -> Self {
        let time = if number() > 10_000 { Duration::from_secs(20) } else { Duration::from_millis(200) };
        Self::beside(caller, tokio::time::sleep(time)).await.1
    }
}

/// Does something again and again until that is over, and says how long each time took.
async fn timed(is_over: &AtomicBool, one: impl AsyncFn()) -> Vec<Duration> {
    let mut times = Vec::new();
    while !is_over.load(Ordering::SeqCst) {
        let began = Instant::now();
        one().await;
        times.push(began.elapsed());
    }
    times
}

fn at(times: &[Duration], percent: usize) -> f64 {
    times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0
}

/// Tells people how fast it was, where they asked for many events.
fn tell(app: &TestApp, what: &str, (events, time): (usize, Duration), idle: &Waited, beside: &Waited) {
    if number() <= 10_000 {
        return;
    }
    let waited = |of: &str, idle: &[Duration], beside: &[Duration]| {
        let times = |percent| at(beside, percent) / at(idle, percent);
        format!("{of} waits {:.1} x as long as alone at p99, {:.1} x at most", times(99), times(100))
    };
    let (recording, reading) =
        (waited("recording", &idle.recording, &beside.recording), waited("a page", &idle.reading, &beside.reading));
    row(&format!("{what}, {events} events"), app.database, &format!("{recording}; {reading}"), time);
}

/// Events of others, and of the person; `LEDGERLINE_TEST_ERASED` asks for more.
fn number() -> usize {
    std::env::var("LEDGERLINE_TEST_ERASED").ok().and_then(|n| n.parse().ok()).unwrap_or(3_000)
}

async fn no_byte_of_theirs_is_left_in_any_file(app: &TestApp) {
    let (others, own) = (number(), number() / 10);
    let admin = app.admin("workspace", "acme").scopes("audit:read audit:record audit:manage audit:export");
    let mut events = Vec::new();
    for n in 0..others {
        let mut other = event("doc.read");
        other["actor"]["id"] = json!(format!("usr_{}", n % 50));
        other["metadata"] = json!({ "n": n, "word": format!("common{}", n % 200) });
        other["idempotencyKey"] = json!(format!("other-{n}"));
        events.push(other);
        if n % 10 == 0 {
            let mut theirs = theirs(n / 10);
            theirs["resources"]
                .as_array_mut()
                .expect("a list")
                .push(json!({ "type": "user", "id": "usr_zq7x", "name": "Z" }));
            events.push(theirs);
        }
        if events.len() >= 200 {
            admin.record_all(std::mem::take(&mut events)).await;
        }
    }
    admin.record_all(events).await;
    let create = "mutation($input: CreateAuditExportInput!) { createAuditExport(input: $input) { export { id } } }";
    let export = admin.data(create, json!({ "input": { "format": "CSV" } })).await;
    let export = export["createAuditExport"]["export"]["id"].as_str().expect("an id").to_owned();
    crate::harness::within(Duration::from_secs(10 + number() as u64 / 1_000), async || {
        let find = "query($id: ID!) { auditExport(id: $id) { status } }";
        admin.data(find, json!({ "id": export })).await["auditExport"]["status"] == "DONE"
    })
    .await;
    let needles = needles(own);
    assert!(!found(app, &needles).await.is_empty(), "the search finds what is there");
    let idle = Waited::idle(&admin).await;
    let began = Instant::now();
    let (done, beside) = Waited::beside(&admin, erase(&admin, whom())).await;
    assert_eq!(done["events"], own.to_string());
    tell(app, "a person is erased", (others + own, began.elapsed()), &idle, &beside);
    assert_eq!(found(app, &needles).await, Vec::<String>::new());
    // No kept hash is one of what she was called or sent.
    let hashes = column::<Vec<u8>>(
        &app.url,
        "SELECT key_hash FROM idempotency UNION ALL SELECT content_hash FROM idempotency UNION ALL SELECT hash FROM \
         actor_directory",
    );
    let hashes = hashes.await;
    assert!(hashes.len() >= 2 * others, "those of others are there");
    for guess in guesses(own) {
        assert!(!hashes.contains(&hash::of([&guess]).to_vec()), "{guess}");
    }
    let list = admin.data("{ auditEvents(filter: { actions: [\"doc.read\"] }) { totalCount } }", json!({})).await;
    assert_eq!(list["auditEvents"]["totalCount"], others + own, "and every event is there");
}

fn guesses(own: usize) -> Vec<String> {
    let keys = (0..own).flat_map(|n| [format!("zephyrkey-{n}"), format!("usr_zq7x-{n}"), format!("zephyrword{n}")]);
    let names =
        ["usr_zq7x", "Zephyrine Quibblesworth", "Zephyrine@person.example", "198.51.100.77", "ZephyrBrowser/9.1"];
    keys.chain(names.map(str::to_owned)).collect()
}

/// What would give the person away: texts, terms of the search index, and hashes, each as bytes of Latin-1.
pub fn needles(own: usize) -> Vec<String> {
    let latin = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
    // Parts of words: an index may keep a word without its beginning.
    let mut needles: Vec<String> =
        ["ephyr", "EPHYR", "uibblesw", "r_zq7x", "person.example", "198.51.100.77"].map(str::to_owned).to_vec();
    let terms = [
        exact(TermKind::ActorId, "usr_zq7x"),
        exact(TermKind::ActorName, "Zephyrine Quibblesworth"),
        exact(TermKind::ActorEmail, "Zephyrine@person.example"),
        exact(TermKind::IpAddress, "198.51.100.77"),
        resource("user", "usr_zq7x"),
    ];
    needles.extend(terms.iter().map(|term| term[4..].to_owned()));
    needles.extend(guesses(own.min(20)).iter().map(|guess| latin(&hash::of([guess]))));
    needles
}

/// Files with what they have of some needles.
pub async fn found(app: &TestApp, needles: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    search(&app.folder(), needles, &mut found);
    if app.database == Database::Postgres {
        // The cluster's log of writes is left out: it goes round by itself, and what is kept of it elsewhere is a backup.
        let folder = "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database \
                      WHERE datname = current_database()";
        let folder = column::<String>(&app.url, folder).await.remove(0);
        assert!(Path::new(&folder).is_dir(), "the tests read the files of PostgreSQL in {folder}");
        change(&app.url, "CHECKPOINT").await;
        search(Path::new(&folder), needles, &mut found);
    }
    found
}

fn search(folder: &Path, needles: &[String], found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            search(&path, needles, found);
            continue;
        }
        let Ok(bytes) = fs::read(&path) else { continue };
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        for needle in needles.iter().filter(|needle| text.contains(needle.as_str())) {
            found.push(format!("{} has {needle:?}", path.display()));
        }
    }
}

async fn others_go_on_while_everything_old_leaves(app: &TestApp) {
    Box::pin(everything_old_leaves(app, "what is old leaves")).await;
    // A hold is asked about each event, also one that keeps nothing.
    let other = TestApp::start(app.database).await;
    Box::pin(everything_old_leaves(&other, HELD)).await;
    other.finish().await;
}

/// What leaves beside a hold of somebody whom nobody knows.
const HELD: &str = "what is old leaves, beside a hold";

async fn everything_old_leaves(app: &TestApp, how: &str) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    let old: Vec<_> = (0..number())
        .map(|n| {
            let mut old = event("doc.read");
            old["actor"]["id"] = json!(format!("usr_{}", n % 50));
            old["metadata"] = json!({ "n": n, "word": format!("common{}", n % 200) });
            old
        })
        .collect();
    for some in old.chunks(200) {
        admin.record_all(some.to_vec()).await;
    }
    if how == HELD {
        let hold = "INSERT INTO hold (organization_no, id, label, question, created_ns, created_by) SELECT organization_no, \
                    'hold_1', 'nobody', '{\"v\": 1, \"filter\": { \"actorIds\": [\"nobody\"] }}', 1, 'admin' \
                    FROM organization_head";
        change(&app.url, hold).await;
    }
    let idle = Waited::idle(&admin).await;
    let recorded = number() + idle.recording.len();
    moved.day(40);
    let sweeper = moved.sweeper();
    sweeper.trust_clock().await.expect("trusted");
    let began = Instant::now();
    let sweeping = tokio::spawn(async move { sweeper.sweep().await });
    let (tally, beside) = Waited::beside(&admin, sweeping).await;
    // Where it takes long, the service sweeps too, and each tells of its part.
    let by_others = recorded as i64 - tally.expect("it ends").expect("swept").removed;
    assert!(
        by_others == 0 || (by_others > 0 && number() > 10_000),
        "{by_others} of {recorded} did not leave by this sweep"
    );
    tell(app, how, (recorded, began.elapsed()), &idle, &beside);
    // What came meanwhile is there, with the event that tells of it; and nothing else.
    let list = admin.data("{ auditEvents(includeNested: true) { totalCount } }", json!({})).await;
    let there = list["auditEvents"]["totalCount"].as_u64().expect("a total") as usize - beside.recording.len();
    assert!(there == 1 || (there == 2 && by_others > 0), "{there} events tell of it");
    assert_eq!(column::<i64>(&app.url, "SELECT removed FROM organization_head").await, [recorded as i64]);
    moved.app.finish().await;
}
