//! What is sent once more fares by itself: it holds up no new events, and they do not hold it up.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::{alone, create, here, only, replay};
use crate::harness::{
    Caller, Database, TestApp, event, eventually, on_both_databases,
    receiver::{Receiver, Reply},
};

on_both_databases! {
    what_is_refused_in_a_replay_is_put_aside_while_new_events_go_on,
    a_restart_in_the_middle_of_a_refused_replay_goes_on_counting,
    dead_letters_that_are_refused_again_stay_and_hold_up_nothing,
    another_replay_takes_the_place_of_one_under_way,
    a_replay_is_asked_for_while_another_one_is_being_sent,
    a_receiver_that_goes_away_during_a_replay_gets_both_when_it_is_back,
    a_new_event_that_is_refused_holds_up_no_replay,
    being_away_is_no_refusal,
    what_an_older_version_was_sending_again_goes_on,
    a_replay_asks_for_what_there_is,
}

/// Refuses one event.
fn refusing(sequence: i64) -> impl Fn(i64) -> u16 {
    move |sent| if sent == sequence { 422 } else { 200 }
}

fn answers(receiver: &Receiver, status: impl Fn(i64) -> u16 + Send + 'static) {
    receiver.answers(move |sent| Reply::Status(status(sent.sequence())));
}

/// A receiver that has got the events 0 to `size`, and the endpoint's id.
async fn filled(admin: &Caller<'_>, size: i64) -> (Receiver, String) {
    let receiver = Receiver::start().await;
    let (id, _) = create(admin, &receiver.url, json!(null)).await;
    admin.record_all((1..size).map(|n| event(&format!("old.{n}"))).collect()).await;
    let next = size.to_string();
    eventually(async || only(admin).await["nextSequence"] == next).await;
    assert_eq!(receiver.sequences(), (0..size).collect::<Vec<_>>());
    receiver.forget();
    (receiver, id)
}

/// The event that tells of a replay, too, is sent as a new one.
async fn replayed(admin: &Caller<'_>, id: &str, again: Value) {
    assert!(replay(admin, id, again).await.data()["replayEndpoint"]["endpoint"]["replay"].is_object());
}

/// Records an event, and waits until it has arrived: nothing else may keep it waiting.
async fn flows(admin: &Caller<'_>, receiver: &Receiver) {
    let sequence = admin.record(event("new.one")).await["sequence"].clone();
    let sequence: i64 = sequence.as_str().expect("text").parse().expect("a number");
    eventually(async || receiver.sequences().contains(&sequence)).await;
    let endpoint = only(admin).await;
    assert_eq!((&endpoint["failures"], &endpoint["trouble"]), (&json!(0), &Value::Null), "{endpoint:#}");
}

/// How often an event was sent.
fn times(receiver: &Receiver, sequence: i64) -> usize {
    receiver.sequences().into_iter().filter(|sent| *sent == sequence).count()
}

async fn refused(admin: &Caller<'_>, times: i64) {
    eventually(async || only(admin).await["replay"]["refusals"] == times).await;
}

async fn is_over(admin: &Caller<'_>) {
    eventually(async || only(admin).await["replay"].is_null()).await;
}

async fn what_is_refused_in_a_replay_is_put_aside_while_new_events_go_on(app: &TestApp) {
    let (app, clock) = alone(app).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (receiver, id) = filled(&admin, 6).await;
    answers(&receiver, refusing(2));
    replayed(&admin, &id, json!({ "fromSequence": "0", "toSequence": "6" })).await;
    for (tries, pause) in [(1, 5), (2, 300), (3, 1_800)] {
        refused(&admin, tries).await;
        let waiting = only(&admin).await["replay"].clone();
        assert_eq!((&waiting["nextSequence"], &waiting["toSequence"]), (&json!("2"), &json!("6")));
        assert!(waiting["nextAttemptAt"].is_string(), "{waiting}");
        flows(&admin, &receiver).await;
        clock.by_seconds(pause - 3);
        flows(&admin, &receiver).await;
        assert_eq!(times(&receiver, 2), usize::try_from(tries).expect("few"), "not before its time");
        clock.by_seconds(3 + pause / 10);
    }
    is_over(&admin).await;
    assert_eq!(times(&receiver, 2), 4);
    let old: Vec<_> = receiver.sequences().into_iter().filter(|sequence| *sequence < 6 && *sequence != 2).collect();
    assert_eq!(old, [0, 1, 3, 4, 5], "the rest goes on behind it, each once");
    let letters = only(&admin).await["deadLetters"].clone();
    assert_eq!(letters, json!({ "totalCount": 1, "nodes": [{ "sequence": "2", "reason": "HTTP 422" }] }));
    flows(&admin, &receiver).await;
    // What is taken in a range that is sent once more is no dead letter any more.
    answers(&receiver, |_| 200);
    replayed(&admin, &id, json!({ "fromSequence": "1", "toSequence": "4" })).await;
    eventually(async || only(&admin).await["deadLetters"]["totalCount"] == 0).await;
    app.finish().await;
}

