//! Tokens that the service makes for partners and for pages: never more than their maker has, revoked everywhere, and
//! their secrets nowhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, header},
};
use futures_util::future::join_all;
use ledgerline::{catalog::Products, clock::Clock, event::Timestamp};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::{
    harness::{Answer, Caller, Database, TestApp, as_of_a_cluster, event, eventually, on_both_databases},
    process::{Client, Service, ledgerline},
};

const CREATE: &str = "mutation($input: CreateAuditTokenInput!) { createAuditToken(input: $input) { secret token {
    id label kind scopes logs { level externalId } roles plan createdAt createdBy expiresAt revokedAt lastUsedAt } } }";
const REVOKE: &str = "mutation($input: RevokeAuditTokenInput!) { revokeAuditToken(input: $input) { token {
    id revokedAt } } }";
const TOKENS: &str = "query($organization: ID, $ended: Boolean, $first: Int, $after: String) { auditTokens(
    organization: $organization, includeEnded: $ended, first: $first, after: $after) {
    tokens { id label kind scopes revokedAt lastUsedAt logs { externalId } } hasNextPage endCursor } }";
const LIST: &str = "{ auditEvents(first: 100) { nodes { action category { code } actionLabel outcome actor { kind externalId \
                    email name } resources { type externalId name } log { externalId } metadata } } }";
pub const MINUTE: i64 = 60_000_000_000;

on_both_databases! {
    a_token_does_what_was_granted_and_what_was_done_is_told,
    a_key_is_taken_wherever_a_token_is,
    nobody_gives_more_than_they_have,
    a_token_for_a_page_reads_one_log_for_a_day_at_most,
    what_is_asked_wrongly_is_told_by_field,
    a_revoked_token_ends_in_every_process_within_a_minute,
    of_many_who_revoke_one_does,
    a_change_and_what_tells_of_it_are_both_there_or_neither,
    what_lies_below_a_log_is_managed_with_it,
    another_organization_neither_sees_nor_revokes_nor_reads,
    a_token_ends_when_it_was_said_to,
    a_restart_keeps_the_keys_and_a_new_pair_leaves_old_tokens,
    while_the_database_is_away_a_token_counts_for_a_minute,
    the_list_is_paged_and_knows_the_last_use,
    nobody_forges_what_the_service_alone_records,
    a_copy_has_the_tokens,
    whoever_steals_the_pair_gains_nothing_that_was_not_granted,
    a_product_that_offers_no_tokens_any_more_accepts_none,
}

as_of_a_cluster! {
    a_token_does_what_was_granted_and_what_was_done_is_told,
}

/// What to make, with `change` on top.
fn wanted(change: Value) -> Value {
    let mut input = json!({ "label": "Partner", "kind": "JWT", "scopes": ["audit:read"], "expiresIn": 3600 });
    input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    json!({ "input": input })
}

/// A new token's id and secret.
async fn make(caller: &Caller<'_>, change: Value) -> (String, String) {
    let made = caller.data(CREATE, wanted(change)).await["createAuditToken"].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["token"]["id"]), text(&made["secret"]))
}

async fn refused(caller: &Caller<'_>, change: Value) -> String {
    let answer = caller.ask(CREATE, wanted(change)).await;
    let error = answer.errors()[0].clone();
    let field = error["extensions"]["field"].as_str().map(|field| format!(" {field}")).unwrap_or_default();
    format!("{}{field}: {}", answer.code(), error["message"].as_str().unwrap())
}

async fn revoke(caller: &Caller<'_>, id: &str) -> Answer {
    caller.ask(REVOKE, json!({ "input": { "id": id } })).await
}

async fn ask(app: &TestApp, token: &str, query: &str) -> Answer {
    app.graphql(Some(token), query, json!({})).await
}

async fn by_key(app: &TestApp, key: &str, query: &str) -> Answer {
    let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json").header("x-api-key", key);
    app.send(request.body(Body::from(json!({ "query": query }).to_string())).unwrap()).await
}

/// Whether a token is accepted at all.
async fn is_accepted(app: &TestApp, token: &str) -> bool {
    let answer = ask(app, token, "{ viewer { subject } }").await;
    match answer.status.as_u16() {
        200 => true,
        401 => {
            assert_eq!(answer.code(), "UNAUTHENTICATED");
            false
        }
        status => panic!("{status}: {:#}", answer.json()),
    }
}

async fn jwks(app: &TestApp) -> Value {
    let answer = app.send(Request::get("/.well-known/jwks.json").body(Body::empty()).unwrap()).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["content-type"]),
        (200, &"application/jwk-set+json".parse().unwrap())
    );
    answer.json()
}

/// A clock that a test moves.
pub fn clock() -> (Clock, Arc<AtomicI64>) {
    let ahead = Arc::new(AtomicI64::new(0));
    let moved = ahead.clone();
    (Clock::new(move || Timestamp(Clock::system().now().0 + moved.load(Ordering::SeqCst))), ahead)
}

