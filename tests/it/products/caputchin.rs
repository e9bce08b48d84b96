//! caputchin: raw names, three levels, staff, and a plan without which the log is hidden.

use serde_json::{Value, json};

use super::{by_beginning, catalog, column, counts, refusal, seed, view};
use crate::harness::{TestApp, event, on_both_databases};
use ledgerline::demo;

fn by_staff(action: &str) -> Value {
    json!({ "action": action, "actor": { "kind": "STAFF", "id": "stf_1", "name": "Sam Staff" } })
}

on_both_databases! {
    the_catalog_of_caputchin_has_its_sixteen_actions_and_takes_admin_names,
    caputchin_shows_and_filters_by_raw_names,
    caputchin_has_three_levels_and_deleting_removes,
    staff_record_under_their_own_identity_whatever_the_plan,
    whatever_staff_do_has_the_category_level_and_kind_of_actor_of_their_prefix,
    what_staff_did_stays_readable_when_the_troop_is_deleted,
    nobody_but_administrators_reads_caputchin_until_its_file_says_otherwise,
    only_the_apex_plan_reads_caputchin_and_elsewhere_it_is_hidden,
    what_caputchin_tells_in_details_is_kept_and_found,
}

async fn the_catalog_of_caputchin_has_its_sixteen_actions_and_takes_admin_names(app: &TestApp) {
    let catalog = catalog(app, "caputchin").await;
    let names = column(&catalog["actions"], "name");
    let own: Vec<String> = names.iter().filter(|name| !name.starts_with("admin.")).cloned().collect();
    assert_eq!(by_beginning(&own, '.'), counts([("account", 10), ("session", 5), ("troop", 1)]));
    for name in [
        "session.sign-in.magic-link",
        "session.sign-in.oauth",
        "session.sign-out",
        "session.revoke.one",
        "session.revoke.all-others",
        "account.email.change-requested",
        "account.email.change-completed",
        "account.support-access.set",
        "account.pat.mint",
        "account.pat.rotate",
        "account.pat.revoke",
        "account.seat.grant",
        "account.plan.change",
        "account.plan.freeze-start",
        "account.plan.thaw",
        "troop.delete",
    ] {
        assert!(own.iter().any(|each| each == name), "{name}");
        assert_eq!(app.admin("caputchin", "acme").record(event(name)).await["status"], "RECORDED");
    }
    assert_eq!(names.len() - own.len(), 10);
    assert_eq!((&catalog["open"], &catalog["openPrefixes"]), (&json!(false), &json!(["admin.", "troop.", "widget."])));
    let recorder = app.admin("caputchin", "acme");
    recorder.record(by_staff("admin.something.nobody-has-named")).await;
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
    let page = admin
        .data(
            "{ auditEvents(filter: { actions: [\"session.sign-in.oauth\"] }) { nodes { action } \
             facets { actions { buckets { value } } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        (&page["auditEvents"]["nodes"], &page["auditEvents"]["facets"]["actions"]["buckets"]),
        (&json!([{ "action": "session.sign-in.oauth" }]), &json!([{ "value": "session.sign-in.oauth" }]))
    );
}

async fn caputchin_has_three_levels_and_deleting_removes(app: &TestApp) {
    let levels = view(app, "caputchin").await["levels"].clone();
    assert_eq!(column(&levels, "name"), ["account", "troop", "widget"]);
    assert_eq!(column(&levels, "parent"), ["", "account", "troop"]);
    assert_eq!((&levels[1]["onDelete"], &levels[2]["onDelete"]), (&json!("REMOVE"), &json!("REMOVE")));
}

