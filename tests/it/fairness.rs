//! One organization that asks for much waits for itself: others read, `/readyz` answers, and what nobody waits for any
//! more is not worked on.

use std::time::Duration;

use axum::{body::Body, http::Request};
use futures_util::future::join_all;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection, Row, SqliteConnection};

use crate::harness::{Answer, Database, TestApp, event, eventually, on_both_databases};

on_both_databases! {
    what_costs_much_is_refused_by_its_cost,
    equal_questions_of_one_request_have_equal_answers,
    who_is_asking_is_looked_up_once_a_request,
    an_organization_that_asks_for_much_waits_for_itself,
    what_nobody_waits_for_is_interrupted,
    whoever_records_much_waits_for_itself,
    others_come_between_the_pieces_of_a_large_request_and_into_none_that_is_atomic,
}

/// All that can be counted of a list, but by organization.
const COUNTS: &str = "totalCount pageNumber pageCount facets { categories { buckets { value count } }
    actions { buckets { value } } actors { buckets { value } } outcomes { buckets { value } }
    logs { buckets { value } } ipAddresses { buckets { value } } sources { buckets { value } }
    resourceTypes { buckets { value } } days { day count } }";

/// A document with the same field under many names.
fn aliases(count: usize, field: impl Fn(usize) -> String) -> String {
    format!("{{ {} }}", (0..count).map(|n| format!("a{n}: {} ", field(n))).collect::<String>())
}

/// An organization that is large enough for what is asked of it to cost something.
async fn large(app: &TestApp) {
    let loud = app.admin("workspace", "loud");
    let mut one = event("user.login");
    one["metadata"] = json!({ "said": "common words" });
    for _ in 0..11 {
        assert_eq!(loud.record_all(vec![one.clone(); 1_000]).await["recorded"], 1_000);
    }
}

/// The value of a counter of this process.
async fn counted(app: &TestApp, name: &str) -> u64 {
    let metrics = app.send(Request::get("/metrics").body(Body::empty()).unwrap()).await;
    let text = String::from_utf8(metrics.body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |count| count.parse().unwrap())
}

