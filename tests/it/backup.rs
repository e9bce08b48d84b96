//! Backup and restore: what a backup holds is what there was at its moment, whole or refused; and a database that went back
//! records only after somebody opened it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::Duration,
};

use axum::{body::Body, http::Request};
use ledgerline::{clock::Clock, config::Settings, demo};
use serde_json::{Value, json};

use crate::{
    copy::{answers, pages},
    crash::Place,
    harness::{
        Answer, Caller, Database, TestApp, as_of_a_cluster, event, eventually, on_both_databases, postgres,
        receiver::Receiver,
        sql::{change, column},
    },
    process::{Service, ledgerline},
    products::seed,
    retention::{
        LIFT, PLACE,
        erasure::{erase, theirs, whom},
        left::{found, needles},
    },
    views::save,
    went_back,
};

on_both_databases! {
    a_backup_under_load_is_restored_to_either_database_as_it_was,
    what_is_not_whole_is_refused_by_name,
    nothing_that_is_there_is_written_over,
    a_restored_database_records_only_after_it_was_opened,
    a_process_that_knew_more_stops_all_of_them,
    what_was_sent_after_the_backup_is_sent_again,
    who_was_erased_after_the_backup_is_in_no_byte_of_what_is_restored,
    private_views_of_who_was_erased_after_the_backup_are_not_restored,
    an_erasure_list_that_cannot_be_believed_restores_nothing,
}

as_of_a_cluster! {
    a_backup_under_load_is_restored_to_either_database_as_it_was,
}

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().expect("the program runs")).await.expect("it ends")
}

fn backing_up(app: &TestApp, place: &Path) -> Command {
    let mut command = ledgerline(&app.url, &app.folder());
    command.arg("backup").arg(place);
    command
}

fn restoring(place: &Path, to: &str, folder: &Path) -> Command {
    let mut command = ledgerline("sqlite://not-used.db", folder);
    command.arg("restore").arg(place).args(["--to", to, "--without-erasure-list"]);
    command
}

/// The same with an erasure list.
fn restoring_with(list: &Path, place: &Path, to: &str, folder: &Path) -> Command {
    let mut command = ledgerline("sqlite://not-used.db", folder);
    command.arg("restore").arg(place).args(["--to", to, "--erasure-list"]).arg(list);
    command
}

/// Writes the erasure list of a database to a file.
async fn write_list(app: &TestApp, name: &str) -> PathBuf {
    let mut command = ledgerline(&app.url, &app.folder());
    command.args(["erase", "--list"]);
    let output = run(command).await;
    assert!(output.status.success(), "{}", text(&output));
    let list = app.folder().join(name);
    fs::write(&list, &output.stdout).expect("written");
    list
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs a command that succeeds, and gives what it said.
async fn done(command: Command) -> String {
    let output = run(command).await;
    assert!(output.status.success(), "{}", text(&output));
    text(&output)
}

/// Runs a command that is refused, and gives why.
async fn refusal(command: Command) -> String {
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    text(&output)
}

async fn open(url: &str, folder: &Path) -> String {
    let mut command = ledgerline(url, folder);
    command.arg("open");
    done(command).await
}

async fn ready(app: &TestApp) -> (u16, String) {
    let answer = app.send(Request::get("/readyz").body(Body::empty()).expect("a request")).await;
    (answer.status.as_u16(), String::from_utf8(answer.body).expect("text"))
}

async fn try_record(caller: &Caller<'_>, action: &str) -> Answer {
    let query = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status sequence } }";
    caller.ask(query, json!({ "input": event(action) })).await
}

