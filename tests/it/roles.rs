//! The owner of the tables migrates, and a role that owns nothing serves: it records, reads and removes, and cannot switch
//! off what keeps the log as it is.

use ledgerline::{clock::Clock, event::Timestamp};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::{
    harness::{Database, TestApp, event},
    process::{Service, ledgerline},
    server::{Server, beside, execute, refused},
};

/// The grants as the manual has them, for the roles of this test.
fn grants() -> String {
    let page = include_str!("../../docs/postgres.md");
    let (_, rest) = page.split_once("```sql grants\n").expect("the grants");
    rest.split_once("```").expect("their end").0.to_owned()
}

/// A database of an owner's own and a role that serves, on a server whose roles are this test's.
struct Roles {
    server: Server,
    folder: tempfile::TempDir,
    owner: String,
    serving: String,
}

impl Roles {
    async fn new() -> Self {
        let server = Server::start().await;
        for role in ["ledgerline_owner", "ledgerline_serve"] {
            execute(&server.url, format!("CREATE ROLE {role} LOGIN")).await;
        }
        execute(&server.url, "CREATE DATABASE ledgerline OWNER ledgerline_owner".to_owned()).await;
        let admin = beside(&server.url, "ledgerline");
        // As PostgreSQL 15 has it by itself.
        execute(
            &admin,
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC; ALTER SCHEMA public OWNER TO ledgerline_owner".to_owned(),
        )
        .await;
        let of = |role: &str| admin.replace("postgres@", &format!("{role}@"));
        let (owner, serving) = (of("ledgerline_owner"), of("ledgerline_serve"));
        Self { server, folder: tempfile::tempdir().expect("a folder"), owner, serving }
    }

