//! Random reads by everybody of everything: ids, cursors, logs, organizations and words of others. Each event says whose it is,
//! and no answer ever says another's.
//!
//! `make test` asks a few hundred times. `LEDGERLINE_TORTURE_READS` says how often.

use std::{sync::Arc, time::Instant};

use ledgerline::{
    auth::{Claims, OneOrMany},
    clock::Clock,
    event::Timestamp,
    keys::DevelopmentKeys,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use crate::{
    harness::{Database, catalogs, postgres, row},
    process::{Client, Service, ledgerline},
};

/// Clients that ask at once.
const CLIENTS: u64 = 8;
/// Organizations of each product: some ids are the beginnings of others.
const ORGANIZATIONS: [&str; 4] = ["acme", "acme0", "acm", "ACME"];
const PROJECTS: [&str; 3] = ["p1", "p10", "p2"];

/// Somebody, and the marks of the events that they may read.
struct Reader {
    client: Client,
    own: Vec<String>,
    /// Ids and cursors that only they should be able to use.
    ids: Vec<String>,
    cursors: Vec<String>,
}

/// A word that stands in the events of one log alone.
fn mark(product: usize, organization: usize, project: Option<usize>) -> String {
    let project = project.map_or("own".to_owned(), |project| format!("p{project}"));
    format!("markq{product}q{organization}q{project}q")
}

async fn readers(keys: &DevelopmentKeys, service: &Service) -> Vec<Reader> {
    let products = catalogs::products();
    let mut readers = Vec::new();
    for (at, name) in ["capydb", "workspace"].into_iter().enumerate() {
        let product = products.get(name).expect("a product");
        let projects: &[&str] = if product.levels.len() > 1 { &PROJECTS } else { &[] };
        for (organization, id) in ORGANIZATIONS.into_iter().enumerate() {
            let client = |logs: Vec<String>| {
                let until = Timestamp(Clock::system().now().0 + 36_000_000_000_000);
                let mut claims = Claims::new(product, "reader", until);
                claims.org = Some(id.to_owned());
                claims.scope = Some("audit:read audit:record".to_owned());
                claims.role = Some(OneOrMany::One("admin".to_owned()));
                claims.logs = (!logs.is_empty()).then_some(logs);
                Client::new(keys.sign(name, &claims).expect("a token"))
            };
            let places: Vec<Option<usize>> = [None].into_iter().chain((0..projects.len()).map(Some)).collect();
            let all = client(Vec::new());
            for place in &places {
                let action = product.catalog.actions.first().map_or("a.b".to_owned(), |action| action.name.clone());
                let mut event = json!({ "action": action, "actor": { "kind": "USER", "id": "u", "name": "Same" },
                    "idempotencyKey": format!("key {place:?}"), "metadata": { "mark": mark(at, organization, *place) } });
                if let Some(project) = place {
                    event["log"] = json!({ "level": "project", "id": projects[*project] });
                }
                let done =
                    all.record(&service.base, &vec![event; 1]).await.expect("an answer").expect("they are recorded");
                assert_eq!(done[0]["status"], "RECORDED", "{done:?}");
            }
            let marks = |places: &[Option<usize>]| places.iter().map(|place| mark(at, organization, *place)).collect();
            readers.push(Reader { client: all, own: marks(&places), ids: Vec::new(), cursors: Vec::new() });
            for (project, id) in projects.iter().enumerate() {
                let narrowed = client(vec![format!("project:{id}")]);
                readers.push(Reader {
                    client: narrowed,
                    own: marks(&[Some(project)]),
                    ids: Vec::new(),
                    cursors: Vec::new(),
                });
            }
        }
    }
    for reader in &mut readers {
        let list = "{ auditEvents(first: 1) { nodes { id log { id } } edges { cursor } pageInfo { endCursor } } }";
        let answer = reader.client.ask(&service.base, list, json!({})).await.expect("an answer");
        let page = &answer["data"]["auditEvents"];
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("a text: {answer}")).to_owned();
        reader.ids = vec![text(&page["nodes"][0]["id"]), text(&page["nodes"][0]["log"]["id"])];
        reader.cursors = vec![text(&page["edges"][0]["cursor"])];
    }
    readers
}

