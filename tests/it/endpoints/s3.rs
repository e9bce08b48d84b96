use std::{io::Read, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use ledgerline::event::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Moved, alone, are_refused, create_at, here, is_told_nowhere, list, only, replay, test, update};
use crate::harness::{
    Caller, TestApp, event, eventually, on_both_databases,
    receiver::{Receiver, Reply, Sent},
};

on_both_databases! {
    the_events_of_a_minute_are_an_object,
    no_object_mixes_hours_and_a_full_one_does_not_wait,
    what_failed_is_sent_again_as_the_same_object,
    an_object_that_was_stored_and_not_written_down_is_stored_again_as_it_was,
    history_is_stored_in_the_place_of_what_was_there,
    a_test_is_a_marked_object_and_locks_are_asked_for,
    no_private_address_is_reached,
    what_breaks_a_rule_is_named,
}

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYhushSECRET";

fn target(receiver: &Receiver) -> Value {
    json!({ "s3": { "endpoint": receiver.url, "bucket": "our-archive", "region": "eu-central-1", "prefix": "/audit/acme/",
        "accessKeyId": "AKIAEXAMPLE", "secretAccessKey": SECRET } })
}

/// The first second of a minute, so that what a test records lies in one.
fn begin_a_minute(clock: &Moved) {
    let second = clock.clock().now().0.div_euclid(1_000_000_000).rem_euclid(60);
    clock.by_seconds(61 - second);
}

/// Behind the minute, and the time that is left to other processes' clocks.
fn end_the_minute(clock: &Moved) {
    clock.by_seconds(64);
}

/// The events of an object.
fn events(sent: &Sent) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(&sent.body[..]).read_to_string(&mut text).expect("gzip");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn sequences(sent: &Sent) -> Vec<i64> {
    events(sent).iter().map(|event| event["sequence"].as_i64().expect("a number")).collect()
}

fn things(count: usize) -> Vec<Value> {
    (0..count).map(|n| event(&format!("thing.{n}"))).collect()
}

/// Nothing comes, though there was time for it.
async fn nothing_comes(receiver: &Receiver) {
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(receiver.got().is_empty(), "{:?}", receiver.got());
}

/// Name of the object of some events, below the prefix.
fn name(sent: &Sent, id: &str) -> String {
    let events = events(sent);
    let (first, last) = (events.first().expect("an event"), events.last().expect("an event"));
    let recorded_at = first["recorded_at"].as_str().and_then(Timestamp::parse).expect("an instant");
    let folder = recorded_at.to_utc().format("%Y/%m/%d/%H");
    let number = |event: &Value| format!("{:012}", event["sequence"].as_i64().expect("a number"));
    format!("{folder}/{}-{}-{id}.ndjson.gz", number(first), number(last))
}

async fn created(admin: &Caller<'_>, receiver: &Receiver, clock: &Moved) -> String {
    begin_a_minute(clock);
    create_at(admin, target(receiver)).await
}

async fn the_events_of_a_minute_are_an_object(app: &TestApp) {
    let (app, clock) = alone(app).await;
    let (ours, theirs) = (Receiver::start().await, Receiver::start().await);
    let (admin, other) = (app.admin("workspace", "acme").lasting(), app.admin("workspace", "globex").lasting());
    let id = created(&admin, &ours, &clock).await;
    let target = json!({ "s3": { "endpoint": theirs.url, "bucket": "theirs", "region": "r1", "accessKeyId": "A", "secretAccessKey": "s" } });
    create_at(&other, target).await;
    let first = admin.record(event("thing.first")).await;
    other.record(event("globex.touched")).await;
    admin.record_all(things(250)).await;
    nothing_comes(&ours).await;
    end_the_minute(&clock);
    let got = ours.has(1).await;
    assert_eq!(sequences(&got[0]), (0..252).collect::<Vec<_>>());
    assert_eq!(got[0].path, format!("/hook/our-archive/audit/acme/{}", name(&got[0], &id)));
    let stored = &events(&got[0])[1];
    assert_eq!((&stored["id"], &stored["action"]), (&first["event"]["id"], &json!("thing.first")));
    let digest = Sha256::digest(&got[0].body);
    assert_eq!(got[0].header("x-amz-checksum-sha256"), STANDARD.encode(digest));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(got[0].header("x-amz-content-sha256"), hex);
    let signed = got[0].header("authorization");
    assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/"), "{signed}");
    assert!(signed.contains("/eu-central-1/s3/aws4_request, SignedHeaders=content-type;host;x-amz-checksum-sha256;"));
    assert_eq!((got[0].header("content-type"), got[0].header("content-encoding")), ("application/gzip", ""));
    assert_eq!(got[0].header("x-amz-object-lock-mode"), "");
    eventually(async || only(&admin).await["nextSequence"] == "252").await;
    // The other organization's lie in its own bucket alone.
    let got = theirs.has(1).await;
    assert!(got[0].path.starts_with("/hook/theirs/2"), "{}", got[0].path);
    let actions: Vec<_> = events(&got[0]).iter().map(|event| event["action"].clone()).collect();
    assert_eq!(actions, ["audit_log.endpoint_created", "globex.touched"]);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!((ours.got().len(), theirs.got().len()), (1, 1));
    is_told_nowhere(&admin, SECRET).await;
    let shown = only(&admin).await;
    let settings = json!({ "bucket": "our-archive", "region": "eu-central-1", "prefix": "audit/acme",
        "accessKeyId": "AKIAEXAMPLE", "pathStyle": true });
    assert_eq!((&shown["kind"], &shown["settings"]), (&json!("S3"), &settings));
    app.finish().await;
}

