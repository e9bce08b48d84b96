//! When events leave: by product, by level and by the organization's wish, in steps that can be interrupted, and never
//! because of a clock that jumped.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{DAY, Moved, SET, listed, of};
use crate::{
    harness::{TestApp, as_of_a_cluster, event, on_both_databases, sql::column},
    process::ledgerline,
};

on_both_databases! {
    each_level_is_kept_as_the_file_says,
    each_plan_is_kept_as_the_file_says,
    an_organization_wishes_and_takes_it_back,
    nobody_goes_below_the_floor,
    what_comes_late_is_kept_as_long_as_what_came_in_time,
    a_sweep_that_was_interrupted_goes_on_and_tells_all_once,
    recording_goes_on_while_a_sweep_removes,
    two_sweeps_at_once_remove_and_tell_once,
    a_clock_that_jumped_removes_nothing_until_somebody_says_so,
    a_product_that_keeps_everything_keeps_everything,
    the_command_says_what_it_would_remove_and_removes_it,
    a_swept_log_is_copied_as_it_is,
}

as_of_a_cluster! {
    each_level_is_kept_as_the_file_says,
    the_command_says_what_it_would_remove_and_removes_it,
}

async fn each_level_is_kept_as_the_file_says(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    let before = Timestamps::of(&moved);
    admin.record(of("in.organisation", None)).await;
    admin.record(of("in.project", Some("p1"))).await;
    // To the nanosecond: what is exactly as old as it is kept stays.
    before.at(7 * DAY);
    assert_eq!(moved.sweep().await.removed, 0);
    before.at(7 * DAY + 1);
    assert_eq!(moved.sweep().await.removed, 1);
    assert_eq!(listed(&admin).await, ["in.organisation"]);
    before.at(30 * DAY);
    assert_eq!(moved.sweep().await.removed, 0);
    before.at(30 * DAY + 1);
    assert_eq!(moved.sweep().await.removed, 1);
    assert_eq!(moved.sweep().await.removed, 0, "there is nothing left but what told of it");
    moved.app.finish().await;
}

/// Moves a clock by nanoseconds.
struct Timestamps<'a>(&'a Moved);

impl<'a> Timestamps<'a> {
    fn of(moved: &'a Moved) -> Self {
        Self(moved)
    }

    fn at(&self, nanos: i64) {
        self.0.ahead.store(nanos, std::sync::atomic::Ordering::SeqCst);
    }
}

async fn each_plan_is_kept_as_the_file_says(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let backend = moved.app.caller("workspace").without_organization().scopes("audit:manage").lasting();
    let plan = "mutation($input: SetOrganizationPlanInput!) { setOrganizationPlan(input: $input) { plan } }";
    let set = async |organization: &str, name: Option<&str>| {
        backend.data(plan, json!({ "input": { "organization": organization, "plan": name } })).await;
    };
    for organization in ["none", "gold", "lean"] {
        moved.admin(organization).record(of("in.organisation", None)).await;
        moved.admin(organization).record(of("in.project", Some("p1"))).await;
    }
    set("gold", Some("gold")).await;
    set("lean", Some("lean")).await;
    let there = async || {
        let mut there = Vec::new();
        for organization in ["none", "gold", "lean"] {
            let listed = moved.admin(organization).actions("first: 100, includeNested: true").await;
            let ours = listed.iter().filter(|action| action.starts_with("in."));
            there.extend(ours.map(|action| format!("{organization} {action}")));
        }
        there
    };
    let all = there().await;
    assert_eq!(all.len(), 6, "{all:?}");
    moved.day(8);
    moved.sweep().await;
    assert_eq!(
        there().await,
        ["none in.organisation", "gold in.project", "gold in.organisation", "lean in.organisation"]
    );
    moved.day(11);
    moved.sweep().await;
    assert_eq!(there().await, ["none in.organisation", "gold in.project", "gold in.organisation"]);
    moved.day(21);
    moved.sweep().await;
    assert_eq!(there().await, ["none in.organisation", "gold in.organisation"]);
    // A wish counts before the plan, and a plan that nobody has a rule for is as none.
    moved.admin("none").data(SET, json!({ "input": { "forever": true } })).await;
    set("none", Some("lean")).await;
    moved.day(41);
    moved.sweep().await;
    assert_eq!(there().await, ["none in.organisation", "gold in.organisation"]);
    // Whoever leaves the plan is kept as everybody else, from the next sweep on.
    set("gold", Some("silver")).await;
    moved.sweep().await;
    assert_eq!(there().await, ["none in.organisation"]);
    moved.app.finish().await;
}

