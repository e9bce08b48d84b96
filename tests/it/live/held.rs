//! Whether a hold keeps an event is told with the event, as it is when the event is sent: no connection remembers holds.

use serde_json::{Value, json};

use super::{
    client::{Listening, Socket, listen},
    streams::{Stream, request},
};
use crate::{
    harness::{Caller, TestApp, event, on_both_databases},
    retention::{LIFT, PLACE},
};

on_both_databases! {
    followers_are_told_of_holds_as_they_are_when_an_event_is_sent,
    followers_are_told_of_no_hold_that_is_not_theirs_to_know,
    a_token_that_is_narrowed_is_told_of_no_hold,
}

/// What is followed.
const LIST: &str = "includeNested: true, filter: { actions: [\"a.*\"] }";
/// The ways to ask whether it is held: by its name, by another one, in fragments, and where variables decide.
const WAYS: [&str; 4] = [
    "{ cursor node { action held sequence @include(if: $is) } }",
    "{ cursor node { action kept: held sequence @include(if: $is) category { actions { name } } } }",
    "{ cursor ...on AuditEventEdge { node { ...on Node { ...on AuditEvent { action held sequence @include(if: $is) } } } } }",
    "{ cursor node { action held @include(if: $is) } }",
];

/// What of an edge says whether it is held.
fn told(edge: &Value) -> (String, Value) {
    let node = &edge["node"];
    let held = node.get("held").or_else(|| node.get("kept")).unwrap_or_else(|| panic!("{edge:#}"));
    (node["action"].as_str().expect("an action").to_owned(), held.clone())
}

/// Everybody who follows as one caller: each way, by WebSocket and by server-sent events.
struct Followers {
    sockets: Vec<Socket>,
    streams: Vec<Stream>,
}

impl Followers {
    /// They follow what is recorded from now on; the caller's list has an event.
    async fn of(app: &TestApp, address: &Listening, caller: &Caller<'_>, log: Option<&str>) -> Self {
        let log = log.map(|log| format!("log: {{ level: \"project\", id: \"{log}\" }}, ")).unwrap_or_default();
        let list = format!("{log}{LIST}");
        let end = format!(
            "{{ auditEvents({list}, last: 1, orderBy: {{ field: SEQUENCE, direction: ASC }}) {{ pageInfo {{ endCursor }} }} }}"
        );
        let end = caller.data(&end, json!({})).await["auditEvents"]["pageInfo"]["endCursor"].clone();
        let variables = json!({ "after": end, "is": true });
        let (mut sockets, mut streams) = (Vec::new(), Vec::new());
        for way in WAYS {
            let query = format!(
                "subscription($after: String!, $is: Boolean!) {{
                    auditEventRecorded({list}, after: $after) {way} }}"
            );
            let mut socket = Socket::with_token(address, &caller.token()).await;
            let payload = json!({ "query": query, "variables": variables });
            socket.say(json!({ "id": "a", "type": "subscribe", "payload": payload })).await;
            sockets.push(socket);
            streams.push(Stream::open(app, request(Some(&caller.token()), &query, &variables, None)).await);
        }
        Self { sockets, streams }
    }

    /// The next event of each of them is this one, and they are told this of it.
    async fn hear(&mut self, action: &str, held: &Value) {
        let expected = (action.to_owned(), held.clone());
        for (way, socket) in self.sockets.iter_mut().enumerate() {
            assert_eq!(told(&socket.event("a").await), expected, "by WebSocket, way {way}");
        }
        for (way, stream) in self.streams.iter_mut().enumerate() {
            assert_eq!(told(&stream.edge().await), expected, "by server-sent events, way {way}");
        }
    }
}

async fn place(caller: &Caller<'_>, input: Value) -> String {
    let mut input = input;
    input["label"] = json!("case 7");
    let placed = caller.data(PLACE, json!({ "input": input })).await;
    placed["placeAuditHold"]["hold"]["id"].as_str().expect("an id").to_owned()
}

async fn lift(caller: &Caller<'_>, id: &str) {
    caller.data(LIFT, json!({ "input": { "id": id } })).await;
}

