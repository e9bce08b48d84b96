//! The database itself refuses to change or remove what was recorded, whoever asks it.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

use crate::harness::{Database, TestApp, event, on_both_databases};

/// Statements that would change the log, each with what refuses it.
const SQLITE: &[&str] = &[
    "UPDATE event SET action = 'other'",
    "UPDATE event SET metadata = metadata",
    "UPDATE OR REPLACE event SET key = key + 1",
    "DELETE FROM event",
    "DELETE FROM event WHERE key = (SELECT max(key) FROM event)",
    "INSERT OR REPLACE INTO event SELECT {event} FROM event",
    "REPLACE INTO event SELECT {event} FROM event",
    "INSERT INTO event SELECT {event} FROM event WHERE true ON CONFLICT DO UPDATE SET action = 'other'",
    "INSERT INTO event SELECT {event} FROM event WHERE true ON CONFLICT (key) DO UPDATE SET action = 'other'",
    "UPDATE event_order SET sequence = 0",
    "UPDATE event_order SET position = position + 1",
    "DELETE FROM event_order",
    "INSERT OR REPLACE INTO event_order SELECT organization_no, position, 7 FROM event_order",
    "INSERT INTO event_order SELECT * FROM event_order WHERE true ON CONFLICT DO UPDATE SET sequence = 7",
    "UPDATE idempotency SET sequence = 7",
    "UPDATE idempotency SET content_hash = x'00'",
    "DELETE FROM idempotency",
    "INSERT OR REPLACE INTO idempotency SELECT organization_no, key_hash, x'00', 7 FROM idempotency",
    "INSERT INTO idempotency SELECT * FROM idempotency WHERE true ON CONFLICT DO UPDATE SET sequence = 7",
];

const POSTGRES: &[&str] = &[
    "UPDATE event SET action = 'other'",
    "UPDATE event SET metadata = metadata",
    "UPDATE event SET position = position + 1",
    "DELETE FROM event",
    "DELETE FROM event WHERE sequence = 1",
    "TRUNCATE event",
    "TRUNCATE event CASCADE",
    "INSERT INTO event SELECT * FROM event ON CONFLICT (organization_no, position) DO UPDATE SET action = 'other'",
    "INSERT INTO event SELECT * FROM event",
    "WITH gone AS (DELETE FROM event RETURNING *) SELECT count(*) FROM gone",
    "MERGE INTO event e USING (SELECT * FROM event_order) o \
     ON e.organization_no = o.organization_no AND e.sequence = o.sequence WHEN MATCHED THEN DELETE",
    "UPDATE {partition} SET action = 'other'",
    "DELETE FROM {partition}",
    "TRUNCATE {partition}",
    "INSERT INTO {partition} SELECT * FROM {partition}",
    "UPDATE event_order SET sequence = sequence + 7",
    "DELETE FROM event_order",
    "TRUNCATE event_order",
    "INSERT INTO event_order SELECT organization_no, sequence, 7 FROM event_order",
    "INSERT INTO event_order SELECT * FROM event_order ON CONFLICT (organization_no, sequence) DO UPDATE SET position \
     = 7",
    "UPDATE idempotency SET sequence = 7",
    "DELETE FROM idempotency",
    "TRUNCATE idempotency",
    "INSERT INTO idempotency SELECT * FROM idempotency ON CONFLICT (organization_no, key_hash) DO UPDATE SET sequence \
     = 7",
];

/// Why a statement was refused; `None` if it ran.
async fn refused<'c, E>(connection: E, sql: &str) -> Option<String>
where
    E: Executor<'c>,
{
    connection.execute(AssertSqlSafe(sql.to_owned())).await.err().map(|error| error.to_string())
}

fn is_a_refusal(sql: &str, reason: Option<String>) {
    let reason = reason.unwrap_or_else(|| panic!("it ran: {sql}"));
    // A second row with a key that is taken is refused by the key itself.
    let is_unknown = reason.contains("syntax error at or near \"MERGE\"");
    // PostgreSQL has MERGE since version 15.
    let fits = reason.contains("append-only") || reason.contains("duplicate key") || is_unknown;
    assert!(fits, "{sql}: refused, but for another reason: {reason}");
}

on_both_databases! {
    what_was_recorded_cannot_be_changed_or_removed,
}

async fn what_was_recorded_cannot_be_changed_or_removed(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for i in 0..3 {
        let mut input = event("user.login");
        input["idempotencyKey"] = json!(format!("key {i}"));
        assert_eq!(admin.record(input).await["status"], "RECORDED");
    }
    let query = "{ auditEvents { totalCount nodes { id sequence action occurredAt metadataText } } }";
    let before = admin.data(query, json!({})).await;
    match app.database {
        Database::Sqlite => {
            let mut connection = SqliteConnection::connect(&app.url).await.unwrap();
            let rows =
                sqlx::query("SELECT name FROM pragma_table_info('event')").fetch_all(&mut connection).await.unwrap();
            let columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let columns = columns.join(", ");
            for sql in SQLITE {
                let sql = sql.replace("INTO event SELECT {event}", &format!("INTO event ({columns}) SELECT {columns}"));
                for pragma in ["PRAGMA recursive_triggers = 0", "PRAGMA recursive_triggers = 1"] {
                    connection.execute(pragma).await.unwrap();
                    is_a_refusal(&sql, refused(&mut connection, &sql).await);
                }
            }
            let check: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
            assert_eq!(check, "ok");
            connection.close().await.unwrap();
        }
        Database::Postgres => {
            let mut connection = PgConnection::connect(&app.url).await.unwrap();
            // Not by `tableoid`, which on a cluster is that of a node's part.
            let position: i64 =
                sqlx::query_scalar("SELECT position FROM event LIMIT 1").fetch_one(&mut connection).await.unwrap();
            let partition: String =
                sqlx::query_scalar("SELECT name FROM event_partition WHERE low <= $1 AND high > $1")
                    .bind(position)
                    .fetch_one(&mut connection)
                    .await
                    .unwrap();
            for sql in POSTGRES {
                let sql = sql.replace("{partition}", &partition);
                is_a_refusal(&sql, refused(&mut connection, &sql).await);
            }
            connection.close().await.unwrap();
        }
    }
    assert_eq!(admin.data(query, json!({})).await, before);
    // And recording goes on.
    assert_eq!(admin.record(event("user.login")).await["sequence"], "3");
}
