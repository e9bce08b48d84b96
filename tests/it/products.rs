//! The five products, fact by fact: catalogs, gates, columns, and what their logs promise.

use std::collections::{BTreeMap, BTreeSet};

use ledgerline::{
    clock::Clock,
    demo::{self, DemoStep},
    event::{
        Actor,
        input::{LogRef, RecordInput},
    },
};
use serde_json::{Value, json};

use crate::harness::{Caller, Database, TestApp, event, on_both_databases};

const CATALOG: &str = "{ catalog { open openPrefixes categories { code label shortLabel actions { name } } actions { name label level defaultOutcome description category { code } } } }";
const VIEWER: &str = "{ viewer { product { name label paging dateFilter actionDisplay columns { kind label } levels { name label parent onDelete } } } }";

async fn catalog(app: &TestApp, product: &str) -> Value {
    app.admin(product, "acme").data(CATALOG, json!({})).await["catalog"].clone()
}

fn column(list: &Value, field: &str) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|each| each[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// How many actions begin so, by the part before the first separator.
fn by_beginning(names: &[String], separator: char) -> BTreeMap<String, usize> {
    names.iter().fold(BTreeMap::new(), |mut counts, name| {
        *counts.entry(name.split(separator).next().unwrap_or_default().to_owned()).or_default() += 1;
        counts
    })
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected.into_iter().map(|(name, n)| (name.to_owned(), n)).collect()
}

async fn view(app: &TestApp, product: &str) -> Value {
    app.admin(product, "acme").data(VIEWER, json!({})).await["viewer"]["product"].clone()
}

fn columns(product: &Value) -> Vec<(String, String)> {
    product["columns"]
        .as_array()
        .expect("columns")
        .iter()
        .map(|column| {
            (column["kind"].as_str().expect("a kind").to_owned(), column["label"].as_str().expect("a label").to_owned())
        })
        .collect()
}

/// An event of the demo as a client sends it.
pub fn sent(input: &RecordInput) -> Value {
    let actor = |actor: &Actor| json!({ "kind": actor.kind.as_str(), "id": actor.id, "name": actor.name, "email": actor.email });
    json!({
        "action": input.action, "category": input.category, "actor": actor(&input.actor), "onBehalfOf": input.on_behalf_of.as_ref().map(actor),
        "resources": input.resources.iter().map(|resource| json!({ "type": resource.kind, "id": resource.id, "name": resource.name })).collect::<Vec<_>>(),
        "log": input.log.as_ref().map(log), "outcome": input.outcome.map(|outcome| outcome.as_str()), "occurredAt": input.occurred_at.map(|at| at.to_string()),
        "ipAddress": input.ip_address, "userAgent": input.user_agent, "correlationId": input.correlation_id, "source": input.source, "sourceEventId": input.source_event_id,
        "idempotencyKey": input.idempotency_key, "metadataText": input.metadata
    })
}

fn log(reference: &LogRef) -> Value {
    json!({ "level": reference.level, "id": reference.id, "name": reference.name, "parent": reference.parent.as_deref().map(log) })
}

/// Records an organization of the demo through the API and gives how many events it has.
pub async fn seed(admin: &Caller<'_>, product: &str, organization: &str) -> usize {
    let mut waiting = Vec::new();
    let mut recorded = 0;
    let flush = async |waiting: &mut Vec<Value>| {
        for chunk in std::mem::take(waiting).chunks(500) {
            let answer = admin.record_all(chunk.to_vec()).await;
            assert_eq!(answer["recorded"], chunk.len(), "{:#}", answer["results"]);
        }
    };
    for step in demo::events(product, organization, Clock::system().now()) {
        recorded += 1;
        let mut input = sent(step.event());
        match step {
            DemoStep::Record(_) => waiting.push(input),
            DemoStep::DeleteLog { log, .. } => {
                flush(&mut waiting).await;
                input["log"] = Value::Null;
                let delete =
                    "mutation($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) { log { deletedAt } } }";
                admin
                    .data(delete, json!({ "input": { "log": { "level": log.level, "id": log.id }, "event": input } }))
                    .await;
            }
        }
    }
    flush(&mut waiting).await;
    recorded
}

on_both_databases! {
    async fn each_product_serves_its_demo_of_90_days(app: &TestApp) {
        let mut documented = 0;
        for (product, actions) in [("caputchin", 26), ("cloud-sessions", 17), ("workspace", 3), ("scim-platform", 47), ("capydb", 26)] {
            let (mut all, mut seen, mut kinds) = (0, BTreeSet::new(), BTreeSet::new());
            for organization in demo::organizations(product) {
                let admin = app.admin(product, organization.id);
                let recorded = seed(&admin, product, organization.id).await;
                all += recorded;
                let page = admin.data("{ auditEvents(first: 100, includeNested: true) { totalCount nodes { occurredAt } facets { actions { buckets { value } } actors { buckets { value } } } } actors(first: 100) { kind } viewer { logs { id } } }", json!({})).await;
                let total = page["auditEvents"]["totalCount"].as_u64().expect("a number") as usize;
                assert!(total <= recorded && total * 10 >= recorded * 8, "{product} {total} of {recorded}");
                let times: Vec<_> = column(&page["auditEvents"]["nodes"], "occurredAt");
                assert!(times.windows(2).all(|pair| pair[0].parse::<chrono::DateTime<chrono::Utc>>().expect("a time") >= pair[1].parse::<chrono::DateTime<chrono::Utc>>().expect("a time")));
                seen.extend(column(&page["auditEvents"]["facets"]["actions"]["buckets"], "value"));
                kinds.extend(column(&page["actors"], "kind"));
                // The deleted log is gone from what can be chosen; the filled ones are there.
                let logs = column(&page["viewer"]["logs"], "id");
                assert_eq!(logs[0], organization.id);
                for told in &organization.logs {
                    let there = logs.iter().any(|id| id == told.id);
                    assert_eq!(there, told.state == demo::DemoLogState::Filled, "{product} {} {:?}", told.id, told.state);
                }
            }
            assert!(all >= 300, "{product} has {all} events");
            let catalog = column(&catalog(app, product).await["actions"], "name");
            assert_eq!(catalog.len(), actions, "{product}");
            for name in &catalog {
                assert!(seen.contains(name), "{product}: nobody did {name}");
            }
            assert!(kinds.len() >= 3, "{product}: {kinds:?}");
            documented += actions;
        }
        // 109, and the ten staff actions that caputchin's document gives as examples.
        assert_eq!(documented, 109 + 10);
    }

    async fn the_catalog_of_caputchin_has_its_sixteen_actions_and_takes_admin_names(app: &TestApp) {
        let catalog = catalog(app, "caputchin").await;
        let names = column(&catalog["actions"], "name");
        let own: Vec<String> = names.iter().filter(|name| !name.starts_with("admin.")).cloned().collect();
        assert_eq!(by_beginning(&own, '.'), counts([("account", 10), ("session", 5), ("troop", 1)]));
        for name in ["session.sign-in.magic-link", "session.sign-in.oauth", "session.sign-out", "session.revoke.one", "session.revoke.all-others", "account.email.change-requested", "account.email.change-completed",
            "account.support-access.set", "account.pat.mint", "account.pat.rotate", "account.pat.revoke", "account.seat.grant", "account.plan.change", "account.plan.freeze-start", "account.plan.thaw", "troop.delete"] {
            assert!(own.iter().any(|each| each == name), "{name}");
            assert_eq!(app.admin("caputchin", "acme").record(event(name)).await["status"], "RECORDED");
        }
        assert_eq!(names.len() - own.len(), 10);
        assert_eq!((&catalog["open"], &catalog["openPrefixes"]), (&json!(false), &json!(["admin."])));
        let recorder = app.admin("caputchin", "acme");
        recorder.record(event("admin.something.nobody-has-named")).await;
        for refused in ["admin", "administrator.x", "session.sign-in", "SESSION.SIGN-OUT"] {
            let answer = recorder.record_all(vec![event(refused)]).await;
            assert_eq!(answer["results"][0]["error"]["code"], "BAD_USER_INPUT", "{refused}");
        }
        assert_eq!(recorder.actions("filter: { actions: [\"admin.*\"] }").await, ["admin.something.nobody-has-named"]);
    }

    async fn caputchin_shows_and_filters_by_raw_names(app: &TestApp) {
        let product = view(app, "caputchin").await;
        assert_eq!(product["actionDisplay"], "NAME");
        let admin = app.admin("caputchin", "acme");
        admin.record(event("session.sign-in.oauth")).await;
        let page = admin.data("{ auditEvents(filter: { actions: [\"session.sign-in.oauth\"] }) { nodes { action } facets { actions { buckets { value } } } } }", json!({})).await;
        assert_eq!((&page["auditEvents"]["nodes"], &page["auditEvents"]["facets"]["actions"]["buckets"]), (&json!([{ "action": "session.sign-in.oauth" }]), &json!([{ "value": "session.sign-in.oauth" }])));
    }

    async fn caputchin_has_three_levels_and_deleting_removes(app: &TestApp) {
        let levels = view(app, "caputchin").await["levels"].clone();
        assert_eq!(column(&levels, "name"), ["account", "troop", "widget"]);
        assert_eq!(column(&levels, "parent"), ["", "account", "troop"]);
        assert_eq!((&levels[1]["onDelete"], &levels[2]["onDelete"]), (&json!("REMOVE"), &json!("REMOVE")));
    }

    async fn staff_record_under_their_own_identity_whatever_the_plan(app: &TestApp) {
        let staff = app.caller("caputchin").subject("staff-7").scopes("audit:staff audit:record");
        let mut input = json!({ "action": "admin.impersonation.start", "actor": { "kind": "STAFF", "id": "staff-7", "name": "Sam Staff" }, "onBehalfOf": { "kind": "USER", "id": "u1", "name": "Customer" } });
        input["organization"] = json!("small-plan");
        staff.record(input).await;
        let owner = app.admin("caputchin", "small-plan");
        let event = owner.data("{ auditEvents(filter: { actor: { kinds: [STAFF] } }) { nodes { actor { kind id label } onBehalfOf { id } category { code } recordedBy log { level } } } }", json!({})).await;
        assert_eq!(event["auditEvents"]["nodes"][0], json!({ "actor": { "kind": "STAFF", "id": "staff-7", "label": "Sam Staff" }, "onBehalfOf": { "id": "u1" }, "category": { "code": "staff" }, "recordedBy": "staff-7", "log": { "level": "account" } }));
        // The customer's own name finds none of it among what the customer did.
        assert_eq!(owner.actions("filter: { actor: { ids: [\"u1\"] } }").await, Vec::<String>::new());
    }

    async fn only_the_apex_plan_reads_caputchin_and_elsewhere_it_is_hidden(app: &TestApp) {
        let ask = "{ viewer { canReadAuditLog { allowed reason requiredPlans hidden } } auditEvents { totalCount } }";
        let other = app.admin("caputchin", "acme").plan("canopy").ask(ask, json!({})).await;
        assert_eq!(other.json()["data"]["viewer"]["canReadAuditLog"], json!({ "allowed": false, "reason": "PLAN_REQUIRED", "requiredPlans": ["apex"], "hidden": true }));
        assert_eq!(other.code(), "PLAN_REQUIRED");
        assert_eq!(app.admin("caputchin", "acme").plan("apex").data(ask, json!({})).await["auditEvents"]["totalCount"], 0);
    }

    async fn what_caputchin_tells_in_details_is_kept_and_found(app: &TestApp) {
        let admin = app.admin("caputchin", "acme");
        let mut events = Vec::new();
        for (action, kind, metadata) in [("account.support-access.set", "USER", json!({ "enabled": true })), ("session.sign-in.oauth", "USER", json!({ "provider": "GitHub" })), ("account.plan.freeze-start", "SYSTEM", json!({})), ("account.email.change-requested", "USER", json!({ "to": "new@example.com" })), ("account.email.change-completed", "USER", json!({ "to": "new@example.com" }))] {
            events.push(json!({ "action": action, "actor": { "kind": kind }, "metadata": metadata }));
        }
        assert_eq!(admin.record_all(events).await["recorded"], 5);
        assert_eq!(admin.actions("search: \"github\"").await, ["session.sign-in.oauth"]);
        assert_eq!(admin.actions("search: \"new@example.com\"").await, ["account.email.change-completed", "account.email.change-requested"]);
        assert_eq!(admin.actions("filter: { actor: { kinds: [SYSTEM] } }").await, ["account.plan.freeze-start"]);
        assert_eq!(admin.data("{ auditEvents(filter: { actions: [\"account.support-access.set\"] }) { nodes { metadata } } }", json!({})).await["auditEvents"]["nodes"][0]["metadata"], json!({ "enabled": true }));
    }

    async fn the_catalog_of_cloud_sessions_has_seventeen_upper_case_actions(app: &TestApp) {
        let catalog = catalog(app, "cloud-sessions").await;
        let names = column(&catalog["actions"], "name");
        assert_eq!(names, ["USER_REGISTERED", "USER_LOGIN", "USER_CREATED", "USER_UPDATED", "USER_DELETED", "SESSION_STARTED", "SESSION_STOPPED", "SESSION_EXTENDED", "SESSION_EXPIRED",
            "RESOURCE_CREATED", "RESOURCE_UPDATED", "RESOURCE_DELETED", "CREDENTIAL_CREATED", "CREDENTIAL_DELETED", "ROLE_CREATED", "ROLE_UPDATED", "ROLE_DELETED"]);
        assert_eq!(catalog["open"], false);
        assert_eq!(column(&catalog["categories"], "code"), ["user", "session", "resource", "credential", "role"]);
        assert_eq!(app.admin("cloud-sessions", "acme").record_all(vec![event("user_login")]).await["refused"], 1);
    }

    async fn cloud_sessions_has_five_columns_numbered_pages_and_a_range_of_dates(app: &TestApp) {
        let product = view(app, "cloud-sessions").await;
        let expected = [("ACTION", "Event"), ("ACTOR", "User"), ("IP_ADDRESS", "IP"), ("DETAILS", "Details"), ("TIME", "Time")];
        assert_eq!(columns(&product), expected.map(|(kind, label)| (kind.to_owned(), label.to_owned())));
        assert_eq!((&product["paging"], &product["dateFilter"]), (&json!("PAGES"), &json!("RANGE")));
    }

    async fn cloud_sessions_asks_for_the_role_and_the_plan_each_with_its_own_answer(app: &TestApp) {
        let ask = "{ auditEvents { totalCount } viewer { canReadAuditLog { reason requiredPlans hidden } } }";
        let code = async |caller: Caller<'_>| caller.ask(ask, json!({})).await.code();
        assert_eq!(code(app.admin("cloud-sessions", "acme").plan("free")).await, "PLAN_REQUIRED");
        assert_eq!(code(app.admin("cloud-sessions", "acme").role("user")).await, "FORBIDDEN");
        assert_eq!(code(app.admin("cloud-sessions", "acme").role("user").plan("free")).await, "FORBIDDEN");
        let banner = app.admin("cloud-sessions", "acme").plan("free").ask(ask, json!({})).await.json();
        assert_eq!(banner["data"]["viewer"]["canReadAuditLog"], json!({ "reason": "PLAN_REQUIRED", "requiredPlans": ["paid"], "hidden": false }));
        assert_eq!(app.admin("cloud-sessions", "acme").data(ask, json!({})).await["auditEvents"]["totalCount"], 0);
    }

    async fn the_filters_of_cloud_sessions_hold_together(app: &TestApp) {
        let admin = app.admin("cloud-sessions", "acme");
        let input = |action: &str, email: &str, at: &str| json!({ "action": action, "actor": { "kind": "USER", "email": email }, "occurredAt": at, "ipAddress": "192.0.2.4", "resources": [{ "type": "resource", "id": "r-1", "name": "staging" }] });
        admin.record_all(vec![
            input("SESSION_STARTED", "Ann@corp.example", "2026-05-01T22:30:00Z"), input("CREDENTIAL_DELETED", "bob@corp.example", "2026-05-02T21:59:59Z"),
            input("RESOURCE_CREATED", "ann@corp.example", "2026-05-02T22:00:00Z"), input("SESSION_STOPPED", "zoe@else.example", "2026-05-02T10:00:00Z"),
        ]).await;
        // All events, or one type; a part of the e-mail in any case; dates with the whole last day, in Berlin.
        assert_eq!(admin.actions("filter: { actions: null }").await.len(), 4);
        assert_eq!(admin.actions("filter: { actions: [\"SESSION_STARTED\"] }").await, ["SESSION_STARTED"]);
        assert_eq!(admin.actions("filter: { actor: { emailContains: \"ANN@\" } }").await, ["RESOURCE_CREATED", "SESSION_STARTED"]);
        let second_of_may = "occurredAt: { from: \"2026-05-02T00:00:00+02:00\", to: \"2026-05-03T00:00:00+02:00\" }";
        assert_eq!(admin.actions(&format!("filter: {{ {second_of_may} }}")).await, ["CREDENTIAL_DELETED", "SESSION_STOPPED", "SESSION_STARTED"]);
        assert_eq!(admin.actions(&format!("filter: {{ {second_of_may}, actor: {{ emailContains: \"corp\" }} }}")).await, ["CREDENTIAL_DELETED", "SESSION_STARTED"]);
        assert_eq!(admin.actions("filter: { categories: [\"resource\", \"credential\"] }").await, ["RESOURCE_CREATED", "CREDENTIAL_DELETED"]);
        assert_eq!(admin.actions("filter: { actions: [\"RESOURCE_*\", \"CREDENTIAL_*\"] }").await, ["RESOURCE_CREATED", "CREDENTIAL_DELETED"]);
        // Who accessed what and when.
        let who = admin.data("{ auditEvents(filter: { actions: [\"SESSION_STARTED\"] }) { nodes { actor { email } resource { name id } occurredAt ipAddress } } }", json!({})).await;
        assert_eq!(who["auditEvents"]["nodes"][0], json!({ "actor": { "email": "Ann@corp.example" }, "resource": { "name": "staging", "id": "r-1" }, "occurredAt": "2026-05-01T22:30:00Z", "ipAddress": "192.0.2.4" }));
    }

    async fn the_first_event_brings_the_organization_into_being(app: &TestApp) {
        let backend = app.caller("cloud-sessions").subject("signup").scopes("audit:record");
        let mut first = event("USER_REGISTERED");
        first["organization"] = json!("brand-new");
        assert_eq!(backend.record(first).await["sequence"], "0");
        assert_eq!(app.admin("cloud-sessions", "brand-new").actions("").await, ["USER_REGISTERED"]);
    }

    async fn an_expired_session_has_nobody_and_a_deleted_user_is_still_found(app: &TestApp) {
        let admin = app.admin("cloud-sessions", "acme");
        admin.record(json!({ "action": "SESSION_EXPIRED", "actor": { "kind": "SYSTEM" } })).await;
        let mut deleted = event("USER_DELETED");
        deleted["resources"] = json!([{ "type": "user", "id": "u-2", "name": "gone@corp.example" }]);
        admin.record(json!({ "action": "USER_LOGIN", "actor": { "kind": "USER", "id": "u-2", "email": "gone@corp.example" } })).await;
        admin.record(deleted).await;
        let expired = admin.data("{ auditEvents(filter: { actions: [\"SESSION_EXPIRED\"] }) { nodes { actor { kind id name email label } ipAddress userAgent resource { id } } } }", json!({})).await;
        let node = &expired["auditEvents"]["nodes"][0];
        assert_eq!((&node["ipAddress"], &node["resource"], &node["actor"]["email"], &node["actor"]["kind"]), (&Value::Null, &Value::Null, &Value::Null, &json!("SYSTEM")));
        assert!(node["actor"]["label"].as_str().is_some_and(|label| !label.is_empty()));
        assert_eq!(admin.actions("search: \"gone@corp.example\"").await, ["USER_DELETED", "USER_LOGIN"]);
        assert_eq!(admin.actions("filter: { actor: { emailContains: \"gone@\" } }").await, ["USER_LOGIN"]);
    }

    async fn the_catalog_of_workspace_is_open_with_three_documented_actions(app: &TestApp) {
        let catalog = catalog(app, "workspace").await;
        assert_eq!(catalog["open"], true);
        let pairs: Vec<_> = catalog["actions"].as_array().expect("actions").iter().map(|action| (action["name"].as_str().expect("a name"), action["category"]["code"].as_str().expect("a code"))).collect();
        // The category is data: user.login is no member of a category "user".
        assert_eq!(pairs, [("user.login", "authentication"), ("organisation.settings_updated", "organisation"), ("member.invited", "member")]);
        assert_eq!(column(&catalog["categories"], "label"), ["Authentication", "Organisation", "Member"]);
        let admin = app.admin("workspace", "acme");
        admin.record(event("billing.card_changed")).await;
        let shown = admin.data("{ auditEvents { nodes { action actionLabel category { code } } } }", json!({})).await;
        assert_eq!(shown["auditEvents"]["nodes"][0], json!({ "action": "billing.card_changed", "actionLabel": "billing.card_changed", "category": null }));
        assert_eq!(admin.actions("filter: { actions: [\"billing.*\"] }").await, ["billing.card_changed"]);
    }

    async fn a_member_of_workspace_is_told_apart_before_any_data(app: &TestApp) {
        app.admin("workspace", "acme").record(event("user.login")).await;
        let member = app.admin("workspace", "acme").role("member");
        let answer = member.ask("{ viewer { role canReadAuditLog { allowed reason hidden } logs { id } } auditEvents { nodes { id } } }", json!({})).await;
        assert_eq!(answer.code(), "FORBIDDEN");
        assert_eq!(answer.json()["data"], json!({ "viewer": { "role": "member", "canReadAuditLog": { "allowed": false, "reason": "FORBIDDEN", "hidden": false }, "logs": [] }, "auditEvents": null }));
    }

    async fn workspace_lists_newest_first_with_actors_that_lack_a_name_or_an_address(app: &TestApp) {
        let product = view(app, "workspace").await;
        assert_eq!(columns(&product).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>(), ["ACTION", "ACTOR", "TIME", "DETAILS"]);
        assert_eq!(product["levels"][0]["name"], "organisation");
        let admin = app.admin("workspace", "acme");
        for actor in [json!({ "kind": "USER", "name": "Only Name" }), json!({ "kind": "USER", "email": "only@example.com" }), json!({ "kind": "SYSTEM" })] {
            admin.record(json!({ "action": "user.login", "actor": actor })).await;
        }
        let page = admin.data("{ auditEvents { nodes { actor { kind label } } } system: auditEvents(filter: { actor: { kinds: [SYSTEM] } }) { totalCount } one: auditEvents(filter: { actor: { emailContains: \"only@\" }, actions: [\"user.login\"] }) { totalCount } }", json!({})).await;
        let labels: Vec<_> = page["auditEvents"]["nodes"].as_array().expect("nodes").iter().map(|node| node["actor"]["label"].as_str().expect("a label")).collect();
        assert_eq!(labels[1..], ["only@example.com", "Only Name"]);
        assert!(!labels[0].is_empty());
        assert_eq!((&page["system"]["totalCount"], &page["one"]["totalCount"]), (&json!(1), &json!(1)));
    }

    async fn the_catalog_of_scim_platform_has_47_labels_in_eight_categories(app: &TestApp) {
        let catalog = catalog(app, "scim-platform").await;
        let sizes: Vec<_> = catalog["categories"].as_array().expect("categories").iter().map(|category| (category["label"].as_str().expect("a label"), category["actions"].as_array().expect("actions").len())).collect();
        assert_eq!(sizes, [("Authentication", 9), ("Member Management", 3), ("Roles & Permissions", 12), ("Connectors", 3), ("Organization Settings", 4), ("API Access Keys", 3), ("Secrets", 3), ("SCIM Provisioning", 10)]);
        let short = column(&catalog["categories"], "shortLabel");
        assert_eq!((short[0].as_str(), short[2].as_str(), short[7].as_str()), ("Auth", "RBAC", "SCIM"));
        let labels: BTreeSet<_> = column(&catalog["actions"], "label").into_iter().collect();
        assert_eq!(labels.len(), 47);
        for twin in ["Created API key", "Created API access key", "Updated user", "Login failed", "Switched organization", "Created sibling organization"] {
            assert!(labels.contains(twin), "{twin}");
        }
        let updated = catalog["actions"].as_array().expect("actions").iter().find(|action| action["label"] == "Updated user").expect("the action").clone();
        assert_eq!(updated["category"]["code"], "scim");
    }

    async fn actions_of_scim_platform_are_narrowed_by_category(app: &TestApp) {
        let admin = app.admin("scim-platform", "acme");
        let some = admin.data("{ catalog { actions(category: \"secrets\") { name } none: actions(category: \"nothing\") { name } } }", json!({})).await;
        assert_eq!(column(&some["catalog"]["actions"], "name"), ["secret.created", "secret.updated", "secret.deleted"]);
        assert_eq!(some["catalog"]["none"], json!([]));
        admin.record_all(vec![event("secret.created"), event("auth.logged_in")]).await;
        assert_eq!(admin.actions("filter: { categories: [\"secrets\"], actions: [\"secret.created\"] }").await, ["secret.created"]);
        assert_eq!(admin.actions("filter: { categories: [\"secrets\"], actions: [\"auth.logged_in\"] }").await, Vec::<String>::new());
    }

    async fn search_of_scim_platform_reaches_its_six_places_and_labels(app: &TestApp) {
        let admin = app.admin("scim-platform", "acme");
        admin.record_all(vec![json!({
            "action": "api_key.created", "actor": { "kind": "USER", "email": "findme@corp.example" }, "resources": [{ "type": "keytype", "id": "key-4711", "name": "n" }], "metadata": { "a": { "b": ["detailword"] } }
        }), json!({ "action": "auth.logged_out", "actor": { "kind": "USER" } })]).await;
        for search in ["findme@corp.example", "api_key.created", "Created API key", "rbac", "Roles & Permissions", "keytype", "key-4711", "detailword", "detail*"] {
            assert_eq!(admin.actions(&format!("search: \"{search}\"")).await, ["api_key.created"], "{search}");
        }
        assert_eq!(admin.actions("search: \"access key\"").await, Vec::<String>::new());
    }

    async fn scim_platform_has_five_columns_and_presets(app: &TestApp) {
        let product = view(app, "scim-platform").await;
        assert_eq!(columns(&product).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>(), ["TIME", "ACTOR", "ACTION", "CATEGORY", "RESOURCE"]);
        assert_eq!((&product["dateFilter"], &product["actionDisplay"]), (&json!("PRESETS"), &json!("LABEL")));
        assert_eq!(app.admin("scim-platform", "acme").role("member").ask("{ auditEvents { totalCount } }", json!({})).await.code(), "FORBIDDEN");
    }

    async fn a_failed_login_of_nobody_known_belongs_to_its_organization(app: &TestApp) {
        let admin = app.admin("scim-platform", "acme");
        admin.record(json!({ "action": "auth.login_failed", "actor": { "kind": "ANONYMOUS" }, "metadata": { "tried": "who@corp.example" } })).await;
        let shown = admin.data("{ auditEvents(search: \"who@corp.example\") { nodes { outcome actor { kind label } actionLabel } } }", json!({})).await;
        let node = &shown["auditEvents"]["nodes"][0];
        assert_eq!((&node["outcome"], &node["actor"]["kind"], &node["actionLabel"]), (&json!("FAILURE"), &json!("ANONYMOUS"), &json!("Login failed")));
    }

    async fn provisioning_by_scim_has_actors_that_are_no_people(app: &TestApp) {
        let admin = app.admin("scim-platform", "acme");
        admin.record_all(vec![
            json!({ "action": "scim.token_created", "actor": { "kind": "USER", "id": "u1" }, "resources": [{ "type": "scim_token", "id": "tok-1" }] }),
            json!({ "action": "scim.user_provisioned", "actor": { "kind": "SERVICE", "id": "tok-1", "name": "Okta" }, "metadata": { "reactivated": true } }),
            json!({ "action": "service_account.created", "actor": { "kind": "USER", "id": "u1" }, "resources": [{ "type": "service_account", "id": "sa-1" }] }),
            json!({ "action": "secret.created", "actor": { "kind": "SERVICE", "id": "sa-1" } }),
            json!({ "action": "secret.updated", "actor": { "kind": "API_KEY", "id": "key-1" } }),
        ]).await;
        assert_eq!(admin.actions("filter: { actor: { kinds: [SERVICE] } }").await, ["secret.created", "scim.user_provisioned"]);
        // As a target and later as an actor: one word finds both.
        assert_eq!(admin.actions("search: \"\\\"sa-1\\\"\"").await, ["secret.created", "service_account.created"]);
        assert_eq!(admin.actions("search: \"reactivated\"").await, Vec::<String>::new());
    }

    async fn one_fact_of_two_organizations_is_two_events_of_one_correlation(app: &TestApp) {
        let backend = app.caller("scim-platform").subject("backend").scopes("audit:record");
        let fact = |organization: &str| json!({ "action": "organization.switched", "actor": { "kind": "USER", "id": "u1" }, "organization": organization, "correlationId": "switch-1" });
        let both = backend.data("mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded } }", json!({ "input": { "events": [fact("from"), fact("to")], "atomic": true } })).await;
        assert_eq!(both["recordAuditEvents"]["recorded"], 2);
        for organization in ["from", "to"] {
            assert_eq!(app.admin("scim-platform", organization).actions("filter: { correlationIds: [\"switch-1\"] }").await, ["organization.switched"]);
        }
        // What ended an organization stays readable to the platform's own people.
        app.admin("scim-platform", "from").record(event("organization.deleted")).await;
        let staff = app.caller("scim-platform").scopes("audit:read audit:staff");
        assert_eq!(staff.actions("organization: \"from\"").await, ["organization.deleted", "organization.switched"]);
    }

    async fn the_catalog_of_capydb_is_closed_with_26_actions(app: &TestApp) {
        let catalog = catalog(app, "capydb").await;
        let names = column(&catalog["actions"], "name");
        assert_eq!(by_beginning(&names, '.'), counts([("project", 9), ("preview", 1), ("restore_point", 2), ("cutover", 4), ("production_overwrite_restore", 1), ("api_key", 2), ("webhook_endpoint", 4), ("studio", 3)]));
        assert_eq!((names.len(), &catalog["open"]), (26, &json!(false)));
        // Reads are no events: there is no name for one.
        for read in ["project.read", "project.viewed", "studio.row_selected", "audit_log.read"] {
            let answer = app.admin("capydb", "acme").record_all(vec![event(read)]).await;
            assert_eq!(answer["results"][0]["error"]["field"], "events[0].action", "{read}");
        }
        // And reading records none.
        let admin = app.admin("capydb", "acme");
        admin.data("{ auditEvents { totalCount } actors { id } viewer { logs { id } } }", json!({})).await;
        assert_eq!(admin.actions("").await, Vec::<String>::new());
    }

    async fn capydb_records_at_acceptance_with_the_job_as_correlation(app: &TestApp) {
        let admin = app.admin("capydb", "acme");
        admin.record(json!({ "action": "project.import_started", "actor": { "kind": "API_KEY", "id": "k" }, "correlationId": "job_7", "metadata": { "job_id": "job_7" } })).await;
        admin.record(json!({ "action": "production_overwrite_restore", "actor": { "kind": "STAFF", "id": "op-1", "name": "Operator" }, "metadata": { "pre_cutover_backup_id": "bk_9" } })).await;
        let page = admin.data("{ auditEvents(filter: { correlationIds: [\"job_7\"] }) { nodes { outcome actor { kind } metadata recordedAt } } }", json!({})).await;
        assert_eq!((&page["auditEvents"]["nodes"][0]["outcome"], &page["auditEvents"]["nodes"][0]["metadata"]), (&json!("ACCEPTED"), &json!({ "job_id": "job_7" })));
        assert_eq!(admin.actions("search: \"bk_9\"").await, ["production_overwrite_restore"]);
    }

    async fn capydb_names_its_kinds_of_actor(app: &TestApp) {
        let admin = app.admin("capydb", "acme");
        for kind in ["USER", "API_KEY", "STAFF", "SYSTEM"] {
            admin.record(json!({ "action": "api_key.created", "actor": { "kind": kind } })).await;
        }
        let page = admin.data("{ auditEvents { nodes { actor { kind label } actionLabel } } }", json!({})).await;
        let labels: Vec<_> = page["auditEvents"]["nodes"].as_array().expect("nodes").iter().map(|node| node["actor"]["label"].as_str().expect("a label")).collect();
        assert_eq!(labels, ["System", "Platform operator", "API key", "Dashboard user"]);
        assert_eq!(page["auditEvents"]["nodes"][0]["actionLabel"], "Created an API key");
    }

    async fn capydb_key_events_stand_in_the_organization_or_in_a_project(app: &TestApp) {
        let admin = app.admin("capydb", "acme");
        admin.record(event("api_key.created")).await;
        let mut nested = event("api_key.revoked");
        nested["log"] = json!({ "level": "project", "id": "p1" });
        admin.record(nested).await;
        let page = admin.data("{ auditEvents { nodes { action log { level id } } } }", json!({})).await;
        assert_eq!(page["auditEvents"]["nodes"], json!([{ "action": "api_key.revoked", "log": { "level": "project", "id": "p1" } }, { "action": "api_key.created", "log": { "level": "organization", "id": "acme" } }]));
    }
}

#[tokio::test]
async fn nothing_is_ever_pruned() {
    let app = TestApp::start(Database::Sqlite).await;
    for product in app.products.iter() {
        let text = std::fs::read_to_string(
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("products/{}.toml", product.name)),
        )
        .expect("its file");
        assert!(text.contains("retention = \"forever\""), "{}", product.name);
    }
    let mut old = event("api_key.created");
    old["occurredAt"] = json!("1900-01-01T00:00:00Z");
    let admin = app.admin("capydb", "acme");
    admin.record(old).await;
    assert_eq!(admin.actions("").await, ["api_key.created"]);
    app.finish().await;
}