async fn an_organization_wishes_and_takes_it_back(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    let set =
        async |input: Value| admin.data(SET, json!({ "input": input })).await["setAuditRetention"]["retention"].clone();
    for organization in ["acme", "globex"] {
        moved.admin(organization).record(of("in.organisation", None)).await;
        moved.admin(organization).record(of("in.project", Some("p1"))).await;
    }
    let kept = set(json!({ "forever": true })).await;
    assert_eq!(
        kept,
        json!({ "levels": [{ "level": "organisation", "days": null, "isWished": false },
            { "level": "project", "days": null, "isWished": false }], "wishedDays": null, "isWished": true, "floorDays": 5 })
    );
    moved.day(40);
    assert_eq!(moved.sweep().await.removed, 2, "the other organization's");
    // Shortened for one level, and lengthened before anything is swept.
    set(json!({ "level": "project", "days": 10 })).await;
    let kept = set(json!({ "level": "project", "days": 50 })).await;
    assert_eq!(kept["levels"][1], json!({ "level": "project", "days": 50, "isWished": true }));
    assert_eq!(moved.sweep().await.removed, 0);
    // Lengthened after a sweep has passed it by, then shortened again: it is found.
    set(json!({ "level": "project", "days": 60 })).await;
    assert_eq!(moved.sweep().await.removed, 0);
    set(json!({ "level": "project", "days": 50 })).await;
    moved.day(51);
    assert_eq!(moved.sweep().await.removed, 1);
    let kept = set(json!({ "asProduct": true })).await;
    assert_eq!(kept["levels"][0]["days"], 30);
    assert_eq!(kept["levels"][1]["days"], 50, "what was wished of the level still counts");
    assert_eq!(moved.sweep().await.removed, 2, "the event, and that which told of the first wish");
    let told =
        "{ auditEvents(filter: { actions: [\"audit_log.retention_changed\"] }, orderBy: { field: SEQUENCE, direction:
        ASC }) { nodes { metadata } } }";
    let told = admin.data(told, json!({})).await["auditEvents"]["nodes"].clone();
    let keep: Vec<_> = told.as_array().expect("nodes").iter().map(|node| node["metadata"]["keep"].clone()).collect();
    assert_eq!(
        keep,
        ["10 days", "50 days", "60 days", "50 days"]
            .map(Value::from)
            .into_iter()
            .chain([Value::Null])
            .collect::<Vec<_>>()
    );
    moved.app.finish().await;
}

async fn nobody_goes_below_the_floor(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    for (input, field) in [
        (json!({ "days": 4 }), "input.days"),
        (json!({ "days": 0 }), "input.days"),
        (json!({ "days": -1 }), "input.days"),
        (json!({ "days": 400_000 }), "input.days"),
        (json!({}), "input.days"),
        (json!({ "days": 9, "forever": true }), "input.days"),
        (json!({ "level": "none", "days": 9 }), "input.level"),
    ] {
        let answer = admin.ask(SET, json!({ "input": input })).await;
        assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", field), "{input}");
    }
    assert_eq!(column::<i64>(&app.url, "SELECT count(*) FROM retention").await, [0]);
    let narrowed = moved.admin("acme").logs(&["project:p1"]);
    assert_eq!(narrowed.ask(SET, json!({ "input": { "days": 9 } })).await.code(), "FORBIDDEN");
    let foreign = json!({ "input": { "organization": "globex", "days": 9 } });
    assert_eq!(admin.ask(SET, foreign).await.code(), "NOT_FOUND");
    moved.app.finish().await;
}

async fn what_comes_late_is_kept_as_long_as_what_came_in_time(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    let mut late = of("happened.long_ago", None);
    late["occurredAt"] = json!("2019-01-01T00:00:00Z");
    admin.record(late).await;
    moved.day(20);
    admin.record(of("happened.now", None)).await;
    moved.day(29);
    assert_eq!(moved.sweep().await.removed, 0);
    moved.day(31);
    assert_eq!(moved.sweep().await.removed, 1);
    assert_eq!(listed(&admin).await, ["happened.now"]);
    moved.app.finish().await;
}

/// Records so many events at once.
async fn many(moved: &Moved, organization: &str, count: usize) {
    for from in (0..count).step_by(500) {
        let events = (from..count.min(from + 500)).map(|_| event("user.login")).collect();
        assert_eq!(moved.admin(organization).record_all(events).await["refused"], 0);
    }
}

