//! Whatever an outsider puts into a field, the event is recorded, and what was cut or replaced is marked.

mod metadata;
mod texts;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    filter_properties::fresh,
    harness::{Caller, TestApp, event, on_both_databases},
    model::holds,
};

const RECORD: &str =
    "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status truncated event { ...E } } }";
const LIST: &str = "query($filter: AuditEventFilter, $search: String) { auditEvents(filter: $filter, search: $search, \
                    first: 100, includeNested: true) { totalCount nodes { ...E } } }";
const EVENT: &str = " fragment E on AuditEvent { id sequence action actor { kind externalId name email label }
    onBehalfOf { kind externalId name email }
    resources { type externalId name } ipAddress userAgent correlationId source sourceEventId metadata metadataText
    truncated log { externalId name } }";

async fn record(caller: &Caller<'_>, input: Value) -> Value {
    let data = caller.data(&format!("{RECORD}{EVENT}"), json!({ "input": input })).await;
    let recorded = data["recordAuditEvent"].clone();
    assert_eq!(recorded["truncated"], recorded["event"]["truncated"]);
    // What is answered is what is read.
    let read = caller
        .data(
            &format!("query($id: ID!) {{ auditEvent(id: $id) {{ ...E }} }} {EVENT}"),
            json!({ "id": recorded["event"]["id"] }),
        )
        .await;
    assert_eq!(read["auditEvent"], recorded["event"]);
    recorded["event"].clone()
}

async fn list(caller: &Caller<'_>, filter: Value, search: &str) -> Vec<Value> {
    let page =
        caller.data(&format!("{LIST}{EVENT}"), json!({ "filter": filter, "search": search })).await["auditEvents"]
            .clone();
    let nodes = page["nodes"].as_array().expect("nodes").clone();
    assert_eq!(page["totalCount"], nodes.len());
    nodes
}

fn with(field: &str, value: Value) -> Value {
    let mut input = event("thing.done");
    input[field] = value;
    input
}

/// A request whose variables are a text of the test's own: no library would write them.
fn request(query: &str, variables: &str) -> String {
    format!("{{\"query\": {}, \"variables\": {variables}}}", serde_json::to_string(query).expect("text"))
}

on_both_databases! {
    a_strict_caller_is_refused_for_all_that_would_be_marked,
    a_repeated_request_is_the_same_however_much_of_it_was_cut,
    whatever_text_an_outsider_sends_is_recorded_and_reads_back,
}

