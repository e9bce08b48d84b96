//! Metadata, byte for byte, and where it is too large or too deep.

use serde_json::{Value, json};

use super::{EVENT, RECORD, list, record, request, with};
use crate::harness::{TestApp, on_both_databases};

on_both_databases! {
    metadata_text_is_read_back_byte_for_byte_and_as_json_with_the_replacement_visible,
    an_event_that_is_too_large_or_too_deep_is_cut_and_not_refused,
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
