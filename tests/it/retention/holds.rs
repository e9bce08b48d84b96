//! What a hold keeps stays, however old it gets; placing and lifting are told.

use serde_json::{Value, json};

use super::{LIFT, Moved, PLACE, listed, of};
use crate::harness::{Caller, TestApp, as_of_a_cluster, on_both_databases, sql::column};

on_both_databases! {
    what_is_held_stays_until_the_hold_is_lifted,
    each_kind_of_hold_keeps_what_it_says_and_no_more,
    a_hold_that_comes_between_the_preview_and_the_sweep_counts,
    holds_are_the_organizations_own,
    a_hold_is_placed_as_it_should_be_or_not_at_all,
    who_may_place_holds_sees_which_events_are_held_and_nobody_else_does,
}

as_of_a_cluster! {
    what_is_held_stays_until_the_hold_is_lifted,
}

async fn place(moved: &Moved, input: Value) -> String {
    let mut input = input;
    if input["label"].is_null() {
        input["label"] = json!("case 7");
    }
    let placed = moved.admin("acme").data(PLACE, json!({ "input": input })).await;
    placed["placeAuditHold"]["hold"]["id"].as_str().expect("an id").to_owned()
}

async fn what_is_held_stays_until_the_hold_is_lifted(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    admin.record(of("user.login", None)).await;
    let hold = place(&moved, json!({})).await;
    moved.day(40);
    let tally = moved.sweep().await;
    assert_eq!((tally.removed, tally.held), (0, 2), "the event, and that which tells of the hold");
    // A second hold keeps it when the first is lifted, also after a sweep has passed it by.
    let second = place(&moved, json!({ "filter": { "actions": ["user.login"] } })).await;
    admin.data(LIFT, json!({ "input": { "id": hold } })).await;
    assert_eq!(admin.ask(LIFT, json!({ "input": { "id": hold } })).await.code(), "NOT_FOUND");
    let tally = moved.sweep().await;
    assert_eq!((tally.removed, tally.held), (1, 1));
    assert_eq!(listed(&admin).await, ["user.login"]);
    admin.data(LIFT, json!({ "input": { "id": second } })).await;
    let tally = moved.sweep().await;
    assert_eq!((tally.removed, tally.held), (1, 0));
    assert_eq!(listed(&admin).await, Vec::<String>::new());
    let told =
        admin.actions("filter: { actions: [\"audit_log.*\"] }, orderBy: { field: SEQUENCE, direction: ASC }").await;
    let expected = ["hold_placed", "hold_lifted", "events_removed", "hold_lifted", "events_removed"];
    assert_eq!(told, expected.map(|name| format!("audit_log.{name}")));
    moved.app.finish().await;
}

async fn each_kind_of_hold_keeps_what_it_says_and_no_more(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    let by = |id: &str, mut event: Value| {
        event["actor"]["id"] = json!(id);
        event
    };
    admin.record(by("anna", of("a.anna", None))).await;
    admin.record(by("bert", of("a.bert", None))).await;
    admin.record(by("bert", of("a.bert_in_p1", Some("p1")))).await;
    admin.record(by("bert", of("a.bert_in_p2", Some("p2")))).await;
    let mut with = by("bert", of("a.with_resource", None));
    with["resources"] = json!([{ "type": "file", "id": "f1" }]);
    admin.record(with).await;
    let mut old = by("bert", of("a.of_2020", None));
    old["occurredAt"] = json!("2020-06-01T00:00:00Z");
    admin.record(old).await;
    for filter in [
        json!({ "filter": { "actor": { "ids": ["anna"] } } }),
        json!({ "log": { "level": "project", "id": "p1" } }),
        json!({ "filter": { "resource": { "types": ["file"], "ids": ["f1"] } } }),
        json!({ "filter": { "occurredAt": { "from": "2020-01-01T00:00:00Z", "to": "2021-01-01T00:00:00Z" } } }),
    ] {
        place(&moved, filter).await;
    }
    moved.day(40);
    let tally = moved.sweep().await;
    assert_eq!(tally.held, 4);
    let mut left = listed(&admin).await;
    left.sort();
    let nested = admin.actions("log: { level: \"project\", id: \"p1\" }").await;
    assert_eq!(nested, ["a.bert_in_p1"]);
    left.retain(|action| action != "a.bert_in_p1");
    assert_eq!(left, ["a.anna", "a.of_2020", "a.with_resource"]);
    moved.app.finish().await;
}