async fn staff_record_under_their_own_identity_whatever_the_plan(app: &TestApp) {
    let staff = app.caller("caputchin").subject("staff-7").scopes("audit:staff audit:record");
    let mut input = json!({
        "action": "admin.impersonation.start", "actor": { "kind": "STAFF", "id": "staff-7", "name": "Sam Staff" },
        "onBehalfOf": { "kind": "USER", "id": "u1", "name": "Customer" }
    });
    input["organization"] = json!("small-plan");
    staff.record(input).await;
    let owner = app.admin("caputchin", "small-plan");
    let event = owner
        .data(
            "{ auditEvents(filter: { actor: { kinds: [STAFF] } }) { nodes { actor { kind externalId label } \
             onBehalfOf { externalId } category { code } recordedBy log { level } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        event["auditEvents"]["nodes"][0],
        json!({
            "actor": { "kind": "STAFF", "externalId": "staff-7", "label": "Sam Staff" },
            "onBehalfOf": { "externalId": "u1" }, "category": { "code": "staff" }, "recordedBy": "staff-7",
            "log": { "level": "account" }
        })
    );
    // The customer's own name finds none of it among what the customer did.
    assert_eq!(owner.actions("filter: { actor: { ids: [\"u1\"] } }").await, Vec::<String>::new());
}

async fn whatever_staff_do_has_the_category_level_and_kind_of_actor_of_their_prefix(app: &TestApp) {
    let catalog = catalog(app, "caputchin").await;
    assert_eq!(
        catalog["prefixes"][0],
        json!({ "prefix": "admin.", "level": "account", "actorKinds": ["STAFF"], "category": { "code": "staff" } })
    );
    let admin = app.admin("caputchin", "acme");
    for action in ["admin.account.lock", "admin.something.nobody-has-named"] {
        admin.record(by_staff(action)).await;
        for kind in ["USER", "API_KEY", "SERVICE", "SYSTEM", "ANONYMOUS"] {
            let (field, message) =
                refusal(&admin, json!({ "action": action, "actor": { "kind": kind, "id": "u1" } })).await;
            assert_eq!(field, "events[0].actor.kind");
            assert!(message.contains("STAFF") && message.contains(action) && message.contains(kind), "{message}");
        }
        let mut elsewhere = by_staff(action);
        elsewhere["log"] = json!({ "level": "troop", "id": "t1" });
        let (field, message) = refusal(&admin, elsewhere).await;
        assert_eq!(field, "events[0].log.level");
        assert!(message.contains("account") && message.contains("troop"), "{message}");
        let mut other = by_staff(action);
        other["category"] = json!("session");
        assert_eq!(refusal(&admin, other).await.0, "events[0].category");
    }
    let shown = admin
        .data("{ auditEvents { nodes { action actionLabel category { code label } log { level } } } }", json!({}))
        .await;
    assert_eq!(
        shown["auditEvents"]["nodes"][0],
        json!({
            "action": "admin.something.nobody-has-named", "actionLabel": "admin.something.nobody-has-named",
            "category": { "code": "staff", "label": "Caputchin support" }, "log": { "level": "account" }
        })
    );
    assert_eq!(admin.actions("filter: { categories: [\"staff\"] }").await.len(), 2);
    // A single event is told the same, and staff's own word for the other levels is theirs.
    let ask = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";
    let one = admin.ask(ask, json!({ "input": event("admin.account.lock") })).await;
    assert_eq!((one.code().as_str(), one.field().as_str()), ("BAD_USER_INPUT", "input.actor.kind"));
    assert_eq!(refusal(&admin, event("troop.rule.changed")).await.0, "events[0].log.level");
}

