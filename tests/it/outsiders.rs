//! Whatever an outsider puts into a field, the event is recorded, and what was cut or replaced is marked.

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
    long_texts_are_kept_up_to_their_limit_and_cut_between_characters,
    what_no_database_holds_is_replaced_where_it_is_seen,
    metadata_text_is_read_back_byte_for_byte_and_as_json_with_the_replacement_visible,
    an_event_that_is_too_large_or_too_deep_is_cut_and_not_refused,
    blank_texts_are_absent_everywhere,
    a_strict_caller_is_refused_for_all_that_would_be_marked,
    a_repeated_request_is_the_same_however_much_of_it_was_cut,
    whatever_text_an_outsider_sends_is_recorded_and_reads_back,
}

async fn long_texts_are_kept_up_to_their_limit_and_cut_between_characters(app: &TestApp) {
    let caller = app.admin("workspace", "acme");
    // A header of 8 kB is kept as it is.
    let full = record(&caller, with("userAgent", json!("U".repeat(8_192)))).await;
    assert_eq!((full["userAgent"].as_str().map(str::len), &full["truncated"]), (Some(8_192), &json!([])));
    let list_of = vec!["203.0.113.111"; 500].join(", ");
    let forwarded = record(&caller, with("ipAddress", json!(list_of))).await;
    assert_eq!(
        (forwarded["ipAddress"].as_str().map(str::len), forwarded["truncated"].clone()),
        (Some(7_498), json!([]))
    );
    assert_eq!(list(&caller, json!({ "ipAddresses": [list_of] }), "").await.len(), 1);
    for (input, path, field, bytes) in [
        (with("userAgent", json!("é".repeat(9_000))), "userAgent", "/userAgent", 8_192),
        (with("ipAddress", json!("203.0.113.111, ".repeat(1_000))), "ipAddress", "/ipAddress", 8_192),
        (with("correlationId", json!("x".repeat(2_049))), "correlationId", "/correlationId", 2_048),
        (with("source", json!("日".repeat(1_000))), "source", "/source", 2_046),
        (with("sourceEventId", json!("👍".repeat(600))), "sourceEventId", "/sourceEventId", 2_048),
        (
            with("actor", json!({ "kind": "ANONYMOUS", "email": "x".repeat(3_000) })),
            "actor.email",
            "/actor/email",
            2_048,
        ),
        (with("actor", json!({ "kind": "USER", "id": "x".repeat(3_000) })), "actor.id", "/actor/externalId", 2_048),
        (with("actor", json!({ "kind": "USER", "name": "x".repeat(3_000) })), "actor.name", "/actor/name", 2_048),
        (
            with("onBehalfOf", json!({ "kind": "USER", "name": "x".repeat(3_000) })),
            "onBehalfOf.name",
            "/onBehalfOf/name",
            2_048,
        ),
        (
            with("resources", json!([{ "id": "r" }, { "type": "t".repeat(3_000) }])),
            "resources[1].type",
            "/resources/1/type",
            2_048,
        ),
        (
            with("log", json!({ "level": "project", "id": "p", "name": "n".repeat(3_000) })),
            "log.name",
            "/log/name",
            2_048,
        ),
    ] {
        let kept = record(&caller, input).await;
        assert_eq!(kept["truncated"], json!([path]), "{kept}");
        assert_eq!(kept.pointer(field).and_then(Value::as_str).map(str::len), Some(bytes), "{path}");
    }
    let many =
        record(&caller, with("resources", json!((0..51).map(|i| json!({ "id": i.to_string() })).collect::<Vec<_>>())))
            .await;
    assert_eq!((many["resources"].as_array().map(Vec::len), &many["truncated"]), (Some(50), &json!(["resources"])));
}

