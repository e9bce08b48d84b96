//! Search terms made anew while the service is in use: searches are right before, meanwhile and afterwards.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::{
    harness::{Database, TestApp, as_of_a_cluster, event, on_both_databases},
    process::ledgerline,
};

on_both_databases! {
    words_that_an_older_version_did_not_know_are_found_before_and_after,
    words_of_the_version_before_are_gone_afterwards,
    an_interrupted_run_goes_on_where_it_was,
    killed_runs_are_ended_by_the_next,
    others_record_and_search_while_terms_are_made,
    the_door_for_terms_lets_nothing_else_through,
}

as_of_a_cluster! {
    words_that_an_older_version_did_not_know_are_found_before_and_after,
}

fn saying(word: &str) -> Value {
    let mut input = event("user.login");
    input["metadata"] = json!({ "said": format!("{word} in the barn") });
    input
}

/// The events that a search finds: how many by the list, and how many by the total.
async fn found(app: &TestApp, organization: &str, search: &str) -> (usize, u64) {
    let query = "query($search: String) { auditEvents(first: 100, search: $search) { totalCount nodes { id } } }";
    let list = app.admin("workspace", organization).data(query, json!({ "search": search })).await;
    let list = &list["auditEvents"];
    (list["nodes"].as_array().expect("nodes").len(), list["totalCount"].as_u64().expect("a number"))
}

async fn run(app: &TestApp, sql: &str) -> Result<(), String> {
    let sql = AssertSqlSafe(sql.to_owned());
    let done = match app.database {
        Database::Sqlite => {
            SqliteConnection::connect(&app.url).await.expect("SQLite opens").execute(sql).await.map(drop)
        }
        Database::Postgres => {
            let mut connection = PgConnection::connect(&app.url).await.expect("PostgreSQL answers");
            connection.execute(sqlx::raw_sql(sql)).await.map(drop)
        }
    };
    done.map_err(|error| error.to_string())
}

/// Takes a word of the first organization's events out of the index, as a version that did not know it would have.
async fn take_out(app: &TestApp, word: &str) {
    let taken = match app.database {
        Database::Sqlite => format!(
            "INSERT INTO event_search (event_search, rowid, terms) SELECT 'delete', ~position, '11{word}' FROM event \
             WHERE organization_no = 1 AND metadata LIKE '%{word}%'"
        ),
        Database::Postgres => format!(
            "BEGIN; SET LOCAL ledgerline.reindex = 'on'; UPDATE event SET terms = ts_delete(terms, '11{word}') WHERE \
             organization_no = 1 AND metadata LIKE '%{word}%'; COMMIT"
        ),
    };
    run(app, &taken).await.expect("the word is taken out");
}