async fn no_object_mixes_hours_and_a_full_one_does_not_wait(app: &TestApp) {
    let (app, clock) = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme").lasting();
    let id = created(&admin, &receiver, &clock).await;
    for _ in 0..5 {
        admin.record_all(things(1_000)).await;
    }
    admin.record_all(things(20)).await;
    // It is full, and the minute is not over.
    let got = receiver.has(1).await;
    assert!(sequences(&got[0]) == (0..5_000).collect::<Vec<_>>(), "{}", sequences(&got[0]).len());
    end_the_minute(&clock);
    let got = receiver.has(2).await;
    assert_eq!(sequences(&got[1]), (5_000..5_021).collect::<Vec<_>>());
    // What comes in another hour is another object, though nothing was looked at in between.
    update(&admin, &id, json!({ "paused": true })).await;
    begin_a_minute(&clock);
    admin.record_all(things(3)).await;
    clock.by_seconds(3_600);
    admin.record_all(things(4)).await;
    update(&admin, &id, json!({ "paused": false })).await;
    end_the_minute(&clock);
    let got = receiver.has(5).await;
    let sizes: Vec<_> = got[2..].iter().map(|sent| sequences(sent).len()).collect();
    assert_eq!(sizes, [1, 3, 5], "with those that tell of the pause and of its end");
    let hours: Vec<_> = got[2..].iter().map(|sent| sent.path.rsplit_once('/').expect("a folder").0).collect();
    assert!(hours.first() != hours.last(), "{hours:?}");
    for sent in &got {
        assert!(sent.path.ends_with(&name(sent, &id)), "{}", sent.path);
        let hours: std::collections::BTreeSet<_> =
            events(sent).iter().map(|event| event["recorded_at"].as_str().expect("text")[..13].to_owned()).collect();
        assert_eq!(hours.len(), 1, "{hours:?}");
    }
    app.finish().await;
}

/// All that was sent is one object, again and again.
fn is_one_object(sent: &[Sent]) {
    for again in sent {
        assert_eq!((&again.path, &again.body), (&sent[0].path, &sent[0].body));
    }
}

async fn what_failed_is_sent_again_as_the_same_object(app: &TestApp) {
    let (mut app, clock) = alone(app).await;
    let receiver = Receiver::scripted(|_| Reply::Status(500)).await;
    created(&app.admin("workspace", "acme").lasting(), &receiver, &clock).await;
    app.admin("workspace", "acme").lasting().record_all(things(20)).await;
    end_the_minute(&clock);
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    for (failures, pause, trouble) in [
        (1, 6, "HTTP 500"),
        (2, 331, "HTTP 403: AccessDenied: Access Denied: the access key needs s3:PutObject, and "),
        (3, 1_981, "HTTP 503: SlowDown: Please reduce your request rate."),
    ] {
        let admin = app.admin("workspace", "acme").lasting();
        eventually(async || only(&admin).await["failures"] == failures).await;
        let shown = only(&admin).await;
        assert!(shown["trouble"].as_str().is_some_and(|told| told.starts_with(trouble)), "{}", shown["trouble"]);
        match failures {
            1 => receiver.answers(move |_| Reply::Text(403, denied.to_owned())),
            _ => receiver.answers(|_| {
                Reply::Text(
                    503,
                    "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
                        .to_owned(),
                )
            }),
        }
        // What comes meanwhile, in the same minute or another, is none of it.
        admin.record_all(things(7)).await;
        app = app.again_at(clock.clock(), here).await;
        clock.by_seconds(pause);
    }
    let admin = app.admin("workspace", "acme").lasting();
    eventually(async || only(&admin).await["failures"] == 4).await;
    let got = receiver.got();
    assert_eq!((got.len(), sequences(&got[0])), (4, (0..21).collect::<Vec<_>>()));
    is_one_object(&got);
    assert_eq!(only(&admin).await["deadLetters"]["totalCount"], 0, "a store refuses no event");
    receiver.answers(|_| Reply::Status(200));
    receiver.forget();
    clock.by_seconds(8_000);
    eventually(async || only(&admin).await["nextSequence"] == "42").await;
    let got = receiver.got();
    assert_eq!(sequences(&got[0]), (0..21).collect::<Vec<_>>());
    assert_eq!(got.iter().flat_map(sequences).collect::<Vec<_>>(), (0..42).collect::<Vec<_>>(), "all, once, in order");
    app.finish().await;
}

