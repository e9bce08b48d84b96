use serde_json::{Value, json};

use super::{
    alone, alone_and_moved, by, endpoint, fires_no_more_than, firings, has_fired, here, known, record, rule, update,
};
use crate::harness::{TestApp, catalogs, event, eventually, on_both_databases, receiver::Receiver};

on_both_databases! {
    a_burst_fires_once_and_is_told,
    a_window_has_edges,
    a_rule_with_a_threshold_of_one_leaves_no_event_out,
    actors_and_addresses_are_counted_apart,
    alerts_raise_no_alerts,
    another_organizations_events_never_count,
    a_rule_counts_what_its_maker_may_read,
    a_rule_whose_product_asks_for_another_plan_does_not_fire,
    what_was_recorded_before_a_change_does_not_count,
    a_large_burst_is_counted_whole,
}

async fn a_burst_fires_once_and_is_told(app: &TestApp) {
    let app = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    let id = rule(&admin, &endpoint, "user.sign_in_failed", json!({ "threshold": 5 })).await;
    record(&admin, "user.sign_in_failed", 4).await;
    record(&admin, "user.signed_in", 5).await;
    fires_no_more_than(&admin, 0).await;
    assert_eq!(known(&admin, &id).await["lastFiring"], Value::Null);
    record(&admin, "user.sign_in_failed", 9).await;
    let fired = has_fired(&admin, 1).await.remove(0);
    let sent = receiver.has(1).await;
    fires_no_more_than(&admin, 1).await;

    assert_eq!(fired["actor"], json!({ "kind": "SYSTEM", "name": "Ledgerline" }));
    assert_eq!(fired["outcome"], "SUCCESS");
    assert_eq!(fired["resources"], json!([{ "type": "audit_log_rule", "externalId": id, "name": "Failed sign-ins" }]));
    let counted: Vec<Value> = {
        let query = "{ auditEvents(first: 20, filter: { actions: [\"user.sign_in_failed\"] }, orderBy: { field: SEQUENCE, direction: ASC }) { nodes { id } } }";
        let data = admin.data(query, json!({})).await;
        data["auditEvents"]["nodes"].as_array().expect("nodes").iter().map(|node| node["id"].clone()).collect()
    };
    assert_eq!(
        fired["metadata"],
        json!({ "threshold": 5, "windowSeconds": 60, "per": "NONE", "count": 5, "firstEvent": counted[0],
            "lastEvent": counted[4] })
    );
    // What is told is the event itself, once.
    assert_eq!(receiver.got().len(), 1);
    assert_eq!(sent[0].json()["data"]["action"], "audit_log.alert_fired");
    assert_eq!(
        (sent[0].json()["data"]["id"].clone(), sent[0].header("webhook-id")),
        (fired["id"].clone(), fired["id"].as_str().expect("an id"))
    );
    eventually(async || known(&admin, &id).await["waitingMessages"] == 0).await;
    let rule = known(&admin, &id).await;
    assert_eq!((&rule["firings"], &rule["lastFiring"]["id"]), (&json!("1"), &fired["id"]));
    assert!(rule["lastFiredAt"].is_string() && rule["lastSentAt"].is_string(), "{rule:#}");
    assert_eq!((&rule["trouble"], &rule["sendTrouble"]), (&Value::Null, &Value::Null));
    app.finish().await;
}