async fn a_restart_in_the_middle_of_a_refused_replay_goes_on_counting(app: &TestApp) {
    let (mut app, clock) = alone(app).await;
    let (receiver, id) = filled(&app.admin("workspace", "acme").lasting(), 6).await;
    answers(&receiver, refusing(3));
    let admin = app.admin("workspace", "acme").lasting();
    replayed(&admin, &id, json!({ "fromSequence": "0", "toSequence": "6" })).await;
    for (tries, pause) in [(1, 6), (2, 331), (3, 1_981)] {
        refused(&app.admin("workspace", "acme").lasting(), tries).await;
        app = app.again_at(clock.clock(), here).await;
        let admin = app.admin("workspace", "acme").lasting();
        flows(&admin, &receiver).await;
        assert_eq!(only(&admin).await["replay"]["refusals"], tries);
        assert_eq!(times(&receiver, 3), usize::try_from(tries).expect("few"), "a restart is no reason to try at once");
        clock.by_seconds(pause);
    }
    let admin = app.admin("workspace", "acme").lasting();
    is_over(&admin).await;
    assert_eq!(times(&receiver, 3), 4);
    assert_eq!(only(&admin).await["deadLetters"]["nodes"][0]["sequence"], "3");
    assert_eq!((times(&receiver, 0), times(&receiver, 4), times(&receiver, 5)), (1, 1, 1));
    app.finish().await;
}

async fn dead_letters_that_are_refused_again_stay_and_hold_up_nothing(app: &TestApp) {
    let (app, clock) = alone(app).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (receiver, id) = filled(&admin, 1).await;
    answers(&receiver, |sequence| if [2, 4].contains(&sequence) { 422 } else { 200 });
    admin.record_all((1..7).map(|n| event(&format!("thing.{n}"))).collect()).await;
    for letters in [1, 2] {
        for pause in [6, 331, 1_981] {
            eventually(async || only(&admin).await["failures"].as_i64() > Some(0)).await;
            let failures = only(&admin).await["failures"].clone();
            clock.by_seconds(pause);
            eventually(async || only(&admin).await["failures"] != failures).await;
        }
        eventually(async || only(&admin).await["deadLetters"]["totalCount"] == letters).await;
    }
    eventually(async || only(&admin).await["nextSequence"] == "7").await;
    for round in 1..=2 {
        receiver.forget();
        answers(&receiver, move |sequence| if [2, 4].contains(&sequence) { 450 + round } else { 200 });
        replayed(&admin, &id, json!({ "deadLetters": true })).await;
        is_over(&admin).await;
        assert_eq!((times(&receiver, 2), times(&receiver, 4)), (1, 1), "each once: {:?}", receiver.sequences());
        flows(&admin, &receiver).await;
        let letters = only(&admin).await["deadLetters"].clone();
        assert_eq!(letters["totalCount"], 2);
        assert_eq!(letters["nodes"][0]["reason"], format!("HTTP {}", 450 + round), "what was said last");
    }
    // Taken at last, and one of them a moment later than the other.
    answers(&receiver, refusing(4));
    replayed(&admin, &id, json!({ "deadLetters": true })).await;
    eventually(async || only(&admin).await["deadLetters"]["totalCount"] == 1).await;
    answers(&receiver, |_| 200);
    replayed(&admin, &id, json!({ "deadLetters": true })).await;
    eventually(async || only(&admin).await["deadLetters"]["totalCount"] == 0).await;
    is_over(&admin).await;
    app.finish().await;
}

