//! Time is an argument: whoever needs "now" is given a [`Clock`].

use std::sync::Arc;

use crate::event::Timestamp;

/// A source of the current instant.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock, to the nanosecond.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(|| Timestamp::from_utc(chrono::Utc::now()).expect("the year is before 2262")))
    }

    /// A clock that always shows `at`, for exact tests.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self(Arc::new(move || at))
    }

    /// The current instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}
