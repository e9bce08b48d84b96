//! The plans of every kind of list on both databases, so that no full scan and no sort over a match creeps in.

use insta::assert_snapshot;
use ledgerline::{
    auth::{LogName, policy},
    clock::Clock,
    event::{ActorKind, Outcome, Position, Timestamp},
    question::{
        cursor::{Order, OrderField},
        filter::{Filter, Pattern},
        search::Search,
    },
    store::{PageRequest, Question},
};
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use crate::harness::{Database, TestApp};

fn search(text: &str) -> Search {
    Search::parse(text, |_, _| Default::default()).expect("a search")
}

fn at(text: &str) -> Option<Timestamp> {
    Some(Timestamp::parse(text).expect("an instant"))
}

fn position(text: &str) -> i64 {
    Position::block_of(at(text).expect("an instant")).0
}

/// What can be asked, by name.
fn filters() -> Vec<(&'static str, Filter)> {
    let some = |text: &str| Some(vec![text.to_owned()]);
    let of = |change: &dyn Fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        filter
    };
    vec![
        ("everything", Filter::default()),
        ("category", of(&|f| f.categories = some("member"))),
        ("action", of(&|f| f.actions = Some(vec![Pattern::Exact("action.1".into())]))),
        ("action prefix", of(&|f| f.actions = Some(vec![Pattern::Prefix("action.".into())]))),
        ("outcome", of(&|f| f.outcomes = Some(vec![Outcome::Failure]))),
        ("actor kind", of(&|f| f.actor_kinds = Some(vec![ActorKind::User]))),
        ("actor id", of(&|f| f.actor_ids = some("u3"))),
        ("actor name", of(&|f| f.actor_names = some("User 3"))),
        ("actor name part", of(&|f| f.actor_name_contains = Some("USER 3".into()))),
        ("actor e-mail", of(&|f| f.actor_emails = some("u3@example.com"))),
        ("actor e-mail part", of(&|f| f.actor_email_contains = Some("U3@".into()))),
        ("actor present", of(&|f| f.actor_present = Some(true))),
        ("resource type", of(&|f| f.resource_types = some("thing"))),
        ("resource id", of(&|f| f.resource_ids = some("t5"))),
        ("resource name", of(&|f| f.resource_names = some("Thing 5"))),
        ("resource type and name", of(&|f| (f.resource_types, f.resource_names) = (some("thing"), some("Thing 5")))),
        ("resource type and id", of(&|f| (f.resource_types, f.resource_ids) = (some("thing"), some("t5")))),
        ("ip address", of(&|f| f.ip_addresses = some("10.0.0.1"))),
        ("correlation id", of(&|f| f.correlation_ids = some("c5"))),
        ("source", of(&|f| f.sources = some("s"))),
        ("source event id", of(&|f| f.source_event_ids = some("e5"))),
        ("not category", of(&|f| f.not_categories = vec!["member".into()])),
        ("not action", of(&|f| f.not_actions = vec![Pattern::Exact("action.1".into())])),
        ("not actor kind", of(&|f| f.not_actor_kinds = vec![ActorKind::System])),
        ("not actor id", of(&|f| f.not_actor_ids = vec!["u3".into()])),
        ("dates", of(&|f| (f.from, f.to) = (at("2026-01-01T00:10:00Z"), at("2026-01-01T00:20:00Z")))),
        ("dates in nanoseconds", of(&|f| (f.from, f.to) = (at("2026-01-01T00:10:00.000000001Z"), None))),
        ("search", of(&|f| f.search = search("rare5"))),
        ("search two words", of(&|f| f.search = search("common rare5"))),
        ("search prefix", of(&|f| f.search = search("rar*"))),
        ("search phrase", of(&|f| f.search = search("\"common word\""))),
        (
            "action and actor",
            of(&|f| (f.actions, f.actor_ids) = (Some(vec![Pattern::Exact("action.1".into())]), some("u3"))),
        ),
        ("search and dates", of(&|f| (f.search, f.from) = (search("common"), at("2026-01-01T00:10:00Z")))),
    ]
}

async fn fill(app: &TestApp) {
    let first = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    for organization in ["acme", "other"] {
        let admin = app.admin("workspace", organization);
        for batch in 0..3 {
            let events = (batch * 500..batch * 500 + 500).map(|i| {
                let mut event = json!({
                    "action": format!("action.{}", i % 7), "category": (["member", "billing"][i % 2]),
                    "actor": {
                        "kind": (["USER", "SYSTEM"][i % 2]), "id": format!("u{}", i % 20),
                        "name": format!("User {}", i % 20), "email": format!("u{}@example.com", i % 20)
                    },
                    "resources": [
                        { "type": "thing", "id": format!("t{}", i % 100), "name": format!("Thing {}", i % 100) }
                    ],
                    "outcome": (["SUCCESS", "FAILURE"][i % 2]),
                    "occurredAt": Timestamp(first.0 + i as i64 * 1_000_000_007).to_string(),
                    "ipAddress": format!("10.0.0.{}", i % 50), "correlationId": format!("c{i}"), "source": "s",
                    "sourceEventId": format!("e{i}"), "metadata": { "text": format!("common word rare{i}") }
                });
                if i % 5 == 0 {
                    event["log"] = json!({ "level": "project", "id": format!("p{}", i % 3) });
                }
                event
            });
            assert_eq!(admin.record_all(events.collect()).await["recorded"], 500);
        }
    }
}