/// What `ledgerline reindex` says.
async fn reindex(app: &TestApp, arguments: &[&str]) -> String {
    let mut command = ledgerline(&app.url, &app.folder());
    command.arg("reindex").args(arguments).stdin(Stdio::null());
    let output =
        tokio::task::spawn_blocking(move || command.output().expect("the program runs")).await.expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn words_that_an_older_version_did_not_know_are_found_before_and_after(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record_all(["hay", "needle", "hay", "straw"].map(saying).to_vec()).await;
    app.admin("workspace", "globex").record(saying("needle")).await;
    let none = "all terms are of this version: nothing was done\n";
    assert_eq!(reindex(app, &[]).await, none);
    take_out(app, "needle").await;
    assert_eq!(found(app, "acme", "needle").await, (0, 0), "the index is what is asked");
    // What the migration of a new version does.
    run(app, "INSERT INTO stale_terms SELECT organization_no, 0 FROM organization_head WHERE organization_no = 1")
        .await
        .expect("it is listed");
    let service = app.beside().await;
    for search in ["needle", "need*", "\"needle in the barn\"", "needle barn"] {
        assert_eq!(found(&service, "acme", search).await, (1, 1), "{search}");
        assert_eq!(found(&service, "globex", search).await, (1, 1), "{search}");
    }
    assert_eq!(found(&service, "acme", "needle straw").await, (0, 0));
    assert_eq!(found(&service, "acme", "signed").await, (4, 4), "by the label of the action");
    service.admin("workspace", "acme").record(saying("needle")).await;
    assert_eq!(found(&service, "acme", "needle").await, (2, 2));
    assert_eq!(reindex(app, &[]).await, "reindexed 5 events of 1 organizations\n");
    for each in [app, &service] {
        assert_eq!(found(each, "acme", "needle").await, (2, 2));
        assert_eq!(found(each, "acme", "hay").await, (2, 2));
        assert_eq!(found(each, "acme", "needle hay").await, (0, 0));
    }
    assert_eq!(reindex(app, &[]).await, none);
    // The index answers again, and nothing else.
    take_out(app, "straw").await;
    assert_eq!(found(&service, "acme", "straw").await, (0, 0));
    assert_eq!(reindex(app, &["--all"]).await, "reindexed 6 events of 2 organizations\n");
    assert_eq!(found(&service, "acme", "straw").await, (1, 1));
    service.finish().await;
}

async fn words_of_the_version_before_are_gone_afterwards(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record_all(["दिल्ली", "दिल", "Zoë"].map(saying).to_vec()).await;
    // Version 1 took marks to part words, and accents to tell them apart.
    for (text, word) in [("दिल्ली", "ल"), ("Zoë", "zoë")] {
        let put = match app.database {
            Database::Sqlite => format!(
                "INSERT INTO event_search (rowid, terms) SELECT ~position, '11{word}' FROM event WHERE metadata LIKE '%{text}%'"
            ),
            Database::Postgres => format!(
                "BEGIN; SET LOCAL ledgerline.reindex = 'on'; UPDATE event SET terms = terms || CAST('11{word}' AS \
                 tsvector), terms_version = 1 WHERE metadata LIKE '%{text}%'; COMMIT"
            ),
        };
        run(app, &put).await.expect("the word of version 1 is put in");
    }
    run(app, "INSERT INTO stale_terms VALUES (1, 0)").await.expect("it is listed");
    let service = app.beside().await;
    let check = async |service: &TestApp| {
        for (search, count) in [("ल", 0), ("दिल", 1), ("दिल्ली", 1), ("zoe", 1), ("zoë", 1), ("barn", 3)]
        {
            assert_eq!(found(service, "acme", search).await, (count, count as u64), "{search}");
        }
    };
    check(&service).await;
    assert_eq!(reindex(app, &[]).await, "reindexed 3 events of 1 organizations\n");
    check(&service).await;
    check(app).await;
    if app.database == Database::Sqlite {
        let mut connection = SqliteConnection::connect(&app.url).await.expect("SQLite opens");
        let left = "SELECT count(*) FROM event_search_terms WHERE term = '11zoë'";
        let left: i64 = sqlx::query_scalar(left).fetch_one(&mut connection).await.expect("a count");
        assert_eq!(left, 0, "no index has the words of the version before");
    }
    service.finish().await;
}

async fn an_interrupted_run_goes_on_where_it_was(app: &TestApp) {
    let events: Vec<Value> = (0..1_200).map(|i| saying(if i % 400 == 0 { "needle" } else { "hay" })).collect();
    for some in events.chunks(400) {
        app.admin("workspace", "acme").record_all(some.to_vec()).await;
    }
    take_out(app, "needle").await;
    // As after two transactions; the first of the words was there.
    run(app, "INSERT INTO stale_terms VALUES (1, 500)").await.expect("it is listed");
    let service = app.beside().await;
    assert_eq!(found(&service, "acme", "needle").await, (3, 3));
    assert_eq!(reindex(app, &[]).await, "reindexed 700 events of 1 organizations\n");
    assert_eq!(found(&service, "acme", "needle").await, (1, 1), "what was done is not done again");
    assert_eq!(reindex(app, &["--all"]).await, "reindexed 1200 events of 1 organizations\n");
    assert_eq!(found(&service, "acme", "needle").await, (3, 3));
    service.finish().await;
}

/// How many events of the first organization are done; `None` once it is not listed.
async fn done(app: &TestApp) -> Option<i64> {
    let asked = "SELECT done FROM stale_terms WHERE organization_no = 1";
    let found = match app.database {
        Database::Sqlite => {
            let mut connection = SqliteConnection::connect(&app.url).await.expect("SQLite opens");
            sqlx::query_scalar(asked).fetch_optional(&mut connection).await
        }
        Database::Postgres => {
            let mut connection = PgConnection::connect(&app.url).await.expect("PostgreSQL answers");
            sqlx::query_scalar(asked).fetch_optional(&mut connection).await
        }
    };
    found.expect("the list is read")
}

/// Starts `ledgerline reindex` and kills it as soon as it says that something is done.
async fn kill_midway(app: &TestApp) {
    let mut command = ledgerline(&app.url, &app.folder());
    command.arg("reindex").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let killed = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("it runs");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let said = { lines }.find(|line| line.starts_with("reindexed "));
        child.kill().expect("it can be killed");
        (said, child.wait().expect("it ends"))
    });
    let (said, status) = killed.await.expect("no panic");
    assert!(said.is_some() && !status.success(), "{said:?}, {status}");
}

