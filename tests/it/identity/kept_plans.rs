//! Plans that a backend sets for organizations whose tokens carry none.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    harness::{Answer, Caller, Database, TestApp, event, eventually, on_both_databases, receiver::Receiver},
    tokens::{MINUTE, clock, set_away},
};

const SET: &str =
    "mutation($input: SetOrganizationPlanInput!) { setOrganizationPlan(input: $input) { organization plan } }";
const READ: &str = "{ viewer { plan } auditEvents { totalCount } }";
/// A product whose log is read on the plan `paid`.
pub const PRODUCT: &str = "cloud-sessions";

pub fn backend(app: &TestApp) -> Caller<'_> {
    app.caller(PRODUCT).subject("billing").scopes("audit:manage")
}

/// An administrator whose token names no plan.
pub fn admin<'a>(app: &'a TestApp, organization: &str) -> Caller<'a> {
    let mut admin = app.admin(PRODUCT, organization);
    admin.claims.plan = None;
    admin
}

pub async fn set(caller: &Caller<'_>, organization: &str, plan: Option<&str>) -> Answer {
    caller.ask(SET, json!({ "input": { "organization": organization, "plan": plan } })).await
}

on_both_databases! {
    a_plan_that_is_kept_counts_where_the_token_names_none,
    what_was_made_by_a_plan_that_is_kept_ends_with_it,
    nobody_gives_their_own_organization_a_plan,
}

async fn a_plan_that_is_kept_counts_where_the_token_names_none(app: &TestApp) {
    let second = app.beside().await;
    for each in [app, &second] {
        assert_eq!(admin(each, "acme").ask(READ, json!({})).await.code(), "PLAN_REQUIRED");
    }
    let began = Instant::now();
    let made = set(&backend(app), "acme", Some("Paid")).await.data()["setOrganizationPlan"].clone();
    assert_eq!(made, json!({ "organization": "acme", "plan": "Paid" }));
    assert_eq!(admin(app, "acme").data(READ, json!({})).await["viewer"]["plan"], "Paid", "at once in this process");
    eventually(async || admin(&second, "acme").ask(READ, json!({})).await.json().get("errors").is_none()).await;
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "another process knows it within 5 seconds: {:?}",
        began.elapsed()
    );
    // The token's own plan wins, either way; another organization has none.
    assert_eq!(app.admin(PRODUCT, "acme").plan("free").ask(READ, json!({})).await.code(), "PLAN_REQUIRED");
    assert_eq!(admin(app, "globex").ask(READ, json!({})).await.code(), "PLAN_REQUIRED");
    assert_eq!(app.admin(PRODUCT, "globex").plan("paid").data(READ, json!({})).await["viewer"]["plan"], "paid");
    // It is told, by an event of the service itself.
    let told = "{ auditEvents(first: 1) { nodes { action actor { externalId } resources { type name } metadata } } }";
    let told = admin(app, "acme").data(told, json!({})).await["auditEvents"]["nodes"][0].clone();
    assert_eq!(
        (told["action"].as_str(), &told["metadata"]),
        (Some("audit_log.plan_changed"), &json!({ "plan": "Paid" }))
    );
    assert_eq!(told["actor"]["externalId"], "billing");
    // A key of a partner follows the plan of its organization, not that of the day when it was made.
    let create = "mutation { createAuditToken(input: { label: \"SIEM\", kind: KEY, scopes: [\"audit:read\"], expiresIn: 600 }) { secret } }";
    let key = admin(app, "acme").data(create, json!({})).await["createAuditToken"]["secret"]
        .as_str()
        .expect("a key")
        .to_owned();
    app.graphql(Some(&key), READ, json!({})).await.data();
    // It outlives the process, and can be taken away.
    second.finish().await;
    let third = app.beside().await;
    assert_eq!(admin(&third, "acme").data(READ, json!({})).await["viewer"]["plan"], "Paid");
    set(&backend(app), "acme", None).await.data();
    assert_eq!(admin(app, "acme").ask(READ, json!({})).await.code(), "PLAN_REQUIRED");
    assert_eq!(app.graphql(Some(&key), READ, json!({})).await.code(), "PLAN_REQUIRED");
    eventually(async || admin(&third, "acme").ask(READ, json!({})).await.json().get("errors").is_some()).await;
    let asked = "{ organizationPlan(organization: \"acme\") }";
    assert_eq!(backend(app).data(asked, json!({})).await["organizationPlan"], json!(null));
    third.finish().await;
}

