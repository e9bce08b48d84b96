//! However a list is paged, it is the list of the plain model; what arrives meanwhile disturbs nobody.

use std::collections::{BTreeSet, HashMap};

use ledgerline::event::Timestamp;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::{
    filter_properties::fresh,
    harness::{Caller, TestApp, on_both_databases},
    model::holds,
};

/// 2024-03-01T00:00:00Z.
const BASE: i64 = 1_709_251_200_000_000_000;

/// Offsets from [`BASE`] in nanoseconds: few, so that there are ties; neighbours in nanoseconds and microseconds.
const OFFSETS: [i64; 10] = [0, 0, 1, 999, 1_000, 1_001, 2_000, -1, -1_000, 3_600_000_000_000];

fn input(offset: i64, action: &str) -> Value {
    json!({ "action": action, "actor": { "kind": "SYSTEM" }, "occurredAt": Timestamp(BASE + offset).to_string() })
}

/// Records events at offsets, numbered from `start`; an event's action tells whether it is even.
async fn record(admin: &Caller<'_>, start: i64, offsets: &[i64]) {
    for (i, chunk) in offsets.chunks(1_000).enumerate() {
        let first = start + i as i64 * 1_000;
        let events = chunk.iter().enumerate();
        let events = events.map(|(n, &offset)| input(offset, if (first + n as i64) % 2 == 0 { "even" } else { "odd" }));
        let payload = admin.record_all(events.collect()).await;
        assert_eq!(payload["recorded"], chunk.len(), "{payload:#}");
        assert_eq!(payload["results"][0]["sequence"], first.to_string());
    }
}

/// A list: its order, and whether only every second event is in it.
#[derive(Clone, Copy, Debug)]
struct List {
    by_sequence: bool,
    ascending: bool,
    half: bool,
}

impl List {
    fn arguments(self) -> String {
        let field = if self.by_sequence { "SEQUENCE" } else { "OCCURRED_AT" };
        let direction = if self.ascending { "ASC" } else { "DESC" };
        let filter = if self.half { ", filter: { actions: [\"even\"] }" } else { "" };
        format!("orderBy: {{ field: {field}, direction: {direction} }}{filter}")
    }

    /// The sequences of the list over events at offsets.
    fn of(self, offsets: &[i64]) -> Vec<i64> {
        let mut list: Vec<i64> = (0..offsets.len() as i64).filter(|n| !self.half || n % 2 == 0).collect();
        if !self.by_sequence {
            // Events of one microsecond stand in the order of recording.
            list.sort_by_key(|&n| (offsets[n as usize].div_euclid(1_000), n));
        }
        if !self.ascending {
            list.reverse();
        }
        list
    }
}

fn lists() -> impl Strategy<Value = List> {
    any::<(bool, bool, bool)>().prop_map(|(by_sequence, ascending, half)| List { by_sequence, ascending, half })
}

/// One page.
struct Page {
    sequences: Vec<i64>,
    has_next: bool,
    has_previous: bool,
    start: Value,
    end: Value,
    total: i64,
    number: i64,
    count: i64,
}

/// Asks for a page; `paging` as in `first: 5, after: "…"`.
async fn page(admin: &Caller<'_>, list: List, paging: &str) -> Page {
    let query = format!(
        "{{ auditEvents({}, {paging}) {{ totalCount pageNumber pageCount edges {{ cursor node {{ sequence }} }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}",
        list.arguments()
    );
    let answer = admin.ask(&query, json!({})).await.json();
    assert!(answer.get("errors").is_none(), "{} of {query}", answer["errors"]);
    let answer = &answer["data"]["auditEvents"];
    let edges = answer["edges"].as_array().expect("edges");
    let info = &answer["pageInfo"];
    if let (Some(first), Some(last)) = (edges.first(), edges.last()) {
        assert_eq!((&info["startCursor"], &info["endCursor"]), (&first["cursor"], &last["cursor"]));
    }
    Page {
        sequences: edges.iter().map(|edge| edge["node"]["sequence"].as_str().unwrap().parse().unwrap()).collect(),
        has_next: info["hasNextPage"].as_bool().unwrap(),
        has_previous: info["hasPreviousPage"].as_bool().unwrap(),
        start: info["startCursor"].clone(),
        end: info["endCursor"].clone(),
        total: answer["totalCount"].as_i64().unwrap(),
        number: answer["pageNumber"].as_i64().unwrap(),
        count: answer["pageCount"].as_i64().unwrap(),
    }
}

/// Pages from the front to the end, in pages of the given sizes in turn. `between` runs after each page.
async fn forward(admin: &Caller<'_>, list: List, sizes: &[usize], between: impl AsyncFn(usize)) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    loop {
        let size = sizes[pages.len() % sizes.len()];
        let after = pages.last().map(|last| format!(", after: {}", last.end)).unwrap_or_default();
        let next = page(admin, list, &format!("first: {size}{after}")).await;
        assert!(next.sequences.len() <= size);
        assert_eq!(next.has_previous, !pages.is_empty() && next.has_previous, "nothing is before the first page");
        let has_next = next.has_next;
        pages.push(next);
        between(pages.len()).await;
        if !has_next {
            return pages;
        }
        assert!(pages.len() < 500, "paging does not end");
    }
}

