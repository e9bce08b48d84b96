//! Every table that can lose rows, or words of them, asks the holds: under a hold of everything, neither a sweep nor an
//! erasure changes any of them.

use std::collections::{BTreeMap, BTreeSet};

use ledgerline::store::{Erased, ErasureStep, LookedAhead};
use serde_json::json;

use super::{
    Moved, PLACE,
    erasure::{ERASE, theirs, whom},
    of,
};
use crate::harness::{Database, TestApp, on_both_databases, sql::column};

on_both_databases! {
    under_a_hold_no_table_loses_anything,
}

/// Tables that lose rows, or what rows say, by a sweep or an erasure.
const LOSE: [&str; 7] =
    ["event", "event_order", "event_count", "actor_directory", "idempotency", "dead_letter", "erased_event"];
/// Tables that lose nothing by them, each with the reason.
const KEEP: [(&str, &str); 27] = [
    ("alert_message", "messages name an event by its id"),
    ("alert_rule", "deleted by an administrator alone"),
    ("alert_watch", "places by sequence"),
    ("attempt", "what became of tries, the last hundred"),
    ("delivery", "places by sequence"),
    ("endpoint", "deleted by an administrator alone"),
    ("erasure", "only grows; who it was is forgotten at its end"),
    ("event_partition", "where events are kept"),
    ("export", "files end with their day; an erasure asks the holds before it touches them"),
    ("free_filler", "empty"),
    ("history", "which histories the database has had"),
    ("hold", "lifted by an administrator alone"),
    ("issuer_key", "public keys"),
    ("kind", "what actions there are"),
    ("log", "which logs there are"),
    ("masking_key", "one secret"),
    ("organization", "which organizations there are"),
    ("organization_end", "what stays of an organization; `ends` proves that the end asks the holds"),
    ("organization_head", "counts"),
    ("organization_plan", "set by a backend"),
    ("partner_token", "revoked by an administrator alone"),
    ("plain_hashes", "one fact"),
    ("removal_grant", "the door itself"),
    ("retention", "wishes of an administrator"),
    ("saved_view", "deleted by whoever may, and those of a person at the end of an erasure, which no hold stops then"),
    ("sweep", "how far sweeps are"),
    ("sweep_clock", "one time"),
];
/// Tables that are none of ours, or of the migrations.
const OTHER: [&str; 5] = ["schema_history", "seaql_migrations", "stale_terms", "write_probe", "sqlite_sequence"];

async fn under_a_hold_no_table_loses_anything(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    let tables = match app.database {
        Database::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'event_search%'",
        Database::Postgres => {
            "SELECT c.relname::text FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition \
             AND c.relnamespace = 'public'::regnamespace"
        }
    };
    let tables: BTreeSet<String> = column::<String>(&app.url, tables).await.into_iter().collect();
    let listed: BTreeSet<&str> = LOSE.into_iter().chain(KEEP.map(|(name, _)| name)).chain(OTHER).collect();
    let unlisted: Vec<_> = tables.iter().filter(|table| !listed.contains(table.as_str())).collect();
    assert_eq!(unlisted, Vec::<&String>::new(), "say of a new table whether it can lose rows, and prove that it asks");
    for n in 0..20 {
        admin.record(theirs(n)).await;
        admin.record(of("user.login", Some("p1"))).await;
    }
    let letter = "INSERT INTO dead_letter (organization_no, endpoint_id, sequence, at_ns, reason) SELECT organization_no, \
                  'end_1', 0, 1, 'it quoted her' FROM organization_head";
    crate::harness::sql::change(&app.url, letter).await;
    let hold = admin.data(PLACE, json!({ "input": { "label": "all" } })).await;
    let hold = hold["placeAuditHold"]["hold"]["id"].clone();
    let before = rows(app).await;
    moved.day(40);
    let tally = moved.sweep().await;
    assert_eq!((tally.removed, tally.held), (0, 41));
    assert_eq!(admin.ask(ERASE, json!({ "input": whom() })).await.code(), "HELD");
    // As one that was asked for before the hold came.
    let store = &moved.app.app.store;
    let named = json!({ "actor": { "kind": null, "id": "usr_zq7x", "email": null }, "resource": null });
    let insert = format!(
        "INSERT INTO erasure (organization_no, id, status, whom, created_ns, created_by, total, next, events, owner, lease_ns) \
         SELECT organization_no, 'era_1', 1, '{named}', 1, 'admin', 1, 0, 0, 77, 9000000000000000000 FROM organization_head"
    );
    crate::harness::sql::change(&app.url, &insert).await;
    let organization = column::<i64>(&app.url, "SELECT organization_no FROM organization_head").await[0];
    let erasure = store.erasure_by_no(organization, "era_1").await.expect("read").expect("there");
    let product = moved.products.get("workspace").expect("a product");
    let (now, lease) = (moved.clock.now(), ledgerline::event::Timestamp(i64::MAX));
    let step_of_all = async || {
        let mut ahead = LookedAhead::default();
        let step = ErasureStep { from: 0, ahead: &mut ahead, most: 200, may_end: false, lease };
        store.erase_some(product, &erasure, 77, step, now).await.expect("a step")
    };
    let step = step_of_all().await;
    assert_eq!(step, Erased::Held);
    assert_eq!(rows(app).await, before);
    // The same, when nothing is held, changes each of them: so the list is not too long.
    admin.data(super::LIFT, json!({ "input": { "id": hold } })).await;
    step_of_all().await;
    moved.sweep().await;
    let after = rows(app).await;
    for (table, rows) in &before {
        assert_ne!(after.get(table), Some(rows), "{table}");
    }
    moved.app.finish().await;
}

/// The rows of the tables that can lose some, and the terms, each as a text.
async fn rows(app: &TestApp) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for table in LOSE {
        let columns = match table {
            "event" => "sequence || action || coalesce(actor_id, '-') || metadata",
            "event_order" => "sequence || ' ' || position",
            "event_count" => "grain || ' ' || bucket || ' ' || n",
            "actor_directory" => "folded || n",
            "idempotency" => "CAST(sequence AS TEXT)",
            "dead_letter" => "sequence || reason",
            _ => "sequence || paths",
        };
        let own = if table == "event" { " WHERE action NOT LIKE 'audit_log.%'" } else { "" };
        let found = column::<String>(&app.url, &format!("SELECT {columns} FROM {table}{own} ORDER BY 1")).await;
        all.insert(table.to_owned(), found);
    }
    let terms = match app.database {
        Database::Sqlite => "SELECT term || ' ' || doc FROM event_search_terms ORDER BY 1",
        Database::Postgres => "SELECT word || ' ' || ndoc FROM ts_stat('SELECT terms FROM event') ORDER BY 1",
    };
    all.insert("terms".to_owned(), column::<String>(&app.url, terms).await);
    all
}