async fn a_strict_caller_is_refused_for_all_that_would_be_marked(app: &TestApp) {
    let caller = app.admin("workspace", "acme");
    let nested = (1..17).fold(json!({}), |inner, _| json!({ "a": inner }));
    for (mut input, field, rule) in [
        (with("userAgent", json!("x".repeat(8_193))), "userAgent", "8192 bytes, got 8193"),
        (with("source", json!("x".repeat(2_049))), "source", "2048 bytes, got 2049"),
        (with("actor", json!({ "kind": "USER", "name": "a\u{0}" })), "actor.name", "NUL"),
        (with("source", json!(" ")), "source", "blank"),
        (with("resources", json!([{ "id": "r", "name": "" }])), "resources[0].name", "blank"),
        (with("log", json!({ "level": "project", "id": "p", "name": "" })), "log.name", "blank"),
        (with("resources", json!(vec![json!({ "id": "r" }); 51])), "resources", "50 items, got 51"),
        (with("metadata", json!({ "a": "\u{0}" })), "metadata.a", "NUL"),
        (with("metadataText", json!(r#"{"a": "\ud83d"}"#)), "metadata.a", "surrogate"),
        (with("metadata", nested), "metadata", "16 levels deep, got 17"),
        (with("metadata", json!({ "a": "x".repeat(66_000) })), "event", "65535 bytes"),
    ] {
        input["strict"] = json!(true);
        let answer = caller.ask(&format!("{RECORD}{EVENT}"), json!({ "input": input })).await;
        assert_eq!(
            (answer.code().as_str(), answer.field()),
            ("BAD_USER_INPUT", format!("input.{field}")),
            "{:#}",
            answer.json()
        );
        assert!(
            answer.errors()[0]["extensions"]["rule"].as_str().is_some_and(|text| text.contains(rule)),
            "{field}: {:#}",
            answer.json()
        );
        // The flag of a whole request.
        input["strict"] = json!(false);
        let query = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded refused \
                     results { truncated error { field } } } }";
        let many = caller
            .data(query, json!({ "input": { "events": [event("a.b"), input.clone()], "strict": true } }))
            .await["recordAuditEvents"]
            .clone();
        assert_eq!(
            (&many["recorded"], &many["results"][1]["error"]["field"]),
            (&json!(1), &json!(format!("events[1].{field}")))
        );
        let lenient = caller.data(query, json!({ "input": { "events": [input] } })).await["recordAuditEvents"].clone();
        assert_eq!(lenient["recorded"], 1, "{lenient}");
    }
}

async fn a_repeated_request_is_the_same_however_much_of_it_was_cut(app: &TestApp) {
    let caller = app.admin("workspace", "acme");
    let mut input = with("userAgent", json!("x".repeat(9_000)));
    input["idempotencyKey"] = json!("k1");
    input["source"] = json!("  ");
    input["metadata"] = json!({ "b": "y".repeat(70_000), "a": "\u{0}" });
    let query = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status truncated \
                 event { id } } }";
    let first = caller.data(query, json!({ "input": input })).await["recordAuditEvent"].clone();
    let again = caller.data(query, json!({ "input": input })).await["recordAuditEvent"].clone();
    assert_eq!((&first["status"], &again["status"]), (&json!("RECORDED"), &json!("ALREADY_RECORDED")));
    assert_eq!((&again["event"], &again["truncated"]), (&first["event"], &first["truncated"]));
    assert_eq!(first["truncated"], json!(["userAgent", "metadata.a", "metadata.b"]));
    // What was cut away counts: it is another event.
    input["userAgent"] = json!(format!("{}y", "x".repeat(9_000)));
    assert_eq!(caller.ask(query, json!({ "input": input })).await.code(), "CONFLICT");
}

