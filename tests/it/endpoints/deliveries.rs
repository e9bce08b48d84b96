use std::time::{Duration, Instant};

use serde_json::json;
use standardwebhooks::Webhook;

use super::{alone, create, here, list, only, sending, update};
use crate::harness::{
    TestApp, as_of_a_cluster, event, on_both_databases,
    receiver::{Receiver, Reply},
};

on_both_databases! {
    what_is_recorded_arrives_signed_and_in_order,
    an_endpoint_gets_what_it_asks_for_and_its_maker_may_read,
    who_changes_a_narrowed_endpoint_widens_it_only_with_its_question,
    a_large_event_comes_without_its_metadata,
    a_new_secret_is_used_beside_the_old_one,
    history_is_sent_again_with_the_same_ids,
    a_paused_endpoint_keeps_its_place,
    another_organizations_events_arrive_nowhere_else,
    two_processes_send_each_event_once,
    a_restart_goes_on_where_it_was,
    one_that_hangs_keeps_nobody_waiting,
}

as_of_a_cluster! {
    what_is_recorded_arrives_signed_and_in_order,
    a_restart_goes_on_where_it_was,
}

async fn what_is_recorded_arrives_signed_and_in_order(app: &TestApp) {
    let app = sending(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    admin.record(event("before.it")).await;
    let (id, secret) = create(&admin, &receiver.url, json!(null)).await;
    for n in 0..30 {
        admin.record(event(&format!("thing.{n}"))).await;
    }
    admin.record_all((30..150).map(|n| event(&format!("thing.{n}"))).collect()).await;
    let got = receiver.has(151).await;
    // It begins with the event that tells of it.
    assert_eq!(receiver.sequences(), (1..=151).collect::<Vec<_>>());
    assert_eq!(got[0].json()["data"]["action"], "audit_log.endpoint_created");
    let signer = Webhook::new(&secret).expect("a secret");
    for sent in &got {
        signer.verify(&sent.body, &sent.headers).expect("a signature");
        assert_eq!(sent.header("content-type"), "application/json");
        let body = sent.json();
        assert_eq!(body["type"], "audit_event.recorded");
        assert_eq!(body["data"]["id"], sent.header("webhook-id"));
        assert_eq!(body["timestamp"], body["data"]["recorded_at"]);
    }
    crate::harness::eventually(async || only(&admin).await["nextSequence"] == "152").await;
    let endpoint = only(&admin).await;
    assert_eq!(
        (&endpoint["id"], &endpoint["status"], &endpoint["trouble"]),
        (&json!(id), &json!("ACTIVE"), &json!(null))
    );
    assert_eq!(endpoint["attempts"].as_array().map(Vec::len), Some(100), "the last hundred are kept");
    assert!(!serde_json::to_string(&endpoint).expect("JSON").contains(&secret));
    assert_eq!(admin.actions("first: 1, filter: { actions: [\"audit_log.*\"] }").await, ["audit_log.endpoint_created"]);
    app.finish().await;
}

async fn an_endpoint_gets_what_it_asks_for_and_its_maker_may_read(app: &TestApp) {
    let app = sending(app).await;
    let (wanted, narrow) = (Receiver::start().await, Receiver::start().await);
    let admin = app.admin("workspace", "acme");
    let within = |project: &str, action: &str| {
        let mut event = event(action);
        event["log"] = json!({ "level": "project", "id": project });
        event
    };
    admin.record_all(vec![within("p1", "a.b"), within("p2", "a.b")]).await;
    let question = json!({ "filter": { "actions": ["wanted.*"] }, "search": "needle" });
    create(&admin, &wanted.url, question).await;
    let narrowed = app.admin("workspace", "acme").logs(&["project:p1"]);
    create(&narrowed, &narrow.url, json!(null)).await;
    let told = |receiver: &Receiver| {
        receiver.got().iter().map(|sent| sent.json()["data"]["action"].clone()).collect::<Vec<_>>()
    };
    let found = |action: &str| {
        let mut event = event(action);
        event["metadata"] = json!({ "note": "a needle" });
        event
    };
    admin
        .record_all(vec![found("other.one"), event("wanted.two"), found("wanted.three"), within("p2", "p2.touched")])
        .await;
    admin.record_all(vec![within("p1", "p1.touched"), found("wanted.four")]).await;
    wanted.has(2).await;
    narrow.has(2).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(told(&wanted), ["wanted.three", "wanted.four"]);
    // The event that tells of the narrowed one stands in its log.
    assert_eq!(told(&narrow), ["audit_log.endpoint_created", "p1.touched"]);
    let refused = "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { secret } }";
    let foreign = json!({ "label": "x", "target": { "webhook": { "url": wanted.url } },
        "question": { "log": { "level": "project", "id": "p2" } } });
    assert_eq!(narrowed.ask(refused, json!({ "input": foreign })).await.code(), "FORBIDDEN");
    app.finish().await;
}

async fn who_changes_a_narrowed_endpoint_widens_it_only_with_its_question(app: &TestApp) {
    let app = sending(app).await;
    let receiver = Receiver::start().await;
    let (admin, staff) = (app.admin("workspace", "acme"), app.caller("workspace").subject("staff-1"));
    let staff = staff.scopes("audit:staff audit:read audit:manage");
    let narrowed = app.admin("workspace", "acme").logs(&["project:p1"]);
    let within = |project: &str, action: &str| {
        let mut event = event(action);
        event["log"] = json!({ "level": "project", "id": project });
        event
    };
    admin.record_all(vec![within("p1", "a.b"), within("p2", "a.b")]).await;
    create(&narrowed, &receiver.url, json!(null)).await;
    let id = only(&narrowed).await["id"].as_str().expect("an id").to_owned();
    let got = || {
        let actions = receiver.got().into_iter().map(|sent| sent.json()["data"]["action"].clone());
        actions.filter(|action| !action.as_str().unwrap_or_default().starts_with("audit_log.")).collect::<Vec<_>>()
    };
    // Another label by others who may read more.
    update(&admin, &id, json!({ "label": "Theirs" })).await;
    update(&staff, &id, json!({ "organization": "acme", "paused": false })).await;
    admin.record_all(vec![within("p2", "p2.one"), event("own.one"), within("p1", "p1.one")]).await;
    receiver.has(2).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(got(), ["p1.one"]);
    // Other events, asked for by whoever may read them all.
    let question = json!({ "includeNested": true, "filter": { "actions": ["own.*", "p1.*", "p2.*"] } });
    let changed = update(&admin, &id, json!({ "question": question })).await;
    assert_eq!(
        changed["question"],
        json!({ "v": 1, "includeNested": true, "filter": { "actions": ["own.*", "p1.*", "p2.*"] } })
    );
    assert_eq!(list(&narrowed).await, Vec::<serde_json::Value>::new());
    admin.record_all(vec![within("p2", "p2.two"), event("own.two"), within("p1", "p1.two")]).await;
    receiver.has(5).await;
    assert_eq!(got(), ["p1.one", "p2.two", "own.two", "p1.two"]);
    app.finish().await;
}

async fn a_large_event_comes_without_its_metadata(app: &TestApp) {
    let app = app.beside_with(|settings| {
        here(settings);
        settings.public_url = Some("https://audit.example/".to_owned());
    });
    let app = app.await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    create(&admin, &receiver.url, json!(null)).await;
    let mut large = event("large.one");
    large["metadata"] = json!({ "text": "x".repeat(25_000) });
    let id = admin.record(large).await["event"]["id"].clone();
    let got = receiver.has(2).await;
    let body = got[1].json();
    assert!(got[1].body.len() < 20_000);
    assert_eq!((&body["truncated"], &body["data"]["metadata"]), (&json!(true), &json!({})));
    assert_eq!(body["url"], format!("https://audit.example/v1/audit-events/{}", id.as_str().expect("an id")));
    assert!(got[0].json().get("truncated").is_none());
    app.finish().await;
}

async fn a_new_secret_is_used_beside_the_old_one(app: &TestApp) {
    let app = sending(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let (id, old) = create(&admin, &receiver.url, json!(null)).await;
    let rotate = "mutation($input: RotateEndpointSecretInput!) { rotateEndpointSecret(input: $input) { secret } }";
    let rotated = async |overlap: i64| {
        let data = admin.data(rotate, json!({ "input": { "id": id, "overlap": overlap } })).await;
        data["rotateEndpointSecret"]["secret"].as_str().expect("a secret").to_owned()
    };
    let new = rotated(3_600).await;
    let sent = receiver.has(2).await.pop().expect("the event that tells of it");
    for secret in [&old, &new] {
        Webhook::new(secret).expect("a secret").verify(&sent.body, &sent.headers).expect("a signature");
    }
    let newest = rotated(0).await;
    let sent = receiver.has(3).await.pop().expect("the event that tells of it");
    Webhook::new(&newest).expect("a secret").verify(&sent.body, &sent.headers).expect("a signature");
    for secret in [&old, &new] {
        assert!(Webhook::new(secret).expect("a secret").verify(&sent.body, &sent.headers).is_err());
    }
    app.finish().await;
}

async fn history_is_sent_again_with_the_same_ids(app: &TestApp) {
    let app = sending(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    admin.record_all((0..20).map(|n| event(&format!("old.{n}"))).collect()).await;
    let (id, _) = create(&admin, &receiver.url, json!(null)).await;
    receiver.has(1).await;
    receiver.forget();
    let replay = "mutation($input: ReplayEndpointInput!) { replayEndpoint(input: $input) { endpoint { id } } }";
    let range = json!({ "input": { "id": id, "fromSequence": "5", "toSequence": "15" } });
    admin.data(replay, range).await;
    receiver.has(11).await;
    let mut sequences = receiver.sequences();
    sequences.sort_unstable();
    assert_eq!(sequences, [(5..15).collect::<Vec<_>>(), vec![21]].concat(), "and the event that tells of it");
    let ids = |receiver: &Receiver| {
        receiver
            .got()
            .iter()
            .filter(|sent| sent.sequence() < 20)
            .map(|sent| sent.header("webhook-id").to_owned())
            .collect::<Vec<_>>()
    };
    let first = ids(&receiver);
    receiver.forget();
    let in_numbers = json!({ "input": { "id": id, "fromSequence": 5, "toSequence": 15 } });
    admin.data(replay, in_numbers).await;
    receiver.has(11).await;
    assert_eq!(ids(&receiver), first);
    for wrong in [
        json!({ "fromSequence": "5" }),
        json!({ "fromSequence": "5", "toSequence": "5" }),
        json!({ "fromSequence": 5.5, "toSequence": 9 }),
        json!({}),
        json!({ "fromSequence": "5", "toSequence": "9", "deadLetters": true }),
    ] {
        let mut input = wrong;
        input["id"] = json!(id);
        assert_eq!(admin.ask(replay, json!({ "input": input })).await.code(), "BAD_USER_INPUT");
    }
    app.finish().await;
}

async fn a_paused_endpoint_keeps_its_place(app: &TestApp) {
    let app = sending(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let (id, _) = create(&admin, &receiver.url, json!(null)).await;
    receiver.has(1).await;
    assert_eq!(update(&admin, &id, json!({ "paused": true })).await["status"], "PAUSED");
    admin.record_all((0..5).map(|n| event(&format!("meanwhile.{n}"))).collect()).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let before = receiver.got().len();
    assert!(before <= 2, "at most the event that tells of the pause: {:?}", receiver.sequences());
    update(&admin, &id, json!({ "paused": false })).await;
    receiver.has(8).await;
    let mut sequences = receiver.sequences();
    sequences.dedup();
    assert_eq!(sequences, (0..8).collect::<Vec<_>>());
    app.finish().await;
}

async fn another_organizations_events_arrive_nowhere_else(app: &TestApp) {
    let app = sending(app).await;
    let (acme, globex) = (app.admin("workspace", "acme"), app.admin("workspace", "globex"));
    let (ours, theirs) = (Receiver::start().await, Receiver::start().await);
    let (id, _) = create(&acme, &ours.url, json!(null)).await;
    create(&globex, &theirs.url, json!(null)).await;
    for n in 0..10 {
        acme.record(event(&format!("acme.{n}"))).await;
        globex.record(event(&format!("globex.{n}"))).await;
    }
    for (receiver, own) in [(&ours, "acme"), (&theirs, "globex")] {
        for sent in &receiver.has(11).await[1..] {
            assert!(sent.json()["data"]["action"].as_str().is_some_and(|action| action.starts_with(own)));
            assert_eq!(sent.json()["data"]["log"]["external_id"], own);
        }
    }
    // Nor can one manage the other's.
    let input = json!({ "input": { "id": id } });
    for (name, kind) in [
        ("deleteEndpoint", "EndpointInput"),
        ("testEndpoint", "EndpointInput"),
        ("rotateEndpointSecret", "RotateEndpointSecretInput"),
        ("updateEndpoint", "UpdateEndpointInput"),
    ] {
        let query = format!("mutation($input: {kind}!) {{ {name}(input: $input) {{ __typename }} }}");
        assert_eq!(globex.ask(&query, input.clone()).await.code(), "NOT_FOUND", "{name}");
    }
    let named = globex.ask("{ auditEndpoints(organization: \"acme\") { id } }", json!({})).await;
    assert_eq!(named.code(), "NOT_FOUND");
    assert_eq!(list(&globex).await.len(), 1);
    app.finish().await;
}

async fn two_processes_send_each_event_once(app: &TestApp) {
    // On a database of their own: a third process may not send to this machine, and would put the endpoint off.
    let (one, _) = alone(app).await;
    let two = one.beside_with(here).await;
    let receiver = Receiver::start().await;
    create(&one.admin("workspace", "acme"), &receiver.url, json!(null)).await;
    for n in 0..100 {
        let process = if n % 2 == 0 { &one } else { &two };
        process.admin("workspace", "acme").record(event(&format!("thing.{n}"))).await;
    }
    receiver.has(101).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(receiver.sequences(), (0..101).collect::<Vec<_>>());
    one.finish().await;
    // The other one goes on when the first has stopped, without a gap.
    let admin = two.admin("workspace", "acme");
    for n in 0..10 {
        admin.record(event(&format!("more.{n}"))).await;
    }
    receiver.has(111).await;
    assert_eq!(receiver.sequences(), (0..111).collect::<Vec<_>>());
    two.finish().await;
}

async fn a_restart_goes_on_where_it_was(app: &TestApp) {
    let first = sending(app).await;
    let receiver = Receiver::scripted(|_| Reply::Status(503)).await;
    let admin = first.admin("workspace", "acme");
    create(&admin, &receiver.url, json!(null)).await;
    admin.record_all((1..10).map(|n| event(&format!("thing.{n}"))).collect()).await;
    receiver.has(1).await;
    first.finish().await;
    receiver.answers(|_| Reply::Status(200));
    receiver.forget();
    let again = sending(app).await;
    receiver.has(10).await;
    assert_eq!(receiver.sequences(), (0..10).collect::<Vec<_>>());
    again.finish().await;
}

async fn one_that_hangs_keeps_nobody_waiting(app: &TestApp) {
    let app = sending(app).await;
    let slow = Receiver::scripted(|_| Reply::Late(Duration::from_secs(40))).await;
    let fast = Receiver::start().await;
    let (hostile, other) = (app.admin("workspace", "hostile"), app.admin("workspace", "other"));
    for _ in 0..10 {
        create(&hostile, &slow.url, json!(null)).await;
    }
    create(&other, &fast.url, json!(null)).await;
    fast.has(1).await;
    slow.has(4).await;
    for n in 0..20 {
        let begun = Instant::now();
        other.record(event(&format!("thing.{n}"))).await;
        fast.has(n + 2).await;
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
    app.finish().await;
}
