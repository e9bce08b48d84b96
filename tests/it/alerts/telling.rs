use std::time::Duration;

use serde_json::{Value, json};

use super::{alone, alone_and_moved, endpoint, has_fired, known, record, rule, update};
use crate::harness::{
    TestApp, event, eventually, on_both_databases,
    receiver::{Receiver, Reply},
};

on_both_databases! {
    a_receiver_that_fails_twice_is_told_at_last,
    a_message_that_nobody_takes_is_given_up,
    a_receiver_that_is_gone_for_a_week_is_not_told_any_more,
    a_deleted_endpoint_is_told_nothing,
    a_deleted_rule_tells_nothing,
    a_paused_endpoint_is_told_later,
    a_rule_that_tells_somebody_else_tells_them_alone,
    one_that_hangs_keeps_nobody_waiting,
}

async fn a_receiver_that_fails_twice_is_told_at_last(app: &TestApp) {
    let (app, clock) = alone_and_moved(app).await;
    let receiver = Receiver::scripted(|_| Reply::Status(503)).await;
    let admin = app.admin("workspace", "acme").lasting();
    let endpoint = endpoint(&admin, &receiver).await;
    let id = rule(&admin, &endpoint, "a.b", json!({})).await;
    record(&admin, "a.b", 1).await;
    receiver.has(1).await;
    eventually(async || known(&admin, &id).await["sendTrouble"] == "HTTP 503").await;
    // Not before its time.
    clock.by_seconds(2);
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert_eq!(receiver.got().len(), 1);
    clock.by_seconds(4);
    receiver.has(2).await;
    let waiting = known(&admin, &id).await;
    assert_eq!((&waiting["waitingMessages"], &waiting["lastSentAt"]), (&json!(1), &Value::Null));
    receiver.answers(|_| Reply::Status(200));
    clock.by_seconds(331);
    let got = receiver.has(3).await;
    let ids: Vec<_> = got.iter().map(|sent| sent.header("webhook-id").to_owned()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "a repeat has the same id: {ids:?}");
    eventually(async || known(&admin, &id).await["waitingMessages"] == 0).await;
    let rule = known(&admin, &id).await;
    assert_eq!((&rule["sendTrouble"], rule["lastSentAt"].is_string()), (&Value::Null, true));
    clock.by_seconds(90_000);
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert_eq!(receiver.got().len(), 3, "what has arrived is not sent again");
    has_fired(&admin, 1).await;
    app.finish().await;
}

async fn a_message_that_nobody_takes_is_given_up(app: &TestApp) {
    let (app, clock) = alone_and_moved(app).await;
    let receiver = Receiver::scripted(|_| Reply::Status(400)).await;
    let admin = app.admin("workspace", "acme").lasting();
    let endpoint = endpoint(&admin, &receiver).await;
    let id = rule(&admin, &endpoint, "a.b", json!({})).await;
    record(&admin, "a.b", 1).await;
    for tries in 1..=4 {
        receiver.has(tries).await;
        clock.by_seconds(40 * 60);
    }
    eventually(async || known(&admin, &id).await["waitingMessages"] == 0).await;
    let rule = known(&admin, &id).await;
    assert_eq!((&rule["sendTrouble"], &rule["firings"]), (&json!("HTTP 400"), &json!("1")));
    clock.by_seconds(90_000);
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert_eq!(receiver.got().len(), 4);
    app.finish().await;
}

async fn a_receiver_that_is_gone_for_a_week_is_not_told_any_more(app: &TestApp) {
    let (app, clock) = alone_and_moved(app).await;
    let receiver = Receiver::scripted(|_| Reply::Status(503)).await;
    let admin = app.admin("workspace", "acme").lasting();
    let endpoint = endpoint(&admin, &receiver).await;
    let id = rule(&admin, &endpoint, "a.b", json!({})).await;
    record(&admin, "a.b", 1).await;
    for tries in 1..=7 {
        receiver.has(tries).await;
        eventually(async || known(&admin, &id).await["sendTrouble"] == "HTTP 503").await;
        clock.by_seconds(86_400);
    }
    // More than a week after it fired it is tried for the last time.
    receiver.has(8).await;
    eventually(async || known(&admin, &id).await["waitingMessages"] == 0).await;
    clock.by_seconds(10 * 86_400);
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert_eq!(receiver.got().len(), 8);
    // The next alert is told as ever.
    receiver.answers(|_| Reply::Status(200));
    record(&admin, "a.b", 1).await;
    receiver.has(9).await;
    app.finish().await;
}

async fn delete_endpoint(admin: &crate::harness::Caller<'_>, id: &str) {
    let query = "mutation($input: EndpointInput!) { deleteEndpoint(input: $input) { endpoint { id } } }";
    admin.data(query, json!({ "input": { "id": id } })).await;
}