async fn whatever_text_an_outsider_sends_is_recorded_and_reads_back(app: &TestApp) {
    holds(60, (proptest::collection::vec(texts(), 12), metadata()), async |(texts, metadata)| {
        let organization = fresh();
        let caller = app.admin("workspace", &organization);
        let text = |i: usize| texts[i].as_str();
        // JSON as no library writes it: every text is a token of its own spelling.
        let actor = |at: usize| {
            format!(r#"{{"kind": "USER", "id": {}, "name": {}, "email": {}}}"#, text(at), text(at + 1), text(at + 2))
        };
        let field = |metadata: &str| {
            format!(
                r#"{{"action": "a.b", "actor": {}, "onBehalfOf": {}, "resources": [{{"type": {}, "id": {}, "name": {}}}], "ipAddress": {}, "userAgent": {}, "correlationId": {}, "source": {}, "sourceEventId": {}, "log": {{"level": "project", "id": "p", "name": {}}}, {metadata}}}"#,
                actor(0),
                actor(3),
                text(6),
                text(7),
                text(8),
                text(9),
                text(10),
                text(11),
                text(0),
                text(1),
                text(2)
            )
        };
        let as_text = serde_json::to_string(&metadata).expect("a text");
        let events =
            [field(&format!("\"metadata\": {metadata}")), field(&format!("\"metadataText\": {as_text}"))].join(", ");
        let query = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded \
                     results { eventId truncated error { field rule } } } }";
        let answer = app
            .graphql_text(Some(&caller.token()), request(query, &format!(r#"{{"input": {{"events": [{events}]}}}}"#)))
            .await;
        let results = answer.data()["recordAuditEvents"].clone();
        assert_eq!(results["recorded"], 2, "{results:#} of {events}");
        let read = list(&caller, json!({}), "").await;
        assert_eq!(read.len(), 2);
        for (node, result) in read.iter().rev().zip(results["results"].as_array().expect("results")) {
            assert_eq!(node["truncated"], result["truncated"]);
            let found = list(&caller, json!({ "truncated": node["truncated"] != json!([]) }), "").await;
            assert!(found.iter().any(|each| each["id"] == node["id"]), "{node:#}");
            for (at, pointer) in [
                "/actor/externalId",
                "/actor/name",
                "/actor/email",
                "/onBehalfOf/externalId",
                "/onBehalfOf/name",
                "/onBehalfOf/email",
            ]
            .iter()
            .enumerate()
            {
                check(&texts[at], node.pointer(pointer), node, 2_048);
            }
            check(&texts[9], node.pointer("/ipAddress"), node, 8_192);
            check(&texts[10], node.pointer("/userAgent"), node, 8_192);
            assert!(node["metadata"].is_object(), "{node:#}");
            if node["truncated"] == json!([]) {
                // Nothing was lost: all is as any JSON library reads it.
                let sent: Value = serde_json::from_str(&metadata).expect("JSON that a library reads");
                assert_eq!(node["metadata"], sent);
            }
        }
        assert!(
            read[0]["truncated"] != json!([]) && metadata.len() > 60_000
                || read[0]["metadataText"] == json!(metadata)
                || deep(&metadata),
            "byte for byte"
        );
    });
}

fn deep(text: &str) -> bool {
    ledgerline::event::json::depth(text) > 16
}

/// What is kept of a text is what was sent, or its beginning with replacements.
fn check(token: &str, kept: Option<&Value>, node: &Value, most: usize) {
    let sent = ledgerline::event::json::decode(token).text.into_owned();
    let kept = kept.expect("a field").as_str();
    match kept {
        None => assert!(ledgerline::event::text::is_blank(&sent), "{sent:?} is not kept"),
        Some(kept) => assert!(
            sent.starts_with(kept)
                && (kept.len() == sent.len() || kept.len() > most - 4 || node["truncated"] != json!([])),
            "{kept:?} of {sent:?}"
        ),
    }
}

/// String tokens of JSON: any characters, any escapes, halves of pairs, any length.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => ".{0,6}".prop_map(|text| {
            let token = serde_json::to_string(&text).expect("a text");
            token[1..token.len() - 1].to_owned()
        }),
        1 => (0..=0xFFFF_u32).prop_map(|unit| format!("\\u{unit:04x}")),
        1 => (0xD800..=0xDFFF_u32).prop_map(|unit| format!("\\u{unit:04X}")),
        1 => Just("\\u0000".to_owned()),
        1 => Just(" \\n\u{200b}".to_owned()),
    ];
    let short = proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    (short, prop_oneof![12 => Just(1_usize), 1 => 2..400_usize, 1 => 400..3_000_usize])
        .prop_map(|(piece, times)| format!("\"{}\"", piece.repeat(times)))
}

/// JSON objects with any keys, once each, to any depth.
fn metadata() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![3 => texts(), 1 => any::<i32>().prop_map(|n| n.to_string()), 1 => Just("null".to_owned())];
    let object = |inner| {
        proptest::collection::vec((texts(), inner), 0..6).prop_map(|members| {
            // A key is what is spelled: halves of pairs are not alike.
            let members: BTreeMap<Vec<u8>, String> = members
                .into_iter()
                .map(|(key, value): (String, String)| {
                    (ledgerline::event::json::decode(&key).identity().into_owned(), format!("{key}:{value}"))
                })
                .collect();
            format!("{{{}}}", members.into_values().collect::<Vec<_>>().join(","))
        })
    };
    let value = leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            object(inner.boxed()),
        ]
    });
    (object(value.boxed()), prop_oneof![6 => Just(0_usize), 1 => 1..200_usize])
        .prop_map(|(object, deeper)| (0..deeper).fold(object, |inner, _| format!("{{\"d\":{inner}}}")))
}
