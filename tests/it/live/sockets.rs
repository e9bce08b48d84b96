use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use ledgerline::{clock::Clock, event::Timestamp};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::client::{Socket, listen, sequence};
use crate::harness::{TestApp, event, on_both_databases};

on_both_databases! {
    what_was_missed_comes_first_and_then_what_is_recorded_each_once_in_order,
    what_another_process_records_arrives,
    an_organization_that_has_recorded_nothing_can_be_followed,
    a_filter_and_a_search_choose_what_comes,
    a_follower_of_one_log_gets_no_other,
    nobody_follows_another_organization,
    a_deleted_log_ends_its_operation_and_no_other,
    whoever_may_not_read_may_not_follow,
    a_connection_is_closed_with_the_codes_that_clients_act_upon,
    an_expired_token_closes_the_connection,
    a_revoked_token_closes_the_connection_in_every_process,
    questions_and_mutations_are_answered_too,
    a_page_of_another_origin_is_not_let_in,
    a_service_that_stops_says_so,
}

async fn what_was_missed_comes_first_and_then_what_is_recorded_each_once_in_order(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record_all((0..250).map(|n| event(&format!("missed.{n}"))).collect()).await;
    let query = "{ auditEvents(first: 10, orderBy: { field: SEQUENCE, direction: ASC }) { pageInfo { endCursor } } }";
    let seen = admin.data(query, json!({})).await["auditEvents"]["pageInfo"]["endCursor"].clone();

    let address = listen(app).await;
    let mut socket = Socket::with_token(&address, &admin.token()).await;
    socket.follow("a", json!({ "after": seen })).await;
    let recording = async {
        for round in 0..5 {
            let writers = (0..8).map(|writer| {
                let admin = &admin;
                async move {
                    for n in 0..5 {
                        admin.record(event(&format!("live.{round}.{writer}.{n}"))).await;
                    }
                }
            });
            futures_util::future::join_all(writers).await;
        }
    };
    let ((), sequences) = tokio::join!(recording, socket.sequences("a", 440));
    assert_eq!(sequences, (10..450).collect::<Vec<_>>());

    // Whoever comes again goes on where it was.
    socket.say(json!({ "id": "a", "type": "complete" })).await;
    let last = admin.record(event("while.away")).await;
    let mut again = Socket::with_token(&address, &admin.token()).await;
    again.follow("b", json!({ "after": seen })).await;
    let mut edges = Vec::new();
    for _ in 0..441 {
        edges.push(again.event("b").await);
    }
    assert_eq!(edges.last().map(|edge| edge["node"]["sequence"].clone()), Some(last["sequence"].clone()));
    again.follow("c", json!({ "after": edges[439]["cursor"] })).await;
    assert_eq!(again.sequences("c", 1).await, [450]);
    again.is_silent().await;
    // The operation that was completed says nothing any more.
    socket.is_silent().await;
}

