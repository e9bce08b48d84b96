//! On PostgreSQL what is due is added up before the lock and leaves thousands at a time, and a month that is empty then is
//! taken away: with every step of it, others record and read on, and what changed meanwhile is seen.

use std::time::{Duration, Instant};

use ledgerline::{error::Result, retention::Tally};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::task::JoinHandle;

use super::{LIFT, Moved, PLACE, listed, of};
use crate::harness::{
    Caller, Database, TestApp, event, eventually, on_both_databases,
    postgres::{Impatient, replica_of},
    sql::column,
};

on_both_databases! {
    a_hold_between_the_preview_and_the_sweep_keeps_what_it_is_about,
    a_late_event_stays_where_all_around_it_leaves,
    one_organization_is_held_and_another_leaves,
    who_acted_last_is_known_after_thousands_have_left,
}

/// Events of a day of the past, so many that several steps take them: of three actors, with keys.
async fn many(caller: &Caller<'_>, n: usize) {
    let one = |i: usize| {
        let mut input = event(["user.login", "user.logout", "thing.made"][i % 3]);
        input["actor"] = json!({ "kind": "USER", "id": format!("u{}", i % 3), "name": format!("Ü {}", i % 3) });
        input["outcome"] = json!(["SUCCESS", "FAILURE"][i % 2]);
        input["metadata"] = json!({ "word": "needle" });
        input["idempotencyKey"] = json!(format!("key-{i}"));
        input
    };
    let events: Vec<_> = (0..n).map(one).collect();
    for some in events.chunks(200) {
        assert_eq!(caller.record_all(some.to_vec()).await["recorded"], some.len());
    }
}

async fn total(caller: &Caller<'_>, arguments: &str) -> Value {
    let asked = format!("{{ auditEvents({arguments}) {{ totalCount }} }}");
    caller.data(&asked, json!({})).await["auditEvents"]["totalCount"].clone()
}

async fn connection(app: &TestApp) -> PgConnection {
    PgConnection::connect(&app.url).await.expect("PostgreSQL answers")
}