async fn a_token_does_what_was_granted_and_what_was_done_is_told(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let made = admin.data(CREATE, wanted(json!({ "scopes": ["audit:record", "audit:read"] }))).await;
    let token = &made["createAuditToken"]["token"];
    assert_eq!(token["scopes"], json!(["audit:read", "audit:record"]));
    assert_eq!(
        (&token["roles"], &token["createdBy"], &token["logs"]),
        (&json!(["admin"]), &json!("admin"), &json!([]))
    );
    let (id, secret) = (token["id"].as_str().unwrap(), made["createAuditToken"]["secret"].as_str().unwrap());
    // It reads and records, under its own id.
    let viewer = ask(app, secret, "{ viewer { subject name organization } }").await.data();
    assert_eq!(viewer["viewer"], json!({ "subject": id, "name": "Partner", "organization": "acme" }));
    let record =
        "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { event { recordedBy } } }";
    let recorded = app.graphql(Some(secret), record, json!({ "input": event("project.deleted") })).await.data();
    assert_eq!(recorded["recordAuditEvent"]["event"]["recordedBy"], id);
    let list = ask(app, secret, LIST).await.data();
    let told = &list["auditEvents"]["nodes"][1];
    assert_eq!((&told["action"], &told["category"]["code"]), (&json!("audit_log.token_created"), &json!("api_key")));
    assert_eq!((&told["actionLabel"], &told["outcome"]), (&json!("Audit log token created"), &json!("SUCCESS")));
    assert_eq!(told["actor"], json!({ "kind": "USER", "externalId": "admin", "email": null, "name": null }));
    assert_eq!(told["resources"], json!([{ "type": "audit_log_token", "externalId": id, "name": "Partner" }]));
    assert_eq!(told["metadata"]["scopes"], token["scopes"]);
    assert_eq!(told["metadata"]["expiresAt"], token["expiresAt"]);
    assert!(!list.to_string().contains(secret));
    // Search and filters find it like any event of the product.
    assert_eq!(admin.actions("filter: { actions: [\"audit_log.*\"] }").await, ["audit_log.token_created"]);
    assert_eq!(admin.actions("search: \"token created\"").await, ["audit_log.token_created"]);
    // It manages nothing, whatever it asks for.
    let delete = "mutation { deleteAuditLog(input: { log: { level: \"project\", id: \"p\" } }) { log { level } } }";
    for (query, variables) in [
        (CREATE, wanted(json!({}))),
        (REVOKE, json!({ "input": { "id": id } })),
        (TOKENS, json!({})),
        (delete, json!({})),
    ] {
        assert_eq!(app.graphql(Some(secret), query, variables).await.code(), "FORBIDDEN", "{query}");
    }
    // One that was granted reading alone does not record.
    let (_, reader) = make(&admin, json!({})).await;
    assert_eq!(
        app.graphql(Some(&reader), record, json!({ "input": event("project.deleted") })).await.code(),
        "FORBIDDEN"
    );
    // One that was granted recording alone does not read.
    let (_, recorder) = make(&admin, json!({ "scopes": ["audit:record"] })).await;
    assert_eq!(ask(app, &recorder, LIST).await.code(), "FORBIDDEN");
}

async fn a_key_is_taken_wherever_a_token_is(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let (id, key) = make(&admin, json!({ "kind": "KEY" })).await;
    assert!(key.starts_with("ck_live_") && key.len() == 8 + 43, "as the product file says");
    for answer in [by_key(app, &key, LIST).await, ask(app, &key, LIST).await] {
        assert_eq!(answer.data()["auditEvents"]["nodes"][0]["resources"][0]["externalId"], id);
    }
    // Beside a token that a proxy adds for itself.
    let request = Request::post("/graphql").header("x-api-key", &key).header(header::CONTENT_TYPE, "application/json");
    let request = request.header(header::AUTHORIZATION, "Bearer of.another.service");
    let answer = app.send(request.body(Body::from(json!({ "query": "{ viewer { subject } }" }).to_string())).unwrap());
    assert_eq!(answer.await.data()["viewer"]["subject"], id);
    // Whatever is not exactly the key is nobody's.
    let last = if key.ends_with('A') { "B" } else { "A" };
    let other = format!("{}{last}", &key[..key.len() - 1]);
    for wrong in [other.as_str(), &key[..key.len() - 1], "ck_live_", &key.to_uppercase(), &id] {
        assert_eq!(by_key(app, wrong, LIST).await.status, 401, "{wrong}");
    }
    // Another product's keys begin otherwise, and the hash of a key is no key.
    let (_, plain) = make(&app.admin("workspace", "acme"), json!({ "kind": "KEY" })).await;
    assert!(plain.starts_with("llk_") && is_accepted(app, &plain).await);
}

