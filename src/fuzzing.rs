//! What has to hold of any bytes at all, a function for each place that takes them from outside. `tests/fuzz` looks for
//! bytes of which it does not hold, and `tests/it` replays those that were found.

use std::{collections::HashMap, io::BufReader};

use async_graphql::{
    Value,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{
    cli::import::{
        csv::Columns,
        event::{Reading, Undated},
        records::{Piece, Records},
        source::Format,
    },
    error::{Code, Error},
    event::{Timestamp, json, limits as of_event, words::Words},
    graphql::{execute, flaw::Flaw, limits},
    http::{admission, bodies, body},
    question::{
        cursor::{Bound, Cursor, Fingerprint, Order, OrderField},
        filter::Filter,
        input::FilterInput,
        query::{Asked, Query, written},
        search::Search,
    },
};

/// An instant within all limits.
const NOW: Timestamp = Timestamp(1_790_000_000_000_000_000);

/// A document: what is let through expands to no more than is allowed, and what is refused is refused at a place in it.
pub fn document_guard(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let plain = limits::without_surrogates(text);
    assert_eq!(limits::without_surrogates(&plain), plain, "what was taken out does not come back");
    match execute::parse(text) {
        Ok(document) => {
            let mut left = limits::SELECTIONS;
            for (_, operation) in document.operations.iter() {
                expand(&document, &operation.node.selection_set.node, &mut left);
            }
            assert_eq!(limits::unused_fragment(&document), None);
            let _ = limits::introspected_field(&document);
            // The numbers and keys of its literals are those of the text.
            limits::check_text(text).expect("it was checked");
        }
        Err(error) => {
            assert!(!error.message.is_empty());
            let lines = plain.split(['\n', '\r']).count();
            for at in &error.locations {
                assert!((1..=lines).contains(&at.line), "line {} of {lines}", at.line);
                assert!((1..=plain.chars().count() + 1).contains(&at.column), "column {}", at.column);
            }
        }
    }
}

/// Visits every selection as the library would, and not as our guard counts them.
fn expand(document: &ExecutableDocument, set: &SelectionSet, left: &mut u64) {
    for item in &set.items {
        *left = left.checked_sub(1).expect("no more selections than are allowed");
        match &item.node {
            Selection::Field(field) => expand(document, &field.node.selection_set.node, left),
            Selection::InlineFragment(fragment) => expand(document, &fragment.node.selection_set.node, left),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    expand(document, &fragment.node.selection_set.node, left);
                }
            }
        }
    }
}

/// A body: it is read if it is JSON, as JSON has it, and never into more values than were counted before.
pub fn request_body(data: &[u8]) {
    let text = body::text(data);
    if let Ok(whole) = std::str::from_utf8(data) {
        assert_eq!(text, whole);
    }
    let is_json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
    let value = match body::read(&text) {
        Ok(value) => value,
        Err(error) => {
            assert!(!is_json, "JSON is read: {error}");
            return;
        }
    };
    assert!(is_json, "what is read is JSON");
    let (values, flaws) = count(&value);
    let counted = bodies::values(text.as_bytes());
    assert!(values <= counted, "{values} values of which {counted} were counted");
    // Where nothing is odd, it is what any library reads.
    let plain = serde_json::from_str::<serde_json::Value>(&text).ok().filter(|_| flaws == 0);
    let compact = json::compact(&text);
    if let Some(plain) = plain.filter(|plain| compact.as_ref() == Some(&plain.to_string())) {
        assert_eq!(value.clone().into_json().expect("a value is JSON"), plain);
    }
    let sent = crate::graphql::event_of(value.clone());
    match sent.event {
        Ok(event) => named(event.check(NOW).err()),
        Err(error) => named(Some(error)),
    }
    if let Err(message) = admission::parameters(value) {
        assert!(!message.is_empty());
    }
}