async fn killed_runs_are_ended_by_the_next(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for _ in 0..16 {
        admin.record_all((0..500).map(|i| saying(if i == 77 { "needle" } else { "hay" })).collect()).await;
    }
    take_out(app, "needle").await;
    run(app, "INSERT INTO stale_terms VALUES (1, 0)").await.expect("it is listed");
    let service = app.beside().await;
    let (mut before, mut needles) = (0, 16);
    for _ in 0..2 {
        kill_midway(app).await;
        let now = done(app).await.expect("it is killed before the end");
        assert!(now > before && now < 8_000, "done: {now} after {before}");
        before = now;
        // What is half done is right, and nobody waits for the dead.
        assert_eq!(found(&service, "acme", "needle").await, (needles, needles as u64));
        service.admin("workspace", "acme").record(saying("needle")).await;
        needles += 1;
        assert_eq!(found(&service, "acme", "needle barn").await, (needles, needles as u64));
    }
    let said = reindex(app, &[]).await;
    let left: i64 = said.split(' ').nth(1).and_then(|events| events.parse().ok()).expect("a number of events");
    assert!(left > 0 && left <= 8_002 - before, "{said}");
    assert_eq!(done(app).await, None);
    // Each word is in the index once more: it alone is asked now.
    for each in [app, &service] {
        assert_eq!(found(each, "acme", "needle").await, (needles, needles as u64));
        assert_eq!(found(each, "acme", "need* hay").await, (0, 0));
        assert_eq!(found(each, "acme", "hay").await, (100, 8_000 - 16));
    }
    assert_eq!(reindex(app, &[]).await, "all terms are of this version: nothing was done\n");
    service.finish().await;
}

async fn others_record_and_search_while_terms_are_made(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for _ in 0..4 {
        admin.record_all((0..500).map(|_| saying("hay")).collect()).await;
    }
    run(app, "INSERT INTO stale_terms VALUES (1, 0)").await.expect("it is listed");
    let mut command = ledgerline(&app.url, &app.folder());
    let mut child = command
        .arg("reindex")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut recorded = 2_000;
    loop {
        admin.record_all((0..10).map(|_| saying("hay")).collect()).await;
        recorded += 10;
        assert_eq!(found(app, "acme", "hay").await, (100, recorded));
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success());
            break;
        }
    }
    assert_eq!(found(app, "acme", "hay").await, (100, recorded));
    let service = app.beside().await;
    assert_eq!(found(&service, "acme", "barn hay").await, (100, recorded));
    service.finish().await;
    assert_eq!(reindex(app, &[]).await, "all terms are of this version: nothing was done\n");
}

async fn the_door_for_terms_lets_nothing_else_through(app: &TestApp) {
    let mut input = saying("hay");
    input["idempotencyKey"] = json!("k");
    app.admin("workspace", "acme").record(input).await;
    // SQLite keeps terms apart from events: there is no door.
    let refused = match app.database {
        Database::Sqlite => vec!["UPDATE event SET terms_version = 7", "UPDATE event SET action = 'other'"],
        Database::Postgres => vec![
            "UPDATE event SET terms = ''",
            "UPDATE event SET terms_version = 7",
            "SET ledgerline.reindex = 'on'; UPDATE event SET action = 'other'",
            "SET ledgerline.reindex = 'on'; UPDATE event SET terms = '', metadata = '{}'",
            "SET ledgerline.reindex = 'on'; UPDATE event SET occurred_ns = occurred_ns + 1, terms_version = 7",
            "SET ledgerline.reindex = 'on'; DELETE FROM event",
            "SET ledgerline.reindex = 'on'; TRUNCATE event",
            "SET ledgerline.reindex = 'on'; UPDATE event_order SET sequence = sequence + 7",
            "SET ledgerline.reindex = 'on'; UPDATE idempotency SET sequence = 7",
        ],
    };
    for sql in refused {
        let reason = run(app, sql).await.expect_err(sql);
        assert!(reason.contains("append-only"), "{sql}: {reason}");
    }
    assert_eq!(found(app, "acme", "hay").await, (1, 1));
}
