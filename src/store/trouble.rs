//! Trouble that lasts: one line in the log a minute is loud enough.

use std::time::{Duration, Instant};

/// How often the same trouble is told again.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Something that is told at once, and again from time to time.
#[derive(Default)]
pub(super) struct Trouble(Option<Instant>);

impl Trouble {
    /// Whether it is to be told now.
    pub fn is_told(&mut self) -> bool {
        if self.0.is_some_and(|told| told.elapsed() < TELL_EVERY) {
            return false;
        }
        self.0 = Some(Instant::now());
        true
    }
}