async fn what_no_database_holds_is_replaced_where_it_is_seen(app: &TestApp) {
    let (caller, r) = (app.admin("workspace", "acme"), "\u{fffd}");
    let login = record(&caller, with("actor", json!({ "kind": "ANONYMOUS", "email": "ana\u{0}@example.com" }))).await;
    assert_eq!(
        (&login["actor"]["email"], &login["truncated"]),
        (&json!(format!("ana{r}@example.com")), &json!(["actor.email"]))
    );
    // Found by what is shown, by its parts and by its mark.
    assert_eq!(
        list(&caller, json!({ "actor": { "emails": [login["actor"]["email"]] } }), "").await,
        std::slice::from_ref(&login)
    );
    assert_eq!(list(&caller, json!({ "truncated": true }), "ana").await, [login]);
    // Halves of pairs, wherever the variables carry them.
    let half = r#"cut \ud83d"#;
    let field = |name: &str, value: &str| {
        let actor = if name == "actor" { "" } else { r#""actor": {"kind": "USER"}, "# };
        format!(r#"{{"input": {{"action": "a.b", {actor}"{name}": {value}}}}}"#)
    };
    for (variables, path, pointer) in [
        (field("userAgent", &format!("\"{half}\"")), "userAgent", "/userAgent"),
        (field("source", &format!("\"{half}\"")), "source", "/source"),
        (field("actor", &format!(r#"{{"kind": "USER", "name": "{half}"}}"#)), "actor.name", "/actor/name"),
        (field("resources", &format!(r#"[{{"name": "{half}"}}]"#)), "resources[0].name", "/resources/0/name"),
        (field("log", &format!(r#"{{"level": "project", "id": "p", "name": "{half}"}}"#)), "log.name", "/log/name"),
        (field("metadata", &format!(r#"{{"a": ["{half}"]}}"#)), "metadata.a[0]", "/metadata/a/0"),
    ] {
        let answer = app.graphql_text(Some(&caller.token()), request(&format!("{RECORD}{EVENT}"), &variables)).await;
        let kept = answer.data()["recordAuditEvent"]["event"].clone();
        assert_eq!(kept["truncated"], json!([path]), "{kept}");
        assert_eq!(kept.pointer(pointer), Some(&json!(format!("cut {r}"))), "{path}");
    }
    // As a variable of its own in a document that writes the event.
    let query = "mutation($agent: String, $metadata: JSON) { recordAuditEvent(input: { action: \"a.b\", \
                 actor: { kind: USER }, userAgent: $agent, metadata: $metadata }) { truncated \
                 event { userAgent metadataText } } }";
    let answer = app
        .graphql_text(Some(&caller.token()), request(query, r#"{"agent": "\udc00", "metadata": {"x": "\ud83d"}}"#))
        .await;
    assert_eq!(
        answer.data()["recordAuditEvent"],
        json!({
            "truncated": ["userAgent", "metadata.x"],
            "event": { "userAgent": r, "metadataText": "{\"x\":\"\\ud83d\"}" }
        })
    );
    // Written into the document itself: a pair, half of one, and both spelled without escapes.
    let literal = r#"mutation { recordAuditEvent(input: { action: "a.b", actor: { kind: USER, name: "\ud83d\ude00" }, userAgent: "cut \ud83d" }) { truncated event { userAgent actor { name } } } }"#;
    assert_eq!(
        caller.data(literal, json!({})).await["recordAuditEvent"],
        json!({ "truncated": ["userAgent"], "event": { "userAgent": format!("cut {r}"), "actor": { "name": "😀" } } })
    );
    // Bytes that are no UTF-8, in a client that does not look.
    let mut bytes = request(&format!("{RECORD}{EVENT}"), &field("userAgent", "\"M\u{fc}nchen\"")).into_bytes();
    let place = bytes.windows(2).position(|two| two == "\u{fc}".as_bytes()).expect("the letter");
    bytes.splice(place..place + 2, [0xFC]);
    let answer = app.graphql_bytes(Some(&caller.token()), bytes).await;
    let kept = answer.data()["recordAuditEvent"]["event"].clone();
    assert_eq!((&kept["userAgent"], &kept["truncated"]), (&json!(format!("M{r}nchen")), &json!(["userAgent"])));
    // What is asked with half a pair is asked with something that no event has, and says so.
    let answer =
        app.graphql_text(Some(&caller.token()), request(LIST, r#"{"search": "\ud83d"}"#).replace("...E", "id")).await;
    assert!(answer.data()["auditEvents"]["totalCount"].is_number());
    let answer = app
        .graphql_text(
            Some(&caller.token()),
            request(LIST, r#"{"filter": {"sources": ["\ud83d"]}}"#).replace("...E", "id"),
        )
        .await;
    assert_eq!(answer.field(), "filter.sources");
}

async fn metadata_text_is_read_back_byte_for_byte_and_as_json_with_the_replacement_visible(app: &TestApp) {
    let (caller, r) = (app.admin("workspace", "acme"), '\u{fffd}');
    for (text, shown, truncated, words) in [
        (
            r#"{"note":"cut \ud83d","reason":"policy 42"}"#,
            json!({ "note": format!("cut {r}"), "reason": "policy 42" }),
            json!(["metadata.note"]),
            vec!["cut", "policy", "42"],
        ),
        (
            r#"{ "a" : "nul \u0000 byte" }"#,
            json!({ "a": format!("nul {r} byte") }),
            json!(["metadata.a"]),
            vec!["nul", "byte"],
        ),
        (
            r#"{"deep":[{"x":"\uDC00low"}]}"#,
            json!({ "deep": [{ "x": format!("{r}low") }] }),
            json!(["metadata.deep[0].x"]),
            vec!["low"],
        ),
        // Keys that differ in what cannot be read are two, and both are read.
        (
            r#"{"\ud83d":"first","\ud83e":"second"}"#,
            json!({ format!("{r}"): "first", format!("{r} (2)"): "second" }),
            json!([format!("metadata.{r}")]),
            vec!["first", "second"],
        ),
        (
            r#"{"\u0000":1,"\ufffd":2}"#,
            json!({ format!("{r}"): 1, format!("{r} (2)"): 2 }),
            json!([format!("metadata.{r}")]),
            vec![],
        ),
        (r#"{"whole":"\ud83d\ude00"}"#, json!({ "whole": "😀" }), json!([]), vec![]),
        (
            r#"{"huge":1E400,"half":"\ud83d"}"#,
            json!({ "huge": "1E400", "half": format!("{r}") }),
            json!(["metadata.half"]),
            vec!["1E400"],
        ),
    ] {
        let kept = record(&caller, with("metadataText", json!(text))).await;
        assert_eq!((&kept["metadataText"], &kept["metadata"], &kept["truncated"]), (&json!(text), &shown, &truncated));
        for word in words {
            assert!(list(&caller, json!({}), word).await.contains(&kept), "{word} of {text}");
        }
    }
    // The same key spelled in two ways is there twice.
    for twice in [r#"{"\ud83d":1,"\uD83D":2}"#, r#"{"a":1,"\u0061":2}"#] {
        let answer =
            caller.ask(&format!("{RECORD}{EVENT}"), json!({ "input": with("metadataText", json!(twice)) })).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT");
        assert!(answer.errors()[0]["extensions"]["rule"].as_str().is_some_and(|rule| rule.contains("once")), "{twice}");
    }
    // A text that itself was cut in an emoji before it was sent.
    let variables =
        r#"{"input": {"action": "a.b", "actor": {"kind": "USER"}, "metadataText": "{\"a\": \"x\ud83d\"}"}}"#;
    let kept = app.graphql_text(Some(&caller.token()), request(&format!("{RECORD}{EVENT}"), variables)).await.data()
        ["recordAuditEvent"]["event"]
        .clone();
    assert_eq!((&kept["metadata"], &kept["truncated"]), (&json!({ "a": format!("x{r}") }), &json!(["metadata.a"])));
}

async fn an_event_that_is_too_large_or_too_deep_is_cut_and_not_refused(app: &TestApp) {
    let caller = app.admin("workspace", "acme");
    let long =
        record(&caller, with("metadata", json!({ "headers": { "cookie": "c".repeat(70_000), "host": "h" }, "n": 1 })))
            .await;
    assert_eq!(
        (&long["truncated"], &long["metadata"]["headers"]["host"], &long["metadata"]["n"]),
        (&json!(["metadata.headers.cookie"]), &json!("h"), &json!(1))
    );
    assert!(long["metadata"]["headers"]["cookie"].as_str().is_some_and(|text| text.len() > 64_000));
    let keys: serde_json::Map<_, _> = (0..20_000).map(|i| (format!("key{i}"), json!(i))).collect();
    let many = record(&caller, with("metadata", Value::Object(keys))).await;
    assert_eq!((&many["truncated"], &many["metadata"]["key0"]), (&json!(["metadata"]), &json!(0)));
    assert!(many["metadata"].as_object().is_some_and(|object| object.len() > 3_000));
    // All texts at their limits at once: every one keeps its beginning.
    let most = |c: &str| c.repeat(2_048);
    let all = json!({
        "action": "a.b", "actor": { "kind": "USER", "id": most("i"), "name": most("n"), "email": most("\u{1}e") },
        "userAgent": most("\"u\\ "),
        "resources": vec![json!({ "type": most("t"), "id": most("i"), "name": most("n") }); 50],
        "metadataText": format!("{{\"m\":\"{}\"}}", most("m"))
    });
    let all = record(&caller, all).await;
    assert_eq!(
        all["truncated"].as_array().map(|paths| paths.contains(&json!("resources"))),
        Some(true),
        "{}",
        all["truncated"]
    );
    assert_eq!(all["metadata"]["m"].as_str().map(str::len), Some(2_048), "metadata was not what was too large");
    assert!(all["resources"].as_array().is_some_and(
        |all| all.len() == 50 && all.iter().all(|each| each["name"].as_str().is_some_and(|name| name.len() > 50))
    ));
    // Deeper than 16 levels: the JSON as a text; deeper than the body is read, too.
    for depth in [17, 60, 101, 200, 5_000] {
        let text = format!("{}\"leaf\"{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let at = format!("metadata{}", ".a".repeat(16));
        let below = format!("{}\"leaf\"{}", "{\"a\":".repeat(depth - 16), "}".repeat(depth - 16));
        let kept = record(&caller, with("metadataText", json!(text))).await;
        assert_eq!(kept["truncated"], json!([at]), "{depth}");
        assert_eq!(kept.pointer(&format!("/metadata{}", "/a".repeat(16))), Some(&json!(below)), "{depth}");
        let variables = format!(r#"{{"input": {{"action": "a.b", "actor": {{"kind": "USER"}}, "metadata": {text}}}}}"#);
        let sent = app
            .graphql_text(Some(&caller.token()), request(&format!("{RECORD}{EVENT}"), &variables))
            .await
            .data()["recordAuditEvent"]["event"]
            .clone();
        assert_eq!((&sent["metadataText"], &sent["truncated"]), (&kept["metadataText"], &kept["truncated"]), "{depth}");
    }
}

async fn blank_texts_are_absent_everywhere(app: &TestApp) {
    let caller = app.admin("workspace", "acme");
    for blank in ["", "  ", "\n", "\u{a0}", "\u{3000}\u{2003}", "\u{200b}", "\u{feff}", "\u{3164}\u{2060}", "\u{2800}"]
    {
        let mut input = event("thing.done");
        let nobody = json!({ "kind": "USER", "id": blank, "name": blank, "email": blank });
        for (field, value) in [
            ("actor", nobody.clone()),
            ("onBehalfOf", nobody),
            ("resources", json!([{ "type": blank, "id": blank, "name": blank }, { "id": "r", "name": blank }])),
            ("ipAddress", json!(blank)),
            ("userAgent", json!(blank)),
            ("correlationId", json!(blank)),
            ("source", json!(blank)),
            ("sourceEventId", json!(blank)),
            ("log", json!({ "level": "project", "id": "p", "name": blank })),
        ] {
            input[field] = value;
        }
        let kept = record(&caller, input).await;
        assert_eq!(kept["truncated"], json!([]), "{blank:?}");
        for field in [
            "/actor/externalId",
            "/actor/name",
            "/actor/email",
            "/onBehalfOf/externalId",
            "/onBehalfOf/name",
            "/resources/0/name",
            "/resources/0/type",
            "/ipAddress",
            "/userAgent",
            "/correlationId",
            "/source",
            "/sourceEventId",
            "/log/name",
        ] {
            assert_eq!(kept.pointer(field), Some(&Value::Null), "{field} {blank:?}");
        }
        assert_eq!(
            (&kept["resources"], &kept["actor"]["label"]),
            (
                &json!([
                    { "type": null, "externalId": null, "name": null },
                    { "type": null, "externalId": "r", "name": null }
                ]),
                &json!("User")
            )
        );
        // In what is ours, they are refused.
        for (field, value) in [
            ("action", json!(blank)),
            ("category", json!(blank)),
            ("idempotencyKey", json!(blank)),
            ("log", json!({ "level": "project", "id": blank })),
        ] {
            let answer = caller.ask(&format!("{RECORD}{EVENT}"), json!({ "input": with(field, value) })).await;
            let expected = if field == "log" { "input.log.id".to_owned() } else { format!("input.{field}") };
            assert_eq!((answer.code().as_str(), answer.field()), ("BAD_USER_INPUT", expected), "{field} {blank:?}");
        }
        let anybody = app.admin("workspace", "acme").without_organization();
        let answer =
            anybody.ask(&format!("{RECORD}{EVENT}"), json!({ "input": with("organization", json!(blank)) })).await;
        assert_eq!(
            (answer.code().as_str(), answer.field().as_str()),
            ("BAD_USER_INPUT", "input.organization"),
            "{blank:?}"
        );
    }
    assert_eq!(list(&caller, json!({ "actor": { "present": true } }), "").await.len(), 0);
    let data = caller
        .data(
            "{ auditEvents(includeNested: true) { facets { actors { buckets { value label } } } } \
             actors { externalId name email label } }",
            json!({}),
        )
        .await;
    assert_eq!(data["auditEvents"]["facets"]["actors"]["buckets"].as_array().map(Vec::len), Some(1), "{data}");
    assert_eq!(data["actors"].as_array().map(Vec::len), Some(1), "{data}");
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
