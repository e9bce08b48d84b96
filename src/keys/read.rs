//! Something that the database said, and when.

use std::time::Duration;

use crate::event::Timestamp;

/// Something that the database said, and when.
pub struct Read<T> {
    pub what: T,
    pub at: Timestamp,
}

impl<T> Read<T> {
    /// Whether it is no older than this. What is of a later time than now, as where a clock was set back, is not.
    pub fn is_within(&self, age: Duration, now: Timestamp) -> bool {
        let passed = u64::try_from(now.0.saturating_sub(self.at.0));
        passed.is_ok_and(|nanos| Duration::from_nanos(nanos) < age)
    }
}