/// How many values there are, and how many of them are flaws.
fn count(value: &Value) -> (usize, usize) {
    let all = |values: &mut dyn Iterator<Item = &Value>| {
        values.map(count).fold((1, 0), |(values, flaws), (more, odd)| (values + more, flaws + odd))
    };
    match value {
        Value::Object(fields) => all(&mut fields.values()),
        Value::List(items) => all(&mut items.iter()),
        Value::Binary(_) => (1, usize::from(Flaw::of(value).is_some())),
        _ => (1, 0),
    }
}

/// A refusal that somebody can act on: of the caller's input, and in words.
fn named(error: Option<Error>) {
    if let Some(error) = error {
        assert_eq!(error.code(), Code::BadUserInput, "{error}");
        assert!(!error.to_string().trim().is_empty());
    }
}

/// A cursor: one that is read is one that was written, and no other text is read as it.
pub fn cursor(data: &[u8]) {
    let (list, other) = (list("acme", Some("org_1")), list("acme", Some("org_2")));
    if let Ok(text) = std::str::from_utf8(data) {
        read_cursor(text, list);
    }
    // Anything with the right checksum.
    let sealed = |bytes: &[u8]| URL_SAFE_NO_PAD.encode([bytes, &Sha256::digest(bytes)[..4]].concat());
    read_cursor(&sealed(data), list);
    let mut numbers = data.chunks_exact(8).map(|bytes| i64::from_be_bytes(bytes.try_into().expect("eight bytes")));
    let (Some(key), Some(pinned), Some(rank)) = (numbers.next(), numbers.next(), numbers.next()) else { return };
    let began = numbers.next().map(Timestamp);
    let cursor = Cursor { key, pinned, rank: (rank != i64::MIN).then_some(rank), began };
    let text = cursor.encode(list);
    assert_eq!(Cursor::decode(&text, list, "after").expect("it was written for this list"), cursor);
    Cursor::decode(&text, other, "after").expect_err("it is another list's");
    let at = usize::from(data[0]) % text.len();
    let mut changed = text.into_bytes();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("a letter in the place of another");
    Cursor::decode(&changed, list, "after").expect_err("a letter is another one");
}

fn read_cursor(text: &str, list: Fingerprint) {
    match Cursor::decode(text, list, "after") {
        Ok(cursor) => assert_eq!(cursor.encode(list), text),
        Err(error) => {
            assert!(matches!(&error, Error::BadInput { field, .. } if field == "after"), "{error}");
            named(Some(error));
        }
    }
}

fn list(product: &str, organization: Option<&str>) -> Fingerprint {
    let order = Order { field: OrderField::OccurredAt, descending: true };
    let filter = &Filter::default();
    Bound { product, organization, log: None, include_nested: None, order, filter }.fingerprint()
}

/// A query box and a search field: parts stand in the text, one behind the other, and a refusal names a place in it.
pub fn query_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let chars: Vec<char> = text.chars().collect();
    let refused = |error: Error| {
        if let Error::BadQuery { at, .. } = &error {
            assert!(at.start <= at.end && at.end <= chars.len(), "{at:?} of {}", chars.len());
        }
        named(Some(error));
    };
    match Query::parse(text) {
        Ok(query) => {
            assert!(chars.len() <= of_event::QUERY_CHARS);
            let mut end = 0;
            for item in &query.items {
                assert!(item.at.start >= end && item.at.end > item.at.start && item.at.end <= chars.len());
                assert!(chars[end..item.at.start].iter().all(|c| c.is_whitespace()), "nothing is left out");
                end = item.at.end;
                let Asked::Field(_, values) = &item.asked else { continue };
                assert!(!values.is_empty());
                for value in values {
                    assert!(value.at.start >= item.at.start && value.at.end <= item.at.end);
                    if !value.is_quoted {
                        assert_eq!(chars[value.at.clone()].iter().collect::<String>(), value.text);
                    }
                }
            }
            assert!(chars[end..].iter().all(|c| c.is_whitespace()), "nothing is left out");
            filtered(query, &refused);
        }
        Err(error) => refused(error),
    }
    if chars.len() <= of_event::QUERY_CHARS {
        for at in 0..=chars.len() {
            match Query::typed(text, at) {
                Ok(Some(typed)) => {
                    assert!(typed.at.start <= at && at <= typed.at.end && typed.at.end <= chars.len());
                }
                Ok(None) => {}
                Err(error) => named(Some(error)),
            }
        }
        quoted(text);
    }
    match Search::parse(text, |_, _| (Vec::new(), Vec::new())) {
        Ok(search) => assert_eq!(search.is_empty(), Words::of(text).is_empty(), "words are searched for"),
        Err(error) => named(Some(error)),
    }
}