async fn followers_are_told_of_holds_as_they_are_when_an_event_is_sent(app: &TestApp) {
    let (admin, globex) = (app.admin("workspace", "acme"), app.admin("workspace", "globex"));
    for caller in [&admin, &globex] {
        caller.record(event("a.first")).await;
    }
    let address = listen(app).await;
    let mut followers = Followers::of(app, &address, &admin, None).await;
    let mut theirs = Followers::of(app, &address, &globex, None).await;
    let (yes, no) = (json!(true), json!(false));
    admin.record(event("a.before")).await;
    followers.hear("a.before", &no).await;
    // The hold of another organization keeps everything of that one, and nothing of this one.
    place(&globex, json!({})).await;
    admin.record(event("a.beside")).await;
    followers.hear("a.beside", &no).await;
    globex.record(event("a.theirs")).await;
    theirs.hear("a.theirs", &yes).await;
    let hold = place(&admin, json!({ "filter": { "actions": ["a.kept"] } })).await;
    for (action, held) in [("a.kept", &yes), ("a.free", &no), ("a.kept", &yes)] {
        admin.record(event(action)).await;
        followers.hear(action, held).await;
    }
    // A second hold keeps it when the first is lifted, also where another process changes them.
    let other = app.beside().await;
    let elsewhere = other.admin("workspace", "acme");
    let second = place(&elsewhere, json!({})).await;
    lift(&elsewhere, &hold).await;
    for action in ["a.kept", "a.free"] {
        admin.record(event(action)).await;
        followers.hear(action, &yes).await;
    }
    lift(&elsewhere, &second).await;
    for action in ["a.kept", "a.free"] {
        elsewhere.record(event(action)).await;
        followers.hear(action, &no).await;
    }
    globex.record(event("a.theirs")).await;
    theirs.hear("a.theirs", &yes).await;
    other.finish().await;
}

async fn followers_are_told_of_no_hold_that_is_not_theirs_to_know(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record(event("a.first")).await;
    let address = listen(app).await;
    let reader = app.admin("workspace", "acme").scopes("audit:read");
    let mut followers = Followers::of(app, &address, &reader, None).await;
    let mut owners = Followers::of(app, &address, &admin, None).await;
    let mut hold = None;
    for held in [false, true, false] {
        match (held, &hold) {
            (true, _) => hold = Some(place(&admin, json!({})).await),
            (false, Some(id)) => lift(&admin, id).await,
            (false, None) => {}
        }
        admin.record(event("a.next")).await;
        owners.hear("a.next", &json!(held)).await;
        followers.hear("a.next", &Value::Null).await;
    }
}

async fn a_token_that_is_narrowed_is_told_of_no_hold(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let of = |action: &str, project: &str| {
        let mut input = event(action);
        input["log"] = json!({ "level": "project", "id": project });
        input
    };
    for project in ["p1", "p2"] {
        admin.record(of("a.first", project)).await;
    }
    let address = listen(app).await;
    let narrowed = app.admin("workspace", "acme").logs(&["project:p1"]);
    let mut followers = Followers::of(app, &address, &narrowed, Some("p1")).await;
    let mut owners = Followers::of(app, &address, &admin, Some("p1")).await;
    let mut all = Followers::of(app, &address, &admin, None).await;
    admin.record(of("a.free", "p1")).await;
    followers.hear("a.free", &Value::Null).await;
    owners.hear("a.free", &json!(false)).await;
    all.hear("a.free", &json!(false)).await;
    // A hold of one log keeps that log's events alone; who is narrowed to it is not told.
    let hold = place(&admin, json!({ "log": { "level": "project", "id": "p1" } })).await;
    admin.record(of("a.elsewhere", "p2")).await;
    all.hear("a.elsewhere", &json!(false)).await;
    admin.record(of("a.kept", "p1")).await;
    followers.hear("a.kept", &Value::Null).await;
    owners.hear("a.kept", &json!(true)).await;
    all.hear("a.kept", &json!(true)).await;
    lift(&admin, &hold).await;
    admin.record(of("a.after", "p1")).await;
    followers.hear("a.after", &Value::Null).await;
    owners.hear("a.after", &json!(false)).await;
    all.hear("a.after", &json!(false)).await;
}
