//! Faults of lines, of files and of the database: each costs what it lies in, and is told.

use std::{path::Path, process::Command};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use super::*;
use crate::harness::{Database, eventually, on_both_databases};

/// Actions of an organization, in the order of recording.
async fn actions(app: &TestApp) -> Vec<String> {
    events(app, "acme").await.iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect()
}

on_both_databases! {
    a_bad_byte_spoils_its_own_line,
    an_event_that_the_database_does_not_take_is_refused_alone,
    a_database_that_goes_away_stops_the_import_where_it_is,
}

async fn a_bad_byte_spoils_its_own_line(app: &TestApp) {
    let mut text = [line("one"), line("two"), line("caf?"), line("four"), line("five")].join("\n").into_bytes();
    *text.iter_mut().find(|byte| **byte == b'?').unwrap() = 0xe9;
    let imported = import(app, &text, &[]).await;
    assert_eq!(imported.summary, "4 recorded, 0 recorded before, 1 refused", "{imported:#?}");
    assert_eq!(imported.status.code(), Some(1));
    let place = line("caf?").find('?').unwrap() + 1;
    assert_eq!(imported.refused, [format!("line 3: line: must be UTF-8, but byte {place} is 0xE9")]);
    assert_eq!(actions(app).await, ["one", "two", "four", "five"]);
}

async fn an_event_that_the_database_does_not_take_is_refused_alone(app: &TestApp) {
    match app.database {
        Database::Sqlite => {
            let mut other = SqliteConnection::connect(&app.url).await.unwrap();
            let sql = "CREATE TRIGGER poison BEFORE INSERT ON kind WHEN NEW.action = 'poison' BEGIN SELECT \
                       RAISE(ABORT, 'poison'); END";
            other.execute(sql).await.unwrap();
        }
        Database::Postgres => {
            let mut other = PgConnection::connect(&app.url).await.unwrap();
            other.execute("ALTER TABLE kind ADD CONSTRAINT poison CHECK (action <> 'poison')").await.unwrap();
        }
    }
    let text = [line("one"), line("poison"), line("two")].join("\n");
    let imported = import(app, &text, &[]).await;
    assert_eq!(imported.summary, "2 recorded, 0 recorded before, 1 refused", "{imported:#?}");
    assert_eq!(actions(app).await, ["one", "two"]);
    // Where all share the cause, no event is blamed.
    let stopped = import(app, line("poison"), &[]).await;
    assert_eq!(stopped.summary, "0 recorded, 0 recorded before, 0 refused", "{stopped:#?}");
    assert!(stopped.said.contains("poison") && stopped.said.contains("stopped at line 1"), "{stopped:#?}");
}

