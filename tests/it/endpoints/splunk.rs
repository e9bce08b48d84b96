use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::{Moved, are_refused, create_at, here, is_told_nowhere, list, only, sending, test, update};
use crate::harness::{
    TestApp, event, eventually, on_both_databases,
    receiver::{Receiver, Reply, Sent},
};

on_both_databases! {
    events_arrive_in_batches_as_splunk_takes_them,
    a_token_that_is_wrong_keeps_everything_until_it_is_replaced,
    a_collector_that_is_busy_gets_everything_later,
    an_event_that_splunk_cannot_read_is_put_aside_alone,
    what_breaks_a_rule_is_named,
}

const TOKEN: &str = "0f1e2d3c-hush-4b5a-9687-7465a3b2c1d0";

/// The objects of a request.
fn objects(sent: &Sent) -> Vec<Value> {
    let mut text = String::new();
    if sent.header("content-encoding") == "gzip" {
        GzDecoder::new(&sent.body[..]).read_to_string(&mut text).expect("gzip");
    } else {
        text = String::from_utf8(sent.body.to_vec()).expect("UTF-8");
    }
    serde_json::Deserializer::from_str(&text).into_iter().collect::<Result<_, _>>().expect("JSON")
}

fn sequences(receiver: &Receiver) -> Vec<i64> {
    let all = receiver.got();
    all.iter().flat_map(objects).filter_map(|object| object["event"]["sequence"].as_i64()).collect()
}

fn target(url: &str) -> Value {
    json!({ "splunkHec": { "url": url, "token": TOKEN } })
}

async fn events_arrive_in_batches_as_splunk_takes_them(app: &TestApp) {
    let app = app
        .beside_with(|settings| {
            here(settings);
            settings.public_url = Some("https://audit.example/".to_owned());
        })
        .await;
    let (plain, packed) = (Receiver::start().await, Receiver::start().await);
    let admin = app.admin("workspace", "acme");
    create_at(&admin, target(&plain.url)).await;
    let gzip = json!({ "splunkHec": { "url": packed.url, "token": TOKEN, "index": "audit_main", "gzip": true } });
    let id = create_at(&admin, gzip).await;
    let mut first = event("thing.0");
    first["occurredAt"] = json!("2025-05-27T16:46:46.485356507Z");
    admin.record_all([first].into_iter().chain((1..250).map(|n| event(&format!("thing.{n}")))).collect()).await;
    eventually(async || sequences(&plain) == (0..252).collect::<Vec<_>>()).await;
    eventually(async || sequences(&packed) == (1..252).collect::<Vec<_>>()).await;
    assert!(plain.got().len() < 20, "they come together: {}", plain.got().len());
    for (receiver, index) in [(&plain, Value::Null), (&packed, json!("audit_main"))] {
        for sent in receiver.got() {
            assert_eq!(sent.path, "/hook/services/collector/event");
            assert_eq!(sent.header("authorization"), format!("Splunk {TOKEN}"));
            for object in objects(&sent) {
                assert_eq!((&object["sourcetype"], &object["index"]), (&json!("ledgerline:audit"), &index));
                assert_eq!(
                    (&object["source"], &object["host"]),
                    (&json!("ledgerline:workspace"), &json!("audit.example"))
                );
            }
        }
    }
    let sent = plain.got();
    assert!(sent.iter().any(|sent| String::from_utf8_lossy(&sent.body).contains("\"time\":1748364406.485356507,")));
    assert_eq!(only_of(&list(&admin).await, &id)["settings"], json!({ "index": "audit_main", "gzip": true }));
    plain.forget();
    let tested = test(&admin, &id).await;
    assert_eq!(tested, json!({ "succeeded": true, "status": 204, "trouble": null }));
    let last = packed.got().pop().expect("a test");
    assert_eq!(objects(&last)[0]["event"], json!({ "type": "audit_endpoint.test", "organization": "acme" }));
    // Another organization's go nowhere near.
    let before = packed.got().len();
    app.admin("workspace", "globex").record(event("globex.touched")).await;
    admin.record(event("thing.last")).await;
    packed.has(before + 1).await;
    assert!(
        plain.got().iter().chain(&packed.got()).all(|sent| !String::from_utf8_lossy(&sent.body).contains("globex"))
    );
    is_told_nowhere(&admin, TOKEN).await;
    app.finish().await;
}

fn only_of<'a>(all: &'a [Value], id: &str) -> &'a Value {
    all.iter().find(|one| one["id"] == id).expect("it is there")
}

async fn a_token_that_is_wrong_keeps_everything_until_it_is_replaced(app: &TestApp) {
    let app = sending(app).await;
    let receiver = Receiver::scripted(|sent| match sent.header("authorization").ends_with(" right-token") {
        true => Reply::Json(200, json!({ "text": "Success", "code": 0 })),
        // One that repeats what it was given.
        false => Reply::Json(403, json!({ "text": format!("Invalid token {TOKEN}"), "code": 4 })),
    });
    let receiver = receiver.await;
    let admin = app.admin("workspace", "acme");
    let id = create_at(&admin, target(&receiver.url)).await;
    admin.record_all((0..20).map(|n| event(&format!("thing.{n}"))).collect()).await;
    eventually(async || only(&admin).await["failures"] == 1).await;
    let trouble = only(&admin).await["trouble"].clone();
    assert!(trouble.as_str().is_some_and(|why| why.contains("Invalid token …")), "{trouble}");
    assert_eq!(only(&admin).await["deadLetters"]["totalCount"], 0);
    is_told_nowhere(&admin, TOKEN).await;
    receiver.forget();
    let right = json!({ "splunkHec": { "url": receiver.url, "token": "right-token" } });
    update(&admin, &id, json!({ "target": right })).await;
    eventually(async || sequences(&receiver).ends_with(&[20, 21])).await;
    assert_eq!(sequences(&receiver).into_iter().collect::<std::collections::BTreeSet<_>>().len(), 22);
    eventually(async || only(&admin).await["trouble"].is_null()).await;
    // The log tells that there is another token, and none of the two.
    let told = admin.data("{ auditEvents(first: 1) { nodes { action metadata } } }", json!({})).await;
    assert_eq!(told["auditEvents"]["nodes"][0]["metadata"]["secretReplaced"], true);
    is_told_nowhere(&admin, "right-token").await;
    app.finish().await;
}

