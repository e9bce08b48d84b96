//! Cursors in clients' hands: good for the same list in every version of the service and of the product files, and for
//! no other list.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ledgerline::catalog::Products;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{TestApp, catalogs, event, on_both_databases};

const LIST: &str = "query($search: String, $filter: AuditEventFilter, $order: AuditEventOrder, $log: AuditLogInput, $nested: Boolean, $after: String) {
    auditEvents(first: 1, search: $search, filter: $filter, orderBy: $order, log: $log, includeNested: $nested, after: $after) {
        nodes { action } pageInfo { endCursor } } }";

/// The workspace product, in whose catalog other actions have the words "signed in".
fn relabelled() -> Products {
    let text = catalogs::workspace();
    let changed = text
        .replace("label = \"User signed in\"", "label = \"Came through the door\"")
        .replace("label = \"Member invited\"", "label = \"Member signed in by another\"");
    assert!(!changed.contains("User signed in") && changed.contains("Member signed in by another"));
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("workspace.toml"), changed).expect("written");
    Products::load(folder.path()).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Records logins and an invitation, the last of which is the newest.
async fn recorded(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for action in ["user.login", "user.login", "member.invited", "user.login"] {
        assert_eq!(admin.record(event(action)).await["status"], "RECORDED");
    }
}

async fn page(app: &TestApp, asked: &Value, after: &Value) -> (Vec<String>, Value) {
    let mut variables = asked.clone();
    variables["after"] = after.clone();
    let list = app.admin("workspace", "acme").data(LIST, variables).await["auditEvents"].clone();
    let nodes = list["nodes"].as_array().expect("nodes").iter();
    (
        nodes.map(|node| node["action"].as_str().expect("text").to_owned()).collect(),
        list["pageInfo"]["endCursor"].clone(),
    )
}

on_both_databases! {
    a_changed_label_refuses_no_cursor,
    a_cursor_goes_on_where_the_same_list_is_asked_for_in_other_words,
    a_cursor_of_another_list_is_refused,
    a_cursor_of_an_unknown_version_is_refused_by_name,
    a_forged_cursor_shows_no_impossible_numbers,
}

/// A cursor with other numbers than the service gave it, and the checksum that anybody can make.
fn forged(cursor: &str, key: Option<i64>, pinned: i64, rank: i64) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(cursor).unwrap();
    bytes.truncate(33);
    if let Some(key) = key {
        bytes[9..17].copy_from_slice(&key.to_be_bytes());
    }
    bytes[17..25].copy_from_slice(&pinned.to_be_bytes());
    bytes[25..33].copy_from_slice(&rank.to_be_bytes());
    let sum = Sha256::digest(&bytes);
    bytes.extend(&sum[..4]);
    URL_SAFE_NO_PAD.encode(bytes)
}

async fn a_forged_cursor_shows_no_impossible_numbers(app: &TestApp) {
    recorded(app).await;
    let admin = app.admin("workspace", "acme");
    let ask =
        "query($after: String, $before: String, $first: Int, $last: Int, $search: String, $order: AuditEventOrder) {
        auditEvents(first: $first, last: $last, after: $after, before: $before, search: $search, orderBy: $order) {
            totalCount pageNumber pageCount nodes { action } pageInfo { startCursor endCursor } } }";
    let number = |list: &Value, name: &str| list[name].as_i64().or(list[name].as_str().and_then(|n| n.parse().ok()));
    for order in
        [json!({ "field": "OCCURRED_AT", "direction": "DESC" }), json!({ "field": "SEQUENCE", "direction": "ASC" })]
    {
        for search in [Value::Null, json!("\"User One\"")] {
            let first = json!({ "first": 1, "search": search, "order": order });
            let cursor = admin.data(ask, first.clone()).await["auditEvents"]["pageInfo"]["endCursor"].clone();
            let cursor = cursor.as_str().unwrap();
            let ranks = [i64::MIN + 1, -1, 1, 4, i64::MAX];
            for key in [None, Some(i64::MIN), Some(i64::MAX)] {
                let pairs =
                    [i64::MIN, -1, 0, 3, i64::MAX].into_iter().flat_map(|pinned| ranks.map(|rank| (pinned, rank)));
                for (pinned, rank) in pairs {
                    let place = forged(cursor, key, pinned, rank);
                    for (size, place_name) in [("first", "after"), ("last", "before")] {
                        let mut asked = json!({ "search": search, "order": order });
                        asked[size] = json!(1);
                        asked[place_name] = json!(place);
                        let list = admin.data(ask, asked).await["auditEvents"].clone();
                        let told = |name| number(&list, name).unwrap_or_else(|| panic!("{name}: {list}"));
                        let (total, page, pages) = (told("totalCount"), told("pageNumber"), told("pageCount"));
                        assert!((0..=4).contains(&total), "{pinned} {rank}: {list}");
                        assert!(pages == total.max(1) && (1..=pages).contains(&page), "{pinned} {rank}: {list}");
                    }
                }
            }
        }
    }
}