fn joined(pages: &[Page]) -> Vec<i64> {
    pages.iter().flat_map(|page| page.sequences.iter().copied()).collect()
}

on_both_databases! {
    both_ways_through_every_order_give_the_list,
    what_arrives_while_paging_neither_hides_nor_repeats_anything,
    five_thousand_events_at_one_instant_are_paged_in_the_order_of_recording,
    writers_beside_a_reader_never_change_past_pages,
}

async fn both_ways_through_every_order_give_the_list(app: &TestApp) {
    let offsets = vec((0..OFFSETS.len()).prop_map(|i| OFFSETS[i]), 0..24);
    let case = (offsets, vec((lists(), vec(1..12_usize, 1..4)), 4));
    holds(250, case, async |(offsets, ways)| {
        let organization = fresh();
        let admin = app.admin("workspace", &organization);
        record(&admin, 0, &offsets).await;
        for (list, sizes) in ways {
            let expected = list.of(&offsets);
            let size = sizes[0];
            let pages = forward(&admin, list, &sizes, async |_| {}).await;
            assert_eq!(joined(&pages), expected, "forward, {list:?} {sizes:?}");
            let mut rank = 0;
            for (i, page) in pages.iter().enumerate() {
                let size = sizes[i % sizes.len()];
                assert_eq!(page.total, expected.len() as i64);
                assert_eq!(page.count, expected.len().div_ceil(size).max(1) as i64);
                assert_eq!(page.number, (rank / size + 1) as i64, "{list:?} {sizes:?} page {i}");
                assert_eq!(page.has_previous, rank > 0);
                rank += page.sequences.len();
            }
            // Backward from the end, with `last`.
            let mut back: Vec<i64> = Vec::new();
            let mut before = String::new();
            loop {
                let page = page(&admin, list, &format!("last: {size}{before}")).await;
                assert_eq!(page.total, expected.len() as i64);
                assert_eq!(page.has_next, !back.is_empty());
                back.splice(0..0, page.sequences.iter().copied());
                let first = expected.len() - back.len();
                assert_eq!(page.number, (first / size + 1) as i64, "backward, {list:?} {size}");
                if !page.has_previous {
                    break;
                }
                before = format!(", before: {}", page.start);
            }
            assert_eq!(back, expected, "backward, {list:?} {size}");
            // One back from the second page is the first page again.
            if pages.len() > 1 && sizes.len() == 1 {
                let again = page(&admin, list, &format!("last: {size}, before: {}", pages[1].start)).await;
                assert_eq!(again.sequences, pages[0].sequences);
                assert_eq!((again.number, again.has_previous, again.has_next), (1, false, true));
            }
        }
    });
}

async fn what_arrives_while_paging_neither_hides_nor_repeats_anything(app: &TestApp) {
    let offset = || (0..OFFSETS.len()).prop_map(|i| OFFSETS[i]);
    let case = (vec(offset(), 1..30), vec(vec(offset(), 0..4), 6), vec((lists(), vec(1..8_usize, 1..3)), 2));
    holds(150, case, async |(offsets, arrivals, ways)| {
        let organization = fresh();
        let admin = app.admin("workspace", &organization);
        record(&admin, 0, &offsets).await;
        let all = tokio::sync::Mutex::new(offsets);
        for (list, sizes) in ways {
            let start = all.lock().await.clone();
            let there = list.of(&start);
            let pages = forward(&admin, list, &sizes, async |page| {
                if let Some(late) = arrivals.get(page - 1) {
                    let mut all = all.lock().await;
                    record(&admin, all.len() as i64, late).await;
                    all.extend(late);
                }
            })
            .await;
            let end = all.lock().await.clone();
            let seen = joined(&pages);
            let once: BTreeSet<_> = seen.iter().collect();
            assert_eq!(once.len(), seen.len(), "nothing twice: {list:?}");
            let of_start: Vec<_> = seen.iter().copied().filter(|n| (*n as usize) < start.len()).collect();
            assert_eq!(of_start, there, "everything that was there, in its order: {list:?}");
            // What came meanwhile stands in its own place.
            let places: HashMap<_, _> = list.of(&end).into_iter().enumerate().map(|(i, n)| (n, i)).collect();
            assert!(seen.is_sorted_by_key(|n| places[n]), "{list:?}: {seen:?}");
            // Totals hold still.
            for page in &pages {
                assert_eq!(page.total, there.len() as i64, "{list:?}");
            }
            if list.by_sequence && !list.ascending {
                assert_eq!(seen, there, "new events come before the first page");
            }
            if list.by_sequence && list.ascending {
                // Past pages never change: asked again, each is the same.
                let again = forward(&admin, list, &sizes, async |_| {}).await;
                for (then, now) in pages.iter().zip(&again).take(pages.len() - 1) {
                    assert_eq!(then.sequences, now.sequences);
                }
            }
        }
    });
}

