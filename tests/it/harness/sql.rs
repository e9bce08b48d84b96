//! Statements of the tests' own, beside the service.

use sea_orm::{ConnectionTrait, Statement, TryGetable};

/// The first column of what a statement finds.
pub async fn column<T: TryGetable>(url: &str, sql: &str) -> Vec<T> {
    let database = sea_orm::Database::connect(url).await.expect("a connection");
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let rows = database.query_all_raw(statement).await.expect("rows");
    database.close().await.expect("it closes");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a value")).collect()
}

/// Runs a statement.
pub async fn change(url: &str, sql: &str) {
    let database = sea_orm::Database::connect(url).await.expect("a connection");
    database.execute_unprepared(sql).await.expect("it runs");
    database.close().await.expect("it closes");
}