fn filtered(query: Query, refused: &dyn Fn(Error)) {
    let mut input = FilterInput::default();
    let mut filter = Filter::default();
    match query.add_to(&mut input).and_then(|moments| moments.set(&mut filter, chrono_tz::Europe::Berlin, NOW)) {
        Ok(()) => {
            let lists = [&input.actors, &input.not_actors, &input.actions, &input.resources, &input.not_words];
            assert!(lists.into_iter().flatten().all(|values| values.len() <= of_event::FILTER_VALUES));
        }
        Err(error) => refused(error),
    }
}

/// What a completion writes into the text is read as the value that it stands for.
fn quoted(value: &str) {
    if value.is_empty() || value.chars().count() > of_event::QUERY_CHARS / 3 {
        return;
    }
    let query = Query::parse(&format!("action:{} -x", written(value))).expect("a value and a word");
    let Asked::Field(_, values) = &query.items[0].asked else { panic!("it is a field") };
    assert_eq!(values.iter().map(|value| value.text.as_str()).collect::<Vec<_>>(), [value]);
    assert_eq!(query.items.len(), 2);
}

/// A file of events: it is taken apart alike however it comes in, in the order of its bytes, and each record is an event or
/// refused in words.
pub fn import_line(data: &[u8]) {
    for format in [Format::Lines, Format::Json, Format::Csv] {
        let records = records_of(data, format, 64 * 1024);
        assert_eq!(records, records_of(data, format, 7), "by pieces of any length");
        let mut rest = data;
        for (_, record) in &records {
            let at = rest.windows(record.len().max(1)).position(|window| window == record.as_slice());
            rest = &rest[at.expect("a record stands in the text, behind those before it") + record.len()..];
        }
        let mut records = records.into_iter();
        let columns = match format {
            Format::Csv => match records.next().map(|(_, header)| Columns::read(&header, &[])) {
                Some(Ok(columns)) => Some(columns),
                Some(Err(error)) => {
                    named(Some(error));
                    continue;
                }
                None => continue,
            },
            _ => None,
        };
        let mut reading = Reading {
            organization: None,
            undated: Undated::Now,
            offset: Some("Z"),
            strict: false,
            ignored: &[],
            columns,
            repeats: HashMap::new(),
        };
        for (_, record) in records {
            match reading.read(&record) {
                Ok(Some(event)) => {
                    assert!(event.idempotency_key.is_some(), "a file that comes twice adds nothing");
                    named(event.check(NOW).err());
                }
                Ok(None) => {}
                Err(error) => named(Some(error)),
            }
        }
    }
}

/// Whole records, and faulty ones, with their lines.
fn records_of(data: &[u8], format: Format, chunk: usize) -> Vec<(u64, Vec<u8>)> {
    let mut records = Records::new(BufReader::with_capacity(chunk, data), format);
    let mut all: Vec<(u64, Vec<u8>)> = Vec::new();
    loop {
        match records.next() {
            Piece::Record(place, record) => all.push((place.line, record)),
            Piece::Faulty(place, record, error) => {
                named(Some(error));
                all.push((place.line, record));
            }
            Piece::Rest(bytes) => all.last_mut().expect("the beginning of it").1.extend(bytes),
            Piece::End(_) => return all,
        }
        assert!(all.len() <= data.len(), "no record is made of nothing");
    }
}
