//! What sharding by organization rests on: every key and reference carries the organization's number.

use sqlx::{Connection, PgConnection};

use crate::{
    harness::{Database, TestApp},
    process::ledgerline,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_unique_key_and_reference_between_events_carries_the_organization() {
    let app = TestApp::start(Database::Postgres).await;
    let mut connection = PgConnection::connect(&app.url).await.expect("PostgreSQL answers");
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace AND nspname = 'public' \
         WHERE relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1",
    )
    .fetch_all(&mut connection)
    .await
    .expect("tables");
    // Kept whole on every node: tenants' names, the partitions, keys, the clock of sweeps, and the histories of the
    // database and of its schema.
    let whole = [
        "event_partition",
        "organization",
        "schema_history",
        "seaql_migrations",
        "stale_terms",
        "issuer_key",
        "masking_key",
        "plain_hashes",
        "sweep_clock",
        "history",
    ];
    let cut: Vec<_> = tables.iter().filter(|table| !whole.contains(&table.as_str())).collect();
    assert_eq!(cut.len() + whole.len(), tables.len(), "{tables:?}");
    for table in cut {
        let without: Vec<String> = sqlx::query_scalar(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = $1::regclass AND indisunique \
             AND NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = indrelid AND attname = 'organization_no' \
             AND attnum = ANY (indkey[0:indnkeyatts - 1]))",
        )
        .bind(table)
        .fetch_all(&mut connection)
        .await
        .expect("indexes");
        assert_eq!(without, Vec::<String>::new(), "unique keys of {table}");
        let elsewhere: Vec<String> = sqlx::query_scalar(
            "SELECT confrelid::regclass::text FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'f' \
             AND confrelid <> 'organization'::regclass",
        )
        .bind(table)
        .fetch_all(&mut connection)
        .await
        .expect("references");
        assert_eq!(elsewhere, Vec::<String>::new(), "references of {table}");
    }
    connection.close().await.expect("it closes");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_citus_is_not_distributed_and_says_why() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = TestApp::start(database).await;
        let mut command = ledgerline(&app.url, &app.folder());
        let output = tokio::task::spawn_blocking(move || command.args(["migrate", "--citus"]).output());
        let output = output.await.expect("it ends").expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{said}");
        assert!(said.contains("CREATE EXTENSION citus"), "{said}");
        app.finish().await;
    }
}