async fn an_object_that_was_stored_and_not_written_down_is_stored_again_as_it_was(app: &TestApp) {
    let (app, clock) = alone(app).await;
    // It has the object, and the service never hears of it.
    let receiver = Receiver::scripted(|_| Reply::Late(Duration::from_secs(30))).await;
    let admin = app.admin("workspace", "acme").lasting();
    created(&admin, &receiver, &clock).await;
    admin.record_all(things(30)).await;
    end_the_minute(&clock);
    receiver.has(1).await;
    admin.record_all(things(5)).await;
    receiver.answers(|_| Reply::Status(200));
    let app = app.again_at(clock.clock(), here).await;
    receiver.has(2).await;
    end_the_minute(&clock);
    let got = receiver.has(3).await;
    assert_eq!(sequences(&got[0]), (0..31).collect::<Vec<_>>());
    is_one_object(&got[..2]);
    assert_eq!(sequences(&got[2]), (31..36).collect::<Vec<_>>());
    app.finish().await;
}

async fn history_is_stored_in_the_place_of_what_was_there(app: &TestApp) {
    let (app, clock) = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme").lasting();
    let id = created(&admin, &receiver, &clock).await;
    for _ in 0..3 {
        admin.record_all(things(10)).await;
        end_the_minute(&clock);
        begin_a_minute(&clock);
    }
    eventually(async || only(&admin).await["nextSequence"] == "31").await;
    // At least once: on a busy machine an object may come again, and is the same then.
    let mut first = receiver.got();
    first.dedup_by(|again, one| (&again.path, &again.body) == (&one.path, &one.body));
    assert_eq!(first.iter().map(sequences).collect::<Vec<_>>(), [0..11, 11..21, 21..31].map(Vec::from_iter));
    receiver.forget();
    replay(&admin, &id, json!({ "fromSequence": "0", "toSequence": "31" })).await.data();
    let again = receiver.has(3).await;
    for (again, first) in again.iter().zip(&first) {
        assert_eq!((&again.path, &again.body), (&first.path, &first.body));
    }
    app.finish().await;
}

async fn a_test_is_a_marked_object_and_locks_are_asked_for(app: &TestApp) {
    let (app, clock) = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme").lasting();
    begin_a_minute(&clock);
    let mut locked = target(&receiver);
    locked["s3"]["objectLock"] = json!({ "mode": "COMPLIANCE", "days": 365 });
    let id = create_at(&admin, locked).await;
    let tested = test(&admin, &id).await;
    assert_eq!(tested, json!({ "succeeded": true, "status": 204, "trouble": null }));
    let sent = receiver.has(1).await.remove(0);
    assert_eq!(sent.path, format!("/hook/our-archive/audit/acme/ledgerline-test-{id}.json"));
    assert_eq!((&sent.json()["type"], &sent.json()["organization"]), (&json!("audit_endpoint.test"), &json!("acme")));
    receiver.forget();
    end_the_minute(&clock);
    let sent = receiver.has(1).await.remove(0);
    assert_eq!(sent.header("x-amz-object-lock-mode"), "COMPLIANCE");
    let until = Timestamp::parse(sent.header("x-amz-object-lock-retain-until-date")).expect("an instant");
    let year = clock.clock().now().0 + 365 * 86_400 * 1_000_000_000;
    assert!((until.0 - year).abs() < 60_000_000_000, "{until}");
    assert!(sent.header("authorization").contains("x-amz-object-lock-mode;x-amz-object-lock-retain-until-date"));
    assert_eq!(only(&admin).await["settings"]["objectLock"], json!({ "mode": "COMPLIANCE", "days": 365 }));
    receiver.answers(|_| Reply::Status(503));
    assert_eq!(test(&admin, &id).await["trouble"], "HTTP 503");
    let stranger = app.admin("workspace", "globex").lasting();
    let query = "mutation($input: EndpointInput!) { testEndpoint(input: $input) { attempt { status } } }";
    assert_eq!(stranger.ask(query, json!({ "input": { "id": id } })).await.code(), "NOT_FOUND");
    app.finish().await;
}

