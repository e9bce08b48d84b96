use std::time::Duration;

use serde_json::{Value, json};

use super::{Moved, create, here, only, update};
use crate::harness::{
    TestApp, catalogs, event, eventually, on_both_databases,
    receiver::{Receiver, Reply},
};

on_both_databases! {
    a_receiver_that_is_gone_for_seven_days_gets_everything_in_order,
    an_event_that_nobody_takes_is_put_aside_and_can_be_sent_again,
    a_receiver_that_is_gone_for_good_is_left_alone,
    a_receiver_says_how_long_it_wants_to_be_left_alone,
    a_redirect_is_not_followed,
    an_endpoint_whose_product_asks_for_another_plan_gets_nothing,
    a_deleted_endpoint_gets_nothing,
    one_that_is_deleted_during_a_run_gets_no_more,
    one_that_is_changed_during_a_try_is_tried_at_once,
}

/// A service whose clock the test moves, and which may send to this machine.
async fn moved(app: &TestApp) -> (TestApp, Moved) {
    let moved = Moved::new();
    (app.beside_with_clock_and(moved.clock(), here).await, moved)
}

async fn a_receiver_that_is_gone_for_seven_days_gets_everything_in_order(app: &TestApp) {
    let (app, clock) = moved(app).await;
    let receiver = Receiver::scripted(|_| Reply::Status(502)).await;
    let admin = app.admin("workspace", "acme").lasting();
    create(&admin, &receiver.url, json!(null)).await;
    let pauses = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, 86_400, 86_400, 86_400];
    let mut gone = 0;
    for (tries, pause) in pauses.into_iter().enumerate() {
        receiver.has(tries + 1).await;
        eventually(async || only(&admin).await["failures"] == tries + 1).await;
        admin.record(event(&format!("day.{tries}"))).await;
        // Not before its time, though there are new events.
        clock.by_seconds(pause - 3);
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(receiver.got().len(), tries + 1, "after {pause} s");
        // A tenth later at most.
        clock.by_seconds(3 + pause / 10);
        gone += pause;
    }
    assert!(gone > 4 * 86_400, "{gone}");
    receiver.has(pauses.len() + 1).await;
    clock.by_seconds(3 * 86_400);
    receiver.has(pauses.len() + 2).await;
    assert!(receiver.sequences().iter().all(|sequence| *sequence == 0), "one event was tried all the time");
    let trouble = only(&admin).await["trouble"].clone();
    assert_eq!(trouble, "HTTP 502");
    receiver.answers(|_| Reply::Status(200));
    receiver.forget();
    clock.by_seconds(2 * 86_400);
    receiver.has(13).await;
    assert_eq!(receiver.sequences(), (0..13).collect::<Vec<_>>());
    eventually(async || only(&admin).await["trouble"] == Value::Null).await;
    assert_eq!(only(&admin).await["deadLetters"]["totalCount"], 0);
    app.finish().await;
}

async fn an_event_that_nobody_takes_is_put_aside_and_can_be_sent_again(app: &TestApp) {
    let (app, clock) = moved(app).await;
    let receiver = Receiver::scripted(|sent| Reply::Status(if sent.sequence() == 2 { 422 } else { 200 })).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (id, _) = create(&admin, &receiver.url, json!(null)).await;
    admin.record_all((1..5).map(|n| event(&format!("thing.{n}"))).collect()).await;
    for (failures, pause) in [(1, 10), (2, 400), (3, 2_000)] {
        eventually(async || only(&admin).await["failures"] == failures).await;
        clock.by_seconds(pause);
    }
    receiver.has(8).await;
    assert_eq!(receiver.sequences(), [0, 1, 2, 2, 2, 2, 3, 4]);
    eventually(async || only(&admin).await["deadLetters"]["totalCount"] == 1).await;
    let letter = only(&admin).await["deadLetters"]["nodes"][0].clone();
    assert_eq!(letter, json!({ "sequence": "2", "reason": "HTTP 422" }));

    // Sent again while it is refused still, it stays; then it goes.
    let replay = "mutation($input: ReplayEndpointInput!) { replayEndpoint(input: $input) { endpoint { id } } }";
    let again = json!({ "input": { "id": id, "deadLetters": true } });
    receiver.forget();
    admin.data(replay, again.clone()).await;
    receiver.has(2).await;
    assert_eq!(only(&admin).await["deadLetters"]["totalCount"], 1);
    receiver.answers(|_| Reply::Status(200));
    receiver.forget();
    admin.data(replay, again).await;
    eventually(async || only(&admin).await["deadLetters"]["totalCount"] == 0).await;
    assert!(receiver.sequences().contains(&2), "{:?}", receiver.sequences());
    app.finish().await;
}

async fn a_receiver_that_is_gone_for_good_is_left_alone(app: &TestApp) {
    let (app, clock) = moved(app).await;
    let receiver = Receiver::scripted(|_| Reply::Status(410)).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (id, _) = create(&admin, &receiver.url, json!(null)).await;
    eventually(async || only(&admin).await["status"] == "GONE").await;
    admin.record(event("more.one")).await;
    clock.by_seconds(10 * 86_400);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(receiver.got().len(), 1);
    receiver.answers(|_| Reply::Status(200));
    update(&admin, &id, json!({ "paused": false })).await;
    receiver.has(4).await;
    assert_eq!(receiver.sequences()[1..], [0, 1, 2]);
    app.finish().await;
}

async fn a_receiver_says_how_long_it_wants_to_be_left_alone(app: &TestApp) {
    let (app, clock) = moved(app).await;
    let receiver = Receiver::scripted(|_| Reply::With(429, "retry-after", "3600".to_owned())).await;
    let admin = app.admin("workspace", "acme").lasting();
    create(&admin, &receiver.url, json!(null)).await;
    eventually(async || only(&admin).await["failures"] == 1).await;
    clock.by_seconds(3_000);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(receiver.got().len(), 1);
    receiver.answers(|_| Reply::Status(200));
    clock.by_seconds(700);
    receiver.has(2).await;
    app.finish().await;
}