async fn what_another_process_records_arrives(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record(event("before")).await;
    let address = listen(app).await;
    let mut socket = Socket::with_token(&address, &admin.token()).await;
    socket.follow("a", json!({})).await;
    socket.follow("b", json!({})).await;
    tokio::time::sleep(Duration::from_millis(300)).await;

    let beside = app.beside().await;
    let other = beside.admin("workspace", "acme");
    for n in 1..=20 {
        let begun = std::time::Instant::now();
        other.record(event("elsewhere")).await;
        for _ in 0..2 {
            let message = socket.hear().await;
            assert_eq!(message["payload"]["data"]["auditEventRecorded"]["node"]["sequence"], n.to_string());
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    beside.finish().await;
}

async fn an_organization_that_has_recorded_nothing_can_be_followed(app: &TestApp) {
    let admin = app.admin("workspace", "new");
    let address = listen(app).await;
    let mut socket = Socket::with_token(&address, &admin.token()).await;
    socket.follow("a", json!({})).await;
    socket.is_silent().await;
    admin.record(event("first")).await;
    assert_eq!(socket.sequences("a", 1).await, [0]);
    app.admin("workspace", "other").record(event("other")).await;
    admin.record(event("second")).await;
    assert_eq!(socket.sequences("a", 1).await, [1]);
}

async fn a_filter_and_a_search_choose_what_comes(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let events = (0..60).map(|n| event(if n % 20 == 0 { "wanted.one" } else { "other.one" })).collect();
    admin.record_all(events).await;
    let address = listen(app).await;
    let mut socket = Socket::with_token(&address, &admin.token()).await;
    let filter = json!({ "actions": ["wanted.*"] });
    let first = "query($filter: AuditEventFilter) { auditEvents(first: 1, filter: $filter, orderBy: { field: SEQUENCE, direction: ASC }) { edges { cursor } } }";
    let first = admin.data(first, json!({ "filter": filter })).await["auditEvents"]["edges"][0]["cursor"].clone();
    socket.follow("a", json!({ "filter": filter, "after": first })).await;
    assert_eq!(socket.sequences("a", 2).await, [20, 40]);
    socket.follow("s", json!({ "search": "needle" })).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    admin.record_all(vec![event("other.one"), event("wanted.two"), event("a.needle"), event("wanted.three")]).await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        let message = socket.hear().await;
        let edge = &message["payload"]["data"]["auditEventRecorded"];
        heard.push((message["id"].as_str().expect("an id").to_owned(), sequence(edge)));
    }
    heard.sort();
    assert_eq!(heard, [("a".to_owned(), 61), ("a".to_owned(), 63), ("s".to_owned(), 62)]);

    // A cursor is bound to its list, and a filter is checked.
    socket.follow("x", json!({ "after": first })).await;
    assert_eq!(socket.error("x").await, "BAD_USER_INPUT");
    socket.follow("y", json!({ "filter": { "actions": ["\u{0}"] } })).await;
    assert_eq!(socket.error("y").await, "BAD_USER_INPUT");
}

async fn a_follower_of_one_log_gets_no_other(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let within = |project: &str| {
        let mut event = event("project.touched");
        event["log"] = json!({ "level": "project", "id": project });
        event
    };
    admin.record_all(vec![within("p1"), within("p2")]).await;
    let narrowed = app.admin("workspace", "acme").scopes("audit:read").logs(&["project:p1"]);
    let address = listen(app).await;
    let mut socket = Socket::with_token(&address, &narrowed.token()).await;
    socket.follow("own", json!({})).await;
    socket.follow("foreign", json!({ "log": { "level": "project", "id": "p2" } })).await;
    assert_eq!(socket.error("foreign").await, "FORBIDDEN");
    admin.record_all(vec![within("p2"), event("above"), within("p1"), within("p2")]).await;
    assert_eq!(socket.sequences("own", 1).await, [4]);
    socket.is_silent().await;
}

async fn nobody_follows_another_organization(app: &TestApp) {
    let (acme, globex) = (app.admin("workspace", "acme"), app.admin("workspace", "globex"));
    acme.record(event("acme.before")).await;
    globex.record(event("globex.before")).await;
    let query = "{ auditEvents(first: 1, orderBy: { field: SEQUENCE, direction: ASC }) { pageInfo { endCursor } } }";
    let cursor = acme.data(query, json!({})).await["auditEvents"]["pageInfo"]["endCursor"].clone();
    let address = listen(app).await;
    let mut socket = Socket::with_token(&address, &globex.token()).await;
    socket.follow("stolen", json!({ "after": cursor })).await;
    assert_eq!(socket.error("stolen").await, "BAD_USER_INPUT");
    let named = "subscription { auditEventRecorded(organization: \"acme\") { cursor } }";
    socket.say(json!({ "id": "named", "type": "subscribe", "payload": { "query": named } })).await;
    assert_eq!(socket.error("named").await, "NOT_FOUND");
    socket.follow("own", json!({})).await;
    // The same id in another product is another organization.
    app.admin("scim-platform", "globex").record(event("auth.logged_in")).await;
    acme.record(event("acme.after")).await;
    globex.record(event("globex.after")).await;
    let heard = socket.event("own").await;
    assert_eq!(heard["node"], json!({ "sequence": "1", "action": "globex.after" }));
    socket.is_silent().await;
}

async fn a_deleted_log_ends_its_operation_and_no_other(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let mut project = event("project.touched");
    project["log"] = json!({ "level": "project", "id": "p1" });
    admin.record(project.clone()).await;
    let narrowed = app.admin("workspace", "acme").scopes("audit:read").logs(&["project:p1"]);
    let address = listen(app).await;
    let mut socket = Socket::with_token(&address, &narrowed.token()).await;
    socket.follow("log", json!({})).await;
    let mut whole = Socket::with_token(&address, &admin.token()).await;
    whole.follow("all", json!({})).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let delete = "mutation { deleteAuditLog(input: { log: { level: \"project\", id: \"p1\" } }) { log { id } } }";
    admin.data(delete, json!({})).await;
    admin.record(event("after")).await;
    assert_eq!(socket.error("log").await, "FORBIDDEN");
    assert_eq!(whole.sequences("all", 1).await, [1]);
    // The connection goes on.
    socket.say(json!({ "type": "ping", "payload": { "n": 1 } })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong", "payload": { "n": 1 } }));
}

async fn whoever_may_not_read_may_not_follow(app: &TestApp) {
    let address = listen(app).await;
    let recorder = app.admin("scim-platform", "acme").scopes("audit:record");
    let free = app.admin("caputchin", "acme").plan("none-such");
    let member = app.admin("scim-platform", "acme").role("none-such");
    for (caller, code) in [(recorder, "FORBIDDEN"), (member, "FORBIDDEN"), (free, "PLAN_REQUIRED")] {
        let mut socket = Socket::with_token(&address, &caller.token()).await;
        socket.follow("a", json!({})).await;
        assert_eq!(socket.error("a").await, code);
        // It is told, and not thrown out.
        socket.say(json!({ "type": "ping" })).await;
        assert_eq!(socket.hear().await, json!({ "type": "pong" }));
    }
    let mut nobody = Socket::open(&address, &[]).await;
    nobody.say(json!({ "type": "connection_init" })).await;
    assert_eq!(nobody.hear().await, json!({ "type": "connection_ack" }));
    nobody.follow("a", json!({})).await;
    assert_eq!(nobody.error("a").await, "UNAUTHENTICATED");
}

async fn a_connection_is_closed_with_the_codes_that_clients_act_upon(app: &TestApp) {
    let address = listen(app).await;
    let token = app.admin("workspace", "acme").token();
    let mut socket = Socket::open(&address, &[]).await;
    socket.follow("a", json!({})).await;
    assert_eq!(socket.closed().await, (4401, "Unauthorized".to_owned()));

    let mut socket = Socket::open(&address, &[]).await;
    socket.init("no.such.token").await;
    assert_eq!(socket.closed().await.0, 4403);

    let mut socket = Socket::with_token(&address, &token).await;
    socket.init(&token).await;
    assert_eq!(socket.closed().await, (4429, "Too many initialisation requests".to_owned()));

    let mut socket = Socket::with_token(&address, &token).await;
    socket.follow("twice", json!({})).await;
    socket.follow("twice", json!({})).await;
    assert_eq!(socket.closed().await, (4409, "Subscriber for twice already exists".to_owned()));

    for message in ["{", "[]", "{}", "{\"type\":\"start\"}", "{\"type\":\"subscribe\",\"id\":\"\",\"payload\":{}}"] {
        let mut socket = Socket::with_token(&address, &token).await;
        socket.say_text(message).await;
        let (code, reason) = socket.closed().await;
        assert_eq!(code, 4400, "{message}: {reason}");
    }
    let mut socket = Socket::open(&address, &[("sec-websocket-protocol", "")]).await;
    assert_eq!(socket.closed().await.0, 4406);

    // An operation that is wrong is refused alone.
    let mut socket = Socket::with_token(&address, &token).await;
    let payload = json!({ "query": "subscription { noSuchField }" });
    socket.say(json!({ "id": "a", "type": "subscribe", "payload": payload })).await;
    assert_eq!(socket.error("a").await, "GRAPHQL_VALIDATION_FAILED");
    for n in 0..100 {
        socket.follow(&n.to_string(), json!({})).await;
    }
    socket.follow("101st", json!({})).await;
    assert_eq!(socket.error("101st").await, "OVERLOADED");
    socket.say(json!({ "id": "7", "type": "complete" })).await;
    socket.follow("7", json!({})).await;
    let admin = app.admin("workspace", "acme");
    let recording = async {
        loop {
            admin.record(event("one")).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let hearing = async {
        let mut heard = HashSet::new();
        while heard.len() < 100 {
            let message = socket.hear().await;
            assert_eq!(message["type"], "next");
            heard.insert(message["id"].to_string());
        }
    };
    tokio::select! {
        () = hearing => {}
        () = recording => {}
    }
}

async fn an_expired_token_closes_the_connection(app: &TestApp) {
    let address = listen(app).await;
    let mut admin = app.admin("workspace", "acme");
    let soon = Timestamp(Clock::system().now().0 + 3_000_000_000);
    admin.claims.exp = Some((soon.0 / 1_000_000_000).into());
    let mut socket = Socket::with_token(&address, &admin.token()).await;
    socket.follow("a", json!({})).await;
    assert_eq!(socket.closed().await, (4403, "Forbidden: the token has expired".to_owned()));
}

async fn a_revoked_token_closes_the_connection_in_every_process(app: &TestApp) {
    let ahead = Arc::new(AtomicI64::new(0));
    let moved = ahead.clone();
    let clock = Clock::new(move || Timestamp(Clock::system().now().0 + moved.load(Ordering::SeqCst)));
    let other = app.beside_with_clock(clock).await;
    let (here, there) = (listen(app).await, listen(&other).await);
    let admin = app.admin("workspace", "acme");
    let make = "mutation { createAuditToken(input: { label: \"Partner\", kind: KEY, scopes: [\"audit:read\"], \
                expiresIn: 3600 }) { secret token { id } } }";
    let made = admin.data(make, json!({})).await["createAuditToken"].clone();
    let kept = admin.data(make, json!({})).await["createAuditToken"]["secret"].clone();
    let (token, kept) = (made["secret"].as_str().expect("a key"), kept.as_str().expect("a key"));
    let mut sockets = Vec::new();
    for (address, token) in [(&here, token), (&there, token), (&here, kept)] {
        let mut socket = Socket::with_token(address, token).await;
        socket.follow("a", json!({})).await;
        sockets.push(socket);
    }
    let revoke =
        format!("mutation {{ revokeAuditToken(input: {{ id: {} }}) {{ token {{ id }} }} }}", made["token"]["id"]);
    admin.data(&revoke, json!({})).await;
    // What was recorded with it is told to those who are still there.
    assert_eq!(sockets[2].event("a").await["node"]["action"], "audit_log.token_revoked");
    ahead.store(31_000_000_000, Ordering::SeqCst);
    let revoked = (4403, "Forbidden: the token was revoked".to_owned());
    let gone = async |socket: &mut Socket| loop {
        match socket.message().await {
            Message::Close(Some(frame)) => return (u16::from(frame.code), frame.reason.to_string()),
            // The event that tells of it may be heard before.
            Message::Text(_) => {}
            other => panic!("a close was expected: {other:?}"),
        }
    };
    assert_eq!(gone(&mut sockets[0]).await, revoked);
    assert_eq!(gone(&mut sockets[1]).await, revoked);
    sockets[2].is_silent().await;
    drop((here, there));
    other.finish().await;
}

async fn questions_and_mutations_are_answered_too(app: &TestApp) {
    let address = listen(app).await;
    let admin = app.admin("workspace", "acme");
    // The handshake may say who is asking, as a program's does.
    let mut socket = Socket::open(&address, &[("authorization", &format!("Bearer {}", admin.token()))]).await;
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
    let mutation = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { sequence } }";
    let payload = json!({ "query": mutation, "variables": { "input": event("by.socket") } });
    socket.say(json!({ "id": "m", "type": "subscribe", "payload": payload })).await;
    let answer = json!({ "data": { "recordAuditEvent": { "sequence": "0" } } });
    assert_eq!(socket.hear().await, json!({ "id": "m", "type": "next", "payload": answer }));
    assert_eq!(socket.hear().await, json!({ "id": "m", "type": "complete" }));
    let query = "{ auditEvents { nodes { action } totalCount } }";
    socket.say(json!({ "id": "q", "type": "subscribe", "payload": { "query": query } })).await;
    let answer = json!({ "data": { "auditEvents": { "nodes": [{ "action": "by.socket" }], "totalCount": 1 } } });
    assert_eq!(socket.hear().await, json!({ "id": "q", "type": "next", "payload": answer }));
    assert_eq!(socket.hear().await, json!({ "id": "q", "type": "complete" }));
}

async fn a_page_of_another_origin_is_not_let_in(app: &TestApp) {
    let allowing =
        app.beside_with(|settings| settings.allowed_origins = vec!["https://console.example".to_owned()]).await;
    let address = listen(&allowing).await;
    let own = format!("http://{}", &*address);
    for (origin, admitted) in [("https://evil.example", false), ("https://console.example", true), (&own, true)] {
        let opened = Socket::try_open(&address, &[("origin", origin)]).await;
        assert_eq!(opened.as_ref().map(|_| ()).map_err(|status| *status), if admitted { Ok(()) } else { Err(403) });
    }
    allowing.finish().await;
}

async fn a_service_that_stops_says_so(app: &TestApp) {
    let beside = app.beside().await;
    let address = listen(&beside).await;
    let token = app.admin("workspace", "acme").token();
    let mut socket = Socket::with_token(&address, &token).await;
    socket.follow("a", json!({})).await;
    let (closed, ()) = tokio::join!(socket.closed(), beside.finish());
    assert_eq!(closed, (1012, "the service stops".to_owned()));
}
