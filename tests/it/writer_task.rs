//! The writer task: its end is loud, its callers are answered, what waits in it is bounded and counted.

use std::{
    backtrace::Backtrace,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::Request};
use ledgerline::{
    auth::policy,
    clock::Clock,
    event::{Actor, ActorKind, Resource, input::RecordInput},
    ingest,
    store::Task,
};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, SqliteConnection};

use crate::{
    crash::Place,
    harness::{Answer, Caller, TestApp, event, on_both_databases},
};

const RECORD: &str = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { sequence } }";

async fn try_record(admin: &Caller<'_>) -> Answer {
    admin.ask(RECORD, json!({ "input": event("user.login") })).await
}

async fn ready(app: &TestApp) -> u16 {
    app.send(Request::get("/readyz").body(Body::empty()).unwrap()).await.status.as_u16()
}

/// A clock that panics at the writer's next look once it is told to; whoever else looks is shown the time.
fn panicking() -> (Clock, Arc<AtomicBool>) {
    let armed = Arc::new(AtomicBool::new(false));
    let clock = Clock::new({
        let armed = armed.clone();
        let system = Clock::system();
        move || {
            let is_armed = armed.load(Ordering::SeqCst);
            if is_armed && Backtrace::force_capture().to_string().contains("ingest::writer") {
                armed.store(false, Ordering::SeqCst);
                panic!("this clock was told to panic");
            }
            system.now()
        }
    });
    (clock, armed)
}

on_both_databases! {
    a_panic_is_answered_and_the_task_starts_again,
    a_waiting_event_counts_with_all_that_it_holds,
}

async fn a_panic_is_answered_and_the_task_starts_again(app: &TestApp) {
    let (clock, armed) = panicking();
    let other = app.beside_with_clock(clock).await;
    let admin = other.admin("workspace", "acme");
    for _ in 0..2 {
        assert!(try_record(&admin).await.json()["errors"].is_null());
    }
    let mut sequence = 1;
    for _ in 0..3 {
        // Twice in a row, then healthy.
        for _ in 0..2 {
            armed.store(true, Ordering::SeqCst);
            let answer = tokio::time::timeout(Duration::from_secs(20), try_record(&admin)).await;
            let answer = answer.expect("its caller is answered");
            assert_eq!(answer.code(), "UNAVAILABLE", "{:#}", answer.json());
        }
        assert_eq!(ready(&other).await, 200);
        sequence += 1;
        let data = try_record(&admin).await.data();
        assert_eq!(data["recordAuditEvent"]["sequence"], sequence.to_string());
    }
    let metrics = other.send(Request::get("/metrics").body(Body::empty()).unwrap()).await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(metrics.contains("ledgerline_task_panics_total{task=\"writer\"}"), "{metrics}");
    other.finish().await;
    // Another process reads what was acknowledged, and no more.
    let list = app.admin("workspace", "acme").data("{ auditEvents { totalCount } }", json!({})).await;
    assert_eq!(list["auditEvents"]["totalCount"], sequence + 1);
}

async fn a_waiting_event_counts_with_all_that_it_holds(app: &TestApp) {
    let caller = app.admin("workspace", "acme");
    let clock = Clock::system();
    let principal = app.app.keys.verify(&caller.token(), clock.now()).await.expect("a token");
    let item = |input: RecordInput| {
        let scope = policy::may_record(&principal, None).expect("it may");
        ingest::admit(app.app.services.writer.masking(), scope, input, clock.now()).expect("an event")
    };
    let held = |input: RecordInput| Task::Record { items: vec![item(input)], atomic: false }.held_bytes();
    let actor = || Actor { kind: ActorKind::User, id: None, name: None, email: None };
    let small = held(RecordInput::new("user.login", actor()));
    let text = |at: usize| Some(format!("{at} {}", "x".repeat(1_500)));
    let mut large = RecordInput::new("user.login", actor());
    large.resources = (0..20).map(|at| Resource { kind: text(at), id: text(at), name: None }).collect();
    assert!(held(large) >= small + 20 * 2 * 1_500, "texts beside the metadata count");
    let mut wordy = RecordInput::new("user.login", actor());
    let words: Vec<String> = (0..5_000).map(|at| format!("w{at}")).collect();
    let metadata = json!({ "words": words.join(" ") }).to_string();
    let length = metadata.len();
    wordy.metadata = Some(metadata);
    assert!(held(wordy) >= small + length + 5_000 * size_of::<String>(), "its search terms count");
}

/// A request that the database refuses does not fail its neighbours, and they are counted like all others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_a_failed_group_that_are_tried_alone_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("ledgerline.db").display());
    let place = Place::of("acme", url.clone(), folder.path().to_owned());
    let service = place.service().await;
    let client = place.client();
    let send = async |action: &str| {
        let input = json!({ "action": action, "actor": { "kind": "SYSTEM" } });
        client.ask(&service.base, RECORD, json!({ "input": input })).await.expect("an answer")
    };
    assert!(send("user.login").await["errors"].is_null());
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    other
        .execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.action = 'thing.bad' \
             BEGIN SELECT RAISE (ABORT, 'refused by the test'); END",
        )
        .await
        .unwrap();
    // While the file is locked the requests wait, and become one group.
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let (answers, ()) = tokio::join!(
        async { tokio::join!(send("a.b"), send("c.d"), send("thing.bad"), send("e.f"), send("g.h")) },
        async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            other.execute("ROLLBACK").await.unwrap();
        }
    );
    let codes = [answers.0, answers.1, answers.2, answers.3, answers.4]
        .map(|answer: Value| answer["errors"][0]["extensions"]["code"].as_str().map(str::to_owned));
    assert_eq!(codes.map(Option::unwrap_or_default), ["", "", "INTERNAL", "", ""]);
    let metrics = reqwest::get(format!("{}/metrics", service.base)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\nledgerline_events_recorded_total 5\n"), "{metrics}");
    assert!(metrics.contains("\nledgerline_recording_failed_total 1\n"), "{metrics}");
    service.kill();
}
