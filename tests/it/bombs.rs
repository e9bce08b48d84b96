//! GraphQL bombs: refused at once, and whoever comes after them is served.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Answer, Database, TestApp};

/// An answer, and how long it took to come.
async fn timed(app: &TestApp, query: &str) -> (Answer, Duration) {
    let token = app.admin("workspace", "acme").token();
    let start = Instant::now();
    let answer = app.graphql(Some(&token), query, json!({})).await;
    (answer, start.elapsed())
}

#[test]
fn bombs_are_answered_at_once() {
    // A build without optimization takes several times the stack of the one that is shipped.
    let run =
        || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(bombs());
    std::thread::Builder::new().stack_size(8 << 20).spawn(run).expect("a thread").join().expect("no panic");
}

async fn bombs() {
    let app = TestApp::start(Database::Sqlite).await;
    let fragments = |count: usize, times: usize| {
        let chain: String = (0..count)
            .map(|i| format!("fragment F{i} on Query {{ {} }} ", format!("...F{} ", i + 1).repeat(times)))
            .collect();
        format!("{{ ...F0 }} {chain} fragment F{count} on Query {{ viewer {{ subject }} }}")
    };
    let bombs = [
        ("nested selections", format!("{}viewer{}", "{ a ".repeat(3_000), "}".repeat(3_000))),
        ("open brackets alone", "{".repeat(500_000)),
        (
            "nested lists",
            format!("{{ auditEvents(first: {}1{}) {{ totalCount }} }}", "[".repeat(100_000), "]".repeat(100_000)),
        ),
        (
            "nested objects",
            format!("{{ auditEvents(filter: {}1{}) {{ totalCount }} }}", "{a:".repeat(50_000), "}".repeat(50_000)),
        ),
        (
            "nested variable types",
            format!("query($a: {}Int{}) {{ viewer {{ subject }} }}", "[".repeat(50_000), "]".repeat(50_000)),
        ),
        ("fragments that double", fragments(40, 2)),
        ("fragments by ten", fragments(6, 10)),
        ("fragments by fifty", fragments(6, 50)),
        ("a cycle of fragments", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned()),
        ("a chain of fragments", fragments(2_000, 1)),
        ("inline fragments", format!("{}{{ viewer {{ subject }} }}{}", "{ ... on Query ".repeat(45), "}".repeat(45))),
        (
            "aliases",
            format!("{{ {} }}", (0..2_000).map(|i| format!("a{i}: viewer {{ subject }} ")).collect::<String>()),
        ),
        (
            "costly aliases",
            format!(
                "{{ {} }}",
                (0..40)
                    .map(|i| format!(
                        "a{i}: auditEvents(first: 100) {{ nodes {{ id action sequence recordedBy metadata outcome }} \
                         }} "
                    ))
                    .collect::<String>()
            ),
        ),
        (
            "depth",
            format!("{{ auditEvents {{ nodes {{ log {{ {} id {} }} }} }} }}", "parent { ".repeat(12), "}".repeat(12)),
        ),
        ("arguments", {
            let many: String = (0..2_000).map(|i| format!("x{i}: 1 ")).collect();
            format!("{{ auditEvents({many}) {{ totalCount }} auditEvents({many}) {{ totalCount }} }}")
        }),
        ("variables", {
            let many = |form: &str| (0..2_000).map(|i| form.replace('#', &i.to_string())).collect::<String>();
            format!(
                "query({}) {{ auditEvents(filter: {{ actions: [{}] }}) {{ totalCount }} }}",
                many("$v#: Int "),
                many("$v# ")
            )
        }),
        (
            "introspection that circles",
            format!("{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type { ".repeat(15), "} }".repeat(15)),
        ),
    ];
    for (name, query) in bombs {
        let (answer, took) = timed(&app, &query).await;
        assert_eq!(
            answer.code(),
            "QUERY_TOO_COMPLEX",
            "{name}: {}",
            String::from_utf8_lossy(&answer.body).chars().take(300).collect::<String>()
        );
        // 50 ms in a release build on a quiet machine; here room for neither.
        assert!(took < Duration::from_secs(1), "{name} took {took:?}");
    }
    // What no operation spreads is no part of what is counted above, and is refused before anything walks down from it.
    let unused: String = (0..9_000).map(|i| format!("fragment F{i} on Query{{...F{}}}", i + 1)).collect();
    let wide: String = (0..3_000).map(|i| format!("fragment F{i} on Query{{...W}}")).collect();
    let wide =
        format!("{wide} fragment W on Query {{ {} }}", (0..12_000).map(|i| format!("a{i}:b ")).collect::<String>());
    for fragments in [unused, wide] {
        let (answer, _) = timed(&app, &format!("{{ __typename }} {fragments}")).await;
        assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    }
    let deep = |brackets: usize| {
        let (open, close) = ("[".repeat(brackets), "]".repeat(brackets));
        format!("{{\"query\": \"{{viewer{{subject}}}}\", \"variables\": {{\"a\": {open}{close}}}}}")
    };
    let (admin, reader) = (app.admin("workspace", "acme"), app.admin("workspace", "acme").scopes("audit:read"));
    let (token, reader) = (admin.token(), reader.token());
    assert_eq!(app.graphql_text(Some(&token), deep(100_000)).await.status, 400);
    // What takes more memory than one organization has, or is long and not from somebody who records, is not read.
    assert_eq!(app.graphql_text(Some(&token), deep(200_000)).await.status, 413);
    assert_eq!(app.graphql_text(Some(&reader), deep(200_000)).await.status, 413);
    // Whoever came after them is served.
    assert_eq!(timed(&app, "{ viewer { subject } }").await.0.data()["viewer"]["subject"], "admin");
    app.finish().await;
}
