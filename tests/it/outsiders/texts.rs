//! Texts that are too long, blank, or of characters that no database holds.

use serde_json::{Value, json};

use super::{EVENT, LIST, RECORD, list, record, request, with};
use crate::harness::{TestApp, event, on_both_databases};

on_both_databases! {
    long_texts_are_kept_up_to_their_limit_and_cut_between_characters,
    what_no_database_holds_is_replaced_where_it_is_seen,
    blank_texts_are_absent_everywhere,
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
    // What is asked with half a pair is asked with something that no event has, and the answer says so.
    let answer =
        app.graphql_text(Some(&caller.token()), request(LIST, r#"{"search": "\ud83d"}"#).replace("...E", "id")).await;
    assert_eq!(answer.field(), "search");
    let answer = app
        .graphql_text(
            Some(&caller.token()),
            request(LIST, r#"{"filter": {"sources": ["\ud83d"]}}"#).replace("...E", "id"),
        )
        .await;
    assert_eq!(answer.field(), "filter.sources");
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
