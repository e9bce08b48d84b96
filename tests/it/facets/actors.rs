//! Actors: who is one, and what a picker shows of them.

use serde_json::{Value, json};

use super::{acts, by, facet, picked};
use crate::harness::{TestApp, on_both_databases};

on_both_databases! {
    the_picker_gives_the_busiest_actors_that_fit,
    actors_are_told_apart_by_kind_and_id_else_e_mail_else_name,
    an_actor_is_shown_as_the_newest_event_says,
    a_picker_of_some_logs_shows_what_those_say,
}

async fn the_picker_gives_the_busiest_actors_that_fit(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for (id, name, email, times) in [
        ("u-1", "Ada Lovelace", "ada@example.com", 3),
        ("u-2", "Bob % Percent", "bob_b@example.com", 2),
        ("u-3", "Ärger Name", "c@elsewhere.example", 1),
    ] {
        admin
            .record_all(vec![
                json!({ "action": "a.b", "actor": { "kind": "USER", "id": id, "name": name, "email": email } });
                times
            ])
            .await;
    }
    let ask = async |arguments: &str| {
        let data =
            admin.data(&format!("{{ actors{arguments} {{ kind externalId name email label }} }}"), json!({})).await;
        data["actors"]
            .as_array()
            .expect("actors")
            .iter()
            .map(|actor| actor["externalId"].as_str().unwrap_or("none").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ask("").await, ["u-1", "u-2", "u-3"]);
    assert_eq!(ask("(first: 1)").await, ["u-1"]);
    assert_eq!(ask("(first: 0)").await, Vec::<String>::new());
    for (matching, expected) in [
        ("LOVE", vec!["u-1"]),
        ("example.com", vec!["u-1", "u-2"]),
        ("u-3", vec!["u-3"]),
        ("ärg", vec!["u-3"]),
        ("%", vec!["u-2"]),
        ("_", vec!["u-2"]),
        ("zzz", vec![]),
        ("", vec!["u-1", "u-2", "u-3"]),
    ] {
        assert_eq!(ask(&format!("(matching: \"{matching}\")")).await, expected, "{matching}");
    }
}

async fn actors_are_told_apart_by_kind_and_id_else_e_mail_else_name(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    // Each text stands for an id, an e-mail address, a name and a kind; none of these is another.
    let mut expected = Vec::new();
    for text in ["SERVICE", "u-77", "ada@example.com"] {
        for kind in ["USER", "SERVICE"] {
            for (n, actor) in
                [by(kind, Some(text), None, None), by(kind, None, None, Some(text)), by(kind, None, Some(text), None)]
                    .into_iter()
                    .enumerate()
            {
                acts(&admin, &vec![(0, actor.clone()); n + 1]).await;
                expected.push(json!([actor["kind"], actor["id"], actor["name"], actor["email"], n + 1]).to_string());
            }
        }
    }
    for kind in ["USER", "SERVICE"] {
        acts(&admin, &[(0, by(kind, None, None, None))]).await;
        expected.push(json!([kind, null, null, null, 1]).to_string());
    }
    expected.sort_unstable();
    for variables in [json!({}), json!({ "search": "a" }), json!({ "search": "\"a b\"" }), json!({ "nested": true })] {
        let found = facet(&admin, "actors", variables).await;
        let mut found: Vec<_> = found.as_array().expect("rows").iter().map(Value::to_string).collect();
        found.sort_unstable();
        assert_eq!(found, expected);
    }
    let mut picked = picked(&admin, "(first: 100)").await;
    picked.sort_unstable();
    picked.dedup();
    assert_eq!(picked.len(), expected.len());
}

async fn an_actor_is_shown_as_the_newest_event_says(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let ada = |name: Option<&'static str>, email| by("USER", Some("u-77"), name, email);
    // The newest by time is recorded in between; of the last two, which share their instant, the later recorded counts.
    acts(
        &admin,
        &[
            (1, ada(Some("Ada Old"), Some("old@example.com"))),
            (1, ada(Some("Ada Old"), Some("old@example.com"))),
            (9, ada(Some("Ada New"), None)),
            (2, ada(None, Some("old@example.com"))),
            (3, by("USER", None, Some("Bob"), Some("bob@example.com"))),
            (4, by("USER", None, Some("Robert"), Some("bob@example.com"))),
            (4, by("USER", None, Some("Rob"), Some("bob@example.com"))),
        ],
    )
    .await;
    let all = json!([["USER", "u-77", "Ada New", null, 4], ["USER", null, "Rob", "bob@example.com", 3]]);
    for variables in [
        json!({}),
        json!({ "search": "a" }),
        json!({ "search": "\"a b\"" }),
        json!({ "filter": { "actor": { "ids": ["nobody"] } } }),
        json!({ "filter": { "actions": ["a.*"] } }),
        json!({ "log": { "level": "organisation", "id": "acme" } }),
    ] {
        assert_eq!(facet(&admin, "actors", variables.clone()).await, all, "{variables}");
    }
    // The newest of what is listed.
    let before = json!({ "filter": { "occurredAt": { "to": "2026-03-01T12:04:00Z" } } });
    assert_eq!(
        facet(&admin, "actors", before).await,
        json!([["USER", "u-77", null, "old@example.com", 3], ["USER", null, "Bob", "bob@example.com", 1]])
    );
    // A picker has each once, finds them by what they were called before, and counts all of their events.
    let (ada, bob) = ("USER u-77 Ada New -", "USER - Rob bob@example.com");
    for (arguments, expected) in [
        ("", vec![ada, bob]),
        ("(first: 1)", vec![ada]),
        ("(matching: \"ada\")", vec![ada]),
        ("(matching: \"ADA OLD\")", vec![ada]),
        ("(matching: \"old@\")", vec![ada]),
        ("(matching: \"robert\")", vec![bob]),
        ("(matching: \"example.com\")", vec![ada, bob]),
        ("(matching: \"zoe\")", vec![]),
    ] {
        assert_eq!(picked(&admin, arguments).await, expected, "{arguments}");
    }
}

async fn a_picker_of_some_logs_shows_what_those_say(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let within = |log: Option<&str>, minute: u32, name: &str| {
        let log = log.map(|id| json!({ "level": "project", "id": id }));
        json!({
            "action": "a.b", "actor": by("USER", Some("u-77"), Some(name), None), "log": log,
            "occurredAt": format!("2026-03-01T12:{minute:02}:00Z")
        })
    };
    let events = vec![
        within(Some("p1"), 1, "One"),
        within(Some("p2"), 2, "Two"),
        within(Some("p3"), 3, "Three"),
        within(None, 4, "Four"),
    ];
    admin.record_all(events).await;
    assert_eq!(picked(&admin, "").await, ["USER u-77 Four -"]);
    for (logs, name) in [
        (&["project:p1"][..], "One"),
        (&["project:p1", "project:p2"], "Two"),
        (&["project:p2", "project:p1"], "Two"),
        (&["project:p3", "project:p1"], "Three"),
    ] {
        let narrowed = app.admin("workspace", "acme").logs(logs);
        assert_eq!(picked(&narrowed, "").await, [format!("USER u-77 {name} -")], "{logs:?}");
        assert_eq!(picked(&narrowed, "(matching: \"four\")").await, Vec::<String>::new(), "{logs:?}");
        assert_eq!(
            picked(&narrowed, "(matching: \"one\")").await.len(),
            usize::from(logs.contains(&"project:p1")),
            "{logs:?}"
        );
    }
}
