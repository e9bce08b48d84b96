//! `kill -9` in the middle of an export, twice: the file is whole at the end, each event once.

use std::{collections::BTreeSet, path::Path, time::Duration};

use ledgerline::{
    auth::{Claims, OneOrMany},
    clock::Clock,
    event::Timestamp,
    keys::DevelopmentKeys,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    harness::{catalogs, event, postgres},
    process::{Client, Service, ledgerline},
};

const CREATE: &str = "mutation { createAuditExport(input: { format: NDJSON }) { export { id } } }";
const FIND: &str = "query($id: ID!) { auditExport(id: $id) { status done count size sha256 downloadUrl } }";
/// So many that the file has some parts of 8 MB.
const EVENTS: usize = 600;

fn client(folder: &Path) -> Client {
    let products = catalogs::products();
    let product = products.get("workspace").expect("a product");
    let keys = DevelopmentKeys::open_or_create(&folder.join("keys"), &products).expect("keys");
    let mut claims = Claims::new(product, "admin", Timestamp(Clock::system().now().0 + 3_600_000_000_000));
    claims.org = Some("acme".to_owned());
    claims.scope = Some("audit:read audit:record audit:manage".to_owned());
    claims.role = Some(OneOrMany::One("admin".to_owned()));
    Client::new(keys.sign("workspace", &claims).expect("a token"))
}

async fn find(client: &Client, service: &Service, id: &str) -> Value {
    let answer = client.ask(&service.base, FIND, json!({ "id": id })).await.expect("an answer");
    answer["data"]["auditExport"].clone()
}

/// Waits until more than so many events are in the file, or it is complete.
async fn done(client: &Client, service: &Service, id: &str, more_than: u64) -> Value {
    for _ in 0..6_000 {
        let export = find(client, service, id).await;
        let done = export["done"].as_str().and_then(|done| done.parse::<u64>().ok()).unwrap_or_default();
        if export["status"] == "DONE" || done > more_than {
            return export;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not go on: {:#?}", service.log());
}

/// A service whose files lie in the folder.
async fn start(url: &str, folder: &Path) -> Service {
    let mut command = ledgerline(url, folder);
    command.env("LEDGERLINE_EXPORTS", folder.join("exports"));
    Service::run(command).await
}

async fn killed(url: &str, folder: &Path) {
    let client = client(folder);
    let service = start(url, folder).await;
    for from in (0..EVENTS).step_by(20) {
        let events: Vec<_> = (from..from + 20)
            .map(|n| {
                let mut event = event("user.login");
                event["metadata"] = json!({ "n": n, "text": "x".repeat(40_000) });
                event
            })
            .collect();
        client.record(&service.base, &events).await.expect("an answer").expect("recorded");
    }
    let answer = client.ask(&service.base, CREATE, json!({})).await.expect("an answer");
    let id = answer["data"]["createAuditExport"]["export"]["id"].as_str().expect("an id").to_owned();
    let mut service = service;
    let (mut reached, mut kills) = (0, 0);
    let export = loop {
        let export = done(&client, &service, &id, reached).await;
        if export["status"] == "DONE" {
            break export;
        }
        reached = export["done"].as_str().and_then(|done| done.parse::<u64>().ok()).expect("a number");
        if kills < 2 {
            service.kill();
            kills += 1;
            service = start(url, folder).await;
        }
    };
    assert!(kills > 0, "it was complete before it could be killed");
    let address = export["downloadUrl"].as_str().expect("an address");
    let address = if address.starts_with('/') { format!("{}{address}", service.base) } else { address.to_owned() };
    let file = reqwest::get(address).await.expect("an answer").bytes().await.expect("a whole body");
    let digest: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(export["sha256"], digest);
    assert_eq!(export["size"], file.len().to_string());
    let sequences: Vec<i64> = String::from_utf8_lossy(&file)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["sequence"].as_i64().expect("a sequence"))
        .collect();
    assert_eq!(sequences, (0..EVENTS as i64).collect::<Vec<_>>(), "each once, in order");
    let left: BTreeSet<_> = std::fs::read_dir(folder.join("exports").join(&id))
        .expect("its folder")
        .collect::<Result<Vec<_>, _>>()
        .expect("files")
        .iter()
        .map(std::fs::DirEntry::file_name)
        .collect();
    assert!(left.len() >= 3, "{left:?}");
    service.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_whole_after_two_kills_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    killed(&format!("sqlite://{}", folder.path().join("ledgerline.db").display()), folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_whole_after_two_kills_on_postgres() {
    let folder = tempfile::tempdir().expect("a folder");
    killed(&postgres::fresh_database().await, folder.path()).await;
}