async fn nobody_gives_more_than_they_have(app: &TestApp) {
    let admin = || app.admin("capydb", "acme");
    let recorder = admin().scopes("audit:manage audit:record");
    assert_eq!(
        refused(&recorder, json!({})).await,
        "FORBIDDEN: a token has no more scopes than its maker, and yours lacks audit:read"
    );
    for scope in ["audit:manage", "audit:staff", "audit:everything"] {
        let told = refused(&admin(), json!({ "scopes": ["audit:read", scope] })).await;
        assert!(told.starts_with("BAD_USER_INPUT input.scopes[1]: "), "{told}");
    }
    // Not narrowed to logs, or to others.
    let mut input = event("project.deleted");
    for project in ["p1", "p2"] {
        input["log"] = json!({ "level": "project", "id": project });
        admin().record(input.clone()).await;
    }
    let log = |id: &str| json!({ "log": { "level": "project", "id": id } });
    let narrowed = admin().logs(&["project:p1"]);
    for other in [log("p2"), log("not-there"), json!({ "log": { "level": "organization", "id": "acme" } })] {
        assert_eq!(refused(&narrowed, other).await, "FORBIDDEN: this token is for other logs");
    }
    for given in [json!({}), log("p1")] {
        let (_, token) = make(&narrowed, given).await;
        let list = ask(app, &token, "{ auditEvents { nodes { log { externalId } } } }").await.data();
        let logs: Vec<_> =
            list["auditEvents"]["nodes"].as_array().unwrap().iter().map(|node| &node["log"]["externalId"]).collect();
        assert!(!logs.is_empty() && logs.iter().all(|log| **log == "p1"), "{logs:?}");
        let other = "{ auditEvents(log: { level: \"project\", id: \"p2\" }) { nodes { id } } }";
        assert_eq!(ask(app, &token, other).await.code(), "FORBIDDEN");
    }
    // A log that is gone is not made anew to tell of it.
    let delete = "mutation { deleteAuditLog(input: { log: { level: \"project\", id: \"p2\" } }) { log { level } } }";
    admin().data(delete, json!({})).await;
    let gone = admin().logs(&["project:p2"]);
    assert_eq!(refused(&gone, json!({})).await, "FORBIDDEN: this token is for other logs");
    make(&admin().logs(&["project:p2", "project:p3"]), json!({})).await;
    let logs = admin().data("{ viewer { logs { externalId } } }", json!({})).await["viewer"]["logs"].to_string();
    assert!(logs.contains("p3") && !logs.contains("p2"), "{logs}");
    // Without the role or the plan to read, there is none to hand on; staff have neither.
    let staff =
        app.caller("capydb").subject("staff-1").scopes("audit:staff audit:manage audit:read").organization("acme");
    assert_eq!(refused(&staff, json!({})).await, "FORBIDDEN: reading this audit log takes the role admin or owner");
    let (_, token) =
        make(&staff.scopes("audit:staff audit:manage audit:record"), json!({ "scopes": ["audit:record"] })).await;
    assert_eq!(ask(app, &token, LIST).await.code(), "FORBIDDEN");
    let free = app.admin("cloud-sessions", "acme").plan("free");
    assert!(refused(&free, json!({})).await.starts_with("PLAN_REQUIRED: "));
    // Nor who may not manage, nor where nothing is managed.
    assert_eq!(
        refused(&admin().scopes("audit:read"), json!({})).await,
        "FORBIDDEN: the token lacks the scope audit:manage"
    );
    let told = refused(&admin().role("member"), json!({})).await;
    assert_eq!(told, "FORBIDDEN: managing this audit log takes the role admin or owner");
    let told = refused(&app.admin("caputchin", "acme"), json!({})).await;
    assert_eq!(told, "FORBIDDEN: Caputchin does not offer tokens in the management section of its file");
}

async fn a_token_for_a_page_reads_one_log_for_a_day_at_most(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let page = |change: Value| {
        let mut input = json!({ "kind": "VIEWER", "log": { "level": "project", "id": "p1" } });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        input
    };
    for (change, told) in [
        (json!({ "log": null }), "BAD_USER_INPUT input.log: "),
        (json!({ "expiresIn": 86_401 }), "BAD_USER_INPUT input.expiresIn: "),
        (json!({ "scopes": ["audit:read", "audit:record"] }), "BAD_USER_INPUT input.scopes: "),
    ] {
        let answer = refused(&admin, page(change)).await;
        assert!(answer.starts_with(told), "{answer}");
    }
    let (_, token) = make(&admin, page(json!({}))).await;
    let mut input = event("project.deleted");
    admin.record(input.clone()).await;
    input["log"] = json!({ "level": "project", "id": "p1" });
    admin.record(input).await;
    let list = ask(app, &token, "{ auditEvents { totalCount } }").await.data();
    assert_eq!(list["auditEvents"]["totalCount"], 1);
}

async fn what_is_asked_wrongly_is_told_by_field(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    for (change, field) in [
        (json!({ "label": " " }), "input.label"),
        (json!({ "label": "x".repeat(257) }), "input.label"),
        (json!({ "label": "a\u{0}b" }), "input.label"),
        (json!({ "scopes": [] }), "input.scopes"),
        (json!({ "expiresIn": 59 }), "input.expiresIn"),
        (json!({ "expiresIn": -1 }), "input.expiresIn"),
        (json!({ "expiresIn": 366 * 86_400 + 1 }), "input.expiresIn"),
        (json!({ "log": { "level": "moon", "id": "m" } }), "input.log.level"),
        (json!({ "log": { "level": "project", "id": "" } }), "input.log.id"),
    ] {
        let answer = admin.ask(CREATE, wanted(change.clone())).await;
        assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", field), "{change}");
    }
    let nobody = app.admin("capydb", "acme").without_organization();
    assert!(refused(&nobody, json!({})).await.starts_with("BAD_USER_INPUT input.organization: "));
    for (variables, field) in
        [(json!({ "first": 0 }), "first"), (json!({ "first": 101 }), "first"), (json!({ "after": "x" }), "after")]
    {
        assert_eq!(admin.ask(TOKENS, variables).await.field(), field);
    }
    for id in ["tok_", "tok_0000000000000000000000", "evt_1", "a\u{0}b"] {
        assert_eq!(revoke(&admin, id).await.code(), "NOT_FOUND", "{id:?}");
    }
    // Nothing of this was told in the log: nothing was changed.
    assert_eq!(admin.actions("").await, Vec::<String>::new());
}

