//! Tasks that live as long as the service. Each has a name; one that panics says so and starts again.

use std::{any::Any, future::Future, num::NonZeroUsize, panic::AssertUnwindSafe, sync::LazyLock, time::Duration};

use futures_util::FutureExt;
use tokio::sync::Semaphore;

use crate::error::Error;

/// How long a task that panicked waits before it starts again: a fault that comes back at once must not fill the log.
const RESTART_AFTER: Duration = Duration::from_millis(100);

/// Runs a task until it ends by itself. A panic is an ERROR line and a metric, and the task starts again: `start` makes
/// it anew, so it MUST begin from what the database says and not from what the task before it knew.
pub async fn keep<F: Future<Output = ()>>(name: &'static str, mut start: impl FnMut() -> F) {
    while let Err(panic) = AssertUnwindSafe(async { start().await }).catch_unwind().await {
        metrics::counter!("ledgerline_task_panics_total", "task" => name).increment(1);
        tracing::error!(task = name, "the task {name} panicked and is started again: {}", text_of(&*panic));
        tokio::time::sleep(RESTART_AFTER).await;
    }
}

/// Does what takes long without waiting, away from the threads that everybody's requests are on, and no more of it at a
/// time than leaves room for those. A panic goes on in whoever waits.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    static ROOM: LazyLock<Semaphore> = LazyLock::new(|| {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Semaphore::new((processors / 2).max(1))
    });
    let _room = ROOM.acquire().await;
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}

/// Counts a request that panicked, and makes the fault of ours that it is.
#[must_use]
pub fn request_panicked(panic: &(dyn Any + Send)) -> Error {
    metrics::counter!("ledgerline_request_panics_total").increment(1);
    Error::internal(Panicked(text_of(panic).to_owned()))
}

/// The cause of such a fault.
#[derive(Debug, thiserror::Error)]
#[error("it panicked: {0}")]
struct Panicked(String);

/// What a panic said.
fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
