//! The erasure list in a file outside of the database: an erasure is done when it stands in there, and a database that is put
//! back is erased by it once more, whatever became of the file, the disk and the process meanwhile.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use axum::{body::Body, http::Request};
use ledgerline::{
    event::EventId,
    retention::list::{self, Line},
};
use serde_json::{Value, json};

use super::{
    LIFT, PLACE,
    erasure::{ERASE, erase, found, theirs, until, whom},
    left,
};
use crate::{
    harness::{Caller, TestApp, event, eventually, on_both_databases, sql::column},
    process::ledgerline,
};

on_both_databases! {
    an_erasure_is_done_when_it_stands_in_the_file,
    a_full_disk_leaves_the_list_whole_and_the_erasure_unfinished,
    two_processes_write_one_list,
    a_database_that_was_put_back_is_erased_by_the_file_once_more,
    several_events_under_one_number_are_told_apart,
    a_backup_brings_the_list_up_to_date_and_a_restore_takes_it,
    a_file_that_is_no_list_of_this_database_is_not_written_over,
}

/// How long a process has an erasure for itself, and a little more.
const LEASE: Duration = Duration::from_secs(80);

/// A service of its own that keeps the list in a file.
async fn keeping(app: &TestApp, path: &Path) -> TestApp {
    let path = Some(path.to_owned());
    TestApp::with(app.database, app.products.clone(), |settings| settings.erasure_list = path).await
}

async fn ask(caller: &Caller<'_>) -> String {
    let asked = caller.data(ERASE, json!({ "input": whom() })).await["eraseFromAuditLog"]["erasure"].clone();
    asked["id"].as_str().expect("an id").to_owned()
}

async fn ready(app: &TestApp) -> String {
    let answer = app.send(Request::get("/readyz").body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.status, 200, "whoever records is served all the same");
    String::from_utf8(answer.body).expect("text")
}

/// The events that a list names; it is whole.
fn events(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a list");
    assert!(!text.to_lowercase().contains("zephyr") && !text.contains("usr_zq7x"), "{text}");
    let list = list::read(&text).expect("a whole list");
    list.lines.into_iter().map(|line| line.event).collect()
}