async fn five_thousand_events_at_one_instant_are_paged_in_the_order_of_recording(app: &TestApp) {
    let admin = app.admin("workspace", "busy");
    // Neighbours of the instant before, among and after them: the instant's places spill over theirs.
    let mut offsets = vec![-1_000, 1_000, 2_000, 0];
    offsets.extend([0; 4_994]);
    offsets.extend([1_000, 3_000]);
    record(&admin, 0, &offsets).await;
    for list in [false, true].into_iter().flat_map(|by_sequence| {
        [false, true]
            .into_iter()
            .flat_map(move |ascending| [false, true].into_iter().map(move |half| List { by_sequence, ascending, half }))
    }) {
        let pages = forward(&admin, list, &[100], async |_| {}).await;
        let seen = joined(&pages);
        let expected = list.of(&offsets);
        assert_eq!(pages[0].total, expected.len() as i64, "{list:?}");
        if list.by_sequence {
            assert_eq!(seen, expected, "{list:?}");
        } else {
            // All of them, each once; those of the instant in the order of recording.
            assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{list:?}");
            assert_eq!(seen.len(), expected.len(), "{list:?}");
            let mut instant: Vec<_> = seen.iter().copied().filter(|n| offsets[*n as usize] == 0).collect();
            if !list.ascending {
                instant.reverse();
            }
            assert!(instant.is_sorted(), "{list:?}");
            let (first, last) =
                if list.ascending { (seen[0], seen[seen.len() - 1]) } else { (seen[seen.len() - 1], seen[0]) };
            assert_eq!(first, 0, "what happened before stays before: {list:?}");
            assert!(list.half || last == 4_999, "what happened three microseconds later stays last: {list:?}");
        }
        for (i, page) in pages.iter().enumerate() {
            assert_eq!((page.number, page.count), (i as i64 + 1, expected.len().div_ceil(100) as i64), "{list:?}");
        }
    }
    // Dates are exact, spilled or not.
    for (from, to, expected) in [
        (0, 1_000, 4_995),
        (0, 1, 4_995),
        (1, 1_000, 0),
        (1_000, 1_001, 2),
        (1_000, 2_000, 2),
        (2_000, 3_001, 2),
        (-1_000, 0, 1),
        (-1_000, 3_001, 5_000),
        (3_000, 3_001, 1),
    ] {
        let (from, to) = (Timestamp(BASE + from).to_string(), Timestamp(BASE + to).to_string());
        let query =
            "query($range: DateTimeRange) { auditEvents(filter: { occurredAt: $range }, first: 100) { totalCount
            nodes { occurredAt } facets { days { count } actions { buckets { count } } } } }";
        let answer = admin.data(query, json!({ "range": { "from": from, "to": to } })).await["auditEvents"].clone();
        assert_eq!(answer["totalCount"], expected, "{from} to {to}");
        assert_eq!(answer["nodes"].as_array().unwrap().len(), expected.min(100));
        let days: i64 =
            answer["facets"]["days"].as_array().unwrap().iter().map(|day| day["count"].as_i64().unwrap()).sum();
        let actions = answer["facets"]["actions"]["buckets"].as_array().unwrap().iter();
        let actions: i64 = actions.map(|bucket| bucket["count"].as_i64().unwrap()).sum();
        assert_eq!((days, actions), (expected as i64, expected as i64), "{from} to {to}");
    }
}

async fn writers_beside_a_reader_never_change_past_pages(app: &TestApp) {
    let admin = app.admin("workspace", "live");
    record(&admin, 0, &vec![0; 300]).await;
    let beside = app.beside().await;
    let list = List { by_sequence: true, ascending: true, half: false };
    let by_time = List { by_sequence: false, ascending: false, half: false };
    let stop = std::sync::atomic::AtomicBool::new(false);
    let write = async |app: &TestApp, offset: i64| {
        let writer = app.admin("workspace", "live");
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            let result = writer.record_all(vec![input(offset, "late"), input(offset, "late")]).await;
            assert_eq!(result["recorded"], 2);
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    let read = async {
        let pages = forward(&admin, by_time, &[7], async |_| {}).await;
        let seen = joined(&pages);
        let of_start: Vec<_> = seen.iter().copied().filter(|n| *n < 300).collect();
        assert_eq!(of_start, (0..300).rev().collect::<Vec<_>>());
        // By sequence, a reader that follows sees 0, 1, 2, … without a gap, whatever commits beside it.
        let (mut next, mut after) = (0, String::new());
        while next < 400 {
            let page = page(&admin, list, &format!("first: 20{after}")).await;
            for sequence in &page.sequences {
                assert_eq!(*sequence, next);
                next += 1;
            }
            after = format!(", after: {}", page.end);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    // SQLite has one process that writes at a time; another waits for its lock.
    tokio::join!(write(app, 1_000), write(&beside, -1_000), write(app, 0), read);
    beside.finish().await;
}
