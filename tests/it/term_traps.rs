//! The traps of a search index that holds everything: letters, case, blanks, dashes, numbers, long words.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::harness::{Caller, Database, TestApp, event, on_both_databases};

async fn total(reader: &Caller<'_>, filter: Value, search: Option<&str>) -> i64 {
    let query = "query($filter: AuditEventFilter, $search: String) { auditEvents(filter: $filter, search: $search) {
        totalCount nodes { id } } }";
    let list = reader.data(query, json!({ "filter": filter, "search": search })).await["auditEvents"].clone();
    let total = list["totalCount"].as_i64().expect("a total");
    assert_eq!(list["nodes"].as_array().expect("nodes").len() as i64, total.min(20));
    total
}

async fn found(reader: &Caller<'_>, search: &str) -> i64 {
    total(reader, json!({}), Some(search)).await
}

/// Runs SQL past the service.
async fn sql(app: &TestApp, text: String) {
    match app.database {
        Database::Sqlite => {
            let mut connection = SqliteConnection::connect(&app.url).await.unwrap();
            connection.execute(AssertSqlSafe(text)).await.unwrap();
            connection.close().await.unwrap();
        }
        Database::Postgres => {
            let mut connection = PgConnection::connect(&app.url).await.unwrap();
            connection.execute(AssertSqlSafe(text)).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}

/// An event without a word but its action's.
fn bare(action: &str) -> Value {
    json!({ "action": action, "actor": { "kind": "SYSTEM" } })
}

on_both_databases! {
    a_one_letter_prefix_meets_words_and_nothing_else,
    values_are_told_apart_by_case_blanks_and_dashes,
    organization_numbers_of_every_length_stay_apart,
    a_word_of_64_kib_and_words_around_200_bytes_are_found_whole,
}

async fn a_one_letter_prefix_meets_words_and_nothing_else(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    // Hashes and kind letters of exact values begin with any letter and digit; none of them is a word.
    for action in ["zebra", "…", "##", "–"] {
        admin.record(bare(action)).await;
    }
    for letter in ('a'..='y').chain('0'..='9') {
        assert_eq!(found(&admin, &format!("{letter}*")).await, 0, "{letter}*");
        assert_eq!(found(&admin, &letter.to_string()).await, 0, "{letter}");
    }
    assert_eq!(found(&admin, "z*").await, 1);
    assert_eq!(found(&admin, "Z*").await, 1);
    // A kind letter is a word like any other; a star alone asks for nothing yet.
    assert_eq!((found(&admin, "=a*").await, found(&admin, "*").await), (0, 4));
    for nothing in ["=*", "=", "…"] {
        let query = "query($search: String) { auditEvents(search: $search) { totalCount } }";
        let refused = admin.ask(query, json!({ "search": nothing })).await;
        assert_eq!((refused.code().as_str(), refused.field().as_str()), ("BAD_USER_INPUT", "search"), "{nothing}");
    }
}

async fn values_are_told_apart_by_case_blanks_and_dashes(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let actions =
        ["create", "CREATE", "Create", "create ", " create", "cre ate", "a – b", "a - b", "a  b", "a b", "13", "013"];
    for action in actions {
        assert_eq!(admin.record(bare(action)).await["status"], "RECORDED");
    }
    for action in actions {
        assert_eq!(total(&admin, json!({ "actions": [action] }), None).await, 1, "{action:?}");
        assert_eq!(total(&admin, json!({ "not": { "actions": [action] } }), None).await, 11, "not {action:?}");
    }
    assert_eq!(total(&admin, json!({ "actions": ["c*"] }), None).await, 3);
    assert_eq!(total(&admin, json!({ "actions": ["C*"] }), None).await, 2);
    assert_eq!(total(&admin, json!({ "actions": ["create*"] }), None).await, 2);
    assert_eq!(total(&admin, json!({ "actions": ["%"] }), None).await, 0);
    assert_eq!(total(&admin, json!({ "actions": ["a_b"] }), None).await, 0);
    for word in ["create", "CREATE", "creaTE"] {
        assert_eq!(found(&admin, word).await, 5, "{word}");
    }
    assert_eq!(found(&admin, "a b").await, 4);
    assert_eq!(found(&admin, "13").await, 1);
}

async fn organization_numbers_of_every_length_stay_apart(app: &TestApp) {
    // Numbers whose shorter forms begin the longer ones; the last is the last there is.
    let numbers = [1_000, 10_000, 36 * 1_000, 36 * 36 * 1_000, 60_466_175];
    let mut readers = Vec::new();
    for (n, number) in numbers.into_iter().enumerate() {
        // The next organization gets the next number.
        let before = number - 1;
        sql(
            app,
            format!(
                "INSERT INTO organization (no, product, external_id, created_ns) VALUES ({before}, 'other', \
                 '{number}', 0)"
            ),
        )
        .await;
        if app.database == Database::Postgres {
            sql(app, format!("SELECT setval(pg_get_serial_sequence('organization', 'no'), {before})")).await;
        }
        let reader = app.admin("workspace", &format!("org-{number}"));
        assert_eq!(reader.record(bare("probe")).await["status"], "RECORDED", "{number}");
        readers.push((reader, n + 1));
    }
    // There is no number above; whoever has one goes on.
    let refused = app
        .admin("workspace", "one too many")
        .ask(
            "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }",
            json!({ "input": bare("probe") }),
        )
        .await;
    assert!(!refused.errors().is_empty() && refused.json()["data"]["recordAuditEvent"].is_null());
    for (reader, n) in &readers {
        for i in 0..*n {
            let mut input = event("create");
            input["resources"] = json!([{ "type": "rs", "id": "7ps" }]);
            input["metadata"] = json!({ "words": format!("w0 w{i}") });
            reader.record(input).await;
        }
    }
    for (reader, n) in &readers {
        let n = *n as i64;
        for search in ["w0", "w*", "cre*", "rs", "7ps", "7*", "\"rs\""] {
            assert_eq!(found(reader, search).await, n, "{search}");
        }
        // What stands before the words of others is no word.
        for search in ["0*", "00*", "zzzzz*", "z*", "rsw*", "rswcreate", "pscreate"] {
            assert_eq!(found(reader, search).await, 0, "{search}");
        }
        assert_eq!(total(reader, json!({ "actions": ["create"] }), None).await, n);
        assert_eq!(total(reader, json!({ "not": { "actions": ["create"] } }), None).await, 1);
        assert_eq!(total(reader, json!({}), None).await, n + 1);
    }
}

async fn a_word_of_64_kib_and_words_around_200_bytes_are_found_whole(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let huge = "w".repeat(64_000);
    let long = |bytes: usize, letter: &str| letter.repeat(bytes / letter.len());
    // 199, 200 and 201 bytes of one byte each, and the same with letters of two, three and four bytes.
    let mut words = vec![long(199, "x"), long(200, "x"), long(201, "x"), long(202, "x")];
    words.extend([long(198, "é"), long(200, "é"), long(202, "é")]);
    words.extend([long(198, "語"), long(201, "語"), format!("{}é", long(199, "y")), format!("{}é", long(198, "y"))]);
    words.extend([long(200, "𝔞").replace('𝔞', "𐐨"), long(204, "𐐨")]);
    admin
        .record_all(vec![{
            let mut input = bare("huge");
            input["metadata"] = json!({ "word": huge });
            input
        }])
        .await;
    let mut events = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let mut input = bare(&format!("n{i}"));
        input["metadata"] = json!({ "before": "x", "word": word });
        events.push(input);
    }
    assert_eq!(admin.record_all(events).await["recorded"], words.len());
    for word in &words {
        if word.chars().count() <= 256 {
            // A word of a script without blanks is found inside of a longer one too.
            let within = words.iter().filter(|other| word.starts_with('語') && other.contains(word.as_str())).count();
            let expected = within.max(1) as i64;
            assert_eq!(found(&admin, word).await, expected, "{} bytes", word.len());
            let text = format!("\"{word}\"");
            if text.chars().count() <= 256 {
                assert_eq!(found(&admin, &text).await, expected, "phrase of {} bytes", word.len());
            }
        }
    }
    // Prefixes: shorter than the cut, at it, and beyond it, where only the rows can tell.
    for (prefix, expected) in [
        ("x*".to_owned(), 13),
        (format!("{}*", long(150, "x")), 4),
        (format!("{}*", long(199, "x")), 4),
        (format!("{}*", long(200, "x")), 3),
        (format!("{}*", long(201, "x")), 2),
        (format!("{}*", long(202, "x")), 1),
        (format!("{}*", long(203, "x")), 0),
        (format!("{}*", long(198, "é")), 3),
        (format!("{}*", long(200, "é")), 2),
        (format!("{}*", long(202, "é")), 1),
        (format!("{}*", long(204, "é")), 0),
        (format!("{}*", long(198, "語")), 2),
        (format!("{}*", long(201, "語")), 1),
        (format!("{}*", long(198, "y")), 2),
        (format!("{}*", long(199, "y")), 1),
        (format!("{}é*", long(199, "y")), 1),
        (format!("{}*", long(200, "𐐨")), 2),
        (format!("{}*", long(204, "𐐨")), 1),
        (format!("{}*", "w".repeat(250)), 1),
        (format!("{}*", "w".repeat(199)), 1),
        (format!("{}v*", "w".repeat(250)), 0),
        (format!("{}=*", "w".repeat(200)), 0),
    ] {
        assert_eq!(found(&admin, &prefix).await, expected, "prefix of {} bytes: {prefix}", prefix.len() - 1);
    }
    // The cut word and its hash are no words themselves.
    assert_eq!(found(&admin, &"w".repeat(200)).await, 0);
    assert_eq!(found(&admin, &"w".repeat(256)).await, 0);
}