async fn a_window_has_edges(app: &TestApp) {
    let (app, clock) = alone_and_moved(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme").lasting();
    let endpoint = endpoint(&admin, &receiver).await;
    rule(&admin, &endpoint, "a.b", json!({ "threshold": 3, "windowSeconds": 600 })).await;
    record(&admin, "a.b", 2).await;
    clock.by_seconds(605);
    record(&admin, "a.b", 1).await;
    fires_no_more_than(&admin, 0).await;
    clock.by_seconds(590);
    record(&admin, "a.b", 1).await;
    fires_no_more_than(&admin, 0).await;
    record(&admin, "a.b", 1).await;
    has_fired(&admin, 1).await;
    // For as long as the window it is quiet, and what comes then does not count later.
    clock.by_seconds(300);
    record(&admin, "a.b", 5).await;
    clock.by_seconds(305);
    record(&admin, "a.b", 2).await;
    fires_no_more_than(&admin, 1).await;
    record(&admin, "a.b", 1).await;
    has_fired(&admin, 2).await;
    // A clock that is set back is no new window: recordedAt never goes back.
    clock.by_seconds(-10_000);
    record(&admin, "a.b", 10).await;
    fires_no_more_than(&admin, 2).await;
    app.finish().await;
}

async fn a_rule_with_a_threshold_of_one_leaves_no_event_out(app: &TestApp) {
    let app = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    rule(&admin, &endpoint, "role.changed", json!({})).await;
    record(&admin, "role.changed", 1).await;
    receiver.has(1).await;
    admin.record_all(vec![event("role.changed"); 20]).await;
    record(&admin, "role.changed", 5).await;
    let counted =
        |fired: &[Value]| fired.iter().map(|one| one["metadata"]["count"].as_i64().expect("a count")).sum::<i64>();
    eventually(async || counted(&firings(&admin).await) >= 26).await;
    let fired = firings(&admin).await;
    assert_eq!(counted(&fired), 26);
    assert!(fired.len() < 10, "what comes at once is told together: {}", fired.len());
    receiver.has(fired.len()).await;
    app.finish().await;
}

async fn actors_and_addresses_are_counted_apart(app: &TestApp) {
    let app = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    let actors = rule(&admin, &endpoint, "a.b", json!({ "threshold": 3, "per": "ACTOR" })).await;
    let addresses = rule(&admin, &endpoint, "a.b", json!({ "threshold": 4, "per": "IP_ADDRESS" })).await;
    // Two of an address, of different actors, and none of them three times.
    for actor in ["x", "y", "xx", "x", "y"] {
        admin.record(by("a.b", actor)).await;
    }
    // Four of the address of x and y.
    let fired = has_fired(&admin, 1).await;
    assert_eq!(fired[0]["resources"][0]["externalId"], json!(addresses));
    let anonymous = json!({ "action": "a.b", "actor": { "kind": "ANONYMOUS" } });
    admin.record_all(vec![anonymous; 10]).await;
    fires_no_more_than(&admin, 1).await;
    admin.record(by("a.b", "y")).await;
    admin.record(by("a.b", "x")).await;
    let fired = has_fired(&admin, 3).await;
    for one in &fired[1..] {
        assert_eq!(one["resources"][0]["externalId"], json!(actors));
        assert_eq!((&one["metadata"]["count"], &one["metadata"]["per"]), (&json!(3), &json!("ACTOR")));
    }
    // Nothing of an actor is copied: the events are named.
    assert!(!fired[1]["metadata"].to_string().contains("203.0.113"));
    app.finish().await;
}

async fn alerts_raise_no_alerts(app: &TestApp) {
    let app = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    let all = json!({ "question": null });
    let (one, two) = (rule(&admin, &endpoint, "", all.clone()).await, rule(&admin, &endpoint, "", all).await);
    record(&admin, "a.b", 1).await;
    eventually(async || {
        let last = async |id: &str| known(&admin, id).await["firings"] != "0";
        last(&one).await && last(&two).await
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let fired = firings(&admin).await.len();
    fires_no_more_than(&admin, fired).await;
    app.finish().await;
}

async fn another_organizations_events_never_count(app: &TestApp) {
    let app = alone(app).await;
    let receiver = Receiver::start().await;
    let (acme, globex) = (app.admin("workspace", "acme"), app.admin("workspace", "globex"));
    let ours = endpoint(&acme, &receiver).await;
    let id = rule(&acme, &ours, "a.b", json!({ "threshold": 3 })).await;
    record(&acme, "a.b", 2).await;
    record(&globex, "a.b", 10).await;
    // Of another product, an organization of the same name.
    record(&app.admin("scim-platform", "acme"), "auth.login_failed", 10).await;
    fires_no_more_than(&acme, 0).await;
    assert_eq!(firings(&globex).await.len(), 0);
    record(&acme, "a.b", 1).await;
    has_fired(&acme, 1).await;
    assert_eq!(firings(&globex).await.len(), 0);

    // Nor can another organization see or change a rule, or have alerts sent to another's endpoint.
    let input = json!({ "input": { "id": id } });
    for (name, kind) in [("deleteAlertRule", "AlertRuleInput"), ("updateAlertRule", "UpdateAlertRuleInput")] {
        let query = format!("mutation($input: {kind}!) {{ {name}(input: $input) {{ __typename }} }}");
        assert_eq!(globex.ask(&query, input.clone()).await.code(), "NOT_FOUND", "{name}");
        let mut named = input.clone();
        named["input"]["organization"] = json!("acme");
        assert_eq!(globex.ask(&query, named).await.code(), "NOT_FOUND", "{name}");
    }
    let named = globex.ask("{ auditAlertRules(organization: \"acme\") { id } }", json!({})).await;
    assert_eq!(named.code(), "NOT_FOUND");
    assert!(super::list(&globex).await.is_empty());
    let stolen = json!({ "label": "x", "target": { "endpoint": ours } });
    let refused = globex.ask(super::CREATE, json!({ "input": stolen })).await;
    assert_eq!((refused.code().as_str(), refused.field().as_str()), ("BAD_USER_INPUT", "input.target.endpoint"));
    app.finish().await;
}

async fn a_rule_counts_what_its_maker_may_read(app: &TestApp) {
    let app = alone(app).await;
    let (wide, narrow) = (Receiver::start().await, Receiver::start().await);
    let admin = app.admin("workspace", "acme");
    let within = |project: &str| {
        let mut event = event("a.b");
        event["log"] = json!({ "level": "project", "id": project });
        event
    };
    admin.record_all(vec![within("p1"), within("p2")]).await;
    let narrowed = app.admin("workspace", "acme").logs(&["project:p1"]);
    let (of_all, of_p1) = (endpoint(&admin, &wide).await, endpoint(&narrowed, &narrow).await);
    // An endpoint is told of nothing that it may not be sent, and nobody tells one that they may not see.
    for (who, endpoint) in [(&admin, &of_p1), (&narrowed, &of_all)] {
        let input = json!({ "label": "x", "target": { "endpoint": endpoint } });
        let refused = who.ask(super::CREATE, json!({ "input": input })).await;
        assert_eq!((refused.code().as_str(), refused.field().as_str()), ("BAD_USER_INPUT", "input.target.endpoint"));
    }
    let foreign = json!({ "label": "x", "target": { "endpoint": of_p1 },
        "question": { "log": { "level": "project", "id": "p2" } } });
    assert_eq!(narrowed.ask(super::CREATE, json!({ "input": foreign })).await.code(), "FORBIDDEN");

    let id = rule(&narrowed, &of_p1, "a.b", json!({ "threshold": 2 })).await;
    let seen = |rules: Vec<Value>| rules.len();
    assert_eq!((seen(super::list(&narrowed).await), seen(super::list(&admin).await)), (1, 1));
    let other = app.admin("workspace", "acme").logs(&["project:p2"]);
    assert_eq!(seen(super::list(&other).await), 0);
    admin.record_all(vec![within("p1"), within("p2"), within("p2"), event("a.b")]).await;
    fires_no_more_than(&narrowed, 0).await;
    admin.record(within("p1")).await;
    let fired = has_fired(&narrowed, 1).await;
    // It is told in the log that its maker may read, and so its endpoint may be sent it.
    assert_eq!(fired[0]["log"], json!({ "level": "project", "externalId": "p1" }));
    assert_eq!(known(&narrowed, &id).await["lastFiring"]["id"], fired[0]["id"]);
    assert_eq!(narrow.has(1).await[0].json()["data"]["id"], fired[0]["id"]);
    assert!(wide.got().is_empty());
    // Somebody who may read more and changes something else leaves it in its log.
    let changed = update(&admin, &id, json!({ "label": "Other", "threshold": 3 })).await;
    assert_eq!(changed["label"], "Other");
    admin.record_all(vec![within("p2"), event("a.b"), within("p1"), within("p1"), event("a.b")]).await;
    fires_no_more_than(&narrowed, 1).await;
    admin.record(within("p1")).await;
    assert_eq!(has_fired(&narrowed, 2).await[1]["log"]["externalId"], "p1");
    app.finish().await;
}

async fn a_rule_whose_product_asks_for_another_plan_does_not_fire(app: &TestApp) {
    let first = alone(app).await;
    let receiver = Receiver::start().await;
    let make = async |app: &TestApp| {
        let admin = app.admin("cloud-sessions", "acme");
        let endpoint = endpoint(&admin, &receiver).await;
        let id = rule(&admin, &endpoint, "session.started", json!({ "question": null, "threshold": 3 })).await;
        (endpoint, id)
    };
    let (_, id) = make(&first).await;
    // The product's file is changed, and the service started with it: reading takes a plan that the rule has not.
    let folder = tempfile::tempdir().expect("a folder");
    for file in std::fs::read_dir(catalogs::folder()).expect("a folder") {
        let file = file.expect("a file").path();
        let text =
            std::fs::read_to_string(&file).expect("text").replace("plans = [\"paid\"]", "plans = [\"platinum\"]");
        std::fs::write(folder.path().join(file.file_name().expect("a name")), text).expect("written");
    }
    let products = ledgerline::catalog::Products::load(folder.path()).unwrap_or_else(|faults| panic!("{faults}"));
    let second = first.again_with(products, ledgerline::clock::Clock::system(), here).await;
    let admin = second.admin("cloud-sessions", "acme");
    make(&second).await;
    eventually(async || {
        known(&admin, &id).await["trouble"].as_str().is_some_and(|why| why.starts_with("PLAN_REQUIRED"))
    })
    .await;
    assert_eq!(known(&admin, &id).await["firings"], "0");
    // Whoever has the plan and changes the rule is who it reads as from then on.
    assert_eq!(update(&admin, &id, json!({ "label": "Again" })).await["trouble"], Value::Null);
    second.finish().await;
}

async fn what_was_recorded_before_a_change_does_not_count(app: &TestApp) {
    let app = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    record(&admin, "a.b", 5).await;
    let id = rule(&admin, &endpoint, "a.b", json!({ "threshold": 3 })).await;
    record(&admin, "a.b", 2).await;
    // Another label is no other question: the count goes on.
    update(&admin, &id, json!({ "label": "Other" })).await;
    record(&admin, "a.b", 1).await;
    has_fired(&admin, 1).await;
    update(&admin, &id, json!({ "threshold": 4 })).await;
    record(&admin, "a.b", 3).await;
    fires_no_more_than(&admin, 1).await;
    record(&admin, "a.b", 1).await;
    has_fired(&admin, 2).await;
    // A pause neither counts nor remembers.
    update(&admin, &id, json!({ "threshold": 3 })).await;
    record(&admin, "a.b", 2).await;
    assert_eq!(update(&admin, &id, json!({ "paused": true })).await["status"], "PAUSED");
    record(&admin, "a.b", 5).await;
    fires_no_more_than(&admin, 2).await;
    update(&admin, &id, json!({ "paused": false })).await;
    record(&admin, "a.b", 2).await;
    fires_no_more_than(&admin, 2).await;
    record(&admin, "a.b", 1).await;
    has_fired(&admin, 3).await;
    let delete = "mutation($input: AlertRuleInput!) { deleteAlertRule(input: $input) { rule { id status } } }";
    admin.data(delete, json!({ "input": { "id": id } })).await;
    record(&admin, "a.b", 5).await;
    fires_no_more_than(&admin, 3).await;
    assert!(super::list(&admin).await.is_empty());
    app.finish().await;
}

async fn a_large_burst_is_counted_whole(app: &TestApp) {
    let app = alone(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    let endpoint = endpoint(&admin, &receiver).await;
    rule(&admin, &endpoint, "a.b", json!({ "threshold": 1_000, "windowSeconds": 86_400 })).await;
    for part in 0..20 {
        let events = (0..100).map(|n| event(if n % 2 == 0 { "a.b" } else { "c.d" }));
        admin.record_all(events.collect()).await;
        if part == 9 {
            fires_no_more_than(&admin, 0).await;
        }
    }
    let fired = has_fired(&admin, 1).await;
    assert_eq!(fired[0]["metadata"]["count"], 1_000);
    receiver.has(1).await;
    app.finish().await;
}