/// Nothing is recorded, and what is said names what to do.
async fn is_closed(app: &TestApp, organization: &str) {
    let answer = try_record(&app.admin("workspace", organization), "is.closed").await;
    assert_eq!(answer.code(), "UNAVAILABLE", "{}", answer.json());
    let message = answer.errors()[0]["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("`ledgerline open`"), "{message}");
    let (status, said) = ready(app).await;
    assert!(status == 503 && said.contains("`ledgerline open`"), "{status} {said}");
}

/// A database of a kind that is not there yet, in a folder of its own.
pub async fn elsewhere(database: Database) -> (String, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = match database {
        Database::Sqlite => format!("sqlite://{}", folder.path().join("restored.db").display()),
        Database::Postgres => postgres::fresh_database().await,
    };
    (url, folder)
}

async fn sequences(caller: &Caller<'_>) -> Vec<i64> {
    let query = "query($after: String) { auditEvents(first: 100, after: $after, includeNested: true,
        orderBy: { field: SEQUENCE, direction: ASC }) { nodes { sequence } pageInfo { hasNextPage endCursor } } }";
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = caller.data(query, json!({ "after": after })).await["auditEvents"].clone();
        let nodes = page["nodes"].as_array().expect("nodes");
        all.extend(nodes.iter().map(|node| node["sequence"].as_str().expect("text").parse::<i64>().expect("a number")));
        if page["pageInfo"]["hasNextPage"] != true {
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

async fn a_backup_under_load_is_restored_to_either_database_as_it_was(app: &TestApp) {
    let quiet = ["cloud-sessions", "workspace"].map(|product| (product, demo::organizations(product)[0].id));
    for (product, organization) in quiet {
        seed(&app.admin(product, organization), product, organization).await;
    }
    app.admin("workspace", quiet[1].1).record(event("Überwachung.ß.監査")).await;
    let create = "mutation($input: CreateAuditTokenInput!) { createAuditToken(input: $input) { secret } }";
    let input = json!({ "label": "Partner", "kind": "KEY", "scopes": ["audit:read"], "expiresIn": 36000 });
    let admin = app.admin("workspace", quiet[1].1);
    let key = admin.data(create, json!({ "input": input })).await["createAuditToken"]["secret"].clone();
    let input = json!({ "label": "Partner", "kind": "JWT", "scopes": ["audit:read"], "expiresIn": 36000 });
    let jwt = admin.data(create, json!({ "input": input })).await["createAuditToken"]["secret"].clone();
    let mut before = Vec::new();
    for (product, organization) in quiet {
        before.push(answers(&app.admin(product, organization)).await);
    }
    let place = app.folder().join("backups").join("first");
    fs::create_dir_all(place.parent().expect("a folder")).expect("made");
    let (acknowledged, is_over) = (AtomicI64::new(0), AtomicBool::new(false));
    let record = async |client: usize| {
        for n in 0.. {
            if is_over.load(Ordering::SeqCst) {
                break;
            }
            let mut input = event("was.busy");
            input["idempotencyKey"] = json!(format!("{client}-{n}"));
            assert_eq!(app.admin("workspace", "busy").record(input).await["status"], "RECORDED");
            acknowledged.fetch_add(1, Ordering::SeqCst);
        }
    };
    let backing = async {
        eventually(async || acknowledged.load(Ordering::SeqCst) > 40).await;
        let known = acknowledged.load(Ordering::SeqCst);
        let said = done(backing_up(app, &place)).await;
        is_over.store(true, Ordering::SeqCst);
        (known, said)
    };
    let (.., (known, said)) = tokio::join!(record(0), record(1), record(2), record(3), backing);
    assert!(said.contains("of 3 organizations") && said.contains("to "), "{said}");
    let all = acknowledged.load(Ordering::SeqCst);
    let manifest = fs::read_to_string(place.join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["format"], 1);
    is_private(&place);
    for database in [Database::Sqlite, Database::Postgres] {
        let (url, folder) = elsewhere(database).await;
        let said = done(restoring(&place, &url, folder.path())).await;
        assert!(said.contains("of 3 organizations") && said.contains("`ledgerline open`"), "{said}");
        let restored = TestApp::on(database, url.clone(), app.products.clone(), folder).await;
        for ((product, organization), before) in quiet.iter().zip(&before) {
            let there = answers(&restored.admin(product, organization)).await;
            assert_eq!(there.len(), before.len());
            for (there, before) in there.iter().zip(before) {
                assert_eq!(there, before, "{product} {organization}");
            }
        }
        // Nothing that was acknowledged before the backup is missing, and nothing is there twice.
        let busy = restored.admin("workspace", "busy");
        let there = sequences(&busy).await;
        assert!((known..=all).contains(&(there.len() as i64)), "{known} {} {all}", there.len());
        assert_eq!(there, (0..there.len() as i64).collect::<Vec<_>>());
        let total = pages(&busy, "includeNested: true").await[0]["totalCount"].clone();
        assert_eq!(total, there.len());
        for token in [&key, &jwt] {
            let list = "{ auditEvents(first: 1) { totalCount } }";
            let answer = restored.graphql(token.as_str(), list, json!({})).await;
            assert!(answer.data()["auditEvents"]["totalCount"].as_i64() > Some(0), "{}", answer.json());
        }
        is_closed(&restored, "busy").await;
        let said = open(&url, &restored.folder()).await;
        assert!(said.contains("recording goes on after"), "{said}");
        let next = try_record(&busy, "goes.on").await.data()["recordAuditEvent"].clone();
        assert_eq!(next["sequence"], there.len().to_string());
        // What was sent before the backup is known.
        let mut input = event("was.busy");
        input["idempotencyKey"] = json!("0-0");
        assert_eq!(busy.record(input).await["status"], "ALREADY_RECORDED");
        assert_eq!(ready(&restored).await.0, 200);
        restored.finish().await;
    }
    // The source never stopped.
    assert_eq!(sequences(&app.admin("workspace", "busy")).await.len() as i64, all);
}

/// Keys and salts are in it: nobody but its owner reads anything.
fn is_private(place: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(place), 0o700);
    assert_eq!(mode(&place.join("keys")), 0o700);
    for name in ["ledgerline.db", "manifest.json", "keys/issuer.pem"] {
        assert_eq!(mode(&place.join(name)), 0o600, "{name}");
    }
    let mut names: Vec<_> =
        fs::read_dir(place).expect("a folder").map(|entry| entry.expect("one").file_name()).collect();
    names.sort();
    assert_eq!(names, ["keys", "ledgerline.db", "manifest.json"]);
}

