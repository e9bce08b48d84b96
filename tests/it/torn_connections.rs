//! The connection to PostgreSQL is cut, torn in the middle of a message or held up, at any message of either side,
//! twice in a row and then no more: what was acknowledged is there, once and in sequence, and nobody is answered with
//! another's rows. `LEDGERLINE_TORTURE_ROUNDS` tries every message, so many times.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    harness::{Answer, Caller, Database, TestApp, row},
    wire::{Fault, Proxy, Side},
};

/// Which messages of a request the short form spoils: one of each kind, and the last of each, which are COMMIT's.
fn sampled(request: &[(Side, char)], fault: Fault, random: &mut StdRng) -> Vec<u64> {
    let mut places = BTreeSet::new();
    for kind in request.iter().collect::<BTreeSet<_>>() {
        let of_kind: Vec<_> = (0..request.len()).filter(|at| request[*at] == *kind).collect();
        places.insert(of_kind[random.random_range(0..of_kind.len())]);
        if ['Q', 'Z'].contains(&kind.1) {
            places.insert(of_kind[of_kind.len() - 1]);
        }
    }
    // A late message takes its time.
    let most = if fault == Fault::Delay { 4 } else { usize::MAX };
    places.into_iter().map(|at| at as u64).rev().take(most).collect()
}

fn keyed(organization: &str, key: &str) -> Value {
    json!({ "action": format!("{organization}.did"), "actor": { "kind": "USER", "id": "u1" }, "idempotencyKey": key,
        "log": { "level": "project", "id": format!("p-{}", key.len() % 3) } })
}

const RECORD: &str =
    "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status event { id } sequence } }";
const READ: &str = "{ auditEvents(first: 5, includeNested: true) { totalCount nodes { action sequence } } }";

/// What was acknowledged to an organization: id and sequence by key.
#[derive(Default)]
struct Books {
    acknowledged: BTreeMap<String, (String, i64)>,
    unanswered: BTreeSet<String>,
}

impl Books {
    /// Notes an answer; whatever is not an acknowledgement says that it may be tried again.
    fn note(&mut self, key: String, answer: &Answer) {
        let json = answer.json();
        let recorded = &json["data"]["recordAuditEvent"];
        if json.get("errors").is_some() {
            assert_eq!(answer.code(), "UNAVAILABLE", "{json:#}");
            self.unanswered.insert(key);
            return;
        }
        let sequence = recorded["sequence"].as_str().expect("a sequence").parse().expect("a number");
        let place = (recorded["event"]["id"].as_str().expect("an id").to_owned(), sequence);
        let before = self.acknowledged.insert(key.clone(), place.clone());
        assert!(before.is_none_or(|before| before == place), "{key} was acknowledged at two places");
        self.unanswered.remove(&key);
    }

    /// Everything acknowledged is there, once, where it was said to be, and nothing else.
    async fn check(&self, admin: &Caller<'_>) {
        let query = "query($after: String) { auditEvents(first: 100, after: $after, includeNested: true,
            orderBy: { field: SEQUENCE, direction: ASC }) { totalCount nodes { id sequence }
            pageInfo { hasNextPage endCursor } } }";
        let (mut rows, mut after) = (BTreeMap::new(), Value::Null);
        loop {
            let data = admin.data(query, json!({ "after": after })).await;
            let page = &data["auditEvents"];
            assert_eq!(page["totalCount"], self.acknowledged.len(), "the total");
            for node in page["nodes"].as_array().expect("nodes") {
                let sequence: i64 = node["sequence"].as_str().expect("a sequence").parse().expect("a number");
                assert_eq!(sequence, rows.len() as i64, "dense from 0");
                rows.insert(sequence, node["id"].as_str().expect("an id").to_owned());
            }
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        let acknowledged: BTreeMap<_, _> = self.acknowledged.values().map(|(id, at)| (*at, id.clone())).collect();
        assert_eq!(rows, acknowledged);
    }
}

