//! A clock that cannot be right is reported. Where it contradicts the log, the log is believed.

use std::sync::{Arc, Mutex, PoisonError};

use entity::organization_head as head;

use crate::{
    error::{Error, Result},
    event::Timestamp,
    store::trouble::Trouble,
};

/// How far clocks of processes on one database may lie apart without a word, in nanoseconds.
const TOLERATED: i64 = 1_000_000_000;
/// Whether a clock that was set back was reported.
#[derive(Default)]
pub(in crate::store) struct ClockCheck(Mutex<Trouble>);

#[derive(Debug, thiserror::Error)]
#[error("this machine's clock shows {0}, and nothing can be recorded from {latest} on", latest = Timestamp::LATEST)]
struct BeyondReach(Timestamp);

impl ClockCheck {
    /// Refuses to record past the end of the order of time.
    ///
    /// # Errors
    /// `UNAVAILABLE`: the clock may be set right while the service runs.
    pub fn within_reach(&self, now: Timestamp) -> Result<()> {
        if now < Timestamp::LATEST { Ok(()) } else { Err(Error::Unavailable(Arc::new(BeyondReach(now)))) }
    }

    /// Reports a clock that is behind the newest recorded event. Recording goes on, at the time of that event: see [`Stage`](super::stage::Stage).
    pub fn not_set_back<'a>(&self, now: Timestamp, heads: impl Iterator<Item = &'a head::Model>) {
        let Some(newest) = heads.map(|head| head.recorded_ns).max() else { return };
        if newest.saturating_sub(TOLERATED) <= now.0 {
            return;
        }
        metrics::counter!("ledgerline_clock_set_back_total").increment(1);
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).is_told() {
            let (newest, behind) = (Timestamp(newest), newest.saturating_sub(now.0) / 1_000_000);
            tracing::error!(
                behind_ms = behind,
                "this machine's clock shows {now}, but an event was recorded at {newest} already: until the clock is \
                 past that, events are recorded at that time"
            );
        }
    }
}
