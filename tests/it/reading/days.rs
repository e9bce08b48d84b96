//! The viewer's own days.

use chrono::{DateTime, Days, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::json;

use super::{at, list};
use crate::harness::{TestApp, as_of_a_cluster, on_both_databases};

on_both_databases! {
    days_are_the_viewers_own,
    a_period_begins_at_the_viewers_midnight,
}

as_of_a_cluster! {
    days_are_the_viewers_own,
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
