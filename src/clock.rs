//! Time is an argument: whoever needs "now" is given a [`Clock`].

use std::sync::Arc;

use crate::event::Timestamp;

/// A source of the current instant.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock, to the nanosecond. Past what an instant can hold it stands still at the last one, which is
    /// past [`Timestamp::LATEST`]: nothing is recorded then.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|| {
            #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is given")]
            let now = chrono::Utc::now();
            let end = if now.timestamp() < 0 { i64::MIN } else { i64::MAX };
            Timestamp::from_utc(now).unwrap_or(Timestamp(end))
        })
    }

    /// A clock that shows what `now` answers.
    #[must_use]
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// A clock that always shows `at`, for exact tests.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self::new(move || at)
    }

    /// The current instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}