async fn a_hold_that_comes_between_the_preview_and_the_sweep_counts(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    admin.record(of("user.login", None)).await;
    moved.day(40);
    assert_eq!(moved.sweeper().preview().await.expect("a preview").removed, 1);
    place(&moved, json!({})).await;
    let preview = moved.sweeper().preview().await.expect("a preview");
    assert_eq!((preview.removed, preview.held), (0, 1));
    assert_eq!(moved.sweep().await.removed, 0);
    assert_eq!(listed(&admin).await, ["user.login"]);
    moved.app.finish().await;
}

async fn holds_are_the_organizations_own(app: &TestApp) {
    let moved = Moved::beside(app).await;
    for organization in ["acme", "globex"] {
        moved.admin(organization).record(of("user.login", None)).await;
    }
    let hold = place(&moved, json!({})).await;
    let other = moved.admin("globex");
    let holds = "{ auditHolds { id label createdBy question } }";
    assert_eq!(other.data(holds, json!({})).await["auditHolds"], json!([]));
    assert_eq!(other.ask(LIFT, json!({ "input": { "id": hold } })).await.code(), "NOT_FOUND");
    let foreign = json!({ "input": { "organization": "acme", "id": hold } });
    assert_eq!(other.ask(LIFT, foreign).await.code(), "NOT_FOUND");
    let found = moved.admin("acme").data(holds, json!({})).await["auditHolds"].clone();
    assert_eq!(
        found,
        json!([{ "id": hold, "label": "case 7", "createdBy": "admin", "question": { "v": 1, "filter": {} } }])
    );
    moved.day(40);
    assert_eq!(moved.sweep().await.removed, 1, "that of the other organization");
    assert_eq!(listed(&moved.admin("acme")).await.len(), 1);
    // Whoever is narrowed to logs decides nothing for the others.
    let narrowed = moved.admin("acme").logs(&["project:p1"]);
    assert_eq!(narrowed.ask(LIFT, json!({ "input": { "id": hold } })).await.code(), "FORBIDDEN");
    let wanted = json!({ "input": { "label": "mine" } });
    assert_eq!(narrowed.ask(PLACE, wanted).await.code(), "FORBIDDEN");
    moved.app.finish().await;
}

async fn a_hold_is_placed_as_it_should_be_or_not_at_all(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    for (input, code, field) in [
        (json!({ "label": " " }), "BAD_USER_INPUT", "input.label"),
        (json!({ "label": "x".repeat(300) }), "BAD_USER_INPUT", "input.label"),
        (json!({ "label": "x", "log": { "level": "none", "id": "1" } }), "BAD_USER_INPUT", "input.log.level"),
        (json!({ "label": "x", "log": { "level": "project", "id": "not there" } }), "NOT_FOUND", ""),
        (json!({ "label": "x", "log": { "level": "organisation", "id": "globex" } }), "NOT_FOUND", ""),
        (
            json!({ "label": "x", "filter": { "period": { "preset": "TODAY", "timeZone": "UTC" } } }),
            "BAD_USER_INPUT",
            "input.filter.period",
        ),
        (
            json!({ "label": "x", "filter": { "occurredAt": { "from": "tomorrow" } } }),
            "BAD_USER_INPUT",
            "input.filter.occurredAt.from",
        ),
    ] {
        let answer = admin.ask(PLACE, json!({ "input": input })).await;
        assert_eq!((answer.code().as_str(), answer.field().as_str()), (code, field), "{input}");
    }
    assert_eq!(column::<i64>(&app.url, "SELECT count(*) FROM hold").await, [0]);
    // One of the organization's own log alone, without those nested in it.
    place(&moved, json!({ "log": { "level": "organisation", "id": "acme" }, "includeNested": false })).await;
    admin.record(of("user.login", None)).await;
    admin.record(of("user.logout", Some("p1"))).await;
    moved.day(40);
    assert_eq!(moved.sweep().await.removed, 1);
    assert_eq!(listed(&admin).await, ["user.login"]);
    // A hundred and no more.
    for at in 1..100 {
        place(&moved, json!({ "label": format!("case {at}") })).await;
    }
    let one_more = admin.ask(PLACE, json!({ "input": { "label": "one more" } })).await;
    assert_eq!(one_more.code(), "BAD_USER_INPUT");
    moved.app.finish().await;
}