async fn a_revoked_token_ends_in_every_process_within_a_minute(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let (clock, ahead) = clock();
    let other = app.beside_with_clock(clock).await;
    for kind in ["JWT", "KEY"] {
        ahead.store(0, Ordering::SeqCst);
        let (id, token) = make(&admin, json!({ "kind": kind })).await;
        let (_, kept) = make(&admin, json!({ "kind": kind })).await;
        for process in [app, &other] {
            assert!(is_accepted(process, &token).await && is_accepted(process, &kept).await, "{kind}");
        }
        let revoked = revoke(&admin, &id).await.data();
        assert!(revoked["revokeAuditToken"]["token"]["revokedAt"].is_string());
        assert!(!is_accepted(app, &token).await, "at once where it was done");
        match app.database {
            // It is told: its clock stands still, so it has not read the token anew.
            Database::Postgres => eventually(async || !is_accepted(&other, &token).await).await,
            Database::Sqlite => {
                assert!(is_accepted(&other, &token).await, "the other process remembers it for half a minute");
                ahead.store(MINUTE / 2 + 1, Ordering::SeqCst);
            }
        }
        assert!(!is_accepted(&other, &token).await, "{kind}");
        assert!(is_accepted(&other, &kept).await, "{kind}");
        let answer = ask(app, &token, LIST).await;
        assert_eq!(answer.errors()[0]["message"], "the token was revoked");
        assert_eq!(revoke(&admin, &id).await.code(), "NOT_FOUND", "it is revoked once");
    }
    let told = admin.actions("filter: { actions: [\"audit_log.token_revoked\"] }").await;
    assert_eq!(told.len(), 2);
    other.finish().await;
}

async fn of_many_who_revoke_one_does(app: &TestApp) {
    let other = app.beside().await;
    let (admin, there) = (app.admin("capydb", "acme"), other.admin("capydb", "acme"));
    let (id, token) = make(&admin, json!({})).await;
    // What was asked for beside it is recorded whatever becomes of the revocations.
    let revoking = join_all((0..16).map(|place| revoke(if place % 2 == 0 { &admin } else { &there }, &id)));
    let recording = join_all((0..16).map(|_| admin.record(event("project.deleted"))));
    let (answers, recorded) = tokio::join!(revoking, recording);
    assert_eq!(recorded.len(), 16);
    let codes: Vec<_> =
        answers.iter().filter(|answer| answer.json().get("errors").is_some()).map(Answer::code).collect();
    assert_eq!(codes, vec!["NOT_FOUND"; 15]);
    assert_eq!(admin.actions("filter: { actions: [\"audit_log.token_revoked\"] }").await.len(), 1);
    assert!(!is_accepted(app, &token).await);
    let list = admin.data("{ auditEvents(first: 50) { totalCount nodes { sequence } } }", json!({})).await;
    assert_eq!(list["auditEvents"]["totalCount"], 18);
    // Two processes take the time for themselves, so the newest is not always the last that was numbered.
    let nodes = list["auditEvents"]["nodes"].as_array().expect("a list");
    let mut sequences: Vec<_> = nodes.iter().map(|node| node["sequence"].as_str().unwrap().to_owned()).collect();
    sequences.sort_by_key(|sequence| sequence.parse::<u64>().expect("a number"));
    let dense: Vec<_> = (0..18).map(|sequence: u64| sequence.to_string()).collect();
    assert_eq!(sequences, dense, "refusals leave no gap");
    other.finish().await;
}

/// Runs a statement beside the service.
async fn run(app: &TestApp, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    match app.database {
        Database::Sqlite => SqliteConnection::connect(&app.url).await.unwrap().execute(sql).await.map(drop),
        Database::Postgres => PgConnection::connect(&app.url).await.unwrap().execute(sql).await.map(drop),
    }
    .unwrap();
}

