//! A receiver of events, in the bench's own process: it answers at once, and notes which marked events came when.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Result, ensure};
use axum::{Router, body::Bytes, extract::State};
use tokio::{io::AsyncReadExt, net::TcpListener};

/// Stands before the number and the time of sending in an event's metadata.
const MARK: &str = "sent~";

/// The mark of an event: its number, and now.
pub fn mark(number: u64) -> String {
    format!("{MARK}{number}~{}~", nanos())
}

fn nanos() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_nanos() as u64)
}

/// What came: for each number, nanoseconds from its sending to its arrival.
#[derive(Clone, Default)]
pub struct Receiver {
    came: Arc<Mutex<HashMap<u64, u64>>>,
    /// `http://127.0.0.1:PORT`.
    pub http: String,
    /// `syslog+tcp://127.0.0.1:PORT`.
    pub syslog: String,
}

impl Receiver {
    pub async fn start() -> Result<Self> {
        let (http, syslog) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let receiver = Self {
            came: Arc::default(),
            http: format!("http://{}", http.local_addr()?),
            syslog: format!("syslog+tcp://{}", syslog.local_addr()?),
        };
        let take = async |State(receiver): State<Receiver>, body: Bytes| {
            receiver.note(&String::from_utf8_lossy(&body));
            "{}"
        };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(http, router).await });
        let lines = receiver.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = syslog.accept().await {
                let receiver = lines.clone();
                tokio::spawn(async move {
                    let (mut unread, mut piece) = (String::new(), vec![0; 1 << 16]);
                    while let Ok(n @ 1..) = stream.read(&mut piece).await {
                        unread.push_str(&String::from_utf8_lossy(&piece[..n]));
                        // A mark may be cut: what follows the last whole one waits.
                        let whole = unread.rfind('~').map_or(0, |at| at + 1);
                        receiver.note(&unread[..whole]);
                        unread.drain(..unread[..whole].rfind(MARK).unwrap_or(whole));
                    }
                });
            }
        });
        Ok(receiver)
    }

    fn note(&self, body: &str) {
        let now = nanos();
        let mut came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
        for part in body.split(MARK).skip(1) {
            let mut parts = part.split('~');
            if let (Some(Ok(number)), Some(Ok(sent))) =
                (parts.next().map(str::parse::<u64>), parts.next().map(str::parse::<u64>))
            {
                came.entry(number).or_insert(now.saturating_sub(sent));
            }
        }
    }

    /// Forgets what came.
    pub fn clear(&self) {
        self.came.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Waits until so many events have come.
    pub async fn has(&self, events: usize) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(120);
        while self.came.lock().unwrap_or_else(PoisonError::into_inner).len() < events {
            ensure!(Instant::now() < until, "the receiver waits for events that do not come");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Milliseconds from sending to arrival.
    pub fn lags(&self) -> Vec<f64> {
        let came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
        came.values().map(|nanos| *nanos as f64 / 1e6).collect()
    }
}