    async fn migrate(&self) {
        let mut command = ledgerline(&self.owner, self.folder.path());
        command.arg("migrate");
        let done = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_owns_nothing_serves_and_cannot_switch_off_what_keeps_the_log() {
    let roles = Roles::new().await;
    // It says what is to be run, by whom, and makes nothing.
    execute(&roles.owner, grants()).await;
    let told = refused(&roles.serving, roles.folder.path(), &["serve", "--dev"]).await;
    assert!(told.contains("`ledgerline migrate` as ledgerline_owner") && !told.contains("try again"), "{told}");
    roles.migrate().await;
    execute(&roles.owner, grants()).await;
    let place = crate::crash::Place::of("acme", roles.serving.clone(), roles.folder.path().to_owned());
    let client = place.client();
    let service = place.service().await;
    // Events of another time need partitions that nobody has made.
    for (n, at) in ["2026-11-20T10:00:00Z", "2019-03-01T00:00:00Z", "1971-01-01T00:00:00Z"].iter().enumerate() {
        let mut input = event(&format!("a.{n}"));
        input["occurredAt"] = json!(at);
        let done = client.record(&service.base, &[input]).await.expect("an answer").expect("results");
        assert_eq!(done[0]["status"], "RECORDED", "{done:?}");
    }
    let found = client
        .ask(&service.base, "{ auditEvents(search: \"a\") { totalCount nodes { action } } }", json!({}))
        .await
        .expect("an answer");
    assert_eq!(found["data"]["auditEvents"]["totalCount"], 3, "{found}");
    // What waits in the search indexes is merged every second, by the owner's function.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let log = service.log();
    assert!(!log.iter().any(|line| line.contains("upkeep of the database failed")), "{log:#?}");

    let mut db = PgConnection::connect(&roles.serving).await.expect("it answers");
    let partition: String = sqlx::query_scalar("SELECT name FROM event_partition ORDER BY low LIMIT 1")
        .fetch_one(&mut db)
        .await
        .expect("a name");
    for (statement, why) in [
        ("ALTER TABLE event DISABLE TRIGGER ALL", "owner"),
        ("ALTER TABLE event DISABLE TRIGGER event_append_only", "owner"),
        ("ALTER TABLE {partition} DISABLE TRIGGER ALL", "owner"),
        ("ALTER TABLE event_order DISABLE TRIGGER ALL", "owner"),
        ("DROP TRIGGER event_append_only ON event", "owner"),
        ("DROP TABLE event", "owner"),
        ("DROP TABLE {partition}", "owner"),
        ("ALTER TABLE event DETACH PARTITION {partition}", "owner"),
        ("ALTER TABLE event ADD COLUMN x INT", "owner"),
        ("TRUNCATE event", "permission denied"),
        ("TRUNCATE {partition}", "permission denied"),
        ("UPDATE event SET action = 'other'", "append-only"),
        ("UPDATE {partition} SET action = 'other'", "append-only"),
        ("DELETE FROM event", "append-only"),
        ("DELETE FROM event_order", "append-only"),
        ("UPDATE event_order SET sequence = sequence + 7", "append-only"),
        (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
            "permission denied",
        ),
        ("SET session_replication_role = replica", "permission denied"),
        ("CREATE TABLE public.event_2 (x INT)", "permission denied"),
        ("DELETE FROM seaql_migrations", "permission denied"),
        ("SELECT make_event_partition(0, 1, 'organization')", "not called"),
        ("SELECT make_event_partition(0, 1, 'event_x; DROP TABLE event')", "not called"),
        ("SET ROLE ledgerline_owner", "permission denied"),
    ] {
        let sql = statement.replace("{partition}", &partition);
        let error = db.execute(AssertSqlSafe(sql.clone())).await.expect_err(&sql).to_string();
        assert!(error.contains(why), "{sql}: {error}");
    }
    // What has events, is no partition or is one in name alone is not taken away, whoever asks; what is empty is.
    let empty = "SELECT make_event_partition(9000000000000000000, 9000000000000000001, 'event_2109');
        INSERT INTO event_partition (low, high, name) VALUES (-8, -7, 'dead_letter'), (-6, -5, 'organization')";
    db.execute(empty).await.expect("made");
    for (name, goes) in
        [(&*partition, false), ("dead_letter", false), ("organization", false), ("event", false), ("event_2109", true)]
    {
        let asked = sqlx::query_scalar("SELECT drop_empty_event_partition($1)").bind(name);
        assert_eq!(asked.fetch_one(&mut db).await.map_err(|error| error.to_string()), Ok(goes), "{name}");
        let is_there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(name)
            .fetch_one(&mut db)
            .await
            .expect("asked");
        assert_eq!(is_there, !goes, "{name}");
    }
    db.execute("DELETE FROM event_partition WHERE name IN ('dead_letter', 'organization')")
        .await
        .expect("its own rows");
    // Tables of its own, in the place of ours, are not what the owner's functions work on.
    let trap =
        "SET search_path = pg_temp, public; CREATE TEMP TABLE event_partition (low BIGINT, high BIGINT, name TEXT);
        INSERT INTO event_partition VALUES (0, 1, 'organization')";
    db.execute(trap).await.expect("its own");
    let merged: Vec<(String, i64)> =
        sqlx::query_as("SELECT name, pages FROM merge_event_search(NULL)").fetch_all(&mut db).await.expect("it runs");
    assert!(merged.iter().all(|(name, _)| name.starts_with("event_")), "{merged:?}");
    // Another role may call neither.
    execute(&roles.server.url, "CREATE ROLE stranger LOGIN".to_owned()).await;
    let stranger = roles.serving.replace("ledgerline_serve", "stranger");
    let mut stranger = PgConnection::connect(&stranger).await.expect("it answers");
    for sql in [
        "SELECT merge_event_search(NULL)",
        "SELECT make_event_partition(0, 1, 'event_x')",
        "SELECT drop_empty_event_partition('event_x')",
        "SELECT 1 FROM event",
    ] {
        assert!(stranger.execute(sql).await.expect_err(sql).to_string().contains("permission denied"));
    }
    assert!(service.terminate().await.success());
    // The retention's door is the service's: what was kept for long enough leaves.
    let mut sweep = ledgerline(&roles.serving, roles.folder.path());
    sweep.arg("sweep");
    let done = tokio::task::spawn_blocking(move || sweep.output().expect("it runs")).await.expect("it ends");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_start_together_make_one_schema() {
    let roles = Roles::new().await;
    let place = crate::crash::Place::of("acme", roles.owner.clone(), roles.folder.path().to_owned());
    let (one, two) = tokio::join!(
        Service::start(&roles.owner, roles.folder.path()),
        Service::start(&roles.owner, roles.folder.path())
    );
    let mut db = PgConnection::connect(&roles.owner).await.expect("it answers");
    let twice = "SELECT count(*) - count(DISTINCT version) FROM seaql_migrations";
    assert_eq!(sqlx::query_scalar::<_, i64>(twice).fetch_one(&mut db).await.expect("a number"), 0);
    for service in [&one, &two] {
        assert!(place.client().record(&service.base, &[event("a")]).await.expect("an answer").is_ok());
    }
    assert!(one.terminate().await.success() && two.terminate().await.success());
}

/// What an operator sets for a role cancels nothing of ours: neither recording, nor sealing, nor a copy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_defaults_of_the_role_cancel_nothing() {
    let roles = Roles::new().await;
    for (setting, value) in [
        ("statement_timeout", "250ms"),
        ("lock_timeout", "10ms"),
        ("idle_in_transaction_session_timeout", "250ms"),
        ("idle_session_timeout", "2s"),
        ("synchronous_commit", "off"),
        ("default_transaction_isolation", "serializable"),
        ("standard_conforming_strings", "off"),
        ("jit", "on"),
    ] {
        execute(&roles.server.url, format!("ALTER ROLE ledgerline_owner SET {setting} = '{value}'")).await;
    }
    let settings = |settings: &mut ledgerline::config::Settings| settings.database_url.clone_from(&roles.owner);
    let app = TestApp::with(Database::Sqlite, crate::harness::catalogs::products(), settings).await;
    let admin = app.admin("workspace", "acme");
    for n in 0..20 {
        let mut input = event(&format!("a.{n}"));
        input["occurredAt"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(admin.record(input).await["status"], "RECORDED");
    }
    let later = Timestamp(Clock::system().now().0 + 60 * 24 * 3_600 * 1_000_000_000);
    let sealed = app.app.store.seal_partitions(later, &std::collections::BTreeSet::new()).await.expect("sealed");
    assert!(sealed > 0);
    let super_ = beside(&roles.server.url, "ledgerline");
    let mut db = PgConnection::connect(&super_).await.expect("it answers");
    let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(sqlx::query_scalar::<_, i64>(invalid).fetch_one(&mut db).await.expect("a number"), 0);

    // An interrupted build: one index that was to take another's place, and one that is not valid itself.
    let partition: String = sqlx::query_scalar("SELECT name FROM event_partition ORDER BY low LIMIT 1")
        .fetch_one(&mut db)
        .await
        .expect("a name");
    let index =
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = $1::text::regclass ORDER BY 1 LIMIT 1";
    let index: String = sqlx::query_scalar(index).bind(&partition).fetch_one(&mut db).await.expect("an index");
    execute(&super_, format!("CREATE INDEX {index}_ccnew ON {partition} (action)")).await;
    let spoil = "UPDATE pg_index SET indisvalid = false WHERE indexrelid::regclass::text";
    execute(&super_, format!("{spoil} IN ('{index}', '{index}_ccnew')")).await;
    assert_eq!(sqlx::query_scalar::<_, i64>(invalid).fetch_one(&mut db).await.expect("a number"), 2);
    assert_eq!(app.app.store.mend_indexes().await.expect("mended"), 2);
    assert_eq!(sqlx::query_scalar::<_, i64>(invalid).fetch_one(&mut db).await.expect("a number"), 0);
    let left = format!("SELECT count(*) FROM pg_class WHERE relname = '{index}_ccnew'");
    assert_eq!(sqlx::query_scalar::<_, i64>(AssertSqlSafe(left)).fetch_one(&mut db).await.expect("a number"), 0);
    assert_eq!(app.app.store.mend_indexes().await.expect("nothing to do"), 0);
    assert_eq!(admin.actions("").await.len(), 20);

    // A copy, as the same role.
    execute(&roles.server.url, "CREATE DATABASE other OWNER ledgerline_owner".to_owned()).await;
    let other = beside(&roles.owner, "other");
    app.finish().await;
    let mut copy = ledgerline(&roles.owner, roles.folder.path());
    copy.args(["copy", "--from", &roles.owner, "--to", &other]);
    let done = tokio::task::spawn_blocking(move || copy.output().expect("it runs")).await.expect("it ends");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