async fn a_deleted_endpoint_is_told_nothing(app: &TestApp) {
    let (app, clock) = alone_and_moved(app).await;
    let receiver = Receiver::scripted(|_| Reply::Status(503)).await;
    let admin = app.admin("workspace", "acme").lasting();
    let endpoint = endpoint(&admin, &receiver).await;
    let id = rule(&admin, &endpoint, "a.b", json!({})).await;
    record(&admin, "a.b", 1).await;
    receiver.has(1).await;
    delete_endpoint(&admin, &endpoint).await;
    receiver.answers(|_| Reply::Status(200));
    receiver.forget();
    clock.by_seconds(10);
    let gone = async || {
        let rule = known(&admin, &id).await;
        rule["waitingMessages"] == 0 && rule["sendTrouble"] == "the endpoint was deleted"
    };
    eventually(gone).await;
    // The rule still counts, and its firings stand in the log.
    record(&admin, "a.b", 1).await;
    has_fired(&admin, 2).await;
    eventually(gone).await;
    assert!(receiver.got().is_empty());
    // It can be paused, and go on with another endpoint.
    assert_eq!(update(&admin, &id, json!({ "paused": true })).await["status"], "PAUSED");
    let other = super::endpoint(&admin, &receiver).await;
    update(&admin, &id, json!({ "paused": false, "target": { "endpoint": other } })).await;
    record(&admin, "a.b", 1).await;
    receiver.has(1).await;
    app.finish().await;
}

async fn a_deleted_rule_tells_nothing(app: &TestApp) {
    let (app, clock) = alone_and_moved(app).await;
    let receiver = Receiver::scripted(|_| Reply::Status(503)).await;
    let admin = app.admin("workspace", "acme").lasting();
    let endpoint = endpoint(&admin, &receiver).await;
    let id = rule(&admin, &endpoint, "a.b", json!({})).await;
    record(&admin, "a.b", 1).await;
    receiver.has(1).await;
    let delete = "mutation($input: AlertRuleInput!) { deleteAlertRule(input: $input) { rule { id } } }";
    admin.data(delete, json!({ "input": { "id": id } })).await;
    receiver.answers(|_| Reply::Status(200));
    clock.by_seconds(10);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(receiver.got().len(), 1);
    app.finish().await;
}

async fn a_paused_endpoint_is_told_later(app: &TestApp) {
    let (app, clock) = alone_and_moved(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme").lasting();
    let endpoint = endpoint(&admin, &receiver).await;
    let id = rule(&admin, &endpoint, "a.b", json!({})).await;
    let pause = async |paused: bool| {
        let query = "mutation($input: UpdateEndpointInput!) { updateEndpoint(input: $input) { endpoint { id } } }";
        admin.data(query, json!({ "input": { "id": endpoint, "paused": paused } })).await;
    };
    pause(true).await;
    record(&admin, "a.b", 1).await;
    has_fired(&admin, 1).await;
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert!(receiver.got().is_empty());
    let waiting = known(&admin, &id).await;
    assert_eq!((&waiting["waitingMessages"], &waiting["sendTrouble"]), (&json!(1), &Value::Null));
    pause(false).await;
    clock.by_seconds(61);
    receiver.has(1).await;
    app.finish().await;
}

async fn a_rule_that_tells_somebody_else_tells_them_alone(app: &TestApp) {
    let (app, clock) = alone_and_moved(app).await;
    let (before, after) = (Receiver::scripted(|_| Reply::Status(503)).await, Receiver::start().await);
    let admin = app.admin("workspace", "acme").lasting();
    let (old, new) = (endpoint(&admin, &before).await, endpoint(&admin, &after).await);
    let id = rule(&admin, &old, "a.b", json!({})).await;
    record(&admin, "a.b", 1).await;
    before.has(1).await;
    update(&admin, &id, json!({ "target": { "endpoint": new } })).await;
    clock.by_seconds(400);
    eventually(async || known(&admin, &id).await["waitingMessages"] == 0).await;
    record(&admin, "a.b", 1).await;
    after.has(1).await;
    assert_eq!((before.got().len(), after.got().len()), (1, 1));
    app.finish().await;
}

async fn one_that_hangs_keeps_nobody_waiting(app: &TestApp) {
    let app = alone(app).await;
    let slow = Receiver::scripted(|_| Reply::Late(Duration::from_secs(40))).await;
    let fast = Receiver::start().await;
    let (hostile, other) = (app.admin("workspace", "hostile"), app.admin("workspace", "other"));
    let theirs = endpoint(&hostile, &slow).await;
    for _ in 0..20 {
        rule(&hostile, &theirs, "a.b", json!({})).await;
    }
    hostile.record(event("a.b")).await;
    slow.has(4).await;
    let ours = endpoint(&other, &fast).await;
    let id = rule(&other, &ours, "a.b", json!({})).await;
    for tries in 1..=3 {
        other.record(event("a.b")).await;
        fast.has_within(tries, Duration::from_secs(5)).await;
        tokio::time::sleep(Duration::from_millis(1_300)).await;
    }
    assert_eq!(known(&other, &id).await["firings"], "3");
    assert_eq!(slow.got().len(), 4, "of one organization, so many at a time");
    app.finish().await;
}