/// A question with things of whoever it may be.
fn question(random: &mut StdRng, readers: &[Reader]) -> (String, Value) {
    let other = readers.choose(random).expect("somebody");
    let id = other.ids.choose(random).expect("an id").clone();
    let cursor = other.cursors.choose(random).expect("a cursor").clone();
    let word = other.own.choose(random).expect("a mark").clone();
    let organization = random.random_bool(0.3).then(|| *ORGANIZATIONS.choose(random).expect("one"));
    let log = random.random_bool(0.3).then(|| json!({ "level": "project", "id": PROJECTS.choose(random) }));
    let fields = "nodes { id metadata log { externalId } } totalCount facets { actors { buckets { count } } }";
    let (text, variables) = match random.random_range(0..7) {
        0 => ("query($id: ID!) { auditEvent(id: $id) { id metadata } }".to_owned(), json!({ "id": id })),
        1 => (
            "query($id: ID!) { node(id: $id) { id ... on AuditEvent { metadata } ... on AuditLog { externalId } } }".to_owned(),
            json!({ "id": id }),
        ),
        2 => (
            format!("query($after: String, $o: ID, $l: AuditLogInput) {{ auditEvents(first: 20, after: $after, organization: $o, log: $l) {{ {fields} }} }}"),
            json!({ "after": cursor, "o": organization, "l": log }),
        ),
        3 => (
            format!("query($search: String, $o: ID, $l: AuditLogInput) {{ auditEvents(first: 20, search: $search, organization: $o, log: $l, includeNested: true) {{ {fields} }} }}"),
            json!({ "search": word, "o": organization, "l": log }),
        ),
        4 => (
            format!("query($search: String, $o: ID) {{ auditEvents(last: 20, search: $search, organization: $o, orderBy: {{ field: SEQUENCE, direction: ASC }}) {{ {fields} }} }}"),
            json!({ "search": "markq*", "o": organization }),
        ),
        5 => (
            "query($o: ID) { actors(organization: $o, first: 100) { id label } queryCompletions(organization: $o, text: \"actor:\") { text } }".to_owned(),
            json!({ "o": organization }),
        ),
        _ => (
            format!("query($q: String, $o: ID) {{ auditEvents(first: 20, query: $q, organization: $o) {{ {fields} }} }}"),
            json!({ "q": format!("-nothing {word}"), "o": organization }),
        ),
    };
    (text, variables)
}

/// The marks in an answer.
fn marks(answer: &str) -> Vec<&str> {
    let found = answer.match_indices("markq").filter_map(|(at, _)| {
        // A mark ends at its fourth q.
        let end = answer[at + 5..].match_indices('q').nth(2)?.0;
        Some(&answer[at..at + 5 + end + 1])
    });
    found.collect()
}

async fn nobody_reads_anything_of_others(database: Database, reads: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = match database {
        Database::Sqlite => format!("sqlite://{}", folder.path().join("ledgerline.db").display()),
        Database::Postgres => postgres::fresh_database().await,
    };
    let keys = DevelopmentKeys::open_or_create(&folder.path().join("keys"), &catalogs::products()).expect("keys");
    let service = Service::run_with_log(ledgerline(&url, folder.path()), "off,ledgerline=info").await;
    let readers = Arc::new(readers(&keys, &service).await);
    let (started, mut tasks) = (Instant::now(), tokio::task::JoinSet::new());
    for client in 0..CLIENTS {
        let (readers, base) = (readers.clone(), service.base.clone());
        tasks.spawn(async move {
            let (mut random, mut seen) = (StdRng::seed_from_u64(client), 0_u64);
            for _ in 0..reads.div_ceil(CLIENTS) {
                let reader = readers.choose(&mut random).expect("somebody");
                let (query, variables) = question(&mut random, &readers);
                let answer = reader.client.ask(&base, &query, variables.clone()).await.expect("an answer");
                let text = answer["data"].to_string();
                for mark in marks(&text) {
                    assert!(reader.own.iter().any(|own| own == mark), "{query} {variables}: {answer}");
                    seen += 1;
                }
                let own = answer["data"]["auditEvents"]["totalCount"].as_u64().unwrap_or_default();
                assert!(own <= reader.own.len() as u64, "{query} {variables}: {answer}");
                assert!(!answer.to_string().contains("INTERNAL"), "{query} {variables}: {answer}");
            }
            seen
        });
    }
    let seen: u64 = tasks.join_all().await.into_iter().sum();
    row(
        &format!("{reads} reads by {} readers", readers.len()),
        database,
        &format!("{seen} of their own events seen, none of others"),
        started.elapsed(),
    );
    assert!(seen > reads / 20, "{seen} of {reads}");
    assert!(service.log().iter().all(|line| !line.contains("ERROR")), "{:?}", service.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_shows_anything_of_others() {
    let reads = std::env::var("LEDGERLINE_TORTURE_READS").ok();
    let reads = reads.map_or(400, |reads| reads.parse().expect("LEDGERLINE_TORTURE_READS is a number"));
    for database in [Database::Sqlite, Database::Postgres] {
        nobody_reads_anything_of_others(database, reads).await;
    }
}
