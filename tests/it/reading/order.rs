//! Pages in both orders, their cursors, and totals that hold still.

use serde_json::{Value, json};

use super::{LIST, RECORDED, actions, at, list, named, ten};
use crate::harness::{TestApp, as_of_a_cluster, event, on_both_databases};

on_both_databases! {
    both_orders_run_both_ways,
    a_page_between_two_cursors_and_an_empty_one_are_told_truly,
    a_cursor_is_good_for_its_own_order_and_filter_alone,
    page_x_of_y_holds_still_while_events_arrive,
    a_late_event_appears_in_its_own_place,
}

as_of_a_cluster! {
    both_orders_run_both_ways,
    page_x_of_y_holds_still_while_events_arrive,
}

async fn both_orders_run_both_ways(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    ten(&admin).await;
    for (field, direction, expected) in [
        ("OCCURRED_AT", "DESC", named((0..10).rev())),
        ("OCCURRED_AT", "ASC", named(0..10)),
        ("SEQUENCE", "DESC", named(RECORDED.into_iter().rev())),
        ("SEQUENCE", "ASC", named(RECORDED)),
    ] {
        let order = json!({ "field": field, "direction": direction });
        assert_eq!(actions(&list(&admin, json!({ "orderBy": order })).await), expected);
        // Forwards by three, then back again.
        let (mut seen, mut after, mut number) = (Vec::new(), Value::Null, 1);
        loop {
            let page = list(&admin, json!({ "orderBy": order, "first": 3, "after": after })).await;
            seen.extend(actions(&page).into_iter().map(str::to_owned));
            assert_eq!(
                (&page["totalCount"], &page["pageNumber"], &page["pageCount"]),
                (&json!(10), &json!(number), &json!(4))
            );
            assert_eq!(page["pageInfo"]["hasPreviousPage"], number > 1);
            assert_eq!(page["pageInfo"]["hasNextPage"], number < 4);
            assert_eq!(page["pageInfo"]["startCursor"], page["edges"][0]["cursor"]);
            after = page["pageInfo"]["endCursor"].clone();
            if number == 4 {
                break;
            }
            number += 1;
        }
        assert_eq!(seen, expected);
        let (mut seen, mut before, mut number) = (Vec::new(), Value::Null, 0);
        loop {
            let page = list(&admin, json!({ "orderBy": order, "last": 3, "before": before })).await;
            seen.splice(0..0, actions(&page).into_iter().map(str::to_owned));
            number += 1;
            assert_eq!(page["pageInfo"]["hasNextPage"], number > 1, "{page:#}");
            assert_eq!(page["pageInfo"]["hasPreviousPage"], number < 4);
            before = page["pageInfo"]["startCursor"].clone();
            if number == 4 {
                break;
            }
        }
        assert_eq!(seen, expected);
    }
}

async fn a_page_between_two_cursors_and_an_empty_one_are_told_truly(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    ten(&admin).await;
    let all = list(&admin, json!({})).await;
    let cursor = |at: usize| all["edges"][at]["cursor"].clone();
    let between = list(&admin, json!({ "after": cursor(2), "before": cursor(6), "first": 10 })).await;
    assert_eq!(actions(&between), ["e6", "e5", "e4"]);
    assert_eq!(
        actions(&list(&admin, json!({ "after": cursor(2), "before": cursor(6), "last": 2 })).await),
        ["e5", "e4"]
    );
    let none = list(&admin, json!({ "first": 0, "after": cursor(4) })).await;
    assert_eq!(
        (&none["nodes"], &none["totalCount"], &none["pageInfo"]["endCursor"], &none["pageInfo"]["startCursor"]),
        (&json!([]), &json!(10), &cursor(4), &cursor(4))
    );
    assert_eq!(none["pageInfo"]["hasNextPage"], true);
    let beyond = list(&admin, json!({ "first": 5, "after": cursor(9) })).await;
    assert_eq!(
        (&beyond["nodes"], &beyond["pageInfo"]),
        (
            &json!([]),
            &json!({ "hasNextPage": false, "hasPreviousPage": true, "startCursor": cursor(9), "endCursor": cursor(9) })
        )
    );
    let before = list(&admin, json!({ "last": 5, "before": cursor(0) })).await;
    assert_eq!(
        (&before["nodes"], &before["pageInfo"]["hasPreviousPage"], &before["pageInfo"]["hasNextPage"]),
        (&json!([]), &json!(false), &json!(true))
    );
    let nothing = list(&admin, json!({ "first": 0 })).await;
    assert_eq!((&nothing["totalCount"], &nothing["pageInfo"]["startCursor"]), (&json!(10), &Value::Null));
    for exact in [10, 5] {
        let page = list(&admin, json!({ "first": exact })).await;
        assert_eq!(page["pageInfo"]["hasNextPage"], exact < 10);
    }
}