/// A backup with something of it changed.
fn changed(place: &Path, name: &str, change: impl FnOnce(&Path)) -> PathBuf {
    let other = place.with_file_name(name);
    fs::create_dir_all(other.join("keys")).expect("a folder");
    for file in ["ledgerline.db", "manifest.json"] {
        fs::copy(place.join(file), other.join(file)).expect("copied");
    }
    for key in fs::read_dir(place.join("keys")).expect("a folder") {
        let key = key.expect("a key");
        fs::copy(key.path(), other.join("keys").join(key.file_name())).expect("copied");
    }
    change(&other);
    other
}

fn rewrite(place: &Path, change: impl FnOnce(&mut Value)) {
    let path = place.join("manifest.json");
    let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).expect("text")).expect("JSON");
    change(&mut manifest);
    fs::write(path, manifest.to_string()).expect("written");
}

/// Writes the hash of the database into the manifest, as one would who wants a change unnoticed.
fn sign(place: &Path) {
    use sha2::{Digest, Sha256};
    let bytes = fs::read(place.join("ledgerline.db")).expect("bytes");
    let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    rewrite(place, |manifest| {
        manifest["database"]["bytes"] = json!(bytes.len());
        manifest["database"]["sha256"] = json!(sha256);
    });
}

async fn edit(place: &Path, statements: &[&str]) {
    let url = format!("sqlite://{}", place.join("ledgerline.db").display());
    for statement in statements {
        change(&url, statement).await;
    }
    // Everything is in the one file again, as a backup has it.
    change(&url, "PRAGMA journal_mode = delete").await;
    sign(place);
}