async fn a_sweep_that_was_interrupted_goes_on_and_tells_all_once(app: &TestApp) {
    let moved = Moved::beside(app).await;
    many(&moved, "acme", 1_100).await;
    moved.day(31);
    moved.sweeper().trust_clock().await.expect("trusted");
    let there = async || column::<i64>(&app.url, "SELECT count(*) FROM event WHERE action = 'user.login'").await[0];
    let head = async || column::<i64>(&app.url, "SELECT size - removed FROM organization_head").await[0];
    let mut seen = vec![there().await];
    // Cut off again and again, at whatever it is doing.
    for nanos in 0_u64.. {
        let sweeper = moved.sweeper();
        let cut = tokio::time::timeout(Duration::from_micros(500 + 997 * nanos), sweeper.sweep()).await;
        // What was cut off may still be committed by the database, so the count is compared when nothing moves.
        let (listed, there_are) = loop {
            let before = head().await;
            let listed = moved.admin("acme").data("{ auditEvents { totalCount } }", json!({})).await;
            if head().await == before {
                break (listed["auditEvents"]["totalCount"].as_i64(), before);
            }
        };
        assert_eq!(listed, Some(there_are), "what was counted is there");
        seen.push(there().await);
        if let Ok(swept) = cut {
            swept.expect("swept");
            break;
        }
    }
    assert!(seen.windows(2).all(|pair| pair[1] <= pair[0]) && seen.last() == Some(&0), "{seen:?}");
    let told = "{ auditEvents(filter: { actions: [\"audit_log.events_removed\"] }) { nodes { metadata } } }";
    let told = moved.admin("acme").data(told, json!({})).await["auditEvents"]["nodes"].clone();
    let told: i64 = told.as_array().unwrap().iter().map(|node| node["metadata"]["events"].as_i64().unwrap()).sum();
    assert_eq!(told, 1_100);
    moved.app.finish().await;
}

async fn recording_goes_on_while_a_sweep_removes(app: &TestApp) {
    let moved = Moved::beside(app).await;
    many(&moved, "acme", 1_000).await;
    moved.day(31);
    moved.sweeper().trust_clock().await.expect("trusted");
    let record = async |client: usize| {
        for i in 0..40 {
            let mut input = of("while.swept", None);
            input["idempotencyKey"] = json!(format!("{client}-{i}"));
            assert_eq!(moved.admin("acme").record(input).await["status"], "RECORDED");
        }
    };
    let (swept, _) = tokio::join!(moved.try_sweep(), join_all((0..4).map(record)));
    assert_eq!(swept.expect("swept").removed, 1_000);
    let asked = "{ auditEvents(filter: { actions: [\"while.swept\"] }) { totalCount } }";
    assert_eq!(moved.admin("acme").data(asked, json!({})).await["auditEvents"]["totalCount"], 160);
    let sequences: Vec<i64> = column(&app.url, "SELECT sequence FROM event ORDER BY sequence").await;
    let expected: Vec<i64> = (1_000..1_161).collect();
    assert_eq!(sequences, expected, "dense, and the one that tells of the sweep among them");
    moved.app.finish().await;
}

async fn two_sweeps_at_once_remove_and_tell_once(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let other = Moved::beside(app).await;
    many(&moved, "acme", 900).await;
    moved.day(31);
    other.day(31);
    moved.sweeper().trust_clock().await.expect("trusted");
    let (one, two) = tokio::join!(moved.try_sweep(), other.try_sweep());
    assert_eq!(one.expect("swept").removed + two.expect("swept").removed, 900);
    moved.sweep().await;
    let told = "{ auditEvents(filter: { actions: [\"audit_log.events_removed\"] }) { nodes { metadata } } }";
    let told = moved.admin("acme").data(told, json!({})).await["auditEvents"]["nodes"].clone();
    let told: i64 = told.as_array().unwrap().iter().map(|node| node["metadata"]["events"].as_i64().unwrap()).sum();
    assert_eq!(told, 900);
    moved.app.finish().await;
    other.app.finish().await;
}