async fn a_redirect_is_not_followed(app: &TestApp) {
    let (app, _) = moved(app).await;
    let inside = Receiver::start().await;
    let to = inside.url.clone();
    let receiver = Receiver::scripted(move |_| Reply::With(307, "location", to.clone())).await;
    let admin = app.admin("workspace", "acme").lasting();
    create(&admin, &receiver.url, json!(null)).await;
    eventually(async || only(&admin).await["trouble"] == "HTTP 307").await;
    assert!(inside.got().is_empty());
    app.finish().await;
}

async fn an_endpoint_whose_product_asks_for_another_plan_gets_nothing(app: &TestApp) {
    let first = app.beside_with(here).await;
    let receiver = Receiver::start().await;
    let admin = first.admin("cloud-sessions", "acme");
    create(&admin, &receiver.url, json!(null)).await;
    receiver.has(1).await;
    first.finish().await;
    receiver.forget();

    // The product's file is changed, and the service started with it: reading takes a plan that the endpoint has not.
    let folder = tempfile::tempdir().expect("a folder");
    for file in std::fs::read_dir(catalogs::folder()).expect("a folder") {
        let file = file.expect("a file").path();
        let text =
            std::fs::read_to_string(&file).expect("text").replace("plans = [\"paid\"]", "plans = [\"platinum\"]");
        std::fs::write(folder.path().join(file.file_name().expect("a name")), text).expect("written");
    }
    let products = ledgerline::catalog::Products::load(folder.path()).unwrap_or_else(|faults| panic!("{faults}"));
    let again = app.beside_with_products_and(products, here).await;
    let platinum = again.admin("cloud-sessions", "acme").plan("platinum");
    let config = again.products.get("cloud-sessions").expect("a product");
    let action = config.catalog.actions.first().expect("an action").name.clone();
    platinum.record(event(&action)).await;
    eventually(async || only(&platinum).await["trouble"].as_str().is_some_and(|why| why.starts_with("PLAN_REQUIRED")))
        .await;
    assert!(receiver.got().is_empty());
    // Whoever has the plan changes it, and it goes on.
    let id = only(&platinum).await["id"].as_str().expect("an id").to_owned();
    update(&platinum, &id, json!({ "label": "Renewed" })).await;
    eventually(async || receiver.sequences().ends_with(&[1, 2])).await;
    again.finish().await;
}

async fn one_that_is_deleted_during_a_run_gets_no_more(app: &TestApp) {
    let app = app.beside_with(here).await;
    let receiver = Receiver::scripted(|_| Reply::Late(Duration::from_millis(100))).await;
    let admin = app.admin("workspace", "acme");
    let (id, _) = create(&admin, &receiver.url, json!(null)).await;
    admin.record_all((0..300).map(|n| event(&format!("queued.{n}"))).collect()).await;
    receiver.has(3).await;
    let delete = "mutation($input: EndpointInput!) { deleteEndpoint(input: $input) { endpoint { id } } }";
    admin.data(delete, json!({ "input": { "id": id } })).await;
    let before = receiver.got().len();
    let after =
        admin.record(event("after.it")).await["sequence"].as_str().expect("text").parse::<i64>().expect("a number");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let stopped = receiver.got().len();
    assert!(stopped - before <= 12, "a second of them: {before} {stopped}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(receiver.got().len(), stopped);
    assert!(receiver.sequences().iter().all(|sequence| *sequence < after));
    app.finish().await;
}

async fn one_that_is_changed_during_a_try_is_tried_at_once(app: &TestApp) {
    let (app, clock) = super::alone(app).await;
    let wrong = Receiver::scripted(|_| Reply::Status(503)).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (id, _) = create(&admin, &wrong.url, json!(null)).await;
    for (failures, pause) in [(1, 6), (2, 331)] {
        eventually(async || only(&admin).await["failures"] == failures).await;
        clock.by_seconds(pause);
    }
    eventually(async || only(&admin).await["failures"] == 3).await;
    // While the wrong one is tried once more, and before it says so, somebody gives the right one.
    wrong.answers(|_| Reply::Late(Duration::from_secs(20)));
    wrong.forget();
    clock.by_seconds(1_981);
    wrong.has(1).await;
    let right = Receiver::start().await;
    update(&admin, &id, json!({ "target": { "webhook": { "url": right.url } } })).await;
    right.has_within(2, Duration::from_secs(40)).await;
    assert_eq!(right.sequences(), [0, 1]);
    eventually(async || only(&admin).await["trouble"].is_null()).await;
    app.finish().await;
}

async fn a_deleted_endpoint_gets_nothing(app: &TestApp) {
    let (app, clock) = moved(app).await;
    let receiver = Receiver::scripted(|_| Reply::Status(500)).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (id, _) = create(&admin, &receiver.url, json!(null)).await;
    admin.record(event("waiting.one")).await;
    eventually(async || only(&admin).await["failures"] == 1).await;
    let delete = "mutation($input: EndpointInput!) { deleteEndpoint(input: $input) { endpoint { id } } }";
    admin.data(delete, json!({ "input": { "id": id } })).await;
    let before = receiver.got().len();
    receiver.answers(|_| Reply::Status(200));
    clock.by_seconds(86_400);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(receiver.got().len(), before);
    assert!(super::list(&admin).await.is_empty());
    assert_eq!(admin.ask(delete, json!({ "input": { "id": id } })).await.code(), "NOT_FOUND");
    app.finish().await;
}
