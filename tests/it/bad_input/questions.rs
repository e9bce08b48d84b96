//! Questions that break a rule, and search texts that would be syntax elsewhere.

use serde_json::json;

use super::{LIST, refusal};
use crate::harness::{TestApp, event, on_both_databases};

on_both_databases! {
    questions_that_break_a_rule_are_named,
    no_search_text_reaches_the_database_as_syntax,
}

async fn questions_that_break_a_rule_are_named(app: &TestApp) {
    let reader = app.admin("workspace", "acme");
    reader.record(event("a.b")).await;
    let many = |n: usize| json!(vec!["x"; n]);
    let range = |from: &str, to: &str| json!({ "filter": { "occurredAt": { "from": from, "to": to } } });
    for (variables, field, rule) in [
        (json!({ "first": 1, "last": 1 }), "last", "first"),
        (json!({ "first": -1 }), "first", "got -1"),
        (json!({ "first": 101 }), "first", "100, got 101"),
        (json!({ "last": -1 }), "last", "got -1"),
        (json!({ "last": 101 }), "last", "100, got 101"),
        (json!({ "after": "x" }), "after", "cursor"),
        (json!({ "before": "" }), "before", "cursor"),
        (json!({ "after": "\u{0}" }), "after", "cursor"),
        (range("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), "filter.occurredAt", ""),
        (range("x", "2026-01-01T00:00:00Z"), "filter.occurredAt.from", "RFC 3339"),
        (range("2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z"), "filter.occurredAt.to", "RFC 3339"),
        (
            json!({ "filter": { "period": { "preset": "TODAY", "timeZone": "Mars/Olympus" } } }),
            "filter.period.timeZone",
            "Mars/Olympus",
        ),
        (json!({ "filter": { "period": { "preset": "TODAY", "timeZone": "" } } }), "filter.period.timeZone", "IANA"),
        (
            json!({ "filter": { "period": { "preset": "TODAY", "timeZone": "UTC" }, "occurredAt": {} } }),
            "filter.period",
            "occurredAt",
        ),
        (json!({ "filter": { "actions": many(101) } }), "filter.actions", "100 values, got 101"),
        (json!({ "filter": { "categories": many(101) } }), "filter.categories", "100"),
        (json!({ "filter": { "not": { "actorIds": many(101) } } }), "filter.not.actorIds", "100"),
        (json!({ "filter": { "actor": { "ids": ["\u{0}"] } } }), "filter.actor.ids", "NUL"),
        (json!({ "filter": { "actor": { "emailContains": "\u{0}" } } }), "filter.actor.emailContains", "NUL"),
        (json!({ "filter": { "actor": { "emails": ["x".repeat(2_049)] } } }), "filter.actor.emails", "2048"),
        (json!({ "filter": { "actor": { "nameContains": "\u{0}" } } }), "filter.actor.nameContains", "NUL"),
        (json!({ "filter": { "actor": { "names": ["x".repeat(2_049)] } } }), "filter.actor.names", "2048"),
        (json!({ "filter": { "resource": { "names": vec!["x"; 101] } } }), "filter.resource.names", "100"),
        (json!({ "filter": { "ipAddresses": ["\u{0}"] } }), "filter.ipAddresses", "NUL"),
        (json!({ "search": "x".repeat(257) }), "search", "256"),
        (json!({ "search": "🚀 !!!" }), "search", "a letter or a number"),
        (json!({ "search": "a b c d e f g h i j k l m n o p q" }), "search", "16"),
        (json!({ "log": { "level": "planet", "id": "x" } }), "log.level", "organisation, project"),
        (json!({ "log": { "level": "project", "id": "" } }), "log.id", "empty"),
        (json!({ "log": { "level": "project", "id": "\u{0}" } }), "log.id", "NUL"),
    ] {
        let answer = reader.ask(LIST, variables.clone()).await;
        let (code, named, told) = refusal(&answer);
        assert_eq!((code.as_str(), named.as_str()), ("BAD_USER_INPUT", field), "{variables}");
        assert!(told.contains(rule), "{field}: {told:?} lacks {rule:?}");
    }
    let zone = reader.ask("{ auditEvents { facets(timeZone: \"Nowhere\") { days { day } } } }", json!({})).await;
    assert_eq!((zone.code().as_str(), zone.field().as_str()), ("BAD_USER_INPUT", "timeZone"));
    for (arguments, field) in [("first: -1", "first"), ("first: 101", "first"), ("matching: \"\\u0000\"", "matching")] {
        let answer = reader.ask(&format!("{{ actors({arguments}) {{ externalId }} }}"), json!({})).await;
        assert_eq!((answer.code().as_str(), answer.field().as_str()), ("BAD_USER_INPUT", field));
    }
    // What async-graphql itself refuses in a field names its argument too, as a literal and by a variable.
    let huge = 3_000_000_000_i64;
    for (query, variables) in [
        (format!("{{ queryCompletions(text: \"\", at: {huge}) {{ from }} }}"), json!({})),
        (
            "query($n: Int) { ...F } fragment F on Query { queryCompletions(text: \"\", at: $n) { from } }".to_owned(),
            json!({ "n": huge }),
        ),
    ] {
        let answer = reader.ask(&query, variables).await;
        let (code, named, told) = refusal(&answer);
        assert_eq!((code.as_str(), named.as_str()), ("BAD_USER_INPUT", "at"), "{query}");
        assert!(told.starts_with("Only integers from"), "{told}");
    }
    for (variables, code) in [
        (json!({ "first": "1" }), 400),
        (json!({ "first": 1.5 }), 400),
        (json!({ "first": 3_000_000_000_i64 }), 400),
        (json!({ "filter": { "nothing": 1 } }), 400),
        (json!({ "filter": { "outcomes": ["MAYBE"] } }), 400),
    ] {
        let answer = reader.ask(LIST, variables.clone()).await;
        let told = answer.code();
        assert!(
            ["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&told.as_str()),
            "{variables}: {:#}",
            answer.json()
        );
        assert_eq!(answer.status.as_u16(), code, "{variables}: {:#}", answer.json());
    }
}

async fn no_search_text_reaches_the_database_as_syntax(app: &TestApp) {
    let reader = app.admin("workspace", "acme");
    for (action, text) in [
        ("one", "it's \"quoted\" (near) col:value AND OR NOT"),
        ("two", "plain 👍 emoji ünïcode ß İstanbul"),
        ("three", "a'b--c;d/*e*/ %f_ \\g"),
    ] {
        let mut input = event(action);
        input["metadata"] = json!({ "text": text });
        reader.record(input).await;
    }
    let nasty = [
        "\"",
        "\"\"",
        "\"\"\"",
        "*",
        "**",
        "(",
        ")",
        "()",
        "((((",
        "NEAR",
        "NEAR(a b)",
        "NEAR/2",
        "col:",
        "col:value",
        "terms:x",
        "AND",
        "OR",
        "NOT",
        "a AND",
        "-x",
        "+x",
        "^x",
        "x^2",
        "👍",
        "👍*",
        "…",
        "!?.,;",
        "    ",
        "",
        "'",
        "''",
        "';--",
        "'; DROP TABLE event; --",
        "\\",
        "\\g",
        "%",
        "_",
        "%f_",
        "a & b",
        "a | !b",
        "a <-> b",
        ":*",
        "x:*",
        "x:A",
        "<2>",
        "$1",
        "?1",
        "@x",
        "{x}",
        "[x]",
        "~",
        "\u{0}",
        "a\u{0}b",
        "\u{1}",
        "\u{7f}",
        "\u{feff}",
        "\u{200b}",
        "\u{202e}x",
        "\u{10ffff}",
        "ﬁ",
        "İ*",
        "ß*",
        "e\u{301}*",
        "\"a b",
        "a\" b",
        "\"a*\"",
        "* a",
        "*a",
        "a**b*",
        "=a1",
        "=*",
        "0*",
        "00001*",
    ];
    let long = "x".repeat(256);
    let words = ["word "; 16].concat();
    for text in nasty.into_iter().chain([long.as_str(), words.as_str()]) {
        for order in ["OCCURRED_AT", "SEQUENCE"] {
            let query = format!(
                "query($search: String) {{ auditEvents(search: $search, orderBy: {{ field: {order}, \
                 direction: DESC }}) {{ totalCount nodes {{ action }} facets {{ \
                 actions {{ buckets {{ count }} }} }} }} }}"
            );
            let answer = reader.ask(&query, json!({ "search": text })).await;
            let json = answer.json();
            if json["errors"].is_array() {
                assert_eq!(
                    (answer.code().as_str(), answer.field().as_str()),
                    ("BAD_USER_INPUT", "search"),
                    "{text:?}: {json:#}"
                );
            } else {
                let page = &json["data"]["auditEvents"];
                assert_eq!(
                    page["totalCount"].as_u64(),
                    page["nodes"].as_array().map(|nodes| nodes.len() as u64),
                    "{text:?}"
                );
            }
        }
        // The same texts as values of filters.
        if !text.contains('\0') {
            for filter in [
                json!({ "actions": [text] }),
                json!({ "actor": { "emailContains": text } }),
                json!({ "actor": { "nameContains": text } }),
                json!({ "actor": { "ids": [text], "names": [text], "emails": [text] } }),
                json!({ "resource": { "types": [text], "ids": [text], "names": [text] } }),
                json!({ "categories": [text], "sources": [text], "ipAddresses": [text] }),
            ] {
                reader.data(LIST, json!({ "filter": filter })).await;
            }
            reader.data("query($m: String) { actors(matching: $m) { externalId } }", json!({ "m": text })).await;
        }
    }
    for (text, found) in [
        ("near", "one"),
        ("col:value", "one"),
        ("and or not", "one"),
        ("İSTANBUL", "two"),
        ("ÜNÏCODE", "two"),
        ("a'b--c", "three"),
        ("%f_", "three"),
        ("\"a b c d e\"", "three"),
    ] {
        let page = reader.data(LIST, json!({ "search": text })).await;
        assert_eq!(page["auditEvents"]["nodes"], json!([{ "action": found }]), "{text}");
    }
}