async fn no_private_address_is_reached(app: &TestApp) {
    let (app, clock) = alone(app).await;
    let inside = Receiver::start().await;
    let to = inside.url.clone();
    let receiver = Receiver::scripted(move |_| Reply::With(307, "location", to.clone())).await;
    let admin = app.admin("workspace", "acme").lasting();
    let id = created(&admin, &receiver, &clock).await;
    end_the_minute(&clock);
    eventually(async || only(&admin).await["trouble"] == "HTTP 307").await;
    assert!(inside.got().is_empty());
    // The operator no longer names the network: neither an address that was stored nor a name leads there.
    let mut by_name = target(&receiver);
    by_name["s3"]["endpoint"] = json!(receiver.url.replace("127.0.0.1", "localhost"));
    let named = create_at(&admin, by_name).await;
    receiver.forget();
    let app = app.again_at(clock.clock(), |_| {}).await;
    clock.by_seconds(1_000);
    let admin = app.admin("workspace", "acme").lasting();
    let trouble = async |id: &str| {
        let all = list(&admin).await;
        let one = all.iter().find(|one| one["id"] == id).expect("it is there");
        one["trouble"].as_str().unwrap_or_default().to_owned()
    };
    eventually(async || !trouble(&id).await.is_empty() && !trouble(&named).await.is_empty()).await;
    assert_eq!(trouble(&id).await, "BAD_USER_INPUT: url: must be a public address");
    assert!(trouble(&named).await.contains("has no public address"), "{}", trouble(&named).await);
    assert!(receiver.got().is_empty());
    app.finish().await;
}

async fn what_breaks_a_rule_is_named(app: &TestApp) {
    let app = super::sending(app).await;
    let admin = app.admin("workspace", "acme");
    let of = |change: Value| {
        let mut target = json!({ "bucket": "our-archive", "region": "eu-central-1", "accessKeyId": "AKIA", "secretAccessKey": SECRET });
        for (name, value) in change.as_object().expect("fields") {
            target[name] = value.clone();
        }
        json!({ "s3": target })
    };
    let targets = vec![
        (of(json!({ "bucket": "No" })), "input.bucket"),
        (of(json!({ "bucket": "ab" })), "input.bucket"),
        (of(json!({ "bucket": "a..b" })), "input.bucket"),
        (of(json!({ "bucket": "a/../../b" })), "input.bucket"),
        (of(json!({ "bucket": "evil.example#" })), "input.bucket"),
        (of(json!({ "region": "" })), "input.region"),
        (of(json!({ "region": "x.evil.example/" })), "input.region"),
        (of(json!({ "prefix": "a/../b" })), "input.prefix"),
        (of(json!({ "prefix": "a//b" })), "input.prefix"),
        (of(json!({ "prefix": "a b" })), "input.prefix"),
        (of(json!({ "prefix": "x".repeat(513) })), "input.prefix"),
        (of(json!({ "accessKeyId": "" })), "input.accessKeyId"),
        (of(json!({ "accessKeyId": "a\nb" })), "input.accessKeyId"),
        (of(json!({ "secretAccessKey": "" })), "input.secretAccessKey"),
        (of(json!({ "secretAccessKey": "two words" })), "input.secretAccessKey"),
        (of(json!({ "endpoint": "http://store.example.com?x=1" })), "input.endpoint"),
        (of(json!({ "endpoint": "https://10.0.0.1:9000" })), "input.endpoint"),
        (of(json!({ "endpoint": "https://169.254.169.254/" })), "input.endpoint"),
        (of(json!({ "endpoint": "ftp://store.example.com" })), "input.endpoint"),
        (of(json!({ "endpoint": "https://8.8.8.8", "pathStyle": false })), "input.pathStyle"),
        (of(json!({ "objectLock": { "mode": "GOVERNANCE", "days": 0 } })), "input.objectLock.days"),
        (of(json!({ "objectLock": { "mode": "GOVERNANCE", "days": 36_501 } })), "input.objectLock.days"),
    ];
    are_refused(&admin, targets).await;
    let id = create_at(&admin, of(json!({}))).await;
    let shown = only(&admin).await;
    assert_eq!(shown["url"], "https://s3.eu-central-1.amazonaws.com/");
    assert_eq!(shown["settings"]["pathStyle"], false);
    let rotate = "mutation($input: RotateEndpointSecretInput!) { rotateEndpointSecret(input: $input) { secret } }";
    assert_eq!(admin.ask(rotate, json!({ "input": { "id": id } })).await.field(), "input.id");
    app.finish().await;
}