async fn what_is_not_whole_is_refused_by_name(app: &TestApp) {
    for organization in ["acme", "beta"] {
        app.admin("workspace", organization).record_all(vec![event("one"), event("two"), event("three")]).await;
    }
    let place = app.folder().join("whole");
    done(backing_up(app, &place)).await;
    let mut check = ledgerline("sqlite://not-used.db", &app.folder());
    check.arg("restore").arg(&place).arg("--check");
    assert!(done(check).await.contains("6 events of 2 organizations"));
    let flipped = changed(&place, "flipped", |place| {
        let path = place.join("ledgerline.db");
        let mut bytes = fs::read(&path).expect("bytes");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).expect("written");
    });
    let cut = changed(&place, "cut", |place| {
        let path = place.join("ledgerline.db");
        let bytes = fs::read(&path).expect("bytes");
        fs::write(path, &bytes[..bytes.len() - 4096]).expect("written");
    });
    let keyless =
        changed(&place, "keyless", |place| fs::write(place.join("keys/workspace.key"), "another").expect("written"));
    let lost = changed(&place, "lost", |_| {});
    let no_triggers = ["DROP TRIGGER event_no_delete", "DROP TRIGGER event_order_no_delete"];
    edit(&lost, &no_triggers).await;
    edit(&lost, &["DELETE FROM event WHERE sequence = 1 AND organization_no = 1"]).await;
    let headless = changed(&place, "headless", |_| {});
    edit(&headless, &["UPDATE organization_head SET size = 2 WHERE organization_no = 2"]).await;
    let other = changed(&place, "other", |place| {
        rewrite(place, |manifest| manifest["organizations"][1]["organization"] = json!("gamma"));
    });
    let later = changed(&place, "later", |place| rewrite(place, |manifest| manifest["format"] = json!(2)));
    let bare = changed(&place, "bare", |place| fs::remove_file(place.join("manifest.json")).expect("removed"));
    for (place, why) in [
        (&flipped, "ledgerline.db has"),
        (&cut, "ledgerline.db has"),
        (&keyless, "workspace.key has"),
        (&lost, "workspace/acme: its head counts 3 events, 0 of which have left, but 2 are there"),
        (&headless, "workspace/beta has recorded 2 events, 0 of which have left"),
        (&other, "workspace/gamma is in the manifest alone\nworkspace/beta is not in the manifest"),
        (&later, "the manifest has the format 2, and this version reads 1"),
        (&bare, "is no backup"),
    ] {
        let (url, folder) = elsewhere(app.database).await;
        let said = refusal(restoring(place, &url, folder.path())).await;
        assert!(said.contains(why), "{}: {said}", place.display());
        // Nothing is left half restored.
        match app.database {
            Database::Sqlite => assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "{said}"),
            Database::Postgres => assert_eq!(column::<i64>(&url, "SELECT count(*) FROM organization").await, [0]),
        }
    }
}