async fn another_replay_takes_the_place_of_one_under_way(app: &TestApp) {
    let (app, clock) = alone(app).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (receiver, id) = filled(&admin, 30).await;
    answers(&receiver, refusing(10));
    replayed(&admin, &id, json!({ "fromSequence": "0", "toSequence": "30" })).await;
    refused(&admin, 1).await;
    receiver.forget();
    replayed(&admin, &id, json!({ "fromSequence": "20", "toSequence": "25" })).await;
    // It asks for no pause.
    is_over(&admin).await;
    clock.by_seconds(100_000);
    flows(&admin, &receiver).await;
    let mut old = receiver.sequences();
    old.retain(|sequence| *sequence < 30);
    assert_eq!(old, (20..25).collect::<Vec<_>>(), "and the rest of the first one is not sent");
    assert_eq!(only(&admin).await["deadLetters"]["totalCount"], 0);
    app.finish().await;
}

async fn a_replay_is_asked_for_while_another_one_is_being_sent(app: &TestApp) {
    let (app, _) = alone(app).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (receiver, id) = filled(&admin, 20).await;
    receiver.answers(|sent| match sent.sequence() {
        5 => Reply::Late(Duration::from_secs(2)),
        _ => Reply::Status(200),
    });
    replayed(&admin, &id, json!({ "fromSequence": "5", "toSequence": "6" })).await;
    eventually(async || receiver.sequences().contains(&5)).await;
    // Its answer is still to come.
    replayed(&admin, &id, json!({ "fromSequence": "12", "toSequence": "15" })).await;
    eventually(async || [12, 13, 14].iter().all(|sequence| times(&receiver, *sequence) == 1)).await;
    is_over(&admin).await;
    assert_eq!((times(&receiver, 5), times(&receiver, 6), times(&receiver, 15)), (1, 0, 0));
    app.finish().await;
}

async fn a_receiver_that_goes_away_during_a_replay_gets_both_when_it_is_back(app: &TestApp) {
    let (app, clock) = alone(app).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (receiver, id) = filled(&admin, 10).await;
    answers(&receiver, |sequence| if (4..10).contains(&sequence) { 503 } else { 200 });
    replayed(&admin, &id, json!({ "fromSequence": "0", "toSequence": "10" })).await;
    eventually(async || only(&admin).await["failures"] == 1).await;
    // Nobody is there: new events wait, too, and the next try is one for both.
    answers(&receiver, |_| 503);
    let sequence = admin.record(event("new.one")).await["sequence"].as_str().expect("text").to_owned();
    let sequence: i64 = sequence.parse().expect("a number");
    for (failures, pause) in [(1, 5), (2, 300)] {
        eventually(async || only(&admin).await["failures"] == failures).await;
        receiver.forget();
        clock.by_seconds(pause - 3);
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert!(receiver.got().is_empty(), "{:?}", receiver.sequences());
        clock.by_seconds(3 + pause / 10);
        receiver.has(1).await;
    }
    eventually(async || only(&admin).await["failures"] == 3).await;
    assert_eq!(receiver.got().len(), 1, "one try, not one for each: {:?}", receiver.sequences());
    let endpoint = only(&admin).await;
    assert_eq!((&endpoint["replay"]["refusals"], &endpoint["trouble"]), (&json!(0), &json!("HTTP 503")));
    receiver.forget();
    answers(&receiver, |_| 200);
    clock.by_seconds(2_000);
    is_over(&admin).await;
    let mut old = receiver.sequences();
    old.retain(|sequence| *sequence < 10);
    assert_eq!(old, (4..10).collect::<Vec<_>>(), "on from where it was");
    assert_eq!(times(&receiver, sequence), 1);
    let endpoint = only(&admin).await;
    assert_eq!((&endpoint["failures"], &endpoint["deadLetters"]["totalCount"]), (&json!(0), &json!(0)));
    app.finish().await;
}

async fn a_new_event_that_is_refused_holds_up_no_replay(app: &TestApp) {
    let (app, clock) = alone(app).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (receiver, id) = filled(&admin, 10).await;
    answers(&receiver, refusing(10));
    admin.record(event("poison.it")).await;
    for (tries, pause) in [(1, 6), (2, 331), (3, 1_981)] {
        eventually(async || only(&admin).await["failures"] == tries).await;
        receiver.forget();
        replayed(&admin, &id, json!({ "fromSequence": "3", "toSequence": "6" })).await;
        is_over(&admin).await;
        assert_eq!(receiver.sequences(), [3, 4, 5], "at once");
        assert_eq!(only(&admin).await["failures"], tries, "and it says nothing of what is refused");
        clock.by_seconds(pause);
    }
    eventually(async || only(&admin).await["deadLetters"]["totalCount"] == 1).await;
    eventually(async || times(&receiver, 13) == 1).await;
    let sent: Vec<_> = receiver.sequences().into_iter().filter(|sequence| *sequence >= 10).collect();
    assert_eq!(sent, [10, 11, 12, 13], "those that tell of the replays come behind it");
    app.finish().await;
}

