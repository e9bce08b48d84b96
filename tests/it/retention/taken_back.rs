//! After a sweep the database is, table by table, what it would be if the events had never been there.

use serde_json::{Value, json};

use super::{DAY, Moved};
use crate::harness::{
    Database, TestApp, on_both_databases,
    sql::{change, column},
};

on_both_databases! {
    what_left_was_never_there,
    an_event_that_left_is_told_from_one_that_never_was,
    days_totals_and_cursors_go_on_across_a_sweep,
    the_door_is_open_for_what_leaves_and_for_no_longer,
}

/// What some day brings: texts, several actors, two tenants, a nested log, keys, shared words.
fn story(day: i64) -> Vec<(&'static str, Value)> {
    let mut events = Vec::new();
    for i in 0..40_i64 {
        let actor = match i % 4 {
            0 => json!({ "kind": "USER", "id": "u1", "name": "Émilie Ö", "email": "e@example.com" }),
            1 => json!({ "kind": "USER", "id": format!("only on day {day}"), "name": "Short Stay" }),
            2 => json!({ "kind": "SYSTEM" }),
            _ => json!({ "kind": "API_KEY", "id": "k1", "name": "Key" }),
        };
        let mut event = json!({
            "action": (["user.login", "user.logout", "thing.made"][(i % 3) as usize]),
            "actor": actor,
            "outcome": (["SUCCESS", "FAILURE"][(i % 2) as usize]),
            "ipAddress": format!("192.0.2.{}", i % 7),
            "resources": [{ "type": "thing", "id": format!("t{}", i % 5), "name": format!("Thing of day {day}") }],
            "metadata": { "day": format!("day{day} common"), "n": i },
            "occurredAt": ledgerline::event::Timestamp(at(day) + i * 1_000_000).to_string(),
            "idempotencyKey": format!("{day}-{i}"),
        });
        if i % 5 == 3 {
            event["log"] = json!({ "level": "project", "id": "p1" });
        }
        events.push((if i % 3 == 1 { "globex" } else { "acme" }, event));
    }
    events
}

/// The beginning of a day, counted from the day on which tests begin.
fn at(day: i64) -> i64 {
    ledgerline::clock::Clock::system().now().0 / DAY * DAY + day * DAY
}

async fn record(moved: &Moved, day: i64, keep: impl Fn(&Value) -> bool) {
    moved.day(day);
    for (organization, event) in story(day).into_iter().filter(|(_, event)| keep(event)) {
        assert_eq!(moved.admin(organization).record(event).await["status"], "RECORDED");
    }
}

/// Everything that follows from events, without numbers that only tell in which order things came.
async fn rows(app: &TestApp) -> Vec<(&'static str, Vec<String>)> {
    let own = "NOT LIKE 'audit_log.%'";
    let terms = match app.database {
        Database::Sqlite => "SELECT term || ' ' || doc FROM event_search_terms ORDER BY 1".to_owned(),
        Database::Postgres => {
            "SELECT word || ' ' || ndoc FROM ts_stat('SELECT terms FROM event') ORDER BY 1".to_owned()
        }
    };
    let statements = [
        ("event", format!("SELECT organization_no || ' ' || action || ' ' || occurred_ns || ' ' || metadata || ' ' || \
            coalesce(actor_id, '-') || ' ' || log_no FROM event WHERE action {own} ORDER BY 1")),
        ("order", "SELECT organization_no || ' ' || (position / 2048) FROM event_order ORDER BY 1".to_owned()),
        ("keys", "SELECT CAST(count(*) AS TEXT) FROM idempotency".to_owned()),
        ("counts", "SELECT c.organization_no || ' ' || c.grain || ' ' || c.bucket || ' ' || l.level || l.id || ' ' || k.action || ' ' \
            || coalesce(CAST(k.outcome AS TEXT), '-') || ' ' || c.n FROM event_count c \
            JOIN log l ON l.organization_no = c.organization_no AND l.no = c.log_no \
            JOIN kind k ON k.organization_no = c.organization_no AND k.no = c.kind_no ORDER BY 1".to_owned()),
        ("directory", "SELECT organization_no || ' ' || kind || ' ' || folded || ' ' || n || ' ' || (last_position / 2048) \
            FROM actor_directory ORDER BY 1".to_owned()),
        ("terms", terms),
    ];
    let mut found = Vec::new();
    for (name, sql) in statements {
        found.push((name, column::<String>(&app.url, &sql).await));
    }
    found
}

