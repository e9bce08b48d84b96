//! A whole service in this process, on a database of its own.

pub mod catalogs;
pub mod issuer;
pub mod postgres;
pub mod receiver;
pub mod sql;
pub mod syslog;

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use ledgerline::{
    app::App,
    auth::{Claims, OneOrMany},
    catalog::Products,
    chance::Chance,
    clock::Clock,
    config::{LogFormat, Settings},
    event::Timestamp,
    keys::{DevelopmentKeys, Keys},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// A database that the suite runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// Makes two tests of every named function of the module, `name::sqlite` and `name::postgres`: each starts a service of
/// its own and gives it to the function. A function that is left out of the list is dead code, which clippy refuses.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::harness::{Database, TestApp};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let app = TestApp::start(Database::Sqlite).await;
                super::$name(&app).await;
                app.finish().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let app = TestApp::start(Database::Postgres).await;
                super::$name(&app).await;
                app.finish().await;
            }
        }
    )+};
}
pub(crate) use on_both_databases;

/// Makes another test of functions of the module, `as_of_a_cluster::name`: the service takes its PostgreSQL for a cluster,
/// and every statement that it sends meanwhile has to keep the rule of `sharding/rule.rs`.
macro_rules! as_of_a_cluster {
    ($($name:ident),+ $(,)?) => {
        mod as_of_a_cluster {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (app, proxy) = crate::sharding::pretended().await;
                super::$name(&app).await;
                app.finish().await;
                crate::sharding::keeps_to_one_node(&proxy);
            }
        )+}
    };
}
pub(crate) use as_of_a_cluster;

/// The service under test.
pub struct TestApp {
    pub database: Database,
    /// URL of its database.
    pub url: String,
    pub products: Products,
    /// The running service; its store and writer are at `app.services`.
    pub app: App,
    pub keys: DevelopmentKeys,
    router: Router,
    folder: Arc<TempDir>,
}

impl TestApp {
    /// A service with the products of [`catalogs::products`] and an empty database.
    pub async fn start(database: Database) -> Self {
        Self::with(database, catalogs::products(), |_| {}).await
    }

    /// Another service with the five products exactly as they are built in, and an empty database of its own.
    pub async fn built_in(&self) -> Self {
        Self::with(self.database, Products::built_in(), |_| {}).await
    }

    /// A service with products and settings of the test's own.
    pub async fn with(database: Database, products: Products, change: impl FnOnce(&mut Settings)) -> Self {
        Self::with_clock(database, products, Clock::system(), change).await
    }

    /// The same whose clock is the test's own.
    pub async fn with_clock(
        database: Database,
        products: Products,
        clock: Clock,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let url = match database {
            Database::Sqlite => format!("sqlite://{}", folder.path().join("ledgerline.db").display()),
            Database::Postgres => postgres::fresh_database().await,
        };
        Self::open(database, url, products, folder, clock, change).await
    }

    /// A service on a database that is there already.
    pub async fn on(database: Database, url: String, products: Products, folder: TempDir) -> Self {
        Self::open(database, url, products, Arc::new(folder), Clock::system(), |_| {}).await
    }

    /// Another service on the same database, whose clock is the test's own.
    pub async fn beside_with_clock(&self, clock: Clock) -> Self {
        Self::open(self.database, self.url.clone(), self.products.clone(), self.folder.clone(), clock, |_| {}).await
    }

    /// The service stopped and started again on its database, with settings of the test's own.
    pub async fn again(self, change: impl FnOnce(&mut Settings)) -> Self {
        let products = self.products.clone();
        self.again_with(products, Clock::system(), change).await
    }

    /// The same with a clock of the test's own.
    pub async fn again_at(self, clock: Clock, change: impl FnOnce(&mut Settings)) -> Self {
        let products = self.products.clone();
        self.again_with(products, clock, change).await
    }

    /// The same with product files and a clock of the test's own.
    pub async fn again_with(self, products: Products, clock: Clock, change: impl FnOnce(&mut Settings)) -> Self {
        let (database, url, folder) = (self.database, self.url.clone(), self.folder.clone());
        Box::pin(self.finish()).await;
        Self::open(database, url, products, folder, clock, change).await
    }

    /// Another service on the same database, as a second process would be.
    pub async fn beside(&self) -> Self {
        self.beside_with_clock(Clock::system()).await
    }

    /// The same with other product files, as where services are started anew one after the other.
    pub async fn beside_with_products(&self, products: Products) -> Self {
        Self::open(self.database, self.url.clone(), products, self.folder.clone(), Clock::system(), |_| {}).await
    }

