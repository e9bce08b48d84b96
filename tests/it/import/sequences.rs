//! Files imported in part, twice, put together, killed, and beside others.

use serde_json::json;

use super::*;
use crate::process::{Client, Service};

/// Simple lines, numbered.
fn lines(range: std::ops::Range<usize>) -> String {
    range
        .map(|i| {
            let line = json!({
                "importId": format!("line-{i}"), "org": "acme", "action": format!("did.{}", i % 10),
                "occurredAt": format!("2026-01-01T00:00:{:02}.{i:09}Z", i % 60),
                "actor": { "kind": "USER", "id": format!("u{}", i % 7) }
            });
            format!("{line}\n")
        })
        .collect()
}

/// A line without a key of its own.
fn keyless(number: usize) -> String {
    line(&format!("a{number}")) + "\n"
}

/// Numbers below `most` that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

on_both_databases! {
    equal_lines_are_as_many_events_as_there_are_lines,
    parts_repeats_and_files_put_together_add_what_is_missing,
    a_killed_import_goes_on_where_it_was,
    an_import_and_sixteen_clients_record_side_by_side,
}

async fn equal_lines_are_as_many_events_as_there_are_lines(app: &TestApp) {
    let text = [keyless(1), keyless(2), keyless(1), keyless(1)].concat();
    assert_eq!(import(app, &text, &[]).await.summary, "4 recorded, 0 recorded before, 0 refused");
    assert_eq!(import(app, &text, &[]).await.summary, "0 recorded, 4 recorded before, 0 refused");
    // A line that was appended is one more, and so is one that was put in the middle.
    let longer = [&text[..], &keyless(1)].concat();
    assert_eq!(import(app, &longer, &[]).await.summary, "1 recorded, 4 recorded before, 0 refused");
    let other = [keyless(2), keyless(2), longer].concat();
    assert_eq!(import(app, &other, &[]).await.summary, "2 recorded, 5 recorded before, 0 refused");
    assert_eq!(total(app, "acme").await, 7);
    // Two with one key are one event.
    assert_eq!(import(app, lines(0..1).repeat(2), &[]).await.summary, "1 recorded, 1 recorded before, 0 refused");
}

async fn parts_repeats_and_files_put_together_add_what_is_missing(app: &TestApp) {
    let mut numbers = Numbers(7);
    let whole: Vec<String> = (0..60).map(|_| keyless(numbers.next(9))).collect();
    // What there should be: of each line as many as the file that has most of it.
    let mut most = std::collections::HashMap::new();
    let mut there = 0;
    for step in 0..8 {
        let (from, to) = (numbers.next(60), numbers.next(60));
        let part: Vec<&String> = match step % 4 {
            0 => whole[..to].iter().collect(),
            1 => whole[from.min(to)..from.max(to)].iter().collect(),
            2 => whole.iter().collect(),
            _ => whole[..to].iter().chain(&whole[from..]).collect(),
        };
        let mut counts = std::collections::HashMap::new();
        part.iter().for_each(|line| *counts.entry(line.as_str()).or_insert(0) += 1);
        for (line, count) in counts {
            let known = most.entry(line.to_owned()).or_insert(0);
            *known = count.max(*known);
        }
        let expected = most.values().sum::<usize>();
        let text: String = part.iter().map(|line| line.as_str()).collect();
        let imported = import(app, &text, &[]).await;
        let summary =
            format!("{} recorded, {} recorded before, 0 refused", expected - there, part.len() + there - expected);
        assert_eq!(imported.summary, summary, "step {step}: {imported:#?}");
        there = expected;
    }
    assert_eq!(total(app, "acme").await, there);
}

async fn a_killed_import_goes_on_where_it_was(app: &TestApp) {
    let number = 6_000;
    // Every third line is there three times, without a key.
    let text =
        (0..number).map(|i| if i % 3 == 0 { keyless(i % 2_000 / 3) } else { lines(i..i + 1) }).collect::<String>();
    let path = file(app, &text);
    let mut command = process::ledgerline(&app.url, &app.folder());
    let mut child = command
        .arg("import")
        .arg(&path)
        .args(["--product", "workspace"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    crate::harness::eventually(async || total(app, "acme").await.as_i64().unwrap() > 0).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let before = total(app, "acme").await.as_u64().unwrap() as usize;
    // It commits in batches; how far it came is chance.
    assert!(before > 0 && before.is_multiple_of(500), "{before}");
    let rest = process::import(&app.url, &app.folder(), &path, &[]).await;
    assert_eq!(rest.summary, format!("{} recorded, {before} recorded before, 0 refused", number - before), "{rest:#?}");
    assert_eq!(total(app, "acme").await, number);
}

async fn an_import_and_sixteen_clients_record_side_by_side(app: &TestApp) {
    let path = file(app, lines(0..3_000));
    let service = Service::start(&app.url, &app.folder()).await;
    let token = app.caller("workspace").organization("acme").scopes("audit:record").subject("client").token();
    let (folder, url, base) = (app.folder(), app.url.clone(), service.base.clone());
    let importing = tokio::spawn(async move { process::import(&url, &folder, &path, &[]).await });
    let clients: Vec<_> = (0..16)
        .map(|client| {
            let (http, base) = (Client::new(token.clone()), base.clone());
            tokio::spawn(async move {
                for i in 0..25 {
                    let event = json!({
                        "action": "live", "actor": { "kind": "USER", "id": format!("c{client}") },
                        "idempotencyKey": format!("{client}-{i}")
                    });
                    let results = http.record(&base, &[event]).await.expect("an answer");
                    let results = results.unwrap_or_else(|answer| panic!("{answer}"));
                    assert_eq!(results[0]["status"], "RECORDED", "{results:?}");
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let imported = importing.await.unwrap();
    assert_eq!(imported.summary, "3000 recorded, 0 recorded before, 0 refused", "{imported:#?}");
    assert_eq!(total(app, "acme").await, 3_400);
    assert!(service.terminate().await.success());
}