async fn a_cursor_is_good_for_its_own_order_and_filter_alone(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    ten(&admin).await;
    let cursor = list(&admin, json!({ "first": 2 })).await["pageInfo"]["endCursor"].clone();
    for other in [
        json!({ "orderBy": { "field": "OCCURRED_AT", "direction": "ASC" } }),
        json!({ "orderBy": { "field": "SEQUENCE", "direction": "DESC" } }),
        json!({ "filter": { "actions": ["e*"] } }),
        json!({ "filter": { "occurredAt": { "from": "2026-01-01T00:00:00Z" } } }),
        json!({ "search": "e1" }),
    ] {
        let mut variables = other.clone();
        variables["after"] = cursor.clone();
        let answer = admin.ask(LIST, variables).await;
        assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", "after"), "{other}");
    }
    let log = admin
        .ask(
            "query($after: String) { auditEvents(after: $after, log: { level: \"project\", id: \"p\" }) { \
             totalCount } }",
            json!({ "after": cursor }),
        )
        .await;
    assert_eq!(log.code(), "BAD_USER_INPUT");
    // The size of the page is no part of the list.
    assert_eq!(actions(&list(&admin, json!({ "first": 5, "after": cursor })).await), ["e7", "e6", "e5", "e4", "e3"]);
    // Filters written in another order of fields are the same filter.
    let filter = json!({ "actions": ["e*"], "actor": { "kinds": ["USER"] } });
    let page = list(&admin, json!({ "filter": filter, "first": 1 })).await;
    assert_eq!(
        actions(
            &list(
                &admin,
                json!({
                    "filter": { "actor": { "kinds": ["USER"] }, "actions": ["e*"] }, "first": 1,
                    "after": page["pageInfo"]["endCursor"]
                })
            )
            .await
        ),
        ["e8"]
    );
}

async fn page_x_of_y_holds_still_while_events_arrive(app: &TestApp) {
    let session = |minute: u32| at("SESSION_STARTED", &format!("2026-03-01T12:{minute:02}:00Z"));
    let lists = [
        json!({}),
        json!({ "filter": { "actions": ["SESSION_STARTED"] } }),
        json!({ "search": "session" }),
        json!({ "filter": { "actor": { "emailContains": "u1@" } } }),
    ];
    for (i, variables) in lists.into_iter().enumerate() {
        let admin = app.admin("cloud-sessions", &format!("acme-{i}"));
        admin.record_all((0..23).map(session).collect()).await;
        let ask = |more: Value| {
            let mut asked = variables.clone();
            more.as_object().expect("an object").iter().for_each(|(name, value)| asked[name] = value.clone());
            asked
        };
        let fresh = list(&admin, ask(json!({ "first": 5 }))).await;
        let total = fresh["totalCount"].as_u64().expect("a number");
        let pages = total.div_ceil(5);
        let (mut page, mut number) = (fresh, 1);
        while page["pageInfo"]["hasNextPage"] == true {
            // Newer ones arrive between any two pages; a late one would rightly show on a page to come.
            admin.record_all(vec![event("SESSION_STARTED"), event("SESSION_STARTED")]).await;
            page = list(&admin, ask(json!({ "first": 5, "after": page["pageInfo"]["endCursor"] }))).await;
            number += 1;
            assert_eq!(
                (&page["totalCount"], &page["pageNumber"], &page["pageCount"]),
                (&json!(total), &json!(number), &json!(pages)),
                "{variables}"
            );
        }
        assert_eq!(number, pages, "{variables}");
        while page["pageInfo"]["hasPreviousPage"] == true && number > 1 {
            page = list(&admin, ask(json!({ "last": 5, "before": page["pageInfo"]["startCursor"] }))).await;
            number -= 1;
            assert_eq!((&page["totalCount"], &page["pageNumber"]), (&json!(total), &json!(number)), "{variables}");
        }
        // Asked anew, they count.
        let anew = list(&admin, ask(json!({ "first": 5 }))).await;
        assert_eq!(anew["totalCount"], total + 2 * (pages - 1));
    }
}

async fn a_late_event_appears_in_its_own_place(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    ten(&admin).await;
    let first = list(&admin, json!({ "first": 5 })).await;
    assert_eq!(actions(&first), ["e9", "e8", "e7", "e6", "e5"]);
    admin.record(at("late", "2026-03-01T12:02:30Z")).await;
    let next = list(&admin, json!({ "first": 10, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(actions(&next), ["e4", "e3", "late", "e2", "e1", "e0"]);
    // In the order of recording it comes last, and past pages stay as they were.
    let feed = list(&admin, json!({ "orderBy": { "field": "SEQUENCE", "direction": "ASC" } })).await;
    assert_eq!(actions(&feed)[..10], named(RECORDED));
    assert_eq!(actions(&feed)[10], "late");
}