/// A page is refused, or its own organization's and whole.
fn check_page(organization: &str, answer: &Answer, acknowledged: usize) {
    let json = answer.json();
    if json.get("errors").is_some() {
        assert!(["UNAVAILABLE", "QUERY_TOO_COMPLEX"].contains(&answer.code().as_str()), "{json:#}");
        return;
    }
    let list = &json["data"]["auditEvents"];
    let action = format!("{organization}.did");
    for node in list["nodes"].as_array().expect("nodes") {
        assert_eq!(node["action"], action, "{json:#}");
    }
    assert!(list["totalCount"].as_u64().expect("a total") >= acknowledged as u64, "{json:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_connection_loses_repeats_and_mixes_nothing() {
    let rounds: Option<u64> =
        std::env::var("LEDGERLINE_TORTURE_ROUNDS").ok().map(|rounds| rounds.parse().expect("a number of rounds"));
    let started = Instant::now();
    let mut random = StdRng::seed_from_u64(20_261_125);
    let direct = TestApp::start(Database::Postgres).await;
    let proxy = Proxy::before(&direct.url).await;
    let app = direct.beside_with(|settings| settings.database_url.clone_from(&proxy.url)).await;
    let names = ["acme", "beta"];
    let admins = names.map(|name| app.admin("workspace", name));
    let mut books = [Books::default(), Books::default()];
    let record = async |at: usize, key: &str| admins[at].ask(RECORD, json!({ "input": keyed(names[at], key) })).await;
    // What one request of each kind takes.
    let mut request = Vec::new();
    for number in 0..3 {
        for (at, books) in books.iter_mut().enumerate() {
            let key = format!("quiet-{number}");
            proxy.passed();
            books.note(key.clone(), &record(at, &key).await);
            request = proxy.passed();
        }
    }
    let messages = request.len() as u64;
    let (mut acknowledged_in_spite, mut hit, mut refused) = (0, BTreeSet::new(), 0);
    // The faults have to hit what matters, on both sides: plain statements such as COMMIT, bound ones, and their answers.
    // What else goes over the connection meanwhile moves their places, so a round that missed one is followed by another.
    let wanted = ["Client Q", "Client B", "Server Z", "Server C", "Server D"];
    let is_enough = |round: u64, hit: &BTreeSet<String>| match rounds {
        Some(rounds) => round >= rounds,
        None => round >= 5 || (round > 0 && wanted.iter().all(|message| hit.contains(*message))),
    };
    for round in 0.. {
        if is_enough(round, &hit) {
            break;
        }
        for fault in [Fault::Cut, Fault::CutAfter, Fault::Half, Fault::Delay] {
            let places: Vec<u64> = match rounds {
                Some(_) => (0..messages + 20).collect(),
                None => sampled(&request, fault, &mut random),
            };
            for place in places {
                // The second failure comes anywhere in the next attempt, opening its connection included.
                proxy.arm(fault, vec![place, random.random_range(0..messages + 20)]);
                for attempt in 0..2 {
                    let key = format!("{round}-{fault:?}-{place}-{attempt}");
                    let (written, read) = tokio::join!(record(0, &key), admins[1].ask(READ, json!({})));
                    books[0].note(key.clone(), &written);
                    check_page("beta", &read, books[1].acknowledged.len());
                    let (written, read) = tokio::join!(record(1, &key), admins[0].ask(READ, json!({})));
                    books[1].note(key, &written);
                    check_page("acme", &read, books[0].acknowledged.len());
                }
                let spoilt = proxy.disarm();
                hit.extend(spoilt.iter().map(|(side, letter)| format!("{side:?} {letter}")));
                // Healthy again: at once, and what got no answer is there once.
                for (at, books) in books.iter_mut().enumerate() {
                    refused += books.unanswered.len();
                    for key in books.unanswered.clone() {
                        books.note(key.clone(), &record(at, &key).await);
                        assert!(!books.unanswered.contains(&key), "it records again: {fault:?} at {place}, {spoilt:?}");
                    }
                    acknowledged_in_spite = books.acknowledged.len();
                }
            }
        }
        for (at, books) in books.iter().enumerate() {
            // Through the same connections, and by another process that has seen nothing of it.
            books.check(&admins[at]).await;
            books.check(&direct.admin("workspace", names[at])).await;
        }
    }
    for message in wanted {
        assert!(hit.contains(message), "{message} was not spoilt: {hit:?}");
    }
    assert!(refused > 20 && acknowledged_in_spite > 60, "{refused} refused, {acknowledged_in_spite} acknowledged");
    row(
        "requests to record with torn messages to and from the server",
        Database::Postgres,
        &format!(
            "{} acknowledged and there once, {refused} refused and recorded afterwards",
            books.iter().map(|books| books.acknowledged.len()).sum::<usize>()
        ),
        started.elapsed(),
    );
    app.finish().await;
    direct.finish().await;
}

/// A COMMIT that never arrives, and one whose answer never comes; the server is not told that the connection is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_says_nothing_is_given_up() {
    let direct = TestApp::start(Database::Postgres).await;
    let proxy = Proxy::before(&direct.url).await;
    let app = direct.beside_with(|settings| settings.database_url.clone_from(&proxy.url)).await;
    let admin = app.admin("workspace", "acme");
    let mut books = Books::default();
    let record = async |key: &str| admin.ask(RECORD, json!({ "input": keyed("acme", key) })).await;
    books.note("first".to_owned(), &record("first").await);
    // Half a minute each: the short form has the first alone.
    let long = std::env::var("LEDGERLINE_TORTURE_ROUNDS").is_ok();
    let places = [("not committed", Side::Client), ("committed", Side::Server)];
    for (key, side) in places.into_iter().take(if long { 2 } else { 1 }) {
        // The upkeep beside it may get in between, and the message of another one is hit.
        for attempt in 0.. {
            assert!(attempt < 10, "{key}: no request was held up");
            let key = format!("{key} {attempt}");
            proxy.arm_at(Fault::Stall, side, "COMMIT");
            let started = Instant::now();
            books.note(key.clone(), &record(&key).await);
            proxy.disarm();
            if books.unanswered.remove(&key) {
                assert!(started.elapsed().as_secs() < 40, "{:?}", started.elapsed());
                books.note(key.clone(), &record(&key).await);
                assert!(books.unanswered.is_empty(), "{key}: it records again");
                break;
            }
        }
    }
    books.check(&admin).await;
    books.check(&direct.admin("workspace", "acme")).await;
    app.finish().await;
    direct.finish().await;
}