async fn a_database_that_goes_away_stops_the_import_where_it_is(app: &TestApp) {
    let mut command = process::ledgerline(&app.url, &app.folder());
    command.args(["import", "-", "--product", "workspace"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: Vec<String> = (0..10).map(|number| line(&format!("a{number}")) + "\n").collect();
    input.write_all(lines[..4].concat().as_bytes()).unwrap();
    eventually(async || total(app, "acme").await == 4).await;
    let away = Away::take(app).await;
    input.write_all(lines[4..].concat().as_bytes()).unwrap();
    drop(input);
    let stopped = Imported::from(tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap());
    away.give_back(app).await;
    assert_eq!(stopped.summary, "4 recorded, 0 recorded before, 0 refused", "{stopped:#?}");
    assert_eq!(stopped.status.code(), Some(1));
    assert!(stopped.said.contains("stopped at line 5 of -"), "{stopped:#?}");
    assert!(stopped.said.contains("the database did not take the events from there on: "), "{stopped:#?}");
    let mut summary = String::new();
    for _ in 0..100 {
        // A database that was away takes connections a little later.
        let again = import(app, lines.concat(), &[]).await;
        if again.status.success() {
            summary = again.summary;
            break;
        }
    }
    assert_eq!(summary, "6 recorded, 4 recorded before, 0 refused");
}

/// A database that cannot be used.
enum Away {
    Sqlite(SqliteConnection),
    Postgres(PgConnection, String),
}

impl Away {
    async fn take(app: &TestApp) -> Self {
        match app.database {
            Database::Sqlite => {
                let mut other = SqliteConnection::connect(&app.url).await.unwrap();
                other.execute("BEGIN IMMEDIATE").await.unwrap();
                Self::Sqlite(other)
            }
            Database::Postgres => {
                let (server, name) = app.url.rsplit_once('/').unwrap();
                let name = name.split('?').next().unwrap().to_owned();
                let mut other = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
                for sql in [
                    format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
                    format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
                ] {
                    other.execute(AssertSqlSafe(sql)).await.unwrap();
                }
                Self::Postgres(other, name)
            }
        }
    }

    async fn give_back(self, app: &TestApp) {
        match self {
            Self::Sqlite(mut other) => drop(other.execute("ROLLBACK").await.unwrap()),
            Self::Postgres(mut other, name) => {
                other.execute(AssertSqlSafe(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"))).await.unwrap();
                eventually(async || PgConnection::connect(&app.url).await.is_ok()).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_text_spoils_its_own_line_in_utf_16_too() {
    let app = TestApp::start(Database::Sqlite).await;
    let text = [line("one"), line("half?"), line("pair?"), line("four")].join("\n");
    let mut units: Vec<u16> = format!("\u{feff}{text}").encode_utf16().collect();
    let places: Vec<usize> =
        units.iter().enumerate().filter(|(_, unit)| **unit == u16::from(b'?')).map(|(at, _)| at).collect();
    units[places[0]] = 0xd83d;
    units[places[1]] = 0xdc00;
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes: Vec<u8> = units.iter().flat_map(|unit| order(*unit)).collect();
        let imported = import(&app, &bytes, &[]).await;
        assert!(imported.summary.ends_with(" 2 refused"), "{imported:#?}");
        assert_eq!(actions(&app).await, ["one", "four"]);
        assert!(imported.refused.iter().all(|told| told.contains("must be UTF-8")), "{imported:#?}");
    }
    // A byte too few.
    let mut bytes: Vec<u8> = units[..places[0] - 20].iter().flat_map(|unit| unit.to_le_bytes()).collect();
    bytes.pop();
    let cut = import(&app, &bytes, &[]).await;
    assert_eq!(cut.summary, "0 recorded, 1 recorded before, 1 refused", "{cut:#?}");
    assert!(cut.said.contains("UTF-16 is cut off"), "{cut:#?}");
    app.finish().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_line_is_left_behind_in_bounded_memory() {
    let app = TestApp::start(Database::Sqlite).await;
    let kept = app.folder().join("refused");
    let mut command = process::ledgerline(&app.url, &app.folder());
    command.args(["import", "-", "--product", "workspace", "--refused"]).arg(&kept);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let peak = |id: u32| -> u64 {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    };
    input.write_all(format!("{}\n", line("one")).as_bytes()).unwrap();
    eventually(async || total(&app, "acme").await == 1).await;
    let before = peak(child.id());
    let mebibyte = vec![b'x'; 1024 * 1024];
    for _ in 0..128 {
        input.write_all(&mebibyte).unwrap();
    }
    input.write_all(format!("\n{}\n", line("two")).as_bytes()).unwrap();
    eventually(async || total(&app, "acme").await == 2).await;
    let after = peak(child.id());
    assert!(after < before + 24, "{before} MiB, then {after} MiB");
    drop(input);
    let imported =
        Imported::from(tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap());
    assert_eq!(imported.summary, "2 recorded, 0 recorded before, 1 refused", "{imported:#?}");
    assert_eq!(imported.refused, ["line 2: line: must be at most 1048576 bytes"]);
    assert_eq!(fs::metadata(&kept).unwrap().len(), 128 * 1024 * 1024 + 1, "the line itself, whole");
    app.finish().await;
}

/// The reasons beside a file of refused records.
fn reasons(kept: &Path) -> Vec<Value> {
    let text = fs::read_to_string(kept.with_added_extension("reasons")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_refused_lines_are_kept_as_they_were_with_their_reasons() {
    let app = TestApp::start(Database::Sqlite).await;
    let bad = |number: usize| match number % 3 {
        0 => format!("{}\r", line(&format!("b{number}")).replace("2026", "26")).into_bytes(),
        1 => [line(&format!("b{number}")).as_bytes(), b"\xff "].concat(),
        _ => line(&format!("b{number}")).replace("action", "acton").into_bytes(),
    };
    let mut text = Vec::new();
    for number in 0..830 {
        text.extend([line(&format!("g{}", number % 7)).as_bytes(), b"\n", &bad(number), b"\n"].concat());
    }
    let kept = app.folder().join("refused.ndjson");
    for (option, summary) in
        [("--refused", "830 recorded, 0 recorded before"), ("--refused-to", "0 recorded, 830 recorded before")]
    {
        let imported = import(&app, &text, &[option, kept.to_str().unwrap()]).await;
        assert_eq!(imported.summary, format!("{summary}, 830 refused"));
        assert_eq!(imported.refused.len(), 50, "fifty are shown, the rest kept");
        let expected: Vec<u8> = (0..830).flat_map(|number| [&bad(number)[..], b"\n"].concat()).collect();
        assert!(fs::read(&kept).unwrap() == expected, "byte for byte");
        let reasons = reasons(&kept);
        assert_eq!(reasons.len(), 830);
        for (number, reason) in reasons.iter().enumerate() {
            assert_eq!(reason["line"], 2 * number + 2, "{reason}");
            let field = ["occurredAt", "line", "acton"][number % 3];
            assert_eq!((&reason["code"], &reason["field"]), (&json!("BAD_USER_INPUT"), &json!(field)), "{reason}");
            assert!(reason["message"].as_str().unwrap().contains(reason["rule"].as_str().unwrap()), "{reason}");
        }
        assert_eq!(reasons[2]["suggestions"], json!(["action"]));
    }
    // Corrected, the file can be imported as it is; not into itself.
    let mut corrected =
        String::from_utf8(fs::read(&kept).unwrap().into_iter().filter(|byte| *byte != 0xff).collect()).unwrap();
    corrected = corrected.replace("\"26", "\"2026").replace("acton", "action");
    fs::write(&kept, &corrected).unwrap();
    let itself = process::import(&app.url, &app.folder(), &kept, &["--refused", kept.to_str().unwrap()]).await;
    assert!(itself.said.contains("is the file that is read"), "{itself:#?}");
    assert_eq!(fs::read_to_string(&kept).unwrap(), corrected);
    let imported = process::import(&app.url, &app.folder(), &kept, &[]).await;
    assert_eq!(imported.summary, "830 recorded, 0 recorded before, 0 refused", "{imported:#?}");
    // A conflict names the event that was there first; of an array, elements are kept.
    let conflicting =
        |source: &str| json!({ "importId": "k", "org": "acme", "action": "c", "occurredAt": 1, "source": source });
    assert!(import(&app, conflicting("one").to_string(), &[]).await.status.success());
    let array = serde_json::to_string_pretty(&[conflicting("one"), conflicting("two"), conflicting("three")]).unwrap();
    let conflict = import(&app, &array, &["--refused", kept.to_str().unwrap()]).await;
    assert_eq!(conflict.summary, "0 recorded, 1 recorded before, 2 refused", "{conflict:#?}");
    assert!(conflict.refused[0].starts_with("line 9, event 2: idempotencyKey: was used"), "{conflict:#?}");
    let refused: Value = serde_json::from_slice(&fs::read(&kept).unwrap()).unwrap();
    assert_eq!(refused, json!([conflicting("two"), conflicting("three")]));
    let told = reasons(&kept);
    assert_eq!((&told[0]["code"], &told[0]["record"]), (&json!("CONFLICT"), &json!(2)));
    assert!(told[0]["existing"].as_str().unwrap().starts_with("evt_"));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_ends_in_a_fault_is_recorded_up_to_there() {
    let app = TestApp::start(Database::Sqlite).await;
    let number = 3_000;
    // Numbers that do not repeat, so that there is something to pack.
    let lines: String = (0..number)
        .map(|i: u64| json!({
            "org": "acme", "action": "a", "occurredAt": 1, "source": i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_string()
        }))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(lines.as_bytes()).unwrap();
    let whole = packed.finish().unwrap();
    let cut = import(&app, &whole[..whole.len() * 2 / 3], &[]).await;
    assert_eq!(cut.status.code(), Some(1));
    let recorded: u64 = cut.summary.split(' ').next().unwrap().parse().unwrap();
    assert!(recorded > number / 3 && recorded < number, "{cut:#?}");
    assert!(cut.summary.starts_with(&format!("{recorded} recorded, 0 recorded before, ")), "{cut:#?}");
    assert!(cut.said.contains(&format!("stopped at line {}", recorded + 2)), "{cut:#?}");
    assert_eq!(total(&app, "acme").await, recorded);
    let mut wrong = whole.clone();
    let check = wrong.len() - 8;
    wrong[check] ^= 1;
    let told = import(&app, &wrong, &[]).await;
    assert_eq!(
        told.summary,
        format!("{} recorded, {recorded} recorded before, 0 refused", number - recorded),
        "{told:#?}"
    );
    assert_eq!(told.status.code(), Some(1), "a checksum that is wrong is told");
    let again = import(&app, &whole, &[]).await;
    assert_eq!(again.summary, format!("0 recorded, {number} recorded before, 0 refused"), "{again:#?}");
    assert!(again.status.success());
    // An array that does not end, and one whose last element does not.
    for (text, refused) in
        [(format!("[{},\n{}", line("b"), line("c")), 0), (format!("[{},\n{}", line("b"), "{\"action\":"), 1)]
    {
        let cut = import(&app, &text, &[]).await;
        assert!(cut.summary.ends_with(&format!(" {refused} refused")), "{cut:#?}");
        assert!(cut.said.contains("the array does not end"), "{cut:#?}");
        assert_eq!(cut.status.code(), Some(1));
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_none_are_told_with_the_cause() {
    let app = TestApp::start(Database::Sqlite).await;
    let run = async |arguments: &[&str]| -> Imported {
        let mut command = process::ledgerline(&app.url, &app.folder());
        command
            .current_dir(app.folder())
            .arg("import")
            .args(arguments)
            .args(["--product", "workspace"])
            .stdin(Stdio::null());
        tokio::task::spawn_blocking(move || command.output().unwrap().into()).await.unwrap()
    };
    file(&app, line("a"));
    let missing = run(&["nothing"]).await;
    assert!(missing.said.contains("nothing cannot be opened: No such file or directory"), "{missing:#?}");
    let folder = run(&["."]).await;
    assert!(folder.said.contains(". is a folder"), "{folder:#?}");
    let unwritable = run(&["events.ndjson", "--refused", "no/such/folder"]).await;
    assert!(unwritable.said.contains("--refused: no/such/folder cannot be written: No such file"), "{unwritable:#?}");
    for failed in [missing, folder, unwritable] {
        assert_eq!(failed.status.code(), Some(1));
    }
    fs::write(app.folder().join("empty"), "").unwrap();
    for empty in ["empty", "-"] {
        let nothing = run(&[empty]).await;
        assert_eq!(nothing.summary, "0 recorded, 0 recorded before, 0 refused", "{nothing:#?}");
        assert!(nothing.status.success());
    }
    // Nobody reads what is said.
    fs::write(app.folder().join("mixed"), format!("{}\nbad\n", line("a"))).unwrap();
    let mut unheard: Command = process::ledgerline(&app.url, &app.folder());
    unheard
        .args(["import", "--product", "workspace"])
        .arg(app.folder().join("mixed"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = unheard.spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(total(&app, "acme").await, 1);
    app.finish().await;
}
