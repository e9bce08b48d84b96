//! Whatever is asked of whatever was recorded, the answer is the one of the plain model.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::{
    harness::{Caller, TestApp, on_both_databases},
    model::{Asked, Kept, Told, asked, holds, now, told},
};

static NEXT: AtomicUsize = AtomicUsize::new(0);

/// An organization that no other case has. It ends in a letter: with digits after it, it is still nobody else's.
pub fn fresh() -> String {
    format!("case-{}-x", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Records events in their order, and gives the model of them.
pub async fn record(admin: &Caller<'_>, events: &[Told], start: i64, now: i64) -> Vec<Kept> {
    let payload = admin.record_all(events.iter().map(|event| event.input(now)).collect()).await;
    let results = payload["results"].as_array().expect("results");
    for (i, result) in results.iter().enumerate() {
        assert_eq!(result["status"], "RECORDED", "{result:#} of {:#}", events[i].input(now));
        assert_eq!(result["sequence"], (start + i as i64).to_string());
    }
    events.iter().enumerate().map(|(i, event)| Kept::of(event, start + i as i64, now)).collect()
}

const QUERY: &str = "query($filter: AuditEventFilter, $search: String, $log: AuditLogInput, $includeNested: Boolean,
        $order: AuditEventOrder, $first: Int, $after: String, $zone: String) {
    auditEvents(filter: $filter, search: $search, log: $log, includeNested: $includeNested, orderBy: $order,
    first: $first, after: $after) {
        totalCount pageNumber pageCount nodes { sequence occurredAt } pageInfo { hasNextPage endCursor }
        facets(timeZone: $zone) { categories { ...list } actions { ...list } actors { ...list } outcomes { ...list }
            logs { ...list } ipAddresses { ...list } sources { ...list } resourceTypes { ...list }
            days { day count } } } }
    fragment list on FacetList { exact buckets { value count actor { kind externalId name email } log { level } } }";

/// Asks page by page, and compares list, totals and facets with the model.
pub async fn check(admin: &Caller<'_>, organization: &str, asked: &Asked, events: &[Kept], size: usize) {
    let expected: Vec<_> = asked.answer(events).into_iter().map(|event| event.sequence.to_string()).collect();
    let (zone, east) = if size.is_multiple_of(2) { ("Etc/GMT-14", 14 * 3_600) } else { ("UTC", 0) };
    let mut variables = asked.variables(organization);
    variables["first"] = json!(size);
    variables["zone"] = json!(zone);
    let asked_text = variables.to_string();
    let (mut got, mut page) = (Vec::new(), 0);
    loop {
        let answer = admin.ask(QUERY, variables.clone()).await.json();
        assert!(answer.get("errors").is_none(), "{} of {asked_text}", answer["errors"]);
        let answer = answer["data"]["auditEvents"].clone();
        page += 1;
        got.extend(
            answer["nodes"].as_array().expect("nodes").iter().map(|node| node["sequence"].as_str().unwrap().to_owned()),
        );
        assert_eq!(answer["totalCount"], expected.len(), "total of {asked_text}");
        assert_eq!(answer["pageNumber"], page, "page number of {asked_text}");
        assert_eq!(answer["pageCount"], expected.len().div_ceil(size).max(1), "page count of {asked_text}");
        if page == 1 {
            facets(asked, events, east, &answer["facets"], &asked_text);
        }
        if answer["pageInfo"]["hasNextPage"] == false {
            break;
        }
        variables["after"] = answer["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(got, expected, "events of {asked_text}");
}

fn facets(asked: &Asked, events: &[Kept], east: i64, answer: &Value, asked_text: &str) {
    for (facet, expected) in asked.facets(events, east) {
        let pair = |row: &Value, name: &str| (row[name].as_str().unwrap().to_owned(), row["count"].as_i64().unwrap());
        let got: Vec<_> = if facet == "days" {
            answer[facet].as_array().expect("days").iter().map(|row| pair(row, "day")).collect()
        } else {
            assert_eq!(answer[facet]["exact"], true);
            let buckets = answer[facet]["buckets"].as_array().expect("buckets");
            let text = |row: &Value| match facet {
                "actors" => {
                    let of = |name: &str| row["actor"][name].as_str();
                    let kind = of("kind").expect("a kind");
                    format!("{:?}", (kind, of("externalId"), of("name"), of("email")))
                }
                // The organization's own log has the organization's id.
                "logs" if row["log"]["level"] == "organisation" => String::new(),
                _ => pair(row, "value").0,
            };
            buckets.iter().map(|row| (text(row), pair(row, "value").1)).collect()
        };
        let in_order = if facet == "days" { got.is_sorted() } else { got.is_sorted_by(|a, b| a.1 >= b.1) };
        assert!(in_order, "order of facet {facet} of {asked_text}: {got:?}");
        let number = got.len();
        let got: BTreeMap<_, _> = got.into_iter().collect();
        assert_eq!(got.len(), number, "a value comes twice in facet {facet} of {asked_text}");
        assert_eq!(got, expected, "facet {facet} of {asked_text}");
    }
}

on_both_databases! {
    every_answer_is_the_models,
}

async fn every_answer_is_the_models(app: &TestApp) {
    let case = (vec(told(), 1..30), vec((asked(), prop_oneof![Just(100_usize), 2..9_usize]), 15));
    holds(80, case, async |(events, questions)| {
        let (organization, now) = (fresh(), now());
        let admin = app.admin("workspace", &organization);
        let kept = record(&admin, &events, 0, now).await;
        for (asked, size) in &questions {
            asked.check_predicate(&kept, now);
            check(&admin, &organization, asked, &kept, *size).await;
        }
    });
}

/// The predicate alone, many times over: it needs no database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_predicate_is_the_models() {
    holds(3_000, (vec(told(), 1..8), asked()), async |(events, asked)| {
        let now = now();
        let kept: Vec<_> = events.iter().enumerate().map(|(i, event)| Kept::of(event, i as i64, now)).collect();
        asked.check_predicate(&kept, now);
    });
}

/// The questions are neither all empty nor all trivial: a property over them means something.
#[test]
fn the_questions_discriminate() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut some, mut part) = (0, 0);
    for _ in 0..400 {
        let (events, asked) = (vec(told(), 20), asked()).new_tree(&mut runner).expect("a case").current();
        let kept: Vec<_> = events.iter().enumerate().map(|(i, event)| Kept::of(event, i as i64, 0)).collect();
        let answer = asked.answer(&kept).len();
        some += usize::from(answer > 0);
        part += usize::from(answer > 0 && answer < kept.len());
    }
    assert!(some > 150 && part > 120, "of 400 questions {some} find something and {part} of them not all");
}
