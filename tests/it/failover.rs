//! The primary dies under load and its standby is promoted. With synchronous replication nothing that was acknowledged is
//! lost; with asynchronous replication what is lost is named, and its numbers are not given again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;

use crate::{
    crash::{Books, Place},
    harness::{event, eventually},
    process::Service,
    server::{Server, execute, port_of},
};

/// Both servers in one URL, of which the one is used that takes writes.
fn both(server: &Server) -> String {
    let (primary, standby) = (server.port(), port_of(&server.replica));
    format!("postgres://postgres@127.0.0.1:{primary},127.0.0.1:{standby}/postgres?target_session_attrs=read-write")
}

/// A line of the log without its colours.
fn plain(line: &str) -> String {
    let mut pieces = line.split('\u{1b}');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('m').map_or("", |(_, rest)| rest))
}

async fn promote(server: &Server) {
    execute(&server.replica, "SELECT pg_promote()".to_owned()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_where_the_standby_is_synchronous() {
    let server = Server::with_replica().await;
    server.set("synchronous_standby_names", "*").await;
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::of("acme", both(&server), folder.path().to_owned());
    let service = place.service().await;
    let (books, next, stop) =
        (Arc::new(Books::default()), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    // Clients that go on whatever they are answered, as those of a service that fails over do.
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (books, client, base) = (books.clone(), place.client(), service.base.clone());
            let (next, stop) = (next.clone(), stop.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let key = format!("k{}", next.fetch_add(1, Ordering::Relaxed));
                    if !books.send(&client, &base, vec![key]).await {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            })
        })
        .collect();
    let acknowledged = || books.acknowledged.lock().expect("no panic").len();
    eventually(async || acknowledged() > 150).await;
    server.kill();
    let before = acknowledged();
    tokio::time::sleep(Duration::from_millis(300)).await;
    promote(&server).await;
    // It goes on without a restart, at the server that takes writes now.
    for _ in 0..60 {
        if acknowledged() > before + 150 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(acknowledged() > before + 150, "{before} before, {} now: {:#?}", acknowledged(), service.log());
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("no panic");
    }
    // What got no answer may be there or not: asked again, it is there once.
    let unanswered: Vec<_> = books.unanswered.lock().expect("no panic").iter().cloned().collect();
    let client = place.client();
    for key in unanswered {
        assert!(books.send(&client, &service.base, vec![key]).await);
    }
    let acknowledged = books.acknowledged.lock().expect("no panic").clone();
    let mut db = <sqlx::PgConnection as sqlx::Connection>::connect(&server.replica).await.expect("it answers");
    let there: Vec<(String, i64)> = sqlx::query_as("SELECT correlation_id, sequence FROM event ORDER BY sequence")
        .fetch_all(&mut db)
        .await
        .expect("rows");
    println!("{} of {} acknowledged events are there", there.len(), acknowledged.len());
    assert_eq!(there.len(), acknowledged.len());
    for (place, (key, sequence)) in there.iter().enumerate() {
        assert_eq!((acknowledged[key].1, *sequence), (place as i64, place as i64), "{key}");
    }
    assert!(service.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_asynchronous_standby_has_lost_is_named_and_its_numbers_are_not_given_again() {
    let server = Server::with_replica().await;
    let folder = tempfile::tempdir().expect("a folder");
    let url = both(&server);
    let place = Place::of("acme", url.clone(), folder.path().to_owned());
    let other = Place::of("beta", url.clone(), folder.path().to_owned());
    let (client, beta) = (place.client(), other.client());
    let service: Service = place.service().await;
    let record = async |client: &crate::process::Client, n: usize| {
        client.record(&service.base, &[event(&format!("a.{n}"))]).await.expect("an answer")
    };
    for n in 0..5 {
        assert!(record(&client, n).await.is_ok() && record(&beta, n).await.is_ok());
    }
    // The standby gets no more: what is acknowledged from here on is on the primary alone.
    let replayed = "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn";
    let mut primary = <sqlx::PgConnection as sqlx::Connection>::connect(&server.url).await.expect("it answers");
    let written: String =
        sqlx::query_scalar("SELECT pg_current_wal_lsn()::text").fetch_one(&mut primary).await.expect("a place");
    let mut standby = <sqlx::PgConnection as sqlx::Connection>::connect(&server.replica).await.expect("it answers");
    eventually(async || {
        sqlx::query_scalar::<_, bool>(replayed).bind(&written).fetch_one(&mut standby).await.expect("it says")
    })
    .await;
    execute(&server.replica, "ALTER SYSTEM SET primary_conninfo = ''".to_owned()).await;
    execute(&server.replica, "SELECT pg_reload_conf()".to_owned()).await;
    eventually(async || {
        let walking = "SELECT count(*) FROM pg_stat_replication";
        sqlx::query_scalar::<_, i64>(walking).fetch_one(&mut primary).await.expect("a number") == 0
    })
    .await;
    for n in 5..12 {
        assert!(record(&client, n).await.is_ok());
    }
    assert!(record(&beta, 5).await.is_ok());
    server.kill();
    promote(&server).await;
    // It finds the new primary, and refuses to give numbers again that it has acknowledged.
    let mut refusals = Vec::new();
    for _ in 0..40 {
        let answer = record(&client, 12).await.expect_err("nothing is recorded").to_string();
        let is_over = answer.contains("put back");
        refusals.push(answer);
        if is_over {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(refusals.last().is_some_and(|last| last.contains("put back")), "{refusals:#?} {:#?}", service.log());
    // Not for others either, whose events are all there, or fewer.
    assert!(record(&beta, 13).await.is_err());
    let ready = reqwest::get(format!("{}/readyz", service.base)).await.expect("an answer");
    let (status, said) = (ready.status().as_u16(), ready.text().await.expect("text"));
    assert_eq!(status, 503, "{said}");
    eventually(async || {
        let log = service.log();
        let tells = |organization: &str, missing: u32| {
            log.iter().any(|line| {
                let line = plain(line);
                line.contains("ERROR")
                    && line.contains(&format!("organization=\"{organization}\""))
                    && line.contains(&format!("missing={missing}"))
            })
        };
        tells("acme", 7) && tells("beta", 1)
    })
    .await;
    assert!(said.contains("8 events of 2 organizations"), "{said}");
    let metrics =
        reqwest::get(format!("{}/metrics", service.base)).await.expect("an answer").text().await.expect("text");
    let lost = |line: &&str| line.starts_with("ledgerline_acknowledged_events_missing ");
    assert_eq!(metrics.lines().find(lost).map(|line| line.ends_with(" 8")), Some(true), "{metrics}");
    // Until somebody decides that it goes on from there.
    let mut open = crate::process::ledgerline(&url, folder.path());
    open.arg("open");
    let done = tokio::task::spawn_blocking(move || open.output().expect("it runs")).await.expect("it ends");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let again = record(&client, 14).await.expect("results");
    assert_eq!(again[0]["sequence"], json!("5"));
    assert!(service.terminate().await.success());
}