async fn run(connection: &mut PgConnection, sql: &str) {
    connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Where a statement of another connection waits for a lock.
async fn somebody_waits(app: &TestApp) {
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually(async || column::<i64>(&app.url, waits).await[0] > 0).await;
}

/// A sweep that has begun, and waits behind a transaction for the rows of a table.
async fn sweep_behind(moved: &Moved, table: &str) -> (PgConnection, JoinHandle<Result<Tally>>) {
    moved.sweeper().trust_clock().await.expect("trusted");
    let mut blocker = connection(&moved.app).await;
    run(&mut blocker, &format!("BEGIN; SELECT 1 FROM {table} FOR UPDATE")).await;
    let sweeper = moved.sweeper();
    let sweeping = tokio::spawn(async move { sweeper.sweep().await });
    somebody_waits(&moved.app).await;
    (blocker, sweeping)
}

/// The partitions that have events, by name.
async fn filled(app: &TestApp) -> Vec<String> {
    column(&app.url, "SELECT DISTINCT CAST(tableoid::regclass AS TEXT) FROM event ORDER BY 1").await
}

/// Whether a partition is there: as a table, and in the list.
async fn is_there(app: &TestApp, partition: &str) -> bool {
    let sql = format!(
        "SELECT (SELECT count(*) FROM event_partition WHERE name = '{partition}') + count(to_regclass('{partition}'))"
    );
    match column::<i64>(&app.url, &sql).await[0] {
        0 => false,
        2 => true,
        _ => panic!("{partition} is half there"),
    }
}

async fn a_hold_between_the_preview_and_the_sweep_keeps_what_it_is_about(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    many(&admin, 900).await;
    moved.day(31);
    assert_eq!(moved.sweeper().preview().await.expect("a preview").removed, 900);
    let hold = json!({ "input": { "label": "her", "filter": { "actor": { "ids": ["u1"] } } } });
    let hold = admin.data(PLACE, hold).await["placeAuditHold"]["hold"]["id"].clone();
    let tally = moved.sweep().await;
    assert_eq!((tally.removed, tally.held), (600, 300));
    assert_eq!(total(&admin, "search: \"needle\"").await, 300);
    let preview = moved.sweeper().preview().await.expect("a preview");
    assert_eq!((preview.removed, preview.held), (0, 300));
    admin.data(LIFT, json!({ "input": { "id": hold } })).await;
    assert_eq!(moved.sweeper().preview().await.expect("a preview").removed, 300);
    assert_eq!(moved.sweep().await.removed, 300);
    assert_eq!(total(&admin, "search: \"needle\"").await, 0);
    moved.app.finish().await;
}

async fn a_late_event_stays_where_all_around_it_leaves(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    many(&admin, 700).await;
    let then = moved.clock.now().to_string();
    let first = admin.data("{ auditEvents(first: 1) { nodes { id } pageInfo { endCursor } } }", json!({})).await;
    let (id, cursor) = (&first["auditEvents"]["nodes"][0]["id"], &first["auditEvents"]["pageInfo"]["endCursor"]);
    moved.day(20);
    let mut late = of("came.late", None);
    late["occurredAt"] = json!(then);
    assert_eq!(admin.record(late).await["status"], "RECORDED");
    moved.day(40);
    assert_eq!(moved.sweep().await.removed, 700);
    assert_eq!(listed(&admin).await, ["came.late"]);
    // A reader who was in the middle of them goes on; what has left is told from what never was.
    let page =
        "query($after: String) { auditEvents(first: 5, after: $after) { nodes { action } pageInfo { hasNextPage } } }";
    let page = admin.data(page, json!({ "after": cursor })).await;
    assert_eq!(page["auditEvents"]["pageInfo"]["hasNextPage"], false);
    assert_eq!(
        admin.ask("query($id: ID!) { auditEvent(id: $id) { id } }", json!({ "id": id })).await.code(),
        "EXPIRED"
    );
    if app.database == Database::Postgres {
        assert_eq!(
            filled(app).await.len(),
            2,
            "the month of the late event, and that of the one which tells of the sweep"
        );
    }
    moved.day(51);
    assert_eq!(moved.sweep().await.removed, 1);
    assert_eq!(listed(&admin).await, Vec::<String>::new());
    moved.app.finish().await;
}

async fn one_organization_is_held_and_another_leaves(app: &TestApp) {
    let moved = Moved::beside(app).await;
    for organization in ["acme", "globex", "forever"] {
        many(&moved.admin(organization), 500).await;
    }
    let hold = json!({ "input": { "label": "all" } });
    let hold = moved.admin("globex").data(PLACE, hold).await["placeAuditHold"]["hold"]["id"].clone();
    moved.admin("forever").data(super::SET, json!({ "input": { "forever": true } })).await;
    moved.day(40);
    let before = filled_or_none(app).await;
    let tally = moved.sweep().await;
    // With the hold's own two events that told of it, and of the wish.
    assert_eq!((tally.removed, tally.held, tally.organizations), (500, 501, 1));
    for (organization, left) in [("acme", 0), ("globex", 500), ("forever", 500)] {
        assert_eq!(total(&moved.admin(organization), "search: \"needle\"").await, left, "{organization}");
    }
    for partition in &before {
        assert!(is_there(app, partition).await, "others have events in {partition}");
    }
    moved.admin("globex").data(LIFT, json!({ "input": { "id": hold } })).await;
    assert_eq!(moved.sweep().await.removed, 501);
    moved.app.finish().await;
}

async fn filled_or_none(app: &TestApp) -> Vec<String> {
    if app.database == Database::Postgres { filled(app).await } else { Vec::new() }
}

async fn who_acted_last_is_known_after_thousands_have_left(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    // What is kept for longer was before it: when the newer ones leave, it is the newest.
    admin.record(of("was.before", None)).await;
    let before: i64 = column(&app.url, "SELECT last_position FROM actor_directory").await[0];
    moved.day(1);
    for _ in 0..3 {
        admin.record_all((0..200).map(|_| of("in.project", Some("p1"))).collect()).await;
    }
    let read = "SELECT last_position FROM actor_directory ORDER BY n DESC";
    assert!(column::<i64>(&app.url, read).await[0] > before);
    moved.day(9);
    assert_eq!(moved.sweep().await.removed, 600);
    let found: Vec<i64> = column(
        &app.url,
        &format!("SELECT last_position FROM actor_directory WHERE n = 1 AND last_position = {before}"),
    )
    .await;
    assert_eq!(found.len(), 1);
    moved.app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_month_is_taken_away_and_made_again_for_what_comes_late_on_postgres() {
    let app = TestApp::start(Database::Postgres).await;
    let moved = Moved::beside(&app).await;
    let admin = moved.admin("acme");
    let then = moved.clock.now().to_string();
    many(&admin, 500).await;
    many(&moved.admin("globex"), 3).await;
    let months = filled(&app).await;
    assert_eq!(months.len(), 1);
    // Two other processes know this month, and have the plans for it.
    let other = app.beside_with_clock_and_products(moved.clock.clone(), moved.products.clone()).await;
    let neighbour = other.admin("workspace", "acme").lasting();
    let dated = format!(
        "search: \"needle\", filter: {{ occurredAt: {{ to: \"{}\" }} }}",
        ledgerline::event::Timestamp(moved.clock.now().0 + super::DAY)
    );
    for _ in 0..3 {
        assert_eq!(total(&neighbour, &dated).await, 500);
    }
    moved.day(40);
    assert_eq!(moved.sweep().await.removed, 503);
    assert!(!is_there(&app, &months[0]).await, "nothing is left in it");
    assert_eq!(total(&neighbour, &dated).await, 0);
    assert_eq!(neighbour.actions("first: 100").await, ["audit_log.events_removed"]);
    let mut late = of("came.late", None);
    (late["occurredAt"], late["metadata"]) = (json!(then), json!({ "word": "needle" }));
    late["idempotencyKey"] = json!("key-7");
    assert_eq!(neighbour.record(late).await["status"], "RECORDED", "its key is free again");
    assert!(is_there(&app, &months[0]).await);
    for caller in [&admin, &neighbour] {
        assert_eq!(total(caller, &dated).await, 1);
        assert_eq!(listed(caller).await, ["came.late"]);
    }
    // A new process, and a copy, have what is left.
    let again = app.beside_with_clock_and_products(moved.clock.clone(), moved.products.clone()).await;
    assert_eq!(listed(&again.admin("workspace", "acme").lasting()).await, ["came.late"]);
    again.finish().await;
    moved.day(71);
    moved.sweep().await;
    assert!(!is_there(&app, &months[0]).await, "and it goes once more");
    other.finish().await;
    moved.app.finish().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_that_is_killed_leaves_nothing_half_done_on_postgres() {
    let app = TestApp::start(Database::Postgres).await;
    let moved = Moved::beside(&app).await;
    let admin = moved.admin("acme");
    many(&admin, 500).await;
    moved.day(31);
    // It has deleted events, order, keys and counts when it comes to the actors.
    let (mut blocker, sweeping) = sweep_behind(&moved, "actor_directory").await;
    let killed = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() \
                  AND wait_event_type = 'Lock'";
    assert_eq!(column::<i64>(&app.url, killed).await, [1]);
    assert!(sweeping.await.expect("it ends").is_err(), "it says so");
    run(&mut blocker, "ROLLBACK").await;
    let counts = "SELECT CAST(sum(n) AS BIGINT) FROM event_count WHERE grain = 2";
    for (sql, n) in [
        ("SELECT count(*) FROM event", 500),
        ("SELECT count(*) FROM event_order", 500),
        ("SELECT count(*) FROM idempotency", 500),
        (counts, 500),
        ("SELECT CAST(sum(n) AS BIGINT) FROM actor_directory", 500),
        ("SELECT removed FROM organization_head", 0),
    ] {
        assert_eq!(column::<i64>(&app.url, sql).await, [n], "{sql}");
    }
    assert_eq!(moved.sweep().await.removed, 500);
    assert_eq!(listed(&admin).await, Vec::<String>::new());
    moved.app.finish().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_between_the_look_and_the_lock_keeps_everything_on_postgres() {
    let app = TestApp::start(Database::Postgres).await;
    let moved = Moved::beside(&app).await;
    let admin = moved.admin("acme");
    many(&admin, 500).await;
    moved.day(31);
    let (mut blocker, sweeping) = sweep_behind(&moved, "organization_head").await;
    let hold = "INSERT INTO hold (organization_no, id, label, question, created_ns, created_by) \
                SELECT organization_no, 'hold_1', 'all', '{\"v\": 1, \"filter\": {}}', 1, 'admin' FROM organization_head";
    run(&mut blocker, hold).await;
    run(&mut blocker, "COMMIT").await;
    let tally = sweeping.await.expect("it ends").expect("swept");
    assert_eq!((tally.removed, tally.held), (0, 500));
    assert_eq!(total(&admin, "search: \"needle\"").await, 500);
    moved.app.finish().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_in_use_is_left_for_the_next_sweep_and_nobody_waits_on_postgres() {
    let app = TestApp::start(Database::Postgres).await;
    let moved = Moved::beside(&app).await;
    let admin = moved.admin("acme");
    many(&admin, 500).await;
    let month = filled(&app).await.remove(0);
    moved.day(40);
    // A backup that has begun: it reads the month later.
    let mut backup = connection(&app).await;
    run(&mut backup, "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE event IN ACCESS SHARE MODE; SELECT 1 FROM log")
        .await;
    let began = Instant::now();
    assert_eq!(moved.sweep().await.removed, 500);
    assert!(is_there(&app, &month).await, "it is read");
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(&mut backup).await.expect("a number");
    assert_eq!(seen, 500, "the backup has what was there when it began");
    assert_eq!(admin.record(of("goes.on", None)).await["status"], "RECORDED");
    assert!(began.elapsed() < Duration::from_secs(20), "nobody waits for it");
    run(&mut backup, "COMMIT").await;
    moved.sweep().await;
    assert!(!is_there(&app, &month).await);
    // A transaction with an earlier snapshot cannot see what came since, and is refused.
    run(&mut backup, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM log").await;
    let refused =
        backup.execute("SELECT drop_empty_event_partition('event_202001')").await.expect_err("an old snapshot");
    assert!(refused.to_string().contains("read committed"), "{refused}");
    moved.app.finish().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_planned_on_a_month_reads_and_records_when_it_goes_meanwhile_on_postgres() {
    let app = TestApp::start(Database::Postgres).await;
    let moved = Moved::beside(&app).await;
    let admin = moved.admin("acme");
    let then = moved.clock.now().to_string();
    let dated = format!(
        "search: \"needle\", filter: {{ occurredAt: {{ to: \"{}\" }} }}",
        ledgerline::event::Timestamp(moved.clock.now().0 + super::DAY)
    );
    let before = filled(&app).await;
    many(&admin, 300).await;
    let month = filled(&app).await.into_iter().find(|month| !before.contains(month)).expect("a month");
    moved.day(40);
    // Its events leave, and something keeps the month.
    let mut other = connection(&app).await;
    run(&mut other, "BEGIN; LOCK TABLE event IN ACCESS SHARE MODE").await;
    moved.sweep().await;
    run(&mut other, "COMMIT").await;
    assert!(is_there(&app, &month).await);
    // A reader has a list with it, and waits with the first of its statements.
    run(&mut other, &format!("BEGIN; LOCK TABLE event, {month} IN ACCESS EXCLUSIVE MODE")).await;
    let reading = async {
        somebody_waits(&app).await;
        run(&mut other, &format!("SELECT drop_empty_event_partition('{month}')")).await;
        run(&mut other, "COMMIT").await;
    };
    assert_eq!(tokio::join!(total(&admin, &dated), reading).0, 0);
    assert!(!is_there(&app, &month).await);
    // A recorder has looked which months there are, and waits for the head.
    let late = |action: &str| {
        let mut late = of(action, None);
        late["occurredAt"] = json!(then);
        late
    };
    assert_eq!(admin.record(late("came.first")).await["status"], "RECORDED");
    assert!(is_there(&app, &month).await);
    run(&mut other, "BEGIN; SET LOCAL ledgerline.removal = '1:0:100000'").await;
    run(&mut other, &format!("DELETE FROM {month}; SELECT 1 FROM organization_head FOR UPDATE")).await;
    let going = async {
        somebody_waits(&app).await;
        run(&mut other, &format!("SELECT drop_empty_event_partition('{month}')")).await;
        run(&mut other, "COMMIT").await;
    };
    let late = late("came.second");
    assert_eq!(tokio::join!(admin.record(late), going).0["status"], "RECORDED");
    assert!(is_there(&app, &month).await, "it was made again");
    assert_eq!(listed(&admin).await, ["came.second"]);
    moved.app.finish().await;
    app.finish().await;
}

/// A replica has to take a month away when the primary has, and cancels whoever reads it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_a_month_from_a_replica_when_it_goes_is_answered_on_postgres() {
    let app = TestApp::start(Database::Postgres).await;
    let moved = Moved::beside(&app).await;
    let admin = moved.admin("acme");
    many(&admin, 300).await;
    let month = filled(&app).await.remove(0);
    let from = ledgerline::event::Timestamp(moved.clock.now().0 - super::DAY);
    moved.day(40);
    let mut stays = of("stays", None);
    stays["metadata"] = json!({ "word": "needle" });
    assert_eq!(admin.record(stays).await["status"], "RECORDED");
    let mut other = connection(&app).await;
    run(&mut other, "BEGIN; LOCK TABLE event IN ACCESS SHARE MODE").await;
    assert_eq!(moved.sweep().await.removed, 300);
    run(&mut other, "COMMIT").await;
    assert!(is_there(&app, &month).await);
    let next = filled(&app).await.remove(0);
    assert_ne!(next, month);
    let reading = app.beside_with_replica().await;
    let url = replica_of(&app.url).await;
    let impatient = Impatient::from(&url).await;
    eventually(async || column::<i64>(&url, "SELECT removed FROM organization_head").await == [300]).await;
    // A reader has the month, and waits for the next one.
    run(&mut other, &format!("BEGIN; LOCK TABLE {next} IN ACCESS EXCLUSIVE MODE")).await;
    impatient.heard_of_lock(&app.url, &next).await;
    let reader = reading.admin("workspace", "acme").lasting();
    let to = ledgerline::event::Timestamp(moved.clock.now().0 + super::DAY);
    let dated = format!("search: \"needle\", filter: {{ occurredAt: {{ from: \"{from}\", to: \"{to}\" }} }}");
    let going = async {
        let waits = format!(
            "SELECT count(*) FROM pg_locks h JOIN pg_locks w ON w.pid = h.pid AND NOT w.granted \
             WHERE h.relation = to_regclass('{month}') AND h.granted"
        );
        eventually(async || column::<i64>(&url, &waits).await == [1]).await;
        let mut third = connection(&app).await;
        run(&mut third, &format!("SELECT drop_empty_event_partition('{month}')")).await;
        somebody_waits(&app).await;
        run(&mut other, "COMMIT").await;
    };
    assert_eq!(tokio::join!(total(&reader, &dated), going).0, 1, "the primary answers");
    assert!(!is_there(&app, &month).await);
    impatient.end().await;
    reading.finish().await;
    moved.app.finish().await;
    app.finish().await;
}
