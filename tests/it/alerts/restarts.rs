use std::{collections::BTreeSet, time::Duration};

use serde_json::json;

use super::{alone, by, endpoint, fires_no_more_than, firings, has_fired, here, known, record, rule};
use crate::harness::{
    TestApp, event, eventually, on_both_databases,
    receiver::{Receiver, Reply},
};

on_both_databases! {
    a_restart_goes_on_with_the_window,
    a_restart_knows_whom_it_has_fired_for,
    a_restart_tells_what_was_not_told,
    a_restart_counts_what_was_recorded_meanwhile,
    two_processes_fire_once,
    another_process_goes_on_where_one_stopped,
}

/// The alerts that somebody was told of. A service that is stopped between a message and its receipt sends that once more.
fn told(receiver: &Receiver) -> BTreeSet<String> {
    receiver.got().iter().map(|sent| sent.header("webhook-id").to_owned()).collect()
}

async fn a_restart_goes_on_with_the_window(app: &TestApp) {
    let first = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = first.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    rule(&admin, &endpoint, "a.b", json!({ "threshold": 5, "windowSeconds": 3_600 })).await;
    record(&admin, "a.b", 3).await;
    fires_no_more_than(&admin, 0).await;
    let second = first.again(here).await;
    let admin = second.admin("workspace", "acme");
    record(&admin, "a.b", 1).await;
    fires_no_more_than(&admin, 0).await;
    let third = second.again(here).await;
    let admin = third.admin("workspace", "acme");
    record(&admin, "a.b", 1).await;
    let fired = has_fired(&admin, 1).await;
    assert_eq!(fired[0]["metadata"]["count"], 5);
    receiver.has(1).await;
    let fourth = third.again(here).await;
    let admin = fourth.admin("workspace", "acme");
    record(&admin, "a.b", 10).await;
    fires_no_more_than(&admin, 1).await;
    assert_eq!(told(&receiver).len(), 1);
    fourth.finish().await;
}

async fn a_restart_knows_whom_it_has_fired_for(app: &TestApp) {
    let mut app = alone(app).await;
    let receiver = Receiver::start().await;
    {
        let admin = app.admin("workspace", "acme");
        let endpoint = endpoint(&admin, &receiver).await;
        rule(&admin, &endpoint, "a.b", json!({ "threshold": 3, "windowSeconds": 3_600, "per": "ACTOR" })).await;
    }
    // x fires in the midst of others, which go on over restarts.
    let parts =
        [vec!["x", "y", "x", "z", "x", "y"], vec!["x", "x", "x", "z"], vec!["y", "x"], vec!["z", "y", "z", "z"]];
    for (part, expected) in parts.iter().zip([1, 1, 2, 3]) {
        let admin = app.admin("workspace", "acme");
        for actor in part {
            admin.record(by("a.b", actor)).await;
        }
        has_fired(&admin, expected).await;
        fires_no_more_than(&admin, expected).await;
        app = app.again(here).await;
    }
    eventually(async || told(&receiver).len() == 3).await;
    app.finish().await;
}

async fn a_restart_tells_what_was_not_told(app: &TestApp) {
    let first = alone(app).await;
    let receiver = Receiver::scripted(|_| Reply::Status(503)).await;
    let admin = first.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    let id = rule(&admin, &endpoint, "a.b", json!({})).await;
    record(&admin, "a.b", 1).await;
    receiver.has(1).await;
    eventually(async || known(&admin, &id).await["sendTrouble"].is_string()).await;
    let fired = firings(&admin).await;
    let second = first.again(here).await;
    receiver.answers(|_| Reply::Status(200));
    receiver.forget();
    let got = receiver.has(1).await;
    assert_eq!(json!(got[0].header("webhook-id")), fired[0]["id"]);
    let admin = second.admin("workspace", "acme");
    eventually(async || known(&admin, &id).await["waitingMessages"] == 0).await;
    fires_no_more_than(&admin, 1).await;
    assert_eq!(receiver.got().len(), 1);
    second.finish().await;
}

async fn a_restart_counts_what_was_recorded_meanwhile(app: &TestApp) {
    let first = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = first.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    rule(&admin, &endpoint, "a.b", json!({ "threshold": 5 })).await;
    // Stopped at once: whether it has fired by then or not, it has fired once in the end.
    admin.record_all(vec![event("a.b"); 7]).await;
    let second = first.again(here).await;
    let admin = second.admin("workspace", "acme");
    has_fired(&admin, 1).await;
    receiver.has(1).await;
    fires_no_more_than(&admin, 1).await;
    second.finish().await;
}

async fn two_processes_fire_once(app: &TestApp) {
    let one = alone(app).await;
    let two = one.beside_with(here).await;
    let receiver = Receiver::start().await;
    let admin = one.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    for n in 0..10 {
        // Made in turn, so that each process has some.
        let process = if n % 2 == 0 { &one } else { &two };
        rule(&process.admin("workspace", "acme"), &endpoint, "a.b", json!({ "threshold": 5, "windowSeconds": 600 }))
            .await;
    }
    let others = two.admin("workspace", "acme");
    for n in 0..30 {
        let process = if n % 3 == 0 { &admin } else { &others };
        process.record(event("a.b")).await;
    }
    has_fired(&admin, 10).await;
    fires_no_more_than(&admin, 10).await;
    receiver.has(10).await;
    assert_eq!((told(&receiver).len(), receiver.got().len()), (10, 10));
    let rules: BTreeSet<_> =
        firings(&admin).await.iter().map(|fired| fired["resources"][0]["externalId"].to_string()).collect();
    assert_eq!(rules.len(), 10, "each rule has fired");
    two.finish().await;
    one.finish().await;
}

async fn another_process_goes_on_where_one_stopped(app: &TestApp) {
    let one = alone(app).await;
    let two = one.beside_with(here).await;
    let receiver = Receiver::start().await;
    let admin = one.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    rule(&admin, &endpoint, "a.b", json!({ "threshold": 4, "windowSeconds": 600 })).await;
    record(&admin, "a.b", 2).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    one.finish().await;
    let admin = two.admin("workspace", "acme");
    record(&admin, "a.b", 1).await;
    fires_no_more_than(&admin, 0).await;
    record(&admin, "a.b", 1).await;
    has_fired(&admin, 1).await;
    receiver.has(1).await;
    two.finish().await;
}