async fn nothing_that_is_there_is_written_over(app: &TestApp) {
    app.admin("workspace", "acme").record(event("one")).await;
    let place = app.folder().join("there");
    fs::create_dir(&place).expect("made");
    fs::write(place.join("mine"), "kept").expect("written");
    assert!(refusal(backing_up(app, &place)).await.contains("is there already"));
    let mut forced = backing_up(app, &place);
    forced.arg("--force");
    assert!(refusal(forced).await.contains("is no backup, and stays as it is"));
    assert_eq!(fs::read_to_string(place.join("mine")).expect("text"), "kept");
    // Of an earlier backup, a new one takes the place.
    let place = app.folder().join("backup");
    done(backing_up(app, &place)).await;
    app.admin("workspace", "acme").record(event("two")).await;
    assert!(refusal(backing_up(app, &place)).await.contains("is there already"));
    let mut forced = backing_up(app, &place);
    forced.arg("--force");
    assert!(done(forced).await.contains("backed up 2 events of 1 organizations"));
    let names = fs::read_dir(app.folder()).expect("a folder").map(|entry| entry.expect("one").file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains(".part-")).collect();
    assert!(left.is_empty(), "{left:?}");
    // A target that holds anything, the database itself above all, stays as it is.
    let said = refusal(restoring(&place, &app.url, &app.folder())).await;
    assert!(said.contains("--to must be empty"), "{said}");
    assert_eq!(sequences(&app.admin("workspace", "acme")).await, [0, 1]);
    // The log of a database that was deleted would be played into the new one.
    if app.database == Database::Sqlite {
        let (url, folder) = elsewhere(Database::Sqlite).await;
        fs::write(folder.path().join("restored.db-wal"), "left").expect("written");
        let said = refusal(restoring(&place, &url, folder.path())).await;
        assert!(said.contains("restored.db-wal is there"), "{said}");
    }
    // Keys of another installation are not mixed with those of the backup.
    let (url, folder) = elsewhere(app.database).await;
    fs::create_dir(folder.path().join("keys")).expect("made");
    let key = fs::read_dir(place.join("keys")).expect("a folder").next().expect("a key").expect("a key").file_name();
    fs::write(folder.path().join("keys").join(&key), "another").expect("written");
    let said = refusal(restoring(&place, &url, folder.path())).await;
    assert!(said.contains("is another key than that of the backup"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("keys").join(&key)).expect("text"), "another");
}

async fn a_restored_database_records_only_after_it_was_opened(app: &TestApp) {
    app.admin("workspace", "acme").record_all(vec![event("one"), event("two")]).await;
    let place = app.folder().join("backup");
    done(backing_up(app, &place)).await;
    let (url, folder) = elsewhere(app.database).await;
    if app.database == Database::Sqlite {
        // Whoever takes the file itself, past the command, has the same.
        fs::copy(place.join("ledgerline.db"), folder.path().join("restored.db")).expect("copied");
    } else {
        done(restoring(&place, &url, folder.path())).await;
    }
    let mut restored = TestApp::on(app.database, url.clone(), app.products.clone(), folder).await;
    for _ in 0..2 {
        is_closed(&restored, "acme").await;
        is_closed(&restored, "never-seen").await;
        assert_eq!(sequences(&restored.admin("workspace", "acme")).await, [0, 1]);
        let swept = ledgerline::retention::Sweeper::new(
            restored.app.store.clone(),
            restored.app.services.writer.clone(),
            restored.products.clone(),
            Clock::system(),
        );
        assert_eq!(swept.sweep().await.expect("nothing is done").removed, 0);
        restored = restored.again(|_| {}).await;
    }
    // Where a product's reads are events, none can be told of, so none is answered.
    let told = restored.beside_with_products(crate::reads::products()).await;
    let asked = told.admin("workspace", "acme").ask("{ auditEvents(first: 1) { totalCount } }", json!({})).await;
    assert_eq!(asked.code(), "UNAVAILABLE");
    told.finish().await;
    // A copy of what is not open is not open.
    let (copied, copied_folder) = elsewhere(app.database).await;
    let mut copying = ledgerline("sqlite://not-used.db", copied_folder.path());
    copying.args(["copy", "--from", &url, "--to", &copied]);
    done(copying).await;
    let copied = TestApp::on(app.database, copied, app.products.clone(), copied_folder).await;
    is_closed(&copied, "acme").await;
    copied.finish().await;
    // Opened beside the running service: it goes on at once.
    let beside = restored.beside().await;
    open(&url, &restored.folder()).await;
    for (app, sequence) in [(&restored, "2"), (&beside, "3")] {
        let next = try_record(&app.admin("workspace", "acme"), "next").await;
        assert_eq!(next.data()["recordAuditEvent"]["sequence"], sequence, "{}", next.json());
    }
    beside.finish().await;
    let restored = restored.again(|_| {}).await;
    assert_eq!(restored.admin("workspace", "acme").record(event("after")).await["sequence"], "4");
    restored.finish().await;
    // The source was asked nothing.
    assert_eq!(app.admin("workspace", "acme").record(event("three")).await["sequence"], "2");
}

