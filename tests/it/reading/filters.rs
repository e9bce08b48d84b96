//! Every filter, and search.

use serde_json::{Value, json};

use super::{actions, list, rich};
use crate::harness::{TestApp, as_of_a_cluster, event, on_both_databases};

on_both_databases! {
    every_filter_alone_keeps_what_it_names,
    email_parts_and_action_prefixes_take_every_character_plainly,
    words_prefixes_phrases_and_labels_are_found_anywhere,
}

as_of_a_cluster! {
    every_filter_alone_keeps_what_it_names,
    words_prefixes_phrases_and_labels_are_found_anywhere,
}

async fn every_filter_alone_keeps_what_it_names(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let mut bare = json!({ "action": "bare", "actor": { "kind": "SYSTEM" } });
    bare["occurredAt"] = json!("2026-01-01T00:00:00Z");
    let mut old = rich("a", "cat-a", "USER", "SUCCESS");
    old["occurredAt"] = json!("2026-02-01T00:00:00Z");
    admin
        .record_all(vec![
            bare,
            old,
            rich("bb", "cat-b", "API_KEY", "FAILURE"),
            rich("ccc", "cat-a", "SERVICE", "ACCEPTED"),
        ])
        .await;
    let (a, b, c) = ("a.act", "bb.act", "ccc.act");
    for (filter, expected) in [
        (json!({}), vec![c, b, a, "bare"]),
        (json!({ "categories": ["cat-a"] }), vec![c, a]),
        (json!({ "categories": ["cat-b", "cat-a"] }), vec![c, b, a]),
        (json!({ "categories": ["CAT-A"] }), vec![]),
        (json!({ "categories": [] }), vec![]),
        (json!({ "actions": ["a.act", "bare"] }), vec![a, "bare"]),
        (json!({ "actions": ["b*"] }), vec![b, "bare"]),
        (json!({ "actions": ["*"] }), vec![c, b, a, "bare"]),
        (json!({ "actions": ["A.ACT"] }), vec![]),
        (json!({ "actions": [] }), vec![]),
        (json!({ "outcomes": ["FAILURE", "ACCEPTED"] }), vec![c, b]),
        (json!({ "actor": { "kinds": ["SYSTEM", "API_KEY"] } }), vec![b, "bare"]),
        (json!({ "actor": { "ids": ["a-id"] } }), vec![a]),
        (json!({ "actor": { "emails": ["a.Mail@Example.com"] } }), vec![a]),
        (json!({ "actor": { "emails": ["a.mail@example.com"] } }), vec![]),
        (json!({ "actor": { "emailContains": "MAIL@EX" } }), vec![c, b, a]),
        (json!({ "actor": { "emailContains": "" } }), vec![c, b, a, "bare"]),
        (json!({ "actor": { "present": true } }), vec![c, b, a]),
        (json!({ "actor": { "present": false } }), vec!["bare"]),
        (json!({ "actor": { "ids": ["a-id", "bb-id"], "kinds": ["API_KEY"] } }), vec![b]),
        (json!({ "resource": { "types": ["a-type"] } }), vec![a]),
        (json!({ "resource": { "types": ["shared"] } }), vec![c, b, a]),
        (json!({ "resource": { "ids": ["bb-second", "ccc-res"] } }), vec![c, b]),
        (json!({ "resource": { "types": ["shared"], "ids": ["bb-second"] } }), vec![b]),
        // Type and id must be those of one resource.
        (json!({ "resource": { "types": ["shared"], "ids": ["bb-res"] } }), vec![]),
        (json!({ "ipAddresses": ["192.0.2.1", "192.0.2.3"] }), vec![c, a]),
        (json!({ "correlationIds": ["bb-job"] }), vec![b]),
        (json!({ "sources": ["a-source"] }), vec![a]),
        (json!({ "sourceEventIds": ["ccc-7"] }), vec![c]),
        (json!({ "occurredAt": { "from": "2026-02-01T00:00:00Z" } }), vec![c, b, a]),
        (json!({ "occurredAt": { "to": "2026-02-01T00:00:00Z" } }), vec!["bare"]),
        (
            json!({ "occurredAt": { "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00.000000001Z" } }),
            vec![a, "bare"],
        ),
        (json!({ "occurredAt": { "from": "2026-02-01T01:00:00+01:00", "to": "2026-02-01T01:00:01+01:00" } }), vec![a]),
        (json!({ "occurredAt": {} }), vec![c, b, a, "bare"]),
        (json!({ "period": { "preset": "LAST_7_DAYS", "timeZone": "UTC" } }), vec![c, b]),
        (json!({ "not": { "categories": ["cat-a"] } }), vec![b, "bare"]),
        (json!({ "not": { "actions": ["b*", "ccc.act"] } }), vec![a]),
        (json!({ "not": { "actorKinds": ["SYSTEM"], "actorIds": ["a-id"] } }), vec![c, b]),
        (json!({ "not": {} }), vec![c, b, a, "bare"]),
        // Some of them together: all must hold.
        (json!({ "categories": ["cat-a"], "outcomes": ["ACCEPTED"] }), vec![c]),
        (json!({ "categories": ["cat-a"], "actions": ["bb.act"] }), vec![]),
        (
            json!({
                "actions": ["a*", "b*", "c*"], "actor": { "emailContains": "mail" },
                "occurredAt": { "from": "2026-02-02T00:00:00Z" }, "not": { "actorKinds": ["SERVICE"] }
            }),
            vec![b],
        ),
        (
            json!({
                "resource": { "types": ["shared"] }, "sources": ["bb-source", "a-source"], "outcomes": ["SUCCESS"]
            }),
            vec![a],
        ),
    ] {
        for (order, reversed) in [("DESC", false), ("ASC", true)] {
            let mut expected = expected.clone();
            if reversed {
                expected.reverse();
            }
            for field in ["OCCURRED_AT", "SEQUENCE"] {
                let page =
                    list(&admin, json!({ "filter": filter, "orderBy": { "field": field, "direction": order } })).await;
                assert_eq!(actions(&page), expected, "{filter} {field} {order}");
                assert_eq!(page["totalCount"], expected.len(), "{filter} {field} {order}");
            }
        }
    }
}