async fn a_change_and_what_tells_of_it_are_both_there_or_neither(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let (kept, _) = make(&admin, json!({})).await;
    let (no_event, events_again) = match app.database {
        Database::Sqlite => (
            "CREATE TRIGGER untold BEFORE INSERT ON event WHEN NEW.action LIKE 'audit_log.%' \
             BEGIN SELECT RAISE(ABORT, 'untold'); END",
            "DROP TRIGGER untold",
        ),
        Database::Postgres => (
            "ALTER TABLE event ADD CONSTRAINT untold CHECK (action NOT LIKE 'audit_log.%') NOT VALID",
            "ALTER TABLE event DROP CONSTRAINT untold",
        ),
    };
    let no_token = "ALTER TABLE partner_token RENAME TO partner_token_away";
    let tokens_again = "ALTER TABLE partner_token_away RENAME TO partner_token";
    for (round, (fault, cure)) in [(no_event, events_again), (no_token, tokens_again)].into_iter().enumerate() {
        run(app, fault).await;
        // Those who record at the same moment are not kept from it.
        let making = join_all((0..8).map(|_| admin.ask(CREATE, wanted(json!({ "kind": "KEY" })))));
        let recording = join_all((0..8).map(|_| admin.record(event("project.deleted"))));
        let revoking = async {
            // What is revoked has to be found first.
            if round == 0 { Some(revoke(&admin, &kept).await) } else { None }
        };
        let (made, recorded, revoked) = tokio::join!(making, recording, revoking);
        assert!(made.iter().chain(&revoked).all(|answer| answer.code() == "INTERNAL"));
        assert_eq!(recorded.len(), 8);
        run(app, cure).await;
        assert_eq!(admin.actions("filter: { actions: [\"audit_log.*\"] }").await, ["audit_log.token_created"]);
        let list = admin.data(TOKENS, json!({ "ended": true })).await["auditTokens"]["tokens"].clone();
        assert_eq!((list.as_array().unwrap().len(), &list[0]["id"]), (1, &json!(kept)));
        assert!(list[0]["revokedAt"].is_null());
    }
    assert!(revoke(&admin, &kept).await.json().get("errors").is_none());
    assert_eq!(admin.actions("filter: { actions: [\"audit_log.*\"] }").await.len(), 2);
}

async fn what_lies_below_a_log_is_managed_with_it(app: &TestApp) {
    // Three levels: whoever manages a troop manages its widgets.
    let text = include_str!("../../products/caputchin.toml");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("caputchin.toml"), format!("{text}\n[management]\n")).unwrap();
    let products = Products::load(folder.path()).unwrap();
    let own = TestApp::with(app.database, products, |_| {}).await;
    let admin = || own.admin("caputchin", "acme");
    for (troop, widget) in [("t1", "w1"), ("t2", "w2")] {
        let mut input = event("widget.opened");
        let above = json!({ "level": "troop", "id": troop });
        input["log"] = json!({ "level": "widget", "id": widget, "parent": above });
        admin().record(input).await;
    }
    let narrowed = admin().logs(&["troop:t1"]);
    let log = |level: &str, id: &str| json!({ "log": { "level": level, "id": id } });
    let (troop, _) = make(&narrowed, log("troop", "t1")).await;
    let (widget, token) = make(&narrowed, log("widget", "w1")).await;
    for other in [log("widget", "w2"), log("troop", "t2"), log("account", "acme")] {
        assert_eq!(refused(&narrowed, other).await, "FORBIDDEN: this token is for other logs");
    }
    make(&admin(), json!({})).await;
    make(&admin(), log("widget", "w2")).await;
    let list = narrowed.data(TOKENS, json!({ "first": 1 })).await["auditTokens"].clone();
    assert_eq!((&list["tokens"][0]["id"], &list["hasNextPage"]), (&json!(widget), &json!(true)));
    let list = narrowed.data(TOKENS, json!({ "first": 2 })).await["auditTokens"].clone();
    assert_eq!((&list["tokens"][1]["id"], &list["hasNextPage"]), (&json!(troop), &json!(false)));
    assert!(revoke(&narrowed, &widget).await.json().get("errors").is_none());
    assert!(!is_accepted(&own, &token).await);
    own.finish().await;
}