async fn what_left_was_never_there(app: &TestApp) {
    let swept = Moved::beside(app).await;
    for day in [0, 10, 31] {
        record(&swept, day, |_| true).await;
    }
    // On day 31, what the organization's log got on day 0 is too old, and what projects got on days 0 and 10.
    let tally = swept.sweep().await;
    assert_eq!((tally.removed, tally.held, tally.organizations), (40 + 8, 0, 2));
    let stays = |day: i64, event: &Value| match day {
        0 => false,
        10 => event["log"].is_null(),
        _ => true,
    };
    // Another database, to which nothing of it has ever come.
    let other = TestApp::start(app.database).await;
    let never = Moved::beside(&other).await;
    for day in [0, 10, 31] {
        record(&never, day, |event| stays(day, event)).await;
    }
    assert_eq!(never.sweep().await.removed, 0);
    // What tells of the sweep is the one thing that was there more: the same is told there.
    for organization in ["acme", "globex"] {
        let told = "{ auditEvents(filter: { actions: [\"audit_log.events_removed\"] }, orderBy: { field: SEQUENCE,
            direction: ASC }) { nodes { metadata actor { kind } } } }";
        let told = swept.admin(organization).data(told, json!({})).await["auditEvents"]["nodes"].clone();
        let told = told.as_array().expect("nodes");
        assert_eq!(told.len(), 2, "one for each number of days");
        for node in told {
            assert_eq!(node["actor"]["kind"], "SYSTEM");
            let number = |name: &str| node["metadata"][name].as_i64().expect("a number");
            let product = never.products.get("workspace").expect("a product");
            let (writer, now) = (&never.app.app.services.writer, ledgerline::event::Timestamp(at(31)));
            let removed = (number("keptDays"), number("events"));
            // It is believed where something was removed.
            let believed = format!(
                "UPDATE sweep SET untold = {} WHERE days = {} AND organization_no = \
                 (SELECT no FROM organization WHERE external_id = '{organization}')",
                removed.1, removed.0
            );
            change(&never.app.url, &believed).await;
            ledgerline::ingest::retention::tell_removal(writer, product, organization, removed, now).await.unwrap();
        }
    }
    for ((name, here), (_, there)) in rows(&swept.app).await.into_iter().zip(rows(&never.app).await) {
        assert!(!there.is_empty(), "{name}");
        assert_eq!(here, there, "{name}");
    }
    // And through the public surface.
    let asked = "{ auditEvents(first: 100) { totalCount
        nodes { action occurredAt actor { externalId name } metadata } facets(timeZone: \"Asia/Kathmandu\") {
        categories { buckets { value count } } outcomes { buckets { value count } } actors { buckets { value count } }
        days { day count } } } }";
    for organization in ["acme", "globex"] {
        let (here, there) = (swept.admin(organization), never.admin(organization));
        assert_eq!(here.data(asked, json!({})).await, there.data(asked, json!({})).await, "{organization}");
        for search in ["common", "day0", "day10", "short", "thing"] {
            let asked = "query($search: String) { auditEvents(search: $search) { totalCount nodes { occurredAt } } }";
            let variables = json!({ "search": search });
            let answer = here.data(asked, variables.clone()).await;
            assert_eq!(answer, there.data(asked, variables).await, "{organization} {search}");
        }
        let actors = "{ actors(first: 100) { externalId name } }";
        assert_eq!(here.data(actors, json!({})).await, there.data(actors, json!({})).await, "{organization}");
    }
    // The keys are free again, and numbers are not given twice.
    swept.day(31);
    let (_, again) = story(0).into_iter().find(|(organization, _)| *organization == "acme").expect("one");
    let size: i64 = column(&app.url, "SELECT size FROM organization_head ORDER BY organization_no").await[0];
    let recorded = swept.admin("acme").record(again).await;
    assert_eq!(recorded["status"], "RECORDED");
    assert_eq!(recorded["sequence"], size.to_string());
    swept.app.finish().await;
    never.app.finish().await;
    other.finish().await;
}

async fn an_event_that_left_is_told_from_one_that_never_was(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    let mut ids = Vec::new();
    for day in [0, 31] {
        moved.day(day);
        let recorded = admin.record(super::of("user.login", None)).await;
        ids.push(recorded["event"]["id"].as_str().expect("an id").to_owned());
    }
    assert_eq!(moved.sweep().await.removed, 1);
    let asked = "query($id: ID!) { auditEvent(id: $id) { action } }";
    let of = async |caller: &crate::harness::Caller<'_>, id: &str| caller.ask(asked, json!({ "id": id })).await;
    let answer = of(&admin, &ids[0]).await;
    assert_eq!(answer.code(), "EXPIRED");
    assert_eq!(of(&admin, &ids[1]).await.data()["auditEvent"]["action"], "user.login");
    // Another number, or another organization's: nothing is told.
    let (start, last) = ids[1].split_at(ids[1].len() - 1);
    let never = format!("{start}{}", if last == "0" { "1" } else { "0" });
    assert_eq!(of(&admin, &never).await.code(), "NOT_FOUND");
    assert_eq!(of(&moved.admin("globex"), &ids[0]).await.code(), "NOT_FOUND");
    let narrowed = moved.admin("acme").logs(&["project:p1"]);
    assert_eq!(of(&narrowed, &ids[0]).await.code(), "NOT_FOUND", "whose log it was in is not known any more");
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(admin.ask(node, json!({ "id": ids[0] })).await.code(), "EXPIRED");
    let request = axum::http::Request::get(format!("/v1/audit-events/{}", ids[0]))
        .header("authorization", format!("Bearer {}", admin.token()));
    let answer = moved.app.send(request.body(axum::body::Body::empty()).expect("a request")).await;
    assert_eq!(answer.status, 410);
    assert_eq!(answer.json()["code"], "EXPIRED");
    moved.app.finish().await;
}

