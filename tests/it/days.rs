//! The day histogram in any time zone: exact when it is first counted, and after more events came in, early and late.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::harness::{TestApp, event, on_both_databases};

const ZONES: [Tz; 12] = [
    Tz::UTC,
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::America__St_Johns,
    Tz::Asia__Kathmandu,
    Tz::Asia__Kolkata,
    Tz::Asia__Tokyo,
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Chatham,
    Tz::Pacific__Apia,
    Tz::Pacific__Kiritimati,
    // Its offset had odd seconds until 1972.
    Tz::Africa__Monrovia,
];

/// Instants around clock changes, the ends of days in some zone, and anywhere.
fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    let changes = [
        "2026-03-29T01:00:00Z",
        "2025-11-02T06:00:00Z",
        "2026-04-04T15:00:00Z",
        "2011-12-30T10:00:00Z",
        "1971-06-01T00:44:30Z",
    ];
    let near = (prop::sample::select(changes.to_vec()), -200_000_i64..200_000).prop_map(|(change, away)| {
        change.parse::<DateTime<Utc>>().expect("an instant") + TimeDelta::milliseconds(away * 300)
    });
    let edge = (0_i64..300, 0_i64..96, -1_i64..2).prop_map(|(day, quarter, off)| {
        "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().expect("an instant")
            + TimeDelta::seconds(day * 86_400 + quarter * 900)
            + TimeDelta::nanoseconds(off)
    });
    prop_oneof![near, edge]
}

#[derive(Clone, Debug)]
struct Kept {
    at: DateTime<Utc>,
    category: &'static str,
    log: Option<&'static str>,
}

fn some<T>(runner: &mut TestRunner, strategy: impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).expect("a value").current()
}

fn kept() -> impl Strategy<Value = Kept> {
    (instant(), prop::sample::select(vec!["a", "b"]), prop::sample::select(vec![None, Some("p1"), Some("p2")]))
        .prop_map(|(at, category, log)| Kept { at, category, log })
}

fn input(kept: &Kept) -> Value {
    let mut event = event("x.y");
    event["occurredAt"] = json!(kept.at.to_rfc3339());
    event["category"] = json!(kept.category);
    if let Some(log) = kept.log {
        event["log"] = json!({ "level": "project", "id": log });
    }
    event
}

on_both_databases! {
    days_are_counted_exactly_in_every_zone,
}

async fn days_are_counted_exactly_in_every_zone(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let mut runner = TestRunner::deterministic();
    let mut events: Vec<Kept> = Vec::new();
    for round in 0..4 {
        let new: Vec<_> = (0..60).map(|_| some(&mut runner, kept())).collect();
        assert_eq!(admin.record_all(new.iter().map(input).collect()).await["recorded"], 60);
        events.extend(new);
        for _ in 0..40 {
            let zone = some(&mut runner, prop::sample::select(ZONES.to_vec()));
            let category = some(&mut runner, prop::option::of(prop::sample::select(vec!["a", "b"])));
            let log = some(&mut runner, prop::sample::select(vec![None, None, Some("p1")]));
            // Bounds at local midnights, as a period has them, and anywhere.
            let midnight = |at: DateTime<Utc>| {
                let day = at.with_timezone(&zone).date_naive();
                day.and_hms_opt(0, 0, 0)
                    .and_then(|midnight| midnight.and_local_timezone(zone).earliest())
                    .map_or(at, |at| at.to_utc())
            };
            let bound = || prop::option::of((instant(), any::<bool>()));
            let [one, two] =
                [(); 2].map(|()| some(&mut runner, bound()).map(|(at, whole)| if whole { midnight(at) } else { at }));
            let (from, to) = match (one, two) {
                (Some(one), Some(two)) => (Some(one.min(two)), Some(one.max(two))),
                open => open,
            };
            let mut expected: BTreeMap<String, i64> = BTreeMap::new();
            for kept in &events {
                let fits = category.is_none_or(|asked| kept.category == asked)
                    && log.is_none_or(|asked| kept.log == Some(asked))
                    && from.is_none_or(|from| kept.at >= from)
                    && to.is_none_or(|to| kept.at < to);
                if fits {
                    *expected.entry(kept.at.with_timezone(&zone).date_naive().to_string()).or_default() += 1;
                }
            }
            let query = "query($zone: String, $log: AuditLogInput, $filter: AuditEventFilter) {
                auditEvents(first: 0, includeNested: true, log: $log, filter: $filter) {
                facets(timeZone: $zone) { days { day count } } } }";
            let mut filter =
                json!({ "occurredAt": { "from": from.map(|at| at.to_rfc3339()), "to": to.map(|at| at.to_rfc3339()) } });
            if let Some(category) = category {
                filter["categories"] = json!([category]);
            }
            let log = log.map(|id| json!({ "level": "project", "id": id }));
            let variables = json!({ "zone": zone.name(), "log": log, "filter": filter });
            let data = admin.data(query, variables.clone()).await;
            let days = data["auditEvents"]["facets"]["days"].as_array().expect("days").iter();
            let days: BTreeMap<String, i64> = days
                .map(|day| (day["day"].as_str().expect("a day").to_owned(), day["count"].as_i64().expect("a count")))
                .collect();
            assert_eq!(days, expected, "round {round}: {variables}");
        }
    }
    // Another organization's calendar is its own.
    let other = app.admin("workspace", "other");
    other.record(event("x.y")).await;
    let data =
        other.data("{ auditEvents { facets(timeZone: \"Europe/Berlin\") { days { count } } } }", json!({})).await;
    assert_eq!(data["auditEvents"]["facets"]["days"], json!([{ "count": 1 }]));
}
