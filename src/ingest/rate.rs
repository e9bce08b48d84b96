//! How many events a second may be recorded for one organization, by whichever of its callers.

use std::num::NonZeroU32;

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use crate::{
    auth::WriteScope,
    error::{Error, Result},
    event::limits,
};

/// Organizations after which those that have rested are forgotten.
const REMEMBERED: usize = 10_000;

/// A limit per organization.
pub struct RecordRate(Option<DefaultKeyedRateLimiter<String>>);

impl RecordRate {
    /// So many events a second, in bursts of a second's events and of at least one full request; 0 is no limit.
    #[must_use]
    pub fn per_second(events: u32) -> Self {
        let request = u32::try_from(limits::BATCH).ok().and_then(NonZeroU32::new);
        Self(NonZeroU32::new(events).map(|events| {
            let burst = request.map_or(events, |request| request.max(events));
            RateLimiter::keyed(Quota::per_second(events).allow_burst(burst))
        }))
    }

    /// Counts events of one organization that are to be recorded together.
    ///
    /// # Errors
    /// `RATE_LIMITED`; none of them is counted then.
    pub fn check(&self, scope: &WriteScope, events: usize) -> Result<()> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        let Some(events) = u32::try_from(events).ok().and_then(NonZeroU32::new) else { return Ok(()) };
        if limiter.len() > REMEMBERED {
            limiter.retain_recent();
        }
        let key = format!("{}\u{0}{}", scope.product().name, scope.organization());
        // A request has no more events than a burst.
        let Ok(checked) = limiter.check_key_n(&key, events) else { return Ok(()) };
        checked.map_err(|wait| {
            let wait = wait.wait_time_from(DefaultClock::default().now());
            Error::RateLimited { retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1) }
        })
    }
}
