//! What is stored is read as it was written, or is an error: never as something that is not there.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::harness::{Database, TestApp, event, on_both_databases};

/// Changes a row as only somebody who takes the triggers away can.
async fn damage(app: &TestApp, table: &str, change: &str) {
    match app.database {
        Database::Sqlite => {
            let mut connection = SqliteConnection::connect(&app.url).await.expect("SQLite opens");
            let drop = format!("DROP TRIGGER IF EXISTS {table}_no_update");
            connection.execute(AssertSqlSafe(drop)).await.expect("the trigger goes");
            let update = format!("UPDATE {table} SET {change}").replace("{bytes}", "x'00'");
            connection.execute(AssertSqlSafe(update)).await.expect("the row changes");
            connection.close().await.expect("it closes");
        }
        Database::Postgres => {
            let mut connection = PgConnection::connect(&app.url).await.expect("PostgreSQL answers");
            let drop = format!("DROP TRIGGER IF EXISTS {table}_append_only ON {table}");
            connection.execute(AssertSqlSafe(drop)).await.expect("the trigger goes");
            let update = format!("UPDATE {table} SET {change}").replace("{bytes}", "'\\x00'");
            connection.execute(AssertSqlSafe(update)).await.expect("the row changes");
            connection.close().await.expect("it closes");
        }
    }
}

on_both_databases! {
    a_row_that_no_version_has_written_is_an_error,
    a_number_that_this_version_does_not_know_is_not_taken_for_none,
    a_damaged_idempotency_key_records_nothing_twice,
}

async fn a_row_that_no_version_has_written_is_an_error(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record(event("user.login")).await;
    let list = "{ auditEvents { nodes { action resources { name } onBehalfOf { kind } truncated } } }";
    let whole = admin.data(list, json!({})).await;
    assert_eq!(whole["auditEvents"]["nodes"][0]["resources"], json!([]));
    for (column, texts) in [
        ("resources", ["", "{}", "[{\"kind\":\"a\"}]"]),
        ("on_behalf_of", ["", "[]", "{\"kind\":\"ROBOT\"}"]),
        ("truncated", ["", "{}", "[1]"]),
    ] {
        for text in texts {
            damage(app, "event", &format!("{column} = '{text}'")).await;
            assert_eq!(admin.ask(list, json!({})).await.code(), "INTERNAL", "{column} {text}");
        }
        damage(app, "event", &format!("{column} = NULL")).await;
        assert_eq!(admin.data(list, json!({})).await, whole);
    }
}

async fn a_number_that_this_version_does_not_know_is_not_taken_for_none(app: &TestApp) {
    app.admin("workspace", "acme").record(event("user.login")).await;
    damage(app, "kind", "outcome = 99").await;
    // Whoever has not read the kinds yet.
    let other = app.beside().await;
    for query in ["{ auditEvents { totalCount } }", "{ auditEvents { nodes { action } } }"] {
        assert_eq!(other.admin("workspace", "acme").ask(query, json!({})).await.code(), "INTERNAL", "{query}");
    }
    damage(app, "kind", "outcome = NULL").await;
    damage(app, "actor_directory", "kind = 99").await;
    let actors = "{ actors { label } }";
    assert_eq!(other.admin("workspace", "acme").ask(actors, json!({})).await.code(), "INTERNAL");
    other.finish().await;
}

async fn a_damaged_idempotency_key_records_nothing_twice(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let mut input = event("user.login");
    input["idempotencyKey"] = json!("k");
    admin.record(input.clone()).await;
    damage(app, "idempotency", "content_hash = {bytes}").await;
    let record = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";
    assert_eq!(admin.ask(record, json!({ "input": input })).await.code(), "INTERNAL");
    let total = admin.data("{ auditEvents { totalCount } }", json!({})).await;
    assert_eq!(total["auditEvents"]["totalCount"], 1);
}