async fn a_process_that_knew_more_stops_all_of_them(app: &TestApp) {
    let acme = app.admin("workspace", "acme");
    acme.record(event("one")).await;
    let beside = app.beside().await;
    let service = Service::start(&app.url, &app.folder()).await;
    went_back::back_up(app).await;
    acme.record_all(vec![event("two"), event("three")]).await;
    went_back::put_back(app).await;
    // The others know nothing of what was lost; an organization that lost nothing is no evidence.
    assert_eq!(beside.admin("workspace", "beta").record(event("theirs")).await["sequence"], "0");
    is_closed(app, "acme").await;
    is_closed(&beside, "acme").await;
    is_closed(&beside, "beta").await;
    let client = Place::of("acme", app.url.clone(), app.folder()).client();
    let recorded = client.record(&service.base, &[event("from.a.third")]).await.expect("an answer");
    assert!(recorded.expect_err("refused").to_string().contains("`ledgerline open`"));
    assert_eq!(client.status(format!("{}/readyz", service.base)).await, 503);
    // A restart forgets nothing, and reading goes on.
    assert!(service.terminate().await.success());
    let service = Service::start(&app.url, &app.folder()).await;
    let is_told = || service.log().iter().any(|line| line.contains("ERROR") && line.contains("`ledgerline open`"));
    eventually(async || is_told()).await;
    let recorded = client.record(&service.base, &[event("from.a.third")]).await.expect("an answer");
    assert!(recorded.expect_err("refused").to_string().contains("`ledgerline open`"));
    assert_eq!(sequences(&acme).await, [0]);
    open(&app.url, &app.folder()).await;
    // The same process that knew more goes on, in the new history.
    assert_eq!(try_record(&acme, "again").await.data()["recordAuditEvent"]["sequence"], "1");
    assert_eq!(beside.admin("workspace", "beta").record(event("theirs")).await["sequence"], "1");
    let recorded = client.record(&service.base, &[event("from.a.third")]).await.expect("an answer").expect("results");
    assert_eq!(recorded[0]["sequence"], "2");
    assert_eq!((ready(app).await.0, ready(&beside).await.0), (200, 200));
    // And notices the next time, too, also where another organization has the place of the lost one.
    went_back::put_back(app).await;
    let (status, said) = ready(app).await;
    assert!(status == 503 && said.contains("`ledgerline open`"), "{said}");
    is_closed(app, "acme").await;
    open(&app.url, &app.folder()).await;
    assert_eq!(try_record(&acme, "again").await.data()["recordAuditEvent"]["sequence"], "1");
    assert!(service.terminate().await.success());
    beside.finish().await;
}

async fn what_was_sent_after_the_backup_is_sent_again(app: &TestApp) {
    fn here(settings: &mut Settings) {
        settings.endpoint_networks = vec!["127.0.0.0/8".to_owned()];
    }
    let receiver = Receiver::start().await;
    let sending = app.beside_with(here).await;
    let admin = sending.admin("workspace", "acme").lasting();
    let input = json!({ "label": "Theirs", "target": { "webhook": { "url": receiver.url } },
        "question": { "filter": { "actions": ["did.*"] } } });
    let create = "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { endpoint { id } } }";
    admin.data(create, json!({ "input": input })).await;
    for n in 0..3 {
        admin.record(event(&format!("did.{n}"))).await;
    }
    receiver.has(3).await;
    let place = app.folder().join("backup");
    // Its place is written down a moment after it was sent.
    eventually(async || column::<i64>(&app.url, "SELECT next FROM delivery").await == [4]).await;
    done(backing_up(app, &place)).await;
    for n in 3..5 {
        admin.record(event(&format!("did.{n}"))).await;
    }
    receiver.has(5).await;
    sending.finish().await;
    receiver.forget();
    let (url, folder) = elsewhere(app.database).await;
    done(restoring(&place, &url, folder.path())).await;
    let sending = TestApp::on(app.database, url.clone(), app.products.clone(), folder).await.again(here).await;
    // A restore that is only looked at sends nothing.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(receiver.got().len(), 0);
    open(&url, &sending.folder()).await;
    for n in 3..6 {
        sending.admin("workspace", "acme").record(event(&format!("did.{n}"))).await;
    }
    // From its place at the backup: what is recorded anew under the same sequences comes, too.
    receiver.has_within(3, Duration::from_secs(60)).await;
    assert_eq!(receiver.sequences(), [4, 5, 6]);
    sending.finish().await;
}

