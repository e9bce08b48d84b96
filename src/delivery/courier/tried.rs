//! One try of a receiver, of a run or of a test, as it is written down.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::{
    delivery::sinks::{self, Failure, FailureKind, Ways},
    error::Result,
    event::Timestamp,
    store::control::endpoints::{Attempt, Endpoint, Purpose},
};

/// How long a receiver may take for what it is sent at once.
pub const LONGEST: Duration = Duration::from_secs(60);
/// The sequence of a try that is of no event.
const NO_EVENT: i64 = -1;

/// Sends a test, and notes it.
///
/// # Errors
/// `INTERNAL` where the endpoint cannot be opened.
pub async fn test(endpoint: &Endpoint, organization: &str, ways: &Ways, at: Timestamp) -> Result<Attempt> {
    let sink = sinks::open(endpoint, ways)?;
    Ok(tried(sink.test(organization, at), at, Purpose::Test, (NO_EVENT, NO_EVENT)).await.1)
}

/// Waits for a receiver, as long as one may take: whether it has what it was sent, and the try as it is written down.
pub async fn tried(
    sending: impl Future<Output = Result<Option<u16>, Failure>>,
    at: Timestamp,
    purpose: Purpose,
    events: (i64, i64),
) -> (Result<(), Failure>, Attempt) {
    let late = |_| Failure {
        kind: FailureKind::Unavailable,
        status: None,
        reason: "it did not answer in time".to_owned(),
        retry_after: None,
    };
    let began = Instant::now();
    let sent = timeout(LONGEST, sending).await.map_err(late).flatten();
    let took_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
    let (status, trouble) = match &sent {
        Ok(status) => (*status, None),
        Err(failure) => (failure.status, Some(failure.reason.clone())),
    };
    (sent.map(drop), Attempt { at, purpose, events, status, took_ms, trouble })
}