async fn another_organization_neither_sees_nor_revokes_nor_reads(app: &TestApp) {
    let (acme, globex) = (app.admin("capydb", "acme"), app.admin("capydb", "globex"));
    let (id, token) = make(&acme, json!({})).await;
    make(&globex, json!({ "label": "Theirs" })).await;
    let labels = async |caller: &Caller<'_>| {
        let list = caller.data(TOKENS, json!({})).await;
        let tokens = list["auditTokens"]["tokens"].as_array().unwrap().clone();
        tokens.iter().map(|token| token["label"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((labels(&acme).await, labels(&globex).await), (vec!["Partner".to_owned()], vec!["Theirs".to_owned()]));
    assert_eq!(globex.ask(TOKENS, json!({ "organization": "acme" })).await.code(), "NOT_FOUND");
    assert_eq!(revoke(&globex, &id).await.code(), "NOT_FOUND");
    let there = json!({ "input": { "id": id, "organization": "acme" } });
    assert_eq!(globex.ask(REVOKE, there).await.code(), "NOT_FOUND");
    // The same organization of another product is another one.
    assert_eq!(revoke(&app.admin("workspace", "acme"), &id).await.code(), "NOT_FOUND");
    assert!(is_accepted(app, &token).await);
    assert_eq!(
        ask(app, &token, "{ auditEvents(organization: \"globex\") { nodes { id } } }").await.code(),
        "NOT_FOUND"
    );
    let list = globex.data("{ auditEvents { nodes { id } } }", json!({})).await;
    let theirs = list["auditEvents"]["nodes"][0]["id"].as_str().unwrap();
    assert_eq!(ask(app, &token, &format!("{{ auditEvent(id: \"{theirs}\") {{ id }} }}")).await.code(), "NOT_FOUND");
    // Whoever is narrowed to a log sees and revokes what reaches no further.
    let project = json!({ "log": { "level": "project", "id": "p1" } });
    let (inner, _) = make(&acme, project).await;
    let narrowed = app.admin("capydb", "acme").logs(&["project:p1"]);
    assert_eq!(labels(&narrowed).await.len(), 1);
    assert_eq!(revoke(&narrowed, &id).await.code(), "NOT_FOUND");
    assert!(revoke(&narrowed, &inner).await.json().get("errors").is_none());
    let told = narrowed.data("{ auditEvents { nodes { action log { externalId } } } }", json!({})).await;
    assert_eq!(
        told["auditEvents"]["nodes"],
        json!([{ "action": "audit_log.token_revoked", "log": { "externalId": "p1" } }]),
        "it is told where they may read"
    );
}

async fn a_token_ends_when_it_was_said_to(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let (clock, ahead) = clock();
    let later = app.beside_with_clock(clock).await;
    for kind in ["JWT", "KEY"] {
        ahead.store(0, Ordering::SeqCst);
        let (id, token) = make(&admin, json!({ "kind": kind, "expiresIn": 600 })).await;
        ahead.store(10 * MINUTE - MINUTE / 6, Ordering::SeqCst);
        assert!(is_accepted(&later, &token).await);
        // With the minute that clocks may differ.
        ahead.store(11 * MINUTE + 1, Ordering::SeqCst);
        assert!(!is_accepted(&later, &token).await);
        assert_eq!(ask(&later, &token, LIST).await.errors()[0]["message"], "the token has expired");
        let listed = |list: Value| list["auditTokens"]["tokens"].to_string().contains(&id);
        let there = later.admin("capydb", "acme");
        assert!(!listed(there.data(TOKENS, json!({})).await));
        assert!(listed(there.data(TOKENS, json!({ "ended": true })).await));
    }
    later.finish().await;
}

async fn a_restart_keeps_the_keys_and_a_new_pair_leaves_old_tokens(app: &TestApp) {
    let own = app.built_in().await;
    let file = own.folder().join("keys/issuer.pem");
    assert_eq!(jwks(&own).await, json!({ "keys": [] }));
    make(&own.admin("capydb", "acme"), json!({ "kind": "KEY" })).await;
    assert!(!file.exists(), "a key needs no pair: it is made with the first JWT");
    // Two at once make one pair.
    let other = own.beside().await;
    let (admin, there) = (own.admin("capydb", "acme"), other.admin("capydb", "acme"));
    let ((_, first), (_, second)) = tokio::join!(make(&admin, json!({})), make(&there, json!({})));
    assert!(is_accepted(&other, &first).await && is_accepted(&own, &second).await);
    let one = jwks(&own).await;
    assert_eq!(one["keys"].as_array().unwrap().len(), 1, "{one}");
    assert_eq!((&one["keys"][0]["alg"], &one["keys"][0]["crv"]), (&json!("EdDSA"), &json!("Ed25519")));
    assert!(one["keys"][0].get("d").is_none());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    other.finish().await;
    let own = own.again(|_| {}).await;
    assert!(is_accepted(&own, &first).await);
    let (_, third) = make(&own.admin("capydb", "acme"), json!({})).await;
    assert_eq!(jwks(&own).await, one);
    // Another pair, as after a change of keys: what was signed before goes on until it ends.
    std::fs::rename(&file, file.with_extension("old")).unwrap();
    let own = own.again(|_| {}).await;
    let (_, fourth) = make(&own.admin("capydb", "acme"), json!({})).await;
    for token in [&first, &second, &third, &fourth] {
        assert!(is_accepted(&own, token).await);
    }
    let two = jwks(&own).await;
    assert_eq!((two["keys"].as_array().unwrap().len(), &two["keys"][0]), (2, &one["keys"][0]));
    // A file that holds something else makes no JWT, and tells nothing of what it holds.
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "a secret of another kind").unwrap();
    let own = own.again(|_| {}).await;
    let answer = own.admin("capydb", "acme").ask(CREATE, wanted(json!({}))).await;
    assert_eq!(answer.code(), "INTERNAL");
    assert!(!String::from_utf8_lossy(&answer.body).contains("secret of another"));
    assert!(is_accepted(&own, &first).await);
    own.finish().await;
}

/// Keeps the service from reading tokens: by a PostgreSQL that lets nobody in; SQLite has no such thing, so the tables go.
pub async fn set_away(app: &TestApp, away: bool) {
    if app.database == Database::Sqlite {
        for table in ["partner_token", "issuer_key"] {
            let (from, to) = if away { ("", "_away") } else { ("_away", "") };
            run(app, &format!("ALTER TABLE {table}{from} RENAME TO {table}{to}")).await;
        }
        return;
    }
    let (server, name) = app.url.rsplit_once('/').unwrap();
    let mut other = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    other.execute(AssertSqlSafe(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {}", !away))).await.unwrap();
    let hang_up = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    other.execute(AssertSqlSafe(hang_up)).await.unwrap();
}

async fn while_the_database_is_away_a_token_counts_for_a_minute(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let (clock, ahead) = clock();
    let other = app.beside_with_clock(clock).await;
    let (_, jwt) = make(&admin, json!({})).await;
    let (_, key) = make(&admin, json!({ "kind": "KEY" })).await;
    let (_, unseen) = make(&admin, json!({ "kind": "KEY" })).await;
    assert!(is_accepted(&other, &jwt).await && is_accepted(&other, &key).await);
    for round in 0..2 {
        set_away(app, true).await;
        for (passed, accepted) in [(MINUTE / 4, true), (MINUTE * 3 / 4, true), (MINUTE + 1, false)] {
            ahead.fetch_add(passed - ahead.load(Ordering::SeqCst) % MINUTE, Ordering::SeqCst);
            for token in [&jwt, &key] {
                let answer = ask(&other, token, "{ viewer { subject } }").await;
                let status = answer.status.as_u16();
                assert_eq!(status, if accepted { 200 } else { 503 }, "round {round}, {passed}: {:#}", answer.json());
                if !accepted {
                    assert_eq!(answer.code(), "UNAVAILABLE");
                    assert!(answer.headers.contains_key("retry-after"));
                    assert!(!answer.headers.contains_key("www-authenticate"), "it may be good");
                }
            }
        }
        let answer = ask(&other, &unseen, "{ viewer { subject } }").await;
        assert_eq!(answer.status, 503, "whoever was never seen is put off, too");
        // Tokens of other issuers go on.
        assert!(is_accepted(&other, &other.admin("capydb", "acme").token()).await);
        set_away(app, false).await;
        eventually(async || ask(&other, &jwt, "{ viewer { subject } }").await.status == 200).await;
        assert!(is_accepted(&other, &key).await);
        ahead.store(MINUTE * 2 * (round + 1), Ordering::SeqCst);
        eventually(async || ask(&other, &jwt, "{ viewer { subject } }").await.status == 200).await;
        assert!(is_accepted(&other, &key).await);
    }
    other.finish().await;
}

async fn the_list_is_paged_and_knows_the_last_use(app: &TestApp) {
    let own = app.built_in().await;
    let admin = own.admin("capydb", "acme");
    let mut made = Vec::new();
    for place in 0..5 {
        made.push(make(&admin, json!({ "label": format!("Token {place}"), "kind": "KEY" })).await);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(is_accepted(&own, &made[1].1).await);
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = admin.data(TOKENS, json!({ "first": 2, "after": after })).await["auditTokens"].clone();
        seen.extend(page["tokens"].as_array().unwrap().iter().map(|token| token["label"].as_str().unwrap().to_owned()));
        if page["hasNextPage"] == false {
            break;
        }
        after = page["endCursor"].clone();
    }
    assert_eq!(seen, ["Token 4", "Token 3", "Token 2", "Token 1", "Token 0"]);
    revoke(&admin, &made[4].0).await.data();
    let number = async |ended: bool| {
        admin.data(TOKENS, json!({ "ended": ended })).await["auditTokens"]["tokens"].as_array().unwrap().len()
    };
    assert_eq!((number(false).await, number(true).await), (4, 5));
    // Uses are written down a little later, and when the service stops.
    let own = own.again(|_| {}).await;
    let list = own.admin("capydb", "acme").data(TOKENS, json!({})).await;
    let used: Vec<_> =
        list["auditTokens"]["tokens"].as_array().unwrap().iter().map(|token| token["lastUsedAt"].is_string()).collect();
    assert_eq!(used, [false, false, true, false]);
    own.finish().await;
}

async fn nobody_forges_what_the_service_alone_records(app: &TestApp) {
    // Of an open catalog and of closed ones.
    for product in ["workspace", "capydb", "caputchin"] {
        let admin = app.admin(product, "acme");
        for action in ["audit_log.token_created", "audit_log.token_revoked"] {
            let record = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";
            let answer = admin.ask(record, json!({ "input": event(action) })).await;
            assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", "input.action"));
        }
        assert_eq!(admin.actions("").await, Vec::<String>::new());
    }
}

async fn a_copy_has_the_tokens(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let (_, jwt) = make(&admin, json!({})).await;
    let (_, key) = make(&admin, json!({ "kind": "KEY" })).await;
    let target = TestApp::with(
        if app.database == Database::Sqlite { Database::Postgres } else { Database::Sqlite },
        app.products.clone(),
        |_| {},
    )
    .await;
    let copy = async || {
        let mut command = ledgerline(&app.url, &app.folder());
        command.args(["copy", "--from", &app.url, "--to", &target.url]);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    copy().await;
    let there = target.beside().await;
    assert!(is_accepted(&there, &jwt).await && is_accepted(&there, &key).await);
    there.finish().await;
    // A later copy brings what was revoked since; uses in between do not stand in its way.
    assert!(is_accepted(app, &jwt).await);
    app.app.services.partners.write_uses().await;
    copy().await;
    let id = admin.data(TOKENS, json!({})).await["auditTokens"]["tokens"][0]["id"].as_str().unwrap().to_owned();
    revoke(&admin, &id).await.data();
    copy().await;
    let there = target.beside().await;
    assert!(is_accepted(&there, &jwt).await && !is_accepted(&there, &key).await);
    there.finish().await;
    target.finish().await;
}

async fn whoever_steals_the_pair_gains_nothing_that_was_not_granted(app: &TestApp) {
    let own = app.built_in().await;
    let admin = own.admin("capydb", "acme");
    let (id, token) = make(&admin, json!({})).await;
    let (key_id, _) = make(&admin, json!({ "kind": "KEY" })).await;
    let pem = std::fs::read_to_string(own.folder().join("keys/issuer.pem")).unwrap();
    let key = jsonwebtoken::EncodingKey::from_ed_pem(pem.as_bytes()).unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(&token).unwrap();
    let forged = |change: Value| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    };
    let more = forged(
        json!({ "scope": "audit:read audit:record audit:manage audit:staff", "org": "globex", "exp": 9_999_999_999_i64 }),
    );
    let viewer = ask(&own, &more, "{ viewer { subject organization canRecord { allowed } } }").await.data();
    assert_eq!(viewer["viewer"], json!({ "subject": id, "organization": "acme", "canRecord": { "allowed": false } }));
    assert_eq!(own.graphql(Some(&more), CREATE, wanted(json!({}))).await.code(), "FORBIDDEN");
    for change in [
        json!({ "jti": "tok_0000000000000000000000" }),
        json!({ "jti": key_id }),
        json!({ "jti": null }),
        json!({ "jti": 1 }),
        json!({ "aud": "somebody-else" }),
        json!({ "iss": "https://auth.capydb.example" }),
    ] {
        assert!(!is_accepted(&own, &forged(change.clone())).await, "{change}");
    }
    // Signed by anybody else, or by nobody.
    let other = jsonwebtoken::EncodingKey::from_secret(pem.as_bytes());
    let hmac = jsonwebtoken::Header { kid: header.kid.clone(), ..Default::default() };
    assert!(!is_accepted(&own, &jsonwebtoken::encode(&hmac, &claims, &other).unwrap()).await);
    let (unsigned, _) = token.rsplit_once('.').unwrap();
    for signature in ["", ".", ".AAAA"] {
        assert!(!is_accepted(&own, &format!("{unsigned}{signature}")).await);
    }
    // A row that is lost, as in a restore, takes its token with it.
    run(&own, "DELETE FROM partner_token").await;
    let other = own.beside().await;
    assert!(!is_accepted(&other, &token).await);
    other.finish().await;
    own.finish().await;
}

async fn a_product_that_offers_no_tokens_any_more_accepts_none(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let (id, jwt) = make(&admin, json!({})).await;
    let (_, key) = make(&admin, json!({ "kind": "KEY" })).await;
    let text = include_str!("../../products/capydb.toml");
    let (section, rest) = text.split_once("[management]\n").unwrap();
    let (_, rest) = rest.split_once("\n\n").unwrap();
    for features in ["", "[management]\nfeatures = [\"exports\"]\n"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("capydb.toml"), format!("{section}{features}\n{rest}")).unwrap();
        let other = app.beside_with_products(Products::load(folder.path()).unwrap()).await;
        assert!(!is_accepted(&other, &jwt).await && !is_accepted(&other, &key).await);
        let there = other.admin("capydb", "acme");
        for (query, variables) in
            [(CREATE, wanted(json!({}))), (TOKENS, json!({})), (REVOKE, json!({ "input": { "id": id } }))]
        {
            assert_eq!(there.ask(query, variables).await.code(), "FORBIDDEN", "{features}");
        }
        other.finish().await;
    }
    assert!(is_accepted(app, &jwt).await && is_accepted(app, &key).await);
}

/// What is given away once stands nowhere: not in the database, not in a line of the log, not in an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_stand_nowhere() {
    let app = TestApp::start(Database::Sqlite).await;
    let service = Service::run_with_log(ledgerline(&app.url, &app.folder()), "trace").await;
    let admin = Client::new(app.admin("capydb", "acme").token());
    let mut secrets = Vec::new();
    for kind in ["JWT", "KEY"] {
        let made = admin.ask(&service.base, CREATE, wanted(json!({ "kind": kind }))).await.unwrap();
        assert!(made["data"]["createAuditToken"].is_object(), "{made:#}");
        let made = &made["data"]["createAuditToken"];
        let secret = made["secret"].as_str().unwrap().to_owned();
        let partner = Client::new(secret.clone());
        let mut answers = vec![partner.ask(&service.base, LIST, json!({})).await.unwrap()];
        answers.push(partner.ask(&service.base, CREATE, wanted(json!({}))).await.unwrap());
        answers.push(admin.ask(&service.base, TOKENS, json!({ "ended": true })).await.unwrap());
        answers
            .push(admin.ask(&service.base, REVOKE, json!({ "input": { "id": made["token"]["id"] } })).await.unwrap());
        answers.push(partner.ask(&service.base, LIST, json!({})).await.unwrap());
        assert_eq!(answers[4]["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        // Of a JWT, the signature: the rest is no secret.
        let secret = secret.rsplit('.').next().unwrap().trim_start_matches("ck_live_").to_owned();
        assert!(secret.len() >= 43 && answers.iter().all(|answer| !answer.to_string().contains(&secret)));
        secrets.push(secret);
    }
    let pem = std::fs::read_to_string(app.folder().join("keys/issuer.pem")).unwrap();
    secrets.push(pem.lines().nth(1).unwrap().to_owned());
    let log = service.log().join("\n");
    assert!(log.len() > 1_000, "the log tells something: {log}");
    service.terminate().await;
    let mut stored = Vec::new();
    for entry in std::fs::read_dir(app.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            stored.extend(std::fs::read(path).unwrap());
        }
    }
    let holds = |secret: &str| stored.windows(secret.len()).any(|part| part == secret.as_bytes());
    assert!(holds("audit_log.token_created"), "the database is among what was read");
    for secret in &secrets {
        assert!(!log.contains(secret.as_str()) && !holds(secret), "a secret is written down");
    }
    app.finish().await;
}