async fn a_changed_label_refuses_no_cursor(app: &TestApp) {
    recorded(app).await;
    let searched = json!({ "search": "signed" });
    let (first, after) = page(app, &searched, &Value::Null).await;
    assert_eq!(first, ["user.login"]);
    // Started anew with the changed file, while another process still runs with the one before.
    let changed = app.beside_with_products(relabelled()).await;
    assert_eq!(page(&changed, &searched, &Value::Null).await.0, ["member.invited"], "the label counts");
    let (second, end) = page(&changed, &searched, &after).await;
    assert_eq!(second, ["member.invited"], "and the cursor goes on");
    assert_eq!(page(app, &searched, &end).await.0, ["user.login"], "in the other process too");
    changed.finish().await;
}

async fn a_cursor_goes_on_where_the_same_list_is_asked_for_in_other_words(app: &TestApp) {
    recorded(app).await;
    for (asked, same) in [
        (json!({}), json!({ "search": " * ", "filter": { "actor": {}, "not": { "categories": [] } } })),
        (
            json!({ "filter": { "actions": ["user.login", "member.*"] } }),
            json!({ "filter": { "actions": ["member.*", "user.login", "member.*"] } }),
        ),
        (
            json!({ "filter": { "occurredAt": { "from": "2026-01-01T00:00:00Z" } } }),
            json!({ "filter": { "occurredAt": { "from": "2026-01-01T02:00:00.000+02:00" } } }),
        ),
        (
            json!({ "filter": { "period": { "preset": "LAST_7_DAYS", "timeZone": "UTC" } } }),
            json!({ "filter": { "period": { "preset": "LAST_7_DAYS", "timeZone": "UTC" } } }),
        ),
    ] {
        let after = page(app, &asked, &Value::Null).await.1;
        assert_eq!(page(app, &same, &after).await.0, ["member.invited"], "{same}");
    }
}

async fn a_cursor_of_another_list_is_refused(app: &TestApp) {
    recorded(app).await;
    let project = json!({ "log": { "level": "project", "id": "p" } });
    let mut nested = event("project.opened");
    nested["log"] = project["log"].clone();
    app.admin("workspace", "acme").record(nested).await;
    let lists = [
        json!({}),
        json!({ "order": { "field": "OCCURRED_AT", "direction": "ASC" } }),
        json!({ "order": { "field": "SEQUENCE", "direction": "DESC" } }),
        json!({ "nested": true }),
        json!({ "nested": false }),
        project,
        json!({ "search": "signed" }),
        json!({ "search": "\"signed\"" }),
        json!({ "search": "sign*" }),
        json!({ "filter": { "actions": ["user.login"] } }),
        json!({ "filter": { "actions": ["user.login*"] } }),
        json!({ "filter": { "actions": [] } }),
        json!({ "filter": { "not": { "actions": ["user.login"] } } }),
        json!({ "filter": { "actor": { "ids": ["u1"] } } }),
        json!({ "filter": { "actor": { "names": ["u1"] } } }),
        json!({ "filter": { "resource": { "ids": ["u1"] } } }),
        json!({ "filter": { "period": { "preset": "LAST_7_DAYS", "timeZone": "UTC" } } }),
        json!({ "filter": { "period": { "preset": "LAST_30_DAYS", "timeZone": "UTC" } } }),
        json!({ "filter": { "period": { "preset": "LAST_7_DAYS", "timeZone": "Europe/Berlin" } } }),
        json!({ "filter": { "truncated": false } }),
    ];
    let after = page(app, &lists[0], &Value::Null).await.1;
    for other in &lists[1..] {
        let mut variables = other.clone();
        variables["after"] = after.clone();
        let answer = app.admin("workspace", "acme").ask(LIST, variables).await;
        assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", "after"), "{other}");
    }
    for (at, list) in lists.iter().enumerate().skip(1) {
        let after = page(app, list, &Value::Null).await.1;
        if after.is_null() {
            continue;
        }
        let mut variables = lists[(at + 1) % lists.len()].clone();
        variables["after"] = after;
        let answer = app.admin("workspace", "acme").ask(LIST, variables).await;
        assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", "after"), "{list}");
    }
    let globex = app.admin("workspace", "globex").ask(LIST, json!({ "after": after })).await;
    assert_eq!((globex.code().as_str(), globex.field().as_str()), ("BAD_USER_INPUT", "after"));
}

async fn a_cursor_of_an_unknown_version_is_refused_by_name(app: &TestApp) {
    recorded(app).await;
    // Version 3, with the checksum that every version ends in.
    let answer = app.admin("workspace", "acme").ask(LIST, json!({ "after": "AwECA1xC--s" })).await;
    assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", "after"));
    let rule = answer.errors()[0]["extensions"]["rule"].as_str().unwrap_or_default().to_owned();
    assert!(rule.contains("version 1 or 2, got one of version 3"), "{rule}");
}
