//! Clocks that are wrong: set back, apart from each other, past the end of time.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use ledgerline::{clock::Clock, event::Timestamp};
use serde_json::{Value, json};

use crate::harness::{Caller, TestApp, event, on_both_databases};

const SECOND: i64 = 1_000_000_000;

/// A clock that the test sets, and what sets it.
fn settable() -> (Clock, Arc<AtomicI64>) {
    let shown = Arc::new(AtomicI64::new(Clock::system().now().0));
    let clock = Clock::new({
        let shown = shown.clone();
        move || Timestamp(shown.load(Ordering::SeqCst))
    });
    (clock, shown)
}

/// Every event's time of recording, in the order of recording.
async fn recorded_at(admin: &Caller<'_>) -> Vec<Timestamp> {
    let query =
        "{ auditEvents(first: 100, orderBy: { field: SEQUENCE, direction: ASC }) { nodes { sequence recordedAt } } }";
    let list = admin.data(query, json!({})).await;
    let nodes: Vec<Value> = list["auditEvents"]["nodes"].as_array().expect("nodes").clone();
    nodes.iter().map(|node| Timestamp::parse(node["recordedAt"].as_str().unwrap()).expect("a time")).collect()
}

on_both_databases! {
    recorded_at_never_goes_back_whatever_clocks_do,
    a_refused_event_leaves_no_time_behind,
    past_the_end_of_time_recording_is_refused_and_reading_goes_on,
}

async fn recorded_at_never_goes_back_whatever_clocks_do(app: &TestApp) {
    let (clock, shown) = settable();
    let set = |seconds: i64| shown.fetch_add(seconds * SECOND, Ordering::SeqCst);
    let other = app.beside_with_clock(clock.clone()).await;
    let (here, there) = (app.admin("workspace", "acme"), other.admin("workspace", "acme"));
    here.record(event("user.login")).await;
    // Another process's clock is behind by a minute; then it is set back further, and to the right time again.
    for seconds in [-60, -3_000, 3_060] {
        set(seconds);
        there.record(event("user.login")).await;
        here.record(event("user.login")).await;
    }
    // A second organization knows nothing of the first one's times.
    set(-60);
    other.admin("workspace", "globex").record(event("user.login")).await;
    let globex = recorded_at(&app.admin("workspace", "globex")).await;
    assert_eq!(globex, [Timestamp(shown.load(Ordering::SeqCst))]);
    // After a restart with the clock set back, too.
    other.finish().await;
    let again = app.beside_with_clock(clock).await;
    again.admin("workspace", "acme").record_all(vec![event("user.login"), event("user.login")]).await;
    let times = recorded_at(&here).await;
    assert_eq!(times.len(), 9);
    assert!(times.is_sorted(), "{times:?}");
    again.finish().await;
}

async fn a_refused_event_leaves_no_time_behind(app: &TestApp) {
    let (clock, shown) = settable();
    let other = app.beside_with_clock(clock).await;
    let admin = other.admin("workspace", "acme");
    let first = shown.load(Ordering::SeqCst);
    let mut keyed = event("user.login");
    keyed["idempotencyKey"] = json!("k");
    admin.record(keyed.clone()).await;
    shown.fetch_add(3_600 * SECOND, Ordering::SeqCst);
    keyed["action"] = json!("user.logout");
    let refused = admin.record_all(vec![keyed]).await;
    assert_eq!(refused["results"][0]["error"]["code"], "CONFLICT");
    shown.store(first + SECOND, Ordering::SeqCst);
    admin.record(event("user.login")).await;
    assert_eq!(recorded_at(&admin).await, [Timestamp(first), Timestamp(first + SECOND)]);
    other.finish().await;
}

async fn past_the_end_of_time_recording_is_refused_and_reading_goes_on(app: &TestApp) {
    let (clock, shown) = settable();
    let other = app.beside_with_clock(clock).await;
    let now = shown.load(Ordering::SeqCst);
    let mut admin = other.admin("workspace", "acme");
    admin.record(event("user.login")).await;
    // The token has to outlive the clock.
    admin.claims.exp = Some(serde_json::from_value(json!(9_999_999_999_999_i64)).expect("a number"));
    for end in [Timestamp::LATEST.0, i64::MAX - 3_600 * SECOND] {
        shown.store(end, Ordering::SeqCst);
        for _ in 0..2 {
            let query = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { sequence } }";
            let refused = admin.ask(query, json!({ "input": event("user.login") })).await;
            assert_eq!(refused.code(), "UNAVAILABLE", "{:#}", refused.json());
            assert_eq!(admin.actions("").await, ["user.login"]);
        }
    }
    // At the very end no token is good any more.
    shown.store(i64::MAX, Ordering::SeqCst);
    assert_eq!(admin.ask("{ viewer { subject } }", json!({})).await.code(), "UNAUTHENTICATED");
    shown.store(now, Ordering::SeqCst);
    assert_eq!(admin.record(event("user.login")).await["sequence"], "1");
    other.finish().await;
}
