//! The forms that a file may have: lines, arrays, rows, encodings, packed or not, a file or a pipe.

use flate2::{Compression, write::GzEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};

use super::*;
use crate::harness::{Database, eventually};

async fn app() -> TestApp {
    TestApp::start(Database::Sqlite).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(order).collect()
}

/// Events with every kind of character that some form treats in its own way.
fn records() -> Vec<Value> {
    let record = |number: u32, action: &str, name: &str, metadata: Value| {
        json!({ "occurredAt": format!("2026-01-01T00:00:0{number}Z"), "action": action,
            "actor": { "kind": "USER", "id": number.to_string(), "name": name }, "metadata": metadata })
    };
    vec![
        record(1, "plain", "Ada", json!({})),
        record(2, "é, 日本 and 😀", "Comma, \"quote\" and 'apostrophe'", json!({ "plan": "pro" })),
        record(3, "tab\u{2028}", "{[}]\\\\\" \u{feff}", json!({ "note": "two\nlines", "plan": "[{" })),
        record(4, "same", "x", json!({})),
        record(4, "same", "x", json!({})),
    ]
}

fn lines() -> String {
    records().iter().map(|record| format!("{record}\n")).collect()
}

fn rows() -> String {
    let cell = |value: &Value| match value.as_str() {
        Some(text) if text.contains([',', '"', '\n']) => format!("\"{}\"", text.replace('"', "\"\"")),
        Some(text) => text.to_owned(),
        None => String::new(),
    };
    let row = |record: &Value| {
        let (actor, metadata) = (&record["actor"], &record["metadata"]);
        [
            &record["occurredAt"],
            &record["action"],
            &actor["kind"],
            &actor["id"],
            &actor["name"],
            &metadata["note"],
            &metadata["plan"],
        ]
        .map(cell)
        .join(",")
    };
    let header = "occurredAt,action,actor.kind,actor.id,actor.name,metadata.note,metadata.plan";
    records().iter().fold(header.to_owned(), |text, record| format!("{text}\r\n{}", row(record)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_says_the_same() {
    let app = app().await;
    let lines = lines();
    let array = Value::from(records()).to_string();
    let pretty = serde_json::to_string_pretty(&records()).unwrap();
    let stream: String = records().iter().map(|record| format!("{record:#}\n")).collect();
    let halves = lines.split_at(lines.match_indices('\n').nth(2).unwrap().0 + 1);
    let arrays = format!("{}\n{}", Value::from(&records()[..2]), Value::from(&records()[2..]));
    let marked = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &zstd(lines.as_bytes())].concat();
    let forms: Vec<(&str, Vec<u8>)> = vec![
        ("lines", lines.clone().into()),
        ("CRLF", lines.replace('\n', "\r\n\r\n").into()),
        ("no last line end", lines.trim_end().into()),
        ("byte order mark", marked(&lines)),
        ("marks in the middle", [marked(halves.0), marked(halves.1)].concat()),
        ("UTF-16, little end first", utf16(&lines, u16::to_le_bytes)),
        ("UTF-16, big end first", utf16(&lines, u16::to_be_bytes)),
        ("array", array.clone().into()),
        ("array, an element a line", array.replace(",{\"occ", ",\n{\"occ").into()),
        ("array, pretty", pretty.clone().into()),
        ("array, UTF-16", utf16(&pretty, u16::to_le_bytes)),
        ("two arrays", arrays.into()),
        ("values one after another", stream.into()),
        ("gzip", gzip(lines.as_bytes())),
        ("two gzip members", [gzip(halves.0.as_bytes()), gzip(halves.1.as_bytes())].concat()),
        ("gzip of an array with a mark", gzip(&marked(&array))),
        ("zstd", zstd(lines.as_bytes())),
        ("zstd frames", [zstd(halves.0.as_bytes()), zstd(halves.1.as_bytes())].concat()),
        ("zstd, a frame to skip", skippable),
        ("rows", rows().into()),
        ("rows with a mark, LF", marked(&rows().replace("\r\n", "\n"))),
        ("rows, gzip of UTF-16", gzip(&utf16(&rows(), u16::to_be_bytes))),
        ("rows put together", format!("{}\n{}", rows(), &rows()[..rows().find("\r\n").unwrap()]).into()),
    ];
    let mut expected = Vec::new();
    for (number, (name, bytes)) in forms.into_iter().enumerate() {
        let organization = format!("o{number}");
        let imported = if number % 2 == 0 {
            import(&app, &bytes, &["--organization", &organization]).await
        } else {
            import_piped(&app, &bytes, &["--organization", &organization]).await
        };
        assert_eq!(imported.summary, "5 recorded, 0 recorded before, 0 refused", "{name}: {imported:#?}");
        let mut read = events(&app, &organization).await;
        for event in &mut read {
            event["log"] = Value::Null;
            // It is kept byte for byte, which in some forms has line ends.
            event["metadataText"] = serde_json::from_str(event["metadataText"].as_str().unwrap()).unwrap();
        }
        if number == 0 {
            expected = read;
            continue;
        }
        assert_eq!(read, expected, "{name}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_lines_in_another_wrapping_are_the_same_events() {
    let app = app().await;
    let lines = lines();
    assert_eq!(
        import(&app, &lines, &["--organization", "o"]).await.summary,
        "5 recorded, 0 recorded before, 0 refused"
    );
    let array = format!("[{}]", lines.trim_end().replace('\n', ",\n"));
    for bytes in [
        lines.replace('\n', "\r\n").into_bytes(),
        utf16(&lines, u16::to_le_bytes),
        gzip(lines.as_bytes()),
        array.into(),
    ] {
        let again = import(&app, bytes, &["--organization", "o"]).await;
        assert_eq!(again.summary, "0 recorded, 5 recorded before, 0 refused", "{again:#?}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_that_is_not_understood_is_refused_once_before_any_row() {
    let app = app().await;
    for (header, expected) in [
        (
            "action,occurredAt,user_agent,actor.mail",
            "user_agent: is no field of an event: userAgent may be meant; actor.mail: ",
        ),
        ("action,occurredAt,ip,ipAddress", "ipAddress: is another name of ip"),
        ("action,occurredAt,source,source", "must name a column once, but source is there twice"),
        ("action,occurredAt,,source", "column 3 has no name"),
        ("action,occurredAt,actor,source", "must name what lies in actor, as in actor.id"),
        ("action,occurredAt,metadata,metadata.plan", "metadata: is another name of metadataText"),
        ("action;occurredAt", "action;occurredAt: is no field of an event"),
        ("Action,OccurredAt,a,b", "Action: is no field of an event: action may be meant"),
    ] {
        let refused = import(&app, format!("{header}\na,2026-01-01T00:00:00Z,x,y\n"), &["--organization", "o"]).await;
        assert_eq!(refused.status.code(), Some(1), "{header}: {refused:#?}");
        assert_eq!(refused.summary, "0 recorded, 0 recorded before, 0 refused", "{header}: {refused:#?}");
        assert!(refused.said.contains(expected), "{header}: {refused:#?}");
    }
    // A column may be left out on purpose.
    let text = "action,occurredAt,user_agent\na,2026-01-01T00:00:00Z,curl\n";
    let imported = import(&app, text, &["--organization", "o", "--ignore", "user_agent"]).await;
    assert_eq!(imported.summary, "1 recorded, 0 recorded before, 0 refused", "{imported:#?}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faulty_rows_are_refused_each_for_itself() {
    let app = app().await;
    let text = "occurredAt,action,org,metadata,log.level,log.id\n\
        1767323045,one,acme,\"{\"\"a\"\": 1.50}\",project,w\n\
        1767323045,short\n\
        1767323045,long,acme,,,,\n\
        1767323045,two,acme,,,\n\
        never,three,acme,,,\n\
        1767323045,four,acme,no object,,\n\
        \n\
        1767323045,\"five,acme,,,\n\
        1767323045,six,acme,,,";
    let kept = app.folder().join("refused.csv");
    let imported = import(&app, text, &["--refused", kept.to_str().unwrap()]).await;
    assert_eq!(imported.summary, "3 recorded, 0 recorded before, 5 refused", "{imported:#?}");
    let lines: Vec<_> = imported.refused.iter().map(|told| told.split(": ").next().unwrap()).collect();
    assert_eq!(lines, ["line 3", "line 4", "line 6", "line 7", "line 9"], "{imported:#?}");
    let events = events(&app, "acme").await;
    let read: Vec<_> =
        events.iter().map(|event| (&event["action"], &event["metadataText"], &event["log"]["externalId"])).collect();
    assert_eq!(
        read,
        [
            (&json!("one"), &json!("{\"a\": 1.50}"), &json!("w")),
            (&json!("two"), &json!("{}"), &json!("acme")),
            (&json!("six"), &json!("{}"), &json!("acme")),
        ]
    );
    // What was refused can be corrected under the header that is there.
    let refused = fs::read_to_string(&kept).unwrap();
    assert_eq!(refused.lines().next(), text.lines().next());
    assert_eq!(refused.lines().count(), 6);
    let corrected = refused
        .replace("short", "short,acme,,,")
        .replace("acme,,,,", "acme,,,")
        .replace("never", "1767323045")
        .replace("no object", "{}")
        .replace("\"five", "five");
    let again = import(&app, corrected, &[]).await;
    assert_eq!(again.summary, "5 recorded, 0 recorded before, 0 refused", "{again:#?}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_can_be_given_where_the_first_bytes_do_not_tell() {
    let app = app().await;
    // Rows of one column that no event has; lines that start like an array; a value over several lines.
    let told = import(&app, "x\na\n", &["--format", "csv", "--organization", "o"]).await;
    assert!(told.said.contains("x: is no field of an event"), "{told:#?}");
    let log = format!("[2026-01-01 00:00:00] started\n{}\n", line("a"));
    assert_eq!(import(&app, &log, &[]).await.summary, "1 recorded, 0 recorded before, 1 refused");
    let over_lines = line("b").replace(',', ",\n");
    assert_eq!(
        import(&app, &over_lines, &["--format", "json"]).await.summary,
        "1 recorded, 0 recorded before, 0 refused"
    );
    assert_eq!(
        import(&app, &over_lines, &["--format", "lines"]).await.summary,
        "0 recorded, 0 recorded before, 3 refused"
    );
    for (packed, name) in [(&b"PK\x03\x04xyz"[..], "zip"), (b"BZh91AY&", "bzip2"), (b"\xfd7zXZ\0..", "xz")] {
        let refused = import(&app, packed, &[]).await;
        assert!(refused.said.contains(name) && refused.said.contains("unpack it first"), "{refused:#?}");
        assert_eq!(refused.status.code(), Some(1));
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_pipe_is_recorded_while_it_is_open() {
    let app = app().await;
    let mut command = process::ledgerline(&app.url, &app.folder());
    command
        .args(["import", "-", "--product", "workspace"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for (action, number) in [("one", 1), ("two", 2)] {
        input.write_all(format!("{}\n", line(action)).as_bytes()).unwrap();
        eventually(async || total(&app, "acme").await == number).await;
    }
    // What is told to stop says how far it got.
    assert!(std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let stopped = Imported::from(output);
    assert_eq!(stopped.summary, "2 recorded, 0 recorded before, 0 refused", "{stopped:#?}");
    assert!(stopped.said.contains("interrupted") && stopped.said.contains("line 3"), "{stopped:#?}");
    assert_eq!(stopped.status.code(), Some(1));
    drop(input);
    app.finish().await;
}
