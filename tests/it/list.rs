//! Lists of events resolve their fields in a way of their own: to the same answers as single events do.

use proptest::{prelude::*, strategy::ValueTree};
use serde_json::{Value, json};

use crate::harness::{Caller, event, on_both_databases};

/// Every field of a type as a selection, objects down to a depth.
async fn every_field(admin: &Caller<'_>, of: &str, depth: usize) -> String {
    let query = "query($name: String!) { __type(name: $name) { fields { name args { name } type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } }";
    let data = admin.data(query, json!({ "name": of })).await;
    let mut selection = String::from("__typename");
    for field in data["__type"]["fields"].as_array().expect("fields") {
        let mut inner = &field["type"];
        while !inner["ofType"].is_null() {
            inner = &inner["ofType"];
        }
        let name = field["name"].as_str().expect("a name");
        if inner["kind"] != "OBJECT" {
            selection += &format!(" {name}");
        } else if depth > 0 {
            let below = Box::pin(every_field(admin, inner["name"].as_str().expect("a type"), depth - 1)).await;
            selection += &format!(" {name} {{ {below} }}");
        }
    }
    selection
}

async fn fill(admin: &Caller<'_>) {
    let mut full = event("member.invited");
    full["onBehalfOf"] = json!({ "kind": "STAFF", "name": "Zoë" });
    full["category"] = json!("members");
    full["resources"] = json!([{ "type": "user", "id": "u2", "name": "日本" }, { "id": "u3" }]);
    full["outcome"] = json!("FAILURE");
    full["occurredAt"] = json!("2026-01-02T03:04:05.123456789Z");
    full["log"] = json!({ "level": "project", "id": "p1", "name": "Shop" });
    for field in ["ipAddress", "userAgent", "correlationId", "source", "sourceEventId"] {
        full[field] = json!(format!("{field} \"quoted\" \u{1F980}"));
    }
    full["metadataText"] = json!("{ \"big\": 123456789012345678901234567890, \"list\": [1, 2.50, null] }");
    let mut deleted = event("a.b");
    deleted["log"] = json!({ "level": "project", "id": "gone" });
    admin.record_all(vec![full, event("no.such.action"), deleted]).await;
    let delete =
        "mutation { deleteAuditLog(input: { log: { level: \"project\", id: \"gone\" } }) { log { deletedAt } } }";
    admin.data(delete, json!({})).await;
}

/// What a list says of its events, and what each of them says alone.
async fn both_ways(admin: &Caller<'_>, list: &str, alone: &str, fragments: &str) -> (Vec<Value>, Vec<Value>) {
    let query = format!(
        "{{ auditEvents(includeNested: true) {{ nodes {{ the_id: id {list} }} edges {{ node {{ the_id: id {list} }} }} }} }} {fragments}"
    );
    let data = admin.data(&query, json!({})).await;
    let nodes = data["auditEvents"]["nodes"].as_array().expect("nodes").clone();
    let edges = data["auditEvents"]["edges"].as_array().expect("edges").iter().map(|edge| edge["node"].clone());
    assert_eq!(edges.collect::<Vec<_>>(), nodes);
    assert!(nodes.len() >= 2);
    let mut single = Vec::new();
    for node in &nodes {
        let query = format!("query($id: ID!) {{ auditEvent(id: $id) {{ the_id: id {alone} }} }} {fragments}");
        single.push(admin.data(&query, json!({ "id": node["the_id"] })).await["auditEvent"].clone());
    }
    (nodes, single)
}

on_both_databases! {
    async fn a_list_answers_every_field_of_the_schema_as_a_single_event_does(app: &TestApp) {
        for product in ["workspace", "capydb"] {
            let admin = app.admin(product, "acme");
            if product == "workspace" {
                fill(&admin).await;
            } else {
                let action = admin.data("{ catalog { actions { name } } }", json!({})).await["catalog"]["actions"][0]["name"].clone();
                let mut known = event(action.as_str().expect("an action"));
                known["metadata"] = json!({ "nested": { "list": [true, 1.5, "x"] } });
                assert_eq!(admin.record_all(vec![known.clone(), known]).await["recorded"], 2);
            }
            // Two levels down lies what lists leave to the ordinary way: the actions of a category.
            for depth in 0..=3 {
                let fields = every_field(&admin, "AuditEvent", depth).await;
                let (list, alone) = both_ways(&admin, &fields, &fields, "").await;
                assert_eq!(list, alone, "{fields}");
            }
        }
    }
}

/// A selection of an event: fields by other names, twice, in fragments, left out by directives.
fn selection() -> impl Strategy<Value = String> {
    let scalar =
        prop::sample::select(vec!["id", "action", "occurredAt", "outcome", "metadata", "ipAddress", "__typename"]);
    let actor = prop::sample::select(vec!["kind", "id", "label", "__typename"]);
    let item = prop_oneof![
        4 => scalar.clone().prop_map(str::to_owned),
        2 => (prop::sample::select(vec!["a", "b"]), actor.clone()).prop_map(|(key, field)| format!("{key}ctor: actor {{ {key}: {field} }}")),
        2 => actor.prop_map(|field| format!("actor {{ {field} }}")),
        1 => Just("log { id parent { id __typename } }".to_owned()),
        1 => Just("resources { type } resources { name }".to_owned()),
        1 => Just("category { code shortLabel }".to_owned()),
        1 => Just("...Some".to_owned()),
        1 => Just("...OfNode".to_owned()),
        1 => Just("resource { ...Thing }".to_owned()),
        1 => (scalar.clone(), any::<bool>()).prop_map(|(field, on)| format!("{field} @include(if: {on})")),
        1 => (scalar.clone(), any::<bool>()).prop_map(|(field, on)| format!("s_{field}: {field} @skip(if: {on})")),
        1 => scalar.clone().prop_map(|field| format!("... on AuditEvent {{ {field} }}")),
        1 => Just("... on Node { id }".to_owned()),
        1 => scalar.prop_map(|field| format!("... {{ {field} actor {{ email }} }}")),
    ];
    prop::collection::vec(item, 1..8).prop_map(|items| items.join(" "))
}

on_both_databases! {
    async fn a_list_answers_any_selection_as_a_single_event_does(app: &TestApp) {
        const FRAGMENTS: &str = "fragment Some on AuditEvent { sequence actor { name ...Who } } fragment Who on Actor { email } \
            fragment OfNode on Node { id ...Some } fragment Thing on Resource { name type }";
        const UNUSED: &str = "... @skip(if: true) { ...Some ...OfNode resource { ...Thing } }";
        let admin = app.admin("workspace", "acme");
        fill(&admin).await;
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        for _ in 0..40 {
            let fields = selection().new_tree(&mut runner).expect("a selection").current();
            let fields = format!("{fields} {UNUSED}");
            let (list, alone) = both_ways(&admin, &fields, &fields, FRAGMENTS).await;
            assert_eq!(list, alone, "{fields}");
        }
    }
}