async fn email_parts_and_action_prefixes_take_every_character_plainly(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for (action, email) in [
        ("per%cent", "per%cent@x"),
        ("under_score", "under_score@x"),
        ("underXscore", "underXscore@x"),
        ("star*red", "STAR*@x"),
        ("back\\slash", "back\\slash@x"),
        ("ÄRGER.eins", "Ärger@x"),
    ] {
        admin.record(json!({ "action": action, "actor": { "kind": "USER", "email": email } })).await;
    }
    for (part, expected) in [
        ("%", vec!["per%cent"]),
        ("r_s", vec!["under_score"]),
        ("_", vec!["under_score"]),
        ("star*", vec!["star*red"]),
        ("*", vec!["star*red"]),
        ("\\", vec!["back\\slash"]),
        ("ärg", vec!["ÄRGER.eins"]),
        ("ÄRG", vec!["ÄRGER.eins"]),
        ("x@", vec![]),
    ] {
        assert_eq!(
            actions(&list(&admin, json!({ "filter": { "actor": { "emailContains": part } } })).await),
            expected,
            "{part}"
        );
    }
    for (pattern, expected) in [
        ("per%*", vec!["per%cent"]),
        ("under_*", vec!["under_score"]),
        ("star\\*red", vec!["star*red"]),
        ("star\\**", vec!["star*red"]),
        ("star*", vec!["star*red"]),
        ("star\\*", vec![]),
        ("back\\*", vec![]),
        ("ärger*", vec![]),
        ("ÄRG*", vec!["ÄRGER.eins"]),
        ("under%*", vec![]),
    ] {
        assert_eq!(actions(&list(&admin, json!({ "filter": { "actions": [pattern] } })).await), expected, "{pattern}");
    }
}

async fn words_prefixes_phrases_and_labels_are_found_anywhere(app: &TestApp) {
    let admin = app.admin("scim-platform", "acme");
    let input = |action: &str, metadata: Value| {
        let mut input = event(action);
        input["metadata"] = metadata;
        input
    };
    let mut created = rich("zz", "rbac", "USER", "SUCCESS");
    created["action"] = json!("api_key.created");
    admin
        .record_all(vec![
            created,
            input("api_access_key.created", json!({ "keyname": "Grüße aus München" })),
            input(
                "scim.user_updated",
                json!({ "n": 42, "t": true, "e": "user-42@corp.example", "x": "alpha beta gamma" }),
            ),
            input("auth.login_failed", json!({ "x": ["beta", "alpha"] })),
        ])
        .await;
    let (k, access, scim, failed) =
        ("api_key.created", "api_access_key.created", "scim.user_updated", "auth.login_failed");
    for (search, expected) in [
        // Each place of an event, whole words in any case.
        ("zz", vec![k]),
        ("PERSON", vec![k]),
        ("zzagent", vec![k]),
        ("zzleaf", vec![k]),
        ("zzdeep here", vec![k]),
        ("192.0.2.2", vec![k]),
        ("thing", vec![k]),
        ("grüsse", vec![access]),
        ("GRUSSE", vec![access]),
        ("grüße", vec![access]),
        ("MÜNCHEN", vec![access]),
        ("munchen", vec![access]),
        ("keyname", vec![access]),
        ("\"keyname grüße\"", vec![]),
        ("42", vec![scim]),
        ("true", vec![scim]),
        ("corp.example", vec![scim]),
        ("u1@example.com", vec![failed, scim, access]),
        // Prefixes, and a star that stands alone.
        ("mün*", vec![access]),
        ("zzd* zzl*", vec![k]),
        ("alp* gam*", vec![scim]),
        ("* alpha", vec![failed, scim]),
        ("lph*", vec![]),
        // Phrases: consecutive words of one value.
        ("\"alpha beta\"", vec![scim]),
        ("\"beta alpha\"", vec![]),
        ("\"ALPHA  beta\" gamma", vec![scim]),
        ("alpha beta", vec![failed, scim]),
        ("\"zzdeep words\"", vec![k]),
        // Labels, as people see them; near-twins are told apart by all their words.
        ("created api key", vec![k]),
        ("api key", vec![access, k]),
        ("access key", vec![access]),
        ("login failed", vec![failed]),
        ("\"Created API key\"", vec![k]),
        ("\"api KEY\"", vec![k]),
        ("Updated user", vec![scim]),
        ("provisioning", vec![scim]),
        ("scim prov*", vec![scim]),
        ("authentication", vec![failed]),
        ("role", vec![]),
        ("permissions", vec![k]),
        ("nothing like it", vec![]),
        ("zz münchen", vec![]),
    ] {
        let page = list(&admin, json!({ "search": search })).await;
        let mut found = actions(&page);
        found.sort_unstable();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(found, expected, "{search}");
        assert_eq!(page["totalCount"], found.len(), "{search}");
    }
    // Search, category, action and dates hold together.
    let both = json!({
        "search": "created key*",
        "filter": { "categories": ["rbac"], "actions": ["api*"], "occurredAt": { "from": "2026-01-01T00:00:00Z" } }
    });
    assert_eq!(actions(&list(&admin, both).await), [k]);
}
