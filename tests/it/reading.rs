//! Reading: every order, direction and filter, search, totals that hold still, the viewer's own days.

use chrono::{DateTime, Days, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::harness::{Caller, TestApp, event, on_both_databases};

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

on_both_databases! {
    both_orders_run_both_ways,
    a_page_between_two_cursors_and_an_empty_one_are_told_truly,
    a_cursor_is_good_for_its_own_order_and_filter_alone,
    page_x_of_y_holds_still_while_events_arrive,
    every_filter_alone_keeps_what_it_names,
    email_parts_and_action_prefixes_take_every_character_plainly,
    words_prefixes_phrases_and_labels_are_found_anywhere,
    days_are_the_viewers_own,
    a_period_begins_at_the_viewers_midnight,
    a_late_event_appears_in_its_own_place,
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

async fn every_filter_alone_keeps_what_it_names(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let mut bare = json!({ "action": "bare", "actor": { "kind": "SYSTEM" } });
    bare["occurredAt"] = json!("2026-01-01T00:00:00Z");
    let mut old = rich("a", "cat-a", "USER", "SUCCESS");
    old["occurredAt"] = json!("2026-02-01T00:00:00Z");
    admin
        .record_all(vec![
            bare,
            old,
            rich("bb", "cat-b", "API_KEY", "FAILURE"),
            rich("ccc", "cat-a", "SERVICE", "ACCEPTED"),
        ])
        .await;
    let (a, b, c) = ("a.act", "bb.act", "ccc.act");
    for (filter, expected) in [
        (json!({}), vec![c, b, a, "bare"]),
        (json!({ "categories": ["cat-a"] }), vec![c, a]),
        (json!({ "categories": ["cat-b", "cat-a"] }), vec![c, b, a]),
        (json!({ "categories": ["CAT-A"] }), vec![]),
        (json!({ "categories": [] }), vec![]),
        (json!({ "actions": ["a.act", "bare"] }), vec![a, "bare"]),
        (json!({ "actions": ["b*"] }), vec![b, "bare"]),
        (json!({ "actions": ["*"] }), vec![c, b, a, "bare"]),
        (json!({ "actions": ["A.ACT"] }), vec![]),
        (json!({ "actions": [] }), vec![]),
        (json!({ "outcomes": ["FAILURE", "ACCEPTED"] }), vec![c, b]),
        (json!({ "actor": { "kinds": ["SYSTEM", "API_KEY"] } }), vec![b, "bare"]),
        (json!({ "actor": { "ids": ["a-id"] } }), vec![a]),
        (json!({ "actor": { "emails": ["a.Mail@Example.com"] } }), vec![a]),
        (json!({ "actor": { "emails": ["a.mail@example.com"] } }), vec![]),
        (json!({ "actor": { "emailContains": "MAIL@EX" } }), vec![c, b, a]),
        (json!({ "actor": { "emailContains": "" } }), vec![c, b, a, "bare"]),
        (json!({ "actor": { "present": true } }), vec![c, b, a]),
        (json!({ "actor": { "present": false } }), vec!["bare"]),
        (json!({ "actor": { "ids": ["a-id", "bb-id"], "kinds": ["API_KEY"] } }), vec![b]),
        (json!({ "resource": { "types": ["a-type"] } }), vec![a]),
        (json!({ "resource": { "types": ["shared"] } }), vec![c, b, a]),
        (json!({ "resource": { "ids": ["bb-second", "ccc-res"] } }), vec![c, b]),
        (json!({ "resource": { "types": ["shared"], "ids": ["bb-second"] } }), vec![b]),
        // Type and id must be those of one resource.
        (json!({ "resource": { "types": ["shared"], "ids": ["bb-res"] } }), vec![]),
        (json!({ "ipAddresses": ["192.0.2.1", "192.0.2.3"] }), vec![c, a]),
        (json!({ "correlationIds": ["bb-job"] }), vec![b]),
        (json!({ "sources": ["a-source"] }), vec![a]),
        (json!({ "sourceEventIds": ["ccc-7"] }), vec![c]),
        (json!({ "occurredAt": { "from": "2026-02-01T00:00:00Z" } }), vec![c, b, a]),
        (json!({ "occurredAt": { "to": "2026-02-01T00:00:00Z" } }), vec!["bare"]),
        (
            json!({ "occurredAt": { "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00.000000001Z" } }),
            vec![a, "bare"],
        ),
        (json!({ "occurredAt": { "from": "2026-02-01T01:00:00+01:00", "to": "2026-02-01T01:00:01+01:00" } }), vec![a]),
        (json!({ "occurredAt": {} }), vec![c, b, a, "bare"]),
        (json!({ "period": { "preset": "LAST_7_DAYS", "timeZone": "UTC" } }), vec![c, b]),
        (json!({ "not": { "categories": ["cat-a"] } }), vec![b, "bare"]),
        (json!({ "not": { "actions": ["b*", "ccc.act"] } }), vec![a]),
        (json!({ "not": { "actorKinds": ["SYSTEM"], "actorIds": ["a-id"] } }), vec![c, b]),
        (json!({ "not": {} }), vec![c, b, a, "bare"]),
        // Some of them together: all must hold.
        (json!({ "categories": ["cat-a"], "outcomes": ["ACCEPTED"] }), vec![c]),
        (json!({ "categories": ["cat-a"], "actions": ["bb.act"] }), vec![]),
        (
            json!({
                "actions": ["a*", "b*", "c*"], "actor": { "emailContains": "mail" },
                "occurredAt": { "from": "2026-02-02T00:00:00Z" }, "not": { "actorKinds": ["SERVICE"] }
            }),
            vec![b],
        ),
        (
            json!({
                "resource": { "types": ["shared"] }, "sources": ["bb-source", "a-source"], "outcomes": ["SUCCESS"]
            }),
            vec![a],
        ),
    ] {
        for (order, reversed) in [("DESC", false), ("ASC", true)] {
            let mut expected = expected.clone();
            if reversed {
                expected.reverse();
            }
            for field in ["OCCURRED_AT", "SEQUENCE"] {
                let page =
                    list(&admin, json!({ "filter": filter, "orderBy": { "field": field, "direction": order } })).await;
                assert_eq!(actions(&page), expected, "{filter} {field} {order}");
                assert_eq!(page["totalCount"], expected.len(), "{filter} {field} {order}");
            }
        }
    }
}

async fn email_parts_and_action_prefixes_take_every_character_plainly(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for (action, email) in [
        ("per%cent", "per%cent@x"),
        ("under_score", "under_score@x"),
        ("underXscore", "underXscore@x"),
        ("star*red", "STAR*@x"),
        ("back\\slash", "back\\slash@x"),
        ("ÄRGER.eins", "Ärger@x"),
    ] {
        admin.record(json!({ "action": action, "actor": { "kind": "USER", "email": email } })).await;
    }
    for (part, expected) in [
        ("%", vec!["per%cent"]),
        ("r_s", vec!["under_score"]),
        ("_", vec!["under_score"]),
        ("star*", vec!["star*red"]),
        ("*", vec!["star*red"]),
        ("\\", vec!["back\\slash"]),
        ("ärg", vec!["ÄRGER.eins"]),
        ("ÄRG", vec!["ÄRGER.eins"]),
        ("x@", vec![]),
    ] {
        assert_eq!(
            actions(&list(&admin, json!({ "filter": { "actor": { "emailContains": part } } })).await),
            expected,
            "{part}"
        );
    }
    for (pattern, expected) in [
        ("per%*", vec!["per%cent"]),
        ("under_*", vec!["under_score"]),
        ("star\\*red", vec!["star*red"]),
        ("star\\**", vec!["star*red"]),
        ("star*", vec!["star*red"]),
        ("star\\*", vec![]),
        ("back\\*", vec![]),
        ("ärger*", vec![]),
        ("ÄRG*", vec!["ÄRGER.eins"]),
        ("under%*", vec![]),
    ] {
        assert_eq!(actions(&list(&admin, json!({ "filter": { "actions": [pattern] } })).await), expected, "{pattern}");
    }
}

async fn words_prefixes_phrases_and_labels_are_found_anywhere(app: &TestApp) {
    let admin = app.admin("scim-platform", "acme");
    let input = |action: &str, metadata: Value| {
        let mut input = event(action);
        input["metadata"] = metadata;
        input
    };
    let mut created = rich("zz", "rbac", "USER", "SUCCESS");
    created["action"] = json!("api_key.created");
    admin
        .record_all(vec![
            created,
            input("api_access_key.created", json!({ "keyname": "Grüße aus München" })),
            input(
                "scim.user_updated",
                json!({ "n": 42, "t": true, "e": "user-42@corp.example", "x": "alpha beta gamma" }),
            ),
            input("auth.login_failed", json!({ "x": ["beta", "alpha"] })),
        ])
        .await;
    let (k, access, scim, failed) =
        ("api_key.created", "api_access_key.created", "scim.user_updated", "auth.login_failed");
    for (search, expected) in [
        // Each place of an event, whole words in any case.
        ("zz", vec![k]),
        ("PERSON", vec![k]),
        ("zzagent", vec![k]),
        ("zzleaf", vec![k]),
        ("zzdeep here", vec![k]),
        ("192.0.2.2", vec![k]),
        ("thing", vec![k]),
        ("grüsse", vec![]),
        ("GRÜSSE", vec![]),
        ("grüße", vec![access]),
        ("MÜNCHEN", vec![access]),
        ("keyname", vec![]),
        ("42", vec![scim]),
        ("true", vec![scim]),
        ("corp.example", vec![scim]),
        ("u1@example.com", vec![failed, scim, access]),
        // Prefixes, and a star that stands alone.
        ("mün*", vec![access]),
        ("zzd* zzl*", vec![k]),
        ("alp* gam*", vec![scim]),
        ("* alpha", vec![failed, scim]),
        ("lph*", vec![]),
        // Phrases: consecutive words of one value.
        ("\"alpha beta\"", vec![scim]),
        ("\"beta alpha\"", vec![]),
        ("\"ALPHA  beta\" gamma", vec![scim]),
        ("alpha beta", vec![failed, scim]),
        ("\"zzdeep words\"", vec![k]),
        // Labels, as people see them; near-twins are told apart by all their words.
        ("created api key", vec![access, k]),
        ("access key", vec![access]),
        ("login failed", vec![failed]),
        ("Updated user", vec![scim]),
        ("provisioning", vec![scim]),
        ("scim prov*", vec![scim]),
        ("authentication", vec![failed]),
        ("role", vec![]),
        ("permissions", vec![k]),
        ("nothing like it", vec![]),
        ("zz münchen", vec![]),
    ] {
        let page = list(&admin, json!({ "search": search })).await;
        let mut found = actions(&page);
        found.sort_unstable();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(found, expected, "{search}");
        assert_eq!(page["totalCount"], found.len(), "{search}");
    }
    // Search, category, action and dates hold together.
    let both = json!({
        "search": "created key*",
        "filter": { "categories": ["rbac"], "actions": ["api*"], "occurredAt": { "from": "2026-01-01T00:00:00Z" } }
    });
    assert_eq!(actions(&list(&admin, both).await), [k]);
}

async fn days_are_the_viewers_own(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let times = [
        // Around midnight in Kathmandu (+05:45), St. John's (-02:30 in summer) and Berlin on the days that have 23 and
        // 25 hours.
        "2026-06-01T18:14:59.999999999Z",
        "2026-06-01T18:15:00Z",
        "2026-06-02T02:29:59Z",
        "2026-06-02T02:30:00Z",
        "2026-03-28T23:00:00Z",
        "2026-03-29T21:59:59Z",
        "2026-03-29T22:00:00Z",
        "2026-10-24T22:00:00Z",
        "2026-10-25T22:59:59Z",
        "2026-10-25T23:00:00Z",
    ];
    admin.record_all(times.iter().map(|time| at("a.b", time)).collect()).await;
    for zone in ["UTC", "Asia/Kathmandu", "America/St_Johns", "Europe/Berlin", "Pacific/Chatham"] {
        let tz: Tz = zone.parse().expect("a zone");
        let mut expected: Vec<(String, i64)> = Vec::new();
        let mut days: Vec<String> = times
            .iter()
            .map(|time| DateTime::parse_from_rfc3339(time).expect("a time").with_timezone(&tz).date_naive().to_string())
            .collect();
        days.sort_unstable();
        for day in days {
            match expected.last_mut() {
                Some((last, count)) if *last == day => *count += 1,
                _ => expected.push((day, 1)),
            }
        }
        for variables in [
            json!({}),
            json!({ "search": "u1" }),
            json!({ "filter": { "actions": ["a.b"] } }),
            json!({
                "filter": { "occurredAt": { "from": "2026-01-01T00:00:00.000000001Z", "to": "2026-11-01T00:07:00Z" } }
            }),
        ] {
            let mut variables = variables;
            variables["zone"] = json!(zone);
            let data = admin
                .data(
                    "query($zone: String, $search: String, $filter: AuditEventFilter) { auditEvents(search: $search, \
                     filter: $filter) { facets(timeZone: $zone) { days { day count } } } }",
                    variables.clone(),
                )
                .await;
            let found: Vec<(String, i64)> = data["auditEvents"]["facets"]["days"]
                .as_array()
                .expect("days")
                .iter()
                .map(|day| (day["day"].as_str().expect("a day").to_owned(), day["count"].as_i64().expect("a number")))
                .collect();
            assert_eq!(found, expected, "{variables}");
        }
    }
}

async fn a_period_begins_at_the_viewers_midnight(app: &TestApp) {
    let admin = app.admin("scim-platform", "acme");
    let zones = ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"];
    let now = Utc::now();
    let midnight = |zone: &str, back: u64| {
        let tz: Tz = zone.parse().expect("a zone");
        let day = now.with_timezone(&tz).date_naive() - Days::new(back);
        tz.from_local_datetime(&day.and_time(NaiveTime::MIN))
            .earliest()
            .expect("these zones have every midnight of these days")
            .to_utc()
    };
    let mut times: Vec<DateTime<Utc>> = Vec::new();
    for zone in zones {
        for back in [0, 6, 29, 89] {
            let start = midnight(zone, back);
            times.extend([start, start - chrono::TimeDelta::microseconds(1)]);
        }
    }
    times.push(now);
    admin.record_all(times.iter().map(|time| at("auth.logged_in", &time.to_rfc3339())).collect()).await;
    for zone in zones {
        for (preset, back) in [("TODAY", 0), ("LAST_7_DAYS", 6), ("LAST_30_DAYS", 29), ("LAST_90_DAYS", 89)] {
            let page =
                list(&admin, json!({ "filter": { "period": { "preset": preset, "timeZone": zone } }, "first": 2 }))
                    .await;
            let expected = times.iter().filter(|time| **time >= midnight(zone, back)).count();
            assert_eq!(page["totalCount"], expected, "{preset} in {zone}");
            // A cursor of a period is good for the next page, though the clock has moved on.
            list(
                &admin,
                json!({
                    "filter": { "period": { "preset": preset, "timeZone": zone } }, "first": 2,
                    "after": page["pageInfo"]["endCursor"]
                }),
            )
            .await;
        }
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
