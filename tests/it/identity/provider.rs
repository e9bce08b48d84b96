//! An identity provider at an address of this machine: an OpenID configuration, and keys where that says they are.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

#[derive(Default)]
struct Told {
    configuration: Value,
    keys: Value,
    is_down: bool,
}

/// The provider.
pub struct Provider {
    pub issuer: String,
    told: Arc<Mutex<Told>>,
    asked: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

type Shared = (Arc<Mutex<Told>>, Arc<AtomicUsize>);

async fn answer((told, asked): Shared, of: fn(&Told) -> &Value) -> Result<String, StatusCode> {
    asked.fetch_add(1, Ordering::SeqCst);
    let told = told.lock().expect("no panic");
    if told.is_down { Err(StatusCode::BAD_GATEWAY) } else { Ok(of(&told).to_string()) }
}

impl Provider {
    pub async fn start(keys: Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let issuer = format!("http://{}/realm", listener.local_addr().expect("an address"));
        let configuration = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
        let told = Arc::new(Mutex::new(Told { configuration, keys, is_down: false }));
        let shared: Shared = (told.clone(), Arc::default());
        let asked = shared.1.clone();
        let configured = get(|State(shared): State<Shared>| answer(shared, |told| &told.configuration));
        let keyed = get(|State(shared): State<Shared>| answer(shared, |told| &told.keys));
        let app = Router::new()
            .route("/realm/.well-known/openid-configuration", configured)
            .route("/realm/keys", keyed)
            .with_state(shared);
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
        Self { issuer, told, asked, serving }
    }

    /// Its configuration with another member.
    pub fn says(&self, member: &str, value: &str) {
        self.told.lock().expect("no panic").configuration[member] = value.into();
    }

    pub fn has_keys(&self, keys: Value) {
        self.told.lock().expect("no panic").keys = keys;
    }

    pub fn is_down(&self, is_down: bool) {
        self.told.lock().expect("no panic").is_down = is_down;
    }

    /// How often somebody came.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