async fn who_may_place_holds_sees_which_events_are_held_and_nobody_else_does(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    for organization in ["acme", "globex"] {
        moved.admin(organization).record(of("a.kept", None)).await;
        moved.admin(organization).record(of("a.free", Some("p1"))).await;
    }
    let of_nodes = "{ auditEvents(includeNested: true, filter: { actions: [\"a.*\"] }) { nodes { action held } } }";
    let of_edges = "query { auditEvents(includeNested: true, filter: { actions: [\"a.*\"] }) {
        edges { node { ...on Node { ...on AuditEvent { id action is: held log { id } actor { label } category { actions { name } } } } } } } }";
    let told = async |caller: &Caller<'_>| -> Vec<Value> {
        let page = caller.data(of_nodes, json!({})).await["auditEvents"]["nodes"].clone();
        let nodes: Vec<_> = page.as_array().expect("nodes").iter().map(|node| node["held"].clone()).collect();
        // Event by event, however the page is written.
        let edges = caller.data(of_edges, json!({})).await["auditEvents"]["edges"].clone();
        for (edge, held) in edges.as_array().expect("edges").iter().zip(&nodes) {
            assert_eq!(edge["node"]["is"], *held, "{edge}");
            let one =
                caller.data("query($id: ID!) { auditEvent(id: $id) { held } }", json!({ "id": edge["node"]["id"] }));
            assert_eq!(one.await["auditEvent"]["held"], *held, "{edge}");
        }
        nodes
    };
    assert_eq!(told(&admin).await, [json!(false), json!(false)]);
    let hold = place(&moved, json!({ "filter": { "actions": ["a.kept", "a.later"] } })).await;
    assert_eq!(told(&admin).await, [json!(false), json!(true)]);
    // Another organization has no hold, and whoever could not place one is told nothing, nor whether there is any.
    assert_eq!(told(&moved.admin("globex")).await, [json!(false), json!(false)]);
    let reader = moved.admin("acme").scopes("audit:read");
    assert_eq!(told(&reader).await, [Value::Null, Value::Null]);
    let narrowed = moved.admin("acme").logs(&["project:p1"]);
    let page = "{ auditEvents(log: { level: \"project\", id: \"p1\" }) { nodes { held } } }";
    assert_eq!(narrowed.data(page, json!({})).await["auditEvents"]["nodes"], json!([{ "held": null }]));
    // Of what is recorded under a hold, too; what a mutation changes is told by those after it.
    let record = "mutation($input: RecordAuditEventInput!, $lift: LiftAuditHoldInput!) {
        before: recordAuditEvent(input: $input) { event { held } }
        liftAuditHold(input: $lift) { hold { id } }
        after: recordAuditEvent(input: $input) { event { held } } }";
    let input = json!({ "input": of("a.later", None), "lift": { "id": hold } });
    let answer = admin.data(record, input).await;
    assert_eq!((&answer["before"]["event"]["held"], &answer["after"]["event"]["held"]), (&json!(true), &json!(false)));
    assert_eq!(told(&admin).await, vec![json!(false); 4]);
    moved.app.finish().await;
}
