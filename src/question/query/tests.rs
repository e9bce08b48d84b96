use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Query};
use crate::{error::Error, event::Timestamp, question::input::FilterInput};

/// An entry of `tests/vectors/query.json`.
#[derive(Deserialize)]
struct Vector {
    query: String,
    #[serde(default)]
    time_zone: Option<String>,
    #[serde(default)]
    parts: Vec<Value>,
    #[serde(default)]
    filter: Option<Value>,
    #[serde(default)]
    fault: Option<Value>,
}

/// The parts of a query in the form of the vectors.
fn parts(text: &str) -> Vec<Value> {
    let of = |item: super::Item| match item.asked {
        Asked::Words(words) => {
            json!({ "from": item.at.start, "to": item.at.end, "excluded": item.is_excluded, "words": words })
        }
        Asked::Field(field, values) => {
            let values: Vec<_> = values.into_iter().map(|value| value.text).collect();
            json!({ "from": item.at.start, "to": item.at.end, "excluded": item.is_excluded, "field": field.name(), "values": values })
        }
    };
    Query::parse(text).map(|query| query.items.into_iter().map(of).collect()).unwrap_or_default()
}

fn filter(text: &str, zone: Option<&str>) -> Result<Option<Value>, Value> {
    let input = FilterInput {
        query: Some(text.to_owned()),
        query_time_zone: zone.map(str::to_owned),
        ..FilterInput::default()
    };
    let now = Timestamp::parse("2026-11-26T12:00:00Z").expect("an instant");
    match input.check(|_, _| Default::default(), now) {
        Ok(filter) => Ok(filter.canonical().map(|text| serde_json::from_str(&text).expect("JSON"))),
        Err(Error::BadQuery { at, rule, .. }) => Err(json!({ "from": at.start, "to": at.end, "rule": rule })),
        Err(other) => panic!("{text}: {other}"),
    }
}

#[test]
fn queries_are_those_of_the_vectors() {
    let file = include_str!("../../../tests/vectors/query.json");
    let vectors: Vec<Vector> = serde_json::from_str(file).expect("vectors");
    assert!(vectors.len() > 40, "{}", vectors.len());
    let mut differ = false;
    for vector in vectors {
        let (found, parts) = (filter(&vector.query, vector.time_zone.as_deref()), parts(&vector.query));
        let (filter, fault) = match found {
            Ok(filter) => (filter, None),
            Err(fault) => (None, Some(fault)),
        };
        let mut entry = json!({ "query": vector.query });
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                entry[name] = value;
            }
        };
        add("time_zone", vector.time_zone.clone().map(Value::from));
        add("parts", Some(parts.clone()).filter(|parts| !parts.is_empty()).map(Value::from));
        add("filter", filter.clone());
        add("fault", fault.clone());
        let same = parts == vector.parts && filter == vector.filter && fault == vector.fault;
        if !same {
            println!("{}", serde_json::to_string_pretty(&entry).expect("JSON"));
        }
        differ |= !same;
    }
    assert!(!differ, "the entries above are what the service makes of their queries");
}

/// Whatever is typed, in every place of it, is taken apart without a panic, and its parts stand where they say.
#[test]
fn parts_stand_where_they_say() {
    let alphabet = ["a", "actor:", "-", "\"", ",", " ", "\\", "é", "💥", ":", "after:1h", "on:", "*", "OR", "\u{0}"];
    let mut state = 7_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..(state % 9) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(alphabet[(state >> 33) as usize % alphabet.len()]);
        }
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let chars: Vec<char> = text.chars().collect();
        if let Ok(query) = Query::parse(&text) {
            let mut end = 0;
            for item in &query.items {
                assert!(
                    item.at.start >= end && item.at.end <= chars.len() && !item.at.is_empty(),
                    "{text:?}: {item:?}"
                );
                assert!(chars[end..item.at.start].iter().all(|c| c.is_whitespace()), "{text:?}: {item:?}");
                end = item.at.end;
            }
            assert!(chars[end..].iter().all(|c| c.is_whitespace()), "{text:?}");
        }
        for at in 0..=chars.len() {
            let Some(typed) = Query::typed(&text, at).expect("a place") else { continue };
            assert!(
                typed.at.start <= at && typed.at.end >= at && typed.at.end <= chars.len(),
                "{text:?} at {at}: {typed:?}"
            );
        }
    }
}