    /// The same with a clock and product files of the test's own.
    pub async fn beside_with_clock_and_products(&self, clock: Clock, products: Products) -> Self {
        Self::open(self.database, self.url.clone(), products, self.folder.clone(), clock, |_| {}).await
    }

    /// The same with settings of its own, as for a database behind something.
    pub async fn beside_with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        Self::open(self.database, self.url.clone(), self.products.clone(), self.folder.clone(), Clock::system(), change)
            .await
    }

    /// The same with a clock and settings of the test's own.
    pub async fn beside_with_clock_and(&self, clock: Clock, change: impl FnOnce(&mut Settings)) -> Self {
        Self::open(self.database, self.url.clone(), self.products.clone(), self.folder.clone(), clock, change).await
    }

    /// The same with product files and settings of the test's own.
    pub async fn beside_with_products_and(&self, products: Products, change: impl FnOnce(&mut Settings)) -> Self {
        Self::open(self.database, self.url.clone(), products, self.folder.clone(), Clock::system(), change).await
    }

    /// Another service on the same database that reads from its replica.
    pub async fn beside_with_replica(&self) -> Self {
        let replica = postgres::replica_of(&self.url).await;
        self.beside_with(|settings| settings.read_database_url = Some(replica)).await
    }

    async fn open(
        database: Database,
        url: String,
        products: Products,
        folder: Arc<TempDir>,
        clock: Clock,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let keys_folder = folder.path().join("keys");
        let mut settings = Settings {
            listen: "127.0.0.1:0".to_owned(),
            database_url: url.clone(),
            database_password_file: None,
            database_password_command: None,
            read_database_url: None,
            products: None,
            keys: Some(keys_folder.clone()),
            exports: Some(folder.path().join("exports").display().to_string()),
            erasure_list: None,
            allowed_origins: Vec::new(),
            allowed_headers: Vec::new(),
            log: "off".to_owned(),
            log_format: LogFormat::Text,
            read_rate: 0,
            record_rate: 0,
            endpoint_networks: Vec::new(),
            public_url: None,
            base_path: String::new(),
            tls_certificate: None,
            tls_key: None,
            trusted_proxies: Vec::new(),
            smtp_url: None,
            mail_from: None,
            introspection: true,
            allow_unsafe_durability: false,
        };
        change(&mut settings);
        let open_keys = || DevelopmentKeys::open_or_create(&keys_folder, &products).expect("development keys");
        let keys = Keys::new(&products, Some(open_keys())).expect("keys");
        let app = Box::pin(App::start(&settings, keys, clock, Chance::system())).await.expect("the service starts");
        let router = app.router.clone();
        Self { database, url, keys: open_keys(), products, app, router, folder }
    }

    /// Ends the service: everything queued is committed and every connection closed.
    pub async fn finish(self) {
        let Self { app, router, .. } = self;
        drop(router);
        Box::pin(app.close()).await;
    }

    /// A folder that lives as long as the test.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Somebody of a product, with nothing but a subject; give them rights with [`Caller`]'s methods.
    pub fn caller(&self, product: &str) -> Caller<'_> {
        let until = Timestamp(Clock::system().now().0 + 3_600_000_000_000);
        let product = self.products.get(product).expect("a product");
        Caller { app: self, claims: Claims::new(product, "someone", until), product: product.name.clone() }
    }

    /// An administrator on a plan that may read, in an organization; may read, record and manage.
    pub fn admin(&self, product: &str, organization: &str) -> Caller<'_> {
        let config = self.products.get(product).expect("a product");
        let caller = self
            .caller(product)
            .organization(organization)
            .scopes("audit:read audit:record audit:manage")
            .subject("admin");
        let caller = match config.access.roles.first() {
            Some(role) => caller.role(role),
            None => caller,
        };
        match config.access.plans.first() {
            Some(plan) => caller.plan(plan),
            None => caller,
        }
    }

    /// Sends a request through the router.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body: body.to_vec() }
    }

    /// Sends a GraphQL request with a token or none.
    pub async fn graphql(&self, token: Option<&str>, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.graphql_text(token, body).await
    }

    /// Sends a GraphQL request whose body is a text of the test's own.
    pub async fn graphql_text(&self, token: Option<&str>, body: String) -> Answer {
        self.graphql_bytes(token, body.into_bytes()).await
    }

    /// The same of bytes that may be no text.
    pub async fn graphql_bytes(&self, token: Option<&str>, body: Vec<u8>) -> Answer {
        let mut request = Request::post("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/graphql-response+json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(body)).expect("a request")).await
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// `data`; the answer must have no errors.
    pub fn data(&self) -> Value {
        let json = self.json();
        assert!(json.get("errors").is_none(), "unexpected errors: {json:#}");
        json["data"].clone()
    }

    /// The errors; there must be some.
    pub fn errors(&self) -> Vec<Value> {
        let json = self.json();
        json["errors"].as_array().cloned().unwrap_or_else(|| panic!("errors were expected: {json:#}"))
    }

    /// `extensions.code` of the first error.
    pub fn code(&self) -> String {
        self.errors()[0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// `extensions.field` of the first error.
    pub fn field(&self) -> String {
        self.errors()[0]["extensions"]["field"].as_str().unwrap_or_default().to_owned()
    }
}

/// Somebody with a token.
pub struct Caller<'a> {
    app: &'a TestApp,
    pub claims: Claims,
    product: String,
}

impl Caller<'_> {
    pub fn subject(mut self, subject: &str) -> Self {
        self.claims.sub = subject.to_owned();
        self
    }

    pub fn organization(mut self, organization: &str) -> Self {
        self.claims.org = Some(organization.to_owned());
        self
    }

    pub fn without_organization(mut self) -> Self {
        self.claims.org = None;
        self
    }

    pub fn scopes(mut self, scopes: &str) -> Self {
        self.claims.scope = Some(scopes.to_owned());
        self
    }

    pub fn role(mut self, role: &str) -> Self {
        self.claims.role = Some(OneOrMany::One(role.to_owned()));
        self
    }

    pub fn plan(mut self, plan: &str) -> Self {
        self.claims.plan = Some(plan.to_owned());
        self
    }

    /// A token that lasts, for tests whose clock moves.
    pub fn lasting(mut self) -> Self {
        self.claims.exp = Some(9_000_000_000_i64.into());
        self
    }

    /// Narrows the token to logs, each as `level:id`.
    pub fn logs(mut self, logs: &[&str]) -> Self {
        self.claims.logs = Some(logs.iter().map(|&log| log.to_owned()).collect());
        self
    }

    pub fn token(&self) -> String {
        self.app.keys.sign(&self.product, &self.claims).expect("a token")
    }

    /// Asks, and gives the whole answer.
    pub async fn ask(&self, query: &str, variables: Value) -> Answer {
        self.app.graphql(Some(&self.token()), query, variables).await
    }

    /// Asks for data; errors fail the test.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        self.ask(query, variables).await.data()
    }

    /// Records one event and gives `recordAuditEvent`.
    pub async fn record(&self, input: Value) -> Value {
        let query = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) {
            status sequence event { id sequence action occurredAt } } }";
        self.data(query, json!({ "input": input })).await["recordAuditEvent"].clone()
    }

    /// Records events, each for itself, and gives `recordAuditEvents`.
    pub async fn record_all(&self, events: Vec<Value>) -> Value {
        let query = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded
            alreadyRecorded refused
            results { index status eventId sequence error { code message field rule suggestions existing } } } }";
        self.data(query, json!({ "input": { "events": events } })).await["recordAuditEvents"].clone()
    }

    /// Actions of the newest events under arguments of `auditEvents`, as in `first: 5, search: "x"`.
    pub async fn actions(&self, arguments: &str) -> Vec<String> {
        let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
        let data = self.data(&format!("{{ auditEvents{arguments} {{ nodes {{ action }} }} }}"), json!({})).await;
        let nodes = data["auditEvents"]["nodes"].as_array().expect("nodes").clone();
        nodes.iter().map(|node| node["action"].as_str().expect("an action").to_owned()).collect()
    }
}

/// An event input with an action and a user.
pub fn event(action: &str) -> Value {
    json!({ "action": action, "actor": { "kind": "USER", "id": "u1", "email": "u1@example.com", "name": "User One" } })
}

/// Waits until something holds, for at most ten seconds.
pub async fn eventually(holds: impl AsyncFnMut() -> bool) {
    within(Duration::from_secs(10), holds).await;
}

/// A row of the table of `make torture`: what was done, on which database, what came of it, and how long it took. Others see
/// it only where they ask for what tests print.
#[expect(clippy::print_stdout, reason = "people read it")]
pub fn row(what: &str, on: Database, outcome: &str, took: Duration) {
    println!("| {what} | {on:?} | {outcome} | {took:.0?} |");
}

/// Waits until something holds, for at most so long.
pub async fn within(longest: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let pause = Duration::from_millis(50);
    for _ in 0..longest.as_millis() / pause.as_millis() {
        if holds().await {
            return;
        }
        tokio::time::sleep(pause).await;
    }
    panic!("it did not come to hold within {longest:?}");
}
