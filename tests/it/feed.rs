//! The feed: whoever polls it gets every event once, in the order of recording, whoever records meanwhile.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    harness::{Answer, TestApp, as_of_a_cluster, event, on_both_databases},
    rest::{get, told_of},
};

on_both_databases! {
    a_reader_beside_many_writers_of_two_processes_gets_every_event_once_in_order,
    a_feed_waits_for_what_comes_and_no_longer_than_it_was_asked_to,
    a_place_holds_over_events_that_the_filter_leaves_out,
    a_feed_is_of_one_organization_and_one_log,
    what_a_feed_does_not_take_is_named,
}

as_of_a_cluster! {
    a_place_holds_over_events_that_the_filter_leaves_out,
}

const FEED: &str = "/v1/audit-events/feed";

fn sequences(answer: &Answer) -> Vec<i64> {
    assert_eq!(answer.status, 200, "{}", answer.json());
    let data = answer.json()["data"].clone();
    data.as_array().expect("data").iter().map(|event| event["sequence"].as_i64().expect("a number")).collect()
}

fn end(answer: &Answer) -> String {
    answer.json()["page"]["end"].as_str().expect("a cursor").to_owned()
}

async fn a_reader_beside_many_writers_of_two_processes_gets_every_event_once_in_order(app: &TestApp) {
    let beside = app.beside().await;
    let token = app.admin("workspace", "acme").token();
    let writing = futures_util::future::join_all((0..64).map(|writer| {
        let process = if writer % 2 == 0 { app } else { &beside };
        async move {
            let recorder = process.admin("workspace", "acme");
            for n in 0..15 {
                recorder.record(event(&format!("thing.{writer}.{n}"))).await;
            }
        }
    }));
    let reading = async {
        let (mut seen, mut after) = (Vec::new(), String::new());
        while seen.len() < 64 * 15 {
            let answer = get(app, &token, &format!("{FEED}?limit=50&wait=5s{after}")).await;
            seen.extend(sequences(&answer));
            after = format!("&after={}", end(&answer));
        }
        seen
    };
    let (_, seen) = tokio::join!(writing, tokio::time::timeout(Duration::from_secs(60), reading));
    assert_eq!(seen.expect("in time"), (0..64 * 15).collect::<Vec<_>>());
    beside.finish().await;
}

async fn a_feed_waits_for_what_comes_and_no_longer_than_it_was_asked_to(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let token = admin.token();
    // An organization that has recorded nothing has a place, too.
    let nothing = get(app, &token, FEED).await;
    assert_eq!(sequences(&nothing), Vec::<i64>::new());
    let begun = Instant::now();
    let waited = get(app, &token, &format!("{FEED}?wait=1&after={}", end(&nothing))).await;
    assert_eq!(sequences(&waited), Vec::<i64>::new());
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let waiting = get_after(app, &token, end(&waited));
    let recording = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        admin.record(event("first.one")).await;
    };
    let begun = Instant::now();
    let (answer, ()) = tokio::join!(waiting, recording);
    assert_eq!(sequences(&answer), [0]);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

async fn get_after(app: &TestApp, token: &str, after: String) -> Answer {
    get(app, token, &format!("{FEED}?wait=20s&after={after}")).await
}

async fn a_place_holds_over_events_that_the_filter_leaves_out(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let token = admin.token();
    admin.record_all((0..700).map(|n| event(if n == 650 { "wanted.one" } else { "other.one" })).collect()).await;
    let filtered = format!("{FEED}?actions=wanted.*&limit=1");
    let mut answer = get(app, &token, &filtered).await;
    let mut seen = sequences(&answer);
    while answer.json()["page"]["has_next"] == json!(true) {
        answer = get(app, &token, &format!("{filtered}&after={}", end(&answer))).await;
        seen.extend(sequences(&answer));
    }
    assert_eq!(seen, [650]);
    admin.record_all(vec![event("other.one"), event("wanted.two"), event("wanted.three")]).await;
    let next = get(app, &token, &format!("{filtered}&after={}", end(&answer))).await;
    assert_eq!((sequences(&next), &next.json()["page"]["has_next"]), (vec![701], &json!(true)));
    // A cursor of the list by sequence is a place of the feed, and the other way round.
    let list = "/v1/audit-events?actions=wanted.*&order_by_field=SEQUENCE&order_by_direction=ASC";
    let page = get(app, &token, &format!("{list}&after={}", end(&next))).await;
    assert_eq!(sequences(&page), [702]);
    let refused = get(app, &token, &format!("{FEED}?after={}", end(&next))).await;
    assert_eq!(told_of(&refused).2, "after");
}

async fn a_feed_is_of_one_organization_and_one_log(app: &TestApp) {
    let (acme, globex) = (app.admin("workspace", "acme"), app.admin("workspace", "globex"));
    acme.record(event("acme.one")).await;
    globex.record(event("globex.one")).await;
    let of_acme = get(app, &acme.token(), FEED).await;
    assert_eq!(of_acme.json()["data"][0]["action"], "acme.one");
    assert_eq!(sequences(&of_acme).len(), 1);
    let stolen = get(app, &globex.token(), &format!("{FEED}?after={}", end(&of_acme))).await;
    assert_eq!(told_of(&stolen), (400, "BAD_USER_INPUT".to_owned(), "after".to_owned()));
    let named = get(app, &globex.token(), &format!("{FEED}?organization=acme")).await;
    assert_eq!(told_of(&named).1, "NOT_FOUND");
    let recorder = app.admin("workspace", "acme").scopes("audit:record");
    assert_eq!(told_of(&get(app, &recorder.token(), FEED).await).1, "FORBIDDEN");
    let free = app.admin("caputchin", "acme").plan("none-such");
    assert_eq!(told_of(&get(app, &free.token(), &format!("{FEED}?wait=20s")).await).1, "PLAN_REQUIRED");
    let narrowed = app.admin("workspace", "acme").logs(&["project:p1"]);
    let other = get(app, &narrowed.token(), &format!("{FEED}?log=project:p2&wait=20s")).await;
    assert_eq!(told_of(&other).1, "FORBIDDEN");
}

async fn what_a_feed_does_not_take_is_named(app: &TestApp) {
    let token = app.admin("workspace", "acme").token();
    for (query, field) in [
        ("wait=51", "wait"),
        ("wait=-1", "wait"),
        ("wait=soon", "wait"),
        ("wait=1&wait=2", "wait"),
        ("before=x", "before"),
        ("order_by_field=SEQUENCE", "order_by_field"),
        ("period_preset=TODAY", "period_preset"),
        ("include=total", "include"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("after=nonsense", "after"),
        ("action=x", "action"),
    ] {
        let refused = get(app, &token, &format!("{FEED}?{query}")).await;
        assert_eq!(told_of(&refused), (400, "BAD_USER_INPUT".to_owned(), field.to_owned()), "{query}");
    }
    let nobody: Value = app.send(axum::http::Request::get(FEED).body(axum::body::Body::empty()).unwrap()).await.json();
    assert_eq!(nobody["code"], "UNAUTHENTICATED");
}