/// Runs a command with the setting: whether it succeeded, and all that it said.
async fn run(url: &str, folder: &Path, list: Option<&Path>, arguments: &[&str]) -> (bool, String) {
    let mut command: Command = ledgerline(url, folder);
    command.args(arguments);
    if let Some(list) = list {
        command.env("LEDGERLINE_ERASURE_LIST", list);
    }
    let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

/// Files of a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

async fn an_erasure_is_done_when_it_stands_in_the_file(app: &TestApp) {
    let folder = app.folder().join("elsewhere");
    let path = folder.join("erased.ndjson");
    // The disk of the list is not there.
    let service = keeping(app, &path).await;
    let admin = service.admin("workspace", "acme");
    admin.record_all((0..3).map(theirs).collect()).await;
    let id = ask(&admin).await;
    let unfinished = until(&admin, &id, "LISTING").await;
    assert_eq!((&unfinished["events"], &unfinished["finishedAt"]), (&json!("3"), &Value::Null));
    eventually(async || ready(&service).await.contains("the erasure list of LEDGERLINE_ERASURE_LIST")).await;
    assert_eq!(admin.record(event("goes.on")).await["status"], "RECORDED");
    assert!(!folder.exists(), "a folder in the place of a disk is lost with the machine");
    // A restart changes nothing of it; then the disk is there.
    let service = service.again(|settings| settings.erasure_list = Some(path.clone())).await;
    let admin = service.admin("workspace", "acme");
    eventually(async || ready(&service).await.contains("the erasure list of LEDGERLINE_ERASURE_LIST")).await;
    assert_eq!(found(&admin, &id).await["status"], "LISTING");
    fs::create_dir(&folder).expect("made");
    let done = until(&admin, &id, "DONE").await;
    assert!(!done["finishedAt"].is_null(), "{done}");
    eventually(async || ready(&service).await == "ready").await;
    assert_eq!(events(&path).len(), 3);
    assert_eq!(names(&folder), ["erased.ndjson", "erased.ndjson.lock"]);
    #[cfg(unix)]
    for name in names(&folder) {
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder.join(name)).expect("a file").permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    // The next one is added; what was removed from the database since stays for those who restore a backup that has it.
    admin.record(theirs(7)).await;
    erase(&admin, whom()).await;
    let all = events(&path);
    assert_eq!(all.len(), 4);
    let before = fs::read_to_string(&path).expect("a list");
    let written = list::read(&before).expect("whole").written_at;
    crate::harness::sql::change(&service.url, "DELETE FROM erased_event WHERE sequence < 2").await;
    admin.record(theirs(8)).await;
    erase(&admin, whom()).await;
    assert_eq!(events(&path)[..4], all[..]);
    assert_eq!(events(&path).len(), 5);
    let text = fs::read_to_string(&path).expect("a list");
    assert!(list::read(&text).expect("whole").written_at > written);
    service.finish().await;
}

async fn a_full_disk_leaves_the_list_whole_and_the_erasure_unfinished(app: &TestApp) {
    let folder = app.folder().join("elsewhere");
    fs::create_dir(&folder).expect("made");
    let path = folder.join("erased.ndjson");
    let service = keeping(app, &path).await;
    let admin = service.admin("workspace", "acme");
    admin.record_all((0..3).map(theirs).collect()).await;
    erase(&admin, whom()).await;
    let whole = fs::read(&path).expect("a list");
    // Every byte that is written to this device is refused as by a full disk.
    for n in 3..6 {
        std::os::unix::fs::symlink("/dev/full", folder.join("erased.ndjson.part")).expect("linked");
        admin.record(theirs(n)).await;
        let id = ask(&admin).await;
        // A list that is tried again takes away what it began.
        let keep_full = async {
            loop {
                let _ = std::os::unix::fs::symlink("/dev/full", folder.join("erased.ndjson.part"));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let unfinished = async {
            until(&admin, &id, "LISTING").await;
            eventually(async || ready(&service).await.contains("LEDGERLINE_ERASURE_LIST")).await;
            assert_eq!(events(&path).len(), n, "what was there is there, and whole");
        };
        tokio::select! {
            () = keep_full => {}
            () = unfinished => {}
        }
        if n == 3 {
            assert_eq!(fs::read(&path).expect("a list"), whole);
        }
        let _ = fs::remove_file(folder.join("erased.ndjson.part"));
        until(&admin, &id, "DONE").await;
        assert_eq!(events(&path).len(), n + 1);
    }
    service.finish().await;
}

async fn two_processes_write_one_list(app: &TestApp) {
    let path = app.folder().join("erased.ndjson");
    let first = keeping(app, &path).await;
    let second = first.beside_with(|settings| settings.erasure_list = Some(path.clone())).await;
    let organizations: Vec<_> = (0..6).map(|n| format!("org_{n}")).collect();
    let one = async |n: usize, organization: &String| {
        let service = if n.is_multiple_of(2) { &first } else { &second };
        let admin = service.admin("workspace", organization);
        for round in 0..2 {
            admin.record_all((0..5).map(|n| theirs(round * 5 + n)).collect()).await;
            erase(&admin, whom()).await;
            let prefix = events(&path).len();
            assert!(prefix >= 5 * (round + 1), "what is done stands in it");
        }
    };
    futures_util::future::join_all(organizations.iter().enumerate().map(|(n, organization)| one(n, organization)))
        .await;
    let mut all = events(&path);
    assert_eq!(all.len(), 60);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 60);
    // By the command line, too, beside them.
    let admin = first.admin("workspace", "org_0");
    admin.record(theirs(20)).await;
    let named = ["erase", "--product", "workspace", "--organization", "org_0", "--actor-id", "usr_zq7x"];
    let (is_done, said) = run(&first.url, &first.folder(), Some(&path), &named).await;
    assert!(is_done, "{said}");
    assert_eq!(events(&path).len(), 61);
    second.finish().await;
    first.finish().await;
}

/// A database that a backup is restored to, without a list, and opened; with a folder that has to outlive it.
async fn put_back(app: &TestApp, backup: &Path) -> (String, tempfile::TempDir) {
    let (url, folder) = crate::backup::elsewhere(app.database).await;
    let backup = backup.to_str().expect("a path");
    let restore = ["restore", backup, "--to", &url, "--without-erasure-list"];
    let (is_done, said) = run("sqlite://not-used.db", folder.path(), None, &restore).await;
    assert!(is_done, "{said}");
    let (is_done, said) = run(&url, folder.path(), None, &["open"]).await;
    assert!(is_done, "{said}");
    (url, folder)
}

async fn a_database_that_was_put_back_is_erased_by_the_file_once_more(app: &TestApp) {
    let path = app.folder().join("erased.ndjson");
    let backup = app.folder().join("backup");
    let service = keeping(app, &path).await;
    let admin = service.admin("workspace", "acme");
    for organization in ["acme", "globex"] {
        let admin = service.admin("workspace", organization);
        admin.record_all((0..4).map(|n| if n == 2 { event("by.others") } else { theirs(n) }).collect()).await;
    }
    let hold = admin.data(PLACE, json!({ "input": { "label": "case 7", "filter": { "actions": ["doc.*"] } } })).await;
    let hold = hold["placeAuditHold"]["hold"]["id"].clone();
    let (is_done, said) =
        run(&service.url, &service.folder(), None, &["backup", backup.to_str().expect("a path")]).await;
    assert!(is_done && said.contains("set LEDGERLINE_ERASURE_LIST"), "{said}");
    admin.data(LIFT, json!({ "input": { "id": hold } })).await;
    for organization in ["acme", "globex"] {
        erase(&service.admin("workspace", organization), whom()).await;
    }
    let listed = events(&path);
    assert_eq!(listed.len(), 6);
    service.finish().await;
    let (url, folder) = put_back(app, &backup).await;
    // It records others under the numbers of what was lost, and then erases by the list that it is given.
    let restored = TestApp::on(app.database, url, app.products.clone(), folder).await;
    let restored = restored.again(|settings| settings.erasure_list = Some(path.clone())).await;
    let erased = async || column::<i64>(&restored.url, "SELECT count(*) FROM erased_event").await[0];
    eventually(async || erased().await == 3).await;
    let there = restored.admin("workspace", "acme");
    let held = there.data("{ auditEvents(search: \"zephyrine\") { totalCount } }", json!({})).await;
    assert_eq!(held["auditEvents"]["totalCount"], 3, "the hold of the backup is stronger");
    assert_eq!(events(&path), listed, "and the list has them still");
    there.data(LIFT, json!({ "input": { "id": hold } })).await;
    // The next start, or the next hour, looks again.
    let restored = restored.again(|settings| settings.erasure_list = Some(path.clone())).await;
    eventually(async || column::<i64>(&restored.url, "SELECT count(*) FROM erased_event").await == [6]).await;
    // What a restart has interrupted goes on, and so does what the second one has.
    let restored = restored.again(|settings| settings.erasure_list = Some(path.clone())).await;
    let unfinished = "SELECT count(*) FROM erasure WHERE status <> 5";
    crate::harness::within(LEASE, async || column::<i64>(&restored.url, unfinished).await == [0]).await;
    eventually(async || ready(&restored).await == "ready").await;
    assert_eq!(left::found(&restored, &left::needles(4)).await, Vec::<String>::new());
    for organization in ["acme", "globex"] {
        let there = restored.admin("workspace", organization);
        let told = there.actions("filter: { actions: [\"audit_log.person_erased\"] }").await;
        assert_eq!(told.len(), 1, "told, and once");
    }
    // Whoever is erased from there on is added.
    let there = restored.admin("workspace", "acme");
    there.record(theirs(9)).await;
    erase(&there, whom()).await;
    let now = events(&path);
    assert_eq!(now.len(), 7);
    assert!(listed.iter().all(|event| now.contains(event)));
    restored.finish().await;
}

/// A list that was kept over a restore names what was lost, and what was recorded in its place since.
async fn several_events_under_one_number_are_told_apart(app: &TestApp) {
    let path = app.folder().join("erased.ndjson");
    let backup = app.folder().join("backup");
    let service = keeping(app, &path).await;
    let admin = service.admin("workspace", "acme");
    admin.record_all((0..3).map(theirs).collect()).await;
    let (is_done, said) =
        run(&service.url, &service.folder(), None, &["backup", backup.to_str().expect("a path")]).await;
    assert!(is_done, "{said}");
    erase(&admin, whom()).await;
    // Of every number there is an event before the one that the database has, and one after it.
    let mut kept = list::read(&fs::read_to_string(&path).expect("a list")).expect("a whole list");
    for line in kept.lines.clone() {
        let id: EventId = line.event.parse().expect("an id");
        for salt in [id.salt - 1, id.salt + 1] {
            kept.lines.push(Line { event: EventId { salt, ..id }.to_string(), ..line.clone() });
        }
    }
    let mut text = String::new();
    let (store, clock) = (&service.app.store, ledgerline::clock::Clock::system());
    let add = |line: &str| {
        text.push_str(line);
        text.push('\n');
        Ok(())
    };
    list::merge(store, &clock, Some(kept), add).await.expect("merged");
    service.finish().await;
    fs::write(&path, text).expect("written");
    let all = events(&path);
    assert_eq!(all.len(), 9);
    let (url, folder) = put_back(app, &backup).await;
    let restored = TestApp::on(app.database, url, app.products.clone(), folder).await;
    let (is_done, said) =
        run(&restored.url, &restored.folder(), None, &["erase", "--replay", path.to_str().expect("a path")]).await;
    assert!(is_done && said.contains("9 lines: 3 events were erased once more, 0 are held"), "{said}");
    restored.finish().await;
    // The same by a service that is given the file.
    let (url, folder) = put_back(app, &backup).await;
    let restored = TestApp::on(app.database, url, app.products.clone(), folder).await;
    let restored = restored.again(|settings| settings.erasure_list = Some(path.clone())).await;
    eventually(async || column::<i64>(&restored.url, "SELECT count(*) FROM erased_event").await == [3]).await;
    let there = restored.admin("workspace", "acme");
    let found = there.data("{ auditEvents(search: \"zephyrine\") { totalCount } }", json!({})).await;
    assert_eq!(found["auditEvents"]["totalCount"], 0);
    assert_eq!(events(&path), all, "and the list has all of them still");
    restored.finish().await;
}

async fn a_backup_brings_the_list_up_to_date_and_a_restore_takes_it(app: &TestApp) {
    let path = app.folder().join("erased.ndjson");
    let service = keeping(app, &path).await;
    let admin = service.admin("workspace", "acme");
    admin.record_all((0..3).map(theirs).collect()).await;
    let (older, newer) = (app.folder().join("older"), app.folder().join("newer"));
    let (older, newer) = (older.to_str().expect("a path"), newer.to_str().expect("a path"));
    let backing_up =
        async |to: &str, list: &Path| run(&service.url, &service.folder(), Some(list), &["backup", to]).await;
    let (is_done, said) = backing_up(older, &path).await;
    assert!(is_done && !said.contains("LEDGERLINE_ERASURE_LIST"), "{said}");
    erase(&admin, whom()).await;
    // The list cannot be written: the backup is there all the same, and the command says what is missing.
    let nowhere = app.folder().join("nowhere").join("erased.ndjson");
    let (is_done, said) = backing_up(newer, &nowhere).await;
    assert!(!is_done && said.contains("the erasure list is not written") && said.contains("nowhere"), "{said}");
    let restoring = async |from: &str, list: &Path| {
        let (url, folder) = crate::backup::elsewhere(app.database).await;
        let said = run("sqlite://not-used.db", folder.path(), Some(list), &["restore", from, "--to", &url]).await;
        (said, url, folder)
    };
    let ((is_done, said), ..) = restoring(newer, &path).await;
    assert!(!is_done && said.contains("cannot say who was erased after the backup"), "{said}");
    let (is_done, said) = backing_up(&format!("{newer}-again"), &path).await;
    assert!(is_done, "{said}");
    for (from, erased) in [(&format!("{newer}-again"), 0), (&older.to_owned(), 3)] {
        let ((is_done, said), url, folder) = restoring(from, &path).await;
        assert!(is_done && said.contains(&format!("has 3 lines: {erased} events were erased")), "{said}");
        let restored = TestApp::on(app.database, url, app.products.clone(), folder).await;
        assert_eq!(left::found(&restored, &left::needles(3)).await, Vec::<String>::new());
        restored.finish().await;
    }
    service.finish().await;
}

async fn a_file_that_is_no_list_of_this_database_is_not_written_over(app: &TestApp) {
    let path = app.folder().join("erased.ndjson");
    let other = keeping(app, &path).await;
    other.admin("workspace", "acme").record_all((0..3).map(theirs).collect()).await;
    erase(&other.admin("workspace", "acme"), whom()).await;
    other.finish().await;
    let of_another = fs::read(&path).expect("a list");
    let cut = of_another[..of_another.len() - 9].to_vec();
    let files: [(&str, Vec<u8>); 4] = [
        ("of another", of_another),
        ("cut", cut),
        ("no list", b"what somebody wrote\n".to_vec()),
        ("no text", vec![0xff, 0xfe, b'\n']),
    ];
    let good: PathBuf = app.folder().join("good.ndjson");
    let mut service = keeping(app, &good).await;
    service.admin("workspace", "acme").record_all((0..3).map(theirs).collect()).await;
    for (what, bytes) in files {
        fs::write(&path, &bytes).expect("written");
        service = service.again(|settings| settings.erasure_list = Some(path.clone())).await;
        service.admin("workspace", "acme").record(theirs(9)).await;
        let id = ask(&service.admin("workspace", "acme")).await;
        until(&service.admin("workspace", "acme"), &id, "LISTING").await;
        eventually(async || ready(&service).await.contains("LEDGERLINE_ERASURE_LIST")).await;
        assert_eq!(fs::read(&path).expect("a file"), bytes, "{what}");
        // It is tried again all the time: what is begun goes.
        eventually(async || !app.folder().join("erased.ndjson.part").exists()).await;
        service = service.again(|settings| settings.erasure_list = Some(good.clone())).await;
        until(&service.admin("workspace", "acme"), &id, "DONE").await;
    }
    assert_eq!(events(&good).len(), 3 + 4);
    service.finish().await;
}
