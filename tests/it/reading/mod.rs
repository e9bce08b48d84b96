//! Reading: every order, direction and filter, search, totals that hold still, the viewer's own days.

mod days;
mod filters;
mod order;

use serde_json::{Value, json};

use crate::harness::{Caller, event};

const LIST: &str = "query($filter: AuditEventFilter, $search: String, $orderBy: AuditEventOrder, $first: Int, $after:
    String, $last: Int, $before: String) {
    auditEvents(filter: $filter, search: $search, orderBy: $orderBy, first: $first, after: $after, last: $last,
    before: $before) {
        totalCount pageNumber pageCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { action } } nodes { action } } }";

async fn list(reader: &Caller<'_>, variables: Value) -> Value {
    reader.data(LIST, variables).await["auditEvents"].clone()
}

fn actions(page: &Value) -> Vec<&str> {
    page["nodes"].as_array().expect("nodes").iter().map(|node| node["action"].as_str().expect("an action")).collect()
}

fn at(action: &str, time: &str) -> Value {
    let mut input = event(action);
    input["occurredAt"] = json!(time);
    input
}

/// Ten events, one a minute, recorded out of order: the digit is the time, the list below the order of recording.
const RECORDED: [u32; 10] = [3, 0, 9, 1, 5, 4, 8, 2, 7, 6];

async fn ten(admin: &Caller<'_>) {
    let events =
        RECORDED.iter().map(|minute| at(&format!("e{minute}"), &format!("2026-03-01T12:0{minute}:00Z"))).collect();
    assert_eq!(admin.record_all(events).await["recorded"], 10);
}

fn named(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|n| format!("e{n}")).collect()
}

/// One event with everything to filter by, under names that start with `p`.
pub fn rich(p: &str, category: &str, kind: &str, outcome: &str) -> Value {
    json!({
        "action": format!("{p}.act"), "category": category, "outcome": outcome,
        "actor": {
            "kind": kind, "id": format!("{p}-id"), "email": format!("{p}.Mail@Example.com"),
            "name": format!("{p} Person")
        },
        "resources": [
            { "type": format!("{p}-type"), "id": format!("{p}-res"), "name": format!("{p} thing") },
            { "type": "shared", "id": format!("{p}-second") }
        ],
        "ipAddress": format!("192.0.2.{}", p.len()), "userAgent": format!("{p}agent"),
        "correlationId": format!("{p}-job"), "source": format!("{p}-source"), "sourceEventId": format!("{p}-7"),
        "metadata": { "key": format!("{p}leaf"), "list": [1, { "deep": format!("{p}deep words here") }] }
    })
}
