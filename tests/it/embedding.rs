//! The element's files, as pages of other applications load them. They are those of `npm run build`.

use axum::{
    body::Body,
    http::{Method, Request},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha384};

use crate::harness::{Answer, Database, TestApp, catalogs};

const VERSION: &str = env!("CARGO_PKG_VERSION");

async fn get(app: &TestApp, path: &str, origin: &str) -> Answer {
    let request = Request::builder().method(Method::GET).uri(path).header("origin", origin);
    app.send(request.body(Body::empty()).expect("a request")).await
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).expect("text")
}

#[tokio::test]
async fn a_page_may_take_one_version_of_the_element_for_good() {
    let app = TestApp::with(Database::Sqlite, catalogs::products(), |settings| {
        settings.allowed_origins = vec!["https://app.example.com".to_owned()];
        settings.base_path = "/audit".to_owned();
    })
    .await;
    let stranger = "https://elsewhere.example";
    let newest = get(&app, "/embed/ledgerline-log.js", stranger).await;
    assert_eq!(newest.status, 200, "npm run build has to come before this test");
    assert_eq!(newest.headers["cache-control"], "no-cache");

    let hashes = get(&app, "/embed/integrity.txt", stranger).await;
    assert_eq!(hashes.headers["cache-control"], "no-cache");
    let lines: Vec<_> = text(&hashes).lines().filter_map(|line| line.split_once(" sha384-")).collect();
    assert!(lines.iter().any(|(path, _)| *path == format!("/embed/{VERSION}/ledgerline-log.js")), "{lines:?}");
    for (path, hash) in lines {
        for below in ["", "/audit"] {
            let file = get(&app, &format!("{below}{path}"), stranger).await;
            assert_eq!(file.status, 200, "{below}{path}");
            assert_eq!(file.headers["cache-control"], "public, max-age=31536000, immutable");
            assert_eq!(BASE64_STANDARD.encode(Sha384::digest(&file.body)), hash, "{path}");
            // Code is no secret: what it says of an origin that is not allowed has to arrive there.
            assert_eq!(file.headers["access-control-allow-origin"], "*");
            assert_eq!(file.headers["cross-origin-resource-policy"], "cross-origin");
        }
        let allowed = get(&app, path, "https://app.example.com").await;
        assert_eq!(allowed.headers.get_all("access-control-allow-origin").iter().count(), 1);
    }
    // What is no file of the element is for the allowed origins alone.
    for path in ["/log", "/graphql", "/assets/nothing.js", "/embed/nothing.js"] {
        assert!(!get(&app, path, stranger).await.headers.contains_key("access-control-allow-origin"), "{path}");
    }
    app.finish().await;
}

#[tokio::test]
async fn another_version_is_refused_and_leads_out_of_no_folder() {
    let app = TestApp::start(Database::Sqlite).await;
    for version in ["0.0.9", "9.0.0", "0.1", &format!("{VERSION}-beta.1")] {
        let other = get(&app, &format!("/embed/{version}/ledgerline-log.js"), "https://app.example.com").await;
        assert_eq!(other.status, 404, "{version}");
        assert_eq!(other.headers["cache-control"], "no-store", "{version}: it may come");
        assert!(text(&other).contains(&format!("embed/{VERSION}/ledgerline-log.js")), "{}", text(&other));
    }
    for path in ["../../../Cargo.toml", "%2e%2e/%2e%2e/%2e%2e/Cargo.toml", "/etc/passwd", "", "nothing.js"] {
        let answer = get(&app, &format!("/embed/{VERSION}/{path}"), "https://app.example.com").await;
        assert_eq!(answer.status, 404, "{path}");
    }
    app.finish().await;
}

#[test]
fn the_packages_have_the_version_of_the_service() {
    for file in ["web/package.json", "web/packages/viewer/package.json"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let package: Value = serde_json::from_slice(&std::fs::read(path).expect("the file")).expect("JSON");
        assert_eq!(package["version"], VERSION, "{file}");
    }
}
