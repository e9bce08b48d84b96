//! `ledgerline copy`: the other database answers everything as the first one did, whatever happened on the way.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use ledgerline::{demo, store::copied_columns};
use serde_json::{Value, json};

use crate::{
    harness::{
        Caller, Database, TestApp, event, eventually,
        sql::{change, column},
    },
    odd,
    process::{self, ledgerline},
    products::{seed, sent},
};

fn command(from: &str, to: &str, folder: &Path) -> Command {
    let mut command = ledgerline("sqlite://not-used.db", folder);
    command.args(["copy", "--from", from, "--to", to]);
    command
}

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().expect("the program runs")).await.expect("it ends")
}

/// Copies, and gives the last line.
async fn copy(from: &TestApp, to: &TestApp) -> String {
    let output = run(command(&from.url, &to.url, &from.folder())).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Why it was not copied.
async fn refusal(from: &str, to: &str, folder: &Path) -> String {
    let output = run(command(from, to, folder)).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

async fn number(url: &str, sql: &str) -> i64 {
    column(url, sql).await[0]
}

const EVENT: &str = "id sequence action actionLabel category { code } actor { kind externalId name email label }
    onBehalfOf { kind externalId name email }
    resources { type externalId name } log { id level externalId name deletedAt } outcome occurredAt recordedAt
    ipAddress userAgent correlationId source
    sourceEventId recordedBy metadata metadataText truncated";
const FACETS: &str =
    "categories { buckets { value count } } actions { buckets { value count } } actors { buckets { value count } }
    outcomes { buckets { value count } } days { day count }";

/// All pages of a list.
pub async fn pages(admin: &Caller<'_>, arguments: &str) -> Vec<Value> {
    let query = format!(
        "query($after: String) {{ auditEvents(first: 40, after: $after, {arguments}) {{ totalCount
            facets {{ {FACETS} }} nodes {{ {EVENT} }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    let (mut pages, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = admin.data(&query, json!({ "after": after })).await["auditEvents"].clone();
        let more = page["pageInfo"]["hasNextPage"] == true;
        after = page["pageInfo"]["endCursor"].clone();
        pages.push(page);
        if !more {
            return pages;
        }
    }
}

/// Everything that is asked about an organization.
pub async fn answers(admin: &Caller<'_>) -> Vec<Value> {
    let mut answers = Vec::new();
    for arguments in [
        "includeNested: true",
        "includeNested: true, orderBy: { field: SEQUENCE, direction: ASC }",
        "includeNested: false, orderBy: { field: OCCURRED_AT, direction: ASC }",
        "includeNested: true, search: \"a*\"",
        "includeNested: true, search: \"example.com\"",
        "includeNested: true, filter: { actor: { kinds: [USER] } }",
        "includeNested: true, filter: { outcomes: [FAILURE] }",
        "includeNested: true, filter: { truncated: true }",
    ] {
        answers.extend(pages(admin, arguments).await);
    }
    let first: Vec<Value> = answers[0]["nodes"].as_array().expect("nodes").clone();
    for node in first.iter().take(10) {
        let query = "query($id: ID!) { auditEvent(id: $id) { id sequence } node(id: $id) { id } }";
        answers.push(admin.data(query, json!({ "id": node["id"] })).await);
    }
    let views = "{ auditSavedViews { id label query shared createdAt createdBy changedAt } }";
    answers.push(admin.data(views, json!({})).await);
    answers.push(
        admin
            .data(
                "{ actors(first: 100) { kind externalId name email } viewer { logs { id level externalId name } } }",
                json!({}),
            )
            .await,
    );
    answers
}

fn organizations() -> Vec<(&'static str, &'static str)> {
    let mut all = Vec::new();
    for product in ["caputchin", "cloud-sessions", "workspace", "scim-platform", "capydb"] {
        all.extend(demo::organizations(product).map(|organization| (product, organization.id)));
    }
    all.extend([
        ("workspace", "odd"),
        ("workspace", "same-time"),
        ("workspace", "same-time-too"),
        ("workspace", "cut"),
    ]);
    all
}

fn odd_events() -> Vec<Value> {
    odd::odd_events().iter().map(sent).collect()
}

/// Events of which something was cut or replaced.
fn cut_events() -> Vec<Value> {
    let mut long = event("was.cut");
    long["userAgent"] = "x".repeat(9_000).into();
    let mut half = event("was.cut");
    half["metadataText"] = r#"{"a":"\ud83d","b":"\u0000"}"#.into();
    vec![long, half, event("was.kept")]
}

/// Twelve events of one instant.
fn events_of_one_instant() -> Vec<Value> {
    (0..12)
        .map(|n| {
            let mut input = event(&format!("did.{n}"));
            input["occurredAt"] = "2019-05-06T07:08:09.123456789Z".into();
            input
        })
        .collect()
}

async fn fill(app: &TestApp) {
    for (product, organization) in organizations() {
        let admin = app.admin(product, organization);
        match organization {
            "odd" => {
                admin.record_all(odd_events()).await;
                for shared in [false, true] {
                    let save =
                        "mutation($input: CreateSavedViewInput!) { createSavedView(input: $input) { view { id } } }";
                    let view = json!({ "label": "Ünal 東京", "query": "q=after%3A7d&log=*", "shared": shared });
                    admin.data(save, json!({ "input": view })).await;
                }
            }
            "cut" => drop(admin.record_all(cut_events()).await),
            "same-time" | "same-time-too" => drop(admin.record_all(events_of_one_instant()).await),
            _ => drop(seed(&admin, product, organization).await),
        }
    }
}

async fn answer_the_same(one: &TestApp, other: &TestApp) {
    for (product, organization) in organizations() {
        let (here, there) = (one.admin(product, organization), other.admin(product, organization));
        let (here, there) = (answers(&here).await, answers(&there).await);
        assert!(here[0]["totalCount"].as_i64().expect("a number") > 0, "{product} {organization}");
        assert_eq!(here.len(), there.len());
        for (here, there) in here.iter().zip(&there) {
            assert_eq!(here, there, "{product} {organization}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_answers_as_its_source_and_goes_on_from_there() {
    let source = TestApp::start(Database::Sqlite).await;
    fill(&source).await;
    let postgres = TestApp::start(Database::Postgres).await;
    let said = copy(&source, &postgres).await;
    assert!(said.contains("of 14 organizations (0 of the events earlier)"), "{said}");
    // And back: what PostgreSQL was given is what a SQLite database is given by it.
    let sqlite = TestApp::start(Database::Sqlite).await;
    copy(&postgres, &sqlite).await;
    for target in [&postgres, &sqlite] {
        let copied = target.beside().await;
        answer_the_same(&source, &copied).await;
    }
    for target in [&postgres, &sqlite] {
        let copied = target.beside().await;
        // What was sent to the source is known, down to the ids.
        let (here, there) = (source.admin("workspace", "odd"), copied.admin("workspace", "odd"));
        let (mut known, mut repeated) = (here.record_all(odd_events()).await, there.record_all(odd_events()).await);
        assert_eq!(repeated["alreadyRecorded"], odd_events().len(), "{repeated:#}");
        assert_eq!(known["results"].take(), repeated["results"].take());
        let mut other = odd_events()[0].clone();
        other["action"] = "something.else".into();
        let conflict = there.record_all(vec![other]).await;
        assert_eq!(conflict["results"][0]["error"]["code"], "CONFLICT", "{conflict:#}");
        // The next event, log and organization have the next numbers.
        let total = pages(&there, "includeNested: true").await[0]["totalCount"].clone();
        let next = there.record(event("next")).await;
        assert_eq!(next["sequence"], total.to_string());
        let added = there.record_all(events_of_one_instant()).await;
        assert_eq!(added["recorded"], 12, "{added:#}");
        let mut nested = event("in.a.log");
        nested["log"] = json!({ "level": "project", "id": "new", "name": "New" });
        assert_eq!(there.record(nested).await["status"], "RECORDED");
        assert_eq!(copied.admin("cloud-sessions", "new").record(event("SESSION_STARTED")).await["sequence"], "0");
        assert_eq!(copied.admin("workspace", "same-time").record(event("next")).await["sequence"], "12");
        copied.finish().await;
    }
    for app in [source, postgres, sqlite] {
        app.finish().await;
    }
}

/// Lines to import: most of one organization, some of many small ones.
fn lines(range: std::ops::Range<usize>) -> String {
    let line = |n: usize| {
        let org = if n.is_multiple_of(50) { format!("small-{}", n % 700) } else { "large".to_owned() };
        let actor = json!({ "kind": "USER", "id": format!("u{}", n % 37) });
        json!({
            "importId": format!("line-{n}"), "org": org, "action": format!("did.{}", n % 10), "actor": actor,
            "occurredAt": format!("2025-{:02}-01T00:00:00.{n:09}Z", n % 12 + 1),
            "metadata": { "n": n, "word": "carried" }
        })
        .to_string()
            + "\n"
    };
    range.map(line).collect()
}

async fn import(app: &TestApp, range: std::ops::Range<usize>) {
    let path = app.folder().join("events.ndjson");
    fs::write(&path, lines(range)).expect("the file is written");
    let imported = process::import(&app.url, &app.folder(), &path, &[]).await;
    assert!(imported.status.success(), "{imported:?}");
}

/// Killed again and again while the source is recorded into, a copy comes to its end, and later brings the rest.
///
/// A copy commits 5,000 events at a time. At each start it has three times as many to bring, so that what is killed when its
/// first ones are seen still has far to go, on a fast machine too.
async fn goes_on_after_a_kill(source: TestApp, target: TestApp) {
    const MORE: usize = 15_000;
    import(&source, 0..MORE).await;
    let mut there_are = MORE as i64;
    let order = "SELECT count(*) FROM event_order";
    for kill in 0..2 {
        let before = number(&target.url, order).await;
        let mut child = command(&source.url, &target.url, &source.folder())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        eventually(async || number(&target.url, order).await > before).await;
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        let there = number(&target.url, order).await;
        assert!(there > before && there < there_are, "kill {kill}: {there} of {there_are}");
        // What is unfinished is neither served nor copied from.
        let served = run({
            let mut command = ledgerline(&target.url, &target.folder());
            command.args(["serve", "--dev"]).env("LEDGERLINE_LISTEN", "127.0.0.1:0");
            command
        });
        let served = String::from_utf8_lossy(&served.await.stderr).into_owned();
        assert!(served.contains("run the interrupted `ledgerline copy` again"), "{served}");
        let path = target.folder().join("events.ndjson");
        fs::write(&path, lines(0..1)).expect("the file is written");
        let imported = process::import(&target.url, &target.folder(), &path, &[]).await;
        assert!(imported.said.contains("run the interrupted `ledgerline copy` again"), "{imported:?}");
        let nowhere = format!("sqlite://{}", source.folder().join(format!("nowhere-{kill}.db")).display());
        let unfinished = refusal(&target.url, &nowhere, &source.folder()).await;
        assert!(unfinished.contains("a copy that has not come to its end"), "{unfinished}");
        import(&source, there_are as usize..there_are as usize + MORE).await;
        there_are += MORE as i64;
    }
    let before = number(&target.url, order).await;
    let live = source.admin("workspace", "large");
    let (said, ()) = tokio::join!(copy(&source, &target), async {
        for n in 0..40 {
            assert_eq!(live.record(event(&format!("live.{n}"))).await["status"], "RECORDED");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(said.contains(&format!("({before} of the events earlier)")), "{said}");
    let there = number(&target.url, order).await;
    assert!((there_are..=there_are + 40).contains(&there), "{there} of {there_are}");
    // The source went on: the rest is brought, counts and all.
    assert_eq!(source.admin("workspace", "late").record(event("late")).await["status"], "RECORDED");
    let said = copy(&source, &target).await;
    assert!(
        said.starts_with(&format!("copied {} events of 16 organizations", there_are + 41))
            && said.contains(&format!("({there} of")),
        "{said}"
    );
    let copied = target.beside().await;
    for organization in ["large", "small-0", "small-650", "late"] {
        let (here, there) = (source.admin("workspace", organization), copied.admin("workspace", organization));
        let query = format!(
            "{{ auditEvents(first: 100) {{ totalCount facets {{ {FACETS} }} nodes {{ {EVENT} }} }}
                found: auditEvents(first: 100, search: \"carried\", filter: {{ actions: [\"did.0\"] }}) {{ totalCount
                nodes {{ {EVENT} }} }} }}"
        );
        assert_eq!(here.data(&query, json!({})).await, there.data(&query, json!({})).await, "{organization}");
    }
    // Nothing is left to bring: all is compared once more.
    let said = copy(&source, &target).await;
    assert!(said.contains(&format!("({} of the events earlier)", there_are + 41)), "{said}");
    for app in [copied, source, target] {
        app.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_copy_to_postgres_goes_on_where_it_was() {
    Box::pin(goes_on_after_a_kill(TestApp::start(Database::Sqlite).await, TestApp::start(Database::Postgres).await))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_copy_to_sqlite_goes_on_where_it_was() {
    Box::pin(goes_on_after_a_kill(TestApp::start(Database::Postgres).await, TestApp::start(Database::Sqlite).await))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_with_anything_else_is_refused_and_left_alone() {
    for database in [Database::Postgres, Database::Sqlite] {
        let source = TestApp::start(Database::Sqlite).await;
        for organization in ["acme", "beta"] {
            source.admin("workspace", organization).record_all(vec![event("one"), event("two")]).await;
        }
        // Another organization; the same one with other events; one that went on by itself after a copy.
        let target = TestApp::start(database).await;
        target.admin("workspace", "other").record(event("theirs")).await;
        let said = refusal(&source.url, &target.url, &source.folder()).await;
        assert!(said.contains("workspace/other holds something else; nothing was changed"), "{said}");
        assert_eq!(number(&target.url, "SELECT count(*) FROM organization").await, 1);
        let same = TestApp::start(database).await;
        same.admin("workspace", "acme").record(event("one")).await;
        let said = refusal(&source.url, &same.url, &source.folder()).await;
        assert!(said.contains("workspace/acme holds something else"), "{said}");
        assert_eq!(number(&same.url, "SELECT count(*) FROM event").await, 1);
        let copied = TestApp::start(database).await;
        copy(&source, &copied).await;
        let beside = copied.beside().await;
        beside.admin("workspace", "beta").record(event("by itself")).await;
        source.admin("workspace", "beta").record(event("on the source")).await;
        let said = refusal(&source.url, &copied.url, &source.folder()).await;
        assert!(said.contains("workspace/beta holds something else"), "{said}");
        assert_eq!(beside.admin("workspace", "beta").actions("first: 1").await, ["by itself"]);
        for app in [beside, copied, same, target, source] {
            app.finish().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_differs_is_found() {
    let source = TestApp::start(Database::Sqlite).await;
    source.admin("workspace", "acme").record_all(vec![event("one"), event("two")]).await;
    let changes = [
        ("UPDATE event_count SET n = n + 1 WHERE grain = 1", "event_count"),
        ("UPDATE actor_directory SET name = NULL", "actor_directory"),
        ("UPDATE log SET name = 'another'", "log"),
        ("DELETE FROM kind WHERE no = 1", "kind"),
    ];
    for (sql, table) in changes {
        let target = TestApp::start(Database::Postgres).await;
        copy(&source, &target).await;
        change(&target.url, sql).await;
        let said = refusal(&source.url, &target.url, &source.folder()).await;
        assert!(said.contains("the copy differs from its source") && said.contains(&format!(" of {table}")), "{said}");
        target.finish().await;
    }
    source.finish().await;
}

#[tokio::test]
async fn a_source_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let said = refusal(&url("from.db"), &url("to.db"), folder.path()).await;
    assert!(said.contains("must name a database: No such file"), "{said}");
    let said = refusal(&url("to.db"), &url("to.db"), folder.path()).await;
    assert!(said.contains("another database than --from"), "{said}");
    assert!(!folder.path().join("from.db").exists() && !folder.path().join("to.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_of_both_databases_is_carried_or_built() {
    let carried: BTreeSet<String> = copied_columns()
        .flat_map(|(table, columns)| columns.into_iter().map(move |column| format!("{table}.{column}")))
        .collect();
    let with = |built: &[&str]| carried.iter().cloned().chain(built.iter().map(|&name| name.to_owned())).collect();
    let sqlite = TestApp::start(Database::Sqlite).await;
    let found: BTreeSet<String> = column(
        &sqlite.url,
        "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table' \
         AND m.name NOT LIKE 'event\\_search%' ESCAPE '\\' AND m.name NOT LIKE 'seaql%' AND m.name NOT LIKE 'sqlite%' \
         AND m.name NOT IN ('write_probe', 'schema_history', 'stale_terms', 'attempt', 'export', 'removal_grant', 'free_filler', 'sweep', 'sweep_clock')",
    )
    .await
    .into_iter()
    .collect();
    assert_eq!(
        found,
        with(&["event.key", "partner_token.last_used_ns"]),
        "event.key holds the organization and the sequence"
    );
    let postgres = TestApp::start(Database::Postgres).await;
    let found: BTreeSet<String> = column(
        &postgres.url,
        "SELECT relname || '.' || attname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace AND nspname = \
         'public' JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped WHERE relkind IN ('r', \
         'p') AND NOT relispartition AND relname NOT IN ('seaql_migrations', 'schema_history', 'stale_terms', 'event_partition', 'attempt', 'export', 'sweep', 'sweep_clock')",
    )
    .await
    .into_iter()
    .collect();
    assert_eq!(found, with(&["event.terms", "partner_token.last_used_ns"]), "terms are built");
    sqlite.finish().await;
    postgres.finish().await;
}