async fn what_staff_did_stays_readable_when_the_troop_is_deleted(app: &TestApp) {
    let [organization, _] = demo::organizations("caputchin");
    let admin = app.admin("caputchin", organization.id);
    seed(&admin, "caputchin", organization.id).await;
    // The demo has deleted a troop: all that staff did, to it and elsewhere, stands in the account's own list.
    let told = demo::events("caputchin", organization.id, ledgerline::clock::Clock::system().now());
    let by_staff = told.iter().filter(|step| step.event().action.starts_with("admin.")).count();
    let ask = "query($nested: Boolean, $filter: AuditEventFilter) { auditEvents(includeNested: $nested, \
               filter: $filter) { totalCount } }";
    for nested in [false, true] {
        let page = admin.data(ask, json!({ "nested": nested, "filter": { "actor": { "kinds": ["STAFF"] } } })).await;
        assert_eq!(page["auditEvents"]["totalCount"], by_staff, "nested: {nested}");
    }
    assert!(by_staff >= 20, "{by_staff}");
    let troop = json!({ "filter": { "actor": { "kinds": ["STAFF"] }, "resource": { "ids": ["trp_blog"] } } });
    assert_eq!(admin.data(ask, troop).await["auditEvents"]["totalCount"], 2);
}

async fn nobody_but_administrators_reads_caputchin_until_its_file_says_otherwise(app: &TestApp) {
    let ask = "{ auditEvents { totalCount } viewer { roleLabel canReadAuditLog { reason requiredRoles \
               requiredRoleLabels requiredPlans hidden } } }";
    let member = app.admin("caputchin", "acme").role("member").ask(ask, json!({})).await;
    assert_eq!(member.code(), "FORBIDDEN");
    assert_eq!(
        member.json()["data"]["viewer"],
        json!({
            "roleLabel": "member",
            "canReadAuditLog": {
                "reason": "FORBIDDEN", "requiredRoles": ["admin", "owner"],
                "requiredRoleLabels": ["Administrator", "Owner"], "requiredPlans": [], "hidden": false
            }
        })
    );
    for role in ["admin", "owner"] {
        assert_eq!(
            app.admin("caputchin", "acme").role(role).data(ask, json!({})).await["auditEvents"]["totalCount"],
            0
        );
    }
}

async fn only_the_apex_plan_reads_caputchin_and_elsewhere_it_is_hidden(app: &TestApp) {
    let ask = "{ viewer { canReadAuditLog { allowed reason requiredPlans hidden } } auditEvents { totalCount } }";
    let other = app.admin("caputchin", "acme").plan("canopy").ask(ask, json!({})).await;
    assert_eq!(
        other.json()["data"]["viewer"]["canReadAuditLog"],
        json!({ "allowed": false, "reason": "PLAN_REQUIRED", "requiredPlans": ["apex"], "hidden": true })
    );
    assert_eq!(other.code(), "PLAN_REQUIRED");
    assert_eq!(app.admin("caputchin", "acme").plan("apex").data(ask, json!({})).await["auditEvents"]["totalCount"], 0);
}

async fn what_caputchin_tells_in_details_is_kept_and_found(app: &TestApp) {
    let admin = app.admin("caputchin", "acme");
    let mut events = Vec::new();
    for (action, kind, metadata) in [
        ("account.support-access.set", "USER", json!({ "enabled": true })),
        ("session.sign-in.oauth", "USER", json!({ "provider": "GitHub" })),
        ("account.plan.freeze-start", "SYSTEM", json!({})),
        ("account.email.change-requested", "USER", json!({ "to": "new@example.com" })),
        ("account.email.change-completed", "USER", json!({ "to": "new@example.com" })),
    ] {
        events.push(json!({ "action": action, "actor": { "kind": kind }, "metadata": metadata }));
    }
    assert_eq!(admin.record_all(events).await["recorded"], 5);
    assert_eq!(admin.actions("search: \"github\"").await, ["session.sign-in.oauth"]);
    assert_eq!(
        admin.actions("search: \"new@example.com\"").await,
        ["account.email.change-completed", "account.email.change-requested"]
    );
    assert_eq!(admin.actions("filter: { actor: { kinds: [SYSTEM] } }").await, ["account.plan.freeze-start"]);
    assert_eq!(
        admin
            .data(
                "{ auditEvents(filter: { actions: [\"account.support-access.set\"] }) { nodes { metadata } } }",
                json!({})
            )
            .await["auditEvents"]["nodes"][0]["metadata"],
        json!({ "enabled": true })
    );
}