async fn a_clock_that_jumped_removes_nothing_until_somebody_says_so(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    admin.record(of("user.login", None)).await;
    assert_eq!(moved.try_sweep().await.expect("swept").removed, 0);
    moved.day(6);
    assert_eq!(moved.try_sweep().await.expect("swept").removed, 0);
    // A year ahead; and what is recorded then proves nothing.
    moved.day(371);
    for _ in 0..2 {
        let refused = moved.try_sweep().await.expect_err("nobody believes it");
        let why = std::error::Error::source(&refused).expect("a reason").to_string();
        assert!(why.contains("ledgerline sweep --trust-clock"), "{why}");
        admin.record(of("user.logout", None)).await;
    }
    assert_eq!(listed(&admin).await.len(), 3);
    // Set right again, it goes on by itself.
    moved.day(7);
    assert_eq!(moved.try_sweep().await.expect("swept").removed, 0);
    // And where it was right, somebody says so.
    moved.day(371);
    assert_eq!(moved.sweep().await.removed, 1);
    moved.app.finish().await;
}

async fn a_product_that_keeps_everything_keeps_everything(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = app.admin("workspace", "acme");
    admin.record(event("user.login")).await;
    moved.day(4_000);
    let store = moved.app.app.store.clone();
    let writer = moved.app.app.services.writer.clone();
    let sweeper = ledgerline::retention::Sweeper::new(store, writer, app.products.clone(), moved.clock.clone());
    sweeper.trust_clock().await.expect("trusted");
    assert_eq!(sweeper.sweep().await.expect("swept"), ledgerline::retention::Tally::default());
    assert_eq!(sweeper.preview().await.expect("a preview").removed, 0);
    assert_eq!(listed(&admin).await.len(), 1);
    moved.app.finish().await;
}

async fn the_command_says_what_it_would_remove_and_removes_it(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    // The command has the machine's clock: what it finds was recorded forty days ago.
    moved.day(-40);
    admin.record(of("user.login", None)).await;
    moved.day(-6);
    admin.record(of("user.logout", None)).await;
    let run = async |arguments: &[&str]| {
        let mut command = ledgerline(&app.url, &app.folder());
        command.arg("sweep").args(arguments).env("LEDGERLINE_PRODUCTS", moved._folder.path());
        let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        (output.status.code(), said(&output.stdout), said(&output.stderr))
    };
    let (code, said, _) = run(&["--dry-run"]).await;
    assert_eq!((code, said.as_str()), (Some(0), "1 events of 1 organizations would be removed, 0 held"));
    assert_eq!(listed(&admin).await.len(), 2);
    let (code, said, errors) = run(&["--trust-clock"]).await;
    assert_eq!((code, said.as_str()), (Some(0), "1 events of 1 organizations removed, 0 held"), "{errors}");
    let (code, said, _) = run(&[]).await;
    assert_eq!((code, said.as_str()), (Some(0), "0 events of 0 organizations removed, 0 held"));
    assert_eq!(listed(&admin).await, ["user.logout"]);
    moved.app.finish().await;
}

async fn a_swept_log_is_copied_as_it_is(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme");
    for day in [0, 31] {
        moved.day(day);
        many(&moved, "acme", 10).await;
        many(&moved, "globex", 3).await;
    }
    assert_eq!(moved.sweep().await.removed, 13);
    let other = match app.database {
        crate::harness::Database::Sqlite => crate::harness::Database::Postgres,
        crate::harness::Database::Postgres => crate::harness::Database::Sqlite,
    };
    let target = TestApp::start(other).await;
    let copy = async || {
        let mut command = ledgerline("sqlite://not-used.db", &app.folder());
        command.args(["copy", "--from", &app.url, "--to", &target.url]);
        let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    copy().await;
    admin.record(of("after.the_copy", None)).await;
    copy().await;
    let there = Moved::beside(&target).await;
    let asked =
        "{ auditEvents(first: 100) { totalCount nodes { id sequence action recordedAt } facets(timeZone: \"UTC\") {
        days { day count } actors { buckets { count } } } } }";
    for organization in ["acme", "globex"] {
        let here = moved.admin(organization).data(asked, json!({})).await;
        assert_eq!(there.admin(organization).data(asked, json!({})).await, here, "{organization}");
    }
    assert_eq!(
        column::<i64>(&target.url, "SELECT removed FROM organization_head ORDER BY organization_no").await,
        [10, 3]
    );
    // What left since cannot be taken back there: that is said before anything is written.
    moved.day(70);
    assert!(moved.sweep().await.removed > 0);
    let mut command = ledgerline("sqlite://not-used.db", &app.folder());
    command.args(["copy", "--from", &app.url, "--to", &target.url]);
    let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("events have left the source, or were erased there, since it was copied"), "{said}");
    moved.app.finish().await;
    there.app.finish().await;
    target.finish().await;
}