/// The same target as it was: nothing is there.
async fn is_untouched(database: Database, url: &str, folder: &Path) {
    match database {
        Database::Sqlite => assert_eq!(fs::read_dir(folder).expect("a folder").count(), 0),
        Database::Postgres => assert_eq!(column::<i64>(url, "SELECT count(*) FROM organization").await, [0]),
    }
}

async fn who_was_erased_after_the_backup_is_in_no_byte_of_what_is_restored(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for organization in ["acme", "globex"] {
        let admin = app.admin("workspace", organization);
        admin.record_all((0..4).map(|n| if n == 2 { event("by.others") } else { theirs(n) }).collect()).await;
    }
    let place = app.folder().join("backup");
    done(backing_up(app, &place)).await;
    admin.record(theirs(9)).await;
    erase(&admin, whom()).await;
    erase(&app.admin("workspace", "globex"), whom()).await;
    let list = write_list(app, "erased.ndjson").await;
    let needles = needles(4);
    assert!(found_in(&place, &needles), "the search finds what is there");
    // Twice, of the same backup and list.
    for _ in 0..2 {
        let (url, folder) = elsewhere(app.database).await;
        let said = done(restoring_with(&list, &place, &url, folder.path())).await;
        assert!(said.contains("has 7 lines: 6 events were erased once more"), "{said}");
        let restored = TestApp::on(app.database, url.clone(), app.products.clone(), folder).await;
        is_closed(&restored, "acme").await;
        assert_eq!(found(&restored, &needles).await, Vec::<String>::new());
        for organization in ["acme", "globex"] {
            let there = restored.admin("workspace", organization);
            assert_eq!(sequences(&there).await, [0, 1, 2, 3, 4], "and it is told");
            let told = there.data("{ auditEvents { nodes { action erased } } }", json!({})).await;
            let told = told["auditEvents"]["nodes"].as_array().expect("nodes").clone();
            assert_eq!((&told[0]["action"], &told[2]["erased"]), (&json!("audit_log.person_erased"), &json!([])));
            assert!(told[1]["erased"].as_array().is_some_and(|paths| !paths.is_empty()), "{told:?}");
        }
        // To read SQLite's files in this process takes its locks on them away.
        let restored = restored.again(|_| {}).await;
        open(&url, &restored.folder()).await;
        assert_eq!(restored.admin("workspace", "acme").record(event("next")).await["sequence"], "5");
        // A backup of it is of after the list; with the list that it writes itself, it is restored as well.
        let second = restored.folder().join("second");
        done(backing_up(&restored, &second)).await;
        let own = write_list(&restored, "own.ndjson").await;
        let (url, folder) = elsewhere(app.database).await;
        let said = refusal(restoring_with(&list, &second, &url, folder.path())).await;
        assert!(said.contains("cannot say who was erased after the backup"), "{said}");
        is_untouched(app.database, &url, folder.path()).await;
        let said = done(restoring_with(&own, &second, &url, folder.path())).await;
        assert!(said.contains("has 6 lines: 0 events were erased once more"), "{said}");
        restored.finish().await;
    }
}