/// What a plan line says of how rows are reached; PostgreSQL's versions word the rest differently.
fn stable(database: Database, line: &str) -> Option<String> {
    match database {
        Database::Sqlite => Some(line.to_owned()),
        Database::Postgres => {
            let node = line.trim_start_matches([' ', '-', '>']);
            if !node.contains("Scan") || !node.contains(" on event") {
                return None;
            }
            // Which partitions there are depends on the date.
            let word = |word: &str| match word.strip_prefix("event_2") {
                Some(rest) => format!("event_PARTITION{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
                None => word.to_owned(),
            };
            // Aliases are numbered by partitions.
            let words: Vec<_> = node.split(' ').map(word).collect();
            let on = words.iter().position(|word| word == "on")?;
            Some(words[..=on + 1].join(" "))
        }
    }
}

/// All plans as one text: the questions that have a plan, then the plan.
async fn plans(app: &TestApp) -> String {
    let admin = app.admin("workspace", "acme");
    let principal = app.app.keys.verify(&admin.token(), Clock::system().now()).await.expect("a principal");
    let project = || Some(LogName { level: "project".to_owned(), id: "p0".to_owned() });
    let views = [("own log", None, Some(false)), ("nested", None, Some(true)), ("project", project(), None)];
    let store = &app.app.store;
    let mut plans = Vec::new();
    for (view, log, nested) in views {
        let scope = policy::may_read(&principal, Some("acme"), log, nested).expect("permission");
        for (name, filter) in filters() {
            // Filters are the same in every log: the other views show the lists and one of each kind.
            if view != "nested" && !["everything", "action", "dates", "search", "not actor id"].contains(&name) {
                continue;
            }
            let selection = store.select(Question { scope: &scope, filter: &filter }).await.expect("it can be asked");
            let selection = selection.expect("there are events");
            for (order, field) in [("time", OrderField::OccurredAt), ("sequence", OrderField::Sequence)] {
                for (direction, backward) in [("forward", false), ("backward", true)] {
                    let (after, before) = match (field, backward) {
                        (OrderField::OccurredAt, false) => (Some(position("2026-01-01T00:20:00Z")), None),
                        (OrderField::OccurredAt, true) => (None, Some(position("2026-01-01T00:10:00Z"))),
                        (OrderField::Sequence, false) => (Some(900), None),
                        (OrderField::Sequence, true) => (None, Some(100)),
                    };
                    let request =
                        PageRequest { order: Order { field, descending: true }, limit: 50, backward, after, before };
                    let lines = store.explain_page(&selection, request).await.expect("a plan");
                    let title = format!("{view}: {name}, by {order}, {direction}");
                    check(app.database, &title, field, &lines);
                    show(app.database, &mut plans, title, &lines);
                }
            }
            let lines = store.explain_count(&selection).await.expect("a plan");
            let title = format!("{view}: {name}, count");
            check(app.database, &title, OrderField::Sequence, &lines);
            show(app.database, &mut plans, title, &lines);
        }
    }
    let lines = store.explain_recording().await.expect("a plan");
    let plan = lines.join("\n");
    for table in ["event", "event_order", "idempotency", "h", "o", "e", "i"] {
        for scan in [format!("Seq Scan on {table}"), format!("SCAN {table}")] {
            assert!(
                !lines.iter().any(|line| line.trim_end().ends_with(&scan)),
                "recording reads a whole table\n{plan}"
            );
        }
    }
    show(app.database, &mut plans, "recording: heads, known keys and taken places".to_owned(), &lines);
    let lines = store.explain_reindexing(1).await.expect("a plan");
    check(app.database, "terms made anew", OrderField::Sequence, &lines);
    if app.database == Database::Postgres {
        let conditions: Vec<_> = lines.iter().filter(|line| line.contains("Index Cond")).collect();
        // By the list of positions, or row by row: which of the two depends on statistics that come any time.
        let by_position = |line: &&String| line.contains("organization_no") && line.contains("position");
        assert!(!conditions.is_empty() && conditions.iter().all(by_position), "an organization is read\n{lines:#?}");
    } else {
        show(app.database, &mut plans, "terms made anew".to_owned(), &lines);
    }
    let texts = plans.into_iter().map(|(plan, titles)| format!("{}\n{plan}", titles.join("\n")));
    texts.collect::<Vec<_>>().join("\n")
}

/// Adds a plan, or the title to the plan that is there already.
fn show(database: Database, plans: &mut Vec<(String, Vec<String>)>, title: String, lines: &[String]) {
    let mut lines: Vec<_> = lines.iter().filter_map(|line| stable(database, line)).collect();
    lines.dedup();
    let plan: String = lines.iter().map(|line| format!("    {line}\n")).collect();
    match plans.iter_mut().find(|(each, _)| *each == plan) {
        Some((_, titles)) => titles.push(title),
        None => plans.push((plan, vec![title])),
    }
}

/// What no plan may have.
fn check(database: Database, title: &str, order: OrderField, lines: &[String]) {
    let plan = lines.join("\n");
    match database {
        Database::Sqlite => {
            for line in lines {
                let scans = line.starts_with("SCAN e ")
                    || *line == "SCAN e"
                    || line.starts_with("SCAN event ")
                    || line.starts_with("SCAN o")
                    || line.starts_with("SCAN event_order");
                assert!(!scans, "{title}: a whole table is read\n{plan}");
            }
            if order == OrderField::OccurredAt {
                assert!(!plan.contains("USE TEMP B-TREE"), "{title}: a list by time is sorted\n{plan}");
            }
        }
        Database::Postgres => {
            assert!(!plan.contains("Seq Scan on event"), "{title}: a whole table is read\n{plan}");
            // The search index cannot give an order; the others do.
            if order == OrderField::OccurredAt && !plan.contains("_terms_idx") {
                assert!(!plan.contains("Sort"), "{title}: a list by time is sorted\n{plan}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_reads_by_index_alone() {
    let app = TestApp::start(Database::Sqlite).await;
    fill(&app).await;
    assert_snapshot!("plans_sqlite", Box::pin(plans(&app)).await);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_reads_by_index_alone() {
    let app = TestApp::start(Database::Postgres).await;
    fill(&app).await;
    let mut connection = PgConnection::connect(&app.url).await.unwrap();
    // A scan or a sort of a small table may be right; whether it is the only way, a planner that avoids it tells.
    let database: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut connection).await.unwrap();
    for setting in ["seqscan", "sort", "memoize", "hashjoin", "mergejoin"] {
        let alter = sqlx::AssertSqlSafe(format!("ALTER DATABASE {database} SET enable_{setting} = off"));
        connection.execute(alter).await.unwrap();
    }
    connection.execute("VACUUM ANALYZE").await.unwrap();
    connection.close().await.unwrap();
    let beside = app.beside().await;
    assert_snapshot!("plans_postgres", Box::pin(plans(&beside)).await);
    beside.finish().await;
    app.finish().await;
}

/// Plans for any values, as the service's sessions have them: one that is made for the values at hand says nothing of those.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_removes_and_erases_by_index_alone() {
    let app = TestApp::start(Database::Postgres).await;
    fill(&app).await;
    let mut connection = PgConnection::connect(&app.url).await.unwrap();
    for statement in ["VACUUM ANALYZE", "SET plan_cache_mode = force_generic_plan", "SET enable_seqscan = off"] {
        connection.execute(statement).await.unwrap();
    }
    let sql =
        "SELECT organization_no, sequence, position FROM event_order WHERE sequence % 3 = 0 ORDER BY 1, 2 LIMIT 400";
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap();
    let places: Vec<_> = rows.iter().map(|(_, sequence, position)| (*sequence, *position)).collect();
    let statements = app.app.store.removing(rows[0].0, &places);
    let tables = ["event", "event_order", "idempotency", "dead_letter", "event_count", "actor_directory", "event"];
    assert_eq!(statements.len(), tables.len());
    for (statement, table) in statements.into_iter().zip(tables) {
        let places = (1..).take_while(|n| statement.contains(&format!("${n}"))).count();
        connection.execute(sqlx::AssertSqlSafe(format!("PREPARE removing AS {statement}"))).await.unwrap();
        let values = if places == 0 { String::new() } else { format!("({})", vec!["NULL"; places].join(", ")) };
        let explain = format!("EXPLAIN (COSTS OFF) EXECUTE removing{values}");
        let lines: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(explain)).fetch_all(&mut connection).await.unwrap();
        connection.execute("DEALLOCATE removing").await.unwrap();
        let plan = lines.join("\n");
        assert!(!plan.contains("Seq Scan"), "{table}: a whole table is read\n{plan}");
        let filters = || lines.iter().filter(|line| line.contains("Filter:"));
        assert!(filters().all(|line| !line.contains("ANY")), "{table}: each row is compared with a list\n{plan}");
        let conditions: Vec<_> = lines.iter().filter(|line| line.contains("Index Cond")).collect();
        let by_key =
            |line: &&String| ["position", "sequence", "bucket", "hash"].iter().any(|column| line.contains(column));
        assert!(!conditions.is_empty() && conditions.iter().all(by_key), "{table}: an organization is read\n{plan}");
    }
    connection.close().await.unwrap();
    app.finish().await;
}
