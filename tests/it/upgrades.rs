//! Upgrades are a promise: a database of every released schema is brought to today's, and answers as it did. A schema
//! that a later version has made is refused by its name, before anything is changed.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use ledgerline::{catalog::Products, store::Store};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection, raw_sql};
use tempfile::TempDir;

use crate::{
    harness::{Caller, Database, TestApp, event, postgres},
    process::{import, ledgerline},
};

const BOTH: [Database; 2] = [Database::Sqlite, Database::Postgres];
/// The first released migration, which stands in every dump.
const INIT: &str = "m20261121_120000_init";

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas")
}

/// The released versions that have a schema of their own.
fn versions() -> Vec<String> {
    let entries = fs::read_dir(schemas()).expect("a folder").map(|entry| entry.expect("an entry"));
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut versions: Vec<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    versions.sort();
    assert!(versions.contains(&"0.1.0".to_owned()), "{versions:?}");
    versions
}

/// The events that every dump was filled with, as inputs of `recordAuditEvent`.
fn sent() -> Vec<Value> {
    let text = fs::read_to_string(schemas().join("events.ndjson")).expect("events");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// A new database with nothing in it, and the folder of its service.
async fn empty(database: Database) -> (String, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = match database {
        Database::Sqlite => format!("sqlite://{}", folder.path().join("ledgerline.db").display()),
        Database::Postgres => postgres::empty_database().await,
    };
    (url, folder)
}

async fn run(database: Database, url: &str, sql: String) {
    match database {
        Database::Sqlite => {
            let mut connection = SqliteConnection::connect(&format!("{url}?mode=rwc")).await.expect("SQLite opens");
            raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the statements run");
            connection.close().await.expect("it closes");
        }
        Database::Postgres => {
            let mut connection = PgConnection::connect(url).await.expect("PostgreSQL answers");
            connection.execute(raw_sql(AssertSqlSafe(sql))).await.expect("the statements run");
            connection.close().await.expect("it closes");
        }
    }
}

/// A database as a released version left it.
async fn released(database: Database, version: &str) -> (String, TempDir) {
    let (url, folder) = empty(database).await;
    let file = match database {
        Database::Sqlite => "sqlite.sql",
        Database::Postgres => "postgres.sql",
    };
    let dump = fs::read_to_string(schemas().join(version).join(file)).expect("a dump");
    run(database, &url, dump).await;
    (url, folder)
}

fn command(url: &str, folder: &Path, arguments: &[&str]) -> Output {
    let mut command: Command = ledgerline(url, folder);
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command.output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Everything that statements can tell of a database, and on SQLite the bytes of its files.
async fn state(database: Database, url: &str, folder: &Path) -> BTreeMap<String, String> {
    if database == Database::Sqlite {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        let files = entries.filter(|path| path.is_file());
        return files
            .map(|path| {
                (path.display().to_string(), format!("{:x?}", Sha256::digest(fs::read(&path).expect("a file"))))
            })
            .collect();
    }
    let mut connection = PgConnection::connect(url).await.expect("PostgreSQL answers");
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace",
    )
    .fetch_all(&mut connection)
    .await
    .expect("tables");
    let mut state = BTreeMap::new();
    for table in tables {
        let rows = format!("SELECT coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') FROM {table} t");
        let rows: String = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_one(&mut connection).await.expect("rows");
        state.insert(table, rows);
    }
    connection.close().await.expect("it closes");
    state
}

async fn list(caller: &Caller<'_>, arguments: &str) -> Value {
    let query = format!(
        "{{ auditEvents({arguments}) {{ totalCount nodes {{ id sequence action occurredAt actor {{ kind externalId name email }}
            onBehalfOf {{ externalId }} resources {{ type externalId name }} log {{ level externalId name }} outcome
            ipAddress userAgent correlationId source sourceEventId truncated metadata }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    caller.data(&query, json!({})).await["auditEvents"].clone()
}

/// What filters and searches find in a dump, before and after its terms are made anew.
async fn found(acme: &Caller<'_>) {
    for (arguments, count) in [
        ("search: \"needle\"", 1),
        ("search: \"éva\"", 1),
        ("search: \"eva\"", 1),
        ("search: \"テスト\"", 1),
        ("search: \"cannot reach\"", 1),
        ("search: \"import*\"", 3),
        ("search: \"日本語テスト\"", 1),
        ("log: { level: \"project\", id: \"p_apollo\" }", 7),
        ("log: { level: \"project\", id: \"p_gemini\" }", 1),
        ("filter: { actions: [\"project.*\"] }", 3),
        ("filter: { outcomes: [FAILURE] }", 1),
        ("filter: { actor: { emailContains: \"ada@\" } }", 15),
        ("filter: { occurredAt: { from: \"1990-01-01T00:00:00Z\", to: \"2020-01-01T00:00:00Z\" } }", 2),
    ] {
        let found = list(acme, arguments).await;
        assert_eq!(
            (&found["totalCount"], found["nodes"].as_array().expect("nodes").len()),
            (&json!(count), count),
            "{arguments}"
        );
    }
}

/// What the public surface has to say of the events of a dump.
async fn answers(app: &TestApp) {
    let sent = sent();
    let acme = app.admin("capydb", "acme");
    let all = list(&acme, "first: 100, orderBy: { field: SEQUENCE, direction: ASC }").await;
    assert_eq!(all["totalCount"], 25);
    let nodes = all["nodes"].as_array().expect("nodes");
    for (event, node) in sent.iter().filter(|event| event["organization"] == "acme").zip(nodes) {
        for field in ["action", "outcome", "ipAddress", "correlationId", "source", "sourceEventId"] {
            // One event has a text that was cut.
            if event.get(field).is_some() && node["truncated"] != json!([field]) {
                assert_eq!(node[field], event[field], "{field}");
            }
        }
        assert_eq!(node["metadata"], event.get("metadata").cloned().unwrap_or_else(|| json!({})));
        assert_eq!(
            (&node["actor"]["kind"], &node["actor"]["name"]),
            (&event["actor"]["kind"], &event["actor"]["name"])
        );
        assert_eq!(node["onBehalfOf"]["externalId"], event["onBehalfOf"]["id"]);
        let resources = event["resources"].as_array().map_or(0, Vec::len);
        assert_eq!(node["resources"].as_array().expect("resources").len(), resources);
        // The id that was handed out leads to the same event.
        let query = "query($id: ID!) { node(id: $id) { ... on AuditEvent { sequence action } } }";
        let found = acme.data(query, json!({ "id": node["id"] })).await["node"].clone();
        assert_eq!((&found["sequence"], &found["action"]), (&node["sequence"], &node["action"]));
    }
    assert_eq!(nodes[4]["truncated"], json!(["sourceEventId"]));
    found(&acme).await;
    // A cursor that the released version has handed out, after its tenth event by time.
    let first = list(&acme, "first: 10").await;
    assert_eq!(first["pageInfo"]["endCursor"], CURSOR);
    let rest = list(&acme, &format!("first: 100, after: \"{CURSOR}\"")).await;
    assert_eq!(rest["nodes"].as_array().expect("nodes").len(), 15);
    // Who records again under an old key is told so.
    for event in &sent {
        let organization = event["organization"].as_str().expect("an organization");
        let again = app.admin("capydb", organization).record(event.clone()).await;
        assert_eq!(again["status"], "ALREADY_RECORDED", "{event}");
    }
    let mut other = sent[0].clone();
    other["correlationId"] = json!("other");
    let record = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";
    assert_eq!(acme.ask(record, json!({ "input": other })).await.code(), "CONFLICT");
    // And the log goes on.
    assert_eq!(acme.record(event("api_key.created")).await["sequence"], "25");
    assert_eq!(list(&acme, "search: \"user one\"").await["totalCount"], 1);
    assert_eq!(list(&app.admin("capydb", "globex"), "first: 1").await["totalCount"], 6);
}

/// The cursor of acme's tenth event by time, as version 0.1.0 wrote it.
const CURSOR: &str = "AeI0hO-BIkf9Mpv2WWtYAAAAAAAAAAAAGQAAAAAAAAAJrU4ZpA";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_released_schema_is_upgraded_and_answers_as_before() {
    for database in BOTH {
        for version in versions() {
            let (url, folder) = released(database, &version).await;
            let before = Store::schema(&url, &ledgerline::chance::Chance::system()).await.expect("a schema");
            assert!(before.applied > 0 && !before.pending.contains(&INIT.to_owned()), "{version}: {before:?}");
            let app = TestApp::on(database, url.clone(), Products::built_in(), folder).await;
            let after = Store::schema(&url, &ledgerline::chance::Chance::system()).await.expect("a schema");
            assert_eq!((after.pending.len(), after.applied), (0, before.applied + before.pending.len()), "{version}");
            answers(&app).await;
            // Words are read in another way since: until the terms are made anew, the events themselves are tested.
            let made = command(&url, &app.folder(), &["reindex"]);
            let said = text(&made.stdout);
            assert!(made.status.success() && said.starts_with("reindexed "), "{said}{}", text(&made.stderr));
            let service = app.beside().await;
            found(&service.admin("capydb", "acme")).await;
            service.finish().await;
            app.finish().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_is_to_come_is_told_and_nothing_is_touched() {
    for database in BOTH {
        let (url, folder) = empty(database).await;
        let before = state(database, &url, folder.path()).await;
        let told = command(&url, folder.path(), &["migrate", "--dry-run"]);
        let said = text(&told.stdout);
        assert!(told.status.success(), "{}", text(&told.stderr));
        assert!(said.starts_with(&format!("would make a new database\nwould apply {INIT}\n")), "{said}");
        assert!(said.ends_with("migrations are pending; nothing was done\n"), "{said}");
        assert_eq!(state(database, &url, folder.path()).await, before);

        let (url, folder) = released(database, "0.1.0").await;
        let before = state(database, &url, folder.path()).await;
        let said = text(&command(&url, folder.path(), &["migrate", "--dry-run"]).stdout);
        assert!(
            said.starts_with("would apply m20261125_220000_schema_history\nwould apply m20261125_230000_stale_terms\n"),
            "{said}"
        );
        assert!(!said.contains(INIT), "{said}");
        assert_eq!(state(database, &url, folder.path()).await, before);
        assert_eq!(text(&command(&url, folder.path(), &["migrate"]).stdout), "the schema is up to date\n");
        let said = text(&command(&url, folder.path(), &["migrate", "--dry-run"]).stdout);
        assert_eq!(said, "the schema is up to date: nothing would be done\n");
        // Beside a service that records, what lies in the write-ahead log counts.
        let app = TestApp::on(database, url.clone(), Products::built_in(), folder).await;
        let said = text(&command(&url, &app.folder(), &["migrate", "--dry-run"]).stdout);
        assert_eq!(said, "the schema is up to date: nothing would be done\n");
        app.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_schema_is_refused_by_name_before_anything_is_changed() {
    for database in BOTH {
        for (program, by) in [(Some("9.8.7"), "ledgerline 9.8.7"), (None, "a later version")] {
            let (url, folder) = released(database, "0.1.0").await;
            assert!(command(&url, folder.path(), &["migrate"]).status.success());
            run(database, &url, "INSERT INTO seaql_migrations VALUES ('m20990101_000000_later', 0)".to_owned()).await;
            if let Some(program) = program {
                let row = format!("INSERT INTO schema_history VALUES ('m20990101_000000_later', '{program}')");
                run(database, &url, row).await;
            }
            let events = schemas().join("events.ndjson").display().to_string();
            let (other, elsewhere) = empty(database).await;
            assert!(command(&other, elsewhere.path(), &["migrate"]).status.success());
            // Folders of keys are made by whatever reads them: before the state is taken.
            assert!(
                command(&url, folder.path(), &["token", "--product", "capydb", "--scopes", "audit:read"])
                    .status
                    .success()
            );
            let before = state(database, &url, folder.path()).await;
            for arguments in [
                &["migrate"][..],
                &["migrate", "--dry-run"],
                &["serve", "--dev", "--listen", "127.0.0.1:0"],
                &["demo", "--listen", "127.0.0.1:0"],
                &["import", &events, "--product", "capydb"],
                &["copy", "--from", &url, "--to", &other],
                &["copy", "--from", &other, "--to", &url],
            ] {
                let refused = command(&url, folder.path(), arguments);
                let said = text(&refused.stderr);
                assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {said}");
                let rule = format!(
                    "must not have a newer schema than this version, {}, knows: {by} brought m20990101_000000_later",
                    env!("CARGO_PKG_VERSION")
                );
                assert!(said.contains(&rule), "{arguments:?}: {said}");
            }
            assert_eq!(state(database, &url, folder.path()).await, before);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_does_not_upgrade_what_it_reads() {
    for database in BOTH {
        let (url, folder) = released(database, "0.1.0").await;
        let (other, elsewhere) = empty(database).await;
        let before = state(database, &url, folder.path()).await;
        let refused = command(&url, elsewhere.path(), &["copy", "--from", &url, "--to", &other]);
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("--from: must have the schema of this version, and lacks m202611"), "{said}");
        assert!(said.contains("_schema_history"), "{said}");
        assert_eq!(state(database, &url, folder.path()).await, before);
        assert!(command(&url, elsewhere.path(), &["migrate"]).status.success());
        let copied = command(&url, elsewhere.path(), &["copy", "--from", &url, "--to", &other]);
        assert!(copied.status.success(), "{}", text(&copied.stderr));
        let app = TestApp::on(database, other, Products::built_in(), elsewhere).await;
        answers(&app).await;
        app.finish().await;
    }
}

/// A file of events without keys may be imported again by any later version.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_of_an_imported_record_is_what_it_was() {
    for database in BOTH {
        let app = TestApp::start(database).await;
        let admin = app.admin("workspace", "acme");
        let line = r#"{"organization":"acme","action":"user.login","occurredAt":"2026-01-01T00:00:00Z","actor":{"kind":"USER","id":"u1"}}"#;
        let header = "organization,action,occurredAt,actor.kind,actor.id";
        let row = "acme,user.login,2026-01-02T00:00:00Z,USER,u2";
        for (contents, hashed, day, actor) in [
            (format!("{line}\n{line}\n"), format!("\n{line}"), 1, "u1"),
            (format!("{header}\n{row}\n"), format!("{header}\n{row}"), 2, "u2"),
        ] {
            let file = app.folder().join("events");
            fs::write(&file, contents).expect("written");
            let imported = import(&app.url, &app.folder(), &file, &[]).await;
            assert!(imported.status.success(), "{imported:?}");
            let digest = Sha256::digest(hashed);
            let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
            let keys = if day == 1 {
                vec![format!("line-{hex}"), format!("line-{hex}-2")]
            } else {
                vec![format!("line-{hex}")]
            };
            for key in keys {
                let again = admin
                    .record(json!({ "action": "user.login", "occurredAt": format!("2026-01-0{day}T00:00:00Z"),
                        "actor": { "kind": "USER", "id": actor }, "idempotencyKey": key }))
                    .await;
                assert_eq!(again["status"], "ALREADY_RECORDED", "{key}");
            }
        }
        app.finish().await;
    }
}

#[test]
fn a_migration_is_never_edited() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migration/src");
    let mut found = String::new();
    let mut folders: Vec<PathBuf> =
        fs::read_dir(&root).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    for folder in folders.iter().filter(|path| path.is_dir()) {
        for file in ["postgres.sql", "sqlite.sql"] {
            let path = folder.join(file);
            let digest = Sha256::digest(fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let name = path.strip_prefix(&root).expect("below src").display().to_string();
            found.push_str(&format!("{hex}  {name}\n"));
        }
    }
    let kept = fs::read_to_string(schemas().join("checksums.txt")).expect("checksums");
    assert_eq!(
        found, kept,
        "databases in the field have gone through these: a change is a new migration, with new lines"
    );
}