async fn a_collector_that_is_busy_gets_everything_later(app: &TestApp) {
    let clock = Moved::new();
    let app = app.beside_with_clock_and(clock.clock(), here).await;
    let receiver = Receiver::scripted(|_| Reply::Json(503, json!({ "text": "Server is busy", "code": 9 }))).await;
    let admin = app.admin("workspace", "acme").lasting();
    create_at(&admin, target(&receiver.url)).await;
    admin.record_all((0..150).map(|n| event(&format!("thing.{n}"))).collect()).await;
    for (failures, pause) in [(1, 6), (2, 331)] {
        eventually(async || only(&admin).await["failures"] == failures).await;
        clock.by_seconds(pause);
    }
    eventually(async || only(&admin).await["failures"] == 3).await;
    receiver.forget();
    receiver.answers(|_| Reply::Json(200, json!({ "text": "Success", "code": 0 })));
    clock.by_seconds(1_981);
    eventually(async || sequences(&receiver).len() >= 151).await;
    assert_eq!(sequences(&receiver), (0..151).collect::<Vec<_>>());
    assert_eq!(only(&admin).await["deadLetters"]["totalCount"], 0);
    app.finish().await;
}

async fn an_event_that_splunk_cannot_read_is_put_aside_alone(app: &TestApp) {
    let clock = Moved::new();
    let app = app.beside_with_clock_and(clock.clock(), here).await;
    let receiver = Receiver::scripted(|sent| match String::from_utf8_lossy(&sent.body).contains("poison") {
        true => Reply::Json(400, json!({ "text": "Invalid data format", "code": 6, "invalid-event-number": 3 })),
        false => Reply::Json(200, json!({ "text": "Success", "code": 0 })),
    });
    let receiver = receiver.await;
    let admin = app.admin("workspace", "acme").lasting();
    create_at(&admin, target(&receiver.url)).await;
    receiver.has(1).await;
    let action = |n| if n == 6 { "poison.it".to_owned() } else { format!("thing.{n}") };
    admin.record_all((0..30).map(|n| event(&action(n))).collect()).await;
    let aside = async || only(&admin).await["deadLetters"]["totalCount"] == 1;
    for _ in 0..100 {
        if aside().await {
            break;
        }
        clock.by_seconds(1_000);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let endpoint = only(&admin).await;
    assert_eq!(endpoint["deadLetters"]["nodes"][0]["sequence"], "7", "{endpoint:#}");
    eventually(async || only(&admin).await["nextSequence"] == "31").await;
    let taken: Vec<i64> = receiver
        .got()
        .iter()
        .filter(|sent| !String::from_utf8_lossy(&sent.body).contains("poison"))
        .flat_map(objects)
        .filter_map(|object| object["event"]["sequence"].as_i64())
        .collect();
    assert_eq!(taken, (0..31).filter(|sequence| *sequence != 7).collect::<Vec<_>>(), "in order, each once");
    app.finish().await;
}

async fn what_breaks_a_rule_is_named(app: &TestApp) {
    let app = sending(app).await;
    let admin = app.admin("workspace", "acme");
    let url = "https://splunk.example.com:8088";
    let of = |fields: Value| json!({ "splunkHec": fields });
    let targets = vec![
        (of(json!({ "url": "nonsense", "token": TOKEN })), "input.url"),
        (of(json!({ "url": "https://10.0.0.1:8088", "token": TOKEN })), "input.url"),
        (of(json!({ "url": format!("{url}/?token=x"), "token": TOKEN })), "input.url"),
        (of(json!({ "url": url, "token": "" })), "input.token"),
        (of(json!({ "url": url, "token": "two words" })), "input.token"),
        (of(json!({ "url": url, "token": "line\nbreak" })), "input.token"),
        (of(json!({ "url": url, "token": "x".repeat(257) })), "input.token"),
        (of(json!({ "url": url, "token": TOKEN, "index": "Not One" })), "input.index"),
        (of(json!({ "url": url, "token": TOKEN, "index": "" })), "input.index"),
    ];
    are_refused(&admin, targets).await;
    let id = create_at(&admin, target(url)).await;
    // What is another kind is another endpoint, and the token is nobody's to draw.
    let other = "mutation($input: UpdateEndpointInput!) { updateEndpoint(input: $input) { endpoint { id } } }";
    let webhook = json!({ "input": { "id": id, "target": { "webhook": { "url": url } } } });
    assert_eq!(admin.ask(other, webhook).await.field(), "input.target");
    let rotate = "mutation($input: RotateEndpointSecretInput!) { rotateEndpointSecret(input: $input) { secret } }";
    assert_eq!(admin.ask(rotate, json!({ "input": { "id": id } })).await.field(), "input.id");
    let stranger = app.admin("workspace", "globex");
    let taken = json!({ "input": { "id": id, "target": target("https://elsewhere.example.com") } });
    assert_eq!(stranger.ask(other, taken).await.code(), "NOT_FOUND");
    app.finish().await;
}