/// Endpoints and files of exports read as their maker may, so they go by the plan as it is, not as it was when they were made.
async fn what_was_made_by_a_plan_that_is_kept_ends_with_it(app: &TestApp) {
    let app = app.beside_with(|settings| settings.endpoint_networks = vec!["127.0.0.0/8".to_owned()]).await;
    let receiver = Receiver::start().await;
    let recorder = app.caller(PRODUCT).scopes("audit:record").organization("acme");
    let (made, paying) = (admin(&app, "acme"), app.admin(PRODUCT, "acme").plan("paid"));
    set(&backend(&app), "acme", Some("paid")).await.data();
    let create = "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { endpoint { id } } }";
    let input = json!({ "input": { "label": "Theirs", "target": { "webhook": { "url": receiver.url } } } });
    let endpoint = made.data(create, input).await["createEndpoint"]["endpoint"]["id"].clone();
    receiver.has(1).await;
    let export = "mutation { createAuditExport(input: { format: NDJSON }) { export { id } } }";
    let id = made.data(export, json!({})).await["createAuditExport"]["export"]["id"].clone();
    let asked = "query($id: ID!) { auditExport(id: $id) { downloadUrl } }";
    let url =
        async || made.data(asked, json!({ "id": id })).await["auditExport"]["downloadUrl"].as_str().map(str::to_owned);
    eventually(async || url().await.is_some()).await;
    let url = url().await.expect("an address");
    let fetch = async || {
        let request = axum::http::Request::get(&url).body(axum::body::Body::empty()).expect("a request");
        app.send(request).await.status.as_u16()
    };
    assert_eq!(fetch().await, 200);
    for round in 0..2 {
        set(&backend(&app), "acme", None).await.data();
        assert_eq!(fetch().await, 403, "round {round}");
        // What tells of the change may have been on its way.
        tokio::time::sleep(Duration::from_secs(6)).await;
        receiver.forget();
        recorder.record(event("SESSION_STARTED")).await;
        let troubles = async || {
            let asked = paying.data("{ auditEndpoints { trouble } }", json!({})).await;
            asked["auditEndpoints"][0]["trouble"].as_str().unwrap_or_default().to_owned()
        };
        eventually(async || troubles().await.starts_with("PLAN_REQUIRED")).await;
        assert!(receiver.got().is_empty(), "round {round}");
        set(&backend(&app), "acme", Some("paid")).await.data();
        assert_eq!(fetch().await, 200, "round {round}");
        // It is tried again by itself after a pause, and at once where it is changed.
        let update = "mutation($input: UpdateEndpointInput!) { updateEndpoint(input: $input) { endpoint { id } } }";
        made.data(update, json!({ "input": { "id": endpoint, "label": format!("Round {round}") } })).await;
        receiver.has(3).await;
    }
    app.finish().await;
}

async fn nobody_gives_their_own_organization_a_plan(app: &TestApp) {
    admin(app, "acme").record(event("SESSION_STARTED")).await;
    let recorder = app.caller(PRODUCT).scopes("audit:record audit:read");
    for (what, caller, code) in [
        ("an administrator who manages the log", admin(app, "acme"), "FORBIDDEN"),
        ("one of another organization", admin(app, "globex"), "NOT_FOUND"),
        ("a backend of one organization", backend(app).organization("acme"), "FORBIDDEN"),
        ("a backend that only records", recorder, "FORBIDDEN"),
        ("a backend that is narrowed to logs", backend(app).logs(&["organization:globex"]), "FORBIDDEN"),
    ] {
        assert_eq!(set(&caller, "acme", Some("paid")).await.code(), code, "{what}");
        let asked = caller.ask("{ organizationPlan(organization: \"acme\") }", json!({})).await;
        assert_eq!(asked.code(), code, "{what}");
    }
    let staff = app.caller(PRODUCT).scopes("audit:manage audit:staff").organization("ours");
    set(&staff, "acme", Some("paid")).await.data();
    // A backend of another product has its own organizations.
    set(&app.caller("workspace").scopes("audit:manage"), "acme", Some("free")).await.data();
    assert_eq!(admin(app, "acme").data(READ, json!({})).await["viewer"]["plan"], "paid");
    for (plan, field) in [(" ", "input.plan"), ("a\0b", "input.plan"), (&*"x".repeat(257), "input.plan")] {
        let answer = set(&backend(app), "acme", Some(plan)).await;
        assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", field), "{plan:?}");
    }
    assert_eq!(set(&backend(app), "", Some("paid")).await.code(), "BAD_USER_INPUT");
    assert_eq!(admin(app, "acme").data(READ, json!({})).await["viewer"]["plan"], "paid");
}

/// While the database is away, what was read of a plan counts for a minute. Then nobody knows it, which is no fault of the
/// service; who needs no plan goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_away_a_plan_counts_for_a_minute() {
    let app = TestApp::start(Database::Postgres).await;
    set(&backend(&app), "acme", Some("paid")).await.data();
    let (clock, ahead) = clock();
    let other = app.beside_with_clock(clock).await;
    let asked = async |caller: Caller<'_>| caller.ask("{ viewer { plan } }", json!({})).await;
    assert_eq!(asked(admin(&other, "acme")).await.data()["viewer"]["plan"], "paid");
    for round in 1..3 {
        set_away(&app, true).await;
        let start = ahead.load(Ordering::SeqCst);
        for passed in [MINUTE / 4, MINUTE * 3 / 4] {
            ahead.store(start + passed, Ordering::SeqCst);
            assert_eq!(asked(admin(&other, "acme")).await.data()["viewer"]["plan"], "paid", "round {round}, {passed}");
        }
        ahead.store(start + 2 * MINUTE, Ordering::SeqCst);
        for organization in ["acme", "globex"] {
            let answer = asked(admin(&other, organization)).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "UNAVAILABLE"), "round {round}");
        }
        assert_eq!(asked(other.admin(PRODUCT, "acme").plan("free")).await.data()["viewer"]["plan"], "free");
        assert_eq!(
            asked(other.admin("capydb", "acme")).await.data()["viewer"]["plan"],
            json!(null),
            "it asks for none"
        );
        set_away(&app, false).await;
        eventually(async || asked(admin(&other, "acme")).await.status == 200).await;
    }
    other.finish().await;
}
