use serde_json::{Value, json};

use super::{are_refused, create_at, only, sending, test, update};
use crate::harness::{
    TestApp, event, eventually, on_both_databases,
    syslog::{CA, SyslogReceiver},
};

on_both_databases! {
    events_arrive_as_messages_over_one_connection,
    over_tls_the_receiver_has_to_be_who_it_says,
    a_receiver_that_went_away_gets_the_rest,
    a_message_is_no_longer_than_was_asked_for,
    what_breaks_a_rule_is_named,
}

fn tcp(receiver: &SyslogReceiver) -> Value {
    json!({ "syslog": { "url": format!("syslog+tcp://127.0.0.1:{}", receiver.port) } })
}

async fn events_arrive_as_messages_over_one_connection(app: &TestApp) {
    let app = sending(app).await;
    let receiver = SyslogReceiver::tcp().await;
    let admin = app.admin("workspace", "acme");
    let id = create_at(&admin, tcp(&receiver)).await;
    receiver.has(1).await;
    let mut first = event("login.failed");
    first["occurredAt"] = json!("2025-05-27T16:46:46.485356507Z");
    first["outcome"] = json!("FAILURE");
    first["metadata"] = json!({ "note": "Grüße ]\"\\\n" });
    admin.record(first).await;
    for n in 2..10 {
        admin.record(event(&format!("thing.{n}"))).await;
        receiver.has(n + 1).await;
    }
    admin.record_all((10..250).map(|n| event(&format!("thing.{n}"))).collect()).await;
    let got = receiver.has(250).await;
    assert_eq!(receiver.sequences(), (0..250).collect::<Vec<_>>());
    assert_eq!(receiver.connections(), 1, "it is kept from one run to the next");
    let failed = &got[1];
    assert_eq!((failed.priority, failed.time.as_str()), (108, "2025-05-27T16:46:46.485356Z"));
    assert_eq!(
        (failed.host.as_str(), failed.app.as_str(), failed.kind.as_str()),
        ("ledgerline", "ledgerline", "audit_event")
    );
    let event_id = failed.json["id"].as_str().expect("an id");
    assert_eq!(
        failed.data,
        format!(
            r#"[audit@32473 id="{event_id}" sequence="1" action="login.failed" product="workspace" outcome="FAILURE"]"#
        )
    );
    assert_eq!(failed.json["metadata"]["note"], "Grüße ]\"\\\n");
    assert!(got.iter().all(|message| !message.whole.contains('\n')), "a line is a message");
    assert_eq!(got[2].priority, 110);
    let tested = test(&admin, &id).await;
    assert_eq!(tested, json!({ "succeeded": true, "status": null, "trouble": null }));
    let last = receiver.has(251).await.pop().expect("a test");
    assert_eq!((last.kind.as_str(), last.data.as_str()), ("audit_test", r#"[audit@32473 test="true"]"#));
    app.admin("workspace", "globex").record(event("globex.touched")).await;
    admin.record(event("thing.last")).await;
    assert!(receiver.has(252).await.iter().all(|message| !message.whole.contains("globex")));
    app.finish().await;
}

async fn over_tls_the_receiver_has_to_be_who_it_says(app: &TestApp) {
    let app = sending(app).await;
    let receiver = SyslogReceiver::tls().await;
    let admin = app.admin("workspace", "acme");
    let of = |host: &str, ca: Value| json!({ "syslog": { "url": format!("syslog+tls://{host}:{}", receiver.port), "ca": ca } });
    // No authority that browsers trust has signed it.
    let id = create_at(&admin, of("127.0.0.1", Value::Null)).await;
    eventually(async || only(&admin).await["failures"] == 1).await;
    let trouble = only(&admin).await["trouble"].clone();
    assert!(trouble.as_str().is_some_and(|why| why.contains("invalid peer certificate")), "{trouble}");
    // Another name than the one that was signed.
    update(&admin, &id, json!({ "target": of("127.0.0.2", json!(CA)) })).await;
    assert_eq!(test(&admin, &id).await["succeeded"], false);
    assert!(receiver.got().is_empty());
    update(&admin, &id, json!({ "target": of("127.0.0.1", json!(CA)) })).await;
    receiver.has(3).await;
    let before = receiver.connections();
    for n in 3..20 {
        admin.record(event(&format!("thing.{n}"))).await;
        receiver.has(n + 1).await;
    }
    assert_eq!(receiver.sequences(), (0..20).collect::<Vec<_>>());
    assert_eq!(receiver.connections(), before, "it is kept from one run to the next");
    app.finish().await;
}

async fn a_receiver_that_went_away_gets_the_rest(app: &TestApp) {
    let app = sending(app).await;
    for encrypted in [false, true] {
        let receiver = SyslogReceiver::start(0, encrypted).await;
        let port = receiver.port;
        let admin = app.admin("workspace", if encrypted { "globex" } else { "acme" });
        let target = match encrypted {
            false => tcp(&receiver),
            true => json!({ "syslog": { "url": format!("syslog+tls://127.0.0.1:{port}"), "ca": CA } }),
        };
        create_at(&admin, target).await;
        admin.record_all((1..5).map(|n| event(&format!("thing.{n}"))).collect()).await;
        receiver.has(5).await;
        drop(receiver);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        // It is noticed before anything is written, so nothing is lost with it.
        admin.record_all((5..8).map(|n| event(&format!("thing.{n}"))).collect()).await;
        eventually(async || only(&admin).await["failures"] == 1).await;
        assert_eq!(only(&admin).await["nextSequence"], "5");
        let again = SyslogReceiver::start(port, encrypted).await;
        again.has(3).await;
        assert_eq!(again.sequences(), [5, 6, 7]);
        // One that comes back between two batches is reached at once.
        drop(again);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let third = SyslogReceiver::start(port, encrypted).await;
        admin.record(event("thing.8")).await;
        assert_eq!(third.has(1).await[0].sequence(), 8);
        assert_eq!(only(&admin).await["failures"], 0);
    }
    app.finish().await;
}

async fn a_message_is_no_longer_than_was_asked_for(app: &TestApp) {
    let app = sending(app).await;
    let (short, long) = (SyslogReceiver::tcp().await, SyslogReceiver::tcp().await);
    let admin = app.admin("workspace", "acme");
    create_at(&admin, tcp(&short)).await;
    let mut target = tcp(&long);
    target["syslog"]["maxMessageBytes"] = json!(65_536);
    create_at(&admin, target).await;
    let mut large = event("large.one");
    large["metadata"] = json!({ "text": "x".repeat(20_000) });
    admin.record(large).await;
    let (cut, whole) = (short.has(3).await.remove(2), long.has(2).await.remove(1));
    assert!(cut.whole.len() <= 8_192 && cut.data.ends_with(r#" truncated="true"]"#), "{cut:?}");
    assert_eq!((&cut.json["metadata"], &cut.json["sequence"]), (&json!({}), &json!(2)));
    assert_eq!(whole.json["metadata"]["text"].as_str().map(str::len), Some(20_000));
    assert!(!whole.data.contains("truncated"));
    app.finish().await;
}

async fn what_breaks_a_rule_is_named(app: &TestApp) {
    let of = |fields: Value| json!({ "syslog": fields });
    let url = "syslog+tls://logs.example.com";
    let targets = vec![
        (of(json!({ "url": "https://logs.example.com" })), "input.url"),
        (of(json!({ "url": "syslog+tls://" })), "input.url"),
        (of(json!({ "url": "syslog+tls://127.0.0.1:6514" })), "input.url"),
        (of(json!({ "url": "syslog+tls://0x7f000001:6514" })), "input.url"),
        (of(json!({ "url": "syslog+tls://[::1]:6514" })), "input.url"),
        (of(json!({ "url": "syslog+tcp://logs.example.com:514" })), "input.url"),
        (of(json!({ "url": format!("{url}:0") })), "input.url"),
        (of(json!({ "url": format!("{url}/path") })), "input.url"),
        (of(json!({ "url": format!("{url}?ca=x") })), "input.url"),
        (of(json!({ "url": url, "ca": "no certificate" })), "input.ca"),
        (of(json!({ "url": url, "ca": CA.replace('M', "N") })), "input.ca"),
        (of(json!({ "url": url, "ca": CA.repeat(100) })), "input.ca"),
        (of(json!({ "url": url, "maxMessageBytes": 2_047 })), "input.maxMessageBytes"),
        (of(json!({ "url": url, "maxMessageBytes": 1_048_577 })), "input.maxMessageBytes"),
    ];
    are_refused(&app.admin("workspace", "acme"), targets).await;
    let app = sending(app).await;
    let targets = vec![
        (of(json!({ "url": "syslog+tcp://127.0.0.1" })), "input.url"),
        (of(json!({ "url": "syslog+tcp://8.8.8.8:514" })), "input.url"),
        (of(json!({ "url": "syslog+tcp://127.0.0.1:514", "ca": CA })), "input.ca"),
    ];
    let admin = app.admin("workspace", "acme");
    are_refused(&admin, targets).await;
    create_at(&admin, of(json!({ "url": url, "ca": CA }))).await;
    app.finish().await;
}