async fn private_views_of_who_was_erased_after_the_backup_are_not_restored(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    save(&app.admin("workspace", "acme").subject("usr_zq7x"), "Theirs", false).await;
    save(&app.admin("workspace", "acme").subject("usr_zq7x"), "For all", true).await;
    save(&admin, "The admin's", false).await;
    let place = app.folder().join("backup");
    done(backing_up(app, &place)).await;
    erase(&admin, whom()).await;
    let list = write_list(app, "erased.ndjson").await;
    let (url, folder) = elsewhere(app.database).await;
    done(restoring_with(&list, &place, &url, folder.path())).await;
    let views = column::<String>(&url, "SELECT label FROM saved_view ORDER BY 1").await;
    assert_eq!(views, ["For all", "The admin's"]);
}

/// Whether a folder's database has one of some texts.
fn found_in(place: &Path, needles: &[String]) -> bool {
    let bytes = fs::read(place.join("ledgerline.db")).expect("bytes");
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    needles.iter().any(|needle| text.contains(needle.as_str()))
}

async fn an_erasure_list_that_cannot_be_believed_restores_nothing(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    admin.record_all((0..3).map(theirs).collect()).await;
    let older = write_list(app, "older.ndjson").await;
    let hold = admin.data(PLACE, json!({ "input": { "label": "case 7", "filter": { "actions": ["doc.*"] } } })).await;
    let hold = hold["placeAuditHold"]["hold"]["id"].clone();
    let held = app.folder().join("held");
    done(backing_up(app, &held)).await;
    admin.data(LIFT, json!({ "input": { "id": hold } })).await;
    let place = app.folder().join("backup");
    done(backing_up(app, &place)).await;
    erase(&admin, whom()).await;
    let list = write_list(app, "whole.ndjson").await;
    let whole = fs::read_to_string(&list).expect("text");
    let lines: Vec<_> = whole.lines().collect();
    assert_eq!(lines.len(), 4);
    let damaged = |name: &str, text: String| {
        let path = app.folder().join(name);
        fs::write(&path, text).expect("written");
        path
    };
    let other = TestApp::start(app.database).await;
    other.admin("workspace", "acme").record_all((0..3).map(theirs).collect()).await;
    erase(&other.admin("workspace", "acme"), whom()).await;
    let others = fs::read_to_string(write_list(&other, "others.ndjson").await).expect("text");
    let others = damaged("others", others);
    other.finish().await;
    for (place, list, why) in [
        (&place, older, "cannot say who was erased after the backup"),
        (&place, damaged("cut", lines[..3].join("\n")), "its last line is missing"),
        (&place, damaged("torn", whole[..whole.len() - 9].to_owned()), "line 4"),
        (&place, damaged("gap", [lines[0], lines[2], lines[3]].join("\n")), "it has 2 lines"),
        (&place, damaged("changed", whole.replace("\"metadata\"", "\"userAgent\"")), "they are not the 3"),
        (&place, damaged("empty", String::new()), "its last line is missing"),
        (&place, others, "is of another database"),
        (&place, app.folder().join("nowhere"), "cannot be read"),
        (&held, list.clone(), "holds of the backup keep 3 events"),
    ] {
        let (url, folder) = elsewhere(app.database).await;
        let said = refusal(restoring_with(&list, place, &url, folder.path())).await;
        assert!(said.contains(why), "{}: {said}", list.display());
        is_untouched(app.database, &url, folder.path()).await;
    }
    // Nothing said is no answer.
    let (url, folder) = elsewhere(app.database).await;
    let mut silent = ledgerline("sqlite://not-used.db", folder.path());
    silent.arg("restore").arg(&place).args(["--to", &url]);
    let said = refusal(silent).await;
    assert!(said.contains("--erasure-list FILE") && said.contains("--without-erasure-list"), "{said}");
    is_untouched(app.database, &url, folder.path()).await;
    // Damaged once, whole the next time.
    let said = done(restoring_with(&list, &place, &url, folder.path())).await;
    assert!(said.contains("3 events were erased once more"), "{said}");
}
