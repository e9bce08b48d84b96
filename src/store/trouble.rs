//! Trouble that lasts is logged once a minute.

use std::time::{Duration, Instant};

/// How often the same trouble is told again.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Trouble that is logged at once, and again from time to time.
#[derive(Default)]
pub(super) struct Trouble(Option<Instant>);

impl Trouble {
    /// Whether it has to be logged now.
    pub fn is_told(&mut self) -> bool {
        if self.0.is_some_and(|told| told.elapsed() < TELL_EVERY) {
            return false;
        }
        self.0 = Some(Instant::now());
        true
    }
}