async fn days_totals_and_cursors_go_on_across_a_sweep(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    for day in [0, 1, 20, 31] {
        moved.day(day);
        for _ in 0..3 {
            admin.record(super::of("user.login", None)).await;
        }
    }
    let asked = "query($after: String, $order: AuditEventOrder) { auditEvents(first: 4, after: $after, orderBy: $order) {
        totalCount nodes { sequence } pageInfo { endCursor hasNextPage } facets(timeZone: \"Europe/Berlin\") { days { count } } } }";
    let orders =
        [json!({ "field": "OCCURRED_AT", "direction": "DESC" }), json!({ "field": "SEQUENCE", "direction": "ASC" })];
    let mut cursors = Vec::new();
    for order in &orders {
        let page = admin.data(asked, json!({ "order": order })).await["auditEvents"].clone();
        assert_eq!(page["totalCount"], 12);
        assert_eq!(page["facets"]["days"].as_array().expect("days").len(), 4);
        cursors.push(page["pageInfo"]["endCursor"].clone());
    }
    moved.day(32);
    assert_eq!(moved.sweep().await.removed, 6);
    // One more was recorded: that tells of it.
    let page = async |order: &Value, after: &Value| {
        admin.data(asked, json!({ "order": order, "after": after })).await["auditEvents"].clone()
    };
    let sequences = |page: &Value| {
        page["nodes"]
            .as_array()
            .expect("nodes")
            .iter()
            .map(|node| node["sequence"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = page(&orders[0], &Value::Null).await;
    assert_eq!(first["totalCount"], 7);
    assert_eq!(
        first["facets"]["days"]
            .as_array()
            .expect("days")
            .iter()
            .map(|day| day["count"].as_i64().unwrap())
            .collect::<Vec<_>>(),
        [3, 3, 1]
    );
    // The newest four were on the first page: two of day 20 are left.
    assert_eq!(sequences(&page(&orders[0], &cursors[0]).await), ["7", "6"]);
    // By sequence, the first four have left behind the reader's back; all that follows is still to come, each once.
    assert_eq!(sequences(&page(&orders[1], &cursors[1]).await), ["6", "7", "8", "9"]);
    let pruned = page(&orders[1], &Value::Null).await;
    assert_eq!(sequences(&pruned), ["6", "7", "8", "9"]);
    assert_eq!(pruned["pageInfo"]["hasNextPage"], true);
    moved.app.finish().await;
}

async fn the_door_is_open_for_what_leaves_and_for_no_longer(app: &TestApp) {
    let moved = Moved::beside(app).await;
    for organization in ["acme", "globex"] {
        moved.admin(organization).record(super::of("user.login", None)).await;
        moved.admin(organization).record(super::of("user.logout", None)).await;
    }
    let database = sea_orm::Database::connect(&app.url).await.expect("a connection");
    use sea_orm::{ConnectionTrait, TransactionTrait};
    let (open, leave, delete) = match app.database {
        Database::Sqlite => (
            "INSERT INTO removal_grant (organization_no, low, high) VALUES (1, 0, 0)",
            true,
            "DELETE FROM event WHERE key >> 36 = {no} AND key & 68719476735 = {sequence}",
        ),
        Database::Postgres => (
            "SELECT set_config('ledgerline.removal', '1:0:0', true)",
            false,
            "DELETE FROM event WHERE organization_no = {no} AND sequence = {sequence}",
        ),
    };
    let delete =
        |no: i64, sequence: i64| delete.replace("{no}", &no.to_string()).replace("{sequence}", &sequence.to_string());
    let first: i64 = column(&app.url, "SELECT min(organization_no) FROM organization_head").await[0];
    assert_eq!(first, 1);
    for (no, sequence) in [(1, 1), (2, 0), (2, 1)] {
        let tx = database.begin().await.expect("begun");
        tx.execute_unprepared(open).await.expect("opened");
        let refused = tx.execute_unprepared(&delete(no, sequence)).await.expect_err("it is not open for this");
        assert!(refused.to_string().contains("append-only"), "{refused}");
        tx.rollback().await.expect("back");
    }
    if leave {
        // A door that is left open keeps everything from being committed.
        let tx = database.begin().await.expect("begun");
        tx.execute_unprepared(open).await.expect("opened");
        tx.commit().await.expect_err("the door is open");
    } else {
        let tx = database.begin().await.expect("begun");
        tx.execute_unprepared(open).await.expect("opened");
        tx.commit().await.expect("committed");
    }
    let refused = database.execute_unprepared(&delete(1, 0)).await.expect_err("the door is shut");
    assert!(refused.to_string().contains("append-only"), "{refused}");
    database.close().await.expect("closed");
    assert_eq!(moved.admin("acme").actions("").await.len(), 2);
    moved.app.finish().await;
}