async fn being_away_is_no_refusal(app: &TestApp) {
    let (app, clock) = alone(app).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (receiver, _) = filled(&admin, 3).await;
    answers(&receiver, |_| 503);
    admin.record(event("unlucky.one")).await;
    for (failures, pause) in [(1, 6), (2, 331), (3, 1_981), (4, 7_921)] {
        eventually(async || only(&admin).await["failures"] == failures).await;
        clock.by_seconds(pause);
    }
    eventually(async || only(&admin).await["failures"] == 5).await;
    answers(&receiver, |_| 422);
    clock.by_seconds(19_801);
    eventually(async || only(&admin).await["failures"] == 6).await;
    assert_eq!(only(&admin).await["deadLetters"]["totalCount"], 0, "it was refused once");
    answers(&receiver, |_| 200);
    // A refusal is tried again after the first pause, however long nobody was there.
    clock.by_seconds(6);
    eventually(async || only(&admin).await["nextSequence"] == "4").await;
    app.finish().await;
}

async fn execute(app: &TestApp, sql: String) {
    let sql = AssertSqlSafe(sql);
    match app.database {
        Database::Sqlite => {
            let mut connection = SqliteConnection::connect(&app.url).await.expect("a connection");
            sqlx::query(sql).execute(&mut connection).await.expect("it is done");
        }
        Database::Postgres => {
            let mut connection = PgConnection::connect(&app.url).await.expect("a connection");
            sqlx::query(sql).execute(&mut connection).await.expect("it is done");
        }
    }
}

async fn what_an_older_version_was_sending_again_goes_on(app: &TestApp) {
    let (app, _) = alone(app).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (receiver, _) = filled(&admin, 6).await;
    // As it stored dead letters and a part of the history; the new columns have what the migration gives them.
    for (next, end, expected) in [(2, 5, vec![2, 3, 4]), (-1, -1, vec![4])] {
        let letter = "INSERT INTO dead_letter (organization_no, endpoint_id, sequence, at_ns, reason)
            SELECT organization_no, endpoint_id, 4, 0, 'HTTP 400' FROM delivery";
        execute(&app, letter.to_owned()).await;
        let replay = format!(
            "UPDATE delivery SET replay_next = {next}, replay_end = {end}, replays = replays + 1, replay_refusals = 0,
                replay_due_ns = 0"
        );
        execute(&app, replay).await;
        receiver.has(expected.len()).await;
        is_over(&admin).await;
        assert_eq!(receiver.sequences(), expected);
        assert_eq!(only(&admin).await["deadLetters"]["totalCount"], 0);
        receiver.forget();
    }
    app.finish().await;
}

async fn a_replay_asks_for_what_there_is(app: &TestApp) {
    let (app, _) = alone(app).await;
    let admin = app.admin("workspace", "acme").lasting();
    let (receiver, id) = filled(&admin, 5).await;
    for (from, to, field) in [
        ("5", "9", "input.fromSequence"),
        ("-1", "3", "input.toSequence"),
        ("3", "3", "input.toSequence"),
        ("3", "2", "input.toSequence"),
    ] {
        let refused = replay(&admin, &id, json!({ "fromSequence": from, "toSequence": to })).await;
        assert_eq!((refused.code().as_str(), refused.field().as_str()), ("BAD_USER_INPUT", field), "{from} {to}");
    }
    let stranger = app.admin("workspace", "globex").lasting();
    stranger.record_all((0..9).map(|n| event(&format!("theirs.{n}"))).collect()).await;
    for again in [json!({ "fromSequence": "0", "toSequence": "3" }), json!({ "deadLetters": true })] {
        assert_eq!(replay(&stranger, &id, again).await.code(), "NOT_FOUND");
    }
    assert!(receiver.got().is_empty());
    // One that ends behind the newest event ends there.
    replayed(&admin, &id, json!({ "fromSequence": "3", "toSequence": "9000" })).await;
    is_over(&admin).await;
    flows(&admin, &receiver).await;
    assert!(receiver.sequences().starts_with(&[3, 4]) || receiver.sequences().starts_with(&[5, 3, 4]));
    app.finish().await;
}