async fn what_costs_much_is_refused_by_its_cost(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record(event("user.login")).await;
    let ask = async |query: String| admin.ask(&query, json!({})).await;
    let too_complex = |answer: &Answer| answer.json()["errors"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX";
    let list =
        |n: usize, search: &str, fields: &str| format!("auditEvents(first: {n}, search: {search:?}) {{ {fields} }}");
    // What a page of the viewer asks is far from the limit; thirty of it are not.
    let page = format!("nodes {{ id action occurredAt actor {{ label }} resource {{ name }} metadata }} {COUNTS}");
    assert!(!too_complex(&ask(aliases(1, |_| list(50, "user", &page))).await));
    assert!(too_complex(&ask(aliases(30, |n| list(n, "user", COUNTS))).await));
    assert!(too_complex(&ask(aliases(4, |n| list(n, "user", COUNTS))).await));
    // A total costs less than all facets, and that of a phrase or of the beginning of a word more.
    assert!(!too_complex(&ask(aliases(50, |n| list(n, "user", "totalCount"))).await));
    for search in ["\"user one\"", "user*"] {
        assert!(too_complex(&ask(aliases(50, |n| list(n, search, "totalCount"))).await), "{search}");
        assert!(!too_complex(&ask(aliases(15, |n| list(n, search, "totalCount"))).await), "{search}");
    }
    // The size of a page does not multiply what is counted once for the list.
    assert!(!too_complex(&ask(aliases(1, |_| list(100, "user", COUNTS))).await));
    // Fragments and variables count as what they stand for.
    let spread =
        aliases(4, |n| list(n, "user", "...C")) + &format!("fragment C on AuditEventConnection {{ {COUNTS} }}");
    assert!(too_complex(&ask(spread).await));
    let many = aliases(50, |n| format!("auditEvents(first: {n}, search: $s) {{ totalCount }}"));
    let answer = admin.ask(&format!("query($s: String) {many}"), json!({ "s": "user*" })).await;
    assert!(too_complex(&answer));
}

async fn equal_questions_of_one_request_have_equal_answers(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for action in ["user.login", "member.invited", "user.login"] {
        admin.record(event(action)).await;
    }
    let query = "query($filter: AuditEventFilter) {
        a: auditEvents(filter: $filter) { totalCount nodes { action } facets { actions { buckets { value count } } } }
        b: auditEvents(filter: $filter) { totalCount nodes { action } facets { actions { buckets { value count } } }
            again: facets { actions { buckets { value count } } outcomes { buckets { value } } } }
        c: auditEvents(filter: $filter, first: 1) { totalCount nodes { action } }
        d: auditEvents { totalCount }
        e: auditEvents(after: \"no cursor\") { totalCount } f: auditEvents(after: \"no cursor\") { totalCount } }";
    let asked = json!({ "filter": { "actions": ["user.login"] } });
    let answer = admin.ask(query, asked).await.json();
    let data = &answer["data"];
    assert_eq!(data["a"]["totalCount"], 2);
    for field in ["totalCount", "nodes", "facets"] {
        assert_eq!(data["a"][field], data["b"][field]);
    }
    assert_eq!(data["b"]["again"]["actions"], data["b"]["facets"]["actions"]);
    assert_eq!((&data["c"]["totalCount"], data["c"]["nodes"].as_array().unwrap().len()), (&json!(2), 1));
    assert_eq!(data["d"]["totalCount"], 3);
    // What is refused is refused wherever it was asked.
    let refused: Vec<_> = answer["errors"].as_array().unwrap().iter().map(|error| error["path"].clone()).collect();
    assert!(refused.contains(&json!(["e"])) && refused.contains(&json!(["f"])), "{answer:#}");
}

async fn who_is_asking_is_looked_up_once_a_request(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record(event("user.login")).await;
    // More than may wait for their turn at once, if each were looked up for itself.
    let viewer = "viewer { canReadAuditLog { allowed } logs { level } logChoices { level } }";
    let data = admin.data(&aliases(50, |_| viewer.to_owned()), json!({})).await;
    let answers = data.as_object().unwrap();
    assert_eq!(answers.len(), 50);
    for answer in answers.values() {
        assert_eq!(answer["canReadAuditLog"]["allowed"], true);
        assert_eq!((&answer["logs"][0]["level"], &answer["logChoices"]), (&json!("organisation"), &json!([])));
    }
    // Another organization is another question, of the same request too.
    let query = "{ a: viewer { canReadAuditLog { reason } logs { level } }
        b: viewer { canReadAuditLog(organization: \"globex\") { reason } logs(organization: \"globex\") { level } } }";
    let data = admin.data(query, json!({})).await;
    assert_eq!(data["a"]["logs"][0]["level"], "organisation");
    assert_eq!(data["b"], json!({ "canReadAuditLog": { "reason": "NOT_FOUND" }, "logs": [] }));
}

async fn an_organization_that_asks_for_much_waits_for_itself(app: &TestApp) {
    large(app).await;
    let quiet = app.admin("workspace", "quiet");
    quiet.record(event("user.login")).await;
    let refused = counted(app, "ledgerline_reading_overloaded_total").await;
    // Ten tokens, each with forty questions that need the index: four hundred statements at once.
    let tokens: Vec<_> =
        (0..10).map(|n| app.admin("workspace", "loud").subject(&format!("loud {n}")).token()).collect();
    let query = &aliases(40, |n| format!("auditEvents(first: {n}, search: \"common\") {{ totalCount }}"));
    let ask = async |token: &String| app.graphql(Some(token), query, json!({})).await.json();
    let loud = join_all(tokens.iter().map(ask));
    let beside = async {
        for _ in 0..20 {
            let page = quiet.data("{ auditEvents(first: 50) { nodes { action } totalCount } }", json!({})).await;
            assert_eq!(page["auditEvents"], json!({ "nodes": [{ "action": "user.login" }], "totalCount": 1 }));
            let ready = app.send(Request::get("/readyz").body(Body::empty()).unwrap()).await;
            assert_eq!(ready.status, 200, "{ready:?}");
        }
    };
    let (answers, ()) = tokio::join!(loud, beside);
    let mut overloaded = 0;
    for answer in &answers {
        for error in answer["errors"].as_array().into_iter().flatten() {
            assert_eq!(error["extensions"]["code"], "OVERLOADED", "{error}");
            assert!(error["extensions"]["retryAfterMs"].as_u64().unwrap() > 0);
            overloaded += 1;
        }
        let data = answer["data"].as_object().unwrap_or_else(|| panic!("{answer}"));
        assert!(data.values().all(|list| list.is_null() || list["totalCount"] == 11_000), "{answer}");
    }
    let answered = answers.iter().flat_map(|answer| answer["data"].as_object().unwrap().values());
    assert!(answered.filter(|list| !list.is_null()).count() > 0);
    assert!(overloaded > 0, "the queue of one organization has an end");
    assert!(counted(app, "ledgerline_reading_overloaded_total").await > refused);
    // It is over with the load.
    let one = app.admin("workspace", "loud");
    let total = one.data("{ auditEvents(search: \"common\") { totalCount } }", json!({})).await;
    assert_eq!(total["auditEvents"]["totalCount"], 11_000);
}

async fn what_nobody_waits_for_is_interrupted(app: &TestApp) {
    const INTERRUPTED: &str = "ledgerline_reads_interrupted_total";
    large(app).await;
    let token = app.admin("workspace", "loud").token();
    let query = "{ auditEvents(search: \"common\") { totalCount facets { actors { buckets { value } } } } }";
    let before = counted(app, INTERRUPTED).await;
    match app.database {
        Database::Sqlite => {
            // However far it came when its caller went: some are in the middle of a statement.
            let mut pause = Duration::from_micros(500);
            eventually(async || {
                let _ = tokio::time::timeout(pause, app.graphql(Some(&token), query, json!({}))).await;
                pause = if pause > Duration::from_millis(40) { Duration::from_micros(700) } else { pause * 5 / 4 };
                counted(app, INTERRUPTED).await > before
            })
            .await;
        }
        Database::Postgres => {
            // A statement that would run for ever: it waits for a lock that stays.
            let mut lock = PgConnection::connect(&app.url).await.unwrap();
            lock.execute("BEGIN; LOCK TABLE event IN ACCESS EXCLUSIVE MODE").await.unwrap();
            let mut other = PgConnection::connect(&app.url).await.unwrap();
            let mut waiting = async || {
                let asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                    AND application_name = 'ledgerline' AND wait_event_type = 'Lock'";
                other.fetch_one(asked).await.unwrap().get::<i64, _>(0)
            };
            let asked = app.graphql(Some(&token), query, json!({}));
            let mut asked = Box::pin(asked);
            let is_waiting = eventually(async || waiting().await > 0);
            tokio::select! {
                answer = &mut asked => panic!("it waits for the lock: {answer:?}"),
                () = is_waiting => {}
            }
            drop(asked);
            eventually(async || waiting().await == 0).await;
            assert!(counted(app, INTERRUPTED).await > before);
            lock.execute("ROLLBACK").await.unwrap();
        }
    }
    let answer = app.graphql(Some(&token), query, json!({})).await.data();
    assert_eq!(answer["auditEvents"]["totalCount"], 11_000);
}

/// Keeps the writer from committing until it is let go.
enum Held {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Held {
    async fn on(app: &TestApp) -> Self {
        match app.database {
            Database::Sqlite => {
                let mut other = SqliteConnection::connect(&app.url).await.unwrap();
                other.execute("BEGIN IMMEDIATE").await.unwrap();
                Self::Sqlite(other)
            }
            Database::Postgres => {
                let mut other = PgConnection::connect(&app.url).await.unwrap();
                other.execute("BEGIN; LOCK TABLE organization_head IN EXCLUSIVE MODE").await.unwrap();
                Self::Postgres(other)
            }
        }
    }

    async fn let_go(self) {
        match self {
            Self::Sqlite(mut other) => drop(other.execute("ROLLBACK").await.unwrap()),
            Self::Postgres(mut other) => drop(other.execute("ROLLBACK").await.unwrap()),
        }
    }
}

async fn whoever_records_much_waits_for_itself(app: &TestApp) {
    let (loud, quiet) = (app.admin("workspace", "loud"), app.admin("workspace", "quiet"));
    for caller in [&loud, &quiet] {
        caller.record(event("user.login")).await;
    }
    let held = Held::on(app).await;
    let batch = vec![event("user.login"); 1_000];
    let much = join_all((0..5).map(|_| loud.record_all(batch.clone())));
    let one = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { event { recordedAt } } }";
    let little = async {
        tokio::time::sleep(Duration::from_millis(2_000)).await;
        let asked = quiet.data(one, json!({ "input": event("user.login") }));
        let (answer, ()) = tokio::join!(asked, async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            held.let_go().await;
        });
        answer["recordAuditEvent"]["event"]["recordedAt"].clone()
    };
    let (recorded, at) = tokio::join!(much, little);
    assert!(recorded.iter().all(|answer| answer["recorded"] == 1_000), "{recorded:?}");
    // It came last, and was committed before the last of what was there.
    let newest =
        "{ auditEvents(first: 1, orderBy: { field: SEQUENCE, direction: DESC }) { nodes { recordedAt sequence } } }";
    let last = loud.data(newest, json!({})).await["auditEvents"]["nodes"][0].clone();
    assert_eq!(last["sequence"], "5000");
    assert!(at.as_str().unwrap() < last["recordedAt"].as_str().unwrap(), "{at} and {last}");
}

async fn others_come_between_the_pieces_of_a_large_request_and_into_none_that_is_atomic(app: &TestApp) {
    let (loud, quiet) = (app.admin("workspace", "loud"), app.admin("workspace", "quiet"));
    for caller in [&loud, &quiet] {
        caller.record(event("user.login")).await;
    }
    let many = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded
        results { index sequence status error { code } } } }";
    let one = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { event { recordedAt } } }";
    let newest = "{ auditEvents(first: 100, orderBy: { field: SEQUENCE, direction: DESC }) { nodes { recordedAt } } }";
    let mut large = event("user.login");
    large["metadata"] = json!({ "said": "x".repeat(20_000) });
    for atomic in [false, true] {
        let mut events = vec![large.clone(); 200];
        // What is sent twice is one event, whichever piece it comes in.
        for at in [3, 197] {
            events[at]["idempotencyKey"] = json!(format!("twice {atomic}"));
        }
        // What is refused keeps no other out, and all where it is atomic.
        if !atomic {
            events[100]["action"] = json!("");
        }
        let held = Held::on(app).await;
        let asked = loud.data(many, json!({ "input": { "events": events, "atomic": atomic } }));
        let little = async {
            tokio::time::sleep(Duration::from_millis(2_000)).await;
            let asked = quiet.data(one, json!({ "input": event("user.login") }));
            let (answer, ()) = tokio::join!(asked, async {
                tokio::time::sleep(Duration::from_millis(500)).await;
                held.let_go().await;
            });
            answer["recordAuditEvent"]["event"]["recordedAt"].as_str().expect("an instant").to_owned()
        };
        let (answer, at) = tokio::join!(asked, little);
        let answer = &answer["recordAuditEvents"];
        let results = answer["results"].as_array().expect("results");
        assert_eq!(results.len(), 200);
        assert_eq!(answer["recorded"], if atomic { 199 } else { 198 }, "{atomic}");
        assert_eq!(results[197]["status"], "ALREADY_RECORDED");
        assert_eq!(results[197]["sequence"], results[3]["sequence"]);
        assert_eq!(results[100]["status"].is_null(), !atomic);
        // In the order in which they were sent, without a gap.
        let sequences = results.iter().enumerate().filter(|(at, _)| *at != 197);
        let sequences: Vec<i64> = sequences.filter_map(|(_, one)| one["sequence"].as_str()?.parse().ok()).collect();
        assert!(sequences.windows(2).all(|two| two[1] == two[0] + 1), "{sequences:?}");
        let nodes = loud.data(newest, json!({})).await["auditEvents"]["nodes"].clone();
        let times: Vec<&str> =
            nodes.as_array().expect("nodes").iter().filter_map(|one| one["recordedAt"].as_str()).collect();
        assert_eq!(times.iter().all(|time| *time == times[0]), atomic, "{times:?}");
        if !atomic {
            assert!(*at < *times[0], "somebody else came between: {at} and {times:?}");
        }
    }
}
